"""The sentences of all chapters keep to the rules for words: no causes, and no more than figures can show."""

from __future__ import annotations

import json

import pytest

from jsna.evidence.cycles.notebooks import EXHIBIT, NOTEBOOKS
from tests.plain_words import CAUSAL, CLAIMS

CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
# What people said or decided stands as they said it; sources are called as they are called.
THEIR_OWN = ("voice-quotes", "voice-actions", "last-decisions", "data-sources")


def sentences(path) -> list[tuple[str, str]]:
    """Every title, note, alternative text and card of a chapter's kept outputs, each with its exhibit."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [o["data"][EXHIBIT] for c in cells for o in c.get("outputs", ()) if EXHIBIT in o.get("data", {})]
    told = []
    for exhibit in outputs:
        if exhibit["id"] in THEIR_OWN:
            continue
        card = (exhibit.get("extras") or {}).get("card") or {}
        texts = [
            exhibit["title"],
            exhibit["alt"],
            *exhibit["notes"],
            *map(str, card.get("details", [])),
            str(card.get("headline", "")),
        ]
        told += [(exhibit["id"], t) for t in texts if t]
    return told


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_no_sentence_speaks_of_causes_or_claims_more_than_figures_can_show(path):
    found = [(name, text) for name, text in sentences(path) if CAUSAL.search(text) or CLAIMS.search(text)]
    assert not found
    assert sentences(path), "a chapter without sentences tests nothing"
