"""A chapter's page: findings, charts, tables and sources open; notes of method folded away, and none lost."""

from __future__ import annotations

import re
from html import unescape

import nbformat
import pytest

from jsna.exhibits.model import Exhibit
from jsna.exhibits.text import finding, notice
from jsna.pack.method import folded_cell, folded_exhibit
from jsna.pack.page import chapter_page

NOTE = "A steadied share is drawn towards 1 & others."
TABLE = Exhibit("t", "table", "All <figures>", body="<table></table>", source="Census", notes=(NOTE,))
CHART = Exhibit("c", "chart", "A chart", alt="A", body="<table></table>", svg=b"<svg/>", source="Census", notes=(NOTE,))
MADE = "18 groups were compared for this measure, and 34 over all."
FOUND = finding("f", "Any SEN: A.", ("19.7% (between 19.4% and 20.1%).", MADE))
PROSE = "## Boys and girls\n\nHow to read it. A group's **ratio** is its rate."


def split(html: str) -> tuple[str, str]:
    """The text that is open, and that which is folded as method."""
    inside = " ".join(re.findall(r'<details class="method">(.*?)</details>', html, re.S))
    return re.sub(r'<details class="method">.*?</details>', "", html, flags=re.S), inside


@pytest.mark.parametrize("exhibit", [TABLE, CHART])
def test_notes_of_a_chart_or_table_are_folded_and_its_source_is_open(exhibit):
    html = folded_exhibit(exhibit.html(), exhibit.kind, exhibit.title, list(exhibit.notes))
    shown, folded = split(html)
    assert "Source: Census." in shown
    assert NOTE not in unescape(shown)
    assert NOTE in unescape(folded)
    assert f"How this was worked out: {exhibit.title}" in unescape(folded)
    assert html.count("<details") == html.count("</details>")


def test_of_a_finding_the_interval_is_open_and_the_making_folded():
    shown, folded = split(folded_exhibit(FOUND.html(), "finding", FOUND.title, list(FOUND.notes)))
    assert "between 19.4%" in shown
    assert MADE in folded
    assert MADE not in shown


def test_what_has_no_note_of_method_stays_as_it_is():
    for exhibit in (notice("n", "None.", "Bring a file."), finding("f", "A.", ("One.",)), Exhibit("t", "table", "T")):
        assert folded_exhibit(exhibit.html(), exhibit.kind, exhibit.title, list(exhibit.notes)) == exhibit.html()


def page() -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(PROSE)])
    data = {k: v for k, v in TABLE._repr_mimebundle_().items()}
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    notebook.cells.append(nbformat.v4.new_code_cell("t", outputs=[output]))
    about = {"area_name": "King's Lynn & West, City of", "cycle": "2026", "title": "A & B", "synthetic": False}
    made = chapter_page(notebook, nav=[("a", "A & B")], drop_tags=(), **about)
    assert NOTE in notebook.cells[1].outputs[0].data["text/html"].replace("&amp;", "&")
    assert folded_cell(notebook.cells[0])["source"] != notebook.cells[0].source
    return made


def test_a_chapters_page_folds_prose_and_notes_without_a_script_and_opens_them_in_print():
    html = page()
    shown, folded = split(html[html.index("<main") :])
    assert "<strong>ratio</strong>" in folded
    assert "ratio" not in shown
    assert "<script" not in html
    assert "::details-content{content-visibility:visible" in html


def test_the_name_of_an_area_is_escaped_on_a_chapters_page():
    html = page()
    assert "Lynn &amp; West, City of: SEND evidence" in html
    assert "Lynn & West" not in html
