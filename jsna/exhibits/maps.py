"""Maps: areas shaded by value, those hatched that cannot be told from the average, with tiles of equal size beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.maps import ABOVE, BELOW, Shading, Style, draw, hexagons, key, outline, quantile_edges, shade
from geo.shapes import simplify
from jsna.disclosure import Released
from jsna.exhibits.charts import canvas, chart, mark_synthetic, nothing_to_show, palette
from jsna.exhibits.labels import TOP_LETTERS, even_lines, lines_of
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import PLACES, must_be_released
from jsna.exhibits.telling import extremes

if TYPE_CHECKING:
    import geopandas as gpd

NOT_CLEAR = "not clearly different from the average"
NO_FIGURE = "no figure shown"
MOST_NAMED, MOST_BESIDE = 24, 60  # areas that can bear a name on their tile; that a map and tiles side by side can hold
LEAST_TYPE, MOST_TYPE = 6.5, 8.0  # points: smaller type cannot be read, larger is not needed
DIGIT, LETTER, LINE, POINTS = 0.8, 0.6, 1.3, 72  # of its size: a digit with edges, a letter, a line; points in an inch
NAME_LETTERS, NAME_LINES, HALF_LETTERS = 16, 3, 42  # in a district's name; in a tile's; in a line over half a picture
PAD, LEGEND_LETTERS = 4, 100  # points around a word on the map; in a line over the whole picture
WIDE, BESIDE, HIGH, LEGEND = 8.2, 3.5, 4.8, 1.0  # inches: picture, maps side by side, highest below another, legend
DOTS = 1000  # across a map: finer corners are not seen
LEAST_ROOM = 0.06  # side of an area, of the map's, that a number needs
MARKS = {ABOVE: "▲", BELOW: "▼"}


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
    districts: str = "",
    note: str = "",
) -> Exhibit:
    """A map, and beside it the same areas as tiles of equal size, so that small and dense areas are seen as well.

    ``shapes`` (column ``ward_code`` or the first column) are shaded by ``value`` in classes; an area without a shown
    value is white with a dotted edge. Each tile bears its number in the table behind it, if it is large enough for one
    that can be read; many areas are drawn below the map, not beside it. ``districts`` is a column that names the larger
    area that each lies in: these are outlined and named on the map. ``side`` is a column of "above", "below" and
    "unclear" that decides hatches and the marks ▲ and ▼; without it the limits and ``average`` do. ``kind`` is that of
    the value; ``columns`` of the table follow the number (by default label, value and limits).
    """
    table = must_be_released(released)
    if table.frame[value].notna().sum() == 0:
        return nothing_to_show(id, title)
    drawn = _drawn(table, shapes, code)
    shading = _shading(drawn, value, kind, edges=edges, lower=lower, upper=upper, average=average, side=side)
    tiles = hexagons(drawn, _key(shapes))
    tiles = hexagons(drawn, _key(shapes))
    figure, first, second, room = _two(drawn)
    size = _type_size(tiles, room)
    named = bool(districts) and drawn[districts].nunique() > 1
    on_map = [""] * len(drawn) if named else _where_there_is_room(_numbers(drawn, shading, size), drawn)
    light = _lighter(drawn, _key(shapes))
    draw(first, light, shading, _style(), labels=on_map, font_size=MOST_TYPE)
    if named:
        outline(first, light, drawn[districts], _style(), font_size=MOST_TYPE)
    _apart(first, _scale(drawn, room))
    on_tiles = _on_tiles(drawn, shading, label, size, _tile_points(tiles, room))
    draw(second, tiles, shading, _style(), labels=on_tiles, font_size=size or LEAST_TYPE)
    first.set_title("Map", fontsize=9)
    second.set_title("The same areas, drawn alike in size", fontsize=9)
    words = key(shading, _style(), places=PLACES[kind], unclear=NOT_CLEAR, nothing=NO_FIGURE)
    _legend(figure, words, f"{unit}{_marks_in_words(shading)}")
    listed = [*_number_column(size), *(columns or _columns(label, value, unit, lower, upper, kind))]
    alt = (
        f"Map and tile map: {title}. {extremes(table.frame, label, value, unit, kind)}{_counted(shading)} "
        "All values are in the table."
    )
    return chart(id, title, alt, figure, _numbered(table, drawn, code, label, note), listed, label, kind="map")


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
        return nothing_to_show(id, title)
    drawn = _drawn(table, shapes, code)
    tiles = hexagons(drawn, _key(shapes))
    places = PLACES[kind]
    values = _shading(drawn, value, kind, lower=lower, upper=upper, average=average)
    width = drawn[upper].astype("float64") - drawn[lower].astype("float64")
    widths = shade(width, edges=quantile_edges(width, classes=3, places=places))
    figure, left, right, room = _two(tiles)
    size = _type_size(tiles, room)
    how = {"font_size": size or LEAST_TYPE}
    draw(left, tiles, values, _style(), labels=_numbers(drawn, values, size), **how)
    draw(right, tiles, widths, _style("uncertainty"), labels=_numbers(drawn, None, size), **how)
    left.set_title("Value", fontsize=9)
    right.set_title("Width of its interval (dark: less is known)", fontsize=9)
    half = HALF_LETTERS if len(tiles) <= MOST_BESIDE else TOP_LETTERS
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "frameon": False, "fontsize": 7.5, "ncols": 2}
    words = key(values, _style(), places=places, unclear=NOT_CLEAR.replace("different ", "different\n"))
    left.legend(handles=words, title=lines_of(f"{unit}{_marks_in_words(values)}", half), title_fontsize=8, **below)
    right.legend(
        handles=key(widths, _style("uncertainty"), places=places, nothing=NO_FIGURE),
        title=lines_of("Upper less lower 95% limit" + (", percentage points" if kind == "percent" else ""), half),
        title_fontsize=8,
        **below,
    )
    # maps keep their shape, so that the keys below them stand right only once the layout has seen their true height
    mark_synthetic(figure, table.synthetic)
    figure.get_layout_engine().execute(figure)
    alt = (
        f"Two tile maps, value and width of interval: {title}. {extremes(table.frame, label, value, unit, kind)}"
        f"{_counted(values)} All values are in the table."
    )
    listed = [*_number_column(size), *(columns or _columns(label, value, unit, lower, upper, kind))]
    return chart(id, title, alt, figure, _numbered(table, drawn, code, label, note), listed, label, kind="map")


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


def _lighter(drawn: gpd.GeoDataFrame, code: str) -> gpd.GeoDataFrame:
    """The shapes without corners that are too fine to be seen: a county's wards would else be a megabyte."""
    left, bottom, right, top = drawn.total_bounds
    return simplify(drawn.rename(columns={code: "code"}), max(right - left, top - bottom) / DOTS, repair=True)


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


