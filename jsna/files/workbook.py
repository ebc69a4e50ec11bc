"""Excel workbooks (.xlsx): every cell as text, sheet by sheet; macros refused, formulas refused or taken as values."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import AGAIN, open_zip
from jsna.files.headers import bare
from jsna.files.text import HEADING_LINES

FORMULA = re.compile(rb"<f[ >/]")
SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")


def read_sheets(
    path: Path, sheets: Sequence[str] | None = None, *, formulas: Literal["refuse", "values"] = "refuse"
) -> dict[str, pd.DataFrame]:
    """The sheets of a workbook as text, without a heading row: index is the sheet's row, columns count from 0.

    ``sheets`` names those that are wanted, in any spelling of blanks and case; without it all are read. Whole numbers
    have no decimal point, dates are ISO, yes and no are TRUE and FALSE, an empty cell is "". Data that people enter
    hold no formulas: ``formulas="refuse"`` (the default) refuses a sheet with any; published workbooks are read with
    ``"values"``, which takes the values that were last saved.

    Raises ``SourceError`` for macros, formulas, a password, an older or damaged workbook, and a sheet not found.
    """
    import python_calamine

    _look(path, formulas)
    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        names = {bare(n): n for n in book.sheet_names}
        wanted = book.sheet_names if sheets is None else [_sheet(s, names, path.name) for s in sheets]
        return {name: _text(book.get_sheet_by_name(name)) for name in wanted}
    except (python_calamine.CalamineError, zipfile.BadZipFile, ValueError, OSError) as error:
        raise SourceError(
            Problem(
                f"The workbook cannot be read ({type(error).__name__}).",
                where=path.name,
                mend="Open it in Excel, save it under a new name as .xlsx, close it, and run again.",
            )
        ) from None


def table_of(sheet: pd.DataFrame, where: str, headings: Iterable[str] = ()) -> pd.DataFrame:
    """A sheet as a table: the heading row is that of the first twenty which holds most of ``headings``, else the first
    with text. Empty rows and empty columns go; the index stays the sheet's row. Raises ``SourceError`` when empty.
    """
    first = sheet.head(HEADING_LINES)
    wanted = {bare(h) for h in headings}
    hits = [len(wanted & {bare(cell) for cell in row}) for row in first.to_numpy()]
    filled = (first != "").any(axis="columns").to_numpy()
    if not filled.any():
        raise SourceError(Problem("The sheet is empty.", where=where, mend=AGAIN))
    position = int(np.argmax(hits)) if wanted and max(hits) else int(np.argmax(filled))
    names = [" ".join(str(n).split()) for n in sheet.iloc[position]]
    body = sheet.iloc[position + 1 :]
    keep = [i for i, name in enumerate(names) if name or (body.iloc[:, i] != "").any()]
    body = body.iloc[:, keep].set_axis([names[i] or f"column {i + 1}" for i in keep], axis="columns")
    return body[(body != "").any(axis="columns")]


def _look(path: Path, formulas: str) -> None:
    if path.suffix.casefold() in (".xls", ".xlsb"):
        raise SourceError(
            Problem("Old and binary Excel workbooks are not read.", where=path.name, mend="Save it as .xlsx.")
        )
    with open_zip(path) as archive:
        names = archive.namelist()
        if any(n.casefold().endswith("vbaproject.bin") for n in names):
            raise SourceError(
                Problem("The workbook has macros, so it is not opened.", where=path.name, mend="Save it as .xlsx.")
            )
        if "EncryptedPackage" in names or "xl/workbook.xml" not in names:
            raise SourceError(
                Problem("This is not an Excel workbook, or it has a password.", where=path.name, mend=AGAIN)
            )
        if formulas == "refuse":
            with_formulas = [n for n in names if SHEET.fullmatch(n) and _has_formula(archive, n)]
            if with_formulas:
                raise SourceError(
                    Problem(
                        f"{len(with_formulas)} of the workbook's sheets have cells with formulas, whose values depend "
                        "on who calculated them last.",
                        where=path.name,
                        mend="Copy the sheet, paste it as values, save, and run again.",
                    )
                )


def _has_formula(archive: zipfile.ZipFile, name: str) -> bool:
    tail = b""
    with archive.open(name) as stream:
        while piece := stream.read(1 << 20):
            if FORMULA.search(tail + piece):
                return True
            tail = piece[-2:]
    return False


def _sheet(wanted: str, names: dict[str, str], where: str) -> str:
    if bare(wanted) in names:
        return names[bare(wanted)]
    mend = did_you_mean(wanted, names.values()) or f"Sheets found: {', '.join(names.values())}."
    raise SourceError(Problem("The workbook lacks a sheet.", where=where, value=wanted, mend=mend))


def _text(sheet: Any) -> pd.DataFrame:
    rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    frame = pd.DataFrame(rows, dtype="str").fillna("")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value).replace("_x000D_", "")
