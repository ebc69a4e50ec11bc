"""The standard's lists and the screener's rules, read once from `lookups.yml` and `rules.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from jsna.files.packaged import packaged_yaml

Level = Literal["FAIL", "WARN"]
HERE = "jsna.pack.open_data"


@dataclass(frozen=True)
class Told:
    """What is known of a rule: its stage, how grave a breach is, what is wrong then and what to do.

    ``ours``: the standard asks for it, and DfE's list of checks does not name it.
    """

    id: str
    stage: str
    level: Level
    what: str
    mend: str
    ours: bool = False


def read_list(name: str) -> dict[str, Any]:
    """A file of lists of this room."""
    return packaged_yaml(HERE, name)


@cache
def lists() -> dict[str, Any]:
    """What the standard allows."""
    return read_list("lookups.yml")


@cache
def rules_by_stage() -> dict[str, tuple[Told, ...]]:
    """The rules of each stage, in the order in which the stages run.

    >>> next(iter(rules_by_stage()))
    'file names'
    """
    return {
        part["stage"]: tuple(Told(name, part["stage"], **told) for name, told in part["rules"].items())
        for part in read_list("rules.yml")["stages"]
    }


@cache
def time_identifiers() -> dict[str, tuple[str, int]]:
    """The family of each time identifier, and the digits of its periods.

    >>> time_identifiers()["Academic year"], time_identifiers()["Week 52"]
    (('academic year', 6), ('weeks', 4))
    """
    return {
        name: (family, told["digits"])
        for family, told in lists()["time_families"].items()
        for name in _numbered(told["names"], told.get("numbered", 0))
    }


def _numbered(names: list[str], many: int) -> list[str]:
    return [f"{name} {number}" for name in names for number in range(1, many + 1)] if many else names


@cache
def place_columns() -> tuple[str, ...]:
    """Every column of places, country first."""
    own = [column for level in lists()["levels"].values() for column in level["columns"]]
    return tuple(
        dict.fromkeys(["geographic_level", "country_code", "country_name", "region_code", "region_name", *own])
    )


@cache
def time_columns() -> tuple[str, ...]:
    """The columns of time."""
    return ("time_period", "time_identifier")
