"""Which groups are identified more, or less, often than others, before any adjustment?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.disproportionality.patterns import known_rows
from jsna.disproportionality.rule import make_rule
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures import equal_risks_p_value, false_discovery, proportion, risk_difference, risk_ratio
from jsna.measures.columns import NO_PUPILS, aligned, count_status

ALL_OTHERS = "all others"


def crude(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    known: str | None = None,
    whole: tuple[str, str] | None = None,
    reference: str | None = None,
    family: list[str] | None = None,
    tests: list[str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Each group's risk, gap and risk ratio to all other pupils of known group, and to a named reference group.

    ``frame`` has one row a group within a family (``family`` names columns such as outcome and census); ``count`` and
    ``total`` are whole numbers; ``known`` is a boolean column: pupils of unknown group are rows of their own, in
    nobody's comparator, tested against nobody. ``whole`` names two columns, count and total of all from whom all others
    are told by taking the row's own; without it, the sums of all rows of known group. ``pupils_affected`` is how many
    more (+) or fewer (−) are identified than at the comparator's risk. q-values allow for all tests of a family;
    ``tests`` names columns that make wider families of tests (none: all rows are one). Status is ``watch``,
    ``insufficient data`` or ``no evidence`` (the reference row itself: ``reference group``): a crude comparison never
    says more. A row whose counts cannot be used is left out of every comparator, and the other rows say so.

    Raises ``MeasureError`` for a missing or non-numeric column, a ``known`` with gaps, a group that stands twice in a
    family, or a reference that is not there. When not to use: across several areas, where ``stratified`` is the answer.

    >>> rows = pd.DataFrame({"group": ["a", "b"], "x": [30, 50], "n": [100, 400]})
    >>> crude(rows, group="group", count="x", total="n")[["risk", "comparator_risk", "status"]].values.tolist()
    [[0.3, 0.125, 'watch'], [0.125, 0.3, 'watch']]
    """
    family = family or []
    marks = [*([known] if known else []), *(whole or ())]
    _check(frame, [group, count, total, *family, *marks], [*family, group], known)
    rows = pd.DataFrame(
        {
            **{c: frame[c] for c in family},
            "group": frame[group],
            "numerator": _numbers(frame[count]),
            "denominator": _numbers(frame[total]),
            "_known": known_rows(frame, group, known) if known else True,
        }
    ).reset_index(drop=True)
    if whole:
        rows[["_count", "_total"]] = frame[list(whole)].to_numpy("float64")
    own = count_status(rows["numerator"].to_numpy(), rows["denominator"].to_numpy())
    rows["_usable"] = np.isin(own, ["", NO_PUPILS])
    tests = family if tests is None else tests
    parts = [_measured(_others(rows, family), tests, confidence)]
    if reference is not None:
        parts.append(_measured(_reference(rows, family, reference), tests, confidence))
    return pd.concat(parts, ignore_index=True).drop(columns=["_known", "_usable", "_count", "_total"], errors="ignore")


def _numbers(column: pd.Series) -> pd.Series:
    return pd.Series(aligned(column)[0], index=column.index)


def _check(frame: pd.DataFrame, needed: list[str], key: list[str], known: str | None) -> None:
    missing = [c for c in needed if c not in frame]
    if missing:
        raise MeasureError(
            *(Problem("There is no such column.", value=c, mend=did_you_mean(c, frame.columns)) for c in missing)
        )
    if known:
        known_rows(frame, key[-1], known)
    twice = frame.loc[frame.duplicated(key), key]
    if len(twice):
        raise MeasureError(
            Problem("A group stands twice in one family.", value=twice.iloc[0].to_dict(), mend="Add its rows up first.")
        )


def _keys(rows: pd.DataFrame, family: list[str]) -> list[pd.Series]:
    return [rows[c] for c in family] or [pd.Series(0, index=rows.index)]


def _others(rows: pd.DataFrame, family: list[str]) -> pd.DataFrame:
    """Every row with the sums of all other known rows of its family; an unknown row is beside all known ones.

    A row whose counts cannot be used is in nobody's comparator: half of it (a total without its count) would bias all.
    """
    counted = rows["_known"] & rows["_usable"]
    known = rows[["numerator", "denominator"]].where(counted, 0.0)
    sums = known.groupby(_keys(rows, family), dropna=False).transform("sum")
    if "_count" in rows:
        sums = rows[["_count", "_total"]].set_axis(["numerator", "denominator"], axis="columns")
    return rows.assign(
        comparator=ALL_OTHERS,
        comparator_numerator=sums["numerator"] - known["numerator"],
        comparator_denominator=sums["denominator"] - known["denominator"],
        _tested=rows["_known"],
        _incomplete=(rows["_known"] & ~rows["_usable"]).groupby(_keys(rows, family), dropna=False).transform("any"),
    )


