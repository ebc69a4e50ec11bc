"""School Census as XML: a school's return or an authority's file, whatever the nesting."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import refused, sha256_of, together
from jsna.files.values import dates
from jsna.files.xml_records import Record, records
from jsna.sources.census_tables import (
    FURTHER_HOMES,
    LEAVERS_TALLY,
    PERIOD_MEND,
    THIRD,
    TROUBLE_MENDS,
    eligible_on,
    needs_by_rank,
)
from jsna.sources.gathered import vocabulary
from jsna.sources.identity import masked, shown
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, XML"
MARKER = "pupilidentifiers"
LEAVERS = frozenset(["pupilnolongeronroll", "pupilsnolongeronroll"])
PUPILS = ("pupilonroll", "pupilnolongeronroll")
SCOPES = ("header", "school")
AROUND = frozenset(["referencedate", "lea", "la", "estab", "laestab", "urn", "phase", "term", "collection"])
# The later of two leaves fills the earlier where that is empty.
SINGLE = {
    "upn": "upn",
    "dob": "dob",
    "sex": "sex",
    "gender": "gender",
    "ethnicity": "ethnicity",
    "language": "language",
    "ncyearactual": "nc_year",
    "enrolstatus": "enrolment_status",
    "senprovision": "sen_provision",
    "senunitindicator": "sen_unit",
    "resourcedprovisionindicator": "resourced_provision",
    "postcode": "postcode",
    "fsmeligible": "fsm",
}
OUTSIDE = {
    "lea": "la",
    "la": "la",
    "laestab": "laestab",
    "estab": "laestab",
    "urn": "urn",
    "phase": "phase",
    "referencedate": "census_date",
}
NEED, MEAL = ("sentype", "sentyperank"), ("fsmstartdate", "fsmenddate")
LEAVES = frozenset([*SINGLE, *NEED, *MEAL])
# From so many pupils without any period of free meals on, the export has left the periods out.
SILENT = 30
SEN2 = "A SEN2 return belongs under sen2: in the params file."
AGAIN = "Export the School Census of January again, for all schools."


def read_xml(path: Path) -> Raw:
    """A census in XML (plain or gzipped) as raw columns; the index is the line at which a pupil begins.

    Every element that holds pupil identifiers is a pupil, at any depth and in any namespace; school, authority and day
    are those of the header or school that the pupil stands under. Leavers are counted in a note. Only the elements that
    are wanted are kept, so no name or address is. Raises ``SourceError`` for a file without pupils, and for another
    collection or term.
    """
    names = dict.fromkeys([*SINGLE.values(), *OUTSIDE.values()])
    columns: dict[str, list[str]] = {name: [] for name in names}
    lines: list[int] = []
    needs: list[tuple[int, str, str]] = []
    meals: list[tuple[int, str, str]] = []
    leavers, homes, met = 0, 0, Counter()
    for record in records(path, MARKER, leaves=LEAVES, around=AROUND, scopes=SCOPES, elements=PUPILS):
        met[record.around.get("collection", ""), record.around.get("term", "")] += 1
        if not LEAVERS.isdisjoint(record.inside):
            leavers += 1
            continue
        place = len(lines)
        lines.append(record.line)
        _add(columns, record)
        needs += _pairs(record, place, *NEED)
        meals += _pairs(record, place, *MEAL)
        homes += max(len(record.leaves.get("postcode", ())) - 1, 0)
    _census(path, met, len(lines))
    frame = pd.DataFrame(columns, dtype="str")
    ranked, aside = _ranked(needs, lines, path.name)
    frame = frame.join(ranked).fillna({"need1": "", "need2": ""})
    frame["fsm"], periods = _meals(meals, frame, lines, path.name)
    frame.index = pd.Index(lines)
    # Pupils that begin on one line (a file without line breaks) still need places of their own.
    if not frame.index.is_unique:
        frame.index = pd.MultiIndex.from_arrays([range(len(lines)), lines])
    return Raw(
        frame=frame,
        file=pd.Series(path.name, index=frame.index),
        rows_read=len(frame),
        quarantine=together([aside, periods]),
        form=FORM,
        sha256=sha256_of(path),
        lacks=frozenset(set(RAW) - set(frame)),
        notes=("In XML, rows are the lines of the file.",),
        tallies={LEAVERS_TALLY: leavers, FURTHER_HOMES: homes},
    )


def _census(path: Path, met: Counter, pupils: int) -> None:
    """Raise ``SourceError`` for another collection, another term, and a file without pupils."""
    # Without a pupil no header has been met on the way: it is looked for, to say what the file is.
    head = next(records(path, "collection", leaves=frozenset(["collection", "term"])), None) if not met else None
    told = head.leaves if head else {}
    met = met or Counter({(told.get("collection", [""])[0], told.get("term", [""])[0]): 1})
    for collection, term in met:
        if collection.upper() not in ("", "SC"):
            raise SourceError(
                Problem(
                    "This is not a School Census.",
                    where=path.name,
                    value=f"Collection {collection[:10]}",
                    expected="Collection SC",
                    mend=SEN2 if collection.upper().startswith("SEN") else AGAIN,
                )
            )
        if term.upper() not in ("", "SPR"):
            raise SourceError(
                Problem(
                    "This is not a January census: types of need and ethnicity are in the January return alone.",
                    where=path.name,
                    value=f"Term {term[:10]}",
                    expected="Term SPR",
                    mend="Bring the spring census, taken on the third Thursday of January, and take this one out.",
                )
            )
    if not pupils:
        raise SourceError(
            Problem(
                "No pupils on roll were found in the file.",
                where=path.name,
                expected="elements with PupilIdentifiers",
                mend=AGAIN,
            )
        )


def _add(columns: dict[str, list[str]], record: Record) -> None:
    leaves, around = record.leaves, record.around
    for name, (inside, outside) in _ways().items():
        text = ""
        for leaf in inside:
            if not text and leaf in leaves:
                text = next(filter(None, leaves[leaf]), "")
        for leaf in outside:
            text = text or around.get(leaf, "")
        columns[name].append(text)


@cache
def _ways() -> dict[str, tuple[list[str], list[str]]]:
    """For each column, the leaves within a record and around it that fill it."""
    names = dict.fromkeys([*SINGLE.values(), *OUTSIDE.values()])
    return {n: ([k for k, v in SINGLE.items() if v == n], [k for k, v in OUTSIDE.items() if v == n]) for n in names}


def _pairs(record: Record, place: int, first: str, second: str) -> list[tuple[int, str, str]]:
    """Two leaves that stand side by side in one element, each time they do; the second may be missing."""
    if first not in record.leaves:
        return []
    sides = (group for groups in record.groups.values() for group in groups if first in group)
    return [(place, group[first], group.get(second, "")) for group in sides]


def _ranked(needs: list[tuple[int, str, str]], lines: list[int], where: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = pd.DataFrame(needs, columns=["pupil", "need", "rank"]).astype({"need": "str", "rank": "str"})
    ranked, trouble = needs_by_rank(table["pupil"], table["rank"], table["need"])
    at = pd.Series(lines, dtype="int64").reindex(table["pupil"]).set_axis(table.index)
    cells = {c: shown(table[c], vocabulary()) for c in ("need", "rank")}
    parts = []
    for rule, mend in TROUBLE_MENDS.items():
        which = trouble == rule
        column, leaf = ("need", "sentype") if rule == THIRD else ("rank", "sentyperank")
        parts.append(refused(where, at[which], leaf, cells[column][which], rule, mend))
    return ranked, together(parts)


def _meals(
    meals: list[tuple[int, str, str]], frame: pd.DataFrame, lines: list[int], where: str
) -> tuple[pd.Series, pd.DataFrame]:
    """Whether each pupil is eligible on the day: by the periods, or as an older file says; "" where none is told."""
    table = pd.DataFrame(meals, columns=["pupil", "start", "end"]).astype({"start": "str", "end": "str"})
    if table.empty and len(frame) >= SILENT:
        return frame["fsm"], together([])
    day, _ = dates(frame["census_date"])
    eligible, trouble = eligible_on(day, table["pupil"], table["start"], table["end"])
    at = pd.Series(lines, dtype="int64").reindex(table["pupil"]).set_axis(table.index)
    cells = masked(table["start"])
    parts = [
        refused(where, at[trouble == rule], "fsmstartdate", cells[trouble == rule], rule, PERIOD_MEND)
        for rule in trouble.unique()
        if rule
    ]
    inside = pd.Series("0", index=frame.index).mask(frame.index.isin(eligible), "1")
    return frame["fsm"].mask(frame["fsm"] == "", inside), together(parts)
