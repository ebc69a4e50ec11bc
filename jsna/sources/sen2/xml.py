"""The return as XML: one pass over the stream; names compared without namespace and case, in any order and nesting."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.headers import bare
from jsna.files.markup import events, local
from jsna.files.result import refused
from jsna.sources.identity import HIDDEN, is_identifier
from jsna.sources.sen2.carried import ID, PARENT, Carried, Part
from jsna.sources.sen2.layout import Table, children, tables


def read_xml(path: Path, member: str | None = None) -> Carried:
    """The return of an XML file (or member of a zip) as text tables. Names and addresses are passed over.

    A value belongs to the nearest record round it that has a column of this name; where none has, and a kind of
    record that belongs inside has one, such a record is begun (a URN straight inside a named plan). ``row`` counts the
    records of one kind. Raises ``SourceError`` for what is no XML, no SEN2 return, cut short or an attack.
    """
    gathered = _gather(path, member)
    if not gathered.tables["person"].count:
        raise SourceError(
            Problem(
                "This XML holds no persons of a SEN2 return.",
                where=path.name,
                value=gathered.root,
                expected="Message, Header, Persons, Person",
                mend="Is it the SEN2 person-level return, and not a school census or another collection?",
            )
        )
    headers = gathered.tables["sen2"].count
    if headers == 1:
        gathered.tables["person"].parents = ["1"] * gathered.tables["person"].count
    return Carried(
        form="xml",
        reason="it is XML with records of persons",
        parts={name: t.part(path.name) for name, t in gathered.tables.items()},
        strange=tuple(f"{name} ({count:,} times)" for name, count in gathered.strange.most_common()),
        notes=("Rows are counted within each kind of record, because XML has no rows.",),
    )


@dataclass
class _Gathered:
    """One table while it is gathered: a list a column, filled up with "" only when a value comes."""

    table: Table
    count: int = 0
    parents: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    twice: list[tuple[int, str]] = field(default_factory=list)

    def begin(self, parent: str) -> None:
        self.count += 1
        self.parents.append(parent)

    def put(self, column: str, value: str) -> bool:
        """Whether the last row took the value: the first of a name is kept, a second one is not."""
        values = self.columns.setdefault(column, [])
        if len(values) == self.count:
            return False
        values.extend([""] * (self.count - 1 - len(values)))
        values.append(sys.intern(value))
        return True

    def part(self, where: str) -> Part:
        full = {c: v + [""] * (self.count - len(v)) for c, v in self.columns.items()}
        numbers = [str(n) for n in range(1, self.count + 1)]
        frame = pd.DataFrame({**full, ID: numbers, PARENT: self.parents}, dtype="str")
        frame.index = pd.RangeIndex(1, self.count + 1)
        return Part(frame, f"{where}, {self.table.name}", self.count, self._repeated(where))

    def _repeated(self, where: str) -> pd.DataFrame:
        rule, mend = "the element stands twice in one record; the first was taken", "Keep one of the two."
        rows, columns = [r for r, _ in self.twice], [c for _, c in self.twice]
        frame = refused(f"{where}, {self.table.name}", rows, "", [HIDDEN] * len(rows), rule, mend)
        return frame.assign(column=columns)


@dataclass
class _Everything:
    tables: dict[str, _Gathered]
    strange: Counter[str] = field(default_factory=Counter)
    root: str = ""


@dataclass
class _Open:
    """A record whose end has not come: its table, its number, and whether a value or record was met in it."""

    name: str
    row: int
    element: str
    filled: bool = False


def _gather(path: Path, member: str | None) -> _Everything:
    everything = _Everything({name: _Gathered(table) for name, table in tables().items()})
    record_of = {e: t.name for t in tables().values() for e in t.elements}
    columns = {
        name: {bare(s): c for c, spellings in t.aliases.items() for s in spellings} for name, t in tables().items()
    }
    names: dict[str, str] = {}
    skipped: dict[str, bool] = {}
    above, records = [], []
    for event, element in events(path, member):
        name = names.get(element.tag) or names.setdefault(element.tag, local(element.tag))
        if event == "start":
            everything.root = everything.root or name
            above.append(element)
            if name in record_of:
                _begin(everything, records, record_of[name], name)
            continue
        above.pop()
        if records and records[-1].element == name:
            records.pop()
        elif name not in record_of and (text := (element.text or "").strip()):
            if name not in skipped:
                skipped[name] = is_identifier(name)
            if not skipped[name]:
                _place(everything, records, columns, name, text)
        if above:
            above[-1].remove(element)
    return everything


def _begin(everything: _Everything, records: list[_Open], name: str, element: str) -> None:
    """A new record; one straight inside an empty record of its own kind takes the other's place (a mere wrapper)."""
    own = everything.tables[name]
    outer = records[-1] if records else None
    if not (outer and outer.name == name and not outer.filled and outer.row == own.count):
        own.begin(_parent_of(everything, records, own.table))
        for record in records:
            record.filled = True
    records.append(_Open(name, own.count, element))


def _parent_of(everything: _Everything, records: list[_Open], table: Table) -> str:
    if table.parent == "sen2":
        return str(everything.tables["sen2"].count or "")
    return next((str(r.row) for r in reversed(records) if r.name == table.parent), "")


def _place(everything: _Everything, records: list[_Open], columns: dict, name: str, text: str) -> None:
    for record in reversed(records):
        if name in columns[record.name]:
            record.filled = True
            _put(everything.tables[record.name], record.row, columns[record.name][name], text)
            return
    inner = records[-1].name if records else ""
    for child in children(inner):
        if name in columns[child.name]:
            _imply(everything, records, child, columns[child.name][name], text)
            return
    everything.strange[name] += 1


def _put(table: _Gathered, row: int, column: str, text: str) -> None:
    if row != table.count or not table.put(column, text):
        table.twice.append((row, column))


def _imply(everything: _Everything, records: list[_Open], child: Table, column: str, text: str) -> None:
    table = everything.tables[child.name]
    parent = _parent_of(everything, records, child)
    if not table.count or table.parents[-1] != parent or not table.put(column, text):
        table.begin(parent)
        table.put(column, text)
