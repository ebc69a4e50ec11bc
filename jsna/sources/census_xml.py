"""School Census as XML: a school's return or an authority's file, whatever the nesting."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import sha256_of, together
from jsna.files.values import dates
from jsna.files.xml_records import Record, records
from jsna.sources.census_tables import eligible_on, needs_by_rank
from jsna.sources.identity import is_identifier
from jsna.sources.pupil_table import RAW, Raw

FORM = "School Census, XML"
MARKER = "pupilidentifiers"
LEAVERS = "pupilnolongeronroll"
AROUND = frozenset(["referencedate", "lea", "la", "estab", "urn", "phase", "term", "collection"])
SINGLE = {
    "upn": "upn",
    "dob": "dob",
    "sex": "sex",
    "gender": "sex",
    "ethnicity": "ethnicity",
    "language": "language",
    "ncyearactual": "nc_year",
    "enrolstatus": "enrolment_status",
    "senprovision": "sen_provision",
    "senunitindicator": "sen_unit",
    "resourcedprovisionindicator": "resourced_provision",
    "postcode": "postcode",
}
OUTSIDE = {"lea": "la", "la": "la", "estab": "laestab", "urn": "urn", "phase": "phase", "referencedate": "census_date"}


def read_xml(path: Path) -> Raw:
    """A census in XML as raw columns; the index is the line at which a pupil begins.

    Every element that holds pupil identifiers is a pupil, at any depth and in any namespace; school, authority and day
    are those of the nearest header or school before it. Leavers are counted in a note. Elements that name or locate a
    person are skipped by the parser. Raises ``SourceError`` for a file without pupils, and for another collection.
    """
    columns: dict[str, list[str]] = {name: [] for name in (*dict.fromkeys(SINGLE.values()), *OUTSIDE.values())}
    lines: list[int] = []
    needs: list[tuple[int, str, str]] = []
    meals: list[tuple[int, str, str]] = []
    leavers, collection = 0, ""
    for record in records(path, MARKER, skip=is_identifier, around=AROUND):
        collection = record.around.get("collection", collection)
        if LEAVERS in record.inside:
            leavers += 1
            continue
        place = len(lines)
        lines.append(record.line)
        _add(columns, record)
        needs += _pairs(record, place, "sentype", "sentyperank")
        meals += _pairs(record, place, "fsmstartdate", "fsmenddate")
    if collection not in ("", "SC"):
        raise SourceError(
            Problem("This is not a School Census.", where=path.name, value=collection, expected="Collection SC")
        )
    if not lines:
        raise SourceError(
            Problem("No pupils were found in the file.", where=path.name, expected="elements with PupilIdentifiers")
        )
    frame = pd.DataFrame(columns)
    ranked, lost = _ranked(needs)
    frame = frame.join(ranked).fillna({"need1": "", "need2": ""})
    frame["fsm"] = _meals(meals, frame)
    frame.index = pd.Index(lines)
    # Pupils that begin on one line (a file without line breaks) still need places of their own.
    if not frame.index.is_unique:
        frame.index = pd.MultiIndex.from_arrays([range(len(lines)), lines])
    notes = [f"{leavers:,} pupils no longer on roll are not counted."] if leavers else []
    notes += [f"{lost:,} types of need beyond the second were passed over."] if lost else []
    return Raw(
        frame=frame,
        file=pd.Series(path.name, index=frame.index),
        rows_read=len(frame),
        quarantine=together([]),
        form=FORM,
        sha256=sha256_of(path),
        lacks=frozenset(set(RAW) - set(frame)),
        notes=tuple(notes),
    )


def _add(columns: dict[str, list[str]], record: Record) -> None:
    found = dict.fromkeys(columns, "")
    for leaf, name in OUTSIDE.items():
        found[name] = record.around.get(leaf, "") or found[name]
    for leaf, name in SINGLE.items():
        values = record.leaves.get(leaf)
        if values:
            found[name] = values[0]
    for name, values in columns.items():
        values.append(found[name])


def _pairs(record: Record, place: int, first: str, second: str) -> list[tuple[int, str, str]]:
    """Two leaves that stand side by side in one element, each time they do; the second may be missing."""
    sides = (group for groups in record.groups.values() for group in groups if first in group)
    return [(place, group[first], group.get(second, "")) for group in sides]


def _ranked(needs: list[tuple[int, str, str]]) -> tuple[pd.DataFrame, int]:
    table = pd.DataFrame(needs, columns=["pupil", "need", "rank"])
    ranked, lost = needs_by_rank(table["pupil"].astype("str"), table["rank"].astype("str"), table["need"].astype("str"))
    ranked.index = ranked.index.astype("int64")
    return ranked, lost


def _meals(meals: list[tuple[int, str, str]], frame: pd.DataFrame) -> pd.Series:
    table = pd.DataFrame(meals, columns=["pupil", "start", "end"]).astype({"start": "str", "end": "str"})
    day, _ = dates(frame["census_date"])
    eligible = eligible_on(day, table["pupil"], table["start"], table["end"])
    return pd.Series("0", index=frame.index).mask(frame.index.isin(eligible), "1")
