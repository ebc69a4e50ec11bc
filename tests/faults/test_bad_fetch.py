"""What goes wrong between a publisher and an office: each ends in words that name the file, the fault and the mend.

After every fault nothing half-made stands in the folder, and a good copy from before stays in use.
"""

import errno
import io
import json
import os
import re
import zipfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fetch_runs import FIRST, LATER, client, fetch, said, small, without_network_settings
from fetch_server import (
    StandIn,
    as_json,
    content,
    cut,
    packed_and_cut,
    page,
    status,
    stops_talking,
    table,
    trickles,
    zipped,
)

from jsna.cli import main
from jsna.fetch.cache import open_cache
from jsna.fetch.catalogue import catalogue
from jsna.fetch.errors import FetchError
from jsna.fetch.run import fetch_all, verify_all

PASSWORD = '<form><input name="user"><input type="password"></form>'
XML_ERROR = b'<?xml version="1.0"?><Error><Code>BlobNotFound</Code><Message>The blob does not exist.</Message></Error>'
BOMB = zipped({"data/caseload.csv": b"0" * (40 << 20)})


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    without_network_settings(monkeypatch)


@pytest.fixture
def server():
    with StandIn() as running:
        yield running


def nothing_half_made(folder, entry):
    assert [p.name for p in folder.rglob(entry.file)] == []
    assert open_cache(folder).files == {}


def body_of(server, entry):
    return server.files[server.path_of(entry)]


def spoil(part, answer, times=None):
    return lambda server, entry: server.spoil(part, answer, times)


def replaced(make):
    """The entry's file with other bytes."""
    return lambda server, entry: server.files.update({server.path_of(entry): make(server, entry)})


def published(**change):
    return lambda server, entry: server.publish(entry, **change)


def damaged_beside(release):
    """A release's zip with one more file, of which a byte was changed on the way."""
    with zipfile.ZipFile(io.BytesIO(release)) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (members | {"data/other.csv": b"untouched"}).items():
            archive.writestr(name, data)
    return file.getvalue().replace(b"untouched", b"unhinged!")


