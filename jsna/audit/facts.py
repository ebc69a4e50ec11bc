"""What the tables of a pack say, as statements about counts of children that an attacker can reckon with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

HIDDEN = "c"
TOO_FEW = "u"


class Count(NamedTuple):
    """A count of children: of one measure, census or span of years, characteristic and group (both empty: all)."""

    outcome: str
    period: str
    characteristic: str = ""
    group: str = ""

    def of(self, outcome: str) -> Count:
        """The same children's count by another measure."""
        return self._replace(outcome=outcome)

    @property
    def whole(self) -> Count:
        """The same measure of all children together."""
        return self._replace(characteristic="", group="")

    def label(self) -> str:
        """The count in words for the report."""
        parts = (self.outcome, self.period, self.characteristic, self.group)
        return ", ".join(p for p in parts if p)


class Cell(NamedTuple):
    """Where in a pack something stands."""

    pack: str
    file: str
    row: int
    column: str
    row_label: str = ""

    @property
    def where(self) -> str:
        """The cell for the report, rows counted as in a sheet with its header."""
        label = f" ({self.row_label})" if self.row_label else ""
        return f"row {self.row}{label}, column {self.column}"


@dataclass(frozen=True)
class Between:
    """``lower`` <= sum of coefficients times counts <= ``upper``."""

    terms: tuple[tuple[Count, float], ...]
    lower: float
    upper: float
    why: str


@dataclass(frozen=True)
class AgainstOthers:
    """A figure of a group against all others of known group: ``how`` is ratio, gap, others or more."""

    how: str
    count: Count
    base: Count
    lower: float
    upper: float


@dataclass(frozen=True)
class Limit:
    """A published limit of Wilson's 95% interval, in per cent."""

    side: str
    count: Count
    base: Count
    lower: float
    upper: float


@dataclass
class Facts:
    """Everything read from the tables of one or several packs."""

    shown: dict[Count, tuple[float, Cell]] = field(default_factory=dict)
    hidden: dict[Count, list[Cell]] = field(default_factory=dict)
    few: dict[Count, int] = field(default_factory=dict)
    known: list[tuple[Count, float]] = field(default_factory=list)
    mentioned: dict[Count, Count | None] = field(default_factory=dict)
    listed: set[tuple[Count, str]] = field(default_factory=set)
    inside: dict[Count, Count] = field(default_factory=dict)
    between: list[Between] = field(default_factory=list)
    against: list[AgainstOthers] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    unknown: list[tuple[Count, float]] = field(default_factory=list)
    beside: list[tuple[Count, Cell]] = field(default_factory=list)
    disagreeing: list[tuple[Count, Cell, Cell]] = field(default_factory=list)
    zeros_shown: bool = False

    def mention(self, count: Count, base: Count | None = None) -> None:
        """Note that a count is about something in the pack, and of whom it counts some."""
        if base is not None or count not in self.mentioned:
            self.mentioned[count] = base

    def show(self, count: Count, value: float, cell: Cell) -> None:
        """A published count; a second value that differs is kept as a disagreement."""
        first = self.shown.setdefault(count, (value, cell))
        if first[0] != value:
            self.disagreeing.append((count, first[1], cell))

    def hide(self, count: Count, cell: Cell) -> None:
        """A count whose cell shows the symbol of what is confidential."""
        self.hidden.setdefault(count, []).append(cell)
