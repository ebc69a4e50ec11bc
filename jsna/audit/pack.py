"""A pack as a stranger gets it: its files' bytes and its manifest, nothing else of the workbench."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsna.audit.findings import Finding
from jsna.audit.policy import METHODS, Rule, rule_of
from jsna.errors import Problem, WorkbenchError

TO_WRITE_INTO = "decisions.yml"
NEEDED = ("manifest.json", "index.html", "tables")


class NotAPack(WorkbenchError):
    """The folder is not a pack, or cannot be read as one."""


@dataclass(frozen=True)
class Pack:
    """``name`` for the report; ``files`` by path inside the pack; ``manifest`` as published."""

    name: str
    files: dict[str, bytes]
    manifest: dict[str, Any]

    @property
    def official(self) -> bool:
        """Whether every figure is one that an official body had already published."""
        return self.manifest.get("parameters", {}).get("source") == "official"

    @cached_property
    def publishers(self) -> tuple[str, ...]:
        """Sources of the manifest that an official body had published."""
        inputs = self.manifest.get("inputs", [])
        return tuple(
            str(i["source"])
            for i in inputs
            if isinstance(i, dict) and str(i.get("licence", "")).startswith("Open Government") and i.get("source")
        )

    @cached_property
    def rule(self) -> Rule:
        """The public rule that the pack keeps to."""
        return rule_of(self.manifest)

    @property
    def threshold(self) -> int:
        """The public rule: counts below it are hidden."""
        return self.rule.threshold

    @property
    def minimum_denominator(self) -> int:
        """The public rule: no rate for fewer children than this."""
        return self.rule.minimum_denominator

    @property
    def census(self) -> str:
        """The school year of the last census, as ``202526``: what tables without a period are about."""
        cycle = "".join(filter(str.isdigit, str(self.manifest.get("parameters", {}).get("cycle", ""))))[:4]
        return f"{int(cycle) - 1}{cycle[2:]}" if len(cycle) == 4 else ""


def read_pack(folder: Path) -> Pack:
    """Every file of the pack in ``folder``. Raises ``NotAPack`` when it is not one."""
    missing = [name for name in NEEDED if not (folder / name).exists()]
    if missing:
        raise NotAPack(
            Problem(
                "This is not a pack.",
                where=folder.name or str(folder),
                value=f"without {', '.join(missing)}",
                expected="the folder that `jsna refresh` made, with manifest.json, index.html and tables",
                mend="Name the folder of the cycle, such as packs/luton/2026.",
            )
        )
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    try:
        manifest = json.loads(files["manifest.json"])
        good = isinstance(manifest, dict) and all(
            isinstance(manifest.get(key, {}), dict) for key in ("outputs", "disclosure", "parameters")
        )
        good = good and "outputs" in manifest
    except (ValueError, KeyError):
        good, manifest = False, {}
    if not good:
        raise NotAPack(
            Problem(
                "The manifest cannot be read, so nobody can say what the pack should hold.",
                where=f"{folder.name}/manifest.json",
                expected="the JSON that `jsna refresh` wrote, with `outputs`",
                mend="Make the pack anew.",
            )
        )
    method = manifest.get("disclosure", {}).get("method", METHODS[0])
    if method not in METHODS:
        raise NotAPack(
            Problem(
                "The manifest names a way of protecting counts that the audit does not know.",
                where=f"{folder.name}/manifest.json, disclosure, method",
                value=str(method),
                expected=", ".join(METHODS),
            )
        )
    return Pack(folder.name, files, manifest)


def against_manifest(pack: Pack) -> list[Finding]:
    """Files that are not as the manifest says: changed by hand, added, or gone.

    The file of decisions is there to be written into: it is read for leaks, as all are, and may differ.
    """
    said = pack.manifest["outputs"]
    held = {name: hashlib.sha256(b).hexdigest() for name, b in pack.files.items() if name != "manifest.json"}
    found = [
        Finding("file changed", name)
        for name in held
        if name in said and said[name] != held[name] and name != TO_WRITE_INTO
    ]
    found += [Finding("file added", name) for name in held if name not in said]
    return found + [Finding("file gone", name) for name in said if name not in held]
