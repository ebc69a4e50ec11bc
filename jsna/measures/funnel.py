"""How far may a school or ward stray from the average by chance alone? Funnel limits, and what schools add to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import MISSING, NO_VARIATION, NOT_A_SHARE, aligned, count_status, normal_quantile, then

_FEW = 10


def funnel_limits(
    total: ArrayLike,
    average: ArrayLike,
    levels: Sequence[float] = (0.95, 0.998),
    overdispersion: float | None = None,
) -> pd.DataFrame:
    """Between which shares do areas of this size lie by chance, when all have the average risk?

    ``total``: pupils in each area, whole numbers; ``average``: the share over all areas (0 to 1), one number or one a
    row; ``levels``: of the limits; ``overdispersion``: from the function of that name; limits are wider by its square
    root where it is above 1. Returns ``estimate`` (the average), a lower and an upper column for each level, such as
    ``lower_95`` and ``upper_99_8``, and ``status``. Limits are cut at 0 and 1, and are exact binomial percentiles where
    fewer than 10 pupils are expected to be identified, or not to be. At an average of 0 or 1 nothing varies: missing.
    Schools and wards always vary more than chance: without ``overdispersion`` most are outside.

    Source: Spiegelhalter 2005; p̄ ± z√(p̄(1−p̄)/n), which is Wilson's interval turned round.

    >>> funnel_limits([400], 0.2)[["lower_95", "upper_95", "lower_99_8", "upper_99_8"]].round(4).values.tolist()
    [[0.1608, 0.2392, 0.1382, 0.2618]]
    """
    if overdispersion is not None and overdispersion < 0:
        raise MeasureError(Problem("Not an overdispersion.", value=overdispersion, expected="0 or more"))
    n, index = aligned(total)
    share = aligned(n, average)[1] if np.ndim(average) else np.full(len(n), _number(average))
    phi = 1.0 if overdispersion is None else float(overdispersion)
    outside, constant = (share < 0) | (share > 1), (share == 0) | (share == 1)
    said = (np.isnan(share) | np.isnan(phi), MISSING), (outside, NOT_A_SHARE), (constant, NO_VARIATION)
    status = then(count_status(np.zeros_like(n), n), *said)
    n = np.where(status == "", n, np.nan)
    share = np.where((status == "") | (status == NO_VARIATION), share, np.nan)
    frame = {"estimate": share}
    for level in levels:
        name = f"{100 * level:.10g}".replace(".", "_")
        lower, upper = _limits(n, share, level)
        widened = (share + np.sqrt(np.fmax(phi, 1.0)) * (limit - share) for limit in (lower, upper))
        frame[f"lower_{name}"], frame[f"upper_{name}"] = (np.clip(limit, 0, 1) for limit in widened)
    return pd.DataFrame(frame, index=index).assign(status=status)


def overdispersion(count: ArrayLike, total: ArrayLike, average: float, winsorise: float = 0.1) -> float:
    """How many times as much as by chance alone do areas vary? Not above 1 when they do not.

    ``count`` of ``total`` in each area, whole numbers; ``average``: the share over all areas; ``winsorise``: the share
    of areas at either end whose distance is brought in to the percentile there, so that outliers do not widen the
    limits that should show them. Areas that cannot be used are left out. Returns the mean of the winsorised z²,
    about 0.68 by chance alone at a winsorised tenth; missing when no area is left, or at an average of 0 or 1. Below
    about 10 areas it says little.

    Source: Spiegelhalter 2005.

    >>> round(overdispersion([20, 20, 20, 20], [100, 100, 100, 100], 0.2), 3)
    0.0
    >>> round(overdispersion([10, 30], [100, 100], 0.2, winsorise=0), 3)
    6.25
    """
    if not 0 <= winsorise < 0.5:
        raise MeasureError(Problem("Not a share to winsorise.", value=winsorise, expected="0 to 0.5"))
    x, n, _ = aligned(count, total)
    good, share = count_status(x, n) == "", _number(average)
    if not good.any() or not 0 < share < 1:
        return float("nan")
    z = (x[good] / n[good] - share) / np.sqrt(share * (1 - share) / n[good])
    return float(np.mean(np.clip(z, *np.quantile(z, [winsorise, 1 - winsorise])) ** 2))


def _number(value: ArrayLike) -> float:
    return float(aligned([value])[0][0])


def _limits(n: NDArray, share: NDArray, level: float) -> tuple[NDArray, NDArray]:
    half = normal_quantile(level) * np.sqrt(share * (1 - share) / n)
    lower, upper = share - half, share + half
    few = n * np.minimum(share, 1 - share) < _FEW
    tail = (1 - level) / 2
    lower[few] = _binomial_percentile(tail, n[few], share[few]) / n[few]
    upper[few] = _binomial_percentile(1 - tail, n[few], share[few]) / n[few]
    # A percentile of very few pupils can lie beyond the average; no count of pupils falls between the two.
    return np.minimum(lower, share), np.maximum(upper, share)


def _binomial_percentile(tail: float, n: NDArray, share: NDArray) -> NDArray:
    """The fewest of n pupils whose cumulative chance reaches ``tail``: the approximate inverse, put right by steps."""
    from scipy.special import bdtrik, betaincc

    def cumulative(k: NDArray) -> NDArray:
        return np.where(k >= n, 1.0, np.where(k < 0, 0.0, betaincc(k + 1, np.maximum(n - k, 1), share)))

    k = np.clip(np.ceil(np.nan_to_num(bdtrik(tail, n, share))), 0, n)
    for _ in range(2):
        k = np.where(cumulative(k - 1) >= tail, k - 1, k)
        k = np.where(cumulative(k) < tail, k + 1, k)
    return k
