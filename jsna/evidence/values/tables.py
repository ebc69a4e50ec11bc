"""The official tables that indicators are made from, each in one form: area, level, period as written, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.recoding import recodings
from jsna.codes import all_versions, code_list
from jsna.errors import Problem, SourceError
from jsna.files.result import Loaded, Summary
from jsna.sources.ees import read_ees
from jsna.sources.ehc_release import read_ehc_table
from jsna.sources.folder import OfficialFolder, every_file
from jsna.sources.population import read_census_slice
from jsna.sources.tables import ENGLAND, read_lait
from jsna.sources.tribunal import read_appeals

LEVELS = {"National": "england", "Regional": "region", "Local authority": "local_authority"}
KEY = ["area_code", "area_level", "written", "identifier"]
# Sources that are made from further files.
WITH = {"population": ("la_codes",), "children": ("la_codes", "idaci", "lsoa_ward")}
LONDON, PARTS_OF_LONDON = "E12000007", ("E13000001", "E13000002")


@dataclass(frozen=True)
class Table:
    """One official table. ``frame`` has its filters and figures, with ``<figure>_symbol`` beside a figure where symbols
    occur, words as categories; ``cells`` every area and period of it, once: area_code, area_level (local_authority,
    region, england), written (the period as the file has it) and identifier; ``cell`` the row of ``cells`` of each row.

    Authorities stand under today's codes; those that are no more keep theirs. London in two parts keeps their codes.
    """

    frame: pd.DataFrame
    cells: pd.DataFrame
    cell: NDArray[np.intp]
    summary: Summary


def read_table(folder: OfficialFolder, source: str, name: str) -> Table:
    """A table of the folder. Raises ``SourceError`` when its file is not there or cannot be read."""
    if source not in READERS:
        raise SourceError(Problem("No reader knows this source.", value=source, expected=", ".join(READERS)))
    return READERS[source](folder, name)


def files_of(folder: OfficialFolder, sources: Iterable[tuple[str, str]]) -> list[Path]:
    """The files that these sources and tables are read from, as far as they are there."""
    found = set()
    for source, name in sources:
        if every_file().get(source, {}).get("tables"):
            found |= {p for p in folder.everything if p.name.split(".")[0] == name}
        elif source in folder.found:
            found.add(folder.found[source])
        beside = WITH.get(source, ())
        found |= {folder.found[other] for other in beside if other in folder.found}
    return sorted(found)


def read_other(path: Path, name: str) -> Table:
    """Another copy of a table of the EHC plan release, from a file of its own or another zip."""
    return _standard(_loosely(path, name))


def _ehc(folder: OfficialFolder, name: str) -> Table:
    return _standard(_loosely(folder.file("ehc"), name))


def _loosely(path: Path, name: str) -> Loaded:
    """The table, also where a newer release renamed one of its columns: the ways that do without it are still good."""
    try:
        return read_ehc_table(path, name)
    except SourceError as error:
        try:
            return read_ehc_table(path, name, whole=False)
        except SourceError:
            raise error from None


def _file(source: str) -> Callable[[OfficialFolder, str], Table]:
    return lambda folder, name: _standard(read_ees(folder.file(source)))


def _standard(loaded: Loaded) -> Table:
    """A file of the open data standard: other levels than the three are left out."""
    frame = loaded.frame[loaded.frame["geographic_level"].isin(LEVELS)]
    level = frame["geographic_level"].map(LEVELS).astype("str")
    code = _today(frame["area_code"], frame["dfe_number"], level)
    gone = ["geographic_level", "area_code", "dfe_number", "area_name", "time_period", "time_identifier"]
    head = {"written": frame["time_period"], "identifier": frame["time_identifier"]}
    head = {"area_code": code.mask(level == "england", ENGLAND), "area_level": level, **head}
    return table_of(pd.DataFrame(head).join(frame.drop(columns=gone)), loaded.summary)


def _lait(folder: OfficialFolder, name: str) -> Table:
    loaded = read_lait(folder.file("lait"))
    frame = loaded.frame
    code = frame["area_code"].where(frame["area_code"] != "", frame["former_code"])
    keep = code != ""
    level = _level_of(code)
    made = pd.DataFrame({"area_code": code, "area_level": level, "written": frame["period"], "identifier": ""})
    figures = {"measure": frame["measure"], "value": frame["value"], "value_symbol": frame["symbol"]}
    return table_of(made.assign(**figures)[keep], loaded.summary)


def _tribunal(folder: OfficialFolder, name: str) -> Table:
    loaded = read_appeals(folder.file("tribunal"))
    frame = loaded.frame[loaded.frame["area_code"] != ""]
    level = _level_of(frame["area_code"])
    code = _today(frame["area_code"], frame["dfe_number"], level)
    made = pd.DataFrame({"area_code": code, "area_level": level, "written": frame["year"], "identifier": ""})
    gone = ["area_code", "dfe_number", "area_name", "year"]
    return table_of(made.join(frame.drop(columns=gone)), loaded.summary)


def _dashboard(folder: OfficialFolder, name: str) -> Table:
    return _standard(read_ees(folder.table_file("dashboard", name)))


def _ehc_2022(folder: OfficialFolder, name: str) -> Table:
    return _standard(read_ees(folder.file("ehc_2022"), name))


def _population(folder: OfficialFolder, name: str) -> Table:
    """Residents of every authority by single year of age: districts of counties added up."""
    loaded = read_census_slice(folder.file("population"))
    code = _authority_of(folder, loaded.frame["area_code"])
    known = loaded.frame[code != ""].drop(columns=["area_code", "area_name"])
    made = known.groupby(code[code != ""].rename("area_code")).sum().reset_index()
    return table_of(_with_totals(made.assign(written="2020", identifier="")), loaded.summary)


def _children(folder: OfficialFolder, name: str) -> Table:
    """Children under 16 (Census 2021) of every authority by the decile of their small area in IDACI 2025."""
    loaded, index, places = folder.children(), folder.idaci(), folder.lsoa_ward()
    rows = loaded.frame.merge(index.frame[["lsoa", "decile"]], on="lsoa")
    rows = rows.merge(places.frame[["lsoa", "district_code"]].drop_duplicates("lsoa"), on="lsoa")
    code = _authority_of(folder, rows["district_code"]).rename("area_code")
    # An authority without a small area in a decile has nobody there: nought, which is not the same as not known.
    wide = rows["children"].groupby([code, rows["decile"].astype("int64").astype("str")]).sum().unstack(fill_value=0)
    made = wide.drop(index="", errors="ignore").melt(ignore_index=False, value_name="children").reset_index()
    source = f"{loaded.summary.source}; {index.summary.source}"
    made = _with_totals(made.assign(written="2021", identifier=""))
    return table_of(made, replace(loaded.summary, source=source))


def _with_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts of every authority with those of regions and of England, which such a table does not have."""
    figures = [c for c in rows if pd.api.types.is_numeric_dtype(rows[c])]
    rest = [c for c in rows if c not in figures and c != "area_code"]
    regions = rows["area_code"].map(code_list("local_authority")["region_code"])
    parts = [
        rows.assign(area_code=code).groupby(["area_code", *rest])[figures].sum().reset_index().assign(area_level=level)
        for code, level in ((rows["area_code"], "local_authority"), (regions, "region"), (ENGLAND, "england"))
    ]
    return pd.concat(parts, ignore_index=True)


