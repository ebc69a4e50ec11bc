"""How do pupils with SEND get on at school? Level, gap and trend by SEN status, beside England and the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from jsna.area import Area
from jsna.chapters import outcomes_words as words
from jsna.chapters.base import frame_of_area, gap, summary_row, with_extras
from jsna.disclosure import Released, publish_official
from jsna.evidence.cards.confidence import graded
from jsna.evidence.catalogue import Indicator, catalogue
from jsna.evidence.comparators import comparators_of
from jsna.evidence.outcomes import SEN, Place, by_status, figures, gap_figures, places
from jsna.evidence.trends import trends
from jsna.exhibits.gap_chart import gap_chart
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import table_exhibit
from jsna.exhibits.text import finding

DRAWN = 3  # places that the chart has room for: the area, England and the newest set of neighbours
GAP_COLUMNS = [
    {"name": "period", "label": "Period", "kind": "text"},
    {"name": "place", "label": "Place", "kind": "text"},
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "value", "label": "Figure of the group", "kind": "percent"},
    {"name": "reference_value", "label": "No identified SEN", "kind": "percent"},
    {"name": "gap", "label": "Gap (points)", "kind": "points"},
    {"name": "lower", "label": "Lower limit (95%)", "kind": "points"},
    {"name": "upper", "label": "Upper limit (95%)", "kind": "points"},
    {"name": "said", "label": "Rests on", "kind": "text"},
]


def where(area: Area) -> tuple[Place, ...]:
    """The places that figures are shown for: the area, England, its region, the median of every set of neighbours."""
    return places(area.name, area.code, comparators_of(area))


def statement(area: Area, indicator: str) -> Exhibit:
    """The newest figures by SEN status, the gap, and what can be said of the last change."""
    rows = _rows(area, indicator)
    if not _has(rows, area):
        return missing(area, indicator)
    known, note = catalogue()[indicator], words.texts()["by_status"][indicator].get("note")
    compared = () if is_neutral(indicator) else _gap_words(area, indicator, rows)
    moved = words.changes(rows, indicator, area.name, area.params.confidence)
    level = area.params.confidence
    found = ((g, trends(area.values, indicator, g, area, confidence=level)) for g in words.WITH_SEN)
    trend = words.since_break(found, known)
    detail = (*compared, *moved, *trend, *([note] if note else []), *words.footnotes(rows, known))
    made = finding(f"{outcome_id(indicator)}-finding", words.headline(rows, indicator, area.name), detail=detail)
    return with_extras(made, sources=source_rows(area, rows), card=_card(area, made, indicator, rows, compared))


def _gap_words(area: Area, indicator: str, rows: pd.DataFrame) -> tuple[str, ...]:
    gaps = gap_figures(area.values, indicator, where(area), area.params.confidence)
    now, counted = words.gap_now(gaps, rows, indicator, area.name), words.gap_counted(gaps, rows, area.name)
    return (now, *counted, words.texts()["gap_note"].strip())


def chart(area: Area, indicator: str) -> Exhibit:
    """Every year by SEN status: the area, England and the newest set of neighbours side by side."""
    rows = _rows(area, indicator)
    if not _has(rows, area):
        return missing(area, indicator)
    shown = _drawn(rows)
    said = words.texts()["by_status"][indicator]
    neutral = is_neutral(indicator)
    groups = words.WITH_SEN if neutral else SEN
    table = by_status(shown, groups)
    broken = rows.loc[rows["break_before"] & (rows["place"] == area.name), "period"]
    return gap_chart(
        publish(area, table, shown, notes=_chart_notes(rows, indicator)),
        id=f"{outcome_id(indicator)}-chart",
        title=f"{said['title']}, by SEN status",
        panel="place",
        period="period",
        groups={g: words.group_name(g) for g in SEN},
        unit=said["axis"],
        joined=not neutral,
        breaks=tuple(dict.fromkeys(broken)),
    )


def gap_table(area: Area, indicator: str) -> Exhibit:
    """The gaps of the newest year and of the newest year with counts, for every place."""
    rows = _rows(area, indicator)
    gaps = gap_figures(area.values, indicator, where(area), area.params.confidence)
    own = gaps[gaps["place"] == area.name]
    if own.empty:
        return missing(area, indicator)
    periods = [own.loc[own["year"].idxmax(), "period"], *own.loc[own["lower"].notna(), "period"].iloc[-1:]]
    order = gaps["group"].map(SEN.index)
    kept = gaps.assign(order=order)[gaps["period"].isin(periods)]
    kept = kept.sort_values(["year", "order"], ascending=[False, True], kind="stable").reset_index(drop=True)
    empty = {f"{c}_symbol": "z" for c in ("value", "reference_value", "lower", "upper")}
    kept = kept.assign(label=kept["group"].map(words.group_name), said=kept.apply(_rests_on, axis=1), **empty)
    return table_exhibit(
        publish(area, kept, rows),
        id=f"{outcome_id(indicator)}-gap-table",
        title=f"{words.texts()['by_status'][indicator]['title']}: the gap from pupils with no identified SEN",
        columns=GAP_COLUMNS,
        row_header="place",
        folded=True,
    )


def is_neutral(indicator: str) -> bool:
    """Whether neither more nor less is better, so that there is no gap to speak of."""
    return catalogue()[indicator].direction == "neutral"


def missing(area: Area, indicator: str) -> Exhibit:
    """A notice that no figure of an indicator is at hand, and what to bring."""
    known = catalogue()[indicator]
    reason = f"No figure for {area.name} on this is at hand: {known.name}."
    return gap(f"{outcome_id(indicator)}-missing", reason, missing_words(area, known))


def missing_words(area: Area, known: Indicator) -> str:
    """What to bring for an indicator that has no figure: as the values say, else as the catalogue does."""
    said = area.values.absent
    said = said.loc[(said["indicator"] == known.id) & (said["mend"] != ""), "mend"]
    release = f"Bring the official files: {known.release}." if known.official else ""
    return next((m for m in (*said.unique()[:1], known.needs, release) if m), "See docs/own-data.md.")


def publish(area: Area, frame: pd.DataFrame, rows: pd.DataFrame, notes: Sequence[str] = ()) -> Released:
    """A table made of ``rows`` of ``Area.values``: their symbols (``<column>_symbol``) go with it.

    Official figures pass as published. An area's own ones have passed the gate when ``Area.values`` was made.
    """
    marks = {c.removesuffix("_symbol"): frame[c] for c in frame if c.endswith("_symbol")}
    plain = frame.drop(columns=[f"{c}_symbol" for c in marks])
    symbols = pd.DataFrame("", index=plain.index, columns=plain.columns)
    for column, mark in marks.items():
        symbols[column] = mark.fillna("").where(plain[column].isna(), "")
    released = publish_official(plain, source=source_of(rows), symbols=symbols, notes=tuple(notes))
    return replace(released, synthetic=area.synthetic and bool((rows["origin"] == "local").any()))


def source_of(rows: pd.DataFrame) -> str:
    """The sources of the rows that are shown, in words; several measures of one file stand together."""
    parts = [t.partition("), ") for t in dict.fromkeys(rows.sort_values("year", kind="stable")["source"]) if t]
    measures: dict[str, list[str]] = {}
    for head, mark, tail in parts:
        measures.setdefault(head + mark.strip(", "), []).extend([tail] if tail else [])
    return "; ".join(f"{head}: {', '.join(tails)}" if tails else head for head, tails in measures.items())


def source_rows(area: Area, rows: pd.DataFrame) -> list[dict]:
    """The files that the rows came from, as the index page lists them."""
    files = set(rows["file"].dropna().str.split("; ").explode())
    return [summary_row(s) for s in area.values.sources if s.file in files]


def break_notes(rows: pd.DataFrame, indicator: str) -> tuple[str, ...]:
    """What the dotted lines mean: the breaks of an indicator that lie within the years shown."""
    periods = rows.drop_duplicates("year").set_index("year")["period"]
    found = [(periods.get(int(b.period)), b.why) for b in catalogue()[indicator].breaks]
    return tuple(f"Dotted line before {p}: {why[:1].lower()}{why[1:]}." for p, why in found if p)


def _rows(area: Area, indicator: str) -> pd.DataFrame:
    return figures(area.values, indicator, SEN, where(area))


def _has(rows: pd.DataFrame, area: Area) -> bool:
    return bool((rows["group"].isin(words.WITH_SEN) & (rows["place"] == area.name) & rows["value"].notna()).any())


def outcome_id(indicator: str) -> str:
    """The beginning of the names of an indicator's exhibits."""
    return f"outcomes-{indicator.lower()}"


