"""Which counts add up to which: cells as numbers, their margins, and one equation a whole and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jsna.errors import DisclosureError, Problem

EVERYBODY = ""
WORLD = ["source", "period"]
NAMED = 5


@dataclass(frozen=True)
class Split:
    """One whole and its parts, as codes of a variable; ``declared`` when a classification says so."""

    variable: int
    whole: int
    parts: tuple[int, ...]
    declared: bool


@dataclass(frozen=True, eq=False)
class Coding:
    """Each cell as one whole number: its world (source and period) and a digit a variable, 0 for everybody."""

    worlds: pd.MultiIndex
    variables: tuple[str, ...]
    values: tuple[pd.Index, ...]
    splits: tuple[Split, ...]

    @classmethod
    def of(cls, cells: pd.DataFrame, variables: Sequence[str], classifications: Mapping[str, Sequence]) -> Coding:
        """The coding of ``cells`` (source, period, one column a variable). ``classifications``: variable to splits."""
        worlds = pd.MultiIndex.from_frame(cells[WORLD].drop_duplicates()).sort_values()
        values, splits, problems = [], [], []
        for at, variable in enumerate(variables):
            seen = set(cells[variable]) - {EVERYBODY}
            declared = classifications.get(variable)
            found = declared or ((EVERYBODY, tuple(sorted(seen))),)
            index = pd.Index([EVERYBODY, *sorted({v for whole, parts in found for v in (whole, *parts)} - {EVERYBODY})])
            values.append(index)
            if strangers := sorted(seen - set(index)):
                problems.append(
                    Problem(
                        "A table has categories that lie nowhere in their classification.",
                        where=variable,
                        value=strangers[:NAMED],
                        mend="Name them as parts of a whole.",
                    )
                )
            splits += [
                Split(at, int(index.get_loc(whole)), tuple(int(i) for i in index.get_indexer(parts)), bool(declared))
                for whole, parts in found
            ]
        if problems:
            raise DisclosureError(*problems)
        return cls(worlds, tuple(variables), tuple(values), tuple(splits))

    @cached_property
    def strides(self) -> NDArray[np.int64]:
        """What one step of each digit is worth, the last that of the world."""
        sizes = [len(v) for v in self.values]
        if np.prod([float(s) for s in (*sizes, len(self.worlds))]) > 2.0**62:
            raise DisclosureError("The tables have more categories together than can be told apart: protect fewer.")
        return np.cumprod([1, *sizes]).astype("int64")

    def encode(self, cells: pd.DataFrame) -> NDArray[np.int64]:
        """The numbers of cells."""
        codes = [index.get_indexer(cells[v]) for v, index in zip(self.variables, self.values, strict=True)]
        codes.append(self.worlds.get_indexer(pd.MultiIndex.from_frame(cells[WORLD])))
        return (np.column_stack(codes).astype("int64") * self.strides).sum(axis=1)

    def digit(self, ids: NDArray[np.int64], variable: int) -> NDArray[np.int64]:
        """The codes of one variable in cells."""
        return ids // self.strides[variable] % len(self.values[variable])

    def world(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The codes of the worlds of cells."""
        return ids // self.strides[-1]

    def decode(self, ids: NDArray[np.int64]) -> pd.DataFrame:
        """Source, period and categories of cells, from their numbers."""
        frame = self.worlds[self.world(ids)].to_frame(index=False)
        named = {
            v: index[self.digit(ids, at)] for at, (v, index) in enumerate(zip(self.variables, self.values, strict=True))
        }
        return frame.assign(**named)

    def inside(self, variable: int, value: str) -> NDArray[np.int64]:
        """The codes of a category and of everything that lies in it."""
        found = {int(self.values[variable].get_indexer([value])[0])}
        while True:
            more = {p for s in self.splits if s.variable == variable and s.whole in found for p in s.parts} - found
            if not more:
                return np.array(sorted(found), "int64")
            found |= more

    def wholes(self, ids: NDArray[np.int64], split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the cells that are parts in a split, and the numbers of their wholes."""
        code = self.digit(ids, split.variable)
        at = np.flatnonzero(np.isin(code, split.parts))
        return at, ids[at] + (split.whole - code[at]) * self.strides[split.variable]

    def seen(self, ids: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
        """In each world, how many parts of a split are seen at all."""
        code, world = self.digit(ids, split.variable), self.world(ids)
        part = np.isin(code, split.parts)
        pairs = np.unique(np.column_stack([world[part], code[part]]), axis=0)
        return np.bincount(pairs[:, 0], minlength=len(self.worlds))


@dataclass(frozen=True, eq=False)
class _Wholes:
    """The wholes of one split that are among some cells: where they, and their parts, stand there.

    ``whole`` has their numbers in rising order, ``at`` their positions, ``world`` their worlds. Each of ``parts`` is
    the position of a cell that is a part of the whole at ``of``.
    """

    whole: NDArray[np.int64]
    at: NDArray[np.int64]
    world: NDArray[np.int64]
    parts: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def among(cls, ids: NDArray[np.int64], coding: Coding, split: Split) -> _Wholes:
        """Those among ``ids``, which rise."""
        parts, wholes = coding.wholes(ids, split)
        at = np.searchsorted(ids, wholes)
        there = ids[np.minimum(at, len(ids) - 1)] == wholes
        whole, first, of = np.unique(wholes[there], return_index=True, return_inverse=True)
        return cls(whole, at[there][first], coding.world(whole), parts[there], of)

    def added(self, count: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """How many parts of each whole have a count, and what these come to."""
        counts = count[self.parts]
        known = ~np.isnan(counts)
        n = np.bincount(self.of[known], minlength=len(self.whole))
        return n, np.bincount(self.of[known], counts[known], len(self.whole))


def add_margins(cells: pd.DataFrame, coding: Coding) -> pd.DataFrame:
    """``cells`` (id, count, shown, official) with the margins that stand in no table and follow from the parts."""
    ids = np.sort(cells["id"].to_numpy())
    while True:
        more = np.unique(np.concatenate([ids, *(coding.wholes(ids, s)[1] for s in coding.splits)]))
        if len(more) == len(ids):
            break
        ids = more
    full = cells.set_index("id").reindex(ids)
    count = full["count"].to_numpy("float64", copy=True)
    wholes = [_Wholes.among(ids, coding, s) for s in coding.splits]
    seen = [coding.seen(cells["id"].to_numpy(), s) for s in coding.splits]
    while True:
        before = int(np.isnan(count).sum())
        for split, found, parts_seen in zip(coding.splits, wholes, seen, strict=True):
            _follow(count, found, split, parts_seen)
        if int(np.isnan(count).sum()) == before:
            break
    there = ~np.isnan(count)
    return pd.DataFrame(
        {
            "id": ids[there],
            "count": count[there].astype("int64"),
            "shown": full["shown"].eq(True).to_numpy()[there],
            "official": full["official"].eq(True).to_numpy()[there],
        }
    )


def _follow(count: NDArray[np.float64], found: _Wholes, split: Split, seen: NDArray[np.int64]) -> None:
    """Fill in the counts of wholes all of whose parts are there.

    Where a classification has parts that are seen nowhere in a world, the parts make up the whole only if they do so
    wherever that whole is known.
    """
    n, added = found.added(count)
    known = count[found.at]
    complete = n == seen[found.world]
    fill = complete & np.isnan(known)
    if split.declared:
        told = complete & ~np.isnan(known)
        agree = np.bincount(found.world[told & (known == added)], minlength=len(seen))
        differ = np.bincount(found.world[told & (known != added)], minlength=len(seen))
        fill &= ((seen == len(split.parts)) | ((agree > 0) & (differ == 0)))[found.world]
    count[found.at[fill]] = added[fill]


def adding_up(cells: pd.DataFrame, coding: Coding) -> tuple[pd.DataFrame, sparse.csr_array]:
    """``cells`` with what is left of wholes (``part`` "rest"), and one row of signs a whole: whole less parts and rest.

    Where some parts are in no table, the rest is a count of people like any other. Where all are, the rest are those of
    whom the records do not say it, and that number is taken to be known. Raises ``DisclosureError`` where parts are
    more than their whole.
    """
    ids, count = cells["id"].to_numpy(), cells["count"].to_numpy("float64")
    shown_ids = ids[cells["shown"].to_numpy()]
    rows, columns, signs, rests, problems = [], [], [], [], []
    n_rows, n_cells = 0, len(ids)
    for split in coding.splits:
        found = _Wholes.among(ids, coding, split)
        if not len(found.whole):
            continue
        seen = coding.seen(shown_ids, split)
        n, added = found.added(count)
        rest = count[found.at] - added
        if (rest < 0).any():
            problems.append(_too_many(int((rest < 0).sum()), coding, split))
        unsaid = np.bincount(found.world[rest != 0], minlength=len(seen)) > 0
        some_unseen = seen < len(split.parts) if split.declared else np.ones(len(seen), bool)
        open_end = (n < seen[found.world]) | (unsaid & some_unseen)[found.world]
        row = n_rows + np.arange(len(found.whole))
        rows += [row, row[found.of], row[open_end]]
        columns += [found.at, found.parts, n_cells + np.arange(open_end.sum())]
        signs += [np.ones(len(row)), -np.ones(len(found.of)), -np.ones(open_end.sum())]
        rests.append((found.whole[open_end], rest[open_end]))
        n_rows, n_cells = n_rows + len(row), n_cells + int(open_end.sum())
    if problems:
        raise DisclosureError(*problems)
    cells = cells.assign(part="")
    if not rows:
        return cells, sparse.csr_array((0, len(cells)))
    whole, rest = (np.concatenate(parts) for parts in zip(*rests, strict=True))
    left = pd.DataFrame({"id": whole, "count": rest, "shown": False, "official": False, "part": "rest"})
    cells = pd.concat([cells, left], ignore_index=True)
    where = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csr_array((np.concatenate(signs), where), shape=(n_rows, n_cells))
    return _without_idle_margins(cells, matrix)


def _without_idle_margins(cells: pd.DataFrame, matrix: sparse.csr_array) -> tuple[pd.DataFrame, sparse.csr_array]:
    """Both without margins that stand in no table and in fewer than two sums: nothing can be worked out from them."""
    idle_kind = (~cells["shown"] & (cells["part"] == "")).to_numpy()
    keep_rows = np.ones(np.shape(matrix)[0], bool)
    while True:
        uses = np.asarray(abs(matrix[keep_rows]).sum(axis=0)).ravel()
        idle = idle_kind & (uses == 1)
        touched = np.asarray(abs(matrix[:, idle]).sum(axis=1)).ravel() > 0
        if not (touched & keep_rows).any():
            break
        keep_rows &= ~touched
    matrix = matrix[keep_rows]
    uses = np.asarray(abs(matrix).sum(axis=0)).ravel()
    keep = cells["shown"].to_numpy() | (uses > 0)
    return cells[keep].reset_index(drop=True), sparse.csr_array(matrix[:, keep])


def _too_many(sums: int, coding: Coding, split: Split) -> Problem:
    name = coding.variables[split.variable]
    return Problem(
        "The parts are more people than the whole they make up.",
        where=f"{name}: {coding.values[split.variable][split.whole] or 'everybody'}",
        value=f"{sums} sums",
        expected="parts that add up to no more than their whole",
        mend="Check that the tables count the same people, and that no category lies in two others of one kind.",
    )
