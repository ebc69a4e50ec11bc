"""Two groups compared by the ratio of their risks and by the difference, on whole columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import BOTH_ZERO, EMPTY_CELL, NO_VARIATION, aligned, normal_quantile, pair_status, then
from jsna.measures.proportions import proportion
from jsna.measures.roots import crossing

Method = Literal["score", "miettinen_nurminen", "katz"]
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
            lower, upper = _score_limits(x1, n1, x0, n0, z * np.sqrt(inflate))
        else:
            raise MeasureError(Problem("No such method.", value=method, expected="score, miettinen_nurminen or katz"))
    both = good & (x1 == 0) & (x0 == 0)
    status = np.where(both, BOTH_ZERO, status)
    if method == "katz":
        certain = (x1 == n1) & (x0 == n0)
        lower, upper = (np.where(certain, np.nan, limit) for limit in (lower, upper))
        status = then(status, (good & ((x1 == 0) | (x0 == 0)), EMPTY_CELL), (good & certain, NO_VARIATION))
    frame = {"estimate": np.where(both, np.nan, estimate), "lower": lower, "upper": upper, "status": status}
    return pd.DataFrame(frame, index=index)


def _katz(x1, n1, x0, n0, z: float) -> tuple[NDArray, NDArray]:
    some = (x1 > 0) & (x0 > 0)
    log_ratio = np.log(x1 / n1) - np.log(x0 / n0)
    error = np.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    limits = np.exp(log_ratio - z * error), np.exp(log_ratio + z * error)
    return np.where(some, limits[0], np.nan), np.where(some, limits[1], np.nan)


def _score_limits(x1, n1, x0, n0, z) -> tuple[NDArray, NDArray]:
    """Where the score, which falls as the ratio grows, is z and −z. Sought on the log of the ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.log(x1 / n1) - np.log(x0 / n0)
        error = np.sqrt(1 / (x1 + 0.5) - 1 / (n1 + 1) + 1 / (x0 + 0.5) - 1 / (n0 + 1))
        z = np.broadcast_to(z, x1.shape)
        low = _score_crossing(x1, n1, x0, n0, z, inside=np.where(x0 == 0, _WIDEST, estimate), reach=-2 * z * error)
        high = _score_crossing(x1, n1, x0, n0, -z, inside=np.where(x1 == 0, -_WIDEST, estimate), reach=2 * z * error)
    lower = np.where(x1 == 0, 0.0, np.exp(low))
    upper = np.where(x0 == 0, np.inf, np.exp(high))
    missing = np.isnan(x1)
    return np.where(missing, np.nan, lower), np.where(missing, np.nan, upper)


def _score_crossing(x1, n1, x0, n0, target: NDArray, *, inside: NDArray, reach: NDArray) -> NDArray:
    """The log ratio at which the score is ``target``, between one inside the limits and one beyond them."""

    def away(log_ratio: NDArray, rows: NDArray) -> NDArray:
        return _score(x1[rows], n1[rows], x0[rows], n0[rows], log_ratio) - target[rows]

    # The limit that is 0 or infinite has none.
    inside = np.where(np.isfinite(inside), inside, np.nan)
    near, far = inside + reach, np.copysign(_WIDEST, reach)
    beyond = away(near, np.arange(len(near))) * np.sign(reach) < 0
    return crossing(away, inside, np.where(beyond, near, far))


def _score(x1, n1, x0, n0, log_ratio: NDArray) -> NDArray:
    """Koopman's statistic before squaring: the distance over its error at the restricted maximum-likelihood risks.

    Risks and their complements are each worked from whole numbers and the ratio less 1, so that nothing cancels where
    nearly everybody of millions is identified.
    """
    ratio, excess, y1, y0, n = np.exp(log_ratio), np.expm1(log_ratio), n1 - x1, n0 - x0, n1 + n0
    root = np.sqrt((excess * (n1 + x0) + y1 - y0) ** 2 + 4 * ratio * y1 * y0)
    p0 = 2 * (x1 + x0) / (ratio * (n1 + x0) + x1 + n0 + root)
    q0 = _complement(excess * (n + y0) + y1 + y0, root, excess * y0, ratio * n)
    q1 = _complement(y1 + y0 - excess * (n - y0), root, -excess * y1, n)
    variance = ratio * p0 * (q1 / n1 + ratio * q0 / n0)
    distance = (x1 * n0 - ratio * x0 * n1) / (n1 * n0)
    return np.where(distance == 0, 0.0, distance / np.sqrt(variance))


def _complement(linear: NDArray, root: NDArray, constant: NDArray, leading: NDArray) -> NDArray:
    """The larger root of ``leading`` q² − ``linear`` q + ``constant``, by the form in which nothing cancels."""
    return np.where(linear >= 0, (linear + root) / (2 * leading), 2 * constant / (linear - root))


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
