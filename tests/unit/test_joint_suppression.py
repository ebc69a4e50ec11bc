"""What the joint engine hides, held against every other world there could be."""

import itertools

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import Policy
from jsna.disclosure.cells import Classification, Table, system_of
from jsna.disclosure.movement import Movements
from jsna.disclosure.suppression import Pattern, lower_bound, protect_jointly
from jsna.errors import DisclosureError
from jsna.sealed import Sealed
from tests.joint_attacker import Attacker, assert_safe, unsafe_cells

PUPILS = {"pupils": {}}
SEN = {"pupils": {}, "any_sen": {"sen": "any"}, "sen_support": {"sen": "support"}, "ehc_plan": {"sen": "plan"}}
OF_SEN = Classification("sen", (("", ("any", "none")), ("any", ("support", "plan"))))


def table(name, rows, by, measures=PUPILS, source="census", **more):
    frame = pd.DataFrame(rows, columns=[*by, *measures])
    return Table(name, source, Sealed(frame, tuple(measures)), tuple(by), measures, **more)


def everybody(total, **more):
    return table("everybody", [(total,)], (), **more)


def crossed(matrix):
    """A two-way table with both margins and the total, as four tables."""
    matrix = np.asarray(matrix)
    cells = [(f"w{i}", f"e{j}", int(n)) for (i, j), n in np.ndenumerate(matrix)]
    return [
        table("ward × ethnicity", cells, ("ward", "ethnicity")),
        table("ward", [(f"w{i}", int(n)) for i, n in enumerate(matrix.sum(axis=1))], ("ward",)),
        table("ethnicity", [(f"e{j}", int(n)) for j, n in enumerate(matrix.sum(axis=0))], ("ethnicity",)),
        everybody(int(matrix.sum())),
    ]


def shown_as(pattern, name):
    """The table with c where hidden."""
    counts = next(t for t in pattern.system.tables if t.name == name).counts.unseal("to test")
    hidden = pattern.hidden_in(name)
    return counts[hidden.columns].astype(object).mask(hidden, "c").to_numpy().ravel().tolist()


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        pytest.param([3, 20, 40], ["c", "c", 40], id="a lone small count gets a companion"),
        pytest.param([1, 2, 40, 90], ["c", "c", "c", 90], id="two that are known together are not safe"),
        pytest.param([0, 20, 40], ["c", "c", 40], id="zero is hidden like one to four"),
        pytest.param([5, 20, 40], [5, 20, 40], id="five may be shown"),
        pytest.param([4, 4, 40], ["c", "c", 40], id="two that share eight may be seven and one"),
    ],
)
def test_parts_of_a_known_whole(counts, shown):
    tables = [table("by", list(zip("ABCD", counts, strict=False)), ("group",)), everybody(sum(counts))]
    pattern = protect_jointly(system_of(tables), Policy())
    assert shown_as(pattern, "by") == shown
    assert_safe(pattern)


def test_without_a_known_whole_small_counts_alone_are_hidden():
    pattern = protect_jointly(system_of([table("by", [("A", 3), ("B", 20)], ("group",))]), Policy())
    assert shown_as(pattern, "by") == ["c", 20]


def test_a_two_way_table_hides_a_rectangle():
    pattern = protect_jointly(system_of(crossed([[2, 30, 40], [25, 9, 50], [60, 70, 80]])), Policy())
    assert pattern.hidden.sum() == 4
    assert shown_as(pattern, "ward × ethnicity") == ["c", "c", 40, "c", "c", 50, 60, 70, 80]
    assert_safe(pattern)


def test_the_same_count_in_two_tables_is_one_cell():
    tables = [
        table("one", [("A", 3), ("B", 20), ("C", 40)], ("group",)),
        table("other", [("A", 3), ("B", 20), ("C", 40)], ("group",)),
        everybody(63),
    ]
    system = system_of(tables)
    assert system.shown.sum() == 4
    pattern = protect_jointly(system, Policy())
    assert shown_as(pattern, "one") == shown_as(pattern, "other") == ["c", "c", 40]


