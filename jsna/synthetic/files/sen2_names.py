"""Which columns of the SEN2 tables stand under which name in XML, in the Excel template and in module files."""

from __future__ import annotations

Names = tuple[tuple[str, str], ...]

ELEMENT = {
    "person": "Person",
    "requests": "Requests",
    "assessment": "Assessment",
    "namedplan": "NamedPlan",
    "plandetail": "PlanDetail",
    "activeplans": "ActivePlans",
    "placementdetail": "PlacementDetail",
    "senneed": "SENneed",
}
_PLACE: Names = (
    ("URN", "urn"),
    ("UKPRN", "ukprn"),
    ("SENSetting", "sensetting"),
    ("SENSettingOther", "sensettingother"),
    ("PlacementRank", "placementrank"),
)
_UNITS: Names = (
    ("SENunitIndicator", "senunitindicator"),
    ("ResourcedProvisionIndicator", "resourcedprovisionindicator"),
)
# Before the children of a row, and after them.
XML_BEFORE: dict[str, Names] = {
    "person": (
        ("Surname", "surname"),
        ("Forename", "forename"),
        ("PersonBirthDate", "personbirthdate"),
        ("GenderCurrent", "gendercurrent"),
        ("Sex", "sex"),
        ("Ethnicity", "ethnicity"),
        ("PostCode", "postcode"),
        ("UPN", "upn"),
        ("UniqueLearnerNumber", "uniquelearnernumber"),
        ("UPNunknown", "upnunknown"),
    ),
    "requests": (
        ("ReceivedDate", "receiveddate"),
        ("RequestSource", "requestsource"),
        ("RYA", "rya"),
        ("RequestOutcomeDate", "requestoutcomedate"),
        ("RequestOutcome", "requestoutcome"),
        ("RequestMediation", "requestmediation"),
        ("RequestTribunal", "requesttribunal"),
        ("Exported", "exported"),
    ),
    "assessment": (
        ("AssessmentOutcome", "assessmentoutcome"),
        ("AssessmentOutcomeDate", "assessmentoutcomedate"),
        ("AssessmentMediation", "assessmentmediation"),
        ("AssessmentTribunal", "assessmenttribunal"),
        ("OtherMediation", "othermediation"),
        ("OtherTribunal", "othertribunal"),
        ("Week20", "week20"),
    ),
    "namedplan": (("StartDate", "startdate"),),
    "plandetail": (*_PLACE, *_UNITS),
    "activeplans": (("TransferLA", "transferla"), ("Res", "res"), ("WBP", "wbp")),
    "placementdetail": (
        *_PLACE,
        ("EntryDate", "entrydate"),
        ("LeavingDate", "leavingdate"),
        ("AttendancePattern", "attendancepattern"),
        *_UNITS,
        ("Res", "res"),
        ("WBP", "wbp"),
    ),
    "senneed": (("SENtype", "sentype"), ("SENtypeRank", "sentyperank")),
}
XML_AFTER: dict[str, Names] = {
    "namedplan": (
        ("PlanRes", "planres"),
        ("PlanWBP", "planwbp"),
        ("PB", "pb"),
        ("OA", "oa"),
        ("DP", "dp"),
        ("CeaseDate", "ceasedate"),
        ("CeaseReason", "ceasereason"),
    ),
    "activeplans": (
        ("ReviewMeeting", "reviewmeeting"),
        ("ReviewOutcome", "reviewoutcome"),
        ("ReviewDraft", "reviewdraft"),
        ("PhaseTransferDueDate", "phasetransferduedate"),
        ("PhaseTransferFinalDate", "phasetransferfinaldate"),
        ("LastReview", "lastreview"),
    ),
}
XML_HEADER: Names = (
    ("SourceLevel", "sourcelevel"),
    ("LEA", "lea"),
    ("SoftwareCode", "softwarecode"),
    ("Release", "release"),
    ("SerialNo", "serialno"),
    ("DateTime", "datetime"),
    ("DMO", "dmo"),
    ("DCO", "dco"),
    ("DSCO", "dsco"),
)

