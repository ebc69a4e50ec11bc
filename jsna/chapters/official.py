"""What official statistics say of an area: pupils, identification, language, deprivation and wards."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import gap, needs, source_row, with_extras
from jsna.chapters.ehc_official import ENGLAND, RELEASE, groups_of, neighbours
from jsna.codes import code_list, ethnicity_code
from jsna.disclosure import Released, publish_official
from jsna.errors import Problem, SourceError
from jsna.evidence import ehc
from jsna.exhibits.charts import bars
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding
from jsna.exhibits.trend_chart import trend
from jsna.files.packaged import packaged_yaml


@cache
def _series() -> dict[str, Any]:
    return packaged_yaml("jsna.chapters", "lait.yml")


@needs("official")
def pupils_by_ethnicity(area: Area) -> Released:
    """Pupils of the latest published census by ethnic group, with each group's share."""
    loaded = area.official.pupils()
    frame = loaded.frame
    rows = frame[
        (frame["area_code"] == area.code)
        & (frame["phase_type_grouping"] == "Total")
        & (frame["language"] == "Total")
        & (frame["ethnicity"] != "Total")
    ]
    period = rows["time_period"].max()
    rows = rows[rows["time_period"] == period]
    codes = rows["ethnicity"].map({label: ethnicity_code(label) for label in rows["ethnicity"].unique()})
    names = groups_of("Ethnicity").labels
    table = pd.DataFrame({"group": codes, "label": codes.map(names), "pupils": rows["headcount"], "period": period})
    table["percent"] = 100 * table["pupils"] / table["pupils"].sum()
    return publish_official(table, source=f"{loaded.summary.source}, {period_name(period)}")


@needs("official")
def population_finding(table: Released, area: Area) -> Exhibit:
    """How many pupils, and the largest group, in a sentence."""
    shown = table.frame
    top = shown.loc[shown["percent"].idxmax()]
    made = finding(
        "population-ethnicity",
        f"In {period_name(str(top['period']))}, {int(shown['pupils'].sum()):,} pupils went to state-funded schools in "
        f"{area.name}; the largest ethnic group was {top['label']} ({format_number(top['percent'], 'percent')}%).",
        detail=("The latest year that the files hold: newer figures by ethnic group are published and can be added.",),
    )
    return with_extras(made, sources=[source_row(area.official.pupils())])


@needs("official")
def population_bars(table: Released, area: Area) -> Exhibit:
    """Each ethnic group's share of pupils."""
    return bars(
        table,
        id="population-ethnicity-bars",
        title=f"Pupils of {area.name} by ethnic group, {period_name(str(table.frame['period'].iloc[0]))}",
        group="label",
        value="percent",
        unit="% of pupils",
        order="value",
    )


def _lait(area: Area, key: str) -> Released:
    """A LAIT series for the area, its region, England, and the median of each neighbour set."""
    frame = area.official.lait().frame
    rows = frame[(frame["measure"] == _series()[key]["measure"]) & frame["period"].str.fullmatch(r"\d{4}")]
    own = rows[rows["area_code"].isin([area.code, area.region_code, ENGLAND])]
    own = own.assign(series=own["area_name"].where(own["area_code"] != area.code, area.name))
    near = neighbours(area).merge(rows, left_on="neighbour_code", right_on="area_code")
    medians = near.groupby(["set", "period"], as_index=False)["value"].median()
    medians = medians.assign(series="Neighbours’ median, " + medians["set"])
    table = pd.concat([own, medians], ignore_index=True)[["period", "series", "value"]]
    table = table.sort_values(["period", "series"], kind="stable")
    return publish_official(table, source="DfE, Local authority interactive tool (percentages without counts)")


@needs("official")
def lait_trend(area: Area, key: str, name: str) -> Exhibit:
    """A published percentage over the years, beside England, the region and both neighbour sets."""
    return trend(
        _lait(area, key),
        id=name,
        title=f"{_series()[key]['title']}, {area.name}",
        x="period",
        series="series",
        value="value",
        highlight=area.name,
    )


@needs("official")
def lait_finding(area: Area, key: str, name: str) -> Exhibit:
    """The latest published percentage beside England's, in a sentence."""
    table = _lait(area, key).frame.dropna(subset=["value"])
    own = table[table["series"] == area.name]
    last, first = own.iloc[-1], own.iloc[0]
    england = table[(table["series"] == "England") & (table["period"] == last["period"])]["value"].iloc[0]
    words = _series()[key]["words"]
    joined = (
        f"{format_number(last['value'], 'percent')}% {words}"
        if words.startswith("of ")
        else (f"{format_number(last['value'], 'percent')}% of pupils {words}")
    )
    made = finding(
        name,
        f"In {last['period']}, {joined} in {area.name}; England {format_number(england, 'percent')}%.",
        detail=(
            f"It was {format_number(first['value'], 'percent')}% in {first['period']}. The publisher gives "
            "percentages without counts, so no interval can be shown.",
        ),
    )
    return with_extras(made, sources=[source_row(area.official.lait())])


def _plans(area: Area) -> tuple[pd.DataFrame, str]:
    table = area.official.ehc("sen_needs_all_plans").frame
    return table, ehc.latest_period(table)


