"""Workbooks come as text as their cells show, with what a reader of the sheet cannot see said in notes."""

import datetime as dt
import re
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from jsna.errors import SourceError
from jsna.files.sheet_xml import column_number
from jsna.files.workbook import read_sheets, table_of


def saved(path, rows, change=lambda book, sheet: None, title="Data"):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    change(book, sheet)
    book.save(path)
    return path


def rewritten(path, part, change):
    """The workbook with one part of its zip changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0012", "0012"),
        (" x ", " x "),
        (12, "12"),
        (12.0, "12"),
        (27.1, "27.1"),
        (-3, "-3"),
        (10**14, "1" + "0" * 14),
        (True, "TRUE"),
        (False, "FALSE"),
        (dt.date(2026, 1, 15), "2026-01-15"),
        (dt.datetime(2026, 1, 15, 9, 30), "2026-01-15 09:30:00"),
        (dt.time(9, 30), "09:30:00"),
        ("line\nbreak", "line\nbreak"),
        ("46037", "46037"),
        (None, ""),
    ],
)
@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904], ids=["1900", "1904"])
def test_a_cell_as_text(tmp_path, value, text, epoch):
    def change(book, sheet):
        if epoch:
            book.epoch = epoch
        sheet.append([value, "."])

    path = saved(tmp_path / "x.xlsx", [["a", "b"]], change)
    assert read_sheets(path)["Data"].to_numpy().tolist() == [["a", "b"], [text, "."]]


def test_day_numbers_without_a_date_format_stay_numbers(tmp_path):
    assert read_sheets(saved(tmp_path / "x.xlsx", [[46037]]))["Data"].to_numpy().tolist() == [["46037"]]


def test_the_index_is_the_sheets_row_and_columns_count_from_nought(tmp_path):
    def change(book, sheet):
        sheet["C4"] = "x"

    frame = read_sheets(saved(tmp_path / "x.xlsx", [], change))["Data"]
    assert frame.index.tolist() == [1, 2, 3, 4]
    assert frame.columns.tolist() == [0, 1, 2]
    assert frame.loc[4, 2] == "x"
    assert (frame.loc[:3] == "").all(axis=None)


def test_error_cells_stand_where_they_are_and_are_counted(tmp_path):
    def change(book, sheet):
        for place, value in (("B3", "#REF!"), ("A4", "#DIV/0!"), ("B4", "#N/A")):
            sheet[place] = value
            sheet[place].data_type = "e"

    read = read_sheets(saved(tmp_path / "x.xlsx", [["a", "b"], [1, 2]], change))
    assert read["Data"].to_numpy().tolist() == [["a", "b"], ["1", "2"], ["", "#REF!"], ["#DIV/0!", "#N/A"]]
    assert "3 error cells" in " ".join(read.notes)


def hide_rows(book, sheet):
    sheet.row_dimensions[2].hidden = True
    sheet.row_dimensions[3].hidden = True


def set_filter(book, sheet):
    sheet.auto_filter.ref = "A1:B4"
    sheet.auto_filter.add_filter_column(0, ["1"])


def filter_and_hide(book, sheet):
    set_filter(book, sheet)
    hide_rows(book, sheet)


def arrows_only(book, sheet):
    sheet.auto_filter.ref = "A1:B4"


def hide_column(book, sheet):
    sheet.column_dimensions["B"].hidden = True


def hide_sheet(book, sheet):
    book.create_sheet("Other")["A1"] = "x"
    sheet.sheet_state = "hidden"


def hide_sheet_well(book, sheet):
    hide_sheet(book, sheet)
    sheet.sheet_state = "veryHidden"


def merge(book, sheet):
    sheet.merge_cells("A1:B1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (hide_rows, "2 hidden rows (no filter is set)"),
        (set_filter, "has a filter set"),
        (filter_and_hide, "2 hidden rows (a filter is set)"),
        (hide_column, "hidden columns"),
        (hide_sheet, "is hidden in Excel"),
        (hide_sheet_well, "is hidden in Excel"),
        (merge, "1 merged cells"),
        (arrows_only, None),
    ],
)
def test_what_cannot_be_seen_is_read_and_told(tmp_path, change, words):
    rows = [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]
    read = read_sheets(saved(tmp_path / "x.xlsx", rows, change))
    assert read["Data"].to_numpy().tolist()[1:] == rows[1:]
    assert words in " ".join(read.notes) if words else read.notes == ()


def test_a_filter_by_another_writer_is_seen_too(tmp_path):
    path = saved(tmp_path / "x.xlsx", [["a"], ["1"]])

    def prefixed(xml):
        return (
            re.sub(rb"<(/?)(row|c|v)(?=[\s/>])", rb"<\1x:\2", xml)
            .replace(b"<worksheet ", b'<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ')
            .replace(b'<x:row r="2"', b"<x:row hidden = '1' r=\"2\"")
        )

    assert "1 hidden rows" in " ".join(read_sheets(rewritten(path, SHEET, prefixed)).notes)


def formula(book, sheet):
    sheet["A2"] = "=1+1"


def test_formulas_are_refused_with_the_sheet_or_taken_as_they_were_saved(tmp_path):
    path = saved(tmp_path / "x.xlsx", [["a"]], formula)
    with pytest.raises(SourceError, match=r"formulas.*Data \(1 cells\)"):
        read_sheets(path)
    assert read_sheets(path, formulas="values")["Data"].loc[1, 0] == "a"


@pytest.mark.parametrize("tag", [b"<x:f>", b"<f t='shared'>", b"<f\n>"])
def test_formulas_written_in_other_ways_are_seen(tmp_path, tag):
    path = saved(tmp_path / "x.xlsx", [["a"], [1]])
    rewritten(path, SHEET, lambda xml: xml.replace(b"<v>1</v>", tag + b"1+0</f><v>1</v>"))
    with pytest.raises(SourceError, match="formulas"):
        read_sheets(path)


def test_formulas_in_sheets_that_are_not_wanted_do_not_matter(tmp_path):
    def change(book, sheet):
        book.create_sheet("Sums")["A1"] = "=1+1"

    path = saved(tmp_path / "x.xlsx", [["a"]], change)
    assert list(read_sheets(path, ["data"])) == ["Data"]
    with pytest.raises(SourceError, match="Sums"):
        read_sheets(path)


def test_a_sheet_that_is_not_there(tmp_path):
    path = saved(tmp_path / "x.xlsx", [["a"]], title="Named Plan")
    with pytest.raises(SourceError, match="Did you mean 'Named Plan'"):
        read_sheets(path, ["Named Plans"])
    assert list(read_sheets(path, ["named  plan"])) == ["Named Plan"]


def frame_of(rows):
    frame = pd.DataFrame(rows, dtype="str")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def test_a_table_in_a_sheet_below_a_title_and_merged_headings():
    sheet = frame_of(
        [
            ["Return of 2026", "", ""],
            ["", "2025", ""],
            ["UPN", "Date of\nbirth", ""],
            ["A", "2015-03-04", "x"],
            [" ", "", ""],
        ]
    )
    table = table_of(sheet, "x", ["upn", "date of birth"])
    assert table.columns.tolist() == ["UPN", "Date of birth", "column 3"]
    assert table.index.tolist() == [4]


def test_headings_that_stand_twice_and_columns_that_are_not_kept():
    table = table_of(
        frame_of([["sex", "sex", "surname", ""], ["F", "M", "Smith", ""]]), "x", keep=lambda h: h != "surname"
    )
    assert table.columns.tolist() == ["sex", "sex.1"]
    with pytest.raises(SourceError, match="empty"):
        table_of(frame_of([["", ""]]), "x")


def test_columns_are_counted_from_letters():
    assert [column_number(c) for c in ("A", "Z", "AA", b"XFD")] == [0, 25, 26, 16383]


CELLS = st.one_of(
    st.integers(min_value=-(10**12), max_value=10**12),
    st.text(alphabet="aé£<&\"'; \n0=", max_size=5).filter(lambda t: not t.startswith("=")),
    st.booleans(),
    st.none(),
    st.dates(min_value=dt.date(1901, 1, 1), max_value=dt.date(2099, 1, 1)),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8))
def test_any_sheet_that_is_written_is_read_back(tmp_path_factory, rows):
    def text(cell):
        if cell is None:
            return ""
        return str(cell).upper() if isinstance(cell, bool) else str(cell)

    path = saved(tmp_path_factory.mktemp("book") / "x.xlsx", [*rows, ["end", "end"]])
    assert read_sheets(path)["Data"].to_numpy().tolist() == [*([text(c) for c in row] for row in rows), ["end", "end"]]
