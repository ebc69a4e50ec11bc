"""What does a board need to see each quarter, and how does it stand beside the country? Rows of figures, not words.

Each function takes the values of many areas and answers for one of them, whole columns at a time, so that a run over
all authorities reads the files once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import Catalogue, Frame, FrameList, Indicator, catalogue
from jsna.evidence.comparators import ENGLAND, Comparator
from jsna.evidence.standing import standings
from jsna.evidence.values.periods import year_of
from jsna.files.packaged import packaged_yaml
from jsna.measures import trend_test

Place = Literal["scorecard", "dashboard", "figures"]
KEYS = ["indicator", "group"]
POOL = [*KEYS, "area_code", "area_level", "period", "year", "value", "numerator", "denominator", "way"]
TESTED_AS = {"proportion": "proportion", "event_rate": "rate", "count": "count"}
SCALED = ["change", "change_lower", "change_upper"]
MOVES = ["verdict", "test", "points", "before_break", *SCALED, "change_verdict"]
REPEATS = "no test: events can repeat"
HIDDEN = "no change: the figure is not shown"


@cache
def settings() -> MappingProxyType[str, Any]:
    """Thresholds, order and words of the Scorecard and the Dashboard."""
    return MappingProxyType(packaged_yaml("jsna.evidence", "scorecard.yml"))


def headline_list(frame: Frame) -> FrameList:
    """The list whose items head the Scorecard: the priorities, or the first list of a frame that has none."""
    return next((entry for entry in frame.lists if entry.key == "priorities"), frame.lists[0])


def selection(place: Place, frame: Frame, known: Catalogue | None = None) -> pd.DataFrame:
    """Which measures stand on a page, in order: section, indicator, group, beneath, frames (codes, in one text).

    On the Scorecard each measure stands once, under the first priority that names it; measures that could be gamed
    stand together, with those that guard them directly beneath. On the Dashboard sections are the catalogue's own
    headings. Among all ``figures`` each indicator stands once, under the first priority that names it.
    """
    known = known or catalogue()
    orders = {"scorecard": _scorecard_order, "dashboard": lambda _, k: _dashboard_order(k), "figures": _every_order}
    placed = orders[place](frame, known)
    codes = frame.of_indicator
    rows = [
        (section, name, group, under, " ".join(codes.get(name, [])))
        for section, name, under in placed
        for group in shown_groups(known[name])
    ]
    return pd.DataFrame(rows, columns=["section", "indicator", "group", "beneath", "frames"])


def shown_groups(indicator: Indicator) -> tuple[str, ...]:
    """The groups of an indicator for which a page has room."""
    return tuple(settings()["groups"].get(indicator.id, indicator.shown))


def _scorecard_order(frame: Frame, known: Catalogue) -> list[tuple[str, str, bool]]:
    wanted = [i.id for i in known.indicators.values() if i.scorecard]
    codes = frame.of_indicator
    placed: dict[str, tuple[str, str, bool]] = {}
    sections = [(item.code, f"{item.code} {item.name}") for item in headline_list(frame).items]
    for code, title in [*sections, ("", settings()["words"]["elsewhere"])]:
        for name in wanted:
            if name in placed or (code and code not in codes.get(name, [])):
                continue
            measures, guards = _family(name, known)
            placed |= {n: (title, n, False) for n in measures if n not in placed}
            placed |= {n: (title, n, True) for n in guards if n not in placed}
    return list(placed.values())


def _every_order(frame: Frame, known: Catalogue) -> list[tuple[str, str, bool]]:
    codes, titles = frame.of_indicator, {i.code: f"{i.code} {i.name}" for i in headline_list(frame).items}
    elsewhere = settings()["words"]["elsewhere"]
    first = {n: next((titles[c] for c in codes.get(n, []) if c in titles), elsewhere) for n in known.indicators}
    return [(title, n, False) for title in [*titles.values(), elsewhere] for n in first if first[n] == title]


def _family(name: str, known: Catalogue) -> tuple[list[str], list[str]]:
    """The measures that stand together with one, and those that guard them, which have to be balancing measures."""
    for family in settings()["guarded"]:
        if name in (*family["measures"], *family["guards"]):
            there = [n for n in family["measures"] if n in known.indicators]
            return there, [n for n in family["guards"] if n in known.indicators]
    return [name], []


def unguarded(indicators: Sequence[str]) -> list[str]:
    """Of the measures on a page, those that could be gamed and have none of their guards beside them."""
    there = set(indicators)
    return [
        name
        for family in settings()["guarded"]
        for name in family["measures"]
        if name in there and not there & set(family["guards"])
    ]


def _dashboard_order(known: Catalogue) -> list[tuple[str, str, bool]]:
    wanted = [i for i in known.indicators.values() if i.dashboard and "official" in i.available]
    first = settings()["dashboard"]
    headings = [*first, *sorted({i.dashboard for i in wanted} - set(first))]
    return [(i.dashboard, i.id, False) for h in headings for i in wanted if i.dashboard == h]


def latest_figures(rows: pd.DataFrame, chosen: pd.DataFrame, known: Catalogue | None = None) -> pd.DataFrame:
    """The latest figure of each measure of one area, how it moved, and the history behind it.

    ``rows``: those of ``Values.frame`` of the area; ``chosen``: what ``selection`` gives. One row a chosen measure, in
    its order, with missing values where the area has none: the columns of ``rows``; ``verdict``, ``test``, ``points``,
    ``before_break``, ``change``, ``change_lower``, ``change_upper`` and ``change_verdict`` of ``measures.trend_test``,
    in the unit of the measure; and ``history``, a list of period, value and break, oldest first.

    Of a latest figure that is not shown nothing is said of a change: ``change_verdict`` is ``HIDDEN``.
    """
    known = known or catalogue()
    own = _own_series(rows, chosen)
    last = own.drop_duplicates("at", keep="last").set_index("at")
    kept = own.groupby("at").tail(settings()["thresholds"]["history_points"])
    tuples = pd.Series(list(zip(kept["period"], kept["value"], kept["break_before"], strict=True)), index=kept.index)
    found = (
        last.drop(columns=KEYS).join(_moves(own, known)).join(tuples.groupby(kept["at"]).agg(list).rename("history"))
    )
    hidden = found["value"].isna()
    found[SCALED] = found[SCALED].mask(hidden)
    found["change_verdict"] = found["change_verdict"].mask(hidden, HIDDEN)
    return chosen.reset_index(drop=True).join(found)


def _own_series(rows: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """The rows of the chosen measures, oldest first; ``at`` is the place of the measure.

    Of two origins of one measure the one with the newer figure stands, of equals the authority's own: never a series of
    both, in which a change of source would pass for a change. A period for which nothing is available is no figure; one
    that is hidden is.
    """
    own = chosen[KEYS].reset_index(drop=True).reset_index(names="at").merge(rows, on=KEYS, how="inner")
    own = own[own["value"].notna() | own["symbol"].isin(["c", "u", "low"])]
    own = own.sort_values(["at", "year", "origin"], key=_official_first, kind="stable")
    newest = own.groupby("at")["origin"].transform("last")
    own = own[own["origin"] == newest].sort_values(["at", "year", "period"], kind="stable")
    return own.drop_duplicates(["at", "year"], keep="last").reset_index(drop=True)


def _official_first(column: pd.Series) -> pd.Series:
    return column.eq("local") if column.name == "origin" else column


def _moves(own: pd.DataFrame, known: Catalogue) -> pd.DataFrame:
    """What ``trend_test`` says of each series, by ``at``: from counts where every figure since the break has them."""
    indicators = own["indicator"].map(known.indicators)
    kind = indicators.map(lambda i: TESTED_AS.get(i.kind, "published"))
    since = own["break_before"].groupby(own["at"]).cumsum()
    current = (since == since.groupby(own["at"]).transform("max")) & own["value"].notna()
    lacks = current & (own["numerator"].isna() | own["denominator"].isna()) & (kind != "count")
    kind = kind.mask(lacks.groupby(own["at"]).transform("any"), "published")
    parts = [_tested(rows, str(how)) for how, rows in own.groupby(kind, sort=True)]
    moves = pd.concat(parts) if parts else pd.DataFrame(columns=MOVES)
    per = indicators.map(lambda i: i.per).groupby(own["at"]).first()
    counted = kind.groupby(own["at"]).first().isin(["proportion", "rate"])
    moves[SCALED] = moves[SCALED].astype("float64").mul(per.where(counted, 1), axis="index")
    repeats = indicators.map(lambda i: i.interval == "overdispersed").groupby(own["at"]).first()
    moves["change_verdict"] = moves["change_verdict"].mask(repeats & moves["change"].notna(), REPEATS)
    return moves[MOVES]


def _tested(rows: pd.DataFrame, how: str) -> pd.DataFrame:
    given = {"break_before": rows["break_before"], "by": rows["at"]}
    if how == "published":
        return trend_test(rows["year"], rows["value"], **given)
    if how == "count":
        return trend_test(rows["year"], numerator=rows["value"], kind="count", **given)
    both = {"numerator": rows["numerator"], "denominator": rows["denominator"]}
    return trend_test(rows["year"], **both, kind="rate" if how == "rate" else "proportion", **given)


def pool_of(values: pd.DataFrame) -> pd.DataFrame:
    """The figures that an area's are set beside: the official ones, or England's that the workbench carries.

    ``values``: ``Values.frame``. Once for all areas; ``key`` says measure and period in one.
    """
    official = values[(values["origin"] == "official") & values["value"].notna()]
    pool = (official if len(official) else carried_over())[POOL]
    return pool.assign(key=_key(pool))


def _key(rows: pd.DataFrame) -> pd.Series:
    return rows["indicator"] + "|" + rows["group"] + "|" + rows["period"]


def standing(
    rows: pd.DataFrame,
    pool: pd.DataFrame,
    shown: pd.DataFrame,
    sets: Sequence[Comparator],
    *,
    ranks: pd.Series,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How an area stands on each measure of a page: the columns of ``standings``, same index as ``shown``.

    ``rows``: those of ``Values.frame`` of the area; ``pool``: what ``pool_of`` gives. A measure is compared in the
    latest period that England has as well: ``compared_period``, with the area's ``compared_value``. Where the two have
    none in common, ``england_value`` is England's latest, of ``england_period``, and there is no verdict. Where the
    area's latest figure is not shown, the others' of that period stand there, with no verdict. ``ranks``: for which
    measures an interval of ranks is wanted; among too few areas there is no rank.
    """
    england = pool[(pool["area_level"] == "england") & pool["indicator"].isin(shown["indicator"])]
    series = _own_series(rows, shown)
    last = series.drop_duplicates("at", keep="last")
    hidden = last.loc[last["value"].isna(), "at"]
    series = series[series["value"].notna() != series["at"].isin(hidden)]
    common = series.merge(england[[*KEYS, "period"]].drop_duplicates(), on=[*KEYS, "period"])
    own = pd.concat([series.assign(common=False), common.assign(common=~common["at"].isin(hidden))])
    own = own.sort_values(["at", "common", "year"]).drop_duplicates("at", keep="last").set_index("at")
    codes = own["area_code"].unique()
    near = pool[pool["key"].isin(_key(own))]
    near = pd.concat([near[~near["area_code"].isin(codes)], own.loc[own["value"].notna(), POOL]])
    made = standings(near, own, dict.fromkeys(codes, sets), ranks=ranks, confidence=confidence).reindex(shown.index)
    few = made["of"] < settings()["thresholds"]["rank_areas"]
    places = ["rank", "of", "rank_lower", "rank_upper"]
    made[places] = made[places].mask(few)
    made[["compared_period", "compared_value"]] = own[["period", "value"]].reindex(shown.index)
    last = shown[KEYS].merge(england.sort_values("year").drop_duplicates(KEYS, keep="last"), on=KEYS, how="left")
    last = last.set_axis(shown.index)
    made["england_period"] = made["compared_period"].where(made["england_value"].notna(), last["period"])
    made["england_value"] = made["england_value"].fillna(last["value"])
    return made


