"""Records kept as YAML beside the package: a strict model, and reading that names every fault with its place."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from jsna.errors import CodeListError, Problem
from jsna.files.packaged import PARSER


class Model(BaseModel):
    """A record: frozen, of exact types, and without fields that are not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def entries_of(path: Traversable | Path, *, of_mappings: bool = True) -> list[tuple[str, Any]]:
    """The keys of a YAML file with what stands under each; a key that stands twice is kept twice.

    Raises ``CodeListError`` when it is no YAML, no mapping, or, with ``of_mappings``, an entry is none.
    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"), PARSER)
        if not isinstance(node, yaml.MappingNode):
            raise CodeListError(Problem("The file is no mapping of names to fields.", where=path.name))
        constructed = yaml.SafeLoader("")
        pairs = [(str(key.value), constructed.construct_object(value, deep=True)) for key, value in node.value]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        at = getattr(error, "problem_mark", None)
        line = f", line {at.line + 1}" if at else ""
        raise CodeListError(
            Problem(
                "The file cannot be read as YAML.", where=f"{path.name}{line}", mend="Compare its indents and quotes."
            )
        ) from None
    bare = [name for name, fields in pairs if of_mappings and not isinstance(fields, dict)]
    if bare:
        raise CodeListError(*(Problem("There are no fields here.", where=f"{path.name}, {name}") for name in bare))
    return pairs


def yaml_files(folder: Traversable) -> list[Traversable]:
    """The YAML files of a folder, by name."""
    return sorted((p for p in folder.iterdir() if p.name.endswith(".yml")), key=lambda p: p.name)


def problems_of(error: ValidationError, where: str) -> list[Problem]:
    """Every fault of a record as a problem: what, and where it stands down to the field."""
    return [
        Problem(
            f"{fault['msg'].removeprefix('Value error, ').rstrip('.')}.",
            where=", ".join([where, *(str(part) for part in fault["loc"])]),
            value=fault["input"] if isinstance(fault["input"], (str, int, float, bool)) else None,
        )
        for fault in error.errors()
    ]
