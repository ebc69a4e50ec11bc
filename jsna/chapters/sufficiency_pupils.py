"""Pupils of the area's own schools with a plan, five years ahead, from numbers that have passed the gate."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from jsna.area import Area
from jsna.chapters import sufficiency_rows as rows_of
from jsna.chapters import sufficiency_words as words
from jsna.chapters.base import gap, needs, passes_notice, with_extras
from jsna.chapters.sufficiency import FRAMES, GAPS
from jsna.chapters.sufficiency_chart import fan
from jsna.codes import code_list
from jsna.disclosure import Released, protect
from jsna.errors import MeasureError
from jsna.evidence.cards.confidence import graded
from jsna.evidence.projection.history import january
from jsna.evidence.projection.learned import learned
from jsna.evidence.projection.outlook import OBSERVED
from jsna.evidence.projection.pupils import PupilOutlook, pupils_ahead, shared_out
from jsna.exhibits.model import Exhibit
from jsna.exhibits.text import finding
from jsna.linked.names import group_names, pupil_names
from jsna.sealed import Sealed

PLAN, WHO = "ehc_plan", "pupils with an EHC plan"
SCHOOLS = ("primary", "secondary", "special")


@dataclass(frozen=True, eq=False)
class OwnOutlook:
    """The outlook of the area's own pupils; ``history``: all pupils with a plan, by January, as released."""

    found: PupilOutlook
    rows: pd.DataFrame
    history: pd.Series
    source: str


@needs("pupils")
def own(area: Area) -> OwnOutlook | Exhibit:
    """The outlook from the area's own censuses; a notice where no number can be projected from."""
    whole, years, schools = _everybody(area), _by(area, "year_group"), _by(area, "school_phase")
    history = whole.set_index(january(whole["time_period"]))[PLAN].sort_index()
    last = int(history.index.max())
    try:
        found = pupils_ahead(years, history, last)
    except MeasureError as error:
        return gap("sufficiency-own", error.problems[0].what, "Its number is hidden or nought: see docs/disclosure.md.")
    kinds = schools.reindex(list(SCHOOLS)).set_axis(code_list("school_phase")["label"].reindex(list(SCHOOLS)))
    rows = pd.concat([found.rows, shared_out(found, kinds)], ignore_index=True)
    return OwnOutlook(found, rows, history, f"{area.pupil_source}; {learned()['source']}, {learned()['vintage']}")


def _everybody(area: Area) -> pd.DataFrame:
    """Pupils with a plan in each census, released."""
    frame = area.count([]).unseal("to project pupils with a plan")[["time_period", PLAN]]
    frame = frame.assign(time_period=frame["time_period"].astype("str"))
    names = {PLAN: pupil_names(frame.index, frame["time_period"], PLAN)}
    return _released(area, frame, names).frame


def _by(area: Area, column: str) -> pd.Series:
    """Pupils with a plan in the latest census by the groups of a column, released: missing where hidden.

    A group with no row has nobody in it, and is 0.
    """
    frame = area.count([column]).unseal("to project pupils with a plan")
    frame = frame[frame["time_period"].astype("str") == area.periods[-1]].reset_index(drop=True)
    frame = frame.assign(**{column: frame[column].astype("str")})[["time_period", column, PLAN]]
    names = {PLAN: group_names(frame.index, area.periods[-1], column, frame[column], PLAN)}
    return _released(area, frame, names).frame.set_index(column)[PLAN]


def _released(area: Area, frame: pd.DataFrame, names: dict[str, pd.Series]) -> Released:
    sealed = Sealed(frame, counts=(PLAN,))
    return protect(sealed, area.policy, source=area.pupil_source, synthetic=area.synthetic, names=names)


