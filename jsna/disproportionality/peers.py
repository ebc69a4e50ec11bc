"""What would the flag rules of other tools have said? Each as a function on whole columns.

For the benchmark of rules and for the table "what another rule would have said"; the workbench's own flags never rest
on them. Every rule returns a frame aligned with its columns: ``direction`` ("over" or "under": the side on which the
group lies, flagged or not; "" for no difference, or a side to which the rule is blind), ``flagged``, ``strength``
(larger is more strongly flagged; moving its cut-off moves the rule's own; −infinity where the rule does not calculate)
and ``status`` (why it does not calculate, or empty). One bad row never stops the others. ``family`` is a column that
says which rows are one borough and outcome; rows that cannot be used are in no family's overall rate. Pupils of
unknown group are for the caller to leave out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr

from jsna.disproportionality.peer_columns import (
    TINY,
    in_families,
    log_or_infinite,
    rule_answer,
    two_sided_cut,
    usable_pairs,
    within,
)
from jsna.errors import MeasureError, Problem, did_you_mean
from jsna.files.packaged import packaged_yaml
from jsna.measures.columns import BOTH_ONE, MISSING, NEGATIVE, aligned, normal_quantile

UNDER_CELL = "under the minimum cell"
UNDER_N = "under the minimum number of pupils"
COMPARATOR_UNDER_CELL = "comparator under the minimum cell"
COMPARATOR_UNDER_N = "comparator under the minimum number of pupils"
NOBODY_IDENTIFIED = "nobody in the family is identified"
ALL_IN_GROUP = "all identified pupils are in this group"
PROGRESS = "reasonable progress"
NOT_A_P_VALUE = "p-value outside 0 to 1"
YEARS = 3

_FILE = packaged_yaml("jsna.disproportionality", "peers.yml")
CONSTANTS: dict[str, dict] = {rule: entry["constants"] for rule, entry in _FILE.items()}
RULES: dict[str, dict[str, str]] = {
    rule: {part: entry[part].format(**entry["constants"]) for part in ("name", "what", "source", "fault")}
    for rule, entry in _FILE.items()
}


def chi_square(
    count: ArrayLike, total: ArrayLike, comparator_count: ArrayLike, comparator_total: ArrayLike, p: float = 0.05
) -> pd.DataFrame:
    """Is the p-value of a chi-square test of each group under ``p``, with no allowance for many tests?

    Pearson's test of a 2 × 2 table, without correction. ``strength`` is |z|, the root of chi-square; flagged over 1.96
    at p = 0.05. Nobody, or everybody, identified on both sides: not calculated. Source: Pearson 1900.

    >>> chi_square([30], [100], [50], [400]).round(2).values.tolist()
    [['over', True, 4.27, '']]
    """
    cut = two_sided_cut(p)
    x1, n1, x0, n0, status, index = usable_pairs(count, total, comparator_count, comparator_total)
    status = np.where((status == "") & (x1 == n1) & (x0 == n0), BOTH_ONE, status)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x1 + x0) / (n1 + n0)
        difference = x1 / n1 - x0 / n0
        z = np.abs(difference) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return rule_answer(index, status, difference, z, cut)


def council_tool(count: ArrayLike, total: ArrayLike, family: ArrayLike | None = None, p: float = 0.05) -> pd.DataFrame:
    """What does the Data to Insight disproportionality tool colour, as it is shipped?

    N is all identified pupils of the family and E the group's share of all pupils times N, rounded to a whole number.
    The tool tests [count, N − count] against [E, N − E] as if both were samples, with Yates' correction, and rounds p
    to 4 decimals. ``strength`` is the root of that chi-square.
    As shipped, a count of 0 gets p = 0: here it is flagged "under" with infinite strength, whatever was expected, as in
    the tool's charts of smaller groups. Two things are not reproduced: a total of 0 is "no pupils" here (the tool
    colours it too), and where all identified pupils are in, and are expected in, one group, the row alone is not
    calculated (the tool stops). ``direction`` is that of the tool's rates; its rate index, against White British, can
    point the other way. Source: data-to-insight/patch on GitHub, app 008, read in a stored copy; own code.

    >>> council_tool([30, 50, 0], [100, 397, 3]).round(2).values.tolist()
    [['over', True, 2.27, ''], ['under', True, 2.27, ''], ['under', True, inf, '']]
    """
    within("p", p, 0, 1)
    x, n, overall, status, index = in_families(count, total, family)
    identified = overall[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.round(n / overall[1] * identified)
        mean = (x + expected) / 2  # of each row of the table, when both have N pupils
        apart = np.maximum(np.abs(x - expected) / 2 - 0.5, 0)
        statistic = 2 * apart**2 * (1 / mean + 1 / (identified - mean))
    nobody = (status == "") & (x == 0)
    status = np.where((status == "") & ~nobody & (mean == identified), ALL_IN_GROUP, status)
    statistic = np.where(nobody, np.inf, statistic)
    direction = np.where(nobody, -1.0, x - expected)
    z = np.sqrt(statistic)
    answer = rule_answer(index, status, direction, z, np.inf)
    shown = np.round(2 * ndtr(-z), CONSTANTS["council_tool"]["decimals"])
    return answer.assign(flagged=(status == "") & (shown < p))


def intervals_apart(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Do the Wilson intervals of a group and its comparator fail to overlap?

    ``strength`` is the z at which the two intervals just touch; flagged over that of ``confidence`` (1.96 at 95%).
    Limits at z solve (p − θ)² = z² θ(1−θ)/n, so that the two touch at θ = (p₁√n₁ + p₀√n₀) / (√n₁ + √n₀).
    Source: Wilson 1927; Schenker and Gentleman 2001 on what this tests.

    >>> intervals_apart([30], [100], [10], [100]).round(2).values.tolist()
    [['over', True, 2.5, '']]
    """
    cut = normal_quantile(confidence)
    x1, n1, x0, n0, status, index = usable_pairs(count, total, comparator_count, comparator_total)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second, root1, root0 = x1 / n1, x0 / n0, np.sqrt(n1), np.sqrt(n0)
        touch = (first * root1 + second * root0) / (root1 + root0)
        z = np.abs(first - second) / (1 / root1 + 1 / root0) / np.sqrt(touch * (1 - touch))
    return rule_answer(index, status, first - second, np.where(first == second, 0.0, z), cut)


