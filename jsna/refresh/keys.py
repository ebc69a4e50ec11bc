"""What each chapter of a pack is made from, and so whether it has to be made again, and why."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsna.area import Area
from jsna.evidence.cycles.decisions import FILE as DECISIONS
from jsna.evidence.cycles.packs import READ, earlier_folder
from jsna.pack.place import NOTEBOOKS
from jsna.params import BY_ENVIRONMENT, LOCAL_KEYS, Table
from jsna.refresh import digests
from jsna.refresh.plan import Chapter, Pack

# The parts, with what a user is told when one of them has changed.
PARTS = {
    "notebook": "its notebook",
    "parameters": "the parameters",
    "inputs": "the data",
    "packages": "the installed packages",
    "code": "the workbench's code",
    "chapters": "a chapter that it reads",
}
Parts = dict[str, str]


@dataclass(frozen=True)
class Surroundings:
    """What all chapters of all packs of a run share."""

    contents: digests.Contents

    @cached_property
    def code(self) -> dict[str, str]:
        return digests.code()

    @cached_property
    def packages(self) -> str:
        return digests.packages()


def chapter_parts(pack: Pack, shared: Surroundings) -> dict[str, Parts]:
    """For each chapter that the pack is to make the digests of what it is made from, those that read others last."""
    inputs = _inputs(pack.area, shared.contents)
    parameters = digests.digest(json.dumps(pack.area.params.without_places(), sort_keys=True))
    same = {"parameters": parameters, "inputs": inputs, "packages": shared.packages, "code": shared.code["chapters"]}
    return {c.name: {"notebook": _notebook(c)} | same for c in pack.chapters}


def reading_others(chapter: str, own: Parts, others: Mapping[str, Parts]) -> Parts:
    """The parts of a chapter that reads the others, whose parts are given."""
    told = {name: parts for name, parts in sorted(others.items()) if name != chapter}
    return own | {"chapters": digests.digest(json.dumps(told, sort_keys=True))}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that differ, in words.

    >>> changed({"notebook": "a", "inputs": "b"}, {"notebook": "a", "inputs": "c"})
    ('the data',)
    """
    return tuple(words for part, words in PARTS.items() if before.get(part) != now.get(part))


def made_from(folder: Path) -> dict[str, Any]:
    """What the pack in ``folder`` says that it was made from: ``chapters`` with their parts, and ``pack``."""
    manifest = manifest_of(folder)
    told = manifest.get("made_from")
    return told if isinstance(told, dict) else {}


def manifest_of(folder: Path) -> dict[str, Any]:
    """A pack's manifest; empty where there is none that can be read."""
    try:
        told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def damaged(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """The files of a pack that are not there, or not as they were written."""
    outputs = manifest.get("outputs")
    return [
        name
        for name, told in (outputs.items() if isinstance(outputs, dict) else ())
        if not is_file_with(folder / name, str(told))
    ]


def is_file_with(path: Path, sha256: str) -> bool:
    """Whether there is such a file with this content."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def notebook_in(folder: Path, chapter: str) -> Path:
    """Where a pack keeps an executed chapter."""
    return folder / NOTEBOOKS / f"{chapter}.ipynb"


def _notebook(chapter: Chapter) -> str:
    """Of what a notebook says and of its tags; what it showed when it was last run does not count."""
    told = json.loads(chapter.path.read_text(encoding="utf-8"))
    cells = [
        (cell["cell_type"], "".join(cell["source"]), cell.get("metadata", {}).get("tags", [])) for cell in told["cells"]
    ]
    return digests.digest(json.dumps(cells))


def _inputs(area: Area, contents: digests.Contents) -> str:
    """Of every file that the params name, by content; a table of a database or a warehouse counts as new each time."""
    params = area.params
    named = [key for key in BY_ENVIRONMENT if key != "previous"]
    if params.source == "local":
        named += LOCAL_KEYS
    parts = [
        f"{key} {contents.of_path(path)}"
        for key in named
        if key not in ("census_date", "engine") and not isinstance(getattr(params, key), Table)
        for path in params.paths(key)
    ]
    if params.source == "local":
        parts.append(f"census_date {params.census_date}")
    if isinstance(params.pupils, Table) and params.source == "local":
        parts.append(f"a database, as it was at {uuid.uuid4()}")
    if params.engine:
        parts.append(f"engine {params.engine.model_dump_json()}")
        files = Path(params.engine.address).expanduser()
        parquet = params.engine.kind == "parquet"
        parts.append(contents.of_path(files) if parquet else f"a warehouse, as it was at {uuid.uuid4()}")
    if params.source != "synthetic" and params.has_data_folder():
        parts.append(f"data {contents.of_path(params.data_folder())}")
    if (earlier := earlier_folder(area)) is not None:
        files = [earlier / name for name in (*READ, DECISIONS) if (earlier / name).is_file()]
        parts += [f"previous {path.name} {contents.of_file(path)}" for path in files]
    return digests.digest(*parts)
