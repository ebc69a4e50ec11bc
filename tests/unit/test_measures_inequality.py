"""Slope and relative index, and quantiles, against independent fits, a peer and the edges."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import WLS

from jsna.errors import MeasureError
from jsna.measures import quantile, slope_index

Z = 1.959963984540054
FIFTHS = pd.DataFrame({"x": [310, 260, 240, 190, 150], "n": [1500, 1400, 1600, 1300, 1250], "q": [1, 2, 3, 4, 5]})
SLOPE = ["estimate", "lower", "upper"]
RELATIVE = ["relative_index", "relative_index_lower", "relative_index_upper"]


def _fitted(risks, n) -> tuple[float, float]:
    """The two ends of a line fitted by another library."""
    share = np.asarray(n) / np.sum(n)
    middle = np.cumsum(share) - share / 2
    start, slope = WLS(risks, np.column_stack([np.ones_like(middle), middle]), weights=share).fit().params
    return start, start + slope


def _by_other_means(x, n):
    """Slope and log relative index by the peer's fit, their errors by differences of refitted lines."""
    x, n = np.asarray(x, float), np.asarray(n, float)
    risks, variance = x / n, x / n * (1 - x / n) / n

    def both(r):
        first, last = _fitted(r, n)
        return np.array([last - first, math.log(last / first)])

    step = 1e-6
    gradient = np.array([(both(risks + step * e) - both(risks - step * e)) / (2 * step) for e in np.eye(len(x))])
    return both(risks), np.sqrt((gradient**2 * variance[:, None]).sum(axis=0))


def test_slope_and_relative_index_are_those_of_another_fit():
    row = slope_index(FIFTHS["x"], FIFTHS["n"], FIFTHS["q"]).iloc[0]
    (slope, log_ratio), (error, log_error) = _by_other_means(FIFTHS["x"], FIFTHS["n"])
    assert row[SLOPE].tolist() == pytest.approx([slope, slope - Z * error, slope + Z * error], rel=1e-7)
    ends = np.exp([log_ratio, log_ratio - Z * log_error, log_ratio + Z * log_error])
    assert row[RELATIVE].tolist() == pytest.approx(ends.tolist(), rel=1e-7)
    assert row["status"] == ""


def test_limits_are_those_that_simulation_gives():
    random, row = np.random.default_rng(20250101), slope_index(FIFTHS["x"], FIFTHS["n"], FIFTHS["q"]).iloc[0]
    n = np.tile(FIFTHS["n"], 4000)
    drawn = random.binomial(n, np.tile(FIFTHS["x"] / FIFTHS["n"], 4000))
    again = slope_index(drawn, n, np.tile(FIFTHS["q"], 4000), by=np.repeat(np.arange(4000), 5))
    assert (row["upper"] - row["lower"]) / (2 * Z) == pytest.approx(again["estimate"].std(), rel=0.04)
    width = math.log(row["relative_index_upper"] / row["relative_index_lower"]) / (2 * Z)
    assert width == pytest.approx(np.log(again["relative_index"]).std(), rel=0.04)


def test_groups_are_answered_together_as_they_are_alone():
    both = pd.concat([FIFTHS.assign(g="a"), FIFTHS.assign(g="b", x=FIFTHS["x"][::-1].to_numpy())])
    answer = slope_index(both["x"], both["n"], both["q"], by=both["g"])
    assert answer.index.tolist() == ["a", "b"]
    alone = slope_index(FIFTHS["x"], FIFTHS["n"], FIFTHS["q"]).iloc[0]
    pd.testing.assert_series_equal(answer.loc["a"], alone, check_names=False)
    assert answer.loc["b", "estimate"] > 0 > answer.loc["a", "estimate"]


