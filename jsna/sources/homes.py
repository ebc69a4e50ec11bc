"""Where pupils live: from postcode to LSOA, ward and deprivation decile, by embedded or official files."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo.postcodes import place_postcodes

UNKNOWN_WARD = "unknown"
PLACED = ("placed", "terminated")


@dataclass(frozen=True)
class Homes:
    """What is needed to place pupils of one authority.

    ``lsoas`` has a row an LSOA of 2021: ``lsoa21``, ``ward_code``, ``idaci_rank``, ``idaci_decile`` (1 the most
    deprived) and ``idaci_edition``; those outside the authority may be there without a ward. ``directory`` is the frame
    of ``geo.postcodes.read_postcodes``, or nothing where the files bring LSOA codes themselves. ``changes`` leads from
    LSOAs of 2011 that are no more to their one LSOA of 2021, or to "" where they were split.
    """

    lsoas: pd.DataFrame
    directory: pd.DataFrame | None = None
    changes: pd.Series | None = None


@dataclass(frozen=True)
class Placed:
    """``frame`` (lsoa21, ward_code, idaci_rank, idaci_decile, idaci_edition; "" or 0 where not known), in the order of
    the pupils, and ``counts``: how many homes were placed how, in words that name no postcode."""

    frame: pd.DataFrame
    counts: dict[str, int]


def place(postcode: pd.Series, lsoa: pd.Series, homes: Homes) -> Placed:
    """The home of each pupil: by postcode where a directory is at hand, else by the LSOA code that the file brings.

    An LSOA code of 2011 that is no more is led to its one successor where there is one, and is unknown where it was
    split. A pupil who lives outside the authority keeps the LSOA, and has no ward of it; what is no code of an LSOA in
    England counts as not known.
    """
    code, words = lsoa.str.upper().astype("str"), {}
    if homes.directory is not None:
        found = place_postcodes(postcode, homes.directory)
        by_postcode = found.frame["code"].astype("str")
        words = {f"postcode {status}": n for status, n in found.counts.items() if n and status != "missing"}
        code = code.mask(by_postcode != "", by_postcode)
    known = set(homes.lsoas["lsoa21"])
    if homes.changes is not None:
        old = ~code.isin(known) & code.isin(homes.changes.index)
        code = code.mask(old, code.map(homes.changes))
        words["LSOA of 2011 led to its successor"] = int((old & (code != "")).sum())
        words["LSOA of 2011 that was split"] = int((old & (code == "")).sum())
    strange = (code != "") & ~code.str.fullmatch(r"E01\d{6}")
    code = code.mask(strange, "")
    words["no code of an LSOA in England"] = int(strange.sum())
    own = homes.lsoas.set_index("lsoa21").reindex(code).reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "lsoa21": code.to_numpy(),
            "ward_code": own["ward_code"].fillna("").replace("", UNKNOWN_WARD).to_numpy(),
            "idaci_rank": own["idaci_rank"].fillna(0).astype("int32").to_numpy(),
            "idaci_decile": own["idaci_decile"].fillna(0).astype("int8").to_numpy(),
            "idaci_edition": own["idaci_edition"].fillna("").astype("str").to_numpy(),
        },
        index=postcode.index,
    )
    words["home in the authority"] = int((frame["ward_code"] != UNKNOWN_WARD).sum())
    words["home elsewhere"] = int(((frame["ward_code"] == UNKNOWN_WARD) & (frame["lsoa21"] != "")).sum())
    words["home not known"] = int((frame["lsoa21"] == "").sum())
    return Placed(frame, {k: n for k, n in words.items() if n})
