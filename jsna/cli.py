"""The command line: thin commands over the rooms.

Exit codes: 0 fine; 1 a check found something; 2 the request or an input is wrong; 3 a chapter failed; 4 a fault of the
workbench itself.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jsna.errors import WorkbenchError

MESSAGE_LINES = 10
HOW = "python3 workbench.py"
ROOM = Path(__file__).resolve().parent
TRACEBACK_VARIABLE = "JSNA_TRACEBACK"


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; a user never sees a traceback of the workbench's own errors."""
    try:
        arguments = _parser().parse_args(argv)
        return arguments.run(arguments)
    except WorkbenchError as error:
        _say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say(
            "Stopped. Nothing was changed: the pack that was there before is untouched. Run the command again to go on."
        )
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough (`jsna synth --list | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _say(f"The system refused: {error.strerror or error}. File: {error.filename or 'not named'}.")
        return 2
    except Exception as fault:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        _say(_of_our_own(fault))
        return 4


def _of_our_own(fault: Exception) -> str:
    """A fault that nobody foresaw: its kind and place, not its words, which may hold a row about a child."""
    frames = [(f.filename, f.lineno) for f in traceback.extract_tb(fault.__traceback__)]
    ours = [
        f"{Path(name).relative_to(ROOM.parent).as_posix()}, line {n}"
        for name, n in frames
        if ROOM in Path(name).parents
    ]
    return (
        f"An unexpected fault of kind {type(fault).__name__}, a fault of the workbench ({ours[-1]}). What was there "
        f"before is untouched. See docs/faults.md; {TRACEBACK_VARIABLE}=1 shows the whole trace, which may hold data."
    )


def _parser() -> argparse.ArgumentParser:
    # imported here so that Ctrl-C is answered in words from the first moment; these import what they need when they run
    from jsna import priors, release, synth, voice_kit
    from jsna.audit import command as audit
    from jsna.fetch import command as fetch

    parser = argparse.ArgumentParser(prog="jsna", description="Evidence packs on special educational needs.")
    commands = parser.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="make the evidence pack of a params file")
    refresh.add_argument("params", nargs="+", type=Path, metavar="PARAMS")
    refresh.add_argument("--out", type=Path, default=Path("packs"), help="folder of the packs (default: packs)")
    refresh.add_argument("--jobs", type=_whole, default=2, help="chapters made at a time (default: 2)")
    refresh.add_argument("--only", action="append", default=[], metavar="CHAPTER", help="this chapter only")
    refresh.add_argument("--force", action="store_true", help="make every chapter anew, also where nothing has changed")
    refresh.add_argument("--audit", action="store_true", help="attack each pack too; exit 1 when something is found")
    refresh.add_argument(
        "--timeout", type=_seconds, default=900, metavar="SECONDS", help="longest for one step of a chapter (900)"
    )
    refresh.add_argument(
        "--kernels", choices=("warm", "plain"), default="warm", help="plain: each chapter imports for itself"
    )
    refresh.add_argument("--scheduler", default="", metavar="tcp://HOST:PORT", help="a Dask cluster to run on")
    refresh.set_defaults(run=_refresh)
    check = commands.add_parser("check", help="say what is wrong with the data that a params file names")
    check.add_argument("params", nargs="+", type=Path, metavar="PARAMS")
    check.add_argument("--out", type=Path, default=Path("checks"), help="folder of the reports (default: checks)")
    check.set_defaults(run=_check)
    start = commands.add_parser(
        "init", help="make the params file of an area, and the project's key; --open: from open data"
    )
    start.add_argument("area", metavar="AREA_CODE", help="nine characters, such as E06000032")
    start.add_argument("--key", type=Path, default=None, help="where the key goes (default: jsna-keys in your home)")
    start.add_argument("--params", type=Path, default=None, help="the params file to write")
    start.add_argument("--open", action="store_true", help="from official open data alone, without own data or a key")
    start.add_argument("--data", type=Path, default=None, help="folder of official files (default: JSNA_DATA)")
    start.set_defaults(run=_init)
    national = commands.add_parser("national", help="values and a page of every local authority, from official files")
    national.add_argument("where", type=Path, metavar="PARAMS|DATA", help="a params file, or the folder of the files")
    national.add_argument("--out", type=Path, default=Path("packs"), help="folder of the packs (default: packs)")
    national.add_argument("--areas", nargs="+", default=[], metavar="CODE", help="only these authorities")
    national.add_argument("--jobs", type=_whole, default=2, help="pages made at a time (default: 2)")
    national.set_defaults(run=_national)
    synth.add_to(commands)
    fetch.add_to(commands)
    audit.add_to(commands)
    release.add_to(commands)
    compare = commands.add_parser("compare", help="say what has changed from an earlier pack of an area to a newer one")
    compare.add_argument("old", type=Path, metavar="OLD_PACK", help="folder of the earlier pack, with manifest.json")
    compare.add_argument("new", type=Path, metavar="NEW_PACK", help="folder of the newer pack of the same area")
    compare.add_argument("--out", type=Path, default=None, help="a new folder for the page and its tables")
    compare.set_defaults(run=_compare)
    screen = commands.add_parser(
        "screen", help="say whether open data would pass the screener of Explore Education Statistics"
    )
    screen.add_argument("where", type=Path, metavar="FOLDER_OR_FILE", help="a pack, a folder of CSV files, or one file")
    screen.set_defaults(run=_screen)
    priors.add_to(commands)
    voice_kit.add_to(commands)
    commands.add_parser("schema", help="print the JSON schema of a params file").set_defaults(run=_schema)
    return parser


def _whole(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:
        raise argparse.ArgumentTypeError("a whole number from 1 to 64 is expected")
    return value


def _seconds(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a whole number of seconds is expected")
    return value


def _refresh(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    with ExitStack() as held:
        kernels = None
        if arguments.force and not arguments.scheduler:
            # something will be made for certain: what workers and kernels import is imported while the run is planned
            from jsna.kernels.warm import Kernels
            from jsna.refresh.pool import warm_up

            warm_up()
            kernels = held.enter_context(Kernels(warm=arguments.kernels == "warm"))
        report = _refreshed(arguments, kernels)
    for folder in report.packs:
        print(f"Pack: {_near(folder / 'index.html')}")
    for area, chapter, reason in report.failures:
        _say(f"{area}, {chapter} was not made: {reason}")
    print(f"Done in {time.monotonic() - started:.0f} s. Open index.html in a browser; nothing has left this computer.")
    return report.exit_code


def _refreshed(arguments: argparse.Namespace, kernels: Any) -> Any:
    from jsna.refresh.refresh import Asked, refresh

    asked = Asked(
        out=arguments.out,
        workers=arguments.jobs,
        only=tuple(arguments.only),
        audited=arguments.audit,
        force=arguments.force,
        warm=arguments.kernels == "warm",
        timeout=arguments.timeout,
        scheduler=arguments.scheduler,
    )
    return refresh(arguments.params, asked, kernels=kernels)


def _check(arguments: argparse.Namespace) -> int:
    from jsna.check.report import areas_of, as_text, check_area, write_page

    code = 0
    for area in areas_of(arguments.params):
        report = check_area(area)
        page = write_page(report, arguments.out, f"{area.code}-{area.params.cycle}")
        print(as_text(report, Path(_near(page))))
        if report.unreadable:
            _say("\n".join(report.unreadable))
        code = max(code, report.exit_code)
    return code


def _init(arguments: argparse.Namespace) -> int:
    from jsna.start import start, start_open

    if arguments.open:
        path = _near(start_open(arguments.area, data=arguments.data, params=arguments.params))
        print(f"Params: {path}\nNext: read what it says about the files, then run `{HOW} refresh {path}`.")
        return 0
    made = start(arguments.area, key=arguments.key, params=arguments.params, data=arguments.data)
    print(f"Params: {_near(made.params)}\nKey: {made.key} (yours alone: keep it, never send it, never commit it)")
    print(f"Next: name your files in the params, then run `{HOW} check` on it.")
    return 0


def _national(arguments: argparse.Namespace) -> int:
    from jsna.national import national

    started = time.monotonic()
    report = national(arguments.where, out=arguments.out, areas=arguments.areas, workers=arguments.jobs)
    for area, reason in report.failures:
        _say(f"{area} was not made: {reason}")
    print(f"England: {_near(report.folder / 'index.html')}, {report.areas} authorities.")
    if report.absent:
        print(f"{report.absent} indicators could not be read in every way; the index and manifest.json say why.")
    print(f"Done in {time.monotonic() - started:.0f} s. Nothing has left this computer.")
    return report.exit_code


def _compare(arguments: argparse.Namespace) -> int:
    from jsna.compare import run

    return run(arguments.old, arguments.new, arguments.out)


def _screen(arguments: argparse.Namespace) -> int:
    from jsna.pack.open_data.command import run

    return run(arguments.where)


def _schema(_: argparse.Namespace) -> int:
    from jsna.schema import schema

    print(schema(), end="")
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
