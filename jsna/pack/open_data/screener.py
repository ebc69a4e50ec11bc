"""Would Explore Education Statistics take this file? The rules of its screener, stage by stage, written anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.pack.open_data import rules_content, rules_meta, rules_places, rules_shape
from jsna.pack.open_data.lookups import Level, Told, rules_by_stage
from jsna.pack.open_data.pair import DATA_SUFFIX, META_SUFFIX, Pair, read_table
from jsna.pack.open_data.places import Places
from jsna.pack.open_data.rules import RULES

WHERE_RULES_ARE = (rules_shape, rules_meta, rules_content, rules_places)  # imported, they are known


@dataclass(frozen=True)
class Finding:
    """One breach of a rule.

    ``row``: the first row that breaks it, as a sheet counts them (0: it is of no row); ``rows``: how many do.
    """

    rule: str
    level: Level
    stage: str
    file: str
    column: str
    row: int
    rows: int
    value: str
    what: str
    mend: str

    def __str__(self) -> str:
        again = f" ({self.rows} rows)" if self.rows > 1 else ""
        column, row = f"column {self.column}" if self.column else "", f"row {self.row}{again}" if self.row else ""
        place = ", ".join(part for part in (self.file, column, row) if part)
        found = f" Found: {self.value!r}." if self.value else ""
        return f"{self.level} {self.rule}: {place}: {self.what}{found} {self.mend}"


@dataclass(frozen=True)
class Screening:
    """What the screener says of a pair of files; ``stopped_at`` is the stage after which it looked no further."""

    file: str
    findings: tuple[Finding, ...]
    stopped_at: str = ""

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The breaches for which EES refuses the file."""
        return tuple(f for f in self.findings if f.level == "FAIL")

    @property
    def warned(self) -> tuple[Finding, ...]:
        """What EES says of a file that it takes."""
        return tuple(f for f in self.findings if f.level == "WARN")


def screened(pair: Pair) -> Screening:
    """Every breach of the stages in their order, up to the first stage with a FAIL.

    >>> head = ["time_period", "time_identifier", "geographic_level", "country_code", "country_name", "pupil_count"]
    >>> data = pd.DataFrame([["202527", "Academic year", "National", "E92000001", "England", "5"]], columns=head)
    >>> meta = pd.DataFrame([["pupil_count", "Indicator", "Pupils", "", "", "0", "", ""]], columns=["col_name",
    ...     "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp", "filter_hint",
    ...     "filter_grouping_column"])
    >>> print(screened(Pair("pupils.csv", "pupils.meta.csv", data, meta)).failed[0].rule)
    time_period_consecutive
    """
    found: list[Finding] = []
    for stage, told in rules_by_stage().items():
        found += [finding for rule in told for finding in _of(rule, pair)]
        if any(f.level == "FAIL" for f in found):
            return Screening(pair.data_name or pair.meta_name, tuple(found), stage)
    return Screening(pair.data_name, tuple(found))


def _of(told: Told, pair: Pair) -> Iterator[Finding]:
    for o in RULES[told.id](pair):
        file = pair.data_name if o.side == "data" else pair.meta_name or pair.data_name
        yield Finding(told.id, told.level, told.stage, file, o.column, o.row, o.rows, o.value, told.what, told.mend)


def screen_pair(data: Path | None, meta: Path | None, places: Places) -> Screening:
    """The screener's word on two files. Raises ``SourceError`` for one that cannot be read.

    A file without its other half is not read: the first stage says so.
    """
    empty = pd.DataFrame()
    names = (data.name if data else "", meta.name if meta else "")
    if data is None or meta is None or Path(names[0]).stem != names[1].removesuffix(META_SUFFIX):
        return screened(Pair(*names, empty, empty, places))
    return screened(Pair(*names, read_table(data), read_table(meta), places))


def pairs_in(where: Path) -> list[tuple[Path | None, Path | None]]:
    """Data files with their meta files, of a folder, a pack or one of the two files.

    Raises ``SourceError`` where there is nothing, or nothing that could be one.
    """
    if where.is_dir():
        inside = where / "open-data"
        folder, only = (inside if inside.is_dir() else where), ""
    else:
        folder, only = where.parent, where.name.removesuffix(META_SUFFIX).removesuffix(DATA_SUFFIX)
    if not where.exists() or (only and where.suffix != DATA_SUFFIX):
        raise SourceError(
            Problem("There is no such file or folder to screen.", where=where.name, mend="Name a folder or a CSV file.")
        )
    names = sorted(p.name for p in folder.glob(f"*{DATA_SUFFIX}"))
    stems = dict.fromkeys(n.removesuffix(META_SUFFIX).removesuffix(DATA_SUFFIX) for n in names)
    if only:
        stems = {only: None}
    there = {name: folder / name for name in names}
    found = [(there.get(f"{stem}{DATA_SUFFIX}"), there.get(f"{stem}{META_SUFFIX}")) for stem in stems]
    if not found:
        raise SourceError(
            Problem("There is no CSV file to screen.", where=where.name, mend="Name the folder of the open data.")
        )
    return found
