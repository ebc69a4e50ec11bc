"""One outcome of one dimension, ready to be asked: counts by school and pattern, and each model fitted once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.disproportionality.adjusted import contrasts
from jsna.disproportionality.patterns import Patterns, Sums, lined_up, require_columns, usable_counts
from jsna.disproportionality.regression import Fit, try_fit
from jsna.errors import MeasureError, Problem
from jsna.measures.columns import true_or_false

LINES = ("crude", "age_and_sex", "adjusted")
PAIR_COLUMNS = ("first", "second", "both", "first_identified", "second_identified", "both_identified")


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
    _shared: dict[str, NDArray] = field(default_factory=dict)
    _sums: dict[tuple[object, str], Sums] = field(default_factory=dict)
    _fits: dict[tuple[tuple[str, ...], object, str], Fit | None] = field(default_factory=dict)

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
        # Where the groups are fifths of deprivation, two lines are the same model.
        key = (tuple(self.variables(line)), period, subset)
        if key not in self._fits:
            sums = self.sums(period, subset)
            some = 0 < sums[1].sum() < sums[0].sum()
            chosen = {"variables": key[0], "cells": self.cells(period, subset), "sums": sums}
            if period is not None or subset:
                # The same model of all pupils is a start from which the search is short.
                chosen["start"] = self.fit(line)
            self._fits[key] = try_fit(self.patterns, self.count, **chosen) if some else None
        return self._fits[key]

    def sums(self, period: int | None = None, subset: str = "") -> Sums:
        """Pupils, and those identified, by pattern: of a census, and of a subset; added up once, for all lines."""
        if (period, subset) not in self._sums:
            if period is not None:
                # A pattern is of one census.
                here = self._pattern_period == period
                total, identified = self.sums(None, subset)
                made = np.where(here, total, 0.0), np.where(here, identified, 0.0)
            else:
                made = self.patterns.sums(self.count, self.cells(None, subset))
            self._sums[period, subset] = made
        return self._sums[period, subset]

    def by_group(self, period: int | None = None) -> Sums:
        """Pupils, and those identified, by group: of a census, or of all."""
        total, identified = self.sums(period)
        return self.patterns.patterns_by_group(total), self.patterns.patterns_by_group(identified)

    @property
    def _pattern_period(self) -> NDArray:
        if "period" not in self._shared:
            self._shared["period"] = np.full(len(self.patterns.matrix), -1)
            self._shared["period"][self.patterns.pattern] = self.period
        return self._shared["period"]

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
    counts = _all_usable(frame, outcomes, total, group)
    patterns = lined_up(
        frame, group=group, total=total, adjust=[period, *demographic, *deprivation], cluster=cluster, known=known
    )
    at, periods = _periods(frame[period])
    masks, shared = _masks(frame, subsets or {}), {}
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
                subsets=masks,
                _shared=shared,
            ),
        )


def _periods(column: pd.Series) -> tuple[NDArray, pd.Index]:
    """The census of each row (−1: not recorded), and the names of the censuses, oldest first."""
    place, values = pd.factorize(column)
    each = pd.Series([str(int(v)) if isinstance(v, float) and v.is_integer() else v for v in values], dtype=object)
    if not column.notna().any():
        raise MeasureError(
            Problem("No row says of which census it is.", where=f"column {column.name}", expected="one census or more")
        )
    text = each.astype(str)
    twice = [t for t, n in each.groupby(text).nunique().items() if n > 1]
    if twice:
        raise MeasureError(
            *(
                Problem(
                    "A census is written in two ways, as text and as a number.",
                    where=f"column {column.name}",
                    value=name,
                    mend="Write it in one way throughout.",
                )
                for name in twice
            )
        )
    code, names = pd.factorize(text, sort=True)
    return np.append(code, -1)[place], names


def _masks(frame: pd.DataFrame, subsets: Mapping[str, pd.Series]) -> dict[str, NDArray]:
    """The subsets as masks of the frame's rows. Raises ``MeasureError`` for those that are none."""
    problems = []
    for name, mask in subsets.items():
        if len(mask) != len(frame):
            problems.append(Problem("A subset is not as long as the frame.", where=name))
        elif isinstance(mask, pd.Series) and not mask.index.equals(frame.index):
            problems.append(Problem("A subset's index is not that of the frame.", where=name))
    if problems:
        raise MeasureError(*problems)
    return {n: true_or_false(pd.Series(np.asarray(m), name=n), "Whether a row belongs") for n, m in subsets.items()}


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
    the correlation of status among pupils in both censuses times the share that they are; 1 without pairs. Raises
    ``MeasureError`` for a column that is not there.

    >>> pair = {"first": 100, "second": 100, "both": 90, "first_identified": 18, "second_identified": 18,
    ...         "both_identified": 18}
    >>> repetition_floor(pd.DataFrame([pair]), periods=2)
    1.9
    """
    if not len(pairs):
        return 1.0
    require_columns(pairs, PAIR_COLUMNS)
    if periods < 1:
        raise MeasureError(Problem("Not a number of censuses.", value=periods, expected="1 or more"))
    n = pairs["both"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b, c = (pairs[k].to_numpy(float) / n for k in ("first_identified", "second_identified", "both_identified"))
        correlation = (c - a * b) / np.sqrt(a * (1 - a) * b * (1 - b))
        share = n / np.sqrt(pairs["first"].to_numpy(float) * pairs["second"].to_numpy(float))
    return float(1 + 2 / periods * np.nansum(np.where(np.isfinite(correlation), correlation, 0) * share))
