"""The commands `jsna voice-kit` and `jsna sample-size`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jsna.errors import ParamsError, Problem


def add_to(commands: Any) -> None:
    """Add both to the commands of the command line."""
    kit = commands.add_parser("voice-kit", help="write the survey kit: questions, and empty lists to fill in")
    kit.add_argument("folder", type=Path, help="a new or empty folder")
    kit.set_defaults(run=run_kit)
    size = commands.add_parser("sample-size", help="how many people to ask in a survey, or plans to audit")
    size.add_argument("--population", type=int, required=True, help="how many people or plans there are")
    size.add_argument("--margin", type=float, default=5.0, help="points either way (default: 5)")
    size.add_argument("--response", type=float, default=25.0, help="answers of a hundred asked (default: 25)")
    size.add_argument("--effect", type=float, default=1.0, help="what weights may cost (default: 1; often 1.3 to 2)")
    size.set_defaults(run=run_size)


def run_kit(arguments: argparse.Namespace) -> int:
    """Write the kit. Returns 0; what is wrong is raised."""
    from jsna.evidence.voice.kit import write_kit

    made = write_kit(arguments.folder)
    print(f"{len(made)} files in {arguments.folder}: the questions, and empty lists. See docs/survey-kit.md.")
    return 0


def run_size(arguments: argparse.Namespace) -> int:
    """Say how many answers are needed. Returns 0; what is wrong is raised."""
    from jsna.evidence.voice.sample_size import sample_size

    slips = {"--margin": arguments.margin, "--response": arguments.response}
    if wrong := [
        Problem("Per cent are meant.", where=k, value=v, expected="5, not 0.05") for k, v in slips.items() if v < 1
    ]:
        raise ParamsError(*wrong)
    found = sample_size(arguments.population, arguments.margin, response=arguments.response, effect=arguments.effect)
    print(found.words)
    return 0
