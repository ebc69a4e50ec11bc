"""Where does an area stand among others, and how far could chance move its place? Ranks with their intervals."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import (
    MISSING,
    NO_EXPOSURE,
    NOT_A_SHARE,
    aligned,
    count_status,
    normal_quantile,
    then,
)
from jsna.measures.groups import grouped

Direction = Literal["higher", "lower", "neutral"]
Kind = Literal["proportion", "rate"]
IN_TOP, NOT_IN_TOP, CANNOT_TELL = "in the top", "not in the top", "cannot be told"
_INNER, _OUTER, _BEYOND = 12, 8, 4.0  # points of the integral within ±c, and over the 4 standard errors beyond
_CELLS = 4_000_000  # of the integral held in memory at once
_POINTS = 128  # equally likely places of one area, over which a chance is averaged


def ranked(value: ArrayLike, *, direction: Direction, by: ArrayLike | pd.Series | None = None) -> pd.DataFrame:
    """Which place does each value take? ``rank`` and ``of`` how many, within each group of ``by`` (such as a year).

    ``direction``: ``higher`` is better, ``lower`` is better, or ``neutral``; rank 1 is the best, for a neutral one the
    highest. Equal values share the better place. A missing value has no rank and is not counted. A rank alone says
    nothing of how far apart the areas are: show ``rank_interval`` where there are counts.

    >>> ranked([27.1, 46.4, 46.4, None], direction="higher").to_numpy().tolist()
    [[3.0, 3.0], [1.0, 3.0], [1.0, 3.0], [nan, 3.0]]
    """
    values, index = aligned(value)
    signed = pd.Series(_signed(values, direction))
    groups = pd.Series(grouped(by, len(values)).codes)
    rank = signed.groupby(groups).rank(method="min", ascending=False)
    of = signed.groupby(groups).transform("count").astype("float64")
    return pd.DataFrame({"rank": rank.to_numpy(), "of": of.to_numpy()}, index=index)


def rank_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    direction: Direction,
    level: float = 0.95,
    kind: Kind = "proportion",
    wanted: ArrayLike | None = None,
) -> pd.DataFrame:
    """Which places could an area hold, when chance moves every area's figure?

    ``numerator`` of ``denominator``, one row an area, whole numbers; ``direction`` as in ``ranked``; ``kind``: ``rate``
    for events that can exceed the denominator; ``wanted``: true for the areas whose interval is asked for (all without
    it). Returns ``rank``, ``rank_lower`` (the best plausible place), ``rank_upper`` (the worst), ``of`` (how many areas
    have a figure) and ``status``. An area without a figure has no rank; nobody is ranked against it.

    Each area's interval holds its true place with at least the probability ``level``, whatever the true figures are,
    ties included: that is so for one area chosen beforehand, not for all intervals at once. It is made of differences:
    places are given up only to areas that differ beyond what the largest of all differences would by chance. No seed:
    nothing is drawn. Chance here is that of counts alone: where figures also vary from year to year for other reasons,
    the interval is a minimum.

    Source: Mogstad, Romano, Shaikh and Wilhelm 2024 (marginal sets, one step down), on the scale of the arcsine root
    (Anscombe 1948; the square root for rates), on which the error does not depend on the figure. How often it holds the
    true place, beside other intervals, is measured in benchmarks/ranks.py.

    >>> made = rank_interval([90, 50, 52, 10], [100] * 4, direction="higher")
    >>> made[["rank", "rank_lower", "rank_upper"]].values.tolist()
    [[1.0, 1.0, 1.0], [3.0, 2.0, 3.0], [2.0, 2.0, 3.0], [4.0, 4.0, 4.0]]
    """
    x, n, index = aligned(numerator, denominator)
    status = _status(x, n, kind)
    asked = np.ones(len(x), bool) if wanted is None else np.asarray(wanted, bool)
    if len(asked) != len(x):
        raise MeasureError(Problem("What is wanted differs in length from the columns.", value=len(asked)))
    return _intervals(x, n, status, direction, level, kind, asked).set_axis(index)


def rank_interval_if(
    percent: ArrayLike,
    assumed_denominator: ArrayLike,
    *,
    direction: Direction,
    level: float = 0.95,
    wanted: ArrayLike | None = None,
) -> pd.DataFrame:
    """Which places could an area hold, IF about so many were counted? For percentages published without their counts.

    ``percent`` from 0 to 100, one row an area; ``assumed_denominator``: the assumption, one number or one a row, above
    0. Returns the columns of ``rank_interval`` and ``assumed_denominator``, which has to be named wherever the interval
    is: from a percentage alone no interval follows.

    >>> made = rank_interval_if([94.2, 87.0, 99.0], 300, direction="higher")
    >>> made[["rank", "rank_lower", "rank_upper", "assumed_denominator"]].values.tolist()
    [[2.0, 2.0, 2.0, 300.0], [3.0, 3.0, 3.0, 300.0], [1.0, 1.0, 1.0, 300.0]]
    """
    share, index = aligned(percent)
    one = np.ndim(assumed_denominator) == 0
    n = aligned(share, np.full(len(share), assumed_denominator) if one else assumed_denominator)[1]
    outside = (share < 0) | (share > 100)
    status = then(
        np.full(len(share), "", dtype=object),
        (np.isnan(share) | np.isnan(n), MISSING),
        (outside, NOT_A_SHARE),
        (n <= 0, NO_EXPOSURE),
    )
    asked = np.ones(len(share), bool) if wanted is None else np.asarray(wanted, bool)
    made = _intervals(share / 100 * n, n, status, direction, level, "proportion", asked)
    return made.set_axis(index).assign(assumed_denominator=n)


def top_places(
    numerator: ArrayLike,
    denominator: ArrayLike,
    *,
    top: int,
    direction: Direction,
    level: float = 0.95,
    kind: Kind = "proportion",
) -> pd.DataFrame:
    """Is an area among the best ``top``, and how probable is that?

    Columns and ``direction`` as in ``rank_interval``. Returns ``rank``, ``of``, ``chance`` (0 to 1), ``verdict`` and
    ``status``. The verdict rests on the interval of the rank: ``in the top`` when all of it is, ``not in the top`` when
    none of it is, else ``cannot be told``.

    ``chance`` means: of areas whose figures give 30%, about 30% truly are among the best. It takes the areas as drawn
    from one spread, which the figures themselves show, and draws the figure of a small area towards the middle. It is
    the chance of this year's true place, not of next year's, and is known no better than that spread is: below about
    20 areas, or where a few stand far from all others, say the verdict alone.

    Source: normal model with the spread by moments (Morris 1983) on the scale of ``rank_interval``; the chance by
    numerical integration.

    >>> made = top_places([90, 50, 52, 10], [100] * 4, top=1, direction="higher")
    >>> made["chance"].round(2).tolist(), made["verdict"].tolist()[:2]
    ([1.0, 0.0, 0.0, 0.0], ['in the top', 'not in the top'])
    """
    x, n, index = aligned(numerator, denominator)
    if not isinstance(top, int) or top < 1:
        raise MeasureError(Problem("Not a number of places.", value=top, expected="1 or more"))
    status = _status(x, n, kind)
    good = status == ""
    made = _intervals(x, n, status, direction, level, kind, np.ones(len(x), bool))
    chance = np.full(len(x), np.nan)
    chance[good] = _chance_of_top(*_placed(x[good], n[good], direction, kind), top)
    inside, outside = made["rank_upper"] <= top, made["rank_lower"] > top
    verdict = np.select([~good, inside, outside], ["", IN_TOP, NOT_IN_TOP], default=CANNOT_TELL)
    made = made[["rank", "of"]].assign(chance=chance, verdict=verdict, status=status)
    return made.set_axis(index)


def _signed(values: NDArray, direction: Direction) -> NDArray:
    if direction not in ("higher", "lower", "neutral"):
        raise MeasureError(Problem("No such direction.", value=direction, expected="higher, lower or neutral"))
    return -values if direction == "lower" else values


def _status(x: NDArray, n: NDArray, kind: Kind) -> NDArray:
    if kind == "proportion":
        return count_status(x, n)
    if kind != "rate":
        raise MeasureError(Problem("No such kind.", value=kind, expected="proportion or rate"))
    return then(count_status(x, np.where(np.isfinite(n), np.fmax(x, 1), n)), (n <= 0, NO_EXPOSURE))


def _placed(x: NDArray, n: NDArray, direction: Direction, kind: Kind) -> tuple[NDArray, NDArray]:
    """Each area's place on a scale on which its standard error is known beforehand, the best being the highest."""
    if kind == "rate":
        return _signed(np.sqrt((x + 0.375) / n), direction), 0.5 / np.sqrt(n)
    return _signed(np.arcsin(np.sqrt((x + 0.375) / (n + 0.75))), direction), 0.5 / np.sqrt(n + 0.5)


