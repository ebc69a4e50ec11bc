"""What the two pages say: key messages by a stated rule, what people say, what is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from jsna.disproportionality.rule import FLAGGED, WATCH
from jsna.evidence.cards.complete import NOT_KNOWN
from jsna.files.packaged import packaged_yaml

FIGURES = ("pooled_risk_ratio", "pooled_lower", "pooled_upper")


@dataclass(frozen=True)
class Message:
    """A sentence, how sure it is and what it lacks; ``more``: the same in plain numbers."""

    sentence: str
    standing: str
    more: str = ""


@cache
def settings() -> dict[str, Any]:
    """What ``document.yml`` says."""
    return packaged_yaml("jsna.pack", "document.yml")


def key_messages(cards: Sequence[Mapping[str, Any]], exhibits: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The pack's key messages, the weightiest first; none where no chapter found anything.

    Promises not met, then the flagged groups with most children, then what the figures of the whole area say.
    """
    words = settings()
    missed = [c for c in cards if re.fullmatch(words["promise"], _id(c)) and re.search(words["not_met"], _said(c))]
    flagged = sorted((c for c in cards if _affected(c)), key=_affected, reverse=True)
    by_characteristic = {str(c.get("characteristic", _id(c))): c for c in reversed(flagged)}
    groups = [c for c in flagged if any(c is f for f in by_characteristic.values())]
    found = [_of_card(c) for c in [*missed[: words["most_promises"]], *groups[: words["most_flags"]]]]
    findings = [e for e in exhibits if e.get("kind") == "finding"]
    rest = [(_id(c), _of_card(c)) for c in cards]
    rest += [(_id(e), Message(str(e["title"]), words["sure"].format(grade=words["not_graded"]))) for e in findings]
    found += [message for pattern in words["then"] for name, message in rest if re.fullmatch(pattern, name)]
    found += [_of_card(c) for c in flagged]
    unique = {m.sentence: m for m in reversed(found)}
    order = list(dict.fromkeys(m.sentence for m in found))
    return [unique[s] for s in order][: words["most"]]


def _id(thing: Mapping[str, Any]) -> str:
    return str(thing.get("id", ""))


def _said(card: Mapping[str, Any]) -> str:
    return str(card.get("headline") or card.get("question") or "")


def _affected(card: Mapping[str, Any]) -> float:
    """Of how many children a flagged group of the card has more or fewer; 0 where none is flagged, or it is hidden."""
    unequal = card.get("inequality")
    if not isinstance(unequal, Mapping) or unequal.get("status") not in FLAGGED:
        return 0.0
    number = pd.to_numeric(unequal.get("pupils_affected"), errors="coerce")
    return 0.0 if pd.isna(number) else abs(float(number))


def _of_card(card: Mapping[str, Any]) -> Message:
    words = settings()
    sure = card.get("confidence")
    grade = str(sure.get("grade", "")) if isinstance(sure, Mapping) else str(sure or "").partition(":")[0]
    lacking = [words["lacking_words"].get(str(n), str(n)) for n in card.get("incomplete") or ()]
    standing = words["sure"].format(grade=grade or words["not_graded"])
    easy = str(card.get("easy_read") or "") if _affected(card) else ""
    more = "" if easy == NOT_KNOWN else easy
    lacks = words["lacking"].format(what=", ".join(lacking)) if lacking else ""
    return Message(_said(card), standing + lacks, more)


def voices(cards: Sequence[Mapping[str, Any]], exhibits: Sequence[Mapping[str, Any]]) -> list[str]:
    """What people say, from the chapter on voice; a sentence that says so where nobody was asked."""
    words = settings()
    findings = [e for e in exhibits if e.get("kind") == "finding"]
    said = [(_id(c), _said(c)) for c in cards] + [(_id(e), str(e["title"])) for e in findings]
    own = list(dict.fromkeys(text for name, text in said if text and re.fullmatch(words["voice"], name)))
    return own[: words["most_voice"]] or [words["voice_none"]]


def unknowns(exhibits: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the pack has no figure for: the number of indicators without one, then the chapters' notices."""
    gaps = [f"{e['title']}." for e in exhibits if _id(e) == "gaps"]
    notices = [str(e["title"]) for e in exhibits if e.get("kind") == "notice" and (e.get("extras") or {}).get("gap")]
    unique = list(dict.fromkeys([*gaps, *notices]))
    return [*unique[: settings()["most_unknown"]], settings()["unknown_more"]]


def proposals(exhibits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What chapter 12 proposes, priority by priority."""
    return [p for e in exhibits for p in (e.get("extras") or {}).get("priorities") or () if isinstance(p, Mapping)]


def standing_groups(flags: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Flagged groups, or those to watch where none is flagged, the most children first, each group once.

    Columns of ``flags.csv`` with the figures as numbers; groups of which a figure is hidden are not among them.
    """
    frame = pd.DataFrame([dict(f) for f in flags])
    if frame.empty or not {"status", "group", *FIGURES} <= set(frame.columns):
        return pd.DataFrame(columns=["group", "characteristic", "outcome", "period", *FIGURES])
    numbers = frame[[*FIGURES, "pupils_affected"]].apply(pd.to_numeric, errors="coerce")
    frame = frame.assign(**{c: numbers[c] for c in numbers})
    frame = frame[(frame[list(FIGURES)] > 0).all(axis=1)]  # what is hidden is no number, and not above 0
    status = FLAGGED if frame["status"].isin(FLAGGED).any() else (WATCH,)
    own = frame[frame["status"].isin(status)]
    order = own["pupils_affected"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
    return own.loc[order].drop_duplicates(["characteristic", "group"]).reset_index(drop=True)
