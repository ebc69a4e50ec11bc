"""What readers infer beyond the sums: from knowing the rule and how the protector works, and from being counted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from jsna.audit.facts import Count, Facts
from jsna.audit.policy import Rule
from jsna.audit.system import System

MOST_CANDIDATES = 8
MOST_TOGETHER = 12
Ends = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """Counts that sums join, as a system of their own, and the hidden ones among them.

    ``whole``: no hidden count of its sums was found out, so whatever the others are hidden for is still among them.
    """

    system: System
    hidden: tuple[Count, ...]
    whole: bool


def least_by_rule(facts: Facts, rule: Rule) -> int:
    """The least that a hidden count can be by the rule alone: 1 where zeros are shown."""
    return int(facts.zeros_shown or rule.zeros == "shown")


def blocks(facts: Facts, system: System, found: dict[Count, Ends]) -> list[Block]:
    """The parts of the system that hold hidden counts, with what is known of each count narrowed to ``found``."""
    low, high = system.bounds()
    for count, (least, most) in found.items():
        at = system.index.get(count)
        if at is not None and at < low.size and most >= least:
            low[at], high[at] = max(low[at], least), min(high[at], most)
    high = np.maximum(low, high)
    still = system.what_if(low, high)
    part = _joined(still)
    spoilt = _beside_known(facts, system, low == high)
    rows: dict[int, list] = {}
    for row in still.rows:
        for where in set(part[row[0]].tolist()):
            rows.setdefault(where, []).append(row)
    hidden: dict[int, list[Count]] = {}
    for count in found:
        if count in still.index and count in facts.hidden and count not in facts.shown:
            hidden.setdefault(int(part[still.index[count]]), []).append(count)
    broken = {int(part[still.index[name]]) for name in spoilt if name in still.index}
    return [Block(_of_rows(still, rows[at]), tuple(counts), at not in broken) for at, counts in hidden.items()]


def _beside_known(facts: Facts, system: System, known: np.ndarray) -> set[object]:
    """Counts in a sum with a hidden count that was found out."""
    found_out = {system.index[c] for c in facts.hidden if c in system.index and known[system.index[c]]}
    rows = [at for at, *_ in system.rows if not found_out.isdisjoint(at.tolist())] if found_out else []
    return {system.names[a] for at in rows for a in at}


def _joined(system: System) -> np.ndarray:
    """Which block each count is of: those in one plain sum are together, those in a weighted one only are not."""
    plain = [at for at, by, *_ in system.rows if (np.abs(by) == 1).all()]
    size = len(system.names)
    ends = np.concatenate([[], *plain]).astype(int)
    rows = np.repeat(np.arange(len(plain)), [len(at) for at in plain])
    joined = csr_array((np.ones(ends.size), (ends, size + rows)), shape=(size + len(plain),) * 2)
    return connected_components(joined, directed=False)[1][:size]


def _of_rows(system: System, rows: list) -> System:
    small = System()
    for at, by, lower, upper, why in rows:
        small.add({system.names[a]: float(b) for a, b in zip(at, by, strict=True)}, lower, upper, why)
    for name in small.names:
        small.bound(name, *system.start[system.index[name]])
    return small


def by_protector(block: Block, threshold: int) -> dict[Count, Ends]:
    """What follows from this: a block is hidden because at least one number in it is small.

    The small number is one of the hidden counts, or what is left of a whole beside them. Every one that could be small
    is tried; what holds whichever it is, holds. Only of groups: what else the protector adds up with a number of all
    children, such as that of an indicator, a pack's tables do not say.
    """
    groups = block.whole and all(c.characteristic for c in block.hidden)
    candidates = list(_candidates(block, threshold)) if groups else []
    if not candidates or len(candidates) > MOST_CANDIDATES:
        return {}
    supposed = (_if_small(block, c, threshold) for c in candidates)
    cases = [found for found in supposed if found is not None]
    if not cases:
        return {}
    return {c: (min(case[c][0] for case in cases), max(case[c][1] for case in cases)) for c in block.hidden}


def _candidates(block: Block, threshold: int) -> Iterator[object]:
    """Counts that could be small, and (by their number) rows beside which something small could be left."""
    system = block.system
    low, high = system.bounds()
    yield from (name for name, least in zip(system.names, low, strict=True) if least < threshold)
    for number, (at, by, lower, upper, _) in enumerate(system.rows):
        if lower == upper or not (np.abs(by) == 1).all() or not math.isfinite(upper):
            continue
        most = float(np.where(by > 0, by * high[at], by * low[at]).sum())
        if upper - most < threshold:
            yield number


def _if_small(block: Block, candidate: object, threshold: int) -> dict[Count, Ends] | None:
    """The bounds of the hidden counts if the candidate is under the threshold; nothing where it cannot be."""
    extra = None
    if isinstance(candidate, int):
        at, by, _, upper, _ = block.system.rows[candidate]
        terms = {block.system.names[a]: float(b) for a, b in zip(at, by, strict=True)}
        extra = (terms, upper - threshold + 1, math.inf)
    return _supposed(block, {} if extra else {candidate: (0.0, threshold - 1.0)}, extra)


def _supposed(block: Block, ends: dict[object, tuple[float, float]], extra=None) -> dict[Count, Ends] | None:
    """The bounds of the hidden counts under a supposition; nothing where it contradicts what is known."""
    system = System(block.system.names, block.system.index, list(block.system.rows), dict(block.system.start), [])
    for name, (lower, upper) in ends.items():
        system.bound(name, lower, upper)
        least, most = system.start[system.index[name]]
        if least > most:
            return None
    if extra is not None:
        system.add(*extra, "supposed")
    low, high, broken = system.carried()
    if broken is not None:
        return None
    return {c: (int(low[system.index[c]]), int(high[system.index[c]])) for c in block.hidden}


def who_are_counted(block: Block, people: int) -> dict[Count, Ends]:
    """How closely ``people`` who are counted in hidden groups know the groups that none of them is in.

    Each knows that his own group is not empty; two of one group, that it holds two.
    """
    before = _supposed(block, {})
    if before is None or len(block.hidden) < 2:
        return {}
    narrowed: dict[Count, Ends] = {}
    for own in _groups_of(block, before, people):
        numbers: dict[object, tuple[float, float]] = {c: (float(own.count(c)), math.inf) for c in own}
        after = _supposed(block, numbers) or before
        for other in (c for c in block.hidden if c not in own):
            # who is in a group is in every group around it: that these are not empty tells him nothing of others
            ends = (after[other][0] if after[other][0] > people else before[other][0], after[other][1])
            least, most = narrowed.get(other, before[other])
            if ends[1] - ends[0] < most - least:
                narrowed[other] = ends
    return narrowed


def _groups_of(block: Block, before: dict[Count, Ends], people: int) -> Iterator[tuple[Count, ...]]:
    """The hidden groups in which the people can be: those that may be empty, or hold too few for all of them."""
    open_groups = [c for c in block.hidden if before[c][0] < people]
    if people == 1:
        yield from ((c,) for c in open_groups)
        return
    yield from ((c, c) for c in open_groups)
    together = set()
    for at, *_ in block.system.rows:
        here = [c for a in at if (c := block.system.names[a]) in before and before[c][0] < 1]
        if len(here) <= MOST_TOGETHER:
            together |= set(combinations(here, 2))
    yield from sorted(together, key=str)
