"""How far apart are the figures of pupils with and without SEN, and how much of that could be chance?

A gap says how two groups of different children fare. It is not the effect of support: who is on SEN support, and who
has a plan, differs between areas and between years.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.evidence.catalogue import Indicator
from jsna.measures import risk_difference
from jsna.measures.columns import normal_quantile

REFERENCE = "no_sen"
NO_COUNTS = "published without counts"
NO_SPREAD = "a mean, published without its spread"
REPEATS = "absences or events of one child hang together"
FEWEST_EXPECTED = 5
_SIDE = ["group", "area_code", "period"]
_KEPT = [*_SIDE, "area_name", "area_level", "year", "value", "reference_value", "denominator", "way", "source"]


def gaps(
    rows: pd.DataFrame, indicator: Indicator, *, reference: str = REFERENCE, confidence: float = 0.95
) -> pd.DataFrame:
    """How much less favourable is each group's figure than that of pupils without identified SEN?

    ``rows``: those of ``Values.frame`` of one indicator, whose direction is higher or lower. A gap above 0 means that
    the group's figure is the less favourable: the reference's less the group's where higher is better, the other way
    round where lower is. One row a group, area and period in which both have a value: who, where and when, then
    ``reference_value``, ``gap``, ``lower`` and ``upper`` in the indicator's unit (points for a percentage), and
    ``why``: why there is no interval, else empty.

    Intervals are Newcombe's, from counts of both groups; a mean has none, nor has a share of sessions.
    Raises ``MeasureError`` for an indicator without a direction.
    """
    if indicator.direction == "neutral":
        wanted = "higher or lower"
        raise MeasureError(Problem("A gap needs to know which way is better.", value=indicator.id, expected=wanted))
    pairs = _pairs(rows[rows["value"].notna()], reference)
    higher = indicator.direction == "higher"
    apart = (pairs["reference_value"] - pairs["value"]) * (1 if higher else -1)
    sides = [("reference_numerator", "reference_denominator"), ("numerator", "denominator")]
    first, second = sides if higher else sides[::-1]
    counted = pairs[[*first, *second]].notna().all(axis=1)
    simple = indicator.kind == "proportion" and indicator.interval == "wilson"
    columns = (pairs[c].where(counted & simple) for c in (*first, *second))
    limits = risk_difference(*columns, confidence=confidence)
    without = NO_SPREAD if indicator.kind == "mean" else "" if simple else REPEATS
    made = pairs[_KEPT].assign(
        gap=apart,
        lower=limits["lower"] * indicator.per,
        upper=limits["upper"] * indicator.per,
        why=np.where(counted | (indicator.kind == "mean"), without, NO_COUNTS),
    )
    return made.sort_values(["group", "area_code", "year", "period"], kind="stable").reset_index(drop=True)


def _pairs(known: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Each figure beside that of the reference in the same area and period (``reference_…``)."""
    measured = ["value", "numerator", "denominator"]
    base = known.loc[known["group"] == reference, ["area_code", "period", *measured]]
    base = base.rename(columns={c: f"reference_{c}" for c in measured})
    others = known[known["group"] != reference]
    return others.merge(base, on=["area_code", "period"], how="inner", validate="many_to_one")


def median_gaps(gaps_of_areas: pd.DataFrame, codes: tuple[str, ...]) -> pd.DataFrame:
    """The median of the gaps of ``codes`` by group and period: group, period, year, gap, areas (how many have one).

    It is the median of the areas' gaps, which need not be the gap between the medians of their figures.
    """
    near = gaps_of_areas[gaps_of_areas["area_code"].isin(codes)]
    made = near.groupby(["group", "period", "year"], as_index=False).agg(gap=("gap", "median"), areas=("gap", "size"))
    return made.sort_values(["group", "year"], kind="stable").reset_index(drop=True)


def against(own: pd.Series, other: pd.Series) -> str:
    """An area's gap beside another's (rows of ``gaps``): wider, narrower, no clear difference, or not tested.

    By the interval of the difference of the two gaps, made of the limits of both (square-and-add, as Newcombe's).

    >>> luton = pd.Series({"gap": 43.7, "lower": 38.9, "upper": 47.9})
    >>> england = pd.Series({"gap": 48.0, "lower": 47.6, "upper": 48.4})
    >>> against(luton, england), against(luton, england - 1)
    ('narrower', 'no clear difference')
    """
    if pd.isna([*own[["gap", "lower", "upper"]], *other[["gap", "lower", "upper"]]]).any():
        return "not tested"
    apart = own["gap"] - other["gap"]
    below = np.hypot(own["gap"] - own["lower"], other["upper"] - other["gap"])
    above = np.hypot(own["upper"] - own["gap"], other["gap"] - other["lower"])
    return "wider" if apart > below else "narrower" if apart < -above else "no clear difference"


def change_by_chance(first: float, second: float, cohort: float, confidence: float = 0.95) -> float:
    """How far does a percentage move between two years by chance alone, if ``cohort`` children are counted in each?

    ``first`` and ``second``: percentages of the two years; their mean is taken as what stays. In points: 95 of 100
    changes by chance are smaller, z √(2 p (1 − p) / cohort). For scale only, where counts are not known: it is no test.
    Missing where the formula does not hold: fewer than 5 children expected on either side.

    >>> round(change_by_chance(30.7, 19.9, 360), 1)
    6.4
    """
    share = (first + second) / 200
    if not min(share, 1 - share) * cohort >= FEWEST_EXPECTED:
        return float("nan")
    return 100 * normal_quantile(confidence) * float(np.sqrt(2 * share * (1 - share) / cohort))
