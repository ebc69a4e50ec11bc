"""What must hold of smoothing and clusters whatever the counts and whoever the neighbours are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import laplace
from geo.clusters import local_moran_of_rates, morans_i, morans_i_of_rates, scan, standardised_rates
from geo.neighbours import from_pairs
from geo.smoothing import bym2, empirical_bayes

closed_form, models = settings(max_examples=80, deadline=None), settings(max_examples=20, deadline=None)
share = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@st.composite
def places(draw, least=4, most=12):
    """Counts of areas, and any links among them."""
    pairs = draw(st.lists(share, min_size=least, max_size=most))
    names = [f"A{i:02d}" for i in range(len(pairs))]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda p: p[0] != p[1])
    links = draw(st.lists(ends, max_size=2 * len(names)))
    frame = pd.DataFrame(pairs, columns=["x", "n"], index=names)
    return frame, from_pairs(names, links)


def shuffled(frame, near, seed):
    order = np.random.default_rng(seed).permutation(len(frame))
    codes = [near.codes[i] for i in order]
    return frame.iloc[order], from_pairs(codes, near.pairs().itertuples(index=False))


@closed_form
@given(places(), st.booleans())
def test_a_smoothed_rate_lies_between_the_raw_rate_and_the_mean_and_in_its_limits(place, local):
    frame, near = place
    answer = empirical_bayes(frame["x"], frame["n"], near if local else None)
    known = answer[answer["rate"].notna()]
    low, high = known[["rate", "mean"]].min(axis=1), known[["rate", "mean"]].max(axis=1)
    assert ((low - 1e-12 <= known["smoothed"]) & (known["smoothed"] <= high + 1e-12)).all()
    assert known["weight"].between(0, 1).all()
    answered = answer[answer["smoothed"].notna()]
    assert ((answered["lower"] >= 0) & (answered["lower"] <= answered["upper"]) & (answered["upper"] <= 1)).all()
    assert (answered["lower"] < answered["upper"]).all()


@closed_form
@given(places())
def test_what_areas_of_one_size_lose_others_gain(place):
    frame, _ = place
    answer = empirical_bayes(frame["x"], np.full(len(frame), 60))
    assert abs(answer["smoothed"].sum() * 60 - frame["x"].sum()) < 1e-8


@closed_form
@given(places(), st.integers(0, 99), st.booleans())
def test_the_order_of_areas_never_matters_to_smoothing(place, seed, local):
    frame, near = place
    turned, turned_near = shuffled(frame, near, seed)
    ahead = empirical_bayes(frame["x"], frame["n"], near if local else None)
    back = empirical_bayes(turned["x"], turned["n"], turned_near if local else None)
    pd.testing.assert_frame_equal(back.loc[frame.index], ahead, rtol=1e-7, atol=1e-10)


@closed_form
@given(places(), st.integers(1, 3))
def test_groups_are_smoothed_each_alone(place, groups):
    frame, _ = place
    key = np.arange(len(frame)) % groups
    together = empirical_bayes(frame["x"], frame["n"], by=key)
    for group in range(groups):
        rows = key == group
        alone = empirical_bayes(frame["x"][rows], frame["n"][rows])
        pd.testing.assert_frame_equal(together[rows], alone, rtol=1e-9, atol=1e-12)


@models
@given(places(most=8), st.sampled_from(["binomial", "poisson"]))
def test_a_modelled_rate_lies_in_its_limits_and_has_a_posterior(place, model):
    frame, near = place
    size = frame["n"] if model == "binomial" else frame["n"] * 0.3
    usable = frame["x"].where(frame["n"] > 0, 0)
    fit = bym2(usable, size, near, model=model)
    answered = fit.areas[fit.areas["smoothed"].notna()]
    assert len(answered) in (0, len(frame))
    assert ((answered["lower"] < answered["smoothed"]) & (answered["smoothed"] < answered["upper"])).all()
    assert answered["above"].between(0, 1).all()
    if len(answered):
        assert abs(fit.grid["weight"].sum() - 1) < 1e-9
        assert 0 < fit.parameters.loc["sigma", "lower"] <= fit.parameters.loc["sigma", "upper"]


@models
@given(places(most=8), st.integers(0, 99))
def test_the_order_of_areas_never_matters_to_the_model(place, seed):
    frame, near = place
    turned, turned_near = shuffled(frame, near, seed)
    ahead, back = bym2(frame["x"], frame["n"], near), bym2(turned["x"], turned["n"], turned_near)
    pd.testing.assert_frame_equal(back.areas.loc[frame.index], ahead.areas, rtol=1e-4, atol=1e-7)
    pd.testing.assert_frame_equal(back.parameters, ahead.parameters, rtol=1e-4, atol=1e-6)


@closed_form
@given(places())
def test_the_structured_effect_is_a_covariance_that_sums_to_nought_in_each_part(place):
    _, near = place
    shape = laplace.structure(near)
    assert np.linalg.eigvalsh(shape.covariance).min() > -1e-9
    for part in np.unique(near.components):
        rows = near.components == part
        block = shape.covariance[np.ix_(rows, rows)]
        assert np.isclose(np.log(np.diag(block)).mean(), 0, atol=1e-9)
        if rows.sum() > 1:
            np.testing.assert_allclose(block.sum(axis=0), 0, atol=1e-8)
    mass = laplace.Prior().phi_mass(np.linspace(0, 1, 6), shape.eigenvalues) if shape.spatial else np.ones(1)
    assert np.isclose(mass.sum(), 1)
    assert (mass > 0).all()


@closed_form
@given(places(), st.floats(-100, 100), st.floats(0.01, 100))
def test_moran_does_not_depend_on_the_unit(place, shift, scale):
    frame, near = place
    first, second = morans_i(frame["x"], near), morans_i(shift + scale * frame["x"], near)
    assert first.status == second.status
    if first.status == "":
        assert abs(first.i - second.i) < 1e-8
        assert 0 < first.p_permutation <= 1


@models
@given(places(), st.integers(0, 99))
def test_the_order_of_areas_never_matters_to_moran(place, seed):
    frame, near = place
    turned, turned_near = shuffled(frame, near, seed)
    first, second = (morans_i_of_rates(f["x"], f["n"], w) for f, w in ((frame, near), (turned, turned_near)))
    assert (first.status, first.areas, set(first.left_out)) == (second.status, second.areas, set(second.left_out))
    if first.status == "":
        assert abs(first.i - second.i) < 1e-9
        assert abs(first.p_permutation - second.p_permutation) < 0.01
    ahead, back = (
        local_moran_of_rates(f["x"], f["n"], w, permutations=999) for f, w in ((frame, near), (turned, turned_near))
    )
    assert (ahead["status"] == back["status"].loc[frame.index]).all()
    np.testing.assert_allclose(ahead["local_i"], back["local_i"].loc[frame.index], rtol=1e-7, atol=1e-9)


@closed_form
@given(places())
def test_a_standardised_rate_has_the_side_of_the_raw_one(place):
    frame, _ = place
    z = standardised_rates(frame["x"], frame["n"])["z"]
    if frame["n"].sum():
        gap = frame["x"] / frame["n"] - frame["x"].sum() / frame["n"].sum()
        assert ((np.sign(z) == np.sign(gap)) | (gap.abs() < 1e-12) | gap.isna()).all()
    assert (z.isna() == (frame["n"] == 0)).all()


@models
@given(places(), st.integers(0, 1_000), st.sampled_from(["binomial", "poisson"]))
def test_clusters_hold_what_they_say_and_share_no_area(place, seed, model):
    frame, _ = place
    usable = frame[(frame["n"] > 0)]
    points = np.random.default_rng(seed).integers(0, 5, (len(usable), 2))
    found = scan(usable["x"], usable["n"], points, model=model, simulations=99)
    named = [area for areas in found.clusters["areas"] for area in areas]
    assert len(named) == len(set(named))
    for row in found.clusters.itertuples():
        inside = usable.loc[list(row.areas)]
        assert (row.count, row.total) == (inside["x"].sum(), inside["n"].sum())
        assert row.total <= usable["n"].sum() / 2
        assert 1 / 100 <= row.p <= 1
        assert (row.direction == "high") == (row.count > row.expected)
    assert (found.clusters["p"].diff().dropna() >= 0).all()


@models
@given(places(), st.integers(0, 1_000))
def test_the_order_of_areas_never_matters_to_the_scan(place, seed):
    frame, _ = place
    points = pd.DataFrame(np.random.default_rng(seed).uniform(0, 9, (len(frame), 2)), index=frame.index)
    order = np.random.default_rng(seed + 1).permutation(len(frame))
    ahead = scan(frame["x"], frame["n"], points, simulations=99)
    back = scan(frame["x"].iloc[order], frame["n"].iloc[order], points.iloc[order], simulations=99)
    assert ahead.clusters["p"].tolist() == back.clusters["p"].tolist()
    pd.testing.assert_frame_equal(back.areas.loc[frame.index], ahead.areas)
