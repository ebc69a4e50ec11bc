"""A user's folder of official files: what is in it, and each source read when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from jsna.errors import Problem, SourceError
from jsna.sources import tables
from jsna.sources.ehc_release import read_ehc_table
from jsna.sources.result import Loaded

if TYPE_CHECKING:
    import geopandas as gpd

EHC_TABLES = ("caseload", "requests", "timeliness_20_week", "sen_needs_all_plans")


@cache
def known_files() -> dict[str, dict[str, str]]:
    """The files that the chapters use, with the pattern of their names and their titles."""
    return yaml.safe_load(files("jsna.sources").joinpath("folder.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class OfficialFolder:
    """The folder of official files; sub-folders are searched too. Files are found by name and judged by content."""

    path: Path

    @cached_property
    def found(self) -> dict[str, Path]:
        """For each known source, the first file whose name fits."""
        everything = sorted(p for p in self.path.rglob("*") if p.is_file())
        hits = {s: [p for p in everything if p.match(spec["pattern"])] for s, spec in known_files().items()}
        return {s: paths[0] for s, paths in hits.items() if paths}

    def check(self) -> None:
        """Raise one ``SourceError`` that names every file that is missing, with its official title."""
        missing = [s for s in known_files() if s not in self.found]
        if missing:
            raise SourceError(*(self._missing(s) for s in missing))
        self.ehc(EHC_TABLES[0])

    def file(self, source: str) -> Path:
        """The file of a source. Raises ``SourceError`` with its title when it is not there."""
        if source not in self.found:
            raise SourceError(self._missing(source))
        return self.found[source]

    def _missing(self, source: str) -> Problem:
        spec = known_files()[source]
        return Problem(
            "A file is missing.",
            where=str(self.path.name),
            expected=spec["pattern"],
            mend=f"Download “{spec['title']}” and put it there.",
        )

    def ehc(self, table: str) -> Loaded:
        return self._once(f"ehc {table}", lambda: read_ehc_table(self.file("ehc"), table))

    def lait(self) -> Loaded:
        return self._once("lait", lambda: tables.read_lait(self.file("lait")))

    def neighbours(self) -> Loaded:
        return self._once("neighbours", lambda: tables.read_neighbours(self.file("neighbours")))

    def pupils(self) -> Loaded:
        return self._once("pupils", lambda: tables.read_pupils_ethnicity_language(self.file("pupils")))

    def idaci(self) -> Loaded:
        return self._once("idaci", lambda: tables.read_idaci_2025(self.file("idaci")))

    def imd_2025(self) -> Loaded:
        return self._once("imd_2025", lambda: tables.read_imd_2025(self.file("imd_2025")))

    def imd_2019(self) -> Loaded:
        return self._once("imd_2019", lambda: tables.read_imd_2019(self.file("imd_2019")))

    def children(self) -> Loaded:
        return self._once("children", lambda: tables.read_census_children(self.file("children")))

    def lsoa_ward(self) -> Loaded:
        columns = {"lsoa21_code": "lsoa", "ward24_code": "ward_code", "ltla24_code": "district_code"}
        title = known_files()["lsoa_ward"]["title"]
        return self._once("lsoa_ward", lambda: tables.read_lsoa_lookup(self.file("lsoa_ward"), columns, title, "2024"))

    def lsoa_change(self) -> Loaded:
        columns = {"lsoa11_code": "lsoa11", "lsoa21_code": "lsoa", "change_code": "change"}
        title = known_files()["lsoa_change"]["title"]
        return self._once(
            "lsoa_change", lambda: tables.read_lsoa_lookup(self.file("lsoa_change"), columns, title, "2022")
        )

    def ward_names(self) -> Loaded:
        columns = {"WDCD": "ward_code", "WDNM": "ward_name"}
        title = known_files()["ward_names"]["title"]
        return self._once(
            "ward_names", lambda: tables.read_lsoa_lookup(self.file("ward_names"), columns, title, "2026")
        )

    def ward_shapes(self, district_codes: list[str]) -> gpd.GeoDataFrame:
        """Official ward boundaries (2025) of some districts, in EPSG:27700: ward_code, ward_name, geometry."""
        import geopandas as gpd

        path = self.file("ward_shapes")
        try:
            shapes = gpd.read_parquet(path)
        except (OSError, ValueError) as error:
            mend = "Download it again."
            problem = Problem(f"The boundaries cannot be read ({type(error).__name__}).", where=path.name, mend=mend)
            raise SourceError(problem) from None
        own = shapes[shapes["LAD25CD"].isin(district_codes)]
        if own.empty:
            raise SourceError(Problem("The boundary file has no ward of this area.", value=district_codes))
        own = own.rename(columns={"WD25CD": "ward_code", "WD25NM": "ward_name"})
        return own[["ward_code", "ward_name", "geometry"]].to_crs("EPSG:27700").reset_index(drop=True)

    def neighbours_of(self, code: str) -> pd.DataFrame:
        """The neighbours of one area in each set at hand: rank, neighbour_code, neighbour_name, set."""
        both = pd.concat([self.neighbours().frame, tables.neighbours_2021()], ignore_index=True)
        return both[both["area_code"] == code].reset_index(drop=True)

    def read_all(self) -> list[Loaded]:
        """Every source that the chapters use."""
        single = (
            self.lait,
            self.neighbours,
            self.pupils,
            self.idaci,
            self.imd_2025,
            self.imd_2019,
            self.children,
            self.lsoa_ward,
            self.lsoa_change,
        )
        return [*(self.ehc(t) for t in EHC_TABLES), *(read() for read in single)]

    def _once(self, name: str, read: Any) -> Loaded:
        """A source is read once in the life of this object (kept in its ``__dict__``, as cached properties are)."""
        kept = self.__dict__.setdefault("_kept", {})
        if name not in kept:
            kept[name] = read()
        return kept[name]
