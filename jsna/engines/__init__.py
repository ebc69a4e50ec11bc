"""Where pupils are counted: in this process, on a database server, or on a cluster. Only sealed counts come back.

    with open_engine("parquet", "national") as engine:
        counts = count_area(engine, "E06000032", ["ethnicity"], ["sex"])

An engine answers a ``Question`` (``jsna.counts.question``). Whichever it is, the answer is the same to the last pupil.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from jsna.counts.question import Question
from jsna.engines.agreement import check_agreement
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.sealed import Sealed

__all__ = ["Engine", "check_agreement", "count_area", "count_areas", "open_engine", "repeats_of_area"]

KINDS = ("parquet", "duckdb", "postgresql", "spark")
ENGINE_SECONDS = 3600


class Engine(Protocol):
    """What counts. ``kind``: one of ``KINDS``; ``name``: the table, as messages call it; ``columns``: its columns."""

    kind: str
    name: str

    @property
    def columns(self) -> list[str]: ...

    def count(self, question: Question) -> Sealed: ...

    def repeats(self, area: str) -> Sealed: ...


def count_area(
    engine: Engine,
    code: str,
    *groupings: Sequence[str],
    keep: Mapping[str, Sequence[str | int]] | None = None,
    leave_out: Mapping[str, Sequence[str | int]] | None = None,
    cell_keys: bool = False,
) -> Sealed:
    """What ``jsna.counts.count_pupils`` gives for the pupils of the authority ``code``, counted by ``engine``.

    Beside columns of the table a grouping may name ``latest_school``, ``special`` and ``idaci_quintile``. ``keep`` and
    ``leave_out``: values of columns whose pupils are counted alone, or not at all. Categories hold the values that were
    found. ``cell_keys`` needs a column ``record_key`` on a server (``jsna.counts.record_keys``); in parquet files it is
    worked out. Raises ``SourceError``, with nothing half-counted, for everything that can go wrong.
    """
    return engine.count(Question(_sets(groupings), (code,), False, dict(keep or {}), dict(leave_out or {}), cell_keys))


def count_areas(engine: Engine, *groupings: Sequence[str], areas: Sequence[str] = ()) -> Sealed:
    """Counts of every authority (or of ``areas``) by each grouping, each authority apart: ``la_code`` comes first.

    Sorted by authority, census, grouping and group. Of 153 authorities it takes seconds where pupils lie in parquet
    files (docs/scale.md).
    """
    return engine.count(Question(_sets(groupings), tuple(areas), by_area=True))


def repeats_of_area(engine: Engine, code: str) -> Sealed:
    """What ``jsna.counts.count_repeats`` gives for the pupils of the authority ``code``, counted by ``engine``."""
    return engine.repeats(code)


@contextmanager
def open_engine(
    kind: str,
    address: str,
    table: str = "",
    *,
    password_env: str = "",
    password_file: str = "",
    seconds: int = ENGINE_SECONDS,
) -> Iterator[Engine]:
    """The engine of a ``kind``, opened for reading alone and closed at the end.

    ``parquet``      ``address``: a file or folder of parquet, best sorted by ``la_code``. No ``table``.
    ``duckdb``       ``address``: ``duckdb:///file.duckdb``.
    ``postgresql``   ``address``: ``postgresql://user@server/database``; the password as for ``sources.database``.
    ``spark``        ``address``: ``local[2]``, ``spark://host:port``, ``yarn`` or ``sc://host``; ``table``: in its
                     catalogue, or a path of parquet files that all its workers can read.

    The table has the columns of docs/data-dictionary.md; a statement may take ``seconds``. Raises ``SourceError``.
    """
    if kind not in KINDS:
        raise SourceError(
            Problem("There is no such engine.", "engine", kind, ", ".join(KINDS), did_you_mean(kind, KINDS))
        )
    if kind == "parquet":
        from jsna.engines.parquet import open_parquet

        opened = open_parquet(Path(address).expanduser())
    elif kind == "spark":
        from jsna.engines.spark import open_spark

        opened = open_spark(address, table)
    else:
        from jsna.sources.database_address import address_of, password_of

        parsed = address_of(address)
        if parsed.kind != kind:
            raise SourceError(Problem("The address is of another kind of database.", "url", parsed.kind, kind))
        if kind == "duckdb":
            from jsna.engines.duck import open_duck_file

            opened = open_duck_file(parsed, table, seconds)
        else:
            from jsna.engines.postgres import open_postgres

            opened = open_postgres(parsed, table, password_of(password_env, password_file), seconds)
    with opened as engine:
        yield engine


def _sets(groupings: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Each grouping once."""
    return tuple({frozenset(g): tuple(dict.fromkeys(g)) for g in reversed(groupings)}.values())[::-1]
