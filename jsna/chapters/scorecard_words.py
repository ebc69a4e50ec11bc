"""Words of the Scorecard and the Dashboard: a row of figures as the cells that a board reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from jsna.evidence.catalogue import Indicator, Target, catalogue
from jsna.evidence.comparators import Comparator
from jsna.evidence.scorecard import settings
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import listing

VERDICTS = ("better", "worse", "similar", "higher", "lower")
CSV = {
    "indicator": "Indicator",
    "group": "Group",
    "frames": "Speaks to",
    "period": "Period",
    "value_plain": "Value",
    "lower_plain": "Lower limit",
    "upper_plain": "Upper limit",
    "numerator_plain": "Numerator",
    "denominator_plain": "Denominator",
    "promise": "Promise",
    "change_plain": "Change on the year before, figure",
    "england_value_plain": "England, value",
    "england_period": "England, period",
    "source": "Source",
}


FOR_THE_NEXT_CYCLE = {"origin": "Origin", "version": "Definition", "series": "History"}


def plain_words(row: Any, name: str) -> str:
    """A figure rounded as the page shows it, without unit or commas, as a file of data wants it; else its symbol."""
    value, counted = getattr(row, name), name in ("numerator", "denominator")
    if pd.isna(value):
        return (row.symbol if name in ("value", "numerator", "denominator") else "") or "x"
    counted |= catalogue()[row.indicator].kind == "count"
    return format_number(value, "count" if counted else "percent").replace(",", "")


def measured(value: float, indicator: Indicator) -> str:
    """A figure with its unit, as short as a cell wants it; empty when missing.

    >>> from jsna.evidence.catalogue import catalogue
    >>> measured(27.114, catalogue()["EHC-05"])
    '27.1%'
    """
    if pd.isna(value):
        return ""
    number = format_number(value, "count" if indicator.kind == "count" else "percent")
    return f"{number}%" if indicator.unit == "%" else number


def changed(value: float, indicator: Indicator) -> str:
    """A change with its sign and, of a percentage, in points.

    >>> from jsna.evidence.catalogue import catalogue
    >>> changed(-4.95, catalogue()["EHC-05"])
    '−5.0 points'
    """
    number = format_number(value, "count" if indicator.kind == "count" else "points")
    signed = f"+{number}" if value > 0 else number
    return f"{signed} points" if indicator.unit == "%" else signed


def name_of(row: Any) -> str:
    """What is measured, of whom, and in which unit where the figure does not carry it."""
    indicator = catalogue()[row.indicator]
    whom = settings()["group_names"].get(row.group, row.group.replace("_", " "))
    unit = "" if indicator.unit == "%" or indicator.kind == "count" else indicator.unit
    unit = "" if unit.split(" ", 2)[-1] in indicator.name else unit
    return ", ".join(part for part in (indicator.name, whom, unit) if part)


def latest_words(row: Any, revised: bool, own: bool) -> str:
    """``27.1% (2024)`` with the marks that belong to it; a symbol in place of a figure that is not shown."""
    marks = {"b": row.break_before, "p": row.provisional, "r": revised, "o": own}
    figure = measured(row.value, catalogue()[row.indicator]) or row.symbol or "x"
    return " ".join([f"{figure} ({short(row.period)})", *(mark for mark, there in marks.items() if there)])


def measure_words(row: Any, numbers: Mapping[str, str], target: Target | None) -> str:
    """What is measured, the number of its source, and what was promised of it."""
    promise = promise_words(row, target)
    said = f" ({what_it_is(target)} {promise})" if target and promise else ""
    return f"{name_of(row)}{said} [{numbers[publication(row.source)]}]"


def short(period: str) -> str:
    """A period as a cell has room for it.

    >>> short("January 2025")
    'Jan 2025'
    """
    return period.replace("January", "Jan")


def interval_words(row: Any) -> str:
    """The limits without their unit, or that there are none."""
    if pd.isna(row.lower):
        return "none"
    return f"{format_number(row.lower, 'percent')} to {format_number(row.upper, 'percent')}"


def change_words(row: Any) -> str:
    """How far the figure moved since the year before, and whether chance alone could have moved it so far."""
    if pd.isna(row.change_verdict):
        return ""
    change = "" if pd.isna(row.change) else changed(row.change, catalogue()[row.indicator])
    return settings()["changes"][row.change_verdict].format(change=change)


def trend_words(row: Any) -> str:
    """Whether the figures since the last break go one way."""
    return "" if pd.isna(row.verdict) else settings()["trends"][row.verdict].format(points=int(row.points))


def direction_words(row: Any) -> str:
    """As ``trend_words``, without the number of years."""
    return trend_words(row).split(" (")[0]


def history_words(row: Any) -> str:
    """The small picture in words: every figure with its period, and where the series breaks."""
    indicator = catalogue()[row.indicator]
    figures = [
        f"{'after a break, ' if cut and at else ''}{period} {measured(value, indicator) or 'none'}"
        for at, (period, value, cut) in enumerate(row.history)
    ]
    return "; ".join(figures)


def series_words(row: Any) -> str:
    """Every figure of the series with its period, for a program: ``2023=32.1; 2024=27.1``; a break is a bar."""
    return "; ".join(
        f"{'| ' if b else ''}{p}={'x' if pd.isna(v) else format_number(v, 'percent').replace(',', '')}"
        for p, v, b in row.history
    )


def what_it_is(target: Target) -> str:
    """``promise``, or ``legal duty`` where the law asks for it and no board has promised anything."""
    duty = settings()["duty"]
    return duty["what"] if target.words.startswith(duty["sign"]) else settings()["promise"]


def promises_called(targets: Sequence[Target]) -> str:
    """What the targets of a frame are, as the heading of a column."""
    return listing(list(dict.fromkeys(what_it_is(t) for t in targets))).capitalize() or "Promise"


def promised_words(target: Target) -> str:
    """What is promised or asked, as it stands within a sentence.

    >>> promised_words(Target(indicator="EHC-05", kind="all", words="The law: every plan in time"))
    'every plan in time'
    """
    return lower_first(target.words.removeprefix(settings()["duty"]["sign"]).rstrip("."))


def lower_first(text: str) -> str:
    """A sentence as it goes on after another word; a name in capitals stays.

    >>> lower_first("A survey"), lower_first("NHS England’s table"), lower_first("DfE’s file")
    ('a survey', 'NHS England’s table', 'DfE’s file')
    """
    first = text.split(" ")[0][1:]
    return text if any(letter.isupper() for letter in first) else text[:1].lower() + text[1:]


def promise_words(row: Any, target: Target | None) -> str:
    """What was promised of the measure, and whether the figure meets it."""
    if target is None:
        return ""
    promised = "100%" if target.kind == "all" else f"top {target.top}"
    return f"{promised}: {settings()['promises'][promise_kept(row, target)]}"


def promise_kept(row: Any, target: Target) -> str:
    """``met``, ``not_met``, ``unsure`` (cannot be told) or ``unknown``; a rank is judged by its interval.

    Among no more areas than the promise has places, any area is among the best: nothing can be told.
    """
    if pd.isna(row.value):
        return "unknown"
    if target.kind == "all":
        return "met" if row.value >= 100 else "not_met"
    if pd.isna(row.rank_lower) or row.of <= target.top:
        return "unsure"
    return "met" if row.rank_upper <= target.top else "not_met" if row.rank_lower > target.top else "unsure"


def rank_words(row: Any) -> str:
    """Where among all authorities, as an interval of ranks; without counts, the quarter alone."""
    if pd.notna(row.rank_lower):
        return f"{row.rank_lower:.0f} to {row.rank_upper:.0f} of {row.of:.0f}"
    if pd.isna(row.rank):
        return "x"
    quarters = settings()["quarters"]
    part = min(int(len(quarters) * (row.rank - 1) / row.of), len(quarters) - 1)
    return f"{quarters[part]} of {row.of:.0f}"


def england_words(row: Any) -> str:
    """England's figure; with its period where that is another than the area's."""
    indicator = catalogue()[row.indicator]
    if indicator.kind == "count" or not _compared(indicator, "england"):
        return "z"
    return _of_period(measured(row.england_value, indicator), row.england_period, row.period)


def region_words(row: Any) -> str:
    """The region's figure; with its period where that is another than the area's."""
    return _of_period(measured(row.region_value, catalogue()[row.indicator]), row.compared_period, row.period)


def median_words(row: Any, number: int) -> str:
    """The median of a set of neighbours; with its period where that is another than the area's."""
    figure = measured(getattr(row, f"set_{number}_value"), catalogue()[row.indicator])
    return _of_period(figure, row.compared_period, row.period)


