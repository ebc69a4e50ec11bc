"""Beside the survey: themes of comments, quotes, what was done, and whether words and figures agree."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters import voice_rows as rows_of
from jsna.chapters import voice_words as words
from jsna.chapters.base import gap
from jsna.disclosure import Released, publish_facts
from jsna.evidence.scorecard import carried_over
from jsna.evidence.voice import pairs as pair_rules
from jsna.evidence.voice.actions import NO_ANSWER, answered
from jsna.evidence.voice.quotes import refusals, showable_quotes
from jsna.evidence.voice.rules import LABELS, rule
from jsna.evidence.voice.themes import coders
from jsna.exhibits.charts import bars
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding

Made = Exhibit | Exhibits
MEND = "See docs/survey-kit.md for the list and docs/extracts.md for its columns."


def themes_charts(area: Area) -> Made:
    """What comments are about, a chart for each kind of respondent."""
    if area.voice.frame("survey_themes").empty:
        return gap("voice-themes", "No comments sorted by theme were brought.", MEND)
    table = rows_of.themes(area)
    newest = table.frame["wave"] == table.frame["wave"].max()
    charts = [
        bars(
            table.rows((table.frame["who"] == who) & newest),
            id=f"voice-themes-{who.replace('_', '-')}",
            title=f"What comments of {words.lowered(LABELS[who])} are about",
            group="name",
            value="comments",
            unit="comments",
        )
        for who in dict.fromkeys(table.frame["who"])
    ]
    return Exhibits(tuple(charts))


def themes_table(area: Area) -> Made:
    """Comments by theme, and how many say that it goes badly."""
    if area.voice.frame("survey_themes").empty:
        return gap("voice-themes-table", "No comments sorted by theme were brought.", MEND)
    return table_exhibit(
        rows_of.themes(area),
        id="voice-themes-table",
        title="Comments by theme: a number of comments is no measure of how many families think so",
        columns=[
            {"name": "period", "label": "Survey", "kind": "text"},
            {"name": "label", "label": "Who said it", "kind": "text"},
            {"name": "name", "label": "Theme", "kind": "text"},
            {"name": "comments", "label": "Comments", "kind": "count"},
            {"name": "badly", "label": "Of these, it goes badly", "kind": "count"},
        ],
        row_header="name",
        folded=True,
    )


def coders_finding(area: Area) -> Made:
    """Do two people who sort comments apart put them under the same themes?"""
    found = coders(area.voice.frame("survey_themes"), area.params.confidence)
    if found is None:
        reason = "Nobody sorted comments a second time, so how far the themes depend on who sorts them is not known."
        return gap("voice-coders", reason, "Let a second person sort fifty comments or more without seeing the first.")
    row = rows_of.coded(area).frame.iloc[-1]
    told = words.agreement(found, row["pairs"], row["agree"], "Two people sorted", "comments")
    return finding("voice-coders", told[0], detail=told[1:])


def quotes(area: Area) -> Made:
    """What people said, in their words: with consent on record, and nothing that tells who they are."""
    shown = showable_quotes(area.voice.lists)
    refused = refusals(area.voice.lists)
    if shown.empty:
        reason = "No quote may be shown: a quote needs consent on record, and somebody who checked it for names."
        return gap("voice-quotes", reason, MEND)
    table = publish_facts(
        shown.assign(label=shown["who"].map(LABELS), consent_date=shown["consent_date"].dt.strftime("%B %Y")),
        source=rows_of.source(area),
        synthetic=area.synthetic,
    )
    invented = ", invented by the workbench" if area.synthetic else ""
    notes = [f"{_times(row['rows'])} refused: {row['rule']}" for row in refused.to_dict("records")]
    made = table_exhibit(
        Released(table.frame, table.symbols, table.source, table.synthetic, tuple(notes)),
        id="voice-quotes",
        title=f"In their own words, shown with consent{invented}",
        columns=[
            {"name": "theme", "label": "Theme", "kind": "text"},
            {"name": "text", "label": "What was said", "kind": "words"},
            {"name": "label", "label": "Who said it", "kind": "text"},
            {"name": "consent_date", "label": "Consent given", "kind": "text"},
            {"name": "consent_wording", "label": "Wording of consent", "kind": "text"},
        ],
        row_header="theme",
    )
    return made


def _times(rows: int) -> str:
    return "1 quote was" if rows == 1 else f"{rows} quotes were"


def you_said(area: Area) -> Made:
    """You said, we did: what came of it, and what has no answer yet."""
    told = answered(area.voice.frame("survey_actions"))
    if told.empty:
        return gap("voice-actions", "What was done about what families said is not on record.", MEND)
    return table_exhibit(
        publish_facts(told, source=rows_of.source(area), synthetic=area.synthetic),
        id="voice-actions",
        title="You said, we did",
        columns=[
            {"name": "status", "label": "How it stands", "kind": "text"},
            {"name": "said", "label": "You said", "kind": "words"},
            {"name": "done", "label": "We did", "kind": "words"},
            {"name": "owner", "label": "Who answers for it", "kind": "text"},
            {"name": "date", "label": "By or on", "kind": "text"},
        ],
        row_header="said",
    )


def you_said_finding(area: Area) -> Made:
    """How much of what families said has an answer."""
    told = answered(area.voice.frame("survey_actions"))
    if told.empty:
        return gap("voice-actions-finding", "What was done about what families said is not on record.", MEND)
    waiting, done = int((told["status"] == NO_ANSWER).sum()), int((told["status"] == "Done").sum())
    sentence = f"Of {len(told)} things that were said, {done} are done and {waiting} have no answer yet."
    return finding("voice-actions-finding", sentence, detail=["Without an owner and a date, it is no answer yet."])


def pairs(area: Area) -> pd.DataFrame:
    """Families' answers of the newest wave beside the figures, with what can be said of each pair."""
    told = rows_of.answers(area, rows_of.weightings(area)).frame
    told = words.with_best(told[told["wave"] == area.voice.latest])
    values = area.values.frame
    own = values[values["area_code"] == area.code]
    england = values[values["area_code"] == pair_rules.ENGLAND]
    there = set(england["indicator"])
    carried = carried_over()
    return pair_rules.set_beside(told, own, pd.concat([carried[~carried["indicator"].isin(there)], england]))


