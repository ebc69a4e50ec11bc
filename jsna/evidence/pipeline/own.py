"""The pipeline from an authority's own lists: the same stages by group, within age too, protected at the gate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from jsna.disclosure import PackPattern, Policy, Released, protect
from jsna.disproportionality import stratified
from jsna.disproportionality.rule import NOT_SHOWN
from jsna.evidence.comparison import AGAINST_REFERENCE, OTHERS, OTHERS_AND_UNKNOWN, RATES
from jsna.evidence.pipeline import DIMENSIONS, UNKNOWN
from jsna.evidence.pipeline.compared import (
    FAMILY,
    ROW,
    Pipeline,
    beside_all_others,
    ordered,
    pooled_ratios,
)
from jsna.evidence.pipeline.own_counts import OwnCounts
from jsna.linked.cases import stage_names
from jsna.linked.figures import as_changed
from jsna.linked.names import KNOWN, NOT_KNOWN
from jsna.measures import proportion
from jsna.sealed import Sealed

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
UNKNOWN_AMONG_SOME = (
    "Where so few of those whose group is not known are counted that their number is hidden, they are among all others."
)
AGE_COLUMNS = ("age_risk_ratio", "age_lower", "age_upper")
PAIR = ("numerator", "denominator")


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
    pair = ("count", "total")
    cells = as_changed(counts.cells.unseal("to compare groups within age"), pair, policy, within="total")
    rows = as_changed(counts.rows().unseal("to compare groups"), pair, policy, within="total")
    rows = ordered(rows.assign(known=rows["group"] != UNKNOWN))
    shown = _as_shown(rows, counts, policy.pattern) if policy.pattern is not None else rows
    main = beside_all_others(shown, reference, confidence)
    pooled = [pooled_ratios(part, confidence) for _, part in main.groupby(FAMILY, sort=False)]
    if "others" in shown:
        main["comparator"] = main[ROW].merge(shown[[*ROW, "others"]], on=ROW, how="left")["others"].to_numpy()
    main = main.join(pd.concat(pooled)).merge(_within_age(cells, confidence), on=ROW, how="left", validate="1:1")
    told = {"source": source, "synthetic": synthetic}
    return Pipeline(
        table=_released(main, counts, policy, reference, **told),
        overall=_overall_released(counts, policy, confidence, **told),
        by_age=None,
        periods=counts.periods,
        comparisons=int(main["p_value"].notna().sum()),
        official=False,
        reference=reference if f"{AGAINST_REFERENCE[0]}_reference" in main else "",
    )


def _as_shown(rows: pd.DataFrame, counts: OwnCounts, pattern: PackPattern) -> pd.DataFrame:
    """Counts in the form in which the pack shows them, and ``whole_count`` and ``whole_total`` beside each.

    All others of a group are the whole less the group: all of known group, or everybody where the pattern hides those,
    so that figures beside all others tell no more than what is shown of everybody.
    """
    names = stage_names(rows, counts, count="count", total="total")
    families = [rows[c] for c in FAMILY]
    sums = rows[["count", "total"]].where(rows["known"], 0).groupby(families).transform("sum")
    everybody = rows[["count", "total"]].groupby(families).transform("sum")
    among = _unseen(rows, counts, pattern, KNOWN)
    folded = among | ~_some_unknown(rows, counts)
    whole = stage_names(rows.assign(group=folded.map({True: "", False: KNOWN})), counts, count="count", total="total")
    sums = sums.mask(folded, everybody)
    total = pattern.rounded(rows["total"], names["total"])
    made = {"count": pattern.rounded(rows["count"], names["count"], within=total), "total": total}
    wholes = {f"whole_{c}": pattern.rounded(sums[c], whole[c]) for c in ("count", "total")}
    return rows.assign(**made, **wholes, others=among.map({True: OTHERS_AND_UNKNOWN, False: OTHERS}))


def _some_unknown(rows: pd.DataFrame, counts: OwnCounts) -> pd.Series:
    """Rows of a dimension in which the group of somebody is not known, at whatever stage, and that of others is."""
    told = counts.told(rows)
    return ((rows["group"] == UNKNOWN) & told).groupby(rows["dimension"]).transform("any") & told


def _unseen(rows: pd.DataFrame, counts: OwnCounts, pattern: PackPattern, group: str) -> pd.Series:
    """Whether either number of a stage is shown in no form for ``group``: ``""``, or all of (un)known group.

    Where the group of everybody is known there are no such: all of known group are everybody.
    """
    some = _some_unknown(rows, counts) | (group == "")
    found = pd.Series(False, index=rows.index)
    if some.any():
        names = stage_names(rows[some].assign(group=group), counts, count="count", total="total")
        found[some] = pattern.unseen(names["count"]) | pattern.unseen(names["total"])
    return found


def _released(
    main: pd.DataFrame, counts: OwnCounts, policy: Policy, reference: str, *, source: str, synthetic: bool
) -> Released:
    """The comparison past the gate; of a row whose counts are hidden no status is said either."""
    derived = tuple(c for c in main if c not in (*WORDS, *PAIR, *RATES))
    sealed = Sealed(main, counts=PAIR, rates=dict.fromkeys(RATES, PAIR), derived=derived)
    if policy.pattern is None:
        return protect(sealed, policy, source=source, synthetic=synthetic, relations=(tuple(FAMILY),))
    names = stage_names(main, counts, count=PAIR[0], total=PAIR[1])
    unseen = _unseen(main, counts, policy.pattern, "") & (
        _unseen(main, counts, policy.pattern, KNOWN) | ~_some_unknown(main, counts)
    )
    hide = dict.fromkeys(derived, unseen)
    hidden = policy.pattern.unseen(names[PAIR[0]]) | policy.pattern.unseen(names[PAIR[1]])
    of_reference = (hidden & (main["group"] == reference)).groupby([main[c] for c in FAMILY]).transform("any")
    hide |= {c: unseen | of_reference for c in derived if c.endswith("_reference")}
    shown = protect(sealed, policy, source=source, synthetic=synthetic, names=names, hide=hide)
    gone = main["known"] & (shown.symbols[list(PAIR)] == "c").any(axis="columns")
    words = {"status": NOT_SHOWN, "reasons": "hidden"}
    among = (main["comparator"] == OTHERS_AND_UNKNOWN).any()
    return replace(
        shown,
        frame=shown.frame.assign(**{c: shown.frame[c].mask(gone, w) for c, w in words.items()}),
        notes=(*shown.notes, UNKNOWN_AMONG_SOME) if among else shown.notes,
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


def _overall_released(
    counts: OwnCounts, policy: Policy, confidence: float, *, source: str, synthetic: bool
) -> Released:
    """Each stage for all children past the gate, with of how many the group is known."""
    rows = counts.rows().unseal("to add up each stage")
    rows = ordered(rows.assign(known=rows["group"] != UNKNOWN))
    whole = rows[rows["dimension"] == "age"]
    sums = whole.groupby("outcome", sort=False)[["count", "total"]].sum().reset_index()
    rows, sums = (as_changed(f, ("count", "total"), policy, within="total") for f in (rows, sums))
    if policy.pattern is None:
        sealed = _overall(rows, sums, policy, confidence)
        return protect(sealed, policy, source=source, synthetic=synthetic, relations=())
    pattern, everybody = policy.pattern, stage_names(sums, counts, count="count", total="total")
    sums = sums.assign(**{c: pattern.rounded(sums[c], everybody[c]) for c in ("count", "total")})
    hide = {}
    for dimension in DIMENSIONS:
        here = rows[rows["dimension"] == dimension]
        unseen = _unseen(here, counts, pattern, KNOWN) | _unseen(here, counts, pattern, NOT_KNOWN)
        hide[f"{dimension}_known"] = sums["outcome"].map(unseen.groupby(here["outcome"]).any())
    names = {"numerator": everybody["count"], "denominator": everybody["total"]}
    sealed = _overall(rows, sums, policy, confidence)
    return protect(sealed, policy, source=source, synthetic=synthetic, names=names, hide=hide)


def _overall(rows: pd.DataFrame, sums: pd.DataFrame, policy: Policy, confidence: float) -> Sealed:
    sums = sums.set_index("outcome")
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
    return Sealed(table.rename_axis("outcome").reset_index(), counts=PAIR, rates=dict.fromkeys(names, PAIR))
