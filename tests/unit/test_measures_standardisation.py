"""Direct and indirect standardisation against a peer's figures, exact arithmetic and the edges."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from jsna.errors import MeasureError
from jsna.measures import directly_standardised_rate, indirectly_standardised_ratio

AREAS = pd.DataFrame(
    {
        "area": ["Luton"] * 4 + ["Slough"] * 4,
        "x": [12, 40, 33, 9, 4, 11, 27, 30],
        "n": [300, 410, 260, 90, 150, 200, 240, 310],
        "standard": [5000, 5500, 5500, 5500] * 2,
        "reference_x": [310, 820, 640, 200] * 2,
        "reference_n": [9000, 10000, 9500, 8000] * 2,
    }
)

# PHStatsMethods 0.1.16 on that table: ph_dsr(multiplier=1000, euro_standard_pops=False) and ph_ISRatio(refvalue=1).
PEER_DIRECT = {
    0.95: [[92.3098739037, 71.3042133629, 116.800458285], [73.8065766442, 57.4255251619, 93.3313367238]],
    0.998: [[92.3098739037, 60.6898370028, 131.9078284456], [73.8065766442, 49.3145783065, 105.4839971807]],
}
PEER_INDIRECT = {
    0.95: [[1.4752243261, 1.1921007216, 1.8053192789], [1.5829363778, 1.2384997937, 1.9934742285]],
    0.998: [[1.4752243261, 1.0490354517, 2.008943111], [1.5829363778, 1.0679547691, 2.2490024441]],
}
LIMITS = ["estimate", "lower", "upper"]


def _direct(frame, **named):
    return directly_standardised_rate(frame["x"], frame["n"], frame["standard"], frame["area"], **named)


def _indirect(frame, **named):
    columns = (frame[c] for c in ("x", "n", "reference_x", "reference_n", "area"))
    return indirectly_standardised_ratio(*columns, **named)


@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_direct_rates_are_those_of_a_peer(confidence):
    answer = _direct(AREAS, multiplier=1000, confidence=confidence)
    assert answer.index.tolist() == ["Luton", "Slough"]
    assert answer.index.name == "area"
    np.testing.assert_allclose(answer[LIMITS], PEER_DIRECT[confidence], rtol=1e-9)


@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_indirect_ratios_are_those_of_a_peer(confidence):
    answer = _indirect(AREAS, confidence=confidence)
    np.testing.assert_allclose(answer[LIMITS], PEER_INDIRECT[confidence], rtol=1e-9)
    np.testing.assert_allclose(answer["expected"], [63.719122807, 45.4850877193], rtol=1e-9)
    assert answer["observed"].tolist() == [94, 72]


def test_binomial_variance_is_that_of_exact_arithmetic_and_narrower():
    rows = AREAS[AREAS["area"] == "Luton"]
    whole = Fraction(int(rows["standard"].sum()))
    variance = sum(
        Fraction(int(w), int(whole)) ** 2 * Fraction(int(x * (n - x)), int(n) ** 3)
        for x, n, w in zip(rows["x"], rows["n"], rows["standard"], strict=True)
    )
    observed = 94
    byar = 95 * (1 - 1 / (9 * 95) + 1.959963984540054 / (3 * math.sqrt(95))) ** 3
    answer, poisson = _direct(rows, variance="binomial").iloc[0], _direct(rows).iloc[0]
    expected = answer["estimate"] + math.sqrt(float(variance) / observed) * (byar - observed)
    assert answer["upper"] == pytest.approx(expected, rel=1e-12)
    assert poisson["lower"] < answer["lower"] < answer["upper"] < poisson["upper"]


@pytest.mark.parametrize(
    ("column", "value", "status"),
    [
        pytest.param("x", None, "missing", id="count-missing"),
        pytest.param("n", None, "missing", id="total-missing"),
        pytest.param("standard", None, "missing", id="standard-missing"),
        pytest.param("standard", math.inf, "missing", id="standard-infinite"),
        pytest.param("standard", -1, "negative", id="standard-negative"),
        pytest.param("x", -1, "negative", id="negative"),
        pytest.param("x", 1.5, "not a whole number", id="fraction"),
        pytest.param("x", 301, "count above total", id="above-total"),
        pytest.param("n", 0, "count above total", id="some-of-nobody"),
    ],
)
def test_a_bad_stratum_fails_its_own_area_and_no_other(column, value, status):
    frame = AREAS.astype({column: "float64"})
    frame.loc[0, column] = value
    answer = _direct(frame)
    assert answer["status"].tolist() == [status, ""]
    assert answer.loc["Luton", [*LIMITS, "observed"]].isna().all()
    pd.testing.assert_series_equal(answer.loc["Slough"], _direct(AREAS).loc["Slough"])


def test_an_empty_stratum_has_no_rate_to_weight():
    frame = AREAS.copy()
    frame.loc[0, ["x", "n"]] = 0
    assert _direct(frame)["status"].tolist() == ["no pupils", ""]


def test_a_standard_of_nobody_is_named():
    assert directly_standardised_rate([20], [90], [0], ["Luton"])["status"].tolist() == ["standard has nobody"]


@pytest.mark.parametrize(("events", "status"), [(0, "fewer than 10 events"), (9, "fewer than 10 events"), (10, "")])
def test_fewer_than_10_events_are_no_rate(events, status):
    row = directly_standardised_rate([events], [90], [1], ["Luton"]).iloc[0]
    assert row["status"] == status
    assert np.isnan(row["estimate"]) == (status != "")
    assert row["observed"] == events


def test_where_every_stratum_is_all_or_nothing_there_is_no_binomial_limit():
    row = directly_standardised_rate([40, 0], [40, 30], [1, 3], ["a", "a"], variance="binomial").iloc[0]
    assert row["estimate"] == 0.25
    assert np.isnan(row["lower"])
    assert row["status"] == "nothing varies"


def test_limits_stay_at_0_and_for_shares_at_1():
    skewed = directly_standardised_rate([10, 1], [1000, 1000], [1, 10_000], ["a", "a"]).iloc[0]
    assert skewed["lower"] == 0.0 < skewed["estimate"]
    high = directly_standardised_rate([1, 29], [30, 30], [1, 10_000], ["a", "a"], variance="binomial", multiplier=100)
    assert high["upper"].item() == 100.0


def test_an_unknown_variance_is_refused():
    with pytest.raises(MeasureError, match="variance"):
        directly_standardised_rate([10], [90], [1], ["a"], variance="gamma")  # pyright: ignore[reportArgumentType]


def test_a_key_of_another_length_is_refused():
    with pytest.raises(MeasureError, match="length"):
        directly_standardised_rate([10], [90], [1], ["a", "b"])


def test_rows_without_a_key_are_a_group_of_their_own():
    answer = directly_standardised_rate([10, 20], [90, 90], [1, 1], ["a", None])
    assert answer["observed"].tolist() == [10, 20]


@pytest.mark.parametrize("observed", [0, 1, 9, 10, 40])
def test_indirect_limits_are_near_the_exact_poisson_ones(observed):
    row = indirectly_standardised_ratio([observed], [50], [200], [1000], ["a"]).iloc[0]
    lower = chi2.ppf(0.025, 2 * observed) / 2 if observed else 0.0
    upper = chi2.ppf(0.975, 2 * observed + 2) / 2
    assert (row["lower"], row["upper"]) == pytest.approx((lower / 10, upper / 10), rel=1e-9 if observed < 10 else 3e-3)
    assert row["estimate"] == pytest.approx(observed / 10)


@pytest.mark.parametrize(
    ("stratum", "status"),
    [
        pytest.param((1, 20, 0, 500), "nothing expected", id="none-expected"),
        pytest.param((0, 0, 5, 500), "nothing expected", id="nobody"),
        pytest.param((0, 0, 0, 0), "nothing expected", id="nobody-at-all"),
        pytest.param((1, 20, 0, 0), "reference has nobody", id="no-reference"),
        pytest.param((1, 20, 6, 5), "count above total", id="reference-above-total"),
        pytest.param((21, 20, 5, 500), "count above total", id="above-total"),
        pytest.param((1, None, 5, 500), "missing", id="missing"),
        pytest.param((1, 20, None, 500), "missing", id="reference-missing"),
        pytest.param((-1, 20, 5, 500), "negative", id="negative"),
    ],
)
def test_an_indirect_ratio_that_cannot_be_calculated_says_why(stratum, status):
    x, n, x0, n0 = ([v, w] for v, w in zip(stratum, (8, 100, 60, 1000), strict=True))
    answer = indirectly_standardised_ratio(x, n, x0, n0, ["bad", "good"])
    assert answer["status"].tolist() == [status, ""]
    assert answer.loc["bad", LIMITS].isna().all()
    assert answer.loc["good", "estimate"] == pytest.approx(8 / 6)


def test_the_gravest_of_several_faults_is_named_whatever_the_order():
    bad = [(5, 4), (None, 4), (-1, 4)]
    for rows in (bad, bad[::-1]):
        x, n = zip(*rows, strict=True)
        assert directly_standardised_rate(x, n, [1] * 3, ["a"] * 3)["status"].tolist() == ["missing"]
