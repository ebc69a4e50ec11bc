"""The carriers of the school census: blade CSV, XML, flat extracts of an authority, research extracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.synthetic.files.census import DATES, Census, blocks, censuses, tables
from jsna.synthetic.files.census_names import FLAT, PERIOD, SPELLINGS, XML_GROUPS
from jsna.synthetic.files.npd import npd_table
from jsna.synthetic.files.output import (
    Tables,
    children_of,
    element_of,
    elements,
    respelt_dates,
    write_csv,
    write_text,
)
from jsna.synthetic.files.schools import LA_NUMBER

Plant = Callable[[Tables], None]
BLADE, XML, XML_SCHOOLS, NPD = "census_blade", "census_xml", "census_xml_schools", "npd"
FLAT_FORMS = tuple(SPELLINGS)
FORMS = (BLADE, XML, XML_SCHOOLS, *FLAT_FORMS, NPD)


def write_census(folder: Path, form: str, seed: int, scale: float, plant: Plant) -> list[Path]:
    """Write the three censuses in ``form``, block after block, so that memory does not grow with ``scale``.

    Defects go into the latest census alone: the two before it stay clean and can be compared.
    """
    paths: dict[Path, None] = {}
    for number, block in enumerate(blocks(seed, scale)):
        for census in censuses():
            made = npd_table(block, census) if form == NPD else tables(block, census, number)
            if census == censuses()[-1]:
                plant(made)
            paths.update(dict.fromkeys(_write(form, folder, census, made, append=number > 0)))
    if form == XML:
        for path in paths:
            write_text(["</Schools></LALevel>\n</Message>\n"], path, append=True)
    return list(paths)


def _write(form: str, folder: Path, census: Census, made: Tables, *, append: bool) -> Iterable[Path]:
    if form == BLADE:
        return [_blade(folder / census.label, census, name, made[name], append=append) for name in made]
    if form == XML:
        return [_la_xml(folder / f"{census.label}.xml", census, made, append=append)]
    if form == XML_SCHOOLS:
        return _school_xml(folder / census.label, census, made)
    frame = made["npd"] if form == NPD else flat(made, form)
    name = f"npd_spr{census.year[2:]}.csv" if form == NPD else f"{census.label}.csv"
    return [write_csv(frame, folder / name, append=append)]


def _blade(folder: Path, census: Census, name: str, frame: pd.DataFrame, *, append: bool) -> Path:
    dates = {d: respelt_dates(frame[d], "blade") for d in DATES if d in frame}
    return write_csv(frame.assign(**dates), folder / f"{census.label}_{name}.csv", append=append)


def _la_xml(path: Path, census: Census, made: Tables, *, append: bool) -> Path:
    """All schools in one message of the authority, school by school."""
    source = f"<Source><SourceLevel>L</SourceLevel><LEA>{LA_NUMBER}</LEA></Source>"
    head = f"{_start(census)}{source}</Header>\n<LALevel><Schools>\n"
    pieces = (f"<School>{about}{pupils}</School>\n" for _, about, pupils in _by_school(made))
    return write_text([*([] if append else [head]), *pieces], path, append=append)


def _school_xml(folder: Path, census: Census, made: Tables) -> list[Path]:
    """One message a school, as the school itself returns it."""
    paths = []
    for (native, urn), about, pupils in _by_school(made):
        ids = f"<LEA>{native[:3]}</LEA><Estab>{native[3:]}</Estab><URN>{urn}</URN>"
        source = f"<Source><SourceLevel>S</SourceLevel>{ids}</Source>"
        text = [f"{_start(census)}{source}</Header>\n<School>{about}</School>\n{pupils}</Message>\n"]
        paths.append(write_text(text, folder / f"{native}_{census.label}.xml"))
    return paths


def _start(census: Census) -> str:
    details = f"<Collection>SC</Collection><Term>SPR</Term><Year>{census.year}</Year>"
    details = f"<CollectionDetails>{details}<ReferenceDate>{census.date}</ReferenceDate></CollectionDetails>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Message>\n<Header>{details}'


def _by_school(made: Tables) -> Iterable[tuple[tuple[str, str], str, str]]:
    """For each school its numbers, the elements that describe it, and its pupils; blanks between pupils are lines."""
    header = made["schoolcensus"]
    school = header.merge(made["school"][["schoolcensustableid", "schoolname", "phase", "type"]])
    names = (("URN", "urn"), ("LEA", "lea"), ("Estab", "estab"), ("SchoolName", "schoolname"), ("Phase", "phase"))
    about = elements(school, (*names, ("Type", "type")))
    on_roll = _pupils(made, "pupilonroll", "PupilOnRoll", "PupilsOnRoll", school)
    left = np.full(len(school), "", dtype=object)
    if "pupilnolongeronroll" in made:
        left = _pupils(made, "pupilnolongeronroll", "PupilNoLongerOnRoll", "PupilsNoLongerOnRoll", school)
    keys = zip(school["NativeId"], school["urn"], strict=True)
    return zip(keys, about, "<Pupils>" + on_roll + left + "</Pupils>\n", strict=True)


def _pupils(made: Tables, table: str, element: str, group: str, school: pd.DataFrame) -> np.ndarray:
    pupil = made[table]
    text = np.full(len(pupil), "", dtype=object)
    for name, names in XML_GROUPS:
        content = elements(pupil, names)
        if table == "pupilonroll":
            content = content + _children(made, pupil, name)
        text = text + element_of(name, content)
    text = f"<{element}>" + text + f"</{element}>\n"
    text = children_of(school["schoolcensustableid"], pupil["schoolcensustableid"], text)
    return np.where(text == "", "", f"<{group}>\n" + text + f"</{group}>\n").astype(object)


def _children(made: Tables, pupil: pd.DataFrame, group: str) -> np.ndarray:
    text = np.full(len(pupil), "", dtype=object)
    for within, table, element, around, names in PERIOD:
        if within == group and table in made:
            child = made[table]
            rows = element_of(element, elements(child, names))
            joined = children_of(pupil["pupilonrolltableid"], child["pupilonrolltableid"], rows)
            text = text + (element_of(around, joined) if around else joined)
    return text


def flat(made: Tables, form: str) -> pd.DataFrame:
    """One row a pupil, in the headings, dates and yes-no words of ``form`` (see ``SPELLINGS``)."""
    spelling, pupil = SPELLINGS[form], made["pupilonroll"]
    key = pupil["pupilonrolltableid"]
    day = made["schoolcensus"]["referencedate"].iloc[0]
    address = made["addresses"].drop_duplicates("pupilonrolltableid").set_index("pupilonrolltableid")
    columns = {c: key.map(address[c]) for c in address if c in FLAT}
    columns |= {c: pupil[c] for c in pupil if c in FLAT}
    sex = "sex" if "sex" in pupil else "gender"
    for rank in ("1", "2"):
        rows = made["senneeds"]
        rows = rows[rows["sentyperank"].isin([rank, f"{rank}.0"])].drop_duplicates("pupilonrolltableid")
        columns[f"need{rank}"] = key.map(rows.set_index("pupilonrolltableid")["sentype"])
    columns |= {
        "sex": pupil[sex],
        "fsm": key.isin(_eligible(made["fsmperiod"], day)).map(dict(zip((True, False), spelling.yes_no, strict=True))),
        "age": _ages(pupil["dob"], day),
        "estab": pupil["NativeId"].str.slice(3),
        "laestab": pupil["NativeId"].str.slice(0, 3) + spelling.between + pupil["NativeId"].str.slice(3),
        "nativeid": pupil["NativeId"],
    }
    for flag in ("senunitindicator", "resourcedprovisionindicator"):
        columns[flag] = pupil[flag].map(dict(zip("10", spelling.yes_no, strict=True)))
    frame = pd.DataFrame(columns).fillna("").astype("str")
    for date in ("dob", "entrydate"):
        frame[date] = respelt_dates(frame[date], spelling.dates)
    both = {"Gender": pupil["gender"].to_numpy()} if {"sex", "gender"} <= set(pupil) else {}
    headings = {FLAT[c] if c not in spelling.headings else spelling.headings[c]: c for c in spelling.columns}
    if both:
        headings = {("Sex" if h == "Gender" else h): c for h, c in headings.items()}
    return pd.DataFrame({h: frame[c] for h, c in headings.items()}).assign(**both)


def _eligible(periods: pd.DataFrame, day: str) -> pd.Series:
    """Keys of pupils with a period that holds the census day; ISO dates compare as text."""
    on_day = (periods["fsmstartdate"] <= day) & ((periods["fsmenddate"] == "") | (periods["fsmenddate"] >= day))
    return periods.loc[on_day, "pupilonrolltableid"]


def _ages(birth: pd.Series, day: str) -> pd.Series:
    """Age at 31 August before the census, "" where the date of birth cannot be read."""
    date = pd.to_datetime(birth, format="%Y-%m-%d", errors="coerce")
    later = (date.dt.month >= 9).astype("float64")
    return (int(day[:4]) - 1 - date.dt.year - later).astype("Int64").astype("str").replace("<NA>", "")
