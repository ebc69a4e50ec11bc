"""Gaps between pupils with and without SEN: by hand, against statsmodels, and at the edges."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from jsna.errors import MeasureError
from jsna.evidence.gaps_between import (
    NO_COUNTS,
    NO_SPREAD,
    REPEATS,
    against,
    change_by_chance,
    gaps,
    median_gaps,
)

HIGHER = SimpleNamespace(id="ATT-05", direction="higher", kind="proportion", interval="wilson", per=100)
LOWER = SimpleNamespace(id="ATD-02", direction="lower", kind="proportion", interval="wilson", per=100)
MEAN = SimpleNamespace(id="ATT-06", direction="higher", kind="mean", interval="none", per=1)
EVENTS = SimpleNamespace(id="ATD-04", direction="lower", kind="event_rate", interval="overdispersed", per=100)
NEUTRAL = SimpleNamespace(id="SOC-01", direction="neutral", kind="proportion", interval="wilson", per=100)


def row(group, value=None, count=None, total=None, area="A", year=2023):
    value = 100 * count / total if value is None and total else value
    way = "counts" if total else "published"
    return {
        "indicator": "ATT-05",
        "group": group,
        "area_code": area,
        "area_name": area,
        "area_level": "local_authority",
        "period": f"{year - 1}/{year % 100}",
        "year": year,
        "value": np.nan if value is None else value,
        "numerator": np.nan if count is None else count,
        "denominator": np.nan if total is None else total,
        "way": way,
        "source": "A file",
    }


def frame(*rows):
    return pd.DataFrame(list(rows))


def test_a_gap_is_the_reference_less_the_group_where_higher_is_better():
    # Luton, reading, writing and maths in 2022/23: 1,823 of 2,602; 103 of 495.
    found = gaps(frame(row("no_sen", None, 1823, 2602), row("sen_support", None, 103, 495)), HIGHER).iloc[0]
    assert found["gap"] == pytest.approx(100 * (1823 / 2602 - 103 / 495))
    low, high = confint_proportions_2indep(1823, 2602, 103, 495, method="newcomb", compare="diff")
    assert (found["lower"], found["upper"]) == pytest.approx((100 * low, 100 * high), abs=0.01)
    assert (found["reference_value"], found["why"]) == (pytest.approx(70.0615, abs=1e-3), "")


def test_a_gap_is_turned_round_where_lower_is_better():
    rows = frame(row("no_sen", None, 200, 1000), row("ehc_plan", None, 45, 100))
    assert gaps(rows, LOWER)["gap"].item() == pytest.approx(25)
    assert gaps(rows, HIGHER)["gap"].item() == pytest.approx(-25)
    low, high = confint_proportions_2indep(45, 100, 200, 1000, method="newcomb", compare="diff")
    assert gaps(rows, LOWER)[["lower", "upper"]].to_numpy().ravel() == pytest.approx([100 * low, 100 * high], abs=0.01)


@pytest.mark.parametrize(
    ("indicator", "rows", "why"),
    [
        (HIGHER, [row("no_sen", 75.0), row("sen_support", 35.0)], NO_COUNTS),
        (HIGHER, [row("no_sen", None, 60, 80), row("sen_support", 35.0)], NO_COUNTS),
        (MEAN, [row("no_sen", 48.2), row("sen_support", 32.5)], NO_SPREAD),
        (EVENTS, [row("no_sen", None, 30, 900), row("sen_support", None, 40, 100)], REPEATS),
        (EVENTS, [row("no_sen", 3.0), row("sen_support", 9.0)], NO_COUNTS),
    ],
    ids=["published", "one side published", "mean", "events from counts", "events published"],
)
def test_without_counts_a_gap_has_no_interval_and_says_why(indicator, rows, why):
    found = gaps(frame(*rows), indicator).iloc[0]
    assert math.isnan(found["lower"])
    assert math.isnan(found["upper"])
    assert found["why"] == why
    assert found["gap"] == pytest.approx(abs(found["reference_value"] - found["value"]))


@pytest.mark.parametrize(
    "rows",
    [
        [row("sen_support", None, 5, 20)],
        [row("no_sen", None, 5, 20), row("sen_support", None, 5, 20, area="B")],
        [row("no_sen", None, 5, 20, year=2022), row("sen_support", None, 5, 20)],
        [row("no_sen"), row("sen_support", None, 5, 20)],
        [row("no_sen", None, 5, 20), row("sen_support")],
    ],
    ids=["no reference", "another area", "another year", "reference hidden", "group hidden"],
)
def test_no_gap_across_areas_or_years_or_with_a_missing_side(rows):
    assert gaps(frame(*rows), HIGHER).empty


@pytest.mark.parametrize("counts", [(0, 10, 0, 10), (10, 10, 0, 10), (0, 1, 1, 1), (80, 80, 1, 83)])
def test_the_interval_is_defined_at_the_edges_and_holds_the_gap(counts):
    x, n, y, m = counts
    found = gaps(frame(row("no_sen", None, x, n), row("ehc_plan", None, y, m)), HIGHER).iloc[0]
    assert -100 <= found["lower"] <= found["gap"] <= found["upper"] <= 100


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_the_order_of_rows_does_not_matter_and_the_interval_turns_with_the_direction(data):
    n, m = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 400))
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    rows = frame(row("no_sen", None, x, n), row("ehc_plan", None, y, m))
    up, again = gaps(rows, HIGHER).iloc[0], gaps(rows.iloc[::-1], HIGHER).iloc[0]
    pd.testing.assert_series_equal(up, again, check_names=False)
    down = gaps(rows, LOWER).iloc[0]
    assert down[["gap", "lower", "upper"]].to_list() == pytest.approx([-up["gap"], -up["upper"], -up["lower"]])


def test_a_neutral_indicator_has_no_gap():
    with pytest.raises(MeasureError, match="which way is better"):
        gaps(frame(row("no_sen", 50.0)), NEUTRAL)


def test_two_references_in_one_area_and_year_are_refused():
    with pytest.raises(pd.errors.MergeError):
        gaps(frame(row("no_sen", 50.0), row("no_sen", 51.0), row("ehc_plan", 9.0)), HIGHER)


def test_the_median_is_of_the_gaps_and_counts_the_areas_that_have_one():
    rows = [
        r
        for area, a, b in (("A", 80, 20), ("B", 70, 40), ("C", 90, 10))
        for r in (row("no_sen", float(a), area=area), row("sen_support", float(b), area=area))
    ]
    rows.append(row("no_sen", 60.0, area="D"))
    found = median_gaps(gaps(frame(*rows), HIGHER), ("A", "B", "C", "D"))
    assert found[["gap", "areas"]].to_numpy().tolist() == [[60.0, 3]]
    assert median_gaps(gaps(frame(*rows), HIGHER), ("D",)).empty


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        ((40, 35, 45), (50, 49, 51), "narrower"),
        ((60, 55, 65), (50, 49, 51), "wider"),
        ((46, 41, 51), (50, 49, 51), "no clear difference"),
        ((40, 35, 45), (45.02, 44.5, 45.6), "no clear difference"),  # outside the area's interval, not clearly so
        ((40, math.nan, math.nan), (50, 49, 51), "not tested"),
        ((40, 35, 45), (50, math.nan, math.nan), "not tested"),
    ],
)
def test_a_gap_beside_another(own, other, said):
    names = ["gap", "lower", "upper"]
    assert against(pd.Series(own, names, dtype=float), pd.Series(other, names, dtype=float)) == said


@pytest.mark.parametrize(("first", "last", "cohort"), [(30.7, 19.9, 360), (24, 35, 495), (6, 10, 131)])
def test_95_of_100_changes_by_chance_are_smaller(first, last, cohort):
    share, limit = (first + last) / 200, change_by_chance(first, last, cohort)
    counts = np.arange(cohort + 1)
    chance = binom.pmf(counts, cohort, share)
    apart = 100 * np.abs(counts[:, None] - counts) / cohort
    within = (chance[:, None] * chance)[apart < limit].sum()
    assert 0.93 < within < 0.97


@pytest.mark.parametrize(("first", "last", "cohort"), [(3.5, 0.7, 83), (0, 0, 500), (100, 100, 500), (50, 50, 0)])
def test_no_scale_of_chance_where_too_few_are_expected(first, last, cohort):
    assert math.isnan(change_by_chance(first, last, cohort))
