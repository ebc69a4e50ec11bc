"""How does every measure of a page stand beside England, the region and the neighbours? Whole columns at once.

The rule is that of ``jsna.evidence.differences``, as of ``comparators.beside``, which answers for one measure; here it
is asked for all measures of a page, and for all authorities of a run over England, in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.evidence.catalogue import Catalogue, catalogue
from jsna.evidence.comparators import ENGLAND, FEWEST_OF_A_SET, Comparator
from jsna.evidence.differences import from_fixed, from_whole, plausible_places, spread_among_areas, verdicts
from jsna.measures import false_discovery, ranked

KEYS = ["indicator", "group"]
_AT = [*KEYS, "period"]
_FIGURES = ["value", "numerator", "denominator", "way"]


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
    asked = placed["indicator"].map(lambda n: known[n].comparators)
    made = pd.DataFrame(index=placed.index)
    for name, code in (("england", pd.Series(ENGLAND, index=placed.index)), ("region", placed["region"])):
        whole = _figures_of(near, placed, code.where(_is_asked(asked, name), ""))
        made = made.join(_verdicts(placed, whole["value"], from_whole(placed, whole, confidence), name, confidence))
    for number in range(max((len(s) for s in sets.values()), default=0)):
        members = {code: s[number].codes for code, s in sets.items() if len(s) > number}
        median = _medians(near, placed, members).where(_is_asked(asked, "neighbours"))
        made = made.join(_verdicts(placed, median, from_fixed(placed, median, confidence), f"set_{number}", confidence))
    wanted = pd.Series(True, index=placed.index) if ranks is None else ranks.reindex(placed.index)
    made = made.join(_ranks(near, placed, known, wanted, confidence))
    return made.reindex(own.index)


def _is_asked(asked: pd.Series, name: str) -> pd.Series:
    """Whether the catalogue lets a measure be compared with this; where it names nothing, with everything."""
    return asked.map(lambda names: not names or name in names)


def _spreads(near: pd.DataFrame, known: Catalogue) -> dict[tuple[str, str, str], float]:
    return {at: spread_among_areas(known[str(at[0])], there) for at, there in near.groupby(_AT, sort=False)}


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


def _verdicts(
    placed: pd.DataFrame, value: pd.Series, found: pd.DataFrame, name: str, confidence: float
) -> pd.DataFrame:
    """A comparator's value, the difference, its p-value and, allowing for many tests, the verdict."""
    q = false_discovery(found["p_value"], by=placed["area_code"])
    verdict = verdicts(found, placed["direction"], q < 1 - confidence)
    difference = found["estimate"].fillna(placed["value"] - value)
    columns = {"value": value, "difference": difference, "p": found["p_value"], "verdict": verdict}
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
        plausible_places(authorities.loc[where[at]], rows["area_code"], known[str(at[0])], confidence)[0].set_axis(
            rows.index, axis="index"
        )
        for at, rows in asked.groupby(_AT, sort=False)
        if at in where
    ]
    both = pd.concat([pd.DataFrame(columns=["rank_lower", "rank_upper"], dtype="float64"), *limits])
    return made[["rank", "of"]].join(both)
