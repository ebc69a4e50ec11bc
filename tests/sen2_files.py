"""A small hand-made SEN2 return, and a writer for each form that it comes in, apart from the reader's layout."""

from __future__ import annotations

import csv
import datetime as dt
import io
from xml.sax.saxutils import escape

import openpyxl

KEY = bytes(range(32))
CENSUS = {2023: "2023-01-19", 2024: "2024-01-18", 2025: "2025-01-16", 2026: "2026-01-15"}
# Check letters worked out by hand after formats.md 1.5.
UPN = {"1": "C999000000001", "4": "R999000000002", "5": "F999000000003"}
ULN = "9900000001"
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
PLACE = "urn ukprn sensetting sensettingother placementrank senunitindicator resourcedprovisionindicator"


def columns(table: str, year: int) -> list[str]:
    """Columns of a blade after formats.md 3.4, without ids."""
    new24, new25 = year >= 2024, year >= 2025
    text = {
        "sen2": "collection year referencedate sourcelevel lea softwarecode release serialno datetime dmo dco"
        + (" dsco" if new25 else ""),
        "person": "surname forename personbirthdate "
        + ("sex" if new24 else "gendercurrent")
        + " ethnicity postcode upn uniquelearnernumber upnunknown",
        "requests": "receiveddate "
        + ("requestsource " if new25 else "")
        + "rya requestoutcomedate requestoutcome requestmediation requesttribunal exported",
        "assessment": "assessmentoutcome assessmentoutcomedate assessmentmediation assessmenttribunal othermediation "
        "othertribunal week20",
        "namedplan": "startdate planres planwbp pb oa dp ceasedate ceasereason",
        "plandetail": PLACE,
        "activeplans": "transferla "
        + ("reviewmeeting reviewoutcome " if new24 else "res wbp ")
        + ("reviewdraft phasetransferduedate phasetransferfinaldate " if new25 else "")
        + "lastreview",
        "placementdetail": PLACE + " entrydate leavingdate" + (" res wbp" if new24 else " attendancepattern"),
        "senneed": "sentype sentyperank",
    }
    return text[table].split()


def day(text: str, days: int = 0) -> str:
    return (dt.date.fromisoformat(text) + dt.timedelta(days=days)).isoformat()


