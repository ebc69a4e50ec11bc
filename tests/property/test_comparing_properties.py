"""What must hold of ranks, their intervals, trends and funnels of events whatever the counts are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.measures import rank_interval, ranked, top_places, trend_test
from jsna.measures.rate_funnel import rate_funnel_limits, rate_overdispersion
from jsna.measures.trend import FALLING, NOISE, RISING, TOO_FEW

share = st.integers(1, 9_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
areas = st.lists(st.one_of(small, share), min_size=1, max_size=12)
direction = st.sampled_from(["higher", "lower", "neutral"])
quick = settings(max_examples=60, deadline=None)


def _columns(pairs):
    return np.array(pairs, dtype=float).T


@quick
@given(areas, direction)
def test_a_rank_lies_in_its_interval_and_that_among_the_areas(pairs, way):
    made = rank_interval(*_columns(pairs), direction=way)
    there = made[made["status"] == ""]
    assert (there["rank_lower"] >= 1).all()
    assert (there["rank_lower"] <= there["rank"]).all()
    assert (there["rank"] <= there["rank_upper"]).all()
    assert (there["rank_upper"] <= there["of"]).all()
    assert made.loc[made["status"] != "", ["rank", "rank_lower", "rank_upper"]].isna().all(axis=None)


@quick
@given(areas)
def test_turned_round_the_best_is_the_worst(pairs):
    x, n = _columns(pairs)
    there, back = (rank_interval(x, n, direction=way) for way in ("higher", "lower"))
    # Equal figures share the better place in either direction, so only the limits are turned round.
    inside = (there["rank_lower"] < there["rank"]) & (there["rank"] < there["rank_upper"])
    inside &= (back["rank_lower"] < back["rank"]) & (back["rank"] < back["rank_upper"])
    assert (there["rank_lower"] + back["rank_upper"] == there["of"] + 1)[inside].all()


@quick
@given(areas)
def test_identified_and_not_identified_are_ranked_as_mirror_images(pairs):
    x, n = _columns(pairs)
    there, other = rank_interval(x, n, direction="higher"), rank_interval(n - x, n, direction="lower")
    columns = ["rank_lower", "rank_upper"]
    there, other = there[there["status"] == ""], other[other["status"] == ""]
    assert there[columns].equals(other[columns])


@quick
@given(areas, direction)
def test_a_surer_level_never_leaves_fewer_places(pairs, way):
    x, n = _columns(pairs)
    sure, surer = (rank_interval(x, n, direction=way, level=level) for level in (0.8, 0.99))
    there = sure["status"] == ""
    assert (surer["rank_lower"] <= sure["rank_lower"])[there].all()
    assert (surer["rank_upper"] >= sure["rank_upper"])[there].all()


@quick
@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=30), direction)
def test_ranks_follow_the_order_of_the_values(figures, way):
    made = ranked(figures, direction=way)
    known = [(f, r) for f, r in zip(figures, made["rank"], strict=True) if f is not None]
    better = (lambda a, b: a < b) if way == "lower" else (lambda a, b: a > b)
    for figure, rank in known:
        assert rank == 1 + sum(better(other, figure) for other, _ in known)


@quick
@given(st.lists(share, min_size=2, max_size=10), st.integers(1, 12))
def test_chances_lie_from_0_to_1_and_add_up_to_the_places(pairs, top):
    made = top_places(*_columns(pairs), top=top, direction="higher")
    assert made["chance"].between(0, 1).all()
    assert made["chance"].sum() == pytest.approx(min(top, len(pairs)), abs=0.02)


@quick
@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=12))
def test_a_published_series_backwards_has_the_opposite_trend(figures):
    years = list(range(len(figures)))
    there, back = (trend_test(years, series).iloc[0] for series in (figures, figures[::-1]))
    assert there["verdict"] == {RISING: FALLING, FALLING: RISING}.get(back["verdict"], back["verdict"])
    assert there["p_value"] == pytest.approx(back["p_value"], nan_ok=True)
    assert (there["verdict"] == TOO_FEW) == (sum(f is not None for f in figures) < 5)


@quick
@given(st.lists(st.one_of(small, share), min_size=5, max_size=12))
def test_a_series_of_counts_and_that_of_its_complement_have_opposite_trends(pairs):
    x, n = _columns(pairs)
    years = list(range(len(pairs)))
    there, other = (trend_test(years, numerator=count, denominator=n).iloc[0] for count in (x, n - x))
    if there["status"] == "":
        assert there["p_value"] == pytest.approx(other["p_value"], rel=1e-4, abs=1e-6)
        assert there["slope"] == pytest.approx(-other["slope"], rel=1e-4, abs=1e-9)
        assert 0 <= there["p_value"] <= 1
        assert there["slope_lower"] <= there["slope"] <= there["slope_upper"]
        assert there["verdict"] in (RISING, FALLING, NOISE)


@quick
@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=10), st.floats(1e-6, 20), st.floats(0, 50))
def test_a_funnel_of_events_holds_its_average_and_never_goes_under_0(exposure, average, phi):
    made = rate_funnel_limits(exposure, average, overdispersion=phi)
    assert (made["lower_99_8"] <= made["lower_95"]).all()
    assert (made["lower_95"] <= average).all()
    assert (made["upper_95"] >= average).all()
    assert (made["upper_99_8"] >= made["upper_95"]).all()
    assert (made["lower_99_8"] >= 0).all()
    assert rate_overdispersion(average * np.array(exposure), exposure, average) == pytest.approx(0, abs=1e-6)
