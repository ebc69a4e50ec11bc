"""Rows of counts added up to strata, and the design matrix of their main effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures.columns import MISSING, NO_PUPILS, aligned, count_status

COLUMNS = [
    *("numerator", "denominator", "risk", "predicted", "predicted_lower", "predicted_upper", "additive"),
    *("interaction", "interaction_lower", "interaction_upper", "difference_points", "tail_area", "q_value", "status"),
]


def summed_strata(frame: pd.DataFrame, count: str, total: str, by: list[str]) -> pd.DataFrame:
    """One sorted row a stratum, once every row is seen to be usable."""
    if not by or len({*by, count, total}) < len(by) + 2:
        raise MeasureError(
            Problem("Strata need at least one column, each named once.", where="by", value=by, expected="column names")
        )
    taken = [c for c in by if c in COLUMNS]
    if taken:
        raise MeasureError(
            *(Problem("The answer has a column of this name.", value=c, mend="Rename it.") for c in taken)
        )
    missing = [c for c in (count, total, *by) if c not in frame]
    if missing:
        raise MeasureError(
            *(
                Problem("There is no such column.", value=c, mend=did_you_mean(c, map(str, frame.columns)))
                for c in missing
            )
        )
    x, n, _ = aligned(frame[count], frame[total])
    why, gaps = count_status(x, n), frame[by].isna().any(axis=1).to_numpy()
    wrong = np.flatnonzero(gaps | ~np.isin(why, ["", NO_PUPILS]))
    if len(wrong):
        raise MeasureError(*(p for i in wrong for p in _row_problems(frame, by, i, why[i], gaps[i])))
    keys = [frame[c].reset_index(drop=True) for c in by]
    summed = pd.DataFrame({"numerator": x, "denominator": n}).groupby(keys, sort=True, observed=True).sum()
    result = summed.rename_axis(by).reset_index()
    risk = result["numerator"] / result["denominator"].where(result["denominator"] > 0)
    return result.assign(risk=risk)


def _row_problems(frame: pd.DataFrame, by: list[str], i: int, why: str, gap: bool) -> list[Problem]:
    where = f"row {i + 1} ({', '.join(f'{c} {frame[c].iloc[i]}' for c in by)})"
    problems = [Problem("The stratum has a gap.", where=where, mend="Name unknown groups as a group.")] if gap else []
    if why not in ("", NO_PUPILS):
        expected = "whole numbers, count from 0 to total"
        mend = "Leave the row out and say so, or correct it." if why == MISSING else "Correct the row."
        problems.append(Problem(f"The counts cannot be used: {why}.", where=where, expected=expected, mend=mend))
    return problems


def main_effects(strata: pd.DataFrame, by: list[str], rows: NDArray) -> tuple[NDArray, pd.DataFrame]:
    """An intercept and one dummy a level, and all levels; the one with most pupils in ``rows`` is the reference."""
    columns, parts = [np.ones((len(strata), 1))], []
    sums = pd.DataFrame(
        {
            "identified": strata["numerator"],
            "pupils": strata["denominator"],
            "fitted": strata["denominator"].where(rows, 0.0),
        }
    )
    for c in by:
        codes, names = pd.factorize(strata[c], sort=True)
        part = sums.groupby(codes).sum().assign(column=c, level=np.asarray(names, dtype=object))
        largest = int(part["fitted"].to_numpy().argmax()) if len(part) else 0
        part["is_reference"] = np.arange(len(part)) == largest
        columns.append(np.eye(len(part))[codes][:, ~part["is_reference"].to_numpy()])
        parts.append(part.assign(reference=np.asarray(names, dtype=object)[largest] if len(part) else None))
    return np.hstack(columns), pd.concat(parts, ignore_index=True)
