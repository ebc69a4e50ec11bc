"""Is identification even between groups, beyond chance, schools and single choices? Sealed counts in, flags out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from jsna.counts import NEEDS, OUTCOMES
from jsna.disclosure import Policy, Released, protect
from jsna.disproportionality import Flags, flags, repetition_floor, specification_curve
from jsna.disproportionality.rule import FLAGGED, OVER, UNDER, WATCH
from jsna.errors import Problem, SourceError
from jsna.evidence.comparison import (
    OTHERS,
    Comparison,
    Dimension,
    against_others,
    as_shown,
    comparison_of,
    long_counts,
    released,
    row_names,
)
from jsna.evidence.other_rules import RULE, with_other_rules
from jsna.sealed import Sealed

ALL_OUTCOMES = (*OUTCOMES, *(f"need_{n}" for n in NEEDS))
DEMOGRAPHIC, DEPRIVATION = ("sex", "year_group"), ("idaci_quintile",)
STANDING = (OVER, UNDER, WATCH)
NO_SPECIAL = "without special schools and alternative provision"
LINES = ("crude", "age_and_sex", "adjusted")
JUDGED = (
    *(f"{line}_{part}" for line in LINES for part in ("risk_ratio", "lower", "upper")),
    "pooled_risk_ratio",
    "pooled_lower",
    "pooled_upper",
    "false_sign_rate",
    "q_value",
    "pupils_affected",
    "pupils_affected_lower",
    "pupils_affected_upper",
    "agreeing_specifications",
    "without_one_school",
    "within_schools",
    "unknown_shared",
    "unknown_lowest",
    "unknown_highest",
)
CURVE = ("median_ratio", "share_same_question", "share_beyond", "moves_most", "moves_by")


def assess(
    cells: Sealed,
    shown: Sealed,
    repeats: Sealed,
    by: Dimension,
    outcomes: Sequence[str],
    *,
    periods: Sequence[str],
    demographic: Sequence[str],
    deprivation: Sequence[str],
    policy: Policy,
    source: str,
    synthetic: bool,
    reference: str | None = None,
    wider: dict[str, str] | None = None,
    confidence: float = 0.95,
) -> Comparison:
    """Every group of ``by`` against all others, for each of ``outcomes``: crude, adjusted, pooled, and flagged.

    ``cells`` are sealed counts by census, ``latest_school``, the dimension, the adjusters and ``special`` (whether the
    school is a special one), for the models; ``shown`` those by census and the dimension in the form in which the pack
    shows them, from which the crude figures come; ``repeats`` those of ``count_repeats``. The comparison shows the
    latest of ``periods``, the flags rest on all. ``wider`` maps groups to wider ones for the specification curve.
    Raises ``SourceError`` when a group stands in the counts that the dimension does not know.
    """
    frame, columns = asked(cells, by, demographic=demographic, deprivation=deprivation)
    order = {code: i for i, code in enumerate(by.labels)}
    floors = floors_of(repeats, outcomes, len(periods))
    found = flags(frame, outcomes=outcomes, repetition=floors, confidence=confidence, **columns)
    latest = shown.unseal("to compare groups").rename(columns={by.column: "group"})
    latest = latest[latest["time_period"].astype(str) == periods[-1]].assign(group=lambda f: f["group"].astype(str))
    latest = latest[["group", "pupils", *outcomes]].sort_values("group", key=lambda s: s.map(order))
    long = long_counts(latest.assign(time_period=periods[-1]), by, outcomes, "pupils")
    long = as_shown(long, by, policy)
    main = _with_flags(against_others(long, reference, confidence), found)
    main = with_other_rules(main)
    curves, summary = _curves(frame, main, columns, reference, wider)
    main = main.merge(summary, on=["outcome", "group"], how="left") if len(summary) else main
    table = released(main, by, policy, source=source, synthetic=synthetic)
    made = comparison_of(table, main, by, periods[-1])
    return replace(
        made,
        comparisons=found.comparisons,
        flagged=int(table.frame["status"].isin(FLAGGED).sum()),
        judged=True,
        periods=tuple(periods),
        curves=_protected_curves(curves, main, table, by, policy),
        adjusted_for=(*columns["demographic"], *columns["deprivation"]),
        remarks=_remarks(found, main, by),
    )


def adjusters_of(by: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What groups of the column ``by`` are compared alike in: demographic columns, and those of deprivation.

    >>> adjusters_of("sex"), adjusters_of("idaci_quintile")
    ((('year_group',), ('idaci_quintile',)), (('sex', 'year_group'), ()))
    """
    deprivation = () if by.startswith("idaci") else DEPRIVATION
    return tuple(c for c in DEMOGRAPHIC if c != by), deprivation


