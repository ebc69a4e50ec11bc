"""The synthetic schools as files know them, and a register of them in the manner of Get information about schools."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jsna.synthetic.files.people import tokens
from jsna.synthetic.files.postcodes import school_postcodes

LA_NUMBER = "821"
# phase of the pupil table: census phase, type and governance; ages; years; register's phase and type
PHASES = {
    "nursery": ("NS", "01", "CO", 2, 5, "N1", "N2", ("1", "Nursery"), ("15", "Local authority nursery school")),
    "primary": ("PS", "02", "CO", 3, 11, "N1", "6", ("2", "Primary"), ("01", "Community school")),
    "secondary": ("SS", "03", "CA", 11, 19, "7", "14", ("4", "Secondary"), ("34", "Academy converter")),
    "special": ("SP", "08", "CO", 3, 19, "N1", "14", ("0", "Not applicable"), ("07", "Community special school")),
    "alternative": ("PR", "10", "CO", 11, 16, "7", "11", ("0", "Not applicable"), ("14", "Pupil referral unit")),
}
INDEPENDENT, UNIVERSITY, ONLINE, OVERSEAS = "900990", "900991", "900992", "900993"
# Places in the register that are not among the schools of the census; the last three are no schools for a child here.
OTHERS = {
    INDEPENDENT: "Other independent special school",
    UNIVERSITY: "Higher education institutions",
    ONLINE: "Online provider",
    OVERSEAS: "British schools overseas",
}


def urns(school: pd.Series) -> pd.Series:
    """The six digits of each school: S000060 is 900060.

    >>> urns(pd.Series(["S000060", "S001002"])).tolist()
    ['900060', '900102']
    """
    key = school.astype("str")
    return (900_000 + 100 * key.str.slice(1, 4).astype("int64") + key.str.slice(4).astype("int64")).astype("str")


def establishments(school: pd.Series) -> pd.Series:
    """The four digits of each school within the authority: S000060 is 9060, S001002 is 9072."""
    key = school.astype("str")
    return (9_000 + 70 * key.str.slice(1, 4).astype("int64") + key.str.slice(4).astype("int64")).astype("str")


def schools_of(pupils: pd.DataFrame) -> pd.DataFrame:
    """The schools that pupils attend, one row each, all columns text: keys, name, phase, postcode, whether a unit."""
    found = (
        pupils.groupby("school_urn", observed=True)
        .agg(phase=("school_phase", "first"), unit=("in_unit", "any"))
        .reset_index()
    )
    key = found["school_urn"].astype("str")
    number = urns(key).astype("int64").to_numpy() - 900_000
    return pd.DataFrame(
        {
            "school": key,
            "urn": urns(key),
            "estab": establishments(key),
            "name": tokens("Synthetic School ", number),
            "phase": found["phase"].astype("str"),
            "unit": found["unit"].to_numpy(),
            "postcode": school_postcodes(number),
        }
    )


def register(pupils: pd.DataFrame) -> pd.DataFrame:
    """The register: the schools of ``pupils`` and four other establishments, in the register's headings."""
    schools = schools_of(pupils)
    of = schools["phase"].map(PHASES)
    own = pd.DataFrame(
        {
            "URN": schools["urn"],
            "LA (code)": LA_NUMBER,
            "LA (name)": "Luton",
            "EstablishmentNumber": schools["estab"],
            "EstablishmentName": schools["name"],
            "TypeOfEstablishment (code)": of.map(lambda p: p[8][0]),
            "TypeOfEstablishment (name)": of.map(lambda p: p[8][1]),
            "EstablishmentStatus (name)": "Open",
            "PhaseOfEducation (code)": of.map(lambda p: p[7][0]),
            "PhaseOfEducation (name)": of.map(lambda p: p[7][1]),
            "StatutoryLowAge": of.map(lambda p: str(p[3])),
            "StatutoryHighAge": of.map(lambda p: str(p[4])),
            "Postcode": schools["postcode"],
            "TypeOfResourcedProvision (name)": np.where(schools["unit"], "SEN unit", "Not applicable"),
        }
    )
    others = pd.DataFrame(
        {
            "URN": list(OTHERS),
            "LA (code)": LA_NUMBER,
            "LA (name)": "Luton",
            "EstablishmentNumber": [str(9_990 + i) for i in range(len(OTHERS))],
            "EstablishmentName": tokens("Synthetic Place ", np.arange(len(OTHERS))),
            "TypeOfEstablishment (name)": list(OTHERS.values()),
            "EstablishmentStatus (name)": "Open",
            "PhaseOfEducation (code)": "0",
            "PhaseOfEducation (name)": "Not applicable",
            "TypeOfResourcedProvision (name)": "Not applicable",
        }
    )
    return pd.concat([own, others], ignore_index=True).fillna("")
