"""A reader of rounded counts for the tests: scipy, a cell at a time, nothing of the module under test."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

NEAR = 1e-4


class Reader:
    """The least and the most that a count may be, from what is shown whole, what is shown rounded, and all sums."""

    def __init__(self, pattern, base):
        system = pattern.system
        self.counts = system.cells.unseal("to attack")["count"].to_numpy(float)
        known = (system.shown & ~pattern.hidden) | system.structural | system.official
        self.bounds = np.column_stack([np.where(known, self.counts, 0), np.where(known, self.counts, np.inf)])
        for cell in np.flatnonzero(base):
            self.bounds[cell] = _same_when_rounded(int(self.counts[cell]), int(base[cell]))
        self.sums, self.right = system.relations, system.relations @ self.counts

    def limits(self, cell):
        return tuple(self._limit(cell, sign) for sign in (-1, 1))

    def _limit(self, cell, sign):
        aim = np.zeros(len(self.counts))
        aim[cell] = -sign
        found = linprog(aim, A_eq=self.sums, b_eq=self.right, bounds=self.bounds, method="highs")
        return sign * np.inf if found.status in (3, 4) else self.counts[cell] if found.x is None else found.x[cell]


def known_too_well(pattern, base, threshold=5, protection=3):
    """Each guarded count with its limits, where these are closer than promised, and closer than with all hidden."""
    system, reader, before = pattern.system, Reader(pattern, base), Reader(pattern, np.zeros(len(base)))
    small = (reader.counts < threshold) & ~system.structural & ~system.official
    found = {}
    for cell in np.flatnonzero(small | (pattern.companions & (base == 0))):
        low, high = reader.limits(cell)
        asked = (0, max(threshold, reader.counts[cell] + protection)) if small[cell] else (np.inf, -np.inf)
        apart = 0 if small[cell] else protection
        if low > asked[0] + NEAR or high < asked[1] - NEAR or high - low < apart - NEAR:
            first = before.limits(cell)
            worse = low > max(asked[0], first[0]) + NEAR or high < min(asked[1], first[1]) - NEAR
            if worse or high - low < min(apart, first[1] - first[0]) - NEAR:
                found[int(cell)] = (low, high, *first)
    return found


def _same_when_rounded(count, base):
    """The least and the most of the whole numbers that are rounded to the same multiple, the half upwards."""
    multiple = int(np.floor(count / base + 0.5))
    same = [n for n in range(max(count - base, 0), count + base + 1) if int(np.floor(n / base + 0.5)) == multiple]
    return same[0], same[-1]
