"""Digests of what a chapter is made from: files by their content, the workbench's code, the installed packages."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import sys
import sysconfig
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from jsna.files.result import sha256_of

ROOT = Path(__file__).resolve().parents[2]
# What makes pages of chapters, or runs them, and which no chapter imports: a change there leaves chapters as they are.
NOT_OF_CHAPTERS = (
    *("jsna/audit", "jsna/check", "jsna/fetch", "jsna/kernels", "jsna/pack", "jsna/refresh"),
    *("jsna/cli.py", "jsna/compare.py", "jsna/national.py", "jsna/national_flags.py", "jsna/release.py"),
    *("jsna/schema.py", "jsna/start.py", "jsna/synth.py", "jsna/voice_kit.py"),
)
LENGTH = 16
# A file that was written this short a time ago could change again without its size or time telling.
SETTLED_SECONDS = 2.0


def digest(*parts: str) -> str:
    """One short digest of several texts, in their order.

    >>> digest("a", "b") == digest("a", "b"), digest("a", "b") == digest("ab", "")
    (True, False)
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:LENGTH]


class Contents:
    """Digests of files by their content, remembered in ``place`` for as long as a file's size and times stay.

    So an unchanged run does not read gigabytes, and a file that was only touched is read once, and found the same.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._known: dict[str, list[int | str]] = {}
        self._new = False
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(place.read_text(encoding="utf-8"))
            self._known = told if isinstance(told, dict) else {}

    def of_file(self, path: Path) -> str:
        """The file's digest. Raises ``SourceError`` when it cannot be read."""
        name, found = str(path.resolve()), path.stat()
        state = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
        known = self._known.get(name)
        if isinstance(known, list) and known[:3] == state:
            return str(known[3])
        told = sha256_of(path)
        if time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS:
            self._known[name], self._new = [*state, told], True
        return told

    def of_path(self, path: Path) -> str:
        """A file's digest, or that of all files of a folder with their names within it."""
        if path.is_file():
            return digest(path.name, self.of_file(path))
        inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        return digest(*(f"{p.relative_to(path).as_posix()} {self.of_file(p)}" for p in inside))

    def save(self) -> None:
        """Remember; where that is not possible the next run reads the files again, and nothing else."""
        if self._new:
            replace_text(self._place, json.dumps(self._known))


def replace_text(path: Path, text: str) -> None:
    """Write a file of the cache whole or not at all; a folder that cannot be written costs time, and nothing else."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)


def code() -> dict[str, str]:
    """Digests of the workbench's own files: ``chapters``, all that a chapter can reach, and ``pack``, everything."""
    files = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for room in ("geo", "jsna")
        for path in sorted((ROOT / room).rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    reached = {name: told for name, told in files.items() if not _outside(name)}
    return {"chapters": _of_names(reached), "pack": _of_names(files)}


def _outside(name: str) -> bool:
    return any(name == room or name.startswith(f"{room}/") for room in NOT_OF_CHAPTERS)


def _of_names(files: Mapping[str, str]) -> str:
    return digest(*(f"{name} {told}" for name, told in files.items()))


def packages(folders: Iterable[str] = ()) -> str:
    """A digest of this Python and of the name and version of every package installed for it."""
    places = {*(folders or (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))}
    installed = {p.name for place in places for p in Path(place).glob("*.dist-info")}
    return digest(platform.python_version(), sys.implementation.name, *sorted(installed))
