"""A design read back as levels: which rows a model cannot tell apart, and what each cluster adds to its information.

The columns of a category are 0 and 1, one of them at most 1 in a row. Sums over cells then need no products of rows:
each pair of variables is a table of counts.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Levels(NamedTuple):
    """One variable of a design: its ``columns``, and each row's level: 1, 2, … in their order, 0 where all are 0.

    Of a variable that enters as a number the one level 1 is every row, and ``value`` holds the number.
    """

    columns: NDArray
    level: NDArray
    value: NDArray | None = None

    @property
    def constant(self) -> bool:
        """Whether it is one column of ones: the intercept."""
        return self.value is None and len(self.columns) == 1 and bool((self.level == 1).all())


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


def products(matrix: NDArray) -> Any:
    """What each row of a design (mostly zeros) adds to xᵀx, laid out flat: columns² by rows, sparse.

    >>> (products(np.array([[1.0, 0], [1, 2]])) @ np.array([10.0, 1.0])).tolist()
    [11.0, 2.0, 2.0, 4.0]
    """
    from scipy.sparse import csr_array

    rows, columns = matrix.shape
    row, column = np.nonzero(matrix)
    held = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - np.repeat(np.cumsum(held) - held, held)
    at, value = np.zeros((rows, held.max()), int), np.zeros((rows, held.max()))
    at[row, place], value[row, place] = column, matrix[row, column]
    entry = at[:, :, None] * columns + at[:, None, :]
    product = value[:, :, None] * value[:, None, :]
    kept = product != 0
    source = np.broadcast_to(np.arange(rows)[:, None, None], kept.shape)
    return csr_array((product[kept], (entry[kept], source[kept])), shape=(columns**2, rows))


def crossed(design: list[Levels], row: NDArray, cluster: NDArray, clusters: int, weight: NDArray) -> NDArray:
    """The sum over each cluster's cells of weight · xᵀx, x the cell's row of the design.

    Clusters by columns by columns. ``row``, ``cluster`` and ``weight`` have a value a cell.

    >>> design = level_codes(np.array([[1.0, 0], [1, 1]]), np.array(["all", "sex"]))
    >>> crossed(design, np.array([0, 1, 1]), np.array([0, 0, 1]), 2, np.array([5.0, 2.0, 3.0])).tolist()
    [[[7.0, 2.0], [2.0, 2.0]], [[3.0, 3.0], [3.0, 3.0]]]
    """
    made = np.zeros((clusters, *2 * (sum(len(v.columns) for v in design),)))
    categories = [v for v in design if v.value is None and not v.constant]
    levels = {id(v): v.level[row] for v in categories}
    margins: dict[int, NDArray] = {}
    for first, second in combinations(categories, 2):
        sizes = len(first.columns) + 1, len(second.columns) + 1
        key = (cluster * sizes[0] + levels[id(first)]) * sizes[1] + levels[id(second)]
        table = np.bincount(key, weight, clusters * sizes[0] * sizes[1]).reshape(clusters, *sizes)
        _lay(made, first, second, table[:, 1:, 1:])
        margins |= {id(first): table.sum(axis=2), id(second): table.sum(axis=1)}
    for v in categories:
        size = len(v.columns) + 1
        if id(v) not in margins:
            alone = np.bincount(cluster * size + levels[id(v)], weight, clusters * size)
            margins[id(v)] = alone.reshape(clusters, size)
        made[:, v.columns, v.columns] = margins[id(v)][:, 1:]
    rest = [v for v in design if v.value is not None or v.constant]
    for i, v in enumerate(rest):
        weighted = weight if v.value is None else weight * v.value[row]
        for other in categories:
            size = len(other.columns) + 1
            if v.value is None:
                table = margins[id(other)]
            else:
                table = np.bincount(cluster * size + levels[id(other)], weighted, clusters * size)
            _lay(made, v, other, table.reshape(clusters, 1, size)[:, :, 1:])
        for other in rest[i:]:
            both = weighted if other.value is None else weighted * other.value[row]
            _lay(made, v, other, np.bincount(cluster, both, clusters)[:, None, None])
    return made


def _lay(made: NDArray, first: Levels, second: Levels, table: NDArray) -> None:
    made[:, first.columns[:, None], second.columns] = table
    made[:, second.columns[:, None], first.columns] = table.transpose(0, 2, 1)
