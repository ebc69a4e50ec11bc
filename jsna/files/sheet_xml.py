"""What lies inside a workbook's zip, looked at before any reader of workbooks touches it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.etree.ElementTree import Element, ParseError

import numpy as np

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, read_member
from jsna.files.limits import SHEET_CELLS, WORKBOOK_BYTES
from jsna.files.markup import local

WORKBOOK, RELATIONS, STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
SMALL_PART = 16 << 20
PIECE = 4 << 20
# Tags with or without a namespace's prefix; attributes in either quotation marks.
_TAG = rb"<(?:[A-Za-z_][\w.-]*:)?"
_ON = rb"\s*=\s*[\"'](?:1|true|on)[\"']"
FORMULA = re.compile(_TAG + rb"f[\s/>]")
HIDDEN_ROW = re.compile(_TAG + rb"row\s[^>]*\bhidden" + _ON)
HIDDEN_COLUMNS = re.compile(_TAG + rb"col\s[^>]*\bhidden" + _ON)
FILTER = re.compile(_TAG + rb"filterColumn[\s/>]")
MERGED = re.compile(_TAG + rb"mergeCell\s")
# A cell with a value is no empty tag: nothing in its attributes has a slash.
FILLED = re.compile(_TAG + rb"c\s(?:[^>/]*?\s)?r\s*=\s*[\"']\$?([A-Za-z]{1,3})\$?([0-9]{1,7})[\"'][^>/]*>")
ERROR = re.compile(_TAG + rb"c\s([^>/]*\bt\s*=\s*[\"']e[\"'][^>/]*)>(.*?)</(?:[A-Za-z_][\w.-]*:)?c>", re.DOTALL)
ERROR_MARK = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"']")
VALUE = re.compile(rb"v>([^<]*)<")
STRING_ITEM = re.compile(_TAG + rb"si[\s>/]")
STRING_CELL = re.compile(_TAG + rb"c\s[^>/]*\bt\s*=\s*[\"']s[\"'][^>/]*>\s*" + _TAG + rb"v>\s*([0-9]{1,9})\s*<")


@dataclass(frozen=True)
class SheetPart:
    """A sheet of the workbook: its name, the part of the zip that holds it, and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True)
class SheetLook:
    """What a sheet's XML shows without being read as a table. ``errors`` leads from (row, column), both from 1 and 0
    as in ``read_sheets``, to the error that stands in the cell (#REF!)."""

    formulas: int
    hidden_rows: int
    hidden_columns: int
    filtered: bool
    merged: int
    errors: dict[tuple[int, int], str] = field(default_factory=dict)


def sheet_parts(archive: zipfile.ZipFile, where: str) -> list[SheetPart]:
    """The workbook's sheets in their order. Raises ``SourceError`` when the list of them cannot be read."""
    relations = {
        r.get("Id", ""): normpath(join("xl", r.get("Target", ""))).lstrip("/")
        for r in _part(archive, RELATIONS, where).iter()
        if local(r.tag) == "relationship"
    }
    return [
        SheetPart(sheet.get("name", ""), part, sheet.get("state", "visible") != "visible")
        for sheet in _part(archive, WORKBOOK, where).iter()
        if local(sheet.tag) == "sheet"
        for key, value in sheet.attrib.items()
        if local(key) == "id" and key != "id" and (part := relations.get(value, "")) in archive.NameToInfo
    ]


