"""What every rule of other tools does first and last: usable counts, sums of a family, and the frame of its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import BOTH_ZERO, aligned, count_status, normal_quantile, pair_status

TINY = 1e-12  # a ratio that stands exactly on a threshold is not moved across it by rounding


def within(name: str, value: float, low: float, high: float) -> None:
    """Refuses a constant of a rule that is not strictly between ``low`` and ``high``."""
    if not low < value < high:
        raise MeasureError(Problem("Out of range.", where=name, value=value, expected=f"between {low} and {high}"))


def two_sided_cut(p: float) -> float:
    """The normal quantile beyond which a two-sided p-value is under ``p``."""
    within("p", p, 0, 0.5)
    return normal_quantile(1 - p)


def log_or_infinite(ratio: NDArray) -> NDArray:
    """The log of a ratio: −infinity where it is 0, missing where it is missing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(ratio)


def usable_pairs(*columns: ArrayLike) -> tuple:
    """Counts of group and comparator, missing where they cannot be used, with the status and the index."""
    x1, n1, x0, n0, index = aligned(*columns)
    status = pair_status(x1, n1, x0, n0)
    status = np.where((status == "") & (x1 == 0) & (x0 == 0), BOTH_ZERO, status)
    return *(np.where(status == "", a, np.nan) for a in (x1, n1, x0, n0)), status, index


def in_families(count: ArrayLike, total: ArrayLike, family: ArrayLike | None) -> tuple:
    """Counts, (identified, pupils, highest rate) of the family of each row, status and index."""
    x, n, index = aligned(count, total)
    status = count_status(x, n)
    good = status == ""
    key = (
        np.zeros(len(x), int) if family is None else pd.factorize(_one_column(family, len(x)), use_na_sentinel=False)[0]
    )
    size = int(key.max(initial=-1)) + 1
    sums = [np.bincount(key, np.where(good, a, 0.0), size)[key] for a in (x, n)]
    x, n = np.where(good, x, np.nan), np.where(good, n, np.nan)
    highest = np.zeros(size)
    np.maximum.at(highest, key[good], x[good] / n[good])
    return x, n, (*sums, highest[key]), status, index


def _one_column(family: ArrayLike, length: int) -> pd.Series:
    column = pd.Series([family]) if pd.api.types.is_scalar(family) else pd.Series(family)
    if len(column) != length:
        raise MeasureError(Problem("Columns differ in length.", where="family", value=sorted({len(column), length})))
    return column


def rule_answer(
    index: pd.Index, status: NDArray, side: NDArray, strength: NDArray, cut: float, *, reaching: bool = False
) -> pd.DataFrame:
    """The frame of a rule: ``side`` is positive for over; flagged beyond ``cut``, or ``reaching`` it."""
    calculated = status == ""
    side = np.where(calculated, side, 0.0)
    strength = np.where(calculated, strength, -np.inf)
    return pd.DataFrame(
        {
            "direction": np.select([side > 0, side < 0], ["over", "under"], default=""),
            "flagged": calculated & (strength >= cut - TINY if reaching else strength > cut + TINY),
            "strength": strength,
            "status": status,
        },
        index=index,
    )
