"""Partial pooling: against posteriors integrated one at a time, planted spreads, and counts at the edges."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from jsna.disproportionality import Prior, learn_prior, pooled
from jsna.disproportionality.pooled import q_values
from jsna.errors import MeasureError

pytestmark = pytest.mark.filterwarnings("error")

WEIGHTS = np.array([0.35, 0.25, 0.2, 0.15, 0.05])
FIXED = Prior(concentration=tuple(1e8 * WEIGHTS))
SPREADS = np.array(Prior().spreads)


def _posterior(count, expected, design, weights=WEIGHTS):
    """Mean log ratio, limits and false sign rate by adaptive quadrature of the density itself."""
    x, e = count / design, expected / design
    peak = np.log(max(x, 0.3) / e)
    top = x * peak - e * np.exp(peak)

    def density(t):
        prior = np.sum(weights / SPREADS * np.exp(-0.5 * (t / SPREADS) ** 2))
        return prior * np.exp(x * t - e * np.exp(t) - top)

    # Pieces, so that no narrow peak of the prior or the likelihood is missed.
    width = 1 / np.sqrt(max(x, 0.5))
    ends = np.unique(np.clip([-6, -2, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 2, 6, *(peak + width * np.r_[-6:7])], -6, 6))
    masses = np.array([quad(density, a, b, epsabs=0)[0] for a, b in pairwise(ends)])
    whole = masses.sum()
    mean = sum(quad(lambda t: t * density(t), a, b)[0] for a, b in pairwise(ends)) / whole

    def below(t):
        piece = np.searchsorted(ends, t, side="right") - 1
        return (masses[:piece].sum() + quad(density, ends[piece], t, epsabs=0)[0]) / whole

    limits = [brentq(lambda t, s=share: below(t) - s, -5.999, 5.999, xtol=1e-7) for share in (0.025, 0.975)]
    return mean, *limits, min(below(0.0), 1 - below(0.0))


@pytest.mark.parametrize(
    ("count", "expected", "design"),
    [
        pytest.param(30, 15, 1, id="double"),
        pytest.param(4, 11, 1, id="few"),
        pytest.param(0, 3, 1, id="nobody"),
        pytest.param(0, 25, 2.5, id="nobody-of-many"),
        pytest.param(1, 0.2, 1, id="one-of-a-fifth"),
        pytest.param(130, 100, 3, id="design-effect"),
        pytest.param(2600, 2000, 4, id="large"),
        pytest.param(2000, 1990, 1, id="hardly-different"),
        pytest.param(40_000, 30_000, 1, id="very-large"),
    ],
)
def test_with_known_weights_a_group_has_the_posterior_of_its_own_count(count, expected, design):
    mean, lower, upper, false_sign = _posterior(count, expected, design)
    row = pooled([count], [expected], design, prior=FIXED).table.iloc[0]
    assert np.log(row["estimate"]) == pytest.approx(mean, abs=1e-3)
    assert np.log(row["lower"]) == pytest.approx(lower, abs=1e-3)
    assert np.log(row["upper"]) == pytest.approx(upper, abs=1e-3)
    assert row["false_sign_rate"] == pytest.approx(false_sign, abs=1e-3)
    assert row["probability_above"] in (
        pytest.approx(row["false_sign_rate"]),
        pytest.approx(1 - row["false_sign_rate"]),
    )
    assert row["status"] == ""


def test_the_confidence_sets_the_tails():
    wide = pooled([30], [15], prior=FIXED, confidence=0.998).table.iloc[0]
    narrow = pooled([30], [15], prior=FIXED, confidence=0.8).table.iloc[0]
    assert wide["lower"] < narrow["lower"] < narrow["estimate"] < narrow["upper"] < wide["upper"]
    assert wide["estimate"] == narrow["estimate"]


def test_of_a_single_row_uncertain_weights_count_as_their_mean():
    """With one row the data cannot speak to the weights twice: integrating over them gives their mean."""
    default = Prior()
    mean, lower, upper, _ = _posterior(60, 30, 1, np.array(default.weights))
    row = pooled([60], [30]).table.iloc[0]
    found = np.log(row[["estimate", "lower", "upper"]].astype(float))
    np.testing.assert_allclose(found, [mean, lower, upper], atol=0.02)


def test_groups_lend_each_other_strength():
    """The same group is shrunk more among groups that hardly differ than among groups that differ much."""
    expected = [20] + [400] * 12
    alike = pooled([30] + [400] * 12, expected)
    unlike = pooled([30] + [800, 200] * 6, expected)
    assert alike.table["estimate"][0] < unlike.table["estimate"][0] < 1.5
    assert alike.weights[0] > Prior().weights[0] > unlike.weights[0]
    assert sum(alike.weights) == pytest.approx(1)


def test_one_group_that_truly_differs_is_not_shrunk_away_by_many_that_do_not():
    random = np.random.default_rng(2)
    expected = np.full(18, 60.0)
    count = np.r_[random.poisson(60, 17), 120]
    answer = pooled(count, expected).table
    assert answer["estimate"].iloc[-1] > 1.7
    assert answer["false_sign_rate"].iloc[-1] < 1e-4
    assert answer["estimate"].iloc[:-1].between(0.85, 1.2).all()


def test_pooling_halves_the_error_of_small_groups():
    random = np.random.default_rng(3)
    true = np.exp(random.normal(0, 0.15, 400))
    expected = random.uniform(5, 30, 400)
    count = random.poisson(expected * true)
    answer = pooled(count, expected).table["estimate"].to_numpy()
    crude = np.log(np.maximum(count, 0.5) / expected)
    assert np.mean((np.log(answer) - np.log(true)) ** 2) < 0.5 * np.mean((crude - np.log(true)) ** 2)


def test_intervals_hold_the_truth_as_often_as_they_say_and_signs_are_wrong_as_seldom():
    """800 ratios drawn from the prior itself, told apart by its known weights."""
    random = np.random.default_rng(4)
    true = np.exp(random.normal(0, random.choice(SPREADS, 800, p=WEIGHTS)))
    expected = random.uniform(5, 400, 800)
    answer = pooled(random.poisson(expected * true), expected, prior=FIXED).table
    held = ((answer["lower"] <= true) & (true <= answer["upper"])).mean()
    assert held == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 800))
    found = (q_values(answer["false_sign_rate"]) <= 0.05).nonzero()[0]
    wrong = ((true > 1) != (answer["probability_above"] > 0.5)).to_numpy()[found]
    assert len(found) > 100
    assert wrong.mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(found))


# --- edges --------------------------------------------------------------------------------------------------------


def test_the_larger_design_effect_the_more_is_shrunk():
    answer = pooled([200] * 4, [100] * 4, [1, 4, 16, 64], prior=FIXED).table
    assert answer["estimate"].is_monotonic_decreasing
    assert answer["estimate"].between(1, 2).all()
    assert answer["upper"].is_monotonic_increasing or answer["lower"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("count", "expected", "least", "most"),
    [
        pytest.param(9_000_000, 6_000_000, 1.499, 1.501, id="nine-million"),
        pytest.param(9_000_000, 9_000_000, 0.999, 1.001, id="nine-million-alike"),
        pytest.param(9_000_000, 1_000_000, 8.9, 9.0, id="nine-times"),
        pytest.param(100_000, 25_000, 3.97, 4.0, id="four-times"),
        pytest.param(20_000, 100_000, 0.2, 0.205, id="a-fifth"),
        pytest.param(0, 9_000_000, 0.0, 0.05, id="nobody-of-nine-million"),
    ],
)
def test_very_large_counts_have_their_own_ratio(count, expected, least, most):
    answer = pooled([count, 40, 30], [expected, 40, 30])
    row = answer.table.iloc[0]
    assert row["status"] == ""
    assert least <= row["estimate"] <= most
    assert row["lower"] <= row["estimate"] <= row["upper"]
    assert np.isfinite(answer.table.drop(columns="status").to_numpy(float)).all()
    assert np.isfinite(answer.weights).all()


def test_a_large_count_that_a_narrow_prior_cannot_reach_has_an_answer_all_the_same():
    row = pooled([9_000], [3_000], prior=Prior((0.03,), (1.0,))).table.iloc[0]
    assert 1 < row["lower"] < row["estimate"] < row["upper"] < 3


def test_a_count_of_0_is_a_low_ratio_and_the_surer_the_more_were_expected():
    answer = pooled([0] * 3, [0.5, 5, 50], prior=FIXED).table
    assert (answer["status"] == "").all()
    assert answer["estimate"].is_monotonic_decreasing
    assert answer["false_sign_rate"].is_monotonic_decreasing
    assert (answer["lower"] > 0).all()
    assert answer["estimate"].iloc[0] > 0.7


@pytest.mark.parametrize(
    ("count", "expected", "design", "status"),
    [
        pytest.param(None, 10, 1, "missing", id="count-missing"),
        pytest.param(5, None, 1, "no expected number", id="expected-missing"),
        pytest.param(5, 0, 1, "no expected number", id="nothing-expected"),
        pytest.param(5, -1, 1, "no expected number", id="expected-negative"),
        pytest.param(5, np.inf, 1, "no expected number", id="expected-infinite"),
        pytest.param(-1, 10, 1, "negative", id="count-negative"),
        pytest.param(5, 10, np.nan, "missing", id="design-missing"),
        pytest.param(5, 10, 0, "design effect not above 0", id="design-0"),
        pytest.param(5, 10, np.inf, " ", id="design-infinite"),
        pytest.param(np.inf, 10, 1, " ", id="count-infinite"),
    ],
)
def test_a_row_that_has_no_answer_says_why_and_the_others_are_as_without_it(count, expected, design, status):
    good = pooled([30, 12, 0], [20, 15, 4], [1, 2, 1])
    answer = pooled([30, count, 12, 0], [20, expected, 15, 4], [1, design, 2, 1])
    row = answer.table.iloc[1]
    assert status in row["status"]
    assert row.drop("status").isna().all()
    pd.testing.assert_frame_equal(answer.table.drop(index=1).reset_index(drop=True), good.table)
    assert answer.weights == good.weights


def test_no_row_with_an_answer_is_no_failure():
    answer = pooled([None, 3], [4, 0])
    assert answer.table["estimate"].isna().all()
    assert answer.weights == Prior().weights
    assert pooled([], []).table.empty


def test_the_index_of_the_counts_is_kept():
    counts = pd.Series([4, 40], index=["x", "y"])
    assert pooled(counts, [4.0, 20.0]).table.index.tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: pooled([1, 2], [1]), "differ in length", id="length"),
        pytest.param(lambda: pooled([1, 2], [1, 2], [1, 1, 1]), "differ in length|design", id="length-of-design"),
        pytest.param(lambda: pooled(["many"], [1]), "not numeric", id="text"),
        pytest.param(lambda: pooled([3], [1], confidence=95), "level of confidence", id="confidence"),
        pytest.param(lambda: Prior((0.1, 0.2), (1.0,)), "Not a prior", id="prior-length"),
        pytest.param(lambda: Prior((0.0,), (1.0,)), "Not a prior", id="spread-0"),
        pytest.param(lambda: Prior((0.1,), (0.0,)), "Not a prior", id="concentration-0"),
        pytest.param(lambda: Prior((), ()), "Not a prior", id="prior-empty"),
        pytest.param(lambda: Prior((np.nan,), (1.0,)), "Not a prior", id="spread-missing"),
        pytest.param(lambda: learn_prior([4], [3], spreads=[0.1]), "prior", id="learn-lengths"),
    ],
)
def test_a_mistake_of_the_caller_is_a_sentence(make, message):
    with pytest.raises(MeasureError, match=message):
        make()


# --- a prior learned elsewhere ------------------------------------------------------------------------------------


def _areas(seed: int, spread) -> tuple[np.ndarray, np.ndarray]:
    """100 areas of 18 groups, from a few pupils to thousands expected."""
    random = np.random.default_rng(seed)
    expected = np.exp(random.uniform(np.log(2), np.log(1500), 1800))
    return random.poisson(expected * np.exp(spread(random, 1800))), expected


def _within(prior: Prior, value: float) -> float:
    """The share of log ratios that lie within ``value`` of 0."""
    return float(np.dot(prior.weights, 2 * norm.cdf(value / np.array(prior.spreads)) - 1))


@pytest.mark.parametrize("planted", [0.1, 0.3, 0.6])
def test_a_learned_prior_has_the_planted_spread(planted):
    count, expected = _areas(5, lambda random, size: random.normal(0, planted, size))
    prior = learn_prior(count, expected)
    assert _within(prior, planted) == pytest.approx(0.683, abs=0.03)
    assert _within(prior, 2 * planted) == pytest.approx(0.954, abs=0.05)  # five normals are not quite a sixth
    assert prior.learned_from == 1800
    assert sum(prior.concentration) == pytest.approx(1800 + sum(Prior().concentration))


def test_a_learned_prior_tells_many_small_effects_from_few_large_ones():
    def sparse(random, size):
        return np.where(random.uniform(size=size) < 0.1, random.normal(0, 0.8, size), random.normal(0, 0.03, size))

    prior = learn_prior(*_areas(6, sparse))
    assert prior.weights[0] > 0.75
    assert prior.weights[4] == pytest.approx(0.1, abs=0.04)


def test_overdispersed_counts_teach_the_spread_of_the_ratios_and_not_of_the_noise():
    random = np.random.default_rng(7)
    expected = np.exp(random.uniform(np.log(40), np.log(3000), 1800))
    rate = random.gamma(expected / 3, 3)  # variance 3 times the mean, and the count's own: 4 in all
    count = random.poisson(rate)

    assert _within(learn_prior(count, expected, 4.0), 0.06) > 0.85
    assert _within(learn_prior(count, expected), 0.06) < 0.75


def test_rows_that_cannot_be_used_teach_nothing():
    count, expected = _areas(8, lambda random, size: random.normal(0, 0.2, size))
    clean = learn_prior(count, expected)
    spoilt = learn_prior([*count, None, 5, -2], [*expected, 4, 0, 3])
    assert spoilt == clean
    nothing = learn_prior([None], [4])
    assert nothing.learned_from == 0
    np.testing.assert_allclose(nothing.concentration, Prior().concentration)


def test_worth_says_how_sure_the_lesson_is():
    count, expected = _areas(9, lambda random, size: random.normal(0, 0.2, size))
    modest = learn_prior(count, expected, worth=50)
    sure = learn_prior(count, expected)
    np.testing.assert_allclose(modest.weights, sure.weights)
    assert sum(modest.concentration) == pytest.approx(50 + sum(Prior().concentration))


def test_a_prior_learned_elsewhere_is_used():
    nowhere = learn_prior(*_areas(10, lambda random, size: np.zeros(size)))
    everywhere = learn_prior(*_areas(11, lambda random, size: random.normal(0, 0.6, size)))
    narrow, wide = (pooled([30], [15], prior=p).table["estimate"][0] for p in (nowhere, everywhere))
    assert narrow < 1.2 < 1.7 < wide


# --- what is found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_what_is_found_is_the_largest_set_with_a_mean_of_at_most_the_rate(rate):
    random = np.random.default_rng(12)
    for _ in range(15):
        values = random.beta(0.3, 3, 9)
        sets = [
            s for size in range(10) for s in combinations(range(9), size) if not s or values[list(s)].mean() <= rate
        ]
        largest = max(sets, key=lambda s: (len(s), -values[list(s)].sum()))  # of equally large ones the surest
        assert set(np.flatnonzero(q_values(values) <= rate)) == set(largest)


def test_q_values_of_missing_rates_are_missing_and_count_for_nothing():
    with_gaps = q_values([0.04, None, 0.01, None, 0.4])
    assert np.isnan(with_gaps[[1, 3]]).all()
    np.testing.assert_allclose(with_gaps[[0, 2, 4]], q_values([0.04, 0.01, 0.4]))
    assert np.isnan(q_values([None])).all()
    assert len(q_values([])) == 0


def test_groups_that_are_equally_sure_are_found_together_or_not_at_all():
    """Else which of them is found hangs on the order of rows."""
    q = q_values([0.0, 0.1, 0.1])
    assert q[1] == q[2]
    assert (q <= 0.05).tolist() == [True, False, False]


@pytest.mark.parametrize("spreads", [(0.8,), (2.0,), Prior().spreads])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 400])
@pytest.mark.parametrize("expected", [0.4, 1.5, 2.5, 9.0, 450.0])
def test_a_ratio_is_pulled_towards_1_and_never_away_from_it(count, expected, spreads):
    made = pooled([count], [expected], prior=Prior(spreads, (1.0,) * len(spreads))).table.iloc[0]
    low, high = sorted((1.0, count / expected))
    assert low - 1e-12 <= made["estimate"] <= high + 1e-12


def test_a_prior_that_explains_next_to_nothing_still_answers():
    narrow = Prior((0.05, 0.02), (1.0, 1.0))
    made = pooled([9_000, 50], [1_000, 50], prior=narrow)
    assert (made.table["status"] == "").all()
    assert made.table[["estimate", "lower", "upper", "false_sign_rate"]].notna().all(axis=None)
    # The likelihood of 9,000 events outweighs the narrower spreads: most of the ratio of 9 stands.
    assert 3 < made.table["estimate"][0] < 9
    assert np.isfinite(made.weights).all()
    learned = learn_prior([9_000, 50], [1_000, 50], spreads=(0.05, 0.02), pseudo_counts=(1.0, 1.0))
    assert sum(learned.weights) == pytest.approx(1)
