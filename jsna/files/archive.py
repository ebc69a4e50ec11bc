"""Zip and gzip files, opened so that nothing climbs out of them and nothing swells beyond measure."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.limits import (
    ARCHIVE_MEMBERS,
    DIRECTORY_BYTES,
    RATIO_FREE_BYTES,
    UNPACKED_BYTES,
    UNPACKING_RATIO,
)

AGAIN = "Download or export it again, and compare its size with the sender's."
SHOWN = 5
PIECE = 1 << 20
# What a damaged or hostile archive makes the standard library raise (RuntimeError: a password that is not flagged).
UNREADABLE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
LOCAL_HEADER, DIRECTORY_END, DIRECTORY_END_64 = 30, b"PK\x05\x06", b"PK\x06\x06"


class Stream:
    """A file, or member of an archive, to be read once; ``read`` refuses what is damaged or swells beyond measure."""

    def __init__(self, inner: IO[bytes], where: str, packed: int, limit: int) -> None:
        self.inner, self.where, self.packed, self.limit = inner, where, packed, limit
        self.size = 0

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most ``size``; none at the end. Raises ``SourceError`` as the class says."""
        try:
            piece = self.inner.read(size)
        except UNREADABLE as error:
            raise SourceError(_cut(self.where, error)) from None
        self.size += len(piece)
        if self.size > self.limit or (self.size > RATIO_FREE_BYTES and self.size > UNPACKING_RATIO * self.packed):
            raise SourceError(_swells(self.where, self.size, self.packed))
        return piece

    def pieces(self) -> Iterator[bytes]:
        """All that is left, in pieces of a mebibyte."""
        while piece := self.read():
            yield piece


@contextmanager
def open_stream(path: Path, member: str | None = None, limit: int = UNPACKED_BYTES) -> Iterator[Stream]:
    """A file, a gzip file unpacked, or one ``member`` of a zip, as a stream.

    ``member`` is its full name in the archive or the last part of that. Raises ``SourceError`` for a file that is
    missing, locked, a folder or over ``limit`` bytes, for what ``open_zip`` refuses, and for a member that is not
    there, stands twice or is locked; reading on raises it too, as ``Stream`` says.
    """
    if member is not None:
        with open_zip(path) as archive:
            info = named(archive, member, path.name)
            where = f"{path.name}, {info.filename}"
            if info.file_size > limit:
                raise SourceError(_too_large(where, info.file_size, limit))
            try:
                inner = archive.open(info)
            except UNREADABLE as error:
                raise SourceError(_cut(where, error)) from None
            with inner:
                yield Stream(inner, where, max(info.compress_size, 1), limit)
        return
    inner, size = _opened(path)
    with inner:
        if path.suffix.casefold() == ".gz":
            with gzip.GzipFile(fileobj=inner) as unpacked:
                yield Stream(unpacked, path.name, max(size, 1), limit)
            return
        if size > limit:
            raise SourceError(_too_large(path.name, size, limit))
        # A plain file cannot swell: whatever it grows to while it is read, it has packed nothing.
        yield Stream(inner, path.name, limit, limit)


def read_bytes(path: Path, member: str | None = None, limit: int = UNPACKED_BYTES) -> bytes:
    """The content of a file, of a gzip file unpacked, or of one ``member`` of a zip, at most ``limit`` bytes.

    For small files: the whole content is in memory. Raises ``SourceError`` as ``open_stream`` does.
    """
    with open_stream(path, member, limit) as stream:
        out = io.BytesIO()
        for piece in stream.pieces():
            out.write(piece)
        return out.getvalue()


def open_zip(path: Path) -> zipfile.ZipFile:
    """A zip whose members have been looked at: none is locked, climbs out of it, overlaps another or swells.

    Raises ``SourceError`` with the first problems of its members, and for a file that is no whole zip.
    """
    stream, size = _opened(path)
    with stream:
        if _directory_size(stream, size) > DIRECTORY_BYTES:
            raise SourceError(_too_many(path.name))
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise SourceError(_cut(path.name, error)) from None
    infos = archive.infolist()
    problems = [p for info in infos if (p := _member_problem(info, path.name))]
    if len(problems) > SHOWN:
        problems = [*problems[:SHOWN], Problem(f"{len(problems) - SHOWN} more members are like these.", path.name)]
    if len(infos) > ARCHIVE_MEMBERS:
        problems = [_too_many(path.name)]
    total = sum(info.file_size for info in infos)
    if _overlap(infos, size):
        problems.append(
            Problem(
                "Members of the archive share the same bytes, which no honest archive does, so nothing was unpacked.",
                where=path.name,
                mend="Ask the sender how it was made; do not open it by hand.",
            )
        )
    elif total > UNPACKED_BYTES:
        problems.append(_too_large(path.name, total, UNPACKED_BYTES))
    elif total > RATIO_FREE_BYTES and total > UNPACKING_RATIO * size:
        problems.append(_swells(path.name, total, size))
    if problems:
        archive.close()
        raise SourceError(*problems)
    return archive


def member_names(path: Path) -> list[str]:
    """The names of the files in a zip, without folders, in the order of the archive."""
    with open_zip(path) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


def read_member(archive: zipfile.ZipFile, name: str, where: str, limit: int = UNPACKED_BYTES) -> bytes:
    """The content of one member, by its full name, of an archive from ``open_zip``."""
    try:
        info = archive.getinfo(name)
        with archive.open(info) as inner:
            return b"".join(Stream(inner, f"{where}, {name}", max(info.compress_size, 1), limit).pieces())
    except UNREADABLE as error:
        raise SourceError(_cut(f"{where}, {name}", error)) from None


