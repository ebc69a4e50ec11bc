"""A design read back as levels: which rows a model cannot tell apart, and what each cluster adds to its information.

The columns of a category are 0 and 1, one of them at most 1 in a row. Sums over cells then need no products of rows:
each pair of variables is a table of counts.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Levels(NamedTuple):
    """One variable of a design: its ``columns``, and each row's level: 1, 2, … in their order, 0 where all are 0.

    Of a variable that enters as a number the one level 1 is every row, and ``value`` holds the number.
    """

    columns: NDArray
    level: NDArray
    value: NDArray | None = None


def level_codes(matrix: NDArray, variable: NDArray) -> list[Levels]:
    """The variables of a design (rows by columns), ``variable`` the name of each column.

    >>> [v.level.tolist() for v in level_codes(np.array([[1.0, 0, 0], [1, 0, 1]]), np.array(["all", "sex", "sex"]))]
    [[1, 1], [0, 2]]
    """
    made = []
    for name in dict.fromkeys(variable):
        columns = np.flatnonzero(variable == name)
        own = matrix[:, columns]
        if len(columns) == 1 and not np.isin(own, (0.0, 1.0)).all():
            made.append(Levels(columns, np.ones(len(own), int), own[:, 0]))
        else:
            made.append(Levels(columns, np.where(own.any(axis=1), own.argmax(axis=1) + 1, 0)))
    return made


def alike(matrix: NDArray, variable: NDArray) -> tuple[NDArray, NDArray]:
    """The distinct rows of a design: the place of each row in them, and they themselves.

    >>> at, distinct = alike(np.array([[1.0, 0], [1, 1], [1, 0]]), np.array(["all", "sex"]))
    >>> at.tolist(), distinct.tolist()
    ([0, 1, 0], [[1.0, 0.0], [1.0, 1.0]])
    """
    at = np.zeros(len(matrix), int)
    for coded in level_codes(matrix, variable):
        own = coded.level if coded.value is None else np.unique(coded.value, return_inverse=True)[1]
        at = np.unique(at * (int(own.max()) + 1) + own, return_inverse=True)[1]
    first = np.zeros(int(at.max()) + 1, int)
    first[at] = np.arange(len(at))
    return at, matrix[first]


def crossed(design: list[Levels], row: NDArray, cluster: NDArray, clusters: int, weight: NDArray) -> NDArray:
    """The sum over each cluster's cells of weight · xᵀx, x the cell's row of the design: clusters by columns by columns.

    ``row``, ``cluster`` and ``weight`` have a value a cell.

    >>> design = level_codes(np.array([[1.0, 0], [1, 1]]), np.array(["all", "sex"]))
    >>> crossed(design, np.array([0, 1, 1]), np.array([0, 0, 1]), 2, np.array([5.0, 2.0, 3.0])).tolist()
    [[[7.0, 2.0], [2.0, 2.0]], [[3.0, 3.0], [3.0, 3.0]]]
    """
    width = sum(len(v.columns) for v in design)
    made = np.zeros((clusters, width, width))
    levels = [v.level[row] for v in design]
    weights = [None if v.value is None else v.value[row] for v in design]

    def summed(key: NDArray, size: int, *values: NDArray | None) -> NDArray:
        total = weight
        for value in values:
            total = total if value is None else total * value
        return np.bincount(key, total, clusters * size).reshape(clusters, size)

    for v, level, value in zip(design, levels, weights, strict=True):
        size = len(v.columns) + 1
        made[:, v.columns, v.columns] = summed(cluster * size + level, size, value, value)[:, 1:]
    for i, j in combinations(range(len(design)), 2):
        sizes = [len(design[k].columns) + 1 for k in (i, j)]
        key = (cluster * sizes[0] + levels[i]) * sizes[1] + levels[j]
        table = summed(key, sizes[0] * sizes[1], weights[i], weights[j]).reshape(clusters, *sizes)[:, 1:, 1:]
        made[:, design[i].columns[:, None], design[j].columns] = table
        made[:, design[j].columns[:, None], design[i].columns] = table.transpose(0, 2, 1)
    return made
