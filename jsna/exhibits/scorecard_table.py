"""A table for a board: one row a measure, grouped, with a small picture of its history; one page, or one column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from jsna.disclosure import SYMBOLS, Released
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import must_be_released

WIDTH, HEIGHT, MARGIN = 72, 18, 3
History = Sequence[tuple[str, float, bool]]


def sparkline(history: History, words: str) -> str:
    """A line of at most some ten figures as a small picture, with ``words`` in its place for those who cannot see it.

    ``history``: period, value and whether earlier figures cannot be compared with it, oldest first. The line is cut at
    a break, which a dashed upright marks, and at a missing value; the last figure has a dot. Fewer than two values give
    no picture.

    >>> sparkline([("2024", 1.0, False)], "one figure")
    ''
    """
    values = np.array([v for _, v, _ in history], dtype="float64")
    there = np.isfinite(values)
    if there.sum() < 2:
        return ""
    x = MARGIN + np.arange(len(values)) * (WIDTH - 2 * MARGIN) / (len(values) - 1)
    low, high = values[there].min(), values[there].max()
    share = (values - low) / (high - low) if high > low else np.where(there, 0.5, np.nan)
    y = HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)
    cut = np.array([b for _, _, b in history]) & (np.arange(len(values)) > 0)
    run = np.cumsum(cut | ~there)
    pieces = [np.flatnonzero((run == k) & there) for k in np.unique(run[there])]
    lines = "".join(
        f'<polyline points="{" ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in piece)}"/>'
        if len(piece) > 1
        else f'<circle cx="{x[piece[0]]:.1f}" cy="{y[piece[0]]:.1f}" r="1"/>'
        for piece in pieces
    )
    middle = [(x[i - 1] + x[i]) / 2 for i in np.flatnonzero(cut)]
    marks = "".join(f'<path class="break" d="M{m:.1f} 0V{HEIGHT}"/>' for m in middle)
    last = np.flatnonzero(there)[-1]
    dot = f'<circle class="last" cx="{x[last]:.1f}" cy="{y[last]:.1f}" r="2.2"/>'
    return (
        f'<svg class="spark" role="img" aria-label="{escape(words, quote=True)}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{marks}{lines}{dot}</svg>'
    )


def scorecard_table(
    released: Released,
    *,
    id: str,
    title: str,
    columns: Sequence[dict[str, str]],
    row_header: str,
    section: str,
    beneath: str = "",
    csv_columns: Sequence[dict[str, str]] = (),
    legend: Sequence[str] = (),
    after: str = "",
    extras: dict[str, Any] | None = None,
) -> Exhibit:
    """Rows under headings, made to fit one printed page and to stand as blocks on a narrow screen.

    ``columns``: name, label and kind, where ``text`` is a cell of words, ``number`` one of figures, and ``trend`` a
    column of words whose picture comes from the column ``<name>_history``. ``section`` is the column of headings, whose
    rows must lie together; rows in which ``beneath`` is true are set under the row before them. ``legend`` are
    sentences below the table, ``after`` is HTML that belongs on the same page. An empty cell is shown as ``z``.
    """
    table = must_be_released(released)
    cells = {c["name"]: _cells(table, c) for c in columns}
    under = table.frame[beneath].to_numpy(bool) if beneath else np.zeros(len(table.frame), bool)
    headings = table.frame[section].astype(str).to_numpy()
    starts = np.r_[True, headings[1:] != headings[:-1]] if len(headings) else np.zeros(0, bool)
    rows = [
        (_heading(headings[i], len(columns)) if starts[i] else "")
        + _row(columns, {name: column[i] for name, column in cells.items()}, row_header, bool(under[i]))
        for i in range(len(table.frame))
    ]
    head = "".join(f'<th scope="col" role="columnheader">{escape(c["label"])}</th>' for c in columns)
    body = (
        f'<table class="scorecard" role="table" style="--rows:{len(rows)}"><caption>{escape(title)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )
    explained = [*_symbols([w for c in columns for w in _words(table, c["name"])]), *legend]
    body += f'<p class="legend">{escape(" ".join(explained))}</p>' if explained else ""
    return Exhibit(
        id,
        "table",
        title,
        body=body + after,
        table_csv=_csv(table, csv_columns or [c for c in columns], section),
        source=table.source,
        notes=table.notes,
        synthetic=table.synthetic,
        extras=extras or {},
    )


def _cells(table: Released, column: dict[str, str]) -> list[str]:
    html = [escape(word) for word in _words(table, column["name"])]
    if column["kind"] != "trend":
        return html
    pictures = table.frame[f"{column['name']}_history"]
    alternatives = table.frame[f"{column['name']}_alt"]
    return [sparkline(h, a) + f" {w}" for h, a, w in zip(pictures, alternatives, html, strict=True)]


def _heading(text: str, span: int) -> str:
    cell = f'<th scope="rowgroup" role="rowheader" colspan="{span}">{escape(text)}</th>'
    return f'<tr class="section" role="row">{cell}</tr>'


def _row(columns: Sequence[dict[str, str]], cells: dict[str, str], row_header: str, under: bool) -> str:
    labels = {c["name"]: escape(c["label"], quote=True) for c in columns}
    made = [
        f'<th scope="row" role="rowheader">{cells[c["name"]]}</th>'
        if c["name"] == row_header
        else f'<td role="cell" class="{c["kind"]}" data-label="{labels[c["name"]]}">{cells[c["name"]]}</td>'
        for c in columns
    ]
    return f'<tr role="row"{" class=beneath" if under else ""}>{"".join(made)}</tr>'


def _symbols(words: Sequence[str]) -> list[str]:
    """A sentence for each symbol that stands in a cell, alone or with a period in brackets."""
    used = {word.split(" (")[0] for word in words}
    return [f"{symbol} = {words}." for symbol, words in SYMBOLS.items() if symbol in used]


def _csv(table: Released, columns: Sequence[dict[str, str]], section: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["Section", *(c["label"] for c in columns), *(["Data"] if table.synthetic else [])])
    text = [_words(table, name) for name in (section, *(c["name"] for c in columns))]
    rows = zip(*text, strict=True)
    writer.writerows([*(w.replace("−", "-") for w in row), *(["synthetic"] if table.synthetic else [])] for row in rows)
    return stream.getvalue()


def _words(table: Released, name: str) -> list[str]:
    """A column as texts: a symbol in place of what is hidden or absent, ``z`` in place of nothing."""
    pairs = zip(table.frame[name], table.symbols[name], strict=True)
    texts = [symbol or ("" if value is None or value != value else str(value)) for value, symbol in pairs]
    return [text or "z" for text in texts]
