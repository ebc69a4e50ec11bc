"""What pupils of unknown group could do to a ratio: by formula, by trying every way of placing them, at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jsna.errors import MeasureError
from jsna.measures import missing_group_bounds

RATIOS = ["estimate", "lower", "upper", "shared"]


def _one(*values, **named):
    return missing_group_bounds(*([v] for v in values), **named).iloc[0]


def test_bounds_by_hand():
    # 20 of 100 against 150 of 1,000; 50 unknown, 20 of them identified; a group of 100 takes 1 in 11 of them.
    row = _one(20, 100, 150, 1000, 20, 50)
    assert row["lower"] == pytest.approx((20 / 130) / (170 / 1020))
    assert row["upper"] == pytest.approx((40 / 120) / (150 / 1030))
    shared = ((20 + 20 / 11) / (100 + 50 / 11)) / ((150 + 200 / 11) / (1000 + 500 / 11))
    assert row["shared"] == pytest.approx(shared)


@pytest.mark.parametrize("table", [(3, 9, 4, 20, 3, 7), (0, 4, 2, 9, 2, 2), (5, 5, 1, 8, 0, 4), (2, 6, 6, 6, 4, 5)])
def test_no_placing_of_the_unknown_goes_beyond_the_bounds_and_the_worst_reach_them(table):
    x, n, x0, n0, s, u = table
    ratios = [
        ((x + i) / (n + i + j)) / ((x0 + s - i) / (n0 + (s - i) + (u - s - j)))
        for i in range(s + 1)
        for j in range(u - s + 1)
        if x0 + s - i
    ]
    row = _one(*table)
    assert row["lower"] == pytest.approx(min(ratios))
    assert row["upper"] == pytest.approx(max(ratios))
    assert row["lower"] <= row["shared"] <= row["upper"]


def test_without_unknown_pupils_all_ratios_are_the_known_one():
    row = _one(20, 100, 100, 1000, 0, 0)
    assert row[RATIOS].tolist() == pytest.approx([2.0] * 4)
    assert np.isnan(row["tipping_share"])
    assert (row["tipping_to"], row["status"]) == ("", "")


def _ratio_at(table, share: float) -> float:
    """The ratio when that share of the unknown identified is the group's, the unidentified being shared by size."""
    x, n, x0, n0, s, u = table
    part, mine, theirs = n / (n + n0), share * s, (1 - share) * s
    return ((x + mine) / (n + mine + part * (u - s))) / ((x0 + theirs) / (n0 + theirs + (1 - part) * (u - s)))


@pytest.mark.parametrize(
    ("table", "to"),
    [
        pytest.param((20, 100, 150, 1000, 20, 50), "comparator", id="over"),
        pytest.param((10, 100, 150, 1000, 20, 50), "group", id="under"),
        pytest.param((0, 100, 150, 1000, 30, 30), "group", id="none-identified"),
        pytest.param((2_000_000, 8_000_000, 170_000, 900_000, 80_000, 200_000), "comparator", id="millions"),
    ],
)
def test_at_the_tipping_share_the_ratio_is_at_the_threshold_and_not_before(table, to):
    row = _one(*table)
    threshold = 0.80 if to == "group" else 1.25
    share = row["tipping_share"] if to == "group" else 1 - row["tipping_share"]
    assert row["tipping_to"] == to
    assert 0 < row["tipping_share"] < 1
    assert _ratio_at(table, share) == pytest.approx(threshold, rel=1e-9)
    before = share - 1e-6 if to == "group" else share + 1e-6
    assert (_ratio_at(table, before) < threshold) == (to == "group")


@pytest.mark.parametrize(
    "table",
    [
        pytest.param((20, 100, 200, 1000, 10, 20), id="within-the-thresholds"),
        pytest.param((50, 100, 100, 1000, 10, 20), id="no-share-would-do"),
        pytest.param((20, 100, 100, 1000, 0, 20), id="no-unknown-identified"),
        pytest.param((5, 100, 0, 1000, 0, 20), id="infinite"),
    ],
)
def test_where_there_is_nothing_to_tip(table):
    row = _one(*table)
    assert np.isnan(row["tipping_share"])
    assert (row["tipping_to"], row["status"]) == ("", "")


def test_thresholds_are_arguments():
    table = (14, 100, 100, 1000, 20, 50)
    assert _one(*table, high=1.5)["tipping_to"] == ""
    assert _one(*table, high=1.3)["tipping_to"] == "comparator"
    for low, high in ((0.8, 1.0), (1.2, 1.25), (0, 1.25)):
        with pytest.raises(MeasureError, match="thresholds"):
            _one(*table, low=low, high=high)


@pytest.mark.parametrize(
    ("table", "ratios", "status"),
    [
        pytest.param((0, 10, 0, 90, 0, 9), [math.nan] * 4, "both risks are zero", id="nobody-identified"),
        pytest.param((0, 10, 0, 90, 3, 9), [math.nan, 0, math.inf, 1], "both risks are zero", id="only-unknown"),
        pytest.param((3, 10, 0, 90, 0, 9), [math.inf] * 4, "", id="nobody-in-comparator"),
        pytest.param((0, 0, 5, 90, 3, 9), [math.nan] * 4, "no pupils", id="no-group"),
        pytest.param((1, 9, 0, 0, 3, 9), [math.nan] * 4, "comparator has nobody", id="no-comparator"),
        pytest.param((1, 9, 5, 90, 10, 9), [math.nan] * 4, "count above total", id="unknown-above-total"),
        pytest.param((1, 9, 5, 90, None, 9), [math.nan] * 4, "missing", id="unknown-missing"),
        pytest.param((-1, 9, 5, 90, 3, 9), [math.nan] * 4, "negative", id="negative"),
    ],
)
def test_bounds_at_their_edges_leave_other_rows_alone(table, ratios, status):
    answer = missing_group_bounds(*([a, b] for a, b in zip(table, (20, 100, 150, 1000, 20, 50), strict=True)))
    assert answer.loc[0, RATIOS].tolist() == pytest.approx(ratios, nan_ok=True)
    assert answer["status"].tolist() == [status, ""]
    assert answer.loc[1, "upper"] == pytest.approx((40 / 120) / (150 / 1030))
