"""The command `jsna fetch`. What it needs is imported when it runs, so that other commands start no later."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsna.errors import Problem

if TYPE_CHECKING:
    from jsna.fetch.run import Outcome

STOPPED = "Stopped. What was fetched stays; run the command again to go on."


def add_to(commands: Any) -> None:
    """Add `fetch` to the commands of the command line."""
    fetch = commands.add_parser("fetch", help="download the official files into a dated folder")
    fetch.add_argument("keys", nargs="*", metavar="KEY", help="these files only (default: all that the chapters need)")
    fetch.add_argument("--into", type=Path, default=Path("data"), help="folder of the files (default: data)")
    fetch.add_argument("--list", action="store_true", help="show what can be fetched, and stop")
    fetch.add_argument("--offline", action="store_true", help="connect to nothing; check the files that are there")
    fetch.add_argument(
        "--service", action="append", default=[], metavar="NAME=ADDRESS", help="a mirror's address for a service"
    )
    fetch.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fetch, verify or list. The exit code is the worst of the files': see ``Outcome.exit_code``."""
    from jsna.fetch.catalogue import catalogue
    from jsna.fetch.report import listing

    known = catalogue().elsewhere(_addresses(arguments.service))
    chosen = known.chosen(arguments.keys)
    if arguments.list:
        print(listing(known))
        return 0
    try:
        return _report(_outcomes(known, chosen, arguments), arguments.into)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return 2


def _outcomes(known: Any, chosen: Sequence[Any], arguments: argparse.Namespace) -> Iterable[Outcome]:
    from jsna.fetch.run import fetch_all, verify_all

    if arguments.offline:
        return verify_all(chosen, known, arguments.into)
    from jsna.fetch.http import Client

    return fetch_all(chosen, known, arguments.into, Client(), date.today())


def _report(outcomes: Iterable[Outcome], folder: Path) -> int:
    from jsna.fetch.report import doubles, grouped

    worst, problems = 0, []
    for outcome in outcomes:
        print(f"{outcome.key}: {outcome.words}", flush=True)
        worst = max(worst, outcome.exit_code)
        problems += outcome.problems
    for line in [*grouped(problems), *doubles(folder)]:
        print(line, file=sys.stderr)
    if worst == 0:
        print(f"Folder: {folder.as_posix()}. Name it in data: of a params file, or in JSNA_DATA.")
    return worst


def _addresses(pairs: Sequence[str]) -> dict[str, str]:
    from jsna.fetch.errors import CatalogueError

    wrong = [p for p in pairs if "=" not in p]
    if wrong:
        raise CatalogueError(
            *(Problem("A service is given as NAME=ADDRESS.", where="--service", value=p) for p in wrong)
        )
    return dict(p.split("=", 1) for p in pairs)
