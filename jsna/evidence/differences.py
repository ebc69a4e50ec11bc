"""By how much do figures differ from a whole or from a median, and what is the verdict? Whole columns at once.

The one place of the rule by which an area stands beside another: ``comparators`` asks it for one measure beside every
comparator, ``standing`` for every measure of a page. ``own`` has the figures of the area: value, numerator,
denominator, way and origin, with ``kind`` and ``per`` of the indicator, and ``phi`` from ``spread_among_areas``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import Indicator
from jsna.measures import proportion, rank_interval, rate, risk_difference
from jsna.measures.columns import normal_quantile
from jsna.measures.rate_funnel import rate_overdispersion

BETTER, WORSE, SIMILAR, HIGHER, LOWER, NO_VERDICT = "better", "worse", "similar", "higher", "lower", "no verdict"
MOST_WITHOUT = 0.1  # the share of authorities without counts with which the place of the others has still an interval
_NAMES = {"higher": (BETTER, WORSE), "lower": (WORSE, BETTER), "neutral": (HIGHER, LOWER)}
_LIMITS = ["estimate", "lower", "upper"]
_DIVIDED = ("proportion", "event_rate")


def counted(figures: pd.DataFrame) -> pd.Series:
    """Whether figures stand on counts that a difference can be worked out from."""
    return (
        figures["kind"].isin(_DIVIDED)
        & (figures["way"] == "counts")
        & (figures["denominator"] > 0)
        & figures["value"].notna()
    )


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


def from_whole(own: pd.DataFrame, whole: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The difference from England or a region (``whole``, same index), the area itself taken out.

    The whole stands as published where it does not hold the area's figure (an area's own count, not an official one),
    or where what is left does not fit together. Missing where either has no counts. Columns: estimate, lower, upper, in
    the indicator's unit, and p_value.
    """
    both = counted(own) & (whole["way"] == "counts") & (whole["denominator"] > 0)
    x, n = whole["numerator"] - own["numerator"], whole["denominator"] - own["denominator"]
    fits = (own["origin"] == "official") & (n > 0) & (x >= 0) & ((own["kind"] == "event_rate") | (x <= n))
    x, n = x.where(fits, whole["numerator"]), n.where(fits, whole["denominator"])
    share, events = both & (own["kind"] == "proportion"), both & (own["kind"] == "event_rate")
    columns = [own["numerator"], own["denominator"], x, n]
    first = risk_difference(*(c[share] for c in columns), confidence)[_LIMITS]
    one, two = (rate(*(c[events] for c in pair), confidence) for pair in (columns[:2], columns[2:]))
    gap, root = one["estimate"] - two["estimate"], np.sqrt(own.loc[events, "phi"])
    below = root * np.hypot(one["estimate"] - one["lower"], two["upper"] - two["estimate"])
    above = root * np.hypot(one["upper"] - one["estimate"], two["estimate"] - two["lower"])
    second = pd.DataFrame({"estimate": gap, "lower": gap - below, "upper": gap + above})
    return _with_p(pd.concat([first, second]).reindex(own.index).mul(own["per"], axis="index"), confidence)


def from_fixed(own: pd.DataFrame, value: pd.Series, confidence: float) -> pd.DataFrame:
    """The difference from values taken as known, such as medians of neighbours: the area's own interval, moved.

    Columns as of ``from_whole``.
    """
    share, events = (counted(own) & (own["kind"] == kind) for kind in _DIVIDED)
    limits = [
        measure(own.loc[rows, "numerator"], own.loc[rows, "denominator"], confidence)[_LIMITS]
        for measure, rows in ((proportion, share), (rate, events))
    ]
    found = pd.concat(limits).reindex(own.index).mul(own["per"], axis="index")
    root, gap = np.sqrt(own["phi"]), found["estimate"] - value
    lower = gap - root * (found["estimate"] - found["lower"])
    upper = gap + root * (found["upper"] - found["estimate"])
    return _with_p(pd.DataFrame({"estimate": gap, "lower": lower, "upper": upper}), confidence)


def _with_p(found: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The p-value is the level at which the half of the interval that points to 0 would just reach it."""
    from scipy.special import ndtr

    half = (found["estimate"] - found["lower"]).where(found["estimate"] > 0, found["upper"] - found["estimate"])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(found["estimate"]) / half * normal_quantile(confidence))
    return found.assign(p_value=np.where(half <= 0, 1.0, p)).where(found["estimate"].notna())


def verdicts(found: pd.DataFrame, direction: pd.Series, certain: pd.Series | bool = True) -> pd.Series:
    """Better or worse by the indicator's direction, higher or lower where it is neutral, else similar or no verdict.

    A difference counts where its interval leaves out 0 and ``certain`` is true.
    """
    names = direction.map(_NAMES)
    word = names.str[0].where(found["estimate"] > 0, names.str[1])
    clear = ((found["lower"] > 0) | (found["upper"] < 0)) & certain
    return word.where(clear, SIMILAR).where(found["estimate"].notna(), NO_VERDICT)


def plausible_places(
    authorities: pd.DataFrame, codes: pd.Series, known: Indicator, confidence: float
) -> tuple[pd.DataFrame, int]:
    """``rank_lower`` and ``rank_upper`` of ``codes`` among ``authorities``, and how many of these have no counts.

    One without counts may truly be better or worse: it can only push a place down. Where more than a tenth have none
    the limits are missing.
    """
    there = authorities.set_index("area_code")
    counts = there[(there["way"] == "counts") & (there["denominator"] > 0)]
    without = len(there) - len(counts)
    limits = pd.DataFrame(np.nan, index=codes, columns=["rank_lower", "rank_upper"])
    if known.kind not in _DIVIDED or without > MOST_WITHOUT * len(there):
        return limits, without
    made = rank_interval(
        counts["numerator"],
        counts["denominator"],
        direction=known.direction,
        level=confidence,
        kind="proportion" if known.kind == "proportion" else "rate",
        wanted=counts.index.isin(codes),
    )[["rank_lower", "rank_upper"]]
    return made.assign(rank_upper=made["rank_upper"] + without).reindex(codes), without
