"""Which evidence does each priority, criterion and outcome of an area have in this pack, and what does it lack?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from jsna.evidence.catalogue import Catalogue, Frame, Indicator, Item, catalogue
from jsna.evidence.scorecard import bring, mend, readable, shown_groups

Status = Literal["whole", "part", "pointers", "none"]
KEYS = ["indicator", "group"]


def coverage(frame: Frame, rows: pd.DataFrame, brings: Sequence[str], known: Catalogue | None = None) -> pd.DataFrame:
    """One row an item of the frame and an indicator that speaks to it, with the latest figure where there is one.

    ``rows``: those of ``Values.frame`` of the area; of the groups of an indicator those that pages show. Columns:
    ``list`` (its key), ``code``, ``item``, ``official``, ``indicator``, ``group``, ``name``, ``at_hand`` (bool),
    ``bring`` (what is awaited, else empty), then ``value``, ``period``, ``source`` and ``origin`` of the latest figure.
    An item that no indicator speaks to has one row with an empty ``indicator``.
    """
    known = known or catalogue()
    pages = [(i.id, group) for i in known.indicators.values() for group in shown_groups(i)]
    there = rows[rows["value"].notna() & pd.MultiIndex.from_frame(rows[KEYS]).isin(pages)]
    there = there.sort_values("year", kind="stable").drop_duplicates(KEYS, keep="last").sort_values(KEYS, kind="stable")
    asked = [
        {"list": entry.key, "code": item.code, "item": item.name, "official": item.official, "indicator": name}
        for entry in frame.lists
        for item in entry.items
        for name in (item.indicators or ("",))
    ]
    table = pd.DataFrame(asked).merge(
        there[["indicator", "group", "value", "period", "source", "origin"]], on="indicator", how="left"
    )
    names = {name: known[name] for name in table["indicator"].unique() if name}
    table["name"] = table["indicator"].map(lambda n: names[n].name if n else "")
    table["at_hand"] = table["value"].notna()
    awaited = table["indicator"].map(lambda n: bring(names[n], brings) if n else "")
    return table.assign(bring=awaited.where(~table["at_hand"], ""), group=table["group"].fillna(""))


def status(item: Item, table: pd.DataFrame) -> Status:
    """How far an item is covered, from its rows of ``coverage``.

    ``whole``: every indicator has a figure and nothing is lacking; ``pointers``: there are figures, but the frame says
    that no statistic measures the thing itself; ``part``: some figures; ``none``: not one.
    """
    own = table[table["code"] == item.code]
    if not own["at_hand"].any():
        return "none"
    if item.official.startswith("No"):
        return "pointers"
    return "whole" if own["at_hand"].all() and not item.lacks else "part"


def statuses(frame: Frame, table: pd.DataFrame) -> pd.DataFrame:
    """The status of every item of a frame: list, code, item, status, lacks (one text)."""
    return pd.DataFrame(
        [
            {
                "list": entry.key,
                "code": item.code,
                "item": item.name,
                "status": status(item, table),
                "lacks": "; ".join(item.lacks),
            }
            for entry in frame.lists
            for item in entry.items
        ]
    )


def register(known: Catalogue, rows: pd.DataFrame, absent: pd.DataFrame, brings: Sequence[str]) -> pd.DataFrame:
    """The register of gaps: indicators of the catalogue for which the area has no figure, or not from every file.

    ``absent``: ``Values.absent``. Columns: ``indicator``, ``name``, ``why``, ``mend`` and ``partly`` (bool: another
    file has given figures all the same). Where a file, a table or a column is missing they say which, else what would
    have to be brought.
    """
    have = set(rows.loc[rows["value"].notna(), "indicator"])
    lost = absent.drop_duplicates("indicator").set_index("indicator")
    gaps = [
        {
            "indicator": i.id,
            "name": i.name,
            "why": lost["reason"].get(i.id) or _why(i, brings),
            "mend": lost["mend"].get(i.id) or mend(i, brings),
            "partly": i.id in have,
        }
        for i in known.indicators.values()
        if i.id not in have or i.id in lost.index
    ]
    return pd.DataFrame(gaps, columns=["indicator", "name", "why", "mend", "partly"])


def _why(indicator: Indicator, brings: Sequence[str]) -> str:
    if (indicator.official or indicator.derived) and "official" in brings:
        return "The official files hold no figure of this area."
    if indicator.official or indicator.derived:
        return "It is in the official files, which this pack does without."
    return "No official statistic holds it by area." if indicator.local else "Nothing at hand holds it."


def awaiting(
    rows: pd.DataFrame, absent: pd.DataFrame, brings: Sequence[str], known: Catalogue | None = None
) -> pd.DataFrame:
    """What a page's measures without a figure wait for: indicator, name, ``bring`` and, as a sentence, ``mend``.

    One row an indicator. ``own`` says whether the workbench could read it if it were brought. ``rows`` name
    indicators; ``absent`` is ``Values.absent``: of official files, the missing one comes before all else.
    """
    known = known or catalogue()
    lost = absent.drop_duplicates("indicator").set_index("indicator")["mend"] if "official" in brings else {}
    names = list(dict.fromkeys(rows["indicator"]))
    return pd.DataFrame(
        {
            "indicator": names,
            "name": [known[n].name for n in names],
            "bring": [lost.get(n) or bring(known[n], brings) for n in names],
            "mend": [lost.get(n) or mend(known[n], brings) for n in names],
            "own": [n in lost or readable(known[n]) for n in names],
        },
        columns=["indicator", "name", "bring", "mend", "own"],
    )
