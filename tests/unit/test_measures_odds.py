"""Odds ratios and exact tests against published figures, exact arithmetic and another implementation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio as peer_odds_ratio

from jsna.errors import MeasureError
from jsna.measures import equal_risks_p_value, odds_ratio
from jsna.measures.hypergeometric import fisher_p_value

LIMITS = ["estimate", "lower", "upper"]


def _one(table, **named):
    return odds_ratio(*([v] for v in table), **named).iloc[0]


def test_wald_is_the_published_aspirin_interval():
    # Agresti, Categorical Data Analysis: myocardial infarction, 189 of 11,034 on placebo, 104 of 11,037 on aspirin.
    assert _one((189, 11034, 104, 11037))[LIMITS].astype(float).round(2).tolist() == [1.83, 1.44, 2.33]


def test_fisher_is_the_published_estimate_of_the_twins():
    # Fisher 1962, convictions of like-sex twins, as in the help of R's fisher.test: 2 of 17 against 10 of 13.
    row = _one((2, 17, 10, 13), method="fisher")
    assert row[LIMITS].tolist() == pytest.approx([0.04693661, 0.003325764, 0.363182271], rel=3e-3)
    p = fisher_p_value(*(np.array([v]) for v in (2.0, 17.0, 10.0, 13.0)))
    assert p.item() == pytest.approx(0.0005367, abs=5e-8)


def test_the_lady_tasting_tea():
    # Fisher 1935: three of four cups right; two-sided p 0.4857, conditional odds ratio 6.408.
    assert equal_risks_p_value([3], [4], [1], [4])["estimate"].item() == pytest.approx(34 / 70, rel=1e-12)
    assert _one((3, 4, 1, 4), method="fisher")["estimate"] == pytest.approx(6.408309, abs=2e-5)


def _tails(table, odds: float) -> tuple[Fraction, Fraction, Fraction]:
    """The mean, and the chances of at least and of at most the count found, in whole numbers."""
    x1, n1, x0, n0 = table
    psi, m = Fraction(odds), x1 + x0
    support = range(max(0, m - n0), min(n1, m) + 1)
    weights = {k: math.comb(n1, k) * math.comb(n0, m - k) * psi**k for k in support}
    whole = sum(weights.values())
    mean = sum(k * w for k, w in weights.items()) / whole
    at_least, at_most = (sum(w for k, w in weights.items() if sign * (k - x1) >= 0) / whole for sign in (1, -1))
    return mean, at_least, at_most


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.998])
@pytest.mark.parametrize("table", [(3, 4, 1, 4), (2, 17, 10, 13), (1, 30, 5, 40), (29, 30, 1, 25), (7, 20, 1, 60)])
def test_fisher_solves_its_equations_in_exact_arithmetic(table, confidence):
    row, tail = _one(table, method="fisher", confidence=confidence), (1 - confidence) / 2
    assert float(_tails(table, row["estimate"])[0]) == pytest.approx(table[0], rel=1e-10)
    assert float(_tails(table, row["lower"])[1]) == pytest.approx(tail, rel=1e-9)
    assert float(_tails(table, row["upper"])[2]) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("top", [6, 40, 400, 3000])
def test_fisher_is_that_of_a_peer_on_many_tables_at_once(top):
    random = np.random.default_rng(top)
    n1, n0 = random.integers(1, top, 25), random.integers(1, 2 * top, 25)
    x1, x0 = (random.binomial(n, random.choice([0.02, 0.3, 0.9], 25)) for n in (n1, n0))
    answer = odds_ratio(x1, n1, x0, n0, method="fisher")
    for row, a, b, c, d in zip(answer.itertuples(), x1, n1, x0, n0, strict=True):
        peer = peer_odds_ratio([[a, b - a], [c, d - c]])
        limits = peer.confidence_interval(0.95)
        if row.status == "":
            assert (row.estimate, row.lower, row.upper) == pytest.approx((peer.statistic, *limits), rel=1e-8)


@pytest.mark.parametrize("table", [(900, 9000, 5000, 20_000), (40, 60_000, 7, 90_000), (19_990, 20_000, 300, 400)])
def test_fisher_of_large_tables_is_right_over_every_possible_table(table):
    """Our window about the count found must leave nothing of weight out: here every table is summed."""
    x1, n1, x0, n0 = table
    m = x1 + x0
    k = np.arange(max(0, m - n0), min(n1, m) + 1.0)
    weights = -gammaln(k + 1) - gammaln(n1 - k + 1) - gammaln(m - k + 1) - gammaln(n0 - m + k + 1)

    def log_tail(log_odds, part):
        return logsumexp((weights + k * log_odds)[part]) - logsumexp(weights + k * log_odds) - math.log(0.025)

    row = _one(table, method="fisher")
    for limit, part in ((row["lower"], k >= x1), (row["upper"], k <= x1)):
        near = math.log(limit)
        assert brentq(log_tail, near - 0.1, near + 0.1, args=(part,)) == pytest.approx(near, rel=1e-6, abs=1e-7)


def test_fisher_nears_wald_at_9_million():
    exact, wald = (_one((1_000_000, 9_000_000, 2_000_000, 9_000_000), method=m) for m in ("fisher", "wald"))
    assert exact[LIMITS].tolist() == pytest.approx(wald[LIMITS].tolist(), rel=1e-5)
    assert exact["lower"] < wald["lower"] < wald["upper"] < exact["upper"]


@pytest.mark.parametrize(
    ("table", "estimate", "lower", "upper"),
    [
        pytest.param((0, 10, 3, 10), 0.0, 0.0, "finite", id="none-of-group"),
        pytest.param((3, 10, 0, 10), math.inf, "finite", math.inf, id="none-of-comparator"),
        pytest.param((10, 10, 3, 10), math.inf, "finite", math.inf, id="all-of-group"),
        pytest.param((3, 10, 10, 10), 0.0, 0.0, "finite", id="all-of-comparator"),
        pytest.param((1, 1, 0, 1), math.inf, "finite", math.inf, id="one-each"),
    ],
)
def test_fisher_at_an_empty_cell_has_one_limit(table, estimate, lower, upper):
    row = _one(table, method="fisher")
    assert row["estimate"] == estimate
    for found, wanted in ((row["lower"], lower), (row["upper"], upper)):
        assert (0 < found < math.inf) if wanted == "finite" else found == wanted
    assert row["status"] == ""


@pytest.mark.parametrize(
    ("table", "status"), [((0, 5, 0, 9), "both risks are zero"), ((5, 5, 9, 9), "both risks are one")]
)
def test_fisher_where_only_one_table_is_possible_knows_nothing(table, status):
    row = _one(table, method="fisher")
    assert np.isnan(row["estimate"])
    assert (row["lower"], row["upper"], row["status"]) == (0, math.inf, status)


@pytest.mark.parametrize("table", [(0, 10, 3, 10), (3, 10, 0, 10), (10, 10, 3, 10), (3, 10, 10, 10), (0, 5, 0, 9)])
def test_with_an_empty_cell_wald_is_missing_and_haldane_says_what_it_added(table):
    wald, haldane = _one(table), _one(table, method="haldane")
    assert wald["status"] == "a cell is empty"
    assert wald[LIMITS].isna().all()
    assert haldane["status"] == "0.5 added to each cell"
    x1, n1, x0, n0 = table
    a, b, c, d = (Fraction(2 * cell + 1, 2) for cell in (x1, n1 - x1, x0, n0 - x0))
    assert haldane["estimate"] == pytest.approx(float(a * d / (b * c)), rel=1e-14)
    error = math.sqrt(sum(1 / cell for cell in (a, b, c, d)))
    assert math.log(haldane["upper"] / haldane["estimate"]) == pytest.approx(1.959963984540054 * error, rel=1e-12)


def test_haldane_leaves_full_tables_as_they_are():
    assert _one((3, 10, 4, 10), method="haldane").equals(_one((3, 10, 4, 10)))


@pytest.mark.parametrize("method", ["wald", "haldane", "fisher"])
@pytest.mark.parametrize(
    ("count", "total", "status"),
    [
        (0, 0, "no pupils"),
        (5, 4, "count above total"),
        (-1, 4, "negative"),
        (1.5, 4, "not a whole number"),
        (None, 4, "missing"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_answered(method, count, total, status):
    answer = odds_ratio([20, count], [89, total], [35, 35], [88, 88], method=method)
    assert answer["status"].tolist() == ["", status]
    assert answer.loc[1, LIMITS].isna().all()
    assert answer.loc[0, LIMITS].notna().all()


def test_an_unknown_method_is_refused():
    with pytest.raises(MeasureError, match="method"):
        odds_ratio([1], [2], [1], [2], method="score")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("top", [6, 60, 3000, 50_000])
def test_exact_p_values_are_those_of_a_peer_on_many_tables_at_once(top):
    random = np.random.default_rng(top)
    n1, n0 = random.integers(1, top, 120), random.integers(1, 10 * top, 120)
    risk = random.choice([0.5, 5.0], 120) / np.minimum(n1, n0)
    risk = np.where(random.uniform(size=120) < 0.3, 1 - np.minimum(risk, 1), np.minimum(risk, 1))
    x1, x0 = random.binomial(n1, risk), random.binomial(n0, risk)
    answer = equal_risks_p_value(x1, n1, x0, n0)
    exact = 0
    for p, status, a, b, c, d in zip(answer["estimate"], answer["status"], x1, n1, x0, n0, strict=True):
        pooled = (a + c) / (b + d)
        if status == "" and min(b, d) * min(pooled, 1 - pooled) < 5:
            exact += 1
            assert p == pytest.approx(fisher_exact([[a, b - a], [c, d - c]]).pvalue, rel=1e-9)
    assert exact > 10


@pytest.mark.parametrize("table", [(4, 5, 1, 5), (3, 3, 0, 3), (2, 9, 0, 11), (0, 4, 5, 8), (9, 10, 2, 11)])
def test_exact_p_values_are_those_of_whole_numbers(table):
    x1, n1, x0, n0 = table
    m = x1 + x0
    ways = {k: math.comb(n1, k) * math.comb(n0, m - k) for k in range(max(0, m - n0), min(n1, m) + 1)}
    exact = Fraction(sum(w for w in ways.values() if w <= ways[x1]), sum(ways.values()))
    assert equal_risks_p_value(*([v] for v in table))["estimate"].item() == pytest.approx(float(exact), rel=1e-12)


def test_a_p_value_too_small_to_write_is_0_and_does_not_fail():
    # All 1,000 identified pupils of millions are in a group of 1,000: the expected number is 0.1.
    assert equal_risks_p_value([1000], [1000], [0], [8_999_000])["estimate"].item() == 0.0
