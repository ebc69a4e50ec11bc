"""Cells, from text to values: one rule each for missing, codes, yes and no, whole numbers, numbers and dates.

Each function takes a column of text and returns the typed column and a mask of the cells that it could not read: these
are missing in the column, and the caller lists them. Nothing becomes 0, and nothing is guessed.
"""

from __future__ import annotations

import pandas as pd

MISSING = frozenset(["", "null", "nan", "none", "nat", "#n/a", "n/a", "na", "-", ".", "#ref!", "#value!", "<na>"])
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
EXCEL_DAY_ZERO = pd.Timestamp("1899-12-30")
DATE_FORMATS = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    (r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}:\d{2}(?:\.\d+)?z?", ""),
    (r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}", ""),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4} \d{2}:\d{2}(?::\d{2})?", "cut"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{8}", "%Y%m%d"),
)

Typed = tuple[pd.Series, pd.Series]


def tidy(text: pd.Series) -> pd.Series:
    """Text trimmed, with non-breaking blanks as blanks, and "" where the cell means missing.

    Only for columns in which no code looks like a missing mark: use ``codes`` with its list for these.

    >>> tidy(pd.Series([" a\\xa0", "NULL", "N/A ", None, "-"])).tolist()
    ['a', '', '', '', '']
    """
    kept = trim(text)
    return kept.mask(kept.str.casefold().isin(MISSING), "")


def trim(text: pd.Series) -> pd.Series:
    """Text without blanks at its ends (non-breaking ones too); "" for no value at all."""
    return text.astype("string").fillna("").str.replace("\xa0", " ", regex=False).str.strip().astype("str")


def codes(text: pd.Series, allowed: frozenset[str] | set[str]) -> Typed:
    """Codes in capitals, "" where missing. A code of the list is never taken for a missing mark (N, NO, NOT, NA).

    >>> got, bad = codes(pd.Series(["k ", "N", "n/a", "SEMH"]), {"K", "N", "E"})
    >>> got.tolist(), bad.tolist()
    (['K', 'N', '', ''], [False, False, False, True])
    """
    upper = trim(text).str.upper()
    known = upper.isin(allowed)
    missing = ~known & upper.str.casefold().isin(MISSING)
    return upper.where(known, ""), ~known & ~missing


def booleans(text: pd.Series) -> Typed:
    """Yes and no as nullable booleans: 1/0, 1.0/0.0, true/false, yes/no, y/n in any case.

    >>> got, bad = booleans(pd.Series(["1", "No", "0.0", "", "maybe"]))
    >>> got.tolist(), bad.tolist()
    ([True, False, False, <NA>, <NA>], [False, False, False, False, True])
    """
    low = trim(text).str.casefold()
    yes, no = low.isin(YES), low.isin(NO)
    typed = pd.Series(pd.NA, index=text.index, dtype="boolean").mask(yes, True).mask(no, False)
    return typed, ~(yes | no | low.isin(MISSING))


def whole_numbers(text: pd.Series) -> Typed:
    """Whole numbers as nullable Int64; "132.0" and "1,047" are whole, "1.5" and "1e5" are refused.

    >>> got, bad = whole_numbers(pd.Series(["7", "132.0", "1,047", "", "1.5"]))
    >>> got.tolist(), bad.tolist()
    ([7, 132, 1047, <NA>, <NA>], [False, False, False, False, True])
    """
    kept = without_decimal_zero(tidy(text)).str.replace(",", "", regex=False)
    good = kept.str.fullmatch(r"[+-]?\d{1,15}")
    typed = pd.to_numeric(kept.where(good), errors="coerce").astype("Int64")
    return typed, ~good & (kept != "")


def without_decimal_zero(text: pd.Series) -> pd.Series:
    """Numbers that a spreadsheet gave a ".0" lose it; all else stays.

    >>> without_decimal_zero(pd.Series(["132.0", "1.50", "A.0"])).tolist()
    ['132', '1.50', 'A.0']
    """
    return text.str.replace(r"^([+-]?\d+)\.0$", r"\1", regex=True)


