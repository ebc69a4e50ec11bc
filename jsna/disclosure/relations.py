"""Which counts add up to which: cells as numbers, their margins, and one equation a whole and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

    @property
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
    seen = [coding.seen(cells["id"].to_numpy(), s) for s in coding.splits]
    while True:
        before = int(np.isnan(count).sum())
        for split, parts_seen in zip(coding.splits, seen, strict=True):
            _follow(ids, count, coding, split, parts_seen)
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


def _parts(ids, count, coding: Coding, split: Split) -> pd.DataFrame:
    """Each whole of a split that is there or could be: position, its parts' number and sum, and its world."""
    at, wholes = coding.wholes(ids, split)
    grouped = pd.DataFrame({"whole": wholes, "sum": count[at]}).groupby("whole")["sum"]
    found = grouped.agg(n="count", sum="sum").reset_index()
    found["at"] = pd.Index(ids).get_indexer(found["whole"])
    return found[found["at"] >= 0].assign(world=lambda f: coding.world(f["whole"].to_numpy()))


def _follow(ids, count: NDArray[np.float64], coding: Coding, split: Split, seen: NDArray[np.int64]) -> None:
    """Fill in the counts of wholes all of whose parts are there.

    Where a classification has parts that are seen nowhere in a world, the parts make up the whole only if they do so
    wherever that whole is known.
    """
    found = _parts(ids, count, coding, split)
    found = found[found["n"] == seen[found["world"]]]
    known = count[found["at"]]
    if split.declared:
        agrees = pd.Series(known == found["sum"].to_numpy()).where(~np.isnan(known)).groupby(found["world"].to_numpy())
        whole = seen == len(split.parts)
        agreed = agrees.agg(lambda a: a.notna().any() and bool(a.dropna().all()))
        whole[agreed.index[agreed]] = True
        found = found[whole[found["world"]]]
        known = count[found["at"]]
    fill = np.isnan(known)
    count[found["at"].to_numpy()[fill]] = found["sum"].to_numpy()[fill]


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
        found = _parts(ids, count, coding, split)
        if not len(found):
            continue
        seen = coding.seen(shown_ids, split)
        found["rest"] = count[found["at"]] - found["sum"]
        if (found["rest"] < 0).any():
            problems.append(_too_many(found[found["rest"] < 0], coding, split))
        unsaid = found["rest"].ne(0).groupby(found["world"]).transform("any")
        open_end = not split.declared or (seen[found["world"]] < len(split.parts))
        open_end = (found["n"] < seen[found["world"]]) | (unsaid & open_end)
        row = n_rows + np.arange(len(found))
        at, wholes = coding.wholes(ids, split)
        of = pd.Series(row, index=found["whole"]).reindex(wholes).to_numpy()
        there = ~np.isnan(of)
        left = found[open_end]
        rows += [row, of[there].astype("int64"), row[open_end.to_numpy()]]
        columns += [found["at"].to_numpy(), at[there], n_cells + np.arange(len(left))]
        signs += [np.ones(len(row)), -np.ones(there.sum()), -np.ones(len(left))]
        rests.append(pd.DataFrame({"id": left["whole"], "count": left["rest"], "shown": False, "official": False}))
        n_rows, n_cells = n_rows + len(found), n_cells + len(left)
    if problems:
        raise DisclosureError(*problems)
    cells = pd.concat([cells.assign(part=""), *(r.assign(part="rest") for r in rests)], ignore_index=True)
    if not rows:
        return cells, sparse.csr_array((0, len(cells)))
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


def _too_many(found: pd.DataFrame, coding: Coding, split: Split) -> Problem:
    name = coding.variables[split.variable]
    return Problem(
        "The parts are more people than the whole they make up.",
        where=f"{name}: {coding.values[split.variable][split.whole] or 'everybody'}",
        value=f"{len(found)} sums",
        expected="parts that add up to no more than their whole",
        mend="Check that the tables count the same people, and that no category lies in two others of one kind.",
    )
