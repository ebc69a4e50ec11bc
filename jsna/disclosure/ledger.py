"""The ledger of releases: which packs of an area left, so that a new pack can be tested with those before it.

A ledger is a folder of one area and kind of data: ``ledger.json``, and beside it a private copy of the figures of each
pack that left. Entries are only ever added, a withdrawal too; each holds the digest of the one before, so that a change
by hand is seen. A marker beside the packs says how far the ledger had come, so that a lost or older one is seen too.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsna.disclosure.kept import extracted, keep_copy, locked, write_whole
from jsna.errors import Problem, WorkbenchError, did_you_mean

VERSION = 1
RELEASE, WITHDRAWAL = "release", "withdrawal"
READERS = {"public": ("public",), "restricted": ("public", "restricted")}
RESTORE = "Bring the ledger's folder back from a backup; never write it anew: packs that left would be forgotten."


class LedgerError(WorkbenchError):
    """The ledger of releases cannot be used, so nobody can say what has left before."""


@dataclass(frozen=True)
class Leaving:
    """A pack as the ledger sees it: ``files`` is each file's SHA-256 as the manifest says, ``manifest`` the rest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, str]:
        return self.manifest["outputs"]

    @property
    def area_code(self) -> str:
        return str(self.manifest.get("area_code", ""))

    @property
    def policy(self) -> dict[str, Any]:
        """The rule by which the pack was protected; older packs tell it under another name."""
        return {**self.manifest.get("disclosure_policy", {}), **self.manifest.get("disclosure", {})}

    @property
    def audience(self) -> str:
        return str(self.policy.get("audience", ""))

    @property
    def kind(self) -> str:
        """``synthetic``, ``local`` or ``official``: packs of one kind count the same children."""
        named = str(self.manifest.get("parameters", {}).get("source", ""))
        return "synthetic" if self.manifest.get("synthetic") else named

    @property
    def id(self) -> str:
        """The same for the same files, area and audience, whenever the pack was made."""
        return digest_of({"area": self.area_code, "audience": self.audience, "files": self.files})[:16]


@dataclass(frozen=True)
class Ledger:
    """``entries`` from the oldest to the newest, as they stand in the file; ``key`` tells two ledgers apart."""

    folder: Path
    area_code: str
    kind: str
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    entries: tuple[dict[str, Any], ...] = ()

    @property
    def head(self) -> str:
        """The digest that the next entry will hold."""
        return self.entries[-1]["digest"] if self.entries else digest_of([VERSION, self.key, self.area_code, self.kind])

    @property
    def releases(self) -> list[dict[str, Any]]:
        """What left, withdrawn or not: what is out is out."""
        return [e for e in self.entries if e["what"] == RELEASE]

    @property
    def withdrawn(self) -> dict[str, str]:
        """Why each withdrawn release was withdrawn."""
        return {e["id"]: e["why"] for e in self.entries if e["what"] == WITHDRAWAL}

    def release(self, pack_id: str) -> dict[str, Any] | None:
        """The entry of a release."""
        return next((e for e in self.releases if e["id"] == pack_id), None)

    def named(self, start: str) -> dict[str, Any]:
        """The release whose id begins so. Raises ``LedgerError`` unless it is exactly one."""
        hits = [e for e in self.releases if e["id"].startswith(start)] if len(start) >= 4 else []
        if len(hits) == 1:
            return hits[0]
        known = [e["id"] for e in self.releases]
        raise LedgerError(
            Problem(
                "Several releases begin so." if hits else "There is no such release in the ledger.",
                where=self.folder.name,
                value=start,
                expected="the first 4 characters or more of one of the releases that `release --list` shows",
                mend=did_you_mean(start, known),
            )
        )

    def before(self, audience: str) -> list[dict[str, Any]]:
        """The releases that a reader of a new pack for ``audience`` may have: withdrawn ones too."""
        return [e for e in self.releases if e["audience"] in READERS[audience]]

    def with_entry(self, what: str, **content: Any) -> Ledger:
        """The ledger with one more entry, chained to the last."""
        entry = {"number": len(self.entries) + 1, "what": what, "at": _now(), **content, "before": self.head}
        return replace(self, entries=(*self.entries, entry | {"digest": digest_of(entry)}))


