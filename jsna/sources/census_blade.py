"""School Census as COLLECT exports it: one CSV a table ("blades"), joined by their table ids within a delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import member_names, open_stream
from jsna.files.headers import bare
from jsna.files.result import refused, sha256_of, together
from jsna.files.text import TextTable, first_row, read_delimited
from jsna.files.values import dates, tidy, without_decimal_zero
from jsna.sources.census_tables import (
    FURTHER_HOMES,
    PERIOD_MEND,
    THIRD,
    TROUBLE_MENDS,
    census_spec,
    eligible_on,
    needs_by_rank,
)
from jsna.sources.gathered import vocabulary
from jsna.sources.identity import masked, shown
from jsna.sources.pupil_fields import by_cell
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, COLLECT tables (CSV)"
HEAD = 1 << 16
ENDINGS = (".csv", ".csv.gz")
CHILDREN = ("senneeds", "fsmperiod", "addresses")
# From this share of rows under another school's number on, the tables are of different deliveries.
FOREIGN = 0.05
ONE_DELIVERY = "Keep each delivery (year and term) in a folder of its own, with all its tables."


@dataclass(frozen=True)
class Blade:
    """One table of a delivery: its kind, the file or zip that it lies in, and its name in the zip."""

    kind: str
    path: Path
    member: str | None

    @property
    def name(self) -> str:
        """The file's name, with its folder where the name itself does not say of which census it is."""
        path = PurePosixPath(self.member) if self.member else PurePosixPath(self.path.as_posix())
        return path.name if any(c.isdigit() for c in path.name) else f"{path.parent.name}/{path.name}".lstrip("/")


def kind_of(headings: Sequence[str]) -> str:
    """Which table of the return has these headings: its own key and its telling columns. "" for none.

    Where a telling column is missing, the key and the order column that every table has tell it as well, so that the
    message can name the column and not the table.

    >>> kind_of(["senneedstableid", "NativeId", "pupilonrolltableid", "sentyperank", "sentype"])
    'senneeds'
    """
    found = {bare(h) for h in headings}
    tables = census_spec()["blade"]
    fits = [k for k, spec in tables.items() if set(spec["tells"]) <= found]
    fits += [k for k in tables if {f"{k}tableid", f"{k}orderseqcolumn"} <= found]
    return fits[0] if fits else ""


def is_blade(headings: Sequence[str]) -> bool:
    """Whether these are headings of any table of the return, of those that are not read too."""
    found = {bare(h) for h in headings}
    return bool({"sourceid", "nativeid"} <= found and any(h.endswith("orderseqcolumn") for h in found))


def deliveries(path: Path) -> list[list[Blade]]:
    """The deliveries under a folder or in a zip: tables that lie in one folder, under one stem where there are several.

    A table is recognised by its headings; other CSV files (attendance, exclusions) are passed over.
    """
    blades: dict[str, list[Blade]] = {}
    for file, member in csv_files(path):
        kind = kind_of(headings_of(file, member))
        if kind:
            folder = PurePosixPath(member).parent if member else PurePosixPath(file.parent.as_posix())
            blades.setdefault(str(folder), []).append(Blade(kind, file, member))
    return [delivery for folder in blades.values() for delivery in _apart(folder)]


def _apart(folder: list[Blade]) -> list[list[Blade]]:
    """The tables of one folder: one delivery where no kind stands twice, else as many as there are stems."""
    if max(Counter(b.kind for b in folder).values()) == 1:
        return [folder]
    stems: dict[str, list[Blade]] = {}
    for blade in folder:
        stems.setdefault(bare(PurePosixPath(blade.name).name.split(".")[0]).replace(blade.kind, ""), []).append(blade)
    # Where the names do not tell deliveries apart, they stay together and the reader says what stands twice.
    whole = all(Counter(b.kind for b in s).most_common(1)[0][1] == 1 for s in stems.values())
    told = all({b.kind for b in s} >= {"pupilonroll", "schoolcensus"} for s in stems.values())
    return list(stems.values()) if whole and told else [folder]


