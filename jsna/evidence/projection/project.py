"""Plans of every authority up to five years ahead, from what is known in one January."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.evidence.projection.flow import expected_new, flow, rates_of
from jsna.evidence.projection.history import History
from jsna.evidence.projection.specification import bands, settings


@dataclass(frozen=True, eq=False)
class Projection:
    """Plans in the years ahead, one row an authority.

    ``total``: a column a year ahead (1 to 5). ``ages``: columns of two levels, years ahead and band; the bands of an
    authority add up to its total, and are missing where no ages are known. ``own_growth``: whether the authority's own
    growth was known; ``own_ages``: whether the cohort flow stands behind the figure.
    """

    january: int
    total: pd.DataFrame
    ages: pd.DataFrame
    own_growth: pd.Series
    own_ages: pd.Series


def growth_of(plans: pd.DataFrame, *, years: int, own: float) -> tuple[pd.Series, pd.Series]:
    """The yearly growth (in logarithms) that each authority is taken to have, and whether its own was known.

    England's growth of the latest year, over the authorities with both figures; an authority's own over ``years`` has
    the weight ``own``. With a shorter history, over as many years as all have; with none, England's alone.

    >>> plans = pd.DataFrame({2024: [100.0, 300.0, None], 2025: [110.0, 330.0, 50.0]})
    >>> growth, known = growth_of(plans, years=3, own=0.2)
    >>> growth.round(4).tolist(), known.tolist()
    ([0.0953, 0.0953, 0.0953], [True, True, False])
    """
    last = int(plans.columns.max())
    span = min(years, last - int(plans.columns.min()))
    if span < 1 or last - 1 not in plans:
        return pd.Series(0.0, index=plans.index), pd.Series(False, index=plans.index)
    pair = plans[[last - 1, last]].dropna()
    national = (
        float(np.log(pair[last].sum() / pair[last - 1].sum())) if pair[last - 1].sum() > 0 < pair[last].sum() else 0.0
    )
    first = plans[last - span] if last - span in plans else pd.Series(np.nan, index=plans.index)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log(plans[last] / first) / span
    known = np.isfinite(apart)
    return own * apart.where(known, national) + (1 - own) * national, known


def project(history: History) -> Projection:
    """The plans of every authority in the five Januaries after the latest one of ``history``.

    The mean (of logarithms) of two simple pictures: plans grow each year by a mixture of England's latest growth and
    the authority's own; and a cohort flow, in which new plans a year stay at today's number and England's latest shares
    stay, grow older and end. Ages are those of the flow, at the size of the mean. An authority without ages has the
    first picture alone. Never below 0. Raises ``MeasureError`` where there is no figure at all.
    """
    told, last = settings(), history.latest if len(history.plans.columns) else 0
    if not last or not (history.plans[last] > 0).any():
        raise MeasureError(Problem("There are no plans to project from.", where="caseload", expected="plans above 0"))
    ahead = range(1, told["years_ahead"] + 1)
    now = history.plans[last]
    growth, known = growth_of(history.plans, years=told["growth"]["years"], own=told["growth"]["own"])
    grown = pd.DataFrame({h: now * np.exp(h * growth) for h in ahead})
    flowing = _flowing(history, last)
    if flowing is None:
        nothing = pd.DataFrame(
            np.nan, index=grown.index, columns=pd.MultiIndex.from_product([ahead, range(len(bands()))])
        )
        return Projection(last, grown, nothing, known, pd.Series(False, index=grown.index))
    sums = flowing.T.groupby(level=0).sum(min_count=len(bands())).T
    there = sums.notna().all(axis=1) & (sums > 0).all(axis=1) & (now > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(told["flow"] * np.log(sums) + (1 - told["flow"]) * np.log(grown))
    total = mean.where(there, grown)
    shares = pd.concat({h: flowing[h].div(sums[h], axis=0) for h in ahead}, axis=1)
    ages = pd.concat({h: shares[h].mul(total[h], axis=0) for h in ahead}, axis=1).where(there)
    return Projection(last, total, ages, known, there)


def _flowing(history: History, last: int) -> pd.DataFrame | None:
    """The cohort flow of every authority with ages; ``None`` where the files do not give it for England."""
    told = settings()
    plans, before = history.of_ages(last), history.of_ages(last - 1)
    new = [history.of_new(year) for year in range(last - told["new_plans"]["years"], last)]
    rates = rates_of(before, plans, new[-1])
    if rates is None:
        return None
    weights = {k: told["new_plans"][k] for k in ("of_latest", "towards_england")}
    # bands count those of known age: the flow takes place at the size of the whole
    size = history.plans[last] / plans.sum(axis=1, skipna=False).where(lambda s: s > 0)
    plans = plans.mul(size, axis=0)
    return flow(plans, expected_new(plans, new, **weights), rates, told["years_ahead"])
