"""What readers can work out of the hidden counts of a pack, and of those that were changed a little."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jsna.audit.changed import contradictions, too_narrow, wanted
from jsna.audit.facts import Cell, Count, Facts
from jsna.audit.findings import COUNTED, DIFFERENCING, OFFICIAL, OUTSIDER, PROTECTOR, RULE, TOGETHER, Finding
from jsna.audit.meaning import is_of_pupils
from jsna.audit.official import Official, take_official
from jsna.audit.pack import Pack
from jsna.audit.readers import blocks, by_protector, least_by_rule, who_are_counted
from jsna.audit.reading import Reading, read
from jsna.audit.relations import WAYS, system_of
from jsna.audit.sheets import Sheet, sheets
from jsna.audit.system import System


@dataclass
class Attack:
    """``findings``; how many counts are hidden and how far each is known; and what nobody could make sense of.

    ``together``: hidden counts that two who are counted know closer than the rule tells, if they put together what each
    knows, and that nobody does alone.
    """

    findings: list[Finding] = field(default_factory=list)
    hidden: int = 0
    shown: int = 0
    intervals: dict[Count, tuple[int, int]] = field(default_factory=dict)
    not_analysed: list[tuple[str, str, int]] = field(default_factory=list)
    official: int = 0
    together: int = 0


def attack(pack: Pack, tables: list[Sheet], previous: Sequence[Pack] = (), published: Official | None = None) -> Attack:
    """Attack the ``tables`` of a pack: alone, beside figures of official bodies, and beside the packs before."""
    reading = Reading()
    read(pack, tables, reading)
    facts = reading.facts
    others = take_official(facts)
    made = Attack(hidden=len(facts.hidden), shown=len(facts.shown) + len(facts.changed), official=reading.official)
    made.not_analysed += reading.not_analysed
    made.findings += [Finding(kind, cell.file, cell.where) for kind, cell in dict.fromkeys(reading.small)]
    made.findings += contradictions(facts, pack)
    made.findings += _seen(facts, pack, OUTSIDER)
    system = system_of(facts)
    made.intervals = system.intervals(_wanted(facts, made, pack))
    _judge(made, facts, system, made.intervals, pack, OUTSIDER)
    _explain(made, facts, pack)
    _readers(made, facts, system, pack)
    made.not_analysed += [*others, *_disagreements(facts, system), *_unread(reading)]
    if published is not None:
        for count, (value, cell) in published.items():
            facts.show_official(count, value, cell)
        made.not_analysed += [n for n in take_official(facts) if n not in others]
        _once_more(made, facts, pack, OFFICIAL)
    if previous:
        for other in previous:
            read(other, sheets(other), reading)
        take_official(facts)
        _once_more(made, facts, pack, DIFFERENCING)
    return made


def _once_more(made: Attack, facts: Facts, pack: Pack, attacker: str) -> None:
    """The same attack with more at hand: only what was not found before is told."""
    before = {(f.kind, f.file, f.where) for f in made.findings}
    made.findings += [f for f in _seen(facts, pack, attacker) if (f.kind, f.file, f.where) not in before]
    system = system_of(facts)
    _judge(made, facts, system, system.intervals(_wanted(facts, made, pack)), pack, attacker)


def _readers(made: Attack, facts: Facts, system: System, pack: Pack) -> None:
    """Readers who know the rule, how the protector works, or themselves to be counted: of hidden counts alone."""
    if not facts.hidden or pack.rule.changes_counts:
        return
    found, least = {c: e for c, e in made.intervals.items() if c in facts.hidden}, least_by_rule(facts, pack.rule)
    if least:
        for count in found:
            system.bound(count, least, math.inf)
        found = system.intervals(_wanted(facts, made, pack))
        _judge(made, facts, system, found, pack, RULE, least)
    found = _by_protector(made, facts, system, found, pack, least)
    parts = blocks(facts, system, found)
    done = {f.detail.partition(";")[0] for f in made.findings if f.width is not None}
    one, two = (
        {c: e for b in parts for c, e in who_are_counted(b, people).items() if c.label() not in done}
        for people in (1, 2)
    )
    _judge(made, facts, system, one, pack, COUNTED, least)
    _judge(made, facts, system, {c: e for c, e in two.items() if e[0] == e[1]}, pack, TOGETHER, least)
    closer = Attack()
    _judge(closer, facts, system, two, pack, TOGETHER, least)
    alone = {f.detail.partition(";")[0] for f in made.findings if f.width is not None}
    made.together = sum(f.detail not in alone for f in closer.findings)


def _by_protector(made: Attack, facts: Facts, system: System, found, pack: Pack, least: int):
    """Add what the protector's way of working tells, and attack again where it tells anything."""
    parts = blocks(facts, system, found)
    told = {c: e for b in parts for c, e in by_protector(b, _threshold(pack, b.hidden[0])).items()}
    narrower = {c: e for c, e in told.items() if e[0] > found[c][0] or e[1] < found[c][1]}
    if not narrower:
        return found
    for count, ends in narrower.items():
        system.bound(count, *ends)
    found = system.intervals(_wanted(facts, made, pack))
    _judge(made, facts, system, found, pack, PROTECTOR, least)
    return found


