"""Regression on covariate patterns: modified Poisson and logistic, with errors clustered by school.

Everything is exact: patterns give the estimates of the pupil-level fit, and the scores of a school are its residuals by
pattern times the design, one sparse product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jsna.disproportionality.levels import crossed, level_codes
from jsna.disproportionality.patterns import INTERCEPT, Merged, Patterns, Sums
from jsna.disproportionality.separation import Model, independent_columns, named_once, term, with_events
from jsna.errors import MeasureError, Problem

_ITERATIONS = 60
_CONVERGED = 1e-12
_ALONE = 1e-8  # a cluster that carries a coefficient alone leaves no residual to correct
_DIVERGED = 30.0  # no log risk or log odds of real pupils lies further from 0


class NothingToModel(MeasureError):
    """Nobody, or everybody, is identified in every group that could be modelled."""


@dataclass(frozen=True, repr=False)
class Seen:
    """What a model sees: rows that it can tell apart, its ``columns`` of them, and pupils and those identified in each.

    Rows that are not ``alive`` hold nobody.
    """

    merged: Merged
    columns: NDArray
    total: NDArray
    count: NDArray
    alive: NDArray

    def linear(self, beta: NDArray) -> NDArray:
        """The sum of the coefficients of each row."""
        full = np.zeros(self.merged.matrix.shape[1])
        full[self.columns] = beta
        return self.merged.matrix @ full

    def score(self, residual: NDArray) -> NDArray:
        """The residuals of all rows added up by column."""
        return (self.merged.matrix.T @ residual)[self.columns]

    def gram(self, weight: NDArray) -> NDArray:
        """The sum over rows of weight · xᵀx."""
        return self.merged.gram(weight)[np.ix_(self.columns, self.columns)]


@dataclass(frozen=True, repr=False)
class Fit:
    """One model fitted to one outcome.

    ``beta`` has a value for each of ``columns`` (positions in the patterns' matrix); ``risk`` one for each pattern that
    took part (``rows``). A level with nobody identified (or, for odds, only identified pupils) has no coefficient: its
    patterns are left out of the fit, as in the limit of the likelihood, and ``separated`` names it. ``aliased`` names
    columns that others determine. ``estimable`` says of each group whether it has a coefficient, ``silent`` of each
    pattern whether a level of an adjuster without events holds it.
    """

    patterns: Patterns
    model: Model
    variables: tuple[str, ...]
    reference: int
    columns: NDArray
    rows: NDArray
    seen: Seen
    seen_risk: NDArray
    beta: NDArray
    risk: NDArray
    total: NDArray
    count: NDArray
    sums: Sums
    counted: NDArray
    cells: NDArray | None
    group_total: NDArray
    group_count: NDArray
    silent: NDArray
    estimable: NDArray
    converged: bool
    iterations: int
    separated: tuple[str, ...] = ()
    aliased: tuple[str, ...] = ()
    _without: dict[int, Fit | None] = field(default_factory=dict)

    def without(self, cluster: int) -> Fit | None:
        """The same model without one cluster (None: nothing is left to model); fitted once, when it is asked for."""
        if cluster not in self._without:
            p, own = self.patterns, self.patterns.cells_of(cluster)
            cells = np.ones(len(p.pattern), bool) if self.cells is None else self.cells.copy()
            gone = [np.bincount(p.pattern[own], c[own], len(p.matrix)) for c in (self.cell_total, self.cell_count)]
            cells[own] = False
            self._without[cluster] = try_fit(
                p,
                self.counted,
                variables=self.variables,
                model=self.model,
                cells=cells,
                sums=(self.sums[0] - gone[0], self.sums[1] - gone[1]),
                start=self,
            )
        return self._without[cluster]

    @cached_property
    def cell_total(self) -> NDArray:
        """Pupils in each cell, none in those that do not take part."""
        return self.patterns.total if self.cells is None else np.where(self.cells, self.patterns.total, 0.0)

    @cached_property
    def cell_count(self) -> NDArray:
        """Those identified, likewise."""
        return self.counted if self.cells is None else np.where(self.cells, self.counted, 0.0)

    @cached_property
    def matrix(self) -> NDArray:
        """The design of the patterns and columns that took part."""
        return self.patterns.matrix[np.ix_(self.rows, self.columns)]

    @cached_property
    def bread(self) -> NDArray:
        """The inverse of the information (a generalised one where the model has not settled)."""
        information = self.seen.gram(_weight(self.seen.total, self.seen_risk, self.model))
        return np.linalg.inv(information) if self.converged else np.linalg.pinv(information)

    @cached_property
    def scores(self) -> NDArray:
        """The score of each cluster: clusters by columns."""
        from scipy.sparse import csr_array

        p = self.patterns
        risk, matrix = np.zeros(len(p.matrix)), np.zeros((len(p.matrix), len(self.columns)))
        # Patterns that take no part have a row of zeros: their residuals go nowhere.
        risk[self.rows], matrix[self.rows] = self.risk, self.matrix
        order, ends = p.cells_by_cluster
        residual = self.cell_count - self.cell_total * risk[p.pattern]
        return csr_array((residual[order], p.pattern[order], ends), shape=(len(p.clusters), len(risk))) @ matrix

    @cached_property
    def clusters(self) -> int:
        """How many clusters hold pupils of the fit."""
        if self.cells is None:
            return self.patterns.clusters_with_pupils
        return int(np.count_nonzero(np.bincount(self.patterns.cluster, self.cell_total)))

    @cached_property
    def information_by_cluster(self) -> NDArray:
        """What each cluster adds to the information: clusters by columns by columns."""
        p = self.patterns
        factor = np.zeros(len(p.matrix))
        factor[self.rows] = self.risk if self.model == "poisson" else self.risk * (1 - self.risk)
        coded = level_codes(p.matrix[:, self.columns], p.variable[self.columns])
        return crossed(coded, p.pattern, p.cluster, len(p.clusters), self.cell_total * factor[p.pattern])

    @cached_property
    def bias_reduction(self) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Which clusters hold pupils; M^½, M the inverse information; and of each such cluster, H its part of the
        information, A = M^½ H M^½ and (I − A)^-½.
        """
        values, vectors = np.linalg.eigh(self.bread)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        held = np.bincount(self.patterns.cluster, self.cell_total, len(self.patterns.clusters)) > 0
        leverage = root @ self.information_by_cluster[held] @ root
        own, basis = np.linalg.eigh((leverage + leverage.transpose(0, 2, 1)) / 2)
        own = np.clip(own, 0.0, 1.0)
        stretch = np.where(own < 1 - _ALONE, 1 / np.sqrt(np.maximum(1 - own, _ALONE)), 0.0)
        return held, root, leverage, (basis * stretch[:, None, :]) @ basis.transpose(0, 2, 1)

    @cached_property
    def clusters_of_groups(self) -> NDArray:
        """In how many clusters each group has pupils."""
        p = self.patterns
        if self.cells is None:
            return p.clusters_of_groups
        return p.held_in_clusters(self.cell_total)

    @cached_property
    def independent_meat(self) -> NDArray:
        """The sum of squared scores of single pupils: what the sandwich holds when clusters are left aside."""
        seen, risk = self.seen, self.seen_risk
        return seen.gram(seen.count * (1 - risk) ** 2 + (seen.total - seen.count) * risk**2)

    def group_effects(self) -> NDArray:
        """The log effect of each group: 0 for the one that the dummies leave out, missing where not estimable."""
        effect = np.full(len(self.patterns.groups), np.nan)
        effect[self.reference] = 0.0
        at, column = self._group_columns
        effect[at] = self.beta[column]
        return np.where(self.estimable, effect, np.nan)

    def group_selector(self) -> NDArray:
        """Groups by columns: 1 where a column is the group's own."""
        selector = np.zeros((len(self.patterns.groups), len(self.columns)))
        at, column = self._group_columns
        selector[at, column] = 1.0
        return selector

    @cached_property
    def _group_columns(self) -> tuple[NDArray, NDArray]:
        p = self.patterns
        column = np.flatnonzero(p.variable[self.columns] == p.by)
        position = {value: i for i, value in enumerate(p.groups)}
        return np.array([position[p.level[c]] for c in self.columns[column]], int), column


def fit(
    patterns: Patterns,
    count: NDArray,
    *,
    variables: Sequence[str] | None = None,
    model: Model = "poisson",
    cells: NDArray | None = None,
    sums: Sums | None = None,
    start: Fit | None = None,
) -> Fit:
    """The model of ``count`` (one value a cell) on the group and ``variables`` (default: all that were lined up).

    ``cells`` is a boolean mask: cells outside it do not take part; ``sums``: pupils, and those identified, by pattern
    in the cells that do, where they are known already; ``start``: a model like it, from whose coefficients the search
    is shorter. Never raises for what the data hold: a level without
    events is left out and named, a model that does not converge has ``converged`` false. Raises ``MeasureError`` when
    the model has no such name, or when nobody or everybody is identified.
    """
    if model not in ("poisson", "logistic"):
        raise MeasureError(Problem("No such model.", value=model, expected="poisson or logistic"))
    counted = np.asarray(count, float)
    total, identified = sums or patterns.sums(counted, cells)
    chosen = patterns.variable if variables is None else [patterns.by, *variables]
    columns = patterns.columns(list(chosen))
    # What the model cannot tell apart is one row to it: without deprivation, or crude, there are far fewer.
    merged = patterns.merged(columns)
    n, x = (np.bincount(merged.at, v, len(merged.matrix)) for v in (total, identified))
    alive, gone, separated, quiet = with_events(patterns, merged, n, x, model)
    rows, silent = np.flatnonzero(alive[merged.at] & (total > 0)), quiet[merged.at] & (total > 0)
    if not len(rows):
        raise NothingToModel(
            Problem("Nobody, or everybody, is identified: there is nothing to model.", value=f"{identified.sum():g}")
        )
    present = np.bincount(patterns.group[rows], total[rows], len(patterns.groups))
    reference = patterns.reference
    if not present[reference]:
        reference = int(np.argmax(np.where(patterns.known & (present > 0), present, present * 1e-12)))
    own = (patterns.variable == patterns.by) & (patterns.level == patterns.groups[reference])
    kept = np.flatnonzero(~np.isin(columns, gone) & ~own[columns])
    # The group comes last, so that a group which the adjusters determine is the one that cannot be told apart.
    kept = kept[np.argsort(patterns.variable[columns[kept]] == patterns.by, kind="stable")]
    columns = columns[kept]
    independent, empty = independent_columns(merged.gram(np.where(alive, n, 0.0))[np.ix_(kept, kept)])
    aliased = named_once(patterns, columns, columns[~independent & ~empty], rows)
    columns, kept = columns[independent], kept[independent]
    near = np.zeros(len(patterns.variable))
    if start is not None and start.converged:
        near[start.columns] = start.beta
    seen = Seen(merged, kept, np.where(alive, n, 0.0), np.where(alive, x, 0.0), alive)
    beta, risk, converged, iterations = _newton(seen, model, near[columns])
    lost = [patterns.level[c] for c in aliased if patterns.variable[c] == patterns.by]
    return Fit(
        patterns=patterns,
        model=model,
        variables=tuple(v for v in dict.fromkeys(chosen) if v not in (INTERCEPT, patterns.by)),
        reference=reference,
        columns=columns,
        rows=rows,
        beta=beta,
        seen=seen,
        seen_risk=risk,
        risk=risk[merged.at[rows]],
        total=total[rows],
        count=identified[rows],
        sums=(total, identified),
        counted=counted,
        cells=cells,
        group_total=patterns.patterns_by_group(total),
        group_count=patterns.patterns_by_group(identified),
        silent=silent,
        estimable=(present > 0) & ~patterns.groups.isin(lost) & converged,
        converged=converged,
        iterations=iterations,
        separated=separated,
        aliased=tuple(term(patterns, c) for c in aliased),
    )


def try_fit(patterns: Patterns, count: NDArray, **choices: Any) -> Fit | None:
    """``fit``, or None where there is nothing to model."""
    try:
        return fit(patterns, count, **choices)
    except NothingToModel:
        return None


def _weight(total: NDArray, risk: NDArray, model: Model) -> NDArray:
    """The information that each row carries."""
    return total * (risk if model == "poisson" else risk * (1 - risk))


def _newton(seen: Seen, model: Model, near: NDArray) -> tuple[NDArray, NDArray, bool, int]:
    """Maximum likelihood, from ``near`` or from one risk for all; steps are halved while the likelihood falls."""
    total, identified = seen.total, seen.count
    share = identified.sum() / total.sum()
    beta = np.zeros(len(seen.columns))
    beta[0] = np.log(share) if model == "poisson" else np.log(share / (1 - share))
    risk, likelihood = _risk(seen.linear(beta), total, identified, model)
    if near.any():
        risk_near, likelihood_near = _risk(seen.linear(near), total, identified, model)
        if likelihood_near > likelihood:
            beta, risk, likelihood = near, risk_near, likelihood_near
    for iteration in range(1, _ITERATIONS + 1):
        try:
            step = np.linalg.solve(seen.gram(_weight(total, risk, model)), seen.score(identified - total * risk))
        except np.linalg.LinAlgError:
            return beta, np.where(seen.alive, risk, 0.0), False, iteration
        new_risk, new = _risk(seen.linear(beta + step), total, identified, model)
        halvings = 0
        while not new >= likelihood - 1e-9 * abs(likelihood) and halvings < 30:
            step, halvings = step / 2, halvings + 1
            new_risk, new = _risk(seen.linear(beta + step), total, identified, model)
        beta, risk, likelihood = beta + step, new_risk, new
        if np.abs(step).max() <= _CONVERGED * max(1.0, np.abs(beta).max()):
            return beta, np.where(seen.alive, risk, 0.0), bool(np.abs(beta).max() < _DIVERGED), iteration
    settled = np.abs(step).max() < 1e-9 and np.abs(beta).max() < _DIVERGED
    return beta, np.where(seen.alive, risk, 0.0), bool(settled), _ITERATIONS


def _risk(linear: NDArray, total, identified, model: Model) -> tuple[NDArray, float]:
    """The risk of each pattern, and the log likelihood."""
    if model == "poisson":
        # Where the search runs away, the square of a risk must still be a number.
        risk = np.exp(np.minimum(linear, 300.0))
        return risk, float(identified @ linear - total @ risk)
    risk = 0.5 * (1 + np.tanh(linear / 2))
    return risk, float(identified @ linear - total @ np.logaddexp(0, linear))
