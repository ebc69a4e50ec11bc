"""The layout of the return, from ``layout.yml``: tables, their columns, keys, parents, codes and years."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from jsna.codes import code_list
from jsna.files.headers import bare, match
from jsna.files.packaged import packaged_yaml
from jsna.sources.identity import is_identifier


@dataclass(frozen=True)
class Column:
    """One column: its type, the codes it may hold, the years of collection that have it, its other spellings."""

    name: str
    type: str
    codes: frozenset[str] = frozenset()
    codes_since: Mapping[str, int] = field(default_factory=dict)
    since: int = 0
    until: int = 9999
    essential: bool = False
    aliases: tuple[str, ...] = ()

    def in_year(self, year: int) -> bool:
        return self.since <= year <= self.until


@dataclass(frozen=True)
class Table:
    """One of the nine tables; ``parent`` is the table that its rows belong to ("" for the header)."""

    name: str
    key: str
    parent: str
    columns: Mapping[str, Column]
    elements: tuple[str, ...]
    block: str
    sheet: str = ""

    @property
    def own_id(self) -> str:
        return f"{self.name}tableid"

    @property
    def parent_id(self) -> str:
        return f"{self.parent}tableid"

    @property
    def aliases(self) -> dict[str, tuple[str, ...]]:
        return {name: (name, *column.aliases) for name, column in self.columns.items()}


@cache
def layout() -> Mapping[str, Any]:
    """The layout file as it stands."""
    return packaged_yaml("jsna.sources.sen2", "layout.yml")


@cache
def tables() -> Mapping[str, Table]:
    """The nine tables by name, parents before children."""
    return {
        name: Table(
            name=name,
            key=spec["key"],
            parent=spec.get("parent", ""),
            columns={c: _column(c, s) for c, s in spec["columns"].items()},
            elements=tuple(spec["elements"]),
            block=spec["block"],
            sheet=spec.get("sheet", ""),
        )
        for name, spec in layout()["tables"].items()
    }


def _column(name: str, spec: Mapping[str, Any]) -> Column:
    codes = spec.get("codes", ())
    if spec["type"] == "ethnicity":
        codes = code_list("ethnicity_detailed").index
    return Column(**{**spec, "name": name, "codes": frozenset(codes), "aliases": tuple(spec.get("aliases", ()))})


def children(name: str) -> list[Table]:
    """The tables whose rows belong to table ``name``."""
    return [t for t in tables().values() if t.parent == name]


def census_date(year: int) -> pd.Timestamp | None:
    """The day of the census of a year of collection, where it is known."""
    day = layout()["census_dates"].get(year)
    return None if day is None else pd.Timestamp(day)


@dataclass(frozen=True)
class Found:
    """``columns`` leads from canonical names to headings; ``strange`` are headings that nothing claims."""

    columns: dict[str, str]
    twice: dict[str, list[str]]
    strange: tuple[str, ...]


def find_columns(headings: Sequence[str], aliases: Mapping[str, Iterable[str]]) -> Found:
    """Which heading stands for which column; explanations in brackets at a heading's end are passed over.

    >>> find_columns(["Date of Birth (ccyy-mm-dd)", "Surname"], {"dob": ["Date of Birth"]}).columns
    {'dob': 'Date of Birth (ccyy-mm-dd)'}
    """
    whole = match(headings, aliases)
    without = {re.sub(r"\s*\(.*\)\s*$", "", h, flags=re.DOTALL): h for h in whole.others}
    rest = match(list(without), {name: a for name, a in aliases.items() if name not in whole.columns})
    columns = whole.columns | {name: without[h] for name, h in rest.columns.items()}
    known = {bare(h) for h in layout()["passed_over"]}
    strange = [without[h] for h in rest.others]
    return Found(
        columns=columns,
        twice=whole.twice,
        strange=tuple(h for h in strange if bare(h) not in known and not is_identifier(h)),
    )


def wanted(heading: str) -> bool:
    """Whether a column of a delimited file is read at all: names and addresses never are."""
    return not is_identifier(heading)
