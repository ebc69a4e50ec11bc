"""The SEND lists of an inspection: a workbook with pupils with a plan (List_1) and on SEN support (List_2)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.synthetic.files import people
from jsna.synthetic.files.census import censuses
from jsna.synthetic.files.extracts import Source, exclusions
from jsna.synthetic.files.output import Row, Tables, write_workbook
from jsna.synthetic.files.people import chance, iso, spread
from jsna.synthetic.files.plans import NEVER, OUTSIDE, reviews
from jsna.synthetic.files.schools import urns
from jsna.synthetic.files.sen2 import rows_of

_PLAN_DATES = ("Date initial EHC plan issued", "Date updated EHC plan issued", "Date EHC plan last reviewed")
DATES = ("Date of birth", *_PLAN_DATES)
_COUNTS = ("Suspensions", "Permanent exclusions")


def annex_a_tables(source: Source) -> Tables:
    """``List_1`` (21 columns) and ``List_2`` (17 columns) as text with ISO dates, as at the last census."""
    return {"List_1": _with_plan(source), "List_2": _on_support(source)}


def _with_plan(source: Source) -> pd.DataFrame:
    year = int(censuses()[-1].year)
    r = rows_of(source.plans, year)
    r = r[r["active"]].reset_index(drop=True)
    number, start = r["person"].to_numpy(), r["start"].to_numpy().astype("datetime64[D]")
    born = r["born"].to_numpy().astype("datetime64[D]")
    meeting, letter, outcome = reviews(number, year)
    reviewed = start < meeting - 180
    outside, without = number >= OUTSIDE, (number >= OUTSIDE) & (r["age"] < 5).to_numpy()
    placed = r["urn"].fillna("")
    first = {
        "Unique ID": np.char.mod("%07d", number),
        "UPN": np.where(without, "", people.upns(number, people.birth_years(born))),
        "ULN": np.where(r["age"] >= 14, people.ulns(number), ""),
        "Date of birth": iso(born),
        "Gender": r["sex"],
        "Ethnicity": r["ethnicity"],
        "Date initial EHC plan issued": iso(start),
        "Date updated EHC plan issued": iso(np.where(reviewed & (outcome == "A"), letter + 40, NEVER)),
        "Date EHC plan last reviewed": np.where(reviewed, iso(letter), ""),
        "SEN primary need": r["need1"],
        "Main education establishment – URN": np.where(outside & ~without, "900990", placed),
        "Main education establishment – phase": r["phase"].fillna("").str.capitalize(),
        "Subsidiary education establishment – phase (dual registration)": "",
        "Elective home education": "N",
    }
    return _with_rest(source, first, number)


def _on_support(source: Source) -> pd.DataFrame:
    rows = source.census(len(censuses()) - 1)
    rows = rows[rows["sen_provision"] == "K"].reset_index(drop=True)
    number, age = rows["number"].to_numpy(), rows["age"].to_numpy("int64")
    year = int(censuses()[-1].time_period[:4])
    first = {
        "Unique ID": np.char.mod("%07d", number),
        "UPN": people.upns(number, year - age),
        "ULN": np.where(age >= 14, people.ulns(number), ""),
        "Date of birth": iso(people.birth_dates(number, np.full(len(rows), year), age)),
        "Gender": rows["sex"].astype("str"),
        "Ethnicity": rows["ethnicity"].astype("str"),
        "SEN primary need": rows["primary_need"].astype("str"),
        "Main education establishment – URN": urns(rows["school_urn"]),
        "Main education establishment – phase": rows["school_phase"].astype("str").str.capitalize(),
        "Subsidiary education establishment – phase (dual registration)": "",
    }
    return _with_rest(source, first, number)


def _with_rest(source: Source, first: dict[str, object], number: np.ndarray) -> pd.DataFrame:
    events = exclusions(source)["exclusions"]
    ids = pd.Series(number).map(source.identities)
    counts = {c: events.loc[events["category"] == c, "person_id"].value_counts() for c in ("SUSP", "PERM")}
    known = chance(number, 171) < 0.12
    team = np.array(["Disabled children", "Assessment", "Looked after"], dtype=object)[spread(number, 172, 3)]
    rest = {
        "Suspensions": ids.map(counts["SUSP"]).fillna(0).astype("int64"),
        "Permanent exclusions": ids.map(counts["PERM"]).fillna(0).astype("int64"),
        "Absence": np.char.mod("%.1f", 12 * chance(number, 173)),
        "Pupil Premium": np.where(chance(number, 174) < 0.35, "Y", "N"),
        "Known to children's social care?": np.where(known, "Y", "N"),
        "Which children's social care team?": np.where(known, team, ""),
        "Does the child or young person have a disability?": np.where(chance(number, 175) < 0.4, "Y", "N"),
    }
    return pd.DataFrame(first | rest).fillna("").astype("str")


def write_annex_a(path: Path, made: Tables) -> Path:
    """The workbook; dates and numbers are cells of their kind."""
    return write_workbook({name: _rows(frame) for name, frame in made.items()}, path)


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    yield list(frame.columns)
    yield from zip(*(_cells(frame[c], c) for c in frame), strict=True)


def _cells(column: pd.Series, name: str) -> list[object]:
    if name in DATES:
        return [datetime.date.fromisoformat(t) if t else None for t in column]
    if name in _COUNTS:
        return [int(t) for t in column]
    return [t or None for t in column]
