"""Chapters 05 and 06 on official files, cell by cell, for a town, a city, a county and a borough with much country.

What they show is held against the raw files, read here by the csv module alone.
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import re
from collections import Counter

import pytest

from jsna.area import Area
from jsna.codes import code_list
from jsna.errors import SourceError
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.params import Params
from jsna.sources.folder import OfficialFolder

# Wards in the ONS list of 2024, and in Kent the districts.
AREAS = {"E06000032": 20, "E08000032": 30, "E10000016": 255, "E06000055": 28}
CHAPTERS = ("05-deprivation", "06-wards")
LEAST_ALT = 80  # characters: what is drawn, with its highest and lowest value


def _text(folder, name):
    return gzip.decompress(next(folder.rglob(name)).read_bytes()).decode("utf-8-sig")


def _rows(folder, name):
    return list(csv.DictReader(io.StringIO(_text(folder, name))))


@pytest.fixture(scope="module")
def raw(official_data):
    """What the files say, by authority: the codes of its districts, LSOAs, wards and children."""
    lsoas = {r["lsoa21_code"]: r for r in _rows(official_data, "lookup_lsoa21_ward24_ltla24.csv.gz")}
    # The districts of LSOAs come from another file than the chapters take them from.
    changes = _rows(official_data, "lookup_lsoa11_lsoa21_ltla22.csv.gz")
    codes = _rows(official_data, "la_all_codes.csv.gz")
    people = _rows(official_data, "census21_pop_lsoa21_agegroup.csv.gz")
    young = [r for r in people if r["age_group"] == "Aged 15 years and under"]
    children = {r["lsoa21_code"]: int(r["usual_residents"]) for r in young}
    made = {}
    for code in AREAS:
        districts = {r["LADCD"] for r in codes if code in (r["LADCD"], r["UTLACD"]) and r["LADCD"] == r["LADCD_ACTIVE"]}
        own = {r["lsoa21_code"] for r in changes if r["ltla22_code"] in districts}
        made[code] = {
            "districts": districts,
            "lsoas": own,
            "old_lsoas": {r["lsoa11_code"] for r in changes if r["ltla22_code"] in districts},
            "wards": {lsoas[c]["ward24_code"] for c in own},
            "children": sum(children[c] for c in own),
        }
    return made


@pytest.fixture(scope="module")
def shown(repository, official_data):
    """Every exhibit of every official cell of the chapters, by authority and id; each file is read once for all."""
    folder = OfficialFolder(official_data)
    areas = {code: Area(Params(areas=[code], source="official")) for code in AREAS}
    for area in areas.values():
        area.__dict__["official"] = folder
    return {code: _run(repository, area) for code, area in areas.items()}


def _run(repository, area):
    made = [value for name in CHAPTERS for value in _values(repository / "notebooks" / f"{name}.ipynb", area)]
    flat = [e for value in made for e in (value.items if isinstance(value, Exhibits) else (value,))]
    assert len({e.id for e in flat}) == len(flat)
    return {e.id: e for e in flat}


def _values(path, area):
    """The last value of each official cell, run in order after the cell of imports."""
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    names = {"area": area}
    for cell in cells:
        body = ast.parse("".join(cell["source"])).body
        _execute([line for line in body if isinstance(line, ast.ImportFrom)], names)
        if "needs-official" in cell["metadata"].get("tags", []):
            _execute(body[:-1], names)
            yield eval(compile(ast.Expression(body[-1].value), path.name, "eval"), names)


def _execute(lines, names):
    exec(compile(ast.Module(lines, type_ignores=[]), "cell", "exec"), names)


def _table(exhibit):
    return list(csv.DictReader(io.StringIO(exhibit.table_csv)))


@pytest.mark.parametrize("code", AREAS)
def test_every_exhibit_has_its_words_and_its_table_or_says_why_not(shown, code):
    assert len(shown[code]) >= 10
    for e in shown[code].values():
        assert isinstance(e, Exhibit)
        words = " ".join([e.title, e.alt, e.body, *e.notes])
        assert not re.search(r"\bnan\b|\bNone\b|<NA>", words), e.id
        if e.kind in ("map", "chart"):
            assert e.svg
            assert len(e.alt) > LEAST_ALT, e.id
        if e.kind in ("map", "chart", "table"):
            assert _table(e), e.id
            assert all(v for row in _table(e) for v in row.values()), f"{e.id}: an empty cell"
            assert e.source, e.id
        elif e.kind == "notice":
            assert e.notes, f"{e.id}: no way to mend it is named"
        else:
            assert e.kind == "finding"
            assert e.title.endswith(".")


@pytest.mark.parametrize("code", AREAS)
def test_only_what_is_embedded_for_luton_alone_is_missing_elsewhere(shown, code):
    notices = {i for i, e in shown[code].items() if e.kind == "notice"}
    assert notices == (set() if code == "E06000032" else {"wards-approximate"})


@pytest.mark.parametrize(("code", "number"), AREAS.items())
def test_wards_and_children_are_those_of_the_files(shown, raw, code, number):
    rows = _table(shown[code]["wards-deprivation-table"])
    assert len(rows) == number == len(raw[code]["wards"])
    assert len({r["Ward"] for r in rows}) == number
    assert sum(int(r["Children aged 0 to 15 (Census 2021)"]) for r in rows) == raw[code]["children"]
    assert f"{raw[code]['children']:,}" in shown[code]["wards-deprivation"].notes[0]
    assert len(_table(shown[code]["wards-deprivation-map"])) == number


@pytest.mark.parametrize("code", AREAS)
def test_no_small_area_is_lost(shown, raw, code):
    """LSOAs in = LSOAs out + reported; in the publishers' files none has to be reported."""
    assert not any("are left out" in note for e in shown[code].values() for note in e.notes)
    share = [float(r["% of small areas (LSOAs)"]) for r in _table(shown[code]["deprivation-deciles-bars"])]
    total = len(raw[code]["lsoas"])
    assert sum(round(s * total / 100) for s in share) == total
    assert f"of {total} small areas" in shown[code]["deprivation-deciles"].title
    editions = _table(shown[code]["deprivation-editions"])
    assert sum(int(r["IMD 2025, LSOAs of 2021"]) for r in editions) == total
    assert sum(int(r["IMD 2019, LSOAs of 2011"]) for r in editions) == len(raw[code]["old_lsoas"])