def _low_income(folder: OfficialFolder, name: str) -> Table:
    """Children in low-income families of authorities that are one district; a year ends on 31 March."""
    loaded = folder.low_income_authorities()
    frame = loaded.frame
    years = sorted(c.removeprefix("children_") for c in frame if c.startswith("children_") and "symbol" not in c)
    parts = [
        frame[["la"]].assign(written=year, **{to: frame[of] for to, of in _figures_of(frame.columns, year).items()})
        for year in years
    ]
    rows = pd.concat(parts, ignore_index=True)
    code = _today(rows["la"], pd.Series("", index=rows.index), pd.Series("local_authority", index=rows.index))
    made = rows.drop(columns="la").assign(area_code=code, area_level="local_authority", identifier="")
    return table_of(made[code.isin(code_list("local_authority").index)], loaded.summary)


def _figures_of(columns: Iterable[str], year: str) -> dict[str, str]:
    wanted = {f"{what}{end}": f"{what}_{year}{end}" for what in ("children", "percent") for end in ("", "_symbol")}
    return {to: of for to, of in wanted.items() if of in columns}


def _authority_of(folder: OfficialFolder, district: pd.Series) -> pd.Series:
    """The authority of today in which each district lies, "" outside England."""
    lists = folder.la_codes().frame.drop_duplicates("la")
    now = district.map(lists.set_index("la")["la_now"]).fillna(district)
    upper = now.map(lists.set_index("la")["upper_la"]).fillna(now)
    code = upper.map(_same_area()).fillna(upper).astype("str")
    return code.where(code.isin(code_list("local_authority").index), "")


