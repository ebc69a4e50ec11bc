"""A synthetic postcode directory of the unused area XL, and which pupil and which school lives where."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.places import embedded_lsoas
from jsna.synthetic.files.output import words
from jsna.synthetic.files.people import spread

LIVE, ENDED = "ABDEFG", "HJ"  # last letters of postcodes that people live at, and of terminated ones
OF_SCHOOLS = "Z"
AREA_CODE = "E06000032"
# Columns of the National Statistics Postcode Lookup from mid-2025 on; the LSOA of 2011 is added for older files.
COLUMNS = words(
    "pcd7 pcd8 pcds dointr doterm usrtypind east1m north1m gridind oa21cd cty25cd ced25cd lad25cd wd25cd nhser24cd "
    "ctry25cd rgn25cd pcon24cd ttwa15cd itl25cd npark16cd lsoa21cd msoa21cd wz11cd sicbl24cd bua24cd ruc21ind oac11ind "
    "lat long lep21cd1 lep21cd2 pfa23cd imd20ind icb23cd lsoa11cd"
)


@cache
def _stems() -> pd.Series:
    """For each LSOA the postcode without its last letter: XL with the ward's place, a blank, the LSOA's place, A."""
    places = embedded_lsoas()
    ward = places["ward_code"].astype("category").cat.codes + 1
    within = (places.groupby("ward_code").cumcount() + 1) % 10
    stems = "XL" + ward.astype("str") + " " + within.astype("str") + "A"
    return pd.Series(stems.to_numpy(), index=places["lsoa21"])


def home_postcodes(lsoa21: pd.Series, number: NDArray) -> NDArray:
    """A live postcode within each pupil's LSOA, the same for the same pupil and LSOA."""
    letter = np.array(list(LIVE), dtype=object)[spread(number, 4, len(LIVE))]
    return lsoa21.astype("str").map(_stems()).to_numpy(object) + letter


def school_postcodes(number: NDArray) -> NDArray:
    """A postcode for each school, kept apart from those that people live at."""
    stems = _stems().to_numpy(object)
    return stems[spread(number, 5, len(stems))] + OF_SCHOOLS


def ended_postcodes(postcode: NDArray) -> NDArray:
    """A terminated postcode of the same LSOA for each postcode."""
    return np.array([p[:-1] + ENDED[0] for p in postcode], dtype=object)


def directory() -> pd.DataFrame:
    """The directory, one row a postcode, every column text, in the spelling of the NSPL from mid-2025 on.

    Nine postcodes an LSOA: six that pupils live at, one for schools and two terminated ones (``doterm`` filled). There
    are no grid references: the places are made up.

    >>> directory().loc[0, ["pcd7", "pcds", "lsoa21cd"]].tolist()
    ['XL1 1AA', 'XL1 1AA', 'E01015693']
    """
    places, letters = embedded_lsoas(), LIVE + OF_SCHOOLS + ENDED
    rows = places.loc[places.index.repeat(len(letters))].reset_index(drop=True)
    pcds = rows["lsoa21"].map(_stems()) + np.tile(list(letters), len(places))
    outward, inward = pcds.str.split(" ").str[0], pcds.str.split(" ").str[1]
    ended = pcds.str[-1].isin(list(ENDED))
    filled = {
        "pcd7": outward.str.ljust(4) + inward,
        "pcd8": outward.str.ljust(5) + inward,
        "pcds": pcds,
        "dointr": "199001",
        "doterm": np.where(ended, "202306", ""),
        "usrtypind": "0",
        "gridind": "9",
        "cty25cd": "E99999999",
        "ced25cd": "E99999999",
        "lad25cd": AREA_CODE,
        "wd25cd": rows["ward_code"],
        "ctry25cd": "E92000001",
        "rgn25cd": "E12000006",
        "lsoa21cd": rows["lsoa21"],
        "lat": "99.999999",
        "long": "0.000000",
        "lsoa11cd": rows["lsoa11"],
    }
    return pd.DataFrame(filled, index=rows.index).reindex(columns=COLUMNS, fill_value="").astype("str")
