"""Is a difference there within areas, schools or years, or only between them? Mantel–Haenszel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures.columns import MISSING, NO_PUPILS, aligned, count_status, normal_quantile


@dataclass(frozen=True)
class Stratified:
    """A risk ratio pooled within strata, beside the crude one.

    ``strata`` contributed; ``strata_left_out`` did not, because one of the two groups has nobody there.
    ``heterogeneity`` is a chi-square on ``heterogeneity_df`` degrees of freedom; its p-value, ``heterogeneity_p``, is
    small where the strata disagree with one another.
    """

    group: str
    reference: str
    risk_ratio: float
    lower: float
    upper: float
    crude_risk_ratio: float
    strata: int
    strata_left_out: int
    heterogeneity: float
    heterogeneity_df: int
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
    when no stratum contributes. Raises ``MeasureError`` when a column or a group is not in the frame, a group stands
    twice in a stratum, or a count is negative, not whole, or above its total.

    >>> rows = pd.DataFrame({"la": ["a", "a", "b", "b"], "group": ["g", "r", "g", "r"],
    ...                      "x": [10, 20, 30, 15], "n": [20, 40, 40, 20]})
    >>> stratified(rows, group="g", reference="r", count="x", total="n", strata="la").risk_ratio
    1.0
    """
    x1, n1, x0, n0 = _side_by_side(frame, group, reference, count, total, strata, by)
    crude = _crude(x1, n1, x0, n0)
    used = (n1 > 0) & (n0 > 0) & ~np.isnan(x1) & ~np.isnan(x0)
    left_out = int((~used).sum())
    x1, n1, x0, n0 = (c[used] for c in (x1, n1, x0, n0))
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
        crude_risk_ratio=crude,
        strata=int(used.sum()),
        strata_left_out=left_out,
        **_heterogeneity(x1, n1, x0, n0, ratio),
    )


def _side_by_side(frame, group, reference, count, total, strata, by) -> list[np.ndarray]:
    """Counts and totals of the two groups, one row a stratum, once every row is seen to be usable."""
    missing = [c for c in (count, total, strata, by) if c not in frame]
    if missing:
        raise MeasureError(
            *(Problem("There is no such column.", value=c, mend=did_you_mean(c, frame.columns)) for c in missing)
        )
    absent = [name for name in (group, reference) if not (frame[by] == name).any()]
    if absent:
        raise MeasureError(*(Problem("The group is not in the data.", where=by, value=name) for name in absent))
    rows = frame.loc[frame[by].isin([group, reference]), [strata, by]].reset_index(drop=True)
    x, n, _ = aligned(*(frame.loc[frame[by].isin([group, reference]), c] for c in (count, total)))
    rows["x"], rows["n"], rows["why"] = x, n, count_status(x, n)
    wrong = rows[~rows["why"].isin(["", MISSING, NO_PUPILS])]
    twice = rows[rows.duplicated([strata, by])]
    if len(wrong) or len(twice):
        raise MeasureError(
            *(
                Problem(f"A row's {why}.", where=f"{by} in {strata}", value=key)
                for why, key in zip(wrong["why"], zip(wrong[by], wrong[strata], strict=True), strict=True)
            ),
            *(
                Problem("A group stands twice in a stratum.", value=key, mend="Add its rows up first.")
                for key in zip(twice[by], twice[strata], strict=True)
            ),
        )
    wide = rows.pivot(index=strata, columns=by, values=["x", "n"])
    return [wide[(c, g)].to_numpy("float64") for g in (group, reference) for c in ("x", "n")]


def _crude(x1, n1, x0, n0) -> float:
    """The ratio of the totals; a total without its count is left out, or it would dilute the risk."""
    first, second = ~np.isnan(x1 + n1), ~np.isnan(x0 + n0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x1[first].sum() / n1[first].sum()) / (x0[second].sum() / n0[second].sum())
    return float(ratio)


def _heterogeneity(x1, n1, x0, n0, ratio: float) -> dict[str, Any]:
    """Weighted chi-square of the strata's log ratios around the pooled one, over strata where both have events."""
    from scipy.special import chdtrc

    some = (x1 > 0) & (x0 > 0) & ((x1 < n1) | (x0 < n0))
    if some.sum() < 2 or not np.isfinite(ratio):
        return {"heterogeneity": float("nan"), "heterogeneity_df": 0, "heterogeneity_p": float("nan")}
    x1, n1, x0, n0 = (a[some] for a in (x1, n1, x0, n0))
    variance = 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0
    distance = np.log((x1 / n1) / (x0 / n0)) - np.log(ratio)
    statistic, df = float((distance**2 / variance).sum()), int(some.sum()) - 1
    return {"heterogeneity": statistic, "heterogeneity_df": df, "heterogeneity_p": float(chdtrc(df, statistic))}
