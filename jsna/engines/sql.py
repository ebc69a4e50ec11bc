"""An engine that runs the one text of SQL: what DuckDB, PostgreSQL and Spark have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pyarrow as pa

from jsna.counts.frames import repeats_of, sealed
from jsna.counts.question import Question, checked
from jsna.counts.statement import REPEATS, counts_statement, repeats_statement
from jsna.engines.tidy import nobody, tidied
from jsna.sealed import Sealed


class SqlEngine(ABC):
    """A table of pupils somewhere else.

    ``table``: as a statement names it; ``name``: what messages call it; ``columns``: the names of its columns.
    """

    kind: str

    def __init__(self, table: str, name: str, columns: Sequence[str]) -> None:
        self.table, self.name, self.columns = table, name, list(columns)

    @abstractmethod
    def answer(self, statement: str) -> pa.Table:
        """What the engine says to a statement, whole or not at all. Raises ``SourceError`` where it fails."""

    def count(self, question: Question) -> Sealed:
        """The answer to ``question``: counted there, only counts come back."""
        frame = tidied(self.answer(counts_statement(question, self.table, self.columns)), question, self.name)
        there = set(frame["la_code"].cat.categories) if question.by_area else set(question.areas if len(frame) else ())
        lacking = sorted(set(question.areas) - there)
        if lacking or not len(frame):
            raise nobody(self.name, lacking)
        return sealed(frame)

    def repeats(self, area: str) -> Sealed:
        """Counts of the authority's pupils who stand in two censuses."""
        checked(["la_code", *REPEATS], self.columns, self.name)
        return repeats_of(self.answer(repeats_statement(self.table, [area])).to_pandas())
