"""Two files of one table: where do they disagree, in the figures that indicators use?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from jsna.evidence.values.areas import areas
from jsna.sources.folder import OfficialFolder, every_file

KEY = ["place", "indicator", "group", "area_code", "year"]
COLUMNS = (
    "indicator",
    "group",
    "area_code",
    "period",
    "pinned_file",
    "pinned_value",
    "other_file",
    "other_value",
    "pinned_numerator",
    "pinned_denominator",
    "other_numerator",
    "other_denominator",
)
FIGURES = ("value", "numerator", "denominator")
RELEASE = "education-health-and-care-plans_2025"


def vintage_table(rows: Iterable[Sequence[object]] = ()) -> pd.DataFrame:
    """Rows of disagreements as the table ``Values.vintages``: text, and figures as floats."""
    made = pd.DataFrame(list(rows), columns=list(COLUMNS))
    figures = [c for c in COLUMNS if c.endswith(FIGURES)]
    return made.astype({c: "float64" if c in figures else "str" for c in COLUMNS})


def other_files(folder: OfficialFolder, tables: Sequence[str]) -> dict[str, list[Path]]:
    """Other files of these tables of the EHC plan release: single downloads and other zips, beside the zip used."""
    pinned = folder.found.get("ehc")
    single = {t: [p for p in folder.everything if p.name in (f"{t}.csv", f"{t}.csv.gz")] for t in tables}
    zips = [p for p in folder.everything if pinned and p.match(every_file()["ehc"]["pattern"]) and p != pinned]
    return {t: [*zips, *paths] for t, paths in single.items() if zips or paths}


def disagreements(pinned: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Every figure in which ``other`` differs from ``pinned``; one row an indicator, group, area and period.

    Both have place, area_code, year, period, file, published, numerator and denominator, and what the way says of its
    indicator: indicator, group, per, minimum and divided. Only ways and years that both have are compared. A row that
    stands in one file alone has missing figures on the other side.
    """
    series = ["place", "year"]
    here, there = (pd.MultiIndex.from_frame(frame[series]) for frame in (pinned, other))
    pinned, other = pinned.loc[here.isin(there)], other.loc[there.isin(here)]
    pinned, other = (frame.loc[frame["area_code"].isin(areas().index)] for frame in (pinned, other))
    sides = [_with_value(frame)[[*KEY, "period", "file", *FIGURES]] for frame in (pinned, other)]
    both = sides[0].merge(sides[1], on=KEY, how="outer", suffixes=("_pinned", "_other"))
    apart = pd.Series(False, index=both.index)
    for figure in FIGURES:
        one, two = both[f"{figure}_pinned"], both[f"{figure}_other"]
        apart |= (one != two) & (one.notna() | two.notna())
    names = {f"{c}_{side}": f"{side}_{c}" for c in ("file", *FIGURES) for side in ("pinned", "other")}
    made = both[apart].rename(columns=names)
    made = made.assign(period=made["period_pinned"].fillna(made["period_other"]))
    made = made.sort_values(KEY, kind="stable")[list(COLUMNS)]
    return made.assign(**{c: made[c].fillna("") for c in ("pinned_file", "other_file")}).reset_index(drop=True)


def _with_value(rows: pd.DataFrame) -> pd.DataFrame:
    """The value of each row as the indicator has it; none over a denominator that is too small."""
    n, d = rows["numerator"], rows["denominator"]
    enough = (d > 0) & (d >= rows["minimum"])
    return rows.assign(value=rows["published"].fillna((rows["per"] * n / d.where(enough)).where(rows["divided"], n)))
