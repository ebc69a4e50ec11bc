"""Do groups that several characteristics form together differ more than the characteristics added up? MAIHDA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from jsna.disproportionality.intersectional_strata import COLUMNS, main_effects, summed_strata
from jsna.disproportionality.mixed_logit import (
    ALL_OR_NONE,
    EVERYBODY,
    NOBODY,
    ONE_STRATUM,
    SATURATED,
    TOO_WIDE,
    MixedFit,
    fit_mixed,
    not_separated,
    posterior,
)
from jsna.disproportionality.rule import make_rule
from jsna.measures import false_discovery
from jsna.measures.columns import NO_PUPILS, normal_quantile

__all__ = [
    "ALIASED",
    "ALL_OR_NONE",
    "BOUNDARY",
    "BOUNDARY_NULL",
    "EVERYBODY",
    "NOBODY",
    "NOT_JOINED",
    "ONE_STRATUM",
    "SATURATED",
    "SEPARATED",
    "TOO_WIDE",
    "Intersectional",
    "intersectional",
]

BOUNDARY = "at the boundary: no interaction found"
BOUNDARY_NULL = "at the boundary: no variance between strata found"
SEPARATED = "left out of the main effects"
ALIASED = "cannot be told apart from other categories"
NOT_JOINED = "no pupils, and its main effects are not measured"
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
    strata = summed_strata(frame, count, total, by)
    x, n = strata["numerator"].to_numpy(), strata["denominator"].to_numpy()
    models = _models(strata, by)
    null, main, inside, held = models.null, models.main, models.inside, models.held
    pcv, status_pcv = _pcv(models.same, main, models.status_main)
    strata = strata.assign(**_answers(x, n, null, main, inside, z))
    strata["status"] = _statuses(held, inside, null, main, models.status_main)
    clear, allowed, statement = _clear(strata, models.status_main)
    coefficients = _coefficients(models.levels, main, z, models.status_main)
    compared = inside if main else held & (null is not None)
    return Intersectional(
        strata=strata[[*by, *COLUMNS]],
        coefficients=coefficients,
        variance_null=_variance(null),
        variance_main=_variance(main),
        variance_null_compared=_variance(models.same),
        vpc_null=_vpc(null),
        vpc_main=_vpc(main),
        pcv=pcv,
        status_null=models.status_null,
        status_main=models.status_main,
        status_pcv=status_pcv,
        auc=_auc(strata["predicted"], x, n, compared),
        auc_additive=_auc(strata["additive"], x, n, compared & (main is not None)),
        interactions_clear=clear,
        interactions_clear_allowed=allowed,
        interactions_statement=statement,
        notes=(*_notes(models, status_pcv, coefficients), statement, *_ALWAYS),
    )


class _Models(NamedTuple):
    """The two fits, and the null fit to the ``same`` strata as the main effects; which strata are ``inside`` these.

    ``held`` strata have pupils; ``levels`` has a row a category.
    """

    null: MixedFit | None
    main: MixedFit | None
    same: MixedFit | None
    status_null: str
    status_main: str
    held: NDArray
    inside: NDArray
    levels: pd.DataFrame


def _models(strata: pd.DataFrame, by: list[str]) -> _Models:
    x, n = strata["numerator"].to_numpy(), strata["denominator"].to_numpy()
    held, everyone = n > 0, np.ones((len(strata), 1))
    null, status_null = fit_mixed(x, n, everyone, held, BOUNDARY_NULL)
    inside = not_separated(x, n, main_effects(strata, by, held)[0], held)
    design, levels = main_effects(strata, by, inside)
    main, status_main = fit_mixed(x, n, design, inside, BOUNDARY)
    if status_null in (NOBODY, EVERYBODY):
        status_main = status_null
    same = null if (inside == held).all() else fit_mixed(x, n, everyone, inside, BOUNDARY_NULL)[0]
    return _Models(null, main, same, status_null, status_main, held, inside, levels)


def _answers(x, n, null: MixedFit | None, main: MixedFit | None, inside: NDArray, z: float) -> dict[str, NDArray]:
    """The columns of every stratum: main effects where they hold, the null model where a stratum was left out."""
    numbers = {c: np.full(len(x), np.nan) for c in COLUMNS[3:-1]}
    if null:
        rows = (n > 0) & (~inside if main else True)
        for c, values in posterior(x[rows], n[rows], null, rows, z).items():
            if c.startswith("predicted"):
                numbers[c][rows] = values
    if not main:
        return numbers
    numbers["additive"] = expit(main.eta)
    for c, values in posterior(x[inside], n[inside], main, inside, z).items():
        numbers[c][inside] = values
    empty = (n == 0) & np.isfinite(main.eta)
    half = z * np.sqrt(main.variance + main.eta_variance[empty])
    numbers["predicted"][empty] = expit(main.eta[empty])
    numbers["predicted_lower"][empty] = expit(main.eta[empty] - half)
    numbers["predicted_upper"][empty] = expit(main.eta[empty] + half)
    numbers["difference_points"] = 100 * (numbers["predicted"] - numbers["additive"])
    numbers["q_value"] = false_discovery(numbers["tail_area"]).to_numpy()
    return numbers


def _variance(fit: MixedFit | None) -> float:
    return float(fit.variance) if fit else np.nan


def _vpc(fit: MixedFit | None) -> float:
    return float(fit.variance / (fit.variance + np.pi**2 / 3)) if fit else np.nan


def _pcv(null: MixedFit | None, main: MixedFit | None, status_main: str) -> tuple[float, str]:
    if null is None or main is None:
        return np.nan, status_main or "not measured: the null variance of the same strata is not measured"
    if null.variance == 0:
        return np.nan, BOUNDARY_NULL
    return (np.nan, BOUNDARY) if main.variance == 0 else (1 - main.variance / null.variance, "")


def _statuses(
    held: NDArray, inside: NDArray, null: MixedFit | None, main: MixedFit | None, status_main: str
) -> NDArray:
    """For each stratum in words what is not measured, or an empty text."""
    instead = "; predicted from the null model" if null else ""
    if main is None:
        return np.where(held, status_main + instead, NO_PUPILS)
    empty = np.where(np.isfinite(main.eta), NO_PUPILS, NOT_JOINED)
    return np.where(inside, status_main, np.where(held, SEPARATED + instead, empty))


def _coefficients(levels: pd.DataFrame, main: MixedFit | None, z: float, status_main: str) -> pd.DataFrame:
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


def _notes(models: _Models, status_pcv: str, coefficients: pd.DataFrame) -> list[str]:
    """What is not measured, and which categories and strata were left out, in words."""
    status_null, status_main = models.status_null, models.status_main
    return [
        *(f"{m}: {s}." for m, s in (("Null model", status_null), ("Main effects", status_main)) if s),
        *([f"PCV: {status_pcv}."] if status_pcv not in ("", status_null, status_main) else []),
        *_notes_of_levels(models.levels),
        *_notes_of_strata(models.held, models.inside, models.main, coefficients),
    ]


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


def _notes_of_strata(held: NDArray, inside: NDArray, main: MixedFit | None, coefficients: pd.DataFrame) -> list[str]:
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
