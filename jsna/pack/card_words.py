"""An evidence card as rows of a page: a label, and what is said, in the order in which people ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsna.evidence.cards.complete import NOT_KNOWN
from jsna.exhibits.tables import format_number

LABELS = {
    "size": "How many",
    "trend": "Since before",
    "inequality": "Between groups",
    "comparison": "Compared with",
    "confidence": "How sure",
    "voice": "What people say",
    "what_works": "What is known to work",
    "balancing": "Not to be read without",
    "gaps": "What is not known",
    "recommendation": "What is proposed or decided",
    "owner": "Owner",
    "easy_read": "In short words (a draft for people to check)",
    "changed": "Since the last edition",
    "sources": "Source",
    "disclosure": "What is hidden",
}


def rows_of(card: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Label and sentences of each field of a whole card; a field of which nothing is known says so."""
    return [(label, _said(name, card.get(name))) for name, label in LABELS.items() if _said(name, card.get(name))]


def _said(name: str, value: Any) -> list[str]:
    if value in (None, "", NOT_KNOWN):
        return ["Not known."]
    if value == [] or value == {}:
        return []
    if name in _MAPPINGS and isinstance(value, Mapping):
        return [_MAPPINGS[name](value)]
    if name in _LISTS and isinstance(value, list):
        return [_LISTS[name](v) for v in value if isinstance(v, Mapping)] or [str(v) for v in value]
    if isinstance(value, list):
        return [str(v) for v in value]
    if name == "voice" and isinstance(value, Mapping):
        return [_answers(value)]
    if isinstance(value, Mapping):
        return [f"{str(k).replace('_', ' ')}: {v}" for k, v in value.items() if v not in (None, "")]
    return [str(value)]


def _size(v: Mapping[str, Any]) -> str:
    if v.get("value") is not None:
        about = f" ({_n(v['n'])} of {_n(v['of'])})" if v.get("n") is not None and v.get("of") is not None else ""
        limits = (
            f", between {_p(v['lower'])} and {_p(v['upper'])} (95% confidence interval)"
            if v.get("lower") is not None
            else ""
        )
        return f"{_p(v['value'])}{about}{limits}."
    if v.get("rate") is not None:
        limits = f", between {_p(v['lower'])} and {_p(v['upper'])}" if v.get("lower") is not None else ""
        answers = f" ({_n(v['n'])} answers)" if v.get("n") is not None else ""
        return f"{_p(v['rate'])}{v.get('unit', '')}{limits}{answers}."
    if v.get("n") is None or v.get("of") is None:
        number = v.get("compared")
        return f"{_n(number)} groups were compared." if number is not None else "The numbers are hidden."
    who = f"{v['group']}: " if v.get("group") else ""
    return f"{who}{_n(v['n'])} of {_n(v['of'])}."


def _inequality(v: Mapping[str, Any]) -> str:
    said = f"{v['group']}, {v['status']}"
    if v.get("ratio") is not None:
        kind = "among pupils alike in what the census holds" if v.get("adjusted") else "as they are"
        said += f": {format_number(v['ratio'], 'ratio')} times the rate of all others {kind}"
        if v.get("lower") is not None and v.get("upper") is not None:
            said += f" (between {format_number(v['lower'], 'ratio')} and {format_number(v['upper'], 'ratio')})"
    if v.get("gap_points") is not None:
        said += f"; a gap of {format_number(v['gap_points'], 'points')} percentage points"
    if v.get("pupils_affected") is not None:
        said += f"; about {_n(abs(v['pupils_affected']))} pupils"
    return said + "."


def _confidence(v: Mapping[str, Any]) -> str:
    return f"{str(v.get('grade', '')).capitalize()}: {'; '.join(str(r).rstrip('.') for r in v.get('reasons', []))}."


def _voice(v: Mapping[str, Any]) -> str:
    said = f"{v.get('indicator', '')}, {str(v.get('group', '')).replace('_', ' ')}: {_p(v['value'])}% agree"
    said += f" ({_n(v['n'])} answered" + (
        f"; between {_p(v['lower'])} and {_p(v['upper'])}" if v.get("lower") is not None else ""
    )
    said += f"; {v['source']}, {v['wave']})" if v.get("source") and v.get("wave") else ")"
    return f"{said}. “{v['quote']}”" if v.get("quote") else f"{said}."


def _answers(v: Mapping[str, Any]) -> str:
    """What a card of the chapter on voice says of itself."""
    said = f"{_n(v['n'])} answered ({v['source']}, {v['wave']}). {v.get('agrees', '')}".strip()
    return f"{said} “{v['quote']}”" if v.get("quote") else said


def _works(v: Mapping[str, Any]) -> str:
    return f"{v['says']} ({v['kind']}: {v['source']}.)"


def _source(v: Mapping[str, Any]) -> str:
    parts = [v.get("source"), v.get("file"), v.get("period"), v.get("publisher"), v.get("licence")]
    return ", ".join(str(p) for p in parts if p) + "."


def _n(value: float) -> str:
    return format_number(value, "count")


def _p(value: float) -> str:
    return format_number(value, "percent")


_MAPPINGS = {"size": _size, "inequality": _inequality, "confidence": _confidence}
_LISTS = {"voice": _voice, "what_works": _works, "sources": _source}
