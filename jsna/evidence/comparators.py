"""What is an area set beside, and how does it stand there? Comparators as objects, verdicts and intervals of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.disclosure import Released, publish_official
from jsna.errors import Problem, SourceError
from jsna.evidence.catalogue import Indicator, catalogue
from jsna.evidence.differences import (
    BETTER,
    HIGHER,
    LOWER,
    NO_VERDICT,
    SIMILAR,
    WORSE,
    counted,
    from_fixed,
    from_whole,
    plausible_places,
    spread_among_areas,
    verdicts,
)
from jsna.evidence.values import Values, refuse_counts
from jsna.measures import ranked
from jsna.sources import tables

if TYPE_CHECKING:
    from jsna.area import Area

ENGLAND = "E92000001"
FEWEST_OF_A_SET = 3  # a median of fewer is no median
WORDS = {v: v for v in (BETTER, WORSE, HIGHER, LOWER, NO_VERDICT)} | {SIMILAR: "no clear difference"}
WITHOUT_COUNTS = "published without counts"
REPEATS = "children can repeat: the interval is widened by the spread among authorities"
BESIDE = [
    *("comparator", "name", "kind", "dated", "period", "year", "areas", "value", "lower", "upper"),
    *("numerator", "denominator", "completeness", "own_value", "own_lower", "own_upper", "difference"),
    *("difference_lower", "difference_upper", "p_value", "position", "verdict", "words", "reason"),
    *("rank", "rank_lower", "rank_upper", "of", "rank_reason", "source"),
]


@dataclass(frozen=True)
class Comparator:
    """What an area is set beside: ``kind`` england, region, neighbours (published) or own (named in the params).

    ``codes`` are the areas whose rows are read: of a set its members, of England and a region their own code; ``dated``
    says of when the set is, in words, and is empty for England and regions.
    """

    key: str
    name: str
    kind: str
    codes: tuple[str, ...]
    dated: str = ""

    @property
    def is_set(self) -> bool:
        return self.kind in ("neighbours", "own")


def comparators_of(area: Area) -> tuple[Comparator, ...]:
    """England, the area's region, every published set of neighbours at hand, the newest first, and the area's own sets.

    A published set that is not at hand is left out, and ``sets_at_hand`` says so. The codes of own sets were checked
    when the params were read.
    """
    fixed = (
        Comparator("england", "England", "england", (ENGLAND,)),
        Comparator("region", area.region_name, "region", (area.region_code,)),
    )
    near = _published_neighbours(area)
    sets = sorted(near["set"].unique(), key=lambda s: s[-4:], reverse=True)
    published = (
        Comparator(
            f"neighbours {s[-4:]}",
            f"statistical neighbours of {s}",
            "neighbours",
            tuple(near.loc[near["set"] == s, "neighbour_code"].dropna()),
            s,
        )
        for s in sets
    )
    dated = f"named for the review of {area.params.cycle}"
    own = (Comparator(n, f"{n} ({dated})", "own", tuple(c), dated) for n, c in area.params.neighbours.items())
    return (*fixed, *published, *own)


def _published_neighbours(area: Area) -> pd.DataFrame:
    carried = tables.neighbours_2021()
    carried = carried[carried["area_code"] == area.code]
    if not area.params.has_data_folder():
        return carried
    try:
        return area.official.neighbours_of(area.code)
    except SourceError:
        return carried


def sets_at_hand(area: Area) -> str:
    """Which published sets of neighbours there are, in a sentence, and what is missing."""
    sets = [c.dated for c in comparators_of(area) if c.kind == "neighbours"]
    if len(sets) > 1:
        return f"Published sets of statistical neighbours at hand for {area.name}: {', '.join(sets)}."
    if not sets:
        return (
            f"No published set of statistical neighbours is at hand for {area.name}. Bring DfE’s workbook of "
            "neighbours, or name a set of your own in the params (neighbours)."
        )
    other = (
        "The set of April 2021 is carried for Luton alone"
        if sets[0].endswith("2025")
        else "The workbook of May 2025 is not among the files"
    )
    return (
        f"One published set of statistical neighbours is at hand for {area.name}, that of {sets[0]}. {other}, so it "
        "cannot be shown whether another published set would change the verdict."
    )


def beside(
    values: Values,
    area: Area,
    indicator: str,
    group: str = "all",
    *,
    period: str = "",
    confidence: float = 0.95,
    comparators: Sequence[Comparator] | None = None,
) -> pd.DataFrame:
    """How does the area stand beside each comparator, in its latest period or in ``period``? One row a comparator.

    England and region have their published row, a set the median of its members with a figure. ``verdict``: where both
    sides have counts, by the interval of the difference from England or region without the area itself; of a set,
    whether the area's interval leaves the median out. ``better`` or ``worse`` by the indicator's direction, ``higher``
    or ``lower`` where it is neutral, ``similar`` (in ``words``: no clear difference), else ``no verdict`` with the
    ``reason``; ``position`` (above, below, level) says no more than which is larger. ``rank`` is among the authorities
    of England or region, or those of the set and the area; ``rank_lower`` and ``rank_upper`` from counts alone.

    ``comparators``: those to use, where not all of ``comparators_of``. Raises ``CodeListError`` for an indicator that
    is a count: areas of different sizes are not compared by counts.
    """
    known = catalogue()[indicator]
    refuse_counts(known)
    rows = values.of(indicator, group)
    own = _own(rows, area.code, period)
    every = comparators_of(area) if comparators is None else comparators
    wanted = [c for c in every if _is_wanted(c, known)]
    if own is None:
        nothing = [_blank(c, "no figure for the area") for c in wanted]
        return pd.DataFrame(nothing, columns=BESIDE)
    official = rows[
        (rows["period"] == own["period"]) & ((rows["origin"] == "official") | rows["area_code"].eq(area.code))
    ]
    there = official[official["value"].notna()].sort_values("origin", key=lambda o: o != own["origin"], kind="stable")
    there = there.drop_duplicates("area_code").set_index("area_code")
    rows_of = [_figures(c, known, own, there, confidence) for c in wanted]
    made = pd.DataFrame(rows_of, columns=[*BESIDE, "way"])
    return _judged(made, known, own, spread_among_areas(known, there.reset_index()), confidence)[BESIDE]


@dataclass(frozen=True)
class BySet:
    """Rows of ``beside`` for every set of neighbours, and whether they agree.

    ``changes`` is missing where fewer than two sets can be compared; ``judged`` is false where figures are published
    without counts, so that only above and below the median can be compared, in ``words``'s stead.
    """

    table: pd.DataFrame
    changes: bool | None
    judged: bool


def verdicts_by_set(
    values: Values, area: Area, indicator: str, group: str = "all", *, confidence: float = 0.95
) -> BySet:
    """Does the verdict change with the set of neighbours? In words: ``exhibits.comparing.by_set_sentence``."""
    table = beside(values, area, indicator, group, confidence=confidence)
    table = table[table["kind"].isin(["neighbours", "own"])].reset_index(drop=True)
    known = table[table["value"].notna()]
    judged = bool(len(known) and (known["verdict"] != NO_VERDICT).all())
    said = known["verdict" if judged else "position"]
    return BySet(table, said.nunique() > 1 if len(known) > 1 else None, judged)


def years_of_rank(values: Values, area: Area, indicator: str, group: str = "all") -> pd.DataFrame:
    """The area's rank among the authorities of England in every period: period, year, value, rank, of.

    How far the place moves from year to year is the plainest sign of how little one rank says.
    """
    refuse_counts(indicator)
    rows = values.of(indicator, group)
    rows = rows[(rows["area_level"] == "local_authority") & (rows["origin"] == "official") & rows["value"].notna()]
    places = ranked(rows["value"], direction=catalogue()[indicator].direction, by=rows["period"])
    own = rows.join(places)[rows["area_code"] == area.code]
    return own[["period", "year", "value", "rank", "of"]].sort_values("year").reset_index(drop=True)


def release(table: pd.DataFrame, area: Area) -> Released:
    """Rows of ``beside`` as a table that exhibits accept. Raises ``SourceError`` for rows without a source.

    The values passed the gate, or were published, before they were compared: what is worked out from them tells no
    more.
    """
    sources = dict.fromkeys(s for row in table["source"].dropna() for s in row.split("; ") if s)
    if not sources:
        raise SourceError(Problem("There is no figure to show.", where=area.name))
    shown = publish_official(table, source="; ".join(sources))
    without = table["verdict"].eq(NO_VERDICT).to_numpy() if "verdict" in table else np.zeros(len(table), bool)
    symbols = shown.symbols.copy()
    columns = [c for c in ("lower", "upper", "numerator", "denominator", "rank_lower", "rank_upper") if c in symbols]
    symbols[columns] = symbols[columns].mask(shown.frame[columns].isna() & without[:, None], "z")
    notes = ("Differences from England and the region are from all others there, the area itself left out.",)
    return Released(shown.frame, symbols, shown.source, synthetic=area.synthetic, notes=notes)


def _is_wanted(c: Comparator, known: Indicator) -> bool:
    kind = "neighbours" if c.is_set else c.kind
    return not known.comparators or kind in known.comparators


def _own(rows: pd.DataFrame, code: str, period: str) -> pd.Series | None:
    own = rows[(rows["area_code"] == code) & rows["value"].notna()]
    if period:
        own = own[own["period"] == period]
    # Of one period the official figure stands beside the others' official figures.
    own = own.sort_values(
        ["year", "origin"], key=lambda c: c.eq("official") if c.name == "origin" else c, kind="stable"
    )
    return own.iloc[-1] if len(own) else None


def _blank(c: Comparator, reason: str) -> dict[str, object]:
    words = {"verdict": NO_VERDICT, "words": WORDS[NO_VERDICT], "reason": reason, "rank_reason": reason}
    return dict.fromkeys(BESIDE, np.nan) | _labels(c) | {"position": "", "source": "", "period": ""} | words


def _labels(c: Comparator) -> dict[str, object]:
    return {"comparator": c.key, "name": c.name, "kind": c.kind, "dated": c.dated}


def _figures(
    c: Comparator, known: Indicator, own: pd.Series, there: pd.DataFrame, confidence: float
) -> dict[str, object]:
    """What the comparator has for the period, and the area's place among the authorities it is about."""
    members = there[there.index.isin(c.codes)]
    row = _blank(c, f"no figure for {own['period']}")
    row |= {f"own_{k}": own[k] for k in ("value", "lower", "upper")}
    sources = "; ".join(dict.fromkeys([own["source"], *members["source"]]))
    row |= {"period": own["period"], "year": own["year"], "source": sources, "areas": len(members)}
    row |= _rank(c, known, own, there, confidence)
    if len(members) < (min(FEWEST_OF_A_SET, len(c.codes)) if c.is_set else 1):
        return row
    if c.is_set:
        return row | {"value": float(members["value"].median())}
    shown = ["value", "lower", "upper", "numerator", "denominator", "completeness", "way"]
    return row | members.iloc[0][shown].to_dict()


