"""Read the official boundary, lookup and index files that this room knows, each with what was put aside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pandas as pd

from geo.boundaries import Boundaries, read_boundaries
from geo.errors import PlaceError
from geo.indices import read_indices
from geo.kinds import clean_codes, is_of_kind, kinds
from jsna.errors import Problem, did_you_mean
from jsna.files.headers import plain
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import TextTable, read_delimited, read_rows
from jsna.files.values import numbers as published_numbers
from jsna.files.workbook import read_sheets, table_of

LICENCE = "Open Government Licence v3.0"
ONS = "Office for National Statistics"
MEND = "Compare the row with the publisher's file."


@cache
def known_files() -> dict[str, dict]:
    """The files that can be read, by key, as geo/data/files.yml has them."""
    return packaged_yaml("geo.data", "files.yml")


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
    as floats with a ``<column>_symbol`` beside them where some are suppressed; ``quarantine`` with repeated headings,
    rows standing twice, and codes of another kind (these rows are not in the frame), and with cells that are neither a
    number nor an official symbol (missing in the frame, never 0). Raises ``PlaceError`` when the file is not what its
    name promises, and any ``SourceError`` of ``jsna.files`` when it cannot be read.
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
    readers = {"csv": _csv, "workbook": _workbook, "indices": read_indices, "dwp": _dwp}
    return readers[spec["form"]](path, spec)


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
    return Loaded(frame, loaded.quarantine, kept)


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
    return Boundaries(read.frame, read.quarantine, summary, read.repaired)


def _csv(path: Path, spec: dict) -> Loaded:
    table = read_delimited(path, headings=spec["columns"])
    renamed = {plain(k): v for k, v in spec["columns"].items()}
    names = {c: renamed.get(plain(c), c) for c in table.frame.columns}
    text = table.frame.rename(columns=names)
    missing = [old for old, new in spec["columns"].items() if new not in text]
    if missing:
        raise PlaceError(
            *(
                Problem(
                    f"The column {c!r} is missing or was renamed.",
                    where=path.name,
                    mend=did_you_mean(c, [str(n) for n in names]) or "Is this the file that its name says?",
                )
                for c in missing
            )
        )
    others = [c for c in text.columns if c not in spec["columns"].values()]
    numbers = others if spec.get("numbers") == "rest" else list(spec.get("numbers", []))
    return _finish(text[[*spec["columns"].values(), *numbers]], path, spec, numbers, table)


def _workbook(path: Path, spec: dict) -> Loaded:
    index = spec["index"]
    for name, sheet in read_sheets(path, formulas="values").items():
        if sheet.empty:
            continue
        found = table_of(sheet, f"{path.name}, {name}", headings=["LSOA code (2021)"])
        code = next((c for c in found if c.startswith("LSOA code (2021)")), None)
        own = {w: next((c for c in found if index in c and w in c), None) for w in ("Rank", "Decile")}
        if code is None or None in own.values():
            continue
        text = pd.DataFrame({"lsoa21": found[code], **{f"{index}_{w.lower()}": found[c] for w, c in own.items()}})
        spec = {**spec, "codes": {"lsoa21": "lsoa"}, "key": ["lsoa21"], "notes": ["1 = most deprived; no scores."]}
        return _finish(text, path, spec, [f"{index}_rank", f"{index}_decile"])
    raise PlaceError(
        Problem(f"The workbook holds no {index}.", where=path.name, mend="File 1 has IMD, File 3 IDACI: mixed up?")
    )


def _dwp(path: Path, spec: dict) -> Loaded:
    rows = read_rows(path)
    head = next((i for i, row in enumerate(rows) if "Area Code" in row), None)
    if head is None:
        raise PlaceError(Problem("The heading row was not found.", where=path.name, expected="a cell 'Area Code'"))
    names, area = _dwp_names(rows[head]), spec["area"]
    if f"{area}" not in names or not any(n.startswith("children_") for n in names):
        raise PlaceError(Problem("The columns were not found.", where=path.name, value=rows[head]))
    body = pd.DataFrame(rows[head + 1 :], columns=[n or f"blank {i}" for i, n in enumerate(names)])
    body = body[[n for n in names if n]]
    body.index = body.index + head + 2
    empty = (body == "").all(axis="columns")
    body = body[~empty]
    numbers = [n for n in names if n.startswith(("children_", "percent_"))]
    spec = {**spec, "codes": {area: area}, "key": [area]}
    spec["notes"] = [f"{head} lines before the heading and {int(empty.sum())} empty lines at the end were passed over."]
    return _finish(body, path, spec, numbers)


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


def _finish(text: pd.DataFrame, path: Path, spec: dict, numbers: list[str], table: TextTable | None = None) -> Loaded:
    frame = text.copy()
    for column in spec["codes"]:
        frame[column] = clean_codes(frame[column])
    key = spec["key"]
    first = next(iter(spec["codes"]))
    heading = frame[first].str.casefold().isin({first, *(plain(name) for name in spec.get("columns", {}))})
    parts, out = [] if table is None else [table.quarantine], heading.copy()
    parts.append(refused(path.name, text.index[heading], first, text.loc[heading, first], "the headings again", MEND))
    for column, kind in spec["codes"].items():
        wrong = ~out & ~is_of_kind(frame[column], kind)
        rule = f"not a code of a {kinds()[kind]['name']}"
        parts.append(refused(path.name, text.index[wrong], column, text.loc[wrong, column], rule, MEND))
        out |= wrong
    again = ~out & frame[~out].duplicated(key).reindex(frame.index, fill_value=False)
    label = frame.loc[again, key].agg(" ".join, axis="columns") if again.any() else []
    parts.append(refused(path.name, text.index[again], " ".join(key), label, "the same key again", MEND))
    out |= again
    if out.all():
        raise PlaceError(Problem("The file has no usable rows.", where=path.name, mend="Download it again."))
    frame = frame[~out].copy()
    for column in numbers:
        cells = frame[column]
        frame[column], symbol, strange = published_numbers(cells)
        if (symbol != "").any():
            frame[f"{column}_symbol"] = symbol
        rule = "neither a number nor an official symbol"
        parts.append(refused(path.name, cells.index[strange], column, cells[strange], rule, MEND))
    read = len(text) if table is None else table.rows_read
    summary = Summary(
        source=spec["title"],
        file=path.name,
        period=spec["period"],
        rows_read=read,
        rows_kept=len(frame),
        rows_refused=read - len(frame),
        sha256=sha256_of(path),
        publisher=spec.get("publisher", ONS),
        licence=LICENCE,
        kind=spec["codes"][first],
        vintage=spec.get("vintage", first[-2:] if first[-2:].isdigit() else ""),
        notes=(*spec.get("notes", ()), *(table.notes if table else ()), *_row_note(spec, read)),
    )
    return Loaded(frame.reset_index(drop=True), together(parts), summary)


def _row_note(spec: dict, rows: int) -> tuple[str, ...]:
    if "rows" not in spec or rows == spec["rows"]:
        return ()
    return (f"The file has {rows} rows; the publisher's of this vintage has {spec['rows']}: is it a part, or newer?",)
