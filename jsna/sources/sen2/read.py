"""One reader for the SEN2 return: finds out by content how it came, reads it, checks it, and says what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, sha256_of
from jsna.sources.sen2.assemble import Census, assemble
from jsna.sources.sen2.carried import Carried
from jsna.sources.sen2.checks import run_checks
from jsna.sources.sen2.layout import census_date as usual_day
from jsna.sources.sen2.layout import layout, tables
from jsna.sources.sen2.persons import Place
from jsna.sources.sen2.recognise import carried_by
from jsna.sources.sen2.typed import type_tables

FORMS = {
    "xml": "the XML of the return",
    "blade": "the nine CSV blades",
    "template": "the Excel data-entry template",
    "presubmission": "the pre-submission workbook",
    "modules": "the sector tool's CSVs",
}


@dataclass(frozen=True)
class Sen2:
    """A return, read: one ``Loaded`` a table by DfE's name, findings of the checks, and what it was taken for."""

    tables: Mapping[str, Loaded]
    findings: pd.DataFrame
    form: str
    year: int
    census_date: pd.Timestamp
    la: str
    notes: tuple[str, ...]

    def frame(self, table: str) -> pd.DataFrame:
        """The frame of one table. Raises ``SourceError`` for a table that SEN2 has not got."""
        if table not in self.tables:
            raise SourceError(Problem("SEN2 has no such table.", value=table, expected=", ".join(self.tables)))
        return self.tables[table].frame

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        return {name: loaded.frame for name, loaded in self.tables.items()}


def read_sen2(
    path: Path | Sequence[Path],
    key: bytes,
    *,
    year: int | None = None,
    census_date: pd.Timestamp | None = None,
    la: str | None = None,
    delivery: str | None = None,
    place: Place | None = None,
    schools: pd.DataFrame | None = None,
    likely_year: int | None = None,
) -> Sen2:
    """A SEN2 person-level return of 2023 or later, from whatever form it comes in.

    ``path`` is an XML file, a folder, zip or list of CSVs, or a workbook; what it is is found by content. ``key`` turns
    UPNs into pseudonyms. ``year``, ``census_date`` and ``la`` (three digits) are needed where the form has no header
    (pre-submission workbook, sector tool), and are compared with the header elsewhere. ``delivery`` names one of
    several deliveries in one place. ``place`` turns a column of postcodes into LSOA codes (2021); without it no small
    area is attached. ``schools`` is the register of schools for checks of URNs.

    Every table has ``row`` (the row in its source), its own key, the keys of its parent and request, ``person_id``, and
    the columns of ``layout.yml``. Names, addresses, UPN, ULN, dates of birth and postcodes are in none of them.

    Raises ``SourceError`` when the form is not recognised, persons or requests are missing, several deliveries lie in
    one place and none is named, or the return is of another year or authority than asked for. All else that is wrong
    is kept, and told in ``findings``. Not for the aggregate returns before 2023.
    """
    carried, paths = carried_by(path, delivery)
    _need(carried)
    census, said = _census(carried, year, census_date, la, likely_year)
    digest = _digest(paths)
    assembled = assemble(carried, census, key, digest, place)
    findings = run_checks(carried, assembled, census, schools)
    notes = [
        f"Taken for {FORMS[carried.form]}, because {carried.reason}; return of {census.year}, because {said}.",
        *carried.notes,
    ]
    if schools is None:
        notes.append("Establishments were not compared with the register of schools, which was not given.")
    if place is None:
        notes.append("No small areas: no postcode directory was given.")
    return Sen2(assembled.tables, findings, carried.form, census.year, census.day, census.la, tuple(notes))


def _need(carried: Carried) -> None:
    """Without persons or requests there is nothing to read; several headers are several returns."""
    lacking = [t for t in ("person", "requests") if not len(carried.parts[t].frame)]
    problems = [
        Problem(
            "A table that all others hang from is missing or has no rows.",
            where=carried.parts[t].where,
            value=t,
            mend="Export the return again, with all nine tables.",
        )
        for t in lacking
    ]
    headers = len(carried.parts["sen2"].frame)
    if headers > 1:
        problems.append(
            Problem(
                f"The file has {headers} headers: two returns were joined, and their persons must not be mixed.",
                where=carried.parts["sen2"].where,
                mend="Keep the final return alone. Is one of them the test return?",
            )
        )
    if problems:
        raise SourceError(*problems)


def _census(
    carried: Carried, year: int | None, day: pd.Timestamp | None, la: str | None, likely: int | None
) -> tuple[Census, str]:
    """Which return it is, and why: by its header, else by what was asked for."""
    part = carried.parts["sen2"]
    told = ("collection", "year", "reference_date", "lea")
    table = replace(tables()["sen2"], columns={c: tables()["sen2"].columns[c] for c in told})
    header, _ = type_tables({"sen2": part.frame}, {"sen2": table}, {"sen2": part.where})["sen2"]
    if header.empty:
        header = pd.DataFrame({c: [None] for c in told})
    first = header.iloc[0]
    told_year = int(first["year"]) if pd.notna(first["year"]) else None
    told_day = first["reference_date"] if pd.notna(first["reference_date"]) else None
    told_la = str(first["lea"] or "") if pd.notna(first["lea"]) else ""
    _compare(carried, str(first["collection"] or ""), told_year, told_la, year, la)
    told_year = told_year or (told_day.year if told_day is not None else None)
    the_year = told_year or year or (None if day is None else pd.Timestamp(day).year) or likely
    if the_year is None:
        raise SourceError(
            Problem(
                "The return does not say of which year it is.",
                where=part.where,
                mend="Name the year of its collection (2026 for the census of January 2026) as `year`.",
            )
        )
    if the_year < layout()["years"]["first"]:
        raise SourceError(
            Problem("SEN2 has been a return of persons since 2023 only.", where=part.where, value=the_year)
        )
    the_day = told_day if told_day is not None else (day or usual_day(the_year))
    if the_day is None:
        raise SourceError(
            Problem(
                "The day of the census is not known.",
                where=part.where,
                value=the_year,
                mend="Name it as `census_date`.",
            )
        )
    said = "its header says so" if told_year else "that was asked for"
    if told_day is None and day is None:
        said += f", with {the_day:%d %B %Y} as the day of the census"
    return Census(the_year, pd.Timestamp(the_day), told_la or la or ""), said


def _compare(
    carried: Carried, collection: str, told_year: int | None, told_la: str, year: int | None, la: str | None
) -> None:
    where = carried.parts["sen2"].where
    problems = []
    if collection and collection.upper().replace(" ", "") not in ("SEN2", "SEN2PERSONLEVEL"):
        problems.append(Problem("This is another collection.", where=where, value=collection, expected="SEN2"))
    if year and told_year and year != told_year:
        mend = "Give the other year's file, or change the year."
        problems.append(
            Problem("The return is of another year.", where=where, value=told_year, expected=str(year), mend=mend)
        )
    if la and told_la and la != told_la:
        mend = "A neighbour's file gives a neighbour's figures: was the right file given?"
        problems.append(
            Problem("The return is of another authority.", where=where, value=told_la, expected=la, mend=mend)
        )
    if problems:
        raise SourceError(*problems)


def _digest(paths: Sequence[Path]) -> str:
    """The file's digest; of several files, one over theirs in the order of their names."""
    if len(paths) == 1:
        return sha256_of(paths[0])
    lines = [f"{p.name} {sha256_of(p)}" for p in sorted(paths, key=lambda p: p.as_posix())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
