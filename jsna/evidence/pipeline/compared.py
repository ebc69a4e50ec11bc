"""Every stage of the pipeline for every group: an area's ratios, and England's, within authorities and crude."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.disclosure import Policy, Released, publish_official, too_few_for_a_rate
from jsna.disproportionality import crude, pooled, stratified
from jsna.disproportionality.learning import PLACE, against_others_by_area, prior_of, quasi
from jsna.disproportionality.rule import INSUFFICIENT, NOT_SHOWN, WATCH
from jsna.errors import Problem, SourceError
from jsna.evidence.comparison import AGAINST_REFERENCE, LABELS, OTHERS, Comparison
from jsna.evidence.pipeline import ALL, DIMENSIONS, ENGLAND, UNKNOWN, Counts, dimension_of, stages
from jsna.measures import proportion

FAMILY = ["dimension", "outcome"]
ROW = [*FAMILY, "group"]
MOST_ROWS = 500
NATIONAL = ("england_risk_ratio", "england_lower", "england_upper", "england_areas", "england_crude", "england_sum")
"""England: within authorities with limits and how many there are, and crude from its published row and as their sum.

``england_total``, beside them, is the group's denominator over all authorities.
"""


@dataclass(frozen=True)
class Pipeline:
    """The stages of one area compared between groups.

    ``table``: one row a dimension, outcome (the stage's key) and group, as ``compare`` has them, with the pooled ratio
    and, from official files, ``NATIONAL`` against all others and, with the ending ``_reference``, against the reference
    group. ``overall``: one row a stage: the area's share, England's, and how many are of known group. ``by_age``: the
    shares by age band of the stages that differ by age by their nature, which are not compared.
    ``comparisons``: how many tests the q-values allow for, over all stages and groups.
    """

    table: Released
    overall: Released
    by_age: Released | None
    periods: dict[str, str]
    comparisons: int
    official: bool
    reference: str = ""
    notes: tuple[str, ...] = ()

    def of(self, outcome: str, dimension: str) -> Comparison:
        """One stage for the groups of one dimension. Raises ``SourceError`` for a stage that is not there."""
        frame = self.table.frame
        rows = (frame["outcome"] == outcome) & (frame["dimension"] == dimension)
        if not rows.any():
            raise SourceError(Problem("The stage is not among those of this area.", value=f"{outcome}, {dimension}"))
        labels = dimension_of(dimension).labels
        return Comparison(self.table.rows(rows), dimension, self.periods[outcome], self.comparisons, labels=labels)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The keys of the stages, in the pipeline's order."""
        return tuple(dict.fromkeys(self.table.frame["outcome"]))

    @property
    def compared(self) -> int:
        """How many groups were set beside all others: the rows of known group, as ``flags.csv`` has them."""
        return int(self.table.frame["known"].sum())

    @property
    def unjudged(self) -> int:
        """How many of these cannot be judged, because too few children stand behind them or these are hidden."""
        return int((self.table.frame["known"] & self.table.frame["status"].isin([INSUFFICIENT, NOT_SHOWN])).sum())

    @property
    def watched(self) -> pd.DataFrame:
        """The rows to watch, the furthest from 1 first."""
        rows = self.table.frame[self.table.frame["status"] == WATCH]
        far = np.log(rows["risk_ratio"].astype("float64").clip(lower=1e-9)).abs()
        return rows.loc[far.sort_values(ascending=False, kind="stable").index]


def compared(
    counts: Counts,
    code: str,
    *,
    policy: Policy,
    source: str,
    reference: str = "WBRI",
    confidence: float = 0.95,
) -> Pipeline:
    """Every stage of area ``code`` for each group, against all others there, beside England.

    The q-values, and so the statuses, allow for the tests of all stages and groups together; being crude, a status
    says "watch" at most. England's ratio within authorities is Mantel–Haenszel. Raises ``SourceError`` when the area
    has no rows.
    """
    every = counts.frame.rename(columns={"stage": "outcome"})
    if not (every["area_code"] == code).any():
        raise SourceError(Problem("The area has no rows in the published tables.", value=code, expected="an authority"))
    grouped = every[(every["dimension"] != ALL) & judged(every)]
    authorities = grouped[grouped["area_code"] != ENGLAND]
    main = beside_all_others(ordered(grouped[grouped["area_code"] == code]), reference, confidence)
    main = _with_pooled(main, authorities[authorities["area_code"] != code], confidence)
    main = main.merge(_england(grouped, authorities, reference, confidence), on=ROW, how="left", validate="1:1")
    national = [c for c in main if c.startswith("england_")]
    hidden = tuple(c for c in main if c not in (*LABELS, "dimension", "label", "numerator", "denominator", *national))
    symbols = pd.DataFrame("", index=main.index, columns=main.columns)
    symbols.loc[main["group"] == reference, [c for c in main if c.endswith("_reference")]] = "z"
    published = publish_official(main, source=source, symbols=symbols)
    shown = too_few_for_a_rate(published, "denominator", hidden, policy)
    return Pipeline(
        table=shown,
        overall=publish_official(_overall(every, code, confidence), source=source),
        by_age=publish_official(_by_age(every[~judged(every)], code), source=source),
        periods=counts.periods,
        comparisons=int(main["p_value"].notna().sum()),
        official=True,
        reference=reference,
        notes=counts.notes,
    )


def judged(rows: pd.DataFrame) -> pd.Series:
    """Rows whose stage is compared between groups of their dimension."""
    by_nature = [s.key for s in stages().all.values() if not s.by_age]
    return (rows["dimension"] != "age") | ~rows["outcome"].isin(by_nature)


def _by_age(rows: pd.DataFrame, code: str) -> pd.DataFrame:
    """Shares by age band beside England's: outcome, label, numerator, denominator, percent, england_percent."""
    england = rows[rows["area_code"] == ENGLAND].set_index(["outcome", "group"])
    own = ordered(rows[(rows["area_code"] == code) & rows["known"]])
    keys = pd.MultiIndex.from_frame(own[["outcome", "group"]])
    return pd.DataFrame(
        {
            "outcome": own["outcome"],
            "label": own["label"],
            "numerator": own["count"],
            "denominator": own["total"],
            "percent": 100 * own["count"] / own["total"].where(own["total"] > 0),
            "england_percent": (100 * england["count"] / england["total"]).reindex(keys).to_numpy(),
        }
    )


def ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of the stages, the dimensions and the groups' labels, with the labels."""
    names = {d: dimension_of(d).labels for d in DIMENSIONS}
    at = {(d, g): (n, i) for n, d in enumerate(DIMENSIONS) for i, g in enumerate(names[d])}
    pairs = list(zip(rows["dimension"], rows["group"], strict=True))
    strangers = sorted({f"{d}: {g}" for d, g in pairs if (d, g) not in at})
    if strangers:
        raise SourceError(
            Problem(
                "Rows are in groups that the code list does not know.",
                value=strangers[:5],
                mend="Add them to the code list; no group is dropped or filed under another.",
            )
        )
    place = pd.DataFrame([at[p] for p in pairs], columns=["_d", "_g"], index=rows.index)
    stage = rows["outcome"].map({key: i for i, key in enumerate(stages().all)})
    labels = [names[d][g] for d, g in pairs]
    result = rows.assign(label=labels, _s=stage, **place).sort_values(["_s", "_d", "_g"], kind="stable")
    return result.drop(columns=["_s", "_d", "_g"]).reset_index(drop=True)


def beside_all_others(rows: pd.DataFrame, reference: str, confidence: float) -> pd.DataFrame:
    """Each group of each stage against all others and, in columns ending ``_reference``, the reference group.

    ``rows``: dimension, outcome, group, label, known, count, total of one area, and where all others are not those of
    known group, ``whole_count`` and ``whole_total`` of all. One family of tests over them all.
    """
    result = crude(
        rows,
        group="group",
        count="count",
        total="total",
        known="known",
        reference=reference if (rows["group"] == reference).any() else None,
        family=FAMILY,
        tests=[],
        confidence=confidence,
        whole=("whole_count", "whole_total") if "whole_count" in rows else None,
    )
    main = result[result["comparator"] == OTHERS].copy()
    for risk, percent in (("risk", "percent"), ("risk_lower", "percent_lower"), ("risk_upper", "percent_upper")):
        main[percent] = main[risk] * 100
    main["comparator_percent"] = main["comparator_risk"] * 100
    against = result[result["comparator"] == reference].set_index(ROW)
    keys = pd.MultiIndex.from_frame(main[ROW])
    for column in AGAINST_REFERENCE:
        values = against[column].reindex(keys).to_numpy()
        main[f"{column}_reference"] = np.where(main["group"] == reference, np.nan, values)
    told = rows[[*ROW, "label", "known"]]
    main = told.merge(main, on=ROW, validate="1:1")
    return main.assign(time_period="")


def _with_pooled(main: pd.DataFrame, elsewhere: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Ratios drawn towards 1 the less the figures can tell, by how those of the same stage spread elsewhere."""
    others = against_others_by_area(elsewhere, PLACE)
    learned = {family: prior_of(_spread_out(rows)) for family, rows in others.groupby(FAMILY)}
    parts = [pooled_ratios(rows, confidence, learned.get(family)) for family, rows in main.groupby(FAMILY, sort=False)]
    return main.join(pd.concat(parts))


def _spread_out(rows: pd.DataFrame) -> pd.DataFrame:
    """At most ``MOST_ROWS`` of the rows, evenly spread: enough to learn how ratios spread, in a third of the time."""
    return rows.iloc[:: max(1, -(-len(rows) // MOST_ROWS))]


def pooled_ratios(rows: pd.DataFrame, confidence: float, prior=None) -> pd.DataFrame:
    """The pooled ratio with its limits for the rows of one stage and dimension, missing for unknown groups."""
    made = pooled(*quasi(rows), prior=prior, confidence=confidence)
    names = ["pooled_risk_ratio", "pooled_lower", "pooled_upper"]
    table = made.table[["estimate", "lower", "upper"]].set_axis(names, axis="columns")
    return table.set_axis(rows.index, axis="index").where(rows["known"])


def _england(grouped: pd.DataFrame, authorities: pd.DataFrame, reference: str, confidence: float) -> pd.DataFrame:
    """England's ratios of every stage and group: within authorities, of its published row, and of the sum."""
    columns = {"group": "group", "count": "count", "total": "total", "known": "known"}
    within = stratified(
        authorities, **columns, by="area_code", reference=reference, family=FAMILY, confidence=confidence
    ).table
    published = crude(
        grouped[grouped["area_code"] == ENGLAND], **columns, reference=reference, family=FAMILY, tests=[]
    ).set_index([*ROW, "comparator"])["risk_ratio"]
    keys = pd.MultiIndex.from_frame(within[[*ROW, "comparator"]])
    within = within.assign(
        england_crude=published.reindex(keys).to_numpy(),
        england_risk_ratio=within["risk_ratio"],
        england_lower=within["lower"],
        england_upper=within["upper"],
        england_areas=within["strata"],
        england_sum=within["crude_risk_ratio"],
        england_total=within["denominator"],
    )
    kept = within[[*ROW, "comparator", *NATIONAL, "england_total"]]
    to_others = kept[kept["comparator"] == OTHERS].drop(columns="comparator")
    to_reference = kept[kept["comparator"] == reference].drop(columns=["comparator", "england_total"])
    to_reference = to_reference.rename(columns={c: f"{c}_reference" for c in NATIONAL})
    return to_others.merge(to_reference, on=ROW, how="left", validate="1:1")


def _overall(every: pd.DataFrame, code: str, confidence: float) -> pd.DataFrame:
    """One row a stage: the area's and England's share of all, and the share of each dimension's known groups."""
    made = {}
    for name, area in (("", code), ("england_", ENGLAND)):
        rows = every[(every["area_code"] == area) & (every["dimension"] == ALL)].set_index("outcome")
        limits = 100 * proportion(rows["count"], rows["total"], confidence)[["estimate", "lower", "upper"]]
        columns = {"numerator": rows["count"], "denominator": rows["total"]}
        columns |= dict(zip(("percent", "percent_lower", "percent_upper"), limits.to_numpy().T, strict=True))
        made |= {f"{name}{c}": pd.Series(v, index=rows.index) for c, v in columns.items()}
    own = every[every["area_code"] == code]
    made |= {f"{d}_known": known_share(own[own["dimension"] == d]) for d in DIMENSIONS}
    table = pd.DataFrame(made).reindex([k for k in stages().all if k in made["numerator"].index])
    return table.rename_axis("outcome").reset_index()


def known_share(rows: pd.DataFrame) -> pd.Series:
    """Of the denominators of each outcome, the share in per cent whose group is known."""
    sums = rows.groupby("outcome")["total"].sum()
    unknown = rows[rows["group"] == UNKNOWN].groupby("outcome")["total"].sum().reindex(sums.index, fill_value=0.0)
    return 100 * (1 - unknown / sums.where(sums > 0))