def _today(code: pd.Series, number: pd.Series, level: pd.Series) -> pd.Series:
    """Today's code of an authority that only changed its code; all others as they stand."""
    current = code_list("local_authority")
    by_number = number.map({n: c for c, n in current["dfe_number"].items()})
    by_code = code.map(_same_area())
    return code.where(level != "local_authority", by_number.fillna(by_code).fillna(code)).astype("str")


@cache
def _same_area() -> dict[str, str]:
    """Other codes of today's authorities, earlier or later: areas that were neither merged nor divided."""
    changed = recodings()
    changed = changed[changed["tier"] != "district"]
    changed = changed[~changed["new_code"].duplicated(keep=False) & (changed["weight"] == 1)]
    now = set(code_list("local_authority").index)
    pairs = dict(zip(changed["old_code"], changed["new_code"], strict=True))
    both = pairs | {new: old for old, new in pairs.items()}
    return {other: own for other, own in both.items() if own in now and other not in now}


def _level_of(code: pd.Series) -> pd.Series:
    level = pd.Series("local_authority", index=code.index).mask(code.str.startswith("E12"), "region")
    return level.mask(code == ENGLAND, "england").astype("str")


def table_of(frame: pd.DataFrame, summary: Summary) -> Table:
    """A table of rows that have the columns ``KEY``; its summary names the areas that are no more."""
    own = frame["area_level"] == "local_authority"
    former = sorted(set(frame["area_code"][own].unique()) - set(code_list("local_authority").index))
    if former:
        names = all_versions("local_authority").drop_duplicates("code").set_index("code")["name"]
        listed = ", ".join(f"{names.get(c, 'an area')} ({c})" for c in former)
        note = f"Areas that are no more are not set beside today's, and count in sums of their time: {listed}."
        summary = replace(summary, notes=(*summary.notes, note))
    return Table(_as_categories(frame.drop(columns=KEY)), *_cells(frame[KEY]), summary)


def _cells(key: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    cell = key.groupby(KEY, sort=False, observed=True).ngroup().to_numpy("intp")
    return key.drop_duplicates().reset_index(drop=True), cell


def _as_categories(frame: pd.DataFrame) -> pd.DataFrame:
    words = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
    return frame.astype(dict.fromkeys(words, "category")).reset_index(drop=True)


READERS: dict[str, Callable[[OfficialFolder, str], Table]] = {
    "ehc": _ehc,
    "ehc_2022": _ehc_2022,
    "lait": _lait,
    "tribunal": _tribunal,
    "eyfsp": _file("eyfsp"),
    "cino": _file("cino"),
    "fsm": _file("fsm"),
    "pupils": _file("pupils"),
    "school_ap": _file("school_ap"),
    "dashboard": _dashboard,
    "population": _population,
    "children": _children,
    "low_income_la": _low_income,
}
