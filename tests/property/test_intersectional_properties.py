"""What must hold of intersectional MAIHDA whatever the counts are."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disproportionality import intersectional

BY = ["a", "b"]
share = st.one_of(st.integers(0, 12), st.integers(0, 9_000_000)).flatmap(
    lambda n: st.tuples(st.one_of(st.just(0), st.just(n), st.integers(0, n)), st.just(n))
)


@st.composite
def tables(draw):
    across, down = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = [(f"a{i}", f"b{j}") for i in range(across) for j in range(down)]
    counts = draw(st.lists(share, min_size=len(cells), max_size=len(cells)))
    return pd.DataFrame([(*cell, *xn) for cell, xn in zip(cells, counts, strict=True)], columns=[*BY, "x", "n"])


def _fit(frame):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return intersectional(frame, count="x", total="n", by=BY)


def _same(one, other):
    pd.testing.assert_frame_equal(one.strata, other.strata)
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients)
    for name in ("variance_null", "variance_main", "pcv", "auc", "auc_additive"):
        np.testing.assert_equal(getattr(one, name), getattr(other, name))
    assert one.notes == other.notes


@settings(max_examples=25, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    _same(_fit(frame), _fit(frame.iloc[order]))


@settings(max_examples=25, deadline=None)
@given(tables())
def test_a_stratum_in_several_rows_is_one_stratum(frame):
    n = frame["n"] // 3
    x = (frame["x"] - (frame["n"] - n)).clip(lower=0)
    pieces = [frame.assign(x=frame["x"] - x, n=frame["n"] - n), frame.assign(x=x, n=n)]
    _same(_fit(frame), _fit(pd.concat(pieces, ignore_index=True)))


@settings(max_examples=25, deadline=None)
@given(tables(), st.sampled_from(["a0", "new"]), st.sampled_from(["b0", "new"]))
def test_an_empty_stratum_changes_nothing_for_the_others(frame, a, b):
    more = pd.concat([frame, pd.DataFrame({"a": [a], "b": [b], "x": [0], "n": [0]})], ignore_index=True)
    one, other = _fit(frame), _fit(more)
    old = other.strata.merge(frame[BY], on=BY)
    pd.testing.assert_frame_equal(old, one.strata)
    np.testing.assert_equal(
        (one.variance_null, one.variance_main, one.pcv, one.auc, one.interactions_statement),
        (other.variance_null, other.variance_main, other.pcv, other.auc, other.interactions_statement),
    )


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_number_is_in_range_and_none_is_missing_without_a_word(frame):
    answer = _fit(frame)
    strata, told = answer.strata, answer.strata["status"] != ""
    for name in ("predicted", "interaction"):
        lower, middle, upper = strata[f"{name}_lower"], strata[name], strata[f"{name}_upper"]
        assert (told | middle.notna()).all()
        known = lower.notna()
        assert (lower[known] <= middle[known] + 1e-9).all()
        assert (middle[known] <= upper[known] + 1e-9).all()
    risks = strata[["predicted", "predicted_lower", "predicted_upper", "additive"]].stack().dropna()
    assert risks.between(0, 1).all()
    assert (answer.coefficients["log_odds"].notna() | (answer.coefficients["status"] != "")).all()
    assert np.isnan(answer.pcv) == (answer.status_pcv != "")
    assert np.isnan(answer.vpc_null) == answer.status_null.startswith("not measured")
    assert np.isnan(answer.vpc_main) == answer.status_main.startswith("not measured")
    assert np.isnan(answer.pcv) or answer.pcv <= 1


@settings(max_examples=25, deadline=None)
@given(tables())
def test_counting_the_others_instead_turns_every_risk_round(frame):
    one, other = _fit(frame), _fit(frame.assign(x=frame["n"] - frame["x"]))
    if np.isnan(one.variance_null) or np.isnan(other.variance_null) or frame["n"].max() > 10_000:
        return
    np.testing.assert_allclose(one.variance_null, other.variance_null, rtol=1e-4, atol=1e-4)
