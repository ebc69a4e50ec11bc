"""How firm is the order of the priorities? The same scores over many draws of what could have been chosen otherwise.

In each draw weights, cuts and the areas compared with are chosen anew, figures are moved within what chance allows,
and groups whose numbers are hidden count as flagged or not. What is told is how often each priority stays among the
first, over all of these together and over each by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.rule import NOT_SHOWN
from jsna.evidence.catalogue import Frame
from jsna.evidence.priorities.facts import by_code
from jsna.evidence.priorities.rules import PARTS, Rules
from jsna.evidence.priorities.scores import RESTS_ON, combined, measured, points

SOURCES = ("weights", "thresholds", "neighbours", "chance", "disclosure")


@dataclass(frozen=True)
class Sensitivity:
    """``table``: one row a priority, index its code: ``name``, ``in_top`` (share of draws), ``lowest`` and ``highest``
    place in nine draws of ten; then one column a source of uncertainty, ``in_top`` by that alone. ``top``: of how many
    first places; ``draws``: how many."""

    table: pd.DataFrame
    top: int
    draws: int


def sensitivity(
    by_comparator: Mapping[str, pd.DataFrame], rules: Rules, *, hidden: Mapping[str, int] | None = None
) -> Sensitivity:
    """How often each priority stays among the first ``rules.top``, or one fewer than have a place.

    ``by_comparator``: the facts (``facts_of``) beside England and beside each set of neighbours; ``hidden``: for each
    code, how many comparisons have hidden numbers. The draws are seeded: the same facts give the same table.
    """
    names = list(by_comparator)
    base = by_comparator[rules.comparator if rules.comparator in by_comparator else names[0]]
    hidden = hidden or {}
    parts = [measured(facts, rules).to_numpy() for facts in by_comparator.values()]
    draw = _Draws(base, np.stack(parts), names.index(_own(base, by_comparator)), rules, hidden)
    rng = np.random.default_rng(rules.sensitivity.seed)
    # of as many priorities as there are first places, all would be among the first whatever is chosen
    top = min(rules.top, max(1, int(draw.placed.sum()) - 1))
    together = draw.places(SOURCES, rng)
    table = pd.DataFrame({"name": base["name"], "in_top": _in_top(together, top)}, index=base.index)
    table = table.assign(**{f"{n}_place": _quantile(together, q) for n, q in (("best", 0.05), ("worst", 0.95))})
    alone = {s: _in_top(draw.places((s,), rng), top) for s in SOURCES}
    return Sensitivity(table.assign(**alone), top, rules.sensitivity.draws)


def _own(base: pd.DataFrame, by_comparator: Mapping[str, pd.DataFrame]) -> str:
    return next(name for name, facts in by_comparator.items() if facts is base)


@dataclass(frozen=True)
class _Draws:
    facts: pd.DataFrame
    parts: NDArray  # comparator, priority, part
    own: int
    rules: Rules
    hidden: Mapping[str, int]

    def places(self, sources: Sequence[str], rng: np.random.Generator) -> NDArray:
        """The place of each priority (column) in each draw (row); missing where it has none."""
        n, spread = self.rules.sensitivity.draws, self.rules.sensitivity
        weight = np.array([self.rules.weights[p] for p in PARTS])
        weights = np.broadcast_to(weight, (n, len(PARTS)))
        if "weights" in sources:
            shape = np.maximum(weight / weight.sum() * spread.weights_spread, 1e-3)
            weights = rng.dirichlet(shape, n) * weight.sum()
        cuts = np.broadcast_to(np.array([self.rules.cuts[p] for p in PARTS]), (n, len(PARTS), 3))
        if "thresholds" in sources:
            cuts = cuts * rng.uniform(1 - spread.cuts_spread, 1 + spread.cuts_spread, (n, len(PARTS), 1))
        chosen = rng.integers(0, len(self.parts), n) if "neighbours" in sources else np.full(n, self.own)
        values = self.parts[chosen].copy()
        if "chance" in sources:
            values = self._by_chance(values, rng)
        if "disclosure" in sources:
            values = self._with_hidden(values, rng)
        score = points(values, cuts[:, None, :, :])
        total, _ = combined(score, weights[:, None, :], 0.0)
        total[:, ~self.placed] = np.nan
        return pd.DataFrame(np.round(total, 9)).rank(axis=1, method="min", ascending=False).to_numpy()

    @property
    def placed(self) -> NDArray:
        """Which priorities have enough evidence for a place by the rules as they are."""
        there = ~np.isnan(self.parts[self.own])
        carried = (there * np.array([self.rules.weights[p] for p in PARTS])).sum(axis=1)
        return carried >= self.rules.minimum_weight

    def _by_chance(self, values: NDArray, rng: np.random.Generator) -> NDArray:
        """Every share drawn again from as many judgements as it rests on (Jeffreys)."""
        size = np.stack([self.facts[RESTS_ON[p]].astype("float64").fillna(0).to_numpy() for p in PARTS], axis=1)
        share = np.nan_to_num(values)
        drawn = rng.beta(share * size + 0.5, (1 - share) * size + 0.5)
        return np.where(np.isnan(values), np.nan, drawn)

    def _with_hidden(self, values: NDArray, rng: np.random.Generator) -> NDArray:
        """The share of flagged comparisons, with each whose numbers are hidden flagged or not, at even odds."""
        made, at = values.copy(), PARTS.index("inequality")
        more = np.array([self.hidden.get(str(code), 0) for code in self.facts.index])
        known = self.facts["comparisons"].astype("float64").fillna(0).to_numpy()
        flagged = values[:, :, at] * known + rng.binomial(more, 0.5, (len(values), len(more)))
        with np.errstate(invalid="ignore", divide="ignore"):
            made[:, :, at] = flagged / (known + more)
        return made


def _in_top(places: NDArray, top: int) -> NDArray:
    return (places <= top).mean(axis=0)


def _quantile(places: NDArray, share: float) -> NDArray:
    there = ~np.isnan(places).all(axis=0)
    found = np.full(places.shape[1], np.nan)
    if there.any():
        found[there] = np.nanquantile(places[:, there], share, axis=0, method="nearest")
    return found


def hidden_by_code(frame: Frame, flags: pd.DataFrame) -> dict[str, int]:
    """For each code, how many comparisons that speak to it have hidden numbers."""
    lost = by_code(frame, flags[flags["status"] == NOT_SHOWN])
    return lost["code"].value_counts().to_dict()
