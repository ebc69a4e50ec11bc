"""What people wrote into the decisions of the pack that is there: the new one carries it over."""

from __future__ import annotations

from pathlib import Path

from jsna.area import Area
from jsna.evidence.catalogue import catalogue, frame_of
from jsna.evidence.cycles.decisions import FILE, Decisions, read_decisions
from jsna.evidence.priorities import rules_of


def decided(area: Area, folder: Path) -> Decisions | None:
    """The decisions in a pack's folder, or nothing.

    A file that cannot be read stops the run before anything is made: nothing that people wrote is lost. Raises
    ``SourceError`` or ``ParamsError``.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    frame = frame_of(area.code, area.params.frames)
    codes = [item.code for entry in frame.lists for item in entry.items]
    new = [c.code for c in rules_of(area.params.rules).candidates]
    return read_decisions(path, area_code=area.code, priorities=[*codes, *new], known=catalogue().indicators)
