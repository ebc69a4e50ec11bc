"""What do families, young people and practitioners say, who of them answered, and does it agree with the figures?"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters import voice_rows as rows_of
from jsna.chapters import voice_words as words
from jsna.chapters.base import frame_of_area, gap, summary_row, with_extras
from jsna.disclosure import Released, publish_facts
from jsna.evidence.voice import wave_name
from jsna.evidence.voice.rules import LABELS, read, rule
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, listing

KIT = "The questions, a consent line and how many to ask are in docs/survey-kit.md."
NO_SURVEY = "No survey of families was brought, and no official statistic holds one."
TEXT = [{"name": "label", "label": "Who answered", "kind": "text"}]
Made = Exhibit | Exhibits


def needs_survey(function: Callable[..., Made]) -> Callable[..., Made]:
    """Mark a function as needing answers to a survey; without them it says so."""

    @wraps(function)
    def guarded(area: Area, *args: Any, **kwargs: Any) -> Made:
        if not area.voice.has_survey:
            name = "-".join(["voice", function.__name__.replace("_", "-"), *(str(a).lower() for a in args)])
            return gap(name, _why_none(area), KIT)
        return function(area, *args, **kwargs)

    return guarded


def _why_none(area: Area) -> str:
    lists = area.voice.lists
    if "survey_responses" in lists and "survey_questions" not in lists:
        return "There are answers, and no list of the questions: which answers are a yes is not known."
    if "survey_responses" in lists:
        return "No answer could be used: none is on the scale of a question in the list."
    return NO_SURVEY


def _latest(area: Area, table: Released) -> Released:
    return table.rows(table.frame["wave"] == area.voice.latest)


def standing(area: Area) -> Exhibit:
    """Which criteria have no official statistic, and what is there instead."""
    codes = {i.code: i.name for entry in frame_of_area(area).lists for i in entry.items}
    lacking = sorted(c for criterion in read("criteria.yml") for c in criterion["codes"] if c in codes)
    named = f" ({listing(lacking)})" if lacking else ""
    sources = [summary_row(loaded.summary) for loaded in area.voice.lists.values()]
    if not area.voice.has_survey:
        reason = f"{_why_none(area)} What only families can tell{named} has no evidence here."
        return with_extras(gap("voice-standing", reason, KIT), sources=sources)
    shown = _latest(area, rows_of.response(area)).frame
    sentence = f"In {wave_name(area.voice.latest)}, {words.answered(shown)} answered."
    detail = [
        f"No official statistic tells what only families can tell{named}: these answers are the evidence.",
        *words.not_asked(shown),
        *words.silent_kinds(list(shown["who"])),
        words.CHANCE,
        words.APART,
    ]
    return with_extras(finding("voice-standing", sentence, detail=detail), sources=sources)


def unanswered(area: Area) -> Exhibit:
    """What only families can tell, and the question that would tell it."""
    codes = {i.code: i.name for entry in frame_of_area(area).lists for i in entry.items}
    asked = pd.DataFrame(read("questions.yml")["questions"])
    asked = asked[asked["who"] != "practitioners"].explode("for")
    asked = asked[asked["for"].isin(list(codes))] if asked["for"].isin(list(codes)).any() else asked
    rows = pd.DataFrame(
        {
            "code": asked["for"],
            "name": asked["for"].map(codes).fillna(""),
            "who": asked["who"].map(LABELS),
            "text": asked["text"],
        }
    ).sort_values(["code", "who"], kind="stable")
    return table_exhibit(
        publish_facts(rows, source="The survey kit of the workbench", synthetic=False),
        id="voice-questions",
        title="What only families can tell, and the question that asks it",
        columns=[
            {"name": "code", "label": "Code", "kind": "text"},
            {"name": "name", "label": "What was promised", "kind": "words"},
            {"name": "who", "label": "Whom to ask", "kind": "text"},
            {"name": "text", "label": "Question", "kind": "words"},
        ],
        row_header="code",
        folded=area.voice.has_survey,
    )


@needs_survey
def response_table(area: Area) -> Made:
    """How many were asked and answered, by kind of respondent and wave."""
    return table_exhibit(
        rows_of.response(area),
        id="voice-response",
        title="How many were asked, and how many answered",
        columns=[
            {"name": "period", "label": "Survey", "kind": "text"},
            *TEXT,
            {"name": "invited", "label": "Asked", "kind": "count"},
            {"name": "respondents", "label": "Answered", "kind": "count"},
            {"name": "rate", "label": "Response (%)", "kind": "percent"},
        ],
        row_header="label",
    )


@needs_survey
def reach_finding(area: Area) -> Made:
    """Which groups answered less or more often than their share of children with SEND?"""
    shown = rows_of.reach(area).frame
    if shown.empty:
        reason = "Who answered is not known: no list says of which group each respondent is."
        return gap("voice-reach-finding", reason, "Add survey_profile (docs/extracts.md).")
    parents = words.uneven(shown, "parents", rows_of.FEWER)
    detail = []
    for who in (w for w in LABELS if w in set(shown["who"])):
        fewer, more = (words.uneven(shown, who, w) for w in (rows_of.FEWER, rows_of.MORE))
        told = [f"less often than their share: {listing(fewer)}" if fewer else ""]
        told += [f"more often than their share: {listing(more)}" if more else ""]
        kept = [t for t in told if t]
        detail.append(
            f"{LABELS[who]} who answered {'; '.join(kept) if kept else 'did so evenly, as far as can be seen'}."
        )
    for (wave, who), weight in rows_of.weightings(area).items():
        detail += words.of_weights(weight, who) if wave == area.voice.latest else []
    sentence = (
        f"Families of some groups answered less often than their share of children with SEND: {listing(parents)}."
        if parents
        else "No group of parents clearly answered less often than its share of children with SEND."
    )
    return finding("voice-reach-finding", sentence, detail=[*detail, words.CHANCE])


@needs_survey
def reach_table(area: Area) -> Made:
    """Who answered by group, beside all children with SEND, a table for each kind of respondent."""
    table = rows_of.reach(area)
    if table.frame.empty:
        return gap("voice-reach", "Who answered is not known.", "Add survey_profile (docs/extracts.md).")
    made = [
        table_exhibit(
            table.rows(table.frame["who"] == who),
            id=f"voice-reach-{who.replace('_', '-')}",
            title=f"{LABELS[who]} who answered, beside all children with SEND (index 100: as their share)",
            columns=[
                {"name": "period", "label": "Survey", "kind": "text"},
                {"name": "characteristic_name", "label": "By", "kind": "text"},
                {"name": "group_name", "label": "Group", "kind": "words"},
                {"name": "respondents", "label": "Answered", "kind": "count"},
                {"name": "share", "label": "Share of answers (%)", "kind": "percent"},
                {"name": "population_share", "label": "Share of children with SEND (%)", "kind": "percent"},
                {"name": "words", "label": "In words", "kind": "text"},
                {"name": "index", "label": "Index", "kind": "count"},
                {"name": "index_lower", "label": "Index, lower limit", "kind": "count"},
                {"name": "index_upper", "label": "Index, upper limit", "kind": "count"},
            ],
            row_header="group_name",
        )
        for who in dict.fromkeys(table.frame["who"])
    ]
    return Exhibits(tuple(made))


@needs_survey
def answers_finding(area: Area) -> Made:
    """What families say, question by question, in sentences; with the rows that other chapters' cards take."""
    from jsna.chapters.voice_cards import voice_rows

    shown = _latest(area, rows_of.answers(area, rows_of.weightings(area))).frame
    told = shown[pd.to_numeric(shown["value"], errors="coerce").notna()]
    if told.empty:
        fewest = rule("fewest_shown")
        reason = f"Too few answered: no figure of fewer than {fewest} answers to a question is shown, nor made."
        made = gap("voice-answers-finding", reason, KIT)
        return with_extras(made, card=[])
    first = told[told["who"] == told["who"].iloc[0]]
    best = words.with_best(first)
    low, high = (first.loc[i] for i in (best["value"].idxmin(), best["value"].idxmax()))
    sentence = (
        f"Of what was asked, {words.lowered(low['label'])} said yes least often to “{low['text']}” "
        f"({words.pc(words.best(low)[0])}), and most often to “{high['text']}” ({words.pc(words.best(high)[0])})."
    )
    detail = [*(words.said(row) for _, row in told.iterrows()), words.YES, words.DONT_KNOW, words.CHANCE]
    made = finding("voice-answers-finding", sentence, detail=detail)
    return with_extras(made, voice=voice_rows(area))


