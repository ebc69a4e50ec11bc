"""The sentences of the fairness chapters: what stands out, and what may be there all the same."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from jsna.chapters import disparity
from jsna.chapters.fairness import headline, other_rules
from jsna.disclosure import Released
from jsna.evidence.comparison import Comparison

OVER, UNDER, WATCH, NONE, UNSURE = (
    "over-identified",
    "under-identified",
    "watch",
    "no evidence",
    "insufficient data",
)


def _part(*rows: tuple[str, str, str, float], judged: bool = True) -> Comparison:
    frame = pd.DataFrame(rows, columns=["label", "status", "reasons", "pooled_risk_ratio"])
    frame = frame.assign(known=frame["reasons"] != "not_compared", risk_ratio=frame["pooled_risk_ratio"])
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns)
    return Comparison(
        Released(frame, symbols, "made up", True), "ethnicity", "202526", len(rows), judged=judged, periods=("202526",)
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        pytest.param(
            [("A", OVER, "every_check", 1.6), ("B", NONE, "ruled_out", 1.0), ("C", UNDER, "every_check", 0.6)],
            "Any SEN: A identified more often than all others; C identified less often",
            id="over-and-under",
        ),
        pytest.param(
            [("A", WATCH, "one_school", 1.5), ("B", NONE, "ruled_out", 1.0)], "Any SEN: A to watch", id="watch"
        ),
        pytest.param(
            [("A", NONE, "small_difference", 1.1), ("B", NONE, "small_difference", 0.9), ("C", NONE, "ruled_out", 1.0)],
            "Any SEN: none of 3 ethnic groups stands out; smaller differences are likely in 2",
            id="small-differences-are-not-hidden",
        ),
        pytest.param(
            [("A", UNSURE, "wide_interval", 1.1), ("B", NONE, "ruled_out", 1.0), ("?", UNSURE, "not_compared", 1.0)],
            "Any SEN: none of 2 ethnic groups stands out; in 1 the figures cannot tell",
            id="silence-is-not-fairness",
        ),
    ],
)
def test_the_headline_says_what_stands_out_and_what_could_not_be_told(rows, sentence):
    assert headline(_part(*rows), "any_sen") == sentence


def test_of_published_counts_the_workbenchs_own_rule_names_those_to_watch_by_side():
    part = _part(("A", WATCH, "higher; crude_only", 1.6), ("B", WATCH, "lower; crude_only", 0.5), judged=False)
    [own] = csv.DictReader(other_rules(part, "any_sen").table_csv.splitlines())
    assert own["Rule"].startswith("This workbench, on published counts alone")
    assert (own["Called over-identified"], own["Called under-identified"]) == ("A", "B")


def test_of_two_groups_one_is_higher_than_the_other():
    part = _part(("Female", WATCH, "lower; crude_only", 0.6), ("Male", WATCH, "higher; crude_only", 1.6), judged=False)
    assert disparity.headline(part, "ehc_plan") == "EHC plan: Male higher than Female"
