"""The return as nine CSV blades: known by their headings, whatever their names; deliveries are kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.headers import bare
from jsna.files.text import TextTable
from jsna.files.values import apart
from jsna.sources.sen2.carried import ID, PARENT, Carried, Part, empty, ids
from jsna.sources.sen2.layout import Table, find_columns, tables

SOURCE = "_source"


@dataclass(frozen=True)
class Blade:
    """A CSV that was recognised as a table: its folder keeps deliveries apart, its name stands in messages."""

    table: str
    folder: str
    where: str
    text: TextTable


def table_of(headings: Sequence[str]) -> str:
    """The table that a blade's headings are those of: its own id and no id but its parent's; "" for none.

    >>> table_of(["persontableid", "NativeId", "sen2tableid", "upn", "sex"])
    'person'
    """
    found = {bare(h) for h in headings}
    present = {t.name for t in tables().values() if t.own_id in found}
    fits = [t for t in tables().values() if t.name in present and present <= {t.name, t.parent}]
    return next((t.name for t in fits if len(find_columns(headings, t.aliases).columns) >= 2), "")


def read_blades(blades: Sequence[Blade], where: str, delivery: str | None = None) -> Carried:
    """One delivery of the return from its blades. ``delivery`` names the one wanted where there are several.

    Deliveries are told apart by folder, by ``sourceid`` where the header table lists it, else by their row of the
    header table. Raises ``SourceError`` where there are several and none was named.
    """
    strange = {h: b.table for b in blades for h in find_columns(list(b.text.frame.columns), _aliases(b.table)).strange}
    strange = {h: t for h, t in strange.items() if bare(h) != f"{t}orderseqcolumn"}
    frames = _frames(blades)
    tags = {id(b): _tag(b, f, frames) for b, f in frames}
    names = sorted({t for series in tags.values() for t in series.unique()})
    if len(names) > 1:
        chosen = _choose(names, delivery, where, frames, tags)
        frames = [(b, f[tags[id(b)] == chosen]) for b, f in frames]
    else:
        chosen = ""
    parts = _parts([(b, f) for b, f in frames if len(f) or len(names) == 1], where)
    parts, chain = _by_header_row(parts, delivery, where)
    chosen = chosen or chain
    found = {b.table for b in blades}
    return Carried(
        form="blade",
        reason="its CSVs have the headings of the blades, with their table ids",
        parts=parts,
        missing=tuple(t for t in tables() if t not in found),
        strange=tuple(f"{h} (in {t})" for h, t in strange.items()),
        notes=(f"Of several deliveries, {chosen!r} was read.",) if chosen else (),
    )


def _aliases(name: str) -> dict[str, Sequence[str]]:
    table = tables()[name]
    parent = {PARENT: [table.parent_id]} if table.parent else {}
    return {**table.aliases, ID: [table.own_id], **parent, SOURCE: ["sourceid"]}


def _frames(blades: Sequence[Blade]) -> list[tuple[Blade, pd.DataFrame]]:
    frames = [(b, _frame(b)) for b in blades]
    places = [(frame, column) for _, frame in frames for column in (ID, PARENT, SOURCE) if column in frame]
    cells = [frame[column] for frame, column in places]
    for (frame, column), read in zip(places, apart(ids(pd.concat(cells, ignore_index=True)), cells), strict=True):
        frame[column] = read
    return frames


def _frame(blade: Blade) -> pd.DataFrame:
    columns = find_columns(list(blade.text.frame.columns), _aliases(blade.table)).columns
    frame = blade.text.frame[list(columns.values())].set_axis(list(columns), axis="columns")
    return frame.assign(**{column: "" for column in (ID, PARENT) if column not in frame})


def _tag(blade: Blade, frame: pd.DataFrame, frames: Sequence[tuple[Blade, pd.DataFrame]]) -> pd.Series:
    """The delivery of every row: its folder, and its source id where every source id has a header row."""
    folder = pd.Series(blade.folder, index=frame.index, dtype="str")
    here = [(b, f) for b, f in frames if b.folder == blade.folder]
    if any(SOURCE not in f for _, f in here):
        return folder
    listed = {s for b, f in here if b.table == "sen2" for s in f[SOURCE].unique()}
    used = {s for _, f in here for s in f[SOURCE].unique()}
    if "" in used or not used or not used <= listed:
        return folder
    return frame[SOURCE] if folder.iloc[:1].eq("").all() else folder + "/" + frame[SOURCE]


def _choose(names: list[str], delivery: str | None, where: str, frames: Sequence, tags: Mapping) -> str:
    if delivery in names:
        return str(delivery)
    rows = {
        n: {b.table: int((tags[id(b)] == n).sum()) for b, _ in frames if b.table in ("person", "requests")}
        for n in names
    }
    raise SourceError(
        Problem(
            f"{len(names)} deliveries of the return lie in one place, and their ids must not be mixed.",
            where=where,
            value=[f"{n} ({rows[n].get('person', 0):,} persons)" for n in names],
            mend="Name one of them as `delivery`, or keep each in a folder of its own. Is one the test return?",
        )
    )


def _parts(frames: Sequence[tuple[Blade, pd.DataFrame]], where: str) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for name in tables():
        own = [(b, f) for b, f in frames if b.table == name]
        if len(own) > 1:
            raise SourceError(
                Problem(
                    f"Several files hold the table {name}.",
                    where=where,
                    value=[b.where for b, _ in own],
                    mend="Keep each delivery in a folder of its own, and give the one that is meant.",
                )
            )
        if own:
            blade, frame = own[0]
            aside = blade.text.quarantine
            frame = frame.drop(columns=SOURCE, errors="ignore")
            parts[name] = Part(frame, blade.where, len(frame) + len(aside), aside)
        else:
            parts[name] = Part(empty(name), f"{where}, {name}", 0)
    return parts


def _by_header_row(parts: dict[str, Part], delivery: str | None, where: str) -> tuple[dict[str, Part], str]:
    """Where the header table has several rows, the part of the return that hangs below one of them."""
    header = parts["sen2"].frame
    if len(header) < 2:
        return parts, ""
    keys = header[ID].tolist()
    if delivery not in keys or len(set(keys)) < len(keys):
        raise SourceError(
            Problem(
                f"The header table has {len(keys)} rows: these are several deliveries, and their persons must not be "
                "mixed.",
                where=parts["sen2"].where,
                value=[_describe(row) for _, row in header.iterrows()],
                mend="Name one of their ids as `delivery`, or export the final return alone. Is one the test return?",
            )
        )
    kept: dict[str, Part] = {}
    for name, table in tables().items():
        part = parts[name]
        inside = part.frame[ID] == delivery if not table.parent else _below(part.frame, table, kept)
        frame = part.frame[inside]
        kept[name] = Part(frame, part.where, len(frame) + len(part.quarantine), part.quarantine)
    return kept, str(delivery)


def _below(frame: pd.DataFrame, table: Table, kept: Mapping[str, Part]) -> pd.Series:
    return frame[PARENT].isin(set(kept[table.parent].frame[ID]) - {""})


def _describe(row: pd.Series) -> str:
    told = [row.get(c, "") for c in ("year", "lea", "serial_no", "date_time")]
    return f"{row[ID]}: " + ", ".join(str(t) for t in told if t)
