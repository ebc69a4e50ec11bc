"""Maps as exhibits: what a tile bears, and that a number on it is one that can be read."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.maps import hexagons
from jsna.disclosure import publish_official
from jsna.exhibits import maps


def places(side):
    row, column = np.divmod(np.arange(side * side), side)
    boxes = [shapely.box(c, -r, c + 1000, 1000 - r) for r, c in zip(1000 * row, 1000 * column, strict=True)]
    return gpd.GeoDataFrame({"ward_code": [f"W{i:04d}" for i in range(side**2)]}, geometry=boxes, crs=27700)


def shown(side, **named):
    shapes = places(side)
    n = len(shapes)
    frame = pd.DataFrame({"ward_code": shapes["ward_code"], "label": [f"Ward {i}" for i in range(n)]})
    frame = frame.assign(share=np.linspace(1, 99, n), lower=np.linspace(0, 90, n), upper=np.linspace(10, 100, n))
    frame["district"] = np.where(np.arange(n) < n / 2, "North", "South")
    how = {"id": "a", "title": "A map", "code": "ward_code", "label": "label", "value": "share", "unit": "%"} | named
    return maps.map_with_tiles(publish_official(frame, source="a test"), shapes, **how)


@pytest.mark.parametrize(("side", "numbered"), [(3, True), (7, True), (10, True), (15, True), (30, False)])
def test_a_number_that_could_not_be_read_is_left_out_with_its_column(side, numbered):
    assert shown(side).table_csv.startswith("Number on the map") is numbered


@pytest.mark.parametrize("side", [5, 7, 8, 10, 15, 30])
def test_type_on_tiles_is_never_too_small_to_read(side):
    tiles = hexagons(places(side), "ward_code")
    _, _, _, room = maps._two(tiles)
    size = maps._type_size(tiles, room)
    assert size == 0 or maps.LEAST_TYPE <= size <= maps.MOST_TYPE


def test_marks_above_and_below_stay_where_numbers_go():
    drawn = pd.DataFrame({"number": [1.0, 2.0, np.nan]})
    shading = maps.shade([1, 2, 3], edges=(1.5,), side=["above", "unclear", "below"])
    assert maps._numbers(drawn, shading, 0) == ["▲", "", "▼"]
    assert maps._numbers(drawn, shading, 8) == ["1 ▲", "2", "x ▼"]


def test_many_areas_make_one_map_below_the_other_and_few_side_by_side():
    wide, high = maps._two(places(3))[3], maps._two(places(10))[3]
    assert wide[0] == high[0] / 2


def test_districts_are_drawn_only_where_there_are_several(monkeypatch):
    named = []
    monkeypatch.setattr(maps, "outline", lambda axes, shapes, names, style, font_size: named.append(set(names)))
    shown(10, districts="district")
    assert named == [{"North", "South"}]
    shown(10)
    assert len(named) == 1


def test_a_ward_without_a_shape_is_named_and_keeps_its_place_in_the_table():
    shapes = places(3)
    codes = [*shapes["ward_code"], "W9999"]
    frame = pd.DataFrame({"ward_code": codes, "label": list("ABCDEFGHIJ"), "share": range(10)})
    how = {"id": "a", "title": "A map", "code": "ward_code", "label": "label", "value": "share", "unit": "%"}
    made = maps.map_with_tiles(publish_official(frame, source="a test"), shapes, **how)
    assert made.table_csv.count("\n") == 11
    assert made.notes == ("Without a shape, so not on the map: J.",)
