"""Wards: which stand out once it is allowed for who lives there, on a map and beside the wards of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import gap, needs, passes_notice, with_extras
from jsna.chapters.disparity import outcome_name, texts
from jsna.disclosure import Released, protect, publish_official
from jsna.evidence.comparison import Comparison
from jsna.evidence.place_patterns import old_and_new_wards
from jsna.evidence.places import LINES, SmallAreas, ward_rates
from jsna.exhibits.maps import map_with_tiles
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, listing
from jsna.linked.names import NOT_KNOWN, category, pupil_names
from jsna.linked.places import GROUPS, OUTCOME, counts_seen, embedded_homes
from jsna.sealed import Sealed

RATIO_EDGES = (0.8, 0.95, 1.05, 1.25)
if TYPE_CHECKING:
    import geopandas as gpd

SHARE_COLUMNS = [
    {"name": "numerator", "label": "Identified", "kind": "count"},
    {"name": "denominator", "label": "Pupils", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "percent_lower", "label": "Share, lower limit (%)", "kind": "percent"},
    {"name": "percent_upper", "label": "Share, upper limit (%)", "kind": "percent"},
]
RATIO_COLUMNS = [
    {"name": "adjusted_expected", "label": "Expected", "kind": "percent"},
    {"name": "adjusted_ratio", "label": "Identified over expected", "kind": "ratio"},
    {"name": "adjusted_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "adjusted_upper", "label": "Ratio, upper limit", "kind": "ratio"},
]
POOLED_COLUMNS = [
    {"name": "pooled_risk_ratio", "label": "Ratio to all others, pooled", "kind": "ratio"},
    {"name": "pooled_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "pooled_upper", "label": "Ratio, upper limit", "kind": "ratio"},
]
WARD = {"name": "label", "label": "Ward", "kind": "text"}


def place_texts() -> dict:
    """The words of the chapters on places."""
    return texts()["places"]


@needs("pupils")
def rate_map(comparison: Comparison, area: Area, outcome: str) -> Exhibit:
    """Each ward's pooled ratio to all others, those hatched whose interval holds 1: what its flag rests on."""
    from geo.places import AREA_CODE

    identity = f"wards-{outcome.replace('_', '-')}-map"
    if area.code != AREA_CODE and not area.params.has_data_folder():
        mend = "Name a folder of official files in data: see docs/own-data.md."
        return gap(identity, "The boundaries of the area's wards are not at hand, so there is no map of them.", mend)
    part = comparison.of(outcome)
    shapes, note = _ward_shapes(area)
    if not part.table.frame["group"].isin(shapes["ward_code"]).any():
        mend = "Are the wards of the pupil table those of the boundaries' year?"
        return gap(identity, "The boundaries at hand are of none of these wards, so there is no map of them.", mend)
    return map_with_tiles(
        part.table,
        shapes,
        id=identity,
        title=f"{outcome_name(outcome)} by ward, ratio to all others: {_ends(part.table, 'pooled_risk_ratio')}, "
        f"{period_name(part.periods[0])} to {period_name(part.periods[-1])}",
        code="group",
        label="label",
        value="pooled_risk_ratio",
        lower="pooled_lower",
        upper="pooled_upper",
        average=1.0,
        kind="ratio",
        edges=RATIO_EDGES,
        unit="times the rate of all others, pooled",
        columns=[WARD, *SHARE_COLUMNS[:3], *POOLED_COLUMNS],
        note=note,
    )


def _ward_shapes(area: Area) -> tuple[gpd.GeoDataFrame, str]:
    """The wards to draw, with a note on them: the embedded approximate ones, or official ones for another area."""
    from geo.places import AREA_CODE, embedded_wards

    if area.code == AREA_CODE:
        return embedded_wards(), _shape_note()
    shapes = area.official.ward_shapes(area.official.districts_of(area.code))
    return shapes, "Ward boundaries of 2025 (ONS, generalised); homes by best fit of LSOAs to wards of 2024."


