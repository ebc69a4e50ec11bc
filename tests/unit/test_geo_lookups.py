"""Lookups: weights, coverage, conversion with exact totals, postcodes, and authorities that changed their code."""

from itertools import pairwise

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from geo.errors import PlaceError
from geo.kinds import Geography
from geo.lookups import Lookup, chain, convert, coverage, make_lookup, need_coverage, weights_by
from geo.postcodes import normalise_postcodes, place_postcodes, postcode_lookup, read_postcodes
from geo.recoding import la_recoding, recodings
from geo.small_areas import best_fit, by_area, lsoa_changes, mean_over, misplaced

CHANGES = pd.DataFrame(
    [
        ("E01000001", "E01000001", "U"),
        ("E01000002", "E01033801", "S"),
        ("E01000002", "E01033802", "S"),
        ("E01000003", "E01033803", "M"),
        ("E01000004", "E01033803", "M"),
        ("E01000005", "E01033804", "X"),
        ("E01000005", "E01033805", "X"),
        ("E01000006", "E01033805", "X"),
    ],
    columns=["lsoa11", "lsoa21", "change"],
)
NEW = {f"E0103380{n}": 100 * n for n in range(1, 6)}
OLD = {"E01000003": 300, "E01000004": 100, "E01000005": 500, "E01000006": 500}


def lookup(rows, source="lsoa11", target="lsoa21"):
    frame = pd.DataFrame(rows, columns=["source", "target", "weight", "estimated"])
    return Lookup(Geography.of(source), Geography.of(target), frame, "by hand")


HALF = lookup([("A", "X", 0.5, True), ("A", "Y", 0.5, True), ("B", "Y", 1.0, False)])


def weights(made):
    return {(r.source, r.target): r.weight for r in made.rows.itertuples()}


def test_forward_splits_share_by_people_and_the_rest_goes_whole():
    made = lsoa_changes(CHANGES, "lsoa21", NEW)
    found = weights(made)
    assert found["E01000001", "E01000001"] == 1
    assert found["E01000002", "E01033801"] == pytest.approx(1 / 3)
    assert found["E01000003", "E01033803"] == found["E01000004", "E01033803"] == 1
    assert found["E01000005", "E01033805"] == pytest.approx(500 / 900)
    assert made.rows.groupby("change")["estimated"].max().to_dict() == {"U": False, "S": True, "M": False, "X": True}
    assert made.estimated_share == pytest.approx(2 / 6)
    assert "complex" in made.notes[0]


def test_back_again_splits_are_certain_and_merges_are_shared():
    found = weights(lsoa_changes(CHANGES, "lsoa11", OLD))
    assert found["E01033801", "E01000002"] == found["E01033802", "E01000002"] == 1
    assert (found["E01033803", "E01000003"], found["E01033803", "E01000004"]) == (0.75, 0.25)
    assert found["E01033805", "E01000006"] == 0.5


def test_a_file_without_change_codes_is_refused():
    with pytest.raises(PlaceError, match="exact-fit"):
        lsoa_changes(CHANGES.drop(columns="change"), "lsoa21", NEW)


@pytest.mark.parametrize("row", [1, 3], ids=["half a split", "half a merge"])
def test_a_missing_row_shows_in_the_change_codes(row):
    with pytest.raises(PlaceError, match="Is a row missing"):
        lsoa_changes(CHANGES.drop(index=row), "lsoa21", NEW)


def test_a_population_of_the_other_vintage_is_refused():
    with pytest.raises(PlaceError, match="same vintage"):
        lsoa_changes(CHANGES, "lsoa21", OLD)


def test_an_area_with_nobody_is_shared_equally_and_said():
    made = lsoa_changes(CHANGES, "lsoa21", {**NEW, "E01033801": 0, "E01033802": 0})
    assert weights(made)["E01000002", "E01033801"] == 0.5
    assert "1 areas with nobody in any part are shared out equally: E01000002" in made.notes[0]