def _numbers(drawn: pd.DataFrame, shading: Shading | None, size: float) -> list[str]:
    """Each area's number in the table and its mark, one below the other where areas are many; size 0: marks alone."""
    marks = [""] * len(drawn) if shading is None else [MARKS.get(s, "") for s in shading.areas["side"]]
    if not size:
        return marks
    between = " " if len(drawn) <= MOST_BESIDE else "\n"
    numbers = ["x" if pd.isna(n) else f"{n:.0f}" for n in drawn["number"]]
    return [f"{n}{between}{m}".strip() for n, m in zip(numbers, marks, strict=True)]


def _numbered(table: Released, drawn: pd.DataFrame, code: str, label: str, note: str) -> Released:
    """The table with numbers, and a note that names the areas that have no shape."""
    lost = table.frame.loc[~table.frame[code].isin(drawn[code].dropna()), label].astype(str).tolist()
    notes = [note] if note else []
    if lost:
        notes.append(f"Without a shape, so not on the map: {', '.join(lost)}.")
    frame = table.frame.assign(number=np.arange(1, len(table.frame) + 1))
    symbols = table.symbols.assign(number="")
    return Released(frame, symbols, table.source, table.synthetic, (*table.notes, *notes))


def _number_column(size: float) -> list[dict[str, str]]:
    """The column of numbers, where tiles bear them."""
    return [{"name": "number", "label": "Number on the map", "kind": "count"}] if size else []