CASES = {
    # a web filter, a log-in, nothing, an error in place of data
    "a web filter's page": (
        "idaci",
        spoil("File_3", page("Access to this site is blocked")),
        "web filter.*'Access to this site is blocked'",
    ),
    "a filter's page with 403": (
        "idaci",
        spoil("File_3", page("Blocked by policy", 403)),
        r"refused \(403\).*web filter.*'Blocked by policy'",
    ),
    "a filter's page for a list": ("absence", spoil("/publications", page("Blocked")), "web filter.*'Blocked'"),
    "a filter's page for a layer": ("lsoa_ward", spoil("FeatureServer", page("Blocked")), "web filter.*'Blocked'"),
    "a page without a title": (
        "imd_2019",
        spoil("File_7", status(200, b"<html><body>No.</body></html>")),
        "web page came instead of data",
    ),
    "a log-in page": ("imd_2019", spoil("File_7", page("Welcome", inner=PASSWORD)), "log-in page.*'Welcome'"),
    "a log-in page by its title": ("ehc", spoil("/files", page("Sign in to your account")), "log-in page.*Log in to"),
    "nothing at all": ("imd_2019", spoil("File_7", status(200)), "The answer is empty"),
    "blanks only": ("imd_2019", spoil("File_7", status(200, b" \r\n ")), "The answer is empty"),
    "a JSON error with 200": (
        "imd_2019",
        spoil("File_7", as_json({"error": {"code": 499, "message": "Token required"}})),
        "error message.*499 Token required",
    ),
    "an XML error with 200": ("idaci", spoil("File_3", status(200, XML_ERROR)), "error message.*BlobNotFound"),
    "problem details": (
        "absence",
        spoil("/publications", as_json({"title": "Bad", "errors": [{"path": "search", "message": "too short"}]}, 400)),
        r"refused the request \(400\).*search too short",
    ),
    # status codes
    "moved away": ("idaci", spoil("File_3", status(404)), r"no such file.*\(404\).*The file may have moved"),
    "no such release": (
        "ehc",
        spoil("/releases/2025", as_json({"title": "Not Found"}, 404)),
        r"no such file.*\(404\): Not Found",
    ),
    "out of order": ("idaci", spoil("File_3", status(500)), r"out of order \(500\).*later"),
    "too often": ("idaci", spoil("File_3", status(429, b"", {"Retry-After": "1"})), r"too often \(429\)"),
    "wait for an hour": ("idaci", spoil("File_3", status(503, b"", {"Retry-After": "3600"})), "asks to wait 3600 s"),
    "wait until a date": (
        "idaci",
        spoil("File_3", status(429, b"", {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=2))})),
        r"asks to wait [67]\d\d\d s",
    ),
    # on the way
    "sent on to plain http": (
        "idaci",
        spoil("File_3", status(302, b"", {"Location": "http://example.invalid/x"})),
        "not https.*'http://example.invalid'",
    ),
    "sent round in circles": (
        "idaci",
        lambda s, e: s.spoil("File_3", status(302, b"", {"Location": s.path_of(e)})),
        "in circles",
    ),
    "stops in the middle": ("imd_2019", spoil("File_7", stops_talking(1.2)), "stopped answering"),
    "never gets done": ("imd_2019", spoil("File_7", trickles(0.1)), "did not come within"),
    "always cut": ("imd_2019", lambda s, e: s.spoil("File_7", cut(body_of(s, e), 20)), "ended early"),
    "a cut list": ("absence", spoil("/publications", status(200, b'{"results": [{"id"')), "not JSON, or it was cut"),
    "packed and cut": (
        "absence",
        lambda s, e: s.spoil("/csv", packed_and_cut(body_of(s, e) * 50)),
        "gzip.*cut or damaged",
    ),
    # the wrong thing, or half of it
    "a workbook that is cut": ("idaci", replaced(lambda s, e: body_of(s, e)[:2000]), "cut|cannot be read|damaged"),
    "a zip that is cut": ("ehc", replaced(lambda s, e: body_of(s, e)[:300]), "cut short"),
    "a damaged zip": (
        "ehc",
        replaced(lambda s, e: body_of(s, e)[:60] + b"\x00\x01\x02" + body_of(s, e)[63:]),
        "damaged|cut",
    ),
    "a damaged table that nobody reads": (
        "ehc",
        replaced(lambda s, e: damaged_beside(body_of(s, e))),
        "damaged.*other.csv",
    ),
    "a zip that swells": ("ehc", replaced(lambda s, e: BOMB), "swell"),
    "a parquet that is cut": ("lait", replaced(lambda s, e: body_of(s, e)[:200]), "cut, damaged or of another kind"),
    "a workbook called csv": (
        "imd_2019",
        replaced(lambda s, e: content(catalogue().files["idaci"], ["a"], 2)),
        "not .*text: it looks like a zip",
    ),
    "a row that is cut": ("imd_2019", replaced(lambda s, e: body_of(s, e)[:-4]), "cut or damaged"),
    "headings alone": ("imd_2019", replaced(lambda s, e: table(list(e.columns), [])), "no rows"),
    "too large": ("imd_2019", lambda s, e: s.publish(e, rows=400_000), "larger than the 1 MB"),
    # the schema
    "a column gone": (
        "imd_2019",
        published(rename={"LSOA code (2011)": ""}),
        "column is missing or was renamed.*'LSOA code \\(2011\\)'",
    ),
    "a column renamed": (
        "idaci",
        published(rename={"LSOA code (2021)": "LSOA code (2031)"}),
        "Did you mean 'LSOA code \\(2031\\)'",
    ),
    "a field renamed": ("lsoa_ward", published(rename={"WD24CD": "WD25CD"}), "'WD24CD'.*Did you mean 'WD25CD'"),
    "a table renamed": (
        "ehc",
        published(rename={"caseload.csv": "case_load.csv"}),
        "zip lacks a file.*'caseload.csv'.*Did you mean 'case_load.csv'",
    ),
    "a column of a table": ("ehc", published(rename={"ehcplans": "ehc_plans"}), "'ehcplans'.*Did you mean 'ehc_plans'"),
    "no counts in a census table": (
        "children",
        replaced(
            lambda s, e: zipped(
                {e.member: table(["date", "geography", "geography code"], [["2021", "x", "E01000001"]])}
            )
        ),
        "No columns of counts",
    ),
    "another census table": (
        "children",
        replaced(lambda s, e: zipped({"census2021-ts007-lsoa.csv": b"a,b\n1,2\n"})),
        "lacks a file.*Did you mean",
    ),
    "no id in an answer": (
        "ehc",
        spoil("version-summary", as_json({"results": [], "title": "A release"})),
        "no usable id",
    ),
    "an id that is a path": ("ehc", spoil("version-summary", as_json({"id": "../../x"})), "no usable id"),
    "a title that is gone": (
        "absence",
        lambda s, e: s.lists.update(
            {"/ees_api/publications/9-p/data-sets": [{"id": "1", "title": "Absence rates by pupil characteristics"}]}
        ),
        "nothing under this title.*Did you mean 'Absence rates by pupil characteristics'",
    ),
    "a data file that is gone": (
        "pupils",
        lambda s, e: s.lists.update(
            {"/ees_content/data-set-files": [{"fileId": "1", "filename": "spc_pupils_ethnicity.csv"}]}
        ),
        "no such data file.*Did you mean 'spc_pupils_ethnicity'",
    ),
    # layers
    "an error with status 200": ("lsoa_ward", lambda s, e: s.layers.clear(), "error.*400 Invalid URL"),
    "an error on the second page": (
        "lsoa_ward",
        lambda s, e: (
            s.publish(e, rows=30, cap=10),
            s.spoil("resultOffset=10", as_json({"error": {"code": 504, "message": "Timed out"}})),
        ),
        "504 Timed out",
    ),
    "a layer that ends too soon": (
        "lsoa_ward",
        published(rows=4500, cap=2000, stops_at=2000),
        "has 4,500 rows, but 2,000 came: pages were cut",
    ),
    "a page of 2,000 cut to 1,000": (
        "lsoa_ward",
        published(rows=2000, cap=1000, stops_at=1000, says_more=False),
        "has 2,000 rows, but 1,000 came",
    ),
    "pages that repeat": ("lsoa_ward", published(rows=30, cap=10, ignores_offset=True), "repeat rows"),
    "a layer without a count": (
        "lsoa_ward",
        spoil("returnCountOnly", as_json({"features": []})),
        "does not say how many rows",
    ),
    "a page without rows": ("lsoa_ward", spoil("resultOffset", as_json({"count": 3})), "no features"),
    "metres for degrees": ("ward_shapes", published(metres=True), "not in degrees.*National Grid"),
    "another system named": (
        "ward_shapes",
        published(crs="urn:ogc:def:crs:EPSG::27700"),
        "another reference system.*27700",
    ),
    "rows without shapes": (
        "ward_shapes",
        lambda s, e: s.spoil(
            "resultOffset", as_json({"features": [{"properties": r, "geometry": None} for r in s.layers[e.layer].rows]})
        ),
        "without any shape",
    ),
}