def beyond_limits(
    count: ArrayLike,
    total: ArrayLike,
    benchmark_count: ArrayLike,
    benchmark_total: ArrayLike,
    confidence: float = 0.998,
) -> pd.DataFrame:
    """Does a group's Wilson interval lie wholly on one side of the benchmark, taken as known?

    ``strength`` is |p − π| / √(π(1−π)/n), π the benchmark's rate: the interval leaves π out where that is over z (3.09
    at 99.8%, 1.96 at 95%). Infinite where π is 0 or 1 and the group's rate is not. Source: OHID Fingertips guidance.

    >>> beyond_limits([30], [100], [200], [1000]).round(2).values.tolist()
    [['over', False, 2.5, '']]
    """
    cut = normal_quantile(confidence)
    x, n, x0, n0, status, index = usable_pairs(count, total, benchmark_count, benchmark_total)
    with np.errstate(divide="ignore", invalid="ignore"):
        benchmark = x0 / n0
        difference = x / n - benchmark
        z = np.abs(difference) / np.sqrt(benchmark * (1 - benchmark) / n)
    return rule_answer(index, status, difference, np.where(difference == 0, 0.0, z), cut)


def idea(
    count: ArrayLike,
    total: ArrayLike,
    comparator_count: ArrayLike,
    comparator_total: ArrayLike,
    threshold: float = 2.0,
    minimum_cell: int = 10,
    minimum_n: int = 30,
) -> pd.DataFrame:
    """Is a group's risk more than ``threshold`` times all other pupils' risk? United States significant disproportion.

    Over-identification only. Not calculated where a count is under ``minimum_cell`` or a total under ``minimum_n``, of
    the group or the comparator (for which the regulation turns to the state's figures; there are none here).
    ``strength`` is the log of the risk ratio. Source: 34 CFR 300.646 and 300.647.

    >>> idea([25, 9], [100, 30], [10, 10], [100, 100]).round(2).values.tolist()
    [['over', True, 0.92, ''], ['', False, -inf, 'under the minimum cell']]
    """
    ratio, status, index = _idea_ratio(
        (count, total, comparator_count, comparator_total), threshold, minimum_cell, minimum_n
    )
    return rule_answer(index, status, ratio > 1, log_or_infinite(ratio), np.log(threshold))


def _idea_ratio(columns: tuple, threshold: float, minimum_cell: int, minimum_n: int) -> tuple:
    within("threshold", threshold, 1, np.inf)
    x1, n1, x0, n0, status, index = usable_pairs(*columns)
    small = [x1 < minimum_cell, n1 < minimum_n, x0 < minimum_cell, n0 < minimum_n]
    words = [UNDER_CELL, UNDER_N, COMPARATOR_UNDER_CELL, COMPARATOR_UNDER_N]
    status = np.where(status == "", np.select(small, words, default=""), status)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (x1 / n1) / (x0 / n0), status, index


