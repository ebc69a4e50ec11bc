"""What holds of weights, agreement and limits of audits whatever the numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jsna.evidence.voice.audits import finite_interval
from jsna.evidence.voice.raking import design_effect, rake, trimmed
from jsna.evidence.voice.sample_size import sample_size
from jsna.evidence.voice.themes import agreement
from jsna.evidence.voice.weighting import join_small, weigh
from jsna.measures import proportion
from jsna.measures.proportions import share_interval

GROUPS = st.lists(st.sampled_from("ABCD"), min_size=1, max_size=120)
SHARE = st.floats(0.05, 1.0)


@settings(max_examples=60, deadline=None)
@given(GROUPS, st.lists(SHARE, min_size=4, max_size=4), st.randoms())
def test_weighted_answers_have_the_margin_and_order_does_not_matter(told, shares, random):
    there = sorted(set(told))
    margin = pd.Series(shares[: len(there)], index=there)
    groups = pd.DataFrame({"g": told})
    made = rake(groups, {"g": margin})
    assert made.converged
    assert made.weights.mean() == pytest.approx(1)
    seen = made.weights.groupby(groups["g"]).sum() / len(told)
    np.testing.assert_allclose(seen, margin / margin.sum(), atol=1e-8)
    order = list(range(len(told)))
    random.shuffle(order)
    again = rake(groups.iloc[order], {"g": margin}).weights.sort_index()
    np.testing.assert_allclose(again, made.weights, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_weights_cost_answers_and_trimming_costs_fewer(values):
    weights = pd.Series(values)
    assert 1 - 1e-9 <= design_effect(weights) <= len(values) + 1e-9
    held = trimmed(weights, 4.0, 0.25)
    assert held.mean() == pytest.approx(1)
    assert design_effect(held) <= design_effect(weights) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 30), min_size=2))
def test_no_group_of_fewer_than_ten_is_weighted_by_itself(counts):
    told = pd.Series([g for g, n in counts.items() for _ in range(n)], dtype="object")
    joined, said = join_small(told, pd.Series(dict.fromkeys(counts, 50.0)), "ethnicity_major")
    if joined:
        assert set(joined) == set(counts)
        assert (told.map(joined).value_counts() >= 10).all()
        assert len(set(joined.values())) >= 2
    if not joined or any(n < 10 for n in counts.values()):
        assert said


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 60), st.integers(10, 60), st.integers(0, 20), st.floats(0.1, 0.9))
def test_those_of_unknown_group_never_change_what_they_stand_for(a, b, unknown, share):
    told = pd.DataFrame({"ethnicity_major": ["A"] * a + ["B"] * b + [""] * unknown, "weight": 1.0})
    margin = pd.DataFrame({"characteristic": "ethnicity_major", "group": ["A", "B"], "population": [share, 1 - share]})
    made = weigh(told, margin)
    of = made.weights.groupby(told["ethnicity_major"]).sum() / len(told)
    assume(made.weights.max() < 4 and made.weights.min() > 0.25)
    assert of.get("", 0.0) == pytest.approx(unknown / len(told))
    assert of["A"] / (of["A"] + of["B"]) == pytest.approx(share)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 40), st.integers(0, 60), st.data())
def test_limits_of_audits_hold_the_share_and_are_narrower_than_of_an_endless_frame(drawn, more, data):
    found = data.draw(st.integers(0, drawn))
    lower, upper = finite_interval(found, drawn, drawn + more)
    assert 0 <= lower <= found / drawn <= upper <= 1
    assert more or lower == upper
    other = finite_interval(drawn - found, drawn, drawn + more)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((lower, upper))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("1234")), min_size=20, max_size=60), st.booleans())
def test_agreement_is_the_same_whoever_is_first(pairs, ordered):
    first, second = (pd.Series([p[i] for p in pairs]) for i in (0, 1))
    one, other = agreement(first, second, ordered=ordered), agreement(second, first, ordered=ordered)
    np.testing.assert_allclose([one.kappa, one.lower], [other.kappa, other.lower], equal_nan=True, atol=1e-9)
    if not np.isnan(one.kappa):
        assert one.lower <= one.kappa <= one.upper
        assert (one.same == 100) == (one.kappa > 1 - 1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500), st.data())
def test_the_interval_of_equal_weights_is_that_of_the_answers(n, data):
    x = data.draw(st.integers(0, n))
    plain = proportion([x], [n]).iloc[0]
    lower, upper = share_interval([x / n], [n])
    assert (lower[0], upper[0]) == pytest.approx((plain["lower"], plain["upper"]))
    wider = share_interval([x / n], [n / 2])
    assert wider[1][0] - wider[0][0] >= upper[0] - lower[0] - 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 100_000), st.floats(1, 20), st.floats(5, 100))
def test_more_answers_are_never_needed_than_there_are_people(population, margin, response):
    found = sample_size(population, margin, response=response)
    assert 1 <= found.answers <= population
    assert found.answers <= sample_size(population, margin / 2, response=response).answers
    assert found.invited >= found.answers