def _of_period(figure: str, period: str, latest: str) -> str:
    if not figure:
        return "x"
    return figure if period == latest else f"{figure} ({short(period)}) y"


def median_of(neighbours: Comparator) -> str:
    """The heading of a column of medians, with the set's date."""
    if neighbours.kind == "own":
        return f"Median of {neighbours.name}"
    return f"Neighbours’ median ({neighbours.dated})"


def called(neighbours: Comparator) -> str:
    """What a set is called in the heading of a column."""
    return neighbours.key if neighbours.kind == "own" else "neighbours"


def verdict_word(row: Any, comparator: str) -> str:
    """How the figure stands beside ``england`` or ``set_0``, in a word that needs no colour, or why it is not told."""
    verdict = getattr(row, f"{comparator}_verdict")
    if verdict not in VERDICTS:
        return no_verdict(row, comparator)
    return verdict if row.compared_period == row.period else f"{verdict} ({short(row.compared_period)})"


def no_verdict(row: Any, comparator: str) -> str:
    """Why there is no verdict."""
    reasons = settings()["no_verdict"]
    indicator = catalogue()[row.indicator]
    if indicator.kind == "count":
        return reasons["count"]
    if not _compared(indicator, "england" if comparator == "england" else "neighbours"):
        return reasons["not_compared"]
    if pd.isna(row.value):
        return reasons["hidden"]
    if pd.isna(getattr(row, f"{comparator}_value")):
        return reasons["absent"]
    other = comparator == "england" and row.england_period != row.compared_period
    return reasons["other_year" if other else "published"]


