"""Partial pooling: what a group's ratio most likely is, given how the ratios of all groups spread around 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import MISSING, NEGATIVE, aligned, normal_quantile

SPREADS = (0.03, 0.1, 0.2, 0.4, 0.8)
PSEUDO_COUNTS = (2.0, 1.5, 1.5, 1.5, 0.75)
DRAWS, SEED = 2_000, 20260113
_WIDE, _WIDE_POINTS, _DENSER = 4.0, 801, 4.0  # grid of log ratios that serves every group, denser towards 0
_REACH, _LOCAL_POINTS = 8.0, 161  # and a fine one around each group's own
_NARROWEST, _WIDEST = 0.01, 2.0  # spreads that the grid can tell
_LEAST_WEIGHT = 1e-12  # a weight drawn as exactly 0 would leave what only it explains unexplained
NO_FIGURES = "no expected number"


@dataclass(frozen=True)
class Prior:
    """How log ratios spread over groups: a mixture of normals at 0 with ``spreads`` as standard deviations.

    Spreads lie between 0.01 and 2. ``concentration`` holds the parameters of the Dirichlet distribution of the weights:
    the more in all, the surer the weights. ``learned_from`` is the number of ratios that they were learned from (0: the
    default alone).
    """

    spreads: tuple[float, ...] = SPREADS
    concentration: tuple[float, ...] = PSEUDO_COUNTS
    learned_from: int = 0

    def __post_init__(self) -> None:
        good = len(self.spreads) == len(self.concentration) > 0
        within = all(_NARROWEST <= v <= _WIDEST for v in self.spreads)
        if not good or not within or not all(0 < v < np.inf for v in self.concentration):
            raise MeasureError(
                Problem(
                    "Not a prior.",
                    value=f"spreads {self.spreads}, concentration {self.concentration}",
                    expected=f"as many spreads ({_NARROWEST} to {_WIDEST}) as concentrations (above 0)",
                )
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """The mean weight of each spread."""
        return tuple(np.array(self.concentration) / sum(self.concentration))


@dataclass(frozen=True)
class Pooled:
    """``table`` is aligned with the input; ``weights`` are the prior's weights after the data were seen."""

    table: pd.DataFrame
    prior: Prior
    weights: tuple[float, ...]


def pooled(
    count: ArrayLike,
    expected: ArrayLike,
    design_effect: ArrayLike = 1.0,
    *,
    prior: Prior | None = None,
    confidence: float = 0.95,
) -> Pooled:
    """What is each group's ratio, once luck is allowed for by looking at all groups together?

    ``count``: identified, 0 or more; ``expected``: identified at the comparator's risk, above 0; ``design_effect``: by
    how much the variance exceeds that of a Poisson count, above 0 (one number or a column). The likelihood of a log
    ratio is that of count/design_effect events against expected/design_effect. The prior's weights are estimated from
    the rows, and their uncertainty is integrated over: ``DRAWS`` weights drawn with a fixed seed from the prior's
    Dirichlet distribution, each weighted by how well it explains the rows. ``prior``: one learned from many areas
    (``learn_prior``).

    Returns ``estimate`` (exp of the posterior mean log ratio, between 1 and the plain
    ratio), ``lower``, ``upper`` (equal tails),
    ``probability_above`` 1, ``false_sign_rate`` (the chance that the ratio lies on the other, less likely side of 1)
    and ``status``. A row without an expected number has no answer and tells why; a count of 0 has one.

    Raises ``MeasureError`` for columns of different length. When not to use: a single group (the prior then rules).

    Source: Stephens 2017 (adaptive shrinkage); Newton and others 2004 (false discovery).

    >>> pooled([20, 100], [10, 100]).table["estimate"].round(1).tolist()
    [1.5, 1.0]
    """
    normal_quantile(confidence)
    x, e, d, index = _columns(count, expected, design_effect)
    status = _status(x, e, d)
    prior = prior or Prior()
    good = status == ""
    columns = ("estimate", "lower", "upper", "probability_above", "false_sign_rate")
    values = {c: np.full(len(x), np.nan) for c in columns}
    weights = np.array(prior.weights)
    if good.any():
        theta, width, joint = _joint(x[good] / d[good], e[good] / d[good], prior.spreads)
        evidence = np.einsum("gtk,gt->gk", joint, width)
        draws, log_evidence = _weight_draws(evidence, prior)
        trust = np.exp(log_evidence - log_evidence.max())
        trust /= trust.sum()
        share = draws * evidence[:, None, :]
        share = np.einsum("m,gmk->gk", trust, share / share.sum(axis=2, keepdims=True))
        weights = trust @ draws
        scaled = np.divide(share, evidence, out=np.zeros_like(share), where=evidence > 0)
        posterior = np.einsum("gtk,gk->gt", joint, scaled)
        with np.errstate(divide="ignore"):
            raw = np.log(x[good]) - np.log(e[good])
        for name, column in _summary(theta, posterior, raw, confidence).items():
            values[name][good] = column
    return Pooled(pd.DataFrame({**values, "status": status}, index=index), prior, tuple(weights))


