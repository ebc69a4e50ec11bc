"""The sides of all ways put together: numerators over denominators of the same time, on whole columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jsna.evidence.values.areas import noted
from jsna.evidence.values.periods import read_periods
from jsna.evidence.values.ways import GRAVITY, Side, Way

NO_PERIOD = "No row is of a period that can be read."
NOT_READ = "Rows whose period cannot be read are left out: {}."
APART = "Numerator and denominator have no period in common."
MARKED = ("provisional", "revised")
SERIES = ["place", "area_code", "year"]


def together(ways: Sequence[Way], sides: Mapping[int, Mapping[str, Side]]) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows of all ways, and for some ways (by place) what could not be put together.

    Columns: place, area_code, area_level, period, year, provisional, numerator, denominator, published, symbol, note,
    source, file. Of a period that stands twice for an area, the one that is not provisional is kept. A denominator is
    that of the same year, or of the one period that the catalogue names.
    """
    first = {w.place: "published" if "published" in sides[w.place] else "numerator" for w in ways}
    kinds = {w.place: w.indicator.period for w in ways}
    main, said = _dated({p: sides[p][name] for p, name in first.items()}, kinds)
    published = main["place"].map(first) == "published"
    rows = main.drop(columns=["value", "mark"]).assign(
        numerator=main["value"].where(~published),
        published=main["value"].where(published),
        note=main["mark"].map({m: f"Marked {m} in the source." for m in MARKED}).fillna("").astype("str"),
    )
    divided = {p: own["denominator"] for p, own in sides.items() if p in first and "denominator" in own}
    rows, apart = rows.assign(denominator=np.nan), []
    if divided:
        under, unread = _dated(divided, kinds)
        said |= unread
        rows, apart = _over(rows.drop(columns="denominator"), under, divided)
    words = {p: [sides[p][n] for n in w.sides] for w in ways for p in [w.place]}
    source = {p: "; ".join(dict.fromkeys(s.source for s in own)) for p, own in words.items()}
    file = {p: "; ".join(dict.fromkeys(s.file for s in own)) for p, own in words.items()}
    there = set(rows["place"])
    said |= {p: said.get(p, "") or NO_PERIOD for p in first if p not in there}
    said |= dict.fromkeys(apart, APART)
    return rows.assign(source=rows["place"].map(source), file=rows["place"].map(file)), said


def _dated(sides: Mapping[int, Side], kinds: Mapping[int, str]) -> tuple[pd.DataFrame, dict[int, str]]:
    """Every side's rows with period and year, and for sides (by place) which periods could not be read."""
    rows = pd.concat([side.frame.assign(place=place) for place, side in sides.items()], ignore_index=True)
    rows = rows.assign(kind=rows["place"].map(kinds))
    seen = rows[["written", "identifier", "kind"]].drop_duplicates()
    periods = pd.concat(
        [
            read_periods(own[["written", "identifier"]], str(kind)).assign(kind=kind)
            for kind, own in seen.groupby("kind")
        ]
    )
    rows = rows.merge(periods, on=["written", "identifier", "kind"], how="left", validate="m:1")
    unread = rows.loc[rows["year"] == 0, ["place", "written"]].drop_duplicates()
    said = {p: NOT_READ.format(", ".join(map(repr, own["written"]))) for p, own in unread.groupby("place")}
    rows = rows[rows["year"] > 0].sort_values("provisional", kind="stable").drop_duplicates(SERIES)
    return rows.drop(columns=["written", "identifier", "kind"]).sort_index(), {int(str(p)): s for p, s in said.items()}


def _over(rows: pd.DataFrame, under: pd.DataFrame, divided: Mapping[int, Side]) -> tuple[pd.DataFrame, list[int]]:
    """The numerators with their denominators, and the places of ways whose sides have no year in common."""
    standing = {p: side for p, side in divided.items() if side.stands_for}
    under = under.loc[:, ["place", "area_code", "year", "value", "symbol"]]
    under = under.rename(columns={"value": "denominator", "symbol": "symbol_under"})
    own, always = under[~under["place"].isin(standing)], under[under["place"].isin(standing)].drop(columns="year")
    here, fixed = rows["place"].isin(divided), rows["place"].isin(standing)
    years = pd.MultiIndex.from_frame(own[["place", "year"]])
    common = pd.MultiIndex.from_frame(rows[["place", "year"]]).isin(years)
    by_year = rows[here & ~fixed & common].merge(own, on=SERIES, how="left", validate="m:1")
    by_area = rows[fixed].merge(always, on=["place", "area_code"], how="left", validate="m:1")
    said = {p: f"The denominator is of {side.period or side.stands_for}." for p, side in standing.items()}
    by_area = by_area.assign(note=noted(by_area["note"], by_area["place"].map(said), by_area["place"].isin(said)))
    both = pd.concat([by_year, by_area], ignore_index=True)
    lacking = both["symbol_under"].fillna("x")
    gravity = {symbol: rank for rank, symbol in enumerate(GRAVITY)}
    graver = lacking.map(gravity) > both["symbol"].map(gravity)
    both = both.assign(symbol=both["symbol"].mask(graver, lacking)).drop(columns="symbol_under")
    whole = pd.concat([rows[~here].assign(denominator=np.nan), both], ignore_index=True)
    return whole, sorted(set(rows["place"][here]) - set(both["place"]))
