"""The flag: which groups are identified more, or less, often than others beyond chance, luck and a single choice?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import EVERYBODY, NOBODY, contrasts, expected_counts, modelled, notes
from jsna.disproportionality.clustering import in_one_school, t_quantile, variances
from jsna.disproportionality.design import steadied
from jsna.disproportionality.pooled import Pooled, Prior, pooled, q_values
from jsna.disproportionality.regression import Fit
from jsna.disproportionality.rule import INSUFFICIENT, NO_EVIDENCE, OVER, UNDER, WATCH, Rule, make_rule, same_side
from jsna.disproportionality.schools import cell_expected, within_schools, without_each
from jsna.disproportionality.specification import agreement
from jsna.disproportionality.study import LINES, Study, studies
from jsna.disproportionality.unknown import unknown_effect
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
    **constants: float,
) -> Flags:
    """Which groups are over- or under-identified against all others, and how sure is that?

    ``frame`` has one row a cell: a census (``period``), a school (``cluster``; of a pupil who moved, the latest one),
    a group and a combination of the ``demographic`` and ``deprivation`` columns, with pupils in ``total`` and, for each
    of ``outcomes``, those identified. ``known``: boolean, the same in all rows of a group; an unknown group is shown,
    never flagged, and in nobody's comparator. ``repetition``: for each outcome by how much counting the same pupils in
    several censuses widens the variance (``repetition_floor``); default the number of censuses, as if nobody changed.
    ``subsets``: named masks of cells for further analyses of the same question, such as leaving special schools out.
    ``prior``: learned elsewhere (``learn_prior``, ``national_priors``), one for all or one an outcome. ``constants``
    override the rule's.

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
        table, weights = judge(study, rule, floor, given, confidence)
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
    study: Study, rule: Rule, floor: float, prior: Prior | None, confidence: float = 0.95
) -> tuple[pd.DataFrame, tuple[float, ...]]:
    """The rule, applied to one family: the table of ``flags`` without its outcome, and the weights of the pooling."""
    table = _described(study, confidence)
    main, demographic = study.fit("adjusted"), study.fit("age_and_sex")
    if main is None or demographic is None:
        return _without_model(study, table, rule), tuple((prior or Prior()).weights)
    many = len(study.periods) > 1
    estimate, expected, design, dispersion = _pooled(main, rule, floor, prior, confidence)
    simpler, *_ = _pooled(demographic, rule, floor, prior, confidence)
    pool = estimate.table.set_axis(table.index)
    table = table.assign(
        expected=expected,
        design_effect=design,
        dispersion=dispersion,
        pooled_risk_ratio=pool["estimate"],
        pooled_lower=pool["lower"],
        pooled_upper=pool["upper"],
        false_sign_rate=pool["false_sign_rate"],
    )
    for end, ratio in (("", "pooled_risk_ratio"), ("_lower", "pooled_lower"), ("_upper", "pooled_upper")):
        # With nobody identified: so many fewer than expected, at the latest census's share of all.
        empty = table["expected"] * table["denominator"] / table["pupil_censuses"] * (table[ratio] - 1)
        own = table["numerator"] * (1 - 1 / table[ratio])
        table[f"pupils_affected{end}"] = own.where(table["numerator"] > 0, empty)
    for i, name in enumerate(study.periods):
        table[f"risk_ratio_{name}"] = _ratio_of_count(study, i)
    eligible = study.patterns.known & (table["denominator"] >= rule.minimum_pupils).to_numpy()
    ratio = pool["estimate"].to_numpy()
    q = q_values(pool["false_sign_rate"].where(eligible))
    found = q <= rule.false_discovery_rate
    candidate = found & rule.beyond_size(ratio)
    simple_ratio = simpler.table["estimate"].to_numpy()
    simply = q_values(simpler.table["false_sign_rate"].where(eligible)) <= rule.false_discovery_rate
    simply &= rule.beyond_size(simple_ratio)
    side = np.where(ratio >= 1, 1.0, -1.0)
    checks, table = _checks(study, main, table.assign(q_value=q), side, rule, candidate, many)
    determined = main.converged & (main.group_count > 0) & ~main.estimable
    return _with_status(table, rule, candidate, found, simply, side, checks, determined), estimate.weights