def a_return(year: int = 2025) -> dict[str, list[dict[str, str]]]:
    """Six persons, seven requests. Of the plans issued in the year before, one took 140 days and one 141."""
    flow = year - 1
    sex = {"M": "M", "F": "F"} if year >= 2024 else {"M": "1", "F": "2"}
    first = "sex" if year >= 2024 else "gendercurrent"
    people = [
        ("1", "2012-03-04", "M", "WBRI", UPN["1"], "", ""),
        ("2", "2009-09-01", "F", "APKN", "", ULN, ""),
        ("3", "2020-05-06", "M", "BSOM", "", "", "UN2"),
        ("4", "2014-08-31", "F", "WROM", UPN["4"], "", ""),
        ("5", "2010-01-02", "M", "ABAN", UPN["5"], "", ""),
        ("6", "2018-11-12", "F", "REFU", "", "", "UN8"),
    ]
    r: dict[str, list[dict[str, str]]] = {t: [] for t in ("sen2", *PARENT)}
    r["sen2"].append(
        dict(
            id="1", collection="SEN2", year=str(year), referencedate=CENSUS[year], sourcelevel="L", lea="821",
            softwarecode="Made", release="1", serialno="001", datetime=f"{year}-02-01T09:00:00", dmo="Y", dco="N",
            dsco="R",
        )
    )  # fmt: skip
    for key, born, person_sex, ethnicity, upn, uln, why in people:
        r["person"].append(
            {
                "id": key, "parent": "1", "surname": "Neverread", "forename": "Notkept", "personbirthdate": born,
                first: sex[person_sex], "ethnicity": ethnicity, "postcode": f"XL1 {key}AA", "upn": upn,
                "uniquelearnernumber": uln, "upnunknown": why,
            }
        )  # fmt: skip

    def request(key, person, received, outcome, decided="", **more):
        r["requests"].append(
            dict(id=key, parent=person, receiveddate=received, requestsource="2", rya="0", requestoutcome=outcome,
                 requestoutcomedate=decided, requestmediation="0", requesttribunal="0") | more
        )  # fmt: skip

    def assessment(key, outcome, issued, week20):
        r["assessment"].append(
            dict(id=key, parent=key, assessmentoutcome=outcome, assessmentoutcomedate=issued, assessmentmediation="0",
                 assessmenttribunal="0", othermediation="0", othertribunal="1", week20=week20)
        )  # fmt: skip

    def plan(key, start, urn="", setting="", transfer="", needs=(), **review):
        place = dict(urn=urn, sensetting=setting, placementrank="1", senunitindicator="0")
        place["resourcedprovisionindicator"] = "1"
        r["namedplan"].append(dict(id=key, parent=key, startdate=start, planwbp="S", pb="1", oa="0", dp="E"))
        r["plandetail"].append(dict(id=f"{len(r['plandetail']) + 1}", parent=key, **place))
        at_plan, at_place = ({}, dict(res="A", wbp="T")) if year >= 2024 else (dict(res="A", wbp="T"), {})
        r["activeplans"].append(dict(id=key, parent=key, transferla=transfer) | at_plan | review)
        r["placementdetail"].append(
            dict(id=f"{len(r['placementdetail']) + 1}", parent=key, entrydate=start, attendancepattern="FT")
            | place | at_place
        )  # fmt: skip
        for rank, need in enumerate(needs, 1):
            r["senneed"].append(dict(id=f"{len(r['senneed']) + 1}", parent=key, sentype=need, sentyperank=str(rank)))

    start = f"{flow}-01-10"
    request("1", "1", start, "Y", f"{flow}-02-20")
    assessment("1", "Y", day(start, 140), "0")
    plan("1", day(start, 140), urn="900060", needs=("ASD", "SLCN"))
    request("2", "2", f"{flow}-03-01", "Y", f"{flow}-04-02")
    assessment("2", "Y", day(f"{flow}-03-01", 141), "1")
    plan("2", day(f"{flow}-03-01", 141), setting="OLA", needs=("DS" if year >= 2025 else "OTH",))
    request("3", "3", f"{flow}-05-05", "N", f"{flow}-06-10", requestmediation="1")
    request("4", "4", "2019-01-15", "H")
    assessment("4", "H", "", "")
    plan("4", "2019-06-01", urn="900061", needs=("SEMH",), reviewmeeting=f"{flow}-10-01", reviewoutcome="M",
         lastreview=f"{flow}-10-20", phasetransferduedate=f"{year}-02-15")  # fmt: skip
    request("5", "5", "2018-02-03", "H")
    assessment("5", "H", "", "")
    plan("5", "2018-07-01", urn="900062", transfer="873", needs=("PD",))
    request("6", "6", f"{flow}-11-20", "A")
    request("7", "6", f"{flow}-12-01", "W", exported="")
    return r


def find(r, table, key):
    return next(row for row in r[table] if row["id"] == key)


# XML

PROPER = """
    Collection Year ReferenceDate SourceLevel LEA SoftwareCode Release SerialNo DateTime DMO DCO DSCO
    Surname Forename PersonBirthDate Sex GenderCurrent Ethnicity PostCode UPN UniqueLearnerNumber
    UPNunknown ReceivedDate RequestSource RYA RequestOutcomeDate RequestOutcome RequestMediation
    RequestTribunal Exported AssessmentOutcome AssessmentOutcomeDate AssessmentMediation
    AssessmentTribunal OtherMediation OtherTribunal Week20 StartDate URN UKPRN SENSetting
    SENSettingOther PlacementRank SENunitIndicator ResourcedProvisionIndicator PlanRes PlanWBP PB OA DP
    CeaseDate CeaseReason TransferLA EntryDate LeavingDate AttendancePattern Res WBP SENtype SENtypeRank
    ReviewMeeting ReviewOutcome ReviewDraft PhaseTransferDueDate PhaseTransferFinalDate LastReview
"""
NAMES = {name.casefold(): name for name in PROPER.split()}
ELEMENTS = {
    "person": "Person",
    "requests": "Requests",
    "assessment": "Assessment",
    "namedplan": "NamedPlan",
    "plandetail": "PlanDetail",
    "activeplans": "ActivePlans",
    "placementdetail": "PlacementDetail",
    "senneed": "SENneed",
}


