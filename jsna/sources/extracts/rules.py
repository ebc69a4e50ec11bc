"""The closed set of rules across columns: each takes a typed frame and says of every row whether it breaks the rule.

A missing value breaks no rule but ``filled``, ``filled_any`` and ``overdue``, which are about missing values. All work
on whole columns; the frame's index is the file's row and is what comes back. Which rule holds for which columns, and in
which words, is data (``specs/*.yml``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jsna.sources.extracts.identifying import tells_who

Where = Sequence[Mapping[str, Any]]
FILLED, BLANK = "filled", "blank"


def is_filled(column: pd.Series) -> pd.Series:
    """Whether each cell holds something; text that is missing is "".

    >>> is_filled(pd.Series(["a", ""])).tolist()
    [True, False]
    """
    return (column != "").fillna(False).astype(bool) if _is_text(column) else column.notna()


def holds(frame: pd.DataFrame, where: Where) -> pd.Series:
    """Rows for which any of the conditions holds; a condition names columns with codes, ``filled`` or ``blank``.

    >>> frame = pd.DataFrame({"a": ["Y", "N", ""], "b": ["1", "", ""]})
    >>> holds(frame, [{"a": ["Y"]}, {"b": "blank", "a": "blank"}]).tolist()
    [True, False, True]
    """
    result = pd.Series(not where, index=frame.index)
    for condition in where:
        each = pd.Series(True, index=frame.index)
        for name, wanted in condition.items():
            if wanted in (FILLED, BLANK):
                each &= is_filled(frame[name]) == (wanted == FILLED)
            else:
                each &= _as_codes(frame[name]).isin(wanted)
        result |= each
    return result


def unique(frame: pd.DataFrame, columns: Sequence[str], where: Where = ()) -> pd.Series:
    """A key stands in several rows. Of rows that are wholly alike the first is in order; of rows that differ, none."""
    kept = frame[holds(frame, where) & _all_filled(frame, columns)]
    double = kept.duplicated()
    conflict = kept[~double].duplicated(list(columns), keep=False)
    return _on(frame, double | conflict.reindex(kept.index, fill_value=False))


def filled(frame: pd.DataFrame, columns: Sequence[str], where: Where = ()) -> pd.Series:
    """One of the columns is missing where the condition holds."""
    return holds(frame, where) & ~_all_filled(frame, columns)


def filled_any(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """All of the columns are missing."""
    return ~_any_filled(frame, columns)


def only_with(frame: pd.DataFrame, columns: Sequence[str], where: Where, values: Sequence[str] = ()) -> pd.Series:
    """One of the columns is filled (or has one of ``values``) where the condition does not hold."""
    there = [_as_codes(frame[c]).isin(values) if values else is_filled(frame[c]) for c in columns]
    return _any_of(frame, there) & ~holds(frame, where)


def order(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """A date is before one that stands further left in ``columns``; missing dates are passed over."""
    latest, broken = frame[columns[0]], pd.Series(False, index=frame.index)
    for name in columns[1:]:
        broken |= frame[name] < latest
        latest = pd.concat([latest, frame[name]], axis="columns").max(axis="columns")
    return broken


def gap(frame: pd.DataFrame, first: str, then: str, months: int, or_first: str, or_months: int) -> pd.Series:
    """``then`` is later than ``months`` after ``first``, and later than ``or_months`` after ``or_first`` if given."""
    limit = frame[first] + pd.DateOffset(months=months)
    other = frame[or_first] + pd.DateOffset(months=or_months)
    return (frame[then] > limit) & ~(frame[then] <= other)


def equal(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Two columns are both filled and differ."""
    one, other = (frame[c] for c in columns)
    return is_filled(one) & is_filled(other) & (one != other)


def due(frame: pd.DataFrame, column: str, after: Sequence[str], months: int, tolerance: int) -> pd.Series:
    """A date is not ``months`` (give or take ``tolerance`` days) after the first filled one of ``after``."""
    start = frame[list(after)].bfill(axis="columns").iloc[:, 0]
    away = (frame[column] - (start + pd.DateOffset(months=months))).abs()
    return away > pd.Timedelta(days=tolerance)


