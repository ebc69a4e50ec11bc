"""How good are the plans that were audited: a finding, the rounds, and the card on the quality of plans."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters import voice_rows as rows_of
from jsna.chapters import voice_words as words
from jsna.chapters.base import gap, summary_row, with_extras
from jsna.chapters.voice_card_parts import LACKS, NO_COMPARISON, card_of, codes_of
from jsna.evidence.voice import audits as audit_rules
from jsna.evidence.voice import confidence
from jsna.evidence.voice.rules import rule
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, listing

Made = Exhibit | Exhibits
NO_AUDITS = ("No audits of plans were brought: nothing is known of the quality of plans.", "See docs/plan-audit.md.")
NO_AGREEMENT = "How far two auditors agree is not known, or they agree little."
PLANS = {"codes": ["P3"], "question": "How good are the EHC plans that we write?", "indicator": "EHC-16"}


def audits_finding(area: Area) -> Made:
    """How good are the plans that were audited, and what does that say of the others?"""
    rounds = audit_rules.rounds(area.voice.frame("plan_audits"))
    if not rounds:
        return gap("voice-audits", *NO_AUDITS)
    newest, shown = rounds[-1], rows_of.audited(area).frame
    row = shown[shown["period"] == newest.name].iloc[0]
    sources = [summary_row(area.voice.lists["plan_audits"].summary)]
    if newest.refusal or pd.isna(row["good_percent"]):
        reason = newest.refusal or "The numbers are too small to be shown."
        return with_extras(gap("voice-audits", reason, "See docs/plan-audit.md."), sources=sources)
    limits = (
        f" (of all plans on the list, between {words.pc(row['good_lower'])} and {words.pc(row['good_upper'])})"
        if not pd.isna(row["good_lower"])
        else ""
    )
    sentence = (
        f"{words.pc(row['good_percent'])} of the plans audited in {newest.months} were good or outstanding{limits}."
    )
    view = (
        f"The child's own view was found in {words.pc(row['view_percent'])} of them."
        if not pd.isna(row["view_percent"])
        else ""
    )
    drawn = f"The plans were {audit_rules.METHODS[newest.method]}, of {row['frame_words']}."
    agree = words.agreement(newest.auditors, row["pairs"], row["agree"], "Two auditors graded", "plans")
    detail = [d for d in (newest.caution or drawn, view, *agree) if d]
    return with_extras(finding("voice-audits", sentence, detail=detail), sources=sources)


def audits_chart(area: Area) -> Made:
    """The share of audited plans that are good or outstanding, round by round."""
    if area.voice.frame("plan_audits").empty:
        return gap("voice-audits-chart", *NO_AUDITS)
    return dot_interval(
        rows_of.audited(area),
        id="voice-audits-chart",
        title="Audited plans that were good or outstanding, by round",
        group="months",
        value="good_percent",
        lower="good_lower",
        upper="good_upper",
        unit="%",
        order="given",
    )


def audits_table(area: Area) -> Made:
    """Each round of audits: how plans were drawn, grades, and the child's view."""
    if area.voice.frame("plan_audits").empty:
        return gap("voice-audits-table", *NO_AUDITS)
    return table_exhibit(
        rows_of.audited(area),
        id="voice-audits-table",
        title="Audits of plans, round by round",
        columns=[
            {"name": "period", "label": "Round", "kind": "text"},
            {"name": "method", "label": "How drawn", "kind": "words"},
            {"name": "frame_words", "label": "Plans on the list", "kind": "text"},
            {"name": "audited", "label": "Audited", "kind": "count"},
            {"name": "graded", "label": "Graded", "kind": "count"},
            {"name": "good", "label": "Good or outstanding", "kind": "count"},
            {"name": "good_percent", "label": "Good or outstanding (%)", "kind": "percent"},
            {"name": "good_lower", "label": "Lower limit", "kind": "percent"},
            {"name": "good_upper", "label": "Upper limit", "kind": "percent"},
            *({"name": f"grade_{code}", "label": label, "kind": "count"} for code, label in audit_rules.GRADES.items()),
            {"name": "view_looked_for", "label": "Child's view looked for", "kind": "count"},
            {"name": "child_view", "label": "Child's view in the plan", "kind": "count"},
            {"name": "view_percent", "label": "Child's view (%)", "kind": "percent"},
            {"name": "view_lower", "label": "Child's view, lower limit", "kind": "percent"},
            {"name": "view_upper", "label": "Child's view, upper limit", "kind": "percent"},
        ],
        row_header="period",
        folded=True,
    )