def csv_files(path: Path) -> list[tuple[Path, str | None]]:
    """The CSV files under a folder or in a zip, by name, without those that programs hide or leave behind."""
    if path.is_dir():
        return [(p, None) for p in sorted(path.rglob("*")) if p.name.casefold().endswith(ENDINGS) and not hidden(p)]
    names = sorted(n for n in member_names(path) if not hidden(PurePosixPath(n)))
    return [(path, n) for n in names if n.casefold().endswith(".csv")]


def hidden(path: PurePosixPath | Path) -> bool:
    """Whether a file is one that a program left behind (.DS_Store, ~$list.xlsx, what a Mac adds to a zip)."""
    return path.name.startswith((".", "~$")) or "__MACOSX" in path.parts


def headings_of(path: Path, member: str | None = None, headings: Sequence[str] = ()) -> list[str]:
    """The headings of a delimited file; none where it is no text."""
    try:
        with open_stream(path, member) as stream:
            return first_row(stream.read(HEAD), member or path.name, headings)
    except SourceError:
        return []


def read_blades(delivery: list[Blade]) -> Raw:
    """One delivery of the tables as raw columns; the index is the row in the table of pupils.

    Rows of other tables that belong to no pupil of it, or to one under another school's number, are put aside and
    listed. Without the table of free-meal periods, of addresses or of schools the reading goes on, and a note says what
    is lacking. Raises ``SourceError`` when a table stands twice, one that is needed or a column of it is missing, and
    when tables of several deliveries are mixed.
    """
    _whole(delivery)
    names = {b.kind: b.name for b in delivery}
    tables = _tables(delivery)
    frame = tables["pupilonroll"].frame
    census = tables["schoolcensus"].frame
    _one_delivery(frame, census, names)
    columns = {name: heading for name, heading in census_spec()["blade_columns"].items() if heading in frame}
    raw = pd.DataFrame({name: frame[heading] for name, heading in columns.items()}, index=frame.index)
    raw = raw.join(_of_school(frame, census, tables))
    asides, notes = [t.quarantine for t in tables.values()], [n for t in tables.values() for n in t.notes]
    several = 0
    for kind in [k for k in CHILDREN if k in tables]:
        own, aside = _children(tables[kind].frame, frame, kind, names)
        asides.append(aside)
        joined, more = _JOINS[kind](own, raw, names[kind])
        raw = raw.join(joined)
        asides += more
        if kind == "addresses":
            several = int(own.loc[tidy(own["postcode"]) != "", "pupil"].duplicated().sum())
    lost = pd.Index(census["schoolcensustableid"]).get_indexer(pd.Index(frame["schoolcensustableid"])) < 0
    asides.append(_without_school(frame.index[lost], names["pupilonroll"]))
    raw = raw[~lost]
    return Raw(
        frame=raw,
        file=pd.Series(names["pupilonroll"], index=raw.index),
        rows_read=tables["pupilonroll"].rows_read,
        quarantine=together(asides),
        form=FORM,
        sha256=" ".join(sha256_of(p) for p in dict.fromkeys(b.path for b in delivery)),
        lacks=frozenset(set(RAW) - set(raw)),
        notes=(*dict.fromkeys(notes), *_lacking(tables)),
        why=f"its tables have the headings of {', '.join(sorted(tables))}",
        tallies={FURTHER_HOMES: several},
    )


def _whole(delivery: list[Blade]) -> None:
    first = delivery[0]
    where = first.path.name if first.member else first.path.parent.name
    kinds = [b.kind for b in delivery]
    needed = census_spec()["blade_needed"]
    problems = [
        Problem(
            f"The table {kind} stands {n} times in one delivery.",
            where=where,
            value=", ".join(b.name for b in delivery if b.kind == kind),
            mend=ONE_DELIVERY,
        )
        for kind, n in Counter(kinds).items()
        if n > 1
    ]
    problems += [
        Problem(
            f"The table {kind} of the census is missing.",
            where=where,
            value=", ".join(sorted(b.name for b in delivery)),
            expected=", ".join(needed),
            mend="Export all tables of the return into this folder. A table is told by its headings, not by its name.",
        )
        for kind in needed
        if kind not in kinds
    ]
    if problems:
        raise SourceError(*problems)


