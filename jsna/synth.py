"""The command `jsna synth`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jsna.errors import ParamsError, Problem

TABLE = "table"


def add_to(commands: Any) -> None:
    """Add `synth` to the commands of the command line."""
    synth = commands.add_parser("synth", help="write the synthetic area: its pupil table, or files to train with")
    synth.add_argument("path", type=Path, nargs="?", help="a parquet file; with --form, a folder")
    synth.add_argument("--seed", type=int, default=2023)
    synth.add_argument("--scale", type=float, default=1.0, help="1 is about 40,000 pupils in three censuses")
    synth.add_argument("--form", default=TABLE, metavar="FORM", help="files of this form (default: the pupil table)")
    synth.add_argument(
        "--defect", action="append", default=[], metavar="NAME", help="plant this defect; may be repeated"
    )
    synth.add_argument("--list", action="store_true", help="show the forms, and stop")
    synth.add_argument("--list-defects", action="store_true", help="show the defects (of --form alone), and stop")
    synth.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the pupil table or the files, or list what can be asked for. Returns 0; what is wrong is raised."""
    from jsna.synthetic import files, write_pupils

    if arguments.list:
        print("\n".join(f"{name:20} {what}" for name, what in files.FORMS.items()))
        return 0
    if arguments.list_defects:
        print(_defects(arguments.form))
        return 0
    if arguments.path is None:
        raise ParamsError(
            Problem("Say where to write.", where="path", expected="a parquet file, or a folder with --form")
        )
    if arguments.form == TABLE:
        if arguments.defect:
            raise ParamsError(
                Problem("Defects are planted in files: choose a form.", where="--defect", expected="--form")
            )
        write_pupils(arguments.path, seed=arguments.seed, scale=arguments.scale)
        print(f"Synthetic pupils, no real children: {arguments.path}")
        return 0
    made = files.write_files(
        arguments.path, arguments.form, seed=arguments.seed, scale=arguments.scale, defects=arguments.defect
    )
    print(f"{len(made)} files about synthetic pupils, no real children: {arguments.path}")
    if arguments.defect:
        print(f"What was planted, and in how many rows: {made[-1]}")
    return 0


def _defects(form: str) -> str:
    from jsna.synthetic.files import DEFECTS

    chosen = [d for d in DEFECTS.values() if form in (TABLE, *d.forms)]
    return "\n".join(f"{d.name:36} {d.section:5} {d.sentence} [{', '.join(d.forms)}]" for d in chosen)
