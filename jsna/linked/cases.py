"""The counts of the EHC process from an authority's own lists, by stage and group and by year, as one plan.

The stages are figures of the same sources as the indicators (``figures``); groups are shown of all years together, and
the years of all children, so that the sum of the years is what links them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from jsna.disclosure import names_of
from jsna.evidence.local_values.sums import sums_of, with_rests
from jsna.evidence.pipeline import UNKNOWN
from jsna.linked.figures import FIRST, NUMBER, SHOWN, UNSEEN, cell_names, figure, figure_splits, tables_of
from jsna.linked.names import KNOWN, NOT_KNOWN
from jsna.linked.plan import Plan, Split

if TYPE_CHECKING:
    from jsna.area import Area
    from jsna.evidence.pipeline.own_counts import OwnCounts

GROUPS = ("dimension", "group")
WAYS = ["brings", "measure", "numerator", "denominator"]
DAY_KNOWN = "with the day on record"
# What the sources of stages are, of which no indicator says it.
NESTED = (
    ("cases plans@all", ("cases plans_plain@all", "cases plans without plans_plain@all")),
    ("cases over_a_year@all", ("cases over_a_year_plain@all", "cases over_a_year with an exception@all")),
    *(
        (f"cases {k}@all", (f"cases {k} {DAY_KNOWN}@all", f"cases {k} without the day@all"))
        for k in ("decided", "refused")
    ),
)


def case_group(dimension: pd.Series | str, group: pd.Series | str) -> pd.Series | str:
    """A group of children in the EHC process as a category of ``case_group``; ``""`` where the group is everybody."""
    if isinstance(group, pd.Series):
        return (dimension + " " + group.replace(UNKNOWN, NOT_KNOWN)).where(group != "", "")
    return f"{dimension} {group}" if group else ""


def stage_names(rows: pd.DataFrame, counts: OwnCounts, *, count: str, total: str) -> dict[str, pd.Series]:
    """The names of the counts in two columns of rows by ``outcome`` (the stage), ``dimension`` and ``group``.

    Without these two columns, of everybody; groups may be ``KNOWN`` and ``NOT_KNOWN``.
    """
    group = case_group(rows["dimension"], rows["group"]).where(counts.told(rows), "") if "group" in rows else ""
    told = [counts.figures[str(outcome)] for outcome in rows["outcome"]]
    year = rows["outcome"].map(counts.periods).astype("str")
    found = {}
    for at, column in enumerate((count, total), 1):
        cells = pd.DataFrame({"source": [t[0] for t in told], "figure": [f"{t[0]} {t[at]}" for t in told]}, rows.index)
        found[column] = cell_names(cells.assign(period="", year=year, case_group=group))
    return found


def plan_names(rows: pd.DataFrame, year: pd.Series, columns: Sequence[str]) -> dict[str, pd.Series]:
    """The names of counts of the cases by calendar year, such as ``plans`` and ``in_20_weeks``.

    >>> plan_names(pd.DataFrame({"plans": [30]}), pd.Series(["2024"]), ["plans"])["plans"].tolist()
    ['cases||figure=cases plans@all|year=2024']
    """
    return {
        c: names_of(rows.index, "cases", period="", figure=str(figure("cases", f"{c}@all")), year=year) for c in columns
    }


def plan(area: Area) -> Plan:
    """Every count that the chapter on the EHC process shows of the area's own lists; none where there are no cases."""
    from jsna.evidence.pipeline.own_counts import own_counts_of, plans_by_year

    if "cases" not in area.brings:
        return Plan((), {})
    years = plans_by_year(area.ehc_cases).unseal("to plan what is protected together")
    return plan_of_stages(own_counts_of(area), years)


