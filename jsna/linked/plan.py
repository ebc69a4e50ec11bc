"""A plan: every table of true counts that a pack shows or lets a reader work out, and how their categories nest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jsna.disclosure.cells import Classification, Table
from jsna.errors import DisclosureError, Problem

Split = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Plan:
    """Tables, and for each variable its wholes with their parts (``""`` the whole of everybody)."""

    tables: tuple[Table, ...]
    splits: dict[str, tuple[Split, ...]]

    def classifications(self) -> tuple[Classification, ...]:
        """How the categories nest, for the joint engine."""
        return tuple(Classification(variable, splits) for variable, splits in sorted(self.splits.items()))


def together(plans: Iterable[Plan]) -> Plan:
    """Several plans as one. Raises ``DisclosureError`` where two tables share a name."""
    plans = tuple(plans)
    tables = [t for p in plans for t in p.tables]
    twice = sorted({t.name for t in tables if [u.name for u in tables].count(t.name) > 1})
    if twice:
        raise DisclosureError(Problem("Two tables of the plan have one name.", value=twice))
    splits: dict[str, dict[Split, None]] = {}
    for plan in plans:
        for variable, found in plan.splits.items():
            splits.setdefault(variable, {}).update(dict.fromkeys(found))
    return Plan(tuple(tables), {v: tuple(found) for v, found in splits.items()})
