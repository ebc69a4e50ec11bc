"""What every function of areas does first: line up its columns and say which areas cannot be used, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem

Model = Literal["binomial", "poisson"]

MISSING = "missing"
NEGATIVE = "negative"
NOT_WHOLE = "not a whole number"
ABOVE_TOTAL = "count above total"
NONE_EXPECTED = "events where none are expected"
NO_DATA = "no data"
NO_DATA_MEAN = "no data: mean of all areas"
NO_DATA_NEIGHBOURS = "no data: predicted from neighbours"
NOBODY = "nobody in any area"
NO_EVENTS = "no events in any area"
ALL_EVENTS = "everybody counted in every area"
NO_NEIGHBOURS = "no neighbours"
NO_NEIGHBOURS_MEAN = "no neighbours: smoothed to all areas"
NO_VARIATION = "nothing varies"
FEW_AREAS = "too few areas"
NO_WINDOW = "one place holds more than half"


def aligned(*columns: ArrayLike) -> tuple:
    """The columns as float arrays of one length, and the index of the first that has one.

    Raises ``MeasureError`` when lengths differ or a column is not numeric: that is a mistake of the caller.
    """
    index = next((c.index for c in columns if isinstance(c, pd.Series)), None)
    try:
        arrays = [np.atleast_1d(pd.array(c, dtype="Float64").to_numpy("float64", na_value=np.nan)) for c in columns]
    except (TypeError, ValueError) as error:
        raise MeasureError(Problem("A column is not numeric.", value=str(error)[:80])) from None
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        raise MeasureError(Problem("Columns differ in length.", value=sorted(lengths)))
    return (*arrays, pd.RangeIndex(len(arrays[0])) if index is None else index)


def counted(count: ArrayLike, size: ArrayLike, model: Model) -> tuple[NDArray, NDArray, NDArray, pd.Index]:
    """Counts and what they are counts of, the status of each area, and the index of the answer.

    ``model`` "binomial": ``size`` is the number of people, whole, at least the count. "poisson": ``size`` is the number
    of events expected, or an exposure, of any size ≥ 0. An area of size 0 has the status "no data".
    """
    if model not in ("binomial", "poisson"):
        raise MeasureError(Problem("No such model.", value=model, expected="binomial or poisson"))
    x, n, index = aligned(count, size)
    whole = np.isfinite(x) & (x == np.round(x)) & np.isfinite(n)
    if model == "binomial":
        whole &= n == np.round(n)
    conditions = [np.isnan(x) | np.isnan(n), (x < 0) | (n < 0), ~whole]
    words = [MISSING, NEGATIVE, NOT_WHOLE]
    conditions.append((x > n) if model == "binomial" else ((n == 0) & (x > 0)))
    words.append(ABOVE_TOTAL if model == "binomial" else NONE_EXPECTED)
    status = np.select([*conditions, n == 0], [*words, NO_DATA], default="").astype(object)
    return x, n, status, index


def in_order_of(codes: Sequence[str], index: pd.Index, rows: int) -> None:
    """Refuses columns that do not stand in the order of ``codes``: as many rows, and, where named, the same names.

    An index of plain numbers says nothing about areas and is let through.
    """
    if rows != len(codes):
        found = f"{rows} rows, {len(codes)} areas"
        raise MeasureError(Problem("The columns do not fit the neighbours.", value=found, expected="one row an area"))
    if not pd.api.types.is_numeric_dtype(index) and list(index) != list(codes):
        first = next(f"{a} where {b} belongs" for a, b in zip(index, codes, strict=True) if a != b)
        mend = "Reindex the columns with neighbours.codes."
        raise MeasureError(Problem("The columns are not in the order of the neighbours.", value=first, mend=mend))


def confidence_tail(confidence: float) -> float:
    """The probability left out at each end. Raises ``MeasureError`` outside 0.5 to 1.

    >>> round(confidence_tail(0.95), 3)
    0.025
    """
    if not 0.5 < confidence < 1:
        raise MeasureError(Problem("Not a level of confidence.", value=confidence, expected="0.5 to 1, such as 0.95"))
    return (1 - confidence) / 2
