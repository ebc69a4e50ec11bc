"""A table of pupils in a database, read as files are: only the columns named, every cell as text, nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, Summary, together
from jsna.sources.database_address import KINDS, Address, address_of, password_of
from jsna.sources.database_cells import text_of
from jsna.sources.database_names import Filter, Found, name_parts, nearest, one_of
from jsna.sources.identity import is_identifier
from jsna.sources.pupil_table import RAW

CHUNK_ROWS = 50_000
STATEMENT_SECONDS = 300
# Columns that hold letters by definition: of a numeric type they are another column.
WITH_LETTERS = ("upn", "postcode", "lsoa21")


def read_table(
    url: str,
    table: str,
    columns: Mapping[str, str],
    *,
    where: Mapping[str, Filter] | None = None,
    password_env: str = "",
    password_file: str = "",
    known: Collection[str] = RAW,
    chunk_rows: int = CHUNK_ROWS,
    seconds: int = STATEMENT_SECONDS,
) -> Loaded:
    """The named columns of a table or view in PostgreSQL, SQL Server or a DuckDB file, as text.

    ``url`` has no password: that comes from the environment variable ``password_env``, the file ``password_file``, or
    the driver's own places (PGPASSWORD, ~/.pgpass, the signed-in user). ``table`` may have its schema before it.
    ``columns`` leads from our names (among ``known``) to those of the database, in any case; no other column leaves
    the database. ``where`` keeps rows whose column has a value, or one of several. Nothing can be written: PostgreSQL
    reads in a read-only transaction (of one moment, however long it takes), a DuckDB file is opened read-only, and no
    statement but a select is ever made; one that takes over ``seconds`` is ended.

    Returns ``Loaded``: the frame has our names, cells as in a file (dates ISO, yes and no 1 and 0, whole numbers
    plain, nothing ""), index = the row from 1 in the order of the primary key, or of the cells where there is none.
    Raises ``SourceError``, without any part of the address, for everything that can go wrong, with the nearest names.
    """
    address = address_of(url)
    _check_names(columns, known)
    if address.kind == "duckdb":
        from jsna.sources.database_duckdb import open_duckdb as opened
    else:
        from jsna.sources.database_server import open_server as opened
    password = None if address.kind == "duckdb" else password_of(password_env, password_file)
    with opened(address, password, seconds) as database:
        found = database.find(*name_parts(table))
        chosen = _choose(found, columns)
        filters = {_column(found, c, "where"): v for c, v in (where or {}).items()}
        parts = [
            pd.DataFrame(
                {ours: text_of(found.columns[chosen[ours]], cells) for ours, cells in part.items()}, dtype="str"
            )
            for part in database.select(found, chosen, filters, chunk_rows)
        ]
    if not parts or not sum(map(len, parts)):
        mend = f"Is the value in {', '.join(where)} right?" if where else "Is it the right table, and filled?"
        raise SourceError(Problem("The table has no rows.", where=found.name, mend=mend))
    frame = pd.concat(parts, ignore_index=True)
    if not found.key:
        frame = frame.sort_values(list(frame.columns), kind="stable", ignore_index=True)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return Loaded(frame, together([]), _summary(frame, found, address))


def _check_names(columns: Mapping[str, str], known: Collection[str]) -> None:
    problems = [
        Problem("The workbench has no column of this name.", "columns", ours, mend=nearest(ours, known))
        for ours in columns
        if ours not in known
    ]
    problems += [
        Problem(
            "This column names, locates or reaches a person, so it is never read.",
            where=f"columns, {ours}",
            value=theirs,
            mend="Take it out.",
        )
        for ours, theirs in columns.items()
        if is_identifier(theirs) or is_identifier(ours)
    ]
    if problems:
        raise SourceError(*problems)


def _choose(found: Found, columns: Mapping[str, str]) -> dict[str, str]:
    """Our name to theirs; all faults together."""
    chosen, problems = {}, []
    for ours, theirs in columns.items():
        try:
            chosen[ours] = column = _column(found, theirs, "columns")
        except SourceError as error:
            problems += error.problems
            continue
        kind, place = found.columns[column], f"{found.name}, column {column}"
        if kind == "":
            mend = "Ask for a view in which it is text."
            problems.append(Problem("A column of this type holds no cells.", place, found.types[column], mend=mend))
        elif ours in WITH_LETTERS and kind != "text":
            problems.append(
                Problem(
                    f"{ours} has letters, and the column has none.",
                    where=place,
                    value=found.types[column],
                    expected="a column of text",
                    mend="Is it another number, such as the pupil reference of a system?",
                )
            )
    if problems:
        raise SourceError(*problems)
    return chosen


def _column(found: Found, name: str, key: str) -> str:
    column = one_of(name, found.columns, "column", f"{found.name}, {key}")
    if is_identifier(column):
        raise SourceError(
            Problem("This column names, locates or reaches a person.", where=key, value=column, mend="Take it out.")
        )
    return column


def _summary(frame: pd.DataFrame, found: Found, address: Address) -> Summary:
    order = f"by {', '.join(found.key)}" if found.key else "by their cells, because the table has no primary key"
    return Summary(
        source=f"Table of a {KINDS[address.kind]} database",
        file=found.name,
        period="",
        rows_read=len(frame),
        rows_kept=len(frame),
        rows_refused=0,
        sha256=_digest(frame),
        notes=(f"Rows are counted in order {order}.",),
    )


def _digest(frame: pd.DataFrame) -> str:
    """A digest of the cells in their order, as a file has one of its bytes."""
    digest = hashlib.sha256()
    for column in frame.columns:
        digest.update(f"{column}\x1d".encode())
        digest.update("\x1e".join(frame[column]).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
