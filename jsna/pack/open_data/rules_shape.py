"""Rules on what the files and columns are called, and on whether data and meta belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from jsna.pack.open_data.lookups import lists, place_columns, time_columns
from jsna.pack.open_data.pair import META_SUFFIX, Offence, Pair, Side
from jsna.pack.open_data.rules import rule

GIVEN = 5  # the compulsory columns of the data, which have no row in the meta file


def _names(pair: Pair) -> Iterator[tuple[Side, str]]:
    """The names of the two files without what every name ends in."""
    if pair.data_name:
        yield "data", pair.data_name.removesuffix(".csv")
    if pair.meta_name:
        yield "meta", pair.meta_name.removesuffix(META_SUFFIX)


def _odd(names: Iterable[str], allowed: str) -> Iterator[str]:
    return (name for name in names if not re.fullmatch(allowed, name))


@rule
def filename_spaces(pair: Pair) -> Iterator[Offence]:
    """No space in the name of a file."""
    return (Offence(side, value=name) for side, name in _names(pair) if " " in name)


@rule
def filename_characters(pair: Pair) -> Iterator[Offence]:
    """Letters, digits, - and _ only; a space has its own rule."""
    return (Offence(side, value=name) for side, name in _names(pair) if re.search(r"[^A-Za-z0-9_ -]", name))


@rule
def filename_stems(pair: Pair) -> Iterator[Offence]:
    """NAME.csv beside NAME.meta.csv, both of them there."""
    names = dict(_names(pair))
    if names.get("data") != names.get("meta"):
        yield Offence("meta", value=pair.meta_name or "none")


def _missing(side: Side, there: Iterable[str], wanted: Iterable[str]) -> Iterator[Offence]:
    there = set(there)
    return (Offence(side, column) for column in wanted if column not in there)


@rule
def data_required(pair: Pair) -> Iterator[Offence]:
    """The five columns that all data have."""
    return _missing("data", pair.data.columns, lists()["data_columns"])


@rule
def meta_required(pair: Pair) -> Iterator[Offence]:
    """The eight columns that all meta files have."""
    return _missing("meta", pair.meta.columns, lists()["meta_columns"])


@rule
def meta_unknown_column(pair: Pair) -> Iterator[Offence]:
    """No column of the meta file outside the known ones."""
    return _missing("meta", [*lists()["meta_columns"], *lists()["meta_columns_optional"]], pair.meta.columns)


@rule
def column_twice(pair: Pair) -> Iterator[Offence]:
    """No two columns with one name."""
    sides: tuple[Side, Side] = ("data", "meta")
    heads = {side: pd.Index(pair.table(side).columns) for side in sides}
    return (Offence(side, str(name)) for side, head in heads.items() for name in head[head.duplicated()].unique())


@rule
def meta_too_many_rows(pair: Pair) -> Iterator[Offence]:
    """Not more rows in the meta file than columns in the data, the compulsory five left out."""
    most = len(pair.data.columns) - GIVEN
    if len(pair.meta) > most:
        yield Offence("meta", value=f"{len(pair.meta)} rows, {most} at most")


@rule
def meta_not_in_data(pair: Pair) -> Iterator[Offence]:
    """Every column described is there; a blank name has its own rule."""
    names = pair.meta["col_name"]
    absent = ~names.isin(pair.data.columns) & (names != "")
    return (Offence("meta", "col_name", at + 2, 1, names[at]) for at in pair.meta.index[absent])


@rule
def data_not_in_meta(pair: Pair) -> Iterator[Offence]:
    """Every column that is neither of time nor of places is described, or groups a filter."""
    known = {*time_columns(), *place_columns(), *pair.meta["col_name"], *pair.meta["filter_grouping_column"]}
    return (Offence("data", column) for column in pair.data.columns if column not in known)


@rule
def column_characters(pair: Pair) -> Iterator[Offence]:
    """No space or odd character in the name of a column."""
    return (Offence("data", name) for name in _odd(pair.data.columns, r"[A-Za-z0-9_-]+"))


@rule
def column_snake_case(pair: Pair) -> Iterator[Offence]:
    """Names of columns in snake_case."""
    return (Offence("data", name) for name in _odd(pair.data.columns, r"[a-z0-9_]+"))


@rule
def column_start(pair: Pair) -> Iterator[Offence]:
    """Names of columns start with neither a capital nor a digit."""
    return (Offence("data", name) for name in _odd(pair.data.columns, r"(?![A-Z0-9]).*"))


@rule
def indicator_of_group(pair: Pair) -> Iterator[Offence]:
    """No indicator for a group of people: `pupils_female` is a filter on the loose."""
    words = "|".join(lists()["demographic_words"])
    return (Offence("data", name) for name in pair.indicators if re.search(words, name, re.IGNORECASE))


@rule
def column_characteristic(pair: Pair) -> Iterator[Offence]:
    """No column called characteristic."""
    return (Offence("data", name) for name in pair.data.columns if name == "characteristic")
