"""Damaged, hostile and mistaken files: each is refused with one message that names the file, or read whole."""

import gzip
import io
import struct
import time
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.files.archive import open_zip, read_bytes
from jsna.files.markup import events
from jsna.files.result import sha256_of
from jsna.files.text import parse_delimited, read_delimited
from jsna.files.workbook import read_sheets

# Far above what any case takes (a second or two), so that a slow machine does not fail; a case without end does.
PATIENCE = 60.0


def zipped(path, *members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name or ZipInfo, content); nothing about it is checked."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def info(name, attributes=0):
    made = zipfile.ZipInfo(name)
    made.external_attr = attributes << 16
    return made


def put(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sparse(path, size, start=b""):
    """A file of ``size`` bytes that takes no room on the disk: zeros after ``start``."""
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)
    return path


def overlapping(path, copies=40, size=15 << 20):
    """Many members that are one and the same stretch of packed zeros, as David Fifield's bomb of 2019 has them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"\0" * size) + packer.flush()
    check = zlib.crc32(b"\0" * size)
    common = struct.pack("<HHHHHIII", 20, 0, 8, 0, 33, check, len(packed), size)
    body = b"PK\3\4" + common + struct.pack("<HH", 1, 0) + b"a" + packed
    # Only the names differ, so that reading any one of them succeeds by itself.
    listed = b"".join(
        b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0) + b"a"
        for _ in range(copies)
    )
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, copies, copies, len(listed), len(body), 0)
    return put(path, body + listed + end)


def patched(path, old, new):
    return put(path, path.read_bytes().replace(old, new))


def locked_zip(path):
    """The mark of a password on both heads of the one member."""
    data = bytearray(zipped(path, ("a.csv", "a\n1\n")).read_bytes())
    data[data.index(b"PK\3\4") + 6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return put(path, bytes(data))


def many_members(path, count):
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(count):
            archive.writestr(f"{i}", "")
    return path


def false_list(path):
    """A zip whose end says that its list of members takes a gibibyte."""
    data = zipped(path, ("a.csv", "a\n1\n")).read_bytes()
    end = data.rindex(b"PK\5\6")
    return put(path, data[: end + 12] + struct.pack("<I", 1 << 30) + data[end + 16 :])


def book(path, change=lambda book, sheet: None, rows=(("a", "b"), ("1", "2"))):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    change(made, made.active)
    made.save(path)
    return path


def with_part(path, name, content):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)
    return path


def with_sheet(path, inner):
    """A workbook whose one sheet has ``inner`` as its rows."""
    with zipfile.ZipFile(book(path)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before, rest = parts["xl/worksheets/sheet1.xml"].split(b"<sheetData>")
    parts["xl/worksheets/sheet1.xml"] = b"".join([before, b"<sheetData>", inner, b"</sheetData></worksheet>"])
    assert b"</sheetData>" in rest
    return zipped(path, *parts.items())


def set_cell(place, value, kind=None):
    def change(book, sheet):
        sheet[place] = value
        if kind:
            sheet[place].data_type = kind

    return change


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000
ENTITIES = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY e0 "ha">{ENTITIES}]><m>&e9;</m>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/hostname">]><m>&e;</m>'
DEEP = "<a>" * 100_000 + "</a>" * 100_000
MIB = 1 << 20


def xml(path, content):
    return put(path / "x.xml", content)


def table(content):
    return lambda folder: put(folder / "x.csv", content())


def markup(content):
    return lambda folder: xml(folder, content())


def members(made):
    return lambda folder: zipped(folder / "x.zip", *made())


def all_events(path):
    return [event for event, _ in events(path)]


def a_member(path):
    return read_bytes(path, "a.csv")


# What is done with the file, how it is made, and words of the message.
REFUSED = {
    # text
    "empty": (read_delimited, table(lambda: b""), "is empty"),
    "binary junk": (read_delimited, table(lambda: bytes(range(256)) * 40), "zero byte"),
    "junk without zeros": (read_delimited, table(lambda: bytes(range(1, 256)) * 40), "neither UTF-8 nor"),
    "a zip named csv": (read_delimited, lambda p: zipped(p / "x.csv", ("a.csv", "a")), "zip archive"),
    "a gzip named csv": (read_delimited, table(lambda: gzip.compress(b"a")), "gzip file"),
    "a workbook named csv": (read_delimited, lambda p: book(p / "x.csv"), "Excel workbook"),
    "an old workbook named csv": (read_delimited, table(lambda: OLE), "old Excel"),
    "a parquet file named csv": (read_delimited, table(lambda: b"PAR1...PAR1"), "parquet"),
    "a log-in page": (read_delimited, table(lambda: "<html><body>Log in</body></html>"), "web page"),
    "a gibibyte of zeros": (read_delimited, lambda p: sparse(p / "x.csv", 1 << 30), "longer than any table"),
    "a gibibyte in one line": (read_delimited, lambda p: sparse(p / "x.csv", 1 << 30, b"a,b\n1,"), "longer than"),
    "three gibibytes": (read_delimited, lambda p: sparse(p / "x.csv", 3 << 30), "too large"),
    "a line of two mebibytes, gzipped": (
        read_delimited,
        lambda p: put(p / "x.csv.gz", gzip.compress(b"a,b\n" + b"1" * (2 * MIB))),
        "longer than any table",
    ),
    "UTF-16 cut in a character": (read_delimited, table(lambda: "a\n1".encode("utf-16")[:-1]), "UTF-16"),
    "headings alone": (read_delimited, table(lambda: "a,b\n"), "no rows"),
    "one quotation mark": (read_delimited, table(lambda: 'a,b\n1,"2\n3,4\n'), "row 2 is not closed"),
    "headings of another table": (read_delimited, table(lambda: "a,b,c\n1,2\n3,4\n"), "as many cells"),
    # the file itself
    "missing": (read_delimited, lambda p: p / "x.csv", "is missing"),
    "a missing zip": (a_member, lambda p: p / "x.zip", "is missing"),
    "a missing workbook": (read_sheets, lambda p: p / "x.xlsx", "is missing"),
    "missing XML": (all_events, lambda p: p / "x.xml", "is missing"),
    "a folder": (read_delimited, lambda p: p, "folder"),
    "a folder for a zip": (a_member, lambda p: p, "folder"),
    "a folder for a workbook": (read_sheets, lambda p: p, "folder"),
    "a folder for XML": (all_events, lambda p: p, "folder"),
    "below a file": (read_delimited, lambda p: put(p / "x", b"") / "y.csv", "cannot be opened|is missing"),
    "a name that is too long": (read_delimited, lambda p: p / ("x" * 300), "cannot be opened"),
    "a zero byte in the name": (read_delimited, lambda p: p / "x\0.csv", "character that no name may have"),
    "a link to itself": (read_delimited, lambda p: linked(p / "x.csv", p / "x.csv"), "cannot be opened"),
    "a link to nothing": (read_delimited, lambda p: linked(p / "x.csv", p / "y.csv"), "is missing"),
    "a device without end": (read_delimited, lambda p: Path("/dev/zero"), "pipe or a device"),
    "a file that went": (sha256_of, lambda p: p / "x.csv", "cannot be read again"),
    # archives
    "no zip": (a_member, lambda p: put(p / "x.zip", b"junk" * 100), "cannot be read"),
    "an empty zip file": (a_member, lambda p: put(p / "x.zip", b""), "cannot be read"),
    "a zip of nothing": (a_member, lambda p: zipped(p / "x.zip"), "lacks a table"),
    "no gzip": (read_delimited, lambda p: put(p / "x.csv.gz", b"a,b\n1,2\n"), "cannot be read"),
    "up and out": (a_member, members(lambda: [("../a.csv", "1")]), "points out of it"),
    "up and out, backwards": (a_member, members(lambda: [("in\\..\\..\\a.csv", "1")]), "points out of it"),
    "from the root": (a_member, members(lambda: [("/etc/a.csv", "1")]), "points out of it"),
    "from a drive": (a_member, members(lambda: [("C:\\a.csv", "1")]), "points out of it"),
    "from a share": (a_member, members(lambda: [("\\\\host\\a.csv", "1")]), "points out of it"),
    "one bad name among good": (a_member, members(lambda: [("a.csv", "1"), ("x/../../b", "1")]), "points out"),
    "a link in a zip": (a_member, members(lambda: [(info("a.csv", 0o120777), "/etc/hostname")]), "is a link"),
    "a zip in a zip": (
        lambda path: read_delimited(path, "a.csv"),
        lambda p: zipped(p / "x.zip", ("a.csv", zipped(p / "y.zip", ("a.csv", "a\n1")).read_bytes())),
        "looks like a zip",
    ),
    "a password": (a_member, lambda p: locked_zip(p / "x.zip"), "password"),
    "a bomb": (a_member, members(lambda: [("a.csv", b"\0" * (64 * MIB))]), "swells beyond measure"),
    "a bomb in many parts": (
        a_member,
        lambda p: zipped(p / "x.zip", *((f"{i}.csv", b"\0" * (15 * MIB)) for i in range(6))),
        "swells beyond measure",
    ),
    "a bomb of overlapping members": (open_zip, lambda p: overlapping(p / "x.zip"), "share the same bytes"),
    "a gzip bomb": (read_delimited, lambda p: put(p / "x.csv.gz", gzip.compress(b"\n" * (64 * MIB))), "swells"),
    "a gzip bomb of XML": (
        all_events,
        lambda p: put(p / "x.gz", gzip.compress(b"<m>" + (b"<p>" + b" " * 1000 + b"</p>") * (32 << 10))),
        "swell",
    ),
    "too many members": (open_zip, lambda p: many_members(p / "x.zip", 10_001), "too many members"),
    "a list of members without end": (open_zip, lambda p: false_list(p / "x.zip"), "too many members"),
    "a false check sum": (
        a_member,
        lambda p: patched(zipped(p / "x.zip", ("a.csv", "abcdef"), method=zipfile.ZIP_STORED), b"abcdef", b"abcdeX"),
        "cannot be read",
    ),
    # XML
    "billion laughs": (all_events, markup(lambda: LAUGHS), "document type or entities"),
    "an outside entity": (all_events, markup(lambda: OUTSIDE), "document type or entities"),
    "an outside document type": (all_events, markup(lambda: '<!DOCTYPE m SYSTEM "x.dtd"><m/>'), "document type"),
    "a public document type": (
        all_events,
        markup(lambda: '<!DOCTYPE m PUBLIC "x" "http://127.0.0.1/x"><m/>'),
        "document",
    ),
    "an entity of nobody": (all_events, markup(lambda: "<m>&who;</m>"), "not whole XML"),
    "a long attribute": (all_events, markup(lambda: f'<m><p a="{"x" * (100 * MIB)}"/></m>'), "longer than any return"),
    "a long text": (all_events, markup(lambda: f"<m><p>{'x' * (100 * MIB)}</p></m>"), "longer than any return"),
    "a long comment": (all_events, markup(lambda: f"<m><!--{'<' * (100 * MIB)}--></m>"), "longer than any return"),
    "a long CDATA": (all_events, markup(lambda: f"<m><![CDATA[{'<p>' * (30 * MIB)}]]></m>"), "longer than any return"),
    "many attributes": (
        all_events,
        lambda p: xml(p, "<m " + " ".join(f"a{i}=''" for i in range(1_000_000)) + "/>"),
        "longer than any return",
    ),
    "100,000 levels": (all_events, markup(lambda: DEEP), "deeper in each other"),
    "an unknown encoding": (all_events, markup(lambda: '<?xml version="1.0" encoding="klingon"?><m/>'), "encoding"),
    "a codec that is none": (all_events, markup(lambda: '<?xml version="1.0" encoding="zlib"?><m/>'), "encoding"),
    "a wide encoding": (all_events, markup(lambda: '<?xml version="1.0" encoding="shift_jis"?><m/>'), "encoding"),
    "declared wrongly": (
        all_events,
        lambda p: xml(p, '<?xml version="1.0" encoding="utf-8"?><m>\n<n>Zoë</n></m>'.encode("cp1252")),
        "line 2, column 6",
    ),
    "two roots": (all_events, markup(lambda: "<m/><m/>"), "not whole XML"),
    "tags crossed": (all_events, markup(lambda: "<m>\n<a><b></a></b></m>"), "line 2"),
    "empty XML": (all_events, markup(lambda: ""), "ends too early"),
    "no XML": (all_events, markup(lambda: "urn,name\n1,x\n"), "not whole XML"),
    "a gibibyte of zeros as XML": (all_events, lambda p: sparse(p / "x.xml", 1 << 30), "not whole XML"),
    # workbooks
    "a formula": (read_sheets, lambda p: book(p / "x.xlsx", set_cell("A3", "=1+1")), "hold formulas"),
    "a formula to the outside": (
        read_sheets,
        lambda p: book(p / "x.xlsx", set_cell("A3", "=[1]Sheet1!A1")),
        "hold formulas",
    ),
    "macros": (read_sheets, lambda p: with_part(book(p / "x.xlsm"), "xl/vbaProject.bin", "x"), "has macros"),
    "macros under an honest name": (
        read_sheets,
        lambda p: with_part(book(p / "x.xlsx"), "xl/VBAProject.bin", "x"),
        "macros",
    ),
    "macros of 1992": (
        read_sheets,
        lambda p: with_part(book(p / "x.xlsx"), "xl/macrosheets/sheet1.xml", "x"),
        "macros",
    ),
    "a workbook with a password": (
        read_sheets,
        lambda p: put(p / "x.xlsx", OLE),
        "has a password, or is an old one",
    ),
    "an old workbook": (read_sheets, lambda p: put(p / "x.xls", OLE), "Save it as .xlsx"),
    "a table named xlsx": (read_sheets, lambda p: put(p / "x.xlsx", "a,b\n1,2\n"), "as an Excel workbook"),
    "a page named xlsx": (read_sheets, lambda p: put(p / "x.xlsx", "<html>"), "web page"),
    "a zip named xlsx": (read_sheets, lambda p: zipped(p / "x.xlsx", ("a.csv", "1")), "zip archive, not an Excel"),
    "a sheet that lacks": (lambda path: read_sheets(path, ["Pupils"]), lambda p: book(p / "x.xlsx"), "lacks a sheet"),
    "a cell in the far corner": (
        read_sheets,
        lambda p: with_sheet(
            p / "x.xlsx",
            b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        ),
        "stretch too far",
    ),
    "a cell in the far corner, spelt otherwise": (
        read_sheets,
        lambda p: with_sheet(
            p / "x.xlsx", b"<row><c  s='0' r = 'A1'><v>1</v></c><c\nr='XFD1048576'><v>1</v></c></row>"
        ),
        "stretch too far|cannot be read",
    ),
    "a long text shown often": (
        read_sheets,
        lambda p: with_part(
            with_sheet(
                p / "x.xlsx",
                b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (i, i) for i in range(1, 60_001)),
            ),
            "xl/sharedStrings.xml",
            f"<sst><si><t>{'x' * 32_000}</t></si></sst>",
        ),
        "swell beyond measure",
    ),
    "an error cell without a place": (
        read_sheets,
        lambda p: with_sheet(p / "x.xlsx", b'<row><c t="e"><v>#REF!</v></c></row>'),
        "whose place it does not say",
    ),
    "entities in a workbook": (
        read_sheets,
        lambda p: zipped(p / "x.xlsx", ("xl/workbook.xml", LAUGHS), ("xl/_rels/workbook.xml.rels", "<r/>")),
        "list of sheets cannot be read",
    ),
    "a sheet in UTF-16": (
        read_sheets,
        lambda p: utf16_sheet(p / "x.xlsx"),
        "not written as UTF-8",
    ),
    "a workbook bomb": (
        read_sheets,
        lambda p: with_sheet(p / "x.xlsx", b'<row r="1"/>' + b" " * (64 * MIB)),
        "swells beyond measure",
    ),
}


def linked(path, target):
    path.symlink_to(target)
    return path


def utf16_sheet(path):
    with zipfile.ZipFile(book(path)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode().split("?>", 1)[-1]
    parts["xl/worksheets/sheet1.xml"] = ('<?xml version="1.0" encoding="utf-16"?>' + sheet).encode("utf-16")
    return zipped(path, *parts.items())


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_its_name_and_the_reason(tmp_path, case):
    read, make, words = REFUSED[case]
    path = make(tmp_path)
    begun = time.monotonic()
    with pytest.raises(SourceError, match=words) as caught:
        read(path)
    assert time.monotonic() - begun < PATIENCE
    message = str(caught.value)
    assert path.name in message or "\0" in path.name
    assert "Traceback" not in message
    assert len(message) < 2000


def test_a_mebibyte_is_enough_to_refuse_a_gibibyte_in_one_line(tmp_path, monkeypatch):
    """Not by the clock: what was read of the file is counted."""
    path, given = sparse(tmp_path / "x.csv", 1 << 30, b"a,b\n1,"), []
    read = io.BufferedReader.read
    opened = Path.open

    class Counting:
        def __init__(self, inner):
            self.inner = inner

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.inner.close()

        def read(self, size=-1):
            given.append(len(piece := read(self.inner, size)))
            return piece

    monkeypatch.setattr(Path, "open", lambda self, *args, **named: Counting(opened(self, *args, **named)))
    with pytest.raises(SourceError, match="longer than any table"):
        read_delimited(path)
    assert sum(given) <= 3 * MIB


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = put(tmp_path / "x.csv", "a\n1\n")

    def locked(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    for read in (read_delimited, a_member, read_sheets, all_events):
        with pytest.raises(SourceError, match=r"may not be read.*Close it in other programs"):
            read(path)


def test_a_file_that_goes_or_is_cut_while_it_is_read(tmp_path, monkeypatch):
    path = put(tmp_path / "x.csv", "a\n1\n")

    class Failing(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", lambda *_, **__: Failing())
    for read in (read_delimited, all_events):
        with pytest.raises(SourceError, match="cannot be read"):
            read(path)


TABLE = "urn,name\n" + "".join(f'{i},"Zoë, {i}"\n' for i in range(60))


@pytest.mark.parametrize("kind", ["gzip", "zip", "xlsx", "xml"])
def test_a_file_cut_at_every_tenth_byte_is_refused(tmp_path, kind):
    path = {
        "gzip": lambda: put(tmp_path / "x.csv.gz", gzip.compress(TABLE.encode())),
        "zip": lambda: zipped(tmp_path / "x.zip", ("a.csv", TABLE)),
        "xlsx": lambda: book(tmp_path / "x.xlsx"),
        "xml": lambda: xml(tmp_path, "<m>" + "<p a='1'>Zoë</p>" * 60 + "</m>"),
    }[kind]()
    read = {"gzip": read_delimited, "zip": a_member, "xlsx": read_sheets, "xml": all_events}[kind]
    whole = path.read_bytes()
    read(path)
    for length in range(0, len(whole) - 1, 10):
        put(path, whole[:length])
        with pytest.raises(SourceError, match=r"cannot be read|is empty|not whole|ends too early"):
            read(path)


def test_a_table_cut_at_every_tenth_byte_loses_no_row_silently():
    whole = TABLE.encode()
    for length in range(12, len(whole), 10):
        part = whole[:length]
        try:
            read = parse_delimited(part, "x.csv")
        except SourceError:
            continue
        assert read.rows_read == len(read.frame) + len(read.quarantine) == part.count(b"\n", 9) + (part[-1:] != b"\n")


# What is no fault, though it looks like one: read whole.
def test_what_is_to_be_included_from_elsewhere_is_not(tmp_path):
    text = '<m xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/hostname" parse="text"/></m>'
    tags = [e.tag for event, e in events(xml(tmp_path, text)) if event == "end"]
    assert tags == ["{http://www.w3.org/2001/XInclude}include", "m"]


def test_a_million_empty_formatted_rows_are_no_rows(tmp_path):
    row = b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/></row>'
    rows = b"".join(row % (i, i) for i in range(2, 1_048_577))
    sheet = read_sheets(with_sheet(tmp_path / "x.xlsx", b'<row r="1"><c r="A1"><v>1</v></c></row>' + rows))["Sheet"]
    assert sheet.to_numpy().tolist() == [["1"]]


def test_links_to_other_workbooks_are_not_followed(tmp_path):
    path = with_part(book(tmp_path / "x.xlsx"), "xl/externalLinks/externalLink1.xml", "<externalLink/>")
    assert "links to other workbooks" in " ".join(read_sheets(path).notes)


def test_a_name_that_only_looks_like_a_way_out(tmp_path):
    path = zipped(tmp_path / "x.zip", ("2025..26/a.csv", "1"), ("notes...txt", "1"))
    assert a_member(path) == b"1"


def whole_files(folder):
    return {
        "x.csv": (put(folder / "x.csv", TABLE), read_delimited),
        "x.csv.gz": (put(folder / "x.csv.gz", gzip.compress(TABLE.encode(), mtime=0)), read_delimited),
        "x.zip": (zipped(folder / "x.zip", ("a.csv", TABLE)), a_member),
        "x.xml": (xml(folder, "<m xmlns='u'>" + "<p a='1'>Zoë</p>" * 20 + "</m>"), all_events),
        "x.xlsx": (book(folder / "x.xlsx", set_cell("A3", "#REF!", "e")), read_sheets),
    }


PLACE = st.floats(min_value=0, max_value=1, exclude_max=True)
EDIT = st.tuples(PLACE, st.integers(min_value=0, max_value=3), st.binary(min_size=1, max_size=4))
STARTS = st.sampled_from([b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b\x08", b"<m>", b"\xff\xfe"])


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.zip", "x.xml", "x.xlsx"])
@settings(deadline=None, max_examples=120)
@given(edits=st.lists(EDIT, min_size=1, max_size=6))
def test_any_change_to_a_whole_file_is_read_or_refused(tmp_path_factory, name, edits):
    """Bytes changed, put in, taken out or cut off: a refusal is a SourceError, whatever happened."""
    path, read = whole_files(tmp_path_factory.mktemp("whole"))[name]
    content = bytearray(path.read_bytes())
    for where, what, new in edits:
        place = int(where * len(content))
        if what == 0:
            content[place : place + len(new)] = new
        elif what == 1:
            content[place:place] = new
        elif what == 2:
            del content[place : place + 40]
        else:
            del content[place : None if new[0] < 20 else place + 1]
    put(path, bytes(content))
    try:
        read(path)
    except SourceError as error:
        assert name in str(error) or "x.xml" in str(error)  # noqa: PT017


@settings(deadline=None, max_examples=100)
@given(content=st.binary(max_size=400), start=STARTS)
def test_any_bytes_under_any_name_are_read_or_refused(tmp_path_factory, content, start):
    folder = tmp_path_factory.mktemp("junk")
    readers = {"x.csv": read_delimited, "x.csv.gz": read_delimited, "x.zip": a_member, "x.xml": all_events}
    for name, read in {**readers, "x.xlsx": read_sheets}.items():
        try:
            read(put(folder / name, start + content))
        except SourceError:
            continue
