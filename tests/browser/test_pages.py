"""A real browser reads the pack: no accessibility violation, no outside request, no sideways scrolling."""

import pytest

from jsna.cli import main

CHAPTERS = ["03", "06", "09", "10", "12"]
PAGES = [
    "index.html",
    "cards.html",
    "families.html",
    "easy-read.html",
    "glossary.html",
    "accessibility.html",
    "chapters/03-ethnicity.html",
    "chapters/06-wards.html",
    "chapters/09-sufficiency.html",
    "chapters/10-voice.html",
    "chapters/12-priorities.html",
]


@pytest.fixture(scope="module")
def pack(tmp_path_factory, repository):
    out = tmp_path_factory.mktemp("packs")
    only = [word for chapter in CHAPTERS for word in ("--only", chapter)]
    assert main(["refresh", str(repository / "params/luton.yml"), "--out", str(out), *only]) == 0
    return out / "luton-synthetic" / "2026"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_no_accessibility_violation_and_no_outside_request(pack, faults, page, scheme):
    assert faults(pack / page, scheme) == ([], [])


@pytest.mark.parametrize("page", PAGES)
def test_a_narrow_screen_needs_no_sideways_scrolling(pack, browser, page):
    tab = browser.new_page(viewport={"width": 320, "height": 640})
    tab.goto((pack / page).as_uri())
    width = tab.evaluate("document.documentElement.scrollWidth")
    tab.close()
    assert width <= 320


def test_the_keyboard_reaches_the_content_first(pack, browser):
    tab = browser.new_page()
    tab.goto((pack / "chapters/03-ethnicity.html").as_uri())
    tab.keyboard.press("Tab")
    first = tab.evaluate("document.activeElement.getAttribute('href')")
    tab.close()
    assert first == "#main"
