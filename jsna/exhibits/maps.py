"""Maps: small areas shaded by value, with those hatched whose interval holds the average."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from jsna.disclosure import Released
from jsna.exhibits.charts import _chart, _extremes, _nothing, canvas, palette
from jsna.exhibits.model import Exhibit
from jsna.exhibits.tables import must_be_released

if TYPE_CHECKING:
    import geopandas as gpd


def choropleth(
    released: Released,
    shapes: gpd.GeoDataFrame,
    *,
    id: str,
    title: str,
    code: str,
    label: str,
    value: str,
    unit: str,
    average: float | None = None,
    lower: str = "",
    upper: str = "",
    note: str = "",
) -> Exhibit:
    """Areas of ``shapes`` (column ``ward_code`` or the first column) shaded by ``value`` in five classes.

    Each area bears its number in the table beside it. An area without a shown value is white with a dotted edge.
    """
    table = must_be_released(released)
    shown = table.frame.assign(number=np.arange(1, len(table.frame) + 1))
    if shown[value].notna().sum() == 0:
        return _nothing(id, title)
    key = "ward_code" if "ward_code" in shapes else shapes.columns[0]
    drawn = shapes.merge(shown, left_on=key, right_on=code, how="left", suffixes=("_shape", ""))
    values = drawn[value].astype("float64")
    edges = np.unique(np.nanquantile(values, [0.2, 0.4, 0.6, 0.8]))
    classes = np.where(values.isna(), -1, np.searchsorted(edges, values, side="right"))
    figure, axes = canvas(18, width=7.0, extra=1.0)
    colours = palette()
    for level in range(-1, len(edges) + 1):
        part = drawn[classes == level]
        if len(part):
            fill = "white" if level < 0 else colours["sequential"][level]
            part.plot(
                ax=axes, facecolor=fill, edgecolor=colours["ink"], linewidth=0.7, linestyle=":" if level < 0 else "-"
            )
    if lower and upper and average is not None:
        unclear = drawn[(drawn[lower].astype(float) <= average) & (drawn[upper].astype(float) >= average)]
        if len(unclear):
            unclear.plot(ax=axes, facecolor="none", edgecolor=colours["muted"], hatch="///", linewidth=0)
    for row in drawn.itertuples():
        point = row.geometry.representative_point()
        axes.annotate(
            f"{row.number:.0f}" if row.number == row.number else "x",
            (point.x, point.y),
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85},
        )
    axes.set_axis_off()
    axes.set_aspect("equal")
    _legend(axes, edges, unit, hatched=bool(lower))
    columns = [
        {"name": "number", "label": "Number on the map", "kind": "count"},
        {"name": label, "label": "Area", "kind": "text"},
        {"name": value, "label": f"Value ({unit})", "kind": "percent"},
    ]
    if lower:
        columns += [
            {"name": lower, "label": "Lower limit", "kind": "percent"},
            {"name": upper, "label": "Upper limit", "kind": "percent"},
        ]
    symbols = table.symbols.assign(number="")
    numbered = Released(shown, symbols, table.source, table.synthetic, (*table.notes, *([note] if note else [])))
    alt = f"Map: {title}. {_extremes(shown, label, value, unit, 'percent')} All values are in the table."
    return _chart(id, title, alt, figure, numbered, columns, label, kind="map")


def _legend(axes, edges, unit: str, *, hatched: bool) -> None:
    from matplotlib.patches import Patch

    colours = palette()
    cuts = [f"{e:.1f}" for e in edges]
    words = [f"under {cuts[0]}", *(f"{a} to {b}" for a, b in pairwise(cuts)), f"{cuts[-1]} or more"]
    handles = [
        Patch(
            facecolor=colours["sequential"][i], edgecolor=colours["ink"], label=f"{w} {unit if i == 0 else ''}".strip()
        )
        for i, w in enumerate(words)
    ]
    if hatched:
        handles.append(
            Patch(
                facecolor="white",
                edgecolor=colours["muted"],
                hatch="///",
                label="not clearly different\nfrom the average",
            )
        )
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
