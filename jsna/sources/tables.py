"""Smaller official tables: LAIT, neighbours, numbers of authorities, pupils' characteristics, children."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.headers import need_columns
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import TextTable, read_delimited
from jsna.files.values import dates, numbers, tidy, trim
from jsna.files.workbook import read_sheets, table_of
from jsna.sources.ees import read_ees
from jsna.sources.published import LICENCE, read_parquet, to_numbers

ENGLAND = "E92000001"


def read_lait(path: Path) -> Loaded:
    """DfE's local authority interactive tool: measure, period, area_code, area_name, value, symbol; one row a value.

    ``-`` is missing for a reason that the tool does not give (symbol x). Areas that are no more have no ``area_code``,
    so that they never stand among today's; ``former_code`` has the code they had. ``dfe_number`` is the tool's number
    of each area. LAIT holds percentages without their counts: good for trend, useless for intervals.
    """
    raw = read_parquet(path)
    need_columns(raw, ["Short Desc", "Years", "LA and Regions", "Values", "LA Number", "Region"], path.name)
    value, symbol, strange = numbers(raw["Values"].astype(str))
    number = pd.to_numeric(raw["LA Number"], errors="coerce").astype("Int64").astype("string")
    versions = all_versions("local_authority")
    now = versions[versions["valid_to"] == ""].set_index("dfe_number")["code"]
    former = versions[~versions["dfe_number"].isin(now.index)].set_index("dfe_number")["code"]
    regions = all_versions("local_authority").drop_duplicates("region_name").set_index("region_name")["region_code"]
    name = raw["LA and Regions"].astype(str).replace("Yorkshire and the Humber", "Yorkshire and The Humber")
    code = number.map(now).fillna(name.map(regions)).where(name != "England", ENGLAND)
    frame = pd.DataFrame(
        {
            "measure": raw["Short Desc"].astype(str),
            "period": raw["Years"].astype(str),
            "area_code": code.astype("string").fillna(""),
            "area_name": name,
            "value": value,
            "symbol": symbol,
            "dfe_number": number.fillna("").astype("str"),
            "former_code": number.map(former).fillna("").astype("str"),
        }
    )
    return _loaded(
        frame,
        path,
        "Local authority interactive tool (LAIT)",
        "2016 to 2025",
        "Department for Education",
        ("Missing values are written '-' without a reason; they are read as not available.",),
        quarantine=refused(
            path.name,
            value.index[strange] + 1,
            "Values",
            raw["Values"][strange],
            "neither a number nor an official symbol",
            "Compare the cell with the publisher's table.",
        ),
    )


def read_neighbours(path: Path) -> Loaded:
    """DfE's statistical neighbours of May 2025 (workbook): area_code, rank, neighbour_code, neighbour_name, set."""
    sheet = read_sheets(path, ["LA SN Groups"], formulas="values")["LA SN Groups"]
    own_number = pd.to_numeric(sheet[0], errors="coerce")
    rows = sheet[own_number.between(200, 999)]
    own = pd.to_numeric(rows[0])
    cells = {c: pd.to_numeric(rows[c], errors="coerce") for c in sheet.columns[2:]}
    columns = [c for c, v in cells.items() if v.between(200, 999).mean() > 0.5 and not (v == own).any()]
    if len(columns) < 10:
        raise SourceError(
            Problem(
                "The neighbours' columns were not found.",
                where=path.name,
                value=len(columns),
                expected="10 columns of authority numbers",
            )
        )
    long = rows[[0, *columns[:10]]].set_axis(["number", *range(1, 11)], axis="columns")
    long = long.melt(id_vars="number", var_name="rank", value_name="neighbour")
    frame = _neighbour_codes(long["number"], long["rank"], long["neighbour"], "May 2025")
    return _loaded(frame, path, "Statistical neighbours, May 2025", "2025", "Department for Education")


def neighbours_2021() -> pd.DataFrame:
    """The set of April 2021, which the files hold no more, for the areas it was carried over for (Luton)."""
    return _carried_neighbours().copy()


