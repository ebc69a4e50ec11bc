"""The one pass over pupils: every count that a chapter needs, by place and group, in one query.

Pupil rows are read here and in ``sources`` alone. What comes out is sealed: it can be calculated with, and shown only
through ``jsna.disclosure``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.sealed import Sealed

OUTCOMES = tuple(code_list("outcome").index)
NEEDS = tuple(code_list("need").index)
COUNTED = {
    "any_sen": "{t}.sen_provision in ('K', 'E')",
    "sen_support": "{t}.sen_provision = 'K'",
    "ehc_plan": "{t}.sen_provision = 'E'",
    **{f"need_{n}": f"{{t}}.primary_need = '{n}'" for n in NEEDS},
}
KEYS = 256
# Before the name of a count: the column that holds the key of its cell.
CELL_KEY = "cell_key_"


def count_pupils(pupils: pd.DataFrame, *groupings: Sequence[str], cell_keys: bool = False) -> Sealed:
    """How many pupils, and how many with each SEN outcome, there are in each group of each grouping, in each census.

    ``pupils`` is the canonical pupil table (one row a pupil a census). Each grouping is a list of its columns; an empty
    one counts the area. All groupings are counted in one statement (grouping sets), so that a further one costs little.

    Returns sealed rows: ``time_period``, ``grouping`` (the columns joined by a cross), every grouping column (missing
    where a row is not by it), ``pupils``, one count an outcome of ``outcome.csv`` and ``need_<CODE>`` a primary need.
    With ``cell_keys`` there is beside each count the sum of the record keys of those counted, modulo 256, in a column
    of its name after ``cell_key_``: for ``jsna.disclosure.perturbation`` alone, which takes them out. They must never
    be shown. Raises ``SourceError`` for a column that the table lacks.
    """
    import duckdb

    columns = list(dict.fromkeys(c for g in groupings for c in g))
    needed = ["time_period", "sen_provision", "primary_need", *(["pupil_id"] if cell_keys else [])]
    missing = [c for c in dict.fromkeys([*columns, *needed]) if c not in pupils]
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
    filters = {"pupils": "", **{c: f" filter ({w.format(t='pupils')})" for c, w in COUNTED.items()}}
    counted = [f"count(*){where}::bigint as {c}" for c, where in filters.items()]
    if cell_keys:
        key = "coalesce(sum(record_key){where} % {n}, 0)::bigint as {c}"
        counted += [key.format(where=where, n=KEYS, c=f"{CELL_KEY}{c}") for c, where in filters.items()]
    query = f"""
        select time_period, {names} {flags + "," if flags else ""} {", ".join(counted)}
        from pupils group by grouping sets ({sets})
    """
    with duckdb.connect() as connection:
        connection.register("pupils", _plain(pupils, columns, cell_keys))
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

    parts = []
    for outcome, condition in COUNTED.items():
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
        for outcome in COUNTED
    ]
    numbers = ("first", "second", "both", "first_identified", "second_identified", "both_identified")
    return Sealed(pd.concat(rows, ignore_index=True), counts=numbers)


def record_keys(ids: pd.Series) -> pd.Series:
    """A number from 0 to 255 for each person, all alike likely: the same for the same person in every table and census.

    ``ids``: the keyed hash of each pupil number (``pupil_id``). Who has the key of the project can make the record keys
    again, and nobody else: they are secret, and must never be shown.

    >>> a, b, c = record_keys(pd.Series(["6f1c", "a2d9", "6f1c"]))
    >>> a == c, 0 <= b < 256
    (True, True)
    """
    number, people = pd.factorize(ids.astype("str"), use_na_sentinel=False)
    hashed = b"".join(hashlib.blake2b(p.encode(), person=b"record key", digest_size=1).digest() for p in people)
    return pd.Series(np.frombuffer(hashed, dtype="uint8")[number], index=ids.index, name="record_key")


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


def _plain(pupils: pd.DataFrame, columns: list[str], cell_keys: bool) -> pd.DataFrame:
    """Only the columns needed, with categories as text (duckdb reads these from pandas without copying numbers)."""
    needed = list(dict.fromkeys(["time_period", *columns, "sen_provision", "primary_need"]))
    plain = pupils[needed]
    return plain.assign(record_key=record_keys(pupils["pupil_id"])) if cell_keys else plain
