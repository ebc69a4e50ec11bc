"""Layers of the Open Geography Portal, whole: page by page, counted before and compared at the end.

A server may send fewer rows than were asked for (its cap, often 1,000 or 2,000, wins), so the place to go on from is
the number of rows received, and the end is known from the count that was asked for first.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jsna.errors import Problem
from jsna.fetch.catalogue import ArcgisLayer
from jsna.fetch.checks import AGAIN, Contents, enough_rows, positions
from jsna.fetch.errors import FetchError, SchemaError
from jsna.fetch.http import Client
from jsna.fetch.received import Received

PAGE_ROWS = 2000
DEGREES = 4326
LARGEST_DEGREES = (180.0, 90.0)
CHANGED = "Run it again; if it stays so, the service's answers have changed and jsna/fetch/arcgis.py must follow."


def fetch_layer(entry: ArcgisLayer, base: str, client: Client, *, part: Path) -> Received:
    """All rows of a layer, written to ``part`` in the form and under the names that the readers want.

    Raises ``SchemaError`` when a field is missing, ``FetchError`` when rows are missing or come twice, or when shapes
    are not in degrees. A broken fetch begins anew: a layer can change between two runs, and half of each is neither.
    """
    layer = f"{base}/{entry.layer}/FeatureServer/{entry.number}"
    about = client.json(layer, {"f": "json"}, where=entry.where)
    fields = [str(f.get("name")) for f in about.get("fields") or [] if isinstance(f, dict)]
    found = positions(entry.columns, fields, entry.where)
    order = _order_field(about, found)
    features = _all_features(entry, f"{layer}/query", [*found.values(), order], order, client=client, about=about)
    rows = [[_properties(f).get(c) for c in found.values()] for f in features]
    if entry.geometry:
        _in_degrees(features, entry.where)
    fingerprint = _digest(rows, features if entry.geometry else [])
    part.parent.mkdir(parents=True, exist_ok=True)
    write: Callable[..., None] = _write_shapes if entry.geometry else _write_csv
    write(part, list(entry.columns.values()), rows, features)
    contents = Contents(len(rows), tuple(fields))
    return Received(part, f"{layer}/query", contents, fingerprint, finished=True)


def has_more(page: dict[str, Any]) -> bool:
    """Whether the server says that a page was cut: at top level, or for GeoJSON under ``properties``.

    >>> has_more({"properties": {"exceededTransferLimit": True}}), has_more({"features": []})
    (True, False)
    """
    inner = page.get("properties")
    return bool(page.get("exceededTransferLimit") or (isinstance(inner, dict) and inner.get("exceededTransferLimit")))


def _order_field(about: dict[str, Any], found: dict[str, str]) -> str:
    """A field that puts rows into one order: without it a server may repeat rows from page to page."""
    named = about.get("objectIdField") or next(
        (f.get("name") for f in about.get("fields") or [] if f.get("type") == "esriFieldTypeOID"), None
    )
    return str(named or next(iter(found.values())))


def _all_features(
    entry: ArcgisLayer, query: str, names: Sequence[str], order: str, *, client: Client, about: dict[str, Any]
) -> list[dict[str, Any]]:
    total = _count(client.json(query, _asked(entry, returnCountOnly="true", f="json"), where=entry.where), entry.where)
    enough_rows(total, entry.least_rows, f"{entry.where}, layer {entry.layer}")
    cap = about.get("maxRecordCount")
    features: list[dict[str, Any]] = []
    more = True
    while more or len(features) < total:
        page = client.json(
            query,
            _asked(
                entry,
                outFields=",".join(dict.fromkeys(names)),
                orderByFields=order,
                resultOffset=len(features),
                resultRecordCount=min(cap, PAGE_ROWS) if isinstance(cap, int) and cap > 0 else PAGE_ROWS,
                returnGeometry=str(entry.geometry).lower(),
                outSR=DEGREES,
                f="geojson" if entry.geometry else "json",
            ),
            where=entry.where,
        )
        came = page.get("features")
        if not isinstance(came, list):
            raise SchemaError(
                Problem("A page of the layer has no features.", where=entry.where, value=sorted(page)[:6], mend=CHANGED)
            )
        _same_system(page, entry)
        features += came
        more = bool(came) and has_more(page)
        if not came or len(features) > total:
            break
    _complete(features, order, total, entry.where)
    return features


def _asked(entry: ArcgisLayer, **more: Any) -> dict[str, Any]:
    return {"where": entry.rows_where, **more}


def _count(answer: dict[str, Any], where: str) -> int:
    count = answer.get("count")
    if not isinstance(count, int):
        raise SchemaError(
            Problem("The layer does not say how many rows it has.", where=where, value=sorted(answer)[:6], mend=CHANGED)
        )
    return count


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    """A row's values: ``attributes`` in ArcGIS's JSON, ``properties`` in GeoJSON."""
    return feature.get("attributes") or feature.get("properties") or {}


def _complete(features: list[dict[str, Any]], order: str, total: int, where: str) -> None:
    keys = [_properties(f).get(order, f.get("id")) for f in features]
    if len(set(keys)) < len(keys):
        what = f"The layer's pages repeat rows: {len(keys) - len(set(keys)):,} of {len(keys):,} came twice."
        raise FetchError(Problem(what, where=where, mend="The service does not page by its own order; tell us."))
    if len(features) != total:
        what = f"The layer has {total:,} rows, but {len(features):,} came: pages were cut, or it changed meanwhile."
        raise FetchError(Problem(what, where=where, mend=AGAIN))


def _same_system(page: dict[str, Any], entry: ArcgisLayer) -> None:
    """Refuse a page that names another reference system than the one that was asked for."""
    reference = page.get("crs")
    named = str((reference.get("properties") or {}).get("name", "")) if isinstance(reference, dict) else ""
    if entry.geometry and named and not named.endswith(("4326", "CRS84")):
        what = "The shapes came in another reference system than was asked for."
        raise FetchError(Problem(what, where=entry.where, value=named, expected=f"EPSG:{DEGREES}", mend=AGAIN))


def _in_degrees(features: list[dict[str, Any]], where: str) -> None:
    """Refuse shapes whose numbers cannot be degrees: British National Grid that names no system."""
    firsts = [p for p in (_first_point((f.get("geometry") or {}).get("coordinates")) for f in features) if p]
    if not firsts:
        raise FetchError(Problem("The layer came without any shape.", where=where, mend=AGAIN))
    far = [p for p in firsts if abs(p[0]) > LARGEST_DEGREES[0] or abs(p[1]) > LARGEST_DEGREES[1]]
    if far:
        what = "The shapes are not in degrees: most likely British National Grid in metres."
        raise FetchError(Problem(what, where=where, value=far[0], expected=f"EPSG:{DEGREES}", mend=AGAIN))


def _first_point(coordinates: Any) -> tuple[float, float] | None:
    while isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    return float(coordinates[0]), float(coordinates[1])


def _digest(rows: list[list[Any]], features: list[dict[str, Any]]) -> str:
    """A digest that does not mind in which order the server holds the rows."""
    shapes = [f.get("geometry") for f in features] or [None] * len(rows)
    lines = sorted(json.dumps([row, shape], sort_keys=True) for row, shape in zip(rows, shapes, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _write_csv(path: Path, columns: list[str], rows: list[list[Any]], _: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_shapes(path: Path, columns: list[str], rows: list[list[Any]], features: list[dict[str, Any]]) -> None:
    import geopandas as gpd
    import pandas as pd
    from shapely.geometry import shape

    shapes = [shape(f["geometry"]) if f.get("geometry") else None for f in features]
    table = pd.DataFrame(rows, columns=columns)
    gpd.GeoDataFrame(table, geometry=shapes, crs=f"EPSG:{DEGREES}").to_parquet(path, index=False)
