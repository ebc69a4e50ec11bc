"""What an authority's own records count, by source and period: pupils, requests, assessments and plans.

A tally holds true numbers of children: it is for calculation alone, and goes through the gate before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from jsna.counts import CELL_KEY, NEEDS
from jsna.counts.question import Question
from jsna.evidence.operational import limit
from jsna.files.result import Loaded, Summary
from jsna.roll import Roll
from jsna.sealed import Sealed
from jsna.sources.sen2.read import Sen2
from jsna.sources.sen2.timeliness import caseload, needs_published

COLUMNS = ("brings", "period", "year", "file", "group", "count", "number")
MISSING = ("brings", "measure", "reason", "mend")
GROUPS = {"N": "no_sen", "K": "sen_support", "E": "ehc_plan"}
WITHOUT_PLACE = ("NEET", "NIEC", "NIEO", "OLA", "OPA")
GROUPS_OF_ALL_SEN = ("sen_support", "ehc_plan")
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
COLD_START = (
    "{years}: left out. Plans of that time that were asked for before the list begins are not in it, so that the time "
    "they took would look shorter than it was."
)


@dataclass(frozen=True)
class Tally:
    """Sealed counts of some sources: one row a source (``brings``), period, group and ``count`` (its name).

    ``number`` holds them. ``missing`` says which periods and measures were left out, and why; ``sources`` are the
    summaries of what was read.
    """

    counts: Sealed
    missing: pd.DataFrame
    sources: tuple[Summary, ...] = field(default=())


def tally(
    parts: Sequence[pd.DataFrame], missing: Iterable[Sequence[str]] = (), sources: Iterable[Summary] = ()
) -> Tally:
    """Parts with the columns ``COLUMNS`` as one tally; none where there are none."""
    frame = pd.concat([p for p in parts if len(p)] or [_none()], ignore_index=True)
    return Tally(
        Sealed(frame[list(COLUMNS)], counts=("number",)),
        pd.DataFrame(list(missing), columns=list(MISSING)),
        tuple(sources),
    )


def together(tallies: Sequence[Tally]) -> Tally:
    """Tallies of several sources as one; of a source and period that two files tell of, the first is taken."""
    frame = pd.concat([t.counts.unseal("to put sources side by side") for t in tallies] or [_none()], ignore_index=True)
    missing = [row for t in tallies for row in t.missing.itertuples(index=False, name=None)]
    first = frame.groupby(["brings", "period", "count", "group"])["file"].transform("first")
    again = frame[frame["file"] != first].drop_duplicates(["brings", "period", "file"])
    missing += [
        (row.brings, "", f"{row.period} stands in {row.file} too, which is not used.", "Bring each period once.")
        for row in again.itertuples()
    ]
    sources = dict.fromkeys(s for t in tallies for s in t.sources)
    return tally([frame[frame["file"] == first]], missing, sources)


def counted(
    brings: str, file: str, period: str, year: int, numbers: Mapping[str, float], group: str = "all"
) -> pd.DataFrame:
    """Counts of one source, file, period and group, from ``{name: number}``."""
    made = pd.DataFrame({"count": list(numbers), "number": [int(n) for n in numbers.values()]})
    return made.assign(brings=brings, file=file, period=period, year=year, group=group)


def of_pupils(roll: Roll, cell_keys: bool = False) -> Tally:
    """Pupils by January census and SEN provision: all, of another first language, by primary need, with two needs.

    With ``cell_keys`` the numbers are the sums of the record keys of those who are counted: the keys of the cells.
    """
    keys = ["sen_provision", "primary_need", "language_group", "secondary_need"]
    counted = roll.count(Question((tuple(keys),), cell_keys=cell_keys)).unseal("to add up pupils by SEN provision")
    pattern = counted.assign(
        number=counted[f"{CELL_KEY}pupils" if cell_keys else "pupils"],
        secondary=counted["secondary_need"].astype("str") != "",
    )
    pattern["group"] = pattern["sen_provision"].astype("str").map(GROUPS)
    need = pattern["primary_need"].astype("str")
    marks = {
        "pupils": pd.Series(True, index=pattern.index),
        "not_english": pattern["language_group"].astype("str") == "OTH",
        "two_needs": pattern["secondary"] & (pattern["group"] != "no_sen"),
        **{f"need_{code}": need == code for code in NEEDS},
    }
    wide = pd.DataFrame({name: pattern["number"].where(mask, 0) for name, mask in marks.items()})
    wide = wide.groupby([pattern["time_period"].astype("str"), pattern["group"]]).sum()
    every = pd.MultiIndex.from_product([wide.index.levels[0], GROUPS.values()], names=["time_period", "group"])
    wide = wide.reindex(every, fill_value=0)
    long = wide.reset_index().melt(["time_period", "group"], var_name="count", value_name="number")
    long = with_sums_of_groups(long, ["time_period", "count"])
    end = "20" + long["time_period"].str[4:6]
    told = {"brings": "pupils", "file": roll.summary.file}
    made = long.assign(**told, period="January " + end, year=end.astype("int64"))
    return tally([made], sources=[roll.summary])


def with_sums_of_groups(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows by SEN provision (and of those whose provision is not known), with the sums all_sen and all below them."""
    sen = rows[rows["group"].isin(GROUPS_OF_ALL_SEN)]
    sums = [
        part.groupby(list(keys), observed=True)["number"].sum().reset_index().assign(group=name)
        for name, part in (("all_sen", sen), ("all", rows))
        if len(part)
    ]
    return pd.concat([rows, *sums], ignore_index=True)