def test_weights_without_size_are_equal():
    made, nobody = weights_by(pd.DataFrame({"source": list("aab"), "target": list("xyz")}), None)
    assert made["weight"].tolist() == [0.5, 0.5, 1.0]
    assert nobody == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("A", "X", 0.4, True), ("A", "Y", 0.5, True)], "do not sum to 1"),
        ([("A", "X", 1.2, True)], "no share"),
        ([("A", "X", float("nan"), True)], "no share"),
        ([("A", "X", 0.5, True), ("A", "X", 0.5, True)], "stand twice"),
        ([("A", "", 1.0, True)], "have no code"),
        ([], "no rows"),
    ],
    ids=["short", "over one", "missing", "twice", "blank", "empty"],
)
def test_faulty_rows_make_no_lookup(rows, words):
    with pytest.raises(PlaceError, match=words):
        lookup(rows)


def test_counts_and_groups_come_over_with_what_is_estimated():
    counts = pd.DataFrame({"area": ["A", "A", "B"], "sex": ["F", "M", "F"], "n": [10, 7, 5]})
    made = convert(counts, HALF, code="area", values=["n"], by=["sex"])
    assert made.frame[["target", "sex", "n", "n_estimated"]].values.tolist() == [
        ["X", "F", 5.0, 5.0],
        ["X", "M", 3.5, 3.5],
        ["Y", "F", 10.0, 5.0],
        ["Y", "M", 3.5, 3.5],
    ]
    assert (made.rows_in, made.rows_converted, made.rows_estimated) == (3, 3, 2)
    assert made.estimated_share == {"n": pytest.approx(17 / 22)}


def test_whole_numbers_stay_whole_and_a_tie_goes_to_the_lower_code():
    made = convert(pd.DataFrame({"a": ["A"], "n": [7]}), HALF, code="a", values=["n"], whole=True)
    assert made.frame[["target", "n"]].values.tolist() == [["X", 4], ["Y", 3]]
    assert made.frame["n"].dtype == "int64"


def test_thirds_of_a_whole_count_add_up_to_the_last_bit():
    thirds = lookup([("A", t, 1 / 3, True) for t in "XYZ"])
    for n in (1, 7, 10, 1_000_003):
        made = convert(pd.DataFrame({"a": ["A"] * 3, "n": [n] * 3}), thirds, code="a", values=["n"])
        assert made.frame["n"].sum() == 3 * n


@pytest.mark.parametrize("miss", [9e-10, -9e-10])
def test_weights_that_miss_one_by_a_hair_neither_make_nor_lose_people(miss):
    nearly = lookup([("A", "X", 0.5, True), ("A", "Y", 0.5 + miss, True)])
    for whole, n in ((False, 10_000_000), (True, 4_000_000_000)):
        made = convert(pd.DataFrame({"a": ["A"], "n": [n]}), nearly, code="a", values=["n"], whole=whole)
        assert made.frame["n"].sum() == n


def test_what_cannot_be_placed_is_reported_with_its_reason():
    counts = pd.DataFrame({"a": ["A", "Q", None, "B", " b "], "n": [2, 3, 4, None, 6]})
    made = convert(counts, HALF, code="a", values=["n"])
    assert made.unmatched[["a", "reason"]].values.tolist() == [
        ["Q", "not in the lookup"],
        ["", "no code"],
        ["B", "count not known"],
    ]
    assert made.frame["n"].sum() == 8
    assert "1 no code" in made.message


@pytest.mark.parametrize(
    ("counts", "options", "words"),
    [
        ({"a": ["A"], "n": [-1]}, {}, "negative or infinite"),
        ({"a": ["A"], "n": [float("inf")]}, {}, "negative or infinite"),
        ({"a": ["A"], "n": [1.5]}, {"whole": True}, "not whole"),
        ({"a": ["A"], "n": ["3"]}, {}, "not numbers"),
        ({"a": ["A"]}, {}, "column is missing"),
    ],
    ids=["negative", "infinite", "half a child", "text", "no column"],
)
def test_counts_that_are_none_are_refused(counts, options, words):
    with pytest.raises(PlaceError, match=words):
        convert(pd.DataFrame(counts), HALF, code="a", values=["n"], **options)


