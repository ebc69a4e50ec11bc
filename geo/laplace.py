"""Nested Laplace for areas: the structured effect, the priors, and the posterior on a grid of (sigma, phi).

Model, on the scale of the link: f = mu + b, b = sigma (sqrt(1 - phi) v + sqrt(phi) u), v independent standard normal,
u the scaled intrinsic autoregression. All algebra is in the covariance of f, which stays finite where its inverse does
not (phi near 1, no data), and is dense: the time grows as the cube of the number of areas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.special import expit, ndtr

from geo.neighbours import Neighbours
from jsna.errors import MeasureError, Problem

LOWEST_SIGMA, HIGHEST_SIGMA = 1e-3, 10.0
DROP = 7.0  # natural logs below the highest density at which the grid ends
ZOOM_POINTS, ZOOMS = 9, 6
STEPS, SETTLED = 100, 1e-7


@dataclass(frozen=True, eq=False)
class Structure:
    """The structured effect: ``covariance`` (n × n) of u, and its ``eigenvalues``, from which the prior of phi follows.

    ``spatial`` is false where there is no pair of neighbours at all: phi then means nothing.
    """

    covariance: NDArray
    eigenvalues: NDArray
    spatial: bool


def structure(neighbours: Neighbours) -> Structure:
    """The covariance of the scaled intrinsic autoregression, one connected part at a time.

    In each part of two areas or more: the generalised inverse of (number of neighbours on the diagonal, minus 1 for
    each neighbour), so that effects sum to 0, times the constant that makes the geometric mean of the variances 1. An
    island has no structured effect: its row is that of an independent effect of variance 1, so that its whole effect
    has variance sigma² whatever phi is.

    Source: Riebler and others 2016; Freni-Sterrantino and others 2018 (parts and islands).
    """
    n = len(neighbours)
    covariance, eigenvalues = np.zeros((n, n)), np.ones(n)
    for part in range(int(neighbours.components.max()) + 1 if n else 0):
        rows = np.flatnonzero(neighbours.components == part)
        if len(rows) == 1:
            covariance[rows[0], rows[0]] = 1.0
            continue
        adjacent = neighbours.matrix[rows][:, rows].toarray()
        constant = np.full(adjacent.shape, 1 / len(rows))
        inverse = np.linalg.inv(np.diag(adjacent.sum(axis=1)) - adjacent + constant) - constant
        scaled = inverse / np.exp(np.mean(np.log(np.diag(inverse))))
        covariance[np.ix_(rows, rows)] = (scaled + scaled.T) / 2
        eigenvalues[rows] = np.linalg.eigvalsh(covariance[np.ix_(rows, rows)])
        eigenvalues[rows[0]] = 0.0  # the smallest is exactly 0: the effects sum to 0
    return Structure(covariance, eigenvalues, len(neighbours.islands) < n)


@dataclass(frozen=True)
class Prior:
    """Penalised complexity: P(sigma > ``sigma_upper``) = ``sigma_tail``, P(phi < ``phi_middle``) = ``phi_below``.

    sigma is exponential. phi is exponential in its distance sqrt(2 × Kullback-Leibler divergence) from phi = 0.
    """

    sigma_upper: float = 1.0
    sigma_tail: float = 0.01
    phi_middle: float = 0.5
    phi_below: float = 2 / 3
    intercept_sd: float = 10.0

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in ("sigma_tail", "phi_middle", "phi_below")}
        sizes = {name: getattr(self, name) for name in ("sigma_upper", "intercept_sd")}
        problems = [Problem("Not a prior.", name, v, "between 0 and 1") for name, v in shares.items() if not 0 < v < 1]
        problems += [Problem("Not a prior.", name, v, "above 0") for name, v in sizes.items() if not 0 < v < np.inf]
        if problems:
            raise MeasureError(*problems)

    def log_sigma_mass(self, edges: NDArray) -> NDArray:
        """Log of the prior probability of each cell between ``edges`` of sigma."""
        rate = -np.log(self.sigma_tail) / self.sigma_upper
        return -rate * edges[:-1] + np.log(-np.expm1(-rate * np.diff(edges)))

    def phi_mass(self, edges: NDArray, eigenvalues: NDArray) -> NDArray:
        """The prior probability of each cell between ``edges`` of phi, from 0 to 1: they sum to 1."""
        middle = distance(np.array([self.phi_middle]), eigenvalues)[0]
        beyond = np.exp(np.log1p(-self.phi_below) * distance(edges, eigenvalues) / middle)
        return -np.diff(beyond) / (beyond[0] - beyond[-1])


def distance(phi: NDArray, eigenvalues: NDArray) -> NDArray:
    """How far is a mixture with share ``phi`` from no structure? Root of twice the Kullback-Leibler divergence."""
    excess = phi[:, None] * (eigenvalues - 1)[None, :]
    with np.errstate(divide="ignore"):
        return np.sqrt(np.maximum(np.sum(excess - np.log1p(excess), axis=1), 0))


@dataclass(frozen=True, eq=False)
class Likelihood:
    """What counts ``x`` of ``n`` say of f: their log probability (constant left out) and three derivatives."""

    x: NDArray
    n: NDArray
    log_density: Callable[[NDArray], NDArray]
    mean: Callable[[NDArray], NDArray]
    curvature: Callable[[NDArray], NDArray]
    third: Callable[[NDArray], NDArray]
    start: NDArray


def binomial(x: NDArray, n: NDArray) -> Likelihood:
    """``x`` of ``n`` people, f the logit of the share. An area with n = 0 says nothing."""
    share = x.sum() / n.sum()
    guess = (x + share) / (n + 1)
    return Likelihood(
        x,
        n,
        lambda f: x * f - n * np.logaddexp(0, f),
        lambda f: n * expit(f),
        lambda f: n * expit(f) * expit(-f),
        lambda f: -n * expit(f) * expit(-f) * (1 - 2 * expit(f)),
        np.log(guess / (1 - guess)),
    )


def poisson(x: NDArray, n: NDArray) -> Likelihood:
    """``x`` events where ``n`` are expected, f the log of the ratio. An area with n = 0 says nothing."""

    def mean(f: NDArray) -> NDArray:
        return n * np.exp(np.minimum(f, 50.0))

    ratio = x.sum() / n.sum()
    start = np.log((x + 1) / (n + 1 / ratio))
    return Likelihood(x, n, lambda f: x * f - mean(f), mean, mean, lambda f: -mean(f), start)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The normal approximation at one (sigma, phi): ``log_marginal`` of the counts, ``mode``, and its workings."""

    log_marginal: float
    mode: NDArray
    covariance: NDArray
    factor: NDArray
    root: NDArray

    def moments(self, likelihood: Likelihood) -> tuple[NDArray, NDArray]:
        """Mean and standard deviation of each f. The mean is the mode, mended for skewness to first order."""
        half = solve_triangular(self.factor, self.root[:, None] * self.covariance, lower=True, check_finite=False)
        variance = np.maximum(np.diag(self.covariance) - np.einsum("ij,ij->j", half, half), 0)
        pull = likelihood.third(self.mode) * variance / 2
        shift = self.covariance @ pull - half.T @ (half @ pull)
        return self.mode + shift, np.sqrt(variance)


