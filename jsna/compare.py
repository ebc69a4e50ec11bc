"""The command `jsna compare`: what has changed from one pack of an area to the next?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from jsna.chapters import changed
from jsna.errors import OutputError, Problem, SourceError
from jsna.evidence.cycles import Changes, changes_between, edition_of_pack
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.pack.page import one_page

NOTHING = ("There is nothing to compare.", "")


def run(old: Path, new: Path, out: Path | None) -> int:
    """Print what has changed, and write it as a page with its tables to ``out``. Returns 0; faults are raised."""
    found = compare(old, new)
    if out is not None:
        _refuse_to_write_over(out)
    print(as_text(found))
    if out is not None:
        print(f"Page: {write_page(found, out)}")
    return 0


def compare(old: Path, new: Path) -> Changes:
    """The changes from the pack in ``old`` to that in ``new``.

    Raises ``SourceError`` where one is no pack, was changed by hand, or is another area's than the other.
    """
    later = edition_of_pack(new, called="NEW_PACK")
    earlier = edition_of_pack(old, area_code=later.area_code, called="OLD_PACK")
    if earlier.synthetic != later.synthetic:
        what = "One pack is of a synthetic area, the other of real figures: nothing of them can be compared."
        raise SourceError(Problem(what, where="OLD_PACK, NEW_PACK"))
    if earlier.cycle >= later.cycle:
        what = "The first pack is not of an earlier cycle than the second."
        mend = "Name the older pack first."
        raise SourceError(
            Problem(what, where="OLD_PACK", value=earlier.cycle, expected=f"before {later.cycle}", mend=mend)
        )
    return changes_between(earlier, later)


def as_text(found: Changes) -> str:
    """The findings with their details, and the titles of the tables that the page holds."""
    head = f"{found.new.area_name}: from {found.old.name} to {found.new.name}."
    lines = [head, *found.old.notes]
    for exhibit in exhibits_of(found):
        if exhibit.kind == "finding":
            lines += [exhibit.title, *(f"  - {note}" for note in exhibit.notes)]
        elif exhibit.kind == "notice":
            lines.append(re.sub("<[^>]+>", "", exhibit.body))
    return "\n".join(lines)


def write_page(found: Changes, folder: Path) -> Path:
    """The comparison as `comparison.html` with its tables as CSV in ``folder``, which must be new or empty."""
    _refuse_to_write_over(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shown = list(exhibits_of(found))
    body = "".join(f"<h2>{e.title}</h2>{e.html()}" if e.kind == "table" else e.html() for e in shown)
    page = one_page(
        body,
        title=f"What has changed from {found.old.name} to {found.new.name}",
        area_name=found.new.area_name,
        cycle=found.new.cycle,
        synthetic=found.new.synthetic,
        home=False,
    )
    (folder / "comparison.html").write_text(page, encoding="utf-8", newline="\n")
    for exhibit in shown:
        if exhibit.table_csv:
            (folder / f"{exhibit.id}.csv").write_text(exhibit.table_csv, encoding="utf-8", newline="\n")
    return folder / "comparison.html"


def _refuse_to_write_over(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "The folder is there already, and not empty."
        raise OutputError(Problem(what, where="--out", value=folder.name, mend="Name a new one."))


def exhibits_of(found: Changes) -> Iterator[Exhibit]:
    """Decisions, figures, groups that stand out and projections, as the chapter on priorities shows them."""
    for made in (changed.last_cycle, changed.figures, changed.answers, changed.flags, changed.projections):
        shown = made(found, NOTHING)
        yield from shown.items if isinstance(shown, Exhibits) else (shown,)
