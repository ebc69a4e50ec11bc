"""Measures against published examples, an independent library, and the edges."""

import numpy as np
import pandas as pd
import pytest

from jsna.errors import MeasureError
from jsna.measures import equal_risks_p_value, false_discovery, proportion, rate, risk_difference, risk_ratio


@pytest.mark.parametrize(
    ("x", "n", "lower", "upper"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe 1998, 81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="Newcombe 1998, 15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="Newcombe 1998, 0 of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="Newcombe 1998, 1 of 29"),
    ],
)
def test_wilson_gives_the_published_limits(x, n, lower, upper):
    row = proportion([x], [n]).iloc[0]
    assert (round(row["lower"], 4), round(row["upper"], 4)) == (lower, upper)


@pytest.mark.parametrize(
    ("x", "n", "status"),
    [
        (0, 0, "no pupils"),
        (5, 3, "count above total"),
        (-1, 3, "negative"),
        (1.5, 3, "not a whole number"),
        (None, 3, "missing"),
        (1, None, "missing"),
    ],
)
def test_a_bad_row_fails_alone_and_says_why(x, n, status):
    frame = proportion(pd.Series([x, 5], dtype="Float64"), pd.Series([n, 10], dtype="Float64"))
    assert frame["status"].tolist() == [status, ""]
    assert np.isnan(frame["estimate"].iloc[0])
    assert frame["estimate"].iloc[1] == 0.5


@pytest.mark.parametrize(("x", "n"), [(0, 7), (7, 7), (0, 9_000_000), (9_000_000, 9_000_000)])
def test_limits_close_exactly_at_the_ends_and_are_never_of_zero_width(x, n):
    row = proportion([x], [n]).iloc[0]
    assert row["lower" if x == 0 else "upper"] == x / n
    assert row["upper"] > row["lower"]


@pytest.mark.parametrize("x", [(20, 89, 35, 88), (3, 40, 30, 1000), (150, 1000, 2300, 30000), (1, 12, 5, 50)])
def test_score_ratio_agrees_with_statsmodels_where_that_is_right(x):
    from statsmodels.stats.proportion import confint_proportions_2indep

    expected = confint_proportions_2indep(*x, compare="ratio", method="score", correction=False)
    row = risk_ratio(*([v] for v in x)).iloc[0]
    assert (row["lower"], row["upper"]) == pytest.approx(expected, rel=1e-6)


def brute_force_limits(x1, n1, x0, n0):
    """An independent solution: the restricted likelihood maximised numerically, and a root search."""
    from scipy.optimize import brentq, minimize_scalar

    def statistic(log_ratio):
        ratio = np.exp(log_ratio)
        top = min(1.0, 1 / ratio)

        def minus_log_likelihood(p0):
            p1 = ratio * p0
            with np.errstate(divide="ignore", invalid="ignore"):
                terms = [c * np.log(p) for c, p in ((x1, p1), (n1 - x1, 1 - p1), (x0, p0), (n0 - x0, 1 - p0)) if c]
            return -sum(terms)

        best = minimize_scalar(
            minus_log_likelihood, bounds=(1e-12, top - 1e-12), method="bounded", options={"xatol": 1e-13}
        )
        p0 = best.x
        p1 = ratio * p0
        variance = p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0
        return (x1 / n1 - ratio * x0 / n0) ** 2 / variance - 1.959963984540054**2

    middle = np.log((x1 / n1) / (x0 / n0))
    return np.exp(brentq(statistic, middle - 5, middle - 1e-6)), np.exp(brentq(statistic, middle + 1e-6, middle + 5))


@pytest.mark.parametrize("x", [(12, 12, 30, 60), (5, 5, 4, 40), (20, 89, 35, 88)], ids=["all", "all of few", "plain"])
def test_score_ratio_agrees_with_brute_force_also_where_everybody_is_identified(x):
    row = risk_ratio(*([v] for v in x)).iloc[0]
    assert (row["lower"], row["upper"]) == pytest.approx(brute_force_limits(*x), rel=1e-4)


@pytest.mark.parametrize(
    ("x", "estimate", "lower_is_zero", "upper_is_infinite"),
    [((0, 10, 5, 50), 0.0, True, False), ((5, 10, 0, 50), np.inf, False, True), ((0, 10, 0, 50), np.nan, True, True)],
    ids=["nobody in the group", "nobody in the comparator", "nobody at all"],
)
def test_ratio_at_zero(x, estimate, lower_is_zero, upper_is_infinite):
    row = risk_ratio(*([v] for v in x)).iloc[0]
    assert row["estimate"] == estimate or (np.isnan(row["estimate"]) and np.isnan(estimate))
    assert (row["lower"] == 0) == lower_is_zero
    assert np.isinf(row["upper"]) == upper_is_infinite


def test_katz_gives_the_known_answer_for_plans_in_time():
    row = risk_ratio([20], [89], [35], [88], method="katz").iloc[0]
    assert [round(v, 2) for v in row[["estimate", "lower", "upper"]]] == [0.57, 0.36, 0.90]


def test_newcombe_difference_gives_the_published_example():
    row = risk_difference([56], [70], [48], [80]).iloc[0]
    assert [round(v, 4) for v in row[["estimate", "lower", "upper"]]] == [0.2, 0.0524, 0.3339]


def test_p_value_agrees_with_statsmodels_and_goes_exact_for_small_numbers():
    from scipy.stats import fisher_exact
    from statsmodels.stats.proportion import proportions_ztest

    values = equal_risks_p_value([20, 1], [89, 6], [35, 30], [88, 400])["estimate"]
    assert values[0] == pytest.approx(proportions_ztest([20, 35], [89, 88])[1], rel=1e-9)
    assert values[1] == pytest.approx(fisher_exact([[1, 5], [30, 370]]).pvalue, rel=1e-9)


def test_false_discovery_agrees_with_statsmodels_and_leaves_missing_out():
    from statsmodels.stats.multitest import multipletests

    p = [0.001, 0.04, 0.03, 0.5, 0.012]
    expected = multipletests(p, method="fdr_bh")[1]
    shown = false_discovery([*p[:2], None, *p[2:]])
    assert np.isnan(shown[2])
    assert shown.dropna().tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_poisson_limits_are_exact_under_ten_and_close_to_exact_from_ten():
    from scipy.stats import chi2

    exact = lambda x: (chi2.ppf(0.025, 2 * x) / 2, chi2.ppf(0.975, 2 * x + 2) / 2)  # noqa: E731
    frame = rate([5, 40], [1, 1])
    assert frame.loc[0, ["lower", "upper"]].tolist() == pytest.approx(exact(5), rel=1e-9)
    assert frame.loc[1, ["lower", "upper"]].tolist() == pytest.approx(exact(40), rel=2e-3)


def test_columns_of_different_length_are_a_mistake_of_the_caller():
    with pytest.raises(MeasureError, match="length"):
        proportion([1, 2], [3])
