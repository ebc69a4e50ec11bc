"""The official boundary, lookup and index files, read whole: known answers of Luton and of England, and vintages."""

from pathlib import Path

import pandas as pd
import pytest

from geo.boundaries import Boundaries, compare_shapes, do_they_tile, match, simplify
from geo.errors import PlaceError
from geo.files import known_files, read_place_file, recognise, rows_of, ward_authorities
from geo.lookups import chain, convert, coverage
from geo.places import embedded_lookup, embedded_shapes
from geo.recoding import la_recoding
from geo.small_areas import best_fit, lsoa_changes, misplaced

LUTON = "E06000032"
# Luton's rows, or England's where the file has no authority: read off the published files.
ROWS = {
    "wards25": 6826,
    "wards22": 6903,
    "lsoa21": 33755,
    "msoa21": 6856,
    "ltla24": 296,
    "area_ward25": 20,
    "area_lsoa21": 125,
    "area_lsoa11": 121,
    "area_msoa21": 22,
    "lsoa21_ward24": 35672,
    "lsoa_change": 35795,
    "lsoa11_ward17": 34753,
    "msoa_change": 7201,
    "la_region": 296,
    "lsoa21_msoa21": 33755,
    "la_codes": 415,
    "ward_codes": 15729,
    "ward_hierarchy": 24629,
    "imd25_file1": 33755,
    "idaci25_file3": 33755,
    "imd25": 33755,
    "imd25_subdomains": 33755,
    "imd25_indicators": 33755,
    "imd25_districts": 296,
    "imd19": 32844,
    "imd19_subdomains": 32844,
    "low_income_ward": 8380,
    "low_income_la": 361,
}
ASIDE = {"wards22": 1, "low_income_ward": 1, "low_income_la": 1}


@pytest.fixture(scope="module")
def read(official_data):
    """A reader by key that reads each file once."""
    paths = [p for f in ("geography", "deprivation") for p in sorted(Path(official_data, f).rglob("*")) if p.is_file()]
    by_key = {recognise(path): path for path in paths}
    seen = {}

    def reader(key):
        if key not in seen:
            seen[key] = read_place_file(by_key[key])
        return seen[key]

    reader.keys = set(by_key)
    return reader


@pytest.fixture(scope="module")
def people(official_data):
    """Census 2021 children and residents by LSOA 2021, and residents of mid-2020 by LSOA 2011."""
    folder = Path(official_data, "population")
    ages = pd.read_csv(folder / "census21_pop_lsoa21_agegroup.csv.gz")
    all_ages = ages.groupby("lsoa21_code")["usual_residents"].sum()
    young = ages[ages["age_group"].str.contains("15")].groupby("lsoa21_code")["usual_residents"].sum()
    before = pd.read_parquet(folder / "population20_lsoa11_england.parquet").set_index("lsoa11_code")
    return {"children": young, "residents": all_ages, "before": before["total_population"]}


def test_every_file_of_both_folders_has_a_reader_and_every_reader_a_file(read):
    # File 7 is what users bring; the folder has the indices in other forms.
    brought = {"iod_file7_2019", "iod_file7_2025"}
    assert read.keys == set(known_files()) - brought == set(ROWS)


@pytest.mark.parametrize("key", ROWS)
def test_rows_in_are_rows_out_and_rows_reported(read, key):
    loaded = read(key)
    s = loaded.summary
    assert s.rows_kept == ROWS[key] == len(loaded.frame)
    assert s.rows_refused == ASIDE.get(key, 0) == len(loaded.quarantine)
    assert s.rows_read == s.rows_kept + s.rows_refused
    assert s.publisher
    assert s.licence
    assert len(s.sha256) == 64
    assert isinstance(loaded, Boundaries) == (known_files()[key]["form"] == "boundaries")
    assert not any("is it a part" in note for note in s.notes)


@pytest.mark.parametrize("key", [k for k in ROWS if known_files()[k]["form"] == "boundaries"])
def test_boundaries_are_canonical(read, key):
    boundaries = read(key)
    assert boundaries.frame.columns.tolist() == ["code", "name", "geometry"]
    assert boundaries.frame.crs.to_epsg() == 27700
    assert boundaries.frame["code"].is_unique
    assert boundaries.frame.geometry.is_valid.all()
    assert boundaries.summary.vintage == known_files()[key]["vintage"]


