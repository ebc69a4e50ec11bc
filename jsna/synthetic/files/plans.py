"""Histories of plans and requests behind SEN2 and the local extracts, put together from pupils and cases.

What is given: which pupils have a plan in each January, and the synthetic requests with their dates and decisions.
What is invented here: who a request is about, when older plans began, where persons outside the schools are, and why
plans ended.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.places import embedded_lsoas
from jsna.synthetic.files import people
from jsna.synthetic.files.census import censuses
from jsna.synthetic.files.people import DAY, chance, spread
from jsna.synthetic.pupils import calibration

NEVER = np.datetime64("NaT", "D")
OUTSIDE = 1_000_000  # numbers from here on are persons who are not on the roll of a school in the census
SHARE_OUTSIDE = 7  # one request in seven is about such a person, besides those that match no pupil


@dataclass(frozen=True)
class Plans:
    """``requests`` (one row a request, plan or both), ``persons`` (one row a person), ``pupils`` (all censuses).

    Requests: case_id ("" where a plan has no request among the cases), person, received, decided, decision (assess,
    refuse, pending, or "" for plans of long ago), no_plan, issued, exception, start, ceased, reason, transfer,
    known_from (the first collection year that can know the row). Persons: person, born, sex, ethnicity, lsoa21.
    """

    requests: pd.DataFrame
    persons: pd.DataFrame
    pupils: pd.DataFrame


def plans(pupils: pd.DataFrame, cases: pd.DataFrame) -> Plans:
    """Join requests to pupils so that the plans at each January are those of the census, and add what must be invented.

    A request that led to a plan in a calendar year is given to a pupil of the same sex and ethnic group whose plan
    first stands in the January after; a refused or open one to a pupil without a plan. Where no such pupil is left,
    the request is about an invented person outside the schools. Plans that no request accounts for began before 2022,
    before the child joined a school, or in another authority. Requests of 2022 are those of 2023, 364 days back.
    """
    pupils = pupils.assign(
        number=people.numbers(pupils["pupil_id"]),
        at=pupils["time_period"].astype("str").map({c.time_period: i for i, c in enumerate(censuses())}).astype("int"),
    )
    spells = _spells(pupils)
    cases = _with_year_before(cases)
    end = np.datetime64(f"{censuses()[-1].year}-01-01")
    issued = _days(cases["date_issued"])
    done = ~np.isnat(issued) & (issued < end)
    given, spells = _give(cases[done], issued[done], spells)
    others = _give_to_pupils(cases[~done], pupils)
    requests = pd.concat([given, others], ignore_index=True)
    requests, outside = _with_outsiders(requests)
    requests = pd.concat([_dated(requests), _older(spells)], ignore_index=True)
    persons = pd.concat([_known(pupils, requests), outside], ignore_index=True)
    requests = requests.sort_values(["person", "received"], kind="stable", ignore_index=True)
    return Plans(requests, persons.sort_values("person", kind="stable", ignore_index=True), pupils)


def _days(column: pd.Series) -> NDArray:
    return column.to_numpy().astype("datetime64[D]")


def _spells(pupils: pd.DataFrame) -> pd.DataFrame:
    """Runs of Januaries with a plan, one row each: person, first and last January (0, 1, 2), and what stays."""
    count = len(censuses())
    on_plan = pupils[pupils["sen_provision"] == "E"]
    who, row = np.unique(on_plan["number"], return_inverse=True)
    has = np.zeros((len(who), count + 2), bool)
    has[row, on_plan["at"] + 1] = True
    begins, first = np.nonzero(has[:, 1:-1] & ~has[:, :-2])
    ends, last = np.nonzero(has[:, 1:-1] & ~has[:, 2:])
    assert (begins == ends).all()
    fixed = on_plan.drop_duplicates("number").set_index("number", drop=False).loc[who[begins]]
    still = pupils.groupby("number")["at"].max().loc[who[begins]].to_numpy()
    seen = pupils.groupby("number")["at"].min().loc[who[begins]].to_numpy()
    return pd.DataFrame(
        {
            "spell": np.arange(len(first)),
            "person": who[begins],
            "first": first,
            "last": last,
            "stays": still > last,
            "joins_young": (seen == first) & (fixed["age"] - fixed["at"] + first <= 4).to_numpy(),
            "sex": fixed["sex"].astype("str").to_numpy(),
            "ethnicity": fixed["ethnicity"].astype("str").to_numpy(),
            "born": _born(fixed),
        }
    )


def _born(pupils: pd.DataFrame) -> NDArray:
    year = pupils["time_period"].astype("str").str.slice(0, 4).astype("int64").to_numpy()
    return people.birth_dates(pupils["number"].to_numpy(), year, pupils["age"].to_numpy("int64"))


def _with_year_before(cases: pd.DataFrame) -> pd.DataFrame:
    dates = ["date_requested", "date_decided", "date_issued"]
    year = cases["date_requested"].dt.year
    before = cases.loc[year == year.min()].copy()
    before[dates] = before[dates] - pd.Timedelta(days=364)
    before["case_id"] = "B" + before["case_id"].str.slice(1)
    cases = pd.concat([before, cases], ignore_index=True)
    return cases.assign(key=cases["case_id"].map({c: i for i, c in enumerate(cases["case_id"])}))


def _ranked(frame: pd.DataFrame, by: list[str], order: NDArray) -> pd.Series:
    """The place of each row within its group, in the order given."""
    return frame.assign(order=order).sort_values("order", kind="stable").groupby(by).cumcount().reindex(frame.index)


def _give(cases: pd.DataFrame, issued: NDArray, spells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Requests that led to plans, given to new plans of the January after; and the plans that none was given to."""
    by = ["first", "sex", "ethnicity"]
    year = issued.astype("datetime64[Y]").astype(int) + 1970
    left = cases.assign(
        first=np.maximum(year - int(censuses()[0].year) + 1, 0),
        sex=cases["sex"].astype("str"),
        ethnicity=cases["ethnicity"].astype("str"),
    )
    matched = left[spread(left["key"].to_numpy(), 51, SHARE_OUTSIDE) > 0]
    matched = matched.assign(rank=_ranked(matched, by, spread(matched["key"].to_numpy(), 52, 1 << 30)))
    spells = spells.assign(rank=_ranked(spells, by, spread(spells["person"].to_numpy(), 53, 1 << 30)))
    pairs = matched[[*by, "rank", "key"]].merge(spells, on=[*by, "rank"])
    given = left.drop(columns="first").merge(pairs[["key", "person", "last", "stays", "born"]], on="key", how="left")
    return given, spells[~spells["spell"].isin(pairs["spell"])]


