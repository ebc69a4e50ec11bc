"""Closed forms to 1e-9 of exact arithmetic from 0 to 9 million pupils, score limits too. Formulas written again."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import product

import pytest

from jsna.measures import (
    directly_standardised_rate,
    e_value,
    indirectly_standardised_ratio,
    missing_group_bounds,
    odds_ratio,
    percentage_point_gap,
    proportion,
    proportionality_index,
    rate,
    risk_difference,
    risk_ratio,
    slope_index,
)

Z = Decimal("1.959963984540054235524594430520551527955550")
M = 9_000_000
SHARES = [(0, 1), (1, 1), (0, M), (1, M), (7, M), (20, 89), (1_530_000, M), (4_500_000, M), (M - 1, M), (M, M), (3, 3)]
PAIRS = list(product(SHARES, SHARES))
CLOSE = 1e-9


@pytest.fixture(autouse=True)
def sixty_digits():
    with localcontext() as context:
        context.prec = 60
        yield


def _close(found, wanted, relative=CLOSE) -> bool:
    wanted = Decimal(wanted)
    return abs(Decimal(float(found)) - wanted) <= Decimal(relative) * abs(wanted)


def _wilson(x, n) -> tuple[Decimal, Decimal]:
    x, n = Decimal(x), Decimal(n)
    p = x / n
    centre, half = p + Z**2 / (2 * n), Z * (p * (1 - p) / n + Z**2 / (4 * n**2)).sqrt()
    return (centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n)


def _byar(x) -> tuple[Decimal, Decimal]:
    x, above = Decimal(x), Decimal(x) + 1
    third = Decimal(1) / 3
    return (
        x * (1 - 1 / (9 * x) - Z * third / x.sqrt()) ** 3,
        above * (1 - 1 / (9 * above) + Z * third / above.sqrt()) ** 3,
    )


@pytest.mark.parametrize(("x", "n"), SHARES)
def test_wilson(x, n):
    row, (lower, upper) = proportion([x], [n]).iloc[0], _wilson(x, n)
    assert row["lower"] == 0 if x == 0 else _close(row["lower"], lower)
    assert row["upper"] == 1 if x == n else _close(row["upper"], upper)


@pytest.mark.parametrize("x", [10, 11, 999, 1_530_000, M])
def test_byar(x):
    row = rate([x], [x]).iloc[0]
    for found, wanted in zip((row["lower"], row["upper"]), _byar(x), strict=True):
        assert _close(found, wanted / x)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_newcombe(first, second):
    row = risk_difference(*([v] for v in (*first, *second))).iloc[0]
    (p, q), (l1, u1), (l0, u0) = (Decimal(x) / n for x, n in (first, second)), _wilson(*first), _wilson(*second)
    below, above = ((p - l1) ** 2 + (u0 - q) ** 2).sqrt(), ((u1 - p) ** 2 + (q - l0) ** 2).sqrt()
    assert _close(row["estimate"], p - q)
    # A limit that is the small difference of larger numbers is as exact as they are.
    assert abs(Decimal(row["lower"]) - (p - q - below)) <= Decimal("1e-9") * (abs(p - q) + below)
    assert abs(Decimal(row["upper"]) - (p - q + above)) <= Decimal("1e-9") * (abs(p - q) + above)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_katz_and_wald(first, second):
    (x1, n1), (x0, n0) = first, second
    if x1 and x0:
        ratio = Decimal(x1 * n0) / (n1 * x0)
        error = (Decimal(1) / x1 - Decimal(1) / n1 + Decimal(1) / x0 - Decimal(1) / n0).sqrt()
        row = risk_ratio([x1], [n1], [x0], [n0], method="katz").iloc[0]
        assert _close(row["estimate"], ratio)
        if (x1, x0) == (n1, n0):
            assert (str(row["lower"]), row["status"]) == ("nan", "nothing varies")
        else:
            assert _close(row["lower"], ratio * (-Z * error).exp())
            assert _close(row["upper"], ratio * (Z * error).exp())
    cells = (x1, n1 - x1, x0, n0 - x0)
    if all(cells):
        a, b, c, d = map(Decimal, cells)
        ratio, error = a * d / (b * c), sum(1 / v for v in (a, b, c, d)).sqrt()
        row = odds_ratio([x1], [n1], [x0], [n0]).iloc[0]
        assert _close(row["estimate"], ratio)
        assert _close(row["lower"], ratio * (-Z * error).exp())
        assert _close(row["upper"], ratio * (Z * error).exp())


def _statistic(x1, n1, x0, n0, ratio: Decimal) -> Decimal:
    a, b, c = ratio * (n1 + n0), -(ratio * n1 + x1 + n0 + ratio * x0), Decimal(x1 + x0)
    p0 = min(2 * c / (-b + max(b * b - 4 * a * c, Decimal(0)).sqrt()), Decimal(1), 1 / ratio)
    p1 = min(ratio * p0, Decimal(1))
    variance = p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0
    distance = (Decimal(x1) / n1 - ratio * x0 / n0) ** 2
    return distance / variance if variance > Decimal("1e-45") else Decimal(0 if distance < Decimal("1e-30") else 10**9)


@pytest.mark.parametrize(("first", "second"), [p for p in PAIRS if p[0][0] or p[1][0]])
def test_score_limits(first, second):
    """At the limit the statistic crosses z²: 1e-9 to either side it is on either side of it."""
    table = (*first, *second)
    row, z2 = risk_ratio(*([v] for v in table)).iloc[0], Z**2
    step = Decimal("1e-9")
    if first[0]:
        lower = Decimal(row["lower"])
        assert _statistic(*table, lower * (1 - step)) > z2 > _statistic(*table, lower * (1 + step))
    else:
        assert row["lower"] == 0
    if second[0]:
        upper = Decimal(row["upper"])
        assert _statistic(*table, upper * (1 - step)) < z2 < _statistic(*table, upper * (1 + step))
    else:
        assert row["upper"] == float("inf")


STRATA = [(1, M, 3), (1_530_000, M, 5_000_000), (20, 89, 7_000_000), (0, 5, 11), (89, 89, 1)]


@pytest.mark.parametrize("variance", ["poisson", "binomial"])
def test_dobson(variance):
    x, n, w = zip(*STRATA, strict=True)
    row = directly_standardised_rate(x, n, w, ["a"] * len(x), variance=variance).iloc[0]
    x, n, w = ([Decimal(v) for v in column] for column in (x, n, w))
    whole, observed = sum(w), sum(x)
    rows = list(zip(x, n, w, strict=True))
    estimate = sum(c * a / b for a, b, c in rows) / whole
    spread = sum((c / b) ** 2 * (a if variance == "poisson" else a * (b - a) / b) for a, b, c in rows) / whole**2
    lower, upper = (estimate + (spread / observed).sqrt() * (limit - observed) for limit in _byar(observed))
    for found, wanted in zip(row[["estimate", "lower", "upper"]], (estimate, lower, upper), strict=True):
        assert _close(found, wanted)


def test_indirect_ratio():
    x, n, _ = zip(*STRATA, strict=True)
    x0, n0 = [1, 900_000, 3_000_000, 7, 5], [M, M, M, 8, 89]
    row = indirectly_standardised_ratio(x, n, x0, n0, ["a"] * len(x)).iloc[0]
    expected = sum(Decimal(b) * c / d for b, c, d in zip(n, x0, n0, strict=True))
    assert _close(row["expected"], expected)
    for found, wanted in zip(row[["estimate", "lower", "upper"]], (sum(x), *_byar(sum(x))), strict=True):
        assert _close(found, wanted / expected)


@pytest.mark.parametrize(
    ("x", "n"), [((1_900_000, 1_400_000, 1), (M, M, 7)), ((20, 15, 9, 8, 3), (89, 80, 85, 81, 88))], ids=str
)
def test_slope_and_relative_index(x, n):
    row = slope_index(x, n, range(1, len(x) + 1)).iloc[0]
    whole = Decimal(sum(n))
    w, r = [v / whole for v in n], [Decimal(a) / b for a, b in zip(x, n, strict=True)]
    middle = [sum(w[:i]) + w[i] / 2 for i in range(len(w))]
    mean_b, mean_r = (sum(a * b for a, b in zip(w, column, strict=True)) for column in (middle, r))
    squares = sum(a * (b - mean_b) ** 2 for a, b in zip(w, middle, strict=True))
    c = [a * (b - mean_b) / squares for a, b in zip(w, middle, strict=True)]
    slope = sum(a * b for a, b in zip(c, r, strict=True))
    ends = [mean_r - slope * mean_b, mean_r + slope * (1 - mean_b)]
    variance = [p * (1 - p) / b for p, b in zip(r, n, strict=True)]
    error = sum(a**2 * v for a, v in zip(c, variance, strict=True)).sqrt()
    first, last = ([a + s * b for a, b in zip(w, c, strict=True)] for s in (-mean_b, 1 - mean_b))
    gradient = [b / ends[1] - a / ends[0] for a, b in zip(first, last, strict=True)]
    log_error = sum(g**2 * v for g, v in zip(gradient, variance, strict=True)).sqrt()
    ratio = ends[1] / ends[0]
    wanted = [slope, slope - Z * error, slope + Z * error]
    wanted += [ratio, ratio * (-Z * log_error).exp(), ratio * (Z * log_error).exp()]
    for found, exact in zip(row.iloc[:6], wanted, strict=True):
        assert _close(found, exact)


@pytest.mark.parametrize(("group", "rest"), [p for p in PAIRS if p[0][0] or p[1][0]])
def test_shares_and_gaps(group, rest):
    x, n, identified, pupils = *group, group[0] + rest[0], group[1] + rest[1]
    row = proportionality_index([x], [n], [identified], [pupils]).iloc[0]
    assert _close(row["estimate"], Decimal(x) / identified / (Decimal(n) / pupils))
    gap = percentage_point_gap([x], [n], [identified], [pupils]).iloc[0]
    assert _close(gap["estimate"], Decimal(x) / n - Decimal(identified) / pupils)


@pytest.mark.parametrize("unknown", [(0, 0), (0, 9), (9, 9), (200_000, 1_000_000)])
@pytest.mark.parametrize(("first", "second"), [p for p in PAIRS if p[1][0]])
def test_bounds(first, second, unknown):
    (x, n), (x0, n0), (s, u) = first, second, unknown
    row = missing_group_bounds(*([v] for v in (x, n, x0, n0, s, u))).iloc[0]
    part = Decimal(n) / (n + n0)
    shared = (x + part * s) / (n + part * u) / ((x0 + (1 - part) * s) / (n0 + (1 - part) * u))
    assert _close(row["lower"], Decimal(x * (n0 + s)) / ((n + u - s) * (x0 + s)))
    assert _close(row["upper"], Decimal((x + s) * (n0 + u - s)) / ((n + s) * x0))
    assert _close(row["shared"], shared)


@pytest.mark.parametrize("ratio", [1e-7, 0.8, 0.999999, 1.0, 1.000001, 3.9, 1e7])
def test_e_value(ratio):
    away = max(Decimal(ratio), 1 / Decimal(ratio))
    assert _close(e_value([ratio], [ratio], [ratio])["estimate"].item(), away + (away * (away - 1)).sqrt())
