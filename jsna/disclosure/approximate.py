"""Large companions shown rounded instead of hidden, as far as no small count becomes known by it.

Where a small count is one of three parts of a known whole, hiding it costs one of the two large ones. A large number
that is known only to within ten says too little to work the small one out, and nearly all that a reader wants.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from jsna.disclosure.gate import Policy
from jsna.disclosure.movement import _Solver
from jsna.disclosure.pattern import rounded
from jsna.disclosure.suppression import PROTECTION, Pattern, _small, _worlds

BASES = (10, 20, 50, 100)
LEAST = 100
# What is shown in no table, or matters little, is not worth the room that a rounded count takes.
LIGHTEST = 1.0
# A base is at most this share of the count, so that what is shown is worth having.
SHARE = 0.1
CLOSE = 1e-6
# How far a world may miss a sum or a bound, for the solver reckons in fractions.
EXACT = 1e-5
# The primal simplex method (4): the last world still stands where another cell is to be moved, so that it goes on from
# there. It took a fifth of the dual method's time on a pack's linked tables.
OPTIONS = {"output_flag": False, "threads": 1, "presolve": "off", "random_seed": 0, "simplex_strategy": 4}
FALL, RISE = 0, 1
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


def approximate(
    pattern: Pattern,
    policy: Policy,
    *,
    least: int = LEAST,
    bases: Sequence[int] = BASES,
    protection: int = PROTECTION,
    lightest: float = LIGHTEST,
) -> Integers:
    """To which base each cell of ``pattern.system`` may be shown rounded; 0 where it is shown as it is, or not at all.

    Companions of ``least`` or more, of a weight of ``lightest`` or more, can be rounded, to the nearest multiple of one
    of ``bases`` (the half upwards) that is at most a tenth of the count. They are taken by the information that hiding
    them loses (weight × log2(2 + count)), the most first; each gets the smallest base with which all is still guarded,
    or stays hidden. The same tables give the same bases, in whatever order.

    Guarded against a reader who knows within which limits the rounded counts lie (``bounds``), all that is shown, every
    sum of the system, and that nobody is fewer than none:

    * each small count, and each small rest of a whole, can for all he knows be 0, and can be the policy's threshold and
      ``protection`` more than it is. Even if he guesses that it is small, he knows no more than any "c" tells;
    * each companion that stays hidden is uncertain by ``protection``;
    * what was more certain than that with all companions hidden (a problem of the pattern) is no more so.

    Not guarded: a reader who knows the rules can conclude that a hidden count is small where no other hidden one stands
    beside it, but not which of the small ones; one who goes through this very procedure with each count there could be
    learns a little from the base that was taken. People are taken to be divisible, as in ``protect_jointly``.

    Of 20,000 pupils 1,165 speak another language, of 2 it is not known, and the 18,833 others are shown. Rounded to
    ten, 1,170, the 1,165 are 1,165 to 1,174, so that those not known are at most 2. To twenty, 1,160, they are 1,150 to
    1,169, those not known 0 to 17: so they are shown.
    """
    system = pattern.system
    counts = system.cells.unseal("to see how much a rounded count tells")["count"].to_numpy("float64")
    bases = sorted(bases)
    may = pattern.companions & (counts >= max(least, bases[0] / SHARE)) & (system.weight >= lightest)
    worth = system.weight * np.log2(2 + counts)
    aims = _Aims.of(pattern, counts, policy.threshold, protection)
    order = (world[may[world]] for world in _worlds(system))
    large = [here[np.argsort(-worth[here], kind="stable")] for here in order if len(here)]
    readers = [_Reader(pattern, counts, here) for here in large]
    found = np.zeros(len(counts), "int64")
    with ThreadPoolExecutor(max(1, min(len(large), os.cpu_count() or 1))) as pool:
        chosen = pool.map(lambda reader: _Rounding(reader, aims.at(reader.cells), bases).chosen(), readers)
        for here, base in zip(large, chosen, strict=True):
            found[here] = base
    return found


def bounds(counts: ArrayLike, base: ArrayLike) -> tuple[Floats, Floats]:
    """What a reader knows of counts shown rounded: the least and the most they can be; of others 0 and no end.

    >>> [b.tolist() for b in bounds([1165, 7], [10, 0])]
    [[1165.0, 0.0], [1174.0, inf]]
    """
    base, nearest = np.asarray(base, "int64"), rounded(counts, base)
    return np.where(base > 0, nearest - base // 2, 0.0), np.where(base > 0, nearest + (base - 1) // 2, np.inf)


@dataclass(frozen=True, eq=False)
class _Aims:
    """How uncertain each cell must stay: it can be as low as ``floor``, as high as ``ceiling``, these ``apart``.

    ``guarded`` are the cells of which anything is asked.
    """

    guarded: Mask
    floor: Floats
    ceiling: Floats
    apart: Floats

    @classmethod
    def of(cls, pattern: Pattern, counts: Floats, threshold: int, protection: int) -> _Aims:
        small = _small(pattern.system, counts, threshold)
        return cls(
            small | pattern.companions,
            np.where(small, 0.0, counts),
            np.where(small, np.maximum(threshold, counts + protection), counts),
            np.where(small, 0.0, protection),
        )

    def at(self, cells: Integers | slice) -> _Aims:
        """Those of some cells."""
        return _Aims(self.guarded[cells], self.floor[cells], self.ceiling[cells], self.apart[cells])

    def lowered(self, low: Floats, high: Floats) -> _Aims:
        """The same, but no more than what is reached already."""
        return _Aims(
            self.guarded,
            np.maximum(self.floor, low),
            np.minimum(self.ceiling, high),
            np.minimum(self.apart, high - low),
        )

    def met(self, low: Floats, high: Floats) -> Mask:
        """Whether cells that can be so low and so high are uncertain enough."""
        wide = high - low >= self.apart - CLOSE
        return (low <= self.floor + CLOSE) & (high >= self.ceiling - CLOSE) & wide


class _Rounding:
    """Which large counts of one world are shown rounded, with what proves that nothing becomes known by it.

    For each guarded cell two worlds are kept that the reader cannot tell from the true one, in which it is low and in
    which it is high. Only what the large counts are in them matters: while these round to what is shown, they stand.
    """

    def __init__(self, reader: _Reader, aims: _Aims, bases: Sequence[int]) -> None:
        self._reader, self._bases = reader, bases
        self._guarded = np.flatnonzero(aims.guarded)
        self._aims = aims.at(self._guarded)
        self._true, self._counts = reader.counts[reader.large], reader.counts[self._guarded]
        self._itself = np.searchsorted(self._guarded, reader.large)
        self._base = np.zeros(len(self._true), "int64")
        self._reached = np.repeat(self._counts[:, None], 2, axis=1)
        self._worlds = np.tile(self._true, (len(self._guarded), 2, 1))
        self._refused = np.zeros(len(self._guarded), "int64")

    def chosen(self) -> Integers:
        """The base of each large count, 0 where it stays hidden."""
        every = np.arange(len(self._base))
        if self._holds(np.full(len(every), self._bases[0]), thoroughly=True):
            return np.full(len(every), self._bases[0])
        if not self._holds(self._base, thoroughly=True):
            self._aims = self._aims.lowered(*self._reached.T)
        self._add(every)
        return self._base

    def _add(self, which: Integers) -> None:
        """Round as many of ``which`` as can be, the first of them first; all at once where that can be."""
        base = self._base.copy()
        base[which] = self._bases[0]
        if self._holds(base):
            self._base = base
        elif len(which) > 1:
            half = len(which) // 2
            self._add(which[:half])
            self._add(which[half:])
        else:
            for wider in self._bases[1:]:
                base[which] = wider
                if wider <= SHARE * self._true[which[0]] and self._holds(base):
                    self._base = base
                    return

    def _holds(self, base: Integers, *, thoroughly: bool = False) -> bool:
        """Whether all that is guarded stays uncertain enough with these bases; ``thoroughly``: look for all of it."""
        least, most = bounds(self._true, base)
        self._reader.knows(least, most)
        before = self._worlds, self._reached
        lost = ((self._worlds < least - EXACT) | (self._worlds > most + EXACT)).any(axis=2)
        self._worlds = np.where(lost[:, :, None], self._true, self._worlds)
        self._reached = np.where(lost, self._counts[:, None], self._reached)
        asked = np.ones(len(self._guarded), bool)
        asked[self._itself[base > 0]] = False
        holds = True
        lacking = np.flatnonzero(asked & ~self._met())
        for at in lacking[np.argsort(-self._refused[lacking], kind="stable")]:
            if not self._look_for(at):
                self._refused[at] += 1
                holds = False
                if not thoroughly:
                    break
        if not holds:
            # What was found holds with fewer rounded as well; what was lost comes back.
            back = ~self._met()
            self._worlds[back], self._reached[back] = before[0][back], before[1][back]
        return holds

    def _met(self, at: slice | Integers = slice(None)) -> Mask:
        return self._aims.at(at).met(*self._reached[at].T)

    def _look_for(self, at: np.int64) -> bool:
        """Whether there are worlds in which a guarded cell is as low and as high as it must be able to be."""
        one = np.array([at])
        for way in (RISE, FALL):
            if not self._met(one)[0]:
                self._take(self._reader.world(int(self._guarded[at]), way, self._aims.at(one)))
        return bool(self._met(one)[0])

    def _take(self, world: Floats) -> None:
        """Keep a world for every cell that lacks one and is farther off in it than in those known."""
        values, lacking = world[self._guarded], ~self._met()
        for way, farther in ((RISE, values > self._reached[:, RISE]), (FALL, values < self._reached[:, FALL])):
            here = lacking & farther
            self._reached[here, way] = values[here]
            self._worlds[here, way] = world[self._reader.large]


class _Reader:
    """Somebody who knows all that is shown: the linear programme of the worlds that he cannot tell from the true one.

    ``cells``: those not shown as they are, as far as sums bind them to ``large`` ones (given as cells of
    the system, kept as positions); each search begins where the last one ended.
    """

    def __init__(self, pattern: Pattern, counts: Floats, large: Integers) -> None:
        system = pattern.system
        known = (system.shown & ~pattern.hidden) | system.structural | system.official
        unknown = np.flatnonzero(~known)
        sums = _filled(system.relations[:, unknown])
        n = np.shape(sums)[0]
        label = connected_components(sparse.block_array([[None, sums], [sums.T, None]]))[1][n:]
        near = np.isin(label, label[np.searchsorted(unknown, large)])
        self.cells, self._sums = unknown[near], _filled(sums[:, near])
        self.counts, self.large = counts[self.cells], np.searchsorted(self.cells, large)
        self._total = self._sums @ self.counts
        self._least, self._most = np.zeros(len(self.cells)), np.full(len(self.cells), np.inf)
        columns = sparse.csc_array(self._sums)
        model = highspy.HighsLp()
        model.num_row_, model.num_col_ = columns.shape
        model.col_cost_ = np.zeros(len(self.cells))
        model.col_lower_, model.col_upper_ = self._least, self._most
        model.row_lower_ = model.row_upper_ = self._total
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = columns.indptr, columns.indices
        model.a_matrix_.value_ = columns.data
        self._highs = _Solver()
        for option, value in OPTIONS.items():
            self._highs.setOptionValue(option, value)
        self._highs.passModel(model)

    def knows(self, least: Floats, most: Floats) -> None:
        """Take in the least and the most that each of the large counts can be."""
        self._least[self.large], self._most[self.large] = least, most
        self._highs.changeColsBounds(len(self.large), self.large.astype(np.int32), least, most)

    def world(self, cell: int, way: int, aims: _Aims) -> Floats:
        """A world in which a cell is as far off as it can be, and no farther than it must; the true one if none is."""
        low = max(float(aims.floor[0] - aims.apart[0]), self._least[cell])
        high = min(float(aims.ceiling[0] + aims.apart[0]), self._most[cell])
        self._highs.changeColBounds(cell, low, high)
        self._highs.changeColCost(cell, -1.0 if way == RISE else 1.0)
        self._highs.run()
        found = np.asarray(self._highs.getSolution().col_value)
        optimal = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        self._highs.changeColCost(cell, 0.0)
        self._highs.changeColBounds(cell, self._least[cell], self._most[cell])
        return found if optimal and self._possible(found) else self.counts

    def _possible(self, world: Floats) -> bool:
        """Whether all sums and bounds hold: the solver's word is not taken on trust."""
        within = (world >= self._least - EXACT) & (world <= self._most + EXACT)
        return bool(within.all() and np.abs(self._sums @ world - self._total).max(initial=0) <= EXACT)


def _filled(sums: sparse.csr_array) -> sparse.csr_array:
    """Sums without those that bind nothing."""
    sums = sparse.csr_array(sums)
    return sparse.csr_array(sums[np.diff(sums.indptr) > 0])
