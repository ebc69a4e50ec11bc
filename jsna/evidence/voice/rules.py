"""The rules of surveys and audits (``rules.yml``) and the names of who answered."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsna.files.packaged import packaged_yaml

HERE = "jsna.evidence.voice"
LABELS = {
    "parents": "Parents and carers",
    "young_people": "Young people",
    "children": "Children",
    "practitioners": "Practitioners",
    "not_known": "Not known who answered",
}


@cache
def read(name: str) -> Any:
    """A data file of this room."""
    return packaged_yaml(HERE, name)


def rule(name: str) -> Any:
    """One rule by its name.

    >>> rule("fewest_shown")
    10
    """
    return read("rules.yml")[name]