@pytest.mark.parametrize(("key", "arrange", "words"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_named_and_leaves_nothing_behind(server, tmp_path, key, arrange, words):
    entry = catalogue().files[key]
    server.publish(entry)
    arrange(server, entry)
    known = small(server, megabytes=1)
    outcome = fetch(server, tmp_path, key, known=known, by=client(read=0.5, whole=1.5, attempts=2))[key]
    assert outcome.status == "failed"
    assert outcome.exit_code == 2
    text = said(outcome)
    assert re.search(words, text, re.DOTALL), text
    nothing_half_made(tmp_path, entry)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (5, "fewer rows than it should.*5.*at least 3,000"),
        (1000, "exactly 1,000 rows: it is the first page"),
        (2000, "exactly 2,000"),
    ],
)
@pytest.mark.parametrize("key", ["imd_2019", "lsoa_ward", "lait", "idaci"])
def test_too_few_rows(server, tmp_path, key, rows, words):
    known = small(server, least=3000)
    server.publish(known.files[key], rows=rows)
    assert re.search(words, said(fetch(server, tmp_path, key, known=known)[key]), re.DOTALL)
    nothing_half_made(tmp_path, known.files[key])


def test_a_changed_schema_keeps_the_copy_from_before_in_use(server, tmp_path):
    entry = small(server).files["lsoa_ward"]
    server.publish(entry)
    assert fetch(server, tmp_path, "lsoa_ward")["lsoa_ward"].status == "fetched"
    before = open_cache(tmp_path).path("lsoa_ward").read_bytes()
    server.publish(entry, rows=5, rename={"WD24CD": "WARD24CD"})
    outcome = fetch(server, tmp_path, "lsoa_ward", today=LATER)["lsoa_ward"]
    assert (outcome.status, outcome.exit_code) == ("kept", 1)
    assert "the copy of 2026-06-01 stays in use" in outcome.words
    assert "Did you mean 'WARD24CD'" in said(outcome)
    assert open_cache(tmp_path).path("lsoa_ward").read_bytes() == before


