"""Published counts of many authorities: an area's groups beside the same within all authorities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import Policy
from jsna.errors import SourceError
from jsna.evidence.comparison import Dimension
from jsna.evidence.published import compare_beside_england, needs_of_plans

GROUPS = Dimension("ethnicity", {"A": "Group A", "B": "Group B", "C": "Group C", "?": "Not known"}, ("?",))
CODE = "E1"


def _england(areas: int = 60, seed: int = 3, own: float = 1.0) -> pd.DataFrame:
    """Authorities that differ in level; in all of them B is 1.5 times as often; ``own``: a factor for C in E1 alone."""
    random = np.random.default_rng(seed)
    rows = []
    for area in range(areas):
        level = random.uniform(0.1, 0.3)
        for group, size, ratio in (("A", 600, 1.0), ("B", 150, 1.5), ("C", 80, 1.0), ("?", 30, 1.0)):
            # Group B lives where the level is high: the ratio of England's totals is too large.
            n = int(size * (4 if group == "B" and level > 0.2 else 1))
            risk = level * ratio * (own if (area, group) == (1, "C") else 1)
            rows.append((f"E{area}", group, random.binomial(n, min(risk, 0.95)), n))
    return pd.DataFrame(rows, columns=["area_code", "group", "need", "total"])


def _compared(frame: pd.DataFrame, **named) -> pd.DataFrame:
    made = compare_beside_england(frame, CODE, GROUPS, period="202425", policy=Policy(), source="made up", **named)
    return made.table.frame.set_index("group")


def test_the_ratio_within_authorities_is_the_planted_one_whatever_the_totals_say():
    frame = _england()
    table = _compared(frame)
    row = table.loc["B"]
    assert row["england_lower"] < 1.5 < row["england_upper"]
    assert row["england_areas"] == 60
    known = frame[frame["group"] != "?"]
    sums = known.assign(b=known["group"] == "B").groupby("b")[["need", "total"]].sum()
    together = (sums.loc[True, "need"] / sums.loc[True, "total"]) / (sums.loc[False, "need"] / sums.loc[False, "total"])
    assert together > row["england_upper"]


def test_what_other_authorities_teach_draws_a_ratio_towards_1_and_not_past_it():
    row = _compared(_england(own=2.5)).loc["C"]
    assert row["risk_ratio"] > 1.6
    assert 1 < row["pooled_risk_ratio"] < row["risk_ratio"]
    assert 0.8 < row["england_risk_ratio"] < 1  # B stands among its others


def test_an_area_teaches_its_own_prior_nothing():
    frame = _england()
    wild = frame.assign(need=frame["need"].where((frame["area_code"] != CODE) | (frame["group"] != "C"), 75))
    plain, changed = _compared(frame), _compared(wild)
    # B's own counts stand; only what it is compared with has changed: its prior is that of the other areas.
    assert changed.loc["B", "risk_ratio"] != plain.loc["B", "risk_ratio"]
    assert changed.loc["C", "pooled_risk_ratio"] > 1.5


def test_unknown_groups_are_shown_and_compared_with_nobody():
    table = _compared(_england())
    assert table.loc["?", "status"] == "insufficient data"
    assert table.loc[["?"], ["pooled_risk_ratio", "q_value"]].isna().all(axis=None)
    assert list(table.index) == ["A", "B", "C", "?"]


def test_every_rule_of_others_has_a_word_for_every_known_group():
    table = _compared(_england())
    words = table[[c for c in table if c.startswith("rule_")]]
    assert words.shape[1] >= 8
    assert words.drop("?").isin(["over", "under", "no flag", "not said"]).all(axis=None)


def test_an_area_without_rows_is_a_sentence():
    with pytest.raises(SourceError, match="no rows"):
        _compared(_england().query("area_code != 'E1'"))


def test_a_stranger_among_the_groups_is_refused():
    frame = _england()
    with pytest.raises(SourceError, match="does not know"):
        _compared(frame.assign(group=frame["group"].replace("C", "D")))


def test_plans_by_need_are_those_of_authorities_with_plans():
    table = pd.DataFrame(
        {
            "geographic_level": ["National", "Local authority", "Local authority", "Local authority"],
            "breakdown_topic": ["Sex", "Sex", "Sex", "Age"],
            "time_period": ["202425"] * 4,
            "area_code": ["E92", "E1", "E1", "E1"],
            "breakdown": ["Female", "Female", "Male", "5"],
            "ehc_plans": [900, 10, 0, 10],
            "number_asd": [300, 4, 0, 4],
        }
    )
    made = needs_of_plans(table, "Sex", "202425", ["ASD", "DS"])
    assert made.to_dict("records") == [{"area_code": "E1", "group": "Female", "plans_need_ASD": 4, "total": 10}]
