"""Is identification even between groups? Rates, ratios and flags for any dimension of the pupil table."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import frame_of_area, needs, passes_notice
from jsna.codes import code_list
from jsna.counts import OUTCOMES
from jsna.disclosure import with_symbols
from jsna.evidence.cards.confidence import graded
from jsna.evidence.comparison import OTHERS, OTHERS_AND_UNKNOWN, Comparison, Dimension, compare, dimension
from jsna.evidence.pipeline import stages
from jsna.evidence.speaks_to import codes_for
from jsna.exhibits.charts import dot_interval, forest
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import listing
from jsna.files.packaged import packaged_yaml
from jsna.sources.homes import UNKNOWN_WARD

WATCH = "watch"
COMPARATORS = {
    OTHERS: "all other pupils of known group",
    OTHERS_AND_UNKNOWN: "all other pupils, those of unknown group among them",
}


@cache
def texts() -> dict[str, Any]:
    """The chapters' words."""
    return packaged_yaml("jsna.chapters", "texts.yml")


@needs("pupils")
def groups(area: Area, by: str) -> Comparison:
    """Every group of the pupil-table column ``by`` against all others, for each SEN outcome, in the latest census."""
    return _compare(area, by, OUTCOMES)


@needs("pupils")
def needs_by(area: Area, by: str, *codes: str) -> Comparison:
    """The same for primary needs: pupils with this primary need among all pupils of the group."""
    return _compare(area, by, tuple(f"need_{code}" for code in codes))


def _compare(area: Area, by: str, outcomes: tuple[str, ...]) -> Comparison:
    return compare(
        area.count([by]),
        area_dimension(area, by),
        outcomes,
        period=area.periods[-1],
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        reference=area.params.reference_ethnicity if by == "ethnicity" else None,
        confidence=area.params.confidence,
    )


def area_dimension(area: Area, by: str) -> Dimension:
    """The dimension of a column of the pupil table."""
    if by != "ward_code":
        return dimension(by)
    return dimension(by, area.wards.set_index("ward_code"), unknown={UNKNOWN_WARD: "Home elsewhere or not known"})


@passes_notice
def rates(comparison: Comparison, outcome: str, order: str = "value") -> Exhibit:
    """A dot for each group's share with its interval."""
    part = comparison.of(outcome)
    return dot_interval(
        part.table,
        id=exhibit_id(part, outcome, "rates"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}, {period_name(part.period)}",
        group="label",
        value="percent",
        lower="percent_lower",
        upper="percent_upper",
        unit="%",
        order=order,
    )


@passes_notice
def ratios(comparison: Comparison, outcome: str) -> Exhibit:
    """Each group's risk ratio to all others with its interval; groups to watch are marked."""
    part = comparison.of(outcome)
    return forest(
        part.table,
        id=exhibit_id(part, outcome, "ratios"),
        title=headline(part, outcome),
        group="label",
        ratio="risk_ratio",
        lower="risk_ratio_lower",
        upper="risk_ratio_upper",
        status="status",
        axis="Crude ratio to all others",
    )


TABLE_COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "numerator", "label": "Identified", "kind": "count"},
    {"name": "denominator", "label": "Pupils", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "percent_lower", "label": "Share, lower limit (%)", "kind": "percent"},
    {"name": "percent_upper", "label": "Share, upper limit (%)", "kind": "percent"},
    {"name": "risk_ratio", "label": "Ratio to all others", "kind": "ratio"},
    {"name": "risk_ratio_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "risk_ratio_upper", "label": "Ratio, upper limit", "kind": "ratio"},
    {"name": "gap_points", "label": "Gap (percentage points)", "kind": "points"},
    {"name": "pupils_affected", "label": "Pupils more (+) or fewer (−) than at others’ rate", "kind": "points"},
    {"name": "status", "label": "Status", "kind": "text"},
]


