"""The catalogue is checked when it is read; answers that are no data are told apart."""

import pytest
import yaml

from jsna.fetch.catalogue import catalogue, read_catalogue
from jsna.fetch.errors import CatalogueError
from jsna.fetch.pages import error_message, is_page, not_data
from jsna.sources.folder import known_files

SERVICE = {"web": {"name": "The web", "address": "https://publisher.example"}}
ENTRY = {
    "kind": "direct_file",
    "title": "A file",
    "publisher": "A publisher",
    "service": "web",
    "path": "a.csv",
    "file": "a.csv",
    "least_rows": 1,
    "chapters": True,
    "checked": False,
    "basis": "made up",
}


def written(tmp_path, content):
    path = tmp_path / "catalogue.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_a_plain_list_of_columns_means_the_same_names(tmp_path):
    made = read_catalogue(written(tmp_path, {"services": SERVICE, "files": {"a": {**ENTRY, "columns": ["x"]}}}))
    assert made.files["a"].columns == {"x": "x"}
    assert made.files["a"].key == "a"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": "wep"}, "no service 'wep'. Did you mean 'web'"),
        ({"file": "../a.csv"}, "files, a, file: String should match"),
        ({"file": "a.exe"}, "files, a, file: String should match"),
        ({"licence": "Crown copyright"}, "files, a, licence"),
        ({"least_rows": 0}, "files, a, least_rows"),
        ({"kind": "ftp"}, "files, a: .*ftp"),
        ({"rows": 3}, "files, a, rows: Extra inputs"),
        ({"columns": "x"}, "files, a, columns"),
    ],
    ids=["service", "path as name", "ending", "licence", "no rows", "kind", "unknown key", "columns"],
)
def test_a_wrong_entry_is_named(tmp_path, change, words):
    with pytest.raises(CatalogueError, match=words):
        read_catalogue(written(tmp_path, {"services": SERVICE, "files": {"a": {**ENTRY, **change}}}))


def test_two_entries_that_make_one_file_are_refused(tmp_path):
    with pytest.raises(CatalogueError, match=r"two entries make a\.csv"):
        read_catalogue(written(tmp_path, {"services": SERVICE, "files": {"a": ENTRY, "b": ENTRY}}))


@pytest.mark.parametrize("address", ["http://publisher.example", "https://me:secret@publisher.example", "https://", ""])
def test_an_address_that_is_not_plain_https_is_refused(tmp_path, address):
    services = {"web": {"name": "The web", "address": address}}
    with pytest.raises(CatalogueError, match="services, web, address"):
        read_catalogue(written(tmp_path, {"services": services, "files": {"a": ENTRY}}))


@pytest.mark.parametrize("text", ["files: [", "files: 3", "", "services: {}\nfiles: {a: 3}"])
def test_a_catalogue_that_is_none(tmp_path, text):
    with pytest.raises(CatalogueError, match=r"catalogue\.yml"):
        read_catalogue(written(tmp_path, text))


def test_every_file_that_the_chapters_need_can_be_had():
    assert {k for k, e in catalogue().files.items() if e.chapters} == set(known_files())


def test_every_name_is_one_that_the_readers_find():
    from pathlib import PurePath

    wrong = [k for k, spec in known_files().items() if not PurePath(catalogue().files[k].file).match(spec["pattern"])]
    assert wrong == []


def test_no_id_of_a_data_set_is_stored(repository):
    import re

    text = "".join(p.read_text(encoding="utf-8") for p in (repository / "jsna/fetch").iterdir() if p.is_file())
    assert re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text) == []


def test_each_host_stands_once(repository):
    import re

    text = (repository / "jsna/fetch/catalogue.yml").read_text(encoding="utf-8")
    hosts = re.findall(r"https://[^/\"]+(?:/dfe|/drkane)?", text)
    assert len(hosts) == len(set(hosts)) == len(catalogue().services)
    code = "".join(p.read_text(encoding="utf-8") for p in (repository / "jsna/fetch").glob("*.py"))
    assert re.findall(r"https?://[a-z0-9]+\.", code) == []


@pytest.mark.parametrize(
    "head",
    [
        b"a,b\n1,2\n",
        b"PK\x03\x04rest",
        b"PAR1",
        b"\xef\xbb\xbftime_period,x\n",
        b'{"type": "FeatureCollection", "features": []}',
    ],
    ids=["csv", "zip", "parquet", "csv with a mark", "geojson"],
)
def test_data_pass(head):
    assert not_data(head, "w", "a") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!DOCTYPE html><html>", True),
        ("\ufeff \r\n<HTML>", True),
        ("<!-- blocked --><html>", True),
        ("<script>location='x'</script>", True),
        ('<?xml version="1.0"?><html xmlns="x">', True),
        ('<?xml version="1.0"?><Error/>', False),
        ("<5,a\n", False),
        ("a,<html>\n", False),
        ("", False),
    ],
)
def test_a_page_is_told_by_its_beginning(text, expected):
    assert is_page(text) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": {"code": 400, "message": "No", "details": ["a"]}}, "400 No a"),
        ({"error": {}}, "an error without words"),
        ({"error": "denied"}, "denied"),
        ({"title": "Bad", "errors": [{"path": "x", "message": "wrong"}]}, "Bad: x wrong"),
        ({"title": "Not Found", "status": 404}, "Not Found"),
        ({"message": "throttled"}, "throttled"),
        ({"id": "1", "title": "A release"}, ""),
        ({"results": [], "title": "x"}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_an_error_in_json_is_told_from_an_answer(answer, expected):
    assert error_message(answer) == expected
