"""The tables of a pack's workbooks, cells as texts, and what of them differs from the files they are copies of."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jsna.audit.findings import Finding
from jsna.audit.pack import Pack
from jsna.files.packaged import packaged_yaml

KINDS = (".xlsx", ".xlsm")
Row = tuple[str, ...]
Table = tuple[str, str, Row, tuple[Row, ...]]


@cache
def settings() -> dict[str, Any]:
    """How sheets tell what they are."""
    return packaged_yaml("jsna.audit", "workbooks.yml")


def workbook_tables(pack: Pack) -> Iterator[Table]:
    """File with sheet, name (empty where the sheet names none), head and rows of each table that holds a number.

    A sheet without a marked-up table is read from its first row on, hidden ones too.
    """
    for name, book in _books(pack):
        for sheet in book.worksheets if book is not None else ():
            rows = [tuple(_text(c.value) for c in row) for row in sheet.iter_rows()]
            numbers = any(isinstance(c.value, int | float) for row in sheet.iter_rows() for c in row)
            at = _head_row(sheet)
            if numbers and rows[at:]:
                yield f"{name} ({sheet.title})", _name(rows[:at]), rows[at], tuple(rows[at + 1 :])


def unread_workbooks(pack: Pack) -> list[Finding]:
    """Files named as workbooks that no program could open, so that nobody knows what they tell."""
    return [Finding("unreadable", name, "", "a workbook") for name, book in _books(pack) if book is None]


def _books(pack: Pack) -> Iterator[tuple[str, Any]]:
    from openpyxl import load_workbook

    for name, content in pack.files.items():
        if name.lower().endswith(KINDS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    yield name, load_workbook(io.BytesIO(content), data_only=True)
                except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, AttributeError, SyntaxError):
                    yield name, None


def _head_row(sheet: Any) -> int:
    starts = [table.ref for table in sheet.tables.values()]
    return int(re.sub(r"\D", "", starts[0].partition(":")[0])) - 1 if starts else 0


def _name(above: Sequence[Row]) -> str:
    found = next((m for row in above for cell in row if (m := re.search(settings()["same_as"], cell))), None)
    return (found[1] or found[2]) if found else ""


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def differing(head: Row, rows: Sequence[Row], known_head: Row, known_rows: Sequence[Row]) -> tuple[Row, ...] | None:
    """The rows of a sheet in the columns of the file it is a copy of; nothing where each stands in the file.

    ``head`` may have units, other words and other columns. A number is the same however many decimals are written.

    >>> differing(("Group", "Pupils (number)"), [("A", "12")], ("Group", "Pupils"), [("A", "12.0")])
    >>> differing(("Group", "Pupils (number)"), [("A", "3")], ("Group", "Pupils"), [("A", "c")])
    (('A', '3'),)
    """
    at = _places(head, known_head)
    known = {tuple(_plain(row[k]) for k in at.values()): row for row in known_rows if len(row) >= len(known_head)}
    own = [tuple(_plain(row[h]) for h in at) for row in rows]
    if len(at) > 1 and all(values in known for values in own):
        return None
    back = {k: h for h, k in at.items()}
    blank = ("",) * len(known_head)
    return tuple(
        known.get(values) or tuple(row[back[k]] if k in back else b for k, b in enumerate(blank))
        for values, row in zip(own, rows, strict=True)
    )


def _places(head: Row, known_head: Row) -> Mapping[int, int]:
    """Which column of the sheet is which of the file, by heading."""
    known = {_plain(name): k for k, name in reversed(list(enumerate(known_head)))}
    found: dict[int, int] = {}
    for h, name in enumerate(head):
        bare = re.sub(settings()["unit"], "", name)
        for form in (name, settings()["heads"].get(name, ""), bare):
            if form and _plain(form) in known and known[_plain(form)] not in found.values():
                found[h] = known[_plain(form)]
                break
    return found


def _plain(text: str) -> str:
    """A cell without note marks, a number in one form, nothing as the letter that stands for it."""
    plain = " ".join(re.sub(settings()["mark"], "", text).replace("−", "-").split()) or "x"
    number = plain.removesuffix("%")
    return repr(float(number) + 0.0) if re.fullmatch(r"-?\d+(?:\.\d+)?", number) else plain
