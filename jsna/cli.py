"""The command line: thin commands over the rooms.

Exit codes: 0 fine; 1 a check found something; 2 the request or an input is wrong; 3 a chapter failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from jsna.errors import WorkbenchError

MESSAGE_LINES = 10


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; a user never sees a traceback of the workbench's own errors."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except WorkbenchError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say(
            "Stopped. Nothing was changed: the pack that was there before is untouched. Run the command again to go on."
        )
        return 2
    except OSError as error:
        _say(f"The system refused: {error.strerror or error}. File: {error.filename or 'not named'}.")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jsna", description="Evidence packs on special educational needs.")
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="make the evidence pack of a params file")
    refresh.add_argument("params", nargs="+", type=Path, metavar="PARAMS")
    refresh.add_argument("--out", type=Path, default=Path("packs"), help="folder of the packs (default: packs)")
    refresh.add_argument("--jobs", type=_whole, default=2, help="chapters made at a time (default: 2)")
    refresh.add_argument("--only", action="append", default=[], metavar="CHAPTER", help="this chapter only")
    refresh.add_argument("--force", action="store_true", help="make every chapter anew (this version always does)")
    refresh.set_defaults(run=_refresh)
    check = commands.add_parser("check", help="say whether a params file and its inputs can be used")
    check.add_argument("params", nargs="+", type=Path, metavar="PARAMS")
    check.set_defaults(run=_check)
    synth = commands.add_parser("synth", help="write the synthetic pupil table to a parquet file")
    synth.add_argument("path", type=Path)
    synth.add_argument("--seed", type=int, default=2023)
    synth.add_argument("--scale", type=float, default=1.0, help="1 is about 40,000 pupils in three censuses")
    synth.set_defaults(run=_synth)
    return parser


def _whole(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError("a whole number from 1 to 64 is expected")
    return value


def _refresh(arguments: argparse.Namespace) -> int:
    from jsna.refresh.refresh import refresh

    started = time.monotonic()
    report = refresh(arguments.params, out=arguments.out, workers=arguments.jobs, only=arguments.only)
    for folder in report.packs:
        print(f"Pack: {_near(folder / 'index.html')}")
    for area, chapter, reason in report.failures:
        _say(f"{area}, {chapter} was not made: {reason}")
    print(f"Done in {time.monotonic() - started:.0f} s. Open index.html in a browser; nothing has left this computer.")
    return report.exit_code


def _check(arguments: argparse.Namespace) -> int:
    from jsna.refresh.plan import plan

    for pack in plan(arguments.params, Path("packs"), []):
        if not pack.area.synthetic:
            pack.area.official.check()
        print(f"{pack.area.label}: fine. {len(pack.chapters)} chapters would go to {pack.folder}.")
    return 0


def _synth(arguments: argparse.Namespace) -> int:
    from jsna.synthetic import write_pupils

    write_pupils(arguments.path, seed=arguments.seed, scale=arguments.scale)
    print(f"Synthetic pupils, no real children: {arguments.path}")
    return 0


def _near(path: Path) -> str:
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _say(message: str) -> None:
    lines = message.splitlines()
    if len(lines) > MESSAGE_LINES:
        rest = len(lines) - MESSAGE_LINES + 1
        lines = [*lines[: MESSAGE_LINES - 1], f"... and {rest} more."]
    print("\n".join(lines), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
