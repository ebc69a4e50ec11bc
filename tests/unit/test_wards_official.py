"""Wards on made-up official files: what is not known is reported, never counted as something else."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from jsna.area import Area
from jsna.chapters import official, wards_official
from jsna.errors import SourceError
from jsna.params import Params

KENT = "E10000016"
LSOAS = [f"E0100000{i}" for i in range(1, 7)]
PLACES = pd.DataFrame(
    {
        "lsoa": LSOAS,
        "ward_code": ["E05000001", "E05000001", "E05000002", "E05000003", "E05000003", "E05000009"],
        "district_code": ["E07000105", "E07000105", "E07000105", "E07000106", "E07000106", "E07000999"],
    }
)
NAMES = pd.DataFrame({"ward_code": ["E05000001", "E05000002", "E05000003"], "ward_name": ["Town", "Mill", "Town"]})
DISTRICTS = pd.DataFrame({"la": ["E07000105", "E07000106"], "la_name": ["Ashford", "Canterbury"]})


def folder(**frames):
    """A stand-in for the folder of official files: two districts, three wards, five small areas, and one elsewhere."""
    made = {
        "lsoa_ward": PLACES,
        "idaci": pd.DataFrame({"lsoa": LSOAS, "decile": [1, 5, 2, 10, 1, 1]}),
        "children": pd.DataFrame({"lsoa": LSOAS, "children": [100, 300, 50, 20, 60, 999]}),
        "ward_names": NAMES,
        "la_codes": DISTRICTS,
    } | frames
    summary = SimpleNamespace(file="a file", publisher="DWP", source="a table", period="2025")
    sources = {k: lambda f=f: SimpleNamespace(frame=f, summary=summary) for k, f in made.items()}
    return SimpleNamespace(districts_of=lambda code: ["E07000105", "E07000106"], **sources)


def kent(**frames):
    area = Area(Params(areas=[KENT], source="official"))
    area.__dict__["official"] = folder(**frames)
    return area


def test_wards_of_several_districts_by_hand():
    table = wards_official.by_deprivation(kent())
    assert table.frame[["district", "label", "children", "deprived"]].values.tolist() == [
        ["Ashford", "Mill", 50, 50],
        ["Ashford", "Town (Ashford)", 400, 100],
        ["Canterbury", "Town (Canterbury)", 80, 60],
    ]
    assert table.frame["percent"].tolist() == [100, 25, 75]
    assert table.notes == ()


def test_a_small_area_without_decile_or_children_is_left_out_of_both_counts_and_reported():
    one = pd.DataFrame({"lsoa": LSOAS[1:], "decile": [5, 2, 10, 1, 1]})
    two = pd.DataFrame({"lsoa": [*LSOAS[:2], *LSOAS[3:]], "children": [100, 300, 20, 60, 999]})
    table = wards_official.by_deprivation(kent(idaci=one, children=two))
    rows = table.text().set_index("ward_code")
    assert rows.loc["E05000001", ["children", "deprived"]].tolist() == [300, 0]
    assert rows.loc["E05000002", ["children", "deprived", "percent"]].tolist() == ["x", "x", "x"]
    assert table.notes == ("2 of 5 small areas have no decile or number of children in the files and are left out.",)
    assert table.notes[0] in wards_official.deprivation_table(table, kent()).items[0].notes


def test_small_areas_by_decile_leave_out_and_report_one_without_a_decile():
    area = kent(idaci=pd.DataFrame({"lsoa": LSOAS[1:], "decile": [5, 2, 10, 1, 1]}))
    table = official.lsoas_by_decile(area)
    assert table.frame["areas"].sum() == 4
    assert table.frame["percent"].sum() == pytest.approx(100)
    assert "1 of 5 small areas have no IDACI decile" in table.notes[0]


def test_editions_report_small_areas_without_an_older_or_a_newer_decile():
    change = pd.DataFrame({"lsoa11": [*LSOAS[:2], LSOAS[3]], "lsoa": [*LSOAS[:2], LSOAS[3]], "change": "U"})
    deciles = pd.DataFrame({"lsoa": LSOAS[1:], "decile": [5, 2, 10, 1, 1]})
    shown = official.index_editions(kent(lsoa_change=change, imd_2019=deciles, imd_2025=deciles))
    counts = [line.split(",")[1:] for line in shown.table_csv.splitlines()[1:]]
    assert sum(int(old) for old, _ in counts) == 2
    assert sum(int(new) for _, new in counts) == 4
    assert any("no decile of 2019" in note for note in shown.notes)
    assert any("1 of 5 small areas have no decile of 2025" in note for note in shown.notes)


def test_a_lookup_without_the_authority_is_refused_with_its_name():
    with pytest.raises(SourceError, match="none of Kent"):
        wards_official.by_deprivation(kent(lsoa_ward=PLACES[PLACES["district_code"] == "E07000999"]))


def low_income(**changes):
    frame = {
        "ward": ["E05000001", "E05000003", "E05000002"],
        "ward_name": ["Town", "Town", "Mill"],
        "la": ["E07000105", "E07000106", "E07000105"],
        "children_2024": [30.0, 40.0, None],
        "children_2024_symbol": ["", "", "low"],
        "children_2025": [31.0, 41.0, 6.0],
        "percent_2024": [20.0, 30.0, None],
        "percent_2024_symbol": ["", "", "x"],
        "percent_2025": [21.0, 31.0, None],
        "percent_2025_symbol": ["", "", "x"],
    }
    return pd.DataFrame(frame | changes)


def test_what_is_kept_back_keeps_its_symbol_and_nothing_is_worked_out():
    table = wards_official.low_income(kent(low_income_wards=low_income()))
    assert table.text().drop(columns="ward_code").values.tolist() == [
        ["Ashford", "Mill", "low", "x", 6, "x"],
        ["Ashford", "Town (Ashford)", 30, 20, 31, 21],
        ["Canterbury", "Town (Canterbury)", 40, 30, 41, 31],
    ]


def test_the_finding_names_lowest_and_highest_and_those_without_a_share(monkeypatch):
    monkeypatch.setattr(wards_official, "source_row", lambda loaded: {})
    area = kent(low_income_wards=low_income())
    said = wards_official.low_income_finding(wards_official.low_income(area), area)
    assert "from 21.0% in Town (Ashford) to 31.0% in Town (Canterbury)" in said.title
    assert "no share for 1 of 3 wards" in said.notes[0]


def test_a_table_without_the_authority_is_a_notice_that_later_cells_pass_on():
    area = kent(low_income_wards=low_income(la="E07000999"))
    missing = wards_official.low_income(area)
    assert missing.kind == "notice"
    assert "Kent" in missing.title
    assert wards_official.low_income_finding(missing, area) is missing
    assert wards_official.low_income_map(missing, area) is missing
