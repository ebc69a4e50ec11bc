"""A register of schools: which school a number stands for, and of what kind it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from jsna.errors import Problem, SourceError, did_you_mean
from jsna.files.headers import bare, match
from jsna.files.packaged import packaged_yaml
from jsna.files.result import Loaded, Summary, refused, sha256_of, together
from jsna.files.text import read_delimited
from jsna.files.values import tidy, trim, without_decimal_zero

COLUMNS = ("urn", "laestab", "name", "phase", "type", "has_sen_unit", "has_resourced_provision", "open")
SHOWN = 6


def read_schools(path: Path) -> Loaded:
    """Schools by their numbers, from an extract of Get information about schools or a csv of urn, laestab, name, phase.

    One row a school, open ones first, otherwise in the order of the file (several schools have one ``laestab`` when an
    academy took it over, so the first is the one that is open): ``urn`` (digits), ``laestab`` (seven digits, "" where
    there is none), ``name``, ``phase`` (code of ``school_phase.csv``, "" where the list has no code for it, as for
    all-through schools and colleges), ``type`` (as given), ``has_sen_unit`` and ``has_resourced_provision`` (nullable
    boolean, missing where the register has no such column), ``open`` (the same, missing where not said). What a
    school is goes before its phase: special schools have none in the register. Names of persons, addresses and
    telephone numbers, which the register holds, are never read.

    A row without a URN, or with one that is there already, is refused. Raises ``SourceError`` when it cannot be read,
    or when columns for the URN, the establishment's number or the kind of school are missing.
    """
    spellings: dict[str, list[str]] = _data()["columns"]
    known = {bare(s) for name, words in spellings.items() for s in (name, *words)}
    table = read_delimited(
        path, headings=[s for words in spellings.values() for s in words], keep=lambda heading: bare(heading) in known
    )
    found = match(list(table.frame.columns), spellings).columns
    _need(found, list(table.frame.columns), path.name)
    text = pd.DataFrame({name: trim(table.frame[heading]) for name, heading in found.items()})
    for name in spellings:
        if name not in text:
            text[name] = ""
    text["urn"] = without_decimal_zero(text["urn"])
    odd = ~text["urn"].str.fullmatch(r"\d{1,6}")
    again = text["urn"].duplicated() & ~odd
    parts = [
        table.quarantine,
        _cells(path.name, text, "urn", odd, "not a URN (up to six digits)", "Complete the row, or leave it out."),
        _cells(path.name, text, "urn", again, "this URN is there already", "Keep one row a school."),
    ]
    kept = text[~odd & ~again]
    laestab, bad_number = _laestab(kept)
    phase, strange, without = _phase(kept)
    opened, unclear = _open(kept["status"])
    parts += [
        _cells(path.name, kept, "laestab", bad_number, "not seven digits (821/9060)", "Correct the number."),
        _cells(path.name, kept, "phase", strange, "not a known kind of school", "Use the register's words."),
        _cells(path.name, kept, "status", unclear, "neither open nor closed", "Use the register's words."),
    ]
    frame = pd.DataFrame(
        {
            "urn": kept["urn"],
            "laestab": laestab,
            "name": kept["name"],
            "phase": phase,
            "type": kept["type"],
            "has_sen_unit": _has(kept["provision"], "sen unit", "provision" in found),
            "has_resourced_provision": _has(kept["provision"], "resourced provision", "provision" in found),
            "open": opened,
        }
    )
    frame = frame.sort_values("open", key=lambda o: ~o.fillna(True).astype(bool), kind="stable", ignore_index=True)
    notes = [*table.notes, *_notes(kept, without, "status" in found)]
    summary = Summary(
        source="Register of schools",
        file=path.name,
        period="",
        rows_read=table.rows_read,
        rows_kept=len(frame),
        rows_refused=table.rows_read - len(frame),
        sha256=sha256_of(path),
        publisher="Department for Education, Get information about schools, or a local list",
        licence="Open Government Licence v3.0, when it is the published register",
        notes=tuple(notes),
    )
    return Loaded(frame, together(parts), summary)


def _has(provision: pd.Series, what: str, told: bool) -> pd.Series:
    """Whether the register names this provision; a school of which it says nothing has none."""
    if not told:
        return pd.Series(pd.NA, index=provision.index, dtype="boolean")
    return provision.str.lower().str.contains(what, regex=False).astype("boolean")


def normal_laestab(number: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Establishment numbers as seven digits ("" where there is none), and a mask of what is no such number.

    >>> got, bad = normal_laestab(pd.Series(["821/9060", "8219060.0", "821 9060", "", "9060"]))
    >>> got.tolist(), bad.tolist()
    (['8219060', '8219060', '8219060', '', ''], [False, False, False, False, True])
    """
    kept = without_decimal_zero(tidy(number))
    good = kept.str.fullmatch(r"\d{3}[ /-]?\d{4}")
    return kept.str.replace(r"\D", "", regex=True).where(good, ""), ~good & (kept != "")


