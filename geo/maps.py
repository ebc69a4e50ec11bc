"""Maps on matplotlib axes: areas in classes, those that cannot be told from the average hatched, and tiles beside them.

Static and offline. Colours come from the caller; what an area stands for is the caller's business too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.errors import PlaceError
from jsna.errors import Problem

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch
    from shapely import Geometry

CLASSES = 5
ABOVE, BELOW, UNCLEAR = "above", "below", "unclear"
HATCH = "////"
LARGEST, SMALLEST, STEP = 1.20, 0.75, 0.01  # a tile's area over an area's mean area: where the search starts and ends


@dataclass(frozen=True)
class Style:
    """Colours: ``fills`` from light to dark, ``ink`` for edges and words, ``muted`` for hatches on light fills."""

    ink: str
    muted: str
    fills: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shading:
    """How each area is drawn.

    ``areas``, aligned with the values: ``level`` (class from 0, the lowest; -1 without a value), ``side`` ("above",
    "below", "unclear", or empty where it is not known) and ``hatched`` (True where the side is unclear). ``edges``: the
    lower ends of the classes from 1 up; a value on an edge is in the higher class.
    """

    areas: pd.DataFrame
    edges: tuple[float, ...]

    def words(self, places: int = 1) -> tuple[str, ...]:
        """Each class in words, the lowest first."""
        cuts = [f"{e:.{places}f}" for e in self.edges]
        if not cuts:
            return ("all alike",)
        return (f"under {cuts[0]}", *(f"{a} to under {b}" for a, b in pairwise(cuts)), f"{cuts[-1]} or more")


def quantile_edges(values: ArrayLike, classes: int = CLASSES, places: int | None = None) -> tuple[float, ...]:
    """Where to cut so that the classes hold about as many areas each; fewer classes where values repeat.

    ``values``: numbers, missing ones left out; ``classes``: 2 or more; ``places``: decimals to round edges to, so that
    they are what the key says. A cut at the lowest value is left out, as no area lies under it: with all alike there is
    one class and no edge.

    >>> quantile_edges([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    (2.8, 4.6, 6.4, 8.2)
    >>> quantile_edges([5, 5, 5])
    ()
    """
    numbers = np.asarray(pd.array(values, dtype="Float64").to_numpy("float64", na_value=np.nan))
    numbers = numbers[np.isfinite(numbers)]
    if classes < 2 or not len(numbers):
        raise PlaceError(
            Problem("No classes can be made.", value=[classes, len(numbers)], expected="2 or more, 1 value")
        )
    cuts = np.quantile(numbers, np.arange(1, classes) / classes)
    cuts = np.unique(cuts.round(12 if places is None else places))
    return tuple(float(c) for c in cuts[(cuts > numbers.min()) & (cuts <= numbers.max())])


def shade(
    values: ArrayLike,
    *,
    edges: Sequence[float] | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    average: float | None = None,
    side: Sequence[str] | None = None,
) -> Shading:
    """The class of each area, and whether it can be told from the average.

    ``values``: one an area, missing where nothing may be shown; ``edges`` rising, by default ``quantile_edges``. With
    ``lower``, ``upper`` and ``average`` an area is above or below when its interval lies wholly so, and unclear
    (hatched) when the interval holds the average; a limit on the average holds it. Or the caller says ``side`` for each
    ("above", "below", "unclear" or empty). An area without a value has no side. Raises ``PlaceError`` for edges that do
    not rise, another word, and columns of different length.

    >>> made = shade([10, 20, 30], edges=[15, 25], lower=[5, 12, 24], upper=[14, 30, 40], average=20)
    >>> made.areas.values.tolist()
    [[0, 'below', False], [1, 'unclear', True], [2, 'above', False]]
    """
    index = values.index if isinstance(values, pd.Series) else None
    number = _numbers(values)
    known = np.isfinite(number)
    cuts = tuple(float(e) for e in (quantile_edges(number) if edges is None and known.any() else edges or ()))
    if any(b <= a for a, b in pairwise(cuts)):
        raise PlaceError(Problem("The edges of the classes do not rise.", value=list(cuts)))
    level = np.where(known, np.searchsorted(cuts, number, side="right"), -1)
    sides = _sides(number, lower, upper, average, side)
    if len(sides) != len(number):
        raise PlaceError(Problem("The sides do not fit the values.", value=[len(number), len(sides)]))
    sides = np.where(known, sides, "").astype(object)
    frame = pd.DataFrame({"level": level, "side": sides, "hatched": sides == UNCLEAR}, index=index)
    return Shading(frame, cuts)


def _sides(number: NDArray, lower, upper, average: float | None, side: Sequence[str] | None) -> NDArray:
    """What the caller says, or where the interval lies; empty where neither is there."""
    if side is not None:
        sides = np.asarray(pd.Series(side, dtype=object).fillna(""), dtype=object)
        strange = sorted({str(s) for s in sides} - {ABOVE, BELOW, UNCLEAR, ""})
        if strange:
            raise PlaceError(Problem("No such side.", value=strange, expected=f"{ABOVE}, {BELOW}, {UNCLEAR} or empty"))
        return sides
    if lower is None or upper is None or average is None:
        return np.full(len(number), "", dtype=object)
    low, high = _numbers(lower), _numbers(upper)
    if not len(low) == len(high) == len(number):
        raise PlaceError(Problem("The limits do not fit the values.", value=[len(number), len(low), len(high)]))
    return np.select([low > average, high < average, np.isfinite(low + high)], [ABOVE, BELOW, UNCLEAR], "")


def hexagons(shapes: gpd.GeoDataFrame, code: str = "code") -> gpd.GeoDataFrame:
    """A tile map: one hexagon of equal size an area, each near where the area lies, so that small dense areas are seen.

    ``shapes``: one row an area, in metres, with ``code``. Hexagons stand on a point in a regular grid, as large as lets
    as many (or a few more) have their middle inside the outline of all areas; areas are given to cells so that the sum
    of squared distances between area centroid and cell is smallest. Ties go by code (the lower code to the cell further
    up, then left), so the order of rows decides nothing. Squares keep neighbours in order where plain distances leave
    it open.

    Returns the rows' ``code``, ``column`` and ``row`` of the grid (row 0 at the top), ``moved_m`` (how far a centroid
    is from its tile's middle) and ``geometry``, in the order given. Which tiles touch says little of which areas do.
    Raises ``PlaceError`` for degrees, repeated codes and shapes without area.

    Source: Kuhn 1955 (assignment); the layout is ours.

    >>> import geopandas, shapely
    >>> boxes = [shapely.box(9, 0, 18, 9), shapely.box(0, 0, 9, 9)]
    >>> frame = geopandas.GeoDataFrame({"code": ["B", "A"]}, geometry=boxes, crs=27700)
    >>> hexagons(frame).sort_values("column")["code"].tolist()
    ['A', 'B']
    """
    import geopandas as gpd
    import shapely

    _checked(shapes, code)
    order = np.argsort(shapes[code].astype(str).to_numpy(), kind="stable")
    array = shapely.make_valid(shapes.geometry.to_numpy()[order])
    radius, cells = _cells(shapely.union_all(array), len(order))
    centroid = shapely.get_coordinates(shapely.centroid(array)).round(3)
    chosen = _assigned(centroid, cells[["x", "y"]].to_numpy(), radius)
    picked = cells.iloc[chosen].reset_index(drop=True)
    moved = np.hypot(*(centroid - picked[["x", "y"]].to_numpy()).T)
    made = picked[["column", "row"]].assign(moved_m=moved)
    made[["column", "row"]] -= made[["column", "row"]].min()
    made.insert(0, code, shapes[code].to_numpy()[order])
    made = gpd.GeoDataFrame(made, geometry=_hexagon(picked["x"], picked["y"], radius), crs=shapes.crs)
    return made.iloc[np.argsort(order, kind="stable")].set_axis(shapes.index, axis=0)


def draw(
    axes: Axes,
    shapes: gpd.GeoDataFrame,
    shading: Shading,
    style: Style,
    *,
    labels: Sequence[str] | None = None,
    font_size: float = 8,
) -> None:
    """The areas (or tiles) in their classes, hatched where unclear; without a value white with a dotted edge.

    ``shapes``, ``shading`` and ``labels`` have one row an area in the same order. A label stands on a white ground in
    its area; an empty one is left out. Axes are turned off and of equal scale. Raises ``PlaceError`` when rows or
    colours do not suffice.
    """
    areas = shading.areas
    if len(shapes) != len(areas) or (labels is not None and len(labels) != len(areas)):
        raise PlaceError(Problem("Shapes, classes and labels differ in number.", value=[len(shapes), len(areas)]))
    if len(style.fills) <= len(shading.edges):
        raise PlaceError(Problem("Too few colours.", value=len(style.fills), expected=f"{len(shading.edges) + 1}"))
    level, hatched = areas["level"].to_numpy(), areas["hatched"].to_numpy()
    for one in range(-1, len(shading.edges) + 1):
        fill, line = ("white", ":") if one < 0 else (style.fills[one], "-")
        _plot(axes, shapes[level == one], facecolor=fill, edgecolor=style.ink, linewidth=0.6, linestyle=line)
        on_it = "white" if _is_dark(fill) else style.muted
        _plot(axes, shapes[(level == one) & hatched], facecolor="none", edgecolor=on_it, hatch=HATCH, linewidth=0)
    if labels is not None:
        _write(axes, shapes.geometry, labels, style, font_size)
    axes.set_axis_off()
    axes.set_aspect("equal")


def _write(axes: Axes, geometry: gpd.GeoSeries, words: Iterable[str], style: Style, font_size: float) -> None:
    """Each word on a white ground in its area; an empty one is left out."""
    ground = {"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.88}
    middle = {"ha": "center", "va": "center", "fontsize": font_size, "color": style.ink}
    for point, text in zip(geometry.representative_point(), words, strict=True):
        if str(text):
            axes.annotate(str(text), (point.x, point.y), bbox=ground, **middle)


def outline(axes: Axes, shapes: gpd.GeoDataFrame, names: Sequence[str], style: Style, *, font_size: float = 8) -> None:
    """The larger areas that the shapes lie in, by ``names`` (one a shape): a bold edge and the name in each.

    Shapes without a name (missing) are in none.
    """
    import geopandas as gpd

    merged = gpd.GeoDataFrame(geometry=shapes.geometry.to_numpy()).dissolve(by=np.asarray(names, dtype=object))
    _plot(axes, merged.boundary, color=style.ink, linewidth=1.4)
    _write(axes, merged.geometry, merged.index, style, font_size)


def key(shading: Shading, style: Style, *, places: int = 1, unclear: str = "", nothing: str = "") -> list[Patch]:
    """Patches for a legend: each class, then the hatch (named ``unclear``) and the dotted white (``nothing``), if any
    area is drawn so and a name is given."""
    from matplotlib.patches import Patch

    words = shading.words(places)
    made = [Patch(facecolor=style.fills[i], edgecolor=style.ink, label=w) for i, w in enumerate(words)]
    if unclear and shading.areas["hatched"].any():
        made.append(Patch(facecolor="white", edgecolor=style.muted, hatch=HATCH, label=unclear))
    if nothing and (shading.areas["level"] < 0).any():
        made.append(Patch(facecolor="white", edgecolor=style.ink, linestyle=":", label=nothing))
    return made


def _plot(axes: Axes, part: gpd.GeoDataFrame | gpd.GeoSeries, **how) -> None:
    """Add areas to a map; the picture is drawn once it is whole, and not after each call as geopandas would have it."""
    from matplotlib.backend_bases import FigureCanvasBase

    figure = axes.get_figure(root=True)
    if figure is None or not len(part):
        return
    canvas = figure.canvas
    FigureCanvasBase(figure)
    try:
        part.plot(ax=axes, **how)
    finally:
        figure.set_canvas(canvas)


def _is_dark(colour: str) -> bool:
    """Whether white shows better than grey on it (relative luminance of WCAG)."""
    from matplotlib.colors import to_rgb

    part = np.array(to_rgb(colour))
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return bool(linear @ [0.2126, 0.7152, 0.0722] < 0.3)


def _numbers(values: ArrayLike) -> NDArray:
    return np.asarray(pd.array(values, dtype="Float64").to_numpy("float64", na_value=np.nan))


def _checked(shapes: gpd.GeoDataFrame, code: str) -> None:
    import shapely

    problems = []
    if code not in shapes:
        problems.append(Problem("No such column.", value=code, expected=", ".join(map(str, shapes.columns))))
    elif shapes[code].duplicated().any() or shapes[code].isna().any() or not len(shapes):
        twice = sorted(shapes.loc[shapes[code].duplicated(), code].astype(str).unique())[:5]
        problems.append(Problem("Each area must stand once, with a code.", where=code, value=twice))
    if shapes.crs is None or shapes.crs.is_geographic:
        problems.append(Problem("Distances need metres.", where="crs", value=str(shapes.crs), expected="EPSG:27700"))
    if not (shapely.area(shapes.geometry.to_numpy()) > 0).all():  # a missing shape has no area either
        problems.append(Problem("Areas without a shape cannot be placed."))
    if problems:
        raise PlaceError(*problems)


def _cells(outline: Geometry, areas: int) -> tuple[float, pd.DataFrame]:
    """The radius of the tiles, and the cells whose middle is inside: just as many as areas if a size gives that."""
    import shapely

    shapely.prepare(outline)
    enough, share = None, LARGEST
    while share >= SMALLEST or enough is None:
        radius = float(np.sqrt(2 * share * outline.area / (3 * np.sqrt(3) * areas)))
        cells = _grid(outline.bounds, radius)
        cells = cells[shapely.contains_xy(outline, cells["x"], cells["y"])].reset_index(drop=True)
        if len(cells) == areas:
            return radius, cells
        if len(cells) > areas and enough is None:
            enough = radius, cells
        share -= STEP if share > SMALLEST else share / 20
    return enough


def _grid(bounds: tuple[float, ...], radius: float) -> pd.DataFrame:
    """Middles of hexagons over the bounds, from the top left, around the middle of the bounds."""
    left, bottom, right, top = bounds
    wide, high = np.sqrt(3) * radius, 1.5 * radius
    across, down = int((right - left) / wide / 2) + 2, int((top - bottom) / high / 2) + 2
    row, column = np.mgrid[-down : down + 1, -across : across + 1].reshape(2, -1)
    x = (left + right) / 2 + wide * (column + 0.5 * (row % 2))
    return pd.DataFrame({"column": column, "row": row, "x": x, "y": (top + bottom) / 2 - high * row})


def _assigned(centroid: NDArray, cells: NDArray, radius: float) -> NDArray:
    from scipy.optimize import linear_sum_assignment

    cost = ((centroid[:, None, :] - cells[None, :, :]) ** 2).sum(axis=2) / radius**2
    # Far below any true difference: makes the lower code take the earlier cell where costs are equal.
    tie = np.outer(np.arange(len(centroid)), np.arange(len(cells))) / (len(centroid) * len(cells))
    return linear_sum_assignment(cost - 1e-7 * tie)[1]


def _hexagon(x: ArrayLike, y: ArrayLike, radius: float) -> NDArray:
    import shapely

    angle = np.deg2rad(np.arange(30, 390, 60))
    corners = np.stack(
        [np.add.outer(np.asarray(x), radius * np.cos(angle)), np.add.outer(np.asarray(y), radius * np.sin(angle))],
        axis=2,
    )
    return shapely.polygons(corners)
