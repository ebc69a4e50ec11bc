"""What readers infer from the rule, from how the protector works, and from being counted: beside every filling."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jsna.audit.against import add_against
from jsna.audit.facts import AgainstOthers, Cell, Count, Facts
from jsna.audit.meaning import interval
from jsna.audit.policy import METHODS, Rule, rule_of
from jsna.audit.readers import blocks, by_protector, who_are_counted
from jsna.audit.system import System

THRESHOLD = 5
CELL = Cell("2026", "tables/a.csv", 2, "Identified")


def count(group: str) -> Count:
    return Count("any_sen", "202526", "ethnicity", group)


def block_of(total: float, ends: dict[str, tuple[float, float]]):
    """Hidden groups that make up a total, each known to lie between two ends: the block that they are."""
    facts, system = Facts(), System()
    names = {g: count(g) for g in ends}
    for group, (low, high) in ends.items():
        facts.hide(names[group], CELL)
        system.bound(names[group], low, high)
    system.add(dict.fromkeys(names.values(), 1.0), total, total, "sum")
    (block,) = blocks(facts, system, system.intervals(list(names.values())))
    return block, names


def test_the_only_count_that_can_be_small_is_small():
    """14 in two groups, of which the second has 5 or more: only the first can be why they are hidden."""
    block, names = block_of(14, {"a": (2, 9), "b": (0, 14)})
    told = by_protector(block, THRESHOLD)
    assert told == {names["a"]: (2, 4), names["b"]: (10, 12)}


def test_where_either_can_be_small_both_cases_stand():
    """Of 15 either is 0 to 4 and the other 11 to 15; of 30 where each has 3 to 27, 3 to 27 is all that is known."""
    block, _ = block_of(15, {"a": (0, 15), "b": (0, 15)})
    assert set(by_protector(block, THRESHOLD).values()) == {(0, 15)}
    block, _ = block_of(30, {"a": (3, 27), "b": (3, 27)})
    assert set(by_protector(block, THRESHOLD).values()) == {(3, 27)}


def test_a_number_left_beside_a_hidden_count_may_be_the_small_one():
    """Of 40 all but 0 to 4 are in a (so that b has 2 to 6), or b has 2 to 4: it has 6 at most in either case."""
    facts, system = Facts(), System()
    a, b, whole = count("a"), count("b"), count("a").of("pupils")
    for name, ends in ((a, (30, 40)), (b, (2, 12))):
        facts.hide(name, CELL)
        system.bound(name, *ends)
    system.bound(whole, 40, 40)
    system.add({a: 1.0, b: 1.0}, 42, 42, "sum")
    system.add({a: 1.0, whole: -1.0}, -np.inf, 0, "counted among its base")
    (block,) = blocks(facts, system, system.intervals([a, b]))
    assert by_protector(block, THRESHOLD)[b] == (2, 6)


def test_beside_a_count_found_out_nothing_is_inferred():
    """The first is known to be 3; it may be the only reason why the others are hidden."""
    facts, system = Facts(), System()
    a, b, c = (count(g) for g in "abc")
    for name, ends in ((a, (3, 3)), (b, (2, 9)), (c, (5, 12))):
        facts.hide(name, CELL)
        system.bound(name, *ends)
    system.add({a: 1.0, b: 1.0, c: 1.0}, 17, 17, "sum")
    (block,) = blocks(facts, system, system.intervals([a, b, c]))
    assert by_protector(block, THRESHOLD) == {}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=4), st.lists(st.integers(0, 4), min_size=4, max_size=4))
def test_what_is_told_by_the_protector_is_true_of_every_filling(values, room):
    """Beside every filling of the groups that has a small one."""
    ends = {str(i): (max(0, v - room[i]), v + room[i]) for i, v in enumerate(values)}
    assume(min(values) < THRESHOLD and all(low < high for low, high in ends.values()))
    total = sum(values)
    fillings = [
        f
        for f in itertools.product(*(range(low, high + 1) for low, high in ends.values()))
        if sum(f) == total and min(f) < THRESHOLD
    ]
    assume(all(len(set(c)) > 1 for c in zip(*fillings, strict=True)))
    block, names = block_of(total, ends)
    told = by_protector(block, THRESHOLD)
    for column, name in zip(zip(*fillings, strict=True), names.values(), strict=True):
        low, high = told[name]
        assert low <= min(column) <= max(column) <= high


def test_who_is_counted_knows_one_less_of_the_others():
    """Of 5 in three groups the others of one who is counted hold 4 at most, those of two who talk 3."""
    block, _ = block_of(5, dict.fromkeys("abc", (0, 5)))
    assert set(who_are_counted(block, 1).values()) == {(0, 4)}
    assert set(who_are_counted(block, 2).values()) == {(0, 3)}


def test_who_is_counted_is_counted_in_every_group_around_his_own():
    """That the whole, 0 to 4, is not empty tells someone of a part nothing of others."""
    facts, system = Facts(), System()
    part, whole = count("a"), count("a").of("pupils")
    for name in (part, whole):
        facts.hide(name, CELL)
        system.bound(name, 0, 4)
    system.add({part: 1.0, whole: -1.0}, -np.inf, 0, "counted among its base")
    (block,) = blocks(facts, system, system.intervals([part, whole]))
    assert whole not in who_are_counted(block, 1)


def test_two_of_one_group_know_that_it_holds_two():
    block, names = block_of(6, {"a": (0, 6), "b": (0, 6)})
    assert who_are_counted(block, 1)[names["b"]] == (0, 5)
    assert who_are_counted(block, 2)[names["b"]] == (0, 4)


def test_a_manifest_that_says_nothing_means_under_five():
    assert rule_of({}) == Rule()
    assert rule_of({"disclosure_policy": {"suppress_below": 8}, "parameters": {"minimum_denominator": 20}}) == Rule(
        threshold=8, minimum_denominator=20
    )
    told = {"method": "cell_key", "threshold": 10, "minimum_denominator": 15, "zeros": "shown", "max_perturbation": 3}
    assert rule_of({"disclosure": told}) == Rule("cell_key", 10, 15, "shown", "public", 3)


def test_what_may_be_shown_stands_for_itself_among_others():
    """Every true count has a shown one that can stand for it, and no more than the method says."""
    most = {"suppress": 1, "round_5": 5, "midpoint_6": 7, "cell_key": 11}
    for method in METHODS:
        rule = Rule(method=method)
        shown = [n for n in range(60) if rule.may_be_shown(n)]
        for true in range(10, 40):
            fits = [n for n in shown if rule.stands_for(n)[0] <= true <= rule.stands_for(n)[1]]
            assert fits
            assert method == "cell_key" or len(fits) == 1
        assert all(high - low < most[method] for low, high in map(rule.stands_for, shown))


def all_of_known_group(ratio: str, own: float = 30, rounded: bool = False, everybody: bool = False) -> tuple[int, int]:
    """Of 30 in 200 and a hidden rest in 800, the ratio to all others tells all of known group between these ends.

    Everybody is known to be 150, 1,010 in all: ten of them of unknown group.
    """
    facts = Facts()
    group, all_ = count("a"), Count("any_sen", "202526")
    for name, value in ((group.of("pupils"), 200), (all_, 150), (all_.of("pupils"), 1010)):
        facts.show(name, value, CELL)
    if rounded:
        facts.show_changed(group, own, (own - 5, own + 4), CELL)
    else:
        facts.show(group, own, CELL)
    if everybody:
        facts.of_everybody.add((all_, "ethnicity"))
    low, high = interval(ratio) or (0.0, 0.0)
    facts.against.append(AgainstOthers("ratio", group, group.of("pupils"), low, high))
    system = System()
    known = all_._replace(characteristic="ethnicity")
    system.bound(all_, 150, 150)
    system.bound(all_.of("pupils"), 1010, 1010)
    system.bound(group, own - 5 if rounded else own, own + 4 if rounded else own)
    system.bound(group.of("pupils"), 200, 200)
    system.bound(("known", known), 0, 1000)
    system.bound(("known", known.of("pupils")), 1000, 1000)
    add_against(system, facts, lambda c: ("known", c))
    low_of, high_of, _ = system.carried()
    at = system.index["known", known]
    return int(low_of[at]), int(high_of[at])


def test_a_ratio_to_all_others_tells_all_of_known_group():
    """0.15 / 1.215 to 0.15 / 1.225 of 800 are 98.0 to 98.8, so all are 128."""
    assert all_of_known_group("1.22") == (128, 128)


def test_a_ratio_worked_out_from_a_rounded_number_tells_the_same_of_all_others():
    """The rounded number is the one that the ratio was worked out from, whatever the true one is."""
    assert all_of_known_group("1.22", rounded=True) == (128, 128)


def test_where_those_of_unknown_group_are_among_all_others_the_ratio_does_not_tell_them_apart():
    assert all_of_known_group("1.01", everybody=True) == (0, 1000)


def test_where_everybody_is_shown_rounded_figures_made_from_that_tell_nothing_of_the_rest():
    """633 of 649, 980 (nearest 20) of 1,000 in all: the others are 347 of 351, 98.9%, by the rounded number alone."""
    facts = Facts()
    own, all_ = Count("held", "2025", "sex", "m"), Count("held", "2025")
    for name, value in ((own, 633), (own.of("plans"), 649), (all_.of("plans"), 1000)):
        facts.show(name, value, CELL)
    facts.show_changed(all_, 980, (970, 989), CELL)
    facts.against.append(AgainstOthers("others", own, own.of("plans"), 98.85, 98.95))
    system = System()
    known = all_._replace(characteristic="sex")
    system.bound(own, 633, 633)
    system.bound(own.of("plans"), 649, 649)
    system.bound(("known", known), 970, 989)
    system.bound(("known", known.of("plans")), 1000, 1000)
    add_against(system, facts, lambda c: ("known", c))
    low, high, _ = system.carried()
    at = system.index["known", known]
    assert (low[at], high[at]) == (970, 989)
