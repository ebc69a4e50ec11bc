"""Ofsted's and CQC's area SEND inspections of 2016 to 2022, from the OpenDocument workbook."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.archive import open_zip
from jsna.files.headers import plain
from jsna.files.result import Loaded, Summary, refused, sha256_of
from jsna.files.values import dates, trim, whole_numbers
from jsna.files.workbook import table_of
from jsna.sources.published import LICENCE

COLUMNS = {
    "local authority code": "area_code",
    "area name": "area_name",
    "ofsted region": "region",
    "inspection start date": "inspected",
    "inspection publication date": "published",
    "inspection outcome: written statement of action required?": "action_required",
    "number significant weaknesses identified in written statement of action": "weaknesses",
    "revisit start date": "revisited",
}
HEADINGS = ["Local authority code", "Area name", "Inspection start date"]
MEND = "Compare the row with the published workbook."


def read_inspections(path: Path) -> Loaded:
    """One row an inspection, with what it found.

    Columns: area_code, area_name, region, inspected, published, action_required, weaknesses, revisited.
    Dates are dates; ``action_required`` is Yes or No (a written statement of action); ``weaknesses`` is whole, missing
    where none were found; ``revisited`` is missing where there was no revisit. The framework ended in 2022: nothing
    here is of the inspections since 2023. Raises ``SourceError`` when no sheet has the table.
    """
    for name, sheet in read_ods(path).items():
        table = table_of(sheet, f"{path.name}, {name}", HEADINGS) if (sheet != "").any(axis=None) else sheet
        found = {plain(c): c for c in table.columns}
        if all(plain(h) in found for h in HEADINGS):
            break
    else:
        raise SourceError(Problem("No sheet holds the inspections.", where=path.name, expected=", ".join(HEADINGS)))
    columns = {v: next((c for h, c in found.items() if h.startswith(k)), None) for k, v in COLUMNS.items()}
    text = pd.DataFrame({v: trim(table[c]) if c else "" for v, c in columns.items()}, index=table.index)
    bad = ~text["area_code"].str.fullmatch(r"E(?:0[6-9]|10)\d{6}")
    rule = "not a code of a local authority"
    aside = refused(path.name, text.index[bad], "Local authority code", text.loc[bad, "area_code"], rule, MEND)
    frame = text[~bad].copy()
    for column in ("inspected", "published", "revisited"):
        frame[column], _ = dates(frame[column])
    frame["weaknesses"], _ = whole_numbers(frame["weaknesses"])
    summary = Summary(
        source="Area SEND inspections and outcomes",
        file=path.name,
        period="May 2016 to August 2022",
        rows_read=len(text),
        rows_kept=len(frame),
        rows_refused=int(bad.sum()),
        sha256=sha256_of(path),
        publisher="Ofsted",
        licence=LICENCE,
        notes=("The framework before 2023 alone.", "Authorities that are no more stand under their old codes."),
    )
    return Loaded(frame.reset_index(drop=True), aside, summary)


def read_ods(path: Path) -> dict[str, pd.DataFrame]:
    """The sheets of an OpenDocument workbook (.ods) as text; the index is the sheet's row, columns count from 0.

    Raises ``SourceError`` for a damaged or hostile workbook.
    """
    import python_calamine

    open_zip(path).close()
    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        sheets = {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names}
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        what = f"The workbook cannot be read ({type(error).__name__})."
        raise SourceError(Problem(what, where=path.name, mend="Download it again.")) from None
    made = {}
    for name, rows in sheets.items():
        frame = pd.DataFrame([[_text(cell) for cell in row] for row in rows], dtype="str").fillna("")
        made[name] = frame.set_axis(pd.RangeIndex(1, len(frame) + 1))
    return made


def _text(cell: object) -> str:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
