"""Cells, from text to values: one rule each for missing, codes, yes and no, whole numbers, numbers and dates.

Each function takes a column of text and returns the typed column and a mask of the cells that it could not read: these
are missing in the column, and the caller lists them. Nothing becomes 0, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

# A spreadsheet's other errors (#REF!, #DIV/0!) are no missing marks: they hide a value that was there.
MISSING = frozenset(["", "null", "nan", "none", "nat", "#n/a", "n/a", "na", "-", ".", "<na>"])
YES = frozenset(["1", "1.0", "true", "yes", "y", "t"])
NO = frozenset(["0", "0.0", "false", "no", "n", "f"])
SYMBOLS = {
    "z": "z",
    "x": "x",
    ":": "x",
    "c": "c",
    "low": "low",
    "k": "low",
    "~": "low",
    "u": "u",
    "-": "x",
    "": "x",
    "..": "x",
    ".": "x",
}
MONTHS = dict(jan="01", feb="02", mar="03", apr="04", may="05", jun="06") | dict(
    jul="07", aug="08", sep="09", oct="10", nov="11", dec="12"
)
MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|"
    "july?|aug(?:ust)?|sept?|september|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
EXCEL_DAY_ZERO = pd.Timestamp("1899-12-30")
TIME = r"(?:[t ](?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?)?(?:z|[+-][0-9]{2}:?[0-9]{2})?"
# Of a cell whose time of day has been cut off and whose month's name has been put in figures.
DATE_FORMATS = (
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "%Y-%m-%d"),
    (r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}", "%d/%m/%Y"),
    (r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}", "%d-%m-%Y"),
    (r"[0-9]{8}", "%Y%m%d"),
)
# Thousands commas stand every three digits or not at all: 27,1 is no 271.
WHOLE = r"[+-]?(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})"
FIGURE = rf"(?:{WHOLE}(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:e[+-]?[0-9]{{1,2}})?%?"

Typed = tuple[pd.Series, pd.Series]


def tidy(text: pd.Series) -> pd.Series:
    """Text trimmed, with non-breaking blanks as blanks, and "" where the cell means missing.

    Only for columns in which no code looks like a missing mark: use ``codes`` with its list for these.

    >>> tidy(pd.Series([" a\\xa0", "NULL", "N/A ", None, "-"])).tolist()
    ['a', '', '', '', '']
    """
    kept = trim(text)
    return kept.mask(kept.str.lower().isin(MISSING), "")


def trim(text: pd.Series) -> pd.Series:
    """Text without blanks at its ends (non-breaking ones too); "" for no value at all."""
    cells = text if text.dtype == "str" else text.astype("string").astype("str")
    return cells.fillna("").str.replace("\xa0", " ", regex=False).str.strip()


def codes(text: pd.Series, allowed: frozenset[str] | set[str]) -> Typed:
    """Codes in capitals, "" where missing. A code of the list is never taken for a missing mark (N, NO, NOT, NA).

    A code in figures to which a spreadsheet gave a decimal (``5.0``) loses it.

    >>> got, bad = codes(pd.Series(["k ", "N", "n/a", "SEMH"]), {"K", "N", "E"})
    >>> got.tolist(), bad.tolist()
    (['K', 'N', '', ''], [False, False, False, True])
    """
    return codes_of_lists(text, [allowed], np.zeros(len(text), dtype="int64"))


def codes_of_lists(text: pd.Series, lists: Sequence[frozenset[str] | set[str]], which: np.ndarray) -> Typed:
    """As ``codes``, for columns put one below another: ``which`` is the number, in ``lists``, of each cell's list.

    >>> got, bad = codes_of_lists(pd.Series(["na", "na", "x"]), [{"NA"}, {"X"}], np.array([0, 1, 1]))
    >>> got.tolist(), bad.tolist()
    (['NA', '', 'X'], [False, False, False])
    """
    number, cells = _distinct(text)
    upper = trim(cells).str.upper()
    whole = without_decimal_zero(upper)
    # Every distinct cell under every list; a cell's own pair of the two is found by ``at``.
    at = which * len(cells) + number
    as_written = pd.concat([upper.isin(allowed) for allowed in lists], ignore_index=True)
    as_whole = pd.concat([whole.isin(allowed) for allowed in lists], ignore_index=True)
    upper, whole = (pd.concat([c] * len(lists), ignore_index=True) for c in (upper, whole))
    known = as_written | as_whole
    missing = ~known & upper.str.lower().isin(MISSING)
    typed = upper.where(as_written | ~as_whole, whole).where(known, "")
    return _spread(typed, at, text), _spread(~known & ~missing, at, text)


def booleans(text: pd.Series) -> Typed:
    """Yes and no as nullable booleans: 1/0, 1.0/0.0, true/false, yes/no, y/n in any case.

    >>> got, bad = booleans(pd.Series(["1", "No", "0.0", "", "maybe"]))
    >>> got.tolist(), bad.tolist()
    ([True, False, False, <NA>, <NA>], [False, False, False, False, True])
    """
    number, cells = _distinct(text)
    low = trim(cells).str.lower()
    yes, no = low.isin(YES), low.isin(NO)
    typed = pd.Series(pd.NA, index=low.index, dtype="boolean").mask(yes, True).mask(no, False)
    return _spread(typed, number, text), _spread(~(yes | no | low.isin(MISSING)), number, text)


def whole_numbers(text: pd.Series) -> Typed:
    """Whole numbers as nullable Int64; "132.0" and "1,047" are whole; "1.5", "1e5" and "27,1" are refused.

    >>> got, bad = whole_numbers(pd.Series(["7", "132.0", "1,047", "", "1.5", "27,1"]))
    >>> got.tolist(), bad.tolist()
    ([7, 132, 1047, <NA>, <NA>, <NA>], [False, False, False, False, True, True])
    """
    kept = tidy(text).str.replace(r"^([+-]?[0-9,]+)\.0$", r"\1", regex=True)
    good = kept.str.fullmatch(WHOLE)
    typed = pd.to_numeric(kept.where(good, "").str.replace(",", "", regex=False), errors="coerce").astype("Int64")
    return typed, ~good & (kept != "")


def without_decimal_zero(text: pd.Series) -> pd.Series:
    """Numbers that a spreadsheet gave a ".0" lose it; all else stays.

    >>> without_decimal_zero(pd.Series(["132.0", "1.50", "A.0"])).tolist()
    ['132', '1.50', 'A.0']
    """
    return text.str.replace(r"^([+-]?\d+)\.0$", r"\1", regex=True)


def numbers(text: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Published figures as floats, with the official symbol where there is one, and a mask of what is neither.

    Thousands commas, percent signs and square brackets round a symbol are understood. An empty cell is x. What only a
    computer writes (inf, 0x10) and a decimal comma (27,1) are neither number nor symbol.

    >>> got, symbol, bad = numbers(pd.Series(["1,047", "27.1%", "[low]", "c", "<5"]))
    >>> got.tolist(), symbol.tolist(), bad.tolist()
    ([1047.0, 27.1, nan, nan, nan], ['', '', 'low', 'c', 'x'], [False, False, False, False, True])
    """
    number, cells = _distinct(text)
    low = trim(cells).str.lower()
    figure = low.where(low.str.fullmatch(FIGURE), "").str.replace(",", "", regex=False).str.removesuffix("%")
    typed = pd.to_numeric(figure, errors="coerce").astype("float64")
    mark = low.str.strip("[]").str.strip().map(SYMBOLS)
    lacking = typed.isna()
    bad = lacking & mark.isna()
    symbol = mark.fillna("x").where(lacking, "").astype("str")
    return _spread(typed, number, text), _spread(symbol, number, text), _spread(bad, number, text)


