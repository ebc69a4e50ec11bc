"""Do groups that several characteristics form together differ more than the characteristics added up? MAIHDA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.polynomial.hermite import hermgauss
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit, ndtr, ndtri

from jsna.disproportionality.rule import make_rule
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures import false_discovery
from jsna.measures.columns import NO_PUPILS, aligned, count_status, normal_quantile

BOUNDARY = "at the boundary: no interaction found"
BOUNDARY_NULL = "at the boundary: no variance between strata found"
NOBODY = "not measured: nobody is identified"
EVERYBODY = "not measured: everybody is identified"
ONE_STRATUM = "not measured: fewer than two strata with pupils can be used"
ALL_OR_NONE = "not measured: in every stratum all pupils are identified or none is"
TOO_WIDE = "not measured: the variance is beyond 25, the largest that is looked for"
SATURATED = "not measured: there are as many main effects as strata, so nothing is left for interaction"
SEPARATED = "left out of the main effects"
ALIASED = "cannot be told apart from other categories"
NOT_JOINED = "no pupils, and its main effects are not measured"

_NODES, _LOG_WEIGHTS = (lambda t, w: (np.sqrt(2) * t, np.log(w) + t**2))(*hermgauss(61))
_LARGEST_SD = 5.0
_NO_GAIN = 1e-6  # in log-likelihood: a variance that gains less is at the boundary
_FEW = 20  # strata over and above main effects


@dataclass(frozen=True, eq=False)
class Intersectional:
    """What the strata's risks are, and what of their differences main effects do not explain.

    ``strata`` has one row a stratum: the ``by`` columns, ``numerator``, ``denominator``, ``risk`` (observed),
    ``predicted`` (posterior mean) with ``predicted_lower`` and ``predicted_upper``, ``additive`` (main effects alone),
    ``interaction`` (log odds) with its limits, ``difference_points`` (100 times predicted less additive), ``tail_area``
    (two-sided, of the interaction beyond 0), ``q_value`` and ``status``. Risks are 0 to 1.

    ``coefficients`` has one row a level: ``column``, ``level``, ``reference``, ``log_odds``, its ``standard_error`` and
    limits, ``odds_ratio`` with limits (of the intercept: the odds) and ``status``. Variances are on the log-odds scale;
    ``vpc_null``, ``vpc_main`` and ``pcv`` are shares (``pcv`` may be negative). Each is missing only where its
    ``status_null``, ``status_main`` or ``status_pcv`` says why. ``variance_null_compared`` is the null variance of the
    strata that the main effects were fitted to: of these is ``pcv``. ``auc`` (of the strata fitted, in sample) is with
    the interaction, ``auc_additive`` without; each is missing where its model is not measured. ``interactions_clear``
    strata have an interval without 0; ``interactions_clear_allowed`` still have a small q-value with the allowance for
    many looks; ``interactions_statement`` says both.
    """

    strata: pd.DataFrame
    coefficients: pd.DataFrame
    variance_null: float
    variance_main: float
    variance_null_compared: float
    vpc_null: float
    vpc_main: float
    pcv: float
    status_null: str
    status_main: str
    status_pcv: str
    auc: float
    auc_additive: float
    interactions_clear: int
    interactions_clear_allowed: int
    interactions_statement: str
    notes: tuple[str, ...]


def intersectional(
    frame: pd.DataFrame, *, count: str, total: str, by: Sequence[str], confidence: float = 0.95
) -> Intersectional:
    """How far do strata formed by several characteristics differ, and is it more than the characteristics added up?

    ``frame`` has one or more rows a stratum, which are added up; ``count`` (identified) and ``total`` (pupils) are
    whole numbers, 0 ≤ count ≤ total; ``by`` names the columns that form strata, without gaps, such as ethnicity, sex
    and IDACI quintile. ``confidence`` is 0.5 to 1. A stratum that has no row is not invented.

    Intersectional MAIHDA: binomial counts, logit p = Xβ + u, u ~ N(0, σ²), by maximum likelihood, once with an
    intercept and once with main effects. Each stratum's integral is by adaptive Gauss–Hermite quadrature of 61 nodes
    at its own mode and curvature; plain quadrature goes wrong where strata are large. VPC = σ²/(σ² + π²/3); PCV is the
    share of the null variance that main effects take up. Intervals of ``predicted`` and ``interaction`` are posterior
    quantiles at the estimated σ, widened for the uncertainty of β; that of σ is not in them.

    Returns an ``Intersectional``. A variance of 0 is said to be at the boundary, and its PCV is then missing, with the
    words in ``status_pcv``. A category in which nobody or everybody is identified has no finite main effect: its strata
    are left out of the main effects, named in ``notes``, and predicted from the null model.

    Raises ``MeasureError`` for a column that is not there, a gap in ``by``, or counts that are missing, negative, not
    whole or above their total, all rows named together.

    When not to use it: to say how large a disparity is (VPC does not), to rank strata, with fewer than about 20 strata
    more than main effects (maximum likelihood then understates the variance), or as proof of cause. Strata are small:
    show them only through the disclosure gate.

    Sources: Merlo 2018 (Soc Sci Med 203: 74–80); Evans, Williams, Onnela and Subramanian 2018 (Soc Sci Med 203: 64–73);
    Pinheiro and Bates 1995 for the quadrature; Kass and Steffey 1989 for the widening.

    >>> rows = pd.DataFrame({"ethnicity": list("aabb"), "sex": list("fmfm"), "x": [10, 20, 30, 120], "n": [200] * 4})
    >>> answer = intersectional(rows, count="x", total="n", by=["ethnicity", "sex"])
    >>> answer.strata["risk"].tolist(), round(answer.vpc_null, 3), answer.interactions_clear
    ([0.05, 0.1, 0.15, 0.6], 0.32, 0)
    """
    by = [by] if isinstance(by, str) else list(by)
    z = normal_quantile(confidence)
    strata = _strata(frame, count, total, by)
    x, n = strata["numerator"].to_numpy(), strata["denominator"].to_numpy()
    held, everyone = n > 0, np.ones((len(strata), 1))
    null, status_null = _fitted(x, n, everyone, held, BOUNDARY_NULL)
    inside = _not_separated(x, n, _design(strata, by, held)[0], held)
    design, levels = _design(strata, by, inside)
    main, status_main = _fitted(x, n, design, inside, BOUNDARY)
    if status_null in (NOBODY, EVERYBODY):
        status_main = status_null
    same = null if (inside == held).all() else _fitted(x, n, everyone, inside, BOUNDARY_NULL)[0]
    pcv, status_pcv = _pcv(same, main, status_main)
    strata = strata.assign(**_answers(x, n, null, main, inside, z))
    strata["status"] = _statuses(held, inside, null, main, status_main)
    clear, allowed, statement = _clear(strata, status_main)
    coefficients = _coefficients(levels, main, z, status_main)
    compared = inside if main else held & (null is not None)
    return Intersectional(
        strata=strata[[*by, *_COLUMNS]],
        coefficients=coefficients,
        variance_null=_variance(null),
        variance_main=_variance(main),
        variance_null_compared=_variance(same),
        vpc_null=_vpc(null),
        vpc_main=_vpc(main),
        pcv=pcv,
        status_null=status_null,
        status_main=status_main,
        status_pcv=status_pcv,
        auc=_auc(strata["predicted"], x, n, compared),
        auc_additive=_auc(strata["additive"], x, n, compared & (main is not None)),
        interactions_clear=clear,
        interactions_clear_allowed=allowed,
        interactions_statement=statement,
        notes=(
            *(f"{m}: {s}." for m, s in (("Null model", status_null), ("Main effects", status_main)) if s),
            *([f"PCV: {status_pcv}."] if status_pcv not in ("", status_null, status_main) else []),
            *_notes_of_levels(levels),
            *_notes_of_strata(held, inside, main, coefficients),
            statement,
            *_ALWAYS,
        ),
    )


_COLUMNS = [
    *("numerator", "denominator", "risk", "predicted", "predicted_lower", "predicted_upper", "additive"),
    *("interaction", "interaction_lower", "interaction_upper", "difference_points", "tail_area", "q_value", "status"),
]


def _strata(frame: pd.DataFrame, count: str, total: str, by: list[str]) -> pd.DataFrame:
    """One sorted row a stratum, once every row is seen to be usable."""
    if not by or len({*by, count, total}) < len(by) + 2:
        raise MeasureError(
            Problem("Strata need at least one column, each named once.", where="by", value=by, expected="column names")
        )
    taken = [c for c in by if c in _COLUMNS]
    if taken:
        raise MeasureError(
            *(Problem("The answer has a column of this name.", value=c, mend="Rename it.") for c in taken)
        )
    missing = [c for c in (count, total, *by) if c not in frame]
    if missing:
        raise MeasureError(
            *(Problem("There is no such column.", value=c, mend=did_you_mean(c, frame.columns)) for c in missing)
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
        problems.append(Problem(f"The counts cannot be used: {why}.", where=where, expected=expected))
    return problems


def _design(strata: pd.DataFrame, by: list[str], rows: NDArray) -> tuple[NDArray, pd.DataFrame]:
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


def _kept(design: NDArray, rows: NDArray) -> NDArray:
    """Which columns are not, in these rows, a sum of multiples of those before them (elimination on X'X)."""
    gram = design[rows].T @ design[rows]
    smallest, kept = 1e-8 * np.diag(gram), np.zeros(design.shape[1], dtype=bool)
    for i in range(len(kept)):
        if gram[i, i] > smallest[i]:
            kept[i], gram = True, gram - np.outer(gram[:, i], gram[i]) / gram[i, i]
    return kept


def _not_separated(x: NDArray, n: NDArray, design: NDArray, held: NDArray) -> NDArray:
    """The strata whose main effects are finite (Konis 2007).

    A direction in which all-identified strata only rise, none-identified ones only fall and mixed ones stay would be
    followed without end. There is none where the mixed strata alone determine every effect; otherwise a small linear
    programme looks for one, the strata that it moves are left out, and it looks again.
    """
    inside = held.copy()
    while inside.any():
        columns = design[:, _kept(design, inside)]
        mixed, pure = inside & (x > 0) & (x < n), inside & ((x == 0) | (x == n))
        free = _null_space(columns[mixed])
        moved = np.zeros(0) if not free.shape[1] or not pure.any() else _direction(x, columns, free, pure)
        if not len(moved):
            return inside
        inside &= np.abs(columns @ moved) < 1e-7
    return inside


def _null_space(rows: NDArray) -> NDArray:
    """The directions of β that move none of these rows."""
    sizes, axes = np.linalg.eigh(rows.T @ rows)
    return axes[:, sizes <= 1e-9 * max(sizes.max(initial=0), 1.0)]


def _direction(x: NDArray, columns: NDArray, free: NDArray, pure: NDArray) -> NDArray:
    from scipy.optimize import linprog

    rising = np.where(x[pure] > 0, 1.0, -1.0)[:, None] * (columns[pure] @ free)
    found = linprog(-rising.sum(axis=0), A_ub=-rising, b_ub=np.zeros(len(rising)), bounds=(-1, 1), method="highs")
    return free @ found.x if found.status == 0 and -found.fun > 1e-7 else np.zeros(0)


class _Fit(NamedTuple):
    """``eta`` and its variance for all strata: missing where main effects do not say it."""

    variance: float
    eta: NDArray
    eta_variance: NDArray
    kept: NDArray
    beta: NDArray
    beta_variance: NDArray


class _Moments(NamedTuple):
    """Of each stratum's integral: its log, and of z (u = σz) and the score g = x − np the posterior moments."""

    log_likelihood: NDArray
    z: NDArray
    z_variance: NDArray
    z_and_g: NDArray
    gradient: NDArray
    hessian: NDArray
    risk: NDArray


def _moments(x: NDArray, n: NDArray, eta: NDArray, sd: float) -> _Moments:
    """Adaptive Gauss–Hermite quadrature of all strata at once; gradient and Hessian in η and σ by Louis 1982."""
    mode, scale = _modes(x, n, eta, sd)
    z = mode[:, None] + scale[:, None] * _NODES
    at = eta[:, None] + sd * z
    x, n = x[:, None], n[:, None]
    log_terms = _LOG_WEIGHTS + x * log_expit(at) + (n - x) * log_expit(-at) - z**2 / 2
    top = log_terms.max(axis=1, keepdims=True)
    terms = np.exp(log_terms - top)
    sums = terms.sum(axis=1, keepdims=True)
    share = terms / sums
    risk = expit(at)
    g, spread = x - n * risk, n * risk * (1 - risk)

    def mean(values: NDArray) -> NDArray:
        return (share * values).sum(axis=1)

    first, second = mean(g), mean(z * g)
    dg, dzg, z_mean = g - first[:, None], z * g - second[:, None], mean(z)
    dz = z - z_mean[:, None]
    hessian = np.stack([mean(dg**2 - spread), mean(dg * dzg - spread * z), mean(dzg**2 - spread * z**2)], axis=1)
    value = (top + np.log(sums))[:, 0] + np.log(scale) - np.log(np.pi) / 2
    gradient = np.stack([first, second], axis=1)
    return _Moments(value, z_mean, mean(dz**2), mean(dz * dg), gradient, hessian, mean(risk))


def _modes(x: NDArray, n: NDArray, eta: NDArray, sd: float) -> tuple[NDArray, NDArray]:
    """Where each stratum's integrand is largest, and its width there: Newton, or halving where Newton fails."""
    pull = sd * (x - n * expit(eta))
    low, high = np.minimum(pull, 0), np.maximum(pull, 0)
    z, last = np.zeros_like(eta), high - low
    for _ in range(200):
        risk = expit(eta + sd * z)
        slope, bend = sd * (x - n * risk) - z, 1 + sd**2 * n * risk * (1 - risk)
        low, high = np.where(slope >= 0, z, low), np.where(slope <= 0, z, high)
        move = slope / bend
        near = np.abs(move) * np.sqrt(bend) < 1e-6
        newton = near | ((low < z + move) & (z + move < high) & (np.abs(move) <= last / 2))
        last = np.where(newton, np.abs(move), (high - low) / 2)
        z = np.where(newton, z + move, (low + high) / 2)
        if near.all():
            break
    risk = expit(eta + sd * z)
    return z, 1 / np.sqrt(1 + sd**2 * n * risk * (1 - risk))


def _fitted(x: NDArray, n: NDArray, design: NDArray, rows: NDArray, boundary: str) -> tuple[_Fit | None, str]:
    """The maximum-likelihood fit to ``rows``, or nothing, and in words why it is not there or at its boundary."""
    xs, ns = x[rows], n[rows]
    kept = _kept(design, rows)
    used = design[:, kept]
    problem = _not_measurable(xs, ns, used[rows])
    if problem:
        return None, problem
    beta, sd = _maximum(xs, ns, used[rows])
    information = -_derivatives(xs, ns, used[rows], beta, sd)[2][:-1, :-1]
    if sd >= _LARGEST_SD or np.linalg.eigvalsh(information).min() <= 0:
        return None, TOO_WIDE
    beta_variance = np.linalg.inv(information)
    outside = ~rows & (np.abs(design @ _null_space(design[rows])) > 1e-7).any(axis=1)
    eta, eta_variance = used @ beta, np.einsum("ij,jk,ik->i", used, beta_variance, used)
    eta[outside], eta_variance[outside] = np.nan, np.nan
    return _Fit(sd**2, eta, eta_variance, kept, beta, beta_variance), boundary if sd == 0 else ""


def _not_measurable(x: NDArray, n: NDArray, design: NDArray) -> str:
    if len(x) and x.sum() == 0:
        return NOBODY
    if len(x) and (x == n).all():
        return EVERYBODY
    if len(x) < 2:
        return ONE_STRATUM
    if len(x) <= design.shape[1]:
        return SATURATED
    return ALL_OR_NONE if ((x == 0) | (x == n)).all() else ""


def _maximum(x: NDArray, n: NDArray, design: NDArray) -> tuple[NDArray, float]:
    """The likeliest β and σ: climbed from two starts, and compared with σ = 0."""
    start = np.linalg.solve(design.T @ design, design.T @ logit((x + 0.5) / (n + 1)))
    flat, _, none = _climb(x, n, design, start, 0.0)
    risk = expit(design @ flat)
    spread = n * risk * (1 - risk)
    moment = max(((x - n * risk) ** 2 - spread).sum() / max((spread**2).sum(), 1e-300), 0.0)
    climbs = [_climb(x, n, design, flat, sd) for sd in (min(max(np.sqrt(moment), 0.05), 3.0), 1.0)]
    beta, sd, value = max(climbs, key=lambda climb: climb[2])
    return (beta, abs(sd)) if value > none + _NO_GAIN else (flat, 0.0)


def _derivatives(x, n, design, beta: NDArray, sd: float) -> tuple[float, NDArray, NDArray]:
    m = _moments(x, n, design @ beta, sd)
    cross = design.T @ m.hessian[:, 1]
    hessian = np.block(
        [[(design.T * m.hessian[:, 0]) @ design, cross[:, None]], [cross[None, :], m.hessian[:, 2].sum()]]
    )
    return float(m.log_likelihood.sum()), np.append(design.T @ m.gradient[:, 0], m.gradient[:, 1].sum()), hessian


def _climb(x, n, design: NDArray, beta: NDArray, sd: float) -> tuple[NDArray, float, float]:
    """Newton's method with halved steps, uphill where the likelihood is not concave; a σ of 0 stays 0."""
    free = slice(None) if sd > 0 else slice(0, -1)
    at = np.append(beta, sd)
    value, gradient, hessian = _derivatives(x, n, design, at[:-1], at[-1])
    for _ in range(100):
        step = np.zeros_like(at)
        step[free] = _uphill(-hessian[free, free], gradient[free])
        gain = gradient @ step
        step /= max(1.0, np.abs(design @ step[:-1]).max() / 4, abs(step[-1]))
        for _ in range(30):
            new = at + step
            new[-1] = min(abs(new[-1]), _LARGEST_SD)
            found = _derivatives(x, n, design, new[:-1], new[-1])
            if found[0] > value or gain < 1e-8:
                break
            step /= 2
        else:
            break
        at, (value, gradient, hessian) = new, found
        if gain < 1e-8 or (at[-1] == _LARGEST_SD and gradient[-1] > 0):
            break
    return at[:-1], float(at[-1]), value


def _uphill(curvature: NDArray, gradient: NDArray) -> NDArray:
    """Newton's step; where the likelihood is not concave, with the size of each eigenvalue."""
    try:
        np.linalg.cholesky(curvature)
        return np.linalg.solve(curvature, gradient)
    except np.linalg.LinAlgError:
        sizes, axes = np.linalg.eigh(curvature)
        sizes = np.maximum(np.abs(sizes), 1e-9 * np.abs(sizes).max())
        return axes @ ((axes.T @ gradient) / sizes)


def _answers(x, n, null: _Fit | None, main: _Fit | None, inside: NDArray, z: float) -> dict[str, NDArray]:
    """The columns of every stratum: main effects where they hold, the null model where a stratum was left out."""
    numbers = {c: np.full(len(x), np.nan) for c in _COLUMNS[3:-1]}
    if null:
        rows = (n > 0) & (~inside if main else True)
        for c, values in _posterior(x[rows], n[rows], null, rows, z).items():
            if c.startswith("predicted"):
                numbers[c][rows] = values
    if not main:
        return numbers
    numbers["additive"] = expit(main.eta)
    for c, values in _posterior(x[inside], n[inside], main, inside, z).items():
        numbers[c][inside] = values
    empty = (n == 0) & np.isfinite(main.eta)
    half = z * np.sqrt(main.variance + main.eta_variance[empty])
    numbers["predicted"][empty] = expit(main.eta[empty])
    numbers["predicted_lower"][empty] = expit(main.eta[empty] - half)
    numbers["predicted_upper"][empty] = expit(main.eta[empty] + half)
    numbers["difference_points"] = 100 * (numbers["predicted"] - numbers["additive"])
    numbers["q_value"] = false_discovery(numbers["tail_area"]).to_numpy()
    return numbers


def _posterior(x, n, fit: _Fit, rows: NDArray, z: float) -> dict[str, NDArray]:
    """Means and quantiles of u, at the estimated σ, widened around the mean for the uncertainty of η."""
    eta, uncertain, sd = fit.eta[rows], fit.eta_variance[rows], np.sqrt(fit.variance)
    if sd == 0:
        half = z * np.sqrt(uncertain)
        limits = {"predicted_lower": expit(eta - half), "predicted_upper": expit(eta + half)}
        return {"predicted": expit(eta), **limits, "interaction": np.zeros_like(eta)}
    m = _moments(x, n, eta, sd)
    quantiles = _Quantiles(x, n, eta, sd, m)
    own = sd**2 * m.z_variance
    moves = sd * m.z_and_g  # how far the mean of u moves for one step of η
    wider = np.sqrt(1 + moves**2 * uncertain / own)
    wider_risk = np.sqrt(1 + (1 + moves) ** 2 * uncertain / own)
    u, low, high = sd * m.z, sd * quantiles.at(-z), sd * quantiles.at(z)
    return {
        "predicted": m.risk,
        "predicted_lower": expit(eta + u + wider_risk * (low - u)),
        "predicted_upper": expit(eta + u + wider_risk * (high - u)),
        "interaction": u,
        "interaction_lower": u + wider * (low - u),
        "interaction_upper": u + wider * (high - u),
        "tail_area": 2 * ndtr(-np.abs(quantiles.score(m.z - m.z / wider))),
    }


class _Quantiles:
    """The posterior distribution of z on a fine grid, as normal scores: nearly straight lines, so they interpolate."""

    def __init__(self, x: NDArray, n: NDArray, eta: NDArray, sd: float, m: _Moments) -> None:
        self._start, self._step = m.z - 10 * np.sqrt(m.z_variance), np.sqrt(m.z_variance) / 20
        grid = self._start[:, None] + self._step[:, None] * np.arange(401)
        at = eta[:, None] + sd * grid
        height = x[:, None] * log_expit(at) + (n - x)[:, None] * log_expit(-at) - grid**2 / 2
        height = np.exp(height - height.max(axis=1, keepdims=True))
        slices = (height[:, 1:] + height[:, :-1]) / 2
        total = slices.sum(axis=1, keepdims=True)
        below, above = np.cumsum(slices, axis=1) / total, np.cumsum(slices[:, ::-1], axis=1)[:, ::-1] / total
        below, above = np.clip(below[:, :-1], 1e-300, 1), np.clip(above[:, 1:], 1e-300, 1)
        self._scores = np.where(below < 0.5, ndtri(below), -ndtri(above))

    def at(self, score: float) -> NDArray:
        """The quantiles at a normal score."""
        return self._start + self._step * (1 + self._place((self._scores < score).sum(axis=1), score))

    def _place(self, right: NDArray, score: float) -> NDArray:
        right = np.clip(right, 1, self._scores.shape[1] - 1)
        rows = np.arange(len(right))
        a, b = self._scores[rows, right - 1], self._scores[rows, right]
        return right - 1 + (score - a) / (b - a)

    def score(self, z: NDArray) -> NDArray:
        """The normal scores of values of z."""
        place = np.clip((z - self._start) / self._step - 1, 0, self._scores.shape[1] - 1.000001)
        left, rows = place.astype(int), np.arange(len(z))
        a, b = self._scores[rows, left], self._scores[rows, left + 1]
        return a + (place - left) * (b - a)


def _variance(fit: _Fit | None) -> float:
    return float(fit.variance) if fit else np.nan


def _vpc(fit: _Fit | None) -> float:
    return float(fit.variance / (fit.variance + np.pi**2 / 3)) if fit else np.nan


def _pcv(null: _Fit | None, main: _Fit | None, status_main: str) -> tuple[float, str]:
    if null is None or main is None:
        return np.nan, status_main or "not measured: the null variance of the same strata is not measured"
    if null.variance == 0:
        return np.nan, BOUNDARY_NULL
    return (np.nan, BOUNDARY) if main.variance == 0 else (1 - main.variance / null.variance, "")


def _statuses(held: NDArray, inside: NDArray, null: _Fit | None, main: _Fit | None, status_main: str) -> NDArray:
    """For each stratum in words what is not measured, or an empty text."""
    instead = "; predicted from the null model" if null else ""
    if main is None:
        return np.where(held, status_main + instead, NO_PUPILS)
    empty = np.where(np.isfinite(main.eta), NO_PUPILS, NOT_JOINED)
    return np.where(inside, status_main, np.where(held, SEPARATED + instead, empty))


def _coefficients(levels: pd.DataFrame, main: _Fit | None, z: float, status_main: str) -> pd.DataFrame:
    """One row a level, references included, after the intercept."""
    intercept = pd.DataFrame({"column": ["intercept"], "level": "", "reference": "", "is_reference": False})
    rows = pd.concat([intercept, levels], ignore_index=True)
    is_reference = rows["is_reference"].to_numpy(dtype=bool)
    log_odds, error = np.full((2, len(rows)), np.nan)
    estimated = np.zeros(len(rows), dtype=bool)
    if main:
        estimated[np.flatnonzero(~is_reference)[main.kept]] = True
        log_odds[estimated], error[estimated] = main.beta, np.sqrt(np.diag(main.beta_variance))
        log_odds[is_reference] = 0.0
    status = np.select(
        [rows["pupils"] == 0, main is None, rows["fitted"] == 0, is_reference, estimated],
        [NO_PUPILS, status_main, SEPARATED, "reference level", ""],
        default=ALIASED,
    )
    lower, upper = log_odds - z * error, log_odds + z * error
    numbers = {"log_odds": log_odds, "standard_error": error, "lower": lower, "upper": upper}
    odds = {"odds_ratio": np.exp(log_odds), "odds_ratio_lower": np.exp(lower), "odds_ratio_upper": np.exp(upper)}
    return rows[["column", "level", "reference"]].assign(**numbers, **odds, status=status)


def _clear(strata: pd.DataFrame, status_main: str) -> tuple[int, int, str]:
    """How many interactions stand out, without and with the allowance for many looks, and a sentence."""
    level, looks = make_rule().false_discovery_rate, int(strata["q_value"].notna().sum())
    if not looks:
        return 0, 0, f"No stratum's interaction is measured: {status_main}."
    clear = int(((strata["interaction_lower"] > 0) | (strata["interaction_upper"] < 0)).sum())
    allowed = int((strata["q_value"] <= level).sum())
    sentence = (
        f"Of {looks} strata, {clear} {'has' if clear == 1 else 'have'} an interaction whose interval excludes 0; with "
        f"the Benjamini–Hochberg allowance for {looks} looks (q-values of posterior tail areas up to {level:g}): "
        f"{allowed}."
    )
    return clear, allowed, sentence


def _auc(predicted: pd.Series, x: NDArray, n: NDArray, rows: NDArray) -> float:
    """How often an identified pupil's stratum has the higher prediction than another pupil's; ties count half."""
    identified, others = x[rows].sum(), (n - x)[rows].sum()
    if not identified or not others:
        return np.nan
    _, place = np.unique(predicted[rows].round(12), return_inverse=True)
    higher, lower = np.bincount(place, x[rows]), np.bincount(place, (n - x)[rows])
    return float((higher * (np.cumsum(lower) - lower / 2)).sum() / (identified * others))


_ALWAYS = (
    "The variance partition coefficient (VPC) is the share of the variation on the log-odds scale that lies between "
    "strata. It does not measure the size of a disparity, and a small VPC does not rule out large gaps.",
    "Predictions are drawn towards the main effects, the more so the fewer pupils a stratum holds: a stratum of few "
    "pupils can hardly stand out.",
    "Intervals take the variance as known; the fit understates it where strata are few beside main effects, and "
    "intervals are then too narrow.",
    "Interaction is a departure from adding up on the log-odds scale; on the scale of percentage points it can differ.",
)


def _notes_of_levels(levels: pd.DataFrame) -> list[str]:
    """Categories of nobody, and categories in which nobody or everybody is identified, by name."""
    notes = []
    for row in levels.itertuples():
        if row.pupils == 0:
            notes.append(f"{row.column} {row.level}: no pupils, so no main effect.")
        elif row.identified in (0, row.pupils):
            who = "nobody" if row.identified == 0 else "everybody"
            notes.append(
                f"{row.column} {row.level}: {who} is identified, so it has no finite main effect and is left out."
            )
    return notes


def _notes_of_strata(held: NDArray, inside: NDArray, main: _Fit | None, coefficients: pd.DataFrame) -> list[str]:
    notes, left_out = [], int((held & ~inside).sum())
    if left_out:
        notes.append(
            f"{left_out} of {held.sum()} strata with pupils are left out of the main effects: along a category, or a "
            "combination of categories, all of their pupils are identified or none. PCV and AUC are of the others."
        )
    if not held.all():
        notes.append(f"Strata without pupils: {(~held).sum()}. They have no interaction of their own.")
    if main and main.variance == 0:
        notes.append("No interaction found does not mean that there is none: small strata hide all but large ones.")
    if main:
        spare = int(inside.sum()) - len(main.beta)
        if spare < _FEW:
            notes.append(
                f"There are only {spare} more strata than main effects: the interaction variance is uncertain."
            )
        if (coefficients["status"] == ALIASED).any():
            notes.append("Some categories cannot be told apart from others; the coefficients' status names them.")
    return notes
