"""The files of a ledger: written whole or not at all, one writer at a time, and the figures of packs in zip files."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jsna.errors import OutputError, Problem

FIGURES = ("tables/", "flags.csv", "cards.json", "manifest.json", "index.html")
LARGEST = 1 << 28
PAUSE_SECONDS = 0.1
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@contextmanager
def locked(folder: Path, patience: float) -> Iterator[None]:
    """Nobody else's while the block lasts; made where it was not there. The lock goes with the process that holds it.

    Raises ``OutputError`` when the folder cannot be written, or stays in use for ``patience`` seconds.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _refused(folder, error) from None
    try:
        until = time.monotonic() + patience
        while not _taken(handle):
            if time.monotonic() >= until:
                raise OutputError(
                    Problem(
                        "Another release of this area is under way.",
                        where=folder.name,
                        mend="Wait until it is done, and run again. Nothing was recorded.",
                    )
                )
            time.sleep(PAUSE_SECONDS)
        yield
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or as it was before. Raises ``OutputError``."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        raise _refused(path.parent, error) from None
    finally:
        part.unlink(missing_ok=True)


def keep_copy(pack: Path, target: Path) -> Path:
    """Zip the figures of the pack in ``pack``: the same pack gives the same names and contents."""
    with tempfile.SpooledTemporaryFile(max_size=LARGEST) as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(pack.rglob("*")):
                name = path.relative_to(pack).as_posix()
                if path.is_file() and name.startswith(FIGURES):
                    archive.writestr(zipfile.ZipInfo(name, LONG_AGO), path.read_bytes(), zipfile.ZIP_DEFLATED)
        stream.seek(0)
        write_whole(target, stream.read())
    return target


def extracted(archive: Path, folder: Path, digests: dict[str, str]) -> str:
    """Unpack a copy into ``folder``, each figure checked by ``digests``; what is wrong in words, or nothing."""
    names = sorted(n for n in digests if n.startswith(FIGURES))
    try:
        with zipfile.ZipFile(archive) as held:
            contents = {n: _content(held, n) for n in (*names, "manifest.json")}
        if any(hashlib.sha256(contents[n]).hexdigest() != digests[n] for n in names):
            return "was changed"
        if json.loads(contents["manifest.json"])["outputs"] != digests:
            return "is that of another pack"
    except FileNotFoundError:
        return "is missing"
    except (KeyError, TypeError):
        return "lacks a file"
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError):
        return "cannot be read"
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "tables").mkdir(exist_ok=True)
    return ""


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST:
        raise ValueError(name)
    return archive.read(name)


def _refused(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        Problem(
            f"The ledger cannot be written here ({error.strerror or type(error).__name__}).",
            where=str(folder),
            mend="Choose a folder you may write to, with --ledger. Nothing was recorded.",
        )
    )


if sys.platform == "win32":
    import msvcrt

    def _taken(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
