"""From tables to statements, by `tables.yml`: what each kind of table says about counts of children."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsna.audit.facts import HIDDEN, TOO_FEW, AgainstOthers, Cell, Cluster, Count, Facts, Told
from jsna.audit.meaning import base_of, group_name, interval, is_of_pupils, measure, number, period_of, rounded_to
from jsna.audit.pack import Pack
from jsna.audit.rules import rules
from jsna.audit.sheets import Sheet

SYMBOLS = {"", "c", "u", "x", "z", "low", "y", "none"}
SHARES = {"share": 1.0, "proportion": 100.0}


@dataclass
class Reading:
    """``facts`` of all tables read; ``not_analysed`` names tables that the audit could make nothing of.

    ``official``: how many tables of a publisher's figures were passed on, of a kind that is not attacked. ``unread``:
    columns of known tables that nothing is worked out from, with the file of each figure. ``of_changed``: columns that
    compare groups in a pack of changed counts.
    """

    facts: Facts = field(default_factory=Facts)
    not_analysed: list[tuple[str, str, int]] = field(default_factory=list)
    small: list[tuple[str, Cell]] = field(default_factory=list)
    official: int = 0
    unread: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    of_changed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def read(pack: Pack, tables: list[Sheet], into: Reading) -> None:
    """Add what the tables of a pack say."""
    periods = _periods(pack, tables)
    for sheet in tables:
        kinds = [k for k in _kinds() if k.matches(sheet.name)]
        if sheet.name and re.match(rules()["nothing_to_attack"], sheet.name):
            continue
        if not kinds:
            _note_unknown(pack, sheet, into)
        for kind in kinds:
            for at, row in enumerate(sheet.rows, start=2):
                _Row(pack, sheet, kind, at, dict(zip(sheet.head, row, strict=False)), periods, into).read()
    into.facts.settle()


def _periods(pack: Pack, tables: list[Sheet]) -> dict[str, str]:
    """The period of each measure whose tables do not name it, from the tables that do; ``pupils``: the last census."""
    found: dict[str, str] = {}
    for sheet in tables:
        for outcome, period in (("outcome", "period"), ("Stage", "Period")):
            if sheet.name in ("flags", "ehc-pipeline-overall") and {outcome, period} <= set(sheet.head):
                at = sheet.head.index(outcome), sheet.head.index(period)
                found |= {measure(row[at[0]]): row[at[1]] for row in sheet.rows}
    censuses = [p for o, p in found.items() if is_of_pupils(o)]
    return found | {"pupils": max(censuses, default=pack.census)}


@dataclass(frozen=True)
class Kind:
    """A kind of table, as `tables.yml` has it."""

    id: re.Pattern[str]
    without: re.Pattern[str] | None
    settings: dict[str, Any]

    def matches(self, name: str) -> bool:
        """Whether an exhibit by this name is of the kind."""
        return bool(name and self.id.match(name) and not (self.without and self.without.search(name)))

    def columns(self, role: str) -> list[str]:
        """The columns that have a role."""
        return self.settings.get(role, [])

    @property
    def named(self) -> set[str]:
        """Every column that the kind says something of."""
        listed = {c for value in self.settings.values() if isinstance(value, list) for c in value}
        listed |= set(self.settings.get("known_of", ()))
        return listed | {v[1:] for v in self.settings.values() if isinstance(v, str) and v.startswith("@")}


@dataclass(frozen=True)
class _Row:
    pack: Pack
    sheet: Sheet
    kind: Kind
    number: int
    cells: dict[str, str]
    periods: dict[str, str]
    into: Reading

    @property
    def official(self) -> bool:
        """Whether the row's figures are a publisher's, by the table or by the row's own word on its source."""
        source = self._part("row_source")
        return self.sheet.official or any(source.startswith(p) for p in self.pack.publishers)

    def read(self) -> None:
        count = self._count()
        if count is None:
            return
        facts = self.into.facts
        base = count.of(base_of(count.outcome, self.official))
        facts.mention(count, base if base != count else None)
        facts.mention(base)
        if not self.kind.settings.get("partial"):
            facts.listed |= {(count.whole, count.characteristic), (base.whole, base.characteristic)}
        self._counts("count", count, count if base == count else base)
        self._counts("base", base, None)
        self._counts("base_whole", base.whole, None)
        self._inside(count, base)
        if self.kind.columns("unknown"):
            facts.unknown.add(count)
        self._counts("unknown", count, None)
        for column in self.kind.columns("known"):
            value = number(self.cells.get(column, ""))
            if value is not None:
                facts.known.append((count, *(self._stands_for(value))))
        self._expected(count)
        self._figures(count, base)
        self._of_known_group(base)
        if self.cells.get(self.kind.settings.get("others_are", "")) == rules()["unknown_among_others"]:
            facts.of_everybody.add((count.whole, count.characteristic))
        self._others(count)

    def _part(self, name: str) -> str:
        """A part of what the row is about: fixed, from a column, or from the exhibit's name."""
        setting = self.kind.settings.get(name, "")
        if setting.startswith("@"):
            return self.cells.get(setting[1:], "").strip()
        match = self.kind.id.match(self.sheet.name)
        return setting or ((match.groupdict().get(name) or "") if match else "")

    def _count(self) -> Count | None:
        outcome = self._part("outcome")
        if not outcome:
            return None
        variant = self._part("variant")
        outcome = measure(outcome) if variant in ("", "all") else f"{measure(outcome)} ({variant})"
        period = period_of(self._part("period")) or self.periods.get("pupils" if is_of_pupils(outcome) else outcome, "")
        period = period or f"cycle of {self.pack.census}"
        if self.kind.settings.get("whole"):
            return Count(outcome, period)
        characteristic = self._part("characteristic")
        characteristic = rules()["characteristics"].get(characteristic, characteristic).replace("-", "_")
        group = group_name(self._part("group"))
        if group and group == self.kind.settings.get("everybody"):
            return Count(outcome, period)
        return Count(outcome, period, characteristic, group) if characteristic and group else None

    def _cell(self, column: str) -> Cell:
        label = self._part("group") or next(iter(self.cells.values()), "")
        return Cell(self.pack.name, self.sheet.file, self.number, column, label[:60])

    def _counts(self, role: str, count: Count, base: Count | None) -> None:
        facts = self.into.facts
        for column in self.kind.columns(role):
            text = self.cells.get(column, "")
            value, near = number(text), rounded_to(text)
            if text == HIDDEN:
                facts.hide(count, self._cell(column))
            elif near is not None:
                facts.show_changed(count, near[0], near[1:], self._cell(column))
            elif value is not None and value == int(value):
                self._shown(count, base, value, column)

    def _shown(self, count: Count, base: Count | None, value: float, column: str) -> None:
        facts, rule, cell = self.into.facts, self.pack.rule.of(is_of_pupils(count.outcome)), self._cell(column)
        if self.official:
            facts.show(count, value, cell) if self.pack.official else facts.show_official(count, value, cell)
            return
        if rule.changes_counts and self.kind.settings.get("made_of"):
            return  # a sum of numbers that were changed one by one
        nobody_lacks = value == 0 and column in self.kind.columns("unknown")
        if not rule.may_be_shown(value) and not nobody_lacks:
            grid = rule.method in ("round_5", "midpoint_6")
            self.into.small.append(("unchanged count" if grid else "small count", cell))
        if rule.changes_counts:
            facts.show_changed(count, value, rule.stands_for(value), cell)
            return
        facts.show(count, value, cell)
        facts.zeros_shown |= value == 0 and not nobody_lacks
        if base is not None and base != count:
            self._complement(value, column, rule.threshold)

    def _stands_for(self, value: float) -> tuple[float, float]:
        return (value, value) if self.official else self.pack.rule.stands_for(value)

    def _complement(self, value: float, column: str, threshold: int) -> None:
        bases = [number(self.cells.get(c, "")) for c in self.kind.columns("base")]
        for base in bases:
            if base is not None and 0 <= base - value < threshold:
                self.into.small.append(("small complement", self._cell(column)))

    def _inside(self, count: Count, base: Count) -> None:
        inside = self.kind.settings.get("inside")
        if inside:
            group = group_name(self.cells.get(inside["group"][1:], ""))
            for part in (count, base):
                self.into.facts.inside[part] = part._replace(characteristic=inside["characteristic"], group=group)

    def _expected(self, count: Count) -> None:
        """Numbers expected, which tell which small areas make up a cluster; and the clusters themselves."""
        facts, found = self.into.facts, None
        for column in self.kind.columns("expected"):
            found = interval(self.cells.get(column, ""))
        made_of = self.kind.settings.get("made_of")
        if made_of:
            places = re.findall(r"(?:^|, )(.+?) \((\d+) of (\d+)\)", self.cells.get(made_of["column"], ""))
            parts = tuple(
                (count._replace(characteristic=made_of["characteristic"], group=group_name(name)), int(some), int(all_))
                for name, some, all_ in places
            )
            facts.clusters.append(Cluster(count, made_of["of"], parts, found))
        elif found is not None:
            facts.expected[count] = found

    def _figures(self, count: Count, base: Count) -> None:
        facts, changed = self.into.facts, self.pack.rule.changes_counts and not self.official
        lone = not self.kind.columns("count")
        of = self.kind.settings.get("share_of")
        whole = count.whole.of(of) if of else base
        for role, scale in SHARES.items():
            for column in self.kind.columns(role):
                text = self.cells.get(column, "")
                if text == HIDDEN and lone:
                    facts.lone.append((count, whole, self._cell(column)))
                if text == TOO_FEW:
                    facts.few[base] = max(self._stands_for(self.pack.minimum_denominator - 1))
                found = interval(text, scale)
                if found is None:
                    continue
                facts.told.append(Told("share", count, whole, *found, self._cell(column), changed))
                self._too_few_for(column)
        for role in ("share_low", "share_high"):
            for column in self.kind.columns(role):
                found = interval(self.cells.get(column, ""))
                if found:
                    facts.told.append(Told(role, count, base, *found, self._cell(column), changed))
        for how in ("others", "gap", "ratio"):
            for column in self.kind.columns(how):
                found = interval(self.cells.get(column, ""))
                if found and changed:
                    self.into.of_changed[column].append(self.sheet.file)
                elif found:
                    facts.against.append(AgainstOthers(how, count, base, *found))

    def _of_known_group(self, base: Count) -> None:
        """Of how many of those there are the group is known: whole per cent, cut off, or all but a few."""
        if self.pack.rule.changes_counts:
            return
        for column, characteristic in self.kind.settings.get("known_of", {}).items():
            text = self.cells.get(column, "")
            share, few = number(text), re.fullmatch(r"all but fewer than (\d+)", text)
            known = base._replace(characteristic=characteristic, group="")
            if few:
                self.into.facts.all_but.append((known, int(few[1]) - 1))
            elif share is not None:
                self.into.facts.known_share.append((known, share, share + 1))

    def _too_few_for(self, column: str) -> None:
        bases = [number(self.cells.get(c, "")) for c in self.kind.columns("base")]
        few = any(b is not None and b < self.pack.minimum_denominator for b in bases)
        if few and not self.official:
            self.into.small.append(("small denominator", self._cell(column)))

    def _others(self, count: Count) -> None:
        """Numbers in columns that the kind does not name: nothing may rest on a hidden count."""
        for column in self.sheet.head:
            text = self.cells.get(column, "")
            if column in self.kind.named or (number(text) is None and rounded_to(text) is None):
                continue
            self.into.facts.beside.append((count, self._cell(column)))
            self.into.unread[column].append(self.sheet.file)


def _note_unknown(pack: Pack, sheet: Sheet, into: Reading) -> None:
    """A table of no known kind: its small counts are told by the columns' names, the rest is not analysed."""
    figures = sum(number(cell) is not None or cell == HIDDEN for row in sheet.rows for cell in row)
    if not figures:
        return
    if sheet.official:
        into.official += 1
        return
    into.not_analysed.append((sheet.file, "a table of a kind that the audit does not know", figures))
    for index, column in enumerate(sheet.head):
        if not re.match(rules()["counting_words"], column):
            continue
        for at, row in enumerate(sheet.rows, start=2):
            value = number(row[index]) if index < len(row) else None
            if value is not None and value == int(value) and 0 < value < pack.threshold:
                into.small.append(("small count", Cell(pack.name, sheet.file, at, column, row[0][:60])))


@cache
def _kinds() -> tuple[Kind, ...]:
    groupings = rules()["groupings"]
    return tuple(
        Kind(
            re.compile(k["id"].replace("{groupings}", groupings)),
            re.compile(k["without"]) if "without" in k else None,
            k,
        )
        for k in rules()["kinds"]
    )
