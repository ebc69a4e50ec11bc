"""Texts, limits, layouts and rules that the workbench keeps as YAML beside the code that uses them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

# The parser written in C reads the same ten times as fast; where it was not built, the other does.
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def packaged_yaml(package: str, *path: str) -> Any:
    """What a YAML file that comes with the workbench holds: ``package`` with dots, then the file's path in it.

    It is read anew each time: who asks often keeps the answer. Not for files of users, whose faults need a message.

    >>> packaged_yaml("jsna.refresh", "needs.yml").keys() >= {"09-sufficiency"}
    True
    """
    return yaml.load(files(package).joinpath(*path).read_text(encoding="utf-8"), PARSER)