def pairs_finding(area: Area) -> Made:
    """Do families' answers and the figures point the same way?"""
    if not area.voice.has_survey:
        reason = "Without answers of families there is nothing to set beside the figures."
        return gap("voice-pairs-finding", reason, MEND)
    rows = pairs(area)
    told = rows["verdict"].map(
        {pair_rules.SAME: "same", pair_rules.APART: "apart", pair_rules.UNCLEAR: "unclear", pair_rules.NO_PAIR: "none"}
    )
    n = {word: int((told == word).sum()) for word in ("same", "apart", "unclear", "none")}
    sentence = (
        f"{len(rows)} answers were set beside figures. Pointing the same way: {n['same']}; apart: {n['apart']}; not "
        f"both clearly one way: {n['unclear']}; cannot be set beside each other: {n['none']}."
    )
    half = words.pc(rule("half"))
    detail = [
        f"The rule: answers point one way where the whole interval lies above or below {half}; a figure where its "
        "whole interval lies on one side of England's latest. No score is made of the two.",
        "A pair that points the same way is no proof of either; one that points apart is a reason to ask.",
    ]
    return finding("voice-pairs-finding", sentence, detail=detail)


def pairs_table(area: Area) -> Made:
    """Every pair, both sides shown."""
    if not area.voice.has_survey:
        return gap("voice-pairs", "Without answers of families there is nothing to set beside the figures.", MEND)
    texts = rows_of._texts(area)
    rows = pairs(area)
    texts = texts[texts["wave"] == area.voice.latest][["who", "question", "text"]]
    rows = rows.merge(texts, on=["who", "question"], how="left").assign(label=rows["who"].map(LABELS))
    rows = rows.assign(text=rows["text"].fillna("Not asked"), period=rows["period"].fillna("No figure"))
    return table_exhibit(
        publish_facts(rows, source=f"{rows_of.source(area)}; the indicators of this pack", synthetic=area.synthetic),
        id="voice-pairs",
        title="What families say beside what the figures say",
        columns=[
            {"name": "label", "label": "Who answered", "kind": "text"},
            {"name": "text", "label": "Question", "kind": "words"},
            {"name": "voice_value", "label": "Yes (%)", "kind": "percent"},
            {"name": "figure_name", "label": "Figure", "kind": "words"},
            {"name": "value", "label": "Figure here", "kind": "percent"},
            {"name": "england", "label": "England", "kind": "percent"},
            {"name": "verdict", "label": "Together", "kind": "words"},
            {"name": "period", "label": "Figure of", "kind": "text"},
            {"name": "why", "label": "What to keep in mind", "kind": "words"},
        ],
        row_header="label",
    )