def test_low_income_has_both_area_codes_apart_and_symbols_kept(read):
    wards = read("low_income_ward").frame.set_index("ward")
    central = wards.loc["E05014739"]
    assert (central["la"], central["ward_name"], central["children_2025"], central["percent_2025"]) == (
        LUTON,
        "Central",
        1038,
        41.0,
    )
    city = wards.loc["E05009288"]
    assert (city["children_2024_symbol"], city["percent_2024_symbol"]) == ("low", "x")
    assert pd.isna(city["children_2024"])
    assert wards[wards["la"] == LUTON]["children_2025"].sum() == 22445
    assert read("low_income_la").frame.set_index("la").loc[LUTON, "children_2025"] == 22439
    assert read("low_income_ward").quarantine["value"].tolist() == ["K02000001"]


@pytest.mark.parametrize(
    ("key", "column", "deciles"),
    [
        ("imd25_file1", "IMD_decile", [17, 27, 20, 18, 12, 7, 6, 14, 4]),
        ("imd25", "IMD_decile", [17, 27, 20, 18, 12, 7, 6, 14, 4]),
        ("idaci25_file3", "IDACI_decile", [31, 32, 20, 15, 10, 8, 5, 3, 1]),
    ],
    ids=["File 1", "table", "IDACI"],
)
def test_deciles_of_luton_are_those_of_the_facts(read, key, column, deciles):
    own = rows_of(read(key), embedded_shapes("lsoa21")["code"], "lsoa21").frame
    assert own[column].value_counts().sort_index().tolist() == deciles


def test_imd_2019_is_on_lsoas_of_2011_and_never_loses_the_new_ones_in_silence(read):
    own = rows_of(read("imd19"), embedded_shapes("lsoa11")["code"], "lsoa11").frame
    assert own["IMD_decile"].value_counts().sort_index().tolist() == [4, 29, 18, 18, 21, 7, 9, 10, 5]
    with pytest.raises(PlaceError, match="7 of 125 codes are not in the file"):
        rows_of(read("imd19"), embedded_shapes("lsoa21")["code"], "lsoa11")


def test_the_hierarchy_has_one_row_a_ward_and_luton_made_25(read):
    frame = read("ward_hierarchy").frame
    assert len(frame[(frame["la"] == LUTON) & (frame["last_year"] == "2024")]) == 25
    now, doubles = ward_authorities(frame, 2024)
    assert (now["la"] == LUTON).sum() == 20
    assert doubles > 0
    before, _ = ward_authorities(frame, 2022)
    assert sorted(before.loc[before["la"] == LUTON, "ward"]) == sorted(embedded_shapes("ward17")["code"])
    with pytest.raises(PlaceError, match=r"1 wards have two authorities.*E05014284"):
        ward_authorities(frame, 2022, "district")


def test_ward_to_authority_to_region_crosses_counties(read):
    now, _ = ward_authorities(read("ward_hierarchy").frame, 2024)
    english = now[now["ward"].str.startswith("E")]
    to_la = best_fit(english.rename(columns={"ward": "ward24", "la": "la24"}), "ward24", "la24")
    regions = read("la_codes").frame.query("country == 'E92000001'")
    regions = regions.assign(la24=regions["upper_la"], region24=regions["region"])
    to_region = best_fit(regions, "la24", "region24")
    # Barnsley and Sheffield got new codes in 2025, which the list of authorities already has.
    with pytest.raises(PlaceError, match=r"misses 2 of 153 codes, such as E08000016, E08000019"):
        chain(to_la, to_region)
    made = chain(chain(to_la, la_recoding(to_la.targets, year=2025)), to_region)
    assert len(made.targets) == 9
    found = made.rows.set_index("source")["target"]
    assert found["E05014739"] == "E12000006"
    assert len(to_la.targets) == 153