def numbers(text: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Published figures as floats, with the official symbol where there is one, and a mask of what is neither.

    Thousands commas, percent signs and square brackets round a symbol are understood. An empty cell is x.

    >>> got, symbol, bad = numbers(pd.Series(["1,047", "27.1%", "[low]", "c", "<5"]))
    >>> got.tolist(), symbol.tolist(), bad.tolist()
    ([1047.0, 27.1, nan, nan, nan], ['', '', 'low', 'c', 'x'], [False, False, False, False, True])
    """
    kept = trim(text)
    figure = kept.str.replace(",", "", regex=False).str.removesuffix("%")
    typed = pd.to_numeric(figure, errors="coerce").astype("float64")
    mark = kept.str.strip("[]").str.strip().str.casefold().map(SYMBOLS)
    lacking = typed.isna()
    bad = lacking & mark.isna()
    symbol = mark.fillna("x").where(lacking, "").astype("str")
    return typed, symbol, bad


def dates(text: pd.Series, *, serials: bool = True) -> Typed:
    """Dates (without time of day), in the forms that returns and spreadsheets have; day before month, never guessed.

    Understood: 2026-01-15, the same with a time, 2026-Jan-15 00:00:00, 15/01/2026, 15-01-2026, 15-Jan-2026, 20260115,
    and, with ``serials``, the day numbers of a spreadsheet (45000). Two-digit years, impossible days and years outside
    1900 to 2100 are refused, as are the fillers 1900-01-01 and 2099-12-31 and later.

    >>> got, bad = dates(pd.Series(["2026-Jan-15 00:00:00", "15/01/2026", "46037", "15/01/26", "31/02/2026"]))
    >>> got.dt.strftime("%Y-%m-%d").tolist()[:3], bad.tolist()
    (['2026-01-15', '2026-01-15', '2026-01-15'], [False, False, False, True, True])
    """
    kept = tidy(text).str.casefold()
    unique = pd.Series(kept.unique(), dtype="str")
    typed = pd.Series(pd.NaT, index=unique.index, dtype="datetime64[us]")
    shown = unique.str.replace(r"^(\d{4})-([a-z]{3})-(\d{1,2})", _iso_from_year, regex=True)
    shown = shown.str.replace(r"^(\d{1,2})[- ]([a-z]{3})[a-z]*[- ](\d{4})", _iso_from_day, regex=True)
    for pattern, form in DATE_FORMATS:
        hit = typed.isna() & shown.str.fullmatch(pattern)
        if not hit.any():
            continue
        cells = shown[hit]
        if form == "":
            cells, form = cells.str[:10], "%Y-%m-%d"
        elif form == "cut":
            cells, form = cells.str.split(" ").str[0], "%d/%m/%Y"
        typed = typed.mask(hit, pd.to_datetime(cells, format=form, errors="coerce").astype("datetime64[us]"))
    if serials:
        hit = typed.isna() & shown.str.fullmatch(r"\d{5}(?:\.\d+)?")
        days = pd.to_numeric(shown[hit].str.split(".").str[0])
        typed = typed.mask(hit, (EXCEL_DAY_ZERO + pd.to_timedelta(days, unit="D")).astype("datetime64[us]"))
    typed = typed.where((typed > "1900-01-01") & (typed < "2099-12-31"))
    got = kept.map(pd.Series(typed.to_numpy(), index=unique.to_numpy())).astype("datetime64[us]")
    return got, got.isna() & (kept != "")


def _iso_from_year(found) -> str:
    year, month, day = found.groups()
    return f"{year}-{MONTHS.get(month, '99')}-{int(day):02d}"


def _iso_from_day(found) -> str:
    day, month, year = found.groups()
    return f"{year}-{MONTHS.get(month, '99')}-{int(day):02d}"
