"""Evidence cards for what only families can tell, and for the quality of plans: complete, or saying what they lack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from jsna.area import Area
from jsna.chapters import voice_rows as rows_of
from jsna.chapters import voice_words as words
from jsna.chapters.base import with_extras
from jsna.chapters.voice_around import pairs
from jsna.chapters.voice_audits import plans_card
from jsna.chapters.voice_card_parts import LACKS, NO_COMPARISON, card_of, codes_of
from jsna.evidence.catalogue import catalogue
from jsna.evidence.voice import confidence, wave_name
from jsna.evidence.voice.actions import NO_ANSWER, answered
from jsna.evidence.voice.pairs import agrees
from jsna.evidence.voice.quotes import quote_for, showable_quotes
from jsna.evidence.voice.rules import LABELS, read, rule
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.text import finding, heading, listing


def cards(area: Area) -> Exhibits:
    """A card for each criterion without an official statistic, and one for the quality of plans.

    A criterion without answers has a card all the same: it says that it is incomplete, and what is missing.
    """
    told = _told(area)
    made = [heading("voice-cards", "Evidence cards")]
    made += [_of_criterion(area, criterion, told) for criterion in read("criteria.yml")]
    return Exhibits((*made, plans_card(area)))


def voice_rows(area: Area) -> list[dict[str, Any]]:
    """What the cards of other chapters take by indicator: a row a question and kind of respondent, newest wave."""
    told = _told(area)
    quotes, rows = showable_quotes(area.voice.lists), []
    asked = {c["ask"]: c for c in read("criteria.yml")}
    other = [q for q in told["now"]["question"].unique() if q not in asked and q in catalogue().indicators]
    asked |= {str(q): {"ask": q, "indicator": q, "themes": [], "codes": []} for q in other}
    for criterion in asked.values():
        own = told["now"][told["now"]["question"] == criterion["ask"]]
        rows += [_voice_row(area, r, criterion, told, quotes) for _, r in own.iterrows() if not pd.isna(r["value"])]
    return rows


def _told(area: Area) -> dict[str, Any]:
    """Everything that the cards draw on, worked out once: answers now, changes, who answered, pairs."""
    if not area.voice.has_survey:
        return {"now": pd.DataFrame(columns=["question", "who", "value"]), "waves": 0}
    weights = rows_of.weightings(area)
    table = rows_of.answers(area, weights)
    now = table.frame[table.frame["wave"] == area.voice.latest]
    response = rows_of.response(area).frame
    return {
        "now": now,
        "changes": words.change(table, area.params.confidence),
        "response": response[response["wave"] == area.voice.latest].set_index("who")["rate"],
        "reach": rows_of.reach(area).frame,
        "weights": weights,
        "pairs": pairs(area),
        "waves": table.frame.groupby(["who", "question"])["wave"].nunique(),
    }


def _voice_row(
    area: Area, row: pd.Series, criterion: Mapping[str, Any], told: Mapping[str, Any], quotes: pd.DataFrame
) -> dict[str, Any]:
    quote = quote_for(quotes, row["who"], list(criterion["themes"]))
    value, lower, upper, weighted = words.best(row)
    return {
        "indicator": criterion["indicator"],
        "group": row["who"],
        "question": row["text"],
        "n": int(row["answered"]),
        "source": rows_of.source(area),
        "wave": wave_name(area.voice.latest),
        "value": round(float(row["value"]), 1),
        "lower": round(lower, 1),
        "upper": round(upper, 1),
        "weighted_value": round(value, 1) if weighted else None,
        "quote": "" if quote is None else str(quote["text"]),
        "quote_consent": "" if quote is None else _consent(quote),
        "agrees_with_numbers": agrees(told["pairs"], row["question"], row["who"]),
        "proxy": criterion.get("proxy", ""),
        "synthetic": area.synthetic,
    }


def _consent(quote: pd.Series) -> str:
    return f"Consent of {quote['consent_date']:%B %Y}, wording {quote['consent_wording']}"


def _of_criterion(area: Area, criterion: Mapping[str, Any], told: Mapping[str, Any]) -> Exhibit:
    codes = codes_of(area, criterion)
    id = f"voice-{'-'.join(criterion['codes']).lower()}"
    now = told["now"]
    own = now[(now["question"] == criterion["ask"]) & now["who"].isin(criterion["who"])]
    order = {w: i for i, w in enumerate(criterion["who"])}
    own = own.iloc[own["who"].map(order).argsort(kind="stable")] if len(own) else own
    shown = own[pd.to_numeric(own["value"], errors="coerce").notna()]
    named = f"{listing(codes)}: " if codes else ""
    if shown.empty:
        return _incomplete(area, criterion, id, named, few=len(own) > 0)
    first = shown.iloc[0]
    headline, *others = [words.said(row) for _, row in shown.iterrows()]
    value, lower, upper, weighted = words.best(first)
    who = str(first["who"])
    rate = told["response"].get(who)
    sure = confidence.of_estimate(
        float(first["answered"]),
        lower,
        upper,
        response=None if rate is None or pd.isna(rate) else float(rate),
        uneven=tuple(words.uneven(told["reach"], who, rows_of.FEWER)) if len(told["reach"]) else (),
        weighted=weighted,
        effect=float(first["effect"]) if weighted else float("nan"),
        waves=int(told["waves"].get((who, first["question"]), 0)),
        proxy=criterion.get("proxy", ""),
    )
    row = _voice_row(area, first, criterion, told, showable_quotes(area.voice.lists))
    missing = [LABELS[w] for w in criterion["who"] if w not in set(shown["who"])]
    card = card_of(
        area,
        criterion,
        id,
        headline,
        period=wave_name(area.voice.latest),
        comparator=" ".join(_change(told, str(r["who"]), criterion["ask"]) for _, r in shown.iterrows()).strip(),
        size={"n": row["n"], "rate": round(value, 1), "lower": round(lower, 1), "upper": round(upper, 1), "unit": "%"},
        trend=_change(told, who, criterion["ask"]) or "Asked once: no change can be told.",
        inequality=_inequality(area, criterion["ask"]),
        comparison=NO_COMPARISON,
        confidence=sure.as_card(),
        voice={
            "n": row["n"],
            "source": row["source"],
            "wave": row["wave"],
            "quote": row["quote"],
            "quote_consent": row["quote_consent"],
            "agrees": row["agrees_with_numbers"],
        },
        gaps=[criterion["gap"], *(f"No answers of {words.lowered(m)} that may be shown." for m in missing)],
        details=[*others, words.CHANCE],
        incomplete=[*(["voice of " + words.lowered(m) for m in missing]), *LACKS],
    )
    detail = [
        *others,
        f"Confidence: {sure.grade}. {' '.join(sure.reasons)}",
        card["trend"],
        card["inequality"],
        row["agrees_with_numbers"],
        f"“{row['quote']}” ({row['quote_consent']})" if row["quote"] else "No quote may be shown.",
        _done(area) if criterion.get("actions") else "",
        f"Not known: {' '.join(card['gaps'])}",
    ]
    return with_extras(finding(id, f"{named}{headline}", detail=[d for d in detail if d]), card=card)


def _incomplete(area: Area, criterion: Mapping[str, Any], id: str, named: str, few: bool) -> Exhibit:
    """A criterion of which nothing may be said: its card says so, and nothing stands for it."""
    why = (
        f"fewer than {rule('fewest_shown')} answered, or their number would give others away; no figure is made"
        if few
        else "nobody was asked, or the answers were not brought"
    )
    headline = f"{criterion['question']} This is not known: {why}."
    reasons = ("There is no figure that may be shown.",)
    card = card_of(
        area,
        criterion,
        id,
        headline,
        period=wave_name(area.voice.latest) if area.voice.latest else "",
        comparator="",
        size=None,
        confidence=confidence.Confidence("unknown", reasons).as_card(),
        voice=None,
        gaps=[f"A survey that asks it (docs/survey-kit.md, {criterion['ask']}).", criterion["gap"]],
        details=[],
        incomplete=["size", "trend", "inequality", "comparison", "voice", *LACKS],
    )
    return with_extras(finding(id, f"{named}{headline}", detail=["The card is incomplete.", *card["gaps"]]), card=card)


def _change(told: Mapping[str, Any], who: str, question: str) -> str:
    rows = told["changes"]
    own = rows[(rows["who"] == who) & (rows["question"] == question)]
    if own.empty:
        return ""
    row = own.iloc[0]
    return (
        f"{LABELS[who]}: {row['words']} than in the survey before"
        if "say" in row["words"]
        else f"{LABELS[who]}: {row['words']} since the survey before"
    ) + f" ({words.pc(row['before'])} then, {words.pc(row['now'])} now, as the answers came)."


def _inequality(area: Area, question: str) -> str:
    """The lowest and the highest group of parents in words, of groups that may be shown."""
    rows = rows_of.by_group(area, question).frame
    rows = rows[(rows["characteristic"] == "ethnicity_major") & (rows["group"] != "") & rows["value"].notna()]
    if len(rows) < 2:
        return "Too few groups can be shown to say how answers differ between them."
    value = rows["value"].astype("float64")
    low, high = rows.loc[value.idxmin()], rows.loc[value.idxmax()]
    clear = float(low["upper"]) < float(high["lower"])
    told = (
        f"Parents who said yes by ethnic group: from {words.pc(low['value'])} ({low['group_name']}) to "
        f"{words.pc(high['value'])} ({high['group_name']}), of the groups that can be shown"
    )
    return f"{told}; " + (
        "their intervals do not overlap." if clear else "no clear difference: their intervals overlap."
    )


def _done(area: Area) -> str:
    told = answered(area.voice.frame("survey_actions"))
    if told.empty:
        return "What was done about what families said is not on record."
    waiting = int((told["status"] == NO_ANSWER).sum())
    return f"Of {len(told)} things that were said, {waiting} have no answer yet."
