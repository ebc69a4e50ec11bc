"""The report of a check: every source, everything refused, everything worth a look, for the terminal and as a page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd

from jsna.area import Area
from jsna.check.pupils import completeness, pupil_findings
from jsna.errors import WorkbenchError
from jsna.files.result import Loaded, together
from jsna.local import Read, read_all

TERMINAL_ROWS = 12


@dataclass(frozen=True)
class Report:
    """What was found for one area.

    ``sources`` are the readers' results. ``findings`` has a row a thing to look at (check, severity "error" or "look",
    column, count, sentence, mend). ``refused`` counts the quarantine by file, column and rule, with the first rows.
    ``unreadable`` are the messages of what could not be read at all.
    """

    label: str
    sources: tuple[Loaded, ...]
    findings: pd.DataFrame
    refused: pd.DataFrame
    completeness: pd.DataFrame
    unreadable: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 clean, 1 something to look at, 2 something cannot be read."""
        if self.unreadable:
            return 2
        return int(bool(len(self.findings) or len(self.refused)))


def check_area(area: Area) -> Report:
    """Read everything that the area's params name, and say what was found. Never raises for bad data."""
    read = read_all(area.params) if area.local else _others(area)
    unreadable = tuple(str(p) for error in read.errors for p in error.problems)
    quarantine = together([s.quarantine for s in read.sources])
    pupils = next((s.frame for s in read.sources if "sen_provision" in s.frame and "pupil_id" in s.frame), None)
    found = [f for f in (*read.findings, *([] if pupils is None else [pupil_findings(pupils)])) if len(f)]
    columns = ["check", "severity", "column", "count", "sentence", "mend"]
    findings = pd.concat([f[columns] for f in found], ignore_index=True) if found else pd.DataFrame(columns=columns)
    findings = findings.sort_values("severity", kind="stable", ignore_index=True)
    label = area.params.areas[0] if unreadable else area.label
    whole = pd.DataFrame() if pupils is None else completeness(pupils)
    return Report(label, tuple(read.sources), findings, _refused(quarantine), whole, unreadable)


def _others(area: Area) -> Read:
    try:
        if "official" in area.brings:
            return Read(area.official.read_all())
        return Read([area.pupils, area.ehc_cases])
    except WorkbenchError as error:
        return Read([], errors=[error])


def _refused(quarantine: pd.DataFrame) -> pd.DataFrame:
    """The quarantine by file, column and rule: cells, the first rows, an example and the mend."""
    keys = ["file", "column", "rule", "mend"]
    groups = quarantine.astype({k: "str" for k in keys}).groupby(keys, sort=False)
    table = groups.agg(
        cells=("row", "size"),
        rows=("row", lambda r: ", ".join(map(str, r.head(5))) + (" …" if len(r) > 5 else "")),
        example=("value", lambda v: str(v.iloc[0])),
    )
    return table.reset_index().sort_values("cells", ascending=False, kind="stable", ignore_index=True)


def as_text(report: Report, page: Path | None = None) -> str:
    """The report for the terminal: short, with the rest on the page."""
    lines = [f"{report.label}:"]
    for s in (source.summary for source in report.sources):
        kept = f"{s.rows_read:,} rows read, {s.rows_kept:,} kept, {s.rows_refused:,} put aside"
        lines.append(f"  {s.source} ({s.file or 'no file'}): {kept}.")
        lines += [f"    {note}" for note in s.notes[:4]]
    lines += [f"  Cannot be read: {message}" for message in report.unreadable]
    shown = [f"  {row.severity}: {row.sentence} {row.mend}" for row in report.findings.itertuples()]
    shown += [
        f"  put aside: {row.file}, {row.column or 'row'}: {row.cells:,} × {row.rule} (row {row.rows}). {row.mend}"
        for row in report.refused.itertuples()
    ]
    lines += shown[:TERMINAL_ROWS]
    if len(shown) > TERMINAL_ROWS:
        lines.append(f"  … and {len(shown) - TERMINAL_ROWS} more, on the page.")
    if not shown and not report.unreadable:
        lines.append("  Nothing to look at: every row can be used.")
    if page is not None:
        lines.append(f"  Report, for you alone and not for publication: {page}")
    return "\n".join(lines)


def as_page(report: Report) -> str:
    """The report as one accessible page without script, outside request or anything that names a person."""
    from jinja2 import Environment

    text = files("jsna.check").joinpath("report.html.j2").read_text(encoding="utf-8")
    style = files("jsna.pack").joinpath("templates/style.css").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return template.render(report=report, css=style, short=_short(report.completeness))


def _short(table: pd.DataFrame) -> list[dict]:
    return [] if table.empty else table.assign(percent=100 * table["share"]).to_dict("records")


def write_page(report: Report, folder: Path, name: str) -> Path:
    """Write the page where its owner alone can read it, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.html"
    part = folder / f".{name}.{os.getpid()}"
    part.write_text(as_page(report), encoding="utf-8")
    part.chmod(0o600)
    part.replace(path)
    return path