def _leaves(row, spell=lambda n: n):
    return [
        f"<{spell(NAMES[c])}>{escape(v)}</{spell(NAMES[c])}>" for c, v in row.items() if c not in ("id", "parent") and v
    ]


def xml_text(r, year, *, arrange=lambda parts: parts, spell=lambda name: name, root='<Message xmlns="urn:x">'):
    known = {t: {"id", "parent", *columns(t, year)} for t in r}

    def record(table, row):
        leaves = _leaves({c: v for c, v in row.items() if c in known[table]}, spell)
        inner = [record(t, x) for t, p in PARENT.items() if p == table for x in r[t] if x.get("parent") == row["id"]]
        name = spell(ELEMENTS[table])
        return f"<{name}>" + "".join(arrange(leaves + inner)) + f"</{name}>"

    heads = []
    for header in r["sen2"]:
        details = {c: header[c] for c in ("collection", "year", "referencedate") if c in header}
        source = {c: v for c, v in header.items() if c in known["sen2"] and c not in details}
        heads.append(
            "<Header><CollectionDetails>" + "".join(_leaves(details)) + "</CollectionDetails><Source>"
            + "".join(_leaves(source)) + "</Source></Header>"
        )  # fmt: skip
    persons = "<Persons>" + "".join(record("person", p) for p in r["person"]) + "</Persons>"
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + root + "".join([*heads, persons]) + "</Message>"


def write_xml(folder, r, year, name="return.xml", **how):
    path = folder / name
    path.write_text(xml_text(r, year, **how), encoding="utf-8")
    return path


# CSV