def _described(study: Study, confidence: float) -> pd.DataFrame:
    """Counts in the latest census and the three lines over all censuses."""
    p = study.patterns
    latest = study.period == len(study.periods) - 1
    n, x = p.sum_by_group(np.where(latest, p.total, 0)), p.sum_by_group(np.where(latest, study.count, 0))
    known_n, known_x = np.where(p.known, n, 0), np.where(p.known, x, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        risk, others = x / n, (known_x.sum() - known_x) / (known_n.sum() - known_n)
    table = pd.DataFrame(
        {
            "group": p.groups,
            "known": p.known,
            "numerator": x,
            "denominator": n,
            "risk": risk,
            "comparator_risk": others,
            "events": p.sum_by_group(study.count),
            "pupil_censuses": p.pupils,
        }
    )
    # Of a group without a coefficient: the score interval of the latest census, where nobody is counted twice.
    plain = risk_ratio(x, n, known_x.sum() - known_x, known_n.sum() - known_n, confidence=confidence)
    plain = plain.set_axis(table.index).rename(columns={"estimate": "risk_ratio"})
    for line in LINES:
        made = study.fit(line)
        shown = plain if made is None else modelled(made, confidence=confidence)
        crude_stands = np.ones(len(table), bool) if made is None else shown["status"].isin([NOBODY, EVERYBODY])
        for name in ("risk_ratio", "lower", "upper"):
            table[f"{line}_{name}"] = shown[name].where(~crude_stands, plain[name])
    return table


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
    variance, independent, freedom, _ = variances(made, gradient, "cr2")
    wider = (t_quantile(freedom, 0.95) / normal_quantile(0.95)) ** 2
    variance = np.where(in_one_school(made), np.nan, variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = wider * variance / independent
        per_event = np.where(made.estimable & (x > 0), independent * x, np.nan)
    sure = made.patterns.known & np.isfinite(own) & (own > 0) & (x >= rule.minimum_events_for_design)
    rate = made.group_count[made.patterns.known].sum() / max(n[made.patterns.known].sum(), 1)
    return steadied(own, n, sure, floor), np.where(np.isfinite(per_event), per_event, 1 - rate)


def _ratio_of_count(study: Study, period: int) -> NDArray:
    """Adjusted ratios of one census; 0 where nobody of a group is identified."""
    made = study.fit("adjusted", period)
    if made is None:
        return np.full(len(study.patterns.groups), np.nan)
    ratio = np.exp(contrasts(made)[0])
    return np.where((made.group_count == 0) & (made.group_total > 0), 0.0, ratio)


def _checks(study: Study, main: Fit, table: pd.DataFrame, side, rule: Rule, candidate, many: bool):
    """For each check a column: whether a candidate passes it. Costly ones are made only where there is a candidate."""
    each = table[[f"risk_ratio_{name}" for name in study.periods]].to_numpy()
    steady = same_side(each, side[:, None], rule.persistence_ratio).all(axis=1)
    simple = same_side(table["age_and_sex_risk_ratio"], side, rule.robust_ratio)
    shares, number = agreement(study, side)
    lone = np.full(len(table), np.nan)
    within = np.full(len(table), np.nan)
    if candidate.any():
        without, pupils = without_each(main, candidate, most=2)
        left = np.where(pupils > 0, without * side, np.inf)
        lone = np.exp(side * np.where(np.isnan(left), -np.inf, left).min(axis=0))
        within = within_schools(main, cell_expected(main))
    shared, low, high = unknown_effect(study, table["pooled_risk_ratio"].to_numpy())
    table = table.assign(
        agreeing_specifications=shares,
        specifications=number,
        without_one_school=lone,
        within_schools=within,
        unknown_shared=shared,
        unknown_lowest=low,
        unknown_highest=high,
    )
    worst = np.where(side > 0, low, high)
    absent = _absent_from_a_census(study)
    checks = {
        "one_census_only": steady | absent | ~np.full(len(table), many),
        "absent_from_a_census": ~absent,
        "single_census": np.full(len(table), many),
        "only_after_deprivation": simple,
        "depends_on_analysis": ~(shares < rule.agreeing_specifications),
        "one_school": same_side(lone, side, rule.robust_ratio),
        "between_schools": same_side(within, side, rule.within_schools_ratio),
        "unknown_ethnicity": rule.beyond_size(shared) & same_side(shared, side, 1.0),
    }
    return (checks, same_side(worst, side, 1.0)), table


def _absent_from_a_census(study: Study) -> NDArray:
    """Which groups have nobody in one of the censuses."""
    p = study.patterns
    held = [p.sum_by_group(np.where(study.period == i, p.total, 0)) for i in range(len(study.periods))]
    return (np.array(held) == 0).any(axis=0)


def _with_status(table, rule: Rule, candidate, found, simply, side, checks, determined: NDArray) -> pd.DataFrame:
    tests, survives_worst = checks
    passed = np.logical_and.reduce(list(tests.values()))
    flagged = candidate & passed
    deprived = simply & ~candidate
    few = (table["denominator"] < rule.minimum_pupils).to_numpy()
    low, high = table["pooled_lower"].to_numpy(), table["pooled_upper"].to_numpy()
    wide = ~((low > rule.ratio_low) | (high < rule.ratio_high))
    ruled_out = (low > rule.ratio_low) & (high < rule.ratio_high)
    apart = (low > 1) | (high < 1)
    known = table["known"].to_numpy()
    no_ratio = (table["denominator"] == 0).to_numpy() | ~np.isfinite(low)
    untold = no_ratio & (table["denominator"] > 0).to_numpy() & determined
    status = np.select(
        [~known, flagged & (side > 0), flagged, candidate | (deprived & ~untold), few | no_ratio | wide],
        [INSUFFICIENT, OVER, UNDER, WATCH, INSUFFICIENT],
        default=NO_EVIDENCE,
    )
    reasons = np.select(
        [~known, flagged, candidate, deprived & ~untold, untold, no_ratio, few, wide, found & apart, ruled_out],
        [
            "not_compared",
            "every_check",
            "",
            "goes_with_deprivation",
            "not_told_apart",
            "not_calculated",
            "few_pupils",
            "wide_interval",
            "small_difference",
            "ruled_out",
        ],
        default="not_ruled_out",
    ).astype(object)
    for code, good in tests.items():
        reasons = np.where(candidate & ~good & known, _joined(reasons, code), reasons)
    reasons = np.where(flagged & (low < 1) & (high > 1), _joined(reasons, "least_sure"), reasons)
    reasons = np.where(flagged & ~survives_worst, _joined(reasons, "worst_case_unknown"), reasons)
    empty = known & (table["events"] == 0).to_numpy() & ~no_ratio
    reasons = np.where(empty, _joined(reasons, "not_estimable"), reasons)
    return table.assign(status=status, reasons=reasons)


def _joined(reasons: NDArray, code: str) -> NDArray:
    return np.array([f"{r}; {code}" if r else code for r in reasons], dtype=object)


def _without_model(study: Study, table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Nobody, or everybody, is identified: no group differs, and none could be seen to."""
    columns = [
        "expected",
        "design_effect",
        "dispersion",
        "pooled_risk_ratio",
        "pooled_lower",
        "pooled_upper",
        "false_sign_rate",
    ]
    columns += ["q_value", "pupils_affected", "pupils_affected_lower", "pupils_affected_upper"]
    columns += [f"risk_ratio_{name}" for name in study.periods]
    columns += ["agreeing_specifications", "specifications", "without_one_school", "within_schools"]
    columns += ["unknown_shared", "unknown_lowest", "unknown_highest"]
    reasons = np.where(table["known"], "not_calculated", "not_compared")
    return table.assign(**dict.fromkeys(columns, np.nan), status=INSUFFICIENT, reasons=reasons)
