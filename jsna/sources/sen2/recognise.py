"""How a return came: XML, workbook, or CSVs in a folder, a zip or a list; found by content, not by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.archive import member_names, open_stream
from jsna.files.result import together
from jsna.files.text import TextTable, first_row, read_delimited
from jsna.files.workbook import read_sheets
from jsna.sources.sen2.blade import Blade, read_blades, table_of
from jsna.sources.sen2.carried import Carried
from jsna.sources.sen2.layout import wanted
from jsna.sources.sen2.modules import module_of, read_modules
from jsna.sources.sen2.presubmission import is_presubmission, read_presubmission
from jsna.sources.sen2.template import is_template, read_template
from jsna.sources.sen2.xml import read_xml

HEAD_BYTES = 1 << 16
TEXT_ENDINGS = (".csv", ".txt", ".tsv", ".csv.gz")
LONGEST_LIST = 8

Located = tuple[Path, str | None]


def carried_by(path: Path | Sequence[Path], delivery: str | None = None) -> tuple[Carried, list[Path]]:
    """The return as text tables, and the files that it was read from.

    Raises ``SourceError`` when nothing at ``path`` is a SEN2 return, or when several forms of one lie there.
    """
    if not isinstance(path, Path):
        paths = [Path(p) for p in path]
        return _texts([(p, None) for p in paths], f"{len(paths)} files", delivery), paths
    if path.is_dir():
        return _folder(path, delivery)
    if not path.is_file():
        raise SourceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    return _file(path, delivery), [path]


def _file(path: Path, delivery: str | None) -> Carried:
    kind = _kind(path)
    if kind == "xml":
        return read_xml(path)
    if kind == "workbook":
        return _workbook(path)
    if kind == "zip":
        members = [m for m in member_names(path) if not _passed_over(m)]
        texts = [m for m in members if m.casefold().endswith(TEXT_ENDINGS)]
        if len(members) == 1 and members[0].casefold().endswith(".xml"):
            return read_xml(path, members[0])
        if not texts:
            mend = "Unpack it, and give the file or folder."
            raise SourceError(
                Problem("The zip holds no CSVs.", where=path.name, value=members[:LONGEST_LIST], mend=mend)
            )
        return _texts([(path, m) for m in texts], path.name, delivery)
    return _texts([(path, None)], path.name, delivery)


def _kind(path: Path) -> str:
    head = _head((path, None))[:4096]
    if head.startswith(b"PK"):
        names = member_names(path)
        return "workbook" if any(n.startswith("xl/") or n == "EncryptedPackage" for n in names) else "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "workbook"
    text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip(b"\xff\xfe \r\n\t")
    return "xml" if text.startswith(b"<") else "text"


def _passed_over(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(p.startswith((".", "~$", "__MACOSX")) for p in parts)


def _folder(path: Path, delivery: str | None) -> tuple[Carried, list[Path]]:
    everything = sorted(p for p in path.rglob("*") if p.is_file() and not _passed_over(p.relative_to(path).as_posix()))
    texts = [p for p in everything if p.name.casefold().endswith(TEXT_ENDINGS)]
    whole = [p for p in everything if p.suffix.casefold() in (".xml", ".xlsx", ".xlsm", ".zip")]
    if texts and not whole:
        return _texts([(p, None) for p in texts], path.name, delivery, root=path), texts
    if len(whole) == 1 and not texts:
        return _file(whole[0], delivery), whole
    if not everything:
        raise SourceError(Problem("The folder is empty.", where=path.name))
    raise SourceError(
        Problem(
            "The folder holds several files that could each be a return.",
            where=path.name,
            value=[p.name for p in (whole + texts)[:LONGEST_LIST]],
            mend="Name the one that is meant, or leave one form of the return there.",
        )
    )


def _workbook(path: Path) -> Carried:
    # The template works out some of its cells; in any other workbook a formula is refused, below.
    sheets = read_sheets(path, formulas="values")
    if is_template(sheets):
        return _with_notes(read_template(sheets, path.name), sheets.notes)
    if is_presubmission(sheets):
        sheets = read_sheets(path, formulas="refuse")
        return _with_notes(read_presubmission(sheets, path.name), sheets.notes)
    raise SourceError(
        Problem(
            "The workbook is neither the data-entry template nor a pre-submission workbook of SEN2.",
            where=path.name,
            value=list(sheets)[:LONGEST_LIST],
            expected="a sheet with the template's blocks, or sheets Person, Requests, Assessments …",
        )
    )


def _texts(located: Sequence[Located], where: str, delivery: str | None, root: Path | None = None) -> Carried:
    heads = {place: _headings(place) for place in located}
    blades = {place: t for place, h in heads.items() if (t := table_of(h))}
    modules = {place: t for place, h in heads.items() if place not in blades and (t := module_of(h))}
    others = [_name(p) for p in located if p not in blades and p not in modules]
    if blades and modules:
        value = [_name(p) for p in [*blades, *modules][:LONGEST_LIST]]
        mend = "Give the files of one of them alone."
        raise SourceError(
            Problem("Blades and CSVs of the sector tool lie together.", where=where, value=value, mend=mend)
        )
    if not blades and not modules:
        raise SourceError(
            Problem(
                "No CSV here has the headings of a SEN2 table.",
                where=where,
                value=others[:LONGEST_LIST],
                expected="blades with ids such as persontableid, or the sector tool's CSVs with Person ID",
            )
        )
    if blades:
        read = [Blade(t, _folder_of(p, root), _name(p), _read(p, heads[p])) for p, t in blades.items()]
        carried = _with_notes(read_blades(read, where, delivery), [n for b in read for n in _of(b.where, b.text)])
    else:
        twice = sorted({t for t in modules.values() if list(modules.values()).count(t) > 1})
        if twice:
            value = [_name(p) for p, t in modules.items() if t in twice]
            raise SourceError(Problem("Several CSVs hold the same table.", where=where, value=value))
        texts = {t: (_name(p), _read(p, heads[p])) for p, t in modules.items()}
        carried = _with_notes(read_modules(texts, where), [n for name, text in texts.values() for n in _of(name, text)])
    passed = [f"Not tables of the return, and passed over: {', '.join(others[:LONGEST_LIST])}."] if others else []
    return _with_notes(carried, passed)


def _with_notes(carried: Carried, notes: Sequence[str]) -> Carried:
    return replace(carried, notes=(*carried.notes, *notes))


def _of(name: str, text: TextTable) -> list[str]:
    return [f"{name}: {note}" for note in text.notes]


def _name(place: Located) -> str:
    return place[0].name if place[1] is None else f"{place[0].name}, {place[1]}"


def _folder_of(place: Located, root: Path | None) -> str:
    path, member = place
    if member is not None:
        folder = PurePosixPath(member).parent.as_posix()
    else:
        folder = path.parent.relative_to(root).as_posix() if root else ""
    return "" if folder == "." else folder


def _head(place: Located) -> bytes:
    with open_stream(*place) as stream:
        return stream.read(HEAD_BYTES)


def _headings(place: Located) -> list[str]:
    """The first row of a text file, nothing for a file that is no text: it is passed over, and named."""
    try:
        return first_row(_head(place), _name(place))
    except SourceError:
        return []


def _read(place: Located, headings: Sequence[str]) -> TextTable:
    path, member = place
    if _headings_alone(_head(place)):
        frame = pd.DataFrame({h: pd.Series(dtype="str") for h in headings if wanted(h)})
        return TextTable(frame, together([]), 0, "UTF-8", ",")
    return read_delimited(path, member, keep=wanted)


def _headings_alone(head: bytes) -> bool:
    """Whether a file ends after its headings, as the blade of a table without rows does."""
    return len(head) < HEAD_BYTES and not head.strip().replace(b"\r", b"\n").partition(b"\n")[2].strip()