_PERSON_ID = "Person ID\n\n(This must match the relevant ID in the Person record table)"
_REQUEST_ID = "Requests record ID\n\n(This must match the relevant ID in the Requests table)"
_LA = ("LA\n(From Header Record)", "NativeId")
_TEMPLATE_PLACE: Names = (
    ("URN - Unique Reference Number", "urn"),
    ("UKPRN - UK Provider Reference Number", "ukprn"),
    ("SEN Setting – Establishment type", "sensetting"),
    ("SEN Setting - Other", "sensettingother"),
    ("Placement Rank (1=Primary, 2=Secondary)", "placementrank"),
)
_TEMPLATE_UNITS: Names = (
    ("SEN Unit Indicator", "senunitindicator"),
    ("Resourced Provision Indicator", "resourcedprovisionindicator"),
)
_KEYS: Names = ((_PERSON_ID, "persontableid"), (_REQUEST_ID, "requeststableid"), _LA)
# Table: title of its block, and its headings; the two columns of a kind of which a year has one stand both here.
TEMPLATE: dict[str, tuple[str, Names]] = {
    "sen2": (
        "Header Record",
        (
            ("Collection Name", "collection"),
            ("Year", "year"),
            ("Reference Date", "referencedate"),
            ("Source Level", "sourcelevel"),
            ("Software Code", "softwarecode"),
            ("Release", "release"),
            ("Serial Number", "serialno"),
            ("Date & Time \n(ccyy-mm-ddThh:mm:ss)", "datetime"),
            ("LA Number", "lea"),
            ("Designated Medical Officer", "dmo"),
            ("Designated Clinical Officer", "dco"),
            ("Designated Social Care Officer", "dsco"),
        ),
    ),
    "person": (
        "Person Record",
        (
            ("Person ID\n\n(This must be a unique ID for each Person record)", "persontableid"),
            _LA,
            ("Surname", "surname"),
            ("Forename", "forename"),
            ("Date of Birth \n(ccyy-mm-dd)", "personbirthdate"),
            ("Gender", "gendercurrent"),
            ("Sex", "sex"),
            ("Ethnicity", "ethnicity"),
            ("Post Code", "postcode"),
            ("UPN - Unique Pupil Number", "upn"),
            ("ULN - Young Persons Unique Learner Number", "uniquelearnernumber"),
            ("UPN and ULN unavailable – Reason", "upnunknown"),
        ),
    ),
    "requests": (
        "Requests Records",
        (
            ("Requests record ID\n\n(This must be a unique ID for each Requests record)", "requeststableid"),
            _LA,
            (_PERSON_ID, "persontableid"),
            ("Date request was received", "receiveddate"),
            ("Request Source", "requestsource"),
            ("Initial Request Whilst In RYA", "rya"),
            ("Request Outcome Date", "requestoutcomedate"),
            ("Request Outcome", "requestoutcome"),
            ("Request Mediation", "requestmediation"),
            ("Request Tribunal", "requesttribunal"),
            ("Exported - Child or young person moves out of LA before assessment is completed", "exported"),
        ),
    ),
    "assessment": (
        "Assessments Records",
        (
            *_KEYS,
            ("Assessment Outcome - Decision to issue EHC plan", "assessmentoutcome"),
            ("Assessment Outcome Date", "assessmentoutcomedate"),
            ("Assessment Mediation", "assessmentmediation"),
            ("Assessment Tribunal", "assessmenttribunal"),
            ("Other Mediation", "othermediation"),
            ("Other Tribunal", "othertribunal"),
            ("Twenty week time limit exceptions apply", "week20"),
        ),
    ),
    "namedplan": (
        "Named Plan Records",
        (
            *_KEYS,
            ("EHC Plan Start Date", "startdate"),
            ("Residential Settings", "planres"),
            ("Work Based Learning Activity", "planwbp"),
            ("Personal Budget taken up", "pb"),
            ("Personal Budget - Organised Arrangements", "oa"),
            ("Personal Budget - Direct Payments", "dp"),
            ("Date EHC plan ceased", "ceasedate"),
            ("Reason EHC plan ceased", "ceasereason"),
        ),
    ),
    "plandetail": ("Plan Detail Records", (*_KEYS, *_TEMPLATE_PLACE, *_TEMPLATE_UNITS)),
    "activeplans": (
        "Active Plan Records",
        (
            *_KEYS,
            ("EHC Plan transferred in from another LA during calendar year", "transferla"),
            ("Residential Settings", "res"),
            ("Work Based Learning Activity", "wbp"),
            ("Annual Review Meeting Date", "reviewmeeting"),
            ("Annual Review Decision", "reviewoutcome"),
            ("Annual Review - Date Draft Amended Plan Sent", "reviewdraft"),
            ("Phase transfer review - due date for any amended plan", "phasetransferduedate"),
            ("Phase transfer review - final plan date", "phasetransferfinaldate"),
            ("EHC Plan Review Decisions Date", "lastreview"),
        ),
    ),
    "placementdetail": (
        "Placement Detail Records",
        (
            *_KEYS,
            *_TEMPLATE_PLACE,
            ("Placement Start Date", "entrydate"),
            ("Placement Leaving Date", "leavingdate"),
            ("Attendance Pattern", "attendancepattern"),
            *_TEMPLATE_UNITS,
            ("Residential Settings", "res"),
            ("Work Based Learning Activity", "wbp"),
        ),
    ),
    "senneed": (
        "SEN Need Records",
        (
            *_KEYS,
            ("SEN Type of Need", "sentype"),
            ("SEN Type of Need rank  (1=Primary, 2=Secondary)", "sentyperank"),
        ),
    ),
}

