"""Delimited text: encoding, delimiter and heading row found out, every cell as text, ragged rows put aside."""

from __future__ import annotations

import csv as csv_module
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN
from jsna.files.encoding import as_utf8, read_text, refuse_long_lines
from jsna.files.headers import bare
from jsna.files.layout import layout_of
from jsna.files.limits import RAGGED_ROWS, TEXT_BYTES
from jsna.files.result import refused, together

SHOWN = 5
TEXT = re.compile(rb"\S")


@dataclass(frozen=True)
class TextTable:
    """A delimited file, read: ``frame`` has every cell as text, headings trimmed, and the file's row as its index.

    ``row`` 1 is the file's first row, as a spreadsheet shows it. ``quarantine`` has the rows with too many or too few
    cells; ``rows_read`` counts these and the rows of the frame. ``notes`` say what was found out about the file
    (encoding, delimiter, rows above the heading, empty rows, headings that stand twice). ``doubled`` names headings
    that stand over several columns with different cells: the first has its name, the second ``.1`` after it.
    """

    frame: pd.DataFrame
    quarantine: pd.DataFrame
    rows_read: int
    encoding: str
    delimiter: str
    notes: tuple[str, ...] = field(default=())
    doubled: tuple[str, ...] = field(default=())


def read_delimited(
    path: Path,
    member: str | None = None,
    *,
    headings: Iterable[str] = (),
    keep: Callable[[str], bool] | None = None,
    limit: int = TEXT_BYTES,
) -> TextTable:
    """A delimited text file (plain, gzipped, or ``member`` of a zip) as a table of text.

    The heading row is the first that is not blank, or, when ``headings`` names some that are wanted, the one of the
    first twenty rows that holds most of them. ``keep`` decides by its heading whether a column is read at all: what it
    refuses is never in memory as a column. Encodings tried are UTF-8 (with or without a mark), UTF-16, and
    Windows-1252; delimiters are comma, semicolon, tab and pipe. A heading that stands twice gets a number (``.1``)
    unless both columns hold the same.

    Raises ``SourceError`` when it is not text, is empty, has no rows, has a line of more than a mebibyte, opens a
    quotation mark that it does not close, has no row that fits the heading, or has one of ``headings`` twice with
    different cells.
    """
    where = path.name if member is None else f"{path.name}, {member}"
    return parse_delimited(read_text(path, member, where, limit), where, headings=headings, keep=keep)


def parse_delimited(
    content: bytes,
    where: str,
    *,
    headings: Iterable[str] = (),
    keep: Callable[[str], bool] | None = None,
) -> TextTable:
    """As ``read_delimited``, from bytes at hand; ``where`` names them in messages.

    >>> table = parse_delimited(b"Extract of 1 May\\nurn;name\\n1;x\\n2\\n", "x.csv", headings=["urn"])
    >>> table.frame.to_dict("index"), table.quarantine["row"].tolist(), table.rows_read
    ({3: {'urn': '1', 'name': 'x'}}, [4], 2)
    """
    wanted = list(headings)
    text, encoding = as_utf8(content, where)
    del content
    refuse_long_lines(text, where)
    layout = layout_of(text, where, wanted)
    if not TEXT.search(text, layout.start):
        raise SourceError(Problem("The file has no rows.", where=where, mend=AGAIN))
    names = numbered(layout.headings)
    kept = [n for n, h in zip(names, layout.headings, strict=True) if keep is None or keep(h)]
    if not kept:
        raise SourceError(Problem("The file has no column that is wanted.", where=where, mend=AGAIN))
    first = layout.above + 2
    frame, ragged = _parse(text, layout.start, where, layout.delimiter, names, kept)
    count = len(frame) + len(ragged)
    rows = np.setdiff1d(np.arange(first, first + count), [first + r.number for r in ragged])
    frame.index = pd.Index(rows)
    # Only a cell in quotation marks can hold a line break.
    quoted = text.find(b'"', layout.start) >= 0
    doubtful = _with_line_breaks(frame, layout.delimiter, len(names)) if quoted else None
    if doubtful is not None or any(r.broken for r in ragged) or text[text.rfind(b"\n") :].count(b'"') % 2:
        _refuse_open_quotes(text[layout.start :], where, layout.delimiter, first)
    blank = blank_rows(frame)
    if blank.any() and len(kept) < len(names):
        empty = np.array(list(_empty_rows(text[layout.start :], layout.delimiter, first)), dtype="int64")
        blank &= np.isin(rows, empty)
    frame = frame[~blank]
    aside = [r for r in ragged if r.filled]
    if frame.empty:
        raise SourceError(_no_rows(where, len(names), aside))
    quarantine = refused(
        where,
        [first + r.number for r in aside],
        "",
        [f"{r.cells} cells" for r in aside],
        f"the heading has {len(names)} cells, this row has another number",
        "A comma or a quotation mark inside a cell is the usual cause: export again, or mend the row.",
    )
    frame, doubled, double_notes = _without_doubles(frame, names, layout.headings)
    _refuse_doubled(doubled, wanted, where)
    passed = int(blank.sum()) + len(ragged) - len(aside)
    return TextTable(
        frame=frame,
        quarantine=together([quarantine]),
        rows_read=len(frame) + len(aside),
        encoding=encoding,
        delimiter=layout.delimiter,
        notes=(*_notes(encoding, layout.delimiter, layout.above, passed), *double_notes, *_doubt_note(doubtful)),
        doubled=doubled,
    )


