"""Bad local extracts: each ends in a message that says what and how to mend it, or in a finding; no row is lost."""

import openpyxl
import pandas as pd
import pytest
from extract_samples import SOUND, renamed, sound, spoilt, text_of, with_rows, without

from jsna.errors import SourceError
from jsna.sources.extracts import read_extract, with_questions
from jsna.sources.identity import make_upn

UPN = make_upn("999", "9060", "15", "001")
TAIL = ",,,,,,,,,,,2026-01-10,2025-01-01,2025-12-31,,,"


def many(kind, count=24, **cells):
    """A list of many rows like the first, each with keys of its own and some cells changed."""
    rows = sound(kind)
    first = dict(zip(rows[0], rows[1], strict=True)) | cells
    keys = [n for n in ("case_id", "person_id", "plan_id", "event_id") if n in first]
    return text_of([rows[0], *([*(first | {k: f"{k[0]}{i:03d}" for k in keys}).values()] for i in range(count))])


def stacked(kind, mapping):
    """The sound list, and below it another one with its columns in another order."""
    rows = sound(kind)
    turned = [row[::-1] for row in rows]
    turned[0] = [mapping.get(name, name) for name in turned[0]]
    return text_of([*rows, *turned])


def read(tmp_path, text, kind=None, key=None, name="list.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_extract(path, kind, key)


REFUSED_FILES = {
    "headings of nothing known": ("a,b,c\n1,2,3\n", None, ["kind of extract is not clear", "template"]),
    "a list without headings": (text_of(sound("ehc_cases")[1:]), None, ["kind of extract is not clear"]),
    "an unknown kind": (SOUND["absence"], "absense", ["no such kind", "absence"]),
    "another kind than named": (SOUND["absence"], "disputes", ["No heading belongs to disputes", "looks like absence"]),
    "headings alone": (text_of(sound("exclusions")[:1]), None, ["no rows"]),
    "a needed column lacking": (without("ehc_cases", "assessment_outcome"), None, ["missing", "assessment_outcome"]),
    "two needed columns lacking, both named": (
        without("exclusions", "category", "school_urn"),
        None,
        ["category", "school_urn"],
    ),
    "a heading misspelt": (renamed("absence", sessions_possible="sesions_posible"), None, ["Did you mean"]),
    "percentages without sessions": (
        "person_id,school_urn,academic_year,terms,absence %\naa01,900060,202526,FULL,9.5\n",
        None,
        ["percentage", "without the sessions", "cannot be added up"],
    ),
    "attendance rate alone": (
        "person_id,urn,academic_year,terms,attendance_rate\naa01,900060,202526,FULL,90.5\n",
        "absence",
        ["percentage"],
    ),
    "working days instead of dates": (
        "case_id,person_id,request_outcome,assessment_outcome,working days to plan\nC1,aa01,Y,Y,97\n",
        None,
        ["numbers of days", "request_received_date", "plan_issued_date"],
    ),
    "a status list instead of a history": (
        "case_id,person_id,request_received_date,request_outcome,current status\nC1,aa01,2025-01-06,Y,Open\n",
        None,
        ["status of a case as it is now", "closed cases"],
    ),
    "a tribunal log without decision dates": (
        without("disputes", "decision_letter_date").replace("mediation_date", "tribunal hearing date"),
        None,
        ["decision_letter_date", "not the date of the decision"],
    ),
    "days of suspension instead of sessions": (renamed("exclusions", sessions="days"), None, ["days", "sessions"]),
    "take-up as a percentage": (
        without("short_breaks", "units_offered", "units_taken").replace("access_route", "take-up %"),
        "short_breaks",
        ["percentage", "units_offered"],
    ),
    "NEET percentages": (
        "person_id,ref_month,academic_age,neet\naa01,2026-01,16,5%\n",
        None,
        ["worked out", "activity"],
    ),
    "coverage of health checks as a percentage": (
        "financial_year,area_code,register,coverage\n202526,99A,40,75%\n",
        "ld_health_checks_aggregate",
        ["coverage as a percentage", "checks_done"],
    ),
    "a survey with a column for each question": (
        "survey_id,wave,respondent_id,respondent_type,q1,q2\nS1,2026-03,R001,PARENT,5,4\n",
        None,
        ["a column for each question", "question_id"],
    ),
    "free text instead of codes": (
        "survey_id,wave,respondent_id,respondent_type,question_id,comment\nS1,2026-03,R1,YP,Q1,bad\n",
        None,
        ["free text", "response_code"],
    ),
    "pupil numbers without a key": (
        renamed("absence", person_id="UPN"),
        None,
        ["pupil numbers", "key", "person_id"],
    ),
    "pupil numbers in person_id without a key": (spoilt("absence", person_id=UPN), None, ["stand in person_id", "key"]),
    "no text at all": (b"\x89PNG\r\n\x1a\n\x00\x00", None, ["not text"]),
    "an empty file": (b"", None, ["empty"]),
    "a workbook called csv": (b"PK\x03\x04" + bytes(40), None, ["Excel workbook", "ending that fits"]),
    "a quotation mark never closed": (SOUND["absence"].replace("aa02", '"aa02'), None, ["quotation mark"]),
}


@pytest.mark.parametrize(("text", "kind", "words"), REFUSED_FILES.values(), ids=REFUSED_FILES.keys())
def test_a_file_that_cannot_be_read_says_why(tmp_path, text, kind, words):
    with pytest.raises(SourceError) as caught:
        read(tmp_path, text, kind)
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert UPN not in said


# text, rule found, severity, rows of the file that carry it (as the finding lists them)
FINDINGS = {
    "totals at the bottom": (with_rows("absence", "Total,,,,1060,123,80,,,,"), "row of totals", "E", "5"),
    "totals without a word": (with_rows("absence", ",,,,1060,123,80,,,,"), "row of totals", "E", "5"),
    "an average at the bottom": (with_rows("exclusions", "Average,,,,5,,,,,,,,,,"), "row of totals", "E", "5"),
    "a note below the table": (with_rows("absence", "Run by the data team,,,,,,,,,,"), "a note beside", "E", "5"),
    "the heading row again": (
        with_rows("absence", *SOUND["absence"].splitlines()[:1]),
        "heading row stands here again",
        "E",
        "5",
    ),
    "two lists stacked with other headings": (stacked("absence", {}), "a second list", "E", "5, 6, 7, 8"),
    "two lists stacked of other widths": (
        with_rows("absence", "Pupil,Sessions", "aa09,3", "aa10,4"),
        "a second list with other headings?",
        "E",
        "5, 6, 7",
    ),
    "a name in case_id": (spoilt("ehc_cases", case_id="Ann Example"), "case_id: this looks like a name", "E", "2"),
    "a surname in case_id": (spoilt("ehc_cases", case_id="Example"), "case_id: this looks like a name", "E", "2"),
    "a pupil number in case_id": (spoilt("ehc_cases", case_id=UPN), "looks like a pupil number", "E", "2"),
    "a story in case_id": (spoilt("ehc_cases", case_id="x1 " * 4000), "no number is so long", "E", "2"),
    "a number cut by a spreadsheet": (spoilt("ehc_cases", case_id="9.99E+06"), "cut the number's digits", "E", "2"),
    "1900 as a blank": (spoilt("ehc_cases", row=5, plan_issued_date="1900-01-01"), "a filler", "W", "5"),
    "00/01/1900 as a blank": (spoilt("ehc_cases", row=5, draft_plan_date="00/01/1900"), "a filler", "W", "5"),
    "2099 as a blank": (spoilt("annual_reviews", row=5, decision_sent_date="31/12/2099"), "a filler", "W", "5"),
    "a year far ahead": (spoilt("annual_reviews", row=5, decision_sent_date="2099-01-01"), "a filler", "W", "5"),
    "a year long gone": (spoilt("annual_reviews", row=5, decision_sent_date="1901-01-01"), "a filler", "W", "5"),
    "9999 as a blank": (spoilt("annual_reviews", row=5, decision_sent_date="9999-12-31"), "a filler", "W", "5"),
    "1900 where a date is needed": (spoilt("ehc_cases", request_received_date="01/01/1900"), "a filler", "E", "2"),
    "working days in a date column": (spoilt("ehc_cases", plan_issued_date="97"), "a number of days", "W", "2"),
    "a year of two digits": (spoilt("ehc_cases", plan_issued_date="26/05/25"), "not a date that can be read", "W", "2"),
    "month before day": (spoilt("ehc_cases", plan_issued_date="05/26/2025"), "not a date that can be read", "W", "2"),
    "31 February": (spoilt("exclusions", start_date="31/02/2026"), "not a date that can be read", "E", "2"),
    "a case twice with other dates": (
        with_rows("ehc_cases", "C1,aa01,2025-01-08,1,A" + TAIL),
        "case twice",
        "E",
        "2, 7",
    ),
    "a case twice alike": (with_rows("ehc_cases", SOUND["ehc_cases"].splitlines()[1]), "case twice", "E", "7"),
    "no person": (spoilt("ehc_cases", person_id=""), "person_id: blank", "E", "2"),
    "a request after the extract": (
        spoilt("ehc_cases", row=5, request_received_date="2026-02-01"),
        "request after extract",
        "E",
        "5",
    ),
    "a decision before its request": (
        spoilt("ehc_cases", request_outcome_date="2025-01-05"),
        "decision before request",
        "E",
        "2",
    ),
    "a decision without a date": (
        spoilt("ehc_cases", row=3, request_outcome_date=""),
        "decision without date",
        "W",
        "3",
    ),
    "an unknown outcome": (spoilt("ehc_cases", row=3, request_outcome="Q"), "request_outcome: not a code", "E", "3"),
    "an unknown source": (spoilt("ehc_cases", request_source="9"), "request_source: not a code", "W", "2"),
    "assessed without being agreed": (
        spoilt("ehc_cases", row=3, assessment_outcome="Y"),
        "assessment without request decision",
        "E",
        "3",
    ),
    "a plan without the outcome Y": (
        spoilt("ehc_cases", row=4, plan_issued_date="2025-06-20"),
        "plan without outcome Y",
        "E",
        "4",
    ),
    "a plan before its request": (spoilt("ehc_cases", plan_issued_date="2025-01-02"), "plan before request", "E", "2"),
    "an exception not stated": (spoilt("ehc_cases", exception_applies=""), "exception not stated", "W", "2"),
    "an exception without a reason": (
        spoilt("ehc_cases", row=6, exception_reason=""),
        "exception without reason",
        "W",
        "6",
    ),
    "a draft after the plan": (spoilt("ehc_cases", draft_plan_date="2025-06-01"), "steps out of order", "W", "2"),
    "a case opened again with a new number": (
        with_rows("ehc_cases", "C9,aa04,2025-12-20,3,A" + TAIL),
        "same person again",
        "W",
        "7",
    ),
    "a list of open cases only": (
        many(
            "ehc_cases",
            request_outcome="A",
            request_outcome_date="",
            advice_requested_date="",
            draft_plan_date="",
            assessment_outcome="",
            plan_issued_date="",
            exception_applies="",
        ),
        "no closed cases",
        "W",
        None,
    ),
    "cases closed before the autumn left out": (
        many("ehc_cases", plan_issued_date="2025-10-20", draft_plan_date="2025-10-01"),
        "first ends come late",
        "W",
        None,
    ),
    "a name with a number": (
        spoilt("ehc_cases", case_id="Example12, Ann3"),
        "case_id: this looks like a name",
        "E",
        "2",
    ),
    "two words with a number": (
        spoilt("ehc_cases", case_id="Ann Example 2"),
        "case_id: this looks like a name",
        "E",
        "2",
    ),
    "request dates overwritten by the panel's": (
        many("ehc_cases", request_received_date="2025-02-10"),
        "request date is the panel date",
        "W",
        None,
    ),
    "issued means draft": (many("ehc_cases", draft_plan_date="2025-05-26"), "issued means draft", "W", None),
    "one request date for all": (many("ehc_cases"), "one request date for many", "W", None),
    "exceptions everywhere": (
        many("ehc_cases", exception_applies="1", exception_reason="PERSONAL"),
        "many exceptions",
        "W",
        None,
    ),
    "no date of extract": (without("ehc_cases", "extract_date"), "no extract_date", "W", ""),
    "lists of two days joined": (spoilt("ehc_cases", extract_date="2026-01-11"), "several extract dates", "W", "2"),
    "review columns exchanged": (
        spoilt("annual_reviews", review_meeting_date="2025-03-03", decision_sent_date="2025-02-10"),
        "decision before meeting",
        "E",
        "2",
    ),
    "a due date not twelve months on": (
        spoilt("annual_reviews", review_due_date="2025-05-01"),
        "due date not twelve months on",
        "W",
        "2",
    ),
    "a review overdue": (
        spoilt("annual_reviews", row=5, plan_first_issued_date="2024-09-01", review_due_date="2025-09-01"),
        "no meeting after due date",
        "W",
        "5",
    ),
    "an amendment of a plan maintained": (
        spoilt("annual_reviews", final_amended_plan_date="2025-04-01"),
        "amendment without A",
        "W",
        "2",
    ),
    "a transfer due on another day": (
        spoilt("annual_reviews", row=3, phase_transfer_due_date="2025-03-31"),
        "due date of transfer",
        "W",
        "3",
    ),
    "a dispute about no case": (spoilt("disputes", case_id=""), "no case and no plan", "E", "2"),
    "a dispute without a letter": (
        spoilt("disputes", decision_letter_date=""),
        "decision_letter_date: blank",
        "E",
        "2",
    ),
    "an appeal three months late": (
        spoilt("disputes", row=4, appeal_registered_date="2025-10-20"),
        "appeal late",
        "W",
        "4",
    ),
    "an appeal without a status": (spoilt("disputes", row=4, appeal_status=""), "appeal without status", "W", "4"),
    "a suspension of no session": (spoilt("exclusions", sessions="0"), "suspension of no session", "E", "2"),
    "half a session": (spoilt("exclusions", sessions="2.5"), "sessions: not a whole number", "E", "2"),
    "over 45 days": (spoilt("exclusions", row=3, sessions="88"), "over 45 days", "W", "2, 3"),
    "suspensions that overlap": (
        spoilt("exclusions", row=3, start_date="2025-10-07"),
        "suspensions overlap",
        "W",
        "3",
    ),
    "an event of another year": (spoilt("exclusions", start_date="2024-10-07"), "before the period", "E", "2"),
    "an unknown reason": (spoilt("exclusions", reason1="ZZ"), "reason1: not a code", "W", "2"),
    "more missed than possible": (
        spoilt("absence", sessions_authorised="400"),
        "more missed than possible",
        "E",
        "2",
    ),
    "a percentage in the sessions": (spoilt("absence", sessions_authorised="12.5%"), "a percentage stands", "E", "2"),
    "no possible session": (
        spoilt("absence", sessions_possible="0", sessions_authorised="0", sessions_unauthorised="0"),
        "no possible session",
        "E",
        "2",
    ),
    "sessions below zero": (spoilt("absence", sessions_authorised="-4"), "below zero", "E", "2"),
    "two schools added up": (spoilt("absence", sessions_possible="700"), "more than a year of sessions", "W", "2"),
    "terms mixed": (spoilt("absence", terms="AUT"), "several terms", "W", "2"),
    "an impossible year": (spoilt("absence", academic_year="202528"), "not a year of two parts", "E", "2"),
    "more persistent than enrolled": (spoilt("absence_aggregate", pa="101"), "more persistent than enrolled", "E", "2"),
    "two activities in a month": (
        with_rows("destinations", "aa01,2026-01,16,12,310,,,EHCP,,999,2026-03-01,2025-12-01,2026-02-28"),
        "two activities in a month",
        "E",
        "2, 5",
    ),
    "an activity of next month": (
        spoilt("destinations", activity_start_date="2026-02-01"),
        "starts after the month",
        "W",
        "2",
    ),
    "an unknown activity": (spoilt("destinations", activity_code="999"), "activity_code: not a code", "W", "2"),
    "month thirteen": (spoilt("destinations", ref_month="2026-13"), "ref_month: not a month", "E", "2"),
    "an adult on SEN support": (spoilt("destinations", row=4, send_flag="SENSUP"), "adult without a plan", "W", "4"),
    "a check of a child of 13": (spoilt("ld_health_checks", age_31mar="13"), "under 14", "E", "2"),
    "a check in another year": (
        spoilt("ld_health_checks", check_done_date="2026-04-01", action_plan_date=""),
        "check outside the year",
        "E",
        "2",
    ),
    "done and declined": (spoilt("ld_health_checks", check_declined="1"), "done and declined", "W", "2"),
    "more checks than persons": (spoilt("ld_health_checks_aggregate", checks_done="41"), "more checks than", "E", "2"),
    "nights of a day service": (
        spoilt("short_breaks", row=3, unit_type="NIGHTS"),
        "nights without overnight",
        "E",
        "3",
    ),
    "more taken than offered": (spoilt("short_breaks", units_taken="25"), "more taken than offered", "W", "2"),
    "a wait without a beginning": (spoilt("short_breaks", row=4, waiting_since=""), "waiting without a date", "W", "4"),
    "a period that runs backwards": (
        spoilt("short_breaks", period_end="2025-03-01"),
        "ends before it starts",
        "E",
        "2",
    ),
    "two answers of one respondent": (
        with_rows("survey_responses", "S1,2026-03,R001,PARENT,Q1,4,1"),
        "two answers",
        "E",
        "2, 6",
    ),
    "a sentence as an answer": (
        spoilt("survey_responses", response_code="They never rang back"),
        "no free text is read",
        "E",
        "2",
    ),
    "a weight of nothing": (spoilt("survey_responses", weight="0"), "weight not above zero", "E", "2"),
    "a wording changed under its number": (
        with_rows("survey_questions", "S2,Q1,We are heard.,AGREE5,4 5,9"),
        "wording changed",
        "W",
        "4",
    ),
    "a ward's name for its code": (spoilt("ehc_cases", ward_cd="High Town"), "ward_code: not a code of nine", "W", "2"),
}


@pytest.mark.parametrize(("text", "rule", "severity", "rows"), FINDINGS.values(), ids=FINDINGS.keys())
def test_what_is_wrong_with_rows_is_found_and_none_is_lost(tmp_path, text, rule, severity, rows):
    extract = read(tmp_path, text)
    hits = extract.findings[extract.findings["rule"].str.contains(rule, regex=False)]
    assert hits["severity"].tolist() == [severity], extract.findings.to_string()
    if rows is not None:
        assert hits["rows"].item() == rows
    loaded = extract.loaded
    refused = set(loaded.quarantine["row"]) - set(loaded.frame.index)
    assert len(refused) == loaded.summary.rows_refused
    assert (severity == "E") == bool(refused)
    assert not loaded.quarantine["value"].str.contains("Ann|Example|High|rang|999906", regex=True).any()


def test_what_a_survey_answers_must_be_on_the_scale_of_its_question(tmp_path):
    questions = read(tmp_path, SOUND["survey_questions"], name="q.csv")
    answers = read(
        tmp_path,
        with_rows("survey_responses", "S1,2026-03,R004,YP,Q2,5,1", "S1,2026-03,R004,YP,Q7,5,1"),
    )
    checked = with_questions(answers, questions)
    assert checked.loaded.summary.rows_refused == 2
    assert checked.loaded.quarantine["row"].tolist() == [6, 7]
    assert checked.loaded.quarantine["rule"].tolist() == [
        "the answer is not on the question's scale",
        "the question is not in the list of questions",
    ]


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        (spoilt("survey_questions", positive_codes="4 6"), "not on the question's scale"),
        (SOUND["absence"], "another kind"),
    ],
    ids=["positive codes off the scale", "another kind"],
)
def test_questions_that_cannot_be_used(tmp_path, questions, words):
    answers = read(tmp_path, SOUND["survey_responses"])
    with pytest.raises(SourceError, match=words):
        with_questions(answers, read(tmp_path, questions, name="q.csv"))


