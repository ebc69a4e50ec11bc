"""What the projection is told as data: bands, weights, years of the back-test, placements and needs."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def settings() -> dict[str, Any]:
    """What ``settings.yml`` says."""
    return yaml.safe_load(files("jsna.evidence.projection").joinpath("settings.yml").read_text(encoding="utf-8"))


def bands() -> list[str]:
    """The age bands, youngest first.

    >>> bands()[0], bands()[-1]
    ('Under 5', '20 to 25')
    """
    return list(settings()["bands"])
