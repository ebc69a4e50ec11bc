"""The canonical pupil table: one row a pupil a census, whatever form the census came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, Summary, together
from jsna.files.values import booleans, dates, tidy
from jsna.sources import pupil_fields as fields
from jsna.sources.gathered import Gathered, few, phrase
from jsna.sources.homes import Homes, Placed, place
from jsna.sources.identity import SYNTHETIC_LA, pseudonyms, upn_problems

RAW = (
    "upn",
    "pupil_reference",
    "dob",
    "age",
    "sex",
    "gender",
    "ethnicity",
    "language",
    "nc_year",
    "enrolment_status",
    "on_roll",
    "sen_provision",
    "sen_provision_major",
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
    "school_reference",
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
# In this order a child of two registrations is looked for.
COUNTED = ("C", "M", "")
ELSEWHERE = ("S", "F", "O")
# A reference as the workbench's own research extracts have it.
INVENTED_REFERENCE = r"SYN[0-9]{15}"
# From which share of pupils met in another file of the same census on, the two files are one census.
SAME_CENSUS, SAME_LEAST = 0.5, 5
# From which number and share of a school's pupils on, one postcode is probably the school's own.
SHARED_HOME, SHARED_SHARE = 10, 0.2


@dataclass(frozen=True)
class Raw:
    """A census as its reader gives it: every cell text, columns of ``RAW`` (those it lacks are ""), index = the row.

    ``file`` names the file of each row. ``rows_read`` counts all rows of the file, ``quarantine`` holds those that
    never came into ``frame``. ``lacks`` are the columns of ``RAW`` that the form does not have at all. ``why`` says why
    the file was taken for its ``form``; ``tallies`` counts, by a sentence with {n} and [one|many], what every file of a
    census has and a note should say once for all of them.
    """

    frame: pd.DataFrame
    file: pd.Series
    rows_read: int
    quarantine: pd.DataFrame
    form: str
    sha256: str
    lacks: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    why: str = ""
    tallies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a census is read with: the authority, the project's key, homes, and the register of schools if there is one.

    ``schools`` has ``urn``, ``laestab`` (seven digits) and ``phase`` (codes of ``school_phase.csv``).
    """

    area_code: str
    key: bytes
    homes: Homes
    schools: pd.DataFrame | None = None

    @property
    def numbers(self) -> frozenset[str]:
        """The three-digit numbers that the authority has, and had under the same code."""
        table = all_versions("local_authority")
        return frozenset(table.loc[table["code"] == self.area_code, "dfe_number"])


@dataclass(frozen=True)
class PupilTable:
    """The canonical pupils of one or more censuses, with what a person should look at (``findings``: check, severity
    "error" or "look", column, count, sentence, mend, place)."""

    loaded: Loaded
    findings: pd.DataFrame


def canonical(raws: Sequence[Raw], context: Context) -> PupilTable:
    """One canonical table of the censuses in ``raws``.

    Rows that cannot be counted either way are refused and listed (no provision, no age and no year group, a second
    registration, the same pupil again in one census); a cell that is not understood is listed, and not known in the
    frame. Nothing is filed under "other". The order of rows and of files does not matter.

    Raises ``SourceError`` when a file has no day of January, when nothing of a file is left, when invented pupils are
    among real ones, and when the same census comes twice.
    """
    text = pd.concat([_as_text(raw) for raw in raws], ignore_index=True)
    number = np.repeat(np.arange(len(raws)), [len(raw.frame) for raw in raws])
    got = Gathered(
        file=np.concatenate([raw.file.astype("object").to_numpy() for raw in raws]),
        row=np.concatenate([raw.frame.index.get_level_values(-1).to_numpy() for raw in raws]),
        period=np.full(len(text), ""),
    )
    problems = upn_problems(text["upn"])
    invented = _invented(text, problems, got)
    day = _days(text, number, raws, got)
    frame, counts = _columns(text.assign(upn_problem=problems), day, _lacking(raws, number), context, got)
    keep = _counted(frame, text, got)
    keep = _once(frame, number, raws, keep, got)
    _something_of_each(keep, number, raws, got)
    kept = frame.loc[keep, list(COLUMNS)].sort_values(["census_date", "pupil_id"], kind="stable", ignore_index=True)
    notes = [*_notes(raws), f"Homes: {', '.join(f'{n:,} {words}' for words, n in counts.items())}."]
    quarantine = together([*(raw.quarantine for raw in raws), *got.refusals])
    loaded = Loaded(_typed(kept), quarantine, _summary(kept, raws, got, invented, notes))
    _check(loaded.frame)
    return PupilTable(loaded, got.findings(keep))


