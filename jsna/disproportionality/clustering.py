"""Errors clustered by school: the sandwich, its correction for few schools, and when there is none."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jsna.disproportionality.regression import Fit
from jsna.errors import MeasureError, Problem
from jsna.measures.columns import normal_quantile

Errors = Literal["auto", "cr1", "cr2"]
SMALL_SAMPLE = 40  # schools under which errors are corrected for few clusters
_LAID_OUT = 100
FEW_SCHOOLS = 10  # and schools of one group under which its own are


def variances(fitted: Fit, gradient: NDArray, errors: Errors) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Of each contrast: variance clustered by school, variance of independent pupils, degrees of freedom, method."""
    spread = gradient @ fitted.bread
    independent = independent_variances(fitted, gradient)
    if not fitted.patterns.clustered:
        unlimited = np.full(len(gradient), np.inf)
        return independent, independent, unlimited, np.full(len(gradient), "independent", dtype=object)
    influence = fitted.scores @ spread.T
    schools = fitted.clusters
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (influence**2).sum(axis=0) * (schools / (schools - 1) if schools > 1 else np.nan)
    freedom = np.full(len(gradient), np.inf)
    method = np.full(len(gradient), "cr1", dtype=object)
    corrected = _wants_correction(fitted, errors, len(gradient))
    if schools > 1 and corrected.any():
        rows = np.flatnonzero(corrected & np.isfinite(gradient).all(axis=1))
        variance[rows], freedom[rows] = _bias_reduced(fitted, gradient[rows])
        method[rows] = "cr2"
    return variance, independent, freedom, method


def independent_variances(fitted: Fit, gradient: NDArray) -> NDArray:
    """Of each contrast the variance of independent pupils."""
    spread = gradient @ fitted.bread
    return np.einsum("gi,ij,gj->g", spread, fitted.independent_meat, spread)


def in_one_school(fitted: Fit) -> NDArray:
    """Which groups have all their pupils in one school: no error can be clustered by it."""
    return fitted.patterns.clustered & (fitted.clusters_of_groups < 2)


def _wants_correction(fitted: Fit, errors: Errors, contrasts: int) -> NDArray:
    if errors not in ("auto", "cr1", "cr2"):
        raise MeasureError(Problem("No such errors.", value=errors, expected="auto, cr1 or cr2"))
    if errors != "auto":
        return np.full(contrasts, errors == "cr2")
    if fitted.clusters < SMALL_SAMPLE:
        return np.ones(contrasts, bool)
    return fitted.clusters_of_groups < FEW_SCHOOLS


def _bias_reduced(fitted: Fit, gradient: NDArray) -> tuple[NDArray, NDArray]:
    """CR2 variance and Satterthwaite degrees of freedom of each contrast.

    With M the inverse information and H the part of one school in it, the school's score is multiplied by
    M^-½ (I − M^½ H M^½)^-½ M^½, which is the pupil-level correction written in as many dimensions as coefficients.
    """
    held, root, leverage, stretch = fitted.bias_reduction
    arms = stretch @ (root @ gradient.T)
    influence = np.einsum("sig,si->sg", arms, fitted.scores[held] @ root)
    variance = (influence**2).sum(axis=0)
    loaded = leverage @ arms
    diagonal = np.einsum("sig,sig->sg", arms, loaded)
    trace, squares = _moments(diagonal, loaded)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = trace**2 / squares
    return variance, np.maximum(np.nan_to_num(freedom, nan=1.0), 1.0)


def _moments(diagonal: NDArray, loaded: NDArray) -> tuple[NDArray, NDArray]:
    """Of the matrix D − L Lᵀ of each contrast, schools by schools, the trace and the sum of squares.

    D is ``diagonal`` (schools by contrasts), L ``loaded`` (schools by coefficients by contrasts). With many schools the
    matrix is not laid out: ΣG² of G = L Lᵀ is that of Lᵀ L, which is as small as the coefficients are few.
    """
    if len(loaded) <= _LAID_OUT:
        products = -np.einsum("sig,tig->gst", loaded, loaded, optimize=True)
        at = np.arange(len(loaded))
        products[:, at, at] += diagonal.T
        return products.trace(axis1=1, axis2=2), (products**2).sum(axis=(1, 2))
    by_contrast = loaded.transpose(2, 0, 1)
    inner = by_contrast.transpose(0, 2, 1) @ by_contrast
    own = (loaded**2).sum(axis=1)
    return (diagonal - own).sum(axis=0), (inner**2).sum(axis=(1, 2)) + (diagonal * (diagonal - 2 * own)).sum(axis=0)


def t_quantile(freedom: NDArray, confidence: float) -> NDArray:
    """The two-sided quantile of Student's t for each number of degrees of freedom (infinite: the normal one)."""
    from scipy.special import stdtrit

    z = normal_quantile(confidence)
    return np.where(np.isfinite(freedom), stdtrit(np.where(np.isfinite(freedom), freedom, 1), 0.5 + confidence / 2), z)


def two_sided(statistic: NDArray, freedom: NDArray) -> NDArray:
    """The two-sided p-value of Student's t at each statistic (infinite degrees of freedom: the normal one)."""
    from scipy.special import ndtr, stdtr

    tail = np.where(np.isfinite(freedom), stdtr(np.where(np.isfinite(freedom), freedom, 1), -statistic), 0.0)
    return 2 * np.where(np.isfinite(freedom), tail, ndtr(-statistic))
