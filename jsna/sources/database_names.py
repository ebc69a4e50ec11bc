"""Names in a database: of tables, with or without a schema, and of columns, in whatever case they are written."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jsna.errors import Problem, SourceError, did_you_mean

NAME_PART = re.compile(r'"((?:[^"]|"")+)"|\[([^\]]+)\]|([^.\s"\[\]]+)')
SHOWN = 8

Filter = str | int | Sequence[str | int]


@dataclass(frozen=True)
class Found:
    """A table as the database has it: ``name`` for messages, ``columns`` with the kind of cells that each holds (""
    for a type that is no cell), ``types`` as the database calls them, and the columns of its primary ``key``."""

    name: str
    schema: str | None
    table: str
    columns: dict[str, str]
    types: dict[str, str]
    key: tuple[str, ...] = ()


def name_parts(table: str) -> tuple[str | None, str]:
    """Schema (None where there is none) and name of a table; parts may stand in quotation marks or square brackets.

    >>> name_parts('census."Pupils 2026"'), name_parts("[dbo].[pupils]"), name_parts("pupils")
    (('census', 'Pupils 2026'), ('dbo', 'pupils'), (None, 'pupils'))
    """
    parts, place = [], 0
    text = table.strip()
    while place < len(text) or not parts:
        hit = NAME_PART.match(text, place)
        if hit is None or text[hit.end() :] == "." or (hit.end() < len(text) and text[hit.end()] != "."):
            mend = "Name a table or view, such as census.pupils; for a query, ask for a view. Quote a name with blanks."
            raise SourceError(Problem("This is not the name of a table.", where="table", value=table[:80], mend=mend))
        parts.append((hit[1] or "").replace('""', '"') or hit[2] or hit[3])
        place = hit.end() + 1
    return ".".join(parts[:-1]) or None, parts[-1]


def nearest(name: str, names: Collection[str]) -> str:
    """A sentence with the name that is nearest, else with those that there are."""
    shown = ", ".join(sorted(names)[:SHOWN]) + (" and others" if len(names) > SHOWN else "")
    return did_you_mean(name, names) or (f"There are: {shown}." if names else "There are none that may be seen.")


def in_any_case(name: str, names: Collection[str]) -> str | None:
    """The name as the database has it: as it is written, else in another case where just one is."""
    if name in names:
        return name
    alike = [n for n in names if n.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def one_of(name: str, names: Collection[str], what: str, where: str) -> str:
    """As ``in_any_case``; raises ``SourceError`` with the nearest names where there is none, or more than one."""
    hit = in_any_case(name, names)
    if hit is not None:
        return hit
    alike = sorted(n for n in names if n.casefold() == name.casefold())
    mend = f"Write it as it is spelt there: {' or '.join(alike)}." if alike else nearest(name, names)
    raise SourceError(Problem(f"The {what} is not there.", where=where, value=name, mend=mend))
