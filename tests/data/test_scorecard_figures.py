"""The Scorecard and the Dashboard against figures worked out by other means from the official files.

``python tests/data/test_scorecard_figures.py FOLDER`` writes England's figures that the workbench carries anew.
"""

from __future__ import annotations

import csv
import io
import statistics
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from jsna.area import Area
from jsna.chapters import coverage, scorecard
from jsna.evidence.catalogue import catalogue, frame_of
from jsna.evidence.comparators import beside
from jsna.evidence.scorecard import carried_over, selection
from jsna.params import Params

LUTON, KENT, CITY, LEWISHAM = "E06000032", "E10000016", "E09000001", "E09000023"
NEIGHBOURS_2025 = [871, 874, 331, 313, 312, 856, 307, 333, 852, 301]
NEIGHBOURS_2021 = [330, 871, 333, 380, 308, 335, 312, 831, 317, 874]


def area_of(code, folder):
    return Area(Params(areas=[code], source="official", data=str(folder)))


@pytest.fixture(scope="module")
def luton(official_data):
    return area_of(LUTON, official_data)


@pytest.fixture(scope="module")
def boards(luton):
    return {
        place: scorecard.board(luton, place).rows.set_index(["indicator", "group"])
        for place in ("scorecard", "dashboard")
    }


@pytest.fixture(scope="module")
def requests(official_data):
    """Requests refused and received in 2024 by area, read by the standard library alone."""
    release = next(official_data.rglob("education-health-and-care-plans_2025*.zip"))
    with zipfile.ZipFile(release) as archive:
        name = next(n for n in archive.namelist() if n.endswith("requests.csv"))
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(name), encoding="utf-8-sig")))
    return [r for r in rows if r["breakdown_topic"].startswith("All ") and r["time_period"] == "2024"]


def test_known_answers_of_luton(boards):
    row = boards["scorecard"].loc[("EHC-05", "all")]
    assert (row["period"], row["numerator"], row["denominator"]) == ("2024", 96, 354)
    shown = [round(row[c], 1) for c in ("value", "england_value", "set_0_value", "set_1_value")]
    assert shown == [27.1, 46.4, 67.5, 56.2]
    assert row["england_verdict"] == row["set_0_verdict"] == "worse"


def test_the_verdict_on_refusals_changes_with_the_neighbour_set(boards, requests):
    row = boards["dashboard"].loc[("EHC-02", "all")]
    by_number = {
        int(r["old_la_code"]): 100 * int(r["requests_decided_not_to_assess"]) / int(r["requests_received_in_year"])
        for r in requests
        if r["geographic_level"] == "Local authority"
    }
    for n, numbers in enumerate((NEIGHBOURS_2025, NEIGHBOURS_2021)):
        assert row[f"set_{n}_value"] == pytest.approx(statistics.median(by_number[number] for number in numbers))
    assert [round(row[c], 1) for c in ("value", "england_value", "set_0_value", "set_1_value")] == [
        18.7,
        25.2,
        18.0,
        30.7,
    ]
    assert (row["set_0_verdict"], row["set_1_verdict"]) == ("similar", "lower")


def test_the_sentences_name_the_change_of_verdict(luton):
    told = " ".join(scorecard.dashboard_finding(luton).notes)
    assert "Requests refused an assessment (similar by May 2025, lower by April 2021)" in told


@pytest.mark.parametrize("code", [LUTON, KENT, CITY])
def test_a_pages_verdicts_are_those_of_each_measure_alone(official_data, code):
    area = area_of(code, official_data)
    rows = scorecard.board(area, "dashboard").rows
    rows = rows[rows["value"].notna()]
    measures = [m for m in zip(rows["indicator"], rows["group"], strict=True) if catalogue()[m[0]].kind != "count"]
    alone = pd.concat(beside(area.values, area, i, g).assign(indicator=i, group=g) for i, g in measures)
    keys = {"england": "england", "region": "region"} | {
        c.key: f"set_{n}" for n, c in enumerate(scorecard.board(area, "scorecard").sets)
    }
    compared = 0
    for comparator, name in keys.items():
        one = alone[alone["comparator"] == comparator].set_index(["indicator", "group"])
        tested = one["p_value"].notna()
        kept = pd.Series(True, index=one.index)
        kept[tested] = multipletests(one.loc[tested, "p_value"].astype(float), method="fdr_bh")[0]
        page = rows.set_index(["indicator", "group"]).reindex(one.index)
        assert np.allclose(one["value"].astype(float), page[f"{name}_value"].astype(float), equal_nan=True)
        assert (one["verdict"].mask(~kept, "similar") == page[f"{name}_verdict"]).all()
        if name == "england":
            for column in ("rank", "rank_lower", "rank_upper"):
                assert np.allclose(one[column].astype(float), page[column].astype(float), equal_nan=True)
        compared += len(one)
    assert compared > 60


