"""How surprising is a difference, and what allowance do many tests need? On whole columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import BOTH_ONE, BOTH_ZERO, aligned, pair_status
from jsna.measures.groups import Groups, grouped
from jsna.measures.hypergeometric import fisher_p_value

_SMALL_EXPECTED = 5


def equal_risks_p_value(
    count: ArrayLike, total: ArrayLike, comparator_count: ArrayLike, comparator_total: ArrayLike
) -> pd.DataFrame:
    """How surprising is a difference this large if both risks were equal? Two-sided.

    Four columns of whole numbers. The score test (chi-square with one degree of freedom); Fisher's exact test where any
    expected number is under 5. Returns ``estimate`` (the p-value, 0 to 1) and ``status``; missing where the overall
    risk is 0 or 1, as nothing can differ. It takes pupils as independent: where schools differ it is too small.

    Source: Pearson 1900; Fisher 1935, the tables no likelier than the one found.

    >>> round(equal_risks_p_value([20], [89], [35], [88])["estimate"].item(), 4)
    0.0129
    """
    from scipy.special import chdtrc

    x1, n1, x0, n0, index = aligned(count, total, comparator_count, comparator_total)
    status = pair_status(x1, n1, x0, n0)
    good = status == ""
    x1, n1, x0, n0 = (np.where(good, a, np.nan) for a in (x1, n1, x0, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x1 + x0) / (n1 + n0)
        statistic = (x1 / n1 - x0 / n0) ** 2 / (pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    p = chdtrc(1, statistic)
    expected = np.minimum.reduce([n1 * pooled, n1 * (1 - pooled), n0 * pooled, n0 * (1 - pooled)])
    exact = good & (expected < _SMALL_EXPECTED) & (pooled > 0) & (pooled < 1)
    p[exact] = fisher_p_value(x1[exact], n1[exact], x0[exact], n0[exact])
    nothing = good & ((pooled == 0) | (pooled == 1))
    status = np.where(nothing, np.where(pooled == 0, BOTH_ZERO, BOTH_ONE), status)
    return pd.DataFrame({"estimate": np.where(nothing, np.nan, p), "status": status}, index=index)


def false_discovery(
    p: ArrayLike, method: Literal["bh", "by"] = "bh", by: ArrayLike | pd.Series | None = None
) -> pd.Series:
    """What share of the findings as strong as this would be false? Adjusted p-values (q) within each family.

    ``p``: p-values from 0 to 1; ``method``: ``bh`` Benjamini–Hochberg 1995 or ``by`` Benjamini–Yekutieli 2001; ``by``:
    the family of each row, all rows being one family without it. Missing p-values stay missing and are not counted.
    Returns q aligned with ``p``. Raises ``MeasureError`` for a value outside 0 to 1. Choose the families before
    looking: a family per finding allows for nothing.

    >>> false_discovery([0.01, 0.02, None, 0.03]).tolist()
    [0.03, 0.03, nan, 0.03]
    >>> false_discovery([0.01, 0.04, 0.02], by=["any SEN", "any SEN", "plan"]).tolist()
    [0.02, 0.04, 0.02]
    """
    if method not in ("bh", "by"):
        raise MeasureError(Problem("No such method.", value=method, expected="bh or by"))
    values, index = aligned(p)
    known = ~np.isnan(values)
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise MeasureError(Problem("A p-value is outside 0 to 1."))
    families = grouped(by, len(values))
    q = np.full(len(values), np.nan)
    q[known] = _step_up(values[known], Groups(families.codes[known], families.labels), method)
    return pd.Series(q, index=index)


def _step_up(p: NDArray, families: Groups, method: str) -> NDArray:
    """p times m over its rank in its family, made monotone from the largest p down."""
    if not len(p):
        return p
    order = np.lexsort((-p, families.codes))
    family = families.codes[order]
    members = np.bincount(family, minlength=len(families.labels))
    before = np.cumsum(members) - members
    m = members[family]
    ranks = m - (np.arange(len(p)) - before[family])
    penalty = np.cumsum(1 / np.arange(1, members.max() + 1))[m - 1] if method == "by" else 1.0
    raw = pd.Series(penalty * p[order] * m / ranks)
    q = np.empty(len(p))
    q[order] = np.minimum(raw.groupby(family).cummin().to_numpy(), 1.0)
    return q
