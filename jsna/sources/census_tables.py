"""What the forms of the School Census share: column spellings, needs by rank and free meals on the day."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from jsna.files.values import dates, tidy, without_decimal_zero


@cache
def census_spec() -> dict[str, Any]:
    """Spellings and tables of the census, as census.yml has them."""
    return yaml.safe_load(files("jsna.sources").joinpath("census.yml").read_text(encoding="utf-8"))


def needs_by_rank(pupil: pd.Series, rank: pd.Series, need: pd.Series) -> tuple[pd.DataFrame, int]:
    """One row a pupil with ``need1`` and ``need2``, and how many needs were a third one, or of a rank that is none.

    Rank 1 is the primary need; of two with one rank, the first in the file is taken for the lower rank. A rank 2
    without a rank 1 stays the second: ``canonical`` says so.

    >>> pupil, rank = pd.Series(["a", "a", "b"]), pd.Series(["2.0", "1", "1"])
    >>> rows, lost = needs_by_rank(pupil, rank, pd.Series(["MLD", "ASD", "VI"]))
    >>> rows.loc["a"].tolist(), rows.loc["b"].tolist(), lost
    (['ASD', 'MLD'], ['VI', ''], 0)
    """
    number = pd.to_numeric(without_decimal_zero(tidy(rank)), errors="coerce").fillna(9)
    table = pd.DataFrame({"pupil": pupil, "rank": number, "need": tidy(need)})
    table = table[(table["need"] != "") & (table["pupil"] != "")].sort_values(["pupil", "rank"], kind="stable")
    nth = table.groupby("pupil").cumcount() + 1
    lowest = table.groupby("pupil")["rank"].transform("min")
    place = nth.mask((nth == 1) & (lowest == 2), 2)
    kept = place <= 2
    wide = table[kept].assign(place=place[kept]).pivot(index="pupil", columns="place", values="need")
    wide = wide.reindex(columns=[1, 2]).fillna("").set_axis(["need1", "need2"], axis="columns")
    return wide, int((~kept).sum())


def eligible_on(day: pd.Series, pupil: pd.Series, start: pd.Series, end: pd.Series) -> pd.Index:
    """The pupils with a free-meal period that holds the census ``day`` (indexed by pupil); both ends are within, an
    empty end is open, and a period that ends before it starts counts for nobody."""
    first, _ = dates(start)
    last, _ = dates(end)
    when = pupil.map(day)
    inside = (first <= when) & (last.isna() | (last >= when)) & (last.isna() | (last >= first))
    return pd.Index(pupil[inside].unique())
