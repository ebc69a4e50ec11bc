"""The columns of the pupil table, one by one: from the cells of a census to codes that are in force, or "not known"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from jsna.codes import all_versions, code_list
from jsna.files.values import MISSING, booleans, dates, tidy, trim, without_decimal_zero
from jsna.sources.ages import age_on, before_academic_year
from jsna.sources.gathered import Gathered

UNKNOWN_SEX = "U"
NOT_OBTAINED = "NOBT"
LANGUAGE_NOT_OBTAINED = "NOT"
STATUSES = ("C", "M", "S", "F", "O", "")
SEXES = {"M": "M", "F": "F", "MALE": "M", "FEMALE": "F", "B": "M", "G": "F", "BOY": "M", "GIRL": "F"}
PHASES = {
    "NS": "nursery",
    "PS": "primary",
    "MP": "primary",
    "MS": "secondary",
    "SS": "secondary",
    "SP": "special",
    "PR": "alternative",
    "EY": "nursery",
}
# All-through schools count by year group; NO is the census's own word for none.
NO_PHASE = ("AT", "NO")
EARLY_YEARS = {"E1": "N1", "E2": "N1"}
NO_YEAR = ("M", "X")
OLDEST = 26
# The share of dates written with slashes that only make sense month first, from which on all are taken to be so.
MONTH_FIRST = 0.1
LEGACY_NEED = "BESD"
MAJOR = {"1_NON": "N", "2_SNS": "K", "3_SS": "E", "4_UNCL": ""}


def by_cell(column: pd.Series, read: Callable[[pd.Series], pd.DataFrame]) -> pd.DataFrame:
    """``read`` applied once to each distinct cell of a column, and spread over its rows: a census repeats itself.

    ``read`` gets the distinct cells and returns a frame of as many rows.
    """
    number, cells = pd.factorize(column, use_na_sentinel=False)
    return read(pd.Series(cells, dtype="str")).take(number).set_axis(column.index)


def pupil_numbers(text: pd.DataFrame, expected: np.ndarray, got: Gathered) -> pd.Series:
    """The pupil number in capitals, or the reference of an extract; "" where there is none that could be met again.

    ``expected`` marks the rows of files that have pupil numbers at all; ``upn_problem`` in ``text`` says what is wrong.
    """
    problems = text["upn_problem"]
    for problem in ("malformed", "lower case", "wrong check letter", "unknown LA", "missing"):
        which = expected & (problems == problem)
        if problem == "missing":
            which &= tidy(text["pupil_reference"]) == ""
        got.find(f"upn {problem}", which)
    number = tidy(text["upn"]).str.upper().mask(problems == "malformed", "")
    return number.mask(problems == "missing", tidy(text["pupil_reference"]))


def establishments(text: pd.DataFrame, own: frozenset[str], got: Gathered) -> tuple[pd.Series, pd.Series]:
    """The authority's three digits and the establishment's seven ("" where not known); ``own`` are the numbers of the
    params' authority, of which one is taken where a return gives four digits and no authority."""

    def read(cells: pd.Series) -> pd.DataFrame:
        given = without_decimal_zero(tidy(cells))
        formed = given.str.fullmatch(r"[0-9]{3}[ /-]?[0-9]{4}|[0-9]{4}")
        return pd.DataFrame({"digits": given.where(formed, "").str.replace(r"[ /-]", "", regex=True), "given": given})

    def authority(cells: pd.Series) -> pd.DataFrame:
        given = without_decimal_zero(tidy(cells)).str.upper()
        codes = all_versions("local_authority").drop_duplicates("code").set_index("code")["dfe_number"]
        number = given.where(given.str.fullmatch(r"[0-9]{3}"), given.map(codes)).fillna("")
        return pd.DataFrame({"la": number})

    estab, la = by_cell(text["laestab"], read), by_cell(text["la"], authority)["la"]
    got.refuse("laestab not read", (estab["given"] != "") & (estab["digits"] == ""), text["laestab"])
    digits = estab["digits"]
    whole = digits.str.len() == 7
    la = la.mask((la == "") & whole, digits.str[:3])
    got.find("other authority", (la != "") & ~la.isin(own))
    short = digits.str.len() == 4
    return la, digits.mask(short, la.mask(la == "", min(own)) + digits)