def _as_text(raw: Raw) -> pd.DataFrame:
    return raw.frame.reindex(columns=list(RAW), fill_value="").fillna("").astype("str")


def _lacking(raws: Sequence[Raw], number: np.ndarray) -> dict[str, np.ndarray]:
    """For each column that a form can lack as a whole, the rows of the files that have it."""
    names = ("upn", "enrolment_status")
    return {c: np.isin(number, [i for i, raw in enumerate(raws) if c not in raw.lacks]) for c in names}


def _notes(raws: Sequence[Raw]) -> list[str]:
    """What the files say of themselves, once for all that say the same."""
    forms: dict[tuple[str, str], list[str]] = {}
    tallies: Counter[str] = Counter()
    for raw in raws:
        forms.setdefault((raw.form, raw.why), []).extend(raw.file.unique())
        tallies.update(raw.tallies)
    notes = []
    for (form, why), names in forms.items():
        if why and names:
            notes.append(f"{few(names)}: taken for {form}, because {why}.")
    both = [name for raw in raws if not {"sex", "gender"} & raw.lacks for name in raw.file.unique()]
    if both:
        notes.append(f"{few(both)}: the columns sex and gender are both there; each fills the other's empty cells.")
    notes += [note for raw in raws for note in raw.notes]
    return [*notes, *(phrase(sentence, n) for sentence, n in tallies.items() if n)]


def _summary(kept: pd.DataFrame, raws: Sequence[Raw], got: Gathered, invented: bool, notes: Sequence[str]) -> Summary:
    periods = sorted(kept["time_period"].unique())
    rows_read = sum(raw.rows_read for raw in raws)
    return Summary(
        source="School census, pupil level",
        file=", ".join(pd.unique(got.file)),
        period=f"{periods[0]} to {periods[-1]}" if len(periods) > 1 else periods[0],
        rows_read=rows_read,
        rows_kept=len(kept),
        rows_refused=rows_read - len(kept),
        sha256=" ".join(raw.sha256 for raw in raws),
        publisher="The authority's own records",
        licence="Not for publication; figures leave through the disclosure gate alone",
        synthetic=invented,
        notes=tuple(dict.fromkeys(notes)),
    )


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    words = [c for c in frame if pd.api.types.is_string_dtype(frame[c]) and c != "pupil_id"]
    return frame.astype({"age": "int8"} | {c: "category" for c in words})


def _check(frame: pd.DataFrame) -> None:
    from jsna.sources.schema import check_pupils

    check_pupils(frame)


