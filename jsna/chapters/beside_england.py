"""Published counts of an area's groups beside the same ratio within all authorities: sentence, chart, table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import needs, with_extras
from jsna.chapters.disparity import by_dimension, card, comparisons_made, exhibit_id, headline, outcome_name
from jsna.disproportionality.rule import WATCH
from jsna.evidence.comparison import Comparison
from jsna.exhibits.charts import forest
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding

COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "numerator", "label": "Number", "kind": "count"},
    {"name": "denominator", "label": "Out of", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "comparator_percent", "label": "All others (%)", "kind": "percent"},
    {"name": "risk_ratio", "label": "Ratio to all others", "kind": "ratio"},
    {"name": "risk_ratio_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "risk_ratio_upper", "label": "Ratio, upper limit", "kind": "ratio"},
    {"name": "pooled_risk_ratio", "label": "Ratio, pooled", "kind": "ratio"},
    {"name": "england_risk_ratio", "label": "England, within authorities", "kind": "ratio"},
    {"name": "england_lower", "label": "England, lower limit", "kind": "ratio"},
    {"name": "england_upper", "label": "England, upper limit", "kind": "ratio"},
    {"name": "status", "label": "Status", "kind": "text"},
]
FEW = 5  # published numbers under this stand in tables as published; no sentence singles them out
IN_BRIEF = [c for c in COLUMNS if not c["name"].startswith(("pooled", "england_l", "england_u", "status"))]


@needs("official")
def statement(part: Comparison, area: Area, outcome: str) -> Exhibit:
    """The finding in a sentence, with its card; the front page lists only needs in which a group stands out."""
    rows = part.table.frame[part.table.frame["status"] == WATCH].sort_values("risk_ratio", ascending=False)
    detail = tuple(_detail(row) for row in rows.itertuples())
    shown = finding(
        exhibit_id(part, outcome, "finding"), f"{headline(part, outcome)}.", detail=(*detail, comparisons_made(part))
    )
    return with_extras(
        shown,
        card=card(part, area, outcome) | {"details": list(detail)},
        minor=not len(rows) or part.dimension == "sex",
    )


def _detail(row: Any) -> str:
    low, high = (format_number(v, "ratio") for v in (row.risk_ratio_lower, row.risk_ratio_upper))
    few = row.numerator < FEW
    share = f"fewer than {FEW}" if few else f"{format_number(row.percent, 'percent')}% ({int(row.numerator):,}"
    said = (
        f"{row.label}: {share} of {int(row.denominator):,}{'' if few else ')'}, against "
        f"{format_number(row.comparator_percent, 'percent')}% of all others; ratio "
        f"{format_number(row.risk_ratio, 'ratio')} (between {low} and {high}, 95% confidence interval), "
        f"{format_number(row.pooled_risk_ratio, 'ratio')} pooled."
    )
    if pd.isna(row.england_risk_ratio) or pd.isna(row.england_lower):
        return said
    return (
        f"{said} Within all authorities of England: {format_number(row.england_risk_ratio, 'ratio')} (between "
        f"{format_number(row.england_lower, 'ratio')} and {format_number(row.england_upper, 'ratio')})."
    )


@needs("official")
def ratios(part: Comparison, outcome: str) -> Exhibit:
    """Each group's ratio, pooled, with its interval, and the ratio within all authorities beside it."""
    return forest(
        part.table.rows(part.table.frame["known"]),
        id=exhibit_id(part, outcome, "ratios"),
        title=f"{headline(part, outcome)}, {period_name(part.period)}",
        group="label",
        ratio="pooled_risk_ratio",
        lower="pooled_lower",
        upper="pooled_upper",
        status="status",
        axis="Ratio to all others, pooled",
        ratio_label="Ratio, pooled",
        beside="england_risk_ratio",
        beside_label="England, within authorities",
    )


@needs("official")
def figures(part: Comparison, outcome: str) -> Exhibit:
    """All figures of one need."""
    return table_exhibit(
        part.table,
        id=exhibit_id(part, outcome, "table"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: all figures, {period_name(part.period)}",
        columns=COLUMNS,
        row_header="label",
        folded=True,
    )
