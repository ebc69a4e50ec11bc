"""What must hold of rounded companions whatever the counts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disclosure import Policy
from jsna.disclosure.approximate import SHARE, approximate
from jsna.disclosure.cells import Table, system_of
from jsna.disclosure.suppression import protect_jointly
from jsna.sealed import Sealed
from tests.rounding_reader import known_too_well

PUPILS = {"pupils": {}}
count = st.one_of(st.integers(0, 6), st.integers(100, 400), st.integers(0, 3000))


@st.composite
def two_way(draw):
    """A two-way table and some of its margins, the weights of the tables drawn."""
    wards, groups = draw(st.integers(2, 3)), draw(st.integers(2, 4))
    frame = pd.MultiIndex.from_product([range(wards), range(groups)], names=["ward", "ethnicity"]).to_frame(index=False)
    frame = frame.astype(str).assign(pupils=draw(st.lists(count, min_size=len(frame), max_size=len(frame))))
    margins = draw(st.sets(st.sampled_from(["ward", "ethnicity", ""]), min_size=2))
    tables = []
    for name in ["ward ethnicity", *sorted(margins)]:
        by = name.split()
        rows = frame.groupby(by, as_index=False)["pupils"].sum() if by else frame[["pupils"]].sum().to_frame().T
        weight = draw(st.sampled_from([1.0, 5.0]))
        tables.append(Table(name or "all", "made up", Sealed(rows, ("pupils",)), tuple(by), PUPILS, weight=weight))
    return tables


@settings(max_examples=10, deadline=None)
@given(two_way(), st.sampled_from([3, 5, 10]))
def test_no_small_count_becomes_known_by_what_is_rounded(tables, threshold):
    policy = Policy(threshold=threshold)
    pattern = protect_jointly(system_of(tables), policy, strict=False)
    base = approximate(pattern, policy)
    counts = pattern.system.cells.unseal("to test")["count"].to_numpy()
    assert not known_too_well(pattern, base, threshold)
    assert not base[~pattern.companions | (counts < 100)].any()
    assert (base <= SHARE * counts).all()
    again = protect_jointly(system_of(tables[::-1]), policy, strict=False)
    assert np.array_equal(approximate(again, policy), base)
