"""Which official file is this? Told by its headings, never by its name; and each read by the reader that knows it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path, PurePosixPath

from geo.boundaries import Boundaries, read_boundaries
from geo.files import known_files as place_files
from geo.files import read_place_file
from geo.indices import columns_of
from geo.kinds import code_columns
from geo.postcodes import is_directory, read_postcodes
from jsna.codes import all_versions
from jsna.errors import Problem, SourceError
from jsna.files.archive import member_names, open_stream
from jsna.files.headers import plain
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded
from jsna.files.text import first_row
from jsna.sources.ees import read_ees, read_release
from jsna.sources.ees_release import bare_identifier, data_files
from jsna.sources.ees_specs import COMPULSORY, find_spec
from jsna.sources.ees_specs import known_files as ees_files
from jsna.sources.population import PLACE, known_tables, nomis_spec, read_census_slice, read_nomis_table, slice_of
from jsna.sources.tables import read_neighbours_by_name
from jsna.sources.tribunal import read_appeals

HEAD_BYTES = 1 << 18
HEAD_ROWS = 40
# Where nothing fits, the nearest kind is named when it has at least this share of the headings.
NEAR = 0.4


@dataclass(frozen=True)
class Recognised:
    """``kind`` is "" for a file that nobody knows; ``title`` then names the nearest kind, and ``reason`` says in which
    headings it differs. ``year`` is the year or release where the headings or the first row tell."""

    kind: str
    title: str
    year: str
    reason: str


@dataclass(frozen=True)
class _Known:
    kind: str
    title: str
    year: str
    headings: frozenset[str]


def recognise(path: Path) -> Recognised:
    """What kind of official file this is, by its headings: a CSV (gzipped or not), parquet, workbook, GeoJSON, or zip.

    Kinds: ``ees:<file>`` and ``ees`` (a file of the standard that is not among the known ones), ``ees release``,
    ``place:<key>``, ``boundaries``, ``population:<key>``, ``nomis:<table>``, ``postcodes``, ``tribunal``,
    ``neighbours by name``, and those of official.yml. Nothing is read but the head. Raises ``SourceError`` for a file
    that is missing or damaged.
    """
    if not path.exists():
        raise SourceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    if path.is_dir() or path.suffix.casefold() == ".zip":
        return _release(path)
    rows = _rows(path)
    for test in (_neighbours_by_name, _tribunal, _low_income, _indices, _boundaries, _ees, _nomis, _slice, _directory):
        found = test(rows, path)
        if found:
            return found
    return _by_headings(rows)


def read_official(path: Path) -> Loaded | Boundaries | dict[str, Loaded]:
    """The file, read by the reader of its kind; a release as a dictionary by table, the tribunal's among them.

    Raises ``SourceError`` that names the nearest kind for a file that nobody knows, and whatever its reader raises.
    """
    found = recognise(path)
    kind, _, key = found.kind.partition(":")
    if not kind:
        mend = f"Nearest: {found.title}." if found.title else "See the list of files that can be read."
        raise SourceError(Problem(found.reason, where=path.name, mend=mend))
    readers: dict[str, Callable[[], Loaded | Boundaries | dict[str, Loaded]]] = {
        "ees": lambda: read_ees(path, spec=key or None),
        "ees release": lambda: _whole_release(path),
        "place": lambda: read_place_file(path, key),
        "boundaries": lambda: read_boundaries(path),
        "population": lambda: read_census_slice(path, key),
        "nomis": lambda: read_nomis_table(path),
        "postcodes": lambda: read_postcodes(path),
        "tribunal": lambda: read_appeals(path),
        "neighbours by name": lambda: read_neighbours_by_name(path),
    }
    if kind in readers:
        return readers[kind]()
    module, name = _listed()[kind]["reader"].split(".")
    return getattr(import_module(f"jsna.sources.{module}"), name)(path)


def _whole_release(path: Path) -> dict[str, Loaded]:
    tables = read_release(path)
    if path.is_file() and any("tribunal" in m.casefold() and m.endswith(".csv") for m in member_names(path)):
        tables["tribunal"] = read_appeals(path)
    return tables


@cache
def _listed() -> dict[str, dict]:
    return packaged_yaml("jsna.sources", "official.yml")


@cache
def _known() -> list[_Known]:
    """Every kind that is told by a set of headings, with these in their plain form."""

    def made(kind: str, title: str, year: str, headings: Iterable[str]) -> _Known:
        return _Known(kind, title, year, frozenset(plain(h) for h in headings))

    known = [made(key, s["title"], s.get("year", ""), s["headings"]) for key, s in _listed().items()]
    for key, spec in place_files().items():
        if spec["form"] == "csv":
            headings = [*spec["columns"], *spec.get("told_by", [])]
            known.append(made(f"place:{key}", spec["title"], str(spec["period"]), headings))
    for key, spec in ees_files().items():
        known.append(made(f"ees:{key}", spec.source, spec.release, [*COMPULSORY, *spec.filters, *spec.needed]))
    for key, spec in known_tables()["slices"].items():
        headings = [spec[k] for k in ("code", "name", "category", "count", "total") if k in spec]
        known.append(made(f"population:{key}", spec["title"], spec.get("period", "2021"), headings))
    return known


def _by_headings(rows: list[list[str]]) -> Recognised:
    """The kind of which all headings stand in one row, else the nearest one and what sets the file apart from it."""
    best, share, other = None, 0.0, rows[0] if rows else []
    for row in rows:
        present = {plain(c) for c in row if c.strip()}
        for known in _known():
            part = len(known.headings & present) / len(known.headings)
            if (part, len(known.headings)) > (share, len(best.headings) if best else 0):
                best, share, other = known, part, row
    if best and share == 1:
        return Recognised(best.kind, best.title, best.year, f"It has all of: {', '.join(sorted(best.headings))}.")
    if not best or share < NEAR:
        shown = ", ".join(c for c in other if c)[:200]
        return Recognised("", "", "", f"No official file is known with headings like these: {shown or 'none at all'}.")
    present = {plain(c) for c in other if c.strip()}
    lacks = ", ".join(sorted(best.headings - present))
    more = ", ".join(sorted(present - best.headings)[:12]) or "none"
    return Recognised("", best.title, "", f"It is near to “{best.title}” but lacks {lacks}; other headings: {more}.")


def _release(path: Path) -> Recognised:
    names = [p.name for p in path.rglob("*")] if path.is_dir() else member_names(path)
    if any(re.search(r"census2021-ts\d+.*\.csv$", n.casefold()) for n in names):
        return Recognised(
            "nomis", "Census 2021: a bulk table, all geographies", "2021", "It holds census2021-ts… files."
        )
    if is_directory(path):
        return Recognised("postcodes", "ONS: postcode directory", "", "It holds a postcode directory.")
    tables = data_files(path)
    if tables:
        reason = f"It holds {len(tables)} data files: {', '.join(tables[:20])}."
        specs = [s for n in tables if (s := ees_files().get(n))]
        title = specs[0].publication if specs else "Explore Education Statistics: a release"
        return Recognised("ees release", title, specs[0].release if specs else "", reason)
    shown = ", ".join(PurePosixPath(n).name for n in names[:10])
    return Recognised("", "", "", f"It holds no file in a form that is known: {shown}.")


def _ees(rows: list[list[str]], path: Path) -> Recognised | None:
    for row, below in zip(rows, [*rows[1:], []], strict=True):
        spelt = [bare_identifier(c) for c in row]
        first = dict(zip(spelt, below, strict=False))
        spec = find_spec(spelt, first)
        if spec:
            return Recognised(
                f"ees:{spec.key}", spec.source, spec.release, f"It has {', '.join(spec.needed or spec.words)}."
            )
        if set(COMPULSORY) <= set(spelt):
            reason = "It has the compulsory columns of the open data standard, and is not among the known files."
            return Recognised("ees", "Explore Education Statistics: a data file", first.get("time_period", ""), reason)
    return None


def _neighbours_by_name(rows: list[list[str]], path: Path) -> Recognised | None:
    names = [c.strip() for c in (rows[0] if rows else []) if c.strip()]
    known = all_versions("local_authority")
    known = {n.casefold() for n in (*known["name"], *known["lait_name"])}
    if len(names) < 20 or sum(n.casefold() in known for n in names) < 0.9 * len(names):
        return None
    reason = f"Its {len(names)} headings are names of authorities."
    return Recognised("neighbours by name", "DfE: Statistical neighbours, by name", "", reason)


def _tribunal(rows: list[list[str]], path: Path) -> Recognised | None:
    for above, below in pairwise(rows):
        if "LA code" in above and any("appeal rate" in c.casefold() for c in below):
            years = [c.strip() for c in above if re.fullmatch(r"20\d\d", c.strip())]
            reason = "Years stand above appeals, appealable decisions and their rate."
            return Recognised("tribunal", "SEND Tribunal: appeals and appeal rate", years[-1] if years else "", reason)
    return None


def _low_income(rows: list[list[str]], path: Path) -> Recognised | None:
    for row in rows:
        years = re.findall(r"FYE (\d{4})", " ".join(row))
        if "Area Code" in row and years:
            key = "low_income_ward" if any(c.startswith("Ward") for c in row) else "low_income_la"
            title, year = place_files()[key]["title"], place_files()[key]["period"]
            return Recognised(
                f"place:{key}", title, year, f"It has Area Code and numbers of children of FYE {max(years)}."
            )
    return None


def _indices(rows: list[list[str]], path: Path) -> Recognised | None:
    for row in rows:
        headings = [plain(c) for c in row]
        code = next((h for h in headings if h.startswith("lsoa code (")), None)
        columns = columns_of(headings) if code else {}
        if code is None or not any(c.endswith("_rank") for c in columns):
            continue
        edition = "2019" if "2011" in code else "2025"
        keys = {("2025", "file3"): "idaci25_file3", ("2025", "file1"): "imd25_file1"}
        if {"IMD_rank", "IDACI_score", "children_0_15"} <= set(columns):
            key, what = f"iod_file7_{edition}", "all indices with scores and populations"
        elif "IDACI_rank" in columns and "Crime_rank" not in columns:
            key, what = keys.get((edition, "file3"), ""), "IDACI and IDAOPI alone (File 3)"
        elif "Crime_rank" in columns:
            key, what = "", "the domains without IDACI (File 2 or 5)"
        else:
            key, what = keys.get((edition, "file1"), ""), "IMD alone (File 1)"
        title = place_files()[key]["title"] if key else f"English Indices of Deprivation {edition}: {what}"
        reason = f"It has {code} and {what}." + ("" if key else " Nothing reads it here: File 7 is wanted.")
        return Recognised(f"place:{key}" if key else "", title, edition, reason)
    return None


def _boundaries(rows: list[list[str]], path: Path) -> Recognised | None:
    if not rows or "geometry" not in [c.casefold() for c in rows[0]]:
        return None
    codes = code_columns(rows[0])
    if not codes:
        return Recognised("", "Boundaries", "", f"It has shapes, but no column of codes: {', '.join(rows[0][:12])}.")
    where = codes[0].geography
    whole = path.suffix.casefold() == ".parquet"
    for key, spec in place_files().items():
        same = spec["form"] == "boundaries" and (spec["kind"], spec["vintage"]) == (where.kind, where.vintage)
        if same and spec["pattern"].endswith(".parquet") == whole:
            reason = f"It has shapes and {codes[0].name}."
            return Recognised(f"place:{key}", spec["title"], f"20{where.vintage}", reason)
    year = f"20{where.vintage}" if where.vintage else ""
    return Recognised("boundaries", f"Boundaries: {where.words}", year, f"It has shapes and {codes[0].name}.")


def _nomis(rows: list[list[str]], path: Path) -> Recognised | None:
    for row, below in zip(rows, [*rows[1:], []], strict=True):
        if not set(PLACE[1:]) <= {plain(c) for c in row}:
            continue
        figures = [c for c in row if plain(c) not in PLACE]
        if below and not any(re.search(r"\d", c) for c in below):
            figures = [f"{a} {b}".strip() for a, b in zip(figures, below[len(row) - len(figures) :], strict=False)]
        try:
            spec = nomis_spec(figures)
        except SourceError:
            continue
        key = next((k for k, s in known_tables()["nomis"].items() if s["prefix"] == spec["prefix"]), "")
        reason = f"It has geography code and columns that begin {spec['prefix']!r}."
        return Recognised(f"nomis:{key}" if key else "nomis", spec["title"], "2021", reason)
    return None


def _slice(rows: list[list[str]], path: Path) -> Recognised | None:
    for row in rows[:3]:
        key = slice_of(row)
        if key:
            spec = known_tables()["slices"][key]
            reason = f"It has {spec['code']} and the columns of this extract."
            return Recognised(f"population:{key}", spec["title"], spec.get("period", "2021"), reason)
    return None


def _directory(rows: list[list[str]], path: Path) -> Recognised | None:
    if not rows or not is_directory(rows[0]):
        return None
    years = sorted({m[1] for c in rows[0] if (m := re.fullmatch(r"(?i)(?:lad|wd)(\d\d)cd", c.strip()))})
    reason = "It has postcodes with LSOA, ward or authority in one of the ONS spellings."
    return Recognised("postcodes", "ONS: postcode directory", f"20{years[-1]}" if years else "", reason)


def _rows(path: Path) -> list[list[str]]:
    """The first rows of cells: headings are among them, however many lines stand above."""
    ending = path.suffix.casefold()
    if ending == ".parquet":
        return [_parquet_columns(path)]
    if ending in (".geojson", ".json"):
        return _geojson_columns(path)
    if ending == ".xlsx":
        from jsna.files.workbook import read_sheets

        sheets = read_sheets(path, formulas="values").values()
    elif ending == ".ods":
        from jsna.sources.inspections import read_ods

        sheets = read_ods(path).values()
    else:
        return _text_rows(path)
    return [[" ".join(str(c).split()) for c in row] for sheet in sheets for row in sheet.head(HEAD_ROWS).to_numpy()]


def _text_rows(path: Path) -> list[list[str]]:
    with open_stream(path) as stream:
        head = stream.read(HEAD_BYTES)
    names = first_row(head, path.name, COMPULSORY)
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    lines = text.splitlines(keepends=True)
    # The last line of a head that was cut is half a row.
    lines = lines[:-1] if len(head) == HEAD_BYTES and len(lines) > 1 else lines
    delimiter = max(",;\t|", key=lambda d: max(len(row) for row in csv.reader(lines[:HEAD_ROWS], delimiter=d)))
    rows = []
    for row in csv.reader(lines, delimiter=delimiter):
        rows.append([" ".join(c.split()) for c in row])
        if len(rows) == HEAD_ROWS:
            break
    return rows or [names]


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_schema(path).names
    except (OSError, pyarrow.ArrowInvalid) as error:
        what = f"The file is not readable as parquet ({type(error).__name__})."
        raise SourceError(Problem(what, where=path.name, mend="Download it again.")) from None


def _geojson_columns(path: Path) -> list[list[str]]:
    """The properties of the first feature, found in the head without reading the shapes."""
    with open_stream(path) as stream:
        head = stream.read(HEAD_BYTES).decode("utf-8-sig", "replace")
    # The reference system has properties too, before the first feature.
    head = head[head.find('"features"') :] if '"features"' in head else head
    found = re.search(r'"properties"\s*:\s*(\{[^{}]*\})', head)
    try:
        names = list(json.loads(found[1])) if found else []
    except json.JSONDecodeError:
        names = []
    return [[*names, "geometry"] if '"geometry"' in head else names]