@passes_notice
def own_finding(outlook: OwnOutlook, area: Area) -> Exhibit:
    """How many pupils with a plan there would be in five years, and how sure that is."""
    told, rows = words.texts()["pupils"], outlook.found.rows
    every = rows[rows["kind"] == "all"]
    now, end = every[every["scenario"] == OBSERVED].iloc[0], every.iloc[-1]
    hidden = told["hidden"].format(groups=words.hidden_groups(outlook.found.hidden)).strip()
    past = [f"{words.number(n)} in {words.january_name(int(y))}" for y, n in outlook.history.dropna().items()]
    detail = [
        *([hidden] if outlook.found.whole else []),
        told["school_ages"].strip(),
        f"So far: {'; '.join(past)}.",
        told["method"].strip(),
        told["range"].strip(),
        told["needs"],
        words.texts()["unknown"].strip(),
    ]
    sentence = words.total_sentence(f"{area.name}’s schools", now, end, WHO)
    sentence = f"Synthetic data: {sentence[0].lower()}{sentence[1:]}" if area.synthetic else sentence
    made = finding("sufficiency-own", sentence, detail=detail)
    card = {
        "id": f"{made.id}-card",
        "question": "How many pupils with an EHC plan will there be in five years?",
        "headline": made.title,
        "frames": FRAMES,
        "area": area.label,
        "period": words.january_name(int(end["year"])),
        "size": words.size_sentence(now["value"], end),
        "trend": detail[2 if outlook.found.whole else 1],
        "comparison": "England’s ratios by age stand behind it; no other authority is compared.",
        "confidence": graded("estimated", "few_years"),
        "gaps": [*GAPS, told["needs"]],
        "source": outlook.source,
        "synthetic": area.synthetic,
        "disclosure": area.protection,
        "details": detail,
    }
    return with_extras(made, card=card)


@passes_notice
def own_fan(outlook: OwnOutlook, area: Area) -> Exhibit:
    """Pupils with a plan in the censuses at hand and five years ahead."""
    rows = outlook.found.rows
    every = rows[rows["kind"] == "all"][["year", "value", *rows_of.LIMITS, "scenario"]]
    past = outlook.history.drop(outlook.found.january)
    before = pd.DataFrame({"year": past.index, "value": past.to_numpy("float64"), "scenario": OBSERVED})
    table = rows_of.with_period(pd.concat([before, every], ignore_index=True))
    return fan(
        rows_of.released(table, outlook.source, synthetic=area.synthetic),
        id="sufficiency-own-fan",
        title=f"Pupils with an EHC plan in schools of {area.label}, five years ahead",
        what=WHO,
        breaks={},
    )


@passes_notice
def own_stages(outlook: OwnOutlook, area: Area) -> Exhibit:
    """Pupils with a plan by stage of school, now and in five years."""
    return _parts(outlook, area, "stage", "Stage", "")


@passes_notice
def own_stages_over_years(outlook: OwnOutlook, area: Area) -> Exhibit:
    """Pupils with a plan by stage of school in each year ahead, side by side."""
    name, rows = "sufficiency-own-stage-over-years", outlook.rows[outlook.rows["kind"] == "stage"]
    if rows.empty:
        return gap(name, "The numbers of some year groups are hidden.", "The projection of all pupils stands above.")
    title = "Pupils with an EHC plan by stage, five years ahead"
    unit, synthetic = "Pupils with a plan", area.synthetic
    return rows_of.over_years(
        rows, id=name, title=title, part="Stage", unit=unit, source=outlook.source, synthetic=synthetic
    )


@passes_notice
def own_schools(outlook: OwnOutlook, area: Area) -> Exhibit:
    """Pupils with a plan by kind of school, now and in five years."""
    return _parts(outlook, area, "school", "Kind of school", words.texts()["pupils"]["schools"])


def _parts(outlook: OwnOutlook, area: Area, kind: str, label: str, note: str) -> Exhibit:
    name, rows = f"sufficiency-own-{kind}", outlook.rows[outlook.rows["kind"] == kind]
    if rows.empty:
        return gap(name, "The numbers of some year groups are hidden.", "The projection of all pupils stands above.")
    return rows_of.parts_table(
        rows_of.now_and_then(rows),
        id=name,
        title=f"Pupils with an EHC plan by {label.lower()}, now and in five years",
        part=label,
        source=outlook.source,
        notes=(note,) if note else (),
        synthetic=area.synthetic,
    )


@passes_notice
def own_rows(outlook: OwnOutlook, area: Area) -> Exhibit:
    """Every projected number, for other programs and for the next cycle."""
    made = rows_of.machine_table(
        outlook.rows,
        id="sufficiency-own-rows",
        title="Every projected number of own pupils, for other programs",
        source=outlook.source,
        synthetic=area.synthetic,
    )
    kept = rows_of.for_next_cycle(outlook.rows, measure="Pupils with an EHC plan", cycle=area.params.cycle)
    return with_extras(made, projections=kept)
