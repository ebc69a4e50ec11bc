"""Which tables of a pack become sheets of the workbook, in which order, and how the sheets are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsna.pack.workbook.cells import settings

LONGEST_NAME = 31
RESERVED = ("history",)


@dataclass(frozen=True)
class Choice:
    """An exhibit that gets a sheet; ``name`` is the sheet's wish, which may be taken; ``first``: leading columns."""

    exhibit: Mapping[str, Any]
    name: str
    first: tuple[str, ...] = ()


def chosen(exhibits: Sequence[Mapping[str, Any]]) -> list[Choice]:
    """The exhibits with a table that ``sheets.yml`` names, in its order; of other chapters the first few tables."""
    with_table = [e for e in exhibits if e.get("table_csv") and e.get("id")]
    found: dict[str, Choice] = {}
    for rule in settings()["sheets"]:
        for exhibit in with_table:
            match = re.fullmatch(rule["table"], exhibit["id"])
            if match and exhibit["id"] not in found:
                parts = ["", *(_plain(g or "") for g in match.groups())]
                found[exhibit["id"]] = Choice(exhibit, rule["name"].format(*parts), tuple(rule.get("first", ())))
    named = {c.exhibit.get("chapter") for c in found.values()}
    others: dict[Any, list[Choice]] = {}
    for exhibit in with_table:
        if exhibit.get("chapter") not in named:
            others.setdefault(exhibit.get("chapter"), []).append(Choice(exhibit, _plain(exhibit["id"])))
    return [*found.values(), *(c for own in others.values() for c in own[: settings()["otherwise"]])]


def _plain(text: str) -> str:
    """A part of an exhibit's id as a reader may see it.

    >>> _plain("ehc-plan"), _plain("att-01")
    ('EHC plan', 'ATT-01')
    """
    plain = re.sub(r"\b([a-z]{3}) (\d\d)\b", lambda m: f"{m[1].upper()}-{m[2]}", text.replace("-", " "))
    return settings()["parts"].get(plain, plain)


def sheet_names(wishes: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Names that a workbook may have: at most 31 letters, none of its forbidden signs, each once, capitals or not.

    >>> sheet_names(["A/B: c?", "a b c", "King's [ward]"])
    ['A B c', 'A b c 2', 'Kings ward']
    """
    used = {t.casefold() for t in taken} | set(RESERVED)
    made: list[str] = []
    for wish in wishes:
        plain = " ".join(re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", wish.replace("'", "").replace("’", "")).split())
        plain = (plain[:1].upper() + plain[1:]) or "Table"
        number = 1
        while (name := _short(plain, number)).casefold() in used:
            number += 1
        used.add(name.casefold())
        made.append(name)
    return made


def _short(name: str, number: int) -> str:
    after = "" if number == 1 else f" {number}"
    return name[: LONGEST_NAME - len(after)].rstrip() + after
