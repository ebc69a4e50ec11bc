"""The stages of the pipeline counted from an authority's own lists: by group and age band, over whole years.

By group only such stages are counted as cannot be taken from one another: of requests those decided, of plans those
without an exception. With the plans of both kinds, the difference would tell how many exceptions a small group has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from jsna.codes import code_list
from jsna.evidence.ehc import case_counts, plan_years_of, years_of
from jsna.evidence.local_values.specification import names_of as names_in
from jsna.evidence.operational import annual_reviews, disputes, join_groups, limit
from jsna.evidence.pipeline import UNKNOWN, band_of, stages
from jsna.evidence.pipeline.compared import FAMILY
from jsna.files.result import Loaded
from jsna.linked.cases import DAY_KNOWN
from jsna.sealed import Sealed

if TYPE_CHECKING:
    from jsna.area import Area

SEX = {"F": "Female", "M": "Male"}
# The counts of cases by the names that they have as figures of the indicators.
OF_CASES = {
    "refused": "refused",
    "in_6_weeks": "decided_in_6_weeks",
    "in_20_weeks": "in_20_weeks_plain",
    "over_a_year": "over_a_year_plain",
    "decided": "decided",
    "plain_plans": "plans_plain",
}


@dataclass(frozen=True)
class OwnCounts:
    """Sealed cells: one row a dimension, group, age band and outcome (the stage's key), ``count`` of ``total``.

    ``periods`` and ``figures`` by outcome: the years, and the source with the names there of what both columns count.
    """

    cells: Sealed
    periods: dict[str, str]
    figures: dict[str, tuple[str, str, str]]

    @property
    def says_ages(self) -> bool:
        """Whether the age of anybody is known: groups are compared within ages."""
        cells = self.cells.unseal("to see whether ages are known")
        return bool(((cells["dimension"] != "age") & (cells["band"] != UNKNOWN)).any())

    def rows(self) -> Sealed:
        """One row a dimension, outcome and group, bands added up.

        A group that one stage of a source has is a row of all its stages: that it is in none of another is a count.
        """
        cells = self.cells.unseal("to add up age bands")
        sums = cells.groupby([*FAMILY, "group"])[["count", "total"]].sum()
        source = cells["outcome"].map(lambda outcome: self.figures[outcome][0])
        groups = cells[["dimension", "group"]].assign(source=source).drop_duplicates()
        outcomes = pd.DataFrame({"outcome": cells["outcome"], "source": source}).drop_duplicates()
        every = pd.MultiIndex.from_frame(groups.merge(outcomes, on="source")[[*FAMILY, "group"]])
        return Sealed(sums.reindex(every, fill_value=0).reset_index(), counts=("count", "total"))

    def told(self, rows: pd.DataFrame) -> pd.Series:
        """Rows of which the source says the dimension at all: where it says it of nobody, all unknown are everybody."""
        cells = self.cells.unseal("to see which groups the lists name")
        known = cells[cells["group"] != UNKNOWN]
        named = {(self.figures[o][0], d) for o, d in zip(known["outcome"], known["dimension"], strict=True)}
        pairs = zip(rows["outcome"].map(lambda o: self.figures[o][0]), rows["dimension"], strict=True)
        return pd.Series([pair in named for pair in pairs], index=rows.index, dtype="bool")


def own_counts_of(area: Area) -> OwnCounts:
    """The stages that the area's own lists can tell, with the groups of persons as its latest census has them."""
    lists = {kind: loaded.frame for kind, loaded in other_lists(area).items()}
    if not area.roll.rows:
        return own_counts(area.ehc_cases, lists)
    pupils = area.pupils.frame
    latest = pupils[pupils["time_period"].astype("str") == area.periods[-1]]
    return own_counts(area.ehc_cases, lists, latest.drop_duplicates("pupil_id"))


def other_lists(area: Area) -> Mapping[str, Loaded]:
    """The area's lists of annual reviews and disputes, by kind, where it has them."""
    from jsna.area import cache_folder
    from jsna.local import PIPELINE_LISTS, lists_of
    from jsna.synthetic import edition_of
    from jsna.synthetic.lists import load_lists

    if area.local:
        return lists_of(area.params, PIPELINE_LISTS)
    if edition_of(area.params.cycle):
        return {}  # the lists are invented for the newest edition alone
    return load_lists(area.params.seed, area.params.scale, cache_folder())


def plans_by_year(cases: Loaded) -> Sealed:
    """Plans, and those within 20 weeks, exceptions included, by calendar year of which the list tells whole."""
    frame = case_counts(cases.frame, "sex").unseal("to add up cases by year")
    years = frame.groupby("time_period", as_index=False)[["plans", "in_20_weeks"]].sum()
    told = years["time_period"].isin([str(y) for y in plan_years_of(cases)])
    return Sealed(years[told].reset_index(drop=True), counts=("plans", "in_20_weeks"))


def own_counts(
    cases: Loaded, lists: Mapping[str, pd.DataFrame] | None = None, pupils: pd.DataFrame | None = None
) -> OwnCounts:
    """The stages that the lists can tell, over the calendar years that the list of cases covers whole.

    ``cases``: requests as ``Area.ehc_cases`` has them. ``lists``: extracts by kind, of which ``annual_reviews`` (in the
    last year alone, for they tell of all plans) and ``disputes`` are read. ``pupils`` (one census) says the sex, ethnic
    group and age of persons in them. A decision without its day takes no part, nor does a plan of which it is not said
    whether an exception applies, nor the plans of a first year whose requests are older than the list: only the quick
    ones are in it.
    """
    years = years_of(cases)
    parts = [_of_cases(cases.frame, years, plan_years_of(cases))]
    for kind, made, told in (("annual_reviews", _of_reviews, years[-1:]), ("disputes", _of_disputes, years)):
        rows = (lists or {}).get(kind)
        if rows is not None and len(rows):
            joined = _who(rows, pupils)
            parts += [made(joined, year) for year in told]
    long = pd.concat(parts, ignore_index=True)
    wide = [
        _added_up(long, ["outcome", d, "band"]).rename(columns={d: "group"}).assign(dimension=d)
        for d in ("ethnicity", "sex")
    ]
    ages = _added_up(long, ["outcome", "band"])
    cells = pd.concat([*wide, ages.assign(group=ages["band"], dimension="age")], ignore_index=True)
    spans = long.groupby("outcome")["year"].agg(["min", "max"])
    return OwnCounts(
        Sealed(cells, counts=("count", "total")),
        {k: str(first) if first == last else f"{first} to {last}" for k, first, last in spans.itertuples()},
        _figures(cases.frame, years),
    )


def _figures(cases: pd.DataFrame, years: Sequence[int]) -> dict[str, tuple[str, str, str]]:
    """The source of each stage, and its two counts as keys of the figures there."""
    decided = cases["decision"].astype("str").isin(["assess", "refuse"]) & cases["date_requested"].dt.year.isin(years)
    undated = bool((decided & cases["date_decided"].isna()).any())
    names = OF_CASES | ({k: f"{k} {DAY_KNOWN}" for k in ("decided", "refused")} if undated else {})
    found = {}
    for stage in stages().all.values():
        if not (own := stage.own):
            continue
        if own.cases:
            found[stage.key] = ("cases", f"{names[own.cases]}@all", f"{names[own.of]}@all")
        for source, measure in (("reviews", own.reviews), ("disputes", own.disputes)):
            if measure:
                part, whole = names_in(source)[measure]
                found[stage.key] = (source, f"{part}@all", f"{whole}@all")
    return found


def _added_up(long: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return long.groupby(keys, as_index=False)[["count", "total"]].sum()


def _of_cases(cases: pd.DataFrame, years: Sequence[int], plan_years: Sequence[int]) -> pd.DataFrame:
    decision, asked = cases["decision"].astype("str"), cases["date_requested"].dt.year
    decided = asked.isin(years) & decision.isin(["assess", "refuse"]) & cases["date_decided"].notna()
    days = (cases["date_decided"] - cases["date_requested"]).dt.days
    issued = cases["date_issued"].dt.year.where(cases["plan_issued"].astype("bool"))
    plain = (cases["exception"].astype("boolean") == False).fillna(False).astype("bool")  # noqa: E712
    plain &= issued.isin(plan_years)
    taken = (cases["date_issued"] - cases["date_requested"]).dt.days
    totals = {"decided": (decided, asked), "plain_plans": (plain, issued)}
    counts = {
        "refused": decision == "refuse",
        "in_6_weeks": days <= limit("decision_days"),
        "in_20_weeks": taken <= limit("plan_days"),
        "over_a_year": taken > limit("long_days"),
    }
    groups = _groups(cases)
    parts = []
    for key, own in ((s.key, s.own) for s in stages().all.values() if s.own and s.own.cases):
        total, year = totals[own.of]
        rows = groups[total].assign(outcome=key, year=year[total].astype("int64"), total=1)
        parts.append(rows.assign(count=counts[own.cases][total].astype("int64")))
    return pd.concat(parts, ignore_index=True)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Ethnic group, sex and age band as the pipeline names them; what is not said is not known."""
    told = rows.reindex(columns=["ethnicity", "sex", "age"])
    ethnicity = told["ethnicity"].astype("str")
    known = code_list("ethnicity").query("known == '1'").index
    return pd.DataFrame(
        {
            "ethnicity": ethnicity.where(ethnicity.isin(known), UNKNOWN),
            "sex": told["sex"].astype("str").map(SEX).fillna(UNKNOWN),
            "band": band_of(told["age"]),
        }
    )


def _who(rows: pd.DataFrame, pupils: pd.DataFrame | None) -> pd.DataFrame:
    if pupils is None:
        return rows
    return join_groups(rows, pupils, ["sex", "ethnicity", "age"])


def _of_reviews(rows: pd.DataFrame, year: int) -> pd.DataFrame:
    found = annual_reviews(rows.assign(**_groups(rows)), ["ethnicity", "sex", "band"], year)
    return _of_measures(found, "reviews", year)


def _of_disputes(rows: pd.DataFrame, year: int) -> pd.DataFrame:
    return _of_measures(disputes(rows.assign(**_groups(rows)), ["ethnicity", "sex", "band"], year), "disputes", year)


def _of_measures(found: Sealed, kind: str, year: int) -> pd.DataFrame:
    """The measures of an extract that are stages, under the stages' keys."""
    frame = found.unseal("to add up by one characteristic at a time")
    keys = {getattr(s.own, kind): s.key for s in stages().all.values() if s.own and getattr(s.own, kind)}
    rows = frame[frame["measure"].isin(keys)]
    rows = rows.assign(outcome=rows["measure"].map(keys), count=rows["numerator"], total=rows["denominator"])
    return rows[["ethnicity", "sex", "band", "outcome", "count", "total"]].assign(year=year)
