"""Which official files each chapter cannot do without, and which chapters a folder allows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from jsna.errors import SourceError
from jsna.files.packaged import packaged_yaml
from jsna.refresh.plan import Chapter
from jsna.sources.folder import EHC_TABLES, OfficialFolder


@cache
def needs() -> dict[str, list[str]]:
    """The files of each chapter that cannot do without them, as keys of jsna/sources/folder.yml."""
    return packaged_yaml("jsna.refresh", "needs.yml")


def lacking(folder: OfficialFolder, chapter: str) -> list[str]:
    """The files that the chapter needs and the folder does not hold."""
    return [source for source in needs().get(chapter, ()) if source not in folder.found]


def check_files(folder: OfficialFolder, chapters: Iterable[Chapter]) -> None:
    """Raise one ``SourceError`` that names every file that one of the chapters needs and the folder does not hold."""
    names = [c.name for c in chapters]
    missing = dict.fromkeys(source for name in names for source in lacking(folder, name))
    if missing:
        raise SourceError(*(problem for source in missing for problem in _missing(folder, source)))
    if any("ehc" in needs().get(name, ()) for name in names):
        folder.ehc(EHC_TABLES[0])


def _missing(folder: OfficialFolder, source: str):
    try:
        folder.file(source)
    except SourceError as error:
        return error.problems
    return ()
