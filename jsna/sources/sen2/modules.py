"""The sector tool's CSVs m1 to m5: known by their headings, matched by alias and never by the whole list of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from jsna.errors import Problem, SourceError
from jsna.files.result import together
from jsna.files.text import TextTable
from jsna.sources.sen2.carried import Carried, Part, empty, link_by_person_and_request, wide_aliases
from jsna.sources.sen2.layout import find_columns, tables

MODULES = ("person", "requests", "assessment", "namedplan", "activeplans")
# Tables that have no file of their own: their columns stand in the file of the table above, if anywhere.
LINKS = ("_person", "_request")
WITHIN = {"namedplan": ("plandetail",), "activeplans": ("placementdetail", "senneed")}


def module_of(headings: Sequence[str]) -> str:
    """The table that a CSV of the sector tool holds: it has a Person ID and most columns of this one; "" for none.

    >>> module_of(["Person ID", "Request Records ID", "EHC Plan Start Date", "Reason EHC Plan Ceased"])
    'namedplan'
    """
    scores = {t: find_columns(headings, wide_aliases(t)).columns for t in MODULES}
    if "_person" not in scores["person"]:
        return ""
    own = {t: len(set(found) - set(LINKS)) for t, found in scores.items()}
    # Residence and work-based learning stand in two modules: the transfer and the start date decide.
    if "last_review" in scores["activeplans"] or "transfer_la" in scores["activeplans"]:
        own["namedplan"] = 0
    best = max(own, key=lambda t: own[t])
    return best if own[best] >= 2 else ""


def read_modules(files: Mapping[str, tuple[str, TextTable]], where: str) -> Carried:
    """The return from the tool's CSVs, ``{table: (name for messages, text)}``. It has no header and no table ids.

    Placements and needs are read where columns of theirs stand in the files of plans, which not every version has.
    Raises ``SourceError`` when the persons or the requests are not there.
    """
    lacking = [t for t in ("person", "requests") if t not in files]
    if lacking:
        raise SourceError(
            *(
                Problem("A CSV of the sector tool is not there.", where=where, expected=f"the table {t}")
                for t in lacking
            )
        )
    frames: dict[str, pd.DataFrame] = {}
    strange: list[str] = []
    for table, (_, text) in files.items():
        inside = {t: find_columns(list(text.frame.columns), wide_aliases(t)).columns for t in _tables_in(table)}
        claimed = {heading for columns in inside.values() for heading in columns.values()}
        found = find_columns(list(text.frame.columns), wide_aliases(table))
        strange += [f"{h} (in {table})" for h in found.strange if h not in claimed]
        frames |= _split(text.frame, table, inside)
    once = {
        t: f.drop_duplicates() if set(_tables_in(t)) & set(frames) - {t} or t not in MODULES else f
        for t, f in frames.items()
    }
    repeated = sum(len(frames[t]) - len(f) for t, f in once.items())
    linked = link_by_person_and_request(once)
    asides = {t: text.quarantine for t, (_, text) in files.items()}
    names = {inner: name for t, (name, _) in files.items() for inner in _tables_in(t)}
    parts = {
        t: Part(
            linked.get(t, empty(t)),
            names.get(t, f"{where}, {t}"),
            len(linked.get(t, ())) + len(asides.get(t, ())),
            asides.get(t, together([])),
        )
        for t in tables()
    }
    notes = ["This form has no ids for plans and placements: these are linked by person and request."]
    if repeated:
        notes.append(f"{repeated:,} rows repeat a plan, placement or need for another of its parts; each counts once.")
    return Carried(
        form="modules",
        reason="its CSVs have the headings of the sector tool's modules, with a Person ID",
        parts=parts,
        missing=tuple(t for t in MODULES if t not in files),
        strange=tuple(strange),
        notes=tuple(notes),
        never=tuple(t for t in tables() if t not in MODULES and t not in frames),
    )


def _tables_in(table: str) -> tuple[str, ...]:
    return (table, *WITHIN.get(table, ()))


def _split(text: pd.DataFrame, table: str, inside: Mapping[str, Mapping[str, str]]) -> dict[str, pd.DataFrame]:
    """The rows of one CSV as those of its own table and of those within it; a column goes to the first that has it."""
    frames, taken = {}, set()
    for name, columns in inside.items():
        own = {c: h for c, h in columns.items() if c not in LINKS and h not in taken}
        taken |= set(own.values())
        links = {c: h for c, h in columns.items() if c in LINKS}
        both = {**links, **own}
        frame = text[list(both.values())].set_axis(list(both), axis="columns")
        if name == table:
            frames[name] = frame
        elif own:
            frames[name] = frame[(frame[list(own)] != "").any(axis="columns")]
    return frames