def _tables(delivery: list[Blade]) -> dict[str, TextTable]:
    tables, problems = {}, []
    for blade in delivery:
        try:
            tables[blade.kind] = _table(blade)
        except SourceError as error:
            problems += error.problems
    if problems:
        raise SourceError(*problems)
    return tables


def _table(blade: Blade) -> TextTable:
    spec = census_spec()["blade"][blade.kind]
    wanted, found = set(spec["read"]), []

    def keep(heading: str) -> bool:
        found.append(bare(heading))
        return bare(heading) in wanted

    needed = [name.split() for name in spec["needs"]]
    try:
        table = read_delimited(blade.path, blade.member, headings=[n for names in needed for n in names], keep=keep)
    except SourceError as error:
        # A table in which nothing happened to anybody (no second address, no need) is a heading and no more.
        if not any("has no rows" in p.what for p in error.problems) or blade.kind not in CHILDREN:
            raise
        empty = pd.DataFrame({c: pd.Series(dtype="str") for c in spec["read"]})
        return TextTable(empty, together([]), 0, "", ",", (f"The table {blade.name} has no rows.",))
    missing = [names for names in needed if not set(names) & set(found)]
    if missing:
        raise SourceError(
            *(
                Problem(
                    f"A column is missing or was renamed: {' or '.join(names)}.",
                    where=blade.name,
                    mend=did_you_mean(names[0], found) or "Export the table with all its columns.",
                )
                for names in missing
            )
        )
    renamed = table.frame.rename(columns=bare)
    return TextTable(renamed, table.quarantine, table.rows_read, table.encoding, table.delimiter, table.notes)


def _one_delivery(frame: pd.DataFrame, census: pd.DataFrame, names: dict[str, str]) -> None:
    """Raise ``SourceError`` where ids are not those of one delivery: what they lead to would be another's."""
    problems = []
    for table, column, kind in (
        (frame, "pupilonrolltableid", "pupilonroll"),
        (census, "schoolcensustableid", "schoolcensus"),
    ):
        again = table[column].duplicated()
        if again.any():
            problems.append(
                Problem(
                    f"{int(again.sum()):,} ids ({column}) stand twice: two deliveries lie in one file.",
                    where=f"{names[kind]}, row {again.idxmax()}",
                    mend=ONE_DELIVERY,
                )
            )
    if problems:
        raise SourceError(*problems)


def _of_school(frame: pd.DataFrame, census: pd.DataFrame, tables: dict[str, TextTable]) -> pd.DataFrame:
    """What the header of each pupil's return says: day, authority, numbers and kind of the school."""
    head = census.drop_duplicates("schoolcensustableid").set_index("schoolcensustableid")
    about = pd.DataFrame({"census_date": head["referencedate"]})
    for name, heading in (("la", "lea"), ("urn", "urn")):
        about[name] = head.get(heading, "")
    native = without_decimal_zero(tidy(head["nativeid"])) if "nativeid" in head else pd.Series("", index=head.index)
    estab = tidy(head["estab"]) if "estab" in head else pd.Series("", index=head.index)
    about["laestab"] = native.where(native.str.fullmatch(r"[0-9]{7}"), estab)
    if "school" in tables:
        schools = tables["school"].frame.drop_duplicates("schoolcensustableid").set_index("schoolcensustableid")
        about["phase"] = about.index.map(schools["phase"])
    spread = about.reindex(frame["schoolcensustableid"]).set_axis(frame.index).fillna("")
    if "nativeid" in frame:
        spread["laestab"] = spread["laestab"].mask(spread["laestab"] == "", frame["nativeid"])
    return spread


def _without_school(rows: pd.Index, where: str) -> pd.DataFrame:
    rule = "the pupil belongs to no return of this delivery (schoolcensustableid)"
    return refused(where, rows, "schoolcensustableid", [""] * len(rows), rule, ONE_DELIVERY)


