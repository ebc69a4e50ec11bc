"""Smoothing: Marshall by plain loops, BYM2's pieces and whole by independent means, and every edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import binom, gamma, multivariate_normal, norm
from scipy.stats import poisson as poisson_law

from geo import laplace
from geo.neighbours import from_pairs
from geo.smoothing import bym2, empirical_bayes
from jsna.errors import MeasureError


def lattice(side, extra=()):
    codes = [f"{r}{c}" for r in range(side) for c in range(side)]
    links = [(f"{r}{c}", f"{r}{c + 1}") for r in range(side) for c in range(side - 1)]
    links += [(f"{r}{c}", f"{r + 1}{c}") for r in range(side - 1) for c in range(side)]
    return from_pairs([*codes, *extra], links)


def counts(size, seed, risk=0.1, least=20, most=200):
    random = np.random.default_rng(seed)
    n = random.integers(least, most, size)
    return random.binomial(n, np.clip(risk * np.exp(0.4 * random.normal(size=size)), 0, 1)), n


def marshall(x, n):
    """Marshall's estimator one area at a time."""
    mean = sum(x) / sum(n)
    spread = sum(b * (a / b - mean) ** 2 for a, b in zip(x, n, strict=True)) / sum(n)
    between = max(0.0, spread - mean / (sum(n) / len(n)))
    return [mean + (a / b - mean) * between / (between + mean / b) for a, b in zip(x, n, strict=True)]


# Empirical Bayes


def test_marshall_is_that_of_a_plain_loop():
    x, n = counts(30, 1)
    np.testing.assert_allclose(empirical_bayes(x, n)["smoothed"], marshall(x, n), rtol=1e-12)


def test_each_group_is_smoothed_as_though_it_were_alone():
    x, n = counts(60, 2)
    group = np.random.default_rng(3).choice(list("abc"), 60)
    answer = empirical_bayes(x, n, by=group)
    for name in "abc":
        pd.testing.assert_frame_equal(
            answer[group == name].reset_index(drop=True), empirical_bayes(x[group == name], n[group == name])
        )


def test_local_marshall_is_that_of_a_plain_loop_over_each_area_and_its_neighbours():
    near = lattice(5)
    x, n = counts(25, 4)
    matrix = near.matrix.toarray() + np.eye(25)
    expected = [marshall(x[row > 0], n[row > 0])[list(np.flatnonzero(row)).index(i)] for i, row in enumerate(matrix)]
    np.testing.assert_allclose(empirical_bayes(x, n, near)["smoothed"], expected, rtol=1e-10)


def test_limits_are_the_gamma_posterior_where_much_is_known_of_the_areas():
    x, n = counts(4_000, 5)
    answer = empirical_bayes(x, n)
    mean = x.sum() / n.sum()
    between = (n * (x / n - mean) ** 2).sum() / n.sum() - mean * len(n) / n.sum()
    law = gamma(mean**2 / between + x, scale=1 / (mean / between + n))
    np.testing.assert_allclose(answer["lower"], law.ppf(0.025), rtol=2e-3)
    np.testing.assert_allclose(answer["upper"], law.ppf(0.975), rtol=2e-3)


@pytest.mark.parametrize("local", [False, True])
def test_limits_hold_most_true_rates(local):
    near, held = lattice(9), []
    for seed in range(12):
        random = np.random.default_rng(seed)
        truth = 0.1 * np.exp(0.4 * random.normal(size=81))
        n = random.integers(50, 400, 81)
        answer = empirical_bayes(random.binomial(n, truth), n, near if local else None)
        held.append(((answer["lower"] <= truth) & (truth <= answer["upper"])).mean())
    assert 0.9 < np.mean(held) <= 1.0


def test_areas_that_differ_no_more_than_by_chance_are_all_the_mean():
    answer = empirical_bayes([10, 10, 10], [100, 100, 100])
    assert answer["smoothed"].tolist() == [0.1, 0.1, 0.1]
    assert answer["weight"].tolist() == [0, 0, 0]
    assert (answer["lower"] < 0.1).all()
    assert (answer["upper"] > 0.1).all()


def test_an_area_of_nobody_is_the_mean_and_says_so():
    answer = empirical_bayes([0, 10, 30], [0, 100, 100])
    assert answer["status"].tolist() == ["no data: mean of all areas", "", ""]
    assert answer["smoothed"][0] == pytest.approx(0.2)
    assert np.isnan(answer["rate"][0])
    others = empirical_bayes([10, 30], [100, 100])
    np.testing.assert_allclose(answer.iloc[1:, :6].astype(float), others.iloc[:, :6].astype(float))


