"""Rules on what the meta file says."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from jsna.pack.open_data.lookups import lists, place_columns, time_columns
from jsna.pack.open_data.pair import Offence, Pair, offences
from jsna.pack.open_data.rules import rule

FOR_INDICATORS = ("indicator_grouping", "indicator_unit", "indicator_dp")
FOR_FILTERS = ("filter_hint", "filter_grouping_column", "filter_default", "parent_filter")


def _broken(pair: Pair, column: str, wrong: pd.Series) -> Iterator[Offence]:
    return offences(pair.meta, column, wrong, "meta")


def _is(pair: Pair, kind: str) -> pd.Series:
    return pair.meta["col_type"] == kind


def _twice(pair: Pair, column: str) -> Iterator[Offence]:
    return _broken(pair, column, pair.meta[column].duplicated() & (pair.meta[column] != ""))


@rule
def meta_col_type(pair: Pair) -> Iterator[Offence]:
    """Every row is of a filter or of an indicator."""
    return _broken(pair, "col_type", ~pair.meta["col_type"].isin(lists()["col_types"]))


@rule
def meta_col_name_blank(pair: Pair) -> Iterator[Offence]:
    """Every row names its column."""
    return _broken(pair, "col_name", pair.meta["col_name"].str.strip() == "")


@rule
def meta_of_place_or_time(pair: Pair) -> Iterator[Offence]:
    """No row for a column of time or of places."""
    return _broken(pair, "col_name", pair.meta["col_name"].isin([*time_columns(), *place_columns()]))


@rule
def meta_col_name_twice(pair: Pair) -> Iterator[Offence]:
    """One row a column."""
    return _twice(pair, "col_name")


@rule
def meta_label_twice(pair: Pair) -> Iterator[Offence]:
    """One label a column."""
    return _twice(pair, "label")


@rule
def meta_label_blank(pair: Pair) -> Iterator[Offence]:
    """Every column has a label."""
    return _broken(pair, "label", pair.meta["label"].str.strip() == "")


def _filled(pair: Pair, kind: str, columns: tuple[str, ...]) -> Iterator[Offence]:
    for column in columns:
        if column in pair.meta:
            yield from _broken(pair, column, _is(pair, kind) & (pair.meta[column] != ""))


@rule
def meta_filter_blank(pair: Pair) -> Iterator[Offence]:
    """What is for indicators alone is blank on filters."""
    return _filled(pair, "Filter", FOR_INDICATORS)


@rule
def meta_indicator_blank(pair: Pair) -> Iterator[Offence]:
    """What is for filters alone is blank on indicators."""
    return _filled(pair, "Indicator", FOR_FILTERS)


@rule
def meta_unit(pair: Pair) -> Iterator[Offence]:
    """Units that EES knows."""
    return _broken(pair, "indicator_unit", _is(pair, "Indicator") & ~pair.meta["indicator_unit"].isin(_units()))


def _units() -> list[str]:
    return lists()["indicator_units"]


@rule
def meta_dp(pair: Pair) -> Iterator[Offence]:
    """A whole number of decimals, or blank."""
    return _broken(pair, "indicator_dp", _is(pair, "Indicator") & ~pair.meta["indicator_dp"].str.fullmatch(r"\d*"))


@rule
def meta_dp_blank(pair: Pair) -> Iterator[Offence]:
    """The decimals are said."""
    blank = _is(pair, "Indicator") & (pair.meta["indicator_dp"] == "")
    return offences(pair.meta.assign(indicator_dp=pair.meta["col_name"]), "indicator_dp", blank, "meta")


@rule
def meta_group_not_in_data(pair: Pair) -> Iterator[Offence]:
    """Every grouping column is there."""
    named = pair.meta["filter_grouping_column"]
    return _broken(pair, "filter_grouping_column", (named != "") & ~named.isin(pair.data.columns))


@rule
def meta_group_described(pair: Pair) -> Iterator[Offence]:
    """No row of its own for a grouping column."""
    return _broken(pair, "col_name", pair.meta["col_name"].isin(list(pair.groups.values())))
