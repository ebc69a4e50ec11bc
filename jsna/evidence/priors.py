"""What all authorities' counts teach of how ratios spread: from the official files, or from pupils in an engine."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.codes import code_list, ethnicity_code
from jsna.counts import NEEDS, OUTCOMES
from jsna.counts.question import CROSS
from jsna.disproportionality.learning import COLUMNS, Learned, design_effects, learn_priors
from jsna.disproportionality.prior_file import Entry, as_text, entry_of
from jsna.engines import Engine, count_areas
from jsna.errors import Problem, SourceError
from jsna.evidence.comparison import dimension
from jsna.evidence.pipeline import ALL, DIMENSIONS, ENGLAND, KEYS, UNKNOWN, by_group, official_counts
from jsna.evidence.pipeline.compared import judged
from jsna.sources.folder import OfficialFolder

PLANS, PUPILS = "plans", "plans over pupils"
WHAT = (
    "Weights of normal distributions of log ratios, with the spreads as standard deviations: how the true ratios of "
    "groups to all others of their authority spread around 1, once the chance of small counts is allowed for."
)
CRUDE = "Ratios are crude: not adjusted for age, sex or deprivation, and so they spread more than adjusted ones."
NOBODY = "No authority's counts are in this file."
ALONE = (
    "Counts are of children as if each were independent: schools are not in published counts, so no design effect is "
    "allowed for, and true ratios spread less than this says."
)
OVER_PUPILS = (
    "ehc_plan: plans of ages 0 to 25 ({period}) by the authority that is responsible, over pupils of all ages in "
    "state-funded schools of the authority ({pupils_of}, the newest census at hand; years between: {years}). Groups "
    "whose numbers changed in between, and pupils who go to school in another authority, widen the spread."
)
OF_PLANS = (
    "Outcomes plans_need_… are shares of plans with this primary need, not of pupils; all others are stages of the "
    "process as jsna/evidence/pipeline/pipeline.yml names them."
)
SCHOOLS = "Counted in the newest census. Schools are allowed for by a design effect of each group, at least 1."


def official_priors(folder: OfficialFolder, made: str) -> str:
    """The text of the file of priors that the official files of ``folder`` teach; ``made``: the day, as 2026-01-31.

    EHC plans over pupils by ethnic group, primary needs among plans, and every stage of the process, by ethnic group,
    sex and (stages that do not differ by age by their nature) age. Raises ``SourceError`` for files that are missing.
    """
    plans, period, pupils_of = plans_over_pupils(folder)
    needs, needs_period = needs_among_plans(folder)
    staged = official_counts(folder)
    stages = staged.frame.rename(columns={"stage": "outcome"})
    stages = stages[(stages["dimension"] != ALL) & (stages["area_code"] != ENGLAND) & judged(stages)]
    entries = [entry_of(one, period=period, source=PUPILS, pupils_of=pupils_of) for one in learn_priors(plans)]
    entries += [entry_of(one, period=needs_period, source=PLANS) for one in learn_priors(needs)]
    entries += [entry_of(one, period=staged.periods[one.outcome], source=PLANS) for one in learn_priors(stages)]
    years = int(period[:4]) - int(pupils_of[:4])
    over = OVER_PUPILS.format(period=period, pupils_of=pupils_of, years=years)
    return as_text(entries, made=made, notes=[WHAT, ALONE, CRUDE, over, OF_PLANS, NOBODY], sources=_sources(folder))


def plans_over_pupils(folder: OfficialFolder) -> tuple[pd.DataFrame, str, str]:
    """EHC plans over pupils by ethnic group in every authority, and the periods of the plans and of the pupils.

    Plans are of the first period with ethnic groups that is not before that of the newest pupils. The release leaves
    out groups without a plan: of an authority that told its groups, they have none. Authorities are paired by DfE's
    number; those that became several since, or one, take no part, nor do groups with more plans than pupils.
    """
    held = folder.pupils().frame
    all_of = (held["phase_type_grouping"] == "Total") & (held["language"] == "Total") & (held["ethnicity"] != "Total")
    held = held[all_of & (held["geographic_level"] == "Local authority")]
    pupils_of = str(held["time_period"].max())
    held = held[held["time_period"] == pupils_of]
    codes = {label: ethnicity_code(label) for label in held["ethnicity"].unique()}
    group = held["ethnicity"].map(codes).replace("NOBT", UNKNOWN)
    pupils = held["headcount"].groupby([held["dfe_number"], group.rename("group")]).sum(min_count=1).rename("total")

    table = folder.ehc("caseload").frame
    told = table[(table["breakdown_topic"] == "Ethnicity") & table["ehcplans"].notna()]
    later = told.loc[told["time_period"].astype("str") >= pupils_of, "time_period"]
    if later.empty:
        what = "No plans by ethnic group are of the pupils' year or a later one."
        raise SourceError(Problem(what, where="caseload", value=pupils_of))
    period = str(later.min())
    told = told[(told["time_period"] == period) & (told["geographic_level"] == "Local authority")]
    current = told.drop_duplicates("dfe_number").set_index("dfe_number")["area_code"]
    pupils = pupils[pupils.index.isin(current.index, level="dfe_number")].reset_index()
    pupils = pupils.assign(area_code=pupils["dfe_number"].map(current), dimension="ethnicity")
    grouped, _ = by_group(table[table["time_period"] == period], "caseload", ["ehcplans"])
    plans = grouped["ehcplans"].reindex(pd.MultiIndex.from_frame(pupils[KEYS]), fill_value=0.0)
    paired = pupils.assign(count=plans.to_numpy(), outcome="ehc_plan", known=pupils["group"] != UNKNOWN)
    return paired.loc[~(paired["count"] > paired["total"]), [*COLUMNS]].reset_index(drop=True), period, pupils_of


def needs_among_plans(folder: OfficialFolder) -> tuple[pd.DataFrame, str]:
    """Plans by primary need among all plans, by ethnic group and sex in every authority, and their period.

    Not by age: needs differ by age by their nature.
    """
    table = folder.ehc("sen_needs_all_plans").frame
    columns = {f"number_{n.lower()}": n for n in code_list("need").index if f"number_{n.lower()}" in table}
    grouped, period = by_group(table, "sen_needs_all_plans", ["ehc_plans", *columns])
    rows = grouped.rename(columns={"ehc_plans": "total"} | {c: f"plans_need_{n}" for c, n in columns.items()})
    long = rows.reset_index().melt(["dimension", "group", "area_code", "total"], var_name="outcome", value_name="count")
    long = long[long["dimension"].isin(DIMENSIONS) & (long["dimension"] != "age") & (long["area_code"] != ENGLAND)]
    return long.assign(known=long["group"] != UNKNOWN)[[*COLUMNS]], period


def _sources(folder: OfficialFolder) -> dict[str, str]:
    plans, pupils = folder.ehc("caseload").summary, folder.pupils().summary
    release = plans.source.partition(":")[0]
    told = [
        f"{publisher}, {source} ({folder.file(name).name}, sha256 {digest[:12]})"
        for publisher, source, name, digest in (
            (plans.publisher, release, "ehc", plans.sha256),
            (pupils.publisher, pupils.source, "pupils", pupils.sha256),
        )
    ]
    return {PLANS: told[0], PUPILS: f"{told[0]}; {told[1]}"}


def engine_priors(engine: Engine, dimensions: Sequence[str], made: str, source: str, areas: Sequence[str] = ()) -> str:
    """The text of the file of priors that the pupils of many authorities teach, counted by ``engine`` in one pass.

    ``dimensions``: columns of the pupil table, each with its groups in a code list; ``source``: whose pupils these are,
    in words; ``areas``: these authorities alone. Outcomes: any SEN, SEN support, EHC plans and each primary need, over
    all pupils. Raises ``SourceError`` for a column that is not there, and where no outcome has enough authorities.
    """
    learned, period = taught_by(engine, dimensions, areas)
    if not learned:
        what = "Too few authorities and groups to learn from."
        raise SourceError(Problem(what, where=engine.name, mend="Ask more authorities to join."))
    entries: list[Entry] = [entry_of(one, period=period, source="pupils") for one in learned]
    return as_text(entries, made=made, notes=[WHAT, SCHOOLS, CRUDE, NOBODY], sources={"pupils": source})


def taught_by(engine: Engine, dimensions: Sequence[str], areas: Sequence[str] = ()) -> tuple[tuple[Learned, ...], str]:
    """What the pupils of an engine teach, and the newest census, of which it is."""
    known = {by: dimension(by) for by in dimensions}
    counts = count_areas(engine, *([by, "school_urn"] for by in dimensions), areas=areas).unseal("to learn priors")
    period = str(counts["time_period"].astype("str").max())
    counts = counts[counts["time_period"].astype("str") == period]
    outcomes = [*OUTCOMES, *(f"need_{n}" for n in NEEDS)]
    learned: list[Learned] = []
    names = {"la_code": "area_code", "school_urn": "school", "pupils": "total"}
    for by, told in known.items():
        labels = {label: set(label.split(CROSS)) == {by, "school_urn"} for label in counts["grouping"].unique()}
        rows = counts[counts["grouping"].astype("str").map(labels)].rename(columns=names | {by: "group"})
        rows = rows.assign(dimension=by, known=~rows["group"].astype("str").isin(told.unknown))
        learned += learn_priors(design_effects(rows, outcomes))
    return tuple(sorted(learned, key=lambda one: (one.dimension, one.outcome))), period