def test_near_areas_speak_for_one_of_nobody_and_all_areas_for_an_island():
    near = from_pairs("ABCDE", [("A", "B"), ("B", "C")])
    answer = empirical_bayes([0, 10, 20, 40, 0], [0, 100, 100, 100, 0], near)
    assert answer["status"].tolist() == [
        "no data: predicted from neighbours",
        "",
        "",
        "no neighbours: smoothed to all areas",
        "no data: mean of all areas",
    ]
    assert answer["smoothed"][0] == pytest.approx(0.1)
    assert answer["mean"][3] == answer["smoothed"][4] == pytest.approx(70 / 300)


def test_no_events_gives_nought_with_the_exact_upper_limit_of_nought_events():
    answer = empirical_bayes([0, 0], [100, 200])
    assert answer["smoothed"].tolist() == answer["lower"].tolist() == [0, 0]
    np.testing.assert_allclose(answer["upper"], -np.log(0.025) / 300)


def test_nobody_anywhere_is_missing_and_a_group_of_nobody_spares_the_others():
    answer = empirical_bayes([0, 0, 5, 9], [0, 0, 50, 60], by=["a", "a", "b", "b"])
    assert answer["status"].tolist() == ["nobody in any area"] * 2 + [""] * 2
    assert answer["smoothed"].isna().tolist() == [True, True, False, False]
    assert empirical_bayes([], []).empty


FAULTS = [
    (None, 100, "missing"),
    (5, None, "missing"),
    (-1, 100, "negative"),
    (5, -1, "negative"),
    (2.5, 100, "not a whole number"),
    (5, 99.5, "not a whole number"),
    (101, 100, "count above total"),
]


@pytest.mark.parametrize(("x", "n", "status"), FAULTS)
def test_an_area_that_cannot_be_used_fails_alone(x, n, status):
    near = from_pairs("ABC", [("A", "B"), ("B", "C")])
    count, total = pd.Series([x, 10, 30], dtype="Float64"), pd.Series([n, 100, 100], dtype="Float64")
    for answer in (empirical_bayes(count, total), bym2(count, total, near).areas):
        assert answer["status"].tolist() == [status, "", ""]
        assert answer.drop(columns="status").isna().all(axis=1).tolist()[0]
        assert answer["smoothed"].notna().tolist() == [False, True, True]


def test_a_ratio_may_have_more_events_than_expected_but_none_where_none_are():
    near = from_pairs("ABC", [("A", "B"), ("B", "C")])
    for answer in (
        empirical_bayes([12, 3, 1], [4.5, 6.5, 0], model="poisson"),
        bym2([12, 3, 1], [4.5, 6.5, 0], near, model="poisson").areas,
    ):
        assert answer["status"].tolist() == ["", "", "events where none are expected"]
        assert 1 < answer["smoothed"][0] < 12 / 4.5


def test_counts_of_nine_million_do_not_overflow():
    answer = empirical_bayes([1_500_000, 900_000], [9_000_000, 9_000_000])
    assert answer["weight"].min() > 0.999
    assert (answer["lower"] < answer["smoothed"]).all()
    assert (answer["smoothed"] < answer["upper"]).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: empirical_bayes([1], [2, 3]),
        lambda: empirical_bayes(["x"], [2]),
        lambda: empirical_bayes([1], [2], confidence=95),
        lambda: empirical_bayes([1], [2], by=["a", "b"]),
        lambda: empirical_bayes([1], [2], model="normal"),
        lambda: empirical_bayes([1], [2], from_pairs("AB", [])),
        lambda: bym2([1], [2], from_pairs("AB", [])),
        lambda: bym2(pd.Series([1, 2], index=["B", "A"]), [2, 2], from_pairs("AB", [])),
        lambda: bym2([1, 1], [2, 2], from_pairs("AB", []), sigmas=3),
        lambda: bym2([1, 1], [2, 2], from_pairs("AB", []), phis=1),
        lambda: laplace.Prior(sigma_tail=1.0),
        lambda: laplace.Prior(sigma_upper=0),
        lambda: bym2(np.ones(1501), np.ones(1501), from_pairs(range(1501), [])),
    ],
)
def test_mistakes_of_the_caller_are_refused(call):
    with pytest.raises(MeasureError):
        call()


# BYM2: its pieces


