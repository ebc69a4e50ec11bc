"""The embedded area's places: its LSOAs with ward, deprivation and Census counts, approximate shapes, and lookups."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from geo.errors import PlaceError
from jsna.errors import Problem

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.lookups import Lookup

AREA_CODE = "E06000032"
SHAPES = ("lsoa21", "lsoa11", "ward23", "ward17")
LOOKUPS = (
    ("lsoa11", "lsoa21"),
    ("lsoa21", "lsoa11"),
    ("lsoa21", "ward23"),
    ("lsoa11", "ward17"),
    ("lsoa21", "ward17"),
    ("lsoa11", "ward23"),
    ("lsoa21", "msoa21"),
    ("lsoa11", "msoa21"),
    ("ward17", "ward23"),
    ("ward23", "ward17"),
    ("ward23", "la23"),
    ("ward17", "la17"),
)


@cache
def _table(name: str) -> pd.DataFrame:
    with files("geo.data").joinpath(f"{name}.csv").open("rb") as stream:
        return pd.read_csv(stream)


def embedded_lsoas() -> pd.DataFrame:
    """The 125 LSOAs (2021) of the embedded area, one row each, in code order. See geo/data/SOURCES.md.

    >>> len(embedded_lsoas())
    125
    """
    return _table("luton_lsoa21").copy()


def embedded_wards() -> gpd.GeoDataFrame:
    """The 20 wards of May 2023 of the embedded area as approximate shapes: ward_code, ward_name, geometry (EPSG:27700).

    For maps only: the shapes are super-generalised LSOAs put together by best fit, not official boundaries.
    """
    wards = embedded_shapes("ward23").rename(columns={"code": "ward_code", "name": "ward_name"})
    return wards[["ward_code", "ward_name", "geometry"]]


def embedded_shapes(kind: str) -> gpd.GeoDataFrame:
    """Approximate shapes of the embedded area in EPSG:27700: code, name, geometry, approximate (always True).

    ``kind``: ``lsoa21`` (125), ``lsoa11`` (121), ``ward23`` (the 20 wards from May 2023 on) or ``ward17`` (the 19
    before). All four have the same outer boundary and tile it. LSOAs of 2011 are super-generalised, parts of split ones
    are strips of equal area in a guessed order, wards are unions by best fit: for maps and neighbourhood, never for
    placing pupils or measuring. ``attrs`` holds kind and vintage. Raises ``PlaceError`` for another kind.

    >>> len(embedded_shapes("ward17")), bool(embedded_shapes("ward17")["approximate"].all())
    (19, True)
    """
    import geopandas as gpd

    if kind not in SHAPES:
        raise PlaceError(Problem("The embedded area has no such shapes.", value=kind, expected=", ".join(SHAPES)))
    with files("geo.data").joinpath(f"luton_{kind}_shapes.geojson").open("rb") as stream:
        shapes = gpd.read_file(stream)
    shapes = shapes.assign(approximate=True)[["code", "name", "geometry", "approximate"]]
    shapes.attrs.update(kind=kind[:-2], vintage=kind[-2:])
    return shapes


@cache
def _embedded_lookup(source: str, target: str) -> Lookup:
    from geo.lookups import chain, make_lookup
    from geo.small_areas import best_fit, lsoa_changes

    new, old = _table("luton_lsoa21_lookup"), _table("luton_lsoa11_lookup")
    fit = "ONS best fit by population centroid"
    if (source, target) == ("lsoa11", "lsoa21"):
        return lsoa_changes(new, "lsoa21", new.set_index("lsoa21")["residents_2021"])
    if (source, target) == ("lsoa21", "lsoa11"):
        return lsoa_changes(new, "lsoa11", old.set_index("lsoa11")["residents_2020"])
    if source == "lsoa21" and target in ("ward23", "msoa21"):
        return best_fit(new, source, target, rule=fit if target == "ward23" else "LSOAs nest in MSOAs")
    if (source, target) == ("lsoa11", "ward17"):
        return best_fit(old, source, target, rule=fit)
    if source.startswith("lsoa"):
        other = "lsoa11" if source == "lsoa21" else "lsoa21"
        return chain(_embedded_lookup(source, other), _embedded_lookup(other, target))
    if target.startswith("la"):
        column = new["ward23"] if source == "ward23" else old["ward17"]
        return best_fit(pd.DataFrame({source: column, target: AREA_CODE}), source, target, rule="wards nest in it")
    joined = new.merge(old[["lsoa11", "ward17"]], on="lsoa11")
    people = joined.groupby([source, target], as_index=False)["residents_2021"].sum()
    people = people[people["residents_2021"] > 0]
    keys = people[source] + " " + people[target]
    return _shared(make_lookup, people, keys, source, target)


def _shared(make_lookup, people: pd.DataFrame, keys: pd.Series, source: str, target: str) -> Lookup:
    from geo.lookups import Lookup

    # The size of a pair is the residents of both, not those of the target alone.
    made = make_lookup(
        source,
        target,
        pd.DataFrame({"source": people[source], "target": keys}),
        size=pd.Series(people["residents_2021"].to_numpy(), index=keys),
        rule="residents of 2021 of the LSOAs that both wards hold by best fit",
    )
    rows = made.rows.assign(target=made.rows["target"].str[-9:])
    return Lookup(made.source, made.target, rows, made.rule, made.notes)


def embedded_lookup(source: str, target: str) -> Lookup:
    """A lookup within the embedded area, such as ``("lsoa11", "lsoa21")`` or ``("ward17", "ward23")``.

    Splits are shared out by residents (Census 2021 forward, mid-2020 back); old to new ward goes by the residents of
    the LSOAs that both hold and is an estimate throughout. Raises ``PlaceError`` for a pair that is not in LOOKUPS.

    >>> rows = embedded_lookup("lsoa11", "lsoa21").rows
    >>> rows.loc[rows["source"] == "E01015741", "target"].tolist()
    ['E01033801', 'E01033802']
    """
    if (source, target) not in LOOKUPS:
        pairs = ", ".join(f"{a} to {b}" for a, b in LOOKUPS)
        raise PlaceError(Problem("There is no such lookup.", value=f"{source} to {target}", expected=pairs))
    kept = _embedded_lookup(source, target)
    return replace(kept, rows=kept.rows.copy())
