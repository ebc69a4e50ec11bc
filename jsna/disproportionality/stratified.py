"""Is a difference there within areas, schools or years, or only between them? Mantel–Haenszel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.crude import ALL_OTHERS
from jsna.disproportionality.patterns import known_rows, require_columns
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures.columns import BOTH_ZERO, MISSING, NO_PUPILS, NO_VARIATION, aligned, count_status, normal_quantile

_NOTHING = 1e-12  # of a stratum: rounding alone
NO_STRATUM = "no stratum holds pupils of both"
NOBODY = "no interval: nobody of the group is identified where there are others"
NO_OTHERS = "no interval: nobody of the others is identified where the group has pupils"


@dataclass(frozen=True)
class Stratified:
    """Ratios of every group within strata, beside the crude ones.

    ``table`` has one row a family, group and comparator. ``strata`` contributed; ``strata_left_out`` did not, because
    the group or its comparator has nobody there. ``heterogeneity`` is a chi-square on ``heterogeneity_df`` degrees of
    freedom (0: fewer than two strata can be compared); ``heterogeneity_p`` is small where strata disagree. ``notes``
    say what was left out.
    """

    table: pd.DataFrame
    by: str
    notes: tuple[str, ...]


def stratified(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    by: str,
    known: str | None = None,
    reference: str | None = None,
    family: list[str] | None = None,
    confidence: float = 0.95,
) -> Stratified:
    """How many times the risk of others of the same area, school or year (``by``) is each group's?

    ``frame`` has one row a stratum and group (and family: columns such as outcome), with whole numbers ``count`` of
    ``total``; a missing count takes no part and is noted. ``known``: boolean; unknown groups have a ratio of their own
    and stand in nobody's comparator. Comparators are all other pupils of known group and, with ``reference``, that
    group too. The default wherever data span several areas: a ratio of totals mixes who pupils are with where they are.

    Columns of ``table``: the family, group, known, comparator, numerator, denominator, risk_ratio (Mantel–Haenszel),
    lower, upper, crude_risk_ratio (of the totals of all usable rows), strata, strata_left_out, heterogeneity,
    heterogeneity_df, heterogeneity_p, status.

    Raises ``MeasureError`` for columns or a reference that are not there, a group that stands twice in a stratum, and
    counts that are negative, not whole, or above their total, all rows named. When not to use: strata in which hardly
    any group has others beside it; nor where strata disagree, for then one ratio hides them.

    Sources: Mantel and Haenszel 1959; Greenland and Robins 1985 (interval); weighted chi-square of log ratios.

    >>> rows = pd.DataFrame({"la": ["a", "a", "b", "b"], "group": ["g", "r", "g", "r"],
    ...                      "x": [10, 20, 30, 15], "n": [20, 40, 40, 20]})
    >>> stratified(rows, group="group", count="x", total="n", by="la").table["risk_ratio"].tolist()
    [1.0, 1.0]
    """
    rows, notes = _rows(frame, group, count, total, by, known, family or [])
    z = normal_quantile(confidence)
    comparators = [None] if reference is None else [None, reference]
    table = pd.concat([_within(rows, c, z) for c in comparators], ignore_index=True)
    keys = rows[["family", *(family or [])]].drop_duplicates("family")
    table = keys.merge(table, on="family", validate="one_to_many").drop(columns="family")
    return Stratified(table, by, notes)


def _rows(frame, group: str, count: str, total: str, by: str, known: str | None, family: list[str]):
    """One row a family, stratum and group once every row is seen to be usable, and what was left out in words."""
    require_columns(frame, [group, count, total, by, *family, *([known] if known else [])])
    x, n, _ = aligned(frame[count], frame[total])
    why = count_status(x, n)
    rows = (
        frame[family]
        .reset_index(drop=True)
        .assign(
            group=frame[group].to_numpy(object),
            stratum=frame[by].to_numpy(object),
            known=known_rows(frame, group, known) if known else True,
            family=frame.groupby(family, dropna=False, sort=False).ngroup().to_numpy() if family else 0,
        )
    )
    usable = np.isin(why, ["", NO_PUPILS])
    rows["x"], rows["n"] = np.where(usable, x, 0.0), np.where(usable, n, 0.0)
    wrong = np.flatnonzero(~usable & (why != MISSING))
    twice = np.flatnonzero(rows.duplicated(["family", "stratum", "group"]))
    problems = [
        Problem(
            f"A row's count cannot be used: {why[i]}.",
            where=f"row {i} ({rows['group'][i]} in {rows['stratum'][i]}), columns {count} and {total}",
            value=f"{x[i]:g} of {n[i]:g}",
            expected="whole numbers, 0 or more, the count no larger than the total",
            mend="Correct the row.",
        )
        for i in wrong[:20]
    ] + [
        Problem(
            "A group stands twice in a stratum.",
            where=f"row {i}",
            value=(rows["group"][i], rows["stratum"][i]),
            mend="Add its rows up first.",
        )
        for i in twice[:20]
    ]
    problems += [
        Problem("A row does not say where or who it is.", where=f"row {i}", expected=f"a {by} and a {group}")
        for i in np.flatnonzero(rows[["group", "stratum"]].isna().any(axis=1))[:20]
    ]
    if problems:
        raise MeasureError(*problems)
    gone = int((~usable).sum())
    said = (f"{gone:,} of {len(rows):,} rows have no count; they take no part, nor in a comparator.",) if gone else ()
    return rows, said


def _within(rows: pd.DataFrame, reference: str | None, z: float) -> pd.DataFrame:
    """The Mantel–Haenszel ratio of each family and group to all others, or to ``reference``."""
    wide = rows.pivot(index=["family", "stratum"], columns="group", values=["x", "n"]).fillna(0.0)
    groups, family = wide["x"].columns, wide.index.get_level_values("family").to_numpy()
    known = rows.drop_duplicates("group").set_index("group")["known"].reindex(groups).to_numpy(bool)
    x, n = wide["x"].to_numpy(), wide["n"].to_numpy()
    if reference is None:
        x_0, n_0 = ((c * known).sum(axis=1, keepdims=True) - c * known for c in (x, n))
    elif reference in groups:
        x_0, n_0 = (np.broadcast_to(c[:, [groups.get_loc(reference)]], x.shape) for c in (x, n))
    else:
        raise MeasureError(
            Problem(
                "The reference group is not among the groups.",
                value=reference,
                mend=did_you_mean(reference, groups.astype(str)),
            )
        )
    used = (n > 0) & (n_0 > 0)
    whole = np.where(used, n + n_0, 1.0)
    parts = {
        "top": np.where(used, x * n_0 / whole, 0.0),
        "bottom": np.where(used, x_0 * n / whole, 0.0),
        "spread": np.where(used, (x + x_0) * n * n_0 / whole**2 - x * x_0 / whole, 0.0),
        "used": used,
        "all": np.ones_like(x),
        **{"x": x, "n": n, "x_0": x_0, "n_0": n_0},
    }
    summed = {name: _by_family(values, family) for name, values in parts.items()}
    answer = _answer(summed, z)
    answer |= _heterogeneity(x, n, x_0, n_0, used, answer["risk_ratio"], family)
    answer["status"] = answer.pop("status")
    shape = summed["used"].shape
    table = pd.DataFrame(
        {
            "family": np.repeat(np.arange(shape[0]), shape[1]),
            "group": np.tile(groups.to_numpy(object), shape[0]),
            "known": np.tile(known, shape[0]),
            "comparator": ALL_OTHERS if reference is None else reference,
            **{name: np.asarray(values).ravel() for name, values in answer.items()},
        }
    )
    present = pd.MultiIndex.from_frame(rows[["family", "group"]].drop_duplicates())
    kept = pd.MultiIndex.from_frame(table[["family", "group"]]).isin(present) & (table["group"] != reference)
    return table[kept]


def _by_family(values: NDArray, family: NDArray) -> NDArray:
    """Columns added up over the strata of each family; ``family`` is sorted."""
    return np.add.reduceat(values.astype("float64"), np.flatnonzero(np.diff(family, prepend=-1)), axis=0)


@np.errstate(divide="ignore", invalid="ignore")
def _answer(s: dict[str, NDArray], z: float) -> dict[str, NDArray]:
    top, bottom = s["top"], s["bottom"]
    both = (top > 0) & (bottom > 0) & (s["spread"] > _NOTHING * s["used"])
    ratio = top / bottom
    reach = np.exp(z * np.sqrt(s["spread"] / (top * bottom)))
    return {
        "numerator": s["x"],
        "denominator": s["n"],
        "risk_ratio": ratio,
        "lower": np.where(both, ratio / reach, np.nan),
        "upper": np.where(both, ratio * reach, np.nan),
        "crude_risk_ratio": (s["x"] / s["n"]) / (s["x_0"] / s["n_0"]),
        "strata": s["used"].astype("int64"),
        "strata_left_out": (s["all"] - s["used"]).astype("int64"),
        "status": np.select(
            [s["used"] == 0, (top == 0) & (bottom == 0), top == 0, bottom == 0, ~both],
            [NO_STRATUM, BOTH_ZERO, NOBODY, NO_OTHERS, NO_VARIATION],
            default="",
        ).astype(object),
    }


@np.errstate(divide="ignore", invalid="ignore")
def _heterogeneity(x, n, x_0, n_0, used, ratio: NDArray, family: NDArray) -> dict[str, NDArray]:
    """Weighted chi-square of the strata's log ratios around the pooled one, over strata where both have events."""
    from scipy.special import chdtrc

    around = np.log(ratio)[family]
    some = used & (x > 0) & (x_0 > 0) & ((x < n) | (x_0 < n_0)) & np.isfinite(around)
    variance = 1 / x - 1 / n + 1 / x_0 - 1 / n_0
    squared = np.where(some, (np.log((x / n) / (x_0 / n_0)) - around) ** 2 / variance, 0.0)
    strata = _by_family(some, family)
    df = np.maximum(strata - 1, 0)
    statistic = np.where(df > 0, _by_family(squared, family), np.nan)
    p = np.where(df > 0, chdtrc(np.maximum(df, 1), np.nan_to_num(statistic)), np.nan)
    return {"heterogeneity": statistic, "heterogeneity_df": df.astype("int64"), "heterogeneity_p": p}
