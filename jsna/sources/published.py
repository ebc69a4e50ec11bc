"""What published tables share: their licence, parquet files, and figures with official symbols beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import refused, together
from jsna.files.values import numbers

LICENCE = "Open Government Licence v3.0"


def to_numbers(frame: pd.DataFrame, columns: Sequence[str], where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``columns`` as floats, official symbols as missing with ``<column>_symbol`` beside them where any occur.

    Returns the frame and a quarantine of cells that are neither number nor symbol: they are missing in the frame,
    marked ``x``, and listed. Nothing becomes 0. The index of ``frame`` is the file's row.
    """
    frame, parts = frame.copy(), []
    for column in columns:
        cells = frame[column]
        frame[column], symbol, strange = numbers(cells)
        if (symbol != "").any():
            frame[f"{column}_symbol"] = symbol
        rule, mend = "neither a number nor an official symbol", "Compare the cell with the published file."
        parts.append(refused(where, cells.index[strange], column, cells[strange], rule, mend))
    return frame, together(parts)


def read_parquet(path: Path) -> pd.DataFrame:
    """A parquet file as it stands. Raises ``SourceError`` when it is missing or damaged."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise SourceError(Problem("The file is missing.", where=path.name)) from None
    except (OSError, ValueError) as error:
        what = f"The file is not readable as parquet ({type(error).__name__})."
        raise SourceError(Problem(what, where=path.name, mend="Download it again.")) from None
