"""The school census as tables: one set of blade tables a January, from which every carrier is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.places import embedded_lsoas
from jsna.errors import ParamsError, Problem
from jsna.synthetic import _blocks
from jsna.synthetic.files import people
from jsna.synthetic.files.output import Tables, words
from jsna.synthetic.files.people import chance, iso, spread
from jsna.synthetic.files.postcodes import home_postcodes
from jsna.synthetic.files.schools import LA_NUMBER, PHASES, schools_of
from jsna.synthetic.pupils import calibration

DATES = ("dob", "entrydate", "leavingdate", "fsmstartdate", "fsmenddate", "referencedate", "datetime", "startdate")
LARGEST_SCALE = 10
PER_BLOCK = 200_000  # numbers that the rows of one block may use up as keys

_PUPIL = words(
    "pupilonrolltableid NativeId pupilonrollorderseqcolumn sourceid schoolcensustableid upn formerupn "
    "uniquelearnernumber surname forename middlenames preferredsurname formersurname dob entrydate sex ncyearactual "
    "ethnicity yssa language enrolstatus classtype boarder parttime senprovision senunitindicator "
    "resourcedprovisionindicator topupfunding schoollunchtaken servicechild plaa youngcarer hoursatsetting fundedhours "
    "extendedhours eyppbf eyppr dafindicator eligibilitycode termlysessionspossible missingaddress duplicatenotfunded "
    "moveoffrollflag unitcontacttime"
)


@dataclass(frozen=True)
class Census:
    """One January: the period of the pupil table, the calendar year, the day."""

    time_period: str
    year: str
    date: str

    @property
    def label(self) -> str:
        """How folders and files of this census are called: ``2026_spring``."""
        return f"{self.year}_spring"


@cache
def censuses() -> tuple[Census, ...]:
    """The three censuses of the synthetic area, oldest first."""
    return tuple(Census(c["time_period"], c["date"][:4], c["date"]) for c in calibration()["censuses"])


def blocks(seed: int, scale: float) -> Iterator[pd.DataFrame]:
    """The synthetic pupils of all censuses, about 40,000 children at a time: each block has schools of its own.

    Raises ``ParamsError`` above a scale of 10 (400,000 pupils): no authority is larger, and its numbers run out.
    """
    if scale > LARGEST_SCALE:
        expected = f"above 0, at most {LARGEST_SCALE} for files"
        raise ParamsError(Problem("Not a scale.", where="scale", value=scale, expected=expected))
    for block in _blocks(seed, scale):
        yield block.assign(entered=people.entry_dates(block))


def tables(pupils: pd.DataFrame, census: Census, number: int) -> Tables:
    """The blade tables of one census of one block: schoolcensus, school, pupilonroll, addresses, senneeds, fsmperiod.

    ``pupils`` are the block's rows of all censuses, as ``blocks`` gives them; ``number`` is the block's. All cells are
    text, dates are ISO; the columns are those of the census's year, in the order of the specification. Rows of a
    school stand together.
    """
    rows = pupils[pupils["time_period"] == census.time_period].sort_values("school_urn", kind="stable")
    rows = rows.reset_index(drop=True)
    schools = schools_of(pupils)
    first = number * PER_BLOCK
    school_keys = pd.Series(_keys(first, len(schools)), index=schools["school"])
    pupil = _pupils(rows, school_keys, schools.set_index("school")["estab"], census, first)
    person = people.numbers(rows["pupil_id"])
    return {
        "schoolcensus": _header(schools, school_keys, census),
        "school": _schools(schools, school_keys, first),
        "pupilonroll": pupil,
        "addresses": _addresses(rows, pupil, person, first),
        "senneeds": _needs(rows, pupil, first),
        "fsmperiod": _meals(rows, pupil, person, census, first),
    }


def _keys(first: int, count: int) -> NDArray:
    return np.arange(first + 1, first + count + 1).astype("<U9").astype(object)


def _header(schools: pd.DataFrame, keys: pd.Series, census: Census) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schoolcensustableid": keys.to_numpy(),
            "NativeId": LA_NUMBER + schools["estab"],
            "schoolcensusorderseqcolumn": "1",
            "sourceid": "1",
            "term": "SPR",
            "collection": "SC",
            "name": "",
            "year": census.year,
            "referencedate": census.date,
            "sourcelevel": "S",
            "estab": schools["estab"],
            "softwarecode": "Synthetic",
            "release": "1",
            "serialno": "001",
            "xversion": "1",
            "datetime": f"{census.year}-02-01T09:00:00",
            "lea": LA_NUMBER,
            "urn": schools["urn"],
        },
        dtype="str",
    )


def _schools(schools: pd.DataFrame, keys: pd.Series, first: int) -> pd.DataFrame:
    of = schools["phase"].map(PHASES)
    return pd.DataFrame(
        {
            "schooltableid": _keys(first, len(schools)),
            "NativeId": LA_NUMBER + schools["estab"],
            "schoolorderseqcolumn": "1",
            "sourceid": "1",
            "schoolcensustableid": keys.to_numpy(),
            "schoolname": schools["name"],
            "phase": of.map(lambda p: p[0]),
            "type": of.map(lambda p: p[1]),
            "intake": np.where(schools["phase"] == "special", "SPEC", "COMP"),
            "governance": of.map(lambda p: p[2]),
            "lowestncyeargroup": of.map(lambda p: p[5]),
            "highestncyeargroup": of.map(lambda p: p[6]),
            "accommodation": "",
        },
        dtype="str",
    )


def _pupils(rows, school_keys: pd.Series, estab: pd.Series, census: Census, first: int) -> pd.DataFrame:
    person, school = people.numbers(rows["pupil_id"]), rows["school_urn"].astype("str")
    age, year = rows["age"].to_numpy("int64"), int(census.time_period[:4])
    position = rows.groupby("school_urn", observed=True).cumcount() + 1
    young, plan = age < 4, (rows["sen_provision"] == "E").to_numpy()
    special = (rows["school_phase"] == "special").to_numpy()
    flag = np.where(special, "", "0")
    columns = {
        "pupilonrolltableid": _keys(first, len(rows)),
        "NativeId": LA_NUMBER + school.map(estab),
        "pupilonrollorderseqcolumn": position.astype("str"),
        "sourceid": "1",
        "schoolcensustableid": school.map(school_keys),
        "upn": people.upns(person, year - age),
        "uniquelearnernumber": np.where(age >= 13, people.ulns(person), ""),
        "surname": people.tokens("Surname", person),
        "forename": people.tokens("Forename", person),
        "middlenames": people.tokens("Middlename", person),
        "preferredsurname": people.tokens("Preferred", person),
        "dob": iso(people.birth_dates(person, np.full(len(rows), year), age)),
        "entrydate": iso(rows["entered"]),
        "sex": rows["sex"].astype("str"),
        "ncyearactual": rows["year_group"].astype("str"),
        "ethnicity": rows["ethnicity"].astype("str"),
        "yssa": np.where(age >= 12, "UNS", ""),
        "language": rows["first_language"].astype("str"),
        "enrolstatus": rows["enrolment_status"].astype("str"),
        "classtype": np.where(young, "N", "O"),
        "boarder": "N",
        "parttime": np.where(young, "1", "0"),
        "senprovision": rows["sen_provision"].astype("str"),
        "senunitindicator": np.where(rows["in_unit"].to_numpy(), "1", flag),
        "resourcedprovisionindicator": flag,
        "topupfunding": np.where(plan, "1", "0"),
        "schoollunchtaken": np.where(chance(person, 11) < 0.6, "1", "0"),
        "servicechild": "N",
        "plaa": "N",
        "youngcarer": np.where(chance(person, 12) < 0.005, "S", "N"),
        "hoursatsetting": np.where(young, "15.00", ""),
        "fundedhours": np.where(young, "15.00", ""),
        "eyppr": np.where(young, "0", ""),
        "dafindicator": np.where(young, "0", ""),
        "termlysessionspossible": "140",
        "missingaddress": "0",
    }
    frame = pd.DataFrame(columns).reindex(columns=_PUPIL, fill_value="").astype("str")
    return _as_in(frame, person, census.year)


def _as_in(frame: pd.DataFrame, person: NDArray, year: str) -> pd.DataFrame:
    """The columns of a year: ``gender`` up to 2024, session totals and ``thirtyhourcode`` up to 2025."""
    if year <= "2025":
        missed = spread(person, 13, 12)
        after = frame.columns.get_loc("termlysessionspossible") + 1
        frame.insert(after, "termlysessionsauthorised", missed.astype("<U3"))
        frame.insert(after + 1, "termlysessionsunauthorised", (missed // 3).astype("<U3"))
        frame = frame.rename(columns={"eligibilitycode": "thirtyhourcode"}).astype("str")
    return frame.rename(columns={"sex": "gender"}) if year <= "2024" else frame


def _child(name: str, pupil: pd.DataFrame, order: NDArray, first: int) -> dict[str, object]:
    """Keys of a child table, the parent's first: the order of columns differs by table in real exports too."""
    return {
        "pupilonrolltableid": pupil["pupilonrolltableid"].to_numpy(),
        f"{name}tableid": _keys(first, len(pupil)),
        "NativeId": pupil["NativeId"].to_numpy(),
        f"{name}orderseqcolumn": order.astype("<U2"),
        "sourceid": "1",
    }


