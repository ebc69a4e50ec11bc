"""Where a database is, and its password: from the environment or a file, never from the address, never in a message."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jsna.errors import Problem, SourceError, did_you_mean

if TYPE_CHECKING:
    from sqlalchemy import URL

KINDS = {"postgresql": "PostgreSQL", "mssql": "SQL Server", "duckdb": "DuckDB"}
ALIASES = {"postgres": "postgresql", "sqlserver": "mssql"}
DRIVERS = {"postgresql": "postgresql+psycopg", "mssql": "mssql+pyodbc"}
ODBC_DRIVER = "ODBC Driver 18 for SQL Server"
SECRET = re.compile(r"password|passwd|pwd|secret|token", re.IGNORECASE)
CREDENTIALS = re.compile(r"://[^/@\s]*:[^@\s]*@")
EXAMPLES = "postgresql://user@server/database, mssql://server/database or duckdb:///file.duckdb"
WHERE = "url"
MEND = "Take it out; name an environment variable in password_env or a file in password_file instead."


@dataclass(frozen=True)
class Address:
    """A database: its ``kind`` (a key of ``KINDS``) and its address, without a password."""

    kind: str
    url: URL

    @property
    def file(self) -> Path:
        """The file of a database that is one."""
        return Path(self.url.database or "")


def address_of(url: str) -> Address:
    """The address in a params file, taken apart. Raises ``SourceError`` for a password in it, and what is no address;
    no message repeats any part of it but the kind of database.

    >>> address_of("duckdb:///folder/census.duckdb").file.as_posix()
    'folder/census.duckdb'
    >>> address_of("mssql://server/warehouse").url.drivername
    'mssql+pyodbc'
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        if CREDENTIALS.search(url):
            raise SourceError(_secret()) from None
        raise SourceError(
            Problem("This is no address of a database.", where=WHERE, expected=EXAMPLES, mend="Its value is not shown.")
        ) from None
    if parsed.password is not None or any(SECRET.search(key) for key in parsed.query):
        raise SourceError(_secret())
    name = parsed.drivername.partition("+")[0]
    kind = ALIASES.get(name, name)
    if kind not in KINDS:
        mend = did_you_mean(kind, KINDS) or "Export the table as CSV or parquet instead."
        raise SourceError(Problem("This kind of database is not read.", where=WHERE, expected=EXAMPLES, mend=mend))
    if kind == "duckdb":
        if not parsed.database or parsed.host:
            mend = "Three slashes stand before a path: duckdb:///folder/file.duckdb; four before one from the root."
            raise SourceError(Problem("The address names no file.", where=WHERE, mend=mend))
        return Address(kind, parsed)
    if not parsed.database:
        mend = "Write it after the server: " + EXAMPLES.split(",")[0]
        raise SourceError(Problem("The address names no database.", where=WHERE, mend=mend))
    if "odbc_connect" in parsed.query:
        mend = "Write server and database as an address: mssql://server/database?driver=..."
        raise SourceError(Problem("A whole ODBC connection string is not taken.", where=WHERE, mend=mend))
    if kind == "mssql" and "driver" not in parsed.query:
        parsed = parsed.update_query_dict({"driver": ODBC_DRIVER})
    return Address(kind, parsed.set(drivername=DRIVERS[kind]))


def password_of(variable: str = "", file: str = "") -> str | None:
    """The password from an environment variable, or from the first line of a file that its owner alone can read.

    None where neither is named: the driver then asks PGPASSWORD, ~/.pgpass or the signed-in user. Raises
    ``SourceError`` for a variable that is not set, and for a file that is missing, empty or readable by others.
    """
    if variable and file:
        raise SourceError(Problem("Name password_env or password_file, not both.", where="password_env"))
    if variable:
        found = os.environ.get(variable, "")
        if not found:
            mend = "Set it before the run, and do not write it into any file of the project."
            raise SourceError(
                Problem("The environment variable is not set.", where="password_env", value=variable, mend=mend)
            )
        return found
    return _from_file(Path(file).expanduser()) if file else None


def _from_file(path: Path) -> str:
    where = "password_file"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceError(Problem("The file is missing.", where=where, value=path.name)) from None
    except (OSError, UnicodeDecodeError) as error:
        what = f"The file cannot be read ({type(error).__name__})."
        raise SourceError(Problem(what, where=where, value=path.name)) from None
    if os.name != "nt" and mode & 0o077:
        what = "Others on this computer can read the file."
        raise SourceError(Problem(what, where=where, value=path.name, mend="Run: chmod 600 on it."))
    if not lines or not lines[0].strip():
        raise SourceError(Problem("The file has no password on its first line.", where=where, value=path.name))
    return lines[0].strip()


def _secret() -> Problem:
    return Problem("The address holds a password, which belongs in no params file.", where=WHERE, mend=MEND)
