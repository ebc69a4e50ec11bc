"""The EHC plan process from local extracts: timeliness, annual reviews, mediation and appeals."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.evidence.operational.counting import (
    COUNTS,
    as_at_of,
    beside,
    counted,
    data,
    in_year,
    limit,
    need_columns,
    sealed,
    sizes,
    yes,
)
from jsna.sealed import Sealed


def timeliness(cases: pd.DataFrame, by: Sequence[str], year: int, as_at: pd.Timestamp | None = None) -> Sealed:
    """How fast are requests for EHC needs assessments decided, and plans issued, in a calendar year?

    Plans issued in ``year`` within 20 weeks (with all, and with those alone to which no exception applies: a blank is
    not "no"), after 20 weeks, after a year; decisions within 6 weeks; notices of no plan within 16; refusals to assess
    and to issue; cases open for over 20 weeks at ``as_at`` (the extract's date unless given). Cases that came from
    another authority are left out. Raises ``MeasureError`` without a date for open cases.

    >>> frame = pd.DataFrame({
    ...     "request_received_date": pd.to_datetime(["2025-01-06", "2025-01-06"]), "request_outcome": ["Y", "Y"],
    ...     "request_outcome_date": pd.to_datetime(["2025-02-10", "2025-03-10"]), "assessment_outcome": ["Y", "Y"],
    ...     "plan_issued_date": pd.to_datetime(["2025-05-26", "2025-05-27"]), "transferred_in_la": ["", ""],
    ...     "no_plan_notified_date": pd.to_datetime([None, None]), "exception_applies": [False, None],
    ...     "ceased_before_decision_date": pd.to_datetime([None, None])})
    >>> got = timeliness(frame, [], 2025, pd.Timestamp("2026-01-01")).unseal("an example").set_index("measure")
    >>> got.loc[["plan_in_20_weeks", "plan_in_20_weeks_without_exceptions"], "denominator"].tolist()
    [2, 1]
    >>> int(got.loc["plan_in_20_weeks", "numerator"])
    1
    """
    at = as_at_of(cases, as_at)
    own = cases["transferred_in_la"] == ""
    received = cases["request_received_date"]
    issued = own & (cases["assessment_outcome"] == "Y") & in_year(cases["plan_issued_date"], year) & received.notna()
    days = (cases["plan_issued_date"] - received).dt.days
    plain = issued & (cases["exception_applies"].astype("boolean") == False).fillna(False).astype(bool)  # noqa: E712
    soon = issued & (days <= limit("plan_days"))
    long = issued & (days > limit("long_days"))
    decided = own & cases["request_outcome"].isin(["Y", "N"]) & in_year(cases["request_outcome_date"], year)
    decision_days = (cases["request_outcome_date"] - received).dt.days
    told = own & in_year(cases["no_plan_notified_date"], year)
    told_days = (cases["no_plan_notified_date"] - received).dt.days
    waiting = own & (received <= at) & _still_open(cases, at)
    return sealed(
        cases,
        by,
        {
            "plan_in_20_weeks": (soon, issued),
            "plan_in_20_weeks_without_exceptions": (soon & plain, plain),
            "plan_exception_not_stated": (issued & cases["exception_applies"].isna(), issued),
            "plan_over_20_weeks_to_a_year": (issued & ~soon & ~long, issued),
            "plan_over_a_year": (long, issued),
            "decision_in_6_weeks": (decided & (decision_days <= limit("decision_days")), decided),
            "no_plan_in_16_weeks": (told & (told_days <= limit("no_plan_days")), told),
            "refused_to_assess": (decided & (cases["request_outcome"] == "N"), decided),
            "refused_to_issue": (told & ~issued, told | issued),
            "open_over_20_weeks": (waiting & ((at - received).dt.days > limit("plan_days")), waiting),
        },
    )


def _still_open(cases: pd.DataFrame, at: pd.Timestamp) -> pd.Series:
    """Cases that at ``at`` had no end: no refusal, no plan, no notice of none, not withdrawn; H is history."""
    ended = cases["request_outcome"].isin(["N", "W", "H"]) | cases["assessment_outcome"].isin(["W", "H"])
    for column in ("plan_issued_date", "no_plan_notified_date", "ceased_before_decision_date"):
        ended |= cases[column] <= at
    return ~ended


def annual_reviews(reviews: pd.DataFrame, by: Sequence[str], year: int, as_at: pd.Timestamp | None = None) -> Sealed:
    """Are plans reviewed every year, and decided, amended and ready for the next phase in time?

    ``reviewed_in_12_months`` is about the stock of plans over a year old at ``as_at`` (the extract's date unless given)
    that have not ceased; the others about meetings held, and transfers due, in calendar year ``year``. What is overdue
    at ``as_at`` counts as late, not as missing. Needs every plan in the list, reviewed or not.
    """
    at = as_at_of(reviews, as_at)
    meeting, decision = reviews["review_meeting_date"], reviews["decision_sent_date"]
    final, due = reviews["final_amended_plan_date"], reviews["phase_transfer_due_date"]
    decide_by = meeting + pd.Timedelta(days=limit("review_decision_days"))
    amend_by = meeting + pd.Timedelta(days=limit("review_final_days"))
    held = in_year(meeting, year)
    to_decide = held & (decision.notna() | (decide_by < at))
    to_amend = held & (reviews["review_outcome"] == "A") & (final.notna() | (amend_by < at))
    moving = in_year(due, year) & (due <= at)
    of_meetings = counted(
        reviews,
        by,
        {
            "review_decision_in_4_weeks": (to_decide & (decision <= decide_by), to_decide),
            "review_final_in_12_weeks": (to_amend & (final <= amend_by), to_amend),
            "transfer_in_time": (moving & (reviews["phase_transfer_final_date"] <= due), moving),
        },
    )
    plans = _plans(reviews, at)
    year_ago = at - pd.DateOffset(months=limit("review_months"))
    old = (plans["first"] <= year_ago) & ~plans["ceased"]
    stock = counted(plans, by, {"reviewed_in_12_months": (old & (plans["decided"] > year_ago), old)})
    return Sealed(pd.concat([stock, of_meetings], ignore_index=True), counts=COUNTS)


def _plans(reviews: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """One row a plan: groups of its newest cycle, first issue, latest decision up to ``at``, whether it has ceased."""
    decided = reviews[["decision_sent_date", "previous_review_decision_date"]]
    decided = decided.where(decided <= at).max(axis="columns")
    ceased = (reviews["review_outcome"] == "C") & (reviews["decision_sent_date"] <= at)
    rows = reviews.assign(decided=decided, ceased=ceased).sort_values("review_due_date", kind="stable")
    plans = rows.groupby("plan_id")
    newest = rows.drop_duplicates("plan_id", keep="last").set_index("plan_id")
    return newest.assign(
        first=plans["plan_first_issued_date"].min(), decided=plans["decided"].max(), ceased=plans["ceased"].any()
    ).reset_index()


def disputes(rows: pd.DataFrame, by: Sequence[str], year: int) -> Sealed:
    """What became of the disagreements about decisions whose letter is of calendar year ``year``?

    Grouped by ``module`` as well: request, assessment or other, the part of SEN2 that records them; "" where the kind
    of decision is not known. The newest year is never whole: appeals come months after the letter.
    """
    rows = rows.loc[in_year(rows["decision_letter_date"], year)]
    rows = rows.assign(module=rows["decision_type"].map(data()["modules"]).fillna("").astype("str"))
    all_rows = pd.Series(True, index=rows.index)
    held = yes(rows["mediation_held"])
    appealed = rows["appeal_registered_date"].notna()
    status = rows["appeal_status"]
    ended = appealed & ~status.isin(["OPEN", ""])
    asked = rows["mediation_contact_date"].notna() | rows["mediation_certificate_date"].notna() | held
    return sealed(
        rows,
        ["module", *by],
        {
            "mediation_contacted": (asked, all_rows),
            "mediation_held": (held, all_rows),
            "mediation_agreed": (held & rows["mediation_agreed"].isin(["1", "2"]), held),
            "appeal_registered": (appealed, all_rows),
            "appeal_after_mediation": (appealed & held, held),
            "appeal_upheld": (ended & (status == "UPHELD"), ended & status.isin(["UPHELD", "DISMISSED"])),
            "appeal_ended_before_hearing": (ended & status.isin(["CONCEDED", "CONSENT", "WITHDRAWN"]), ended),
        },
    )


def appealable_decisions(cases: pd.DataFrame, reviews: pd.DataFrame, by: Sequence[str], year: int) -> pd.DataFrame:
    """Decisions of calendar year ``year`` that can be appealed, one row each: ``decision`` and the columns of ``by``.

    Not to assess, not to issue, plans issued, plans amended, plans ceased. That the published rate has this denominator
    is unverified. For ``appeal_rate``; rows about persons, so not for display.
    """
    parts = {
        "not_to_assess": cases[(cases["request_outcome"] == "N") & in_year(cases["request_outcome_date"], year)],
        "not_to_issue": cases[in_year(cases["no_plan_notified_date"], year)],
        "plan_issued": cases[(cases["assessment_outcome"] == "Y") & in_year(cases["plan_issued_date"], year)],
        "plan_amended": reviews[in_year(reviews["final_amended_plan_date"], year)],
        "plan_ceased": reviews[(reviews["review_outcome"] == "C") & in_year(reviews["decision_sent_date"], year)],
    }
    need_columns(cases, by)
    need_columns(reviews, by)
    return pd.concat([part[list(by)].assign(decision=name) for name, part in parts.items()], ignore_index=True)


def appeal_rate(rows: pd.DataFrame, decisions: pd.DataFrame, by: Sequence[str], year: int) -> Sealed:
    """Appeals registered in calendar year ``year``, beside the year's decisions from ``appealable_decisions``.

    The numerator is no part of the denominator: many are about decisions of the year before.
    """
    appealed = rows[in_year(rows["appeal_registered_date"], year)]
    return Sealed(beside({"appeal_rate": sizes(appealed, by)}, sizes(decisions, by), by), counts=COUNTS)
