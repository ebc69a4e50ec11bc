"""Indicators that no file has, worked out from others: a gap between two groups, a change over years, a sum."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.evidence.catalogue import Catalogue, Derived, Indicator
from jsna.evidence.values.areas import noted
from jsna.evidence.values.periods import year_of
from jsna.evidence.values.ways import GRAVITY
from jsna.measures import proportion, risk_difference

KEY = ["area_code", "year"]


def derived(frame: pd.DataFrame, known: Catalogue, confidence: float) -> tuple[pd.DataFrame, list[tuple[str, ...]]]:
    """The rows that can be worked out from ``frame`` (as ``Values.frame``), and which ways could not be followed."""
    parts, absent = [frame.iloc[:0]], []
    for indicator in known.indicators.values():
        for way in indicator.derived:
            made = _worked_out(frame, known, indicator, way, confidence)
            parts.append(made)
            if made.empty:
                reason = f"It is worked out from {', '.join(way.of)}, of which the files do not have enough."
                absent.append((indicator.id, way.group, reason, ""))
    there = pd.MultiIndex.from_frame(frame[["indicator", "group", *KEY]])
    made = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)
    published = pd.MultiIndex.from_frame(made[["indicator", "group", *KEY]]).isin(there)
    return made[~published], absent


def _worked_out(
    frame: pd.DataFrame, known: Catalogue, indicator: Indicator, way: Derived, confidence: float
) -> pd.DataFrame:
    of = known[way.of[0]]
    if way.how == "gap":
        pair = _pair(_rows(frame, of.id, way.group), _rows(frame, of.id, way.against))
        made = _gap(pair, of, confidence)
    elif way.how == "change":
        now = _rows(frame, of.id, way.group)
        pair = _pair(now, now.assign(year=now["year"] + way.years, before=now["year"]))
        made = _change(pair, of, indicator)
    else:
        made = _sum([_rows(frame, name, way.group) for name in way.of], indicator, confidence)
    group = "all" if way.how == "change" and way.group == "all" else way.group
    return made.assign(indicator=indicator.id, group=group)[frame.columns]


def _rows(frame: pd.DataFrame, indicator: str, group: str) -> pd.DataFrame:
    return frame[(frame["indicator"] == indicator) & (frame["group"] == group)]


def _pair(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Rows beside those of another group or time (``_other``), with what both say together."""
    both = rows.merge(others, on=KEY, how="inner", suffixes=("", "_other"), validate="1:1")
    return both.assign(
        symbol=_graver(both["symbol"], both["symbol_other"]),
        provisional=both["provisional"] | both["provisional_other"],
        break_before=both["break_before"] | both["break_before_other"],
        completeness=both[["completeness", "completeness_other"]].min(axis="columns"),
    )


def _gap(pair: pd.DataFrame, of: Indicator, confidence: float) -> pd.DataFrame:
    """The other group's figure less the group's; Newcombe's limits where both are proportions from counts."""
    counted = (pair["symbol"] == "") & (of.interval == "wilson") & (of.kind == "proportion")
    counted &= (pair["way"] == "counts") & (pair["way_other"] == "counts")
    columns = ("numerator_other", "denominator_other", "numerator", "denominator")
    limits = risk_difference(*(pair[c].where(counted) for c in columns), confidence=confidence)
    value = (pair["value_other"] - pair["value"]).where(pair["symbol"] == "")
    both = pair["way"].where(pair["way"] == pair["way_other"], "published")
    return _without_counts(pair).assign(
        value=value, lower=limits["lower"] * of.per, upper=limits["upper"] * of.per, way=both
    )


def _change(pair: pd.DataFrame, of: Indicator, indicator: Indicator) -> pd.DataFrame:
    """How much the numerator grew; a break that lies between is said."""
    n, before = pair["numerator"], pair["numerator_other"]
    symbol = pair["symbol"].mask((pair["symbol"] == "") & (before == 0), "z")
    symbol = symbol.mask((symbol == "") & (n.isna() | before.isna()), "x")
    value = (indicator.per * (n / before.where(before > 0) - 1)).where(symbol == "")
    breaks = [year_of(b.period) for b in of.breaks]
    crossed = np.logical_or.reduce(
        [np.zeros(len(pair), bool), *((pair["before"] < b) & (b <= pair["year"]) for b in breaks)]
    )
    said = "A break in the series lies between the two years."
    note = noted(pair["note"], said, pd.Series(crossed, index=pair.index))
    return _without_counts(pair).assign(value=value, symbol=symbol, note=note, break_before=False)


def _sum(parts: list[pd.DataFrame], indicator: Indicator, confidence: float) -> pd.DataFrame:
    """Several shares of one whole, added up."""
    made = parts[0]
    for part in parts[1:]:
        pair = _pair(made, part)
        same = (pair["denominator"] == pair["denominator_other"]) | pair["denominator"].isna()
        symbol = pair["symbol"].mask((pair["symbol"] == "") & ~same, "u")
        value, count = pair["value"] + pair["value_other"], pair["numerator"] + pair["numerator_other"]
        made = pair.assign(value=value.where(symbol == ""), numerator=count, symbol=symbol)
    counted = (made["symbol"] == "") & made["denominator"].notna() & (indicator.interval == "wilson")
    limits = proportion(made["numerator"].where(counted), made["denominator"].where(counted), confidence)
    return made.assign(lower=limits["lower"] * indicator.per, upper=limits["upper"] * indicator.per)


def _without_counts(pair: pd.DataFrame) -> pd.DataFrame:
    return pair.assign(numerator=np.nan, denominator=np.nan, lower=np.nan, upper=np.nan)


def _graver(first: pd.Series, second: pd.Series) -> pd.Series:
    gravity = {symbol: rank for rank, symbol in enumerate(GRAVITY)}
    return first.where(first.map(gravity) >= second.map(gravity), second)