def idea_three_years(
    counts: ArrayLike,
    totals: ArrayLike,
    comparator_counts: ArrayLike,
    comparator_totals: ArrayLike,
    threshold: float = 2.0,
    minimum_cell: int = 10,
    minimum_n: int = 30,
    progress: float | None = None,
) -> pd.DataFrame:
    """Is a group's risk ratio over ``threshold`` in three censuses in a row, without reasonable progress?

    Four tables, one row a group and three columns, the oldest census first. ``progress`` is how much the ratio must
    fall in each of the two later censuses for the group not to be flagged (``status`` "reasonable progress"); None
    leaves progress out, as each state sets its own. ``strength`` is the log of the smallest of the three ratios.
    ``status`` is that of the first census that cannot be used. Source: 34 CFR 300.647(d).

    >>> idea_three_years([[25, 25, 24]], [[100] * 3], [[10] * 3], [[100] * 3])["flagged"].item()
    True
    """
    if progress is not None:
        within("progress", progress, 0, np.inf)
    try:
        tables = [pd.DataFrame(table) for table in (counts, totals, comparator_counts, comparator_totals)]
    except ValueError as error:
        raise MeasureError(
            Problem("Not a table.", value=str(error)[:80], expected="3 columns, a row a group")
        ) from None
    shapes = sorted({table.shape for table in tables})
    if len(shapes) > 1 or shapes[0][1] != YEARS:
        raise MeasureError(Problem("Tables must agree, with a column a census.", value=shapes, expected="3 columns"))
    columns = tuple(table.to_numpy().ravel() for table in tables)
    ratio, status, _ = _idea_ratio(columns, threshold, minimum_cell, minimum_n)
    ratio, status = ratio.reshape(-1, YEARS), status.reshape(-1, YEARS)
    first = status[np.arange(len(status)), (status != "").argmax(axis=1)]
    smallest = ratio.min(axis=1)
    if progress is not None:
        with np.errstate(invalid="ignore"):
            fell = (-np.diff(ratio, axis=1) >= progress - TINY).all(axis=1)
        first = np.where((first == "") & fell & (log_or_infinite(smallest) > np.log(threshold) + TINY), PROGRESS, first)
    return rule_answer(tables[0].index, first, smallest > 1, log_or_infinite(smallest), np.log(threshold))


def four_fifths(
    count: ArrayLike, total: ArrayLike, family: ArrayLike | None = None, low: float = 0.80, high: float = 1.25
) -> pd.DataFrame:
    """Is a group's rate under ``low`` or over ``high`` of the overall rate of its family, itself included?

    ``strength`` is the log of the index over the log of the limit on its side (with 0.80 and 1.25 |log index| / 0.223);
    flagged over 1. Exactly on a limit is not flagged. Source: proportionality index, California Community Colleges
    2014, made for the lower side.

    >>> four_fifths([30, 20, 10], [100, 100, 100]).round(2).values.tolist()
    [['over', True, 1.82, ''], ['', False, 0.0, ''], ['under', True, 3.11, '']]
    """
    within("low", low, 0, 1)
    within("high", high, 1, np.inf)
    x, n, overall, status, index = in_families(count, total, family)
    status = np.where((status == "") & (overall[0] == 0), NOBODY_IDENTIFIED, status)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_index = log_or_infinite((x / n) / (overall[0] / overall[1]))
    strength = np.where(log_index > 0, log_index / np.log(high), log_index / np.log(low))
    return rule_answer(index, status, log_index, np.abs(strength), 1.0)


def index_against_highest(
    count: ArrayLike, total: ArrayLike, family: ArrayLike | None = None, low: float = 0.80
) -> pd.DataFrame:
    """Is a group's rate under ``low`` of the rate of the highest group in its family, however small that group is?

    The highest group itself, and those equal to it, have no direction; nobody can be "over". ``strength`` is minus the
    log of the index, infinite at a count of 0. Exactly on the limit is not flagged. Source: 29 CFR 1607.4(D);
    California Community Colleges 2014.

    >>> index_against_highest([30, 24, 10], [100, 100, 100]).round(2).values.tolist()
    [['', False, 0.0, ''], ['under', False, 0.22, ''], ['under', True, 1.1, '']]
    """
    within("low", low, 0, 1)
    x, n, overall, status, index = in_families(count, total, family)
    status = np.where((status == "") & (overall[0] == 0), NOBODY_IDENTIFIED, status)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x / n / overall[2]
    return rule_answer(index, status, ratio - 1, np.abs(log_or_infinite(ratio)), -np.log(low))


