"""Cells of pupils lined up for regression: covariate patterns, schools, and the design matrix of the patterns.

Pupils with the same covariates have the same fitted risk, so a model needs each pattern once, with how many pupils it
holds. Only the clustered errors need to know how patterns fall into schools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.levels import alike, products
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures.columns import MISSING, NO_PUPILS, aligned, count_status, true_or_false

NOT_RECORDED = "not recorded"
INTERCEPT = "all"
Sums = tuple[NDArray, NDArray]
_NAMED = 20  # problems listed in one message


@dataclass(frozen=True, repr=False)
class Merged:
    """Rows of a model that leaves some variables out: ``at`` is each pattern's place in the rows of ``matrix``.

    ``columns`` are those of the patterns' matrix; ``dummies`` says which of them are levels of categories, and
    ``blocks`` names the positions, among the dummies, of each category's.
    """

    at: NDArray
    matrix: NDArray
    columns: NDArray
    dummies: NDArray
    blocks: tuple[NDArray, ...]

    @cached_property
    def levels(self) -> NDArray:
        """The columns of dummies."""
        return self.matrix[:, self.dummies]

    @cached_property
    def _products(self) -> Any:
        return products(self.matrix)

    def gram(self, weight: NDArray) -> NDArray:
        """The sum over rows of weight · xᵀx: columns by columns."""
        return (self._products @ weight).reshape(2 * (self.matrix.shape[1],))


@dataclass(frozen=True, repr=False)
class Patterns:
    """Cells (rows of counts) with the covariate pattern and the cluster of each.

    ``matrix`` has a row a pattern; its columns are an intercept, then the levels of each variable but the first
    (for the group: but the largest). ``variable`` and ``level`` name each column, ``first`` the
    level of each variable that has none. ``group`` is each pattern's position
    in ``groups``; ``known`` says which groups may stand in a comparator. ``by`` is the group's variable, ``linear``
    are those that enter as numbers.
    """

    by: str
    linear: tuple[str, ...]
    matrix: NDArray
    variable: NDArray
    level: NDArray
    group: NDArray
    groups: pd.Index
    known: NDArray
    reference: int
    pattern: NDArray
    cluster: NDArray
    first: dict[str, object]
    clusters: pd.Index
    clustered: bool
    total: NDArray
    notes: tuple[str, ...] = field(default=())
    _merged: dict[bytes, Merged] = field(default_factory=dict)

    @property
    def pupils(self) -> NDArray:
        """Pupils in each group, over all cells."""
        return self.sum_by_group(self.total)

    def sum_by_pattern(self, cells: NDArray) -> NDArray:
        """A column of cells added up to patterns."""
        return np.bincount(self.pattern, cells, len(self.matrix))

    def sum_by_group(self, cells: NDArray) -> NDArray:
        """A column of cells added up to groups."""
        return self.patterns_by_group(self.sum_by_pattern(cells))

    def sums(self, count: NDArray, cells: NDArray | None = None) -> Sums:
        """Pupils, and those identified (``count``, a value a cell), by pattern; in a mask of cells alone."""
        values = (self.total, count) if cells is None else (np.where(cells, v, 0.0) for v in (self.total, count))
        total, identified = (self.sum_by_pattern(v) for v in values)
        return total, identified

    def patterns_by_group(self, patterns: NDArray) -> NDArray:
        """A column of patterns added up to groups."""
        return np.bincount(self.group, patterns, len(self.groups))

    def merged(self, columns: NDArray) -> Merged:
        """Patterns that are alike in ``columns``, once; worked out the first time that it is asked for."""
        key = columns.tobytes()
        if key not in self._merged:
            variable = self.variable[columns]
            dummies = ~np.isin(variable, [INTERCEPT, *self.linear])
            blocks = tuple(np.flatnonzero(variable[dummies] == v) for v in dict.fromkeys(variable[dummies]))
            self._merged[key] = Merged(*alike(self.matrix[:, columns], variable), columns, dummies, blocks)
        return self._merged[key]

    @cached_property
    def clusters_with_pupils(self) -> int:
        """How many clusters have pupils."""
        return int(np.count_nonzero(np.bincount(self.cluster, self.total)))

    @cached_property
    def clusters_of_groups(self) -> NDArray:
        """In how many clusters each group has pupils."""
        return self.held_in_clusters(self.total)

    def held_in_clusters(self, total: NDArray) -> NDArray:
        """In how many clusters each group has some of ``total``, which has a value a cell."""
        pairs = self.group[self.pattern] * len(self.clusters) + self.cluster
        held = np.bincount(pairs, total, len(self.groups) * len(self.clusters))
        return np.count_nonzero(held.reshape(len(self.groups), -1), axis=1)

    @cached_property
    def cells_by_cluster(self) -> tuple[NDArray, NDArray]:
        """The cells in the order of their clusters, and where in it each cluster begins (and the last ends)."""
        held = np.bincount(self.cluster, minlength=len(self.clusters))
        return np.argsort(self.cluster, kind="stable"), np.concatenate([[0], np.cumsum(held)])

    def cells_of(self, cluster: int) -> NDArray:
        """The cells of a cluster."""
        order, ends = self.cells_by_cluster
        return order[ends[cluster] : ends[cluster + 1]]

    def columns(self, variables: Sequence[str]) -> NDArray:
        """Positions of the columns of the intercept and of ``variables``."""
        return np.flatnonzero(np.isin(self.variable, [INTERCEPT, *variables]))


def lined_up(
    frame: pd.DataFrame,
    *,
    group: str,
    total: str,
    adjust: Sequence[str] = (),
    linear: Sequence[str] = (),
    cluster: str | None = None,
    known: str | None = None,
) -> Patterns:
    """The patterns of ``frame``: one row a cell, with columns for the group, the adjusters, the cluster and the total.

    ``linear`` columns enter as numbers, the others as categories. A missing category is a level of its own, and is
    said. Without ``cluster`` pupils are independent (``clustered`` false). ``known`` is a boolean column, the same in
    all rows of a group.
    Raises ``MeasureError`` for a column that is not there, for totals that are no counts, and for a linear column with
    gaps.
    """
    needed = [group, total, *adjust, *linear, *([cluster] if cluster else []), *([known] if known else [])]
    require_columns(frame, needed)
    totals = usable_totals(frame[total], frame[group])
    notes: list[str] = []
    codes, levels = [], []
    for name in (group, *adjust):
        code, level = _factor(frame[name], name, totals, notes, unused=name == group)
        codes.append(code)
        levels.append(level)
    for name in linear:
        numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy("float64")
        if np.isnan(numbers).any():
            raise MeasureError(Problem("A number is missing in a column that enters as a number.", where=name))
        level, code = np.unique(numbers, return_inverse=True)
        codes.append(code)
        levels.append(pd.Index(level))
    pattern, combination = _patterns(codes, [len(level) for level in levels])
    groups, of_group = levels[0], combination[0]
    size = np.bincount(of_group[pattern], totals, len(groups))
    yes = _known(frame, group, known, groups)
    reference = int(np.argmax(np.where(yes, size, -1)))
    matrix, variable, level = _matrix([group, *adjust, *linear], levels, combination, reference, len(linear))
    if cluster:
        at, clusters = _factor(frame[cluster], cluster, totals, notes)
    else:
        at, clusters = np.zeros(len(frame), int), pd.Index(["all"])
    return Patterns(
        by=group,
        linear=tuple(linear),
        matrix=matrix,
        variable=variable,
        level=level,
        group=of_group,
        groups=groups,
        known=yes,
        reference=reference,
        pattern=pattern,
        cluster=at,
        first={n: lv[reference if n == group else 0] for n, lv in zip((group, *adjust), levels, strict=False)},
        clusters=clusters,
        clustered=cluster is not None,
        total=totals,
        notes=tuple(notes),
    )


def require_columns(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Raises ``MeasureError`` naming every column that the frame lacks."""
    missing = [c for c in dict.fromkeys(needed) if c not in frame]
    if missing:
        raise MeasureError(
            *(Problem("There is no such column.", value=c, mend=did_you_mean(c, frame.columns)) for c in missing)
        )
    if not len(frame):
        raise MeasureError(Problem("There are no rows to compare.", expected="one row a group, or more"))


