"""Delimited text: encoding, delimiter and heading row found out, every cell as text, ragged rows put aside."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, read_bytes
from jsna.files.headers import bare
from jsna.files.limits import LINE_BYTES, TEXT_BYTES
from jsna.files.result import refused, together

DELIMITERS = ",;\t|"
HEADING_LINES = 20
SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or a file locked with a password",
    b"%PDF": "a PDF",
    b"PAR1": "a parquet file",
    b"\x1f\x8b": "a gzip file without .gz in its name",
    b"SQLite": "an SQLite database",
}


@dataclass(frozen=True)
class TextTable:
    """A delimited file, read: ``frame`` has every cell as text, headings trimmed, and the file's row as its index.

    ``row`` 1 is the file's first line. ``quarantine`` has the rows with too many or too few cells. ``notes`` say what
    was found out about the file (encoding, delimiter, lines above the heading).
    """

    frame: pd.DataFrame
    quarantine: pd.DataFrame
    rows_read: int
    encoding: str
    delimiter: str
    notes: tuple[str, ...] = field(default=())


def read_delimited(
    path: Path,
    member: str | None = None,
    *,
    headings: Iterable[str] = (),
    keep: Callable[[str], bool] | None = None,
    limit: int = TEXT_BYTES,
) -> TextTable:
    """A delimited text file (plain, gzipped, or ``member`` of a zip) as a table of text.

    The heading row is the first line, or, when ``headings`` names some that are wanted, the one of the first twenty
    lines that holds most of them. ``keep`` decides by its heading whether a column is read at all: what it refuses is
    never in memory as a column. Encodings tried are UTF-8 (with or without a mark), UTF-16 with a mark, and
    Windows-1252; delimiters are comma, semicolon, tab and pipe. A heading that stands twice gets a number (``.1``)
    unless both columns hold the same.

    Raises ``SourceError`` when it is not text, is empty, has no rows, or has a line of more than a mebibyte.
    """
    where = path.name if member is None else f"{path.name}, {member}"
    content = read_bytes(path, member, limit)
    return parse_delimited(content, where, headings=headings, keep=keep)


def parse_delimited(
    content: bytes,
    where: str,
    *,
    headings: Iterable[str] = (),
    keep: Callable[[str], bool] | None = None,
) -> TextTable:
    """As ``read_delimited``, from bytes at hand; ``where`` names them in messages."""
    text, encoding = _as_utf8(content, where)
    _refuse_long_lines(text, where)
    lines = _first_lines(text)
    delimiter = _delimiter(lines)
    above = _heading_line(lines, delimiter, list(headings))
    found = [" ".join(h.split()) for h in _split(lines[above], delimiter)]
    body = text if not above else text.split(b"\n", above)[above]
    if not body.partition(b"\n")[2].strip():
        raise SourceError(Problem("The file has no rows.", where=where, mend=AGAIN))
    names = _numbered(found)
    wanted = [n for n, h in zip(names, found, strict=True) if keep is None or keep(h)]
    frame, ragged = _parse(body, where, delimiter, names, wanted)
    _refuse_swallowed(((r[0] + above, r[2]) for r in ragged), where, delimiter, len(names))
    count = len(frame) + len(ragged)
    numbers = np.setdiff1d(np.arange(2, count + 2), [r[0] for r in ragged])
    frame.index = pd.Index(numbers + above)
    for column in frame:
        broken = frame[column][frame[column].str.contains("\n", regex=False)]
        _refuse_swallowed(broken.items(), where, delimiter, len(names))
    blank = (frame == "").all(axis="columns") if len(frame.columns) else pd.Series(False, index=frame.index)
    frame = frame[~blank]
    short = [r for r in ragged if r[2].strip(f' \r\n"{delimiter}')]
    aside = refused(
        where,
        [r[0] + above for r in short],
        "",
        [f"{r[1]} cells" for r in short],
        f"the heading has {len(names)} cells, this row has another number",
        "A comma or a quotation mark inside a cell is the usual cause: export again, or mend the row.",
    )
    empty = int(blank.sum()) + len(ragged) - len(short)
    if frame.empty and not len(aside):
        raise SourceError(Problem("The file has no rows.", where=where, mend=AGAIN))
    return TextTable(
        frame=_without_doubles(frame),
        quarantine=together([aside]),
        rows_read=len(frame) + len(aside),
        encoding=encoding,
        delimiter=delimiter,
        notes=_notes(encoding, delimiter, above, empty),
    )


def read_rows(path: Path, member: str | None = None) -> list[list[str]]:
    """A delimited file that is no plain table (preamble, line breaks in its headings) as rows of cells, comma between.

    For publications whose layout a reader knows; everything else goes through ``read_delimited``.
    """
    where = path.name if member is None else f"{path.name}, {member}"
    text, _ = _as_utf8(read_bytes(path, member, TEXT_BYTES), where)
    _refuse_long_lines(text, where)
    return [[" ".join(c.split()) for c in row] for row in csv_module.reader(io.StringIO(text.decode("utf-8")))]


def first_row(content: bytes, where: str, headings: Iterable[str] = ()) -> list[str]:
    """The headings of a delimited text alone, trimmed: to recognise a file without reading it.

    ``content`` may be the first part of a file. Raises ``SourceError`` when it is not text.
    """
    text, _ = _as_utf8(content, where)
    lines = _first_lines(text)
    delimiter = _delimiter(lines)
    line = lines[_heading_line(lines, delimiter, list(headings))]
    return [" ".join(h.split()) for h in _split(line, delimiter)]


def _parse(
    body: bytes, where: str, delimiter: str, names: list[str], wanted: list[str]
) -> tuple[pd.DataFrame, list[tuple[int, int, str]]]:
    import pyarrow
    from pyarrow import csv

    ragged: list[tuple[int, int, str]] = []

    def put_aside(row) -> str:
        ragged.append((int(row.number), row.actual_columns, row.text))
        return "skip"

    try:
        table = csv.read_csv(
            io.BytesIO(body),
            read_options=csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1, block_size=8 << 20),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=put_aside, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pyarrow.string()), strings_can_be_null=False, include_columns=wanted
            ),
        )
    except pyarrow.ArrowInvalid:
        mend = "A quotation mark that is opened and never closed is the usual cause. " + AGAIN
        raise SourceError(Problem("The file is not a table of text.", where=where, mend=mend)) from None
    return table.to_pandas(), ragged


def _as_utf8(content: bytes, where: str) -> tuple[bytes, str]:
    if not content.strip(b"\xef\xbb\xbf\x00 \r\n\t"):
        raise SourceError(Problem("The file is empty.", where=where, mend=AGAIN))
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature):
            raise SourceError(
                Problem(
                    f"The file is not text: it looks like {kind}.",
                    where=where,
                    mend="Give it the ending that fits, or save it as CSV UTF-8.",
                )
            )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return _one_line_end(content.decode("utf-16").encode()), "UTF-16"
        except UnicodeDecodeError:
            raise SourceError(Problem("The file is not readable as UTF-16 text.", where=where, mend=AGAIN)) from None
    if b"\x00" in content:
        raise SourceError(Problem("The file is not text: it holds zero bytes.", where=where, mend=AGAIN))
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        content.decode("utf-8")
        return _one_line_end(content), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return _one_line_end(content.decode("cp1252").encode()), "Windows-1252"
    except UnicodeDecodeError:
        raise SourceError(
            Problem("The file is neither UTF-8 nor Windows-1252 text.", where=where, mend="Save it as CSV UTF-8.")
        ) from None


def _one_line_end(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _refuse_long_lines(text: bytes, where: str) -> None:
    if len(text) <= LINE_BYTES:
        return
    ends = np.flatnonzero(np.frombuffer(text, dtype="uint8") == 10)
    lengths = np.diff(ends, prepend=-1, append=len(text))
    if lengths.max() > LINE_BYTES:
        raise SourceError(
            Problem(
                f"Line {int(lengths.argmax()) + 1} is {int(lengths.max()) >> 10:,} KiB long, which no table has.",
                where=where,
                expected=f"at most {LINE_BYTES >> 10:,} KiB",
                mend=AGAIN,
            )
        )


def _first_lines(text: bytes) -> list[str]:
    return [line.decode("utf-8", "replace") for line in text[: 4 * LINE_BYTES].split(b"\n", HEADING_LINES)][
        :HEADING_LINES
    ]


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv_module.reader([line], delimiter=delimiter), [""])


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter that cuts the first lines into most cells."""
    counts = {d: max(len(_split(line, d)) for line in lines) for d in DELIMITERS}
    return max(counts, key=lambda d: counts[d])