def dates(text: pd.Series, *, serials: bool = True) -> Typed:
    """Dates (without time of day), in the forms that returns and spreadsheets have; day before month, never guessed.

    Understood: 2026-01-15, 2026-Jan-15, 15/01/2026, 15-01-2026, 15-Jan-2026 and 15 January 2026, each with or without
    a time; 20260115; and, with ``serials``, the day numbers of a spreadsheet (45000). A date with an offset from UTC is
    the day as written. Two-digit years, impossible days and years outside 1900 to 2100 are refused, as are the fillers
    1900-01-01 and 2099-12-31 and later.

    >>> got, bad = dates(pd.Series(["2026-Jan-15 00:00:00", "15/01/2026", "46037", "15/01/26", "31/02/2026"]))
    >>> got.dt.strftime("%Y-%m-%d").tolist()[:3], bad.tolist()
    (['2026-01-15', '2026-01-15', '2026-01-15'], [False, False, False, True, True])
    """
    number, cells = _distinct(text)
    kept = tidy(cells).str.lower()
    typed = _days(kept, *DATE_FORMATS[0])
    rest = typed.isna() & (kept != "")
    if rest.any():
        typed = typed.where(~rest, _in_other_forms(kept[rest], serials).reindex(kept.index))
    typed = typed.where((typed > "1900-01-01") & (typed < "2099-12-31"))
    return _spread(typed, number, text), _spread(typed.isna() & (kept != ""), number, text)


