"""The files of a release of Explore Education Statistics: in a zip, in a folder, or alone with companions beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import member_names, read_bytes
from jsna.files.headers import bare
from jsna.files.result import Loaded
from jsna.files.text import first_row, parse_delimited
from jsna.sources.ees_specs import COMPULSORY, meta_of, place_columns

HEAD_BYTES = 1 << 16
GUIDANCE = r"data[-_ ]?guidance.*\.txt"


def data_files(path: Path) -> list[str]:
    """The names, without ending, of the files of a release that are in the standard's form."""
    return sorted(
        name for name, _, headings in _tables(path) if set(COMPULSORY) <= {bare_identifier(h) for h in headings}
    )


def bare_identifier(heading: str) -> str:
    """A heading in the standard's spelling where it is one of the standard's, else as it is.

    >>> bare_identifier("Time Period"), bare_identifier("Res_3851")
    ('time_period', 'Res_3851')
    """
    return standard_spelling().get(bare(heading), heading)


@cache
def standard_spelling() -> Mapping[str, str]:
    """The standard's identifiers by their bare spelling."""
    return {bare(c): c for c in (*place_columns(), *COMPULSORY)}


def _tables(path: Path) -> list[tuple[str, str, list[str]]]:
    """Name without ending, place and headings of every CSV in a zip or folder, their metadata left out."""
    if path.is_dir():
        found = [(p.name, str(p)) for p in sorted(path.rglob("*")) if p.is_file()]
    else:
        found = [(PurePosixPath(m).name, m) for m in member_names(path)]
    found = [(n, p) for n, p in found if re.search(r"(?<!\.meta)\.csv(\.gz)?$", n.casefold())]
    made = []
    for name, place in found:
        content = read_bytes(Path(place)) if path.is_dir() else read_bytes(path, place)
        made.append((re.sub(r"(?i)\.csv(\.gz)?$", "", name), place, first_row(content[:HEAD_BYTES], name, COMPULSORY)))
    return made


def locate(path: Path, table: str | None) -> tuple[Path, str | None]:
    """The file, and the member of it when it is a zip, that ``table`` names."""
    if not path.exists():
        raise SourceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    if not path.is_dir() and path.suffix.casefold() != ".zip":
        return path, None
    # A zip lists its members at once; their headings are read only when no name is given.
    if table is None:
        fit = [(n, p) for n, p, h in _tables(path) if set(COMPULSORY) <= {bare_identifier(c) for c in h}]
    elif path.is_dir():
        fit = [(table, str(p)) for p in sorted(path.rglob(f"{table}.csv*")) if p.is_file()]
    else:
        fit = [(table, m) for m in member_names(path) if PurePosixPath(m).stem == table]
    if len(fit) == 1:
        return (Path(fit[0][1]), None) if path.is_dir() else (path, fit[0][1])
    names = data_files(path)
    if table is None:
        what = "The release holds several data files: name one." if fit else "The release holds no data file."
        raise SourceError(Problem(what, where=path.name, value=names[:20]))
    what = "The release holds this file twice." if fit else "The release lacks a table."
    mend = did_you_mean(f"{table}.csv", [f"{n}.csv" for n in names]) or f"It holds: {', '.join(names[:20])}."
    raise SourceError(Problem(what, where=path.name, value=table, mend=mend))


def _beside(file: Path, member: str | None, pattern: str) -> bytes | None:
    """The content of a companion: in the zip, or in the folder of the file (one level up too, for releases)."""
    if member is None:
        near = [p for p in (*file.parent.iterdir(), *file.parent.parent.glob("data-guidance/*")) if p.is_file()]
        hit = next((p for p in near if re.fullmatch(pattern, p.name.casefold())), None)
        return read_bytes(hit) if hit else None
    hit = next((m for m in member_names(file) if re.fullmatch(pattern, PurePosixPath(m).name.casefold())), None)
    return read_bytes(file, hit) if hit else None


def meta_beside(file: Path, member: str | None, columns: Iterable[str]) -> Loaded | None:
    """The ``.meta.csv`` of a data file, read and compared with its columns, or nothing where there is none."""
    stem = re.sub(r"(?i)\.csv(\.gz)?$", "", PurePosixPath(member or file.name).name).casefold()
    name = f"{stem}.meta.csv"
    content = _beside(file, member, re.escape(name))
    if content is None:
        return None
    read = parse_delimited(content, name)
    if not {"col_name", "col_type", "label"} <= set(read.frame.columns):
        return None
    return meta_of(read.frame, name, columns)


def guidance_beside(file: Path, member: str | None) -> str:
    """The release's data guidance, "" where there is none."""
    content = _beside(file, member, GUIDANCE)
    return content.decode("utf-8", "replace") if content else ""
