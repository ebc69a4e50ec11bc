"""A real browser reads the pack: no accessibility violation, no outside request, no sideways scrolling."""

import shutil

import pytest

from jsna.cli import main

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHAPTERS = ["03", "06"]
PAGES = ["index.html", "chapters/03-ethnicity.html", "chapters/06-wards.html"]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.fixture(scope="module")
def pack(tmp_path_factory, repository):
    out = tmp_path_factory.mktemp("packs")
    only = [word for chapter in CHAPTERS for word in ("--only", chapter)]
    assert main(["refresh", str(repository / "params/luton.yml"), "--out", str(out), *only]) == 0
    return out / "luton-synthetic" / "2026"


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this computer")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield instance
        instance.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_no_accessibility_violation_and_no_outside_request(pack, browser, page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    tab = browser.new_page(color_scheme=scheme)
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((pack / page).as_uri())
    results = Axe().run(tab, options=RULES)
    violations = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in results.response["violations"]]
    tab.close()
    assert violations == []
    assert [u for u in asked if not u.startswith(("file:", "data:"))] == []


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
