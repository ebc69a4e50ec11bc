"""Age on a day, and the day on which the school system counts it: one rule for census, SEN2 and lists."""

from __future__ import annotations

import pandas as pd


def before_academic_year(day: pd.Timestamp) -> pd.Timestamp:
    """31 August before the academic year that ``day`` lies in.

    >>> before_academic_year(pd.Timestamp("2025-01-16")), before_academic_year(pd.Timestamp("2025-09-01"))
    (Timestamp('2024-08-31 00:00:00'), Timestamp('2025-08-31 00:00:00'))
    >>> before_academic_year(pd.Timestamp("2025-08-31")).year
    2024
    """
    return pd.Timestamp(day.year if day.month >= 9 else day.year - 1, 8, 31)


def age_on(born: pd.Series, day: pd.Timestamp | pd.Series) -> pd.Series:
    """Whole years of age on ``day`` (one for all, or one a row), missing where the date of birth is.

    >>> age_on(pd.Series(pd.to_datetime(["2012-09-01", "2012-08-31", None])), pd.Timestamp("2024-08-31")).tolist()
    [11, 12, <NA>]
    """
    days = day.dt if isinstance(day, pd.Series) else day
    had_birthday = (born.dt.month < days.month) | ((born.dt.month == days.month) & (born.dt.day <= days.day))
    years = days.year - born.dt.year - (~had_birthday).astype("int64")
    return years.round().astype("Int64")
