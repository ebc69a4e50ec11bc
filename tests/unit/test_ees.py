"""Files of Explore Education Statistics: identifiers, kinds of columns, symbols, and every row accounted for."""

from __future__ import annotations

import gzip
import zipfile

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsna.sources.ees import read_ees, read_meta, read_release
from jsna.sources.ees_release import data_files
from jsna.sources.ees_specs import find_spec, known_files, symbol_meanings

PLACES = "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
HEADER = PLACES + "new_la_code,la_name,lad_code,lad_name,school_urn,school_name,sen_provision,year_group,pupils,rate"
ENGLAND = "202526,Academic year,{},E92000001,England"
EAST = f"{ENGLAND},E12000006,East of England,821,E06000032,Luton"
LEVELS = [
    f"{ENGLAND.format('National')},,,,,,,,,,Total,7,900,3.5",
    f"{ENGLAND.format('Regional')},E13000002,Outer London,,,,,,,,Total,7,90,z",
    f"{EAST.format('Local authority')},,,,,Total,7,c,x",
    f"{EAST.format('Local authority district')},E06000032,Luton,,,Total,7,5,low",
    f"{EAST.format('School')},,,900001,Made-up,Total,7,5,u",
]


def written(folder, text, name="pupils.csv"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.fixture
def levels(tmp_path):
    return read_ees(written(tmp_path, "\n".join([HEADER, *LEVELS])))


def test_each_level_has_code_and_name_from_its_own_columns(levels):
    assert levels.frame[["area_code", "dfe_number", "area_name"]].values.tolist() == [
        ["E92000001", "", "England"],
        ["E13000002", "", "Outer London"],
        ["E06000032", "821", "Luton"],
        ["E06000032", "821", "Luton"],
        ["900001", "821", "Made-up"],
    ]
    assert "London stands as Inner and Outer London." in levels.summary.notes


def test_a_year_group_of_digits_stays_a_filter_and_counts_are_floats(levels):
    frame = levels.frame
    assert frame["year_group"].tolist() == ["7"] * 5
    assert frame["pupils"].dtype == frame["rate"].dtype == "float64"
    assert frame["pupils_symbol"].tolist() == ["", "", "c", "", ""]
    assert frame["rate_symbol"].tolist() == ["", "z", "x", "low", "u"]


def test_metadata_decide_what_is_a_filter(tmp_path):
    meta = "col_name,col_type,label\npupils,Filter,Pupils\nrate,Indicator,Rate\n"
    written(tmp_path, meta, "pupils.meta.csv")
    frame = read_ees(written(tmp_path, "\n".join([HEADER, *LEVELS]), "pupils.csv.gz")).frame
    assert frame["pupils"].tolist() == ["900", "90", "c", "5", "5"]
    assert frame["rate"].dtype == "float64"
    assert read_meta(tmp_path / "pupils.meta.csv").frame["kind"].tolist() == ["filter", "indicator"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_release_in_a_folder_or_a_zip_reads_alike(tmp_path, kind):
    text = "\n".join([HEADER, *LEVELS])
    folder = tmp_path / "release"
    (folder / "data").mkdir(parents=True)
    written(folder / "data", text, "one.csv")
    written(folder / "data", text, "two.csv")
    written(folder / "data", "a,b\n1,2\n", "other.csv")
    path = folder
    if kind == "zip":
        path = tmp_path / "release.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted((folder / "data").iterdir()):
                archive.write(file, f"data/{file.name}")
    assert data_files(path) == ["one", "two"]
    assert {name: len(part.frame) for name, part in read_release(path).items()} == {"one": 5, "two": 5}


def test_misspelt_columns_get_their_right_names(tmp_path):
    header = PLACES + "new_la_code,la_name,breakdown_topic,breakdown,Personal_Budget,org_arrangments"
    row = "202425,Academic year,National,E92000001,England,,,,,,All personal budgets,All personal budgets,3,2"
    read = read_ees(written(tmp_path, f"{header}\n{row}"))
    assert read.frame.loc[0, ["personal_budget", "org_arrangements"]].tolist() == [3, 2]
    assert read.summary.source == "Education, health and care plans, reporting year 2025: personal_budgets"


def test_two_files_with_the_same_columns_are_told_apart_by_their_first_row():
    spec = known_files()["sen_needs_all_plans"]
    headings = [*spec.filters, *spec.needed]
    assert find_spec(headings, {"time_identifier": "Academic year"}) is spec
    assert find_spec(headings, {"time_identifier": "Calendar year"}) is known_files()["sen_need_newplans"]


def test_releases_that_differ_in_underscores_alone_are_told_apart():
    for key in ("sen2_mi_2022", "sen2_mi_2023"):
        assert find_spec(known_files()[key].needed) is known_files()[key]


@pytest.mark.parametrize("key", known_files())
def test_every_known_file_is_found_by_its_own_columns(key):
    spec = known_files()[key]
    found = find_spec([*spec.filters, *spec.needed, *spec.words], spec.told_by)
    assert found is spec


@pytest.mark.parametrize(
    ("guidance", "swapped"),
    [
        ("x - unavailable", {}),
        ("‘z’ Not available.", {"z": "x"}),
        ("~ Suppressed", {"~": "c"}),
        (": Not applicable", {":": "z"}),
        ("c = confidential\nlow: rounds to zero", {}),
        ("x axis of the chart shows years", {}),
    ],
)
def test_meanings_of_symbols_are_read_off_the_guidance(guidance, swapped):
    assert symbol_meanings(guidance) == swapped


cells = st.sampled_from(["1", "1,234", "12%", "z", "x", "c", "low", "", "<5", "*"])
periods = st.sampled_from(["202526", "2025/26", "202527", "2025", ""])
level_words = st.sampled_from(["National", "Local authority", "LA", "Borough"])
groups = st.sampled_from(["a", "b", "c", "d", "e"])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(periods, level_words, groups, cells, st.booleans()), min_size=1, max_size=12))
def test_rows_in_are_rows_out_and_rows_reported(tmp_path, rows):
    header = PLACES + "new_la_code,la_name,group,pupils"
    sure = "202526,Academic year,National,E92000001,England,,,,,,sure,1"
    lines = [header, sure]
    for period, level, group, cell, is_ragged in rows:
        quoted = f'"{cell}"' if "," in cell else cell
        line = f"{period},Academic year,{level},E92000001,England,,,821,E06000032,Luton,{group},{quoted}"
        lines.append(f"{line},more" if is_ragged else line)
    read = read_ees(written(tmp_path, "\n".join(lines)))
    s = read.summary
    assert s.rows_read == len(rows) + 1 == s.rows_kept + s.rows_refused
    listed = read.quarantine[read.quarantine["column"] != "pupils"]
    assert len(listed) == s.rows_refused
    symbols = read.frame.get("pupils_symbol", pd.Series("", index=read.frame.index))
    assert read.frame["pupils"].isna().tolist() == (symbols != "").tolist()
    ids = ["time_period", "geographic_level", "area_code", "group"]
    assert not read.frame.duplicated(ids).any()
