"""Delimited text is read as it was written, whatever its encoding, delimiter and layout, and nothing is lost."""

import csv
import gzip
import io
import zipfile

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.files import text as text_module
from jsna.files.layout import layout_of
from jsna.files.text import first_row, numbered, parse_delimited, read_delimited, read_rows

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}


def parse(text, **options):
    return parse_delimited(text.encode() if isinstance(text, str) else text, "x.csv", **options)


def rows(table):
    return table.frame.to_numpy().tolist()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", ",;\t|")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end(encoding, delimiter, end):
    lines = ["urn,name,note", "1,Café,£5", "2,Zoë,"]
    table = parse(end.join(lines).replace(",", delimiter).encode(encoding))
    assert rows(table) == [["1", "Café", "£5"], ["2", "Zoë", ""]]
    assert (table.encoding, table.delimiter) == (ENCODINGS[encoding], delimiter)
    assert table.frame.columns.tolist() == ["urn", "name", "note"]
    assert table.frame.index.tolist() == [2, 3]


def test_two_exports_pasted_together_are_read_line_by_line():
    table = parse("urn,name\n1,Café\n".encode() + "2,Zoë\n".encode("cp1252"))
    assert rows(table) == [["1", "Café"], ["2", "Zoë"]]
    assert "partly UTF-8, partly Windows-1252" in table.notes[0]


def test_marks_in_the_middle_of_the_file_go():
    assert rows(parse("\ufeffurn,name\n\ufeff1,x\n")) == [["1", "x"]]


@pytest.mark.parametrize("lines", [1, 5, 19])
def test_the_heading_is_found_below_a_preamble(lines):
    text = "Report, made by A, B, C and D on 1 May\n" * lines + "urn;name\n1;x\n2;y\n"
    table = parse(text, headings=["urn", "name"])
    assert rows(table) == [["1", "x"], ["2", "y"]]
    assert table.frame.index.tolist() == [lines + 2, lines + 3]
    assert f"{lines} lines above" in " ".join(table.notes)


def test_a_heading_with_line_breaks_and_the_rows_below_it():
    table = parse('"Person ID\n\n(unique)","Date of Birth\n(ccyy-mm-dd)"\n1,2015-03-04\n')
    assert table.frame.columns.tolist() == ["Person ID (unique)", "Date of Birth (ccyy-mm-dd)"]
    assert rows(table) == [["1", "2015-03-04"]]
    assert table.frame.index.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("urn,needs\n1,a;b;c\n2,d;e;f\n", ","),
        ("urn;note\n1;a, b, c\n2;d, e, f\n", ";"),
        ("note\na, b\nc\n", ";"),
        ("sep=|\nurn|a,b\n1|2,3\n", "|"),
        ('"urn","a;b"\n"1","2;3"\n', ","),
    ],
    ids=["lists-in-cells", "sentences-in-cells", "one-column", "said-on-top", "in-the-heading"],
)
def test_a_delimiter_inside_cells_is_not_taken_for_that_of_the_file(text, delimiter):
    table = parse(text)
    assert table.delimiter == delimiter
    assert len(table.quarantine) == 0


def test_a_totals_row_is_a_row():
    assert rows(parse("urn,n\n1,2\nTotal,2\n"))[-1] == ["Total", "2"]


def test_ragged_rows_are_put_aside_with_their_row_and_nothing_of_their_cells():
    table = parse("upn,sex\nA,F\nSmith,B,M\n\nC\nD,M\n")
    assert rows(table) == [["A", "F"], ["D", "M"]]
    assert table.frame.index.tolist() == [2, 6]
    assert table.quarantine[["row", "value"]].to_numpy().tolist() == [[3, "3 cells"], [5, "1 cells"]]
    assert table.rows_read == 4
    assert "Smith" not in table.quarantine.to_string()
    assert "1 empty lines were passed over." in table.notes


def test_ragged_rows_keep_their_numbers_far_into_a_long_file():
    # Longer than two of the parser's blocks of 8 MiB.
    lines = [f"{i},{'x' * 80}" if i % 50_000 else f"{i}" for i in range(1, 250_001)]
    table = parse("n,x\n" + "\n".join(lines))
    assert table.quarantine["row"].tolist() == [i + 1 for i in range(50_000, 250_001, 50_000)]
    assert (table.frame["n"].astype("int64").to_numpy() == table.frame.index.to_numpy() - 1).all()


