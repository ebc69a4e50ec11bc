"""Research extracts in the naming of the National Pupil Database: a stem, the term and the year of each column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.synthetic.files import people
from jsna.synthetic.files.census import Census
from jsna.synthetic.files.output import Tables
from jsna.synthetic.files.people import iso
from jsna.synthetic.files.schools import LA_NUMBER, PHASES, establishments, urns

MAJOR = {"W": "WHIT", "M": "MIXD", "A": "ASIA", "B": "BLAC"}
MAJOR_OF = {"CHNE": "CHIN", "OOTH": "AOEG", "NOBT": "UNCL", "REFU": "UNCL"}
PROVISION = {"N": "1_NON", "K": "2_SNS", "E": "3_SS"}
LANGUAGE = {"ENG": "1_ENG", "OTH": "2_OTH", "UNC": "3_UNCL"}
CASES = {"2024": str, "2025": str.lower, "2026": str.upper}


def npd_table(block: pd.DataFrame, census: Census) -> Tables:
    """One census as ``{"npd": frame}``: the columns' case and one name change from year to year, as in deliveries.

    There is no pupil number, no name and no postcode: pupils carry a made-up reference of 18 characters.
    """
    rows = block[block["time_period"] == census.time_period]
    number, age = people.numbers(rows["pupil_id"]), rows["age"].to_numpy("int64")
    birth = people.birth_dates(number, np.full(len(rows), int(census.time_period[:4])), age)
    ethnicity = rows["ethnicity"].astype("str")
    provision = rows["sen_provision"].astype("str")
    estab = establishments(rows["school_urn"])
    year = int(census.year)
    columns = {
        "PupilMatchingRefAnonymous": np.char.mod("SYN%015d", people.spread(number, 41, 10**15)),
        "AcademicYear": f"{year - 1}/{year}",
        "CensusTerm": "Spring",
        "CensusDate": census.date,
        "URN": urns(rows["school_urn"]),
        "LAEstab": LA_NUMBER + estab,
        "Estab": estab,
        "LA": LA_NUMBER,
        "LA_9Code": rows["la_code"].astype("str"),
        "HomeLA": LA_NUMBER,
        "HomeLA_9Code": rows["la_code"].astype("str"),
        "Phase": rows["school_phase"].astype("str").map({k: v[0] for k, v in PHASES.items()}),
        "Gender" if year < 2026 else "Sex": rows["sex"].astype("str"),
        "YearOfBirth": pd.Series(iso(birth), index=rows.index).str.slice(0, 4),
        "MonthOfBirth": pd.Series(iso(birth), index=rows.index).str.slice(5, 7),
        "AgeAtStartOfAcademicYear": age.astype("<U2"),
        "NCyearActual": rows["year_group"].astype("str"),
        "EnrolStatus": rows["enrolment_status"].astype("str"),
        "OnRoll": "1",
        "PartTime": np.where(age < 4, "1", "0"),
        "EntryDate": iso(rows["entered"]),
        "EthnicGroupMinor": ethnicity,
        "EthnicGroupMajor": ethnicity.map(MAJOR_OF).fillna(ethnicity.str[0].map(MAJOR)),
        "Language": rows["first_language"].astype("str"),
        "LanguageGroupMajor": rows["language_group"].astype("str").map(LANGUAGE),
        "FSMeligible": np.where(rows["fsm_eligible"], "1", "0"),
        "SENprovision": provision,
        "SENprovisionMajor": provision.map(PROVISION),
        "PrimarySENtype": rows["primary_need"].astype("str"),
        "SecondarySENtype": rows["secondary_need"].astype("str"),
        "SENUnitIndicator": np.where(rows["in_unit"], "1", "0"),
        "ResourcedProvisionIndicator": "0",
        "LSOA21": rows["lsoa21"].astype("str"),
        "IDACIRank_25": rows["idaci_rank"].astype("str"),
        "IDACIDecile_25": rows["idaci_decile"].astype("str"),
    }
    frame = pd.DataFrame(columns).astype("str").reset_index(drop=True)
    spelt = CASES[census.year]
    return {"npd": frame.rename(columns=lambda c: spelt(f"{c}_SPR{census.year[2:]}"))}
