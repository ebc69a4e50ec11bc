"""One authority's pupils in codes: what is worked out of their columns, who is counted, and all areas put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jsna.counts.coded import Coded, Tally, tallies
from jsna.counts.counted import COUNTS, record_keys
from jsna.counts.frames import with_latest_school
from jsna.counts.question import ALWAYS, Question
from jsna.engines.tidy import FLAG, WHOLE, column, kind_of, numbers_of, plain_labels

# Codes of so few values are not made anew for an authority: the table that they span is small as it is.
FEW = 40
MANY_NUMBERS = 1 << 20


@dataclass(frozen=True)
class Counted:
    """One authority's counts, sorted by census, grouping and group: a row a group, a column of ``counts`` a row.

    ``codes``: of the census, of the ``grouping`` (its place in ``labels``) and of each column, -1 where a row is not by
    it; ``values``: what the codes stand for.
    """

    area: str
    codes: dict[str, NDArray[np.int32]]
    values: dict[str, NDArray]
    counts: NDArray[np.int32]


def collected(parts: Sequence[Counted], question: Question, pool: ThreadPoolExecutor) -> pd.DataFrame:
    """The counts of all areas in one frame, sorted by area, census, grouping and group."""

    def group(name: str) -> Any:
        if name == "la_code":
            lengths = [p.counts.shape[1] for p in parts]
            return column(
                name, np.repeat(np.arange(len(parts)), lengths), np.array([p.area for p in parts], dtype=object)
            )
        # Values are sorted in every part and here, so that rows stay sorted.
        values = np.unique(np.concatenate([p.values[name] for p in parts]))
        places = [np.append(np.searchsorted(values, p.values[name]).astype("int32"), np.int32(-1)) for p in parts]
        codes = np.concatenate([place[p.codes[name]] for place, p in zip(places, parts, strict=True)])
        return column(name, codes, values)

    def number(i: int) -> NDArray[np.int64]:
        return np.concatenate([p.counts[i] for p in parts], dtype="int64")

    names = [*question.places, "grouping", *question.columns]
    numbers = numbers_of(COUNTS, question.cell_keys)
    made = dict(zip(names, pool.map(group, names), strict=True))
    made |= dict(zip(numbers, pool.map(number, range(len(numbers))), strict=True))
    return plain_labels(pd.DataFrame(made, copy=False), question)


def counted_area(area: str, columns: dict[str, Coded], ids: Any, question: Question) -> list[Counted]:
    """The counts of one authority, from its ``columns`` in codes and (None where they are not needed) its pupils'
    ``ids``; nothing where it has no pupil who is asked for."""
    made = {c: _DERIVED[c](columns, ids) for c in question.derived(columns)}
    columns = {**columns, **made}
    kept = np.ones(len(columns["la_code"].codes), bool)
    for c, chosen in question.keep.items():
        if len(chosen):
            kept &= np.isin(columns[c].values, list(chosen))[columns[c].codes]
    for c, chosen in question.leave_out.items():
        kept &= ~np.isin(columns[c].values, list(chosen))[columns[c].codes]
    keys = record_keys(ids.to_pandas()).to_numpy() if question.cell_keys else None
    if not kept.any():
        return []
    if not kept.all():
        columns = {c: col.taken(kept) for c, col in columns.items()}
        keys = None if keys is None else keys[kept]
    used = {c: columns[c].compact(FEW) for c in dict.fromkeys([*ALWAYS, *question.columns])}
    values = {c: used[c].values for c in ["time_period", *question.columns]}
    return [_one(area, sorted(tallies(used, question, keys), key=lambda t: t.label), values, question)]


def _one(area: str, blocks: list[Tally], values: dict[str, NDArray], question: Question) -> Counted:
    """The tallies of an area, which are sorted by census each, as one table that is."""
    period = np.concatenate([t.period for t in blocks])
    order = np.argsort(period, kind="stable")
    lengths = [len(t.period) for t in blocks]
    codes = {"time_period": period, "grouping": np.repeat(np.arange(len(blocks), dtype="int32"), lengths)}
    for c in question.columns:
        codes[c] = np.concatenate(
            [t.groups.get(c, np.full(n, -1, "int32")) for t, n in zip(blocks, lengths, strict=True)]
        )
    counts = np.concatenate([t.counts for t in blocks])[order].T
    if question.cell_keys:
        counts = np.concatenate([counts, np.concatenate([t.keys for t in blocks])[order].T])
    labels = {"grouping": np.array([t.label for t in blocks], dtype=object)}
    return Counted(area, {c: x[order] for c, x in codes.items()}, values | labels, np.ascontiguousarray(counts))


def _latest_school(columns: Mapping[str, Coded], ids: Any) -> Coded:
    frame = pd.DataFrame({c: columns[c].values[columns[c].codes] for c in ("time_period", "school_urn")})
    latest = with_latest_school(frame.assign(pupil_id=ids.to_pandas()))["latest_school"]
    return Coded(latest.cat.codes.to_numpy().astype("int32"), latest.cat.categories.to_numpy(dtype=object))


def _made_up(columns: Mapping[str, Coded], ids: Any) -> Coded:
    return Coded(pc.starts_with(ids, "S").to_numpy().astype("int32"), np.array([False, True]))


def _mapped(of: str, function: Callable[[NDArray], NDArray]) -> Any:
    """A column worked out from another one, value by value."""

    def made(columns: Mapping[str, Coded], _: Any) -> Coded:
        values, place = np.unique(function(columns[of].values), return_inverse=True)
        return Coded(place.astype("int32")[columns[of].codes], values)

    return made


_DERIVED = {
    "latest_school": _latest_school,
    "made_up": _made_up,
    "special": _mapped("school_phase", lambda v: np.isin(v, ["special", "alternative"])),
    "idaci_quintile": _mapped("idaci_decile", lambda v: (v + 1) // 2),
}


def coded(cells: pa.ChunkedArray) -> Coded:
    """A column, none of whose cells is missing, in codes."""
    kind = kind_of(cells.type)
    if kind == FLAG:
        return Coded(cells.to_numpy().astype("int32"), np.array([False, True]))
    if kind == WHOLE:
        return _coded_numbers(cells.to_numpy())
    cells = cells.combine_chunks()
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    values = cells.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(values, kind="stable")
    codes = cells.indices.to_numpy().astype("int32", copy=False)
    if (order == np.arange(len(order))).all():
        return Coded(codes, values)
    place = np.empty(len(order), "int32")
    place[order] = np.arange(len(order), dtype="int32")
    return Coded(place[codes], values[order])


def _coded_numbers(cells: NDArray) -> Coded:
    low, high = (int(cells.min()), int(cells.max())) if len(cells) else (0, 0)
    if high - low >= MANY_NUMBERS:
        values, place = np.unique(cells, return_inverse=True)
        return Coded(place.astype("int32"), values)
    return Coded(cells.astype("int32") - np.int32(low), np.arange(low, high + 1))
