"""How do children and young people with SEND get on? Figures of an area by SEN status, beside other places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import catalogue
from jsna.evidence.gaps_between import gaps, median_gaps
from jsna.measures import risk_difference
from jsna.measures.ranks import rank_interval_if

if TYPE_CHECKING:
    from jsna.evidence.comparators import Comparator
    from jsna.evidence.values import Values

SEN = ("no_sen", "sen_support", "ehc_plan")
ENGLAND = "E92000001"
_FIGURE = ["value", "symbol", "lower", "upper", "numerator", "denominator", "way", "provisional", "break_before"]
_ORIGIN = ["source", "file", "origin", "note"]


@dataclass(frozen=True)
class Place:
    """A place whose figures are shown: the area, England, a region, or the median of a set of areas."""

    name: str
    codes: tuple[str, ...]
    median: bool = False


def places(area_name: str, area_code: str, comparators: Sequence[Comparator]) -> tuple[Place, ...]:
    """The area first, then every comparator; of a set of areas the median is shown, under its name and date."""
    others = (
        Place(c.name, c.codes) if c.kind in ("england", "region") else Place(_median_name(c), c.codes, median=True)
        for c in comparators
    )
    return (Place(area_name, (area_code,)), *others)


def _median_name(c: Comparator) -> str:
    return f"Neighbours’ median, {c.dated}" if c.kind == "neighbours" and c.dated else f"Median, {c.key}"


def figures(values: Values, indicator: str, groups: Sequence[str], where: Sequence[Place]) -> pd.DataFrame:
    """One row a place, group and period with a value or a symbol, by ``where`` and ``groups``, oldest first.

    Columns: place, group, period, year, value, symbol, lower, upper, numerator, denominator, way, provisional,
    break_before, source, file, origin, note, and ``areas``: how many figures a median rests on (1 for a place of its
    own, whose row is passed on).
    """
    rows = _of_groups(values, indicator, groups)
    rows = _one_origin(rows[rows["value"].notna() | (rows["symbol"] != "")], where[0])
    parts = [_of_place(rows, place) for place in where]
    made = pd.concat(parts, ignore_index=True)
    order = {g: n for n, g in enumerate(groups)}
    rank = {p.name: n for n, p in enumerate(where)}
    keys = made.assign(_p=made["place"].map(rank), _g=made["group"].map(order))
    return made.loc[keys.sort_values(["_p", "_g", "year"], kind="stable").index].reset_index(drop=True)


def _of_groups(values: Values, indicator: str, groups: Sequence[str]) -> pd.DataFrame:
    return pd.concat([values.of(indicator, g) for g in groups], ignore_index=True)


def _one_origin(rows: pd.DataFrame, area: Place) -> pd.DataFrame:
    """The official rows; the area's own ones only where it has no official figure."""
    official = rows["origin"] == "official"
    own = rows["area_code"].isin(area.codes)
    return rows[official] if (own & official & rows["value"].notna()).any() else rows[official & ~own | own & ~official]


def _of_place(rows: pd.DataFrame, place: Place) -> pd.DataFrame:
    own = rows[rows["area_code"].isin(place.codes)]
    if not place.median:
        return own[["group", "period", "year", *_FIGURE, *_ORIGIN]].assign(place=place.name, areas=1)
    by = own[own["value"].notna()].groupby(["group", "period", "year"])
    values = by["value"].agg(["median", "size"]).set_axis(["value", "areas"], axis="columns")
    middle = values.join([by[["provisional", "break_before"]].any(), by[_ORIGIN].first()]).reset_index()
    missing = dict.fromkeys(("lower", "upper", "numerator", "denominator"), np.nan)
    return middle.assign(place=place.name, way="median", symbol="", **missing)


def by_status(rows: pd.DataFrame, groups: Sequence[str] = SEN) -> pd.DataFrame:
    """``figures`` with a column a group: place, period, year, ``<group>`` with its ``_symbol``, ``_lower``, ``_upper``.

    Every year between the first and the last has a row in every place, so that a year without figures is seen. Limits
    stand only where some row has them.
    """
    order = list(dict.fromkeys(rows["place"]))
    periods = rows.drop_duplicates("year").set_index("year")["period"]
    every = pd.MultiIndex.from_product([order, _all_years(periods)], names=["place", "year"])
    parts = []
    for group in groups:
        own = (
            rows[rows["group"] == group]
            .set_index(["place", "year"])[["value", "symbol", "lower", "upper"]]
            .reindex(every)
        )
        own.columns = [group, f"{group}_symbol", f"{group}_lower", f"{group}_upper"]
        parts.append(own)
    wide = pd.concat(parts, axis=1).reset_index()
    if wide.filter(regex="_lower$").isna().all(axis=None):
        wide = wide.drop(columns=[c for c in wide if c.endswith(("_lower", "_upper"))])
    names = wide["year"].map(periods)
    wide.insert(1, "period", names.where(names.notna(), wide["year"].map(lambda y: _like(y, periods.iloc[0]))))
    return wide


def _all_years(periods: pd.Series) -> list[int]:
    return list(range(int(periods.index.min()), int(periods.index.max()) + 1))