def of_cases(cases: Loaded, years: Sequence[int]) -> Tally:
    """Requests received, and plans issued, in each of ``years``: the whole calendar years that the list covers.

    Requests are told by the year in which they came in, as in published figures: whether refused, and whether decided
    within 6 weeks. A plan counts in the year of its issue; a year whose first plans are not in the list, because they
    were asked for before it begins, is left out. A blank exception is not a no.
    """
    frame = cases.frame
    received, issued = frame["date_requested"], frame["date_issued"].where(frame["plan_issued"].astype("bool"))
    decided = frame["decision"].astype("str").isin(["assess", "refuse"])
    soon = (frame["date_decided"] - received).dt.days <= limit("decision_days")
    days, exception = (issued - received).dt.days, frame["exception"].astype("boolean")
    early, long = days <= limit("plan_days"), days > limit("long_days")
    plain = (exception == False).fillna(False).astype("bool")  # noqa: E712
    parts, cold = [], []
    for year in years:
        asked = received.dt.year == year
        numbers = {
            "requests": asked.sum(),
            "decided": (asked & decided).sum(),
            "refused": (asked & (frame["decision"].astype("str") == "refuse")).sum(),
            "decided_in_6_weeks": (asked & decided & soon).sum(),
        }
        made = issued.dt.year == year
        if (made & (received < pd.Timestamp(year, 1, 1))).any():
            numbers |= {
                "plans": made.sum(),
                "in_20_weeks": (made & early).sum(),
                "over_20_weeks_to_a_year": (made & (days > limit("plan_days")) & ~long).sum(),
                "over_a_year": (made & long).sum(),
                "plans_plain": (made & plain).sum(),
                "in_20_weeks_plain": (made & plain & early).sum(),
                "exceptions": (made & exception.fillna(False).astype("bool")).sum(),
                "not_stated": (made & exception.isna()).sum(),
            }
        elif made.any():
            cold.append(year)
        parts.append(counted("cases", cases.summary.file, str(year), year, numbers))
    missing = [("cases", "plan", COLD_START.format(years=_listed(cold)), "Bring the cases of the year before.")]
    return tally(parts, missing if cold else [], [cases.summary])


def of_assessments(cases: pd.DataFrame, file: str, years: Sequence[int]) -> Tally:
    """Of a case list ``ehc_cases``: assessments that ended in each year, with a plan or with notice that none comes."""
    own = cases["transferred_in_la"] == ""
    with_plan = own & (cases["assessment_outcome"] == "Y") & cases["plan_issued_date"].notna()
    without = own & cases["no_plan_notified_date"].notna() & ~with_plan
    parts = []
    for year in years:
        yes = (with_plan & (cases["plan_issued_date"].dt.year == year)).sum()
        no = (without & (cases["no_plan_notified_date"].dt.year == year)).sum()
        numbers = {"to_issue": yes, "not_to_issue": no, "concluded": yes + no}
        parts.append(counted("assessments", file, str(year), year, numbers))
    return tally(parts)


