"""A national run of three authorities on the official files: its pages are read back, its values checked by hand."""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from html.parser import HTMLParser

import pytest

from jsna.cli import main

CODES = {"E06000032": "luton", "E10000016": "kent", "E08000016": "barnsley"}
NEVER = {"nan", "NaN", "None", "inf", "<NA>", "NaT"}


class Page(HTMLParser):
    """The tags of a page in order, the words of its cells, and where it points."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.cells, self.points, self._cell = [], [], [], False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("td", "th"):
            self._cell = True
            self.cells.append("")
        elif self._cell:  # a picture says what it shows
            self.cells[-1] += " ".join(value or "" for key, value in attrs if key in ("aria-label", "alt"))
        self.points += [value for key, value in attrs if key in ("href", "src", "action")]

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        if self._cell:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def run(tmp_path_factory, official_data):
    out = tmp_path_factory.mktemp("national")
    assert main(["national", str(official_data), "--out", str(out), "--areas", *CODES]) == 0
    return out / "england" / "2026"


@pytest.mark.parametrize("slug", CODES.values())
def test_every_page_can_be_read_by_everyone_and_asks_for_nothing(run, slug):
    page = Page(run / "areas" / f"{slug}.html")
    assert page.tags.count("h1") == page.tags.count("title") == page.tags.count("main") == 1
    assert page.tags.count("table") == page.tags.count("caption") >= 2
    assert not {"script", "iframe", "form", "link"} & set(page.tags)
    assert set(page.points) <= {"#main", "../index.html"} | {
        p for p in page.points if p.startswith("data:image/svg+xml")
    }


@pytest.mark.parametrize("name", [*(f"areas/{slug}.html" for slug in CODES.values()), "index.html"])
def test_no_cell_is_empty_or_no_number(run, name):
    cells = [cell.strip() for cell in Page(run / name).cells]
    assert len(cells) > 20
    assert not [c for c in cells if NEVER & set(c.split())]
    assert "" not in cells


def test_the_values_are_those_of_the_release(run, official_data):
    """The share of plans in 20 weeks, exceptions included or not, from the release's own file by the csv module."""
    with (run / "indicators.csv").open(encoding="utf-8", newline="") as stream:
        ours = {
            (row["area_code"], row["period"]): row
            for row in csv.DictReader(stream)
            if row["indicator"] == "EHC-05" and row["group"] == "all"
        }
    release = next(official_data.rglob("education-health-and-care-plans_2025.zip"))
    with zipfile.ZipFile(release) as archive:
        name = next(n for n in archive.namelist() if n.endswith("timeliness_20_week.csv"))
        text = io.TextIOWrapper(archive.open(name), encoding="utf-8-sig", newline="")
        rows = [r for r in csv.DictReader(text) if r["new_la_code"] in CODES and r["breakdown"].startswith("All ")]
    assert {r["new_la_code"] for r in rows} == set(CODES)
    compared = 0
    for row in rows:
        mine = ours.get((row["new_la_code"], row["time_period"]))
        if mine and mine["way"] == "counts":
            assert mine["numerator"] in row.values()
            assert mine["denominator"] in row.values()
            share = 100 * int(mine["numerator"]) / int(mine["denominator"])
            assert float(mine["value"]) == pytest.approx(share, rel=1e-9)
            compared += 1
    assert compared >= 3 * len(CODES)


def test_the_manifest_names_inputs_with_digests_and_is_true_of_the_outputs(run, official_data):
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((run / name).read_bytes()).hexdigest() == digest
    assert manifest["areas"] == dict.fromkeys(CODES, "made")
    release = next(official_data.rglob("education-health-and-care-plans_2025.zip"))
    assert hashlib.sha256(release.read_bytes()).hexdigest() in {i["sha256"] for i in manifest["inputs"]}
    assert str(official_data) not in json.dumps(manifest)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory, official_data):
    """A run on few files, of which the release is cut short."""
    folder, out = tmp_path_factory.mktemp("few"), tmp_path_factory.mktemp("out")
    for name in ("bds_long_0.parquet", "sn_may_2025.xlsx", "1_eyfsp_headline_measures_2022.csv.gz"):
        shutil.copy(next(official_data.rglob(name)), folder)
    release = next(official_data.rglob("education-health-and-care-plans_2025.zip"))
    (folder / release.name).write_bytes(release.read_bytes()[:100_000])
    code = main(["national", str(folder), "--out", str(out), "--areas", "E06000032", "--jobs", "1"])
    return code, out / "england" / "2026"


def test_a_damaged_and_a_missing_file_cost_their_indicators_and_not_the_run(damaged):
    code, folder = damaged
    assert code == 0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    reasons = {row["indicator"]: row["reason"] for row in manifest["absent_indicators"]}
    assert "EHC-05" in reasons
    assert all(reason for reason in reasons.values())
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert "EHC-05" in index
    assert "Traceback" not in index
    with (folder / "indicators.csv").open(encoding="utf-8", newline="") as stream:
        assert {row["file"].split(",")[0] for row in csv.DictReader(stream)} <= {
            "bds_long_0.parquet",
            "1_eyfsp_headline_measures_2022.csv.gz",
        }
    page = Page(folder / "areas" / "luton.html")
    assert page.tags.count("h1") == 1
