"""How a delimited text is laid out: its delimiter, the lines above its heading, and the headings."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN
from jsna.files.headers import bare
from jsna.files.limits import COLUMNS, LINE_BYTES

DELIMITERS = ",;\t|"
HEADING_LINES = 20
SAMPLE_LINES = 60
SEPARATOR_LINE = re.compile(r'"?sep=([,;|\t])"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """``headings`` as they stand, white space as one blank; ``above`` rows lie above them; ``start`` is the byte at
    which the first row of the table begins."""

    delimiter: str
    headings: list[str]
    above: int
    start: int


def layout_of(text: bytes, where: str, headings: Sequence[str] = ()) -> Layout:
    """The layout that the first lines of ``text`` (UTF-8, lines ended by ``\\n``) show.

    The heading is the one of the first twenty rows that holds most of ``headings``; without these, the first that is
    not blank. The delimiter is that under which the heading row holds most of ``headings``, then under which most rows
    have as many cells as it. A line ``sep=;`` on top, which Excel writes and reads, decides.

    >>> layout_of(b"Source: A, B and C\\nurn;name\\n1;x\\n", "x.csv", ["urn"])
    Layout(delimiter=';', headings=['urn', 'name'], above=1, start=28)
    """
    lines = [line.decode("utf-8", "replace") for line in _physical_lines(text)]
    said = SEPARATOR_LINE.fullmatch(lines[0])
    wanted = {bare(h) for h in headings}
    best = max((_Guess(lines, d, wanted, bool(said)) for d in (said[1] if said else DELIMITERS)), key=lambda g: g.merit)
    if len(best.heading) > COLUMNS:
        raise SourceError(
            Problem("The heading has more cells than any table.", where=where, value=len(best.heading), mend=AGAIN)
        )
    start = sum(len(line) for line in _physical_lines(text)[: best.last_line])
    return Layout(best.delimiter, [" ".join(h.split()) for h in best.heading], best.above, start)


class _Guess:
    """The first lines, cut at one delimiter."""

    def __init__(self, lines: list[str], delimiter: str, wanted: set[str], said: bool) -> None:
        reader = csv.reader(lines, delimiter=delimiter)
        rows: list[tuple[list[str], int]] = []
        # A cell of over 128 KiB ends the reading: what came before it is all that can be told from.
        with suppress(csv.Error):
            rows.extend((row, reader.line_num) for row in reader)
        rows = rows or [([lines[0]], 1)]
        hits = [len(wanted & {bare(cell) for cell in row}) for row, _ in rows[:HEADING_LINES]]
        filled = [i for i, (row, _) in enumerate(rows) if any(cell.strip() for cell in row) and not (said and i == 0)]
        self.above = hits.index(max(hits)) if max(hits) else next(iter(filled), 0)
        self.heading, self.last_line = rows[self.above]
        self.delimiter = delimiter
        width = len(self.heading)
        below = [len(row) for row, _ in rows[self.above + 1 :]]
        alike = below.count(width) + 1 if width > 1 else 0
        cut = sum(w > 1 for w in below)
        self.merit = (max(hits), alike, width if width > 1 else -cut)


def _physical_lines(text: bytes) -> list[bytes]:
    # A heading row may itself stretch over lines, so more are looked at than can be headings.
    lines = text[: 4 * LINE_BYTES].split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES]
    return [line + b"\n" for line in lines]