@pytest.mark.parametrize("name", ["source", "target", "weight", "row", "change"])
def test_the_code_column_may_have_any_name(name):
    made = convert(pd.DataFrame({name: ["A", "Z"], "n": [2, 1]}), HALF, code=name, values=["n"])
    assert made.frame["n"].tolist() == [1, 1]
    assert made.unmatched[name].tolist() == ["Z"]


def test_nothing_matched_is_an_empty_frame_and_no_error():
    made = convert(pd.DataFrame({"a": ["Q"], "n": [2]}), HALF, code="a", values=["n"], whole=True)
    assert len(made.frame) == 0
    assert made.estimated_share == {"n": 0.0}
    assert made.unmatched["n"].tolist() == [2]


def test_coverage_names_the_likely_vintage():
    old = lookup([("E01015741", "E05002193", 1.0, False)], "lsoa11", "ward17")
    found = coverage(old, ["E01015741", "E01033801"])
    assert found.missing == ("E01033801",)
    assert "They are of 2021" in found.message
    with pytest.raises(PlaceError, match="misses 1 of 2 codes"):
        need_coverage(old, ["E01015741", "E01033801"])
    assert coverage(old, ["E01015741"]).message == "All 1 codes are in the lookup."


def test_a_chain_multiplies_and_all_in_one_target_is_certain():
    on = lookup([("X", "W", 1.0, False), ("Y", "W", 0.5, True), ("Y", "V", 0.5, True)], "lsoa21", "ward24")
    made = chain(HALF, on)
    assert weights(made) == {("A", "V"): 0.25, ("A", "W"): 0.75, ("B", "V"): 0.5, ("B", "W"): 0.5}
    one = lookup([("X", "W", 1.0, False), ("Y", "W", 1.0, False)], "lsoa21", "ward24")
    assert not chain(HALF, one).rows["estimated"].any()


def test_a_chain_with_a_missing_link_is_refused():
    with pytest.raises(PlaceError, match="misses 1 of 2"):
        chain(HALF, lookup([("X", "W", 1.0, False)], "lsoa21", "ward24"))
    with pytest.raises(PlaceError, match="do not follow"):
        chain(HALF, lookup([("X", "W", 1.0, False)], "ward24", "la24"))


def test_best_fit_has_one_target_each():
    pairs = pd.DataFrame({"lsoa21": ["a", "a", "b"], "ward24": ["x", "x", "y"]})
    assert len(best_fit(pairs, "lsoa21", "ward24").rows) == 2
    with pytest.raises(PlaceError, match="more than one target"):
        best_fit(pairs.assign(ward24=list("xyz")), "lsoa21", "ward24")
    with pytest.raises(PlaceError, match="lacks columns"):
        best_fit(pairs, "lsoa21", "ward25")


def test_a_mean_is_weighted_by_people_and_missing_ones_are_reported():
    wards = make_lookup("lsoa21", "ward24", pd.DataFrame({"source": list("ABC"), "target": list("XXY")}), rule="-")
    scores = pd.DataFrame({"lsoa": list("ABCD"), "score": [0.1, 0.4, -2.0, 0.9]})
    made, behind = mean_over(scores, wards, code="lsoa", value="score", size={"A": 300, "B": 100, "C": 50, "D": 1})
    assert made["score"].tolist() == pytest.approx([0.175, -2.0])
    assert made["size"].tolist() == [400, 50]
    assert behind.unmatched["lsoa"].tolist() == ["D"]


def test_a_mean_over_nobody_is_missing_not_zero():
    one = make_lookup("lsoa21", "ward24", pd.DataFrame({"source": ["A"], "target": ["X"]}), rule="-")
    made, _ = mean_over(pd.DataFrame({"l": ["A"], "s": [0.3]}), one, code="l", value="s", size={"A": 0})
    assert made["s"].isna().all()


def row_of_boxes(codes, edges):
    """Boxes 100 m high side by side between the ``edges`` (m from a corner of Luton)."""
    x, y = 509_000, 222_000
    boxes = [box(x + left, y, x + right, y + 100) for left, right in pairwise(edges)]
    return gpd.GeoDataFrame({"code": codes}, geometry=boxes, crs="EPSG:27700")