def test_line_breaks_in_cells_count_as_one_row():
    table = parse('n,t\n1,"a\nb"\n2\n3,c\n')
    assert rows(table) == [["1", "a\nb"], ["3", "c"]]
    assert table.frame.index.tolist() == [2, 4]
    assert table.quarantine["row"].tolist() == [3]


def test_a_row_with_text_only_in_columns_that_are_not_read_is_no_empty_row():
    table = parse("upn,name\n,Smith\n , \nA,B\n", keep=lambda h: h != "name")
    assert table.frame["upn"].to_dict() == {2: "", 4: "A"}
    assert "1 empty lines" in table.notes[0]


def test_columns_that_are_not_kept_are_never_read():
    table = parse("upn,surname,sex\nA,Smith,F\n", keep=lambda h: h != "surname")
    assert table.frame.columns.tolist() == ["upn", "sex"]
    with pytest.raises(SourceError, match="no column that is wanted"):
        parse("upn,surname\nA,Smith\n", keep=lambda h: False)


def test_a_heading_twice_with_the_same_cells_is_read_once():
    table = parse("sex,sex,n\nF,F,1\n")
    assert table.frame.columns.tolist() == ["sex", "n"]
    assert "1 columns that repeat" in table.notes[0]


def test_a_heading_twice_with_different_cells_is_told_and_refused_where_it_is_needed():
    text = "sex,sex,n\nF,M,1\n"
    table = parse(text)
    assert table.frame.columns.tolist() == ["sex", "sex.1", "n"]
    assert table.doubled == ("sex",)
    assert "stands twice" in table.notes[0]
    with pytest.raises(SourceError, match="stands over two columns"):
        parse(text, headings=["Sex"])


def test_a_column_is_not_lost_because_its_name_ends_like_a_number_of_ours():
    assert parse("Q1,Q1.1\n,\n,2\n").frame.columns.tolist() == ["Q1", "Q1.1"]
    assert parse("Q1,Q1.1\n2,2\n").frame.columns.tolist() == ["Q1", "Q1.1"]
    assert len(set(numbered(["a", "a", "a.1", "a", ""]))) == 5


def test_a_cell_that_may_hold_whole_rows_is_told():
    table = parse('a,b,c\n1,"x,2\n3,4,5\n7,12",9\n3,4,5\n')
    assert len(table.frame) == 2
    assert "could be whole rows: look at row 2" in table.notes[-1]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,b\n"1,2\n3,4\n5,6\n', 2),
        ('a,b\n1,2\n3,"4\n5,6\n', 3),
        ('a,b\n1,2\n3,4\n5,"6', 4),
        ('a,b\n1,"2\n3,"4"\n5,6\n', 2),
        ('a,b\n1,"2\n3,""\n5,6\n', 2),
        ('"a,b\n1,2\n3,4\n', 1),
    ],
    ids=["start", "middle", "end", "before-a-quoted-cell", "before-an-empty-one", "heading"],
)
def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_row(text, row):
    with pytest.raises(SourceError, match=f"row {row} is not closed|no rows"):
        parse(text)


def test_inch_marks_inside_a_cell_are_text():
    assert rows(parse('a,b\n5" pipe,x\n')) == [['5" pipe', "x"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"urn,name\n", "no rows"),
        (b"urn,name\n\n\n", "no rows"),
        (b"urn,name\n,\n,\n", "no rows"),
        (b"a,b\n1,\x00\n", "line 2 holds a zero byte"),
        (b"a,b\n1,\x8f\n", "line 2, byte 3"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "UTF-16"),
        ("a,b\n1,2\n".encode("utf-32"), "zero byte|UTF-16"),
        (b"PK\x03\x04junk", "zip archive or an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b"  <!DOCTYPE html><html>", "web page"),
        (b'<?xml version="1.0"?><a/>', "looks like XML"),
        (b"a,b\n1\n2\n", "as many cells as the heading"),
        (b"a,b\n1,2,3\n", "rows of 3 cells under a heading of 2"),
        (b"a,b\n1," + b"x" * (1 << 20), "Line 2 is longer"),
        (b"x," * 20_000 + b"\n1\n", "more cells than any table"),
    ],
)
def test_what_is_no_table_is_refused_by_name(text, words):
    with pytest.raises(SourceError, match=words) as caught:
        parse(text)
    assert str(caught.value).startswith("x.csv: ")


