"""The canonical pupil table: one row a pupil a census, whatever form the census came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from jsna.codes import all_versions, code_list
from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, Summary, refused, together
from jsna.files.values import MISSING, booleans, dates, tidy, trim, without_decimal_zero
from jsna.sources.homes import Homes, place
from jsna.sources.identity import SYNTHETIC_LA, masked, pseudonyms, upn_problems

RAW = (
    "upn",
    "pupil_reference",
    "dob",
    "age",
    "sex",
    "ethnicity",
    "language",
    "nc_year",
    "enrolment_status",
    "sen_provision",
    "need1",
    "need2",
    "fsm",
    "sen_unit",
    "resourced_provision",
    "postcode",
    "lsoa21",
    "la",
    "urn",
    "laestab",
    "phase",
    "census_date",
)
COLUMNS = (
    "pupil_id",
    "census_date",
    "time_period",
    "la_code",
    "school_urn",
    "school_phase",
    "lsoa21",
    "ward_code",
    "year_group",
    "age",
    "sex",
    "ethnicity",
    "ethnicity_detailed",
    "first_language",
    "language_group",
    "fsm_eligible",
    "idaci_rank",
    "idaci_decile",
    "idaci_edition",
    "sen_provision",
    "primary_need",
    "secondary_need",
    "in_unit",
    "enrolment_status",
)
UNKNOWN_SEX = "U"
NOT_OBTAINED = "NOBT"
LANGUAGE_NOT_OBTAINED = "NOT"
COUNTED = ("C", "M", "")
STATUSES = {
    "S": "a second registration: the pupil is counted at the main school",
    "F": "registered with a college, not a pupil of a school",
    "O": "registered with another provider, not a pupil of a school",
}
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
EXPORT = "Mend it in the school's system and export again; until then the row is left out of every figure."
FINE = "Nothing to mend: this is as it should be."
SEEN = "Mend it in the school's system; until then the cell counts as not known."
FINDING_COLUMNS = ("check", "severity", "column", "count", "sentence", "mend")


@dataclass(frozen=True)
class Raw:
    """A census as its reader gives it: every cell text, columns of ``RAW`` (those it lacks are ""), index = the row.

    ``file`` names the file of each row. ``rows_read`` counts all rows of the file, ``quarantine`` holds those that
    never came into ``frame``. ``lacks`` are the columns of ``RAW`` that the form does not have at all.
    """

    frame: pd.DataFrame
    file: pd.Series
    rows_read: int
    quarantine: pd.DataFrame
    form: str
    sha256: str
    lacks: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a census is read with: the authority, the project's key, homes, and the register of schools if there is one.

    ``schools`` has ``urn``, ``laestab`` (seven digits) and ``phase`` (codes of ``school_phase.csv``).
    """

    area_code: str
    key: bytes
    homes: Homes
    schools: pd.DataFrame | None = None


@dataclass(frozen=True)
class PupilTable:
    """The canonical pupils of one or more censuses, with what a person should look at (``findings``)."""

    loaded: Loaded
    findings: pd.DataFrame


@dataclass
class _Gathered:
    """Refusals and findings on the way through the table."""

    raw: Raw
    refusals: list[pd.DataFrame] = field(default_factory=list)
    findings: list[dict] = field(default_factory=list)

    def refuse(self, which: pd.Series, column: str, values: pd.Series, rule: str, mend: str) -> None:
        hit = which[which].index
        if len(hit):
            file = self.raw.file.loc[hit]
            part = refused("", hit.get_level_values(-1), column, values.loc[hit], rule, mend)
            self.refusals.append(part.assign(file=file.to_numpy()))

    def find(self, check: str, severity: str, column: str, which: pd.Series, sentence: str, mend: str) -> None:
        count = int(which.sum())
        if count:
            self.findings.append(
                dict(
                    zip(FINDING_COLUMNS, (check, severity, column, count, sentence.format(n=count), mend), strict=True)
                )
            )


