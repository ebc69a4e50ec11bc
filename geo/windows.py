"""Circular windows of the scan statistic: which areas they hold, how unlikely their counts are, and chance's best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from geo.columns import Model

Direction = Literal["high", "low", "both"]
CELLS_AT_ONCE = 4_000_000
NEAR = 1e-9


@dataclass(frozen=True, eq=False)
class Windows:
    """Different circles of areas: ``members`` (windows × areas, 0 or 1), the area at the ``centre`` and ``radius``."""

    members: NDArray[np.float32]
    centre: NDArray[np.intp]
    radius: NDArray


def circles(points: NDArray, size: NDArray, most: float) -> Windows:
    """All circles around a point that hold at most ``most`` of all ``size``; each set of areas once.

    ``points``: areas × 2. Areas equally far from the centre come in together, so that their order decides nothing. Of
    circles with the same areas the smallest is kept, and of equally small ones the first.
    """
    apart = np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
    order = np.argsort(apart, axis=1, kind="stable")
    far = np.take_along_axis(apart, order, axis=1)
    within = np.cumsum(size[order], axis=1) <= most * size.sum() * (1 + NEAR)
    ends = np.ones_like(within)
    ends[:, :-1] = far[:, 1:] > far[:, :-1] + NEAR * (1 + far[:, :-1])
    centre, last = np.nonzero(within & ends)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(size))[None, :], axis=1)
    members = rank[centre] <= last[:, None]
    smallest = np.lexsort((centre, far[centre, last]))
    packed = np.packbits(members[smallest], axis=1)
    _, first = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True) if len(packed) else (0, [])
    kept = smallest[np.sort(np.asarray(first, dtype=np.intp))]
    return Windows(members[kept].astype(np.float32), centre[kept], far[centre[kept], last[kept]])


def log_likelihood_ratio(
    inside: NDArray, all_events: NDArray | float, size: NDArray, all_size: float, model: Model, direction: Direction
) -> NDArray:
    """Kulldorff's log of the likelihood ratio: one risk inside a window and another outside, against the same in both.

    ``inside``: events in each window (rows) and data set (columns); ``all_events``: of each data set; ``size``: people
    or expected events in each window (a column), of ``all_size`` together. 0 where the risk inside is not on the side
    of ``direction``.
    """
    outside, rest = all_events - inside, all_size - size
    if model == "binomial":
        ratio = _binomial(inside, size) + _binomial(outside, rest) - _binomial(all_events, all_size)
    else:
        expected, left = size * all_events / all_size, rest * all_events / all_size
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = xlogy(inside, inside / expected) + xlogy(outside, outside / left)
    if direction != "both":
        higher = inside * rest - outside * size
        ratio = np.where((higher > 0) if direction == "high" else (higher < 0), ratio, 0.0)
    return np.maximum(np.nan_to_num(ratio), 0.0)


def _binomial(events: NDArray | float, people: NDArray | float) -> NDArray:
    """The highest log-likelihood of so many events among so many people."""
    return xlogy(events, events) + xlogy(people - events, people - events) - xlogy(people, people)


def chance_counts(
    events: int, size: NDArray, model: Model, simulations: int, seed: int, variation: float = 0.0
) -> NDArray:
    """Counts (areas × simulations) that chance alone would give if no place differed.

    Without ``variation`` as many events as there are, dealt out among people (binomial) or by expectation (poisson).
    With it each area first draws a risk of its own, independent of where it lies, with this coefficient of variation.
    """
    random = np.random.default_rng(seed)
    if not variation:
        if model == "binomial":
            return random.multivariate_hypergeometric(size.astype(np.int64), events, simulations, method="marginals").T
        return random.multinomial(events, size / size.sum(), simulations).T
    shape = (len(size), simulations)
    risk = events / size.sum()
    if model == "poisson":
        own = random.gamma(1 / variation**2, variation**2 * risk, shape)
        return random.poisson(size[:, None] * own)
    spread = max((1 - risk) / (risk * variation**2) - 1, 1e-6)
    own = random.beta(risk * spread, (1 - risk) * spread, shape)
    return random.binomial(size.astype(np.int64)[:, None], own)


def highest_by_chance(windows: Windows, counts: NDArray, size: NDArray, model: Model, direction: Direction) -> NDArray:
    """The largest ratio over all windows in each column of ``counts``."""
    in_window = (windows.members.astype(np.float64) @ size)[:, None]
    totals, best = counts.sum(axis=0).astype(np.float64), np.zeros(counts.shape[1])
    rows = max(1, CELLS_AT_ONCE // counts.shape[1])
    exact = counts.sum(axis=0).max() < 2**24  # whole numbers that single precision adds up without loss
    counts = counts.astype(np.float32 if exact else np.float64)
    for start in range(0, len(windows.members), rows):
        part = slice(start, start + rows)
        inside = (windows.members[part].astype(counts.dtype) @ counts).astype(np.float64)
        found = log_likelihood_ratio(inside, totals, in_window[part], float(size.sum()), model, direction)
        best = np.maximum(best, found.max(axis=0))
    return best
