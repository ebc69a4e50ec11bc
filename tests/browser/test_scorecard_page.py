"""The Scorecard and the Dashboard in a real browser: one printed sheet each, readable on a telephone, no violation."""

import json
import os
import re
from pathlib import Path

import pytest

from jsna.cli import main

PAGES = ["scorecard.html", "dashboard.html", "chapters/11-scorecard.html"]


@pytest.fixture
def synthetic(default_pack):
    return default_pack


@pytest.fixture
def official(official_pack):
    return official_pack


@pytest.fixture(params=["synthetic", "official"])
def pack(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("page", ["scorecard.html", "dashboard.html"])
def test_each_prints_on_one_sheet_of_a4(pack, browser, page):
    tab = browser.new_page()
    tab.goto((pack / page).as_uri())
    printed = tab.pdf(prefer_css_page_size=True)
    size = tab.evaluate("parseFloat(getComputedStyle(document.querySelector('table.scorecard td')).fontSize)")
    tab.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    width, height = sorted(float(n) for n in re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed).groups())
    assert (round(width), round(height)) == (595, 842)  # A4 in points
    assert size > 10  # on a screen nothing is as small as on paper


@pytest.mark.parametrize(
    ("area", "page", "scheme"),
    [
        ("official", "scorecard.html", "light"),
        ("official", "dashboard.html", "dark"),
        ("synthetic", "scorecard.html", "dark"),
        ("synthetic", "chapters/11-scorecard.html", "light"),
        ("synthetic", "chapters/11-scorecard.html", "dark"),
        ("synthetic", "index.html", "light"),
    ],
)
def test_no_accessibility_violation_and_no_outside_request(request, faults, area, page, scheme):
    pack = request.getfixturevalue(area)
    assert faults(pack / page, scheme) == ([], [])


@pytest.mark.parametrize("page", PAGES)
def test_a_narrow_screen_needs_no_sideways_scrolling_and_every_cell_keeps_its_name(pack, browser, page):
    tab = browser.new_page(viewport={"width": 320, "height": 640})
    tab.goto((pack / page).as_uri())
    width = tab.evaluate("document.documentElement.scrollWidth")
    labels = tab.evaluate(
        "[...document.querySelectorAll('table.scorecard td')].map(c => getComputedStyle(c, '::before').content)"
    )
    roles = tab.evaluate("[...document.querySelectorAll('table.scorecard td')].every(c => c.getAttribute('role'))")
    tab.close()
    assert width <= 320
    assert labels
    assert all(len(label.strip('"')) > 2 for label in labels)
    assert roles  # laid out as blocks, the cells are still those of a table


def test_every_small_picture_says_in_words_what_it_shows(official):
    html = (official / "scorecard.html").read_text(encoding="utf-8")
    pictures = re.findall(r"<svg[^>]*>", html)
    assert len(pictures) > 20
    assert all(re.search(r'role="img" aria-label="[^"]{20,}"', p) for p in pictures)
    assert any("after a break" in p for p in pictures)


def test_the_manifest_and_the_index_say_which_indicators_have_no_figure(synthetic):
    absent = json.loads((synthetic / "manifest.json").read_text(encoding="utf-8"))["absent_indicators"]
    assert {"EHC-09", "ATT-06", "VOI-01"} <= {row["indicator"] for row in absent}
    assert all(row["why"] and row["mend"].endswith(".") for row in absent)
    index = (synthetic / "index.html").read_text(encoding="utf-8")
    assert f"Indicators of the catalogue without a figure here: {sum(not row['partly'] for row in absent)}." in index
    assert "Attainment 8" in index
    assert "no indicator is shown yet" not in index
    assert 'href="scorecard.html"' in index
    assert 'href="dashboard.html"' in index


def test_the_synthetic_page_says_that_the_area_is_invented_and_england_is_real(synthetic):
    for page in ("scorecard.html", "dashboard.html"):
        html = (synthetic / page).read_text(encoding="utf-8")
        assert "Synthetic data. No real child" in html
        assert "The area is synthetic, and England is real" in html
        assert "46.4% (2024)" in html  # England, plans in 20 weeks, SEN2 2025


def test_a_missing_file_is_named_and_the_run_goes_on(tmp_path, repository, official_data):
    folder = tmp_path / "data"
    for path in official_data.rglob("*"):
        if path.is_file() and not path.match("*bds_long*"):
            copy = folder / path.relative_to(official_data)
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(path, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JSNA_DATA", str(folder))
        patch.setenv("JSNA_CACHE", str(tmp_path / "cache"))
        params = repository / "params" / "luton-open-data.yml"
        assert main(["refresh", str(params), "--out", str(tmp_path / "packs"), "--only", "11"]) == 0
        pack = tmp_path / "packs" / "luton" / "2026"
    absent = {
        r["indicator"]: r for r in json.loads(Path(pack / "manifest.json").read_text("utf-8"))["absent_indicators"]
    }
    assert "Local authority interactive tool" in absent["PFA-03"]["mend"]
    assert not absent["PFA-03"]["partly"]
    assert absent["ATT-06"]["partly"]
    assert absent["EHC-05"]["partly"]  # the years before 2022
    assert "IDN-07" not in absent
    assert "27.1% (2024)" in (pack / "scorecard.html").read_text(encoding="utf-8")
    assert "Local authority interactive tool" in (pack / "index.html").read_text(encoding="utf-8")
