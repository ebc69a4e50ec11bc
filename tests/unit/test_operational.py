"""Measures from local extracts: answers worked out by hand on the sound lists, and sums that add up over groups."""

import pandas as pd
import pytest
from extract_samples import SOUND, spoilt, with_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.errors import MeasureError
from jsna.evidence import operational as op
from jsna.sealed import Sealed
from jsna.sources.extracts import read_extract
from jsna.sources.extracts.survey import question_table


@pytest.fixture
def frame_of(tmp_path):
    def read(kind, text=None):
        path = tmp_path / f"{kind}.csv"
        path.write_text(text or SOUND[kind], encoding="utf-8")
        return read_extract(path, kind).loaded.frame

    return read


def answers(sealed, *keys):
    """``{measure (and groups): (numerator, denominator)}``."""
    assert isinstance(sealed, Sealed)
    frame = sealed.unseal("a test")
    names = [*keys, "measure"]
    found = {
        tuple(row[n] for n in names) if keys else row["measure"]: (row["numerator"], row["denominator"])
        for row in frame.to_dict("records")
    }
    assert len(found) == len(frame)
    return found


def test_timeliness_of_the_sound_list(frame_of):
    assert answers(op.timeliness(frame_of("ehc_cases"), [], 2025)) == {
        "plan_in_20_weeks": (1, 2),  # C1 after exactly 140 days, C5 after 224
        "plan_in_20_weeks_without_exceptions": (1, 1),
        "plan_exception_not_stated": (0, 2),
        "plan_over_20_weeks_to_a_year": (1, 2),
        "plan_over_a_year": (0, 2),
        "decision_in_6_weeks": (4, 4),
        "no_plan_in_16_weeks": (1, 1),  # C3 after 105 days
        "refused_to_assess": (1, 4),
        "refused_to_issue": (1, 3),
        "open_over_20_weeks": (0, 1),  # C4, open for 40 days
    }


@pytest.mark.parametrize(
    ("row", "cells", "measure", "expected"),
    [
        (2, {"plan_issued_date": "2025-05-27"}, "plan_in_20_weeks", (0, 2)),
        (2, {"exception_applies": ""}, "plan_exception_not_stated", (1, 2)),
        (2, {"exception_applies": ""}, "plan_in_20_weeks_without_exceptions", None),
        (6, {"plan_issued_date": "2026-01-05"}, "plan_in_20_weeks", (1, 1)),
        (6, {"request_received_date": "2024-09-14"}, "plan_over_a_year", (1, 2)),
        (2, {"transferred_in_la": "999"}, "plan_in_20_weeks", (0, 1)),
        (2, {"request_outcome_date": "2025-02-18"}, "decision_in_6_weeks", (3, 4)),
        (4, {"no_plan_notified_date": "2025-06-28"}, "no_plan_in_16_weeks", (0, 1)),
        (5, {"request_received_date": "2025-08-22"}, "open_over_20_weeks", (1, 1)),
        (5, {"request_received_date": "2025-08-23"}, "open_over_20_weeks", (0, 1)),
        (5, {"request_outcome": "W"}, "open_over_20_weeks", None),
    ],
    ids=[
        "day 141 is late",
        "a blank exception is counted",
        "a blank exception is not a no",
        "a plan of another year",
        "over 365 days",
        "moved in",
        "day 43 is late",
        "day 113 is late",
        "open for 141 days",
        "open for 140 days",
        "withdrawn is not open",
    ],
)
def test_timeliness_at_its_boundaries(frame_of, row, cells, measure, expected):
    cases = frame_of("ehc_cases", spoilt("ehc_cases", row, **cells))
    assert answers(op.timeliness(cases, [], 2025)).get(measure) == expected


def test_timeliness_by_group_keeps_those_of_unknown_group(frame_of):
    by = answers(op.timeliness(frame_of("ehc_cases"), ["ethnicity"], 2025), "ethnicity")
    assert by["BAFR", "plan_in_20_weeks"] == (1, 1)
    assert by["WBRI", "plan_in_20_weeks"] == (0, 1)
    assert by["", "open_over_20_weeks"] == (0, 1)


def test_open_cases_need_a_day(frame_of):
    cases = frame_of("ehc_cases").drop(columns="extract_date")
    with pytest.raises(MeasureError, match="on which day it was drawn"):
        op.timeliness(cases, [], 2025)
    assert answers(op.timeliness(cases, [], 2025, pd.Timestamp("2026-12-31")))["open_over_20_weeks"] == (1, 1)


def test_a_group_that_the_extract_lacks_is_named(frame_of):
    with pytest.raises(MeasureError, match=r"lack a column.*language"):
        op.timeliness(frame_of("ehc_cases"), ["language"], 2025)


