"""The embedded area's places: every LSOA once, in a ward that has a shape, with figures in their range."""

import pytest

from geo.places import embedded_lsoas, embedded_wards


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


def test_shapes_of_two_wards_hardly_overlap():
    wards = embedded_wards()
    assert wards.area.sum() - wards.union_all().area < 10_000


def test_a_caller_cannot_change_the_table_of_the_next():
    places = embedded_lsoas()
    places["lsoa21"] = "changed"
    assert embedded_lsoas().loc[0, "lsoa21"] == "E01015693"