def _invented(text: pd.DataFrame, problems: pd.Series, got: Gathered) -> bool:
    """Whether the pupils are the workbench's own, whose numbers name an authority that does not exist. Invented
    children among real ones are refused: a pack must be the one or the other."""
    # Also where a spreadsheet has cut the numbers: by their first four characters, or by postcodes that nobody has.
    numbers = tidy(text["upn"])
    formed = problems.isin(["", "lower case", "wrong check letter"])
    nowhere = tidy(text["postcode"]).str.upper().str.fullmatch(r"XL\d.*")
    own = numbers.str.fullmatch(rf"[A-Za-z]{SYNTHETIC_LA}.*") | (~formed & nowhere)
    reference = tidy(text["pupil_reference"])
    made_up = own | reference.str.fullmatch(INVENTED_REFERENCE)
    real = (formed & ~own) | ((reference != "") & ~made_up)
    numbered = (tidy(text["upn"]) != "") | (reference != "")
    if made_up.any() and (real.any() or 2 * made_up.sum() < numbered.sum()):
        raise SourceError(
            Problem(
                f"{int(made_up.sum()):,} of {len(text):,} pupils are invented ones of the workbench, and the others "
                "are not: a pack is of the one or the other.",
                where=few(pd.unique(got.file[made_up])),
                mend="Take the practice files out of pupils: in the params file.",
            )
        )
    return bool(made_up.any())


def _days(text: pd.DataFrame, number: np.ndarray, raws: Sequence[Raw], got: Gathered) -> pd.Series:
    """The day of the census of each row; missing where a file of several censuses does not say which."""
    day, bad = dates(text["census_date"])
    problems = []
    filled = np.zeros(len(text), dtype=bool)
    for i, raw in enumerate(raws):
        own = number == i
        where = ", ".join(raw.file.unique())
        said = day[own].dropna().unique()
        other = sorted(d for d in said if d.month != 1)
        if not len(said):
            mend = "Name it in the params file: census_date: 2026-01-15."
            problems.append(Problem("The day of the census is not in the file.", where=where, mend=mend))
        elif other:
            problems.append(
                Problem(
                    "This is not a January census: types of need and ethnicity are in the January return alone.",
                    where=where,
                    value=", ".join(d.date().isoformat() for d in other[:3]),
                    mend="Bring the spring census, taken on the third Thursday of January, and take this one out.",
                )
            )
        elif len(said) == 1:
            filled |= own & day.isna().to_numpy()
            day = day.mask(filled & own, said[0])
    if problems:
        raise SourceError(*problems)
    year = day.dt.year
    period = (year - 1).astype("Int64").astype("str") + (year % 100).astype("Int64").astype("str").str.zfill(2)
    got.period = period.where(day.notna(), "").to_numpy(dtype=object)
    got.refuse("day not read", bad & day.notna(), text["census_date"])
    got.find("day filled", filled & ~bad)
    got.refuse("no day", day.isna(), text["census_date"])
    return day


