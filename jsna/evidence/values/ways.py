"""One way to an indicator, from tables to rows: which rows and columns it takes, by area and period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.evidence.catalogue import Counts, Indicator, Official, Published, refuse_across
from jsna.evidence.values.tables import KEY, LONDON, PARTS_OF_LONDON, Table

# Of several cells that are added up, the gravest symbol stands for the sum.
GRAVITY = ("", "z", "low", "u", "x", "c")


@dataclass(frozen=True, eq=False)
class Way:
    """One way of the catalogue with its place in it: the earlier goes before the later."""

    indicator: Indicator
    official: Official
    place: int

    @property
    def sides(self) -> dict[str, Counts | Published]:
        """What is read from tables: ``numerator`` and ``denominator``, or ``published``."""
        parts = {n: getattr(self.official, n) for n in ("numerator", "denominator", "published")}
        return {name: part for name, part in parts.items() if part is not None}


@dataclass(frozen=True)
class Side:
    """One side, gathered: ``frame`` has the columns ``KEY``, value and symbol; the rest says in words where it is from.

    ``stands_for`` is the one period of counts that stand for every other, "" for all that are of their own period.
    """

    frame: pd.DataFrame
    source: str
    file: str
    period: str
    stands_for: str = ""


def ways_of(indicators: Iterable[Indicator]) -> list[Way]:
    """Every official way, in the catalogue's order. Raises ``CodeListError`` for a rate across two bases."""
    pairs = [(i, way) for i in indicators for way in i.official]
    for _, way in pairs:
        if way.numerator is not None and way.denominator is not None:
            refuse_across(way.numerator.basis, way.denominator.basis)
    return [Way(indicator, way, place) for place, (indicator, way) in enumerate(pairs)]


def gather(table: Table, side: Counts | Published) -> Side:
    """The figures of one side by area and period.

    Raises ``SourceError`` when a column or a value of ``where`` is not there, naming the nearest that is, and when the
    rows that ``where`` names are several for one area and period.
    """
    told, frame, where = table.summary, table.frame, dict(side.where)
    if isinstance(side, Published) and side.measure:
        where |= {"measure": side.measure}
    columns = [side.column] if isinstance(side, Published) else [*side.columns, *side.less]
    _need(frame, [*where, *columns], told.file)
    kept = np.ones(len(frame), bool)
    for column, wanted in where.items():
        kept &= _chosen(frame[column], [wanted] if isinstance(wanted, str) else wanted, told.file)
    if not kept.any():
        raise SourceError(Problem("No row fits all of `where` at once.", where=told.file, value=where))
    lists = {c: w for c, w in where.items() if not isinstance(w, str)}
    _refuse_several(table.cell[kept], int(np.prod([len(w) for w in lists.values()])), told.file)
    if isinstance(side, Published):
        rows = _summed(table, kept, columns, np.array([side.scale]), published=True)
        return Side(rows, f"{told.source}, {side.measure}".removesuffix(", "), told.file, told.period)
    signs = np.repeat([1.0, -1.0], [len(side.columns), len(side.less)])
    rows = _with_every(_summed(table, kept, columns, signs, published=False), table, kept, lists)
    rows = _of_period(rows, side.period, told.file) if side.period else rows
    return Side(rows, told.source, told.file, told.period, side.period)


def _need(frame: pd.DataFrame, columns: Sequence[str], where: str) -> None:
    problems = [
        Problem(f"The column {c!r} is missing or was renamed.", where=where, mend=did_you_mean(c, frame.columns))
        for c in dict.fromkeys(columns)
        if c not in frame
    ]
    if problems:
        raise SourceError(*problems)


def _chosen(cells: pd.Series, wanted: Sequence[str], where: str) -> NDArray[np.bool_]:
    found = cells.isin(list(wanted)).to_numpy(bool)
    seen = set(cells[found].unique())
    missing = [w for w in wanted if w not in seen]
    if missing:
        near = did_you_mean(missing[0], cells.unique())
        raise SourceError(Problem(f"No row has {missing[0]!r} in {cells.name!r}.", where=where, mend=near))
    return found


def _refuse_several(cell: NDArray[np.intp], several: int, where: str) -> None:
    most = int(np.bincount(cell).max()) if len(cell) else 0
    if most > several:
        what = f"`where` names up to {most} rows of one area and period, where {several} would do."
        raise SourceError(Problem(what, where=where, mend="Name the row of all in every other filter."))


def _of_period(rows: pd.DataFrame, period: str, where: str) -> pd.DataFrame:
    found = rows[rows["written"] == period]
    if found.empty:
        near = did_you_mean(period, rows["written"].unique())
        raise SourceError(Problem(f"No row is of the period {period!r}.", where=where, mend=near))
    return found


def _with_every(rows: pd.DataFrame, table: Table, kept: NDArray[np.bool_], lists: dict[str, list[str]]) -> pd.DataFrame:
    """Rows of the periods in which every value that is added up occurs; a sum without one would only look whole."""
    when = ["written", "identifier"]
    for column, wanted in lists.items():
        of = table.cells[when].iloc[table.cell[kept]].assign(value=table.frame[column].to_numpy()[kept])
        whole = of.groupby(when)["value"].nunique() == len(set(wanted))
        rows = rows.loc[whole.reindex(pd.MultiIndex.from_frame(rows[when])).to_numpy(bool)]
    return rows


def _summed(
    table: Table, kept: NDArray[np.bool_], columns: list[str], signs: NDArray[np.float64], *, published: bool
) -> pd.DataFrame:
    """Columns added up (or taken off) and rows added up, by area and period; London's two parts are made one."""
    cell, frame = table.cell[kept], table.frame
    value = np.column_stack([frame[c].to_numpy("float64")[kept] for c in columns]) @ signs
    marks = [_gravity(frame[f"{c}_symbol"])[kept] for c in columns if f"{c}_symbol" in frame]
    worst = np.maximum.reduce([np.zeros(len(cell), "int8"), *marks])
    worst = np.where(np.isnan(value) & (worst == 0), GRAVITY.index("x"), worst)
    gravest, size = np.zeros(len(table.cells), "int8"), len(table.cells)
    np.maximum.at(gravest, cell, worst)
    total = np.bincount(cell, np.nan_to_num(value), minlength=size)
    there = np.bincount(cell, minlength=size) > 0
    made = table.cells[there].assign(value=total[there], gravest=gravest[there])
    parts = made["area_code"].isin(PARTS_OF_LONDON)
    if parts.any():
        made = made.loc[~parts] if published or (made["area_code"] == LONDON).any() else made
        made = made.assign(area_code=made["area_code"].replace(dict.fromkeys(PARTS_OF_LONDON, LONDON)))
        made = made.groupby(KEY, sort=False).agg(value=("value", "sum"), gravest=("gravest", "max")).reset_index()
    symbol = made["gravest"].map(dict(enumerate(GRAVITY))).astype("str")
    return made.drop(columns="gravest").assign(value=made["value"].where(symbol == ""), symbol=symbol)


def _gravity(symbols: pd.Series) -> NDArray[np.int8]:
    """How grave each symbol of a column of categories is."""
    ranks = np.array([GRAVITY.index(s) for s in symbols.cat.categories], "int8")
    return ranks[symbols.cat.codes.to_numpy()] if len(ranks) else np.zeros(len(symbols), "int8")
