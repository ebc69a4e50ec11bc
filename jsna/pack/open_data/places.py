"""Which codes and names of places belong together? Lists of the workbench, and of the official files where at hand."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from geo.places import AREA_CODE, embedded_lsoas
from geo.recoding import recodings
from jsna.codes import all_versions
from jsna.errors import WorkbenchError
from jsna.pack.open_data.lookups import lists
from jsna.params import DATA_VARIABLE

Known = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Places:
    """Codes with their names, as far as they are known.

    ``wards`` and ``districts`` hold those of all England where ``whole`` is true; else only those of ``of_areas``
    (codes of local authorities), and nothing can be said of others.
    """

    wards: Known = field(default_factory=lambda: _embedded_wards())
    districts: Known = field(default_factory=lambda: _districts())
    of_areas: frozenset[str] = frozenset({AREA_CODE})
    whole: bool = False

    @property
    def countries(self) -> Known:
        return _known(lists()["countries"])

    @property
    def regions(self) -> Known:
        return _known(all_versions("local_authority")[["region_code", "region_name"]].to_numpy().tolist()) | _known(
            lists()["parts_of_london"]
        )

    @property
    def authorities(self) -> Known:
        """Old code, new code and name of every local authority that is or was; a new code of the same stands too."""
        every = all_versions("local_authority")
        changed = recodings().query("weight == 1 and tier != 'district'")
        again = changed.loc[changed["old_number"] == changed["new_number"], ["new_number", "new_code", "new_name"]]
        now = every[["dfe_number", "code", "name"]].to_numpy().tolist()
        return _known([*now, *again.to_numpy().tolist(), *lists()["former_authorities"]])


def places_at_hand(folder: Path | None = None) -> Places:
    """The lists of the workbench, with the wards and districts of all England where official files are at hand.

    ``folder``: of the official files; none: the one that the environment names, if it does.
    """
    named = os.environ.get(DATA_VARIABLE, "")
    folder = folder or (Path(named).expanduser() if named else None)
    return _official(folder) if folder and folder.is_dir() else Places()


@cache
def _official(folder: Path) -> Places:
    from jsna.sources.folder import OfficialFolder

    official = OfficialFolder(folder)
    try:
        wards, districts = official.ward_names().frame, official.la_codes().frame
    except WorkbenchError:
        return Places()
    return Places(
        _pairs(wards, "ward_code", "ward_name") | _embedded_wards(),
        _pairs(districts, "la", "la_name") | _districts(),
        whole=True,
    )


@cache
def _embedded_wards() -> Known:
    return _pairs(embedded_lsoas(), "ward_code", "ward_name")


@cache
def _districts() -> Known:
    """Authorities that are districts too: all but counties."""
    every = all_versions("local_authority")
    return _pairs(every[~every["code"].str.startswith("E10")], "code", "name")


def _pairs(frame: pd.DataFrame, code: str, name: str) -> Known:
    return _known(frame[[code, name]].drop_duplicates().astype("str").to_numpy().tolist())


def _known(rows: list[list[str]]) -> Known:
    return frozenset(tuple(row) for row in rows)
