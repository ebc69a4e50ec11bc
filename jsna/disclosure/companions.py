"""What each sum asks for by itself: a hidden part of a shown whole needs company, or it is the whole less the others.

These conditions are needed, not enough (counts that add up in several ways give more away), and they are cheap. They
make the first guess at a pattern, and the bound below which no pattern can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
# What a cell is taken to cost besides in every sum where it would be alone: about the company it then needs.
ALONE = 6.0
ROUNDS_OF_CUTS = 6


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of one world: ``wholes`` and ``parts`` (sum by cell, ones), and what is asked of each cell.

    ``reach``: hidden parts of a shown whole must be so many people together if this one of them is to be safe: its
    count and how far it must be able to rise; 0 for cells that need no protection. ``cost``: the information in a cell.
    ``free``: it may still be hidden.
    """

    wholes: sparse.csr_array
    parts: sparse.csr_array
    counts: Floats
    reach: Floats
    cost: Floats
    free: Mask

    @classmethod
    def of(cls, relations: sparse.csr_array, counts: Floats, reach: Floats, cost: Floats, free: Mask) -> Sums:
        """From rows of signs: 1 the whole, -1 its parts."""
        wholes = sparse.csr_array((relations > 0).astype("float64"))
        parts = sparse.csr_array((relations < 0).astype("float64"))
        return cls(wholes, parts, counts, reach, cost, free)

    @property
    def members(self) -> sparse.csr_array:
        """Wholes and parts."""
        return sparse.csr_array(self.wholes + self.parts)

    def lacking(self, hidden: Mask) -> Floats:
        """How many more people each sum must hide, 0 where it is content; 1 where a cell is alone."""
        whole = self.wholes @ hidden.astype("float64") > 0
        number = self.members @ hidden.astype("float64")
        guarded = self.members @ (hidden & (self.free | (self.reach > 0))).astype("float64")
        people = self.parts @ np.where(hidden, self.counts, 0.0)
        most = _largest(self.parts, np.where(hidden, self.reach, 0.0))
        short = np.where(whole, 0.0, np.maximum(most - people, 0.0))
        return np.maximum(short, (number == 1) & (guarded == 1))


def with_companions(sums: Sums, hidden: Mask) -> Mask:
    """``hidden`` grown, cheaply, until every sum is content or has nothing left to hide.

    In each round every sum that lacks something picks the cell that costs least for each sum it serves; a cell is
    hidden when all the sums it serves picked it.
    """
    hidden, members = hidden.copy(), sums.members
    by_cell, row = sparse.csr_array(members.T), np.repeat(np.arange(np.shape(members)[0]), np.diff(members.indptr))
    while True:
        lacking = sums.lacking(hidden) > 0
        none_hidden = members @ hidden.astype("float64") == 0
        serves = by_cell @ lacking.astype("float64")
        price = (sums.cost + ALONE * (by_cell @ none_hidden.astype("float64"))) / np.maximum(serves, 1)
        rank = np.zeros(len(price))
        open_cells = np.flatnonzero(sums.free & ~hidden & (serves > 0))
        if not len(open_cells):
            return hidden
        # Without ties: the cheapest of all is the pick of all the sums it serves, so that no round is in vain.
        rank[open_cells[np.argsort(price[open_cells], kind="stable")]] = np.arange(len(open_cells), 0, -1)
        picked = lacking[row] & (rank[members.indices] > 0) & (_largest(members, rank)[row] == rank[members.indices])
        hidden |= (np.bincount(members.indices[picked], minlength=len(price)) == serves) & (rank > 0)


def least_cost(sums: Sums, hidden: Mask) -> float:
    """The least that company for ``hidden`` can cost: every condition a single sum makes, cells in part allowed.

    Whatever keeps hidden counts from being known exactly or within their range meets these conditions, so that no
    pattern costs less. That each further cell must not be alone is added where the answer would break it.
    """
    lacking = sums.lacking(hidden)
    open_cells = sums.free & ~hidden
    columns = np.flatnonzero(open_cells)
    short = np.flatnonzero(lacking > 0)
    share = sums.parts[short].multiply(1 / lacking[short, None]).multiply(sums.counts[None, :])
    rows = sparse.csr_array(sums.wholes[short] + share.minimum(1.0))[:, columns]
    rows = sparse.csr_array(rows[np.asarray(rows.sum(axis=1)).ravel() >= 1])
    if not np.shape(rows)[0]:
        return 0.0
    empty = np.flatnonzero(sums.members @ hidden.astype("float64") == 0)
    others = sparse.csr_array(sums.members[empty][:, columns])
    matrix, right, least = rows, np.ones(np.shape(rows)[0]), 0.0
    for _ in range(ROUNDS_OF_CUTS):
        found = optimize.linprog(sums.cost[columns], A_ub=-matrix, b_ub=-right, bounds=(0, 1), method="highs")
        least = float(found.fun)
        total = others @ found.x
        at = np.repeat(np.arange(np.shape(others)[0]), np.diff(others.indptr))
        broken = np.flatnonzero(2 * found.x[others.indices] > total[at] + 1e-6)
        if not len(broken):
            break
        alone = sparse.csr_array(
            (np.full(len(broken), 2.0), (np.arange(len(broken)), others.indices[broken])),
            shape=(len(broken), len(columns)),
        )
        matrix = sparse.csr_array(sparse.vstack([matrix, others[at[broken]] - alone]))
        right = np.r_[right, np.zeros(len(broken))]
    return least


def _largest(rows: sparse.csr_array, values: Floats) -> Floats:
    """The largest value among the members of each row, 0 for none; values are not below 0."""
    if not rows.nnz:
        return np.zeros(np.shape(rows)[0])
    filled, found = np.diff(rows.indptr) > 0, np.zeros(np.shape(rows)[0])
    found[filled] = np.maximum.reduceat(values[rows.indices], rows.indptr[:-1][filled])
    return found
