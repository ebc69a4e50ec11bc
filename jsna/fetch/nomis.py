"""Bulk tables of the Census 2021 from Nomis: one CSV of a zip, in wide form, made into what the readers want."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.errors import Problem
from jsna.fetch.catalogue import NomisTable
from jsna.fetch.checks import census_table
from jsna.fetch.errors import SchemaError


def bulk_path(entry: NomisTable) -> str:
    """Where the zip of a table stands under the service's address.

    Table TS007B is at ``output/census/2021/census2021-ts007b.zip``.
    """
    return f"output/census/2021/census2021-{entry.table}.zip"


def read_member(path: Path, entry: NomisTable) -> pd.DataFrame:
    """The entry's table of a Nomis zip as text, under the readers' names where it is made long.

    Long form has one row an area and category, in the order of the file, without dates and totals. Raises
    ``SchemaError`` when columns or categories are gone.
    """
    frame, found = census_table(path, entry)
    if entry.long is None:
        return frame
    own = list(found.values())
    # Categories carry the topic before a colon; a date is no category, and a total is no part.
    counted = [c for c in frame.columns if c not in own and ":" in c and "total" not in c.casefold()]
    if not counted:
        what = "No columns of counts were found (their names have a colon)."
        mend = "Is it the table that its name says? Compare it with the publisher's page."
        raise SchemaError(Problem(what, where=entry.where, value=list(frame.columns)[:6], mend=mend))
    name, value = entry.long
    long = frame.melt(own, counted, var_name=name, value_name=value, ignore_index=False).sort_index(kind="stable")
    long[name] = long[name].str.rpartition(": ")[2].str.strip()
    return long.rename(columns={theirs: entry.columns[key] for key, theirs in found.items()})
