"""Official values against published tables: known answers, counted again with the csv module, and the two vintages."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile

import pytest

from jsna.evidence.catalogue import catalogue
from jsna.evidence.values import official_values
from jsna.evidence.values.areas import areas
from jsna.evidence.values.compute import compute
from jsna.sources.folder import OfficialFolder
from tests.values_samples import catalogue_of, indicator

LUTON, ENGLAND, EAST, BARNET = "E06000032", "E92000001", "E12000006", "E09000003"
CORNWALL, BUCKS, CUMBERLAND = "E06000052", "E06000060", "E06000063"
EHC = "ees/education-health-and-care-plans"
RELEASE = f"{EHC}/education-health-and-care-plans_2025.zip"


@pytest.fixture(scope="module")
def values(official_data):
    return official_values(OfficialFolder(official_data))


@pytest.fixture(scope="module")
def figure(values):
    """The row of an indicator, group, area and year."""
    frame = values.frame.set_index(["indicator", "group", "area_code", "year"])
    return lambda i, code, year, group="all": frame.loc[(i, group, code, year)]


# Luton and England as published (evidence tables of the DfE's tool, snapshot of April 2026): value to its decimals.
@pytest.mark.parametrize(
    ("indicator", "group", "year", "luton", "england", "decimals"),
    [
        ("EHC-05", "all", 2024, 27.1, 46.4, 1),
        ("ATT-01", "sen_support", 2025, 19.9, 26.4, 1),
        ("ATT-01", "ehc_plan", 2025, 0.7, 4.0, 1),
        ("ATT-06", "ehc_plan", 2025, 10.1, 14.8, 1),
        ("ATT-05", "sen_support", 2025, 35, 29, 0),
        ("EHC-02", "all", 2024, 18.7, 25.2, 1),
        ("EHC-10", "all", 2024, 57.0, 44.4, 1),
        ("EHC-12", "all", 2024, 1.0, 3.2, 1),
        ("ATD-04", "all", 2024, 6.1, 11.3, 1),
        ("ATD-03", "all", 2025, 1.5, 2.4, 1),
        ("PFA-03", "all", 2024, 94.2, 87.1, 1),
        ("EHC-09", "all", 2024, 91.4, 86.5, 1),
        ("EHC-06", "all", 2024, 29.4, 45.9, 1),
        ("IDN-01", "all", 2023, 13.3, None, 1),
        ("IDN-02", "all", 2023, 4.1, None, 1),
        ("POP-06", "primary", 2025, 53.0, 23.4, 1),
        ("POP-06", "secondary", 2025, 45.7, 19.2, 1),
        ("ATD-01", "all", 2025, 6.32, 6.78, 2),
        ("ATD-02", "all", 2025, 17.69, 18.14, 2),
        ("ATD-02", "special_schools", 2025, 36.25, 35.26, 2),
        ("ATD-01", "ehc_plan", 2023, 11.24, 12.42, 2),
        ("ATD-01", "sen_support", 2023, 8.68, 10.08, 2),
        ("ATD-04", "special_schools", 2024, 2.27, 12.62, 2),
        ("ATD-05", "all", 2024, 3.42, 4.04, 2),
        ("ATT-05", "no_sen", 2025, 75, 74, 0),
        ("ATT-05", "ehc_plan", 2025, 10, 9, 0),
        ("ATT-06", "sen_support", 2025, 32.5, 33.8, 1),
        ("SOC-01", "sen_support", 2025, 21.2, 21.9, 1),
        ("SOC-01", "ehc_plan", 2025, 27.1, 31.4, 1),
        ("SOC-02", "sen_support", 2025, 27.4, 27.3, 1),
        ("SOC-02", "ehc_plan", 2025, 31.1, 33.9, 1),
    ],
)
def test_published_values(figure, indicator, group, year, luton, england, decimals):
    half = 0.5 * 10**-decimals + 1e-9
    assert abs(figure(indicator, LUTON, year, group)["value"] - luton) <= half
    assert england is None or abs(figure(indicator, ENGLAND, year, group)["value"] - england) <= half


@pytest.mark.parametrize(
    ("indicator", "group", "first", "series"),
    [
        ("EHC-05", "all", 2018, [62.3, 67.2, 68.7, 65.0, 27.5, 32.1, 27.1]),
        ("EHC-02", "all", 2020, [17.3, 28.5, 14.3, 13.7, 18.7]),
        ("EHC-12", "all", 2014, [0.4, 0.5, 0.7, 0.7, 0.9, 0.5, 0.5, 0.7, 0.8, 0.7, 1.0]),
        ("ATT-01", "sen_support", 2022, [20.3, 25.4, 30.7, 19.9]),
        ("ATT-01", "ehc_plan", 2022, [1.2, 1.9, 3.5, 0.7]),
        ("ATT-06", "ehc_plan", 2019, [11.6, 14.2, 13.8, 10.1, 10.9, 11.0, 10.1]),
        ("PFA-03", "all", 2022, [96.1, 95.6, 94.2]),
    ],
)
def test_lutons_history(figure, indicator, group, first, series):
    made = [figure(indicator, LUTON, first + i, group)["value"] for i in range(len(series))]
    assert made == pytest.approx(series, abs=0.0501)


@pytest.mark.parametrize(
    ("indicator", "year", "luton", "group"),
    [
        ("EHC-05", 2024, (96, 354), "all"),
        ("EHC-06", 2023, (158, 505), "all"),
        ("EHC-07", 2024, (10, 377), "all"),
        ("EHC-08", 2024, (23, 377), "all"),
        ("EHC-02", 2024, (108, 578), "all"),
        ("EHC-03", 2024, (380, 566), "all"),
        ("EHC-04", 2024, (406, 413), "all"),
        ("EHC-09", 2024, (2074, 2269), "all"),
        ("EHC-10", 2024, (1130, 1982), "all"),
        ("EHC-11", 2024, (20, 238), "paid_work"),
        ("EHC-11", 2024, (96, 238), "no_engagement"),
        ("EHC-12", 2024, (28, 2842), "all"),
        ("PRO-01", 2025, (1196, 2723), "all"),
        ("PRO-05", 2024, (272, 363), "all"),
        ("IDN-04", 2025, (1116, 2723), "need_asd"),
        ("IDN-04", 2025, (529, 2723), "need_slcn"),
        ("POP-06", 2022, (20526, 40451), "all"),
        ("SOC-01", 2022, (67, 556), "sen_support"),
        ("SOC-02", 2022, (57, 180), "ehc_plan"),
        ("ATT-01", 2022, (73, 360), "sen_support"),
    ],
)
def test_lutons_counts(figure, indicator, year, luton, group):
    assert tuple(figure(indicator, LUTON, year, group)[["numerator", "denominator"]]) == luton


@pytest.mark.parametrize(
    ("year", "luton", "east", "england"),
    [
        (2019, 1532, 39596, 353995),
        (2020, 1764, 43205, 390109),
        (2021, 1882, 48023, 430697),
        (2022, 2043, 53263, 473255),
        (2023, 2170, 57481, 517048),
        (2024, 2585, 65552, 576474),
        (2025, 2723, 72487, 638745),
    ],
)
def test_plans_in_january(figure, year, luton, east, england):
    rows = [figure("IDN-07", code, year) for code in (LUTON, EAST, ENGLAND)]
    assert [r["numerator"] for r in rows] == [luton, east, england]
    assert [r["period"] for r in rows] == [f"January {year}"] * 3


def counted(official_data, table, columns, code, year):
    """Sums of columns over the row of all, straight out of the zip: the independent count."""
    with zipfile.ZipFile(official_data / RELEASE) as release:
        member = next(m for m in release.namelist() if m.endswith(f"/{table}.csv"))
        rows = csv.DictReader(io.StringIO(release.read(member).decode("utf-8-sig")))
        fit = [
            r
            for r in rows
            if r["time_period"] == year
            and r["breakdown_topic"].startswith(("All", "New"))
            and r["geographic_level"] == "Local authority"
            and r["new_la_code"] in code
        ]
    assert len(fit) == 1
    return sum(float(fit[0][c]) for c in columns)


@pytest.mark.parametrize("code", [{LUTON}, {BARNET}, {CORNWALL}, {BUCKS, "E10000002"}, {CUMBERLAND}])
@pytest.mark.parametrize(
    ("indicator", "table", "years", "over", "under"),
    [
        ("EHC-05", "timeliness_20_week", ("2024", 2024), ["plans_issued_20_weeks_ex"], ["plans_issued_den_ex"]),
        ("EHC-02", "requests", ("2024", 2024), ["requests_decided_not_to_assess"], ["requests_received_in_year"]),
        ("PRO-01", "caseload", ("202425", 2025), ["mainstream_total"], ["ehcplans"]),
    ],
)
def test_counted_again_with_the_csv_module(official_data, figure, code, indicator, table, years, over, under):
    row = figure(indicator, min(code), years[1])
    n, d = (counted(official_data, table, columns, code, years[0]) for columns in (over, under))
    assert (row["numerator"], row["denominator"]) == (n, d)
    assert row["value"] == pytest.approx(100 * n / d)


def test_an_old_code_leads_to_todays_authority(official_data, figure):
    old = counted(official_data, "caseload", ["ehcplans"], {BUCKS, "E10000002"}, "201819")
    assert figure("IDN-07", BUCKS, 2019)["numerator"] == old


def test_the_release_of_2022_has_a_longer_history(official_data):
    """Its January positions carry four digits and "Calendar year": 2022 is January 2022."""
    side = {"source": "ehc_2022", "table": "sen2_age_caseload", "columns": ["Total_all"], "basis": "responsible_la"}
    way = {"numerator": side | {"where": {"characteristic_age": "Total"}}}
    count = indicator(way, kind="count", interval="none", period="january", denominator="")
    made = compute(OfficialFolder(official_data), catalogue_of(count)).of("EHC-05", areas=[LUTON]).set_index("period")
    assert made.loc[["January 2019", "January 2022"], "value"].tolist() == [1532, 2043]
    assert made["year"].min() == 2010


def test_what_is_no_more_is_left_out_and_named(values):
    assert set(values.frame["area_code"]) == set(areas().index)
    notes = " ".join(note for s in values.sources for note in s.notes)
    for name in ("Cumbria (E10000006)", "Northamptonshire (E10000021)", "Dorset (E10000009)"):
        assert name in notes
    assert values.of("IDN-07", areas=[CUMBERLAND])["year"].tolist() == [2024, 2025]


def test_everything_the_catalogue_promises_is_in_these_files(values):
    assert values.absent.empty, values.absent.to_string()
    promised = {i.id for i in catalogue().indicators.values() if "official" in i.available}
    assert set(values.frame["indicator"]) == promised


def test_a_value_is_per_numerator_over_denominator_within_its_limits(values):
    frame = values.frame
    shown = frame[(frame["symbol"] == "") & frame["denominator"].notna()]
    per = shown["indicator"].map({i.id: i.per for i in catalogue().indicators.values()})
    assert (shown["value"] * shown["denominator"] - per * shown["numerator"]).abs().max() < 1e-4
    limited = frame[frame["lower"].notna()]
    assert ((limited["lower"] <= limited["value"] + 1e-9) & (limited["value"] <= limited["upper"] + 1e-9)).all()
    assert frame.loc[frame["value"].isna(), "symbol"].ne("").all()
    assert frame.loc[frame["value"].notna(), "symbol"].eq("").all()
    assert frame.loc[frame["way"] == "published", ["lower", "upper"]].isna().all(axis=None)


def test_authorities_add_up_to_the_published_total(values):
    rows = values.of("IDN-07").query("year == 2025")
    sums = rows.groupby("area_level")[["numerator", "denominator"]].sum()
    england = rows.set_index("area_code").loc[ENGLAND]
    for level in ("local_authority", "region"):
        assert sums.loc[level].tolist() == england[["numerator", "denominator"]].tolist()


def test_the_two_vintages_of_the_release_are_compared(official_data, values):
    """Barnet's requests: the row of all stands in the zip with mediations, in the single file without."""
    told = values.vintages
    assert (told["pinned_file"] != told["other_file"]).all()
    path = official_data / EHC / "2025-catalogue-csvs" / "requests.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8-sig") as stream:
        single = [
            r
            for r in csv.DictReader(stream)
            if r["new_la_code"] == BARNET and r["time_period"] == "2024" and r["breakdown_topic"].startswith("All")
        ]
    used = counted(official_data, "requests", ["mediation_related_request"], {BARNET}, "2024")
    barnet = told[(told["indicator"] == "EHC-14") & (told["area_code"] == BARNET)].iloc[0]
    assert barnet["pinned_denominator"] == used
    other = single[0]["mediation_related_request"]
    assert math.isnan(barnet["other_denominator"]) if other == "x" else barnet["other_denominator"] == float(other)
    # Wandsworth's annual reviews are x in the single file, and figures in the zip, which is used.
    wandsworth = told[(told["indicator"] == "EHC-09") & (told["area_code"] == "E09000032")].iloc[0]
    assert wandsworth["pinned_value"] == pytest.approx(100 * 2541 / 2728)
    assert math.isnan(wandsworth["other_value"])
    assert LUTON not in set(told["area_code"])
