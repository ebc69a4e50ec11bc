"""The SEN2 return as tables: one set of nine a collection year, from which every carrier is written."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.synthetic.files import people
from jsna.synthetic.files.census import censuses
from jsna.synthetic.files.output import Tables, words
from jsna.synthetic.files.people import DAY, chance, iso, spread
from jsna.synthetic.files.plans import NEVER, OUTSIDE, Plans, invented_needs, phase_changes, reviews
from jsna.synthetic.files.postcodes import home_postcodes
from jsna.synthetic.files.schools import INDEPENDENT, LA_NUMBER, urns

YEARS = (2023, 2024, 2025, 2026)
CENSUS_DATES = {2023: "2023-01-19", 2024: "2024-01-18", 2025: "2025-01-16", 2026: "2026-01-15"}
DATES = words(
    "referencedate datetime personbirthdate receiveddate requestoutcomedate assessmentoutcomedate startdate ceasedate "
    "entrydate leavingdate reviewmeeting reviewdraft phasetransferduedate phasetransferfinaldate lastreview"
)
PARENT = {
    "person": "sen2",
    "requests": "person",
    "assessment": "requests",
    "namedplan": "assessment",
    "plandetail": "namedplan",
    "activeplans": "requests",
    "placementdetail": "activeplans",
    "senneed": "activeplans",
}
TABLES = ("sen2", *PARENT)


def collection(plans: Plans, year: int) -> Tables:
    """The nine tables of the return of ``year``: flows of the calendar year before, plans as they stood at its end.

    All cells are text, dates are ISO, the columns those of the year (2023, 2024, 2025 and after differ).
    """
    rows = rows_of(plans, year)
    person = _persons(plans, rows, year)
    requests = _requests(rows, person, year)
    assessed = rows["request_outcome"].isin(["Y", "H"]).to_numpy()
    planned = assessed & rows["assessment_outcome"].isin(["Y", "H"]).to_numpy()
    active = planned & rows["active"].to_numpy()
    keys = requests["requeststableid"]
    assessment = _assessment(rows[assessed], keys[assessed])
    plan_rows = rows[planned]
    key_of = pd.Series(assessment["assessmenttableid"].to_numpy(), index=np.flatnonzero(assessed))
    named = _named_plans(plan_rows, key_of.loc[np.flatnonzero(planned)])
    live = rows[active]
    plan = _active_plans(live, keys[active], year)
    return {
        "sen2": _header(year),
        "person": person.drop(columns="number"),
        "requests": requests,
        "assessment": assessment,
        "namedplan": named,
        "plandetail": _places(plan_rows, named["namedplantableid"], "plandetail", year),
        "activeplans": plan,
        "placementdetail": _places(live, plan["activeplanstableid"], "placementdetail", year),
        "senneed": _senneeds(live, plan["activeplanstableid"], year),
    }


def rows_of(plans: Plans, year: int) -> pd.DataFrame:
    """The requests and plans that the return of ``year`` holds, with their outcomes as they stood and their place."""
    r = plans.requests
    first, last = np.datetime64(f"{year - 1}-01-01"), np.datetime64(f"{year - 1}-12-31")
    d = {c: r[c].to_numpy().astype("datetime64[D]") for c in ("received", "decided", "no_plan", "start", "ceased")}
    flow = (d["received"] >= first) & (d["received"] <= last)
    for name in ("decided", "no_plan", "start", "ceased"):
        flow |= (d[name] >= first) & (d[name] <= last) & (d["received"] <= last)
    active = (d["start"] <= last) & ~(d["ceased"] <= last)
    here = (flow | active | _open(r, d, last, first)) & (r["known_from"] <= year).to_numpy()
    r, d = r[here].reset_index(drop=True), {c: v[here] for c, v in d.items()}
    case = r["case_id"].to_numpy() != ""
    r["request_outcome"] = _request_outcome(r, d, case, first, last)
    r["assessment_outcome"] = _assessment_outcome(d, case, first, last)
    r["active"] = active[here]
    for name, values in d.items():
        r[name] = values
    return _with_pupil(plans, r, year)


def _open(r: pd.DataFrame, d: dict[str, NDArray], last, first) -> NDArray:
    """Received before the year and not finished by its end, unless never decided for more than a year."""
    done = np.fmin(np.fmin(d["no_plan"], d["start"]), np.where(r["decision"] == "refuse", d["decided"], NEVER))
    waits = ~(done <= last) & (d["received"] <= last) & (r["decision"] != "").to_numpy()
    return waits & ~((r["decision"] == "pending").to_numpy() & (d["received"] < first - 365))


def _request_outcome(r, d, case, first, last) -> NDArray:
    """Y, N or A as at the end of the year; H when decided before it; W for what was never decided after a year."""
    decided = np.where(d["decided"] <= last, np.where(r["decision"] == "refuse", "N", "Y"), "A")
    waited = (r["decision"] == "pending").to_numpy() & (d["received"] < first)
    outcome = np.where(~case | (d["decided"] < first), "H", np.where(waited, "W", decided))
    return outcome.astype(object)


def _assessment_outcome(d, case, first, last) -> NDArray:
    issued = np.where(d["start"] <= last, np.where(d["start"] < first, "H", "Y"), "A")
    refused = np.where(d["no_plan"] <= last, np.where(d["no_plan"] < first, "H", "N"), issued)
    return np.where(case, refused, "H").astype(object)


def _with_pupil(plans: Plans, r: pd.DataFrame, year: int) -> pd.DataFrame:
    """The pupil's school, year group, needs and home of the January census; the first one for the return of 2023."""
    at = max(0, year - int(censuses()[0].year))
    pupils = plans.pupils[plans.pupils["at"] == at]
    here = pd.DataFrame(
        {
            "person": pupils["number"].to_numpy(),
            "urn": urns(pupils["school_urn"]).to_numpy(),
            "phase": pupils["school_phase"].astype("str").to_numpy(),
            "year_group": pupils["year_group"].astype("str").to_numpy(),
            "unit": pupils["in_unit"].to_numpy(),
            "entered": pupils["entered"].to_numpy().astype("datetime64[D]"),
            "provision": pupils["sen_provision"].astype("str").to_numpy(),
            "need1": pupils["primary_need"].astype("str").to_numpy(object),
            "need2": pupils["secondary_need"].astype("str").to_numpy(object),
            "home": pupils["lsoa21"].astype("str").to_numpy(object),
        }
    )
    r = r.merge(here, on="person", how="left").merge(plans.persons, on="person", how="left")
    absent = (r["provision"] != "E").to_numpy()
    r["need1"] = np.where(absent, invented_needs(r["person"].to_numpy()), r["need1"]).astype(object)
    r["need2"] = np.where(absent, "", r["need2"]).astype(object)
    r["home"] = r["home"].where(r["home"].notna(), r["lsoa21"])
    born = r["born"].to_numpy().astype("datetime64[D]")
    r["age"] = year - 1 - people.birth_years(born)
    return r


