"""Which large companions are shown rounded, held against a reader who knows how they are rounded."""

import itertools
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import Policy
from jsna.disclosure.approximate import approximate, bounds, rounded
from jsna.disclosure.cells import Classification, Table, system_of
from jsna.disclosure.suppression import Pattern, protect_jointly
from jsna.sealed import Sealed
from tests.rounding_reader import Reader, known_too_well

PUPILS = {"pupils": {}}


def table(name, rows, by, measures=PUPILS, **more):
    frame = pd.DataFrame(rows, columns=[*by, *measures])
    return Table(name, "census", Sealed(frame, tuple(measures)), tuple(by), measures, **more)


def parts(counts, **more):
    """Parts of a known whole."""
    named = list(zip("ABCDEFGH", counts, strict=False))
    return [table("by", named, ("group",), **more), table("all", [(sum(counts),)], (), **more)]


def crossed(matrix):
    """A two-way table with both margins and the total."""
    matrix = np.asarray(matrix)
    cells = [(f"w{i}", f"e{j}", int(n)) for (i, j), n in np.ndenumerate(matrix)]
    return [
        table("ward × ethnicity", cells, ("ward", "ethnicity")),
        table("ward", [(f"w{i}", int(n)) for i, n in enumerate(matrix.sum(axis=1))], ("ward",)),
        table("ethnicity", [(f"e{j}", int(n)) for j, n in enumerate(matrix.sum(axis=0))], ("ethnicity",)),
        table("all", [(int(matrix.sum()),)], ()),
    ]


def patterned(tables, hidden=None, threshold=5, **more):
    """The engine's pattern of some tables; with ``hidden``, that of these counts, whatever it would have hidden."""
    system = system_of(tables, **more)
    if hidden is None:
        return protect_jointly(system, Policy(threshold=threshold), strict=False)
    counts = system.cells.unseal("to test")["count"].to_numpy()
    small = system.shown & (counts < threshold)
    return Pattern(system, small, system.shown & np.isin(counts, hidden) & ~small)


def bases_of(pattern, base):
    """``{true count: base}`` of those that are rounded; the counts of these tests differ from one another."""
    counts = pattern.system.cells.unseal("to test")["count"].to_numpy()
    return {int(counts[i]): int(base[i]) for i in np.flatnonzero(base)}


def assert_clean(pattern, base, threshold=5):
    assert not known_too_well(pattern, base, threshold)


def test_other_language_beside_not_known():
    # 1,165 and 2 are 1,167 together. As 1,170 the larger is 1,165 or more, the 2 would be known to be 0 to 2; as 1,160
    # it is 1,150 to 1,169, and the 2 anything from 0 to 17.
    pattern = patterned(parts([18833, 1165, 2]))
    base = approximate(pattern, Policy())
    assert bases_of(pattern, base) == {1165: 20}
    assert_clean(pattern, base)
    assert Reader(pattern, base).limits(int(np.flatnonzero(pattern.small)[0])) == pytest.approx((0, 17))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({"bases": (20,)}, {1165: 20}, id="one base"),
        pytest.param({"bases": (100, 20, 10)}, {1165: 20}, id="bases in any order"),
        pytest.param({"least": 1165}, {1165: 20}, id="as many as the least"),
        pytest.param({"least": 1166}, {}, id="fewer than the least"),
        pytest.param({"lightest": 2.0}, {}, id="of too little weight"),
        pytest.param({"bases": (10,)}, {}, id="no base is wide enough"),
        pytest.param({"bases": (200,)}, {}, id="more than a tenth of the count"),
    ],
)
def test_what_may_be_rounded(given, found):
    pattern = patterned(parts([18833, 1165, 2]))
    assert bases_of(pattern, approximate(pattern, Policy(), **given)) == found


@pytest.mark.parametrize(
    ("bases", "found"),
    [
        pytest.param((10, 20), {1172: 10}, id="1,165 to 1,174"),
        pytest.param((20,), {}, id="1,170 to 1,189: the 2 would be 4 at most"),
        pytest.param((20, 50), {1172: 50}, id="1,125 to 1,174"),
    ],
)
def test_a_wider_base_may_tell_more_than_a_narrow_one(bases, found):
    pattern = patterned(parts([18826, 1172, 2]))
    assert bases_of(pattern, approximate(pattern, Policy(), bases=bases)) == found


def test_nothing_is_rounded_where_nothing_large_is_hidden():
    for counts in ([60, 20, 3], [6000, 5000, 4000]):
        assert not approximate(patterned(parts(counts)), Policy()).any()


def test_only_companions_are_rounded():
    pattern = patterned(parts([18833, 1165, 2]))
    base = approximate(pattern, Policy())
    assert not base[~pattern.companions].any()


def test_where_no_rounding_is_safe_all_stay_hidden():
    # 105 of 106 would be shown as 110, 105 or more, so that the 1 could only be 0 or 1.
    pattern = patterned(parts([5000, 105, 1]))
    assert pattern.companions.sum() == 1
    assert not approximate(pattern, Policy()).any()