def phases(text: pd.DataFrame, got: Gathered) -> pd.Series:
    """The kind of school by the code of the census, or in the words of ``school_phase.csv``; "" where not known."""
    known = all_versions("school_phase")
    words = PHASES | {w.upper(): c for c, label in zip(known["code"], known["label"], strict=True) for w in (c, label)}

    def read(cells: pd.Series) -> pd.DataFrame:
        given = tidy(cells).str.upper()
        phase = given.map(words).fillna("")
        return pd.DataFrame({"phase": phase, "bad": (phase == "") & ~given.isin(["", *NO_PHASE])})

    found = by_cell(text["phase"], read)
    got.refuse("phase not read", found["bad"], text["phase"])
    return found["phase"]


def phase_by_year(phase: pd.Series, year: pd.Series) -> pd.Series:
    """All-through schools, and those of unknown kind, count by the year group: primary to year 6, then secondary."""
    secondary = year.isin([str(y) for y in range(7, 15)])
    return phase.mask(phase == "", pd.Series(np.where(secondary, "secondary", "primary"), index=phase.index))


def ages(text: pd.DataFrame, day: pd.Series, got: Gathered) -> pd.Series:
    """Age at 31 August before the school year, nullable: by the date of birth, else by a column of ages."""
    birth, bad = dates(text["dob"])
    months_first = _month_first(text["dob"], bad, got)
    birth = birth.mask(months_first)
    early = birth.notna() & ((birth > day) | (day.dt.year - birth.dt.year > OLDEST))
    got.refuse("dob not read", bad, text["dob"])
    got.refuse("dob either way", months_first, text["dob"])
    got.refuse("dob impossible", early, text["dob"])
    got.find("day before month", months_first)
    birth = birth.mask(early)
    age = age_on(birth, day.map({d: before_academic_year(d) for d in day.dropna().unique()})).clip(lower=0)
    given = by_cell(text["age"], _age)
    got.refuse("age not read", given["bad"], text["age"])
    return age.astype("Float64").fillna(given["age"]).astype("Int64")


def _age(cells: pd.Series) -> pd.DataFrame:
    given = without_decimal_zero(tidy(cells))
    good = given.str.fullmatch(r"[0-9]|1[0-9]|2[0-5]")
    return pd.DataFrame(
        {"age": pd.to_numeric(given.where(good), errors="coerce").astype("Float64"), "bad": ~good & (given != "")}
    )


def _month_first(cells: pd.Series, bad: pd.Series, got: Gathered) -> np.ndarray:
    """Cells that could be read either way, in files whose other dates of birth can only be read month first."""

    def read(cells: pd.Series) -> pd.DataFrame:
        parts = tidy(cells).str.extract(r"^(\d{1,2})[/-](\d{1,2})[/-]\d{4}\b").apply(pd.to_numeric)
        return pd.DataFrame({"slashes": parts[0].notna(), "american": (parts[1] > 12) & (parts[0] <= 12)})

    if not bad.any():
        return np.zeros(len(cells), dtype=bool)
    found = by_cell(cells, read)
    share = found.groupby(got.file)[["slashes", "american"]].sum()
    files = share.index[share["american"] > MONTH_FIRST * share["slashes"]]
    return (found["slashes"] & ~bad & np.isin(got.file, files)).to_numpy()