def verdict(low: int, high: int, base: int | None, threshold: int, told_from: int = 0) -> str:
    """``exact``, ``narrow`` (under the threshold, or all but so few, and closer than the rule itself tells) or nothing.

    ``told_from``: the least that the rule leaves possible.

    >>> verdict(3, 3, None, 5), verdict(1, 3, None, 5), verdict(0, 4, None, 5), verdict(196, 199, 200, 5)
    ('exact', 'narrow', '', 'narrow')
    """
    if low >= high:
        return "exact"
    small = high < threshold or (base is not None and base - low < threshold)
    return "narrow" if small and high - low < threshold - 1 - told_from else ""


def _threshold(pack: Pack, count: Count) -> int:
    return pack.rule.of(is_of_pupils(count.outcome)).threshold


def _wanted(facts: Facts, made: Attack, pack: Pack) -> list[Count]:
    """Hidden counts, and changed ones that can be small, that are not found out yet."""
    found = {(f.file, f.where) for f in made.findings if f.kind in ("exact", "narrow", "shown elsewhere")}
    hidden = [c for c, cells in facts.hidden.items() if c not in facts.shown and not found & _places(cells)]
    others = wanted(facts, pack.rule)
    return hidden + [c for c in others if not found & _places([t.cell for t in facts.changed[c]])]


def _first(cells: list[Cell], pack: Pack) -> Cell:
    """The cell to name of those that hide one count: of the pack itself, and of a table before a list."""
    return min(cells, key=lambda c: (c.pack != pack.name, not c.file.startswith("tables/")))


def _places(cells: list[Cell]) -> set[tuple[str, str]]:
    return {(c.file, c.where) for c in cells}


def _seen(facts: Facts, pack: Pack, attacker: str) -> list[Finding]:
    """Hidden counts that stand open elsewhere, and figures shown that rest on hidden counts."""
    found: list[Finding] = []
    for count, cells in facts.hidden.items():
        if count in facts.shown:
            value, other = facts.shown[count]
            name = other.file if other.pack == pack.name else f"pack {other.pack}, {other.file}"
            detail = f"shown in {name}, {other.where}"
            cell = _first(cells, pack)
            found.append(Finding("shown elsewhere", cell.file, cell.where, detail, f"{value:g}", attacker, 0))
    for count, told in facts.changed.items():
        value, other = facts.shown.get(count, (math.inf, None))
        if other is not None and value < pack.threshold and count not in facts.official:
            name = other.file if other.pack == pack.name else f"pack {other.pack}, {other.file}"
            cell = _first([t.cell for t in told], pack)
            detail = f"as it is in {name}, {other.where}"
            found.append(Finding("shown elsewhere", cell.file, cell.where, detail, f"{value:g}", attacker, 0))
    rests = [(count, cell) for count, cell in facts.beside if count in facts.hidden]
    return found + [Finding("beside", cell.file, cell.where, count.label(), "", attacker) for count, cell in rests]


def _judge(made: Attack, facts: Facts, system: System, found, pack: Pack, attacker: str, told_from: int = 0) -> None:
    """A finding for each hidden or changed count whose interval is too narrow."""
    low_of, high_of = system.bounds()
    for count, (low, high) in found.items():
        at = system.index.get(facts.mentioned.get(count))
        base = int(low_of[at]) if at is not None and low_of[at] == high_of[at] else None
        threshold = _threshold(pack, count)
        if count in facts.hidden:
            kind, cells = verdict(low, high, base, threshold, told_from), facts.hidden[count]
        else:
            kind = too_narrow(low, high, facts.changed[count], threshold)
            cells = [t.cell for t in facts.changed[count]]
        if kind:
            cell = _first(cells, pack)
            shown = f"{low} to {high}" if high > low else str(low)
            made.findings.append(Finding(kind, cell.file, cell.where, count.label(), shown, attacker, high - low))


def _explain(made: Attack, facts: Facts, pack: Pack) -> None:
    """Say of each count found out which kind of published figure gives it away: without it, it would be hidden."""
    of = {c.label(): c for c in [*facts.hidden, *facts.changed]}
    found = {of[f.detail]: f for f in made.findings if f.width is not None and f.detail in of}
    needed: dict[Count, list[str]] = {count: [] for count in found}
    for way in WAYS if found else ():
        less = Attack()
        system = system_of(facts, without=way)
        _judge(less, facts, system, system.intervals(list(found)), pack, OUTSIDER)
        still = {f.detail for f in less.findings}
        for count in found:
            if count.label() not in still:
                needed[count].append(WAYS[way])
    why = {id(f): needed[c] for c, f in found.items()}
    made.findings = [
        replace(f, detail=f"{f.detail}; by {' and '.join(why[id(f)]) or 'sums alone, or in several ways'}")
        if id(f) in why
        else f
        for f in made.findings
    ]


def _unread(reading: Reading) -> list[tuple[str, str, int]]:
    """Columns that the attack does not reckon with: it only makes sure that they are empty beside a hidden count."""
    why = ("only seen to be empty beside hidden counts", "taken to be made of the changed counts")
    return [
        (
            f"{len(set(files))} tables" if len(set(files)) > 1 else files[0],
            f"column “{column}”, {reason}",
            len(files),
        )
        for reason, columns in zip(why, (reading.unread, reading.of_changed), strict=True)
        for column, files in columns.items()
    ]


def _disagreements(facts: Facts, system: System) -> list[tuple[str, str, int]]:
    """Published figures that cannot all be true: the attack goes on without them."""
    cells = [(b.file, f"{b.where} differs from {a.file}, {a.where}", 1) for _, a, b in facts.disagreeing]
    sums = Counter(system.left_out)
    return cells + [("", f"figures that do not agree: {why}", n) for why, n in sums.items()]
