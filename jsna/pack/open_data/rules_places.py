"""Rules on places: levels, their columns, and codes with their names."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from jsna.pack.open_data.lookups import lists
from jsna.pack.open_data.pair import Offence, Pair, offences
from jsna.pack.open_data.places import Known
from jsna.pack.open_data.rules import rule

REGION, AUTHORITY = ["region_code", "region_name"], ["old_la_code", "new_la_code", "la_name"]
DISTRICT, WARD, CONSTITUENCY = ["lad_code", "lad_name"], ["ward_code", "ward_name"], ["pcon_code", "pcon_name"]
HAVE_REGIONS = ["Local authority", "Local authority district"]


def _levels() -> dict[str, dict]:
    return lists()["levels"]


def _there(pair: Pair) -> list[str]:
    """The levels that have rows, of those that EES knows."""
    return [level for level in _levels() if (pair.data["geographic_level"] == level).any()]


def _on(pair: Pair, level: str) -> pd.Series:
    return pair.data["geographic_level"] == level


@rule
def level_unknown(pair: Pair) -> Iterator[Offence]:
    """Levels of the standard."""
    return offences(pair.data, "geographic_level", ~pair.data["geographic_level"].isin(list(_levels())))


@rule
def level_columns_missing(pair: Pair) -> Iterator[Offence]:
    """A level that has rows has its columns."""
    wanted = dict.fromkeys(column for level in _there(pair) for column in _levels()[level]["columns"])
    return (Offence("data", column) for column in wanted if column not in pair.data)


@rule
def level_not_alone(pair: Pair) -> Iterator[Offence]:
    """Schools and providers have a file of their own."""
    levels = _there(pair)
    for level in levels:
        if _levels()[level].get("alone") and len(levels) > 1:
            yield from offences(pair.data, "geographic_level", _on(pair, level))


@rule
def total_in_places(pair: Pair) -> Iterator[Offence]:
    """Neither Total nor All in a column of places."""
    for column in pair.places_there:
        yield from offences(pair.data, column, pair.data[column].str.strip().str.lower().isin(lists()["totals"]))


def _unknown(pair: Pair, columns: list[str], known: Known, asked: pd.Series | None = None) -> Iterator[Offence]:
    """Codes with names that no list holds, on the rows ``asked`` where any of the columns is filled."""
    if not set(columns) <= set(pair.data.columns):
        return
    filled = (pair.data[columns] != "").any(axis=1)
    texts = pair.data[columns[0]].str.cat([pair.data[column] for column in columns[1:]], sep="; ")
    none = [[*[code] * (len(columns) - 1), name] for code, name in lists()["no_place"]]
    good = {"; ".join(row) for row in (*known, *none)}
    wrong = filled & ~texts.isin(good) & (True if asked is None else asked)
    yield from offences(pair.data.assign(**{columns[0]: texts}), columns[0], wrong)


@rule
def country_pair(pair: Pair) -> Iterator[Offence]:
    """A country's code and name; no row is without."""
    asked = ["country_code", "country_name"]
    yield from _unknown(pair, asked, pair.places.countries)
    yield from offences(pair.data, asked[0], (pair.data[asked] == "").all(axis=1))


@rule
def region_pair(pair: Pair) -> Iterator[Offence]:
    """A region's code and name; Inner and Outer London are regions too."""
    return _unknown(pair, REGION, pair.places.regions)


@rule
def la_triple(pair: Pair) -> Iterator[Offence]:
    """A local authority's two codes and name."""
    return _unknown(pair, AUTHORITY, pair.places.authorities)


def _listed(pair: Pair) -> pd.Series:
    """Rows of areas whose wards and districts are all in the lists at hand."""
    if pair.places.whole:
        return pd.Series(True, index=pair.data.index)
    codes = pair.data["new_la_code"] if "new_la_code" in pair.data else pd.Series("", index=pair.data.index)
    return codes.isin(list(pair.places.of_areas))


@rule
def lad_pair(pair: Pair) -> Iterator[Offence]:
    """A district's code and name."""
    return _unknown(pair, DISTRICT, pair.places.districts, _listed(pair))


@rule
def ward_pair(pair: Pair) -> Iterator[Offence]:
    """A ward's code and name."""
    return _unknown(pair, WARD, pair.places.wards, _listed(pair))


@rule
def pair_unchecked(pair: Pair) -> Iterator[Offence]:
    """Places that no list at hand could tell; of constituencies there is none."""
    every, empty = pd.Series(True, index=pair.data.index), frozenset()
    for columns, known, asked in (
        (DISTRICT, pair.places.districts, ~_listed(pair)),
        (WARD, pair.places.wards, ~_listed(pair)),
        (CONSTITUENCY, empty, every),
    ):
        found = list(_unknown(pair, columns, known, asked))
        if found:
            yield Offence("data", columns[0], min(o.row for o in found), sum(o.rows for o in found))


@rule
def place_blank(pair: Pair) -> Iterator[Offence]:
    """Every row names its place. The nine-digit code of an authority that is no more may be blank."""
    for level in _there(pair):
        for column in _levels()[level]["columns"]:
            if column != "new_la_code":
                yield from offences(pair.data, column, _on(pair, level) & (pair.data[column] == ""))


@rule
def place_overfilled(pair: Pair) -> Iterator[Offence]:
    """On the rows of a level only its own columns and those of the levels around it are filled."""
    nesting = {level: told for level, told in _levels().items() if "may_fill" in told}
    for level in _there(pair):
        if level in nesting:
            own = {c for name in (level, *nesting[level]["may_fill"]) for c in _levels()[name]["columns"]}
            for column in (c for told in nesting.values() for c in told["columns"] if c not in own):
                if column in pair.data:
                    yield from offences(pair.data, column, _on(pair, level) & (pair.data[column] != ""))


@rule
def place_code_shared(pair: Pair) -> Iterator[Offence]:
    """One code, one name."""
    for code, name in (REGION, AUTHORITY[1:], DISTRICT, WARD, CONSTITUENCY):
        if code in pair.data and name in pair.data:
            named = pair.data[~pair.data[code].isin(["", *(c for c, _ in lists()["no_place"])])]
            names = named.groupby(code)[name].transform("nunique")
            shared = (names > 1).reindex(pair.data.index, fill_value=False)
            yield from offences(pair.data, code, shared)


@rule
def la_region_blank(pair: Pair) -> Iterator[Offence]:
    """Rows of local authorities name their region."""
    rows = pair.data["geographic_level"].isin(HAVE_REGIONS)
    if not rows.any():
        return
    there = pair.data["region_code"] if "region_code" in pair.data else pd.Series("", index=pair.data.index)
    blank = rows & (there == "")
    yield from offences(pair.data.assign(region_code=there), "region_code", blank)


@rule
def la_without_regions(pair: Pair) -> Iterator[Offence]:
    """Rows of regions beside those of local authorities."""
    if "Local authority" in _there(pair) and "Regional" not in _there(pair):
        yield Offence("data", "geographic_level", value="no Regional")
