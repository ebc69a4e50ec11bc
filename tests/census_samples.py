"""Twelve pupils of three schools, made up by hand, in every form that a census comes in; and what they must give.

Pupil numbers have the authority 999, which does not exist, and postcodes the area XL, which nobody uses.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from jsna.sources.homes import Homes
from jsna.sources.identity import make_upn, pseudonyms
from jsna.sources.pupil_table import Context

KEY = bytes(range(32))
DAY = "2026-01-15"
AREA = "E06000032"
SCHOOLS = {"9060": ("900060", "PS"), "9061": ("900061", "SS"), "9062": ("900062", "SP")}
HERE, THERE, ELSEWHERE = "E01015693", "E01015695", "E01099999"
POSTCODES = {"XL1 1AA": HERE, "XL1 1AB": THERE, "XL9 9ZZ": ELSEWHERE}


@dataclass(frozen=True)
class Pupil:
    """One record of a return, as the school has it."""

    serial: int
    estab: str
    dob: str
    sex: str
    ethnicity: str
    language: str
    year: str
    status: str
    provision: str
    needs: tuple[tuple[str, str], ...] = ()
    meals: tuple[tuple[str, str], ...] = ()
    postcode: str = "XL1 1AA"
    unit: str = "0"
    resourced: str = "0"
    upn: str = ""

    @property
    def number(self) -> str:
        return self.upn or make_upn("999", "9060", "20", f"{self.serial:03}")

    @property
    def eligible(self) -> bool:
        return any(start <= DAY and (not end or end >= DAY) for start, end in self.meals)


PUPILS = (
    Pupil(1, "9060", "2015-08-31", "F", "WBRI", "ENG", "6", "C", "N"),
    Pupil(2, "9060", "2015-09-01", "M", "BSOM", "SOM", "5", "C", "K", (("1", "SLCN"),), (("2024-09-01", ""),)),
    Pupil(
        3,
        "9060",
        "2016-02-29",
        "F",
        "ABRI",
        "PNJM",
        "5",
        "C",
        "E",
        (("2", "MLD"), ("1", "ASD")),
        (("2023-01-01", "2026-01-14"),),
        "XL1 1AB",
    ),
    Pupil(4, "9060", "2019-05-05", "M", "AWEL", "ENB", "M", "C", "N", (), (("2025-01-01", "2026-01-15"),)),
    Pupil(5, "9060", "2022-10-10", "F", "BBRI", "NOT", "E2", "C", "N", postcode="XL9 9ZZ"),
    Pupil(
        6,
        "9061",
        "2010-01-01",
        "M",
        "BWEL",
        "REF",
        "11",
        "C",
        "K",
        (("1", "SEMH"), ("2", "SPLD")),
        (("2020-01-01", "2021-01-01"), ("2026-01-15", "")),
        unit="1",
    ),
    Pupil(7, "9061", "2008-03-03", "F", "REFU", "ENG", "13", "C", "N"),
    Pupil(8, "9061", "2012-12-12", "M", "WROG", "RME", "8", "C", "K", (("1", "NSA"),), resourced="1"),
    Pupil(9, "9062", "2013-06-06", "M", "NOBT", "ZZZ", "X", "C", "E", (("1", "PMLD"),)),
    Pupil(10, "9062", "2007-07-07", "F", "CHNE", "CHIC", "14", "C", "E", (("1", "SLD"), ("2", "VI")), postcode=""),
    Pupil(11, "9061", "2011-11-11", "F", "MOTH", "POL", "9", "M", "N"),
    Pupil(11, "9062", "2011-11-11", "F", "MOTH", "POL", "9", "S", "N"),
)

_HOME = {
    "XL1 1AA": (HERE, "E05014735", 24017, 8, "2025"),
    "XL1 1AB": (THERE, "E05014735", 9425, 3, "2025"),
    "XL9 9ZZ": (ELSEWHERE, "unknown", 100, 1, "2025"),
    "": ("", "unknown", 0, 0, ""),
}
# Worked out by hand from the twelve above: serial, phase, year group, age, main ethnicity, language, its group, meals,
# primary and secondary need, in a unit.
_BY_HAND = (
    (1, "primary", "6", 10, "WBRI", "ENG", "ENG", False, "", "", False),
    (2, "primary", "5", 9, "BAFR", "SOM", "OTH", True, "SLCN", "", False),
    (3, "primary", "5", 9, "AOTH", "PNJ", "OTH", False, "ASD", "MLD", False),
    (4, "primary", "2", 6, "AOTH", "ENB", "ENG", True, "", "", False),
    (5, "primary", "N1", 2, "BOTH", "NOT", "UNC", False, "", "", False),
    (6, "secondary", "11", 15, "BOTH", "REF", "UNC", True, "SEMH", "SPLD", True),
    (7, "secondary", "13", 17, "REFU", "ENG", "ENG", False, "", "", False),
    (8, "secondary", "8", 12, "WROM", "RME", "OTH", False, "NSA", "", True),
    (9, "special", "8", 12, "NOBT", "ZZZ", "UNC", False, "PMLD", "", False),
    (10, "special", "14", 18, "CHNE", "CHI", "OTH", False, "SLD", "VI", False),
    (11, "secondary", "9", 13, "MOTH", "POL", "OTH", False, "", "", False),
)


def expected(time_period: str = "202526", day: str = DAY) -> pd.DataFrame:
    """The canonical table of the twelve, as text in every column."""
    rows = []
    for serial, phase, year, age, ethnicity, language, group, meals, first, second, unit in _BY_HAND:
        pupil = next(p for p in PUPILS if p.serial == serial)
        rows.append(
            (
                pseudonyms(pd.Series([pupil.number]), KEY)[0],
                day,
                time_period,
                AREA,
                SCHOOLS[pupil.estab][0],
                phase,
                *_HOME[pupil.postcode][:2],
                year,
                age,
                pupil.sex,
                ethnicity,
                pupil.ethnicity,
                language,
                group,
                meals,
                *_HOME[pupil.postcode][2:],
                pupil.provision,
                first,
                second,
                unit,
                pupil.status,
            )
        )
    from jsna.sources.pupil_table import COLUMNS

    return as_text(pd.DataFrame(rows, columns=list(COLUMNS)))


def as_text(frame: pd.DataFrame, without: Sequence[str] = ()) -> pd.DataFrame:
    """A pupil table as text, in the order of what it says, so that two tables can be compared."""
    text = frame.astype("str").drop(columns=list(without))
    return text.sort_values(list(text.columns), ignore_index=True)


def context(directory: bool = True, register: bool = True) -> Context:
    """What the twelve are read with: three LSOAs, a directory of three postcodes, a register of three schools."""
    lsoas = pd.DataFrame(
        [(h[0], h[1] if h[1] != "unknown" else "", *h[2:]) for p, h in _HOME.items() if p],
        columns=["lsoa21", "ward_code", "idaci_rank", "idaci_decile", "idaci_edition"],
    )
    postcodes = pd.DataFrame({"postcode": list(POSTCODES), "terminated": "", "lsoa21": list(POSTCODES.values())})
    phases = {"PS": "primary", "SS": "secondary", "SP": "special"}
    schools = pd.DataFrame(
        [(urn, "821" + estab, phases[phase]) for estab, (urn, phase) in SCHOOLS.items()],
        columns=["urn", "laestab", "phase"],
    )
    return Context(AREA, KEY, Homes(lsoas, postcodes if directory else None), schools if register else None)


def csv_text(rows: Iterable[dict[str, str]], delimiter: str = ",") -> str:
    """Rows as delimited text; the columns are those of the first."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def put(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def collect_date(iso: str) -> str:
    """A date as COLLECT writes it: 2026-Jan-15 00:00:00."""
    return f"{iso[:4]}-{MONTHS[int(iso[5:7]) - 1]}-{iso[8:]} 00:00:00" if iso else ""


