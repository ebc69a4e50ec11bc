"""Read official boundaries in any of their forms, check all of it before any of it is used, and match codes to it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.errors import PlaceError
from geo.kinds import Column, Geography, clean_codes, code_columns, first_in_use, is_of_kind, kind_of_codes, kinds
from geo.shapes import (
    ShapeComparison,
    Tiling,
    compare_shapes,
    do_they_tile,
    simplify,
)
from jsna.errors import Problem, did_you_mean
from jsna.files.result import Summary, refused, sha256_of, together

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "Boundaries",
    "Match",
    "ShapeComparison",
    "Tiling",
    "check_boundaries",
    "compare_shapes",
    "do_they_tile",
    "match",
    "read_boundaries",
    "simplify",
]

METRES = "EPSG:27700"
DEGREES_BOX = (-9.5, 49.0, 2.5, 61.5)
METRES_BOX = (-10_000.0, -10_000.0, 700_000.0, 1_300_000.0)


@dataclass(frozen=True)
class Boundaries:
    """Shapes of one kind and vintage: ``frame`` (code, name, geometry; EPSG:27700), ``quarantine`` and ``summary``.

    Rows read = rows of the frame + rows of ``quarantine``. ``frame.attrs`` repeats kind and vintage, so that they
    travel with the frame. ``repaired`` are the codes whose rings crossed themselves and were mended.
    """

    frame: gpd.GeoDataFrame
    quarantine: pd.DataFrame
    summary: Summary
    repaired: tuple[str, ...] = ()

    @property
    def geography(self) -> Geography:
        return Geography(self.summary.kind, self.summary.vintage)


@dataclass(frozen=True)
class Match:
    """Which codes of the data have a shape: ``matched``, ``data_only``, ``boundaries_only`` (each sorted), ``message``.

    ``rows_matched`` + ``rows_unmatched`` are the data's rows. ``share`` of rows matched is 0 to 1 (1 with no rows).
    """

    matched: tuple[str, ...]
    data_only: tuple[str, ...]
    boundaries_only: tuple[str, ...]
    rows_matched: int
    rows_unmatched: int
    message: str

    @property
    def share(self) -> float:
        rows = self.rows_matched + self.rows_unmatched
        return self.rows_matched / rows if rows else 1.0


def read_boundaries(
    path: str | Path, kind: str | None = None, *, crs: str | None = None, dissolve: bool = False
) -> Boundaries:
    """The boundaries of a GeoParquet, GeoPackage, GeoJSON or shapefile, canonical and checked.

    ``kind`` (lsoa, msoa, ward, la ...) picks the column when a file has several codes; without it the smallest kind
    whose codes stand once is taken. ``crs`` says what the coordinates are when the file does not say or says it
    wrongly. ``dissolve`` joins different shapes of one code, as when a ward lies in two districts; each part after the
    first is listed as put aside. Raises ``PlaceError`` with every problem of the file: no or wrong reference system,
    swapped axes, places outside Great Britain, one code with two shapes, codes of another kind. Single rows without
    shape, with a code of another kind or standing twice alike are put aside and listed; crossing rings are mended and
    named. Not for point files or postcodes. Degrees become metres without a grid file, which can move shapes by up to
    5 m. Swapped axes in metres cannot be told from a place elsewhere, unless they leave Great Britain.
    """
    path = Path(path)
    raw = _read(path)
    return check_boundaries(raw, kind, crs=crs, dissolve=dissolve, file=path.name, sha256=sha256_of(path))


def check_boundaries(
    raw: gpd.GeoDataFrame,
    kind: str | None = None,
    *,
    crs: str | None = None,
    dissolve: bool = False,
    file: str = "shapes",
    sha256: str = "",
) -> Boundaries:
    """A frame of shapes already read, checked and made canonical as by ``read_boundaries``."""
    if kind is not None:
        Geography.of(kind)
    column, problems = _column(raw, kind, file)
    problems += _crs_problems(raw, crs, file)
    if column is None:
        raise PlaceError(*problems)
    codes = clean_codes(raw[column.name]).reset_index(drop=True)
    names = raw[column.label].reset_index(drop=True) if column.label else pd.Series("", index=codes.index)
    shapes = raw.geometry.reset_index(drop=True)
    own = is_of_kind(codes, column.geography.kind)
    if len(codes) and own.mean() <= 0.5:
        problems.append(_other_kind(codes, column, file))
    empty = shapes.isna() | shapes.is_empty
    usable = own & ~empty
    if not usable.any():
        problems.append(Problem("There is no row with a shape and a code.", where=file, mend="Download it again."))
    again, part = _doubles(codes, shapes, usable)
    if part.any() and not dissolve:
        clash = sorted(codes[part].unique())
        problems.append(
            Problem(
                f"{len(clash)} codes have more than one shape.",
                where=file,
                value=clash[:5],
                expected="each code once",
                mend="Are two vintages in one file? If they are parts of one area, pass dissolve=True.",
            )
        )
    if problems:
        raise PlaceError(*problems)
    quarantine = together(
        [
            _refused(file, column.name, codes, ~own, f"not a code of a {kinds()[column.geography.kind]['name']}"),
            _refused(file, column.name, codes, own & empty, "no shape"),
            _refused(file, column.name, codes, again, "the same code with the same shape again"),
            _refused(file, column.name, codes, part, "another part of the same area, joined to the first"),
        ]
    )
    import geopandas as gpd

    table = {"code": codes.astype(str), "name": names.astype("string").fillna("").astype(str)}
    frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes.to_numpy(), crs=crs or raw.crs))[usable & ~again]
    if part.any():
        frame = frame.dissolve("code", sort=False, as_index=False)[["code", "name", "geometry"]]
    return _finished(frame.reset_index(drop=True), len(raw), column, quarantine, file, sha256)


def _doubles(codes: pd.Series, shapes: gpd.GeoSeries, usable: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Where a usable code stands again with the same shape, and where it stands again with another."""
    again = pd.Series(False, index=codes.index)
    twice = usable & codes.where(usable).duplicated(keep=False)
    if twice.any():
        same = pd.DataFrame({"code": codes[twice], "shape": shapes[twice].normalize().to_wkb()})
        again[twice] = same.duplicated().to_numpy()
    left = usable & ~again
    return again, left & codes.where(left).duplicated()


