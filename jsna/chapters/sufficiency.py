"""Is there enough provision, and will there be in five years? Plans projected from the official releases."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters import sufficiency_rows as rows_of
from jsna.chapters import sufficiency_words as words
from jsna.chapters.base import gap, needs, passes_notice, source_row, with_extras
from jsna.chapters.sufficiency_chart import fan
from jsna.codes import local_authority
from jsna.errors import MeasureError, SourceError
from jsna.evidence import ehc
from jsna.evidence.cards.confidence import graded
from jsna.evidence.projection.history import history_of
from jsna.evidence.projection.outlook import OBSERVED, TREND, Outlook, outlook_of
from jsna.evidence.projection.scenarios import scenarios
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding
from jsna.sources.population import read_census_slice

SOURCE = (
    "Projection by this workbench from Department for Education, Education, health and care plans, reporting years "
    "2022 and 2025"
)
MEASURE = "EHC plans"
FRAMES = ["P4", "S2", "S6"]
ENGLAND = "E92000001"
MEND = "See docs/sufficiency.md for the files that the projection rests on."
GAPS = [
    "How many places there are: the files do not hold capacity.",
    "Whether a place is suitable, near and wanted: ask families and schools.",
]


@needs("official")
def official(area: Area) -> Outlook | Exhibit:
    """The outlook of the area from the official files; a notice where there is no number to project from."""
    try:
        return outlook_of(
            history_of(area.official),
            str(local_authority(area.code)["dfe_number"]),
            caseload=area.official.ehc("caseload").frame,
            needs=area.official.ehc("sen_needs_all_plans").frame,
            residents=_residents(area),
        )
    except MeasureError as error:
        return gap("sufficiency-official", error.problems[0].what, MEND)


def _residents(area: Area) -> pd.Series | None:
    """Residents of the area by single year of age (0 to 25), mid-2020; ``None`` where the file is not at hand."""
    try:
        frame = read_census_slice(area.official.file("population")).frame
        own = frame[frame["area_code"].isin(area.official.districts_of(area.code))]
    except SourceError:
        return None
    ages = own[[str(age) for age in range(26)]].sum().astype("float64")
    return ages.set_axis(range(26)) if len(own) and ages.sum() > 0 else None


def _ends(outlook: Outlook) -> tuple[pd.Series, pd.Series]:
    return outlook.of("all", OBSERVED).iloc[-1], outlook.of("all").iloc[-1]


@passes_notice
def total_finding(outlook: Outlook, area: Area) -> Exhibit:
    """How many plans there would be in five years, and how sure that is."""
    now, end = _ends(outlook)
    detail = [
        words.texts()["range"],
        *words.back_test_sentences(float(now["value"])),
        *words.notes_on(outlook, area.name),
        words.texts()["method"].strip(),
        words.texts()["unknown"].strip(),
    ]
    made = finding("sufficiency-plans", words.total_sentence(area.name, now, end, "EHC plans"), detail=detail)
    grown = _grown(area)
    card = _card(area, made, "How many EHC plans will there be in five years?", now, end) | {
        "comparison": grown,
        "trend": grown,
    }
    return with_extras(made, card=card, sources=[source_row(area.official.ehc(t)) for t in ("caseload", "newplans")])


def _grown(area: Area) -> str:
    """How plans grew in the latest year, here and in England."""
    series = ehc.series(area.official.ehc("caseload").frame, [area.code, ENGLAND], "ehcplans")
    last = (
        series.sort_values("time_period")
        .groupby("area_code")["value"]
        .agg(lambda v: 100 * (v.iloc[-1] / v.iloc[-2] - 1) if len(v) > 1 else float("nan"))
    )
    told = [
        f"{area.name if code == area.code else 'England'} {format_number(v, 'percent')}%"
        for code, v in last.items()
        if pd.notna(v)
    ]
    return f"Change in plans in the latest year: {'; '.join(told)}." if told else ""


def _card(area: Area, made: Exhibit, question: str, now: pd.Series, end: pd.Series) -> dict:
    return {
        "id": f"{made.id}-card",
        "question": question,
        "headline": made.title,
        "frames": FRAMES,
        "area": area.label,
        "period": words.january_name(int(end["year"])),
        "size": words.size_sentence(now["value"], end),
        "confidence": graded("estimated", *(() if end["upper_80"] <= 1.5 * end["lower_80"] else ("wide",))),
        "gaps": GAPS,
        "source": SOURCE,
        "synthetic": area.synthetic,
        "disclosure": area.protection,
        "details": list(made.notes),
    }


@passes_notice
def fan_chart(outlook: Outlook, area: Area) -> Exhibit:
    """Plans each January since 2010 where the files go back so far, and the five years ahead."""
    past = pd.DataFrame({"year": outlook.history.index, "value": outlook.history.to_numpy(), "scenario": OBSERVED})
    ahead = outlook.of("all")[["year", "value", *rows_of.LIMITS, "scenario"]]
    table = rows_of.with_period(pd.concat([past, ahead], ignore_index=True).astype({"year": "int64"}))
    return fan(
        rows_of.released(table, SOURCE, notes=(words.texts()["range"],)),
        id="sufficiency-fan",
        title=f"EHC plans of {area.name} each January, and five years ahead",
        what="EHC plans",
        breaks=words.texts()["breaks"],
    )


@passes_notice
def by_age(outlook: Outlook, area: Area) -> Exhibit:
    """Plans by age band now and in five years."""
    return _parts(outlook, area, "age", "Age", "EHC plans by age, now and in five years", words.texts()["ages"])


@passes_notice
def ages_over_years(outlook: Outlook, area: Area) -> Exhibit:
    """Plans by age band in each year ahead, side by side."""
    return _over_years(outlook, "age", "Age", "EHC plans by age, five years ahead")


@passes_notice
def by_placement(outlook: Outlook, area: Area) -> Exhibit:
    """Plans by kind of placement now and in five years: how many places more."""
    title = "EHC plans by placement, now and in five years"
    return _parts(outlook, area, "placement", "Placement", title, words.texts()["placements"])


@passes_notice
def by_need(outlook: Outlook, area: Area) -> Exhibit:
    """Plans by primary need now and in five years."""
    return _parts(
        outlook,
        area,
        "need",
        "Primary need",
        "EHC plans by primary need, now and in five years",
        words.texts()["needs"],
    )


@passes_notice
def needs_over_years(outlook: Outlook, area: Area) -> Exhibit:
    """Plans by primary need in each year ahead, side by side."""
    return _over_years(outlook, "need", "Primary need", "EHC plans by primary need, five years ahead")


def _over_years(outlook: Outlook, kind: str, label: str, title: str) -> Exhibit:
    name = f"sufficiency-{kind}-over-years"
    if kind in outlook.lacking:
        return gap(name, outlook.lacking[kind], "The projection of all plans stands above.")
    rows = outlook.rows[outlook.rows["kind"] == kind]
    return rows_of.over_years(rows, id=name, title=title, part=label, unit="EHC plans", source=SOURCE)


def _parts(outlook: Outlook, area: Area, kind: str, label: str, title: str, note: str) -> Exhibit:
    name = f"sufficiency-by-{kind}"
    if kind in outlook.lacking:
        return gap(name, outlook.lacking[kind], "The projection of all plans stands above.")
    table = rows_of.now_and_then(outlook.rows[outlook.rows["kind"] == kind])
    return rows_of.parts_table(table, id=name, title=title, part=label, source=SOURCE, notes=(note.strip(),))


@passes_notice
def places_finding(outlook: Outlook, area: Area) -> Exhibit:
    """How many more places of each kind, if today's pattern goes on."""
    if "placement" in outlook.lacking:
        return gap("sufficiency-places", outlook.lacking["placement"], "The projection of all plans stands above.")
    table = rows_of.now_and_then(outlook.rows[outlook.rows["kind"] == "placement"]).set_index("part")
    said = {
        p: words.more_or_fewer(r["change"], r["change_lower"], r["change_upper"], "children with a plan")
        for p, r in table.iterrows()
    }
    year, special = words.january_name(int(table["year"].iloc[0])), "State-funded special school"
    sentence = (
        f"If today’s pattern goes on, {area.name} would have {said[special]} in state-funded special schools by "
        f"{year}. Whether there are places for them is not in these files."
    )
    detail = [f"{part}: {text}." for part, text in said.items() if part != special]
    made = finding("sufficiency-places", sentence, detail=[*detail, words.texts()["placements"].strip(), GAPS[0]])
    now, end = table.loc[special].rename(special), table.loc[special]
    start = pd.Series({"value": now["now"], "year": outlook.january})
    return with_extras(
        made,
        card=_card(area, made, "How many more children with a plan would there be in each kind of school?", start, end),
    )


