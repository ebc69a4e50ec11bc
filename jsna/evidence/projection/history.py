"""Plans of every authority each January, by age band, and new plans of the years between, from the official releases.

An authority is known by its DfE number, not by its code: a code can change while the place stays (Buckinghamshire in
2020, Somerset in 2023), and a place whose boundaries changed got a new number (Bournemouth, Christchurch and Poole in
2019, Northamptonshire in 2021, Cumbria in 2023). So a series never runs across a change of boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jsna.errors import SourceError
from jsna.evidence.projection.specification import bands, settings
from jsna.sources.ees import read_ees

if TYPE_CHECKING:
    from jsna.sources.folder import OfficialFolder

LOCAL = "Local authority"
YOUNGEST = {"under 3": 0, "2 and under": 0, "20 and over": 20}


@dataclass(frozen=True, eq=False)
class History:
    """What is known of plans, one row an authority (DfE number).

    ``plans``: a column a January (a whole number such as 2025). ``ages`` and ``new``: columns of two levels, the year
    and the band (0 the youngest, as ``settings`` names them): plans that January, and new plans of that calendar year.
    Missing: not published, or not collected. ``codes``: the latest code of each authority.
    """

    plans: pd.DataFrame
    ages: pd.DataFrame
    new: pd.DataFrame
    codes: pd.Series

    @property
    def latest(self) -> int:
        """The latest January."""
        return int(self.plans.columns.max())

    def until(self, january: int) -> History:
        """What was known that January: plans up to it and the new plans of the years before. Nothing later."""
        return History(
            self.plans.loc[:, self.plans.columns <= january],
            self.ages.loc[:, self.ages.columns.get_level_values(0) <= january],
            self.new.loc[:, self.new.columns.get_level_values(0) < january],
            self.codes,
        )

    def of_ages(self, january: int) -> pd.DataFrame:
        """Plans by band in one January, a column a band; all missing for a year without ages."""
        return _of_year(self.ages, january, january <= settings()["back_test"]["reform"])

    def of_new(self, year: int) -> pd.DataFrame:
        """New plans by band in one calendar year, a column a band; all missing for a year without them."""
        return _of_year(self.new, year, year <= settings()["back_test"]["reform"])


def _of_year(table: pd.DataFrame, year: int, before_reform: bool) -> pd.DataFrame:
    """One year's columns; before the reform, when no plan went beyond 19, the oldest band is nobody."""
    every = range(len(bands()))
    if year not in table.columns.get_level_values(0):
        return pd.DataFrame(np.nan, index=table.index, columns=list(every))
    rows = table[year].reindex(columns=list(every)).astype("float64")
    there = rows[list(every)[:-1]].notna().all(axis=1)
    rows[every[-1]] = rows[every[-1]].mask(rows[every[-1]].isna() & there & before_reform, 0.0)
    return rows


def january(time_period: pd.Series) -> pd.Series:
    """The January of a school year (``202425``) or of a year that is written with four digits.

    >>> january(pd.Series(["202425", "2022"])).tolist()
    [2025, 2022]
    """
    text = time_period.astype("str")
    return (text.str[:2] + text.str[4:]).where(text.str.len() == 6, text).astype("int64")


def band_of(age: pd.Series) -> pd.Series:
    """The band of each age as it is published, missing where the age is not known.

    >>> band_of(pd.Series(["under 3", "5", "age 10", "20 and over", "Unknown"])).tolist()
    [0.0, 1.0, 1.0, 4.0, nan]
    """
    bare = age.str.casefold().str.replace(r"^aged? ", "", regex=True)
    years = bare.map(YOUNGEST).fillna(pd.to_numeric(bare, errors="coerce"))
    found = pd.Series(np.searchsorted(settings()["starts"], years, side="right") - 1.0, index=age.index)
    return found.where(years.between(0, 25))


