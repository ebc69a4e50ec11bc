"""The primary needs of those with a plan, by group: this area beside what is seen within all authorities of England."""

from __future__ import annotations

from jsna.area import Area, period_name
from jsna.chapters import beside_england
from jsna.chapters.base import needs, source_row, with_extras
from jsna.chapters.disparity import by_dimension, exhibit_id, flag_rows, outcome_name, texts
from jsna.chapters.ehc_official import RELEASE, groups_of
from jsna.chapters.fairness import other_rules
from jsna.codes import code_list
from jsna.disproportionality.rule import WATCH
from jsna.evidence import ehc
from jsna.evidence.comparison import Comparison
from jsna.evidence.published import compare_beside_england
from jsna.evidence.published import needs_of_plans as counts_of_plans
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding, heading

TABLE = "sen_needs_all_plans"


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
        columns=[{"name": "measure", "label": "Primary need", "kind": "text"}, *beside_england.IN_BRIEF],
        row_header="measure",
    )
    return Exhibits((shown, table))


@needs("official")
def each_need(comparison: Comparison, area: Area) -> Exhibits:
    """Every primary need under its heading: the finding, ratios beside England's, all figures, the rules of others."""
    shown: list[Exhibit] = []
    for outcome in dict.fromkeys(comparison.table.frame["outcome"]):
        part = comparison.of(outcome)
        shown.append(heading(exhibit_id(part, outcome, "heading"), _need(outcome)))
        shown += [
            beside_england.statement(part, area, outcome),
            beside_england.ratios(part, outcome),
            beside_england.figures(part, outcome),
        ]
        shown.append(other_rules(part, outcome))
    return Exhibits(tuple(shown))


def _need(outcome: str) -> str:
    return outcome_name(outcome.removeprefix("plans_"))
