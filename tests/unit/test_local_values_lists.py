"""Counts of operational lists that indicators are made from: sound lists, worked out by hand, and faulty ones."""

import pandas as pd
import pytest
from extract_samples import SOUND, renamed
from local_records import pupils

from jsna.evidence.local_values.lists import of_lists
from jsna.sources.extracts import read_extract

# Lists: the sound one of each kind has three or four rows, worked out by hand; counts are compared before the gate.


def counts_of(tmp_path, *kinds, people=None, **texts):
    read = []
    for kind in kinds:
        path = tmp_path / f"{kind}.csv"
        path.write_text(texts.get(kind, SOUND[kind]), encoding="utf-8")
        read.append(read_extract(path, kind))
    made = of_lists(read, people if people is not None else pupils(("N", "", "ENG", "", 1)).frame.iloc[:0])
    frame = made.counts.unseal("a test")
    found = {
        (r.brings, r.period, r.count_, r.group): r.number
        for r in frame.rename(columns={"count": "count_"}).itertuples()
    }
    return found, made.missing


ROLL = pd.DataFrame({"pupil_id": ["aa01", "aa02", "aa03"], "time_period": "202526", "sen_provision": ["K", "E", "N"]})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ehc_cases", {("assessments", "2025", "to_issue", "all"): 2, ("assessments", "2025", "concluded", "all"): 3}),
        (
            "annual_reviews",
            {
                ("reviews", "2025", "reviewed", "all"): 2,
                ("reviews", "2025", "plans_over_a_year_old", "all"): 2,
                ("reviews", "2025", "decided_in_4_weeks", "all"): 3,
                ("reviews", "2025", "transfers_in_time", "all"): 1,
            },
        ),
        (
            "disputes",
            {
                ("disputes", "2025", "disputes", "all"): 3,
                ("disputes", "2025", "mediation_held", "all"): 2,
                ("disputes", "2025", "mediation_agreed", "all"): 1,
                ("disputes", "2025", "appeals", "all"): 2,
                ("disputes", "2025", "appeals_after_mediation", "all"): 1,
                ("disputes", "2025", "upheld", "all"): 1,
            },
        ),
        (
            "exclusions",
            {
                ("exclusions", "2025/26", "suspensions", "sen_support"): 2,
                ("exclusions", "2025/26", "suspended", "all_sen"): 1,
                ("exclusions", "2025/26", "permanent", "ehc_plan"): 1,
                ("exclusions", "2025/26", "suspended_sessions", "all"): 10,
                ("exclusions", "2025/26", "on_roll", "all"): 3,
                ("exclusions", "2025/26", "suspensions", "no_sen"): 0,
            },
        ),
        (
            "absence",
            {
                ("absence", "2025/26", "sessions_missed", "all"): 203,
                ("absence", "2025/26", "sessions", "no_sen"): 300,
                ("absence", "2025/26", "persistent", "sen_support"): 1,
                ("absence", "2025/26", "severe", "all_sen"): 0,
                ("absence", "2025/26", "enrolments", "all"): 3,
            },
        ),
        (
            "absence_aggregate",
            {
                ("absence", "2025/26", "sessions", "all"): 45600,
                ("absence", "2025/26", "persistent", "ehc_plan"): 6,
                ("absence", "2025/26", "severe", "no_sen"): 1,
            },
        ),
        (
            "ld_health_checks",
            {
                ("ld_health_checks", "2025/26", "checked", "all"): 1,
                ("ld_health_checks", "2025/26", "on_register", "all"): 2,
            },
        ),
        (
            "ld_health_checks_aggregate",
            {
                ("ld_health_checks", "2025/26", "checked", "all"): 50,
                ("ld_health_checks", "2025/26", "on_register", "all"): 90,
            },
        ),
        (
            "short_breaks",
            {
                ("short_breaks", "2025/26", "could_use", "all"): 1,
                ("short_breaks", "2025/26", "used", "all"): 0,
                ("short_breaks", "2025/26", "waiting", "all"): 1,
            },
        ),
    ],
)
def test_lists_by_hand(tmp_path, kind, expected):
    found, missing = counts_of(tmp_path, kind, people=ROLL)
    assert {key: found[key] for key in expected} == expected
    assert set(missing["measure"]) <= {"appeal_rate"}