def test_the_most_important_is_rounded_where_not_all_can_be():
    # Beside one that is hidden the other tells nothing; both rounded, 180 and 130, are at least 175 and 125, as many as
    # they are, so that the 4 could be no more.
    tables = parts([500, 175, 125, 4])
    pattern = patterned(tables, hidden=[125, 175])
    base = approximate(pattern, Policy(), bases=(10,))
    assert_clean(pattern, base)
    assert bases_of(pattern, base) == {175: 10}
    weighty = patterned([*tables, table("of C", [("C", 125)], ("group",), weight=9.0)], hidden=[125, 175])
    assert bases_of(weighty, approximate(weighty, Policy(), bases=(10,))) == {125: 10}


def test_a_count_in_two_tables_has_one_base_and_the_sums_of_both_count():
    one = parts([18833, 1165, 2])
    other = table("again", [("A", 18833), ("B", 1165), ("C", 2)], ("group",))
    pattern = patterned([*one, other])
    base = approximate(pattern, Policy())
    assert bases_of(pattern, base) == {1165: 20}
    places = pattern.system.places
    assert places[places["cell"].isin(np.flatnonzero(base))]["table"].tolist() == ["again", "by"]


def test_the_order_of_the_tables_changes_nothing():
    tables = crossed([[2, 300, 400], [250, 1, 500], [600, 700, 800]])
    first, *others = (
        bases_of(p, approximate(p, Policy())) for p in map(patterned, (tables, tables[::-1], tables[2:] + tables[:2]))
    )
    assert first
    assert all(o == first for o in others)


def test_small_rests_that_stand_in_no_table_are_guarded():
    # Two of three wards are shown: 3 pupils are left, who would be known to be few if 205 were shown as 210.
    place = Classification("place", (("", ("w1", "w2", "w3")),), ("ward",))
    tables = [table("ward", [("w1", 900), ("w2", 205)], ("ward",)), table("all", [(1108,)], ())]
    pattern = patterned(tables, classifications=[place])
    assert pattern.companions.sum() == 1
    base = approximate(pattern, Policy())
    assert_clean(pattern, base)
    assert bases_of(pattern, base) == {205: 20}


def test_a_companion_that_stays_hidden_is_not_known_either():
    # The 7 is 7 to 16 as far as the 104 says (100 is 95 to 104), and 0 to 7 as far as the 115 says (120 is 115 to
    # 124). With both it would be known; the 500 beside the 115 leaves 2 to 7.
    pattern = patterned(crossed([[7, 104], [115, 500]]), hidden=[7, 104, 115, 500])
    base = approximate(pattern, Policy())
    assert bases_of(pattern, base) == {500: 10, 115: 10}
    assert_clean(pattern, base)


def test_what_no_hiding_can_protect_does_not_keep_others_from_being_rounded():
    # 4 and 2 are 6 together, so that the 4 cannot be 7; that is so however much is hidden.
    pattern = patterned(crossed([[4, 2], [1165, 3000]]), hidden=[1165, 3000])
    base = approximate(pattern, Policy())
    assert bases_of(pattern, base) == {3000: 10, 1165: 20}
    assert_clean(pattern, base)


def test_every_census_is_rounded_by_itself():
    other = [Table(f"{t.name}, other", "other census", t.counts, t.by, t.measures) for t in parts([18826, 1172, 2])]
    pattern = patterned([*parts([18833, 1165, 2]), *other])
    assert bases_of(pattern, approximate(pattern, Policy())) == {1165: 20, 1172: 10}


@pytest.mark.parametrize("base", [1, 5, 10, 20, 50, 100])
def test_bounds_are_all_that_would_have_been_shown_so(base):
    every = np.arange(100, 400)
    shown = rounded(every, base)
    half_up = [int((Decimal(int(n)) / base).quantize(Decimal(1), ROUND_HALF_UP)) * base for n in every]
    assert shown.tolist() == half_up
    low, high = bounds(every, np.full(len(every), base))
    inner = (every >= 200) & (every <= 300)
    assert low[inner].tolist() == [every[shown == s].min() for s in shown[inner]]
    assert high[inner].tolist() == [every[shown == s].max() for s in shown[inner]]


def test_no_world_of_whole_people_gives_a_small_count_away():
    # Each pair in a census of its own; all counts of whole people that it could be are tried.
    pairs = list(itertools.product(range(100, 240, 14), (0, 2, 4)))
    tables = [
        Table(f"{t.name} {n}", f"census {n}", t.counts, t.by, t.measures)
        for n, (large, few) in enumerate(pairs)
        for t in parts([4000, large, few])
    ]
    pattern = patterned(tables)
    base = approximate(pattern, Policy())
    cells = pattern.system.cells.unseal("to test").assign(base=base)
    tried = 0
    for n, (large, few) in enumerate(pairs):
        wide = cells.loc[cells["source"] == f"census {n}", "base"].max()
        if wide:
            shown = rounded(large, wide)
            could = [c for c in range(large + few + 1) if rounded(large + few - c, wide) == shown]
            assert min(could) == 0
            assert max(could) >= max(5, few + 3)
            tried += 1
    assert 5 < tried < len(pairs)
