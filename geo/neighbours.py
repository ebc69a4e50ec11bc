"""Which areas lie next to which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from jsna.errors import MeasureError, Problem, did_you_mean

if TYPE_CHECKING:
    import geopandas as gpd

Rule = Literal["queen", "rook"]
NATIONAL_GRID = 27700
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Which areas are neighbours, in the order of ``codes``.

    ``matrix``: n × n, sparse, 1 where two areas are neighbours and 0 elsewhere, symmetric, nothing on the diagonal.
    ``components``: for each area the number (from 0) of the connected part that it belongs to; an island is a part of
    its own. ``islands``: codes of the areas without a neighbour; they are kept. ``rule`` and ``tolerance_m`` say how it
    was made.
    """

    codes: tuple[str, ...]
    matrix: sparse.csr_array
    components: NDArray[np.intp]
    islands: tuple[str, ...]
    rule: str
    tolerance_m: float = 0.0

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def degree(self) -> NDArray[np.intp]:
        """The number of neighbours of each area."""
        return np.diff(self.matrix.indptr)

    def pairs(self) -> pd.DataFrame:
        """Each pair of neighbours once: columns ``first`` and ``second``, in the order of ``codes``."""
        upper = sparse.triu(self.matrix, 1).tocoo()
        order, names = np.lexsort((upper.col, upper.row)), np.array(self.codes, dtype=object)
        return pd.DataFrame({"first": names[upper.row[order]], "second": names[upper.col[order]]})

    def subset(self, keep: ArrayLike) -> Neighbours:
        """The same of the areas where ``keep`` is true; those that lose their last neighbour become islands."""
        rows = np.flatnonzero(np.asarray(keep, dtype=bool))
        codes = [self.codes[i] for i in rows]
        return _neighbours(codes, self.matrix[rows][:, rows], self.rule, self.tolerance_m)

    def within(self, by: ArrayLike | pd.Series) -> Neighbours:
        """The same without the links between areas of different groups, such as local authorities."""
        keys = pd.Index(by)
        if len(keys) != len(self):
            raise MeasureError(Problem("The key of the groups differs in length from the areas.", value=len(keys)))
        group, links = keys.factorize(use_na_sentinel=False)[0], self.matrix.tocoo()
        stay = group[links.row] == group[links.col]
        matrix = _symmetric(links.row[stay], links.col[stay], len(self))
        return _neighbours(self.codes, matrix, self.rule, self.tolerance_m)


def contiguity(shapes: gpd.GeoDataFrame, code: str, rule: Rule = "queen", tolerance_m: float = 0.0) -> Neighbours:
    """Which areas touch?

    ``shapes``: one row an area, polygons in EPSG:27700 (metres); ``code``: the column of area codes. ``rule``: "queen",
    a shared point is enough; "rook", a shared edge is needed. ``tolerance_m`` ≥ 0 bridges the slivers that
    simplification leaves: each shape is buffered by half of it, so shapes at most that far apart count as touching, and
    those that overlap do too. With a tolerance "rook" asks that more than four times the tolerance of one's outline
    lies within it of the other: two corners that meet have less. Take a few metres for generalised boundaries (and see
    that ``islands`` are true ones); tens of metres would jump over narrow areas.

    Returns ``Neighbours`` in the order of the rows. Raises ``MeasureError`` that names the areas for another CRS,
    duplicate or missing codes, and empty, invalid or non-polygon shapes. Boundaries need not follow lives: a motorway
    or river between two areas is not seen.

    Source: libpysal (``Graph.build_contiguity``, ``Graph.build_fuzzy_contiguity``).

    >>> import geopandas, shapely
    >>> squares = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 1, 3, 2), shapely.box(9, 9, 10, 10)]
    >>> frame = geopandas.GeoDataFrame({"area": list("ABCD")}, geometry=squares, crs=27700)
    >>> contiguity(frame, "area").pairs().values.tolist(), contiguity(frame, "area").islands
    ([['A', 'B'], ['B', 'C']], ('D',))
    """
    if rule not in ("queen", "rook"):
        raise MeasureError(
            Problem("No such rule.", value=rule, expected="queen or rook", mend=did_you_mean(rule, ("queen", "rook")))
        )
    if not np.isfinite(tolerance_m) or tolerance_m < 0:
        raise MeasureError(Problem("Not a tolerance.", value=tolerance_m, expected="metres, 0 or more"))
    codes, geometry = _checked(shapes, code)
    # Importing libpysal takes most of a second: only those who ask for shapes wait for it.
    from libpysal.graph import Graph

    if rule == "rook" and not tolerance_m:
        graph = Graph.build_contiguity(geometry, rook=True, strict=True)
    else:
        graph = Graph.build_fuzzy_contiguity(geometry, buffer=tolerance_m / 2 or None)
    links = graph.adjacency[graph.adjacency > 0].index
    first, second = (links.get_level_values(level).to_numpy() for level in (0, 1))
    if rule == "rook" and tolerance_m:
        shapes_of = geometry.to_numpy()
        shared = _length_within(shapes_of[first], shapes_of[second], tolerance_m)
        first, second = first[shared > 4 * tolerance_m], second[shared > 4 * tolerance_m]
    return _neighbours(codes, _symmetric(first, second, len(codes)), rule, float(tolerance_m))


