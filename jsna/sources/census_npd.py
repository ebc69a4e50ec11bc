"""School Census as a research extract in the naming of the National Pupil Database: Field_TERMyy, any case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import bare, match
from jsna.files.result import sha256_of
from jsna.files.text import read_delimited
from jsna.files.values import tidy, without_decimal_zero
from jsna.sources.census_flat import printable
from jsna.sources.census_tables import census_spec
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, research extract (NPD naming)"
FIELD = re.compile(r"^(?P<stem>.+?)_(?P<term>aut|spr|sum)?_?(?P<year>\d\d)$", re.IGNORECASE)
# An edition stands between the field and the term, or at the end: IDACIScore_15_SPR19, IDACIScore_15.
VINTAGE = re.compile(r"^(idaci(?:score|rank|decile))_\d\d(?=_|$)", re.IGNORECASE)
SPRING = ("SPR", "")
# A day of January that falls in every census week: these extracts name the term, not the day.
CENSUS_DAY = "20{year}-01-16"


def stem(heading: str) -> tuple[str, str, str]:
    """The field, term and two-digit year of a heading; term and year are "" where it has none.

    >>> stem("EthnicGroupMinor_SPR22"), stem("IDACIScore_15_SPR19"), stem("IDACIScore_15")
    (('EthnicGroupMinor', 'SPR', '22'), ('IDACIScore', 'SPR', '19'), ('IDACIScore', '', ''))
    """
    bare_of_edition = VINTAGE.sub(r"\1", heading)
    found = FIELD.match(bare_of_edition)
    if not found:
        return bare_of_edition, "", ""
    return found["stem"], (found["term"] or "").upper(), found["year"]


def read_npd(path: Path) -> Raw:
    """A research extract of one or more spring censuses, one row a pupil a census or one a pupil, as raw columns.

    Columns of autumn and summer are passed over, with a note: ethnicity and type of need are in spring alone. Raises
    ``SourceError`` when a needed field is missing in a year.
    """
    known = {bare(s) for names in census_spec()["npd"].values() for s in names}
    seen: list[str] = []

    def keep(heading: str) -> bool:
        seen.append(heading)
        return bare(stem(heading)[0]) in known

    table = read_delimited(path, keep=keep)
    parsed = {c: stem(c) for c in table.frame.columns}
    years = sorted({y for _, term, y in parsed.values() if y and term in SPRING})
    if not years:
        raise SourceError(
            Problem(
                "No spring census is in the file.",
                where=path.name,
                value=", ".join(printable(parsed)[:6]) or None,
                expected="headings such as SENprovision_SPR26",
                mend="Ask for the fields of the spring census.",
            )
        )
    common = {c: s for c, (s, term, y) in parsed.items() if not y}
    parts, problems = [], []
    for year in years:
        try:
            parts.append(_year(table.frame, parsed, common, year, path.name, seen))
        except SourceError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    frame = pd.concat(parts, keys=years)
    frame.index = frame.index.droplevel(0) if len(years) == 1 else frame.index
    passed = sorted({t for _, t, _ in map(stem, seen) if t in ("AUT", "SUM")})
    notes = [f"Columns of {' and '.join(passed)} were passed over."] if passed else []
    absent = len(table.frame) * len(years) - len(frame)
    notes += [f"{absent:,} times a pupil of the file is not in one of its censuses."] if absent else []
    return Raw(
        frame=frame,
        file=pd.Series(path.name, index=frame.index),
        rows_read=len(frame) + len(table.quarantine),
        quarantine=table.quarantine,
        form=FORM,
        sha256=sha256_of(path),
        lacks=frozenset((set(RAW) - set(frame)) | {"upn"}),
        notes=(*table.notes, *notes, "The pseudonyms of a research extract do not join to pupil numbers."),
    )


def _year(
    frame: pd.DataFrame, parsed: dict, common: dict[str, str], year: str, where: str, seen: Sequence[str]
) -> pd.DataFrame:
    spec = census_spec()
    own = {c: s for c, (s, term, y) in parsed.items() if y == year and term in SPRING}
    headings = {s: c for c, s in (common | own).items()}
    found = match(list(headings), spec["npd"])
    missing = [names.split() for names in spec["npd_needed"] if not set(names.split()) & set(found.columns)]
    if missing:
        stems = printable({stem(h)[0]: None for h in seen if stem(h)[2] in ("", year)})
        raise SourceError(
            *(
                Problem(
                    f"A field is missing for spring 20{year}.",
                    where=where,
                    value=" or ".join(names),
                    expected=" or ".join(s for name in names for s in spec["npd"][name]),
                    mend=did_you_mean(spec["npd"][names[0]][0], stems) or "Ask for the field, or take the year out.",
                )
                for names in missing
            )
        )
    raw = pd.DataFrame({name: frame[headings[s]] for name, s in found.columns.items()}, index=frame.index)
    if common and own:
        # A wide file has a row a pupil: who was not in this census has nothing in any of its columns.
        there = pd.Series(False, index=frame.index)
        for heading in own:
            there |= tidy(frame[heading]) != ""
        raw = raw[there]
    if "census_date" not in raw or (tidy(raw["census_date"]) == "").all():
        raw["census_date"] = CENSUS_DAY.format(year=year)
    for column in {"ethnicity", "language", "need1", "need2"} & set(raw):
        raw[column] = raw[column].mask(tidy(raw[column]).str.upper().isin(spec["npd_missing"]), "")
    return _with_birth(raw)


def _with_birth(raw: pd.DataFrame) -> pd.DataFrame:
    """The middle of the month of birth as date of birth: the age at 31 August is the same on each of its days."""
    if not {"birth_year", "birth_month"} <= set(raw):
        return raw.drop(columns={"birth_year", "birth_month"} & set(raw))
    year, month = (without_decimal_zero(tidy(raw[c])) for c in ("birth_year", "birth_month"))
    given = (year != "") & (month != "")
    born = (year + "-" + month.str.zfill(2) + "-15").where(given, "")
    return raw.drop(columns=["birth_year", "birth_month"]).assign(dob=born)
