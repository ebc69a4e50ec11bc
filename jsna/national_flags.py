"""Flags of every authority: who is identified more, or less, often than others, authority by authority."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from jsna.codes import code_list
from jsna.counts import COUNTS
from jsna.counts.frames import REPEATED
from jsna.counts.question import Question
from jsna.disclosure import Policy
from jsna.disproportionality import flags
from jsna.disproportionality.rule import FLAGGED, NOT_SHOWN
from jsna.engines import Engine, count_area, open_engine, repeats_of_area
from jsna.engines.tidy import MissingCellsError, NobodyError
from jsna.errors import MeasureError, Problem, SourceError, WorkbenchError, did_you_mean
from jsna.evidence.comparison import dimension
from jsna.evidence.fairness import ALL_OUTCOMES, adjusters_of, asked, floors_of
from jsna.refresh.aside import put_aside
from jsna.refresh.pool import ended
from jsna.sealed import Sealed

DIMENSIONS = ("ethnicity", "language_group", "sex", "idaci_quintile")
NAMES = ("la_code", "dimension", "outcome", "group", "known")
LINES = ("crude", "age_and_sex", "adjusted", "pooled")
COUNTED, REPEATS = "counted", "repeats"
Made = TypeVar("Made")
FIGURES = (*(f"{line}_{part}" for line in LINES for part in ("risk_ratio", "lower", "upper")), "q_value")


@dataclass(frozen=True)
class NationalFlags:
    """``table``: a row an authority, dimension, outcome and group; ``problems``: who was not made, and why."""

    table: pd.DataFrame
    problems: tuple[tuple[str, str], ...]

    @property
    def flagged(self) -> int:
        """How many groups are over- or under-identified, over all authorities, dimensions and outcomes."""
        return int(self.table["status"].isin(FLAGGED).sum())


@dataclass(frozen=True)
class _Asked:
    """Where pupils are counted, and what is asked of each authority."""

    kind: str
    address: str
    table: str
    password_env: str
    password_file: str
    dimensions: tuple[str, ...]
    outcomes: tuple[str, ...]
    confidence: float


def national_flags(
    kind: str,
    address: str,
    table: str = "",
    *,
    areas: Sequence[str] = (),
    dimensions: Sequence[str] = DIMENSIONS,
    outcomes: Sequence[str] = ALL_OUTCOMES,
    jobs: int = 2,
    confidence: float = 0.95,
    password_env: str = "",
    password_file: str = "",
) -> NationalFlags:
    """In which authorities is which group identified more, or less, often than all others there?

    ``kind``, ``address``, ``table`` and the password: the pupils, as in ``jsna.engines.open_engine``. ``areas``: codes
    of authorities (default: all in force). Each is judged by itself, from counts of its own pupils by latest school,
    group, sex, year group and fifth of deprivation, by ``jsna.disproportionality.flags`` as the chapters call it: a
    group against all others, adjusted, clustered by school, with pupils who stand in several censuses allowed for.
    ``jobs`` processes work side by side, each with a connection of its own; a Spark, which is started once in this
    process, counts for all of them, and its counts lie aside for their owner alone until they are used. The answer is
    the same with any number of processes, and from every engine.

    The table has a row an authority, dimension, outcome and group, in the order in which they were asked for: la_code,
    dimension, outcome, group (its code), known; ``crude_``, ``age_and_sex_``, ``adjusted_`` and ``pooled_`` with
    risk_ratio, lower and upper (ratios, limits at ``confidence``); q_value (0 to 1); status and reasons, as ``flags``
    has them. One outcome of one dimension in one authority is a family: q-values do not allow for 153 authorities, so a
    few of the groups that are flagged will be wrong.

    **For the analyst's own eyes.** The table holds no number of pupils, and where fewer pupils are identified (or are
    not) than the default policy's threshold, or the group is under its smallest denominator, in the latest census, the
    figures are missing and the status is ``not shown``. That is no protection against what can be worked out from
    several rows: nothing of it may be published but through a pack.

    An authority that cannot be made (no pupils, missing cells, all in one school, a damaged part of a file) is named in
    ``problems`` with the reason, and the others are made. Raises ``SourceError``, with nothing half done, where pupils
    cannot be counted anywhere (no such file or table, a file whose end is damaged, so that nobody knows whose pupils it
    holds; a server or a Spark that refuses, or is lost in the middle), and for dimensions, outcomes and authorities
    that do not exist; ``MeasureError`` for a number of ``jobs`` under 1.
    When not to use: to rank authorities by their ratios, or as evidence of why groups differ.
    """
    codes = _checked(areas, dimensions, outcomes, jobs)
    told = _Asked(
        kind, address, table, password_env, password_file, tuple(dimensions), tuple(outcomes), float(confidence)
    )
    made = dict(_alone(told, codes) if jobs == 1 or len(codes) == 1 else _side_by_side(told, codes, jobs))
    tables = [made[code] for code in codes if isinstance(made[code], pd.DataFrame)]
    problems = tuple((code, str(made[code])) for code in codes if not isinstance(made[code], pd.DataFrame))
    if not tables:
        raise SourceError(Problem("No authority could be made."), *(Problem(why) for why in _each(problems)))
    return NationalFlags(pd.concat(tables, ignore_index=True), problems)


def _each(problems: Sequence[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(why for _, why in problems))


def _checked(areas: Sequence[str], dimensions: Sequence[str], outcomes: Sequence[str], jobs: int) -> list[str]:
    """The authorities, each once. Raises with everything that is not as it should be."""
    known = list(code_list("local_authority").index)
    lists = (("areas", areas, known), ("dimensions", dimensions, DIMENSIONS), ("outcomes", outcomes, ALL_OUTCOMES))
    wrong = [
        Problem("There is no such name.", name, value, mend=did_you_mean(value, allowed))
        for name, asked_for, allowed in lists
        for value in asked_for
        if value not in allowed
    ]
    wrong += [Problem("None is named.", name) for name, asked_for, _ in lists[1:] if not len(asked_for)]
    if wrong:
        raise SourceError(*wrong)
    if jobs < 1:
        raise MeasureError(Problem("Not a number of processes.", "jobs", jobs, "1 or more"))
    return list(dict.fromkeys(areas)) or known


def _opened(told: _Asked):
    return open_engine(
        told.kind, told.address, told.table, password_env=told.password_env, password_file=told.password_file
    )


def _alone(told: _Asked, codes: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame | str]]:
    with _opened(told) as engine:
        # A part that nobody could open is found here, before any work.
        _ = engine.columns
        yield from ((code, _made(engine, told, code)) for code in codes)


def _side_by_side(told: _Asked, codes: Sequence[str], jobs: int) -> Iterator[tuple[str, pd.DataFrame | str]]:
    context = multiprocessing.get_context("spawn")
    left = set(codes)
    try:
        with ended(ProcessPoolExecutor(min(jobs, len(codes)), context, _start)) as pool, put_aside() as folder:
            tasks = _given(told, codes, pool, folder)
            for task in as_completed(tasks):
                yield tasks[task], task.result()
                left.discard(tasks[task])
    except BrokenProcessPool:
        why = Problem("A process was ended from outside.", mend="Run again with jobs=1, which needs less memory.")
        yield from ((code, str(why)) for code in left)


def _given(told: _Asked, codes: Sequence[str], pool: Executor, folder: Path) -> dict[Future, str]:
    """Each authority, handed to a process. A Spark is started once, and so counts from here; others count there."""
    with _opened(told) as engine:
        _ = engine.columns
        if told.kind == "spark":
            return {_judging(engine, told, code, pool, folder): code for code in codes}
    return {pool.submit(_made_in_worker, told, code): code for code in codes}


def _start() -> None:
    # The call itself hears Ctrl-C and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _made_in_worker(told: _Asked, code: str) -> pd.DataFrame | str:
    with _opened(told) as engine:
        return _made(engine, told, code)


def _made(engine: Engine, told: _Asked, code: str) -> pd.DataFrame | str:
    """The rows of one authority, or why there are none."""
    return _or_why(told, lambda: _flags_of_area(told, code, *_counts(engine, told, code)))


def _judging(engine: Engine, told: _Asked, code: str, pool: Executor, folder: Path) -> Future:
    """Counts of one authority, put aside for the process that judges them; or why there are none."""

    def put() -> Path:
        place = folder / code
        place.mkdir()
        for name, counts in zip((COUNTED, REPEATS), _counts(engine, told, code), strict=True):
            counts.unseal("to hand it to the process that flags groups").to_parquet(place / name, index=False)
        return place

    place = _or_why(told, put)
    return pool.submit(str, place) if isinstance(place, str) else pool.submit(_judged_in_worker, told, code, place)


def _judged_in_worker(told: _Asked, code: str, place: Path) -> pd.DataFrame | str:
    def judged() -> pd.DataFrame:
        counts = (Sealed(pd.read_parquet(place / n), counts=c) for n, c in ((COUNTED, COUNTS), (REPEATS, REPEATED)))
        return _flags_of_area(told, code, *counts)

    return _or_why(told, judged)


def _or_why(told: _Asked, make: Callable[[], Made]) -> Made | str:
    """What is made of one authority, or why it is not, in words that hold no data.

    Raises ``SourceError`` where a server or a Spark itself fails, as it would for the others; of parquet files each
    part can be damaged by itself.
    """
    from threadpoolctl import threadpool_limits

    try:
        # Processes side by side share the cores out already.
        with threadpool_limits(1, user_api="blas"):
            return make()
    except (NobodyError, MissingCellsError) as error:
        return str(error)
    except WorkbenchError as error:
        if isinstance(error, SourceError) and told.kind != "parquet":
            raise
        return str(error)
    except Exception as error:  # a fault of one authority's figures must not take the others with it
        return f"unexpected fault of kind {type(error).__name__}; see docs/faults.md"


def _groupings(told: _Asked) -> dict[str, tuple[str, ...]]:
    return {by: ("latest_school", "special", by, *sum(adjusters_of(by), ())) for by in told.dimensions}


def _counts(engine: Engine, told: _Asked, code: str) -> tuple[Sealed, Sealed]:
    """All that is asked of the engine for one authority."""
    return count_area(engine, code, *_groupings(told).values()), repeats_of_area(engine, code)


def _flags_of_area(told: _Asked, code: str, counts: Sealed, repeats: Sealed) -> pd.DataFrame:
    groupings = _groupings(told)
    counted = counts.unseal("to flag groups of one authority")
    schools, periods = counted["latest_school"].nunique(), counted["time_period"].nunique()
    if schools < 2:
        what = "All pupils are in one school: groups cannot be compared allowing for differences between schools."
        raise MeasureError(Problem(what, mend="Leave the authority out, or look at the school's own figures."))
    floors = floors_of(repeats, told.outcomes, periods)
    question = Question(tuple(groupings.values()))
    tables = []
    for by, grouping in groupings.items():
        part = counted[counted["grouping"] == question.label(grouping)].reset_index(drop=True)
        cells = Sealed(part[["time_period", *grouping, *COUNTS]], counts=COUNTS)
        demographic, deprivation = adjusters_of(by)
        frame, columns = asked(cells, dimension(by), demographic=demographic, deprivation=deprivation)
        chosen = {"repetition": floors, "confidence": told.confidence, "every_check": False}
        found = flags(frame, outcomes=told.outcomes, **chosen, **columns)
        tables.append(_without_small(found.table.assign(la_code=code, dimension=by)))
    return pd.concat(tables, ignore_index=True)


def _without_small(table: pd.DataFrame) -> pd.DataFrame:
    """The table without numbers of pupils, and without the figures of few."""
    policy = Policy()
    identified, others = table["numerator"], table["denominator"] - table["numerator"]
    few = (np.minimum(identified, others) < policy.threshold) | (table["denominator"] < policy.minimum_denominator)
    shown = table[[*NAMES, *FIGURES, "status", "reasons"]].copy()
    shown.loc[few, list(FIGURES)] = np.nan
    shown.loc[few, ["status", "reasons"]] = [NOT_SHOWN, "hidden"]
    return shown
