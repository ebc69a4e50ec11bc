"""From postcode to LSOA, ward or authority by an ONS postcode directory, with every postcode accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.errors import PlaceError
from geo.kinds import NEVER_A_CODE, Geography, clean_codes
from geo.lookups import Lookup
from jsna.errors import Problem
from jsna.files.archive import Stream, member_names, open_stream
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import first_row

if TYPE_CHECKING:
    import pyarrow

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
    """An ONSPD, NSPL or postcode-to-LSOA file: postcode, terminated, lsoa21, lsoa11, ward, la (all text).

    ``path`` is a CSV (may be gzipped), the zip as downloaded, or a folder; of a zip or folder the file of the whole
    country is read, else all parts (``multi_csv``). ``la`` keeps one or more authorities' rows (the others are not
    counted as read): with it the 2.7 million rows never stand in memory together. Columns that the file lacks are
    empty; the year of the ward and authority codes goes into the notes. Rows with a malformed or repeated postcode are
    put aside; pseudo codes (E99999999, and L and M for the Channel Islands and the Isle of Man) are no codes and
    become "". Terminated postcodes are kept: families and systems keep old ones. Raises ``PlaceError`` when the
    columns are not those of a directory.
    """
    import pyarrow

    path = Path(path)
    wanted = None if la is None else sorted({la} if isinstance(la, str) else set(la))
    parts, aside, notes = [], [], []
    seen = 0
    for file, member in _directories(path):
        where = file.name if member is None else f"{file.name}, {PurePosixPath(member).name}"
        for spelt, first, table in _batches(file, member, where):
            if wanted is not None and "la" not in spelt:
                raise PlaceError(
                    Problem("The directory has no authorities, so one cannot be picked.", where=where, value=wanted)
                )
            clean, rows = _clean(table, spelt, wanted)
            seen += len(rows)
            malformed = clean["postcode"].to_numpy(zero_copy_only=False) == ""
            numbers = rows[malformed] + first
            mend = "Download it again."
            aside.append(refused(where, numbers, spelt["postcode"], [""] * len(numbers), "no postcode", mend))
            parts.append((where, spelt["postcode"], rows[~malformed] + first, clean.filter(pyarrow.array(~malformed))))
            notes = [f"{k}: {spelt[k]}" for k in ("ward", "la") if k in spelt]
    frame = pyarrow.concat_tables([p[3] for p in parts]).to_pandas().astype("str")
    again = frame["postcode"].duplicated().to_numpy()
    start = 0
    for where, column, rows, table in parts if again.any() else ():
        numbers = rows[again[start : start + table.num_rows]]
        start += table.num_rows
        rule, mend = "the same postcode again", "Download it again."
        aside.append(refused(where, numbers, column, [""] * len(numbers), rule, mend))
    frame = frame[~again].reset_index(drop=True)
    summary = Summary(
        source="Postcode directory",
        file=path.name,
        period="",
        rows_read=seen,
        rows_kept=len(frame),
        rows_refused=seen - len(frame),
        sha256=sha256_of(path) if path.is_file() else "",
        publisher="Office for National Statistics",
        licence="Open Government Licence v3.0 (Royal Mail and OS credit lines apply)",
        kind="postcode",
        notes=(
            f"{int((frame['terminated'] != '').sum())} postcodes are terminated.",
            f"Columns used: {', '.join(notes)}.",
        ),
    )
    return Loaded(frame, together(aside), summary)


def is_directory(found: Path | Iterable[str]) -> bool:
    """Whether a zip or folder holds a postcode directory, or, of a list of headings, whether they are those of one.

    >>> is_directory(["PCDS", "DOTERM", "LSOA21CD"]), is_directory(["postcode", "name"])
    (True, False)
    """
    if not isinstance(found, Path):
        return bool(_spellings(found, "", strict=False))
    try:
        return bool(_directories(found))
    except PlaceError:
        return False


def _directories(path: Path) -> list[tuple[Path, str | None]]:
    """The files to read: the path itself, or of a zip or folder the one of the whole country, else all its parts."""
    if path.is_dir():
        found = [(p, None) for p in sorted(path.rglob("*.csv")) if _spellings(_headings(p, None), p.name, strict=False)]
    elif path.suffix.casefold() == ".zip":
        names = [m for m in member_names(path) if m.casefold().endswith(".csv")]
        found = [(path, m) for m in names if _spellings(_headings(path, m), m, strict=False)]
    else:
        return [(path, None)]
    whole = [(f, m) for f, m in found if "multi_csv" not in str(m or f).casefold()]
    if len(whole) > 1:
        value = [PurePosixPath(str(m or f)).name for f, m in whole]
        raise PlaceError(Problem("There are several directories: name one.", where=path.name, value=value))
    if not found:
        raise PlaceError(Problem("There is no postcode directory in it.", where=path.name))
    return whole or found


def _headings(file: Path, member: str | None) -> list[str]:
    with open_stream(file, member) as stream:
        return first_row(stream.read(1 << 16), member or file.name)


def _batches(file: Path, member: str | None, where: str) -> Iterator[tuple[dict[str, str], int, pyarrow.Table]]:
    """The needed columns of one file, piece by piece: their spellings, the row of the piece's first line, a table."""
    import pyarrow
    from pyarrow import csv

    try:
        spelt = _spellings(_headings(file, member), where)
        columns = list(dict.fromkeys(spelt.values()))
        convert = csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pyarrow.string()), strings_can_be_null=False
        )
        row = 2
        with open_stream(file, member) as stream:
            source = pyarrow.PythonFile(_Source(stream), mode="r")
            read = csv.ReadOptions(block_size=16 << 20)
            with csv.open_csv(source, read_options=read, convert_options=convert) as reader:
                for batch in reader:
                    yield spelt, row, pyarrow.Table.from_batches([batch])
                    row += batch.num_rows
    except (OSError, pyarrow.ArrowInvalid, pyarrow.ArrowKeyError) as error:
        what = f"The file cannot be read as a directory of postcodes ({type(error).__name__})."
        raise PlaceError(Problem(what, where=where, mend="Download it again.")) from None


