"""The files of a national run: a page an authority, the index by region, every value as CSV, and the manifest."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from jsna import WORKBENCH_VERSION
from jsna.codes import code_list
from jsna.evidence.catalogue import catalogue
from jsna.exhibits.model import Exhibit
from jsna.pack.page import style, template
from jsna.pack.write import LIBRARIES

if TYPE_CHECKING:
    from jsna.area import Area
    from jsna.evidence.values import Values
    from jsna.params import Params

NOT_AVAILABLE = "x"
NUMBERS = ("value", "lower", "upper", "numerator", "denominator", "completeness")
COLUMNS = (
    *("indicator", "name", "group", "area_code", "area_name", "area_level", "period", "value", "unit", "lower"),
    *("upper", "numerator", "denominator", "symbol", "basis", "way", "provisional", "break_before", "completeness"),
    *("note", "source", "file"),
)


@dataclass(frozen=True)
class Page:
    """What became of an authority's page: ``error`` is empty when it was made; ``figures``, of how many indicators."""

    code: str
    slug: str
    figures: int
    error: str = ""


def area_page(area: Area, parts: list[tuple[str, Exhibit]]) -> str:
    """The page of one authority: each of ``parts`` under its heading. It asks for nothing from outside."""
    return template("national-area.html.j2").render(
        css=style(),
        area_name=area.name,
        area_code=area.code,
        region_name=area.region_name,
        cycle=area.params.cycle,
        parts=[(heading, exhibit.html()) for heading, exhibit in parts],
    )


def index_page(params: Params, values: Values, pages: list[Page]) -> str:
    """All authorities by region, sorted by name, with what was read and what the files do not give."""
    known = code_list("local_authority").loc[[p.code for p in pages]].sort_values(["region_name", "name"])
    made = {p.code: p for p in pages}
    rows = [
        {"region": region, "name": name, **asdict(made[code])}
        for code, name, region in known[["name", "region_name"]].itertuples()
    ]
    regions = [(r, [row for row in rows if row["region"] == r]) for r in dict.fromkeys(row["region"] for row in rows)]
    indicators = [i for i in catalogue().indicators.values() if "official" in i.available]
    return template("national-index.html.j2").render(
        css=style(),
        cycle=params.cycle,
        areas=len(pages),
        failed=sum(bool(p.error) for p in pages),
        regions=regions,
        indicators=len(indicators),
        local_only=len(catalogue().indicators) - len(indicators),
        sources=_sources(values),
        absent=_absent(values),
    )


def write_values(path: Path, values: Values, codes: list[str]) -> None:
    """Every value of the authorities ``codes``, of their regions and of England: one row an indicator, group, area and
    period. Where a number is not published, its symbol stands, or x; ``symbol`` says which it is for the value."""
    regions = set(code_list("local_authority").loc[codes, "region_code"])
    frame = values.frame
    own = frame["area_code"].isin({*codes, *regions}) | (frame["area_level"] == "england")
    rows = frame[own & (frame["origin"] == "official")]
    known = pd.DataFrame(
        [(i.id, i.name, i.unit, i.basis) for i in catalogue().indicators.values()],
        columns=["indicator", "name", "unit", "basis"],
    )
    rows = rows.merge(known, on="indicator", how="left")
    texts = {c: rows[c].map("{:.10g}".format).where(rows[c].notna(), NOT_AVAILABLE) for c in NUMBERS}
    texts["value"] = texts["value"].where(rows["symbol"].astype(str) == "", rows["symbol"].astype(str))
    rows = rows.assign(**texts)[list(COLUMNS)]
    rows.to_csv(path, index=False, lineterminator="\n")


def write_manifest(folder: Path, params: Params, values: Values, pages: list[Page]) -> None:
    """What went in and what came out; the one part that differs between two equal runs is ``made_at``."""
    outputs = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    content = {
        "parameters": params.without_places(),
        "areas": {p.code: p.error or "made" for p in pages},
        "workbench_version": WORKBENCH_VERSION,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "inputs": _sources(values),
        "absent_indicators": _absent(values),
        "vintages_that_disagree": len(values.vintages),
        "outputs": outputs,
        "made_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    write_text(folder / "manifest.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text with the line ends of every system alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _sources(values: Values) -> list[dict[str, Any]]:
    rows = [asdict(s) | {"notes": list(s.notes)} for s in values.sources]
    return sorted({json.dumps(r, sort_keys=True): r for r in rows}.values(), key=lambda r: (r["file"], r["source"]))


def _absent(values: Values) -> list[dict[str, Any]]:
    known = catalogue().indicators
    rows = values.absent.drop_duplicates().sort_values(["indicator", "group", "reason"]).to_dict("records")
    return [r | {"name": known[r["indicator"]].name if r["indicator"] in known else ""} for r in rows]