def csv_text(headings, rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([headings, *rows])
    return out.getvalue()


def blade_date(value):
    try:
        return dt.date.fromisoformat(value).strftime("%Y-%b-%d 00:00:00")
    except ValueError:
        return value


def blade_text(r, table, year, source="77"):
    parent = PARENT.get(table)
    names = columns(table, year)
    ids = [f"{table}tableid", *([f"{parent}tableid"] if parent else [])]
    headings = [*ids, "NativeId", f"{table}orderseqcolumn", "sourceid", *names]
    rows = [
        [row["id"], *([row.get("parent", "")] if parent else []), "821", str(n), row.get("source", source)]
        + [blade_date(row.get(c, "")) for c in names]
        for n, row in enumerate(r[table], 1)
    ]
    return csv_text(headings, rows)


def write_blades(folder, r, year, *, leave_out=(), prefix="Blade-Export_01-02-2025_", source="77"):
    folder.mkdir(parents=True, exist_ok=True)
    for table in r:
        if table not in leave_out:
            (folder / f"{prefix}{table}.csv").write_text(blade_text(r, table, year, source), encoding="utf-8-sig")
    return folder


# Forms with ids of person and request only


def wide(r):
    """Every row with the ids of its person and request, as the template and the workbook have them."""
    at = {t: {row["id"]: row for row in rows} for t, rows in r.items()}

    def request_of(table, row):
        while table != "requests":
            table, row = PARENT[table], at[PARENT[table]][row["parent"]]
        return row

    out = {"sen2": r["sen2"], "person": [{**p, "_p": p["id"]} for p in r["person"]]}
    for table in list(PARENT)[1:]:
        out[table] = []
        for row in r[table]:
            request = request_of(table, row)
            out[table].append({**row, "_p": request["parent"], "_r": request["id"]})
    return out


SHEETS = {
    "person": "Person", "requests": "Requests", "assessment": "Assessments", "namedplan": "Named Plan",
    "plandetail": "Plan Detail", "activeplans": "Active Plan", "placementdetail": "Placement Detail",
    "senneed": "SEN Need",
}  # fmt: skip


def write_presubmission(folder, r, year, name="presubmission.xlsx"):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for table, sheet in SHEETS.items():
        page = book.create_sheet(sheet)
        names = columns(table, year)
        spelt = ["rquestsource" if n == "requestsource" else n for n in names]
        both = table != "person"
        page.append(["persontableid", *(["requeststableid"] if both else []), *spelt])
        for row in wide(r)[table]:
            page.append([float(row["_p"]), *([row["_r"]] if both else []), *(row.get(c, "") or None for c in names)])
    path = folder / name
    book.save(path)
    return path


BLOCKS = {
    "sen2": "Header Record", "person": "Person Record", "requests": "Requests Records",
    "assessment": "Assessments Records", "namedplan": "Named Plan Records", "plandetail": "Plan Detail Records",
    "activeplans": "Active Plan Records", "placementdetail": "Placement Detail Records", "senneed": "SEN Need Records",
}  # fmt: skip
LONG = {
    "collection": "Collection Name", "year": "Year", "referencedate": "Reference Date", "sourcelevel": "Source Level",
    "lea": "LA Number", "softwarecode": "Software Code", "release": "Release", "serialno": "Serial Number",
    "datetime": "Date & Time \n(ccyy-mm-ddThh:mm:ss)", "dmo": "Designated Medical Officer",
    "dco": "Designated Clinical Officer", "dsco": "Designated Social Care Officer", "surname": "Surname",
    "forename": "Forename", "personbirthdate": "Date of Birth \n(ccyy-mm-dd)", "gendercurrent": "Gender", "sex": "Sex",
    "ethnicity": "Ethnicity", "postcode": "Post Code", "upn": "UPN - Unique Pupil Number",
    "uniquelearnernumber": "ULN - Young Persons Unique Learner Number",
    "upnunknown": "UPN and ULN unavailable – Reason", "receiveddate": "Date request was received",
    "requestsource": "Source of request for an EHC needs assessment", "rya": "Initial Request Whilst In RYA",
    "requestoutcomedate": "Request Outcome Date", "requestoutcome": "Request Outcome",
    "requestmediation": "Request Mediation", "requesttribunal": "Request Tribunal",
    "exported": "Exported - Child or young person moves out of LA before assessment is completed",
    "assessmentoutcome": "Assessment Outcome - Decision to issue EHC plan",
    "assessmentoutcomedate": "Assessment Outcome Date", "assessmentmediation": "Assessment Mediation",
    "assessmenttribunal": "Assessment Tribunal", "othermediation": "Other Mediation",
    "othertribunal": "Other Tribunal", "week20": "Twenty week time limit exceptions apply",
    "startdate": "EHC Plan Start Date", "planres": "Residential Settings", "planwbp": "Work Based Learning Activity",
    "pb": "Personal Budget taken up", "oa": "Personal Budget - Organised Arrangements",
    "dp": "Personal Budget - Direct Payments", "ceasedate": "Date EHC plan ceased",
    "ceasereason": "Reason EHC plan ceased", "urn": "URN - Unique Reference Number",
    "ukprn": "UKPRN - UK Provider Reference Number", "sensetting": "SEN Setting – Establishment type",
    "sensettingother": "SEN Setting - Other", "placementrank": "Placement Rank (1=Primary, 2=Secondary)",
    "senunitindicator": "SEN Unit Indicator", "resourcedprovisionindicator": "Resourced Provision Indicator",
    "transferla": "EHC Plan transferred in from another LA during calendar year", "res": "Residential Settings",
    "wbp": "Work Based Learning Activity", "reviewmeeting": "Annual Review Meeting Date",
    "reviewoutcome": "Annual Review Decision", "reviewdraft": "Annual review – date draft amended EHC plan issued",
    "phasetransferduedate": "Phase transfer review - due date for any amended plan",
    "phasetransferfinaldate": "Phase transfer review - final plan date", "lastreview": "EHC Plan Review Decisions Date",
    "entrydate": "Placement Start Date", "leavingdate": "Placement Leaving Date",
    "attendancepattern": "Attendance Pattern", "sentype": "SEN Type of Need",
    "sentyperank": "SEN Type of Need rank  (1=Primary, 2=Secondary)",
}  # fmt: skip
YES_NO = """
    rya requestmediation requesttribunal assessmentmediation assessmenttribunal othermediation othertribunal week20 pb
    oa senunitindicator resourcedprovisionindicator
"""


def write_template(folder, r, year, name="template.xlsx"):
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Data Entry Template"
    book.create_sheet("Guidance").append(["Fill in the sheet before this one."])
    page.append(["SEN2 data entry"])
    for table, block in BLOCKS.items():
        names = columns(table, year)
        page.append([])
        page.append([block])
        ids = []
        if table == "person":
            ids = ["Person ID\n\n(This must be a unique ID for each Person record)"]
        elif table == "requests":
            ids = [
                "Requests record ID\n\n(This must be a unique ID for each Requests record)",
                "Person ID\n\n(This must match the relevant ID in the Person record table)",
            ]
        elif table != "sen2":
            ids = [
                "Requests record ID\n\n(This must match the relevant ID in the Requests table)",
                "Person ID\n\n(This must match the relevant ID in the Person record table)",
            ]
        page.append(["Record Type", *ids, "LA\n(From Header Record)", *(LONG[c] for c in names)])
        for row in wide(r)[table]:
            keys = {0: [], 1: [row.get("_p")], 2: [row.get("_r"), row.get("_p")]}[len(ids)]
            page.append([table[:1].upper(), *(float(k) for k in keys), 821, *(_cell(c, row.get(c, "")) for c in names)])
    path = folder / name
    book.save(path)
    return path


def _cell(column, value):
    if column in YES_NO.split() and value in ("0", "1"):
        return float(value)
    return value or None


MODULE_COLUMNS = {
    "m1": ("person", {"Surname": "surname", "Forename": "forename", "Dob (ccyy-mm-dd)": "personbirthdate",
           "Gender": "sex", "Ethnicity": "ethnicity", "Postcode": "postcode", "UPN - Unique Pupil Number": "upn",
           "ULN - Young Persons Unique Learner Number": "uniquelearnernumber",
           "UPN and ULN unavailable reason": "upnunknown"}),
    "m2": ("requests", {"Date Request Was Received": "receiveddate", "Initial Request Whilst In RYA": "rya",
           "Request Outcome Date": "requestoutcomedate", "Request Outcome": "requestoutcome",
           "Request Mediation": "requestmediation", "Request Tribunal": "requesttribunal",
           "Exported - Child Or Young Person Moves Out Of LA Before Assessment Is Completed": "exported",
           "New start date": "-"}),
    "m3": ("assessment", {"Assessment Outcome To Issue EHCP": "assessmentoutcome",
           "Assessment Outcome Date": "assessmentoutcomedate", "Assessment Mediation": "assessmentmediation",
           "Assessment Tribunal": "assessmenttribunal", "Other Mediation": "othermediation",
           "Other Tribunal": "othertribunal", "Twenty Weeks Time Limit Exceptions Apply": "week20"}),
    "m4": ("namedplan", {"EHC Plan Start Date": "startdate", "Residential Settings": "planres",
           "Worked based learning activity": "planwbp", "Personal budget taken up": "pb",
           "Personal budget - organised arrangements": "oa", "Personal budget - direct payments": "dp",
           "Date EHC Plan Ceased": "ceasedate", "Reason EHC Plan Ceased": "ceasereason"}),
    "m5": ("activeplans", {"EHC Plan (Transfer)": "transferla", "Residential Settings": "res",
           "Worked based learning activity": "wbp", "EHCP review decisions date": "lastreview"}),
}  # fmt: skip
REQUEST_HEADING = {"m2": "Requests Record ID", "m3": "Requests Record ID"}


def write_modules(folder, r, year, *, leave_out=(), rename=None):
    folder.mkdir(parents=True, exist_ok=True)
    for module, (table, names) in MODULE_COLUMNS.items():
        if module in leave_out:
            continue
        both = table != "person"
        ids = ["Person ID", *([REQUEST_HEADING.get(module, "Request Records ID")] if both else [])]
        rows = []
        for row in wide(r)[table]:
            cells = [row.get("gendercurrent", row.get(c, "")) if c == "sex" else row.get(c, "") for c in names.values()]
            rows.append([row["_p"], *([row["_r"]] if both else []), *map(_uk, cells)])
        headings = [(rename or {}).get(h, h) for h in [*ids, *names]]
        (folder / f"{module}.csv").write_text(csv_text(headings, rows), encoding="cp1252")
    return folder


def _uk(value):
    try:
        return dt.date.fromisoformat(value).strftime("%d/%m/%Y")
    except ValueError:
        return value