class _Source:
    """A stream as pyarrow wants its files: closed by whoever opened it."""

    closed = False

    def __init__(self, stream: Stream) -> None:
        self.read = stream.read

    def close(self) -> None:
        return


def _clean(table: pyarrow.Table, spelt: dict[str, str], wanted: list[str] | None) -> tuple[pyarrow.Table, np.ndarray]:
    """The canonical columns of a piece, of the wanted authorities, and the positions of its rows in the piece."""
    import pyarrow
    from pyarrow import compute

    rows = np.arange(table.num_rows)
    if wanted is not None:
        keep = compute.is_in(_codes(table[spelt["la"]]), value_set=pyarrow.array(wanted))
        table, rows = table.filter(keep), rows[keep.to_numpy()]
    bare = compute.utf8_upper(compute.replace_substring_regex(table[spelt["postcode"]], r"[\s.\-]+", ""))
    good = compute.match_substring_regex(bare, f"^{SHAPE}$")
    spaced = compute.replace_substring_regex(bare, "^(.+)(.{3})$", r"\1 \2")
    blank = pyarrow.array([""] * table.num_rows, type=pyarrow.string())
    made = {"postcode": compute.if_else(good, spaced, "")}
    for column in list(COLUMNS)[1:]:
        made[column] = _codes(table[spelt[column]]) if column in spelt else blank
    return pyarrow.table(made), rows


def _codes(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Codes trimmed and in capitals, pseudo codes as ""; done once a code, not once a row."""
    import pyarrow
    from pyarrow import compute

    chunks = []
    for chunk in column.chunks:
        coded = chunk.dictionary_encode()
        clean = compute.utf8_upper(compute.utf8_trim_whitespace(coded.dictionary))
        clean = compute.if_else(compute.match_substring_regex(clean, f"^{NEVER_A_CODE.pattern}$"), "", clean)
        chunks.append(clean.take(coded.indices))
    return pyarrow.chunked_array(chunks, type=pyarrow.string())


def place_postcodes(postcodes: Iterable[object], directory: pd.DataFrame, target: str = "lsoa21") -> Placed:
    """The ``target`` code of each postcode, with what became of it; rows in = rows out, in the same order and index.

    ``directory`` is the frame of ``read_postcodes``. Raises ``PlaceError`` when it lacks the target. Use one rule for
    numerator and denominator: do not set postcode-placed pupils against best-fit sums of LSOAs.
    """
    if target not in directory or target == "postcode":
        raise PlaceError(Problem("The directory lacks this area.", value=target, expected=", ".join(directory.columns)))
    bare = _bare(postcodes)
    key = normalise_postcodes(postcodes)
    # Only what was asked for is indexed: the directory has 2.7 million rows.
    held = directory[directory["postcode"].isin(key.unique())]
    if held["postcode"].duplicated().any():
        raise PlaceError(Problem("A postcode stands twice in the directory.", where="postcode"))
    own = held.set_index("postcode")
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


def _spellings(names: Iterable[str], file: str, *, strict: bool = True) -> dict[str, str]:
    lower = {str(name).strip().lower().lstrip("\ufeff"): name for name in names}
    spelt = {}
    for column, pattern in COLUMNS.items():
        hits = [lower[n] for n in lower if re.fullmatch(pattern, n)]
        if hits:
            # pcds has exactly one blank; the others are padded.
            spelt[column] = next((h for h in hits if h.lower() == "pcds"), hits[0])
    if "postcode" in spelt and len(spelt) > 1:
        return spelt
    if not strict:
        return {}
    raise PlaceError(
        Problem(
            "The columns of a postcode directory were not found.",
            where=file,
            value=list(lower)[:10],
            expected="pcds and one of lsoa21, osward, oslaua in any of the ONS spellings",
        )
    )
