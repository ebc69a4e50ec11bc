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
from jsna.evidence.differences import Difference, from_fixed, from_whole, spread_among_areas
from jsna.evidence.values import Values, refuse_counts
from jsna.measures import false_discovery, rank_interval, ranked
from jsna.sources import tables

if TYPE_CHECKING:
    from jsna.area import Area

ENGLAND = "E92000001"
FEWEST_OF_A_SET = 3  # a median of fewer is no median
_FEW = 0.1  # the share of authorities without counts with which the place of one with counts has still an interval
BETTER, WORSE, SIMILAR, HIGHER, LOWER, NO_VERDICT = "better", "worse", "similar", "higher", "lower", "no verdict"
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
    return pd.DataFrame([_row(c, known, own, there, confidence) for c in wanted], columns=BESIDE)


def beside_all(
    values: Values, area: Area, wanted: Sequence[tuple[str, str]], *, confidence: float = 0.95
) -> pd.DataFrame:
    """``beside`` for many pairs of indicator and group, with allowance for how many were tested; counts are left out.

    Adds ``indicator``, ``group`` and the columns of ``adjusted_verdicts``.
    """
    known, every = catalogue(), comparators_of(area)
    parts = [
        beside(values, area, i, g, confidence=confidence, comparators=every).assign(indicator=i, group=g)
        for i, g in wanted
        if known[i].kind != "count"
    ]
    if not parts:
        return pd.DataFrame(columns=["indicator", "group", *BESIDE, "q_value", "tested", "adjusted_verdict"])
    made = pd.concat(parts, ignore_index=True)
    return adjusted_verdicts(made[["indicator", "group", *BESIDE]], confidence=confidence)


def adjusted_verdicts(table: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Verdicts that allow for how many were tested beside the same comparator: of those left, about 5% are false.

    ``table``: rows of ``beside``. Adds ``q_value`` (Benjamini–Hochberg within each comparator), ``tested`` (how many
    rows of that comparator were) and ``adjusted_verdict``: the verdict, or ``similar`` where q is not under 0.05.
    """
    p = table["p_value"].astype("float64")
    q = false_discovery(p, by=table["comparator"])
    lost = p.notna() & (q >= 1 - confidence)
    return table.assign(
        q_value=q,
        tested=p.groupby(table["comparator"]).transform("count"),
        adjusted_verdict=table["verdict"].mask(lost, SIMILAR),
    )


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


def _row(c: Comparator, known: Indicator, own: pd.Series, there: pd.DataFrame, confidence: float) -> dict[str, object]:
    members = there[there.index.isin(c.codes)]
    row = _blank(c, f"no figure for {own['period']}")
    row |= {f"own_{k}": own[k] for k in ("value", "lower", "upper")}
    sources = "; ".join(dict.fromkeys([own["source"], *members["source"]]))
    row |= {"period": own["period"], "year": own["year"], "source": sources, "areas": len(members)}
    row |= _rank(c, known, own, there, confidence)
    if len(members) < (min(FEWEST_OF_A_SET, len(c.codes)) if c.is_set else 1):
        return row
    phi = spread_among_areas(known, there)
    if c.is_set:
        value = float(members["value"].median())
        found = from_fixed(known, own, value, phi, confidence)
        row |= {"value": value}
    else:
        whole = members.iloc[0]
        found = from_whole(known, own, whole, phi, confidence)
        row |= whole[["value", "lower", "upper", "numerator", "denominator", "completeness"]].to_dict()
    return row | _judged(known, own, row["value"], found, phi)


def _judged(known: Indicator, own: pd.Series, value: float, found: Difference | None, phi: float) -> dict[str, object]:
    gap = own["value"] - value
    position = {1: "above", -1: "below", 0: "level"}[int(np.sign(gap))]
    if found is None:
        return {"difference": gap, "position": position, "reason": WITHOUT_COUNTS}
    verdict = SIMILAR
    if found.lower > 0 or found.upper < 0:
        names = {"higher": (BETTER, WORSE), "lower": (WORSE, BETTER), "neutral": (HIGHER, LOWER)}[known.direction]
        verdict = names[0] if found.estimate > 0 else names[1]
    return {
        "difference": found.estimate,
        "difference_lower": found.lower,
        "difference_upper": found.upper,
        "p_value": found.p_value,
        "position": position,
        "verdict": verdict,
        "words": WORDS[verdict],
        "reason": REPEATS if phi > 1 else "",
    }


def _rank(c: Comparator, known: Indicator, own: pd.Series, there: pd.DataFrame, confidence: float) -> dict[str, object]:
    """The area's place among the authorities that the comparator is about, with its interval where all have counts."""
    authorities = there[there["area_level"] == "local_authority"]
    if c.kind == "region":
        regions = code_list("local_authority")["region_code"]
        authorities = authorities[authorities.index.map(regions).isin(c.codes)]
    elif c.is_set:
        authorities = authorities[authorities.index.isin([*c.codes, own["area_code"]])]
    at = authorities.index == own["area_code"]
    places = ranked(authorities["value"], direction=known.direction)[at]
    row: dict[str, object] = {"rank": places["rank"].item(), "of": places["of"].item(), "rank_reason": WITHOUT_COUNTS}
    counted = ((authorities["way"] == "counts") & authorities["denominator"].gt(0)).to_numpy()
    without = int((~counted).sum())
    if known.kind not in ("proportion", "event_rate") or not counted[at].item() or without > _FEW * len(counted):
        return row
    made = rank_interval(
        authorities.loc[counted, "numerator"],
        authorities.loc[counted, "denominator"],
        direction=known.direction,
        level=confidence,
        kind="proportion" if known.kind == "proportion" else "rate",
        wanted=at[counted],
    )[at[counted]]
    reasons = []
    if known.interval == "overdispersed":
        reasons.append("a minimum: children can repeat")
    if without:
        reasons.append(f"{without} without counts could stand on either side")
    # An authority whose figure has no counts behind it may truly be better or worse: it can only push the place down.
    row |= {"rank_lower": made["rank_lower"].item(), "rank_upper": made["rank_upper"].item() + without}
    return row | {"rank_reason": "; ".join(reasons)}
