"""Pupils in parquet files, counted in this process: the embedded engine for many authorities.

Files are read a row group at a time by two threads, each authority counted in codes (``jsna.counts.coded``). Sorted by
authority, a file gives one of them without reading the rest; unsorted, it is slower and as right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from jsna.counts.coded import Coded
from jsna.counts.frames import count_repeats, sealed
from jsna.counts.question import ALWAYS, DERIVED, Question, checked
from jsna.counts.statement import REPEATS
from jsna.engines.areas import Counted, coded, collected, counted_area
from jsna.engines.tidy import TEXT, holes, kind_of, nobody
from jsna.errors import Problem, SourceError
from jsna.files.archive import AGAIN
from jsna.sealed import Sealed

THREADS = 2
# Nearly every row has its own, so that codes would save nothing.
AS_TEXT = ("pupil_id",)
LAST_CODE = "\U0010ffff"
Group = tuple[Path, int]


class ParquetPupils:
    """Parquet files of one pupil table, in the order of their names. ``name`` is what messages call them."""

    kind = "parquet"

    def __init__(self, files: Sequence[Path], name: str, threads: int = THREADS) -> None:
        self.files, self.name, self.threads = files, name, threads

    @cached_property
    def _schemas(self) -> dict[Path, pa.Schema]:
        return {f: _opened(f).schema_arrow for f in self.files}

    @property
    def columns(self) -> list[str]:
        """The columns that the first file has."""
        return self._schemas[self.files[0]].names

    def count(self, question: Question) -> Sealed:
        """The answer to ``question``. Raises ``SourceError`` for a file that cannot be read or is not as the others."""
        return sealed(self._answer(question))

    def repeats(self, area: str) -> Sealed:
        """Counts of the authority's pupils who stand in two censuses."""
        self._check(["la_code", *REPEATS])
        table = self._table(self._groups_of([area]), ["la_code", *REPEATS], [area])
        if not len(table):
            raise nobody(self.name, [area])
        return count_repeats(table.select(list(REPEATS)).to_pandas())

    def _answer(self, question: Question) -> pd.DataFrame:
        if not question.by_area and len(question.areas) != 1:
            mend = "Name one authority, or count each apart."
            raise SourceError(Problem("Parquet files are counted by authority.", self.name, mend=mend))
        needed = self._needed(question)
        # Threads of the matrix library beside our own would only take turns with them.
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(self.threads) as pool:
            whole, divided = self._shared(question.areas, pool)
            tasks = [pool.submit(self._group, [group], areas, needed, question) for group, areas in whole.items()]
            tasks += [pool.submit(self._group, groups, {a}, needed, question) for a, groups in divided.items()]
            try:
                found = sorted((c for task in tasks for c in task.result()), key=lambda c: c.area)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            lacking = sorted(set(question.areas) - {c.area for c in found})
            if lacking or not found:
                raise nobody(self.name, lacking)
            # What reading took goes back before the tables of all areas are laid out.
            pa.default_memory_pool().release_unused()
            return collected(found, question, pool)

    def _needed(self, question: Question) -> list[str]:
        derived = question.derived(self.columns)
        asked = [c for c in [*question.columns, *question.keep, *question.leave_out] if c not in derived]
        asked += [n for c in derived for n in DERIVED[c].needs]
        return self._check(["la_code", *ALWAYS, *asked, *(["pupil_id"] if question.cell_keys else [])])

    def _check(self, columns: Collection[str]) -> list[str]:
        """The columns, in every file of one kind. Raises one ``SourceError`` with all that are not."""
        wanted = list(dict.fromkeys(columns))
        first = self._schemas[self.files[0]]
        problems = []
        for file, schema in self._schemas.items():
            try:
                checked(wanted, schema.names, file.name)
            except SourceError as error:
                problems += error.problems
                continue
            for c in wanted:
                kind, expected = (kind_of(s.field(c).type) if c in s.names else "" for s in (schema, first))
                if not kind or kind != expected:
                    what = "A column is not of the kind that the other files have."
                    found, wanted_kind = str(schema.field(c).type), expected or "text, whole numbers or flags"
                    problems.append(Problem(what, f"{file.name}, column {c}", found, wanted_kind))
        if problems:
            raise SourceError(*problems)
        return wanted

    def _limits(self) -> dict[Group, tuple[str, str]]:
        """The first and the last code of an authority in each row group, as the files say."""
        found = {}
        for file in self.files:
            meta = _opened(file).metadata
            at = self._schemas[file].names.index("la_code")
            for number in range(meta.num_row_groups):
                known = meta.row_group(number).column(at).statistics
                if known is not None and known.has_min_max:
                    found[file, number] = (known.min, known.max)
                else:
                    found[file, number] = ("", LAST_CODE)
        return found

    def _groups_of(self, areas: Collection[str]) -> list[Group]:
        """The row groups that may hold one of ``areas``; of none named, all."""
        return [g for g, (low, high) in self._limits().items() if not areas or any(low <= a <= high for a in areas)]

    def _shared(
        self, areas: Collection[str], pool: ThreadPoolExecutor
    ) -> tuple[dict[Group, Collection[str]], dict[str, list[Group]]]:
        """Which of ``areas`` to count in each row group by itself, and the row groups of those that lie in several.

        Only where the limits of groups meet is it read which authorities they hold.
        """
        limits = {g: v for g, v in self._limits().items() if g in set(self._groups_of(areas))}
        meeting = _meeting(limits)
        held = dict(zip(meeting, pool.map(self._areas_in, meeting), strict=True))
        places: dict[str, list[Group]] = {}
        for group, codes in held.items():
            for area in codes & set(areas) if areas else codes:
                places.setdefault(area, []).append(group)
        divided = {area: groups for area, groups in places.items() if len(groups) > 1}
        alone = {area: groups[0] for area, groups in places.items() if len(groups) == 1}
        whole: dict[Group, Collection[str]] = {g: areas for g in limits if g not in held}
        for area, group in alone.items():
            whole[group] = {*whole.get(group, ()), area}
        return whole, divided

    def _areas_in(self, group: Group) -> set[str]:
        return set(coded(next(iter(self._columns(group, ["la_code"])))[1]).compact().values.tolist())

    def _columns(self, group: Group, columns: Sequence[str]) -> Iterator[tuple[str, pa.ChunkedArray]]:
        """The columns of a row group, one after the other, so that no more than one is held as it was read."""
        file, number = group
        schema = self._schemas[file]
        text = [c for c in columns if c not in AS_TEXT and kind_of(schema.field(c).type) == TEXT]
        with _explained(file):
            reader = pq.ParquetFile(file, read_dictionary=text)
            for c in columns:
                # Row groups are shared out over threads: those of the reader would only wait for each other.
                yield c, reader.read_row_group(number, columns=[c], use_threads=False)[c]

    def _table(self, groups: Sequence[Group], columns: Sequence[str], areas: Collection[str]) -> pa.Table:
        """The rows of ``areas`` in several row groups."""
        tables = []
        for group in groups:
            table = pa.table(dict(self._columns(group, columns)))
            tables.append(table.filter(pc.is_in(table["la_code"].cast("string"), pa.array(sorted(areas)))))
        # Numbers may be of another width in another file.
        return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()

    def _group(self, groups: list[Group], areas: set[str], needed: list[str], question: Question) -> list[Counted]:
        """Each of ``areas`` in one row group, or the one that lies in several, counted."""
        if len(groups) > 1:
            table = self._table(groups, needed, areas)
            parts = zip(table.column_names, table.columns, strict=True)
        else:
            parts = self._columns(groups[0], needed)
        columns, ids = {}, None
        for c, cells in parts:
            if cells.null_count:
                raise holes(f"{self.name}, column {c}")
            if c in AS_TEXT:
                ids = cells
            else:
                columns[c] = coded(cells)
        found = []
        for area, rows in _runs(columns["la_code"]):
            if not areas or area in areas:
                own = {c: col.taken(rows) for c, col in columns.items()}
                found += counted_area(area, own, None if ids is None else _taken(ids, rows), question)
        return found


