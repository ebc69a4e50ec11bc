"""Luton beside others, against figures counted from the published files by other means than the workbench's readers."""

from __future__ import annotations

import csv
import io
import statistics
import zipfile
from contextlib import closing

import pandas as pd
import pytest
from openpyxl import load_workbook

from jsna.area import Area
from jsna.evidence.comparators import beside, comparators_of, sets_at_hand, verdicts_by_set, years_of_rank
from jsna.evidence.funnels import funnel
from jsna.evidence.trends import trend_table, trends
from jsna.evidence.values import official_values
from jsna.measures.trend import TOO_FEW
from jsna.params import Params
from jsna.sources.folder import OfficialFolder

LUTON, BEDFORD = "E06000032", "E06000055"
N25 = ["871", "874", "331", "313", "312", "856", "307", "333", "852", "301"]
N21 = ["330", "871", "333", "380", "308", "335", "312", "831", "317", "874"]


@pytest.fixture(scope="module")
def values(official_data):
    return official_values(OfficialFolder(official_data))


@pytest.fixture(scope="module")
def area(official_data):
    return Area(Params(source="official", data=str(official_data)))


@pytest.fixture(scope="module")
def lait(official_data):
    """LAIT's rows of single authorities with a number: measure, year, DfE number, value."""
    frame = pd.read_parquet(next(official_data.rglob("bds_long_0.parquet")))
    frame = frame.assign(
        value=pd.to_numeric(frame["Values"], errors="coerce"), number=frame["LA Number"].astype(str).str[:3]
    )
    # From 970 on the numbers are those of England and its regions.
    return frame[frame["value"].notna() & frame["number"].between("200", "969")]


@pytest.fixture(scope="module")
def timeliness(official_data):
    """The 20-week table of the release, read with the csv module."""
    archive = next(official_data.rglob("education-health-and-care-plans_2025.zip"))
    with zipfile.ZipFile(archive) as opened:
        name = next(n for n in opened.namelist() if n.endswith("timeliness_20_week.csv"))
        text = opened.read(name).decode("utf-8-sig")
    return [
        r
        for r in csv.DictReader(io.StringIO(text))
        if r["geographic_level"] == "Local authority"
        and r["breakdown_topic"] == "All EHC plans issued"
        and r["time_period"] == "2024"
    ]


def one(table, comparator):
    return table.set_index("comparator").loc[comparator]


def test_the_neighbours_are_those_of_the_workbook_and_of_2021(area, official_data, repository):
    with closing(load_workbook(next(official_data.rglob("sn_may_2025.xlsx")), read_only=True)) as book:
        luton = next(row for row in list(book["LA SN Groups"].iter_rows(values_only=True)) if str(row[0]) == "821")
    found = {c.key: c for c in comparators_of(area) if c.is_set}
    numbers = pd.read_csv(repository / "jsna" / "codes" / "local_authority.csv", dtype=str).set_index("code")[
        "dfe_number"
    ]
    assert [numbers[c] for c in found["neighbours 2025"].codes] == N25
    assert set(N25) <= {str(cell) for cell in luton}
    assert [numbers[c] for c in found["neighbours 2021"].codes] == N21


def test_elsewhere_only_the_set_of_2025_is_at_hand_and_that_is_said(official_data):
    bedford = Area(Params(source="official", data=str(official_data), areas=[BEDFORD]))
    assert [c.dated for c in comparators_of(bedford) if c.is_set] == ["May 2025"]
    assert "carried for Luton alone" in sets_at_hand(bedford)


def test_20_weeks_medians_and_place_counted_from_the_release(values, area, timeliness):
    def share(row):
        return 100 * int(row["plans_issued_20_weeks_ex"]) / int(row["plans_issued_den_ex"])

    usable = {
        r["old_la_code"]: share(r)
        for r in timeliness
        if r["plans_issued_den_ex"].isdigit() and int(r["plans_issued_den_ex"]) >= 10
    }
    table = beside(values, area, "EHC-05")
    assert one(table, "neighbours 2025")["value"] == pytest.approx(statistics.median(usable[n] for n in N25))
    assert one(table, "neighbours 2021")["value"] == pytest.approx(statistics.median(usable[n] for n in N21))
    assert table["value"].round(1).tolist() == [46.4, 39.6, 67.5, 56.2]
    england = one(table, "england")
    assert england["rank"] == 1 + sum(v > usable["821"] for v in usable.values())
    assert england["of"] == len(usable)
    assert (england["rank"], england["of"]) == (117, 149)
    assert england["rank_lower"] < 117 < england["rank_upper"]
    assert set(table["verdict"]) == {"worse"}


