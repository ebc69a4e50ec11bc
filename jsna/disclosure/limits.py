"""Which policies may be asked for: the least that must be protected, by who will read the pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOORS = {
    "suppress_below": {"public": 5, "restricted": 3},
    "minimum_denominator": {"public": 10, "restricted": 5},
}
CEILINGS = {"suppress_below": 20, "minimum_denominator": 100}
SOURCES = ("pupils", "cases", "lists")


def threshold_faults(given: Any, audience: str | None) -> list[str]:
    """What is wrong with ``suppress_below``: a number, or a mapping of ``SOURCES`` to numbers.

    >>> threshold_faults({"pupils": 5, "case": 5}, "public")
    ['case: not a source; allowed: pupils, cases, lists']
    """
    if not isinstance(given, Mapping):
        return limit_faults("suppress_below", given, audience)
    strangers = [f"{s}: not a source; allowed: {', '.join(SOURCES)}" for s in given if s not in SOURCES]
    known = {s: number for s, number in given.items() if s in SOURCES}
    return strangers + [
        f"{s}: {f}" for s, number in known.items() for f in limit_faults("suppress_below", number, audience)
    ]


def limit_faults(key: str, number: Any, audience: str | None) -> list[str]:
    """What is wrong with a limit; where the audience is not known, by the lower floor.

    >>> limit_faults("minimum_denominator", 5, "restricted"), limit_faults("suppress_below", 4, "public")
    ([], ['4 is no whole number from 5 (3 with audience: restricted) to 20'])
    """
    floor = FLOORS[key].get(str(audience), FLOORS[key]["restricted"])
    if isinstance(number, int) and not isinstance(number, bool) and floor <= number <= CEILINGS[key]:
        return []
    less = f" ({FLOORS[key]['restricted']} with audience: restricted)" if audience == "public" else ""
    return [f"{number!r} is no whole number from {floor}{less} to {CEILINGS[key]}"]


def zeros_faults(zeros: str, audience: str | None, protection: str | None) -> list[str]:
    """What stands against showing zeros.

    >>> zeros_faults("shown", "restricted", "suppress"), len(zeros_faults("shown", "public", "cell_key"))
    ([], 2)
    """
    if zeros != "shown":
        return []
    found = []
    if audience == "public":
        found.append("a 0 tells about everybody in a group: it may be shown with audience: restricted alone")
    if protection in ("round_5", "cell_key"):
        found.append(f"with protection: {protection} a 0 stands for none or few, and no true 0 can be shown")
    return found
