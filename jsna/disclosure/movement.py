"""How far hidden counts could be from the truth for all that a reader can tell: linear programmes over all sums.

A movement is a change of counts after which every sum still holds, nobody is fewer than none, and nothing that is
shown has changed. Whoever sees only what is shown cannot tell the two worlds apart, so that a hidden count is at least
as uncertain as the furthest movement found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
TINY = 1e-7
CLOSE = 1e-5
# Cells that are hidden anyway cost a little, so that a movement is short.
ALMOST_FREE = 1e-3
# After so many movements that the likely cells do not offer, all others are asked.
PATIENCE = 10
# After so many searches for a cell each, many cells are tried at once, so large a share of them a time, while that
# finds as many as pays for the search.
SINGLY = 200
SHARE = 0.7
PAYS = 10
FEWEST = 20
SEED = 0


class Movements:
    """What is known of how far the cells of one world can move, and through which.

    ``low`` and ``high`` are the furthest each cell can fall and rise by the movements found; ``used`` are the cells
    that these touch, with those that were hidden before. ``loose`` cells stand in one sum and need no protection.
    """

    def __init__(self, relations: sparse.csr_array, counts: Floats, cost: Floats, used: Mask, loose: Mask) -> None:
        self.relations, self.counts, self.cost, self.loose = relations, counts, cost, loose
        self.used, self.low, self.high = used.copy(), np.zeros(len(counts)), np.zeros(len(counts))

    def find(self, wanted: Iterable[tuple[int, float]], likely: Mask, possible: Mask) -> list[tuple[int, float]]:
        """Look for a movement of each cell by at least so much, the cheapest among the ``likely`` cells.

        Where these offer none, among all ``possible`` ones, which then become likely. Returns those not found.
        """
        within, beyond = _Programme(self, likely | self.used), _Programme(self, possible | self.used)
        waiting: list[tuple[int, float]] = []
        missing: list[tuple[int, float]] = []
        wanted, singly = list(wanted), SINGLY
        for number, (cell, by) in enumerate(wanted, 1):
            if singly >= SINGLY:
                self.find_together(wanted[number - 1 :])
                singly = 0
            if not self.reaches(cell, by):
                singly += 1
                if not within.move(cell, by):
                    waiting.append((cell, by))
            if len(waiting) >= PATIENCE or (waiting and number == len(wanted)):
                missing += [(c, b) for c, b in waiting if not self.reaches(c, b) and not beyond.move(c, b)]
                waiting, within = [], _Programme(self, likely | self.used)
        return missing

    def find_together(self, wanted: Iterable[tuple[int, float]]) -> None:
        """Look for movements of many cells at once, among those that are hidden anyhow, as long as that pays."""
        programme, random = _Programme(self, self.used), np.random.default_rng(SEED)
        left = [w for w in wanted if not self.reaches(*w)]
        while len(left) >= FEWEST:
            # Not all of them: where some rise, others must fall.
            programme.move_together([left[i] for i in np.flatnonzero(random.random(len(left)) < SHARE)])
            before, left = len(left), [w for w in left if not self.reaches(*w)]
            if before - len(left) < PAYS:
                return

    def reaches(self, cell: int, by: float) -> bool:
        """Whether a cell is known to be able to move so far."""
        return bool(self.high[cell] >= by - CLOSE if by > 0 else self.low[cell] <= by + CLOSE)

    def take(self, columns: NDArray[np.int64], change: Floats, on: float, back: float) -> None:
        """Take a movement in, that can be carried on ``on`` times and turned round ``back`` times."""
        self.high[columns] = np.maximum(self.high[columns], np.maximum(on * change, -back * change))
        self.low[columns] = np.minimum(self.low[columns], np.minimum(on * change, -back * change))
        self.used[columns[change != 0]] = True


class _Solver(highspy.Highs):
    """HiGHS without its call-backs into Python, which hold threads up, and announce the solver on the screen."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()


