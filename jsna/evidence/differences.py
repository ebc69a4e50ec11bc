"""By how much does an area differ from a whole or from a median, with the interval that a verdict rests on?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import Indicator
from jsna.measures import proportion, rate, risk_difference
from jsna.measures.columns import normal_quantile
from jsna.measures.rate_funnel import rate_overdispersion


@dataclass(frozen=True)
class Difference:
    """A difference in the indicator's unit, its interval, and the p-value of the interval turned round."""

    estimate: float
    lower: float
    upper: float
    p_value: float

    @classmethod
    def of(cls, estimate: float, lower: float, upper: float, confidence: float) -> Difference:
        """The p-value is the level at which the half of the interval that points to 0 would just reach it."""
        from scipy.special import ndtr

        half = estimate - lower if estimate > 0 else upper - estimate
        p = 1.0 if half <= 0 else float(2 * ndtr(-abs(estimate) / half * normal_quantile(confidence)))
        return cls(estimate, lower, upper, p)


def counted(row: pd.Series, known: Indicator) -> bool:
    """Whether a figure stands on counts that a difference can be worked out from."""
    return known.kind in ("proportion", "event_rate") and row["way"] == "counts" and bool(row["denominator"] > 0)


def spread_among_areas(known: Indicator, there: pd.DataFrame) -> float:
    """By how much the variance of events that repeat is taken as larger than chance: 1 where they do not.

    Children who repeat cannot be told from the counts, so the spread among all authorities stands in for them: it holds
    their real differences too, and so makes verdicts rarer than need be, never more frequent.
    """
    if known.interval != "overdispersed":
        return 1.0
    areas = there[(there["area_level"] == "local_authority") & (there["way"] == "counts")]
    if not areas["denominator"].sum() > 0:
        return 1.0
    average = areas["numerator"].sum() / areas["denominator"].sum()
    return float(np.fmax(rate_overdispersion(areas["numerator"], areas["denominator"], average), 1.0))


def from_whole(known: Indicator, own: pd.Series, whole: pd.Series, phi: float, confidence: float) -> Difference | None:
    """The difference from England or a region, the area itself taken out; nothing where either has no counts.

    The whole stands as published where it does not hold the area's figure (an area's own count, not an official one),
    or where what is left does not fit together.
    """
    if not (counted(own, known) and counted(whole, known)):
        return None
    x, n = whole["numerator"] - own["numerator"], whole["denominator"] - own["denominator"]
    fits = own["origin"] == "official" and n > 0 and x >= 0 and (known.kind == "event_rate" or x <= n)
    if not fits:
        x, n = whole["numerator"], whole["denominator"]
    if known.kind == "proportion":
        made = risk_difference([own["numerator"]], [own["denominator"]], [x], [n], confidence).iloc[0]
        return Difference.of(*(known.per * made[["estimate", "lower", "upper"]]), confidence)
    first = rate([own["numerator"]], [own["denominator"]], confidence, known.per).iloc[0]
    second = rate([x], [n], confidence, known.per).iloc[0]
    gap = first["estimate"] - second["estimate"]
    below = np.hypot(first["estimate"] - first["lower"], second["upper"] - second["estimate"])
    above = np.hypot(first["upper"] - first["estimate"], second["estimate"] - second["lower"])
    return Difference.of(gap, gap - np.sqrt(phi) * below, gap + np.sqrt(phi) * above, confidence)


def from_fixed(known: Indicator, own: pd.Series, value: float, phi: float, confidence: float) -> Difference | None:
    """The difference from a value that is taken as known, such as a median of neighbours: the area's own interval."""
    if not counted(own, known):
        return None
    if known.kind == "proportion":
        limits = known.per * proportion([own["numerator"]], [own["denominator"]], confidence).iloc[0][:3]
    else:
        limits = rate([own["numerator"]], [own["denominator"]], confidence, known.per).iloc[0][:3]
    estimate, root = limits["estimate"], np.sqrt(phi)
    lower = estimate - root * (estimate - limits["lower"])
    upper = estimate + root * (limits["upper"] - estimate)
    return Difference.of(estimate - value, lower - value, upper - value, confidence)
