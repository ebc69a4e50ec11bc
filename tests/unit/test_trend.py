"""Trend tests against other programs, enumeration, the edges, and how often they err on series whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import kendalltau, theilslopes
from statsmodels.stats.proportion import proportion_confint

from jsna.errors import MeasureError
from jsna.measures import trend_test
from jsna.measures.trend import (
    BEYOND_CHANCE,
    FALLING,
    NO_COUNTS,
    NO_YEAR_BEFORE,
    NOISE,
    NOT_TESTED,
    RISING,
    TOO_FEW,
    WITHIN_CHANCE,
)

YEARS = [2018, 2019, 2020, 2021, 2022, 2023, 2024]


def test_published_series_without_ties_have_the_p_value_and_slope_of_scipy():
    random = np.random.default_rng(1)
    for points in (5, 6, 8, 11):
        years, values = np.arange(2024 - points, 2024), random.permutation(points) * 1.5
        made = trend_test(years, values).iloc[0]
        assert made["p_value"] == pytest.approx(kendalltau(years, values, method="exact").pvalue)
        assert made["slope"] == pytest.approx(theilslopes(values, years).slope)


@pytest.mark.parametrize(
    "values", [[1, 1, 2, 2, 3], [4, 1, 1, 1, 4], [2, 2, 2, 2, 5], [1, 3, 3, 2, 2], [7, 7, 7, 7, 7]]
)
def test_published_series_with_ties_have_the_p_value_of_all_orders_written_out(values):
    def balance(order) -> int:
        return sum(int(np.sign(b - a)) for a, b in itertools.combinations(order, 2))

    orders = [balance(order) for order in itertools.permutations(values)]
    expected = np.mean([abs(b) >= abs(balance(values)) for b in orders])
    assert trend_test(YEARS[:5], values).iloc[0]["p_value"] == pytest.approx(expected)


def test_five_points_are_a_trend_only_when_none_turns_back():
    found = [trend_test(YEARS[:5], list(order))["verdict"].item() for order in itertools.permutations(range(5))]
    assert found.count(RISING) == found.count(FALLING) == 1
    assert found.count(NOISE) == 118


def test_counts_have_the_slope_error_and_p_value_of_a_weighted_line_of_statsmodels():
    x, n = np.array([10, 12, 15, 16, 20, 12, 23]), np.array([100, 120, 90, 100, 300, 100, 110])
    average = x.sum() / n.sum()
    peer = sm.WLS(x / n, sm.add_constant(YEARS), weights=n / (average * (1 - average))).fit()
    made = trend_test(YEARS, numerator=x, denominator=n, per=100).iloc[0]
    assert peer.scale > 1
    assert made["overdispersion"] == pytest.approx(peer.scale)
    assert made["p_value"] == pytest.approx(peer.pvalues[1])
    assert [made["slope"], made["slope_lower"], made["slope_upper"]] == pytest.approx(
        [100 * peer.params[1], *(100 * peer.conf_int()[1])]
    )


def test_counts_agree_with_a_quasi_binomial_logistic_slope_where_shares_are_moderate():
    random = np.random.default_rng(4)
    for _ in range(20):
        n = random.integers(200, 600, 7)
        x = random.binomial(n, 1 / (1 + np.exp(-(-0.8 + 0.1 * np.arange(7) + random.normal(0, 0.15, 7)))))
        peer = sm.GLM(np.c_[x, n - x], sm.add_constant(YEARS), family=sm.families.Binomial()).fit()
        spread = max(peer.pearson_chi2 / 5, 1)
        t = peer.params[1] / (peer.bse[1] * math.sqrt(spread))
        made = trend_test(YEARS, numerator=x, denominator=n).iloc[0]
        ours = made["slope"] / ((made["slope_upper"] - made["slope"]) / 2.5705818356363146)
        assert ours == pytest.approx(t, rel=0.12, abs=0.15)


def test_rates_and_counts_have_the_p_value_of_a_weighted_line_too():
    x, n = np.array([120, 160, 130, 190, 260, 240, 300]), np.array([90, 95, 100, 100, 110, 120, 120])
    average = x.sum() / n.sum()
    peer = sm.WLS(x / n, sm.add_constant(YEARS), weights=n / average).fit()
    assert trend_test(YEARS, numerator=x, denominator=n, kind="rate")["p_value"].item() == pytest.approx(
        peer.pvalues[1]
    )
    peer = sm.WLS(x, sm.add_constant(YEARS), weights=np.full(7, 1 / x.mean())).fit()
    made = trend_test(YEARS, numerator=x, kind="count")
    assert made["p_value"].item() == pytest.approx(peer.pvalues[1])
    assert made["slope"].item() == pytest.approx(peer.params[1])


def test_years_that_vary_less_than_chance_are_not_taken_as_surer_than_chance():
    made = trend_test(YEARS, numerator=[30, 31, 32, 33, 34, 35, 36], denominator=[100] * 7).iloc[0]
    assert made["overdispersion"] < 0.01
    assert made["verdict"] == NOISE


def test_nothing_is_fitted_across_a_break_and_what_is_left_out_is_counted():
    broken = [False, False, True, False, False, False, False]
    there = trend_test(YEARS[2:], [20, 22, 25, 26, 29]).iloc[0]
    made = trend_test(YEARS, [80, 79, 20, 22, 25, 26, 29], break_before=broken).iloc[0]
    assert made["before_break"] == 2
    assert made.drop("before_break").equals(there.drop("before_break"))
    assert made["verdict"] == RISING


def test_a_break_before_the_last_year_leaves_neither_trend_nor_change():
    broken = [False] * 6 + [True]
    made = trend_test(YEARS, numerator=[10] * 7, denominator=[100] * 7, break_before=broken).iloc[0]
    assert [made["verdict"], made["points"], made["change_verdict"]] == [TOO_FEW, 1, NO_YEAR_BEFORE]
    assert math.isnan(made["change"])


def test_a_break_in_a_year_without_a_figure_still_breaks():
    made = trend_test(YEARS, [1, 2, None, 3, 4, 5, 6], break_before=[False, False, True, *[False] * 4]).iloc[0]
    assert [made["points"], made["first_year"], made["verdict"]] == [4, 2021, TOO_FEW]


@pytest.mark.parametrize(("points", "verdict"), [(0, TOO_FEW), (1, TOO_FEW), (4, TOO_FEW), (5, RISING)])
def test_under_five_points_nothing_is_tested(points, verdict):
    figures = [10.0 * k for k in range(points)] + [None] * (7 - points)
    counts = [None if f is None else int(f) + 1 for f in figures]
    for made in (trend_test(YEARS, figures), trend_test(YEARS, numerator=counts, denominator=[900] * 7)):
        assert made["verdict"].item() == verdict
        assert made["points"].item() == points
        assert math.isnan(made["p_value"].item()) == (verdict == TOO_FEW)


def test_the_change_on_the_year_before_has_newcombes_interval():
    """30.7% to 19.9% may be chance or not: it depends on how many children were counted."""
    for pupils, verdict in ((50, WITHIN_CHANCE), (400, BEYOND_CHANCE)):
        x0, x1 = round(0.307 * pupils), round(0.199 * pupils)
        made = trend_test([2024, 2025], numerator=[x0, x1], denominator=[pupils, pupils], per=100).iloc[0]
        (l0, u0), (l1, u1) = (proportion_confint(x, pupils, method="wilson") for x in (x0, x1))
        p0, p1 = x0 / pupils, x1 / pupils
        lower = p1 - p0 - math.hypot(p1 - l1, u0 - p0)
        upper = p1 - p0 + math.hypot(u1 - p1, p0 - l0)
        assert [made["change_lower"], made["change_upper"]] == pytest.approx([100 * lower, 100 * upper])
        assert made["change_verdict"] == verdict


def test_a_change_over_a_gap_of_years_is_none():
    made = trend_test([2020, 2021, 2023], numerator=[1, 2, 3], denominator=[10] * 3).iloc[0]
    assert made["change_verdict"] == NO_YEAR_BEFORE


def test_a_published_change_is_shown_and_never_tested():
    made = trend_test([2023, 2024], [32.1, 27.1]).iloc[0]
    assert made["change"] == pytest.approx(-5)
    assert math.isnan(made["change_lower"])
    assert made["change_verdict"] == NO_COUNTS


def test_a_series_of_zeros_is_no_trend_and_says_why():
    made = trend_test(YEARS, numerator=[0] * 7, denominator=[100] * 7).iloc[0]
    assert [made["verdict"], made["p_value"], made["slope"], made["status"]] == [NOISE, 1, 0, "nothing varies"]


def test_a_year_with_nobody_is_no_point_and_a_faulty_count_stops_its_series_alone():
    x, n = [1, 2, 3, 4, 5, 0, 7], [50, 50, 50, 50, 50, 0, 50]
    assert trend_test(YEARS, numerator=x, denominator=n)["points"].item() == 6
    both = trend_test(YEARS * 2, numerator=[*x, *x], denominator=[*n, *n[:6], 5], by=["good"] * 7 + ["bad"] * 7)
    assert both.loc["bad", ["verdict", "status"]].tolist() == [NOT_TESTED, "count above total"]
    assert both.loc["good", "verdict"] in (NOISE, RISING)


def test_many_series_at_once_are_each_what_they_are_alone():
    random = np.random.default_rng(2)
    series = pd.DataFrame({"year": np.tile(YEARS, 30), "by": np.repeat(np.arange(30), 7), "n": 80})
    series["x"] = random.binomial(80, 0.3, len(series))
    series["broken"] = random.random(len(series)) < 0.1
    shuffled = series.sample(frac=1, random_state=1)
    every = trend_test(
        shuffled["year"],
        numerator=shuffled["x"],
        denominator=shuffled["n"],
        break_before=shuffled["broken"],
        by=shuffled["by"],
    ).sort_index()
    for name, own in series.groupby("by"):
        alone = trend_test(own["year"], numerator=own["x"], denominator=own["n"], break_before=own["broken"]).iloc[0]
        pd.testing.assert_series_equal(every.loc[name], alone, check_names=False)


@pytest.mark.parametrize(
    "call",
    [
        lambda: trend_test(YEARS),
        lambda: trend_test(YEARS, [1] * 7, numerator=[1] * 7),
        lambda: trend_test(YEARS, numerator=[1] * 7),
        lambda: trend_test(YEARS, numerator=[1] * 7, denominator=[2] * 7, kind="count"),
        lambda: trend_test(YEARS, numerator=[1] * 7, denominator=[2] * 7, kind="mean"),
        lambda: trend_test([2020, 2020], [1, 2]),
        lambda: trend_test([2020.5], [1]),
        lambda: trend_test([None], [1]),
        lambda: trend_test([2020, 2021], [1, 2], break_before=[True, None]),
        lambda: trend_test([2020, 2021], ["c", 2]),
    ],
)
def test_what_cannot_be_meant_is_refused(call):
    with pytest.raises(MeasureError):
        call()


def _called(shares: np.ndarray, pupils: int, random: np.random.Generator) -> tuple[float, float]:
    """How many of 100 series are called rising or falling, by their counts and as published."""
    series, years = shares.shape
    x = random.binomial(pupils, shares)
    at, by = np.tile(np.arange(years), series), np.repeat(np.arange(series), years)
    counts = trend_test(at, numerator=x.ravel(), denominator=np.full(x.size, pupils), by=by)
    published = trend_test(at, (100 * x / pupils).round(1).ravel(), by=by)
    clear = [RISING, FALLING]
    return tuple(100 * made["verdict"].isin(clear).mean() for made in (counts, published))


@pytest.mark.parametrize("years", [5, 7, 10])
@pytest.mark.parametrize("spread", [0.0, 0.2, 0.5])
def test_of_steady_series_no_more_than_five_in_a_hundred_are_called_trends(years, spread):
    random = np.random.default_rng(9)
    shares = 1 / (1 + np.exp(0.85 - spread * random.normal(size=(4000, years))))
    assert max(_called(shares, 300, random)) < 6  # 5, and two and a half standard errors of 4,000 series


def test_a_clear_trend_of_seven_years_is_found():
    random = np.random.default_rng(9)
    shares = 1 / (1 + np.exp(0.85 - 0.3 * np.arange(7) - 0.2 * random.normal(size=(1000, 7))))
    counts, published = _called(shares, 300, random)
    assert counts > 95
    assert published > 90
