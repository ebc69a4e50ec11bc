"""The embedded area's places: every LSOA once, in a ward that has a shape, with figures in their range."""

import pandas as pd
import pytest

from geo.boundaries import compare_shapes, do_they_tile
from geo.errors import PlaceError
from geo.lookups import convert
from geo.places import LOOKUPS, SHAPES, embedded_lookup, embedded_lsoas, embedded_shapes, embedded_wards

COUNTS = {"lsoa21": 125, "lsoa11": 121, "ward23": 20, "ward17": 19}
# LSOAs of 2011 that were split, with their parts.
SPLIT = {
    "E01015741": ["E01033801", "E01033802"],
    "E01015794": ["E01033803", "E01033804", "E01033805"],
    "E01015791": ["E01033806", "E01033807"],
}


def test_every_lsoa_is_there_once_with_nothing_missing():
    places = embedded_lsoas()
    assert len(places) == 125
    assert places["lsoa21"].is_unique
    assert places["lsoa21"].is_monotonic_increasing
    assert not places.isna().any(axis=None)


@pytest.mark.parametrize("column", ["idaci_2025_decile", "imd_2025_decile", "imd_2019_decile"])
def test_deciles_run_from_1_to_10(column):
    assert embedded_lsoas()[column].between(1, 10).all()


def test_a_lower_idaci_rank_never_has_a_higher_decile():
    assert embedded_lsoas().sort_values("idaci_2025_rank")["idaci_2025_decile"].is_monotonic_increasing


def test_the_wards_of_the_table_are_those_of_the_map():
    places, wards = embedded_lsoas(), embedded_wards()
    assert sorted(places["ward_code"].unique()) == sorted(wards["ward_code"]) == [f"E050147{n}" for n in range(35, 55)]
    names = places.drop_duplicates("ward_code").set_index("ward_code")["ward_name"].to_dict()
    assert wards.set_index("ward_code")["ward_name"].to_dict() == names


def test_the_shapes_are_valid_in_metres_and_of_the_size_of_the_borough():
    wards = embedded_wards()
    assert wards.crs.to_epsg() == 27700
    assert wards.geometry.is_valid.all()
    assert wards.area.sum() / 1e6 == pytest.approx(43.35, rel=0.02)


def test_the_wards_for_maps_keep_their_columns():
    assert embedded_wards().columns.tolist() == ["ward_code", "ward_name", "geometry"]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_set_of_shapes_is_whole_named_and_marked_as_approximate(kind):
    shapes = embedded_shapes(kind)
    assert shapes.columns.tolist() == ["code", "name", "geometry", "approximate"]
    assert len(shapes) == COUNTS[kind] == shapes["code"].nunique()
    assert shapes["approximate"].all()
    assert (shapes["name"] != "").all()
    assert shapes.geometry.is_valid.all()
    assert shapes.crs.to_epsg() == 27700
    assert (shapes.attrs["kind"], shapes.attrs["vintage"]) == (kind[:-2], kind[-2:])


@pytest.mark.parametrize("kind", SHAPES)
def test_every_set_tiles_the_same_outer_boundary_to_the_last_metre(kind):
    tiling = do_they_tile(embedded_shapes(kind), embedded_shapes("lsoa11"), least_m2=1e-6)
    assert tiling.tiles, tiling.message
    assert embedded_shapes(kind).area.sum() == pytest.approx(43_279_485)


def test_unchanged_lsoas_have_the_same_shape_in_both_vintages_and_parts_fill_their_parent():
    found = compare_shapes(embedded_shapes("lsoa21"), embedded_shapes("lsoa11"))
    assert len(found.frame) == 118
    assert found.frame["differing_m2"].sum() == 0
    assert sorted(found.only_b) == sorted(SPLIT)
    new, old = (embedded_shapes(k).set_index("code").geometry for k in ("lsoa21", "lsoa11"))
    for parent, parts in SPLIT.items():
        assert new[parts].union_all().symmetric_difference(old[parent]).area == 0
        assert new[parts].area.max() / new[parts].area.min() < 1.01


def test_the_old_wards_are_those_before_may_2023():
    old = embedded_shapes("ward17").set_index("code")["name"]
    assert sorted(old.index) == [f"E05002{n}" for n in range(193, 212)]
    new = set(embedded_shapes("ward23")["name"])
    assert {"Crawley", "Icknield", "Limbury"} <= set(old) - new
    assert {"Beech Hill", "Central", "Poets", "Vauxhall"} == new - set(old)


def test_other_shapes_and_lookups_are_refused_by_name():
    with pytest.raises(PlaceError, match="lsoa21, lsoa11"):
        embedded_shapes("msoa21")
    with pytest.raises(PlaceError, match="lsoa11 to lsoa21"):
        embedded_lookup("msoa21", "ward23")


@pytest.mark.parametrize(("source", "target"), LOOKUPS)
def test_every_lookup_covers_the_whole_area(source, target):
    lookup = embedded_lookup(source, target)
    assert (str(lookup.source), str(lookup.target)) == (source, target)
    expected = {**COUNTS, "msoa21": 22, "la23": 1, "la17": 1}
    assert len(lookup.sources) == expected[source]
    assert len(lookup.targets) == expected[target]


def test_only_split_areas_are_estimated_on_the_way_to_2021():
    rows = embedded_lookup("lsoa11", "lsoa21").rows
    assert rows[rows["estimated"]].groupby("source")["target"].agg(list).to_dict() == SPLIT
    assert not embedded_lookup("lsoa21", "lsoa11").rows["estimated"].any()
    assert not embedded_lookup("lsoa21", "ward17").rows["estimated"].any()


def test_children_by_best_fit_are_those_of_the_facts():
    places = embedded_lsoas()
    made = convert(places, embedded_lookup("lsoa21", "ward23"), code="lsoa21", values=["children_0_15"], whole=True)
    by_ward = made.frame.set_index("target")["children_0_15"]
    assert (by_ward["E05014739"], by_ward["E05014740"], by_ward.sum()) == (1280, 4669, 52567)
    assert made.estimated_share == {"children_0_15": 0.0}


def test_old_wards_to_new_is_mostly_an_estimate():
    old = embedded_lookup("ward17", "ward23")
    counts = pd.DataFrame({"ward": old.sources, "n": 100})
    made = convert(counts, old, code="ward", values=["n"], whole=True)
    assert made.frame["n"].sum() == 1900
    assert made.estimated_share["n"] == pytest.approx(14 / 19)


def test_a_caller_cannot_change_the_lookup_of_the_next():
    rows = embedded_lookup("lsoa11", "lsoa21").rows
    rows["weight"] = 0
    assert embedded_lookup("lsoa11", "lsoa21").rows["weight"].sum() == pytest.approx(121)


def test_a_caller_cannot_change_the_table_of_the_next():
    places = embedded_lsoas()
    places["lsoa21"] = "changed"
    assert embedded_lsoas().loc[0, "lsoa21"] == "E01015693"
