"""Opening a local extract: csv or workbook, its kind by its headings, and rows that are no cases put aside.

Only columns that the kind's specification names are kept; all others, names and free text with them, are never read
into a column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.encoding import read_text
from jsna.files.headers import Matched, bare, match
from jsna.files.limits import TEXT_BYTES
from jsna.files.result import refused, together
from jsna.files.text import first_row, parse_delimited
from jsna.files.values import trim
from jsna.files.workbook import read_sheets, table_of
from jsna.sources.extracts.specification import Column, Spec, specs
from jsna.sources.identity import HIDDEN, is_identifier

HEAD_BYTES = 1 << 18
UPN_SPELLINGS = ("upn", "unique pupil number", "pupil upn", "pupil number")
TOTALS = {"total", "totals", "grandtotal", "subtotal", "sum", "overall", "average", "mean", "count", "rowcount"}
MEND_KIND = "Name the kind, or use the headings of a template."


@dataclass(frozen=True)
class Opened:
    """A file's columns under their names in the workbench, every cell as text; the index is the file's row.

    ``claims`` leads from each name to the headings that claim it, where there are several: ``frame`` has the first, and
    ``differing`` the rows in which another one differs. ``hidden`` says what a workbook hid.
    """

    spec: Spec
    frame: pd.DataFrame
    quarantine: pd.DataFrame
    rows_read: int
    notes: tuple[str, ...]
    claims: Mapping[str, Sequence[str]]
    differing: Mapping[str, list[int]]
    hidden: tuple[str, ...] = ()


def open_extract(path: Path, kind: str | None) -> Opened:
    """The file with the specification that fits it; with ``kind``, only that kind's forms are tried.

    Raises ``SourceError`` when the file cannot be read, when no kind or more than one fits, and when columns without
    which the kind cannot be read are missing, with what stands in their place.
    """
    candidates = _candidates(kind)
    if path.suffix.casefold() in (".xlsx", ".xlsm", ".xls", ".xlsb"):
        return _from_workbook(path, candidates, kind)
    content = read_text(path, None, path.name, TEXT_BYTES)
    headings = first_row(content[:HEAD_BYTES], path.name, _spellings(candidates))
    spec = recognise(headings, path.name, candidates, kind)
    table = parse_delimited(
        content, path.name, headings=_spellings([spec]), keep=lambda h: bare(h) in _bare_spellings(spec)
    )
    aside = table.quarantine.assign(value=HIDDEN, rule=_ragged_rule(table.quarantine), column="")
    return _opened(spec, table.frame, headings, path.name, aside, table.rows_read, table.notes)


def aliases(spec: Spec) -> dict[str, list[str]]:
    """The spellings under which each column is found, with the pupil number as a column of its own."""
    return _aliases(spec.kind)


@cache
def _aliases(kind: str) -> dict[str, list[str]]:
    spec = specs()[kind]
    found = {name: [c.title, *c.aliases, name] for name, c in spec.all_columns.items()}
    if "person_id" in spec.columns:
        found["upn"] = list(UPN_SPELLINGS)
    return found


def recognise(headings: Sequence[str], where: str, candidates: Sequence[Spec], kind: str | None) -> Spec:
    """The specification whose signature most of the headings belong to.

    Raises ``SourceError`` for none, for several that fit alike, and for missing columns.
    """
    scores = {spec.kind: _score(spec, headings) for spec in candidates}
    best = max(scores.values())
    fits = [spec for spec in candidates if scores[spec.kind] == best]
    if kind is not None and not best:
        everywhere = {spec.kind: _score(spec, headings) for spec in specs().values()}
        other = max(everywhere, key=lambda k: everywhere[k])
        mend = f"It looks like {other}." if everywhere[other] >= 2 else MEND_KIND
        raise SourceError(Problem(f"No heading belongs to {kind}.", where=where, mend=mend))
    if kind is None and best < 2:
        fits = _by_substitute(candidates, headings, scores)
    if not fits or (len(fits) > 1 and kind is None):
        what = "several kinds fit" if fits else f"none of the {len(headings)} headings tells one"
        expected = ", ".join(s.kind for s in (fits or candidates))
        raise SourceError(
            Problem(f"The kind of extract is not clear: {what}.", where=where, expected=expected, mend=MEND_KIND)
        )
    _need(fits[0], headings, where)
    return fits[0]


def _candidates(kind: str | None) -> list[Spec]:
    every = list(specs().values())
    if kind is None:
        return every
    found = [spec for spec in every if kind in (spec.kind, spec.form_of)]
    if not found:
        mend = did_you_mean(kind, specs())
        raise SourceError(
            Problem("There is no such kind of extract.", value=kind, expected=", ".join(specs()), mend=mend)
        )
    return found


def _score(spec: Spec, headings: Sequence[str]) -> int:
    every = aliases(spec)
    found = match(headings, {name: every[name] for name in spec.signature}).columns
    return len(found)


def _by_substitute(candidates: Sequence[Spec], headings: Sequence[str], scores: Mapping[str, int]) -> list[Spec]:
    """Kinds of which one column of the signature is there, and a heading that stands in for another."""
    return [s for s in candidates if scores[s.kind] and _substitute(s, headings) is not None]


def _substitute(spec: Spec, headings: Sequence[str]):
    for instead in spec.instead:
        for heading in headings:
            pattern = re.compile(instead.pattern)
            if pattern.search(bare(heading)) or pattern.search(heading.casefold()):
                return instead
    return None


def _need(spec: Spec, headings: Sequence[str], where: str) -> None:
    found = match(headings, aliases(spec)).columns
    has_person = "upn" in found
    missing = [n for n in spec.needed if n not in found and not (n == "person_id" and has_person)]
    if not missing:
        return
    known = [h for h in headings if not is_identifier(h)]
    others = match(known, aliases(spec)).others
    problems = [
        Problem(
            f"A column of {spec.kind} is missing or was renamed: {spec.columns[name].title}.",
            where=where,
            mend=did_you_mean(spec.columns[name].title, others) or spec.columns[name].says,
        )
        for name in missing
    ]
    instead = _substitute(spec, headings)
    if instead is not None:
        problems.insert(0, Problem(instead.says, where=where, mend=instead.mend))
    raise SourceError(*problems)


def _from_workbook(path: Path, candidates: Sequence[Spec], kind: str | None) -> Opened:
    read = read_sheets(path)
    spellings = _spellings(candidates)
    tables = {
        name: table_of(sheet, f"{path.name}, {name}", spellings)
        for name, sheet in read.items()
        if (sheet != "").any(axis=None)
    }
    if not tables:
        raise SourceError(Problem("The workbook is empty.", where=path.name))
    best = {name: max(_score(s, list(t.columns)) for s in candidates) for name, t in tables.items()}
    fits = [name for name in tables if best[name] >= 2]
    if len(fits) > 1:
        raise SourceError(
            Problem(
                "Several sheets hold lists of this kind.",
                where=path.name,
                value=fits,
                mend="Save each as a file of its own, or put them into one list with the same headings.",
            )
        )
    sheet = fits[0] if fits else max(tables, key=lambda name: best[name])
    where = f"{path.name}, {sheet}"
    headings = list(tables[sheet].columns)
    spec = recognise(headings, where, candidates, kind)
    frame = table_of(read[sheet], where, spellings, keep=lambda h: bare(h) in _bare_spellings(spec))
    if frame.empty:
        raise SourceError(Problem("The sheet has no rows.", where=where))
    others = [name for name in read if name != sheet]
    notes = [f"Read from the sheet {sheet!r}; not read: {', '.join(map(repr, others))}."] if others else []
    about = [note for note in read.notes if f"Sheet {sheet!r}" in note]
    opened = _opened(spec, frame, headings, where, together([]), len(frame), [*notes, *about])
    return replace(opened, hidden=tuple(note for note in about if "hidden rows" in note or "filter" in note))


def _opened(
    spec: Spec,
    frame: pd.DataFrame,
    headings: Sequence[str],
    where: str,
    aside: pd.DataFrame,
    rows_read: int,
    notes: Sequence[str],
) -> Opened:
    matched = _matched(frame, spec)
    odd, frame = _odd_rows(frame, matched, spec, where)
    columns = {name: trim(frame[heading]) for name, heading in matched.columns.items()}
    differing = {
        name: frame.index[
            ((trim(frame[c]) != columns[name]) & (trim(frame[c]) != "") & (columns[name] != "")).to_numpy()
        ].tolist()
        for name, claim in matched.twice.items()
        for c in claim[1:]
    }
    others = [h for h in headings if bare(h) not in _bare_spellings(spec)]
    persons = sum(map(is_identifier, others))
    notes = list(notes)
    if others:
        notes.append(
            f"{len(others)} columns that are no part of {spec.kind} were not read"
            + (f", {persons} of them with names or addresses." if persons else ".")
        )
    return Opened(
        spec=spec,
        frame=pd.DataFrame(columns, index=frame.index),
        quarantine=together([aside, odd]),
        rows_read=rows_read,
        notes=tuple(notes),
        claims=matched.twice,
        differing=differing,
    )


def _matched(frame: pd.DataFrame, spec: Spec) -> Matched:
    """As ``headers.match``, with headings that stand twice (the second is numbered ``.1``) as two that claim a name."""
    plain = {h: re.sub(r"\.\d+$", "", h) if re.sub(r"\.\d+$", "", h) in frame else h for h in frame.columns}
    found = match(list(dict.fromkeys(plain.values())), aliases(spec))
    claims = {
        name: [h for p in found.twice.get(name, [first]) for h, of in plain.items() if of == p]
        for name, first in found.columns.items()
    }
    return Matched(
        columns={name: claim[0] for name, claim in claims.items()},
        twice={name: claim for name, claim in claims.items() if len(claim) > 1},
        others=found.others,
    )


def _odd_rows(frame: pd.DataFrame, matched: Matched, spec: Spec, where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that are no cases (totals, notes, headings again, a second list), as a quarantine, and the frame without."""
    cells = frame.apply(trim)
    filled = cells != ""
    keys = [h for n, h in matched.columns.items() if n == "upn" or spec.all_columns[n].blank == "E"]
    incomplete = ~filled[keys].all(axis="columns")
    known = _bare_spellings(spec)
    unique = pd.unique(cells.to_numpy().ravel())
    heading_cells = cells.isin([v for v in unique if v and bare(v) in known])
    heads = (heading_cells.sum(axis="columns") >= 2) & (
        2 * heading_cells.sum(axis="columns") > filled.sum(axis="columns")
    )
    same = pd.Series(True, index=frame.index)
    for name, heading in matched.columns.items():
        spelt = {bare(s) for s in aliases(spec)[name]}
        fits = cells.loc[heads, heading].map(lambda cell, spelt=spelt: bare(cell) in spelt or not cell)
        same[heads] &= fits.astype(bool)
    # A second heading row with other columns starts another list; one with the same columns ends it.
    state = pd.Series(pd.NA, index=frame.index, dtype="boolean").mask(heads & ~same, True).mask(heads & same, False)
    stacked = state.ffill().fillna(False).astype(bool)
    words = cells.isin([v for v in unique if bare(v) in TOTALS])
    typed = [h for n, h in matched.columns.items() if n == "upn" or _names(spec.all_columns[n])]
    numbers = [h for n, h in matched.columns.items() if n != "upn" and spec.all_columns[n].type in ("whole", "number")]
    bottom = pd.Series(range(len(frame)), index=frame.index) >= len(frame) - 3
    sums = bottom & ~filled[typed].any(axis="columns") & (filled[numbers].any(axis="columns") if numbers else False)
    totals = ((words.any(axis="columns") & incomplete) | words[typed].any(axis="columns") | sums) & ~heads & ~stacked
    alone = incomplete & (filled.sum(axis="columns") == 1) & (frame.shape[1] > 2) & ~totals & ~stacked
    reasons = [
        (stacked, "a second list with other headings begins here or above", "Save each list as a file of its own."),
        (
            heads & same,
            "the heading row stands here again",
            "Nothing to do, if lists with the same headings were joined.",
        ),
        (totals, "a row of totals, not a case", "Export the list without totals."),
        (alone, "a note beside the table, not a case", "Export the list without notes."),
    ]
    odd = pd.Series(False, index=frame.index)
    parts = []
    for mask, rule, mend in reasons:
        parts.append(refused(where, frame.index[mask], "", [HIDDEN] * int(mask.sum()), rule, mend))
        odd |= mask
    return together(parts), frame[~odd]


def _names(column: Column) -> bool:
    return column.type in ("id", "person", "date", "code", "month", "year")


def _ragged_rule(quarantine: pd.DataFrame) -> pd.Series:
    """Many rows with the same wrong number of cells are a second list with other headings, not slips."""
    same = quarantine["value"].map(quarantine["value"].value_counts()).gt(2)
    return quarantine["rule"].where(~same, quarantine["rule"] + "; so have others: a second list with other headings?")


def _spellings(candidates: Sequence[Spec]) -> list[str]:
    return [s for spec in candidates for spelt in aliases(spec).values() for s in spelt]


@cache
def _spelt(kind: str) -> frozenset[str]:
    return frozenset(bare(s) for spelt in _aliases(kind).values() for s in spelt)


def _bare_spellings(spec: Spec) -> frozenset[str]:
    return _spelt(spec.kind)