def _intervals(x, n, status: NDArray, direction: Direction, level: float, kind: Kind, asked: NDArray) -> pd.DataFrame:
    normal_quantile(level)
    good = status == ""
    with np.errstate(divide="ignore", invalid="ignore"):
        made = ranked(np.where(good, x / n, np.nan), direction=direction)
    lower, upper = np.full(len(x), np.nan), np.full(len(x), np.nan)
    rows = np.flatnonzero(good & asked)
    if len(rows):
        place, error = _placed(x[good], n[good], direction, kind)
        own = np.flatnonzero(asked[good])
        held = max(_CELLS // (len(place) * 2 * (_INNER + _OUTER)), 1)
        for part in np.split(np.arange(len(own)), range(held, len(own), held)):
            lower[rows[part]], upper[rows[part]] = _places(place, error, own[part], level)
        # At one or two pupils the scale can order two areas otherwise than their shares do.
        lower, upper = np.fmin(lower, made["rank"].where(asked)), np.fmax(upper, made["rank"].where(asked))
    return made[["rank"]].assign(rank_lower=lower, rank_upper=upper, of=made["of"], status=status)


def _places(place: NDArray, error: NDArray, own: NDArray, level: float) -> tuple[NDArray, NDArray]:
    """The best and the worst plausible place of the areas numbered ``own``."""
    others = ~np.eye(len(place), dtype=bool)[own]
    spread = np.broadcast_to(error, others.shape)[others].reshape(len(own), -1)
    apart = (place[own, None] - place)[others].reshape(len(own), -1)
    if not apart.shape[1]:
        return np.ones(len(own)), np.ones(len(own))
    apart = apart / np.hypot(error[own, None], spread)
    ratio, both = error[own, None] / spread, np.ones_like(apart, bool)
    first = _critical(ratio, both, both, level)[:, None]
    # One step down: an area already found to be better is no longer asked whether it is, only whether it is worse.
    critical = _critical(ratio, apart >= -first, apart <= first, level)[:, None]
    return 1.0 + (apart < -critical).sum(axis=1), 1.0 + apart.shape[1] - (apart > critical).sum(axis=1)


def _critical(ratio: NDArray, below: NDArray, above: NDArray, level: float) -> NDArray:
    """What the largest of the differences still asked about exceeds with probability 1 − ``level``, for each area.

    ``below`` and ``above`` say in which direction the difference to each other area is asked about. Found by secant
    steps on the log of the tail, which is almost a straight line, from Bonferroni's bound.
    """
    from scipy.special import ndtri

    asked = np.fmax(below.sum(axis=1) + above.sum(axis=1), 1)
    aim = np.log1p(-level)
    now = -ndtri((1 - level) / asked)
    before = 0.95 * now
    tail = lambda c: np.log1p(-np.fmin(_within(c, ratio, below, above), 1 - 1e-15)) - aim  # noqa: E731
    gap_before, gap = tail(before), tail(now)
    for _ in range(2):
        with np.errstate(divide="ignore", invalid="ignore"):
            step = gap * (now - before) / (gap - gap_before)
        before, gap_before = now, gap
        now = now - np.where(np.isfinite(step), step, 0.0)
        gap = tail(now)
    return now


def _within(c: NDArray, ratio: NDArray, below: NDArray, above: NDArray) -> NDArray:
    """The probability that no difference asked about exceeds ``c``: given the area's own error the others are apart."""
    from scipy.special import ndtr

    at, weight = _nodes(c)
    reach = c[:, None] * np.sqrt(1 + ratio**2)
    moved = ratio[:, :, None] * at[:, None, :]
    upper = ndtr(np.where(above, reach, np.inf)[:, :, None] + moved)
    lower = ndtr(np.where(below, -reach, -np.inf)[:, :, None] + moved)
    return ((upper - lower).prod(axis=1) * weight).sum(axis=1)


def _nodes(c: NDArray) -> tuple[NDArray, NDArray]:
    """Points and weights of a normal integral, cut at ±c, where the integrand may fall like a step."""
    inner, outer = _legendre(_INNER), _legendre(_OUTER)
    half, beyond = c[:, None] / 2, _BEYOND / 2
    right = np.concatenate([half * (inner[0] + 1), 2 * half + beyond * (outer[0] + 1)], axis=1)
    weight = np.concatenate([half * inner[1], np.broadcast_to(beyond * outer[1], (len(c), _OUTER))], axis=1)
    weight = weight * np.exp(-(right**2) / 2) / np.sqrt(2 * np.pi)
    return np.concatenate([-right, right], axis=1), np.concatenate([weight, weight], axis=1)


@cache
def _legendre(points: int) -> tuple[NDArray, NDArray]:
    return np.polynomial.legendre.leggauss(points)


def _chance_of_top(place: NDArray, error: NDArray, top: int) -> NDArray:
    """For each area the chance that fewer than ``top`` others are truly better.

    Averaged over equally likely places of the area itself: where its own is known far less well than the others', the
    chance falls like a step, which such an average meets within half of a point's share.
    """
    from scipy.special import ndtr, ndtri

    if top >= len(place):
        return np.ones(len(place))
    centre, spread = _drawn_in(place, error)
    at = centre[:, None] + spread[:, None] * ndtri((np.arange(_POINTS) + 0.5) / _POINTS)
    found = np.zeros((top, *at.shape))  # the chance that so many of the areas met up to now are better
    found[0] = 1.0
    for other in range(len(place)):
        better = ndtr((centre[other] - at) / spread[other])
        better[other] = 0.0
        for count in range(top - 1, 0, -1):
            found[count] += better * (found[count - 1] - found[count])
        found[0] *= 1 - better
    return np.clip(found.sum(axis=0).mean(axis=1), 0, 1)


def _drawn_in(place: NDArray, error: NDArray) -> tuple[NDArray, NDArray]:
    """Places drawn towards the middle, the less sure the more, with what is left of their error."""
    between = max(float(np.var(place, ddof=1) - np.mean(error**2)), 1e-3 * float(np.mean(error**2)))
    for _ in range(20):
        share = 1 / (between + error**2)
        middle = (place * share).sum() / share.sum()
        excess = (share * ((place - middle) ** 2 * len(place) / (len(place) - 1) - error**2)).sum() / share.sum()
        between = max(float(excess), 1e-3 * float(np.mean(error**2)))
    kept = between / (between + error**2)
    return middle + kept * (place - middle), np.sqrt(kept) * error
