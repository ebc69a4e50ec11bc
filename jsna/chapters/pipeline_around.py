"""Around the EHC pipeline: who asks, England crude and within authorities, ages, why plans end, and appeals."""

from __future__ import annotations

import pandas as pd

from jsna.area import Area, period_name
from jsna.chapters.base import gap, needs, passes_notice, source_row, with_extras
from jsna.chapters.disparity import texts
from jsna.chapters.ehc import promise
from jsna.chapters.pipeline_periods import dated
from jsna.disclosure import publish_official
from jsna.evidence.pipeline import ENGLAND, UNKNOWN, band_of, by_group, dimension_of, stages
from jsna.evidence.pipeline.compared import NATIONAL, Pipeline
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.text import finding, listing
from jsna.exhibits.trend_chart import trend
from jsna.measures import proportion, rate
from jsna.sources.population import read_census_slice
from jsna.sources.tribunal import read_appeals

REQUESTS, PLANS = ("requests", "requests_received_in_year"), ("caseload", "ehcplans")
FEWEST_IN_ENGLAND = 1000  # of a group in England's denominator, for its ratios to be an example in a sentence
EXAMPLES = 3
LEFT_OUT = ("The release at hand lacks this stage’s table, or a column of it.", "See the notes on every stage.")


def _pc(value: float) -> str:
    return format_number(value, "percent")


@needs("official")
def requests_and_plans(area: Area, dimension: str) -> Exhibit:
    """Each group's share of the requests of a year, beside its share of all plans, here and in England.

    Shares are of those whose group is known. There is no rate per resident by ethnic group or sex: no count of
    residents aged 0 to 25 by these stands beside the release.
    """
    parts, periods = {}, {}
    for name, (table, column) in {"requests": REQUESTS, "plans": PLANS}.items():
        rows, periods[name] = by_group(area.official.ehc(table).frame, table, [column])
        of = rows[column].loc[dimension].drop(UNKNOWN, level="group", errors="ignore").unstack("area_code")
        parts[name], parts[f"england_{name}"] = of[area.code].fillna(0), of[ENGLAND].fillna(0)
    labels = dimension_of(dimension).labels
    table = pd.DataFrame(parts).reindex([g for g in labels if g in parts["requests"].index]).fillna(0)
    share = 100 * table / table.sum()
    whole = pd.Series(table["requests"].sum(), index=table.index)
    limits = 100 * proportion(table["requests"], whole, area.params.confidence)[["lower", "upper"]]
    shown = share.add_suffix("_share").assign(
        label=[labels[g] for g in table.index],
        requests=table["requests"],
        plans=table["plans"],
        lower=limits["lower"],
        upper=limits["upper"],
    )
    source = f"{stages().words['release']}, requests {periods['requests']}, plans {period_name(periods['plans'])}"
    return table_exhibit(
        publish_official(shown.reset_index(drop=True), source=source),
        id=f"ehc-requests-{dimension}",
        title=f"Who asks: requests of {periods['requests']} beside plans of {period_name(periods['plans'])}, "
        f"{texts()['dimensions'][dimension]['of']}",
        columns=[
            {"name": "label", "label": "Group", "kind": "text"},
            {"name": "requests", "label": "Requests", "kind": "count"},
            {"name": "requests_share", "label": "Share of requests (%)", "kind": "percent"},
            {"name": "lower", "label": "Lower limit (%)", "kind": "percent"},
            {"name": "upper", "label": "Upper limit (%)", "kind": "percent"},
            {"name": "plans", "label": "Plans", "kind": "count"},
            {"name": "plans_share", "label": "Share of plans (%)", "kind": "percent"},
            {"name": "england_requests_share", "label": "England, share of requests (%)", "kind": "percent"},
            {"name": "england_plans_share", "label": "England, share of plans (%)", "kind": "percent"},
        ],
        row_header="label",
    )