def canonical(raws: Sequence[Raw], context: Context) -> PupilTable:
    """One canonical table of the censuses in ``raws``.

    Rows that cannot be counted either way are refused and listed (no provision, no age and no year group, a second
    registration, the same pupil again in one census); a cell that is not understood is listed, and not known in the
    frame. Nothing is filed under "other". Raises ``SourceError`` when nothing is left, or when the same census comes
    twice with no difference but its form.
    """
    parts = [_one(raw, context) for raw in raws]
    invented = _invented(raws)
    frame = pd.concat([p.loaded.frame for p in parts], ignore_index=True)
    frame = frame.sort_values(["census_date", "pupil_id"], kind="stable", ignore_index=True)
    summaries = [p.loaded.summary for p in parts]
    periods = sorted(frame["time_period"].unique())
    summary = Summary(
        source="School census, pupil level",
        file=", ".join(dict.fromkeys(s.file for s in summaries)),
        period=f"{periods[0]} to {periods[-1]}" if len(periods) > 1 else periods[0],
        rows_read=sum(s.rows_read for s in summaries),
        rows_kept=len(frame),
        rows_refused=sum(s.rows_refused for s in summaries),
        sha256=" ".join(s.sha256 for s in summaries),
        publisher="The authority's own records",
        licence="Not for publication; figures leave through the disclosure gate alone",
        synthetic=invented,
        notes=tuple(dict.fromkeys(n for s in summaries for n in s.notes)),
    )
    findings = pd.concat([p.findings for p in parts], ignore_index=True)
    quarantine = together([p.loaded.quarantine for p in parts])
    return PupilTable(Loaded(_typed(frame), quarantine, summary), findings)


def _invented(raws: Sequence[Raw]) -> bool:
    """Whether the pupils are the workbench's own, whose numbers name an authority that does not exist. Invented
    children among real ones are refused: a pack must be the one or the other."""
    number = pd.concat([tidy(r.frame["upn"]) for r in raws if "upn" in r.frame] or [pd.Series(dtype="str")])
    number = number[number.str.fullmatch(r"[A-Za-z]\d{11}\w")]
    invented = number.str[1:4] == SYNTHETIC_LA
    if invented.any() and not invented.all():
        raise SourceError(
            Problem(
                f"{int(invented.sum()):,} of {len(number):,} pupils are invented ones of the workbench.",
                where=", ".join(dict.fromkeys(f for r in raws for f in r.file.unique())),
                mend="Take the practice files out of pupils: in the params file.",
            )
        )
    return bool(len(number) and invented.all())


def _one(raw: Raw, context: Context) -> PupilTable:
    text = raw.frame.reindex(columns=list(RAW), fill_value="").fillna("")
    got = _Gathered(raw)
    dated = _census_dates(text, raw)
    frame = pd.DataFrame(index=text.index)
    frame["pupil_id"] = _pupil_ids(text, context, got)
    frame["census_date"] = dated
    frame["time_period"] = _periods(dated)
    frame["la_code"] = context.area_code
    frame["school_urn"], frame["school_phase"] = _schools(text, context, got)
    birth, age = _ages(text, dated, got)
    frame["year_group"], frame["age"] = _year_groups(text, age, raw, got)
    frame["school_phase"] = _phase_by_year(frame["school_phase"], frame["year_group"])
    frame["sex"] = _sex(text, got)
    frame["ethnicity_detailed"], frame["ethnicity"] = _ethnicity(text, got)
    frame["first_language"], frame["language_group"] = _language(text, got)
    frame["fsm_eligible"] = _yes(text["fsm"], "fsm", got)
    frame["sen_provision"] = _provision(text, got)
    frame["primary_need"], frame["secondary_need"] = _needs(text, frame["sen_provision"], got)
    frame["in_unit"] = _yes(text["sen_unit"], "sen_unit", got) | _yes(
        text["resourced_provision"], "resourced_provision", got
    )
    frame["enrolment_status"] = trim(text["enrolment_status"]).str.upper()
    homes = place(text["postcode"], tidy(text["lsoa21"]), context.homes)
    frame = frame.join(homes.frame)
    keep = _kept(frame, text, birth, got)
    notes = (*raw.notes, f"Homes: {', '.join(f'{n:,} {words}' for words, n in homes.counts.items())}.")
    kept = frame.loc[keep, list(COLUMNS)].reset_index(drop=True)
    if kept.empty:
        raise SourceError(
            Problem(
                "No pupil of this census can be counted.",
                where=", ".join(dict.fromkeys(raw.file)),
                value=f"{raw.rows_read} rows read",
                mend="See the reasons: " + "; ".join(dict.fromkeys(together(got.refusals)["rule"])[:4]),
            )
        )
    summary = Summary(
        source=raw.form,
        file=", ".join(dict.fromkeys(raw.file)),
        period="",
        rows_read=raw.rows_read,
        rows_kept=len(kept),
        rows_refused=raw.rows_read - len(kept),
        sha256=raw.sha256,
        notes=notes,
    )
    quarantine = together([raw.quarantine, *got.refusals])
    return PupilTable(Loaded(kept, quarantine, summary), pd.DataFrame(got.findings, columns=list(FINDING_COLUMNS)))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    words = [c for c in frame if pd.api.types.is_string_dtype(frame[c]) and c != "pupil_id"]
    return frame.astype({c: "category" for c in words})


