"""Charts and sentences of comparisons: words, tables, symbols, the same bytes, nothing that did not pass the gate."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from comparator_samples import LUTON, area, country, rows, values, with_row
from statsmodels.stats.proportion import confint_proportions_2indep

from jsna.disclosure import publish_official
from jsna.errors import DisclosureError
from jsna.evidence.comparators import beside, release, verdicts_by_set
from jsna.evidence.funnels import funnel
from jsna.evidence.trends import trends
from jsna.exhibits.comparing import (
    beside_chart,
    beside_sentence,
    by_set_sentence,
    funnel_chart,
    rank_chart,
    trend_sentence,
)


@pytest.fixture(autouse=True)
def _without_files(monkeypatch):
    monkeypatch.delenv("JSNA_DATA", raising=False)


@pytest.fixture(scope="module")
def found():
    random = np.random.default_rng(5)
    n = random.integers(100, 3000, 153)
    timely = with_row(country("EHC-05", random.binomial(n, random.uniform(0.2, 0.8, 153)), n), LUTON, 96, 354)
    timely.loc[timely["area_code"] == LUTON, "area_name"] = "Luton"
    published = country("PFA-03", random.integers(80, 99, 153), 100, way="published")
    return values(timely, published)


def charts(found):
    table = release(beside(found, area(), "EHC-05"), area())
    ranks = pd.concat(beside(found, area(), i).assign(indicator=i) for i in ("EHC-05", "PFA-03"))
    ranks = ranks[ranks["comparator"] == "england"]
    named = {"id": "x", "title": "Plans in time, 2024"}
    return {
        "funnel": funnel_chart(funnel(found, "EHC-05"), area="Luton", unit="%", counted="plans issued", **named),
        "beside": beside_chart(table, area="Luton", unit="%", **named),
        "ranks": rank_chart(release(ranks, area()), label="indicator", **named),
    }


def cells(exhibit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exhibit.table_csv)))


def test_each_chart_has_a_picture_words_a_table_without_gaps_and_the_same_bytes(found):
    first, second = charts(found), charts(found)
    for name, made in first.items():
        assert made.svg.startswith(b"<?xml"), name
        assert made.svg == second[name].svg
        assert made.alt.startswith(("Funnel chart", "Chart of"))
        assert made.source == "A release"
        assert all(cell for row in cells(made) for cell in row.values())


def test_the_alternative_text_says_where_the_area_lies(found):
    made = charts(found)
    assert "Luton (27.1%) is inside the limits." in made["funnel"].alt
    assert "Luton 27.1%, between 22.8% and 32.0% (95% confidence interval), 2024" in made["beside"].alt
    assert "(worse)" in made["beside"].alt
    assert " of 153 (" in made["ranks"].alt


def test_the_table_of_ranks_has_a_symbol_where_there_is_no_interval(found):
    by_name = {row["Measure"]: row for row in cells(charts(found)["ranks"])}
    assert by_name["PFA-03"]["Best plausible rank"] == "z"
    assert by_name["EHC-05"]["Best plausible rank"].isdigit()


def test_a_frame_that_did_not_pass_the_gate_is_refused(found):
    frame = beside(found, area(), "EHC-05")
    for draw in (
        lambda: beside_chart(frame, id="x", title="t", area="Luton", unit="%"),
        lambda: rank_chart(frame, id="x", title="t", label="name"),
        lambda: funnel_chart(frame, id="x", title="t", area="Luton", unit="%", counted="plans"),
    ):
        with pytest.raises(DisclosureError):
            draw()


def test_nothing_to_show_is_said_and_not_drawn(found):
    empty = beside(found, area(), "EHC-05").assign(value=np.nan, rank=np.nan)
    shown = publish_official(empty, source="A release")
    assert beside_chart(shown, id="x", title="t", area="Luton", unit="%").kind == "notice"
    assert rank_chart(shown, id="x", title="t", label="name").kind == "notice"


def test_one_comparator_alone_and_twenty_areas_are_drawn():
    small = values(*[rows("EHC-05", [50], [100], codes=[LUTON]), rows("EHC-05", [1], [2], codes=["E92000001"])])
    table = beside(small, area(neighbours={}), "EHC-05")
    assert beside_chart(release(table, area()), id="x", title="t", area="Luton", unit="%").kind == "chart"
    assert "no figure" not in beside_sentence(table, "Luton", "%")


def test_the_sentence_of_the_sets_says_whether_the_verdict_depends_on_them():
    frame = with_row(country("EHC-02", 120, 400), LUTON, 92, 490)
    same = by_set_sentence(verdicts_by_set(values(frame), area(), "EHC-02"), "Luton", "%")
    assert same.endswith("The verdict is the same whichever set is taken.")
    own = frame["area_code"].isin(["E06000031", "E06000039", "E08000028", "E06000016"])
    frame.loc[own, "value"] = 18.0
    other = by_set_sentence(verdicts_by_set(values(frame), area(), "EHC-02"), "Luton", "%")
    assert "lower (statistical neighbours of April 2021: 30.0%)" in other
    assert "no clear difference (Towns like ours (named for the review of 2026): 18.0%)" in other
    assert other.endswith("The verdict depends on the set.")
    assert by_set_sentence(verdicts_by_set(values(frame), area(neighbours={}), "EHC-02"), "Luton", "%") == ""


def test_published_figures_have_no_verdict_in_words_either(found):
    said = beside_sentence(beside(found, area(), "PFA-03"), "Luton", "%")
    assert said.endswith("No verdict: published without counts.")
    assert "confidence interval" not in said
    assert "there is no verdict without counts" in by_set_sentence(
        verdicts_by_set(found, area(), "PFA-03"), "Luton", "%"
    )


def series(figures, **named) -> pd.DataFrame:
    years = range(2025 - len(figures), 2025)
    parts = [
        rows("EHC-05", [x], [400], codes=[LUTON], period=str(y), **named) for x, y in zip(figures, years, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def sentence(frame: pd.DataFrame) -> str:
    return trend_sentence(trends(values(frame), "EHC-05", "all", area()), "%")


def test_a_trend_in_words_names_its_years_points_test_and_the_last_change():
    said = sentence(series([100, 130, 150, 190, 210, 240, 260]))
    assert said.startswith("Rising, 6.8 percentage points a year (2018 to 2024, 7 points; weighted straight line")
    low, high = confint_proportions_2indep(260, 400, 240, 400, compare="diff", method="newcomb")
    limits = f"between −{-100 * low:.1f} and {100 * high:.1f} (95% confidence interval): within chance."
    assert said.endswith(f"On the year before: up 5.0 percentage points, {limits}")


def test_noise_is_called_noise_and_few_points_few():
    assert sentence(series([200, 205, 196, 203, 199, 201])).startswith("No clear trend: the figures move as noise does")
    assert sentence(series([100, 150, 200, 250])).startswith("Too few points for a trend: 4 since 2021, 5 are needed.")


def test_a_break_and_a_provisional_figure_are_said():
    frame = series([100, 110, 300, 310])
    frame.loc[2, "break_before"] = True
    frame.loc[3, "provisional"] = True
    said = sentence(frame)
    assert "Not comparable with before 2023: SEN2 became a collection of records of persons." in said
    assert sentence(series([100, 130, 150, 190, 210, 240]).assign(provisional=True)).startswith("Rising")
    assert "2024 (provisional)" in sentence(series([100, 130, 150, 190, 210, 240]).assign(provisional=True))


def test_a_published_series_has_no_interval_in_words():
    said = sentence(series([100, 130, 150, 190, 210, 240], way="published"))
    assert "Mann–Kendall" in said
    assert "confidence interval" not in said
    assert said.endswith("(published without counts, so not tested).")