SHEETS = {
    "person": "Person",
    "requests": "Requests",
    "assessment": "Assessments",
    "namedplan": "Named Plan",
    "plandetail": "Plan Detail",
    "activeplans": "Active Plan",
    "placementdetail": "Placement Detail",
    "senneed": "SEN Need",
}

# The module files of a sector tool: its own headings; the two spellings of the request's id are the tool's.
MODULES: dict[str, tuple[str, Names]] = {
    "m1": (
        "person",
        (
            ("Person ID", "persontableid"),
            ("Surname", "surname"),
            ("Forename", "forename"),
            ("Dob (ccyy-mm-dd)", "personbirthdate"),
            ("Gender", "sex"),
            ("Ethnicity", "ethnicity"),
            ("Postcode", "postcode"),
            ("UPN - Unique Pupil Number", "upn"),
            ("ULN - Young Persons Unique Learner Number", "uniquelearnernumber"),
            ("UPN and ULN unavailable reason", "upnunknown"),
        ),
    ),
    "m2": (
        "requests",
        (
            ("Person ID", "persontableid"),
            ("Requests Record ID", "requeststableid"),
            ("Date Request Was Received", "receiveddate"),
            ("Initial Request Whilst In RYA", "rya"),
            ("Request Outcome Date", "requestoutcomedate"),
            ("Request Outcome", "requestoutcome"),
            ("Request Mediation", "requestmediation"),
            ("Request Tribunal", "requesttribunal"),
            ("Exported - Child Or Young Person Moves Out Of LA Before Assessment Is Completed", "exported"),
        ),
    ),
    "m3": (
        "assessment",
        (
            ("Person ID", "persontableid"),
            ("Requests Record ID", "requeststableid"),
            ("Assessment Outcome To Issue EHCP", "assessmentoutcome"),
            ("Assessment Outcome Date", "assessmentoutcomedate"),
            ("Assessment Mediation", "assessmentmediation"),
            ("Assessment Tribunal", "assessmenttribunal"),
            ("Other Mediation", "othermediation"),
            ("Other Tribunal", "othertribunal"),
            ("Twenty Weeks Time Limit Exceptions Apply", "week20"),
        ),
    ),
    "m4": (
        "namedplan",
        (
            ("Person ID", "persontableid"),
            ("Request Records ID", "requeststableid"),
            ("EHC Plan Start Date", "startdate"),
            ("Residential Settings", "planres"),
            ("Worked based learning activity", "planwbp"),
            ("Personal budget taken up", "pb"),
            ("Personal budget - organised arrangements", "oa"),
            ("Personal budget - direct payments", "dp"),
            ("Date EHC Plan Ceased", "ceasedate"),
            ("Reason EHC Plan Ceased", "ceasereason"),
        ),
    ),
    "m5": (
        "activeplans",
        (
            ("Person ID", "persontableid"),
            ("Request Records ID", "requeststableid"),
            ("EHC Plan (Transfer)", "transferla"),
            ("Residential Settings", "res"),
            ("Worked based learning activity", "wbp"),
            ("EHCP review decisions date", "lastreview"),
            ("URN", "urn"),
            ("SENSetting", "sensetting"),
            ("PlacementRank", "placementrank"),
            ("EntryDate", "entrydate"),
            ("LeavingDate", "leavingdate"),
            ("SENtype", "sentype"),
            ("SENtypeRank", "sentyperank"),
        ),
    ),
}
