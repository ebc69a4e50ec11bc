"""Appeals to the SEND Tribunal and the rate of them, by authority and year: the table inside the EHC plan release."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.archive import member_names
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import read_rows
from jsna.files.values import numbers
from jsna.sources.published import LICENCE

MEASURES = {"appeals registered": "appeals", "total appealable decisions": "decisions", "tribunal appeal rate": "rate"}
ENGLAND = "E92000001"
FOOTNOTES = re.compile(r"(?<=[^\d\s])\d(?:,\d+)*$")
MEND = "Compare the row with the published table."


def read_appeals(path: Path) -> Loaded:
    """One row an authority, year and basis: area_code, dfe_number, area_name, year, basis, appeals, decisions, rate.

    ``path`` is the CSV or the release's zip. ``basis`` is "as published", or "in development" for the second rate of
    the last year, whose decisions are counted anew: never set one beside the other. England's total has a row, and one
    without the suppressed authorities (area_code ""). In this table "-" beside a rate of nought is none (0), ".." is
    not available (x) and "~" suppressed (c). Footnote digits are taken off names and headings. Raises ``SourceError``
    when the two heading rows are not found.
    """
    member = _member(path)
    where = path.name if member is None else f"{path.name}, {PurePosixPath(member).name}"
    rows = read_rows(path, member)
    top, columns = _columns(rows, where)
    body = {i: row for i, row in enumerate(rows, 1) if i > top + 2 and _is_area(row)}
    if not body:
        raise SourceError(Problem("The table has no authorities.", where=where, mend="Download it again."))
    parts, long = [], []
    for (year, basis), found in columns.items():
        cells = pd.DataFrame({m: [_at(row, found.get(m)) for row in body.values()] for m in MEASURES.values()}, body)
        long.append(_figures(cells).assign(year=year, basis=basis, row=list(body)))
    table = pd.concat(long, ignore_index=True)
    name = table["row"].map({i: FOOTNOTES.sub("", row[0].strip()) for i, row in body.items()})
    number = table["row"].map({i: row[1].strip() for i, row in body.items()})
    frame = pd.DataFrame({"area_code": _codes(number, name), "dfe_number": number, "area_name": name})
    frame = frame.join(table[["year", "basis"]])
    for measure in MEASURES.values():
        value, symbol, strange = numbers(table[measure])
        frame[measure] = value
        frame[f"{measure}_symbol"] = symbol
        rule = "neither a number nor a symbol of this table"
        parts.append(refused(where, table.loc[strange, "row"], measure, table.loc[strange, measure], rule, MEND))
    strange = (frame["area_code"] == "") & ~frame["area_name"].str.startswith("England")
    parts.append(
        refused(where, table.loc[strange, "row"], "area_name", name[strange], "not an authority's name or number", MEND)
    )
    summary = Summary(
        source="SEND Tribunal: appeals and appeal rate",
        file=where,
        period=f"{frame['year'].min()} to {frame['year'].max()}",
        rows_read=len(frame),
        rows_kept=int((~strange).sum()),
        rows_refused=int(strange.sum()),
        sha256=sha256_of(path),
        publisher="Department for Education",
        licence=LICENCE,
        notes=(
            f"{len(body)} rows of the table, of {len(columns)} years and bases each.",
            "Calendar years. The last year has two rates: the one in development counts its decisions anew.",
        ),
    )
    return Loaded(frame[~strange].reset_index(drop=True), together(parts), summary)


def _member(path: Path) -> str | None:
    if path.suffix.casefold() != ".zip":
        return None
    fit = [m for m in member_names(path) if "tribunal" in m.casefold() and m.casefold().endswith(".csv")]
    if len(fit) != 1:
        raise SourceError(Problem("The release holds no table of the tribunal.", where=path.name, value=fit or None))
    return fit[0]


def _columns(rows: list[list[str]], where: str) -> tuple[int, dict[tuple[str, str], dict[str, int]]]:
    """The position of the first heading row, and for each year and basis where its measures stand."""
    pairs = pairwise(rows[:20])
    top = next((i for i, (a, b) in enumerate(pairs) if "LA code" in a and any("ppeal" in c for c in b)), None)
    found: dict[tuple[str, str], dict[str, int]] = {}
    if top is not None:
        year = ""
        for position, heading in enumerate(rows[top + 1]):
            above = rows[top][position] if position < len(rows[top]) else ""
            year = above.strip() if re.fullmatch(r"20\d\d", above.strip()) else year
            words = heading.casefold()
            measure = next((m for k, m in MEASURES.items() if k in words), None)
            if measure and year:
                basis = "in development" if "in development" in words else "as published"
                found.setdefault((year, basis), {})[measure] = position
    if top is None or not found:
        raise SourceError(
            Problem(
                "The two heading rows were not found.",
                where=where,
                expected="a row with 'LA code' and years, and below it 'Appeals registered' and its fellows",
            )
        )
    for (year, basis), measures in found.items():
        # The rate in development rests on the appeals of the same year.
        if basis == "in development":
            measures["appeals"] = found[(year, "as published")]["appeals"]
    return top, found


def _is_area(row: list[str]) -> bool:
    """A row with a name and at least one figure or symbol; regions stand alone, notes have no cells."""
    if len(row) < 3 or not row[0].strip():
        return False
    return any(re.fullmatch(r"[\d,.]+%?|-|\.\.|~|x", c.strip()) for c in row[2:])


def _at(row: list[str], position: int | None) -> str:
    return row[position].strip() if position is not None and position < len(row) else ""


def _figures(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with the guide's symbols: none is 0 where the rate is nought, suppressed is c."""
    rate = numbers(cells["rate"])[0]
    nil = (cells == "-").where(rate == 0, False)
    return cells.mask(nil, "0").replace({"~": "c"})


def _codes(number: pd.Series, name: pd.Series) -> pd.Series:
    versions = all_versions("local_authority").sort_values("valid_to", key=lambda end: end == "")
    by_number = versions.drop_duplicates("dfe_number", keep="last").set_index("dfe_number")["code"]
    by_name = versions.drop_duplicates("name", keep="last").set_index("name")["code"]
    code = number.map(by_number).fillna(name.map(by_name))
    return code.mask(name == "England Total", ENGLAND).fillna("").astype("str")
