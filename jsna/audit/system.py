"""One system of all that is known of the counts: bounds carried from sum to sum, then linear programmes by HiGHS."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

MOST = 1e7
TOLERANCE = 1e-6
ROUNDS = 200
INTEGER_TERMS = 60
INTEGER_SECONDS = 2.0


@dataclass
class System:
    """Whole numbers of 0 or more, known to lie between bounds and to keep to rows of sums.

    Rows whose published figures cannot all be true are left out and named in ``left_out``.
    """

    names: list[object] = field(default_factory=list)
    index: dict[object, int] = field(default_factory=dict)
    rows: list[tuple[np.ndarray, np.ndarray, float, float, str]] = field(default_factory=list)
    start: dict[int, tuple[float, float]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def number(self, name: object) -> int:
        """The place of a count in the system, which it takes when it is new."""
        if name not in self.index:
            self.index[name] = len(self.names)
            self.names.append(name)
        return self.index[name]

    def bound(self, name: object, lower: float, upper: float) -> None:
        """Narrow what is known of one count."""
        at = self.number(name)
        low, high = self.start.get(at, (0.0, MOST))
        self.start[at] = max(low, lower), min(high, upper)

    def add(self, terms: dict[object, float], lower: float, upper: float, why: str) -> None:
        """``lower`` <= sum of coefficient x count <= ``upper``."""
        if terms:
            at = np.array([self.number(n) for n in terms])
            self.rows.append((at, np.array(list(terms.values()), float), lower, upper, why))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """What follows for each count from one row at a time, over and over: lower and upper, whole numbers.

        >>> s = System()
        >>> s.bound("total", 10, 10)
        >>> s.bound("shown", 7, 7)
        >>> s.add({"shown": 1, "hidden": 1, "total": -1}, 0, 0, "margin")
        >>> lower, upper = s.bounds()
        >>> int(lower[s.index["hidden"]]), int(upper[s.index["hidden"]])
        (3, 3)
        """
        while True:
            low, high, broken = self.carried()
            if broken is None:
                return low, high
            self.left_out.append(self.rows[broken][4])
            del self.rows[broken]

    def _start(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.zeros(len(self.names)), np.full(len(self.names), MOST)
        for at, (lower, upper) in self.start.items():
            low[at], high[at] = lower, max(lower, upper)
        return low, high

    def carried(self) -> tuple[np.ndarray, np.ndarray, int | None]:
        low, high = self._start()
        if not self.rows:
            return low, high, None
        row, at, by, lower, upper = self._flat()
        for _ in range(ROUNDS):
            least = np.where(by > 0, by * low[at], by * high[at])
            most = np.where(by > 0, by * high[at], by * low[at])
            sum_least = np.bincount(row, least, len(self.rows))
            sum_most = np.bincount(row, most, len(self.rows))
            slack = TOLERANCE * (1 + np.abs(np.where(np.isfinite(lower), lower, 0)) + np.abs(sum_least) * 1e-6)
            broken = np.flatnonzero((sum_least > upper + slack) | (sum_most < lower - slack))
            if broken.size:
                return low, high, int(broken[-1])
            to_upper = (upper[row] - (sum_least[row] - least)) / by
            to_lower = (lower[row] - (sum_most[row] - most)) / by
            new_high, new_low = high.copy(), low.copy()
            np.minimum.at(new_high, at, np.floor(np.where(by > 0, to_upper, to_lower) + TOLERANCE))
            np.maximum.at(new_low, at, np.ceil(np.where(by > 0, to_lower, to_upper) - TOLERANCE))
            crossed = np.flatnonzero(new_low > new_high)
            if crossed.size:
                return low, high, int(row[at == crossed[0]][-1])
            if (new_high == high).all() and (new_low == low).all():
                break
            low, high = new_low, new_high
        return low, high, None

    def _flat(self):
        sizes = [len(r[0]) for r in self.rows]
        row = np.repeat(np.arange(len(self.rows)), sizes)
        at = np.concatenate([r[0] for r in self.rows])
        by = np.concatenate([r[1] for r in self.rows])
        return row, at, by, np.array([r[2] for r in self.rows]), np.array([r[3] for r in self.rows])

    def what_if(self, low: np.ndarray, high: np.ndarray) -> System:
        """The part of the system that is still open between the given bounds, to try suppositions on."""
        small = System()
        for at, by, lower, upper, why in self.rows:
            open_ = low[at] < high[at]
            if open_.any():
                fixed = float(by[~open_] @ low[at[~open_]])
                terms = {self.names[a]: float(b) for a, b in zip(at[open_], by[open_], strict=True)}
                small.add(terms, lower - fixed, upper - fixed, why)
        for name in small.names:
            small.bound(name, low[self.index[name]], high[self.index[name]])
        return small

    def intervals(self, wanted: list[object], close: float = 8) -> dict[object, tuple[int, int]]:
        """The least and the most that each wanted count can be, by all rows together.

        Where these lie within ``close`` of one another in a small part of the system, whole numbers are demanded of
        all counts. Parts whose rows cannot all hold lose the rows that stand in the way.
        """
        low, high = self.bounds()
        row, at, by, lower, upper = self._flat() if self.rows else (np.array([], int),) * 5
        open_ = low < high
        found = {n: (int(low[self.number(n)]), int(high[self.number(n)])) for n in wanted}
        if not self.rows:
            return found
        fixed = np.bincount(row, np.where(open_[at], 0.0, by * low[at]), len(self.rows))
        keep = open_[at]
        parts = _parts(len(self.names), len(self.rows), row[keep], at[keep])
        ends: dict[int, list[object]] = {}
        for name in wanted:
            place = self.number(name)
            if open_[place]:
                ends.setdefault(parts[place], []).append(name)
        for part, names in ends.items():
            inside = keep & (parts[at] == part)
            columns, rows = np.unique(at[inside]), np.unique(row[inside])
            if not columns.size:
                continue
            matrix = csr_array(
                (by[inside], (np.searchsorted(rows, row[inside]), np.searchsorted(columns, at[inside]))),
                shape=(rows.size, columns.size),
            )
            piece = _Part(matrix, lower[rows] - fixed[rows], upper[rows] - fixed[rows], low[columns], high[columns])
            dropped = piece.made_possible()
            self.left_out += [self.rows[rows[d]][4] for d in dropped]
            for name in names:
                place = int(np.searchsorted(columns, self.number(name)))
                found[name] = piece.interval(place, close)
        return found


def _parts(counts: int, rows: int, row: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Which part of the system each count belongs to: counts that no row joins are apart."""
    size = counts + rows
    joined = csr_array((np.ones(row.size), (at, counts + row)), shape=(size, size))
    return connected_components(joined, directed=False)[1][:counts]


