"""When is a published figure of? Periods as files write them, as labels and the year in which they end."""

from __future__ import annotations

import re

import pandas as pd

MARKS = {"prov": "provisional", "rev": "revised", "final": "final"}
WRITTEN = re.compile(
    r"(?P<first>(?:19|20)\d\d)(?:(?P<joined>\d\d)|[/-](?P<end>(?:20)?\d\d))?"
    r"(?:-(?P<last>(?:20)?\d\d)/(?P<last_end>\d\d))?(?: \((?P<mark>\w+)\))?"
)
COLUMNS = ("written", "identifier", "period", "year", "provisional", "mark")


def read_periods(written: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Each period of a file as ``period`` (label), ``year`` (in which it ends) and ``provisional``.

    ``written`` has ``written`` and ``identifier`` ("" where the file has none); ``kind`` is the period of an
    indicator. A position in January carries the year of that January; a calendar year written with six digits is the
    first of the two. What is no period (LAIT has a year 0) has ``year`` 0.

    >>> read_periods(pd.DataFrame({"written": ["202425", "2025 (prov)"], "identifier": ""}), "january")[
    ...     ["period", "year", "provisional"]].values.tolist()
    [['January 2025', 2025, False], ['January 2025', 2025, True]]
    """
    pairs = written.drop_duplicates().to_numpy()
    return pd.DataFrame([(w, i, *_period(w, i, kind)) for w, i in pairs], columns=list(COLUMNS))


def year_of(period: str) -> int:
    """The year in which a period ends, 0 where it is none.

    >>> [year_of(p) for p in ("2023", "2023/24", "January 2025", "2014-16", "0")]
    [2023, 2024, 2025, 2016, 0]
    """
    return _period(period.removeprefix("January "), "", "snapshot")[1]


def _period(written: str, identifier: str, kind: str) -> tuple[str, int, bool, str]:
    """Label, year, whether provisional, and the file's mark in words."""
    found = WRITTEN.fullmatch(written.strip())
    if found is None:
        return written, 0, False, ""
    first, mark = int(found["first"]), MARKS.get((found["mark"] or "").casefold(), "")
    provisional = mark == "provisional"
    end = found["joined"] or found["end"]
    if found["last"]:
        last = _after(first, found["last_end"])
        return f"{_split(_after(first, end or ''))} to {_split(last)}", last, provisional, mark
    if end is None:
        return _whole(first, kind), first, provisional, mark
    last = _after(first, end)
    if last != first + 1:
        return f"{first} to {last}", last, provisional, mark
    if found["joined"] and identifier.casefold().startswith("calendar"):
        return _whole(first, kind), first, provisional, mark
    return (f"January {last}" if kind == "january" else _split(last)), last, provisional, mark


def _whole(year: int, kind: str) -> str:
    """A label for a period of which a file gives only the year in which it ends."""
    if kind == "january":
        return f"January {year}"
    return _split(year) if kind in ("academic_year", "financial_year") else str(year)


def _split(end: int) -> str:
    return f"{end - 1}/{end % 100:02d}"


def _after(first: int, digits: str) -> int:
    """The year that two digits after ``first`` mean, of its century or the next."""
    if len(digits) == 4:
        return int(digits)
    year = first // 100 * 100 + int(digits)
    return year if year >= first else year + 100