def asked(
    cells: Sealed, by: Dimension, *, demographic: Sequence[str], deprivation: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Cells in the form that ``flags`` takes, and the names of its columns; true counts, for calculation only.

    ``cells`` as in ``assess``. Raises ``SourceError`` when a group stands in the counts that the dimension does not
    know.
    """
    frame = cells.unseal("to compare groups")
    frame = frame.rename(columns={by.column: "group"}).assign(group=lambda f: f["group"].astype(str))
    strangers = sorted(set(frame["group"].unique()) - set(by.labels))
    if strangers:
        raise SourceError(
            Problem("Rows are in groups that the code list does not know.", where=by.column, value=strangers[:5])
        )
    frame["known"] = ~frame["group"].isin(by.unknown)
    frame["period"] = frame["time_period"].astype(str)
    return frame, {
        "group": "group",
        "total": "pupils",
        "period": "period",
        "cluster": "latest_school",
        "demographic": [c for c in demographic if c != by.column],
        "deprivation": [c for c in deprivation if c != by.column],
        "known": "known",
        "subsets": {NO_SPECIAL: ~frame["special"].astype(bool)},
    }


def floors_of(repeats: Sealed, outcomes: Sequence[str], periods: int) -> dict[str, float]:
    """By how much counting the same pupils in several censuses widens the variance of each outcome."""
    pairs = repeats.unseal("to allow for pupils who stand in several censuses")
    return {o: repetition_floor(pairs[pairs["outcome"] == o], periods=periods) for o in outcomes}


def _with_flags(main: pd.DataFrame, found: Flags) -> pd.DataFrame:
    """The crude figures with what the flags say: the crude status gives way to the flag's."""
    each = [c for c in found.table if c.startswith("risk_ratio_") and c.removeprefix("risk_ratio_") in found.periods]
    judged = found.table[["outcome", "group", *JUDGED, *each, "status", "reasons"]].rename(
        columns={c: f"census_{c}" for c in each}
    )
    replaced = [c for c in judged if c in main and c not in ("outcome", "group")]
    return main.drop(columns=replaced).merge(judged, on=["outcome", "group"], how="left", validate="one_to_one")


def _curves(frame, main, columns, reference, wider) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The specification curve of every group that stands out, with its summary."""
    tables, summaries = [], []
    standing = main[main["status"].isin(STANDING)]
    for outcome, rows in standing.groupby("outcome", sort=False):
        made = specification_curve(
            frame, outcome=outcome, reference=reference, coarser=wider, groups=rows["group"].tolist(), **columns
        )
        tables.append(made.table.assign(outcome=outcome))
        summaries.append(made.summary[["group", *CURVE]].assign(outcome=outcome))
    if not tables:
        return pd.DataFrame(), pd.DataFrame()
    return pd.concat(tables, ignore_index=True), pd.concat(summaries, ignore_index=True)


def _protected_curves(
    curves: pd.DataFrame, main: pd.DataFrame, shown: Released, by: Dimension, policy: Policy
) -> Released | None:
    """The curves of the groups that are seen to stand out: the same pupils looked at in several ways."""
    if not len(curves):
        return None
    keys = ["outcome", "group"]
    standing = shown.frame.loc[shown.frame["status"].isin(STANDING), keys]
    counted = main[[*keys, "time_period", "numerator", "denominator"]]
    rows = curves.merge(standing, on=keys, validate="many_to_one")
    rows = rows.merge(counted, on=keys, how="left", validate="many_to_one")
    pair = ("numerator", "denominator")
    sealed, names = Sealed(rows, counts=pair, rates={"risk_ratio": pair}), row_names(rows, by)
    told = {"source": shown.source, "synthetic": shown.synthetic}
    return protect(sealed, policy, names=names, relations=(), **told)


def _remarks(found: Flags, main: pd.DataFrame, by: Dimension) -> tuple[str, ...]:
    """What a reader must know of the models, over all outcomes, without naming small groups."""
    said = [note for notes in found.notes.values() for note in notes if "nobody is identified" not in note]
    gone = sorted(set(found.table["group"]) - set(main["group"]))
    said += [f"{by.labels[g]}: no pupils in the latest census." for g in gone]
    return tuple(dict.fromkeys(said))


__all__ = ["CURVE", "LINES", "OTHERS", "RULE", "STANDING", "assess"]
