"""Every chart with bad input: something readable, never an overlap, a cut text or an error, and the same bytes."""

from __future__ import annotations

import ast
import importlib
import inspect
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib import rcdefaults, rcParams
from picture_texts import caught_figures, faults

import jsna
from jsna.chapters.sufficiency_chart import fan
from jsna.disclosure import Released
from jsna.exhibits.charts import bars, dot_interval, forest, specification_dots
from jsna.exhibits.comparing import beside_chart, funnel_chart, rank_chart
from jsna.exhibits.gap_chart import gap_chart
from jsna.exhibits.maps import map_with_tiles, paired_tiles
from jsna.exhibits.model import SYNTHETIC, Exhibit
from jsna.exhibits.multiples import small_multiples
from jsna.exhibits.pipeline_chart import matrix
from jsna.exhibits.trend_chart import trend
from jsna.pack.ratio_picture import ratio_picture

LEAST_TYPE = 6.5  # points: smaller type cannot be read
LONG = f"Pupils whose first language is {'known or believed to be ' * 3}other than English"[:120]
WORD = "Llanfairpwllgwyngyll" * 6
ODD = ("Bristol, City of", "King's Lynn", "St. Helens", "$5 or $6 a_week", "x < y & z", "50% \\ {a}")


@dataclass(frozen=True)
class Case:
    """Names of groups, their values, and the words beside them."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    words: str = "% of pupils"

    def frame(self, **more) -> pd.DataFrame:
        made = pd.DataFrame({"g": pd.Series(self.names, dtype=object), "v": np.array(self.values, float)})
        return made.assign(lo=made["v"] * 0.8, hi=made["v"] * 1.25, **more)


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"Group {i} of sixty" for i in range(1, n + 1))


def _cases() -> dict[str, Case]:
    three = ("North", "South", "West")
    return {
        "no data": Case((), ()),
        "all missing": Case(three, (np.nan,) * 3),
        "one group": Case(("North",), (0.7,)),
        "sixty groups": Case(_numbered(60), tuple(0.4 + 0.03 * i for i in range(60))),
        "twenty equal": Case(_numbered(20), (0.9,) * 20),
        "120 characters": Case((LONG, f"Other {LONG}"[:120], "West"), (0.7, 0.72, 2.0), words=LONG),
        "one long word": Case((WORD, f"Other{WORD}"[:120], "West"), (0.7, 0.72, 2.0), words=WORD),
        "odd names": Case(ODD, (0.3, 0.31, 0.32, 0.9, 1.0, 4.0)),
        "zeros": Case(three, (0.0,) * 3),
        "some missing": Case(three, (0.7, np.nan, 0.72)),
        "large beside small": Case(three, (0.0004, 1.1, 2_345_678.0)),
    }


CASES = _cases()
EMPTY = ("no data", "all missing")


def released(frame: pd.DataFrame) -> Released:
    symbols = pd.DataFrame("", index=frame.index, columns=frame.columns).mask(frame.isna(), "c")
    return Released(frame, symbols, "A test", synthetic=True)


NAMED = {"id": "x", "title": "The finding"}
LIMITS = {"lower": "lo", "upper": "hi"}
COLUMNS = [{"name": "g", "label": "Group", "kind": "text"}, {"name": "v", "label": "Value", "kind": "ratio"}]


def over(case: Case, years: tuple[int, ...]) -> pd.DataFrame:
    """A row a group and year, the values rising."""
    rows = [case.frame().assign(year=y, p=f"{y}/{(y + 1) % 100:02d}") for y in years]
    made = pd.concat(rows, ignore_index=True)
    steps = 1 + 0.1 * (made["year"] - years[0])
    return made.assign(v=made["v"] * steps, lo=made["lo"] * steps, hi=made["hi"] * steps)


def draw_dots(case: Case) -> Exhibit:
    return dot_interval(
        released(case.frame()),
        **NAMED,
        group="g",
        value="v",
        **LIMITS,
        unit=case.words,
        reference_line=max(case.values, default=0),
        reference_label=case.words,
        highlight=case.names[0] if case.names else "",
    )


def draw_forest(case: Case) -> Exhibit:
    words = ("over-identified", "watch", "no evidence")
    frame = case.frame(s=[words[i % 3] for i in range(len(case.names))])
    frame = frame.assign(b=frame["v"] * 1.1, hi=frame["hi"].mask(frame["v"] == 4.0, np.inf))
    how = {"status": "s", "axis": case.words, "beside": "b", "beside_label": case.words}
    return forest(released(frame), **NAMED, group="g", ratio="v", **LIMITS, **how)


def draw_specifications(case: Case) -> Exhibit:
    frame = pd.concat([case.frame(asks=i % 2 == 0).assign(v=lambda f, i=i: f["v"] * i) for i in range(1, 5)])
    how = {"asks": "asks", "columns": COLUMNS}
    return specification_dots(released(frame.reset_index(drop=True)), **NAMED, group="g", ratio="v", **how)


def draw_bars(case: Case) -> Exhibit:
    return bars(released(case.frame()), **NAMED, group="g", value="v", unit=case.words)


def draw_trend(case: Case) -> Exhibit:
    how = {"highlight": case.names[0] if case.names else "", "breaks": ["2021/22"], "unit": case.words}
    table = released(over(case, (2019, 2020, 2021, 2022)))
    return trend(table, **NAMED, x="p", series="g", value="v", break_label=case.words, **how)


def draw_panels(case: Case) -> Exhibit:
    how = {"panel": "g", "x": "year", "value": "v", "unit": case.words}
    return small_multiples(released(over(case, (2025, 2026, 2027))), **NAMED, **how, **LIMITS)


def draw_gaps(case: Case) -> Exhibit:
    frame = over(case, (2021, 2022, 2023))
    frame = frame.assign(a=frame["v"], b=frame["v"] * 0.5, c=frame["v"] * 0.9, a_lower=frame["lo"], a_upper=frame["hi"])
    groups = {"a": case.names[0] if case.names else "A", "b": "SEN support", "c": case.words}
    return gap_chart(
        released(frame), **NAMED, panel="g", period="p", groups=groups, unit=case.words, breaks=["2022/23"]
    )


def draw_funnel(case: Case) -> Exhibit:
    frame = case.frame(area_name=case.names, denominator=np.linspace(100, 9000, len(case.names)))
    frame = frame.rename(columns={"v": "value"}).assign(average=1.0, where="inside")
    for level, wide in (("95", 0.5), ("99_8", 0.8)):
        frame = frame.assign(**{f"lower_{level}": 1 - wide, f"upper_{level}": 1 + wide})
    frame.loc[frame["value"] > 1.5, "where"] = "above the 95% limit"
    ours = case.names[0] if case.names else "North"
    return funnel_chart(released(frame), **NAMED, area=ours, unit=case.words, counted=case.words)


def draw_ranks(case: Case) -> Exhibit:
    frame = case.frame(of=153.0)
    frame["rank"] = np.ceil(frame["v"].clip(1, 100))
    known = frame["v"] != 0.72
    frame = frame.assign(rank_lower=frame["rank"].where(known), rank_upper=(frame["rank"] + 30).where(known))
    return rank_chart(released(frame), **NAMED, label="g")


def draw_beside(case: Case) -> Exhibit:
    frame = case.frame(name=case.names, kind="england", period="2025", verdict="higher", own_value=1.0, own_lower=0.9)
    frame = frame.rename(columns={"v": "value", "lo": "lower", "hi": "upper"}).assign(own_upper=1.1, reason="")
    frame["words"] = "no clear difference"
    for column, said in {"words": "no verdict", "verdict": "no verdict", "reason": "published without counts"}.items():
        frame[column] = frame[column].mask(frame["value"] > 1.5, said)
    return beside_chart(released(frame), **NAMED, area=case.names[-1] if case.names else "North", unit=case.words)


def draw_matrix(case: Case) -> Exhibit:
    words = ("watch", "insufficient data", "no clear difference")
    stages = ("Requests", "Plans issued", case.words)
    frame = pd.concat([case.frame(stage=s) for s in stages], ignore_index=True)
    frame["s"] = [words[i % 3] for i in range(len(frame))]
    how = {"group": "g", "stage": "stage", "ratio": "v", "status": "s", "stages": stages, "columns": COLUMNS}
    return matrix(released(frame), **NAMED, **how, row_header="g")


def draw_fan(case: Case) -> Exhibit:
    """Values are those of years; names say what changed before them."""
    n = len(case.values)
    frame = pd.DataFrame({"year": range(2010, 2010 + n + 5)}).astype({"year": "int64"})
    frame["value"] = [*case.values, *([case.values[-1]] * 5 if n else [])] if n else np.nan
    frame["period"] = "January " + frame["year"].astype(str)
    frame["scenario"] = np.where(np.arange(len(frame)) < n, "observed", "trend")
    for name, times in {"lower_80": 0.9, "upper_80": 1.1, "lower_95": 0.85, "upper_95": 1.2}.items():
        frame[name] = (frame["value"] * times).where(frame["scenario"] == "trend")
    told = dict(list(zip(frame["period"][1:], case.names, strict=False))[:3])
    return fan(released(frame), **NAMED, what=case.words, breaks=told)


def squares(n: int) -> gpd.GeoDataFrame:
    wide = int(np.ceil(np.sqrt(max(n, 1))))
    boxes = [shapely.box(i % wide, -(i // wide), i % wide + 1, 1 - i // wide) for i in range(n)]
    scaled = gpd.GeoSeries(boxes, crs=27700).scale(1000, 1000, origin=(0, 0))
    return gpd.GeoDataFrame({"ward_code": [f"W{i:03d}" for i in range(n)]}, geometry=scaled, crs=27700)


def draw_map(case: Case) -> Exhibit:
    shapes = squares(len(case.names))
    frame = case.frame(ward_code=shapes["ward_code"], d=["North" if i % 2 else "South" for i in range(len(shapes))])
    how = {"code": "ward_code", "label": "g", "value": "v", **LIMITS, "average": 0.8, "unit": case.words}
    return map_with_tiles(released(frame), shapes, **NAMED, **how)


def draw_districts(case: Case) -> Exhibit:
    """Each group is a district of one ward, named on the map."""
    shapes = squares(len(case.names))
    frame = case.frame(ward_code=shapes["ward_code"], d=case.names)
    how = {"code": "ward_code", "label": "g", "value": "v", "unit": case.words, "districts": "d"}
    return map_with_tiles(released(frame), shapes, **NAMED, **how)


def draw_tiles(case: Case) -> Exhibit:
    shapes = squares(len(case.names))
    frame = case.frame(ward_code=shapes["ward_code"])
    how = {"code": "ward_code", "label": "g", "value": "v", **LIMITS, "average": 0.8, "unit": case.words}
    return paired_tiles(released(frame), shapes, **NAMED, **how)


def draw_ratio_picture(case: Case) -> bytes:
    frame = case.frame().rename(columns={"v": "ratio", "lo": "lower", "hi": "upper"})
    return ratio_picture(list(case.names), frame, case.words, mark=SYNTHETIC)


CHARTS = {
    "bars": (draw_bars,),
    "beside_chart": (draw_beside,),
    "dot_interval": (draw_dots,),
    "fan": (draw_fan,),
    "forest": (draw_forest,),
    "funnel_chart": (draw_funnel,),
    "gap_chart": (draw_gaps,),
    "map_with_tiles": (draw_map, draw_districts),
    "matrix": (draw_matrix,),
    "paired_tiles": (draw_tiles,),
    "rank_chart": (draw_ranks,),
    "ratio_picture": (draw_ratio_picture,),
    "small_multiples": (draw_panels,),
    "specification_dots": (draw_specifications,),
    "trend": (draw_trend,),
}
EVERY = [draw for draws in CHARTS.values() for draw in draws]
PARTS = {"as_svg", "chart", "nothing_to_show"}  # of a chart, and no chart by themselves


def drawing_functions() -> set[str]:
    """The public functions of every module that draws with matplotlib and that make an exhibit or a picture."""
    root = Path(jsna.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        own = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom | ast.Import) for a in n.names}
        draws = any(str(m).startswith("matplotlib") for m in imports) or own & {"canvas", "matplotlib.pyplot"}
        if not draws or "kernels" in path.parts:
            continue
        module = importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            if inspect.signature(function).return_annotation in ("Exhibit", "bytes"):
                found.add(name)
    return found - PARTS


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn, to be measured instead of written."""
    return caught_figures(monkeypatch)


