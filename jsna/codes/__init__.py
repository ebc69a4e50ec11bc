"""Official code lists, kept as data with validity dates beside this file.

A list is read once, every column as text, and handed out as a copy-safe frame indexed by code. A change of law or of a
list is a change of a CSV file, never of code.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from jsna.errors import CodeListError, Problem, did_you_mean

LISTS = (
    "ethnicity",
    "ethnicity_detailed",
    "language",
    "language_group",
    "local_authority",
    "need",
    "outcome",
    "school_phase",
    "sen_provision",
    "sex",
    "year_group",
)


@cache
def _read(name: str) -> pd.DataFrame:
    with files("jsna.codes").joinpath(f"{name}.csv").open("rb") as stream:
        return pd.read_csv(stream, dtype="str", keep_default_na=False)


def code_list(name: str) -> pd.DataFrame:
    """The code list ``name``, one row a code, in the order of the file; every column is text.

    Raises ``CodeListError`` for a list that does not exist.

    >>> code_list("sen_provision").loc["K", "plain"]
    'SEN support'
    """
    if name not in LISTS:
        raise CodeListError(Problem("There is no such code list.", value=name, expected=", ".join(LISTS)))
    frame = _read(name)
    if "valid_to" in frame:
        frame = frame[frame["valid_to"] == ""]
    return frame.set_index("code")


def all_versions(name: str) -> pd.DataFrame:
    """The code list with the rows that are no longer in force, as a plain frame."""
    return _read(name).copy()


def labels(name: str, column: str = "label") -> dict[str, str]:
    """``{code: label}`` of a list, for display."""
    return code_list(name)[column].to_dict()


def ethnicity_code(label: str) -> str:
    """The main ethnicity code of a label as it stands in a DfE file, known misspellings included.

    Raises ``CodeListError`` for a label that no list knows: a group must never vanish or be filed under another.

    >>> ethnicity_code("Asian - Bangaladeshi")
    'ABAN'
    """
    known = _ethnicity_labels()
    if label not in known:
        raise CodeListError(
            Problem(
                "An ethnic group's label is not in the code list.",
                where="ethnicity",
                value=label,
                mend=did_you_mean(label, known) or "Add it to jsna/codes/ethnicity_alias.csv.",
            )
        )
    return known[label]


@cache
def _ethnicity_labels() -> dict[str, str]:
    known = {row.label: row.code for row in _read("ethnicity").itertuples()}
    return known | {row.alias: row.code for row in _read("ethnicity_alias").itertuples()}


def local_authority(code: str) -> pd.Series:
    """The local authority in force with this nine-character or three-digit code.

    Raises ``CodeListError`` naming what stands in the place of a code that ended, or the nearest code or name.

    >>> local_authority("821")["name"]
    'Luton'
    """
    current = code_list("local_authority")
    if code in current.index:
        return current.loc[code]
    by_number = current[current["dfe_number"] == code]
    if len(by_number):
        return by_number.iloc[0]
    by_name = current[current["name"].str.casefold() == str(code).casefold()]
    if len(by_name):
        mend = f"The code of {by_name.iloc[0]['name']} is {by_name.index[0]!r}."
    else:
        # only here, where something is wrong: the changes of codes belong to the room of places
        from jsna.codes.changed import what_became_of

        near = did_you_mean(code, [*current.index, *current["name"]])
        mend = what_became_of(str(code)) or near or "See jsna/codes/local_authority.csv for all codes."
    raise CodeListError(Problem("No local authority in England has this code.", value=code, mend=mend))