def _columns(label: str, value: str, unit: str, lower: str, upper: str, kind: str) -> list[dict[str, str]]:
    made = [
        {"name": label, "label": "Area", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": kind},
    ]
    if lower and upper:
        made += [
            {"name": lower, "label": "Lower limit", "kind": kind},
            {"name": upper, "label": "Upper limit", "kind": kind},
        ]
    return made


def _type_size(tiles: gpd.GeoDataFrame, room: tuple[float, float]) -> float:
    """The type in which a tile can bear its number, the tiles drawn into ``room`` (inches); 0 if it cannot be read."""
    if len(tiles) <= MOST_NAMED:
        return LEAST_TYPE  # names stand under the numbers
    size = min(MOST_TYPE, _tile_points(tiles, room) / (DIGIT * len(str(len(tiles)))))
    return size if size >= LEAST_TYPE else 0.0


def _scale(shapes: gpd.GeoDataFrame, room: tuple[float, float]) -> float:
    """Points of the picture a metre of the shapes, drawn into ``room`` (inches)."""
    left, bottom, right, top = shapes.total_bounds
    return POINTS * min(room[0] / (right - left), room[1] / (top - bottom))


def _tile_points(tiles: gpd.GeoDataFrame, room: tuple[float, float]) -> float:
    """How wide each tile is, in points."""
    return _scale(tiles, room) * float(tiles.geometry.bounds.eval("maxx - minx").iloc[0])


def _apart(axes: Any, scale: float) -> None:
    """Break long words on a map over lines, and leave out those that would lie on one before: the table has all."""
    kept: list[tuple[float, float, float, float]] = []
    for text in list(axes.texts):
        text.set_text(lines_of(text.get_text(), NAME_LETTERS))
        lines = text.get_text().split("\n")
        wide = max(len(line) for line in lines) * LETTER * text.get_fontsize() + PAD
        high = len(lines) * LINE * text.get_fontsize() + PAD
        x, y = (scale * place for place in text.xy)
        if any(abs(x - a) < (wide + w) / 2 and abs(y - b) < (high + h) / 2 for a, b, w, h in kept):
            text.remove()
        else:
            kept.append((x, y, wide, high))


def _where_there_is_room(numbers: Sequence[str], drawn: gpd.GeoDataFrame) -> list[str]:
    """The numbers of areas that are large enough on the map to bear one; the tiles bear all."""
    left, bottom, right, top = drawn.total_bounds
    room = np.sqrt(drawn.geometry.area) >= LEAST_ROOM * max(right - left, top - bottom)
    return [n if r else "" for n, r in zip(numbers, room, strict=True)]


def _on_tiles(drawn: pd.DataFrame, shading: Shading, label: str, size: float, points: float) -> list[str]:
    """What each tile (``points`` wide) bears: its number, and the area's name under it where areas are few and the
    name has room."""
    numbers = _numbers(drawn, shading, size)
    if len(drawn) > MOST_NAMED:
        return numbers
    letters = int(points / (LETTER * LEAST_TYPE))
    words = drawn[label].astype(object).fillna("").astype(str)
    return [f"{n}\n{_fitting(w, letters)}".strip() for n, w in zip(numbers, words, strict=True)]


def _fitting(name: str, letters: int) -> str:
    """A name over a tile's lines; empty where it has no room there: the table gives it by its number."""
    longest = max(map(len, name.split()), default=0)
    lines = lines_of(name, max(8, longest), most=len(name) or 1)
    return lines if longest <= letters and lines.count("\n") < NAME_LINES else ""


def _two(shapes: gpd.GeoDataFrame) -> tuple[Any, Any, Any, tuple[float, float]]:
    """A picture with two axes and the inches that each has: side by side, or one below the other for many shapes."""
    beside = len(shapes) <= MOST_BESIDE
    left, bottom, right, top = shapes.total_bounds
    high = BESIDE if beside else min(HIGH, WIDE * (top - bottom) / (right - left))
    figure, axes = canvas(1 if beside else 2, width=WIDE, row_height=high, extra=LEGEND if beside else 2 * LEGEND)
    axes.remove()
    first, second = figure.subplots(1, 2) if beside else figure.subplots(2, 1)
    first.set_anchor("N")
    second.set_anchor("N")
    return figure, first, second, (WIDE / 2 if beside else WIDE, high)


def _legend(figure: Any, patches: list[Any], title: str) -> None:
    how = {"loc": "outside upper center", "ncols": 3, "frameon": False, "fontsize": 8}
    figure.legend(handles=patches, title=even_lines(title, LEGEND_LETTERS), title_fontsize=8.5, **how)


def _marks_in_words(shading: Shading) -> str:
    sides = set(shading.areas["side"])
    words = [f"{MARKS[s]} clearly {s} the average" for s in (ABOVE, BELOW) if s in sides]
    return f"   ({', '.join(words)})" if words else ""


def _counted(shading: Shading) -> str:
    sides = shading.areas["side"].value_counts()
    known = int(sides.drop("", errors="ignore").sum())
    if not known:
        return ""
    return (
        f" {sides.get(ABOVE, 0)} of {known} areas lie clearly above the average, {sides.get(BELOW, 0)} clearly below."
    )
