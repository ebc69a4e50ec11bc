"""Charts and tables: readable with little or nothing to show, the same bytes each run, never an empty cell."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import Released
from jsna.exhibits import charts
from jsna.exhibits.charts import bars, dot_interval, forest
from jsna.exhibits.tables import format_number, table_exhibit
from jsna.exhibits.trend_chart import trend


def released(frame, **symbols):
    marks = pd.DataFrame("", index=frame.index, columns=frame.columns)
    for column, values in symbols.items():
        marks[column] = values
    return Released(frame, marks, "a test", synthetic=True)


def groups(n, value=10.0):
    names = [f"Group {i} with quite a long name that has to be wrapped somewhere" for i in range(n)]
    return pd.DataFrame({"g": names, "v": value, "lo": value * 0.8, "hi": value * 1.2, "s": "no evidence"})


def chart(kind, table):
    if kind == "dot":
        return dot_interval(table, id="x", title="T", group="g", value="v", lower="lo", upper="hi", unit="%")
    if kind == "forest":
        return forest(table, id="x", title="T", group="g", ratio="v", lower="lo", upper="hi", status="s", axis="Ratio")
    return bars(table, id="x", title="T", group="g", value="v", unit="% of pupils")


@pytest.mark.parametrize("kind", ["dot", "forest", "bars"])
@pytest.mark.parametrize("n", [1, 60])
def test_one_group_and_sixty_make_a_picture_with_words_and_a_table(kind, n):
    exhibit = chart(kind, released(groups(n, 1.0)))
    assert exhibit.svg.startswith(b"<?xml")
    assert b"<metadata" not in exhibit.svg
    assert b"\n " not in exhibit.svg  # indents, which a telephone would load
    assert "Group 0" in exhibit.alt
    assert exhibit.table_csv.count("\n") == n + 1
    assert exhibit.html().count("<tr>") == n + 1


@pytest.mark.parametrize("kind", ["dot", "forest", "bars"])
@pytest.mark.parametrize("n", [2, 60])
@pytest.mark.parametrize("name", ["A", "Speech, language and communication needs", "Long words of a label, " * 6])
def test_no_label_overlaps_the_next_or_leaves_the_picture(kind, n, name, monkeypatch):
    drawn = []
    monkeypatch.setattr(charts, "as_svg", lambda figure, synthetic: drawn.append(figure) or b"<?xml")
    chart(kind, released(groups(n, 1.0).assign(g=[f"{i} {name}"[:120] for i in range(n)])))
    (figure,) = drawn
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in figure.axes[0].get_yticklabels()]
    assert all(lower.y1 <= upper.y0 + 0.5 for upper, lower in pairwise(boxes))
    assert min(b.x0 for b in boxes) >= 0


@pytest.mark.parametrize("kind", ["dot", "forest", "bars"])
def test_nothing_to_show_is_said_and_not_drawn(kind):
    frame = groups(3).assign(v=np.nan, lo=np.nan, hi=np.nan)
    exhibit = chart(kind, released(frame, v="c", lo="c", hi="c"))
    assert exhibit.kind == "notice"
    assert "Not shown" in exhibit.html()


@pytest.mark.parametrize("kind", ["dot", "forest", "bars"])
def test_the_same_table_gives_the_same_bytes(kind):
    assert chart(kind, released(groups(4))).svg == chart(kind, released(groups(4))).svg


@pytest.mark.parametrize("hidden", ["A", "B"], ids=["the highlight", "a comparator"])
def test_a_trend_survives_a_series_that_is_hidden_whole(hidden):
    frame = pd.DataFrame({"p": ["1", "2"] * 2, "g": ["A", "A", "B", "B"], "v": [1.0, 2.0, 3.0, 4.0]})
    frame["v"] = frame["v"].mask(frame["g"] == hidden)
    marks = ["c" if g == hidden else "" for g in frame["g"]]
    exhibit = trend(released(frame, v=marks), id="x", title="T", x="p", series="g", value="v", highlight="A")
    assert exhibit.kind == "chart"
    assert exhibit.table_csv.count(",c,") == 2


def test_a_synthetic_exhibit_says_so_wherever_it_goes():
    exhibit = chart("bars", released(groups(2)))
    assert "Synthetic data" in exhibit.html()
    assert exhibit.table_csv.splitlines()[1].endswith(",synthetic")


def test_a_table_has_no_empty_cell_and_a_legend_for_its_symbols():
    frame = pd.DataFrame({"name": ["A", None], "n": [5.0, np.nan]})
    columns = [{"name": "name", "label": "Name", "kind": "text"}, {"name": "n", "label": "N", "kind": "count"}]
    marks = {"n": ["", "c"]}
    html = table_exhibit(released(frame, **marks), id="x", title="T", columns=columns, row_header="name").html()
    assert "<td></td>" not in html
    assert "></th>" not in html
    assert "hidden to protect people" in html


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.5, "count", "1"),
        (1.25, "percent", "1.3"),
        (-0.05, "points", "−0.1"),
        (2.675, "ratio", "2.68"),
        (np.inf, "ratio", "no upper limit"),
        (0.0001, "p", "<0.001"),
        (1234567, "count", "1,234,567"),
    ],
)
def test_numbers_are_rounded_once_half_away_from_zero(value, kind, text):
    assert format_number(value, kind) == text
