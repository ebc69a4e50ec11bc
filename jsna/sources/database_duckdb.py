"""A DuckDB file through duckdb itself: opened read-only, shut off from other files and from the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Timer
from typing import Any

from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN, open_stream
from jsna.sources.database_address import Address
from jsna.sources.database_cells import DATE, NUMBER, TEXT, WHOLE, YES
from jsna.sources.database_names import Filter, Found, one_of
from jsna.sources.database_server import selection

MAGIC = b"DUCK"
# A view in the file may name other files or addresses: nothing that it says is fetched.
SHUT = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "lock_configuration": "true",
}
# A time with a zone is left out: without the zone's rules its day cannot be told.
KINDS = (
    (r"VARCHAR|UUID|ENUM\(.*\)", TEXT),
    (r"BOOLEAN", YES),
    (r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?", WHOLE),
    (r"FLOAT|DOUBLE|DECIMAL\(.*\)", NUMBER),
    (r"DATE|TIME|TIMESTAMP(?:_S|_MS|_NS)?", DATE),
)
OBJECTS = """
select schema_name, table_name from duckdb_tables() where not internal and database_name = current_database()
union all
select schema_name, view_name from duckdb_views() where not internal and database_name = current_database()
"""
COLUMNS = """
select column_name, data_type from duckdb_columns()
where database_name = current_database() and schema_name = ? and table_name = ? order by column_index
"""
KEY = """
select constraint_column_names from duckdb_constraints()
where database_name = current_database() and schema_name = ? and table_name = ? and constraint_type = 'PRIMARY KEY'
"""


class DuckFile:
    """An open DuckDB file."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def find(self, schema: str | None, table: str) -> Found:
        """The table or view, in whatever case its names are written. Raises ``SourceError`` with the nearest names."""
        pairs = self.connection.execute(OBJECTS).fetchall()
        schemas = {s for s, _ in pairs} | {"main"}
        own = "main" if schema is None else one_of(schema, schemas, "schema", "table")
        names = [t for s, t in pairs if s == own]
        elsewhere = sorted({s for s, t in pairs if t.casefold() == table.casefold()} - {own})
        if schema is None and elsewhere and not any(t.casefold() == table.casefold() for t in names):
            mend = f"Write its schema before it: {' or '.join(f'{s}.{table}' for s in elsewhere[:5])}."
            raise SourceError(Problem("The table is in another schema.", where="table", value=table, mend=mend))
        table = one_of(table, names, "table", "table")
        types = dict(self.connection.execute(COLUMNS, [own, table]).fetchall())
        key = self.connection.execute(KEY, [own, table]).fetchone()
        return Found(
            name=f"{schema}.{table}" if schema else table,
            schema=own,
            table=table,
            columns={c: next((k for p, k in KINDS if re.fullmatch(p, t)), "") for c, t in types.items()},
            types=types,
            key=tuple(key[0]) if key else (),
        )

    def select(
        self, found: Found, chosen: Mapping[str, str], filters: Mapping[str, Filter], chunk_rows: int
    ) -> Iterator[dict[str, tuple]]:
        """The rows in pieces, each our names with their cells."""
        text, values = statement_of(found, chosen, filters)
        result = self.connection.execute(text, values)
        while rows := result.fetchmany(chunk_rows):
            yield dict(zip(chosen, zip(*rows, strict=True), strict=True))


def statement_of(found: Found, chosen: Mapping[str, str], filters: Mapping[str, Filter]) -> tuple[str, list[Any]]:
    """The select as DuckDB takes it, every name quoted, and its values."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql

    made = sa.table(
        sa.sql.quoted_name(found.table, True),
        *(sa.column(sa.sql.quoted_name(c, True)) for c in found.columns),
        schema=sa.sql.quoted_name(found.schema or "main", True),
    )
    # PostgreSQL's spelling of a select is DuckDB's too.
    dialect = postgresql.dialect(paramstyle="qmark")
    compiled = selection(made, found, chosen, filters).compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


@contextmanager
def open_duckdb(address: Address, _: str | None, seconds: int) -> Iterator[DuckFile]:
    """The file, open for reading alone. Raises ``SourceError`` for what is no DuckDB file, is locked, or fails."""
    import duckdb

    path = address.file
    with open_stream(path, limit=1 << 60) as stream:
        if MAGIC not in stream.read(64):
            raise SourceError(Problem("This is not a DuckDB file.", where=path.name, mend=AGAIN))
    try:
        connection = duckdb.connect(path, read_only=True, config=SHUT)
    except duckdb.Error as error:
        raise SourceError(_explain(error, path.name)) from None
    clock = Timer(seconds, connection.interrupt)
    clock.daemon = True
    clock.start()
    try:
        yield DuckFile(connection)
    except duckdb.Error as error:
        raise SourceError(_explain(error, path.name)) from None
    finally:
        clock.cancel()
        connection.close()


def _explain(error: BaseException, where: str) -> Problem:
    """What duckdb's error means; its words may hold a value of a row, so they are looked at and not repeated."""
    words, kind = str(error), type(error).__name__
    if kind == "InterruptException":
        return Problem("The table took too long to read.", where=where, mend="Ask for a table instead of a view.")
    if re.search(r"(?:set|conflicting) lock", words.casefold()):
        return Problem("The file is open in another program.", where=where, mend="Close it there, and run again.")
    if "version" in words.casefold() and "storage" in words.casefold():
        mend = "Update duckdb, or export the table as parquet with the program that wrote it."
        return Problem("The file was written by another version of DuckDB.", where=where, mend=mend)
    if kind == "PermissionException":
        mend = "Name a table, or a view of tables in this file."
        return Problem("The view reads other files or addresses, which is not allowed.", where=where, mend=mend)
    return Problem(f"The file cannot be read ({kind}); it may be cut short.", where=where, mend=AGAIN)
