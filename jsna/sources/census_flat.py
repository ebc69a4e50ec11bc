"""School Census as a flat extract of the authority: one row a pupil, CSV or workbook, in any usual spelling."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import bare, match
from jsna.files.result import refused, sha256_of, together
from jsna.files.text import read_delimited
from jsna.files.values import tidy
from jsna.files.workbook import read_sheets, table_of
from jsna.sources.census_tables import census_spec
from jsna.sources.identity import is_identifier
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, flat extract"


def read_flat(path: Path, census_date: str = "") -> Raw:
    """A flat extract as raw columns. ``census_date`` (ISO) is used where the file has no such column.

    Columns that name or locate a person are not read. Raises ``SourceError`` naming every column that is missing, with
    the nearest heading. A row of totals at the end is put aside.
    """
    spec = census_spec()
    spellings = [s for names in spec["flat"].values() for s in names]
    if path.suffix.casefold() == ".xlsx":
        sheets = {n: s for n, s in read_sheets(path).items() if not s.empty}
        name, sheet = max(sheets.items(), key=lambda item: _hits(item[1], spellings), default=("", pd.DataFrame()))
        if sheet.empty:
            raise SourceError(Problem("The workbook is empty.", where=path.name))
        frame = table_of(sheet, f"{path.name}, {name}", headings=spellings)
        frame = frame[[c for c in frame if not is_identifier(c)]]
        rows, quarantine, notes = len(frame), together([]), (f"Sheet “{name}” was read.",)
    else:
        table = read_delimited(path, headings=spellings, keep=lambda heading: not is_identifier(heading))
        frame, rows, quarantine, notes = table.frame, table.rows_read, table.quarantine, table.notes
    return raw_of(frame, path.name, rows, quarantine, FORM, sha256_of(path), notes, census_date)


def raw_of(
    frame: pd.DataFrame,
    where: str,
    rows_read: int,
    quarantine: pd.DataFrame,
    form: str,
    sha256: str,
    notes: tuple[str, ...] = (),
    census_date: str = "",
) -> Raw:
    """A table of text in any usual spelling of the columns, as raw columns: for files and for databases alike."""
    spec = census_spec()
    found = match(list(frame.columns), spec["flat"])
    _need(found.columns, spec["needed"], frame, where, bool(census_date))
    raw = pd.DataFrame({name: frame[heading] for name, heading in found.columns.items()}, index=frame.index)
    if "census_date" not in raw:
        raw["census_date"] = census_date
    raw, total = _without_totals(raw, where)
    twice = [
        f"{', '.join(map(repr, hits))} all mean {name}: {hits[0]!r} is used." for name, hits in found.twice.items()
    ]
    unused = [h for h in found.others if not is_identifier(h)]
    said = (f"Columns not used: {', '.join(unused[:12])}.",) if unused else ()
    return Raw(
        frame=raw,
        file=pd.Series(where, index=raw.index),
        rows_read=rows_read,
        quarantine=together([quarantine, total]),
        form=form,
        sha256=sha256,
        lacks=frozenset(set(RAW) - set(raw)),
        notes=(*notes, *twice, *said),
    )


def _hits(sheet: pd.DataFrame, spellings: list[str]) -> int:
    wanted = {bare(s) for s in spellings}
    return max((len(wanted & {bare(c) for c in row}) for row in sheet.head(20).to_numpy()), default=0)


def _need(found: dict[str, str], needed: list[str], frame: pd.DataFrame, where: str, dated: bool) -> None:
    missing = [n for n in needed if n not in found and not (n == "laestab" and "urn" in found)]
    if "dob" not in found and "age" not in found and "nc_year" not in found:
        missing.append("dob")
    if "postcode" not in found and "lsoa21" not in found:
        missing.append("postcode")
    if "census_date" not in found and not dated:
        missing.append("census_date")
    if not missing:
        return
    flat = census_spec()["flat"]
    raise SourceError(
        *(
            Problem(
                "A column is missing or was renamed.",
                where=where,
                value=name,
                expected=" or ".join(flat[name][:3]),
                mend=(
                    "Name the day in the params file: census_date: 2026-01-15."
                    if name == "census_date"
                    else did_you_mean(flat[name][0], frame.columns) or "Add it to the extract."
                ),
            )
            for name in missing
        )
    )


def _without_totals(raw: pd.DataFrame, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A last row with no pupil number, sex or provision is a row of totals that a spreadsheet left."""
    last = raw.tail(1)
    codes = [c for c in ("sex", "sen_provision", "ethnicity", "language") if c in raw]
    people = tidy(last["upn"]).str.fullmatch(r"[A-Za-z]\d{11}\w").any()
    if len(raw) < 2 or people or (last[codes].apply(tidy) != "").any(axis=None):
        return raw, together([])
    aside = refused(where, last.index, "", ["(hidden)"], "a row of totals, not of a pupil", "Leave it out.")
    return raw.iloc[:-1], aside
