"""Defects of the school census (sections 1.5 to 1.7 of the specification of formats)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from jsna.codes import labels
from jsna.synthetic.files import census_files as forms
from jsna.synthetic.files.defects import add, defect, new_keys, put, some, take_out
from jsna.synthetic.files.output import MONTHS, Tables, words
from jsna.synthetic.files.people import LETTERS
from jsna.synthetic.files.postcodes import ended_postcodes, school_postcodes

BLADE, FLAT = (forms.BLADE,), forms.FLAT_FORMS
NESTED = (forms.BLADE, forms.XML, forms.XML_SCHOOLS)
ALL = (*NESTED, *FLAT)
# Published examples of pupil numbers: six permanent and three temporary ones that are right, and two that are not.
VECTORS = words(
    "P207000016049 B801200005001 N823432118001 A207000016050 R308200016001 W936450019002 "
    "C30820001600A R30820001600B H30820001600M A801200005001 Q207000016049"
)
_SPELLINGS = {"M": ("Male", "1", "B"), "F": ("Female", "2", "G")}


def _pupil_of(tables: Tables, child: str) -> pd.DataFrame:
    """The pupil of each row of a child table."""
    return tables["pupilonroll"].set_index("pupilonrolltableid").loc[tables[child]["pupilonrolltableid"]]


def _is_special(tables: Tables) -> pd.Series:
    school = tables["school"].set_index("NativeId")["phase"]
    return tables["pupilonroll"]["NativeId"].map(school) == "SP"


def _new_needs(tables: Tables, at: np.ndarray, rank: str, need: object) -> pd.DataFrame:
    pupil, old = tables["pupilonroll"].iloc[at], tables["senneeds"]
    return pd.DataFrame(
        {
            "pupilonrolltableid": pupil["pupilonrolltableid"].to_numpy(),
            "senneedstableid": new_keys(old["senneedstableid"], len(at)),
            "NativeId": pupil["NativeId"].to_numpy(),
            "senneedsorderseqcolumn": rank,
            "sourceid": "1",
            "sentyperank": rank,
            "sentype": need,
        }
    ).astype("str")


@defect("need_rank_three", NESTED, "1.7", "Some second needs have rank 3.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "senneeds", some(rng, t["senneeds"]["sentyperank"] == "2"), sentyperank="3")


@defect("need_rank_decimal", NESTED, "1.7", "Some ranks of second needs are written 2.0.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "senneeds", some(rng, t["senneeds"]["sentyperank"] == "2"), sentyperank="2.0")


@defect("meals_end_before_start", NESTED, "1.7", "Some periods of free school meals end before they start.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["fsmperiod"]["fsmenddate"] == "")
    start = t["fsmperiod"]["fsmstartdate"].to_numpy(object)[at].astype("datetime64[D]")
    return put(t, "fsmperiod", at, fsmenddate=(start - 30).astype(str).astype(object))


@defect("columns_in_another_order", BLADE, "1.7", "The columns of every table stand in another order.")
def _(t: Tables, rng: Generator) -> int:
    for name, frame in t.items():
        t[name] = frame[[frame.columns[i] for i in rng.permutation(len(frame.columns))]]
    return sum(len(f) for f in t.values())


@defect("needs_of_nobody", BLADE, "1.7", "Some rows of needs belong to a pupil key that is in no row of pupils.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["senneeds"]["sentyperank"] == "1")
    return put(t, "senneeds", at, pupilonrolltableid=new_keys(t["pupilonroll"]["pupilonrolltableid"], len(at)))


@defect("two_first_needs", NESTED, "1.7", "Some second needs have rank 1 as well.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "senneeds", some(rng, t["senneeds"]["sentyperank"] == "2"), sentyperank="1")


@defect("second_need_without_first", ALL, "1.7", "Some pupils have a need of rank 2 and none of rank 1.")
def _(t: Tables, rng: Generator) -> int:
    needs = t["senneeds"]
    alone = ~needs["pupilonrolltableid"].duplicated(keep=False)
    return put(t, "senneeds", some(rng, alone & (needs["sentyperank"] == "1")), sentyperank="2")


@defect("third_need", NESTED, "1.7", "Some pupils with two needs have a third, of rank 3.")
def _(t: Tables, rng: Generator) -> int:
    second = t["senneeds"].loc[t["senneeds"]["sentyperank"] == "2", "pupilonrolltableid"]
    at = some(rng, t["pupilonroll"]["pupilonrolltableid"].isin(second))
    return add(t, "senneeds", _new_needs(t, at, "3", "PD"))


@defect("need_without_provision", ALL, "1.7", "Some pupils without SEN provision (N) have a type of need.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["senprovision"] == "N", share=0.002)
    return add(t, "senneeds", _new_needs(t, at, "1", "SLCN"))


@defect("provision_without_need", ALL, "1.7", "Some pupils on SEN support or with a plan have no type of need.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["senprovision"] != "N")
    gone = t["pupilonroll"]["pupilonrolltableid"].iloc[at]
    take_out(t, "senneeds", np.flatnonzero(t["senneeds"]["pupilonrolltableid"].isin(gone)))
    return len(at)


@defect("not_assessed_with_plan", ALL, "1.7", "Some pupils with a plan have NSA (no specialist assessment) as need.")
def _(t: Tables, rng: Generator) -> int:
    plan = (_pupil_of(t, "senneeds")["senprovision"] == "E").to_numpy()
    return put(t, "senneeds", some(rng, plan & (t["senneeds"]["sentyperank"] == "1")), sentype="NSA")


@defect("need_in_provision", ALL, "1.7", "Some pupils have a type of need typed into the provision column.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "pupilonroll", some(rng, t["pupilonroll"]["senprovision"] == "K"), senprovision="SLCN")


@defect(
    "descriptions_for_codes",
    ALL,
    "1.7",
    "Some pupils have descriptions in place of the codes of ethnicity and language.",
)
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["language"] == "ENG")
    ethnicity = t["pupilonroll"]["ethnicity"].map(labels("ethnicity")).to_numpy(object)[at]
    return put(t, "pupilonroll", at, ethnicity=ethnicity, language="English")


@defect("reason_ds", NESTED, "1.7", "Suspensions are in the file, some with the reason DS, which is not Down syndrome.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["ncyearactual"].isin(["7", "8", "9", "10"]), least=6)
    pupil = t["pupilonroll"].iloc[at]
    t["termlyexclusionsonroll"] = pd.DataFrame(
        {
            "pupilonrolltableid": pupil["pupilonrolltableid"].to_numpy(),
            "termlyexclusionsonrolltableid": np.arange(1, len(at) + 1),
            "NativeId": pupil["NativeId"].to_numpy(),
            "termlyexclusionsonrollorderseqcolumn": "1",
            "sourceid": "1",
            "startdate": "2025-10-06",
            "sessions": "4",
            "category": "SUSP",
            "senprovision": pupil["senprovision"].to_numpy(),
            "reason1": np.resize(["DS", "DB"], len(at)),
            "reason2": np.resize(["", "DS"], len(at)),
            "reason3": "",
        }
    ).astype("str")
    return len(at)


@defect(
    "gender_and_sex", (*BLADE, "census_flat"), "1.7", "Columns gender and sex are both there, each filled in a part."
)
def _(t: Tables, rng: Generator) -> int:
    pupil = t["pupilonroll"]
    older = rng.random(len(pupil)) < 0.5
    after = pupil.columns.get_loc("sex")
    both = {"gender": np.where(older, pupil["sex"], ""), "sex": np.where(older, "", pupil["sex"])}
    pupil = pupil.assign(sex=both["sex"])
    pupil.insert(after, "gender", both["gender"])
    t["pupilonroll"] = pupil.astype("str")
    return len(pupil)


@defect("sex_spellings", ALL, "1.7", "Some pupils have Male, Female, 1, 2, B or G as sex.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, np.ones(len(t["pupilonroll"]), bool), least=6)
    sex = t["pupilonroll"]["sex"].to_numpy(object)[at]
    return put(t, "pupilonroll", at, sex=[_SPELLINGS[s][i % 3] for i, s in enumerate(sex)])


@defect("sole_registration_twice", ALL, "1.7", "Some pupils stand in two schools, in both as solely registered (C).")
def _(t: Tables, rng: Generator) -> int:
    return _again_elsewhere(t, rng, "C")


@defect("dual_registration", ALL, "1.6", "Some pupils stand in two schools: main registration (M) and subsidiary (S).")
def _(t: Tables, rng: Generator) -> int:
    return _again_elsewhere(t, rng, "S")


def _again_elsewhere(t: Tables, rng: Generator, status: str) -> int:
    pupil, school = t["pupilonroll"], t["schoolcensus"]
    at = some(rng, pupil["ncyearactual"].isin(["8", "9", "10"]), share=0.005)
    other = school[school["NativeId"].isin(pupil["NativeId"])].iloc[-1]
    at = at[(pupil["NativeId"].iloc[at] != other["NativeId"]).to_numpy()]
    again = pupil.iloc[at].assign(
        pupilonrolltableid=new_keys(pupil["pupilonrolltableid"], len(at)),
        NativeId=other["NativeId"],
        schoolcensustableid=other["schoolcensustableid"],
        enrolstatus=status,
    )
    if status == "S":
        put(t, "pupilonroll", at, enrolstatus="M")
    new_of = pd.Series(again["pupilonrolltableid"].to_numpy(), index=pupil["pupilonrolltableid"].iloc[at])
    for child in ("addresses", "senneeds", "fsmperiod"):
        rows = t[child][t[child]["pupilonrolltableid"].isin(new_of.index)]
        keys = {
            "pupilonrolltableid": rows["pupilonrolltableid"].map(new_of),
            f"{child}tableid": new_keys(t[child][f"{child}tableid"], len(rows)),
            "NativeId": other["NativeId"],
        }
        add(t, child, rows.assign(**keys).astype("str"))
    return add(t, "pupilonroll", again.astype("str"))


@defect("on_and_off_roll", NESTED, "1.7", "Some pupils on roll also stand among the pupils no longer on roll.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, np.ones(len(t["pupilonroll"]), bool), share=0.005)
    columns = words("upn dob entrydate ethnicity language boarder parttime sex")
    pupil = t["pupilonroll"].iloc[at].reset_index(drop=True)
    keys = pd.DataFrame(
        {
            "pupilnolongeronrolltableid": np.arange(1, len(at) + 1).astype("<U9"),
            "NativeId": pupil["NativeId"],
            "pupilnolongeronrollorderseqcolumn": "1",
            "sourceid": "1",
            "schoolcensustableid": pupil["schoolcensustableid"],
        }
    )
    t["pupilnolongeronroll"] = pd.concat([keys, pupil[columns]], axis=1).assign(leavingdate="2025-12-19").astype("str")
    return len(at)


@defect("year_blank_in_special_schools", ALL, "1.7", "All pupils of special schools have year group X, or none.")
def _(t: Tables, rng: Generator) -> int:
    at = np.flatnonzero(_is_special(t))
    return put(t, "pupilonroll", at, ncyearactual=np.resize(["X", ""], len(at)).astype(object))


@defect("age_outside_year", ALL, "1.7", "Some pupils are three years too old for their year group.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["ncyearactual"].isin(["3", "4", "5", "8", "9"]), share=0.002)
    dob = t["pupilonroll"]["dob"].to_numpy(object)[at]
    older = [f"{int(d[:4]) - 3}{d[4:8]}{min(d[8:], '28') if d[5:7] == '02' else d[8:]}" for d in dob]
    return put(t, "pupilonroll", at, dob=older)


def _first_addresses(t: Tables) -> pd.Series:
    return ~t["addresses"]["pupilonrolltableid"].duplicated()


@defect("postcode_blank", ALL, "1.7", "Some pupils have no postcode.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "addresses", some(rng, _first_addresses(t), share=0.01), postcode="")


@defect("postcode_pseudo", ALL, "1.7", "Some pupils have a pseudo postcode (ZZ99 3VZ).")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "addresses", some(rng, _first_addresses(t), share=0.01), postcode="ZZ99 3VZ")


@defect("postcode_ended", ALL, "1.7", "Some pupils have a postcode that was terminated in June 2023.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, _first_addresses(t), share=0.01)
    return put(t, "addresses", at, postcode=ended_postcodes(t["addresses"]["postcode"].to_numpy(object)[at]))


@defect("postcode_spelling", ALL, "1.7", "Some postcodes are in lower case without a blank.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, _first_addresses(t), share=0.01)
    spelt = [p.lower().replace(" ", "") for p in t["addresses"]["postcode"].to_numpy(object)[at]]
    return put(t, "addresses", at, postcode=spelt)


@defect("postcode_of_school", ALL, "1.7", "Some pupils have the school's postcode as their home.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, _first_addresses(t), share=0.01)
    urn = t["schoolcensus"].set_index("NativeId")["urn"].loc[t["addresses"]["NativeId"].iloc[at]]
    return put(t, "addresses", at, postcode=school_postcodes(urn.astype("int64").to_numpy() - 900_000))


def _a_large_school(t: Tables) -> pd.Series:
    pupil = t["pupilonroll"]["NativeId"]
    return pupil == pupil.value_counts().index[0]


@defect("ethnicity_empty_in_a_school", ALL, "1.7", "In one school, the largest, nobody has an ethnicity.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "pupilonroll", np.flatnonzero(_a_large_school(t)), ethnicity="")


@defect("ethnicity_not_obtained_in_a_school", ALL, "1.7", "In one school, the largest, 30% have ethnicity NOBT.")
def _(t: Tables, rng: Generator) -> int:
    known = _a_large_school(t) & (t["pupilonroll"]["ethnicity"] != "NOBT")
    return put(t, "pupilonroll", some(rng, known, share=0.3), ethnicity="NOBT")


@defect("number_as_power", BLADE, "1.7", "All NativeId of pupils stand as 8.22E+06, as a spreadsheet shows them.")
def _(t: Tables, rng: Generator) -> int:
    everyone = np.arange(len(t["pupilonroll"]))
    return put(t, "pupilonroll", everyone, NativeId="8.22E+06")


@defect("upn_cut", ALL, "1.7", "Some pupil numbers lack their last characters.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["upn"] != "")
    return put(t, "pupilonroll", at, upn=[u[:10] for u in t["pupilonroll"]["upn"].to_numpy(object)[at]])


@defect("birth_as_serial", ALL, "1.7", "Some dates of birth are the day numbers of a spreadsheet.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["dob"] != "")
    days = t["pupilonroll"]["dob"].to_numpy(object)[at].astype("datetime64[D]") - np.datetime64("1899-12-30")
    return put(t, "pupilonroll", at, dob=days.astype("int64").astype("<U6").astype(object))


@defect(
    "year_as_date", (*BLADE, *FLAT), "1.7", "Year groups 1 to 12 of some pupils were turned into dates such as 01-Jan."
)
def _(t: Tables, rng: Generator) -> int:
    year = t["pupilonroll"]["ncyearactual"]
    months = dict(zip((str(m) for m in range(1, 13)), MONTHS, strict=True))
    at = some(rng, year.isin(list(months)))
    return put(t, "pupilonroll", at, ncyearactual=[f"01-{months[y]}" for y in year.to_numpy(object)[at]])


@defect("upn_missing", ALL, "1.5", "Some pupils have no pupil number.")
def _(t: Tables, rng: Generator) -> int:
    return put(t, "pupilonroll", some(rng, t["pupilonroll"]["upn"] != "", share=0.005), upn="")


@defect("upn_wrong_letter", ALL, "1.5", "Some pupil numbers have a wrong check letter.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["upn"] != "", share=0.005)
    after = dict(zip(LETTERS, np.roll(LETTERS, -1), strict=True))
    return put(t, "pupilonroll", at, upn=[after[u[0]] + u[1:] for u in t["pupilonroll"]["upn"].to_numpy(object)[at]])


@defect("upn_malformed", ALL, "1.5", "Some pupil numbers have 14 characters, no letter, or a lower-case letter.")
def _(t: Tables, rng: Generator) -> int:
    at = some(rng, t["pupilonroll"]["upn"] != "", share=0.005)
    ways = (lambda u: u + "0", lambda u: u[1:], str.lower)
    upn = t["pupilonroll"]["upn"].to_numpy(object)[at]
    return put(t, "pupilonroll", at, upn=[ways[i % 3](u) for i, u in enumerate(upn)])


@defect(
    "upn_unknown_la", ALL, "1.5", "Some pupil numbers name an authority (000) that never was, with the right letter."
)
def _(t: Tables, rng: Generator) -> int:
    upn = t["pupilonroll"]["upn"]
    at = some(rng, upn.str.fullmatch(r"[A-Z]\d{12}"), share=0.005)
    digits = ["000" + u[4:] for u in upn.to_numpy(object)[at]]
    letters = [LETTERS[sum(i * int(c) for i, c in enumerate(d, 2)) % len(LETTERS)] for d in digits]
    return put(t, "pupilonroll", at, upn=[a + d for a, d in zip(letters, digits, strict=True)])


@defect("upn_vectors", ALL, "1.5", "The first eleven pupils have published example numbers: nine right, two wrong.")
def _(t: Tables, rng: Generator) -> int:
    count = min(len(VECTORS), len(t["pupilonroll"]))
    return put(t, "pupilonroll", np.arange(count), upn=VECTORS[:count])
