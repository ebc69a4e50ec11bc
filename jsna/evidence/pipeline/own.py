"""The pipeline from an authority's own lists: the same stages by group, within age too, protected at the gate.

By group only such stages are counted as cannot be taken from one another: of requests those decided, of plans those
without an exception. With the plans of both kinds, the difference would tell how many exceptions a small group has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.disclosure import Policy, protect
from jsna.disproportionality import stratified
from jsna.evidence.comparison import AGAINST_REFERENCE, OTHERS, RATES
from jsna.evidence.ehc import plan_years_of, years_of
from jsna.evidence.operational import annual_reviews, disputes, join_groups, limit
from jsna.evidence.pipeline import DIMENSIONS, UNKNOWN, band_of, stages
from jsna.evidence.pipeline.compared import (
    FAMILY,
    ROW,
    Pipeline,
    beside_all_others,
    ordered,
    pooled_ratios,
)
from jsna.files.result import Loaded
from jsna.measures import proportion
from jsna.sealed import Sealed

SEX = {"F": "Female", "M": "Male"}
WORDS = (
    "dimension",
    "outcome",
    "group",
    "label",
    "known",
    "time_period",
    "status",
    "reasons",
    "comparator",
    "comparisons",
)
AGE_COLUMNS = ("age_risk_ratio", "age_lower", "age_upper")


@dataclass(frozen=True)
class OwnCounts:
    """Sealed cells: one row a dimension, group, age band and outcome (the stage's key), ``count`` of ``total``."""

    cells: Sealed
    periods: dict[str, str]


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
            parts += [made(_who(rows, pupils), year) for year in told]
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
    )


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


def compared_own(
    counts: OwnCounts,
    *,
    policy: Policy,
    source: str,
    synthetic: bool,
    reference: str = "WBRI",
    confidence: float = 0.95,
) -> Pipeline:
    """Each stage for each group against all others, beside the ratio among those of the same age band.

    As ``compared.compared``, without England; what the gate hides is hidden in every column. ``age_…`` columns
    are Mantel–Haenszel over age bands, for those whose age is known.
    """
    cells = counts.cells.unseal("to compare groups within age")
    rows = cells.groupby(["dimension", "outcome", "group"], as_index=False)[["count", "total"]].sum()
    rows = ordered(rows.assign(known=rows["group"] != UNKNOWN))
    main = beside_all_others(rows, reference, confidence)
    pooled = [pooled_ratios(part, confidence) for _, part in main.groupby(FAMILY, sort=False)]
    main = main.join(pd.concat(pooled)).merge(_within_age(cells, confidence), on=ROW, how="left", validate="1:1")
    pair = ("numerator", "denominator")
    derived = tuple(c for c in main if c not in (*WORDS, *pair, *RATES))
    sealed = Sealed(main, counts=pair, rates=dict.fromkeys(RATES, pair), derived=derived)
    shown = protect(sealed, policy, source=source, synthetic=synthetic, relations=(tuple(FAMILY),))
    return Pipeline(
        table=shown,
        overall=protect(_overall(rows, policy, confidence), policy, source=source, synthetic=synthetic, relations=()),
        by_age=None,
        periods=counts.periods,
        comparisons=int(main["p_value"].notna().sum()),
        official=False,
        reference=reference if f"{AGAINST_REFERENCE[0]}_reference" in main else "",
    )


def _within_age(cells: pd.DataFrame, confidence: float) -> pd.DataFrame:
    told = cells[(cells["dimension"] != "age") & (cells["band"] != UNKNOWN)]
    within = stratified(
        told.assign(known=told["group"] != UNKNOWN),
        group="group",
        count="count",
        total="total",
        by="band",
        known="known",
        family=FAMILY,
        confidence=confidence,
    ).table
    names = dict(zip(("risk_ratio", "lower", "upper"), AGE_COLUMNS, strict=True))
    rows = within[within["comparator"] == OTHERS]
    return rows.rename(columns=names)[[*ROW, *AGE_COLUMNS]]


def _overall(rows: pd.DataFrame, policy: Policy, confidence: float) -> Sealed:
    sums = rows[rows["dimension"] == "age"].groupby("outcome", sort=False)[["count", "total"]].sum()
    limits = 100 * proportion(sums["count"], sums["total"], confidence)[["estimate", "lower", "upper"]]
    table = pd.DataFrame({"numerator": sums["count"], "denominator": sums["total"]})
    names = ("percent", "percent_lower", "percent_upper")
    table[list(names)] = limits.to_numpy()
    for d in DIMENSIONS:
        unknown = rows[(rows["dimension"] == d) & ~rows["known"]].groupby("outcome")["total"].sum()
        unknown = unknown.reindex(table.index, fill_value=0)
        known = 100 * (1 - unknown / table["denominator"])
        # no number that, with the total, would give away how few are not known
        words = pd.Series(np.floor(known), index=table.index).astype("int64").astype("str") + "%"
        words = words.mask(unknown < policy.threshold, f"all but fewer than {policy.threshold}")
        table[f"{d}_known"] = words.mask(unknown == table["denominator"], "not in the list")
    pair = ("numerator", "denominator")
    return Sealed(table.rename_axis("outcome").reset_index(), counts=pair, rates=dict.fromkeys(names, pair))