def plans_card(area: Area) -> Exhibit:
    """The card on the quality of plans, from the newest round of audits."""
    rounds = audit_rules.rounds(area.voice.frame("plan_audits"))
    id, codes = "voice-p3", codes_of(area, PLANS)
    named = f"{listing(codes)}: " if codes else ""
    shown = rows_of.audited(area).frame if rounds else pd.DataFrame()
    row = shown[shown["period"] == rounds[-1].name].iloc[0] if rounds else None
    if row is None or rounds[-1].refusal or pd.isna(row["good_percent"]):
        why = rounds[-1].refusal if rounds and rounds[-1].refusal else "no audits were brought, or too few to show."
        headline = f"How good the plans are is not known: {why[:1].lower()}{why[1:]}"
        card = card_of(
            area,
            PLANS,
            id,
            headline,
            period=rounds[-1].months if rounds else "",
            comparator="",
            size=None,
            confidence=confidence.Confidence("unknown", (why,)).as_card(),
            voice=None,
            gaps=["A round of audits with its sample frame (docs/plan-audit.md)."],
            details=[],
            incomplete=["size", "trend", "inequality", "comparison", "voice", *LACKS],
        )
        return with_extras(
            finding(id, f"{named}{headline}", detail=["The card is incomplete.", *card["gaps"]]), card=card
        )
    newest = rounds[-1]
    lower, upper = float(row["good_lower"]), float(row["good_upper"])
    limits = "" if pd.isna(lower) else f" (of all plans on the list, between {words.pc(lower)} and {words.pc(upper)})"
    headline = (
        f"{words.pc(row['good_percent'])} of the plans audited in {newest.months} were good or outstanding{limits}."
    )
    known = not pd.isna(newest.auditors.kappa) and not pd.isna(row["agree"])
    weak = "" if known and newest.auditors.lower > rule("fair_agreement") else NO_AGREEMENT
    sure = confidence.of_round(
        "",
        newest.random,
        lower if not pd.isna(lower) else 0.0,
        upper if not pd.isna(upper) else 100.0,
        weak,
        len(rounds),
    )
    before = shown[(shown["period"] != newest.name) & shown["good_percent"].notna()]
    trend = (
        f"{words.pc(before.iloc[-1]['good_percent'])} in {before.iloc[-1]['months']}."
        if len(before)
        else "There was no round before."
    )
    card = card_of(
        area,
        PLANS,
        id,
        headline,
        period=newest.months,
        comparator=f"The aim is that every audited plan is good or outstanding. Before: {trend}",
        size={
            "n": int(row["graded"]),
            "rate": round(float(row["good_percent"]), 1),
            "lower": None if pd.isna(lower) else round(lower, 1),
            "upper": None if pd.isna(upper) else round(upper, 1),
            "unit": "%",
        },
        trend=trend,
        comparison=NO_COMPARISON,
        confidence=sure.as_card(),
        voice=None,
        gaps=[newest.caution or "What families think of the quality of their own plan."],
        details=[f"The plans were {audit_rules.METHODS[newest.method]}, of {row['frame_words']}."],
        incomplete=["inequality", "voice", *LACKS],
    )
    detail = [
        f"Confidence: {sure.grade}. {' '.join(sure.reasons)}",
        card["comparator"],
        *card["details"],
        *card["gaps"],
    ]
    return with_extras(finding(id, f"{named}{headline}", detail=detail), card=card)
