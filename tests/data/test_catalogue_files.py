"""Every way of the catalogue leads into the official files, and the files give the known answers by its own recipe.

The files are opened here with csv and pandas alone: none of the workbench's readers takes part.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from jsna.evidence.catalogue import Counts, Indicator, Official, Published, catalogue

LUTON, ENGLAND = "E06000032", "E92000001"
FILES = {
    "eyfsp": "1_eyfsp_headline_measures_2022.csv.gz",
    "cino": "sen_la.csv.gz",
    "pupils": "spc_pupils_ethnicity_and_language_.csv.gz",
    "school_ap": "spc_school_ap_characteristics.csv.gz",
    "population": "population20_ltla21.csv.gz",
    "ehc": "education-health-and-care-plans_2025.zip",
    "tribunal": "education-health-and-care-plans_2025.zip",
    "lait": "bds_long_0.parquet",
    "low_income_la": "2_AHC_Relative_LA.csv.gz",
    "children": "census21_pop_lsoa21_agegroup.csv.gz",
}
# The workbench's names of headings that the release misspells, and of the topics that it calls differently by table.
PUBLISHED_AS = {"number_decision_4weeks": "number_decsion_4weeks"}
TOPICS = {
    "Age": ("Child or young persons age", "Young persons age"),
    "Age when plan ceased": ("Age plan ceased",),
}


def everything(folder: Path, pattern: str) -> list[Path]:
    return sorted(p for p in folder.rglob(pattern) if p.is_file())


@cache
def raw(folder: Path, source: str, table: str) -> pd.DataFrame:
    """A file as text, with the headings as published."""
    if source == "dashboard":
        return pd.read_csv(everything(folder, f"{table}.csv.gz")[0], dtype="str", keep_default_na=False)
    path = everything(folder, FILES[source])[0]
    if source == "ehc":
        with zipfile.ZipFile(path) as release, release.open(f"data/{table}.csv") as stream:
            return pd.read_csv(stream, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    if source == "lait":
        frame = pd.read_parquet(path)
        names = {"Short Desc": "measure", "Values": "value", "LA and Regions": "la_name", "Years": "time_period"}
        return frame[list(names)].rename(columns=names).astype("str")
    if source == "tribunal":
        return tribunal(path)
    if source == "low_income_la":
        return low_income(path)
    if source == "children":
        return children(folder)
    return pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")


def tribunal(path: Path) -> pd.DataFrame:
    """The table of appeals, its two heading rows taken apart by hand: the last year holds two rates."""
    with zipfile.ZipFile(path) as release:
        name = next(n for n in release.namelist() if "Tribunal" in n)
        rows = list(csv.reader(io.StringIO(release.read(name).decode("cp1252"))))
    top = next(n for n, row in enumerate(rows) if "LA code" in row)
    found = []
    for row in rows[top + 2 :]:
        if len(row) < 5 or not (row[0].startswith("England Total") or row[1].strip() == "821"):
            continue
        columns = zip(rows[top], rows[top + 1], row, strict=False)
        year, appeals = "", ""
        for above, heading, cell in columns:
            year = above.strip() if re.fullmatch(r"20\d\d", above.strip()) else year
            number = cell.strip().replace(",", "")
            if "ppeals registered" in heading:
                appeals = number
            elif "Decisions" in heading and "development" not in heading:
                code = LUTON if row[1].strip() == "821" else ENGLAND
                found.append((year, code, appeals, number, "as published"))
    return pd.DataFrame(found, columns=["time_period", "area", "appeals", "decisions", "basis"])


def low_income(path: Path) -> pd.DataFrame:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.reader(stream) if len(row) > 5 and row[1].startswith("E")]
    parts = [
        {"time_period": year, "area": row[1], "children": row[n].replace(",", ""), "percent": row[n + 2].rstrip("%")}
        for row in rows
        for n, year in ((2, "2024"), (3, "2025"))
    ]
    return pd.DataFrame(parts)


def children(folder: Path) -> pd.DataFrame:
    """Luton's children under 16 by small area, with the decile of the index's workbook."""
    counts = pd.read_csv(everything(folder, FILES["children"])[0], dtype="str", encoding="utf-8-sig")
    book = everything(folder, "File_3_IoD2025*.xlsx")[0]
    index = pd.read_excel(book, sheet_name="IoD2025 IDACI & IDAOPI", dtype="str", engine="calamine")
    decile = next(c for c in index.columns if "IDACI" in c and "Decile" in c)
    code = next(c for c in index.columns if c.startswith("LSOA code"))
    places = pd.read_csv(everything(folder, "lookup_lsoa21_ward24_ltla24.csv.gz")[0], dtype="str")
    own = places.loc[places["ltla24_code"] == LUTON, "lsoa21_code"]
    young = counts[(counts["age_group"].str.match(r"(Aged )?(0|15|under)")) & counts["lsoa21_code"].isin(own)]
    frame = young.merge(index, left_on="lsoa21_code", right_on=code)
    names = {"usual_residents": "children", decile: "decile"}
    return frame.rename(columns=names)[["children", "decile"]].assign(time_period="2021", area=LUTON)


def sides(way: Official) -> list[Counts | Published]:
    return [part for part in (way.numerator, way.denominator, way.published) if part is not None]


def chosen(frame: pd.DataFrame, side: Counts | Published) -> pd.DataFrame:
    """The rows that a side names; 'Total' is the row of all of each table of the EHC plan release."""
    where = {"measure": side.measure} if isinstance(side, Published) and side.measure else {}
    for column, wanted in (side.where | where).items():
        values = [wanted] if isinstance(wanted, str) else wanted
        cells = frame[column]
        if column == "breakdown_topic":
            hits = cells.str.match(r"(All|New) ") if wanted == "Total" else cells.isin(TOPICS[str(wanted)])
        elif column == "breakdown":
            hits = cells.str.replace(r"(?i)^aged? (?=\d)", "", regex=True).isin(values)
        else:
            hits = cells.isin(values)
        assert hits.any(), f"no row has {values} in {column}"
        frame = frame.loc[hits]
    return frame


def columns_of(side: Counts | Published) -> list[str]:
    names = [side.column] if isinstance(side, Published) else [*side.columns, *side.less]
    return [PUBLISHED_AS.get(name, name) for name in names]


def ways() -> list:
    return [
        pytest.param(side, id=f"{i.id}-{way.group}-{n}")
        for i in catalogue().indicators.values()
        for n, way in enumerate(i.official)
        for side in sides(way)
    ]


@pytest.fixture(scope="module")
def folder(official_data) -> Path:
    for source, name in FILES.items():
        if not everything(official_data, name):
            pytest.skip(f"no {name} ({source}) among the official files")
    return official_data


@pytest.mark.parametrize("side", ways())
def test_every_way_leads_into_a_file(folder, side):
    frame = raw(folder, side.source, side.table)
    assert set(columns_of(side)) <= set(frame.columns)
    assert len(chosen(frame, side))


def of_area(frame: pd.DataFrame, area: str) -> pd.Series:
    """Rows of Luton or England, however the file tells them; a district's second row is left out."""
    if "area" in frame:
        return frame["area"] == area
    if "ltla21_code" in frame:
        return frame["ltla21_code"] == area
    names = {LUTON: "Luton", ENGLAND: "England"}
    if "new_la_code" in frame and "geographic_level" in frame:
        level = "National" if area == ENGLAND else "Local authority"
        return (frame["geographic_level"] == level) & ((area == ENGLAND) | (frame["new_la_code"] == area))
    return frame["la_name"] == names[area]


