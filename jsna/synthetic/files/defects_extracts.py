"""Defects of local extracts (section 6.10 of the specification of formats)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from jsna.synthetic.files.defects import add, defect, put, some, take_out
from jsna.synthetic.files.extracts import EXTRACTS
from jsna.synthetic.files.output import Tables
from jsna.synthetic.files.people import tokens

CASES, EVENTS = ("ehc_cases",), ("exclusions",)
PERSONS = tuple(name for name in EXTRACTS if name != "survey")
_DATED = {
    "ehc_cases": "request_outcome_date",
    "annual_reviews": "final_amended_plan_date",
    "disputes": "outcome_date",
    "ld_health_checks": "check_done_date",
}


@defect(
    "closed_cases_missing", CASES, "6.10", "A status list, not a history: cases closed before October 2025 are missing."
)
def _(t: Tables, rng: Generator) -> int:
    cases = t["ehc_cases"]
    ends = ["plan_issued_date", "no_plan_notified_date", "ceased_before_decision_date"]
    closed = cases[ends].max(axis=1).where(cases["request_outcome"] != "N", cases["request_outcome_date"])
    return take_out(t, "ehc_cases", np.flatnonzero((closed != "") & (closed < "2025-10-01")))


@defect("case_opened_again", CASES, "6.10", "Some refused cases were opened again under a new id, with the same date.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["ehc_cases"]["request_outcome"] == "N")
    again = t["ehc_cases"].iloc[at]
    return add(t, "ehc_cases", again.assign(case_id="R" + again["case_id"].str.slice(1), request_outcome="Y"))


@defect("request_date_of_panel", CASES, "6.10", "Some dates of request were overwritten by the date of the decision.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["ehc_cases"]["request_outcome_date"] != "", share=0.2)
    panel = t["ehc_cases"]["request_outcome_date"].to_numpy(object)[at]
    return put(t, "ehc_cases", at, request_received_date=panel)


@defect("working_days_for_dates", CASES, "6.10", "Some decisions are given as a number of working days, not as a date.")
def _(t: Tables, rng: Generator) -> int:
    cases = t["ehc_cases"]
    at = some(rng, cases["request_outcome_date"] != "")
    first, last = (cases[c].to_numpy(object)[at].astype("datetime64[D]") for c in _FROM_TO)
    return put(t, "ehc_cases", at, request_outcome_date=np.busday_count(first, last).astype("<U5").astype(object))


_FROM_TO = ("request_received_date", "request_outcome_date")


@defect("issued_means_draft", CASES, "6.10", "The date of issue of every plan is that of the draft.")
def _(t: Tables, rng: Generator) -> int:
    at = np.flatnonzero(t["ehc_cases"]["plan_issued_date"] != "")
    return put(t, "ehc_cases", at, plan_issued_date=t["ehc_cases"]["draft_plan_date"].to_numpy(object)[at])


@defect("dispute_without_decision", ("disputes",), "6.10", "No dispute has the date of the decision that it is about.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "disputes", np.arange(len(t["disputes"])), decision_letter_date="")


@defect("absence_in_percent", ("absence",), "6.10", "Absence is a percentage; the sessions are not in the file.")
def _(t: Tables, rng: Generator) -> int:
    frame = t["absence"]
    counts = [frame[f"sessions_{c}"].astype("int64") for c in ("possible", "authorised", "unauthorised")]
    percent = (100 * (counts[1] + counts[2]) / counts[0]).round(1).astype("str")
    frame = frame.drop(columns=["sessions_possible", "sessions_authorised", "sessions_unauthorised"])
    t["absence"] = frame.assign(absence_percent=percent)
    return len(frame)


@defect(
    "lists_stacked", EVENTS, "6.10", "The list of a second school stands below the first, under headings of its own."
)
def _(t: Tables, rng: Generator) -> int:
    frame = t["exclusions"]
    below = frame["school_urn"] == frame["school_urn"].value_counts().index[1]
    headings = dict(zip(frame.columns, [c.replace("_", " ").title() for c in frame.columns], strict=True))
    t["exclusions"] = pd.concat([frame[~below], pd.DataFrame([headings]), frame[below]], ignore_index=True)
    return int(below.sum()) + 1


@defect("totals_row", PERSONS, "6.10", "The last row is a total.")
def _(t: Tables, rng: Generator) -> int:
    name, frame = next(iter(t.items()))
    row = dict.fromkeys(frame.columns, "")
    row[frame.columns[0]], row[frame.columns[1]] = "Total", str(len(frame))
    return add(t, name, pd.DataFrame([row]))


@defect("rows_hidden", PERSONS, "6.10", "The file is a workbook in which a filter hides half of the rows.")
def _(t: Tables, rng: Generator) -> int:
    frame = next(iter(t.values()))
    hidden = np.zeros(len(frame), bool)
    hidden[some(rng, ~hidden, share=0.5)] = True
    frame.attrs["hidden"] = hidden
    return int(hidden.sum())


@defect("names_in_case_id", CASES, "6.10", "The id of a case is the child's name.")
def _(t: Tables, rng: Generator) -> int:
    everyone = np.arange(len(t["ehc_cases"]))
    return put(t, "ehc_cases", everyone, case_id=tokens("Surname", everyone) + ", " + tokens("Forename", everyone))


@defect("dates_for_blanks", tuple(_DATED), "6.10", "What is not known has the dates 1900-01-01 and 2099-12-31.")
def _(t: Tables, rng: Generator) -> int:
    name = next(iter(t))
    at = np.flatnonzero(t[name][_DATED[name]] == "")
    return put(t, name, at, **{_DATED[name]: np.resize(["1900-01-01", "2099-12-31"], len(at)).astype(object)})
