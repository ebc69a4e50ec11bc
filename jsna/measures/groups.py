"""Rows added up by group, all groups at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import ROW_FAULTS


@dataclass(frozen=True)
class Groups:
    """Which group each row belongs to (``codes``), and the groups in the order in which they are first met."""

    codes: NDArray[np.intp]
    labels: pd.Index

    def total(self, values: NDArray) -> NDArray:
        """The sum of ``values`` in each group."""
        return np.bincount(self.codes, weights=values, minlength=len(self.labels)).astype(np.float64)

    def highest(self, values: NDArray) -> NDArray:
        """The largest of ``values`` in each group, missing ones left out; minus infinity where there is none."""
        largest = np.full(len(self.labels), -np.inf)
        np.fmax.at(largest, self.codes, values)
        return largest

    def fault(self, status: NDArray) -> NDArray:
        """The gravest fault among the rows of each group, or an empty text: it does not depend on their order."""
        answer = np.full(len(self.labels), "", dtype=object)
        bad = np.flatnonzero(status != "")
        for fault in reversed(ROW_FAULTS):
            answer[self.codes[bad[status[bad] == fault]]] = fault
        return answer


def grouped(by: ArrayLike | pd.Series | Sequence | None, rows: int) -> Groups:
    """The groups that ``by`` names, one value a row; all rows are one group where it is None.

    Rows without a key are a group of their own: nothing is left out unseen. Raises ``MeasureError`` where the length is
    not that of the columns.

    >>> grouped(["b", "a", "b"], 3).total(np.array([1.0, 2.0, 4.0])).tolist()
    [5.0, 2.0]
    """
    if by is None:
        return Groups(np.zeros(rows, dtype=np.intp), pd.RangeIndex(1))
    keys = pd.Index(by)
    if len(keys) != rows:
        raise MeasureError(Problem("The key of the groups differs in length from the columns.", value=len(keys)))
    codes, labels = keys.factorize(use_na_sentinel=False)
    return Groups(codes, pd.Index(labels, name=keys.name))