def _columns(
    text: pd.DataFrame, day: pd.Series, has: dict[str, np.ndarray], context: Context, got: Gathered
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Every canonical column of every row, whether it will be counted or not."""
    frame = pd.DataFrame(index=text.index)
    frame["census_date"] = day
    frame["time_period"] = pd.Series(got.period, dtype="str")
    frame["la_code"] = context.area_code
    frame["school_urn"], phase = _schools(text, context, got)
    frame["year_group"], frame["age"] = fields.year_groups(text, fields.ages(text, day, got), got)
    frame["school_phase"] = fields.phase_by_year(phase, frame["year_group"])
    frame["sex"] = fields.sexes(text, got)
    frame["ethnicity_detailed"], frame["ethnicity"] = fields.ethnicities(text, got)
    frame["first_language"], frame["language_group"] = fields.languages(text, got)
    frame["fsm_eligible"], silent = fields.yes(text["fsm"], "fsm", got)
    got.find("free meals empty", silent)
    frame["sen_provision"] = fields.provisions(text, got)
    frame["primary_need"], frame["secondary_need"] = fields.needs(text, frame["sen_provision"], got)
    unit, resourced = (fields.yes(text[c], c, got)[0] for c in ("sen_unit", "resourced_provision"))
    frame["in_unit"] = unit | resourced
    frame["enrolment_status"] = fields.statuses(text, has["enrolment_status"], got)
    frame["numbered"] = fields.pupil_numbers(text, has["upn"], got)
    frame["pupil_id"] = _pupil_ids(frame, text, context)
    homes = _homes(text, frame["school_urn"], context, got)
    return frame.join(homes.frame), homes.counts


def _pupil_ids(frame: pd.DataFrame, text: pd.DataFrame, context: Context) -> pd.Series:
    """Hash of the pupil number; where there is none that could be met again, of all that the row says, so that a child
    without a number is still counted, and is the same whatever the order of the rows."""
    number, alone = frame["numbered"], frame["numbered"] == ""
    if alone.any():
        row = text.loc[alone, list(RAW)].assign(
            period=frame.loc[alone, "time_period"], school=frame.loc[alone, "school_urn"]
        )
        content = row.iloc[:, 0].str.cat(row.iloc[:, 1:], sep="|")
        again = content.groupby(content).cumcount().astype("str")
        number = number.where(~alone, ("WITHOUT NUMBER|" + content + "|" + again).reindex(number.index))
    return pseudonyms(number, context.key)


def _schools(text: pd.DataFrame, context: Context, got: Gathered) -> tuple[pd.Series, pd.Series]:
    """The school's URN, or where none can be told the establishment number; and its kind, "" where not known."""
    laestab = fields.establishments(text, context.numbers, got)[1]
    urn = fields.by_cell(text["urn"], _urn)["urn"]
    phase = fields.phases(text, got)
    # What one file of the same run says is taken for another, so that a school is met again in years without URN.
    said = pd.DataFrame({"laestab": laestab, "urn": urn, "day": got.period})
    said = said[(laestab != "") & (urn != "")].drop_duplicates().sort_values(["day", "urn"], kind="stable")
    if len(said):
        known = said.drop_duplicates("laestab").set_index("laestab")["urn"]
        urn = urn.mask(urn == "", laestab.map(known).fillna(""))
    if context.schools is not None:
        register = context.schools
        by_estab = register[register["laestab"] != ""].drop_duplicates("laestab").set_index("laestab")
        by_urn = register[register["urn"] != ""].drop_duplicates("urn").set_index("urn")
        urn = urn.mask(urn == "", laestab.map(by_estab["urn"]).fillna(""))
        listed = urn.map(by_urn["phase"]).fillna(laestab.map(by_estab["phase"])).fillna("")
        phase = listed.mask(listed == "", phase)
    reference = tidy(text["school_reference"])
    school = urn.mask(urn == "", laestab)
    got.find("school without urn", (urn == "") & (school != ""))
    school = school.mask(school == "", reference)
    got.find("school missing", school == "")
    through = tidy(text["phase"]).str.upper() == "AT"
    got.find("kind of school unknown", (phase == "") & (school != "") & ~through)
    return school.astype("str"), phase.astype("str")


def _urn(cells: pd.Series) -> pd.DataFrame:
    given = tidy(cells).str.replace(r"\.0$", "", regex=True)
    return pd.DataFrame({"urn": given.where(given.str.fullmatch(r"[0-9]{5,6}"), "")})


def _homes(text: pd.DataFrame, school: pd.Series, context: Context, got: Gathered) -> Placed:
    placed = place(text["postcode"], tidy(text["lsoa21"]), context.homes)
    for rule in placed.trouble.unique():
        if rule:
            got.refuse(rule, placed.trouble == rule, text["postcode"])
    postcode = tidy(text["postcode"]).str.upper().str.replace(" ", "", regex=False)
    if context.homes.directory is None:
        got.find("no directory", (postcode != "") & (placed.frame["lsoa21"] == ""))
    given = pd.DataFrame({"postcode": postcode, "school": school, "period": got.period})[postcode != ""]
    of_school = given.groupby(["period", "school"])["postcode"].transform("size")
    sharing = given.groupby(["period", "school", "postcode"])["postcode"].transform("size")
    shared = (sharing >= SHARED_HOME) & (sharing >= SHARED_SHARE * of_school)
    got.find("school as home", shared.reindex(postcode.index, fill_value=False))
    return placed


def _counted(frame: pd.DataFrame, text: pd.DataFrame, got: Gathered) -> pd.Series:
    """Which rows are counted; every other is listed with one reason."""
    keep = (frame["sen_provision"] != "") & frame["census_date"].notna()
    gone = keep & booleans(text["on_roll"])[0].eq(False).fillna(False).astype("bool")
    got.refuse("not on roll", gone, text["on_roll"])
    keep &= ~gone
    status = frame["enrolment_status"]
    for code in ELSEWHERE:
        got.refuse(f"status {code}", keep & (status == code), text["enrolment_status"])
    got.refuse("enrolment status not read", keep & ~status.isin(fields.STATUSES), text["enrolment_status"])
    keep &= status.isin(COUNTED)
    lost = keep & (frame["age"].isna() | (frame["year_group"] == ""))
    got.refuse("neither age nor year", lost, text["nc_year"])
    return keep & ~lost


def _once(frame: pd.DataFrame, number: np.ndarray, raws: Sequence[Raw], keep: pd.Series, got: Gathered) -> pd.Series:
    """One row a pupil number a census: the sole registration before the main one, then by what the rows say."""
    key = ["time_period", "pupil_id"]
    several = keep & (frame["numbered"] != "")
    several[several] = frame.loc[several, key].duplicated(keep=False)
    if not several.any():
        return keep
    rows = frame.loc[several, [*COLUMNS]].assign(raw=number[several])
    _refuse_same_census(rows, number[keep], raws)
    order = rows["enrolment_status"].map({s: i for i, s in enumerate(COUNTED)})
    rest = [c for c in COLUMNS if c not in ("enrolment_status", *key)]
    ranked = rows.assign(order=order).sort_values(["order", *rest], kind="stable")
    again = ranked.duplicated(key).reindex(frame.index, fill_value=False)
    got.refuse("pupil twice", again)
    got.find("pupil twice", again)
    return keep & ~again


def _refuse_same_census(rows: pd.DataFrame, kept: np.ndarray, raws: Sequence[Raw]) -> None:
    """Raise ``SourceError`` where most pupils of one file stand in another of the same census as well."""
    if len(raws) == 1:
        return
    size = np.bincount(kept, minlength=len(raws))
    files = rows.groupby(["time_period", "pupil_id"])["raw"].agg(lambda r: tuple(sorted(set(r))))
    pairs = files[files.str.len() > 1].value_counts()
    problems = []
    for pair, n in pairs.items():
        if n >= SAME_LEAST and n > SAME_CENSUS * max(size[i] for i in pair):
            names = " and ".join(", ".join(raws[i].file.unique()) + f" ({raws[i].form})" for i in pair)
            problems.append(
                Problem(
                    f"The same census is named twice: {n:,} pupils stand in both.",
                    where=names,
                    mend="Take one of them out of pupils: in the params file. Is the day of each right?",
                )
            )
    if problems:
        raise SourceError(*problems)


def _something_of_each(keep: pd.Series, number: np.ndarray, raws: Sequence[Raw], got: Gathered) -> None:
    """Raise ``SourceError`` for files of which no pupil can be counted, with the most frequent reasons."""
    left = np.bincount(number[keep], minlength=len(raws))
    quarantine = together(got.refusals)
    problems = []
    for i in np.flatnonzero(left == 0):
        names = raws[i].file.unique()
        why = quarantine.loc[quarantine["file"].isin(names), ["column", "rule"]].value_counts()
        reasons = "; ".join(f"{column}: {rule} ({n:,})" for (column, rule), n in why.head(4).items())
        problems.append(
            Problem(
                "No pupil of this census can be counted.",
                where=", ".join(names),
                value=f"{raws[i].rows_read:,} rows read",
                mend=f"See the reasons. {reasons or 'The file has no rows that are understood'}.",
            )
        )
    if problems:
        raise SourceError(*problems)