def test_the_structured_effect_is_scaled_and_sums_to_nought_in_each_part():
    near = from_pairs("ABCDEFG", [("A", "B"), ("B", "C"), ("C", "A"), ("C", "D"), ("E", "F")])
    found = laplace.structure(near).covariance
    for part in ([0, 1, 2, 3], [4, 5]):
        block = found[np.ix_(part, part)]
        adjacent = near.matrix.toarray()[np.ix_(part, part)]
        inverse = np.linalg.pinv(np.diag(adjacent.sum(axis=1)) - adjacent)
        np.testing.assert_allclose(block / block[0, 0], inverse / inverse[0, 0], atol=1e-12)
        assert np.exp(np.log(np.diag(block)).mean()) == pytest.approx(1)
        np.testing.assert_allclose(block.sum(axis=0), 0, atol=1e-12)
    assert found[6].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert not found[:4, 4:].any()


def test_two_neighbours_have_opposite_structured_effects():
    np.testing.assert_allclose(laplace.structure(from_pairs("AB", [("A", "B")])).covariance, [[1, -1], [-1, 1]])


def test_the_prior_of_sigma_has_the_tail_that_was_asked_for():
    prior = laplace.Prior(sigma_upper=0.7, sigma_tail=0.03)
    mass = np.exp(prior.log_sigma_mass(np.array([0, 0.2, 0.7, 50])))
    assert mass[2] == pytest.approx(0.03)
    assert mass.sum() == pytest.approx(1)


def test_the_prior_of_phi_follows_the_divergence_of_its_normal_from_an_independent_one():
    shape = laplace.structure(lattice(4))
    phi = np.array([0.3, 0.9])
    for value, found in zip(phi, laplace.distance(phi, shape.eigenvalues), strict=True):
        covariance = (1 - value) * np.eye(16) + value * shape.covariance
        divergence = (np.trace(covariance) - 16 - np.linalg.slogdet(covariance)[1]) / 2
        assert found == pytest.approx(np.sqrt(2 * divergence))
    mass = laplace.Prior(phi_middle=0.5, phi_below=0.6).phi_mass(np.array([0, 0.5, 1.0]), shape.eigenvalues)
    np.testing.assert_allclose(mass, [0.6, 0.4])


@pytest.mark.parametrize("model", ["binomial", "poisson"])
def test_the_probability_of_the_counts_is_near_that_of_integration(model):
    x, n = np.array([14.0]), np.array([60.0])
    likelihood = (laplace.binomial if model == "binomial" else laplace.poisson)(x, n)
    found = laplace.approximate(likelihood, np.array([[0.8]]), np.zeros(1))
    mean, sd = found.moments(likelihood)

    def density(f):
        return np.exp(likelihood.log_density(np.array([f]))[0] + norm.logpdf(f, 0, np.sqrt(0.8)) + 40)

    whole = quad(density, -5, 3, epsabs=0)[0]
    first = quad(lambda f: f * density(f), -5, 3, epsabs=0)[0] / whole
    second = quad(lambda f: (f - first) ** 2 * density(f), -5, 3, epsabs=0)[0] / whole
    assert found.log_marginal == pytest.approx(np.log(whole) - 40, abs=0.01)
    assert mean[0] == pytest.approx(first, abs=0.005)
    assert mean[0] - found.mode[0] < -0.01  # the mode alone would be above
    assert sd[0] == pytest.approx(np.sqrt(second), rel=0.03)


def test_the_mode_is_where_the_slope_is_nought():
    x, n = counts(16, 7)
    likelihood = laplace.binomial(x.astype(float), n.astype(float))
    covariance = np.eye(16) * 0.3 + 4 + laplace.structure(lattice(4)).covariance * 0.2
    mode = laplace.approximate(likelihood, covariance, likelihood.start).mode
    slope = x - n / (1 + np.exp(-mode)) - np.linalg.solve(covariance, mode)
    np.testing.assert_allclose(slope, 0, atol=1e-5)


def test_derivatives_of_the_likelihoods_are_those_of_differences():
    x, n, f, h = np.array([3.0, 0.0]), np.array([20.0, 7.0]), np.array([-1.1, 0.4]), 1e-5
    for likelihood in (laplace.binomial(x, n), laplace.poisson(x, n)):
        slope = (likelihood.log_density(f + h) - likelihood.log_density(f - h)) / (2 * h)
        np.testing.assert_allclose(x - likelihood.mean(f), slope, rtol=1e-6)
        np.testing.assert_allclose(
            likelihood.curvature(f), (likelihood.mean(f + h) - likelihood.mean(f - h)) / (2 * h), rtol=1e-6
        )
        np.testing.assert_allclose(
            -likelihood.third(f), (likelihood.curvature(f + h) - likelihood.curvature(f - h)) / (2 * h), rtol=1e-6
        )


