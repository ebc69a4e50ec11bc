"""How far hidden counts could be from the truth for all that a reader can tell: linear programmes over all sums.

A movement is a change of counts after which every sum still holds, nobody is fewer than none, and nothing that is
shown has changed. Whoever sees only what is shown cannot tell the two worlds apart, so that a hidden count is at least
as uncertain as the furthest movement found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
TINY = 1e-7
# Hidden cells cost a little, so that a movement is short and its weights are plain.
ALMOST_FREE = 1e-3


class Movements:
    """Movements of the cells of one world among ``allowed``, the cheapest first; one is found after another.

    ``low`` and ``high`` (one a cell) are the furthest each cell is known to be able to fall and rise, by movements
    that touch only cells of ``used``. ``used`` grows by what each movement touches.
    """

    def __init__(self, relations: sparse.csr_array, counts: Floats, cost: Floats, allowed, used) -> None:
        self.counts, self.used = counts, used.copy()
        self.low, self.high = np.zeros(len(counts)), np.zeros(len(counts))
        self._relations = relations
        self._cost = cost
        self._allow(allowed)

    def _allow(self, allowed) -> None:
        import highspy

        self._columns = np.flatnonzero(allowed)
        self._at = np.full(len(self.counts), -1)
        self._at[self._columns] = np.arange(len(self._columns))
        rows = sparse.csr_array(self._relations[:, self._columns])
        self._rows = sparse.csr_array(rows[np.diff(rows.indptr) > 0])
        matrix = sparse.csc_array(sparse.hstack([self._rows, -self._rows]))
        here = self.counts[self._columns]
        cost = np.where(self.used, ALMOST_FREE, self._cost)[self._columns]
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = matrix.shape[1], matrix.shape[0]
        model.col_cost_ = np.r_[cost, cost]
        model.col_lower_ = np.zeros(matrix.shape[1])
        model.col_upper_ = np.r_[np.full(len(here), np.inf), here]
        model.row_lower_ = model.row_upper_ = np.zeros(matrix.shape[0])
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
        model.a_matrix_.value_ = matrix.data
        self._highs = highspy.Highs()
        # One thread and no presolve: the same answer every time, each search begun where the last one ended.
        for option, value in {"output_flag": False, "threads": 1, "presolve": "off", "random_seed": 0}.items():
            self._highs.setOptionValue(option, value)
        self._highs.passModel(model)
        self._optimal = highspy.HighsModelStatus.kOptimal

    def allow(self, allowed) -> None:
        """From now on these cells may move."""
        self._allow(allowed)

    def move(self, cell: int, by: float) -> bool:
        """Find the cheapest movement that changes a cell by ``by`` at least; ``False`` if there is none."""
        n, at = len(self._columns), int(self._at[cell])
        if at < 0:
            return False
        forced, barred = (at, at + n) if by > 0 else (at + n, at)
        upper = np.inf if by > 0 else self.counts[cell]
        self._highs.changeColBounds(forced, abs(by), upper)
        self._highs.changeColBounds(barred, 0.0, 0.0)
        self._highs.run()
        found = self._highs.getModelStatus() == self._optimal
        values = np.asarray(self._highs.getSolution().col_value)
        self._highs.changeColBounds(at, 0.0, np.inf)
        self._highs.changeColBounds(at + n, 0.0, self.counts[cell])
        return found and self._take(values[:n] - values[n:])

    def _take(self, change: Floats) -> bool:
        """Take a movement in, after checking it; ``False`` if it is none."""
        change = np.where(np.abs(change) < TINY, 0.0, change)
        here = self.counts[self._columns]
        if np.abs(self._rows @ change).max(initial=0) > 1e-5 or (here + change).min(initial=0) < -1e-5:
            return False
        touched = change != 0
        # A movement can be carried on, or turned round, until somebody is fewer than none.
        on, back = _furthest(here, change), _furthest(here, -change)
        self.high[self._columns] = np.maximum(self.high[self._columns], np.maximum(on * change, -back * change))
        self.low[self._columns] = np.minimum(self.low[self._columns], np.minimum(on * change, -back * change))
        new = self._columns[touched & ~self.used[self._columns]]
        if len(new):
            self.used[new] = True
            at = self._at[new]
            both = np.r_[at, at + len(self._columns)].astype(np.int32)
            self._highs.changeColsCost(len(both), both, np.full(len(both), ALMOST_FREE))
        return True


def _furthest(counts: Floats, change: Floats) -> float:
    falling = change < 0
    return float(np.min(counts[falling] / -change[falling])) if falling.any() else 1.0