def _addresses(rows: pd.DataFrame, pupil: pd.DataFrame, person: NDArray, first: int) -> pd.DataFrame:
    """One address a pupil, and for one pupil in a hundred of split families a second one elsewhere."""
    at = np.sort(np.r_[np.arange(len(rows)), np.flatnonzero(spread(person, 21, 100) == 0)])
    second = np.r_[False, at[1:] == at[:-1]]
    lsoas = rows["lsoa21"].astype("str").to_numpy(object)
    elsewhere = embedded_lsoas()["lsoa21"].to_numpy(object)
    lsoa = np.where(second, elsewhere[spread(person, 22, len(elsewhere))][at], lsoas[at])
    house = person[at] + 1_000_000 * second
    frame = pd.DataFrame(_child("addresses", pupil.iloc[at], second + 1, first))
    words = {"saon": "Flat", "paon": "House", "street": "Street", "locality": "Locality", "town": "Town"}
    frame["postcode"] = home_postcodes(pd.Series(lsoa), house)
    for column, word in words.items():
        frame[column] = people.tokens(word, house)
    frame["administrativearea"] = ""
    frame["posttown"] = people.tokens("Posttown", house)
    for line in range(1, 6):
        frame[f"addressline{line}"] = people.tokens("Line", house) if line == 1 else ""
    frame["uniquepropertyreferencenumber"] = people.tokens("9990", house)
    return frame.astype("str")


