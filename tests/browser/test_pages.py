"""A real browser reads the pack: no accessibility violation, no outside request, no sideways scrolling."""

import pytest

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
def pack(default_pack):
    return default_pack


IN_BOTH = [(page, "light") for page in PAGES] + [(page, "dark") for page in ("index.html", "cards.html", PAGES[-1])]


@pytest.mark.parametrize(("page", "scheme"), IN_BOTH)
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


def test_what_is_folded_opens_with_the_keyboard_alone(pack, browser):
    tab = browser.new_page()
    tab.goto((pack / "chapters/12-priorities.html").as_uri())
    for _ in range(200):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    tab.keyboard.press("Enter")
    opened = tab.evaluate("document.activeElement.parentElement.open")
    tab.close()
    assert (opened, outline != "none") == (True, True)


def test_notes_of_method_are_folded_on_a_screen_and_open_in_print(pack, browser):
    tab = browser.new_page()
    tab.goto((pack / "chapters/09-sufficiency.html").as_uri())
    seen = "d => [...d.children].slice(1).every(e => e.checkVisibility({contentVisibilityAuto: true}))"
    notes = "[...document.querySelectorAll('details.method')]"
    on_screen = tab.evaluate(f"{notes}.map({seen})")
    tab.emulate_media(media="print")
    # The browser unfolds in its next frame, so a look at once sometimes comes too early.
    tab.wait_for_function(f"{notes}.every({seen})", timeout=10_000)
    tab.close()
    assert on_screen
    assert not any(on_screen)


def test_every_link_of_the_pack_leads_somewhere(pack, browser):
    tab, dead = browser.new_page(), []
    for page in sorted([*pack.glob("*.html"), *pack.glob("chapters/*.html")]):
        tab.goto(page.as_uri())
        for href in tab.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"):
            name, _, anchor = href.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.is_file() or (anchor and f'id="{anchor}"' not in target.read_text(encoding="utf-8")):
                dead.append((page.name, href))
    tab.close()
    assert not dead


def test_every_picture_is_described_by_what_it_shows(pack, browser):
    tab = browser.new_page()
    for page in sorted(pack.glob("chapters/*.html")):
        tab.goto(page.as_uri())
        words = tab.eval_on_selector_all("img", "all => all.map(i => i.alt)")
        assert all(w and len(w) > 20 and not w.startswith("No description") for w in words), page.name
    tab.close()
