"""What in a text could tell who somebody is: patterns as data (``identifying.yml``), tried on whole columns."""

from __future__ import annotations

from functools import cache

import pandas as pd

from jsna.files.packaged import packaged_yaml


@cache
def patterns() -> dict[str, str]:
    """Each kind of telling words, and the pattern that finds it."""
    return packaged_yaml("jsna.sources.extracts", "identifying.yml")


def tells_who(text: pd.Series) -> pd.Series:
    """Whether each text holds what could tell who it is: no promise that the others do not.

    A name by itself cannot be told from another word at the head of a sentence; hence a person has to read each quote.

    >>> tells_who(pd.Series(["My son Adam waits.", "Ring 01582 000000.", "We waited a year."])).tolist()
    [True, True, False]
    """
    found = pd.Series(False, index=text.index)
    for pattern in patterns().values():
        found |= text.astype("str").str.contains(pattern, regex=True)
    return found