def learn_prior(
    count: ArrayLike,
    expected: ArrayLike,
    design_effect: ArrayLike = 1.0,
    *,
    spreads: Sequence[float] = SPREADS,
    pseudo_counts: Sequence[float] = PSEUDO_COUNTS,
    worth: float | None = None,
    iterations: int = 500,
) -> Prior:
    """The prior that the ratios of many areas teach: one row a group and area, as in ``pooled``.

    Weights by expectation and maximisation with ``pseudo_counts``. ``worth`` is how many ratios the lesson counts for
    when it is used elsewhere (default: all rows that taught it); rows that cannot be used are left out and not counted.
    """
    x, e, d, _ = _columns(count, expected, design_effect)
    Prior(tuple(spreads), tuple(pseudo_counts))
    good = _status(x, e, d) == ""
    evidence = []
    for part in np.array_split(np.flatnonzero(good), max(1, good.sum() // 500)):
        _, width, joint = _joint(x[part] / d[part], e[part] / d[part], spreads)
        evidence.append(np.einsum("gtk,gt->gk", joint, width))
    table, pseudo = np.concatenate(evidence), np.array(pseudo_counts, float)
    weights = pseudo / pseudo.sum()
    for _ in range(iterations):
        share = table * weights
        new = (pseudo + (share / share.sum(axis=1, keepdims=True)).sum(axis=0)) / (pseudo.sum() + len(table))
        settled = np.abs(new - weights).max() < 1e-9
        weights = new
        if settled:
            break
    size = len(table) if worth is None else worth
    return Prior(tuple(spreads), tuple(weights * (pseudo.sum() + size)), int(good.sum()))


def q_values(false_sign_rate: ArrayLike) -> NDArray:
    """The mean false sign rate of each row and all surer ones: the share of wrong signs among what is found down to it.

    Rows with a q-value of at most 0.05 are the largest set whose mean is at most 0.05 (Newton and others 2004). Missing
    rates stay missing and are not counted.

    >>> q_values([0.01, 0.30, 0.07, None]).round(4).tolist()
    [0.01, 0.1267, 0.04, nan]
    """
    values, _ = aligned(false_sign_rate)
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    ordered = values[order]
    means = np.cumsum(ordered) / np.arange(1, len(values) + 1)
    # Rows that are equally sure are found together or not at all: each takes the mean that the last of them has.
    last = np.searchsorted(ordered, ordered, side="right") - 1
    q = np.full(len(values), np.nan)
    q[order] = np.where(np.isnan(ordered), np.nan, means[last])
    return q


def _columns(count: ArrayLike, expected: ArrayLike, design_effect: ArrayLike) -> tuple:
    if np.ndim(design_effect) or not isinstance(design_effect, Real):
        return aligned(count, expected, design_effect)
    x, e, index = aligned(count, expected)
    return x, e, np.full(len(x), float(design_effect)), index  # type: ignore[arg-type]


def _status(x: NDArray, e: NDArray, d: NDArray) -> NDArray:
    return np.select(
        [np.isnan(x) | np.isnan(d), x < 0, ~np.isfinite(x), ~(d > 0) | ~np.isfinite(d), ~(e > 0) | ~np.isfinite(e)],
        [MISSING, NEGATIVE, "count not finite", "design effect not above 0 and finite", NO_FIGURES],
        default="",
    ).astype(object)


def _joint(x: NDArray, e: NDArray, spreads: Sequence[float]) -> tuple[NDArray, NDArray, NDArray]:
    """Grid of log ratios of each row, the width of each point, and there the likelihood times each normal of the prior.

    Of a row the largest is 1: a prior that explains a row badly explains it badly everywhere, and none of it is lost.
    """
    with np.errstate(divide="ignore"):
        middle = np.clip(np.log(x) - np.log(e), -_WIDE, _WIDE)
    error = 1 / np.sqrt(np.maximum(x, 0.5))
    local = middle[:, None] + np.linspace(-_REACH, _REACH, _LOCAL_POINTS) * error[:, None]
    spaced = np.sinh(_DENSER * np.linspace(-1, 1, _WIDE_POINTS)) / np.sinh(_DENSER)
    wide = np.broadcast_to(_WIDE * spaced, (len(x), _WIDE_POINTS))
    theta = np.sort(np.clip(np.concatenate([wide, local], axis=1), -_WIDE, _WIDE), axis=1)
    width = np.empty_like(theta)
    width[:, 1:-1] = (theta[:, 2:] - theta[:, :-2]) / 2
    width[:, 0], width[:, -1] = (theta[:, 1] - theta[:, 0]) / 2, (theta[:, -1] - theta[:, -2]) / 2
    likelihood = x[:, None] * theta - e[:, None] * np.exp(theta)
    s = np.array(spreads)
    log = likelihood[:, :, None] - 0.5 * (theta[:, :, None] / s) ** 2 - np.log(s)
    return theta, width, np.exp(log - log.max(axis=(1, 2), keepdims=True))


@cache
def _dirichlet(concentration: tuple[float, ...]) -> NDArray:
    return np.random.default_rng(SEED).dirichlet(concentration, DRAWS)


def _weight_draws(evidence: NDArray, prior: Prior) -> tuple[NDArray, NDArray]:
    draws = np.maximum(_dirichlet(prior.concentration), _LEAST_WEIGHT)
    return draws, np.log(evidence @ draws.T).sum(axis=0)


def _summary(theta: NDArray, density: NDArray, raw: NDArray, confidence: float) -> dict[str, NDArray]:
    pieces = (density[:, 1:] + density[:, :-1]) / 2 * np.diff(theta, axis=1)
    whole = pieces.sum(axis=1, keepdims=True)
    weighted = theta * density
    mean = ((weighted[:, 1:] + weighted[:, :-1]) / 2 * np.diff(theta, axis=1)).sum(axis=1) / whole[:, 0]
    # The likelihood of a small count leans to one side, and its mean with it: that is no evidence for the other side,
    # nor for more than was seen.
    mean = np.clip(mean, np.minimum(raw, 0.0), np.maximum(raw, 0.0))
    running = np.concatenate([np.zeros((len(theta), 1)), np.cumsum(pieces, axis=1) / whole], axis=1)
    below = np.clip(_between(theta, running, 0.0), 0.0, 1.0)
    lower, upper = (_between(running, theta, 0.5 + sign * confidence / 2) for sign in (-1, 1))
    return {
        "estimate": np.exp(np.clip(mean, lower, upper)),
        "lower": np.exp(lower),
        "upper": np.exp(upper),
        "probability_above": 1 - below,
        "false_sign_rate": np.minimum(below, 1 - below),
    }


def _between(known: NDArray, wanted: NDArray, value: float) -> NDArray:
    """Of each row, ``wanted`` where ``known`` (which does not fall) reaches ``value``, on a straight line."""
    after = np.clip((known < value).sum(axis=1), 1, known.shape[1] - 1)
    row = np.arange(len(known))
    low, high = known[row, after - 1], known[row, after]
    step = np.where(high > low, (value - low) / np.where(high > low, high - low, 1), 1.0)
    return wanted[row, after - 1] + np.clip(step, 0, 1) * (wanted[row, after] - wanted[row, after - 1])
