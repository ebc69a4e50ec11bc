"""File 7 of the Indices of Deprivation, of 2019 and of 2025: scores, ranks, deciles and populations of every LSOA."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from geo.errors import PlaceError
from geo.kinds import clean_codes, is_of_kind
from jsna.errors import Problem
from jsna.files.headers import plain
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import TextTable, read_delimited
from jsna.files.values import numbers
from jsna.files.workbook import read_sheets, table_of

CODE = re.compile(r"lsoa code \((2011|2021)\)")
DISTRICT = re.compile(r"local authority district (code|name) \(20(\d\d)\)")
MEASURES = ("score", "rank", "decile")
MEND = "Compare the row with the publisher's file."
LICENCE = "Open Government Licence v3.0"


@cache
def _known() -> dict[str, Any]:
    return packaged_yaml("geo.data", "indices.yml")


def read_indices(path: Path, spec: dict[str, Any]) -> Loaded:
    """File 7, as CSV or as a workbook with notes before it; which edition it is, the headings say.

    One row an LSOA: ``lsoa11`` or ``lsoa21``, ``la19`` or ``la24``, ``la_name``, then ``<index>_score``, ``_rank`` and
    ``_decile`` for IMD, the seven domains, IDACI, IDAOPI and the sub-domains, and the populations (people,
    children_0_15, and others where the edition has them). 1 is most deprived. IDACI_score is the share (0 to 1) of
    children aged 0 to 15 in income-deprived families: a ward's is the sum of score times children over the sum of
    children; ranks and deciles are never averaged.

    Refused: codes that are none, LSOAs that stand twice. Listed and missing: cells that are no number, deciles outside
    1 to 10, ranks below 1, shares outside 0 to 1. Raises ``PlaceError`` for File 1, 2 or 3 in its place and for the
    other edition than ``spec`` (of geo/data/files.yml) asks for.
    """
    table, found = _table(path)
    code = next(h for h in found if CODE.fullmatch(h))
    vintage = CODE.fullmatch(code)[1][-2:]  # pyright: ignore[reportOptionalSubscript]
    if vintage != spec["vintage"]:
        raise PlaceError(
            Problem(
                "The file is of the other edition: its LSOAs are of another year.",
                where=path.name,
                value=f"LSOA code (20{vintage})",
                expected=f"LSOA code (20{spec['vintage']})",
                mend="Editions are never joined by code and their deciles are not comparable for one area.",
            )
        )
    columns = columns_of(list(found))
    missing = [c for c in _known()["needed"] if c not in columns]
    if missing:
        raise PlaceError(Problem(_other_file(columns), where=path.name, value=missing, mend="File 7 is wanted."))
    text = table.frame
    place = {f"lsoa{vintage}": code} | {
        f"la{m[2]}" if m[1] == "code" else "la_name": h for h in found if (m := DISTRICT.fullmatch(h))
    }
    frame = pd.DataFrame({name: text[found[h]] for name, h in place.items()})
    own = f"lsoa{vintage}"
    frame[own] = clean_codes(frame[own])
    wrong = ~is_of_kind(frame[own], "lsoa") | ~frame[own].str.startswith("E")
    again = ~wrong & frame[own].duplicated()
    parts = [table.quarantine]
    for rule, rows in (("not a code of an English LSOA", wrong), ("the same LSOA again", again)):
        parts.append(refused(path.name, text.index[rows], own, frame.loc[rows, own], rule, MEND))
    out = wrong | again
    if out.all():
        raise PlaceError(Problem("The file has no usable rows.", where=path.name, mend="Download it again."))
    frame, cells = frame[~out].copy(), text[~out]
    for name, heading in columns.items():
        published = cells[found[heading]]
        value, _, strange = numbers(published)
        strange |= value.isna() | _outside(value, name)
        frame[name] = value.mask(strange)
        rule = "not a number that this column can hold"
        parts.append(refused(path.name, published.index[strange], name, published[strange], rule, MEND))
    rows = (f"The file has {table.rows_read} rows; the publisher's has {spec['rows']}: is it a part?",)
    summary = Summary(
        source=spec["title"],
        file=path.name,
        period=spec["period"],
        rows_read=table.rows_read,
        rows_kept=len(frame),
        rows_refused=table.rows_read - len(frame),
        sha256=sha256_of(path),
        publisher=spec["publisher"],
        licence=LICENCE,
        kind="lsoa",
        vintage=vintage,
        notes=(*spec.get("notes", ()), *table.notes, *(rows if table.rows_read != spec["rows"] else ())),
    )
    return Loaded(frame.reset_index(drop=True), together(parts), summary)


def columns_of(headings: list[str]) -> dict[str, str]:
    """Column -> the plain heading that holds it, for the indices and populations that are there.

    >>> columns_of(["crime score", "crime decile (where 1 is most deprived 10% of lso"])["Crime_decile"]
    'crime decile (where 1 is most deprived 10% of lso'
    """
    made = {}
    for index, begins in _known()["indices"].items():
        for measure in MEASURES:
            hit = next((h for h in headings if re.match(begins, h) and re.search(rf"\b{measure}\b", h)), None)
            if hit:
                made[f"{index}_{measure}"] = hit
    for name, begins in _known()["populations"].items():
        hit = next((h for h in headings if h.startswith(begins)), None)
        if hit:
            made[name] = hit
    return made


def _table(path: Path) -> tuple[TextTable, dict[str, str]]:
    """The table with LSOAs, and plain heading -> heading; of a workbook, the first sheet that has one."""
    if path.suffix.casefold() != ".xlsx":
        table = read_delimited(path, headings=["LSOA code (2021)", "LSOA code (2011)"])
        found = {plain(c): c for c in table.frame.columns}
        if any(CODE.fullmatch(h) for h in found):
            return table, found
        raise PlaceError(_no_lsoas(path, list(table.frame.columns)))
    seen = []
    for name, sheet in read_sheets(path, formulas="values").items():
        if sheet.empty:
            continue
        frame = table_of(sheet, f"{path.name}, {name}", ["LSOA code (2021)", "LSOA code (2011)"])
        found = {plain(c): c for c in frame.columns}
        if any(CODE.fullmatch(h) for h in found):
            return TextTable(frame, together([]), len(frame), "", "", (f"Read from the sheet {name!r}.",)), found
        seen.append(name)
    raise PlaceError(_no_lsoas(path, seen))


def _no_lsoas(path: Path, found: list[str]) -> Problem:
    return Problem(
        "No column of LSOA codes was found.",
        where=path.name,
        value=found[:6],
        expected="LSOA code (2011) or LSOA code (2021)",
        mend="Is this a File 7 of the Indices of Deprivation?",
    )


def _other_file(columns: dict[str, str]) -> str:
    if "IDACI_rank" in columns and "Crime_rank" not in columns:
        return "This is File 3 (IDACI and IDAOPI without scores or populations), not File 7."
    if "IDACI_score" in columns:
        return "Columns of File 7 are missing."
    if "Crime_rank" in columns:
        return "This is File 2 or 5 (the domains, without IDACI and populations), not File 7."
    return "This is File 1 (IMD alone), not File 7."


def _outside(value: pd.Series, name: str) -> pd.Series:
    if name.endswith("_decile"):
        return ~value.isin(range(1, 11))
    if name.endswith("_rank"):
        return (value < 1) | (value % 1 != 0)
    if name in _known()["shares"]:
        return (value < 0) | (value > 1)
    return (value < 0) & ~pd.Series(name.endswith("_score"), index=value.index)
