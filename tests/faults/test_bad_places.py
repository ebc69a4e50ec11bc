"""A damaged, mislabelled or outdated file of places ends in a message that says what to do, never in lost areas."""

import gzip

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely.geometry import Polygon, box

from geo.boundaries import check_boundaries, do_they_tile, match, read_boundaries
from geo.errors import PlaceError
from geo.files import read_place_file, recognise, rows_of, ward_authorities
from geo.lookups import convert, need_coverage
from geo.places import embedded_lookup, embedded_shapes
from geo.small_areas import lsoa_changes, misplaced
from jsna.errors import SourceError, WorkbenchError

DEGREES, METRES = "EPSG:4326", "EPSG:27700"


def wards():
    return embedded_shapes("ward23").rename(columns={"code": "WD25CD", "name": "WD25NM"})


def relabelled(shapes, crs):
    return shapes.set_crs(crs, allow_override=True)


def swapped(shapes):
    turned = shapely.transform(shapes.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    return shapes.set_geometry(gpd.GeoSeries(turned, index=shapes.index, crs=shapes.crs))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda w: relabelled(w.to_crs(DEGREES), METRES), "called metres, but look like degrees"),
        (lambda w: relabelled(w, DEGREES), "called degrees, but look like metres of the British National Grid"),
        (lambda w: relabelled(w.to_crs("EPSG:3857"), METRES), "outside Great Britain"),
        (lambda w: w.set_crs(None, allow_override=True), "names no reference system.*pass crs='EPSG:27700'"),
        (lambda w: w.to_crs(DEGREES).set_crs(None, allow_override=True), "pass crs='EPSG:4326'"),
        (lambda w: w.to_crs("EPSG:3857").set_crs(None, allow_override=True), "pass crs='EPSG:3857'"),
        (lambda w: swapped(w.to_crs(DEGREES)), "Latitude and longitude are swapped"),
        (lambda w: w.assign(geometry=w.geometry.translate(2_000_000)), "outside Great Britain"),
    ],
    ids=[
        "degrees called metres",
        "metres called degrees",
        "web mercator called grid",
        "no system, metres",
        "no system, degrees",
        "no system, mercator",
        "swapped axes",
        "in the sea",
    ],
)
def test_a_wrong_reference_system_is_named(make, words):
    with pytest.raises(PlaceError, match=words):
        check_boundaries(make(wards()))


def test_the_true_system_can_be_said():
    told = check_boundaries(relabelled(wards().to_crs(DEGREES), METRES), crs=DEGREES)
    assert told.frame.area.sum() == pytest.approx(wards().area.sum(), rel=1e-4)


def test_a_system_that_does_not_exist_is_named():
    with pytest.raises(PlaceError, match="reference system is not known"):
        check_boundaries(wards(), crs="EPSG:1")


def test_a_geojson_in_grid_metres_without_a_label_is_caught(tmp_path):
    path = tmp_path / "wards.geojson"
    relabelled(wards(), DEGREES).to_file(path)
    with pytest.raises(PlaceError, match="called degrees"):
        read_boundaries(path)


def test_boundaries_of_another_vintage_are_named_for_lsoas_and_wards():
    old, new = embedded_shapes("lsoa11"), embedded_shapes("lsoa21")
    found = match(new["code"], old)
    assert (len(found.matched), len(found.data_only), len(found.boundaries_only)) == (118, 7, 3)
    assert "data's codes without a shape are of 2021, the shapes without data of 2011" in found.message
    found = match(old["code"], new)
    assert (len(found.data_only), len(found.boundaries_only)) == (3, 7)
    found = match(embedded_shapes("ward17")["code"], embedded_shapes("ward23"))
    assert (len(found.matched), len(found.data_only), len(found.boundaries_only)) == (0, 19, 20)
    assert "Two vintages" in found.message


def test_a_lookup_of_2011_misses_the_areas_of_2021_aloud():
    counts = pd.DataFrame({"lsoa": embedded_shapes("lsoa21")["code"], "pupils": 10})
    lookup = embedded_lookup("lsoa11", "ward17")
    with pytest.raises(PlaceError, match="misses 7 of 125 codes"):
        need_coverage(lookup, counts["lsoa"])
    made = convert(counts, lookup, code="lsoa", values=["pupils"], whole=True)
    assert made.frame["pupils"].sum() == 1180
    assert made.unmatched["reason"].tolist() == ["not in the lookup"] * 7


