"""What every card of the chapter on voice holds, and which codes it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsna.area import Area
from jsna.chapters.base import frame_of_area

LACKS = ("what works", "recommendation", "owner")
NO_COMPARISON = "There is no official figure of this for England or other areas."


def codes_of(area: Area, criterion: Mapping[str, Any]) -> list[str]:
    """The codes of a criterion in the area's frame; of another frame, those that its indicator speaks to."""
    frame = frame_of_area(area)
    there = {item.code for entry in frame.lists for item in entry.items}
    return [c for c in criterion["codes"] if c in there] or frame.of_indicator.get(criterion["indicator"], [])


def card_of(area: Area, criterion: Mapping[str, Any], id: str, headline: str, **given: Any) -> dict[str, Any]:
    """A card with what all of the chapter have; ``given`` is its own."""
    return {
        "id": f"{id}-card",
        "question": criterion["question"],
        "headline": headline,
        "frames": codes_of(area, criterion),
        "indicator": criterion["indicator"],
        "area": area.label,
        "source": "; ".join(loaded.summary.source for loaded in area.voice.lists.values()),
        "synthetic": area.synthetic,
        "disclosure": area.protection,
        **given,
    }
