"""How children and young people fare, from local extracts: school, work, health, short breaks, and what they say."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.evidence.operational.counting import COUNTS, beside, counted, limit, sealed, sizes, sums, yes
from jsna.sealed import Sealed
from jsna.sources.extracts.specification import own_list


def suspensions(events: pd.DataFrame, pupils: pd.DataFrame, by: Sequence[str], academic_year: str) -> Sealed:
    """Suspensions, pupils suspended, and permanent exclusions of an academic year ("202526"), and pupils on roll.

    ``pupils``: the spring census of that year, one row a pupil. Both frames need the columns of ``by``: take them from
    ``join_groups``. Lunchtime suspensions are not counted. Suspensions and sessions are events, not pupils: the same
    child can have several, so that they are no share of the pupils on roll. A group of events that no pupil on roll
    belongs to stays, with a denominator of 0.
    """
    start = pd.Timestamp(int(academic_year[:4]), 9, 1)
    inside = (events["start_date"] >= start) & (events["start_date"] < start + pd.DateOffset(years=1))
    suspended = events[inside & (events["category"] == "SUSP")]
    numbers = {
        "suspensions": sizes(suspended, by),
        "suspended_once_or_more": sizes(suspended.drop_duplicates(["person_id", *by]), by),
        "permanent_exclusions": sizes(events[inside & (events["category"] == "PERM")], by),
        "suspended_sessions": sizes(suspended, by, suspended["sessions"]),
    }
    return Sealed(beside(numbers, sizes(pupils, by), by), counts=COUNTS)


def absence(rows: pd.DataFrame, by: Sequence[str], terms: str) -> Sealed:
    """Sessions missed, and pupils persistently or severely absent, over ``terms`` (AUT, AUTSPR or FULL).

    Counted by ``academic_year`` too. A row is an enrolment: who changed school counts twice, as in published figures.
    Where the age is known, only 5 to 15 are counted. A tenth and a half of a pupil's own possible sessions are compared
    in whole numbers, so that exactly 10 % is persistent. Raises ``MeasureError`` when no row has these terms.

    >>> frame = pd.DataFrame({"academic_year": "202526", "terms": "FULL", "sessions_possible": [380, 300],
    ...     "sessions_authorised": [38, 29], "sessions_unauthorised": [0, 0]})
    >>> got = absence(frame, [], "FULL").unseal("an example").set_index("measure")
    >>> got.loc["persistently_absent", ["numerator", "denominator"]].tolist()
    [1, 2]
    """
    rows = rows.loc[(rows["terms"] == terms) & (rows["sessions_possible"] > 0).fillna(False).astype(bool)]
    if "age" in rows:
        rows = rows.loc[rows["age"].isna() | rows["age"].between(*limit("absence_ages"))]
    if rows.empty:
        raise MeasureError(Problem("No row covers these terms.", where="terms", value=terms))
    possible = rows["sessions_possible"].astype("int64")
    leave, without = (rows[c].astype("int64") for c in ("sessions_authorised", "sessions_unauthorised"))
    missed = leave + without
    everyone = pd.Series(True, index=rows.index)
    return sealed(
        rows,
        ["academic_year", *by],
        {
            "absence_overall": (missed, possible),
            "absence_authorised": (leave, possible),
            "absence_unauthorised": (without, possible),
            "persistently_absent": (100 * missed >= limit("persistent_percent") * possible, everyone),
            "severely_absent": (100 * missed >= limit("severe_percent") * possible, everyone),
        },
    )


def absence_from_counts(rows: pd.DataFrame, terms: str) -> Sealed:
    """The same measures from the form of counts, by ``academic_year``, ``group_type`` and ``group``.

    Raises ``MeasureError`` when no row has these terms.
    """
    rows = rows.loc[rows["terms"] == terms]
    if rows.empty:
        raise MeasureError(Problem("No row covers these terms.", where="terms", value=terms))
    return sealed(
        rows,
        ["academic_year", "group_type", "group"],
        {
            "absence_overall": (rows["sess_overall"], rows["sess_possible"]),
            "persistently_absent": (rows["pa"], rows["enrolments"]),
            "severely_absent": (rows["severe"], rows["enrolments"]),
        },
    )


def destinations(
    rows: pd.DataFrame, by: Sequence[str], ages: tuple[int, int] | None = None, currency_days: int | None = None
) -> Sealed:
    """Who is in education, employment or training, who is not, and of whom is it not known? Month by month.

    ``ages`` are academic ages, 16 and 17 unless given. Counted by ``ref_month``: the headline is the mean of December,
    January and February, to be worked out after the gate, since one person stands in several months. An activity that
    was last confirmed more than ``currency_days`` before the month's end counts as not known; without it every activity
    stands (the official limit is unverified). Never show NEET without the not known: a low NEET figure may be a list
    that nobody has checked.
    """
    low, high = ages or limit("neet_ages")
    rows = rows.loc[rows["academic_age"].between(low, high).fillna(False).astype(bool)]
    groups = {row["code"]: row["group"] for row in own_list("activity")}
    group = rows["activity_code"].map(groups).fillna("unknown")
    if currency_days is not None:
        last = pd.to_datetime(rows["ref_month"] + "-01") + pd.offsets.MonthEnd(0)
        stale = (last - rows["activity_checked_date"]) > pd.Timedelta(days=currency_days)
        group = group.mask(stale, "unknown")
    everyone = pd.Series(True, index=rows.index)
    neet, unknown = group.isin(["neet_available", "neet_not_available"]), group == "unknown"
    return sealed(
        rows,
        ["ref_month", *by],
        {
            "neet": (neet, everyone),
            "not_known": (unknown, everyone),
            "neet_or_not_known": (neet | unknown, everyone),
            "in_education": (group == "education", everyone),
            "in_employment": (group == "employment", everyone),
            "in_training": (group == "training", everyone),
            "in_custody": (group == "custody", everyone),
        },
    )


def health_checks(rows: pd.DataFrame, by: Sequence[str]) -> Sealed:
    """Of people aged 14 or more on a GP's register of learning disability, how many had their yearly health check?

    By ``financial_year`` too. A person counts once a year, with a check if any of the rows has one. Learning disability
    on a GP's register is not the school category of learning difficulty.
    """
    rows = rows.loc[yes(rows["on_ld_register"]) & (rows["age_31mar"] >= limit("health_check_age")).fillna(False)]
    person = ["person_id", "financial_year"]
    rows = rows.assign(
        done=rows["check_done_date"].notna(),
        refused=yes(rows["check_declined"]),
        planned=rows["action_plan_date"].notna(),
    )
    any_of = rows.groupby(person)[["done", "refused", "planned"]].any().reset_index()
    persons = rows.drop_duplicates(person)[list(dict.fromkeys([*person, *by]))].merge(any_of, on=person)
    everyone = pd.Series(True, index=persons.index)
    return sealed(
        persons,
        ["financial_year", *by],
        {
            "health_check_done": (persons["done"], everyone),
            "health_check_declined": (persons["refused"] & ~persons["done"], everyone),
            "health_action_plan": (persons["planned"], everyone),
        },
    )


def health_checks_from_counts(rows: pd.DataFrame, by: Sequence[str]) -> Sealed:
    """The same measures from the form of counts, by ``financial_year`` and ``by``.

    Rows that lack a count are left out of the measures that need it.
    """
    register = rows["register_14plus"]
    pairs = {
        "health_check_done": "checks_done",
        "health_check_declined": "declined",
        "health_action_plan": "action_plans",
    }
    measures = {name: (rows[c].fillna(0), register.where(rows[c].notna(), 0)) for name, c in pairs.items()}
    return sealed(rows, ["financial_year", *by], measures)


def short_breaks(rows: pd.DataFrame, children: pd.DataFrame, by: Sequence[str]) -> Sealed:
    """Of the children who could have a short break, how many use one, stay overnight, or wait?

    ``children``: one row a ``pupil_id`` with the columns of ``by``; those with an EHC plan, or on the disability
    register: say which. A child counts once however many services it uses; rows about others are not counted.
    """
    used = (rows["units_taken"] > 0).fillna(False)
    of = {
        "short_break_used": rows.loc[used, "person_id"],
        "short_break_overnight": rows.loc[used & (rows["service_code"] == "OVERNIGHT"), "person_id"],
    }
    waiting = rows.loc[rows["status"] == "WAITING", "person_id"]
    of["short_break_waiting"] = waiting[~waiting.isin(of["short_break_used"])]
    everyone = pd.Series(True, index=children.index)
    return sealed(children, by, {m: (children["pupil_id"].isin(ids), everyone) for m, ids in of.items()})


def short_break_units(rows: pd.DataFrame, by: Sequence[str]) -> Sealed:
    """Units taken of units offered, by ``unit_type`` and ``by``: hours, sessions and nights are never added up.

    Rows that lack either are left out. Parts of a unit are cut off after adding up. Units are no children: a sum may
    rest on one child, so show it beside the number of children only.
    """
    rows = rows.loc[rows["units_taken"].notna() & rows["units_offered"].notna()]
    return sealed(rows, ["unit_type", *by], {"units_taken": (rows["units_taken"], rows["units_offered"])})


def survey(responses: pd.DataFrame, questions: pd.DataFrame, profile: pd.DataFrame | None, by: Sequence[str]) -> Sealed:
    """Of those who answered a question, how many gave a positive answer, and how many did not know?

    ``responses`` after ``with_questions``; ``questions`` from ``question_table``; ``profile`` holds the columns of
    ``by`` for each respondent. Counted by survey_id, wave, question_id, respondent_type. Answers of do not know are no
    part of the base of positive answers. ``weighted_numerator`` and ``weighted_denominator`` are sums of weights (1
    where there is none). A response rate needs the number of the invited, which no answer holds.
    """
    asked = questions[["survey_id", "question_id", "positive", "dont_know"]]
    rows = responses.merge(asked, on=["survey_id", "question_id"], how="inner", validate="many_to_one")
    if profile is not None:
        of = profile[["respondent_id", *by]].drop_duplicates("respondent_id")
        rows = rows.merge(of, on="respondent_id", how="left").fillna(dict.fromkeys(by, ""))
    code = rows["response_code"].str.upper()
    unsure = (code == rows["dont_know"]) & (rows["dont_know"] != "")
    good = pd.Series([c in p for c, p in zip(code, rows["positive"], strict=True)], index=rows.index, dtype=bool)
    everyone = pd.Series(True, index=rows.index)
    measures = {"positive": (good & ~unsure, ~unsure), "did_not_know": (unsure, everyone)}
    keys = ["survey_id", "wave", "question_id", "respondent_type", *by]
    weight = rows["weight"].fillna(1.0)
    weighted = {name: (n * weight, d * weight) for name, (n, d) in measures.items()}
    counts = counted(rows, keys, measures)
    weights = sums(rows, keys, weighted).rename(columns={c: f"weighted_{c}" for c in COUNTS})
    frame = counts.merge(weights, on=[*keys, "measure"], how="left")
    return Sealed(frame, counts=COUNTS, derived=("weighted_numerator", "weighted_denominator"))
