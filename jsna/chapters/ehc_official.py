"""The EHC plan process from the official release: beside England, the region and both neighbour sets, and by group."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import frame_of_area, needs, source_row, with_extras
from jsna.chapters.ehc import promise
from jsna.codes import code_list
from jsna.disclosure import Released, publish_official
from jsna.disproportionality import stratified
from jsna.evidence import ehc
from jsna.evidence.cards.confidence import graded
from jsna.evidence.comparison import Dimension
from jsna.exhibits.charts import dot_interval, forest
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.telling import span, titled
from jsna.exhibits.text import finding
from jsna.exhibits.trend_chart import trend
from jsna.measures import proportion

ENGLAND = "E92000001"
RELEASE = "Department for Education, Education, health and care plans, reporting year 2025"
TIMELY = ("timeliness_20_week", *ehc.TIMELINESS["without_exceptions"])
REFUSED = ("requests", "requests_decided_not_to_assess", "requests_received_in_year")
WITH_EXCEPTIONS = ("timeliness_20_week", *ehc.TIMELINESS["with_exceptions"])


def neighbours(area: Area) -> pd.DataFrame:
    """The area's statistical neighbours in every published set at hand: neighbour_code, neighbour_name, set."""
    return area.official.neighbours_of(area.code)


def _beside(area: Area, name: str, numerator: str, denominator: str) -> tuple[Released, str]:
    """One rate for the area, England, the region and every neighbour, with intervals."""
    table = area.official.ehc(name).frame
    period = ehc.latest_period(table)
    near = neighbours(area)
    codes = [area.code, ENGLAND, area.region_code, *dict.fromkeys(near["neighbour_code"])]
    rows = ehc.rate_by_area(table, codes, period, numerator, denominator)
    limits = 100 * proportion(rows["numerator"], rows["denominator"], area.params.confidence)[["lower", "upper"]]
    rows = rows.assign(percent_lower=limits["lower"], percent_upper=limits["upper"])
    return publish_official(rows, source=f"{RELEASE}, {name}, {period}"), period


def _medians(area: Area, shown: Released) -> dict[str, float]:
    """The neighbours' median rate by set."""
    rates = shown.frame.set_index("area_code")["percent"]
    near = neighbours(area)
    return near.assign(percent=near["neighbour_code"].map(rates)).groupby("set")["percent"].median().to_dict()


def _chart(area: Area, shown: Released, name: str, title: str) -> Exhibit:
    england = float(shown.frame.set_index("area_code")["percent"].loc[ENGLAND])
    return dot_interval(
        shown,
        id=name,
        title=title,
        group="area_name",
        value="percent",
        lower="percent_lower",
        upper="percent_upper",
        unit="%",
        reference_line=england,
        reference_label="England",
        highlight=area.name,
    )


def _against(area: Area, shown: Released) -> str:
    rates = shown.frame.set_index("area_code")["percent"]
    medians = "; ".join(f"{s}: {_pc(v)}%" for s, v in sorted(_medians(area, shown).items(), reverse=True))
    return (
        f"England {_pc(rates[ENGLAND])}%; {area.region_name} {_pc(rates[area.region_code])}%; "
        f"median of the ten statistical neighbours by set: {medians}."
    )


def _pc(value: float) -> str:
    return format_number(value, "percent")


def _rate_finding(area: Area, shown: Released, name: str, sentence: str, indicator: str, few: str) -> Exhibit:
    row = shown.frame.set_index("area_code").loc[area.code]
    told = [_against(area, shown), promise(area, indicator)]
    if not row["denominator"] >= area.params.minimum_denominator:
        words = f"In {area.name}, too few {few} for a share."
    else:
        words = sentence.format(percent=_pc(row["percent"]), n=int(row["numerator"]), d=int(row["denominator"]))
        low, high = _pc(row["percent_lower"]), _pc(row["percent_upper"])
        told.insert(0, f"Between {low}% and {high}% (95% confidence interval).")
    return finding(name, words, detail=[t for t in told if t])


@needs("official")
def timeliness_finding(area: Area) -> Exhibit:
    """Are plans made in time, and how does that compare? In a sentence."""
    shown, period = _beside(area, *TIMELY)
    sentence = (
        f"In {period}, {{percent}}% of plans in {area.name} were issued within 20 weeks ({{n:,}} of {{d:,}}), "
        "exceptions left out."
    )
    made = _rate_finding(area, shown, "ehc-timeliness", sentence, "EHC-05", f"plans were issued in {period}")
    return with_extras(
        made,
        sources=[source_row(area.official.ehc(TIMELY[0]))],
        card=_card(area, made, "Are EHC plans issued within 20 weeks?", period, shown, "EHC-05"),
    )


@needs("official")
def timeliness_beside(area: Area) -> Exhibit:
    """The area's 20-week rate beside England, the region and both neighbour sets."""
    shown, period = _beside(area, *TIMELY)
    return _chart(area, shown, "ehc-timeliness-beside", f"Plans issued within 20 weeks, exceptions left out, {period}")


@needs("official")
def timeliness_trend(area: Area) -> Exhibit:
    """The published 20-week percentage over the years."""
    table = area.official.ehc(TIMELY[0]).frame
    rows = ehc.rates_over_time(table, [area.code, ENGLAND, area.region_code], *TIMELY[1:])
    return trend(
        publish_official(rows, source=f"{RELEASE}, {TIMELY[0]}"),
        id="ehc-timeliness-trend",
        title="Plans issued within 20 weeks since 2019, exceptions left out",
        x="time_period",
        series="area_name",
        value="percent",
        highlight=area.name,
        breaks=("2023",),
    )


