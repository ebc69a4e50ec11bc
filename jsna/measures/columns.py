"""What every measure does first: line up its columns, and say which rows cannot be calculated and why."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from jsna.errors import MeasureError, Problem

NO_PUPILS = "no pupils"
MISSING = "missing"
NEGATIVE = "negative"
NOT_WHOLE = "not a whole number"
ABOVE_TOTAL = "count above total"
NO_COMPARATOR = "comparator has nobody"
NO_EXPOSURE = "no exposure"
BOTH_ZERO = "both risks are zero"
BOTH_ONE = "both risks are one"
NO_VARIATION = "nothing varies"
EMPTY_CELL = "a cell is empty"
HALF_ADDED = "0.5 added to each cell"
FEW_EVENTS = "fewer than 10 events"
NO_STANDARD = "standard has nobody"
NO_REFERENCE = "reference has nobody"
NONE_EXPECTED = "nothing expected"
NOT_A_QUANTILE = "not a quantile"
EMPTY_QUANTILE = "a quantile is empty"
ONE_QUANTILE = "fewer than two quantiles"
FITTED_END = "fitted line reaches zero"
TOO_FEW_VALUES = "fewer values than quantiles"
NOT_A_SHARE = "not between 0 and 1"
BELOW_MINIMUM = "under the minimum cell or n"
STATE_BELOW_MINIMUM = "state comparison under the minimum cell or n"
ABOVE_WHOLE = "group above the whole"
HIGHEST_RISK = "highest risk"
OUT_OF_ORDER = "estimate outside its limits"

# The order in which the faults of several rows are named when they are answered together, gravest first.
ROW_FAULTS = (
    MISSING,
    NEGATIVE,
    NOT_WHOLE,
    ABOVE_TOTAL,
    NOT_A_QUANTILE,
    NO_PUPILS,
    NO_REFERENCE,
)


def aligned(*columns: ArrayLike) -> tuple:
    """The columns as float arrays of one length, and the index of the first that has one.

    Raises ``MeasureError`` when lengths differ or a column is not numeric: that is a mistake of the caller.
    """
    index = next((c.index for c in columns if isinstance(c, pd.Series)), None)
    arrays = [_numbers(c, i) for i, c in enumerate(columns)]
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        raise MeasureError(Problem("Columns differ in length.", value=sorted(lengths)))
    return (*arrays, pd.RangeIndex(len(arrays[0])) if index is None else index)


def _numbers(column: ArrayLike, position: int) -> NDArray:
    try:
        return np.atleast_1d(pd.array(column, dtype="Float64").to_numpy("float64", na_value=np.nan))
    except (TypeError, ValueError):
        plain = pd.Series(np.atleast_1d(np.asarray(column, dtype=object)))
        at = np.flatnonzero((pd.to_numeric(plain, errors="coerce").isna() & plain.notna()).to_numpy())
        name = getattr(column, "name", None)
        where = f"column {name}" if name is not None else f"argument {position + 1}"
        raise MeasureError(
            Problem(
                "A column is not numeric.",
                where=f"{where}, row {at[0]}" if len(at) else where,
                value=plain[at[0]] if len(at) else None,
                expected="numbers, or nothing where there is none",
                mend="Turn symbols such as c or z into missing values, and leave thousands commas out.",
            )
        ) from None


def true_or_false(column: pd.Series, what: str) -> NDArray:
    """A column that says yes or no, as booleans. Raises ``MeasureError`` for gaps, and for words and other numbers.

    >>> true_or_false(pd.Series([1, 0]), "known").tolist()
    [True, False]
    """
    if column.isna().any():
        raise MeasureError(
            Problem(f"{what} is not said for every row.", where=f"column {column.name}", expected="true or false")
        )
    if pd.api.types.is_bool_dtype(column):
        return column.to_numpy(bool)
    strange = ~column.isin([True, False])
    if strange.any():
        raise MeasureError(
            Problem(
                f"{what} is neither true nor false.",
                where=f"column {column.name}",
                value=sorted(set(map(str, column[strange])))[:5],
                expected="true or false (or 1 or 0)",
                mend="Turn words such as yes and no into true and false.",
            )
        )
    return column.astype(bool).to_numpy()


def normal_quantile(confidence: float) -> float:
    """z of a two-sided level. Raises ``MeasureError`` outside 0.5 to 1.

    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    if not isinstance(confidence, Real) or not 0.5 < confidence < 1:
        raise MeasureError(Problem("Not a level of confidence.", value=confidence, expected="0.5 to 1, such as 0.95"))
    return float(ndtri(0.5 + confidence / 2))


def usable_multiplier(multiplier: float) -> float:
    """What a rate is given per. Raises ``MeasureError`` for anything but a finite number above 0."""
    if not isinstance(multiplier, Real) or not 0 < multiplier < np.inf:
        raise MeasureError(
            Problem(
                "Not a multiplier.", value=multiplier, expected="a number above 0, such as 10,000 for a rate per 10,000"
            )
        )
    return multiplier


def count_status(x: NDArray, n: NDArray) -> NDArray:
    """For each row why ``x`` of ``n`` cannot be used, or an empty text."""
    whole = (x == np.round(x)) & (n == np.round(n)) & np.isfinite(x) & np.isfinite(n)
    return np.select(
        [np.isnan(x) | np.isnan(n), (x < 0) | (n < 0), ~whole, x > n, n == 0],
        [MISSING, NEGATIVE, NOT_WHOLE, ABOVE_TOTAL, NO_PUPILS],
        default="",
    ).astype(object)


def pair_status(x1: NDArray, n1: NDArray, x0: NDArray, n0: NDArray) -> NDArray:
    """The same for a group and its comparator."""
    first, second = count_status(x1, n1), count_status(x0, n0)
    second = np.where(second == NO_PUPILS, NO_COMPARATOR, second)
    return np.where(first != "", first, second).astype(object)


def then(status: NDArray, *conditions: tuple[NDArray | bool, str]) -> NDArray:
    """``status`` with the text of the first condition that holds, wherever nothing was said before."""
    status = status.astype(object)
    for holds, text in conditions:
        status[(status == "") & holds] = text
    return status
