"""Each rule of the guidance on spreadsheets: kept by the workbook, and seen where it is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table
from workbook_samples import EXHIBITS, FLAGS, area

from jsna.pack.workbook import write_workbook
from jsna.pack.workbook.guidance import RULES, faults, unwanted_parts

SHEET = "SEN needs"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_workbook(tmp_path_factory.mktemp("pack"), area(), EXHIBITS, FLAGS)


def _head(book: Any) -> int:
    return int("".join(filter(str.isdigit, next(iter(book[SHEET].tables.values())).ref.split(":")[0])))


def _set(cell: str, value: Any) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[SHEET][cell] = value

    return change


def _below(column: str, down: int, value: Any) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[SHEET][f"{column}{_head(book) + down}"] = value

    return change


def _numbers_as_text(book: Any) -> None:
    _below("B", 1, "1204")(book)


def _second_table(book: Any) -> None:
    book[SHEET].add_table(Table(displayName="another", ref="E1:F2"))


def _filter(book: Any) -> None:
    next(iter(book[SHEET].tables.values())).autoFilter = AutoFilter(ref="A1:B2")


def _no_legend(book: Any) -> None:
    for row in range(1, _head(book)):
        if str(book[SHEET].cell(row, 1).value).startswith("c = "):
            book[SHEET].cell(row, 1).value = "Nothing"


BROKEN: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("front_sheets_first", "moved", lambda b: b.move_sheet("Notes", 2)),
    ("names_are_short_and_unique", "long", lambda b: setattr(b[SHEET], "title", "a" * 32)),
    ("a_title_in_the_first_cell", "none", _set("A1", None)),
    ("one_table_a_sheet", "two", _second_table),
    ("one_table_a_sheet", "a cell beside it", _set("F20", "x")),
    ("one_row_of_headings", "a blank one", _below("B", 0, None)),
    ("one_row_of_headings", "one twice", _below("B", 0, "group")),
    ("no_empty_cells", "in the table", _below("B", 2, None)),
    ("no_empty_cells", "a blank row above", _set("A2", None)),
    ("nothing_merged_or_hidden", "merged", lambda b: b[SHEET].merge_cells("A1:B1")),
    ("nothing_merged_or_hidden", "sheet", lambda b: setattr(b[SHEET], "sheet_state", "hidden")),
    ("nothing_merged_or_hidden", "row", lambda b: setattr(b[SHEET].row_dimensions[3], "hidden", True)),
    ("nothing_merged_or_hidden", "column", lambda b: setattr(b[SHEET].column_dimensions["B"], "hidden", True)),
    ("no_panes_filters_or_pictures", "panes", lambda b: setattr(b[SHEET], "freeze_panes", "A3")),
    ("no_panes_filters_or_pictures", "filter", _filter),
    ("numbers_are_numbers", "as text", _numbers_as_text),
    ("units_in_headings", "none", _below("B", 0, "Pupils")),
    ("notes_are_explained", "unknown", _set("A1", "Title [note 99]")),
    ("notes_are_explained", "old form", _set("A1", "Title [1]")),
    ("notes_are_explained", "superscript", _set("A1", "Title²")),
    ("letters_are_explained", "not above", _no_legend),
    ("every_sheet_is_linked", "a new one", lambda b: b.create_sheet("New")),
    ("properties_are_set", "title", lambda b: setattr(b.properties, "title", None)),
    ("properties_are_set", "language", lambda b: setattr(b.properties, "language", "en-US")),
    ("properties_are_set", "author", lambda b: setattr(b.properties, "creator", "A. Person")),
    ("cursor_in_the_first_cell", "elsewhere", lambda b: setattr(b[SHEET].sheet_view.selection[0], "activeCell", "C3")),
    ("cursor_in_the_first_cell", "another sheet", lambda b: setattr(b, "active", 3)),
    ("no_formulas", "one", _below("B", 1, "=1+1")),
]


@pytest.mark.parametrize("name", RULES)
def test_the_made_workbook_keeps_the_rule_and_the_rule_has_a_broken_case(made, name):
    assert list(RULES[name](load_workbook(made))) == []
    assert name in {rule for rule, _, _ in BROKEN}


@pytest.mark.parametrize(("name", "how", "change"), BROKEN, ids=[f"{n}: {h}" for n, h, _ in BROKEN])
def test_a_broken_rule_is_seen(made, name, how, change):
    book = load_workbook(made)
    change(book)
    assert list(RULES[name](book)), how


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("xl/vbaProject.bin", "x"),
        ("xl/comments1.xml", "<c/>"),
        ("xl/more.xml", "/home" + "/someone/pack"),
        ("a.txt", "C:\\Users\\x"),
    ],
)
def test_macros_comments_and_paths_are_seen(made, tmp_path, part, text):
    import zipfile

    changed = tmp_path / "evidence.xlsx"
    changed.write_bytes(made.read_bytes())
    assert list(unwanted_parts(changed.read_bytes())) == []
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr(part, text)
    assert any(part in fault for fault in unwanted_parts(changed.read_bytes()))


def test_all_faults_are_told_together(made, tmp_path):
    book = load_workbook(made)
    book[SHEET].merge_cells("A1:B1")
    book.properties.title = None
    book.save(tmp_path / "evidence.xlsx")
    told = faults(tmp_path / "evidence.xlsx")
    assert any(t.startswith("nothing merged or hidden: SEN needs") for t in told)
    assert any(t.startswith("properties are set: no title") for t in told)
