"""Funnel limits of events against exact percentiles, the formula by hand, and the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson
from scipy.stats.mstats import winsorize

from jsna.errors import MeasureError
from jsna.measures.rate_funnel import rate_funnel_limits, rate_overdispersion

Z = 1.959963984540054


def test_many_events_have_the_normal_limits_and_few_the_exact_ones():
    made = rate_funnel_limits([50, 49], 0.2)
    assert made["upper_95"].tolist() == pytest.approx([0.2 + Z * math.sqrt(0.2 / 50), poisson.ppf(0.975, 9.8) / 49])
    assert made["lower_95"].tolist() == pytest.approx([0.2 - Z * math.sqrt(0.2 / 50), poisson.ppf(0.025, 9.8) / 49])


def test_overdispersion_widens_by_its_root_and_never_narrows():
    plain, wide, narrow = (rate_funnel_limits([400], 0.25, overdispersion=phi).iloc[0] for phi in (None, 4, 0.5))
    assert wide["upper_95"] - 0.25 == pytest.approx(2 * (plain["upper_95"] - 0.25))
    assert narrow.equals(plain)


def test_overdispersion_is_the_mean_of_winsorised_squares():
    random = np.random.default_rng(1)
    n = random.integers(100, 900, 50)
    x = random.poisson(0.3 * n)
    z = (x / n - 0.3) / np.sqrt(0.3 / n)
    # scipy cuts the five smallest and largest to their neighbours, where ours goes by percentiles: near, not equal
    assert rate_overdispersion(x, n, 0.3) == pytest.approx(np.mean(winsorize(z, (0.1, 0.1)) ** 2), rel=0.05)
    assert rate_overdispersion(x, n, 0.3, winsorise=0) == pytest.approx(np.mean(z**2))


def test_an_area_without_exposure_has_no_limits_and_is_not_counted():
    made = rate_funnel_limits([None, 0, -1, 400], 0.25)
    assert made["status"].tolist() == ["missing", "no exposure", "no exposure", ""]
    assert made.loc[:2, "upper_95"].isna().all()
    assert rate_overdispersion([10, 5, None], [100, 0, 3], 0.1) == 0
    assert math.isnan(rate_overdispersion([0], [0], 0.1))
    assert math.isnan(rate_overdispersion([0], [10], 0))


def test_where_nothing_happens_nothing_varies():
    assert rate_funnel_limits([10], 0)["status"].item() == "nothing varies"


@pytest.mark.parametrize(
    "call",
    [
        lambda: rate_funnel_limits([10], -0.1),
        lambda: rate_funnel_limits([10], 0.1, overdispersion=-1),
        lambda: rate_funnel_limits([10], 0.1, levels=(95,)),
        lambda: rate_overdispersion([1], [10], 0.1, winsorise=0.5),
    ],
)
def test_what_cannot_be_meant_is_refused(call):
    with pytest.raises(MeasureError):
        call()
