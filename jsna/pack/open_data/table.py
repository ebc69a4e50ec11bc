"""One table of open data: its rows, the meta file that goes with them, and what every table has in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.codes import local_authority
from jsna.pack.open_data.lookups import lists, place_columns, read_list, time_columns

TOTAL = "Total"
SYMBOLS = ("c", "x", "z", "u", "low")
NEAREST = r"^(?P<number>-?[\d.]+) \(nearest (?P<base>\d+)\)$"


@cache
def words() -> dict[str, Any]:
    """Names of files, columns and items."""
    return read_list("tables.yml")


@dataclass(frozen=True)
class OpenTable:
    """A file of open data before it is written: ``name`` without endings, every cell of both tables as text."""

    name: str
    data: pd.DataFrame
    meta: pd.DataFrame


def open_table(name: str, rows: pd.DataFrame, filters: list[str], indicators: list[str]) -> OpenTable:
    """Rows with their columns in the order of the standard, and their meta file.

    A filter of one level stays in the data and has no row in the meta file, as the standard asks; one that is Total on
    every row is left out. Of a filter without a Total the first item is shown first, unless it is of groups of people.
    """
    filters = [name for name in filters if (rows[name] != TOTAL).any()]
    told = words()["columns"]
    groups = [told[f]["group"] for f in filters if told[f].get("group") in rows]
    marks = [f"{i}{words()['rounded']['suffix']}" for i in indicators if f"{i}{words()['rounded']['suffix']}" in rows]
    head = [c for c in (*time_columns(), *place_columns(), *groups, *filters, *indicators, *marks) if c in rows]
    data = rows[head].reset_index(drop=True)
    described = [_filter_row(data, name) for name in filters if data[name].nunique() > 1]
    described += [_indicator_row(name) for name in (*indicators, *marks)]
    columns = [*lists()["meta_columns"], *lists()["meta_columns_optional"][:1]]
    meta = pd.DataFrame(described).reindex(columns=columns, fill_value="").fillna("")
    return OpenTable(name, data, meta if (meta["filter_default"] != "").any() else meta.drop(columns="filter_default"))


def _filter_row(data: pd.DataFrame, name: str) -> dict[str, str]:
    told = words()["columns"][name]
    first = "" if name == "breakdown" or (data[name] == TOTAL).any() else str(data[name].iloc[0])
    return {
        "col_name": name,
        "col_type": "Filter",
        "label": told["label"],
        "filter_hint": told["hint"],
        "filter_grouping_column": told.get("group", ""),
        "filter_default": first,
    }


def _indicator_row(name: str) -> dict[str, str]:
    rounded = words()["rounded"]
    told = words()["columns"][name.removesuffix(rounded["suffix"])]
    if name.endswith(rounded["suffix"]):
        told = {"label": rounded["label"].format(label=told["label"]), "dp": rounded["dp"]}
    unit, decimals = told.get("unit", ""), str(told["dp"])
    return {
        "col_name": name,
        "col_type": "Indicator",
        "label": told["label"],
        "indicator_unit": unit,
        "indicator_dp": decimals,
    }


def at_area(rows: pd.DataFrame, area: Area, level: str = "Local authority") -> pd.DataFrame:
    """The rows with the columns of places that a row of the area, or of a part of it, fills."""
    return rows.assign(
        geographic_level=level,
        country_code="E92000001",
        country_name="England",
        region_code=area.region_code,
        region_name=area.region_name,
        old_la_code=str(local_authority(area.code)["dfe_number"]),
        new_la_code=area.code,
        la_name=area.name,
    )


def counted(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """A count as a number, and beside it to what it is rounded: 1 where it is not, z where no number is shown.

    >>> counted(pd.DataFrame({"n": ["3850 (nearest 50)", "12", "c"]}), "n").values.tolist()
    [['3850', '50'], ['12', '1'], ['c', 'z']]
    """
    parts = rows[column].str.extract(NEAREST)
    near = parts["number"].notna()
    number = rows[column].mask(near, parts["number"])
    base = parts["base"].where(near, "1").mask(number.isin(SYMBOLS), "z")
    return rows.assign(**{column: number, f"{column}{words()['rounded']['suffix']}": base})


def exact(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without the columns that say to what a number is rounded, where none of them is."""
    suffix = words()["rounded"]["suffix"]
    marks = [c for c in rows.columns if c.endswith(suffix)]
    rounded = [c for c in marks if (~rows[c].isin(["1", "z"])).any()]
    return rows if rounded else rows.drop(columns=marks)


def as_percent(share: pd.Series) -> pd.Series:
    """Shares of one with four decimals as per cent with two; symbols stay.

    >>> as_percent(pd.Series(["0.1381", "1.0000", "c"])).tolist()
    ['13.81', '100.00', 'c']
    """
    number = pd.to_numeric(share, errors="coerce")
    return (number * 100).map("{:.2f}".format).where(number.notna(), share)
