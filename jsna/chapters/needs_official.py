"""The primary needs of those with a plan, by group: this area beside what is seen within all authorities of England."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import needs, source_row, with_extras
from jsna.chapters.disparity import (
    by_dimension,
    card,
    comparisons_made,
    exhibit_id,
    flag_rows,
    headline,
    outcome_name,
    texts,
)
from jsna.chapters.ehc_official import RELEASE, groups_of
from jsna.chapters.fairness import other_rules
from jsna.codes import code_list
from jsna.disproportionality.rule import WATCH
from jsna.evidence import ehc
from jsna.evidence.comparison import Comparison
from jsna.evidence.published import compare_beside_england
from jsna.evidence.published import needs_of_plans as counts_of_plans
from jsna.exhibits.charts import forest
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, heading

TABLE = "sen_needs_all_plans"
COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "numerator", "label": "Plans with this need", "kind": "count"},
    {"name": "denominator", "label": "All plans", "kind": "count"},
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
IN_BRIEF = [c for c in COLUMNS if not c["name"].startswith(("pooled", "england_l", "england_u", "status"))]


@needs("official")
def needs_of_plans(area: Area, topic: str) -> Comparison:
    """Of those with a plan in each group of ``topic``, the share with each primary need, against all others."""
    table = area.official.ehc(TABLE).frame
    period = ehc.latest_period(table)
    return compare_beside_england(
        counts_of_plans(table, topic, period, list(code_list("need").index)),
        area.code,
        groups_of(topic),
        period=period,
        policy=area.policy,
        source=f"{RELEASE}, {TABLE}, {period}: share of plans, not of pupils",
        reference=area.params.reference_ethnicity if topic == "Ethnicity" else None,
        confidence=area.params.confidence,
    )


@needs("official")
def overview(comparison: Comparison, area: Area) -> Exhibits:
    """What stands out over all needs, with every comparison for ``flags.csv``."""
    frame = comparison.table.frame
    watched = comparison.table.rows(frame["status"] == WATCH)
    rows = [r for o in dict.fromkeys(frame["outcome"]) for r in flag_rows(comparison.of(o), area, o)]
    many = texts()["dimensions"][comparison.dimension]["many"]
    count = len(watched.frame)
    sentence = (
        f"Of those with an EHC plan, {comparison.comparisons} comparisons of primary needs were made between {many}; "
        f"{count} {'is' if count == 1 else 'are'} to watch."
    )
    name = f"{comparison.dimension}-needs-of-plans"
    shown = with_extras(
        finding(name, sentence, detail=(texts()["beside_england_note"].strip(), texts()["crude_note"].strip())),
        flags=rows,
        sources=[source_row(area.official.ehc(TABLE))],
    )
    if not count:
        return Exhibits((shown,))
    named = watched.with_columns(measure=watched.frame["outcome"].map(_need))
    table = table_exhibit(
        named,
        id=f"{name}-table",
        title=f"To watch {by_dimension(comparison)}, {period_name(comparison.period)}",
        columns=[{"name": "measure", "label": "Primary need", "kind": "text"}, *IN_BRIEF],
        row_header="measure",
    )
    return Exhibits((shown, table))


@needs("official")
def each_need(comparison: Comparison, area: Area, frame: str) -> Exhibits:
    """Every primary need under its heading: the finding, ratios beside England's, all figures, the rules of others."""
    shown: list[Exhibit] = []
    for outcome in dict.fromkeys(comparison.table.frame["outcome"]):
        part = comparison.of(outcome)
        shown.append(heading(exhibit_id(part, outcome, "heading"), _need(outcome)))
        shown += [statement(part, area, outcome, frame), ratios(part, outcome), figures(part, outcome)]
        shown.append(other_rules(part, outcome))
    return Exhibits(tuple(shown))


def statement(part: Comparison, area: Area, outcome: str, frame: str) -> Exhibit:
    """The finding in a sentence, with its card; the front page lists only needs in which a group stands out."""
    rows = part.table.frame[part.table.frame["status"] == WATCH].sort_values("risk_ratio", ascending=False)
    detail = tuple(_detail(row) for row in rows.itertuples())
    shown = finding(
        exhibit_id(part, outcome, "finding"), f"{headline(part, outcome)}.", detail=(*detail, comparisons_made(part))
    )
    return with_extras(shown, card=card(part, area, outcome, frame) | {"details": list(detail)}, minor=not len(rows))


def _detail(row: Any) -> str:
    low, high = (format_number(v, "ratio") for v in (row.risk_ratio_lower, row.risk_ratio_upper))
    said = (
        f"{row.label}: {format_number(row.percent, 'percent')}% ({int(row.numerator):,} of {int(row.denominator):,}), "
        f"against {format_number(row.comparator_percent, 'percent')}% of all others; ratio "
        f"{format_number(row.risk_ratio, 'ratio')} (between {low} and {high}, 95% confidence interval)."
    )
    if pd.isna(row.england_risk_ratio) or pd.isna(row.england_lower):
        return said
    return (
        f"{said} Within all authorities of England: {format_number(row.england_risk_ratio, 'ratio')} (between "
        f"{format_number(row.england_lower, 'ratio')} and {format_number(row.england_upper, 'ratio')})."
    )


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
        axis="Ratio to all others with a plan, pooled",
        beside="england_risk_ratio",
        beside_label="England, within authorities",
    )


def figures(part: Comparison, outcome: str) -> Exhibit:
    """All figures of one need."""
    return table_exhibit(
        part.table,
        id=exhibit_id(part, outcome, "table"),
        title=f"{_need(outcome)} {by_dimension(part)}: all figures, {period_name(part.period)}",
        columns=COLUMNS,
        row_header="label",
        folded=True,
    )


def _need(outcome: str) -> str:
    return outcome_name(outcome.removeprefix("plans_"))
