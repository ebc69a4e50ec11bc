"""What might pupils whose group is unknown hide? Worst cases, sharing out, and the share that would undo a finding."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.patterns import NOT_RECORDED, known_rows, require_columns, usable_counts
from jsna.disproportionality.rule import make_rule
from jsna.disproportionality.study import Study
from jsna.errors import MeasureError, Problem
from jsna.measures import missing_group_bounds


def unknown_ethnicity(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    known: str,
    high: float | None = None,
    low: float | None = None,
) -> pd.DataFrame:
    """How would each group's crude ratio change with the pupils whose group is refused or not obtained?

    ``frame`` has rows of one census that are added up by ``group``; ``known`` is boolean, the same in all rows of a
    group. Returns one row a known group: group, numerator, denominator, risk_ratio (known pupils), lowest and highest
    (all unknown pupils placed as unfavourably as possible, either way), shared (shared out by group size) and
    tipping_share: the smallest share of the unknown identified that would have to belong to all others (for a ratio of
    at least ``high``) or to the group (at most ``low``) for the ratio to come back there, the other unknown pupils
    shared out by size (default: the rule's 1.25 and 0.80); missing where none does. With no unknown pupils all ratios
    are the known one.

    Raises ``MeasureError`` for columns that are not there and rows that are no counts. Source: worst-case bounds in the
    manner of Manski 2003. When not to use: as a likely range; it is what cannot be ruled out.

    >>> rows = pd.DataFrame({"g": list("abu"), "x": [20, 30, 2], "n": [100, 300, 10], "known": [True, True, False]})
    >>> made = unknown_ethnicity(rows, group="g", count="x", total="n", known="known")
    >>> made[["risk_ratio", "shared"]].round(2).values.tolist()
    [[2.0, 1.95], [0.5, 0.51]]
    """
    require_columns(frame, [group, count, total, known])
    x, n = usable_counts(frame[count], frame[total], frame[group])
    yes = known_rows(frame, group, known)
    if not yes.any():
        raise MeasureError(
            Problem("Nobody's group is known: there is nobody to compare.", where=known, expected="some known groups")
        )
    high, low = (_threshold(v, name) for v, name in ((high, "ratio_high"), (low, "ratio_low")))
    named = frame[group].astype(object).where(frame[group].notna(), NOT_RECORDED)
    rows = pd.DataFrame({"group": named, "known": yes, "x": x, "n": n})
    summed = rows.groupby(["group", "known"], sort=True, as_index=False)[["x", "n"]].sum()
    unknown = summed[~summed["known"]]
    held = summed[summed["known"]].reset_index(drop=True)
    bounds = missing_group_bounds(
        held["x"],
        held["n"],
        held["x"].sum() - held["x"],
        held["n"].sum() - held["n"],
        np.full(len(held), unknown["x"].sum()),
        np.full(len(held), unknown["n"].sum()),
        high=high,
        low=low,
    )
    return pd.DataFrame(
        {
            "group": held["group"],
            "numerator": held["x"],
            "denominator": held["n"],
            "risk_ratio": bounds["estimate"],
            "lowest": bounds["lower"],
            "highest": bounds["upper"],
            "shared": bounds["shared"],
            "tipping_share": bounds["tipping_share"],
            "status": bounds["status"],
        }
    )


def _threshold(value: float | None, name: str) -> float:
    default = getattr(make_rule(), name)
    if value is None or isinstance(value, Real):
        return getattr(make_rule(**{name: default if value is None else value}), name)
    raise MeasureError(Problem("A threshold is no number.", where=name, value=value, expected=f"such as {default}"))


def unknown_effect(study: Study, ratio: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """The pooled ratio were unknown pupils shared out by group size, and in the worst cases either way.

    Each is the pooled ratio times what the same change does to the crude one (latest census).
    """
    p = study.patterns
    n, x = study.by_group(len(study.periods) - 1)
    unknown, identified = n[~p.known].sum(), x[~p.known].sum()
    if not unknown:
        return ratio, ratio, ratio
    n, x = np.where(p.known, n, np.nan), np.where(p.known, x, np.nan)
    everyone = np.full(len(n), identified), np.full(len(n), unknown)
    bounds = missing_group_bounds(x, n, np.nansum(x) - x, np.nansum(n) - n, *everyone)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = bounds[["shared", "lower", "upper"]].div(bounds["estimate"], axis=0).to_numpy()
    # Where the crude ratio is 0 or cannot be had, the change cannot be told: the ratio stands as it is.
    shared, low, high = np.where(np.isfinite(change), change, 1.0).T * ratio
    return shared, low, high
