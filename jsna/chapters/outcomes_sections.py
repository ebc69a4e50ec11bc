"""The sections of the chapter on outcomes: each a row of exhibits, or one notice where nothing of it is at hand."""

from __future__ import annotations

from typing import Any

from jsna.area import Area
from jsna.chapters import outcomes, outcomes_together
from jsna.chapters.base import gap
from jsna.chapters.outcomes_words import WITH_SEN, texts
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.text import heading


def section(area: Area, name: str) -> Exhibits:
    """Everything that ``outcomes.yml`` names under a section, each measure under its heading.

    A measure without a figure shows what to bring; a section without any shows that once.
    """
    said = texts()["sections"][name]
    parts = said["parts"]
    if not any(_known(area, part) for part in parts):
        reason = texts()["section_missing"].format(area=area.name, what=said["what"])
        return Exhibits((gap(f"outcomes-{name}", reason, texts()["section_bring"]),))
    shown = [e for part in parts for e in _part(area, part)]
    if "lacking" in said and not any(_known(area, p) for p in parts if p["form"] == "by_status"):
        shown.append(gap(f"outcomes-{name}-by-status", said["lacking"].strip(), said["bring"].strip()))
    return Exhibits(tuple(shown))


def _part(area: Area, part: dict[str, Any]) -> list[Exhibit]:
    if not _known(area, part):
        return [] if part.get("where_known") else [outcomes.missing(area, part["indicator"])]
    indicator, group = part["indicator"], part.get("group", "all")
    title = heading(f"{outcomes.outcome_id(indicator)}-{part['form']}-{group}".replace("_", "-"), part["heading"])
    return [title, *_exhibits(area, part["form"], indicator, group)]


def _exhibits(area: Area, form: str, indicator: str, group: str) -> list[Exhibit]:
    if form == "by_status":
        made = [outcomes.statement(area, indicator), outcomes.chart(area, indicator)]
        return made if outcomes.is_neutral(indicator) else [*made, outcomes.gap_table(area, indicator)]
    if form == "rank":
        return [outcomes_together.rank_finding(area, indicator), outcomes_together.rank_years(area, indicator)]
    made = [outcomes_together.statement(area, indicator, group)]
    drawn = outcomes_together.beside_others if form == "beside" else outcomes_together.over_time
    shown = drawn(area, indicator, group)
    return made if shown.kind == "notice" else [*made, shown]


def _known(area: Area, part: dict[str, Any]) -> bool:
    """Whether the area has a figure of a part; a rank needs those of others, so an official one."""
    groups = WITH_SEN if part["form"] == "by_status" else (part.get("group", "all"),)
    origin = "official" if part["form"] == "rank" else None
    found = (area.values.of(part["indicator"], g, [area.code], origin) for g in groups)
    return any(rows["value"].notna().any() for rows in found)