@needs("official")
def requests_per_resident(area: Area) -> Exhibit:
    """Requests for 1,000 residents of each age band: the one rate for which the open files have a population."""
    if "population" not in area.official.found:
        return gap(
            "ehc-requests-residents",
            "Requests for 1,000 residents by age need the population by single year of age.",
            "Put ONS’s “Mid-2020 population by single year of age, by local authority” into the folder.",
        )
    table, column = REQUESTS
    rows, period = by_group(area.official.ehc(table).frame, table, [column])
    asked = rows[column].loc["age"].drop(UNKNOWN, level="group", errors="ignore").unstack("area_code")
    loaded = read_census_slice(area.official.file("population"))
    people = _residents(loaded.frame, area)
    labels = dimension_of("age").labels
    bands = [b for b in labels if b != UNKNOWN]
    made = {"label": [labels[b] for b in bands]}
    for name, code in (("", area.code), ("england_", ENGLAND)):
        counts = asked[code].reindex(bands).fillna(0)
        rates = rate(counts, people[code].reindex(bands), area.params.confidence, multiplier=1000)
        made |= {f"{name}{c}": rates[c].to_numpy() for c in ("estimate", "lower", "upper")}
        made |= {f"{name}requests": counts.to_numpy(), f"{name}residents": people[code].reindex(bands).to_numpy()}
    exhibit = table_exhibit(
        publish_official(
            pd.DataFrame(made),
            source=f"{stages().words['release']}, requests, {period}; ONS, mid-2020 population by single year of age",
            notes=(texts()["pipeline"]["residents"].strip(),),
        ),
        id="ehc-requests-residents",
        title=f"Requests in {period} for 1,000 residents, by age",
        columns=[
            {"name": "label", "label": "Age", "kind": "text"},
            {"name": "requests", "label": "Requests", "kind": "count"},
            {"name": "residents", "label": "Residents, mid-2020", "kind": "count"},
            {"name": "estimate", "label": "Requests for 1,000", "kind": "percent"},
            {"name": "lower", "label": "Lower limit", "kind": "percent"},
            {"name": "upper", "label": "Upper limit", "kind": "percent"},
            {"name": "england_estimate", "label": "England, for 1,000", "kind": "percent"},
        ],
        row_header="label",
    )
    return with_extras(exhibit, sources=[source_row(loaded)])


def _residents(frame: pd.DataFrame, area: Area) -> pd.DataFrame:
    """Residents by age band (rows) of the area, all its districts together, and of England."""
    ages = [c for c in frame if str(c).isdigit() and int(c) <= stages().bands[-1].last]
    places = {area.code: frame["area_code"].isin(area.official.districts_of(area.code))}
    places |= {ENGLAND: frame["area_code"].astype("str").str.startswith("E")}
    bands = band_of(pd.Series(ages, index=ages))
    return pd.DataFrame({code: frame.loc[rows, ages].sum().groupby(bands).sum() for code, rows in places.items()})


@passes_notice
def england(made: Pipeline, area: Area, outcome: str) -> Exhibits:
    """One stage over England by ethnic group: within authorities, beside the crude ratio, and why they differ."""
    if outcome not in made.outcomes:
        return Exhibits((gap(f"ehc-england-{outcome.replace('_', '-')}", *LEFT_OUT),))
    part = made.of(outcome, "ethnicity")
    rows = dated(part.table.rows(part.table.frame["known"]), made.periods)
    frame = rows.frame
    reference = part.labels.get(made.reference, made.reference)
    both = [c for c in NATIONAL if c != "england_sum"]
    kinds = {"england_areas": ("Authorities", "count"), "england_crude": ("Crude, England’s published row", "ratio")}
    kinds |= {"england_risk_ratio": ("Within authorities", "ratio")}
    kinds |= {"england_lower": ("Within, lower limit", "ratio"), "england_upper": ("Within, upper limit", "ratio")}
    columns = [{"name": "label", "label": "Group", "kind": "text"}]
    for ending, against in (("", "all others"), ("_reference", reference)):
        columns += [
            {"name": f"{c}{ending}", "label": f"{kinds[c][0]}, to {against}", "kind": kinds[c][1]} for c in both
        ]
    columns += [
        {"name": "risk_ratio_reference", "label": f"{area.name}, to {reference}", "kind": "ratio"},
        {"name": "risk_ratio_lower_reference", "label": f"{area.name}, lower limit", "kind": "ratio"},
        {"name": "risk_ratio_upper_reference", "label": f"{area.name}, upper limit", "kind": "ratio"},
    ]
    name = f"ehc-england-{outcome.replace('_', '-')}"
    table = table_exhibit(
        rows,
        id=f"{name}-table",
        title=f"{stages()[outcome].name}: England’s ratios within authorities and crude, {period_name(part.period)}",
        columns=columns,
        row_header="label",
        folded=True,
    )
    return Exhibits((with_extras(_why(frame, outcome, reference, name), minor=True), table))


