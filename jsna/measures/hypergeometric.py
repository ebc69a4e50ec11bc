"""Tables of two by two whose margins are held: how likely is each, on many tables at once?

A table is a group's ``x1`` of ``n1`` and its comparator's ``x0`` of ``n0``. With the margins held, the tables that are
possible differ by j pupils who move between the cells, and their weights follow from one another by a product of whole
numbers, so that nothing cancels at 9 million pupils. Rows are worked in blocks of like width, which bounds the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK_CELLS = 1_000_000
_FAR = 400  # with an expected number under 5, a count beyond this has a chance under 1e-300
_TIE = 1e-10
_SHORTEST_REACH = 100
_REACH_IN_DEVIATIONS = 20
_STEPS = 200
_CLOSE = 1e-13
_WIDEST = 80.0  # log odds ratio beyond any that counts to 9 million can give


def fisher_p_value(x1: NDArray, n1: NDArray, x0: NDArray, n0: NDArray) -> NDArray:
    """The chance of a table no likelier than the one found. For tables whose smallest expected number is under 5.

    Counted in the cell of the smaller group and the rarer outcome, whose expected number is the smallest.
    """
    identified, pupils = x1 + x0, n1 + n0
    other = 2 * identified > pupils
    cell = np.where(n1 <= n0, np.where(other, n1 - x1, x1), np.where(other, n0 - x0, x0))
    row, column = np.minimum(n1, n0), np.minimum(identified, pupils - identified)
    answer = np.empty(len(x1))
    for rows, reach in _blocks(np.minimum(np.minimum(row, column), _FAR)):
        answer[rows] = _no_likelier(cell[rows], row[rows], column[rows], pupils[rows], reach)
    return answer


def _no_likelier(cell: NDArray, row: NDArray, column: NDArray, pupils: NDArray, reach: int) -> NDArray:
    weights = np.concatenate(
        [np.zeros((len(cell), 1)), _log_weights(row, column, 0 * row, pupils - row - column, reach)], axis=1
    )
    found = np.take_along_axis(weights, np.minimum(cell, reach).astype(np.intp)[:, None], axis=1)
    chances = np.exp(weights - weights.max(axis=1, keepdims=True))
    p = np.where(weights <= found + _TIE, chances, 0).sum(axis=1) / chances.sum(axis=1)
    return np.where(cell > reach, 0.0, np.minimum(p, 1.0))


def _log_weights(giver: NDArray, other_giver: NDArray, taker: NDArray, other_taker: NDArray, reach: int) -> NDArray:
    """Log weights, against the table given, of those with 1 to ``reach`` pupils moved from givers to takers."""
    j = np.arange(1, reach + 1)
    giver, other_giver, taker, other_taker = (a[:, None] for a in (giver, other_giver, taker, other_taker))
    with np.errstate(divide="ignore"):
        steps = np.log(np.maximum(giver - j + 1, 0) * np.maximum(other_giver - j + 1, 0))
    return np.cumsum(steps - np.log((taker + j) * (other_taker + j)), axis=1)


def conditional_odds_ratio(
    x1: NDArray, n1: NDArray, x0: NDArray, n0: NDArray, tail: float
) -> tuple[NDArray, NDArray, NDArray]:
    """The likeliest odds ratio given the margins, and the two at which the table found is in a tail of chance ``tail``.

    Each table needs more than one that is possible. 0 and infinity where the table found is the first or the last.
    """
    a, b, c, d = x1, n1 - x1, x0, n0 - x0
    most = 1 / sum(1 / (cell + _SHORTEST_REACH / 2) for cell in (a, b, c, d))
    reach = np.minimum(
        _SHORTEST_REACH + _REACH_IN_DEVIATIONS * np.sqrt(most), np.maximum(np.minimum(a, d), np.minimum(b, c))
    )
    answer = np.empty((3, len(x1)))
    for rows, width in _blocks(reach):
        answer[:, rows] = _solve_block(a[rows], b[rows], c[rows], d[rows], width, tail)
    first, last = np.minimum(a, d) == 0, np.minimum(b, c) == 0
    answer[:2, first], answer[::2, last] = 0.0, np.inf
    return answer[0], answer[1], answer[2]


def _solve_block(a: NDArray, b: NDArray, c: NDArray, d: NDArray, reach: int, tail: float) -> NDArray:
    """Odds ratio, lower and upper limit, of the tables of one block."""
    up, down = _log_weights(b, c, a, d, reach), _log_weights(a, d, b, c, reach)
    weights = np.concatenate([down[:, ::-1], np.zeros((len(a), 1)), up], axis=1)
    moved = np.arange(-reach, reach + 1.0)
    start = np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    upper_half, lower_half = moved >= 0, moved <= 0

    def mean(chances: NDArray) -> tuple[NDArray, NDArray]:
        centre = chances @ moved
        return centre, chances @ moved**2 - centre**2

    def over(half: NDArray, sign: int) -> Callable[[NDArray], tuple[NDArray, NDArray]]:
        def log_chance(chances: NDArray) -> tuple[NDArray, NDArray]:
            inside = chances[:, half]
            chance = inside.sum(axis=1)
            slope = inside @ moved[half] / chance - chances @ moved
            return sign * (np.log(chance) - np.log(tail)), sign * slope

        return log_chance

    solutions = [_root(weights, moved, start, f) for f in (mean, over(upper_half, 1), over(lower_half, -1))]
    return np.exp(solutions)


def _root(weights: NDArray, moved: NDArray, start: NDArray, function: Callable) -> NDArray:
    """The log odds ratio at which a growing function of the chances is 0: Newton's steps, halved where one leaps."""
    low, high, at = np.full_like(start, -_WIDEST), np.full_like(start, _WIDEST), start
    for _ in range(_STEPS):
        tilted = weights + at[:, None] * moved
        chances = np.exp(tilted - tilted.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            value, slope = function(chances)
            step = at - value / slope
        low, high = np.where(value <= 0, at, low), np.where(value > 0, at, high)
        following = np.where((step > low) & (step < high), step, (low + high) / 2)
        done = np.abs(following - at) <= _CLOSE * np.maximum(1, np.abs(at))
        at = following
        if done.all():
            break
    return at


def _blocks(reach: NDArray) -> Iterator[tuple[NDArray, int]]:
    """Rows whose reach is alike, as many at once as fit, with a reach that holds for all of them."""
    power = np.ceil(np.log2(np.maximum(reach, 1))).astype(int)
    for exponent in np.unique(power):
        rows = np.flatnonzero(power == exponent)
        width = int(np.ceil(reach[rows].max())) or 1
        yield from ((part, width) for part in np.array_split(rows, -(-len(rows) * (2 * width + 1) // _BLOCK_CELLS)))