@contextmanager
def open_parquet(path: Path, threads: int = THREADS) -> Iterator[ParquetPupils]:
    """One parquet file, or all ``*.parquet`` in a folder. Raises ``SourceError`` where there are none."""
    yield ParquetPupils(parquet_files(path), path.name, threads)


def parquet_files(path: Path) -> list[Path]:
    """A file, or the parquet files of a folder by name. Raises ``SourceError`` where there are none."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise SourceError(Problem("There are no parquet files.", where=path.name, mend="Name a file, or their folder."))
    return files


def _meeting(limits: Mapping[Group, tuple[str, str]]) -> list[Group]:
    """The row groups whose limits meet those of another."""
    found: set[Group] = set()
    order = sorted(limits, key=limits.__getitem__)
    furthest = order[0] if order else None
    for group in order[1:]:
        if furthest and limits[group][0] <= limits[furthest][1]:
            found |= {group, furthest}
        furthest = max(furthest, group, key=lambda g: limits[g][1])
    return [g for g in limits if g in found]


def _runs(areas: Coded) -> Iterator[tuple[str, slice | NDArray]]:
    """The rows of each authority: a slice where they lie together."""
    codes = areas.codes
    if not len(codes):
        return
    cuts = np.flatnonzero(np.diff(codes)) + 1
    bounds = [0, *cuts.tolist(), len(codes)]
    if len(bounds) - 1 > len(np.unique(codes[bounds[:-1]])):
        for code in np.unique(codes):
            yield str(areas.values[code]), np.flatnonzero(codes == code)
        return
    for start, stop in pairwise(bounds):
        yield str(areas.values[codes[start]]), slice(start, stop)


def _taken(cells: pa.ChunkedArray, rows: slice | NDArray) -> pa.ChunkedArray:
    return cells.slice(rows.start, rows.stop - rows.start) if isinstance(rows, slice) else cells.take(pa.array(rows))


def _opened(file: Path) -> pq.ParquetFile:
    with _explained(file):
        return pq.ParquetFile(file)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise SourceError(Problem("The file is missing.", where=file.name)) from None
    except (pa.ArrowException, OSError) as error:
        what = f"The file cannot be read ({type(error).__name__}); it may be cut short."
        raise SourceError(Problem(what, where=file.name, mend=AGAIN)) from None
