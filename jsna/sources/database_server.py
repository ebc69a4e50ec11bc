"""PostgreSQL and SQL Server through SQLAlchemy: read-only, in pieces, with the database's own words kept out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jsna.errors import Problem, SourceError
from jsna.sources.database_address import KINDS, Address
from jsna.sources.database_cells import DATE, NUMBER, TEXT, WHOLE, YES, filter_value
from jsna.sources.database_names import Filter, Found, one_of

CONNECT_SECONDS = 8
# Without answer for so long, a connection counts as dead; the system's own patience is two hours.
SILENT_SECONDS = 60
ZONE = "Europe/London"
INSTALL = {
    "postgresql": "Install it: pip install 'psycopg[binary]'.",
    "mssql": "Install it: pip install pyodbc, and Microsoft's ODBC Driver 18 for SQL Server.",
}
# By SQLSTATE, where the driver gives one; by the server's English words, where the connection was never made.
STATES = {
    "28P01": "password",
    "28000": "password",
    "3D000": "database",
    "42501": "permission",
    "57014": "slow",
    "55P03": "slow",
    "57P01": "lost",
    "57P02": "lost",
    "57P03": "starting",
    "53300": "full",
    "08000": "lost",
    "08003": "lost",
    "08006": "lost",
    "08001": "server",
    "08S01": "lost",
    "HYT00": "server",
    "IM002": "driver",
    "01000": "driver",
    "22P02": "value",
    "22008": "value",
    "22021": "encoding",
    "22P05": "encoding",
}
WORDS = (
    (r"query timeout", "slow"),
    (r"no password supplied|fe_sendauth", "no password"),
    (r"password authentication failed|login failed|authentication failed|role .* does not exist", "password"),
    (r"database .* does not exist|cannot open database", "database"),
    (r"no pg_hba\.conf entry|not permitted to log in|not allowed", "refused"),
    (r"ssl|certificate", "ssl"),
    (r"too many (?:clients|connections)|remaining connection slots", "full"),
    (r"starting up|shutting down", "starting"),
    (r"closed the connection|connection (?:was |is )?(?:lost|closed|reset|broken)|terminat|consuming input", "lost"),
    (r"refused|timeout|timed out|resolve|translate host|unreachable|no such file|not known|no route", "server"),
    (r"date too (?:large|small)|year .* out of range", "value"),
)
REASONS = {
    "no password": ("The database asks for a password.", "Name password_env or password_file, or set PGPASSWORD."),
    "password": (
        "The database does not accept the user or the password.",
        "Check both with a colleague; the password comes from password_env, password_file, PGPASSWORD or ~/.pgpass.",
    ),
    "database": ("The server has no such database.", "Is its name in the address right, with its capitals?"),
    "refused": ("The server does not let this computer or user in.", "Ask its administrator for the right to read."),
    "ssl": ("No secure connection could be made.", "Ask the administrator which sslmode and certificate to use."),
    "full": ("The server has no connection free.", "Run it again later."),
    "starting": ("The server is starting or stopping.", "Run it again in a minute."),
    "server": (
        "The server cannot be reached.",
        "Is the address right, and are you on the network (VPN) that it is in?",
    ),
    "driver": ("The driver of the database is not installed.", INSTALL["mssql"]),
    "permission": ("The user may not read the table.", "Ask the administrator for the right to read it (SELECT)."),
    "slow": ("The database took too long to answer.", "Run it at a quieter time, or ask for a table, not a view."),
    "lost": ("The connection was lost while reading, so nothing was kept.", "Run it again."),
    "value": ("A value of the table, or of where, is none that can be read.", "Ask for a view in which it is text."),
    "encoding": ("Text of the table is not in the encoding that the database says.", "Ask its administrator."),
}


class Server:
    """An open, read-only connection."""

    def __init__(self, connection: Any, kind: str) -> None:
        self.connection, self.kind = connection, kind

    def find(self, schema: str | None, table: str) -> Found:
        """The table or view, in whatever case its names are written. Raises ``SourceError`` with the nearest names."""
        import sqlalchemy as sa

        inspector = sa.inspect(self.connection)
        if schema is not None:
            schema = one_of(schema, inspector.get_schema_names(), "schema", "table")
        names = _tables(inspector, schema)
        if not any(table.casefold() == n.casefold() for n in names) and schema is None:
            own = _own_schemas(inspector)
            elsewhere = [s for s in own if table.casefold() in map(str.casefold, _tables(inspector, s))]
            if elsewhere:
                mend = f"Write its schema before it: {' or '.join(f'{s}.{table}' for s in elsewhere[:5])}."
                raise SourceError(Problem("The table is in another schema.", where="table", value=table, mend=mend))
        table = one_of(table, names, "table", "table")
        with warnings.catch_warnings():
            # A type that is not known is told where such a column is asked for.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            made = sa.Table(table, sa.MetaData(), schema=schema, autoload_with=self.connection, resolve_fks=False)
        self.made = made
        return Found(
            name=f"{schema}.{table}" if schema else table,
            schema=schema,
            table=table,
            columns={c.name: kind_of(c.type) for c in made.columns},
            types={c.name: _type_name(c.type) for c in made.columns},
            key=tuple(c.name for c in made.primary_key.columns),
        )

    def select(
        self, found: Found, chosen: Mapping[str, str], filters: Mapping[str, Filter], chunk_rows: int
    ) -> Iterator[dict[str, tuple]]:
        """The rows in pieces, each our names with their cells, by a cursor of the server's."""
        statement = selection(self.made, found, chosen, filters)
        result = self.connection.execution_options(stream_results=True, yield_per=chunk_rows).execute(statement)
        for rows in result.partitions(chunk_rows):
            yield dict(zip(chosen, zip(*rows, strict=True), strict=True))