def overdue(frame: pd.DataFrame, column: str, due: str, at: str) -> pd.Series:
    """A column is missing although its due date was before ``at``."""
    return ~is_filled(frame[column]) & (frame[due] < frame[at])


def on_day(frame: pd.DataFrame, column: str, day: str, where: Where) -> pd.Series:
    """A date is not on this day of its year (``02-15``) where the condition holds."""
    return holds(frame, where) & frame[column].notna() & (frame[column].dt.strftime("%m-%d") != day)


def in_year(frame: pd.DataFrame, column: str, year: str, begins: str) -> pd.Series:
    """A date is outside the year (``202526``) that begins on ``begins`` (``04-01``) of its first calendar year."""
    first = pd.to_datetime(frame[year].str[:4] + "-" + begins, errors="coerce")
    last = first + pd.DateOffset(years=1)
    return (frame[column] < first) | (frame[column] >= last)


def not_after_month(frame: pd.DataFrame, column: str, month: str) -> pd.Series:
    """A date is after the last day of the month (``2026-01``)."""
    last = pd.to_datetime(frame[month] + "-01", errors="coerce") + pd.offsets.MonthEnd(0)
    return frame[column] > last


def between(
    frame: pd.DataFrame, column: str, low: float | None = None, high: float | None = None, where: Where = ()
) -> pd.Series:
    """A number is below ``low`` or above ``high`` where the condition holds."""
    value = frame[column].astype("Float64")
    out = pd.Series(False, index=frame.index)
    if low is not None:
        out |= (value < low).fillna(False).astype(bool)
    if high is not None:
        out |= (value > high).fillna(False).astype(bool)
    return out & holds(frame, where)


def sum_within(frame: pd.DataFrame, parts: Sequence[str], whole: str) -> pd.Series:
    """The parts add up to more than the whole."""
    total = frame[list(parts)].astype("Float64").sum(axis="columns", skipna=False)
    return (total > frame[whole].astype("Float64")).fillna(False).astype(bool)


def total_within(
    frame: pd.DataFrame, column: str, by: Sequence[str], year_of: str, limit: int, where: Where
) -> pd.Series:
    """A group's sum over an academic year (September to August of the date ``year_of``) is over the limit."""
    kept = frame[holds(frame, where) & frame[year_of].notna()]
    year = kept[year_of].dt.year - (kept[year_of].dt.month < 9)
    total = kept[column].astype("Float64").groupby([*(kept[c] for c in by), year]).transform("sum")
    return _on(frame, (total > limit).fillna(False).astype(bool))


def no_overlap(frame: pd.DataFrame, by: str, start: str, sessions: str, where: Where) -> pd.Series:
    """An event starts before the latest earlier one of the same person ended; two sessions are a weekday."""
    kept = frame[holds(frame, where) & frame[start].notna() & frame[sessions].notna()]
    kept = kept.sort_values([by, start], kind="stable")
    days = np.maximum(np.ceil(kept[sessions].astype("float64").to_numpy() / 2), 1).astype("int64") - 1
    begun = kept[start].to_numpy().astype("datetime64[D]")
    end = pd.Series(np.busday_offset(begun, days, roll="forward").astype("datetime64[us]"), index=kept.index)
    latest = end.groupby(kept[by]).cummax().groupby(kept[by]).shift()
    return _on(frame, kept[start] <= latest)


def again(frame: pd.DataFrame, by: str, date: str, days: int) -> pd.Series:
    """The same person has another row whose date is within so many days before this one's."""
    kept = frame[is_filled(frame[by]) & frame[date].notna()].sort_values([by, date], kind="stable")
    before = kept.groupby(by)[date].shift()
    return _on(frame, (kept[date] - before) <= pd.Timedelta(days=days))


def not_both(frame: pd.DataFrame, conditions: Where) -> pd.Series:
    """All of the conditions hold at once."""
    return ~_any_of(frame, [~holds(frame, [condition]) for condition in conditions])


