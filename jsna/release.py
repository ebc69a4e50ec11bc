"""`jsna release PACK`: test a pack with all that left before it, and write down that it leaves."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsna.errors import ParamsError, Problem

if TYPE_CHECKING:
    from jsna.audit.audit import Report
    from jsna.disclosure.ledger import Leaving, Ledger

LEDGERS = Path("releases")
PATIENCE_SECONDS = 120.0
KINDS = ("synthetic", "local", "official")
SHORT = 8
NEXT = """Next: 1. publish this folder as it is, and change nothing in it; 2. make a backup of the ledger's folder;
3. when something is found wrong later, `release --withdraw {short} --why "..."`, and see docs/incident.md."""
OUT_ALL_THE_SAME = """What is out stays out: whoever has it keeps it. Every new pack is tested with it as before.
Next: take the files back where you can, and see docs/incident.md."""


def add_to(commands) -> None:
    """Add the command to the command line."""
    release = commands.add_parser("release", help="test a pack with all that left before, and record that it leaves")
    release.add_argument("pack", type=Path, nargs="?", metavar="PACK")
    release.add_argument("--ledger", type=Path, default=None, help="folder of the ledger (default: releases/AREA-KIND)")
    release.add_argument("--list", action="store_true", help="show what left, and when")
    release.add_argument("--withdraw", default="", metavar="ID", help="mark a release as withdrawn; it still counts")
    release.add_argument("--why", default="", help="why it is withdrawn")
    release.add_argument("--out", type=Path, default=Path("audits"), help="folder of audit reports (default: audits)")
    release.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Release, list or withdraw. 0: done, or done before; 1: the audit found something; 2: it cannot be asked so."""
    if arguments.list:
        return _list(arguments)
    if arguments.withdraw:
        return _withdraw(arguments)
    if arguments.pack is None:
        raise ParamsError(Problem("No pack is named.", where="release", mend="Such as: release packs/luton/2026"))
    return _release(leaving(arguments.pack), arguments)


def leaving(folder: Path) -> Leaving:
    """The pack in ``folder``, as it was made. Raises ``NotAPack``, and ``LedgerError`` for one that was changed."""
    from jsna.audit.pack import against_manifest, read_pack
    from jsna.disclosure.ledger import READERS, Leaving, LedgerError

    held = read_pack(folder)
    changed = against_manifest(held)
    if changed:
        raise LedgerError(
            *(
                Problem(
                    "The pack is not as it was made: " + f.kind + ".",
                    where=f.file,
                    mend="Make the pack anew, and change nothing in it by hand.",
                )
                for f in changed
            )
        )
    pack = Leaving(folder, held.manifest)
    wrong = [
        ("area_code", pack.area_code, "a code of nine characters", re.fullmatch(r"[A-Z]\d{8}", pack.area_code)),
        ("parameters, source", pack.kind, ", ".join(KINDS), pack.kind in KINDS),
        ("disclosure, audience", pack.audience, ", ".join(READERS), pack.audience in READERS),
    ]
    if not all(good for *_, good in wrong):
        raise LedgerError(
            *(
                Problem(
                    "The manifest does not say what the ledger must know.", f"manifest.json, {where}", found, allowed
                )
                for where, found, allowed, good in wrong
                if not good
            )
        )
    return pack


def _release(pack: Leaving, arguments: argparse.Namespace) -> int:
    from jsna.audit.report import as_text, write
    from jsna.disclosure.ledger import default_folder, opened, record

    folder = arguments.ledger or default_folder(pack)
    with opened(folder, pack, PATIENCE_SECONDS) as ledger:
        entry = ledger.release(pack.id)
        if entry:
            return _again(ledger, entry, pack)
        report, before = _tested(ledger, pack)
        page = write(report, arguments.out / f"{pack.area_code}-{report.pack.name}", pack.folder, reveal=False)
        print(as_text(report))
        if report.exit_code:
            print(f"Report: {page}\nNothing was recorded: this pack does not leave. Mend what was found, make it anew.")
            return 1
        ledger = record(ledger, pack, _result(report, before))
    print(f"Recorded as {pack.id}, for {pack.audience} readers. Tested beside packs that left before: {len(before)}.")
    print(f"Ledger: {folder}\n{NEXT.format(short=pack.id[:SHORT])}")
    return 0


