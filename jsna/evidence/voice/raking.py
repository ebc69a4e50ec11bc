"""Weights by raking: answers are weighted until they have the make-up of the population, one characteristic at a time.

Iterative proportional fitting (Deming and Stephan 1940) over respondents, in a few lines: the libraries that rake bring
far more than this, and this is held against a log-linear model in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.errors import MeasureError, Problem


@dataclass(frozen=True, eq=False)
class Raked:
    """``weights``: one a respondent, mean 1. ``converged``: every margin is met as closely as was asked.

    ``furthest``: the largest distance of a weighted share from its margin (0 to 1); ``rounds``: how many were gone.
    """

    weights: pd.Series
    converged: bool
    furthest: float
    rounds: int


def rake(
    groups: pd.DataFrame,
    margins: Mapping[str, pd.Series],
    *,
    base: pd.Series | None = None,
    rounds: int = 500,
    tolerance: float = 1e-9,
) -> Raked:
    """What weight does each respondent need for the answers to have the population's make-up?

    ``groups``: one row a respondent, one column a characteristic, each holding a group. ``margins``: for each column
    the groups' shares in the population, which are scaled to 1. ``base``: weights above 0 that the survey came with
    (1 without it). Raises ``MeasureError`` where a group has respondents
    and no share, or a share and no respondents: such groups are joined or left out before (``weighting``).

    >>> groups = pd.DataFrame({"sex": ["F", "F", "F", "M"]})
    >>> rake(groups, {"sex": pd.Series({"F": 0.5, "M": 0.5})}).weights.round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    targets = {column: _target(groups, column, shares) for column, shares in margins.items()}
    codes = {column: groups[column].map({g: i for i, g in enumerate(t.index)}) for column, t in targets.items()}
    weights, total = np.ones(len(groups)), float(len(groups))
    if base is not None:
        weights = base.to_numpy("float64") * total / float(base.sum())
    furthest, done = 0.0, 0
    for number in range(1, rounds + 1):
        done = number
        for column, target in targets.items():
            now = np.bincount(codes[column], weights, len(target))
            weights = weights * (target.to_numpy() * total / now)[codes[column]]
        furthest = max(
            (
                float(np.abs(np.bincount(codes[c], weights, len(t)) / total - t.to_numpy()).max())
                for c, t in targets.items()
            ),
            default=0.0,
        )
        if furthest <= tolerance:
            break
    return Raked(pd.Series(weights, index=groups.index), furthest <= tolerance, furthest, done if targets else 0)


def _target(groups: pd.DataFrame, column: str, shares: pd.Series) -> pd.Series:
    wanted = shares[shares > 0].astype("float64")
    there = set(groups[column])
    odd = sorted(map(str, there ^ set(wanted.index)))
    if odd or wanted.empty:
        raise MeasureError(
            Problem(
                "Groups of those who answered and of the population are not the same.",
                where=column,
                value=odd,
                mend="Join them with another group, or leave the characteristic out.",
            )
        )
    return wanted / wanted.sum()


def trimmed(weights: pd.Series, above: float, below: float) -> pd.Series:
    """Weights held between ``below`` and ``above`` times their mean, and scaled to mean 1 again.

    The scaling can carry a weight a little over the limit: the rule is about single loud voices, not about decimals.

    >>> trimmed(pd.Series([1.0, 1.0, 1.0, 9.0]), 2.0, 0.5).round(2).tolist()
    [0.57, 0.57, 0.57, 2.29]
    """
    mean = float(weights.mean())
    held = weights.clip(below * mean, above * mean)
    return held / float(held.mean())


def design_effect(weights: pd.Series) -> float:
    """By how much unequal weights multiply the variance (Kish 1965): n Σw² / (Σw)², 1 where all are equal.

    >>> design_effect(pd.Series([1.0, 3.0]))
    1.25
    """
    w = weights.to_numpy("float64")
    return float(len(w) * (w**2).sum() / w.sum() ** 2) if len(w) and w.sum() > 0 else float("nan")
