"""Archives are opened whole or refused with the reason; a stream never gives more than was allowed."""

import gzip
import io
import os
import zipfile

import pytest

from jsna.errors import SourceError
from jsna.files.archive import member_names, open_stream, open_zip, read_bytes, read_member


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_member_by_its_full_name_or_the_last_part_of_it(tmp_path):
    path = zipped(tmp_path / "a.zip", {"in/x.csv": "1", "y.csv": "2", "deep/y.csv": "3", "in/": ""})
    assert member_names(path) == ["in/x.csv", "y.csv", "deep/y.csv"]
    assert [read_bytes(path, m) for m in ("x.csv", "in/x.csv", "y.csv", "deep/y.csv")] == [b"1", b"1", b"2", b"3"]


def test_a_member_that_is_not_there_or_stands_twice(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a/x.csv": "1", "b/x.csv": "2", "caseload.csv": "3"})
    with pytest.raises(SourceError, match="twice"):
        read_bytes(path, "x.csv")
    with pytest.raises(SourceError, match=r"Did you mean 'caseload.csv'"):
        read_bytes(path, "case_load.csv")


@pytest.mark.parametrize("kind", ["plain", "gzip", "zip"])
def test_the_limit_is_kept_for_every_kind_of_file(tmp_path, kind):
    content = os.urandom(5000)
    path, member = tmp_path / "x.bin", None
    if kind == "gzip":
        path = tmp_path / "x.bin.gz"
        path.write_bytes(gzip.compress(content))
    elif kind == "zip":
        path, member = zipped(tmp_path / "x.zip", {"x.bin": content}), "x.bin"
    else:
        path.write_bytes(content)
    assert read_bytes(path, member, limit=5000) == content
    with pytest.raises(SourceError, match=r"too large|swells"):
        read_bytes(path, member, limit=4999)


def test_a_stream_comes_in_pieces_and_ends(tmp_path):
    (tmp_path / "x").write_bytes(b"a" * 10)
    with open_stream(tmp_path / "x") as stream:
        assert [stream.read(4), stream.read(4), stream.read(4), stream.read(4)] == [b"aaaa", b"aaaa", b"aa", b""]


def test_gzip_files_in_several_parts_are_read_to_the_end(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"a") + gzip.compress(b"b"))
    assert read_bytes(tmp_path / "x.gz") == b"ab"


def test_what_an_honest_census_packs_to_is_let_through(tmp_path):
    content = "".join(f"<Pupil><UPN>{i:013d}</UPN><Ethnicity>BSOM</Ethnicity></Pupil>\n" for i in range(400_000))
    path = zipped(tmp_path / "x.zip", {"x.xml": content})
    assert len(content) > 20 << 20
    assert read_bytes(path, "x.xml") == content.encode()


def test_a_zip_with_something_before_it_and_with_a_comment(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.csv", "1")
        archive.comment = b"made by PK\x05 an export"
    (tmp_path / "x.zip").write_bytes(b"#!/bin/sh\n" + out.getvalue())
    assert read_bytes(tmp_path / "x.zip", "x.csv") == b"1"


def test_a_member_of_an_open_archive(tmp_path):
    path = zipped(tmp_path / "a.zip", {"x.csv": "abc"})
    with open_zip(path) as archive:
        assert read_member(archive, "x.csv", "a.zip") == b"abc"
        with pytest.raises(SourceError, match="swells"):
            read_member(archive, "x.csv", "a.zip", limit=2)