def usable_totals(total: pd.Series, named: pd.Series) -> NDArray:
    """The totals as numbers. Raises ``MeasureError`` naming every row that is no count."""
    return usable_counts(pd.Series(0.0, total.index, name=total.name), total, named)[1]


def usable_counts(count: pd.Series, total: pd.Series, named: pd.Series) -> tuple[NDArray, NDArray]:
    """Counts and totals as numbers; totals of 0 are allowed. Raises ``MeasureError`` naming every row that is wrong."""
    x, n, _ = aligned(count, total)
    # Millions of rows are nearly always all counts: only where some are not is each given its reason.
    if ((x >= 0) & (x <= n) & (x == np.floor(x)) & (n == np.floor(n)) & (n < np.inf)).all():
        return x, n
    why = count_status(x, n)
    wrong = np.flatnonzero(~np.isin(why, ["", NO_PUPILS]))
    if len(wrong):
        more = f" ({len(wrong) - _NAMED} more rows are wrong)" if len(wrong) > _NAMED else ""
        raise MeasureError(
            *(
                Problem(
                    f"A row's count cannot be used: {why[i]}.{more}",
                    where=f"row {i} ({named.iloc[i]}), columns {count.name} and {total.name}",
                    value=f"{x[i]:g} of {n[i]:g}",
                    expected="whole numbers, 0 or more, the count no larger than the total",
                    mend="Leave the row out and say so, or correct it." if why[i] == MISSING else "Correct the row.",
                )
                for i in wrong[:_NAMED]
            )
        )
    return x, n


