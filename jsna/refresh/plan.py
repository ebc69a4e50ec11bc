"""What a refresh will do: which chapters, for which areas, into which folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jsna.area import Area
from jsna.engines.tidy import NobodyError
from jsna.errors import OutputError, ParamsError, Problem, SourceError, did_you_mean
from jsna.params import Params, read_params

READS_OTHERS = "reads-other-chapters"
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Chapter:
    """A notebook: ``name`` is its file's stem, ``title`` its first heading, ``question`` the line under that.

    ``reads_others``: it reads what the other chapters found, and so comes after them.
    """

    name: str
    title: str
    question: str
    path: Path
    reads_others: bool = False


@dataclass(frozen=True)
class Pack:
    """One area's pack of one cycle: where it comes from, where it goes, the chapters to make and all it will hold."""

    area: Area
    folder: Path
    chapters: tuple[Chapter, ...]
    holds: tuple[Chapter, ...]

    @property
    def label(self) -> str:
        """The area's name as it stands on every page."""
        return self.area.label


def all_chapters(folder: Path | None = None) -> tuple[Chapter, ...]:
    """The chapters in ``folder``, else the workbench's own, in the order of their numbers."""
    folder = folder or NOTEBOOKS
    paths = sorted(folder.glob("[0-9][0-9]-*.ipynb"))
    if not paths:
        raise ParamsError(Problem("There are no chapters.", where=str(folder), mend="Is the clone complete?"))
    return tuple(_chapter(path) for path in paths)


def chosen_chapters(names: list[str], where: str = "--only") -> tuple[Chapter, ...]:
    """The chapters called ``names`` (whole, or a number such as 03); all when there are none.

    Raises one ``ParamsError`` that names each unknown one, the nearest to it, and ``where`` it stands.
    """
    chapters = all_chapters()
    if not names:
        return chapters
    found = {n: [c for c in chapters if c.name == n or c.name.split("-")[0] == n] for n in names}
    known = [c.name for c in chapters]
    wrong = [n for n, hits in found.items() if not hits]
    if wrong:
        raise ParamsError(
            *(
                Problem(
                    "There is no such chapter.",
                    where=where,
                    value=n,
                    mend=did_you_mean(n, known) or f"Chapters: {', '.join(known)}.",
                )
                for n in wrong
            )
        )
    wanted = {c.name for hits in found.values() for c in hits}
    return tuple(c for c in chapters if c.name in wanted)


def plan(
    params_files: list[Path], out: Path, only: list[str], area_of: Callable[[Params], Area] = Area
) -> tuple[Pack, ...]:
    """One pack an area of each params file, of the chapters that the file lists, or of ``only`` these.

    Raises one error with the faults of all files; nothing has run by then.
    """
    problems: list[Problem] = []
    unread: list[Problem] = []
    packs: list[Pack] = []
    asked = chosen_chapters(only)
    for path in params_files:
        try:
            params = read_params(path)
            listed = chosen_chapters(params.chapters, f"{path.name}, chapters")
        except ParamsError as error:
            problems.extend(error.problems)
            continue
        # what is asked for on the command line is made even where the file does not list it
        chapters = asked if only else listed
        holds = tuple(c for c in all_chapters() if c in listed or c in chapters)
        for code in params.areas:
            area = area_of(params.one_area(code))
            try:
                packs.append(Pack(area, out / area.slug / params.cycle, chapters, holds))
            except SourceError as error:
                unread.extend(error.problems)
                if not isinstance(error, NobodyError):
                    break  # what cannot be read or asked for one area cannot be for the next
    if problems:
        raise ParamsError(*problems, *unread)
    if unread:
        raise SourceError(*dict.fromkeys(unread))
    folders = [p.folder for p in packs]
    twice = {str(f) for f in folders if folders.count(f) > 1}
    if twice:
        raise OutputError(
            Problem("Two packs would be written to one folder.", value=sorted(twice), mend="Change a cycle.")
        )
    return tuple(packs)


def _chapter(path: Path) -> Chapter:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "".join(next(c["source"] for c in cells if c["cell_type"] == "markdown"))
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise ParamsError(
            Problem("A chapter cannot be read as a notebook with a title.", where=path.name, value=type(error).__name__)
        ) from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    late = any(READS_OTHERS in cell.get("metadata", {}).get("tags", ()) for cell in cells)
    return Chapter(path.stem, lines[0].lstrip("# "), lines[1] if len(lines) > 1 else "", path, late)
