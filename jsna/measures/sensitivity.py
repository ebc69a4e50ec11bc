"""How strong would something unmeasured have to be to explain a ratio away?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.measures.columns import MISSING, NEGATIVE, OUT_OF_ORDER, aligned, then


def e_value(estimate: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> pd.DataFrame:
    """How strong would an unmeasured confounder have to be, with group and outcome, to explain a risk ratio away?

    Three columns, 0 to infinity: a risk ratio and its limits. Returns ``estimate`` (E-value of the ratio), ``limit``
    (of the limit nearer 1; 1 where the interval holds 1) and ``status``; both are risk ratios of at least 1. A small
    E-value says that little would do; no E-value is large enough to rule confounding out, and it says nothing of chance
    or of wrong records. Not for odds ratios of common outcomes.

    Source: VanderWeele and Ding 2017: RR + √(RR(RR−1)), 1/RR first where it is below 1.

    >>> e_value([3.9], [1.8], [8.7]).round(2).values.tolist()
    [[7.26, 3.0, '']]
    """
    ratio, low, high, index = aligned(estimate, lower, upper)
    numbers = np.stack([ratio, low, high])
    missing, negative = np.isnan(numbers).any(axis=0), (numbers < 0).any(axis=0)
    disorder = ~((low <= ratio) & (ratio <= high))
    status = then(np.full(len(ratio), ""), (missing, MISSING), (negative, NEGATIVE), (disorder, OUT_OF_ORDER))
    good = status == ""
    nearer = np.where(low > 1, low, np.where(high < 1, high, 1.0))
    frame = {"estimate": np.where(good, _strength(ratio), np.nan), "limit": np.where(good, _strength(nearer), np.nan)}
    return pd.DataFrame(frame, index=index).assign(status=status)


def _strength(ratio: NDArray) -> NDArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(ratio < 1, 1 / ratio, ratio)
        return away + np.sqrt(away) * np.sqrt(away - 1)
