"""What every kind of test shares: the official files, a synthetic area made once, the browser that reads pages."""

from __future__ import annotations

import gc
import os
import shutil
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """No search for garbage while modules are imported and tests made: it took half of the time, in every process."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def official_data() -> Path:
    """The folder of official files, or a skip that says how to bring one."""
    named = os.environ.get("JSNA_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no official files: set JSNA_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def default_pack(tmp_path_factory) -> Path:
    """The pack of params/luton.yml with its audit, made once for all test processes; copy it before changing it."""
    return _made_once(tmp_path_factory, "luton.yml", "--audit")


@pytest.fixture(scope="session")
def official_pack(tmp_path_factory, official_data) -> Path:
    """Luton's pack of official files, made once for all test processes; copy it before changing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JSNA_DATA", str(official_data))
        return _made_once(tmp_path_factory, "luton-open-data.yml")


def _made_once(tmp_path_factory, params: str, *more: str) -> Path:
    from jsna.cli import main

    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / f"pack-of-{params}"
    made = shared / "made"
    try:
        shared.mkdir()
    except FileExistsError:
        patience = time.monotonic() + 600
        while not made.is_file():
            assert time.monotonic() < patience, "another test process did not finish the pack"
            time.sleep(1)
    else:
        code = 99
        try:
            code = main(["refresh", str(REPOSITORY / "params" / params), "--out", str(shared / "packs"), *more])
        finally:
            made.write_text(str(code))
    assert made.read_text() == "0"
    return next((shared / "packs").glob("luton*/2026"))


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this computer")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
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
        results = Axe().run(tab, options=WCAG_RULES)
        tab.close()
        violations = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in results.response["violations"]]
        return violations, [u for u in asked if not u.startswith(("file:", "data:"))]

    return look
