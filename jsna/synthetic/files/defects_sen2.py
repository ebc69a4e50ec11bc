"""Defects of the SEN2 return (sections 3.5, 3.7 and 3.8 of the specification of formats)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from jsna.synthetic.files import sen2_files as forms
from jsna.synthetic.files.defects import add, defect, new_keys, put, some, take_out
from jsna.synthetic.files.output import Tables
from jsna.synthetic.files.schools import UNIVERSITY
from jsna.synthetic.files.sen2 import PARENT

ALL, BLADE, XML = forms.FORMS, (forms.BLADE,), (forms.XML,)
RICH = (forms.XML, forms.BLADE, forms.TEMPLATE_FORM, forms.PRE_SUBMISSION)  # all but the module files
TABLED = (forms.BLADE, forms.TEMPLATE_FORM, forms.PRE_SUBMISSION, forms.MODULE_CSV)  # all but XML
NEIGHBOUR = "823"


def _children(t: Tables, child: str, at: NDArray) -> NDArray:
    """Positions of the rows of ``child`` that hang on the rows ``at`` of its parent."""
    key = f"{PARENT[child]}tableid"
    return np.flatnonzero(t[child][key].isin(t[PARENT[child]][key].iloc[at]))


def _below(t: Tables, child: str, rows: pd.Series) -> pd.Series:
    """For each row of ``child`` whether its parent is among the marked rows."""
    parent = PARENT[child]
    return t[child][f"{parent}tableid"].isin(t[parent].loc[rows, f"{parent}tableid"])


def _remove(t: Tables, table: str, at: NDArray) -> int:
    """Take rows out together with all that hangs on them."""
    for child, parent in PARENT.items():
        if parent == table and len(at):
            _remove(t, child, _children(t, child, at))
    return take_out(t, table, at)


def _copy(t: Tables, table: str, at: NDArray, **values: object) -> int:
    """Add copies of rows, with keys of their own and some values changed."""
    rows = t[table].iloc[at].assign(**{f"{table}tableid": new_keys(t[table][f"{table}tableid"], len(at))}, **values)
    return add(t, table, rows.astype("str"))


def _later(dates: NDArray, days: int) -> NDArray:
    return (dates.astype("datetime64[D]") + days).astype(str).astype(object)


def _live_requests(t: Tables) -> pd.Series:
    return t["requests"]["requeststableid"].isin(t["activeplans"]["requeststableid"])


@defect("request_without_id", TABLED, "3.7", "Some refused requests have no id.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "requests", some(rng, t["requests"]["requestoutcome"] == "N"), requeststableid="")


@defect("request_repeated", TABLED, "3.7", "Some refused requests stand there twice with the same ids.")
def _(t: Tables, rng: Generator) -> int:
    return add(t, "requests", t["requests"].iloc[some(rng, t["requests"]["requestoutcome"] == "N")])


@defect("no_number_with_reason", ALL, "3.7", "Some persons have neither UPN nor ULN, and a reason.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["person"]["upn"] != "")
    return put(t, "person", at, upn="", uniquelearnernumber="", upnunknown="UN3")


@defect("no_number_no_reason", ALL, "3.7", "Some persons have neither UPN nor ULN, and no reason.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "person", some(rng, t["person"]["upn"] != ""), upn="", uniquelearnernumber="")


@defect("two_open_plans", ALL, "3.7", "Some persons with a plan have a second one from another request, open too.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, _live_requests(t), share=0.01)
    key = t["requests"]["requeststableid"].iloc[at].to_numpy(object)
    _copy(t, "requests", at, requestsorderseqcolumn="2")
    keys = {"requests": dict(zip(key, t["requests"]["requeststableid"].iloc[-len(at) :], strict=True))}
    for child, parent in PARENT.items():
        if parent in keys:
            column = f"{parent}tableid"
            rows = np.flatnonzero(t[child][column].isin(keys[parent]))
            old = t[child][f"{child}tableid"].iloc[rows].to_numpy(object)
            count = _copy(t, child, rows, **{column: t[child][column].iloc[rows].map(keys[parent])})
            keys[child] = dict(zip(old, t[child][f"{child}tableid"].iloc[len(t[child]) - count :], strict=True))
    return len(at)


@defect("birth_missing", ALL, "3.7", "Some persons have no date of birth.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "person", some(rng, t["person"]["personbirthdate"] != ""), personbirthdate="")


@defect("too_old", ALL, "3.7", "Some persons with an open plan were 27 or older on 31 August.")
def _(t: Tables, rng: Generator) -> int:
    live = t["person"]["persontableid"].isin(t["requests"].loc[_live_requests(t), "persontableid"])
    return put(t, "person", some(rng, live, share=0.005), personbirthdate="1997-05-01")


@defect("open_at_25", ALL, "3.7", "Some persons with an open plan had turned 25 before 31 August.")
def _(t: Tables, rng: Generator) -> int:
    live = t["person"]["persontableid"].isin(t["requests"].loc[_live_requests(t), "persontableid"])
    return put(t, "person", some(rng, live, share=0.005), personbirthdate="2000-06-15")


@defect("plan_without_placement", ALL, "3.7", "Some named plans that are not ceased have no active plan.")
def _(t: Tables, rng: Generator) -> int:
    return _remove(t, "activeplans", some(rng, t["activeplans"]["transferla"] == ""))


@defect("moved_in_without_placement", RICH, "3.7", "Some plans that moved in have no placement.")
def _(t: Tables, rng: Generator) -> int:
    return _remove(t, "placementdetail", some(rng, _below(t, "placementdetail", t["activeplans"]["transferla"] != "")))


@defect("placement_without_plan", ALL, "3.7", "Some active plans have no named plan.")
def _(t: Tables, rng: Generator) -> int:
    live = t["assessment"]["requeststableid"].isin(t["activeplans"]["requeststableid"])
    rows = t["namedplan"]["assessmenttableid"].isin(t["assessment"].loc[live, "assessmenttableid"])
    return _remove(t, "namedplan", some(rng, rows))


@defect("placement_without_place", ALL, "3.7", "Some placements have none of URN, UKPRN and setting.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["placementdetail"]["urn"] != "")
    return put(t, "placementdetail", at, urn="", ukprn="", sensetting="")


@defect("placement_with_two_places", ALL, "3.7", "Some placements have a URN and a setting.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "placementdetail", some(rng, t["placementdetail"]["urn"] != ""), sensetting="OTH")


@defect("setting_unknown", ALL, "3.7", "Some placements have a setting that is in no list (HOME).")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "placementdetail", some(rng, t["placementdetail"]["sensetting"] != ""), sensetting="HOME")


@defect("unit_not_said", RICH, "3.7", "Some placements do not say whether they are in a unit or resourced provision.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["placementdetail"]["urn"] != "")
    return put(t, "placementdetail", at, senunitindicator="", resourcedprovisionindicator="")


@defect("unit_where_none_is", RICH, "3.7", "Some placements are in a unit of a school that the register says has none.")
def _(t: Tables, rng: Generator) -> int:
    place = t["placementdetail"]
    have = place.loc[place["senunitindicator"] == "1", "urn"]
    return put(t, "placementdetail", some(rng, (place["urn"] != "") & ~place["urn"].isin(have)), senunitindicator="1")


@defect("urn_of_university", ALL, "3.7", "Some placements are at a university by the register of schools.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "placementdetail", some(rng, t["placementdetail"]["urn"] != ""), urn=UNIVERSITY)


@defect("urn_unknown", ALL, "3.7", "Some placements have a URN that the register does not know.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "placementdetail", some(rng, t["placementdetail"]["urn"] != ""), urn="999998")


@defect("only_second_placement", ALL, "3.7", "Some plans have a placement of rank 2 and none of rank 1.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "placementdetail", some(rng, t["placementdetail"]["urn"] != ""), placementrank="2")


@defect("two_first_placements", RICH, "3.7", "Some plans have two placements of rank 1.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["placementdetail"]["urn"] != "")
    return _copy(t, "placementdetail", at, placementdetailorderseqcolumn="2")


@defect("plan_without_need", ALL, "3.7", "Some active plans have no type of need.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, np.ones(len(t["activeplans"]), bool))
    take_out(t, "senneed", _children(t, "senneed", at))
    return len(at)


@defect("need_unknown", ALL, "3.7", "Some types of need are not in the list of SEN2 (NSA, and AUT).")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["senneed"]["sentyperank"] == "1")
    return put(t, "senneed", at, sentype=np.resize(["NSA", "AUT"], len(at)).astype(object))


def _lone(t: Tables) -> pd.Series:
    return ~t["senneed"]["activeplanstableid"].duplicated(keep=False)


@defect("sen2_second_need_without_first", ALL, "3.7", "Some plans have a need of rank 2 and none of rank 1.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "senneed", some(rng, _lone(t)), sentyperank="2")


@defect("same_need_twice", RICH, "3.7", "Some plans have the same type of need as first and as second.")
def _(t: Tables, rng: Generator) -> int:
    return _copy(t, "senneed", some(rng, _lone(t)), sentyperank="2", senneedorderseqcolumn="2")


@defect("sen2_two_first_needs", RICH, "3.8", "Some plans have two needs of rank 1.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "senneed", some(rng, t["senneed"]["sentyperank"] == "2"), sentyperank="1")


@defect("orphans", BLADE, "3.7", "In each of the eight joins one row belongs to a parent key that does not exist.")
def _(t: Tables, rng: Generator) -> int:
    for child, parent in PARENT.items():
        column = f"{parent}tableid"
        last = np.array([len(t[child]) - 1])
        put(t, child, last, **{column: new_keys(t[parent][column], 1)[0]})
    return len(PARENT)


@defect("person_without_requests", ALL, "3.8", "Some persons have no request.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["person"]["upn"] != "", share=0.002)
    return _copy(t, "person", at, upn="", uniquelearnernumber="", upnunknown="UN8")


@defect("plan_without_detail", RICH, "3.7", "Some named plans do not name a place.")
def _(t: Tables, rng: Generator) -> int:
    return take_out(t, "plandetail", some(rng, t["plandetail"]["urn"] != ""))


@defect("requests_without_assessment", ALL, "3.7", "Some requests that were agreed (Y) have no assessment.")
def _(t: Tables, rng: Generator) -> int:
    agreed = _below(t, "assessment", t["requests"]["requestoutcome"] == "Y")
    return _remove(t, "assessment", some(rng, agreed & (t["assessment"]["assessmentoutcome"] == "A")))


@defect("outcome_before_request", ALL, "3.7", "Some decisions on a request are dated 30 days before it came.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["requests"]["requestoutcomedate"] != "")
    received = t["requests"]["receiveddate"].to_numpy(object)[at]
    return put(t, "requests", at, requestoutcomedate=_later(received, -30))


@defect("plan_before_decision", ALL, "3.7", "Some outcomes of an assessment are dated before the decision to assess.")
def _(t: Tables, rng: Generator) -> int:
    decided = t["requests"].set_index("requeststableid")["requestoutcomedate"]
    decided = t["assessment"]["requeststableid"].map(decided).to_numpy(object)
    at = some(rng, (decided != "") & (t["assessment"]["assessmentoutcomedate"] != "").to_numpy())
    return put(t, "assessment", at, assessmentoutcomedate=_later(decided[at], -10))


@defect("data_below_refusal", ALL, "3.7", "Some refused requests (N) have an assessment below them.")
def _(t: Tables, rng: Generator) -> int:
    agreed = t["requests"]["requeststableid"].isin(t["assessment"]["requeststableid"])
    at = some(rng, agreed & (t["requests"]["requestoutcome"] == "Y"))
    return put(t, "requests", at, requestoutcome="N")


@defect("review_after_letter", RICH, "3.7", "Some review meetings are dated after the letter with the decision.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["activeplans"]["lastreview"] != "")
    letter = t["activeplans"]["lastreview"].to_numpy(object)[at]
    return put(t, "activeplans", at, reviewmeeting=_later(letter, 20))


@defect("ceased_without_reason", ALL, "3.7", "Some plans have a date of ceasing and no reason.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "namedplan", some(rng, t["namedplan"]["ceasedate"] != ""), ceasereason="")


@defect("reason_without_ceasing", ALL, "3.7", "Some plans have a reason of ceasing and no date.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "namedplan", some(rng, t["namedplan"]["ceasedate"] == ""), ceasereason="2")


@defect(
    "received_on_one_day", ALL, "3.7", "Four in ten requests of earlier years have one date of receipt, 1 January 2015."
)
def _(t: Tables, rng: Generator) -> int:
    historic = t["requests"]["requestoutcome"] == "H"
    return put(t, "requests", some(rng, historic, share=0.4), receiveddate="2015-01-01")


@defect(
    "received_on_day_of_issue", ALL, "3.7", "Some requests have the day of the plan as date of receipt and decision."
)
def _(t: Tables, rng: Generator) -> int:
    issued = t["assessment"].loc[t["assessment"]["assessmentoutcome"] == "Y"]
    issued = issued.set_index("requeststableid")["assessmentoutcomedate"]
    day = t["requests"]["requeststableid"].map(issued).fillna("").to_numpy(object)
    at = some(rng, (day != "") & (t["requests"]["requestoutcomedate"] != "").to_numpy(), share=0.05)
    return put(t, "requests", at, receiveddate=day[at], requestoutcomedate=day[at])


@defect("exceptions_too_often", ALL, "3.7", "Half of the plans issued have an exception to the 20 weeks.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "assessment", some(rng, t["assessment"]["week20"] == "0", share=0.5), week20="1")


@defect("gender_of_2023", RICH, "3.8", "The file has GenderCurrent (1, 2) as in 2023, not Sex.")
def _(t: Tables, rng: Generator) -> int:
    person = t["person"].assign(sex=t["person"]["sex"].map({"M": "1", "F": "2"}))
    t["person"] = person.rename(columns={"sex": "gendercurrent"})
    return len(person)


@defect(
    "residence_on_plan", (*XML, *BLADE), "3.8", "Res and WBP stand with the active plan as in 2023, not the placement."
)
def _(t: Tables, rng: Generator) -> int:
    place = t["placementdetail"].drop_duplicates("activeplanstableid").set_index("activeplanstableid")
    for column in ("res", "wbp"):
        t["activeplans"] = t["activeplans"].assign(
            **{column: t["activeplans"]["activeplanstableid"].map(place[column])}
        )
    t["placementdetail"] = t["placementdetail"].drop(columns=["res", "wbp"])
    return len(t["activeplans"])


@defect("lea_of_neighbour", RICH, "3.8", "The header names a neighbouring authority.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "sen2", np.array([0]), lea=NEIGHBOUR)


@defect("reason_in_upn", ALL, "3.8", "Some persons have UN1 typed into UPN.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "person", some(rng, t["person"]["upn"] != ""), upn="UN1")


@defect("review_before_plan", ALL, "3.8", "Some last reviews are dated before the plan began.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["activeplans"]["lastreview"] != "")
    return put(t, "activeplans", at, reviewmeeting="1999-12-01", lastreview="2000-01-03")


@defect("exceptions_not_said", ALL, "3.8", "Nobody has filled in whether an exception to the 20 weeks applied.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "assessment", np.flatnonzero(t["assessment"]["week20"] != ""), week20="")


@defect("table_missing", BLADE, "3.8", "One of the nine tables, the assessments, is not there.")
def _(t: Tables, rng: Generator) -> int:
    return len(t.pop("assessment"))


@defect(
    "test_return_mixed_in",
    BLADE,
    "3.8",
    "Rows of a test return stand in all tables: two header rows, keys of their own.",
)
def _(t: Tables, rng: Generator) -> int:
    return _second_return(t, "T")


@defect(
    "keys_of_two_deliveries",
    BLADE,
    "3.8",
    "Rows of the delivery of a year before stand in all tables, with the same keys.",
)
def _(t: Tables, rng: Generator) -> int:
    added = _second_return(t, "")
    return put(t, "sen2", np.array([1]), year="2025", referencedate="2025-01-16") and added


def _second_return(t: Tables, prefix: str) -> int:
    """Add the first twenty persons with all that hangs on them once more, each key with a prefix."""
    within = {"sen2": t["sen2"]["sen2tableid"]}
    added = 0
    for table in ("sen2", *PARENT):
        frame = t[table]
        if table != "sen2":
            frame = frame[frame[f"{PARENT[table]}tableid"].isin(within[PARENT[table]])]
        frame = frame.head(20) if table == "person" else frame
        within[table] = frame[f"{table}tableid"]
        keys = [c for c in frame if c.endswith("tableid")]
        added += add(t, table, frame.assign(**{c: prefix + frame[c] for c in keys}))
    return added


@defect("heading_misspelt", (forms.PRE_SUBMISSION,), "3.5", "The heading of the source of a request is rquestsource.")
def _(t: Tables, rng: Generator) -> int:
    t["requests"] = t["requests"].rename(columns={"requestsource": "rquestsource"})
    return len(t["requests"])
