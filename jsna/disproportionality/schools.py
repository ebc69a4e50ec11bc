"""Does one school carry a difference, or do differences between schools? Leave-one-out and within-school ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import contrasts
from jsna.disproportionality.patterns import lined_up, require_columns, usable_counts, wanted_groups
from jsna.disproportionality.regression import Fit, fit

NOTHING_LEFT = "no ratio without this school: nobody is left to compare, or nobody identified"


@dataclass(frozen=True)
class LeftOut:
    """``table`` has one row a school and group: the school, its pupils of the group, the ratio without it, a status."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def leave_one_school_out(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    adjust: Sequence[str],
    cluster: str,
    known: str | None = None,
    groups: Sequence[object] | None = None,
) -> LeftOut:
    """What would each group's adjusted ratio be without any one school?

    Columns as in ``adjusted``; ``groups``: only these (default: all). Only schools that hold pupils of a group have a
    row with it. The ratio is missing, and ``status`` says so, where, without the school, nobody is left to compare or
    nobody identified. Raises ``MeasureError`` for columns or groups that are not there and rows that are no counts. Not
    for publication beside the names of schools: it tells of single schools.

    >>> rows = pd.DataFrame({"group": list("abababab"), "school": list("11223344"),
    ...                      "x": [40, 10, 10, 10, 10, 10, 10, 10], "n": [100] * 8})
    >>> made = leave_one_school_out(rows, group="group", count="x", total="n", adjust=[], cluster="school")
    >>> made.table.query("group == 'a' and school == '1'")["risk_ratio"].round(1).tolist()
    [1.0]
    """
    require_columns(frame, [group, count, total, *adjust, cluster, *([known] if known else [])])
    x, _ = usable_counts(frame[count], frame[total], frame[group])
    patterns = lined_up(frame, group=group, total=total, adjust=adjust, cluster=cluster, known=known)
    columns = ["group", "school", "pupils", "risk_ratio", "status"]
    if not 0 < x.sum() < patterns.total.sum():
        return LeftOut(pd.DataFrame(columns=columns), ("Nobody, or everybody, is identified.",))
    fitted = fit(patterns, x)
    named = patterns.groups if groups is None else wanted_groups(patterns.groups, groups)
    wanted = patterns.groups.isin(named)
    log_ratio, pupils = without_each(fitted, wanted)
    school, at = np.nonzero((pupils > 0) & wanted)
    ratio = np.where(np.isfinite(log_ratio), np.exp(log_ratio), np.nan)[school, at]
    table = pd.DataFrame(
        {
            "group": patterns.groups[at],
            "school": patterns.clusters[school],
            "pupils": pupils[school, at],
            "risk_ratio": ratio,
            "status": np.where(np.isnan(ratio), NOTHING_LEFT, ""),
        }
    )
    return LeftOut(table, fitted.patterns.notes)


def without_each(fitted: Fit, wanted: NDArray, most: int | None = None) -> tuple[NDArray, NDArray]:
    """Log ratio of each ``wanted`` group without each school, and pupils of each group in it: schools by groups.

    Every school that holds pupils of a wanted group is left out and the model fitted again. With ``most`` only that
    many schools a group: those that, by one Newton step from the full fit, bring the ratio nearest to 1, or past it;
    for the others the step itself is given. Missing where nobody of the group, or of all others, is identified without
    the school; −infinity for a group with nobody identified anywhere.
    """
    p = fitted.patterns
    pairs = p.cluster * len(p.groups) + p.group[p.pattern]
    shape = (len(p.clusters), len(p.groups))
    pupils, events = (
        np.bincount(pairs, cells, shape[0] * shape[1]).reshape(shape)
        for cells in (fitted.cell_total, fitted.cell_count)
    )
    if not fitted.converged:
        return np.full(shape, np.nan), pupils
    log_ratio, gradient = contrasts(fitted)
    information = np.linalg.inv(fitted.bread)
    left = information - fitted.information_by_cluster + 1e-9 * np.diag(information.diagonal())
    step = np.linalg.solve(left, fitted.scores[:, :, None])[:, :, 0]
    without = log_ratio - step @ gradient.T
    again = (pupils > 0) & wanted
    if most is not None:
        side = np.where(log_ratio >= 0, 1.0, -1.0)
        rank = np.where(pupils > 0, without * side, np.inf).argsort(axis=0, kind="stable").argsort(axis=0)
        again &= rank < most
    for school in np.flatnonzero(again.any(axis=1)):
        refitted = fitted.without(int(school))
        without[school] = np.nan if refitted is None else contrasts(refitted)[0]
    known = np.where(p.known, 1.0, 0.0)
    elsewhere = fitted.group_count - events
    others = (elsewhere * known).sum(axis=1, keepdims=True) - elsewhere * known
    nobody = (fitted.group_count == 0) & (fitted.group_total - pupils > 0) & (others > 0)
    return np.where(nobody, -np.inf, np.where((elsewhere <= 0) | (others <= 0), np.nan, without)), pupils


def within_schools(fitted: Fit, expected: NDArray) -> NDArray:
    """Each group's ratio to all others of the same school, pooled over schools by Mantel–Haenszel.

    ``expected``: for every cell the number identified were its group the same as any other; what differs between
    schools then cancels. Missing where no school holds both.
    """
    p = fitted.patterns
    shape = (len(p.clusters), len(p.groups))
    pairs = p.cluster * len(p.groups) + p.group[p.pattern]
    x = np.bincount(pairs, fitted.cell_count, shape[0] * shape[1]).reshape(shape)
    e = np.bincount(pairs, expected, shape[0] * shape[1]).reshape(shape)
    known = np.where(p.known, 1.0, 0.0)
    x_0 = (x * known).sum(axis=1, keepdims=True) - x * known
    e_0 = (e * known).sum(axis=1, keepdims=True) - e * known
    with np.errstate(divide="ignore", invalid="ignore"):
        both = np.where(e + e_0 > 0, 1 / (e + e_0), 0.0)
        return (x * e_0 * both).sum(axis=0) / (x_0 * e * both).sum(axis=0)


def cell_expected(fitted: Fit) -> NDArray:
    """For every cell, the number identified that the adjusters alone give (Poisson), the group's own effect aside."""
    p = fitted.patterns
    own = p.variable[fitted.columns] == p.by
    plain = p.matrix[:, fitted.columns] @ np.where(own, 0.0, fitted.beta)
    return np.where(fitted.silent[p.pattern], 0.0, fitted.cell_total * np.exp(plain)[p.pattern])
