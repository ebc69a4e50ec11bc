"""Boundaries: what is recognised, what is refused, what is put aside; simplifying, tiling and comparing shapes."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from geo.boundaries import check_boundaries, compare_shapes, do_they_tile, match, read_boundaries, simplify
from geo.errors import PlaceError
from geo.kinds import Geography, clean_codes, code_columns, first_in_use, is_of_kind, kind_of_codes, likely_vintage

METRES = "EPSG:27700"
X, Y = 509_000, 222_000
CODES = ["E05014735", "E05014736", "E05014737", "E05014738"]
SQUARES = [box(X + i, Y + j, X + i + 100, Y + j + 100) for j in (0, 100) for i in (0, 100)]


def squares(**columns):
    return gpd.GeoDataFrame({"WD25CD": CODES, "WD25NM": list("abcd"), **columns}, geometry=SQUARES, crs=METRES)


def canonical(shapes=SQUARES, codes=None):
    return gpd.GeoDataFrame({"code": codes or CODES[: len(shapes)]}, geometry=list(shapes), crs=METRES)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["FID", "LSOA21CD", "LSOA21NM"], ("LSOA21CD", "LSOA21NM", "lsoa21")),
        (["lsoa21_name", "lsoa21_code"], ("lsoa21_code", "lsoa21_name", "lsoa21")),
        (["LSOA11CD", "LSOA11NM", "LSOA11NMW", "LADCD_ACTIVE"], ("LSOA11CD", "LSOA11NM", "lsoa11")),
        (["WD25CD", "WD25NM", "LAD25CD", "LAD25NM"], ("WD25CD", "WD25NM", "ward25")),
        (["ward22_name", "ward22_code"], ("ward22_code", "ward22_name", "ward22")),
        (["LAD24CD", "LAD24NM"], ("LAD24CD", "LAD24NM", "la24")),
        (["ltla24_code"], ("ltla24_code", "", "la24")),
        (["MSOA21CD"], ("MSOA21CD", "", "msoa21")),
        (["wd23cd", "wd23nmw"], ("wd23cd", "", "ward23")),
    ],
    ids=lambda v: str(v[0]),
)
def test_the_portals_and_rs_spellings_are_recognised(columns, expected):
    first = code_columns(columns)[0]
    assert (first.name, first.label, str(first.geography)) == expected


@pytest.mark.parametrize("columns", [["FID", "GlobalID"], ["LADCD_ACTIVE"], ["LSOA21NM"], ["WD25NMW"]], ids=str)
def test_other_columns_are_no_codes(columns):
    assert code_columns(columns) == []


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["E01015693", "W01000001"], "lsoa"),
        (["E02003264"], "msoa"),
        (["E05014735", "W05000001"], "ward"),
        (["E06000032", "E07000008", "E08000025", "E09000001"], "la"),
        (["E12000006"], "region"),
        (["LU1 2BQ", "x"], ""),
        ([], ""),
        (["E99999999"], ""),
    ],
    ids=str,
)
def test_a_kind_is_seen_by_its_codes(codes, kind):
    assert kind_of_codes(codes) == kind


def test_codes_are_trimmed_and_missing_ones_are_empty():
    assert clean_codes(pd.Series([" e01015693 ", None, float("nan"), ""])).tolist() == ["E01015693", "", "", ""]


def test_a_pseudo_code_is_of_no_kind():
    assert not is_of_kind(pd.Series(["E05999999", "E99999999"]), "lsoa").any()


def test_the_first_code_of_2021_is_where_lsoas_of_2021_begin():
    assert first_in_use(["E01033768", "E01033769", "W01001958", "W01001959"], "lsoa").tolist() == [
        "2011",
        "2021",
        "2011",
        "2021",
    ]
    assert likely_vintage(["E05002193"], "ward") == "2016 or before"
    assert likely_vintage([], "ward") == ""


def test_an_unknown_kind_is_named_with_the_nearest():
    with pytest.raises(PlaceError, match="Did you mean 'lsoa'"):
        Geography.of("lsoaa21")


@pytest.mark.parametrize("form", ["parquet", "gpkg", "geojson"])
def test_three_forms_read_alike(tmp_path, form):
    path = tmp_path / f"wards.{form}"
    raw = squares(LAD25CD="E06000032")
    if form == "parquet":
        raw.to_parquet(path)
    else:
        (raw if form == "gpkg" else raw.to_crs("EPSG:4326")).to_file(path)
    read = read_boundaries(path)
    assert (read.summary.kind, read.summary.vintage) == ("ward", "25") == (read.frame.attrs["kind"], "25")
    assert read.frame.columns.tolist() == ["code", "name", "geometry"]
    assert read.frame["code"].tolist() == CODES
    assert read.frame.crs.to_epsg() == 27700
    assert read.frame.area.tolist() == pytest.approx([1e4] * 4, rel=1e-4)
    assert len(read.quarantine) == 0


def test_the_asked_kind_wins_over_the_smallest():
    raw = squares(LAD25CD=["E06000032", "E06000032", "E06000055", "E06000056"])
    assert check_boundaries(raw).summary.kind == "ward"
    with pytest.raises(PlaceError, match="1 codes have more than one shape"):
        check_boundaries(raw, "la")
    joined = check_boundaries(raw, "la", dissolve=True)
    assert joined.frame["code"].tolist() == ["E06000032", "E06000055", "E06000056"]
    assert joined.frame.area.tolist() == [2e4, 1e4, 1e4]
    assert joined.quarantine["rule"].tolist() == ["another part of the same area, joined to the first"]


def test_a_canonical_frame_is_known_by_its_codes():
    read = check_boundaries(canonical())
    assert (read.summary.kind, read.summary.vintage) == ("ward", "23")
    assert "say 2023 or later" in " ".join(read.summary.notes)


def test_rows_without_shape_or_with_strange_codes_are_put_aside_and_counted():
    raw = squares()
    raw.loc[1, "geometry"] = None
    raw.loc[2, "WD25CD"] = "E01015693"
    raw = pd.concat([raw, raw.iloc[[0]]])
    read = check_boundaries(raw)
    assert read.frame["code"].tolist() == ["E05014735", "E05014738"]
    assert read.quarantine[["row", "rule"]].values.tolist() == [
        [2, "no shape"],
        [3, "not a code of a ward"],
        [5, "the same code with the same shape again"],
    ]
    assert read.summary.rows_read == read.summary.rows_kept + read.summary.rows_refused == 5


def test_a_crossing_ring_is_mended_and_named():
    raw = squares()
    bow = Polygon([(X, Y), (X + 100, Y + 100), (X + 100, Y), (X, Y + 100)])
    raw.loc[0, "geometry"] = bow
    read = check_boundaries(raw)
    assert read.repaired == ("E05014735",)
    assert read.frame.geometry.is_valid.all()
    assert "1 shapes had crossing rings" in " ".join(read.summary.notes)


def test_all_problems_are_told_at_once():
    raw = squares().set_crs("EPSG:4326", allow_override=True)
    raw["WD25CD"] = ["E05014735", "E05014735", "E01015693", "E01015694"]
    with pytest.raises(PlaceError) as caught:
        check_boundaries(raw)
    text = str(caught.value)
    assert "called degrees" in text
    assert "does not hold ward codes" in text
    assert "more than one shape" in text


def test_a_match_counts_rows_and_names_codes():
    read = check_boundaries(squares())
    found = match(["E05014735", "E05014735", None, "E05002193"], read)
    assert found.matched == ("E05014735",)
    assert found.data_only == ("E05002193",)
    assert found.boundaries_only == tuple(CODES[1:])
    assert (found.rows_matched, found.rows_unmatched, found.share) == (2, 2, 0.5)
    assert "2016 or before" in found.message
    assert "of 2023" in found.message
    assert "1 rows have no code" in found.message


def test_a_full_match_says_so():
    assert match(CODES, check_boundaries(squares())).message == "All 4 ward codes of the data have a shape."


def test_data_of_another_kind_are_named():
    message = match(["E01015693", "E01015694"], check_boundaries(squares())).message
    assert "another kind: LSOA" in message


def test_squares_tile():
    tiling = do_they_tile(canonical())
    assert tiling.tiles
    assert tiling.area_m2 == 4e4
    assert tiling.message == "The 4 areas tile: no gap or overlap of 1 m² or more."


def test_an_overlap_is_measured_and_both_areas_are_named():
    shapes = [SQUARES[0], box(X + 90, Y, X + 200, Y + 100), *SQUARES[2:]]
    tiling = do_they_tile(canonical(shapes))
    assert tiling.overlaps.values.tolist() == [["E05014735", "E05014736", 1000.0]]
    assert not tiling.tiles


def test_a_hole_is_a_gap_with_its_neighbours():
    nine = [box(X + i * 10, Y + j * 10, X + i * 10 + 10, Y + j * 10 + 10) for i in range(3) for j in range(3)]
    codes = [f"E050147{n}" for n in range(35, 44)]
    ring = [(c, s) for n, (c, s) in enumerate(zip(codes, nine, strict=True)) if n != 4]
    tiling = do_they_tile(canonical([s for _, s in ring], [c for c, _ in ring]))
    assert tiling.gaps["area_m2"].tolist() == [100.0]
    assert tiling.gaps.loc[0, "near"].startswith("E05014735, E05014736")


def test_an_area_missing_at_the_rim_shows_only_against_the_outer_boundary():
    three = canonical(SQUARES[:3])
    assert do_they_tile(three).tiles
    against = do_they_tile(three, canonical())
    assert against.gaps["area_m2"].tolist() == [1e4]
    beyond = do_they_tile(canonical(), box(X, Y, X + 200, Y + 150))
    assert beyond.outside["area_m2"].tolist() == [5000.0, 5000.0]


def test_slivers_are_summed_but_not_listed():
    shapes = [SQUARES[0], box(X + 99.999, Y, X + 200, Y + 100), *SQUARES[2:]]
    tiling = do_they_tile(canonical(shapes))
    assert tiling.tiles
    assert tiling.slivers_m2 == pytest.approx(0.1, abs=1e-6)


def test_simplified_shapes_still_share_their_edges():
    top = [(X + i, Y + 100 + (i % 20) / 4) for i in range(0, 201, 10)]
    lower = Polygon([(X, Y), (X + 200, Y), *reversed(top)])
    upper = Polygon([(X, Y + 200), (X + 200, Y + 200), *reversed(top)])
    shapes = canonical([lower, upper])
    made = simplify(shapes, 20)
    assert shapely.get_num_coordinates(made.geometry.to_numpy()).sum() < 20
    assert do_they_tile(made).tiles
    assert made.area.sum() == pytest.approx(4e4)
    assert simplify(shapes, 0).area.tolist() == pytest.approx(shapes.area.tolist())


def test_shapes_that_do_not_meet_are_not_simplified_without_asking():
    shapes = canonical([SQUARES[0], box(X + 90, Y, X + 200, Y + 100)])
    with pytest.raises(PlaceError, match="repair=True"):
        simplify(shapes, 10)
    assert do_they_tile(simplify(shapes, 1, repair=True)).tiles


@pytest.mark.parametrize("tolerance", [-1, float("nan")], ids=str)
def test_a_tolerance_must_be_a_distance(tolerance):
    with pytest.raises(PlaceError, match="0 or more metres"):
        simplify(canonical(), tolerance)


def test_shapes_are_compared_code_by_code():
    a = canonical()
    b = canonical([box(X, Y, X + 100, Y + 50), *SQUARES[1:3]])
    found = compare_shapes(a, b)
    row = found.frame.iloc[0]
    assert (row["area_a_m2"], row["area_b_m2"], row["differing_m2"], row["differing_share"]) == (1e4, 5e3, 5e3, 1.0)
    assert row["hausdorff_m"] == 50
    assert found.frame["differing_m2"].tolist()[1:] == [0, 0]
    assert (found.only_a, found.only_b) == (("E05014738",), ())
    assert found.differing_share == pytest.approx(5e3 / 2.5e4)


def test_degrees_are_refused_where_metres_are_needed():
    with pytest.raises(PlaceError, match="need metres"):
        do_they_tile(canonical().to_crs("EPSG:4326"))


def test_the_same_parts_in_another_order_are_the_same_shape():
    one, other = SQUARES[0], box(X + 300, Y, X + 400, Y + 100)
    raw = squares().iloc[:2].copy()
    raw["WD25CD"] = CODES[0]
    raw["geometry"] = [MultiPolygon([one, other]), MultiPolygon([other, one])]
    read = check_boundaries(raw)
    assert len(read.frame) == 1
    assert read.quarantine["rule"].tolist() == ["the same code with the same shape again"]
