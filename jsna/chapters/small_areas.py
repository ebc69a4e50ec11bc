"""Below the ward: shares by LSOA, clusters, what the choice of unit does, and deprivation in two editions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from geo.clusters import Moran
from jsna.area import Area, period_name
from jsna.chapters.base import needs
from jsna.chapters.disparity import outcome_name
from jsna.chapters.wards import RATIO_COLUMNS, SHARE_COLUMNS, place_texts
from jsna.disclosure import Released
from jsna.evidence import place_patterns as patterns
from jsna.evidence.places import ABOVE, BELOW, LEVEL, UNCLEAR, SmallAreas, lsoa_rates
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.maps import paired_tiles
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, listing
from jsna.linked.places import INDICES, MOVES

AREA = [
    {"name": "label", "label": "Small area", "kind": "text"},
    {"name": "ward_name", "label": "Ward", "kind": "text"},
]
STEADIED = [
    {"name": "smoothed", "label": "Steadied share (%)", "kind": "percent"},
    {"name": "smoothed_lower", "label": "Steadied, lower limit (%)", "kind": "percent"},
    {"name": "smoothed_upper", "label": "Steadied, upper limit (%)", "kind": "percent"},
]
SIDE = {"name": "side", "label": "Beside the average", "kind": "text"}
SIDES = {ABOVE: "clearly above", BELOW: "clearly below", UNCLEAR: "no clear difference"}


@needs("pupils")
def lsoa_map(areas: SmallAreas, area: Area) -> Exhibits:
    """The steadied share of each LSOA, and how sure it is, with the finding and all figures."""
    table = _with_sides(lsoa_rates(areas))
    frame = table.frame
    whole, is_shown = areas.whole(areas.outcome)
    known = whole if is_shown else frame.dropna(subset=["numerator", "denominator"])
    average = 100 * known["numerator"].sum() / known["denominator"].sum()
    above, below = int((frame["smoothed_lower"] > average).sum()), int((frame["smoothed_upper"] < average).sum())
    steadied, name = int(frame["smoothed"].notna().sum()), outcome_name(areas.outcome)
    clear = frame["adjusted_side"].isin([ABOVE, BELOW]).sum()
    said = finding(
        "lsoas-finding",
        f"{name}: of {steadied} small areas (LSOAs), {above} lie clearly above the area’s "
        f"{format_number(average, 'percent')}% and {below} clearly below, once shares are steadied.",
        detail=(
            f"Shares run from {_range(frame, 'percent')}% as counted and from {_range(frame, 'smoothed')}% steadied.",
            f"Against what year group, sex and deprivation lead to expect, {clear} of {steadied} stand out after "
            "allowing for so many comparisons.",
            _plain("smoothed_note"),
        ),
    )
    drawn = paired_tiles(
        table,
        areas.shapes,
        id="lsoas-map",
        title=f"{name}: {above} of {steadied} small areas clearly above the average share, {below} below, "
        f"{period_name(area.periods[-1])}",
        code="group",
        label="label",
        value="smoothed",
        lower="smoothed_lower",
        upper="smoothed_upper",
        unit="% of pupils, steadied",
        average=average,
        columns=[*AREA, *SHARE_COLUMNS, *STEADIED, *RATIO_COLUMNS, SIDE],
        note=_plain("tiles_note"),
    )
    return Exhibits((said, drawn))


def _with_sides(part: Released) -> Released:
    """The table with the adjusted line's side in words; hidden where that is."""
    frame = part.frame.assign(side=part.frame["adjusted_side"].map(SIDES))
    symbols = part.symbols.assign(side=part.symbols["adjusted_side"])
    return Released(frame, symbols, part.source, part.synthetic, part.notes)


def _range(frame: pd.DataFrame, column: str) -> str:
    return f"{format_number(frame[column].min(), 'percent')} to {format_number(frame[column].max(), 'percent')}"


@needs("pupils")
def clusters(areas: SmallAreas, area: Area) -> Exhibits:
    """Whether like small areas lie together, and where the likeliest clusters are."""
    alike = patterns.alikeness(areas)
    local = patterns.local_clusters(areas).frame
    table, _, seed = patterns.scanned(areas)
    found = table.frame[table.frame["p"] <= LEVEL]
    counted = local["cluster"].value_counts().drop("not beyond chance", errors="ignore")
    single = "; ".join(f"{n} {kind}" for kind, n in counted.items()) or "none"
    said = finding(
        "clusters-finding",
        f"{outcome_name(areas.outcome)}: {_alike_words(alike['adjusted'])}, and {_found_words(found)}.",
        detail=(
            *(_cluster_words(row) for row in found.itertuples()),
            f"Moran’s I (0: as by chance, 1: neighbours alike): {format_number(alike['crude'].i, 'ratio')} for crude "
            f"shares, {format_number(alike['adjusted'].i, 'ratio')} against numbers expected.",
            f"Single small areas that stand out among their neighbours, after allowing for "
            f"{int(local['q'].notna().sum())} comparisons: {single}.",
            _plain("circle_note"),
        ),
    )
    notes = f"{patterns.SIMULATIONS} simulations, seed {seed}; {alike['crude'].permutations} permutations."
    return Exhibits((said, _cluster_table(table, area, areas.outcome, notes)))