def test_annual_reviews_of_the_sound_list(frame_of):
    assert answers(op.annual_reviews(frame_of("annual_reviews"), [], 2025)) == {
        "reviewed_in_12_months": (2, 2),  # P3 has ceased, P4 is not a year old
        "review_decision_in_4_weeks": (3, 3),
        "review_final_in_12_weeks": (1, 1),
        "transfer_in_time": (1, 1),
    }


@pytest.mark.parametrize(
    ("row", "cells", "measure", "expected"),
    [
        (2, {"decision_sent_date": "2025-03-10"}, "review_decision_in_4_weeks", (3, 3)),
        (2, {"decision_sent_date": "2025-03-11"}, "review_decision_in_4_weeks", (2, 3)),
        (2, {"decision_sent_date": "", "review_outcome": ""}, "review_decision_in_4_weeks", (2, 3)),
        (2, {"decision_sent_date": "", "review_outcome": ""}, "reviewed_in_12_months", (1, 2)),
        (3, {"final_amended_plan_date": "2025-07-24"}, "review_final_in_12_weeks", (1, 1)),
        (3, {"final_amended_plan_date": "2025-07-25"}, "review_final_in_12_weeks", (0, 1)),
        (3, {"final_amended_plan_date": ""}, "review_final_in_12_weeks", (0, 1)),
        (3, {"phase_transfer_final_date": "2025-02-16"}, "transfer_in_time", (0, 1)),
        (3, {"phase_transfer_final_date": ""}, "transfer_in_time", (0, 1)),
        (5, {"plan_first_issued_date": "2025-01-10"}, "reviewed_in_12_months", (2, 3)),
    ],
)
def test_annual_reviews_at_their_boundaries(frame_of, row, cells, measure, expected):
    reviews = frame_of("annual_reviews", spoilt("annual_reviews", row, **cells))
    assert answers(op.annual_reviews(reviews, [], 2025))[measure] == expected


def test_a_plan_with_several_cycles_is_one_plan(frame_of):
    more = "P1,aa01,2024-03-01,2025-03-03,2026-03-03,,,,,,,,,2026-01-10,2025-01-01,2025-12-31"
    reviews = frame_of("annual_reviews", with_rows("annual_reviews", more))
    assert answers(op.annual_reviews(reviews, [], 2025))["reviewed_in_12_months"] == (2, 2)


def test_disputes_by_the_part_of_sen2_that_records_them(frame_of):
    found = answers(op.disputes(frame_of("disputes"), [], 2025), "module")
    assert {m: pair for (module, m), pair in found.items() if module == "other"} == {
        "mediation_contacted": (1, 2),
        "mediation_held": (1, 2),
        "mediation_agreed": (0, 1),
        "appeal_registered": (2, 2),
        "appeal_after_mediation": (1, 1),
        "appeal_upheld": (1, 1),
        "appeal_ended_before_hearing": (0, 1),
    }
    assert found["request", "mediation_agreed"] == (1, 1)
    assert found["request", "appeal_registered"] == (0, 1)
    assert not answers(op.disputes(frame_of("disputes"), [], 2024), "module")


@pytest.mark.parametrize(
    ("kind", "module"),
    [("ASSESS", "request"), ("ISSUE", "assessment"), ("CONTENT", "other"), ("REVIEW", "other"), ("", "")],
)
def test_each_kind_of_decision_has_its_module(frame_of, kind, module):
    rows = frame_of("disputes", spoilt("disputes", 3, decision_type=kind))
    assert answers(op.disputes(rows, [], 2025), "module")[module, "mediation_agreed"] == (
        (1, 2) if module == "other" else (1, 1)
    )


def test_the_parts_of_the_appeal_rate(frame_of):
    decisions = op.appealable_decisions(frame_of("ehc_cases"), frame_of("annual_reviews"), [], 2025)
    assert decisions["decision"].value_counts().to_dict() == {
        "plan_issued": 2,
        "not_to_assess": 1,
        "not_to_issue": 1,
        "plan_amended": 1,
        "plan_ceased": 1,
    }
    assert answers(op.appeal_rate(frame_of("disputes"), decisions, [], 2025)) == {"appeal_rate": (2, 6)}


PUPILS = pd.DataFrame(
    {"pupil_id": ["aa01", "aa02", "aa03"], "sen_provision": pd.Categorical(["K", "E", "N"]), "sex": ["F", "M", "M"]}
)