FIT = best_fit(pd.DataFrame({"lsoa21": list("ABC"), "ward24": list("XXY")}), "lsoa21", "ward24")


def test_misplaced_people_by_hand():
    lsoas, wards = row_of_boxes(list("ABC"), [0, 100, 200, 300]), row_of_boxes(list("XY"), [0, 175, 300])
    found = misplaced(FIT, lsoas, wards, {"A": 40, "B": 80, "C": 10})
    # A quarter of B's 80 people live in Y, but best fit puts them all in X.
    assert found.frame.values.tolist() == [
        ["X", 120.0, 100.0, 20.0, 0.0, pytest.approx(1.2)],
        ["Y", 10.0, 30.0, 0.0, 20.0, pytest.approx(1 / 3)],
    ]
    assert (found.people, found.share, found.outside) == (130, pytest.approx(20 / 130), ())


def test_a_source_in_no_target_is_named_and_a_ward_without_lsoa_is_kept():
    lsoas, wards = row_of_boxes(list("ABC"), [0, 100, 200, 300]), row_of_boxes(list("XZ"), [0, 100, 200])
    found = misplaced(FIT, lsoas, wards, {"A": 40, "B": 80, "C": 10})
    assert found.outside == ("C",)
    assert found.frame.set_index("code")["wrongly_out"].to_dict() == {"X": 0, "Z": 80}
    assert found.people == 120
    lookup, lost = by_area(lsoas, wards, "lsoa21", "ward24")
    assert (len(lookup.rows), lost) == (2, ["C"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LU1 2BQ", "LU1 2BQ"),
        ("lu12bq", "LU1 2BQ"),
        ("  LU1   2BQ ", "LU1 2BQ"),
        ("LU1-2BQ", "LU1 2BQ"),
        ("W1A 1AA", "W1A 1AA"),
        ("EC1A1BB", "EC1A 1BB"),
        ("M11AE", "M1 1AE"),
        ("GIR 0AA", "GIR 0AA"),
        ("LU1 2B", ""),
        ("LU1 OBQ", ""),
        ("LU1", ""),
        ("Luton", ""),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
    ],
    ids=str,
)
def test_postcodes_are_normalised_or_empty(text, expected):
    assert normalise_postcodes([text]).tolist() == [expected]


HEADERS = {
    "ONSPD": "pcd,pcd2,pcds,dointr,doterm,oslaua,osward,lsoa11,lsoa21",
    "NSPL 2025": "pcd7,pcd8,pcds,dointr,doterm,lad25cd,wd25cd,lsoa11cd,lsoa21cd",
    "ArcGIS": "PCD7,PCD8,PCDS,DOINTR,DOTERM,LAD25CD,WD25CD,LSOA11CD,LSOA21CD",
}
ROWS = [
    "LU1 2BQ,LU1  2BQ,LU1 2BQ,198001,,E06000032,E05014739,E01015791,E01033806",
    "LU1 9ZZ,LU1  9ZZ,LU1 9ZZ,198001,200101,E06000032,E05014750,E01015791,E01033807",
    "JE2 3AB,JE2  3AB,JE2 3AB,198001,,L99999999,L99999999,L99999999,L99999999",
    "LU1 2BQ,LU1  2BQ,LU1 2BQ,198001,,E06000032,E05014739,E01015791,E01033806",
    "broken,broken,broken,198001,,E06000032,E05014739,E01015791,E01033806",
    "torn,torn,torn,198001,,E06000032,E05014739,E01015791,E01033806",
]


def directory(tmp_path, header="ONSPD", **options):
    path = tmp_path / "directory.csv"
    path.write_text("\n".join([HEADERS[header], *ROWS]), encoding="utf-8")
    return read_postcodes(path, **options)


@pytest.mark.parametrize("header", HEADERS)
def test_every_spelling_of_the_directory_reads_alike(tmp_path, header):
    read = directory(tmp_path, header)
    assert read.frame.columns.tolist() == ["postcode", "terminated", "lsoa21", "lsoa11", "ward", "la"]
    assert read.frame["lsoa21"].tolist() == ["E01033806", "E01033807", ""]
    assert read.quarantine[["row", "rule"]].values.tolist() == [
        [5, "the same postcode again"],
        [6, "no postcode"],
        [7, "no postcode"],
    ]
    assert (read.summary.rows_read, read.summary.rows_kept) == (6, 3)