def year_groups(text: pd.DataFrame, age: pd.Series, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """Year group and age; each stands in for the other, where one of them is missing or not followed."""
    groups = set(all_versions("year_group")["code"])

    def read(cells: pd.Series) -> pd.DataFrame:
        given = without_decimal_zero(tidy(cells)).str.upper().replace({"RECEPTION": "R"})
        number = given.str.extract(r"^(?:YEAR|YR|Y)?\s*0*([0-9]{1,2})$")[0]
        year = number.fillna(given).replace(EARLY_YEARS)
        followed = year.isin(groups)
        return pd.DataFrame(
            {"year": year.where(followed, ""), "bad": ~followed & ~year.isin(["", *NO_YEAR]), "given": given}
        )

    found = by_cell(text["nc_year"], read)
    got.refuse("year group not read", found["bad"], text["nc_year"])
    year = found["year"]
    expected = age.map(expected_years()).fillna("").astype("str")
    got.find("year group from age", (year == "") & (expected != ""))
    usual = year.map(usual_ages()).astype("Int64")
    gap = (age - usual).fillna(0)
    got.find("age outside the year group", gap.abs() > 1)
    _another_year(gap, (year != "") & age.notna(), got)
    return year.mask(year == "", expected), age.fillna(usual)


def _another_year(gap: pd.Series, both: pd.Series, got: Gathered) -> None:
    for period in np.unique(got.period):
        own = both.to_numpy() & (got.period == period)
        if own.sum() >= 5 and gap[own].median() != 0:
            got.find("day of another year", own)


@cache
def expected_years() -> dict[int, str]:
    """The year group of each age at 31 August."""
    return {0: "N1", 1: "N1", 2: "N1", 3: "N2", 4: "R"} | {a: str(min(a - 4, 14)) for a in range(5, OLDEST)}


@cache
def usual_ages() -> dict[str, int]:
    """The age at 31 August of each year group."""
    return {"N1": 2, "N2": 3, "R": 4} | {str(y): y + 4 for y in range(1, 15)}


def sexes(text: pd.DataFrame, got: Gathered) -> pd.Series:
    """F, M or U. Two columns (sex, and gender of older censuses) fill each other; where they differ neither counts."""

    def read(cells: pd.Series) -> pd.DataFrame:
        given = tidy(cells).str.upper()
        known = given.map(SEXES).fillna("")
        return pd.DataFrame({"sex": known, "bad": (given != "") & (known == "")})

    sex, gender = by_cell(text["sex"], read), by_cell(text["gender"], read)
    got.refuse("sex not read", sex["bad"], text["sex"])
    got.refuse("sex not read", gender["bad"], text["gender"])
    differ = (sex["sex"] != "") & (gender["sex"] != "") & (sex["sex"] != gender["sex"])
    got.refuse("sex and gender", differ, text["sex"])
    both = sex["sex"].mask(sex["sex"] == "", gender["sex"]).mask(differ, "")
    got.find("sex unknown", both == "")
    return both.mask(both == "", UNKNOWN_SEX)


@cache
def _ethnicities() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Main code of each detailed code, and code of each label, in capitals."""
    detailed, main = all_versions("ethnicity_detailed"), all_versions("ethnicity")
    named = {row.plain.upper(): row.code for row in detailed.itertuples() if row.plain}
    named |= {row.alias.upper(): row.code for row in all_versions("ethnicity_alias").itertuples()}
    return detailed.set_index("code")["main"].to_dict(), named | {r.label.upper(): r.code for r in main.itertuples()}


def ethnicities(text: pd.DataFrame, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """The code as given, and the main code that it belongs to; by code, by label, or by code and label together."""
    mains, named = _ethnicities()

    def read(cells: pd.Series) -> pd.DataFrame:
        given = trim(cells).str.upper()
        code = given.where(given.isin(mains), given.map(named))
        # "WBRI - White British": only where the words say the same as the code.
        both = given.str.extract(r"^([A-Z]{4})\s*[-:–(]?\s*(.+?)\)?$")
        agrees = both[0].isin(mains) & (both[1].map(named).map(mains) == both[0].map(mains))
        code = code.mask(code.isna() & agrees, both[0]).fillna("")
        bad = (code == "") & ~given.str.lower().isin(MISSING)
        return pd.DataFrame({"code": code, "bad": bad})

    found = by_cell(text["ethnicity"], read)
    got.refuse("ethnicity not read", found["bad"], text["ethnicity"])
    got.find("ethnicity empty", found["code"] == "")
    code = found["code"].mask(found["code"] == "", NOT_OBTAINED)
    return code, code.map(mains).astype("str")


@cache
def _languages() -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]:
    table = all_versions("language").drop_duplicates("code").set_index("code")
    names = {label.upper(): code for code, label in table["label"].items()}
    return table["parent"].to_dict(), table["language_group"].to_dict(), names


def languages(text: pd.DataFrame, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """The language, refinements cut to their parent of three letters, and its reporting group."""
    parents, groups, names = _languages()

    def read(cells: pd.Series) -> pd.DataFrame:
        given = trim(cells).str.upper()
        code = given.where(given.isin(parents), given.map(names)).fillna("")
        bad = (code == "") & ~given.str.lower().isin(MISSING)
        known = code.mask(code == "", LANGUAGE_NOT_OBTAINED)
        return pd.DataFrame({"first": known.map(parents), "group": known.map(groups), "empty": code == "", "bad": bad})

    found = by_cell(text["language"], read)
    got.refuse("language not read", found["bad"], text["language"])
    got.find("language empty", found["empty"])
    return found["first"].astype("str"), found["group"].astype("str")


def yes(cells: pd.Series, column: str, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """Yes as true, and which cells say neither yes nor no."""
    typed, bad = booleans(cells)
    got.refuse("yes or no not read", bad, cells, column)
    return typed.fillna(False).astype("bool"), typed.isna()


@cache
def _provisions() -> tuple[Mapping[str, str], Mapping[str, int]]:
    """Each code or label that was ever in force, as the code that its group has today; and the last year of each code
    that is no longer in force."""
    table = all_versions("sen_provision")
    today = code_list("sen_provision").reset_index().set_index("group")["code"].to_dict()
    known = {}
    for row in table.itertuples():
        known |= {word.upper(): today[row.group] for word in (row.code, row.label, row.plain)}
    return known | {"EHCP": today["ehc_plan"]}, {r.code: int(r.valid_to) for r in table.itertuples() if r.valid_to}


def provisions(text: pd.DataFrame, got: Gathered) -> pd.Series:
    """N, K or E; "" where the cell says none of these, or nothing, and the row cannot be counted."""
    known, ended = _provisions()
    needs = set(all_versions("need")["code"]) - {""}

    def read(cells: pd.Series) -> pd.DataFrame:
        given = trim(cells).str.upper()
        code = given.map(known).fillna("")
        empty = (code == "") & given.str.lower().isin(MISSING)
        need = (code == "") & given.isin(needs)
        bad = (code == "") & ~empty & ~need
        return pd.DataFrame({"code": code, "old": given.isin(ended), "empty": empty, "need": need, "bad": bad})

    found = by_cell(text["sen_provision"], read)
    got.find("provision out of date", found["old"])
    got.refuse("provision is a need", found["need"], text["sen_provision"])
    got.refuse("provision empty", found["empty"], text["sen_provision"])
    got.refuse("provision not read", found["bad"], text["sen_provision"])
    major = by_cell(text["sen_provision_major"], _major)
    got.refuse("major provision not read", major["bad"], text["sen_provision_major"])
    got.find("provisions disagree", (major["code"] != "") & (found["code"] != "") & (major["code"] != found["code"]))
    return found["code"]


def _major(cells: pd.Series) -> pd.DataFrame:
    given = tidy(cells).str.upper()
    return pd.DataFrame({"code": given.map(MAJOR).fillna(""), "bad": (given != "") & ~given.isin(MAJOR)})


def needs(text: pd.DataFrame, provision: pd.Series, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """Primary and secondary type of need of pupils with SEN; "" where there is none."""
    first, second = _need(text["need1"], "need1", got), _need(text["need2"], "need2", got)
    identified = provision.isin(["K", "E"])
    without = (provision == "N") & ((first != "") | (second != ""))
    got.refuse("need without provision", without, text["need1"].mask(first == "", text["need2"]))
    got.find("need out of date", identified & ((first == LEGACY_NEED) | (second == LEGACY_NEED)))
    alone = identified & (first == "") & (second != "")
    got.find("secondary need alone", alone)
    first, second = first.mask(alone, second), second.mask(alone, "")
    same = identified & (second != "") & (first == second)
    got.find("same need twice", same)
    got.find("need missing", identified & (first == ""))
    got.find("NSA with a plan", (provision == "E") & (first == "NSA"))
    return first.where(identified, ""), second.where(identified & ~same, "")


@cache
def _need_names() -> Mapping[str, str]:
    table = all_versions("need")
    return {
        word.upper(): row.code for row in table.itertuples() for word in (row.plain, row.label, row.code) if row.code
    }


def _need(cells: pd.Series, column: str, got: Gathered) -> pd.Series:
    def read(cells: pd.Series) -> pd.DataFrame:
        given = trim(cells).str.upper()
        code = given.map(_need_names()).fillna("")
        return pd.DataFrame({"code": code, "bad": (code == "") & ~given.str.lower().isin(MISSING)})

    found = by_cell(cells, read)
    got.refuse("need not read", found["bad"], cells, column)
    return found["code"]


def statuses(text: pd.DataFrame, expected: np.ndarray, got: Gathered) -> pd.Series:
    """The enrolment status in capitals, as given; ``expected`` marks the rows of files that have the column."""
    status = by_cell(text["enrolment_status"], lambda cells: pd.DataFrame({"is": tidy(cells).str.upper()}))["is"]
    got.find("enrolment status empty", expected & (status == ""))
    return status
