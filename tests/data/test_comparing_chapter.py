"""What the chapter on the EHC process says of an area beside others, with the published files."""

from __future__ import annotations

import pytest

from jsna.area import Area
from jsna.chapters import comparing
from jsna.params import Params

LUTON, KENT = "E06000032", "E10000016"


@pytest.fixture(scope="module")
def area(official_data):
    return {code: Area(Params(areas=[code], source="official", data=str(official_data))) for code in (LUTON, KENT)}


@pytest.mark.parametrize(
    ("indicator", "said"),
    [("EHC-02", "The verdict depends on the set."), ("EHC-05", "The verdict is the same whichever set is taken.")],
)
def test_whether_the_verdict_changes_with_the_neighbours_stands_under_the_chart(area, indicator, said):
    shown = comparing.beside(area[LUTON], indicator)
    assert shown.notes[0].endswith(said)
    assert "Department for Education" in shown.source or "Education, health and care plans" in shown.source


def test_with_one_published_set_it_says_that_another_is_not_at_hand(area):
    assert (
        "it cannot be shown whether another published set would change"
        in comparing.beside(area[KENT], "EHC-05").notes[0]
    )


def test_the_funnel_says_where_the_area_lies_and_how_much_authorities_differ(area):
    shown = comparing.among_all(area[LUTON], "EHC-05")
    assert "Luton (27.1%) is inside the limits" in shown.alt
    assert any("times that of chance alone" in note for note in shown.notes)


def test_what_is_published_without_counts_has_no_funnel_and_says_what_to_look_at(area):
    shown = comparing.among_all(area[LUTON], "IDN-01")
    assert shown.kind == "notice"
    assert "show the place among all instead" in shown.body


def test_an_area_without_official_files_gets_a_notice():
    assert comparing.beside(Area(Params()), "EHC-05").kind == "notice"
    assert comparing.among_all(Area(Params()), "EHC-05").kind == "notice"


def test_nothing_is_said_to_agree_where_nothing_can_be_set_side_by_side(area):
    for one in (area[LUTON], Area(Params())):
        assert "can be set beside a published one here" in comparing.own_and_published(one).title
