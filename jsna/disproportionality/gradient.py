"""Does identification rise with deprivation, over the whole range? The relative index of inequality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jsna.disproportionality.adjusted import ONE_CLUSTER, notes
from jsna.disproportionality.clustering import t_quantile, variances
from jsna.disproportionality.patterns import lined_up, require_columns, usable_counts
from jsna.disproportionality.regression import fit
from jsna.errors import MeasureError, Problem

NOT_MEASURED = "not measured: nobody, or everybody, is identified"
ONE_RANK = "not measured: all pupils have the same rank"
NO_RANKS = "not measured: nobody has a rank"
DETERMINED = "not measured: the adjusters determine the rank"
NOT_SETTLED = "not measured: the model does not settle"


@dataclass(frozen=True)
class Gradient:
    """``relative_index``: the risk at the most deprived end over that at the least deprived one, with its limits.

    ``status`` is empty, or says why there is none. ``pupils`` were counted, ``pupils_left_out`` have no rank.
    """

    relative_index: float
    lower: float
    upper: float
    degrees_of_freedom: float
    p_value: float
    pupils: int
    pupils_left_out: int
    schools: int
    status: str
    notes: tuple[str, ...]


def deprivation_gradient(
    frame: pd.DataFrame,
    *,
    rank: str,
    count: str,
    total: str,
    cluster: str,
    adjust: Sequence[str] = (),
    confidence: float = 0.95,
) -> Gradient:
    """How many times the risk of the least deprived pupil is that of the most deprived one, if risk rises steadily?

    ``frame`` has one row a cell, with whole numbers ``count`` of ``total``; ``rank`` is a number that grows with less
    deprivation (IDACI rank or decile, 1 the most deprived). Pupils are placed from 0 (least deprived) to 1 (most) by
    the mid-point of their share of all pupils, so that the index is of this area's own range. Modified Poisson on that
    place and ``adjust`` (categories), errors clustered by school with the correction for few schools (CR2).

    Pupils without a rank are left out and counted. Raises ``MeasureError`` for columns that are not there and rows that
    are no counts. When not to use: to compare areas of different spread without looking at both; where risk does not
    rise steadily, which the risks by decile show. Source: Mackenbach and Kunst 1997; Zou 2004.

    >>> rows = pd.DataFrame({"decile": [1, 2] * 3, "school": [1, 1, 2, 2, 3, 3], "x": [20, 10] * 3, "n": [100] * 6})
    >>> made = deprivation_gradient(rows, rank="decile", count="x", total="n", cluster="school")
    >>> round(made.relative_index, 6)
    4.0
    """
    require_columns(frame, [rank, count, total, cluster, *adjust])
    usable_counts(frame[count], frame[total], frame[rank])
    place = pd.to_numeric(frame[rank], errors="coerce").astype("float64")
    left_out = int(frame.loc[place.isna(), total].sum())
    rows = frame[place.notna()].assign(_place=_ridit(place[place.notna()], frame.loc[place.notna(), total]), _all="all")
    x, n = usable_counts(rows[count], rows[total], rows[rank])
    schools = int(rows.loc[n > 0, cluster].nunique(dropna=False))
    places = rows.loc[n > 0, "_place"].nunique()
    why = (NO_RANKS if not places else ONE_RANK) if places < 2 else "" if 0 < x.sum() < n.sum() else NOT_MEASURED
    if why:
        return _none(int(n.sum()), left_out, schools, why)
    patterns = lined_up(rows, group="_all", total=total, adjust=adjust, linear=["_place"], cluster=cluster)
    fitted = fit(patterns, x)
    slope = np.flatnonzero(patterns.variable[fitted.columns] == "_place")
    if not fitted.converged or not len(slope):
        return _none(int(n.sum()), left_out, schools, NOT_SETTLED if len(slope) else DETERMINED)
    contrast = np.zeros((1, len(fitted.columns)))
    contrast[0, slope] = 1.0
    variance, _, freedom, _ = variances(fitted, contrast, "cr2")
    value, error = float(fitted.beta[slope[0]]), float(np.sqrt(variance[0]))
    reach = float(t_quantile(freedom, confidence)[0]) * error
    from scipy.special import stdtr

    return Gradient(
        relative_index=float(np.exp(value)),
        lower=float(np.exp(value - reach)),
        upper=float(np.exp(value + reach)),
        degrees_of_freedom=float(freedom[0]),
        p_value=float(2 * stdtr(freedom[0], -abs(value) / error)) if error > 0 else float("nan"),
        pupils=int(n.sum()),
        pupils_left_out=left_out,
        schools=schools,
        status="" if schools > 1 else ONE_CLUSTER,
        notes=notes(fitted, clustered=True),
    )


def _ridit(rank: pd.Series, total: pd.Series) -> pd.Series:
    """Each row's place from 0 (highest rank) to 1 (lowest), at the mid-point of the pupils who share it."""
    if (rank < 0).any():
        raise MeasureError(Problem("A rank is negative.", where=str(rank.name), value=float(rank.min())))
    size = total.astype("float64").groupby(rank).sum()
    middle = 1 - (size.cumsum() - size / 2) / max(size.sum(), 1.0)
    return rank.map(middle).astype("float64")


def _none(pupils: int, left_out: int, schools: int, why: str) -> Gradient:
    nan = float("nan")
    return Gradient(nan, nan, nan, nan, nan, pupils, left_out, schools, why, ())
