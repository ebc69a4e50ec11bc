"""The leak scan: marks of a person, a machine or a secret in any text of a pack, however deep it lies."""

from __future__ import annotations

import contextlib
import getpass
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsna.audit.findings import Finding
from jsna.audit.pieces import UNREADABLE, Piece, pieces
from jsna.audit.sheets import csv_rows
from jsna.files.packaged import packaged_yaml

SHOWN_AT_MOST = 5
KNOWN_METADATA = {"kernelspec", "language_info"}
KNOWN_LANGUAGE_INFO = {"codemirror_mode", "file_extension", "mimetype", "name", "nbconvert_exporter", "pygments_lexer"}
CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


@dataclass(frozen=True)
class _Pattern:
    kind: str
    look: tuple[str, ...]
    search: re.Pattern[str]


def scan(published: dict[str, bytes], canaries: Iterable[str] = ()) -> list[Finding]:
    """Every leak in the files, a few of each kind in each place."""
    marks = [m.strip() for m in canaries if m.strip()]
    seen: set[bytes] = set()
    found: list[Finding] = []
    for name, content in published.items():
        found += _in_piece(Piece(name, "file name", name), marks)
        for piece in pieces(name, content, seen):
            found += _in_piece(piece, marks)
        if name.endswith(".ipynb"):
            found += _in_notebook(name, content)
        if name.endswith(".csv"):
            found += _in_columns(name, content)
        found += _hidden_parts(name, content)
    return found


def check_letter(upn: str) -> bool:
    """Whether the first character of a unique pupil number is the one that its digits ask for.

    >>> check_letter("H801200001001"), check_letter("A801200001001")
    (True, False)
    """
    values = [CHECK_LETTERS.index(c) if c in CHECK_LETTERS else int(c) for c in upn[1:]]
    return CHECK_LETTERS[sum(weight * value for weight, value in enumerate(values, start=2)) % 23] == upn[0]


def _in_piece(piece: Piece, marks: list[str]) -> Iterator[Finding]:
    if piece.text == UNREADABLE:
        yield Finding("unreadable", piece.file, piece.inside)
        return
    low = piece.text.lower()
    there = {look: any(word in low for word in look) for look in {p.look for p in _patterns()}}
    for pattern in _patterns():
        if not there[pattern.look]:
            continue
        hits = {m.group(): m.start() for m in pattern.search.finditer(piece.text) if _meant(pattern.kind, m.group())}
        for text, at in list(hits.items())[:SHOWN_AT_MOST]:
            detail = f"{len(hits)} different ones" if len(hits) > 1 else ""
            if pattern.kind == "pupil number":
                detail = (detail + "; " if detail else "") + (
                    "its check letter is right" if check_letter(text) else "its shape alone: the check letter is wrong"
                )
            yield Finding(pattern.kind, piece.file, _place(piece, at), detail, text)
    bare = re.sub(r"\s", "", low) if marks else ""
    for number, mark in enumerate(marks, start=1):
        if mark.lower() in low or re.sub(r"\s", "", mark.lower()) in bare:
            yield Finding("canary", piece.file, _place(piece, low.find(mark.lower())), f"mark {number}", mark)


def _meant(kind: str, text: str) -> bool:
    """Whether a hit is one: a postcode begins with an area that there is."""
    area = re.match(r"[A-Za-z]+", text)
    return kind != "postcode" or (area is not None and area.group().upper() in _areas())


@cache
def _areas() -> frozenset[str]:
    return frozenset(_settings()["postcode_areas"].split())


def _place(piece: Piece, at: int) -> str:
    line = piece.text.count("\n", 0, at) + 1 if at >= 0 else 0
    inside = f"{piece.inside}, " if piece.inside else ""
    return f"{inside}line {line}" if line else piece.inside


