"""School Census as a flat extract of the authority: one row a pupil, CSV or workbook, in any usual spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import bare, match
from jsna.files.result import refused, sha256_of, together
from jsna.files.text import read_delimited
from jsna.files.values import tidy
from jsna.files.workbook import read_sheets, table_of
from jsna.sources.census_tables import census_spec
from jsna.sources.identity import is_identifier, upn_problems
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, flat extract"
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb")
# So many headings of a census must a sheet or file have to be taken for one.
LEAST_HEADINGS = 4
HEADINGS_SHOWN = 12
# A heading that may be repeated in a message: words, and nothing that looks like a number or date of a person.
WORDS = re.compile(r"[A-Za-z][A-Za-z /_()%&'-]{0,40}\d{0,2}")
# A second heading row lies in the table where so many of its cells are headings.
HEADING_CELLS = 3


def spellings() -> list[str]:
    """Every spelling of every column of a flat extract."""
    return [s for name, names in census_spec()["flat"].items() for s in (*names, name)]


def hits(cells: Iterable[object]) -> int:
    """How many of these are headings of a flat extract."""
    return len({bare(s) for s in spellings()} & {bare(c) for c in cells})


def printable(headings: Iterable[str]) -> list[str]:
    """Headings that may be repeated in a message: where the heading row is missing, a child's row stands in its place.

    >>> printable(["Ward", "Reg group 7", "P207000016049", "04/03/2015", "Surname"])
    ['Ward', 'Reg group 7']
    """
    return [h for h in headings if WORDS.fullmatch(h) and not is_identifier(h)]


def read_flat(path: Path, census_date: str = "") -> Raw:
    """A flat extract as raw columns. ``census_date`` (ISO) is used where the file has no such column.

    Only columns that have a heading of the census are read. Raises ``SourceError`` naming every column that is missing,
    with the nearest heading, and for a second list below the first. Rows of totals are put aside.
    """
    known = {bare(s) for s in spellings()}
    seen: list[str] = []

    def keep(heading: str) -> bool:
        seen.append(heading)
        return bare(heading) in known

    if path.suffix.casefold() in WORKBOOKS:
        book = read_sheets(path)
        lists = [name for name, sheet in book.items() if max(_rows_hits(sheet), default=0) >= LEAST_HEADINGS]
        if len(lists) != 1:
            raise SourceError(_which_sheet(path.name, lists, list(book)))
        frame = table_of(book[lists[0]], f"{path.name}, {lists[0]}", headings=spellings(), keep=keep)
        notes = (f"Sheet “{lists[0]}” was read.", *book.notes)
        rows, quarantine = len(frame), together([])
        again = sorted({h for h in seen if bare(h) in known and seen.count(h) > 1})
        if again:
            raise SourceError(
                Problem(
                    "A heading that is needed stands over several columns.",
                    where=f"{path.name}, {lists[0]}",
                    value=", ".join(again),
                    mend="Rename or remove the column that is not meant, and run again.",
                )
            )
    else:
        table = read_delimited(path, headings=spellings(), keep=keep)
        frame, rows, quarantine, notes = table.frame, table.rows_read, table.quarantine, table.notes
    return raw_of(frame, path.name, rows, quarantine, FORM, sha256_of(path), notes, census_date, seen)


def raw_of(
    frame: pd.DataFrame,
    where: str,
    rows_read: int,
    quarantine: pd.DataFrame,
    form: str,
    sha256: str,
    notes: tuple[str, ...] = (),
    census_date: str = "",
    headings: Sequence[str] = (),
) -> Raw:
    """A table of text in any usual spelling of the columns, as raw columns: for files and for databases alike.

    ``headings`` are all that the file has, where ``frame`` has only those that are known. Of two spellings of one
    column the better one is used, and the other where that is empty.
    """
    spec = census_spec()
    found = match(list(frame.columns), spec["flat"])
    _need(found.columns, [*frame.columns, *headings], where, bool(census_date))
    raw = pd.DataFrame({name: _filled(frame, found.twice.get(name, [h])) for name, h in found.columns.items()})
    raw = raw.set_axis(frame.index)
    if "census_date" not in raw:
        raw["census_date"] = census_date
    raw, asides = _pupils_only(raw, frame, where)
    said = [
        f"{', '.join(map(repr, names))} all mean {name}: {names[0]!r} is used, and the next where it is empty."
        for name, names in found.twice.items()
    ]
    if "dob" not in raw and "nc_year" in raw and "age" in raw:
        said.append("There is no date of birth: the column of ages is taken for the age at 31 August before the year.")
    others = dict.fromkeys([*found.others, *(h for h in headings if not match([h], spec["flat"]).columns)])
    unused = printable(h for h in others if h)
    if unused:
        more = f" and {len(unused) - HEADINGS_SHOWN} more" if len(unused) > HEADINGS_SHOWN else ""
        said.append(f"Columns not used: {', '.join(unused[:HEADINGS_SHOWN])}{more}.")
    return Raw(
        frame=raw,
        file=pd.Series(where, index=raw.index),
        rows_read=rows_read,
        quarantine=together([quarantine, *asides]),
        form=form,
        sha256=sha256,
        lacks=frozenset(set(RAW) - set(raw)),
        notes=(*notes, *said),
    )


def _filled(frame: pd.DataFrame, headings: Sequence[str]) -> pd.Series:
    first = frame[headings[0]]
    for heading in headings[1:]:
        first = first.mask(tidy(first) == "", frame[heading])
    return first


def _rows_hits(sheet: pd.DataFrame) -> list[int]:
    return [hits(row) for row in sheet.head(20).to_numpy()]


def _which_sheet(where: str, lists: Sequence[str], sheets: Sequence[str]) -> Problem:
    if lists:
        return Problem(
            "Several sheets are lists of pupils, and one is read.",
            where=where,
            value=", ".join(lists),
            mend="Put each census into a workbook of its own, with one sheet.",
        )
    return Problem(
        "No sheet has the headings of a census extract in its first twenty rows.",
        where=where,
        value=f"sheets {', '.join(sheets)}" if sheets else None,
        expected="headings such as UPN, DoB, Ethnicity, SENprovision",
        mend="Is it the right workbook? See docs/own-data.md for the headings.",
    )


def _need(found: dict[str, str], headings: Sequence[str], where: str, dated: bool) -> None:
    flat = census_spec()["flat"]
    needed = [*census_spec()["needed"], "dob age nc_year", "postcode lsoa21", *([] if dated else ["census_date"])]
    missing = [names.split() for names in needed if not set(names.split()) & set(found)]
    if missing:
        spare = [h for h in printable(headings) if h not in found.values() and not is_identifier(h)]
        unknown = f"Headings that are not known: {', '.join(spare[:6])}. Is it one of these?" if spare else "Add it."
        raise SourceError(
            *(
                Problem(
                    f"A column is missing or was renamed: the one for {' or '.join(names)}.",
                    where=where,
                    expected=" or ".join(s for name in names for s in flat[name][: 3 if len(names) == 1 else 1]),
                    mend=(
                        "Name the day in the params file: census_date: 2026-01-15."
                        if names == ["census_date"]
                        else did_you_mean(flat[names[0]][0], printable(headings)) or unknown
                    ),
                )
                for names in missing
            )
        )


def _pupils_only(raw: pd.DataFrame, frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Without rows of totals and without heading rows that stand again; a list with other columns below is refused."""
    names = {bare(s): name for name, words in census_spec()["flat"].items() for s in (*words, name)}
    codes = [c for c in ("dob", "sex", "gender", "sen_provision", "ethnicity", "language") if c in raw]
    doubtful = raw[upn_problems(raw["upn"]).isin(["missing", "malformed"])]
    empty = (doubtful[codes].apply(tidy) == "").all(axis="columns")
    totals = empty[empty].index
    again = []
    for row in doubtful.index[~empty]:
        cells = [(heading, names.get(bare(cell))) for heading, cell in frame.loc[row].items()]
        if sum(name is not None for _, name in cells) < HEADING_CELLS:
            continue
        if any(name is not None and name != names.get(bare(heading)) for heading, name in cells):
            raise SourceError(
                Problem(
                    "A second heading row has the columns in another order: two lists stand in one table.",
                    where=f"{where}, row {row}",
                    mend="Put each list into a file of its own.",
                )
            )
        again.append(row)
    rule, mend = "a heading row in the midst of the table", "Leave it out when lists are put together."
    asides = [
        refused(where, totals, "", [""] * len(totals), "a row of totals or notes, not of a pupil", "Leave it out."),
        refused(where, again, "", [""] * len(again), rule, mend),
    ]
    return raw[~np.isin(raw.index, [*totals, *again])] if len(totals) or again else raw, asides
