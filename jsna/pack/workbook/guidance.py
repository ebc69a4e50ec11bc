"""The government's guidance on accessible spreadsheets as checks of a made workbook, one function a rule.

Each rule takes the opened workbook and gives a sentence for each place where it is broken; none means that it is kept.
Source: Analysis Function, Releasing statistics in spreadsheets, and Making spreadsheets accessible: a brief checklist.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import range_boundaries

from jsna.pack.workbook.cells import settings

FRONT = ("Cover", "Contents", "Notes")
LONGEST_NAME = 31
LANGUAGE = "en-GB"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?%?")
_NOTE = re.compile(r"\[note (\d+)\]")
_OLD_NOTE = re.compile(r"\[\d+\]|[¹²³⁰-⁹*†‡]$")
_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:\\|/(?:home|Users|root|tmp|work|var)/)")


def faults(path: Path) -> list[str]:
    """Every fault of the workbook at ``path``, each with the sheet and the rule."""
    content = path.read_bytes()
    book = load_workbook(io.BytesIO(content))
    found = [f"{name.replace('_', ' ')}: {fault}" for name, rule in RULES.items() for fault in rule(book)]
    return found + [f"parts of the file: {fault}" for fault in unwanted_parts(content)]


def front_sheets_first(book: Any) -> Iterator[str]:
    """Cover, contents and notes come first, in this order."""
    if tuple(book.sheetnames[:3]) != FRONT:
        yield f"the first sheets are {', '.join(book.sheetnames[:3])}"


def names_are_short_and_unique(book: Any) -> Iterator[str]:
    """Sheet names have at most 31 letters and differ, capitals or not."""
    low = [n.casefold() for n in book.sheetnames]
    yield from (f"{n} is too long" for n in book.sheetnames if len(n) > LONGEST_NAME)
    yield from (f"{n} stands twice" for n in book.sheetnames if low.count(n.casefold()) > 1)


def a_title_in_the_first_cell(book: Any) -> Iterator[str]:
    """A1 holds the sheet's title."""
    yield from (s.title for s in book.worksheets if not str(s["A1"].value or "").strip())


def one_table_a_sheet(book: Any) -> Iterator[str]:
    """Every sheet but the cover has one marked-up table, from column A to the last column and row used."""
    for sheet in book.worksheets[1:]:
        tables = list(sheet.tables.values())
        if len(tables) != 1:
            yield f"{sheet.title} has {len(tables)}"
            continue
        left, _, right, last = range_boundaries(tables[0].ref)
        if left != 1 or (right, last) != (sheet.max_column, sheet.max_row):
            yield f"{sheet.title}: the table is {tables[0].ref}, the sheet {sheet.dimensions}"


def one_row_of_headings(book: Any) -> Iterator[str]:
    """A table has one row of headings, each there and different from the others."""
    for sheet, rows in _tables(book):
        heads = [str(c.value or "").strip() for c in rows[0]]
        if "" in heads or len({h.casefold() for h in heads}) < len(heads):
            yield f"{sheet.title}: {heads}"


def no_empty_cells(book: Any) -> Iterator[str]:
    """No cell of a table is blank, and no row or column between the title and the table's end."""
    for sheet, rows in _tables(book):
        yield from (f"{sheet.title} {c.coordinate}" for row in rows for c in row if c.value in (None, ""))
        head = rows[0][0].row
        yield from (f"{sheet.title} row {r}" for r in range(1, head) if not sheet.cell(r, 1).value)


def nothing_merged_or_hidden(book: Any) -> Iterator[str]:
    """No merged cells; no hidden sheet, row or column."""
    for sheet in book.worksheets:
        yield from (f"{sheet.title} {r} is merged" for r in sheet.merged_cells.ranges)
        if sheet.sheet_state != "visible":
            yield f"{sheet.title} is hidden"
        yield from (f"{sheet.title} row {n}" for n, d in sheet.row_dimensions.items() if d.hidden)
        yield from (f"{sheet.title} column {n}" for n, d in sheet.column_dimensions.items() if d.hidden)


def no_panes_filters_or_pictures(book: Any) -> Iterator[str]:
    """No frozen panes, no filters, no pictures or charts."""
    for sheet in book.worksheets:
        if sheet.freeze_panes:
            yield f"{sheet.title} has frozen panes"
        if sheet.auto_filter.ref or any(t.autoFilter is not None for t in sheet.tables.values()):
            yield f"{sheet.title} has a filter"
        if sheet._images or sheet._charts:
            yield f"{sheet.title} has a picture"


