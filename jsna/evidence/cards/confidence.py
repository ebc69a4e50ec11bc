"""How sure is a card, and why? One rule for all of them, stated in ``confidence.yml``."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsna.errors import CodeListError, Problem, did_you_mean
from jsna.files.packaged import packaged_yaml

HIGH, MEDIUM, LOW, UNKNOWN = "high", "medium", "low", "unknown"


@cache
def _told() -> dict[str, Any]:
    return packaged_yaml("jsna.evidence.cards", "confidence.yml")


def graded(*weaknesses: str, stands_in: bool = False) -> dict[str, Any]:
    """The grade of a card and its reasons. ``stands_in``: the figure is a proxy. Raises ``CodeListError`` for a
    weakness that is none of ``confidence.yml``.

    >>> graded("few_years")
    {'grade': 'medium', 'reasons': ['there are too few comparable years for a trend']}
    """
    known = _told()["weaknesses"]
    strange = [w for w in weaknesses if w not in known]
    if strange:
        raise CodeListError(*(Problem("No such weakness.", value=w, mend=did_you_mean(w, known)) for w in strange))
    reasons = [known[w] for w in dict.fromkeys(weaknesses)] + ([_told()["stands_in"]] if stands_in else [])
    grade = LOW if stands_in or len(reasons) > 1 else MEDIUM if reasons else HIGH
    return {"grade": grade, "reasons": reasons or [_told()["without"]]}


def not_known(reason: str) -> dict[str, Any]:
    """The grade of a card that has no figure."""
    return {"grade": UNKNOWN, "reasons": [reason]}
