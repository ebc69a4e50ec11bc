"""What must hold of joint suppression whatever the counts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disclosure import Policy
from jsna.disclosure.cells import Classification, Table, system_of
from jsna.disclosure.suppression import lower_bound, protect_jointly
from jsna.errors import DisclosureError
from jsna.sealed import Sealed
from tests.joint_attacker import assert_safe

WARDS = Classification("place", (("", ("w0", "w1")), ("w0", ("l0", "l1")), ("w1", ("l2", "l3"))), ("ward", "lsoa"))
count = st.one_of(st.integers(0, 6), st.integers(0, 60))


@st.composite
def packs(draw):
    """Pupils by small area, sex and provision, shown in linked tables of some of these."""
    sexes = draw(st.integers(1, 3))
    rows = [(f"l{i}", f"s{j}") for i in range(4) for j in range(sexes)]
    numbers = draw(st.lists(st.tuples(count, count), min_size=len(rows), max_size=len(rows)))
    frame = pd.DataFrame(rows, columns=["lsoa", "sex"])
    frame[["sen_support", "ehc_plan"]] = numbers
    frame["any_sen"] = frame["sen_support"] + frame["ehc_plan"]
    frame["ward"] = frame["lsoa"].map({"l0": "w0", "l1": "w0", "l2": "w1", "l3": "w1"})
    names = draw(st.sets(st.sampled_from(["lsoa", "ward", "sex", "lsoa+sex", "ward+sex", ""]), min_size=1))
    measures = {"any_sen": {}, "sen_support": {"sen": "support"}, "ehc_plan": {"sen": "plan"}}
    tables = []
    for name in sorted(names):
        by = [c for c in name.split("+") if c]
        summed = (
            frame.groupby(by, as_index=False)[list(measures)].sum() if by else frame[list(measures)].sum().to_frame().T
        )
        tables.append(Table(name or "all", "made up", Sealed(summed, tuple(measures)), tuple(by), measures))
    return tables


@settings(max_examples=12, deadline=None)
@given(packs(), st.integers(1, 8))
def test_either_all_is_safe_or_it_says_so(tables, threshold):
    system = system_of(tables, classifications=[WARDS])
    policy = Policy(threshold=threshold)
    try:
        pattern = protect_jointly(system, policy)
    except DisclosureError:
        # Nothing of a table would be left: that it is said is what counts here.
        return
    assert_safe(pattern, threshold)
    assert lower_bound(system, policy).cells <= pattern.hidden.sum()
    again = protect_jointly(system_of(tables[::-1], classifications=[WARDS]), policy)
    assert (again.hidden == pattern.hidden).all()
    counts = system.cells.unseal("to test")["count"].to_numpy()
    assert np.array_equal(pattern.small, system.shown & (counts < threshold))
