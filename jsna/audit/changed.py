"""A pack whose counts were all changed a little: figures in it that must have been made of the true ones."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from jsna.audit.facts import Changed, Count, Facts, Told
from jsna.audit.findings import Finding
from jsna.audit.pack import Pack
from jsna.audit.policy import Rule
from jsna.audit.relations import wilson

NEAR = 1e-7


def contradictions(facts: Facts, pack: Pack) -> list[Finding]:
    """Counts with two values, and shares and limits that the counts shown do not give.

    Shares without their count beside them tell which changed count they were made of; that is noted in ``facts``.
    """
    found = [
        Finding("unchanged count", b.file, b.where, f"{count.label()}: not as in {a.file}, {a.where}")
        for count, a, b in facts.disagreeing
        if count in facts.changed and a.pack == b.pack == pack.name and not _held(facts, count)
    ]
    for told in facts.told:
        if told.cell.pack != pack.name or facts.of_true(told):
            continue
        fits = _fits(told, facts, pack.rule)
        if fits is not None and not fits.size:
            found.append(Finding("unchanged share", told.cell.file, told.cell.where, told.count.label()))
        elif fits is not None and fits.size == 1 and told.of_changed and told.count not in facts.changed:
            value = float(fits[0])
            facts.show_changed(told.count, value, pack.rule.stands_for(value), told.cell)
    return found


def _held(facts: Facts, count: Count) -> bool:
    """Whether the smallest value of a count is that of its whole: a part is never shown larger than its whole."""
    base = facts.mentioned.get(count)
    least = min(t.value for t in facts.changed[count])
    return base is not None and any(t.value == least for t in facts.changed.get(base, ()))


def wanted(facts: Facts, rule: Rule) -> list[Count]:
    """Changed counts that could be under the threshold."""
    return [c for c, told in facts.changed.items() if told_by_rule(told)[0] < rule.threshold and c not in facts.shown]


def told_by_rule(told: list[Changed]) -> tuple[float, float]:
    """What the first value shown tells by itself."""
    return told[0].lower, told[0].upper


def too_narrow(low: int, high: int, told: list[Changed], threshold: int) -> str:
    """``exact`` (one number under the threshold, that the value shown does not tell by itself) or nothing.

    That sums narrow a changed count to two numbers or more is what these methods give: docs/audit.md.

    >>> cell = None
    >>> [too_narrow(a, b, [Changed(0, 0, 2, cell)], 5) for a, b in ((0, 2), (1, 2), (1, 1))]
    ['', '', 'exact']
    """
    least, most = told_by_rule(told)
    return "exact" if low >= high and high < threshold and least < most else ""


def _fits(told: Told, facts: Facts, rule: Rule) -> np.ndarray | None:
    """The changed counts that give a figure; nothing where the whole is not shown."""
    base = facts.seen(told.whole)
    if not base or not (told.of_changed or told.count in facts.changed or told.count in facts.shown):
        return None
    counts = np.array(list(_possible(told, base, facts, rule)))
    if not counts.size:
        return counts
    share = 100 * counts / base
    figure = share if told.side == "share" else 100 * wilson(counts, base)[told.side == "share_high"]
    return counts[(figure >= told.lower - NEAR) & (figure <= told.upper + NEAR)]


def _possible(told: Told, base: float, facts: Facts, rule: Rule) -> Iterator[float]:
    shown = facts.seen(told.count)
    if shown is not None:
        yield shown
        return
    ends = (told.lower, told.upper) if told.side == "share" else (0.0, 100.0)
    for n in range(max(0, math.floor(ends[0] * base / 100)), math.ceil(ends[1] * base / 100) + 1):
        if rule.may_be_shown(n):
            yield float(n)