def fixed(system: System, name: object, low: np.ndarray, high: np.ndarray) -> float | None:
    """The value of a count whose bounds have met, or nothing."""
    at = system.index.get(name)
    return float(low[at]) if at is not None and at < low.size and low[at] == high[at] else None


@dataclass
class _Part:
    """Counts that rows join, those already known taken out."""

    matrix: csr_array
    lower: np.ndarray
    upper: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def made_possible(self) -> list[int]:
        """Take out the rows that stand in the way of any solution; returns which."""
        if self._solve(np.zeros(self.low.size)) is not None:
            return []
        rows, columns = self.matrix.shape
        give = csr_array(np.hstack([np.eye(rows), -np.eye(rows)]))
        from scipy.sparse import hstack

        cost = np.concatenate([np.zeros(columns), np.ones(2 * rows)])
        limits = np.column_stack(
            [np.concatenate([self.low, np.zeros(2 * rows)]), np.concatenate([self.high, np.full(2 * rows, np.inf)])]
        )
        answer = _linear(cost, csr_array(hstack([self.matrix, give])), self.lower, self.upper, limits)
        if answer is None:
            return []
        moved = answer[columns : columns + rows] + answer[columns + rows :]
        out = np.flatnonzero(moved > 1e-5)
        keep = np.setdiff1d(np.arange(rows), out)
        self.matrix, self.lower, self.upper = self.matrix[keep], self.lower[keep], self.upper[keep]
        return out.tolist()

    def interval(self, place: int, close: float) -> tuple[int, int]:
        """The least and the most of one count."""
        ends = []
        for sign in (1.0, -1.0):
            cost = np.zeros(self.low.size)
            cost[place] = sign
            answer = self._solve(cost)
            edge = self.low[place] if sign > 0 else self.high[place]
            ends.append(edge if answer is None else answer[place])
        low, high = math.ceil(ends[0] - 1e-5), math.floor(ends[1] + 1e-5)
        if 0 < high - low <= close and self.low.size <= INTEGER_TERMS:
            low, high = self._whole(place, low, high)
        return low, max(low, high)

    def _whole(self, place: int, low: int, high: int) -> tuple[int, int]:
        """The same, all counts whole numbers; the given ends where that takes too long."""
        ends = [low, high]
        for end, sign in enumerate((1.0, -1.0)):
            cost = np.zeros(self.low.size)
            cost[place] = sign
            answer = milp(
                cost,
                constraints=LinearConstraint(self.matrix, self.lower - TOLERANCE, self.upper + TOLERANCE),
                bounds=(self.low, self.high),
                integrality=np.ones(self.low.size),
                options={"time_limit": INTEGER_SECONDS},
            )
            if answer.status == 0 and answer.x is not None:
                ends[end] = round(answer.x[place])
        return ends[0], ends[1]

    def _solve(self, cost: np.ndarray) -> np.ndarray | None:
        return _linear(cost, self.matrix, self.lower, self.upper, np.column_stack([self.low, self.high]))


def _linear(cost, matrix, lower, upper, limits) -> np.ndarray | None:
    """The solution of a linear programme with rows between two ends, or nothing when there is none."""
    same = np.isclose(lower, upper, rtol=0, atol=1e-12)
    above, below = np.isfinite(upper) & ~same, np.isfinite(lower) & ~same
    from scipy.sparse import vstack

    sides = [matrix[above], -matrix[below]]
    ends = np.concatenate([upper[above], -lower[below]]) + TOLERANCE
    answer = linprog(
        cost,
        A_ub=csr_array(vstack(sides)) if ends.size else None,
        b_ub=ends if ends.size else None,
        A_eq=matrix[same] if same.any() else None,
        b_eq=lower[same] if same.any() else None,
        bounds=limits,
        method="highs",
    )
    return answer.x if answer.status == 0 else None
