"""Maps: areas shaded by value, those hatched that cannot be told from the average, with tiles of equal size beside."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.maps import ABOVE, BELOW, Shading, Style, draw, hexagons, key, quantile_edges, shade
from jsna.disclosure import Released
from jsna.exhibits.charts import _chart, _extremes, _nothing, canvas, palette
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import PLACES, must_be_released

if TYPE_CHECKING:
    import geopandas as gpd

NOT_CLEAR = "not clearly different from the average"
NO_FIGURE = "no figure shown"
MOST_NAMED, MOST_NUMBERED = 24, 60  # areas that can bear a name on their tile, and a number in usual type
LEAST_ROOM = 0.06  # side of an area, of the map's, that a number needs
MARKS = {ABOVE: " ▲", BELOW: " ▼"}


def map_with_tiles(
    released: Released,
    shapes: gpd.GeoDataFrame,
    *,
    id: str,
    title: str,
    code: str,
    label: str,
    value: str,
    unit: str,
    kind: str = "percent",
    average: float | None = None,
    lower: str = "",
    upper: str = "",
    side: str = "",
    edges: Sequence[float] | None = None,
    columns: Sequence[dict[str, str]] = (),
    note: str = "",
) -> Exhibit:
    """A map, and beside it the same areas as tiles of equal size, so that small and dense areas are seen as well.

    ``shapes`` (column ``ward_code`` or the first column) are shaded by ``value`` in classes; an area without a shown
    value is white with a dotted edge. Each area bears its number in the table behind it. ``side`` is a column of
    "above", "below" and "unclear" that decides hatches and the marks ▲ and ▼; without it the limits and ``average`` do.
    ``kind`` is that of the value; ``columns`` of the table follow the number (by default label, value and limits).
    """
    table = must_be_released(released)
    if table.frame[value].notna().sum() == 0:
        return _nothing(id, title)
    drawn = _drawn(table, shapes, code)
    shading = _shading(drawn, value, kind, edges=edges, lower=lower, upper=upper, average=average, side=side)
    figure, left, right = _two()
    numbers, size = _numbers(drawn, shading), _font_size(drawn)
    draw(left, drawn, shading, _style(), labels=_where_there_is_room(numbers, drawn), font_size=8)
    tiles = _with_names(numbers, drawn[label]) if len(drawn) <= MOST_NAMED else numbers
    draw(right, hexagons(drawn, _key(shapes)), shading, _style(), labels=tiles, font_size=size)
    left.set_title("Map", fontsize=9)
    right.set_title("The same areas, drawn alike in size", fontsize=9)
    words = key(shading, _style(), places=PLACES[kind], unclear=NOT_CLEAR, nothing=NO_FIGURE)
    _legend(figure, words, f"{unit}{_marks_in_words(shading)}")
    listed = [_number_column(), *columns] if columns else _columns(label, value, unit, lower, upper, kind)
    alt = (
        f"Map and tile map: {title}. {_extremes(table.frame, label, value, unit, kind)}{_counted(shading)} "
        "All values are in the table."
    )
    return _chart(id, title, alt, figure, _numbered(table, drawn, code, label, note), listed, label, kind="map")


def paired_tiles(
    released: Released,
    shapes: gpd.GeoDataFrame,
    *,
    id: str,
    title: str,
    code: str,
    label: str,
    value: str,
    lower: str,
    upper: str,
    unit: str,
    kind: str = "percent",
    average: float | None = None,
    columns: Sequence[dict[str, str]] = (),
    note: str = "",
) -> Exhibit:
    """Two tile maps of the same areas: the value, and how wide its interval is (the darker, the less is known)."""
    table = must_be_released(released)
    if table.frame[value].notna().sum() == 0:
        return _nothing(id, title)
    drawn = _drawn(table, shapes, code)
    tiles = hexagons(drawn, _key(shapes))
    places = PLACES[kind]
    values = _shading(drawn, value, kind, lower=lower, upper=upper, average=average)
    width = drawn[upper].astype("float64") - drawn[lower].astype("float64")
    widths = shade(width, edges=quantile_edges(width, classes=3, places=places))
    figure, left, right = _two()
    draw(left, tiles, values, _style(), labels=_numbers(drawn, values), font_size=_font_size(drawn))
    draw(right, tiles, widths, _style("uncertainty"), labels=_numbers(drawn), font_size=_font_size(drawn))
    left.set_title("Value", fontsize=9)
    right.set_title("Width of its interval (dark: less is known)", fontsize=9)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "frameon": False, "fontsize": 7.5, "ncols": 2}
    words = key(values, _style(), places=places, unclear=NOT_CLEAR.replace("different ", "different\n"))
    left.legend(handles=words, title=f"{unit}{_marks_in_words(values)}", title_fontsize=8, **below)
    right.legend(
        handles=key(widths, _style("uncertainty"), places=places, nothing=NO_FIGURE),
        title="Upper less lower 95% limit" + (", percentage points" if kind == "percent" else ""),
        title_fontsize=8,
        **below,
    )
    alt = (
        f"Two tile maps, value and width of interval: {title}. {_extremes(table.frame, label, value, unit, kind)}"
        f"{_counted(values)} All values are in the table."
    )
    listed = [_number_column(), *columns] if columns else _columns(label, value, unit, lower, upper, kind)
    return _chart(id, title, alt, figure, _numbered(table, drawn, code, label, note), listed, label, kind="map")


def _style(fills: str = "sequential") -> Style:
    colours = palette()
    return Style(colours["ink"], colours["muted"], tuple(colours[fills]))


def _key(shapes: gpd.GeoDataFrame) -> str:
    return "ward_code" if "ward_code" in shapes else str(shapes.columns[0])


def _drawn(table: Released, shapes: gpd.GeoDataFrame, code: str) -> gpd.GeoDataFrame:
    """The shapes with the table's columns and each row's number in it."""
    shown = table.frame.assign(number=np.arange(1, len(table.frame) + 1))
    only = shapes[[_key(shapes), "geometry"]]
    if code == _key(shapes):
        return only.merge(shown, on=code, how="left")
    return only.merge(shown, left_on=_key(shapes), right_on=code, how="left")


def _shading(
    drawn: pd.DataFrame,
    value: str,
    kind: str,
    *,
    edges: Sequence[float] | None = None,
    lower: str = "",
    upper: str = "",
    average: float | None = None,
    side: str = "",
) -> Shading:
    """Classes of a column, by default of like numbers of areas; sides from a column, or from limits and average."""
    cuts = quantile_edges(drawn[value], places=PLACES[kind]) if edges is None else edges
    values = drawn[value].astype("float64")
    if side:
        return shade(values, edges=cuts, side=drawn[side])
    limits = {"lower": drawn[lower], "upper": drawn[upper], "average": average} if lower and upper else {}
    return shade(values, edges=cuts, **limits)


def _numbers(drawn: pd.DataFrame, shading: Shading | None = None) -> list[str]:
    marks = [""] * len(drawn) if shading is None else [MARKS.get(s, "") for s in shading.areas["side"]]
    return [f"{n:.0f}{m}" if n == n else "x" for n, m in zip(drawn["number"], marks, strict=True)]


def _numbered(table: Released, drawn: pd.DataFrame, code: str, label: str, note: str) -> Released:
    """The table with numbers, and a note that names the areas that have no shape."""
    lost = table.frame.loc[~table.frame[code].isin(drawn[code].dropna()), label].astype(str).tolist()
    notes = [note] if note else []
    if lost:
        notes.append(f"Without a shape, so not on the map: {', '.join(lost)}.")
    frame = table.frame.assign(number=np.arange(1, len(table.frame) + 1))
    symbols = table.symbols.assign(number="")
    return Released(frame, symbols, table.source, table.synthetic, (*table.notes, *notes))


def _number_column() -> dict[str, str]:
    return {"name": "number", "label": "Number on the map", "kind": "count"}


def _columns(label: str, value: str, unit: str, lower: str, upper: str, kind: str) -> list[dict[str, str]]:
    made = [
        _number_column(),
        {"name": label, "label": "Area", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": kind},
    ]
    if lower and upper:
        made += [
            {"name": lower, "label": "Lower limit", "kind": kind},
            {"name": upper, "label": "Upper limit", "kind": kind},
        ]
    return made


def _font_size(drawn: pd.DataFrame) -> float:
    return 6.5 if len(drawn) <= MOST_NAMED else 8 if len(drawn) <= MOST_NUMBERED else 4.4


def _where_there_is_room(numbers: Sequence[str], drawn: gpd.GeoDataFrame) -> list[str]:
    """The numbers of areas that are large enough on the map to bear one; the tiles bear all."""
    left, bottom, right, top = drawn.total_bounds
    room = np.sqrt(drawn.geometry.area) >= LEAST_ROOM * max(right - left, top - bottom)
    return [n if r else "" for n, r in zip(numbers, room, strict=True)]


def _with_names(numbers: Sequence[str], names: pd.Series) -> list[str]:
    """Each number with the area's name under it, broken over lines so that it fits a tile."""
    words = names.astype(object).fillna("").astype(str)
    return [f"{n}\n{textwrap.fill(w, 8, break_long_words=False)}".strip() for n, w in zip(numbers, words, strict=True)]


def _two() -> tuple[Any, Any, Any]:
    figure, axes = canvas(13, width=8.2, extra=1.0)
    axes.remove()
    left, right = figure.subplots(1, 2)
    left.set_anchor("N")
    right.set_anchor("N")
    return figure, left, right


def _legend(figure: Any, patches: list[Any], title: str) -> None:
    how = {"loc": "outside upper center", "ncols": 3, "frameon": False, "fontsize": 8}
    figure.legend(handles=patches, title=title, title_fontsize=8.5, **how)


def _marks_in_words(shading: Shading) -> str:
    sides = set(shading.areas["side"])
    words = [f"{MARKS[s].strip()} clearly {s} the average" for s in (ABOVE, BELOW) if s in sides]
    return f"   ({', '.join(words)})" if words else ""


def _counted(shading: Shading) -> str:
    sides = shading.areas["side"].value_counts()
    known = int(sides.drop("", errors="ignore").sum())
    if not known:
        return ""
    return (
        f" {sides.get(ABOVE, 0)} of {known} areas lie clearly above the average, {sides.get(BELOW, 0)} clearly below."
    )
