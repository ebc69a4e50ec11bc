"""`tables.yml`, read once."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsna.files.packaged import packaged_yaml


@cache
def rules() -> dict[str, Any]:
    """What the tables of a pack are about."""
    return packaged_yaml("jsna.audit", "tables.yml")
