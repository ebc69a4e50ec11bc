"""Read the official boundary, lookup and index files that this room knows, each with what was put aside."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd
import yaml

from geo.boundaries import Boundaries, read_boundaries
from geo.errors import PlaceError
from geo.kinds import clean_codes, is_of_kind, kinds
from geo.result import Loaded, Summary, aside, sha256_of, together
from jsna.errors import Problem, did_you_mean

LICENCE = "Open Government Licence v3.0"
ONS = "Office for National Statistics"
SYMBOLS = {"low": "low", "~": "low", "x": "x", "z": "z", "c": "c", "u": "u", "": "x", "-": "x", ":": "x"}
MEND = "Compare the row with the publisher's file."


@cache
def known_files() -> dict[str, dict]:
    """The files that can be read, by key, as geo/data/files.yml has them."""
    return yaml.safe_load(files("geo.data").joinpath("files.yml").read_text(encoding="utf-8"))


def recognise(path: str | Path) -> str:
    """The key of the file in ``known_files``, by its name. Raises ``PlaceError`` when no pattern fits.

    >>> recognise("geography/lookup_lsoa11_ward17.csv.gz")
    'lsoa11_ward17'
    """
    name = Path(path).name
    for key, spec in known_files().items():
        if fnmatch(name, spec["pattern"]):
            return key
    patterns = [spec["pattern"] for spec in known_files().values()]
    raise PlaceError(
        Problem(
            "The file is not among those that can be read.",
            where=name,
            expected="a name as in geo/data/files.yml",
            mend=did_you_mean(name, patterns) or "Give its key, or read it with read_boundaries.",
        )
    )


def read_place_file(path: str | Path, key: str | None = None) -> Loaded | Boundaries:
    """An official file, recognised by its name or read as ``key`` of ``known_files``.

    Boundaries come as ``Boundaries``, all others as ``Loaded``: ``frame`` with canonical names, codes as text, figures
    as floats with a ``<column>_symbol`` beside them where some are suppressed; ``set_aside`` with repeated headings,
    rows standing twice, and codes of another kind (these rows are not in the frame), and with cells that are neither a
    number nor an official symbol (missing in the frame, never 0). Raises ``PlaceError`` when the file is not what its
    name promises. Whole of England: under two seconds for text, about ten for a workbook.
    """
    path = Path(path)
    key = key or recognise(path)
    if key not in known_files():
        raise PlaceError(Problem("The key is not known.", value=key, mend=did_you_mean(key, known_files())))
    spec = known_files()[key]
    if not path.exists():
        raise PlaceError(Problem("The file is missing.", where=path.name, expected=spec["title"]))
    if spec["form"] == "boundaries":
        return _boundaries(path, spec)
    return {"csv": _csv, "workbook": _workbook, "dwp": _dwp}[spec["form"]](path, spec)


def rows_of(loaded: Loaded, codes: Iterable[object], column: str) -> Loaded:
    """The rows of one area: those whose ``column`` is among ``codes``; the rest is named in the notes, not refused.

    Raises ``PlaceError`` when some code is not in the file at all, which is how another vintage shows.
    """
    wanted = set(clean_codes(codes)) - {""}
    missing = sorted(wanted - set(loaded.frame[column]))
    if missing:
        raise PlaceError(
            Problem(
                f"{len(missing)} of {len(wanted)} codes are not in the file.",
                where=loaded.summary.file,
                value=missing[:5],
                mend="Is it a file of another vintage?",
            )
        )
    frame = loaded.frame[loaded.frame[column].isin(wanted)].reset_index(drop=True)
    s = loaded.summary
    note = f"{s.rows_kept - len(frame)} rows of other areas were left out."
    read = len(frame) + s.rows_refused
    kept = Summary(**{**s.__dict__, "rows_read": read, "rows_kept": len(frame), "notes": (*s.notes, note)})
    return Loaded(frame, loaded.set_aside, kept)


def ward_authorities(hierarchy: pd.DataFrame, year: int, level: str = "la") -> tuple[pd.DataFrame, int]:
    """One row a ward in force in ``year`` (ward, ward_name and ``level``), and how many rows were doubles of another.

    ``hierarchy`` is the frame of ``ward_hierarchy``: a row a ward and constituency. ``level`` is ``la`` (the upper
    tier: a county council stands over several districts) or ``district``. Raises ``PlaceError`` for a year that the
    file does not reach and for a ward in two areas of the level (one ward of North Yorkshire lay in two districts).
    """
    first, last = hierarchy["first_year"].astype("int64"), hierarchy["last_year"].astype("int64")
    if not first.min() <= year <= last.max():
        raise PlaceError(Problem("The year is not covered.", value=year, expected=f"{first.min()} to {last.max()}"))
    rows = hierarchy[(first <= year) & (last >= year)][["ward", "ward_name", level]]
    made = rows.drop_duplicates(["ward", level]).sort_values("ward", ignore_index=True)
    two = made["ward"].duplicated(keep=False)
    if two.any():
        wards = sorted(made.loc[two, "ward"].unique())
        raise PlaceError(Problem(f"{len(wards)} wards have two authorities.", where=level, value=wards[:5]))
    return made, len(rows) - len(made)


def _boundaries(path: Path, spec: dict) -> Boundaries:
    read = read_boundaries(path, spec["kind"], dissolve=spec.get("dissolve", False))
    if read.summary.vintage != spec["vintage"]:
        raise PlaceError(
            Problem(
                "The file holds another vintage than its name says.",
                where=path.name,
                value=f"20{read.summary.vintage}" if read.summary.vintage else "no year",
                expected=f"20{spec['vintage']}",
            )
        )
    whole = _row_note(spec, read.summary.rows_read)
    changed = {"source": spec["title"], "publisher": ONS, "licence": LICENCE, "notes": (*read.summary.notes, *whole)}
    summary = Summary(**{**read.summary.__dict__, **changed})
    return Boundaries(read.frame, read.set_aside, summary, read.repaired)


def _csv(path: Path, spec: dict) -> Loaded:
    text = _text(path)
    renamed = {_plain(k): v for k, v in spec["columns"].items()}
    names = {c: renamed.get(_plain(c), c) for c in text.columns}
    text = text.rename(columns=names)
    missing = [old for old, new in spec["columns"].items() if new not in text]
    if missing:
        raise PlaceError(
            *(
                Problem(
                    "A column is missing or was renamed.",
                    where=path.name,
                    value=c,
                    mend=did_you_mean(c, [str(n) for n in names]) or "Is this the file that its name says?",
                )
                for c in missing
            )
        )
    others = [c for c in text.columns if c not in spec["columns"].values()]
    numbers = others if spec.get("numbers") == "rest" else list(spec.get("numbers", []))
    return _finish(text[[*spec["columns"].values(), *numbers]], path, spec, numbers, text.index + 2)


def _workbook(path: Path, spec: dict) -> Loaded:
    try:
        sheets = pd.read_excel(path, sheet_name=None, dtype="object")
    except (zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        raise PlaceError(
            Problem(f"The workbook cannot be read ({type(error).__name__}).", where=path.name, mend="Is it whole?")
        ) from None
    index = spec["index"]
    for sheet in sheets.values():
        flat = [" ".join(str(c).split()) for c in sheet.columns]
        code = next((i for i, c in enumerate(flat) if c.startswith("LSOA code (2021)")), None)
        own = {w: next((i for i, c in enumerate(flat) if index in c and w in c), None) for w in ("Rank", "Decile")}
        if code is None or None in own.values():
            continue
        text = pd.DataFrame({"lsoa21": sheet.iloc[:, code]})
        for word, at in own.items():
            text[f"{index}_{word.lower()}"] = sheet.iloc[:, at].astype("string").fillna("")
        spec = {**spec, "codes": {"lsoa21": "lsoa"}, "key": ["lsoa21"], "notes": ["1 = most deprived; no scores."]}
        return _finish(text, path, spec, [f"{index}_rank", f"{index}_decile"], text.index + 2)
    raise PlaceError(
        Problem(f"The workbook holds no {index}.", where=path.name, mend="File 1 has IMD, File 3 IDACI: mixed up?")
    )


def _dwp(path: Path, spec: dict) -> Loaded:
    rows = list(csv.reader(io.StringIO(_decoded(path))))
    flat = [[" ".join(cell.split()) for cell in row] for row in rows]
    head = next((i for i, row in enumerate(flat) if "Area Code" in row), None)
    if head is None:
        raise PlaceError(Problem("The heading row was not found.", where=path.name, expected="a cell 'Area Code'"))
    names, area = _dwp_names(flat[head]), spec["area"]
    if f"{area}" not in names or not any(n.startswith("children_") for n in names):
        raise PlaceError(Problem("The columns were not found.", where=path.name, value=flat[head]))
    body = pd.DataFrame(flat[head + 1 :], columns=[n or f"blank {i}" for i, n in enumerate(names)])
    body = body[[n for n in names if n]]
    body.index = body.index + head + 2
    empty = (body == "").all(axis="columns")
    body = body[~empty]
    numbers = [n for n in names if n.startswith(("children_", "percent_"))]
    spec = {**spec, "codes": {area: area}, "key": [area]}
    spec["notes"] = [f"{head} lines before the heading and {int(empty.sum())} empty lines at the end were passed over."]
    return _finish(body.reset_index(drop=True), path, spec, numbers, body.index)


def _dwp_names(heading: list[str]) -> list[str]:
    names, last = [], ""
    for cell in heading:
        year = re.search(r"FYE (\d{4})", cell)
        if cell == "Area Code":
            # The table has two columns of this name: each belongs to the name before it.
            names.append(last)
        elif cell.startswith(("Number of children", "Percentage of children")) and year:
            names.append(("children_" if cell.startswith("N") else "percent_") + year[1])
        elif cell.startswith(("Local Authority", "Ward")):
            last = "la" if cell.startswith("L") else "ward"
            names.append(f"{last}_name")
        else:
            names.append("")
    return names


def _finish(text: pd.DataFrame, path: Path, spec: dict, numbers: list[str], lines: Iterable[int]) -> Loaded:
    line = pd.Series(list(lines), index=text.index)
    frame = text.copy()
    for column in spec["codes"]:
        frame[column] = clean_codes(frame[column])
    key = spec["key"]
    first = next(iter(spec["codes"]))
    heading = frame[first].str.casefold().isin({first, *(_plain(name) for name in spec.get("columns", {}))})
    parts, refused = [], heading.copy()
    parts.append(aside(path.name, line[heading], first, text.loc[heading, first], "the headings again", MEND))
    for column, kind in spec["codes"].items():
        wrong = ~refused & ~is_of_kind(frame[column], kind)
        rule = f"not a code of a {kinds()[kind]['name']}"
        parts.append(aside(path.name, line[wrong], column, text.loc[wrong, column], rule, MEND))
        refused |= wrong
    again = ~refused & frame[~refused].duplicated(key).reindex(frame.index, fill_value=False)
    label = frame.loc[again, key].agg(" ".join, axis="columns") if again.any() else []
    parts.append(aside(path.name, line[again], " ".join(key), label, "the same key again", MEND))
    refused |= again
    if refused.all():
        raise PlaceError(Problem("The file has no usable rows.", where=path.name, mend="Download it again."))
    frame, line = frame[~refused].reset_index(drop=True), line[~refused].reset_index(drop=True)
    for column in numbers:
        frame, strange = _numbers(frame, column)
        parts.append(
            aside(
                path.name,
                line[strange],
                column,
                text[column][~refused].reset_index(drop=True)[strange],
                "neither a number nor an official symbol",
                MEND,
            )
        )
    summary = Summary(
        source=spec["title"],
        file=path.name,
        period=spec["period"],
        rows_read=len(text),
        rows_kept=len(frame),
        rows_refused=len(text) - len(frame),
        sha256=sha256_of(path),
        publisher=spec.get("publisher", ONS),
        licence=LICENCE,
        kind=spec["codes"][first],
        vintage=spec.get("vintage", first[-2:] if first[-2:].isdigit() else ""),
        notes=(*spec.get("notes", ()), *_row_note(spec, len(text))),
    )
    return Loaded(frame, together(parts), summary)


def _numbers(frame: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.Series]:
    text = frame[column].astype("string").fillna("").str.strip()
    plain = text.str.replace(",", "", regex=False).str.removesuffix("%")
    values = pd.to_numeric(plain, errors="coerce").astype("float64")
    bare = text.str.strip("[]").str.strip().str.lower()
    symbol = bare.map(SYMBOLS).where(values.isna(), "").astype("object")
    strange = values.isna() & symbol.isna()
    frame[column] = values
    if values.isna().any():
        frame[f"{column}_symbol"] = symbol.fillna("x").astype(str)
    return frame, strange


def _row_note(spec: dict, rows: int) -> tuple[str, ...]:
    if "rows" not in spec or rows == spec["rows"]:
        return ()
    return (f"The file has {rows} rows; the publisher's of this vintage has {spec['rows']}: is it a part, or newer?",)


def _plain(name: object) -> str:
    return " ".join(str(name).split()).casefold()


def _decoded(path: Path) -> str:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise PlaceError(
            Problem(
                f"The file cannot be read; it may be cut short ({type(error).__name__}).",
                where=path.name,
                mend="Download it again and compare its size with the publisher's.",
            )
        ) from None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PlaceError(Problem("The file is neither UTF-8 nor Windows-1252 text.", where=path.name))


def _text(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(io.StringIO(_decoded(path)), dtype="str", keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PlaceError(Problem(f"The file is not a table ({type(error).__name__}).", where=path.name)) from None
    if frame.empty:
        raise PlaceError(Problem("The file has no rows.", where=path.name, mend="Download it again."))
    return frame
