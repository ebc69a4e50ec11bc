"""The pipeline's overview and its words: what is drawn, said in the alternative text, and promised by whom."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from jsna.area import Area
from jsna.chapters import ehc, pipeline, pipeline_around
from jsna.chapters.pipeline_periods import dated
from jsna.disclosure import publish_official
from jsna.errors import DisclosureError
from jsna.exhibits.model import Exhibit
from jsna.exhibits.pipeline_chart import matrix
from jsna.params import Params

ROWS = [
    ("Pakistani", "Refused", 0.57, "watch"),
    ("Pakistani", "In time", 1.31, "watch"),
    ("Irish", "Refused", 1.9, "insufficient data"),
    ("Irish", "In time", None, "insufficient data"),
    ("White British", "Refused", 1.02, "no evidence"),
]
COLUMNS = [
    {"name": "label", "label": "Group", "kind": "text"},
    {"name": "heading", "label": "Stage", "kind": "text"},
    {"name": "ratio", "label": "Ratio", "kind": "ratio"},
]


def _released(rows=ROWS):
    frame = pd.DataFrame(rows, columns=["label", "heading", "ratio", "status"]).astype({"ratio": "float64"})
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns)
    symbols.loc[frame["ratio"].isna(), "ratio"] = "u"
    return publish_official(frame, source="made up", symbols=symbols)


def _matrix(table, stages=("Refused", "In time")) -> Exhibit:
    return matrix(
        table,
        id="m",
        title="A title",
        group="label",
        stage="heading",
        ratio="ratio",
        status="status",
        stages=stages,
        columns=COLUMNS,
        row_header="label",
    )


def test_the_alternative_text_tells_size_and_what_stands_out_the_furthest_first():
    alt = _matrix(_released()).alt
    assert alt.startswith("Matrix of ratios to all others: A title. 3 groups by 2 stages; 2 to watch: ")
    assert "Pakistani at “Refused” 0.57 and Pakistani at “In time” 1.31" in alt
    assert alt.endswith("1 too few to tell; 1 not shown.")


def test_every_row_is_in_the_table_those_of_other_stages_too():
    made = _matrix(_released(), stages=("Refused",))
    assert made.table_csv.count("\n") == len(ROWS) + 1
    assert "Irish,In time,u" in made.table_csv
    assert "by 1 stage; 1 to watch" in made.alt


def test_the_same_picture_every_time_and_none_where_nothing_can_be_shown():
    assert _matrix(_released()).svg == _matrix(_released()).svg
    nothing = _matrix(_released([("Irish", "Refused", None, "insufficient data")]), stages=("Refused",))
    assert nothing.kind == "notice"


def test_only_what_passed_the_gate_is_drawn():
    with pytest.raises(DisclosureError):
        _matrix(pd.DataFrame(ROWS, columns=["label", "heading", "ratio", "status"]))


@pytest.fixture(scope="module")
def area() -> Area:
    return Area(Params())


@pytest.fixture(scope="module")
def own(area):
    return pipeline.own(area)


def test_the_embedded_area_shows_its_stages_by_group_and_within_age(own):
    assert {"refused_of_decided", "six_weeks", "in_20_weeks_ex", "over_a_year", "review_in_4_weeks"} <= set(
        own.outcomes
    )
    row = own.table.frame.query("outcome == 'in_20_weeks_ex' and group == 'APKN'").iloc[0]
    # planted: 0.6 of the others (jsna/synthetic/planted.yml)
    assert row["risk_ratio_lower"] < 0.6 < row["risk_ratio_upper"] < 1
    assert row["age_lower"] < 0.6 < row["age_upper"]


def test_the_summary_says_how_many_were_tested_and_that_it_is_not_about_need(own, area):
    made = pipeline.summary(own, area)
    known = own.table.frame[own.table.frame["known"]]
    assert f"{len(known)} comparisons" in made.title
    assert f"{known['status'].isin(['insufficient data', 'not shown']).sum()} could not be judged" in made.title
    assert "in Luton (synthetic)" in made.title
    said = " ".join(made.notes)
    assert "not about need" in said
    assert "false discovery rate" in said
    flags = made.extras["flags"]
    assert len(flags) == len(own.table.frame)
    assert {f["status"] for f in flags} <= {"watch", "no evidence", "insufficient data", "not shown"}
    assert not [f for f in flags if f["numerator"] in ("1", "2", "3", "4")]
    assert made.extras["card"]["comparisons_made"] == len(known)
    assert sum("not_compared" not in f["reasons"] for f in flags) == len(known)


def test_a_source_line_names_the_periods_of_the_stages_shown_alone():
    table = _released().with_columns(outcome=["a", "b", "a", "b", "a"])
    periods = {"a": "2024", "b": "202425"}
    assert dated(table, periods).source == "made up, 2024 and January 2025"
    assert dated(table.rows(table.frame["outcome"] == "a"), periods).source == "made up, 2024"


def test_every_exhibit_of_own_lists_says_that_it_is_synthetic_and_has_no_empty_cell(own, area):
    shown = [pipeline.glance(own, d) for d in ("ethnicity", "sex", "age")]
    shown += [pipeline.overall(own, area), pipeline.ratios(own, "in_20_weeks_ex", "ethnicity")]
    shown += [e for e in pipeline.each_stage(own, area).items if e.kind == "table"]
    for exhibit in shown:
        assert exhibit.synthetic
        assert not re.search(r"<td[^>]*></td>", exhibit.body)
        assert "nan" not in exhibit.table_csv.casefold().split(",")


def test_the_aim_is_that_of_the_areas_frame_and_no_other_areas(area):
    assert "Luton SEND strategy" in ehc.promise(area, "EHC-05")
    elsewhere = Area(Params(areas=["E06000038"], source="official", data="nowhere"))
    assert "Luton" not in ehc.promise(elsewhere, "EHC-05")
    assert ehc.promise(area, "EHC-11") == ""


def test_a_year_whose_list_has_only_quick_plans_is_left_out_and_named(area):
    made = ehc.timeliness_finding(area)
    assert any("2023 are left out" in note for note in made.notes)
    assert "2023" not in ehc.timeliness_by_year(area).table_csv


def test_what_needs_the_release_is_a_notice_where_there_is_none(area):
    made = pipeline.official(area)
    assert isinstance(made, Exhibit)
    for exhibit in (
        pipeline.summary(made, area),
        pipeline.glance(made, "age"),
        pipeline_around.england(made, area, "refused"),
        pipeline_around.appeals(area),
    ):
        assert exhibit.kind == "notice"


def test_a_stage_that_the_lists_do_not_tell_is_a_gap(own):
    made = pipeline.ratios(own, "plan_after_assessment", "ethnicity")
    assert "gap" in made.extras
    assert "gap" in pipeline_around.by_age(own).extras