def test_suspensions_beside_pupils_on_roll(frame_of):
    events = op.join_groups(frame_of("exclusions"), PUPILS, ["sen_provision"])
    found = answers(op.suspensions(events, PUPILS, ["sen_provision"], "202526"), "sen_provision")
    assert found["K", "suspensions"] == (2, 1)
    assert found["K", "suspended_once_or_more"] == (1, 1)
    assert found["K", "suspended_sessions"] == (10, 1)
    assert found["E", "permanent_exclusions"] == (1, 1)
    assert found["N", "suspensions"] == (0, 1)
    assert answers(op.suspensions(events, PUPILS, [], "202526"))["suspensions"] == (2, 3)
    assert answers(op.suspensions(events, PUPILS, [], "202425"))["suspensions"] == (0, 3)


def test_events_of_children_who_left_keep_their_own_group(frame_of):
    events = frame_of("exclusions", spoilt("exclusions", 2, person_id="zz99")).assign(sen_provision="E")
    joined = op.join_groups(events, PUPILS, ["sen_provision", "sex"])
    assert joined["in_census"].tolist() == [False, True, True]
    assert joined["sen_provision"].tolist() == ["E", "K", "E"]
    assert joined["sex"].tolist() == ["", "F", "M"]
    found = answers(op.suspensions(joined, PUPILS, ["sex"], "202526"), "sex")
    assert found["", "suspensions"] == (1, 0)


def test_groups_come_from_one_census():
    twice = pd.concat([PUPILS, PUPILS])
    with pytest.raises(MeasureError, match="several rows for a pupil"):
        op.join_groups(pd.DataFrame({"person_id": ["aa01"]}), twice, ["sex"])


def test_absence_of_the_sound_list(frame_of):
    assert answers(op.absence(frame_of("absence"), [], "FULL")) == {
        "absence_overall": (203, 1060),
        "absence_authorised": (123, 1060),
        "absence_unauthorised": (80, 1060),
        "persistently_absent": (2, 3),  # 38 of 380 is exactly a tenth
        "severely_absent": (1, 3),
    }


@pytest.mark.parametrize(
    ("cells", "measure", "expected"),
    [
        ({"sessions_authorised": "19"}, "persistently_absent", (1, 3)),
        ({"sessions_authorised": "172"}, "severely_absent", (2, 3)),
        ({"sessions_authorised": "171"}, "severely_absent", (1, 3)),
        ({"terms": "AUT"}, "absence_overall", (165, 680)),
    ],
    ids=["37 of 380", "half", "one under half", "other terms are not added"],
)
def test_absence_at_its_boundaries(frame_of, cells, measure, expected):
    rows = frame_of("absence", spoilt("absence", **cells))
    assert answers(op.absence(rows, [], "FULL"))[measure] == expected


def test_absence_counts_pupils_of_5_to_15(frame_of):
    rows = frame_of("absence").assign(age=pd.array([4, 5, None], dtype="Int64"))
    assert answers(op.absence(rows, [], "FULL"))["persistently_absent"] == (1, 2)


@pytest.mark.parametrize("function", [op.absence_from_counts, lambda rows, terms: op.absence(rows, [], terms)])
def test_absence_of_terms_that_are_not_there(frame_of, function):
    kind = "absence_aggregate" if function is op.absence_from_counts else "absence"
    with pytest.raises(MeasureError, match="No row covers"):
        function(frame_of(kind), "AUTSPR")


def test_absence_from_counts(frame_of):
    found = answers(op.absence_from_counts(frame_of("absence_aggregate"), "FULL"), "group")
    assert found["E", "absence_overall"] == (900, 7600)
    assert found["E", "persistently_absent"] == (6, 20)
    assert found["N", "severely_absent"] == (1, 100)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"neet": (1, 2), "not_known": (0, 2), "neet_or_not_known": (1, 2), "in_education": (1, 2)}),
        ({"currency_days": 52}, {"neet": (1, 2), "not_known": (0, 2)}),
        ({"currency_days": 51}, {"neet": (0, 2), "not_known": (2, 2), "neet_or_not_known": (2, 2)}),
        ({"ages": (16, 24)}, {"neet": (1, 3), "not_known": (1, 3), "neet_or_not_known": (2, 3)}),
    ],
    ids=["headline ages", "still current", "out of date", "to 24"],
)
def test_destinations(frame_of, options, expected):
    found = answers(op.destinations(frame_of("destinations"), [], **options))
    assert {m: found[m] for m in expected} == expected


def test_an_activity_that_is_blank_is_not_known(frame_of):
    rows = frame_of("destinations", spoilt("destinations", 2, activity_code=""))
    assert answers(op.destinations(rows, []))["not_known"] == (1, 2)


def test_health_checks(frame_of):
    assert answers(op.health_checks(frame_of("ld_health_checks"), [])) == {
        "health_check_done": (1, 2),
        "health_check_declined": (1, 2),
        "health_action_plan": (1, 2),
    }


