"""A file as it came from its publisher, the same for every service."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from jsna.fetch.checks import Contents
from jsna.files.result import sha256_of

NOTHING = Contents(0, ())


@dataclass(frozen=True)
class Received:
    """What a service gave: the file at ``path``, checked, with its ``contents``.

    ``finished`` says that the file already has the form that the readers want. ``fingerprint`` is a digest of what the
    publisher sent, blind to what changes from one download to the next without meaning. ``unchanged`` means that
    the server said that nothing has changed; there is no file and no contents then.
    """

    path: Path
    address: str
    contents: Contents = NOTHING
    fingerprint: str = ""
    etag: str = ""
    say: tuple[str, ...] = ()
    unchanged: bool = False
    finished: bool = False


def fingerprint_of(path: Path) -> str:
    """A digest of a file's data. Of a zip only names and contents count: some are packed anew at each request."""
    if not zipfile.is_zipfile(path):
        return sha256_of(path)
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as file:
                digest.update(f"{name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
