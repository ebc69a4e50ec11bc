"""Which integrated care boards plan health care for an authority's area."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd


@cache
def _boards() -> pd.DataFrame:
    with files("jsna.codes").joinpath("integrated_care_board.csv").open("rb") as stream:
        return pd.read_csv(stream, dtype="str", keep_default_na=False)


def boards_of(area_code: str) -> pd.DataFrame:
    """The boards of an authority, now and before: board, ods_code, valid_from, valid_to (2026-03), part ("1": a part).

    From NHS England's list of boards with their authorities (2022) and the successions of 1 April 2026 that the NHS
    organisation register records; see docs/national.md. Boards change: the empty frame means that nothing is known.

    >>> boards_of("E06000032")[["board", "valid_to"]].values.tolist()
    [['Bedfordshire, Luton and Milton Keynes', '2026-03'], ['Central East', '']]
    """
    boards = _boards()
    return boards[boards["area_code"] == area_code].drop(columns="area_code").reset_index(drop=True)
