"""Sentences on outcomes: what a figure says, how far apart groups are, and what cannot be told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pandas as pd

from jsna.evidence.catalogue import Indicator, catalogue
from jsna.evidence.gaps_between import against, change_by_chance
from jsna.evidence.outcomes import Change, last_change
from jsna.evidence.trends import Trend
from jsna.exhibits.comparing import change_text
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import listing
from jsna.files.packaged import packaged_yaml
from jsna.measures.trend import FEWEST_POINTS

FEW = 5  # published numbers under this stand in tables as published; no sentence singles them out
WITH_SEN = ("sen_support", "ehc_plan")
POINTS = {
    "%": "percentage points",
    "per 100 pupils": "events for every 100 pupils",
    "per 10,000 pupils": "events for every 10,000 pupils",
}
VERDICTS = {
    "wider": "wider than England’s",
    "narrower": "narrower than England’s, as a gap also is where pupils with no identified SEN have less favourable "
    "figures",
    "no clear difference": "no clear difference from England’s",
}


@cache
def texts() -> dict[str, Any]:
    """The words of the chapter."""
    return packaged_yaml("jsna.chapters", "outcomes.yml")


def footnotes(rows: pd.DataFrame, known: Indicator) -> tuple[str, ...]:
    """What has to be known of figures: of official ones what the catalogue says, of own ones how they were counted."""
    if (rows["origin"] == "official").any():
        return known.footnotes
    return tuple(n for n in dict.fromkeys(rows["note"]) if n)


def group_name(group: str) -> str:
    """A group's name, as charts and tables have it."""
    return texts()["groups"][group]["name"]


def points(value: float) -> str:
    """A gap or a change, in points."""
    return format_number(value, "points")


def gap_unit(known: Indicator) -> str:
    """What a gap is counted in."""
    return "points of the score" if known.kind == "mean" else POINTS.get(known.unit, known.unit)


def newest(rows: pd.DataFrame, place: str) -> str:
    """The newest period in which a place has a figure of pupils with SEN."""
    own = rows[(rows["place"] == place) & rows["group"].isin(WITH_SEN) & rows["value"].notna()]
    return str(own.loc[own["year"].idxmax(), "period"])


def number(rows: pd.DataFrame, known: Indicator):
    """How figures of these rows are written: whole where the publisher rounds all of them so, else to one place."""
    published = rows.loc[(rows["way"] == "published") & rows["value"].notna(), "value"]
    whole = len(published) > 0 and bool((published % 1 == 0).all())
    unit = "%" if known.unit == "%" else ""

    def written(row: Any) -> str:
        if row.way == "counts" and row.numerator < FEW:
            return f"fewer than {FEW} of {int(row.denominator):,}"
        return f"{format_number(row.value, 'count' if whole and row.way == 'published' else 'percent')}{unit}"

    return written


def headline(rows: pd.DataFrame, indicator: str, area_name: str) -> str:
    """The newest figures of pupils with SEN in the area and in England, in one sentence."""
    said, written = texts()["by_status"][indicator], number(rows, catalogue()[indicator])
    period = newest(rows, area_name)
    now = rows[(rows["period"] == period) & rows["group"].isin(WITH_SEN) & rows["value"].notna()]
    here, england = ({r.group: written(r) for r in now[now["place"] == p].itertuples()} for p in (area_name, "England"))
    clauses = [_clause(said, g, here[g], n == 0) for n, g in enumerate(g for g in WITH_SEN if g in here)]
    sentence = said["sentence"].format(period=period, area=area_name, figures=" and ".join(clauses))
    beside = f"; in England {' and '.join(england[g] for g in here)}" if here.keys() <= england.keys() else ""
    return of_how_many(f"{sentence}{beside}.")


def of_how_many(sentence: str) -> str:
    """A sentence in which a small number and those it is out of read as one.

    >>> of_how_many("Fewer than 5 of 247 of the EHC plans ended.")
    'Fewer than 5 of the 247 EHC plans ended.'
    """
    return re.sub(r"(ewer than \d+ of) ([\d,]+) of (?:the |those )?", r"\1 the \2 ", sentence)


