"""Which groups are over- or under-identified, how sure is it, and what would another analysis have said?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import gap, needs, passes_notice, source_row, with_extras
from jsna.chapters.disparity import (
    area_dimension,
    by_dimension,
    card,
    exhibit_id,
    flag_rows,
    outcome_name,
    texts,
)
from jsna.codes import labels
from jsna.counts import NEEDS, OUTCOMES
from jsna.disclosure import Released
from jsna.disproportionality import reason_text
from jsna.disproportionality.peers import RULES
from jsna.disproportionality.rule import INSUFFICIENT, OVER, UNDER, WATCH
from jsna.evidence.cards.confidence import graded
from jsna.evidence.comparison import Comparison
from jsna.evidence.fairness import ALL_OUTCOMES, DEPRIVATION, LINES, RULE, STANDING, adjusters_of, assess
from jsna.exhibits.charts import forest, specification_dots
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, heading, listing


@needs("pupils")
def judged(area: Area, by: str, *, needs: bool = True) -> Comparison:
    """Every group of the column ``by`` against all others, for every outcome (and primary ``need``), with its flag."""
    demographic, deprivation = adjusters_of(by)
    return assess(
        area.cells(by, *demographic, *deprivation),
        area.count([by]),
        area.repeats,
        area_dimension(area, by),
        ALL_OUTCOMES if needs else OUTCOMES,
        periods=area.periods,
        demographic=demographic,
        deprivation=deprivation,
        policy=area.policy,
        source=area.pupil_source,
        synthetic=area.synthetic,
        reference=area.params.reference_ethnicity if by == "ethnicity" else None,
        wider=labels("ethnicity", "major") if by == "ethnicity" else None,
        confidence=area.params.confidence,
    )


@needs("pupils")
def overview(comparison: Comparison, area: Area) -> Exhibits:
    """What stands out over all outcomes, in a sentence and a table, with every comparison for ``flags.csv``."""
    frame = comparison.table.frame
    rows = [r for o in dict.fromkeys(frame["outcome"]) for r in flag_rows(comparison.of(o), area, o)]
    many = texts()["dimensions"][comparison.dimension]["many"]
    watched = int((frame["status"] == WATCH).sum())
    unsure = int(((frame["status"] == INSUFFICIENT) & frame["known"]).sum())
    sentence = (
        f"{comparison.comparisons} comparisons were made between {many}; {_count(comparison.flagged, 'is', 'are')} "
        f"flagged as over- or under-identified and {_count(watched, 'is', 'are')} to watch."
    )
    silence = f"In {unsure} of them the figures cannot tell; that is not the same as no difference."
    detail = (
        *([silence] if unsure else []),
        texts()["flag_note"].strip(),
        *comparison.remarks,
    )
    shown = with_extras(
        finding(f"{comparison.dimension.replace('_', '-')}-flags", sentence, detail=detail),
        flags=rows,
        sources=[source_row(area.roll)],
    )
    standing = comparison.table.rows(frame["status"].isin(STANDING))
    if not len(standing.frame):
        return Exhibits((shown,))
    table = table_exhibit(
        standing.with_columns(
            measure=standing.frame["outcome"].map(outcome_name), why=standing.frame["reasons"].map(_why)
        ),
        id=f"{comparison.dimension.replace('_', '-')}-flags-table",
        title=f"Groups that stand out {by_dimension(comparison)}, {_span(comparison)}",
        columns=[{"name": "measure", "label": "Measure", "kind": "text"}, *FLAG_COLUMNS],
        row_header="label",
    )
    return Exhibits((shown, table))


@needs("pupils")
def outcome(comparison: Comparison, area: Area, name: str) -> Exhibits:
    """All there is to say of one outcome: the finding, the ratios, the flags, the three lines, other analyses."""
    part = comparison.of(name)
    shown = [statement(part, area, name), ratios(part, name), flags_table(part, name), lines_table(part, name)]
    if part.table.frame["status"].isin(STANDING).any():
        shown += [curves(part, name), curve_table(part, name)]
    return Exhibits((*shown, other_rules(part, name)))


@needs("pupils")
def primary_needs(comparison: Comparison, area: Area) -> Exhibits:
    """The same of every primary need, each under its heading."""
    shown: list[Exhibit] = []
    for name in (f"need_{code}" for code in NEEDS):
        shown.append(heading(exhibit_id(comparison, name, "heading"), outcome_name(name)))
        shown += outcome(comparison, area, name).items
    return Exhibits(tuple(shown))


def statement(part: Comparison, area: Area, outcome: str) -> Exhibit:
    """The finding in a sentence made from the numbers, with its evidence card."""
    words, details = f"{headline(part, outcome)}.", _details(part)
    shown = finding(exhibit_id(part, outcome, "finding"), words, detail=(*details, _made(part)))
    made = card(part, area, outcome)
    made |= {
        "headline": words,
        "groups_over_identified": _named(part, OVER),
        "groups_under_identified": _named(part, UNDER),
        "groups_to_watch": _named(part, WATCH),
        "details": list(details),
        "confidence": graded("observational"),
    }
    # The front page lists a primary need only where a group stands out, and not for each between boys and girls.
    minor = outcome.startswith("need_") and (part.dimension == "sex" or not details)
    return with_extras(shown, card=made, minor=minor)


def headline(part: Comparison, outcome: str) -> str:
    """One sentence, without its full stop: which groups stand out, and which way."""
    over, under, watch = (_named(part, s) for s in (OVER, UNDER, WATCH))
    known = int(part.table.frame["known"].sum())
    many = texts()["dimensions"][part.dimension]["many"]
    said = [
        f"{listing(over)} identified more often than all others" if over else "",
        f"{listing(under)} identified less often{'' if over else ' than all others'}" if under else "",
        f"{listing(watch)} to watch" if watch else "",
    ]
    if not any(said):
        return f"{outcome_name(outcome)}: none of {known} {many} stands out{_smaller(part)}"
    return f"{outcome_name(outcome)}: {'; '.join(s for s in said if s)}"


def _smaller(part: Comparison) -> str:
    """What may be there all the same, where no group stands out."""
    frame = part.table.frame[part.table.frame["known"]]
    small = int(frame["reasons"].astype(str).str.contains("small_difference").sum())
    unsure = int((frame["status"] == INSUFFICIENT).sum())
    likely = f"; smaller differences are likely in {small}" if small else ""
    return f"{likely}; in {unsure} the figures cannot tell" if unsure else likely


def _named(part: Comparison, status: str) -> list[str]:
    rows = part.table.frame[part.table.frame["status"] == status]
    return rows.sort_values("pooled_risk_ratio", ascending=status == UNDER)["label"].tolist()


def _details(part: Comparison) -> tuple[str, ...]:
    frame = part.table.frame
    rows = frame[frame["status"].isin(STANDING)].sort_values("pooled_risk_ratio", ascending=False)
    return tuple(_detail(row, part) for row in rows.itertuples())


def _detail(row: Any, part: Comparison) -> str:
    said = f"{row.label}, {row.status}: "
    if pd.isna(row.numerator) or pd.isna(row.pooled_risk_ratio):
        return f"{said}the figures are hidden to protect people. {' '.join(reason_text(row.reasons))}"
    number = abs(row.pupils_affected)
    way = "more" if row.pupils_affected > 0 else "fewer"
    return (
        f"{said}{format_number(row.percent, 'percent')}% ({int(row.numerator):,} of {int(row.denominator):,}), against "
        f"{format_number(row.comparator_percent, 'percent')}% of all others. Among pupils alike in "
        f"{_alike(part)}, {format_number(row.pooled_risk_ratio, 'ratio')} times the others’ rate (between "
        f"{format_number(row.pooled_lower, 'ratio')} and {format_number(row.pooled_upper, 'ratio')}): about "
        f"{format_number(number, 'count')} pupils {way} than at the others’ rate "
        f"({_between(row.pupils_affected_lower, row.pupils_affected_upper)}). {' '.join(reason_text(row.reasons))}"
    )


def _between(lower: float, upper: float) -> str:
    """Limits of a number of pupils in words: where they lie on both sides of none, which is fewer and which more.

    >>> _between(-173.0, -5.2), _between(-5.2, 173.0)
    ('between 5 and 173', 'between 5 fewer and 173 more')
    """
    low, high = (format_number(abs(v), "count") for v in sorted((lower, upper), key=abs))
    if lower < 0 < upper:
        return f"between {format_number(-lower, 'count')} fewer and {format_number(upper, 'count')} more"
    return f"between {low} and {high}"


def _alike(part: Comparison) -> str:
    return listing([texts()["adjusters"][c] for c in part.adjusted_for])


def _made(part: Comparison) -> str:
    frame = part.table.frame
    own = int((frame["known"] & (frame["denominator"].notna() | (part.table.symbols["denominator"] == "c"))).sum())
    return (
        f"{own} groups were compared for this measure, and {part.comparisons} comparisons were made over all "
        f"measures; {_count(part.flagged, 'is', 'are')} flagged. At most about 5% of what is flagged for a measure is "
        "expected to be wrong."
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number or 'none'} {many if number > 1 else one}"


def _span(part: Comparison) -> str:
    if len(part.periods) < 2:
        return period_name(part.period)
    return f"{period_name(part.periods[0])} to {period_name(part.periods[-1])}"


def _why(codes: Any) -> str:
    return " ".join(reason_text(codes)) if isinstance(codes, str) else ""


@passes_notice
def ratios(part: Comparison, outcome: str) -> Exhibit:
    """Each group's pooled ratio to all others with its interval, and the crude one beside it."""
    return forest(
        part.table.rows(part.table.frame["known"]),
        id=exhibit_id(part, outcome, "ratios"),
        title=f"{headline(part, outcome)}, {_span(part)}",
        group="label",
        ratio="pooled_risk_ratio",
        lower="pooled_lower",
        upper="pooled_upper",
        status="status",
        axis=f"Ratio to all others, alike in {_alike(part)}, pooled",
        ratio_label="Ratio, pooled",
        beside="crude_risk_ratio",
        beside_label="crude ratio",
    )


