"""The tables of a pack as one system: every distinct count once, with all that is known of how counts add up.

The same count in two tables is one cell. A cell is named by its source, its period and the categories it is of; a
variable without a category means everybody. What a reader can work out from several tables at once is then a matter of
one set of equations, which ``jsna.disclosure.suppression`` protects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from jsna.disclosure.relations import EVERYBODY, NAMED, WORLD, Coding, add_margins, adding_up
from jsna.errors import DisclosureError, Problem
from jsna.sealed import Sealed

PERIOD = "time_period"
NOT_STATED = "not stated"
_PLACED = ("table", "row", "column")


@dataclass(frozen=True)
class Classification:
    """How the categories of one variable lie in one another.

    ``columns`` are the columns of tables that hold its categories, at any level (``ward``, ``lsoa``). Each of
    ``splits`` is a whole and its parts, ``""`` the whole of everybody; a category may be split in several ways, and
    may be a part of several wholes.
    """

    variable: str
    splits: tuple[tuple[str, tuple[str, ...]], ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """One table of true counts, as it is to be shown.

    ``counts`` has the columns ``by``, ``time_period`` where there are several, and the counts. ``measures`` names the
    columns of counts that are shown, each with the categories it adds to those of its row: ``{"pupils": {},
    "ehc_plan": {"sen": "ehc_plan"}}``. Every combination of the categories in ``by`` that has no row is a count of 0.
    ``official``: somebody else has published it, so it is known and can no longer be hidden. ``weight``: how much more
    it costs to hide a count of this table than of another; a count in several tables has the largest.
    """

    name: str
    source: str
    counts: Sealed
    by: tuple[str, ...]
    measures: Mapping[str, Mapping[str, str]]
    official: bool = False
    weight: float = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class System:
    """Cells and what they add up to; it displays as its shape, for it holds true counts.

    ``cells`` (sealed) has source, period, one column a variable, ``count``, and ``part``: ``"rest"`` where the cell is
    what is left of a whole less the parts that are shown. ``shown``: the cell stands in a table; ``structural``: it
    cannot be other than 0; ``official``: it is known already. Each row of ``relations`` times the counts comes to a
    constant that readers are taken to know. ``places`` has table, row, column and cell: where each cell stands.
    """

    cells: Sealed
    shown: NDArray[np.bool_]
    structural: NDArray[np.bool_]
    official: NDArray[np.bool_]
    relations: sparse.csr_array
    places: pd.DataFrame
    tables: tuple[Table, ...]
    weight: NDArray[np.float64]
    classifications: tuple[Classification, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.shown)

    def __repr__(self) -> str:
        return (
            f"{int(self.shown.sum())} counts in {len(self.tables)} tables, {np.shape(self.relations)[0]} sums among "
            "them: not shown."
        )


def system_of(
    tables: Iterable[Table],
    *,
    classifications: Sequence[Classification] = (),
    impossible: Sequence[Mapping[str, str]] = (),
) -> System:
    """All counts of ``tables``, each once, and every sum that holds among them.

    A variable without one of ``classifications`` has the categories seen, which make up everybody. Each of
    ``impossible`` is a combination of categories that nobody can be in (``{"phase": "nursery", "year": "11"}``), with
    every category inside them: a count of 0 there is structural and gives nothing away. Margins that stand in no table
    are added where they follow, for readers can work with them too; so is what is left of a whole less its parts.
    Raises ``DisclosureError`` for counts that contradict one another, a category that its classification lacks, and
    people in an impossible combination.

    >>> frame = pd.DataFrame({"sex": ["F", "M"], "pupils": [3, 40]})
    >>> of_sex = Table("by sex", "census", Sealed(frame, ("pupils",)), ("sex",), {"pupils": {}})
    >>> everybody = Table("all", "census", Sealed(pd.DataFrame({"pupils": [43]}), ("pupils",)), (), {"pupils": {}})
    >>> system_of([of_sex, everybody])
    3 counts in 2 tables, 1 sums among them: not shown.
    """
    tables = tuple(sorted(tables, key=lambda t: t.name))
    names = [t.name for t in tables]
    if not tables or len(set(names)) < len(names):
        raise DisclosureError("A pack that is to be protected needs tables, each with a name of its own.")
    variable_of = {column: c.variable for c in classifications for column in (*c.columns, c.variable)}
    long = pd.concat([_long(t, variable_of) for t in tables], ignore_index=True)
    variables = sorted(set(long.columns) - {*WORLD, *_PLACED, "count", "official"})
    long[variables] = long[variables].fillna(EVERYBODY)
    coding = Coding.of(long, variables, {c.variable: c.splits for c in classifications})
    long["id"] = coding.encode(long)
    _refuse_contradictions(long)
    known = long.groupby("id").agg(count=("count", "first"), official=("official", "any")).reset_index()
    known = add_margins(known.assign(shown=True), coding)
    known, relations = adding_up(known, coding)
    counts = known["count"].to_numpy("int64")
    rest = (known["part"] == "rest").to_numpy()
    at = pd.Index(known["id"][~rest]).get_indexer(long["id"])
    weight = np.ones(len(known))
    heaviest = long["table"].map({t.name: t.weight for t in tables}).groupby(at).max()
    weight[heaviest.index] = heaviest
    return System(
        Sealed(coding.decode(known["id"].to_numpy()).assign(count=counts, part=known["part"]), counts=("count",)),
        known["shown"].to_numpy(bool),
        _structural(known["id"].to_numpy(), counts, coding, impossible) & ~rest,
        known["official"].to_numpy(bool),
        relations,
        long[list(_PLACED)].assign(cell=at),
        tables,
        weight,
        tuple(classifications),
    )


def _long(table: Table, variable_of: Mapping[str, str]) -> pd.DataFrame:
    """A row a count of a table: its world and categories, the count, and where it stands (row -1: in no row, a 0)."""
    frame = table.counts.unseal("to see what adds up to what").reset_index(drop=True)
    period = [PERIOD] if PERIOD in frame else []
    lacking = [c for c in (*table.by, *table.measures) if c not in frame]
    named = [variable_of.get(c, c) for c in table.by]
    problems = [Problem("The table lacks a column.", where=table.name, value=c) for c in lacking]
    if len(set(named)) < len(named):
        problems.append(
            Problem(
                "Two columns of the table hold categories of one variable.",
                where=table.name,
                value=list(table.by),
                mend="Take the finer column alone.",
            )
        )
    if problems:
        raise DisclosureError(*problems)
    words = {n: _words(frame[c]) for n, c in zip([*period, *named], [*period, *table.by], strict=True)}
    if pd.DataFrame(words).duplicated().any():
        raise DisclosureError(
            Problem("The table has several rows of the same categories.", where=table.name, value=list(table.by))
        )
    periods = [np.flatnonzero(words[PERIOD] == p) for p in sorted(set(words[PERIOD]))] if period else None
    blocks = [_every_combination({c: words[c][at] for c in named}, at) for at in periods or [np.arange(len(frame))]]
    row = np.concatenate([at for _, at in blocks])
    values = frame[list(table.measures)].reindex(row).fillna(0)
    _refuse_fractions(values, table.name)
    everybody = np.full(len(row), EVERYBODY, object)
    of_row = {c: np.concatenate([keys[c] for keys, _ in blocks]) for c in named}
    of_row["period"] = everybody
    if periods:
        of_row["period"] = np.concatenate(
            [words[PERIOD][at[:1]].repeat(len(rows)) for at, (_, rows) in zip(periods, blocks, strict=True)]
        )
    added = list(table.measures.values())
    columns = {
        v: np.concatenate([np.full(len(row), a[v], object) if v in a else of_row.get(v, everybody) for a in added])
        for v in dict.fromkeys(["period", *named, *(v for a in added for v in a)])
    }
    placed = {
        "table": table.name,
        "row": np.tile(row, len(table.measures)),
        "column": np.repeat(np.array(list(table.measures), object), len(row)),
        "count": values.to_numpy("int64").T.ravel(),
        "source": table.source,
        "official": table.official,
    }
    return pd.DataFrame(columns | placed)


def _words(column: pd.Series) -> NDArray[np.object_]:
    return np.array([NOT_STATED if pd.isna(v) else str(v) for v in column.tolist()], object)


def _every_combination(
    keys: Mapping[str, NDArray], at: NDArray[np.int64]
) -> tuple[dict[str, NDArray], NDArray[np.int64]]:
    """Of one period, the combinations of all categories, and for each the row ``at`` which it stands (-1: in none)."""
    if not keys:
        return {}, at
    codes, values = zip(*(pd.factorize(words, sort=True) for words in keys.values()), strict=True)
    sizes = [len(v) for v in values]
    row = np.full(np.prod(sizes), -1)
    row[np.ravel_multi_index(codes, sizes)] = at
    digits = np.indices(sizes).reshape(len(sizes), -1)
    return {c: v[digit] for c, v, digit in zip(keys, values, digits, strict=True)}, row


def _refuse_fractions(values: pd.DataFrame, name: str) -> None:
    bad = [c for c in values if ((values[c] < 0) | (values[c] != values[c].round())).any()]
    if bad:
        raise DisclosureError(
            *(
                Problem(
                    "A column of counts holds a value that is not a count.", where=f"{name}: {c}", expected="0 or more"
                )
                for c in bad
            )
        )


def _refuse_contradictions(long: pd.DataFrame) -> None:
    spread = long.groupby("id")["count"].agg(["min", "max"])
    wrong = long["id"].isin(spread.index[spread["min"] < spread["max"]])
    if wrong.any():
        raise DisclosureError(
            Problem(
                "The same count has different values in the tables.",
                where=" and ".join(sorted(set(long.loc[wrong, "table"]))[:NAMED]),
                value=f"{long.loc[wrong, 'id'].nunique()} counts",
                mend="Count both tables from the same rows, or name their sources apart.",
            )
        )


def _structural(ids, counts, coding: Coding, impossible: Sequence[Mapping[str, str]]) -> NDArray[np.bool_]:
    """Cells of combinations that nobody can be in."""
    found = np.zeros(len(ids), bool)
    problems = []
    for combination in impossible:
        here = np.ones(len(ids), bool)
        for variable, value in combination.items():
            if variable not in coding.variables:
                here[:] = False
                break
            at = coding.variables.index(variable)
            here &= np.isin(coding.digit(ids, at), coding.inside(at, value))
        if (counts[here] > 0).any():
            problems.append(
                Problem(
                    "There are people in a combination that is said to be impossible.",
                    where=", ".join(f"{k} {v}" for k, v in combination.items()),
                    value=f"{int((counts[here] > 0).sum())} counts",
                )
            )
        found |= here
    if problems:
        raise DisclosureError(*problems)
    return found
