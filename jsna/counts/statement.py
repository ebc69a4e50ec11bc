"""One text of SQL for each product, which DuckDB, PostgreSQL and Spark run unchanged.

Names are quoted as the standard says (Spark is told to take that); only functions are used that all three have; nothing
is divided here. A value of a filter is a code, and anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from jsna.counts.counted import CELL_KEY, COUNTED, KEYS
from jsna.counts.question import DERIVED, Question
from jsna.errors import Problem, SourceError

CODE = re.compile(r"[\w.-]*", re.ASCII)
# Beside the grouping columns: whether a row is not by one. Beside the counts: of how many pupils a cell is missing.
ABSENT, HOLES = "not_by_", "holes"
REPEATS = ("pupil_id", "time_period", "sen_provision", "primary_need")


def counts_statement(question: Question, table: str, have: Collection[str]) -> str:
    """The one statement that answers ``question`` from ``table``, which has the columns ``have``: grouping sets.

    Raises ``SourceError`` for columns that the table lacks, and for values of a filter that are no codes.
    """
    made, needed = question.derived(have), question.needed(have)
    columns = question.columns
    sets = ", ".join(f"({', '.join(map(quoted, [*question.places, *dict.fromkeys(g)]))})" for g in question.groupings)
    filters = {"pupils": "", **{c: f" filter (where {w.format(t='chosen')})" for c, w in COUNTED.items()}}
    shown = [
        *map(quoted, [*question.places, *columns]),
        *(f"cast(grouping({quoted(c)}) as integer) as {quoted(ABSENT + c)}" for c in columns),
        *(f"cast(count(*){where} as bigint) as {quoted(c)}" for c, where in filters.items()),
        f"cast(count(*) filter (where {' or '.join(f'{quoted(c)} is null' for c in needed)}) as bigint) as {HOLES}",
    ]
    if question.cell_keys:
        shown += [
            f"cast(coalesce(sum(record_key){where}, 0) % {KEYS} as bigint) as {quoted(CELL_KEY + c)}"
            for c, where in filters.items()
        ]
    studied = [*map(quoted, needed), *(f"{DERIVED[c].sql} as {quoted(c)}" for c in made)]
    return f"""
        with studied as (select {", ".join(studied)} from {table}{_where({"la_code": question.areas}, {})}),
        chosen as (select * from studied{_where(question.keep, question.leave_out)})
        select {", ".join(shown)} from chosen group by grouping sets ({sets})
    """


def repeats_statement(table: str, areas: Sequence[str] = ()) -> str:
    """Counts of the pupils who stand in two censuses of a table: one row a pair of censuses."""
    parts = []
    for outcome, condition in COUNTED.items():
        a, b = condition.format(t="a"), condition.format(t="b")
        for name, where in (("first", a), ("second", b), ("both", f"{a} and {b}")):
            parts.append(f"cast(count(*) filter (where {where}) as bigint) as {quoted(f'{name}_{outcome}')}")
    return f"""
        with studied as (select {", ".join(REPEATS)} from {table}{_where({"la_code": areas}, {})}),
        sizes as (select time_period, cast(count(*) as bigint) as n from studied group by time_period),
        pairs as (
            select a.time_period as first_period, b.time_period as second_period,
                cast(count(*) as bigint) as together, {", ".join(parts)}
            from studied a join studied b on a.pupil_id = b.pupil_id and a.time_period < b.time_period
            group by a.time_period, b.time_period
        )
        select pairs.*, f.n as first_n, s.n as second_n from pairs
        join sizes f on f.time_period = first_period join sizes s on s.time_period = second_period
        order by first_period, second_period
    """


def quoted(name: str) -> str:
    """A name as SQL has it.

    >>> quoted('ward_code')
    '"ward_code"'
    """
    return '"' + name.replace('"', '""') + '"'


def _where(keep: Mapping[str, Sequence[str | int]], leave_out: Mapping[str, Sequence[str | int]]) -> str:
    """A missing cell is kept, so that it is counted among the holes and does not vanish in silence."""
    given = [(c, "in", v) for c, v in keep.items()] + [(c, "not in", v) for c, v in leave_out.items()]
    parts = [f"({quoted(c)} {word} ({_literals(c, v)}) or {quoted(c)} is null)" for c, word, v in given if len(v)]
    return f" where {' and '.join(parts)}" if parts else ""


def _literals(column: str, values: Sequence[str | int]) -> str:
    bad = [v for v in values if not isinstance(v, int) and not CODE.fullmatch(v)]
    if bad:
        raise SourceError(
            Problem("A filter takes codes alone.", where=column, value=bad[0], expected="letters, digits")
        )
    return ", ".join(str(int(v)) if isinstance(v, int) else f"'{v}'" for v in values)
