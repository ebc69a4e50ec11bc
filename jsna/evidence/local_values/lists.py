"""What an authority's operational lists count, by period and SEN provision: from ``jsna.evidence.operational``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from jsna.errors import WorkbenchError
from jsna.evidence import operational as op
from jsna.evidence.local_values.counts import (
    GROUPS,
    Tally,
    counted,
    cut_years,
    of_assessments,
    tally,
    together,
    whole_years,
    with_sums_of_groups,
)
from jsna.evidence.local_values.specification import names_of, question_of, who_of
from jsna.local import VOICE_LISTS, joined
from jsna.sealed import Sealed
from jsna.sources.extracts import Extract, with_questions
from jsna.sources.extracts.survey import question_table

WINTER = ("12", "01", "02")
FLAGS = {"NONE": "no_sen", "SENSUP": "sen_support", "EHCP": "ehc_plan"}
NOT_SAID = "The list does not say which days it covers, so no year is known to be whole."
SAY_PERIOD = "Add the columns period_start and period_end."
NOT_JOINED = "Pupils are counted in a warehouse, so that the list cannot be joined to them."
BY_ALL = "Pupils are counted in a warehouse, so that the list is not told by SEN provision."
JOIN = "Name the School Census under pupils: in the place of engine:."
CUT = "{years}: left out, for the list covers only a part."


def of_lists(extracts: Sequence[Extract], pupils: pd.DataFrame | None) -> Tally:
    """Counts of every list that was brought. ``pupils``: the pupil table, for the groups and for who is on roll; None
    where pupils are counted elsewhere, so that no list can be joined to them.

    What a list cannot answer (a year that it covers in part, a school year whose census is not there) is told in
    ``missing``, and does not stop the others.
    """
    by_kind: dict[str, list[Extract]] = {}
    for extract in extracts:
        by_kind.setdefault(extract.kind, []).append(extract)
    for kind in (k for k in VOICE_LISTS if len(by_kind.get(k, ())) > 1):
        one = by_kind[kind]
        by_kind[kind] = [replace(one[0], loaded=joined([e.loaded for e in one]))]
    made = [_of_kind(kind, by_kind, pupils) for kind in READ if kind in by_kind]
    read = [e.loaded.summary for kind in (*READ, "survey_questions") for e in by_kind.get(kind, ())]
    return together([*made, tally([], sources=read)])


def _of_kind(kind: str, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    parts = []
    for extract in by_kind[kind]:
        try:
            parts.append(READ[kind](extract, by_kind, pupils))
        except WorkbenchError as error:
            reasons = " ".join(p.what for p in error.problems)
            parts.append(tally([], [(BRINGS.get(kind, kind), "", reasons, error.problems[0].mend)]))
    return together(parts)


def _years(extract: Extract, brings: str) -> tuple[list[int], list[tuple[str, str, str, str]]]:
    """The whole years of a list, and what is to be said of the others."""
    period = extract.loaded.summary.period
    years, cut = whole_years(period), cut_years(period)
    told = [(brings, "", CUT.format(years=", ".join(map(str, cut))), "Export whole years.")] if cut else []
    return years, told if years or cut else [(brings, "", NOT_SAID, SAY_PERIOD)]


def _assessments(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    years, told = _years(extract, "assessments")
    return together([of_assessments(extract.loaded.frame, extract.loaded.summary.file, years), tally([], told)])


def _reviews(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    years, told = _years(extract, "reviews")
    made = {str(y): (y, op.annual_reviews(extract.loaded.frame, [], y)) for y in years}
    # The stock of plans is of the day of the list: it belongs to the newest year alone.
    newest = str(max(years)) if years else ""
    parts = [
        _named(
            extract, "reviews", period, year, sealed, leave_out=() if period == newest else ("reviewed_in_12_months",)
        )
        for period, (year, sealed) in made.items()
    ]
    return tally(parts, told)


def _disputes(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    years, told = _years(extract, "disputes")
    frame = extract.loaded.frame
    parts = [_named(extract, "disputes", str(y), y, op.disputes(frame, [], y), over="module") for y in years]
    lists = {kind: by_kind.get(kind, []) for kind in ("ehc_cases", "annual_reviews")}
    if all(lists.values()):
        cases, reviews = (
            pd.concat([e.loaded.frame for e in lists[k]], ignore_index=True) for k in ("ehc_cases", "annual_reviews")
        )
        both = set(years).intersection(*(whole_years(e.loaded.summary.period) for k in lists for e in lists[k]))
        for year in sorted(both):
            decisions = op.appealable_decisions(cases, reviews, [], year)
            parts.append(_named(extract, "disputes", str(year), year, op.appeal_rate(frame, decisions, [], year)))
    else:
        reason = "The rate of appeals needs the decisions that can be appealed."
        told.append(("disputes", "appeal_rate", reason, "Name lists ehc_cases and annual_reviews under extracts:."))
    return tally(parts, told)


def _exclusions(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    if pupils is None:
        return tally([], [("exclusions", "", NOT_JOINED, JOIN)])
    parts, told = [], []
    for period in _school_years(extract):
        roll = _census(pupils, period)
        if roll.empty:
            reason = f"The School Census of January {_ends(period)} is not there, so nobody is known to be on roll."
            told.append(("exclusions", "", reason, "Name it under pupils:."))
            continue
        events = op.join_groups(extract.loaded.frame, roll, ["sen_provision"])
        sealed = op.suspensions(events, roll, ["sen_provision"], period)
        parts.append(
            _named(extract, "exclusions", _split(period), _ends(period), sealed, by="sen_provision", names=GROUPS)
        )
    return tally(parts, told or _no_school_year(extract, "exclusions", parts))


def _absence(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    rows, parts, told = extract.loaded.frame, [], []
    if pupils is None and "sen_provision" not in rows:
        told.append(("absence", "", BY_ALL, JOIN))
    for period in sorted(rows["academic_year"].dropna().unique()):
        here = rows[(rows["academic_year"] == period) & (rows["terms"] == "FULL")]
        if here.empty:
            reason = f"{_split(period)}: the list covers some terms only."
            told.append(("absence", "", reason, "Bring the terms FULL, which published figures of a year are of."))
            continue
        roll = None if pupils is None else _census(pupils, str(period))
        if roll is not None and len(roll):
            here = op.join_groups(here, roll, ["sen_provision"])
        by = "sen_provision" if "sen_provision" in here else ""
        sealed = op.absence(here, [by] if by else [], "FULL")
        parts.append(_named(extract, "absence", _split(period), _ends(period), sealed, by=by, names=GROUPS))
    return tally(parts, told)


def _absence_from_counts(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    rows = extract.loaded.frame
    rows = rows[rows["group_type"].str.casefold().isin(["sen_provision", "sen provision"])]
    rows = rows.assign(group=rows["group"].astype("str").str.upper())
    if rows.empty or "absence" in by_kind:
        return tally([])
    frame = op.absence_from_counts(rows, "FULL").unseal("to add up groups")
    parts = [
        _named(
            extract,
            "absence",
            _split(period),
            _ends(period),
            Sealed(part, counts=("numerator", "denominator")),
            by="group",
        )
        for period, part in frame.groupby("academic_year")
    ]
    return tally(parts)


def _destinations(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    """The mean of December, January and February: each person stands in up to three months."""
    rows = extract.loaded.frame
    frame = op.destinations(rows, ["send_flag"]).unseal("to take the mean of three months")
    frame = frame.assign(month=frame["ref_month"].str[5:7], end=frame["ref_month"].str[:4].astype("int64"))
    frame["end"] += frame["month"] == "12"
    frame = frame[frame["month"].isin(WINTER)]
    parts, told = [], []
    for end, winter in frame.groupby("end"):
        if winter["month"].nunique() < len(WINTER):
            reason = f"Winter that ends in {end}: not all of December, January and February are in the list."
            told.append(("destinations", "", reason, "Bring the three months, whose mean is the published figure."))
            continue
        sums = winter.groupby(["measure", "send_flag"])[["numerator", "denominator"]].sum()
        mean = (sums / len(WINTER)).round().astype("int64").reset_index()
        sealed = Sealed(_both(mean), counts=("numerator", "denominator"))
        parts.append(_named(extract, "destinations", str(end), int(end), sealed, by="send_flag", names=FLAGS))
    return tally(parts, told)


def _both(mean: pd.DataFrame) -> pd.DataFrame:
    """With the sum of education and training, which no month holds of its own."""
    two = mean[mean["measure"].isin(["in_education", "in_training"])]
    total = two.groupby("send_flag").agg(numerator=("numerator", "sum"), denominator=("denominator", "max"))
    return pd.concat([mean, total.reset_index().assign(measure="in_education_or_training")], ignore_index=True)


def _health_checks(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    measure = op.health_checks if extract.kind == "ld_health_checks" else op.health_checks_from_counts
    if extract.kind != "ld_health_checks" and "ld_health_checks" in by_kind:
        return tally([])
    frame = measure(extract.loaded.frame, []).unseal("to part the financial years")
    parts = [
        _named(extract, "ld_health_checks", _split(p), _ends(p), Sealed(part, counts=("numerator", "denominator")))
        for p, part in frame.groupby("financial_year")
    ]
    return tally(parts)


def _short_breaks(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    """Of pupils with an EHC plan in the census of the list's financial year: it ends in the March after."""
    if pupils is None:
        return tally([], [("short_breaks", "", NOT_JOINED, JOIN)])
    rows, parts, told = extract.loaded.frame, [], []
    ends = (rows["period_end"].dt.year + (rows["period_end"].dt.month > 3)).astype("Int64")
    for end, part in rows.groupby(ends):
        able = _census(pupils, f"{int(end) - 1}{int(end) % 100:02d}")
        able = able[able["sen_provision"].astype("str") == "E"] if len(able) else able
        if able.empty:
            reason = f"The School Census of January {end} is not there, so who could have a short break is not known."
            told.append(("short_breaks", "", reason, "Name it under pupils:."))
            continue
        sealed = op.short_breaks(part, able, [])
        parts.append(_named(extract, "short_breaks", f"{int(end) - 1}/{int(end) % 100:02d}", int(end), sealed))
    return tally(parts, told)


