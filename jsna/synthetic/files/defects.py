"""Planted defects: what is wrong with real files, put into synthetic ones on request, each named and counted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from jsna.errors import ParamsError, Problem, did_you_mean
from jsna.synthetic.files.output import Tables


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong: its name, the forms it can be planted in, a sentence, where it is described.

    ``plant`` changes the tables of one file and returns how many rows it touched: rows changed, added or taken out; for
    a change of headings, all rows of the table.
    """

    name: str
    forms: tuple[str, ...]
    section: str
    sentence: str
    plant: Callable[[Tables, Generator], int]


DEFECTS: dict[str, Defect] = {}


def defect(name: str, forms: Sequence[str], section: str, sentence: str):
    """Enter a function that plants a defect into the catalogue."""

    def enter(plant: Callable[[Tables, Generator], int]) -> Callable[[Tables, Generator], int]:
        assert name not in DEFECTS, name
        DEFECTS[name] = Defect(name, tuple(forms), section, sentence, plant)
        return plant

    return enter


@dataclass
class Planter:
    """Plants the chosen defects, one after the other, into the tables it is called with, and keeps count.

    Each defect has random numbers of its own, from the seed and its name: another defect beside it does not change
    which rows it touches.
    """

    form: str
    names: Sequence[str]
    seed: int
    touched: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    def __post_init__(self) -> None:
        problems = [_problem(name, self.form) for name in self.names]
        if any(problems):
            raise ParamsError(*[p for p in problems if p])
        self.touched = dict.fromkeys(self.names, 0)

    def __call__(self, tables: Tables) -> None:
        for name in self.touched:
            entropy = [self.seed, zlib.crc32(name.encode()), self.calls]
            self.touched[name] += DEFECTS[name].plant(tables, np.random.Generator(np.random.PCG64(entropy)))
        self.calls += 1

    def report(self) -> pd.DataFrame:
        """What was planted: defect, form, rows_touched, sentence."""
        rows = [(n, self.form, str(count), DEFECTS[n].sentence) for n, count in self.touched.items()]
        return pd.DataFrame(rows, columns=["defect", "form", "rows_touched", "sentence"])


def _problem(name: str, form: str) -> Problem | None:
    here = [d for d in DEFECTS if form in DEFECTS[d].forms]
    if name not in DEFECTS:
        mend = did_you_mean(name, DEFECTS) or "See `jsna synth --list-defects`."
        return Problem("There is no such defect.", where="defect", value=name, mend=mend)
    if name not in here:
        allowed = ", ".join(DEFECTS[name].forms)
        return Problem(f"This defect cannot be planted in {form}.", where="defect", value=name, expected=allowed)
    return None


def some(rng: Generator, eligible: pd.Series | NDArray, share: float = 0.02, least: int = 3) -> NDArray:
    """Positions of a few of the eligible rows, in order: ``share`` of them, at least ``least`` if there are so many."""
    at = np.flatnonzero(np.asarray(eligible))
    count = min(len(at), max(least, round(share * len(at))))
    return np.sort(rng.choice(at, count, replace=False))


def put(tables: Tables, table: str, at: NDArray, **values: object) -> int:
    """Put values into columns of some rows (by position) of a table; returns the number of rows."""
    frame = tables[table].copy()
    for column, value in values.items():
        cells = frame[column].to_numpy(object).copy()
        cells[at] = value
        frame[column] = pd.Series(cells, index=frame.index, dtype="str")
    tables[table] = frame
    return len(at)


def take_out(tables: Tables, table: str, at: NDArray) -> int:
    """Take rows (by position) out of a table."""
    frame = tables[table]
    tables[table] = frame.drop(index=frame.index[at]).reset_index(drop=True)
    return len(at)


def add(tables: Tables, table: str, rows: pd.DataFrame) -> int:
    """Add rows at the end of a table."""
    tables[table] = pd.concat([tables[table], rows], ignore_index=True)
    return len(rows)


def new_keys(column: pd.Series, count: int) -> NDArray:
    """Keys that a column does not have yet."""
    return (column.astype("int64").max() + 1 + np.arange(count)).astype("<U12").astype(object)
