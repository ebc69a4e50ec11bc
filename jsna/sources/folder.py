"""A user's folder of official files: what is in it, and each source read when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.boundaries import check_boundaries
from geo.files import read_place_file
from geo.recoding import recodings
from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import need_columns
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded
from jsna.sources import tables
from jsna.sources.ehc_release import read_ehc_table

if TYPE_CHECKING:
    import geopandas as gpd

EHC_TABLES = ("caseload", "requests", "timeliness_20_week", "sen_needs_all_plans")


@cache
def every_file() -> dict[str, dict[str, Any]]:
    """Every source that is read from the folder, those included that need not be there."""
    return packaged_yaml("jsna.sources", "folder.yml")


@cache
def known_files() -> dict[str, dict[str, Any]]:
    """The files that the chapters cannot do without, with the pattern of their names and their titles."""
    return {s: spec for s, spec in every_file().items() if not spec.get("optional")}


@dataclass(frozen=True)
class OfficialFolder:
    """The folder of official files; sub-folders are searched too. Files are found by name and judged by content."""

    path: Path

    @cached_property
    def everything(self) -> tuple[Path, ...]:
        """Every file of the folder and its sub-folders, by name."""
        return tuple(sorted(p for p in self.path.rglob("*") if p.is_file()))

    @cached_property
    def found(self) -> dict[str, Path]:
        """For each known source, the first file whose name fits."""
        hits = {s: [p for p in self.everything if p.match(spec["pattern"])] for s, spec in every_file().items()}
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

    def table_file(self, source: str, table: str) -> Path:
        """The file of one table of a source whose tables are files: the one of that name. Raises ``SourceError``."""
        hits = [p for p in self.everything if p.match(every_file()[source]["pattern"])]
        named = {p.name.split(".")[0]: p for p in reversed(hits)}
        if table not in named:
            problem = self._missing(source)
            mend = f"{did_you_mean(table, named)} {problem.mend}".strip()
            raise SourceError(Problem(problem.what, problem.where, expected=f"{table}.csv", mend=mend))
        return named[table]

    def _missing(self, source: str) -> Problem:
        spec = every_file()[source]
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

    def children(self) -> Loaded:
        return self._once("children", lambda: tables.read_census_children(self.file("children")))

    def place(self, source: str, columns: dict[str, str]) -> Loaded:
        """A file of places, read by ``geo.files``, with the ``columns`` that are wanted under the chapters' names."""

        def read() -> Loaded:
            loaded = read_place_file(self.file(source), every_file()[source]["place"])
            return Loaded(loaded.frame[list(columns)].rename(columns=columns), loaded.quarantine, loaded.summary)

        return self._once(source, read)

    def idaci(self) -> Loaded:
        """IDACI 2025 of every LSOA (2021): lsoa, rank, decile (1 = most deprived)."""
        return self.place("idaci", {"lsoa21": "lsoa", "IDACI_rank": "rank", "IDACI_decile": "decile"})

    def imd_2025(self) -> Loaded:
        """IMD 2025 of every LSOA (2021): lsoa, rank, decile (1 = most deprived)."""
        return self.place("imd_2025", {"lsoa21": "lsoa", "IMD_rank": "rank", "IMD_decile": "decile"})

    def imd_2019(self) -> Loaded:
        """IMD 2019 of every LSOA (2011): lsoa, rank, decile. Never join it to LSOAs of 2021 by code."""
        return self.place("imd_2019", {"lsoa11": "lsoa", "IMD_rank": "rank", "IMD_decile": "decile"})

    def lsoa_ward(self) -> Loaded:
        return self.place("lsoa_ward", {"lsoa21": "lsoa", "ward24": "ward_code", "la24": "district_code"})

    def lsoa_change(self) -> Loaded:
        return self.place("lsoa_change", {"lsoa11": "lsoa11", "lsoa21": "lsoa", "change": "change"})

    def ward_names(self) -> Loaded:
        return self.place("ward_names", {"ward": "ward_code", "ward_name": "ward_name"})

    def la_codes(self) -> Loaded:
        """Districts since 2011: la, la_name, la_now (the successor), upper_la (the county or the area itself)."""
        names = ("la", "la_name", "la_now", "upper_la")
        return self.place("la_codes", dict(zip(names, names, strict=True)))

    def low_income_wards(self) -> Loaded:
        """DWP's children in relative low income families after housing costs, by ward, as published."""
        return self._once("low_income", lambda: read_place_file(self.file("low_income"), "low_income_ward"))

    def low_income_authorities(self) -> Loaded:
        """The same by district and unitary authority."""
        return self._once("low_income_la", lambda: read_place_file(self.file("low_income_la"), "low_income_la"))

    def districts_of(self, code: str) -> list[str]:
        """The districts of an authority: those of a county, else the authority itself, under every code they have had.

        Files of different years name one authority by different codes (Barnsley, North Yorkshire): all are given, so
        that rows of any year are found. Raises ``SourceError`` for a code that no list names.
        """
        changed = recodings().query("weight == 1")
        linked = {code, *changed.loc[changed["old_code"] == code, "new_code"]}
        linked |= set(changed.loc[changed["new_code"].isin(linked) & (changed["tier"] != "district"), "old_code"])
        lists = self.la_codes().frame
        now = lists.loc[lists["upper_la"].isin(linked) | lists["la"].isin(linked), "la_now"].unique()
        if not len(now):
            raise SourceError(
                Problem("The list of districts does not know this authority.", where="la_codes", value=code)
            )
        return sorted({*now, *lists.loc[lists["la_now"].isin(now), "la"]})

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
        need_columns(shapes, ["WD25CD", "WD25NM", "LAD25CD"], path.name)
        own = shapes[shapes["LAD25CD"].isin(district_codes)]
        if own.empty:
            raise SourceError(Problem("The boundary file has no ward of this area.", value=district_codes))
        wards = check_boundaries(own, "ward", file=path.name).frame.rename(
            columns={"code": "ward_code", "name": "ward_name"}
        )
        return wards[["ward_code", "ward_name", "geometry"]]

    def neighbours_of(self, code: str) -> pd.DataFrame:
        """The neighbours of one area in each set at hand: rank, neighbour_code, neighbour_name, set."""
        sets = (self.neighbours().frame, tables.neighbours_2021())
        return pd.concat([s[s["area_code"] == code] for s in sets], ignore_index=True)

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
            self.la_codes,
            self.low_income_wards,
        )
        return [*(self.ehc(t) for t in EHC_TABLES), *(read() for read in single)]

    def _once(self, name: str, read: Any) -> Loaded:
        """A source is read once in the life of this object (kept in its ``__dict__``, as cached properties are)."""
        kept = self.__dict__.setdefault("_kept", {})
        if name not in kept:
            kept[name] = read()
        return kept[name]
