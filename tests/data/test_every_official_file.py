"""Every file of the official folder is told by its headings, read, and its rows counted again by other means."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import time
import zipfile
from contextlib import closing
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from lxml import etree
from pyarrow import parquet

from geo.boundaries import Boundaries
from jsna.sources.recognise_official import read_official, recognise

FOLDER = Path(os.environ.get("JSNA_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
FILES = sorted(p for p in FOLDER.rglob("*") if p.is_file() and p.suffix != ".md") if FOLDER.is_dir() else []
# Where the pack's list counts something else than rows of the file, what it is and what the file has.
LISTED_OTHERWISE = {
    "sn_may_2025.xlsx": (163, "with blank rows; 158 authorities have neighbours"),
    "stat neighbours.csv": (11, "rows, the last of them empty; each is 153 cells"),
    "Area_SEND_inspection_data_01_May_2016_to_31_August_2022.ods": (150, "with the headings; 149 inspections"),
}
pytestmark = pytest.mark.skipif(not FILES, reason="no official files: set JSNA_DATA to the folder that holds them")


@cache
def read(path):
    started = time.process_time()
    loaded = read_official(path)
    return loaded, time.process_time() - started


def parts(path):
    loaded, _ = read(path)
    return loaded if isinstance(loaded, dict) else {path.name: loaded}


def text_rows(content):
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return [row for row in rows if any(cell.strip() for cell in row)]


def plain_rows(content):
    return len(text_rows(content)) - 1


def after_heading(content, cell):
    rows = text_rows(content)
    return len(rows) - 1 - next(i for i, row in enumerate(rows) if cell in row)


def appeals_rows(content):
    """Authorities and the two totals, times eleven years and the second rate of the last."""
    rows = [r for r in text_rows(content)[3:] if any(re.fullmatch(r"\s*[\d,]+\s*", c) for c in r[2:])]
    return len(rows) * 12


def workbook_cells(path, sheet):
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        return list(book[sheet or book.sheetnames[0]].iter_rows(values_only=True))


def lsoa_rows(path):
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        sheets = [s for s in book if s.title not in ("Notes", "Contents")]
        return max(sum(str(r[0]).startswith("E01") for r in s.iter_rows(values_only=True, max_col=1)) for s in sheets)


def ods_rows(path):
    name = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    with zipfile.ZipFile(path) as archive:
        tree = etree.fromstring(archive.read("content.xml"))
    table = next(t for t in tree.iter(f"{name}table") if t.get(f"{name}name").startswith("Area_SEND"))
    return sum("".join(r.itertext()).startswith("Ofsted LA Webpage") for r in table.iter(f"{name}table-row"))


@cache
def counted(path):
    """Rows by part, without a reader of the workbench."""
    name, ending = path.name, path.suffix
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = {Path(m).stem: archive.read(m) for m in archive.namelist() if m.endswith(".csv")}
        return {
            ("tribunal" if "Tribunal" in k else k): (appeals_rows(c) if "Tribunal" in k else plain_rows(c))
            for k, c in members.items()
        }
    if ending == ".parquet":
        return {name: parquet.ParquetFile(path).metadata.num_rows}
    if ending == ".geojson":
        return {name: len(json.loads(path.read_bytes())["features"])}
    if ending == ".ods":
        return {name: ods_rows(path)}
    if name.startswith("sn_may"):
        rows = workbook_cells(path, "LA SN Groups")
        return {name: sum(10 for r in rows if isinstance(r[0], (int, float)) and r[0] >= 200)}
    if name == "la_code_list.xlsx":
        return {name: len(workbook_cells(path, None)) - 1}
    if ending == ".xlsx":
        return {name: lsoa_rows(path)}
    content = gzip.decompress(path.read_bytes()) if ending == ".gz" else path.read_bytes()
    if "AHC_Relative" in name:
        return {name: after_heading(content, "Area Code")}
    if name == "stat neighbours.csv":
        return {name: sum(bool(c.strip()) for row in text_rows(content)[1:] for c in row)}
    return {name: plain_rows(content)}


def listed():
    """File name -> rows, as the pack's own list has them; of a zip, the rows of all its data files."""
    found = {}
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        rows = re.match(r"([\d,]+)", cells[4]) if len(cells) > 6 else None
        if rows and cells[0].startswith("`"):
            found[cells[0].strip("`").rpartition("/")[2]] = int(rows[1].replace(",", ""))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_file_is_told_by_its_headings_and_has_a_reader(path):
    found = recognise(path)
    assert found.kind, f"{path.name} has no reader: {found.reason}"
    assert found.title
    assert found.reason


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_rows_are_those_of_another_count_and_none_is_lost(path):
    loaded = parts(path)
    again = counted(path)
    assert set(loaded) == set(again)
    for name, part in loaded.items():
        s = part.summary
        assert s.rows_read == again[name], name
        assert s.rows_read == s.rows_kept + s.rows_refused
        assert s.rows_kept == len(part.frame)
        # A refused row is listed; refused cells may be too.
        assert len(part.quarantine) >= s.rows_refused
        assert s.publisher or "columns of a data file" in s.source
        assert isinstance(part, Boundaries) or not any("is it a part" in note for note in s.notes), s.notes


