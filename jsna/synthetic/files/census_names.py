"""Which columns of the census tables stand under which name in XML and in flat extracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jsna.synthetic.files.output import words

Names = tuple[tuple[str, str], ...]

XML_GROUPS: tuple[tuple[str, Names], ...] = (
    (
        "PupilIdentifiers",
        (
            ("UPN", "upn"),
            ("FormerUPN", "formerupn"),
            ("UniqueLearnerNumber", "uniquelearnernumber"),
            ("Surname", "surname"),
            ("Forename", "forename"),
            ("MiddleNames", "middlenames"),
            ("PreferredSurname", "preferredsurname"),
            ("FormerSurname", "formersurname"),
            ("DOB", "dob"),
            ("Gender", "gender"),
            ("Sex", "sex"),
        ),
    ),
    (
        "PupilCharacteristics",
        (
            ("Ethnicity", "ethnicity"),
            ("Language", "language"),
            ("ServiceChild", "servicechild"),
            ("YSSA", "yssa"),
            ("PLAA", "plaa"),
            ("YoungCarer", "youngcarer"),
            ("SchoolLunchTaken", "schoollunchtaken"),
            ("TopUpFunding", "topupfunding"),
            ("HoursAtSetting", "hoursatsetting"),
            ("FundedHours", "fundedhours"),
        ),
    ),
    (
        "PupilStatus",
        (
            ("EnrolStatus", "enrolstatus"),
            ("EntryDate", "entrydate"),
            ("LeavingDate", "leavingdate"),
            ("Boarder", "boarder"),
            ("PartTime", "parttime"),
            ("NCyearActual", "ncyearactual"),
            ("ClassType", "classtype"),
        ),
    ),
    (
        "SpecialEducationalNeeds",
        (
            ("SENprovision", "senprovision"),
            ("SENunitIndicator", "senunitindicator"),
            ("ResourcedProvisionIndicator", "resourcedprovisionindicator"),
        ),
    ),
    ("Exclusions", ()),
    ("HomeInformation", ()),
    ("Attendance", (("TermlySessionsPossible", "termlysessionspossible"),)),
)

_ADDRESS: Names = (
    ("SAON", "saon"),
    ("PAON", "paon"),
    ("Street", "street"),
    ("Locality", "locality"),
    ("Town", "town"),
    ("PostTown", "posttown"),
    ("AddressLine1", "addressline1"),
    ("PostCode", "postcode"),
    ("UniquePropertyReferenceNumber", "uniquepropertyreferencenumber"),
)
_EXCLUSION: Names = (
    ("Category", "category"),
    ("Reason1", "reason1"),
    ("Reason2", "reason2"),
    ("Reason3", "reason3"),
    ("StartDate", "startdate"),
    ("Sessions", "sessions"),
)
_MEALS: Names = (("FSMstartDate", "fsmstartdate"), ("FSMendDate", "fsmenddate"), ("UKcountry", "ukcountry"))
# Within which group of a pupil: the table, the element of one row, the element around all rows, the row's elements.
PERIOD: tuple[tuple[str, str, str, str, Names], ...] = (
    ("PupilCharacteristics", "fsmperiod", "FSMperiod", "FSMperiods", _MEALS),
    (
        "SpecialEducationalNeeds",
        "senneeds",
        "SENneed",
        "SENneeds",
        (("SENtypeRank", "sentyperank"), ("SENtype", "sentype")),
    ),
    ("Exclusions", "termlyexclusionsonroll", "TermlyExclusion", "", _EXCLUSION),
    ("HomeInformation", "addresses", "Address", "", _ADDRESS),
)

# Column of the tables (or made from them): heading of a flat extract.
FLAT = {
    "upn": "UPN",
    "surname": "Surname",
    "forename": "Forename",
    "middlenames": "Middlenames",
    "preferredsurname": "PreferredSurname",
    "formersurname": "FormerSurname",
    "uniquelearnernumber": "UniqueLearnerNumber",
    "dob": "DoB",
    "age": "Age",
    "sex": "Gender",
    "ethnicity": "Ethnicity",
    "fsm": "FSME on Census Day",
    "language": "Language",
    "ncyearactual": "NCyearActual",
    "enrolstatus": "EnrolStatus",
    "entrydate": "EntryDate",
    "estab": "Estab",
    "nativeid": "NativeID",
    "senprovision": "SENprovision",
    "need1": "SENNeed1",
    "need2": "SENNeed2",
    "senunitindicator": "SENunitIndicator",
    "resourcedprovisionindicator": "ResourcedProvisionIndicator",
    "paon": "PAON",
    "saon": "SAON",
    "street": "Street",
    "locality": "Locality",
    "town": "Town",
    "posttown": "postTown",
    "administrativearea": "AdministrativeArea",
    "postcode": "Postcode",
    "addressline1": "AddressLine1",
    "addressline2": "AddressLine2",
    "addressline3": "AddressLine3",
    "addressline4": "AddressLine4",
    "addressline5": "AddressLine5",
}


@dataclass(frozen=True)
class Spelling:
    """How one flat extract is written: which columns in which order, their headings, dates, yes and no, LAESTAB."""

    columns: Sequence[str]
    headings: dict[str, str] = field(default_factory=dict)
    dates: str = "british"
    yes_no: tuple[str, str] = ("1", "0")
    between: str = ""


SPELLINGS = {
    "census_flat": Spelling(tuple(FLAT)),
    "census_flat_spaced": Spelling(
        words(
            "laestab upn forename surname dob sex ncyearactual ethnicity language fsm senprovision need1 need2 "
            "senunitindicator resourcedprovisionindicator enrolstatus entrydate postcode"
        ),
        {
            "laestab": "LAESTAB",
            "dob": "Date of birth",
            "sex": "Sex",
            "ncyearactual": "Year group",
            "fsm": "FSM eligible",
            "senprovision": "SEN status",
            "need1": "PrimarySENtype",
            "need2": "SecondarySENtype",
        },
        "iso",
        ("Yes", "No"),
        "/",
    ),
    "census_flat_lower": Spelling(
        words(
            "laestab upn surname forename dob sex ncyearactual enrolstatus entrydate ethnicity language fsm "
            "senprovision need1 need2 senunitindicator resourcedprovisionindicator postcode"
        ),
        {
            "laestab": "laestab",
            "upn": "upn",
            "surname": "surname",
            "forename": "forename",
            "dob": "dob",
            "sex": "gender",
            "ncyearactual": "ncyearactual",
            "enrolstatus": "enrolstatus",
            "entrydate": "entrydate",
            "ethnicity": "ethnicity",
            "language": "language",
            "fsm": "fsmeligible",
            "senprovision": "senprovision",
            "need1": "sentype1",
            "need2": "sentype2",
            "senunitindicator": "senunitindicator",
            "resourcedprovisionindicator": "resourcedprovisionindicator",
            "postcode": "postcode",
        },
        "iso",
        ("True", "False"),
    ),
}
