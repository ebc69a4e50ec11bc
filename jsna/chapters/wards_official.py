"""What official statistics say of wards: deprivation by best fit of small areas, children of low income families."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import gap, needs, source_row, with_extras
from jsna.chapters.official import lsoas, unknown_note
from jsna.chapters.wards import place_texts
from jsna.disclosure import Released, publish_official
from jsna.exhibits.maps import map_with_tiles
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.telling import span, titled
from jsna.exhibits.text import finding

MOST_DEPRIVED = 2  # deciles: the fifth most deprived
DEPRIVED_EDGES = (1.0, 25.0, 50.0, 75.0)
LEAST_SHAPES = 0.5  # of the wards: with shapes for fewer, a map would show another place
LATEST = "2025"
LOW_INCOME = [
    {"name": f"{name}_{year}", "label": f"{label}, year ending {year}{unit}", "kind": kind}
    for year in ("2024", LATEST)
    for name, label, unit, kind in (("children", "Children", "", "count"), ("percent", "Share", " (%)", "percent"))
]
DEPRIVED = [
    {"name": "children", "label": "Children aged 0 to 15 (Census 2021)", "kind": "count"},
    {"name": "deprived", "label": "Of these, in the fifth most deprived LSOAs", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
]
WARD = {"name": "label", "label": "Ward", "kind": "text"}
DISTRICT = {"name": "district", "label": "District", "kind": "text"}


# --- deprivation, by best fit of LSOAs


@needs("official")
def by_deprivation(area: Area) -> Released:
    """Children aged 0 to 15 of each ward, and the share who live in the fifth most deprived LSOAs (IDACI 2025).

    Columns ``ward_code``, ``district``, ``label``, ``children``, ``deprived``, ``percent``; by district, then by name.
    A small area whose decile or children are not known is left out of both counts, and a note says how many are.
    """
    own = lsoas(area).merge(area.official.children().frame, on="lsoa", how="left", validate="one_to_one")
    known = own["decile"].notna() & own["children"].notna()
    own = own.assign(
        children=own["children"].where(known),
        deprived=own["children"].where(own["decile"] <= MOST_DEPRIVED, 0).where(known),
    )
    sums = own.groupby(["district_code", "ward_code"])[["children", "deprived"]].sum(min_count=1).reset_index()
    names = area.official.ward_names().frame.drop_duplicates("ward_code").set_index("ward_code")["ward_name"]
    wards = _named(sums, sums["ward_code"].map(names).fillna(sums["ward_code"]), sums["district_code"], area)
    wards["percent"] = 100 * wards["deprived"] / wards["children"].where(wards["children"] > 0)
    return publish_official(
        wards[["ward_code", "district", "label", "children", "deprived", "percent"]],
        source="MHCLG, IDACI 2025; ONS, Census 2021; LSOAs placed in wards by the ONS best fit of 2024",
        notes=unknown_note(known, "decile or number of children"),
    )


def _named(rows: pd.DataFrame, names: pd.Series, districts: pd.Series, area: Area) -> pd.DataFrame:
    """The rows with ``district`` and ``label``, in that order; a name that several wards bear has its district’s."""
    list_of = area.official.la_codes().frame.drop_duplicates("la").set_index("la")["la_name"]
    made = rows.assign(district=districts.map(list_of).fillna(districts), label=names)
    again = made["label"].duplicated(keep=False)
    made["label"] = made["label"].where(~again, made["label"] + " (" + made["district"] + ")")
    return made.sort_values(["district", "label"], kind="stable", ignore_index=True)


@needs("official")
def deprivation_finding(table: Released, area: Area) -> Exhibit:
    """How far wards differ, and how many children of the whole area are concerned."""
    shown = table.frame
    all_in, none_in = int((shown["percent"] == 100).sum()), int((shown["percent"] == 0).sum())
    children, deprived = shown["children"].sum(), shown["deprived"].sum()
    made = finding(
        "wards-deprivation",
        f"In {all_in or 'none'} of {len(shown)} wards of {area.name} every child lives in an area among the fifth most "
        f"deprived in England; {f'in {none_in} none does' if none_in else 'in each some do'}.",
        detail=(
            f"In the whole of {area.name}, {format_number(deprived, 'count')} of {format_number(children, 'count')} "
            f"children aged 0 to 15 (Census 2021) live in such an area "
            f"({format_number(100 * deprived / children, 'percent')}%).",
            "Small areas are placed in wards by best fit: a ward’s figure is approximate.",
            *table.notes,
        ),
    )
    sources = (area.official.idaci(), area.official.children(), area.official.lsoa_ward())
    return with_extras(made, sources=[source_row(s) for s in sources])


@needs("official")
def deprivation_map(table: Released, area: Area) -> Exhibit:
    """Children in the fifth most deprived LSOAs by ward, on official boundaries, with tiles."""
    share = table.frame["percent"]
    full, none = int((share == 100).sum()), int((share == 0).sum())
    return _map(
        table,
        area,
        id="wards-deprivation-map",
        title=f"{area.name}: in {full or 'none'} of {len(share)} wards every child lives in a most deprived area, in "
        f"{none or 'each'} {'none does' if none else 'some do'}",
        value="percent",
        unit="% of children who live in the fifth most deprived small areas of England",
        edges=DEPRIVED_EDGES,
        columns=DEPRIVED[-1:],
        note="Ward boundaries of 2025 (ONS, generalised); figures by best fit of LSOAs to wards of 2024.",
    )


@needs("official")
def deprivation_table(table: Released, area: Area) -> Exhibits:
    """All figures by ward; where there are several districts, these first and the wards folded."""
    wards = table_exhibit(
        table,
        id="wards-deprivation-table",
        title=f"Wards of {area.name}: children and deprivation",
        columns=[*_district_column(table), WARD, *DEPRIVED],
        row_header="label",
        folded=_has_districts(table),
    )
    return Exhibits((_by_district(table, area), wards) if _has_districts(table) else (wards,))


def _by_district(table: Released, area: Area) -> Exhibit:
    groups = table.frame.groupby("district")
    sums = groups[["children", "deprived"]].sum().assign(wards=groups.size()).reset_index()
    sums["percent"] = 100 * sums["deprived"] / sums["children"]
    return table_exhibit(
        publish_official(sums, source=table.source, notes=table.notes),
        id="wards-deprivation-districts",
        title=f"Districts of {area.name}: children and deprivation",
        columns=[DISTRICT, {"name": "wards", "label": "Wards", "kind": "count"}, *DEPRIVED],
        row_header="district",
    )


# --- children of low income families, as DWP publishes them


@needs("official")
def low_income(area: Area) -> Released | Exhibit:
    """Children under 16 in relative low income families after housing costs by ward, as DWP publishes them.

    Columns ``ward_code``, ``district``, ``label``, and number and share of each year; a figure that DWP keeps back
    keeps its symbol. Nothing is worked out: shares are DWP's own.
    """
    loaded = area.official.low_income_wards()
    rows = loaded.frame[loaded.frame["la"].isin(area.official.districts_of(area.code))]
    if rows.empty:
        return gap(
            "wards-low-income",
            f"The table of children in low income families has no ward of {area.name}.",
            "Is it the whole table, of a year in which the authority had this code?",
        )
    wards = _named(rows, rows["ward_name"], rows["la"], area).rename(columns={"ward": "ward_code"})
    figures = [c["name"] for c in LOW_INCOME]
    kept = wards[["ward_code", "district", "label", *figures]]
    symbols = pd.DataFrame("", index=kept.index, columns=kept.columns)
    symbols = symbols.assign(**{c: wards[f"{c}_symbol"].fillna("") for c in figures if f"{c}_symbol" in wards})
    return publish_official(
        kept,
        symbols=symbols,
        source=f"{loaded.summary.publisher}, {loaded.summary.source}, {loaded.summary.period}",
        notes=(_plain("low_income_note"),),
    )


@needs("official")
def low_income_finding(table: Released, area: Area) -> Exhibit:
    """Between which shares the wards lie, in a sentence, with what the figures can and cannot say."""
    shares = table.frame.dropna(subset=[f"percent_{LATEST}"]).sort_values(f"percent_{LATEST}", kind="stable")
    without = len(table.frame) - len(shares)
    said = f"The share of children under 16 in families of relative low income, by ward of {area.name}"
    if len(shares) < 2:
        sentence = f"{said}: DWP gives it for {len(shares)} of {len(table.frame)} wards."
    else:
        low, high = (
            f"{format_number(row[f'percent_{LATEST}'], 'percent')}% in {row['label']}"
            for _, row in shares.iloc[[0, -1]].iterrows()
        )
        sentence = f"{said}, runs from {low} to {high} (after housing costs, year ending {LATEST})."
    detail = (
        *([f"DWP gives no share for {without} of {len(table.frame)} wards."] if without and len(shares) > 1 else []),
        _plain("low_income_note"),
        _plain("low_income_apart"),
    )
    made = finding("wards-low-income", sentence, detail=detail)
    return with_extras(made, sources=[source_row(area.official.low_income_wards())])


@needs("official")
def low_income_map(table: Released, area: Area) -> Exhibit:
    """The share of children of low income families by ward, on official boundaries, with tiles."""
    return _map(
        table,
        area,
        id="wards-low-income-map",
        title=titled(
            f"Children in relative low income families by ward of {area.name}, year ending {LATEST}",
            span(table.frame, "label", f"percent_{LATEST}", "%", "percent"),
        ),
        value=f"percent_{LATEST}",
        unit="% of children under 16, after housing costs",
        columns=LOW_INCOME[-2:],
        note="Ward boundaries of 2025 (ONS, generalised); wards of the figures as DWP published them.",
    )


@needs("official")
def low_income_table(table: Released, area: Area) -> Exhibit:
    """All figures by ward, in both years."""
    return table_exhibit(
        table,
        id="wards-low-income-table",
        title=f"Wards of {area.name}: children under 16 in relative low income families, after housing costs",
        columns=[*_district_column(table), WARD, *LOW_INCOME],
        row_header="label",
        folded=_has_districts(table),
    )


# --- both


def _map(table: Released, area: Area, *, id: str, title: str, columns: list[dict[str, str]], **how: Any) -> Exhibit:
    """A map of the wards, or a notice where most of them are not among the boundaries: another year's wards."""
    shapes = area.official.ward_shapes(area.official.districts_of(area.code))
    there = table.frame["ward_code"].isin(shapes["ward_code"])
    if there.mean() < LEAST_SHAPES:
        return gap(
            id,
            f"{int((~there).sum())} of {len(there)} wards of the figures have no boundary in the file of 2025, which "
            f"holds other wards of {area.name}.",
            "The table has all figures. For a map, bring boundaries of the year of the figures.",
        )
    return map_with_tiles(
        table,
        shapes,
        id=id,
        title=title,
        code="ward_code",
        label="label",
        columns=[*_district_column(table), WARD, *columns],
        districts="district",
        **how,
    )


def _has_districts(table: Released) -> bool:
    return table.frame["district"].nunique() > 1


def _district_column(table: Released) -> list[dict[str, str]]:
    return [DISTRICT] if _has_districts(table) else []


def _plain(key: str) -> str:
    return place_texts()[key].strip()
