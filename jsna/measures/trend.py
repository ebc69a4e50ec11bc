"""Is a figure rising or falling over the years, or is that noise? Tests of whole series at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import (
    MISSING,
    NEGATIVE,
    NO_EXPOSURE,
    NO_PUPILS,
    NO_VARIATION,
    aligned,
    count_status,
    normal_quantile,
    then,
    true_or_false,
)
from jsna.measures.groups import Groups, grouped
from jsna.measures.poisson import poisson_limits
from jsna.measures.proportions import proportion

Kind = Literal["proportion", "rate", "count"]
RISING, FALLING, NOISE, TOO_FEW = "rising", "falling", "no clear trend (noise)", "too few points"
NOT_TESTED = "not tested"
WITHIN_CHANCE, BEYOND_CHANCE, NO_COUNTS = "within chance", "more than chance", "no test: published without counts"
NO_YEAR_BEFORE = "no figure for the year before"
COUNTS_TEST = "weighted straight line, over-dispersion allowed for (t)"
PUBLISHED_TEST = "Mann–Kendall, exact"
FEWEST_POINTS = 5
_NO_POINT = (MISSING, NO_PUPILS, NO_EXPOSURE)


def trend_test(
    year: ArrayLike,
    value: ArrayLike | None = None,
    *,
    numerator: ArrayLike | None = None,
    denominator: ArrayLike | None = None,
    break_before: ArrayLike | pd.Series | None = None,
    by: ArrayLike | pd.Series | Sequence | None = None,
    kind: Kind = "proportion",
    per: float = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Is each series rising, falling, or not clearly either, since its last break?

    One row a year and series: ``year`` whole, ``by`` the series (all rows are one without it), and either ``value``, a
    figure published without counts, or ``numerator`` and ``denominator`` (``kind``: ``proportion``; ``rate``, events
    that can exceed the denominator; ``count``, no denominator). ``break_before``: true where figures before the row
    cannot be set beside it: they are left out and counted, never fitted across. ``per``: 100 for slopes in percentage
    points. Missing figures are no points; under 5 points nothing is tested.

    Returns a row a series: ``verdict`` (rising, falling, no clear trend (noise), too few points, not tested), ``test``,
    ``p_value``, ``slope`` a year with ``slope_lower`` and ``slope_upper`` (from counts alone), ``overdispersion``,
    ``points``, ``first_year``, ``last_year``, ``before_break`` (figures left out), the ``change`` on the year before
    with ``change_lower``, ``change_upper`` and ``change_verdict``, and ``status``.

    Counts: the Cochran–Armitage slope, its error widened by the root of the spread of the years about the line where
    that is more than chance, against t with 2 fewer degrees of freedom than points: where years vary independently no
    more than 5 in 100 steady series are called rising or falling. Years that drift together break that: docs/
    methods-comparators.md says by how much. Published figures: Mann–Kendall's S against all orders of the same figures
    (exact, ties included) and the Theil–Sen slope; under 6 points only a series that never turns back can be found. The
    interval of the change is that of chance in the counts of two years (Newcombe; Byar), a minimum where years vary.

    Source: Armitage 1955; McCullagh and Nelder 1989 (over-dispersion); Mann 1945; Kendall 1970; Sen 1968; Newcombe
    1998.

    >>> made = trend_test([2019, 2020, 2021, 2022, 2023], [3, 4, 6, 7, 9])
    >>> made[["verdict", "p_value", "slope"]].round(4).values.tolist()
    [['rising', 0.0167, 1.5]]
    """
    normal_quantile(level)
    if (value is None) == (numerator is None):
        raise MeasureError(Problem("Give either the value or the counts.", expected="value, or numerator"))
    series = _Series.of(year, by, break_before)
    made = _of_values(series, value, level) if value is not None else None
    if made is None:
        made = _of_counts(series, *_counts(numerator, denominator, kind), kind, level)
    scaled = ["slope", "slope_lower", "slope_upper", "change", "change_lower", "change_upper"]
    made[scaled] = made[scaled].astype("float64") * (1 if value is not None else per)
    return made


class _Series:
    """Rows as a matrix of series by year, and which of its cells lie after the last break."""

    def __init__(self, groups: Groups, row: NDArray, years: NDArray, since: NDArray) -> None:
        self.groups, self.row, self.years = groups, row, years
        self.after = years >= since[:, None]

    @classmethod
    def of(cls, year: ArrayLike, by, break_before) -> _Series:
        at, _ = aligned(year)
        if np.isnan(at).any() or (at != np.round(at)).any():
            raise MeasureError(Problem("A year is missing or not whole.", where="year", expected="such as 2024"))
        groups = grouped(by, len(at))
        years, column = np.unique(at, return_inverse=True)
        row = groups.codes * len(years) + column
        if len(np.unique(row)) < len(row):
            twice = pd.Series(row)[pd.Series(row).duplicated()].iloc[0]
            where = f"series {groups.labels[twice // len(years)]}"
            raise MeasureError(Problem("A series has a year twice.", where=where, value=int(years[twice % len(years)])))
        broken = np.zeros(len(at), bool)
        if break_before is not None:
            broken = true_or_false(pd.Series(break_before, name="break_before"), "Whether there is a break")
        since = np.full(len(groups.labels), -np.inf)
        np.fmax.at(since, groups.codes[broken], at[broken])
        return cls(groups, row, years, since)

    def spread(self, values: NDArray) -> NDArray:
        """A column as a matrix, missing where a series has no row for a year."""
        cells = np.full((len(self.groups.labels), len(self.years)), np.nan)
        cells.flat[self.row] = values
        return cells


