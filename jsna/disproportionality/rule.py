"""The flag rule's constants and words, and how its parts make a status."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.files.packaged import packaged_yaml

OVER, UNDER, WATCH = "over-identified", "under-identified", "watch"
INSUFFICIENT, NO_EVIDENCE = "insufficient data", "no evidence"
# Of a group whose counts are hidden: a status would tell how far these are from the others'.
NOT_SHOWN = "not shown"
FLAGGED = (OVER, UNDER)


@cache
def thresholds() -> dict[str, Any]:
    """Every constant of the flags, and the words of their reasons."""
    return packaged_yaml("jsna.disproportionality", "thresholds.yml")


@dataclass(frozen=True)
class Rule:
    """The constants of a flag; ``thresholds.yml`` says what each means."""

    false_discovery_rate: float
    ratio_high: float
    ratio_low: float
    persistence_ratio: float
    robust_ratio: float
    agreeing_specifications: float
    within_schools_ratio: float
    minimum_pupils: int
    minimum_events_for_design: int

    def __post_init__(self) -> None:
        nothing = [name for name, value in vars(self).items() if not isinstance(value, (int, float))]
        if nothing:
            raise MeasureError(
                *(Problem("A constant of the flag rule is no number.", where=n, value=vars(self)[n]) for n in nothing)
            )
        wrong = [
            Problem("A constant of the flag rule is out of range.", where=name, value=value, expected=expected)
            for name, value, good, expected in (
                ("false_discovery_rate", self.false_discovery_rate, 0 < self.false_discovery_rate < 1, "0 to 1"),
                ("ratio_high", self.ratio_high, self.ratio_high > 1, "above 1"),
                ("ratio_low", self.ratio_low, 0 < self.ratio_low < 1, "0 to 1"),
                ("persistence_ratio", self.persistence_ratio, self.persistence_ratio >= 1, "1 or more"),
                ("robust_ratio", self.robust_ratio, self.robust_ratio >= 1, "1 or more"),
                (
                    "agreeing_specifications",
                    self.agreeing_specifications,
                    0 <= self.agreeing_specifications <= 1,
                    "0 to 1",
                ),
                ("minimum_pupils", self.minimum_pupils, self.minimum_pupils >= 0, "0 or more"),
                (
                    "minimum_events_for_design",
                    self.minimum_events_for_design,
                    self.minimum_events_for_design >= 0,
                    "0 or more",
                ),
                ("within_schools_ratio", self.within_schools_ratio, self.within_schools_ratio >= 1, "1 or more"),
            )
            if not good
        ]
        if wrong:
            raise MeasureError(*wrong)

    def beyond_size(self, ratio: NDArray) -> NDArray:
        """Which ratios are large enough to matter."""
        return (ratio >= self.ratio_high) | (ratio <= self.ratio_low)


def make_rule(**constants: float) -> Rule:
    """The rule with its default constants, but for those given.

    >>> make_rule(ratio_high=1.33).ratio_high
    1.33
    """
    defaults = thresholds()["rule"]
    strange = [c for c in constants if c not in defaults]
    if strange:
        raise MeasureError(
            *(Problem("The rule has no such constant.", value=c, mend=did_you_mean(c, defaults)) for c in strange)
        )
    return Rule(**{**defaults, **constants})


def reason_text(codes: str) -> list[str]:
    """The sentences of reason codes that are joined with '; '.

    >>> reason_text("few_pupils; ruled_out")
    ['There are fewer than 10 pupils in the group.', 'A difference of more than 25% is ruled out.']
    """
    return [thresholds()["reasons"][code] for code in codes.split("; ") if code]


def same_side(ratio: pd.Series | NDArray, side: NDArray, least: float) -> NDArray:
    """Whether ratios lie on ``side`` of 1 (+1 above, −1 below) by at least the factor ``least``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.asarray(ratio, float)) * side >= np.log(least) - 1e-12