def _factor(
    column: pd.Series, name: str, totals: NDArray, notes: list[str], *, unused: bool = False
) -> tuple[NDArray, pd.Index]:
    """The code of each row and the levels; with ``unused`` also levels of which there is no row."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column if unused else column.cat.remove_unused_categories()
        codes, levels = column.cat.codes.to_numpy().astype("int64"), column.cat.categories
    else:
        codes, levels = pd.factorize(column, sort=True)
    absent = codes < 0
    if absent.any():
        if totals[absent].sum():
            notes.append(f"{name}: {int(totals[absent].sum()):,} pupils not recorded, kept as a category of their own.")
        if NOT_RECORDED not in levels:
            levels = pd.Index([*levels, NOT_RECORDED])
        codes = np.where(absent, pd.Index(levels).get_loc(NOT_RECORDED), codes)
    return codes, pd.Index(levels)


def _patterns(codes: list[NDArray], sizes: list[int]) -> tuple[NDArray, tuple[NDArray, ...]]:
    """For each cell its pattern, and for each pattern its level of every variable."""
    at = np.ravel_multi_index(codes, sizes)
    space = int(np.prod(sizes))
    if space <= 4 * len(at) + 1_000_000:
        present = np.bincount(at, minlength=space) > 0
        pattern = (np.cumsum(present) - 1)[at]
        found = np.flatnonzero(present)
    else:
        found, pattern = np.unique(at, return_inverse=True)
    return pattern, np.unravel_index(found, sizes)


def _known(frame: pd.DataFrame, group: str, known: str | None, groups: pd.Index) -> NDArray:
    if known is None:
        return np.ones(len(groups), bool)
    named = frame.loc[known_rows(frame, group, known), group].drop_duplicates()
    return groups.isin(named) | (groups.isin([NOT_RECORDED]) & named.isna().any())


def known_rows(frame: pd.DataFrame, group: str, known: str) -> NDArray:
    """Whether each row's group is known. Raises ``MeasureError`` for gaps, words, and a group that is both."""
    yes = true_or_false(frame[known], "Whether a group is known")
    both = sorted(set(map(str, frame.loc[yes, group].unique())) & set(map(str, frame.loc[~yes, group].unique())))
    if both:
        raise MeasureError(
            Problem("A group is called known in some rows and unknown in others.", where=known, value=both[:5])
        )
    return yes


def wanted_groups(names: pd.Index, groups: Sequence[object]) -> pd.Index:
    """``groups`` as an index. Raises ``MeasureError`` naming every one that is not among ``names``."""
    strange = [g for g in groups if g not in names]
    if strange:
        raise MeasureError(*(Problem("There is no such group.", value=g, mend=did_you_mean(g, names)) for g in strange))
    return pd.Index(list(groups))


def _matrix(names, levels, combination, reference: int, linear: int) -> tuple[NDArray, NDArray, NDArray]:
    rows = len(combination[0])
    parts, variable, level = [np.ones((rows, 1))], [INTERCEPT], [INTERCEPT]
    for i, (name, levels_of, code) in enumerate(zip(names, levels, combination, strict=True)):
        if i >= len(names) - linear:
            parts.append(levels_of.to_numpy("float64")[code][:, None])
            variable.append(name)
            level.append(name)
            continue
        shown = np.delete(np.arange(len(levels_of)), reference if i == 0 else 0)
        parts.append((code[:, None] == shown).astype("float64"))
        variable += [name] * len(shown)
        level += [levels_of[j] for j in shown]
    named = np.empty(len(level), object)
    named[:] = level
    return np.hstack(parts), np.array(variable, object), named
