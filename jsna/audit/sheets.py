"""The tables of a pack, wherever they stand: CSV files, flags, those inside notebooks, those of the pages."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from html.parser import HTMLParser

from jsna.audit.open_data import open_data_tables
from jsna.audit.pack import Pack
from jsna.audit.rules import rules
from jsna.audit.workbooks import differing, workbook_tables

EXHIBIT = "application/vnd.jsna.exhibit+json"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_NEAREST = re.compile(r"([\d,]+) (\(nearest \d+\))")
_PICTURE = re.compile(r"data:image/[^\"']+")


@dataclass(frozen=True)
class Sheet:
    """A table: ``name`` is the exhibit's, empty where a page does not tell it; cells as they are shown."""

    file: str
    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    official: bool = False

    def as_shown(self) -> tuple[tuple[str, ...], ...]:
        """Rows with numbers in one form, so that a page's table and a CSV's can be compared."""
        keep = [i for i, name in enumerate(self.head) if name != "Data"]
        return tuple(tuple(number_text(row[i]) for i in keep) for row in self.rows)

    def like(self) -> tuple[object, ...]:
        """What tells a table from others when its name is not known: its head and its rows' labels."""
        labels = tuple(row[0] for row in self.rows)
        return tuple(h for h in self.head if h != "Data"), labels


@lru_cache(maxsize=100_000)
def number_text(text: str) -> str:
    """A cell's text with numbers as a CSV has them.

    >>> number_text("−1,420.50"), number_text("c")
    ('-1420.50', 'c')
    """
    plain = text.replace("−", "-").strip()
    near = _NEAREST.fullmatch(plain)
    if near:
        return f"{near[1].replace(',', '')} {near[2]}"
    number = plain.replace(",", "").lstrip("+").removesuffix("%").strip()
    return number if _NUMBER.fullmatch(number) else plain


def sheets(pack: Pack) -> list[Sheet]:
    """Every table of the pack; a second copy only where it differs from the first."""
    official = _official_exhibits(pack)
    found: list[Sheet] = []
    for name, content in pack.files.items():
        if name == "flags.csv" or (name.startswith("tables/") and name.endswith(".csv")):
            exhibit = name.removeprefix("tables/").removesuffix(".csv")
            found.append(_sheet(name, exhibit, csv_rows(content.decode("utf-8-sig", errors="replace")) or [], official))
    found += [Sheet(file, name, head, rows) for file, name, head, rows in open_data_tables(pack)]
    found += _cards(pack)
    known = {s.name: s for s in found}
    alike: dict[tuple[object, ...], list[Sheet]] = {}
    for sheet in found:
        alike.setdefault(sheet.like(), []).append(sheet)
    for sheet in _copies(pack, official):
        same = [known[sheet.name]] if sheet.name in known else alike.get(sheet.like(), [])
        if any(sheet.as_shown() == s.as_shown() for s in same):
            continue
        name = sheet.name or (_nearest(sheet, same).name if same else _name_by_head(sheet.head))
        found.append(replace(sheet, name=name))
    found += _of_workbooks(pack, known, official)
    return [replace(s, official=s.official or pack.official) for s in found]


def _of_workbooks(pack: Pack, known: dict[str, Sheet], official: set[str]) -> Iterator[Sheet]:
    """Tables of workbooks that are not, row for row, those of the file that they are a copy of."""
    for file, name, head, rows in workbook_tables(pack):
        if name not in known:
            yield Sheet(file, name or _name_by_head(head), head, rows, name in official)
            continue
        other = differing(head, rows, known[name].head, known[name].rows)
        if other is not None:
            yield Sheet(file, name, known[name].head, other, name in official)


def _nearest(sheet: Sheet, others: list[Sheet]) -> Sheet:
    """Of tables with the same head and labels, the one with most cells in common."""
    cells = sheet.as_shown()
    return max(
        others,
        key=lambda o: sum(a == b for x, y in zip(cells, o.as_shown(), strict=True) for a, b in zip(x, y, strict=True)),
    )


def _name_by_head(head: tuple[str, ...]) -> str:
    return next((name for name, columns in rules()["heads"].items() if set(columns) <= set(head)), "")


def _cards(pack: Pack) -> list[Sheet]:
    """The cards' counts as a table."""
    try:
        cards = [c for c in json.loads(pack.files.get("cards.json", b"[]")) if "pupils_identified" in c]
    except (ValueError, TypeError):
        return []
    names = [re.match(rf"({rules()['groupings']})-(.+)-card$", str(c.get("id", ""))) for c in cards]
    rows = tuple(
        (match[1], match[2], str(card.get("period", "")), str(card["pupils_identified"]))
        for match, card in zip(names, cards, strict=True)
        if match
    )
    return [Sheet("cards.json", "cards", ("Characteristic", "Measure", "Period", "Identified"), rows)]


def _copies(pack: Pack, official: set[str]) -> Iterator[Sheet]:
    for name, content in pack.files.items():
        text = content.decode("utf-8", errors="replace")
        if name.endswith(".ipynb"):
            for exhibit, table, page in _exhibits(text):
                if table:
                    yield _sheet(f"{name} ({exhibit})", exhibit, csv_rows(table) or [], official)
                for rows in html_tables(page):
                    yield _sheet(f"{name} ({exhibit}, page)", exhibit, rows, official)
        elif name.endswith(".html"):
            for rows in html_tables(text):
                yield _sheet(name, "", rows, official)


def _sheet(file: str, name: str, rows: list[list[str]], official: set[str]) -> Sheet:
    head = tuple(rows[0]) if rows else ()
    whole = tuple(tuple([*row, *[""] * len(head)][: max(len(head), 1)]) for row in rows[1:] if row)
    return Sheet(file, name, head, whole, name in official)


def csv_rows(text: str) -> list[list[str]] | None:
    """The rows of a CSV text, or nothing when it is not one."""
    try:
        return list(csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))))
    except csv.Error:
        return None


def _exhibits(text: str) -> Iterator[tuple[str, str, str]]:
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return
    for cell in cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            exhibit = data.get(EXHIBIT)
            if isinstance(exhibit, dict):
                yield exhibit.get("id", ""), exhibit.get("table_csv", ""), "".join(data.get("text/html", ""))


def _official_exhibits(pack: Pack) -> set[str]:
    """Names of the exhibits whose source is a publisher's of the manifest, and not the authority's own rows."""
    found: set[str] = set()
    for name, content in pack.files.items():
        if not name.endswith(".ipynb"):
            continue
        try:
            cells = json.loads(content)["cells"]
        except (ValueError, KeyError, TypeError):
            continue
        exhibits = [o["data"][EXHIBIT] for c in cells for o in c.get("outputs", ()) if EXHIBIT in o.get("data", {})]
        for exhibit in exhibits:
            source = exhibit.get("source", "")
            if pack.official or any(source.startswith(p) for p in pack.publishers):
                found.add(exhibit.get("id", ""))
    return found | ({"flags"} if pack.official else set())


class _Tables(HTMLParser):
    """Collects the rows of every table, cells as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.tables[-1][-1][-1] += data


def html_tables(page: str) -> list[list[list[str]]]:
    """The tables of a page, each a list of rows of texts, the head first."""
    if "<table" not in page:
        return []
    parser = _Tables()
    parser.feed(_PICTURE.sub("", page))
    return [t for t in parser.tables if t]
