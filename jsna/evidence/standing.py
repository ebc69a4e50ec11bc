"""How does every measure of a page stand beside England, the region and the neighbours? Whole columns at once.

The rule is that of ``jsna.evidence.comparators.beside``, which answers for one measure; here it is worked out for all
measures of a page, and for all authorities of a run over England, in one pass. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.evidence.catalogue import Catalogue, Indicator, catalogue
from jsna.evidence.comparators import (
    BETTER,
    ENGLAND,
    FEWEST_OF_A_SET,
    HIGHER,
    LOWER,
    NO_VERDICT,
    SIMILAR,
    WORSE,
    Comparator,
)
from jsna.evidence.differences import spread_among_areas
from jsna.measures import false_discovery, proportion, rank_interval, ranked, rate, risk_difference
from jsna.measures.columns import normal_quantile

KEYS = ["indicator", "group"]
_AT = [*KEYS, "period"]
_FIGURES = ["value", "numerator", "denominator", "way"]
MOST_WITHOUT = 0.1  # the share of authorities without counts with which the place of the others has still an interval
_NAMES = {"higher": (BETTER, WORSE), "lower": (WORSE, BETTER), "neutral": (HIGHER, LOWER)}


def standings(
    rows: pd.DataFrame,
    own: pd.DataFrame,
    sets: Mapping[str, Sequence[Comparator]],
    *,
    ranks: pd.Series | None = None,
    confidence: float = 0.95,
    known: Catalogue | None = None,
) -> pd.DataFrame:
    """Figures beside those of other areas, and verdicts that allow for how many were tested.

    ``rows``: of ``Values.frame``, those with a value of every area, one an area, measure and period; ``own``: the
    figures to be placed, some of these rows, or rows without a value (beside them stand the figures of others, with no
    verdict and no rank), one an area and measure; ``sets``: for each area's code its sets of
    neighbours. Counts are never placed. One row an own row, same index: ``england_value``, ``region_value``,
    ``set_0_value`` … (medians); for each also ``…_difference``, ``…_p`` and ``…_verdict``, which is after the allowance
    (Benjamini–Hochberg within an area and comparator); and ``rank``, ``of``, ``rank_lower``, ``rank_upper`` among the
    authorities of England, the limits for the rows where ``ranks`` is true (all without it).
    """
    known = known or catalogue()
    placed = own.assign(
        kind=own["indicator"].map(lambda n: known[n].kind),
        per=own["indicator"].map(lambda n: known[n].per),
        direction=own["indicator"].map(lambda n: known[n].direction),
        region=own["area_code"].map(code_list("local_authority")["region_code"]),
    )
    placed = placed[placed["kind"] != "count"]
    at = pd.MultiIndex.from_frame(placed[_AT])
    near = rows[pd.MultiIndex.from_frame(rows[_AT]).isin(at) & (rows["area_level"] != "")]
    placed["phi"] = at.map(_spreads(near, known)).to_numpy("float64")
    placed["counted"] = _counted(placed)
    asked = placed["indicator"].map(lambda n: known[n].comparators)
    made = pd.DataFrame(index=placed.index)
    for name, code in (("england", pd.Series(ENGLAND, index=placed.index)), ("region", placed["region"])):
        whole = _figures_of(near, placed, code.where(_is_asked(asked, name), ""))
        made = made.join(_verdicts(placed, whole["value"], _from_whole(placed, whole, confidence), name, confidence))
    for number in range(max((len(s) for s in sets.values()), default=0)):
        members = {code: s[number].codes for code, s in sets.items() if len(s) > number}
        median = _medians(near, placed, members).where(_is_asked(asked, "neighbours"))
        made = made.join(
            _verdicts(placed, median, _from_fixed(placed, median, confidence), f"set_{number}", confidence)
        )
    wanted = pd.Series(True, index=placed.index) if ranks is None else ranks.reindex(placed.index)
    made = made.join(_ranks(near, placed, known, wanted, confidence))
    return made.reindex(own.index)


def _is_asked(asked: pd.Series, name: str) -> pd.Series:
    """Whether the catalogue lets a measure be compared with this; where it names nothing, with everything."""
    return asked.map(lambda names: not names or name in names)


def _spreads(near: pd.DataFrame, known: Catalogue) -> dict[tuple[str, str, str], float]:
    return {at: spread_among_areas(known[str(at[0])], there) for at, there in near.groupby(_AT, sort=False)}


def _counted(figures: pd.DataFrame) -> pd.Series:
    return (
        figures["kind"].isin(["proportion", "event_rate"])
        & (figures["way"] == "counts")
        & (figures["denominator"] > 0)
        & figures["value"].notna()
    )


def _figures_of(near: pd.DataFrame, placed: pd.DataFrame, code: pd.Series) -> pd.DataFrame:
    """The figures of the areas ``code`` for the measures and periods of ``placed``, same index."""
    wanted = placed[_AT].assign(area_code=code, place=placed.index)
    few = near[near["area_code"].isin(code.unique())]
    found = wanted.merge(few[[*_AT, "area_code", *_FIGURES]], on=[*_AT, "area_code"], how="left")
    return found.drop_duplicates("place").set_index("place").reindex(placed.index)


def _medians(near: pd.DataFrame, placed: pd.DataFrame, members: Mapping[str, Sequence[str]]) -> pd.Series:
    """The median of each area's neighbours for its measures and periods; of fewer than three there is none."""
    pairs = pd.DataFrame([(c, n) for c, codes in members.items() for n in codes], columns=["area_code", "neighbour"])
    wanted = placed[[*_AT, "area_code"]].assign(place=placed.index).merge(pairs, on="area_code")
    few = near.loc[near["area_code"].isin(pairs["neighbour"].unique()), [*_AT, "area_code", "value"]]
    found = wanted.merge(few.rename(columns={"area_code": "neighbour"}), on=[*_AT, "neighbour"])
    grouped = found.groupby("place")["value"]
    size = placed["area_code"].map({c: min(FEWEST_OF_A_SET, len(codes)) for c, codes in members.items()})
    return grouped.median().where(grouped.size() >= size.reindex(grouped.size().index)).reindex(placed.index)