@needs("pupils")
def beyond(area: Area) -> Exhibit:
    """How many pupils of the area's schools have no home in one of its wards, and are on no map."""
    if not area.homes_elsewhere:
        return finding("wards-beyond", "Every pupil of the latest census has a home in one of the wards.")
    name = pupil_names(pd.RangeIndex(1), area.periods[-1], place=str(category("ward_code", NOT_KNOWN)))
    elsewhere = area.count_elsewhere().unseal("to say how many live elsewhere")
    latest = elsewhere[elsewhere["time_period"].astype(str) == area.periods[-1]].reset_index(drop=True)
    seen = counts_seen(latest.filter(regex="pupils$"), {"pupils": name}, area.policy)
    counted = Sealed(seen, counts=("pupils",))
    told = {"source": area.pupil_source, "synthetic": area.synthetic, "names": {"pupils": name}}
    many = protect(counted, area.policy, **told).frame["pupils"].iloc[0]
    many = "Some" if pd.isna(many) else f"{many:,.0f}"
    return finding(
        "wards-beyond",
        f"{many} pupils of the latest census live outside of the wards, or it is not known where: they are in no map "
        "and no figure of a ward.",
    )


def _ends(table: Released, ratio: str) -> str:
    """The lowest and the highest ratio that is shown, in words."""
    known = table.frame.dropna(subset=[ratio]).sort_values(ratio, kind="stable")
    if len(known) < 2:
        return "too few can be shown"
    low, high = (f"{format_number(known.iloc[i][ratio], 'ratio')} in {known.iloc[i]['label']}" for i in (0, -1))
    return f"from {low} to {high}"


