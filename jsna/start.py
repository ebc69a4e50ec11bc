"""A first params file: for an authority's own data, with the key of its project, or from official open data alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from jsna.codes import local_authority
from jsna.codes.boards import boards_of
from jsna.errors import OutputError, ParamsError, Problem
from jsna.evidence.catalogue import Indicator, catalogue
from jsna.exhibits.text import listing
from jsna.params import Params
from jsna.refresh.needs import lacking, needs
from jsna.refresh.plan import all_chapters
from jsna.sources.folder import OfficialFolder, every_file
from jsna.sources.identity import read_key, write_key
from jsna.sources.tables import neighbours_2021

TEMPLATE = """\
# {name}: the authority's own data. Fill in where the files lie.
# `python3 workbench.py check` on this file says what is wrong with them.
# Paths stand in single quotes: pupils: ['C:\\census\\2026', 'C:\\census\\2025'].
areas: [{code}]
cycle: "2026"
source: local
# The January School Census: COLLECT tables (a folder or zip), XML, a flat extract, or a research extract; one entry a
# census, or one folder with all of them. From a database: see docs/own-data.md.
pupils: []
# The day of a flat extract that has no column for it.
census_date: ''
# The SEN2 return, and operational extracts.
sen2: []
extracts: []
# A register of schools, and the ONS postcode directory.
schools: ''
postcodes: ''
# The key of this project: the same for all its files, outside of the project, never sent or committed.
key_file: '{key}'
# Official files (jsna fetch); for authorities other than Luton they bring wards and deprivation.
data: '{data}'
"""

OPEN_TEMPLATE = """\
# {name} ({code}), from official open data alone: `python3 workbench.py refresh` on this file makes its pack.
# Region: {region}.
# {boards}
# (Boards change and merge, and may cut across an area: ask yours. Sources: docs/national.md.)
# Statistical neighbours, the closest first:
{neighbours}
# Official files in the folder, by their names:
{there}
# Not there:
{missing}
areas: [{code}]
cycle: "{cycle}"
source: official
data: '{data}'
{chapters}
# A set of neighbours of your own, shown beside the published ones: a name, and at least three codes.
neighbours: {{}}
# The area's own priorities, where they are not those that come with the workbench: a file such as
# jsna/evidence/frames/luton.yml.
frames: ''
"""


@dataclass(frozen=True)
class Started:
    """Where the params file and the key are."""

    params: Path
    key: Path


def start(area: str, *, key: Path | None = None, params: Path | None = None, data: Path | None = None) -> Started:
    """Write the params file of ``area`` (a code or number), and its key where none is yet.

    A key that is there already is kept: with another one the files of a project would no longer join. ``data``: the
    folder of official files, where there is one. Raises ``CodeListError`` for an unknown area, ``SourceError`` when
    what is there is no key, and ``OutputError`` when the params file is there, or the key would lie in the project.
    """
    known = local_authority(area)
    slug = _slug(known)
    path = params or Path("params") / f"{slug}-local.yml"
    secret = (key or Path.home() / "jsna-keys" / f"{slug}.key").expanduser().resolve()
    project = Path(__file__).resolve().parents[1]
    if secret.is_relative_to(project):
        raise OutputError(
            Problem(
                "The key would lie in the project, from where it could be sent or committed.",
                where="--key",
                mend="Name a folder outside of it, such as one in your home.",
            )
        )
    _must_be_new(path)
    official = _quoted(_folder(data)) if data else ""
    if secret.exists():
        read_key(secret)
    else:
        write_key(secret)
    _write(path, TEMPLATE.format(name=known["name"], code=known.name, key=_quoted(secret), data=official))
    return Started(path, secret)


def start_open(area: str, *, data: Path | None = None, params: Path | None = None) -> Path:
    """Write the params file with which ``area`` (a code or number) is read from official files alone, and its place.

    The file says in comments the region, the integrated care board, the published neighbours, and which official files
    the folder holds and lacks; it lists the chapters that they allow. The folder is ``data``, or the one that the
    environment names. Raises ``CodeListError`` for an area that is unknown or has ended, ``ParamsError`` for a folder
    that is not there or holds none of the files, and ``OutputError`` when there is a params file.
    """
    known = local_authority(area)
    path = params or Path("params") / f"{_slug(known)}-open-data.yml"
    _must_be_new(path)
    folder = OfficialFolder(_folder(data) if data else Params(source="official").data_folder())
    if not folder.found:
        raise ParamsError(
            Problem(
                "The folder holds none of the official files.",
                where="--data",
                value=folder.path.name,
                mend="`jsna fetch` downloads them; or name another folder.",
            )
        )
    code = str(known.name)
    text = OPEN_TEMPLATE.format(
        name=known["name"],
        code=code,
        region=f"{known['region_name']} ({known['region_code']})",
        boards=boards_in_words(code),
        neighbours=_lines(_neighbours(folder, code)),
        there=_lines(
            [f"{every_file()[s]['title']}: {folder.found[s].name}" for s in every_file() if s in folder.found]
        ),
        missing=_lines([_missing(s) for s in every_file() if s not in folder.found]),
        cycle=Params().cycle,
        data=_quoted(folder.path.resolve()) if data else "",
        chapters=_chapters(folder),
    )
    _write(path, text)
    return path


def boards_in_words(code: str) -> str:
    """The integrated care boards of an area, now and before, in one sentence.

    >>> boards_in_words("E06000032")
    'Integrated care board: Central East, since April 2026; before: Bedfordshire, Luton and Milton Keynes.'
    """
    boards = boards_of(code)
    if boards.empty:
        return "Integrated care board: not known here. Ask the authority."
    now, before = boards[boards["valid_to"] == ""], boards[boards["valid_to"] != ""]
    several = "Integrated care boards, each for a part" if len(now) > 1 else "Integrated care board"
    since = ", since April 2026" if (now["valid_from"] == "2026-04").any() else ""
    past = f"; before: {' / '.join(before['board'])}" if len(before) else ""
    return f"{several}: {' / '.join(now['board'])}{since}{past}."


def _neighbours(folder: OfficialFolder, code: str) -> list[str]:
    sets = [neighbours_2021()]
    if "neighbours" in folder.found:
        sets.insert(0, folder.neighbours().frame)
    rows = pd.concat(sets, ignore_index=True).query("area_code == @code").sort_values("rank", kind="stable")
    found = [f"{name}: {'; '.join(own['neighbour_name'])}" for name, own in rows.groupby("set", sort=False)]
    return sorted(found, key=lambda line: line.split(":")[0].split()[-1], reverse=True) or [
        "none: the folder holds no published set for this area"
    ]


def _missing(source: str) -> str:
    chapters = [name for name, files in needs().items() if source in files]
    lost = sum(source in _sources(i) for i in catalogue().indicators.values())
    effects = [f"there is no {listing(chapters)}"] if chapters else []
    effects += [f"{lost} indicators lack figures"] if lost else []
    return f"{every_file()[source]['title']}: without it {listing(effects) or 'nothing is lost'}"


def _sources(indicator: Indicator) -> set[str]:
    sides = [side for way in indicator.official for side in (way.numerator, way.denominator, way.published)]
    return {side.source for side in sides if side is not None}


def _chapters(folder: OfficialFolder) -> str:
    names = [c.name for c in all_chapters()]
    able = [n for n in names if not lacking(folder, n)]
    if able == names:
        return "# Every chapter can be made from these files; a list of names makes fewer.\nchapters: []"
    says = "# The chapters that these files allow; [] is all, which needs the files that are missing."
    return f"{says}\nchapters: [{', '.join(able)}]"


def _slug(known: pd.Series) -> str:
    return str(known["name"]).lower().replace(" ", "-").replace(",", "").replace(".", "")


def _must_be_new(path: Path) -> None:
    if path.exists():
        mend = "Use or edit it, or name another with --params."
        raise OutputError(Problem("There is a params file already.", where=path.as_posix(), mend=mend))


def _folder(data: Path) -> Path:
    folder = data.expanduser().resolve()
    if not folder.is_dir():
        raise ParamsError(
            Problem(
                "The folder of official files does not exist.",
                where="--data",
                value=str(data),
                mend="See `jsna fetch`.",
            )
        )
    return folder


def _quoted(path: Path) -> str:
    """A path for single quotes in YAML."""
    return path.as_posix().replace("'", "''")


def _lines(sentences: list[str]) -> str:
    return "\n".join(f"#   {s}" for s in sentences) or "#   nothing"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