@needs("official")
def needs_of_plans(area: Area) -> Exhibit:
    """The primary need of those with a plan, as shares of all plans."""
    table, period = _plans(area)
    row = ehc.of_area(table, area.code, "Total", period).iloc[0]
    plain = code_list("need")["plain"]
    codes = [n for n in plain.index if f"number_{n.lower()}" in table]
    values = pd.DataFrame({"need": [plain[n] for n in codes], "plans": [row[f"number_{n.lower()}"] for n in codes]})
    values["percent"] = 100 * values["plans"] / row["ehc_plans"]
    return bars(
        publish_official(values, source=f"{RELEASE}, sen_needs_all_plans, {period}"),
        id="identification-needs-of-plans",
        title=f"Primary need of those with an EHC plan, {area.name}, {period_name(period)}",
        group="need",
        value="percent",
        unit="% of plans",
        order="value",
    )


def plans_per_pupil_gap(area: Area) -> Exhibit:
    """Why no rate of plans per pupil by ethnic group is shown."""
    return gap(
        "ethnicity-plans-per-pupil",
        "Plans by ethnic group are published for January 2024 and 2025, pupils by ethnic group in these files to "
        "January 2022, and on another basis (residence against school): no honest rate can be made.",
        "Bring a newer file of pupils by ethnicity, or the authority's own pupil records.",
    )


def lsoas(area: Area) -> pd.DataFrame:
    """The area's LSOAs of 2021 with ward, district and IDACI decile (missing where the index has none).

    Raises ``SourceError`` when the lookup has no LSOA of the area.
    """
    own = _own_places(area)
    return own.merge(area.official.idaci().frame, on="lsoa", how="left", validate="one_to_one")


def _own_places(area: Area) -> pd.DataFrame:
    """The rows of the LSOA lookup that lie in the area's districts."""
    places = area.official.lsoa_ward()
    districts = area.official.districts_of(area.code)
    own = places.frame[places.frame["district_code"].isin(districts)]
    if own.empty:
        mend = "Is the lookup whole, and of a year in which the authority had this code?"
        what = f"The lookup of small areas has none of {area.name}."
        raise SourceError(Problem(what, where=places.summary.file, value=districts[:5], mend=mend))
    return own


def unknown_note(known: pd.Series, what: str) -> tuple[str, ...]:
    """How many small areas are left out for want of ``what``; nothing to say when none is."""
    lost = int((~known).sum())
    return (f"{lost} of {len(known)} small areas have no {what} in the files and are left out.",) if lost else ()


@needs("official")
def lsoas_by_decile(area: Area) -> Released:
    """How many of the area's LSOAs lie in each national IDACI decile."""
    own = lsoas(area)
    counts = own["decile"].value_counts().reindex(range(1, 11), fill_value=0)
    labels = {1: " (most deprived)", 10: " (least deprived)"}
    table = pd.DataFrame(
        {
            "label": [f"Decile {d}{labels.get(d, '')}" for d in counts.index],
            "decile": counts.index,
            "areas": counts.to_numpy(),
        }
    )
    table["percent"] = 100 * table["areas"] / counts.sum()
    notes = unknown_note(own["decile"].notna(), "IDACI decile")
    return publish_official(table, source="MHCLG, English Indices of Deprivation 2025: IDACI", notes=notes)


@needs("official")
def decile_finding(table: Released, area: Area) -> Exhibit:
    """How many areas are among the most deprived, in a sentence."""
    shown = table.frame.set_index("decile")
    made = finding(
        "deprivation-deciles",
        f"{int(shown.loc[[1, 2], 'areas'].sum())} of {int(shown['areas'].sum())} small areas of {area.name} are among "
        "the fifth most deprived in England for children (IDACI 2025).",
        detail=table.notes,
    )
    return with_extras(made, sources=[source_row(area.official.idaci())])


@needs("official")
def decile_bars(table: Released, area: Area) -> Exhibit:
    """Share of the area's LSOAs in each national decile."""
    return bars(
        table,
        id="deprivation-deciles-bars",
        title=f"Small areas of {area.name} by national IDACI decile, 2025",
        group="label",
        value="percent",
        unit="% of small areas (LSOAs)",
    )


@needs("official")
def index_editions(area: Area) -> Exhibit:
    """The area's small areas by IMD decile in the editions of 2019 (LSOAs of 2011) and of 2025 (LSOAs of 2021)."""
    own = _own_places(area)[["lsoa"]].merge(area.official.lsoa_change().frame, on="lsoa", how="left")
    old, new = area.official.imd_2019().frame.set_index("lsoa")["decile"], area.official.imd_2025().frame
    before = own["lsoa11"].drop_duplicates().map(old)
    after = own["lsoa"].drop_duplicates().map(new.set_index("lsoa")["decile"])
    counts = pd.DataFrame({"imd_2019": before.value_counts(), "imd_2025": after.value_counts()})
    counts = counts.reindex(range(1, 11)).fillna(0).reset_index(names="decile")
    counts["label"] = "Decile " + counts["decile"].astype(int).astype(str)
    notes = (*unknown_note(before.notna(), "decile of 2019"), *unknown_note(after.notna(), "decile of 2025"))
    return table_exhibit(
        publish_official(counts, source="MHCLG, English Indices of Deprivation 2019 and 2025: IMD", notes=notes),
        id="deprivation-editions",
        title=f"Small areas of {area.name} by national IMD decile (1 = most deprived) in two editions",
        columns=[
            {"name": "label", "label": "Decile", "kind": "text"},
            {"name": "imd_2019", "label": "IMD 2019, LSOAs of 2011", "kind": "count"},
            {"name": "imd_2025", "label": "IMD 2025, LSOAs of 2021", "kind": "count"},
        ],
        row_header="label",
    )
