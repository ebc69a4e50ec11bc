"""School Census as COLLECT exports it: one CSV a table ("blades"), joined by their table ids within a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.archive import member_names, read_bytes
from jsna.files.headers import bare
from jsna.files.result import refused, sha256_of, together
from jsna.files.text import TextTable, first_row, read_delimited
from jsna.files.values import dates, tidy, without_decimal_zero
from jsna.sources.census_tables import census_spec, eligible_on, needs_by_rank
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, COLLECT tables (CSV)"
HEAD = 1 << 16


@dataclass(frozen=True)
class Blade:
    """One table of a delivery: its kind, the file or zip that it lies in, and its name in the zip."""

    kind: str
    path: Path
    member: str | None

    @property
    def name(self) -> str:
        return self.member or self.path.name


def kind_of(headings: list[str]) -> str:
    """Which table of the return has these headings: its own key and its telling columns. "" for none.

    >>> kind_of(["senneedstableid", "NativeId", "pupilonrolltableid", "sentyperank", "sentype"])
    'senneeds'
    """
    found = {bare(h) for h in headings}
    fits = [k for k, spec in census_spec()["blade"].items() if set(spec["tells"]) <= found]
    return fits[0] if fits else ""


def deliveries(path: Path) -> list[list[Blade]]:
    """The deliveries under a folder or in a zip: tables that lie in one folder under one stem belong together.

    A table is recognised by its headings; other CSV files of the return (attendance, exclusions) are passed over.
    """
    blades: dict[tuple[str, str], list[Blade]] = {}
    for file, member in _files(path):
        head = read_bytes(file, member)[:HEAD] if member else _head(file)
        try:
            kind = kind_of(first_row(head, file.name))
        except SourceError:
            kind = ""
        if kind:
            name = PurePosixPath(member) if member else PurePosixPath(file.as_posix())
            key = (str(name.parent), bare(name.stem).replace(kind, ""))
            blades.setdefault(key, []).append(Blade(kind, file, member))
    return list(blades.values())


def _files(path: Path) -> list[tuple[Path, str | None]]:
    if path.is_dir():
        return [(p, None) for p in sorted(path.rglob("*.csv")) if p.is_file()]
    return [(path, n) for n in sorted(member_names(path)) if n.casefold().endswith(".csv")]


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD)


def read_blades(delivery: list[Blade]) -> Raw:
    """One delivery of the tables as raw columns; the index is the row in the table of pupils.

    Needs of pupils that the table of pupils does not hold are put aside and listed. Without the table of free-meal
    periods, of addresses or of schools the reading goes on, and a note says what is lacking. Raises ``SourceError``
    when a table stands twice or one that is needed is missing, and for pupils of two censuses in one delivery.
    """
    kinds = [b.kind for b in delivery]
    _whole(delivery, kinds)
    tables = {b.kind: _table(b) for b in delivery}
    pupils, census = tables["pupilonroll"], tables["schoolcensus"].frame
    frame = pupils.frame
    _one_id(frame["pupilonrolltableid"], next(b for b in delivery if b.kind == "pupilonroll").name)
    head = census.drop_duplicates("schoolcensustableid").set_index("schoolcensustableid")
    parent = frame["schoolcensustableid"]
    raw = pd.DataFrame(index=frame.index)
    for name, column in _columns(frame).items():
        raw[name] = frame[column]
    for name, column in (("census_date", "referencedate"), ("la", "lea"), ("urn", "urn")):
        raw[name] = parent.map(head[column]).fillna("") if column in head else ""
    raw["laestab"] = without_decimal_zero(tidy(frame["nativeid"])) if "nativeid" in frame else ""
    key = frame["pupilonrolltableid"]
    notes, asides = [*pupils.notes], [pupils.quarantine]
    raw["phase"] = _phases(tables, parent)
    needs, orphans, lost = _needs(tables["senneeds"], key)
    raw = raw.join(needs, on=key).fillna({"need1": "", "need2": ""})
    asides += [tables["senneeds"].quarantine, orphans]
    notes += [f"{lost:,} types of need beyond the second were passed over."] if lost else []
    raw["fsm"], raw["postcode"], lacking = _optional(tables, key, raw["census_date"])
    notes += lacking
    files = [b.path for b in delivery]
    return Raw(
        frame=raw,
        file=pd.Series(next(b.name for b in delivery if b.kind == "pupilonroll"), index=raw.index),
        rows_read=pupils.rows_read,
        quarantine=together(asides),
        form=FORM,
        sha256=" ".join(sha256_of(p) for p in dict.fromkeys(files)),
        lacks=frozenset(set(RAW) - set(raw)),
        notes=(*notes, *_orphan_note(asides)),
    )


def _whole(delivery: list[Blade], kinds: list[str]) -> None:
    where = delivery[0].path.parent.name
    problems = [
        Problem("A table stands twice in one delivery.", where=where, value=k, mend="Keep each delivery in a folder.")
        for k in dict.fromkeys(kinds)
        if kinds.count(k) > 1
    ]
    needed = census_spec()["blade_needed"]
    problems += [
        Problem(
            "A table of the census is missing.",
            where=where,
            value=k,
            expected=", ".join(needed),
            mend="Export all tables of the return.",
        )
        for k in needed
        if k not in kinds
    ]
    if problems:
        raise SourceError(*problems)


def _table(blade: Blade) -> TextTable:
    spec = census_spec()["blade"][blade.kind]
    wanted = set(spec["read"])
    table = read_delimited(blade.path, blade.member, keep=lambda heading: bare(heading) in wanted)
    renamed = table.frame.rename(columns=bare)
    missing = [c for c in spec["tells"] if c in wanted and c not in renamed]
    if missing:
        raise SourceError(
            *(
                Problem("A column is missing.", where=blade.name, value=c, mend=did_you_mean(c, renamed))
                for c in missing
            )
        )
    return TextTable(renamed, table.quarantine, table.rows_read, table.encoding, table.delimiter, table.notes)


def _one_id(ids: pd.Series, where: str) -> None:
    again = ids.duplicated()
    if again.any():
        raise SourceError(
            Problem(
                f"{int(again.sum()):,} table ids stand twice among the pupils: two deliveries lie in one file.",
                where=where,
                mend="Export each delivery (year and term) into a folder of its own.",
            )
        )


def _columns(frame: pd.DataFrame) -> dict[str, str]:
    names = {
        "upn": ("upn",),
        "dob": ("dob",),
        "sex": ("sex", "gender"),
        "ethnicity": ("ethnicity",),
        "language": ("language",),
        "nc_year": ("ncyearactual",),
        "enrolment_status": ("enrolstatus",),
        "sen_provision": ("senprovision",),
        "sen_unit": ("senunitindicator",),
        "resourced_provision": ("resourcedprovisionindicator",),
    }
    hits = {name: next((c for c in spelt if c in frame), "") for name, spelt in names.items()}
    return {name: column for name, column in hits.items() if column}


def _phases(tables: dict[str, TextTable], parent: pd.Series) -> pd.Series:
    if "school" not in tables:
        return pd.Series("", index=parent.index)
    schools = tables["school"].frame.drop_duplicates("schoolcensustableid").set_index("schoolcensustableid")
    return parent.map(schools["phase"]).fillna("")


def _needs(table: TextTable, key: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    frame = table.frame
    orphan = ~frame["pupilonrolltableid"].isin(set(key))
    rule, mend = "a type of need of a pupil who is not in the table of pupils", "Export all tables of one delivery."
    aside = refused("senneeds", frame.index[orphan], "sentype", frame.loc[orphan, "sentype"], rule, mend)
    own = frame[~orphan]
    ranked, lost = needs_by_rank(own["pupilonrolltableid"], own["sentyperank"], own["sentype"])
    return ranked, aside, lost


def _optional(tables: dict[str, TextTable], key: pd.Series, day: pd.Series) -> tuple[pd.Series, pd.Series, list[str]]:
    fsm, postcode, notes = pd.Series("", index=key.index), pd.Series("", index=key.index), []
    if "fsmperiod" in tables:
        periods = tables["fsmperiod"].frame
        when, _ = dates(day)
        census = pd.Series(when.to_numpy(), index=key.to_numpy())
        ends = periods["fsmenddate"] if "fsmenddate" in periods else pd.Series("", index=periods.index)
        own = eligible_on(census, periods["pupilonrolltableid"], periods["fsmstartdate"], ends)
        fsm = fsm.mask(key.isin(own), "1").mask(~key.isin(own), "0")
    else:
        notes.append("The table of free-meal periods is missing: nobody counts as eligible for free meals.")
    if "addresses" in tables:
        homes = tables["addresses"].frame
        order = pd.to_numeric(homes.get("addressesorderseqcolumn", pd.Series("", index=homes.index)), errors="coerce")
        first = homes.assign(order=order).sort_values("order", kind="stable")
        first = first[tidy(first["postcode"]) != ""]
        several = int(first["pupilonrolltableid"].duplicated().sum())
        postcode = key.map(first.drop_duplicates("pupilonrolltableid").set_index("pupilonrolltableid")["postcode"])
        notes += [f"{several:,} further addresses were passed over: a pupil's first one is used."] if several else []
    else:
        notes.append("The table of addresses is missing: no pupil's home is known.")
    return fsm, postcode.fillna(""), notes


def _orphan_note(asides: list[pd.DataFrame]) -> tuple[str, ...]:
    count = sum(len(a) for a in asides[1:])
    return (f"{count:,} rows of the table of needs belong to no pupil of this delivery.",) if count else ()