def number(frame: pd.DataFrame, side: Counts | Published, area: str, period: str) -> float:
    rows = chosen(frame, side)
    rows = rows[of_area(rows, area)]
    if "time_period" in rows or "academic_year" in rows:
        when = rows["time_period" if "time_period" in rows else "academic_year"]
        rows = rows[when.str.replace("/", "") == period]
    assert len(rows), (area, period)
    if isinstance(side, Counts):
        figures = rows[columns_of(side)].apply(pd.to_numeric)
        signs = [1] * len(side.columns) + [-1] * len(side.less)
        return float((figures.sum().to_numpy() * signs).sum())
    assert len(rows) == 1, (area, period)
    return float(rows[side.column].iloc[0]) * side.scale


def worked_out(folder: Path, indicator: Indicator, way: Official, area: str, period: str) -> tuple[float, float, float]:
    """Value, numerator and denominator by the recipe of a way."""
    figures = [number(raw(folder, side.source, side.table), side, area, period) for side in sides(way)]
    if way.published:
        return figures[0], float("nan"), float("nan")
    return indicator.per * figures[0] / figures[1], figures[0], figures[1]


# indicator, group, which of the group's ways, area, period as the file has it, value, numerator, denominator.
COUNTED = [
    ("EHC-05", "all", 0, LUTON, "2024", 27.1, 96, 354),
    ("EHC-05", "all", 0, LUTON, "2023", 32.1, 157, 489),
    ("EHC-05", "all", 0, LUTON, "2019", 67.2, 164, 244),
    ("EHC-06", "all", 0, LUTON, "2024", 29.4, 111, 377),
    ("EHC-06", "all", 0, LUTON, "2022", 27.5, 86, 313),
    ("EHC-07", "all", 0, LUTON, "2024", 2.7, 10, 377),
    ("EHC-08", "all", 0, LUTON, "2024", 6.1, 23, 377),
    ("EHC-02", "all", 0, LUTON, "2024", 18.7, 108, 578),
    ("EHC-02", "all", 0, LUTON, "2021", 28.5, 120, 421),
    ("EHC-03", "all", 0, LUTON, "2024", 67.1, 380, 566),
    ("EHC-04", "all", 0, LUTON, "2023", 99.4, 513, 516),
    ("EHC-09", "all", 0, LUTON, "2024", 91.4, 2074, 2269),
    ("EHC-10", "all", 0, LUTON, "2024", 57.0, 1130, 1982),
    ("EHC-11", "needs_met", 0, LUTON, "2024", 1.7, 4, 238),
    ("EHC-11", "paid_work", 0, LUTON, "2024", 8.4, 20, 238),
    ("EHC-11", "no_engagement", 0, LUTON, "2023", 32.2, 56, 174),
    ("EHC-12", "all", 0, LUTON, "2024", 1.0, 28, 2842),
    ("EHC-12", "all", 0, LUTON, "2018", 0.9, 14, 1536),
    ("EHC-12", "all", 0, ENGLAND, "2024", 3.2, 22276, 689739),
    ("EHC-14", "all", 0, LUTON, "2023", 52.4, 11, 21),
    ("PRO-01", "all", 0, LUTON, "202425", 43.9, 1196, 2723),
    ("PRO-03", "all", 0, LUTON, "202425", 34.6, 942, 2723),
    ("PRO-05", "all", 0, LUTON, "2024", 74.9, 272, 363),
    ("PRO-10", "all", 0, LUTON, "202425", 0.7, 19, 2723),
    ("IDN-04", "need_asd", 0, LUTON, "202425", 41.0, 1116, 2723),
    ("IDN-04", "need_asd", 0, ENGLAND, "202425", 31.5, 201183, 638745),
    ("IDN-04", "need_semh", 0, LUTON, "202425", 10.6, 289, 2723),
    ("PFA-04", "all", 0, LUTON, "202425", 12.3, 68, 552),
    ("PFA-06", "all", 0, LUTON, "2024", 12.6, 20, 159),
    ("POP-06", "all", 0, LUTON, "202122", 50.7, 20526, 40451),
    ("POP-06", "all", 0, LUTON, "201718", 52.6, 20447, 38857),
    ("SOC-01", "ehc_plan", 0, LUTON, "202122", 52.2, 290, 556),
    ("SOC-01", "sen_support", 0, LUTON, "202122", 12.1, 67, 556),
    ("SOC-02", "sen_support", 0, LUTON, "202122", 32.2, 58, 180),
    ("SOC-02", "ehc_plan", 0, LUTON, "202122", 31.7, 57, 180),
    ("ATT-05", "sen_support", 0, LUTON, "202223", 20.8, 103, 495),
    ("ATT-03", "ehc_plan", 0, LUTON, "202223", 16.7, 24, 144),
    ("ATD-09", "ehc_plan", 0, LUTON, "202223", 9.8, 16, 164),
    ("ATD-09", "sen_support", 0, ENGLAND, "202223", 42.5, 10450, 24577),
]
SHARES = [("ATT-01", "no_sen", 64.0, 2781), ("ATT-01", "all_sen", 16.7, 443), ("ATT-01", "sen_support", 20.3, 360)]
SHARES += [("ATT-01", "ehc_plan", 1.2, 83), ("ATT-01", "all", 56.6, 3299)]
PUBLISHED = [
    ("EHC-05", "all", LUTON, "2024", 27.1),
    ("EHC-05", "all", ENGLAND, "2024", 46.4),
    ("EHC-02", "all", ENGLAND, "2024", 25.2),
    ("EHC-10", "all", ENGLAND, "2024", 44.4),
    ("EHC-12", "all", ENGLAND, "2024", 3.2),
    ("IDN-01", "all", LUTON, "2025", 13.7),
    ("IDN-02", "all", LUTON, "2025", 5.2),
    ("ATT-01", "sen_support", LUTON, "2025", 19.9),
    ("ATT-01", "ehc_plan", LUTON, "2025", 0.7),
    ("ATT-01", "ehc_plan", ENGLAND, "2025", 4.0),
    ("ATT-05", "sen_support", LUTON, "2025", 35.0),
    ("ATT-05", "ehc_plan", LUTON, "2025", 10.0),
    ("ATT-06", "ehc_plan", LUTON, "2025", 10.1),
    ("ATT-06", "sen_support", ENGLAND, "2025", 33.8),
    ("ATD-01", "all", LUTON, "2025", 6.3),
    ("ATD-02", "all", LUTON, "2025", 17.7),
    ("ATD-02", "special_schools", LUTON, "2025", 36.2),
    ("ATD-03", "all", LUTON, "2025", 1.5),
    ("ATD-03", "all", ENGLAND, "2025", 2.4),
    ("ATD-04", "all", LUTON, "202324", 6.1),
    ("ATD-04", "all", ENGLAND, "202324", 11.3),
    ("ATD-05", "all", LUTON, "202324", 3.4),
    ("ATD-06", "all", LUTON, "202324", 10.1),
    ("PFA-03", "all", LUTON, "2024", 94.2),
    ("PFA-03", "all", ENGLAND, "2024", 87.1),
    ("POP-06", "primary", LUTON, "2025", 53.0),
    ("SOC-01", "ehc_plan", LUTON, "2025", 27.1),
    ("SOC-02", "ehc_plan", LUTON, "2025", 31.1),
    ("ATD-01", "ehc_plan", LUTON, "202223", 11.2),
    ("ATD-01", "no_sen", LUTON, "202223", 7.0),
]


