"""Funnel limits and overdispersion against published figures, another implementation and the edges."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm
from scipy.stats.mstats import winsorize

from jsna.errors import MeasureError
from jsna.measures import funnel_limits, overdispersion, proportion

COLUMNS = ["lower_95", "upper_95", "lower_99_8", "upper_99_8"]

# PHEindicatormethods, tests/testthat/testdata_funnel_prop_outputs.csv (of the APHO funnel tool), average 80.642448%.
PUBLISHED = {
    102: [72.974925, 88.309971, 68.553233, 92.731663],
    1242: [78.445123, 82.839773, 77.177973, 84.106923],
    110000: [80.408963, 80.875933, 80.274317, 81.010578],
}


def test_limits_are_the_published_ones():
    answer = 100 * funnel_limits(list(PUBLISHED), 0.80642448)[COLUMNS]
    np.testing.assert_allclose(answer, list(PUBLISHED.values()), atol=1e-6)


@pytest.mark.parametrize("average", [0.0005, 0.01, 0.17, 0.6, 0.98, 0.9999])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.998])
def test_small_areas_have_exact_percentiles(average, level):
    n = np.concatenate([np.arange(1, 700), [5_000, 9_999, 90_000, 9_000_000]])
    n = n[n * min(average, 1 - average) < 10]
    answer = funnel_limits(n, average, (level,))
    lower, upper = (binom.ppf(tail, n, average) / n for tail in ((1 - level) / 2, (1 + level) / 2))
    # Of a handful of pupils a percentile can lie beyond the average: a funnel never crosses its own middle.
    np.testing.assert_allclose(answer.iloc[:, 1], np.minimum(lower, average), rtol=1e-12)
    np.testing.assert_allclose(answer.iloc[:, 2], np.maximum(upper, average), rtol=1e-12)


def test_the_change_to_exact_limits_is_at_10_expected():
    answer = funnel_limits([50, 49], 0.2)
    half = 1.959963984540054 * math.sqrt(0.16 / 50)
    assert answer.loc[0, "upper_95"] == pytest.approx(0.2 + half)
    assert answer.loc[1, "upper_95"] == binom.ppf(0.975, 49, 0.2) / 49


def test_an_area_is_outside_when_its_wilson_interval_leaves_the_average_out():
    n, average = 400, 0.17
    x = np.arange(n + 1)
    limits, wilson = funnel_limits([n], average).iloc[0], proportion(x, np.full(n + 1, n))
    outside = (x / n < limits["lower_95"]) | (x / n > limits["upper_95"])
    assert (outside == ((wilson["lower"] > average) | (wilson["upper"] < average))).all()


def test_overdispersion_widens_by_its_root_and_never_narrows():
    plain, wide = funnel_limits([400, 20], 0.2).iloc[:, 1:-1], funnel_limits([400, 20], 0.2, overdispersion=4)
    expected = np.clip(0.2 + 2 * (plain - 0.2), 0, 1)
    pd.testing.assert_frame_equal(wide.iloc[:, 1:-1], expected)
    pd.testing.assert_frame_equal(funnel_limits([400, 20], 0.2, overdispersion=0.5).iloc[:, 1:-1], plain)


def test_limits_are_cut_at_0_and_1():
    answer = funnel_limits([60, 60], [0.2, 0.8], overdispersion=100)
    assert answer["lower_95"].tolist() == [0, 0]
    assert answer["upper_95"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("total", "average", "status"),
    [
        (0, 0.2, "no pupils"),
        (None, 0.2, "missing"),
        (-1, 0.2, "negative"),
        (1.5, 0.2, "not a whole number"),
        (math.inf, 0.2, "not a whole number"),
        (9, None, "missing"),
        (9, 1.2, "not between 0 and 1"),
        (9, -0.1, "not between 0 and 1"),
        (9, 0, "nothing varies"),
        (9, 1, "nothing varies"),
    ],
)
def test_a_funnel_that_cannot_be_drawn_says_why(total, average, status):
    answer = funnel_limits([total, 400], [average, 0.2])
    assert answer["status"].tolist() == [status, ""]
    assert answer.loc[0, COLUMNS].isna().all()
    assert answer.loc[1, COLUMNS].notna().all()
    if total == 9:
        assert funnel_limits([9], average)["status"].tolist() == [status]


def test_levels_name_their_columns_and_the_index_is_kept():
    answer = funnel_limits(pd.Series([400], index=["Luton"]), 0.2, levels=(0.9, 0.9999))
    assert answer.columns.tolist() == ["estimate", "lower_90", "upper_90", "lower_99_99", "upper_99_99", "status"]
    assert answer.index.tolist() == ["Luton"]


def test_phi_is_that_of_another_winsorising():
    random = np.random.default_rng(5)
    n = random.integers(50, 900, 101)
    x = random.binomial(n, np.clip(random.normal(0.17, 0.05, 101), 0.01, 0.9))
    z = (x / n - 0.17) / np.sqrt(0.17 * 0.83 / n)
    # Of 101 areas the percentiles at a tenth are the 11th from either end, which is where scipy's cut falls too.
    assert overdispersion(x, n, 0.17) == pytest.approx(np.mean(winsorize(z, (0.1, 0.1)) ** 2), rel=1e-12)
    assert overdispersion(x, n, 0.17, winsorise=0) == pytest.approx(np.mean(z**2), rel=1e-12)


def test_phi_by_chance_is_under_1_and_an_outlier_hardly_moves_it():
    random = np.random.default_rng(6)
    n = random.integers(200, 900, 2000)
    x = random.binomial(n, 0.17)
    # Squares of normal draws brought in to c at a tenth have the mean 0.8 − 2cφ(c) + 0.2c².
    c = norm.ppf(0.9)
    by_chance = 0.8 - 2 * c * norm.pdf(c) + 0.2 * c**2
    assert overdispersion(x, n, 0.17) == pytest.approx(by_chance, abs=0.05)
    assert overdispersion(x, n, 0.17, winsorise=0) == pytest.approx(1, abs=0.1)
    x[0] = n[0]
    assert overdispersion(x, n, 0.17) == pytest.approx(by_chance, abs=0.05)
    assert overdispersion(x, n, 0.17, winsorise=0) > 1.4


def test_areas_that_cannot_be_used_are_left_out_of_phi():
    whole = overdispersion([10, 30, 25], [100, 100, 100], 0.2)
    assert overdispersion([10, 30, 25, 9, None], [100, 100, 100, 0, 5], 0.2) == whole


@pytest.mark.parametrize(
    ("x", "n", "average"), [([0], [0], 0.2), ([], [], 0.2), ([3], [9], 0), ([3], [9], 1), ([3], [9], None)]
)
def test_no_phi_from_nothing_and_no_limits_from_that(x, n, average):
    phi = overdispersion(x, n, average)
    assert math.isnan(phi)
    assert funnel_limits([9], 0.2, overdispersion=phi)["status"].tolist() == ["missing"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: funnel_limits([9], 0.2, overdispersion=-1),
        lambda: funnel_limits([9], 0.2, levels=(95,)),
        lambda: funnel_limits([9, 9], [0.2]),
        lambda: overdispersion([3], [9], 0.2, winsorise=0.5),
    ],
    ids=["phi", "level", "length", "winsorise"],
)
def test_a_callers_mistake_is_a_workbench_error(call):
    with pytest.raises(MeasureError):
        call()