def plan_of_stages(counts: OwnCounts, years: pd.DataFrame) -> Plan:
    """The plan of the stages by group, and of plans by year (``time_period``, ``plans``, ``in_20_weeks``)."""
    rows = counts.rows().unseal("to plan what is protected together")
    by_group, group_splits = _groups(rows[counts.told(rows)])
    everybody = rows[rows["dimension"] == "age"].groupby("outcome", as_index=False)[["count", "total"]].sum()
    by_group = pd.concat([by_group, everybody.assign(case_group="")], ignore_index=True)
    source, part, whole = (by_group["outcome"].map(lambda o, i=i: counts.figures[o][i]) for i in range(3))
    year = by_group["outcome"].map(counts.periods)
    left = whole.str.removesuffix("@all") + " without " + part
    sides = {"count": part, "total": whole, "left": left}
    weight = by_group["case_group"].map(_weight)
    told = by_group.assign(
        weight=weight, left=by_group["total"] - by_group["count"], source=source, year=year, period=""
    )
    parts = [
        told[["source", "period", "year", "case_group"]].assign(
            figure=[str(figure(s, k)) for s, k in zip(source, names, strict=True)],
            weight=told["weight"] if column != "left" else UNSEEN,
            **{NUMBER: told[column]},
        )
        for column, names in sides.items()
    ]
    stages = pd.concat(parts, ignore_index=True).drop_duplicates()
    shares = dict.fromkeys(zip(source, whole, part, left, strict=True))
    figures = [(str(figure(s, w)), (str(figure(s, p)), str(figure(s, r)))) for s, w, p, r in shares]
    by_year, of_years = _years(years)
    spans = {str(span): _years_in(str(span)) for span in year.unique()}
    splits = {
        "figure": (*figures, *of_years, *NESTED),
        "case_group": group_splits,
        "year": tuple((span, inside) for span, inside in spans.items() if len(inside) > 1),
    }
    return Plan(tables_of("EHC process", pd.concat([stages, by_year], ignore_index=True)), splits)


def _weight(group: str) -> float:
    """What it costs to hide a count of a group: that of everybody the most, and all of known group stand nowhere."""
    return FIRST if group == "" else UNSEEN if group.endswith(f" {KNOWN}") else SHOWN


def _groups(rows: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Split, ...]]:
    """Rows of every group, and of all of known and of unknown group, and how these nest."""
    lost = rows["group"] == UNKNOWN
    parts, splits = [rows.assign(case_group=case_group(rows["dimension"], rows["group"]))[~lost]], []
    for dimension, here in rows.groupby("dimension", sort=True):
        known, not_known = (str(case_group(str(dimension), g)) for g in (KNOWN, NOT_KNOWN))
        groups = tuple(f"{dimension} {g}" for g in sorted(set(here.loc[~lost, "group"])))
        missing = lost[here.index].any()
        if not missing:
            splits.append(("", groups))
            continue
        splits += [("", (known, not_known)), *([(known, groups)] if groups else [])]
        for name, inside in ((known, ~lost[here.index]), (not_known, lost[here.index])):
            sums = here[["count", "total"]].where(inside, 0).groupby(here["outcome"]).sum().reset_index()
            parts.append(sums.assign(case_group=name))
    return pd.concat(parts, ignore_index=True).drop(columns=list(GROUPS)), tuple(splits)


def _years(years: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Split, ...]]:
    """Plans by year, and those within 20 weeks, with what is left of them."""
    long = years.melt(["time_period"], ["plans", "in_20_weeks"], var_name="key", value_name=NUMBER)
    long = long.rename(columns={"time_period": "period"}).assign(key=long["key"] + "@all")
    ways = pd.DataFrame([("cases", "plan_in_20_weeks", "in_20_weeks@all", "plans@all")], columns=WAYS)
    rows, held = with_rests(long, sums_of("cases", set(long["key"]), ways) if len(long) else [])
    made = rows.assign(source="cases", year=rows["period"].astype("str"), period="", case_group="")
    made = made.assign(weight=made["key"].isin(long["key"]).map({True: SHOWN, False: UNSEEN}))
    return made.assign(figure=figure("cases", made["key"])).drop(columns="key"), figure_splits("cases", held)


def _years_in(span: str) -> tuple[str, ...]:
    """The years of a span such as ``2023 to 2025``."""
    first, _, last = span.partition(" to ")
    return tuple(str(y) for y in range(int(first), int(last or first) + 1))