def test_every_function_that_draws_is_tried_with_every_bad_input():
    assert drawing_functions() == set(CHARTS)


@pytest.mark.parametrize("case", [c for c in CASES if c not in EMPTY])
@pytest.mark.parametrize("draw", EVERY, ids=lambda d: d.__name__[5:])
def test_whatever_comes_in_texts_are_whole_apart_and_large_enough(draw, case, figures):
    made = draw(CASES[case])
    (figure,) = figures
    assert faults(figure, LEAST_TYPE) == []
    if isinstance(made, Exhibit):
        assert made.alt.endswith(".")
        assert "The finding" in made.alt
        assert "nan" not in made.alt
        assert made.synthetic


TITLES = {
    draw_bars: "between 10.0% (North) and 25.0% (South)",
    draw_beside: "1.0% of pupils, North (10.0% of pupils)",
    draw_dots: "10.0% (North), 25.0% (% of pupils)",
    draw_fan: "25 in January 2011, 23 to 28 in January 2016 (80% range)",
    draw_funnel: "North (10.0% of pupils) is above the 95% limit",
    draw_gaps: "North 12.0%, SEN support 6.0% and % of pupils 10.8% in 2023/24 (North)",
    draw_panels: "South changes most, from 25 to 30",
    draw_ranks: "South: 25 of 153 (25 to 55)",
    draw_specifications: "ratios from 10.00 to 100.00",
    draw_trend: "12.0% in 2021/22, 13.0% in 2022/23 (North)",
}