@needs_survey
def answers_charts(area: Area) -> Made:
    """A dot with its interval for each question, a chart for each kind of respondent."""
    table = _latest(area, rows_of.answers(area, rows_of.weightings(area)))
    best = words.with_best(table.frame)
    table = Released(best, table.symbols, table.source, table.synthetic, table.notes)
    charts = []
    for who in dict.fromkeys(table.frame["who"]):
        own = table.rows(table.frame["who"] == who)
        weighted = pd.to_numeric(own.frame["weighted_value"], errors="coerce").notna().any()
        charts.append(
            dot_interval(
                own,
                id=f"voice-yes-{who.replace('_', '-')}",
                title=f"{LABELS[who]} who said yes, {wave_name(area.voice.latest)}"
                f"{' (weighted)' if weighted else ' (as the answers came)'}",
                group="short",
                value="value",
                lower="lower",
                upper="upper",
                unit="%",
                reference_line=float(rule("half")),
                reference_label="half",
            )
        )
    return Exhibits(tuple(charts))


@needs_survey
def answers_table(area: Area) -> Made:
    """Every question, wave and kind of respondent: numbers, shares as they came and weighted, and what weights cost."""
    return table_exhibit(
        rows_of.answers(area, rows_of.weightings(area)),
        id="voice-answers",
        title="Who said yes, as the answers came and weighted",
        columns=[
            {"name": "period", "label": "Survey", "kind": "text"},
            *TEXT,
            {"name": "text", "label": "Question", "kind": "words"},
            {"name": "positive", "label": "Said yes", "kind": "count"},
            {"name": "answered", "label": "Answered", "kind": "count"},
            {"name": "value", "label": "Yes (%)", "kind": "percent"},
            {"name": "lower", "label": "Lower limit", "kind": "percent"},
            {"name": "upper", "label": "Upper limit", "kind": "percent"},
            {"name": "weighted_value", "label": "Weighted (%)", "kind": "percent"},
            {"name": "weighted_lower", "label": "Weighted, lower limit", "kind": "percent"},
            {"name": "weighted_upper", "label": "Weighted, upper limit", "kind": "percent"},
            {"name": "effect", "label": "Design effect", "kind": "ratio"},
            {"name": "effective", "label": "Answers it is worth", "kind": "count"},
        ],
        row_header="label",
        folded=True,
    )


