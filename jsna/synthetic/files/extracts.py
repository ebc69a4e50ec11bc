"""Local extracts: one flat CSV each, as an authority's teams could send them, drawn from the same children."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.sources.identity import pseudonyms
from jsna.synthetic import SyntheticArea
from jsna.synthetic.files import people
from jsna.synthetic.files.census import censuses
from jsna.synthetic.files.output import Tables, words
from jsna.synthetic.files.people import chance, iso, spread
from jsna.synthetic.files.plans import NEVER, PHASE_CHANGES, Plans, phase_changes, reviews
from jsna.synthetic.files.schools import LA_NUMBER, urns
from jsna.synthetic.files.sen2 import rows_of
from jsna.synthetic.files.sen2_files import plans_of
from jsna.synthetic.files.survey import survey

EXTRACTED = "2026-01-31"
# The key that joins the synthetic extracts to the synthetic census and SEN2. It protects nothing and nobody.
TRAINING_KEY = hashlib.sha256(b"training key of the synthetic area").digest()
_REASONS = np.array(words("PP PA VP VA OW BU RA LG DS SM DA DM TH DB MT PH"), dtype=object)


@dataclass(frozen=True)
class Source:
    """What all extracts draw on."""

    area: SyntheticArea

    @cached_property
    def plans(self) -> Plans:
        return plans_of(self.area)

    @cached_property
    def identities(self) -> pd.Series:
        """Pseudonym by person, made with the training key from the same numbers as in the census and in SEN2."""
        pupils = self.plans.pupils.drop_duplicates("number")
        year = pupils["time_period"].astype("str").str.slice(0, 4).astype("int64") - pupils["age"]
        outside = self.plans.persons[~self.plans.persons["person"].isin(pupils["number"])]
        born = outside["born"].to_numpy().astype("datetime64[D]")
        number = np.r_[pupils["number"], outside["person"]]
        upn = people.upns(number, np.r_[year, people.birth_years(born)])
        return pd.Series(pseudonyms(pd.Series(upn, dtype="str"), TRAINING_KEY).to_numpy(), index=number)

    def census(self, at: int) -> pd.DataFrame:
        """The pupils of one January (0 the first), with number, pseudonym and the columns that extracts may carry."""
        rows = self.plans.pupils[self.plans.pupils["at"] == at].reset_index(drop=True)
        return rows.assign(person_id=rows["number"].map(self.identities))


def _context(rows: pd.DataFrame) -> dict[str, object]:
    """The columns about a child that every extract may carry."""
    return {
        "sex": rows["sex"].astype("str"),
        "age_31aug": rows["age"].astype("str"),
        "nc_year": rows["year_group"].astype("str"),
        "ethnicity": rows["ethnicity"].astype("str"),
        "language": rows["first_language"].astype("str"),
        "sen_provision": rows["sen_provision"].astype("str"),
        "primary_need": rows["primary_need"].astype("str"),
        "fsm": np.where(rows["fsm_eligible"], "1", "0"),
        "lsoa21cd": rows["lsoa21"].astype("str"),
        "ward_cd": rows["ward_code"].astype("str"),
        "home_la": LA_NUMBER,
    }


def _finished(columns: dict[str, object], period: tuple[str, str], index: pd.Index) -> pd.DataFrame:
    dated = {"extract_date": EXTRACTED, "period_start": period[0], "period_end": period[1]}
    return pd.DataFrame(columns | dated, index=index).fillna("").astype("str").reset_index(drop=True)


def ehc_cases(source: Source) -> Tables:
    """Requests of 2023 to 2025 as they stood on the day of the extract; a late plan is not yet issued there."""
    r = source.plans.requests
    r = r[r["case_id"].str.startswith("C")].merge(source.plans.persons, on="person").reset_index(drop=True)
    day = np.datetime64(EXTRACTED)
    known = {c: _by(r[c], day) for c in ("decided", "no_plan", "issued")}
    received = r["received"].to_numpy().astype("datetime64[D]")
    left = ((r["decision"] == "pending") & (received < day - 365)).to_numpy()
    outcome = np.where(np.isnat(known["decided"]), "A", np.where(r["decision"] == "refuse", "N", "Y"))
    assessed = outcome == "Y"
    result = np.where(~np.isnat(known["issued"]), "Y", np.where(~np.isnat(known["no_plan"]), "N", "A"))
    issued = assessed & (result == "Y")
    advice = np.where(assessed, known["decided"] + 3, NEVER)
    draft = np.maximum(known["issued"] - 28, advice)
    exception = issued & r["exception"].to_numpy(bool)
    number = r["person"].to_numpy()
    why = np.array(["CLOSURE", "PERSONAL", "ABSENCE", "APPOINTMENT"], dtype=object)[spread(number, 91, 4)]
    columns = {
        "case_id": r["case_id"],
        "person_id": r["person"].map(source.identities),
        "request_received_date": iso(received),
        "request_source": np.array(list("1112222345"), dtype=object)[spread(number, 92, 10)],
        "request_outcome": np.where(left, "W", outcome),
        "request_outcome_date": iso(known["decided"]),
        "advice_requested_date": iso(advice),
        "draft_plan_date": np.where(issued, iso(draft), ""),
        "assessment_outcome": np.where(assessed, result, ""),
        "plan_issued_date": np.where(issued, iso(known["issued"]), ""),
        "no_plan_notified_date": iso(known["no_plan"]),
        "exception_applies": np.where(issued, np.where(exception, "1", "0"), ""),
        "exception_reason": np.where(exception, why, ""),
        "transferred_in_la": "",
        "ceased_before_decision_date": np.where(left, iso(received + 60 + spread(number, 93, 90)), ""),
        "sex": r["sex"],
        "ethnicity": r["ethnicity"],
        "lsoa21cd": r["lsoa21"],
    }
    return {"ehc_cases": _finished(columns, ("2023-01-01", "2025-12-31"), r.index)}


def _by(column: pd.Series, day: np.datetime64) -> NDArray:
    """Dates up to a day; later ones are not known yet."""
    dates = column.to_numpy().astype("datetime64[D]")
    return np.where(dates <= day, dates, NEVER)


def annual_reviews(source: Source) -> Tables:
    """Reviews of calendar 2025 of plans that stood at its end: the same meetings and letters as in SEN2 2026."""
    year = int(censuses()[-1].year)
    r = rows_of(source.plans, year)
    r = r[r["active"] & (r["transfer"] == "")].reset_index(drop=True)
    meeting, letter, outcome = reviews(r["person"].to_numpy(), year)
    before, previous, _ = reviews(r["person"].to_numpy(), year - 1)
    start = r["start"].to_numpy().astype("datetime64[D]")
    keep = start < meeting - 180
    first = start >= before - 180
    previous = np.where(first, NEVER, previous)
    due = pd.Series(np.where(first, start, previous)) + pd.DateOffset(years=1)
    amended = outcome == "A"
    final = np.where(amended, letter + 30 + spread(r["person"].to_numpy(), 94, 80), NEVER)
    change_due, change_final = phase_changes(r, year)
    kind = r["year_group"].map({g: k for g, (k, _) in PHASE_CHANGES.items()}).fillna("")
    columns = {
        "plan_id": np.char.mod("P%07d", r["person"].to_numpy()),
        "person_id": r["person"].map(source.identities),
        "plan_first_issued_date": iso(start),
        "previous_review_decision_date": iso(previous),
        "review_due_date": iso(due),
        "review_meeting_date": iso(meeting),
        "review_outcome": outcome,
        "decision_sent_date": iso(letter),
        "amendment_proposed_date": np.where(amended, iso(letter), ""),
        "final_amended_plan_date": iso(_by(pd.Series(final), np.datetime64(EXTRACTED))),
        "phase_transfer_type": np.where(np.isnat(change_due), "", kind),
        "phase_transfer_due_date": iso(change_due),
        "phase_transfer_final_date": iso(change_final),
        "sex": r["sex"],
        "ethnicity": r["ethnicity"],
        "primary_need": r["need1"],
        "lsoa21cd": r["home"],
    }
    frame = _finished(columns, (f"{year - 1}-01-01", f"{year - 1}-12-31"), r.index)
    return {"annual_reviews": frame[keep].reset_index(drop=True)}


def disputes(source: Source) -> Tables:
    """Mediation and appeals after decisions of 2023 to 2025: three in ten refusals, one in twenty plans."""
    cases = ehc_cases(source)["ehc_cases"]
    kinds = (
        ("ASSESS", "request_outcome_date", cases["request_outcome"] == "N", 0.3),
        ("ISSUE", "no_plan_notified_date", cases["assessment_outcome"] == "N", 0.3),
        ("CONTENT", "plan_issued_date", cases["assessment_outcome"] == "Y", 0.05),
    )
    number = cases["case_id"].str.slice(1).astype("int64").to_numpy()
    parts = []
    for kind, column, rows, share in kinds:
        chosen = (rows & (cases[column] < "2025-12-01")).to_numpy() & (chance(number, 95) < share)
        parts.append(cases[chosen].assign(kind=kind, letter=cases.loc[chosen, column]))
    r = pd.concat(parts, ignore_index=True)
    number = r["case_id"].str.slice(1).astype("int64").to_numpy()
    letter = np.array(r["letter"], dtype="datetime64[D]")
    contact, held, appeals = letter + 14, chance(number, 96) < 0.6, chance(number, 97) < 0.5
    registered = np.where(appeals, letter + 35 + spread(number, 98, 24), NEVER)
    registered = _by(pd.Series(registered), np.datetime64(EXTRACTED))
    appeals = ~np.isnat(registered)
    closed = _by(pd.Series(registered + 120 + spread(number, 99, 200)), np.datetime64(EXTRACTED))
    status = np.array(words("CONCEDED CONSENT WITHDRAWN UPHELD UPHELD UPHELD DISMISSED"), dtype=object)
    status = np.where(np.isnat(closed), "OPEN", status[spread(number, 100, len(status))])
    ordered = np.where(status == "UPHELD", closed + 35, NEVER)
    columns = {
        "dispute_id": np.char.mod("D%06d", np.arange(1, len(r) + 1)),
        "person_id": r["person_id"],
        "case_id": r["case_id"],
        "decision_type": r["kind"],
        "decision_letter_date": iso(letter),
        "mediation_contact_date": iso(contact),
        "mediation_certificate_date": iso(contact + 7),
        "mediation_held": np.where(held, "1", "0"),
        "mediation_date": np.where(held, iso(contact + 30), ""),
        "mediation_agreed": np.where(held, np.array(list("0012"), dtype=object)[spread(number, 101, 4)], ""),
        "appeal_registered_date": iso(registered),
        "extended_appeal": np.where(appeals, np.where(chance(number, 102) < 0.2, "1", "0"), ""),
        "appeal_status": np.where(appeals, status, ""),
        "outcome_date": iso(closed),
        "order_due_date": iso(ordered),
        "order_done_date": iso(_by(pd.Series(ordered - 5), np.datetime64(EXTRACTED))),
        "sex": r["sex"],
        "ethnicity": r["ethnicity"],
        "lsoa21cd": r["lsoa21cd"],
    }
    return {"disputes": _finished(columns, ("2023-01-01", "2025-12-31"), r.index)}


def exclusions(source: Source) -> Tables:
    """Suspensions and permanent exclusions of 2024/25; pupils with SEN are three times as likely to be suspended."""
    rows = source.census(1)
    number, sen = rows["number"].to_numpy(), (rows["sen_provision"] != "N").to_numpy()
    likely = np.where(rows["age"] >= 11, 0.05, 0.006) * np.where(sen, 3.0, 1.0)
    events = np.where(chance(number, 111) < likely, 1 + spread(number, 112, 3), 0)
    r = rows.loc[rows.index.repeat(events)]
    order = r.groupby(level=0).cumcount().to_numpy()
    key = r["number"].to_numpy() * 4 + order
    permanent = (order == 2) & (chance(key, 113) < 0.15)
    day = np.datetime64("2024-09-05") + order * 95 + spread(key, 114, 80)
    second = np.where(chance(key, 115) < 0.2, _REASONS[spread(key, 116, len(_REASONS))], "")
    first = _REASONS[spread(key, 117, len(_REASONS))]
    columns = {
        "event_id": np.char.mod("X%07d", np.arange(1, len(r) + 1)),
        "person_id": r["person_id"],
        "school_urn": urns(r["school_urn"]),
        "start_date": iso(day),
        "sessions": np.where(permanent, "", (2 + spread(key, 118, 9)).astype("<U2")),
        "category": np.where(permanent, "PERM", "SUSP"),
        "reason1": first,
        "reason2": np.where(second == first, "", second),
        "reason3": "",
        "sen_provision_at_event": r["sen_provision"].astype("str"),
        "cla_at_event": np.where(chance(r["number"].to_numpy(), 119) < 0.02, "1", "0"),
        "ap_from_day6": np.where(permanent, "1", "0"),
    }
    context = {c: v for c, v in _context(r).items() if c != "sen_provision"}
    return {"exclusions": _finished(columns | context, ("2024-09-01", "2025-08-31"), r.index)}


def absence(source: Source) -> Tables:
    """Sessions of 2024/25 for pupils aged 5 to 15, one row each: possible, authorised and unauthorised."""
    rows = source.census(1)
    rows = rows[rows["age"].between(5, 15)].reset_index(drop=True)
    number, sen = rows["number"].to_numpy(), (rows["sen_provision"] != "N").to_numpy()
    possible = 380 - np.where(spread(number, 121, 20) == 0, spread(number, 122, 200), 0)
    missed = 0.12 * chance(number, 123) ** 1.3 * np.where(sen, 1.7, 1.0) + (chance(number, 124) < 0.02) * 0.5
    gone = np.minimum(np.rint(possible * missed), possible).astype("int64")
    unauthorised = (gone * chance(number, 125) * 0.6).astype("int64")
    columns = {
        "person_id": rows["person_id"],
        "school_urn": urns(rows["school_urn"]),
        "academic_year": censuses()[1].time_period,
        "terms": "FULL",
        "sessions_possible": possible,
        "sessions_authorised": gone - unauthorised,
        "sessions_unauthorised": unauthorised,
        "part_timetable": np.where(sen & (chance(number, 126) < 0.02), "1", "0"),
    }
    return {"absence": _finished(columns | _context(rows), ("2024-09-01", "2025-08-31"), rows.index)}


def destinations(source: Source) -> Tables:
    """What those of academic age 16 and 17 did in December to February 2025/26, one row a person and month.

    Persons are the pupils of Year 11 in the two censuses before, wherever they went after.
    """
    parts = []
    for at, age in ((0, 17), (1, 16)):
        rows = source.census(at)
        parts.append(rows[rows["year_group"] == "11"].assign(academic_age=age))
    rows = pd.concat(parts, ignore_index=True).drop_duplicates("number").reset_index(drop=True)
    r = rows.loc[rows.index.repeat(3)].reset_index(drop=True)
    month = np.tile(np.array(["2025-12", "2026-01", "2026-02"], dtype=object), len(rows))
    number, sen = r["number"].to_numpy(), (r["sen_provision"] != "N").to_numpy()
    learning = np.array(words("210 210 210 220 220 230 230 230 310 330"), dtype=object)[spread(number, 131, 10)]
    neither = np.array(words("619 619 615 610 640 810"), dtype=object)[spread(number, 132, 6)]
    out = chance(number, 133) < np.where(sen, 0.12, 0.05)
    provision = r["sen_provision"].astype("str").map({"E": "EHCP", "K": "SENSUP", "N": "NONE"})
    columns = {
        "person_id": r["person_id"],
        "ref_month": month,
        "academic_age": r["academic_age"],
        "academic_year_group": (r["academic_age"] - 4).astype("str"),
        "activity_code": np.where(out, neither, learning),
        "activity_start_date": iso(np.datetime64("2025-09-01") + spread(number, 134, 30)),
        "activity_checked_date": iso(np.datetime64("2025-11-01") + spread(number, 135, 60)),
        "send_flag": provision,
        "primary_need": r["primary_need"].astype("str"),
        "lead_la": LA_NUMBER,
        "sex": r["sex"].astype("str"),
        "ethnicity": r["ethnicity"].astype("str"),
        "lsoa21cd": r["lsoa21"].astype("str"),
    }
    frame = _finished(columns, ("2025-12-01", "2026-02-28"), r.index)
    return {"destinations": frame.assign(extract_date="2026-03-31")}


def ld_health_checks(source: Source) -> Tables:
    """Health checks of 2024/25 of those aged 14 or more on 31 March 2025 with SLD, PMLD or DS and a plan."""
    rows = source.census(1)
    rows = rows[rows["primary_need"].isin(["SLD", "PMLD", "DS"]) & (rows["sen_provision"] == "E")]
    number = rows["number"].to_numpy()
    born = people.birth_dates(number, np.full(len(rows), 2024), rows["age"].to_numpy("int64"))
    month = born.astype("datetime64[M]").astype(int) % 12
    age = 2025 - born.astype("datetime64[Y]").astype(int) - 1970 - (month >= 3)
    rows, number, age = rows[age >= 14].reset_index(drop=True), number[age >= 14], age[age >= 14]
    done, declined = chance(number, 141) < 0.72, chance(number, 141) > 0.93
    offered = np.datetime64("2024-04-15") + spread(number, 142, 200)
    checked = np.where(done, offered + spread(number, 143, 100), NEVER)
    plan = done & (chance(number, 144) < 0.8)
    columns = {
        "person_id": rows["person_id"],
        "financial_year": "202425",
        "age_31mar": age,
        "on_ld_register": np.where(chance(number, 145) < 0.85, "1", "0"),
        "check_offered_date": iso(offered),
        "check_done_date": iso(checked),
        "check_declined": np.where(declined, "1", "0"),
        "action_plan_date": np.where(plan, iso(checked + 5), ""),
        "action_plan_declined": np.where(done & ~plan, "1", "0"),
        "gp_practice_code": np.char.mod("X99%03d", spread(number, 146, 8)),
        "sub_icb_code": "X99",
    }
    return {"ld_health_checks": _finished(columns | _context(rows), ("2024-04-01", "2025-03-31"), rows.index)}


def short_breaks(source: Source) -> Tables:
    """Short breaks of 2024/25 for one in four children with a plan: what was offered, taken, or waited for."""
    rows = source.census(1)
    rows = rows[(rows["sen_provision"] == "E").to_numpy() & (chance(rows["number"].to_numpy(), 151) < 0.25)]
    rows = rows.reset_index(drop=True)
    number = rows["number"].to_numpy()
    service = np.array(words("DAY EVENING HOLIDAY HOLIDAY OVERNIGHT DOMICILIARY DIRECT_PAYMENT COMMUNITY_GROUP"))
    service = service[spread(number, 152, len(service))]
    unit = np.where(service == "OVERNIGHT", "NIGHTS", np.where(service == "EVENING", "SESSIONS", "HOURS"))
    waiting = chance(number, 153) < 0.15
    offered = np.where(waiting, 0, 10 + spread(number, 154, 60))
    taken = (offered * (0.5 + 0.5 * chance(number, 155))).astype("int64")
    route = np.array(words("UNIVERSAL TARGETED TARGETED SPECIALIST"))[spread(number, 156, 4)]
    columns = {
        "person_id": rows["person_id"],
        "service_code": service,
        "access_route": np.where(service == "OVERNIGHT", "SPECIALIST", route),
        "assessed_need": np.where(route == "UNIVERSAL", "0", "1"),
        "units_offered": offered,
        "units_taken": taken,
        "unit_type": unit,
        "status": np.where(waiting, "WAITING", np.where(chance(number, 157) < 0.1, "ENDED", "ACTIVE")),
        "waiting_since": np.where(waiting, iso(np.datetime64("2024-06-01") + spread(number, 158, 250)), ""),
    }
    return {"short_breaks": _finished(columns | _context(rows), ("2024-04-01", "2025-03-31"), rows.index)}


EXTRACTS: dict[str, Callable[[Source], Tables]] = {
    "ehc_cases": ehc_cases,
    "annual_reviews": annual_reviews,
    "disputes": disputes,
    "exclusions": exclusions,
    "absence": absence,
    "destinations": destinations,
    "ld_health_checks": ld_health_checks,
    "short_breaks": short_breaks,
    "survey": lambda source: survey(source.area.survey),
}
