"""What a model cannot estimate: levels with nobody identified, and columns that others determine."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jsna.disproportionality.patterns import Merged, Patterns

Model = Literal["poisson", "logistic"]
_DEPENDENT = 1e-9  # share of a column's weighted square that the columns before it leave unexplained
_SURELY_INDEPENDENT = 1e-6


def term(patterns: Patterns, column: int) -> str:
    """A column in words: its variable and its level."""
    return f"{patterns.variable[column]} {patterns.level[column]}"


def with_events(patterns: Patterns, merged: Merged, total, identified, model: Model):
    """Rows that can be fitted; columns, and names of levels, with nobody (or only) identified; rows lost so.

    The level without a column (the first of a variable) is judged too. Rows that go may leave a level without events,
    so it is asked again until nothing changes.
    """
    rows = total > 0
    gone: list[int] = []
    named: list[str] = []
    silent = np.zeros(len(rows), bool)
    dummies, matrix = merged.columns[merged.dummies], merged.levels
    while True:
        n, x = matrix.T @ np.where(rows, total, 0.0), matrix.T @ np.where(rows, identified, 0.0)
        all_n, all_x = total[rows].sum(), identified[rows].sum()
        drop = np.zeros(len(rows), bool)
        if all_n > 0 and (all_x == 0 or (model == "logistic" and all_x == all_n)):
            return drop, gone, tuple(named), silent
        for i in np.flatnonzero(_one_sided(n, x, model)):
            inside = rows & (matrix[:, i] == 1)
            drop |= inside
            silent |= inside & (patterns.variable[dummies[i]] != patterns.by)
            gone.append(int(dummies[i]))
            named.append(term(patterns, dummies[i]))
        for block in merged.blocks:
            if _one_sided(all_n - n[block].sum(), all_x - x[block].sum(), model):
                inside = rows & (matrix[:, block].sum(axis=1) == 0)
                drop |= inside
                name = patterns.variable[dummies[block[0]]]
                named.append(f"{name} {patterns.first[name]}")
                silent |= inside & (name != patterns.by)
        if not drop.any():
            return rows, gone, tuple(named), silent
        rows &= ~drop


def _one_sided(n, x, model: Model):
    return (n > 0) & ((x == 0) | ((x == n) & (model == "logistic")))


def named_once(patterns: Patterns, columns: NDArray, aliased: NDArray, rows: NDArray) -> NDArray:
    """Aliased columns worth a word: where the first level of a variable is gone, another only takes its place."""
    kept = []
    for name in dict.fromkeys(patterns.variable[aliased]):
        own = columns[patterns.variable[columns] == name]
        first_is_gone = (patterns.matrix[np.ix_(rows, own)].sum(axis=1) > 0).all()
        kept += list(aliased[patterns.variable[aliased] == name][1 if first_is_gone and name != patterns.by else 0 :])
    return np.array(kept, int)


def independent_columns(gram: NDArray) -> tuple[NDArray, NDArray]:
    """Which columns add something to those before them, and which hold nothing at all; ``gram`` weights by pupils."""
    diagonal = gram.diagonal().copy()
    empty = diagonal <= 0
    scale = np.sqrt(np.where(empty, 1.0, diagonal))
    gram = gram / np.outer(scale, scale)
    keep = ~empty
    if keep.all():
        with suppress(np.linalg.LinAlgError):
            # The squared diagonal of the root is what each column adds to those before it.
            if (np.linalg.cholesky(gram).diagonal() ** 2 > _SURELY_INDEPENDENT).all():
                return keep, empty
    for i in range(len(gram)):
        pivot = gram[i, i]
        if not keep[i] or pivot < _DEPENDENT:
            keep[i] = False
            continue
        gram[i + 1 :, i + 1 :] -= np.outer(gram[i + 1 :, i], gram[i, i + 1 :]) / pivot
    return keep, empty