def test_two_checks_of_a_person_count_once(frame_of):
    again = "aa02,202526,17,1,2026-01-05,2026-02-02,0,,,A99001,99A,2026-04-10,2025-04-01,2026-03-31"
    rows = frame_of("ld_health_checks", with_rows("ld_health_checks", again))
    assert answers(op.health_checks(rows, [])) == {
        "health_check_done": (2, 2),
        "health_check_declined": (0, 2),
        "health_action_plan": (1, 2),
    }


def test_health_checks_from_counts_leave_out_what_is_not_said(frame_of):
    assert answers(op.health_checks_from_counts(frame_of("ld_health_checks_aggregate"), [])) == {
        "health_check_done": (50, 90),
        "health_check_declined": (5, 40),
        "health_action_plan": (46, 90),
    }


def test_short_breaks_count_children_once(frame_of):
    rows = frame_of("short_breaks")
    assert answers(op.short_breaks(rows, PUPILS, [])) == {
        "short_break_used": (1, 3),
        "short_break_overnight": (1, 3),
        "short_break_waiting": (1, 3),
    }
    assert answers(op.short_break_units(rows, []), "unit_type") == {
        ("HOURS", "units_taken"): (12, 30),
        ("NIGHTS", "units_taken"): (20, 24),
    }


def test_survey_shares_leave_do_not_know_out_of_their_base(tmp_path):
    def read(kind):
        path = tmp_path / f"{kind}.csv"
        path.write_text(SOUND[kind], encoding="utf-8")
        return read_extract(path)

    questions = question_table(read("survey_questions"))
    responses, profile = read("survey_responses").loaded.frame, read("survey_profile").loaded.frame
    sealed = op.survey(responses, questions, None, [])
    assert answers(sealed, "question_id", "respondent_type") == {
        ("Q1", "PARENT", "positive"): (1, 2),
        ("Q2", "PARENT", "positive"): (1, 1),
        ("Q1", "PARENT", "did_not_know"): (0, 2),
        ("Q1", "YP", "did_not_know"): (1, 1),
        ("Q2", "PARENT", "did_not_know"): (0, 1),
    }
    weights = sealed.unseal("a test").set_index(["question_id", "respondent_type", "measure"])
    of = weights.loc[("Q1", "PARENT", "positive"), ["weighted_numerator", "weighted_denominator"]]
    assert of.tolist() == [1.0, 2.5]
    by = answers(op.survey(responses, questions, profile, ["sex"]), "question_id", "sex", "respondent_type")
    assert by["Q1", "F", "PARENT", "positive"] == (1, 1)
    assert by["Q1", "M", "PARENT", "positive"] == (0, 1)


def test_every_measure_has_its_words(frame_of):
    made = set()
    for sealed in (
        op.timeliness(frame_of("ehc_cases"), [], 2025),
        op.annual_reviews(frame_of("annual_reviews"), [], 2025),
        op.disputes(frame_of("disputes"), [], 2025),
        op.suspensions(frame_of("exclusions"), PUPILS, [], "202526"),
        op.absence(frame_of("absence"), [], "FULL"),
        op.destinations(frame_of("destinations"), []),
        op.health_checks(frame_of("ld_health_checks"), []),
        op.short_breaks(frame_of("short_breaks"), PUPILS, []),
        op.short_break_units(frame_of("short_breaks"), []),
    ):
        made |= set(sealed.unseal("a test")["measure"])
    assert made | {"appeal_rate", "positive", "did_not_know"} == set(op.words())
    assert all(op.limit(name) for name in ("plan_days", "decision_days", "absence_ages"))


ROW = st.fixed_dictionaries(
    {
        "sessions_possible": st.integers(0, 400),
        "missed": st.floats(0, 1),
        "ethnicity": st.sampled_from(["WBRI", "BAFR", ""]),
    }
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=30))
def test_groups_add_up_to_the_whole_and_no_part_is_over_it(rows):
    frame = pd.DataFrame(rows).assign(academic_year="202526", terms="FULL")
    frame["sessions_authorised"] = (frame["missed"] * frame["sessions_possible"]).astype("int64")
    frame["sessions_unauthorised"] = 0
    if not frame["sessions_possible"].any():
        with pytest.raises(MeasureError):
            op.absence(frame, [], "FULL")
        return
    whole = op.absence(frame, [], "FULL").unseal("a test").set_index("measure")[["numerator", "denominator"]]
    groups = op.absence(frame, ["ethnicity"], "FULL").unseal("a test")
    assert (groups["numerator"] <= groups["denominator"]).all()
    sums = groups.groupby("measure")[["numerator", "denominator"]].sum()
    pd.testing.assert_frame_equal(sums, whole.sort_index())
