"""Every text inside a file: as it stands, inside base64, inside zipped documents, inside pictures, unescaped."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

DEEPEST = 5
# A run of this length is a file inside the file, and no key: it is read decoded, not as it stands.
LONG_RUN = 200
LARGEST_BYTES = 200_000_000
UNREADABLE = "\0cannot be read"
_ENCODED = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}|(?:[A-Za-z0-9+/]{60,80}\\n)+[A-Za-z0-9+/]*={0,2}")
# The course of a line in a picture: letters of commands and numbers, apart by spaces, and nothing else.
_COURSE = re.compile(r'(?<= d=")(?:[MLHVCSQTAZmlhvcsqtaz](?:\s+-?[\d.]+)*\s+)+(?=z?\s*")')
_SHORT_ENCODED = re.compile(r"base64,([A-Za-z0-9+/]{8,}={0,2})")
_SPOILT = (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError)
_PRINTABLE = re.compile(rb"[\x20-\x7e\t\r\n\x80-\xff]*")


@dataclass(frozen=True)
class Piece:
    """A text of ``file``; ``inside`` says how it was reached (empty: as it stands)."""

    file: str
    inside: str
    text: str


def pieces(file: str, content: bytes, seen: set[bytes] | None = None) -> Iterator[Piece]:
    """The texts of a file's bytes, each once: what is inside what is inside it too.

    >>> [p.inside for p in pieces("a.txt", b"src=data:text/plain;base64,TFUxIDJBQg==")]
    ['', 'base64']
    """
    yield from _inside(file, "", content, seen if seen is not None else set(), 0)


def _inside(file: str, inside: str, content: bytes, seen: set[bytes], depth: int) -> Iterator[Piece]:
    mark = zlib.crc32(content).to_bytes(4, "big") + len(content).to_bytes(8, "big")
    if depth > DEEPEST or not content or mark in seen:
        return
    seen.add(mark)
    if content[:2] == b"PK":
        yield from _zipped(file, inside, content, seen, depth)
        return
    if content[:2] == b"\x1f\x8b":
        yield from _unzipped(file, inside, content, seen, depth)
        return
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        for chunk in _png_texts(content):
            yield from _inside(file, f"{inside} picture's text".strip(), chunk, seen, depth + 1)
        return
    yield from _text(file, inside, _decoded(content), seen, depth)


def _text(file: str, inside: str, text: str, seen: set[bytes], depth: int) -> Iterator[Piece]:
    runs = set(_ENCODED.findall(text))
    short = _ENCODED.sub(lambda m: m.group() if len(m.group()) < LONG_RUN else " ", text) if runs else text
    yield Piece(file, inside, _COURSE.sub("", short))
    for run in runs | set(_SHORT_ENCODED.findall(text)):
        decoded = _from_base64(run.replace("\\n", ""))
        if decoded:
            yield from _inside(file, f"{inside} base64".strip(), decoded, seen, depth + 1)
    for how, other in (("unescaped", _unescaped(text)), ("JSON text", _json_strings(text))):
        if other and other != text:
            yield from _inside(file, f"{inside} {how}".strip(), other.encode(), seen, depth + 1)


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    return content.decode("utf-8", errors="replace")


def _unescaped(text: str) -> str:
    plain = html.unescape(text) if "&" in text else text
    return unquote(plain) if re.search(r"%[2-7][0-9A-Fa-f]", plain) else plain


def _json_strings(text: str) -> str:
    """The strings of a JSON text that holds escapes, one a line."""
    if text[:1] not in "{[" or "\\" not in text:
        return ""
    found: list[str] = []
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return ""
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting += [*value.values(), *value.keys()]
        elif isinstance(value, list):
            joined = all(isinstance(v, str) for v in value)
            waiting += ["".join(value)] if joined else value
    return "\n".join(reversed(found))


def _from_base64(run: str) -> bytes:
    """What a run of base64 holds, or nothing when that is neither text nor a file of a known kind."""
    run = run[: len(run) - len(run) % 4] if not run.endswith("=") else run
    try:
        decoded = base64.b64decode(run, validate=True)
    except binascii.Error:
        return b""
    known = decoded[:2] in (b"PK", b"\x1f\x8b") or decoded[:4] == b"\x89PNG"
    whole = _PRINTABLE.match(decoded)
    ascii_share = sum(b < 128 for b in decoded[:400]) / max(1, len(decoded[:400]))
    return decoded if known or (whole and whole.end() == len(decoded) and ascii_share > 0.8) else b""


def _zipped(file: str, inside: str, content: bytes, seen: set[bytes], depth: int) -> Iterator[Piece]:
    """The members of a zip file, its comment and their names; workbooks and documents are such files."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        yield Piece(file, inside, _decoded(content))
        yield Piece(file, inside, UNREADABLE)
        return
    with archive:
        notes = "\n".join([*(i.filename for i in archive.infolist()), archive.comment.decode("utf-8", "replace")])
        yield Piece(file, f"{inside} zip names".strip(), notes)
        left = LARGEST_BYTES
        for info in archive.infolist():
            left -= info.file_size
            try:
                member = archive.read(info) if left >= 0 else None
            except (*_SPOILT, RuntimeError, NotImplementedError):
                member = None
            if member is None:
                yield Piece(file, f"{inside} {info.filename}".strip(), UNREADABLE)
                continue
            yield from _inside(file, f"{inside} {info.filename}".strip(), member, seen, depth + 1)
            text = re.sub(r"<[^>]+>", " ", _decoded(member)) if member[:1] == b"<" else ""
            if text.strip():
                yield from _inside(file, f"{inside} {info.filename} text".strip(), text.encode(), seen, depth + 1)


def _unzipped(file: str, inside: str, content: bytes, seen: set[bytes], depth: int) -> Iterator[Piece]:
    try:
        plain = gzip.GzipFile(fileobj=io.BytesIO(content)).read(LARGEST_BYTES)
    except _SPOILT:
        yield Piece(file, f"{inside} gzip".strip(), UNREADABLE)
        return
    yield from _inside(file, f"{inside} gzip".strip(), plain, seen, depth + 1)


def _png_texts(content: bytes) -> Iterator[bytes]:
    """The text chunks of a PNG, unpacked."""
    at = 8
    while at + 8 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"eXIf", b"iTXt", b"zTXt"):
            yield body.replace(b"\0", b" ")
            for start in (m.end() for m in re.finditer(b"\0", body)):
                try:
                    yield zlib.decompress(body[start:])
                except zlib.error:
                    continue
        at += 12 + length
