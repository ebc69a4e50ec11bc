"""Proportions and rates with their intervals, on whole columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.measures.columns import NO_EXPOSURE, aligned, count_status, normal_quantile, usable_multiplier
from jsna.measures.poisson import poisson_limits


def proportion(count: ArrayLike, total: ArrayLike, confidence: float = 0.95) -> pd.DataFrame:
    """What share of a group is identified, and how far could chance move it? Wilson score interval.

    ``count`` and ``total`` are columns of equal length: whole numbers, 0 ≤ count ≤ total. Returns a frame aligned with
    them: ``estimate``, ``lower``, ``upper`` (shares from 0 to 1) and ``status`` (empty when fine). A row that cannot be
    calculated has missing values and says why; the others are answered. At count 0 the lower limit is exactly 0, at
    count = total the upper is exactly 1. Not for repeated events (a pupil suspended twice): use ``rate``.

    Source: Wilson 1927; Newcombe and Altman 2000.

    >>> proportion([20, 0], [89, 10]).round(4).values.tolist()
    [[0.2247, 0.1504, 0.3218, ''], [0.0, 0.0, 0.2775, '']]
    """
    x, n, index = aligned(count, total)
    status = count_status(x, n)
    good = status == ""
    x, n = np.where(good, x, np.nan), np.where(good, n, np.nan)
    share = x / n
    lower, upper = share_interval(share, n, confidence)
    return pd.DataFrame(
        {
            "estimate": share,
            "lower": np.where(good, lower, np.nan),
            "upper": np.where(good, upper, np.nan),
            "status": status,
        },
        index=index,
    )


def share_interval(share: ArrayLike, size: ArrayLike, confidence: float = 0.95) -> tuple[NDArray, NDArray]:
    """Wilson's limits of shares (0 to 1) among ``size`` people, which need not be whole: the effective number of a
    weighted sample.

    Exactly 0 at share 0 and 1 at share 1; missing where share or size is. Source: Korn and Graubard 1998 for samples
    whose size is divided by their design effect.

    >>> [round(float(v[0]), 4) for v in share_interval([0.5], [12.5])]
    [0.2576, 0.7424]
    """
    p, n = np.asarray(share, "float64"), np.asarray(size, "float64")
    z = normal_quantile(confidence)
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(np.maximum(p * (1 - p), 0) / n + z**2 / (4 * n**2))
    lower = np.where(p == 0, 0.0, (centre - half) / (1 + z**2 / n))
    upper = np.where(p == 1, 1.0, (centre + half) / (1 + z**2 / n))
    missing = np.isnan(p) | np.isnan(n)
    return np.where(missing, np.nan, lower), np.where(missing, np.nan, upper)


def rate(count: ArrayLike, exposure: ArrayLike, confidence: float = 0.95, multiplier: float = 1) -> pd.DataFrame:
    """How often does an event happen, and how far could chance move that? Exact Poisson under 10 events, Byar from 10.

    ``count``: events, whole numbers ≥ 0; ``exposure``: pupils, sessions or years, > 0; ``multiplier``: 10,000 for a
    rate per 10,000. Returns ``estimate``, ``lower``, ``upper`` (times ``multiplier``) and ``status``. Not for shares of
    pupils: SEN status is a proportion. Where children repeat events the interval is a minimum.

    Source: Byar's approximation, Breslow and Day 1987; exact limits by the chi-square distribution.

    >>> rate([0], [100], multiplier=100).round(3).values.tolist()
    [[0.0, 0.0, 3.689, '']]
    """
    x, n, index = aligned(count, exposure)
    # An exposure need not be whole, nor reach the count: the count alone is judged as a count.
    status = count_status(x, np.where(np.isfinite(n), np.maximum(x, 1), n))
    status = np.where((status == "") & (n <= 0), NO_EXPOSURE, status)
    good = status == ""
    x, n = np.where(good, x, np.nan), np.where(good, n, np.nan)
    lower, upper = poisson_limits(x, confidence)
    values = {"estimate": x / n, "lower": lower / n, "upper": upper / n}
    times = usable_multiplier(multiplier)
    return pd.DataFrame({k: v * times for k, v in values.items()}, index=index).assign(status=status)