def numbers_are_numbers(book: Any) -> Iterator[str]:
    """A column of numbers, apart from the letters that stand for one, holds no number as a text."""
    for sheet, rows in _tables(book):
        for column in zip(*rows[1:], strict=True):
            heading = str(sheet.cell(rows[0][0].row, column[0].column).value)
            if re.fullmatch(settings()["text_columns"], heading):
                continue
            texts = [str(c.value) for c in column if isinstance(c.value, str)]
            words = [t for t in texts if not _NUMBER.fullmatch(t) and len(t) > 4]
            percents = {t.endswith("%") for t in texts if _NUMBER.fullmatch(t)}
            if percents and not words and len(percents) == 1:
                yield f"{sheet.title}: {heading}"


def units_in_headings(book: Any) -> Iterator[str]:
    """A heading over numbers names their unit in brackets."""
    for sheet, rows in _tables(book):
        for column in zip(*rows, strict=True):
            numeric = any(isinstance(c.value, int | float) for c in column[1:])
            if numeric and not re.search(r"\([^()]*(?:[A-Za-z]{2}|%)[^()]*\)|%", str(column[0].value)):
                yield f"{sheet.title}: {column[0].value}"


def notes_are_explained(book: Any) -> Iterator[str]:
    """Notes are written as [note 1], and each that is referred to stands on the sheet Notes."""
    there = {str(row[0].value).removeprefix("note ") for row in book["Notes"].iter_rows()} if "Notes" in book else set()
    for sheet in book.worksheets[1:]:
        texts = [c.value for row in sheet.iter_rows() for c in row if isinstance(c.value, str)]
        marks = {m for t in texts for m in _NOTE.findall(t)}
        yield from (f"{sheet.title}: note {m} is not explained" for m in sorted(marks - there))
        yield from (f"{sheet.title}: {t[:60]}" for t in texts if sheet.title != "Notes" and _OLD_NOTE.search(t))


def letters_are_explained(book: Any) -> Iterator[str]:
    """A letter in place of a number is explained above the table."""
    for sheet, rows in _tables(book):
        if sheet.title in FRONT:
            continue
        above = [str(sheet.cell(r, 1).value) for r in range(1, rows[0][0].row)]
        used = {c.value for row in rows[1:] for c in row if isinstance(c.value, str) and re.fullmatch("[a-z]", c.value)}
        explained = {a[0] for a in above if re.match(r"[a-z] = ", a)}
        yield from (f"{sheet.title}: {letter}" for letter in sorted(used - explained))


def every_sheet_is_linked(book: Any) -> Iterator[str]:
    """The contents name every sheet behind them, with a link that leads there."""
    cells = [c for row in book[FRONT[1]].iter_rows() for c in row] if FRONT[1] in book else []
    links = {str(c.hyperlink.location).rpartition("!")[0].strip("'") for c in cells if c.hyperlink}
    yield from (n for n in book.sheetnames[2:] if n not in links)
    yield from (f"{n} is not a sheet" for n in sorted(links - set(book.sheetnames)))


def properties_are_set(book: Any) -> Iterator[str]:
    """A title and the language; no name of a person."""
    own = book.properties
    if not own.title:
        yield "no title"
    if own.language != LANGUAGE:
        yield f"the language is {own.language}"
    if own.creator or own.lastModifiedBy:
        yield "the name of an author"


def cursor_in_the_first_cell(book: Any) -> Iterator[str]:
    """Each sheet opens at A1, and the workbook at its first sheet."""
    yield from (s.title for s in book.worksheets if s.sheet_view.selection[0].activeCell != "A1")
    if book.active.title != book.sheetnames[0]:
        yield f"the workbook opens at {book.active.title}"


def no_formulas(book: Any) -> Iterator[str]:
    """Values, not formulas: a text that begins with = stays a text."""
    for sheet in book.worksheets:
        yield from (f"{sheet.title} {c.coordinate}" for row in sheet.iter_rows() for c in row if c.data_type == "f")


def unwanted_parts(content: bytes) -> Iterator[str]:
    """No macros, comments, links to other files, pictures; no path of a machine in any part."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if re.search(r"vba|comments|externalLink|media/|drawing|customXml", name, re.IGNORECASE):
                yield name
            if _PATH.search(archive.read(name).decode("utf-8", errors="replace")):
                yield f"{name} names a path of a machine"


def _tables(book: Any) -> Iterator[tuple[Any, list[Any]]]:
    for sheet in book.worksheets:
        for table in sheet.tables.values():
            yield sheet, list(sheet[table.ref])


RULES: dict[str, Callable[[Any], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (
        front_sheets_first,
        names_are_short_and_unique,
        a_title_in_the_first_cell,
        one_table_a_sheet,
        one_row_of_headings,
        no_empty_cells,
        nothing_merged_or_hidden,
        no_panes_filters_or_pictures,
        numbers_are_numbers,
        units_in_headings,
        notes_are_explained,
        letters_are_explained,
        every_sheet_is_linked,
        properties_are_set,
        cursor_in_the_first_cell,
        no_formulas,
    )
}