def of_returns(returns: Sequence[Sen2]) -> Tally:
    """Of SEN2 returns: assessments that ended in the calendar year before each, and plans on the day of the census."""
    parts = []
    for sen2 in sorted(returns, key=lambda r: r.year):
        year, assessment = sen2.year - 1, sen2.frame("assessment")
        file = sen2.tables["activeplans"].summary.file.partition(",")[0]
        ended = assessment[assessment["assessment_outcome_date"].dt.year == year]
        yes, no = ((ended["assessment_outcome"] == outcome).sum() for outcome in "YN")
        numbers = {"to_issue": yes, "not_to_issue": no, "concluded": yes + no}
        parts.append(counted("assessments", file, str(year), year, numbers))
        parts.append(counted("sen2", file, f"January {sen2.year}", sen2.year, _plans(sen2)))
    return tally(parts, sources=[r.tables["activeplans"].summary for r in returns])


def _plans(sen2: Sen2) -> dict[str, int]:
    """Persons with a plan on the day of the census, and where they were taught, by the place of first rank."""
    standing = caseload(sen2.frames, sen2.census_date)
    people, need = standing["person_id"], needs_published(standing["primary_need"])
    places = sen2.frame("placementdetail")
    over = places["leaving_date"] < sen2.census_date
    ahead = places["entry_date"] > sen2.census_date
    now = places[~over & ~ahead].sort_values("placement_rank", kind="stable").drop_duplicates("person_id")
    setting = people.map(now.set_index("person_id")["sen_setting"]).fillna("").astype("str")
    named = sen2.frame("namedplan")
    budget = named.loc[
        named["pb"].fillna(False).astype("bool") & ~(named["cease_date"] < sen2.census_date), "person_id"
    ]
    return {
        "plans": len(people),
        "without_school_place": int(setting.isin(WITHOUT_PLACE).sum()),
        "educated_at_home": int((setting == "EHE").sum()),
        "personal_budget": int(people.isin(budget).sum()),
        **{f"need_{code}": int((need == code).sum()) for code in NEEDS if code not in ("DS", "NSA", "BESD")},
        "need_unknown": int((~need.isin(NEEDS)).sum()),
    }


def whole_years(period: str) -> list[int]:
    """Calendar years that lie whole in a period: two days, two years, or "as at" a day (then none can be told).

    >>> whole_years("2023-04-01 to 2025-12-31")
    [2024, 2025]
    >>> whole_years("2023 to 2025")
    [2023, 2024, 2025]
    """
    ends = [pd.Timestamp(*map(int, found)) for found in DATE.findall(period)]
    if len(ends) == 2:
        first = ends[0].year + (ends[0] > pd.Timestamp(ends[0].year, 1, 1))
        last = ends[1].year - (ends[1] < pd.Timestamp(ends[1].year, 12, 31))
        return list(range(first, last + 1))
    years = re.fullmatch(r"(\d{4})(?: to (\d{4}))?", period)
    return list(range(int(years[1]), int(years[2] or years[1]) + 1)) if years else []


def cut_years(period: str) -> list[int]:
    """Calendar years of which a period of two days holds a part.

    >>> cut_years("2023-04-01 to 2025-12-31")
    [2023]
    """
    ends = [int(found[0]) for found in DATE.findall(period)]
    whole = whole_years(period)
    return [y for y in range(ends[0], ends[1] + 1) if y not in whole] if len(ends) == 2 else []


def _listed(years: Iterable[int]) -> str:
    return ", ".join(map(str, years))


def _none() -> pd.DataFrame:
    return pd.DataFrame({c: pd.Series(dtype="object") for c in COLUMNS}).astype({"year": "int64", "number": "int64"})


__all__ = [
    "Tally",
    "counted",
    "cut_years",
    "of_assessments",
    "of_cases",
    "of_pupils",
    "of_returns",
    "tally",
    "together",
    "whole_years",
    "with_sums_of_groups",
]