def _from_whole(placed: pd.DataFrame, whole: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The difference from a whole without the area itself; where what is left does not fit, from the whole."""
    both = placed["counted"] & (whole["way"] == "counts") & (whole["denominator"] > 0)
    x, n = whole["numerator"] - placed["numerator"], whole["denominator"] - placed["denominator"]
    fits = (n > 0) & (x >= 0) & ((placed["kind"] == "event_rate") | (x <= n))
    x, n = x.where(fits, whole["numerator"]), n.where(fits, whole["denominator"])
    share, events = both & (placed["kind"] == "proportion"), both & (placed["kind"] == "event_rate")
    columns = [placed["numerator"], placed["denominator"], x, n]
    first = risk_difference(*(c[share] for c in columns), confidence)[["estimate", "lower", "upper"]]
    one, two = (rate(*(c[events] for c in pair), confidence) for pair in (columns[:2], columns[2:]))
    gap, root = one["estimate"] - two["estimate"], np.sqrt(placed.loc[events, "phi"])
    below = root * np.hypot(one["estimate"] - one["lower"], two["upper"] - two["estimate"])
    above = root * np.hypot(one["upper"] - one["estimate"], two["estimate"] - two["lower"])
    second = pd.DataFrame({"estimate": gap, "lower": gap - below, "upper": gap + above})
    return pd.concat([first, second]).reindex(placed.index).mul(placed["per"], axis="index")


def _from_fixed(placed: pd.DataFrame, median: pd.Series, confidence: float) -> pd.DataFrame:
    """The difference from a median that is taken as known: the area's own interval."""
    share = placed["counted"] & (placed["kind"] == "proportion")
    events = placed["counted"] & (placed["kind"] == "event_rate")
    limits = [
        function(placed.loc[rows, "numerator"], placed.loc[rows, "denominator"], confidence)
        for function, rows in ((proportion, share), (rate, events))
    ]
    own = pd.concat(limits)[["estimate", "lower", "upper"]].reindex(placed.index).mul(placed["per"], axis="index")
    root = np.sqrt(placed["phi"])
    gap = own["estimate"] - median
    lower, upper = gap - root * (own["estimate"] - own["lower"]), gap + root * (own["upper"] - own["estimate"])
    return pd.DataFrame({"estimate": gap, "lower": lower, "upper": upper})


def _verdicts(
    placed: pd.DataFrame, value: pd.Series, found: pd.DataFrame, name: str, confidence: float
) -> pd.DataFrame:
    """A comparator's value, the difference, its p-value and, allowing for many tests, the verdict."""
    from scipy.special import ndtr

    half = (found["estimate"] - found["lower"]).where(found["estimate"] > 0, found["upper"] - found["estimate"])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(found["estimate"]) / half * normal_quantile(confidence))
    found = found.where(value.notna())
    p = pd.Series(np.where(half <= 0, 1.0, p), index=found.index).where(found["estimate"].notna())
    q = false_discovery(p, by=placed["area_code"])
    clear = ((found["lower"] > 0) | (found["upper"] < 0)) & (q < 1 - confidence)
    names = placed["direction"].map(_NAMES)
    word = names.str[0].where(found["estimate"] > 0, names.str[1])
    verdict = word.where(clear, SIMILAR).where(found["estimate"].notna(), NO_VERDICT)
    difference = found["estimate"].fillna(placed["value"] - value)
    columns = {"value": value, "difference": difference, "p": p, "verdict": verdict}
    return pd.DataFrame({f"{name}_{c}": column for c, column in columns.items()})