def _like(year: int, example: str) -> str:
    """A year's label in the form of ``example``.

    >>> _like(2020, "2018/19"), _like(2020, "2019"), _like(2020, "January 2024")
    ('2019/20', '2020', 'January 2020')
    """
    if "/" in example:
        return f"{year - 1}/{year % 100:02d}"
    return f"{example[:-4]}{year}"


def gap_figures(values: Values, indicator: str, where: Sequence[Place], confidence: float = 0.95) -> pd.DataFrame:
    """Each place's gap between pupils without identified SEN and each other group, in every period.

    Columns: place, group, period, year, value, reference_value, gap, lower, upper, denominator, why, areas. For a set
    of areas ``gap`` is the median of their gaps, and it has no value of its own.
    """
    rows = _one_origin(_of_groups(values, indicator, SEN), where[0])
    found = gaps(rows, catalogue()[indicator], confidence=confidence)
    parts = []
    for place in where:
        own = median_gaps(found, place.codes) if place.median else found[found["area_code"].isin(place.codes)]
        parts.append(own.assign(place=place.name, areas=own["areas"] if place.median else 1))
    wanted = ["place", "group", "period", "year", "value", "reference_value", "gap", "lower", "upper", "denominator"]
    return pd.concat(parts, ignore_index=True).reindex(columns=[*wanted, "why", "areas"])


@dataclass(frozen=True)
class Change:
    """How a figure moved between the last two years that have one; limits only where both years have counts."""

    group: str
    first_period: str
    last_period: str
    first: float
    last: float
    lower: float
    upper: float
    next_year: bool
    comparable: bool

    @property
    def points(self) -> float:
        return self.last - self.first

    @property
    def counted(self) -> bool:
        return not np.isnan(self.lower)


def last_change(own: pd.DataFrame, indicator: str, confidence: float = 0.95) -> Change | None:
    """The change between the last two years of one place and group, or nothing when fewer than two have a figure.

    ``own``: rows of ``figures`` of one place and one group, with values. Limits are Newcombe's, in the indicator's
    unit, and only for proportions whose counts of both years are known.
    """
    if len(own) < 2:
        return None
    known = catalogue()[indicator]
    first, last = own.iloc[-2], own.iloc[-1]
    counts = [last["numerator"], last["denominator"], first["numerator"], first["denominator"]]
    lower = upper = float("nan")
    if known.kind == "proportion" and known.interval == "wilson" and not np.isnan(counts).any():
        found = risk_difference(*([c] for c in counts), confidence=confidence).iloc[0]
        lower, upper = known.per * found["lower"], known.per * found["upper"]
    return Change(
        str(own["group"].iloc[0]),
        str(first["period"]),
        str(last["period"]),
        float(first["value"]),
        float(last["value"]),
        lower,
        upper,
        next_year=int(last["year"]) - int(first["year"]) == 1,
        comparable=not bool(last["break_before"]),
    )


def assumed_counts(caseload: pd.DataFrame, year: int, ages: Sequence[str]) -> pd.Series:
    """How many plans each authority maintained for young people of ``ages`` in January of ``year``, by area_code.

    For figures that are published without counts, as an assumption on how many were counted. ``caseload``: that table
    of the EHC release. An authority that returned a total alone is given England's share of these ages.
    """
    now = caseload[caseload["time_period"] == f"{year - 1}{year % 100:02d}"]
    now = now[now["geographic_level"].isin(["Local authority", "National"])]
    total = now[now["breakdown_topic"] == "Total"].set_index("area_code")["ehcplans"]
    of_age = now[(now["breakdown_topic"] == "Age") & now["breakdown"].isin(ages)]
    known = of_age.groupby("area_code")["ehcplans"].sum(min_count=len(ages)).reindex(total.index)
    made = known.fillna(total * known.get(ENGLAND, float("nan")) / total.get(ENGLAND, float("nan")))
    return made.drop(ENGLAND, errors="ignore").dropna().round()


def plausible_ranks(
    values: Values, indicator: str, group: str, area_code: str, assumed: pd.Series, level: float = 0.95
) -> pd.Series | None:
    """The ranks that the area could hold in its newest period if ``assumed`` were counted.

    ``assumed`` by area_code; authorities without an assumption are left out, so that ``of`` can be smaller than in
    the published ranking. A row of ``rank_interval_if`` (rank, rank_lower, rank_upper, of, assumed_denominator) whose
    name is the period. None where the area has no figure or no assumption.
    """
    rows = values.of(indicator, group)
    rows = rows[rows["value"].notna()]
    own = rows[rows["area_code"] == area_code]
    if own.empty or area_code not in assumed:
        return None
    period = own.loc[own["year"].idxmax(), "period"]
    now = rows[(rows["period"] == period) & (rows["area_level"] == "local_authority")]
    now = now[now["area_code"].isin(assumed.index)].reset_index(drop=True)
    ours = now["area_code"] == area_code
    found = rank_interval_if(
        now["value"],
        now["area_code"].map(assumed),
        direction=catalogue()[indicator].direction,
        level=level,
        wanted=ours,
    )
    return found[ours].iloc[0].rename(period)
