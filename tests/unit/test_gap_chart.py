"""The chart of gaps: what it accepts, what it says to those who do not see it, and that it is the same each time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import publish_official
from jsna.errors import DisclosureError
from jsna.exhibits.gap_chart import gap_chart
from jsna.exhibits.model import SYNTHETIC

GROUPS = {"no_sen": "No identified SEN", "sen_support": "SEN support", "ehc_plan": "EHC plan"}


def table(**columns):
    frame = pd.DataFrame(
        {
            "place": ["Luton", "Luton", "England", "England"],
            "period": ["2023/24", "2024/25"] * 2,
            "no_sen": [73.0, 75.0, 72.0, 74.0],
            "sen_support": [24.0, 35.0, 26.0, 29.0],
            "ehc_plan": [6.0, 10.0, 9.0, np.nan],
        }
    )
    return frame.assign(**columns)


def drawn(frame, **named):
    shown = publish_official(frame, source="A release")
    words = {
        "id": "gaps",
        "title": "At age 11",
        "panel": "place",
        "period": "period",
        "groups": GROUPS,
        "unit": "% of pupils",
    }
    return gap_chart(shown, **(words | named))


def test_only_a_released_table_is_drawn():
    with pytest.raises(DisclosureError):
        gap_chart(table(), id="a", title="A", panel="place", period="period", groups=GROUPS, unit="%")


def test_the_alternative_text_has_the_newest_figures_of_every_panel():
    alt = drawn(table()).alt
    assert "Luton: No identified SEN 75.0%, SEN support 35.0% and EHC plan 10.0% in 2024/25" in alt
    assert "England: No identified SEN 74.0% and SEN support 29.0% in 2024/25" in alt
    assert "nan" not in alt
    assert alt.endswith(".")


def test_the_table_behind_has_every_figure_and_no_empty_cell():
    rows = [line.split(",") for line in drawn(table()).table_csv.splitlines()]
    assert rows[0] == ["Period", "Place", "No identified SEN", "SEN support", "EHC plan"]
    assert len(rows) == 5
    assert rows[4] == ["2024/25", "England", "74.0", "29.0", "x"]
    assert all(cell for row in rows for cell in row)


def test_limits_stand_in_the_table_where_there_are_any():
    shown = drawn(table(sen_support_lower=[20.0, np.nan, 25.0, np.nan], sen_support_upper=[28.0, np.nan, 27.0, np.nan]))
    assert "SEN support, lower limit" in shown.table_csv.splitlines()[0]
    assert "28.0" in shown.table_csv.splitlines()[1]


def test_a_group_without_a_column_is_left_out_and_the_others_keep_their_marks():
    shown = drawn(table().drop(columns="no_sen"))
    assert "No identified SEN" not in shown.alt + shown.table_csv
    colours = [colour for colour in (b"#12436d", b"#f46a25", b"#801650") if colour in shown.svg]
    assert colours == [b"#f46a25", b"#801650"]


def test_nothing_to_draw_is_said():
    assert drawn(table(no_sen=np.nan, sen_support=np.nan, ehc_plan=np.nan)).kind == "notice"


def test_the_same_bytes_each_time_and_a_change_of_a_figure_changes_them():
    assert drawn(table()).svg == drawn(table()).svg
    assert drawn(table()).svg != drawn(table(ehc_plan=[6.0, 11.0, 9.0, np.nan])).svg


def test_order_of_rows_does_not_change_what_is_drawn_within_a_panel():
    assert drawn(table()).svg == drawn(table().iloc[[1, 0, 3, 2]].reset_index(drop=True)).svg


def test_a_synthetic_table_says_so_in_the_picture_and_keeps_its_unit():
    from dataclasses import replace

    shown = publish_official(table(), source="A release")
    words = {"id": "g", "title": "T", "panel": "place", "period": "period", "groups": GROUPS, "unit": "% of pupils"}
    plain, made_up = gap_chart(shown, **words), gap_chart(replace(shown, synthetic=True), **words)
    assert made_up.synthetic
    assert SYNTHETIC in made_up.html()
    assert len(made_up.svg) > len(plain.svg)


def test_breaks_and_an_axis_that_does_not_start_at_0_are_drawn():
    plain = drawn(table())
    assert drawn(table(), breaks=("2024/25",)).svg != plain.svg
    assert drawn(table(), breaks=("2023/24",)).svg == plain.svg  # nothing stands before the first year
    high = drawn(table(sen_support=[88.0, 87.0, 86.0, 85.0], ehc_plan=[91.0, 90.0, 89.0, 88.0]))
    assert high.kind == "chart"
