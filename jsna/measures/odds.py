"""Odds ratios, for comparison with literature that reports them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import (
    BOTH_ONE,
    BOTH_ZERO,
    EMPTY_CELL,
    HALF_ADDED,
    aligned,
    normal_quantile,
    pair_status,
    then,
)
from jsna.measures.hypergeometric import conditional_odds_ratio

Method = Literal["wald", "haldane", "fisher"]


def odds_ratio(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    method: Method = "wald",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many times the comparator's odds of being identified are a group's odds? Show ``risk_ratio`` first.

    Four columns of whole numbers. ``wald``: interval on the log, missing where a cell of the table is empty.
    ``haldane``: the same, with 0.5 added to all four cells of a table that has an empty one, which its status says.
    ``fisher``: the likeliest ratio given the margins, which is nearer 1 than the plain one, with its exact interval;
    for small tables: work grows with the square root of the counts. Returns ``estimate``, ``lower``, ``upper`` (0 to
    infinity) and ``status``. Readers take odds ratios for risk ratios: at a risk of 17% an odds ratio of 2 is a risk
    ratio of about 1.7.

    Source: Woolf 1955; Haldane 1956 and Anscombe 1956; Cornfield 1956 (conditional), Fisher 1935.

    >>> odds_ratio([3], [4], [1], [4], method="fisher").round(2).values.tolist()
    [[6.41, 0.21, 626.24, '']]
    """
    x1, n1, x0, n0, index = aligned(count, total, comparator_count, comparator_total)
    z, status = normal_quantile(confidence), pair_status(x1, n1, x0, n0)
    if method == "fisher":
        status = then(status, (x1 + x0 == 0, BOTH_ZERO), (x1 + x0 == n1 + n0, BOTH_ONE))
        answer = _fisher(x1, n1, x0, n0, status, (1 - confidence) / 2)
    elif method in ("wald", "haldane"):
        empty = (status == "") & ((x1 == 0) | (x1 == n1) | (x0 == 0) | (x0 == n0))
        status = then(status, (empty, EMPTY_CELL if method == "wald" else HALF_ADDED))
        usable = (status == "") | (status == HALF_ADDED)
        answer = _log_limits(*(np.where(usable, a, np.nan) for a in (x1, n1, x0, n0)), empty, z)
    else:
        raise MeasureError(Problem("No such method.", value=method, expected="wald, haldane or fisher"))
    return pd.DataFrame(dict(zip(("estimate", "lower", "upper"), answer, strict=True)), index=index).assign(
        status=status
    )


def _log_limits(x1, n1, x0, n0, empty: NDArray, z: float) -> tuple[NDArray, NDArray, NDArray]:
    half = np.where(empty, 0.5, 0.0)
    a, b, c, d = x1 + half, n1 - x1 + half, x0 + half, n0 - x0 + half
    ratio, error = (a / b) * (d / c), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, ratio * np.exp(-z * error), ratio * np.exp(z * error)


def _fisher(x1, n1, x0, n0, status: NDArray, tail: float) -> NDArray:
    good, nothing = status == "", (status == BOTH_ZERO) | (status == BOTH_ONE)
    answer = np.full((3, len(x1)), np.nan)
    answer[:, good] = conditional_odds_ratio(x1[good], n1[good], x0[good], n0[good], tail)
    answer[1, nothing], answer[2, nothing] = 0.0, np.inf
    return answer