@passes_notice
def table(comparison: Comparison, outcome: str) -> Exhibit:
    """All figures of one outcome, with the rows that ``flags.csv`` takes."""
    part = comparison.of(outcome)
    return table_exhibit(
        part.table,
        id=exhibit_id(part, outcome, "table"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: all figures, {period_name(part.period)}",
        columns=TABLE_COLUMNS,
        row_header="label",
    )


def headline(part: Comparison, outcome: str) -> str:
    """One sentence, without its full stop: which groups stand out, and which way."""
    frame = part.table.frame
    watched = frame[frame["status"] == WATCH].sort_values("risk_ratio", ascending=False)
    known = int(frame["known"].sum())
    many = texts()["dimensions"][part.dimension]["many"]
    if watched.empty:
        return f"{outcome_name(outcome)}: none of {known} {many} stands out clearly from all others"
    higher = watched.loc[watched["risk_ratio"] > 1, "label"].tolist()
    lower = watched.loc[watched["risk_ratio"] < 1, "label"].tolist()[::-1]
    if known == 2 and len(watched) == 2:
        return f"{outcome_name(outcome)}: {higher[0]} higher than {lower[0]}"
    parts = [f"{listing(higher)} higher" if higher else "", f"{listing(lower)} lower" if lower else ""]
    return f"{outcome_name(outcome)}: {' and '.join(p for p in parts if p)} than all others"


def _details(part: Comparison) -> tuple[str, ...]:
    frame = part.table.frame
    watched = frame[frame["status"] == WATCH].sort_values("risk_ratio", ascending=False)
    return tuple(
        f"{row.label}: {format_number(row.percent, 'percent')}% ({int(row.numerator):,} of "
        f"{int(row.denominator):,}), against {format_number(row.comparator_percent, 'percent')}% of all others; "
        f"ratio {format_number(row.risk_ratio, 'ratio')} "
        f"(between {format_number(row.risk_ratio_lower, 'ratio')} and {format_number(row.risk_ratio_upper, 'ratio')}, "
        "95% confidence interval)."
        for row in watched.itertuples()
    )


def comparisons_made(comparison: Comparison) -> str:
    """How many comparisons were made, in a sentence."""
    count = comparison.comparisons
    return (
        f"{count} comparisons were made; the allowance for so many (false discovery rate 5%) is in each result."
        if count != 1
        else "One comparison was made."
    )


def flag_rows(part: Comparison, area: Area, outcome: str) -> list[dict[str, Any]]:
    """The rows of ``flags.csv``: every comparison, flagged or not; a hidden or absent figure is its symbol."""
    shown = part.table
    is_ward = part.dimension == "ward_code"
    text = pd.DataFrame(
        {
            "area_code": area.code,
            "place_level": "Ward" if is_ward else "Local authority",
            "place_code": shown.frame["group"] if is_ward else area.code,
            "period": part.period,
            "outcome": outcome,
            "characteristic": part.dimension,
            "group": shown.frame["label"],
            "comparator": shown.frame["comparator"],
            "numerator": _cells(shown, "numerator", 0),
            "denominator": _cells(shown, "denominator", 0),
            "risk": _cells(shown, "risk", 4),
            "risk_ratio": _cells(shown, "risk_ratio", 2),
            "risk_ratio_lower": _cells(shown, "risk_ratio_lower", 2),
            "risk_ratio_upper": _cells(shown, "risk_ratio_upper", 2),
            "adjusted_risk_ratio": _cells(shown, "adjusted_risk_ratio", 2),
            "adjusted_lower": _cells(shown, "adjusted_lower", 2),
            "adjusted_upper": _cells(shown, "adjusted_upper", 2),
            "gap_points": _cells(shown, "gap_points", 1),
            "pupils_affected": _cells(shown, "pupils_affected", 0),
            "q_value": _cells(shown, "q_value", 4),
            "status": shown.frame["status"],
            "reasons": shown.frame["reasons"],
            "pooled_risk_ratio": _cells(shown, "pooled_risk_ratio", 2),
            "pooled_lower": _cells(shown, "pooled_lower", 2),
            "pooled_upper": _cells(shown, "pooled_upper", 2),
        }
    )
    return text.astype(str).to_dict("records")


def _cells(shown: Any, column: str, places: int) -> pd.Series:
    """A column as text: rounded once, an unbounded limit as the word, symbols where a figure is not shown."""
    if column not in shown.frame:
        return pd.Series("x", index=shown.frame.index)
    values = shown.frame[column].astype("float64")
    text = values.map(lambda v: "" if pd.isna(v) else "infinity" if np.isinf(v) else f"{v:.{places}f}")
    return with_symbols(text, shown.symbols[column])


def card(part: Comparison, area: Area, outcome: str) -> dict[str, Any]:
    """An evidence card in its first form; the fields that no data fill yet are named in ``incomplete``."""
    table = part.table.frame
    known = table[table["known"]]
    size = known["numerator"].sum(min_count=1)
    hidden = bool((part.table.symbols["numerator"] != "").any())
    return {
        "id": exhibit_id(part, outcome, "card"),
        "outcome": outcome,
        "characteristic": part.dimension,
        "question": f"Which {texts()['dimensions'][part.dimension]['many']} are "
        f"{outcome_verb(outcome)} more or less often than all others?",
        "headline": f"{headline(part, outcome)}.",
        "frames": codes_for(frame_of_area(area), outcome, part.dimension),
        "area": area.label,
        "period": period_name(part.period),
        "pupils_identified": "c" if hidden or pd.isna(size) else int(size),
        "groups_to_watch": known.loc[known["status"] == WATCH, "label"].tolist(),
        "details": list(_details(part)),
        "comparator": COMPARATORS[str(table["comparator"].iloc[0])],
        "comparisons_made": part.comparisons,
        "confidence": graded("crude", "one_period"),
        "source": part.table.source,
        "synthetic": part.table.synthetic,
        "disclosure": area.protection,
    }


def exhibit_id(part: Comparison, outcome: str, kind: str) -> str:
    """The name of an exhibit, which is that of its file in the pack."""
    return f"{part.dimension}-{outcome}-{kind}".replace("_", "-").casefold()


@cache
def outcome_name(outcome: str) -> str:
    """An outcome as readers know it."""
    if outcome.startswith("plans_"):
        return f"Of those with an EHC plan, {outcome_name(outcome.removeprefix('plans_')).casefold()} as primary need"
    if outcome.startswith("need_"):
        return str(code_list("need").loc[outcome.removeprefix("need_"), "plain"])
    told = texts()["outcomes"].get(outcome)
    return told["name"] if told else stages()[outcome].name


@cache
def outcome_verb(outcome: str) -> str:
    """An outcome as what happened to a pupil."""
    if outcome.startswith("plans_"):
        return f"{outcome_verb(outcome.removeprefix('plans_'))}, of those with an EHC plan,"
    if outcome.startswith("need_"):
        return f"identified with {outcome_name(outcome)[0].lower()}{outcome_name(outcome)[1:]} as primary need"
    told = texts()["outcomes"].get(outcome)
    return told["verb"] if told else stages()[outcome].verb


def by_dimension(part: Comparison) -> str:
    """The dimension as it ends a title."""
    return texts()["dimensions"][part.dimension]["of"]
