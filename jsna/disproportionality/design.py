"""Design effects: by how much schools and repeated pupils widen a variance, steadied over groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEWEST_FOR_A_LINE, _LINE_ROUNDS, _LINE_REACH = 4, 8, 2.0


def steadied(own: NDArray, size: NDArray, sure: NDArray, floor: float) -> NDArray:
    """The design effect of each group, steadied by a line in its size, and nowhere under ``floor``.

    Of a single group an effect is uncertain: where it is ``sure`` (enough events), its log is averaged with that of the
    line, fitted over those groups; other groups take the line.
    """
    at = np.maximum(line(own[sure], size[sure], size), floor) if sure.any() else np.full(len(size), floor)
    return np.maximum(np.where(sure, np.sqrt(np.where(sure, own, 1.0) * at), at), floor)


def line(effect: NDArray, size: NDArray, wanted: NDArray) -> NDArray:
    """Design effects at the sizes ``wanted``: a + b · size, neither below 0, with errors in proportion to the effect.

    A design effect grows in a straight line with the pupils that a group has in each school (Kish). One group that sits
    in a single school must not widen everybody's interval: effects further than a factor of 2 from the line count as
    at that factor.
    """
    from scipy.optimize import nnls

    if len(effect) < _FEWEST_FOR_A_LINE or np.ptp(size) == 0:
        return np.full(len(wanted), effect.mean())
    unit = size.mean()
    columns, fitted = np.column_stack([np.ones(len(size)), size / unit]), np.full(len(size), np.median(effect))
    for _ in range(_LINE_ROUNDS):
        (start, slope), _ = nnls(columns / fitted[:, None], np.clip(effect / fitted, 1 / _LINE_REACH, _LINE_REACH))
        fitted = start + slope * size / unit
    return start + slope * wanted / unit
