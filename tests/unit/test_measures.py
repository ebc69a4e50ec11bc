"""Intervals, ratios, differences, tests and q-values against published figures, peers and independent solutions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, chi2, fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from jsna import measures
from jsna.errors import MeasureError
from jsna.measures import equal_risks_p_value, false_discovery, proportion, rate, risk_difference, risk_ratio

ROWS_THAT_CANNOT = [
    pytest.param(1, 0, "count above total", id="count-of-nobody"),
    pytest.param(0, 0, "no pupils", id="nobody"),
    pytest.param(5, 4, "count above total", id="above-total"),
    pytest.param(-1, 4, "negative", id="negative"),
    pytest.param(1.5, 4, "not a whole number", id="fraction"),
    pytest.param(None, 4, "missing", id="count-missing"),
    pytest.param(1, None, "missing", id="total-missing"),
    pytest.param(1, math.inf, "not a whole number", id="infinite-total"),
]


@pytest.mark.parametrize(("count", "total", "status"), ROWS_THAT_CANNOT)
def test_one_bad_row_is_named_and_the_others_are_answered(count, total, status):
    answer = proportion([20, count], [89, total])
    assert answer["status"].tolist() == ["", status]
    assert answer.loc[1, ["estimate", "lower", "upper"]].isna().all()
    assert answer.loc[0, "estimate"] == pytest.approx(20 / 89)


@pytest.mark.parametrize("function", [risk_ratio, risk_difference, equal_risks_p_value])
@pytest.mark.parametrize(("count", "total", "status"), ROWS_THAT_CANNOT)
def test_a_comparison_with_a_bad_row_says_so_and_answers_the_rest(function, count, total, status):
    answer = function([20, count], [89, total], [35, 35], [88, 88])
    assert answer["status"].tolist() == ["", status]
    assert np.isnan(answer.loc[1, "estimate"])
    assert np.isfinite(answer.loc[0, "estimate"])


EMPTY_CALLS = {
    "alternate_risk_ratio": 4,
    "directly_standardised_rate": 4,
    "e_value": 3,
    "equal_risks_p_value": 4,
    "false_discovery": 1,
    "index_80": 2,
    "indirectly_standardised_ratio": 5,
    "missing_group_bounds": 6,
    "odds_ratio": 4,
    "percentage_point_gap": 4,
    "proportion": 2,
    "proportionality_index": 4,
    "rate": 2,
    "risk_difference": 4,
    "risk_ratio": 4,
}


@pytest.mark.parametrize(("name", "columns"), EMPTY_CALLS.items())
def test_no_rows_give_no_rows(name, columns):
    assert len(getattr(measures, name)(*[[]] * columns)) == 0


def test_the_rest_of_the_measures_take_no_rows_too():
    assert len(measures.funnel_limits([], 0.2)) == 0
    assert len(measures.quantile([], 5)) == 0
    assert len(measures.odds_ratio([], [], [], [], method="fisher")) == 0
    assert len(measures.ranked([], direction="higher")) == 0
    assert len(measures.rank_interval([], [], direction="higher")) == 0
    assert len(measures.rank_interval_if([], 300, direction="higher")) == 0
    assert len(measures.top_places([], [], direction="higher", top=5)) == 0
    others = {"overdispersion", "slope_index", "trend_test"}
    named = {"funnel_limits", "quantile", "ranked", "rank_interval", "rank_interval_if", "top_places"}
    assert set(EMPTY_CALLS) | named | others == set(measures.__all__)


def test_a_comparator_of_nobody_is_named_as_that():
    assert risk_ratio([3], [9], [0], [0])["status"].tolist() == ["comparator has nobody"]


@pytest.mark.parametrize(
    ("count", "total"),
    [(0, 1), (1, 1), (0, 40), (40, 40), (1, 3), (20, 89), (35, 88), (4_500_000, 9_000_000), (1, 9_000_000)],
)
def test_wilson_is_that_of_a_peer(count, total):
    answer = proportion([count], [total]).iloc[0]
    assert (answer["lower"], answer["upper"]) == pytest.approx(
        proportion_confint(count, total, method="wilson"), rel=0, abs=1e-9
    )


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_limits_that_newcombe_published_in_1998(x, n, lower, upper):
    row = proportion([x], [n]).iloc[0]
    assert (round(row["lower"], 4), round(row["upper"], 4)) == (lower, upper)


def test_wilson_ends_are_exact_and_never_of_no_width():
    none, all_of_them = proportion([0, 10], [10, 10]).itertuples(index=False)
    assert none.lower == 0.0 < none.upper
    assert all_of_them.lower < 1.0 == all_of_them.upper


def test_published_luton_shares():
    answer = (100 * proportion([20, 35], [89, 88])[["estimate", "lower", "upper"]]).round(1)
    assert answer.values.tolist() == [[22.5, 15.0, 32.2], [39.8, 30.2, 50.2]]


def test_answers_keep_the_index_of_the_input():
    index = pd.Index(["Luton", "Slough"], name="area")
    for answer in (
        proportion(pd.Series([1, 2], index), pd.Series([9, 9], index)),
        risk_ratio(pd.Series([1, 2], index), [9, 9], [3, 3], [9, 9]),
        risk_difference(pd.Series([1, 2], index), [9, 9], [3, 3], [9, 9]),
        equal_risks_p_value(pd.Series([1, 2], index), [9, 9], [3, 3], [9, 9]),
        rate(pd.Series([1, 2], index), [9, 9]),
    ):
        assert answer.index.equals(index)


@pytest.mark.parametrize(
    "call", [lambda: proportion([1, 2], [3]), lambda: proportion(["many"], [3])], ids=["length", "text"]
)
def test_a_callers_mistake_is_a_workbench_error(call):
    with pytest.raises(MeasureError):
        call()


@pytest.mark.parametrize("confidence", [0, 0.5, 1, 95])
def test_a_level_that_is_none_is_refused(confidence):
    with pytest.raises(MeasureError, match="confidence"):
        proportion([1], [2], confidence)


def _independent_limits(x1, n1, x0, n0, z2):
    """Both ends of the score interval, with the restricted risks found by direct maximisation on a bracket."""

    def statistic(phi):
        top = min(1.0, 1 / phi)

        def slope(p0):
            def part(x, n, p):
                return (x / p if x else 0) - ((n - x) / (1 - p) if n > x else 0)

            return phi * part(x1, n1, phi * p0) + part(x0, n0, p0)

        low, high = 1e-13 * top, top * (1 - 1e-13)
        p0 = high if slope(high) > 0 else low if slope(low) < 0 else brentq(slope, low, high, xtol=1e-16, rtol=1e-13)
        variance = phi * p0 * (1 - phi * p0) / n1 + phi**2 * p0 * (1 - p0) / n0
        return (x1 / n1 - phi * x0 / n0) ** 2 / variance - z2

    estimate = (x1 / n1) / (x0 / n0) if x0 else math.inf
    lower = 0.0 if x1 == 0 else _cross(statistic, min(estimate, 1e6), down=True)
    upper = math.inf if x0 == 0 else _cross(statistic, max(estimate, 1e-6), down=False)
    return lower, upper


def _cross(statistic, start, *, down):
    step, there = (0.5 if down else 2.0), start
    while statistic(there) <= 0:
        there *= step
    return brentq(statistic, min(there, there / step), max(there, there / step), rtol=1e-13)


TABLES = [
    (20, 89, 35, 88),
    (1, 30, 5, 200),
    (10, 10, 40, 80),
    (30, 60, 50, 50),
    (7, 7, 9, 9),
    (0, 25, 12, 90),
    (12, 90, 0, 25),
    (3, 10, 1, 10_000),
    (90_000, 1_000_000, 1_000_000, 8_000_000),
]


@pytest.mark.parametrize("method", ["score", "miettinen_nurminen"])
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_score_limits_are_those_of_an_independent_solution(table, method):
    x1, n1, x0, n0 = table
    z2 = chi2.ppf(0.95, 1)
    z2 *= (n1 + n0) / (n1 + n0 - 1) if method == "miettinen_nurminen" else 1
    answer = risk_ratio([x1], [n1], [x0], [n0], method=method).iloc[0]
    assert (answer["lower"], answer["upper"]) == pytest.approx(_independent_limits(x1, n1, x0, n0, z2), rel=1e-6)


@pytest.mark.parametrize("table", [t for t in TABLES if 0 < t[0] < t[1] and 0 < t[2] < t[3]], ids=str)
def test_score_limits_are_those_of_a_peer_where_it_is_right(table):
    ours = risk_ratio(*([v] for v in table)).iloc[0]
    peer = confint_proportions_2indep(*table, compare="ratio", method="score", correction=False)
    assert (ours["lower"], ours["upper"]) == pytest.approx(peer, rel=1e-4)


@pytest.mark.parametrize(
    ("table", "estimate", "lower", "upper", "status"),
    [
        pytest.param((5, 10, 0, 10), math.inf, "finite", math.inf, "", id="nobody-identified-in-comparator"),
        pytest.param((0, 10, 5, 10), 0.0, 0.0, "finite", "", id="nobody-identified-in-group"),
        pytest.param((0, 10, 0, 10), math.nan, 0.0, math.inf, "both risks are zero", id="nobody-identified"),
        pytest.param((10, 10, 10, 10), 1.0, "finite", "finite", "", id="everybody-identified"),
    ],
)
def test_degenerate_ratios_answer_as_the_methods_say(table, estimate, lower, upper, status):
    row = risk_ratio(*([v] for v in table)).iloc[0]
    assert row["estimate"] == pytest.approx(estimate, nan_ok=True)
    for found, wanted in ((row["lower"], lower), (row["upper"], upper)):
        assert (0 < found < math.inf) if wanted == "finite" else found == wanted
    assert row["lower"] < row["upper"]
    assert row["status"] == status


def test_katz_is_the_published_luton_interval_and_missing_at_zero():
    answer = risk_ratio([20, 0], [89, 9], [35, 3], [88, 9], method="katz")
    assert answer.loc[0, ["estimate", "lower", "upper"]].astype(float).round(2).tolist() == [0.57, 0.36, 0.90]
    assert answer.loc[1, ["lower", "upper"]].isna().all()


def test_an_unknown_method_is_refused():
    with pytest.raises(MeasureError, match="method"):
        risk_ratio([1], [2], [1], [2], method="wald")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("table", "lower", "upper"),
    [
        pytest.param((56, 70, 48, 80), 0.0524, 0.3339, id="a"),
        pytest.param((9, 10, 3, 10), 0.1705, 0.8090, id="b"),
        pytest.param((10, 10, 0, 20), 0.6791, 1.0000, id="g"),
        pytest.param((10, 10, 0, 10), 0.6075, 1.0000, id="h"),
        pytest.param((0, 10, 0, 10), -0.2775, 0.2775, id="none-at-all"),
    ],
)
def test_newcombe_is_that_of_the_published_examples(table, lower, upper):
    row = risk_difference(*([v] for v in table)).iloc[0]
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), abs=5e-5)


def test_p_value_is_chi_square_for_large_and_fisher_for_small_expected_numbers():
    answer = equal_risks_p_value([20, 3], [89, 10], [35, 1], [88, 12])["estimate"]
    pooled = 55 / 177
    z2 = (20 / 89 - 35 / 88) ** 2 / (pooled * (1 - pooled) * (1 / 89 + 1 / 88))
    assert answer[0] == pytest.approx(chi2.sf(z2, 1), rel=1e-9)
    assert answer[1] == pytest.approx(fisher_exact([[3, 7], [1, 11]]).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("table", "status"), [((0, 5, 0, 9), "both risks are zero"), ((5, 5, 9, 9), "both risks are one")]
)
def test_no_p_value_where_nothing_can_differ(table, status):
    row = equal_risks_p_value(*([v] for v in table)).iloc[0]
    assert np.isnan(row["estimate"])
    assert row["status"] == status


def test_q_values_by_hand_and_missing_ones_are_not_counted():
    # Of three p-values: 0.01 × 3/1 = 0.03, 0.04 × 3/2 = 0.06, 0.05 × 3/3 = 0.05, which caps the one before it.
    assert false_discovery([0.04, None, 0.01, 0.05]).tolist() == pytest.approx(
        [0.05, math.nan, 0.03, 0.05], nan_ok=True
    )
    harmonic = 1 + 1 / 2 + 1 / 3
    assert false_discovery([0.04, 0.01, 0.05], "by").tolist() == pytest.approx(
        [0.05 * harmonic, 0.03 * harmonic, 0.05 * harmonic]
    )


@pytest.mark.parametrize(("method", "peer"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_q_values_of_many_are_those_of_a_peer(method, peer):
    p = np.random.default_rng(3).uniform(0, 1, 500).round(2) ** 3
    assert false_discovery(p, method).tolist() == pytest.approx(multipletests(p, method=peer)[1].tolist(), rel=1e-12)


@pytest.mark.parametrize("method", ["bh", "by"])
def test_q_values_of_many_families_are_those_of_each_alone(method):
    random = np.random.default_rng(4)
    p = pd.Series(random.uniform(0, 1, 600).round(2) ** 3).mask(random.uniform(size=600) < 0.1)
    family = pd.Series(random.choice(["any SEN", "plan", "SEMH", None], 600))
    alone = p.groupby(family.fillna("none"), group_keys=False).apply(lambda part: false_discovery(part, method))
    pd.testing.assert_series_equal(false_discovery(p, method, by=family), alone.sort_index(), check_exact=True)


def test_tiny_q_values_of_many_families_lose_nothing():
    p, family = np.tile([1e-12, 0.5], 50_000), np.repeat(np.arange(50_000), 2)
    assert false_discovery(p, by=family).unique().tolist() == [2e-12, 0.5]


@pytest.mark.parametrize(
    "call",
    [lambda: false_discovery([0.5], "holm"), lambda: false_discovery([0.5], by=["a", "b"])],
    ids=["method", "length"],
)
def test_a_mistake_about_families_is_refused(call):
    with pytest.raises(MeasureError):
        call()


def test_q_values_of_none_known_are_missing_and_of_impossible_ones_refused():
    assert false_discovery([None, None]).isna().all()
    with pytest.raises(MeasureError, match="0 to 1"):
        false_discovery([0.5, 1.5])


@pytest.mark.parametrize("events", [0, 1, 9, 10, 250])
def test_rate_limits_are_near_the_exact_poisson_ones(events):
    row = rate([events], [2.5], multiplier=100).iloc[0]
    lower = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    upper = chi2.ppf(0.975, 2 * events + 2) / 2
    close = 1e-9 if events < 10 else 3e-3
    assert row["estimate"] == pytest.approx(events / 2.5 * 100)
    assert (row["lower"], row["upper"]) == pytest.approx((lower * 40, upper * 40), rel=close)


@pytest.mark.parametrize(
    ("events", "exposure", "status"),
    [
        (1, 0, "no exposure"),
        (1, -2, "no exposure"),
        (-1, 5, "negative"),
        (1.5, 5, "not a whole number"),
        (None, 5, "missing"),
    ],
)
def test_a_rate_that_cannot_be_calculated_says_why(events, exposure, status):
    answer = rate([events, 4], [exposure, 2])
    assert answer["status"].tolist() == [status, ""]
    assert np.isnan(answer.loc[0, "upper"])


def test_wilson_holds_the_truth_about_as_often_as_it_says():
    n, truth = 60, 0.17
    x = np.arange(n + 1)
    limits = proportion(x, np.full(n + 1, n))
    held = (limits["lower"] <= truth) & (truth <= limits["upper"])
    assert 0.93 < binom.pmf(x, n, truth)[held].sum() < 0.97


@pytest.mark.parametrize(
    "table", [(20, 20, 30, 30), (200, 201, 99, 100), (9_000_000, 9_000_000, 8_999_999, 9_000_000)], ids=str
)
def test_score_limits_where_nearly_everybody_is_identified_are_those_of_the_unidentified(table):
    """With everybody in both, p₀ − φ-limits are known: at x₁ = n₁ and x₀ = n₀ the limits are n/(n + z²)-shaped."""
    x1, n1, x0, n0 = table
    row = risk_ratio([x1], [n1], [x0], [n0]).iloc[0]
    if x1 == n1 and x0 == n0:
        # The restricted risk is 1 on one side: (1 − φ)² = z² φ (1 − φ) / n₁, so that φ = n₁/(n₁ + z²).
        z2 = chi2.ppf(0.95, 1)
        assert row["lower"] == pytest.approx(n1 / (n1 + z2), rel=1e-12)
        assert row["upper"] == pytest.approx((n0 + z2) / n0, rel=1e-12)
    assert row["lower"] < row["estimate"] < row["upper"]