def _keys(count: int) -> NDArray:
    return np.arange(1, count + 1).astype("<U9").astype(object)


def _frame(name: str, parent: pd.Series, columns: dict[str, object], order: object = "1") -> pd.DataFrame:
    keys = {f"{name}tableid": _keys(len(parent)), f"{PARENT[name]}tableid": parent.to_numpy()}
    common = {"NativeId": LA_NUMBER, f"{name}orderseqcolumn": order, "sourceid": "1"}
    return pd.DataFrame(keys | common | columns, index=range(len(parent))).astype("str")


def _header(year: int) -> pd.DataFrame:
    row = {
        "sen2tableid": "1",
        "NativeId": LA_NUMBER,
        "sen2orderseqcolumn": "1",
        "sourceid": "1",
        "collection": "SEN2",
        "year": str(year),
        "referencedate": CENSUS_DATES[year],
        "sourcelevel": "L",
        "lea": LA_NUMBER,
        "softwarecode": "Synthetic",
        "release": "1",
        "serialno": "001",
        "datetime": f"{year}-02-01T09:00:00",
        "dmo": "Y",
        "dco": "Y",
    }
    return pd.DataFrame([row | ({"dsco": "R"} if year >= 2025 else {})]).astype("str")


def _persons(plans: Plans, rows: pd.DataFrame, year: int) -> pd.DataFrame:
    """One row a person; ``number`` is for the joins alone."""
    found = rows.drop_duplicates("person").sort_values("person").reset_index(drop=True)
    number, age = found["person"].to_numpy(), found["age"].to_numpy()
    born = found["born"].to_numpy().astype("datetime64[D]")
    outside = number >= OUTSIDE
    without = outside & (age < 5)
    sex = found["sex"].astype("str").to_numpy()
    columns = {
        "surname": people.tokens("Surname", number),
        "forename": people.tokens("Forename", number),
        "personbirthdate": iso(born),
        "sex": sex if year >= 2024 else np.where(sex == "M", "1", "2"),
        "ethnicity": found["ethnicity"].astype("str").to_numpy(),
        "postcode": home_postcodes(found["home"], number),
        "upn": np.where(without, "", people.upns(number, people.birth_years(born))),
        "uniquelearnernumber": np.where(age >= 14, people.ulns(number), ""),
        "upnunknown": np.where(without, "UN1", ""),
    }
    frame = _frame("person", pd.Series("1", index=found.index), columns).assign(number=number)
    return frame if year >= 2024 else frame.rename(columns={"sex": "gendercurrent"})


