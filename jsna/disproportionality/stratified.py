"""Is a difference there within areas, schools or years, or only between them? Mantel–Haenszel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import normal_quantile


@dataclass(frozen=True)
class Stratified:
    """A risk ratio pooled within strata, beside the crude one.

    ``strata`` contributed; ``strata_left_out`` did not, because one of the two groups has nobody there.
    ``heterogeneity_p`` is small where the strata disagree with one another.
    """

    group: str
    reference: str
    risk_ratio: float
    lower: float
    upper: float
    crude_risk_ratio: float
    strata: int
    strata_left_out: int
    heterogeneity_p: float


def stratified(
    frame: pd.DataFrame,
    *,
    group: str,
    reference: str,
    count: str,
    total: str,
    strata: str,
    by: str = "group",
    confidence: float = 0.95,
) -> Stratified:
    """The risk ratio of ``group`` to ``reference`` within ``strata``, pooled by Mantel–Haenszel.

    ``frame`` has one row a stratum and group, ``by`` the column that names groups. Rows with missing counts do not
    contribute. The crude ratio is of the same rows added up over all strata, also those left out. Greenland and Robins
    1985 for the interval; heterogeneity by the weighted chi-square of the strata's log ratios. The ratio is missing
    when no stratum contributes. Raises ``MeasureError`` when a group is not in the frame.

    >>> rows = pd.DataFrame({"la": ["a", "a", "b", "b"], "group": ["g", "r", "g", "r"],
    ...                      "x": [10, 20, 30, 15], "n": [20, 40, 40, 20]})
    >>> stratified(rows, group="g", reference="r", count="x", total="n", strata="la").risk_ratio
    1.0
    """
    absent = [name for name in (group, reference) if not (frame[by] == name).any()]
    if absent:
        raise MeasureError(*(Problem("The group is not in the data.", where=by, value=name) for name in absent))
    wide = frame[frame[by].isin([group, reference])].pivot(index=strata, columns=by, values=[count, total])
    x1, n1 = wide[(count, group)].astype("float64"), wide[(total, group)].astype("float64")
    x0, n0 = wide[(count, reference)].astype("float64"), wide[(total, reference)].astype("float64")
    crude = (x1.sum() / n1.sum()) / (x0.sum() / n0.sum())
    used = (n1 > 0) & (n0 > 0) & x1.notna() & x0.notna()
    x1, n1, x0, n0 = (c[used].to_numpy() for c in (x1, n1, x0, n0))
    n = n1 + n0
    top, bottom = (x1 * n0 / n).sum(), (x0 * n1 / n).sum()
    ratio = top / bottom if bottom > 0 else np.nan
    spread = (((x1 + x0) * n1 * n0 / n**2) - x1 * x0 / n).sum()
    error = np.sqrt(spread / (top * bottom)) if top > 0 and bottom > 0 else np.nan
    z = normal_quantile(confidence)
    return Stratified(
        group=group,
        reference=reference,
        risk_ratio=float(ratio),
        lower=float(ratio * np.exp(-z * error)),
        upper=float(ratio * np.exp(z * error)),
        crude_risk_ratio=float(crude),
        strata=int(used.sum()),
        strata_left_out=int((~used).sum()),
        heterogeneity_p=_heterogeneity(x1, n1, x0, n0, ratio),
    )


def _heterogeneity(x1, n1, x0, n0, ratio: float) -> float:
    """Weighted chi-square of the strata's log ratios around the pooled one, over strata where both have events."""
    from scipy.special import chdtrc

    some = (x1 > 0) & (x0 > 0) & ((x1 < n1) | (x0 < n0))
    if some.sum() < 2 or not np.isfinite(ratio):
        return float("nan")
    x1, n1, x0, n0 = (a[some] for a in (x1, n1, x0, n0))
    variance = 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
    distance = np.log((x1 / n1) / (x0 / n0)) - np.log(ratio)
    return float(chdtrc(some.sum() - 1, (distance**2 / variance).sum()))