FLAG_COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "numerator", "label": "Identified", "kind": "count"},
    {"name": "denominator", "label": "Pupils", "kind": "count"},
    {"name": "percent", "label": "Share (%)", "kind": "percent"},
    {"name": "pooled_risk_ratio", "label": "Ratio, pooled", "kind": "ratio"},
    {"name": "pooled_lower", "label": "Ratio, lower limit", "kind": "ratio"},
    {"name": "pooled_upper", "label": "Ratio, upper limit", "kind": "ratio"},
    {"name": "pupils_affected", "label": "Pupils more (+) or fewer (−) than at others’ rate", "kind": "count"},
    {"name": "status", "label": "Status", "kind": "text"},
    {"name": "why", "label": "Why", "kind": "words"},
]


def flags_table(part: Comparison, outcome: str) -> Exhibit:
    """Every group with its figures, its status and the reasons in words."""
    return table_exhibit(
        part.table.with_columns(why=part.table.frame["reasons"].map(_why)),
        id=exhibit_id(part, outcome, "flags"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: status of every group, {period_name(part.period)}",
        columns=FLAG_COLUMNS,
        row_header="label",
    )


def lines_table(part: Comparison, outcome: str) -> Exhibit:
    """The three lines: crude; age and sex; age, sex and deprivation, each with its interval clustered by school."""
    columns = [{"name": "label", "label": "Group", "kind": "text"}]
    shown = LINES if set(DEPRIVATION) & set(part.adjusted_for) else LINES[:-1]
    for line in shown:
        name = texts()["lines"][line]
        columns += [
            {"name": f"{line}_risk_ratio", "label": f"{name}: ratio", "kind": "ratio"},
            {"name": f"{line}_lower", "label": f"{name}: lower limit", "kind": "ratio"},
            {"name": f"{line}_upper", "label": f"{name}: upper limit", "kind": "ratio"},
        ]
    return table_exhibit(
        part.table.rows(part.table.frame["known"]),
        id=exhibit_id(part, outcome, "lines"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: ratio to all others, line by line, {_span(part)}",
        columns=columns,
        row_header="label",
        folded=True,
    )


CURVE_COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "comparator_name", "label": "Compared with", "kind": "text"},
    {"name": "adjustment_name", "label": "Allowing for", "kind": "text"},
    {"name": "censuses", "label": "Censuses", "kind": "text"},
    {"name": "subset", "label": "Schools", "kind": "text"},
    {"name": "detail", "label": "Groups", "kind": "text"},
    {"name": "risk_ratio", "label": "Ratio", "kind": "ratio"},
]