def digest_of(content: Any) -> str:
    """SHA-256 of plain values, whatever the order of their keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def default_folder(pack: Leaving) -> Path:
    """Beside the folder of all packs, not in it: packs are made anew and thrown away, a ledger is not.

    For packs/luton/2026 it is releases/E06000032-local.
    """
    above = pack.folder.resolve().parents
    return above[min(2, len(above) - 1)] / "releases" / f"{pack.area_code}-{pack.kind}"


@contextmanager
def opened(folder: Path, pack: Leaving, patience: float = 600.0) -> Iterator[Ledger]:
    """The ledger in ``folder`` for a pack, and nobody else's while the block lasts; a new one where there was none.

    Raises ``LedgerError`` where the ledger was changed by hand, is of another area or kind or of a later version, is in
    a pack, cannot be written, is lost or older than the marker beside the packs says, or is in use for ``patience``
    seconds.
    """
    _not_in_a_pack(folder)
    marker = _marker(pack)
    said = _said_by(marker)
    _not_lost(folder, said)
    with locked(folder, patience):
        _not_lost(folder, said)
        ledger = read(folder) if (folder / "ledger.json").exists() else Ledger(folder, pack.area_code, pack.kind)
        if (ledger.area_code, ledger.kind) != (pack.area_code, pack.kind):
            raise LedgerError(
                Problem(
                    "This is the ledger of another area or kind of data.",
                    where=folder.name,
                    value=f"{ledger.area_code}, {ledger.kind}",
                    expected=f"{pack.area_code}, {pack.kind}",
                    mend="Name the right folder with --ledger, or leave it out.",
                )
            )
        _not_older(ledger, said)
        yield ledger


def read(folder: Path) -> Ledger:
    """The ledger in ``folder``. Raises ``LedgerError`` when it is missing, of a later version, or was changed."""
    path = folder / "ledger.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, entries = content["version"], tuple(content["entries"])
    except FileNotFoundError:
        raise LedgerError(
            Problem("There is no ledger here.", where=str(folder), mend="See docs/releases.md.")
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerError(Problem("The ledger cannot be read.", where=path.name, mend=RESTORE)) from None
    if version != VERSION:
        raise LedgerError(
            Problem(
                "The ledger was written by another version of the workbench.",
                where=path.name,
                value=version,
                expected=f"version {VERSION}",
                mend="Use the newest version of the workbench; change nothing in the ledger.",
            )
        )
    ledger = Ledger(folder, str(content.get("area_code")), str(content.get("kind")), str(content.get("key")))
    for number, entry in enumerate(entries, start=1):
        if not _follows(ledger, entry):
            raise LedgerError(
                Problem(
                    "The ledger was changed by hand: from this entry on it is not as it was written.",
                    where=path.name,
                    value=f"entry {number} of {len(entries)}",
                    mend=RESTORE,
                )
            )
        ledger = replace(ledger, entries=(*ledger.entries, entry))
    return ledger


def _follows(ledger: Ledger, entry: Any) -> bool:
    """Whether an entry is as it was written, after those of ``ledger``."""
    if not isinstance(entry, dict):
        return False
    bare = {k: v for k, v in entry.items() if k != "digest"}
    said = (entry.get("number"), entry.get("before"), entry.get("digest"))
    return said == (len(ledger.entries) + 1, ledger.head, digest_of(bare))


def record(ledger: Ledger, pack: Leaving, audit: dict[str, Any]) -> Ledger:
    """Write the release of ``pack``: first the private copy, then the entry, then the marker beside the packs."""
    entry = {
        "id": pack.id,
        "cycle": str(pack.manifest.get("parameters", {}).get("cycle", "")),
        "audience": pack.audience,
        "policy": pack.policy,
        "workbench_version": str(pack.manifest.get("workbench_version", "")),
        "made_at": str(pack.manifest.get("made_at", "")),
        "audit": audit,
        "files": pack.files,
    }
    copied = keep_copy(pack.folder, copy_of(ledger, entry))
    grown = ledger.with_entry(RELEASE, **entry)
    try:
        write(grown)
    except BaseException:
        copied.unlink(missing_ok=True)
        raise
    mark(grown, pack)
    return grown


def write(ledger: Ledger) -> None:
    """Put the ledger in its place, whole."""
    content = {"version": VERSION, "key": ledger.key, "area_code": ledger.area_code, "kind": ledger.kind}
    text = json.dumps(content | {"entries": list(ledger.entries)}, indent=1, ensure_ascii=False) + "\n"
    write_whole(ledger.folder / "ledger.json", text.encode("utf-8"))


def copy_of(ledger: Ledger, entry: dict[str, Any]) -> Path:
    """Where the private copy of a release lies."""
    return ledger.folder / f"{entry['id']}.zip"


def unpacked(ledger: Ledger, entry: dict[str, Any], into: Path) -> Path:
    """The private copy of a release as a pack in ``into``.

    Raises ``LedgerError`` when it is missing or not as it was written.
    """
    folder = into / f"{entry['cycle'] or 'pack'}-{entry['id'][:8]}"
    fault = extracted(copy_of(ledger, entry), folder, entry["files"])
    if fault:
        raise LedgerError(
            Problem(
                f"The private copy of a pack that left {fault}, so a new pack cannot be tested with it.",
                where=copy_of(ledger, entry).name,
                value=f"the pack {entry['cycle']}, released {entry['at'][:10]}",
                mend="Bring it back from a backup; or, where that pack is still there unchanged, release it once more: "
                "the copy is then made anew.",
            )
        )
    return folder


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def _not_in_a_pack(folder: Path) -> None:
    inside = [p for p in (folder.resolve(), *folder.resolve().parents) if (p / "manifest.json").exists()]
    if inside:
        raise LedgerError(
            Problem(
                "The ledger never lies in a pack: packs are published, and made anew.",
                where="--ledger",
                value=folder.name,
                mend="Choose a folder outside, or leave --ledger out.",
            )
        )


def _marker(pack: Leaving) -> Path:
    return pack.folder.resolve().parent / f".released-{pack.kind}.json"


def _said_by(marker: Path) -> dict[str, Any]:
    try:
        said = json.loads(marker.read_text(encoding="utf-8"))
        return {"key": str(said["key"]), "entries": int(said["entries"]), "head": str(said["head"])}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerError(
            Problem(
                "The marker that says how far the ledger had come cannot be read.",
                where=f"{marker.parent.name}/{marker.name}",
                mend="Look at `release --list`: if all that left stands there, delete the marker and run again.",
            )
        ) from None


def _not_lost(folder: Path, said: dict[str, Any]) -> None:
    if said and not (folder / "ledger.json").exists():
        raise LedgerError(
            Problem(
                "Packs of this area have left, and their ledger is not here.",
                where=str(folder),
                mend=f"If it lies elsewhere, name its folder with --ledger. {RESTORE}",
            )
        )


def _not_older(ledger: Ledger, said: dict[str, Any]) -> None:
    if not said:
        return
    at = said["entries"]
    heads = [e["digest"] for e in ledger.entries[:at]]
    if said["key"] != ledger.key or len(heads) < at or (heads and heads[-1] != said["head"]):
        raise LedgerError(
            Problem(
                "This is not the ledger that was written last: packs that left are missing from it.",
                where=ledger.folder.name,
                value=f"{len(ledger.entries)} entries",
                expected=f"{at} or more, as the marker beside the packs says",
                mend=RESTORE,
            )
        )


def mark(ledger: Ledger, pack: Leaving) -> None:
    """Say beside the packs how far the ledger has come."""
    said = {"key": ledger.key, "entries": len(ledger.entries), "head": ledger.head}
    write_whole(_marker(pack), (json.dumps(said) + "\n").encode("utf-8"))
