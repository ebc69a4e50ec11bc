"""A table's CSV text as a frame that a spreadsheet can hold: numbers as numbers, unique headings with their units."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from jsna.files.packaged import packaged_yaml

LONGEST_CELL = 32_000
LONGEST_HEADING = 200
NOT_AVAILABLE = "x"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_PERCENT = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?%")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_MARK = re.compile(r"\s*\[(\d+)\]")
_HAS_UNIT = re.compile(r"\([^()]*(?:[A-Za-z]{2}|%)[^()]*\)")


@dataclass(frozen=True)
class Table:
    """A frame ready to be written: ``formats`` has the number format of each column that holds numbers, by heading."""

    frame: pd.DataFrame
    formats: Mapping[str, str]


@cache
def settings(name: str = "sheets") -> dict[str, Any]:
    """What ``sheets.yml`` or ``words.yml`` says."""
    return packaged_yaml("jsna.pack.workbook", f"{name}.yml")


def rows_of(table_csv: str) -> pd.DataFrame:
    """A CSV text as a frame of texts; a row shorter or longer than the head is filled or widens the table.

    >>> rows_of("Group,Pupils\\nA,12\\n").to_dict("list")
    {'Group': ['A'], 'Pupils': ['12']}
    """
    rows = [row for row in csv.reader(io.StringIO(table_csv)) if any(cell.strip() for cell in row)]
    width = max((len(row) for row in rows), default=0)
    whole = [[*row, *[""] * (width - len(row))] for row in rows]
    return pd.DataFrame(whole[1:], columns=headings(whole[0]) if whole else [], dtype=object)


def headings(names: Sequence[str]) -> list[str]:
    """Headings that are there and differ, capitals or not, as a marked-up table needs them.

    >>> headings(["Group", "group", ""])
    ['Group', 'group (2)', 'Column 3']
    """
    made: list[str] = []
    for at, name in enumerate(names, start=1):
        plain = " ".join(clean(name).split())[:LONGEST_HEADING] or f"Column {at}"
        taken = {m.casefold() for m in made}
        again = next(n for n in range(1, len(names) + 2) if numbered(plain, n).casefold() not in taken)
        made.append(numbered(plain, again))
    return made


def numbered(name: str, number: int) -> str:
    """The name, from the second time on with its number."""
    return name if number == 1 else f"{name} ({number})"


def clean(text: str) -> str:
    """Text without characters that a spreadsheet cannot hold, and without what would be read as a link or a mark.

    >>> clean("a\\x07 [b](c)"), clean("")
    ('a [b] (c)', '')
    """
    plain = _CONTROL.sub("", str(text)).replace("](", "] (").replace("$$", "$ $").strip()
    return plain if len(plain) <= LONGEST_CELL else plain[: LONGEST_CELL - 100] + settings("words")["cut"]


def typed(rows: pd.DataFrame, note: Callable[[str], str], *, first: Sequence[str] = ()) -> Table:
    """Rows of texts as a table: ``note`` gives the workbook's number of a table's own note; ``first`` columns lead.

    A number is a number, with the decimals it was given; what stands for one stays a text; nothing stays empty.
    """
    order = [*[c for c in first if c in rows.columns], *[c for c in rows.columns if c not in first]]
    made = [_typed_column(c, [clean(text) for text in rows[c].tolist()], note) for c in order]
    frame = pd.DataFrame({heading: values for heading, values, _ in made}, dtype=object)
    return Table(frame, {heading: form for heading, _, form in made if form})


def _typed_column(name: str, texts: Sequence[str], note: Callable[[str], str]) -> tuple[str, list[Any], str]:
    """A column's heading with its unit, its values, and its number format (empty where it holds no number)."""
    words = [_as_text(text, note) for text in texts]
    if _text_columns().fullmatch(name):
        return name, words, ""
    plain, percents = ([pattern.fullmatch(text) for text in texts] for pattern in (_NUMBER, _PERCENT))
    percent = any(percents)
    if not (percent or any(plain)) or (percent and any(plain)):  # per cent beside others: no number without its unit
        return name, words, ""
    digits = [
        text.rstrip("%") if number else "" for text, number in zip(texts, percents if percent else plain, strict=True)
    ]
    decimals = max(len(number.partition(".")[2]) for number in digits)
    values = [_number(number) if number else word for number, word in zip(digits, words, strict=True)]
    return with_unit(name, percent), values, "#,##0" + ("." + "0" * decimals if decimals else "")


@cache
def _text_columns() -> re.Pattern[str]:
    return re.compile(settings()["text_columns"])


def _number(digits: str) -> float:
    return float(digits) if "." in digits else int(digits)


def _as_text(value: str, note: Callable[[str], str]) -> str:
    if not value:
        return NOT_AVAILABLE
    if not re.search(r"[A-Za-z0-9]", value):
        return NOT_AVAILABLE if set(value) <= set("-–—−.…/ ") else f"sign {value}"
    return _MARK.sub(lambda m: f" {note(m[1])}", value)


def with_unit(heading: str, percent: bool = False) -> str:
    """A heading of numbers with a unit in brackets, as it stands where it has one.

    >>> with_unit("Pupils"), with_unit("Share (%)"), with_unit("p, areas that differ")
    ('Pupils (number)', 'Share (%)', 'p, areas that differ (probability)')
    """
    if _HAS_UNIT.search(heading):
        return heading
    unit = "%" if percent else next(u for pattern, u in settings()["units"] if re.search(pattern, heading))
    return f"{heading} ({unit})"