def _requests(rows: pd.DataFrame, person: pd.DataFrame, year: int) -> pd.DataFrame:
    number, outcome = rows["person"].to_numpy(), rows["request_outcome"].to_numpy()
    decided = np.isin(outcome, ["Y", "N"])
    refused = outcome == "N"
    salt = (rows["received"].to_numpy().astype("datetime64[D]").astype("int64") + 1_000_000 * number) % (1 << 40)
    flag = {c: np.where(decided, np.where(refused & (chance(salt, s) < p), "1", "0"), "") for c, s, p in _APPEALS}
    columns = {
        "receiveddate": iso(rows["received"]),
        "requestsource": np.array(list("1112222345"), dtype=object)[spread(salt, 73, 10)],
        "rya": "0",
        "requestoutcomedate": np.where(decided, iso(rows["decided"]), ""),
        "requestoutcome": outcome,
        "requestmediation": flag["mediation"],
        "requesttribunal": flag["tribunal"],
        "exported": "",
    }
    if year < 2025:
        del columns["requestsource"]
    keys = person.set_index("number")["persontableid"]
    return _frame("requests", rows["person"].map(keys), columns, (rows.groupby("person").cumcount() + 1).to_numpy())


_APPEALS = (("mediation", 71, 0.25), ("tribunal", 72, 0.12))


