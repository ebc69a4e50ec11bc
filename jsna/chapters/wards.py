"""Wards on a map."""

from __future__ import annotations

from jsna.area import Area, period_name
from jsna.chapters.base import needs
from jsna.chapters.disparity import texts
from jsna.evidence.comparison import Comparison
from jsna.exhibits.maps import choropleth
from jsna.exhibits.model import Exhibit


@needs("pupils")
def rate_map(comparison: Comparison, area: Area, outcome: str) -> Exhibit:
    """Each ward's share, with the wards hatched whose interval holds the share of all others."""
    from geo.places import embedded_wards

    part = comparison.of(outcome)
    shown = part.table.frame
    average = 100 * shown["numerator"].sum() / shown["denominator"].sum()
    return choropleth(
        part.table,
        embedded_wards(),
        id=f"wards-{outcome.replace('_', '-')}-map",
        title=f"{texts()['outcomes'][outcome]['name']} by ward of residence, {period_name(part.period)}",
        code="group",
        label="label",
        value="percent",
        lower="percent_lower",
        upper="percent_upper",
        average=average,
        unit="% of pupils",
        note="Approximate ward shapes, made from super-generalised LSOA 2011 shapes by best fit.",
    )