def _finished(
    frame: gpd.GeoDataFrame, rows: int, column: Column, quarantine: pd.DataFrame, file: str, sha256: str
) -> Boundaries:
    import geopandas as gpd
    import shapely

    if not CRS.from_user_input(frame.crs).equals(METRES):
        frame = frame.to_crs(METRES)
    broken = ~frame.geometry.is_valid
    notes = []
    if broken.any():
        mended = shapely.make_valid(frame.geometry[broken].to_numpy(), method="structure", keep_collapsed=False)
        frame.loc[broken, "geometry"] = gpd.GeoSeries(mended, index=frame.index[broken], crs=METRES)
        notes.append(f"{int(broken.sum())} shapes had crossing rings and were mended.")
    vintage = column.geography.vintage or _vintage_of(frame["code"], column.geography.kind)
    if not column.geography.vintage and vintage:
        notes.append(f"The columns name no year; the codes say 20{vintage} or later.")
    if len(quarantine):
        notes.append(f"{len(quarantine)} rows were put aside.")
    frame.attrs.update(kind=column.geography.kind, vintage=vintage)
    if rows != len(frame) + len(quarantine):
        raise PlaceError(f"{file}: {rows} rows read, {len(frame)} kept and {len(quarantine)} reported do not add up.")
    summary = Summary(
        source=f"Boundaries of {column.geography.words}",
        file=file,
        period=f"20{vintage}" if vintage else "",
        rows_read=rows,
        rows_kept=len(frame),
        rows_refused=len(quarantine),
        sha256=sha256,
        kind=column.geography.kind,
        vintage=vintage,
        notes=tuple(notes),
    )
    return Boundaries(frame, quarantine, summary, tuple(frame.loc[broken, "code"]))


