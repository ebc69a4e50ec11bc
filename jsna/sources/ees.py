"""Files of Explore Education Statistics: one reader for every publication, known or not, plain, gzipped or zipped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from geo.kinds import likely_vintage
from jsna.errors import Problem, SourceError
from jsna.files.headers import bare, need_columns
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import TextTable, read_delimited
from jsna.files.values import SYMBOLS
from jsna.sources.ees_release import data_files, guidance_beside, locate, meta_beside, standard_spelling
from jsna.sources.ees_rows import levels, low, places, row_rules, times
from jsna.sources.ees_specs import (
    COMPULSORY,
    ENGLAND,
    MEND,
    FileSpec,
    find_spec,
    known_files,
    meta_of,
    place_columns,
    standard,
    symbol_meanings,
)
from jsna.sources.published import LICENCE, to_numbers

MEANINGS = {
    "z": "not applicable",
    "x": "not available",
    "c": "suppressed",
    "low": "rounds to nought",
    "u": "unreliable",
}
FIGURE = r"-?[\d,]*\.?\d+(?:[eE][-+]?\d+)?%?"


@dataclass(frozen=True)
class _Text:
    """A file as text: what is known of it, its metadata, and its columns by kind."""

    read: TextTable
    frame: pd.DataFrame
    known: FileSpec | None
    meta: Loaded | None
    filters: list[str]
    indicators: list[str]
    words: list[str]


def read_ees(path: Path, table: str | None = None, *, spec: str | None = None) -> Loaded:
    """A data file of Explore Education Statistics as one frame, whatever the publication.

    ``path`` is a CSV (may be gzipped), or the zip or folder of a release, of which ``table`` names one file (without
    it, the only one). ``spec`` is a key of ``ees_specs.known_files``; without it the headings decide. Columns:
    time_period (six or four digits), time_identifier, geographic_level, area_code, dfe_number, area_name, then the
    filters as text and the indicators as floats, each with ``<indicator>_symbol`` beside it where a symbol occurs.
    Symbols are those of the guide (z not applicable, x not available, c suppressed, low rounds to nought, u
    unreliable), also where the release's own guidance swaps them. Which columns are filters is taken from what is
    known of the file, from the ``.meta.csv`` beside it, or from the cells.

    Refused: rows whose time, level or code is none, a total in the place of a place, and a key that stands twice.
    Cells that are neither figure nor symbol are missing and listed. Raises ``SourceError`` for columns that are
    missing. Not for files with a heading in several rows, such as the tribunal's.
    """
    file, member = locate(path, table)
    where = file.name if member is None else f"{file.name}, {PurePosixPath(member).name}"
    text = _text(file, member, where, spec)
    kept, moved, parts = _rows(text, where)
    kept, swapped = _usual_symbols(kept, text.indicators, guidance_beside(file, member), text.known)
    frame, strange = to_numbers(kept, text.indicators, where)
    if text.meta:
        parts.append(text.meta.quarantine)
    known, read = text.known, text.read
    source = known.source if known else f"Explore Education Statistics: {PurePosixPath(member or file.name).name}"
    summary = Summary(
        source=source,
        file=where,
        period=f"{frame['time_period'].min()} to {frame['time_period'].max()}",
        rows_read=read.rows_read,
        rows_kept=len(frame),
        rows_refused=read.rows_read - len(frame),
        sha256=sha256_of(file),
        publisher=known.publisher if known else "Department for Education",
        licence=LICENCE,
        notes=(
            *_notes(text, swapped),
            *moved,
            *_row_notes(frame, text.frame.loc[kept.index], text),
            *_item_notes(frame, text),
        ),
    )
    return Loaded(frame.reset_index(drop=True), together([*parts, strange]), summary)


def read_meta(path: Path) -> Loaded:
    """The ``.meta.csv`` of a data file: column, kind, label, unit, decimals, grouping_column; one row a column.

    Raises ``SourceError`` when ``col_name``, ``col_type`` or ``label`` is missing.
    """
    read = read_delimited(path)
    need_columns(read.frame, ["col_name", "col_type", "label"], path.name)
    loaded = meta_of(read.frame, path.name)
    s = loaded.summary
    ragged = {"rows_read": read.rows_read, "rows_refused": read.rows_read - s.rows_kept, "sha256": sha256_of(path)}
    quarantine = together([read.quarantine, loaded.quarantine])
    return Loaded(loaded.frame, quarantine, Summary(**{**s.__dict__, **ragged}))


def read_release(path: Path) -> dict[str, Loaded]:
    """Every data file of a release, the zip or the folder, by its name without ending.

    Only files in the standard's form: the table of the tribunal in the same zip has a reader of its own.
    """
    return {name: read_ees(path, name) for name in data_files(path)}


def _text(file: Path, member: str | None, where: str, spec: str | None) -> _Text:
    read = read_delimited(file, member, headings=COMPULSORY)
    spelling = {h: standard_spelling().get(bare(h), h) for h in read.frame.columns}
    frame = read.frame.rename(columns={h: n for h, n in spelling.items() if n not in read.frame.columns})
    known = known_files()[spec] if spec else find_spec(frame.columns, dict(frame.iloc[0]))
    if known:
        frame = _filled(frame.rename(columns=known.spelt(frame.columns)), known)
        need_columns(frame, [*COMPULSORY, *known.filters, *known.needed, *known.words], where)
    need_columns(frame, COMPULSORY, where)
    meta = meta_beside(file, member, read.frame.columns)
    return _Text(read, frame, known, meta, *_kinds(frame, known, meta))


def _rows(text: _Text, where: str) -> tuple[pd.DataFrame, list[str], list[pd.DataFrame]]:
    """The rows that can be used, with canonical identifiers; notes on what was written anew; what was put aside."""
    frame, notes = times(text.frame)
    level = levels(frame["geographic_level"])
    area, number, name = places(frame, level, by_name=bool(text.known and text.known.codes_by_name))
    kept = frame[["time_period", "time_identifier"]].assign(
        geographic_level=level, area_code=area, dfe_number=number, area_name=name
    )
    kept = kept.join(frame[text.filters])
    rules = row_rules(kept)
    rules["the same time, place and filters again"] = ("time_period", kept["time_period"], kept.duplicated())
    out, parts = pd.Series(False, index=kept.index), [text.read.quarantine]
    for rule, (column, values, wrong) in rules.items():
        rows = wrong & ~out
        parts.append(refused(where, kept.index[rows], column, values[rows], rule, MEND))
        out |= rows
    if out.all():
        first = together(parts).drop_duplicates("rule").itertuples()
        raise SourceError(
            *(Problem(f"No row can be used: {r.rule}.", where=where, value=r.value, mend=MEND) for r in first)
        )
    for of_number, code in (text.known.recode if text.known else {}).items():
        other = (number == of_number) & (level == "Local authority") & (area != code)
        if other.any():
            kept["area_code"] = kept["area_code"].mask(other, code)
            notes.append(f"{code} stands under two codes in this file and is read under this one throughout.")
    return kept.join(frame[[*text.words, *text.indicators]])[~out], notes, parts


def _filled(text: pd.DataFrame, known: FileSpec) -> pd.DataFrame:
    """Columns of time and place that a table prepared from a release lacks, from what is known of it."""
    text = text.drop(columns=[c for c in known.unused if c in text])
    if not known.codes_by_name:
        return text
    level = pd.Series(known.level, index=text.index)
    if known.level == "by name":
        level = pd.Series("Regional", index=text.index).mask(text["region_name"] == "England", "National")
    lacking = {
        "time_identifier": known.identifier,
        "geographic_level": level,
        "country_code": ENGLAND,
        "country_name": "England",
    }
    return text.assign(**{c: v for c, v in lacking.items() if c not in text})


def _kinds(text: pd.DataFrame, known: FileSpec | None, meta: Loaded | None) -> tuple[list[str], list[str], list[str]]:
    """Which columns are filters, which indicators, and which hold words that are neither."""
    rest = [c for c in text.columns if c not in place_columns()]
    if known:
        named = (*known.filters, *known.words)
        return list(known.filters), [c for c in rest if c not in named], list(known.words)
    if meta is not None:
        indicators = set(meta.frame.loc[meta.frame["kind"] == "indicator", "column"])
    else:
        filters = re.compile(standard()["filters"], re.IGNORECASE)
        indicators = {c for c in rest if not filters.fullmatch(c) and _mostly_figures(text[c])}
    return [c for c in rest if c not in indicators], [c for c in rest if c in indicators], []


def _mostly_figures(cells: pd.Series) -> bool:
    seen = pd.Series(cells.unique()).str.strip().str.casefold()
    figures = seen.str.fullmatch(FIGURE)
    marks = seen.isin(SYMBOLS) | seen.str.fullmatch(standard()["odd_marks"])
    return bool(figures.any() and (figures | marks).mean() > 0.5)


def _usual_symbols(
    frame: pd.DataFrame, indicators: list[str], guidance: str, known: FileSpec | None
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Cells with the guide's symbols where the release gives them other meanings."""
    swapped = symbol_meanings(guidance)
    if not guidance and known:
        swapped = known.symbols_when.get(frame["time_period"].max(), {})
    if not swapped:
        return frame, {}
    marks = {c: frame[c].str.strip().str.casefold() for c in indicators}
    return frame.assign(**{c: frame[c].mask(m.isin(swapped), m.map(swapped)) for c, m in marks.items()}), swapped