@cache
def _carried_neighbours() -> pd.DataFrame:
    with files("jsna.codes").joinpath("neighbours_2021.csv").open("rb") as stream:
        table = pd.read_csv(stream, dtype="str")
    return _neighbour_codes(table["dfe_number"], table["rank"], table["neighbour_number"], "April 2021")


def read_neighbours_by_name(path: Path) -> Loaded:
    """The statistical neighbours as published by name, one column an authority: the frame of ``read_neighbours``.

    A row of the frame is a cell of the file; a name that is no authority's is refused with the file's row. The set
    carries no date in the file.
    """
    read = read_delimited(path)
    cells = read.frame.melt(ignore_index=False, var_name="name", value_name="neighbour").reset_index(names="row")
    cells = cells[cells["neighbour"].str.strip() != ""]
    cells["rank"] = cells.groupby("name").cumcount() + 1
    versions = all_versions("local_authority").sort_values("valid_to", key=lambda end: end == "")
    numbers_by_name = {
        name.casefold(): number
        for number, *names in versions[["dfe_number", "name", "lait_name"]].to_numpy()
        for name in names
    }
    own, other = (cells[c].str.strip().str.casefold().map(numbers_by_name) for c in ("name", "neighbour"))
    bad = own.isna() | other.isna()
    mend = "Spell it as the list of authorities does (jsna/codes/local_authority.csv)."
    rule = "not the name of an authority"
    wrong = cells["neighbour"].where(own.notna(), cells["name"])[bad]
    quarantine = refused(path.name, cells.loc[bad, "row"], "neighbour", wrong, rule, mend)
    if bad.all():
        raise SourceError(
            Problem("No cell is the name of an authority.", where=path.name, value=list(read.frame)[:3], mend=mend)
        )
    frame = _neighbour_codes(own[~bad], cells.loc[~bad, "rank"], other[~bad], "by name")
    return _loaded(
        frame,
        path,
        "Statistical neighbours, by name",
        "",
        "Department for Education",
        read.notes,
        quarantine=together([read.quarantine, quarantine]),
        rows=len(cells),
    )


def _neighbour_codes(number: pd.Series, rank: pd.Series, neighbour: pd.Series, name: str) -> pd.DataFrame:
    """Codes and names of pairs of DfE numbers; of a number with two codes, that of today, else the last."""
    known = all_versions("local_authority").sort_values("valid_to", key=lambda end: end == "")
    known = known.drop_duplicates("dfe_number", keep="last").set_index("dfe_number")
    text = [pd.to_numeric(s).astype("int64").astype(str) for s in (number, neighbour)]
    frame = pd.DataFrame(
        {
            "area_code": text[0].map(known["code"]),
            "rank": pd.to_numeric(rank).astype("int64"),
            "neighbour_code": text[1].map(known["code"]),
            "neighbour_name": text[1].map(known["name"]),
            "set": name,
        }
    )
    return frame.sort_values(["area_code", "rank"], kind="stable").reset_index(drop=True)


def read_lait_dictionary(path: Path) -> Loaded:
    """LAIT's dictionary: measure, topic, title, polarity, year_type, decimals, updated (a date); one row as published.

    A measure that sits in two topics has two rows: drop doubles on ``measure`` before joining to ``read_lait``.
    ``polarity`` says whether high or low is good, "" where neither.
    """
    read = read_delimited(path)
    columns = {
        "Measure_short": "measure",
        "Topic": "topic",
        "Chart_title": "title",
        "Polarity": "polarity",
        "Year_Type": "year_type",
        "dps": "decimals",
        "Last Update": "updated",
    }
    need_columns(read.frame, list(columns), path.name)
    frame = read.frame[list(columns)].rename(columns=columns).apply(tidy)
    updated, _ = dates(frame["updated"])
    twice = len(frame) - frame["measure"].nunique()
    return _loaded(
        frame.assign(updated=updated),
        path,
        "Local authority interactive tool (LAIT): dictionary",
        "",
        "Department for Education",
        (f"{twice} rows are of measures that stand in another topic too.",),
        read,
    )


