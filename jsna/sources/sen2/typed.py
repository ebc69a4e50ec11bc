"""Cells of the return, from text to values by the layout's types; what cannot be read is missing and listed."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from jsna.files.result import refused, together
from jsna.files.values import booleans, codes, dates, tidy, whole_numbers, without_decimal_zero
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

Typed = tuple[pd.Series, pd.Series]


def type_table(text: pd.DataFrame, table: Table, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every column of ``table``, typed (all missing where the carrier has it not), and a quarantine of refused cells.

    Codes are text, "" where missing; yes and no are nullable booleans; ranks and years are nullable whole numbers.
    """
    frame, parts = {}, []
    for column in table.columns.values():
        cells = text[column.name] if column.name in text else pd.Series("", index=text.index, dtype="str")
        frame[column.name], bad = _read(cells, column)
        if bad.any():
            values = masked(cells[bad]) if column.type in PRIVATE else _short(cells[bad])
            rule, mend = RULES.get(column.type, ("the code is not in the list", f"One of {_list(column)}."))
            parts.append(refused(where, text.index[bad], column.name, values, rule, mend))
    return pd.DataFrame(frame, index=text.index), together(parts)


def _read(cells: pd.Series, column: Column) -> Typed:
    if not (cells != "").any():
        return _blank(cells.index, column.type), pd.Series(False, index=cells.index)
    readers: dict[str, Callable[[pd.Series], Typed]] = {
        "date": dates,
        "birth": dates,
        "yes_no": booleans,
        "rank": _ranks,
        "flag": lambda c: ((tidy(c) != "").astype("boolean"), pd.Series(False, index=c.index)),
        "text": lambda c: (tidy(c), pd.Series(False, index=c.index)),
        "upn": lambda c: (tidy(c).str.upper().str.replace(" ", "", regex=False), pd.Series(False, index=c.index)),
        "postcode": lambda c: (tidy(c).str.upper(), pd.Series(False, index=c.index)),
        "year": _years,
    }
    if column.type in readers:
        return readers[column.type](cells)
    if column.type in DIGITS:
        return _digits(cells, DIGITS[column.type])
    return codes(without_decimal_zero(cells.astype("str").str.strip()), column.codes)


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
