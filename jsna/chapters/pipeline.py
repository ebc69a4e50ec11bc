"""The EHC process from request to the end of a plan: is each stage the same for every group?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import frame_of_area, gap, needs, passes_notice, source_row, with_extras
from jsna.chapters.disparity import flag_rows, texts
from jsna.chapters.ehc import case_source
from jsna.chapters.pipeline_columns import AGE, ENGLAND, FIGURES, GLANCE, KNOWN, OVERALL
from jsna.chapters.pipeline_periods import dated, periods_in_words
from jsna.disproportionality.rule import WATCH
from jsna.evidence.cards.confidence import graded
from jsna.evidence.comparison import Comparison
from jsna.evidence.pipeline import Stage, official_counts, stages
from jsna.evidence.pipeline.compared import Pipeline, compared
from jsna.evidence.pipeline.own import compared_own
from jsna.evidence.pipeline.own_counts import other_lists, own_counts_of
from jsna.exhibits.charts import forest
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.pipeline_chart import matrix
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, heading, listing

IN_SUMMARY = 5  # groups to watch that the summary names


@needs("official")
def official(area: Area) -> Pipeline:
    """Every stage by ethnic group, sex and age from the official release, beside all authorities of England."""
    counts = official_counts(area.official)
    return compared(
        counts,
        area.code,
        policy=area.policy,
        source=stages().words["release"],
        reference=area.params.reference_ethnicity,
        confidence=area.params.confidence,
    )


@needs("cases")
def own(area: Area) -> Pipeline | Exhibit:
    """The stages that the authority's own lists can tell, by the same groups, and within age."""
    counts = own_counts_of(area)
    if not counts.says_ages:
        words = texts()["pipeline"]
        return gap("ehc-pipeline", " ".join(words["no_ages"].split()), " ".join(words["join"].split()))
    return compared_own(
        counts,
        policy=area.policy,
        source=case_source(area),
        synthetic=area.synthetic,
        reference=area.params.reference_ethnicity,
        confidence=area.params.confidence,
    )


@passes_notice
def summary(made: Pipeline, area: Area) -> Exhibit:
    """How many comparisons were made and which groups stand out, with every row for ``flags.csv`` and a card."""
    watched, many = made.watched, len(made.watched)
    sentence = (
        f"From request to the end of a plan, {made.compared} comparisons between groups were made over "
        f"{len(made.outcomes)} stages in {area.label}: {made.unjudged} could not be judged, because too few children "
        f"stand behind them; {many or 'none'} {'are' if many > 1 else 'is'} to watch."
    )
    singled = watched[watched["numerator"] >= stages().words["fewest_for_sentence"]]
    named = [f"{_name(row, made)}, {_brief(row)}" for row in singled.head(IN_SUMMARY).itertuples()]
    words = texts()["pipeline"]
    more = many - len(named)
    detail = [
        *named,
        *([f"{more} more {'stands' if more == 1 else 'stand'} in the tables."] if more and named else []),
        words["allowance"].strip(),
        words["not_need"].strip(),
        words["near_one"].strip(),
        *([] if made.official else [words["own"].strip()]),
        *([] if made.official or area.roll.rows else [words["not_joined"].strip()]),
    ]
    shown = finding("ehc-pipeline", sentence, detail=detail)
    return with_extras(shown, flags=_flags(made, area), card=_card(made, area, shown), sources=_sources(made, area))


def _flags(made: Pipeline, area: Area) -> list[dict[str, Any]]:
    """The rows of ``flags.csv``, of all stages of one dimension and period at a time."""
    frame = made.table.frame
    period = frame["outcome"].map(made.periods)
    rows = []
    for (dimension, when), part in frame.groupby([frame["dimension"], period], sort=False):
        table = made.table.rows(frame.index.isin(part.index))
        told = flag_rows(Comparison(table, str(dimension), str(when), made.comparisons), area, "")
        rows += [row | {"outcome": outcome} for row, outcome in zip(told, part["outcome"], strict=True)]
    return rows


def _part(made: Pipeline, outcome: str, dimension: str) -> Comparison | None:
    frame = made.table.frame
    there = (frame["outcome"] == outcome) & (frame["dimension"] == dimension)
    return made.of(outcome, dimension) if there.any() else None


def _sources(made: Pipeline, area: Area) -> list[dict[str, Any]]:
    if not made.official:
        return [source_row(area.ehc_cases), *(source_row(loaded) for loaded in other_lists(area).values())]
    tables = dict.fromkeys(stages()[o].table for o in made.outcomes)
    return [source_row(area.official.ehc(t)) for t in tables]