def point_gap(
    count: ArrayLike, total: ArrayLike, family: ArrayLike | None = None, minimum_margin: float = 0.03
) -> pd.DataFrame:
    """Is a group's rate as far from the overall rate of its family as the margin, max(1.96 √(0.25/n), 3 points)?

    ``minimum_margin`` is a share of pupils, 0 to 1. ``strength`` is the gap over the margin; flagged from 1. Both
    directions, where the source looks at rates below only. Source: California Community Colleges 2017.

    >>> point_gap([30, 10], [100, 100]).round(2).values.tolist()
    [['over', True, 1.02, ''], ['under', True, 1.02, '']]
    """
    if not 0 <= minimum_margin < 1:
        raise MeasureError(Problem("Out of range.", where="minimum_margin", value=minimum_margin, expected="0 to 1"))
    x, n, overall, status, index = in_families(count, total, family)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = x / n - overall[0] / overall[1]
        margin = np.maximum(CONSTANTS["point_gap"]["z"] * np.sqrt(0.25 / n), minimum_margin)
    return rule_answer(index, status, gap, np.abs(gap) / margin, 1.0, reaching=True)


def adjusted_threshold(
    risk_ratio: ArrayLike, p_value: ArrayLike, high: float = 1.33, low: float = 0.75, alpha: float = 0.05
) -> pd.DataFrame:
    """Is an adjusted ratio at most ``low`` or at least ``high``, with a p-value under ``alpha``?

    ``strength`` is −log10 of the p-value where the ratio is beyond either limit (flagged over 1.30 at 0.05) and 0 where
    it is not: moving its cut-off moves ``alpha`` and leaves the limits. A ratio of 0 or infinity is taken as it is.
    Source: after Strand and Lindorff 2018.

    >>> adjusted_threshold([1.33, 1.2, 0.6], [0.04, 0.001, 0.2]).round(2).values.tolist()
    [['over', True, 1.4, ''], ['over', False, 0.0, ''], ['under', False, 0.7, '']]
    """
    within("low", low, 0, 1)
    within("high", high, 1, np.inf)
    within("alpha", alpha, 0, 1)
    ratio, p, index = aligned(risk_ratio, p_value)
    bad = [np.isnan(ratio) | np.isnan(p), ratio < 0, (p < 0) | (p > 1)]
    status = np.select(bad, [MISSING, NEGATIVE, NOT_A_P_VALUE], default="").astype(object)
    beyond = (ratio >= high - TINY) | (ratio <= low + TINY)
    strength = np.where(beyond, np.abs(log_or_infinite(np.where(status == "", p, 1.0))) / np.log(10), 0.0)
    return rule_answer(index, status, ratio - 1, strength, -np.log10(alpha))


def verdicts(
    frame: pd.DataFrame,
    *,
    group: str,
    count: str,
    total: str,
    comparator_count: str,
    comparator_total: str,
    family: str | list[str] | None = None,
) -> pd.DataFrame:
    """What would every rule that needs one census of counts have said of each group?

    ``frame`` has one row a group within a family; the comparator's counts serve as the benchmark of ``beyond_limits``.
    Returns a row a group and rule, in the order of the frame and of ``RULES``: the family's columns, ``group``,
    ``rule``, ``direction``, ``flagged``, ``status``. Raises ``MeasureError`` for a column that is not there.

    >>> rows = pd.DataFrame({"g": ["a", "b"], "x": [40, 50], "n": [100, 400], "x0": [50, 40], "n0": [400, 100]})
    >>> said = verdicts(rows, group="g", count="x", total="n", comparator_count="x0", comparator_total="n0")
    >>> said.query("group == 'b' and not flagged")["rule"].tolist()
    ['idea']
    """
    keys = [family] if isinstance(family, str) else list(family or [])
    missing = [c for c in (group, count, total, comparator_count, comparator_total, *keys) if c not in frame]
    if missing:
        raise MeasureError(
            *(
                Problem("There is no such column.", value=c, mend=did_you_mean(c, map(str, frame.columns)))
                for c in missing
            )
        )
    pair = frame[count], frame[total]
    four = (*pair, frame[comparator_count], frame[comparator_total])
    families = frame.groupby(keys, dropna=False, sort=False).ngroup() if keys else None
    found = {function.__name__: function(*four) for function in _COMPARED}
    found |= {function.__name__: function(*pair, family=families) for function in _OVERALL}
    head = frame[keys].assign(group=frame[group].to_numpy()).reset_index(drop=True)
    parts = [
        head.assign(rule=rule).join(found[rule][["direction", "flagged", "status"]].reset_index(drop=True))
        for rule in RULES
        if rule in found
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


_COMPARED = (chi_square, intervals_apart, beyond_limits, idea)
_OVERALL = (council_tool, four_fifths, index_against_highest, point_gap)
