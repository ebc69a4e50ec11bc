"""What the chapters will ask of an engine, asked before they run."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from jsna.area import Area
from jsna.counts.question import Question


@cache
def asked() -> dict[str, list[list[list[str]]]]:
    """The questions, as ``asked.yml`` lists them."""
    told: dict[str, Any] = yaml.safe_load(files("jsna.refresh").joinpath("asked.yml").read_text(encoding="utf-8"))
    return told


def ask_ahead(area: Area) -> None:
    """Ask the engine that counts the area's pupils for all that its chapters will want; the ``roll`` keeps the answers.

    Raises ``SourceError`` where the engine fails: nothing has been made by then.
    """
    from geo.places import AREA_CODE

    for groupings in asked()["questions"]:
        area.roll.count(Question(tuple(map(tuple, groupings)), cell_keys=area.keyed))
    _ = area.repeats
    if area.homes_elsewhere:
        area.count_elsewhere()
    if area.code == AREA_CODE:
        for groupings in asked()["at_home"]:
            area.count_at_home(*groupings)
