"""What the publisher sent, made into the file that the readers look for. No value is changed, only names and form."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.fetch.catalogue import Entry, NomisTable
from jsna.fetch.checks import positions, table
from jsna.fetch.nomis import read_member
from jsna.fetch.received import Received


def make(entry: Entry, received: Received, target: Path) -> Path:
    """The file for the readers: the received one where it has that form already, otherwise ``target``, written anew.

    A CSV is written anew only when the readers want other names: then it holds the entry's columns and no others.
    """
    if received.finished:
        return received.path
    if isinstance(entry, NomisTable):
        return _written(read_member(received.path, entry), target)
    if entry.form == "csv" and any(theirs != ours for theirs, ours in entry.columns.items()):
        frame = table(received.path.read_bytes(), entry.where)
        found = positions(entry.columns, list(frame.columns), entry.where)
        own = frame[list(found.values())].set_axis(list(entry.columns.values()), axis="columns")
        return _written(own, target)
    return received.path


def _written(frame: pd.DataFrame, target: Path) -> Path:
    frame.to_csv(target, index=False, encoding="utf-8", lineterminator="\n")
    return target
