"""The embedded area's places: its LSOAs with ward, deprivation and Census counts, and approximate ward shapes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd


@cache
def _lsoas() -> pd.DataFrame:
    with files("geo.data").joinpath("luton_lsoa21.csv").open("rb") as stream:
        return pd.read_csv(stream)


def embedded_lsoas() -> pd.DataFrame:
    """The 125 LSOAs (2021) of the embedded area, one row each, in code order. See geo/data/SOURCES.md.

    >>> len(embedded_lsoas())
    125
    """
    return _lsoas().copy()


def embedded_wards() -> gpd.GeoDataFrame:
    """The 20 wards of May 2023 of the embedded area as approximate shapes, in EPSG:27700.

    For maps only: the shapes are super-generalised LSOAs of 2011 put together by best fit, not official boundaries.
    """
    import geopandas as gpd

    with files("geo.data").joinpath("luton_wards_approx.geojson").open("rb") as stream:
        return gpd.read_file(stream)
