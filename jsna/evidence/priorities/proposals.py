"""What do the rules propose for each priority, and by which one? And what might become a priority of its own?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from jsna.disproportionality.rule import FLAGGED
from jsna.evidence.priorities.rules import Bound, Rules

NEW = "candidate new priority"


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a priority: the rule's words, and the facts that it asked for, as they are."""

    code: str
    name: str
    proposal: str
    because: str
    facts: Mapping[str, Any]


def proposals(facts: pd.DataFrame, flags: pd.DataFrame, rules: Rules) -> tuple[Proposal, ...]:
    """One proposal a priority, by the first rule whose every condition holds; then the candidates that stand out.

    ``facts``: as ``facts_of`` gives them; ``flags``: the rows of ``flags.csv``.
    """
    made = [_first(str(code), row, rules) for code, row in facts.iterrows()]
    for candidate in rules.candidates:
        here = flags[flags["characteristic"].isin(candidate.characteristics)]
        count = int(here["status"].isin(FLAGGED).sum())
        if len(here) and holds(count, candidate.flags):
            told = {"flags": count, "comparisons": len(here)}
            made.append(Proposal(candidate.code, candidate.name, NEW, candidate.because, told))
    return tuple(made)


def _first(code: str, row: pd.Series, rules: Rules) -> Proposal:
    rule = next(r for r in rules.proposals if all(holds(row[fact], bound) for fact, bound in r.when.items()))
    return Proposal(code, str(row["name"]), rule.proposal, rule.because, {f: row[f] for f in rule.when})


def holds(value: float, bound: Bound) -> bool:
    """Whether a fact meets a condition; one that is not known meets none.

    >>> holds(2, Bound(at_least=1)), holds(float("nan"), Bound(at_most=1))
    (True, False)
    """
    if pd.isna(value):
        return False
    return (bound.at_least is None or value >= bound.at_least) and (bound.at_most is None or value <= bound.at_most)