def test_quantiles_of_a_mixture_are_where_its_distribution_is():
    mean, sd, weight = np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[1.0, 2.0], [0.5, 2.0]]), np.array([0.3, 0.7])
    found = laplace.mixture_quantile(mean, sd, weight, 0.9)
    assert found[1] == pytest.approx(norm.ppf(0.9, 5, 2))
    assert 0.3 * norm.cdf(found[0]) + 0.7 * norm.cdf(found[0], 2, 0.5) == pytest.approx(0.9)


# BYM2: the whole


def weighted_draws(x, size, near, law, inverse, draws=500_000):
    """The posterior by brute force: sigma, phi and effects drawn from their priors, weighted by their likelihood."""
    random = np.random.default_rng(11)
    shape, n = laplace.structure(near), len(x)
    edges = np.linspace(0, 1, 401)
    cell = random.choice(400, draws, p=laplace.Prior().phi_mass(edges, shape.eigenvalues))
    phi, sigma = random.uniform(edges[cell], edges[cell + 1]), random.exponential(1 / -np.log(0.01), draws)
    structured = multivariate_normal(np.zeros(n), shape.covariance, allow_singular=True).rvs(draws, random_state=random)
    independent = random.normal(size=(draws, n))
    effect = sigma[:, None] * (np.sqrt(1 - phi)[:, None] * independent + np.sqrt(phi)[:, None] * structured)
    # The intercept's prior is flat beside what the counts say: it is drawn where they put it, and weighted back.
    centre, width = np.log(x.sum() / size.sum()), 0.4
    mu = random.normal(centre, width, draws)
    rate = inverse(mu[:, None] + effect)
    log_weight = law(x, size, rate).sum(axis=1) + norm.logpdf(mu, 0, 10) - norm.logpdf(mu, centre, width)
    weight = np.exp(log_weight - log_weight.max())
    return rate, weight / weight.sum(), sigma, phi


