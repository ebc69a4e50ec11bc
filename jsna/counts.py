"""The one pass over pupils: every count that a chapter needs, by place and group, in one query.

Pupil rows are read here and in ``sources`` alone. What comes out is sealed: it can be calculated with, and shown only
through ``jsna.disclosure``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.codes import code_list
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.sealed import Sealed

OUTCOMES = tuple(code_list("outcome").index)
NEEDS = tuple(code_list("need").index)


def count_pupils(pupils: pd.DataFrame, *groupings: Sequence[str]) -> Sealed:
    """How many pupils, and how many with each SEN outcome, there are in each group of each grouping, in each census.

    ``pupils`` is the canonical pupil table (one row a pupil a census). Each grouping is a list of its columns; an empty
    one counts the area. All groupings are counted in one statement (grouping sets), so that a further one costs little.

    Returns sealed rows: ``time_period``, ``grouping`` (the columns joined by a cross), every grouping column (missing
    where a row is not by it), ``pupils``, one count an outcome of ``outcome.csv`` and ``need_<CODE>`` a primary need.
    Raises ``SourceError`` for a column that the table lacks.
    """
    import duckdb

    columns = list(dict.fromkeys(c for g in groupings for c in g))
    missing = [c for c in (*columns, "time_period", "sen_provision", "primary_need") if c not in pupils]
    if missing:
        raise SourceError(
            *(
                Problem(
                    "The pupil table lacks a column.",
                    value=c,
                    mend=did_you_mean(c, pupils.columns),
                )
                for c in missing
            )
        )
    sets = ", ".join(f"({', '.join(['time_period', *map(_quoted, g)])})" for g in groupings)
    names = ", ".join(map(_quoted, columns)) + ("," if columns else "")
    flags = ", ".join(f"grouping({_quoted(c)}) as {_quoted('_no_' + c)}" for c in columns)
    query = f"""
        select time_period, {names} {flags + "," if flags else ""}
            count(*)::bigint as pupils,
            count(*) filter (sen_provision in ('K', 'E'))::bigint as any_sen,
            count(*) filter (sen_provision = 'K')::bigint as sen_support,
            count(*) filter (sen_provision = 'E')::bigint as ehc_plan,
            {", ".join(f"count(*) filter (primary_need = '{n}')::bigint as need_{n}" for n in NEEDS)}
        from pupils group by grouping sets ({sets})
    """
    with duckdb.connect() as connection:
        connection.register("pupils", _plain(pupils, columns))
        frame = connection.execute(query).df()
    grouping = pd.Series("", index=frame.index)
    for column in columns:
        by_it = frame.pop(f"_no_{column}") == 0
        grouping = grouping.mask(by_it, grouping.where(grouping == "", grouping + " × ") + column)
    frame.insert(1, "grouping", grouping)
    order = ["time_period", "grouping", *columns]
    frame = frame.sort_values(order, kind="stable").reset_index(drop=True)
    return Sealed(frame, counts=("pupils", *OUTCOMES, *(f"need_{n}" for n in NEEDS)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(pupils: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Only the columns needed, with categories as text (duckdb reads these from pandas without copying numbers)."""
    needed = list(dict.fromkeys(["time_period", *columns, "sen_provision", "primary_need"]))
    return pupils[needed]
