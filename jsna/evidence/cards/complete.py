"""Makes whole cards of what chapters put on them: every field there, and what is lacking named, never hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from jsna.disproportionality.rule import FLAGGED, WATCH
from jsna.evidence.cards.confidence import UNKNOWN, not_known
from jsna.evidence.cards.words import english
from jsna.evidence.cards.words.sentences import in_plain_words
from jsna.evidence.catalogue import Frame, catalogue
from jsna.evidence.cycles.changes import changed_flags
from jsna.evidence.cycles.decisions import Decisions
from jsna.evidence.cycles.edition import Edition
from jsna.files.packaged import packaged_yaml

FIELDS = (
    *("id", "question", "headline", "frames", "size", "trend", "inequality", "comparison", "confidence", "voice"),
    *("what_works", "balancing", "gaps", "recommendation", "owner", "sources", "disclosure", "alt_text", "easy_read"),
    "changed",
)
# Without one of these a card is incomplete. A card may have no balancing measure, no gap and no unequal groups.
NEEDED = ("size", "trend", "comparison", "confidence", "voice", "what_works", "recommendation", "owner", "sources")
NEEDED += ("alt_text", "easy_read")
NOT_KNOWN = "not known"
NO_GROUP = "No group stands out among those compared."
NOT_COMPARED = "not compared between groups here"


@dataclass(frozen=True)
class Setting:
    """What the cards of a pack are completed from.

    ``exhibits``: all of the pack, each with its ``chapter``; ``sources``: the sources read; ``proposals``: what chapter
    12 proposes, by code; ``decisions``: what the board wrote on this cycle; ``before``: the last cycle's edition.
    """

    frame: Frame
    now: Edition
    exhibits: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    proposals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    decisions: Decisions | None = None
    before: Edition | None = None


def completed(setting: Setting) -> list[dict[str, Any]]:
    """The cards of the edition with every field of ``FIELDS``; ``incomplete`` lists the needed ones that lack."""
    moved = changed_flags(setting.before.flags, setting.now.flags) if setting.before is not None else None
    return [_completed(dict(card), setting, moved) for card in setting.now.cards]


def _completed(card: dict[str, Any], s: Setting, moved: pd.DataFrame | None) -> dict[str, Any]:
    figure, flags = _figure(card, s.now.figures), _flags(card, s.now.flags)
    own = {k: card.pop(k, None) for k in ("comparator", "source", "incomplete")}
    made = {
        "size": card.get("size") or _size(figure, flags),
        "trend": card.get("trend") or _trend(card, flags, moved) or _series(figure),
        "inequality": card.get("inequality") or _inequality(flags),
        "comparison": card.get("comparison") or own["comparator"],
        "confidence": card.get("confidence") or not_known("no figure stands behind it"),
        "voice": card.get("voice") or _voice(card, s),
        "what_works": card.get("what_works") or _what_works(card),
        "balancing": card.get("balancing") or _balancing(card),
        "gaps": card.get("gaps") or [],
        "recommendation": card.get("recommendation") or _recommendation(card, s),
        "owner": card.get("owner") or _owner(card, s),
        "sources": card.get("sources") or _sources(own["source"] or "", s.sources),
        "alt_text": card.get("alt_text") or _alt(card, s.exhibits),
        "changed": _changed(card, s.before, moved),
    }
    whole = {name: NOT_KNOWN for name in FIELDS} | card | {k: v for k, v in made.items() if v not in (None, "")}
    made["easy_read"] = card.get("easy_read") or _easy(whole, s)
    whole["easy_read"] = made["easy_read"] or NOT_KNOWN
    lacking = [n for n in NEEDED if made.get(n) in (None, "", [], {})]
    lacking += [str(n) for n in own["incomplete"] or () if str(n).replace(" ", "_") not in FIELDS]
    if isinstance(whole["confidence"], Mapping) and whole["confidence"].get("grade") == UNKNOWN:
        lacking.append("confidence")
    whole["tables"] = _tables(card, s)
    there = any(e["id"] == "figures" for e in s.exhibits)
    whole["figure"] = f"{figure['indicator']}-{figure['group']}" if figure is not None and there else ""
    whole["incomplete"] = [n.replace("_", " ") for n in dict.fromkeys(lacking)]
    whole["complete"] = not lacking
    return whole


def _figure(card: Mapping[str, Any], figures: pd.DataFrame) -> pd.Series | None:
    """The figure that a card is about, where it is about one."""
    own = figures[figures["indicator"] == card.get("indicator", "")]
    own = own[own["value"].notna()]
    found = own[own["group"] == card.get("group", "all")]
    return found.iloc[0] if len(found) else None


def _flags(card: Mapping[str, Any], flags: pd.DataFrame) -> pd.DataFrame:
    return flags[(flags["outcome"] == card.get("outcome")) & (flags["characteristic"] == card.get("characteristic"))]


def _size(figure: pd.Series | None, flags: pd.DataFrame) -> dict[str, Any] | None:
    if figure is not None:
        return {
            k: None if pd.isna(figure[c]) else float(figure[c])
            for k, c in (
                ("value", "value"),
                ("lower", "lower"),
                ("upper", "upper"),
                ("n", "numerator"),
                ("of", "denominator"),
            )
        }
    worst = _worst(flags)
    if worst is None:
        known = flags[flags["numerator"].notna()]
        if known.empty or len(known) < len(flags):
            return {"compared": len(flags)} if len(flags) else None
        return {"n": float(known["numerator"].sum()), "of": float(known["denominator"].sum())}
    return {"group": worst["group"], "n": _number(worst["numerator"]), "of": _number(worst["denominator"])}


def _worst(flags: pd.DataFrame) -> pd.Series | None:
    """Of the flagged groups the one in which most pupils are affected."""
    flagged = flags[flags["status"].isin(FLAGGED)]
    if flagged.empty:
        return None
    return flagged.loc[flagged["pupils_affected"].abs().fillna(-1).idxmax()]


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _inequality(flags: pd.DataFrame) -> dict[str, Any] | str:
    """The gap that concerns most pupils, with its ratio; in words where there is none."""
    if flags.empty:
        return NOT_COMPARED
    worst = _worst(flags)
    if worst is None:
        watched = flags.loc[flags["status"] == WATCH, "group"].tolist()
        return f"To watch, a question to ask: {', '.join(watched)}. None is flagged." if watched else NO_GROUP
    adjusted = pd.notna(worst["adjusted_risk_ratio"])
    names = ("adjusted_risk_ratio", "adjusted_lower", "adjusted_upper") if adjusted else ()
    ratio = [worst[n] for n in names or ("risk_ratio", "risk_ratio_lower", "risk_ratio_upper")]
    known = flags["denominator"].sum(min_count=1)
    return {
        "group": worst["group"],
        "status": worst["status"],
        "ratio": _number(ratio[0]),
        "lower": _number(ratio[1]),
        "upper": _number(ratio[2]),
        "adjusted": bool(adjusted),
        "share": _number(worst["risk"]),
        "others_share": _number(worst["risk"] - worst["gap_points"] / 100),
        "gap_points": _number(worst["gap_points"]),
        "pupils_affected": _number(worst["pupils_affected"]),
        "of_known_group": _number(known),
    }


def _trend(card: Mapping[str, Any], flags: pd.DataFrame, moved: pd.DataFrame | None) -> str | None:
    """Of groups: what has become of the flagged ones since the last cycle."""
    if moved is None or flags.empty:
        return None
    here = _flags(card, moved)
    stood = here[here["old_status"].isin(FLAGGED) | here["new_status"].isin(FLAGGED)]
    if stood.empty:
        return "No group was flagged in the last cycle or is now."
    return "; ".join(f"{row.group}: {row.change}" for row in stood.itertuples()) + ", since the last cycle."


def _series(figure: pd.Series | None) -> str | None:
    """Of a figure: the last comparable ones of its series, from the newest break on."""
    if figure is None or not figure.get("history"):
        return None
    points = str(figure["history"]).split("; ")
    broken = max((n for n, p in enumerate(points) if p.startswith("| ")), default=0)
    told = [p.removeprefix("| ").rsplit("=", 1) for p in points[broken:]]
    shown = ", ".join(f"{value} ({period})" for period, value in told if value != "x")
    before = " Earlier figures are not comparable." if broken else ""
    return f"{shown}.{before}" if len(told) > 1 else None


def _voice(card: Mapping[str, Any], s: Setting) -> list[dict[str, Any]] | None:
    """What people answered on the criteria that the card speaks to."""
    codes, spoken = set(card.get("frames", [])), s.frame.of_indicator
    heard = [
        v for v in s.now.voice if v.get("value") is not None and codes & set(spoken.get(str(v.get("indicator")), []))
    ]
    return [dict(v) for v in heard] or None


@cache
def _evidence() -> tuple[dict[str, Any], ...]:
    return tuple(packaged_yaml("jsna.evidence.cards", "what_works.yml"))


def _what_works(card: Mapping[str, Any]) -> list[dict[str, str]] | None:
    found = [
        {k: e[k] for k in ("says", "source", "kind")}
        for e in _evidence()
        if card.get("outcome") in e["outcomes"] or card.get("indicator") in e["indicators"]
    ]
    return found or None


def _balancing(card: Mapping[str, Any]) -> list[str]:
    known = catalogue().indicators
    named = known[card["indicator"]].balancing if card.get("indicator") in known else ()
    return [known[b].name for b in named]


def _codes(card: Mapping[str, Any], s: Setting) -> list[str]:
    """The codes that a card speaks to, by itself and by its indicator."""
    own = [*card.get("frames", []), *s.frame.of_indicator.get(str(card.get("indicator")), [])]
    return list(dict.fromkeys(own))


def _recommendation(card: Mapping[str, Any], s: Setting) -> str | None:
    """What the rules propose for the priorities that the card speaks to; a board's decision stands before them."""
    told = []
    for code in _codes(card, s):
        if code not in s.proposals:
            continue
        decided = s.decisions.of(code) if s.decisions else None
        said = (
            f"{decided.decision} (decided)"
            if decided and decided.decision
            else f"{s.proposals[code]['proposal']} (proposed)"
        )
        told.append(f"{code} {s.proposals[code]['name']}: {said}")
    return "; ".join(told) or None


