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
FEW_SCHOOLS = 10  # and schools of one group under which its own are


def variances(fitted: Fit, gradient: NDArray, errors: Errors) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Of each contrast: variance clustered by school, variance of independent pupils, degrees of freedom, method."""
    spread = gradient @ fitted.bread
    independent = np.einsum("gi,ij,gj->g", spread, fitted.independent_meat(), spread)
    if not fitted.patterns.clustered:
        unlimited = np.full(len(gradient), np.inf)
        return independent, independent, unlimited, np.full(len(gradient), "independent", dtype=object)
    influence = fitted.scores @ spread.T
    schools = fitted.clusters
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (influence**2).sum(axis=0) * (schools / (schools - 1) if schools > 1 else np.nan)
    freedom = np.full(len(gradient), np.inf)
    method = np.full(len(gradient), "cr1", dtype=object)
    corrected = _wants_correction(fitted, errors)
    if schools > 1 and corrected.any():
        rows = np.flatnonzero(corrected & np.isfinite(gradient).all(axis=1))
        variance[rows], freedom[rows] = _bias_reduced(fitted, gradient[rows])
        method[rows] = "cr2"
    return variance, independent, freedom, method


def schools_of_groups(fitted: Fit) -> NDArray:
    """In how many schools each group has pupils."""
    p = fitted.patterns
    pairs = p.group[p.pattern] * len(p.clusters) + p.cluster
    held = np.bincount(pairs, fitted.cell_total, len(p.groups) * len(p.clusters))
    return np.count_nonzero(held.reshape(len(p.groups), -1), axis=1)


def in_one_school(fitted: Fit) -> NDArray:
    """Which groups have all their pupils in one school: no error can be clustered by it."""
    return fitted.patterns.clustered & (schools_of_groups(fitted) < 2)


def _wants_correction(fitted: Fit, errors: Errors) -> NDArray:
    if errors not in ("auto", "cr1", "cr2"):
        raise MeasureError(Problem("No such errors.", value=errors, expected="auto, cr1 or cr2"))
    groups = len(fitted.patterns.groups)
    if errors != "auto":
        return np.full(groups, errors == "cr2")
    if fitted.clusters < SMALL_SAMPLE:
        return np.ones(groups, bool)
    return schools_of_groups(fitted) < FEW_SCHOOLS


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
    gram = np.einsum("sig,tig->gst", loaded, loaded, optimize=True)
    products = -gram
    at = np.arange(len(arms))
    products[:, at, at] += diagonal.T
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = products.trace(axis1=1, axis2=2) ** 2 / (products**2).sum(axis=(1, 2))
    return variance, np.maximum(np.nan_to_num(freedom, nan=1.0), 1.0)


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
