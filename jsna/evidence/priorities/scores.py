"""How many points does each part of the evidence give a priority, and what do they come to? Never without the parts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.evidence.priorities.rules import PARTS, Rules

MOST = 3


# The fact that says on how many judgements each part rests.
RESTS_ON = {
    "promises": "promises",
    "comparison": "compared",
    "change": "changes_tested",
    "inequality": "comparisons",
    "voice": "answered",
}


def measured(facts: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """What each part is judged by, one row a priority: a share, missing where there is too little evidence."""
    missed = facts["promises_missed"].astype("float64") / facts["promises"].astype("float64")
    shares = pd.DataFrame(
        {
            "promises": missed,
            "comparison": facts["share_worse"].astype("float64"),
            "change": facts["share_worsened"].astype("float64"),
            "inequality": facts["share_flagged"].astype("float64"),
            "voice": facts["share_disagree"].astype("float64"),
        }
    )
    resting = facts[[RESTS_ON[p] for p in shares]].astype("float64").set_axis(shares.columns, axis="columns")
    return shares.where(resting >= pd.Series(rules.at_least))


def points(values: NDArray, cuts: NDArray) -> NDArray:
    """Points from 0 to 3: how many of three rising ``cuts`` are reached; missing where the value is.

    >>> points(np.array([0.0, 0.3, np.nan]), np.array([0.1, 0.25, 0.5])).tolist()
    [0.0, 2.0, nan]
    """
    reached = (values[..., None] >= cuts).sum(axis=-1).astype("float64")
    return np.where(np.isnan(values), np.nan, reached)


def combined(score: NDArray, weight: NDArray, least: float) -> tuple[NDArray, NDArray]:
    """The weighted mean of the parts with evidence, 0 to 100, and the weight that they carry.

    ``score``: points by part on the last axis; ``weight``: in percent. Missing where the parts with evidence weigh less
    than ``least``: a total of nothing is none.

    >>> total, carried = combined(np.array([[3.0, 0.0], [np.nan, 3.0]]), np.array([75.0, 25.0]), 40)
    >>> total.tolist(), carried.tolist()
    ([75.0, nan], [100.0, 25.0])
    """
    there = ~np.isnan(score)
    carried = (there * weight).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (np.where(there, score, 0) * weight).sum(axis=-1) / MOST / carried * 100
    return np.where(carried >= least, total, np.nan), carried


def scored(facts: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The parts of every priority with their points and what they add, in the order that they give.

    One row a priority, index its code: for each part ``<part>`` (points) and ``<part>_adds`` (of 100); ``total``,
    ``carried`` (weight of the parts with evidence) and ``place`` (1 first; equals share the better place; missing where
    there is too little evidence).
    """
    values = measured(facts, rules)
    score = np.column_stack([points(values[p].to_numpy(), np.array(rules.cuts[p])) for p in PARTS])
    weight = np.array([rules.weights[p] for p in PARTS])
    total, carried = combined(score, weight, rules.minimum_weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        adds = score * weight / MOST / carried[:, None] * 100
    table = pd.DataFrame(score, facts.index, list(PARTS))
    table = table.join(pd.DataFrame(adds, facts.index, [f"{p}_adds" for p in PARTS]))
    table = table.assign(name=facts["name"], total=total, carried=carried)
    place = table["total"].round(9).rank(method="min", ascending=False)
    return table.assign(place=place).sort_values(["place", "name"], kind="stable", na_position="last")
