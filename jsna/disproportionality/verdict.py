"""The status of each group: what the steps of the flag come to, and the reasons for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jsna.disproportionality.rule import INSUFFICIENT, NO_EVIDENCE, OVER, UNDER, WATCH, Rule

# The columns of a table, a value a group in each.
Columns = dict[str, NDArray]
# Those that the checks add.
CHECKED = (
    *("agreeing_specifications", "specifications", "without_one_school", "within_schools"),
    *("unknown_shared", "unknown_lowest", "unknown_highest"),
)


def verdict(made: Columns, rule: Rule, candidate, found, simply, side, checks, determined: NDArray) -> Columns:
    """The status of each group and the codes of its reasons; ``made`` holds the columns of ``flags`` so far.

    ``candidate``: beyond chance and large enough; ``found``: beyond chance; ``simply``: candidate before deprivation;
    ``side``: +1 above 1, -1 below; ``checks``: for each reason whether it does not stand in the way, and whether the
    finding survives the worst case of the unknown; ``determined``: the adjusters determine the group.
    """
    tests, survives_worst = checks
    passed = np.logical_and.reduce(list(tests.values()))
    flagged = candidate & passed
    deprived = simply & ~candidate
    few = made["denominator"] < rule.minimum_pupils
    low, high = made["pooled_lower"], made["pooled_upper"]
    wide = ~((low > rule.ratio_low) | (high < rule.ratio_high))
    ruled_out = (low > rule.ratio_low) & (high < rule.ratio_high)
    apart = (low > 1) | (high < 1)
    known = made["known"]
    no_ratio = (made["denominator"] == 0) | ~np.isfinite(low)
    untold = no_ratio & (made["denominator"] > 0) & determined
    status = np.select(
        [~known, flagged & (side > 0), flagged, candidate | (deprived & ~untold), few | no_ratio | wide],
        [INSUFFICIENT, OVER, UNDER, WATCH, INSUFFICIENT],
        default=NO_EVIDENCE,
    )
    reasons = np.select(
        [~known, flagged, candidate, deprived & ~untold, untold, no_ratio, few, wide, found & apart, ruled_out],
        [
            "not_compared",
            "every_check",
            "",
            "goes_with_deprivation",
            "not_told_apart",
            "not_calculated",
            "few_pupils",
            "wide_interval",
            "small_difference",
            "ruled_out",
        ],
        default="not_ruled_out",
    ).astype(object)
    for code, good in tests.items():
        reasons = np.where(candidate & ~good & known, _joined(reasons, code), reasons)
    reasons = np.where(flagged & (low < 1) & (high > 1), _joined(reasons, "least_sure"), reasons)
    reasons = np.where(flagged & ~survives_worst, _joined(reasons, "worst_case_unknown"), reasons)
    empty = known & (made["events"] == 0) & ~no_ratio
    reasons = np.where(empty, _joined(reasons, "not_estimable"), reasons)
    return {"status": status.astype(object), "reasons": reasons}


def _joined(reasons: NDArray, code: str) -> NDArray:
    return np.array([f"{r}; {code}" if r else code for r in reasons], dtype=object)


def no_verdict(periods: Sequence[object], known: NDArray) -> Columns:
    """Nobody, or everybody, is identified: no group differs, and none could be seen to."""
    columns = [
        "expected",
        "design_effect",
        "dispersion",
        "pooled_risk_ratio",
        "pooled_lower",
        "pooled_upper",
        "false_sign_rate",
    ]
    columns += ["q_value", "pupils_affected", "pupils_affected_lower", "pupils_affected_upper"]
    columns += [f"risk_ratio_{name}" for name in periods]
    columns += CHECKED
    nothing: Columns = {c: np.full(len(known), np.nan) for c in columns}
    reasons = np.where(known, "not_calculated", "not_compared").astype(object)
    return nothing | {"status": np.full(len(known), INSUFFICIENT, dtype=object), "reasons": reasons}
