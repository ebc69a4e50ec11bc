"""The crude comparison: comparators, unknown groups, q-values by family, status and its reasons."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from jsna.disproportionality import crude, reason_text, stratified, thresholds
from jsna.errors import MeasureError
from jsna.measures import false_discovery


def _frame(rows, columns=("group", "x", "n")):
    return pd.DataFrame(rows, columns=list(columns))


def _crude(frame, **named):
    return crude(frame, group="group", count="x", total="n", **named)


THREE = _frame([("a", 300, 1000), ("b", 150, 1000), ("c", 160, 1000), ("not known", 9, 50)])
THREE["known"] = THREE["group"] != "not known"


def test_all_others_leaves_out_the_group_itself_and_the_unknown():
    row = _crude(THREE, known="known").set_index("group").loc["a"]
    assert (row["comparator"], row["comparator_numerator"], row["comparator_denominator"]) == ("all others", 310, 2000)
    assert row["risk_ratio"] == pytest.approx(0.3 / 0.155)
    assert row["gap_points"] == pytest.approx(14.5)
    assert row["pupils_affected"] == pytest.approx(300 - 1000 * 0.155)
    assert row["pupils_affected_lower"] == pytest.approx(row["gap_points_lower"] / 100 * 1000)
    assert row["comparisons"] == 3


def test_pupils_of_unknown_group_are_shown_but_tested_against_nobody():
    row = _crude(THREE, known="known").set_index("group").loc["not known"]
    assert row["comparator_denominator"] == 3000
    assert np.isnan(row["p_value"])
    assert np.isnan(row["q_value"])
    assert (row["status"], row["reasons"]) == ("insufficient data", "not_compared")


def test_q_values_are_of_the_family_and_not_of_the_whole_frame():
    two = pd.concat([THREE.assign(outcome="plan"), THREE.assign(outcome="support", x=[5, 6, 7, 1])])
    both = _crude(two, known="known", family=["outcome"])
    alone = _crude(THREE, known="known")
    plan = both[both["outcome"] == "plan"].reset_index(drop=True)
    pd.testing.assert_series_equal(plan["q_value"], alone["q_value"])
    pd.testing.assert_series_equal(alone["q_value"], false_discovery(alone["p_value"]), check_names=False)
    assert both["comparisons"].tolist() == [3] * 8


def test_a_reference_adds_rows_against_it_and_marks_its_own():
    answer = _crude(THREE, known="known", reference="b")
    against = answer[answer["comparator"] == "b"].set_index("group")
    assert len(answer) == 8
    assert against.loc["a", "risk_ratio"] == pytest.approx(2.0)
    assert (against.loc["b", "status"], against.loc["b", "reasons"]) == ("reference group", "reference_group")
    assert np.isnan(against.loc["b", "p_value"])
    assert (against["comparisons"] == 2).all()


@pytest.mark.parametrize(
    ("rows", "status", "reasons"),
    [
        pytest.param([("a", 300, 1000), ("b", 150, 1000)], "watch", "higher; crude_only", id="higher"),
        pytest.param([("a", 150, 1000), ("b", 300, 1000)], "watch", "lower; crude_only", id="lower"),
        pytest.param([("a", 5, 9), ("b", 10, 1000)], "insufficient data", "few_pupils; crude_only", id="nine-pupils"),
        pytest.param([("a", 3, 20), ("b", 15, 100)], "insufficient data", "wide_interval; crude_only", id="wide"),
        pytest.param([("a", 2200, 20000), ("b", 2000, 20000)], "no evidence", "ruled_out; crude_only", id="a-trifle"),
        pytest.param([("a", 130, 1000), ("b", 115, 1000)], "no evidence", "crude_only", id="one-side-open"),
        pytest.param([("a", 0, 50), ("b", 0, 70)], "insufficient data", "not_calculated; crude_only", id="nobody"),
        pytest.param([("a", 0, 0), ("b", 5, 70)], "insufficient data", "not_calculated; crude_only", id="no-pupils"),
    ],
)
def test_status_and_its_reasons(rows, status, reasons):
    answer = _crude(_frame(rows)).iloc[0]
    assert (answer["status"], answer["reasons"]) == (status, reasons)


def test_no_crude_row_is_ever_called_over_or_under_identified():
    random = np.random.default_rng(7)
    n = random.integers(1, 4000, 400)
    frame = pd.DataFrame({"group": range(400), "x": random.binomial(n, random.uniform(0, 1, 400)), "n": n})
    answer = _crude(frame)
    assert set(answer["status"]) <= {"watch", "insufficient data", "no evidence"}
    assert answer["reasons"].str.contains("crude_only").all()


@pytest.mark.parametrize("bad", [(None, 500), (600, 500), (-1, 500), (0.5, 500), (5, None)], ids=str)
def test_a_row_that_cannot_be_used_spoils_no_comparator_and_is_told(bad):
    good = [("a", 300, 1000), ("b", 150, 1000), ("c", 160, 1000)]
    answer = _crude(_frame([*good, ("bad", *bad)])).set_index("group")
    clean = _crude(_frame(good)).set_index("group")
    numbers = ["comparator_numerator", "comparator_denominator", "risk_ratio", "q_value"]
    pd.testing.assert_frame_equal(answer.loc[["a", "b", "c"], numbers], clean[numbers])
    assert answer.loc[["a", "b", "c"], "reasons"].str.endswith("comparator_incomplete").all()
    assert answer.loc["bad", "reasons"] == "not_calculated; crude_only"


def test_every_reason_has_a_sentence_and_the_crude_one_names_what_is_not_adjusted_for():
    sentences = reason_text("; ".join(thresholds()["reasons"]))
    assert len(sentences) == len(thresholds()["reasons"])
    crude_only = reason_text("crude_only")[0]
    assert all(word in crude_only for word in ("not adjusted", "age", "sex", "deprivation", "schools"))


@pytest.mark.parametrize(
    ("frame", "named", "message"),
    [
        pytest.param(THREE.drop(columns="n"), {}, "no such column", id="column"),
        pytest.param(THREE, {"reference": "A"}, "reference group", id="reference"),
        pytest.param(pd.concat([THREE, THREE]), {}, "twice", id="twice"),
        pytest.param(THREE.assign(x="many"), {}, "not numeric", id="text"),
        pytest.param(THREE.assign(known=[True, None, True, False]), {"known": "known"}, "known", id="known-with-gap"),
    ],
)
def test_a_mistake_of_the_caller_is_a_sentence(frame, named, message):
    with pytest.raises(MeasureError, match=message):
        _crude(frame, **named)


LAS = _frame(
    [
        ("p", "g", 10, 20),
        ("p", "r", 20, 40),
        ("q", "g", 3, 30),
        ("q", "r", 1, 10),
        ("s", "g", 5, 5),
        ("t", "r", None, 8),
    ],
    ("la", "group", "x", "n"),
)


def _stratified(frame, **named):
    return stratified(frame, **{"group": "group", "count": "x", "total": "n", "by": "la"} | named)


def _row(answer, group="g", comparator="all others"):
    table = answer.table
    return table[(table["group"] == group) & (table["comparator"] == comparator)].iloc[0]


def test_strata_with_equal_risks_pool_to_1_although_the_crude_ratio_does_not():
    answer = _stratified(LAS)
    row = _row(answer)
    assert row["risk_ratio"] == pytest.approx(1.0)
    assert row["crude_risk_ratio"] == pytest.approx((18 / 55) / (21 / 50))
    assert (row["strata"], row["strata_left_out"]) == (2, 2)
    assert row["heterogeneity"] == pytest.approx(0, abs=1e-12)
    assert (row["heterogeneity_df"], row["heterogeneity_p"]) == (1, pytest.approx(1))
    assert answer.notes == ("1 of 6 rows have no count; they take no part, nor in a comparator.",)


def test_one_stratum_is_the_plain_ratio_with_its_log_interval():
    rows = _frame([("Luton", "g", 20, 89), ("Luton", "r", 35, 88)], ("la", "group", "x", "n"))
    row = _row(_stratified(rows))
    assert [round(row[c], 2) for c in ("risk_ratio", "lower", "upper")] == [0.57, 0.36, 0.90]
    assert (row["heterogeneity_df"], row["status"]) == (0, "")


def test_strata_that_disagree_are_shown_to():
    rows = _frame(
        [("p", "g", 80, 100), ("p", "r", 20, 100), ("q", "g", 20, 100), ("q", "r", 80, 100)], ("la", "group", "x", "n")
    )
    assert _row(_stratified(rows))["heterogeneity_p"] < 1e-6


def test_no_stratum_in_common_is_missing_and_not_an_exception():
    rows = _frame([("p", "g", 8, 10), ("q", "r", 2, 10)], ("la", "group", "x", "n"))
    row = _row(_stratified(rows))
    assert np.isnan(row["risk_ratio"])
    assert (row["strata"], row["strata_left_out"], row["status"]) == (0, 2, "no stratum holds pupils of both")
    assert row["crude_risk_ratio"] == pytest.approx(4)


@pytest.mark.parametrize(
    ("cells", "ratio", "status"),
    [
        pytest.param([("p", "g", 0, 10), ("p", "r", 5, 10)], 0.0, "no interval: nobody of the group", id="nobody"),
        pytest.param([("p", "g", 4, 10), ("p", "r", 0, 10)], np.inf, "no interval: nobody of the others", id="others"),
        pytest.param([("p", "g", 0, 10), ("p", "r", 0, 10)], np.nan, "both risks are zero", id="neither"),
        pytest.param([("p", "g", 4, 10), ("p", "r", 0, 0)], np.nan, "no stratum", id="comparator-with-nobody"),
        pytest.param([("p", "g", 4, 10)], np.nan, "no stratum", id="single-group"),
    ],
)
def test_a_ratio_without_an_interval_says_why(cells, ratio, status):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = _row(_stratified(_frame(cells, ("la", "group", "x", "n"))))
    np.testing.assert_equal(row["risk_ratio"], ratio)
    assert np.isnan([row["lower"], row["upper"]]).all()
    assert row["status"].startswith(status)


def test_all_groups_and_families_at_once_are_as_one_by_one():
    random = np.random.default_rng(3)
    rows = pd.DataFrame(
        [(f, la, g, random.integers(5, 90)) for f in "uv" for la in range(40) for g in "abcd?"],
        columns=["outcome", "la", "group", "n"],
    )
    rows["x"] = random.binomial(rows["n"], 0.2 + 0.1 * (rows["group"] == "b"))
    rows["known"] = rows["group"] != "?"
    together = _stratified(rows, known="known", reference="a", family=["outcome"]).table
    for outcome in "uv":
        own = rows[rows["outcome"] == outcome]
        for group in "abcd?":
            others = own[own["known"] & (own["group"] != group)].groupby("la")[["x", "n"]].sum()
            mine = own[own["group"] == group].set_index("la")
            whole = mine["n"] + others["n"]
            ratio = (mine["x"] * others["n"] / whole).sum() / (others["x"] * mine["n"] / whole).sum()
            row = together.query("outcome == @outcome and group == @group and comparator == 'all others'").iloc[0]
            assert row["risk_ratio"] == pytest.approx(ratio)
    assert len(together) == 2 * (5 + 4)  # each to all others, and each but the reference to the reference
    mixed = together.set_index(["outcome", "group", "comparator"])["risk_ratio"]
    apart = _stratified(rows[rows["group"].isin(["a", "b"]) & (rows["outcome"] == "u")]).table
    assert mixed["u", "b", "a"] == pytest.approx(apart.set_index("group").loc["b", "risk_ratio"])


def test_a_difference_between_areas_only_is_no_difference_within_them():
    rows = _frame(
        [("poor", "g", 300, 1000), ("poor", "r", 30, 100), ("rich", "g", 10, 100), ("rich", "r", 100, 1000)],
        ("la", "group", "x", "n"),
    )
    row = _row(_stratified(rows))
    assert row["risk_ratio"] == pytest.approx(1)
    assert row["crude_risk_ratio"] > 2


@pytest.mark.parametrize(
    ("frame", "named", "message"),
    [
        pytest.param(LAS, {"reference": "z"}, "reference group", id="reference"),
        pytest.param(LAS, {"by": "school"}, "no such column", id="column"),
        pytest.param(pd.concat([LAS, LAS]), {}, "twice", id="twice"),
        pytest.param(LAS.assign(x=99), {}, "count above total", id="above-total"),
        pytest.param(LAS.assign(la=None), {}, "where or who it is", id="no-stratum"),
        pytest.param(LAS.iloc[:0], {}, "no rows", id="no-rows"),
        pytest.param(LAS.assign(k=[True, True, False, True, True, True]), {"known": "k"}, "called known", id="known"),
    ],
)
def test_stratified_refuses_with_a_sentence(frame, named, message):
    with pytest.raises(MeasureError, match=message):
        _stratified(frame, **named)
