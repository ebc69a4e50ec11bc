"""What the measures from local extracts share: limits, words, and adding up by group.

Sums come in rows of one measure and group: the columns of ``by``, ``measure``, ``numerator``, ``denominator``; a group
without anybody in the denominator has no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from jsna.errors import MeasureError, Problem
from jsna.files.packaged import packaged_yaml
from jsna.sealed import Sealed

COUNTS = ("numerator", "denominator")
Pair = tuple[pd.Series, pd.Series]


def words() -> dict[str, tuple[str, str]]:
    """``{measure: (numerator, denominator)}`` in words.

    >>> words()["persistently_absent"]
    ('enrolments that missed 10% or more', 'enrolments')
    """
    return {measure: tuple(pair) for measure, pair in data()["measures"].items()}


def limit(name: str) -> Any:
    """A limit of law or of a publication, from ``operational.yml``.

    >>> limit("plan_days")
    140
    """
    return data()["limits"][name]["value"]


def join_groups(rows: pd.DataFrame, pupils: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """``rows`` of an extract with ``columns`` as the pupil table has them for the same person.

    ``pupils`` has one row a ``pupil_id`` (one census). A person who is not in it keeps what the extract says, or ""
    when it says nothing; ``in_census`` tells the two apart. Raises ``MeasureError`` when a pupil stands in
    several rows.
    """
    if pupils["pupil_id"].duplicated().any():
        raise MeasureError(Problem("The pupil table has several rows for a pupil.", mend="Take one census."))
    at = pd.Index(pupils["pupil_id"].astype(object)).get_indexer(rows["person_id"].astype(object))
    found = at >= 0
    joined = rows.assign(in_census=found)
    for column in columns:
        own = rows[column] if column in rows else pd.Series("", index=rows.index)
        there = pupils[column].astype(object).to_numpy()[at] if len(pupils) else own
        joined[column] = pd.Series(there, rows.index, object).where(found, own.astype(object)).fillna("").astype("str")
    return joined


def in_year(dates: pd.Series, year: int) -> pd.Series:
    """Dates of a calendar year; a missing one is of none."""
    return dates.dt.year == year


def yes(flags: pd.Series) -> pd.Series:
    """Flags that are set; a missing one is not."""
    return flags.astype("boolean").fillna(False).astype(bool)


def as_at_of(frame: pd.DataFrame, given: pd.Timestamp | None) -> pd.Timestamp:
    """The day given, else the newest ``extract_date``. Raises ``MeasureError`` when there is neither."""
    if given is not None:
        return given
    drawn = frame["extract_date"].dropna() if "extract_date" in frame else pd.Series(dtype="datetime64[us]")
    if drawn.empty:
        raise MeasureError(
            Problem(
                "The extract does not say on which day it was drawn, so what is open or overdue cannot be told.",
                where="extract_date",
                mend="Add the column to the extract, or give as_at.",
            )
        )
    return drawn.max()


def need_columns(frame: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise ``MeasureError`` naming the columns of ``by`` that the frame lacks."""
    lost = [column for column in by if column not in frame]
    if lost:
        raise MeasureError(
            Problem(
                "The rows lack a column to group by.",
                where="by",
                value=", ".join(lost),
                mend="Add it to the extract, or take it from the census with join_groups.",
            )
        )


def sealed(frame: pd.DataFrame, by: Sequence[str], measures: Mapping[str, Pair]) -> Sealed:
    """As ``counted``, in the wrapper that shows nothing."""
    return Sealed(counted(frame, by, measures), counts=COUNTS)


def counted(frame: pd.DataFrame, by: Sequence[str], measures: Mapping[str, Pair]) -> pd.DataFrame:
    """Numerators and denominators (yes and no, or numbers) added up by group; one row a measure and group."""
    return sums(frame, by, measures).round({c: 6 for c in COUNTS}).astype(dict.fromkeys(COUNTS, "int64"))


def sums(frame: pd.DataFrame, by: Sequence[str], measures: Mapping[str, Pair]) -> pd.DataFrame:
    """As ``counted``, with fractions: for weights."""
    need_columns(frame, by)
    parts = []
    for name, (numerator, denominator) in measures.items():
        numbers = pd.DataFrame({"numerator": numerator.astype("float64"), "denominator": denominator.astype("float64")})
        if by:
            total = numbers.groupby([frame[c] for c in by], dropna=False, observed=True).sum().reset_index()
        else:
            total = numbers.sum().to_frame().T
        parts.append(total[total["denominator"] > 0].assign(measure=name))
    return pd.concat(parts, ignore_index=True)[[*by, "measure", *COUNTS]]


def sizes(frame: pd.DataFrame, by: Sequence[str], weight: pd.Series | None = None) -> pd.DataFrame:
    """How many rows (or units of ``weight``) each group has: the columns of ``by`` and ``n``."""
    need_columns(frame, by)
    amount = pd.Series(1, index=frame.index) if weight is None else weight.fillna(0).astype("int64")
    if not by:
        return pd.DataFrame({"n": [int(amount.sum())]})
    keys = [frame[c].astype("str") for c in by]
    return amount.groupby(keys, observed=True).sum().rename("n").reset_index()


def beside(numbers: Mapping[str, pd.DataFrame], base: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Numbers of events beside the population of their group; a group that only one side has gets 0 on the other."""
    parts = []
    for measure, size in numbers.items():
        both = (
            base.merge(size, on=list(by), how="outer", suffixes=("_base", ""))
            if by
            else pd.concat([base.rename(columns={"n": "n_base"}), size], axis="columns")
        )
        both = both.rename(columns={"n": "numerator", "n_base": "denominator"}).fillna(dict.fromkeys(COUNTS, 0))
        parts.append(both.assign(measure=measure).astype(dict.fromkeys(COUNTS, "int64")))
    return pd.concat(parts, ignore_index=True)[[*by, "measure", *COUNTS]]


@cache
def data() -> dict[str, Any]:
    """The limits, modules and words of ``operational.yml``."""
    return packaged_yaml("jsna.evidence.operational", "operational.yml")