def _counts(numerator, denominator, kind: Kind) -> tuple[NDArray, NDArray, NDArray]:
    if kind not in ("proportion", "rate", "count"):
        raise MeasureError(Problem("No such kind.", value=kind, expected="proportion, rate or count"))
    if (denominator is None) != (kind == "count"):
        raise MeasureError(Problem("A count has no denominator, all else has one.", where=kind))
    x = aligned(numerator)[0]
    x, n, _ = aligned(x, np.ones(len(x)) if denominator is None else denominator)
    if kind == "proportion":
        return x, n, count_status(x, n)
    return (
        x,
        n,
        then(count_status(x, np.where(np.isfinite(n), np.fmax(x, 1), n)), (n < 0, NEGATIVE), (n == 0, NO_EXPOSURE)),
    )


def _of_counts(series: _Series, x: NDArray, n: NDArray, status: NDArray, kind: Kind, level: float) -> pd.DataFrame:
    from scipy.special import stdtr, stdtrit

    no_point = np.isin(status, _NO_POINT)
    fault = series.groups.fault(np.where(no_point, "", status))
    cells = [series.spread(np.where(status == "", a, np.nan)) for a in (x, n)]
    used = np.where(series.after, cells, np.nan)
    points = np.sum(~np.isnan(used[0]), axis=1)
    slope, error, spread = _line(*used, series.years, kind)
    freedom = np.where(points >= FEWEST_POINTS, points - 2, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(freedom, -np.abs(slope / error))
    half = stdtrit(freedom, 0.5 + level / 2) * error
    constant = (points >= FEWEST_POINTS) & (error == 0)
    p = np.where(constant, 1.0, p)
    tested = (points >= FEWEST_POINTS) & (fault == "")
    frame = _verdicts(series, ~np.isnan(cells[0]), tested, p, slope, level).assign(test=COUNTS_TEST)
    for name, column in (
        ("slope", slope),
        ("slope_lower", slope - half),
        ("slope_upper", slope + half),
        ("overdispersion", spread),
    ):
        frame[name] = np.where(tested, column, np.nan)
    frame.loc[fault != "", "verdict"] = NOT_TESTED
    frame["status"] = np.where(fault != "", fault, np.where(tested & constant, NO_VARIATION, frame["status"]))
    change = _change_of_counts(series, used, kind, level)
    return frame.assign(**change)[_COLUMNS]


def _line(x: NDArray, n: NDArray, years: NDArray, kind: Kind) -> tuple[NDArray, NDArray, NDArray]:
    """Slope, its error and the spread about the line (1: as by chance), each year weighted by its denominator."""
    with np.errstate(invalid="ignore", divide="ignore"):
        known = ~np.isnan(x)
        whole = np.nansum(n, axis=1)
        average = np.nansum(x, axis=1) / whole
        variance = average * (1 - average) if kind == "proportion" else average
        weight = np.where(known, n, 0.0)
        middle = (weight * years).sum(axis=1) / whole
        away = years - middle[:, None]
        squares = (weight * away**2).sum(axis=1)
        share = np.where(known, x / n, 0.0)
        slope = (weight * away * share).sum(axis=1) / squares
        left = share - average[:, None] - slope[:, None] * away
        spread = (weight * left**2).sum(axis=1) / (variance * (known.sum(axis=1) - 2))
        error = np.sqrt(variance / squares * np.fmax(spread, 1.0))
    return np.where(variance == 0, 0.0, slope), error, spread


def _change_of_counts(series: _Series, used: NDArray, kind: Kind, level: float) -> dict[str, NDArray]:
    (x1, x0), (n1, n0) = (_last_two(cells, series.years) for cells in used)
    limits = [_limits(x, n, kind, level) for x, n in ((x1, n1), (x0, n0))]
    (now, low1, up1), (then_, low0, up0) = limits
    change = now - then_
    lower, upper = change - np.hypot(now - low1, up0 - then_), change + np.hypot(up1 - now, then_ - low0)
    verdict = np.select(
        [np.isnan(change), (lower > 0) | (upper < 0)], [NO_YEAR_BEFORE, BEYOND_CHANCE], default=WITHIN_CHANCE
    )
    return {"change": change, "change_lower": lower, "change_upper": upper, "change_verdict": verdict}


def _limits(x: NDArray, n: NDArray, kind: Kind, level: float) -> tuple[NDArray, ...]:
    if kind == "proportion":
        made = proportion(x, n, level)
        return tuple(made[c].to_numpy() for c in ("estimate", "lower", "upper"))
    return tuple(limit / n for limit in (x, *poisson_limits(x, level)))


def _last_two(cells: NDArray, years: NDArray) -> tuple[NDArray, NDArray]:
    """The last figure of each series and that of the year before it; missing unless that year has one."""
    known = ~np.isnan(cells)
    last = cells.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    row, some = np.arange(len(cells)), known.any(axis=1)
    follows = some & (last > 0) & (years[last] - years[last - 1] == 1)
    return np.where(some, cells[row, last], np.nan), np.where(follows, cells[row, last - 1], np.nan)


def _of_values(series: _Series, value: ArrayLike, level: float) -> pd.DataFrame:
    cells = series.spread(aligned(value)[0])
    used = np.where(series.after, cells, np.nan)
    points = np.sum(~np.isnan(used), axis=1)
    tested = points >= FEWEST_POINTS
    first, second = np.triu_indices(used.shape[1], k=1)
    rise = used[:, second] - used[:, first]
    balance = np.nansum(np.sign(rise), axis=1)
    p = np.full(len(used), np.nan)
    p[tested] = [_at_least(_ties(row), abs(int(s))) for row, s in zip(used[tested], balance[tested], strict=True)]
    slope = np.full(len(used), np.nan)
    slope[tested] = np.nanmedian(rise[tested] / (series.years[second] - series.years[first]), axis=1)
    frame = _verdicts(series, ~np.isnan(cells), tested, p, balance, level).assign(test=PUBLISHED_TEST, slope=slope)
    last, before = _last_two(used, series.years)
    missing = np.isnan(last - before)
    frame = frame.assign(change=last - before, change_verdict=np.where(missing, NO_YEAR_BEFORE, NO_COUNTS))
    return frame.reindex(columns=_COLUMNS)


def _ties(row: NDArray) -> tuple[int, ...]:
    return tuple(sorted(np.unique(row[~np.isnan(row)], return_counts=True)[1].tolist()))


def _at_least(ties: tuple[int, ...], balance: int) -> float:
    """How often pairs that rise and pairs that fall differ by so many or more, over all orders of the figures."""
    orders = _orders_by_inversions(ties)
    differs = np.abs(len(orders) - 1 - 2 * np.arange(len(orders)))
    whole = sum(orders)
    return float(sum(o for o, d in zip(orders, differs, strict=True) if d >= balance) / whole)


@cache
def _orders_by_inversions(ties: tuple[int, ...]) -> tuple[int, ...]:
    """How many orders of the figures have 0, 1, 2 … pairs the wrong way round; ``ties``: how often each occurs.

    The q-multinomial coefficient: a product of 1 + q + … + q^(i−1) over all figures, divided by the same over those
    that are equal. In whole numbers, so that it is exact.
    """
    counts = [1]
    for i in range(2, sum(ties) + 1):
        counts = [sum(counts[max(k - i + 1, 0) : k + 1]) for k in range(len(counts) + i - 1)]
    for i in (i for tie in ties for i in range(2, tie + 1)):
        shorter: list[int] = []
        for k in range(len(counts) - i + 1):
            shorter.append(counts[k] - sum(shorter[max(k - i + 1, 0) :]))
        counts = shorter
    return tuple(counts)


def _verdicts(series: _Series, known: NDArray, tested: NDArray, p: NDArray, sign: NDArray, level: float):
    """What every test says of its series: verdict, p-value, points and years."""
    used = known & series.after
    clear = tested & (p < 1 - level)
    verdict = np.select(
        [~tested, clear & (sign > 0), clear & (sign < 0)], [TOO_FEW, RISING, FALLING], default=NOISE
    ).astype(object)
    years = np.where(used, series.years, np.nan)
    return pd.DataFrame(
        {
            "verdict": verdict,
            "p_value": np.where(tested, p, np.nan),
            "points": used.sum(axis=1),
            "first_year": np.fmin.reduce(years, axis=1),
            "last_year": np.fmax.reduce(years, axis=1),
            "before_break": (known & ~series.after).sum(axis=1),
            "status": np.where(tested, "", TOO_FEW).astype(object),
        },
        index=series.groups.labels,
    )


_COLUMNS = [
    "verdict",
    "test",
    "p_value",
    "slope",
    "slope_lower",
    "slope_upper",
    "overdispersion",
    "points",
    "first_year",
    "last_year",
    "before_break",
    "change",
    "change_lower",
    "change_upper",
    "change_verdict",
    "status",
]