def look_at(archive: zipfile.ZipFile, sheets: Sequence[SheetPart], where: str) -> dict[str, SheetLook]:
    """Each sheet's look, by name. Raises ``SourceError`` for sheets that would fill the memory when laid out."""
    parts = [s.part for s in sheets]
    strings = [STRINGS] if STRINGS in archive.NameToInfo else []
    size = sum(archive.getinfo(p).file_size for p in {*parts, *strings})
    if size > WORKBOOK_BYTES:
        raise SourceError(
            Problem(
                "The workbook is too large to be read.",
                where=where,
                value=f"{size >> 20:,} MiB",
                expected=f"at most {WORKBOOK_BYTES >> 20:,} MiB",
                mend="Save the sheet that is wanted as CSV UTF-8.",
            )
        )
    lengths = _string_lengths(read_member(archive, STRINGS, where)) if strings else np.zeros(0, dtype="int64")
    looks = {}
    for sheet in sheets:
        xml = read_member(archive, sheet.part, where)
        place = f"{where}, {sheet.name}"
        if b"\x00" in xml[:64] or xml.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SourceError(Problem("The sheet is not written as UTF-8.", where=place, mend=AGAIN))
        _refuse_wide(xml, place)
        _refuse_swelling_strings(xml, lengths, place)
        looks[sheet.name] = SheetLook(
            formulas=len(FORMULA.findall(xml)),
            hidden_rows=len(HIDDEN_ROW.findall(xml)),
            hidden_columns=len(HIDDEN_COLUMNS.findall(xml)),
            filtered=bool(FILTER.search(xml)),
            merged=len(MERGED.findall(xml)),
            errors=_errors(xml, place) if ERROR_MARK.search(xml) else {},
        )
    return looks


def column_number(letters: bytes | str) -> int:
    """A column's number from 0, from its letters.

    >>> column_number("A"), column_number("Z"), column_number("AA"), column_number("XFD")
    (0, 25, 26, 16383)
    """
    number = 0
    for letter in letters.decode() if isinstance(letters, bytes) else letters:
        number = number * 26 + ord(letter.upper()) - 64
    return number - 1


def _part(archive: zipfile.ZipFile, name: str, where: str) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(read_member(archive, name, where, SMALL_PART), forbid_dtd=True)
    except (DefusedXmlException, ParseError, LookupError, ValueError) as error:
        raise SourceError(
            Problem(f"The workbook's list of sheets cannot be read ({type(error).__name__}).", where=where, mend=AGAIN)
        ) from None


def _refuse_wide(xml: bytes, where: str) -> None:
    """The reader lays out the whole rectangle of a sheet: one cell at XFD1048576 would need half a tebibyte."""
    columns: set[bytes] = set()
    last_row = 0
    for start in range(0, len(xml), PIECE):
        # A tag cut by a piece's end is found in the overlap.
        cells = FILLED.findall(xml, start, start + PIECE + 4096)
        columns.update(letters for letters, _ in cells)
        last_row = max(last_row, max((int(r) for r in {row for _, row in cells}), default=0))
    width = 1 + max((column_number(c) for c in columns), default=-1)
    if width * last_row > SHEET_CELLS:
        raise SourceError(
            Problem(
                "The sheet's cells stretch too far to be laid out.",
                where=where,
                value=f"{last_row:,} rows by {width:,} columns",
                expected=f"at most {SHEET_CELLS:,} cells",
                mend="Delete stray cells far below or to the right of the table, or save the sheet as CSV UTF-8.",
            )
        )


def _string_lengths(xml: bytes) -> np.ndarray:
    starts = np.array([m.start() for m in STRING_ITEM.finditer(xml)], dtype="int64")
    return np.diff(starts, append=len(xml))


def _refuse_swelling_strings(xml: bytes, lengths: np.ndarray, where: str) -> None:
    """A text is stored once and named by every cell that shows it: a long one, shown often, fills the memory."""
    if not len(lengths) or lengths.max() * (len(xml) // 20) <= WORKBOOK_BYTES:
        return
    shown = np.array(STRING_CELL.findall(xml), dtype="int64")
    total = int(lengths[shown[shown < len(lengths)]].sum())
    if total > 2 * WORKBOOK_BYTES:
        raise SourceError(
            Problem(
                "The sheet shows long texts so often that it would swell beyond measure.",
                where=where,
                value=f"{total >> 20:,} MiB",
                mend="Ask the sender how it was made.",
            )
        )


def _errors(xml: bytes, where: str) -> dict[tuple[int, int], str]:
    errors = {}
    for attributes, inner in ERROR.findall(xml):
        place, value = PLACE.search(attributes), VALUE.search(inner)
        if place is None:
            raise SourceError(
                Problem(
                    "The sheet has error cells (such as #REF!) whose place it does not say.",
                    where=where,
                    mend="Open it in Excel, mend them, save it under a new name as .xlsx, and run again.",
                )
            )
        shown = value[1].decode("utf-8", "replace") if value else "#ERROR!"
        errors[int(place[2]), column_number(place[1])] = shown
    return errors
