"""What must hold of every measure whatever the counts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disproportionality import crude
from jsna.measures import (
    directly_standardised_rate,
    e_value,
    equal_risks_p_value,
    false_discovery,
    funnel_limits,
    index_80,
    indirectly_standardised_ratio,
    missing_group_bounds,
    odds_ratio,
    percentage_point_gap,
    proportion,
    proportionality_index,
    quantile,
    rate,
    risk_difference,
    risk_ratio,
    slope_index,
)

LARGEST = 9_000_000
share = st.integers(1, LARGEST).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small_share = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
either = st.one_of(small_share, share)
measures = settings(max_examples=150, deadline=None)


def _one(function, *values, **named):
    return function(*([v] for v in values), **named).iloc[0]


@measures
@given(either)
def test_a_share_lies_in_its_interval_and_that_from_0_to_1(xn):
    row = _one(proportion, *xn)
    assert 0 <= row["lower"] <= row["estimate"] <= row["upper"] <= 1
    assert row["lower"] < row["upper"]


@measures
@given(either, either)
def test_a_ratio_lies_in_its_interval_and_inverts_when_groups_swap(first, second):
    there, back = _one(risk_ratio, *first, *second), _one(risk_ratio, *second, *first)
    assert 0 <= there["lower"] <= there["upper"]
    if not np.isnan(there["estimate"]):
        assert there["lower"] <= there["estimate"] * (1 + 1e-12)
        assert there["estimate"] <= there["upper"] * (1 + 1e-12)
    with np.errstate(divide="ignore"):
        swapped = 1 / np.array([back["estimate"], back["upper"], back["lower"]], dtype=float)
    found = np.array([there["estimate"], there["lower"], there["upper"]], dtype=float)
    np.testing.assert_allclose(found, swapped, rtol=1e-6)


@measures
@given(either, either)
def test_a_gap_lies_in_its_interval_and_turns_its_sign_when_groups_swap(first, second):
    there, back = _one(risk_difference, *first, *second), _one(risk_difference, *second, *first)
    assert -1 - 1e-12 <= there["lower"] <= there["estimate"] <= there["upper"] <= 1 + 1e-12
    assert abs(there["lower"] + back["upper"]) < 1e-12


@measures
@given(small_share, small_share)
def test_a_p_value_is_a_probability_and_does_not_depend_on_who_is_first(first, second):
    p, q = _one(equal_risks_p_value, *first, *second), _one(equal_risks_p_value, *second, *first)
    if p["status"] == "":
        assert 0 <= p["estimate"] <= 1
        assert abs(p["estimate"] - q["estimate"]) < 1e-9


@measures
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=30))
def test_q_is_never_under_p_and_never_turns_the_order_round(values):
    p = pd.Series(values, dtype="float64")
    q = false_discovery(p)
    known = p.notna()
    assert (q.isna() == p.isna()).all()
    assert (q[known] >= p[known] - 1e-12).all()
    assert q[p[known].sort_values().index].is_monotonic_increasing


@measures
@given(st.integers(0, 100_000), st.floats(0.1, 1e6))
def test_a_rate_lies_in_its_interval(events, exposure):
    row = _one(rate, events, exposure)
    assert 0 <= row["lower"] <= row["estimate"] < row["upper"]


@st.composite
def families(draw):
    pairs = draw(st.lists(small_share, min_size=2, max_size=8))
    known = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    x, n = zip(*pairs, strict=True)
    return pd.DataFrame({"group": [f"g{i}" for i in range(len(pairs))], "x": x, "n": n, "known": known})


def _crude(frame):
    answer = crude(frame, group="group", count="x", total="n", known="known")
    return answer.set_index("group").sort_index()


@settings(max_examples=40, deadline=None)
@given(families(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(_crude(frame), _crude(frame.iloc[order]))


@settings(max_examples=40, deadline=None)
@given(families())
def test_a_group_of_nobody_changes_nothing_for_the_others(frame):
    nobody = pd.DataFrame({"group": ["nobody"], "x": [0], "n": [0], "known": [True]})
    pd.testing.assert_frame_equal(_crude(frame), _crude(pd.concat([frame, nobody])).drop("nobody"))


@settings(max_examples=40, deadline=None)
@given(families())
def test_every_pupil_of_known_group_is_in_the_group_or_its_comparator(frame):
    answer = _crude(frame)
    known = frame.set_index("group")["known"]
    both = answer["denominator"].where(known, 0) + answer["comparator_denominator"]
    assert (both == frame.loc[frame["known"], "n"].sum()).all()


grouped_measures = settings(max_examples=40, deadline=None)
strata = st.lists(st.tuples(st.sampled_from("abc"), small_share, st.integers(1, 5)), min_size=1, max_size=12)


def _columns(rows):
    key, pairs, third = zip(*rows, strict=True)
    x, n = zip(*pairs, strict=True)
    return pd.Series(x), pd.Series(n), pd.Series(third), pd.Series(key)


def _direct(rows):
    x, n, weight, key = _columns(rows)
    return directly_standardised_rate(x, n, weight, key)


def _indirect(rows):
    x, n, k, key = _columns(rows)
    return indirectly_standardised_ratio(x, n, 7 * k, 60 + k, key)


def _slope(rows):
    x, n, q, key = _columns(rows)
    return slope_index(x, n, q, by=key, k=5)


def _highest(rows):
    """Rows in the order of what they hold, as the index is that of the input."""
    x, n, _, key = _columns(rows)
    answer = index_80(x, n, by=key).assign(x=x, n=n)
    return answer.set_index(key).sort_values(["x", "n"], kind="stable")


def _families(rows):
    x, n, _, key = _columns(rows)
    answer = pd.DataFrame({"p": x / n, "q": false_discovery(x / n, by=key)})
    return answer.set_index(key).sort_values(["p"], kind="stable")


BY_GROUP = [_direct, _indirect, _slope, _highest, _families]
named = pytest.mark.parametrize("function", BY_GROUP, ids=lambda f: f.__name__)


def _same(first, second):
    pd.testing.assert_frame_equal(
        first.sort_index(kind="stable"), second.sort_index(kind="stable"), check_names=False, rtol=1e-9, atol=1e-12
    )


@named
@grouped_measures
@given(rows=strata, random=st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_rows(function, rows, random):
    shuffled = random.sample(rows, len(rows))
    _same(function(rows), function(shuffled))


@named
@grouped_measures
@given(rows=strata, others=strata)
def test_groups_do_not_depend_on_other_groups(function, rows, others):
    alone, among = function(rows), function([*((f"{k}!", *rest) for k, *rest in others), *rows])
    _same(alone, among.loc[among.index.isin(alone.index)])


@pytest.mark.parametrize("function", [_indirect, _slope], ids=lambda f: f.__name__)
@grouped_measures
@given(rows=strata, place=st.integers(0, 11), data=st.data())
def test_a_stratum_told_in_two_rows_or_with_a_row_of_nobody_changes_nothing(function, rows, place, data):
    key, (x, n), third = rows[place % len(rows)]
    part = data.draw(st.integers(0, n))
    identified = data.draw(st.integers(max(0, x - (n - part)), min(x, part)))
    two = [(key, (identified, part), third), (key, (x - identified, n - part), third)]
    rest = [row for i, row in enumerate(rows) if i != place % len(rows)]
    _same(function(rows), function([*rest, *two, (key, (0, 0), third)]))


@grouped_measures
@given(rows=strata)
def test_standardised_rates_and_slopes_lie_in_their_intervals(rows):
    for answer in (_direct(rows), _direct(rows * 3), _indirect(rows), _slope(rows)):
        known = answer.dropna(subset=["estimate", "lower", "upper"])
        assert (known["lower"] <= known["estimate"] + 1e-12).all()
        assert (known["estimate"] <= known["upper"] + 1e-12).all()
    slope = _slope(rows).dropna(subset=["relative_index_lower"])
    assert slope["relative_index"].between(slope["relative_index_lower"], slope["relative_index_upper"]).all()


@measures
@given(st.lists(small_share, min_size=1, max_size=6))
def test_a_group_with_the_standards_own_make_up_has_its_crude_rate(pairs):
    x, n = zip(*pairs, strict=True)
    answer = directly_standardised_rate(x, n, n, ["a"] * len(x)).iloc[0]
    if answer["status"] == "":
        assert abs(answer["estimate"] - sum(x) / sum(n)) < 1e-12


@pytest.mark.parametrize("method", ["wald", "haldane", "fisher"])
@measures
@given(first=small_share, second=small_share)
def test_an_odds_ratio_lies_in_its_interval_and_inverts_when_groups_swap(method, first, second):
    there = _one(odds_ratio, *first, *second, method=method)
    back = _one(odds_ratio, *second, *first, method=method)
    assert there["status"] == back["status"]
    if not np.isnan(there["estimate"]):
        assert there["lower"] <= there["estimate"] * (1 + 1e-9)
        assert there["estimate"] <= there["upper"] * (1 + 1e-9)
    with np.errstate(divide="ignore"):
        swapped = 1 / np.array([back["estimate"], back["upper"], back["lower"]], dtype=float)
    found = np.array([there["estimate"], there["lower"], there["upper"]], dtype=float)
    np.testing.assert_allclose(found, swapped, rtol=1e-8)


@measures
@given(either, either)
def test_shares_of_shares_lie_in_their_intervals(group, rest):
    whole = (group[0] + rest[0], group[1] + rest[1])
    for row in (_one(proportionality_index, *group, *whole), _one(percentage_point_gap, *group, *whole)):
        if not np.isnan(row["estimate"]):
            assert row["lower"] <= row["estimate"] * (1 + 1e-12) + 1e-12
            assert row["estimate"] <= row["upper"] * (1 + 1e-12) + 1e-12


@measures
@given(st.lists(small_share, min_size=1, max_size=8))
def test_nobody_passes_the_highest_risk_of_the_family(pairs):
    x, n = (np.array(column) for column in zip(*pairs, strict=True))
    answer = index_80(x, n)
    assert ((answer["status"] == "highest risk") == ((x / n == (x / n).max()) & (x > 0).any())).all()
    assert answer["estimate"].dropna().between(0, 1).all()
    _same(answer, index_80([*x, 0, 0], [*n, 0, 0]).iloc[: len(x)])


@measures
@given(st.integers(1, 100_000), st.floats(0.0001, 0.9999), st.floats(0, 50))
def test_funnels_hold_the_average_and_are_wider_with_overdispersion_and_level(n, average, phi):
    plain, wide = (funnel_limits([n], average, overdispersion=p).iloc[0] for p in (None, phi))
    assert 0 <= plain["lower_99_8"] <= plain["lower_95"] <= plain["upper_95"] <= plain["upper_99_8"] <= 1
    assert plain["lower_95"] <= average <= plain["upper_95"]
    assert wide["lower_95"] <= plain["lower_95"] + 1e-12
    assert wide["upper_95"] >= plain["upper_95"] - 1e-12


@measures
@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=60), st.integers(1, 10))
def test_quantiles_follow_the_order_of_the_values_and_nothing_else(values, k):
    parts, score = quantile(values, k)["estimate"], pd.Series(values, dtype="float64")
    known = parts.notna()
    assert known.equals(score.notna() & (score.count() >= k))
    assert parts[known].between(1, k).all()
    assert parts[score[known].sort_values().index].is_monotonic_decreasing
    assert quantile(score**3 * 7 + 1, k)["estimate"].equals(parts)
    assert quantile(-score, k, inverted=False)["estimate"].equals(parts)


@measures
@given(small_share, small_share, st.integers(0, 4).flatmap(lambda u: st.tuples(st.integers(0, u), st.just(u))))
def test_no_placing_of_unknown_pupils_goes_beyond_the_bounds(group, rest, unknown):
    (x, n), (x0, n0), (s, u) = group, rest, unknown
    row = _one(missing_group_bounds, *group, *rest, *unknown)
    for i in range(s + 1):
        for j in range(u - s + 1):
            if x0 + s - i and not np.isnan(row["lower"]):
                ratio = (x + i) / (n + i + j) / ((x0 + s - i) / (n0 + u - i - j))
                assert row["lower"] * (1 - 1e-12) <= ratio <= row["upper"] * (1 + 1e-12)
    if row["status"] == "":
        assert row["lower"] <= row["estimate"] * (1 + 1e-12) <= row["upper"] * (1 + 2e-12)


@measures
@given(st.floats(1e-6, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_an_e_value_is_that_of_the_ratio_turned_round_and_the_limit_never_asks_for_more(ratio, below, above):
    low, high = ratio * (1 - below), ratio * (1 + above)
    there = _one(e_value, ratio, low, high)
    with np.errstate(divide="ignore"):
        back = _one(e_value, 1 / ratio, 1 / high, float(np.divide(1.0, low)))
    if there["status"] == back["status"] == "":
        np.testing.assert_allclose([there["estimate"], there["limit"]], [back["estimate"], back["limit"]], rtol=1e-6)
        assert 1 <= there["limit"] <= there["estimate"] * (1 + 1e-9)
