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


def count_repeats(pupils: pd.DataFrame) -> Sealed:
    """How many pupils stand in two censuses, and how many of them have each SEN outcome in one, the other and both.

    One row a pair of censuses and outcome: ``first_period``, ``second_period``, ``outcome``, ``first`` and ``second``
    (pupils in each), ``both``, ``first_identified``, ``second_identified`` and ``both_identified`` (of those in both).
    No rows where there is only one census. What ``jsna.disproportionality.repetition_floor`` takes.
    """
    import duckdb

    flags = {
        "any_sen": "{t}.sen_provision in ('K', 'E')",
        "sen_support": "{t}.sen_provision = 'K'",
        "ehc_plan": "{t}.sen_provision = 'E'",
        **{f"need_{n}": f"{{t}}.primary_need = '{n}'" for n in NEEDS},
    }
    parts = []
    for outcome, condition in flags.items():
        a, b = condition.format(t="a"), condition.format(t="b")
        parts.append(
            f"""count(*) filter ({a})::bigint as first_{outcome}, count(*) filter ({b})::bigint as second_{outcome},
            count(*) filter (({a}) and ({b}))::bigint as both_{outcome}"""
        )
    query = f"""
        with sizes as (select time_period, count(*)::bigint as n from pupils group by time_period),
        pairs as (
            select a.time_period as first_period, b.time_period as second_period, count(*)::bigint as together,
                {", ".join(parts)}
            from pupils a join pupils b on a.pupil_id = b.pupil_id and a.time_period < b.time_period
            group by all
        )
        select pairs.*, f.n as first_n, s.n as second_n from pairs
        join sizes f on f.time_period = first_period join sizes s on s.time_period = second_period
        order by first_period, second_period
    """
    needed = ["pupil_id", "time_period", "sen_provision", "primary_need"]
    with duckdb.connect() as connection:
        connection.register("pupils", pupils[needed].astype({"time_period": str}))
        wide = connection.execute(query).df()
    rows = [
        pd.DataFrame(
            {
                "first_period": wide["first_period"],
                "second_period": wide["second_period"],
                "outcome": outcome,
                "first": wide["first_n"],
                "second": wide["second_n"],
                "both": wide["together"],
                "first_identified": wide[f"first_{outcome}"],
                "second_identified": wide[f"second_{outcome}"],
                "both_identified": wide[f"both_{outcome}"],
            }
        )
        for outcome in flags
    ]
    numbers = ("first", "second", "both", "first_identified", "second_identified", "both_identified")
    return Sealed(pd.concat(rows, ignore_index=True), counts=numbers)


def with_latest_school(pupils: pd.DataFrame) -> pd.DataFrame:
    """The pupil table with ``latest_school``: the school of each pupil's last census, in all of that pupil's rows.

    One pupil in several censuses then lies in one cluster, and a clustered error takes care of the repetition.
    """
    order = pupils["time_period"].astype(str).to_numpy().argsort(kind="stable")
    last = pupils[["pupil_id", "school_urn"]].iloc[order].drop_duplicates("pupil_id", keep="last")
    school = pupils["pupil_id"].map(pd.Series(last["school_urn"].astype(str).to_numpy(), index=last["pupil_id"]))
    return pupils.assign(latest_school=school.astype("category"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(pupils: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Only the columns needed, with categories as text (duckdb reads these from pandas without copying numbers)."""
    needed = list(dict.fromkeys(["time_period", *columns, "sen_provision", "primary_need"]))
    return pupils[needed]