@needs("official")
def refusals_finding(area: Area) -> Exhibit:
    """How many requests are refused, and what each neighbour set makes of it."""
    shown, period = _beside(area, *REFUSED)
    sentence = (
        f"In {period}, {area.name} refused {{percent}}% of requests for an assessment ({{n:,}} of {{d:,}} received)."
    )
    made = _rate_finding(area, shown, "ehc-refusals", sentence, "EHC-02", f"requests were received in {period}")
    return with_extras(made, card=_card(area, made, "How many requests are refused?", period, shown, "EHC-02"))


@needs("official")
def refusals_beside(area: Area) -> Exhibit:
    """The area's refusal rate beside England, the region and both neighbour sets."""
    shown, period = _beside(area, *REFUSED)
    return _chart(area, shown, "ehc-refusals-beside", f"Requests refused, of all received, {period}")


def _card(area: Area, made: Exhibit, question: str, period: str, shown: Released, indicator: str) -> dict:
    return {
        "id": f"{made.id}-card",
        "question": question,
        "headline": made.title,
        "frames": frame_of_area(area).of_indicator.get(indicator, []),
        "area": area.label,
        "period": period_name(period),
        "comparator": _against(area, shown),
        "confidence": graded("one_period"),
        "indicator": indicator,
        "source": shown.source,
        "synthetic": False,
        "disclosure": "Official figures, passed on as published.",
    }


@needs("official")
def caseload_finding(area: Area) -> Exhibit:
    """How many plans the area maintains, and how fast that has grown."""
    loaded = area.official.ehc("caseload")
    rows = ehc.series(loaded.frame, [area.code], "ehcplans")
    first, last = rows.iloc[0], rows.iloc[-1]
    growth = 100 * (last["value"] / first["value"] - 1)
    made = finding(
        "ehc-caseload",
        f"{area.name} maintained {int(last['value']):,} EHC plans in {period_name(last['time_period'])}, "
        f"{format_number(growth, 'percent')}% more than the {int(first['value']):,} in "
        f"{period_name(first['time_period'])}.",
        detail=("Children and young people aged 0 to 25 for whom the authority is responsible, wherever they learn.",),
    )
    return with_extras(made, sources=[source_row(loaded)])


@needs("official")
def caseload_trend(area: Area) -> Exhibit:
    """Plans in each January as a percentage of the first, so that areas of any size can be compared."""
    rows = ehc.series(area.official.ehc("caseload").frame, [area.code, area.region_code, ENGLAND], "ehcplans")
    first = rows.groupby("area_code")["value"].transform("first")
    rows = rows.assign(index=100 * rows["value"] / first, period=rows["time_period"].map(period_name))
    return trend(
        publish_official(rows, source=f"{RELEASE}, caseload"),
        id="ehc-caseload-trend",
        title="EHC plans each January, first year = 100",
        x="period",
        series="area_name",
        value="index",
        highlight=area.name,
        breaks=("January 2024",),
        unit="first year = 100",
    )


def groups_of(topic: str) -> Dimension:
    """The groups of a topic as the release has them; its one 'Unclassified' row holds refused and not obtained."""
    if topic == "Sex":
        return Dimension("sex", {"Female": "Female", "Male": "Male", "Unknown": "Not known"}, ("Unknown",))
    known = code_list("ethnicity")
    names = known.loc[known["known"] == "1", "plain"].to_dict()
    return Dimension("ethnicity", names | {"NOBT": "Not known (refused or not obtained)"}, ("NOBT",))


@needs("official")
def within_areas(area: Area) -> Exhibit:
    """England's ratio of in-time plans by ethnic group, crude and then within each local authority.

    A crude national ratio mixes up who the children are with where they live; the stratified one does not.
    """
    name, numerator, denominator = WITH_EXCEPTIONS
    table = area.official.ehc(name).frame
    period = ehc.latest_period(table)
    strata = ehc.by_area_and_group(table, "Ethnicity", period, "in_20_weeks", numerator, denominator)
    reference = area.params.reference_ethnicity
    groups = groups_of("Ethnicity")
    names = groups.labels
    found = stratified(strata, group="group", reference=reference, count="in_20_weeks", total="total", by="area_code")
    rows = found.table[(found.table["comparator"] == reference) & ~found.table["group"].isin(groups.unknown)]
    rows = rows.rename(columns={"lower": "risk_ratio_lower", "upper": "risk_ratio_upper", "strata": "areas"})
    rows = rows.assign(label=rows["group"].map(names), status="no evidence")
    rows = rows.sort_values("group", key=lambda g: g.map(list(names).index), kind="stable").reset_index(drop=True)
    return forest(
        publish_official(rows, source=f"{RELEASE}, timeliness_20_week, {period}; Mantel–Haenszel within area"),
        id="ehc-within-areas",
        title=titled(
            f"England, within areas: chance of a plan in 20 weeks against {names[reference]}, {period}",
            span(rows, "label", "risk_ratio", "", "ratio"),
        ),
        group="label",
        ratio="risk_ratio",
        lower="risk_ratio_lower",
        upper="risk_ratio_upper",
        status="status",
        axis=f"Ratio to {names[reference]} within authorities",
        beside="crude_risk_ratio",
        beside_label="all England together",
    )