@passes_notice
def what_if(outlook: Outlook, area: Area) -> Exhibit:
    """What one change at a time would make of it. Never a forecast."""
    end = outlook.of("all").iloc[-1]
    named = {n: t["name"] for n, t in scenarios().items()}
    last = outlook.rows[(outlook.rows["year"] == end["year"]) & outlook.rows["scenario"].isin([TREND, *named])]
    chosen = {n: t.get("to") for n, t in scenarios().items()}
    changed = [p for n in named if chosen[n] for p in _moved(outlook, n)]
    last = last[(last["kind"] == "all") | last["part"].isin(changed)]
    last = last[(last["kind"] == "all") | last["scenario"].isin([TREND, *(n for n in named if chosen[n])])]
    rows = last.assign(
        order=last["scenario"].map({n: i for i, n in enumerate((TREND, *named))}),
        said=last["scenario"].map({TREND: "If today’s pattern goes on (the projection)", **named}),
        now=last["part"].map(outlook.rows[outlook.rows["scenario"] == OBSERVED].set_index("part")["value"]),
        part=last["part"].replace("All", "All plans"),
    ).sort_values(["order"], kind="stable")
    lacking = [f"{named[n]} Not given: {why}" for n, why in outlook.lacking.items() if n in named]
    notes = (words.texts()["what_if"], words.texts()["population"].strip(), *lacking)
    columns = [
        {"name": "said", "label": "What if?", "kind": "words"},
        {"name": "part", "label": "Plans", "kind": "text"},
        {"name": "now", "label": "Now", "kind": "count"},
        {"name": "value", "label": words.january_name(int(end["year"])), "kind": "count"},
    ]
    shown = rows_of.released(rows[[c["name"] for c in columns]], SOURCE, notes=notes)
    return table_exhibit(
        shown, id="sufficiency-what-if", title="What if? One change at a time", columns=columns, row_header="said"
    )


def _moved(outlook: Outlook, scenario: str) -> list[str]:
    """The placements that a scenario changes."""
    usual, other = (outlook.of("placement", s).set_index(["part", "year"])["value"] for s in (TREND, scenario))
    differs = (other - usual.reindex(other.index)).abs() > 1
    return list(dict.fromkeys(differs[differs].index.get_level_values("part")))


@passes_notice
def all_rows(outlook: Outlook, area: Area) -> Exhibit:
    """Every projected number, for other programs and for the next cycle."""
    made = rows_of.machine_table(
        outlook.rows, id="sufficiency-rows", title="Every projected number, for other programs", source=SOURCE
    )
    kept = rows_of.for_next_cycle(outlook.rows, measure=MEASURE, cycle=area.params.cycle)
    return with_extras(made, projections=kept)
