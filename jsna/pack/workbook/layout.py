"""Widths of columns and heights of rows, set so that no text is cut in any program that opens the workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

COVER_WIDTH = 90
WIDEST, NARROWEST = 60.0, 9
ARIAL_12 = 1.25  # the width of a letter of Arial 12 beside that which a column's width counts in
LINE = 15.75  # points
MOST_HEIGHT = 409.0  # of a row, in points: no program shows more
LISTS = (34.0, 100.0)
LIST_HEAD = 3
A4 = 9
WIDEST_PAGE = 230  # letters that can still be read on one page across


def lay_out_cover(sheet: Any, texts: Sequence[str]) -> None:
    """The cover: ``texts`` row by row, empty for a heading, which keeps its own height."""
    _page(sheet)
    for row, text in enumerate(texts):
        if row and text:
            sheet.set_row(row, height([text], [COVER_WIDTH]))


def lay_out_list(sheet: Any, texts: Sequence[str]) -> None:
    """Contents and notes: a name, and ``texts`` beside it from the fourth row on."""
    _page(sheet)
    for column, width in enumerate(LISTS):
        sheet.set_column(column, column, width)
    for row, text in enumerate(texts, start=LIST_HEAD):
        sheet.set_row(row, height([text], [LISTS[1]]))


def lay_out_table(sheet: Any, frame: pd.DataFrame, head: int) -> None:
    """A table whose heading stands in row ``head``, counted from nought."""
    widths = [_width(str(heading), frame[heading].map(str)) for heading in frame.columns]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    _page(sheet, one_across=sum(widths) <= WIDEST_PAGE)
    sheet.set_row(head, height([f"{c} " for c in frame.columns], [w * 0.9 for w in widths]))
    for row, values in enumerate(frame.itertuples(index=False), start=head + 1):
        sheet.set_row(row, height([str(v) for v in values], widths))


def height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """The height in points of a row of wrapped texts in columns of these widths.

    >>> height(["a" * 80, "b"], [60, 10])
    31.5
    """
    lines = max(math.ceil(len(t) * 1.04 / w) for t, w in zip(texts, widths, strict=True))
    return min(MOST_HEIGHT, LINE * max(1, lines))


def _page(sheet: Any, *, one_across: bool = True) -> None:
    """Landscape paper, one page across where that can still be read."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    if one_across:
        sheet.fit_to_pages(1, 0)


def _width(heading: str, texts: pd.Series) -> float:
    """Wide enough for the longest word of the heading and for the cells, up to a limit at which they wrap."""
    word = max(len(w) for w in heading.split())
    return min(WIDEST, ARIAL_12 * max(NARROWEST, word + 2, min(int(texts.str.len().max()) + 1, 44)))
