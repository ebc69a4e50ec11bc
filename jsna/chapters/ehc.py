"""The EHC plan process from a list of cases: timeliness and refusals, over years and between groups."""

from __future__ import annotations

from jsna.area import Area
from jsna.chapters import disparity
from jsna.chapters.base import needs, source_row, with_extras
from jsna.disclosure import Released, protect
from jsna.evidence.comparison import Comparison, compare, dimension
from jsna.evidence.ehc import case_counts
from jsna.exhibits.charts import dot_interval
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import format_number
from jsna.exhibits.text import finding
from jsna.measures import proportion
from jsna.sealed import Sealed

TOTAL = {"in_20_weeks": "plans", "refused": "requests"}


def _source(area: Area) -> str:
    if area.synthetic:
        return "Synthetic cases of the workbench, calibrated to published figures"
    return f"{area.ehc_cases.summary.source}, as held by {area.name}"


def _by_year(area: Area) -> Released:
    frame = case_counts(area.ehc_cases.frame, "sex").unseal("to add up cases by year")
    years = frame.groupby("time_period", as_index=False)[["plans", "in_20_weeks"]].sum()
    years = years[years["time_period"].isin(_years(area))].reset_index(drop=True)
    limits = (
        100 * proportion(years["in_20_weeks"], years["plans"], area.params.confidence)[["estimate", "lower", "upper"]]
    )
    years["percent"], years["percent_lower"], years["percent_upper"] = (
        limits["estimate"],
        limits["lower"],
        limits["upper"],
    )
    pair = ("in_20_weeks", "plans")
    sealed = Sealed(years, counts=pair, rates={"percent": pair, "percent_lower": pair, "percent_upper": pair})
    return protect(sealed, area.policy, source=_source(area), synthetic=area.synthetic, relations=())


def _years(area: Area) -> list[str]:
    """The calendar years that the case list covers whole: those in which requests were made."""
    return sorted(area.ehc_cases.frame["date_requested"].dt.year.astype(str).unique())


@needs("cases")
def timeliness_by_year(area: Area) -> Exhibit:
    """Share of plans issued within 20 weeks, exceptions included, by calendar year."""
    return dot_interval(
        _by_year(area),
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
    """Are plans made in time? In a sentence."""
    row = _by_year(area).frame.iloc[-1]
    shown = finding(
        "ehc-timeliness",
        f"In {row['time_period']}, {format_number(row['percent'], 'percent')}% of plans were issued within 20 weeks; "
        "the board's promise is all of them.",
        detail=(
            f"{int(row['in_20_weeks']):,} of {int(row['plans']):,} plans, exceptions included; between "
            f"{format_number(row['percent_lower'], 'percent')}% and {format_number(row['percent_upper'], 'percent')}%, "
            "95% confidence interval for year-to-year chance.",
        ),
    )
    return with_extras(shown, sources=[source_row(area.ehc_cases)])


@needs("cases")
def by_group(area: Area, column: str, outcome: str) -> Comparison:
    """``outcome`` of each group of ``column`` against all others, in the latest whole year of the case list."""
    return compare(
        case_counts(area.ehc_cases.frame, column),
        dimension(column),
        (outcome,),
        period=_years(area)[-1],
        policy=area.policy,
        source=_source(area),
        synthetic=area.synthetic,
        total=TOTAL[outcome],
        confidence=area.params.confidence,
    )


@needs("cases")
def group_chart(comparison: Comparison, area: Area) -> Exhibit:
    """Each group's ratio to all others, with the rows that ``flags.csv`` takes."""
    outcome = str(comparison.table.frame["outcome"].iloc[0])
    return with_extras(disparity.ratios(comparison, outcome), flags=disparity.flag_rows(comparison, area, outcome))


@needs("cases")
def group_table(comparison: Comparison, area: Area) -> Exhibit:
    """All figures of the comparison."""
    return disparity.table(comparison, str(comparison.table.frame["outcome"].iloc[0]))