@pytest.mark.parametrize("draw", TITLES, ids=lambda d: d.__name__[5:])
def test_a_title_ends_with_what_the_numbers_show_and_compares_nothing_across_a_break(draw, figures):
    assert draw(Case(("North", "South"), (10.0, 25.0))).title == f"The finding: {TITLES[draw]}"


def test_dots_have_as_much_room_without_a_highlighted_group(figures):
    table = released(CASES["sixty groups"].frame())
    for group in ("", "Group 1 of sixty"):
        dot_interval(table, **NAMED, group="g", value="v", **LIMITS, unit="%", highlight=group)
    for figure in figures:
        figure.draw_without_rendering()
    without, highlighted = (figure.axes[0].get_position().height for figure in figures)
    assert without == pytest.approx(highlighted, abs=0.002)


def test_no_brackets_stand_within_those_of_a_title(figures):
    made = draw_bars(Case(("Fifth 1 (most deprived)", "Fifth 5"), (10.0, 25.0)))
    assert made.title == "The finding: between 10.0% (Fifth 1, most deprived) and 25.0% (Fifth 5)"


@pytest.mark.parametrize("case", EMPTY)
@pytest.mark.parametrize("draw", [d for d in EVERY if d is not draw_ratio_picture], ids=lambda d: d.__name__[5:])
def test_without_a_figure_a_sentence_stands_in_the_place_of_the_chart(draw, case, figures):
    made = draw(CASES[case])
    assert not figures
    assert made.kind == "notice"
    assert "Not shown: The finding: no figure can be shown." in made.html()


@pytest.mark.parametrize("draw", EVERY, ids=lambda d: d.__name__[5:])
def test_odd_names_and_a_missing_type_give_the_same_bytes_twice(draw):
    rcdefaults()
    first = draw(CASES["odd names"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rcParams["font.family"] = rcParams["font.sans-serif"] = ["No Such Type"]
        try:
            second = draw(CASES["odd names"])
        finally:
            rcParams.update({"font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans"]})
    assert second == first
    if isinstance(first, Exhibit):
        assert first.svg.startswith(b"<?xml")
        assert "nan" not in first.alt


def test_numbers_that_differ_give_other_bytes():
    case = CASES["one group"]
    assert draw_bars(case).svg != draw_bars(replace(case, values=(0.8,))).svg
