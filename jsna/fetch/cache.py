"""The folder of fetched files: dated, hashed, and with each file standing once, so that readers find the newest.

FOLDER/2026-11-25/File_1_….xlsx            the file in use, under the day on which this content first came
FOLDER/earlier/2026-06-01/was-File_1_….xlsx    what it replaced; no reader looks for this name
FOLDER/fetched.json                        where each came from, when, and its digest
FOLDER/.unfinished/                        what is under way
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jsna.errors import Problem
from jsna.fetch.catalogue import Entry
from jsna.fetch.errors import FetchError
from jsna.fetch.received import Received
from jsna.files.result import sha256_of

RECORD = "fetched.json"
EARLIER = "earlier"
UNFINISHED = ".unfinished"
Condition = Literal["good", "edited", "missing"]


class Kept(BaseModel):
    """What is known of a file in use. ``fetched`` is the day its content first came, ``looked`` that of the last look.

    ``sha256`` is of the file as it lies here, ``fingerprint`` of what the publisher sent, ``recipe`` of the catalogue's
    entry that made the one into the other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    title: str
    publisher: str
    licence: str
    address: str
    fetched: date
    looked: date
    size: int
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    fingerprint: str
    recipe: str
    etag: str
    rows: int
    columns: tuple[str, ...]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    files: dict[str, Kept] = {}


@dataclass
class Cache:
    """A folder of fetched files and its record. Made by ``open_cache``; written only by ``take`` and ``looked_at``."""

    folder: Path
    files: dict[str, Kept] = field(default_factory=dict)

    def path(self, key: str) -> Path:
        """Where the file in use stands."""
        return self.folder / self.files[key].file

    def condition(self, key: str) -> Condition:
        """Whether the file in use is there and still has the digest that it came with."""
        if key not in self.files or not self.path(key).is_file():
            return "missing"
        return "good" if sha256_of(self.path(key)) == self.files[key].sha256 else "edited"

    def unfinished(self, entry: Entry) -> Path:
        """Where a file is put together. It is in the same folder, so that the last step is a mere renaming.

        It has the right ending, for libraries that go by it, but a name that no reader looks for.
        """
        return self.folder / UNFINISHED / f"{entry.key}.{entry.form}"

    def take(self, entry: Entry, received: Received, made: Path, today: date) -> Kept:
        """Put a finished file into use under ``today`` and what it replaces among the earlier ones."""
        kept = Kept(
            file=f"{today.isoformat()}/{entry.file}",
            title=entry.title,
            publisher=entry.publisher,
            licence=entry.licence,
            address=received.address,
            fetched=today,
            looked=today,
            size=made.stat().st_size,
            sha256=sha256_of(made),
            fingerprint=received.fingerprint,
            recipe=recipe(entry),
            etag=received.etag,
            rows=received.contents.rows,
            columns=received.contents.columns,
        )
        target = self.folder / kept.file
        target.parent.mkdir(parents=True, exist_ok=True)
        before = self.path(entry.key) if entry.key in self.files else target
        aside = self._put_aside(before, entry.key, today) if before.is_file() else None
        try:
            os.replace(made, target)
        except OSError:
            if aside is not None:
                os.replace(aside, before)
            raise
        self.files[entry.key] = kept
        self._save()
        if before.parent.is_dir() and before.parent != target.parent and not any(before.parent.iterdir()):
            before.parent.rmdir()
        return kept

    def looked_at(self, key: str, today: date) -> None:
        """Note that the publisher's file was still the same on this day."""
        self.files[key] = self.files[key].model_copy(update={"looked": today})
        self._save()

    def _put_aside(self, path: Path, key: str, today: date) -> Path:
        day = self.files[key].fetched if key in self.files else today
        folder = self.folder / EARLIER / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        target, number = folder / f"was-{path.name}", 2
        while target.exists():
            target, number = folder / f"was-{number}-{path.name}", number + 1
        os.replace(path, target)
        return target

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _Record(files=dict(sorted(self.files.items()))).model_dump_json(indent=1) + "\n"
        part = self.folder / UNFINISHED / RECORD
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.replace(part, self.folder / RECORD)


def open_cache(folder: Path) -> Cache:
    """The cache in a folder, empty when there is none yet.

    Raises ``FetchError`` when its record cannot be read, or names a file outside the folder.
    """
    path = folder / RECORD
    if not path.exists():
        return Cache(folder)
    try:
        return Cache(folder, _Record.model_validate_json(path.read_text(encoding="utf-8")).files)
    except (ValidationError, UnicodeDecodeError, json.JSONDecodeError):
        what = "The record of fetched files cannot be read."
        mend = "Move the folder aside and fetch again, or restore the record from a copy."
        raise FetchError(Problem(what, where=path.name, mend=mend)) from None


def recipe(entry: Entry) -> str:
    """A digest of what the catalogue says of how a file is fetched and made; another one makes it anew."""
    told = entry.model_dump(mode="json", exclude={"title", "publisher", "basis", "checked", "chapters", "least_rows"})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
