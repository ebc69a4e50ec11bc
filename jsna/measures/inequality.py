"""How steeply does a risk run along deprivation? Slope and relative index of inequality."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import (
    EMPTY_QUANTILE,
    FITTED_END,
    MISSING,
    NO_PUPILS,
    NO_VARIATION,
    NOT_A_QUANTILE,
    ONE_QUANTILE,
    aligned,
    count_status,
    normal_quantile,
    then,
)
from jsna.measures.groups import Groups, grouped

MOST_QUANTILES = 100


def slope_index(
    count: ArrayLike,
    total: ArrayLike,
    quantile: ArrayLike,
    confidence: float = 0.95,
    by: ArrayLike | pd.Series | None = None,
    k: int | None = None,
) -> pd.DataFrame:
    """By how much does the risk differ between the least and the most deprived end, and how many times?

    One row a quantile (rows of the same quantile and group are added up): ``count`` of ``total``, whole numbers;
    ``quantile``: 1 (most deprived) to ``k``, which is the largest seen unless given; ``by``: the group, or one for
    all. Returns one row a group: ``estimate``, ``lower``, ``upper`` of the slope index (least less most deprived, a
    difference of shares: below 0 where the most deprived are identified more), ``relative_index`` with
    ``relative_index_lower`` and ``_upper`` (least over most deprived: below 1 there) and ``status``. Missing with an
    empty quantile; the relative index is missing where the fitted line reaches 0. Where every quantile's risk is 0 or
    1 nothing varies: no limits. Raises ``MeasureError`` for more than 100 quantiles. Not where the risk does not run
    in a line: draw the quantiles too.

    Source: Low and Low 2004: least squares weighted by population share on the mid-point of the cumulative share.
    Limits in closed form, not simulated: Σ c²p(1−p)/n; of the relative index by the delta method on the log.

    >>> slope_index([30, 20], [100, 100], [1, 2]).round(3).values.tolist()
    [[-0.2, -0.438, 0.038, 0.429, 0.139, 1.323, '']]
    """
    z = normal_quantile(confidence)
    x, n, q, _ = aligned(count, total, quantile)
    groups = grouped(by, len(x))
    row, last = _row_status(x, n, q, k)
    good = row == ""
    cells = Groups(
        groups.codes * last + np.where(good, q - 1, 0).astype(np.intp), pd.RangeIndex(len(groups.labels) * last)
    )
    x, n = (cells.total(np.where(good, a, 0.0)).reshape(-1, last) for a in (x, n))
    empty = (n == 0).any(axis=1)
    status = then(groups.fault(row), (n.sum(1) == 0, NO_PUPILS), (last < 2, ONE_QUANTILE), (empty, EMPTY_QUANTILE))
    x[status != ""], n[status != ""] = np.nan, np.nan
    values, status = _line(x, n, z, status)
    return pd.DataFrame(values, index=groups.labels).assign(status=status)


def _row_status(x: NDArray, n: NDArray, q: NDArray, k: int | None) -> tuple[NDArray, int]:
    """What is wrong with each row (a row of nobody adds nothing, and is not), and the number of quantiles."""
    row = count_status(x, n)
    row[row == NO_PUPILS] = ""
    proper = (q >= 1) & (q == np.round(q)) & np.isfinite(q)
    last = k if k is not None else int(q[proper].max(initial=1))
    if last != int(last) or not 1 <= last <= MOST_QUANTILES:
        expected = f"2 to {MOST_QUANTILES}: the quantile, not the rank"
        raise MeasureError(Problem("Not a number of quantiles.", value=last, expected=expected))
    return then(row, (np.isnan(q), MISSING), (~(proper & (q <= last)), NOT_A_QUANTILE)), int(last)


def _line(x: NDArray, n: NDArray, z: float, status: NDArray) -> tuple[dict[str, NDArray], NDArray]:
    """The weighted line through the risks: one row a group, one column a quantile."""
    weight = n / n.sum(axis=1, keepdims=True)
    centred = np.cumsum(weight, axis=1) - weight / 2 - 0.5
    with np.errstate(invalid="ignore", divide="ignore"):
        slope_weight = weight * centred / (weight * centred**2).sum(axis=1, keepdims=True)
        risk, variance = x / n, x / n * ((n - x) / n) / n
        slope, mean = (slope_weight * risk).sum(axis=1), (weight * risk).sum(axis=1)
        most, least = mean - slope / 2, mean + slope / 2
        ratio = np.where((most > 0) & (least > 0), least / most, np.nan)
        gradient = (weight + slope_weight / 2) / least[:, None] - (weight - slope_weight / 2) / most[:, None]
        error = np.sqrt((slope_weight**2 * variance).sum(axis=1))
        log_error = np.sqrt((gradient**2 * variance).sum(axis=1))
    none = error == 0
    error, log_error = np.where(none, np.nan, error), np.where(none, np.nan, log_error)
    values = {
        "estimate": slope,
        "lower": slope - z * error,
        "upper": slope + z * error,
        "relative_index": ratio,
        "relative_index_lower": ratio * np.exp(-z * log_error),
        "relative_index_upper": ratio * np.exp(z * log_error),
    }
    return values, then(status, (none, NO_VARIATION), (np.isnan(ratio), FITTED_END))
