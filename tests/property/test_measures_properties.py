"""What holds for all counts."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.disproportionality import crude
from jsna.measures import proportion, risk_difference, risk_ratio

pairs = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
settings.register_profile("here", max_examples=60, deadline=None)
settings.load_profile("here")


@given(pairs)
def test_an_interval_holds_its_estimate_and_stays_in_range(pair):
    row = proportion(*([v] for v in pair)).iloc[0]
    assert 0 <= row["lower"] <= row["estimate"] + 1e-12
    assert row["estimate"] <= row["upper"] + 1e-12 <= 1 + 2e-12


@given(pairs, pairs)
def test_the_ratio_inverts_when_groups_swap(one, other):
    first = risk_ratio(*([v] for v in (*one, *other))).iloc[0]
    second = risk_ratio(*([v] for v in (*other, *one))).iloc[0]
    with np.errstate(divide="ignore"):
        assert np.isclose(first["lower"], 1 / np.float64(second["upper"]), rtol=1e-6, equal_nan=True)
        assert np.isclose(first["upper"], 1 / np.float64(second["lower"]), rtol=1e-6, equal_nan=True)


@given(pairs, pairs)
def test_the_difference_changes_sign_when_groups_swap(one, other):
    first = risk_difference(*([v] for v in (*one, *other))).iloc[0]
    second = risk_difference(*([v] for v in (*other, *one))).iloc[0]
    assert np.isclose(first["lower"], -second["upper"])
    assert -1 <= first["lower"] <= first["estimate"] <= first["upper"] <= 1


@given(st.lists(pairs, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_order_of_rows_and_empty_groups_change_nothing(groups, random):
    frame = pd.DataFrame(groups, columns=["x", "n"]).assign(group=[f"g{i}" for i in range(len(groups))])
    order = list(range(len(groups)))
    random.shuffle(order)
    empty = pd.DataFrame({"x": [0], "n": [0], "group": ["nobody"]})
    columns = ["risk_ratio", "risk_ratio_lower", "gap_points", "q_value", "comparisons"]
    plain = crude(frame, group="group", count="x", total="n").set_index("group")[columns]
    mixed = crude(pd.concat([frame.iloc[order], empty]), group="group", count="x", total="n").set_index("group")[
        columns
    ]
    pd.testing.assert_frame_equal(plain, mixed.loc[plain.index], check_names=False)