def from_pairs(codes: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Neighbours:
    """Neighbours from a list of pairs, for places without shapes or with links that a map does not show.

    ``codes``: each area once; ``pairs``: two codes each, in any order, once or twice. Raises ``MeasureError`` that
    names the areas for duplicate codes, codes in pairs that are not areas, and an area paired with itself.

    >>> from_pairs("ABC", [("A", "B")]).islands
    ('C',)
    """
    codes = _unique(codes)
    place, pairs = {c: i for i, c in enumerate(codes)}, [(a, b) for a, b in pairs]
    unknown = sorted({str(c) for pair in pairs for c in pair if c not in place})
    if unknown:
        raise MeasureError(Problem("Pairs name areas that are not in the list.", value=unknown[:SHOWN]))
    selves = sorted({str(a) for a, b in pairs if a == b})
    if selves:
        raise MeasureError(Problem("An area cannot be its own neighbour.", value=selves[:SHOWN]))
    ends = np.array([(place[a], place[b]) for a, b in pairs], dtype=np.intp).reshape(-1, 2)
    return _neighbours(codes, _symmetric(ends[:, 0], ends[:, 1], len(codes)), "pairs")


def _neighbours(codes: Sequence[str], matrix: sparse.csr_array, rule: str, tolerance_m: float = 0.0) -> Neighbours:
    matrix.sort_indices()
    _, components = sparse.csgraph.connected_components(matrix, directed=False)
    islands = tuple(c for c, alone in zip(codes, np.diff(matrix.indptr) == 0, strict=True) if alone)
    return Neighbours(tuple(codes), matrix, components.astype(np.intp), islands, rule, tolerance_m)


def _symmetric(first: NDArray, second: NDArray, n: int) -> sparse.csr_array:
    ends = np.concatenate([first, second]), np.concatenate([second, first])
    matrix = sparse.csr_array((np.ones(len(ends[0])), ends), shape=(n, n))
    matrix.data[:] = 1.0  # a pair given twice has been added up
    return matrix


def _length_within(first: NDArray, second: NDArray, tolerance_m: float) -> NDArray:
    """How many metres of each shape's outline lie within the tolerance of its neighbour."""
    import shapely

    return shapely.length(shapely.intersection(shapely.boundary(first), shapely.buffer(second, tolerance_m)))


def _unique(codes: Iterable[str]) -> tuple[str, ...]:
    codes = pd.Index(codes if not isinstance(codes, str) else list(codes))
    if codes.hasnans:
        rows = np.flatnonzero(codes.isna()).tolist()
        raise MeasureError(Problem("Areas without a code.", where="rows", value=rows[:SHOWN]))
    twice = codes[codes.duplicated()].unique()
    if len(twice):
        raise MeasureError(Problem("Area codes are there more than once.", value=[str(c) for c in twice[:SHOWN]]))
    return tuple(codes)


def _checked(shapes: gpd.GeoDataFrame, code: str) -> tuple[tuple[str, ...], gpd.GeoSeries]:
    """Codes and shapes, numbered from 0; every fault of them refused, with the areas named."""
    if code not in shapes.columns:
        raise MeasureError(Problem("No such column.", value=code, mend=did_you_mean(code, map(str, shapes.columns))))
    codes, geometry = _unique(shapes[code]), shapes.geometry.reset_index(drop=True)
    if geometry.crs is None or geometry.crs.to_epsg() != NATIONAL_GRID:
        found = f"{geometry.crs.to_string() if geometry.crs else 'none'} for {', '.join(map(str, codes[:SHOWN]))}"
        mend = "Use shapes.to_crs(27700)."
        raise MeasureError(Problem("The shapes are not in metres.", value=found, expected="EPSG:27700", mend=mend))
    empty = (geometry.isna() | geometry.is_empty).to_numpy()
    polygons = geometry.geom_type.isin(["Polygon", "MultiPolygon"]).to_numpy()
    faults = {
        "Areas without a shape.": empty,
        "Areas whose shape is not a polygon.": ~polygons & ~empty,
        "Areas whose shape crosses itself.": polygons & ~empty & ~geometry.is_valid.to_numpy(),
    }
    problems = []
    for what, bad in faults.items():
        named = [str(codes[i]) for i in np.flatnonzero(bad)]
        if named:
            problems.append(
                Problem(what, value=named[:SHOWN], expected="" if len(named) <= SHOWN else f"0, not {len(named)}")
            )
    if problems:
        raise MeasureError(*problems)
    return codes, geometry
