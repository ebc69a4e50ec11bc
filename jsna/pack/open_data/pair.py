"""A data file and its meta file as the screener sees them, and where in them a rule is broken."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.pack.open_data.lookups import place_columns, time_columns
from jsna.pack.open_data.places import Places

DATA_SUFFIX, META_SUFFIX = ".csv", ".meta.csv"
Side = Literal["data", "meta"]


@dataclass(frozen=True)
class Offence:
    """Where a rule is broken: the first row by its number in the file (0: no row), and how many rows are like it."""

    side: Side = "data"
    column: str = ""
    row: int = 0
    rows: int = 0
    value: str = ""


@dataclass(frozen=True)
class Pair:
    """Data and meta of one publication, every cell as text; an empty name is a file that is not there."""

    data_name: str
    meta_name: str
    data: pd.DataFrame
    meta: pd.DataFrame
    places: Places = field(default_factory=Places)

    def table(self, side: Side) -> pd.DataFrame:
        """The data or the meta."""
        return self.data if side == "data" else self.meta

    def described(self, kind: str) -> list[str]:
        """The columns of the data that the meta file has as ``Filter`` or ``Indicator``."""
        names = self.meta.loc[self.meta["col_type"] == kind, "col_name"]
        return [name for name in dict.fromkeys(names) if name in self.data]

    @property
    def filters(self) -> list[str]:
        return self.described("Filter")

    @property
    def indicators(self) -> list[str]:
        return self.described("Indicator")

    @property
    def groups(self) -> dict[str, str]:
        """The grouping column of each filter that has one, as the meta file says."""
        grouped = self.meta[(self.meta["filter_grouping_column"] != "") & (self.meta["col_type"] == "Filter")]
        return dict(zip(grouped["col_name"], grouped["filter_grouping_column"], strict=True))

    @property
    def places_there(self) -> list[str]:
        """The columns of places that the data have."""
        return [name for name in place_columns() if name in self.data]

    @property
    def keys(self) -> list[str]:
        """What makes a row one of a kind: time, place and filters."""
        return [name for name in (*time_columns(), *self.places_there, *self.filters) if name in self.data]


def offences(table: pd.DataFrame, column: str, wrong: pd.Series, side: Side = "data") -> Iterator[Offence]:
    """One offence for each value of ``column`` on the rows where ``wrong`` is true; rows count from 2, below the head.

    >>> table = pd.DataFrame({"sex": ["Male", "", "Female", ""]})
    >>> list(offences(table, "sex", table["sex"] == ""))
    [Offence(side='data', column='sex', row=3, rows=2, value='')]
    """
    values = table.loc[wrong, column]
    if values.empty:
        return
    places = pd.Series(table.index[wrong] + 2, index=values.index).groupby(values, sort=False)
    found = places.agg(["min", "size"])
    for value, (first, many) in zip(found.index, found.to_numpy(), strict=True):
        yield Offence(side, column, int(first), int(many), str(value))


def read_table(path: Path) -> pd.DataFrame:
    """A CSV as EES reads it: UTF-8, comma, every cell as text.

    Raises ``SourceError`` for a file that is not there, not UTF-8, empty, or with a row that its head does not fit.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, "The file is not UTF-8.", f"byte {error.start}", "Save it as CSV UTF-8.") from None
    except OSError as error:
        raise _unreadable(path, f"The file cannot be read ({error.strerror or error}).", None, "") from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise _unreadable(path, f"The file is not a CSV ({error}).", None, "Save it as CSV UTF-8.") from None
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise _unreadable(path, "The file is empty.", None, "Put its columns and rows in.")
    uneven = [(at, len(row)) for at, row in enumerate(rows, start=1) if len(row) != len(rows[0])]
    if uneven:
        at, many = uneven[0]
        more = f" {len(uneven)} rows are like that." if len(uneven) > 1 else ""
        what = f"Row {at} has {many} cells, and the head has {len(rows[0])}.{more}"
        raise _unreadable(path, what, None, "Put cells that hold a comma in quotation marks.")
    return pd.DataFrame(rows[1:], columns=rows[0], dtype="str")


def _unreadable(path: Path, what: str, value: object, mend: str) -> SourceError:
    return SourceError(Problem(what, where=path.name, value=value, mend=mend))