def test_a_file_of_ragged_rows_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(text_module, "RAGGED_ROWS", 10)
    with pytest.raises(SourceError, match="as many cells as the heading"):
        parse("a,b\n1,2\n" + "1\n" * 50)
    assert len(parse("a,b\n1,2\n" + "\n" * 50).frame) == 1


def test_plain_gzipped_and_zipped_files_are_read_alike(tmp_path):
    content = "urn,name\n1,é\n".encode()
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.csv", content)
    tables = [
        read_delimited(tmp_path / "a.csv"),
        read_delimited(tmp_path / "a.csv.gz"),
        read_delimited(tmp_path / "a.zip", "a.csv"),
    ]
    for table in tables:
        pd.testing.assert_frame_equal(table.frame, tables[0].frame)


def test_the_headings_of_a_part_of_a_file():
    content = "Café,sen provision\n1,é\n".encode()
    assert first_row(content[:-2], "x.csv") == ["Café", "sen provision"]
    assert first_row(content.decode().encode("utf-16"), "x.csv") == ["Café", "sen provision"]
    assert first_row(b"title\nurn,name", "x.csv", ["URN"]) == ["urn", "name"]


def test_rows_of_a_publication_with_a_layout_of_its_own(tmp_path):
    (tmp_path / "x.csv").write_text('Title\n"Area\nCode",n\n\nA,1\n')
    assert read_rows(tmp_path / "x.csv") == [["Title"], ["Area Code", "n"], [], ["A", "1"]]
    (tmp_path / "x.csv").write_text('Title\n"Area\n' + "x" * 140_000)
    with pytest.raises(SourceError, match="row 2"):
        read_rows(tmp_path / "x.csv")


def test_the_layout_alone():
    layout = layout_of(b"\n\nurn\tname\n1\tx\n", "x.csv")
    assert (layout.delimiter, layout.above, layout.headings) == ("\t", 2, ["urn", "name"])


CELL = st.text(alphabet="aé£;,|\t\"' \n-0", max_size=6)
WIDTH = st.integers(min_value=2, max_value=4)
TABLE = WIDTH.flatmap(lambda w: st.lists(st.lists(CELL, min_size=w, max_size=w), min_size=1, max_size=12))


@settings(deadline=None, max_examples=150)
@given(table=TABLE, delimiter=st.sampled_from(",;\t|"), encoding=st.sampled_from(list(ENCODINGS)), quote=st.booleans())
def test_any_table_that_is_written_is_read_back(table, delimiter, encoding, quote):
    headings = [f"column{i}" for i in range(len(table[0]))]
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerows([headings, *table])
    expected = [row for row in table if any(cell.strip() for cell in row)]
    if not expected:
        with pytest.raises(SourceError, match="no rows"):
            parse(out.getvalue().encode(encoding))
        return
    read = parse(out.getvalue().encode(encoding))
    assert rows(read) == expected
    assert read.frame.columns.tolist() == headings
    assert read.delimiter == delimiter
    assert read.rows_read == len(read.frame) + len(read.quarantine) == len(expected)
    assert read.frame.index.tolist() == [i for i, row in enumerate(table, 2) if row in expected]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=30))
def test_rows_in_are_rows_out_and_rows_reported(widths):
    text = "a,b,c\n1,2,3\n" + "\n".join(",".join("x" * w) for w in widths)
    read = parse(text)
    assert len(read.frame) == 1 + widths.count(3)
    assert read.quarantine["row"].tolist() == [i for i, w in enumerate(widths, 3) if w not in (0, 3)]
    assert read.rows_read == len(read.frame) + len(read.quarantine)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\xff", b"\xfe", b"\x00", b"1", b";"]), max_size=40
    ).map(b"".join)
)
def test_any_bytes_are_read_or_refused(content):
    try:
        read = parse(content)
    except SourceError:
        return
    assert read.rows_read == len(read.frame) + len(read.quarantine)
    assert read.frame.columns.is_unique
