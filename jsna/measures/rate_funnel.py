"""Funnel limits for events that can repeat: how far may an area's rate stray from the average by chance alone?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import MISSING, NO_EXPOSURE, NO_VARIATION, aligned, normal_quantile, then

_FEW = 10


def rate_funnel_limits(
    exposure: ArrayLike,
    average: float,
    levels: Sequence[float] = (0.95, 0.998),
    overdispersion: float | None = None,
) -> pd.DataFrame:
    """Between which rates do areas of this size lie by chance, when all have the average rate?

    ``exposure``: pupils or sessions of each area, above 0; ``average``: events for each of them over all areas;
    ``levels`` and ``overdispersion`` as in ``funnel_limits``, and the same columns: ``estimate``, a lower and an upper
    column for each level, and ``status``. Limits are cut at 0, and are exact Poisson percentiles where fewer than 10
    events are expected. Where children repeat events they are too narrow without ``overdispersion``.

    Source: Spiegelhalter 2005 for rates: λ ± z√(λ/n).

    >>> rate_funnel_limits([400], 0.25)[["lower_95", "upper_95"]].round(3).values.tolist()
    [[0.201, 0.299]]
    """
    from scipy.stats import poisson

    if overdispersion is not None and overdispersion < 0:
        raise MeasureError(Problem("Not an overdispersion.", value=overdispersion, expected="0 or more"))
    n, index = aligned(exposure)
    mean = float(aligned([average])[0][0])
    if mean < 0:
        raise MeasureError(Problem("Not a rate.", value=average, expected="0 or more"))
    status = np.full(len(n), "", dtype=object)
    status = then(status, (np.isnan(n) | np.isnan(mean), MISSING), (n <= 0, NO_EXPOSURE), (mean == 0, NO_VARIATION))
    n = np.where(status == "", n, np.nan)
    root = np.sqrt(max(overdispersion or 1.0, 1.0))
    frame = {"estimate": np.where(np.isin(status, ("", NO_VARIATION)), mean, np.nan)}
    for level in levels:
        half, tail = normal_quantile(level) * np.sqrt(mean / n), (1 - level) / 2
        few = n * mean < _FEW
        lower = np.where(few, poisson.ppf(tail, n * mean) / n, mean - half)
        upper = np.where(few, poisson.ppf(1 - tail, n * mean) / n, mean + half)
        name = f"{100 * level:.10g}".replace(".", "_")
        # A percentile of a handful of events can lie beyond the average, as in the funnel of shares.
        frame[f"lower_{name}"] = np.fmax(mean + root * (np.fmin(lower, mean) - mean), 0) + 0 * n
        frame[f"upper_{name}"] = mean + root * (np.fmax(upper, mean) - mean) + 0 * n
    return pd.DataFrame(frame, index=index).assign(status=status)


def rate_overdispersion(events: ArrayLike, exposure: ArrayLike, average: float, winsorise: float = 0.1) -> float:
    """How many times as much as by chance alone do areas' rates vary? The rule of ``overdispersion``, for events.

    ``events`` in ``exposure`` of each area; ``average``: events for each of them over all areas. Areas without a figure
    are left out; missing when none is left, or at an average of 0.

    Source: Spiegelhalter 2005.

    >>> round(rate_overdispersion([10, 30], [100, 100], 0.2, winsorise=0), 3)
    5.0
    """
    if not 0 <= winsorise < 0.5:
        raise MeasureError(Problem("Not a share to winsorise.", value=winsorise, expected="0 to 0.5"))
    x, n, _ = aligned(events, exposure)
    mean = float(aligned([average])[0][0])
    good = (x >= 0) & (n > 0)
    if not good.any() or not mean > 0:
        return float("nan")
    z = (x[good] / n[good] - mean) / np.sqrt(mean / n[good])
    return float(np.mean(np.clip(z, *np.quantile(z, [winsorise, 1 - winsorise])) ** 2))
