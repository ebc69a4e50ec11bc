"""Do the persons of one source stand in another? A key that differs, or a file of another area, shows here."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from jsna.check.pupils import limits
from jsna.files.result import Loaded

PERSON = "person_id"


def unmatched(pupils: pd.DataFrame, sources: Sequence[Loaded]) -> pd.DataFrame:
    """For each source with persons, how many of them are in no census at hand: source, persons, missing, share.

    Persons without a pseudonym are left out. Some are lawfully in no school census: under three, over sixteen, or at
    school elsewhere.
    """
    known, rows = set(pupils["pupil_id"]), []
    for source in sources:
        if PERSON not in source.frame:
            continue
        persons = pd.Series(source.frame[PERSON].astype("str").unique())
        persons = persons[persons != ""]
        if len(persons):
            missing = int((~persons.isin(known)).sum())
            rows.append((f"{source.summary.source} ({source.summary.file})", len(persons), missing))
    table = pd.DataFrame(rows, columns=["source", "persons", "missing"])
    return table.assign(share=table["missing"] / table["persons"])


def join_findings(pupils: pd.DataFrame, sources: Sequence[Loaded]) -> pd.DataFrame:
    """Sources of which too many persons are in no census, as findings."""
    table = unmatched(pupils, sources)
    rows = [
        {
            "check": "persons not met",
            "severity": "error" if row.share >= limits()["strangers"] else "look",
            "column": PERSON,
            "count": row.missing,
            "sentence": f"{row.source}: {row.missing:,} of {row.persons:,} persons are in no census at hand.",
            "mend": (
                "Was it made with another key, or is it another area's?"
                if row.share >= limits()["strangers"]
                else "Too young, too old, or at school elsewhere? Figures that join to the census leave them out."
            ),
        }
        for row in table[table["share"] >= limits()["unmatched"]].itertuples()
    ]
    return pd.DataFrame(rows, columns=["check", "severity", "column", "count", "sentence", "mend"])
