"""Crude comparison: who is compared with whom, and what is said of it."""

import pandas as pd
import pytest

from jsna.disproportionality import crude, reason_text
from jsna.errors import MeasureError

GROUPS = pd.DataFrame(
    {
        "group": ["A", "B", "C", "unknown"],
        "x": [300, 100, 95, 40],
        "n": [1000, 1000, 1000, 50],
        "known": [True, True, True, False],
    }
)


def result(frame=GROUPS, **options):
    return crude(frame, group="group", count="x", total="n", known="known", **options).set_index("group")


def test_a_group_is_compared_with_all_others_of_known_group_without_itself():
    row = result().loc["A"]
    assert (row["comparator_numerator"], row["comparator_denominator"]) == (195, 2000)
    assert row["risk_ratio"] == pytest.approx(0.3 / 0.0975)
    assert row["pupils_affected"] == pytest.approx(300 - 1000 * 0.0975)


def test_pupils_of_unknown_group_are_shown_tested_by_nobody_and_in_nobodys_comparator():
    row = result().loc["unknown"]
    assert pd.isna(row["q_value"])
    assert row["reasons"] == "not_compared"
    assert result()["comparisons"].tolist() == [3, 3, 3, 3]


def test_a_crude_comparison_never_says_more_than_watch():
    rows = result()
    assert rows.loc["A", "status"] == "watch"
    assert "crude" in " ".join(reason_text(rows.loc["A", "reasons"]))
    assert set(rows["status"]) <= {"watch", "insufficient data", "no evidence"}


@pytest.mark.parametrize(
    ("x", "n", "status"), [(3, 9, "insufficient data"), (2, 20, "insufficient data"), (0, 0, "insufficient data")]
)
def test_small_groups_are_insufficient_data_and_never_silently_fair(x, n, status):
    small = pd.DataFrame({"group": ["S"], "x": [x], "n": [n], "known": [True]})
    assert result(pd.concat([GROUPS, small], ignore_index=True)).loc["S", "status"] == status


def test_a_named_reference_stands_beside_all_others():
    rows = crude(GROUPS, group="group", count="x", total="n", known="known", reference="B")
    against = rows[rows["comparator"] == "B"].set_index("group")
    assert against.loc["A", "risk_ratio"] == pytest.approx(3.0)
    assert pd.isna(against.loc["B", "q_value"])


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (GROUPS.rename(columns={"x": "xx"}), {}, "no such column"),
        (pd.concat([GROUPS, GROUPS]), {}, "stands twice"),
        (GROUPS, {"reference": "Z"}, "reference group"),
    ],
)
def test_mistakes_are_named(frame, options, words):
    with pytest.raises(MeasureError, match=words):
        result(frame, **options)