@needs("pupils")
def study(area: Area, outcome: str = OUTCOME) -> SmallAreas | Exhibit:
    """The pupils of the latest census by home LSOA; ``outcome`` is the one that is shown by LSOA.

    In a pack this is the outcome of its plan of tables.
    """
    from geo.places import AREA_CODE, embedded_shapes

    if area.code != AREA_CODE:
        return gap("wards-study", "The embedded small areas are those of Luton alone.", "Bring shapes and lookups.")
    lsoas = embedded_homes()
    return SmallAreas(
        area.count_at_home(["lsoa21", "year_group", "sex", "school_urn", "school_phase"]),
        lsoas.assign(quintile=(lsoas["idaci_2025_decile"] + 1) // 2),
        embedded_shapes("lsoa21"),
        period=area.periods[-1],
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        outcome=outcome,
        groups=GROUPS,
        elsewhere=area.homes_elsewhere > 0,
        confidence=area.params.confidence,
    )


@needs("pupils")
def expected_rates(areas: SmallAreas) -> Released:
    """Every ward and outcome: crude, steadied, and observed over expected."""
    return ward_rates(areas)


@passes_notice
def reading(table: Released) -> Exhibit:
    """How to read a ward beside what is expected of it."""
    return finding(
        "wards-expected-reading",
        "Each ward is set beside the number of pupils to be expected from its own mix of year group, sex and "
        "deprivation.",
        detail=tuple(_plain(key) for key in ("expected_note", "chance_note", "ward_source")),
    )


@needs("pupils")
def beside_expected(table: Released, area: Area, outcome: str) -> Exhibits:
    """One outcome beside the number expected: on the map, and all figures. Which wards are flagged is not said here."""
    part = table.rows(table.frame["outcome"] == outcome)
    return Exhibits((expected_map(part, area, outcome), all_lines(part, area, outcome)))


def expected_map(part: Released, area: Area, outcome: str) -> Exhibit:
    """Identified over expected on the map, wards hatched whose interval holds 1."""
    from geo.places import embedded_wards

    return map_with_tiles(
        part,
        embedded_wards(),
        id=f"{_name(outcome)}-expected-map",
        title=f"{outcome_name(outcome)} over the number expected: {_ends(part, 'adjusted_ratio')}, "
        f"{period_name(area.periods[-1])}",
        code="group",
        label="label",
        value="adjusted_ratio",
        lower="adjusted_lower",
        upper="adjusted_upper",
        average=1.0,
        unit="times the number expected",
        kind="ratio",
        edges=RATIO_EDGES,
        columns=[WARD, *SHARE_COLUMNS[:2], *RATIO_COLUMNS],
        note=_shape_note(),
    )


def all_lines(part: Released, area: Area, outcome: str) -> Exhibit:
    """Crude and steadied shares and the three ratios of every ward."""
    columns = [WARD, *SHARE_COLUMNS]
    for name, words in (("smoothed", ""), ("smoothed_lower", ", lower limit"), ("smoothed_upper", ", upper limit")):
        columns.append({"name": name, "label": f"Steadied share{words} (%)", "kind": "percent"})
    for line in LINES:
        words = texts()["lines"][line]
        columns += [
            {"name": f"{line}_expected", "label": f"{words}: expected", "kind": "percent"},
            {"name": f"{line}_ratio", "label": f"{words}: ratio", "kind": "ratio"},
            {"name": f"{line}_lower", "label": f"{words}: lower limit", "kind": "ratio"},
            {"name": f"{line}_upper", "label": f"{words}: upper limit", "kind": "ratio"},
        ]
    return table_exhibit(
        Released(part.frame, part.symbols, part.source, part.synthetic, (*part.notes, _plain("smoothed_note"))),
        id=f"{_name(outcome)}-expected-table",
        title=f"{outcome_name(outcome)} by ward: all lines, {period_name(area.periods[-1])}",
        columns=columns,
        row_header="label",
        folded=True,
    )


@needs("pupils")
def ward_sets(areas: SmallAreas, area: Area) -> Exhibits:
    """The same pupils under the wards before May 2023, beside those of today."""
    from geo.places import embedded_lookup, embedded_shapes

    names = embedded_shapes("ward17").set_index("code")["name"]
    lookup, people = embedded_lookup("lsoa21", "ward17"), embedded_lookup("ward23", "ward17").rows
    table, moved = old_and_new_wards(areas, lookup, names, people)
    said = _sets_finding(table, moved, areas)
    return Exhibits((said, *(_sets_table(table, area, areas.outcome, whole) for whole in (False, True))))


def _sets_finding(table: Released, moved, areas: SmallAreas) -> Exhibit:
    frame = table.frame
    both = frame.dropna(subset=["old_code", "new_code"])
    whole = int((both["same_residents"].round(6) == 100).sum())
    same = both["new_denominator"].notna() & (both["new_denominator"] == both["old_denominator"])
    gap_points = (both["new_percent"] - both["old_percent"]).abs()
    far = both.loc[gap_points.idxmax()] if gap_points.notna().any() else None
    details = [
        f"{len(both) - int(same.sum())} of these {len(both)} hold other pupils than before; {whole} lie wholly within "
        "the old ward of that name.",
        f"LSOAs shared out by estimate: {moved.rows_estimated} of {moved.rows_converted}. Each LSOA goes to one ward "
        "of either set by best fit, which is itself approximate; boundaries of wards are not those of LSOAs.",
    ]
    if far is not None:
        details.insert(
            0,
            f"The largest difference under one name: {far['label']}, {format_number(far['old_percent'], 'percent')}% "
            f"in the ward before, {format_number(far['new_percent'], 'percent')}% in the ward of today.",
        )
    return finding(
        "wards-old-and-new-finding",
        f"The {frame['old_code'].notna().sum()} wards before May 2023 and the {frame['new_code'].notna().sum()} of "
        f"today share {len(both)} names, but not their boundaries: figures under one name are not a trend.",
        detail=tuple(details),
    )


def _sets_table(table: Released, area: Area, outcome: str, whole: bool) -> Exhibit:
    """Pupils and shares under each name; with counts and limits when ``whole``, folded."""
    wanted = [c for c in SHARE_COLUMNS if whole or c["name"] in ("denominator", "percent")]
    columns = [{"name": "label", "label": "Ward name", "kind": "text"}]
    for k, words in (("old", "Before May 2023"), ("new", "Today")):
        columns += [{**c, "name": f"{k}_{c['name']}", "label": f"{words}: {c['label'].lower()}"} for c in wanted]
    residents = "Residents of today’s ward who live within the old one (%)"
    columns.append({"name": "same_residents", "label": residents, "kind": "percent"})
    symbols = table.symbols.copy()
    symbols.loc[table.frame["same_residents"].isna(), "same_residents"] = "z"
    title = f"{outcome_name(outcome)}: the same pupils in wards of before and of today"
    return table_exhibit(
        Released(table.frame, symbols, table.source, table.synthetic, table.notes),
        id=f"wards-old-and-new{'-all' if whole else ''}",
        title=f"{title}{', all figures' if whole else ''}, {period_name(area.periods[-1])}",
        columns=columns,
        row_header="label",
        folded=whole,
    )


@needs("official")
def approximate_shapes(area: Area) -> Exhibits | Exhibit:
    """How far the embedded, approximate ward shapes lie from the official boundaries."""
    from geo.places import AREA_CODE, embedded_wards
    from geo.shapes import compare_shapes

    if area.code != AREA_CODE:
        mend = "The maps of this area are drawn on official boundaries alone."
        return gap("wards-approximate", "Approximate shapes are embedded for Luton only.", mend)
    official = area.official.ward_shapes([area.code]).rename(columns={"ward_code": "code"})
    made = compare_shapes(embedded_wards().rename(columns={"ward_code": "code"}), official)
    table = made.frame.merge(official[["code", "ward_name"]], on="code").sort_values("ward_name")
    table = table.assign(percent=100 * table["differing_share"], hectares=table["area_b_m2"] / 1e4)
    return Exhibits((_shapes_finding(made, table), _shapes_table(table)))


def _shapes_finding(made, table: pd.DataFrame) -> Exhibit:
    worst = table.loc[table["percent"].idxmax()]
    lost = [*made.only_a, *made.only_b]
    shown = finding(
        "wards-approximate-finding",
        f"The embedded approximate shapes of {len(table)} wards differ from the official ones by "
        f"{format_number(100 * made.differing_share, 'percent')}% of their area: fit for maps, not for placing pupils.",
        detail=(
            f"The median ward differs by {format_number(table['percent'].median(), 'percent')}%, {worst['ward_name']} "
            f"most, by {format_number(worst['percent'], 'percent')}%. At the farthest, outlines lie "
            f"{format_number(np.round(table['hausdorff_m'].max()), 'count')} m apart.",
            *([f"In one set only: {listing(lost)}."] if lost else []),
        ),
    )
    return with_extras(shown, minor=True)


def _shapes_table(table: pd.DataFrame) -> Exhibit:
    shown = table[["ward_name", "hectares", "percent", "hausdorff_m"]].reset_index(drop=True)
    return table_exhibit(
        publish_official(shown, source="ONS, ward boundaries 2025 (generalised), beside the workbench’s own shapes"),
        id="wards-approximate",
        title="Approximate and official ward shapes of Luton",
        columns=[
            {"name": "ward_name", "label": "Ward", "kind": "text"},
            {"name": "hectares", "label": "Official area (hectares)", "kind": "count"},
            {"name": "percent", "label": "Area that lies in one shape only (%)", "kind": "percent"},
            {"name": "hausdorff_m", "label": "Farthest distance of outlines (m)", "kind": "count"},
        ],
        row_header="ward_name",
        folded=True,
    )


def _name(outcome: str) -> str:
    return f"wards-{outcome.replace('_', '-')}".casefold()


def _plain(key: str) -> str:
    return place_texts()[key].strip()


def _shape_note() -> str:
    return f"{_plain('shapes_note')} {_plain('tiles_note')}"