def _census_dates(text: pd.DataFrame, raw: Raw) -> pd.Series:
    dated, bad = dates(text["census_date"])
    if dated.isna().all():
        raise SourceError(
            Problem(
                "The day of the census is not in the file.",
                where=", ".join(dict.fromkeys(raw.file)),
                value=text.loc[bad, "census_date"].iloc[0] if bad.any() else None,
                mend="Name it in the params file: census_date: 2026-01-15.",
            )
        )
    filled = dated.fillna(dated.mode().iloc[0])
    months = sorted(filled.dt.month.unique())
    if months != [1]:
        raise SourceError(
            Problem(
                "This is not a January census: types of need and ethnicity are in the January return alone.",
                where=", ".join(dict.fromkeys(raw.file)),
                value=filled.max().date().isoformat(),
                mend="Bring the spring census, taken on the third Thursday of January.",
            )
        )
    return filled


def _periods(dated: pd.Series) -> pd.Series:
    year = dated.dt.year
    return (year - 1).astype("str") + (year % 100).astype("str").str.zfill(2)


def _pupil_ids(text: pd.DataFrame, context: Context, got: _Gathered) -> pd.Series:
    """Hash of the pupil number; of an extract's own reference where that is all there is; of the place in the file
    where neither is, so that a child without a number is still counted."""
    problems = upn_problems(text["upn"])
    if "upn" not in got.raw.lacks:
        hidden = "The pupil is counted. Correct the number in the school's system, or the child will not be met again."
        for problem in ("malformed", "wrong check letter", "unknown LA"):
            got.find(f"upn {problem}", "look", "upn", problems == problem, f"{{n}} pupil numbers: {problem}.", hidden)
    number = tidy(text["upn"]).mask(problems == "missing", tidy(text["pupil_reference"]))
    alone = number == ""
    got.find(
        "upn missing",
        "look",
        "upn",
        alone,
        "{n} rows have no pupil number: these children are counted, but not met again in other files or years.",
        "Add the number in the school's system.",
    )
    position = "row " + text.index.get_level_values(-1).astype("str") + " of " + got.raw.file.astype("str").to_numpy()
    return pseudonyms(number.mask(alone, pd.Series(position, index=text.index).str.upper()), context.key)


