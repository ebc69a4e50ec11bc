"""From bytes to UTF-8 text with one kind of line end; what is no text, or has a line without end, is refused early."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, open_stream
from jsna.files.limits import LINE_BYTES

SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or a file locked with a password",
    b"%PDF": "a PDF",
    b"PAR1": "a parquet file",
    b"\x1f\x8b": "a gzip file without .gz in its name",
    b"SQLite": "an SQLite database",
    b"<?xml": "XML",
    b"<!doctype": "a web page (a page to log in at, perhaps)",
    b"<html": "a web page (a page to log in at, perhaps)",
    b"{\\rtf": "a word processor's document",
}
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MARK = b"\xef\xbb\xbf"
NOT_ASCII = re.compile(rb"[\x80-\xff]")
TEXT = re.compile(rb"\S")
SEEN = 4096


def read_text(path: Path, member: str | None, where: str, limit: int) -> bytes:
    """The content of a text file, not yet decoded; what shows early that it is no table is refused early.

    A file of two gigabytes in one line is refused after its second mebibyte, a zip named .csv after its first.
    """
    out, open_line = io.BytesIO(), 0
    with open_stream(path, member, limit) as stream:
        for piece in stream.pieces():
            if not out.tell():
                refuse_signature(piece, where)
            ends = [i for end in (b"\n", b"\r") if (i := piece.find(end)) >= 0]
            if not ends:
                open_line += len(piece)
            elif (open_line := open_line + min(ends)) <= LINE_BYTES:
                open_line = len(piece) - 1 - max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            if open_line > LINE_BYTES:
                raise SourceError(_long_line(where, "A line", ""))
            out.write(piece)
    return out.getvalue()


def as_utf8(content: bytes, where: str) -> tuple[bytes, str]:
    """The text as UTF-8 without marks, every line ended by ``\\n``, and what it was written in.

    Tried in turn: UTF-16 (with a mark, or told by its zero bytes), UTF-8, and, line by line, Windows-1252 where a line
    is not UTF-8: two exports pasted together can be both. Raises ``SourceError`` for what is empty or no text.

    >>> as_utf8("a,b\\r\\n1,£".encode("cp1252"), "x.csv")
    (b'a,b\\n1,\\xc2\\xa3', 'Windows-1252')
    """
    refuse_signature(content[:SEEN], where)
    text, encoding = _decoded(content, where)
    if MARK in text:
        text = text.replace(MARK, b"")
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    _refuse_zeros(text, where)
    if not TEXT.search(text):
        raise SourceError(Problem("The file is empty.", where=where, mend=AGAIN))
    return text, encoding


def refuse_signature(start: bytes, where: str) -> None:
    """Raise ``SourceError`` when the first bytes are those of a known kind of file that is no delimited text."""
    low = start[:SEEN].removeprefix(MARK).lstrip()[:16].lower()
    for signature, kind in SIGNATURES.items():
        if low.startswith(signature.lower()):
            raise SourceError(
                Problem(
                    f"The file is not a table of text: it looks like {kind}.",
                    where=where,
                    mend="Give it the ending that fits, or save it as CSV UTF-8.",
                )
            )


def refuse_long_lines(text: bytes, where: str) -> None:
    """Raise ``SourceError`` when a line is longer than a mebibyte, which none of an honest table is."""
    if len(text) <= LINE_BYTES:
        return
    ends = np.flatnonzero(np.frombuffer(text, dtype="uint8") == 10)
    lengths = np.diff(ends, prepend=-1, append=len(text))
    if lengths.max() > LINE_BYTES:
        line = int(lengths.argmax())
        raise SourceError(_long_line(where, f"Line {line + 1:,}", f"{int(lengths[line]) >> 10:,} KiB"))


def _decoded(content: bytes, where: str) -> tuple[bytes, str]:
    name = MARKS.get(content[:2]) or _unmarked_utf16(content[:SEEN])
    if name:
        try:
            return content.decode(name).encode(), "UTF-16"
        except UnicodeError:
            raise SourceError(Problem("The file is not readable as UTF-16 text.", where=where, mend=AGAIN)) from None
    _refuse_zeros(content, where)
    if _is_utf8(content):
        return content, "UTF-8"
    return _line_by_line(content, where)


def _refuse_zeros(text: bytes, where: str) -> None:
    place = text.find(b"\x00")
    if place >= 0:
        line = text.count(b"\n", 0, place) + 1
        raise SourceError(Problem(f"The file is not text: line {line:,} holds a zero byte.", where=where, mend=AGAIN))


def _unmarked_utf16(start: bytes) -> str:
    """The kind of UTF-16 whose zero bytes the first bytes show: in English text nearly every second byte is zero."""
    pairs = np.frombuffer(start[: len(start) // 2 * 2], dtype="uint8").reshape(-1, 2)
    if not len(pairs):
        return ""
    first, second = (pairs == 0).mean(axis=0)
    if second > 0.5 > 0.05 > first:
        return "utf-16-le"
    return "utf-16-be" if first > 0.5 > 0.05 > second else ""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line_by_line(content: bytes, where: str) -> tuple[bytes, str]:
    lines = content.split(b"\n")
    utf8 = False
    for number, line in enumerate(lines):
        if not NOT_ASCII.search(line):
            continue
        if _is_utf8(line):
            utf8 = True
            continue
        try:
            lines[number] = line.decode("cp1252").encode()
        except UnicodeDecodeError as error:
            raise SourceError(
                Problem(
                    f"The file is neither UTF-8 nor Windows-1252 text: see line {number + 1:,}, byte "
                    f"{error.start + 1:,}.",
                    where=where,
                    value=f"0x{line[error.start]:02x}",
                    mend="Save it as CSV UTF-8.",
                )
            ) from None
    return b"\n".join(lines), "partly UTF-8, partly Windows-1252" if utf8 else "Windows-1252"


def _long_line(where: str, line: str, size: str) -> Problem:
    return Problem(
        f"{line} is longer than any table's.",
        where=where,
        value=size or None,
        expected=f"lines of at most {LINE_BYTES >> 10:,} KiB",
        mend="Is it another kind of file, or one that lost its line ends? " + AGAIN,
    )
