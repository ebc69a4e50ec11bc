"""The EHC plan process from an authority's own list of cases: timeliness over the years, and what else it brings."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from jsna.area import Area, cache_folder
from jsna.chapters.base import frame_of_area, gap, needs, source_row, with_extras
from jsna.disclosure import Released, protect
from jsna.evidence.ehc import case_counts, plan_years_of, years_of
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding, listing
from jsna.files.result import Loaded
from jsna.local import PIPELINE_LISTS, lists_of
from jsna.measures import proportion
from jsna.sealed import Sealed

NO_YEAR = (
    "The list holds no plan that was asked for in an earlier year: only the quick ones of its plans are in it.",
    "Bring the cases of the year before too.",
)
COLD_START = (
    "Plans issued in {years} are left out: those asked for before the list begins are not in it, so that it would look "
    "quicker than it was."
)


def case_source(area: Area) -> str:
    """Where the cases come from, in words."""
    if area.synthetic:
        return "Synthetic cases of the workbench, calibrated to published figures"
    return f"{area.ehc_cases.summary.source}, as held by {area.name}"


def other_lists(area: Area) -> Mapping[str, Loaded]:
    """The area's lists of annual reviews and disputes, by kind, where it has them."""
    if area.local:
        return lists_of(area.params, PIPELINE_LISTS)
    from jsna.synthetic.lists import load_lists

    return load_lists(area.params.seed, area.params.scale, cache_folder())


def promise(area: Area, indicator: str) -> str:
    """What the area's board promised of an indicator, as a sentence; nothing where its frame has no such target."""
    frame = frame_of_area(area)
    words = [t.words.strip().rstrip(".") for t in frame.targets if t.indicator == indicator]
    aim = "" if "".join(words).startswith("The law") else "The aim: "
    return f"{aim}{'; '.join(words)} ({frame.name})." if words else ""


def _by_year(area: Area) -> Released:
    frame = case_counts(area.ehc_cases.frame, "sex").unseal("to add up cases by year")
    years = frame.groupby("time_period", as_index=False)[["plans", "in_20_weeks"]].sum()
    years = years[years["time_period"].isin([str(y) for y in plan_years_of(area.ehc_cases)])].reset_index(drop=True)
    parts = ["estimate", "lower", "upper"]
    names = ["percent", "percent_lower", "percent_upper"]
    years[names] = 100 * proportion(years["in_20_weeks"], years["plans"], area.params.confidence)[parts]
    pair = ("in_20_weeks", "plans")
    sealed = Sealed(years, counts=pair, rates=dict.fromkeys(names, pair))
    return protect(sealed, area.policy, source=case_source(area), synthetic=area.synthetic, relations=())


@needs("cases")
def timeliness_by_year(area: Area) -> Exhibit:
    """Share of plans issued within 20 weeks, exceptions included, by calendar year."""
    table = _by_year(area)
    if table.frame.empty:
        return gap("ehc-timeliness-year", *NO_YEAR)
    return dot_interval(
        table,
        id="ehc-timeliness-year",
        title="Plans issued within 20 weeks, by calendar year",
        group="time_period",
        value="percent",
        lower="percent_lower",
        upper="percent_upper",
        unit="%",
        order="given",
    )


@needs("cases")
def timeliness_finding(area: Area) -> Exhibit:
    """Are plans made in time? In a sentence, beside what the board promised."""
    table = _by_year(area).frame
    if table.empty:
        return gap("ehc-timeliness", *NO_YEAR)
    row = table.iloc[-1]
    left_out = [str(y) for y in years_of(area.ehc_cases) if str(y) not in set(table["time_period"])]
    detail = [promise(area, "EHC-05"), COLD_START.format(years=listing(left_out)) if left_out else ""]
    if pd.isna(row["percent"]):
        sentence = f"The plans issued in {row['time_period']} are too few for a share within 20 weeks."
    else:
        sentence = f"In {row['time_period']}, {_pc(row['percent'])}% of plans were issued within 20 weeks."
        detail.append(
            f"{int(row['in_20_weeks']):,} of {int(row['plans']):,} plans, exceptions included; between "
            f"{_pc(row['percent_lower'])}% and {_pc(row['percent_upper'])}%, 95% confidence interval for year-to-year "
            "chance."
        )
    shown = finding("ehc-timeliness", sentence, detail=[d for d in detail if d])
    return with_extras(shown, sources=[source_row(area.ehc_cases)])


def _pc(value: float) -> str:
    return format_number(value, "percent")