def test_a_margin_in_no_table_links_two_tables():
    by_sex = [("w0", "F", 3), ("w0", "M", 37), ("w1", "F", 50), ("w1", "M", 60)]
    by_meals = [("w0", "yes", 20), ("w0", "no", 20), ("w1", "yes", 40), ("w1", "no", 70)]
    tables = [table("sex", by_sex, ("ward", "sex")), table("meals", by_meals, ("ward", "meals"))]
    pattern = protect_jointly(system_of(tables), Policy())
    # Girls and boys of the first ward are as many as those with and without free meals: one hidden count is known.
    assert pattern.hidden.sum() >= 2
    assert_safe(pattern)


def test_a_hierarchy_is_one_system():
    lsoas = [("l1", 2), ("l2", 30), ("l3", 20), ("l4", 25), ("l5", 40)]
    tables = [table("lsoa", lsoas, ("lsoa",)), table("ward", [("w1", 32), ("w2", 85)], ("ward",)), everybody(117)]
    place = Classification(
        "place", (("", ("w1", "w2")), ("w1", ("l1", "l2")), ("w2", ("l3", "l4", "l5"))), ("ward", "lsoa")
    )
    pattern = protect_jointly(system_of(tables, classifications=[place]), Policy())
    assert shown_as(pattern, "lsoa") == ["c", "c", 20, 25, 40]
    assert shown_as(pattern, "ward") == [32, 85]
    assert_safe(pattern)


def test_support_and_plan_are_any_and_those_without_are_a_count_too():
    rows = [("A", 40, 38, 30, 8), ("B", 200, 60, 40, 20), ("C", 300, 90, 60, 30)]
    tables = [table("by", rows, ("group",), SEN), table("everybody", [(540, 188, 130, 58)], (), SEN)]
    pattern = protect_jointly(system_of(tables, classifications=[OF_SEN]), Policy())
    hidden = pattern.hidden_in("by")
    # Of 40 pupils 38 have SEN: that two have none must not be seen.
    assert hidden.loc[0, ["pupils", "any_sen"]].any()
    assert_safe(pattern)


def test_parts_that_do_not_say_everything_leave_a_rest():
    sexes = Classification("sex", (("", ("F", "M")),))
    tables = [table("by", [("F", 40), ("M", 50)], ("sex",)), everybody(92)]
    pattern = protect_jointly(system_of(tables, classifications=[sexes]), Policy())
    assert not pattern.hidden.any()


def test_a_part_alone_tells_the_other():
    sexes = Classification("sex", (("", ("F", "M")),))
    tables = [table("by", [("F", 40)], ("sex",)), everybody(42)]
    with pytest.raises(DisclosureError, match=r"Every count of the table would be hidden|everybody"):
        protect_jointly(system_of(tables, classifications=[sexes]), Policy())


def test_a_structural_zero_is_no_secret():
    rows = [("nursery", "11", 0), ("nursery", "N1", 30), ("secondary", "11", 40), ("secondary", "N1", 0)]
    tables = [
        table("by", rows, ("phase", "year")),
        table("phase", [("nursery", 30), ("secondary", 40)], ("phase",)),
        table("year", [("11", 40), ("N1", 30)], ("year",)),
    ]
    never = [{"phase": "nursery", "year": "11"}, {"phase": "secondary", "year": "N1"}]
    assert not protect_jointly(system_of(tables, impossible=never), Policy()).hidden.any()
    with pytest.raises(DisclosureError, match="Every count"):
        protect_jointly(system_of(tables), Policy())


