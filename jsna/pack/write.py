"""Write a pack: pages, tables, figures, flags, cards, executed notebooks and the manifest, aside and then in place."""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jsna import WORKBENCH_VERSION
from jsna.area import Area
from jsna.disclosure import Policy
from jsna.disclosure.perturbation import largest_change
from jsna.evidence.cards import Setting, completed
from jsna.evidence.catalogue import frame_of
from jsna.evidence.cycles.decisions import FILE as DECISIONS
from jsna.evidence.cycles.decisions import Decision, Decisions, form
from jsna.evidence.cycles.notebooks import edition_of_exhibits
from jsna.evidence.cycles.packs import earlier_edition
from jsna.pack.document import write_summary
from jsna.pack.flags import COLUMNS
from jsna.pack.harvest import Harvest, harvest, scrub
from jsna.pack.open_data.write import write_open_data
from jsna.pack.workbook import write_workbook
from jsna.refresh.plan import Chapter

LIBRARIES = ("duckdb", "geopandas", "matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")


NOT_AUDITED = {"run": False, "how": "`refresh --audit`, `audit` or `release`"}


@dataclass(frozen=True)
class Made:
    """A chapter that was made (``error`` empty) or failed."""

    chapter: Chapter
    error: str = ""


def write_pack(
    staging: Path,
    area: Area,
    made: list[Made],
    decided: Decisions | None = None,
    made_from: dict[str, Any] | None = None,
) -> None:
    """Everything of a pack but the notebooks, made from the executed notebooks in ``staging/notebooks``.

    ``decided``: what people had written into the decisions of the pack that this one takes the place of;
    ``made_from``: digests of what its chapters are made from, by which the next run sees what has changed.
    """
    import nbformat

    from jsna.pack.page import chapter_page

    good = [m.chapter for m in made if not m.error]
    leave_out = "needs-official" if "pupils" in area.brings else "needs-pupils"
    harvests: list[Harvest] = []
    nav = [(c.name, c.title) for c in good]
    for chapter in good:
        path = staging / "notebooks" / f"{chapter.name}.ipynb"
        notebook = scrub(nbformat.read(path, as_version=4))
        _text(path, nbformat.writes(notebook) + "\n")
        harvests.append(harvest(chapter.name, notebook, leave_out))
        html = chapter_page(
            notebook,
            area_name=area.label,
            cycle=area.params.cycle,
            title=chapter.title,
            nav=nav,
            drop_tags=(leave_out,),
            synthetic=area.synthetic,
        )
        _text(staging / "chapters" / f"{chapter.name}.html", html)
    for found in harvests:
        _write_exhibits(staging, found)
        _write_pages(staging, area, found)
    flags = _unique(flag for h in harvests for flag in h.extras("flags"))
    sources = _unique(source for h in harvests for source in h.extras("sources"))
    _write_flags(staging / "flags.csv", flags)
    figures = staging / "tables" / "figures.csv"
    write_open_data(staging, area, flags, figures.read_text(encoding="utf-8") if figures.exists() else "")
    cards = _write_evidence(staging, area, harvests, sources, decided)
    exhibits = _exhibits(harvests)
    write_workbook(staging, area, exhibits, flags, sources, dict(nav))
    write_summary(staging, area, exhibits, cards, flags)
    absent = _unique(row for h in harvests for row in h.extras("absent_indicators"))
    _text(staging / "index.html", _index(area, made, harvests, flags, sources, absent))
    _text(staging / "manifest.json", _manifest(staging, area, made, sources, absent, made_from or {}))


def _write_exhibits(staging: Path, found: Harvest) -> None:
    for exhibit in found.exhibits:
        if exhibit.get("table_csv"):
            _text(staging / "tables" / f"{exhibit['id']}.csv", exhibit["table_csv"])
    for name, picture in found.pictures.items():
        path = staging / "figures" / f"{name}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)


def _write_pages(staging: Path, area: Area, found: Harvest) -> None:
    """Exhibits that a board reads by themselves, each a page that prints on one sheet."""
    from jsna.pack.page import one_page

    titles = {e["id"]: e["title"] for e in found.exhibits}
    for name, html in found.pages.items():
        page = one_page(
            html, title=titles[name], area_name=area.label, cycle=area.params.cycle, synthetic=area.synthetic
        )
        _text(staging / f"{name}.html", page)


