"""Areas or groups compared as though they were made up alike: direct and indirect standardisation."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from jsna.errors import MeasureError, Problem
from jsna.measures.columns import (
    FEW_EVENTS,
    MISSING,
    NEGATIVE,
    NO_PUPILS,
    NO_REFERENCE,
    NO_STANDARD,
    NO_VARIATION,
    NONE_EXPECTED,
    aligned,
    count_status,
    normal_quantile,
    then,
    usable_multiplier,
)
from jsna.measures.groups import grouped
from jsna.measures.poisson import poisson_limits

Variance = Literal["poisson", "binomial"]
FEWEST_EVENTS = 10


def directly_standardised_rate(
    count: ArrayLike,
    total: ArrayLike,
    standard: ArrayLike,
    by: ArrayLike | pd.Series,
    confidence: float = 0.95,
    multiplier: float = 1,
    variance: Variance = "poisson",
) -> pd.DataFrame:
    """What would each group's rate be if it were made up as the standard population is? Dobson limits, Byar within.

    One row a stratum (such as age by sex): ``count`` of ``total``, whole numbers, total above 0; ``standard``: pupils
    of the standard population in that stratum, or any weight ≥ 0; ``by``: the group it belongs to. Returns one row a
    group, in the order in which they are first met: ``estimate``, ``lower``, ``upper`` (times ``multiplier``),
    ``observed`` and ``status``. A group with fewer than 10 events, or with a stratum that cannot be used, is missing.
    ``variance="binomial"`` is for shares of pupils, where Poisson's is too wide; limits are cut at 0, and at 1 for
    shares. Not for events that one pupil can have twice. Standardised rates are fictions: only their comparison means
    anything, and only with the same standard.

    Source: Dobson and others 1991; OHID technical guide (fewer than 10 events).

    >>> strata = [30, 20], [100, 200], [1, 3], ["Luton", "Luton"]
    >>> directly_standardised_rate(*strata, multiplier=100).round(2).values.tolist()
    [[15.0, 11.05, 19.87, 50.0, '']]
    """
    if variance not in ("poisson", "binomial"):
        raise MeasureError(Problem("No such variance.", value=variance, expected="poisson or binomial"))
    normal_quantile(confidence)
    x, n, weight, _ = aligned(count, total, standard)
    groups = grouped(by, len(x))
    row = count_status(x, n)
    row = then(row, (~np.isfinite(weight), MISSING), (weight < 0, NEGATIVE))
    x, n, weight = (np.where(row == "", a, b) for a, b in ((x, 0.0), (n, 1.0), (weight, 0.0)))
    fault, standard_total = groups.fault(row), groups.total(weight)
    observed = np.where(fault == "", groups.total(x), np.nan)
    status = then(fault, (standard_total == 0, NO_STANDARD), (observed < FEWEST_EVENTS, FEW_EVENTS))
    share = weight / np.where(status == "", standard_total, np.nan)[groups.codes]
    spread = x if variance == "poisson" else x * ((n - x) / n)
    estimate, error = groups.total(share * x / n), np.sqrt(groups.total((share / n) ** 2 * spread))
    status, scale = then(status, (error == 0, NO_VARIATION)), np.where(error == 0, np.nan, error / np.sqrt(observed))
    limits = (estimate + scale * (limit - observed) for limit in poisson_limits(observed, confidence))
    multiplier = usable_multiplier(multiplier)
    lower, upper = (np.clip(limit, 0, 1 if variance == "binomial" else np.inf) * multiplier for limit in limits)
    frame = {"estimate": estimate * multiplier, "lower": lower, "upper": upper, "observed": observed, "status": status}
    return pd.DataFrame(frame, index=groups.labels)


def indirectly_standardised_ratio(
    count: ArrayLike,
    total: ArrayLike,
    reference_count: ArrayLike,
    reference_total: ArrayLike,
    by: ArrayLike | pd.Series,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """How many times the number expected at the reference's risks is the number observed, in each group?

    One row a stratum, four columns of whole numbers: the group's ``count`` of ``total`` and the reference's; ``by``:
    the group. A stratum of nobody adds nothing. Returns one row a group, in the order in which they are first met:
    ``estimate`` (observed over expected), ``lower``, ``upper``, ``observed``, ``expected`` and ``status``. Limits are
    Poisson's: exact under 10 events, Byar from 10; for shares of pupils they are somewhat wide, and the reference is
    taken as known. Compare each group with the reference only: two groups' ratios rest on different strata.

    Source: Breslow and Day 1987.

    >>> strata = [8, 4], [100, 50], [60, 30], [1000, 1000], ["Luton", "Luton"]
    >>> indirectly_standardised_ratio(*strata).round(2).values.tolist()
    [[1.6, 0.83, 2.8, 12.0, 7.5, '']]
    """
    normal_quantile(confidence)
    x, n, x0, n0, _ = aligned(count, total, reference_count, reference_total)
    groups = grouped(by, len(x))
    row, reference = count_status(x, n), count_status(x0, n0)
    row[row == NO_PUPILS], reference[reference == NO_PUPILS] = "", ""
    row = then(np.where(row == "", reference, row), ((n > 0) & (n0 == 0), NO_REFERENCE))
    adds = (row == "") & (n > 0)
    x, n, x0, n0 = (np.where(adds, a, b) for a, b in ((x, 0.0), (n, 0.0), (x0, 0.0), (n0, 1.0)))
    fault = groups.fault(row)
    observed, expected = (np.where(fault == "", groups.total(a), np.nan) for a in (x, n * x0 / n0))
    status = then(fault, (expected == 0, NONE_EXPECTED))
    divisor, (lower, upper) = np.where(expected == 0, np.nan, expected), poisson_limits(observed, confidence)
    frame = {"estimate": observed / divisor, "lower": lower / divisor, "upper": upper / divisor}
    frame |= {"observed": observed, "expected": expected, "status": status}
    return pd.DataFrame(frame, index=groups.labels)