@pytest.fixture(scope="module")
def published(official_data):
    """DWP's table, a list a ward: authority, its code, ward, its code, two numbers, two shares."""
    rows = csv.reader(io.StringIO(_text(official_data, "4_AHC_Relative_Ward.csv.gz")))
    return [r for r in rows if len(r) == 8 and r[3].startswith("E05")]


@pytest.mark.parametrize("code", AREAS)
def test_children_of_low_income_families_are_dwps_figures_ward_by_ward(shown, raw, published, code):
    own = [r for r in published if r[1] in raw[code]["districts"]]
    plain = [[r[4].replace(",", ""), r[6].rstrip("%"), r[5].replace(",", ""), r[7].rstrip("%")] for r in own]
    rows = _table(shown[code]["wards-low-income-table"])
    assert sorted(list(row.values())[-4:] for row in rows) == sorted(plain)
    assert {r[3] for r in own} == raw[code]["wards"]


def test_the_published_figure_of_a_ward_of_luton(shown):
    # DWP, Children in low income families, Table 4: Beech Hill, 2,318 (55.9%) and 2,289 (55.2%).
    row = next(r for r in _table(shown["E06000032"]["wards-low-income-table"]) if r["Ward"] == "Beech Hill")
    assert list(row.values())[1:] == ["2318", "55.9", "2289", "55.2"]
    assert "from 21.9% in Wigmore to 55.4% in Biscot" in shown["E06000032"]["wards-low-income"].title


def test_wards_of_a_county_that_share_a_name_are_told_apart_and_grouped_by_district(shown, raw, published):
    kent = shown["E10000016"]
    rows = _table(kent["wards-deprivation-table"])
    districts = [r["District"] for r in rows]
    assert districts == sorted(districts)
    own = [r for r in published if r[1] in raw["E10000016"]["districts"]]
    again = {name for name, times in Counter(r[2] for r in own).items() if times > 1}
    assert again == {"Town", "Roman"}
    expected = {f"{r[2]} ({r[0]})": r[0] for r in own if r[2] in again}
    assert {r["Ward"]: r["District"] for r in rows if r["Ward"] in expected} == expected
    by_district = _table(kent["wards-deprivation-districts"])
    assert len(by_district) == 12
    assert sum(int(r["Wards"]) for r in by_district) == 255
    assert "wards-deprivation-districts" not in shown["E06000032"]


def test_figures_by_small_area_and_dwps_are_in_no_table_together(shown):
    for found in shown.values():
        for e in found.values():
            head = e.table_csv.split("\n", 1)[0]
            assert not ("Census 2021" in head and "year ending" in head)


def test_every_small_area_of_england_belongs_to_one_authority(official_data):
    """Files of different years name Barnsley, North Yorkshire and others by different codes."""
    folder = OfficialFolder(official_data)
    districts = folder.lsoa_ward().frame["district_code"]
    owners = Counter()
    for code in code_list("local_authority").index:
        owners.update(districts.index[districts.isin(folder.districts_of(code))])
    english = districts[districts.str.startswith("E")]
    assert set(owners) == set(english.index)
    assert set(owners.values()) == {1}
    with pytest.raises(SourceError, match="E99000001"):
        folder.districts_of("E99000001")
