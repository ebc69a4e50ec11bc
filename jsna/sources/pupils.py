"""Pupils from whatever the analyst has: each file is recognised by its content, and all give one canonical table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jsna.errors import Problem, SourceError, WorkbenchError
from jsna.files.archive import open_stream
from jsna.files.encoding import SIGNATURES
from jsna.files.headers import bare
from jsna.files.text import first_row
from jsna.sources.census_blade import HEAD, Blade, deliveries, headings_of, hidden, is_blade, kind_of, read_blades
from jsna.sources.census_flat import LEAST_HEADINGS, WORKBOOKS, hits, printable, read_flat, spellings
from jsna.sources.census_npd import FIELD, read_npd, stem
from jsna.sources.census_xml import read_xml
from jsna.sources.pupil_table import Context, PupilTable, Raw, canonical

TABLES = (".csv", ".txt", ".tsv")
READ = (*TABLES, ".xml", ".zip", *WORKBOOKS)
GUIDE = "See docs/own-data.md for the forms and their headings."
THURSDAY = 3
NPD_TELLS = frozenset(["senprovision", "senstatus", "ethnicgroupminor", "ethnicgroup", "primarysentype"])


@dataclass(frozen=True)
class Recognised:
    """What a file was taken for: ``form`` (blade, xml, flat, npd or ""), and ``reason``, a sentence."""

    form: str
    reason: str


def recognise(path: Path) -> Recognised:
    """What form of the School Census a file, folder or zip is in, by its content and not by its name.

    ``form`` is "" where it is none; the reason then says what was found, without a cell of the file. CSV and XML may be
    gzipped. Raises ``SourceError`` for a file that cannot be opened, or is no text.
    """
    ending = _ending(path)
    if path.is_dir() or ending == ".zip":
        kinds = sorted({b.kind for delivery in deliveries(path) for b in delivery})
        if "pupilonroll" in kinds:
            return Recognised("blade", f"it holds the tables {', '.join(kinds)} of the return")
        return Recognised("", f"it holds no table of pupils (tables of the return found: {', '.join(kinds) or 'none'})")
    if ending == ".xml":
        return Recognised("xml", "it is XML; pupils are the elements with PupilIdentifiers")
    if ending in WORKBOOKS:
        return Recognised("flat", "it is a workbook with a row a pupil")
    if ending not in TABLES:
        return Recognised("", f"files ending in {ending or 'nothing'} are not read")
    return _by_content(path)


def _ending(path: Path) -> str:
    """The ending that says what a file is: of pupils.csv.gz it is .csv."""
    name = path.with_suffix("") if path.suffix.casefold() == ".gz" else path
    return name.suffix.casefold()


def _by_content(path: Path) -> Recognised:
    with open_stream(path) as stream:
        head = stream.read(HEAD)
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<?xml"):
        return Recognised("xml", f"it is {SIGNATURES[b'<?xml']}, whatever its name says")
    headings = first_row(head, path.name, spellings())
    kind = kind_of(headings)
    if kind or is_blade(headings):
        return Recognised("blade", f"its headings are those of the return's table {kind or 'of something else'}")
    termed = [h for h in headings if (found := FIELD.match(h)) and bare(stem(h)[0]) in NPD_TELLS and found["year"]]
    if termed:
        return Recognised("npd", f"its headings are a field, a term and a year, such as {termed[0]}")
    count = hits(headings)
    if count >= LEAST_HEADINGS:
        return Recognised("flat", f"{count} of its {len(headings)} headings are those of a census extract")
    known = printable(h for h in headings if hits([h]))
    found = f"known among them: {', '.join(known)}" if known else "none of them known (is the heading row missing?)"
    return Recognised("", f"it has {len(headings)} headings, {found}")


def read_raw(path: Path, census_date: str = "") -> list[Raw]:
    """The censuses of one file, folder or zip as raw columns, each saying what it was taken for and why.

    A folder may hold several forms, and all files of it are read but those that are no tables, XML or workbooks. All
    that is wrong with its files is raised together in one ``SourceError``.
    """
    return _read_each(_to_read(path), census_date)


Found = tuple[Path, "list[Blade]"]


def _to_read(path: Path) -> list[Found]:
    """As ``_found``; raises ``SourceError`` where there is nothing."""
    if not path.exists():
        mend = "See pupils: in the params file."
        raise SourceError(Problem("The file or folder is missing.", where=path.name, mend=mend))
    found = _found(path)
    if not found:
        expected = "CSV, XML or Excel files"
        raise SourceError(Problem("The folder holds no census.", where=path.name, expected=expected, mend=GUIDE))
    return found


def _key(found: Found) -> tuple:
    path, delivery = found
    return (None if delivery else path.resolve(), *((b.path.resolve(), b.member) for b in delivery))


def _found(path: Path) -> list[Found]:
    """What is to be read: files, and with the file of pupils the tables that belong to it."""
    if _ending(path) == ".zip":
        return _deliveries_in(path)
    if path.is_dir():
        blades = _deliveries_in(path, strict=False)
        taken = {b.path for _, delivery in blades for b in delivery}
        others = [p for p in sorted(path.rglob("*")) if p.is_file() and not hidden(p) and p not in taken]
        single = [p for p in others if _ending(p) in READ and not (_ending(p) in TABLES and is_blade(headings_of(p)))]
        return [*blades, *(found for p in single for found in (_found(p) if _ending(p) == ".zip" else [(p, [])]))]
    if recognise(path).form == "blade":
        # One table stands for its delivery, so that the tables of one can be named one by one or by any of them.
        return [(path, d) for d in deliveries(path.parent) if any(b.path == path for b in d)]
    return [(path, [])]


def _deliveries_in(path: Path, *, strict: bool = True) -> list[Found]:
    """The deliveries of a folder or zip; of a zip without any, ``strict``, why it cannot be read."""
    found = [(path, d) for d in deliveries(path)]
    if not found and strict:
        raise SourceError(
            Problem(
                f"This is no form of the School Census that can be read: {recognise(path).reason}.",
                where=path.name,
                mend="Of a zip, only the CSV tables of COLLECT are read: unpack all else, and name the folder.",
            )
        )
    return found


def _read_each(found: Sequence[Found], census_date: str) -> list[Raw]:
    raws, problems = [], []
    for path, delivery in found:
        try:
            raws += [read_blades(delivery)] if delivery else [_read_file(path, census_date)]
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    return raws


def _read_file(path: Path, census_date: str) -> Raw:
    found = recognise(path)
    if found.form == "xml":
        raw = read_xml(path)
    elif found.form == "npd":
        raw = read_npd(path)
    elif found.form == "flat":
        raw = read_flat(path, _date_in(path.name) or census_date)
    else:
        raise SourceError(
            Problem(
                f"This is no form of the School Census that can be read: {found.reason}.", where=path.name, mend=GUIDE
            )
        )
    if found.form == "flat" and _date_in(path.name):
        dated = f"The day of {path.name}, where its rows do not say it, is {_date_in(path.name)}, after its name."
        raw = replace(raw, notes=(*raw.notes, dated))
    return replace(raw, why=found.reason)


def _date_in(name: str) -> str:
    """The day of a January census that a file's name gives: a date, or a year beside the word spring.

    Of a year alone it is the third Thursday of January, which is census day.

    >>> _date_in("census_2026-01-15.csv"), _date_in("2026_spring.csv"), _date_in("Spring 2024 census.xlsx")
    ('2026-01-15', '2026-01-15', '2024-01-18')
    >>> _date_in("pupils.csv"), _date_in("summer_2026.csv")
    ('', '')
    """
    found = re.search(r"20\d\d-01-\d\d", name)
    if found:
        return found[0]
    year = re.search(r"(20\d\d)[ _-]?spr|spr(?:ing)?[ _-]?(20\d\d)", name, re.IGNORECASE)
    if not year:
        return ""
    first = dt.date(int(year[1] or year[2]), 1, 1)
    return (first + dt.timedelta(days=(THURSDAY - first.weekday()) % 7 + 14)).isoformat()


def read_pupils(paths: Iterable[Path], context: Context, census_date: str = "") -> PupilTable:
    """The canonical pupil table of all censuses in ``paths`` (files, folders or zips of any form, mixed as they come).

    ``census_date`` (ISO) is the day of a flat extract that does not say, in its rows or its name. All that is wrong
    with all files is raised together in one ``SourceError``.
    """
    raws: list[Raw] = []
    problems: list[Problem] = []
    read: set[tuple] = set()
    for path in map(Path, paths):
        try:
            found = [f for f in _to_read(path) if _key(f) not in read]
            # What is named twice, as a file and in its folder, is read once.
            read.update(map(_key, found))
            raws += _read_each(found, census_date)
        except WorkbenchError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    if not raws:
        raise SourceError(Problem("There is no census to be read.", where="pupils", mend=GUIDE))
    return canonical(raws, context)
