"""Counts from any engine in one form: the same columns, types, names of groups and order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from jsna.counts.counted import CELL_KEY, COUNTS
from jsna.counts.question import Question
from jsna.counts.statement import ABSENT, HOLES
from jsna.errors import Problem, SourceError
from jsna.sources.schema import COLUMNS

SPANS = {c.name: c.span for c in COLUMNS if c.span} | {"idaci_quintile": (0, 5)}
TEXT, WHOLE, FLAG = "text", "whole", "flag"


def kind_of(type_: pa.DataType) -> str:
    """What cells of an Arrow type are: text, whole numbers or flags; "" for what no column of pupils holds."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return TEXT
    return WHOLE if pa.types.is_integer(type_) else FLAG if pa.types.is_boolean(type_) else ""


def numbers_of(names: Iterable[str], cell_keys: bool) -> list[str]:
    """The columns of numbers, in order."""
    return [*names, *(CELL_KEY + n for n in names)] if cell_keys else [*names]


def column(name: str, codes: NDArray, values: NDArray) -> Any:
    """A column of a result: codes, -1 where the row is not by it, are places in the sorted ``values``.

    Text becomes ordered categories; numbers and flags stay what they are, and may be missing where a code is -1.
    """
    missing = codes < 0
    if isinstance(values, np.ndarray) and values.dtype.kind in "iub":
        span = SPANS.get(name)
        if values.dtype.kind != "b":
            whole = np.min_scalar_type(-span[1] - 1) if span else np.dtype("int64")
            values = values.astype(whole)
        found = values[np.where(missing, 0, codes)] if len(values) else np.empty(0, values.dtype)
        if not missing.any():
            return found
        masked = pd.arrays.BooleanArray if values.dtype.kind == "b" else pd.arrays.IntegerArray
        return masked(np.where(missing, values.dtype.type(0), found), missing)
    used = np.bincount(codes[~missing], minlength=len(values)) > 0
    if not used.all():
        codes, values = np.append(np.cumsum(used) - 1, -1)[codes], values[used]
    return pd.Categorical.from_codes(codes, pd.Index(values, dtype="str"), ordered=True)


def tidied(answer: pa.Table, question: Question, where: str) -> pd.DataFrame:
    """An engine's answer to ``counts_statement``: named, typed and sorted as ``count_pupils`` gives it.

    Raises ``SourceError`` where a cell that was needed is missing in the table (a part of it may lack a column).
    """
    if _numbers(answer[HOLES]).any():
        raise holes(where)
    coded = {name: _coded(answer[name]) for name in question.places}
    coded["grouping"] = _labels(answer, question)
    coded |= {name: _coded(answer[name]) for name in question.columns}
    order = np.lexsort([codes for codes, _ in coded.values()][::-1])
    made: dict[str, Any] = {name: column(name, codes[order], values) for name, (codes, values) in coded.items()}
    made |= {n: _numbers(answer[n])[order] for n in numbers_of(COUNTS, question.cell_keys)}
    return plain_labels(pd.DataFrame(made), question)


def plain_labels(frame: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Of one area, the names of groupings as text, as ``count_pupils`` has them; of many, categories are smaller."""
    return frame if question.by_area else frame.astype({"grouping": "str"})


class MissingCellsError(SourceError):
    """Cells that are needed are missing in rows of the pupils who were asked for."""


def holes(where: str) -> MissingCellsError:
    """What to say where a cell that is needed is missing."""
    mend = (
        "No cell is ever missing in a pupil table: does a part of it lack a column, or was it joined to another table?"
    )
    return MissingCellsError(
        Problem("The pupil table has rows with missing cells, so nothing was counted.", where, mend=mend)
    )


class NobodyError(SourceError):
    """There is nobody to count."""


def nobody(where: str, areas: Sequence[str]) -> NobodyError:
    """What to say where there are no pupils of ``areas``, or none at all."""
    what = "There are no pupils of this authority." if areas else "There are no pupils."
    return NobodyError(Problem(what, where, ", ".join(areas) or None, mend="Is it the right table, and filled?"))


def _numbers(cells: pa.ChunkedArray) -> NDArray[np.int64]:
    return cells.to_numpy().astype("int64", copy=False)


def _coded(cells: pa.ChunkedArray) -> tuple[NDArray, Any]:
    """Codes into the sorted values, -1 where a cell is missing."""
    kind = kind_of(cells.type)
    whole = cells.combine_chunks()
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = coded.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(values, kind="stable")
    place = np.empty(len(order) + 1, "int32")
    place[order], place[-1] = np.arange(len(order)), -1
    codes = place[coded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)]
    sorted_ = values[order]
    return codes, sorted_.astype("bool") if kind == FLAG else sorted_


def _labels(answer: pa.Table, question: Question) -> tuple[NDArray, list[str]]:
    """Codes of the groupings' names, and the names sorted."""
    by = np.zeros(len(answer), "int64")
    for i, c in enumerate(question.columns):
        by |= np.where(_numbers(answer[ABSENT + c]) == 0, 1 << i, 0)
    sets, place = np.unique(by, return_inverse=True)
    names = [question.label([c for i, c in enumerate(question.columns) if s >> i & 1]) for s in sets]
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(order), "int32")
    rank[order] = np.arange(len(order))
    return rank[place], [names[i] for i in order]
