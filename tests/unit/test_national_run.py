"""The national run on hand-made values: what it writes, and what it does when a page, a file or the disk fails."""

import csv
import hashlib
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import jsna.chapters.scorecard as scorecard
import jsna.evidence.values as values_module
from jsna.cli import main
from jsna.errors import SourceError
from jsna.evidence.values import ABSENT, COLUMNS, Values
from jsna.exhibits.model import Exhibit
from jsna.files.result import Summary
from jsna.national import national, plan

CODES = ["E10000016", "E06000032", "E08000016"]


def _values(rows=None):
    one = {
        "indicator": "EHC-05",
        "group": "all",
        "area_level": "local_authority",
        "period": "2024",
        "year": 2024,
        "numerator": 27.0,
        "denominator": 100.0,
        "lower": 19.1,
        "upper": 36.4,
        "symbol": "",
        "way": "counts",
        "provisional": False,
        "break_before": False,
        "source": "A release",
        "file": "release.zip",
        "completeness": np.nan,
        "note": "",
        "origin": "official",
    }
    rows = rows or [
        {**one, "area_code": "E06000032", "area_name": "Luton", "value": 27.0 + 1e-13},
        {**one, "area_code": "E08000016", "area_name": "Barnsley", "value": np.nan, "symbol": "c", "numerator": np.nan},
        {**one, "area_code": "E12000006", "area_name": "East of England", "area_level": "region", "value": 20.0},
        {**one, "area_code": "E12000007", "area_name": "London", "area_level": "region", "value": 10.0},
        {**one, "area_code": "E92000001", "area_name": "England", "area_level": "england", "value": 1 / 3},
        {**one, "area_code": "E06000039", "area_name": "Slough", "value": 1.0},
    ]
    absent = pd.DataFrame([("EHC-06", "all", "The zip is damaged.", "Download it again.")], columns=list(ABSENT))
    summary = Summary("A release", "release.zip", "2024", 10, 9, 1, sha256="ab", notes=("a note",))
    return Values(pd.DataFrame(rows, columns=list(COLUMNS)), (summary,), absent, pd.DataFrame({"indicator": []}))


def _exhibit(area, values=None):
    assert values is not None
    table = f"<table><caption>Figures of {area.name}</caption></table>"
    return Exhibit("scorecard", "table", f"Card of {area.name}", body=table)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that makes the run of three authorities in this process, from the values above."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(values_module, "official_values", lambda folder, confidence: _values())
    monkeypatch.setattr(scorecard, "scorecard_exhibit", _exhibit)
    monkeypatch.setattr(scorecard, "dashboard_exhibit", _exhibit)

    def start(log=None):
        return national(
            tmp_path / "data",
            out=tmp_path / "out",
            areas=CODES,
            workers=1,
            log=log if log is not None else io.StringIO(),
        )

    return start


