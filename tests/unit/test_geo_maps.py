"""Maps by their data: tiles, classes, hatches and what stands on the axes; never by pixels."""

from __future__ import annotations

import io
from itertools import permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from geo.errors import PlaceError
from geo.maps import Style, draw, hexagons, key, outline, quantile_edges, shade
from geo.places import embedded_shapes

STYLE = Style("#1A1A1A", "#8A8A8A", ("#F2F6FA", "#C5DBEF", "#6BACE6", "#2073BC", "#12436D"))


def squares(*corners, codes=None):
    codes = codes or [chr(65 + i) for i in range(len(corners))]
    boxes = [shapely.box(x, y, x + 1000, y + 1000) for x, y in corners]
    return gpd.GeoDataFrame({"code": codes}, geometry=boxes, crs=27700)


def block(n):
    return squares(*[(1000 * x, -1000 * y) for y in range(n) for x in range(n)])


def axes_of(shapes, shading, **named):
    figure = Figure()
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    draw(axes, shapes, shading, STYLE, **named)
    return figure, axes


@pytest.mark.parametrize("kind", ["ward23", "ward17", "lsoa21"])
def test_each_area_has_one_hexagon_of_one_size_and_none_overlap(kind):
    shapes = embedded_shapes(kind)
    tiles = hexagons(shapes)
    assert tiles["code"].tolist() == shapes["code"].tolist()
    assert not tiles.duplicated(["column", "row"]).any()
    area = tiles.geometry.area
    assert np.allclose(area, area.iloc[0])
    assert tiles.union_all().area == pytest.approx(area.sum(), rel=1e-6)
    assert {len(g.exterior.coords) for g in tiles.geometry} == {7}


@pytest.mark.parametrize("kind", ["ward23", "lsoa21"])
def test_tiles_are_in_all_about_as_large_as_the_place_and_lie_on_it(kind):
    shapes, tiles = embedded_shapes(kind), hexagons(embedded_shapes(kind))
    share = tiles.geometry.area.sum() / shapes.geometry.area.sum()
    assert 0.7 < share < 1.25
    outline = shapes.union_all()
    assert outline.buffer(1).contains(gpd.GeoSeries(tiles.centroid).union_all())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_decides_nothing(seed):
    shapes = embedded_shapes("ward23")
    mixed = shapes.sample(frac=1, random_state=seed)
    one, two = (hexagons(s).set_index("code").sort_index() for s in (shapes, mixed))
    assert one[["column", "row"]].equals(two[["column", "row"]])
    assert (one.geometry.to_wkb() == two.geometry.to_wkb()).all()


def test_tiles_keep_their_index_and_crs():
    shapes = squares((0, 0), (1000, 0)).set_index(pd.Index([7, 3]))
    tiles = hexagons(shapes)
    assert tiles.index.tolist() == [7, 3]
    assert tiles.crs == shapes.crs


def test_no_swap_of_two_tiles_or_more_brings_areas_nearer():
    shapes = squares((0, 0), (1500, 200), (300, 1700), (2600, 1900), (900, 3100), (3000, 500))
    tiles = hexagons(shapes)
    centres = shapely.get_coordinates(shapes.centroid)
    cells = shapely.get_coordinates(tiles.centroid)
    cost = ((centres[:, None] - cells[None]) ** 2).sum(axis=2)
    ours = np.trace(cost)
    best = min(sum(cost[i, j] for i, j in enumerate(p)) for p in permutations(range(len(cells))))
    assert ours == pytest.approx(best)
    assert ours == pytest.approx((tiles["moved_m"] ** 2).sum())


def test_areas_in_a_row_stay_in_their_order():
    shapes = squares(*[(1000 * i, 0) for i in (3, 0, 4, 1, 2)])
    x = hexagons(shapes).centroid.x.to_numpy()
    assert np.argsort(x).tolist() == np.argsort(shapes.centroid.x.to_numpy()).tolist()


