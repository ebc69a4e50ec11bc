"""What the canonical pupil table promises: checked whenever one is made, and written out as the data dictionary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.sources.gathered import phrase
from jsna.sources.pupil_fields import OLDEST

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

SHOWN = 6
WHOLE_COLUMNS = {"column_in_schema": "no other columns", "column_in_dataframe": "all columns"}
KINDS = {"text": "text", "date": "date", "whole": "whole number", "flag": "true or false"}


@dataclass(frozen=True)
class Column:
    """One column: ``kind`` (see ``KINDS``), what it says, its unit, the ``codes`` list that holds its values (with
    ``extra`` values beside these), a ``pattern`` of text or a ``span`` of numbers, and when it is "not known"."""

    name: str
    kind: str
    says: str
    unit: str = ""
    codes: str = ""
    extra: tuple[str, ...] = ()
    pattern: str = ""
    span: tuple[int, int] | None = None
    unknown: str = ""
    required: bool = True

    @property
    def allowed(self) -> list[str]:
        """The values that it may have, in the order of the list; none where any of its pattern is allowed."""
        return [*dict.fromkeys(all_versions(self.codes)["code"] if self.codes else []), *self.extra]


COLUMNS = (
    Column(
        "pupil_id",
        "text",
        "The pupil: a keyed hash of the pupil number, the same in every census, SEN2 return and local extract of one "
        "project. A pupil without a number that can be used has one that is met nowhere else.",
        pattern=r"[0-9a-f]{24}|S[0-9]{10}",
    ),
    Column("census_date", "date", "The day of the census, in January.", unit="day"),
    Column("time_period", "text", "The school year of the census: 202526 for January 2026.", pattern=r"20[0-9]{4}"),
    Column("la_code", "text", "The authority that holds the data, nine characters.", codes="local_authority"),
    Column(
        "school_urn",
        "text",
        "The school: its URN; where neither the return nor a register of schools has one, the establishment number of "
        "seven digits, or the anonymous number of a research extract.",
        unknown='"" (no school can be told)',
        pattern=r"[0-9A-Za-z_/-]*",
    ),
    Column(
        "school_phase",
        "text",
        "The kind of school. All-through schools, and schools of unknown kind, count by the year group.",
        codes="school_phase",
    ),
    Column(
        "lsoa21",
        "text",
        "The LSOA of 2021 that the home is in, by postcode or as the file says.",
        pattern=r"(?:E01[0-9]{6})?",
        unknown='""',
    ),
    Column(
        "ward_code",
        "text",
        "The ward of the authority that the home is in, by best fit of the LSOA.",
        pattern=r"E05[0-9]{6}|unknown",
        unknown="unknown (also for homes in other authorities)",
    ),
    Column(
        "year_group",
        "text",
        "The year group as the return says; for mixed classes (M), years not followed (X) and empty cells, the one of "
        "the age.",
        codes="year_group",
    ),
    Column("age", "whole", "Age on 31 August before the school year.", unit="years", span=(0, OLDEST)),
    Column("sex", "text", "Sex as the return says (gender, to 2023/24).", codes="sex", unknown="U"),
    Column(
        "ethnicity",
        "text",
        "The main ethnic group of the school census.",
        codes="ethnicity",
        unknown="NOBT (not obtained, empty or not understood), REFU (refused)",
    ),
    Column(
        "ethnicity_detailed",
        "text",
        "The code as the return has it, which may be finer than the main group. Absent in the embedded synthetic area.",
        codes="ethnicity_detailed",
        unknown="NOBT, REFU",
        required=False,
    ),
    Column(
        "first_language",
        "text",
        "The first language; codes of four letters are cut to their parent of three.",
        codes="language",
        unknown="NOT (not obtained, empty or not understood), REF, ZZZ",
    ),
    Column("language_group", "text", "The reporting group of the language.", codes="language_group", unknown="UNC"),
    Column(
        "fsm_eligible",
        "flag",
        "Eligible for free school meals on the day of the census. Where the file does not say: false, with a finding.",
    ),
    Column(
        "idaci_rank",
        "whole",
        "Rank of the home's LSOA by income deprivation affecting children, 1 the most deprived.",
        unit="rank",
        span=(0, 33755),
        unknown="0",
    ),
    Column(
        "idaci_decile",
        "whole",
        "Decile of that rank in England, 1 the most deprived.",
        unit="decile",
        span=(0, 10),
        unknown="0",
    ),
    Column("idaci_edition", "text", "The edition of the index.", extra=("", "2015", "2019", "2025"), unknown='""'),
    Column(
        "sen_provision",
        "text",
        "SEN provision. Statements count as E, School Action and School Action Plus as K; a row without provision is "
        "put aside, never counted as N.",
        extra=("N", "K", "E"),
    ),
    Column(
        "primary_need",
        "text",
        "The type of need of rank 1, of pupils with SEN provision.",
        codes="need",
        extra=("",),
        unknown='"" (none, or not reported)',
    ),
    Column("secondary_need", "text", "The type of need of rank 2.", codes="need", extra=("",), unknown='"" (none)'),
    Column("in_unit", "flag", "Has a place in a SEN unit or in resourced provision of a mainstream school."),
    Column(
        "enrolment_status",
        "text",
        "C sole registration, M main of two registrations. Second registrations (S) and pupils of colleges and other "
        "providers (F, O) are not in the table.",
        extra=("C", "M", ""),
        unknown='"" (not said: counted)',
    ),
)


@cache
def pupil_schema() -> DataFrameSchema:
    """The promise as a pandera schema: types, allowed codes, no missing values, one row a pupil a census."""
    import pandera.pandas as pa

    def column(c: Column) -> pa.Column:
        about = {"description": c.says, "title": c.unit or None}
        return pa.Column(checks=_checks(c), nullable=False, required=c.required, **about)

    promises = [
        pa.Check(
            lambda f: ~f[["time_period", "pupil_id"]].duplicated(), error="one row a pupil a census", name="one row"
        ),
        pa.Check(
            lambda f: (f["sen_provision"] != "N") | ((f["primary_need"] == "") & (f["secondary_need"] == "")),
            error="no type of need without SEN provision",
        ),
        pa.Check(
            lambda f: (
                (f["secondary_need"] == "") | (f["secondary_need"].astype("str") != f["primary_need"].astype("str"))
            ),
            error="two different types of need",
        ),
    ]
    return pa.DataFrameSchema({c.name: column(c) for c in COLUMNS}, checks=promises, strict=True, name="pupils")


def _checks(c: Column) -> list:
    import pandera.pandas as pa

    kinds: dict[str, Callable[[pd.Series], bool]] = {
        "text": lambda s: isinstance(s.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(s),
        "date": pd.api.types.is_datetime64_any_dtype,
        "whole": pd.api.types.is_integer_dtype,
        "flag": pd.api.types.is_bool_dtype,
    }
    # Of a column of categories only the categories in use are looked at: a census has few, and many rows.
    checks = [pa.Check(kinds[c.kind], error=f"a column of {KINDS[c.kind]}", native=True)]
    if c.allowed:
        allowed = set(c.allowed)
        checks.append(pa.Check(lambda s: _each(s, lambda u: u.isin(allowed)), error="a code of its list"))
    if c.pattern:
        checks.append(pa.Check(lambda s: _each(s, lambda u: u.str.fullmatch(c.pattern)), error=f"text as {c.pattern}"))
    if c.span:
        low, high = c.span
        checks.append(pa.Check(lambda s: s.between(low, high), error=f"from {low} to {high:,}"))
    if c.kind == "date":
        checks.append(pa.Check(lambda s: s.dt.month == 1, error="a day in January"))
    return checks


def _each(column: pd.Series, good: Callable[[pd.Series], pd.Series]) -> pd.Series:
    number, cells = pd.factorize(column, use_na_sentinel=False)
    return good(pd.Series(cells, dtype="str")).astype("bool").take(number).set_axis(column.index)


def check_pupils(frame: pd.DataFrame) -> None:
    """Raise one ``SourceError`` with every promise that a pupil table breaks; no message holds a cell of a pupil."""
    from pandera.errors import SchemaErrors

    try:
        pupil_schema().validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.astype({"check": "str", "column": "str"})
        # Of a column too many or too few the case is its name, which is no pupil's.
        whole = cases["check"].isin(WHOLE_COLUMNS)
        cases["column"] = cases["column"].mask(whole, cases["failure_case"].astype("str"))
        cases["check"] = cases["check"].replace(WHOLE_COLUMNS)
        counts = cases.groupby(["column", "check"], sort=False).size()
        raise SourceError(
            *(
                Problem(
                    phrase(f"The pupil table breaks its promise ({check}) in {{n}} [place|places].", n),
                    where=str(column),
                    mend="It is a fault of the reader, not of your file: please report it with this message.",
                )
                for (column, check), n in counts.items()
            )
        ) from None


def dictionary() -> str:
    """The data dictionary as Markdown: what each column says, its values, and how "not known" is written."""
    lines = [
        "# Data dictionary: the pupil table",
        "",
        "<!-- Made by `python -m jsna.sources.schema > docs/data-dictionary.md`: change jsna/sources/schema.py. -->",
        "",
        "One row a pupil a January census, whatever form the census came in. Rows that cannot be counted, and cells",
        'that were not understood, are listed by `jsna check`. No cell is ever missing: "not known" is a value of its',
        "own. Names, addresses, pupil numbers, dates of birth and postcodes are not in it.",
        "",
        "| column | kind | what it says | values | not known |",
        "|---|---|---|---|---|",
    ]
    for c in COLUMNS:
        kind = KINDS[c.kind] + (f" ({c.unit})" if c.unit and c.unit != "day" else "")
        lines.append(f"| `{c.name}` | {kind} | {c.says} | {_values(c)} | {c.unknown or 'never'} |")
    lines += [
        "",
        "The lists are in `jsna/codes`, one file each, with the years in which a code was in force. `jsna/sources/"
        "pupil_rules.yml` has every rule by which a row or cell is put aside or pointed out.",
        "",
    ]
    return "\n".join(lines)


def _values(c: Column) -> str:
    if c.codes:
        count = len(c.allowed) - len(c.extra)
        few = ", ".join(f"`{v}`" for v in c.allowed[:SHOWN] if v)
        return f"{few}{' …' if count > SHOWN else ''} ({count}, `{c.codes}.csv`)"
    if c.extra:
        return ", ".join(f"`{v}`" if v else "empty" for v in c.extra)
    if c.span:
        return f"{c.span[0]} to {c.span[1]:,}"
    return {"flag": "true, false", "date": "days of January"}.get(c.kind, "`" + c.pattern.replace("|", "` or `") + "`")


if __name__ == "__main__":
    print(dictionary(), end="")
