"""One outcome of one dimension, ready to be asked: counts by school and pattern, and each model fitted once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import contrasts
from jsna.disproportionality.patterns import Patterns, lined_up, require_columns, usable_counts
from jsna.disproportionality.regression import Fit, try_fit
from jsna.errors import MeasureError, Problem

LINES = ("crude", "age_and_sex", "adjusted")


@dataclass(repr=False)
class Study:
    """One outcome of one dimension, with the models fitted so far: each is fitted once, when it is asked for."""

    patterns: Patterns
    count: NDArray
    period: NDArray
    periods: pd.Index
    period_column: str
    demographic: tuple[str, ...]
    deprivation: tuple[str, ...]
    subsets: Mapping[str, NDArray] = field(default_factory=dict)
    _fits: dict[tuple[str, object, str], Fit | None] = field(default_factory=dict)

    def variables(self, line: str) -> list[str]:
        """What a line adjusts for, besides the census."""
        more = {"crude": (), "age_and_sex": self.demographic, "adjusted": (*self.demographic, *self.deprivation)}
        return [self.period_column, *more[line]]

    def cells(self, period: int | None, subset: str = "") -> NDArray | None:
        """The cells of a census (None: of all) and of a named subset."""
        mask = None if period is None else self.period == period
        if subset:
            mask = self.subsets[subset] if mask is None else mask & self.subsets[subset]
        return mask

    def fit(self, line: str, period: int | None = None, subset: str = "") -> Fit | None:
        """The model of a line; None where nobody, or everybody, is identified."""
        key = (line, period, subset)
        if key not in self._fits:
            cells = self.cells(period, subset)
            x = self.count.sum() if cells is None else self.count[cells].sum()
            n = self.patterns.total.sum() if cells is None else self.patterns.total[cells].sum()
            made = (
                try_fit(self.patterns, self.count, variables=self.variables(line), cells=cells) if 0 < x < n else None
            )
            self._fits[key] = made
        return self._fits[key]

    def log_ratio(self, line: str, period: int | None = None, subset: str = "") -> NDArray:
        """Log ratio of each group to all others; missing where it cannot be estimated."""
        made = self.fit(line, period, subset)
        if made is None:
            return np.full(len(self.patterns.groups), np.nan)
        return contrasts(made)[0]


def studies(
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
    subsets: Mapping[str, pd.Series] | None = None,
) -> Iterator[tuple[str, Study]]:
    """A study of each outcome, by name. Columns as in ``flags``; all rows are judged before the first is given."""
    if not len(outcomes):
        raise MeasureError(Problem("No outcome is named.", expected="at least one column of counts"))
    more = [cluster, *demographic, *deprivation, *([known] if known else [])]
    require_columns(frame, [group, *outcomes, total, period, *more])
    wrong = [name for name, mask in (subsets or {}).items() if len(mask) != len(frame)]
    if wrong:
        raise MeasureError(*(Problem("A subset is not as long as the frame.", where=name) for name in wrong))
    counts = _all_usable(frame, outcomes, total, group)
    patterns = lined_up(
        frame, group=group, total=total, adjust=[period, *demographic, *deprivation], cluster=cluster, known=known
    )
    at, periods = pd.factorize(frame[period], sort=True)
    for outcome, count in counts.items():
        yield (
            outcome,
            Study(
                patterns=patterns,
                count=count,
                period=at,
                periods=periods,
                period_column=period,
                demographic=tuple(demographic),
                deprivation=tuple(deprivation),
                subsets={name: np.asarray(mask, bool) for name, mask in (subsets or {}).items()},
            ),
        )


def _all_usable(frame: pd.DataFrame, outcomes: Sequence[str], total: str, group: str) -> dict[str, NDArray]:
    """The counts of every outcome. Raises ``MeasureError`` naming the wrong rows of all of them."""
    counts, problems = {}, []
    for outcome in outcomes:
        try:
            counts[outcome] = usable_counts(frame[outcome], frame[total], frame[group])[0]
        except MeasureError as error:
            problems += error.problems
    if problems:
        raise MeasureError(*problems)
    return counts


def repetition_floor(pairs: pd.DataFrame, *, periods: int) -> float:
    """By how much does counting the same pupils in several censuses widen a variance?

    ``pairs`` has one row a pair of censuses: ``first``, ``second`` (pupils in each), ``both`` (pupils in both) and, of
    the pupils in both, ``first_identified``, ``second_identified`` and ``both_identified``. Returns 1 + (2/T) Σ r, r
    the correlation of status among pupils in both censuses times the share that they are; 1 for one census.

    >>> pair = {"first": 100, "second": 100, "both": 90, "first_identified": 18, "second_identified": 18,
    ...         "both_identified": 18}
    >>> repetition_floor(pd.DataFrame([pair]), periods=2)
    1.9
    """
    n = pairs["both"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b, c = (pairs[k].to_numpy(float) / n for k in ("first_identified", "second_identified", "both_identified"))
        correlation = (c - a * b) / np.sqrt(a * (1 - a) * b * (1 - b))
        share = n / np.sqrt(pairs["first"].to_numpy(float) * pairs["second"].to_numpy(float))
    return float(1 + 2 / periods * np.nansum(np.where(np.isfinite(correlation), correlation, 0) * share))
