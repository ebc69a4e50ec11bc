"""The open data of a pack as tables that the attack can read: harmonised names put back into those of the pack."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from jsna.audit.pack import Pack
from jsna.audit.rules import rules

FOLDER, META = "open-data/", ".meta.csv"
HEAD = ("Measure", "Variant", "Characteristic", "Group", "Period", "Number", "Out of", "Share (%)", "Source")
FIGURES = ("Value", "Lower limit", "Upper limit")
Table = tuple[str, str, tuple[str, ...], tuple[tuple[str, ...], ...]]


def open_data_tables(pack: Pack) -> Iterator[Table]:
    """File, name, head and rows of each data file of ``open-data``; the meta files count nobody.

    A file whose columns tell none of the known shapes keeps its own, and is of no known kind.
    """
    for file, content in pack.files.items():
        if not (file.startswith(FOLDER) and file.endswith(".csv")) or file.endswith(META):
            continue
        stem = file.removeprefix(FOLDER).removesuffix(".csv")
        try:
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace"))))
        except csv.Error:
            rows = []
        head = tuple(rows[0]) if rows else ()
        shape = next((s for s in rules()["open_data"]["shapes"] if set(s["needs"]) <= set(head)), None)
        if shape is None:
            yield file, stem, head, tuple(tuple(str(v) for v in row.values()) for row in rows)
        else:
            yield file, f"open-data-{shape['name']}", (*HEAD, *FIGURES), tuple(_row(row, shape, pack) for row in rows)


def _row(row: dict[str, str], shape: dict[str, Any], pack: Pack) -> tuple[str, ...]:
    told, total = rules()["open_data"], rules()["open_data"]["total"]
    parts = [row.get(column, "") for column in shape["measure"]]
    measure = next((part for part in parts if part not in ("", total)), "pupils")
    if shape["name"] == "indicators":
        measure = measure.split(" ", 1)[0]
    ward = row.get("ward_name", "")
    group = ward or row.get("breakdown", "") or total
    variant = row.get("population_group", total)
    official = row.get("measure_source") == told["official"]
    whole = measure == "pupils"  # of all pupils of the group: the share is of itself
    return (
        measure,
        "all" if variant == total else rules()["outcomes"].get(variant, variant),
        "ward_code" if ward else row.get("breakdown_topic", ""),
        told["groups"].get(group, group),
        row.get("time_period", ""),
        _rounded(row, shape["count"]),
        _rounded(row, shape["base"]),
        "" if whole else row.get(shape.get("share", ""), ""),
        pack.publishers[0] if official and pack.publishers else "",
        *(row.get(column, "") for column in ("value", "lower_limit", "upper_limit")),
    )


def _rounded(row: dict[str, str], column: str) -> str:
    """A count as the rest of the pack writes it: with the number that it is rounded to, if it is."""
    number, base = row.get(column, ""), row.get(f"{column}_rounded_to", "1")
    return number if base in ("", "1", "z") else f"{number} (nearest {base})"
