"""Read a delimited official file as text first, and type it afterwards, so that no code or symbol is lost."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.sources.result import QUARANTINE_COLUMNS

LICENCE = "Open Government Licence v3.0"
SYMBOLS = {
    "z": "z",
    "x": "x",
    ":": "x",
    "c": "c",
    "low": "low",
    "k": "low",
    "~": "low",
    "u": "u",
    "-": "x",
    "": "x",
    "..": "x",
    ".": "x",
}


def read_text(path: Path, member: str | None = None) -> pd.DataFrame:
    """A CSV (plain, gzipped, or ``member`` of a zip) with every cell as text; headers trimmed, BOM dropped.

    A column that stands twice with the same values is taken once; a second with other values keeps a number.
    Raises ``SourceError`` when the file is missing, cut short, or lacks the member.
    """
    try:
        if member is None:
            return _parse(path, path.read_bytes() if path.suffix != ".gz" else _gunzip(path))
        with zipfile.ZipFile(path) as archive:
            names = {Path(n).name: n for n in archive.namelist()}
            if member not in names:
                mend = did_you_mean(member, names)
                raise SourceError(Problem("The zip lacks a table.", where=path.name, value=member, mend=mend))
            return _parse(path, archive.read(names[member]))
    except FileNotFoundError:
        raise SourceError(
            Problem("The file is missing.", where=str(path), mend="Put it there and run again.")
        ) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
    ) as error:
        raise SourceError(
            Problem(
                f"The file cannot be read; it may be cut short ({type(error).__name__}).",
                where=path.name,
                mend="Download it again and compare its size with the publisher's.",
            )
        ) from None


def _gunzip(path: Path) -> bytes:
    import gzip

    return gzip.decompress(path.read_bytes())


def _parse(path: Path, content: bytes) -> pd.DataFrame:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SourceError(Problem("The file is neither UTF-8 nor Windows-1252 text.", where=path.name))
    frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, header=0)
    if frame.empty:
        raise SourceError(Problem("The file has no rows.", where=path.name, mend="Download it again."))
    frame.columns = [" ".join(str(c).split()) for c in frame.columns]
    twice = [c for c in frame.columns if c.endswith(".1") and c[:-2] in frame and frame[c].equals(frame[c[:-2]])]
    return frame.drop(columns=twice)


def need_columns(frame: pd.DataFrame, needed: Sequence[str], where: str) -> None:
    """Raise one ``SourceError`` naming every column that is missing, each with the nearest one found."""
    missing = [c for c in needed if c not in frame]
    if missing:
        raise SourceError(
            *(
                Problem(
                    "A column is missing or was renamed.",
                    where=where,
                    value=c,
                    mend=did_you_mean(c, frame.columns) or "Is this the file that its name says?",
                )
                for c in missing
            )
        )


def to_numbers(frame: pd.DataFrame, columns: Sequence[str], where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``columns`` as floats, official symbols as missing with ``<column>_symbol`` beside them where any occur.

    Returns the frame and a quarantine of cells that are neither number nor symbol: they are missing in the frame,
    marked ``x``, and listed. Nothing becomes 0.
    """
    frame = frame.copy()
    refused = []
    for column in columns:
        text = frame[column].str.strip()
        plain = text.str.replace(",", "", regex=False).str.removesuffix("%")
        values = pd.to_numeric(plain, errors="coerce").astype("float64")
        symbol = text.where(values.isna(), "").map(lambda s: SYMBOLS.get(s, "?") if s != "" else "")
        symbol = symbol.mask(values.isna() & (text == ""), "x")
        strange = symbol == "?"
        if strange.any():
            refused.append(_refused(where, column, text[strange]))
        frame[column] = values
        symbol = symbol.mask(strange, "x")
        if (symbol != "").any():
            frame[f"{column}_symbol"] = symbol
    quarantine = pd.concat(refused, ignore_index=True) if refused else pd.DataFrame(columns=list(QUARANTINE_COLUMNS))
    return frame, quarantine


def _refused(where: str, column: str, cells: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file": where,
            "row": cells.index + 2,
            "column": column,
            "value": cells.to_numpy(),
            "rule": "neither a number nor an official symbol",
            "mend": "Compare the cell with the published file.",
        }
    )
