"""Figures of a group against all others, turned back into the number of all that they were worked out from."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable

from jsna.audit.facts import AgainstOthers, Count, Facts
from jsna.audit.rules import rules
from jsna.audit.system import System, fixed

Name = Callable[[Count], object]


def add_against(system: System, facts: Facts, known: Name) -> None:
    """Add ratios, gaps and shares of all others. ``known`` names the number in all groups but the unknown ones.

    All others are all of known group less the group, or everybody less the group where the pack says that those of
    unknown group are among them (``facts.of_everybody``). They are worked out from numbers as shown: where the group's
    is rounded, the figure tells of the rounded one.
    """
    families: dict[tuple[Count, str, Count], list[AgainstOthers]] = defaultdict(list)
    for fact in facts.against:
        if fact.count.group and fact.count.group not in rules()["unknown_groups"]:
            families[fact.count.whole, fact.count.characteristic, fact.base.whole].append(fact)
    if not families:
        return
    low, high = system.bounds()
    for (whole, characteristic, base_whole), told in families.items():
        everybody = (whole, characteristic) in facts.of_everybody
        near = whole in facts.changed or base_whole in facts.changed
        if near and (everybody or _fits_shown(facts, told, whole, base_whole)):
            continue  # worked out from numbers that are shown rounded: nothing new
        ends: tuple[object, object] = (whole, base_whole)
        if not everybody:
            in_groups = [c._replace(characteristic=characteristic) for c in (whole, base_whole)]
            ends = known(in_groups[0]), known(in_groups[1])
        exact = [f for f in told if f.count not in facts.changed and f.base not in facts.changed]
        for fact in exact:
            _of_true(system, fact, ends, low, high)
        rounded = [f for f in told if f not in exact]
        if rounded:
            system.bound(ends[0], *_whole_of(facts, rounded, fixed(system, ends[1], low, high)))


def _of_true(system: System, fact: AgainstOthers, ends: tuple[object, object], low, high) -> None:
    known, known_base = ends
    why = f"{fact.how} of {fact.count.label()}"
    if fact.how == "others":
        for value, lower, upper in ((fact.lower, 0.0, math.inf), (fact.upper, -math.inf, 0.0)):
            terms = {known: 100.0, fact.count: -100.0, known_base: -value, fact.base: value}
            system.add(terms, lower, upper, why)
        return
    base, all_bases = (fixed(system, n, low, high) for n in (fact.base, known_base))
    if base and all_bases and all_bases > base:
        _beside(system, fact, known, base, all_bases - base, why)


def _beside(system: System, fact: AgainstOthers, whole: object, base: float, rest: float, why: str) -> None:
    """A figure as sums of the count and of all, once the bases are known."""
    if fact.how == "others":
        system.add({whole: 100 / rest, fact.count: -100 / rest}, fact.lower, fact.upper, why)
    elif fact.how == "gap":
        system.add({fact.count: 100 / base + 100 / rest, whole: -100 / rest}, fact.lower, fact.upper, why)
    elif fact.how == "ratio":
        for value, lower, upper in ((fact.lower, 0.0, math.inf), (fact.upper, -math.inf, 0.0)):
            times = value * base / rest
            system.add({fact.count: 1 + times, whole: -times}, lower, upper, why)


def _fits_shown(facts: Facts, told: list[AgainstOthers], whole: Count, base_whole: Count) -> bool:
    """Whether the figures are what the rounded number of everybody gives, as where the group of all is known."""
    low, high = _whole_of(facts, told, facts.seen(base_whole))
    seen = facts.seen(whole)
    return seen is not None and low <= seen <= high


def _whole_of(facts: Facts, told: list[AgainstOthers], all_bases: float | None) -> tuple[float, float]:
    """Between which ends the number of all lies, by every row whose count is shown."""
    ends = (0.0, math.inf)
    for fact in told:
        count, base = facts.seen(fact.count), facts.seen(fact.base)
        if count is None or not base or all_bases is None or all_bases <= base:
            continue
        rest = all_bases - base
        if fact.how == "others":
            found = (count + fact.lower * rest / 100, count + fact.upper * rest / 100)
        elif fact.how == "gap":
            share = count / base
            found = (count + (share - fact.upper / 100) * rest, count + (share - fact.lower / 100) * rest)
        elif fact.lower > 0 and count:
            found = (count + count * rest / base / fact.upper, count + count * rest / base / fact.lower)
        else:
            continue
        ends = max(ends[0], found[0] - 1e-6), min(ends[1], found[1] + 1e-6)
    return math.ceil(ends[0]), (math.floor(ends[1]) if math.isfinite(ends[1]) else ends[1])
