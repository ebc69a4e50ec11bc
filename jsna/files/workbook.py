"""Excel workbooks (.xlsx): every cell as text, sheet by sheet; macros refused, formulas refused or taken as values."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import AGAIN, open_stream, open_zip
from jsna.files.encoding import SIGNATURES
from jsna.files.headers import bare
from jsna.files.layout import HEADING_LINES
from jsna.files.sheet_xml import WORKBOOK, SheetLook, SheetPart, look_at, sheet_parts
from jsna.files.text import blank_rows, numbered

OLE = b"\xd0\xcf\x11\xe0"


class Sheets(dict[str, pd.DataFrame]):
    """A workbook's sheets by name; ``notes`` are sentences on what a reader of the sheet cannot see (hidden rows,
    columns and sheets, filters, merged cells, links to other workbooks, error cells)."""

    notes: tuple[str, ...] = ()


def read_sheets(
    path: Path, sheets: Sequence[str] | None = None, *, formulas: Literal["refuse", "values"] = "refuse"
) -> Sheets:
    """The sheets of a workbook as text, without a heading row: index is the sheet's row, columns count from 0.

    ``sheets`` names those that are wanted, in any spelling of blanks and case; without it all are read. Whole numbers
    have no decimal point, dates are ISO, yes and no are TRUE and FALSE, an empty cell is "", an error cell has its
    error (#REF!). Rows that are hidden or filtered away are read like all others, and ``notes`` says so. Data that
    people enter hold no formulas: ``formulas="refuse"`` (the default) refuses a sheet with any; published workbooks
    are read with ``"values"``, which takes the values that were last saved.

    Raises ``SourceError`` for macros, formulas, a password, an older or damaged workbook, one that would fill the
    memory, and a sheet not found.
    """
    import python_calamine

    parts, looks, links = _look(path, sheets, formulas)
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            read = Sheets({name: _text(book.get_sheet_by_name(name), looks[name].errors) for name in looks})
    except (python_calamine.CalamineError, zipfile.BadZipFile, ValueError, OSError) as error:
        raise SourceError(_unreadable(path.name, error)) from None
    except BaseException as error:
        # The library's own faults arrive as a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise SourceError(_unreadable(path.name, error)) from None
    read.notes = _notes([p for p in parts if p.name in looks], looks, links)
    return read


def table_of(
    sheet: pd.DataFrame, where: str, headings: Iterable[str] = (), *, keep: Callable[[str], bool] | None = None
) -> pd.DataFrame:
    """A sheet as a table: the heading row is that of the first twenty which holds most of ``headings``, else the first
    with text. Empty rows and empty columns go; the index stays the sheet's row. A heading that stands twice gets a
    number (``.1``), an empty one the name of its position; columns whose heading ``keep`` refuses are left out.

    Raises ``SourceError`` when the sheet is empty.
    """
    first = sheet.head(HEADING_LINES)
    wanted = {bare(h) for h in headings}
    hits = [len(wanted & {bare(cell) for cell in row}) for row in first.to_numpy()]
    filled = (first != "").any(axis="columns").to_numpy()
    if not filled.any():
        raise SourceError(Problem("The sheet is empty.", where=where, mend=AGAIN))
    position = int(np.argmax(hits)) if wanted and max(hits) else int(np.argmax(filled))
    found = [" ".join(str(n).split()) for n in sheet.iloc[position]]
    body = sheet.iloc[position + 1 :].set_axis(numbered(found), axis="columns")
    body = body[~blank_rows(body)]
    chosen = [
        i for i, name in enumerate(found) if (keep is None or keep(name)) and (name or (body.iloc[:, i] != "").any())
    ]
    return body.iloc[:, chosen]


def _look(
    path: Path, wanted: Sequence[str] | None, formulas: str
) -> tuple[list[SheetPart], dict[str, SheetLook], bool]:
    """The workbook's parts, what the wanted sheets show, and whether it has links to others; or why it is refused."""
    if path.suffix.casefold() in (".xls", ".xlsb"):
        raise SourceError(
            Problem("Old and binary Excel workbooks are not read.", where=path.name, mend="Save it as .xlsx.")
        )
    with open_stream(path) as stream:
        start = stream.read(8)
    if start.startswith(OLE):
        mend = "Take the password off, or save it as .xlsx, and run again."
        raise SourceError(Problem("The workbook has a password, or is an old one.", where=path.name, mend=mend))
    if not start.startswith(b"PK"):
        kind = next((k for s, k in SIGNATURES.items() if start.startswith(s)), "")
        what = f"The file cannot be read as an Excel workbook{f': it looks like {kind}' if kind else ''}."
        raise SourceError(Problem(what, where=path.name, mend=AGAIN))
    with open_zip(path) as archive:
        names = archive.namelist()
        if any(
            n.casefold().endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in n.casefold() for n in names
        ):
            raise SourceError(
                Problem("The workbook has macros, so it is not opened.", where=path.name, mend="Save it as .xlsx.")
            )
        if WORKBOOK not in names:
            raise SourceError(Problem("This is a zip archive, not an Excel workbook.", where=path.name, mend=AGAIN))
        parts = sheet_parts(archive, path.name)
        by_name = {bare(p.name): p for p in parts}
        chosen = parts if wanted is None else [_sheet(w, by_name, path.name) for w in wanted]
        looks = look_at(archive, chosen, path.name)
    with_formulas = [f"{name} ({look.formulas:,} cells)" for name, look in looks.items() if look.formulas]
    if formulas == "refuse" and with_formulas:
        raise SourceError(
            Problem(
                f"Cells hold formulas, whose values depend on who calculated them last: {'; '.join(with_formulas)}.",
                where=path.name,
                mend="Copy the sheet, paste it as values, save, and run again.",
            )
        )
    return parts, looks, any("externallink" in n.casefold() for n in names)


def _sheet(wanted: str, by_name: Mapping[str, SheetPart], where: str) -> SheetPart:
    if bare(wanted) in by_name:
        return by_name[bare(wanted)]
    found = [part.name for part in by_name.values()]
    mend = did_you_mean(wanted, found) or f"Sheets found: {', '.join(found)}."
    raise SourceError(Problem("The workbook lacks a sheet.", where=where, value=wanted, mend=mend))


def _notes(parts: Sequence[SheetPart], looks: Mapping[str, SheetLook], links: bool) -> tuple[str, ...]:
    notes = []
    for part in parts:
        look, sheet = looks[part.name], f"Sheet {part.name!r}"
        if part.hidden:
            notes.append(f"{sheet} is hidden in Excel; it was read.")
        if look.hidden_rows:
            why = "a filter is set" if look.filtered else "no filter is set"
            notes.append(f"{sheet} has {look.hidden_rows:,} hidden rows ({why}); they were read like all others.")
        elif look.filtered:
            notes.append(f"{sheet} has a filter set; all its rows were read.")
        if look.hidden_columns:
            notes.append(f"{sheet} has hidden columns; they were read like all others.")
        if look.merged:
            notes.append(f"{sheet} has {look.merged:,} merged cells: only the first cell of each has its value.")
        if look.errors:
            notes.append(f"{sheet} has {len(look.errors):,} error cells, such as {next(iter(look.errors.values()))}.")
    if links:
        notes.append("The workbook has links to other workbooks; they were not followed.")
    return tuple(notes)


def _text(sheet: Any, errors: Mapping[tuple[int, int], str]) -> pd.DataFrame:
    rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    for (row, column), shown in errors.items():
        if row <= len(rows) and column < len(rows[row - 1]):
            rows[row - 1][column] = shown
    frame = pd.DataFrame(rows, dtype="str").fillna("")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value.replace("_x000D_", "")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value)


def _unreadable(where: str, error: BaseException) -> Problem:
    return Problem(
        f"The workbook cannot be read ({type(error).__name__}).",
        where=where,
        mend="Open it in Excel, save it under a new name as .xlsx, close it, and run again.",
    )