def _children(
    child: pd.DataFrame, frame: pd.DataFrame, kind: str, names: dict[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a table that belong to pupils of the delivery, with ``pupil``, the place in the table of pupils; and
    those put aside.

    Ids are numbers that each delivery counts anew, so that a table of last year's fits this year's pupils: the number
    of the school, which every table has, must fit too.
    """
    at = pd.Index(frame["pupilonrolltableid"]).get_indexer(pd.Index(child["pupilonrolltableid"]))
    own, foreign = at >= 0, np.zeros(len(child), dtype=bool)
    if "nativeid" in child and "nativeid" in frame:
        here, there = _number(child["nativeid"]), _number(frame["nativeid"])[at]
        foreign = own & (here > 0) & (there > 0) & (here != there)
    if foreign.sum() > FOREIGN * max(len(child), 1):
        raise SourceError(
            Problem(
                f"{int(foreign.sum()):,} of {len(child):,} rows lead to pupils of another school: this table is of "
                f"another delivery than {names['pupilonroll']}.",
                where=f"{names[kind]}, row {child.index[foreign][0]}",
                mend=ONE_DELIVERY,
            )
        )
    strange = "its pupil is not in the table of pupils"
    other = "its pupil is of another school: the row is of another delivery"
    parts = [
        refused(names[kind], child.index[which], "pupilonrolltableid", [""] * int(which.sum()), rule, ONE_DELIVERY)
        for which, rule in ((~own, strange), (foreign, other))
    ]
    fits = own & ~foreign
    return child[fits].assign(pupil=at[fits]), together(parts)


def _number(native: pd.Series) -> np.ndarray:
    """The seven digits of LA and establishment as a number; 0 for what is none."""

    def read(cells: pd.Series) -> pd.DataFrame:
        given = without_decimal_zero(tidy(cells))
        return pd.DataFrame({"is": given.where(given.str.fullmatch(r"[0-9]{7}"), "0").astype("int64")})

    return by_cell(native, read)["is"].to_numpy()


Joined = tuple[pd.DataFrame, list[pd.DataFrame]]


def _needs(own: pd.DataFrame, raw: pd.DataFrame, where: str) -> Joined:
    if "senneedsorderseqcolumn" in own:
        own = _in_order(own, "senneedsorderseqcolumn")
    wide, trouble = needs_by_rank(own["pupil"], own["sentyperank"], own["sentype"])
    asides = []
    for rule, mend in TROUBLE_MENDS.items():
        rows = own[trouble == rule]
        column = "sentype" if rule == THIRD else "sentyperank"
        asides.append(refused(where, rows.index, column, shown(rows[column], vocabulary()), rule, mend))
    return wide.reindex(range(len(raw))).set_axis(raw.index).fillna(""), asides


def _in_order(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.iloc[pd.to_numeric(frame[column], errors="coerce").argsort(kind="stable")]


def _meals(own: pd.DataFrame, raw: pd.DataFrame, where: str) -> Joined:
    day, _ = dates(raw["census_date"])
    ends = own["fsmenddate"] if "fsmenddate" in own else pd.Series("", index=own.index)
    eligible, trouble = eligible_on(day.reset_index(drop=True), own["pupil"], own["fsmstartdate"], ends)
    asides = []
    for rule in filter(None, trouble.unique()):
        rows = own[trouble == rule]
        asides.append(refused(where, rows.index, "fsmstartdate", masked(rows["fsmstartdate"]), rule, PERIOD_MEND))
    inside = np.full(len(raw), "0", dtype=object)
    inside[eligible] = "1"
    return pd.DataFrame({"fsm": inside}, index=raw.index, dtype="str"), asides


def _addresses(own: pd.DataFrame, raw: pd.DataFrame, where: str) -> Joined:
    ordered = _in_order(own, "addressesorderseqcolumn") if "addressesorderseqcolumn" in own else own
    first = ordered[tidy(ordered["postcode"]) != ""].drop_duplicates("pupil").set_index("pupil")["postcode"]
    return pd.DataFrame({"postcode": first.reindex(range(len(raw))).fillna("").set_axis(raw.index)}), []


_JOINS = {"senneeds": _needs, "fsmperiod": _meals, "addresses": _addresses}


def _lacking(tables: dict[str, TextTable]) -> list[str]:
    words = {
        "fsmperiod": "The table of free-meal periods is missing: nobody counts as eligible for free meals.",
        "addresses": "The table of addresses is missing: no pupil's home is known.",
        "school": "The table of schools is missing: kinds of school come from the register, or from year groups.",
    }
    return [words[kind] for kind in words if kind not in tables]