def _schools(text: pd.DataFrame, context: Context, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    digits = without_decimal_zero(tidy(text["laestab"])).str.replace(r"\D", "", regex=True)
    la = without_decimal_zero(tidy(text["la"]))
    own = str(code_list("local_authority").loc[context.area_code, "dfe_number"])
    laestab = digits.mask(digits.str.len() == 4, la.where(la != "", own) + digits)
    urn = without_decimal_zero(tidy(text["urn"]))
    phase = tidy(text["phase"]).str.upper().map(PHASES).fillna("")
    if context.schools is not None:
        register = context.schools
        by_estab = register[register["laestab"] != ""].drop_duplicates("laestab").set_index("laestab")
        by_urn = register[register["urn"] != ""].drop_duplicates("urn").set_index("urn")
        urn = urn.mask(urn == "", laestab.map(by_estab["urn"]).fillna(""))
        listed = urn.map(by_urn["phase"]).fillna(laestab.map(by_estab["phase"])).fillna("")
        phase = listed.mask(listed == "", phase)
    school = urn.mask(urn == "", laestab)
    got.find(
        "school missing",
        "error",
        "laestab",
        school == "",
        "{n} rows name no school: what school they go to cannot be allowed for.",
        "Add URN or the establishment number to the extract.",
    )
    through = tidy(text["phase"]).str.upper() == "AT"
    unknown = (phase == "") & (school != "") & ~through
    got.find(
        "kind of school unknown",
        "look",
        "phase",
        unknown,
        "{n} pupils are at schools whose kind is not known: they count as mainstream schools of their year groups.",
        "Name a register of schools (schools: in the params file), such as the published list of all schools.",
    )
    return school, phase


def _phase_by_year(phase: pd.Series, year: pd.Series) -> pd.Series:
    """All-through schools, and those of unknown kind, count by the year group: primary to year 6, then secondary."""
    secondary = year.isin([str(y) for y in range(7, 15)])
    return phase.mask(phase == "", pd.Series("primary", index=phase.index).mask(secondary, "secondary"))


def _ages(text: pd.DataFrame, dated: pd.Series, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    """Date of birth, and age at 31 August before the school year; a column ``age`` is taken where no birthday is."""
    birth, bad = dates(text["dob"])
    early = birth.notna() & ((birth > dated) | (dated.dt.year - birth.dt.year > 26))
    for which, rule in ((bad, "not a date"), (early, "born after the census, or more than 26 years before it")):
        got.refuse(which, "dob", masked(text["dob"]), rule, SEEN)
    birth = birth.mask(early)
    start = dated.dt.year - 1
    after = (birth.dt.month > 8).astype("Int64")
    age = (start - birth.dt.year - after).astype("Int64")
    given = pd.to_numeric(without_decimal_zero(tidy(text["age"])), errors="coerce").astype("Float64")
    strange = (tidy(text["age"]) != "") & (given.isna() | (given < 0) | (given > 25) | (given % 1 != 0).fillna(False))
    got.refuse(strange, "age", text["age"], "not an age from 0 to 25", SEEN)
    return birth, age.fillna(given.mask(strange).astype("Float64").round().astype("Int64"))


def _year_groups(text: pd.DataFrame, age: pd.Series, raw: Raw, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    """Year group and age; each stands in for the other, where one of them is missing or not followed."""
    groups = code_list("year_group").index
    year = without_decimal_zero(tidy(text["nc_year"])).str.upper().str.removeprefix("Y").str.lstrip("0")
    year = year.replace({"E1": "N1", "E2": "N1"})
    mixed = year.isin(["M", "X"])
    strange = ~year.isin([*groups, "M", "X", ""])
    got.refuse(strange, "nc_year", text["nc_year"], "not a year group", SEEN)
    expected = age.map(_expected_years()).fillna("")
    shown = year.where(year.isin(groups), expected)
    got.find(
        "year group from age",
        "look",
        "nc_year",
        ~year.isin(groups) & (shown != ""),
        "{n} pupils have no year group, or one that is not followed: it is taken from their age.",
        "Usual in special schools; elsewhere enter the year group.",
    )
    years = year.map({g: a for a, g in _expected_years().items()})
    gap = (age - years.astype("Float64")).abs()
    got.find(
        "age outside the year group",
        "look",
        "dob",
        (gap > 1).fillna(False),
        "{n} pupils are more than a year older or younger than their year group.",
        "Compare date of birth and year group.",
    )
    return shown.where(~mixed, expected), age.fillna(years.astype("Int64"))


@cache
def _expected_years() -> dict[int, str]:
    return {0: "N1", 1: "N1", 2: "N1", 3: "N2", 4: "R"} | {a: str(a - 4) for a in range(5, 19)}


def _sex(text: pd.DataFrame, got: _Gathered) -> pd.Series:
    given = tidy(text["sex"]).str.upper()
    known = given.map(SEXES)
    got.refuse((given != "") & known.isna(), "sex", text["sex"], "neither M nor F", SEEN)
    got.find("sex unknown", "look", "sex", known.isna(), "{n} pupils: sex is not known.", SEEN)
    return known.fillna(UNKNOWN_SEX)


@cache
def _ethnicities() -> tuple[dict[str, str], dict[str, str]]:
    """Main code of each detailed code, and code of each label, in capitals."""
    detailed, main = all_versions("ethnicity_detailed"), all_versions("ethnicity")
    named = {row.plain.upper(): row.code for row in detailed.itertuples() if row.plain}
    named |= {row.alias.upper(): row.code for row in all_versions("ethnicity_alias").itertuples()}
    return detailed.set_index("code")["main"].to_dict(), named | {r.label.upper(): r.code for r in main.itertuples()}


def _ethnicity(text: pd.DataFrame, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    mains, named = _ethnicities()
    given = trim(text["ethnicity"]).str.upper()
    code = given.where(given.isin(mains), given.map(named)).fillna("")
    strange = (code == "") & ~given.str.lower().isin(MISSING)
    got.refuse(strange, "ethnicity", text["ethnicity"], "no ethnicity code of the school census", SEEN)
    got.find(
        "ethnicity empty",
        "look",
        "ethnicity",
        code == "",
        "{n} pupils have no ethnicity code: they count as not obtained.",
        "Where a whole school is empty, an export setting is the usual cause.",
    )
    code = code.mask(code == "", NOT_OBTAINED)
    return code, code.map(mains)


@cache
def _languages() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    table = all_versions("language").drop_duplicates("code").set_index("code")
    names = {label.upper(): code for code, label in table["label"].items()}
    return table["parent"].to_dict(), table["language_group"].to_dict(), names


def _language(text: pd.DataFrame, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    parents, groups, names = _languages()
    given = trim(text["language"]).str.upper()
    code = given.where(given.isin(parents), given.map(names)).fillna("")
    strange = (code == "") & ~given.str.lower().isin(MISSING)
    got.refuse(strange, "language", text["language"], "no language code of the school census", SEEN)
    code = code.mask(code == "", LANGUAGE_NOT_OBTAINED)
    return code.map(parents), code.map(groups)


def _yes(cells: pd.Series, column: str, got: _Gathered) -> pd.Series:
    typed, bad = booleans(cells)
    got.refuse(bad, column, cells, "neither yes nor no", SEEN)
    return typed.fillna(False).astype("bool")


@cache
def _provisions() -> dict[str, str]:
    """Each code that was ever in force, as the one that its group has today."""
    table = all_versions("sen_provision")
    today = code_list("sen_provision").reset_index().set_index("group")["code"]
    return dict(zip(table["code"], table["group"].map(today), strict=True))


def _provision(text: pd.DataFrame, got: _Gathered) -> pd.Series:
    given = trim(text["sen_provision"]).str.upper()
    needs = set(all_versions("need")["code"])
    code = given.map(_provisions()).fillna("")
    legacy = given.isin(set(all_versions("sen_provision")["code"]) - set(code_list("sen_provision").index))
    got.find(
        "provision of before 2014",
        "look",
        "sen_provision",
        legacy,
        "{n} pupils have a provision code of before 2014: School Action was far wider than SEN support, so do not "
        "compare across that year.",
        "Nothing to mend in an old census.",
    )
    swapped = given.isin(needs - {""})
    got.refuse(
        swapped,
        "sen_provision",
        text["sen_provision"],
        "a type of need stands where the SEN provision belongs",
        "Were two columns swapped? " + EXPORT,
    )
    empty = given.str.lower().isin(MISSING) & (code == "")
    got.refuse(empty, "sen_provision", text["sen_provision"], "no SEN provision: neither with SEN nor without", EXPORT)
    rest = (code == "") & ~swapped & ~empty
    got.refuse(rest, "sen_provision", text["sen_provision"], "no code of SEN provision (N, K or E)", EXPORT)
    return code


def _needs(text: pd.DataFrame, provision: pd.Series, got: _Gathered) -> tuple[pd.Series, pd.Series]:
    known = set(all_versions("need")["code"])
    first, second = (_need(text[c], c, known, got) for c in ("need1", "need2"))
    without = (provision == "N") & ((first != "") | (second != ""))
    got.refuse(
        without, "need1", text["need1"], "a type of need without SEN provision: it is not counted as a need", SEEN
    )
    alone = (first == "") & (second != "") & (provision != "N")
    got.find(
        "secondary need alone",
        "look",
        "need2",
        alone,
        "{n} pupils have a secondary need and no primary one: it is taken as the primary one.",
        "Enter the rank of the need.",
    )
    first, second = first.mask(alone, second), second.mask(alone, "")
    same = (second != "") & (first == second)
    second = second.mask(same, "")
    identified = provision.isin(["K", "E"])
    got.find(
        "need missing",
        "look",
        "need1",
        identified & (first == ""),
        "{n} pupils with SEN have no type of need.",
        "Enter it before the January census: these pupils are in no figure by need.",
    )
    got.find(
        "NSA with a plan",
        "look",
        "need1",
        (provision == "E") & (first == "NSA"),
        "{n} pupils with a plan are entered as not yet assessed (NSA), which is for SEN support alone.",
        "Enter the need that the plan names.",
    )
    return first.where(identified, ""), second.where(identified, "")


def _need(cells: pd.Series, column: str, known: set[str], got: _Gathered) -> pd.Series:
    given = trim(cells).str.upper()
    strange = ~given.isin(known) & ~given.str.lower().isin(MISSING)
    got.refuse(strange, column, cells, "no code of a type of need", SEEN)
    return given.where(given.isin(known), "")


def _kept(frame: pd.DataFrame, text: pd.DataFrame, birth: pd.Series, got: _Gathered) -> pd.Series:
    """Which rows are counted; every other is listed with one reason."""
    keep = frame["sen_provision"] != ""
    lost = keep & (frame["age"].isna() | (frame["year_group"] == ""))
    rule = "neither a date of birth nor a year group that is understood"
    got.refuse(lost, "nc_year", text["nc_year"], rule, EXPORT)
    keep &= ~lost
    for status, words in STATUSES.items():
        second = keep & (frame["enrolment_status"] == status)
        got.refuse(
            second, "enrolment_status", text["enrolment_status"], words, "Nothing to mend: this is as it should."
        )
        keep &= ~second
    odd = keep & ~frame["enrolment_status"].isin(COUNTED)
    got.refuse(odd, "enrolment_status", text["enrolment_status"], "no code of an enrolment status", SEEN)
    order = frame["enrolment_status"].map({s: i for i, s in enumerate(COUNTED)}).fillna(len(COUNTED))
    ranked = frame[keep].assign(order=order).sort_values("order", kind="stable")
    again = ranked.duplicated(["time_period", "pupil_id"]).reindex(frame.index, fill_value=False)
    once = pd.Series("(hidden)", index=frame.index)
    same = again & (frame["enrolment_status"] != "M")
    mend = "Find out which school has the pupil on roll, and take the other record out."
    got.refuse(again, "upn", once, "the same pupil number again in this census", mend)
    got.find(
        "pupil twice", "error", "upn", same, "{n} pupil numbers stand twice in one census; one record is kept.", mend
    )
    return keep & ~again
