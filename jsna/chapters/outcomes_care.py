"""Health and care of children with SEND, and outcomes from an area's own records: what is at hand, and what is not."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import gap, with_extras
from jsna.chapters.outcomes import missing_words, publish, source_rows
from jsna.chapters.outcomes_words import group_name, texts
from jsna.disclosure import publish_facts
from jsna.evidence.catalogue import Indicator, catalogue
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import table_exhibit

HEALTH_AND_CARE = ("HEA", "SOC")
OUTCOMES = ("ATT", "ATD", "HEA", "SOC", "PFA")
OWN_COLUMNS = [
    {"name": "measure", "label": "Measure", "kind": "text"},
    {"name": "group", "label": "Group", "kind": "text"},
    {"name": "period", "label": "Period", "kind": "text"},
    {"name": "numerator", "label": "Number", "kind": "count"},
    {"name": "denominator", "label": "Out of", "kind": "count"},
    {"name": "value", "label": "Figure", "kind": "percent"},
    {"name": "lower", "label": "Lower limit", "kind": "percent"},
    {"name": "upper", "label": "Upper limit", "kind": "percent"},
    {"name": "unit", "label": "Unit", "kind": "text"},
]


def register(area: Area) -> Exhibit:
    """Every measure of health and care in the catalogue: whether a figure is at hand, and if not what to bring."""
    known = [i for i in catalogue().indicators.values() if i.id.startswith(HEALTH_AND_CARE)]
    have = _newest(area)
    said = texts()["register"]
    table = pd.DataFrame(
        {
            "measure": [i.name for i in known],
            "state": [
                said["at_hand"].format(period=have[i.id]) if i.id in have else said["not_at_hand"] for i in known
            ],
            "bring": ["" if i.id in have else _bring(area, i) for i in known],
        }
    ).replace({"bring": {"": "nothing: it is shown"}})
    lacking = [
        {"reason": f"{i.name}: no figure for {area.name} is at hand.", "mend": _bring(area, i)}
        for i in known
        if i.id not in have
    ]
    made = table_exhibit(
        publish_facts(table, source="The workbench's catalogue of indicators", synthetic=area.synthetic),
        id="outcomes-health-register",
        title=said["title"],
        columns=[
            {"name": "measure", "label": "Measure", "kind": "text"},
            {"name": "state", "label": "Figure", "kind": "text"},
            {"name": "bring", "label": "What to bring", "kind": "words"},
        ],
        row_header="measure",
    )
    return with_extras(made, gap=lacking)


def own_records(area: Area) -> Exhibit:
    """Outcomes from the authority's own lists, newest period by SEN status; or what would have to be brought."""
    frame = area.values.frame
    rows = frame[(frame["origin"] == "local") & frame["indicator"].str.startswith(OUTCOMES)]
    if rows.empty:
        return gap(
            "outcomes-own-records", texts()["no_own_records"]["reason"], texts()["no_own_records"]["mend"].strip()
        )
    newest = rows[rows["year"] == rows.groupby(["indicator", "group"])["year"].transform("max")]
    known = catalogue()
    shown = newest.assign(
        measure=newest["indicator"].map(lambda i: known[i].name),
        unit=newest["indicator"].map(lambda i: known[i].unit),
        group=newest["group"].map(_group),
        **{f"{c}_symbol": newest["symbol"] for c in ("value", "numerator", "denominator", "lower", "upper")},
    )
    marks = [f"{c}_symbol" for c in ("value", "numerator", "denominator", "lower", "upper")]
    wanted = [*(c["name"] for c in OWN_COLUMNS), *marks]
    made = table_exhibit(
        publish(area, shown[wanted].reset_index(drop=True), newest),
        id="outcomes-own-records",
        title=f"Outcomes from the records of {area.label}, newest period",
        columns=OWN_COLUMNS,
        row_header="measure",
    )
    return with_extras(made, sources=source_rows(area, newest))


def _newest(area: Area) -> dict[str, str]:
    frame = area.values.frame
    own = frame[(frame["area_code"] == area.code) & frame["value"].notna()].sort_values("year", kind="stable")
    return own.groupby("indicator")["period"].last().to_dict()


def _bring(area: Area, known: Indicator) -> str:
    return missing_words(area, known)


def _group(group: str) -> str:
    known = texts()["groups"]
    return group_name(group) if group in known else {"all": "All", "all_sen": "All with SEN"}.get(group, group)