def carried_over() -> pd.DataFrame:
    """England's latest figures as they were when this version was made, for an area without official files.

    Columns of ``Values.frame``. Made from the official files; ``tests/data`` compares it with them.
    """
    with files("jsna.evidence").joinpath("england.csv").open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, dtype=dict.fromkeys(("indicator", "group", "period", "source"), "str"))
    return table.assign(
        year=table["period"].map(year_of),
        area_code=ENGLAND,
        area_name="England",
        area_level="england",
        lower=np.nan,
        upper=np.nan,
        symbol="",
        way=np.where(table["numerator"].notna(), "counts", "published"),
        provisional=False,
        break_before=False,
        file="england.csv",
        completeness=np.nan,
        note="",
        origin="official",
    )


def bring(indicator: Indicator, brings: Sequence[str]) -> str:
    """What would have to be brought for an indicator, in words, for an area that has ``brings``."""
    words = settings()["awaiting"]
    if (indicator.official or indicator.derived) and "official" not in brings:
        own = f", or {_kind_in_words(indicator.local[0].brings)}" if indicator.local else ""
        return f"{words['official']}{own}"
    if indicator.local:
        return _kind_in_words(indicator.local[0].brings)
    return indicator.needs.rstrip(".") or words["nothing"]


def readable(indicator: Indicator) -> bool:
    """Whether the workbench could work an indicator out, were its data brought."""
    return bool(indicator.official or indicator.derived or indicator.local)


def mend(indicator: Indicator, brings: Sequence[str]) -> str:
    """The same as a sentence of what to do."""
    return f"{'Bring' if readable(indicator) else 'Needed:'} {bring(indicator, brings)}."


@cache
def _kind_in_words(kind: str) -> str:
    from jsna.sources.extracts.specification import specs

    words = settings()["awaiting"]
    return words[kind] if kind in words else f"the extract “{specs()[kind].title}”"
