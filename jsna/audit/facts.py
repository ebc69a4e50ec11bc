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
class AgainstOthers:
    """A figure of a group against all others of known group: ``how`` is ratio, gap, others or more."""

    how: str
    count: Count
    base: Count
    lower: float
    upper: float


class Changed(NamedTuple):
    """A count shown that the rule had changed, and the true counts that it can stand for."""

    value: float
    lower: float
    upper: float
    cell: Cell


class Told(NamedTuple):
    """A share in per cent, or a limit of its 95% interval (Wilson's), between two ends.

    ``side``: share, share_low or share_high. ``of_changed``: it is told of counts all of which were changed.
    """

    side: str
    count: Count
    whole: Count
    lower: float
    upper: float
    cell: Cell
    of_changed: bool


@dataclass(frozen=True)
class Cluster:
    """Small areas that are counted together: how many of all small areas of each place are among them.

    ``expected``: the number expected in all of them together, between two ends.
    """

    count: Count
    fine: str
    parts: tuple[tuple[Count, int, int], ...]
    expected: tuple[float, float] | None


@dataclass
class Facts:
    """Everything read from the tables of one or several packs.

    ``of_everybody``: measures and characteristics of which those of unknown group are among all others.
    """

    shown: dict[Count, tuple[float, Cell]] = field(default_factory=dict)
    hidden: dict[Count, list[Cell]] = field(default_factory=dict)
    few: dict[Count, float] = field(default_factory=dict)
    known: list[tuple[Count, float, float]] = field(default_factory=list)
    mentioned: dict[Count, Count | None] = field(default_factory=dict)
    listed: set[tuple[Count, str]] = field(default_factory=set)
    inside: dict[Count, Count] = field(default_factory=dict)
    against: list[AgainstOthers] = field(default_factory=list)
    unknown: set[Count] = field(default_factory=set)
    changed: dict[Count, list[Changed]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    official: dict[Count, tuple[float, Cell]] = field(default_factory=dict)
    expected: dict[Count, tuple[float, float]] = field(default_factory=dict)
    clusters: list[Cluster] = field(default_factory=list)
    beside: list[tuple[Count, Cell]] = field(default_factory=list)
    disagreeing: list[tuple[Count, Cell, Cell]] = field(default_factory=list)
    lone: list[tuple[Count, Count, Cell]] = field(default_factory=list)
    known_share: list[tuple[Count, float, float]] = field(default_factory=list)
    all_but: list[tuple[Count, int]] = field(default_factory=list)
    zeros_shown: bool = False
    of_everybody: set[tuple[Count, str]] = field(default_factory=set)

    def seen(self, count: Count) -> float | None:
        """The number that stands for a count in the pack, true, rounded or changed."""
        if count in self.changed:
            return self.changed[count][0].value
        return self.shown[count][0] if count in self.shown else None

    def settle(self) -> None:
        """Say which counts are hidden by shares alone: not one that is shown itself beside a hidden whole."""
        for count, whole, cell in self.lone:
            if count not in self.shown or whole in self.shown:
                self.hide(count, cell)
        self.lone.clear()

    def of_true(self, told: Told) -> bool:
        """Whether a share was worked out from true counts, as far as the pack says."""
        return not (told.of_changed or told.count in self.changed or told.whole in self.changed)

    def mention(self, count: Count, base: Count | None = None) -> None:
        """Note that a count is about something in the pack, and of whom it counts some."""
        if base is not None or count not in self.mentioned:
            self.mentioned[count] = base

    def show(self, count: Count, value: float, cell: Cell) -> None:
        """A published count; a second value that differs is kept as a disagreement."""
        first = self.shown.setdefault(count, (value, cell))
        if first[0] != value:
            self.disagreeing.append((count, first[1], cell))

    def show_changed(self, count: Count, value: float, ends: tuple[float, float], cell: Cell) -> None:
        """A count that the rule had changed; a second value in the same pack that differs is a disagreement."""
        before = self.changed.setdefault(count, [])
        for other in before:
            if other.cell.pack == cell.pack and other.value != value:
                self.disagreeing.append((count, other.cell, cell))
        before.append(Changed(value, *ends, cell))

    def show_official(self, count: Count, value: float, cell: Cell) -> None:
        """A count that an official body had published."""
        self.official.setdefault(count, (value, cell))

    def hide(self, count: Count, cell: Cell) -> None:
        """A count whose cell shows the symbol of what is confidential."""
        self.hidden.setdefault(count, []).append(cell)