def test_without_counts_there_is_a_position_and_no_verdict(boards):
    rows = boards["dashboard"]
    published = rows[rows["way"] == "published"]
    assert len(published) > 10
    assert (published["england_verdict"] == "no verdict").all()
    assert published["rank_lower"].isna().all()
    assert published["rank"].notna().any()


def test_a_rank_never_stands_alone_on_the_dashboard(luton):
    table = scorecard.dashboard_exhibit(luton).table_csv
    ranks = pd.read_csv(io.StringIO(table))["Rank among authorities"]
    assert ranks.str.match(r"^(\d+ to \d+ of \d+|(first|second|third|last) quarter of \d+|[xz])$").all()
    assert ranks.str.contains(" to ").sum() > 10


def test_the_top_five_promise_cannot_be_told_from_a_percentage(luton):
    promise = next(e for e in scorecard.promises(luton).items if e.id == "promise-pfa-03")
    assert "94.2% in 2024" in promise.title
    assert promise.title.endswith("cannot be told.")


def test_promises_bring_their_cards(luton):
    cards = [e.extras["card"] for e in scorecard.promises(luton).items if "card" in e.extras]
    assert {c["id"] for c in cards} == {"promise-ehc-05-card", "promise-ehc-09-card", "promise-pfa-03-card"}
    in_time = next(c for c in cards if c["id"] == "promise-ehc-05-card")
    assert "Plans for which an exception is claimed" in in_time["balancing"]
    assert "May 2025 67.5%" in in_time["comparator"]


def test_of_the_ten_criteria_those_without_a_statistic_are_named(luton):
    said = coverage.coverage_finding(luton).title
    assert said.startswith("Of the ten success criteria, 1 is covered by figures in this pack (S5), ")
    assert "S7 and S8" in said
    table = next(e for e in coverage.coverage_tables(luton).items if e.id == "coverage-success-criteria").table_csv
    row = next(r for r in csv.reader(io.StringIO(table)) if r[0].startswith("S6 "))
    assert "Fewer plans can mean earlier help, or a shut door" in row[2]
    assert "Requests refused an assessment: 18.7% (2024)" in row[2]


def test_two_issues_that_disagree_are_both_named(official_data):
    shown = coverage.vintages(area_of(LEWISHAM, official_data))
    assert "differ between two issues" in shown.title
    assert "education-health-and-care-plans_2025" in shown.table_csv
    assert ".csv" in shown.table_csv


def test_england_carried_over_is_what_the_official_files_say(luton):
    official = luton.values.frame
    official = official[(official["area_level"] == "england") & official["value"].notna()]
    both = carried_over().merge(official, on=["indicator", "group", "period"], how="left", suffixes=("", "_now"))
    for column in ("value", "numerator", "denominator"):
        assert np.allclose(both[column], both[f"{column}_now"], rtol=1e-8, equal_nan=True), column
    assert (both["source"] == both["source_now"]).all()
    latest = official.sort_values("year").drop_duplicates(["indicator", "group"], keep="last")
    newer = carried_over().merge(latest, on=["indicator", "group"], suffixes=("", "_now"))
    assert (newer["period"] == newer["period_now"]).all()


def test_england_carried_over_is_what_the_release_itself_says(requests):
    england = next(r for r in requests if r["geographic_level"] == "National")
    row = carried_over().set_index(["indicator", "group"]).loc[("EHC-02", "all")]
    assert row["numerator"] == int(england["requests_decided_not_to_assess"])
    assert row["denominator"] == int(england["requests_received_in_year"])


def test_every_figure_of_the_page_has_a_source_and_a_period(boards):
    for rows in boards.values():
        assert (rows["source"].str.len() > 5).all()
        assert (rows["period"].str.len() >= 4).all()
        assert all(name in catalogue().indicators for name, _ in rows.index)


def england_of(folder: str) -> pd.DataFrame:
    """England's latest figure of every measure of the two pages, as ``england.csv`` has them."""
    pages = pd.concat([selection(place, frame_of(LUTON)) for place in ("scorecard", "dashboard")])
    keys = pages[["indicator", "group"]].drop_duplicates()
    rows = area_of(LUTON, folder).values.frame
    rows = rows[(rows["area_level"] == "england") & rows["value"].notna()].merge(keys, on=["indicator", "group"])
    rows = rows.sort_values(["indicator", "group", "year"]).drop_duplicates(["indicator", "group"], keep="last")
    return rows[["indicator", "group", "period", "value", "numerator", "denominator", "source"]]


if __name__ == "__main__":
    place = Path(__file__).resolve().parents[2] / "jsna/evidence/england.csv"
    england_of(sys.argv[1]).to_csv(place, index=False, float_format="%.10g", lineterminator="\n")
