"""Checks of the order of events: decided, issued, reviewed, ceased; outcomes with and without what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from jsna.sources.sen2.findings import Finding, found, spec
from jsna.sources.sen2.joins import by_key, plans, text_by

if TYPE_CHECKING:
    from jsna.sources.sen2.checks import Checked


def _thresholds() -> dict[str, float]:
    return spec("jsna.sources.sen2", "checks.yml")["thresholds"]


def _received(c: Checked) -> pd.DataFrame:
    """Assessments with the day their request was received and decided."""
    requests = c.frames["requests"].set_index("request_key")
    assessment = c.frames["assessment"]
    key = assessment["request_key"]
    return assessment.assign(
        received_date=by_key(key, requests["received_date"]),
        decided_date=by_key(key, requests["request_outcome_date"]),
        request_outcome=text_by(key, requests["request_outcome"]),
    )


def order(c: Checked) -> list[Finding]:
    """Decisions before what they decide on, and days copied from one another."""
    requests, assessment = c.frames["requests"], _received(c)
    issued = assessment["assessment_outcome"] == "Y"
    day = assessment["assessment_outcome_date"]
    late = requests["request_outcome_date"] < requests["received_date"]
    return [
        *found("12a", "requests", requests, late),
        *found("12b", "assessment", assessment, day < assessment["decided_date"]),
        *found("12c", "assessment", assessment, issued & (day < assessment["received_date"])),
        *found("12d", "assessment", assessment, issued & (day == assessment["received_date"])),
    ]


def outcomes(c: Checked) -> list[Finding]:
    """Outcomes with a date they cannot have, without one they need, and rows below an outcome that ends the case.

    Below a historical request or assessment rows may stand: the decision is old, the assessment or plan is not.
    """
    requests, assessment = c.frames["requests"], _received(c)
    hits = []
    for name, frame, outcome, day in (
        ("requests", requests, "request_outcome", "request_outcome_date"),
        ("assessment", assessment, "assessment_outcome", "assessment_outcome_date"),
    ):
        hits += found("13a", name, frame, frame[outcome].isin(["A", "W", "H"]) & frame[day].notna())
        # An agreed plan has no date until it is issued, so only a refusal after assessment needs one.
        needing = ["Y", "N"] if name == "requests" else ["N"]
        hits += found("13d", name, frame, frame[outcome].isin(needing) & frame[day].isna())
    ended = ["N", "A", "W"]
    hits += found("13b", "assessment", assessment, assessment["request_outcome"].isin(ended))
    above = assessment.set_index("assessment_key")["assessment_outcome"]
    named = c.frames["namedplan"]
    outcome = text_by(named["assessment_key"], above)
    hits += found("13b", "namedplan", named, outcome.isin(ended))
    active = c.frames["activeplans"]
    moved = active.loc[active["transfer_la"] != "", "request_key"].dropna()
    this_year = (named["start_date"].dt.year == c.census.year - 1) & ~named["request_key"].isin(moved)
    return [*hits, *found("13c", "namedplan", named, (outcome == "H") & this_year)]


def reviews(c: Checked) -> list[Finding]:
    """Reviews decided before they met (or the two days changed over), and before the plan began."""
    active = plans(c.frames)
    both = active["review_meeting"].notna() & active["last_review"].notna()
    wrong = both & (active["last_review"] < active["review_meeting"])
    of = int(both.sum())
    changed = of > 1 and 100 * int(wrong.sum()) / of >= _thresholds()["swapped_percent"]
    moved_in = active["transfer_la"] != ""
    early = (active["last_review"] < active["start_date"]) & ~moved_in
    return [
        *found("14b" if changed else "14a", "activeplans", active, wrong, of=of),
        *found("14c", "activeplans", active, early),
    ]


def ceasing(c: Checked) -> list[Finding]:
    """Days of ceasing without reason and the other way round; plans that stay open beyond the age they end at."""
    named, active = c.frames["namedplan"], plans(c.frames)
    day, reason = named["cease_date"].notna(), named["cease_reason"] != ""
    ages = c.frames["person"].set_index("person_key")["age"]
    age = by_key(active["person_key"], ages)
    still = ~(active["cease_date"] < c.census.day)
    return [
        *found("15a", "namedplan", named, day & ~reason),
        *found("15b", "namedplan", named, reason & ~day),
        *found("16", "activeplans", active, (age >= 25) & still),
    ]


def fillers(c: Checked) -> list[Finding]:
    """One received day for many requests, exceptions for too many plans or for none, and days after the census."""
    limits, requests = _thresholds(), c.frames["requests"]
    hits = []
    days = requests["received_date"].value_counts()
    for day, count in days.items():
        if count >= limits["same_day_at_least"] and 100 * count / len(requests) >= limits["same_day_percent"]:
            hits += found("17", "requests", requests, requests["received_date"] == day, more=f"{day:%d %B %Y}")
    assessment = c.frames["assessment"]
    issued = assessment[(assessment["assessment_outcome"] == "Y") & assessment["assessment_outcome_date"].notna()]
    yes, untold = issued["week20"].fillna(False).astype("bool"), issued["week20"].isna()
    if len(issued) and untold.all():
        hits += found("18b", "assessment", issued, untold)
    else:
        hits += found("18c", "assessment", issued, untold)
    if len(issued) >= limits["exceptions_of_at_least"] and 100 * yes.mean() > limits["exceptions_percent"]:
        hits += found("18a", "assessment", issued, yes)
    for name, column in _past_events():
        frame = c.frames[name]
        hits += found("19", name, frame, frame[column] > c.census.day, more=column)
    return hits


def _past_events() -> tuple[tuple[str, str], ...]:
    return (
        ("requests", "received_date"),
        ("requests", "request_outcome_date"),
        ("assessment", "assessment_outcome_date"),
        ("namedplan", "cease_date"),
        ("activeplans", "review_meeting"),
        ("activeplans", "last_review"),
    )


CHECKS = (order, outcomes, reviews, ceasing, fillers)