def test_a_failed_fetch_keeps_the_copy_from_before_in_use(server, tmp_path):
    server.publish(small(server).files["idaci"])
    fetch(server, tmp_path, "idaci")
    server.spoil("File_3", page("Blocked"))
    outcome = fetch(server, tmp_path, "idaci", today=LATER)["idaci"]
    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert "the copy of 2026-06-01 stays in use" in outcome.words
    assert open_cache(tmp_path).condition("idaci") == "good"


def test_one_fault_does_not_stop_the_others(server, tmp_path):
    known = small(server)
    for entry in known.files.values():
        server.publish(entry)
    server.spoil("File_3", page("Blocked"))
    outcomes = {o.key: o.status for o in fetch_all(known.chosen([]), known, tmp_path, client(), FIRST)}
    assert {k for k, s in outcomes.items() if s != "fetched"} == {"idaci", "low_income"}


def test_an_edited_copy_and_a_missing_one_are_found_offline(server, tmp_path):
    known = small(server)
    server.publish(known.files["imd_2019"])
    fetch(server, tmp_path, "imd_2019")
    open_cache(tmp_path).path("imd_2019").write_bytes(b"x")
    outcomes = {o.key: o for o in verify_all(known.chosen(["imd_2019", "idaci"]), known, tmp_path)}
    assert (outcomes["imd_2019"].status, outcomes["imd_2019"].exit_code) == ("edited", 1)
    assert "no longer as it was fetched" in said(outcomes["imd_2019"])
    assert (outcomes["idaci"].status, outcomes["idaci"].exit_code) == ("missing", 2)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"files": {"a": 1}}', '{"version": 2, "files": {}}'],
    ids=["cut", "no record", "no file", "another version"],
)
def test_a_record_that_cannot_be_read(tmp_path, capsys, text):
    (tmp_path / "fetched.json").write_text(text, encoding="utf-8")
    assert main(["fetch", "--offline", "--into", str(tmp_path)]) == 2
    assert "record of fetched files cannot be read" in capsys.readouterr().err


def test_a_record_that_points_out_of_the_folder_is_refused(server, tmp_path):
    server.publish(small(server).files["idaci"])
    fetch(server, tmp_path, "idaci")
    record = json.loads((tmp_path / "fetched.json").read_text(encoding="utf-8"))
    record["files"]["idaci"]["file"] = "../../elsewhere.xlsx"
    (tmp_path / "fetched.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(FetchError, match="cannot be read"):
        open_cache(tmp_path)


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    server.publish(small(server).files["idaci"])
    assert "The system refused" in said(fetch(server, tmp_path / "file", "idaci")["idaci"])


def test_a_full_disk(server, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    server.publish(small(server).files["idaci"])
    fetch(server, tmp_path, "idaci")
    server.publish(small(server).files["idaci"], rows=4)
    monkeypatch.setattr("jsna.fetch.run.make", full)
    outcome = fetch(server, tmp_path, "idaci", today=LATER)["idaci"]
    assert "The disk is full" in said(outcome)
    assert open_cache(tmp_path).condition("idaci") == "good"


def test_a_file_that_is_open_elsewhere_leaves_the_copy_from_before(server, tmp_path, monkeypatch):
    import jsna.fetch.cache as module

    server.publish(small(server).files["idaci"])
    fetch(server, tmp_path, "idaci")
    server.publish(small(server).files["idaci"], rows=4)
    real = os.replace

    def refuse_the_new(source, target):
        if "made" not in str(source) and ".unfinished" in str(source) and str(target).endswith(".xlsx"):
            raise PermissionError(errno.EACCES, "Permission denied", str(target))
        real(source, target)

    monkeypatch.setattr(module.os, "replace", refuse_the_new)
    outcome = fetch(server, tmp_path, "idaci", today=LATER)["idaci"]
    assert "closed in other programs" in said(outcome)
    assert open_cache(tmp_path).condition("idaci") == "good"
