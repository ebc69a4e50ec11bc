"""The audit of a pack: its files beside the manifest, the leak scan, what is told in words, and the attack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from jsna.audit.attack import Attack, attack
from jsna.audit.findings import Finding
from jsna.audit.leaks import scan
from jsna.audit.official import read_official
from jsna.audit.pack import NotAPack, Pack, against_manifest, read_pack
from jsna.audit.sheets import sheets
from jsna.audit.told import told_in_words
from jsna.errors import Problem


@dataclass(frozen=True)
class Report:
    """What was found in a pack. ``exit_code``: 0 clean, 1 something was found."""

    pack: Pack
    previous: tuple[str, ...]
    findings: tuple[Finding, ...]
    attack: Attack

    @property
    def exit_code(self) -> int:
        """For the command line."""
        return int(bool(self.findings))


def audit(
    folder: Path, previous: Iterable[Path] = (), canaries: Iterable[str] = (), official: Path | None = None
) -> Report:
    """Audit the pack in ``folder``, beside the packs before it and a folder of ``official`` figures.

    Raises ``NotAPack`` for what is none, and for a pack before that is of another area; ``SourceError`` for a folder
    of official figures without any.
    """
    pack = read_pack(folder)
    before = [read_pack(p) for p in previous]
    others = [p.name for p in before if p.manifest.get("area_code") != pack.manifest.get("area_code")]
    if others:
        raise NotAPack(
            Problem(
                "A pack before belongs to another area, so its counts are of other children.",
                where="--previous",
                value=", ".join(others),
                expected=f"packs of {pack.manifest.get('area_code')}",
            )
        )
    before = [replace(p, name=f"{p.name}, {at} before") for at, p in enumerate(before, start=1)]
    published = None if official is None else read_official(official, str(pack.manifest.get("area_code", "")))
    tables = sheets(pack)
    made = attack(pack, tables, before, published)
    words = told_in_words(pack, tables)
    findings = [*against_manifest(pack), *scan(pack.files, canaries), *words, *made.findings]
    unique = {(f.kind, f.file, f.where, f.detail): f for f in reversed(findings)}
    return Report(pack, tuple(p.name for p in before), tuple(reversed(unique.values())), made)