def _clause(said: dict[str, Any], group: str, figure: str, first: bool) -> str:
    words = texts()["groups"][group]
    who = f"{said['noun'] if first else 'those'} {words['of']}"
    return said["clause"].format(figure=figure, who=who, state=words["state"])


def gap_now(gaps: pd.DataFrame, rows: pd.DataFrame, indicator: str, area_name: str) -> str:
    """The newest gap of the area beside England's and the neighbours'; where none can be made, why."""
    noun, known, period = texts()["by_status"][indicator]["noun"], catalogue()[indicator], newest(rows, area_name)
    now = gaps[gaps["period"] == period]
    if now[now["place"] == area_name].empty:
        return f"For {period} these files hold no figure of {noun} with no identified SEN: no gap can be shown."
    written, unit = number(rows, known), gap_unit(known)
    base = rows[(rows["group"] == "no_sen") & (rows["period"] == period) & rows["value"].notna()]
    shown = {r.place: written(r) for r in base[base["place"].isin([area_name, "England"])].itertuples()}
    england = f" (England {shown['England']})" if "England" in shown else ""
    there = set(now.loc[now["place"] == area_name, "group"])
    parts = [_gap_of(now[now["group"] == g], area_name) for g in WITH_SEN if g in there]
    below = now.loc[now["place"] == area_name, "gap"] < 0
    reading = " Below 0 the group has the more favourable figure." if below.any() else ""
    return (
        f"{noun.capitalize()} with no identified SEN: {shown[area_name]}{england}. The gap from them in {period}, in "
        f"{unit}: {'; '.join(parts)}.{reading}"
    )


def _gap_of(now: pd.DataFrame, area_name: str) -> str:
    own = now[now["place"] == area_name].iloc[0]
    others = now[(now["place"] == "England") | (now["areas"] > 1)]
    beside = "; ".join(_beside(r.place, points(r.gap)) for r in others.itertuples())
    return f"{group_name(own['group'])} {points(own['gap'])}{f' ({beside})' if beside else ''}"


def _beside(place: str, number: str) -> str:
    return f"England {number}" if place == "England" else f"{place[:1].lower()}{place[1:]}: {number}"


def gap_counted(gaps: pd.DataFrame, rows: pd.DataFrame, area_name: str) -> tuple[str, ...]:
    """The newest gap with an interval for each group, beside England's; nothing where there is none."""
    own = gaps[(gaps["place"] == area_name) & gaps["lower"].notna()]
    return tuple(_counted(own[own["group"] == g].iloc[-1], gaps, rows) for g in WITH_SEN if g in set(own["group"]))


def _counted(own: pd.Series, gaps: pd.DataFrame, rows: pd.DataFrame) -> str:
    same = (gaps["group"] == own["group"]) & (gaps["period"] == own["period"])
    england = gaps[same & (gaps["place"] == "England")]
    at = (rows["place"] == own["place"]) & (rows["group"] == own["group"]) & (rows["period"] == own["period"])
    counts = rows[at].iloc[0]
    few = counts["numerator"] < FEW
    shown = f"fewer than {FEW}" if few else f"{int(counts['numerator']):,}"
    estimate = "" if few else f"of {points(own['gap'])}, "
    verdict = VERDICTS.get(against(own, england.iloc[0])) if len(england) else None
    beside = f"; England {points(england['gap'].iloc[0])}: {verdict}" if verdict else ""
    return (
        f"{group_name(own['group'])}, {own['period']}, the newest year with counts: {shown} of "
        f"{int(counts['denominator']):,}; a gap {estimate}between {points(own['lower'])} and {points(own['upper'])} "
        f"percentage points (95% confidence interval){beside}."
    )


