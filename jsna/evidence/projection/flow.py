"""The cohort flow: plans that stay in their age band, that grow into the next, that end, and that are new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from jsna.evidence.projection.specification import bands


@dataclass(frozen=True, eq=False)
class Rates:
    """What becomes of the plans of a band in a year, as shares, youngest band first.

    ``stay``: are in the same band a year later. ``up``: have come up from the band below (of that band's plans; the
    first is 0). What neither stays nor goes up has ended, or moved to another authority.
    """

    stay: NDArray[np.float64]
    up: NDArray[np.float64]

    def after_a_year(self, plans: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
        """Plans by band a year on, one row an authority: those that stay, those from below, and the new ones.

        >>> rates = Rates(np.array([0.5, 0.8]), np.array([0.0, 0.4]))
        >>> rates.after_a_year(np.array([[10.0, 100.0]]), np.array([[6.0, 20.0]])).tolist()
        [[11.0, 104.0]]
        """
        below = np.zeros_like(plans)
        below[:, 1:] = plans[:, :-1]
        return plans * self.stay + below * self.up + new


def rates_of(before: pd.DataFrame, after: pd.DataFrame, new: pd.DataFrame) -> Rates | None:
    """The shares that stay and go up, learned from all authorities between two Januaries at once.

    Each frame has a row an authority and a column a band; ``new`` are the new plans of the year between, by the age at
    which they started. Least squares over authorities, each weighted by the root of its plans, shares held between 0
    and 1. Authorities with a gap are left out; ``None`` where fewer are left than twice the bands.
    """
    every = pd.concat([before, after, new], axis=1)
    there = every.index[every.notna().all(axis=1) & (before.sum(axis=1) > 0)]
    if len(there) < 2 * len(bands()):
        return None
    a, b = before.loc[there].to_numpy("float64"), (after.loc[there] - new.loc[there]).to_numpy("float64")
    weight = 1 / np.sqrt(a.sum(axis=1) + 1)
    below = np.zeros_like(a)
    below[:, 1:] = a[:, :-1]
    found = [_shares(a[:, i] * weight, below[:, i] * weight, b[:, i] * weight) for i in range(a.shape[1])]
    return Rates(np.array([s for s, _ in found]), np.array([u for _, u in found]))


def _shares(own: NDArray[np.float64], below: NDArray[np.float64], left: NDArray[np.float64]) -> tuple[float, float]:
    """The best shares of two columns, each between 0 and 1; a column of nothing has 0."""
    use = [column for column in (own, below) if column.any()]
    if not use:
        return 0.0, 0.0
    found = iter(lsq_linear(np.column_stack(use), left, bounds=(0, 1)).x)
    return tuple(float(next(found)) if column.any() else 0.0 for column in (own, below))  # type: ignore[return-value]


def expected_new(
    plans: pd.DataFrame, new: list[pd.DataFrame], *, of_latest: float, towards_england: float
) -> pd.DataFrame:
    """How many new plans a year each authority is taken to have from now on, by band.

    ``new``: the new plans of the last years, oldest first. Half the latest year and half the mean of the years (at the
    latest level of England), then drawn towards what the authority would have at England's number for each plan. A year
    without figures is left out; an authority without any has England's number alone. An authority without ages has no
    figure.
    """
    latest, mean = new[-1], _mean(new)
    both = latest.notna() & mean.notna()
    level = _ratio(latest.where(both).sum(), mean.where(both).sum())
    own = of_latest * latest + (1 - of_latest) * mean * level
    own = own.fillna(mean * level)
    whole = plans.sum(axis=1, skipna=False)
    there = latest.notna().all(axis=1) & whole.notna()
    england = _ratio(latest[there].sum(), pd.Series(whole[there].sum(), index=latest.columns))
    expected = pd.DataFrame(np.outer(whole, england), index=plans.index, columns=plans.columns)
    return (towards_england * expected + (1 - towards_england) * own).fillna(expected)


def _mean(tables: list[pd.DataFrame]) -> pd.DataFrame:
    stacked = pd.concat(tables, keys=range(len(tables)))
    return stacked.groupby(level=1).mean().reindex(tables[-1].index)


def _ratio(over: pd.Series, under: pd.Series) -> pd.Series:
    return (over / under.where(under > 0)).fillna(0.0)


def flow(plans: pd.DataFrame, new: pd.DataFrame, rates: Rates, years: int) -> pd.DataFrame:
    """Plans by band in each of the next ``years``: columns of two levels, years ahead and band.

    ``new``: the new plans of every year to come. Authorities with a gap in their ages have no figure.
    """
    now, made = plans.to_numpy("float64"), {}
    for ahead in range(1, years + 1):
        now = rates.after_a_year(now, new.to_numpy("float64"))
        made[ahead] = pd.DataFrame(now, index=plans.index, columns=plans.columns)
    return pd.concat(made, axis=1)
