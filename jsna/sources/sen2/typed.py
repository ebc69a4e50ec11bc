"""Cells of the return, from text to values by the layout's types; what cannot be read is missing and listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from jsna.files.result import refused, together
from jsna.files.values import apart, booleans, codes_of_lists, dates, tidy, whole_numbers, without_decimal_zero
from jsna.sources.identity import masked
from jsna.sources.sen2.layout import Column, Table

PRIVATE = ("birth", "upn", "uln", "postcode")
# A cell longer than any code may be a sentence, and a sentence may be about a child.
LONGEST_SHOWN = 10
DIGITS = {"urn": r"\d{1,6}", "ukprn": r"\d{8}", "uln": r"\d{10}", "la": r"\d{3}|XXX", "year": r"20\d{2}"}
RULES = {
    "date": ("not a date", "Write it as 2026-01-15."),
    "birth": ("not a date", "Write it as 2026-01-15."),
    "yes_no": ("neither yes nor no", "Write 1 or 0."),
    "rank": ("not a rank", "Write 1 for the first and 2 for the second."),
    "urn": ("not a URN", "A URN has at most six digits."),
    "ukprn": ("not a UKPRN", "A UKPRN has eight digits."),
    "uln": ("not a unique learner number", "It has ten digits."),
    "la": ("not a number of an authority", "It has three digits, or is XXX for outside England."),
    "year": ("not a year", "Write the year of the collection in four digits."),
}
# Types that are read as another: the two differ only in what is shown of a refused cell, or in their list of codes.
KINDS = {"birth": "date", "ethnicity": "code"}

Typed = tuple[pd.Series, pd.Series]


def type_tables(
    texts: Mapping[str, pd.DataFrame], layouts: Mapping[str, Table], where: Mapping[str, str]
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """For each table every column of its layout, typed (all missing where the carrier has it not), and a quarantine of
    refused cells.

    Codes are text, "" where missing; yes and no are nullable booleans; ranks and years are nullable whole numbers.
    """
    filled: dict[str, list[tuple[str, Column]]] = {}
    for name, text in texts.items():
        for column in layouts[name].columns.values():
            if column.name in text and (text[column.name] != "").any():
                filled.setdefault(KINDS.get(column.type, column.type), []).append((name, column))
    typed: dict[tuple[str, str], Typed] = {}
    for kind, columns in filled.items():
        read = _read(kind, [texts[name][column.name] for name, column in columns], [c.codes for _, c in columns])
        typed |= {(name, column.name): one for (name, column), one in zip(columns, read, strict=True)}
    return {
        name: _table(text, layouts[name], where[name], {c: one for (of, c), one in typed.items() if of == name})
        for name, text in texts.items()
    }


def blanks(typed: pd.DataFrame) -> pd.DataFrame:
    """Which cells of a typed table have no value: missing ones, and empty text."""
    return typed.isna() | typed.isin([""])


def _table(
    text: pd.DataFrame, table: Table, where: str, typed: Mapping[str, Typed]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame, parts = {}, []
    for column in table.columns.values():
        if column.name not in typed:
            frame[column.name] = _blank(text.index, column.type)
            continue
        frame[column.name], bad = typed[column.name]
        if bad.any():
            cells = text.loc[bad, column.name]
            values = masked(cells) if column.type in PRIVATE else _short(cells)
            rule, mend = RULES.get(column.type, ("the code is not in the list", f"One of {_list(column)}."))
            parts.append(refused(where, text.index[bad], column.name, values, rule, mend))
    return pd.DataFrame(frame, index=text.index), together(parts)


def _read(kind: str, columns: Sequence[pd.Series], lists: Sequence[frozenset[str]]) -> list[Typed]:
    """Columns of one kind, read as one: most returns are small, and every step costs the same for few cells as for
    many. ``lists`` has each column's codes."""
    cells = pd.concat(columns, ignore_index=True)
    readers: dict[str, Callable[[pd.Series], Typed]] = {
        "date": dates,
        "yes_no": booleans,
        "rank": _ranks,
        "flag": lambda c: ((tidy(c) != "").astype("boolean"), pd.Series(False, index=c.index)),
        "text": lambda c: (tidy(c), pd.Series(False, index=c.index)),
        "upn": lambda c: (tidy(c).str.upper().str.replace(" ", "", regex=False), pd.Series(False, index=c.index)),
        "postcode": lambda c: (tidy(c).str.upper(), pd.Series(False, index=c.index)),
        "year": _years,
    }
    if kind in readers:
        typed, bad = readers[kind](cells)
    elif kind in DIGITS:
        typed, bad = _digits(cells, DIGITS[kind])
    else:
        which = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
        typed, bad = codes_of_lists(without_decimal_zero(cells.astype("str").str.strip()), lists, which)
    return list(zip(apart(typed, columns), apart(bad, columns), strict=True))


def _blank(index: pd.Index, kind: str) -> pd.Series:
    """A column without any value, in the type that its values would have."""
    types = {"date": "datetime64[us]", "birth": "datetime64[us]", "yes_no": "boolean", "rank": "Int64", "year": "Int64"}
    if kind == "flag":
        return pd.Series(False, index=index, dtype="boolean")
    dtype = types.get(kind, "str")
    return pd.Series("" if dtype == "str" else None, index=index, dtype=dtype)


def _digits(cells: pd.Series, pattern: str) -> Typed:
    kept = without_decimal_zero(tidy(cells)).str.upper()
    good = kept.str.fullmatch(pattern)
    return kept.where(good, ""), ~good & (kept != "")


def _years(cells: pd.Series) -> Typed:
    kept, bad = _digits(cells, DIGITS["year"])
    return whole_numbers(kept)[0], bad


def _ranks(cells: pd.Series) -> Typed:
    number, bad = whole_numbers(cells)
    strange = number.notna() & ~number.isin([1, 2])
    return number.mask(strange), bad | strange.fillna(False).astype("bool")


def _short(cells: pd.Series) -> pd.Series:
    return cells.where(cells.str.len() <= LONGEST_SHOWN, masked(cells))


def _list(column: Column) -> str:
    shown = sorted(column.codes)
    return ", ".join(shown) if len(shown) <= 20 else f"the {len(shown)} codes of the list of DfE"
