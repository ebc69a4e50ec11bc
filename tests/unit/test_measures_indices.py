"""The indices of regulators and of the equity literature, and the E-value."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from jsna.measures import (
    alternate_risk_ratio,
    e_value,
    index_80,
    percentage_point_gap,
    proportionality_index,
    risk_ratio,
)

LIMITS = ["estimate", "lower", "upper"]


def _one(function, *values, **named):
    return function(*([v] for v in values), **named).iloc[0]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        pytest.param((10, 30, 10, 30), "", id="at-the-minimum"),
        pytest.param((9, 30, 100, 900), "under the minimum cell or n", id="cell"),
        pytest.param((10, 29, 100, 900), "under the minimum cell or n", id="n"),
        pytest.param((0, 400, 100, 900), "under the minimum cell or n", id="none"),
        pytest.param((10, 30, 9, 900), "state comparison under the minimum cell or n", id="state-cell"),
        pytest.param((10, 29, 9, 900), "under the minimum cell or n", id="both"),
        pytest.param((11, 30, 10, 29), "state comparison under the minimum cell or n", id="state-n"),
        pytest.param((5, 4, 100, 900), "count above total", id="above-total"),
        pytest.param((10, 30, 0, 0), "comparator has nobody", id="no-state"),
    ],
)
def test_the_alternate_ratio_keeps_the_regulations_minimum(values, status):
    row = _one(alternate_risk_ratio, *values)
    assert row["status"] == status
    expected = _one(risk_ratio, *values)[LIMITS] if status == "" else [math.nan] * 3
    assert row[LIMITS].tolist() == pytest.approx(list(expected), nan_ok=True)


def test_the_minimum_is_an_argument():
    assert _one(alternate_risk_ratio, 9, 29, 9, 29, minimum_cell=9, minimum_n=29)["estimate"] == 1
    nothing = _one(alternate_risk_ratio, 0, 5, 0, 5, minimum_cell=0, minimum_n=0)
    assert nothing["status"] == "both risks are zero"


def test_the_margin_is_that_of_a_half_and_never_under_3_points():
    answer = percentage_point_gap([8, 400], [100, 2000], [170, 3000], [1000, 15000])
    assert answer["margin"].tolist() == pytest.approx([1.96 * 0.5 / 10, 0.03])
    assert answer["estimate"].tolist() == pytest.approx([-0.09, 0.0], abs=1e-15)
    assert answer.loc[0, ["lower", "upper"]].tolist() == pytest.approx([-0.188, 0.008])


def test_a_gap_stays_within_what_is_possible():
    answer = percentage_point_gap([0, 3], [3, 3], [9, 0], [9, 9])
    assert answer[LIMITS].values.tolist()[0][:2] == [-1, -1]
    assert answer[LIMITS].values.tolist()[1][2] == 1


def test_a_gap_between_nearly_equal_shares_is_exact():
    # 4,500,000/9,000,000 and 4,499,999/8,999,999 differ by 1 in 2 × 8,999,999.
    row = _one(percentage_point_gap, 4_500_000, 9_000_000, 4_499_999, 8_999_999)
    assert row["estimate"] == pytest.approx(1 / (2 * 8_999_999), rel=1e-12)


def test_proportionality_is_share_over_share_and_averages_1():
    x, n = np.array([30, 5, 135]), np.array([100, 90, 810])
    answer = proportionality_index(x, n, [170] * 3, [1000] * 3)
    assert answer["estimate"].tolist() == pytest.approx(
        [(30 / 170) / (100 / 1000), (5 / 170) / 0.09, (135 / 170) / 0.81]
    )
    assert np.average(answer["estimate"], weights=n) == pytest.approx(1)


def test_proportionality_limits_are_those_of_the_ratio_to_all_others():
    row, others = _one(proportionality_index, 30, 100, 170, 1000), _one(risk_ratio, 30, 100, 140, 900)
    expected = [r / (0.1 * r + 0.9) for r in others[LIMITS]]
    assert row[LIMITS].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "estimate", "limits", "status"),
    [
        pytest.param((10, 100, 10, 1000), 10.0, ("finite", 10.0), "", id="all-identified-are-in-it"),
        pytest.param((0, 100, 10, 1000), 0.0, (0.0, "finite"), "", id="none-are"),
        pytest.param((0, 100, 0, 1000), math.nan, (0.0, 10.0), "both risks are zero", id="nobody-identified"),
        pytest.param((5, 10, 5, 10), math.nan, (math.nan, math.nan), "comparator has nobody", id="everybody"),
        pytest.param(
            (6, 10, 5, 20), math.nan, (math.nan, math.nan), "group above the whole", id="more-than-identified"
        ),
        pytest.param((5, 30, 9, 20), math.nan, (math.nan, math.nan), "group above the whole", id="more-than-pupils"),
        pytest.param((1, 9, 9, 10), math.nan, (math.nan, math.nan), "group above the whole", id="others-impossible"),
        pytest.param((0, 0, 5, 20), math.nan, (math.nan, math.nan), "no pupils", id="nobody"),
        pytest.param((None, 9, 5, 20), math.nan, (math.nan, math.nan), "missing", id="missing"),
    ],
)
def test_proportionality_at_its_edges(values, estimate, limits, status):
    row = _one(proportionality_index, *values)
    assert row["estimate"] == pytest.approx(estimate, nan_ok=True)
    for found, wanted in zip((row["lower"], row["upper"]), limits, strict=True):
        assert (0 < found < 10) if wanted == "finite" else found == pytest.approx(wanted, nan_ok=True)
    assert row["status"] == status


def test_index_80_compares_with_the_highest_of_its_own_family():
    answer = index_80([10, 6, 4, 1, 3], [20, 20, 20, 20, 20], by=["a", "a", "b", "a", "b"])
    assert answer["estimate"].tolist() == pytest.approx([1, 0.6, 1, 0.1, 0.75])
    assert answer["status"].tolist() == ["highest risk", "", "highest risk", "", ""]
    against = _one(risk_ratio, 3, 20, 4, 20)
    assert answer.loc[4, LIMITS].tolist() == pytest.approx(against[LIMITS].tolist())
    assert answer.loc[[0, 2], ["lower", "upper"]].isna().all(axis=None)


def test_of_groups_equally_high_the_largest_is_compared_with():
    answer = index_80([1, 100, 10], [2, 200, 100])
    assert answer["status"].tolist() == ["highest risk", "highest risk", ""]
    assert answer.loc[2, "upper"] == pytest.approx(_one(risk_ratio, 10, 100, 100, 200)["upper"])


def test_rows_that_cannot_be_used_are_never_the_highest():
    answer = index_80([9, None, 0, -1, 3, 2], [5, 5, 0, 5, 10, 10])
    assert answer["status"].tolist() == ["count above total", "missing", "no pupils", "negative", "highest risk", ""]
    assert answer["estimate"].tolist() == pytest.approx([math.nan] * 4 + [1, 2 / 3], nan_ok=True)


def test_a_family_of_nobody_identified_has_no_index():
    answer = index_80([0, 0, 3], [9, 9, 9], by=["a", "a", "b"])
    assert answer["status"].tolist() == ["both risks are zero"] * 2 + ["highest risk"]
    assert answer.loc[[0, 1], LIMITS].values.tolist() == [[pytest.approx(math.nan, nan_ok=True), 0, math.inf]] * 2


def test_e_value_is_the_published_one():
    # VanderWeele and Ding 2017: maternal breastfeeding and infant death, 3.9 (1.8 to 8.7): 7.26 and 3.0;
    # leukaemia 0.80 (0.71 to 0.91): 1.8 and 1.43.
    answer = e_value([3.9, 0.80], [1.8, 0.71], [8.7, 0.91])
    assert answer[["estimate", "limit"]].round(2).values.tolist() == [[7.26, 3.0], [1.81, 1.43]]


@pytest.mark.parametrize(
    ("values", "estimate", "limit", "status"),
    [
        pytest.param((1.5, 0.9, 2.2), 1.5 + math.sqrt(0.75), 1.0, "", id="holds-1"),
        pytest.param((1, 1, 1), 1.0, 1.0, "", id="one"),
        pytest.param((0, 0, 0.5), math.inf, 2 + math.sqrt(2), "", id="zero"),
        pytest.param((math.inf, 2, math.inf), math.inf, 2 + math.sqrt(2), "", id="infinite"),
        pytest.param((1e200, 1e200, 1e200), 2e200, 2e200, "", id="huge"),
        pytest.param((None, 0, math.inf), math.nan, math.nan, "missing", id="missing"),
        pytest.param((2, None, 3), math.nan, math.nan, "missing", id="limit-missing"),
        pytest.param((-1, 0, 3), math.nan, math.nan, "negative", id="negative"),
        pytest.param((2, 3, 4), math.nan, math.nan, "estimate outside its limits", id="outside"),
    ],
)
def test_e_value_at_its_edges(values, estimate, limit, status):
    row = _one(e_value, *values)
    assert (row["estimate"], row["limit"]) == pytest.approx((estimate, limit), nan_ok=True)
    assert row["status"] == status


def test_answers_keep_the_index_of_the_input():
    index = pd.Index(["Luton", "Slough"], name="area")
    x = pd.Series([10, 12], index)
    for answer in (
        alternate_risk_ratio(x, [90, 90], [30, 30], [900, 900]),
        percentage_point_gap(x, [90, 90], [30, 30], [900, 900]),
        proportionality_index(x, [90, 90], [30, 30], [900, 900]),
        index_80(x, [90, 90]),
        e_value(x, [2, 2], [20, 20]),
    ):
        assert answer.index.equals(index)
