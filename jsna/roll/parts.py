"""An answer that is part of another one: the same counts, without asking again."""

from __future__ import annotations

import pandas as pd

from jsna.counts.counted import COUNTS
from jsna.counts.question import Question
from jsna.engines.tidy import numbers_of

PERIOD = "time_period"


def is_part(part: Question, whole: Question) -> bool:
    """Whether the rows of the answer to ``whole`` hold the answer to ``part``.

    Its groupings are among those of ``whole``, and whom it keeps or leaves out is told by the columns of every grouping
    (the census always is). Record keys can be left out, and not be made.

    >>> sexes = Question((("sex",), ("sex", "ethnicity")))
    >>> is_part(Question((("ethnicity", "sex"),), leave_out={"ethnicity": ["REFU"]}), sexes)
    True
    >>> is_part(Question((("sex",),), leave_out={"ethnicity": ["REFU"]}), sexes)
    False
    """
    if whole.keep or whole.leave_out:
        if (part.keep, part.leave_out) != (whole.keep, whole.leave_out):
            return False
        filters = set()
    else:
        filters = {c for given in (part.keep, part.leave_out) for c, values in given.items() if len(values)}
    there = {frozenset(g) for g in whole.groupings}
    told = all(frozenset(g) in there and filters <= {PERIOD, *g} for g in part.groupings)
    return told and whole.cell_keys >= part.cell_keys and part.places == whole.places


def part_of(answer: pd.DataFrame, whole: Question, part: Question) -> pd.DataFrame:
    """The answer to ``part``, out of the ``answer`` to ``whole``."""
    names = {whole.label(g): part.label(g) for g in part.groupings}
    rows = answer[answer["grouping"].astype("str").isin(list(names))]
    if not (whole.keep or whole.leave_out):
        for column, values in part.keep.items():
            if len(values):
                rows = rows[rows[column].isin(list(values))]
        for column, values in part.leave_out.items():
            if len(values):
                rows = rows[~rows[column].isin(list(values))]
    rows = rows.assign(grouping=rows["grouping"].astype("str").map(names).astype("str"))
    labels = [*part.places, *part.columns]
    rows = rows[[*part.places, "grouping", *part.columns, *numbers_of(COUNTS, part.cell_keys)]]
    rows = rows.assign(**{c: _plain(rows[c]) for c in labels})
    return rows.sort_values([*part.places, "grouping", *part.columns], kind="stable", ignore_index=True)


def _plain(column: pd.Series) -> pd.Series:
    """Without categories that no row has, and without room for missing cells where none is."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    if isinstance(column.dtype, pd.BooleanDtype | pd.Int8Dtype | pd.Int16Dtype | pd.Int32Dtype | pd.Int64Dtype):
        return column if column.isna().any() else column.astype(column.dtype.numpy_dtype)
    return column
