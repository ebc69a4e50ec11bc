"""Pupils from whatever the analyst has: each file is recognised by its content, and all give one canonical table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jsna.errors import Problem, SourceError, WorkbenchError
from jsna.files.headers import bare
from jsna.files.text import first_row
from jsna.sources.census_blade import HEAD, deliveries, kind_of, read_blades
from jsna.sources.census_flat import read_flat
from jsna.sources.census_npd import FIELD, read_npd, stem
from jsna.sources.census_tables import census_spec
from jsna.sources.census_xml import read_xml
from jsna.sources.pupil_table import Context, PupilTable, Raw, canonical

TABLES = (".csv", ".txt", ".tsv", ".gz")


@dataclass(frozen=True)
class Recognised:
    """What a file was taken for: ``form`` (blade, xml, flat, npd or ""), and ``reason``, a sentence."""

    form: str
    reason: str


def recognise(path: Path) -> Recognised:
    """What form of the School Census a file, folder or zip is in, by its content and not by its name.

    ``form`` is "" where it is none; the reason then names what was found.
    """
    ending = path.suffix.casefold()
    if path.is_dir() or ending == ".zip":
        kinds = sorted({b.kind for delivery in deliveries(path) for b in delivery})
        if "pupilonroll" in kinds:
            return Recognised("blade", f"it holds the tables {', '.join(kinds)} of the return")
        return Recognised("", f"it holds no table of pupils (tables of the return found: {', '.join(kinds) or 'none'})")
    if ending == ".xml":
        return Recognised("xml", "it is XML; pupils are the elements with PupilIdentifiers")
    if ending == ".xlsx":
        return Recognised("flat", "it is a workbook with a row a pupil")
    if ending not in TABLES:
        return Recognised("", f"files ending in {ending or 'nothing'} are not read")
    return _by_headings(path)


def _by_headings(path: Path) -> Recognised:
    import gzip

    opener = gzip.open if path.suffix.casefold() == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            headings = first_row(stream.read(HEAD), path.name, _spellings())
    except (OSError, EOFError) as error:
        raise SourceError(Problem(f"The file cannot be read ({type(error).__name__}).", where=path.name)) from None
    kind = kind_of(headings)
    if kind:
        return Recognised("blade", f"its headings are those of the return's table {kind}")
    termed = [h for h in headings if (found := FIELD.match(h)) and (found["term"] or "AP" in h.upper()[:2])]
    stems = {bare(stem(h)[0]) for h in headings}
    if termed and {"senprovision", "ethnicgroupminor"} & stems:
        return Recognised("npd", f"{len(termed)} of its headings are a field, a term and a year, such as {termed[0]}")
    hits = {bare(h) for h in headings} & {bare(s) for s in _spellings()}
    if len(hits) >= 4:
        return Recognised("flat", f"{len(hits)} of its {len(headings)} headings are those of a census extract")
    return Recognised("", f"its headings are of no census form that is known: {', '.join(headings[:8])}")


def _spellings() -> list[str]:
    return [s for names in census_spec()["flat"].values() for s in names]


def read_raw(path: Path, census_date: str = "") -> list[Raw]:
    """The censuses of one file, folder or zip as raw columns, each saying in a note what it was taken for and why."""
    if not path.exists():
        raise SourceError(
            Problem("The file or folder is missing.", where=str(path.name), mend="See pupils: in the params.")
        )
    found = recognise(path)
    if path.is_dir() and not found.form:
        return _files_of(path, census_date)
    if not found.form:
        raise SourceError(
            Problem(
                f"This is no form of the School Census that can be read: {found.reason}.",
                where=path.name,
                mend="See docs/own-data.md for the forms and their headings.",
            )
        )
    if found.form == "blade":
        raws = [read_blades(d) for d in deliveries(path if path.is_dir() or path.suffix == ".zip" else path.parent)]
    elif found.form == "xml":
        raws = [read_xml(path)]
    elif found.form == "npd":
        raws = [read_npd(path)]
    else:
        raws = [read_flat(path, census_date or _date_in(path.name))]
    why = f"{path.name} was taken for: {raws[0].form}, because {found.reason}."
    return [replace(raw, notes=(why, *raw.notes)) for raw in raws]


def _files_of(folder: Path, census_date: str) -> list[Raw]:
    """A folder of single files: each is read for itself, and all that is wrong is said at once."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.casefold() in (*TABLES, ".xml", ".xlsx")]
    raws, problems = [], []
    for path in files:
        try:
            raws += read_raw(path, census_date)
        except WorkbenchError as error:
            problems += error.problems
    if problems or not raws:
        nothing = Problem("The folder holds no census.", where=folder.name, expected="CSV, XML or Excel files")
        raise SourceError(*(problems or [nothing]))
    return raws


def _date_in(name: str) -> str:
    """A day of January that a file's name gives, such as census_2026-01-15.csv.

    >>> _date_in("census_2026-01-15.csv"), _date_in("pupils.csv")
    ('2026-01-15', '')
    """
    found = re.search(r"20\d\d-01-\d\d", name)
    return found[0] if found else ""


def read_pupils(paths: Sequence[Path], context: Context, census_date: str = "") -> PupilTable:
    """The canonical pupil table of all censuses in ``paths`` (files, folders or zips of any form, mixed as they come).

    ``census_date`` (ISO) is the day of a flat extract that does not say. All that is wrong with all files is raised
    together in one ``SourceError``.
    """
    raws, problems = [], []
    for path in paths:
        try:
            raws += read_raw(Path(path), census_date)
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    return canonical(raws, context)
