"""What every reader returns: the canonical frame, the quarantine and a summary, never one without the others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError

QUARANTINE_COLUMNS = ("file", "row", "column", "value", "rule", "mend")


@dataclass(frozen=True)
class Summary:
    """Where a frame came from and what happened to its rows on the way in.

    ``rows_read`` = ``rows_kept`` + ``rows_refused``, always. ``notes`` are sentences for the data chapter: what form
    the file was taken for and why, columns not found, footnotes of the release that bear on the figures. ``kind`` and
    ``vintage`` say which places a file of places holds, and of which year.
    """

    source: str
    file: str
    period: str
    rows_read: int
    rows_kept: int
    rows_refused: int
    sha256: str = ""
    publisher: str = ""
    licence: str = ""
    kind: str = ""
    vintage: str = ""
    synthetic: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Loaded:
    """A source, read: ``frame`` (canonical), ``quarantine`` (one row a refused row or cell) and ``summary``.

    It displays as its name and the number of its rows: rows of children do not belong on a screen.
    """

    frame: pd.DataFrame
    quarantine: pd.DataFrame
    summary: Summary

    def __post_init__(self) -> None:
        s = self.summary
        if s.rows_read != s.rows_kept + s.rows_refused or len(self.frame) != s.rows_kept:
            raise SourceError(
                f"{s.file}: {s.rows_read} rows were read, {s.rows_kept} kept and {s.rows_refused} refused, and the "
                f"frame has {len(self.frame)}: this does not add up. It is a fault of the reader, not of the file: "
                "please report it."
            )
        missing = [c for c in QUARANTINE_COLUMNS if c not in self.quarantine.columns]
        if missing:
            raise SourceError(f"{s.file}: the quarantine lacks the columns {missing}.")

    def __repr__(self) -> str:
        return f"{self.summary.source}, {self.summary.file}: {len(self.frame):,} rows, not shown."


def refused(
    file: str, rows: Iterable[int], column: str, values: Iterable[object], rule: str, mend: str
) -> pd.DataFrame:
    """Rows or cells refused, in the columns of a quarantine; ``row`` counts from 1 as a spreadsheet shows it."""
    rows = list(rows)
    if not rows:
        return together([])
    return pd.DataFrame(
        {"file": file, "row": rows, "column": column, "value": list(values), "rule": rule, "mend": mend},
        columns=list(QUARANTINE_COLUMNS),
    )


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts of a quarantine as one, in the order of the file; with no parts, an empty one with the right columns."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(QUARANTINE_COLUMNS), dtype="object")
    both = pd.concat(parts, ignore_index=True)
    return both.sort_values(["file", "row", "column"], kind="stable", ignore_index=True)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hex digits, read in pieces so that size does not matter.

    Raises ``SourceError`` when the file has gone or been locked since it was read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        what = f"The file cannot be read again ({type(error).__name__})."
        raise SourceError(Problem(what, where=path.name, mend="Leave it in its place, and run again.")) from None
