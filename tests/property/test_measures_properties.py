"""What must hold of every measure whatever the counts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disproportionality import crude
from jsna.measures import equal_risks_p_value, false_discovery, proportion, rate, risk_difference, risk_ratio

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