def since_break(found: Iterable[tuple[str, Trend | None]], known: Indicator) -> tuple[str, ...]:
    """What each group's series does since its last break, in one sentence; groups without a series are left out."""
    said: dict[str, list[str]] = {}
    for group, trend in found:
        if trend is not None:
            said.setdefault(_trend(trend, known), []).append(group_name(group))
    parts = [f"{listing(groups)}: {words}" for words, groups in said.items()]
    return (f"Trend since the last break. {'; '.join(parts)}.",) if parts else ()


def _trend(trend: Trend, known: Indicator) -> str:
    result, count = trend.result, int(trend.result["points"])
    if trend.verdict == "too few points":
        return f"too few years to say ({count}; {FEWEST_POINTS} are needed)"
    if trend.verdict == "not tested":
        return f"not tested ({result['status']})"
    used = trend.points.loc[trend.points["used"], "period"]
    years = f"{used.iloc[0]} to {used.iloc[-1]}, {count} years, {result['test']}"
    if trend.verdict in ("rising", "falling"):
        return f"{trend.verdict}, {change_text(result['slope'], known.unit)} a year ({years})"
    return f"no clear trend ({years})"


def changes(rows: pd.DataFrame, indicator: str, area_name: str, confidence: float) -> tuple[str, ...]:
    """How the figures moved last, and whether that can be told from chance."""
    own = rows[(rows["place"] == area_name) & rows["value"].notna()]
    written = number(rows, catalogue()[indicator])
    groups = {g: own[own["group"] == g] for g in WITH_SEN}
    found = {g: last_change(of, indicator, confidence) for g, of in groups.items()}
    moved = {g: c for g, c in found.items() if c is not None}
    clauses = [_moved(groups[g], c, written) for g, c in moved.items()]
    untold = {g: c for g, c in moved.items() if c.comparable and not c.counted and c.points != 0}
    tested = [_tested(c) for c in moved.values() if c.comparable and c.counted]
    broken = [group_name(g) for g, c in moved.items() if not c.comparable]
    after = [f"{listing(broken)}: how it is measured changed between the two years."] if broken else []
    if untold:
        after.append(_untold({g: groups[g] for g in untold}, untold, indicator))
    return tuple([" ".join([f"{'; '.join(clauses)}.", *tested, *after])] if clauses else [])


def _moved(own: pd.DataFrame, change: Change, written: Any) -> str:
    two = [written(r) for r in own.iloc[-2:].itertuples()]
    return f"{group_name(change.group)}: {two[0]} in {change.first_period}, {two[1]} in {change.last_period}"


def _tested(change: Change) -> str:
    clear = change.lower > 0 or change.upper < 0
    return (
        f"{group_name(change.group)}: a change between {points(change.lower)} and {points(change.upper)} percentage "
        f"points (95% confidence interval), {'more than chance alone' if clear else 'no clear change'}."
    )


def _untold(own: dict[str, pd.DataFrame], untold: dict[str, Change], indicator: str) -> str:
    """That a change is not tested and, where an earlier year has counts, how far such a figure moves by chance."""
    said = "Published without counts: whether a change is more than chance cannot be told."
    known = catalogue()[indicator]
    parts = []
    for group, rows in own.items():
        since = rows.loc[rows["break_before"].astype(bool), "year"].max()
        counted = rows[rows["denominator"].notna() & ~(rows["year"] < since)]
        if known.kind != "proportion" or known.interval != "wilson" or counted.empty:
            continue
        last, change = counted.iloc[-1], untold[group]
        scale = change_by_chance(change.first, change.last, float(last["denominator"]))
        if scale == scale:
            of = texts()["groups"][group]["of"]
            parts.append(f"{points(scale)} points for those {of} ({int(last['denominator']):,} in {last['period']})")
    if not parts:
        return said
    noun = texts()["by_status"][indicator]["noun"]
    return (
        f"{said} For scale, assuming as many {noun} each year as in the newest year with counts: by chance alone such "
        f"a figure moves from one year to the next by less than about {listing(parts)}, 95 times in 100."
    )