def _notes(text: _Text, swapped: Mapping[str, str]) -> list[str]:
    """What is to be known of the file as a whole."""
    known, read = text.known, text.read
    notes = [*(known.notes if known else ()), *read.notes]
    if known and known.rows and read.rows_read not in known.rows:
        notes.append(f"The file has {read.rows_read} rows, the published one {known.rows[0]}: is it a part, or newer?")
    if swapped:
        said = ", ".join(f"{found} is {MEANINGS[meant]}" for found, meant in swapped.items())
        notes.append(f"In this release {said}: read so, and written with the guide's symbols.")
    if text.meta is not None:
        grouped = text.meta.frame["column"][text.meta.frame["grouping_column"] != ""]
        notes += [f"Filters with a group: {', '.join(grouped)}."] if len(grouped) else []
    return notes


def _row_notes(frame: pd.DataFrame, published: pd.DataFrame, text: _Text) -> list[str]:
    """What is odd about time and place of rows that are kept; ``published`` has the same rows as they stand."""
    notes = []
    digits = {i: _digits(i) for i in frame["time_identifier"].unique()}
    if len(set(digits.values())) > 1:
        notes.append(f"The file mixes kinds of period: {', '.join(sorted(digits))}.")
    odd = frame[frame["time_period"].str.len() != frame["time_identifier"].map(digits)]
    if len(odd):
        such = f"{odd['time_period'].iloc[0]} with {odd['time_identifier'].iloc[0]!r}"
        notes.append(f"{len(odd)} rows have a period that their identifier does not fit, such as {such}.")
    uncoded = frame[low(frame["area_code"]).isin(standard()["no_code"])]
    if len(uncoded):
        such = uncoded["area_name"].iloc[0]
        notes.append(f"{len(uncoded)} rows are of places without a code, such as {such!r}.")
    if frame["area_code"].isin(["E13000001", "E13000002"]).any():
        notes.append("London stands as Inner and Outer London.")
    for column in text.known.never_negative if text.known else ():
        below = int((frame[column] < 0).sum())
        notes += [f"{below} rows have a number below nought in {column}, as published."] if below else []
    wards = published[(frame["geographic_level"] == "Ward").to_numpy()]
    if len(wards) and "lad_code" in wards:
        ward, district = likely_vintage(wards["ward_code"], "ward"), likely_vintage(wards["lad_code"], "la")
        if ward and district and ward[:4] < district[:4]:
            notes.append(f"Ward codes reach {ward}, district codes {district}: two vintages in one file.")
    return notes


def _item_notes(frame: pd.DataFrame, text: _Text) -> list[str]:
    """Filters in which one item stands in two spellings, or one row twice under two groups."""
    notes = []
    for column in text.filters:
        items = pd.Series(frame[column].unique(), dtype="str")
        spelling = items.str.replace(r"\s+", "", regex=True).str.casefold()
        twice = items[spelling.duplicated(keep=False)]
        notes += [f"{column} has items in two spellings: {', '.join(map(repr, twice[:6]))}."] if len(twice) else []
    groups = set() if text.meta is None else set(text.meta.frame["grouping_column"]) & set(text.filters)
    if groups:
        key = [*frame.columns[:6], *(f for f in text.filters if f not in groups)]
        again = int(frame.duplicated(key).sum())
        words = "rows repeat another under a second group: adding up over both counts twice."
        notes += [f"{again} {words}"] if again else []
    return notes


def _digits(identifier: str) -> int:
    return 4 if identifier.casefold().split(" ")[0] in standard()["four_digits"] else 6
