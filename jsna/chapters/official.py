"""What official statistics say of an area: pupils, identification, language, deprivation and wards."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from jsna.area import Area, period_name
from jsna.chapters.base import gap, needs, source_row, with_extras
from jsna.chapters.ehc_official import ENGLAND, RELEASE, groups_of, neighbours
from jsna.codes import code_list, ethnicity_code
from jsna.disclosure import Released, publish_official
from jsna.evidence import ehc
from jsna.exhibits.charts import bars, trend
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding


@cache
def _series() -> dict[str, Any]:
    return yaml.safe_load(files("jsna.chapters").joinpath("lait.yml").read_text(encoding="utf-8"))


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


def _lsoas(area: Area) -> pd.DataFrame:
    """The area's LSOAs of 2021 with ward and IDACI decile."""
    places = area.official.lsoa_ward().frame
    own = places[places["district_code"].isin(districts(area))]
    return own.merge(area.official.idaci().frame, on="lsoa", how="left", validate="one_to_one")


def districts(area: Area) -> list[str]:
    """The districts of the area. A unitary or metropolitan authority is its own district; a county is not held yet."""
    return [area.code]


@needs("official")
def lsoas_by_decile(area: Area) -> Released | Exhibit:
    """How many of the area's LSOAs lie in each national IDACI decile."""
    own = _lsoas(area)
    if own.empty:
        return _county(area, "deprivation-deciles")
    counts = own["decile"].value_counts().reindex(range(1, 11), fill_value=0)
    labels = {1: " (most deprived)", 10: " (least deprived)"}
    table = pd.DataFrame(
        {
            "label": [f"Decile {d}{labels.get(d, '')}" for d in counts.index],
            "decile": counts.index,
            "areas": counts.to_numpy(),
        }
    )
    table["percent"] = 100 * table["areas"] / len(own)
    return publish_official(table, source="MHCLG, English Indices of Deprivation 2025: IDACI")


def _county(area: Area, name: str) -> Exhibit:
    return gap(
        name,
        f"{area.name} is a county: its districts are not joined to it yet, so its small areas cannot be listed.",
        "Unitary authorities, metropolitan and London boroughs are shown.",
    )


@needs("official")
def decile_finding(table: Released, area: Area) -> Exhibit:
    """How many areas are among the most deprived, in a sentence."""
    shown = table.frame.set_index("decile")
    made = finding(
        "deprivation-deciles",
        f"{int(shown.loc[[1, 2], 'areas'].sum())} of {int(shown['areas'].sum())} small areas of {area.name} are among "
        "the fifth most deprived in England for children (IDACI 2025).",
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
    change = area.official.lsoa_change().frame
    now = area.official.lsoa_ward().frame
    own = change[change["lsoa"].isin(now.loc[now["district_code"].isin(districts(area)), "lsoa"])]
    if own.empty:
        return _county(area, "deprivation-editions")
    old = area.official.imd_2019().frame
    new = area.official.imd_2025().frame
    counts = pd.DataFrame(
        {
            "imd_2019": old.loc[old["lsoa"].isin(own["lsoa11"]), "decile"].value_counts(),
            "imd_2025": new.loc[new["lsoa"].isin(own["lsoa"]), "decile"].value_counts(),
        }
    )
    counts = counts.reindex(range(1, 11)).fillna(0).reset_index(names="decile")
    counts["label"] = "Decile " + counts["decile"].astype(int).astype(str)
    return table_exhibit(
        publish_official(counts, source="MHCLG, English Indices of Deprivation 2019 and 2025: IMD"),
        id="deprivation-editions",
        title=f"Small areas of {area.name} by national IMD decile (1 = most deprived) in two editions",
        columns=[
            {"name": "label", "label": "Decile", "kind": "text"},
            {"name": "imd_2019", "label": "IMD 2019, LSOAs of 2011", "kind": "count"},
            {"name": "imd_2025", "label": "IMD 2025, LSOAs of 2021", "kind": "count"},
        ],
        row_header="label",
    )


@needs("official")
def wards_by_deprivation(area: Area) -> Released | Exhibit:
    """Children aged 0 to 15 of each ward, and the share who live in the fifth most deprived LSOAs (IDACI 2025)."""
    own = _lsoas(area)
    if own.empty:
        return _county(area, "wards-deprivation")
    own = own.merge(area.official.children().frame, on="lsoa", how="left")
    own = own.assign(deprived=own["children"].where(own["decile"] <= 2, 0))
    wards = own.groupby("ward_code", as_index=False).agg(children=("children", "sum"), deprived=("deprived", "sum"))
    names = area.official.ward_names().frame.drop_duplicates("ward_code").set_index("ward_code")["ward_name"]
    wards.insert(1, "label", wards["ward_code"].map(names))
    wards["percent"] = 100 * wards["deprived"] / wards["children"]
    return publish_official(
        wards.sort_values("label").reset_index(drop=True),
        source="MHCLG, IDACI 2025; ONS, Census 2021; LSOAs placed in wards by the ONS best fit of 2024",
    )


@needs("official")
def ward_finding(table: Released, area: Area) -> Exhibit:
    """How far wards differ, in a sentence."""
    shown = table.frame
    all_in = int((shown["percent"] == 100).sum())
    none_in = int((shown["percent"] == 0).sum())
    return finding(
        "wards-deprivation",
        f"In {all_in} of {len(shown)} wards of {area.name} every child lives in an area among the fifth most deprived "
        f"in England; in {none_in} none does.",
        detail=("Small areas are placed in wards by best fit: a ward's figure is approximate.",),
    )


@needs("official")
def ward_table(table: Released, area: Area) -> Exhibit:
    """All figures by ward."""
    return table_exhibit(
        table,
        id="wards-deprivation-table",
        title=f"Wards of {area.name}: children and deprivation",
        columns=[
            {"name": "label", "label": "Ward", "kind": "text"},
            {"name": "children", "label": "Children aged 0 to 15 (Census 2021)", "kind": "count"},
            {"name": "deprived", "label": "Of these, in the fifth most deprived LSOAs", "kind": "count"},
            {"name": "percent", "label": "Share (%)", "kind": "percent"},
        ],
        row_header="label",
    )