def _alike_words(adjusted: Moran) -> str:
    if adjusted.status:
        return "whether like areas lie together cannot be told"
    together = adjusted.p_permutation <= LEVEL and adjusted.i > adjusted.expected
    return f"small areas with like figures lie together {'more' if together else 'no more'} than chance would have it"


def _found_words(found: pd.DataFrame) -> str:
    if found.empty:
        return "no round cluster of them stands out"
    count = ("one cluster", "two clusters", "three clusters", "four clusters", "five clusters")[len(found) - 1]
    return f"{count} of them {'stands' if len(found) == 1 else 'stand'} out beyond chance"


def _cluster_words(row: Any) -> str:
    way, names = "More" if row.direction == "high" else "Fewer", row.wards.split(", ")
    where = listing([*names[:3], f"{len(names) - 3} other wards"] if len(names) > 4 else names)
    return (
        f"{way} than expected in {row.n_areas} small areas of {where}: {int(row.numerator):,} identified, "
        f"{format_number(row.expected, 'count')} expected."
    )


def _cluster_table(table: Released, area: Area, outcome: str, note: str) -> Exhibit:
    return table_exhibit(
        Released(table.frame, table.symbols, table.source, table.synthetic, (*table.notes, note)),
        id="clusters-table",
        title=f"{outcome_name(outcome)}: the likeliest round clusters of small areas, {period_name(area.periods[-1])}",
        columns=[
            {"name": "number", "label": "Cluster", "kind": "count"},
            {"name": "wards", "label": "Wards (small areas inside, of all)", "kind": "text"},
            {"name": "direction", "label": "Direction", "kind": "text"},
            {"name": "numerator", "label": "Identified", "kind": "count"},
            {"name": "expected", "label": "Expected", "kind": "percent"},
            {"name": "ratio", "label": "Inside over outside", "kind": "ratio"},
            {"name": "p_chance", "label": "p, pupils one by one", "kind": "p"},
            {"name": "p", "label": "p, areas that differ", "kind": "p"},
        ],
        row_header="number",
    )


@needs("pupils")
def units(areas: SmallAreas, area: Area) -> Exhibits:
    """How the picture depends on the unit: LSOA, MSOA and ward."""
    words = place_texts()["units"]
    table = patterns.units(areas, [(column, words[column]) for column in words])
    frame = table.frame
    small, large = frame.iloc[0], frame.iloc[-1]
    said = finding(
        "units-finding",
        f"{outcome_name(areas.outcome)}: shares run from {_ends(small)}% over {int(small['units_shown'])} small areas, "
        f"but from {_ends(large)}% over {int(large['units_shown'])} wards.",
        detail=(
            f"Chance taken off, small areas lie about {format_number(small['variation'], 'percent')}% of the average "
            f"away from it, wards {format_number(large['variation'], 'percent')}%; against numbers expected for year "
            f"group, sex and deprivation, {format_number(small['adjusted_variation'], 'percent')}% and "
            f"{format_number(large['adjusted_variation'], 'percent')}%.",
            _plain("units_note"),
        ),
    )
    shown = table_exhibit(
        table,
        id="units-table",
        title=f"{outcome_name(areas.outcome)}: the same pupils in units of three sizes, "
        f"{period_name(area.periods[-1])}",
        columns=[
            {"name": "unit", "label": "Unit", "kind": "text"},
            {"name": "units", "label": "Units", "kind": "count"},
            {"name": "pupils_each", "label": "Pupils in each, on average", "kind": "count"},
            {"name": "lowest", "label": "Lowest share (%)", "kind": "percent"},
            {"name": "highest", "label": "Highest share (%)", "kind": "percent"},
            {"name": "times_chance", "label": "Variance of shares, times chance", "kind": "percent"},
            {"name": "variation", "label": "Variation after chance (% of the mean)", "kind": "percent"},
            {"name": "adjusted_variation", "label": "The same against expected (%)", "kind": "percent"},
            {"name": "moran", "label": "Moran’s I", "kind": "ratio"},
            {"name": "moran_p", "label": "p", "kind": "p"},
        ],
        row_header="unit",
    )
    return Exhibits((said, shown))


def _ends(row: pd.Series) -> str:
    return f"{format_number(row['lowest'], 'percent')} to {format_number(row['highest'], 'percent')}"