def test_an_authority_whose_wards_do_not_tile():
    shapes = embedded_shapes("ward23")
    moved = shapes.copy()
    moved.loc[3, "geometry"] = shapely.affinity.translate(shapes.geometry[3], 0, 500)
    tiling = do_they_tile(moved, shapes)
    assert not tiling.tiles
    assert len(tiling.gaps)
    assert len(tiling.overlaps)
    assert {*tiling.overlaps["code_a"], *tiling.overlaps["code_b"]} >= {shapes["code"][3]}
    for words in ("do not tile", "gaps (", "overlaps (", "reach beyond the outer boundary", shapes["code"][3]):
        assert words in tiling.message
    lacking = do_they_tile(shapes.drop(index=3), shapes)
    assert lacking.gaps["area_m2"].sum() == pytest.approx(shapes.area[3])


def test_duplicate_codes_and_empty_geometry():
    raw = wards()
    raw.loc[0, "geometry"] = Polygon()
    read = check_boundaries(raw)
    assert read.quarantine["rule"].tolist() == ["no shape"]
    raw.loc[1, "WD25CD"] = raw.loc[2, "WD25CD"]
    with pytest.raises(PlaceError, match=r"1 codes have more than one shape.*E05014737"):
        check_boundaries(raw)


def test_no_shapes_at_all():
    raw = wards()
    raw["geometry"] = None
    with pytest.raises(PlaceError, match="no row with a shape"):
        check_boundaries(gpd.GeoDataFrame(raw, geometry="geometry", crs=METRES))
    with pytest.raises(PlaceError, match="no row with a shape"):
        check_boundaries(wards().iloc[:0])


def test_a_file_of_another_kind_than_asked():
    with pytest.raises(PlaceError, match="No column of codes was recognised"):
        check_boundaries(wards(), "lsoa")
    with pytest.raises(PlaceError, match="codes of a LSOA"):
        check_boundaries(embedded_shapes("lsoa21").rename(columns={"code": "WD25CD"}))


