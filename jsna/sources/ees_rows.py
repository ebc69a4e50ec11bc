"""Rows of a file of Explore Education Statistics: when and where each is, and which cannot be used."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from jsna.codes import all_versions
from jsna.files.values import trim, without_decimal_zero
from jsna.sources.ees_specs import ENGLAND, standard

Rules = dict[str, tuple[str, pd.Series, pd.Series]]


def each(cells: pd.Series, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """``change`` of a column, worked out once for each different cell: places and periods repeat by the thousand."""
    codes, seen = pd.factorize(cells)
    changed = change(pd.Series(seen, dtype="str"))
    return pd.Series(changed.array.take(codes), index=cells.index)


def trimmed(cells: pd.Series) -> pd.Series:
    """As ``values.trim``, for columns in which few different cells repeat."""
    return each(cells, trim)


def low(cells: pd.Series) -> pd.Series:
    """In small letters, for columns in which few different cells repeat."""
    return each(cells, lambda seen: seen.str.casefold())


def times(text: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The file with its periods in digits alone (2025/26 becomes 202526), and a note where that was needed."""
    period = each(text["time_period"], lambda seen: without_decimal_zero(trim(seen)))
    slashed = each(period, lambda seen: seen.str.fullmatch(r"(?:19|20)\d\d[/-](?:(?:19|20)?\d\d)"))
    notes = []
    if slashed.any():
        such = period[slashed].iloc[0]
        notes.append(f"{int(slashed.sum())} rows write the year as {such!r}; read as six digits.")
        period = period.mask(slashed, period.str.replace(r"[/-](?:\d\d)?(\d\d)$", r"\1", regex=True))
    return text.assign(time_period=period, time_identifier=trimmed(text["time_identifier"])), notes


def levels(published: pd.Series) -> pd.Series:
    """Levels in the standard's words; one that nobody knows stays as it is."""
    words = {name.casefold(): name for name in standard()["levels"]} | standard()["level_aliases"]

    def mended(seen: pd.Series) -> pd.Series:
        level = trim(seen)
        return level.str.casefold().map(words).fillna(level).astype("str")

    return each(published, mended)


def places(text: pd.DataFrame, level: pd.Series, by_name: bool) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Code, DfE number and name of each row's place, each from the column of the row's own level."""
    blank = pd.Series("", index=text.index, dtype="str")
    area, name = blank.copy(), blank.copy()
    for words, spec in standard()["levels"].items():
        own = level == words
        if own.any():
            area = area.mask(own, trimmed(text.get(spec["code"], blank)))
            name = name.mask(own, trimmed(text.get(spec["name"], blank)))
    if by_name:
        area = area.mask(area == "", _codes_of(name, level))
    number = each(text.get("old_la_code", blank), lambda seen: without_decimal_zero(trim(seen)))
    return area, number, name


def _codes_of(name: pd.Series, level: pd.Series) -> pd.Series:
    """Codes of regions and authorities by name, for tables that give no codes; "" where the name is not known."""
    table = all_versions("local_authority").sort_values("valid_to", key=lambda s: s != "")
    authorities = {
        n.casefold(): c for c, *names in table[["code", "name", "lait_name"]].to_numpy()[::-1] for n in names
    }
    regions = {n.casefold(): c for n, c in table[["region_name", "region_code"]].drop_duplicates().to_numpy()}
    regions |= {"inner london": "E13000001", "outer london": "E13000002"}
    small = low(name)
    code = small.map(regions).where(level == "Regional", small.map(authorities))
    return code.fillna("").astype("str").mask(level == "National", ENGLAND)


def row_rules(rows: pd.DataFrame) -> Rules:
    """Rule -> (column, its values, where it is broken), for rows that cannot be used."""
    level, area = rows["geographic_level"], rows["area_code"]
    kinds = standard()["levels"]
    wrong_code = pd.Series(False, index=rows.index)
    for words, spec in kinds.items():
        own = (level == words) & ~low(area).isin(standard()["no_code"])
        if spec["shape"] and own.any():
            wrong_code |= own & ~each(area, lambda seen, shape=spec["shape"]: seen.str.fullmatch(shape))
    total = low(rows["area_name"]).isin(standard()["not_a_place"])
    period = rows["time_period"]
    return {
        "no period in four digits or six of consecutive years": ("time_period", period, ~each(period, _is_period)),
        "no geographic level of the standard": ("geographic_level", level, ~level.isin(list(kinds))),
        "a total in the place of a place": ("area_name", rows["area_name"], total),
        "not a code of this geographic level": ("area_code", area, wrong_code),
    }


def _is_period(period: pd.Series) -> pd.Series:
    years = period.where(period.str.fullmatch(r"\d{6}"), "190001").astype("int64")
    return period.str.fullmatch(r"(?:19|20)\d\d(?:\d\d)?") & ((years // 100 + 1) % 100 == years % 100)
