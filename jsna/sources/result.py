"""What every reader returns: the canonical frame, the quarantine and a summary, never one without the others."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo.result import sha256_of
from jsna.errors import SourceError

QUARANTINE_COLUMNS = ("file", "row", "column", "value", "rule", "mend")


@dataclass(frozen=True)
class Summary:
    """Where a frame came from and what happened to its rows on the way in.

    ``rows_read`` = ``rows_kept`` + ``rows_refused``, always. ``notes`` are sentences for the data chapter: what form
    the file was taken for and why, columns not found, footnotes of the release that bear on the figures.
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
    synthetic: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A source, read: ``frame`` (canonical), ``quarantine`` (one row a refused cell or row) and ``summary``."""

    frame: pd.DataFrame
    quarantine: pd.DataFrame
    summary: Summary

    def __post_init__(self) -> None:
        s = self.summary
        if s.rows_read != s.rows_kept + s.rows_refused:
            raise SourceError(
                f"{s.file}: {s.rows_read} rows were read, but {s.rows_kept} kept and {s.rows_refused} refused "
                "do not add up to that. This is a fault of the reader, not of the file: please report it."
            )
        missing = [c for c in QUARANTINE_COLUMNS if c not in self.quarantine.columns]
        if missing:
            raise SourceError(f"{s.file}: the quarantine lacks the columns {missing}.")


def empty_quarantine() -> pd.DataFrame:
    """A quarantine with nothing in it."""
    return pd.DataFrame({c: pd.Series(dtype="object") for c in QUARANTINE_COLUMNS})


__all__ = ["QUARANTINE_COLUMNS", "Loaded", "Summary", "empty_quarantine", "sha256_of"]