def _give_to_pupils(cases: pd.DataFrame, pupils: pd.DataFrame) -> pd.DataFrame:
    """Refused, open and late requests, given to pupils who have no plan in any January; SEN support first."""
    by = ["at", "sex", "ethnicity"]
    never = pupils[~pupils["number"].isin(pupils.loc[pupils["sen_provision"] == "E", "number"])]
    never = never[[*by, "number", "sen_provision", "time_period", "age"]].reset_index(drop=True)
    never = never.assign(sex=never["sex"].astype("str"), ethnicity=never["ethnicity"].astype("str"))
    order = spread(never["number"].to_numpy(), 54, 1 << 30) + (1 << 30) * (never["sen_provision"] != "K").to_numpy()
    never["rank"] = _ranked(never, by, order)
    year = cases["date_requested"].dt.year.to_numpy() - int(censuses()[0].year) + 1
    left = cases.assign(
        at=np.clip(year, 0, len(censuses()) - 1),
        sex=cases["sex"].astype("str"),
        ethnicity=cases["ethnicity"].astype("str"),
    )
    matched = left[spread(left["key"].to_numpy(), 51, SHARE_OUTSIDE) > 0]
    matched = matched.assign(rank=_ranked(matched, by, matched["key"].to_numpy()))
    pairs = matched[[*by, "rank", "key"]].merge(never.assign(born=_born(never)), on=[*by, "rank"])
    return left.drop(columns="at").merge(pairs[["key", "number", "born"]].rename(columns={"number": "person"}), "left")