def read_rows(path: Path, member: str | None = None) -> list[list[str]]:
    """A delimited file that is no plain table (preamble, line breaks in its headings) as rows of cells, comma between.

    For publications whose layout a reader knows; everything else goes through ``read_delimited``.
    """
    where = path.name if member is None else f"{path.name}, {member}"
    text, _ = as_utf8(read_text(path, member, where, TEXT_BYTES), where)
    refuse_long_lines(text, where)
    return [[" ".join(c.split()) for c in row] for _, row in _strict_rows(text, where, ",", 1)]


def first_row(content: bytes, where: str, headings: Iterable[str] = ()) -> list[str]:
    """The headings of a delimited text alone, trimmed: to recognise a file without reading it.

    ``content`` may be the first part of a file, cut anywhere. Raises ``SourceError`` when it is not text.
    """
    # A character of several bytes may be cut at the end, so the last line is left out where there are others.
    ends = content.rfind(b"\n") if content.count(b"\n") > 1 and b"\x00" not in content[:200] else -1
    text, _ = as_utf8(content[: ends + 1] or content, where)
    return layout_of(text, where, list(headings)).headings


def numbered(names: Sequence[str]) -> list[str]:
    """Headings made unique: the second of a name gets ``.1``, an empty one the name of its position.

    >>> numbered(["a", "", "a", "a.1", "a"])
    ['a', 'column 2', 'a.2', 'a.1', 'a.3']
    """
    given, used, unique = set(names), set(), []
    for position, name in enumerate(names, 1):
        label = name or f"column {position}"
        count = 0
        while label in used or (count and label in given):
            count += 1
            label = f"{name or f'column {position}'}.{count}"
        used.add(label)
        unique.append(label)
    return unique


def blank_rows(frame: pd.DataFrame) -> np.ndarray:
    """Which rows of a frame of text hold nothing but blanks, as a mask; column after column, on the rows left only."""
    left = np.arange(len(frame))
    for column in frame.columns:
        if not len(left):
            break
        left = left[(frame[column].iloc[left].str.strip() == "").to_numpy(dtype=bool)]
    mask = np.zeros(len(frame), dtype=bool)
    mask[left] = True
    return mask


@dataclass(frozen=True)
class _Ragged:
    """A row with another number of cells than the heading: its place below it, whether it has text and line breaks."""

    number: int
    cells: int
    filled: bool
    broken: bool


def _parse(
    text: bytes, start: int, where: str, delimiter: str, names: list[str], wanted: list[str]
) -> tuple[pd.DataFrame, list[_Ragged]]:
    import pyarrow
    from pyarrow import csv

    ragged: list[_Ragged] = []

    def put_aside(row) -> str:
        filled = bool(row.text.strip(f' \n"{delimiter}'))
        ragged.append(_Ragged(int(row.number) - 1, row.actual_columns, filled, "\n" in row.text))
        return "skip" if len(ragged) <= RAGGED_ROWS or not filled else "error"

    try:
        table = csv.read_csv(
            pyarrow.BufferReader(pyarrow.py_buffer(text).slice(start)),
            read_options=csv.ReadOptions(use_threads=False, column_names=names, block_size=8 << 20),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=put_aside, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pyarrow.string()), strings_can_be_null=False, include_columns=wanted
            ),
        )
    except (pyarrow.ArrowInvalid, pyarrow.ArrowCapacityError):
        if sum(r.filled for r in ragged) > RAGGED_ROWS:
            raise SourceError(_no_rows(where, len(names), ragged)) from None
        mend = "A quotation mark that is opened and never closed is the usual cause. " + AGAIN
        raise SourceError(Problem("The file is not a table of text.", where=where, mend=mend)) from None
    return table.to_pandas(), ragged


