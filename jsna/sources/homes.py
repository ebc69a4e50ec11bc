"""Where pupils live: from postcode to LSOA, ward and deprivation decile, by embedded or official files."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geo.postcodes import place_postcodes

UNKNOWN_WARD = "unknown"
WORDS = {
    "placed": "placed by postcode",
    "terminated": "placed by a postcode that has ended",
    "no area": "with a postcode that has no LSOA",
    "unknown": "with a postcode that is not in the directory",
    "malformed": "with what is no postcode",
}
# Rules of pupil_rules.yml, by what became of a postcode.
TROUBLES = {
    "malformed": "postcode malformed",
    "unknown": "postcode unknown",
    "no area": "postcode without area",
}
NO_FIXED_HOME = r"ZZ99.*"


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
    the pupils; ``trouble``, for each pupil a rule of pupil_rules.yml that says why the home is not known, or ""; and
    ``counts``: how many homes were placed how, in words that name no postcode."""

    frame: pd.DataFrame
    trouble: pd.Series
    counts: dict[str, int]


def lsoas_of(postcode: pd.Series, homes: Homes) -> pd.Series:
    """The LSOA of 2021 of each postcode, "" where it is not known. ``homes`` must have a directory."""
    if homes.directory is None:
        return pd.Series("", index=postcode.index)
    return place_postcodes(postcode, homes.directory).frame["code"].astype("str")


def place(postcode: pd.Series, lsoa: pd.Series, homes: Homes) -> Placed:
    """The home of each pupil: by postcode where a directory is at hand, else by the LSOA code that the file brings.

    An LSOA code of 2011 that is no more is led to its one successor where there is one, and is unknown where it was
    split. A pupil who lives outside the authority keeps the LSOA, and has no ward of it; what is no code of an LSOA in
    England counts as not known.
    """
    code, words = lsoa.str.upper().astype("str"), {}
    trouble = pd.Series("", index=code.index, dtype="str")
    if homes.directory is not None:
        number, cells = pd.factorize(postcode, use_na_sentinel=False)
        found = place_postcodes(pd.Series(cells), homes.directory).frame.take(number).set_axis(code.index)
        by_postcode = found["code"].astype("str")
        statuses = found["status"].value_counts()
        words = {WORDS[status]: int(n) for status, n in statuses.items() if status in WORDS}
        code = code.mask(by_postcode != "", by_postcode)
        trouble = found["status"].map(TROUBLES).fillna("").astype("str")
        trouble = trouble.mask(found["postcode"].str.fullmatch(NO_FIXED_HOME), "postcode of nowhere")
    known = set(homes.lsoas["lsoa21"])
    if homes.changes is not None:
        old = ~code.isin(known) & code.isin(homes.changes.index)
        code = code.mask(old, code.map(homes.changes))
        words["by an LSOA of 2011 led to its successor"] = int((old & (code != "")).sum())
        trouble = trouble.mask(old & (code == ""), "lsoa split")
    strange = (code != "") & ~code.str.fullmatch(r"E01[0-9]{6}")
    trouble = trouble.mask(strange, "lsoa not read")
    code = code.mask(strange, "")
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
    words["in the authority"] = int((frame["ward_code"] != UNKNOWN_WARD).sum())
    words["elsewhere"] = int(((frame["ward_code"] == UNKNOWN_WARD) & (frame["lsoa21"] != "")).sum())
    words["not known"] = int((frame["lsoa21"] == "").sum())
    # A home that the file's own code places is known, whatever is wrong with the postcode.
    return Placed(frame, trouble.mask(code != "", ""), {k: n for k, n in words.items() if n})
