"""What the projection is told as data: bands, weights, years of the back-test, placements and needs."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsna.files.packaged import packaged_yaml


@cache
def settings() -> dict[str, Any]:
    """What ``settings.yml`` says."""
    return packaged_yaml("jsna.evidence.projection", "settings.yml")


def bands() -> list[str]:
    """The age bands, youngest first.

    >>> bands()[0], bands()[-1]
    ('Under 5', '20 to 25')
    """
    return list(settings()["bands"])
