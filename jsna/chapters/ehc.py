"""The EHC plan process from an authority's own list of cases: timeliness over the years, and what else it brings."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area
from jsna.chapters.base import frame_of_area, gap, needs, source_row, with_extras
from jsna.disclosure import Released, protect
from jsna.evidence.ehc import years_of
from jsna.evidence.pipeline.own_counts import plans_by_year
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding, listing
from jsna.linked.cases import plan_names
from jsna.linked.figures import as_changed
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


def promise(area: Area, indicator: str) -> str:
    """What the area's board promised of an indicator, as a sentence; nothing where its frame has no such target."""
    frame = frame_of_area(area)
    words = [t.words.strip().rstrip(".") for t in frame.targets if t.indicator == indicator]
    aim = "" if "".join(words).startswith("The law") else "The aim: "
    return f"{aim}{'; '.join(words)} ({frame.name})." if words else ""


def _by_year(area: Area) -> Released:
    years = plans_by_year(area.ehc_cases).unseal("to work out shares")
    pair, policy = ("in_20_weeks", "plans"), area.policy
    years = as_changed(years, pair, policy, within="plans")
    names = plan_names(years, years["time_period"], pair)
    if policy.pattern is not None:
        years = years.assign(**{c: policy.pattern.rounded(years[c], names[c]) for c in pair})
    parts = ["estimate", "lower", "upper"]
    shares = ["percent", "percent_lower", "percent_upper"]
    years[shares] = 100 * proportion(years["in_20_weeks"], years["plans"], area.params.confidence)[parts]
    sealed = Sealed(years, counts=pair, rates=dict.fromkeys(shares, pair))
    return protect(sealed, policy, source=case_source(area), synthetic=area.synthetic, names=names, relations=())


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
