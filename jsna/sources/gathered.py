"""What a reader of the census has to say on its way: rows and cells put aside, things to look at, by named rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from jsna.codes import LISTS, all_versions
from jsna.files.packaged import packaged_yaml
from jsna.files.result import refused
from jsna.sources.identity import HIDDEN, masked, shown

FINDING_COLUMNS = ("check", "severity", "column", "count", "sentence", "mend", "place")
FILES_SHOWN, ROWS_SHOWN = 2, 5


@cache
def rules() -> dict[str, dict[str, dict[str, Any]]]:
    """The rules of pupil_rules.yml: ``findings`` and ``refusals`` by name."""
    return packaged_yaml("jsna.sources", "pupil_rules.yml")


@cache
def fine() -> frozenset[str]:
    """What is said of rows that are put aside as they should be, so that nothing has to be done about them."""
    return frozenset(rule["says"] for rule in rules()["refusals"].values() if rule.get("fine"))


@cache
def vocabulary() -> frozenset[str]:
    """Every code and label of the code lists, in capitals: what a cell may be shown as, whatever column it is in."""
    columns = [all_versions(name)[c] for name in LISTS for c in ("code", "label", "plain") if c in all_versions(name)]
    return frozenset(word.upper() for column in columns for word in column if word)


def phrase(sentence: str, n: int) -> str:
    """A sentence with its number in place, and of each ``[one|many]`` the form that fits it.

    >>> phrase("{n} [pupil has|pupils have] no number.", 1), phrase("{n} [pupil has|pupils have] no number.", 1200)
    ('1 pupil has no number.', '1,200 pupils have no number.')
    """
    chosen = re.sub(r"\[([^|\]]*)\|([^\]]*)\]", lambda found: found[1 if n == 1 else 2], sentence)
    return chosen.replace("{n}", f"{n:,}")


def few(names: Iterable[str]) -> str:
    """The first names of many.

    >>> few(["a.csv", "b.csv"]), few(["a.csv", "b.csv", "c.csv", "d.csv"])
    ('a.csv, b.csv', 'a.csv, b.csv and 2 more')
    """
    shown, *rest = list(names)
    if len(rest) < 2:
        return ", ".join([shown, *rest])
    return f"{shown}, {rest[0]} and {len(rest) - 1:,} more"


def in_words(file: np.ndarray, row: np.ndarray) -> str:
    """Where something stands: the first files with their first rows, and how many more there are.

    >>> in_words(np.array(["a.csv", "a.csv", "b.csv"]), np.array([4, 7, 2]))
    'a.csv, rows 4, 7; b.csv, row 2'
    """
    names, first = np.unique(file.astype("str"), return_index=True)
    parts = []
    for name in names[np.argsort(first)][:FILES_SHOWN]:
        rows = row[file == name]
        more = f" and {len(rows) - ROWS_SHOWN:,} more" if len(rows) > ROWS_SHOWN else ""
        word = "row" if len(rows) == 1 else "rows"
        parts.append(f"{name}, {word} {', '.join(str(r) for r in rows[:ROWS_SHOWN])}{more}")
    rest = [f"and {len(names) - FILES_SHOWN:,} more files"] if len(names) > FILES_SHOWN else []
    return "; ".join([*parts, *rest])


@dataclass
class Gathered:
    """Refusals and findings of one stack of rows; ``file``, ``row`` and ``period`` say of each where it stands."""

    file: np.ndarray
    row: np.ndarray
    period: np.ndarray
    refusals: list[pd.DataFrame] = field(default_factory=list)
    found: list[tuple[str, np.ndarray]] = field(default_factory=list)

    def refuse(self, rule: str, which: Collection[bool], values: pd.Series | None = None, column: str = "") -> None:
        """List the cells or rows that ``which`` marks; ``values`` are shown as far as the rule says they may be."""
        at = np.flatnonzero(np.asarray(which, dtype=bool))
        if not len(at):
            return
        told = rules()["refusals"][rule]
        show = {"code": lambda v: shown(v, vocabulary()), "hidden": masked}.get(told["shows"])
        cells = [HIDDEN if told["shows"] == "hidden" else ""] * len(at)
        if show is not None and values is not None:
            cells = show(values.iloc[at]).tolist()
        part = refused("", self.row[at], column or told["column"], cells, told["says"], told["mend"])
        self.refusals.append(part.assign(file=self.file[at]))

    def find(self, rule: str, which: Collection[bool]) -> None:
        """Note the rows that ``which`` marks as something to look at."""
        at = np.flatnonzero(np.asarray(which, dtype=bool))
        if len(at):
            self.found.append((rule, at))

    def findings(self, keep: Collection[bool]) -> pd.DataFrame:
        """What was found, by rule and census, in the rows that are counted (or, where a rule is about these, in those
        that are not): columns of ``FINDING_COLUMNS``."""
        kept = np.asarray(keep, dtype=bool)
        rows = []
        for rule, marked in self.found:
            told = rules()["findings"][rule]
            at = marked if told.get("refused") else marked[kept[marked]]
            for period in np.unique(self.period[at]):
                own = at[self.period[at] == period]
                said = f"January {period[:2]}{period[4:]}: {phrase(told['says'], len(own))}"
                place = in_words(self.file[own], self.row[own])
                share = len(own) / max((self.period[kept] == period).sum(), 1)
                severity = "error" if share >= told.get("error_from", 2) else told["severity"]
                rows.append((rule, severity, told["column"], len(own), said, told["mend"], place))
        return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
