"""Over the whole range and for groups formed by several characteristics: the deprivation gradient, and strata."""

from __future__ import annotations

from jsna.area import Area, period_name
from jsna.chapters.base import needs
from jsna.chapters.disparity import area_dimension, outcome_name, texts
from jsna.codes import labels
from jsna.evidence.fairness import ALL_OUTCOMES, DEMOGRAPHIC
from jsna.evidence.strata import gradient_table, strata_table
from jsna.exhibits.model import Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding
from jsna.sealed import Sealed


@needs("pupils")
def gradient(area: Area) -> Exhibits:
    """How steeply each outcome goes with the deprivation of the home area, over its whole range."""
    table = gradient_table(
        area.cells("idaci_rank", *DEMOGRAPHIC),
        _homes_known(area),
        ALL_OUTCOMES,
        rank="idaci_rank",
        adjust=DEMOGRAPHIC,
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        confidence=area.params.confidence,
    )
    table = table.with_columns(measure=table.frame["outcome"].map(outcome_name))
    row = table.frame.set_index("outcome").loc["any_sen"]
    sentence = (
        f"Any SEN is identified {format_number(row['relative_index'], 'ratio')} times as often at the most deprived "
        f"end of the area as at the least deprived end (between {format_number(row['lower'], 'ratio')} and "
        f"{format_number(row['upper'], 'ratio')}), among pupils alike in age and sex."
    )
    columns = [
        {"name": "measure", "label": "Measure", "kind": "text"},
        {"name": "numerator", "label": "Identified", "kind": "count"},
        {"name": "relative_index", "label": "Relative index of inequality", "kind": "ratio"},
        {"name": "lower", "label": "Lower limit", "kind": "ratio"},
        {"name": "upper", "label": "Upper limit", "kind": "ratio"},
    ]
    span = f"{period_name(area.periods[0])} to {period_name(area.periods[-1])}"
    title = f"Most against least deprived end of the area, {span}"
    return Exhibits(
        (
            finding("deprivation-gradient", sentence, detail=(texts()["gradient_note"].strip(),)),
            table_exhibit(table, id="deprivation-gradient-table", title=title, columns=columns, row_header="measure"),
        )
    )


def _homes_known(area: Area) -> Sealed:
    """Pupils whose home is known, by census: all of them, or those of the fifths of deprivation."""
    fifths = area.count(["idaci_quintile"]).unseal("to leave out those whose home is not known")
    known = fifths["idaci_quintile"].astype(str) != "0"
    if known.all():
        return area.count([])
    counts = ("pupils", *ALL_OUTCOMES)
    return Sealed(fifths[known].groupby("time_period", observed=True)[list(counts)].sum().reset_index(), counts=counts)


@needs("pupils")
def strata(area: Area, name: str) -> Exhibits:
    """Do ethnicity, sex and deprivation together tell more than the three added up?"""
    by = ["ethnicity", "sex", "idaci_quintile"]
    made = strata_table(
        area.strata_counts(by, leave_out={column: area_dimension(area, column).unknown for column in by}),
        name,
        by,
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        confidence=area.params.confidence,
    )
    answer = made.answer
    share = f"{format_number(100 * answer.vpc_null, 'percent')}%" if not answer.status_null else answer.status_null
    explained = f"{format_number(100 * answer.pcv, 'percent')}%" if not answer.status_pcv else answer.status_pcv
    sentence = (
        f"{outcome_name(name)}: of the differences between groups formed by ethnicity, sex and deprivation, "
        f"{explained} is what the three add up to."
        if not answer.status_pcv
        else f"{outcome_name(name)}: groups formed by ethnicity, sex and deprivation: {explained}."
    )
    detail = (
        f"Of all variation in the tendency to be identified, {share} lies between these groups.",
        made.statement,
        *answer.notes,
    )
    detail = tuple(dict.fromkeys(detail))
    identity = f"strata-{name.replace('_', '-')}"
    if answer.status_main:
        return Exhibits((finding(f"{identity}-finding", sentence, detail=detail),))
    table = made.table.rows(made.table.frame.index < 12)
    shown = table.with_columns(
        label=table.frame["ethnicity"].astype(str).map(labels("ethnicity", "plain"))
        + ", "
        + table.frame["sex"].astype(str).map(labels("sex", "label")).str.lower()
        + ", deprivation fifth "
        + table.frame["idaci_quintile"].astype(str)
    )
    columns = [
        {"name": "label", "label": "Group", "kind": "text"},
        {"name": "numerator", "label": "Identified", "kind": "count"},
        {"name": "denominator", "label": "Pupils", "kind": "count"},
        {"name": "risk", "label": "Share (%)", "kind": "percent"},
        {"name": "predicted", "label": "Share, steadied (%)", "kind": "percent"},
        {"name": "additive", "label": "What the three add up to (%)", "kind": "percent"},
        {"name": "difference_points", "label": "Difference (points)", "kind": "points"},
    ]
    title = f"{outcome_name(name)}: the twelve groups that differ most clearly from what the three add up to"
    return Exhibits(
        (
            finding(f"{identity}-finding", sentence, detail=detail),
            table_exhibit(shown, id=f"{identity}-table", title=title, columns=columns, row_header="label"),
        )
    )