def test_what_lies_in_an_impossible_category_is_impossible_too():
    school = Classification("school", (("", ("nursery", "secondary")), ("nursery", ("s1",)), ("secondary", ("s2",))))
    rows = [("s1", "11", 0), ("s1", "N1", 30), ("s2", "11", 40), ("s2", "N1", 9)]
    system = system_of(
        [table("by", rows, ("school", "year"))],
        classifications=[school],
        impossible=[{"school": "nursery", "year": "11"}],
    )
    cells = system.cells.unseal("to test")
    assert cells.loc[system.structural, ["school", "year"]].drop_duplicates()["school"].isin(["s1", "nursery"]).all()
    assert system.structural[(cells["school"] == "s1") & (cells["year"] == "11")].all()


def test_a_combination_with_no_row_is_a_zero():
    rows = [("w0", "e0", 20), ("w0", "e1", 30), ("w1", "e0", 40)]
    system = system_of([table("by", rows, ("ward", "ethnicity"))])
    assert system.shown.sum() == 4


def test_official_figures_are_known_and_can_make_it_impossible():
    parts = [("A", 2), ("B", 3), ("C", 40)]
    of_five = Classification("group", (("", ("AB", "C")), ("AB", ("A", "B"))), ("group", "wider"))
    tables = [
        table("by", parts, ("group",)),
        table("published", [("AB", 5), ("C", 40)], ("wider",), official=True),
    ]
    with pytest.raises(DisclosureError) as caught:
        protect_jointly(system_of(tables, classifications=[of_five]), Policy())
    message = str(caught.value)
    assert "by: Small counts of the table can be worked out" in message
    assert "Show it" in message


@pytest.mark.parametrize(
    ("tables", "splits", "words"),
    [
        pytest.param(
            [
                table("by", [("A", 2), ("B", 3), ("C", 40)], ("group",)),
                table("published", [("AB", 5), ("C", 40)], ("wider",), official=True),
            ],
            (("", ("AB", "C")), ("AB", ("A", "B"))),
            "by: Small counts of the table can be worked out whatever else is hidden. Found: '1 count'. Show it",
            id="an official total stands in the way",
        ),
        pytest.param(
            [table("by", [("A", 40)], ("group",), official=True), everybody(42, official=True)],
            (("", ("A", "B")),),
            "by: How many are left of a whole, less the parts in the table, can be worked out. Show it",
            id="what is left stands in no table",
        ),
        pytest.param(
            [table("by", [("A", 2), ("B", 3)], ("group",)), everybody(5)],
            (("", ("A", "B")),),
            "by: Every count of the table would be hidden. Show it for everybody together instead",
            id="nothing is left",
        ),
    ],
)
def test_what_cannot_be_protected_is_said_beside_a_pattern(tables, splits, words):
    system = system_of(tables, classifications=[Classification("group", splits, ("group", "wider"))])
    pattern = protect_jointly(system, Policy(), strict=False)
    assert any(str(p).startswith(words) for p in pattern.problems), [str(p) for p in pattern.problems]
    assert pattern.small.sum() == 2 * (len(tables[0].counts) > 1)
    with pytest.raises(DisclosureError) as caught:
        protect_jointly(system, Policy())
    assert caught.value.problems == pattern.problems


def test_a_pattern_that_holds_has_no_problems():
    assert protect_jointly(system_of(crossed([[2, 30, 40], [25, 9, 50], [60, 70, 80]])), Policy()).problems == ()


def test_a_table_of_small_counts_alone_names_a_coarser_one():
    rows = [(f"l{i}", "FM"[i % 2], 2) for i in range(4)] + [(f"l{i}", "MF"[i % 2], 3) for i in range(4)]
    place = Classification("place", (("", ("w1",)), ("w1", ("l0", "l1", "l2", "l3"))), ("lsoa", "ward"))
    with pytest.raises(DisclosureError, match="Show it by lsoa instead"):
        protect_jointly(system_of([table("by", rows, ("lsoa", "sex"))], classifications=[place]), Policy())


