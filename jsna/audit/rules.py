"""`tables.yml`, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def rules() -> dict[str, Any]:
    """What the tables of a pack are about."""
    return yaml.safe_load(files("jsna.audit").joinpath("tables.yml").read_text(encoding="utf-8"))