def ways_of(name: str, group: str) -> list[Official]:
    return [way for way in catalogue()[name].official if way.group == group]


@pytest.mark.parametrize(("name", "group", "at", "area", "period", "value", "over", "under"), COUNTED)
def test_counts_give_the_known_answer(folder, name, group, at, area, period, value, over, under):
    got, numerator, denominator = worked_out(folder, catalogue()[name], ways_of(name, group)[at], area, period)
    assert (numerator, denominator) == (over, under)
    assert got == pytest.approx(value, abs=0.051)


@pytest.mark.parametrize(("name", "group", "value", "under"), SHARES)
def test_the_early_years_profile_gives_the_known_answer(folder, name, group, value, under):
    got, _, denominator = worked_out(folder, catalogue()[name], ways_of(name, group)[0], LUTON, "202122")
    assert denominator == under
    assert got == pytest.approx(value, abs=0.051)


@pytest.mark.parametrize(("name", "group", "area", "period", "value"), PUBLISHED)
def test_published_figures_are_the_known_ones(folder, name, group, area, period, value):
    way = next(w for w in ways_of(name, group) if w.published)
    got, _, _ = worked_out(folder, catalogue()[name], way, area, period)
    assert got == pytest.approx(value, abs=0.051)


def test_plans_for_each_thousand_residents(folder):
    """2,723 plans in January 2025, over 77,797 residents aged 0 to 25 in mid-2020 (added up here from the ages)."""
    way = ways_of("IDN-07", "all")[0]
    plans = number(raw(folder, "ehc", "caseload"), way.numerator, LUTON, "202425")
    residents = number(raw(folder, "population", ""), way.denominator, LUTON, "")
    with gzip.open(everything(folder, FILES["population"])[0], "rt", encoding="utf-8-sig", newline="") as stream:
        row = next(r for r in csv.DictReader(stream) if r["ltla21_code"] == LUTON)
    assert residents == sum(int(row[str(age)]) for age in range(26)) == 77797
    assert (plans, round(1000 * plans / residents, 1)) == (2723, 35.0)


def test_children_in_the_most_deprived_fifth(folder):
    way = ways_of("POP-05", "all")[0]
    got, numerator, denominator = worked_out(folder, catalogue()["POP-05"], way, LUTON, "2021")
    assert (numerator, denominator) == (30535, 52567)
    assert got == pytest.approx(58.1, abs=0.051)


def test_children_in_low_income_families_after_housing_costs(folder):
    way = ways_of("POP-04", "after_housing_costs")[0]
    assert worked_out(folder, catalogue()["POP-04"], way, LUTON, "2025")[0] == pytest.approx(40.4, abs=0.051)