def selection(made: Any, found: Found, chosen: Mapping[str, str], filters: Mapping[str, Filter]) -> Any:
    """The one statement that is ever made: the chosen columns of a reflected table, filtered, in order of its key."""
    import sqlalchemy as sa

    # Columns are told apart by their place, so that two of our names may stand for one column.
    statement = sa.select(*(made.c[theirs].label(f"c{i}") for i, theirs in enumerate(chosen.values())))
    for column, value in filters.items():
        values = [value] if isinstance(value, (str, int)) else list(value)
        try:
            typed = [filter_value(found.columns[column], v) for v in values]
        except (ValueError, KeyError, ArithmeticError):
            raise SourceError(
                Problem(
                    "The value does not fit the column.",
                    where=f"{found.name}, where, {column}",
                    expected=f"a {found.columns[column]}" if found.columns[column] else "a column of text or numbers",
                    mend=f"The column's type is {found.types[column]}.",
                )
            ) from None
        statement = statement.where(made.c[column].in_(typed))
    return statement.order_by(*(made.c[k] for k in found.key))


@contextmanager
def open_server(address: Address, password: str | None, seconds: int) -> Iterator[Server]:
    """A connection for reading alone, closed at the end. Raises ``SourceError`` for whatever the database says."""
    import sqlalchemy as sa

    try:
        engine = _engine(address, password, seconds)
    except (ImportError, sa.exc.NoSuchModuleError):
        mend = INSTALL[address.kind]
        raise SourceError(
            Problem(f"The driver for {KINDS[address.kind]} is not installed.", where="url", mend=mend)
        ) from None
    try:
        with engine.connect() as connection:
            if address.kind == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                if address.kind == "postgresql":
                    settings = {"statement_timeout": str(1000 * seconds), "TimeZone": ZONE}
                    for name, value in settings.items():
                        connection.execute(sa.select(sa.func.set_config(name, value, True)))
                yield Server(connection, address.kind)
    except (sa.exc.SQLAlchemyError, UnicodeDecodeError) as error:
        raise SourceError(explain(error)) from None
    finally:
        engine.dispose()


def explain(error: BaseException) -> Problem:
    """What a database's error means for the user. Its own words may hold the user, the address or a value of a row, so
    they are looked at and never repeated."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None) or next(
        (a for a in original.args if isinstance(a, str) and re.fullmatch(r"[0-9A-Z]{5}", a)), ""
    )
    words = str(original).casefold()
    said = next((r for pattern, r in WORDS if re.search(pattern, words)), "")
    # ODBC has one state for a server that does not answer and for a statement that takes too long.
    reason = said if state == "HYT00" else STATES.get(state) or said
    if isinstance(original, UnicodeDecodeError):
        reason = "encoding"
    if reason:
        what, mend = REASONS[reason]
        return Problem(what, where="database", mend=mend)
    shown = " ".join(filter(None, (type(original).__name__, state)))
    mend = "Ask its administrator to look for this time in its log."
    return Problem(f"The database refused to answer ({shown}).", where="database", mend=mend)


def kind_of(type_: Any) -> str:
    """The kind of cells that a column of this type holds; "" where it is none that a file could have."""
    import sqlalchemy as sa

    type_ = getattr(type_, "data_type", type_)  # a domain of PostgreSQL
    kinds = {
        sa.Boolean: YES,
        sa.Integer: WHOLE,
        sa.Numeric: NUMBER,
        sa.Float: NUMBER,
        sa.Date: DATE,
        sa.DateTime: DATE,
        sa.Time: DATE,
        sa.String: TEXT,
        sa.Uuid: TEXT,
    }
    return next((kind for base, kind in kinds.items() if isinstance(type_, base)), "")


def _engine(address: Address, password: str | None, seconds: int) -> Any:
    import sqlalchemy as sa

    url = address.url if password is None else address.url.set(password=password)
    if address.kind == "postgresql":
        arguments = {
            "connect_timeout": CONNECT_SECONDS,
            "client_encoding": "utf8",
            "application_name": "jsna workbench",
            "keepalives_idle": SILENT_SECONDS // 2,
            "keepalives_interval": SILENT_SECONDS // 6,
            "keepalives_count": 3,
            "tcp_user_timeout": SILENT_SECONDS * 1000,
        }
    else:
        arguments = {"timeout": CONNECT_SECONDS, "readonly": True}
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments)
    if address.kind == "mssql":

        @sa.event.listens_for(engine, "connect")
        def _limit(raw: Any, _: Any) -> None:
            raw.timeout = seconds

    return engine


def _own_schemas(inspector: Any) -> list[str]:
    hidden = ("information_schema", "sys", "guest")
    return [s for s in inspector.get_schema_names() if s not in hidden and not s.startswith(("pg_", "db_"))]


def _tables(inspector: Any, schema: str | None) -> list[str]:
    names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema)
    return names


def _type_name(type_: Any) -> str:
    return type(type_).__name__.lower() if type(type_).__name__ != "NullType" else "unknown to the workbench"
