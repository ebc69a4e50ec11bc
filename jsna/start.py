"""A first params file for an authority's own data, and the key of its project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jsna.codes import local_authority
from jsna.errors import OutputError, Problem
from jsna.sources.identity import read_key, write_key

TEMPLATE = """\
# {name}: the authority's own data. Fill in where the files lie; `jsna check` says what is wrong with them.
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
data: ''
"""


@dataclass(frozen=True)
class Started:
    """Where the params file and the key are."""

    params: Path
    key: Path


def start(area: str, *, key: Path | None = None, params: Path | None = None) -> Started:
    """Write the params file of ``area`` (a code or number), and its key where none is yet.

    A key that is there already is kept: with another one the files of a project would no longer join. Raises
    ``CodeListError`` for an unknown area, ``SourceError`` when what is there is no key, and ``OutputError`` when the
    params file is there, or the key would lie in the project.
    """
    known = local_authority(area)
    slug = str(known["name"]).lower().replace(" ", "-").replace(",", "").replace(".", "")
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
    if path.exists():
        raise OutputError(
            Problem("There is a params file already.", where=path.name, mend="Edit it, or name another with --params.")
        )
    if secret.exists():
        read_key(secret)
    else:
        write_key(secret)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = TEMPLATE.format(name=known["name"], code=known.name, key=secret.as_posix())
    path.write_text(text, encoding="utf-8")
    return Started(path, secret)