def _card(made: Pipeline, area: Area, shown: Exhibit) -> dict[str, Any]:
    codes = frame_of_area(area).of_indicator
    indicators = dict.fromkeys(stages()[o].indicator for o in made.outcomes)
    watched = made.watched
    return {
        "id": "ehc-pipeline-card",
        "question": "At which stages of the EHC process do groups fare differently?",
        "headline": shown.title,
        "frames": sorted({code for i in indicators for code in codes.get(i, [])}),
        "area": area.label,
        "period": periods_in_words(made.periods),
        "groups_to_watch": [f"{_name(row, made)}, {row.label}" for row in watched.itertuples()],
        "details": list(shown.notes[: min(IN_SUMMARY, len(watched))]),
        "comparator": "all others of known group"
        + ("; beside them, the same within all authorities of England" if made.official else ""),
        "comparisons_made": made.compared,
        "confidence": graded("crude", "not_crossed" if made.official else "within_ages"),
        "source": dated(made.table, made.periods).source,
        "synthetic": made.table.synthetic,
        "disclosure": area.protection,
    }


def stage_name(stage: Stage, official: bool) -> str:
    """A stage's name: as the release counts it, or as an authority's own lists do."""
    return stage.name if official or not (stage.own and stage.own.name) else stage.own.name


def _name(row: Any, made: Pipeline) -> str:
    return stage_name(stages()[row.outcome], made.official)


def _brief(row: Any) -> str:
    said = (
        f"{_who(row)}: {_pc(row.percent)}%, against {_pc(row.comparator_percent)}% of all others; "
        f"ratio {_ratio(row, 'risk_ratio', 'risk_ratio_lower', 'risk_ratio_upper')}"
    )
    return f"{said}{_beside(row)}."


def _who(row: Any) -> str:
    return f"aged {row.label}" if row.dimension == "age" else row.label


def _pc(value: float) -> str:
    return format_number(value, "percent")


def _ratio(row: Any, value: str, lower: str, upper: str) -> str:
    number, low, high = (format_number(getattr(row, c), "ratio") for c in (value, lower, upper))
    return f"{number} (between {low} and {high}, 95% confidence interval)"


def _beside(row: Any) -> str:
    if pd.notna(getattr(row, "england_lower", None)):
        return f"; within all authorities of England {format_number(row.england_risk_ratio, 'ratio')}"
    if pd.notna(getattr(row, "age_lower", None)):
        return f"; among those of the same age band {format_number(row.age_risk_ratio, 'ratio')}"
    return ""


@passes_notice
def glance(made: Pipeline, dimension: str) -> Exhibit:
    """The whole process at one look: each group's ratio at each main stage, all stages in the table behind it."""
    frame = made.table.frame
    rows = dated(made.table.rows((frame["dimension"] == dimension) & frame["known"]), made.periods)
    known = {o: stages()[o] for o in made.outcomes}
    rows = rows.with_columns(
        stage=rows.frame["outcome"].map(lambda o: stage_name(known[o], made.official)),
        heading=rows.frame["outcome"].map(lambda o: _heading(known[o], made.official)),
    )
    there = set(rows.frame["outcome"])
    shown = [_heading(s, made.official) for o, s in known.items() if (s.glance or not made.official) and o in there]
    watched = rows.frame[rows.frame["status"] == WATCH]
    count = int(watched["heading"].isin(shown).sum())
    more = len(watched) - count
    made_of = matrix(
        rows,
        id=f"ehc-pipeline-{dimension}",
        title=f"From request to review {texts()['dimensions'][dimension]['of']}: {_to_watch(count)}, "
        f"{periods_in_words(made.periods)}",
        group="label",
        stage="heading",
        ratio="risk_ratio",
        status="status",
        stages=shown,
        columns=[*GLANCE, *(ENGLAND[:1] if made.official else AGE[:1])],
        row_header="label",
    )
    note = f"{more} more to watch {'is' if more == 1 else 'are'} of stages that stand in the table alone."
    return replace(made_of, notes=(*made_of.notes, note)) if more else made_of


def _heading(stage: Stage, official: bool) -> str:
    return stage.heading if official or not (stage.own and stage.own.heading) else stage.own.heading


def _to_watch(count: int) -> str:
    return f"{count} to watch" if count else "none to watch"


@passes_notice
def overall(made: Pipeline, area: Area) -> Exhibit:
    """Each stage for all children together, beside England's published row, and how many are of known group."""
    text = made.overall.frame["outcome"].map(lambda o: stages()[o])
    rows = dated(made.overall, made.periods).with_columns(
        stage=text.map(lambda s: stage_name(s, made.official)),
        of=text.map(lambda s: ", out of ".join(_words(s, made.official))),
        period=made.overall.frame["outcome"].map(lambda o: period_name(made.periods[o])),
    )
    england = [{"name": "england_percent", "label": "England (%)", "kind": "percent"}] if made.official else []
    kind, unit = ("percent", " (%)") if made.official else ("text", "")
    known = [{"name": f"{d}_known", "label": f"{label}{unit}", "kind": kind} for d, label in KNOWN.items()]
    made_of = table_exhibit(
        rows,
        id="ehc-pipeline-overall",
        title=f"Every stage of the EHC process in {area.label}, and of how many the group is known",
        columns=[*OVERALL, *england, *known],
        row_header="stage",
    )
    return replace(made_of, notes=(*made_of.notes, *made.notes))