@needs_survey
def unsure_table(area: Area) -> Made:
    """How many did not know, by question."""
    return table_exhibit(
        rows_of.unsure(area),
        id="voice-unsure",
        title="Who answered “don't know”",
        columns=[
            {"name": "period", "label": "Survey", "kind": "text"},
            *TEXT,
            {"name": "text", "label": "Question", "kind": "words"},
            {"name": "unsure", "label": "Don't know", "kind": "count"},
        ],
        row_header="label",
        folded=True,
    )


@needs_survey
def changes(area: Area) -> Made:
    """What has changed since the survey before."""
    table = rows_of.answers(area, rows_of.weightings(area))
    rows = words.change(table, area.params.confidence)
    if rows.empty:
        reason = "No question was asked in the same words before, so no change can be told."
        return gap("voice-changes", reason, "Ask the same questions again, under the same numbers.")
    return table_exhibit(
        publish_facts(rows, source=rows_of.source(area), synthetic=area.synthetic),
        id="voice-changes",
        title="What has changed since the survey before (points, as the answers came)",
        columns=[
            *TEXT,
            {"name": "text", "label": "Question", "kind": "words"},
            {"name": "before", "label": "Before (%)", "kind": "percent"},
            {"name": "now", "label": "Now (%)", "kind": "percent"},
            {"name": "change", "label": "Change (points)", "kind": "points"},
            {"name": "lower", "label": "Lower limit", "kind": "points"},
            {"name": "upper", "label": "Upper limit", "kind": "points"},
            {"name": "words", "label": "In words", "kind": "text"},
        ],
        row_header="label",
    )


@needs_survey
def by_group(area: Area, question: str = "VOI-01") -> Made:
    """What parents of each group answered to one question."""
    table = rows_of.by_group(area, question)
    if table.frame.empty:
        return gap(f"voice-groups-{question.lower()}", "Of which group each respondent is, is not known.", KIT)
    text = rows_of._texts(area)
    asked = text.loc[(text["question"] == question) & (text["who"] == "parents"), "text"].iloc[-1]
    return table_exhibit(
        table,
        id=f"voice-groups-{question.lower()}",
        title=f"Parents who said yes, by group: “{asked}” (groups of fewer than ten left out)",
        columns=[
            {"name": "period", "label": "Survey", "kind": "text"},
            {"name": "characteristic_name", "label": "By", "kind": "text"},
            {"name": "group_name", "label": "Group", "kind": "text"},
            {"name": "positive", "label": "Said yes", "kind": "count"},
            {"name": "answered", "label": "Answered", "kind": "count"},
            {"name": "value", "label": "Yes (%)", "kind": "percent"},
            {"name": "lower", "label": "Lower limit", "kind": "percent"},
            {"name": "upper", "label": "Upper limit", "kind": "percent"},
        ],
        row_header="group_name",
    )