def _why(frame: pd.DataFrame, outcome: str, reference: str, name: str) -> Exhibit:
    """How many groups' crude ratio is another than the one within authorities, with the area's largest as examples."""
    differs = float(stages().words["differs"])
    both = frame.dropna(subset=["england_crude_reference", "england_lower_reference"])
    factor = both["england_crude_reference"].astype("float64") / both["england_risk_ratio_reference"].astype("float64")
    apart = both.assign(factor=factor)[(factor > differs) | (factor < 1 / differs)]
    large = apart[apart["england_total"] >= FEWEST_IN_ENGLAND].sort_values(
        "denominator", ascending=False, kind="stable"
    )
    points = f"{round(100 * (differs - 1))}%"
    sentence = (
        f"{stages()[outcome].name}: for {len(apart)} of {len(both)} ethnic groups, England’s crude ratio to "
        f"{reference} is more than {points} from the ratio within authorities."
    )
    detail = [_example(row) for row in large.head(EXAMPLES).itertuples()]
    return finding(f"{name}-finding", sentence, detail=[*detail, texts()["pipeline"]["where"].strip()])


def _example(row) -> str:
    crude, within, low, high = (
        format_number(getattr(row, f"england_{c}_reference"), "ratio")
        for c in ("crude", "risk_ratio", "lower", "upper")
    )
    where = "higher" if row.factor > 1 else "lower"
    return (
        f"{row.label}: {crude} in England’s totals, {within} within authorities (between {low} and {high}, 95% "
        f"confidence interval; {int(row.england_areas_reference)} authorities). More of them are in authorities where "
        f"this share is {where} for everyone."
    )


@passes_notice
def by_age(made: Pipeline) -> Exhibit:
    """Places, and plans that end, by age: shares alone, for they differ by age by their nature."""
    if made.by_age is None:
        return gap("ehc-pipeline-by-age", "The lists do not tell the place of plans by age.", "Bring the SEN2 return.")
    rows = dated(made.by_age, made.periods)
    rows = rows.with_columns(stage=rows.frame["outcome"].map(lambda o: stages()[o].name))
    return table_exhibit(
        rows,
        id="ehc-pipeline-by-age",
        title="Places, and plans that end, by age: no ratio is judged, for schools and plans end by age",
        columns=[
            {"name": "stage", "label": "Stage", "kind": "text"},
            {"name": "label", "label": "Age", "kind": "text"},
            {"name": "numerator", "label": "Number", "kind": "count"},
            {"name": "denominator", "label": "Out of", "kind": "count"},
            {"name": "percent", "label": "Share (%)", "kind": "percent"},
            {"name": "england_percent", "label": "England (%)", "kind": "percent"},
        ],
        row_header="stage",
        folded=True,
    )


@needs("official")
def reasons(area: Area) -> Exhibit:
    """Why plans ended in the year, all reasons, beside England."""
    told = stages().words["reasons"]
    columns = [c for parts in told.values() for c in parts]
    rows, period = by_group(area.official.ehc("ceased_plans").frame, "ceased_plans", [*columns, "total_ceased"])
    own, england = (rows.loc[("all", "all", code)] for code in (area.code, ENGLAND))
    table = pd.DataFrame(
        {
            "label": list(told),
            "number": [own[parts].sum() for parts in told.values()],
            "percent": [100 * own[parts].sum() / own["total_ceased"] for parts in told.values()],
            "england_percent": [100 * england[parts].sum() / england["total_ceased"] for parts in told.values()],
        }
    )
    return table_exhibit(
        publish_official(table, source=f"{stages().words['release']}, ceased_plans, {period}"),
        id="ehc-ceased-reasons",
        title=f"Why {int(own['total_ceased']):,} plans ended in {period}",
        columns=[
            {"name": "label", "label": "Reason", "kind": "text"},
            {"name": "number", "label": "Plans", "kind": "count"},
            {"name": "percent", "label": "Share (%)", "kind": "percent"},
            {"name": "england_percent", "label": "England (%)", "kind": "percent"},
        ],
        row_header="label",
    )


@needs("official")
def age_gap(area: Area) -> Exhibit:
    """What the release cannot tell: ethnic groups within ages."""
    words = texts()["pipeline"]
    return gap("ehc-pipeline-age-gap", words["no_age"].strip(), words["no_age_mend"].strip())


