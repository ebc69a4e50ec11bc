"""Kulldorff's circular scan statistic: the places where a risk is highest or lowest, and whether chance would do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.columns import ALL_EVENTS, FEW_AREAS, NO_EVENTS, NO_WINDOW, NOBODY, Model, counted
from geo.windows import Direction, Windows, chance_counts, circles, highest_by_chance, log_likelihood_ratio
from jsna.errors import MeasureError, Problem

SEED = 20250101
FEWEST_SIMULATIONS, MOST_CLUSTERS = 99, 5
COLUMNS = ["centre", "areas", "n_areas", "radius_m", "direction", "count", "total", "expected", "ratio", "llr", "p"]


@dataclass(frozen=True, eq=False)
class Scan:
    """What the scan found.

    ``clusters``: the most likely cluster (row 1) and up to four more that share no area with a likelier one: ``centre``
    (name of the area in the middle), ``areas`` (names), ``n_areas``, ``radius_m``, ``direction`` ("high" or "low"),
    ``count``, ``total``, ``expected`` (count if the risk were the same everywhere), ``ratio`` (risk inside over risk
    outside), ``llr`` and ``p``. ``areas``: aligned with the columns: ``cluster`` (its number where p ≤ ``level``, else
    0) and ``status``. ``windows``: how many different circles were tried. ``status``: why nothing was, or empty.
    """

    clusters: pd.DataFrame
    areas: pd.DataFrame
    windows: int
    simulations: int
    seed: int
    level: float
    status: str


def scan(
    count: ArrayLike,
    total: ArrayLike,
    points: ArrayLike,
    *,
    model: Model = "binomial",
    direction: Direction = "both",
    most: float = 0.5,
    variation: float = 0.0,
    simulations: int = 999,
    seed: int = SEED,
    level: float = 0.05,
) -> Scan:
    """Is there a place where the risk is higher or lower than elsewhere, beyond what chance gives somewhere?

    One row an area: ``count`` of ``total``, whole numbers; with ``model="poisson"`` events and the number ``total``
    expected, which can be adjusted for age, sex and deprivation (without that the scan finds the poor wards).
    ``points``: areas × 2, metres, or a GeoSeries, whose centroids are taken. Circles around each point grow until they
    hold ``most`` (above 0, up to 0.5) of all ``total``. ``direction``: "high", "low" or "both".

    p: how many of ``simulations`` data sets without any cluster, and this one, have a circle as extreme; for the second
    and later clusters that is cautious. ``variation`` is the null's coefficient of variation of areas' own risks: with
    0 chance is binomial or Poisson alone, which areas never obey (schools, streets), and p is far too small; take
    ``between_variation`` for a null of areas that differ but not by place. Areas that cannot be used, or of total 0,
    are left out and say so. No events, nothing but events, or fewer than two areas: a status and no clusters. A
    cluster's edge is rough, and only round places are looked at.

    Source: Kulldorff 1997; the null with variation after Zhang, Zhang and Lin 2012.

    >>> east = [(x, y) for x in range(5) for y in range(5)]
    >>> found = scan([30 if x < 2 and y < 2 else 10 for x, y in east], [100] * 25, east)
    >>> found.clusters[["n_areas", "direction", "count", "expected", "p"]].iloc[:1].values.tolist()
    [[4, 'high', 120, 52.8, 0.001]]
    """
    x, n, status, index = counted(count, total, model)
    place = _points(points, len(x))
    _checked(direction, most, variation, simulations)
    rows = np.flatnonzero(status == "")
    # The order of rows decides nothing, nor does rounding in a centroid.
    rows = rows[np.lexsort((n[rows], x[rows], *np.round(place[rows].T, 6)))]
    x, n, place = x[rows], n[rows], place[rows]
    lost = ~np.isfinite(place).all(axis=1)
    if lost.any():
        raise MeasureError(Problem("Areas without a place.", value=index[rows[lost]][:5].tolist()))
    windows = circles(place, n, most) if len(rows) > 1 else None
    fault = _nothing_to_scan(x, n, windows, model)
    clusters = pd.DataFrame(columns=COLUMNS)
    cluster = np.zeros(len(status), dtype=int)
    if windows is not None and not fault:
        chance = chance_counts(int(x.sum()), n, model, simulations, seed, variation)
        best = highest_by_chance(windows, chance, n, model, direction)
        clusters, members = _likeliest(windows, x, n, model, direction, best, index[rows])
        for number, areas in members.items():
            cluster[rows[areas]] = number if clusters.loc[number, "p"] <= level else 0
    areas = pd.DataFrame({"cluster": cluster, "status": status}, index=index)
    return Scan(clusters, areas, 0 if windows is None else len(windows.radius), simulations, seed, level, fault)


def between_variation(count: ArrayLike, total: ArrayLike, *, model: Model = "binomial") -> float:
    """By what share of the mean do areas' own risks vary, chance taken off? √a / m, m the mean risk.

    Columns as in ``scan``. a = Σ total·(risk - m)² / Σ total, less what chance alone puts there: m(1-m) (``poisson``:
    m) over the mean total. 0 where areas differ no more than by chance; missing without any event. A true cluster adds
    to it, so as a null for ``scan`` it is on the cautious side.

    Source: Marshall 1991 (with Poisson's variance).

    >>> round(between_variation([0, 10, 20], [100, 100, 100]), 4)
    0.7594
    """
    x, n, status, _ = counted(count, total, model)
    x, n = x[status == ""], n[status == ""]
    if not x.sum():
        return float("nan")
    mean = x.sum() / n.sum()
    chance = mean * (1 - mean) if model == "binomial" else mean
    between = (n * (x / n - mean) ** 2).sum() / n.sum() - chance * len(n) / n.sum()
    return float(np.sqrt(max(between, 0.0)) / mean)


def _checked(direction: str, most: float, variation: float, simulations: int) -> None:
    problems = []
    if direction not in ("high", "low", "both"):
        problems.append(Problem("No such direction.", value=direction, expected="high, low or both"))
    if not 0 < most <= 0.5:
        problems.append(Problem("Not a share for the largest circle.", value=most, expected="above 0, up to 0.5"))
    if not (np.isfinite(variation) and variation >= 0):
        problems.append(Problem("Not a coefficient of variation.", value=variation, expected="0 or more"))
    if simulations < FEWEST_SIMULATIONS:
        problems.append(Problem("Too few simulations.", value=simulations, expected=f"{FEWEST_SIMULATIONS} or more"))
    if problems:
        raise MeasureError(*problems)


def _points(points: ArrayLike, rows: int) -> NDArray:
    centroid = getattr(points, "centroid", None)
    place = np.asarray(points if centroid is None else np.column_stack([centroid.x, centroid.y]), dtype=np.float64)
    if place.shape != (rows, 2):
        raise MeasureError(Problem("The points do not fit the columns.", value=place.shape, expected=f"({rows}, 2)"))
    return place


def _nothing_to_scan(x: NDArray, n: NDArray, windows: Windows | None, model: Model) -> str:
    if not len(n):
        return NOBODY
    if windows is None:
        return FEW_AREAS
    if not x.sum():
        return NO_EVENTS
    if model == "binomial" and x.sum() == n.sum():
        return ALL_EVENTS
    return "" if len(windows.radius) else NO_WINDOW


def _likeliest(
    windows: Windows, x: NDArray, n: NDArray, model: Model, direction: Direction, best: NDArray, names: pd.Index
) -> tuple[pd.DataFrame, dict[int, NDArray]]:
    """The likeliest windows that share no area, with p against the best that chance gave; and whom each holds."""
    members = windows.members.astype(np.float64)
    inside, size = members @ x, members @ n
    ratio = log_likelihood_ratio(inside, x.sum(), size, n.sum(), model, direction)
    free, rows, held = np.ones(len(ratio), dtype=bool), {}, {}
    while free.any() and len(rows) < MOST_CLUSTERS:
        first = int(np.argmax(np.where(free, ratio, -1.0)))
        if ratio[first] <= 0:
            break
        areas = np.flatnonzero(members[first])
        c, m, other, rest = inside[first], size[first], x.sum() - inside[first], n.sum() - size[first]
        with np.errstate(divide="ignore"):
            times = float(np.divide(c * rest, m * other))
        p = (1 + (best >= ratio[first] - 1e-8 * (1 + ratio[first])).sum()) / (len(best) + 1)
        number = len(rows) + 1
        what = (names[windows.centre[first]], tuple(names[areas]), len(areas), float(windows.radius[first]))
        side = "high" if times > 1 else "low"
        whole = float(m) if model == "poisson" else int(m)
        rows[number] = (*what, side, int(c), whole, float(m * x.sum() / n.sum()), times, float(ratio[first]), float(p))
        held[number] = areas
        free &= members @ (members[first]) == 0
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS), held