def _judged(table: pd.DataFrame, known: Indicator, own: pd.Series, phi: float, confidence: float) -> pd.DataFrame:
    """The rows with the difference, its interval, the side and the verdict; rows without a figure as they were."""
    there, sets = table["value"].notna(), table["kind"].isin(["neighbours", "own"])
    mine = pd.DataFrame([own] * len(table), index=table.index, columns=own.index).infer_objects()
    mine = mine.assign(kind=known.kind, per=known.per, phi=phi)
    parts = [
        from_whole(mine[~sets], table[~sets], confidence),
        from_fixed(mine[sets], table.loc[sets, "value"].astype("float64"), confidence),
    ]
    found = pd.concat([p for p in parts if len(p)] or parts).reindex(table.index)
    gap = own["value"] - table["value"].astype("float64")
    verdict = verdicts(found, pd.Series(known.direction, index=table.index))
    judged = found["estimate"].notna()
    return table.assign(
        difference=found["estimate"].fillna(gap),
        difference_lower=found["lower"],
        difference_upper=found["upper"],
        p_value=found["p_value"],
        position=np.sign(gap).map({1.0: "above", -1.0: "below", 0.0: "level"}).fillna(""),
        verdict=verdict,
        words=verdict.map(WORDS),
        reason=table["reason"].mask(there, WITHOUT_COUNTS).mask(judged, REPEATS if phi > 1 else ""),
    )


