"""What the forms of the School Census share: column spellings, needs by rank and free meals on the day."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from jsna.files.packaged import packaged_yaml
from jsna.files.values import dates, tidy, without_decimal_zero

NO_RANK = 9
FURTHER_HOMES = "{n} further [address was|addresses were] passed over: a pupil's first one is used."
LEAVERS_TALLY = "{n} [pupil no longer on roll is|pupils no longer on roll are] not counted."
THIRD = "a third type of need: a pupil has at most two"
SAME_RANK = "two types of need have one rank: the one that comes first in the file is taken for the lower rank"
RANK_NOT_READ = "no rank (1 or 2): the need is taken after those with a rank"
TROUBLE_MENDS = {
    THIRD: "Take it out, or give the two that matter most the ranks 1 and 2.",
    SAME_RANK: "Give the primary need rank 1 and the other rank 2.",
    RANK_NOT_READ: "Enter 1 for the primary need and 2 for the other.",
}
START_NOT_READ = "the period of free meals has no start that can be read: it counts for nobody"
END_NOT_READ = "the period of free meals has an end that cannot be read: it counts for nobody"
END_FIRST = "the period of free meals ends before it starts: it counts for nobody"
PERIOD_MEND = "Correct the dates of the period in the school's system."


@cache
def census_spec() -> dict[str, Any]:
    """Spellings and tables of the census, as census.yml has them."""
    return packaged_yaml("jsna.sources", "census.yml")


def needs_by_rank(pupil: pd.Series, rank: pd.Series, need: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """One row a pupil with ``need1`` and ``need2``; and of each row given what is wrong with it (``THIRD``,
    ``SAME_RANK``, ``RANK_NOT_READ``), or "".

    ``pupil`` is a key of any kind. Rank 1 is the primary need; of two with one rank, the first in the file is taken for
    the lower rank. A single need of rank 2 stays the second: ``canonical`` says so.

    >>> pupil, rank = pd.Series(["a", "a", "b"]), pd.Series(["2.0", "1", "1"])
    >>> rows, trouble = needs_by_rank(pupil, rank, pd.Series(["MLD", "ASD", "VI"]))
    >>> rows.loc["a"].tolist(), rows.loc["b"].tolist(), trouble.tolist()
    (['ASD', 'MLD'], ['VI', ''], ['', '', ''])
    """
    number = pd.to_numeric(without_decimal_zero(tidy(rank)), errors="coerce")
    number = number.where(number.isin([1, 2]), NO_RANK)
    trouble = pd.Series("", index=pupil.index, dtype="str")
    table = pd.DataFrame({"pupil": pupil, "rank": number, "need": tidy(need)})
    table = table[table["need"] != ""].sort_values(["pupil", "rank"], kind="stable")
    per_pupil = table.groupby("pupil")
    place = per_pupil.cumcount() + 1
    place = place.mask((table["rank"] == 2) & (per_pupil["rank"].transform("size") == 1), 2)
    trouble[table.index[table["rank"] == NO_RANK]] = RANK_NOT_READ
    trouble[table.index[table.duplicated(["pupil", "rank"]) & (table["rank"] != NO_RANK)]] = SAME_RANK
    trouble[table.index[place > 2]] = THIRD
    table, place = table[place <= 2], place[place <= 2]
    wide = table.assign(place=place).pivot(index="pupil", columns="place", values="need")
    wide = wide.reindex(columns=[1, 2], fill_value="").fillna("").set_axis(["need1", "need2"], axis="columns")
    return wide, trouble


def eligible_on(day: pd.Series, pupil: pd.Series, start: pd.Series, end: pd.Series) -> tuple[pd.Index, pd.Series]:
    """The pupils with a free-meal period that holds the census ``day`` (indexed by pupil), and of each period what is
    wrong with it, or "". Both ends are within, an empty end is open; what cannot be read, or ends before it starts,
    counts for nobody.
    """
    first, bad_start = dates(start)
    last, bad_end = dates(end)
    when = pupil.map(day)
    trouble = pd.Series("", index=pupil.index, dtype="str").mask((last < first).fillna(False), END_FIRST)
    trouble = trouble.mask(bad_end, END_NOT_READ).mask(bad_start | first.isna(), START_NOT_READ)
    inside = (trouble == "") & (first <= when) & (last.isna() | (last >= when))
    return pd.Index(pupil[inside].unique()), trouble