@needs("official")
def appeals(area: Area) -> Exhibits:
    """Appeals to the tribunal beside requests refused: both denominators of the last year, and the years before."""
    loaded = read_appeals(area.official.file("ehc"))
    frame = loaded.frame[loaded.frame["area_code"].isin([area.code, ENGLAND])]
    frame = frame.assign(area_name=frame["area_name"].mask(frame["area_code"] == ENGLAND, "England"))
    own = frame[frame["area_code"] == area.code]
    if own.empty:
        return Exhibits((gap("ehc-appeals", f"The tribunal’s table has no row for {area.name}.", "See the release."),))
    last = frame[frame["year"] == frame["year"].max()]
    shown = publish_official(
        last.assign(percent=100 * last["appeals"] / last["decisions"])[
            ["area_name", "area_code", "basis", "appeals", "decisions", "percent"]
        ],
        source="Tribunals and DfE, SEND Tribunal appeals and appeal rate, in the release of EHC plans of 2025",
        symbols=_symbols(last),
    )
    table = table_exhibit(
        shown,
        id="ehc-appeals-table",
        title=f"Appeals registered with the SEND Tribunal in {last['year'].iloc[0]}, on both counts of decisions",
        columns=[
            {"name": "area_name", "label": "Area", "kind": "text"},
            {"name": "basis", "label": "Count of decisions", "kind": "text"},
            {"name": "appeals", "label": "Appeals", "kind": "count"},
            {"name": "decisions", "label": "Decisions that can be appealed", "kind": "count"},
            {"name": "percent", "label": "Appeals for 100 decisions", "kind": "percent"},
        ],
        row_header="area_name",
    )
    series = frame[frame["basis"] == "as published"].sort_values(["area_code", "year"], kind="stable")
    series = series.assign(percent=100 * series["appeals"] / series["decisions"])
    chart = trend(
        publish_official(series[["year", "area_name", "percent"]], source=shown.source),
        id="ehc-appeals-trend",
        title=f"Appeals for 100 decisions that can be appealed, as published, {series['year'].min()} to "
        f"{series['year'].max()}",
        x="year",
        series="area_name",
        value="percent",
        highlight=str(own["area_name"].iloc[0]),
        breaks=("2023",),
        unit="appeals for 100 decisions",
    )
    made = _appeals_finding(area, last)
    return Exhibits((with_extras(made, sources=[source_row(loaded)]), table, chart))


def _symbols(rows: pd.DataFrame) -> pd.DataFrame:
    none = pd.Series("", index=rows.index)
    hidden = rows["appeals_symbol"].where(rows["appeals_symbol"] != "", rows["decisions_symbol"])
    return pd.DataFrame(
        {
            "area_name": none,
            "area_code": none,
            "basis": none,
            "appeals": rows["appeals_symbol"],
            "decisions": rows["decisions_symbol"],
            "percent": hidden,
        }
    )


def _appeals_finding(area: Area, last: pd.DataFrame) -> Exhibit:
    own = last[(last["area_code"] == area.code) & last["appeals"].notna() & last["decisions"].notna()]
    year = last["year"].iloc[0]
    told = [
        f"{_pc(100 * r.appeals / r.decisions)} for 100 decisions ({r.appeals:,.0f} of {r.decisions:,.0f}, {r.basis})"
        for r in own.itertuples()
    ]
    sentence = (
        f"In {year}, families in {area.name} registered {int(own['appeals'].iloc[0]):,} appeals: {listing(told)}."
        if told
        else f"The appeals of {area.name} in {year} are not published."
    )
    england = [
        f"{_pc(100 * r.appeals / r.decisions)} ({r.basis})"
        for r in last[(last["area_code"] == ENGLAND) & last["decisions"].notna()].itertuples()
    ]
    refused, _ = by_group(
        area.official.ehc("requests").frame, "requests", ["requests_decided_not_to_assess", "requests_received_in_year"]
    )
    own_share, share = (_share(refused, code, area) for code in (area.code, ENGLAND))
    detail = [
        f"England: {listing(england)}.",
        f"Requests refused, of received: {own_share} in {area.name}, {share} in England.",
        promise(area, "EHC-12"),
        texts()["pipeline"]["appeals"].strip(),
    ]
    return finding("ehc-appeals", sentence, detail=[d for d in detail if d])


def _share(rows: pd.DataFrame, code: str, area: Area) -> str:
    part, whole = rows.loc[("all", "all", code)]
    return f"{_pc(100 * part / whole)}%" if whole >= area.params.minimum_denominator else "too few for a share"