def named(archive: zipfile.ZipFile, member: str, where: str) -> zipfile.ZipInfo:
    """The one member of this full name, or, when there is none, of this last part of its name."""
    infos = [i for i in archive.infolist() if not i.is_dir()]
    hits = [i for i in infos if i.filename == member] or [i for i in infos if PurePosixPath(i.filename).name == member]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise SourceError(Problem("The zip holds this name twice.", where=where, value=member))
    mend = did_you_mean(member, (PurePosixPath(i.filename).name for i in infos))
    raise SourceError(Problem("The zip lacks a table.", where=where, value=member, mend=mend))


def cannot_open(where: str, error: OSError) -> Problem:
    """Why a file could not be opened, for the person who can change that."""
    if isinstance(error, FileNotFoundError):
        return Problem("The file is missing.", where=where, mend="Put it there and run again.")
    if isinstance(error, IsADirectoryError):
        return Problem("This is a folder, not a file.", where=where, mend="Name the file in it.")
    if isinstance(error, PermissionError):
        mend = "Close it in other programs, ask for the right to read it, and run again."
        return Problem("The file may not be read.", where=where, mend=mend)
    mend = "Copy it to this computer's disk and run again."
    return Problem(f"The file cannot be opened ({error.strerror or type(error).__name__}).", where=where, mend=mend)


def _opened(path: Path) -> tuple[IO[bytes], int]:
    """The file and its size; only a regular file is opened, because a pipe or a device never ends."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(Problem("This is a pipe or a device, not a file.", where=path.name))
        return path.open("rb"), status.st_size
    except OSError as error:
        raise SourceError(cannot_open(path.name, error)) from None
    except ValueError:
        raise SourceError(Problem("The file's name has a character that no name may have.", where="path")) from None


def _directory_size(stream: IO[bytes], size: int) -> int:
    """The size that a zip says its list of members has; 0 where it does not say. Read before the list itself is,
    because the standard library reads all of it, at seconds a million members."""
    try:
        stream.seek(max(size - (1 << 16) - 98, 0))
        tail = stream.read()
    except OSError:
        return 0
    end, end_64 = tail.rfind(DIRECTORY_END), tail.rfind(DIRECTORY_END_64)
    sizes = [0]
    if end_64 >= 0 and len(tail) >= end_64 + 48:
        sizes += struct.unpack_from("<Q", tail, end_64 + 40)
    if end >= 0 and len(tail) >= end + 16:
        sizes += [s for s in struct.unpack_from("<I", tail, end + 12) if s != 0xFFFFFFFF]
    return max(sizes)


def _member_problem(info: zipfile.ZipInfo, where: str) -> Problem | None:
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0] or "\x00" in name:
        return Problem(
            "A name in the archive points out of it, so nothing was unpacked.",
            where=where,
            value=info.orig_filename[:200],
            mend="Ask the sender how it was made; do not open it by hand.",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        return Problem(
            "A member of the archive is a link to another file, so nothing was unpacked.",
            where=where,
            value=info.filename[:200],
            mend="Ask the sender for the file itself.",
        )
    if info.flag_bits & 1:
        return Problem(
            "The archive is locked with a password.",
            where=where,
            value=info.filename[:200],
            mend="Unpack it yourself, and name the unpacked file.",
        )
    if info.file_size > RATIO_FREE_BYTES and info.file_size > UNPACKING_RATIO * max(info.compress_size, 1):
        return _swells(f"{where}, {info.filename[:200]}", info.file_size, info.compress_size)
    return None


def _overlap(infos: Sequence[zipfile.ZipInfo], size: int) -> bool:
    """Whether packed members overlap or reach past the file's end: one stretch of bytes unpacked many times over."""
    spans = sorted((i.header_offset, i.header_offset + LOCAL_HEADER + i.compress_size) for i in infos)
    starts = [*(start for start, _ in spans), size]
    return any(end > start for (_, end), start in zip(spans, starts[1:], strict=True))


def _cut(where: str, error: BaseException) -> Problem:
    if isinstance(error, (PermissionError, FileNotFoundError)):
        return cannot_open(where, error)
    return Problem(f"The file cannot be read; it may be cut short ({type(error).__name__}).", where=where, mend=AGAIN)


def _swells(where: str, size: int, packed: int) -> Problem:
    return Problem(
        "The file swells beyond measure when unpacked, which no honest export does, so reading was stopped.",
        where=where,
        value=f"{size >> 20:,} MiB or more from {max(packed >> 10, 1):,} KiB",
        expected=f"at most {UNPACKING_RATIO} times its size",
        mend="Unpack it yourself and look at it; it may be damaged or hostile.",
    )


def _too_large(where: str, size: int, limit: int) -> Problem:
    return Problem(
        "The file is too large to be read.",
        where=where,
        value=f"{size >> 20:,} MiB",
        expected=f"at most {limit >> 20:,} MiB",
        mend="Cut it to the columns and years that are needed, or bring it as parquet or from a database.",
    )


def _too_many(where: str) -> Problem:
    return Problem(
        "The archive has too many members.",
        where=where,
        expected=f"at most {ARCHIVE_MEMBERS:,}",
        mend="Unpack it yourself, and name the file that is wanted.",
    )
