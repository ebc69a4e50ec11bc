"""Authorities that changed their code from 2019 on, in the nine-character codes and in DfE's three-digit numbers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import pandas as pd

from geo.errors import PlaceError
from geo.kinds import Geography, clean_codes, is_of_kind
from geo.lookups import Lookup
from jsna.errors import Problem

SYSTEMS = {"ons": ("old_code", "new_code"), "dfe": ("old_number", "new_number")}
FIRST, LAST = 2019, 2025


@cache
def _table() -> pd.DataFrame:
    with files("geo.data").joinpath("la_recodings.csv").open("rb") as stream:
        table = pd.read_csv(stream, dtype="str", keep_default_na=False)
    return table.assign(year=table["year"].astype("int64"), weight=table["weight"].astype("float64"))


def recodings() -> pd.DataFrame:
    """Every change: tier, old and new code, number and name, year, weight (share of residents), estimated.

    >>> one = recodings().query("old_number == '909'")
    >>> one["new_number"].tolist(), float(one["weight"].sum())
    (['942', '943'], 1.0)
    """
    return _table().copy()


def la_recoding(codes: Iterable[object], *, system: str = "ons", year: int = 2023) -> Lookup:
    """A lookup of the given authorities to the codes in force on 2 April of ``year``; unchanged ones go to themselves.

    ``system`` is ``ons`` (E06000052) or ``dfe`` (908); districts, counties and unitaries may be mixed. A county that
    was divided is shared out by residents of mid-2020 and marked as estimated. Codes that are not written like an
    authority's are left out, so that ``convert`` reports them. Raises ``PlaceError`` for another system or a year
    outside 2019 to 2025. One way only: there is no way back from a merged authority. For caseloads, ask the
    authority: plans do not divide like residents.

    >>> la_recoding(["909", "821"], system="dfe").rows[["source", "target", "weight"]].values.tolist()
    [['821', '821', 1.0], ['909', '942', 0.549032], ['909', '943', 0.450968]]
    """
    if system not in SYSTEMS:
        raise PlaceError(Problem("The code system is not known.", value=system, expected=" or ".join(SYSTEMS)))
    if not FIRST <= year <= LAST:
        raise PlaceError(Problem("The year is not covered.", value=year, expected=f"{FIRST} to {LAST}"))
    clean = pd.Series(sorted(set(clean_codes(codes))), dtype="object")
    known = is_of_kind(clean, "la") if system == "ons" else clean.astype("string").str.fullmatch(r"\d{3}")
    clean = clean[known.astype(bool)]
    if not len(clean):
        raise PlaceError(Problem("No code is an authority's.", where=system, expected="E06000032 or 821"))
    old, new = SYSTEMS[system]
    table = _table()
    steps = table[(table["year"] <= year) & (table[old] != "") & (table[old] != table[new])]
    rows = pd.DataFrame({"source": clean, "target": clean, "weight": 1.0, "estimated": False})
    for _, step in steps.groupby("year", sort=True):
        part = step[[old, new, "weight", "estimated"]].rename(columns={"weight": "part", "estimated": "guess"})
        joined = rows.merge(part, left_on="target", right_on=old, how="left")
        moved = joined[new].notna()
        joined["target"] = joined[new].where(moved, joined["target"])
        joined["weight"] *= joined["part"].where(moved, 1.0)
        joined["estimated"] |= joined["guess"].eq("1") & moved
        rows = joined[["source", "target", "weight", "estimated"]]
    rows = rows.sort_values(["source", "target"], ignore_index=True)
    rule = f"authorities in force in {year}; divided counties by residents of mid-2020"
    return Lookup(Geography("la"), Geography("la", str(year)[2:]), rows, rule)
