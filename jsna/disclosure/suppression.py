"""Which counts of a pack are hidden, over all its tables at once, so that no small count can be worked out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jsna.disclosure.cells import System
from jsna.disclosure.coarser import coarser_table
from jsna.disclosure.companions import Sums, least_cost, with_companions
from jsna.disclosure.gate import Policy
from jsna.disclosure.movement import Movements
from jsna.errors import DisclosureError, Problem

PROTECTION = 3
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Pattern:
    """What of a system is hidden: ``small`` counts, and ``companions`` without which these could be worked out.

    Both are masks over the cells of ``system`` and true only of cells that stand in a table. ``problems``: each table
    that cannot be protected, or of which nothing is left, with the coarser one to show in its place.
    """

    system: System
    small: Mask
    companions: Mask
    problems: tuple[Problem, ...] = ()

    @property
    def hidden(self) -> Mask:
        """All cells that are hidden."""
        return self.small | self.companions

    @property
    def share_lost(self) -> float:
        """Hidden cells as a share of all that stand in tables, structural zeros aside: 0 to 1."""
        could = self.system.shown & ~self.system.structural
        return float(self.hidden.sum() / max(could.sum(), 1))

    def hidden_in(self, table: str) -> pd.DataFrame:
        """Which counts of one table are hidden, a column a measure; the index are the rows of its counts."""
        places = self.system.places
        here = places[(places["table"] == table) & (places["row"] >= 0)]
        if here.empty:
            raise DisclosureError(Problem("There is no such table in the system.", value=table))
        hidden = here.assign(hidden=self.hidden[here["cell"]]).pivot(index="row", columns="column", values="hidden")
        measures = next(t.measures for t in self.system.tables if t.name == table)
        return hidden[list(measures)].rename_axis(index=None, columns=None)

    def __repr__(self) -> str:
        return (
            f"{int(self.small.sum())} small counts and {int(self.companions.sum())} companions hidden of "
            f"{int(self.system.shown.sum())}."
        )


@dataclass(frozen=True)
class Bound:
    """What any pattern must hide at least: cells with the small ones, and information (bits) in companions."""

    cells: int
    information: float


def protect_jointly(system: System, policy: Policy, *, protection: int = PROTECTION, strict: bool = True) -> Pattern:
    """The cells to hide so that no small count of ``system`` can be worked out from all its tables together.

    Small are counts under the policy's threshold, zeros with them unless structural, and what is left of a whole where
    that is small. For each of them other worlds exist in which everything shown is the same and it is at least
    ``protection`` more, and no less than the threshold, and another in which it is ``protection`` fewer, or none. Each
    companion is uncertain by ``protection`` too. Companions are chosen to lose little information (log2(2 + count)
    each); the same tables give the same pattern, in whatever order. Integers are not asked for: a reader who knows that
    people are whole may know a little more.

    Raises ``DisclosureError`` where that cannot be done (official figures stand in the way) or where nothing of a
    table would be left, with a coarser table to show in its place. When not ``strict`` the pattern is returned all the
    same, as safe as it can be, and says so in its ``problems``: such a table is not to be shown.
    """
    worlds = _worlds(system)
    counts = system.cells.unseal("to choose what is hidden")["count"].to_numpy("float64")
    with ThreadPoolExecutor(min(len(worlds), os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda cells: _protect(system, counts, cells, policy.threshold, protection), worlds))
    used, missing = np.zeros(len(system), bool), []
    for cells, (hidden, lost) in zip(worlds, found, strict=True):
        used[cells] = hidden
        missing += [cells[i] for i in lost]
    small = _small(system, counts, policy.threshold)
    pattern = Pattern(system, small & system.shown, used & system.shown & ~small)
    problems = (*_not_protected(system, missing), *_nothing_left(pattern))
    if problems and strict:
        raise DisclosureError(*problems)
    return replace(pattern, problems=problems)


def lower_bound(system: System, policy: Policy, *, protection: int = PROTECTION) -> Bound:
    """The least that must be hidden, from what each sum demands by itself: no pattern can do with less.

    It lies below what is possible, for counts that add up in several ways demand more together.
    """
    counts = system.cells.unseal("to say what must be hidden")["count"].to_numpy("float64")
    cells, information = 0, 0.0
    for world in _worlds(system):
        for cost in (np.ones(len(world)), _information(counts[world])):
            sums, small = _sums(system, counts, world, policy.threshold, protection, cost)
            least = least_cost(sums, small | ~system.shown[world])
            if cost.max() == 1:
                cells += int((small & system.shown[world]).sum()) + int(np.ceil(least - 1e-6))
            else:
                information += least
    return Bound(cells, information)


def _worlds(system: System) -> list[NDArray[np.int64]]:
    """The cells of each source and period: no sum goes over their borders."""
    cells = system.cells.unseal("to tell sources and periods apart")
    return list(cells.groupby(["source", "period"], sort=True).indices.values())


def _small(system: System, counts: NDArray, threshold: int) -> Mask:
    return (counts < threshold) & ~system.structural & ~system.official


def _information(counts: NDArray) -> NDArray:
    return np.log2(2 + counts)


def _sums(system: System, counts, cells, threshold: int, protection: int, cost) -> tuple[Sums, Mask]:
    """The sums of one world without what is known anyhow, and which of its cells are small."""
    small, here = _small(system, counts, threshold)[cells], counts[cells]
    fixed = (system.structural | system.official)[cells]
    matrix = sparse.csr_array(system.relations[:, cells])
    matrix = sparse.csr_array(matrix[np.diff(matrix.indptr) > 0].multiply(~fixed[None, :]))
    matrix.eliminate_zeros()
    matrix = sparse.csr_array(matrix[np.diff(matrix.indptr) > 0])
    reach = np.where(small, here + _rise(here, threshold, protection), 0.0)
    return Sums.of(matrix, here, reach, cost, system.shown[cells] & ~small & ~fixed), small


def _rise(counts: NDArray, threshold: int, protection: int) -> NDArray:
    return np.maximum(threshold - counts, protection)


def _protect(system: System, counts, cells, threshold: int, protection: int) -> tuple[Mask, NDArray[np.int64]]:
    """Which cells of one world are hidden or stand in no table, and those that nothing can protect."""
    cost = _information(counts[cells]) * system.weight[cells]
    sums, small = _sums(system, counts, cells, threshold, protection, cost)
    here, start = counts[cells], small | ~system.shown[cells]
    fixed = (system.structural | system.official)[cells]
    uses = np.asarray(sums.members.sum(axis=0)).ravel()
    loose = ~system.shown[cells] & ~small & (uses == 1) & (np.asarray(sums.wholes.sum(axis=0)).ravel() == 0)
    relations = sparse.csr_array(sums.wholes - sums.parts)
    movements = Movements(relations, here, sums.cost, start & ~fixed, loose)
    rise, fall = _rise(here, threshold, protection), np.minimum(here, protection)
    order = np.flatnonzero(small)
    # Those in most sums first, for they need most company: in other orders up to 4% more information was lost.
    order = order[np.lexsort((here[order], -rise[order], -uses[order]))]
    wanted = [(int(i), float(rise[i])) for i in order] + [(int(i), -float(fall[i])) for i in order if fall[i]]
    likely = with_companions(sums, start) & ~fixed
    missing = {i for i, _ in movements.find(wanted, likely, ~fixed)}
    asked = np.zeros(len(here), bool)
    while True:
        narrow = movements.used & sums.free & ~asked & (movements.high - movements.low < protection)
        if not narrow.any():
            return movements.used, np.array(sorted(missing), "int64")
        asked |= narrow
        left = movements.find([(int(i), float(protection)) for i in np.flatnonzero(narrow)], likely, ~fixed)
        movements.find([(i, -by) for i, by in left], likely, ~fixed)


def _not_protected(system: System, missing: list) -> list[Problem]:
    """A problem a table in which a small count stands, or a part of which it is left, that cannot be protected."""
    places = system.places
    unplaced = np.setdiff1d(np.array(missing, "int64"), places["cell"])
    sums = system.relations[np.asarray(abs(system.relations[:, unplaced]).sum(axis=1)).ravel() > 0]
    parts = np.flatnonzero(np.asarray((sums < 0).sum(axis=0)).ravel())
    own = places[places["cell"].isin(missing)].groupby("table")["cell"].nunique()
    beside = set(places.loc[places["cell"].isin(parts), "table"]) - set(own.index)
    found = [
        ("Small counts of the table can be worked out whatever else is hidden.", table, f"{n} count{'s' * (n > 1)}")
        for table, n in own.items()
    ] + [
        ("How many are left of a whole, less the parts in the table, can be worked out.", table, None)
        for table in sorted(beside)
    ]
    problems = [Problem(what, where=t, value=value, mend=coarser_table(system, t)) for what, t, value in found]
    return problems or [Problem("What is left of a whole can be worked out whatever else is hidden.")] * bool(missing)


def _nothing_left(pattern: Pattern) -> list[Problem]:
    """A problem a table of which every count would be hidden."""
    system = pattern.system
    places = system.places[~(system.structural | system.official)[system.places["cell"]]]
    left = pd.Series(~pattern.hidden[places["cell"]], index=places.index).groupby(places["table"]).any()
    return [
        Problem("Every count of the table would be hidden.", where=table, mend=coarser_table(system, table))
        for table in left.index[~left]
    ]
