"""Names of areas with a comma, an apostrophe or an ampersand: they read well in sentences, and are escaped."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace

import pytest
from docx import Document
from openpyxl import load_workbook
from workbook_samples import EXHIBITS, FLAGS
from workbook_samples import area as sample_area

from jsna.evidence.catalogue import frame_of
from jsna.pack.document import write_summary
from jsna.pack.figures_page import figures_page
from jsna.pack.open_data.write import _readme
from jsna.pack.page import cards_page, help_pages, index_page, one_page
from jsna.pack.plain import plain_pages
from jsna.pack.workbook import write_workbook

NAMES = ["Bristol, City of", "Kingston upon Hull, City of", "King's Lynn & West"]
SPOKEN = {NAMES[0]: "Bristol", NAMES[1]: "Kingston upon Hull", NAMES[2]: "King's Lynn & West"}
FIGURES = "Indicator,Measure,Group,Period,Value,Lower limit,Upper limit,Numerator,Denominator,Source\n"
FIGURES += "EHC-05,In time,all,2024,1,0,2,1,99,Plans\n"


@pytest.fixture(params=NAMES)
def area(request):
    own = sample_area()
    own.name = own.label = request.param
    own.code, own.params.frames = "E06000032", None
    return own


def html_of(area) -> dict[str, str]:
    about = {"area_name": area.label, "cycle": "2026", "synthetic": False}
    parts = {"findings": [], "chapters": [], "sources": [], "pages": [], "policy": "", "absent": [], "brings": "local"}
    return {
        "index": index_page(flags=[], **parts, **about),
        "one": one_page("<p></p>", title="T", **about),
        "cards": cards_page([], frame_of("E06000032"), area),
        "figures": figures_page(FIGURES, [], area),
        **help_pages(area),
        **dict(plain_pages([], [], [], [], area)),
    }


def test_every_page_escapes_the_name_and_sentences_speak_it(area):
    for name, html in html_of(area).items():
        body = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
        assert not re.search(r"&(?!amp;|#\d+;|lt;|gt;|quot;)", body), name
        assert area.name in unescape(body), name
    for name in ("index", "easy-read.html", "families.html"):
        heading = re.search(r"<h1>(.*?)</h1>", html_of(area)[name], re.S)
        assert heading is not None
        assert SPOKEN[area.name] in unescape(heading[1])
        assert "City of" not in heading[1]


def test_the_document_the_workbook_and_the_open_data_bear_the_name(area, tmp_path):
    document = Document(str(write_summary(tmp_path, area, EXHIBITS, [], FLAGS)))
    assert SPOKEN[area.name] in document.paragraphs[0].text
    write_workbook(tmp_path, area, EXHIBITS, FLAGS, [], {})
    book = load_workbook(tmp_path / "evidence.xlsx")
    assert area.name in str(book.worksheets[0]["A1"].value)
    made = SimpleNamespace(tables=[], left_out=[], notes=[])
    assert area.name in next(iter(_readme(area, made, {})))  # type: ignore[arg-type]