def approximate(likelihood: Likelihood, covariance: NDArray, start: NDArray) -> Gaussian:
    """The mode of f given the counts, by Newton's method, and the Laplace approximation of their probability.

    Source: Rasmussen and Williams 2006, section 3.4.1 (the form that needs no inverse of the covariance).
    """
    f, alpha, height = start, None, -np.inf
    for _ in range(STEPS):
        root = np.sqrt(likelihood.curvature(f))
        factor = _factor(covariance, root)
        push = root**2 * f + likelihood.x - likelihood.mean(f)
        inner, _ = dpotrs(factor, root * (covariance @ push), lower=True)
        target = push - root * inner
        step, before = 1.0, f
        while True:
            trial = target if alpha is None else alpha + step * (target - alpha)
            f = covariance @ trial
            reached = float(likelihood.log_density(f).sum() - trial @ f / 2)
            if alpha is None or reached >= height - 1e-9 * (1 + abs(height)) or step < 1e-6:
                break
            step /= 2
        alpha, height = trial, reached
        if np.max(np.abs(f - before)) < SETTLED:  # and so the factor, taken one step before, is that of the mode
            return Gaussian(height - float(np.log(np.diag(factor)).sum()), f, covariance, factor, root)
    raise MeasureError(Problem("The smoothing model did not settle.", mend="Use empirical_bayes for these areas."))