def _tested(ledger: Ledger, pack: Leaving) -> tuple[Report, list[str]]:
    """The audit beside every pack that a reader may have, from the ledger's own copies; and which these were."""
    from jsna.audit.audit import audit
    from jsna.disclosure.ledger import unpacked

    entries = ledger.before(pack.audience)
    with tempfile.TemporaryDirectory(prefix="jsna-") as aside:
        return audit(pack.folder, [unpacked(ledger, e, Path(aside)) for e in entries]), [e["id"] for e in entries]


def _result(report: Report, before: list[str]) -> dict[str, Any]:
    made = report.attack
    return {"findings": len(report.findings), "shown": made.shown, "hidden": made.hidden, "beside": before}


def _again(ledger: Ledger, entry: dict[str, Any], pack: Leaving) -> int:
    from jsna.disclosure.kept import keep_copy
    from jsna.disclosure.ledger import LedgerError, copy_of, mark, unpacked

    print(f"This pack was released on {entry['at'][:10]} as {entry['id']}; its files have not changed since.")
    with tempfile.TemporaryDirectory(prefix="jsna-") as aside:
        try:
            unpacked(ledger, entry, Path(aside))
        except LedgerError:
            keep_copy(pack.folder, copy_of(ledger, entry))
            print("The ledger's copy of it was missing or spoilt, and was made anew.")
    mark(ledger, pack)
    why = ledger.withdrawn.get(entry["id"])
    if why is None:
        return 0
    print(f"It was withdrawn since: {why} Do not publish it again; mend what was wrong and make the pack anew.")
    return 1


def _list(arguments: argparse.Namespace) -> int:
    from jsna.disclosure.ledger import read

    folders = _folders(arguments)
    if not folders:
        print(f"No release is recorded in {arguments.ledger or LEDGERS}.")
    for folder in folders:
        ledger = read(folder)
        print(f"{ledger.area_code}, {ledger.kind}: {len(ledger.releases)} released ({folder})")
        for e in ledger.releases:
            why = ledger.withdrawn.get(e["id"])
            state = f"; withdrawn: {why}" if why is not None else ""
            print(f"  {e['id'][:SHORT]}  cycle {e['cycle']}, {e['audience']}, released {e['at'][:10]}{state}")
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    from jsna.disclosure.kept import locked
    from jsna.disclosure.ledger import WITHDRAWAL, LedgerError, read, write

    if not arguments.why.strip():
        raise ParamsError(Problem("A release is withdrawn with a reason.", where="--why", mend='Add --why "..."'))
    folders = _folders(arguments)
    ledgers = [read(f) for f in folders]
    holding = [x.folder for x in ledgers if any(e["id"].startswith(arguments.withdraw) for e in x.releases)]
    if len(holding) != 1:
        what = "Several ledgers hold such a release." if holding else "There is no such release in any ledger."
        mend = (
            "Name one ledger with --ledger." if holding else "See `release --list`, or name the ledger with --ledger."
        )
        raise LedgerError(Problem(what, where="--withdraw", value=arguments.withdraw, mend=mend))
    with locked(holding[0], PATIENCE_SECONDS):
        ledger = read(holding[0])
        entry = ledger.named(arguments.withdraw)
        if entry["id"] in ledger.withdrawn:
            print(f"{entry['id']} was withdrawn before: {ledger.withdrawn[entry['id']]}")
            return 0
        write(ledger.with_entry(WITHDRAWAL, id=entry["id"], why=arguments.why.strip()))
    print(f"{entry['id']} (cycle {entry['cycle']}, released {entry['at'][:10]}) is marked as withdrawn.")
    print(OUT_ALL_THE_SAME)
    return 0


def _folders(arguments: argparse.Namespace) -> list[Path]:
    """The ledgers that are meant: of --ledger, of the pack, or all beside the packs."""
    from jsna.disclosure.ledger import default_folder

    named = arguments.ledger or (default_folder(leaving(arguments.pack)) if arguments.pack else LEDGERS)
    return [p.parent for p in (named / "ledger.json", *sorted(named.glob("*/ledger.json"))) if p.exists()]
