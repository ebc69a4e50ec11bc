"""The flag: which groups are identified more, or less, often than others beyond chance, luck and a single choice?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import EVERYBODY, NOBODY, contrasts, expected_counts, modelled_columns, notes
from jsna.disproportionality.clustering import in_one_school, independent_variances, t_quantile, variances
from jsna.disproportionality.design import steadied
from jsna.disproportionality.pooled import Pooled, Prior, pooled, q_values
from jsna.disproportionality.regression import Fit
from jsna.disproportionality.rule import OVER, UNDER, Rule, make_rule, same_side
from jsna.disproportionality.schools import cell_expected, within_schools, without_each
from jsna.disproportionality.specification import agreement
from jsna.disproportionality.study import LINES, Study, studies
from jsna.disproportionality.unknown import unknown_effect
from jsna.disproportionality.verdict import CHECKED, Columns, no_verdict, verdict
from jsna.errors import MeasureError, Problem
from jsna.measures import risk_ratio
from jsna.measures.columns import normal_quantile


@dataclass(frozen=True)
class Flags:
    """The answer for one dimension.

    ``table`` has one row an outcome and group. ``comparisons`` is how many groups were compared, over all outcomes;
    ``flagged`` how many of them were flagged. ``priors`` are the weights of the pooling, one an outcome; ``rule`` holds
    every constant used. ``notes`` say what was left out or cannot be trusted, by outcome.
    """

    table: pd.DataFrame
    comparisons: int
    flagged: int
    periods: tuple[str, ...]
    rule: Rule
    priors: Mapping[str, tuple[float, ...]]
    notes: Mapping[str, tuple[str, ...]]


def flags(
    frame: pd.DataFrame,
    *,
    group: str,
    outcomes: Sequence[str],
    total: str,
    period: str,
    cluster: str,
    demographic: Sequence[str],
    deprivation: Sequence[str],
    known: str | None = None,
    repetition: Mapping[str, float] | None = None,
    subsets: Mapping[str, pd.Series] | None = None,
    prior: Prior | Mapping[str, Prior] | None = None,
    confidence: float = 0.95,
    every_check: bool = True,
    **constants: float,
) -> Flags:
    """Which groups are over- or under-identified against all others, and how sure is that?

    ``frame`` has one row a cell: a census (``period``), a school (``cluster``; of a pupil who moved, the latest one),
    a group and a combination of the ``demographic`` and ``deprivation`` columns, with pupils in ``total`` and, for each
    of ``outcomes``, those identified. ``known``: boolean, the same in all rows of a group; an unknown group is shown,
    never flagged, and in nobody's comparator. ``repetition``: for each outcome by how much counting the same pupils in
    several censuses widens the variance (``repetition_floor``); default the number of censuses, as if nobody changed.
    ``subsets``: named masks of cells for further analyses of the same question, such as leaving special schools out.
    ``prior``: learned elsewhere (``learn_prior``, ``national_priors``), one for all or one an outcome. Without
    ``every_check`` an outcome in which no group is beyond chance and large enough has no checks, on which no status of
    it rests: their columns, and risk_ratio_<period>, are missing, which saves time. ``constants`` override the rule's.

    One outcome is one family. Every group goes through the steps of docs/methods.md, and ``status`` is one of
    ``over-identified``, ``under-identified`` (all steps hold), ``watch`` (beyond chance and large enough, but a check
    fails: the reasons name it), ``insufficient data`` (the figures could not have told) and ``no evidence``.
    ``reasons`` holds codes; ``reason_text`` gives their words.

    Columns of ``table``: outcome, group, known; numerator, denominator, risk, comparator_risk (latest census); events,
    pupil_censuses, expected (all censuses); for each line ``crude_``, ``age_and_sex_``, ``adjusted_`` with risk_ratio,
    lower, upper (clustered by school, over all censuses); pooled_risk_ratio, pooled_lower, pooled_upper,
    false_sign_rate, q_value (mean false sign rate of this and all surer groups); design_effect (of schools and repeated
    pupils), dispersion (variance over that of a Poisson count); pupils_affected with limits (latest census, at the
    pooled ratio: + more, − fewer than at the others' risk); risk_ratio_<period>; agreeing_specifications,
    specifications, without_one_school (the ratio without the school that matters most), within_schools, unknown_shared,
    unknown_lowest, unknown_highest; status, reasons.

    Raises ``MeasureError`` for columns that are not there and rows that are no counts, all named. When not to use: one
    census (nothing is flagged, at most watched); counts without schools.
    """
    rule = make_rule(**constants)
    columns = {"group": group, "total": total, "period": period, "cluster": cluster, "known": known}
    columns |= {"demographic": demographic, "deprivation": deprivation, "subsets": subsets}
    _check_repetition(repetition, outcomes)
    tables, priors, said, periods = [], {}, {}, ()
    for outcome, study in studies(frame, outcomes=outcomes, **columns):
        periods = tuple(str(p) for p in study.periods)
        floor = float(len(periods)) if repetition is None else float(repetition[outcome])
        given = prior.get(outcome) if isinstance(prior, Mapping) else prior
        table, weights = judge(study, rule, floor, given, confidence, every_check=every_check)
        table.insert(0, "outcome", outcome)
        tables.append(table)
        priors[outcome] = weights
        main = study.fit("adjusted")
        said[outcome] = notes(main, clustered=True) if main else ("Nobody, or everybody, is identified.",)
    table = pd.concat(tables, ignore_index=True)
    compared = table["known"] & (table["denominator"] > 0)
    return Flags(
        table=table,
        comparisons=int(compared.sum()),
        flagged=int(table["status"].isin([OVER, UNDER]).sum()),
        periods=periods,
        rule=rule,
        priors=priors,
        notes=said,
    )


def _check_repetition(repetition: Mapping[str, float] | None, outcomes: Sequence[str]) -> None:
    given = {o: repetition.get(o) for o in outcomes} if repetition is not None else {}
    wrong = [(o, v) for o, v in given.items() if v is None or not 1 <= v < np.inf]
    if wrong:
        raise MeasureError(
            *(
                Problem("Not a widening by repetition.", where=o, value=v, expected="1 or more, one an outcome")
                for o, v in wrong
            )
        )


def judge(
    study: Study, rule: Rule, floor: float, prior: Prior | None, confidence: float = 0.95, *, every_check: bool = True
) -> tuple[pd.DataFrame, tuple[float, ...]]:
    """The rule, applied to one family: the table of ``flags`` without its outcome, and the weights of the pooling."""
    made = _described(study, confidence)
    main, demographic = study.fit("adjusted"), study.fit("age_and_sex")
    if main is None or demographic is None:
        made |= no_verdict(study.periods, made["known"])
        return pd.DataFrame({"group": study.patterns.groups, **made}), tuple((prior or Prior()).weights)
    many = len(study.periods) > 1
    estimate, expected, design, dispersion = _pooled(main, rule, floor, prior, confidence)
    simpler = estimate if demographic is main else _pooled(demographic, rule, floor, prior, confidence)[0]
    pool = {c: estimate.table[c].to_numpy() for c in ("estimate", "lower", "upper", "false_sign_rate")}
    made |= {
        "expected": expected,
        "design_effect": design,
        "dispersion": dispersion,
        "pooled_risk_ratio": pool["estimate"],
        "pooled_lower": pool["lower"],
        "pooled_upper": pool["upper"],
        "false_sign_rate": pool["false_sign_rate"],
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        for end, ratio in (("", "pooled_risk_ratio"), ("_lower", "pooled_lower"), ("_upper", "pooled_upper")):
            # With nobody identified: so many fewer than expected, at the latest census's share of all.
            empty = made["expected"] * made["denominator"] / made["pupil_censuses"] * (made[ratio] - 1)
            own = made["numerator"] * (1 - 1 / made[ratio])
            made[f"pupils_affected{end}"] = np.where(made["numerator"] > 0, own, empty)
    eligible = study.patterns.known & (made["denominator"] >= rule.minimum_pupils)
    ratio = pool["estimate"]
    q = q_values(np.where(eligible, pool["false_sign_rate"], np.nan))
    found = q <= rule.false_discovery_rate
    candidate = found & rule.beyond_size(ratio)
    simple_ratio = simpler.table["estimate"].to_numpy()
    sign = simpler.table["false_sign_rate"].to_numpy()
    simply = q_values(np.where(eligible, sign, np.nan)) <= rule.false_discovery_rate
    simply &= rule.beyond_size(simple_ratio)
    side = np.where(ratio >= 1, 1.0, -1.0)
    asked = every_check or bool(candidate.any())
    nothing = np.full(len(side), np.nan)
    made |= {f"risk_ratio_{n}": _ratio_of_count(study, i) if asked else nothing for i, n in enumerate(study.periods)}
    made["q_value"] = q
    checks, more = _checks(study, main, made, side, rule, candidate, many) if asked else _unchecked(len(side))
    made |= more
    determined = main.converged & (main.group_count > 0) & ~main.estimable
    made |= verdict(made, rule, candidate, found, simply, side, checks, determined)
    return pd.DataFrame({"group": study.patterns.groups, **made}), estimate.weights


def _described(study: Study, confidence: float) -> Columns:
    """Counts in the latest census and the three lines over all censuses."""
    p = study.patterns
    n, x = study.by_group(len(study.periods) - 1)
    every = study.by_group()
    known_n, known_x = np.where(p.known, n, 0), np.where(p.known, x, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        risk, others = x / n, (known_x.sum() - known_x) / (known_n.sum() - known_n)
    described: Columns = {
        "known": p.known,
        "numerator": x,
        "denominator": n,
        "risk": risk,
        "comparator_risk": others,
        "events": every[1],
        "pupil_censuses": every[0],
    }
    # Of a group without a coefficient: the score interval of the latest census, where nobody is counted twice.
    plain = risk_ratio(x, n, known_x.sum() - known_x, known_n.sum() - known_n, confidence=confidence)
    scores = {"risk_ratio": plain["estimate"], "lower": plain["lower"], "upper": plain["upper"]}
    scores = {name: column.to_numpy() for name, column in scores.items()}
    for line in LINES:
        made = study.fit(line)
        shown = scores if made is None else modelled_columns(made, confidence=confidence)
        crude_stands = True if made is None else np.isin(shown["status"].astype("U"), [NOBODY, EVERYBODY])
        for name in ("risk_ratio", "lower", "upper"):
            described[f"{line}_{name}"] = np.where(crude_stands, scores[name], shown[name])
    return described


def _pooled(made: Fit, rule: Rule, floor: float, prior: Prior | None, confidence: float):
    """The pooled ratios of a fit, with the expected counts and the design effects that they rest on."""
    expected = expected_counts(made)
    design, per_event = _design(made, rule, floor)
    known = made.patterns.known
    x = np.where(known, made.group_count, np.nan)
    answer: Pooled = pooled(x, expected, design * per_event, prior=prior, confidence=confidence)
    return answer, expected, np.where(known, design, np.nan), np.where(known, design * per_event, np.nan)


def _design(made: Fit, rule: Rule, floor: float) -> tuple[NDArray, NDArray]:
    """Each group's design effect, steadied by a line in its size, and its variance times its events.

    The variance is the bias-reduced one, widened to make a normal interval as wide as its t interval. Of a single group
    it is uncertain: its log is averaged with that of the line, fitted over groups with enough events; other groups take
    the line.
    """
    _, gradient = contrasts(made)
    n, x = made.group_total, made.group_count
    independent, own = independent_variances(made, gradient), np.full(len(n), np.nan)
    enough = made.patterns.known & (x >= rule.minimum_events_for_design) & ~in_one_school(made)
    if enough.any():
        variance, _, freedom, _ = variances(made, gradient[enough], "cr2")
        wider = (t_quantile(freedom, 0.95) / normal_quantile(0.95)) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            own[enough] = wider * variance / independent[enough]
    with np.errstate(divide="ignore", invalid="ignore"):
        per_event = np.where(made.estimable & (x > 0), independent * x, np.nan)
    sure = enough & np.isfinite(own) & (own > 0)
    rate = made.group_count[made.patterns.known].sum() / max(n[made.patterns.known].sum(), 1)
    return steadied(own, n, sure, floor), np.where(np.isfinite(per_event), per_event, 1 - rate)


def _ratio_of_count(study: Study, period: int) -> NDArray:
    """Adjusted ratios of one census; 0 where nobody of a group is identified."""
    made = study.fit("adjusted", period)
    if made is None:
        return np.full(len(study.patterns.groups), np.nan)
    ratio = np.exp(contrasts(made)[0])
    return np.where((made.group_count == 0) & (made.group_total > 0), 0.0, ratio)


def _checks(study: Study, main: Fit, made: Columns, side, rule: Rule, candidate, many: bool):
    """For each check a column: whether a candidate passes it. Costly ones are made only where there is a candidate."""
    each = np.column_stack([made[f"risk_ratio_{name}"] for name in study.periods])
    steady = same_side(each, side[:, None], rule.persistence_ratio).all(axis=1)
    simple = same_side(made["age_and_sex_risk_ratio"], side, rule.robust_ratio)
    shares, number = agreement(study, side)
    lone = np.full(len(side), np.nan)
    within = np.full(len(side), np.nan)
    if candidate.any():
        without, pupils = without_each(main, candidate, most=2)
        left = np.where(pupils > 0, without * side, np.inf)
        lone = np.exp(side * np.where(np.isnan(left), -np.inf, left).min(axis=0))
        within = within_schools(main, cell_expected(main))
    shared, low, high = unknown_effect(study, made["pooled_risk_ratio"])
    more: Columns = {
        "agreeing_specifications": shares,
        "specifications": np.full(len(side), number),
        "without_one_school": lone,
        "within_schools": within,
        "unknown_shared": shared,
        "unknown_lowest": low,
        "unknown_highest": high,
    }
    worst = np.where(side > 0, low, high)
    absent = _absent_from_a_census(study)
    checks = {
        "one_census_only": steady | absent | ~np.full(len(side), many),
        "absent_from_a_census": ~absent,
        "single_census": np.full(len(side), many),
        "only_after_deprivation": simple,
        "depends_on_analysis": ~(shares < rule.agreeing_specifications),
        "one_school": same_side(lone, side, rule.robust_ratio),
        "between_schools": same_side(within, side, rule.within_schools_ratio),
        "unknown_ethnicity": rule.beyond_size(shared) & same_side(shared, side, 1.0),
    }
    return (checks, same_side(worst, side, 1.0)), more


def _unchecked(groups: int) -> tuple[tuple[dict[str, NDArray], NDArray], Columns]:
    """Of a family without a candidate: no status rests on a check."""
    return ({}, np.ones(groups, bool)), {c: np.full(groups, np.nan) for c in CHECKED}


def _absent_from_a_census(study: Study) -> NDArray:
    """Which groups have nobody in one of the censuses."""
    return (np.array([study.by_group(i)[0] for i in range(len(study.periods))]) == 0).any(axis=0)
