"""Counting in codes: columns as small whole numbers, a table as one long array that each pupil adds one to.

For an authority at a time, whose columns lie in the processor's cache: several times as fast as a hash table a grouping
(docs/scale.md). What it counts is what ``statement`` counts, to the last pupil; tests hold them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from jsna.counts.counted import KEYS, counted_of
from jsna.counts.question import Question
from jsna.errors import Problem, SourceError

# A table of at most so many cells a pupil is laid out whole; a sparser one is sorted instead.
CELLS_A_PUPIL, CELLS_ANYWAY, MOST_CELLS = 8, 1 << 20, 1 << 62
STATUS = ("sen_provision", "primary_need")


@dataclass(frozen=True)
class Coded:
    """A column: ``codes`` are places in ``values``, which are sorted."""

    codes: NDArray
    values: NDArray

    def taken(self, rows: slice | NDArray) -> Coded:
        """Some rows of it."""
        return Coded(self.codes[rows], self.values)

    def compact(self, within: int = 0) -> Coded:
        """Without the values that no row has; left as it is where it has no more than ``within``."""
        if len(self.values) <= within:
            return self
        used = np.bincount(self.codes, minlength=len(self.values)) > 0
        place = np.cumsum(used, dtype="int32") - np.int32(1)
        return Coded(place[self.codes], self.values[used])


@dataclass(frozen=True)
class Tally:
    """One grouping counted: a row each group that has pupils, sorted by census and group.

    ``groups``: the column's codes of each row; ``counts``: a column each of ``COUNTS``; ``keys``: likewise the sums of
    record keys, where they were asked for.
    """

    label: str
    period: NDArray
    groups: dict[str, NDArray]
    counts: NDArray[np.int32]
    keys: NDArray[np.int32] | None


def tallies(columns: Mapping[str, Coded], question: Question, record_key: NDArray | None = None) -> list[Tally]:
    """Count the pupils of one authority, whose ``columns`` are coded, by each grouping of ``question``.

    A grouping whose columns are all in another one that was counted is summed from that instead of counted.
    """
    provision, need = (columns[c] for c in STATUS)
    both = Coded(provision.codes * np.int32(len(need.values)) + need.codes, np.arange(_size([provision, need])))
    status = both.compact()
    first, second = np.divmod(status.values, len(need.values))
    what = counted_of(provision.values[first], need.values[second])
    wanted = dict.fromkeys(tuple(c for c in question.columns if c in g) for g in question.groupings)
    laid_out: dict[tuple[str, ...], list[NDArray]] = {}
    made = {}
    for grouping in sorted(wanted, key=lambda g: -len(g)):
        axes = [columns["time_period"], *(columns[c] for c in grouping), status]
        tables = _summed(grouping, laid_out, columns) or _counted(axes, record_key)
        if tables is not None:
            laid_out[grouping] = tables
            found = _rows_of(tables, axes, what)
        else:
            found = _sorted_out(axes, what, record_key)
        made[grouping] = _tally(question.label(grouping), grouping, axes, *found)
    return [made[g] for g in wanted]


def _size(axes: Sequence[Coded]) -> int:
    return prod(len(a.values) for a in axes)


def _key(axes: Sequence[Coded], kind: str) -> NDArray:
    """The cell of each row: the codes as digits of one number, the first column's counting most."""
    key = axes[0].codes.astype(kind)
    for axis in axes[1:]:
        key *= key.dtype.type(len(axis.values))
        key += axis.codes
    return key


def _counted(axes: Sequence[Coded], weights: NDArray | None) -> list[NDArray] | None:
    """The whole table, an axis a column, and beside it the sums of weights; None where most of it would be empty."""
    size = _size(axes)
    if size > max(CELLS_ANYWAY, CELLS_A_PUPIL * len(axes[0].codes)) or size >= 1 << 31:
        return None
    key, shape = _key(axes, "int32"), [len(a.values) for a in axes]
    tables = [np.bincount(key, minlength=size).reshape(shape)]
    return tables if weights is None else [*tables, np.bincount(key, weights, minlength=size).reshape(shape)]


def _summed(grouping: tuple[str, ...], laid_out: Mapping, columns: Mapping[str, Coded]) -> list[NDArray] | None:
    """The table of ``grouping`` from the smallest one that has its columns and more."""
    larger = [g for g in laid_out if set(grouping) < set(g)]
    if not larger:
        return None
    best = min(larger, key=lambda g: laid_out[g][0].size)
    over = tuple(1 + i for i, c in enumerate(best) if c not in grouping)
    return [t.sum(axis=over) for t in laid_out[best]]


def _rows_of(tables: list[NDArray], axes: Sequence[Coded], what: NDArray) -> tuple[NDArray, NDArray, NDArray | None]:
    """The cells that have pupils, and their counts: exact, for whole numbers of this size are so as fractions too."""
    flat = [t.reshape(-1, len(axes[-1].values)) for t in tables]
    cells = np.flatnonzero(flat[0].any(axis=1))
    return cells, *_whole([t[cells].astype("float64", copy=False) @ what for t in flat])


def _sorted_out(axes: Sequence[Coded], what: NDArray, weights: NDArray | None):
    """As ``_rows_of``, by sorting the cells of the rows."""
    if _size(axes) >= MOST_CELLS:
        raise SourceError(Problem("A grouping has too many columns.", mend="Group by fewer, or by coarser ones."))
    key = _key(axes, "int64")
    if weights is None:
        found, number = np.unique(key, return_counts=True)
        numbers = [number]
    else:
        found, place, number = np.unique(key, return_inverse=True, return_counts=True)
        numbers = [number, np.bincount(place, weights)]
    cell, status = np.divmod(found, len(axes[-1].values))
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    sums = [np.add.reduceat(what[status] * n[:, None], starts, axis=0) for n in numbers]
    return cell[starts], *_whole(sums)


def _whole(sums: list[NDArray]) -> tuple[NDArray, NDArray | None]:
    """Counts, and sums of record keys modulo 256 where there are any."""
    return sums[0].astype("int32"), (sums[1] % KEYS).astype("int32") if len(sums) > 1 else None


def _tally(label: str, grouping: tuple[str, ...], axes: Sequence[Coded], cells, counts, keys) -> Tally:
    shape = [len(a.values) for a in axes[:-1]]
    period, *codes = np.unravel_index(cells, shape)
    groups = {c: g.astype("int32") for c, g in zip(grouping, codes, strict=True)}
    return Tally(label, period.astype("int32"), groups, counts, keys)
