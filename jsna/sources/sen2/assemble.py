"""From a carrier's text tables to the nine canonical tables: typed, linked by whole-number keys, pseudonymised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from jsna.files.result import Loaded, Summary, refused, together
from jsna.sources.sen2.carried import ID, PARENT, Carried
from jsna.sources.sen2.joins import by_key, text_by
from jsna.sources.sen2.layout import Table, tables
from jsna.sources.sen2.persons import Place, at_the_door
from jsna.sources.sen2.typed import blanks, type_tables


@dataclass(frozen=True)
class Census:
    """Which return this is: year of collection, day of the census, number of the authority ("" where not told)."""

    year: int
    day: pd.Timestamp
    la: str


@dataclass(frozen=True)
class Assembled:
    """The nine tables, and per table what the checks need of its making: rows whose id was met again, whose parent was
    not found, that have no id."""

    tables: Mapping[str, Loaded]
    repeated: Mapping[str, pd.Index]
    orphans: Mapping[str, pd.Index]
    unnamed: Mapping[str, pd.Index]
    # Filled cells of columns that the year's return has not got: {table: {column: rows}}.
    other_year: Mapping[str, Mapping[str, pd.Index]]


def assemble(carried: Carried, census: Census, key: bytes, sha256: str, place: Place | None = None) -> Assembled:
    """All tables of the return. Own keys count from 1 in the order of the source; where a parent is not found its key
    is missing, and the row is kept. Of rows that repeat an id the first is kept and the others are refused.
    """
    again = {name: p.frame[ID].duplicated() & (p.frame[ID] != "") for name, p in carried.parts.items()}
    texts = {name: carried.parts[name].frame[~again[name]] for name in tables()}
    read = type_tables(texts, tables(), {name: p.where for name, p in carried.parts.items()})
    linked: dict[str, pd.DataFrame] = {}
    loaded: dict[str, Loaded] = {}
    repeated, orphans, unnamed, other_year = {}, {}, {}, {}
    for name, table in tables().items():
        part, text = carried.parts[name], texts[name]
        repeated[name] = part.frame.index[again[name]]
        unnamed[name] = part.frame.index[part.frame[ID] == ""]
        keys, orphans[name] = _keys(text, table, carried, linked)
        typed, cells = read[name]
        other_year[name] = _other_year(typed, table, census.year)
        doors = together([])
        if name == "person":
            delivery = f"{census.la}/{census.year}"
            typed, doors = at_the_door(
                typed, text[ID], key, census=census.day, delivery=delivery, where=part.where, place=place
            )
        frame = pd.concat([keys, typed], axis="columns")
        frame.insert(len(keys.columns), "row", text.index.to_numpy())
        linked[name] = frame.assign(**{ID: text[ID]})
        aside = together([part.quarantine, cells, doors, _again(part.frame, again[name], part.where)])
        summary = Summary(
            source=f"SEN2 {census.year}: {name}",
            file=part.where,
            period=f"census of {census.day:%d %B %Y}, events of {census.year - 1}",
            rows_read=part.rows_read,
            rows_kept=len(frame),
            rows_refused=part.rows_read - len(frame),
            sha256=sha256,
            publisher="The local authority",
            licence="Not for publication",
            notes=_missing(typed, table, census.year),
        )
        loaded[name] = Loaded(frame.reset_index(drop=True), aside, summary)
    return Assembled(_below_placements(loaded), repeated, orphans, unnamed, other_year)


def _keys(
    text: pd.DataFrame, table: Table, carried: Carried, linked: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.Index]:
    """Own key, keys of parent and request, pseudonym of the person; and the rows whose parent is not there."""
    own = pd.Series(range(1, len(text) + 1), index=text.index, dtype="Int64")
    keys = {table.key: own}
    if not table.parent:
        return pd.DataFrame(keys), text.index[:0]
    above, parent = linked[table.parent], tables()[table.parent]
    by_id = above[above[ID] != ""].drop_duplicates(ID).set_index(ID)
    found = by_key(text[PARENT], by_id[parent.key])
    if table.parent == "sen2" and len(above) == 1 and (text[PARENT] == "").all():
        found = pd.Series(1, index=text.index, dtype="Int64")
    keys[parent.key] = found
    if table.parent != "sen2":
        for inherited in ("request_key", "person_key", "person_id"):
            if inherited in above and inherited not in keys:
                values = above.set_index(parent.key)[inherited]
                keys[inherited] = text_by(found, values) if inherited == "person_id" else by_key(found, values)
    # A parent table that is missing altogether is said once, and not row by row.
    lost = found.isna() if len(above) else pd.Series(False, index=text.index)
    return pd.DataFrame(keys, index=text.index), text.index[lost]


def _other_year(typed: pd.DataFrame, table: Table, year: int) -> dict[str, pd.Index]:
    others = [column.name for column in table.columns.values() if not column.in_year(year)]
    filled = ~blanks(typed[others])
    return {column: typed.index[filled[column]] for column in others if filled[column].any()}


def _again(frame: pd.DataFrame, again: pd.Series, where: str) -> pd.DataFrame:
    rule = "its id stands in an earlier row, which was kept"
    mend = "Were two deliveries joined? Give every row its own id, or keep the deliveries apart."
    return refused(where, frame.index[again], "", ["(one id twice)"] * int(again.sum()), rule, mend)


def _missing(typed: pd.DataFrame, table: Table, year: int) -> tuple[str, ...]:
    """The share of rows without a value, for the columns that this year's return has."""
    if typed.empty:
        return ("The table has no rows.",)
    known = [c for c in typed if c not in table.columns or table.columns[str(c)].in_year(year)]
    told = ", ".join(f"{c} {100 * s:.1f}%" for c, s in blanks(typed[known]).mean().items() if s > 0)
    return (f"Rows without a value: {told}.",) if told else ()


def _below_placements(loaded: Mapping[str, Loaded]) -> dict[str, Loaded]:
    """Residence and work-based learning of 2023 stand with the plan: its placements take them where they have none."""
    plans = loaded["activeplans"].frame.set_index("activeplan_key")
    placements = loaded["placementdetail"].frame.copy()
    for column in ("res", "wbp"):
        of_plan = text_by(placements["activeplan_key"], plans[column])
        placements[column] = placements[column].mask(placements[column] == "", of_plan)
    old = loaded["placementdetail"]
    return {**loaded, "placementdetail": Loaded(placements, old.quarantine, old.summary)}