@pytest.mark.parametrize(
    ("tables", "classifications", "words"),
    [
        pytest.param(
            [table("one", [("A", 30)], ("g",)), table("two", [("A", 31)], ("g",))], [], "different values", id="values"
        ),
        pytest.param([table("one", [("A", 30), ("B", 30)], ("g",)), everybody(50)], [], "more people", id="too many"),
        pytest.param([table("one", [("A", 30), ("A", 5)], ("g",))], [], "several rows", id="twice"),
        pytest.param([table("one", [("A", 3.5)], ("g",))], [], "not a count", id="fraction"),
        pytest.param([table("one", [("A", -1)], ("g",))], [], "not a count", id="below 0"),
        pytest.param(
            [table("one", [("Z", 9)], ("g",))], [Classification("g", (("", ("A", "B")),))], "lie nowhere", id="label"
        ),
        pytest.param([], [], "needs tables", id="none"),
    ],
)
def test_what_does_not_fit_is_refused(tables, classifications, words):
    with pytest.raises(DisclosureError, match=words):
        system_of(tables, classifications=classifications)


def test_people_where_nobody_can_be_are_refused():
    with pytest.raises(DisclosureError, match="impossible"):
        system_of([table("one", [("A", 30)], ("g",))], impossible=[{"g": "A"}])


def test_nothing_true_is_shown():
    system = system_of(crossed([[2, 371, 40], [25, 9, 50], [60, 70, 80]]))
    assert "371" not in repr(system) + str(protect_jointly(system, Policy())) + repr(system.cells)


def test_tables_in_any_order_give_the_same_pattern():
    random = np.random.default_rng(7)
    tables = crossed(random.poisson(9, (6, 5)))
    patterns = []
    for order in itertools.islice(itertools.permutations(tables), 0, 24, 5):
        turned = [
            Table(t.name, t.source, Sealed(t.counts.unseal("x").sample(frac=1, random_state=1), ()), t.by, t.measures)
            for t in order
        ]
        patterns += [protect_jointly(system_of(p), Policy()).hidden for p in (order, turned)]
    assert all((p == patterns[0]).all() for p in patterns)


def test_many_moved_at_once_move_no_further_than_they_can():
    system = system_of(crossed(np.random.default_rng(3).poisson(5, (9, 8))))
    counts = system.cells.unseal("to test")["count"].to_numpy("float64")
    inner = counts < 20
    pattern = Pattern(system, inner & (counts < 5), inner & (counts >= 5))
    movements = Movements(system.relations, counts, np.ones(len(counts)), inner, np.zeros(len(counts), bool))
    wanted = [(int(i), by) for i in np.flatnonzero(inner) for by in (3.0, -min(3.0, counts[i])) if by]
    movements.find_together(wanted)
    attacker = Attacker(pattern)
    for cell in np.flatnonzero(inner):
        assert counts[cell] + movements.high[cell] <= attacker.limit(cell, 1) + 1e-4
        assert counts[cell] + movements.low[cell] >= attacker.limit(cell, -1) - 1e-4
    assert sum(movements.reaches(*w) for w in wanted) > len(wanted) / 2
    assert (movements.used == inner).all()


def _fewest(system, threshold=5, protection=3):
    """By trying every pattern: the fewest cells with which all small counts are safe."""
    counts = system.cells.unseal("to try everything")["count"].to_numpy()
    small = (counts < threshold) & system.shown
    others = np.flatnonzero(system.shown & ~small)
    for size in range(len(others) + 1):
        for chosen in itertools.combinations(others, size):
            companions = np.zeros(len(system), bool)
            companions[list(chosen)] = True
            if next(unsafe_cells(Pattern(system, small, companions), threshold, protection), None) is not None:
                continue
            return int(small.sum()) + size
    raise AssertionError("no pattern is safe")


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_beside_every_pattern_there_is(seed):
    random = np.random.default_rng(seed)
    system = system_of(crossed(random.integers(5, 30, (2, 3)) * (random.random((2, 3)) > 0.2)))
    pattern = protect_jointly(system, Policy())
    assert_safe(pattern)
    fewest = _fewest(system)
    assert lower_bound(system, Policy()).cells <= fewest <= pattern.hidden.sum() <= fewest + 3
