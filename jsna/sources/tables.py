"""Smaller official tables: LAIT, statistical neighbours, pupils' characteristics, Census children."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.headers import need_columns
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import TextTable, read_delimited
from jsna.files.values import numbers
from jsna.files.workbook import read_sheets
from jsna.sources.published import LICENCE, to_numbers

ENGLAND = "E92000001"


def read_lait(path: Path) -> Loaded:
    """DfE's local authority interactive tool: measure, period, area_code, area_name, value, symbol; one row a value.

    ``-`` is missing for a reason that the tool does not give (symbol x). Defunct areas keep their number and have no
    code. LAIT holds percentages without their counts: good for trend, useless for intervals.
    """
    raw = _parquet(path)
    need_columns(raw, ["Short Desc", "Years", "LA and Regions", "Values", "LA Number", "Region"], path.name)
    value, symbol, strange = numbers(raw["Values"].astype(str))
    number = pd.to_numeric(raw["LA Number"], errors="coerce").astype("Int64").astype("string")
    now = all_versions("local_authority")
    now = now[now["valid_to"] == ""].set_index("dfe_number")["code"]
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
    with files("jsna.codes").joinpath("neighbours_2021.csv").open("rb") as stream:
        table = pd.read_csv(stream, dtype="str")
    return _neighbour_codes(table["dfe_number"], table["rank"], table["neighbour_number"], "April 2021")


def _neighbour_codes(number: pd.Series, rank: pd.Series, neighbour: pd.Series, name: str) -> pd.DataFrame:
    now = all_versions("local_authority")
    now = now[now["valid_to"] == ""].set_index("dfe_number")
    text = [pd.to_numeric(s).astype("int64").astype(str) for s in (number, neighbour)]
    frame = pd.DataFrame(
        {
            "area_code": text[0].map(now["code"]),
            "rank": pd.to_numeric(rank).astype("int64"),
            "neighbour_code": text[1].map(now["code"]),
            "neighbour_name": text[1].map(now["name"]),
            "set": name,
        }
    )
    return frame.sort_values(["area_code", "rank"], kind="stable").reset_index(drop=True)


def read_pupils_ethnicity_language(path: Path) -> Loaded:
    """DfE's pupils by ethnic group and language: long, with headcounts by period, area, phase, ethnicity, language."""
    table = read_delimited(path)
    text = table.frame
    needed = [
        "time_period",
        "geographic_level",
        "region_code",
        "old_la_code",
        "new_la_code",
        "la_name",
        "phase_type_grouping",
        "ethnicity",
        "language",
        "headcount",
    ]
    need_columns(text, needed, path.name)
    level = text["geographic_level"]
    code = text["new_la_code"].where(
        level == "Local authority", text["region_code"].where(level == "Regional", ENGLAND)
    )
    frame, quarantine = to_numbers(text.assign(area_code=code), ["headcount"], path.name)
    kept = ["time_period", "geographic_level", "area_code", "phase_type_grouping", "ethnicity", "language", "headcount"]
    note = "2015/16 and 2016/17 leave out nursery-age pupils: use 2017/18 onwards for trends."
    return _loaded(
        frame[kept],
        path,
        "Schools, pupils and their characteristics: ethnicity and language",
        "201516 to 202122",
        "Department for Education",
        (note,),
        table,
        quarantine,
    )


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


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise SourceError(Problem("The file is missing.", where=path.name)) from None
    except (OSError, ValueError) as error:
        raise SourceError(
            Problem(
                f"The file is not readable as parquet ({type(error).__name__}).",
                where=path.name,
                mend="Download it again.",
            )
        ) from None


def _loaded(
    frame: pd.DataFrame,
    path: Path,
    source: str,
    period: str,
    publisher: str,
    notes: Sequence[str] = (),
    table: TextTable | None = None,
    quarantine: pd.DataFrame | None = None,
) -> Loaded:
    rows = len(frame) if table is None else table.rows_read
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
