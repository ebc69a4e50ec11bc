"""The audit reads a pack's workbooks: copies of tables pass, and what differs from them is attacked like any table."""

from __future__ import annotations

import csv
import io

import audit_pack as small
import pytest
from openpyxl import Workbook, load_workbook
from workbook_samples import area, exhibit

from jsna.audit.audit import audit
from jsna.audit.pack import read_pack
from jsna.audit.sheets import sheets
from jsna.audit.workbooks import differing, settings
from jsna.pack.flags import COLUMNS
from jsna.pack.workbook import write_workbook
from jsna.pack.workbook.cells import settings as told

SHEET = "SEN by ethnicity"


@pytest.fixture
def pack(tmp_path):
    """A clean pack with the workbook that the workbench makes of it."""
    folder = small.write(tmp_path / "pack")
    exhibits = [exhibit(name, text) for name, text in small.tables().items()]
    write_workbook(folder, area(), exhibits, list(csv.DictReader(io.StringIO(small.flags()))))
    return small.sign(folder)


def _edit(pack, change):
    book = load_workbook(pack / "evidence.xlsx")
    change(book)
    book.properties.creator = ""
    book.save(pack / "evidence.xlsx")
    small.sign(pack)
    return audit(pack).findings


def _set(sheet, group, heading, value):
    def change(book):
        rows = list(book[sheet][next(iter(book[sheet].tables.values())).ref])
        at = [str(c.value).partition(" (")[0] for c in rows[0]].index(heading)
        hits = [row for row in rows if any(c.value == group for c in row)]
        hits[0][at].value = value

    return change


def test_a_workbook_that_copies_the_tables_adds_nothing_and_nothing_is_found(pack):
    found = audit(pack)
    assert found.findings == ()
    assert not [s for s in sheets(read_pack(pack)) if "xlsx" in s.file]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(_set(SHEET, "Irish", "Identified", 3), "small count", id="a hidden count in a table"),
        pytest.param(_set(SHEET, "Irish", "Share", 6.0), "exact", id="a share of a hidden count"),
        pytest.param(_set(SHEET, "Irish", "Ratio, pooled", 0.3), "beside", id="a ratio of a hidden count"),
        pytest.param(_set("All comparisons", "Irish", "Counted", 3), "small count", id="a hidden count of the flags"),
        pytest.param(
            lambda b: b["Notes"].append(["note 9", "Of the Irish pupils 6.0% (3 of 50)."]),
            "small count",
            id="in a sentence",
        ),
    ],
)
def test_what_a_workbook_tells_and_the_tables_hide_is_found(pack, change, kind):
    found = _edit(pack, change)
    assert kind in {f.kind for f in found}, found


def test_a_hidden_sheet_is_read_as_well(pack):
    def add(book):
        sheet = book.create_sheet("More")
        sheet.append(["The same table as a file: tables/ethnicity-any-sen-flags.csv"])
        sheet.append(["Group", "Identified", "Pupils"])
        sheet.append(["Irish", 3, 50])
        sheet.sheet_state = "hidden"

    found = _edit(pack, add)
    assert "hidden sheet" in {f.kind for f in found}
    assert any("More" in s.file for s in sheets(read_pack(pack)))


def test_a_file_that_is_no_workbook_is_named(pack):
    (pack / "evidence.xlsx").write_bytes(b"PK\x03\x04 no archive")
    small.sign(pack)
    assert "unreadable" in {f.kind for f in audit(pack).findings}
    empty = io.BytesIO()
    Workbook().save(empty)
    (pack / "evidence.xlsx").write_bytes(empty.getvalue())
    small.sign(pack)
    assert "unreadable" not in {f.kind for f in audit(pack).findings}


def test_the_audit_knows_every_heading_that_the_workbook_gives_the_flags():
    known = settings()["heads"]
    unknown = {column for column, heading in told()["flags"].items() if known.get(heading) != column}
    assert unknown == {"place_level", "place_code"}
    assert set(known.values()) <= set(COLUMNS)


@pytest.mark.parametrize(
    ("head", "rows", "same"),
    [
        (("Group", "Pupils (number)"), [("A [note 3]", "12")], True),
        (("Pupils (number)", "Group"), [("12", "A")], True),
        (("Group", "Pupils (number)"), [("A", "13")], False),
        (("Group", "Pupils (number)"), [("B", "12")], False),
        (("Group", "Pupils (number)", "More"), [("A", "12", "9")], True),
        (("Of whom",), [("A",)], False),
    ],
)
def test_a_copy_is_told_from_what_differs(head, rows, same):
    assert (differing(head, rows, ("Group", "Pupils"), [("A [1]", "12")]) is None) is same