def collect_tables(
    pupils: Sequence[Pupil] = PUPILS, day: str = DAY, first: int = 0, term: str = "SPR"
) -> dict[str, list[dict[str, str]]]:
    """The tables of one delivery as COLLECT exports them in the year of ``day``; ids count from ``first``."""
    start = int(day[:4]) - 1
    school_ids = {estab: str(first + i) for i, estab in enumerate(SCHOOLS, 1)}
    tables: dict[str, list[dict[str, str]]] = {
        k: [] for k in ("schoolcensus", "school", "pupilonroll", "addresses", "senneeds", "fsmperiod")
    }
    for estab, (urn, phase) in SCHOOLS.items():
        ids = {"schoolcensustableid": school_ids[estab], "NativeId": "821" + estab}
        head = {**ids, "schoolcensusorderseqcolumn": "1", "sourceid": "1", "term": term, "collection": "SC"}
        head |= {"name": "", "year": day[:4], "referencedate": collect_date(day), "sourcelevel": "S", "estab": estab}
        head |= {"lea": "821"} | ({"urn": urn} if start >= 2018 else {})
        tables["schoolcensus"].append(head)
        of_school = {"schooltableid": str(first + 100 + int(estab)), "NativeId": ids["NativeId"]}
        of_school |= {"schoolorderseqcolumn": "1", "sourceid": "1", "schoolcensustableid": school_ids[estab]}
        tables["school"].append({**of_school, "schoolname": "A school", "phase": phase, "governance": "CO"})
    for place, p in enumerate(pupils, 1):
        key = {"pupilonrolltableid": str(first + 1000 + place), "NativeId": "821" + p.estab}
        row = {**key, "pupilonrollorderseqcolumn": str(place), "sourceid": "1"}
        row |= {"schoolcensustableid": school_ids[p.estab], "upn": p.number, "surname": "Surname0001"}
        row |= {"forename": "Forename0001", "dob": collect_date(p.dob), "sex" if start >= 2024 else "gender": p.sex}
        row |= {"ncyearactual": p.year, "ethnicity": p.ethnicity, "language": p.language, "enrolstatus": p.status}
        row |= {"senprovision": p.provision, "senunitindicator": p.unit, "resourcedprovisionindicator": p.resourced}
        tables["pupilonroll"].append(row)

        def child(kind: str, n: int, key: dict = key, **cells: str) -> None:
            ids = {f"{kind}tableid": str(first + 5000 + len(tables[kind])), **key}
            tables[kind].append({**ids, f"{kind}orderseqcolumn": str(n), "sourceid": "1", **cells})

        for n, (rank, need) in enumerate(p.needs, 1):
            child("senneeds", n, sentyperank=rank, sentype=need)
        for n, (begin, end) in enumerate(p.meals, 1):
            child("fsmperiod", n, fsmstartdate=collect_date(begin), fsmenddate=collect_date(end), ukcountry="ENG")
        if p.postcode:
            child("addresses", 1, postcode=p.postcode, street="A street", town="A town")
    return tables