class _Page(HTMLParser):
    """The tags of a page, the text of each kind that matters, and its links."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text, self._open = [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._open.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src") and tag != "html"]

    def handle_endtag(self, tag):
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data):
        for tag in self._open[-1:]:
            self.text[tag] = self.text.get(tag, "") + data


def test_the_run_holds_a_page_an_authority_an_index_the_values_and_the_manifest(run, tmp_path):
    log = io.StringIO()
    report = run(log)
    assert report.exit_code == 0
    assert report.folder == tmp_path / "out" / "england" / "2026"
    made = sorted(p.relative_to(report.folder).as_posix() for p in report.folder.rglob("*") if p.is_file())
    pages = ["areas/barnsley.html", "areas/kent.html", "areas/luton.html"]
    assert made == [*pages, "index.html", "indicators.csv", "manifest.json"]
    for line in ("Kent: made", "Luton: made", "Barnsley: made"):
        assert line in log.getvalue()
    assert not [p for p in (tmp_path / "out" / "england").iterdir() if p.name.startswith(".")]


def test_the_index_lists_authorities_by_region_and_name_and_says_why_there_is_no_rank(run):
    folder = run().folder
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert [t for t in page.links if t.startswith("areas/")] == [
        "areas/luton.html",  # East of England
        "areas/kent.html",  # South East
        "areas/barnsley.html",  # Yorkshire and The Humber
    ]
    assert all((folder / t).is_file() for t in page.links if not t.startswith("#"))
    assert page.tags.count("h1") == page.tags.count("title") == 1
    assert page.tags.count("table") == page.tags.count("caption") == 5
    assert "script" not in page.tags
    assert "Why nobody is ranked here" in text
    assert "EHC-06" in text
    assert "Download it again." in text


def test_the_values_are_long_and_no_number_is_empty(run):
    with (run().folder / "indicators.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["area_name"]: row for row in csv.DictReader(stream)}
    assert set(rows) == {"Luton", "Barnsley", "East of England", "England"}
    luton, barnsley = rows["Luton"], rows["Barnsley"]
    assert (luton["value"], luton["numerator"], luton["denominator"], luton["basis"]) == (
        "27",
        "27",
        "100",
        "responsible_la",
    )
    assert (barnsley["value"], barnsley["symbol"], barnsley["numerator"]) == ("c", "c", "x")
    assert rows["England"]["value"] == "0.3333333333"
    assert not [row for row in rows.values() if {row["value"], row["lower"], row["numerator"]} & {"", "nan"}]


def test_the_manifest_has_the_digest_of_each_file_and_what_is_absent_and_no_path(run, tmp_path):
    folder = run().folder
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert set(manifest["areas"]) == set(CODES)
    assert manifest["inputs"][0]["sha256"] == "ab"
    assert manifest["absent_indicators"][0]["reason"] == "The zip is damaged."
    assert str(tmp_path) not in text


def test_two_equal_runs_give_the_same_bytes_but_for_the_time(run):
    def read():
        folder = run().folder
        files = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        return files | {"manifest.json": re.sub(rb'"made_at": "[^"]*"', b"", files["manifest.json"])}

    assert read() == read()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (SourceError("The neighbours cannot be read."), "The neighbours cannot be read."),
        (KeyError("a name, 12 Acacia Road"), "unexpected fault of kind KeyError; see docs/faults.md"),
    ],
)
def test_a_page_that_fails_does_not_stop_the_others_and_is_named(run, monkeypatch, fault, words):
    def fails(area, values=None):
        if area.code == "E06000032":
            raise fault
        return _exhibit(area, values)

    monkeypatch.setattr(scorecard, "dashboard_exhibit", fails)
    report = run()
    assert report.exit_code == 3
    assert report.failures == (("Luton", words),)
    index = (report.folder / "index.html").read_text(encoding="utf-8")
    assert f"Luton: not made. {words}" in index
    assert "Acacia" not in index
    assert sorted(p.name for p in (report.folder / "areas").iterdir()) == ["barnsley.html", "kent.html"]


def test_where_no_page_can_be_made_what_was_there_before_stays(run, monkeypatch, tmp_path, capsys):
    folder = run().folder
    before = (folder / "manifest.json").read_bytes()

    def fails(area, values=None):
        raise SourceError("The neighbours cannot be read.")

    monkeypatch.setattr(scorecard, "scorecard_exhibit", fails)
    words = ["national", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--jobs", "1", "--areas", *CODES]
    assert main(words) == 3
    error = capsys.readouterr().err
    assert "No page could be made; nothing was changed.\nThe neighbours cannot be read." in error
    assert (folder / "manifest.json").read_bytes() == before


def test_a_worker_that_is_killed_is_a_sentence_and_changes_nothing(run, monkeypatch, tmp_path, capsys):
    class Killed(ThreadPoolExecutor):
        def __init__(self, workers, context, start, inputs):
            super().__init__(workers)
            self._processes = {}

        def submit(self, function, code):
            return super().submit(self._fail)

        def _fail(self):
            raise BrokenProcessPool

    monkeypatch.setattr("jsna.national.ProcessPoolExecutor", Killed)
    assert main(["national", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--areas", *CODES]) == 3
    assert "A process that makes pages was ended from outside" in capsys.readouterr().err
    assert not list((tmp_path / "out" / "england").iterdir())


def test_a_run_that_is_stopped_leaves_what_was_there_before(run, monkeypatch, tmp_path):
    folder = run().folder
    before = (folder / "manifest.json").read_bytes()

    def stopped(area, values=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(scorecard, "scorecard_exhibit", stopped)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert (folder / "manifest.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["2026"]


def test_a_place_that_cannot_be_written_is_named_before_anything_is_read(run, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(values_module, "official_values", lambda *_: pytest.fail("read before the place was checked"))
    (tmp_path / "out").write_text("a file, not a folder", encoding="utf-8")
    assert main(["national", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--areas", *CODES]) == 2
    assert "cannot be written here" in capsys.readouterr().err


def test_a_folder_that_gives_no_value_is_answered_with_the_reasons(run, monkeypatch, tmp_path, capsys):
    nothing = _values()
    nothing = Values(nothing.frame.iloc[:0], (), nothing.absent, nothing.vintages)
    monkeypatch.setattr(values_module, "official_values", lambda *_: nothing)
    assert main(["national", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--areas", *CODES]) == 2
    error = capsys.readouterr().err
    assert "No indicator could be read from this folder" in error
    assert "The zip is damaged." in error
    assert not (tmp_path / "out" / "england" / "2026").exists()


def test_a_folder_is_for_every_authority_and_a_file_for_those_it_names(tmp_path, repository):
    assert len(plan(tmp_path, []).areas) == 153
    assert len(plan(repository / "params" / "england.yml", []).areas) == 153
    assert plan(repository / "params" / "blmk.yml", []).areas[0] == "E06000055"
    assert plan(repository / "params" / "england.yml", ["E08000016"]).areas == ["E08000016"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["params/luton.yml"], "source: A national run is made from official files alone"),
        (["params/nowhere.yml"], "There is no such params file"),
        (["params/england.yml", "--areas", "E10000021"], "North Northamptonshire 'E06000061'"),
        (["params/england.yml", "--areas", "E06000032", "E06000032"], "--areas, areas: an area is named twice"),
    ],
)
def test_wrong_requests_are_answered_in_sentences(tmp_path, repository, monkeypatch, capsys, words, answer):
    monkeypatch.chdir(repository)
    assert main(["national", *words, "--out", str(tmp_path / "out")]) == 2
    assert answer in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
