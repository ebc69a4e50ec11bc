"""Do like areas lie together, and where? Moran's I for all areas and for each, and Kulldorff's scan for clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import ndtr
from scipy.stats import false_discovery_control

from geo.columns import (
    FEW_AREAS,
    MISSING,
    NO_NEIGHBOURS,
    NO_VARIATION,
    Model,
    aligned,
    counted,
    in_order_of,
)
from geo.neighbours import Neighbours
from geo.scan import Scan, between_variation, scan
from jsna.errors import MeasureError, Problem

__all__ = [
    "Moran",
    "Scan",
    "between_variation",
    "local_moran",
    "local_moran_of_rates",
    "morans_i",
    "morans_i_of_rates",
    "scan",
    "standardised_rates",
]

SEED = 20250101
FEWEST_AREAS, FEWEST_PERMUTATIONS = 4, 999
CELLS_AT_ONCE = 4_000_000
QUADRANTS = ("high among high", "low among low", "high among low", "low among high")
NOT_FOUND = "not beyond chance"


@dataclass(frozen=True)
class Moran:
    """Moran's I: ``i`` and what chance gives (``expected``, ``sd``), its distance ``z`` from that, both p-values
    (two-sided), how many ``areas`` it rests on, the codes ``left_out``, ``permutations``, ``seed`` and ``status``."""

    i: float
    expected: float
    sd: float
    z: float
    p_analytic: float
    p_permutation: float
    areas: int
    left_out: tuple[str, ...]
    permutations: int
    seed: int
    status: str


def morans_i(values: ArrayLike, neighbours: Neighbours, *, permutations: int = 999, seed: int = SEED) -> Moran:
    """Are neighbours more alike than areas put down anywhere? From about -1 (unlike) over 0 (chance) to 1 (alike).

    ``values``: any numbers, one an area, in the order of ``neighbours.codes``. I = Σ z · (mean of neighbours' z) / Σ
    z², z from the mean. Areas with a missing value or without a neighbour take no part and are named. ``p_analytic``:
    normal approximation with the variance under randomisation; ``p_permutation``: from ``permutations`` (at least 999)
    shuffles with ``seed``, twice the smaller tail, the found order counted in. The order of rows does not matter. Fewer
    than 4 areas, or all alike: missing, with a status. Not for rates of areas of unequal size: ``morans_i_of_rates``.

    Source: Moran 1950; Cliff and Ord 1981.

    >>> from geo.neighbours import from_pairs
    >>> row = from_pairs("ABCD", [("A", "B"), ("B", "C"), ("C", "D")])
    >>> round(morans_i([1, 2, 3, 4], row).i, 3)
    0.4
    """
    (z,) = aligned(values)[:1]
    in_order_of(neighbours.codes, aligned(values)[-1], len(z))
    return _global(z, neighbours, permutations, seed)


def morans_i_of_rates(
    count: ArrayLike,
    total: ArrayLike,
    neighbours: Neighbours,
    *,
    model: Model = "binomial",
    permutations: int = 999,
    seed: int = SEED,
) -> Moran:
    """The same for rates, each standardised first by what chance does to it, so that small areas do not decide.

    ``count`` of ``total`` as in ``standardised_rates``; areas of total 0 take no part.

    Source: Assunção and Reis 1999.
    """
    z, _, index = _standardised(count, total, model)
    in_order_of(neighbours.codes, index, len(z))
    return _global(z, neighbours, permutations, seed)


def local_moran(
    values: ArrayLike, neighbours: Neighbours, *, permutations: int = 9_999, seed: int = SEED, level: float = 0.05
) -> pd.DataFrame:
    """Which areas lie among areas like, or unlike, themselves, more than chance would have it?

    ``values`` as in ``morans_i``. Returns one row an area, in the order given: ``z`` (SDs from the mean), ``lag`` (mean
    z of its neighbours), ``local_i`` = z · lag (their mean is Moran's I), ``quadrant`` ("high among high", "low among
    low", "high among low", "low among high"; empty where one is exactly the mean), ``p`` (two-sided: its neighbours
    against as many of the other areas drawn at random), ``q`` (Benjamini-Hochberg over areas), ``cluster`` (the
    quadrant where q ≤ ``level``, else "not beyond chance") and ``status``. An area with a missing value, or without a
    neighbour that has one, is missing. With 999 permutations no p is under 0.002, too coarse for q over a hundred
    areas: hence 9,999. "Low among high" may be one odd area or one odd count: look before naming it.

    Source: Anselin 1995; Caldas de Castro and Singer 2006.

    >>> from geo.neighbours import from_pairs
    >>> row = from_pairs("ABCD", [("A", "B"), ("B", "C"), ("C", "D")])
    >>> local_moran([1, 2, 3, 4], row)["quadrant"].tolist()
    ['low among low', 'low among low', 'high among high', 'high among high']
    """
    z, index = aligned(values)
    in_order_of(neighbours.codes, index, len(z))
    return _local(z, np.where(np.isfinite(z), "", MISSING).astype(object), index, neighbours, permutations, seed, level)


def local_moran_of_rates(
    count: ArrayLike,
    total: ArrayLike,
    neighbours: Neighbours,
    *,
    model: Model = "binomial",
    permutations: int = 9_999,
    seed: int = SEED,
    level: float = 0.05,
) -> pd.DataFrame:
    """The same for rates, each standardised first (``standardised_rates``); areas of total 0 say "no data".

    Source: Anselin 1995; Assunção and Reis 1999.
    """
    z, status, index = _standardised(count, total, model)
    in_order_of(neighbours.codes, index, len(z))
    return _local(z, status, index, neighbours, permutations, seed, level)


def standardised_rates(count: ArrayLike, total: ArrayLike, *, model: Model = "binomial") -> pd.DataFrame:
    """How far is each rate from the mean, in units of what chance and true differences do to an area of its size?

    One row an area: ``count`` of ``total``, whole numbers (``model="poisson"``: events and the number expected).
    Returns ``z`` = (rate - m) / √(a + m/total) and ``status``; m and a as in Marshall's smoothing, a under 0 taken as 0
    for all areas (Assunção and Reis do so only where a + m/total is under 0, which lets a size just above that
    dominate).

    Source: Assunção and Reis 1999.

    >>> standardised_rates([0, 10, 20], [100, 100, 100])["z"].round(4).tolist()
    [-1.2247, 0.0, 1.2247]
    """
    z, status, index = _standardised(count, total, model)
    return pd.DataFrame({"z": z, "status": status}, index=index)


def _standardised(count: ArrayLike, total: ArrayLike, model: Model) -> tuple[NDArray, NDArray, pd.Index]:
    x, n, status, index = counted(count, total, model)
    good = status == ""
    if not good.any() or not x[good].sum():
        z = np.where(good, 0.0, np.nan)  # all alike: nothing varies
        return z, status, index
    x, n = np.where(good, x, np.nan), np.where(good, n, np.nan)
    mean, rate = np.nansum(x) / np.nansum(n), x / n
    between = max(0.0, np.nansum(n * (rate - mean) ** 2) / np.nansum(n) - mean * good.sum() / np.nansum(n))
    return (rate - mean) / np.sqrt(between + mean / n), status, index


def _taking_part(z: NDArray, neighbours: Neighbours) -> tuple[NDArray, sparse.csr_array]:
    """Places of the areas with a value and a neighbour that has one, in the order of codes, and the matrix of means."""
    known = np.isfinite(z)
    links = neighbours.matrix.multiply(known[:, None]).multiply(known[None, :]).tocsr()
    degree = links.sum(axis=1)
    rows = np.flatnonzero(degree > 0)
    rows = rows[np.argsort(np.array([str(neighbours.codes[i]) for i in rows]), kind="stable")]
    return rows, (sparse.diags_array(1 / degree[rows]) @ links[rows][:, rows]).tocsr()


def _checked(permutations: int) -> None:
    if permutations < FEWEST_PERMUTATIONS:
        raise MeasureError(
            Problem("Too few permutations.", value=permutations, expected=f"{FEWEST_PERMUTATIONS} or more")
        )


def _unusable(z: NDArray) -> str:
    if len(z) < FEWEST_AREAS:
        return FEW_AREAS
    return NO_VARIATION if np.ptp(z) <= 1e-12 * np.abs(z).max() else ""


def _two_sided(at_least: NDArray | int, at_most: NDArray | int, permutations: int) -> NDArray:
    return np.minimum(1.0, 2 * (np.minimum(at_least, at_most) + 1) / (permutations + 1))


def _global(values: NDArray, neighbours: Neighbours, permutations: int, seed: int) -> Moran:
    _checked(permutations)
    rows, average = _taking_part(values, neighbours)
    taking = set(rows.tolist())
    left_out = tuple(code for i, code in enumerate(neighbours.codes) if i not in taking)
    z, status = values[rows], _unusable(values[rows])
    if status:
        return Moran(*[np.nan] * 6, len(rows), left_out, permutations, seed, status)
    z = z - z.mean()
    squares, n = z @ z, len(z)
    i, expected, sd = float(z @ (average @ z) / squares), -1 / (n - 1), _sd_under_randomisation(z, average)
    random, at_least, at_most = np.random.default_rng(seed), 0, 0
    for start in range(0, permutations, size := max(1, CELLS_AT_ONCE // n)):
        shuffled = random.permuted(np.tile(z, (min(size, permutations - start), 1)), axis=1)
        chance = np.einsum("pi,ip->p", shuffled, average @ shuffled.T) / squares
        at_least += int((chance >= i - 1e-12).sum())
        at_most += int((chance <= i + 1e-12).sum())
    distance = (i - expected) / sd if sd > 0 else np.nan
    p = float(_two_sided(at_least, at_most, permutations))
    return Moran(i, expected, sd, distance, float(2 * ndtr(-abs(distance))), p, n, left_out, permutations, seed, "")


def _sd_under_randomisation(z: NDArray, average: sparse.csr_array) -> float:
    """The standard deviation of I over all orders of the values (Cliff and Ord 1981), rows of weights summing to 1."""
    n = len(z)
    both = average + average.T
    s1, s2 = float((both.data**2).sum() / 2), float(((1 + average.sum(axis=0)) ** 2).sum())
    kurtosis = n * (z**4).sum() / (z @ z) ** 2
    first = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * n**2)
    second = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * n**2)
    square = (first - second) / ((n - 1) * (n - 2) * (n - 3) * n**2) - 1 / (n - 1) ** 2
    return float(np.sqrt(max(square, 0.0)))


def _local(values, status, index, neighbours: Neighbours, permutations: int, seed: int, level: float) -> pd.DataFrame:
    _checked(permutations)
    rows, average = _taking_part(values, neighbours)
    frame = pd.DataFrame({c: np.full(len(values), np.nan) for c in ("z", "lag", "local_i", "p", "q")})
    quadrant, cluster = np.full(len(values), "", dtype=object), np.full(len(values), "", dtype=object)
    alone = np.ones(len(values), dtype=bool)
    alone[rows] = False
    status = np.where((status == "") & alone, NO_NEIGHBOURS, status).astype(object)
    fault = _unusable(values[rows])
    if fault:
        status[rows] = fault
    else:
        z = (values[rows] - values[rows].mean()) / values[rows].std()
        lag = average @ z
        p = _conditional_p(z, lag, np.diff(average.indptr), permutations, seed)
        frame.loc[rows, ["z", "lag", "local_i", "p"]] = np.column_stack([z, lag, z * lag, p])
        frame.loc[rows, "q"] = false_discovery_control(p, method="bh")
        zero_z, zero_lag = np.abs(z) < 1e-12, np.abs(lag) < 1e-12
        sides = [(z > 0) & (lag > 0), (z < 0) & (lag < 0), (z > 0) & (lag < 0), (z < 0) & (lag > 0)]
        quadrant[rows] = np.where(zero_z | zero_lag, "", np.select(sides, QUADRANTS, default=""))
        cluster[rows] = np.where(frame.loc[rows, "q"] <= level, quadrant[rows], NOT_FOUND)
    frame = frame.assign(quadrant=quadrant, cluster=cluster, status=status).set_axis(index, axis=0)
    return frame[["z", "lag", "local_i", "quadrant", "p", "q", "cluster", "status"]]


def _conditional_p(z: NDArray, lag: NDArray, degree: NDArray, permutations: int, seed: int) -> NDArray:
    """Two-sided p of each lag: its area stays, its neighbours are drawn from the others without replacement.

    The draws are places among n - 1, the same for every area, each skipping its own place.
    """
    random, n, most = np.random.default_rng(seed), len(z), int(degree.max())
    at_least, at_most = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for start in range(0, permutations, size := max(1, CELLS_AT_ONCE // n)):
        keys = random.random((min(size, permutations - start), n - 1))
        drawn = np.argpartition(keys, most - 1, axis=1)[:, :most] if most < n - 1 else np.argsort(keys, axis=1)
        # A partition is not in random order; the order of the keys is.
        drawn = np.take_along_axis(drawn, np.argsort(np.take_along_axis(keys, drawn, axis=1), axis=1), axis=1)
        for area in range(n):
            places = drawn[:, : degree[area]]
            chance = z[places + (places >= area)].mean(axis=1)
            at_least[area] += (chance >= lag[area] - 1e-12).sum()
            at_most[area] += (chance <= lag[area] + 1e-12).sum()
    return _two_sided(at_least, at_most, permutations)