@pytest.mark.parametrize(
    ("x", "n", "q", "status"),
    [
        pytest.param([3, 0, 2], [9, 0, 9], [1, 2, 3], "a quantile is empty", id="empty"),
        pytest.param([3, 2], [9, 9], [1, 3], "a quantile is empty", id="absent"),
        pytest.param([3], [9], [1], "fewer than two quantiles", id="one"),
        pytest.param([0, 0], [0, 0], [1, 2], "no pupils", id="nobody"),
        pytest.param([3, None], [9, 9], [1, 2], "missing", id="missing"),
        pytest.param([3, 2], [9, 9], [1, None], "missing", id="quantile-missing"),
        pytest.param([3, 2], [9, 9], [1, 0], "not a quantile", id="quantile-0"),
        pytest.param([3, 2, 2], [9, 9, 9], [1, 2, 1.5], "not a quantile", id="quantile-half"),
        pytest.param([3, 10], [9, 9], [1, 2], "count above total", id="above-total"),
        pytest.param([], [], [], "no pupils", id="no-rows"),
    ],
)
def test_a_slope_that_cannot_be_calculated_says_why(x, n, q, status):
    answer = slope_index(x, n, q)
    assert answer["status"].tolist() == [status]
    assert answer[SLOPE + RELATIVE].isna().all(axis=None)


def test_a_missing_last_quantile_is_seen_when_their_number_is_given():
    assert slope_index([3, 2], [9, 9], [1, 2], k=3)["status"].tolist() == ["a quantile is empty"]


def test_a_bad_row_fails_its_own_group():
    answer = slope_index([3, 2, 3, 12], [9, 9, 9, 9], [1, 2, 1, 2], by=["a", "a", "b", "b"])
    assert answer["status"].tolist() == ["", "count above total"]
    assert np.isfinite(answer.loc["a", "estimate"])


@pytest.mark.parametrize(("x", "slope"), [([0, 0, 0], 0.0), ([9, 9, 9], 0.0)])
def test_where_nothing_varies_there_are_no_limits_of_no_width(x, slope):
    row = slope_index(x, [9, 9, 9], [1, 2, 3]).iloc[0]
    assert row["estimate"] == pytest.approx(slope, abs=1e-15)
    assert row[["lower", "upper", "relative_index_lower"]].isna().all()
    assert row["status"] == "nothing varies"


def test_a_line_that_reaches_0_has_a_slope_and_no_relative_index():
    row = slope_index([50, 20, 1], [100, 100, 100], [1, 2, 3]).iloc[0]
    assert row["status"] == "fitted line reaches zero"
    assert row[RELATIVE].isna().all()
    assert row["lower"] < row["estimate"] < row["upper"] < 0


@pytest.mark.parametrize("k", [0, 101, 2.5])
def test_a_rank_taken_for_a_quantile_is_refused(k):
    with pytest.raises(MeasureError, match="quantiles"):
        slope_index([3, 2], [9, 9], [1, 2], k=k)
    if k > 100:
        with pytest.raises(MeasureError, match="quantiles"):
            slope_index([3, 2], [9, 9], [1, k])


def test_quantiles_are_those_of_a_peer():
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    # PHStatsMethods 0.1.16, ph_quantile(nquantiles=5), inverted and not.
    assert quantile(values, 5)["estimate"].tolist() == [3, 5, 3, 5, 2, 1, 4, 1, 2, 3, 2, 1]
    assert quantile(values, 5, inverted=False)["estimate"].tolist() == [2, 1, 3, 1, 3, 5, 1, 4, 3, 2, 3, 5]


@pytest.mark.parametrize("k", [1, 3, 5, 7, 10, 100])
@pytest.mark.parametrize("rows", [100, 317, 3284, 33755])
def test_quantiles_are_the_published_formula_in_exact_arithmetic(rows, k):
    values = np.random.default_rng(rows).integers(0, 2 * rows, rows)
    rank = pd.Series(values).rank(method="min", ascending=False).astype(int)
    exact = [math.floor(Fraction(k + 1) - math.ceil((rows + 1 - r) / Fraction(rows, k))) for r in rank]
    assert quantile(values, k)["estimate"].tolist() == exact


def test_missing_scores_and_too_few_are_named_within_their_group():
    answer = quantile([1, 2, None, 4, 5], 2, by=["a", "a", "a", "b", "b"])
    assert answer["estimate"].tolist() == pytest.approx([2, 1, math.nan, 2, 1], nan_ok=True)
    assert answer["status"].tolist() == ["", "", "missing", "", ""]
    few = quantile(pd.Series([1, 2, 3], index=["x", "y", "z"]), 5)
    assert few["estimate"].isna().all()
    assert few["status"].tolist() == ["fewer values than quantiles"] * 3
    assert few.index.tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("k", [0, -5, 2.5])
def test_a_number_of_parts_that_is_none_is_refused(k):
    with pytest.raises(MeasureError, match="quantiles"):
        quantile([1, 2, 3], k)