def _in_notebook(name: str, content: bytes) -> Iterator[Finding]:
    """Outputs that no exhibit makes, and metadata that a clean notebook has not."""
    try:
        notebook = json.loads(content)
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError):
        yield Finding("unreadable", name)
        return
    metadata = notebook.get("metadata", {})
    extra = sorted(set(metadata) - KNOWN_METADATA)
    extra += sorted(set(metadata.get("language_info", {})) - KNOWN_LANGUAGE_INFO)
    for number, cell in enumerate(cells, start=1):
        extra += [f"cell {number}: {k}" for k in cell.get("metadata", {}) if k != "tags"]
        extra += [f"cell {number}: attachments"] if cell.get("attachments") else []
        for output in cell.get("outputs", ()):
            kind = output.get("output_type")
            if kind == "error":
                yield Finding("traceback", name, f"cell {number}", "an error output", str(output.get("evalue", "")))
            elif kind == "stream":
                text = "".join(output.get("text", ""))
                yield Finding("loose output", name, f"cell {number}", "printed text", text)
            elif "application/vnd.jsna.exhibit+json" not in output.get("data", {}):
                yield Finding("loose output", name, f"cell {number}", "not an exhibit")
            extra += [f"cell {number}: output {k}" for k in output.get("metadata", {})]
    if extra:
        yield Finding("notebook metadata", name, "; ".join(extra[:SHOWN_AT_MOST]), f"{len(extra)} keys")


def _in_columns(name: str, content: bytes) -> Iterator[Finding]:
    rows = csv_rows(content.decode("utf-8-sig", errors="replace"))
    if rows is None:
        yield Finding("unreadable", name)
    head = rows[0] if rows else []
    for kind, pattern in _settings()["columns"].items():
        for column in head:
            if re.search(pattern, column.strip()):
                yield Finding(kind, name, f"column {column}", "a column by this name")


def _hidden_parts(name: str, content: bytes) -> Iterator[Finding]:
    """Sheets, rows and columns of a workbook that a reader does not see but a program does."""
    if not name.lower().endswith((".xlsx", ".xlsm", ".docx", ".zip")):
        return
    for piece in pieces(name, content):
        if piece.inside.endswith("workbook.xml") and re.search(r'\bstate="(?:hidden|veryHidden)"', piece.text):
            yield Finding("hidden sheet", name, piece.inside)
        if re.search(r"worksheets/[^/]+\.xml$", piece.inside) and re.search(
            r'<(?:row|col)\b[^>]*\bhidden="(?:1|true)"', piece.text
        ):
            yield Finding("hidden sheet", name, piece.inside, "hidden rows or columns")
        if re.search(r"pivotCache|externalLink|comments\d*\.xml|customXml", piece.inside):
            yield Finding("hidden sheet", name, piece.inside, "a cache, a link or a comment")
        if piece.inside.endswith("docProps/core.xml"):
            people = re.findall(r"<(?:\w+:)?(?:creator|lastModifiedBy)\b[^>]*>([^<]+)<", piece.text)
            for person in people:
                if person.lower() not in ("openpyxl", "python-docx", "jsna", "workbench", "the workbench"):
                    yield Finding("document property", name, piece.inside, "the name of an author", person)


@cache
def _settings() -> dict[str, Any]:
    return packaged_yaml("jsna.audit", "leaks.yml")


@cache
def _patterns() -> tuple[_Pattern, ...]:
    settings = _settings()
    found = [
        _Pattern(kind, tuple(entry["look"]), re.compile(text))
        for kind, entry in settings["patterns"].items()
        for text in entry["any"]
    ]
    people = [n for n in _this_user() if len(n) > 3 and n.lower() not in settings["users"]]
    if people:
        words = "|".join(re.escape(n) for n in people)
        found.append(
            _Pattern("user name", tuple(n.lower() for n in people), re.compile(rf"(?i)(?<!\w)(?:{words})(?!\w)"))
        )
    return tuple(found)


def _this_user() -> list[str]:
    """The name of who runs the audit and of the home folder: most often who made the pack."""
    names = {Path.home().name}
    with contextlib.suppress(OSError, KeyError):
        names.add(getpass.getuser())
    return sorted(names)