def _heading_line(lines: Sequence[str], delimiter: str, headings: Sequence[str]) -> int:
    """The position of the heading row: of the line that holds most of ``headings``, else of the first with text."""
    wanted = {bare(h) for h in headings}
    hits = [len(wanted & {bare(cell) for cell in _split(line, delimiter)}) for line in lines]
    if wanted and max(hits) > 0:
        return hits.index(max(hits))
    return next((i for i, line in enumerate(lines) if line.strip(f" {delimiter}")), 0)


def _numbered(names: Sequence[str]) -> list[str]:
    """Headings made unique: the second of a name gets ``.1``, an empty one the name of its position."""
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names, 1):
        name = name or f"column {position}"
        count = seen.get(name, 0)
        unique.append(f"{name}.{count}" if count else name)
        seen[name] = count + 1
    return unique


def _without_doubles(frame: pd.DataFrame) -> pd.DataFrame:
    twice = [c for c in frame.columns if c.endswith(".1") and c[:-2] in frame and frame[c].equals(frame[c[:-2]])]
    return frame.drop(columns=twice)


def _refuse_swallowed(cells: Iterable[tuple], where: str, delimiter: str, width: int) -> None:
    """A cell, or row, that holds whole rows of the table began with a quotation mark that nobody closed."""
    for row, text in cells:
        if max((line.count(delimiter) for line in text.split("\n")[1:]), default=0) >= max(width - 1, 1):
            raise SourceError(
                Problem(
                    f"A quotation mark opens in row {row} and is not closed there: whole rows would be read as one "
                    "cell.",
                    where=where,
                    mend="Close or remove the mark in that row, and run again.",
                )
            )


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
