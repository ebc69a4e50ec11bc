"""Every indicator of every authority out of the official files: seconds beside peers in the same run, and memory.

Run with the folder of official files named by JSNA_DATA:

    python benchmarks/indicators.py

The peers answer the part that all can answer alike, shares from the counts of the EHC plan release: a loop over
authorities in plain pandas with statsmodels' Wilson limits, timed on a sample of authorities and scaled up, and one
query an indicator in DuckDB, without limits. Reading is timed apart, beside pandas alone, which checks nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from jsna.evidence.catalogue import catalogue
from jsna.evidence.values.areas import areas
from jsna.evidence.values.cache import kept
from jsna.evidence.values.compute import gathered, joined, told, values_of
from jsna.evidence.values.tables import read_table
from jsna.evidence.values.ways import Way, ways_of
from jsna.evidence.ways import Counts
from jsna.sources.folder import OfficialFolder

SAMPLE = 8
TOTALS = ("All", "New")


def _timed(work: Callable[[], Any], tries: int = 1) -> tuple[float, Any]:
    """Seconds, the best of several tries, and what was made."""
    seconds, made = [], None
    for _ in range(tries):
        start = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), made


def _peak() -> str:
    try:
        import resource
    except ImportError:
        return "not known here"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"


Share = tuple[Way, Counts, Counts]


def _shares() -> list[Share]:
    """The ways that are a share from counts of the EHC plan release, of the row of all."""
    found = []
    for way in ways_of(catalogue().indicators.values()):
        n, d = way.official.numerator, way.official.denominator
        if n and d and way.indicator.interval == "wilson" and _of_all(n) and _of_all(d):
            found.append((way, n, d))
    return found


def _of_all(side: Counts) -> bool:
    return side.source == "ehc" and side.where == {"breakdown_topic": "Total"}


def _plain(folder: OfficialFolder, ways: list[Share]) -> dict[str, pd.DataFrame]:
    """The same tables as pandas reads them, the rows of all by authority."""
    tables = {}
    with zipfile.ZipFile(folder.file("ehc")) as release:
        for name in _names(ways):
            member = next(m for m in release.namelist() if m.endswith(f"/{name}.csv"))
            with release.open(member) as stream:
                table = pd.read_csv(stream, encoding="utf-8-sig", na_values=["x", "z", "c", "low"], low_memory=False)
            tables[name] = table.rename(columns={"number_decsion_4weeks": "number_decision_4weeks"})
    return tables


def _names(ways: list[Share]) -> list[str]:
    return sorted({side.table for _, *sides in ways for side in sides})


def _total(table: pd.DataFrame) -> pd.Series:
    return (table["geographic_level"] == "Local authority") & table["breakdown_topic"].str.startswith(TOTALS)


def _loop(tables: dict[str, pd.DataFrame], ways: list[Share], codes: list[str]) -> list[tuple]:
    """A loop over authorities and indicators, as an analyst writes it."""
    made = []
    for code in codes:
        for way, n, d in ways:
            over, under = tables[n.table], tables[d.table]
            over = over[_total(over) & (over["new_la_code"] == code)].set_index("time_period")
            under = under[_total(under) & (under["new_la_code"] == code)].set_index("time_period")
            for period in over.index.intersection(under.index):
                x = sum(over.loc[period, c] for c in n.columns) - sum(over.loc[period, c] for c in n.less)
                y = sum(under.loc[period, c] for c in d.columns) - sum(under.loc[period, c] for c in d.less)
                if y >= way.indicator.minimum_denominator and 0 <= x <= y:
                    low, high = proportion_confint(x, y, method="wilson")
                    per = way.indicator.per
                    made.append((way.place, code, str(period), per * x / y, per * low, per * high))
    return made


def _queries(tables: dict[str, pd.DataFrame], ways: list[Share]) -> int:
    """One query an indicator."""
    rows, database = 0, duckdb.connect()
    for name, table in tables.items():
        database.register(name, table[_total(table)])
    for way, n, d in ways:
        x = " - ".join([" + ".join(f'n."{c}"' for c in n.columns), *(f'n."{c}"' for c in n.less)])
        y = " - ".join([" + ".join(f'd."{c}"' for c in d.columns), *(f'd."{c}"' for c in d.less)])
        join = f"{n.table} n join {d.table} d using (new_la_code, time_period)"
        rows += len(
            database.sql(
                f"select new_la_code, time_period, {way.indicator.per} * ({x}) / nullif({y}, 0) from {join}"
            ).df()
        )
    return rows


def main() -> None:
    folder = OfficialFolder(Path(os.environ["JSNA_DATA"]))
    known, ways = catalogue(), _shares()
    with tempfile.TemporaryDirectory() as place:
        cold, values = _timed(lambda: kept(folder, known, 0.95, Path(place)))
        warm, _ = _timed(lambda: kept(OfficialFolder(folder.path), known, 0.95, Path(place)))
    frame = values.frame
    series = frame.groupby(["indicator", "group"]).ngroups
    print(f"{len(frame):,} values of {series} series for {frame['area_code'].nunique()} areas; peak {_peak()}")
    print(f"all, from the files {cold:6.1f} s, with what was kept {warm:6.2f} s: {cold / warm:,.0f} times")

    names, own = _names(ways), [way for way, *_ in ways]
    read, tables = _timed(lambda: {n: read_table(folder, "ehc", n) for n in names})
    plain_read, plain = _timed(lambda: _plain(folder, ways))
    print(f"reading {len(names)} tables with every check {read:6.2f} s, pandas alone {plain_read:6.2f} s: "
          f"{read / plain_read:.1f} times as long")  # fmt: skip

    def ours() -> pd.DataFrame:
        found = gathered(own, lambda source, name: tables[name])
        return values_of(joined(own, found)[0], told(own), 0.95)

    computed, made = _timed(ours, 3)
    codes = [c for c in areas().index if c.startswith("E0")]
    sample = codes[:: len(codes) // SAMPLE]
    looped, answers = _timed(lambda: _loop(plain, ways, sample))
    looped *= len(codes) / len(sample)
    queried, _ = _timed(lambda: _queries(plain, ways), 3)
    print(f"{len(ways)} shares of all areas with limits: {computed:.2f} s")
    print(f"  a loop over authorities in pandas   {looped:7.1f} s: {looped / computed:8.1f} times as long")
    print(f"  DuckDB, a query each, no limits     {queried:7.1f} s: {queried / computed:8.1f} times as long")

    shown = made[made["symbol"] == ""].assign(written=lambda t: t["year"])
    theirs = pd.DataFrame(answers, columns=["place", "area_code", "written", "value", "lower", "upper"])
    end = (
        theirs["written"]
        .str.slice(0, 2)
        .str.cat(theirs["written"].str.slice(4))
        .where(theirs["written"].str.len() == 6, theirs["written"])
    )
    both = theirs.assign(written=end.astype("int64")).merge(shown, on=["place", "area_code", "written"])
    columns = ("value", "lower", "upper")
    apart = max(float(np.nanmax(np.abs(both[f"{c}_x"] - both[f"{c}_y"]))) for c in columns)
    print(f"largest difference from the loop over {len(both):,} of {len(theirs):,} values: {apart:.1e} points")


if __name__ == "__main__":
    main()
