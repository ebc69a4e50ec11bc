"""`jsna audit PACK`: the command line's part."""

from __future__ import annotations

import argparse
from pathlib import Path

from jsna.errors import Problem, SourceError


def add_to(commands) -> None:
    """Add the command to the command line."""
    audit = commands.add_parser("audit", help="attack a pack as a stranger would; exit 1 when something is found")
    audit.add_argument("pack", type=Path, metavar="PACK")
    audit.add_argument(
        "--previous",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="PACK",
        help="packs published before, all of them; may be given several times",
    )
    audit.add_argument(
        "--official", type=Path, default=None, metavar="FOLDER", help="official figures of the same children"
    )
    audit.add_argument("--canaries", type=Path, default=None, metavar="FILE", help="planted marks, one a line")
    audit.add_argument("--out", type=Path, default=Path("audits"), help="folder of the reports (default: audits)")
    audit.add_argument("--reveal", action="store_true", help="say what was found, too: for the analyst's eyes alone")
    audit.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Audit the pack, print the report and write it to a folder of its own."""
    from jsna.audit.audit import audit
    from jsna.audit.report import as_text, write

    report = audit(arguments.pack, arguments.previous, _marks(arguments.canaries), arguments.official)
    name = "-".join(p for p in (str(report.pack.manifest.get("area_code", "")), report.pack.name) if p)
    page = write(report, arguments.out / name, arguments.pack, arguments.reveal)
    print(as_text(report))
    print(f"Report: {page}" + (" (with what was found: do not pass it on)" if arguments.reveal else ""))
    return report.exit_code


def _marks(path: Path | None) -> list[str]:
    if path is None:
        return []
    marks = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not marks or min(map(len, marks)) < 6:
        raise SourceError(
            Problem(
                "The marks cannot be looked for.",
                where=path.name,
                expected="one unique mark of at least 6 characters a line",
                mend="A short mark is found by chance.",
            )
        )
    return marks
