"""The public rule of a pack: what a reader who knows it may take a shown or a hidden count for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MOST_PERTURBED = 5
LEAST_CELL_KEYED = 5
METHODS = ("suppress", "round_5", "midpoint_6", "cell_key")


@dataclass(frozen=True)
class Rule:
    """How counts were protected, as the manifest says it: everything that the method does not keep secret.

    ``method``: ``suppress`` hides counts under ``threshold``; the others change every count. ``zeros``: whether a 0 is
    hidden like other small counts, and in ``midpoint_6`` in the first band with them. ``most``: the most by which
    ``cell_key`` changes a count.
    ``of_lists``: the threshold for counts of cases and lists (0: the same).
    """

    method: str = "suppress"
    threshold: int = 5
    minimum_denominator: int = 10
    zeros: str = "hidden"
    audience: str = "public"
    most: int = MOST_PERTURBED
    of_lists: int = 0

    def of(self, pupils: bool) -> Rule:
        """The rule for counts of pupils, or for those of cases and lists, which may have a threshold of their own.

        >>> Rule(of_lists=10).of(pupils=False).threshold, Rule(of_lists=10).of(pupils=True).threshold
        (10, 5)
        """
        return self if pupils or not self.of_lists else replace(self, threshold=self.of_lists)

    @property
    def changes_counts(self) -> bool:
        """Whether every count shown is one that was changed."""
        return self.method != "suppress"

    def may_be_shown(self, value: float) -> bool:
        """Whether the rule could have shown this count of the authority's own rows.

        >>> rules = Rule(method="midpoint_6", zeros="shown"), Rule(method="cell_key", threshold=10), Rule()
        >>> [[n for n in range(10) if rule.may_be_shown(n)] for rule in rules]
        [[0, 3, 9], [0, 5, 6, 7, 8, 9], [5, 6, 7, 8, 9]]
        """
        if self.method == "round_5":
            return value % 5 == 0
        if self.method == "midpoint_6":
            return value % 6 == 3 or (value == 0 and self.zeros == "shown")
        if self.method == "cell_key":
            return value == 0 or value >= LEAST_CELL_KEYED
        return value >= self.threshold or (value == 0 and self.zeros == "shown")

    def stands_for(self, value: float) -> tuple[float, float]:
        """The true counts that a shown one can stand for: the least and the most.

        >>> [Rule(method=m).stands_for(n) for m, n in (("suppress", 7), ("round_5", 0), ("round_5", 5))]
        [(7, 7), (0, 2), (3, 7)]
        >>> [Rule(method=m).stands_for(n) for m, n in (("midpoint_6", 3), ("midpoint_6", 9), ("cell_key", 6))]
        [(0, 6), (7, 12), (1, 11)]
        >>> [Rule(method="midpoint_6", zeros="shown").stands_for(n) for n in (0, 3)]
        [(0, 0), (1, 6)]
        """
        if self.method == "suppress" or (self.method == "midpoint_6" and value == 0):
            return value, value
        if self.method == "midpoint_6" and value == 3 and self.zeros == "hidden":
            return 0, 6
        down, up = {"round_5": (2, 2), "midpoint_6": (2, 3)}.get(self.method, (self.most, self.most))
        return max(0, value - down), value + up


def rule_of(manifest: Mapping[str, Any]) -> Rule:
    """The rule that a manifest tells, with what a pack without one keeps to: under 5 hidden, zeros with them.

    >>> rule_of({"disclosure_policy": {"suppress_below": 7}}).threshold
    7
    """
    told = _part(manifest, "disclosure")
    before, run = _part(manifest, "disclosure_policy"), _part(manifest, "parameters")
    method = str(told.get("method", "suppress"))
    return Rule(
        method if method in METHODS else "suppress",
        _whole(told.get("threshold"), _whole(before.get("suppress_below"), 5)),
        _whole(told.get("minimum_denominator"), _whole(run.get("minimum_denominator"), 10)),
        str(told.get("zeros", "hidden")),
        str(told.get("audience", before.get("audience", "public"))),
        _whole(told.get("max_perturbation"), MOST_PERTURBED),
        min((_whole(n, 0) for s, n in _part(told, "thresholds").items() if s != "pupils"), default=0),
    )


def _part(manifest: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = manifest.get(key)
    return part if isinstance(part, Mapping) else {}


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
