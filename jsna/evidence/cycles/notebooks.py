"""What this cycle says so far: the exhibits of chapters that have been run, in a folder of executed notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsna.evidence.cycles.edition import Edition, figures_of, flags_of

if TYPE_CHECKING:
    from jsna.area import Area

EVIDENCE_VARIABLE = "JSNA_EVIDENCE"
NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
EXHIBIT = "application/vnd.jsna.exhibit+json"
THIS = "12-priorities"  # the chapter that reads the others
PARAMETER_TAGS = ("parameters", "injected-parameters")
# What makes the figures of a run: notebooks that were run with another value say nothing of this area.
SAME = ("areas", "cycle", "source", "seed", "scale", "audience", "protection", "suppress_below")


def edition_of_notebooks(folder: Path, area: Area, *, figures: str = "") -> Edition:
    """The edition that the executed chapters in ``folder`` hold, as far as they were run for ``area``.

    ``figures``: the text of ``tables/figures.csv``, where the chapter that makes it is not among them. A chapter that
    was run with other parameters, or not at all, is left out, and ``notes`` says so.
    """
    wanted = area.params.model_dump()
    exhibits: list[dict[str, Any]] = []
    others: list[str] = []
    for path in sorted(folder.glob("[0-9][0-9]-*.ipynb")):
        if path.stem == THIS:
            continue
        notebook = _read(path)
        mine = notebook is not None and _same(_parameters(notebook), wanted)
        if not mine:
            others.append(path.stem)
            continue
        exhibits += [e | {"chapter": path.stem} for e in _exhibits(notebook or {}, area)]
    return edition_of_exhibits(exhibits, area, figures=figures, notes=[_left_out(others)] if others else [])


def edition_of_exhibits(
    exhibits: Iterable[Mapping[str, Any]], area: Area, *, figures: str = "", notes: Iterable[str] = ()
) -> Edition:
    """The edition that exhibits make, each with its ``chapter``."""
    exhibits = list(exhibits)
    text = figures or next((str(e["table_csv"]) for e in exhibits if e["id"] == "figures"), "")
    return Edition(
        area_code=area.code,
        area_name=area.name,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
        cards=tuple({**c, "chapter": e.get("chapter", "")} for e in exhibits for c in _extras(e, "card")),
        flags=flags_of([f for e in exhibits for f in _extras(e, "flags")]),
        figures=figures_of(text),
        projections=tuple(p for e in exhibits for p in _extras(e, "projections")),
        voice=tuple(_as_weighted(v) for e in exhibits for v in _extras(e, "voice")),
        notes=tuple(notes),
    )


def _as_weighted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with the weighted share as its ``value`` where there is one: its limits are of that."""
    weighted = answer.get("weighted_value")
    return {**answer, "value": answer.get("value") if weighted is None else weighted}


def _extras(exhibit: Mapping[str, Any], name: str) -> list[Any]:
    value = (exhibit.get("extras") or {}).get(name)
    return value if isinstance(value, list) else [value] if value else []


def _left_out(names: list[str]) -> str:
    return f"Chapters that were not run for this area and cycle, and are left out: {', '.join(names)}."


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # being written by another run: as if it had not been run


def _parameters(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a notebook was run with: those of its own cell, then those that papermill put in."""
    found: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and set(cell["metadata"].get("tags", ())) & set(PARAMETER_TAGS):
            found |= _assigned("".join(cell["source"]))
    return found


def _assigned(source: str) -> dict[str, Any]:
    """Names and values of a cell of plain assignments; what is no plain value is left out."""
    import ast

    found = {}
    for statement in ast.parse(source).body:
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
        if isinstance(target, ast.Name) and getattr(statement, "value", None) is not None:
            try:
                found[target.id] = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
            except ValueError:
                continue
    return found


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(found.get(key, wanted[key]) == wanted[key] for key in SAME)


def _exhibits(notebook: Mapping[str, Any], area: Area) -> Iterable[dict[str, Any]]:
    leave_out = "needs-official" if "pupils" in area.brings else "needs-pupils"
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or leave_out in cell["metadata"].get("tags", ()):
            continue
        yield from (o["data"][EXHIBIT] for o in cell.get("outputs", ()) if EXHIBIT in o.get("data", {}))