def match(codes: Iterable[object], boundaries: Boundaries | gpd.GeoDataFrame, kind: str | None = None) -> Match:
    """Which of the data's codes have a shape and which shapes have no data, with the vintage that explains it.

    ``codes`` may repeat and may be missing: each counts as a row. Missing codes are unmatched rows, not codes.
    ``boundaries`` are ``Boundaries`` or a frame with ``code``. Nothing is dropped: the caller decides.
    """
    frame = boundaries.frame if isinstance(boundaries, Boundaries) else boundaries
    data = clean_codes(codes)
    have = set(frame["code"])
    matched = sorted(set(data) & have)
    data_only = sorted(set(data) - have - {""})
    shapes_only = sorted(have - set(data))
    kind = kind or frame.attrs.get("kind") or kind_of_codes(frame["code"])
    rows = int(data.isin(have).sum())
    message = _match_message(kind, data, matched, data_only, shapes_only)
    return Match(tuple(matched), tuple(data_only), tuple(shapes_only), rows, len(data) - rows, message)


def _match_message(kind: str, data: pd.Series, matched: list, data_only: list, shapes_only: list) -> str:
    name = kinds()[kind]["name"] if kind else "area"
    missing = int((data == "").sum())
    blank = f" {missing} rows have no code." if missing else ""
    if not data_only:
        rest = f" {len(shapes_only)} shapes have no data." if shapes_only else ""
        return f"All {len(matched)} {name} codes of the data have a shape.{rest}{blank}"
    text = f"{len(data_only)} of {len(matched) + len(data_only)} {name} codes of the data have no shape"
    text += f" (such as {', '.join(data_only[:3])}), and {len(shapes_only)} shapes have no data."
    if not kind:
        return text + blank
    other = kind_of_codes(data_only)
    if other and other != kind:
        return f"{text} The data's codes are those of another kind: {kinds()[other]['name']}.{blank}"
    ours = max(first_in_use(data_only, kind), default="")
    theirs = max(first_in_use(shapes_only, kind), default="") if shapes_only else ""
    if ours and theirs and ours != theirs:
        text += (
            f" Two vintages, likely: the data's codes without a shape are of {ours}, the shapes without data of "
            f"{theirs}. Take boundaries of the data's vintage, or convert the counts by a lookup first."
        )
    elif ours and not shapes_only:
        text += f" The codes without a shape are of {ours}: is it the whole file?"
    elif ours:
        text += f" Both are of {ours}: are they of one area, and is the file whole?"
    return text + blank