def history_of(folder: OfficialFolder) -> History:
    """Plans of every authority from the release of 2025 and, where they are at hand, that of 2022 and of January 2023.

    With the release of 2025 alone: totals from 2019 on, ages of 2024 and 2025, new plans by age of 2022 to 2024.
    """
    caseload, new = folder.ehc("caseload").frame, folder.ehc("newplans").frame
    caseload = caseload[caseload["geographic_level"] == LOCAL]
    total = caseload[caseload["breakdown_topic"] == "Total"]
    plans = [_long(total, january(total["time_period"]), "ehcplans")]
    by_age = caseload[caseload["breakdown_topic"] == "Age"]
    ages = [_long(by_age, january(by_age["time_period"]), "ehcplans", band_of(by_age["breakdown"]))]
    started = new[(new["geographic_level"] == LOCAL) & (new["breakdown_topic"] == "Age when plan started")]
    starts = [_long(started, started["time_period"].astype("int64"), "new_ehc_plans", band_of(started["breakdown"]))]
    codes = [_codes(total)]
    for rows, value, into in _earlier(folder):
        whole = rows["characteristic_age"] == "Total"
        if into == "plans":
            plans.append(_long(rows[whole], january(rows.loc[whole, "time_period"]), value))
            codes.insert(0, _codes(rows))
        parts = rows[~whole]
        band = parts["characteristic_age"].str.removeprefix("Age ").map({b: float(i) for i, b in enumerate(bands())})
        (starts if into == "new" else ages).append(_long(parts, january(parts["time_period"]), value, band))
    table = pd.concat(plans).drop_duplicates(["number", "year"]).pivot(index="number", columns="year", values="n")
    every = pd.concat(codes).groupby(level=0).last()
    return History(table, _by_band(ages, table.index), _by_band(starts, table.index), every.reindex(table.index))


def _earlier(folder: OfficialFolder) -> list[tuple[pd.DataFrame, str, str]]:
    """Rows of authorities of the older files at hand, the column that is meant, and what they are of."""
    found = []
    if "ehc_2022" in folder.found:
        archive = folder.file("ehc_2022")
        found.append((read_ees(archive, "sen2_age_caseload").frame, "Total_all", "plans"))
        found.append((read_ees(archive, "sen2_age_new_plans").frame, "Total_new_all", "new"))
    try:
        profile = read_ees(folder.table_file("dashboard", "prepared_ehcp_ageprofile")).frame
    except SourceError:
        profile = None  # one year of ages, without which only a forecast from January 2023 or 2024 is poorer
    if profile is not None:
        found.append((profile[profile["ehcp_or_statement"] == "Total"], "num_caseload", "ages"))
    return [(rows[rows["geographic_level"] == LOCAL], value, into) for rows, value, into in found]


def _long(rows: pd.DataFrame, year: pd.Series, value: str, band: pd.Series | None = None) -> pd.DataFrame:
    made = pd.DataFrame({"number": rows["dfe_number"], "year": year, "n": rows[value].astype("float64")})
    return made if band is None else made.assign(band=band)[band.notna()]


def _sums(part: pd.DataFrame, *, absent_is_nobody: bool) -> pd.DataFrame:
    made = part.groupby(["number", "year", "band"])["n"].agg(lambda n: n.sum(skipna=False))
    if absent_is_nobody:
        made = made.unstack(fill_value=0.0).stack()
    return made.rename("n").reset_index()


def _codes(rows: pd.DataFrame) -> pd.Series:
    latest = rows.assign(year=january(rows["time_period"])).sort_values("year", kind="stable")
    return latest.groupby("dfe_number")["area_code"].last()


def _by_band(parts: list[pd.DataFrame], index: pd.Index) -> pd.DataFrame:
    """Bands side by side; the first source that has an authority's year counts, and a band with a gap is missing.

    The first source is by single years of age and lists those ages alone that somebody has: a band without a row is 0
    where the authority has others that year. The older ones list every band.
    """
    sums = [_sums(part, absent_is_nobody=at == 0) for at, part in enumerate(parts)]
    every = pd.concat([s.assign(source=at) for at, s in enumerate(sums)])
    first = every.groupby(["number", "year"])["source"].transform("min")
    kept = every[every["source"] == first].astype({"band": "int64"})
    return kept.pivot(index="number", columns=["year", "band"], values="n").reindex(index).sort_index(axis=1)