def _with_line_breaks(frame: pd.DataFrame, delimiter: str, width: int) -> list[int] | None:
    """Rows with a cell that holds what could be whole rows; None where no cell has a line break at all."""
    broken = [cells[hit] for c in frame if (hit := (cells := frame[c]).str.contains("\n", regex=False)).any()]
    if not broken:
        return None
    doubtful = {
        row
        for cells in broken
        for row, cell in cells.items()
        if width > 1 and any(line.count(delimiter) >= width - 1 for line in cell.split("\n")[1:])
    }
    return sorted(doubtful)


def _strict_rows(text: bytes, where: str, delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Rows with their numbers, read by the rules of quotation marks to the letter, which ``_parse`` does not do."""
    reader = csv_module.reader(io.StringIO(text.decode("utf-8")), delimiter=delimiter, strict=True)
    row = first - 1
    try:
        for row, cells in enumerate(reader, first):
            yield row, cells
    except csv_module.Error:
        raise SourceError(
            Problem(
                f"A quotation mark in row {row + 1:,} is not closed there, or a cell of that row is longer than "
                "128 KiB: whole rows would be read as one cell.",
                where=where,
                mend="Close or remove the mark in that row (inside a quoted cell it is written twice), and run again.",
            )
        ) from None


def _refuse_open_quotes(body: bytes, where: str, delimiter: str, first: int) -> None:
    for _ in _strict_rows(body, where, delimiter, first):
        pass


def _empty_rows(body: bytes, delimiter: str, first: int) -> Iterator[int]:
    """Rows without any text: where columns are not read, a row that has text only in these is no empty row."""
    reader = csv_module.reader(io.StringIO(body.decode("utf-8")), delimiter=delimiter)
    try:
        yield from (row for row, cells in enumerate(reader, first) if not any(c.strip() for c in cells))
    except csv_module.Error:
        # A cell of over 128 KiB: the rows below it are kept, so that nothing is lost.
        return


def _no_rows(where: str, width: int, aside: Sequence[_Ragged]) -> Problem:
    if not aside:
        return Problem("The file has no rows.", where=where, mend=AGAIN)
    counts = sorted({r.cells for r in aside})[:SHOWN]
    return Problem(
        "The rows do not have as many cells as the heading.",
        where=where,
        value=f"rows of {', '.join(map(str, counts))} cells under a heading of {width}",
        mend="Is the heading row whole, and are all rows separated by one kind of mark?",
    )


def _without_doubles(
    frame: pd.DataFrame, names: Sequence[str], found: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...], list[str]]:
    """The frame without second columns that repeat the first; headings over different cells; what was done."""
    first: dict[str, str] = {}
    same, doubled = [], {}
    for name, heading in zip(names, found, strict=True):
        if not heading or name not in frame:
            continue
        if heading not in first:
            first[heading] = name
        elif frame[name].equals(frame[first[heading]]):
            same.append(name)
        else:
            doubled.setdefault(heading, []).append(name)
    notes = [f"{len(same)} columns that repeat another under the same heading were left out."] if same else []
    notes += [
        f"The heading {h!r} stands twice over different cells: read as {', '.join([h, *n])}."
        for h, n in doubled.items()
    ]
    return frame.drop(columns=same), tuple(doubled), notes


def _refuse_doubled(doubled: Sequence[str], wanted: Iterable[str], where: str) -> None:
    needed = {bare(h) for h in wanted}
    problems = [
        Problem(
            "A heading that is needed stands over two columns with different cells.",
            where=where,
            value=heading,
            mend="Rename or remove the column that is not meant, and run again.",
        )
        for heading in doubled
        if bare(heading) in needed
    ]
    if problems:
        raise SourceError(*problems)


def _doubt_note(rows: list[int] | None) -> tuple[str, ...]:
    if not rows:
        return ()
    named = ", ".join(f"{r:,}" for r in rows[:SHOWN]) + (" and others" if len(rows) > SHOWN else "")
    return (f"A cell holds line breaks with what could be whole rows: look at row {named}.",)


def _notes(encoding: str, delimiter: str, above: int, empty: int) -> tuple[str, ...]:
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
    notes = []
    if encoding != "UTF-8" or delimiter != ",":
        notes.append(f"Read as {encoding} text, separated by {names[delimiter]}.")
    if above:
        notes.append(f"{above} lines above the heading row were passed over.")
    if empty:
        notes.append(f"{empty} empty lines were passed over.")
    return tuple(notes)
