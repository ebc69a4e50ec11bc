"""Which areas touch: lattices worked out by hand, slivers, islands, and shapes that are refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.neighbours import contiguity, from_pairs
from jsna.errors import MeasureError

ROOK_PAIRS = {("A", "B"), ("B", "C"), ("D", "E"), ("E", "F"), ("A", "D"), ("B", "E"), ("C", "F")}
QUEEN_PAIRS = ROOK_PAIRS | {("A", "E"), ("B", "D"), ("B", "F"), ("C", "E")}


def squares(gap=0.0, side=100.0):
    """A B C over D E F, each ``side`` wide, ``gap`` apart."""
    step = side + gap
    boxes = [shapely.box(c * step, -r * step, c * step + side, -r * step + side) for r in range(2) for c in range(3)]
    return gpd.GeoDataFrame({"area": list("ABCDEF")}, geometry=boxes, crs=27700)


def pairs(neighbours):
    return set(neighbours.pairs().itertuples(index=False, name=None))


@pytest.mark.parametrize(("rule", "expected"), [("rook", ROOK_PAIRS), ("queen", QUEEN_PAIRS)])
@pytest.mark.parametrize("tolerance", [0, 1, 5])
def test_a_lattice_has_the_neighbours_that_are_seen(rule, expected, tolerance):
    assert pairs(contiguity(squares(), "area", rule, tolerance)) == expected


@pytest.mark.parametrize(("rule", "expected"), [("rook", ROOK_PAIRS), ("queen", QUEEN_PAIRS)])
def test_slivers_are_bridged_by_a_tolerance_and_by_nothing_less(rule, expected):
    shapes = squares(gap=2)
    assert contiguity(shapes, "area", rule).islands == tuple("ABCDEF")
    assert contiguity(shapes, "area", rule, tolerance_m=1).islands == tuple("ABCDEF")
    assert pairs(contiguity(shapes, "area", rule, tolerance_m=4)) == expected


def test_overlapping_slivers_are_neighbours_too():
    assert pairs(contiguity(squares(gap=-1), "area", "queen")) == QUEEN_PAIRS
    assert pairs(contiguity(squares(gap=-1), "area", "rook", tolerance_m=3)) == ROOK_PAIRS


def test_the_matrix_is_symmetric_of_noughts_and_ones_with_nothing_on_its_diagonal():
    matrix = contiguity(squares(), "area").matrix.toarray()
    assert (matrix == matrix.T).all()
    assert set(np.unique(matrix)) == {0.0, 1.0}
    assert not matrix.diagonal().any()
    assert matrix.sum(axis=1).tolist() == [3, 5, 3, 3, 5, 3]


def test_islands_are_kept_and_named_and_parts_are_numbered():
    shapes = squares().drop(index=[1, 4])
    found = contiguity(shapes, "area")
    assert found.codes == ("A", "C", "D", "F")
    assert found.components.tolist() == [0, 1, 0, 1]
    assert found.islands == ()
    lone = contiguity(shapes.drop(index=5), "area")
    assert (lone.islands, len(lone)) == (("C",), 3)


def test_the_order_of_rows_is_the_order_of_the_answer():
    turned = squares().iloc[::-1]
    found = contiguity(turned, "area", "rook")
    assert found.codes == tuple("FEDCBA")
    assert {tuple(sorted(p)) for p in pairs(found)} == ROOK_PAIRS


def test_without_two_areas_the_rest_keep_their_links():
    found = from_pairs("ABCD", [("A", "B"), ("B", "C"), ("C", "D")]).subset([True, False, True, True])
    assert (found.codes, pairs(found), found.islands) == (("A", "C", "D"), {("C", "D")}, ("A",))


def test_links_between_authorities_can_be_cut():
    found = from_pairs("ABCD", [("A", "B"), ("B", "C"), ("C", "D")]).within(["x", "x", "y", "y"])
    assert pairs(found) == {("A", "B"), ("C", "D")}
    with pytest.raises(MeasureError, match="differs in length"):
        found.within(["x"])


def test_pairs_may_be_given_twice_and_either_way_round():
    found = from_pairs("AB", [("A", "B"), ("B", "A"), ("A", "B")])
    assert found.matrix.toarray().tolist() == [[0, 1], [1, 0]]
    assert from_pairs("AB", []).islands == ("A", "B")


def wrong(**columns):
    return squares().assign(**columns)


def with_shape(shape):
    shapes = squares()
    shapes.loc[3, "geometry"] = shape
    return shapes


bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (squares().to_crs(4326), ["not in metres", "EPSG:4326", "A, B", "to_crs"]),
        (squares().set_crs(None, allow_override=True), ["not in metres", "none"]),
        (wrong(area=list("ABCDBA")), ["more than once", "'A'", "'B'"]),
        (wrong(area=["A", None, "C", "D", "E", "F"]), ["without a code", "1"]),
        (with_shape(shapely.Polygon()), ["without a shape", "'D'"]),
        (with_shape(None), ["without a shape", "'D'"]),
        (with_shape(shapely.Point(0, 0)), ["not a polygon", "'D'"]),
        (with_shape(bow_tie), ["crosses itself", "'D'"]),
    ],
    ids=["degrees", "no crs", "twice", "no code", "empty", "missing", "point", "bow tie"],
)
def test_shapes_that_cannot_be_used_are_refused_and_named(shapes, words):
    with pytest.raises(MeasureError) as error:
        contiguity(shapes, "area")
    assert [w for w in words if w not in str(error.value)] == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: contiguity(squares(), "aera"), "Did you mean 'area'"),
        (lambda: contiguity(squares(), "area", "bishop"), "queen or rook"),
        (lambda: contiguity(squares(), "area", tolerance_m=-1), "Not a tolerance"),
        (lambda: contiguity(squares(), "area", tolerance_m=float("nan")), "Not a tolerance"),
        (lambda: from_pairs("AAB", []), "more than once"),
        (lambda: from_pairs("AB", [("A", "Z")]), "'Z'"),
        (lambda: from_pairs("AB", [("A", "A")]), "its own neighbour"),
    ],
)
def test_mistakes_of_the_caller_are_explained(call, words):
    with pytest.raises(MeasureError, match=words):
        call()
