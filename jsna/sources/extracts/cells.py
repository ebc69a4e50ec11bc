"""Cells of a local extract, from text to values by the column's type, and what of a bad cell may be shown.

Each type gives the typed column and, where cells could not be read, a reason in words for each kind of fault; these
cells are missing in the column.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from jsna.errors import did_you_mean
from jsna.files import values
from jsna.files.headers import bare
from jsna.sources.extracts.specification import Column
from jsna.sources.identity import masked

UPN = r"(?i)[A-Z]\d{11}[0-9A-Z]"
# Letters alone, in one or several words: numbers without meaning have digits. Or, digits or not, words with a comma
# between them, or two words with small letters.
NAME = r"(?!(?i:[0-9a-f]{8,})$)[^\W\d_][^\W\d_.'’-]*(?:[ ,.'’-]+[^\W\d_]+)*[.]?"
WORDS = r".*[^\W\d_]\w*, *[^\W\d_].*|.*[^\W\d_]*[a-zà-ÿ]+\w* +[^\W\d_]*[a-zà-ÿ]+.*"
POSTCODE = r"(?i)[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
FILLER = r".*\b(?:1899|1900|1901|2099|9999)\b.*"
DAYS = r"-?\d{1,4}(?:\.\d+)?"
SHOWN_NUMBER = r"[-+]?[\d,.]{1,9}%?"
SHOWN_DATE = r"\d{1,4}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{1,4}(?:[ T][\d:.]+)?"

_MISSING = {
    "date": (pd.NaT, "datetime64[us]"),
    "flag": (pd.NA, "boolean"),
    "whole": (pd.NA, "Int64"),
    "number": (float("nan"), "float64"),
}

Faults = dict[str, pd.Series]
Typed = tuple[pd.Series, Faults]


def typed(text: pd.Series, column: Column) -> Typed:
    """The column typed, and ``{reason: mask of the cells that fail for it}``; such cells are missing.

    Text is "" where missing, dates are datetime64, yes and no are nullable booleans, whole numbers Int64.
    """
    if not (text != "").any():
        return empty(text.index, column), {}
    series, faults = _TYPES[column.type](text, column)
    return series, {reason: mask for reason, mask in faults.items() if mask.any()}


def empty(index: pd.Index, column: Column) -> pd.Series:
    """A column that the file does not have: missing in every row, in the type that it would have."""
    missing, dtype = _MISSING.get(column.type, ("", "str"))
    return pd.Series(missing, index=index, dtype=dtype)


def showable(text: pd.Series, column: Column) -> pd.Series:
    """What a quarantine may show of cells that could not be read: never what could be a person's name or number.

    Numbers and dates show what looks like one; codes show what is short, near to a code, or in five rows or more;
    everything else is hidden.
    """
    kept = values.trim(text)
    if column.type in ("date", "month", "year", "whole", "number", "flag", "la", "urn"):
        fine = kept.str.fullmatch(SHOWN_NUMBER) | kept.str.fullmatch(SHOWN_DATE)
    elif column.type == "code":
        known = [*column.labels, *column.labels.values(), *column.also]
        near = {v: bool(did_you_mean(v, known)) for v in kept.unique()}
        often = kept.map(kept.value_counts()).ge(5) & ~kept.str.contains(r"\d")
        short = (kept.str.len() <= 3) | ((kept.str.len() == 4) & kept.str.isupper())
        fine = short | often | kept.map(near).astype(bool)
    else:
        fine = pd.Series(False, index=kept.index)
    return kept.where(fine, masked(kept))


def looks_like_upn(text: pd.Series) -> pd.Series:
    """Cells in the form of a unique pupil number."""
    return values.trim(text).str.fullmatch(UPN)


def _id(text: pd.Series, column: Column) -> Typed:
    given = values.without_decimal_zero(values.tidy(text))
    long = given.str.len() > column.longest
    kept = given.mask(long, "")
    damaged = kept.str.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d+")
    upn = kept.str.fullmatch(UPN) | kept.str.fullmatch(POSTCODE)
    name = (kept.str.fullmatch(NAME) | kept.str.fullmatch(WORDS)) & ~upn & (not column.named) & (kept != "")
    return kept.where(~(damaged | upn | name), ""), {
        "a spreadsheet has cut the number's digits (9.99E+06)": damaged,
        "this looks like a pupil number or a postcode, not a number without meaning": upn,
        "this looks like a name": name,
        f"over {column.longest} characters: no number is so long": long,
    }


def _text(text: pd.Series, column: Column) -> Typed:
    kept = values.without_decimal_zero(values.tidy(text))
    long = kept.str.len() > column.longest
    return kept.where(~long, ""), {f"over {column.longest} characters: no free text is read": long}


def _date(text: pd.Series, column: Column) -> Typed:
    kept = values.tidy(text)
    got, wrong = values.dates(kept)
    far = (got < "1902-01-01") | (got >= "2090-01-01")
    filler = (wrong & kept.str.fullmatch(FILLER)) | far
    days = wrong & ~filler & kept.str.fullmatch(DAYS)
    return got.mask(far), {
        "a filler (1900, 2099) stands where there is no date": filler,
        "a number of days stands where a date belongs": days,
        "not a date that can be read (day before month, four digits of the year)": wrong & ~filler & ~days,
    }


def _month(text: pd.Series, column: Column) -> Typed:
    kept = values.tidy(text)
    month = kept.str.fullmatch(r"\d{4}-(?:0[1-9]|1[0-2])")
    got, _ = values.dates(kept.mask(month, kept + "-01"), serials=False)
    shown = got.dt.strftime("%Y-%m").astype("str").where(got.notna(), "")
    return shown, {"not a month (2026-01)": (shown == "") & (kept != "")}


def _year(text: pd.Series, column: Column) -> Typed:
    kept = values.without_decimal_zero(values.tidy(text))
    parts = kept.str.extract(r"^(20\d\d)\s*[-/]?\s*(?:20)?(\d\d)$")
    first, second = (pd.to_numeric(parts[i], errors="coerce") for i in (0, 1))
    good = ((first + 1) % 100 == second).fillna(False)
    shown = (parts[0] + parts[1]).where(good, "").fillna("").astype("str")
    return shown, {"not a year of two parts that follow each other (202526 or 2025/26)": (shown == "") & (kept != "")}


def _code(text: pd.Series, column: Column) -> Typed:
    shown = values.without_decimal_zero(values.trim(text))
    spelling = column.spellings
    folded = pd.Series({cell: spelling.get(bare(cell), "") for cell in shown.unique()}, dtype="str")
    got = shown.map(folded).astype("str") if len(folded) else shown
    blank = values.tidy(shown) == ""
    return got, {"not a code of the list": (got == "") & ~blank}


def _flag(text: pd.Series, column: Column) -> Typed:
    got, wrong = values.booleans(text)
    return got, {"neither yes nor no (1 or 0)": wrong}


def _whole(text: pd.Series, column: Column) -> Typed:
    got, wrong = values.whole_numbers(text)
    percent = wrong & values.trim(text).str.fullmatch(r"[\d.]+ ?%")
    out = pd.Series(False, index=text.index)
    if column.low is not None:
        out |= (got < column.low).fillna(False).astype(bool)
    if column.high is not None:
        out |= (got > column.high).fillna(False).astype(bool)
    return got.mask(out), {
        "a percentage stands where a number belongs": percent,
        "not a whole number": wrong & ~percent,
        f"not between {column.low} and {column.high}": out,
    }


def _number(text: pd.Series, column: Column) -> Typed:
    kept = values.tidy(text).str.replace(",", "", regex=False)
    good = kept.str.fullmatch(r"[-+]?\d{1,12}(?:\.\d{1,12})?")
    return pd.to_numeric(kept.where(good), errors="coerce").astype("float64"), {"not a number": ~good & (kept != "")}


def _matching(pattern: str, reason: str) -> Callable[[pd.Series, Column], Typed]:
    def read(text: pd.Series, column: Column) -> Typed:
        kept = values.without_decimal_zero(values.tidy(text)).str.upper()
        good = kept.str.fullmatch(pattern)
        return kept.where(good, ""), {reason: ~good & (kept != "")}

    return read


def _area(text: pd.Series, column: Column) -> Typed:
    kept = values.tidy(text).str.upper()
    good = kept.str.fullmatch(f"(?:{'|'.join(column.starts)})" + r"\d{6}")
    return kept.where(good, ""), {
        f"not a code of nine characters that begins with {column.starts[0]}": ~good & (kept != "")
    }


_TYPES: dict[str, Callable[[pd.Series, Column], Typed]] = {
    "id": _id,
    "person": _id,
    "text": _text,
    "date": _date,
    "month": _month,
    "year": _year,
    "code": _code,
    "flag": _flag,
    "whole": _whole,
    "number": _number,
    "la": _matching(r"\d{3}|XXX", "not the three digits of a local authority"),
    "urn": _matching(r"\d{1,6}", "not a URN (up to six digits)"),
    "area": _area,
}
