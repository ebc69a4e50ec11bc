"""Synthetic local extracts and inspection lists, read with the standard library and openpyxl alone."""

import csv
import hashlib
import stat
from datetime import date, datetime

import openpyxl
import pytest

from jsna.synthetic import synthesise
from jsna.synthetic.files import FORMS, TRAINING_KEY, write_files
from jsna.synthetic.files.extracts import EXTRACTS

SEED, SCALE = 6, 0.05
PERSONS = [e for e in EXTRACTS if e != "survey"]
OTHERS = [*EXTRACTS, "annex_a", "postcodes", "schools"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("extracts")
    for form in [*OTHERS, "census_flat_lower", "sen2_blade"]:
        write_files(place / form, form, seed=SEED, scale=SCALE)
    return place


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def extract(folder, name):
    return rows(folder / name / f"{name}.csv")


def day(text):
    return date.fromisoformat(text) if text else None


def pseudonym(upn):
    return hashlib.blake2b(upn.encode(), key=TRAINING_KEY, digest_size=12).hexdigest()


@pytest.fixture(scope="module")
def everybody(folder):
    upns = {r["upn"] for p in (folder / "census_flat_lower").glob("*.csv") for r in rows(p)}
    upns |= {r["upn"] for p in (folder / "sen2_blade").glob("*/*_person.csv") for r in rows(p)}
    return {pseudonym(u) for u in upns if u}


@pytest.mark.parametrize("name", PERSONS)
def test_persons_join_to_the_census_and_to_sen2_with_the_training_key(folder, everybody, name):
    found = extract(folder, name)
    assert found
    strangers = {r["person_id"] for r in found} - everybody
    # Children under five who are on no school's roll have no number in SEN2: nobody else may be a stranger.
    without = [r for p in (folder / "sen2_blade").glob("*/*_person.csv") for r in rows(p) if r["upnunknown"] == "UN1"]
    assert len(strangers) <= len({r["surname"] for r in without})
    key = folder / name / "training.key"
    assert bytes.fromhex(key.read_text().strip()) == TRAINING_KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert all(r["extract_date"] and r["period_start"] <= r["period_end"] for r in found)


def test_cases_are_the_synthetic_cases_in_order(folder):
    cases = synthesise(SEED, SCALE).ehc_cases.set_index("case_id")
    found = extract(folder, "ehc_cases")
    assert len(found) == len(cases)
    for r in found:
        case = cases.loc[r["case_id"]]
        assert day(r["request_received_date"]) == case["date_requested"].date()
        assert (r["sex"], r["ethnicity"]) == (case["sex"], case["ethnicity"])
        steps = ("request_received_date", "request_outcome_date", "draft_plan_date", "plan_issued_date", "extract_date")
        known = [r[s] for s in steps if r[s]]
        assert known == sorted(known)
        assert bool(r["plan_issued_date"]) == (r["assessment_outcome"] == "Y") == (r["exception_applies"] != "")
        assert bool(r["exception_reason"]) == (r["exception_applies"] == "1")
        assert bool(r["no_plan_notified_date"]) == (r["assessment_outcome"] == "N")
        assert bool(r["request_outcome_date"]) == (r["request_outcome"] in ("Y", "N"))
        assert not r["assessment_outcome"] or r["request_outcome"] == "Y"


def test_reviews_keep_the_rules_of_the_year(folder):
    for r in extract(folder, "annual_reviews"):
        before = day(r["previous_review_decision_date"] or r["plan_first_issued_date"])
        due = day(r["review_due_date"])
        assert (due.year, due.month) == (before.year + 1, before.month)
        assert r["review_meeting_date"] < r["decision_sent_date"]
        assert (r["amendment_proposed_date"] == r["decision_sent_date"]) == (r["review_outcome"] == "A")
        assert not r["final_amended_plan_date"] or r["review_outcome"] == "A"
        assert bool(r["phase_transfer_type"]) == bool(r["phase_transfer_due_date"])


def test_disputes_follow_a_decision_of_their_case(folder):
    cases = {r["case_id"]: r for r in extract(folder, "ehc_cases")}
    column = {
        "ASSESS": "request_outcome_date",
        "ISSUE": "no_plan_notified_date",
        "CONTENT": "plan_issued_date",
    }
    for r in extract(folder, "disputes"):
        case = cases[r["case_id"]]
        assert r["person_id"] == case["person_id"]
        assert r["decision_letter_date"] == case[column[r["decision_type"]]]
        assert not r["appeal_registered_date"] or r["appeal_registered_date"] > r["decision_letter_date"]
        assert bool(r["outcome_date"]) == (r["appeal_status"] not in ("", "OPEN"))


def test_events_and_sessions_keep_their_bounds(folder):
    totals = {}
    for r in extract(folder, "exclusions"):
        assert r["period_start"] <= r["start_date"] <= r["period_end"]
        assert (r["sessions"] == "") == (r["category"] == "PERM")
        totals[r["person_id"]] = totals.get(r["person_id"], 0) + int(r["sessions"] or 0)
    assert max(totals.values()) <= 90
    for r in extract(folder, "absence"):
        missed = int(r["sessions_authorised"]) + int(r["sessions_unauthorised"])
        assert 0 <= missed <= int(r["sessions_possible"]) <= 380
        assert 5 <= int(r["age_31aug"]) <= 15


def test_one_activity_a_month_and_one_answer_a_question(folder):
    for name, keys in (("destinations", ("person_id", "ref_month")), ("absence", ("person_id",))):
        found = [tuple(r[k] for k in keys) for r in extract(folder, name)]
        assert len(set(found)) == len(found)
    answers = rows(folder / "survey" / "survey_responses.csv")
    assert len({(r["respondent_id"], r["question_id"]) for r in answers}) == len(answers)
    assert {r["question_id"] for r in answers} == {
        r["question_id"] for r in rows(folder / "survey" / "survey_questions.csv")
    }
    assert {r["respondent_id"] for r in answers} == {
        r["respondent_id"] for r in rows(folder / "survey" / "survey_profile.csv")
    }
    assert {r["response_code"] for r in answers} <= set("123459")


def test_health_checks_and_short_breaks_keep_their_rules(folder):
    for r in extract(folder, "ld_health_checks"):
        assert int(r["age_31mar"]) >= 14
        assert not r["check_done_date"] or "2024-04-01" <= r["check_done_date"] <= "2025-03-31"
        assert not (r["check_done_date"] and r["check_declined"] == "1")
        assert not r["action_plan_date"] or r["action_plan_date"] >= r["check_done_date"]
    for r in extract(folder, "short_breaks"):
        assert int(r["units_taken"]) <= int(r["units_offered"])
        assert (r["unit_type"] == "NIGHTS") == (r["service_code"] == "OVERNIGHT")
        assert bool(r["waiting_since"]) == (r["status"] == "WAITING")


def test_inspection_lists_hold_plans_and_support(folder):
    book = openpyxl.load_workbook(folder / "annex_a" / "annex_a_send.xlsx")
    first, second = ([list(r) for r in book[s].iter_rows(values_only=True)] for s in ("List_1", "List_2"))
    assert (len(first[0]), len(second[0])) == (21, 17)
    support = [r for r in rows(folder / "census_flat_lower" / "2026_spring.csv") if r["senprovision"] == "K"]
    assert len(second) - 1 == len(support)
    assert {r[1] for r in second[1:]} == {r["upn"] for r in support}
    plans = rows(folder / "sen2_blade" / "2026" / "Blade-Export_01-02-2026_activeplans.csv")
    assert len(first) - 1 == len(plans)
    assert all(isinstance(r[3], datetime) for r in (*first[1:], *second[1:]))


@pytest.mark.parametrize("form", OTHERS)
def test_the_same_seed_gives_the_same_bytes(folder, tmp_path, form):
    again = write_files(tmp_path, form, seed=SEED, scale=SCALE)
    assert [p.read_bytes() for p in again] == [(folder / form / p.name).read_bytes() for p in again]


def test_every_form_is_tested_somewhere():
    assert set(FORMS) == {*OTHERS, *(f for f in FORMS if f.startswith(("census", "npd", "sen2")))}
