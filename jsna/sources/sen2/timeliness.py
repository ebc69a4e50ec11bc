"""From a SEN2 return to the published measures of timeliness, the caseload, the backlog, and a case list."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from jsna.codes import code_list
from jsna.files.result import Loaded, Summary, together
from jsna.sources.sen2.joins import by_key, plans, text_by
from jsna.sources.sen2.persons import NOT_OBTAINED, UNKNOWN_SEX
from jsna.sources.sen2.read import Sen2

LIMIT_DAYS = 140
YEAR_DAYS = 365
OLDEST = 26
DECISIONS = {"Y": "assess", "N": "refuse", "A": "pending", "W": "withdrawn", "H": "assess"}
COUNTS = (
    "plans_issued_den",
    "plans_issued_den_ex",
    "plans_issued_within_20_weeks",
    "plans_issued_20_weeks_ex",
    "gt20weeks_ltYear",
    "gt_1_year",
    "week20_blank",
    "issue_date_from_plan_start",
)
ISSUE_STATES = ("counted", "transferred in", "no received date", "issued before received")

Frames = Mapping[str, pd.DataFrame]


def plans_issued(frames: Frames, year: int) -> pd.DataFrame:
    """Plans issued in calendar ``year``, one row an assessment: what timeliness counts, and what it leaves out.

    Columns: request_key, person_id, received_date, issued_date, days (nullable), within_20_weeks (at most 140 days),
    exception (nullable), from_plan_start (the day of the outcome is blank and the plan's start was taken), state
    ("counted", or why not). Assessments with an outcome other than Y, and plans agreed and not issued, are not there.

    The start of the plan stands in only where there is no day of outcome and nobody moved in: a plan that moved in
    keeps the start it had elsewhere. 140 days count as within the limit: published rules do not say it of the day.
    """
    assessment = frames["assessment"]
    assessment = assessment.loc[assessment["assessment_outcome"] == "Y"]
    requests = frames["requests"].set_index("request_key")
    named = frames["namedplan"].dropna(subset=["assessment_key"]).drop_duplicates("assessment_key")
    start = by_key(assessment["assessment_key"], named.set_index("assessment_key")["start_date"])
    active = frames["activeplans"]
    moved_in = assessment["request_key"].isin(active.loc[active["transfer_la"] != "", "request_key"].dropna())
    outcome = assessment["assessment_outcome_date"]
    from_start = outcome.isna() & start.notna() & ~moved_in
    issued = outcome.where(~from_start, start)
    received = by_key(assessment["request_key"], requests["received_date"])
    days = (issued - received).dt.days.astype("Int64")
    state = pd.Series("counted", index=assessment.index, dtype="str")
    state = state.mask((days < 0).fillna(False).astype("bool"), "issued before received")
    state = state.mask(received.isna(), "no received date").mask(moved_in, "transferred in")
    frame = pd.DataFrame(
        {
            "request_key": assessment["request_key"],
            "person_id": assessment["person_id"],
            "received_date": received,
            "issued_date": issued,
            "days": days,
            "within_20_weeks": days <= LIMIT_DAYS,
            "exception": assessment["week20"],
            "from_plan_start": from_start,
            "state": pd.Categorical(state, ISSUE_STATES),
        }
    )
    return frame.loc[issued.dt.year == year].reset_index(drop=True)


def timeliness(frames: Frames, year: int, by: pd.Series | None = None) -> pd.DataFrame:
    """The published columns of 20-week timeliness for calendar ``year``: one row, or one a group.

    ``by`` gives the group of each person, with ``person_id`` as its index. Denominators are plans issued (all), and
    those with Week20 = 0 (``_ex``): a blank is not 0, so it is in the first only, and counted in ``week20_blank``.
    ``gt20weeks_ltYear`` is 141 to 365 days, ``gt_1_year`` more. ``pc_`` columns are per cent, missing where nothing was
    issued. Plans that moved in, that lack the day of the request, or that precede it are left out.

    Worked by hand: of two plans after 140 and 141 days, both with Week20 = 0, one is within the limit: 50 per cent.
    """
    issued = plans_issued(frames, year)
    issued = issued.loc[issued["state"] == "counted"]
    within = issued["within_20_weeks"].astype("bool")
    without = (issued["exception"] == False).fillna(False).astype("bool")  # noqa: E712
    marks = pd.DataFrame(
        {
            "plans_issued_den": 1,
            "plans_issued_den_ex": without,
            "plans_issued_within_20_weeks": within,
            "plans_issued_20_weeks_ex": within & without,
            "gt20weeks_ltYear": ~within & (issued["days"] <= YEAR_DAYS).astype("bool"),
            "gt_1_year": (issued["days"] > YEAR_DAYS).astype("bool"),
            "week20_blank": issued["exception"].isna(),
            "issue_date_from_plan_start": issued["from_plan_start"],
        },
        index=issued.index,
    ).astype("int64")
    if by is None:
        table = marks.sum().to_frame().T
    else:
        group = text_by(issued["person_id"], by[~by.index.duplicated()].astype("str")).rename("group")
        table = marks.groupby(group).sum().reset_index()
    table.insert(0, "time_period", str(year))
    for share, part, whole in (
        ("pc_plans_issued_within_20_weeks", "plans_issued_within_20_weeks", "plans_issued_den"),
        ("pc_plans_issued_20_weeks_ex", "plans_issued_20_weeks_ex", "plans_issued_den_ex"),
    ):
        table[share] = 100 * table[part] / table[whole].where(table[whole] > 0)
    return table


def caseload(frames: Frames, day: pd.Timestamp) -> pd.DataFrame:
    """People with an active plan on the day of the census: one row a person, under 26 and with a plan not ceased.

    Columns: person_id, age, sex, ethnicity, lsoa21, primary_need, secondary_need ("" where not told), age_known. Plans
    are counted by the table of active plans, never by named plans, which also hold ended ones. A person whose age is
    not known is kept, with ``age_known`` false. Two open plans of one person are one person.
    """
    active = plans(frames)
    person = frames["person"].set_index("person_key")
    ages = by_key(active["person_key"], person["age_census"])
    old = (ages >= OLDEST).fillna(False).astype("bool")
    standing = active.loc[~(active["cease_date"] < day) & ~old & active["person_key"].notna()]
    standing = standing.drop_duplicates("person_id")
    told = person.loc[standing["person_key"], ["person_id", "age", "age_census", "sex", "ethnicity", "lsoa21"]]
    needs = frames["senneed"].loc[frames["senneed"]["sen_type"] != ""].dropna(subset=["activeplan_key"])
    frame = told.reset_index(drop=True)
    for rank, column in ((1, "primary_need"), (2, "secondary_need")):
        ranked = needs.loc[(needs["sen_type_rank"] == rank).fillna(False).astype("bool")]
        by_plan = ranked.drop_duplicates("activeplan_key").set_index("activeplan_key")["sen_type"]
        frame[column] = text_by(standing["activeplan_key"], by_plan).to_numpy()
    frame["age_known"] = frame["age_census"].notna()
    return frame.drop(columns="age_census")


def needs_published(need: pd.Series, *, down_syndrome_apart: bool = False) -> pd.Series:
    """Types of need as published tables of plans have them, Down syndrome within OTH, or with it apart.

    >>> needs_published(pd.Series(["DS", "ASD"])).tolist()
    ['OTH', 'ASD']
    """
    return need if down_syndrome_apart else need.replace("DS", "OTH")


def backlog(frames: Frames, day: pd.Timestamp) -> pd.DataFrame:
    """Cases open on ``day``: request not decided, or assessment agreed and no plan decided or issued. Not published.

    Columns: request_key, person_id, stage ("request" or "assessment"), received_date, days_open (nullable),
    over_20_weeks.
    """
    requests = frames["requests"]
    outcome = (
        frames["assessment"].dropna(subset=["request_key"]).drop_duplicates("request_key").set_index("request_key")
    )
    later = text_by(requests["request_key"], outcome["assessment_outcome"])
    issued = by_key(requests["request_key"], outcome["assessment_outcome_date"]).notna()
    agreed = requests["request_outcome"].isin(["Y", "H"])
    undecided = requests["request_outcome"] == "A"
    # Agreed and without a day of issue: the plan is still being written.
    in_hand = agreed & ((later == "A") | ((later == "Y") & ~issued))
    left = requests["exported"] != ""
    rows = requests.loc[(undecided | in_hand) & ~left]
    days = (day - rows["received_date"]).dt.days.astype("Int64")
    frame = pd.DataFrame(
        {
            "request_key": rows["request_key"],
            "person_id": rows["person_id"],
            "stage": pd.Categorical(undecided[rows.index].map({True: "request", False: "assessment"})),
            "received_date": rows["received_date"],
            "days_open": days,
            "over_20_weeks": (days > LIMIT_DAYS).astype("boolean"),
        }
    )
    return frame.reset_index(drop=True)


def cases(*returns: Sen2) -> Loaded:
    """Requests of the returns' calendar years as the case list that the chapters use; one row a request.

    Columns: case_id, pupil_id (the pseudonym), date_requested, decision (assess, refuse, pending, withdrawn),
    date_decided, plan_issued, date_issued, exception (nullable), weeks_to_issue, sex, ethnicity, age (31 August before
    the academic year of the census).

    A return tells the whole story of one calendar year: requests received in it, and plans issued in it (whose request
    may be older). Older requests of which nothing happened in the year are left out, because only those with a plan
    are still in a return: counting them would show earlier years as kinder than they were. Where several returns tell
    of one request, the newest is taken, with the day of the decision from whichever has it. Plans that moved in, and
    requests without their day, are left out and counted.
    """
    newest = sorted(returns, key=lambda r: r.year, reverse=True)
    parts = [_cases_of(r) for r in newest]
    everything = pd.concat(parts, ignore_index=True)
    # Requests whose person is not known are not one another's.
    named, same = everything["pupil_id"] != "", ["pupil_id", "date_requested"]
    # A return leaves out the day of a decision that an earlier one has told (H).
    days = everything[named].groupby(same)["date_decided"].transform("first")
    everything["date_decided"] = everything["date_decided"].fillna(days)
    again = everything.duplicated(same) & named
    kept = everything.loc[~again]
    kept = kept.sort_values(["date_requested", "pupil_id"], kind="stable", ignore_index=True)
    kept.insert(0, "case_id", [f"C{n:07d}" for n in range(1, len(kept) + 1)])
    kept["sex"] = pd.Categorical(kept["sex"], list(code_list("sex").index))
    kept["ethnicity"] = pd.Categorical(kept["ethnicity"], list(code_list("ethnicity").index))
    years = [r.year - 1 for r in newest]
    told = f"{len(everything) - len(kept):,} requests stand in several returns (or twice in one); each counts once."
    summary = Summary(
        source="EHC cases from SEN2",
        file=", ".join(dict.fromkeys(r.tables["requests"].summary.file.removesuffix(", requests") for r in newest)),
        period=f"{min(years)} to {max(years)}",
        rows_read=len(kept),
        rows_kept=len(kept),
        rows_refused=0,
        sha256=newest[0].tables["requests"].summary.sha256,
        publisher="The local authority",
        licence="Not for publication",
        notes=(
            *(_left_out(r) for r in newest),
            told,
            "Requests of other years are there only with a plan issued since.",
        ),
    )
    return Loaded(kept, together([]), summary)


def _cases_of(sen2: Sen2) -> pd.DataFrame:
    requests, year = sen2.frame("requests"), sen2.year - 1
    issued = plans_issued(sen2.frames, year)
    issued = issued.loc[issued["state"] == "counted"].drop_duplicates("request_key").set_index("request_key")
    key = requests["request_key"]
    date_issued = by_key(key, issued["issued_date"])
    person = sen2.frame("person").set_index("person_key")
    frame = pd.DataFrame(
        {
            "pupil_id": requests["person_id"],
            "date_requested": requests["received_date"],
            "decision": pd.Categorical(
                requests["request_outcome"].map(DECISIONS), ["assess", "refuse", "pending", "withdrawn"]
            ),
            "date_decided": requests["request_outcome_date"],
            "plan_issued": date_issued.notna(),
            "date_issued": date_issued,
            "exception": by_key(key, issued["exception"]),
            "weeks_to_issue": (by_key(key, issued["days"]).astype("float64") / 7).round(1),
            "sex": text_by(requests["person_key"], person["sex"]).replace("", UNKNOWN_SEX),
            "ethnicity": text_by(requests["person_key"], person["ethnicity"]).replace("", NOT_OBTAINED),
            "age": by_key(requests["person_key"], person["age"]),
        }
    )
    return frame.loc[_told(sen2, date_issued)]


def _told(sen2: Sen2, date_issued: pd.Series) -> pd.Series:
    """Requests of which the return tells the whole: received in its calendar year, or issued in it; not moved in."""
    requests, active = sen2.frame("requests"), sen2.frame("activeplans")
    moved = requests["request_key"].isin(active.loc[active["transfer_la"] != "", "request_key"].dropna())
    this_year = (requests["received_date"].dt.year == sen2.year - 1).fillna(False)
    return (this_year | date_issued.notna()) & ~moved & requests["received_date"].notna()


def _left_out(sen2: Sen2) -> str:
    requests, active = sen2.frame("requests"), sen2.frame("activeplans")
    moved = int(requests["request_key"].isin(active.loc[active["transfer_la"] != "", "request_key"].dropna()).sum())
    issued = plans_issued(sen2.frames, sen2.year - 1)["state"].value_counts()
    return (
        f"Return of {sen2.year}: {moved:,} requests with a plan that moved in are left out, "
        f"{int(requests['received_date'].isna().sum()):,} without the day they were received, and of the plans issued "
        f"{int(issued.get('issued before received', 0)):,} that precede their request."
    )
