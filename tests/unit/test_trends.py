"""Trends of values: which figures are tested, what breaks do, and how much is made of many tests."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from comparator_samples import LUTON, area, rows, values

from jsna.codes import code_list
from jsna.evidence.trends import GETTING_BETTER, GETTING_WORSE, trend_table, trends
from jsna.measures.trend import COUNTS_TEST, FALLING, NO_COUNTS, NOISE, PUBLISHED_TEST, RISING, TOO_FEW

BEDFORD = "E06000055"


def series(indicator: str, figures, denominator=400, first: int = 2018, code: str = LUTON, **named) -> pd.DataFrame:
    years = range(first, first + len(figures))
    parts = [
        rows(indicator, [x], [denominator], codes=[code], period=str(y), **named)
        for x, y in zip(figures, years, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def broken(frame: pd.DataFrame, year: int) -> pd.DataFrame:
    return frame.assign(break_before=frame["year"] == year)


STEADY_RISE = [100, 130, 150, 190, 210, 240, 260]


def test_a_rise_in_counts_is_rising_and_better_where_higher_is_better():
    found = trends(values(series("EHC-05", STEADY_RISE)), "EHC-05", "all", area())
    assert found.verdict == RISING
    assert found.result["meaning"] == GETTING_BETTER
    assert found.result["test"] == COUNTS_TEST
    assert 6 < found.result["slope"] < 7.5  # of 400: about 27 a year, in percentage points
    assert found.points["used"].all()
    assert found.first_used == "2018"


def test_the_same_rise_says_nothing_of_better_where_the_indicator_is_neutral():
    found = trends(values(series("EHC-02", STEADY_RISE)), "EHC-02", "all", area())
    assert (found.verdict, found.result["meaning"]) == (RISING, "")


def test_a_fall_of_what_should_be_high_is_worse():
    found = trends(values(series("EHC-05", STEADY_RISE[::-1])), "EHC-05", "all", area())
    assert (found.verdict, found.result["meaning"]) == (FALLING, GETTING_WORSE)


def test_a_break_is_marked_with_its_reason_and_leaves_too_few_points():
    """As in Luton: the fall of 2022 lies before the break of 2023, and no line is drawn through both."""
    frame = broken(series("EHC-05", [269, 275, 260, 110, 128, 108]), 2023).assign(year=range(2019, 2025))
    frame["period"] = frame["year"].astype(str)
    found = trends(values(broken(frame, 2023)), "EHC-05", "all", area())
    assert found.verdict == TOO_FEW
    assert found.result[["points", "before_break"]].tolist() == [2, 4]
    assert found.points["used"].tolist() == [False] * 4 + [True] * 2
    assert found.breaks == (("2023", "SEN2 became a collection of records of persons"),)


def test_published_figures_have_the_exact_test_and_an_untested_change():
    found = trends(values(series("PFA-03", [90, 91, 92, 93, 94], 100, way="published")), "PFA-03", "all", area())
    assert (found.verdict, found.result["test"]) == (RISING, PUBLISHED_TEST)
    assert math.isnan(found.result["slope_lower"])
    assert found.result["change_verdict"] == NO_COUNTS


def test_figures_without_counts_stay_in_the_series_which_is_tested_as_published():
    early = series("EHC-05", [350, 360, 355], first=2015, way="published")
    late = series("EHC-05", STEADY_RISE)
    found = trends(values(early, late), "EHC-05", "all", area())
    assert found.result[["by_counts", "points", "verdict"]].tolist() == [False, 10, NOISE]
    assert found.points["used"].all()


def test_with_fewer_counts_all_are_taken_as_published():
    early = series("EHC-05", [350, 360, 355], first=2015, way="published")
    late = series("EHC-05", [300, 310, 305], first=2018)
    found = trends(values(early, late), "EHC-05", "all", area())
    assert found.result[["by_counts", "points", "test"]].tolist() == [False, 6, PUBLISHED_TEST]


def test_counts_before_a_break_do_not_decide_how_the_figures_after_it_are_tested():
    late = series("EHC-05", [100, 110, 120, 130, 140], first=2025, way="published")
    late.loc[0, "break_before"] = True
    found = trends(values(series("EHC-05", STEADY_RISE), late), "EHC-05", "all", area())
    assert found.result[["by_counts", "points", "verdict"]].tolist() == [False, 5, RISING]


def test_a_hidden_figure_is_no_point():
    frame = series("EHC-05", STEADY_RISE)
    frame.loc[2, ["value", "symbol"]] = [np.nan, "u"]
    found = trends(values(frame), "EHC-05", "all", area())
    assert found.result["points"] == 6
    assert found.points["used"].tolist() == [True, True, False, True, True, True, True]


def test_a_provisional_last_figure_is_marked():
    frame = series("EHC-05", STEADY_RISE)
    frame.loc[6, "provisional"] = True
    assert trends(values(frame), "EHC-05", "all", area()).last["provisional"]


def test_a_series_that_is_not_there_is_nothing():
    found = values(series("EHC-05", STEADY_RISE))
    assert trends(found, "EHC-02", "all", area()) is None
    assert trend_table(found, [("EHC-02", "all")], [LUTON]).empty
    assert trend_table(found, [], [LUTON]).empty


def test_the_official_series_is_taken_before_the_areas_own_and_its_own_where_there_is_no_other():
    official, own = series("EHC-05", STEADY_RISE), series("EHC-05", STEADY_RISE[::-1], origin="local")
    assert trends(values(official, own), "EHC-05", "all", area()).verdict == RISING
    assert trends(values(own), "EHC-05", "all", area()).verdict == FALLING


def test_many_series_at_once_are_each_what_they_are_alone_and_the_tests_of_an_area_are_counted():
    random = np.random.default_rng(3)
    codes = list(code_list("local_authority").index[:5])
    parts = [
        series(i, random.binomial(400, 0.3 + 0.03 * np.arange(7)), code=c) for i in ("EHC-05", "EHC-02") for c in codes
    ]
    parts += [series("PFA-03", random.permutation(7) + 50, 100, code=c, way="published") for c in codes]
    parts += [series("POP-01", random.poisson(1000 + 40 * np.arange(7)), 4000, code=c) for c in codes]
    found = values(*parts)
    pairs = [(i, "all") for i in ("EHC-05", "EHC-02", "PFA-03", "POP-01")]
    table = trend_table(found, pairs, codes)
    assert len(table) == 20
    assert set(table["tested"]) == {4}
    for (indicator, code), row in table.set_index(["indicator", "area_code"]).iterrows():
        alone = trend_table(found, [(indicator, "all")], [code]).iloc[0]
        assert row["verdict"] == alone["verdict"]
        assert row["p_value"] == pytest.approx(alone["p_value"])
    counts = table[table["indicator"] == "POP-01"]
    assert counts["slope"].between(20, 60).all()


def test_a_trend_that_only_one_of_many_tests_shows_does_not_stay_when_they_are_counted():
    weak = series("EHC-05", [180, 186, 192, 198, 204, 210, 216])
    others = [series(i, [200, 205, 196, 203, 199, 201, 200]) for i in ("EHC-02", "EHC-07", "EHC-08")]
    row = trend_table(values(weak, *others), [(i, "all") for i in ("EHC-05", "EHC-02", "EHC-07", "EHC-08")], [LUTON])
    row = row.set_index("indicator").loc["EHC-05"]
    assert 0.0125 < row["p_value"] < 0.05
    assert (row["verdict"], row["adjusted_verdict"], row["tested"]) == (RISING, NOISE, 4)
