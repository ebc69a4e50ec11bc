"""One indicator of an area beside England, the region and every set of neighbours, and among all authorities."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import needs, with_extras
from jsna.chapters.scorecard_words import measured
from jsna.disclosure import Released, publish_facts
from jsna.errors import SourceError
from jsna.evidence import comparators
from jsna.evidence.catalogue import catalogue
from jsna.evidence.funnels import funnel
from jsna.evidence.local_values import disagreements
from jsna.exhibits.comparing import beside_chart, by_set_sentence, funnel_chart
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, notice


@needs("official")
def beside(area: Area, indicator: str) -> Exhibit:
    """The area's figure beside each comparator's with the verdict, and whether that depends on the neighbours."""
    known, confidence = catalogue()[indicator], area.params.confidence
    rows = comparators.beside(area.values, area, indicator, confidence=confidence)
    rows = rows[rows["value"].notna()].reset_index(drop=True)
    name, title = f"{indicator.lower()}-beside", f"{known.name}: {area.name} beside others"
    if rows.empty:
        return notice(name, f"{title}: there is no figure to compare.", "The index lists what is missing.")
    released = comparators.release(rows, area)
    by_set = comparators.verdicts_by_set(area.values, area, indicator, confidence=confidence)
    said = by_set_sentence(by_set, area.name, known.unit) or comparators.sets_at_hand(area)
    return beside_chart(_noted(released, said), id=name, title=title, area=area.name, unit=known.unit)


@needs("official")
def among_all(area: Area, indicator: str) -> Exhibit:
    """Every authority by size with the limits within which they usually lie, and where this one lies."""
    known = catalogue()[indicator]
    name = f"{indicator.lower()}-funnel"
    try:
        released = funnel(area.values, indicator)
    except SourceError as error:
        return notice(name, error.problems[0].what, error.problems[0].mend)
    period = str(released.frame["period"].iloc[0])
    return funnel_chart(
        released,
        id=name,
        title=f"{known.name}: all authorities, {period}",
        area=area.name,
        unit=known.unit,
        counted=known.denominator,
    )


def own_and_published(area: Area) -> Exhibit:
    """Where the area's own figures and the published ones of the same period lie further apart than chance."""
    rows = disagreements(area.values)
    if rows.empty:
        both = area.values.frame["origin"].nunique() > 1
        apart = "lies further from the published one than chance" if both else "can be set beside a published one here"
        none = finding("own-and-published", f"No figure of the authority’s own {apart}.")
        return with_extras(none, minor=True)
    known = [catalogue()[i] for i in rows["indicator"]]
    text = pd.DataFrame(
        {
            "name": [i.name for i in known],
            "period": rows["period"],
            "own": [measured(v, i) for v, i in zip(rows["own_value"], known, strict=True)],
            "published": [measured(v, i) for v, i in zip(rows["published_value"], known, strict=True)],
        }
    )
    return table_exhibit(
        publish_facts(text, source="The authority’s own records and the official files", synthetic=area.synthetic),
        id="own-and-published",
        title=f"{len(text)} figures of the authority’s own lie further from the published ones than chance: ask why",
        columns=[
            {"name": "name", "label": "Indicator", "kind": "text"},
            {"name": "period", "label": "Period", "kind": "text"},
            {"name": "own", "label": "Own records", "kind": "text"},
            {"name": "published", "label": "Published", "kind": "text"},
        ],
        row_header="name",
    )


def _noted(released: Released, sentence: str) -> Released:
    return replace(released, notes=(sentence, *released.notes))
