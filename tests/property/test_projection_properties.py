"""What must hold of any projection: parts add up, nothing is below 0, ranges contain the value and widen."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.evidence.projection.flow import Rates
from jsna.evidence.projection.parts import moved_share, whole_numbers
from jsna.evidence.projection.pupils import pupils_ahead
from jsna.evidence.projection.ranges import Spread
from jsna.evidence.projection.scenarios import residents_ahead
from jsna.evidence.projection.specification import settings as told

COUNT = st.floats(0, 1e5, allow_nan=False)
SHARE = st.floats(0, 1, allow_nan=False)


@given(st.lists(COUNT, min_size=1, max_size=15), st.integers(0, 10**6))
def test_whole_parts_add_up_and_are_within_one_of_their_share(parts, whole):
    made = whole_numbers(parts, whole)
    assert (made >= 0).all()
    total = sum(parts)
    if total > 0 and whole > 0:
        assert made.sum() == whole
        assert (np.abs(made - np.array(parts) / total * whole) <= 1 + 1e-6 * whole).all()
    else:
        assert made.sum() == 0


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=6), st.floats(-100, 100), st.data())
def test_moved_shares_add_up_to_one_and_none_is_below_nought(values, points, data):
    shares = pd.Series(values, index=[f"p{i}" for i in range(len(values))])
    shares /= shares.sum()
    to, *others = data.draw(st.permutations(list(shares.index)))
    made = moved_share(shares, to=to, taken_from=others[:1], points=points)
    assert np.isclose(made.sum(), 1)
    assert (made >= 0).all()
    assert made[others[1:]].equals(shares[others[1:]])


@given(COUNT, st.integers(0, 10**5), st.floats(0.001, 0.5))
def test_ranges_contain_the_value_and_widen(value, n, width):
    spread = Spread({0.8: width, 0.95: 1.7 * width}, 0.7, 1000)
    years = np.arange(1, 6)
    low, high = spread.limits(value, n, years, 0.8)
    wider = spread.limits(value, n, years, 0.95)
    assert (low >= 0).all()
    assert (low <= value).all()
    assert (high >= value).all()
    assert (np.diff(high - low) >= 0).all()
    assert (wider[0] <= low).all()
    assert (wider[1] >= high).all()


@given(
    st.lists(COUNT, min_size=5, max_size=5),
    st.lists(COUNT, min_size=5, max_size=5),
    st.lists(SHARE, min_size=10, max_size=10),
)
def test_a_year_of_flow_is_never_below_nought_and_more_new_plans_are_never_fewer(plans, new, shares):
    rates = Rates(np.array(shares[:5]), np.array([0.0, *shares[6:]]))
    now, fresh = np.array([plans]), np.array([new])
    after = rates.after_a_year(now, fresh)
    assert (after >= 0).all()
    assert (rates.after_a_year(now, fresh + 1) >= after).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=12, max_size=12),
    st.dictionaries(st.integers(2021, 2026), st.one_of(st.none(), st.integers(0, 9000)), min_size=1),
)
def test_own_pupils_never_fall_below_nought_whatever_is_hidden(groups, past):
    years = pd.Series(groups, index=list(told()["year_groups"]), dtype="float64")
    history = pd.Series(past, dtype="float64").sort_index()
    last = int(history.index.max())
    if not history[last] > 0:
        return
    rows = pupils_ahead(years, history, last).rows
    assert (rows["value"] >= 0).all()
    assert set(rows["kind"]) == ({"all"} if years.isna().any() else {"all", "stage"})


@given(st.lists(st.integers(0, 5000), min_size=26, max_size=26), st.integers(2021, 2035))
def test_everybody_grows_older_and_nobody_is_lost_before_26(ages, january):
    residents = pd.Series(ages, index=range(26), dtype="float64")
    then = residents_ahead(residents, 2020, january)
    on = january - 2021
    stayed = residents.iloc[: 26 - on].sum() if on < 26 else 0
    assert np.isclose(then.sum(), stayed + on * residents[0])
