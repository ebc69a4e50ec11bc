"""Counts of a pupil table in memory: one statement, run by DuckDB in this process."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.counts.counted import COUNTED, COUNTS, record_keys
from jsna.counts.question import Question, checked, labelled
from jsna.counts.statement import ABSENT, HOLES, REPEATS, counts_statement, repeats_statement
from jsna.sealed import Sealed

REPEATED = ("first", "second", "both", "first_identified", "second_identified", "both_identified")


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

    question = Question(tuple(tuple(g) for g in groupings), cell_keys=cell_keys)
    own = ["time_period", *question.columns, "sen_provision", "primary_need"]
    plain = pupils[checked(dict.fromkeys([*own, *(["pupil_id"] if cell_keys else [])]), pupils.columns)]
    if cell_keys:
        plain = plain.assign(record_key=record_keys(pupils["pupil_id"]))
    with duckdb.connect() as connection:
        connection.register("pupils", plain)
        frame = connection.execute(counts_statement(question, "pupils", plain.columns)).df()
    return sealed(in_order(frame, question))


def in_order(frame: pd.DataFrame, question: Question) -> pd.DataFrame:
    """What ``counts_statement`` gives, with the name of each row's grouping, sorted by place, grouping and group."""
    labels = labelled(frame, question, ABSENT)
    frame = frame.drop(columns=[HOLES, *(ABSENT + c for c in question.columns)])
    frame.insert(len(question.places), "grouping", labels)
    order = [*question.places, "grouping", *question.columns]
    return frame.sort_values(order, kind="stable").reset_index(drop=True)


def sealed(frame: pd.DataFrame) -> Sealed:
    """The counts of a frame, sealed."""
    return Sealed(frame, counts=COUNTS)


def count_repeats(pupils: pd.DataFrame) -> Sealed:
    """How many pupils stand in two censuses, and how many of them have each SEN outcome in one, the other and both.

    One row a pair of censuses and outcome: ``first_period``, ``second_period``, ``outcome``, ``first`` and ``second``
    (pupils in each), ``both``, ``first_identified``, ``second_identified`` and ``both_identified`` (of those in both).
    No rows where there is only one census. What ``jsna.disproportionality.repetition_floor`` takes.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.register("pupils", pupils[list(REPEATS)].astype({"time_period": str}))
        return repeats_of(connection.execute(repeats_statement("pupils")).df())


def repeats_of(wide: pd.DataFrame) -> Sealed:
    """What ``repeats_statement`` gives, one row an outcome, sealed."""
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
    return Sealed(pd.concat(rows, ignore_index=True), counts=REPEATED)


def with_latest_school(pupils: pd.DataFrame) -> pd.DataFrame:
    """The pupil table with ``latest_school``: the school of each pupil's last census, in all of that pupil's rows.

    One pupil in several censuses then lies in one cluster, and a clustered error takes care of the repetition.
    """
    order = pupils["time_period"].astype(str).to_numpy().argsort(kind="stable")
    last = pupils[["pupil_id", "school_urn"]].iloc[order].drop_duplicates("pupil_id", keep="last")
    school = pupils["pupil_id"].map(pd.Series(last["school_urn"].astype(str).to_numpy(), index=last["pupil_id"]))
    return pupils.assign(latest_school=school.astype("category"))