@needs("pupils")
def deciles(areas: SmallAreas, area: Area) -> Exhibits:
    """Shares by deprivation decile, and what the choice of index and edition does to them."""
    table = _sourced(patterns.by_decile(areas, INDICES))
    names = place_texts()["indices"]
    ends = {1: " (most deprived)", 10: " (least deprived)"}
    labels = table.frame["decile"].map(lambda d: f"Decile {d}{ends.get(d, '')}")
    table = table.with_columns(label=labels, index_name=table.frame["index"].map(names))
    slopes = _sourced(patterns.gradients(areas, INDICES))
    slopes = slopes.with_columns(index_name=slopes.frame["index"].map(names))
    moves = _sourced(patterns.edition_moves(areas))
    return Exhibits(
        (
            _editions_finding(slopes, moves, areas),
            _decile_chart(table.rows(table.frame["index"] == INDICES[0]), area, areas.outcome, names[INDICES[0]]),
            _decile_table(table, area, areas.outcome),
            _slope_table(slopes, areas.outcome),
            _move_table(moves, areas.outcome),
        )
    )


def _sourced(table: Released) -> Released:
    """The table with the source of the deciles beside that of the pupils."""
    return replace(table, notes=(*table.notes, _plain("index_source")))


def _editions_finding(slopes: Released, moves: Released, areas: SmallAreas) -> Exhibit:
    pupils = moves.frame.set_index("move")["denominator"].reindex(list(MOVES))
    total = int(pupils.sum())
    moved = total - int(pupils.iloc[2:3].sum())
    up = int(pupils.iloc[:2].sum())
    said = "; ".join(
        f"{name} {format_number(row.relative, 'ratio')} times (between {format_number(row.relative_lower, 'ratio')} "
        f"and {format_number(row.relative_upper, 'ratio')})"
        for row, name in zip(slopes.frame.itertuples(), slopes.frame["index_name"], strict=True)
        if pd.notna(row.relative)
    )
    if moves.hidden_cells:
        sentence = f"{outcome_name(areas.outcome)}: how many pupils change decile is hidden in part to protect people."
    else:
        sentence = (
            f"Between the IMD of 2019 and of 2025 the home areas of {moved:,} of {total:,} pupils change decile "
            f"({format_number(100 * moved / total, 'percent')}%), {up:,} of them to a more deprived one."
        )
    detail = (
        f"{outcome_name(areas.outcome)}, the most over the least deprived end: {said or 'not shown'}.",
        _plain("gradients_note"),
        _plain("editions_note"),
    )
    return finding("deciles-finding", sentence, detail=detail)


def _decile_chart(table: Released, area: Area, outcome: str, index: str) -> Exhibit:
    return dot_interval(
        table,
        id="deciles-chart",
        title=f"{outcome_name(outcome)} by national decile of the home area ({index}), {period_name(area.periods[-1])}",
        group="label",
        value="percent",
        lower="percent_lower",
        upper="percent_upper",
        unit="%",
        order="given",
    )


def _decile_table(table: Released, area: Area, outcome: str) -> Exhibit:
    return table_exhibit(
        table,
        id="deciles-table",
        title=f"{outcome_name(outcome)} by decile in three indices, {period_name(area.periods[-1])}",
        columns=[
            {"name": "index_name", "label": "Index", "kind": "text"},
            {"name": "label", "label": "Decile", "kind": "text"},
            {"name": "areas", "label": "Small areas", "kind": "count"},
            *SHARE_COLUMNS,
        ],
        row_header="label",
        folded=True,
    )


def _slope_table(table: Released, outcome: str) -> Exhibit:
    return table_exhibit(
        table,
        id="deciles-slopes",
        title=f"{outcome_name(outcome)}: the most beside the least deprived end, by index",
        columns=[
            {"name": "index_name", "label": "Index", "kind": "text"},
            {"name": "slope", "label": "Difference (percentage points)", "kind": "points"},
            {"name": "slope_lower", "label": "Difference, lower limit", "kind": "points"},
            {"name": "slope_upper", "label": "Difference, upper limit", "kind": "points"},
            {"name": "relative", "label": "Ratio", "kind": "ratio"},
            {"name": "relative_lower", "label": "Ratio, lower limit", "kind": "ratio"},
            {"name": "relative_upper", "label": "Ratio, upper limit", "kind": "ratio"},
        ],
        row_header="index_name",
    )


def _move_table(table: Released, outcome: str) -> Exhibit:
    return table_exhibit(
        table.with_columns(move=table.frame["move"].str.capitalize()),
        id="deciles-moves",
        title=f"{outcome_name(outcome)}: pupils by how their home area moved between IMD 2019 and IMD 2025",
        columns=[
            {"name": "move", "label": "Home area is now in", "kind": "text"},
            {"name": "areas", "label": "Small areas", "kind": "count"},
            *SHARE_COLUMNS,
        ],
        row_header="move",
    )


def _plain(key: str) -> str:
    return place_texts()[key].strip()
