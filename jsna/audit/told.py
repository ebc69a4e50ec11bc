"""Words that tell a figure of a hidden group: titles and comments of pictures, descriptions, cards, sentences."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from jsna.audit.facts import HIDDEN
from jsna.audit.findings import Finding
from jsna.audit.pack import Pack
from jsna.audit.pieces import pieces
from jsna.audit.sheets import Sheet, number_text
from jsna.audit.workbooks import unread_workbooks

_SVG_WORDS = re.compile(
    r"<(title|desc|text|tspan|metadata)\b[^>]*>(.*?)</\1>|<!--(.*?)-->|"
    r"\b(?:aria-label|aria-description|data-[\w-]+|id|class|inkscape:label|alt|title)=\"([^\"]*)\"",
    re.S,
)
_OUT_OF = re.compile(r"%\s*\(([\d,]+) (?:of|out of) ([\d,]+)")


def told_in_words(pack: Pack, tables: list[Sheet]) -> list[Finding]:
    """Every text that names a hidden group and gives a number beside it; and shares told with a small count."""
    return [*_of_figures(pack, [s for s in tables if s.name]), *_of_sentences(pack), *unread_workbooks(pack)]


def _of_figures(pack: Pack, tables: list[Sheet]) -> Iterator[Finding]:
    hidden = {s.name: rows for s in tables if s.file.startswith("tables/") and (rows := _hidden_rows(s))}
    for name, content in pack.files.items():
        rows = hidden.get(name.rpartition("/")[2].removesuffix(".svg"), {}) if name.endswith(".svg") else {}
        for words in _words_of(content.decode("utf-8", errors="replace")) if rows else ():
            for group, shown in rows.items():
                at = re.search(rf"(?i)(?<!\w){re.escape(group)}(?!\w)[^\d\n]{{0,25}}?(\d[\d.,]*)", words)
                if at and number_text(at[1].rstrip(".,")) not in shown:
                    yield Finding("told in words", name, group, "a text of the figure", at[1])


def _hidden_rows(sheet: Sheet) -> dict[str, set[str]]:
    """Rows with something hidden, by their label, and what they show."""
    return {row[0]: {number_text(c) for c in row[1:]} for row in sheet.rows if HIDDEN in row}


def _words_of(svg: str) -> Iterator[str]:
    for match in _SVG_WORDS.finditer(svg):
        words = match[2] or match[3] or match[4] or ""
        yield html.unescape(re.sub(r"<[^>]+>", " ", words))


def _of_sentences(pack: Pack) -> Iterator[Finding]:
    """Sentences of the authority's own rows that give a share with a count under the threshold."""
    if pack.official:
        return
    for name, content in pack.files.items():
        if not name.endswith((".html", ".json", ".ipynb", ".xlsx", ".docx")):
            continue
        for piece in pieces(name, content):
            for match in _OUT_OF.finditer(piece.text):
                count, base = (int(g.replace(",", "")) for g in match.groups())
                small = count < pack.threshold or 0 <= base - count < pack.threshold
                if not pack.rule.may_be_shown(count) if pack.rule.changes_counts else small:
                    line = piece.text.count("\n", 0, match.start()) + 1
                    yield Finding("small count", name, f"{piece.inside} line {line}".strip(), "in a sentence", match[0])