def _survey(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    questions = by_kind.get("survey_questions", [])
    if not questions:
        reason = "Answers without their questions: which of them are positive is not known."
        return tally([], [("survey", "", reason, "Name survey_questions under extracts:.")])
    answers = with_questions(extract, questions[0])
    table = question_table(questions[0])
    frame = op.survey(answers.loaded.frame, table, None, []).unseal("to part the questions")
    frame = frame[frame["measure"] == "positive"]
    frame = frame.assign(question_id=frame["question_id"].map(question_of))
    keys = ["wave", "question_id", "respondent_type"]
    rows = frame.groupby(keys)[["numerator", "denominator"]].sum().reset_index()
    parts = [
        counted(
            "survey",
            extract.loaded.summary.file,
            f"{pd.Timestamp(f'{r.wave}-01'):%B %Y}",
            int(str(r.wave)[:4]),
            {f"{r.question_id}: positive": r.numerator, f"{r.question_id}: answered": r.denominator},
            who_of(str(r.respondent_type)),
        )
        for r in rows.itertuples()
    ]
    return tally(parts)


def _audits(extract: Extract, by_kind: Mapping[str, list[Extract]], pupils: pd.DataFrame | None) -> Tally:
    """Audited plans by round; a round that may have no percentage is left out, and says why."""
    # The room of voices asks this one what questions are called: they need one another.
    from jsna.evidence.voice.audits import counts, rounds

    told = counts(extract.loaded.frame).set_index("period")
    parts, missing = [], []
    for one in rounds(extract.loaded.frame):
        if one.refusal:
            mend = "See docs/plan-audit.md."
            missing.append(("plan_audits", "", f"Round {one.name}: {one.refusal}", mend))
            continue
        numbers = told.loc[one.name, ["good", "graded", "child_view", "view_looked_for"]].to_dict()
        parts.append(counted("plan_audits", extract.loaded.summary.file, one.name, one.year, numbers))
    return tally(parts, missing)


def _named(
    extract: Extract,
    brings: str,
    period: str,
    year: int,
    sealed: Sealed,
    *,
    by: str = "",
    names: Mapping[str, str] = GROUPS,
    over: str = "",
    leave_out: Sequence[str] = (),
) -> pd.DataFrame:
    """Counts of measures by the names that ``local_values.yml`` gives them; ``over`` is added up, ``by`` kept."""
    frame = sealed.unseal("to name numerators and denominators")
    frame = frame[~frame["measure"].isin(leave_out)]
    named = names_of(brings)
    frame = frame[frame["measure"].isin(named)]
    group = frame[by].astype("str").map(names).fillna("not_known") if by else pd.Series("all", index=frame.index)
    if over:
        group = pd.Series("all", index=frame.index)
    sides = [
        pd.DataFrame({"count": frame["measure"].map(lambda m, i=i: named[m][i]), "group": group, "number": frame[side]})
        for i, side in enumerate(("numerator", "denominator"))
    ]
    long = pd.concat([side.assign(measure=frame["measure"], over=frame[over] if over else "") for side in sides])
    # One name may be the denominator of several measures, and the numerator of another: it counts once.
    long = long.groupby(["count", "group", "over", "measure"])["number"].sum().reset_index()
    long = long.groupby(["count", "group", "over"])["number"].max().reset_index()
    long = long.groupby(["count", "group"])["number"].sum().reset_index()
    if by:
        long = with_sums_of_groups(long, ["count"])
    return long.assign(brings=brings, file=extract.loaded.summary.file, period=period, year=year)


def _census(pupils: pd.DataFrame, period: str) -> pd.DataFrame:
    here = pupils[pupils["time_period"].astype("str") == period]
    return here.drop_duplicates("pupil_id")[["pupil_id", "sen_provision"]]


def _school_years(extract: Extract) -> list[str]:
    """School years that the list covers whole, such as 202425."""
    frame = extract.loaded.frame
    ends = [frame[c].dropna() for c in ("period_start", "period_end") if c in frame]
    if len(ends) < 2 or not all(map(len, ends)):
        return []
    first, last = ends[0].min(), ends[1].max()
    begins = range(first.year, last.year + 1)
    # A list may end with term, or with July: nobody is suspended in August.
    whole = [y for y in begins if first <= pd.Timestamp(y, 9, 1) and last >= pd.Timestamp(y + 1, 7, 15)]
    return [f"{y}{(y + 1) % 100:02d}" for y in whole]


def _no_school_year(extract: Extract, brings: str, parts: Iterable[pd.DataFrame]) -> list[tuple[str, str, str, str]]:
    period = extract.loaded.summary.period or "no days that it names"
    said = f"The list covers no whole school year ({period})."
    return [] if list(parts) else [(brings, "", said, SAY_PERIOD)]


def _ends(period: str) -> int:
    return 2000 + int(str(period)[4:6])


def _split(period: str) -> str:
    return f"{str(period)[:4]}/{str(period)[4:6]}"


BRINGS = {"ehc_cases": "assessments", "annual_reviews": "reviews", "survey_responses": "survey"}
READ: dict[str, Callable[[Extract, Mapping[str, list[Extract]], pd.DataFrame | None], Tally]] = {
    "ehc_cases": _assessments,
    "annual_reviews": _reviews,
    "disputes": _disputes,
    "exclusions": _exclusions,
    "absence": _absence,
    "absence_aggregate": _absence_from_counts,
    "destinations": _destinations,
    "ld_health_checks": _health_checks,
    "ld_health_checks_aggregate": _health_checks,
    "short_breaks": _short_breaks,
    "survey_responses": _survey,
    "plan_audits": _audits,
}
