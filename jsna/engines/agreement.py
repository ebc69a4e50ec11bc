"""Two engines asked alike must answer alike, to the last pupil."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jsna.counts.counted import CELL_KEY
from jsna.errors import Problem, SourceError
from jsna.sealed import Sealed

MEND = "Use neither: compare the two tables, and the versions of both engines."


def check_agreement(first: Sealed, second: Sealed, names: tuple[str, str] = ("the first", "the second")) -> None:
    """Stop where two answers to one question are not the same, and name the first cell that differs.

    ``names``: of the two engines, for the message. It names area, census, grouping, group and count, and not the
    numbers, which may be small. Raises ``SourceError``; returns nothing where every count is the same.
    """
    one, other = (s.unseal("to compare the counts of two engines") for s in (first, second))
    if list(one.columns) != list(other.columns):
        only = sorted(set(one.columns) ^ set(other.columns))
        raise SourceError(Problem("The engines did not count the same things.", " and ".join(names), ", ".join(only)))
    labels = [c for c in one.columns if c.removeprefix(CELL_KEY) not in first.counts]
    texts = [(_text(one, c), _text(other, c)) for c in labels]
    length = min(len(one), len(other))
    unlike = np.zeros(length, bool)
    for a, b in texts:
        unlike |= a[:length] != b[:length]
    at = int(unlike.argmax()) if unlike.any() else length
    numbers = [c for c in one.columns if c not in labels]
    differs = np.stack([one[c].to_numpy()[:at] != other[c].to_numpy()[:at] for c in numbers], axis=1)
    rows = differs.any(axis=1)
    if rows.any():
        row = int(rows.argmax())
        count = numbers[int(differs[row].argmax())]
        where = _cell(labels, [a[row] for a, _ in texts])
        raise SourceError(
            Problem(f"{names[0]} and {names[1]} count differently, first in {count}.", where=where, mend=MEND)
        )
    if at < length or len(one) != len(other):
        rest = set(zip(*(b[at:] for _, b in texts), strict=True))
        here = tuple(a[at] for a, _ in texts) if at < len(one) else None
        lacking = 1 if here is not None and here not in rest else 0
        where = _cell(labels, here if lacking and here else tuple(b[at] for _, b in texts))
        raise SourceError(
            Problem(f"{names[lacking]} has no pupils in a group that {names[1 - lacking]} has.", where=where, mend=MEND)
        )


def _text(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Labels as text, "" where a row is not by the column."""
    cells = frame[column]
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return np.append(cells.cat.categories.astype("str").to_numpy(dtype=object), "")[cells.cat.codes]
    return cells.astype("str").where(cells.notna(), "").to_numpy(dtype=object)


def _cell(labels: Sequence[str], values: Sequence[str]) -> str:
    return ", ".join(f"{c} {v}" for c, v in zip(labels, values, strict=True) if v)