def _words(stage: Stage, official: bool) -> tuple[str, str]:
    return stage.own.words if not official and stage.own and stage.own.words else stage.words


@passes_notice
def each_stage(made: Pipeline, area: Area) -> Exhibits:
    """Every stage under its heading: which groups stand out, in sentences, and all figures."""
    shown: list[Exhibit] = []
    for outcome in made.outcomes:
        stage = stages()[outcome]
        name = f"ehc-pipeline-{outcome.replace('_', '-')}"
        shown += [
            heading(f"{name}-heading", stage_name(stage, made.official)),
            with_extras(_stage_finding(made, area, stage, name), minor=True),
            _stage_table(made, stage, name),
        ]
    return Exhibits(tuple(shown))


def _stage_finding(made: Pipeline, area: Area, stage: Stage, name: str) -> Exhibit:
    rows = made.overall.frame.set_index("outcome").loc[[stage.key]]
    row = next(rows.itertuples())
    counted, out_of = _words(stage, made.official)
    watched = made.watched[made.watched["outcome"] == stage.key]
    singled = watched[watched["numerator"] >= stages().words["fewest_for_sentence"]]
    many = int(((made.table.frame["outcome"] == stage.key) & made.table.frame["known"]).sum())
    if pd.isna(row.percent):
        sentence = f"{stage.question[:-1]}: no share can be shown for {area.label}."
    else:
        stands_out = _stands_out(singled, len(watched) - len(singled), many)
        sentence = f"{_pc(row.percent)}% in {period_name(made.periods[stage.key])}: {stands_out}."
    detail = [f"Counted are {counted}, out of {out_of}."]
    if pd.notna(row.percent):
        detail.append(
            f"{int(row.numerator):,} of {int(row.denominator):,} in {area.label}; between {_pc(row.percent_lower)}% "
            f"and {_pc(row.percent_upper)}% (95% confidence interval)."
        )
    if made.official:
        detail.append(f"England: {_pc(row.england_percent)}%.")
    detail += [_first_upper(_brief(r)) for r in singled.itertuples()]
    balancing = [stage_name(stages()[b], made.official) for b in stage.balancing if b in made.outcomes]
    detail += [f"To be read with: {listing(balancing)}."] if balancing else []
    detail += stages().footnotes([stage.key]) if made.official else ()
    return finding(f"{name}-finding", sentence, detail=detail)


def _stands_out(singled: pd.DataFrame, small: int, many: int) -> str:
    """Who is to watch, in words; groups of which too small a number is published are counted, and not named."""
    said = [
        f"{listing([_who(r) for r in rows.itertuples()])} {word}"
        for word, rows in (
            ("higher", singled[singled["risk_ratio"] > 1]),
            ("lower", singled[singled["risk_ratio"] < 1]),
        )
        if len(rows)
    ]
    few = f"{small} {'group stands' if small == 1 else 'groups stand'} out on small numbers" if small else ""
    named = f"{', '.join(said)} than all others" if said else ""
    return "; ".join(t for t in (named, few) if t) or f"none of {many} groups stands out clearly from all others"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stage_table(made: Pipeline, stage: Stage, name: str) -> Exhibit:
    rows = dated(made.table.rows(made.table.frame["outcome"] == stage.key), made.periods)
    rows = rows.with_columns(by=rows.frame["dimension"].map(lambda d: texts()["dimensions"][d]["one"]))
    status = GLANCE[-1:]
    return table_exhibit(
        rows,
        id=f"{name}-table",
        title=f"{stage_name(stage, made.official)}: all groups, {period_name(made.periods[stage.key])}",
        columns=[*FIGURES, *(ENGLAND if made.official else AGE), *status],
        row_header="label",
        folded=True,
    )


@passes_notice
def ratios(made: Pipeline, outcome: str, dimension: str) -> Exhibit:
    """One stage: each group's ratio, pooled, with its interval, and what is beside it as a cross."""
    name = f"ehc-pipeline-{outcome}-{dimension}-ratios".replace("_", "-")
    part = _part(made, outcome, dimension)
    if part is None:
        return gap(
            name, f"{stages()[outcome].name}: the lists do not tell it.", "Bring the cases of the year before too."
        )
    beside = (
        ("england_risk_ratio", "England, within authorities") if made.official else (AGE[0]["name"], "within age bands")
    )
    rows = dated(part.table.rows(part.table.frame["known"]), made.periods)
    return forest(
        rows,
        id=name,
        title=f"{stage_name(stages()[outcome], made.official)} {texts()['dimensions'][dimension]['of']}, "
        f"{period_name(part.period)}: {_to_watch(int((rows.frame['status'] == WATCH).sum()))}",
        group="label",
        ratio="pooled_risk_ratio",
        lower="pooled_lower",
        upper="pooled_upper",
        status="status",
        axis="Ratio to all others, pooled",
        ratio_label="Ratio, pooled",
        beside=None if dimension == "age" and not made.official else beside[0],
        beside_label=beside[1],
    )
