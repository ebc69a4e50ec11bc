"""The EHC plan process: timeliness, requests and caseload, from the official release or from a case list."""

from __future__ import annotations

import pandas as pd

from jsna.evidence.local_values.counts import whole_years
from jsna.files.result import Loaded
from jsna.sealed import Sealed

TIMELINESS = {
    "with_exceptions": ("plans_issued_within_20_weeks", "plans_issued_den"),
    "without_exceptions": ("plans_issued_20_weeks_ex", "plans_issued_den_ex"),
}


def of_area(table: pd.DataFrame, code: str, topic: str, period: str) -> pd.DataFrame:
    """The rows of one area, one topic and one period of a table of the EHC release."""
    return table[(table["area_code"] == code) & (table["breakdown_topic"] == topic) & (table["time_period"] == period)]


def latest_period(table: pd.DataFrame) -> str:
    """The newest period of a table."""
    return str(table["time_period"].max())


def by_area_and_group(
    table: pd.DataFrame, topic: str, period: str, outcome: str, numerator: str, denominator: str
) -> pd.DataFrame:
    """Counts of every local authority by group of ``topic``: area_code, group, ``outcome`` (the numerator) and total.

    Groups without anybody in the denominator are left out: they have no rate.
    """
    rows = table[
        (table["geographic_level"] == "Local authority")
        & (table["breakdown_topic"] == topic)
        & (table["time_period"] == period)
        & (table[denominator] > 0)
    ]
    columns = {"area_code": "area_code", "breakdown": "group", numerator: outcome, denominator: "total"}
    return rows[list(columns)].rename(columns=columns).reset_index(drop=True)


def rate_by_area(table: pd.DataFrame, codes: list[str], period: str, numerator: str, denominator: str) -> pd.DataFrame:
    """The same rate for each of ``codes``, in their order: area_code, area_name, numerator, denominator, percent.

    An area that did not return a figure stays, with its values missing.
    """
    rows = table[
        table["area_code"].isin(codes) & (table["breakdown_topic"] == "Total") & (table["time_period"] == period)
    ]
    result = rows.set_index("area_code").reindex(codes)
    result = result[["area_name", numerator, denominator]].set_axis(
        ["area_name", "numerator", "denominator"], axis="columns"
    )
    result["percent"] = 100 * result["numerator"] / result["denominator"].where(result["denominator"] > 0)
    return result.reset_index()


def series(table: pd.DataFrame, codes: list[str], column: str) -> pd.DataFrame:
    """One measure over all periods for each of ``codes``: period, area_name, value."""
    rows = table[table["area_code"].isin(codes) & (table["breakdown_topic"] == "Total")]
    frame = rows[["time_period", "area_code", "area_name", column]].rename(columns={column: "value"})
    return frame.sort_values(["area_code", "time_period"], kind="stable").reset_index(drop=True)


def years_of(cases: Loaded) -> list[int]:
    """The calendar years that a case list covers whole, oldest first, by its summary; else that of its last request.

    Requests of earlier years stand in it only with a plan issued since: of them, no share can be told.
    """
    return whole_years(cases.summary.period) or [int(cases.frame["date_requested"].dt.year.max())]


def plan_years_of(cases: Loaded) -> list[int]:
    """Those of ``years_of`` whose plans the list tells whole: where it holds plans asked for in an earlier year too.

    A list that begins with the requests of a year has only the quick ones of the plans issued in it.
    """
    issued = cases.frame["date_issued"].dt.year.where(cases.frame["plan_issued"].astype("bool"))
    earlier = issued[cases.frame["date_requested"].dt.year < issued].unique()
    return [year for year in years_of(cases) if year in earlier]


def case_counts(cases: pd.DataFrame, by: str) -> Sealed:
    """A case list counted by calendar year and ``by``: requests, refused, plans issued, issued within 20 weeks."""
    year = cases["date_requested"].dt.year.astype(str)
    issued_year = cases["date_issued"].dt.year
    issued = cases["plan_issued"].astype(bool)
    requested = cases.assign(time_period=year, refused=(cases["decision"] == "refuse"))
    plans = cases[issued].assign(
        time_period=issued_year[issued].astype("Int64").astype(str),
        in_20_weeks=cases.loc[issued, "weeks_to_issue"] <= 20,
    )
    keys = ["time_period", by]
    first = requested.groupby(keys, observed=True).agg(requests=("refused", "size"), refused=("refused", "sum"))
    second = plans.groupby(keys, observed=True).agg(plans=("in_20_weeks", "size"), in_20_weeks=("in_20_weeks", "sum"))
    counts = first.join(second, how="outer").fillna(0).astype("int64").reset_index()
    counts.insert(1, "grouping", by)
    return Sealed(counts, counts=("requests", "refused", "plans", "in_20_weeks"))


def rates_over_time(table: pd.DataFrame, codes: list[str], numerator: str, denominator: str) -> pd.DataFrame:
    """A rate worked out from its counts in every period for each of ``codes``: time_period, area_name, percent."""
    rows = table[table["area_code"].isin(codes) & (table["breakdown_topic"] == "Total")]
    rows = rows[["time_period", "area_code", "area_name", numerator, denominator]]
    percent = 100 * rows[numerator] / rows[denominator].where(rows[denominator] > 0)
    return rows.assign(percent=percent).sort_values(["area_code", "time_period"], kind="stable").reset_index(drop=True)