def test_the_rate_of_appeals_needs_three_lists(tmp_path):
    found, missing = counts_of(tmp_path, "disputes", "ehc_cases", "annual_reviews")
    assert (
        found["disputes", "2025", "appeals_registered_in_year", "all"],
        found["disputes", "2025", "decisions", "all"],
    ) == (2, 6)
    assert missing.empty
    found, missing = counts_of(tmp_path, "disputes")
    assert ("disputes", "2025", "decisions", "all") not in found
    assert missing["measure"].tolist() == ["appeal_rate"]


def test_destinations_are_the_mean_of_three_months(tmp_path):
    head, first, second, older = SOUND["destinations"].splitlines()
    months = [
        line.replace("2026-01,", f"{m},", 1)
        for m in ("2025-12", "2026-01", "2026-02")
        for line in (first, second, older)
    ]
    months[7] = months[7].replace(",619,", ",210,")
    found, missing = counts_of(tmp_path, "destinations", destinations="\n".join([head, *months]) + "\n")
    assert found["destinations", "2026", "young_people", "all_sen"] == 2
    assert found["destinations", "2026", "in_education_or_training", "ehc_plan"] == 1
    assert found["destinations", "2026", "neet", "sen_support"] == 1  # two months of three, to the nearest
    assert missing.empty
    _, missing = counts_of(tmp_path, "destinations")
    assert missing["reason"].str.contains("not all of December, January and February").all()


def test_a_survey_needs_its_questions(tmp_path):
    found, missing = counts_of(tmp_path, "survey_responses", "survey_questions")
    assert found["survey", "March 2026", "Q1: positive", "parents"] == 1
    assert found["survey", "March 2026", "Q1: answered", "parents"] == 2
    assert missing.empty
    found, missing = counts_of(tmp_path, "survey_responses")
    assert (found, len(missing)) == ({}, 1)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (
            "annual_reviews",
            SOUND["annual_reviews"].replace("2025-01-01,2025-12-31", "2025-03-01,2025-12-31"),
            "2025: left out",
        ),
        ("annual_reviews", renamed("annual_reviews", period_start="other"), "does not say which days it covers"),
        (
            "exclusions",
            SOUND["exclusions"].replace("2025-09-01,2026-08-31", "2025-09-01,2026-03-31"),
            "no whole school year",
        ),
        ("absence", SOUND["absence"].replace("FULL", "AUT"), "some terms only"),
    ],
    ids=["a cut year", "no period", "half a school year", "one term"],
)
def test_periods_that_are_not_whole_are_left_out_and_said(tmp_path, kind, text, words):
    found, missing = counts_of(tmp_path, kind, people=ROLL, **{kind: text})
    assert found == {}
    assert missing["reason"].str.contains(words).all()
    assert (missing["mend"] != "").all()
    assert len(missing) == 1


@pytest.mark.parametrize("kind", ["exclusions", "short_breaks"])
def test_without_the_census_of_the_year_nobody_is_on_roll(tmp_path, kind):
    found, missing = counts_of(tmp_path, kind)
    assert found == {}
    assert missing["reason"].str.contains("The School Census of January 2026 is not there").all()


def test_two_lists_of_one_period_are_not_added_up(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(SOUND["ld_health_checks"], encoding="utf-8")
    made = of_lists([read_extract(tmp_path / f"{n}.csv", "ld_health_checks") for n in ("one", "two")], ROLL)
    assert set(made.counts.unseal("a test")["file"]) == {"one.csv"}
    assert made.missing["reason"].str.contains("2025/26 stands in two.csv too").any()


def test_lists_beside_pupils_who_are_counted_in_a_warehouse_say_what_they_cannot_tell(tmp_path):
    """No list can be joined to pupils whose rows are not at hand; what needs no join is counted as ever."""
    read = []
    for kind in ("annual_reviews", "exclusions", "absence", "short_breaks"):
        path = tmp_path / f"{kind}.csv"
        path.write_text(SOUND[kind], encoding="utf-8")
        read.append(read_extract(path, kind))
    made = of_lists(read, None)
    counts = made.counts.unseal("a test")
    assert set(counts["brings"]) == {"reviews", "absence"}
    assert set(counts.loc[counts["brings"] == "absence", "group"]) == {"all"}
    missing = made.missing.set_index("brings")["reason"]
    assert set(missing.index) == {"exclusions", "short_breaks", "absence"}
    assert missing.str.startswith("Pupils are counted in a warehouse, so that the list").all()
    assert set(made.missing["mend"]) == {"Name the School Census under pupils: in the place of engine:."}
