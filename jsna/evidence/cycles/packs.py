"""Reads a pack that lies there: what did that edition say, and has anybody changed it since?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsna.errors import Problem, SourceError, WorkbenchError
from jsna.evidence.catalogue import catalogue
from jsna.evidence.cycles.decisions import FILE, Decisions, read_decisions
from jsna.evidence.cycles.edition import Edition, figures_of, flags_of
from jsna.synthetic import edition_of

if TYPE_CHECKING:
    from jsna.area import Area

EMBEDDED = "earlier"
EVIDENCE = "evidence.json"
FIGURES_FILE = "tables/figures.csv"
NO_FIGURES = "It holds no table of figures (tables/figures.csv), so that figures cannot be compared."
READ = ("manifest.json", "cards.json", "flags.csv", FIGURES_FILE, EVIDENCE)


def edition_of_pack(folder: Path | Traversable, *, area_code: str = "", called: str = "previous") -> Edition:
    """The edition that the pack in ``folder`` holds; ``area_code``: whose it has to be; ``called``: what the
    user named it by.

    Raises one ``SourceError`` with all that is wrong: no pack, another area's, a file that is not what the manifest
    says it was when the pack was made. What an earlier version did not yet write is told in ``notes``.
    """
    manifest = _manifest(folder, called)
    found = str(manifest.get("area_code", ""))
    if area_code and found != area_code:
        mend = "Name the folder of this area's last pack under `previous`."
        what = "The earlier pack is another area's."
        raise SourceError(Problem(what, where=folder.name, value=found, expected=area_code, mend=mend))
    _refuse_edited(folder, manifest)
    read = partial(_text, folder)
    evidence = _json(read(EVIDENCE), folder, EVIDENCE) or {}
    cards = _json(read("cards.json"), folder, "cards.json") or []
    flags = list(csv.DictReader(io.StringIO(read("flags.csv"))))
    figures = figures_of(read(FIGURES_FILE))
    notes = [NO_FIGURES] if figures.empty else []
    return Edition(
        area_code=found,
        area_name=str(manifest.get("area_name", "")),
        cycle=str(manifest.get("parameters", {}).get("cycle", "")),
        synthetic=bool(manifest.get("synthetic", False)),
        cards=tuple(cards),
        flags=flags_of(flags),
        figures=figures,
        projections=tuple(evidence.get("projections", [])),
        voice=tuple(evidence.get("voice", [])),
        decisions=_decisions(folder, found),
        notes=tuple(notes),
    )


def pack_of(folder: Path, slug: str, cycle: str) -> Path:
    """The earlier pack that ``folder`` names: itself, or of a folder of packs the area's newest before ``cycle``.

    So one params file serves several areas. Raises ``SourceError`` where there is none.
    """
    if (folder / "manifest.json").is_file() or not folder.is_dir():
        return folder
    own = folder if folder.name == slug else folder / slug
    earlier = sorted(p for p in own.glob("*") if p.name < cycle and (p / "manifest.json").is_file())
    if not earlier:
        what = "There is no earlier pack of this area in the folder."
        mend = f"Name a pack, or a folder that holds {slug}/ with a cycle before {cycle}."
        raise SourceError(Problem(what, where="previous", value=folder.name, mend=mend))
    return earlier[-1]


def embedded_previous(area_code: str) -> Edition:
    """The synthetic area as the cycle before left it, which comes with the workbench."""
    return edition_of_pack(files("jsna.evidence.cycles").joinpath(EMBEDDED), area_code=area_code)


def earlier_folder(area: Area) -> Path | None:
    """The pack of the last cycle that the params name; nothing where they name none. Raises ``SourceError``."""
    named = area.params.previous
    return pack_of(Path(named).expanduser(), area.slug, area.params.cycle) if named else None


def earlier_edition(area: Area) -> tuple[Edition | None, str]:
    """The edition before this one, and why there is none where it cannot be used, in a sentence.

    The params name it; the synthetic area's comes with the workbench.
    """
    try:
        if (folder := earlier_folder(area)) is not None:
            return edition_of_pack(folder, area_code=area.code), ""
        if area.params.source == "synthetic" and not edition_of(area.params.cycle):
            return embedded_previous(area.code), ""
    except WorkbenchError as error:
        return None, " ".join(str(p) for p in error.problems)
    return None, ""


def _manifest(folder: Path | Traversable, called: str) -> dict[str, Any]:
    mend = "Name the folder in which manifest.json lies, such as packs/luton/2023."
    if not folder.joinpath("manifest.json").is_file():
        raise SourceError(Problem("There is no pack here.", where=called, value=str(folder.name), mend=mend))
    manifest = _json(_text(folder, "manifest.json"), folder, "manifest.json")
    if not isinstance(manifest, dict) or "outputs" not in manifest:
        raise SourceError(Problem("This is no pack's manifest.", where=f"{folder.name}/manifest.json", mend=mend))
    return manifest


def _refuse_edited(folder: Path | Traversable, manifest: dict[str, Any]) -> None:
    """Every file that is read has to be as it was when the pack was made; decisions are there to be written into."""
    told: dict[str, str] = manifest["outputs"]
    problems = []
    for name in READ[1:]:
        file = folder.joinpath(name)
        if name not in told:
            if file.is_file():
                problems.append(Problem("The file was added after the pack was made.", where=name))
            continue
        if not file.is_file():
            problems.append(Problem("The file is missing from the pack.", where=name))
        elif hashlib.sha256(file.read_bytes()).hexdigest() != told[name]:
            problems.append(Problem("The file was changed after the pack was made.", where=name))
    if problems:
        mend = "Take the pack as it was released, or make it anew from its params."
        raise SourceError(*(Problem(p.what, where=f"{folder.name}/{p.where}", mend=mend) for p in problems))


def _text(folder: Path | Traversable, name: str) -> str:
    file = folder.joinpath(name)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _json(text: str, folder: Path | Traversable, name: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        raise SourceError(Problem("The file is no JSON.", where=f"{folder.name}/{name}")) from None


def _decisions(folder: Path | Traversable, area_code: str) -> Decisions | None:
    """What the board decided on that pack. Its priorities were those of that time: their codes are not judged here."""
    file = folder.joinpath(FILE)
    if not file.is_file():
        return None
    return read_decisions(file, area_code=area_code, known=catalogue().indicators)
