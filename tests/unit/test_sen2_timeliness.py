"""Timeliness, caseload, backlog and case list from a SEN2 return, against answers worked out by hand."""

import pandas as pd
import pytest
import sen2_files as files

from jsna.evidence.ehc import case_counts
from jsna.sources.sen2 import read_sen2
from jsna.sources.sen2.timeliness import backlog, caseload, cases, needs_published, plans_issued, timeliness


def read(folder, r, year=2025, name="r.xml"):
    return read_sen2(files.write_xml(folder, r, year, name=name), files.KEY)


def issued(folder, *plans):
    """A return with one issued plan for each (days from request to issue, week20, more of the assessment)."""
    r = files.a_return()
    for table in ("requests", "assessment", "namedplan", "plandetail", "activeplans", "placementdetail", "senneed"):
        r[table] = []
    for n, (days, week20, more) in enumerate(plans, 1):
        key, received = str(n), files.day("2024-06-30", -days)
        r["requests"].append(dict(id=key, parent=str(n % 6 + 1), receiveddate=received, requestoutcome="Y"))
        r["assessment"].append(dict(id=key, parent=key, assessmentoutcome="Y", assessmentoutcomedate="2024-06-30"))
        r["assessment"][-1] |= dict(week20=week20) | more
        r["namedplan"].append(dict(id=key, parent=key, startdate="2024-06-30"))
        if "transfer" in more:
            r["activeplans"].append(dict(id=key, parent=key, transferla="873"))
    return read(folder, r)


def test_the_hand_made_return(tmp_path):
    row = timeliness(read(tmp_path, files.a_return()).frames, 2024).iloc[0]
    # Two issued: after 140 days without, after 141 days with an exception.
    assert [row[c] for c in ("plans_issued_den", "plans_issued_within_20_weeks")] == [2, 1]
    assert [row[c] for c in ("plans_issued_den_ex", "plans_issued_20_weeks_ex")] == [1, 1]
    assert (row["pc_plans_issued_within_20_weeks"], row["pc_plans_issued_20_weeks_ex"]) == (50, 100)


@pytest.mark.parametrize(
    ("days", "within", "long", "year"),
    [(0, 1, 0, 0), (139, 1, 0, 0), (140, 1, 0, 0), (141, 0, 1, 0), (365, 0, 1, 0), (366, 0, 0, 1), (800, 0, 0, 1)],
)
def test_each_boundary_day(tmp_path, days, within, long, year):
    row = timeliness(issued(tmp_path, (days, "0", {})).frames, 2024).iloc[0]
    assert [row[c] for c in ("plans_issued_within_20_weeks", "gt20weeks_ltYear", "gt_1_year")] == [within, long, year]


def test_a_blank_exception_is_not_a_no(tmp_path):
    row = timeliness(issued(tmp_path, (10, "", {}), (10, "0", {}), (10, "1", {})).frames, 2024).iloc[0]
    assert [row[c] for c in ("plans_issued_den", "plans_issued_den_ex", "week20_blank")] == [3, 1, 1]


@pytest.mark.parametrize(
    ("more", "state"),
    [
        (dict(assessmentoutcome="H"), None),
        (dict(assessmentoutcome="A"), None),
        (dict(assessmentoutcome="N"), None),
        (dict(assessmentoutcome="W"), None),
        (dict(assessmentoutcomedate="2023-12-31"), None),
        (dict(transfer="873"), "transferred in"),
        (dict(assessmentoutcomedate="2024-01-01"), "issued before received"),
    ],
    ids=["historical", "undecided", "refused", "withdrawn", "year before", "moved in", "negative"],
)
def test_what_is_left_out(tmp_path, more, state):
    frames = issued(tmp_path, (100, "0", more)).frames
    assert timeliness(frames, 2024)["plans_issued_den"].tolist() == [0]
    assert timeliness(frames, 2024)["pc_plans_issued_within_20_weeks"].isna().all()
    assert plans_issued(frames, 2024)["state"].tolist() == ([state] if state else [])


def test_the_plans_start_stands_in_for_a_blank_day_and_is_flagged(tmp_path):
    frames = issued(tmp_path, (150, "0", dict(assessmentoutcomedate=""))).frames
    assert plans_issued(frames, 2024)[["days", "from_plan_start"]].to_numpy().tolist() == [[150, True]]
    assert timeliness(frames, 2024)["issue_date_from_plan_start"].tolist() == [1]


def test_the_plans_start_does_not_stand_in_for_one_who_moved_in(tmp_path):
    frames = issued(tmp_path, (150, "0", dict(assessmentoutcomedate="", transfer="873"))).frames
    assert plans_issued(frames, 2024).empty


def test_agreed_and_not_issued_is_not_counted(tmp_path):
    r = files.a_return()
    files.find(r, "assessment", "1")["assessmentoutcomedate"] = ""
    files.find(r, "namedplan", "1")["startdate"] = ""
    assert timeliness(read(tmp_path, r).frames, 2024)["plans_issued_den"].tolist() == [1]


def test_groups_add_up_to_all(tmp_path):
    sen2 = issued(tmp_path, *((d, "0", {}) for d in (100, 150, 200, 400, 90, 141)))
    by = sen2.frame("person").set_index("person_id")["sex"]
    groups, whole = timeliness(sen2.frames, 2024, by), timeliness(sen2.frames, 2024)
    assert set(groups["group"]) == {"F", "M"}
    for column in ("plans_issued_den", "plans_issued_within_20_weeks", "gt20weeks_ltYear", "gt_1_year"):
        assert groups[column].sum() == whole[column].iloc[0]