def _days(kept: pd.Series, pattern: str, form: str) -> pd.Series:
    """The dates of the cells of one form; the others, and days that do not exist, are missing."""
    hit = kept.where(kept.str.fullmatch(pattern))
    return pd.to_datetime(hit, format=form, errors="coerce").astype("datetime64[us]")


def _in_other_forms(kept: pd.Series, serials: bool) -> pd.Series:
    """The dates of cells that are not written as most are (2026-01-15)."""
    shown = kept.str.replace(rf"^([0-9]{{4}})-({MONTH})-([0-9]{{1,2}})(?![0-9])", _iso_from_year, regex=True)
    shown = shown.str.replace(rf"^([0-9]{{1,2}})[- ]({MONTH})[- ]([0-9]{{4}})(?![0-9])", _iso_from_day, regex=True)
    day = shown.str.replace(rf"^([0-9/-]{{8,10}}){TIME}$", r"\1", regex=True)
    typed = pd.Series(pd.NaT, index=kept.index, dtype="datetime64[us]")
    for pattern, form in DATE_FORMATS:
        typed = typed.fillna(_days(day.where(typed.isna(), ""), pattern, form))
    if serials:
        hit = typed.isna() & shown.str.fullmatch(r"[0-9]{5}(?:\.[0-9]+)?")
        days = pd.to_numeric(shown[hit].str.split(".").str[0])
        typed = typed.mask(hit, (EXCEL_DAY_ZERO + pd.to_timedelta(days, unit="D")).astype("datetime64[us]"))
    return typed


def apart(whole: pd.Series, columns: Sequence[pd.Series]) -> list[pd.Series]:
    """What was read of ``columns`` put one below another, as one column each again, with their own indexes.

    >>> a, b = pd.Series(["1"], index=[7]), pd.Series(["", "2"])
    >>> [c.to_dict() for c in apart(pd.concat([a, b]) + "x", [a, b])]
    [{7: '1x'}, {0: 'x', 1: '2x'}]
    """
    ends = np.cumsum([len(c) for c in columns])
    return [whole.iloc[end - len(c) : end].set_axis(c.index) for c, end in zip(columns, ends, strict=True)]


def _distinct(text: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """A column's distinct cells, and for each of its rows the number of its cell: returns say the same thing often."""
    number, cells = pd.factorize(text, use_na_sentinel=False)
    return number, pd.Series(cells)


def _spread(cells: pd.Series, number: np.ndarray, text: pd.Series) -> pd.Series:
    return cells.take(number).set_axis(text.index)


def _iso_from_year(found) -> str:
    year, month, day = found.groups()
    return f"{year}-{MONTHS[month[:3]]}-{int(day):02d}"


def _iso_from_day(found) -> str:
    day, month, year = found.groups()
    return f"{year}-{MONTHS[month[:3]]}-{int(day):02d}"
