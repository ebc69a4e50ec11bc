"""The browser that reads the pages, and what is asked of every page."""

import shutil

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


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


@pytest.fixture
def faults(browser):
    """A page's accessibility violations, and what it asks of anybody, in a colour scheme."""
    from axe_playwright_python.sync_playwright import Axe

    def look(page, scheme):
        tab = browser.new_page(color_scheme=scheme)
        asked = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page.as_uri())
        results = Axe().run(tab, options=RULES)
        tab.close()
        violations = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in results.response["violations"]]
        return violations, [u for u in asked if not u.startswith(("file:", "data:"))]

    return look
