"""Folds the notes of method of a chapter's page away: found by their kind or their beginning, never by chapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape, unescape
from typing import Any

from jsna.files.packaged import packaged_yaml
from jsna.pack.harvest import EXHIBIT

SAID = ("finding", "notice", "heading")
_ITEM = re.compile(r"<li>(.*?)</li>", re.S)


@cache
def rules() -> dict[str, Any]:
    """What ``method.yml`` says."""
    return packaged_yaml("jsna.pack", "method.yml")


def folded_cell(cell: Mapping[str, Any]) -> Any:
    """A copy of a notebook's cell with its notes of method folded away; none is lost, the cell itself stays."""
    if cell["cell_type"] == "markdown":
        return type(cell)({**cell, "source": folded_prose(str(cell["source"]))})
    if cell["cell_type"] != "code":
        return cell
    return type(cell)({**cell, "outputs": [_output(o) for o in cell.get("outputs", ())]})


def folded_prose(source: str) -> str:
    """Markdown whose paragraphs of method are folded.

    >>> print(folded_prose("# A\\n\\nHow to read it. A **ratio** is ...").splitlines()[2])
    <details class="method"><summary>How to read these figures, and how they were worked out</summary>
    """
    return "\n\n".join(_paragraph(p) for p in source.split("\n\n"))


def folded_exhibit(html: str, kind: str, title: str, notes: list[str]) -> str:
    """An exhibit's HTML with its notes of method at its end, folded.

    >>> folded_exhibit("<div><p>1</p><p class='source'>Steadied.</p></div>", "table", "A", ["Steadied."])[:69]
    '<div><p>1</p><details class="method"><summary>How this was worked out'
    """
    if kind == "finding":
        return _finding(html)
    if kind in SAID:
        return html
    own = [f"<p class='source'>{escape(n)}</p>" for n in notes]
    moved = [p for p in own if p in html]
    for paragraph in moved:
        html = html.replace(paragraph, "", 1)
    body, end, rest = html.rpartition("</")
    return f"{body}{_details(rules()['of_exhibits'].format(title=title), ''.join(moved))}{end}{rest}" if moved else html


def _paragraph(text: str) -> str:
    for rule in rules()["prose"]:
        if re.match(rule["begins"], text):
            return f'<details class="method"><summary>{escape(rule["summary"])}</summary>\n\n{text}\n\n</details>'
    return text


def _output(output: Any) -> Any:
    data = output.get("data", {})
    if EXHIBIT not in data or "text/html" not in data:
        return output
    told = data[EXHIBIT]
    html = folded_exhibit("".join(data["text/html"]), told["kind"], told["title"], told.get("notes", []))
    return type(output)({**output, "data": type(data)({**data, "text/html": html})})


def _finding(html: str) -> str:
    begins = re.compile("|".join(rules()["findings"]["begins"]))
    moved = [m.group(0) for m in _ITEM.finditer(html) if begins.match(unescape(m.group(1)))]
    if not moved:
        return html
    for item in moved:
        html = html.replace(item, "", 1)
    body, end, rest = html.replace("<ul></ul>", "").rpartition("</")
    return f"{body}{_details(rules()['findings']['summary'], '<ul>' + ''.join(moved) + '</ul>')}{end}{rest}"


def _details(summary: str, inside: str) -> str:
    return f'<details class="method"><summary>{escape(summary)}</summary>{inside}</details>'
