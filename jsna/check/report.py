"""The report of a check: every source, everything refused, everything worth a look, for the terminal and as a page."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import pandas as pd

from jsna.area import Area, period_name
from jsna.check.counted import complete_by, looked_at
from jsna.check.joins import join_findings
from jsna.check.pupils import WORDS, completeness, findings_of, gaps_by, gaps_in, pupil_findings
from jsna.errors import ParamsError, WorkbenchError
from jsna.files.result import Loaded, Summary, together
from jsna.local import Read, read_all
from jsna.params import read_params
from jsna.roll import Roll
from jsna.sources.gathered import FINDING_COLUMNS, fine, phrase

GROUPS = {"ethnicity": "ethnic group", "school_urn": "school"}
DETAIL = "Rows without a value"
TERMINAL_ROWS = 12
TERMINAL_NOTES = 4
NOTES_OF_A_SOURCE = 40


@dataclass(frozen=True)
class Report:
    """What was found for one area.

    ``sources`` are the readers' results. ``findings`` has a row a thing to look at (check, severity "error" or "look",
    column, count, sentence, mend, place). ``refused`` counts the quarantine by file, column and rule, with the first
    rows; of what was put aside as it should be, ``fine`` is true. ``unreadable`` are the messages of what could not be
    read at all. ``gaps`` are ethnic groups and schools for whose pupils something is lacking in the latest census.
    """

    label: str
    sources: tuple[Loaded | Roll, ...]
    findings: pd.DataFrame
    refused: pd.DataFrame
    completeness: pd.DataFrame
    unreadable: tuple[str, ...] = ()
    gaps: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 something to look at, 2 something cannot be read. Second registrations and the like, which are put
        aside as they should be, are nothing to look at."""
        if self.unreadable:
            return 2
        return int(bool(len(self.findings) or not self.refused["fine"].all()))


def areas_of(paths: Sequence[Path]) -> list[Area]:
    """The areas of some params files, of whose data nothing is read yet. Raises one ``ParamsError`` with the faults of
    all files."""
    areas, problems = [], []
    for path in paths:
        try:
            params = read_params(path)
            areas += [Area(params.one_area(code)) for code in params.areas]
        except ParamsError as error:
            problems += error.problems
    if problems:
        raise ParamsError(*problems)
    return areas


def check_area(area: Area) -> Report:
    """Read everything that the area's params name, and say what was found. Never raises for bad data."""
    read = read_all(area.params) if area.local else _others(area)
    if area.params.engine:
        return _counted(area, read)
    pupils = next((s.frame for s in read.sources if "sen_provision" in s.frame and "pupil_id" in s.frame), None)
    own = [] if pupils is None else [pupil_findings(pupils), join_findings(pupils, read.sources)]
    whole = pd.DataFrame() if pupils is None else completeness(pupils)
    gaps = {} if pupils is None else {by: gaps_by(pupils, by) for by in GROUPS}
    return _report(area, read, read.sources, own, whole, gaps)


def _counted(area: Area, read: Read) -> Report:
    """Of pupils whom an engine counts: what their counts tell, and the lists that stand beside them."""
    try:
        roll, looked = area.roll, looked_at(area.roll)
        gaps = {by: gaps_in(complete_by(roll, by), by) for by in GROUPS}
        _ = roll.summary
    except WorkbenchError as error:
        return _report(area, replace(read, errors=[*read.errors, error]), read.sources, [], pd.DataFrame(), {})
    return _report(area, read, [roll, *read.sources], [findings_of(looked)], looked.complete, gaps)


def _report(
    area: Area,
    read: Read,
    sources: Sequence[Loaded | Roll],
    own: Sequence[pd.DataFrame],
    whole: pd.DataFrame,
    gaps: Mapping[str, pd.DataFrame],
) -> Report:
    unreadable = tuple(dict.fromkeys(str(p) for error in read.errors for p in error.problems))
    quarantine = together([s.quarantine for s in sources])
    found = [f for f in (*read.findings, *own) if len(f)]
    columns = list(FINDING_COLUMNS)
    parts = [f.reindex(columns=columns, fill_value="").fillna({"severity": "look"}) for f in found]
    findings = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    findings = findings.sort_values("severity", kind="stable", ignore_index=True)
    synthetic = area.params.source == "synthetic" or any(s.summary.synthetic for s in sources)
    label = f"{area.name} (synthetic)" if synthetic else area.name
    return Report(label, tuple(sources), findings, _refused(quarantine), whole, unreadable, gaps)


def weights(area: Area) -> dict[str, int]:
    """How many findings of each severity the pupils of a local area give: for a refresh, which goes on all the same."""
    if area.roll.rows:
        found = [area.pupil_table.findings, pupil_findings(area.pupils.frame)]
    else:
        found = [findings_of(looked_at(area.roll))]
    severity = pd.concat([f["severity"] for f in found if len(f)] or [pd.Series(dtype="str")])
    return {kind: int((severity == kind).sum()) for kind in ("error", "look")}