def curves(part: Comparison, outcome: str) -> Exhibit:
    """Every analysis that could have been made of the groups that stand out."""
    released = part.curves
    if released is None:
        return gap(exhibit_id(part, outcome, "curve"), "No group stands out, so no other analysis was made.", "")
    lines = texts()["lines"]
    return specification_dots(
        released.with_columns(
            label=released.frame["group"].map(part.labels),
            comparator_name=released.frame["comparator"].map(lambda c: part.labels.get(c, c)),
            adjustment_name=released.frame["adjustment"].map(lambda a: lines[a]),
        ),
        id=exhibit_id(part, outcome, "curve"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: what other choices of analysis would show",
        group="label",
        ratio="risk_ratio",
        asks="same_question",
        columns=CURVE_COLUMNS,
    )


def curve_table(part: Comparison, outcome: str) -> Exhibit:
    """For each group that stands out: the middle of all analyses, how many agree, and which choice matters most."""
    rows = part.table.rows(part.table.frame["status"].isin(STANDING))
    frame = rows.frame.assign(
        agree=100 * rows.frame["share_same_question"].astype("float64"),
        beyond=100 * rows.frame["share_beyond"].astype("float64"),
        most=rows.frame["moves_most"].map(texts()["choices"]),
    )
    symbols = rows.symbols.assign(
        agree=rows.symbols["share_same_question"], beyond=rows.symbols["share_beyond"], most=rows.symbols["moves_most"]
    )
    return table_exhibit(
        Released(frame, symbols, rows.source, rows.synthetic, rows.notes),
        id=exhibit_id(part, outcome, "checks"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: how far the groups that stand out depend on choices",
        columns=[
            {"name": "label", "label": "Group", "kind": "text"},
            {"name": "median_ratio", "label": "Middle of all analyses", "kind": "ratio"},
            {"name": "agree", "label": "Same question: on the same side (%)", "kind": "percent"},
            {"name": "beyond", "label": "All: at least 1.25 or at most 0.80 (%)", "kind": "percent"},
            {"name": "most", "label": "The choice that moves it most", "kind": "text"},
            {"name": "moves_by", "label": "By a factor of", "kind": "ratio"},
            {"name": "within_schools", "label": "Ratio within schools", "kind": "ratio"},
            {"name": "without_one_school", "label": "Ratio without the school that matters most", "kind": "ratio"},
            {"name": "unknown_lowest", "label": "Lowest, whoever the unknown are", "kind": "ratio"},
            {"name": "unknown_highest", "label": "Highest, whoever the unknown are", "kind": "ratio"},
        ],
        row_header="label",
        folded=True,
    )


def other_rules(part: Comparison, outcome: str) -> Exhibit:
    """What another rule would have said of the same figures."""
    frame = part.table.frame
    known = frame[frame["known"]]
    way = known["status"].map({OVER: "over", UNDER: "under"})
    if not part.judged:
        watched = known["risk_ratio"].gt(1).map({True: "over", False: "under"})
        way = watched.where(known["status"] == WATCH)
    own = texts()["our_rule" if part.judged else "our_crude_rule"]
    rows = [{"rule": own, **_called(known, way), "fault": ""}]
    for rule, words in RULES.items():
        if RULE + rule in known:
            rows.append({"rule": words["name"], **_called(known, known[RULE + rule]), "fault": words["fault"]})
    table = pd.DataFrame(rows)
    symbols = pd.DataFrame("", index=table.index, columns=table.columns)
    return table_exhibit(
        Released(table, symbols, part.table.source, part.table.synthetic, part.table.notes),
        id=exhibit_id(part, outcome, "other-rules"),
        title=f"{outcome_name(outcome)} {by_dimension(part)}: what another rule would have said",
        columns=[
            {"name": "rule", "label": "Rule", "kind": "text"},
            {"name": "over", "label": "Called over-identified", "kind": "text"},
            {"name": "under", "label": "Called under-identified", "kind": "text"},
            {"name": "fault", "label": "What to know of the rule", "kind": "words"},
        ],
        row_header="rule",
        folded=True,
    )


def _called(known: pd.DataFrame, word: pd.Series) -> dict[str, str]:
    return {way: listing(known.loc[word == way, "label"].tolist()) or "none" for way in ("over", "under")}