def _compared(indicator: Indicator, comparator: str) -> bool:
    """Whether the catalogue lets a measure be set beside this."""
    return not indicator.comparators or comparator in indicator.comparators


def by_set(row: Any, sets: Sequence[Comparator]) -> str:
    """Whether each set of neighbours gives the same verdict."""
    verdicts = [(getattr(row, f"set_{n}_verdict"), s) for n, s in enumerate(sets)]
    said = [(verdict, _dated(s)) for verdict, s in verdicts if verdict in VERDICTS]
    if not said:
        return no_verdict(row, "set_0") if sets else "no set at hand"
    if len(said) == 1:
        return f"one set at hand: {said[0][0]}"
    if len({verdict for verdict, _ in said}) == 1:
        return f"no: {said[0][0]} by {'both' if len(said) == 2 else 'all'}"
    return f"yes: {sets_in_words(said)}"


def sets_in_words(said: Sequence[tuple[str, str]]) -> str:
    """Verdicts by set.

    >>> sets_in_words([("similar", "2025"), ("lower", "2021")])
    'similar by 2025, lower by 2021'
    """
    return ", ".join(f"{verdict} by {dated}" for verdict, dated in said)


def _dated(neighbours: Comparator) -> str:
    return neighbours.key if neighbours.kind == "own" else neighbours.dated[-4:]


def publication(source: str) -> str:
    """A source without the table or the measure in it.

    >>> publication("Local authority interactive tool (LAIT), ChildPov")
    'Local authority interactive tool (LAIT)'
    """
    parts = [re.sub(r"(?<=\(LAIT\)), .*$|: [\w ]+$", "", part) for part in source.split("; ")]
    return " and ".join(dict.fromkeys(parts))


def source_numbers(rows: pd.DataFrame) -> dict[str, str]:
    """A number for each publication that the figures come from, in order."""
    names = dict.fromkeys(publication(source) for source in rows["source"])
    return {name: str(number) for number, name in enumerate(names, start=1)}


def awaiting_html(awaited: pd.DataFrame) -> str:
    """The measures without a figure in one compact paragraph, by what has to be brought.

    What the workbench cannot read yet needs a sentence each: that is left to the register of gaps.
    """
    if awaited.empty:
        return ""
    told = settings()["words"]
    bring = awaited["bring"].where(awaited["own"], told["in_register"])
    parts = [
        f"<strong>{escape(what[:1].upper() + what[1:].rstrip('.'))}</strong>: {escape('; '.join(rows['name']))}."
        for what, rows in awaited.groupby(bring, sort=False)
    ]
    return f'<p class="awaiting">{escape(told["awaiting"])} {" ".join(parts)}</p>'