@pytest.mark.parametrize("model", ["binomial", "poisson"])
def test_the_posterior_is_near_that_of_brute_force(model):
    near = from_pairs("ABCDE", [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")])
    x = np.array([9, 14, 21, 30, 26])
    if model == "binomial":
        size = np.array([120, 110, 130, 125, 100])
        law, inverse = (lambda k, m, p: binom.logpmf(k, m, p)), (lambda f: 1 / (1 + np.exp(-f)))
    else:
        size = np.array([18.0, 17.5, 21.0, 20.0, 16.0])
        law, inverse = (lambda k, m, p: poisson_law.logpmf(k, m * p)), np.exp
    rate, weight, sigma, phi = weighted_draws(x, size, near, law, inverse)
    assert 1 / (weight**2).sum() > 2_000  # enough draws that count
    found = bym2(x, size, near, model=model)
    expected = weight @ rate
    np.testing.assert_allclose(found.areas["smoothed"], expected, rtol=0.02)
    for column, p in (("lower", 0.025), ("upper", 0.975)):
        order = np.argsort(rate, axis=0)
        cumulated = np.cumsum(weight[order], axis=0)
        at = [rate[order[np.searchsorted(cumulated[:, i], p), i], i] for i in range(5)]
        np.testing.assert_allclose(found.areas[column], at, rtol=0.06)
    assert found.parameters.loc["sigma", "mean"] == pytest.approx(weight @ sigma, rel=0.08)
    assert found.parameters.loc["phi", "mean"] == pytest.approx(weight @ phi, abs=0.04)


def planted(side, sigma, phi, seed, risk=0.1):
    near, random = lattice(side), np.random.default_rng(seed)
    covariance = sigma**2 * ((1 - phi) * np.eye(side**2) + phi * laplace.structure(near).covariance)
    truth = 1 / (1 + np.exp(-(np.log(risk / (1 - risk)) + random.multivariate_normal(np.zeros(side**2), covariance))))
    n = random.integers(60, 300, side**2)
    return near, random.binomial(n, truth), n, truth


def test_planted_rates_lie_in_their_limits_and_nearer_than_raw_ones():
    held, nearer = [], []
    for seed in range(6):
        near, x, n, truth = planted(8, 0.5, 0.8, seed)
        areas = bym2(x, n, near).areas
        held.append(((areas["lower"] <= truth) & (truth <= areas["upper"])).mean())
        nearer.append(((areas["smoothed"] - truth) ** 2).mean() / ((areas["rate"] - truth) ** 2).mean())
    assert 0.9 < np.mean(held) < 0.99
    assert np.mean(nearer) < 0.9


def test_neighbours_count_where_effects_run_along_with_place():
    along, apart = (
        np.mean([bym2(*planted(8, 0.6, phi, s)[1:3], lattice(8)).parameters.loc["phi", "mean"] for s in range(3)])
        for phi in (0.99, 0.01)
    )
    assert along > apart + 0.2


def test_an_area_of_nobody_is_predicted_from_those_around_it():
    near, x, n, _ = planted(6, 0.8, 0.95, 3)
    x, n = x.copy(), n.copy()
    hole, far = near.codes.index("22"), near.codes.index("55")
    around = [near.codes.index(c) for c in ("12", "32", "21", "23")]
    x[around], x[hole], n[hole] = n[around] // 2, 0, 0
    fit = bym2(x, n, near)
    assert fit.areas["status"][hole] == "no data: predicted from neighbours"
    assert np.isnan(fit.areas["rate"][hole])
    assert fit.areas["smoothed"][hole] > fit.overall + 0.05
    width = fit.areas["upper"] - fit.areas["lower"]
    assert width[hole] > width[far]
    island = bym2([*x, 0], [*n, 0], lattice(6, extra=["island"])).areas.iloc[-1]
    assert island["status"] == "no data: mean of all areas"


def test_without_any_neighbour_phi_is_missing_and_the_rest_is_answered():
    fit = bym2([10, 20, 30], [100, 100, 100], from_pairs("ABC", []))
    assert fit.parameters.loc["phi"].isna().all()
    assert fit.parameters.loc["sigma"].notna().all()
    assert fit.areas["smoothed"].is_monotonic_increasing
    assert fit.areas["status"].tolist() == ["", "", ""]


@pytest.mark.parametrize(
    ("x", "n", "status"),
    [
        ([0, 0], [10, 20], "no events in any area"),
        ([10, 20], [10, 20], "everybody counted in every area"),
        ([0, 0], [0, 0], "nobody in any area"),
    ],
)
def test_where_there_is_nothing_to_fit_all_is_missing_with_a_reason(x, n, status):
    fit = bym2(x, n, from_pairs("AB", [("A", "B")]))
    assert fit.areas["status"].tolist() == [status] * 2
    assert fit.areas[["smoothed", "lower", "upper", "above"]].isna().all(axis=None)
    assert fit.parameters.isna().all(axis=None)
    assert fit.grid.empty


def test_a_count_of_nought_or_of_all_has_limits_inside_0_and_1():
    areas = bym2([0, 30, 5, 4], [40, 30, 40, 40], from_pairs("ABCD", [("A", "B"), ("C", "D")])).areas
    assert ((areas["lower"] > 0) & (areas["lower"] < areas["smoothed"])).all()
    assert ((areas["upper"] < 1) & (areas["upper"] > areas["smoothed"])).all()
    assert areas["above"][1] > 0.9 > 0.1 > areas["above"][0]


def test_the_weights_of_the_grid_sum_to_one_and_reach_beyond_what_matters():
    near, x, n, _ = planted(6, 0.4, 0.5, 1)
    fit = bym2(x, n, near)
    assert fit.grid["weight"].sum() == pytest.approx(1)
    ends = fit.grid.groupby("sigma")["weight"].sum().iloc[[0, -1]]
    assert (ends < 0.02).all()
    finer = bym2(x, n, near, sigmas=30, phis=20)
    np.testing.assert_allclose(fit.areas["smoothed"], finer.areas["smoothed"], rtol=5e-3)
    np.testing.assert_allclose(fit.areas["upper"], finer.areas["upper"], rtol=1e-2)


def test_great_and_many_counts_settle():
    near = from_pairs("ABC", [("A", "B"), ("B", "C")])
    areas = bym2([1_500_000, 2_000_000, 10], [9_000_000, 9_000_000, 9_000_000], near).areas
    np.testing.assert_allclose(areas["smoothed"][:2], [1 / 6, 2 / 9], rtol=1e-3)
    tiny = bym2([1, 0, 0], [3, 2, 1], near).areas
    assert tiny["smoothed"].between(0, 1).all()
