"""What the command says: the catalogue as a list, problems put together, files that stand twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jsna.errors import Problem
from jsna.fetch.catalogue import Catalogue
from jsna.sources.folder import known_files


def listing(known: Catalogue) -> str:
    """The catalogue as a table in text, with what is not checked marked."""
    heads = ("key", "for a pack", "checked", "file", "from")
    rows = [
        (e.key, "yes" if e.chapters else "no", "yes" if e.checked else "NO", e.file, known.services[e.service].name)
        for e in known.files.values()
    ]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows]]
    note = "checked: NO = we have not seen the live service answer under this address yet (docs/fetch.md)."
    return "\n".join([*lines, note])


def doubles(folder: Path) -> list[str]:
    """Sentences on sources that readers would find twice in a folder: one fetched, one put there by hand."""
    everything = sorted(p for p in folder.rglob("*") if p.is_file())
    found = []
    for spec in known_files().values():
        hits = [p.relative_to(folder).as_posix() for p in everything if p.match(spec["pattern"])]
        if len(hits) > 1:
            what = f"The folder holds the same source more than once, and only the first is read: {', '.join(hits)}."
            found.append(f"{what} Remove what you do not want.")
    return found


def grouped(problems: Sequence[Problem]) -> list[str]:
    """Problems as lines; one that several files share, as a proxy that refuses, is said once with all their names.

    >>> same = [Problem("The disk is full.", where=w) for w in ("a", "b")]
    >>> grouped(same)
    ['a, b: The disk is full.']
    """
    together: dict[str, list[str]] = {}
    for p in problems:
        told = str(Problem(p.what, value=p.value, expected=p.expected, mend=p.mend))
        together.setdefault(told, []).append(p.where)
    return [f"{', '.join(w for w in places if w)}: {told}".removeprefix(": ") for told, places in together.items()]
