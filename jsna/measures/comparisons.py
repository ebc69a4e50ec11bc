"""Two groups compared by the ratio of their risks and by the difference, on whole columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import BOTH_ZERO, aligned, normal_quantile, pair_status
from jsna.measures.proportions import proportion

Method = Literal["score", "miettinen_nurminen", "katz"]
_BISECTIONS = 90
_WIDEST = 60.0  # e to the 60th: beyond any ratio that counts to 9 million can hold


def risk_ratio(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    method: Method = "score",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many times the comparator's risk is a group's risk, and how far could chance move that?

    Four columns of whole numbers. ``score`` (Koopman 1984) is the default and is always defined;
    ``miettinen_nurminen`` multiplies the variance by N/(N−1); ``katz`` is the log interval, for comparison with the
    literature: missing with a zero numerator. Returns ``estimate``, ``lower``, ``upper`` and ``status``. With nobody
    identified among the comparator the estimate is infinite and the lower limit finite; with nobody in either the
    estimate is missing and the interval runs from 0 to infinity. A ratio says nothing of size: show it beside
    ``risk_difference``.

    >>> risk_ratio([20], [89], [35], [88]).round(2).values.tolist()
    [[0.57, 0.35, 0.89, '']]
    """
    x1, n1, x0, n0, index = aligned(count, total, comparator_count, comparator_total)
    status = pair_status(x1, n1, x0, n0)
    good = status == ""
    x1, n1, x0, n0 = (np.where(good, a, np.nan) for a in (x1, n1, x0, n0))
    z = normal_quantile(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = (x1 / n1) / (x0 / n0)
        if method == "katz":
            lower, upper = _katz(x1, n1, x0, n0, z)
        elif method in ("score", "miettinen_nurminen"):
            inflate = (n1 + n0) / (n1 + n0 - 1) if method == "miettinen_nurminen" else np.ones_like(n1)
            lower, upper = _score_limits(x1, n1, x0, n0, z**2 * inflate)
        else:
            raise MeasureError(Problem("No such method.", value=method, expected="score, miettinen_nurminen or katz"))
    both = good & (x1 == 0) & (x0 == 0)
    status = np.where(both, BOTH_ZERO, status)
    frame = {"estimate": np.where(both, np.nan, estimate), "lower": lower, "upper": upper, "status": status}
    return pd.DataFrame(frame, index=index)


def _katz(x1, n1, x0, n0, z: float) -> tuple[NDArray, NDArray]:
    some = (x1 > 0) & (x0 > 0)
    log_ratio = np.log(x1 / n1) - np.log(x0 / n0)
    error = np.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    limits = np.exp(log_ratio - z * error), np.exp(log_ratio + z * error)
    return np.where(some, limits[0], np.nan), np.where(some, limits[1], np.nan)


def _score_limits(x1, n1, x0, n0, z_squared) -> tuple[NDArray, NDArray]:
    """Both ends by bisection on the log of the ratio: the statistic grows away from the estimate on either side."""
    estimate = np.log(np.where(x1 == 0, np.nan, x1 / n1)) - np.log(np.where(x0 == 0, np.nan, x0 / n0))
    start_low = np.where(np.isnan(estimate), _WIDEST, estimate)
    start_high = np.where(np.isnan(estimate), -_WIDEST, estimate)
    lower = _bisect(x1, n1, x0, n0, z_squared, inside=start_low, outside=np.full_like(x1, -_WIDEST))
    upper = _bisect(x1, n1, x0, n0, z_squared, inside=start_high, outside=np.full_like(x1, _WIDEST))
    lower = np.where(x1 == 0, np.where(np.isnan(x1), np.nan, 0.0), np.exp(lower))
    upper = np.where(x0 == 0, np.where(np.isnan(x0), np.nan, np.inf), np.exp(upper))
    missing = np.isnan(x1)
    return np.where(missing, np.nan, lower), np.where(missing, np.nan, upper)


def _bisect(x1, n1, x0, n0, z_squared, *, inside: NDArray, outside: NDArray) -> NDArray:
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        within = _score_statistic(x1, n1, x0, n0, np.exp(middle)) <= z_squared
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return (inside + outside) / 2


def _score_statistic(x1, n1, x0, n0, ratio) -> NDArray:
    """Koopman's statistic: the squared distance over the variance at the restricted maximum-likelihood risks."""
    a = ratio * (n1 + n0)
    b = -(ratio * n1 + x1 + n0 + ratio * x0)
    c = x1 + x0
    p0 = 2 * c / (-b + np.sqrt(np.maximum(b * b - 4 * a * c, 0)))
    p0 = np.minimum(p0, np.minimum(1.0, 1 / ratio))
    p1 = np.minimum(ratio * p0, 1.0)
    variance = p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0
    distance = (x1 / n1 - ratio * x0 / n0) ** 2
    return np.where(distance == 0, 0.0, distance / variance)


def risk_difference(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """By how much does a group's risk differ from the comparator's? Newcombe's hybrid score interval.

    Four columns of whole numbers. Returns ``estimate``, ``lower``, ``upper`` (differences of shares, −1 to 1; times 100
    they are percentage points) and ``status``. Defined wherever both groups have at least one pupil.

    Source: Newcombe 1998, method 10.

    >>> risk_difference([56], [70], [48], [80]).round(4).values.tolist()
    [[0.2, 0.0524, 0.3339, '']]
    """
    x1, n1, x0, n0, index = aligned(count, total, comparator_count, comparator_total)
    status = pair_status(x1, n1, x0, n0)
    good = status == ""
    x1, n1, x0, n0 = (np.where(good, a, np.nan) for a in (x1, n1, x0, n0))
    first, second = proportion(x1, n1, confidence), proportion(x0, n0, confidence)
    difference = (x1 * n0 - x0 * n1) / (n1 * n0)  # whole numbers until the end: nothing cancels
    below = np.hypot(first["estimate"] - first["lower"], second["upper"] - second["estimate"])
    above = np.hypot(first["upper"] - first["estimate"], second["estimate"] - second["lower"])
    frame = pd.DataFrame({"estimate": difference, "lower": difference - below, "upper": difference + above})
    return frame.set_axis(index).assign(status=status)