def _drawn(rows: pd.DataFrame) -> pd.DataFrame:
    """The places that the chart has room for; all stand in the table of gaps."""
    names = list(dict.fromkeys(rows["place"]))
    medians = list(dict.fromkeys(rows.loc[rows["way"] == "median", "place"]))
    keep = [n for n in names if n not in medians][:2] + sorted(medians, key=_year_in, reverse=True)[:1]
    return rows[rows["place"].isin(keep)]


def _year_in(name: str) -> str:
    return name[-4:]


def _chart_notes(rows: pd.DataFrame, indicator: str) -> tuple[str, ...]:
    notes = list(break_notes(rows, indicator))
    counted = rows.loc[(rows["way"] == "counts") & rows["lower"].notna(), "period"]
    if len(counted):
        years = ", ".join(dict.fromkeys(counted.sort_values()))
        notes.insert(0, f"Intervals (95%) stand where counts of children are published: {years}.")
    provisional = dict.fromkeys(rows.loc[rows["provisional"].astype(bool), "period"])
    notes += [f"Provisional: {', '.join(provisional)}."] if provisional else []
    return tuple(notes)


def _rests_on(row: pd.Series) -> str:
    """What a gap rests on: counts, percentages alone, or the gaps of several areas."""
    if row["areas"] > 1:
        return f"median of {int(row['areas'])} gaps"
    return row["why"] or "counts"


def _card(area: Area, made: Exhibit, indicator: str, rows: pd.DataFrame, compared: Sequence[str]) -> dict:
    known, period = catalogue()[indicator], words.newest(rows, area.name)
    now = rows[(rows["place"] == area.name) & rows["group"].isin(words.WITH_SEN) & (rows["period"] == period)]
    counted = (now["way"] == "counts").all()
    return {
        "id": f"{made.id}-card",
        "question": known.question,
        "headline": made.title,
        "frames": frame_of_area(area).of_indicator.get(indicator, []),
        "area": area.label,
        "period": period,
        "comparator": " ".join([made.title, *compared[:1]]),
        "confidence": graded("one_period") if counted else graded("one_period", "published"),
        "indicator": indicator,
        "source": source_of(rows),
        "synthetic": area.synthetic,
        "disclosure": area.protection,
    }
