"""Does a file hold what its name promises? Columns, number of rows, and whether it came whole.

Opening files is the business of ``jsna.files``; here its findings are put against what the catalogue expects.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.fetch.errors import FetchError, SchemaError
from jsna.files.archive import open_zip
from jsna.files.headers import plain
from jsna.files.text import parse_delimited
from jsna.files.workbook import read_sheets

if TYPE_CHECKING:
    from jsna.fetch.catalogue import Entry

PAGE_CAPS = (1000, 2000)
AGAIN = "Run it again; if it stays so, download the file in a browser and compare."


@dataclass(frozen=True)
class Contents:
    """What a file was found to hold: its data ``rows`` and the names of its ``columns`` (empty when it names none)."""

    rows: int
    columns: tuple[str, ...]


def positions(needed: Iterable[str], found: Sequence[str], where: str) -> dict[str, str]:
    """For each needed column the one that was found, however it is spelt in blanks, dashes and capitals.

    Raises ``SchemaError`` with every missing one and the nearest that was found.
    """
    by_name = {plain(c): c for c in reversed(found)}
    missing = [c for c in needed if plain(c) not in by_name]
    if missing:
        raise SchemaError(
            *(
                Problem(
                    "The publisher's file has changed: a column is missing or was renamed.",
                    where=where,
                    value=c,
                    mend=did_you_mean(c, found) or f"It has: {', '.join(found[:8])}.",
                )
                for c in missing
            )
        )
    return {c: by_name[plain(c)] for c in needed}


def new_columns(found: Sequence[str], before: Sequence[str]) -> list[str]:
    """The columns that were not there when the file was last fetched; none when nothing is known of that.

    >>> new_columns(["a", "b"], ["A"])
    ['b']
    """
    known = {plain(c) for c in before}
    return [c for c in found if plain(c) not in known] if before else []


def enough_rows(rows: int, least: int, where: str) -> None:
    """Raise ``FetchError`` when there are fewer rows than the least number; name the usual cause of round numbers."""
    if rows >= least:
        return
    what = "The file has fewer rows than it should."
    if rows in PAGE_CAPS:
        what = f"The file has exactly {rows:,} rows: it is the first page of a longer table, saved as if it were all."
    raise FetchError(Problem(what, where=where, value=rows, expected=f"at least {least:,}", mend=AGAIN))


def inspect(path: Path, entry: Entry) -> Contents:
    """The contents of the publisher's file at ``path``, judged by what the catalogue expects.

    Raises ``SchemaError`` when columns are missing, ``FetchError`` when the file is cut, of another kind than its name
    says, or too short. Values are not judged here: the readers do that.
    """
    form = "member" if entry.kind == "nomis_table" else entry.form
    try:
        contents = _READ[form](path, entry)
    except SourceError as error:
        raise FetchError(*(replace(p, where=entry.where, mend=p.mend or AGAIN) for p in error.problems)) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        what = f"The file is cut, damaged or of another kind than its name says ({type(error).__name__})."
        raise FetchError(Problem(what, where=entry.where, mend=AGAIN)) from None
    enough_rows(contents.rows, entry.least_rows, entry.where)
    return contents


def table(content: bytes, where: str) -> pd.DataFrame:
    """A CSV from a publisher as text. Raises ``FetchError`` when some row has another number of cells: it was cut."""
    read = parse_delimited(content, where)
    if len(read.quarantine):
        first = read.quarantine.iloc[0]
        what = f"Row {first['row']} has {first['value']}, the headings another number: the file is cut or damaged."
        raise FetchError(Problem(what, where=where, mend=AGAIN))
    return read.frame


def member_bytes(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    """A file of a zip, whatever folder it is in. Raises ``SchemaError`` when it is not there."""
    names = {PurePosixPath(n).name: n for n in archive.namelist()}
    if name not in names:
        mend = did_you_mean(name, names) or f"It holds: {', '.join(list(names)[:6])}."
        raise SchemaError(Problem("The zip lacks a file.", where=where, value=name, mend=mend))
    return archive.read(names[name])


def census_table(path: Path, entry: Any) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows of a bulk table of Nomis that the entry keeps, and its columns as they were found."""
    with open_zip(path) as archive:
        frame = table(member_bytes(archive, entry.member, entry.where), entry.where)
    found = positions(entry.columns, list(frame.columns), entry.where)
    code = next(iter(found.values()))
    return frame[frame[code].str.startswith(entry.starts)], found


def _csv(path: Path, entry: Entry) -> Contents:
    frame = table(path.read_bytes(), entry.where)
    positions(entry.columns, list(frame.columns), entry.where)
    return Contents(len(frame), tuple(frame.columns))


def _zip(path: Path, entry: Any) -> Contents:
    rows, columns, problems = 0, [], []
    with open_zip(path) as archive:
        if broken := archive.testzip():
            raise FetchError(Problem("A file in the zip is damaged.", where=entry.where, value=broken, mend=AGAIN))
        for name, needed in entry.tables.items():
            where = f"{entry.where}, {name}"
            try:
                frame = table(member_bytes(archive, name, entry.where), where)
                positions(needed, list(frame.columns), where)
            except SchemaError as error:
                problems += error.problems
                continue
            rows += len(frame)
            columns += [f"{name}: {c}" for c in frame.columns]
    if problems:
        raise SchemaError(*problems)
    return Contents(rows, tuple(columns))


def _member(path: Path, entry: Any) -> Contents:
    frame, _ = census_table(path, entry)
    return Contents(len(frame), tuple(frame.columns))


def _workbook(path: Path, entry: Any) -> Contents:
    """The sheet whose first row has most of the needed columns; of several such, the one with most rows."""
    best, rank = Contents(0, ()), (len(entry.columns) + 1, 0)
    for sheet in read_sheets(path, formulas="values").values():
        filled = int((sheet != "").any(axis="columns").sum())
        columns = [" ".join(c.split()) for c in sheet.iloc[0] if c] if len(sheet) and entry.headings else []
        lacking = len({plain(c) for c in entry.columns} - {plain(c) for c in columns})
        if (lacking, -filled) < rank:
            best, rank = Contents(filled - int(entry.headings), tuple(columns)), (lacking, -filled)
    positions(entry.columns, best.columns, entry.where)
    return best


def _parquet(path: Path, entry: Entry) -> Contents:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        contents = Contents(file.metadata.num_rows, tuple(file.schema_arrow.names))
    positions(entry.columns, contents.columns, entry.where)
    return contents


_READ = {"csv": _csv, "zip": _zip, "xlsx": _workbook, "parquet": _parquet, "member": _member}