def _ranks(
    near: pd.DataFrame, placed: pd.DataFrame, known: Catalogue, ranks: pd.Series, confidence: float
) -> pd.DataFrame:
    """Each area's place among the authorities of England; an interval where (nearly) all of them have counts."""
    authorities = near[near["area_level"] == "local_authority"]
    direction = authorities["indicator"].map(lambda n: known[n].direction)
    key = [*_AT, "area_code"]
    groups = authorities.groupby(_AT, sort=False).ngroup()
    parts = [
        ranked(authorities.loc[d, "value"], direction=str(n), by=groups[d])
        for n, d in direction.groupby(direction).groups.items()
    ]
    places = authorities[key].join(pd.concat(parts)) if parts else authorities[key].assign(rank=np.nan, of=np.nan)
    made = (
        placed[key].assign(place=placed.index).merge(places.drop_duplicates(key), on=key, how="left").set_index("place")
    )
    asked = placed[ranks & placed["value"].notna() & placed["kind"].isin(["proportion", "event_rate"])]
    where = authorities.groupby(_AT, sort=False).groups
    limits = [
        _intervals(authorities.loc[where[at]], rows, known[str(at[0])], confidence)
        for at, rows in asked.groupby(_AT, sort=False)
        if at in where
    ]
    both = pd.concat([pd.DataFrame(columns=["rank_lower", "rank_upper"], dtype="float64"), *limits])
    return made[["rank", "of"]].join(both)


def _intervals(there: pd.DataFrame, placed: pd.DataFrame, known: Indicator, confidence: float) -> pd.DataFrame:
    there = there.drop_duplicates("area_code").set_index("area_code")
    counts = there[(there["way"] == "counts") & (there["denominator"] > 0)]
    without = len(there) - len(counts)
    if without > MOST_WITHOUT * len(there):
        return pd.DataFrame(np.nan, index=placed.index, columns=["rank_lower", "rank_upper"])
    limits = rank_interval(
        counts["numerator"],
        counts["denominator"],
        direction=known.direction,
        level=confidence,
        kind="proportion" if known.kind == "proportion" else "rate",
        wanted=counts.index.isin(placed["area_code"]),
    )[["rank_lower", "rank_upper"]]
    # an authority without counts may truly be better or worse: it can only push the place down
    limits["rank_upper"] += without
    return limits.reindex(placed["area_code"]).set_axis(placed.index, axis="index")
