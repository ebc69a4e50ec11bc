"""Tables: numbers rounded once, symbols instead of empty cells, headers that a screen reader can use."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from jsna.disclosure import SYMBOLS, Released, with_symbol
from jsna.errors import DisclosureError, Problem
from jsna.exhibits.model import Exhibit

WORDED = ("text", "words")  # words: whole sentences, which need a wide column
PLACES = {"count": 0, "percent": 1, "points": 1, "ratio": 2, "p": 3}


def must_be_released(table: Any) -> Released:
    """The table, if it passed the gate. Raises ``DisclosureError`` for anything else."""
    if not isinstance(table, Released):
        raise DisclosureError(
            Problem(
                "Only a table that passed the gate can be shown.",
                value=type(table).__name__,
                expected="Released",
                mend="Use jsna.disclosure.protect().",
            )
        )
    return table


def format_number(value: float, kind: str) -> str:
    """A number as readers see it: rounded half away from zero, thousands with commas, a true minus sign.

    >>> format_number(1234.5, "count"), format_number(-2.25, "points"), format_number(0.125, "ratio")
    ('1,235', '−2.3', '0.13')
    >>> format_number((12.3 + 12.999999999999998) / 2, "percent")
    '12.7'
    """
    if value is None or pd.isna(value):
        return ""
    if np.isinf(value):
        return "no upper limit"
    if kind == "p" and value < 0.001:
        return "<0.001"
    step = Decimal(1).scaleb(-PLACES[kind])
    # a median of published figures, 12.65, may be 12.649999999999999 as a binary number
    rounded = Decimal(repr(round(float(value), 10))).quantize(step, rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,}"
    return f"−{text}" if rounded < 0 else text


def formatted(table: Released, columns: Sequence[dict[str, str]]) -> list[tuple[str, ...]]:
    """The table's rows as texts, symbols in place of what is hidden or absent; never an empty cell."""
    released = must_be_released(table)
    made = [_texts(released.frame[c["name"]], released.symbols[c["name"]], c["kind"]) for c in columns]
    return list(zip(*made, strict=True))


def _texts(values: pd.Series, symbols: pd.Series, kind: str) -> list[str]:
    worded = kind in WORDED
    texts = [("" if pd.isna(v) else str(v)) if worded else format_number(v, kind) for v in values.tolist()]
    return [with_symbol(t, s or ("" if t else "x")) for t, s in zip(texts, symbols.tolist(), strict=True)]


def html_table(
    rows: Sequence[tuple[str, ...]], columns: Sequence[dict[str, str]], caption: str, row_header: str
) -> str:
    """An HTML table with caption, scoped headers and a legend of the symbols that occur."""
    head = "".join(f'<th scope="col">{escape(c["label"])}</th>' for c in columns)
    body = []
    for values in rows:
        cells = [
            f'<th scope="row">{escape(v)}</th>' if c["name"] == row_header else f"<td{_align(c)}>{escape(v)}</td>"
            for c, v in zip(columns, values, strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    numbers = [at for at, c in enumerate(columns) if c["kind"] not in WORDED]
    seen = {values[at] for values in rows for at in numbers}
    used = [s for s in SYMBOLS if s in seen]
    legend = "; ".join(f"{s} = {SYMBOLS[s]}" for s in used)
    after = f"<p class='legend'>{escape(legend)}</p>" if legend else ""
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}">'
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"{region}{table}</table></div>{after}"


def _align(column: dict[str, str]) -> str:
    return {"text": "", "words": ' class="words"'}.get(column["kind"], ' class="number"')


def table_csv(rows: Sequence[tuple[str, ...]], columns: Sequence[dict[str, str]], *, synthetic: bool) -> str:
    """The same table as CSV with plain labels; a synthetic one says so in each row."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([c["label"] for c in columns] + (["Data"] if synthetic else []))
    worded = [c["kind"] in WORDED for c in columns]
    for row in rows:
        plain = [
            v.replace("−", "-") if w else v.replace("−", "-").replace(",", "") for v, w in zip(row, worded, strict=True)
        ]
        writer.writerow([*plain, *(["synthetic"] if synthetic else [])])
    return stream.getvalue()


def behind(table: Released, columns: Sequence[dict[str, str]], title: str, row_header: str) -> tuple[str, str]:
    """The HTML and the CSV of the table behind an exhibit."""
    rows = formatted(table, columns)
    return html_table(rows, columns, title, row_header), table_csv(rows, columns, synthetic=table.synthetic)


def table_exhibit(
    table: Released, *, id: str, title: str, columns: Sequence[dict[str, str]], row_header: str, folded: bool = False
) -> Exhibit:
    """A released table as an exhibit. ``columns``: name, label and kind (text, words, count, percent, points,
    ratio or p).

    ``folded``: only the title shows until the reader opens it.
    """
    html, text = behind(must_be_released(table), columns, title, row_header)
    return Exhibit(
        id,
        "table",
        title,
        alt="",
        body=html,
        table_csv=text,
        source=table.source,
        notes=table.notes,
        synthetic=table.synthetic,
        folded=folded,
    )
