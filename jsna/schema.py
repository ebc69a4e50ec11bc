"""The params file's keys as a JSON schema, with which an editor completes and checks them while one writes."""

from __future__ import annotations

import json
from pathlib import Path

from jsna.params import Params

FILE = Path(__file__).resolve().parents[1] / "params" / "params.schema.json"


def schema() -> str:
    """The schema as text, made from the one model that checks a params file."""
    made = Params.model_json_schema()
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A params file of the SEND workbench"}
    return json.dumps(made | told, indent=1, ensure_ascii=False) + "\n"
