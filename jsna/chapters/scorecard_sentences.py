"""Sentences that a board hears: what a page says, which measures stand out, and whether a promise is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from jsna.chapters.scorecard_words import (
    VERDICTS,
    measured,
    name_of,
    no_verdict,
    promise_kept,
    promised_words,
    rank_words,
    sets_in_words,
    verdict_word,
    what_it_is,
)
from jsna.evidence.cards.confidence import graded
from jsna.evidence.catalogue import Frame, Indicator, Target, catalogue
from jsna.evidence.comparators import NO_VERDICT, Comparator
from jsna.evidence.scorecard import settings
from jsna.exhibits.text import listing
from jsna.measures.trend import FALLING, NOISE, RISING

MOST = 6  # names in one sentence


def page_sentence(area: str, page: str, rows: pd.DataFrame) -> str:
    """How many measures have a figure, and how they stand beside England."""
    verdicts = rows["england_verdict"]
    neutral = rows["indicator"].map(lambda name: catalogue()[name].direction == "neutral")
    said = [
        _counts(verdicts[~neutral], {"better": "better than England on", "worse": "worse on", "similar": "similar on"}),
        _counts(verdicts[neutral], {"higher": "higher on", "lower": "lower on", "similar": "similar on"}),
    ]
    if not any(said):
        return f"The {page} has {len(rows)} measures with a figure for {area}; none can be set beside England."
    untold = int((verdicts.isna() | (verdicts == NO_VERDICT)).sum())
    where = f"; where neither way is better, {said[1]}" if said[1] else ""
    rest = (
        f"; {untold} {'has' if untold == 1 else 'have'} no verdict, for want of counts or of a figure to compare with"
    )
    beside = said[0] or "no verdict of better or worse"
    return (
        f"Of the {len(rows)} measures of the {page} with a figure, {area} is {beside}{where}{rest if untold else ''}."
    )


def _counts(verdicts: pd.Series, named: Mapping[str, str]) -> str:
    """``better than England on 3, worse on none and similar on 4``; empty where there is no verdict."""
    counts = {words: int((verdicts == verdict).sum()) for verdict, words in named.items()}
    return listing([f"{words} {count or 'none'}" for words, count in counts.items()]) if sum(counts.values()) else ""


def standing_out(rows: pd.DataFrame, verdict: str) -> list[str]:
    """The measures of a verdict beside England, with both figures; the first few, and how many more."""
    found = [row for row in rows.itertuples() if row.england_verdict == verdict]
    if not found:
        return []
    named = [
        f"{name_of(row)}: {measured(row.compared_value, catalogue()[row.indicator])} against "
        f"{measured(row.england_value, catalogue()[row.indicator])} ({row.compared_period})"
        for row in found[:MOST]
    ]
    more = f"; and {len(found) - MOST} more" if len(found) > MOST else ""
    return [f"{verdict.capitalize()} than England: {'; '.join(named)}{more}."]


def trend_sentence(rows: pd.DataFrame) -> str:
    """How many series are long enough to test, and which of them go one way."""
    tested = rows[rows["verdict"].isin([RISING, FALLING, NOISE])]
    moving = tested[tested["verdict"] != NOISE]
    short = len(rows) - len(tested)
    if tested.empty:
        return f"No measure has five comparable years: no trend is spoken of ({short} measures)."
    named = [f"{name_of(row)} ({row.verdict})" for row in moving.itertuples()]
    clear = (
        f"{len(moving)} rise or fall by more than chance: {listing(named)}" if named else "none rises or falls clearly"
    )
    return (
        f"Of {len(tested)} measures with five comparable years or more, {clear}; {len(tested) - len(moving)} show no "
        f"clear trend. {short} have too few years to tell."
    )


def set_sentences(rows: pd.DataFrame, sets: Sequence[Comparator]) -> list[str]:
    """For how many measures the verdict depends on which neighbours are chosen, and for which."""
    if len(sets) < 2:
        return []
    verdicts = rows[[f"set_{n}_verdict" for n in range(len(sets))]]
    judged = verdicts.notna().all(axis=1) & (verdicts != NO_VERDICT).all(axis=1)
    changes = judged & (verdicts.nunique(axis=1) > 1)
    named = [
        f"{name_of(row)} ({sets_in_words([(getattr(row, f'set_{n}_verdict'), s.dated) for n, s in enumerate(sets)])})"
        for row in rows[changes].itertuples()
    ]
    which = f": {'; '.join(named)}" if named else ""
    return [f"The verdict changes with the neighbour set for {len(named)} of {int(judged.sum())} measures{which}."]


def promise_sentence(
    row: Any, target: Target, indicator: Indicator, sets: Sequence[Comparator]
) -> tuple[str, list[str]]:
    """Whether a promise is kept, in a sentence, with the figures beside it."""
    kept = settings()["kept"][promise_kept(row, target)]
    kept = kept.format(what=what_it_is(target), promise=promised_words(target))
    counted = pd.notna(row.value) and pd.notna(row.numerator) and pd.notna(row.denominator)
    counts = f" ({int(row.numerator):,} of {int(row.denominator):,})" if counted else ""
    sentence = f"{indicator.name}: {measured(row.value, indicator) or row.symbol} in {row.period}{counts}. {kept}."
    detail = [comparator_sentence(row, sets)]
    if pd.notna(row.lower):
        detail.insert(
            0,
            f"Between {measured(row.lower, indicator)} and {measured(row.upper, indicator)} (95% confidence interval).",
        )
    if target.kind == "rank":
        place = rank_words(row)
        detail.append(
            "It has no place among authorities: its figure is not shown, or too few authorities have one."
            if pd.isna(row.rank)
            else f"Its place among authorities is between {place.replace(' to ', ' and ')} (1 is the best)."
            if pd.notna(row.rank_lower)
            else f"It stands in the {place} authorities; without published counts no interval can be put around the "
            "place, so it cannot be told whether it is among the best."
        )
    return sentence, detail


def promise_without_figure(target: Target, indicator: Indicator, awaited: str) -> str:
    """A promise that nothing at hand can judge."""
    asked = f"{what_it_is(target)} ({promised_words(target)})"
    return f"{indicator.name}: no figure at hand to judge the {asked}. {awaited}".strip()


def comparator_sentence(row: Any, sets: Sequence[Comparator]) -> str:
    """England and the medians of every set of neighbours, each named with its date, and the verdict."""
    indicator = catalogue()[row.indicator]
    beside = [(f"England {measured(row.england_value, indicator)} ({row.england_period})", row.england_value)]
    beside += [
        (
            f"median of the {s.name} {measured(getattr(row, f'set_{n}_value'), indicator)} ({row.compared_period})",
            getattr(row, f"set_{n}_value"),
        )
        for n, s in enumerate(sets)
    ]
    said = "; ".join(words for words, value in beside if pd.notna(value)) or "nothing to compare with"
    names = [("england", "England"), *((f"set_{n}", f"the {s.name}") for n, s in enumerate(sets))]
    verdicts = [(verdict_word(row, key), name) for key, name in names if getattr(row, f"{key}_verdict") in VERDICTS]
    judged = "; ".join(f"{verdict} beside {name}" for verdict, name in verdicts)
    return f"{said[:1].upper()}{said[1:]}. Verdict: {judged or f'none ({no_verdict(row, names[0][0])})'}."


def confidence(row: Any) -> dict[str, Any]:
    """How sure: complete counts with a small interval, or which weaknesses there are."""
    wide = row.way != "published" and pd.notna(row.lower) and row.upper - row.lower > 20
    weak = {
        "published": row.way == "published",
        "wide": wide,
        "few_years": row.points < settings()["thresholds"]["trend_points"],
        "provisional": bool(row.provisional),
    }
    return graded(*(name for name, true in weak.items() if true))


def frame_sentence(frame: Frame, what: str) -> str:
    """Which document promises, duties or priorities come from."""
    return settings()["frame"].format(what=what, name=frame.name, source=frame.source.rstrip("."))
