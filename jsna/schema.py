"""The params file's keys as a JSON schema, with which an editor completes and checks them while one writes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from jsna.params import Params

FILE = Path(__file__).resolve().parents[1] / "params" / "params.schema.json"


def schema() -> str:
    """The schema as text, made from the one model that checks a params file."""
    made = Params.model_json_schema()
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A params file of the SEND workbench"}
    return json.dumps(made | told, indent=1, ensure_ascii=False) + "\n"


def add_to(commands) -> None:
    """The command ``schema``."""
    parser: argparse.ArgumentParser = commands.add_parser("schema", help="print the JSON schema of a params file")
    parser.set_defaults(run=lambda _: print(schema(), end="") or 0)