def _others(area: Area) -> Read:
    try:
        if "official" in area.brings:
            area.official.check()
            return Read(area.official.read_all())
        return Read([area.pupils, area.ehc_cases])
    except WorkbenchError as error:
        return Read([], errors=[error])


def _refused(quarantine: pd.DataFrame) -> pd.DataFrame:
    """The quarantine by file, column and rule: cells, the first rows, an example, the mend and whether it is fine."""
    keys = ["file", "column", "rule", "mend"]
    groups = quarantine.astype({k: "str" for k in keys}).groupby(keys, sort=False)
    table = groups.agg(
        cells=("row", "size"),
        rows=("row", lambda r: ", ".join(map(str, r.head(5))) + (" …" if len(r) > 5 else "")),
        example=("value", lambda v: str(v.iloc[0])),
    )
    table = table.reset_index().assign(fine=lambda t: t["rule"].isin(fine()))
    return table.sort_values(["fine", "cells"], ascending=[True, False], kind="stable", ignore_index=True)


def as_text(report: Report, page: Path | None = None) -> str:
    """The report for the terminal: short, with the rest on the page."""
    lines = [f"{report.label}:"]
    for name, summaries in _returns(report).items():
        read, held, refused = (sum(getattr(s, f"rows_{k}") for s in summaries) for k in ("read", "kept", "refused"))
        lines.append(f"  {name}: {read:,} rows read, {held:,} kept, {refused:,} put aside.")
        if len(summaries) == 1:
            lines += [f"    {n}" for n in summaries[0].notes[:TERMINAL_NOTES] if not n.startswith(DETAIL)]
    if report.unreadable:
        lines.append(f"  Cannot be read: {len(report.unreadable)}. Each is named below, and on the page.")
    aside = report.refused.assign(places=[phrase("{n} [place|places]", n) for n in report.refused["cells"]])
    found = [
        (row.severity, f"{' '.join(filter(None, (row.sentence, row.mend)))}{_place(row.place)}")
        for row in report.findings.itertuples()
    ]
    put = [
        f"  put aside: {row.file}, {row.column or 'whole rows'}, {row.places} (row {row.rows}): {row.rule}. {row.mend}"
        for row in aside[~aside["fine"].astype(bool)].itertuples()
    ]
    # Errors first, then what is not in the figures, then what is worth a look: the terminal shows the top of the list.
    shown = [f"  {weight}: {text}" for weight, text in found if weight == "error"] + put
    shown += [f"  {weight}: {text}" for weight, text in found if weight != "error"]
    lines += shown[:TERMINAL_ROWS]
    if len(shown) > TERMINAL_ROWS:
        lines.append(f"  … and {len(shown) - TERMINAL_ROWS} more, on the page.")
    usual = int(aside.loc[aside["fine"].astype(bool), "cells"].sum())
    if usual:
        said = "As it should be: {n} [row|rows] put aside (second registrations and the like)."
        lines.append(f"  {phrase(said, usual)}")
    if not shown and not report.unreadable:
        lines.append("  Nothing to look at: every row can be used.")
    if page is not None:
        lines.append(f"  Report, for you alone and not for publication: {page}")
    return "\n".join(lines)


def _returns(report: Report) -> dict[str, list[Summary]]:
    """The sources by what the terminal calls them; the tables of one return are one line."""
    named: dict[str, list[Summary]] = {}
    for s in (source.summary for source in report.sources):
        of_return = re.match(r"(SEN2 \d{4}): ", s.source)
        named.setdefault(of_return[1] if of_return else f"{s.source} ({_files(s.file)})", []).append(s)
    return named


def _place(place: str) -> str:
    return f" See {place}." if place else ""


def _files(named: str) -> str:
    """The first file, and how many more there are: a census of an authority can be a hundred files."""
    first, *rest = named.split(", ")
    # "sen2_2026.xml, requests" is a table in a file, not two files.
    more = [part for part in rest if "." in part]
    return f"{first or 'no file'} and {len(more):,} more" if more else first or "no file"


def as_page(report: Report) -> str:
    """The report as one accessible page without script, outside request or anything that names a person."""
    from jinja2 import Environment

    text = files("jsna.check").joinpath("report.html.j2").read_text(encoding="utf-8")
    style = files("jsna.pack").joinpath("templates/style.css").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return template.render(
        report=report,
        css=style,
        short=_short(report.completeness),
        gaps=[(name, by, _short(table)) for by, table in report.gaps.items() if len(table) for name in [GROUPS[by]]],
        files=_files,
        most_notes=NOTES_OF_A_SOURCE,
    )


def _short(table: pd.DataFrame) -> list[dict]:
    if table.empty:
        return []
    periods = table["time_period"].astype("str").map(period_name)
    names = table["characteristic"].map(WORDS).fillna(table["characteristic"])
    return table.assign(percent=100 * table["share"], time_period=periods, characteristic=names).to_dict("records")


def write_page(report: Report, folder: Path, name: str) -> Path:
    """Write the page where its owner alone can read it, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.html"
    part = folder / f".{name}.{os.getpid()}"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(as_page(report))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
