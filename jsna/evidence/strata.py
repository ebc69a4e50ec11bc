"""The deprivation gradient and the strata that several characteristics form, protected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jsna.disclosure import Policy, Released, protect
from jsna.disproportionality import Intersectional, deprivation_gradient, intersectional
from jsna.sealed import Sealed


def gradient_table(
    cells: Sealed,
    outcomes: Sequence[str],
    *,
    rank: str,
    adjust: Sequence[str],
    policy: Policy,
    source: str,
    synthetic: bool,
    confidence: float = 0.95,
) -> Released:
    """A row an outcome: the relative index of inequality over ``rank``, with its interval clustered by school.

    Pupils whose home is not known (rank 0) are left out, and a note of the table says how many.
    """
    everybody = cells.unseal("to fit the gradient")
    frame = everybody[everybody[rank] > 0]
    rows = []
    for outcome in outcomes:
        made = deprivation_gradient(
            frame,
            rank=rank,
            count=outcome,
            total="pupils",
            cluster="latest_school",
            adjust=["time_period", *adjust],
            confidence=confidence,
        )
        latest = frame[frame["time_period"].astype(str) == frame["time_period"].astype(str).max()]
        rows.append(
            {
                "outcome": outcome,
                "numerator": int(latest[outcome].sum()),
                "denominator": int(latest["pupils"].sum()),
                "relative_index": made.relative_index,
                "lower": made.lower,
                "upper": made.upper,
                "p_value": made.p_value,
                "status": made.status,
            }
        )
    derived = ("relative_index", "lower", "upper", "p_value")
    sealed = Sealed(pd.DataFrame(rows), counts=("numerator", "denominator"), derived=derived)
    shown = protect(sealed, policy, source=source, synthetic=synthetic, relations=())
    lost = 1 - frame["pupils"].sum() / max(everybody["pupils"].sum(), 1)
    note = f"Left out: {100 * lost:.1f}% of pupils, whose home is not known." if lost > 0 else ""
    return replace(shown, notes=(*shown.notes, note)) if note else shown


@dataclass(frozen=True)
class Strata:
    """Strata whose risk differs most from what their characteristics add up to, and the shares that say how much."""

    table: Released
    answer: Intersectional

    @property
    def statement(self) -> str:
        """How many strata stand out."""
        return self.answer.interactions_statement


def strata_table(
    counts: Sealed, outcome: str, by: Sequence[str], *, policy: Policy, source: str, synthetic: bool, confidence: float
) -> Strata:
    """The strata that ``by`` form, in one census, with their risk and what interaction adds to it.

    Rows of unknown group are for the caller to leave out. Strata stand in the order of the clearest interaction.
    """
    frame = counts.unseal("to fit strata")
    answer = intersectional(frame, count=outcome, total="pupils", by=by, confidence=confidence)
    strata = answer.strata[answer.strata["denominator"] > 0].copy()
    for name in ("risk", "predicted", "predicted_lower", "predicted_upper", "additive"):
        strata[name] = 100 * strata[name]
    strata = strata.sort_values("tail_area", kind="stable", na_position="last").reset_index(drop=True)
    numbers = [c for c in strata.select_dtypes(np.number) if c not in ("numerator", "denominator", *by)]
    pair = ("numerator", "denominator")
    sealed = Sealed(
        strata, counts=pair, rates={"risk": pair}, derived=tuple(c for c in numbers if c not in (*pair, "risk"))
    )
    sets = tuple((*by[:i], *by[i + 1 :]) for i in range(len(by)))
    return Strata(protect(sealed, policy, source=source, synthetic=synthetic, relations=sets), answer)