@pytest.mark.parametrize("content", [b"", b"not a map", b'{"type": "FeatureCollection"'], ids=["empty", "text", "cut"])
def test_an_unreadable_boundary_file(tmp_path, content):
    path = tmp_path / "wards.geojson"
    path.write_bytes(content)
    with pytest.raises(PlaceError, match="cannot be read as boundaries"):
        read_boundaries(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(PlaceError, match="missing"):
        read_boundaries(tmp_path / "none.parquet")
    with pytest.raises(PlaceError, match="missing"):
        read_place_file(tmp_path / "lookup_lsoa11_ward17.csv.gz")


def test_areas_with_nobody_in_them_and_zero_denominators():
    changes = pd.DataFrame({"lsoa11": ["E01000001"] * 2, "lsoa21": ["E01033801", "E01033802"], "change": ["S"] * 2})
    lookup = lsoa_changes(changes, "lsoa21", {"E01033801": 0, "E01033802": 0})
    assert "nobody" in lookup.notes[0]
    made = convert(pd.DataFrame({"a": ["E01000001"], "n": [0]}), lookup, code="a", values=["n"])
    assert made.frame["n"].tolist() == [0, 0]
    assert made.estimated_share == {"n": 0.0}
    squares = gpd.GeoDataFrame({"code": ["E01033801"]}, geometry=[box(509_000, 222_000, 509_100, 222_100)], crs=METRES)
    target = squares.assign(code="E05014735")
    rows = pd.DataFrame({"source": ["E01033801"], "target": ["E05014735"], "weight": [1.0], "estimated": [False]})
    fit = type(lookup)(lookup.target, embedded_lookup("lsoa21", "ward23").target, rows, "-")
    empty = misplaced(fit, squares, target, {"E01033801": 0})
    assert empty.share == 0.0
    assert empty.frame["ratio"].isna().all()
    with pytest.raises(PlaceError, match="not in the lookup or have no population"):
        misplaced(fit, squares, target, {})


def test_places_errors_are_the_users_errors():
    assert issubclass(PlaceError, WorkbenchError)


def written(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_repeated_headings_doubles_and_strange_codes_are_put_refused(tmp_path):
    text = (
        "lsoa11_code,ward17_code\nE01015693,E05002193\nlsoa11_code,ward17_code\n e01015694,E05002193\n"
        "E01015693,E05002193\nE01015695,Barnfield\n"
    )
    read = read_place_file(written(tmp_path / "lookup_lsoa11_ward17.csv.gz", text))
    assert read.frame["lsoa11"].tolist() == ["E01015693", "E01015694"]
    assert read.quarantine[["row", "rule"]].values.tolist() == [
        [3, "the headings again"],
        [5, "the same key again"],
        [6, "not a code of a ward"],
    ]
    assert "is it a part, or newer" in read.summary.notes[-1]


def test_symbols_are_kept_and_strange_cells_are_listed_never_0(tmp_path):
    text = 'lsoa11_code,IMD_rank,IMD_decile\nE01000001,"29,199",9\nE01000002,[low],-\nE01000003,many,\n'
    read = read_place_file(written(tmp_path / "imd2019_england_lsoa11.csv", text))
    assert read.frame["IMD_rank"].tolist()[0] == 29199
    assert read.frame["IMD_rank"].isna().tolist() == [False, True, True]
    assert read.frame["IMD_rank_symbol"].tolist() == ["", "low", "x"]
    assert read.frame["IMD_decile_symbol"].tolist() == ["", "x", "x"]
    assert read.quarantine[["row", "column", "value"]].values.tolist() == [[4, "IMD_rank", "many"]]
    assert (read.summary.rows_read, read.summary.rows_refused) == (3, 0)


def test_a_renamed_column_is_named_with_the_nearest(tmp_path):
    path = written(tmp_path / "lookup_lsoa11_ward17.csv", "lsoa11_cod,ward17_code\nE01000001,E05002193\n")
    with pytest.raises(PlaceError, match="Did you mean 'lsoa11_cod'"):
        read_place_file(path)


def test_a_gzip_cut_short(tmp_path):
    path = tmp_path / "lookup_lsoa11_ward17.csv.gz"
    path.write_bytes(gzip.compress(b"lsoa11_code,ward17_code\n" * 999)[:-9])
    with pytest.raises(SourceError, match="cut short"):
        read_place_file(path)


def test_a_boundary_file_that_is_not_what_its_name_says(tmp_path):
    path = tmp_path / "ward25_E06000032.geojson"
    wards().rename(columns={"WD25CD": "WD22CD"}).to_file(path)
    with pytest.raises(PlaceError, match="another vintage than its name says"):
        read_place_file(path)


def test_an_unknown_file_name_is_refused():
    with pytest.raises(PlaceError, match="not among those that can be read"):
        recognise("pupils.csv")


def test_a_workbook_that_is_none(tmp_path):
    path = written(tmp_path / "File_1_IoD2025_x.xlsx", "no workbook")
    with pytest.raises(SourceError, match="cannot be read"):
        read_place_file(path)


def test_codes_of_another_vintage_are_not_filtered_away_in_silence(tmp_path):
    text = "lsoa11_code,ward17_code\nE01015693,E05002193\nE01000001,E05009288\n"
    read = read_place_file(written(tmp_path / "lookup_lsoa11_ward17.csv", text))
    own = rows_of(read, ["E01015693"], "lsoa11")
    assert (own.summary.rows_read, own.summary.rows_kept) == (1, 1)
    assert "1 rows of other areas" in own.summary.notes[-1]
    with pytest.raises(PlaceError, match="1 of 2 codes are not in the file"):
        rows_of(read, ["E01015693", "E01033801"], "lsoa11")


def test_a_ward_in_two_authorities_or_a_year_out_of_reach():
    rows = pd.DataFrame(
        {
            "first_year": ["2023", "2023", "2023"],
            "last_year": ["2024", "2024", "2024"],
            "ward": ["E05014735", "E05014735", "E05014736"],
            "ward_name": ["a", "a", "b"],
            "district": "E06000032",
            "la": "E06000032",
        }
    )
    made, doubles = ward_authorities(rows, 2024)
    assert (len(made), doubles) == (2, 1)
    with pytest.raises(PlaceError, match="not covered"):
        ward_authorities(rows, 2030)
    rows.loc[1, "la"] = "E06000055"
    with pytest.raises(PlaceError, match="1 wards have two authorities"):
        ward_authorities(rows, 2024)
