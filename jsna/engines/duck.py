"""The one text of SQL run by DuckDB in this process: on a DuckDB file, and on parquet files to check others by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from jsna.counts.statement import quoted
from jsna.engines.parquet import parquet_files
from jsna.engines.sql import SqlEngine
from jsna.errors import Problem, SourceError
from jsna.sources.database_address import Address
from jsna.sources.database_duckdb import open_duckdb
from jsna.sources.database_names import name_parts


class DuckEngine(SqlEngine):
    """A table that an open connection of DuckDB can read."""

    kind = "duckdb"

    def __init__(self, connection: Any, table: str, name: str, columns: list[str]) -> None:
        super().__init__(table, name, columns)
        self.connection = connection

    def answer(self, statement: str) -> pa.Table:
        """What DuckDB says, as Arrow has it."""
        import duckdb

        try:
            return self.connection.sql(statement).to_arrow_table()
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            # Its words may hold a cell of a row.
            what = f"DuckDB could not count the table ({type(error).__name__})."
            raise SourceError(Problem(what, where=self.name, mend="Are its columns those of a pupil table?")) from None


@contextmanager
def open_duck_file(address: Address, table: str, seconds: int) -> Iterator[DuckEngine]:
    """A table or view in a DuckDB file, which is opened for reading alone."""
    with open_duckdb(address, None, seconds) as file:
        found = file.find(*name_parts(table))
        whole = f"{quoted(found.schema or 'main')}.{quoted(found.table)}"
        yield DuckEngine(file.connection, whole, found.name, list(found.columns))


@contextmanager
def open_duck_parquet(path: Path, threads: int = 2) -> Iterator[DuckEngine]:
    """Parquet files read by DuckDB, as ``open_parquet`` opens them: slower, and by the text that servers run."""
    import duckdb

    files = parquet_files(path)
    with duckdb.connect(config={"threads": threads}) as connection:
        try:
            pupils = connection.read_parquet([str(f) for f in files])
        except duckdb.Error as error:
            what = f"The files cannot be read ({type(error).__name__})."
            raise SourceError(Problem(what, where=path.name, mend="Compare them with those of the sender.")) from None
        pupils.create_view("pupils")
        yield DuckEngine(connection, "pupils", path.name, pupils.columns)
