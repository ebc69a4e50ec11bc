"""The pipeline on the release of 2025: known answers, counts read by the csv module, and areas with little to show."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from jsna.area import Area
from jsna.chapters import ehc_official, pipeline, pipeline_around
from jsna.evidence.pipeline import UNKNOWN, official_counts
from jsna.evidence.pipeline.compared import compared
from jsna.params import Params

LUTON, READING, LONDON = "E06000032", "E06000038", "E09000001"


@pytest.fixture(scope="module")
def luton(official_data) -> Area:
    return Area(Params(source="official", data=str(official_data), areas=[LUTON]))


@pytest.fixture(scope="module")
def counts(luton):
    return official_counts(luton.official)


@pytest.fixture(scope="module")
def made(luton, counts):
    return compared(counts, LUTON, policy=luton.policy, source="the release")


def _row(made, outcome, group, dimension="ethnicity"):
    return made.of(outcome, dimension).table.frame.set_index("group").loc[group]


WITHIN = [
    # evidence 4.2: exceptions included, then left out, then refusals; all against White British
    ("in_20_weeks", "APKN", 1.21, 1.016, 0.982, 1.051, 124),
    ("in_20_weeks", "BCRB", 1.29, 0.991, 0.939, 1.047, 110),
    ("in_20_weeks", "BAFR", 1.27, 1.043, 1.013, 1.073, 149),
    ("in_20_weeks_ex", "APKN", 1.23, 1.035, 1.001, 1.070, 122),
    ("in_20_weeks_ex", "BCRB", 1.32, 0.992, 0.940, 1.047, 105),
    ("in_20_weeks_ex", "BAFR", 1.29, 1.039, 1.010, 1.070, 146),
]


@pytest.mark.parametrize(("outcome", "group", "crude", "ratio", "lower", "upper", "areas"), WITHIN)
def test_england_within_authorities_and_crude(made, outcome, group, crude, ratio, lower, upper, areas):
    row = _row(made, outcome, group)
    found = [row[f"england_{c}_reference"] for c in ("risk_ratio", "lower", "upper")]
    assert [round(v, 3) for v in found] == [ratio, lower, upper]
    assert row["england_areas_reference"] == areas
    # the published row of England, and the sum of the authorities, say the same in these tables
    assert round(row["england_crude_reference"], 2) == crude
    assert round(row["england_sum_reference"], 2) == crude


def test_refusals_of_pakistani_requests_stay_lower_within_authorities(made):
    row = _row(made, "refused", "APKN")
    found = [row[f"england_{c}_reference"] for c in ("risk_ratio", "lower", "upper")]
    assert [round(v, 2) for v in found] == [0.63, 0.59, 0.68]


def test_luton_alone(made):
    pakistani, british = _row(made, "in_20_weeks", "APKN"), _row(made, "in_20_weeks", "WBRI")
    assert pakistani[["numerator", "denominator"]].tolist() == [20, 89]
    assert british[["numerator", "denominator"]].tolist() == [35, 88]
    assert round(pakistani["risk_ratio_reference"], 2) == 0.57
    girls, boys = (_row(made, "in_20_weeks", s, "sex") for s in ("Female", "Male"))
    assert girls[["numerator", "denominator"]].tolist() == [29, 128]
    assert boys[["numerator", "denominator"]].tolist() == [82, 249]
    assert [round(girls[c], 2) for c in ("risk_ratio", "risk_ratio_lower", "risk_ratio_upper")] == [0.69, 0.47, 0.98]


def test_what_all_stages_of_luton_are(made):
    shown = made.overall.frame.set_index("outcome")["percent"].round(1)
    known = {  # evidence 4.1, and the percentages that the release publishes
        "refused": 18.7,
        "in_20_weeks_ex": 27.1,
        "in_20_weeks": 29.4,
        "over_a_year": 2.7,
        "review_in_4_weeks": 57.0,
        "new_mainstream": 74.9,
        "new_special": 14.6,
        "all_mainstream": 43.9,
        "all_special": 36.4,
    }
    assert {k: shown[k] for k in known} == known


def _published(folder, table):
    with zipfile.ZipFile(folder.file("ehc")) as release, release.open(f"data/{table}.csv") as stream:
        yield from csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig"))


def test_ages_in_bands_are_the_sum_of_single_ages_read_by_the_csv_module(luton, counts):
    ages = {"Aged 2 and under", *(f"Aged {n}" for n in range(3, 5))}
    rows = [
        r
        for r in _published(luton.official, "requests")
        if r["new_la_code"] == LUTON and r["time_period"] == "2024" and r["breakdown"] in ages
    ]
    assert len(rows) == 3
    told = counts.frame.query("stage == 'refused' and area_code == @LUTON and group == '00-04'").iloc[0]
    assert told["total"] == sum(int(r["requests_received_in_year"]) for r in rows) == 231
    assert told["count"] == sum(int(r["requests_decided_not_to_assess"]) for r in rows)


def test_groups_add_up_to_all_in_every_stage_and_authority(counts):
    frame = counts.frame.dropna(subset="total").query("area_code == @LUTON or area_code == 'E92000001'")
    # of caseload alone some authorities have no figure for single groups, so that England's sum is its own row's
    sums = frame[frame["dimension"] != "all"].groupby(["area_code", "stage", "dimension"])["total"].sum()
    whole = frame[frame["dimension"] == "all"].set_index(["area_code", "stage"])["total"]
    wide = sums.unstack("dimension").join(whole)
    for dimension in ("ethnicity", "sex"):
        assert (wide[dimension] == wide["total"]).all()


def test_unknown_is_apart_in_every_dimension_and_completeness_is_told(made):
    frame = made.table.frame
    assert set(frame.loc[~frame["known"], "group"]) == {UNKNOWN}
    assert frame.loc[~frame["known"], "q_value"].isna().all()
    known = made.overall.frame.set_index("outcome")["ethnicity_known"]
    assert round(known["in_20_weeks"], 1) == 97.6  # 9 of 377


def test_one_family_of_tests_and_nothing_past_watch(made):
    frame = made.table.frame
    # of groups under 10 no rate is shown; their tests are in the family all the same
    assert made.comparisons >= frame["p_value"].notna().sum() > 300
    assert set(frame["status"]) <= {"watch", "no evidence", "insufficient data"}
    assert len(made.watched) < 40


def test_the_words_give_the_reason_where_totals_differ(made, luton):
    finding, table = pipeline_around.england(made, luton, "in_20_weeks").items
    pakistani = next(n for n in finding.notes if n.startswith("Pakistani"))
    assert "1.21 in England’s totals, 1.02 within authorities" in pakistani
    assert "in authorities where this share is higher for everyone" in pakistani
    assert "Pakistani,1.01," in table.table_csv


def test_appeals_on_both_counts_of_decisions(luton):
    finding, table, chart = pipeline_around.appeals(luton).items
    rows = list(csv.DictReader(io.StringIO(table.table_csv)))
    own = [(r["Count of decisions"], r["Appeals"], *list(r.values())[3:]) for r in rows if r["Area"] == "Luton"]
    assert own == [("as published", "28", "2842", "1.0"), ("in development", "28", "1855", "1.5")]
    assert any("18.7% in Luton" in note for note in finding.notes)
    assert "2024,Luton,1.0" in chart.table_csv


def test_requests_for_residents_and_beside_plans(luton):
    rows = list(csv.DictReader(io.StringIO(pipeline_around.requests_per_resident(luton).table_csv)))
    assert [rows[0][c] for c in ("Requests", "Residents, mid-2020", "Requests for 1,000")] == ["231", "17037", "13.6"]
    beside = list(csv.DictReader(io.StringIO(pipeline_around.requests_and_plans(luton, "ethnicity").table_csv)))
    pakistani = next(r for r in beside if r["Group"] == "Pakistani")
    assert (pakistani["Requests"], pakistani["Plans"], pakistani["Share of requests (%)"]) == ("127", "694", "23.3")


def test_reasons_add_up_to_all_plans_that_ended(luton):
    made = pipeline_around.reasons(luton)
    assert sum(int(r["Plans"]) for r in csv.DictReader(io.StringIO(made.table_csv))) == 238
    assert "died" not in made.table_csv


def test_an_area_without_reviews_has_words_for_each_stage(official_data, counts):
    area = Area(Params(source="official", data=str(official_data), areas=[READING]))
    made = compared(counts, READING, policy=area.policy, source="the release")
    shown = [pipeline.summary(made, area), *(pipeline.glance(made, d) for d in ("ethnicity", "sex", "age"))]
    shown += [pipeline.overall(made, area), *pipeline.each_stage(made, area).items]
    text = "\n".join(" ".join((e.title, *e.notes, e.table_csv)) for e in shown)
    assert "nan" not in text.replace("\n", ",").casefold().split(",")
    assert made.overall.frame.set_index("outcome").loc["review_held"].isna()["percent"]
    assert "No reviews of Blackpool and Reading" in text


def test_an_area_with_hardly_a_plan_has_words_and_no_share(official_data):
    area = Area(Params(source="official", data=str(official_data), areas=[LONDON]))
    shown = [ehc_official.timeliness_finding(area), ehc_official.refusals_finding(area)]
    shown += pipeline_around.appeals(area).items[:1]
    assert [e.title for e in shown[:2]] == [
        "In City of London, too few plans were issued in 2024 for a share.",
        "In City of London, too few requests were received in 2024 for a share.",
    ]
    assert "too few for a share in City of London" in " ".join(shown[2].notes)


def test_the_release_cannot_cross_ethnic_group_with_age_and_says_so(luton):
    assert "not ethnic groups within ages" in pipeline_around.age_gap(luton).extras["gap"]["reason"]