def test_counts_of_england_are_kept_both_ways(read, people):
    changes = read("lsoa_change").frame
    changes = changes[changes["lsoa11"].str.startswith("E")]
    assert changes["change"].value_counts().loc["X"] == 9
    forward = lsoa_changes(changes, "lsoa21", people["residents"])
    counts = people["before"].rename("n").rename_axis("area").reset_index()
    made = convert(counts, forward, code="area", values=["n"], whole=True)
    assert made.frame["n"].sum() == people["before"].sum()
    assert (len(made.frame), len(made.unmatched), made.rows_estimated) == (33755, 0, 837)
    assert made.estimated_share["n"] == pytest.approx(0.048, abs=0.001)
    back = lsoa_changes(changes, "lsoa11", people["before"])
    counts = people["residents"].rename("n").rename_axis("area").reset_index()
    made = convert(counts, back, code="area", values=["n"])
    assert made.frame["n"].sum() == people["residents"].sum()
    assert (len(made.frame), made.rows_estimated) == (32844, 100)


def test_the_embedded_lookups_are_those_of_the_files(read, people):
    own = read("lsoa_change").frame.query("la22 == @LUTON")
    pd.testing.assert_frame_equal(
        lsoa_changes(own, "lsoa21", people["residents"]).rows.sort_values(["source", "target"], ignore_index=True),
        embedded_lookup("lsoa11", "lsoa21").rows.sort_values(["source", "target"], ignore_index=True),
        check_dtype=False,
    )
    fit = best_fit(read("lsoa21_ward24").frame.query("la24 == @LUTON"), "lsoa21", "ward24")
    assert dict(fit.rows[["source", "target"]].values) == dict(
        embedded_lookup("lsoa21", "ward23").rows[["source", "target"]].values
    )


def test_lookup_and_boundaries_of_two_years_are_told_apart(read):
    wards = read("lsoa21_ward24").frame["ward24"]
    found = match(wards[wards.str.startswith("E")], read("wards25"))
    assert len(found.data_only) == 326
    assert "Two vintages" in found.message
    old = best_fit(read("lsoa11_ward17").frame, "lsoa11", "ward17")
    missing = coverage(old, embedded_shapes("lsoa21")["code"])
    assert len(missing.missing) == 7
    assert "2021" in missing.message


def test_best_fit_misplaces_the_children_of_central(read, people):
    fit = best_fit(read("lsoa21_ward24").frame.query("la24 == @LUTON"), "lsoa21", "ward24")
    found = misplaced(fit, read("area_lsoa21").frame, read("area_ward25").frame, people["children"])
    wards = found.frame.set_index("code")
    # Best-fit and area-weighted children of Central, Farley and Poets as in the facts.
    assert wards.loc["E05014739", ["best_fit", "by_boundary"]].round().tolist() == [1280, 1993]
    assert wards.loc[["E05014742", "E05014747"], "by_boundary"].tolist() == pytest.approx([2976, 1995], abs=1)
    assert found.people == 52567
    assert found.share == pytest.approx(0.105, abs=0.001)
    assert wards["wrongly_in"].sum() == pytest.approx(wards["wrongly_out"].sum())
    implied = read("low_income_ward").frame.set_index("ward").loc["E05014739"]
    assert implied["children_2025"] / implied["percent_2025"] * 100 == pytest.approx(2532, abs=1)


@pytest.mark.parametrize(
    ("kind", "key", "share"),
    [("lsoa21", "area_lsoa21", 0.28), ("lsoa11", "area_lsoa11", 0.26), ("ward23", "area_ward25", 0.25)],
)
def test_approximate_shapes_lie_as_far_off_as_the_page_says(read, kind, key, share):
    found = compare_shapes(embedded_shapes(kind), read(key).frame)
    assert (found.only_a, found.only_b) == ((), ())
    assert found.differing_share == pytest.approx(share, abs=0.01)


def test_old_wards_by_best_fit_lie_off_the_official_ones(read):
    official = read("wards22").frame
    ours = embedded_shapes("ward17")
    found = compare_shapes(ours, official[official["code"].isin(ours["code"])])
    assert (found.only_a, found.only_b) == ((), ())
    assert found.differing_share == pytest.approx(0.14, abs=0.01)


def test_generalised_wards_of_england_tile_and_stay_so_when_simplified(read):
    simple = simplify(read("wards25").frame, 100)
    assert do_they_tile(simple).overlaps.empty
    assert simple.area.sum() == pytest.approx(read("wards25").frame.area.sum(), rel=0.01)


def test_super_generalised_lsoas_of_england_fail_to_meet_in_places(read):
    tiling = do_they_tile(read("lsoa21").frame)
    assert not tiling.tiles
    assert len(tiling.overlaps) < 20
    assert tiling.overlaps["area_m2"].max() < 5
