"""An attacker for the tests of joint suppression: it shares nothing with the engine but the sums that hold."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog


class Attacker:
    """The least and the most that a cell may be, from what is shown: scipy, a cell at a time, nothing of the engine."""

    def __init__(self, pattern):
        system = pattern.system
        self.counts = system.cells.unseal("to attack")["count"].to_numpy(float)
        known = (system.shown & ~pattern.hidden) | system.structural | system.official
        self.bounds = np.column_stack([np.where(known, self.counts, 0), np.where(known, self.counts, np.inf)])
        self.sums, self.right = system.relations, system.relations @ self.counts

    def limit(self, cell, sign):
        aim = np.zeros(len(self.counts))
        aim[cell] = -sign
        found = linprog(aim, A_eq=self.sums, b_eq=self.right, bounds=self.bounds, method="highs")
        return sign * np.inf if found.status in (3, 4) else self.counts[cell] if found.x is None else found.x[cell]


def unsafe_cells(pattern, threshold=5, protection=3):
    """Each cell that is not protected as it should be."""
    attacker, system = Attacker(pattern), pattern.system
    counts = attacker.counts
    small = (counts < threshold) & ~system.structural & ~system.official
    for cell in np.flatnonzero(small):
        too_low = attacker.limit(cell, 1) < max(threshold, counts[cell] + protection) - 1e-4
        if too_low or (counts[cell] and attacker.limit(cell, -1) > max(counts[cell] - protection, 0) + 1e-4):
            yield cell
    for cell in np.flatnonzero(pattern.companions):
        if attacker.limit(cell, 1) - attacker.limit(cell, -1) < protection - 1e-4:
            yield cell


def assert_safe(pattern, threshold=5, protection=3):
    assert not list(unsafe_cells(pattern, threshold, protection))