def _needs(rows: pd.DataFrame, pupil: pd.DataFrame, first: int) -> pd.DataFrame:
    both = rows[["primary_need", "secondary_need"]].astype("str").to_numpy(object)
    at, rank = np.nonzero(both != "")
    frame = pd.DataFrame(_child("senneeds", pupil.iloc[at], rank + 1, first))
    return frame.assign(sentyperank=(rank + 1).astype("<U1"), sentype=both[at, rank]).astype("str")


def _meals(rows: pd.DataFrame, pupil: pd.DataFrame, person: NDArray, census: Census, first: int) -> pd.DataFrame:
    """Periods of eligibility: open, or with an end after the census, for those eligible on the day; ended for some.

    One eligible pupil in ten also has an earlier period that ended; so has one in twenty of those not eligible.
    """
    eligible = rows["fsm_eligible"].to_numpy(bool)
    before = np.where(eligible, chance(person, 31) < 0.10, chance(person, 31) < 0.05)
    at = np.r_[np.flatnonzero(before), np.flatnonzero(eligible)]
    now = np.r_[np.zeros(before.sum(), bool), np.ones(eligible.sum(), bool)]
    order = np.lexsort((now, at))
    at, now = at[order], now[order]
    day, who = np.datetime64(census.date), person[at]
    start = np.where(now, day - 1 - spread(who, 32, 120), day - 900 - spread(who, 32, 120))
    planned = now & (spread(who, 33, 20) == 0)
    end = np.where(planned, day + spread(who, 34, 90), np.where(now, np.datetime64("NaT"), day - 150))
    frame = pd.DataFrame(_child("fsmperiod", pupil.iloc[at], np.where(now & before[at], 2, 1), first))
    return frame.assign(fsmstartdate=iso(start), fsmenddate=iso(end), ukcountry="ENG").astype("str")
