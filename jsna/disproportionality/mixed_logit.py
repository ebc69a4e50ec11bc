"""One binomial model with a normal random effect: its likelihood, its fit, what has no finite fit, its posterior."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite import hermgauss
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit, ndtr, ndtri

NOBODY = "not measured: nobody is identified"
EVERYBODY = "not measured: everybody is identified"
ONE_STRATUM = "not measured: fewer than two strata with pupils can be used"
ALL_OR_NONE = "not measured: in every stratum all pupils are identified or none is"
TOO_WIDE = "not measured: the variance is beyond 25, the largest that is looked for"
SATURATED = "not measured: there are as many main effects as strata, so nothing is left for interaction"

_NODES, _LOG_WEIGHTS = (lambda t, w: (np.sqrt(2) * t, np.log(w) + t**2))(*hermgauss(61))
_LARGEST_SD = 5.0
_NO_GAIN = 1e-6  # in log-likelihood: a variance that gains less is at the boundary


class MixedFit(NamedTuple):
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


def fit_mixed(x: NDArray, n: NDArray, design: NDArray, rows: NDArray, boundary: str) -> tuple[MixedFit | None, str]:
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
    return MixedFit(sd**2, eta, eta_variance, kept, beta, beta_variance), boundary if sd == 0 else ""


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


def _derivatives(x, n, design, beta: NDArray, sd: float) -> tuple[float, NDArray, NDArray]:
    m = _moments(x, n, design @ beta, sd)
    cross = design.T @ m.hessian[:, 1]
    hessian = np.block(
        [[(design.T * m.hessian[:, 0]) @ design, cross[:, None]], [cross[None, :], m.hessian[:, 2].sum()]]
    )
    return float(m.log_likelihood.sum()), np.append(design.T @ m.gradient[:, 0], m.gradient[:, 1].sum()), hessian


def _uphill(curvature: NDArray, gradient: NDArray) -> NDArray:
    """Newton's step; where the likelihood is not concave, with the size of each eigenvalue."""
    try:
        np.linalg.cholesky(curvature)
        return np.linalg.solve(curvature, gradient)
    except np.linalg.LinAlgError:
        sizes, axes = np.linalg.eigh(curvature)
        sizes = np.maximum(np.abs(sizes), 1e-9 * np.abs(sizes).max())
        return axes @ ((axes.T @ gradient) / sizes)


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


def not_separated(x: NDArray, n: NDArray, design: NDArray, held: NDArray) -> NDArray:
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


def _direction(x: NDArray, columns: NDArray, free: NDArray, pure: NDArray) -> NDArray:
    from scipy.optimize import linprog

    rising = np.where(x[pure] > 0, 1.0, -1.0)[:, None] * (columns[pure] @ free)
    found = linprog(-rising.sum(axis=0), A_ub=-rising, b_ub=np.zeros(len(rising)), bounds=(-1, 1), method="highs")
    return free @ found.x if found.status == 0 and -found.fun > 1e-7 else np.zeros(0)


def _kept(design: NDArray, rows: NDArray) -> NDArray:
    """Which columns are not, in these rows, a sum of multiples of those before them (elimination on X'X)."""
    gram = design[rows].T @ design[rows]
    smallest, kept = 1e-8 * np.diag(gram), np.zeros(design.shape[1], dtype=bool)
    for i in range(len(kept)):
        if gram[i, i] > smallest[i]:
            kept[i], gram = True, gram - np.outer(gram[:, i], gram[i]) / gram[i, i]
    return kept


def _null_space(rows: NDArray) -> NDArray:
    """The directions of β that move none of these rows."""
    sizes, axes = np.linalg.eigh(rows.T @ rows)
    return axes[:, sizes <= 1e-9 * max(sizes.max(initial=0), 1.0)]


def posterior(x, n, fit: MixedFit, rows: NDArray, z: float) -> dict[str, NDArray]:
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
