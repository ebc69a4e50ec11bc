"""Projected plans shared out among placements or needs, so that the parts always add up to the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.evidence.projection.history import LOCAL, january
from jsna.evidence.projection.specification import settings

REST = "other"


def placements_of(caseload: pd.DataFrame) -> pd.DataFrame:
    """Plans by kind of placement, one row an authority (DfE number) and January, from the release's caseload.

    What stands in no other kind is ``other``, so that the kinds add up to all plans. A row without a figure for a kind
    is missing in all of them.
    """
    rows = caseload[(caseload["breakdown_topic"] == "Total") & (caseload["geographic_level"] == LOCAL)]
    kinds = {k: v["columns"] for k, v in settings()["placements"].items() if k != REST}
    made = pd.DataFrame({k: rows[columns].sum(axis=1, skipna=False) for k, columns in kinds.items()})
    whole = rows["ehcplans"]
    made[REST] = (whole - made.sum(axis=1, skipna=False)).clip(lower=0)
    made = made.where((made.sum(axis=1, skipna=False) - whole).abs() < 0.5)
    index = pd.MultiIndex.from_arrays([rows["dfe_number"], january(rows["time_period"])], names=["number", "year"])
    return made.set_axis(index)


def shifted_shares(parts: pd.DataFrame, last: int) -> pd.DataFrame:
    """The share of each kind in the years after ``last``: index authority and years ahead, columns kinds, adding to 1.

    An authority's latest shares move each year by half of what England's moved in the latest year: over 2021 to 2025
    that errs less than shares that stay as they are, or that follow the authority's own trend. Never below 0.
    """
    shares = parts.div(parts.sum(axis=1, skipna=False).where(lambda s: s > 0), axis=0)
    own = shares.xs(last, level="year").dropna()
    national = parts.dropna().groupby(level="year").sum()
    national = national.div(national.sum(axis=1), axis=0)
    move = (national.loc[last] - national.loc[last - 1]) / 2 if last - 1 in national.index else national.loc[last] * 0
    made = pd.concat({h: own + h * move for h in range(1, settings()["years_ahead"] + 1)}, names=["ahead"])
    made = made.clip(lower=0)
    return made.div(made.sum(axis=1), axis=0).swaplevel().sort_index()


def moved_share(shares: pd.Series, *, to: str, taken_from: list[str], points: float) -> pd.Series:
    """Shares with ``points`` percentage points more in one part, taken from others in proportion to what they have.

    No more is taken than is there. Raises ``MeasureError`` for a part that is not among the shares, and for shares that
    do not add up to 1.

    >>> shares = pd.Series({"a": 0.5, "b": 0.3, "c": 0.2})
    >>> moved_share(shares, to="a", taken_from=["b", "c"], points=10).round(2).to_dict()
    {'a': 0.6, 'b': 0.24, 'c': 0.16}
    """
    strange = [p for p in (to, *taken_from) if p not in shares.index]
    if strange:
        raise MeasureError(
            *(Problem("There is no such part.", value=p, expected=", ".join(shares.index)) for p in strange)
        )
    if not np.isclose(shares.sum(), 1.0, atol=1e-6) or (shares < 0).any():
        raise MeasureError(Problem("Shares must be 0 or more and add up to 1.", value=round(float(shares.sum()), 6)))
    there = float(shares[taken_from].sum())
    moved = min(points / 100, there) if points >= 0 else max(points / 100, -float(shares[to]))
    made = shares.copy()
    made[to] += moved
    if there > 0:
        made[taken_from] -= moved * shares[taken_from] / there
    else:
        made[to] -= moved
    return made.clip(lower=0)


def whole_numbers(parts: ArrayLike, whole: int) -> NDArray[np.int64]:
    """Parts as whole numbers that add up to ``whole``: rounded down, then one more for those cut most.

    ``parts`` are 0 or more and add up to about ``whole``.

    >>> whole_numbers([1.4, 1.4, 1.2], 4).tolist()
    [2, 1, 1]
    """
    values = np.asarray(parts, "float64")
    total = values.sum()
    if whole <= 0 or total <= 0:
        return np.zeros(len(values), "int64")
    scaled = values * whole / total
    made = np.floor(scaled + 1e-9).astype("int64")
    short = int(whole - made.sum())
    order = np.argsort(-(scaled - made), kind="stable")
    made[order[:short]] += 1
    return made