def _owner(card: Mapping[str, Any], s: Setting) -> str | None:
    decided = [s.decisions.of(c) for c in _codes(card, s)] if s.decisions else []
    return "; ".join(dict.fromkeys(d.owner for d in decided if d and d.owner)) or None


def _sources(text: str, sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources of the pack that the card's text names, with file, period, publisher, licence and digest."""
    keep = ("source", "file", "period", "publisher", "licence", "sha256")
    found = [
        {k: row.get(k, "") for k in keep}
        for row in sources
        if str(row.get("source")) in text or (row.get("file") and str(row["file"]) in text)
    ]
    return found or ([{"source": text}] if text else [])


def _tables(card: Mapping[str, Any], s: Setting) -> list[str]:
    """The files of the pack that hold the card's numbers, row by row."""
    stem = _stem(card)
    own = [f"tables/{e['id']}.csv" for e in s.exhibits if e.get("table_csv") and str(e["id"]).startswith(stem)]
    there = {str(e["id"]) for e in s.exhibits}
    if card.get("indicator") and "figures" in there:
        own.append("tables/figures.csv")
    return [*own, *(["flags.csv"] if card.get("outcome") else [])]


def _stem(card: Mapping[str, Any]) -> str:
    return str(card["id"]).removesuffix("-card").removesuffix("-finding")


def _alt(card: Mapping[str, Any], exhibits: Sequence[Mapping[str, Any]]) -> str | None:
    """The words of the picture that stands with the card: that of its own exhibit, else the first of its family."""
    stem = _stem(card)
    own = [e for e in exhibits if e.get("alt") and str(e["id"]).startswith(stem)]
    return str(own[0]["alt"]) if own else str(card.get("headline", "")) or None


def _easy(whole: Mapping[str, Any], s: Setting) -> str | None:
    """A first draft in short sentences, where the card gives one."""
    told = in_plain_words(english(), whole, s.now.projections)
    return " ".join(told.sentences) if told else None


def _changed(card: Mapping[str, Any], before: Edition | None, moved: pd.DataFrame | None) -> str:
    """What has changed on the card since the last edition."""
    if before is None:
        return "There is no earlier edition."
    old = next((c for c in before.cards if c.get("id") == card["id"]), None)
    if old is None:
        return f"New: {before.name} had no such card."
    if old.get("headline") == card.get("headline"):
        return f"As in {before.name}."
    return f"In {before.name} it said: {old.get('headline', '')} Chapter 12 says whether the two can be compared."
