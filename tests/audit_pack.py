"""A small pack with known counts, written by hand for the audit's tests: no code of the gate or the pack is used."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

CENSUS = "202526"
PUPILS = {
    "sex": {"Female": 700, "Male": 690},
    "ethnicity": {"White British": 1000, "Indian": 300, "Irish": 50, "Chinese": 40},
    "idaci-quintile": {"Fifth 1 (most deprived)": 900, "Fifth 2": 490},
}
COUNTS = {
    ("sex", "any-sen"): {"Female": 120, "Male": 155},
    ("sex", "sen-support"): {"Female": 90, "Male": 110},
    ("sex", "ehc-plan"): {"Female": 30, "Male": 45},
    ("ethnicity", "any-sen"): {"White British": 200, "Indian": 60, "Irish": 3, "Chinese": 12},
    ("ethnicity", "sen-support"): {"White British": 150, "Indian": 44, "Irish": 2, "Chinese": 4},
    ("ethnicity", "ehc-plan"): {"White British": 50, "Indian": 16, "Irish": 1, "Chinese": 8},
    ("idaci-quintile", "any-sen"): {"Fifth 1 (most deprived)": 180, "Fifth 2": 95},
}
HIDDEN = {"Irish", "Chinese", "B1", "B2"}
DECIDED = {
    "sex": {"Female": (20, 90), "Male": (25, 100)},
    "ethnic group": {"White British": (30, 120), "Indian": (9, 40), "Irish": (2, 12), "Chinese": (4, 18)},
}
AREAS = {"A1": ("A", 60, 300), "A2": ("A", 40, 200), "B1": ("B", 4, 80), "B2": ("B", 11, 90), "B3": ("B", 160, 720)}
HEAD = ["Group", "Identified", "Pupils", "Share (%)", "Ratio, pooled", "Gap (percentage points)", "Status", "Data"]


Change = Callable[[int], int]


def table(head: list[str], rows: list[list[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([head, *rows])
    return stream.getvalue()


def by_group(characteristic: str, outcome: str, change: Change | None = None) -> str:
    """One measure by group; ``change``: every count is changed by it first, and none is hidden."""
    counts, pupils = changed(COUNTS[characteristic, outcome], change), changed(PUPILS[characteristic], change)
    rows = []
    for group, count in counts.items():
        rest = (sum(counts.values()) - count) / (sum(pupils.values()) - pupils[group])
        share = count / pupils[group]
        figures = [count, f"{100 * share:.1f}", f"{share / rest:.2f}", f"{100 * (share - rest):.1f}"]
        if group in HIDDEN and change is None:
            figures = ["c"] * 4
        rows.append([group, figures[0], pupils[group], *figures[1:], "no evidence", "synthetic"])
    return table(HEAD, rows)


def changed(counts: dict[str, int], change: Change | None) -> dict[str, int]:
    return {g: n if change is None else change(n) for g, n in counts.items()}


def stage() -> str:
    head = ["By", "Group", "Number", "Out of", "Share (%)", "All others (%)", "Status", "Data"]
    rows = []
    for by, groups in DECIDED.items():
        counted, of = (sum(g[i] for g in groups.values()) for i in (0, 1))
        for group, (number, base) in groups.items():
            figures = [number, base, f"{100 * number / base:.1f}", f"{100 * (counted - number) / (of - base):.1f}"]
            if group in HIDDEN:
                figures = ["c", base, "c", "c"]
            rows.append([by, group, *figures, "no evidence", "synthetic"])
    return table(head, rows)


def flags() -> str:
    head = [
        "area_code",
        "place_code",
        "period",
        "outcome",
        "characteristic",
        "group",
        "numerator",
        "denominator",
        "risk",
    ]
    rows = []
    for (characteristic, outcome), counts in COUNTS.items():
        for group, count in counts.items():
            base = PUPILS[characteristic][group]
            figures = ["c", base, "c"] if group in HIDDEN else [count, base, f"{count / base:.4f}"]
            names = [outcome.replace("-", "_"), characteristic.replace("-", "_"), group]
            rows.append(["E06000032", "E06000032", CENSUS, *names, *figures])
    return table(head, rows)


def small_areas() -> str:
    head = ["Number on the map", "Small area", "Ward", "Identified", "Pupils", "Share (%)", "Data"]
    rows = []
    for number, (name, (ward, count, base)) in enumerate(AREAS.items(), start=1):
        figures = ["c", base, "c"] if name in HIDDEN else [count, base, f"{100 * count / base:.1f}"]
        rows.append([number, name, ward, *figures, "synthetic"])
    return table(head, rows)


def wards() -> str:
    sums = {w: [sum(a[i] for a in AREAS.values() if a[0] == w) for i in (1, 2)] for w in ("A", "B")}
    rows = [[n, w, *s, f"{100 * s[0] / s[1]:.1f}", "synthetic"] for n, (w, s) in enumerate(sums.items(), start=1)]
    return table(["Number on the map", "Ward", "Identified", "Pupils", "Share (%)", "Data"], rows)


def tables() -> dict[str, str]:
    found = {f"{c}-{o}-flags": by_group(c, o) for c, o in COUNTS}
    total, decided = 275, (45, 190)
    return found | {
        "ehc-pipeline-refused-of-decided-table": stage(),
        "ehc-pipeline-overall": table(
            ["Stage", "Period", "Number", "Out of", "Share (%)"],
            [["Request refused, of decided", "2023 to 2025", *decided, "23.7"]],
        ),
        "deprivation-gradient-table": table(["Measure", "Identified"], [["Any SEN", total]]),
        "wards-any-sen-map": wards(),
        "lsoas-map": small_areas(),
        "coverage-priorities": table(["What was agreed", "Evidence in this pack"], [["P1", "None."]]),
    }


def svg(title: str = "Ratios by ethnic group") -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg"><title>'
        + title
        + "</title><!-- White British --><!-- Irish --><!-- c -->"
        '<path d="M 136.04399 375.911682 L 529.79976 3.00024 z"/></svg>'
    )


def html_table(text: str) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    keep = len(rows[0]) - (rows[0][-1] == "Data")
    lines = ["".join(f"<td>{c}</td>" for c in row[:keep]) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def exhibit(name: str, text: str) -> dict[str, object]:
    picture = base64.b64encode(svg().encode()).decode()
    page = f'<figure><img alt="" src="data:image/svg+xml;base64,{picture}">{html_table(text)}</figure>'
    data = {"application/vnd.jsna.exhibit+json": {"id": name, "kind": "table", "source": "Rows", "table_csv": text}}
    return {"output_type": "display_data", "metadata": {}, "data": data | {"text/html": page, "text/plain": name}}


def notebook(outputs: list[dict[str, object]]) -> dict[str, object]:
    cell = {
        "cell_type": "code",
        "id": "cell-000",
        "metadata": {},
        "execution_count": 1,
        "source": "",
        "outputs": outputs,
    }
    return {"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}


def write_changed(folder: Path, change: Change, disclosure: dict[str, object]) -> Path:
    """A pack by another rule: every count changed, shares worked out from what is shown."""
    (folder / "tables").mkdir(parents=True)
    for characteristic, outcome in COUNTS:
        text = by_group(characteristic, outcome, change)
        (folder / f"tables/{characteristic}-{outcome}-flags.csv").write_text(text, encoding="utf-8")
    (folder / "index.html").write_text("<html><body><h1>A changed pack</h1></body></html>", encoding="utf-8")
    return sign(folder, disclosure)


def write(folder: Path) -> Path:
    """The pack, whole and clean."""
    made = tables()
    page = "".join(html_table(t) for t in made.values())
    files = {f"tables/{name}.csv": text for name, text in made.items()}
    files |= {
        "flags.csv": flags(),
        "figures/ethnicity-any-sen-flags.svg": svg(),
        "notebooks/03-ethnicity.ipynb": json.dumps(notebook([exhibit(n, t) for n, t in made.items()])),
        "chapters/03-ethnicity.html": f"<html><body><p>Of 1,390 pupils 19.8% (275 of 1,390).</p>{page}</body></html>",
        "index.html": "<html><body><h1>A small pack</h1></body></html>",
        "cards.json": json.dumps([{"id": "card", "details": ["White British: 20.0% (200 of 1,000)."]}]),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return sign(folder)


def sign(folder: Path, disclosure: dict[str, object] | None = None) -> Path:
    """Write a manifest that agrees with the files as they are, of the rule that stood in it before or a new one."""
    before = folder / "manifest.json"
    if disclosure is None and before.exists():
        disclosure = json.loads(before.read_text(encoding="utf-8")).get("disclosure")
    outputs = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "manifest.json"
    }
    content = {
        "area_code": "E06000032",
        "parameters": {"source": "synthetic", "cycle": "2026", "minimum_denominator": 10},
        "disclosure_policy": {"audience": "public", "suppress_below": 5},
        "inputs": [{"source": "National pupil statistics", "licence": "Open Government Licence v3.0"}],
        "outputs": outputs,
    } | ({"disclosure": disclosure} if disclosure else {})
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Change a text of a file, which must hold it."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, (name, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def set_cell(folder: Path, name: str, labels: dict[str, str], column: str, value: object) -> None:
    """Put a value into the cell of a CSV file's row with these labels; a new column is added."""
    path = folder / name
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    hits = [r for r in rows if all(r[k] == v for k, v in labels.items())]
    assert len(hits) == 1, (name, labels)
    for row in rows:
        row.setdefault(column, "z")
    hits[0][column] = str(value)
    path.write_text(table(list(rows[0]), [list(r.values()) for r in rows]), encoding="utf-8")


def into_page(text: str) -> Callable[[Path], None]:
    """Plant a text in the first page."""
    return lambda pack: edit(pack, "index.html", "</body>", f"<p>{text}</p></body>")


def cell(name: str, labels: dict[str, str], column: str, value: object) -> Callable[[Path], None]:
    """Plant a value in a cell."""
    return lambda pack: set_cell(pack, name, labels, column, value)


def new_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Plant a file."""

    def plant(pack: Path) -> None:
        (pack / name).write_bytes(content)

    return plant
