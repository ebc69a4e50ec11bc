"""From tables to statements, by `tables.yml`: what each kind of table says about counts of children."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsna.audit.facts import HIDDEN, TOO_FEW, AgainstOthers, Between, Cell, Count, Facts, Limit
from jsna.audit.pack import Pack
from jsna.audit.rules import rules
from jsna.audit.sheets import Sheet, number_text

SYMBOLS = {"", "c", "u", "x", "z", "low", "y", "none"}
FINEST = 1e-6
SHARES = {"share": 1.0, "proportion": 100.0}


@dataclass
class Reading:
    """``facts`` of all tables read; ``not_analysed`` names tables that the audit could make nothing of.

    ``official``: how many tables of a publisher's figures were passed on, of a kind that is not attacked. ``unread``:
    columns of known tables that nothing is worked out from, with the file of each figure.
    """

    facts: Facts = field(default_factory=Facts)
    not_analysed: list[tuple[str, str, int]] = field(default_factory=list)
    small: list[tuple[str, Cell]] = field(default_factory=list)
    official: int = 0
    unread: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


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
            for number, row in enumerate(sheet.rows, start=2):
                _Row(pack, sheet, kind, number, dict(zip(sheet.head, row, strict=False)), periods, into).read()


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

    def read(self) -> None:
        count = self._count()
        if count is None:
            return
        facts = self.into.facts
        base = count.of(base_of(count.outcome, self.sheet.official))
        facts.mention(count, base if base != count else None)
        facts.mention(base)
        if not self.kind.settings.get("partial"):
            facts.listed |= {(count.whole, count.characteristic), (base.whole, base.characteristic)}
        self._counts("count", count, count if base == count else base)
        self._counts("base", base, None)
        self._counts("base_whole", base.whole, None)
        self._inside(count, base)
        for column in self.kind.columns("unknown"):
            value = number(self.cells.get(column, ""))
            if value is not None:
                facts.unknown.append((count, value))
        for column in self.kind.columns("known"):
            value = number(self.cells.get(column, ""))
            if value is not None:
                facts.known.append((count, value))
        self._figures(count, base)
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
        return Count(outcome, period, characteristic, group) if characteristic and group else None

    def _cell(self, column: str) -> Cell:
        label = self._part("group") or next(iter(self.cells.values()), "")
        return Cell(self.pack.name, self.sheet.file, self.number, column, label[:60])

    def _counts(self, role: str, count: Count, base: Count | None) -> None:
        facts, rule = self.into.facts, self.pack
        for column in self.kind.columns(role):
            text = self.cells.get(column, "")
            value = number(text)
            if text == HIDDEN:
                facts.hide(count, self._cell(column))
            elif value is not None and value == int(value):
                facts.show(count, value, self._cell(column))
                if not self.sheet.official:
                    facts.zeros_shown |= value == 0
                    if value < rule.threshold:
                        self.into.small.append(("small count", self._cell(column)))
                    if base is not None and base != count:
                        self._complement(value, column)

    def _complement(self, value: float, column: str) -> None:
        bases = [number(self.cells.get(c, "")) for c in self.kind.columns("base")]
        for base in bases:
            if base is not None and 0 <= base - value < self.pack.threshold:
                self.into.small.append(("small complement", self._cell(column)))

    def _inside(self, count: Count, base: Count) -> None:
        inside = self.kind.settings.get("inside")
        if inside:
            group = group_name(self.cells.get(inside["group"][1:], ""))
            for part in (count, base):
                self.into.facts.inside[part] = part._replace(characteristic=inside["characteristic"], group=group)

    def _figures(self, count: Count, base: Count) -> None:
        facts = self.into.facts
        lone = not self.kind.columns("count")
        of = self.kind.settings.get("share_of")
        whole = count.whole.of(of) if of else base
        for role, scale in SHARES.items():
            for column in self.kind.columns(role):
                text = self.cells.get(column, "")
                if text == HIDDEN and lone:
                    facts.hide(count, self._cell(column))
                if text == TOO_FEW:
                    facts.few[base] = self.pack.minimum_denominator - 1
                found = interval(text, scale)
                if found is None:
                    continue
                facts.between += _share(count, whole, found, self._cell(column))
                self._too_few_for(column)
        for role in ("share_low", "share_high"):
            for column in self.kind.columns(role):
                found = interval(self.cells.get(column, ""))
                if found:
                    facts.limits.append(Limit(role, count, base, *found))
        for how in ("others", "gap", "ratio"):
            for column in self.kind.columns(how):
                found = interval(self.cells.get(column, ""))
                if found:
                    facts.against.append(AgainstOthers(how, count, base, *found))

    def _too_few_for(self, column: str) -> None:
        bases = [number(self.cells.get(c, "")) for c in self.kind.columns("base")]
        few = any(b is not None and b < self.pack.minimum_denominator for b in bases)
        if few and not self.sheet.official:
            self.into.small.append(("small denominator", self._cell(column)))

    def _others(self, count: Count) -> None:
        """Numbers in columns that the kind does not name: nothing may rest on a hidden count."""
        for column in self.sheet.head:
            if column in self.kind.named or number(self.cells.get(column, "")) is None:
                continue
            self.into.facts.beside.append((count, self._cell(column)))
            self.into.unread[column].append(self.sheet.file)


def _share(count: Count, whole: Count, found: tuple[float, float], cell: Cell) -> list[Between]:
    """100 count / whole lies in the interval: two sums of counts, whatever the whole is."""
    if count == whole:
        return []
    why = f"{cell.file}, {cell.column}"
    low, high = found
    return [
        Between(((count, 100.0), (whole, -low)), 0.0, math.inf, why),
        Between(((count, 100.0), (whole, -high)), -math.inf, 0.0, why),
    ]


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


def number(text: str) -> float | None:
    """The number that a cell shows, or nothing for a word, a symbol or a period."""
    plain = number_text(text)
    return float(plain) if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", plain) else None


def interval(text: str, scale: float = 1.0) -> tuple[float, float] | None:
    """What a rounded figure allows, each half a unit of its last place away.

    >>> interval("12.5")
    (12.45, 12.55)
    """
    value = number(text)
    if value is None:
        return None
    decimals = len(number_text(text).partition(".")[2].partition("e")[0])
    half = max(0.5 * 10.0**-decimals, FINEST)
    return round((value - half) * scale, 9), round((value + half) * scale, 9)


def measure(text: str) -> str:
    """A measure's code for the names that tables give it.

    >>> measure("Any SEN"), measure("need-asd")
    ('any_sen', 'need_asd')
    """
    plain = re.sub(r"\s*\[\d+\]$", "", text).strip()
    return rules()["outcomes"].get(plain, plain).lower().replace("-", "_")


def group_name(text: str) -> str:
    """A group's name in one form: small letters, no footnote marks."""
    return re.sub(r"\s*\[\d+\]$", "", text).strip().lower()


def period_of(text: str) -> str:
    """A census's school year for the names that tables give it; anything else as it stands.

    >>> period_of("January 2026"), period_of("2023 to 2025")
    ('202526', '2023 to 2025')
    """
    match = re.fullmatch(r"Jan(?:uary)? (\d{4})", text.strip())
    return f"{int(match[1]) - 1}{match[1][2:]}" if match else text.strip()


def is_of_pupils(outcome: str) -> bool:
    """Whether a measure counts pupils of a school census."""
    return outcome == "pupils" or bool(re.match(rules()["pupil_measures"], outcome))


def base_of(outcome: str, official: bool = False) -> str:
    """Of whom a measure counts some. Two official measures are never taken to be of the same children.

    >>> base_of("any_sen"), base_of("six_weeks"), base_of("ehc_05")
    ('pupils', 'decided', 'all of ehc_05')
    """
    if outcome == "pupils" or is_of_pupils(outcome):
        return "pupils"
    own = f"all of {outcome}"
    return own if official else rules()["bases"].get(outcome, own)


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