class _Programme:
    """The linear programme of movements among ``allowed`` cells; each search begins where the last one ended.

    Each cell is two columns, its rise and its fall. A loose cell is none: it is what its sum may be out by.
    """

    def __init__(self, movements: Movements, allowed: Mask) -> None:
        self._of = movements
        relations, counts = movements.relations, movements.counts
        self._columns = np.flatnonzero(allowed & ~movements.loose)
        self._at = np.full(len(counts), -1)
        self._at[self._columns] = np.arange(len(self._columns))
        rows = sparse.csr_array(relations[:, self._columns])
        some = np.diff(rows.indptr) > 0
        slack = relations[:, movements.loose]
        spare = np.asarray(slack @ np.ones(np.shape(slack)[1])).ravel()[some] < 0
        room = -np.asarray(slack @ counts[movements.loose]).ravel()[some]
        self._rows = sparse.csr_array(rows[some])
        self._spare, self._room = spare, room[spare]
        self._cost = np.where(movements.used, ALMOST_FREE, movements.cost)[self._columns]
        self._seen = movements.used[self._columns]
        both = sparse.csc_array(sparse.hstack([self._rows, -self._rows]))
        model = highspy.HighsLp()
        model.num_row_, model.num_col_ = both.shape
        model.col_cost_ = np.r_[self._cost, self._cost]
        model.col_lower_ = np.zeros(model.num_col_)
        model.col_upper_ = np.r_[np.full(len(self._columns), np.inf), counts[self._columns]]
        model.row_lower_, model.row_upper_ = np.where(spare, -room, 0.0), np.where(spare, np.inf, 0.0)
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = both.indptr, both.indices, both.data
        self._highs, self._optimal = _Solver(), highspy.HighsModelStatus.kOptimal
        for option, value in {"output_flag": False, "threads": 1, "presolve": "off", "random_seed": 0}.items():
            self._highs.setOptionValue(option, value)
        self._highs.passModel(model)

    def move(self, cell: int, by: float) -> bool:
        """Find the cheapest movement that changes a cell by ``by`` or more; ``False`` if there is none."""
        n, at = len(self._columns), int(self._at[cell])
        if at < 0:
            return False
        self._cheapen()
        count = self._of.counts[cell]
        forced, barred, most = (at, at + n, np.inf) if by > 0 else (at + n, at, count)
        self._highs.changeColBounds(forced, abs(by), most)
        self._highs.changeColBounds(barred, 0.0, 0.0)
        self._highs.run()
        change = self._found()
        self._highs.changeColBounds(at, 0.0, np.inf)
        self._highs.changeColBounds(at + n, 0.0, count)
        return change is not None and self._take(change) and self._of.reaches(cell, by)

    def move_together(self, wanted: Sequence[tuple[int, float]]) -> None:
        """Move all of ``wanted`` in their directions, as far as that can be done at once."""
        n, counts = len(self._columns), self._of.counts[self._columns]
        cells, by = np.array([c for c, _ in wanted], "int64"), np.array([b for _, b in wanted])
        at, by = self._at[cells][self._at[cells] >= 0], by[self._at[cells] >= 0]
        self._cheapen()
        cost, most = np.r_[self._cost, self._cost], np.r_[np.full(n, np.inf), counts]
        aim, reach = cost.copy(), most.copy()
        aim[np.where(by > 0, at, at + n)] = -1.0
        reach[np.where(by > 0, at, at + n)] = np.abs(by)
        reach[np.where(by > 0, at + n, at)] = 0.0
        self._set(aim, reach)
        self._highs.run()
        change = self._found()
        self._set(cost, most)
        if change is None:
            return
        # What has no sum in common is a movement by itself, and may go further than all of them at once.
        moved = np.flatnonzero(change)
        rows = sparse.csr_array(self._rows[:, moved])
        label = connected_components(sparse.block_array([[None, rows.T], [rows, None]]))[1][: len(moved)]
        for one in np.unique(label):
            self._take(np.bincount(moved[label == one], change[moved[label == one]], minlength=n))

    def _set(self, cost: Floats, most: Floats) -> None:
        every = np.arange(len(cost), dtype=np.int32)
        self._highs.changeColsCost(len(cost), every, cost)
        self._highs.changeColsBounds(len(cost), every, np.zeros(len(cost)), most)

    def _found(self) -> Floats | None:
        """The change of each column in the solution, if there is one."""
        n, values = len(self._columns), np.asarray(self._highs.getSolution().col_value)
        if self._highs.getModelStatus() != self._optimal:
            return None
        change = values[:n] - values[n:]
        change[np.abs(change) < TINY] = 0.0
        return change

    def _take(self, change: Floats) -> bool:
        """Take a change in, if it is a movement at all: the solver's word is not taken on trust."""
        sums = self._rows @ change
        here = np.r_[self._of.counts[self._columns], self._room]
        moved = np.r_[change, sums[self._spare]]
        if np.abs(sums[~self._spare]).max(initial=0) > CLOSE or (here + moved).min() < -CLOSE:
            return False
        self._of.take(self._columns, change, _furthest(here, moved), _furthest(here, -moved))
        return True

    def _cheapen(self) -> None:
        """Cells that have been touched since cost almost nothing any more."""
        new = np.flatnonzero(self._of.used[self._columns] & ~self._seen)
        if len(new):
            self._seen[new], self._cost[new] = True, ALMOST_FREE
            both = np.r_[new, new + len(self._columns)].astype(np.int32)
            self._highs.changeColsCost(len(both), both, np.full(len(both), ALMOST_FREE))


def _furthest(counts: Floats, change: Floats) -> float:
    """How many times a change can be made until somebody is fewer than none; once, where nobody becomes fewer."""
    falling = change < -TINY
    return float(np.min(counts[falling] / -change[falling])) if falling.any() else 1.0