def _assessment(rows: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    outcome, number = rows["assessment_outcome"].to_numpy(), rows["person"].to_numpy()
    date = np.where(outcome == "Y", iso(rows["start"]), np.where(outcome == "N", iso(rows["no_plan"]), ""))
    done = np.isin(outcome, ["Y", "N"])
    exception = np.where(rows["exception"].to_numpy(bool), "1", "0")
    mediation = np.where((outcome == "N") & (chance(number, 74) < 0.3), "1", "0")
    columns = {
        "assessmentoutcome": outcome,
        "assessmentoutcomedate": date,
        "assessmentmediation": np.where(done, mediation, ""),
        "assessmenttribunal": np.where(done, "0", ""),
        "othermediation": np.where(done, "0", ""),
        "othertribunal": np.where(done, "0", ""),
        "week20": np.where(outcome == "Y", exception, ""),
    }
    return _frame("assessment", keys, columns)


def _named_plans(rows: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    number = rows["person"].to_numpy()
    ended = ~rows["active"].to_numpy()
    budget = chance(number, 75) < 0.05
    direct = np.array(["E", "S", "I"], dtype=object)[spread(number, 77, 3)]
    columns = {
        "startdate": iso(rows["start"]),
        "planres": np.where(_boards(rows), "A", ""),
        "planwbp": "",
        "pb": np.where(budget, "1", "0"),
        "oa": np.where(budget & (chance(number, 76) < 0.5), "1", "0"),
        "dp": np.where(budget, direct, ""),
        "ceasedate": np.where(ended, iso(rows["ceased"]), ""),
        "ceasereason": np.where(ended, rows["reason"], ""),
    }
    return _frame("namedplan", keys, columns)


def _boards(rows: pd.DataFrame) -> NDArray:
    return (rows["phase"] == "special").to_numpy() & (chance(rows["person"].to_numpy(), 78) < 0.03)


def _active_plans(rows: pd.DataFrame, keys: pd.Series, year: int) -> pd.DataFrame:
    meeting, letter, outcome = reviews(rows["person"].to_numpy(), year)
    reviewed = (rows["start"].to_numpy().astype("datetime64[D]") < meeting - 180) & (rows["transfer"] == "").to_numpy()
    due, final = phase_changes(rows, year)
    newly = (rows["known_from"] == year).to_numpy()
    columns = {
        "transferla": np.where(newly, rows["transfer"], ""),
        "reviewmeeting": np.where(reviewed, iso(meeting), ""),
        "reviewoutcome": np.where(reviewed, outcome, ""),
        "reviewdraft": np.where(reviewed & (outcome == "A"), iso(letter), ""),
        "phasetransferduedate": iso(due),
        "phasetransferfinaldate": iso(final),
        "lastreview": np.where(reviewed, iso(letter), ""),
    }
    if year < 2025:
        columns = {c: v for c, v in columns.items() if c not in _SINCE_2025}
    if year < 2024:
        boards = np.where(_boards(rows), "A", "")
        columns = {"transferla": columns["transferla"], "res": boards, "wbp": "", "lastreview": columns["lastreview"]}
    return _frame("activeplans", keys, columns)


_SINCE_2025 = ("reviewdraft", "phasetransferduedate", "phasetransferfinaldate")


def _places(rows: pd.DataFrame, keys: pd.Series, name: str, year: int) -> pd.DataFrame:
    """The place named, or attended: the school of the census; for all others a setting, a provider or one school."""
    number, age = rows["person"].to_numpy(), rows["age"].to_numpy()
    at_school = rows["urn"].notna().to_numpy()
    kind = spread(number, 83, 4)  # 0 an independent school, 1 at home, 2 arranged by the authority, 3 other
    setting = np.where(age < 5, "EYP", np.where(age >= 16, "", np.array(["", "EHE", "OLA", "OTH"])[kind]))
    setting = np.where(at_school, "", setting).astype(object)
    provider = np.where(~at_school & (age >= 16), np.char.mod("9990%04d", spread(number, 84, 5)), "").astype(object)
    urn = np.where(at_school, rows["urn"].fillna(""), np.where((setting == "") & (provider == ""), INDEPENDENT, ""))
    began = rows["start"].to_numpy().astype("datetime64[D]")
    entered = np.where(at_school, rows["entered"].to_numpy().astype("datetime64[D]"), began)
    unit = np.where(rows["unit"].fillna(False).to_numpy(bool), "1", "0")
    columns = {
        "urn": urn,
        "ukprn": provider,
        "sensetting": setting,
        "sensettingother": "",
        "placementrank": "1",
        "senunitindicator": unit,
        "resourcedprovisionindicator": "0",
    }
    if name == "placementdetail":
        last = np.datetime64(f"{year - 1}-12-31")
        entered = iso(np.where(entered > last, last - 100 * DAY, entered))
        columns |= {"entrydate": entered, "leavingdate": ""}
        columns |= {"attendancepattern": "FT"} if year < 2024 else {"res": np.where(_boards(rows), "A", ""), "wbp": ""}
    return _frame(name, keys, columns)


def _senneeds(rows: pd.DataFrame, keys: pd.Series, year: int) -> pd.DataFrame:
    both = np.stack([rows["need1"].to_numpy(object), rows["need2"].to_numpy(object)], axis=1)
    at, rank = np.nonzero(both != "")
    columns = {"sentype": both[at, rank], "sentyperank": (rank + 1).astype("<U1")}
    return _frame("senneed", keys.iloc[at], columns, rank + 1)
