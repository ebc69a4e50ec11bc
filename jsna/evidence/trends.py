"""Is an indicator rising or falling in an area, or is that noise? Series of values, breaks never fitted across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import catalogue
from jsna.evidence.values import Values
from jsna.evidence.values.periods import year_of
from jsna.measures import false_discovery, trend_test
from jsna.measures.trend import FALLING, NOISE, RISING

if TYPE_CHECKING:
    from jsna.area import Area

GETTING_BETTER, GETTING_WORSE = "getting better", "getting worse"
KEY = ["indicator", "group", "area_code"]
_KINDS = {"proportion": "proportion", "event_rate": "rate", "count": "count"}
POINTS = [
    *("period", "year", "value", "lower", "upper", "numerator", "denominator", "symbol", "way", "provisional"),
    *("break_before", "used", "source"),
]


@dataclass(frozen=True)
class Trend:
    """One series and what its test says.

    ``result``: the row of ``trend_table``; ``points``: a row a period, ``used`` true for those that were tested, with
    ``break_before`` and ``provisional`` to be marked; ``breaks``: period and reason of every break of the series.
    """

    result: pd.Series
    points: pd.DataFrame
    breaks: tuple[tuple[str, str], ...]

    @property
    def verdict(self) -> str:
        """rising, falling, no clear trend (noise), too few points, or not tested."""
        return str(self.result["verdict"])

    @property
    def first_used(self) -> str:
        """The first period that was tested; empty where there is none."""
        used = self.points.loc[self.points["used"], "period"]
        return "" if used.empty else str(used.iloc[0])

    @property
    def last(self) -> pd.Series | None:
        """The newest row with a value."""
        shown = self.points[self.points["value"].notna()]
        return shown.iloc[-1] if len(shown) else None


def trends(values: Values, indicator: str, group: str, area: Area, *, confidence: float = 0.95) -> Trend | None:
    """The trend of one indicator and group in an area; nothing where it has no row."""
    table = trend_table(values, [(indicator, group)], [area.code], confidence=confidence)
    if table.empty:
        return None
    rows = _series(values, [(indicator, group)], [area.code])
    result = table.iloc[0]
    used = (rows["year"] >= result["first_year"]) & rows["value"].notna()
    if result["by_counts"]:
        used &= rows["way"] == "counts"
    points = rows.assign(used=used)[POINTS].reset_index(drop=True)
    broken = points.loc[points["break_before"].astype(bool), ["period", "year"]]
    return Trend(result, points, tuple((p, _why(indicator, y)) for p, y in broken.itertuples(index=False)))


def trend_table(
    values: Values, wanted: Sequence[tuple[str, str]], areas: Sequence[str], *, confidence: float = 0.95
) -> pd.DataFrame:
    """The trend of many series at once: a row an indicator, group and area that has any row of values.

    Columns: indicator, group, area_code, those of ``jsna.measures.trend_test`` (slopes and changes in the indicator's
    unit), ``by_counts``, ``meaning`` (getting better or worse, by the indicator's direction; empty where it is neutral
    or no trend is clear), and the allowance for how many were tested in each area: ``q_value``, ``tested``,
    ``adjusted_verdict``. Counts are tested where all figures since the last break have them, else the figures as
    published, so that the newest figure is always part of the trend, here and on the Scorecard. An area's official
    series is taken before its own.
    """
    rows = _series(values, wanted, areas)
    if rows.empty:
        return pd.DataFrame()
    known = catalogue()
    kinds = rows["indicator"].map({i: known[i].kind for i in rows["indicator"].unique()})
    per = rows["indicator"].map({i: known[i].per for i in rows["indicator"].unique()})
    counted = _by_counts(rows, kinds)
    test = kinds.map(_KINDS).where(counted, "published")
    per = per.where(counted & (kinds != "count"), 1)
    parts = [
        _tested(part, str(name), float(unit), confidence)
        for (name, unit), part in rows.groupby([test, per], sort=False)
    ]
    made = pd.concat(parts, ignore_index=True)
    order = pd.MultiIndex.from_frame(rows[KEY].drop_duplicates())
    made = made.set_index(KEY).loc[order].reset_index()
    direction = made["indicator"].map({i: known[i].direction for i in made["indicator"].unique()})
    up = np.select([made["verdict"] == RISING, made["verdict"] == FALLING], [1, -1], default=0)
    good = up * direction.map({"higher": 1, "lower": -1, "neutral": 0}).to_numpy()
    p = made["p_value"].astype("float64")
    q = false_discovery(p, by=made["area_code"])
    lost = made["verdict"].isin([RISING, FALLING]) & (q >= 1 - confidence)
    return made.assign(
        meaning=np.select([good > 0, good < 0], [GETTING_BETTER, GETTING_WORSE], default=""),
        q_value=q,
        tested=p.groupby(made["area_code"]).transform("count"),
        adjusted_verdict=made["verdict"].mask(lost, NOISE),
    )


def _why(indicator: str, year: int) -> str:
    """The reason of the break that a series shows in ``year``: a file may have no figure for the break's own year."""
    said = {year_of(b.period): b.why for b in catalogue()[indicator].breaks}
    return said[max(y for y in said if y <= year)] if any(y <= year for y in said) else ""


def _series(values: Values, wanted: Sequence[tuple[str, str]], areas: Sequence[str]) -> pd.DataFrame:
    """The rows of the series, one a year: the official ones where an area has any, else its own."""
    parts = [values.of(i, g, areas) for i, g in dict.fromkeys(wanted)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=KEY)
    if rows.empty:
        return rows
    official = rows["origin"] == "official"
    any_official = (official & rows["value"].notna()).groupby([rows[k] for k in KEY]).transform("any")
    rows = rows[official == any_official].sort_values([*KEY, "year"], kind="stable")
    return rows.drop_duplicates([*KEY, "year"], keep="last").reset_index(drop=True)


def _by_counts(rows: pd.DataFrame, kinds: pd.Series) -> pd.Series:
    """For each row whether its series is tested by its counts."""
    keys = [rows[k] for k in KEY]
    since = rows["year"].where(rows["break_before"]).groupby(keys).transform("max")
    shown = rows["value"].notna() & ~(rows["year"] < since)
    count = (shown & (rows["way"] == "counts") & rows["numerator"].notna()).groupby(keys).transform("sum")
    whole = shown.groupby(keys).transform("sum")
    return kinds.isin(list(_KINDS)) & (count > 0) & (count == whole)


def _tested(part: pd.DataFrame, test: str, per: float, confidence: float) -> pd.DataFrame:
    by = pd.MultiIndex.from_frame(part[KEY])
    shared = {"break_before": part["break_before"].astype(bool), "by": by, "level": confidence}
    if test == "published":
        made = trend_test(part["year"], part["value"], **shared)
    else:
        # What is hidden or too small to be shown has no value, and is no point either.
        shown = (part["way"] == "counts") & part["value"].notna()
        x, n = part["numerator"].where(shown), part["denominator"].where(shown)
        made = trend_test(
            part["year"], numerator=x, denominator=None if test == "count" else n, kind=test, per=per, **shared
        )
    keys = pd.MultiIndex.from_tuples(list(made.index), names=KEY).to_frame(index=False)
    return keys.join(made.reset_index(drop=True)).assign(by_counts=test != "published")
