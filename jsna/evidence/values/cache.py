"""Values of indicators, kept on disk: the next chapter, of this area or another, has them at once.

What is kept bears a digest of everything that it is made from: the files used, the catalogue, and the code that reads
and computes. Whatever changes, another digest is looked for, so that nothing has to be thrown away by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import pandas as pd

from jsna.errors import WorkbenchError
from jsna.evidence.catalogue import Catalogue
from jsna.evidence.values import ABSENT, Values
from jsna.evidence.values.tables import files_of
from jsna.evidence.values.vintages import other_files, vintage_table
from jsna.files.result import Summary, sha256_of
from jsna.sources.folder import OfficialFolder

# The packages that values are made with, and how the names of their files begin.
CODE = {
    "jsna.codes": "",
    "jsna.evidence": ("ways", "bases"),
    "jsna.evidence.values": "",
    "jsna.files": "",
    "jsna.measures": "",
    "jsna.sources": "",
    "geo": "",
}
# Seconds to wait for another process, which needs ten of them on a usual computer.
PATIENCE = 120


def kept(folder: OfficialFolder, known: Catalogue, confidence: float, place: Path | None = None) -> Values:
    """The values out of ``place`` (else the workbench's cache) where they were kept before; else computed, and kept.

    What is damaged is made anew. Of several processes that want the same at once, one computes, and the others wait for
    it; where that cannot be agreed upon, each computes, writes aside and then gives the name.
    """
    from jsna.area import cache_folder
    from jsna.evidence.values.compute import compute

    place = place or cache_folder()
    digest = _digest(folder, known, confidence)
    found = _read(place, digest)
    if found is not None:
        return found
    with _alone(place / f".values-{digest}.lock"):
        found = _read(place, digest)
        if found is None:
            found = compute(folder, known, confidence)
            _write(place, digest, found)
    return found


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait while another process has the lock at ``path``. Where nothing can be locked, nobody waits."""
    from filelock import FileLock

    lock = FileLock(path, timeout=PATIENCE)
    # A lock that is waited for too long ends in a TimeoutError, which is an OSError.
    with contextlib.suppress(OSError, NotImplementedError):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        if lock.is_locked:
            lock.release()
            with contextlib.suppress(OSError):
                path.unlink()


def _digest(folder: OfficialFolder, known: Catalogue, confidence: float) -> str:
    """Of the files used by name and content, the catalogue, the level of the intervals and the code."""
    sides = [
        side
        for indicator in known.indicators.values()
        for way in indicator.official
        for side in (way.numerator, way.denominator, way.published)
        if side is not None
    ]
    tables = dict.fromkeys((side.source, side.table) for side in sides)
    others = other_files(folder, [table for source, table in tables if source == "ehc"])
    used = sorted({*files_of(folder, tables), *(p for paths in others.values() for p in paths)})
    parts = [_code(), repr(confidence), *(f"{path.relative_to(folder.path)} {sha256_of(path)}" for path in used)]
    parts += [indicator.model_dump_json() for indicator in known.indicators.values()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """A digest of the code and lists that readers and computation are made of."""
    digest = hashlib.sha256(pd.__version__.encode())
    for package, names in CODE.items():
        for item in _files(resources.files(package)):
            if item.name.startswith(names):
                digest.update(item.read_bytes())
    return digest.hexdigest()


def _files(folder: Traversable) -> Iterator[Traversable]:
    for item in sorted(folder.iterdir(), key=lambda i: i.name):
        if item.is_dir():
            yield from _files(item)
        elif item.name.endswith((".py", ".yml", ".csv")):
            yield item


def _read(place: Path, digest: str) -> Values | None:
    """What was kept under a digest, nothing where it is not there or is not whole."""
    told, table = _paths(place, digest)
    try:
        rest = json.loads(told.read_text(encoding="utf-8"))
        if sha256_of(table) != rest["sha256"]:
            return None
        sources = tuple(Summary(**{**s, "notes": tuple(s["notes"])}) for s in rest["sources"])
        absent = pd.DataFrame(rest["absent"], columns=list(ABSENT), dtype="str")
        return Values(pd.read_parquet(table), sources, absent, vintage_table(rest["vintages"]))
    except (OSError, ValueError, KeyError, TypeError, WorkbenchError):
        return None


def _write(place: Path, digest: str, values: Values) -> None:
    """Keep the values. A folder that cannot be written to costs time at the next run, and nothing else."""
    told, table = _paths(place, digest)
    try:
        place.mkdir(parents=True, exist_ok=True)
        part = _aside(table)
        values.frame.to_parquet(part, index=False)
        rest = {
            "sha256": sha256_of(part),
            "sources": [asdict(s) for s in values.sources],
            "absent": values.absent.to_numpy().tolist(),
            "vintages": values.vintages.astype("object").where(values.vintages.notna(), None).to_numpy().tolist(),
        }
        part.replace(table)
        part = _aside(told)
        part.write_text(json.dumps(rest), encoding="utf-8")
        part.replace(told)
    except OSError:
        return


def _paths(place: Path, digest: str) -> tuple[Path, Path]:
    return place / f"values-{digest}.json", place / f"values-{digest}.parquet"


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
