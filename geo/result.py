"""What every reader of this room returns: the frame, the rows put aside, and a summary that adds up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.errors import PlaceError

ASIDE_COLUMNS = ("file", "row", "column", "value", "rule", "mend")


@dataclass(frozen=True)
class Summary:
    """Where a frame came from: ``rows_read`` = ``rows_kept`` + ``rows_refused``, always; ``notes`` are sentences."""

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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A file, read: canonical ``frame``, ``set_aside`` (one row a refused row or cell) and ``summary``."""

    frame: pd.DataFrame
    set_aside: pd.DataFrame
    summary: Summary

    def __post_init__(self) -> None:
        s = self.summary
        if s.rows_read != s.rows_kept + s.rows_refused or len(self.frame) != s.rows_kept:
            raise PlaceError(
                f"{s.file}: {s.rows_read} rows were read, {s.rows_kept} kept and {s.rows_refused} put aside, "
                f"and the frame has {len(self.frame)}: this does not add up. It is a fault of the reader, "
                "not of the file: please report it."
            )


def aside(file: str, rows: Sequence[int], column: str, values: Sequence[object], rule: str, mend: str) -> pd.DataFrame:
    """Rows put aside, in the columns ``file, row, column, value, rule, mend``; ``row`` counts from 1 as in the file."""
    return pd.DataFrame(
        {"file": file, "row": list(rows), "column": column, "value": list(values), "rule": rule, "mend": mend},
        columns=list(ASIDE_COLUMNS),
    )


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The parts as one frame; with no parts, an empty one with the right columns."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype="object") for c in ASIDE_COLUMNS})
    return pd.concat(parts, ignore_index=True).sort_values(["row", "column"], kind="stable", ignore_index=True)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hex digits, read in pieces so that size does not matter."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