def read_la_numbers(path: Path) -> Loaded:
    """DfE's list of authorities' numbers: dfe_number, area_name, region_name, type, area_code; regions included.

    ``area_code`` is that of today's authority with the number, "" for regions, England and areas that are no more.
    """
    where = path.name
    for name, sheet in read_sheets(path, formulas="values").items():
        table = table_of(sheet, f"{where}, {name}", ["LA Number", "LA Name", "Region", "Type"])
        if {"LA Number", "LA Name", "Region", "Type"} <= set(table):
            break
    else:
        raise SourceError(Problem("No sheet holds the list.", where=where, expected="LA Number, LA Name, Region, Type"))
    number = trim(table["LA Number"])
    bad = ~number.str.fullmatch(r"\d{3,4}") | number.duplicated()
    now = all_versions("local_authority")
    codes = number.map(now[now["valid_to"] == ""].set_index("dfe_number")["code"])
    frame = pd.DataFrame(
        {
            "dfe_number": number,
            "area_name": trim(table["LA Name"]),
            "region_name": tidy(table["Region"]),
            "type": tidy(table["Type"]),
            "area_code": codes.fillna("").astype("str"),
        }
    )
    rule = "not a number of an authority, or there already"
    aside = refused(where, table.index[bad], "LA Number", number[bad], rule, "Compare it with the published list.")
    return _loaded(
        frame[~bad],
        path,
        "Numbers of local authorities",
        "",
        "Department for Education",
        quarantine=aside,
        rows=len(table),
    )


def read_pupils_ethnicity_language(path: Path) -> Loaded:
    """DfE's pupils by ethnic group and language: long, with headcounts by period, area, phase, ethnicity, language."""
    loaded = read_ees(path, spec="spc_pupils_ethnicity_and_language")
    kept = ["time_period", "geographic_level", "area_code", "dfe_number"]
    kept += ["phase_type_grouping", "ethnicity", "language", "headcount"]
    return Loaded(loaded.frame[kept], loaded.quarantine, loaded.summary)


def read_census_children(path: Path) -> Loaded:
    """Residents aged 0 to 15 of every LSOA (2021), Census 2021: lsoa, children. Cells are perturbed by the ONS."""
    table = read_delimited(path)
    need_columns(table.frame, ["lsoa21_code", "age_group", "usual_residents"], path.name)
    frame, quarantine = to_numbers(table.frame, ["usual_residents"], path.name)
    young = frame[frame["age_group"].str.contains("15")]
    if young.empty:
        raise SourceError(
            Problem(
                "The age group 0 to 15 was not found.", where=path.name, value=sorted(frame["age_group"].unique())[:6]
            )
        )
    children = young.rename(columns={"lsoa21_code": "lsoa", "usual_residents": "children"})[["lsoa", "children"]]
    return _loaded(
        children,
        path,
        "Census 2021: residents by age group",
        "21 March 2021",
        "Office for National Statistics",
        (f"Only the age group 0 to 15 is used, {len(young)} of {len(frame)} rows.",),
        quarantine=together([table.quarantine, quarantine]),
    )


def _loaded(
    frame: pd.DataFrame,
    path: Path,
    source: str,
    period: str,
    publisher: str,
    notes: Sequence[str] = (),
    table: TextTable | None = None,
    quarantine: pd.DataFrame | None = None,
    rows: int | None = None,
) -> Loaded:
    rows = (len(frame) if table is None else table.rows_read) if rows is None else rows
    parts = [p for p in (table.quarantine if table else None, quarantine) if p is not None]
    summary = Summary(
        source=source,
        file=path.name,
        period=period,
        rows_read=rows,
        rows_kept=len(frame),
        rows_refused=rows - len(frame),
        sha256=sha256_of(path),
        publisher=publisher,
        licence=LICENCE,
        notes=(*notes, *(table.notes if table else ())),
    )
    return Loaded(frame.reset_index(drop=True), together(parts), summary)
