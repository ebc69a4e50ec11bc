"""All wanted files, one after the other: what one of them meets never stops the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from jsna.errors import Problem
from jsna.fetch.arcgis import fetch_layer
from jsna.fetch.cache import Cache, open_cache, recipe
from jsna.fetch.catalogue import ArcgisLayer, ByHand, Catalogue, DirectFile, EesDataSet, EesReleaseFile, Entry
from jsna.fetch.checks import new_columns
from jsna.fetch.convert import make
from jsna.fetch.direct import fetch_path
from jsna.fetch.ees import fetch_data_set, fetch_release_file
from jsna.fetch.errors import FetchError, SchemaError
from jsna.fetch.failures import system_refusal
from jsna.fetch.http import Client, forget
from jsna.fetch.nomis import bulk_path
from jsna.fetch.received import Received

Status = Literal["fetched", "unchanged", "there", "kept", "edited", "by hand", "failed", "missing"]
EXIT = {"fetched": 0, "unchanged": 0, "there": 0, "kept": 1, "edited": 1, "by hand": 1, "failed": 2, "missing": 2}


@dataclass(frozen=True)
class Outcome:
    """How it went with one file: its ``status``, a line of ``words``, and the ``problems`` to report at the end."""

    key: str
    status: Status
    words: str
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 in order; 1 an older or a changed copy is in use; 2 the file could not be had."""
        return EXIT[self.status]


def fetch_all(
    entries: Sequence[Entry], catalogue: Catalogue, folder: Path, client: Client, today: date
) -> Iterator[Outcome]:
    """Fetch files into ``folder``, giving each outcome as it is known.

    Raises ``FetchError`` at once only when the folder's record cannot be read; all else is an outcome.
    """
    cache = open_cache(folder)
    for entry in entries:
        base = catalogue.address(entry)
        yield (
            _by_hand(entry, base, folder) if isinstance(entry, ByHand) else _fetched(entry, base, cache, client, today)
        )


def verify_all(entries: Sequence[Entry], catalogue: Catalogue, folder: Path) -> Iterator[Outcome]:
    """Without any connection: whether each file is there and as it came."""
    cache = open_cache(folder)
    for entry in entries:
        if isinstance(entry, ByHand):
            yield _by_hand(entry, catalogue.address(entry), folder)
            continue
        condition = cache.condition(entry.key)
        if condition == "good":
            kept = cache.files[entry.key]
            yield Outcome(entry.key, "there", f"as fetched on {kept.fetched} ({kept.rows:,} rows)")
        elif condition == "edited":
            problem = Problem(
                "The file is no longer as it was fetched: someone has edited or damaged it.",
                where=entry.where,
                mend="Fetch it again without --offline; the edited copy is then put aside.",
            )
            yield Outcome(entry.key, "edited", "changed since it was fetched", (problem,))
        else:
            mend = "Run `jsna fetch` on a computer with internet and carry the folder over."
            problem = Problem("The file has not been fetched, or was removed.", where=entry.where, mend=mend)
            yield Outcome(entry.key, "missing", "not there", (problem,))


def _fetched(entry: Entry, base: str, cache: Cache, client: Client, today: date) -> Outcome:
    kept, condition = cache.files.get(entry.key), cache.condition(entry.key)
    part = cache.unfinished(entry)
    stays = f"; the copy of {kept.fetched} stays in use" if kept and condition == "good" else ""
    same_recipe = bool(kept and condition == "good" and kept.recipe == recipe(entry))
    try:
        received = _receive(entry, base, client, part=part, etag=kept.etag if kept and same_recipe else "")
        if kept and same_recipe and (received.unchanged or received.fingerprint == kept.fingerprint):
            forget(part)
            cache.looked_at(entry.key, today)
            return Outcome(entry.key, "unchanged", f"unchanged since {kept.fetched} ({kept.rows:,} rows)")
        made = make(entry, received, part.with_name(f"made-{part.name}"))
        now = cache.take(entry, received, made, today)
        forget(part)
    except SchemaError as error:
        status: Status = "kept" if stays else "failed"
        return Outcome(entry.key, status, f"its columns have changed{stays}", tuple(error.problems))
    except FetchError as error:
        return Outcome(entry.key, "failed", f"could not be fetched{stays}", tuple(error.problems))
    except OSError as error:
        problem = system_refusal(error, entry.where)
        return Outcome(entry.key, "failed", f"could not be written{stays}", (problem,))
    notes = [f"{now.rows:,} rows, {now.size / 1e6:,.1f} MB", *received.say]
    if kept and (new := new_columns(now.columns, kept.columns)):
        notes.append(f"new columns: {', '.join(new[:5])}")
    if condition == "edited":
        notes.append("the copy that was here had been edited and is now among the earlier ones")
    return Outcome(entry.key, "fetched", "; ".join(notes))


def _by_hand(entry: ByHand, base: str, folder: Path) -> Outcome:
    """A file that people bring: there under its name (also packed as .gz), or how to get it."""
    if any(p.is_file() for p in folder.rglob(f"{entry.file}*")):
        return Outcome(entry.key, "there", "brought by hand")
    what = "This file has no lasting address and must be brought by hand."
    problem = Problem(what, where=entry.where, mend=f"Download it from {base}/{entry.page}. {entry.how}")
    return Outcome(entry.key, "by hand", "to be brought by hand", (problem,))


def _receive(entry: Entry, base: str, client: Client, *, part: Path, etag: str) -> Received:
    if isinstance(entry, EesDataSet):
        return fetch_data_set(entry, base, client, part=part, etag=etag)
    if isinstance(entry, EesReleaseFile):
        return fetch_release_file(entry, base, client, part=part, etag=etag)
    if isinstance(entry, ArcgisLayer):
        return fetch_layer(entry, base, client, part=part)
    path = entry.path if isinstance(entry, DirectFile) else bulk_path(entry)
    return fetch_path(path, entry, base, client, part=part, etag=etag)
