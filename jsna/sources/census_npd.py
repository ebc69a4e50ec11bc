"""School Census as a research extract in the naming of the National Pupil Database: Field_TERMyy, any case."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import match
from jsna.files.result import sha256_of
from jsna.files.text import read_delimited
from jsna.files.values import tidy
from jsna.sources.census_tables import census_spec
from jsna.sources.identity import is_identifier
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, research extract (NPD naming)"
FIELD = re.compile(r"^(?P<stem>.+?)_(?P<term>aut|spr|sum)?_?(?P<year>\d\d)$", re.IGNORECASE)
VINTAGE = re.compile(r"^(idaci(?:score|rank|decile))_\d\d_?", re.IGNORECASE)
# A day of January that falls in every census week: these extracts name the term, not the day.
CENSUS_DAY = "20{year}-01-16"


def stem(heading: str) -> tuple[str, str, str]:
    """The field, term and two-digit year of a heading; term and year are "" where it has none.

    >>> stem("EthnicGroupMinor_SPR22"), stem("IDACIScore_15_SPR19"), stem("PupilMatchingRefAnonymous")
    (('EthnicGroupMinor', 'SPR', '22'), ('IDACIScore', 'SPR', '19'), ('PupilMatchingRefAnonymous', '', ''))
    """
    found = FIELD.match(heading)
    name, term, year = (found["stem"], (found["term"] or "").upper(), found["year"]) if found else (heading, "", "")
    return VINTAGE.sub(r"\1", name + "_").rstrip("_"), term, year


def read_npd(path: Path) -> Raw:
    """A research extract of one or more spring censuses, one row a pupil a census or one a pupil, as raw columns.

    Columns of autumn and summer are passed over, with a note: ethnicity and type of need are in spring alone. Raises
    ``SourceError`` when a needed field is missing in a year.
    """
    table = read_delimited(path, keep=lambda heading: not is_identifier(stem(heading)[0]))
    parsed = {c: stem(c) for c in table.frame.columns}
    years = sorted({y for _, term, y in parsed.values() if y and term in ("SPR", "")})
    if not years:
        raise SourceError(
            Problem(
                "No spring census is in the file.",
                where=path.name,
                value=list(parsed)[:6],
                expected="headings such as SENprovision_SPR26",
            )
        )
    common = {c: s for c, (s, term, y) in parsed.items() if not y}
    parts = [_year(table.frame, parsed, common, year, path.name) for year in years]
    frame = pd.concat(parts, keys=years)
    frame.index = frame.index.droplevel(0) if len(years) == 1 else frame.index
    passed = sorted({t for _, t, _ in parsed.values() if t in ("AUT", "SUM")})
    notes = (f"Columns of {' and '.join(passed)} were passed over.",) if passed else ()
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


def _year(frame: pd.DataFrame, parsed: dict, common: dict, year: str, where: str) -> pd.DataFrame:
    spec = census_spec()
    own = {c: s for c, (s, term, y) in parsed.items() if y == year and term in ("SPR", "")} | common
    headings = {s: c for c, s in own.items()}
    found = match(list(headings), spec["npd"])
    missing = [n for n in spec["npd_needed"] if n not in found.columns]
    if missing:
        raise SourceError(
            *(
                Problem(
                    f"A field is missing for spring 20{year}.",
                    where=where,
                    value=name,
                    expected=" or ".join(spec["npd"][name]),
                    mend=did_you_mean(spec["npd"][name][0], headings) or "",
                )
                for name in missing
            )
        )
    raw = pd.DataFrame({name: frame[headings[s]] for name, s in found.columns.items()}, index=frame.index)
    if "census_date" not in raw or (tidy(raw["census_date"]) == "").all():
        raw["census_date"] = CENSUS_DAY.format(year=year)
    return raw[tidy(raw["sen_provision"]) != ""] if common and len(set(own.values())) > len(common) else raw