def _need(found: dict[str, str], headings: list[str], where: str) -> None:
    lacking = [
        name
        for name, there in (
            ("URN", "urn" in found),
            ("LAESTAB", "laestab" in found or {"la", "estab"} <= set(found)),
            ("PhaseOfEducation (name)", "phase" in found or "type" in found),
        )
        if not there
    ]
    if lacking:
        raise SourceError(
            *(
                Problem(
                    f"A column of the register of schools is missing or was renamed: {name}.",
                    where=where,
                    mend=did_you_mean(name, headings) or "Is this the list of schools?",
                )
                for name in lacking
            )
        )


def _cells(where: str, text: pd.DataFrame, column: str, mask: pd.Series, rule: str, mend: str) -> pd.DataFrame:
    return refused(where, text.index[mask], column, text.loc[mask, column], rule, mend)


def _laestab(text: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    la, estab = without_decimal_zero(tidy(text["la"])), without_decimal_zero(tidy(text["estab"]))
    joined = (la + estab.str.zfill(4)).where((la != "") & (estab != ""), "")
    given = tidy(text["laestab"])
    return normal_laestab(given.mask(given == "", joined))


def _phase(text: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The phase's code; what is no known word; and what is known and has no code."""
    phases, types = _words("phases"), _words("types")
    given, kind = text["phase"].map(bare), text["type"].map(bare)
    strange = (tidy(text["phase"]) != "") & ~given.isin(phases)
    phase = kind.map(types).fillna(given.map(phases)).fillna("").astype("str")
    return phase, strange & (phase == ""), (phase == "") & ~strange


def _open(status: pd.Series) -> tuple[pd.Series, pd.Series]:
    word = status.map(bare)
    yes, no = (word.isin({bare(w) for w in _data()[name]}) for name in ("open", "closed"))
    opened = pd.Series(pd.NA, index=status.index, dtype="boolean").mask(yes, True).mask(no, False)
    return opened, ~(yes | no) & (tidy(status) != "")


def _notes(text: pd.DataFrame, without: pd.Series, says_status: bool) -> list[str]:
    notes = []
    if without.any():
        what = text.loc[without, "phase"].where(text.loc[without, "type"] == "", text.loc[without, "type"])
        most = what.value_counts()
        shown = "; ".join(f"{word or 'not said'} {n:,}" for word, n in most.head(SHOWN).items())
        more = f"; and {len(most) - SHOWN} more kinds" if len(most) > SHOWN else ""
        notes.append(f"{int(without.sum()):,} schools have no code of phase here: {shown}{more}.")
    if not says_status:
        notes.append("The list does not say which schools are open.")
    return notes


def _words(part: str) -> dict[str, str]:
    return {bare(word): code for code, words in _data()[part].items() for word in words}


@cache
def _data() -> dict[str, Any]:
    return packaged_yaml("jsna.sources", "schools.yml")