def test_the_place_of_research_counts_england_and_very_small_areas_among_the_authorities(lait, values, area):
    """Research has 120 of 152 for 20 weeks: 151 figures in LAIT, two of them of fewer than 10 plans, and England."""
    rows = lait[(lait["Short Desc"] == "SEN_EHC_Excpt_20wks") & (lait["Years"].astype(str) == "2024")]
    own = rows.loc[rows["number"] == "821", "value"].item()
    assert round(own, 1) == 27.1
    assert (1 + (rows["value"] > own).sum(), len(rows)) == (119, 151)


@pytest.mark.parametrize(
    ("indicator", "measure", "year", "place"),
    [("PFA-03", "16-17YroldSEN_ET", "2024", (15, 151))],
)
def test_places_by_published_figures_are_those_of_lait(indicator, measure, year, place, lait, values, area):
    rows = lait[(lait["Short Desc"] == measure) & (lait["Years"].astype(str).str[:4] == year)]
    own = rows.loc[rows["number"] == "821", "value"].item()
    england = one(beside(values, area, indicator), "england")
    assert (england["rank"], england["of"]) == place
    assert (1 + (rows["value"] > own).sum(), len(rows)) == place


@pytest.mark.parametrize(
    ("indicator", "group", "expected"),
    [
        ("EHC-02", "all", [25.2, 18.0, 30.7]),
        ("EHC-10", "all", [44.4, 28.7, 41.6]),
        ("EHC-12", "all", [3.2, 2.5, 2.9]),
        ("ATT-06", "ehc_plan", [14.8, 12.6, 13.1]),
        ("PFA-03", "all", [87.1, 87.6, 90.1]),
    ],
)
def test_england_and_the_medians_of_both_sets(indicator, group, expected, values, area):
    table = beside(values, area, indicator, group)
    found = [one(table, c)["value"] for c in ("england", "neighbours 2025", "neighbours 2021")]
    assert found == pytest.approx(expected, abs=0.06)


def test_the_set_of_neighbours_changes_the_verdict_on_refusals(values, area):
    by_set = verdicts_by_set(values, area, "EHC-02")
    assert by_set.changes is True
    assert by_set.table.set_index("comparator")["verdict"].to_dict() == {
        "neighbours 2025": "similar",
        "neighbours 2021": "lower",
    }


def test_published_figures_have_no_verdict_and_no_interval_of_the_rank(values, area):
    table = beside(values, area, "PFA-03")
    assert set(table["verdict"]) == {"no verdict"}
    assert table["rank_lower"].isna().all()
    places = years_of_rank(values, area, "PFA-03").set_index("period")["rank"]
    assert places["2024"] == 15
    assert places.max() - places.min() >= 5


def test_no_line_is_drawn_through_the_break_of_2023(values, area):
    found = trends(values, "EHC-05", "all", area)
    assert found.verdict == TOO_FEW
    assert found.result["points"] == 2
    assert found.result["change_verdict"] == "within chance"
    assert [p for p, _ in found.breaks] == ["2023"]


def test_authorities_differ_far_more_than_by_chance_and_luton_lies_within_that(values):
    shown = funnel(values, "EHC-05").frame
    assert len(shown) == 149
    assert shown["overdispersion"].iloc[0] > 50
    assert shown.set_index("area_code").loc[LUTON, "where"] == "inside"


def test_every_series_of_every_authority_in_one_go(values):
    codes = values.frame.loc[values.frame["area_level"] == "local_authority", "area_code"].unique()
    pairs = list(values.frame[["indicator", "group"]].drop_duplicates().itertuples(index=False, name=None))
    table = trend_table(values, pairs, codes)
    assert not table.duplicated(["indicator", "group", "area_code"]).any()
    tested = table[table["verdict"] != TOO_FEW]
    assert (tested["points"] >= 5).all()
    assert (tested["first_year"] <= tested["last_year"] - 4).all()
