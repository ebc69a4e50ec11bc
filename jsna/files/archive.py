"""Zip and gzip files, opened so that nothing climbs out of them and nothing swells beyond measure."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.limits import ARCHIVE_MEMBERS, RATIO_FREE_BYTES, UNPACKED_BYTES, UNPACKING_RATIO

AGAIN = "Download or export it again, and compare its size with the sender's."


def read_bytes(path: Path, member: str | None = None, limit: int = UNPACKED_BYTES) -> bytes:
    """The content of a file, of a gzip file unpacked, or of one ``member`` of a zip.

    ``member`` is the last part of its name in the archive. Raises ``SourceError`` for a missing, cut, encrypted or
    swollen file, for a member that is not there or stands twice, and for anything over ``limit`` bytes.
    """
    if member is not None:
        with open_zip(path) as archive:
            return _unpacked(archive, _named(archive, member, path.name), path.name, limit)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise SourceError(Problem("This is a folder, not a file.", where=path.name))
        if path.suffix.casefold() == ".gz":
            with gzip.open(path) as stream:
                return _bounded(stream, size, path.name, limit)
        if size > limit:
            raise SourceError(_too_large(path.name, size, limit))
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError(
            Problem("The file is missing.", where=path.name, mend="Put it there and run again.")
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(_cut(path.name, error)) from None
    except PermissionError:
        raise SourceError(Problem("The file may not be read.", where=path.name, mend="Is it open elsewhere?")) from None


def open_zip(path: Path) -> zipfile.ZipFile:
    """A zip whose members have been looked at: none is encrypted, climbs out of it or swells beyond measure."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise SourceError(
            Problem("The file is missing.", where=path.name, mend="Put it there and run again.")
        ) from None
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(_cut(path.name, error)) from None
    infos = archive.infolist()
    problems = [p for info in infos if (p := _member_problem(info, path.name))]
    if len(infos) > ARCHIVE_MEMBERS:
        problems = [Problem("The archive has too many members.", where=path.name, value=len(infos))]
    total = sum(info.file_size for info in infos)
    if total > UNPACKED_BYTES:
        problems.append(_too_large(path.name, total, UNPACKED_BYTES))
    if problems:
        archive.close()
        raise SourceError(*problems)
    return archive


def member_names(path: Path) -> list[str]:
    """The names of the files in a zip, without folders, in the order of the archive."""
    with open_zip(path) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A stream of one member, by its full name, of an archive from ``open_zip``."""
    return archive.open(name)


def _named(archive: zipfile.ZipFile, member: str, where: str) -> zipfile.ZipInfo:
    infos = [i for i in archive.infolist() if not i.is_dir()]
    hits = [i for i in infos if i.filename == member] or [i for i in infos if PurePosixPath(i.filename).name == member]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise SourceError(Problem("The zip holds this name twice.", where=where, value=member))
    mend = did_you_mean(member, (PurePosixPath(i.filename).name for i in infos))
    raise SourceError(Problem("The zip lacks a table.", where=where, value=member, mend=mend))


def _member_problem(info: zipfile.ZipInfo, where: str) -> Problem | None:
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0]:
        return Problem(
            "A name in the archive points out of it, so nothing was unpacked.",
            where=where,
            value=info.filename,
            mend="Ask the sender how it was made; do not open it by hand.",
        )
    if info.flag_bits & 1:
        return Problem(
            "The archive is locked with a password.",
            where=where,
            value=info.filename,
            mend="Unpack it yourself, and name the unpacked file.",
        )
    if info.file_size > RATIO_FREE_BYTES and info.file_size > UNPACKING_RATIO * max(info.compress_size, 1):
        return Problem(
            f"A member would swell {info.file_size // max(info.compress_size, 1):,} times when unpacked, which no "
            "honest export does, so nothing was unpacked.",
            where=where,
            value=info.filename,
            expected=f"at most {UNPACKING_RATIO} times",
        )
    return None


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, limit: int) -> bytes:
    try:
        with archive.open(info) as stream:
            return _bounded(stream, info.compress_size, f"{where}, {info.filename}", limit)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise SourceError(_cut(f"{where}, {info.filename}", error)) from None


def _bounded(stream: IO[bytes] | gzip.GzipFile, packed: int, where: str, limit: int) -> bytes:
    out = io.BytesIO()
    while piece := stream.read(1 << 20):
        out.write(piece)
        size = out.tell()
        if size > limit or (size > RATIO_FREE_BYTES and size > UNPACKING_RATIO * max(packed, 1)):
            raise SourceError(
                Problem(
                    "The file swells beyond measure when unpacked, so reading was stopped.",
                    where=where,
                    value=f"over {size >> 20:,} MiB from {max(packed >> 10, 1):,} KiB",
                    mend="Unpack it yourself and look at it; it may be damaged or hostile.",
                )
            )
    return out.getvalue()


def _cut(where: str, error: BaseException) -> Problem:
    return Problem(f"The file cannot be read; it may be cut short ({type(error).__name__}).", where=where, mend=AGAIN)


def _too_large(where: str, size: int, limit: int) -> Problem:
    return Problem(
        "The file is too large to be read.",
        where=where,
        value=f"{size >> 20:,} MiB",
        expected=f"at most {limit >> 20:,} MiB",
        mend="Cut it to the columns and years that are needed, or bring it as parquet or from a database.",
    )
