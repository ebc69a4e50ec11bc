"""How true ratios spread over groups and authorities: learned from the counts of many, never said of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.design import steadied
from jsna.disproportionality.pooled import Prior, learn_prior
from jsna.disproportionality.rule import make_rule
from jsna.errors import MeasureError, Problem

FEWEST_ROWS = 100  # groups of other areas from which a prior is learned; under that the default prior stands
FEWEST_AREAS = 10  # authorities that a prior for a file is learned from: it must tell of none of them
PLACE = ["area_code", "dimension", "outcome"]
COLUMNS = (*PLACE, "group", "known", "count", "total")


@dataclass(frozen=True)
class Learned:
    """What one outcome and dimension teach. ``authorities``: how many took part; the ratios stand in the prior."""

    outcome: str
    dimension: str
    prior: Prior
    authorities: int


def learn_priors(every: pd.DataFrame) -> tuple[Learned, ...]:
    """How do the true ratios of each outcome and dimension spread over the groups of all authorities?

    ``every``: one row an authority, dimension, outcome and group, with ``COLUMNS``: pupils in ``total``, those
    identified in ``count``, ``known`` false for groups that are nobody's comparator; and, if it is there,
    ``design_effect``: by how much schools widen the variance of a group's ratio (``design_effects``; without it pupils
    count as independent, and a prior is wider than true ratios spread). Each group is set beside all other known groups
    of its authority. Crude ratios are learned from: they spread more than adjusted ones.

    Returns one ``Learned`` an outcome and dimension, sorted; those with fewer than ``FEWEST_ROWS`` usable ratios or
    ``FEWEST_AREAS`` authorities are left out. Raises ``MeasureError`` for columns that are not there. When not to use:
    counts of synthetic pupils, which teach how their maker spread them; counts that were rounded or suppressed.

    >>> areas = [f"A{i}" for i in range(60)]
    >>> rows = [(a, "sex", "plan", g, True, 50, 1_000) for a in areas for g in ("girls", "boys")]
    >>> learned = learn_priors(pd.DataFrame(rows, columns=[*COLUMNS]))[0]
    >>> learned.authorities, learned.prior.learned_from, bool(learned.prior.weights[0] > 0.5)
    (60, 120, True)
    """
    missing = [c for c in COLUMNS if c not in every]
    if missing:
        raise MeasureError(*(Problem("A column that a prior is learned from is not there.", value=c) for c in missing))
    others = against_others_by_area(every, PLACE)
    made = []
    for (outcome, dimension), rows in others.groupby(["outcome", "dimension"], sort=True):
        areas, prior = rows.loc[_usable(rows), "area_code"].nunique(), prior_of(rows)
        if prior.learned_from and areas >= FEWEST_AREAS:
            made.append(Learned(str(outcome), str(dimension), prior, areas))
    return tuple(made)


def against_others_by_area(every: pd.DataFrame, place: list[str]) -> pd.DataFrame:
    """Counts of every group and of all other known groups of its ``place`` (columns: an authority and what is asked).

    Groups that are not known, have no count or fewer pupils than the rule judges take no row.
    """
    usable = every["known"] & every["count"].notna()
    held = every[["count", "total"]].where(usable, 0.0)
    sums = held.groupby([every[c] for c in place]).transform("sum") - held
    return every.assign(
        numerator=every["count"],
        denominator=every["total"],
        comparator_numerator=sums["count"],
        comparator_denominator=sums["total"],
    )[usable & (every["total"] >= make_rule().minimum_pupils)]


def quasi(rows: pd.DataFrame) -> tuple[NDArray, NDArray, NDArray]:
    """For ``pooled``: counts, those expected at the others' risk, and the variance of a log ratio times the count.

    A column ``design_effect``, where there is one, widens that variance.
    """
    x, n, x_0, n_0 = (
        rows[c].to_numpy("float64")
        for c in ("numerator", "denominator", "comparator_numerator", "comparator_denominator")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = x_0 / n_0
        spread = np.where(x > 0, 1 - x / n, 1 - risk) + np.maximum(x, n * risk) * (1 / x_0 - 1 / n_0)
    if "design_effect" in rows:
        spread = spread * rows["design_effect"].to_numpy("float64")
    return x, n * risk, np.where(spread > 0, spread, np.nan)


def prior_of(rows: pd.DataFrame) -> Prior:
    """How ratios to all others spread over other authorities: learned from enough rows, else the default."""
    usable = _usable(rows)
    if usable.sum() < FEWEST_ROWS:
        return Prior()
    return learn_prior(*(column[usable] for column in quasi(rows)))


def _usable(rows: pd.DataFrame) -> NDArray:
    _, expected, spread = quasi(rows)
    return np.isfinite(expected) & (expected > 0) & np.isfinite(spread)


def design_effects(cells: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    """By how much do schools widen the variance of each group's ratio to all others of its authority?

    ``cells``: one row an authority, dimension, group and school, with the columns area_code, dimension, group, known,
    school, total and one of each of ``outcomes``, the pupils identified. The variance of the log ratio is that of the
    schools' scores (clustered, with S/(S−1)), over that of independent pupils. It is known of a group in more than one
    school with the events that the rule asks for, steadied over all authorities of an outcome and dimension by a line
    in its size (``steadied``), and nowhere under 1.

    Returns the sums over schools in ``COLUMNS``, and ``design_effect`` (missing of unknown groups), as ``learn_priors``
    takes them. Source: Kish 1965; linearised variance of a ratio, Särndal and others 1992.
    """
    parts = [_of_area(rows, outcomes) for _, rows in cells.groupby(["area_code", "dimension"], observed=True)]
    table = pd.concat(parts, ignore_index=True)
    table["design_effect"] = np.nan
    enough = make_rule().minimum_events_for_design
    for _, rows in table[table["known"]].groupby(["outcome", "dimension"]):
        own, size = rows["own_effect"].to_numpy(), rows["total"].to_numpy("float64")
        sure = np.isfinite(own) & (own > 0) & (rows["count"] >= enough).to_numpy()
        table.loc[rows.index, "design_effect"] = steadied(own, size, sure, 1.0)
    return table.drop(columns="own_effect")


def _of_area(rows: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    """One authority and dimension: sums over its schools, and each known group's own design effect, by outcome."""
    groups, at = np.unique(rows["group"].to_numpy(str), return_inverse=True)
    schools, school = np.unique(rows["school"].to_numpy(str), return_inverse=True)
    shape = len(schools), len(groups)
    known = np.zeros(len(groups), bool)
    known[at] = rows["known"].to_numpy("bool")

    def spread_out(column: str) -> NDArray:
        values = rows[column].to_numpy("float64")
        return np.bincount(school * len(groups) + at, values, len(schools) * len(groups)).reshape(shape)

    n = spread_out("total")
    first = {c: rows[c].iloc[0] for c in ("area_code", "dimension")}
    parts = []
    for outcome in outcomes:
        x, own = spread_out(outcome), np.full(len(groups), np.nan)
        own[known] = _clustered(x[:, known], n[:, known])
        held = {"group": groups, "known": known, "count": x.sum(axis=0), "total": n.sum(axis=0), "own_effect": own}
        parts.append(pd.DataFrame({**first, "outcome": outcome, **held}))
    return pd.concat(parts, ignore_index=True)


def _clustered(x: NDArray, n: NDArray) -> NDArray:
    """Of each group, the variance of its log ratio from the scores of schools (rows), over that of lone pupils."""
    events, pupils = x.sum(axis=0), n.sum(axis=0)
    others, rest = x.sum(axis=1, keepdims=True) - x, n.sum(axis=1, keepdims=True) - n
    events_0, pupils_0 = events.sum() - events, pupils.sum() - pupils
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (x - events / pupils * n) / events - (others - events_0 / pupils_0 * rest) / events_0
        many = (n.sum(axis=1) > 0).sum()
        variance = (score**2).sum(axis=0) * many / (many - 1)
        alone = 1 / events - 1 / pupils + 1 / events_0 - 1 / pupils_0
        effect = variance / alone
    return np.where(((n > 0).sum(axis=0) > 1) & (many > 1), effect, np.nan)
