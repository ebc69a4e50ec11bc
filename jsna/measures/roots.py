"""Where many functions cross zero, all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_STEPS = 200
_RELATIVE, _ABSOLUTE = 1e-14, 1e-15


def crossing(function: Callable[[NDArray, NDArray], NDArray], first: NDArray, second: NDArray) -> NDArray:
    """For each row the place between ``first`` and ``second`` at which ``function`` changes its sign.

    ``function(at, rows)`` gives the values of the rows numbered ``rows`` at the places ``at``; infinite values are
    allowed. Its sign must differ at the two ends; a row in which an end is missing stays missing. Rows that are found
    are not asked again.

    Source: Chandrupatla 1997: inverse quadratic steps where they are safe, halving elsewhere.

    >>> crossing(lambda at, rows: at**2 - np.array([2.0, 9.0])[rows], np.zeros(2), np.full(2, 10.0)).round(6).tolist()
    [1.414214, 3.0]
    """
    answer = np.full(len(first), np.nan)
    rows = np.flatnonzero(~(np.isnan(first) | np.isnan(second)))
    x1, x2 = first[rows], second[rows]
    f1, f2 = function(x1, rows), function(x2, rows)
    x3, f3, step = x2, f2, np.full(len(rows), 0.5)
    for _ in range(_STEPS):
        at = x1 + step * (x2 - x1)
        value = function(at, rows)
        same = np.sign(value) == np.sign(f1)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = at, value
        best = np.where(np.abs(f1) < np.abs(f2), x1, x2)
        width = np.abs(x2 - x1)
        tolerance = _RELATIVE * np.abs(best) + _ABSOLUTE
        answer[rows] = np.where(f1 == 0, x1, best)
        going = (width > 2 * tolerance) & (f1 != 0)
        if not going.any():
            break
        rows, x1, x2, x3, f1, f2, f3 = (a[going] for a in (rows, x1, x2, x3, f1, f2, f3))
        least = tolerance[going] / width[going]
        step = np.clip(_inverse_quadratic(x1, x2, x3, f1, f2, f3), least, 1 - least)
    return answer


def _inverse_quadratic(x1, x2, x3, f1, f2, f3) -> NDArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        step = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi) & np.isfinite(step)
    return np.where(safe, step, 0.5)