def test_the_packs_own_list_of_rows_holds():
    rows = listed()
    assert len(rows) >= 75
    names = {p.name: p for p in FILES}
    wrong = {}
    for name, listed_rows in rows.items():
        if name not in names:
            continue
        again = counted(names[name])
        total = sum(n for part, n in again.items() if part not in ("tribunal", "sen2_dmo_dco"))
        if name in LISTED_OTHERWISE:
            assert listed_rows == LISTED_OTHERWISE[name][0]
        elif total != listed_rows:
            wrong[name] = (listed_rows, total)
    assert wrong == {}
    assert set(rows) >= set(names)


def test_what_is_refused_in_the_whole_pack_is_known():
    refused = {
        name: part.summary.rows_refused for p in FILES for name, part in parts(p).items() if part.summary.rows_refused
    }
    assert refused == {
        "boundaries_wards22_england.parquet": 1,
        "4_AHC_Relative_Ward.csv.gz": 1,
        "2_AHC_Relative_LA.csv.gz": 1,
    }


def test_symbols_are_kept_apart_from_noughts_as_the_list_counts_them():
    by_name = {p.name: p for p in FILES}
    children = parts(by_name["sen_la.csv.gz"])["sen_la.csv.gz"].frame
    symbols = children.filter(like="_symbol").stack().value_counts()
    assert (symbols["c"], symbols["z"]) == (25677, 844)
    england = parts(by_name["sen_national.csv.gz"])["sen_national.csv.gz"].frame.filter(like="_symbol").stack()
    assert (england.value_counts()["c"], england.value_counts()["low"]) == (50, 1)
    release = parts(by_name["education-health-and-care-plans_2025.zip"])
    caseload = release["caseload"].frame.filter(like="_symbol").stack()
    # Counted in the published file with the csv module; the pack's list says 53,883.
    assert caseload.value_counts()["x"] == 103269
    assert any("1717 rows have a number below nought" in n for n in release["annual_reviews"].summary.notes)


def test_london_and_misfitting_periods_are_named():
    by_name = {p.name: p for p in FILES}
    single = parts(by_name["sen_need_newplans.csv.gz"])["sen_need_newplans.csv.gz"]
    assert any("9832 rows have a period that their identifier does not fit" in n for n in single.summary.notes)
    assert {"E13000001", "E13000002"} <= set(single.frame["area_code"])
    release = parts(by_name["education-health-and-care-plans_2025.zip"])
    assert release["sen_need_newplans"].frame["time_period"].unique().tolist() == ["2024"]
    assert "E12000007" in set(release["caseload"].frame["area_code"])


def test_figures_of_luton_are_those_of_the_published_files():
    by_name = {p.name: p for p in FILES}

    def frame(name, part=""):
        return parts(by_name[name])[part or name].frame

    release = "education-health-and-care-plans_2025.zip"
    appeals = frame(release, "tribunal").query("area_code == 'E06000032' and year == '2024'").set_index("basis")
    assert appeals.loc["as published", ["appeals", "decisions", "rate"]].tolist() == [28, 2842, 1.0]
    assert appeals.loc["in development", ["appeals", "decisions", "rate"]].tolist() == [28, 1855, 1.5]
    people = frame("population20_lsoa11_england.parquet")
    assert people.loc[people["area_name"].str.startswith("Luton"), "total"].sum() == 213528
    fsm = frame("spc_pupils_fsm_ethnicity_yrgp.csv.gz").query(
        "area_code == 'E06000032' and time_period == '201516' and phase_type_grouping == 'Total'"
    )
    # The denominator stands on every row of free school meals: one row a characteristic is taken.
    once = fsm.drop_duplicates(["characteristic_group", "characteristic"])
    totals = once.groupby("characteristic_group")["denominator"].sum().to_dict()
    assert totals == {"Ethnicity": 32947, "NC year group": 37980, "Total": 37980}
    both = [frame(n).query("area_code == 'E06000032'") for n in ("sn_may_2025.xlsx", "stat neighbours.csv")]
    assert both[0]["neighbour_name"].tolist() == both[1]["neighbour_name"].tolist()
    assert len(both[0]) == 10
    lait = frame("bds_long_0.parquet")
    assert (lait["symbol"] == "x").sum() == 93883
    assert lait.loc[lait["area_name"] == "Cumbria", "former_code"].unique().tolist() == ["E10000006"]
    assert lait["measure"].nunique() == 434 == frame("lait_data_dictionary.csv")["measure"].nunique()


def test_the_tables_of_the_dashboard_have_codes_where_they_were_published_without():
    by_name = {p.name: p for p in FILES}
    for name in (n for n in by_name if n.startswith("prepared_")):
        made = parts(by_name[name])[name].frame
        lacking = made[made["area_code"] == ""]
        assert lacking.empty, (name, sorted(lacking["area_name"].unique())[:5])


def test_extracts_of_the_census_add_up_to_their_own_totals():
    by_name = {p.name: p for p in FILES}
    for name in (
        "ethnicity21_lsoa21",
        "ethnicity21_msoa21",
        "disability21_lsoa21_ew",
        "household_deprivation21_lsoa21",
    ):
        made = parts(by_name[f"{name}.parquet"])[f"{name}.parquet"].frame
        areas = made.groupby("area_code").agg(parts=("n", "sum"), total=("total", "first"))
        assert (areas["parts"] - areas["total"]).abs().max() <= 1, name


def test_the_whole_pack_is_read_in_good_time():
    # Seconds of the processor: a busy machine is no fault of a reader.
    assert sum(read(p)[1] for p in FILES) < 90
