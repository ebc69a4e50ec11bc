"""The command `jsna priors`: how true ratios spread over authorities, learned from their counts, written as a file."""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path
from typing import Any

from jsna.errors import OutputError, ParamsError, Problem

DIMENSIONS = ("ethnicity", "language_group", "sex", "idaci_quintile")


def add_to(commands: Any) -> None:
    """Add `priors` to the commands of the command line."""
    priors = commands.add_parser("priors", help="learn from many authorities' counts how ratios spread; write a file")
    priors.add_argument("where", type=Path, metavar="DATA", help="the folder of official files; with --pupils: parquet")
    priors.add_argument("--out", type=Path, default=Path("priors.yml"), help="the file to write (default: priors.yml)")
    priors.add_argument("--date", default="", metavar="YYYY-MM-DD", help="the day that the file names (default: today)")
    priors.add_argument("--pupils", action="store_true", help="DATA are parquet files of many authorities' pupils")
    priors.add_argument(
        "--by", nargs="+", default=["ethnicity"], choices=DIMENSIONS, help="columns of the pupils (default: ethnicity)"
    )
    priors.add_argument("--source", default="", help="whose pupils these are, in words; asked for with --pupils")
    priors.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say what it holds. Returns 0; faults are raised, and nothing is written."""
    from jsna.disproportionality.prior_file import parse_priors

    made = arguments.date or time.strftime("%Y-%m-%d")
    _refuse_what_cannot_be_written(arguments.out, made)
    text = _of_pupils(arguments, made) if arguments.pupils else _of_official_files(arguments.where, made)
    told = parse_priors(text, arguments.out.name)
    arguments.out.write_text(text, encoding="utf-8", newline="\n")
    dimensions = ", ".join(sorted({d for _, d in told.entries}))
    print(f"{len(told.entries)} priors by {dimensions}, in {arguments.out}.")
    return 0


def _refuse_what_cannot_be_written(out: Path, made: str) -> None:
    if not out.absolute().parent.is_dir():
        raise OutputError(Problem("The folder for the file is not there.", where="--out"))
    try:
        day = date.fromisoformat(made).isoformat()
    except ValueError:
        day = ""
    if day != made:
        raise ParamsError(Problem("This is no day.", where="--date", value=made, expected="such as 2026-01-31"))


def _of_official_files(where: Path, made: str) -> str:
    from jsna.evidence.priors import official_priors
    from jsna.sources.folder import OfficialFolder

    if not where.is_dir():
        raise ParamsError(Problem("This is no folder of official files.", where="priors", value=where.name))
    return official_priors(OfficialFolder(where.resolve()), made)


def _of_pupils(arguments: argparse.Namespace, made: str) -> str:
    from jsna.engines import open_engine
    from jsna.evidence.priors import engine_priors

    if not arguments.source.strip():
        mend = 'Such as: --source "School Census January 2026, the 12 authorities of the alliance"'
        raise ParamsError(Problem("Say whose pupils these are.", where="--source", mend=mend))
    with open_engine("parquet", str(arguments.where)) as engine:
        return engine_priors(engine, arguments.by, made, arguments.source)