def _with_outsiders(requests: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every request with a person, and the invented persons: sex, ethnic group and age are those of the request."""
    none = requests["person"].isna()
    number = OUTSIDE + requests["key"].to_numpy()
    first_year = np.full(len(requests), int(censuses()[1].time_period[:4]))
    born = people.birth_dates(number, first_year, requests["age"].to_numpy("int64"))
    requests = requests.assign(
        person=np.where(none, number, requests["person"].fillna(0)).astype("int64"),
        born=np.where(none, born, _days(requests["born"])),
        last=requests["last"].fillna(len(censuses())).astype("int64"),
        stays=requests["stays"].fillna(True).astype(bool),
    )
    lsoas = embedded_lsoas()["lsoa21"].to_numpy(object)
    outside = requests.loc[none, ["person", "born", "sex", "ethnicity"]]
    return requests, outside.assign(lsoa21=lsoas[spread(outside["person"].to_numpy(), 55, len(lsoas))])


def _dated(requests: pd.DataFrame) -> pd.DataFrame:
    """Requests with all their dates; a decision not to issue comes 40 to 69 days after the decision to assess."""
    decided, issued = _days(requests["date_decided"]), _days(requests["date_issued"])
    key = requests["key"].to_numpy()
    assessed = (requests["decision"] == "assess").to_numpy()
    no_plan = np.where(assessed & np.isnat(issued), decided + 40 + spread(key, 56, 30), NEVER)
    ceased = _cease_dates(requests["person"].to_numpy(), requests["last"].to_numpy())
    return pd.DataFrame(
        {
            "case_id": requests["case_id"],
            "person": requests["person"],
            "received": _days(requests["date_requested"]),
            "decided": decided,
            "decision": requests["decision"].astype("str"),
            "no_plan": no_plan,
            "issued": issued,
            "exception": requests["exception"],
            "start": issued,
            "ceased": np.where(np.isnat(issued), NEVER, ceased),
            "reason": _reasons(requests["person"].to_numpy(), requests["stays"].to_numpy()),
            "transfer": "",
            "known_from": 0,
        }
    )


def _cease_dates(person: NDArray, last: NDArray) -> NDArray:
    """A day of the year after the last January with a plan; none for plans that still stand in the last January."""
    ended = last < len(censuses()) - 1
    year = int(censuses()[0].year) + np.minimum(last, len(censuses()) - 1)
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return np.where(ended, first + 31 + spread(person, 57, 330), NEVER)


def _reasons(person: NDArray, stays: NDArray) -> NDArray:
    """Needs met (2) for those who stay on a roll; for the rest mostly moved to another authority (5)."""
    gone = np.array(["5", "5", "5", "6", "7", "9"], dtype=object)[spread(person, 58, 6)]
    return np.where(stays, "2", gone).astype(object)


def _older(spells: pd.DataFrame) -> pd.DataFrame:
    """Plans without a request among the cases: begun in earlier years, or brought along from another authority.

    Children who join a school in nursery or reception had their plan before; older ones moved in with it.
    """
    person, first = spells["person"].to_numpy(), spells["first"].to_numpy()
    year = int(censuses()[0].year) + first
    # The last day on which the plan can have begun: before the year that the first collection is about.
    limit = (np.where(first == 0, 2022, year - 1) - 1970).astype("datetime64[Y]").astype("datetime64[D]") - DAY
    earliest = np.minimum(_days(spells["born"]) + 400, limit - 60)
    start = earliest + ((limit - earliest).astype("int64") * chance(person, 59)).astype("int64")
    others = np.array(["822", "823", "826", "873", "919", "302"], dtype=object)
    here = (first == 0) | spells["joins_young"].to_numpy()
    return pd.DataFrame(
        {
            "case_id": "",
            "person": person,
            "received": start - 100 - spread(person, 60, 150),
            "decided": NEVER,
            "decision": "",
            "no_plan": NEVER,
            "issued": NEVER,
            "exception": False,
            "start": start,
            "ceased": _cease_dates(person, spells["last"].to_numpy()),
            "reason": _reasons(person, spells["stays"].to_numpy()),
            "transfer": np.where(here, "", others[spread(person, 61, len(others))]),
            # The first return for which the plan began before the year that it is about.
            "known_from": np.where(here, start.astype("datetime64[Y]").astype("int64") + 1972, year),
        }
    )


def _known(pupils: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    rows = pupils[pupils["number"].isin(requests["person"])].drop_duplicates("number", keep="last")
    return pd.DataFrame(
        {
            "person": rows["number"].to_numpy(),
            "born": _born(rows),
            "sex": rows["sex"].astype("str").to_numpy(),
            "ethnicity": rows["ethnicity"].astype("str").to_numpy(),
            "lsoa21": rows["lsoa21"].astype("str").to_numpy(object),
        }
    )


def invented_needs(person: NDArray) -> NDArray:
    """Primary needs of persons outside the schools, in the published mix of plans."""
    mix = {n: w for n, w in calibration()["need_ehc_plan"].items() if w}
    share = np.cumsum(list(mix.values())) / sum(mix.values())
    return np.array(list(mix), dtype=object)[np.searchsorted(share[:-1], chance(person, 62), side="right")]


def reviews(person: NDArray, year: int) -> tuple[NDArray, NDArray, NDArray]:
    """Annual reviews in the calendar year before ``year``: meeting, letter with the decision, outcome (M or A).

    The letter follows the meeting by 7 to 46 days: about half of the letters come within four weeks.
    """
    salt = person + 7919 * year
    meeting = np.datetime64(f"{year - 1}-01-01") + spread(salt, 79, 300)
    outcome = np.array(list("MMMMMMAAA"), dtype=object)[spread(salt, 81, 9)]
    return meeting, meeting + 7 + spread(salt, 80, 40), outcome


# Year group after the change of phase: the kind of change, and the day of the year before on which a plan was due.
PHASE_CHANGES = {
    "R": ("NUR_PRI", "02-15"),
    "3": ("INF_JUN", "02-15"),
    "7": ("PRI_SEC", "02-15"),
    "12": ("SEC_P16", "03-31"),
}


def phase_changes(rows: pd.DataFrame, year: int) -> tuple[NDArray, NDArray]:
    """For plans of before the calendar year: when the plan naming the next place was due that year, and was final."""
    due = [f"{year - 1}-{PHASE_CHANGES[g][1]}" if g in PHASE_CHANGES else "NaT" for g in rows["year_group"]]
    begun = (rows["start"] < np.datetime64(f"{year - 1}-01-01")).to_numpy()
    due = np.where(begun, np.array(due, dtype="datetime64[D]"), NEVER)
    return due, due - 25 + spread(rows["person"].to_numpy(), 82, 40)
