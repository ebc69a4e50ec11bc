"""How tables reach the disk: the same tables give the same bytes, whatever the clock or the computer says."""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Tables = dict[str, pd.DataFrame]
Row = Sequence[object]

STAMP = "2026-02-01T09:00:00"
_ZIP_TIME = (2026, 2, 1, 9, 0, 0)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def words(text: str) -> list[str]:
    """The words of a text with blanks between them: lists of names are kept so."""
    return text.split()


def write_csv(frame: pd.DataFrame, path: Path, *, append: bool = False) -> Path:
    """One table as UTF-8, comma, one line a row; with ``append`` below what is there, without a heading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "a" if append else "w"
    frame.to_csv(path, index=False, header=not append, mode=mode, lineterminator="\n", encoding="utf-8")
    return path


def write_text(pieces: Iterable[str], path: Path, *, append: bool = False) -> Path:
    """Pieces of text one after the other, as they come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8", newline="") as stream:
        stream.writelines(pieces)
    return path


def write_workbook(sheets: Mapping[str, Iterable[Row]], path: Path, hidden: Iterable[int] = ()) -> Path:
    """Rows by sheet as an xlsx workbook whose own times are fixed; ``hidden`` rows count from 1."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in hidden:
            sheet.row_dimensions[row].hidden = True
        for row in rows:
            sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(without_times(made.getvalue()))
    return path


def without_times(workbook: bytes) -> bytes:
    """The bytes of an xlsx workbook with all its times set to one moment."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*", rb"\g<1>" + STAMP.encode() + b"Z", content)
            new.writestr(zipfile.ZipInfo(item.filename, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def respelt_dates(column: pd.Series, spelling: str) -> pd.Series:
    """ISO dates of a column spelt as ``blade`` (2015-Mar-04 00:00:00), ``british`` (04/03/2015) or ``iso``.

    What is not an ISO date stays as it is, so that a planted defect survives the carrier.

    >>> respelt_dates(pd.Series(["2015-03-04", "", "42067"]), "blade").tolist()
    ['2015-Mar-04 00:00:00', '', '42067']
    """
    if spelling == "iso":
        return column
    shape = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d:\d\d))?")
    spelt = {}
    for text in column.unique():
        found = shape.fullmatch(text)
        if found and spelling == "blade":
            spelt[text] = f"{found[1]}-{MONTHS[int(found[2]) - 1]}-{found[3]} {found[4] or '00:00:00'}"
        elif found:
            spelt[text] = f"{found[3]}/{found[2]}/{found[1]}"
    return column.map(lambda text: spelt.get(text, text)).astype("str")


def elements(frame: pd.DataFrame, names: Iterable[tuple[str, str]]) -> NDArray:
    """For each row its columns as XML elements in a row, given as (element, column); what is empty is left out.

    Each distinct value is made an element once: most columns hold a few codes.
    """
    text = np.full(len(frame), "", dtype=object)
    for element, column in names:
        if column in frame:
            at, values = pd.factorize(frame[column].to_numpy(object))
            escaped = np.array([escape(v) for v in values], dtype=object)
            text = text + element_of(element, escaped)[at]
    return text


def element_of(name: str, content: NDArray) -> NDArray:
    """Each content within an element of this name; no element where there is no content."""
    return np.where(content == "", "", f"<{name}>" + content + f"</{name}>").astype(object)


def children_of(parents: pd.Series, key: pd.Series, text: NDArray) -> NDArray:
    """For each parent the texts of its children, in their order, put together; "" for a parent without any."""
    children: dict[str, list[str]] = defaultdict(list)
    for parent, one in zip(key, text, strict=True):
        children[parent].append(one)
    return np.array(["".join(children.get(parent, ())) for parent in parents], dtype=object)
