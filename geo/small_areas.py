"""Lookups between LSOAs of 2011 and 2021, wards, MSOAs and authorities, made from official pairs of codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.errors import PlaceError
from geo.kinds import Geography, clean_codes
from geo.lookups import Converted, Lookup, convert, make_lookup
from jsna.errors import Problem

if TYPE_CHECKING:
    import geopandas as gpd

CHANGES = {"U": "unchanged", "S": "split", "M": "merged", "X": "complex"}
Sizes = Mapping[str, float] | pd.Series


def lsoa_changes(rows: pd.DataFrame, target: str, population: Sizes) -> Lookup:
    """LSOA 2011 to 2021 (``target="lsoa21"``) or back (``"lsoa11"``), weighted by people, not by area.

    ``rows``: lsoa11, lsoa21, change (U unchanged, S split, M merged, X complex), one row a pair. ``population``: people
    by code of the target's vintage; needed only where an area has several targets. Forward, splits are estimated; back,
    merges are; complex changes are estimated both ways, as if the whole of each target could lie in the source.
    Raises ``PlaceError`` when the change codes do not agree with the rows, as when a row is missing. A best-fit file
    without change codes cannot be used. Source: ONS, LSOA (2011) to LSOA (2021) exact-fit lookup.

    >>> pairs = pd.DataFrame({"lsoa11": ["E01000001"] * 2, "lsoa21": ["E01033801", "E01033802"], "change": ["S"] * 2})
    >>> lsoa_changes(pairs, "lsoa21", {"E01033801": 900, "E01033802": 300}).rows["weight"].tolist()
    [0.75, 0.25]
    """
    if target not in ("lsoa21", "lsoa11"):
        raise PlaceError(Problem("This way is not known.", where="target", value=target, expected="lsoa21 or lsoa11"))
    lacking = [c for c in ("lsoa11", "lsoa21", "change") if c not in rows]
    if lacking:
        raise PlaceError(
            Problem(
                "The lookup lacks columns.",
                value=lacking,
                expected="lsoa11, lsoa21, change",
                mend="The best-fit file has no change codes and cannot share out counts: take the exact-fit one.",
            )
        )
    problems = _disagreeing(rows)
    if problems:
        raise PlaceError(*problems)
    source = "lsoa11" if target == "lsoa21" else "lsoa21"
    pairs = rows.rename(columns={source: "source", target: "target"})[["source", "target", "change"]]
    made = make_lookup(
        source, target, pairs, size=population, rule="ONS exact fit; several targets share by their residents"
    )
    notes = list(made.notes)
    complex_areas = sorted(pairs.loc[pairs["change"] == "X", "source"].unique())
    if complex_areas:
        notes.append(
            f"{len(complex_areas)} areas changed in a complex way; their shares are a rough guess: "
            f"{', '.join(complex_areas[:6])}."
        )
    with_change = made.rows.merge(pairs.drop_duplicates(["source", "target"]), on=["source", "target"], how="left")
    return Lookup(made.source, made.target, with_change, made.rule, tuple(notes))


def _disagreeing(rows: pd.DataFrame) -> list[Problem]:
    old = rows.groupby("lsoa11")["lsoa21"].transform("size")
    new = rows.groupby("lsoa21")["lsoa11"].transform("size")
    change = rows["change"]
    rules = {
        "U": (change == "U") & ((old != 1) | (new != 1) | (rows["lsoa11"] != rows["lsoa21"])),
        "S": (change == "S") & ((old < 2) | (new != 1)),
        "M": (change == "M") & ((old != 1) | (new < 2)),
        "X": (change == "X") & (old < 2) & (new < 2),
    }
    problems = [
        Problem(
            f"{int(bad.sum())} rows are called {CHANGES[code]}, but the rows about them say otherwise.",
            where="change",
            value=rows.loc[bad, "lsoa11"].head(3).tolist(),
            mend="Is a row missing, or is it a part of the file only?",
        )
        for code, bad in rules.items()
        if bad.any()
    ]
    unknown = ~change.isin(list(CHANGES))
    if unknown.any():
        problems.append(
            Problem("A change code is not known.", value=sorted(set(change[unknown]))[:5], expected=", ".join(CHANGES))
        )
    return problems


def best_fit(pairs: pd.DataFrame, source: str, target: str, *, rule: str = "best fit") -> Lookup:
    """Each source area in one target area: LSOA to ward, LSOA to MSOA, ward to authority, authority to region.

    ``pairs`` has a column named ``source`` and one named ``target`` (such as lsoa21, ward24); equal rows count once.
    Raises ``PlaceError`` when a source has two targets or no code. An LSOA lies in its ward only roughly: see
    ``misplaced``. A small ward may be the best fit of no LSOA and is then no target at all.
    """
    lacking = [c for c in (source, target) if c not in pairs]
    if lacking:
        raise PlaceError(Problem("The lookup lacks columns.", value=lacking, expected=f"{source}, {target}"))
    plain = pd.DataFrame({"source": clean_codes(pairs[source]), "target": clean_codes(pairs[target])})
    plain = plain.drop_duplicates()
    two = plain["source"].duplicated(keep=False)
    if two.any():
        raise PlaceError(
            Problem(
                f"{plain.loc[two, 'source'].nunique()} areas have more than one target.",
                where=f"{source} to {target}",
                value=sorted(plain.loc[two, "source"].unique())[:5],
                expected="one target an area",
                mend="Several years in one file? Keep one.",
            )
        )
    return make_lookup(source, target, plain, rule=rule)


def by_area(sources: gpd.GeoDataFrame, targets: gpd.GeoDataFrame, source: str, target: str) -> tuple[Lookup, list[str]]:
    """Each source area shared over the target shapes that it lies in, by area; and the codes that lie in none.

    Both frames have ``code`` and are in metres. It takes people to live evenly over an LSOA, which they do not: use it
    to judge a best fit, not to place pupils. A source that reaches beyond all targets is scaled up to 1.
    """
    import shapely

    left, right = sources.geometry.to_numpy(), targets.geometry.to_numpy()
    first, second = shapely.STRtree(right).query(left, predicate="intersects")
    area = shapely.area(shapely.intersection(left[first], right[second]))
    rows = pd.DataFrame(
        {"source": sources["code"].to_numpy()[first], "target": targets["code"].to_numpy()[second], "area": area}
    )
    rows = rows[rows["area"] > 0]
    rows["weight"] = rows["area"] / rows.groupby("source")["area"].transform("sum")
    rows["estimated"] = rows.groupby("source")["target"].transform("size") > 1
    rows = rows.sort_values(["source", "target"], ignore_index=True)
    lost = sorted(set(sources["code"]) - set(rows["source"]))
    return Lookup(Geography.of(source), Geography.of(target), rows, "share of area"), lost


@dataclass(frozen=True)
class Misplaced:
    """How far best fit is from the true boundary.

    ``frame``: one row a target: code, best_fit (people placed there), by_boundary (people there by area of their
    LSOA), wrongly_in (placed there, but living elsewhere), wrongly_out (living there, but placed elsewhere), ratio
    (best_fit / by_boundary; NaN when nobody is there). ``share``: of all people, those placed in another target than
    their own (0 to 1). ``outside``: source codes that lie in no target shape; their people are not counted.
    """

    frame: pd.DataFrame
    share: float
    people: float
    outside: tuple[str, ...]


def misplaced(lookup: Lookup, sources: gpd.GeoDataFrame, targets: gpd.GeoDataFrame, population: Sizes) -> Misplaced:
    """The share of people that a best-fit lookup puts in another ward than the true boundary does.

    ``sources`` and ``targets`` are official shapes (code, geometry, metres), ``population`` people by source code.
    People are taken to live evenly over their LSOA; where they live in one corner, the true figure is higher or lower.
    Raises ``PlaceError`` when the population or the lookup lacks a source area.
    """
    sizes = pd.Series(population, dtype="float64")
    held = sources[sources["code"].isin(set(lookup.rows["source"]))]
    lacking = sorted(set(sources["code"]) - set(lookup.rows["source"]) | (set(held["code"]) - set(sizes.index)))
    if lacking:
        raise PlaceError(
            Problem(
                f"{len(lacking)} source areas are not in the lookup or have no population.",
                value=lacking[:5],
                mend="Are shapes, lookup and population of one vintage?",
            )
        )
    true, outside = by_area(sources, targets, str(lookup.source), str(lookup.target))
    fit = lookup.rows[lookup.rows["source"].isin(set(true.rows["source"]))]
    pairs = true.rows[["source", "target", "weight"]].merge(
        fit[["source", "target", "weight"]], on=["source", "target"], how="outer", suffixes=("_true", "_fit")
    )
    pairs[["weight_true", "weight_fit"]] = pairs[["weight_true", "weight_fit"]].fillna(0.0)
    people = pairs["source"].map(sizes)
    for name, part in (
        ("best_fit", pairs["weight_fit"]),
        ("by_boundary", pairs["weight_true"]),
        ("wrongly_in", (pairs["weight_fit"] - pairs["weight_true"]).clip(lower=0)),
        ("wrongly_out", (pairs["weight_true"] - pairs["weight_fit"]).clip(lower=0)),
    ):
        pairs[name] = people * part
    columns = ["best_fit", "by_boundary", "wrongly_in", "wrongly_out"]
    frame = pairs.groupby("target")[columns].sum().reset_index().rename(columns={"target": "code"})
    total = float(frame["best_fit"].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["ratio"] = np.where(frame["by_boundary"] > 0, frame["best_fit"] / frame["by_boundary"], np.nan)
    share = float(frame["wrongly_in"].sum()) / total if total else 0.0
    return Misplaced(frame, share, total, tuple(outside))


def mean_over(
    values: pd.DataFrame, lookup: Lookup, *, code: str, value: str, size: Sizes
) -> tuple[pd.DataFrame, Converted]:
    """A score or rate of source areas as the people-weighted mean of target areas, with the conversion behind it.

    ``value`` is a share or score (for IDACI, of children), ``size`` the people it is of, by source code. Returns
    target, ``value`` and ``size`` (NaN and 0 where nobody is), and the ``Converted`` of size with what was put aside.
    Never for ranks or deciles: take those of the target's own vintage.
    """
    work = values[[code, value]].copy()
    work["size"] = clean_codes(work[code]).map(pd.Series(size, dtype="float64"))
    work["size"] = work["size"].where(work[value].notna())
    people = convert(work, lookup, code=code, values=["size"])
    used = work[work["size"].notna()]
    shift = min(0.0, float(used[value].min())) if len(used) else 0.0
    product = used.assign(amount=(used[value] - shift) * used["size"])
    amount = convert(product, lookup, code=code, values=["amount"]).frame.set_index("target")["amount"]
    made = people.frame[["target", "size"]].copy()
    total = made["size"].where(made["size"] > 0)
    made[value] = made["target"].map(amount) / total + shift
    return made[["target", value, "size"]], people
