"""The carriers of SEN2: XML, blade CSV, the Excel template, the pre-submission workbook, the module CSVs."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from jsna.synthetic import SyntheticArea
from jsna.synthetic.files import people
from jsna.synthetic.files.output import (
    Row,
    Tables,
    children_of,
    element_of,
    elements,
    respelt_dates,
    write_csv,
    write_text,
    write_workbook,
)
from jsna.synthetic.files.plans import Plans, plans
from jsna.synthetic.files.sen2 import DATES, PARENT, YEARS, collection
from jsna.synthetic.files.sen2_names import ELEMENT, MODULES, SHEETS, TEMPLATE, XML_AFTER, XML_BEFORE, XML_HEADER

Plant = Callable[[Tables], None]
XML, BLADE, TEMPLATE_FORM = "sen2_xml", "sen2_blade", "sen2_template"
PRE_SUBMISSION, MODULE_CSV = "sen2_presubmission", "sen2_modules"
FORMS = (XML, BLADE, TEMPLATE_FORM, PRE_SUBMISSION, MODULE_CSV)
_NUMBERS = ("tableid", "rank", "indicator", "mediation", "tribunal", "week20", "rya", "pb", "oa", "urn", "year")


def plans_of(area: SyntheticArea) -> Plans:
    """The histories of plans of an area; see ``jsna.synthetic.files.plans``."""
    return plans(area.pupils.assign(entered=people.entry_dates(area.pupils)), area.ehc_cases)


def write_sen2(folder: Path, form: str, area: SyntheticArea, plant: Plant) -> list[Path]:
    """Write the returns of 2023 to 2026 in ``form``. Defects go into the latest return alone."""
    histories, paths = plans_of(area), []
    for year in YEARS:
        made = collection(histories, year)
        if year == YEARS[-1]:
            plant(made)
        paths.extend(_WRITERS[form](folder, year, made))
    return paths


def _xml(folder: Path, year: int, made: Tables) -> list[Path]:
    header = made["sen2"]
    details = elements(header, (("Collection", "collection"), ("Year", "year"), ("ReferenceDate", "referencedate")))
    source = elements(header, XML_HEADER)
    about = element_of("CollectionDetails", details) + element_of("Source", source)
    persons = _nested(made, "person", year)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<Message>\n', *element_of("Header", about), "\n<Persons>\n"]
    return [write_text([*parts, *persons, "</Persons>\n</Message>\n"], folder / f"sen2_{year}.xml")]


def _nested(made: Tables, table: str, year: int) -> np.ndarray:
    """Each row of a table as an element with its children of all depths within."""
    frame = made.get(table, pd.DataFrame())
    if not len(frame):
        return np.array([], dtype=object)
    text = elements(frame, XML_BEFORE[table])
    for child, parent in PARENT.items():
        if parent == table and child in made:
            key = f"{table}tableid"
            text = text + children_of(frame[key], made[child][key], _nested(made, child, year))
    text = text + elements(frame, _after(table, year))
    name, end = ELEMENT[table], "\n" if table == "person" else ""
    return f"<{name}>" + text + f"</{name}>{end}"


def _after(table: str, year: int) -> Iterable[tuple[str, str]]:
    """Elements after the children; in 2025 alone the date of the last review stood right after the meeting."""
    names = XML_AFTER.get(table, ())
    if table == "activeplans" and year == 2025:
        return (names[0], names[-1], *names[1:-1])
    return names


def _blade(folder: Path, year: int, made: Tables) -> list[Path]:
    paths = []
    for name, frame in made.items():
        dates = {d: respelt_dates(frame[d], "blade") for d in DATES if d in frame}
        path = folder / str(year) / f"Blade-Export_01-02-{year}_{name}.csv"
        paths.append(write_csv(frame.assign(**dates), path))
    return paths


def _keyed(made: Tables, table: str) -> pd.DataFrame:
    """A table with the ids of its person and its request, whichever table it hangs on."""
    frame, at = made[table], table
    while at != "person" and "persontableid" not in frame:
        parent = PARENT[at]
        key = f"{parent}tableid"
        upper = made[parent].drop_duplicates(key).set_index(key)
        for column in (c for c in upper if c.endswith("tableid") and c not in frame):
            frame = frame.assign(**{column: frame[key].map(upper[column]).fillna("")})
        at = parent
    return frame


def _template(folder: Path, year: int, made: Tables) -> list[Path]:
    """One sheet with blocks one below the other: a title, the headings, the rows, two empty rows."""
    path = folder / f"sen2_{year}_template.xlsx"
    return [write_workbook({"Data Entry Template": _blocks(made)}, path)]


def _blocks(made: Tables) -> Iterator[Row]:
    for table, (title, names) in TEMPLATE.items():
        frame = made["sen2"] if table == "sen2" else _keyed(made, table)
        names = [(heading, column) for heading, column in names if column in frame]
        yield [title]
        yield ["Record Type", *(heading for heading, _ in names)]
        for row in zip(*(_cells(frame[c], c, float) for _, c in names), strict=True):
            yield [ELEMENT.get(table, "Header"), *row]
        yield []
        yield []


def _cells(column: pd.Series, name: str, number: type) -> list[object]:
    """Text as spreadsheet cells: dates as dates, ids and flags as numbers, the time of the header as a serial."""
    if name == "datetime":
        first, day = datetime.datetime(1899, 12, 30), datetime.timedelta(days=1)
        return [(datetime.datetime.fromisoformat(t) - first) / day if t else None for t in column]
    known: dict[str, object] = {"": None}
    for text in column.unique():
        if name in DATES and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            known[text] = datetime.date.fromisoformat(text)
        elif name.endswith(_NUMBERS) and re.fullmatch(r"\d+", text):
            known[text] = number(text)
    return [known.get(text, text) for text in column]


def _pre_submission(folder: Path, year: int, made: Tables) -> list[Path]:
    """One sheet a table, short headings, joined by the ids of person and request on every sheet."""
    sheets = {sheet: _sheet(_keyed(made, table), table) for table, sheet in SHEETS.items()}
    return [write_workbook(sheets, folder / f"sen2_{year}_presubmission.xlsx")]


def _sheet(frame: pd.DataFrame, table: str) -> Iterator[Row]:
    keys = [c for c in ("persontableid", "requeststableid") if c in frame]
    own = [c for c in frame if not c.endswith(("tableid", "orderseqcolumn")) and c not in ("NativeId", "sourceid")]
    yield [*keys, *own]
    yield from zip(*(_cells(frame[c], c, int) for c in [*keys, *own]), strict=True)


def _modules(folder: Path, year: int, made: Tables) -> list[Path]:
    paths = []
    for module, (table, names) in MODULES.items():
        frame = _keyed(made, table)
        if table == "activeplans":
            frame = _with_first_of(_with_first_of(frame, made["placementdetail"]), made["senneed"])
        sex = {"sex": "gendercurrent"} if "gendercurrent" in frame else {}
        columns = {h: frame.get(sex.get(c, c), pd.Series("", index=frame.index)) for h, c in names}
        paths.append(write_csv(pd.DataFrame(columns).fillna(""), folder / str(year) / f"{module}.csv"))
    return paths


def _with_first_of(frame: pd.DataFrame, child: pd.DataFrame) -> pd.DataFrame:
    """Each plan with its first placement, or its first need: the tool keeps no more."""
    new = ["activeplanstableid", *(c for c in child if c not in frame)]
    return frame.merge(child[new].drop_duplicates("activeplanstableid"), on="activeplanstableid", how="left")


_WRITERS = {
    XML: _xml,
    BLADE: _blade,
    TEMPLATE_FORM: _template,
    PRE_SUBMISSION: _pre_submission,
    MODULE_CSV: _modules,
}