@pytest.mark.parametrize("codes", [["A", "B"], ["B", "A"]])
def test_a_tie_goes_to_the_lower_code(codes):
    # Both lie in the same place: only the code can tell which of them takes the first cell.
    shapes = pd.concat([squares((0, 0), (0, 0), codes=codes), squares((1000, 0), codes=["C"])], ignore_index=True)
    tiles = hexagons(shapes).set_index("code")
    place = [(tiles.loc[c, "row"], tiles.loc[c, "column"]) for c in ("A", "B")]
    assert place == sorted(place)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        pytest.param(squares((0, 0), (1, 1), codes=["A", "A"]), "stand once", id="a code twice"),
        pytest.param(squares((0, 0)).to_crs(4326), "metres", id="degrees"),
        pytest.param(squares((0, 0)).rename(columns={"code": "name"}), "column", id="no codes"),
        pytest.param(block(1).iloc[:0], "stand once", id="nothing"),
        pytest.param(block(1).set_geometry([shapely.Point(1, 1)], crs=27700), "without a shape", id="a point"),
    ],
)
def test_shapes_that_cannot_be_placed_are_refused(shapes, words):
    with pytest.raises(PlaceError, match=words):
        hexagons(shapes)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        pytest.param([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (2.8, 4.6, 6.4, 8.2), id="five alike in number"),
        pytest.param([0, 0, 0, 0, 0, 0, 0, 0, 10, 20], (2.0,), id="many at the lowest"),
        pytest.param([5, 5, 5], (), id="all alike"),
        pytest.param([3, np.nan, None], (), id="one value"),
    ],
)
def test_edges_make_classes_of_like_number_and_none_that_is_empty(values, edges):
    found = quantile_edges(values)
    assert found == pytest.approx(edges)
    level = shade(values, edges=found).areas["level"]
    assert set(level) - {-1} == set(range(len(found) + 1))


def test_edges_are_rounded_as_the_key_says_them():
    edges = quantile_edges([1.111, 2.222, 3.333, 4.444], classes=2, places=1)
    assert edges == (2.8,)
    assert shade([2.79, 2.8], edges=edges).words(1) == ("under 2.8", "2.8 or more")
    assert shade([2.79, 2.8], edges=edges).areas["level"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("lower", "upper", "side"),
    [
        pytest.param(11, 30, "above", id="wholly above"),
        pytest.param(1, 9, "below", id="wholly below"),
        pytest.param(9, 11, "unclear", id="holds it"),
        pytest.param(10, 30, "unclear", id="starts on it"),
        pytest.param(1, 10, "unclear", id="ends on it"),
        pytest.param(np.nan, 30, "", id="no limit"),
    ],
)
def test_an_area_is_hatched_when_its_interval_holds_the_average(lower, upper, side):
    made = shade([15.0], edges=(), lower=[lower], upper=[upper], average=10.0).areas.iloc[0]
    assert (made["side"], made["hatched"]) == (side, side == "unclear")


def test_an_area_without_a_value_has_neither_class_nor_side():
    made = shade([np.nan, 5.0], lower=[1, 1], upper=[9, 9], average=5.0).areas
    assert made.values.tolist() == [[-1, "", False], [0, "unclear", True]]


def test_sides_that_the_caller_knows_are_taken():
    made = shade([1.0, 2.0, np.nan], side=["above", None, "unclear"], lower=[0, 0, 0], upper=[9, 9, 9], average=1.0)
    assert made.areas["side"].tolist() == ["above", "", ""]


@pytest.mark.parametrize(
    "wrong",
    [{"edges": (3, 2)}, {"edges": (2, 2)}, {"side": ["high", ""]}, {"lower": [1], "upper": [2, 3], "average": 1}],
    ids=["edges fall", "edges repeat", "another word", "a limit too few"],
)
def test_classes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(PlaceError):
        shade([1.0, 2.0], **wrong)