def test_the_caseload_counts_people_with_an_active_plan(tmp_path):
    r = files.a_return()
    sen2 = read(tmp_path, r)
    people = caseload(sen2.frames, sen2.census_date)
    assert people["primary_need"].tolist() == ["ASD", "DS", "SEMH", "PD"]
    assert people["secondary_need"].tolist() == ["SLCN", "", "", ""]
    assert needs_published(people["primary_need"]).tolist() == ["ASD", "OTH", "SEMH", "PD"]


@pytest.mark.parametrize(
    ("table", "key", "values", "left"),
    [
        ("namedplan", "1", dict(ceasedate="2025-01-15", ceasereason="2"), 3),
        ("namedplan", "1", dict(ceasedate="2025-01-16", ceasereason="2"), 4),
        ("person", "1", dict(personbirthdate="1999-01-16"), 3),
        ("person", "1", dict(personbirthdate="1999-01-17"), 4),
        ("person", "1", dict(personbirthdate=""), 4),
        ("person", "4", dict(upn=files.UPN["1"]), 3),
    ],
    ids=[
        "ceased the day before",
        "ends that day",
        "26 that day",
        "26 the day after",
        "age unknown",
        "one of two plans",
    ],
)
def test_who_is_in_the_caseload(tmp_path, table, key, values, left):
    r = files.a_return()
    files.find(r, table, key).update(values)
    sen2 = read(tmp_path, r)
    assert len(caseload(sen2.frames, sen2.census_date)) == left


def test_the_backlog_is_what_is_open_on_the_day(tmp_path):
    r = files.a_return()
    files.find(r, "assessment", "1").update(assessmentoutcome="A", assessmentoutcomedate="")
    sen2 = read(tmp_path, r)
    rows = backlog(sen2.frames, sen2.census_date)
    # Received 10 January and 20 November 2024; the census is 16 January 2025.
    assert rows[["request_key", "stage", "days_open", "over_20_weeks"]].to_numpy().tolist() == [
        [1, "assessment", 372, True],
        [6, "request", 57, False],
    ]


def test_the_case_list_has_the_chapters_columns_and_the_years_requests_alone(tmp_path):
    listed = cases(read(tmp_path, files.a_return()))
    frame = listed.frame
    assert list(frame.columns) == [
        "case_id", "pupil_id", "date_requested", "decision", "date_decided", "plan_issued", "date_issued", "exception",
        "weeks_to_issue", "sex", "ethnicity", "age",
    ]  # fmt: skip
    assert frame["decision"].tolist() == ["assess", "assess", "refuse", "pending", "withdrawn"]
    assert frame["plan_issued"].tolist() == [True, True, False, False, False]
    assert frame["weeks_to_issue"].tolist()[:2] == [20.0, 20.1]
    assert frame["age"].tolist() == [12, 14, 4, 5, 5]
    # What belongs to other years is no part of the list, and nothing of it was refused.
    assert listed.summary.rows_read == listed.summary.rows_kept == 5
    assert listed.summary.rows_refused == 0


def test_the_chapters_count_from_it(tmp_path):
    counted = case_counts(cases(read(tmp_path, files.a_return())).frame, "sex").unseal("a test on invented cases")
    # Girls: requests of persons 2, 6 and 6, none refused, one plan, after 141 days. Boys: 1 and 3, the second refused.
    columns = ["time_period", "sex", "requests", "refused", "plans", "in_20_weeks"]
    assert counted[columns].to_numpy().tolist() == [["2024", "F", 3, 0, 1, 0], ["2024", "M", 2, 1, 1, 1]]


def test_a_request_told_by_two_returns_counts_once_as_the_newer_tells_it(tmp_path):
    old, new = files.a_return(2025), files.a_return(2026)
    # Pending in the first return, issued in the second.
    files.find(old, "requests", "6")["parent"] = "1"
    request = files.find(new, "requests", "6")
    request |= dict(parent="1", receiveddate="2024-11-20", requestoutcome="Y", requestoutcomedate="2025-01-20")
    new["assessment"].append(dict(id="6", parent="6", assessmentoutcome="Y", assessmentoutcomedate="2025-04-01"))
    frame = cases(read(tmp_path, old), read(tmp_path, new, 2026, "new.xml")).frame
    told = frame[frame["date_requested"] == pd.Timestamp("2024-11-20")]
    assert told[["decision", "plan_issued"]].to_numpy().tolist() == [["assess", True]]
    assert frame["case_id"].is_unique


def test_the_day_of_a_decision_that_an_earlier_return_told_is_kept(tmp_path):
    old, new = files.a_return(2025), files.a_return(2026)
    request = files.find(old, "requests", "6")
    request |= dict(parent="1", receiveddate="2024-11-20", requestoutcome="Y", requestoutcomedate="2024-12-20")
    # The newer return says only that it was decided before (H), and that the plan is there.
    request = files.find(new, "requests", "6")
    request |= dict(parent="1", receiveddate="2024-11-20", requestoutcome="H", requestoutcomedate="")
    new["assessment"].append(dict(id="6", parent="6", assessmentoutcome="Y", assessmentoutcomedate="2025-04-01"))
    frame = cases(read(tmp_path, old), read(tmp_path, new, 2026, "new.xml")).frame
    told = frame[frame["date_requested"] == pd.Timestamp("2024-11-20")]
    assert told[["decision", "plan_issued"]].to_numpy().tolist() == [["assess", True]]
    assert told["date_decided"].tolist() == [pd.Timestamp("2024-12-20")]
