"""Sets of shapes that share edges: simplify them together, test that they tile, compare two sets of the same areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.errors import PlaceError
from jsna.errors import Problem

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import Geometry


@dataclass(frozen=True)
class Tiling:
    """Whether shapes cover their outer boundary once.

    ``gaps``: one row a hole or uncovered piece (area_m2, near, geometry); ``overlaps``: one row a pair (code_a, code_b,
    area_m2); ``outside``: what lies beyond the outer boundary (code, area_m2). ``least_m2`` is the smallest area that
    was listed; ``slivers_m2`` is what was smaller, in all.
    """

    areas: int
    area_m2: float
    gaps: pd.DataFrame
    overlaps: pd.DataFrame
    outside: pd.DataFrame
    least_m2: float
    slivers_m2: float

    @property
    def tiles(self) -> bool:
        """True when no gap, overlap or overhang of ``least_m2`` or more was found."""
        return not (len(self.gaps) or len(self.overlaps) or len(self.outside))

    @property
    def message(self) -> str:
        """The finding in one or more sentences, with the largest gap and overlap."""
        if self.tiles:
            return f"The {self.areas} areas tile: no gap or overlap of {self.least_m2:g} m² or more."
        words = []
        if len(self.gaps):
            worst = self.gaps.iloc[0]
            words.append(
                f"{len(self.gaps)} gaps ({self.gaps['area_m2'].sum():,.0f} m²); the largest, of "
                f"{worst['area_m2']:,.0f} m², borders {worst['near'] or 'no area'}."
            )
        if len(self.overlaps):
            worst = self.overlaps.iloc[0]
            words.append(
                f"{len(self.overlaps)} overlaps ({self.overlaps['area_m2'].sum():,.0f} m²); the largest, of "
                f"{worst['area_m2']:,.0f} m², is between {worst['code_a']} and {worst['code_b']}."
            )
        if len(self.outside):
            worst = self.outside.iloc[0]
            words.append(
                f"{len(self.outside)} areas reach beyond the outer boundary; {worst['code']} most, by "
                f"{worst['area_m2']:,.0f} m²."
            )
        return f"The {self.areas} areas do not tile: " + " ".join(words)


@dataclass(frozen=True)
class ShapeComparison:
    """Two sets of shapes beside each other: ``frame`` (one row a common code), ``only_a``, ``only_b`` (codes).

    Columns: code, area_a_m2, area_b_m2, differing_m2 (in one but not in both), differing_share (of area_b, 0 upwards;
    2 = nothing in common at equal size), hausdorff_m (the farthest that a point of one outline lies from the other).
    """

    frame: pd.DataFrame
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def differing_share(self) -> float:
        """Area that lies in one set's shape but not in the other's, over the area of b."""
        return float(self.frame["differing_m2"].sum() / self.frame["area_b_m2"].sum())


def simplify(shapes: gpd.GeoDataFrame, tolerance_m: float, *, repair: bool = False) -> gpd.GeoDataFrame:
    """The shapes with fewer corners; neighbours keep the same shared edge, so that no gap or overlap opens.

    ``shapes`` has ``code`` and is in metres; ``tolerance_m`` is 0 or more: a corner goes when the triangle that it
    makes with its neighbours is smaller than its square. Raises ``PlaceError`` when the shapes do not share their edges
    to begin with, unless ``repair`` is true: then they are first snapped together (``coverage_clean``), which
    moves edges where they did not meet. For maps only: simplified shapes must not place a pupil.
    """
    import shapely

    _need_metres(shapes)
    if not tolerance_m >= 0:
        raise PlaceError(
            Problem(
                "The tolerance cannot be used.", where="tolerance_m", value=tolerance_m, expected="0 or more metres"
            )
        )
    made = shapes.copy()
    array = made.geometry.to_numpy()
    if not shapely.coverage_is_valid(array):
        if not repair:
            raise PlaceError(
                Problem(
                    "The shapes do not share their edges, so they cannot be simplified together.",
                    value=do_they_tile(shapes).message,
                    mend="Mend the file, or pass repair=True to snap them together first (maps only).",
                )
            )
        array = shapely.coverage_clean(array)
    simple = shapely.coverage_simplify(array, tolerance_m)
    lost = made["code"][shapely.is_empty(simple)].tolist()
    if lost:
        raise PlaceError(
            Problem("Areas would vanish.", where="tolerance_m", value=lost[:5], mend="Take a smaller tolerance.")
        )
    made[made.geometry.name] = simple
    return made


def do_they_tile(
    shapes: gpd.GeoDataFrame, outer: Geometry | gpd.GeoDataFrame | None = None, *, least_m2: float = 1.0
) -> Tiling:
    """Gaps and overlaps of a set of shapes in m², with the areas concerned, largest first.

    ``shapes`` has ``code`` and is in metres. ``outer`` is the boundary that they should fill (a geometry or frame in
    metres); without it only holes inside are gaps, and an area missing at the rim is not seen. A lake or another
    authority inside is a gap too. Raises ``PlaceError`` for degrees, repeated codes and an empty set.
    """
    import shapely

    _need_metres(shapes)
    if shapes["code"].duplicated().any() or not len(shapes):
        raise PlaceError(
            Problem(
                "Each area must stand once.",
                where="code",
                value=sorted(shapes["code"][shapes["code"].duplicated()].unique())[:5],
                expected="one or more areas, each code once",
            )
        )
    array = shapes.geometry.to_numpy()
    exact = bool(shapely.coverage_is_valid(array))
    union = shapely.coverage_union_all(array) if exact else shapely.union_all(shapely.make_valid(array))
    overlaps = _no_overlaps() if exact else _overlaps(shapes)
    boundary = _as_geometry(outer)
    holes = shapely.difference(_filled(union) if boundary is None else boundary, union)
    gaps = _gaps(shapes, holes)
    outside = _outside(shapes, boundary)
    parts, slivers = [], 0.0
    for table in (gaps, overlaps, outside):
        large = table["area_m2"] >= least_m2
        slivers += float(table.loc[~large, "area_m2"].sum())
        parts.append(table[large].sort_values("area_m2", ascending=False, kind="stable", ignore_index=True))
    return Tiling(len(shapes), float(union.area), parts[0], parts[1], parts[2], least_m2, slivers)


def compare_shapes(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> ShapeComparison:
    """How far two sets of shapes of the same codes are apart: approximate ones (a) beside official ones (b).

    Both have ``code`` (each once) and are in metres. Codes of one set only are listed, never dropped in silence.
    The Hausdorff distance is between outlines, measured at their corners: an upper end, not a typical distance.
    """
    import shapely

    for frame in (a, b):
        _need_metres(frame)
        if frame["code"].duplicated().any():
            raise PlaceError(
                Problem("A code stands more than once.", value=frame["code"][frame["code"].duplicated()].tolist()[:5])
            )
    one, two = a.set_index("code").geometry, b.set_index("code").geometry
    common = sorted(set(one.index) & set(two.index))
    left, right = one[common].to_numpy(), two[common].to_numpy()
    area_a, area_b = shapely.area(left), shapely.area(right)
    differing = shapely.area(shapely.symmetric_difference(left, right))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(area_b > 0, differing / area_b, np.nan)
    frame = pd.DataFrame(
        {
            "code": common,
            "area_a_m2": area_a,
            "area_b_m2": area_b,
            "differing_m2": differing,
            "differing_share": share,
            "hausdorff_m": shapely.hausdorff_distance(shapely.boundary(left), shapely.boundary(right)),
        }
    )
    return ShapeComparison(
        frame, tuple(sorted(set(one.index) - set(common))), tuple(sorted(set(two.index) - set(common)))
    )


def _need_metres(shapes: gpd.GeoDataFrame) -> None:
    if shapes.crs is None or shapes.crs.is_geographic:
        raise PlaceError(
            Problem(
                "Areas and distances need metres.",
                where="crs",
                value=str(shapes.crs),
                expected="EPSG:27700",
                mend="Use read_boundaries, or to_crs('EPSG:27700').",
            )
        )


def _as_geometry(outer):
    if outer is None or not hasattr(outer, "geometry") or not hasattr(outer, "crs"):
        return outer
    _need_metres(outer)
    return outer.union_all()


def _filled(union: Geometry) -> Geometry:
    import shapely

    polygons = [p for p in shapely.get_parts(union) if p.geom_type == "Polygon"]
    return shapely.union_all([shapely.Polygon(p.exterior) for p in polygons])


def _gaps(shapes: gpd.GeoDataFrame, holes: Geometry) -> pd.DataFrame:
    import shapely

    pieces = [p for p in shapely.get_parts(holes) if p.area > 0]
    near = []
    for piece in pieces:
        # Edges that fail to meet leave slivers whose corners lie off the neighbour's edge by less than this.
        close = shapes["code"][shapely.distance(shapes.geometry.to_numpy(), piece) < 0.5]
        near.append(", ".join(sorted(close)[:6]))
    areas = [float(p.area) for p in pieces]
    table = pd.DataFrame({"area_m2": np.array(areas, dtype="float64"), "near": near})
    table["geometry"] = pd.Series(pieces, dtype="object")
    return table


def _no_overlaps() -> pd.DataFrame:
    return pd.DataFrame({"code_a": [], "code_b": [], "area_m2": np.array([], dtype="float64")})


def _overlaps(shapes: gpd.GeoDataFrame) -> pd.DataFrame:
    import shapely

    array = shapely.make_valid(shapes.geometry.to_numpy())
    first, second = shapely.STRtree(array).query(array, predicate="intersects")
    pair = first < second
    first, second = first[pair], second[pair]
    area = shapely.area(shapely.intersection(array[first], array[second]))
    codes = shapes["code"].to_numpy()
    table = pd.DataFrame({"code_a": codes[first], "code_b": codes[second], "area_m2": area})
    return table[table["area_m2"] > 0].reset_index(drop=True)


def _outside(shapes: gpd.GeoDataFrame, boundary: Geometry | None) -> pd.DataFrame:
    import shapely

    if boundary is None:
        return pd.DataFrame({"code": [], "area_m2": np.array([], dtype="float64")})
    area = shapely.area(shapely.difference(shapely.make_valid(shapes.geometry.to_numpy()), boundary))
    table = pd.DataFrame({"code": shapes["code"].to_numpy(), "area_m2": area})
    return table[table["area_m2"] > 0].reset_index(drop=True)
