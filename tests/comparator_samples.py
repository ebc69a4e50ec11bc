"""Small values of a made-up England, for tests of comparators and of what shows them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.area import Area
from jsna.codes import code_list
from jsna.evidence.values import COLUMNS, KEY, Values
from jsna.measures import proportion, rate
from jsna.params import Params

LUTON, EAST, ENGLAND = "E06000032", "E12000006", "E92000001"
OWN_SET = {"Towns like ours": ["E06000031", "E06000039", "E08000028", "E06000016"]}


def area(**params) -> Area:
    """Luton without a folder of files, with a set of neighbours of its own."""
    return Area(Params(source="official", **({"neighbours": OWN_SET} | params)))


def rows(
    indicator: str,
    numerator,
    denominator,
    *,
    codes=None,
    period: str = "2024",
    group: str = "all",
    way: str = "counts",
    level: str = "local_authority",
    events: bool = False,
    **other,
) -> pd.DataFrame:
    """Rows of values, a row an area, for every authority unless ``codes`` are given; percentages, or events per 100."""
    codes = list(code_list("local_authority").index) if codes is None else list(codes)
    x, n = (np.broadcast_to(np.asarray(a, float), len(codes)) for a in (numerator, denominator))
    made = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(len(codes))).astype(object)
    figures = 100 * (rate if events else proportion)(x, n)[["estimate", "lower", "upper"]].astype("float64")
    made = made.assign(
        indicator=indicator,
        group=group,
        area_code=codes,
        area_name=codes,
        area_level=level,
        period=period,
        year=int(period[-4:]) if "/" not in period else int(period[:4]) + 1,
        value=figures["estimate"].to_numpy(),
        lower=figures["lower"].to_numpy(),
        upper=figures["upper"].to_numpy(),
        numerator=x,
        denominator=n,
        way=way,
        provisional=False,
        break_before=False,
        completeness=np.nan,
        source="A release",
        origin="official",
    )
    if way == "published":
        made[["numerator", "denominator", "lower", "upper"]] = np.nan
    return made.assign(**other)


def country(indicator: str, numerator, denominator, **named) -> pd.DataFrame:
    """Every authority, the region of Luton and England, which are the sums of their authorities."""
    las = rows(indicator, numerator, denominator, **named)
    regions = las["area_code"].map(code_list("local_authority")["region_code"])
    parts = [las]
    for code, level, inside in ((EAST, "region", las[regions == EAST]), (ENGLAND, "england", las)):
        x, n = (pd.to_numeric(inside[c]).sum() for c in ("numerator", "denominator"))
        if named.get("way") == "published":
            x, n = pd.to_numeric(inside["value"]).mean(), 100
        parts.append(rows(indicator, [x], [n], **named | {"codes": [code], "level": level}))
    return pd.concat(parts, ignore_index=True)


def values(*parts: pd.DataFrame) -> Values:
    frame = pd.concat(parts, ignore_index=True).sort_values([*KEY, "origin"], kind="stable", ignore_index=True)
    return Values(frame, (), pd.DataFrame(), pd.DataFrame())


def with_row(frame: pd.DataFrame, code: str, numerator: float, denominator: float) -> pd.DataFrame:
    """The same country with other counts in one area; England and the region are left as they were."""
    at = frame["area_code"] == code
    figures = 100 * proportion([numerator], [denominator]).iloc[0, :3].astype("float64")
    made = frame.copy()
    made.loc[at, ["value", "lower", "upper"]] = figures.to_numpy()
    made.loc[at, ["numerator", "denominator"]] = [numerator, denominator]
    return made
