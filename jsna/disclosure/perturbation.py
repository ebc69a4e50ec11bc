"""Counts changed a little instead of hidden: rounded, put to the middle of a band, or changed by a key of their cell.

Everything here comes before arithmetic: rates, ratios and all others are worked out from the changed counts, so that
nothing true can be worked back from them (docs/perturbation.md).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from jsna.counts import CELL_KEY, KEYS
from jsna.errors import DisclosureError, Problem, did_you_mean
from jsna.sealed import Sealed

BASE, WIDTH = 5, 6
# ONS's tables end here; larger counts use the last rows again and again.
LAST_ROW, ROWS_AGAIN = 750, 250
METHODS = ("round_5", "midpoint_6", "cell_key")
Zeros = Literal["hidden", "shown"]


def rounded(counts: ArrayLike, base: int = BASE) -> pd.Series:
    """Each count as the nearest multiple of ``base``, the half upwards; 0 then stands for none or few.

    ``counts``: whole numbers of 0 or more, a missing one stays missing. Raises ``DisclosureError`` for anything else.

    >>> rounded([0, 2, 3, 7, 8, 12]).tolist()
    [0, 0, 5, 5, 10, 10]
    """
    counts = _counts(counts)
    return (2 * counts + base) // (2 * base) * base


def midpoint(counts: ArrayLike, width: int = WIDTH, *, zeros: Zeros = "shown") -> pd.Series:
    """Each count as the middle of its band of ``width``: of 6, 1 to 6 are 3, 7 to 12 are 9, 13 to 18 are 15.

    With ``zeros="shown"`` a 0 is shown as 0, and then it is one; with ``"hidden"`` it is in the first band. The method
    is OpenSAFELY's "midpoint 6" (which shows zeros). Where the counts of a band are alike likely, its middle is half a
    pupil too low. Raises ``DisclosureError`` for anything but whole numbers of 0 or more and missing ones.

    >>> midpoint([0, 1, 6, 7, 12, 13]).tolist(), midpoint([0, 1, 7], zeros="hidden").tolist()
    ([0, 3, 3, 9, 9, 15], [3, 3, 9])
    """
    counts = _counts(counts)
    middle = (np.maximum(counts, 1) + width - 1) // width * width - width // 2
    return middle.where(counts != 0, 0) if zeros == "shown" else middle


def cell_keyed(counts: ArrayLike, cell_keys: ArrayLike, table: pd.DataFrame | None = None) -> pd.Series:
    """Each count changed by what ``table`` has for it and the key of its cell: the same people, the same answer.

    ``cell_keys``: the sum of the record keys of those counted, modulo 256. ``table`` has one row a count and a key, as
    the tables of ONS: ``pcv`` (1 to 750), ``ckey`` (0 to 255) and ``pvalue``, what is added; a count that it lacks is
    not changed, and counts above 750 use rows 501 to 750 again and again. Without it, ``perturbation_table``. A count
    of 0 stays 0. Missing counts stay missing. Raises ``DisclosureError`` for counts or keys that are none, counts
    without a key, a table in another form, and a change that would make a count negative.

    >>> cell_keyed([0, 3, 3, 200], [0, 0, 255, 100]).tolist()
    [0, 0, 8, 200]
    """
    counts = _counts(counts)
    change = _changes(table)[_rows(counts), _keys(cell_keys, counts)]
    return counts + change


def perturbation_table() -> pd.DataFrame:
    """The table of ``cell_key`` in the form of ONS: ``pcv``, ``ckey`` and ``pvalue``, 750 times 256 rows.

    Right on average, for every count; never more than 5 up or down; nothing from 1 to 4 is ever shown; variance 3 (4 to
    6 for counts of 1 to 4, which become 0 or 5). Made by benchmarks/perturbation_table.py.
    """
    changes = _own_changes()[1:]
    pcv, ckey = np.divmod(np.arange(changes.size), KEYS)
    return pd.DataFrame({"pcv": pcv + 1, "ckey": ckey, "pvalue": changes.ravel()})


def largest_change() -> int:
    """The most that ``cell_key`` adds to a count, or takes away.

    >>> largest_change()
    5
    """
    return int(np.abs(_own_changes()).max())


def perturbed(
    sealed: Sealed,
    method: str,
    *,
    zeros: Zeros = "hidden",
    within: str | None = None,
    table: pd.DataFrame | None = None,
) -> Sealed:
    """The frame with every count changed by ``method``: ``round_5``, ``midpoint_6`` or ``cell_key``.

    A count depends on nothing but itself and, for ``cell_key``, the people in it: the same cell has the same answer in
    every table. Parts need not add up to their whole. ``cell_key`` needs the key of each count in a column that bears
    its name after ``cell_key_`` (``count_pupils(..., cell_keys=True)``); these columns are left out of the result.
    ``within``: a count of the same row that no other can exceed (``pupils``); one that would is shown as large as that.
    ``zeros`` matters to ``midpoint_6`` alone: see ``midpoint``.

    Raises ``DisclosureError`` for an unknown method, for counts without keys, and for a frame in which something has
    been worked out already (rates, ratios): these would still be the true ones.
    """
    _can_be_perturbed(sealed, method)
    frame = sealed.unseal("to change every count before anything is worked out from it")
    keys = {c: f"{CELL_KEY}{c}" for c in sealed.counts}
    if method == "cell_key" and (lacking := [c for c, key in keys.items() if key not in frame]):
        raise DisclosureError(
            Problem(
                "Counts cannot be changed by the keys of their cells, for they have none.",
                value=lacking,
                mend="Count with count_pupils(..., cell_keys=True), or choose another protection:.",
            )
        )
    for column, key in keys.items():
        if method == "round_5":
            frame[column] = rounded(frame[column])
        elif method == "midpoint_6":
            frame[column] = midpoint(frame[column], zeros=zeros)
        else:
            frame[column] = cell_keyed(frame[column], frame[key], table)
    if within is not None:
        for column in sealed.counts:
            frame[column] = frame[column].where(~(frame[column] > frame[within]), frame[within])
    return Sealed(frame.drop(columns=[c for c in frame if str(c).startswith(CELL_KEY)]), counts=sealed.counts)


def _can_be_perturbed(sealed: Sealed, method: str) -> None:
    if method not in METHODS:
        raise DisclosureError(
            Problem(
                "There is no such way to change counts.",
                value=method,
                expected=", ".join(METHODS),
                mend=did_you_mean(method, METHODS),
            )
        )
    if worked_out := [*sealed.rates, *sealed.derived]:
        raise DisclosureError(
            Problem(
                "Figures were worked out before the counts were changed, and would still be the true ones.",
                value=worked_out,
                mend="Change the counts first, then work the figures out.",
            )
        )


def _counts(counts: ArrayLike) -> pd.Series:
    """Counts as a column: whole numbers, or floats where some are missing."""
    column = counts if isinstance(counts, pd.Series) else pd.Series(counts)
    number = pd.to_numeric(column, errors="coerce").astype("float64")
    whole = (number >= 0) & (number == number.round()) & np.isfinite(number)
    wrong = column.notna() & ~whole
    if wrong.any():
        raise DisclosureError(
            Problem(
                "A column of counts holds a value that is not a count.",
                where=str(column.name or ""),
                value=f"{int(wrong.sum())} of {len(column)} rows",
                expected="whole numbers of 0 or more",
            )
        )
    return number if number.isna().any() else number.astype("int64")


def _rows(counts: pd.Series) -> NDArray[np.int64]:
    """The row of a table for each count; of a missing one that of 0, which is not changed."""
    number = counts.fillna(0).to_numpy("int64")
    again = (number - 1) % ROWS_AGAIN + LAST_ROW - ROWS_AGAIN + 1
    return np.where(number > LAST_ROW, again, number)


def _keys(cell_keys: ArrayLike, counts: pd.Series) -> NDArray[np.int64]:
    key = pd.to_numeric(pd.Series(np.asarray(cell_keys)), errors="coerce").to_numpy("float64")
    if len(key) != len(counts):
        raise DisclosureError(Problem("Each count needs the key of its cell.", value=f"{len(key)} for {len(counts)}"))
    key = np.where(counts.isna(), 0, key)
    wrong = ~((key >= 0) & (key < KEYS) & (key == np.floor(key)))
    if wrong.any():
        raise DisclosureError(
            Problem(
                "A key of a cell is none.",
                value=f"{int(wrong.sum())} of {len(key)} rows",
                expected=f"whole numbers from 0 to {KEYS - 1}",
            )
        )
    return key.astype("int64")


def _changes(table: pd.DataFrame | None) -> NDArray[np.int64]:
    """A table as a square: one row a count from 0, one column a key."""
    if table is None:
        return _own_changes()
    wanted = {"pcv": (1, LAST_ROW), "ckey": (0, KEYS - 1), "pvalue": (-LAST_ROW, LAST_ROW)}
    problems = [
        Problem("The perturbation table does not fit.", where=c, expected=f"whole numbers from {low} to {high}")
        for c, (low, high) in wanted.items()
        if c not in table or not pd.api.types.is_integer_dtype(table[c]) or not table[c].between(low, high).all()
    ]
    if problems:
        raise DisclosureError(*problems)
    changes = np.zeros((LAST_ROW + 1, KEYS), "int64")
    changes[table["pcv"], table["ckey"]] = table["pvalue"]
    if (changes + np.arange(LAST_ROW + 1)[:, None] < 0).any():
        raise DisclosureError(Problem("The perturbation table takes away more than there is.", where="pvalue"))
    return changes


@cache
def _own_changes() -> NDArray[np.int64]:
    """The table that comes with the workbench: the last of its counts stands for all larger ones."""
    with files("jsna.disclosure").joinpath("perturbation_table.csv").open(encoding="utf-8") as stream:
        given = pd.read_csv(stream)
    by_count = [np.repeat(rows["change"].to_numpy(), rows["keys"].to_numpy()) for _, rows in given.groupby("count")]
    square = np.vstack([np.zeros((1, KEYS), "int64"), *by_count])
    last = np.repeat(square[-1:], LAST_ROW + 1 - len(square), axis=0)
    return np.vstack([square, last])
