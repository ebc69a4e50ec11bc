"""What could pupils of unknown group do to a ratio?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import BOTH_ZERO, NO_PUPILS, aligned, count_status, pair_status, then
from jsna.measures.roots import crossing

TO_GROUP, TO_COMPARATOR = "group", "comparator"


def missing_group_bounds(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    unknown_count: ArrayLike,
    unknown_total: ArrayLike,
    high: float = 1.25,
    low: float = 0.80,
) -> pd.DataFrame:
    """Between which ratios must the truth lie, whoever the pupils of unknown group are, and how easily would it turn?

    Six columns of whole numbers: a group's, its comparator's (all others of known group), and those of unknown group.
    Returns ``estimate`` (the ratio among known pupils); ``lower`` and ``upper``, the worst cases: bounds, not limits of
    chance; ``shared`` (the ratio when unknown pupils are shared out by group size); ``tipping_share`` and
    ``tipping_to``; and ``status``. Without unknown pupils all ratios are equal.

    ``tipping_share``: of the unknown pupils who are identified, the smallest share (0 to 1) that would have to belong
    to ``tipping_to`` for a ratio at or beyond a threshold to come back to it, unknown pupils who are not identified
    being shared out by size. That is the group itself where its ratio is at most ``low``, and the comparator where it
    is at least ``high``: more identified pupils can only raise a group's ratio. Missing where the ratio is beyond
    neither, or where no share would do.

    Source: Manski 1990 (bounds without assumptions).

    >>> missing_group_bounds([20], [100], [150], [1000], [20], [50]).round(3).values.tolist()
    [[1.333, 0.923, 2.289, 1.297, 0.953, 'comparator', '']]
    """
    if not 0 < low < 1 < high:
        raise MeasureError(Problem("Not thresholds.", value=[low, high], expected="0 < low < 1 < high"))
    known = aligned(count, total, comparator_count, comparator_total, unknown_count, unknown_total)
    x, n, x0, n0, s, u, index = known
    status, unknown = pair_status(x, n, x0, n0), count_status(s, u)
    unknown[unknown == NO_PUPILS] = ""
    status = np.where(status == "", unknown, status).astype(object)
    x, n, x0, n0, s, u = (np.where(status == "", a, np.nan) for a in (x, n, x0, n0, s, u))
    part = n / (n + n0)
    estimate = _ratio(x, n, x0, n0)
    frame = {
        "estimate": estimate,
        "lower": _ratio(x, n + u - s, x0 + s, n0 + s),
        "upper": _ratio(x + s, n + s, x0, n0 + u - s),
        "shared": _ratio(x + part * s, n + part * u, x0 + (1 - part) * s, n0 + (1 - part) * u),
    }
    table = (x, n + part * (u - s), x0, n0 + (1 - part) * (u - s), s)
    group_share, comparator_share = _share_to_group(*table, low), _share_to_comparator(*table, high)
    share = np.select([estimate <= low, estimate >= high], [group_share, comparator_share], np.nan)
    frame["tipping_share"] = share
    to = np.select([np.isnan(share), estimate <= low], ["", TO_GROUP], TO_COMPARATOR)
    status = then(status, ((x == 0) & (x0 == 0), BOTH_ZERO))
    return pd.DataFrame({**frame, "tipping_to": to.astype(object), "status": status}, index=index)


def _ratio(x1, n1, x0, n0) -> NDArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (x1 / n1) / (x0 / n0)


def _share_to_group(x, n, x0, n0, s, threshold: float) -> NDArray:
    """The share of ``s`` which, added to the group while the rest is added to the comparator, lifts the ratio to
    ``threshold``: the ratio grows with the share."""

    def above(share: NDArray, rows: NDArray) -> NDArray:
        mine, theirs = share * s[rows], (1 - share) * s[rows]
        return (x[rows] + mine) * (n0[rows] + theirs) - threshold * (x0[rows] + theirs) * (n[rows] + mine)

    none, whole, rows = np.zeros_like(x), np.ones_like(x), np.arange(len(x))
    does = (above(none, rows) < 0) & (above(whole, rows) >= 0)
    return crossing(above, np.where(does, none, np.nan), whole)


def _share_to_comparator(x, n, x0, n0, s, threshold: float) -> NDArray:
    """The same from the other side: the comparator's ratio to the group, lifted to one over the threshold."""
    return _share_to_group(x0, n0, x, n, s, 1 / threshold)
