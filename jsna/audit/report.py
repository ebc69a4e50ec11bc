"""The audit's report: on the terminal, as a page and as JSON, never inside the pack."""

from __future__ import annotations

import json
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

from jsna.audit.audit import Report
from jsna.audit.findings import words
from jsna.errors import OutputError, Problem

LISTED = 12
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;"
    "border-bottom:1px solid #bfbfbf}td{overflow-wrap:anywhere}caption{text-align:left;font-weight:600;padding:.5rem 0}"
)


def as_text(report: Report) -> str:
    """The report for a terminal: a line of result, then what was found, by kind."""
    lines = [headline(report)]
    by_kind: dict[str, list] = {}
    for finding in report.findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for kind, found in by_kind.items():
        lines.append(f"\n{kind}: {len(found)}. {found[0].why} {found[0].mend}")
        for finding in found[:LISTED]:
            width = "" if finding.width is None else f" [{_width(finding.width)}; {finding.attacker}]"
            parts = ", ".join(p for p in (finding.file, finding.where, finding.detail) if p)
            lines.append(f"  {parts}{width}")
        if len(found) > LISTED:
            lines.append(f"  ... and {len(found) - LISTED} more: see audit.html.")
    return "\n".join([*lines, "", *_scope(report)])


def headline(report: Report) -> str:
    """The result in a sentence.

    Counts findings, not children.
    """
    if not report.findings:
        return f"{report.pack.name}: nothing found."
    kinds = Counter(f.kind for f in report.findings)
    most = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    return f"{report.pack.name}: {len(report.findings)} findings ({most}). Do not publish this pack."


def _scope(report: Report) -> list[str]:
    """What was looked at and what was not."""
    made = report.attack
    widths = [high - low for low, high in made.intervals.values()]
    wide = sum(w >= report.pack.threshold - 1 for w in widths)
    of = "changed ones that can be small" if report.pack.rule.changes_counts else "hidden"
    told = f"; of the {of}, {wide} cannot be told from {report.pack.threshold - 1} or more others." if widths else "."
    lines = [
        f"Looked at: {len(report.pack.files)} files, {made.shown} counts shown, {made.hidden} hidden{told}",
    ]
    if made.together:
        lines.append(
            f"Two who are counted, if they put together what each knows, know {made.together} hidden counts closer "
            "than the rule tells; none of them is found out so."
        )
    if report.previous:
        lines.append(f"Beside the packs before: {', '.join(report.previous)}.")
    if made.official:
        lines.append(f"Tables of figures that others had published, passed on and not attacked: {made.official}.")
    figures = sum(n for _, _, n in made.not_analysed)
    lines.append(f"Not analysed: {len(made.not_analysed)} (with {figures} figures).")
    lines += [
        f"  {': '.join(p for p in (file, why) if p)} ({number})" for file, why, number in made.not_analysed[:LISTED]
    ]
    return lines


def _width(width: int) -> str:
    return "known exactly" if width == 0 else f"known to within {width + 1} whole numbers"


def as_json(report: Report, reveal: bool) -> str:
    """The report for a program."""
    made = report.attack
    content: dict[str, Any] = {
        "pack": report.pack.name,
        "area_code": report.pack.manifest.get("area_code", ""),
        "previous": list(report.previous),
        "exit_code": report.exit_code,
        "files": len(report.pack.files),
        "counts_shown": made.shown,
        "counts_hidden": made.hidden,
        "widths": dict(sorted(Counter(str(min(h - lo, 10)) for lo, h in made.intervals.values()).items())),
        "closer_by_two_together": made.together,
        "official_tables_passed_on": made.official,
        "not_analysed": [{"file": f, "why": w, "figures": n} for f, w, n in made.not_analysed],
        "findings": [f.as_row(reveal) for f in report.findings],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_page(report: Report, reveal: bool) -> str:
    """The report as one page without outside requests."""
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(str(text))}</td>"
            for text in (
                f.kind,
                f.file,
                f.where,
                "; ".join(p for p in (f.why, f.detail) if p),
                f.attacker,
                "" if f.width is None else _width(f.width),
                f.mend,
                *([f.secret] if reveal else []),
            )
        )
        + "</tr>"
        for f in report.findings
    )
    heads = ["Finding", "File", "Where", "Why", "Who can tell", "How closely", "What to do"] + (
        ["Found"] if reveal else []
    )
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    scope = "".join(f"<p>{escape(line)}</p>" for line in _scope(report))
    table = f"<table><caption>Findings</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    title = f"Audit of {escape(report.pack.name)}"
    return (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><main><h1>{title}</h1><p><strong>{escape(headline(report))}</strong></p>"
        f"<p>{escape(words()['attackers'])}</p>{scope}{table if rows else ''}</main></body></html>\n"
    )


def write(report: Report, folder: Path, pack: Path, reveal: bool) -> Path:
    """Write ``audit.html`` and ``audit.json`` into ``folder``; the page. Raises ``OutputError`` inside a pack."""
    if folder.resolve().is_relative_to(pack.resolve()):
        raise OutputError(
            Problem("The report never goes into the pack, which will be published.", where="--out", value=folder.name)
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.json").write_text(as_json(report, reveal), encoding="utf-8")
    page = folder / "audit.html"
    page.write_text(as_page(report, reveal), encoding="utf-8")
    return page
