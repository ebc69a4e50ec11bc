"""A sound list of each kind of local extract, and the means to spoil one cell, column or row of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

SOUND = {p.stem: p.read_text(encoding="utf-8") for p in sorted(Path(__file__).with_name("extracts").glob("*.csv"))}


def sound(kind: str) -> list[list[str]]:
    """The sound list as rows of cells, the headings first."""
    return list(csv.reader(io.StringIO(SOUND[kind])))


def text_of(rows: list[list[str]], delimiter: str = ",") -> str:
    """Rows of cells as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def spoilt(kind: str, row: int = 2, **cells: str) -> str:
    """The sound list with cells changed in one row of the file (2 is the first below the headings)."""
    rows = sound(kind)
    for name, value in cells.items():
        rows[row - 1][rows[0].index(name)] = value
    return text_of(rows)


def renamed(kind: str, **names: str) -> str:
    """The sound list with headings changed."""
    rows = sound(kind)
    rows[0] = [names.get(name, name) for name in rows[0]]
    return text_of(rows)


def without(kind: str, *names: str) -> str:
    """The sound list without some columns."""
    rows = sound(kind)
    keep = [i for i, name in enumerate(rows[0]) if name not in names]
    return text_of([[row[i] for i in keep] for row in rows])


def with_rows(kind: str, *more: str) -> str:
    """The sound list with lines of text below."""
    return SOUND[kind] + "".join(f"{line}\n" for line in more)
