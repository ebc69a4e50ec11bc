"""What four readers can work out of the hidden counts of a pack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from jsna.audit.facts import Cell, Count, Facts
from jsna.audit.findings import COUNTED, DIFFERENCING, OUTSIDER, RULE, Finding
from jsna.audit.pack import Pack
from jsna.audit.reading import Reading, read
from jsna.audit.relations import WAYS, system_of
from jsna.audit.sheets import sheets
from jsna.audit.system import System


@dataclass
class Attack:
    """``findings``; how many counts are hidden and how far each is known; and what nobody could make sense of."""

    findings: list[Finding] = field(default_factory=list)
    hidden: int = 0
    shown: int = 0
    intervals: dict[Count, tuple[int, int]] = field(default_factory=dict)
    not_analysed: list[tuple[str, str, int]] = field(default_factory=list)
    official: int = 0


def attack(pack: Pack, previous: list[Pack]) -> Attack:
    """Attack the tables of a pack, alone and then beside the packs before."""
    reading = Reading()
    read(pack, sheets(pack), reading)
    facts = reading.facts
    made = Attack(hidden=len(facts.hidden), shown=len(facts.shown), not_analysed=list(reading.not_analysed))
    made.official = reading.official
    made.findings += [Finding(kind, cell.file, cell.where) for kind, cell in dict.fromkeys(reading.small)]
    made.findings += _seen(facts, pack, OUTSIDER)
    system = system_of(facts)
    made.intervals = system.intervals(_wanted(facts, made))
    _judge(made, facts, system, made.intervals, pack, OUTSIDER)
    _explain(made, facts, pack)
    for count, bounds in _by_rule(facts, system, made.intervals, pack).items():
        system.bound(count, *bounds)
    by_rule = system.intervals(_wanted(facts, made))
    _judge(made, facts, system, by_rule, pack, RULE)
    _counted(made, facts, system, by_rule, pack)
    made.not_analysed += [*_disagreements(facts, system), *_unread(reading)]
    if previous:
        _with_previous(made, reading, pack, previous)
    return made


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


def _wanted(facts: Facts, made: Attack) -> list[Count]:
    """Hidden counts that are not found out yet."""
    found = {(f.file, f.where) for f in made.findings if f.kind in ("exact", "narrow", "shown elsewhere")}
    return [c for c, cells in facts.hidden.items() if c not in facts.shown and not found & _places(cells)]


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
    rests = [(count, cell) for count, cell in facts.beside if count in facts.hidden]
    return found + [Finding("beside", cell.file, cell.where, count.label(), "", attacker) for count, cell in rests]


def _judge(made: Attack, facts: Facts, system: System, found, pack: Pack, attacker: str, told_from: int = 0) -> None:
    """A finding for each hidden count whose interval is too narrow."""
    told_from = max(told_from, int(facts.zeros_shown and attacker != OUTSIDER))
    low_of, high_of = system.bounds()
    for count, (low, high) in found.items():
        at = system.index.get(facts.mentioned.get(count))
        base = int(low_of[at]) if at is not None and low_of[at] == high_of[at] else None
        kind = verdict(low, high, base, pack.threshold, told_from)
        if kind:
            cell = _first(facts.hidden[count], pack)
            shown = f"{low} to {high}" if high > low else str(low)
            made.findings.append(Finding(kind, cell.file, cell.where, count.label(), shown, attacker, high - low))


def _explain(made: Attack, facts: Facts, pack: Pack) -> None:
    """Say of each count found out which kind of published figure gives it away: without it, it would be hidden."""
    of = {c.label(): c for c in facts.hidden}
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


def _by_rule(facts: Facts, system: System, found, pack: Pack) -> dict[Count, tuple[float, float]]:
    """What the rule tells: no hidden zero where zeros are shown; a hidden count with no companion is a small one."""
    least = float(facts.zeros_shown)
    most = {count: float("inf") for count in facts.hidden}
    beside = Counter((c.whole, c.characteristic) for c in facts.hidden)
    measures = Counter(c.of("") for c in facts.hidden)
    low_of, high_of = system.bounds()
    for count, (_, high) in found.items():
        at = system.index.get(facts.mentioned.get(count))
        base = low_of[at] if at is not None and low_of[at] == high_of[at] else None
        alone = beside[count.whole, count.characteristic] == 1 and measures[count.of("")] == 1
        if alone and base is not None and high <= base - pack.threshold:
            most[count] = pack.threshold - 1.0
    return {c: (least, most[c]) for c in facts.hidden if c not in facts.shown}


def _counted(made: Attack, facts: Facts, system: System, found, pack: Pack) -> None:
    """One who is counted in a hidden group knows that it is not empty: what that tells him of the groups beside his."""
    near = [c for c, (low, high) in found.items() if low == 0 and high < 2 * pack.threshold]
    low_of, high_of = system.bounds()
    open_part = system.what_if(low_of, high_of)
    narrowed: dict[Count, tuple[int, int]] = {}
    for own in (c for c in near if c in open_part.index):
        kept = dict(open_part.start)
        open_part.bound(own, 1, float("inf"))
        low, high = open_part.bounds()
        open_part.start = kept
        for other in (c for c in near if c != own and c in open_part.index):
            at, (least, most) = open_part.index[other], found[other]
            ends = max(least, int(low[at])), min(most, int(high[at]))
            before = narrowed.get(other, (least, most))
            if ends[1] - ends[0] < before[1] - before[0]:
                narrowed[other] = ends
    done = {f.detail.partition(";")[0] for f in made.findings}
    _judge(made, facts, system, {c: e for c, e in narrowed.items() if c.label() not in done}, pack, COUNTED)


def _unread(reading: Reading) -> list[tuple[str, str, int]]:
    """Columns that the attack does not reckon with: it only makes sure that they are empty beside a hidden count."""
    return [
        (
            f"{len(set(files))} tables" if len(set(files)) > 1 else files[0],
            f"column “{column}”, only seen to be empty beside hidden counts",
            len(files),
        )
        for column, files in reading.unread.items()
    ]


def _disagreements(facts: Facts, system: System) -> list[tuple[str, str, int]]:
    """Published figures that cannot all be true: the attack goes on without them."""
    cells = [(b.file, f"{b.where} differs from {a.file}, {a.where}", 1) for _, a, b in facts.disagreeing]
    sums = Counter(system.left_out)
    return cells + [("", f"figures that do not agree: {why}", n) for why, n in sums.items()]


def _with_previous(made: Attack, reading: Reading, pack: Pack, previous: list[Pack]) -> None:
    """The same attack over the packs before and this one together."""
    for other in previous:
        read(other, sheets(other), reading)
    facts = reading.facts
    before = {(f.kind, f.file, f.where) for f in made.findings}
    made.findings += [f for f in _seen(facts, pack, DIFFERENCING) if (f.kind, f.file, f.where) not in before]
    system = system_of(facts)
    found = system.intervals(_wanted(facts, made))
    _judge(made, facts, system, found, pack, DIFFERENCING)
