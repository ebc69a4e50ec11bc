"""From postcode to LSOA, ward or authority by an ONS postcode directory, with every postcode accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.errors import PlaceError
from geo.kinds import NEVER_A_CODE, Geography, clean_codes
from geo.lookups import Lookup
from jsna.errors import Problem
from jsna.files.result import Loaded, Summary, refused, sha256_of, together

SHAPE = r"(?:[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}|GIR0AA)"
STATUSES = ("placed", "terminated", "no area", "unknown", "malformed", "missing")
# The directories' spellings: ONSPD and NSPL to early 2025, NSPL from mid-2025 on, and the postcode to LSOA lookup.
COLUMNS = {
    "postcode": r"pcds|pcd7|pcd8|pcd2|pcd|postcode",
    "terminated": r"doterm",
    "lsoa21": r"lsoa21(?:cd)?",
    "lsoa11": r"lsoa11(?:cd)?",
    "ward": r"osward|ward|wd(?P<year>\d\d)cd",
    "la": r"oslaua|laua|lad(?P<year>\d\d)?cd",
}


@dataclass(frozen=True)
class Placed:
    """One row a postcode given, in the order given: ``frame`` (postcode, code, status) and ``counts`` by status.

    ``placed`` and ``terminated`` have a code; ``no area`` stands in the directory without one (Channel Islands, Isle
    of Man), ``unknown`` does not stand there, ``malformed`` is no postcode, ``missing`` was empty.
    """

    frame: pd.DataFrame
    counts: dict[str, int]

    @property
    def message(self) -> str:
        """Counts only: a postcode can tell who somebody is."""
        return "; ".join(f"{n} {status}" for status, n in self.counts.items() if n) or "no postcodes"


def normalise_postcodes(postcodes: Iterable[object]) -> pd.Series:
    """Postcodes as upper case with one blank before the last three characters; "" where it is no postcode.

    Blanks, dots and hyphens within are forgiven; a letter O for a nought is not, since both can be right.

    >>> normalise_postcodes(["lu1 2bq", " LU12BQ", "LU1-2BQ", "Luton", None]).tolist()
    ['LU1 2BQ', 'LU1 2BQ', 'LU1 2BQ', '', '']
    """
    bare = _bare(postcodes)
    good = bare.astype("string").str.fullmatch(SHAPE).fillna(False).astype(bool)
    return (bare.str[:-3] + " " + bare.str[-3:]).where(good, "")


def read_postcodes(path: str | Path, *, la: str | Iterable[str] | None = None) -> Loaded:
    """An ONSPD, NSPL or postcode-to-LSOA file (CSV, may be gzipped): postcode, terminated, lsoa21, lsoa11, ward, la.

    ``la`` keeps one or more authorities' rows (the others are not counted as read). Columns that the file lacks are
    empty; the year of the ward and authority codes goes into the notes. Rows with a malformed or repeated postcode are
    put aside. Terminated postcodes are kept: families and systems keep old ones. Only the needed columns are read, so
    that all 2.7 million rows take seconds.
    """
    from pyarrow import ArrowInvalid, csv, string

    path = Path(path)
    try:
        with csv.open_csv(path) as reader:
            names = reader.schema.names
        spelt = _spellings(names, path.name)
        options = csv.ConvertOptions(
            include_columns=list(spelt.values()), column_types={c: string() for c in spelt.values()}
        )
        text = csv.read_csv(path, convert_options=options).to_pandas()
    except (OSError, ArrowInvalid) as error:
        raise PlaceError(
            Problem(f"The file cannot be read ({type(error).__name__}).", where=path.name, mend="Download it again.")
        ) from None
    raw = pd.DataFrame({name: clean_codes(text[spelt[name]]) if name in spelt else "" for name in COLUMNS})
    if la is not None:
        raw = raw[raw["la"].isin([la] if isinstance(la, str) else list(la))]
    raw["postcode"] = normalise_postcodes(raw["postcode"])
    for column in ("lsoa21", "lsoa11", "ward", "la"):
        raw[column] = raw[column].where(~raw[column].astype("string").str.fullmatch(NEVER_A_CODE.pattern), "")
    malformed = raw["postcode"] == ""
    again = ~malformed & raw["postcode"].duplicated()
    quarantine = together(
        [
            refused(path.name, raw.index[bad] + 2, spelt["postcode"], [""] * int(bad.sum()), rule, "Download it again.")
            for bad, rule in ((malformed, "no postcode"), (again, "the same postcode again"))
        ]
    )
    frame = raw[~(malformed | again)].reset_index(drop=True)
    years = [f"{k}: {spelt[k]}" for k in ("ward", "la") if k in spelt]
    notes = (
        f"{int((frame['terminated'] != '').sum())} postcodes are terminated.",
        f"Columns used: {', '.join(years)}.",
    )
    summary = Summary(
        source="Postcode directory",
        file=path.name,
        period="",
        rows_read=len(raw),
        rows_kept=len(frame),
        rows_refused=len(raw) - len(frame),
        sha256=sha256_of(path),
        publisher="Office for National Statistics",
        licence="Open Government Licence v3.0 (Royal Mail and OS credit lines apply)",
        kind="postcode",
        notes=notes,
    )
    return Loaded(frame, quarantine, summary)


def place_postcodes(postcodes: Iterable[object], directory: pd.DataFrame, target: str = "lsoa21") -> Placed:
    """The ``target`` code of each postcode, with what became of it; rows in = rows out, in the same order and index.

    ``directory`` is the frame of ``read_postcodes``. Raises ``PlaceError`` when it lacks the target. Use one rule for
    numerator and denominator: do not set postcode-placed pupils against best-fit sums of LSOAs.
    """
    if target not in directory or target == "postcode":
        raise PlaceError(Problem("The directory lacks this area.", value=target, expected=", ".join(directory.columns)))
    bare = _bare(postcodes)
    key = normalise_postcodes(postcodes)
    if directory["postcode"].duplicated().any():
        raise PlaceError(Problem("A postcode stands twice in the directory.", where="postcode"))
    own = directory.set_index("postcode")
    found = key.isin(own.index)
    code = key.map(own[target]).where(found, "").fillna("").astype("object")
    ended = key.map(own["terminated"]).where(found, "").fillna("") if "terminated" in own else ""
    status = pd.Series("placed", index=key.index, dtype="object").mask(ended != "", "terminated")
    status = status.mask(found & (code == ""), "no area").mask(~found, "unknown")
    status = status.mask(key == "", "malformed").mask(bare == "", "missing")
    frame = pd.DataFrame({"postcode": key, "code": code, "status": status})
    counts = status.value_counts()
    return Placed(frame, {s: int(counts.get(s, 0)) for s in STATUSES})


def postcode_lookup(directory: pd.DataFrame, target: str = "lsoa21") -> Lookup:
    """The directory as a ``Lookup`` for counts by postcode (keys without blank), without those that have no area."""
    held = directory[directory[target] != ""]
    rows = pd.DataFrame(
        {
            "source": held["postcode"].str.replace(" ", "", regex=False),
            "target": held[target],
            "weight": 1.0,
            "estimated": False,
        }
    )
    return Lookup(Geography("postcode"), Geography.of(target), rows.reset_index(drop=True), "postcode directory")


def _bare(postcodes: Iterable[object]) -> pd.Series:
    return clean_codes(postcodes).str.replace(r"[\s.\-]+", "", regex=True)


def _spellings(names: Iterable[str], file: str) -> dict[str, str]:
    lower = {str(name).strip().lower().lstrip("\ufeff"): name for name in names}
    spelt = {}
    for column, pattern in COLUMNS.items():
        hits = [lower[n] for n in lower if re.fullmatch(pattern, n)]
        if hits:
            # pcds has exactly one blank; the others are padded.
            spelt[column] = next((h for h in hits if h.lower() == "pcds"), hits[0])
    if "postcode" not in spelt or len(spelt) < 2:
        raise PlaceError(
            Problem(
                "The columns of a postcode directory were not found.",
                where=file,
                value=list(lower)[:10],
                expected="pcds and one of lsoa21, osward, oslaua in any of the ONS spellings",
            )
        )
    return spelt
