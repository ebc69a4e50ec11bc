"""England, regions and authorities in a table of values: sums where nothing is published, and how complete they are."""

from __future__ import annotations

from functools import cache

import pandas as pd

from jsna.codes import all_versions, code_list
from jsna.sources.tables import ENGLAND

SERIES = ["place", "year"]


@cache
def areas() -> pd.DataFrame:
    """Today's authorities, the nine regions and England: area_name, area_level, region_code, by code."""
    now = code_list("local_authority")
    own = pd.DataFrame({"area_name": now["name"], "area_level": "local_authority", "region_code": now["region_code"]})
    regions = now.drop_duplicates("region_code").set_index("region_code")["region_name"]
    region = pd.DataFrame({"area_name": regions, "area_level": "region", "region_code": regions.index})
    england = pd.DataFrame({"area_name": "England", "area_level": "england", "region_code": ""}, index=[ENGLAND])
    return pd.concat([own, region, england]).rename_axis("area_code")


@cache
def _authorities() -> pd.DataFrame:
    """Authorities since 2019: region_code, and the Januaries (first and last) in which each was in force, by code."""
    every = all_versions("local_authority").drop_duplicates("code").set_index("code")
    first = every["valid_from"].where(every["valid_from"] != "", "0").astype("int64") + 1
    last = every["valid_to"].where(every["valid_to"] != "", "9999").astype("int64")
    return pd.DataFrame({"region_code": every["region_code"], "first": first, "last": last})


def january_of(year: pd.Series, kind: pd.Series) -> pd.Series:
    """The January by which a period's figures are returned: its own of a position in January, else the next."""
    return year + ~kind.isin(["january", "financial_year"])


def with_every_area(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of all areas: an authority then in force, a region or England without a row has one that is not available.

    ``rows`` has place (of the way in the catalogue), year, january, area_code, and what is the same for a whole period:
    period and provisional.
    """
    own = _authorities()
    codes = pd.DataFrame({"area_code": areas().index}).merge(own, left_on="area_code", right_index=True, how="left")
    codes = codes.fillna({"first": 0, "last": 9999}).drop(columns="region_code")
    per = ["source", "file", "period", "provisional", "january"]
    series = rows.drop_duplicates(SERIES)[[*SERIES, *per]]
    every = series.merge(codes, how="cross")
    every = every[(every["first"] <= every["january"]) & (every["january"] <= every["last"])]
    key = ["area_code", *SERIES]
    there = pd.MultiIndex.from_frame(rows[key])
    lacking = every[~pd.MultiIndex.from_frame(every[key]).isin(there)].drop(columns=["first", "last"])
    level = lacking["area_code"].map(areas()["area_level"])
    return pd.concat([rows, lacking.assign(area_level=level, symbol="x", note="")], ignore_index=True)


def with_sums(rows: pd.DataFrame) -> pd.DataFrame:
    """England and regions without a published row of counts, added up over the authorities that have a figure."""
    own = rows[(rows["area_level"] == "local_authority") & _reported(rows) & rows["published"].isna()]
    own = own.assign(region_code=own["area_code"].map(_authorities()["region_code"]))
    region = _added_up(own, [*SERIES, "region_code"])
    england = _added_up(own, SERIES).assign(region_code=ENGLAND)
    sums = pd.concat([region, england]).rename(columns={"region_code": "area_code"})
    made = rows.merge(sums, on=[*SERIES, "area_code"], how="left", suffixes=("", "_sum"), validate="1:1")
    here = made["summed"].notna() & (made["symbol"] == "x")
    for column in ("numerator", "denominator"):
        made[column] = made[column].mask(here, made[f"{column}_sum"])
    said = "Added up from " + made["summed"].fillna(0).astype("int64").astype("str") + " authorities."
    made = made.assign(symbol=made["symbol"].mask(here, ""), note=noted(made["note"], said, here))
    return made.drop(columns=["numerator_sum", "denominator_sum", "summed"])


def completeness(rows: pd.DataFrame) -> pd.Series:
    """For England and regions, the share of authorities then in force that have a figure; missing for authorities."""
    own = rows[rows["area_level"] == "local_authority"].merge(_authorities(), left_on="area_code", right_index=True)
    then = (own["first"] <= own["january"]) & (own["january"] <= own["last"])
    own = own[then | _reported(own)]
    there = _reported(own).astype("float64")
    by_region = there.groupby([own["place"], own["year"], own["region_code"]]).mean()
    england = there.groupby([own["place"], own["year"]]).mean()
    england.index = pd.MultiIndex.from_tuples([(*key, ENGLAND) for key in england.index])
    share = pd.concat([by_region, england])
    key = pd.MultiIndex.from_frame(rows[[*SERIES, "area_code"]])
    return pd.Series(share.reindex(key).to_numpy(), index=rows.index)


def noted(note: pd.Series, said: str | pd.Series, where: pd.Series) -> pd.Series:
    """The notes with a sentence more in the rows of ``where``."""
    more = said if isinstance(said, str) else said.fillna("").astype("str")
    return note.mask(where, (note + " " + more).str.strip()).astype("str")


def _reported(rows: pd.DataFrame) -> pd.Series:
    """Whether an area has a figure, be it one that is too small to be shown as a rate."""
    return (rows["symbol"] == "") & (rows["numerator"].notna() | rows["published"].notna())


def _added_up(own: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Counts added up, and ``summed``, over how many authorities; no denominator where none has one."""
    groups = own.groupby(by)
    return groups[["numerator", "denominator"]].sum(min_count=1).assign(summed=groups.size()).reset_index()
