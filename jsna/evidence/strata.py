"""The deprivation gradient and the strata that several characteristics form, protected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jsna.disclosure import Policy, Released, protect
from jsna.disproportionality import Intersectional, deprivation_gradient, intersectional
from jsna.linked.names import KNOWN, category, group_names, pupil_names, variable_of
from jsna.sealed import Sealed


def gradient_table(
    cells: Sealed,
    shown: Sealed,
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

    ``shown``: pupils whose home is known, in the form in which the pack shows them, by census. Those whose home is not
    known (rank 0) are left out, and a note of the table says how many.
    """
    everybody = cells.unseal("to fit the gradient")
    frame = everybody[everybody[rank] > 0]
    latest_period = frame["time_period"].astype(str).max()
    latest = shown.unseal("to say how many are identified")
    latest = latest[latest["time_period"].astype(str) == latest_period]
    rows = []
    for outcome in outcomes:
        fit = deprivation_gradient(
            frame,
            rank=rank,
            count=outcome,
            total="pupils",
            cluster="latest_school",
            adjust=["time_period", *adjust],
            confidence=confidence,
        )
        rows.append(
            {
                "outcome": outcome,
                "numerator": int(latest[outcome].sum()),
                "denominator": int(latest["pupils"].sum()),
                "relative_index": fit.relative_index,
                "lower": fit.lower,
                "upper": fit.upper,
                "p_value": fit.p_value,
                "status": fit.status,
            }
        )
    derived = ("relative_index", "lower", "upper", "p_value")
    table = pd.DataFrame(rows)
    sealed = Sealed(table, counts=("numerator", "denominator"), derived=derived)
    told = table.index, str(latest_period), "idaci_quintile", KNOWN if (everybody[rank] <= 0).any() else ""
    names = {"numerator": group_names(*told, table["outcome"]), "denominator": group_names(*told)}
    made = protect(sealed, policy, source=source, synthetic=synthetic, names=names, relations=())
    lost = 1 - frame["pupils"].sum() / max(everybody["pupils"].sum(), 1)
    note = f"Left out: {100 * lost:.1f}% of pupils, whose home is not known." if lost > 0 else ""
    return replace(made, notes=(*made.notes, note)) if note else made


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
    period = str(frame["time_period"].iloc[0])
    crossed = {variable_of(c): category(c, strata[c]) for c in by}
    names = {
        "numerator": pupil_names(strata.index, period, outcome, **crossed),
        "denominator": pupil_names(strata.index, period, **crossed),
    }
    shown = protect(sealed, policy, source=source, synthetic=synthetic, names=names, relations=sets)
    return Strata(shown, answer)
