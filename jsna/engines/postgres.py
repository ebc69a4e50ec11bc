"""The one text of SQL run by a PostgreSQL server: only counts come back, as the text that COPY writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import csv

from jsna.counts.question import DERIVED
from jsna.counts.statement import quoted
from jsna.engines.sql import SqlEngine
from jsna.engines.tidy import FLAG, TEXT, WHOLE
from jsna.errors import SourceError
from jsna.sources.database_address import Address
from jsna.sources.database_cells import TEXT as DATABASE_TEXT
from jsna.sources.database_cells import YES
from jsna.sources.database_names import name_parts
from jsna.sources.database_server import explain, open_server

# For the tables of groups while the statement runs: with less, the server sorts all pupils for every grouping instead.
WORK_MEMORY = "256MB"
KINDS = {DATABASE_TEXT: TEXT, YES: FLAG}
ARROW = {TEXT: pa.string(), FLAG: pa.bool_(), WHOLE: pa.int64()}


class PostgresEngine(SqlEngine):
    """A table or view in PostgreSQL, in one read-only transaction of one moment."""

    kind = "postgresql"

    def __init__(self, connection: Any, table: str, name: str, kinds: Mapping[str, str]) -> None:
        super().__init__(table, name, list(kinds))
        self.connection, self.kinds = connection, kinds

    def answer(self, statement: str) -> pa.Table:
        """What the server says. Its rows are read whole before any is looked at."""
        import psycopg

        parts = pa.BufferOutputStream()
        try:
            with (
                self.connection.connection.driver_connection.cursor() as cursor,
                cursor.copy(f"copy ({statement}) to stdout (format csv, header)") as copy,
            ):
                for part in copy:
                    parts.write(part)
        except psycopg.Error as error:
            raise SourceError(explain(error)) from None
        kinds = {c: KINDS.get(k, WHOLE) for c, k in self.kinds.items()} | {c: d.kind for c, d in DERIVED.items()}
        kinds |= dict.fromkeys(("first_period", "second_period"), TEXT)
        names = csv.open_csv(pa.BufferReader(parts.getvalue())).schema.names
        return csv.read_csv(
            pa.BufferReader(parts.getvalue()),
            convert_options=csv.ConvertOptions(
                column_types={c: ARROW[kinds.get(c, WHOLE)] for c in names},
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )


@contextmanager
def open_postgres(address: Address, table: str, password: str | None, seconds: int) -> Iterator[PostgresEngine]:
    """A table or view on a server. Raises ``SourceError``, without any part of the address, for all that goes wrong."""
    with open_server(address, password, seconds) as server:
        import sqlalchemy as sa

        found = server.find(*name_parts(table))
        whole = f"{quoted(found.schema)}.{quoted(found.table)}" if found.schema else quoted(found.table)
        server.connection.execute(sa.select(sa.func.set_config("work_mem", WORK_MEMORY, True)))
        yield PostgresEngine(server.connection, whole, found.name, found.columns)
