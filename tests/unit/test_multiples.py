"""Small multiples, and what no chart may stumble over: odd names, missing type, nothing to show."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from picture_texts import overlaps

from jsna.disclosure import Released
from jsna.exhibits import charts
from jsna.exhibits.multiples import small_multiples
from jsna.exhibits.trend_chart import trend

LONG = " ".join(["A name of one hundred and twenty letters, as long as any label of the census,"] * 2)[:120]
ODD = ["Bristol, City of", "King’s Lynn & West", "King's Lynn", "x < y", "School meals ($ a week, $ a month)", LONG]


def released(names, values, years=(2025, 2026, 2027)):
    rows = [
        {"part": n, "year": y, "value": v, "low": v * 0.8, "high": v * 1.2}
        for n, vs in zip(names, values, strict=True)
        for y, v in zip(years, vs, strict=True)
    ]
    frame = pd.DataFrame(rows)
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns).mask(frame.isna(), "c")
    return Released(frame, symbols, "a source", False, ())


def made(table, **more):
    given = {"id": "x", "title": "Plans by age", "panel": "part", "x": "year", "value": "value", "unit": "Plans"} | more
    return small_multiples(table, **given)


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn, to be measured."""
    seen = []
    monkeypatch.setattr(charts, "as_svg", lambda figure, synthetic: seen.append(figure) or b"<svg/>")
    return seen


@pytest.mark.parametrize("number", [1, 2, 5, 7, 13, 60])
def test_all_panels_have_the_axes_of_all_and_no_text_lies_on_another(figures, number):
    names = [*ODD, *(f"Group {n}" for n in range(60))][:number]
    made(released(names, [(10 * n + 1, 20, 1500) for n in range(number)]), lower="low", upper="high")
    (figure,) = figures
    panels = [a for a in figure.axes if a.get_visible()]
    assert len(panels) == number
    assert len({(a.get_xlim(), a.get_ylim()) for a in panels}) == 1
    assert panels[0].get_ylim()[1] >= 1500 * 1.2
    assert overlaps(figure) == []


def test_a_hidden_value_is_a_gap_and_a_hidden_group_says_so(figures):
    values = [(1.0, np.nan, 3.0), (np.nan, np.nan, np.nan), (5.0, 6.0, 9.0)]
    exhibit = made(released(["a", "b", "c"], values))
    first, second, _ = figures[0].axes
    assert np.isnan(first.lines[0].get_ydata()[1])
    assert not second.lines
    assert "not shown" in [t.get_text() for t in second.texts]
    assert "a: 1 to 3" in exhibit.alt
    assert "c: 5 to 9" in exhibit.alt
    assert "1 cannot be shown" in exhibit.alt


def test_of_many_groups_the_alt_text_names_the_least_and_the_most_change():
    exhibit = made(released(list("abcdef"), [(10, 10, 10 + 3 * n) for n in range(6)]))
    assert "6 groups (Plans)" in exhibit.alt
    assert "a: 10 to 10; f: 10 to 25." in exhibit.alt
    assert "b:" not in exhibit.alt


def test_where_every_value_is_hidden_a_notice_stands_in_its_place():
    assert made(released(["a"], [(np.nan,) * 3])).kind == "notice"


def test_the_table_behind_has_every_number():
    exhibit = made(released(["a", "b"], [(1, 2, 3), (4, 5, 6)]), lower="low", upper="high")
    assert len(exhibit.table_csv.strip().splitlines()) == 7
    assert "6" in exhibit.table_csv


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_drawn_as_they_stand(name):
    frame = pd.DataFrame({"g": [name, "b"], "v": [1.0, 2.0], "l": [0.5, 1.0], "u": [2.0, 3.0], "x": ["1", "1"]})
    table = Released(frame, pd.DataFrame("", index=frame.index, columns=frame.columns), "s", False, ())
    shown = [
        charts.dot_interval(table, id="x", title="t", group="g", value="v", lower="l", upper="u", unit="%"),
        charts.bars(table, id="x", title="t", group="g", value="v", unit="pupils"),
        trend(table, id="x", title="t", x="x", series="g", value="v", highlight=name),
        made(released([name], [(1, 2, 3)])),
    ]
    assert all(e.svg and e.svg.startswith(b"<?xml") for e in shown)


def test_no_type_can_be_missing():
    from matplotlib import rcParams

    before = dict(rcParams)
    try:
        rcParams["font.family"] = "No Such Type"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert made(released(["a"], [(1, 2, 3)])).svg
    finally:
        rcParams.update(before)


def test_the_same_bytes_in_every_process(tmp_path, repository):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_multiples import *;"
        "import hashlib; print(hashlib.sha256(made(released(['a', 'b'], [(1, 2, 3), (4, 5, 6)])).svg).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program, str(repository / "tests" / "unit")],
            env={
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(repository), str(repository / "tests")]),
                "HOME": str(tmp_path),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
