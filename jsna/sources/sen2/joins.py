"""Joins that checks and measures share: what is open on a day, active plans with their named plan, text by key."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def open_on(start: pd.Series, end: pd.Series, day: pd.Timestamp) -> pd.Series:
    """Whether an episode is open on ``day``: start <= day <= end, where a missing start or end is open.

    >>> s = pd.Series(pd.to_datetime(["2025-01-01", None, "2025-02-01"]))
    >>> open_on(s, pd.Series(pd.to_datetime([None, "2025-01-16", None])), pd.Timestamp("2025-01-16")).tolist()
    [True, True, False]
    """
    return ~((start > day) | (end < day))


def plans(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Active plans with ``start_date`` and ``cease_date`` of the named plan of their request, where there is one."""
    named = frames["namedplan"]
    named = named[named["request_key"].notna()].drop_duplicates("request_key", keep="last").set_index("request_key")
    active = frames["activeplans"]
    return active.assign(
        start_date=by_key(active["request_key"], named["start_date"]),
        cease_date=by_key(active["request_key"], named["cease_date"]),
    )


def by_key(key: pd.Series, values: pd.Series) -> pd.Series:
    """The value of ``values`` (unique index) for each key, missing where the key is or is not there; same type.

    Unlike ``Series.map`` it keeps the type of dates and whole numbers where nothing is found.

    >>> by_key(pd.Series([2, None], dtype="Int64"), pd.Series([7, 8], index=[1, 2], dtype="Int64")).tolist()
    [8, <NA>]
    """
    # A missing key would find a value whose own key is missing.
    found = values[values.index.notna()].reindex(pd.Index(key.astype("object")))
    return found.set_axis(key.index)


def text_by(key: pd.Series, values: pd.Series) -> pd.Series:
    """As ``by_key`` for text: "" where nothing is found."""
    return by_key(key, values).astype("object").fillna("").astype("str")