def write_blades(folder: Path, tables: dict[str, list[dict[str, str]]], stem: str = "2026_spring_") -> Path:
    for kind, rows in ((k, r) for k, r in tables.items() if r):
        put(folder / f"{stem}{kind}.csv", csv_text(rows))
    return folder


def zip_folder(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*.csv")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def pupil_xml(p: Pupil, ns: str = "", sex: str = "Sex") -> str:
    """One pupil, with the second need before the first where the record has them so."""

    def tag(name: str, text: str) -> str:
        return f"<{ns}{name}>{text}</{ns}{name}>"

    needs = "".join(tag("SENneed", tag("SENtypeRank", r) + tag("SENtype", n)) for r, n in p.needs)
    meals = "".join(tag("FSMperiod", tag("FSMstartDate", a) + (tag("FSMendDate", b) if b else "")) for a, b in p.meals)
    return "\n" + tag(
        "PupilOnRoll",
        tag(
            "PupilIdentifiers",
            tag("UPN", p.number) + tag("Surname", "Surname0001") + tag("DOB", p.dob) + tag(sex, p.sex),
        )
        + tag(
            "PupilCharacteristics",
            tag("Ethnicity", p.ethnicity) + tag("Language", p.language) + tag("FSMperiods", meals),
        )
        + tag("PupilStatus", tag("EnrolStatus", p.status) + tag("NCyearActual", p.year))
        + tag(
            "SpecialEducationalNeeds",
            tag("SENprovision", p.provision)
            + (tag("SENneeds", needs) if needs else "")
            + tag("SENunitIndicator", p.unit)
            + tag("ResourcedProvisionIndicator", p.resourced),
        )
        + tag("HomeInformation", tag("Address", tag("Street", "A street") + (tag("PostCode", p.postcode)))),
    )


def header_xml(ns: str = "", day: str = DAY, collection: str = "SC", term: str = "SPR", estab: str = "") -> str:
    ids = f"<{ns}Estab>{estab}</{ns}Estab><{ns}URN>{SCHOOLS[estab][0]}</{ns}URN>" if estab else ""
    return (
        f"<{ns}Header><{ns}CollectionDetails><{ns}Collection>{collection}</{ns}Collection><{ns}Term>{term}</{ns}Term>"
        f"<{ns}Year>{day[:4]}</{ns}Year><{ns}ReferenceDate>{day}</{ns}ReferenceDate></{ns}CollectionDetails>"
        f"<{ns}Source><{ns}LEA>821</{ns}LEA>{ids}</{ns}Source></{ns}Header>"
    )


def write_xml_authority(path: Path, pupils: Sequence[Pupil] = PUPILS, nested: bool = True, ns: str = "", **of) -> Path:
    """All schools in one file: the pupils within the school (``nested``), or beside it."""
    schools = ""
    for estab, (urn, phase) in SCHOOLS.items():
        leaves = {"LEA": "821", "Estab": estab, "URN": urn, "Phase": phase}
        about = "".join(f"<{ns}{leaf}>{text}</{ns}{leaf}>" for leaf, text in leaves.items())
        inside = "".join(pupil_xml(p, ns) for p in pupils if p.estab == estab)
        inside = f"<{ns}Pupils><{ns}PupilsOnRoll>{inside}</{ns}PupilsOnRoll></{ns}Pupils>"
        end = f"</{ns}School>"
        schools += f"<{ns}School>{about}{inside}{end}" if nested else f"<{ns}School>{about}{end}{inside}"
    named = f' xmlns:{ns[:-1]}="urn:made-up"' if ns else ' xmlns="urn:made-up"'
    body = f"{header_xml(ns, **of)}<{ns}LALevel><{ns}Schools>{schools}</{ns}Schools></{ns}LALevel>"
    return put(path, f'<?xml version="1.0" encoding="UTF-8"?>\n<{ns}Message{named}>{body}</{ns}Message>\n')


def write_xml_schools(folder: Path, pupils: Sequence[Pupil] = PUPILS, **of) -> Path:
    """A file a school, as the school returns it."""
    for estab, (_, phase) in SCHOOLS.items():
        inside = "".join(pupil_xml(p, sex="Gender") for p in pupils if p.estab == estab)
        head = header_xml(estab=estab, **of) + f"<School><Phase>{phase}</Phase></School>"
        text = f"<Message>{head}<Pupils><PupilsOnRoll>{inside}</PupilsOnRoll></Pupils></Message>\n"
        put(folder / f"821{estab}_SC2_821LL26_001.xml", text)
    return folder


SPELLINGS = (
    {"fsm": "FSME on Census Day", "unit": "SENunitIndicator", "resourced": "ResourcedProvisionIndicator"},
    {
        "upn": "Unique Pupil Number",
        "dob": "Date of birth",
        "sex": "Sex",
        "year": "Year group",
        "fsm": "FSM eligible",
        "laestab": "DfE number",
        "provision": "SEN status",
        "need1": "PrimarySENtype",
        "need2": "SecondarySENtype",
        "unit": "SEN unit",
        "resourced": "Resourced provision",
        "status": "Enrolment Status",
        "postcode": "Home Postcode",
    },
    {
        "upn": "upn",
        "dob": "dob",
        "sex": "gender",
        "ethnicity": "ethnicity",
        "language": "first language",
        "year": "nc year",
        "status": "enrol status",
        "laestab": "nativeid",
        "provision": "sen provision",
        "need1": "sentype1",
        "need2": "sentype2",
        "fsm": "fsmeligible",
        "unit": "senunitindicator",
        "resourced": "resourcedprovisionindicator",
        "postcode": "post code",
    },
)
_PLAIN = {
    "upn": "UPN",
    "surname": "Surname",
    "dob": "DoB",
    "sex": "Gender",
    "ethnicity": "Ethnicity",
    "language": "Language",
    "year": "NCyearActual",
    "status": "EnrolStatus",
    "laestab": "NativeID",
    "provision": "SENprovision",
    "need1": "SENNeed1",
    "need2": "SENNeed2",
    "postcode": "Postcode",
}
_YES_NO = (("1", "0"), ("Yes", "No"), ("True", "False"))


def flat_rows(pupils: Sequence[Pupil] = PUPILS, spelling: int = 0) -> list[dict[str, str]]:
    """The twelve as a flat extract in one of three spellings of headings, dates and yes or no."""
    names, (yes, no) = _PLAIN | SPELLINGS[spelling], _YES_NO[spelling]
    rows = []
    for p in pupils:
        needs = dict(p.needs)
        dob = p.dob if spelling == 1 else f"{p.dob[8:]}/{p.dob[5:7]}/{p.dob[:4]}"
        laestab = f"821/{p.estab}" if spelling == 1 else f"821{p.estab}"
        cells = {
            "upn": p.number,
            "surname": "Surname0001",
            "dob": dob,
            "sex": p.sex,
            "ethnicity": p.ethnicity,
            "language": p.language,
            "year": p.year,
            "status": p.status,
            "laestab": laestab,
            "provision": p.provision,
            "need1": needs.get("1", ""),
            "need2": needs.get("2", ""),
            "fsm": yes if p.eligible else no,
            "unit": yes if p.unit == "1" else no,
            "resourced": yes if p.resourced == "1" else no,
            "postcode": p.postcode,
        }
        rows.append({names[k]: v for k, v in cells.items()})
    return rows


def write_flat(path: Path, rows: Sequence[dict[str, str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    return put(path, csv_text(rows, delimiter), encoding)


def write_workbook(
    path: Path, sheets: dict[str, Sequence[dict[str, str]]], above: Sequence[Sequence[str]] = ()
) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in above:
            sheet.append(list(row))
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def npd_rows(
    pupils: Sequence[Pupil] = PUPILS, year: str = "26", suffix: str = "_SPR", **named: str
) -> list[dict[str, str]]:
    """The twelve as a research extract; ``named`` gives other names to fields."""
    rows = []
    for p in pupils:
        needs = dict(p.needs)
        age = 2000 + int(year) - 1 - int(p.dob[:4]) - (p.dob[5:] > "08-31")
        cells = {
            "PupilMatchingRefAnonymous": f"SYN{p.serial:015}",
            "CensusDate": f"20{year}-01-15",
            "URN": SCHOOLS[p.estab][0],
            "LAEstab": "821" + p.estab,
            "LA": "821",
            "Phase": SCHOOLS[p.estab][1],
            "Sex": p.sex,
            "YearOfBirth": p.dob[:4],
            "MonthOfBirth": str(int(p.dob[5:7])),
            "AgeAtStartOfAcademicYear": str(age),
            "NCyearActual": p.year,
            "EnrolStatus": p.status,
            "EthnicGroupMinor": p.ethnicity,
            "Language": p.language,
            "FSMeligible": "1" if p.eligible else "0",
            "SENprovision": p.provision,
            "SENprovisionMajor": {"N": "1_NON", "K": "2_SNS", "E": "3_SS"}[p.provision],
            "PrimarySENtype": needs.get("1", ""),
            "SecondarySENtype": needs.get("2", ""),
            "SENUnitIndicator": p.unit,
            "ResourcedProvisionIndicator": p.resourced,
            "LSOA21": POSTCODES.get(p.postcode, ""),
            "IDACIScore_25": "0.1",
        }
        rows.append({f"{named.get(k, k)}{suffix}{year}": v for k, v in cells.items()})
    return rows


def other(pupil: Pupil, **changes) -> Pupil:
    return replace(pupil, **changes)