def _factor(covariance: NDArray, root: NDArray) -> NDArray:
    inner = root[:, None] * covariance
    inner *= root
    inner.flat[:: len(root) + 1] += 1
    # LAPACK itself: of matrices of a hundred rows, scipy's wrapper would take as long as the work. The matrix is
    # symmetric, so that its transpose is the same one in the order of columns, which LAPACK takes without a copy.
    factor, failed = dpotrf(inner.T, lower=True, clean=True, overwrite_a=True)
    if failed:
        raise MeasureError(Problem("The smoothing model did not settle.", mend="Use empirical_bayes for these areas."))
    return factor


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior on the grid: one entry a cell in ``sigma``, ``phi``, ``weight`` (they sum to 1), and for each cell
    (rows) and area (columns) the ``mean`` and ``sd`` of f. ``sigma_edges`` and ``phi_edges`` bound the cells."""

    sigma: NDArray
    phi: NDArray
    weight: NDArray
    mean: NDArray
    sd: NDArray
    sigma_edges: NDArray
    phi_edges: NDArray


def posterior(likelihood: Likelihood, shape: Structure, prior: Prior, sigmas: int, phis: int) -> Posterior:
    """The posterior of f, sigma and phi on ``sigmas`` × ``phis`` cells, where they matter.

    phi has cells from 0 to 1 (one cell at 0 where no area has a neighbour). The range of sigma is found by
    zooming in until the density has dropped by e^7 on both sides, or to 0.001 and 10.
    """
    n = len(shape.eigenvalues)
    base, independent = np.full((n, n), prior.intercept_sd**2), np.diag(np.ones(n))
    modes = {"last": likelihood.start}

    def at(sigma: float, phi: float) -> Gaussian:
        covariance = base + sigma**2 * ((1 - phi) * independent + phi * shape.covariance)
        found = approximate(likelihood, covariance, modes["last"])
        modes["last"] = found.mode
        return found

    # Cells of phi are narrow at both ends, where its prior is highest.
    angles = np.linspace(0, np.pi, 2 * phis + 1) if shape.spatial else np.zeros(3)
    phi_edges, phi_nodes = np.sin(angles[::2] / 2) ** 2, np.sin(angles[1::2] / 2) ** 2
    log_phi = np.log(prior.phi_mass(phi_edges, shape.eigenvalues)) if shape.spatial else np.zeros(1)
    low, high = _range_of_sigma(at, prior, phi_nodes[:: max(1, len(phi_nodes) // 2)])
    log_edges = np.linspace(low, high, sigmas + 1)
    log_sigma = prior.log_sigma_mass(np.exp(log_edges))
    cells, highest = [], -np.inf
    for j in range(len(phi_nodes)):
        for i in range(sigmas)[:: 1 if j % 2 == 0 else -1]:  # to and fro: the last mode is always a near one
            sigma = float(np.exp((log_edges[i] + log_edges[i + 1]) / 2))
            found = at(sigma, float(phi_nodes[j]))
            log_weight = found.log_marginal + log_sigma[i] + log_phi[j]
            highest = max(highest, log_weight)
            if log_weight > highest - 2 * DROP:
                cells.append((sigma, phi_nodes[j], log_weight, *found.moments(likelihood)))
    sigma, phi, log_weight, mean, sd = (np.array(column) for column in zip(*cells, strict=True))
    weight = np.exp(log_weight - log_weight.max())
    keep = weight > np.exp(-2 * DROP)
    weight = weight[keep] / weight[keep].sum()
    return Posterior(sigma[keep], phi[keep], weight, mean[keep], sd[keep], np.exp(log_edges), phi_edges)


def _range_of_sigma(at: Callable[[float, float], Gaussian], prior: Prior, phis: NDArray) -> tuple[float, float]:
    """Between which log sigma does the posterior matter? A coarse line of points, narrowed again and again."""
    low, high = np.log(LOWEST_SIGMA), np.log(HIGHEST_SIGMA)
    rate = -np.log(prior.sigma_tail) / prior.sigma_upper
    for _ in range(ZOOMS):
        points = np.linspace(low, high, ZOOM_POINTS)
        heights = np.array([max(at(float(np.exp(p)), float(phi)).log_marginal for phi in phis) for p in points])
        heights += points - rate * np.exp(points)
        matters = np.flatnonzero(heights > heights.max() - DROP)
        first, last = max(matters[0] - 1, 0), min(matters[-1] + 1, ZOOM_POINTS - 1)
        low, high = points[first], points[last]
        if len(matters) >= ZOOM_POINTS // 2:
            break
    return float(low), float(high)


def mixture_quantile(mean: NDArray, sd: NDArray, weight: NDArray, probability: float) -> NDArray:
    """The quantile of each column's mixture of normals (rows are the parts), by bisection."""
    low, high = (mean - 10 * sd).min(axis=0), (mean + 10 * sd).max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        above = mixture_below(mean, sd, weight, middle) > probability
        low, high = np.where(above, low, middle), np.where(above, middle, high)
        if np.all(high - low < 1e-10 * (1 + np.abs(middle))):
            break
    return (low + high) / 2


def mixture_below(mean: NDArray, sd: NDArray, weight: NDArray, at: NDArray | float) -> NDArray:
    """The probability that each column's mixture of normals lies below ``at``."""
    return weight @ ndtr((at - mean) / sd)