def _read(path: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd

    if not path.exists():
        raise PlaceError(Problem("The file is missing.", where=path.name, mend="Put it there and run again."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    except Exception as error:
        raise PlaceError(
            Problem(
                f"The file cannot be read as boundaries ({type(error).__name__}).",
                where=path.name,
                expected="GeoParquet, GeoPackage, GeoJSON or a shapefile",
                mend="Download it again; a GeoParquet must end in .parquet.",
            )
        ) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise PlaceError(Problem("The file holds a table without shapes.", where=path.name))
    return frame


def _column(raw: gpd.GeoDataFrame, kind: str | None, file: str) -> tuple[Column | None, list[Problem]]:
    found = [c for c in code_columns(raw.columns) if kind is None or c.geography.kind == kind]
    if not found and "code" in raw.columns:
        by_codes = kind_of_codes(raw["code"])
        taken = kind or by_codes
        if taken:
            return Column("code", "name" if "name" in raw.columns else "", Geography(taken)), []
    if not found:
        wanted = f"a column such as {(kind or 'lsoa').upper()}21CD or {kind or 'lsoa'}21_code"
        return None, [
            Problem(
                "No column of codes was recognised.",
                where=file,
                value=[str(c) for c in raw.columns][:12],
                expected=wanted,
                mend=did_you_mean("LSOA21CD", [str(c) for c in raw.columns]),
            )
        ]
    # One row an area: a ward file also names its authority, but repeats it.
    return max(found, key=lambda c: (raw[c.name].nunique(), -found.index(c))), []


def _crs_problems(raw: gpd.GeoDataFrame, crs: str | None, file: str) -> list[Problem]:
    shapes = raw.geometry[~(raw.geometry.isna() | raw.geometry.is_empty)]
    if shapes.empty:
        return []
    box = tuple(float(v) for v in shapes.total_bounds)
    looks = _looks_like(box)
    said = crs or raw.crs
    rounded = [round(v, 3) for v in box]
    if said is None:
        mend = f"They look like {looks[1]}: if so, pass crs={looks[0]!r}." if looks else "Ask the publisher."
        return [Problem("The file names no reference system.", where=file, value=rounded, mend=mend)]
    try:
        system = CRS.from_user_input(said)
    except CRSError:
        return [Problem("The reference system is not known.", where="crs", value=crs, expected="such as EPSG:27700")]
    degrees = system.is_geographic
    if looks and looks[0] == "swapped":
        return [
            Problem(
                "Latitude and longitude are swapped.",
                where=file,
                value=rounded,
                expected="longitude first, then latitude",
                mend="Swap the axes at the source, or save the file anew as GeoJSON.",
            )
        ]
    if looks and degrees != (looks[0] == "EPSG:4326"):
        return [
            Problem(
                f"The coordinates are called {'degrees' if degrees else 'metres'}, but look like {looks[1]}.",
                where=file,
                value=rounded,
                expected=f"coordinates of {system.to_string()}",
                mend=f"If so, pass crs={looks[0]!r}.",
            )
        ]
    here = Transformer.from_crs(system, METRES, always_xy=True).transform_bounds(*box)
    if not _inside(here, METRES_BOX):
        return [
            Problem(
                "Some shapes lie outside Great Britain.",
                where=file,
                value=rounded,
                expected="places of England, Wales or Scotland",
                mend="Is the reference system right? Northern Ireland has its own grid and is not read here.",
            )
        ]
    return []


def _looks_like(box: tuple[float, ...]) -> tuple[str, str] | None:
    if _inside(box, DEGREES_BOX):
        return "EPSG:4326", "degrees (longitude, latitude)"
    if _inside((box[1], box[0], box[3], box[2]), DEGREES_BOX):
        return "swapped", "degrees with swapped axes"
    if box[3] > 6_000_000 and box[1] > 6_000_000 and abs(box[0]) < 1_500_000:
        return "EPSG:3857", "Web Mercator metres"
    if _inside(box, METRES_BOX) and max(box) > 5_000:
        return METRES, "metres of the British National Grid"
    return None


def _inside(box: Iterable[float], outer: tuple[float, ...]) -> bool:
    left, low, right, high = box
    return bool(left >= outer[0] and low >= outer[1] and right <= outer[2] and high <= outer[3])


def _other_kind(codes: pd.Series, column: Column, file: str) -> Problem:
    other = kind_of_codes(codes)
    name = kinds()[column.geography.kind]["name"]
    return Problem(
        f"The column {column.name} does not hold {name} codes.",
        where=file,
        value=codes[~is_of_kind(codes, column.geography.kind)].head(3).tolist(),
        expected=f"codes like {kinds()[column.geography.kind]['codes']}",
        mend=f"They are codes of a {kinds()[other]['name']}: is it the right file?" if other else "",
    )


def _refused(file: str, column: str, codes: pd.Series, which: pd.Series, rule: str) -> pd.DataFrame:
    hit = codes[which]
    return refused(file, hit.index + 1, column, hit.to_numpy(), rule, "Compare the row with the publisher's file.")


def _vintage_of(codes: pd.Series, kind: str) -> str:
    years = first_in_use(codes, kind)
    newest = max(years[years != ""], default="")
    # Codes of the first vintage live on in later ones: only a newer code says which vintage it is.
    oldest = next(iter(next(iter(kinds()[kind]["begins"].values()), {})), "")
    return newest[2:4] if newest and newest != oldest else ""