def _write_evidence(
    staging: Path, area: Area, harvests: list[Harvest], sources: list[dict[str, Any]], decided: Decisions | None
) -> list[dict[str, Any]]:
    """Cards, whole and on a page; what the next cycle reads; and the form for the board's decisions."""
    from jsna.pack.figures_page import figures_page
    from jsna.pack.page import cards_page, help_pages
    from jsna.pack.plain import plain_pages

    exhibits = _exhibits(harvests)
    proposed = [p for h in harvests for p in h.extras("priorities")]
    now = edition_of_exhibits(exhibits, area)
    frame = frame_of(area.code, area.params.frames)
    setting = Setting(
        frame=frame,
        now=now,
        exhibits=exhibits,
        sources=sources,
        proposals={p["code"]: p for p in proposed},
        decisions=decided,
        before=earlier_edition(area)[0],
    )
    cards = completed(setting)
    figures = next((str(e["table_csv"]) for e in exhibits if e["id"] == "figures" and e.get("table_csv")), "")
    if figures:
        _text(staging / "figures.html", figures_page(figures, sources, area))
    _text(staging / "cards.json", _json(cards, sort_keys=True))
    kept = {"projections": now.projections, "voice": now.voice, "priorities": proposed}
    _text(staging / "evidence.json", _json(kept))
    _text(staging / "cards.html", cards_page(cards, frame, area))
    for name, html in (*plain_pages(cards, proposed, now.voice, now.projections, area), *help_pages(area).items()):
        _text(staging / name, html)
    blank = [Decision.model_validate(d) for h in harvests for d in h.extras("decision_form")]
    if blank or decided:
        _text(staging / DECISIONS, form(blank, area.code, area.params.cycle, decided))
    return cards


def _exhibits(harvests: list[Harvest]) -> list[dict[str, Any]]:
    return [{**e, "chapter": h.chapter} for h in harvests for e in h.exhibits]


def _json(content: Any, *, sort_keys: bool = False) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=sort_keys) + "\n"


def _write_flags(path: Path, flags: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(flags)


def _index(area: Area, made: list[Made], harvests: list[Harvest], flags, sources, absent) -> str:
    from jsna.pack.page import index_page

    titles = {m.chapter.name: m.chapter for m in made}
    findings = [
        {"sentence": e["title"], "chapter": h.chapter, "chapter_title": titles[h.chapter].title}
        for h in harvests
        for e in h.of_kind("finding")
        if not (e.get("extras") or {}).get("minor")
    ]
    chapters = [
        {"name": m.chapter.name, "title": m.chapter.title, "question": m.chapter.question, "error": m.error}
        for m in made
    ]
    return index_page(
        area_name=area.label,
        cycle=area.params.cycle,
        synthetic=area.synthetic,
        findings=findings,
        flags=flags,
        chapters=chapters,
        brings=_brings(area),
        sources=sources,
        absent=absent,
        pages=[(f"{name}.html", e["title"]) for h in harvests for e in h.exhibits if (name := e["id"]) in h.pages],
        policy=area.protection,
    )


def _brings(area: Area) -> str:
    """What the pack is made of, as gaps.yml names it."""
    if "official" in area.brings:
        return "official"
    if area.synthetic:
        return "synthetic"
    return "local_and_official" if area.params.has_data_folder() else "local"


def _manifest(
    staging: Path,
    area: Area,
    made: list[Made],
    sources: list[dict[str, Any]],
    absent: list[dict[str, Any]],
    made_from: dict[str, Any],
) -> str:
    """What went in and what came out; the one part that differs between two equal runs is ``made_at``."""
    parameters = area.params.without_places()
    outputs = {
        path.relative_to(staging).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(staging.rglob("*"))
        if path.is_file()
    }
    content = {
        "area_code": area.code,
        "area_name": area.name,
        "synthetic": area.synthetic,
        "parameters": parameters,
        "disclosure": _disclosure(area.policy),
        "workbench_version": WORKBENCH_VERSION,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "inputs": sources,
        "absent_indicators": absent,
        "chapters": {m.chapter.name: m.error or "made" for m in made},
        "outputs": outputs,
        "made_from": made_from,
        "audit": NOT_AUDITED,
        "made_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    return _json(content)


def add_audit(staging: Path, result: dict[str, Any]) -> None:
    """Put what the audit of the finished pack found into its manifest."""
    path = staging / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    _text(path, _json(content | {"audit": result, "made_at": content.pop("made_at")}))


def _disclosure(policy: Policy) -> dict[str, Any]:
    """The rule by which the pack was protected, and how much it cost."""
    told: dict[str, Any] = {
        "audience": policy.audience,
        "method": policy.method,
        "threshold": policy.threshold,
        "thresholds": dict(policy.thresholds),
        "zeros": policy.zeros,
        "minimum_denominator": policy.minimum_denominator,
    }
    if policy.method == "cell_key":
        told["max_perturbation"] = largest_change()
    if policy.pattern is not None:
        told["counts"] = len(policy.pattern.hidden)
        told["share_of_counts_hidden"] = round(policy.pattern.share_lost, 4)
        told["counts_rounded"] = int((policy.pattern.base > 0).sum())
        told["not_shown"] = list(policy.pattern.problems)
    return told


def _unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(row, sort_keys=True): row for row in rows}.values())


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