def test_the_directory_of_one_authority(tmp_path):
    assert directory(tmp_path, la="E06000032").frame["postcode"].tolist() == ["LU1 2BQ", "LU1 9ZZ"]


def test_every_postcode_given_has_a_row_and_a_status(tmp_path):
    frame = directory(tmp_path).frame
    given = pd.Series(["lu12bq", "LU1 9ZZ", "JE2 3AB", "LU9 9XX", "nowhere", None], index=[9, 8, 7, 6, 5, 4])
    placed = place_postcodes(given, frame)
    assert placed.frame.index.tolist() == given.index.tolist()
    assert placed.frame["status"].tolist() == ["placed", "terminated", "no area", "unknown", "malformed", "missing"]
    assert placed.frame["code"].tolist() == ["E01033806", "E01033807", "", "", "", ""]
    assert placed.counts == dict.fromkeys(placed.counts, 1)
    assert "LU1" not in placed.message
    assert place_postcodes(given, frame, "ward").frame["code"].tolist()[:2] == ["E05014739", "E05014750"]
    with pytest.raises(PlaceError, match="lacks this area"):
        place_postcodes(given, frame, "msoa21")


def test_counts_by_postcode_convert(tmp_path):
    made = convert(
        pd.DataFrame({"p": ["lu1 2bq", "LU1 9ZZ", "JE2 3AB"], "n": [1, 2, 4]}),
        postcode_lookup(directory(tmp_path).frame),
        code="p",
        values=["n"],
        whole=True,
    )
    assert made.frame["n"].tolist() == [1, 2]
    assert made.unmatched["n"].tolist() == [4]


def test_no_directory_is_said(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(PlaceError, match="postcode directory were not found"):
        read_postcodes(path)


def test_shares_of_divided_counties_sum_to_1():
    table = recodings()
    assert table.groupby(["old_code", "year"])["weight"].sum().tolist() == pytest.approx(
        [1] * table["old_code"].nunique()
    )


@pytest.mark.parametrize(
    ("system", "year", "code", "targets"),
    [
        ("ons", 2023, "E06000032", ["E06000032"]),
        ("ons", 2023, "E10000023", ["E06000065"]),
        ("ons", 2019, "E07000190", ["E07000246"]),
        ("ons", 2023, "E07000190", ["E06000066"]),
        ("ons", 2022, "E10000006", ["E10000006"]),
        ("ons", 2023, "E10000006", ["E06000063", "E06000064"]),
        ("ons", 2023, "E08000016", ["E08000016"]),
        ("ons", 2025, "E08000016", ["E08000038"]),
        ("dfe", 2023, "928", ["940", "941"]),
        ("dfe", 2023, "825", ["825"]),
        ("dfe", 2023, "837", ["839"]),
        ("dfe", 2023, "835", ["838", "839"]),
        ("dfe", 2023, "933", ["933"]),
    ],
    ids=str,
)
def test_authorities_go_to_the_code_in_force(system, year, code, targets):
    assert la_recoding([code], system=system, year=year).rows["target"].tolist() == targets


def test_codes_of_no_authority_are_reported_by_the_conversion():
    counts = pd.DataFrame({"la": ["821", "909", "Luton"], "n": [10, 10, 3]})
    made = convert(counts, la_recoding(counts["la"], system="dfe"), code="la", values=["n"], whole=True)
    assert made.frame[["target", "n"]].values.tolist() == [["821", 10], ["942", 5], ["943", 5]]
    assert made.unmatched["n"].tolist() == [3]


@pytest.mark.parametrize("options", [{"system": "gss"}, {"year": 2018}, {"year": 2030}], ids=str)
def test_unknown_systems_and_years_are_refused(options):
    with pytest.raises(PlaceError):
        la_recoding(["821"], **{"system": "dfe", **options})