def one_value(frame: pd.DataFrame, columns: Sequence[str], by: Sequence[str] = ()) -> pd.Series:
    """Filled cells differ from the most frequent value of the whole file (or of the group)."""
    column = frame[columns[0]]
    there = is_filled(column)
    keys = [frame.loc[there, c] for c in by] or [pd.Series(0, index=frame.index[there])]
    most = column[there].groupby(keys).transform(lambda s: s.value_counts().index[0])
    return _on(frame, column[there] != most)


def share(
    frame: pd.DataFrame,
    least: int,
    where: Where = (),
    of: Where = (),
    equal: Sequence[str] = (),
    above: float = 1.0,
    below: float = 0.0,
) -> pd.Series:
    """A sign about the whole file: the share of rows with the condition is over ``above`` or under ``below``.

    With ``equal``, the condition is that two columns are the same, among rows where both are filled. Judged from
    ``least`` rows on. Comes back with the rows that carry the sign, or, under ``below``, those that lack it.
    """
    base = _all_filled(frame, equal) if equal else holds(frame, of)
    sign = base & (frame[equal[0]] == frame[equal[1]] if equal else holds(frame, where))
    if base.sum() < least:
        return pd.Series(False, index=frame.index)
    part = sign.sum() / base.sum()
    if part > above:
        return sign
    return base & ~sign if part < below else pd.Series(False, index=frame.index)


def starts_late(frame: pd.DataFrame, columns: Sequence[str], first: str, days: int, least: int) -> pd.Series:
    """A sign about the whole file: no date of the columns is within so many days after the first of ``first``.

    Comes back with the rows that have one of the dates. Judged from ``least`` rows on.
    """
    there = _any_filled(frame, columns)
    begun = frame[first].min() + pd.Timedelta(days=days)
    late = len(frame) >= least and frame[list(columns)].min().min() > begun
    return there & late


def commonest(frame: pd.DataFrame, column: str, above: float, least: int) -> pd.Series:
    """A sign about the whole file: one value stands in more than a share of the filled rows."""
    there = frame[column][is_filled(frame[column])]
    if len(there) < least:
        return pd.Series(False, index=frame.index)
    count = there.groupby(there).transform("size")
    return _on(frame, (count == count.max()) & (count > above * len(there)))


def identifying(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """A text holds what could tell who somebody is (``identifying.yml``)."""
    return _any_of(frame, [tells_who(frame[c]) for c in columns])


RULES: dict[str, Callable[..., pd.Series]] = {
    function.__name__: function
    for function in (
        unique,
        filled,
        filled_any,
        only_with,
        order,
        gap,
        equal,
        due,
        overdue,
        on_day,
        in_year,
        not_after_month,
        between,
        sum_within,
        total_within,
        no_overlap,
        again,
        not_both,
        one_value,
        share,
        starts_late,
        commonest,
        identifying,
    )
}
_NAMES_COLUMNS = ("columns", "column", "first", "then", "or_first", "after", "due", "at", "year", "month", "parts")
_ALSO = ("whole", "by", "year_of", "start", "sessions", "date", "equal")
_CONDITIONS = ("where", "of", "conditions")


def columns_of(given: Mapping[str, Any]) -> list[str]:
    """The columns that a rule looks at, from what it is given."""
    return list(dict.fromkeys(_column_names(given)))


def _column_names(given: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        if key in _NAMES_COLUMNS or key in _ALSO:
            yield from [value] if isinstance(value, str) else value
        elif key in _CONDITIONS:
            for condition in value:
                yield from condition


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(column.dtype)


def _as_codes(column: pd.Series) -> pd.Series:
    """A column as the text that conditions name: yes and no are 1 and 0."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "1", False: "0"}).astype("string").fillna("").astype("str")
    return column.astype("string").fillna("").astype("str")


def _all_filled(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    return ~_any_of(frame, [~is_filled(frame[c]) for c in columns])


def _any_filled(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    return _any_of(frame, [is_filled(frame[c]) for c in columns])


def _any_of(frame: pd.DataFrame, masks: Sequence[pd.Series]) -> pd.Series:
    result = pd.Series(False, index=frame.index)
    for mask in masks:
        result |= mask
    return result


def _on(frame: pd.DataFrame, mask: pd.Series) -> pd.Series:
    return mask.reindex(frame.index, fill_value=False).fillna(False).astype(bool)