def workbook(tmp_path, sheets, prepare=lambda book: None):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    prepare(book)
    path = tmp_path / "list.xlsx"
    book.save(path)
    return path


def test_rows_hidden_by_a_filter_are_read_and_named(tmp_path):
    def hide(book):
        book["List"].auto_filter.ref = "A1:K4"
        book["List"].row_dimensions[3].hidden = True

    extract = read_extract(workbook(tmp_path, {"List": sound("absence")}, hide))
    assert len(extract.loaded.frame) == 3
    assert "hidden rows" in extract.findings["rule"].tolist()


def test_a_list_for_each_school_is_refused_with_their_names(tmp_path):
    path = workbook(tmp_path, {"North": sound("absence"), "South": sound("absence")})
    with pytest.raises(SourceError, match=r"Several sheets.*North.*South"):
        read_extract(path)


def test_a_workbook_of_formulas_is_refused(tmp_path):
    rows = sound("absence")
    rows[1][4] = "=300+80"
    with pytest.raises(SourceError, match="formulas"):
        read_extract(workbook(tmp_path, {"List": rows}))


def test_two_columns_for_one_thing_are_found_where_they_differ(tmp_path):
    rows = sound("ehc_cases")
    rows = [[*row, extra] for row, extra in zip(rows, ["Gender", "F", "M", "F", "F", "F"], strict=True)]
    extract = read(tmp_path, text_of(rows))
    twice = extract.findings[extract.findings["rule"] == "heading twice"]
    assert twice["rows"].tolist() == ["4"]
    assert extract.loaded.frame["sex"].tolist() == ["F", "M", "M", "F", "F"]


@pytest.mark.parametrize("number", ["C-2025/001", "EHC REQ 001", "CASE 12", "0012", "a1b2c3d4e5f6", "12 High"])
def test_numbers_without_meaning_are_taken_as_they_are(tmp_path, number):
    assert read(tmp_path, spoilt("ehc_cases", case_id=number)).loaded.frame["case_id"].iloc[0] == number


def test_pupil_numbers_with_wrong_letters_are_hashed_and_found(tmp_path):
    rows = sound("absence")
    rows[0][0] = "UPN"
    for row, upn in zip(rows[1:], [UPN, "Q207000016049", ""], strict=True):
        row[0] = upn
    extract = read(tmp_path, text_of(rows), key=bytes(32))
    assert extract.findings["rule"].tolist() == ["person_id: blank", "upn wrong check letter"]
    shown = pd.concat([extract.loaded.frame, extract.loaded.quarantine]).to_csv() + extract.findings.to_csv()
    assert UPN not in shown
    assert "Q207000016049" not in shown
