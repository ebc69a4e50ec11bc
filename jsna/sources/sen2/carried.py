"""What each carrier hands on: the nine tables as text, under the layout's names, with ids that link them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from jsna.files.result import together
from jsna.files.values import tidy, without_decimal_zero
from jsna.sources.sen2.layout import layout, tables

ID, PARENT = "_id", "_parent"


@dataclass(frozen=True)
class Part:
    """One table as it came: ``frame`` is text with ``_id`` and ``_parent``, its index the row in the source."""

    frame: pd.DataFrame
    where: str
    rows_read: int
    quarantine: pd.DataFrame = field(default_factory=lambda: together([]))


@dataclass(frozen=True)
class Carried:
    """A whole return as text. ``missing`` are tables that the carrier should have and has not; ``strange`` are
    headings or elements that are not known, with their table; ``reason`` says why the form was taken for this one."""

    form: str
    reason: str
    parts: Mapping[str, Part]
    missing: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    # Tables that this form cannot have, so that their absence is no fault of the file.
    never: tuple[str, ...] = ()


def empty(name: str) -> pd.DataFrame:
    """A table without rows, as a carrier that has not got it hands it on."""
    return pd.DataFrame({c: pd.Series(dtype="str") for c in (*tables()[name].columns, ID, PARENT)})


def ids(text: pd.Series) -> pd.Series:
    """Ids as they are compared: trimmed, without a decimal nought that a spreadsheet added.

    >>> ids(pd.Series(["12.0", " 12", "NULL"])).tolist()
    ['12', '12', '']
    """
    return without_decimal_zero(tidy(text))


# Which ids of person and request make up a row's own id, and its parent's, in carriers without ids of their own.
_OWN = {"person": "person", "requests": "both", "assessment": "both", "namedplan": "both", "activeplans": "both"}
_PARENT = {"person": "none", "requests": "person"}


def link_by_person_and_request(parts: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables with ``_person`` and ``_request`` (text, where the carrier has them) as tables with own and parent id."""
    linked = {}
    for name, frame in parts.items():
        blank = pd.Series("", index=frame.index, dtype="str")
        person, request = (ids(frame[c]) if c in frame else blank for c in ("_person", "_request"))
        made = {"person": person, "both": person + "|" + request, "none": blank}
        running = pd.Series([str(n) for n in range(1, len(frame) + 1)], index=frame.index, dtype="str")
        own = made.get(_OWN.get(name, ""), running)
        own = own.mask(request == "", "") if _OWN.get(name) == "both" else own
        parent = made[_PARENT.get(name, "both")]
        linked[name] = frame.drop(columns=["_person", "_request"], errors="ignore").assign(**{ID: own, PARENT: parent})
    return linked


def wide_aliases(name: str) -> dict[str, Sequence[str]]:
    """The spellings of a table's columns, with those of the ids of person and request."""
    spec = layout()["wide_ids"]
    return {**tables()[name].aliases, "_person": spec["person"], "_request": spec["request"]}
