"""Parts of a text document that a screen reader can use: headings, paragraphs, a described picture, a real table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

FONT = "Arial"
LANGUAGE = "en-GB"
WIDTHS = (4.6, 3.0, 9.6)  # of the table's columns, in centimetres
INK = RGBColor(0x12, 0x43, 0x6D)


def blank(title: str, made: datetime, footer: str) -> Any:
    """A document of A4 pages in Arial 12 with its language, its title and numbered pages; no name of a person."""
    document = Document()
    _without_extras(document)
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(1.9)
    page.top_margin, page.bottom_margin = Cm(1.5), Cm(1.5)
    page.header_distance, page.footer_distance = Cm(0.8), Cm(0.8)
    _styles(document)
    own = document.core_properties
    own.title, own.subject, own.language = title, "", LANGUAGE
    own.author = own.last_modified_by = own.comments = own.keywords = ""
    own.created = own.modified = made.replace(tzinfo=None)
    own.revision = 1
    foot = page.footer.paragraphs[0]
    foot.add_run(footer)
    _field(foot, "PAGE")
    foot.add_run(" of ")
    _field(foot, "NUMPAGES")
    return document


def _without_extras(document: Any) -> None:
    """Take out what the library's blank document brings along: a preview picture and a part of custom data."""
    for owner in (document.part, document.part.package):
        for key in [k for k, r in owner.rels.items() if r.reltype.endswith(("/customXml", "/thumbnail"))]:
            del owner.rels[key]


def _styles(document: Any) -> None:
    sizes = {"Normal": 12, "Heading 1": 18, "Heading 2": 14, "Caption": 11, "List Bullet": 12, "Footer": 10}
    for name, size in sizes.items():
        style = document.styles[name]
        style.font.name, style.font.size = FONT, Pt(size)
        properties = style.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{kind}"), FONT)
        style.paragraph_format.space_after = Pt(3)
        style.paragraph_format.space_before = Pt(8 if name == "Heading 2" else 0)
        style.paragraph_format.line_spacing = 1.0
        style.font.italic = False
        if name.startswith("Heading"):
            style.font.color.rgb = INK
        if name == "Caption":
            style.font.bold, style.font.color.rgb = False, RGBColor(0, 0, 0)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), LANGUAGE)


def heading(document: Any, text: str, level: int) -> None:
    """A heading in a real heading style."""
    document.add_paragraph(text, style=f"Heading {level}")


def paragraph(document: Any, text: str, *, bold: bool = False, after: str = "", bullet: bool = False) -> None:
    """A paragraph, or an item of a real list; ``after`` follows in plain letters."""
    made = document.add_paragraph(style="List Bullet" if bullet else "Normal")
    made.add_run(text).bold = bold
    if after:
        made.add_run(after)


def caption(document: Any, text: str, *, with_next: bool = False) -> None:
    """A caption in the style that is meant for it; ``with_next``: on the page of what follows."""
    document.add_paragraph(text, style="Caption").paragraph_format.keep_with_next = with_next


def picture(document: Any, png: bytes, title: str, alt: str) -> None:
    """A picture as wide as the text, with its alternative text."""
    made = document.add_paragraph()
    made.paragraph_format.keep_with_next = True
    shape = made.add_run().add_picture(io.BytesIO(png), width=Cm(16.8))
    properties = shape._inline.docPr
    properties.set("descr", alt)
    properties.set("title", title)
    properties.set("name", "Figure 1")


def table(document: Any, head: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    """A table whose first row is marked as the head, repeats on the next page, and is never merged or split."""
    made = document.add_table(rows=1 + len(rows), cols=len(head), style="Table Grid")
    made.autofit = False
    properties = made._tbl.tblPr
    for tag in ("w:tblCaption", "w:tblDescription"):
        element = OxmlElement(tag)
        element.set(qn("w:val"), title)
        properties.append(element)
    for column, width in zip(made.columns, WIDTHS, strict=True):
        column.width = Cm(width)
    for number, values in enumerate([head, *rows]):
        row = made.rows[number]
        _row_marks(row, is_head=number == 0)
        for cell, value, width in zip(row.cells, values, WIDTHS, strict=True):
            cell.width = Cm(width)
            cell.paragraphs[0].paragraph_format.space_after = Pt(0)
            cell.paragraphs[0].add_run(value).bold = number == 0
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _row_marks(row: Any, is_head: bool) -> None:
    properties = row._tr.get_or_add_trPr()
    for tag in ["w:cantSplit", *(["w:tblHeader"] if is_head else [])]:
        properties.append(OxmlElement(tag))


def _field(made: Any, name: str) -> None:
    """A field such as the number of the page."""
    for kind in ("begin", "", "end"):
        run = made.add_run()
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = name
        run._r.append(element)


def finished(document: Any) -> bytes:
    """The document's bytes."""
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()