def _rank(c: Comparator, known: Indicator, own: pd.Series, there: pd.DataFrame, confidence: float) -> dict[str, object]:
    """The area's place among the authorities that the comparator is about, with its interval where all have counts."""
    authorities = there[there["area_level"] == "local_authority"].reset_index()
    if c.kind == "region":
        regions = code_list("local_authority")["region_code"]
        authorities = authorities[authorities["area_code"].map(regions).isin(c.codes)]
    elif c.is_set:
        authorities = authorities[authorities["area_code"].isin([*c.codes, own["area_code"]])]
    mine = authorities["area_code"] == own["area_code"]
    places = ranked(authorities["value"], direction=known.direction)[mine]
    row: dict[str, object] = {"rank": places["rank"].item(), "of": places["of"].item(), "rank_reason": WITHOUT_COUNTS}
    limits, without = plausible_places(authorities, authorities.loc[mine, "area_code"], known, confidence)
    if not counted(authorities[mine].assign(kind=known.kind)).item() or limits.isna().all(axis=None):
        return row
    reasons = []
    if known.interval == "overdispersed":
        reasons.append("a minimum: children can repeat")
    if without:
        reasons.append(f"{without} without counts could stand on either side")
    return row | {c: limits[c].item() for c in limits} | {"rank_reason": "; ".join(reasons)}