def _reference(rows: pd.DataFrame, family: list[str], reference: str) -> pd.DataFrame:
    """Every row with the figures of the reference group of its family."""
    is_reference = rows["group"] == reference
    if not is_reference.any():
        raise MeasureError(
            Problem(
                "The reference group is not among the groups.",
                value=reference,
                mend=did_you_mean(reference, rows["group"].astype(str)),
            )
        )
    figures = rows[["numerator", "denominator"]].where(is_reference)
    figures = figures.groupby(_keys(rows, family), dropna=False).transform("max")
    return rows.assign(
        comparator=reference,
        comparator_numerator=figures["numerator"],
        comparator_denominator=figures["denominator"],
        _tested=rows["_known"] & ~is_reference,
        _incomplete=False,
    )


def _measured(rows: pd.DataFrame, family: list[str], confidence: float) -> pd.DataFrame:
    pair = rows["numerator"], rows["denominator"]
    four = (*pair, rows["comparator_numerator"], rows["comparator_denominator"])
    own = proportion(*pair, confidence)
    others = proportion(rows["comparator_numerator"], rows["comparator_denominator"], confidence)
    ratio, gap = risk_ratio(*four, confidence=confidence), risk_difference(*four, confidence=confidence)
    p = equal_risks_p_value(*four)["estimate"].where(rows["_tested"])
    family_of_row = rows.groupby(_keys(rows, family), dropna=False, sort=False).ngroup()
    q = false_discovery(p, by=family_of_row)
    result = rows.assign(
        risk=own["estimate"],
        risk_lower=own["lower"],
        risk_upper=own["upper"],
        comparator_risk=others["estimate"],
        risk_ratio=ratio["estimate"],
        risk_ratio_lower=ratio["lower"],
        risk_ratio_upper=ratio["upper"],
        gap_points=100 * gap["estimate"],
        gap_points_lower=100 * gap["lower"],
        gap_points_upper=100 * gap["upper"],
        pupils_affected=gap["estimate"] * rows["denominator"],
        pupils_affected_lower=gap["lower"] * rows["denominator"],
        pupils_affected_upper=gap["upper"] * rows["denominator"],
        p_value=p,
        q_value=q,
        comparisons=p.notna().groupby(_keys(rows, family), dropna=False).transform("sum"),
    )
    return _judged(result, ratio["status"]).drop(columns=["_tested", "_incomplete"])


def _judged(rows: pd.DataFrame, why_not: pd.Series) -> pd.DataFrame:
    rule = make_rule()
    ratio, low, high = rows["risk_ratio"], rows["risk_ratio_lower"], rows["risk_ratio_upper"]
    beyond_chance = rows["_tested"] & (rows["q_value"] <= rule.false_discovery_rate)
    few = rows["denominator"] < rule.minimum_pupils
    higher = beyond_chance & (ratio >= rule.ratio_high) & ~few
    lower = beyond_chance & (ratio <= rule.ratio_low) & ~few
    wide = (low <= rule.ratio_low) & (high >= rule.ratio_high)
    ruled_out = (low > rule.ratio_low) & (high < rule.ratio_high)
    not_calculated = why_not != ""
    insufficient = few | wide | not_calculated
    status = np.select([higher | lower, insufficient], ["watch", "insufficient data"], default="no evidence")
    reasons = np.select(
        [~rows["_known"], higher, lower, not_calculated, few, wide, ruled_out],
        [
            "not_compared",
            "higher; crude_only",
            "lower; crude_only",
            "not_calculated; crude_only",
            "few_pupils; crude_only",
            "wide_interval; crude_only",
            "ruled_out; crude_only",
        ],
        default="crude_only",
    )
    status = np.where(rows["_known"], status, "insufficient data")
    itself = rows["group"].astype(object) == rows["comparator"].astype(object)
    reasons = np.where(itself, "reference_group", reasons)
    partial = rows["_incomplete"] & rows["_usable"]
    reasons = np.where(partial, [f"{r}; comparator_incomplete" for r in reasons], reasons)
    return rows.assign(status=np.where(itself, "reference group", status), reasons=reasons)
