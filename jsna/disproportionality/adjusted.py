"""A group against others in like circumstances: adjusted risk ratios with errors clustered by school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.clustering import Errors, in_one_school, t_quantile, two_sided, variances
from jsna.disproportionality.crude import ALL_OTHERS
from jsna.disproportionality.patterns import Patterns, lined_up, require_columns, usable_counts
from jsna.disproportionality.regression import Fit, Model, try_fit
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.measures import risk_ratio
from jsna.measures.columns import NO_PUPILS

_NOTHING = 1e-16  # a variance of a log ratio that is rounding alone
NOBODY = "not estimable by regression: nobody identified"
EVERYBODY = "not estimable by regression: everybody identified"
ALIASED = "not estimable by regression: the group cannot be told apart from the other variables"
NO_CONVERGENCE = "not estimable by regression: the model does not settle"
NO_OTHERS = "not estimable by regression: nobody is identified among the others"
NO_SPREAD = "no interval: schools do not differ at all in this ratio"
ONE_CLUSTER = "no interval: all pupils are in one school"


@dataclass(frozen=True)
class Adjusted:
    """Adjusted ratios of every group.

    ``table`` has one row a group and comparator. ``odds_ratios`` is filled by the logistic model only (against the
    reference, or the largest group). ``coefficients`` are of the model itself, with clustered errors: they are not to
    be read as effects of the adjusters. ``notes`` say in words what was left out or cannot be trusted.
    """

    table: pd.DataFrame
    coefficients: pd.DataFrame
    odds_ratios: pd.DataFrame
    model: str
    adjust: tuple[str, ...]
    schools: int
    notes: tuple[str, ...]


def adjusted(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    adjust: Sequence[str],
    cluster: str | None,
    known: str | None = None,
    reference: str | None = None,
    model: Model = "poisson",
    errors: Errors = "auto",
    confidence: float = 0.95,
) -> Adjusted:
    """How many times the risk of others is a group's, among pupils alike in ``adjust``?

    ``frame`` has one row a cell: a school (``cluster``), a group, a combination of the ``adjust`` columns (categories),
    with whole numbers ``count`` of ``total``. Rows may be split or added up without changing the answer, down to one a
    pupil. ``known``: boolean, the same in all rows of a group; unknown groups are compared, and in nobody's comparator.

    ``model`` ``poisson`` is modified Poisson (Zou 2004); a group against all others is
    e^a_g over the mean of e^a_h weighted by pupils. ``logistic`` gives risk ratios by marginal standardisation
    (Localio and others 2007, delta method) and odds ratios for comparison with the literature.

    ``errors``: ``cr1`` is the sandwich over schools times S/(S−1); ``cr2`` the bias-reduced one with Satterthwaite
    degrees of freedom (Pustejovsky and Tipton 2018; the symmetric root is taken of Pearson residuals); ``auto`` takes
    ``cr2`` under 40 schools, and for groups found in fewer than 10. Without ``cluster`` pupils count as independent.

    Columns of ``table``: group, known, comparator, numerator, denominator, schools, expected (identified, at the
    comparator's adjusted risk), risk_ratio, lower, upper, log_standard_error, design_effect (clustered over independent
    variance), degrees_of_freedom, p_value, errors, status. A group without (or with only) identified pupils has no
    coefficient: its crude ratio and score interval are given, and ``status`` says so.

    Raises ``MeasureError`` for columns or a reference that are not there and for rows that are no counts, all named.
    When not to use: as evidence of bias, or of need that is met or not; adjusting for deprivation may hide a path.

    >>> rows = pd.DataFrame({"group": list("aabb"), "sex": list("FMFM"), "school": list("1212"),
    ...                      "x": [10, 20, 10, 20], "n": [100, 100, 200, 200]})
    >>> made = adjusted(rows, group="group", count="x", total="n", adjust=["sex"], cluster="school")
    >>> made.table["risk_ratio"].round(6).tolist()
    [2.0, 0.5]
    """
    named = [*([cluster] if cluster else []), *([known] if known else [])]
    require_columns(frame, [group, count, total, *adjust, *named])
    if model not in ("poisson", "logistic"):
        raise MeasureError(Problem("No such model.", value=model, expected="poisson or logistic"))
    x, _ = usable_counts(frame[count], frame[total], frame[group])
    patterns = lined_up(frame, group=group, total=total, adjust=adjust, cluster=cluster, known=known)
    if reference is not None and reference not in patterns.groups:
        raise MeasureError(
            Problem(
                "The reference group is not among the groups.",
                value=reference,
                mend=did_you_mean(reference, patterns.groups.astype(str)),
            )
        )
    comparators = [None] if reference is None else [None, reference]
    some = 0 < x.sum() < patterns.total.sum()
    fitted = try_fit(patterns, x, model=model) if some else None
    if fitted is None:
        empty = [_unmodelled(patterns, x, patterns.total, c, confidence) for c in comparators]
        note = "In every group nobody or everybody is identified."
        if not some:
            note = "Nobody is identified." if not x.sum() else "Everybody is identified."
        return Adjusted(
            pd.concat(empty, ignore_index=True), pd.DataFrame(), pd.DataFrame(), model, tuple(adjust), 0, (note,)
        )
    tables = [ratios(fitted, reference=c, errors=errors, confidence=confidence) for c in comparators]
    return Adjusted(
        table=pd.concat(tables, ignore_index=True),
        coefficients=_coefficients(fitted),
        odds_ratios=_odds_ratios(fitted, reference, errors, confidence) if model == "logistic" else pd.DataFrame(),
        model=model,
        adjust=tuple(adjust),
        schools=fitted.clusters if cluster else 0,
        notes=notes(fitted, clustered=cluster is not None),
    )


def notes(fitted: Fit, *, clustered: bool) -> tuple[str, ...]:
    """What a reader must know of a fit, in words."""
    said = list(fitted.patterns.notes)
    for term in fitted.separated:
        which = "nobody" if fitted.model == "poisson" else "nobody, or everybody,"
        said.append(f"{term}: {which} is identified; its pupils inform no coefficient.")
    said += [f"{term}: determined by the other variables; left out of the model." for term in fitted.aliased]
    if not fitted.converged:
        said.append("The model does not settle: no adjusted figure is given.")
    if clustered and fitted.clusters < 10:
        said.append(f"There are only {fitted.clusters} schools: errors clustered by school cannot be trusted.")
    return tuple(said)


def ratios(
    fitted: Fit, *, reference: str | None = None, errors: Errors = "auto", confidence: float = 0.95
) -> pd.DataFrame:
    """The ratio of every group of a fit to all others (or to ``reference``), with limits and a status."""
    made = modelled(fitted, reference=reference, errors=errors, confidence=confidence)
    table = _unmodelled(fitted.patterns, fitted.cell_count, fitted.cell_total, reference, confidence)
    good = made["errors"] != ""
    table["errors"] = made["errors"].where(good, table["errors"])
    for column in ("risk_ratio", "lower", "upper"):
        table[column] = made[column].where(good, table[column])
    rest = ["expected", "log_standard_error", "design_effect", "degrees_of_freedom", "p_value", "status"]
    table[rest] = made[rest]
    return table


def modelled(
    fitted: Fit, *, reference: str | None = None, errors: Errors = "auto", confidence: float = 0.95
) -> pd.DataFrame:
    """What the model alone says of every group: missing where it says nothing, with the reason in ``status``."""
    return pd.DataFrame(modelled_columns(fitted, reference=reference, errors=errors, confidence=confidence))


def modelled_columns(
    fitted: Fit, *, reference: str | None = None, errors: Errors = "auto", confidence: float = 0.95
) -> dict[str, NDArray]:
    """The columns of ``modelled``: a table of its own takes longer than they do."""
    log_ratio, gradient = contrasts(fitted, reference)
    variance, independent, freedom, method = variances(fitted, gradient, errors)
    alone, still = in_one_school(fitted), variance < _NOTHING
    variance = np.where(alone | still, np.nan, variance)
    status = _status(fitted, log_ratio)
    good = (status == "") & np.isfinite(log_ratio)
    itself = fitted.patterns.groups == reference if reference is not None else np.zeros(len(good), bool)
    compared = good & ~itself
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.sqrt(variance)
        reach = t_quantile(freedom, confidence) * error
        ratio = np.exp(log_ratio)
        expected = fitted.group_count / ratio if fitted.model == "logistic" else expected_counts(fitted, reference)
        return {
            "expected": expected,
            "risk_ratio": np.where(good, ratio, np.nan),
            "lower": np.where(compared, np.exp(log_ratio - reach), np.where(good, 1.0, np.nan)),
            "upper": np.where(compared, np.exp(log_ratio + reach), np.where(good, 1.0, np.nan)),
            "log_standard_error": np.where(compared, error, np.nan),
            "design_effect": np.where(compared, variance / independent, np.nan),
            "degrees_of_freedom": np.where(compared, freedom, np.nan),
            "p_value": np.where(compared, two_sided(np.abs(log_ratio) / error, freedom), np.nan),
            "errors": np.where(good, method, ""),
            "status": np.where(
                compared & ~np.isfinite(variance), np.where(still & ~alone, NO_SPREAD, ONE_CLUSTER), status
            ),
        }


def contrasts(fitted: Fit, reference: str | None = None) -> tuple[NDArray, NDArray]:
    """The log ratio of each group to its comparator, and its gradient in the model's coefficients.

    All others: the mean of their (standardised) risks, weighted by pupils of known group.
    """
    level, slope = _log_levels(fitted)
    risk = np.where(np.isfinite(level), np.exp(level), 0.0)
    if reference is not None:
        at = fitted.patterns.groups.get_loc(reference)
        return level - level[at], slope - slope[at]
    size = _comparable(fitted)
    weight = size * risk
    others, others_size = weight.sum() - weight, size.sum() - size
    pull = weight[:, None] * np.where(np.isfinite(slope), slope, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = level - np.log(others / others_size)
        gradient = slope - (pull.sum(axis=0) - pull) / others[:, None]
    return log_ratio, gradient


def _comparable(fitted: Fit) -> NDArray:
    """Pupils of each group that may stand in a comparator: known, and not one of which the model can say nothing."""
    told = fitted.estimable | (fitted.group_count == 0) | (fitted.group_count == fitted.group_total)
    return np.where(fitted.patterns.known & told, fitted.group_total, 0.0)


def _log_levels(fitted: Fit) -> tuple[NDArray, NDArray]:
    """Log of each group's level: its effect (Poisson), or its mean risk were everybody in it (logistic)."""
    effect, selector = fitted.group_effects(), fitted.group_selector()
    if fitted.model == "poisson":
        return effect, selector
    p = fitted.patterns
    rows = fitted.rows[p.known[p.group[fitted.rows]]]
    size = np.bincount(p.pattern, fitted.cell_total, len(p.matrix))[rows]
    plain = p.matrix[np.ix_(rows, fitted.columns)] * (selector.sum(axis=0) == 0)
    risk = 0.5 * (1 + np.tanh((plain @ fitted.beta + effect[:, None]) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = risk @ size / size.sum()
        steep = risk * (1 - risk) * size / size.sum()
        level, slope = np.log(mean), (steep @ plain + steep.sum(axis=1)[:, None] * selector) / mean[:, None]
    # A group in which everybody is identified has no coefficient, and stands among the others with a risk of 1.
    everybody = (fitted.group_total > 0) & (fitted.group_count == fitted.group_total)
    return np.where(everybody, 0.0, level), np.where(everybody[:, None], 0.0, slope)


def expected_counts(fitted: Fit, reference: str | None = None) -> NDArray:
    """How many of each group would be identified at the comparator's adjusted risk (Poisson): count over ratio.

    Defined also for a group with nobody identified, who has no coefficient; not for one that the adjusters determine.
    """
    effect, selector = fitted.group_effects(), fitted.group_selector()
    p = fitted.patterns
    plain = p.matrix[:, fitted.columns] @ np.where(selector.sum(axis=0) == 0, fitted.beta, 0.0)
    total = fitted.sums[0]
    base = np.where((total > 0) & ~fitted.silent, total * np.exp(plain), 0.0)
    base_by_group = np.bincount(p.group, base, len(p.groups))
    level = np.where(np.isfinite(effect), np.exp(effect), 0.0)
    if reference is not None:
        return base_by_group * level[p.groups.get_loc(reference)]
    size = _comparable(fitted)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = base_by_group * ((size * level).sum() - size * level) / (size.sum() - size)
    # Of a group that the adjusters determine they have taken up the difference: it would expect what it has.
    return np.where(fitted.estimable | (fitted.group_count == 0), expected, np.nan)


def _status(fitted: Fit, log_ratio: NDArray) -> NDArray:
    n, x = fitted.group_total, fitted.group_count
    everybody = (x == n) & (fitted.model == "logistic")
    return np.select(
        [n == 0, x == 0, everybody, np.full(len(n), not fitted.converged), ~fitted.estimable, ~np.isfinite(log_ratio)],
        [NO_PUPILS, NOBODY, EVERYBODY, NO_CONVERGENCE, ALIASED, NO_OTHERS],
        default="",
    ).astype(object)


def _unmodelled(patterns: Patterns, count: NDArray, total: NDArray, reference, confidence: float) -> pd.DataFrame:
    """The crude ratio of every group with its score interval, in the columns of the table."""
    n, x = patterns.sum_by_group(total), patterns.sum_by_group(count)
    n_known, x_known = np.where(patterns.known, n, 0.0), np.where(patterns.known, x, 0.0)
    if reference is None:
        n_0, x_0 = n_known.sum() - n_known, x_known.sum() - x_known
    else:
        at = patterns.groups.get_loc(reference)
        n_0, x_0 = np.full(len(n), n[at]), np.full(len(n), x[at])
    crude = risk_ratio(x, n, x_0, n_0, confidence=confidence)
    pairs = patterns.group[patterns.pattern] * len(patterns.clusters) + patterns.cluster
    held = np.bincount(pairs, total, len(patterns.groups) * len(patterns.clusters)).reshape(len(n), -1)
    return pd.DataFrame(
        {
            "group": patterns.groups,
            "known": patterns.known,
            "comparator": ALL_OTHERS if reference is None else reference,
            "numerator": x,
            "denominator": n,
            "schools": np.count_nonzero(held, axis=1) if patterns.clustered else np.nan,
            "expected": np.nan,
            "risk_ratio": crude["estimate"],
            "lower": crude["lower"],
            "upper": crude["upper"],
            "log_standard_error": np.nan,
            "design_effect": np.nan,
            "degrees_of_freedom": np.nan,
            "p_value": np.nan,
            "errors": "score",
            "status": np.where(crude["status"] == "", np.where(x == 0, NOBODY, EVERYBODY), crude["status"]),
        }
    )


def _coefficients(fitted: Fit) -> pd.DataFrame:
    identity = np.eye(len(fitted.columns))
    variance = variances(fitted, identity, "cr1")[0]
    variance = np.where(variance < _NOTHING, np.nan, variance)
    p = fitted.patterns
    return pd.DataFrame(
        {
            "variable": p.variable[fitted.columns],
            "level": p.level[fitted.columns],
            "estimate": fitted.beta,
            "standard_error": np.sqrt(variance),
        }
    )


def _odds_ratios(fitted: Fit, reference: str | None, errors: Errors, confidence: float) -> pd.DataFrame:
    """Odds ratios against the reference, or the largest group: only for comparison with the literature."""
    p = fitted.patterns
    at = fitted.reference if reference is None else p.groups.get_loc(reference)
    effect, selector = fitted.group_effects(), fitted.group_selector()
    log_odds, gradient = effect - effect[at], selector - selector[at]
    variance, _, freedom, _ = variances(fitted, gradient, errors)
    alone, still = in_one_school(fitted), variance < _NOTHING
    itself = np.arange(len(effect)) == at
    variance = np.where((alone | still) & ~itself, np.nan, variance)
    reach = t_quantile(freedom, confidence) * np.sqrt(variance)
    status = _status(fitted, log_odds)
    untold = (status == "") & ~np.isfinite(reach)
    return pd.DataFrame(
        {
            "group": p.groups,
            "reference": p.groups[at],
            "odds_ratio": np.exp(log_odds),
            "lower": np.exp(log_odds - reach),
            "upper": np.exp(log_odds + reach),
            "status": np.where(untold, np.where(still & ~alone, NO_SPREAD, ONE_CLUSTER), status),
        }
    )