def test_what_is_drawn_is_what_the_classes_say():
    shapes = block(3)
    values = [1, 2, 3, 4, 5, 6, 7, 8, np.nan]
    sides = ["above", "unclear", "unclear", "", "below", "unclear", "", "", ""]
    shading = shade(values, edges=(2.5, 6.5), side=sides)
    _, axes = axes_of(shapes, shading, labels=list("123456789"))
    plain = {to_hex(c.get_facecolor()[0]).upper(): len(c.get_paths()) for c in axes.collections if not c.get_hatch()}
    assert plain == {"#F2F6FA": 2, "#C5DBEF": 4, "#6BACE6": 2, "#FFFFFF": 1}
    hatched = [c for c in axes.collections if c.get_hatch()]
    middles = {tuple(np.round(p.vertices[:4].mean(axis=0))) for c in hatched for p in c.get_paths()}
    assert middles == {tuple(np.round([s.centroid.x, s.centroid.y])) for s in shapes.geometry.iloc[[1, 2, 5]]}
    dotted = {len(c.get_paths()): c.get_linestyle()[0][1] for c in axes.collections if not c.get_hatch()}
    assert [n for n, dashes in dotted.items() if dashes is not None] == [1]
    assert [t.get_text() for t in axes.texts] == list("123456789")


def test_larger_areas_are_outlined_and_named_once_and_a_shape_without_a_name_is_in_none():
    shapes = block(3)
    _, axes = axes_of(shapes, shade([1.0] * 9))
    drawn = len(axes.collections)
    outline(axes, shapes, ["West", "East", "East"] * 2 + ["West", "East", None], STYLE)
    assert [t.get_text() for t in axes.texts] == ["East", "West"]
    edges = [path for c in axes.collections[drawn:] for path in c.get_paths()]
    assert len(edges) == 2
    # By hand: around the five squares in the east run ten sides, around the three in the west eight.
    assert {round(shapely.LineString(p.vertices).length) for p in edges} == {10_000, 8_000}


def test_a_hatch_shows_on_light_and_on_dark():
    shading = shade([1, 2], edges=(1.2, 1.4, 1.6, 1.8), side=["unclear", "unclear"])
    _, axes = axes_of(block(2).iloc[:2], shading)
    lines = {to_hex(c.get_edgecolor()[0]).upper() for c in axes.collections if c.get_hatch()}
    assert lines == {"#8A8A8A", "#FFFFFF"}


def test_the_key_names_what_is_there_and_nothing_else():
    words = [p.get_label() for p in key(shade([1, 2], edges=(1.5,)), STYLE, unclear="u", nothing="n")]
    assert words == ["under 1.5", "1.5 or more"]
    both = shade([1, np.nan], edges=(1.5,), side=["unclear", ""])
    assert [p.get_label() for p in key(both, STYLE, unclear="u", nothing="n")][2:] == ["u", "n"]


@pytest.mark.parametrize(
    "wrong", [{"values": [1.0]}, {"labels": ["a"]}, {"edges": (1, 2, 3, 4, 5, 6)}], ids=["rows", "labels", "colours"]
)
def test_a_map_that_does_not_fit_is_refused(wrong):
    shading = shade(wrong.get("values", [1.0, 2.0]), edges=wrong.get("edges", (1.5,)))
    with pytest.raises(PlaceError):
        axes_of(block(2).iloc[:2], shading, labels=wrong.get("labels"))


def test_the_same_map_is_the_same_svg():
    def svg():
        shapes = embedded_shapes("ward23")
        shading = shade(np.arange(20.0), side=["unclear", "above"] * 10)
        with rc_context({"svg.hashsalt": "test", "svg.fonttype": "path"}):
            figure, axes = axes_of(hexagons(shapes), shading, labels=[str(i) for i in range(20)])
            axes.legend(handles=key(shading, STYLE, unclear="unclear"))
            stream = io.BytesIO()
            figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
        return stream.getvalue()

    assert svg() == svg()
