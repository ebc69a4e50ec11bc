"""The flag rules of other tools: hand-worked answers, scipy as an independent check, edges, stacked families."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jsna.disproportionality import peers
from jsna.disproportionality.peers import CONSTANTS, RULES
from jsna.errors import MeasureError
from jsna.measures import proportion

FOUR = {
    "chi_square": peers.chi_square,
    "intervals_apart": peers.intervals_apart,
    "beyond_limits": peers.beyond_limits,
    "idea": peers.idea,
}
IN_FAMILY = {
    "council_tool": peers.council_tool,
    "four_fifths": peers.four_fifths,
    "index_against_highest": peers.index_against_highest,
    "point_gap": peers.point_gap,
}
# The strength over (or, for the point gap, from) which a rule flags with its default constants.
CUTS = {
    "chi_square": stats.norm.ppf(0.975),
    "intervals_apart": stats.norm.ppf(0.975),
    "beyond_limits": stats.norm.ppf(0.999),
    "idea": np.log(2),
    "idea_three_years": np.log(2),
    "council_tool": stats.norm.isf(0.04995 / 2),  # p is rounded to 4 decimals before it is compared with 0.05
    "four_fifths": 1,
    "index_against_highest": -np.log(0.8),
    "point_gap": 1,
}


def boroughs(seed=7, families=40, groups=18, risk=0.1):
    """Stacked boroughs with sizes of 5 to 3,000 pupils, and each group's comparator: all others of its family."""
    draw = np.random.default_rng(seed)
    size = families * groups
    frame = pd.DataFrame(
        {"family": np.repeat(np.arange(families), groups), "group": np.tile(np.arange(groups), families)}
    )
    frame["n"] = np.exp(draw.uniform(np.log(5), np.log(3000), size)).astype(int)
    frame["x"] = draw.binomial(frame["n"], risk * np.exp(draw.normal(0, 0.4, size)))
    sums = frame.groupby("family")[["x", "n"]].transform("sum")
    return frame.assign(x0=sums["x"] - frame["x"], n0=sums["n"] - frame["n"])


FRAME = boroughs()


def said(rule, frame):
    if rule in FOUR:
        return FOUR[rule](frame["x"], frame["n"], frame["x0"], frame["n0"])
    return IN_FAMILY[rule](frame["x"], frame["n"], family=frame["family"])


def only(answer):
    assert len(answer) == 1
    return answer.iloc[0]


# Hand-worked answers


def test_chi_square_by_hand():
    # 30 of 100 beside 50 of 400: pooled 0.16, variance 0.16 × 0.84 × (1/100 + 1/400) = 0.00168, z = 0.175 / 0.04099
    row = only(peers.chi_square([30], [100], [50], [400]))
    assert (row["direction"], row["flagged"], row["status"]) == ("over", True, "")
    assert row["strength"] == pytest.approx(0.175 / np.sqrt(0.00168))


def test_council_tool_by_hand():
    # N = 80 identified; 100 of 500 pupils: E = 16. [30, 50] beside [16, 64]: columns' means 23 and 57,
    # chi-square = 2 × (7 − 0.5)² × (1/23 + 1/57) = 5.1564, p = 0.0232
    row = peers.council_tool([30, 50], [100, 400]).iloc[0]
    assert row["strength"] ** 2 == pytest.approx(2 * 6.5**2 * (1 / 23 + 1 / 57))
    assert (row["direction"], row["flagged"]) == ("over", True)
    # Pearson's test of the same group has z² = 18.23: the tool keeps 28% of it
    assert row["strength"] ** 2 < 0.3 * only(peers.chi_square([30], [100], [50], [400]))["strength"] ** 2


def test_council_tool_rounds_the_expected_count_half_to_even():
    # N = 5 identified, half of the pupils each: E = 2.5, which becomes 2 for both groups
    answer = peers.council_tool([2, 3], [50, 50])
    assert answer["direction"].tolist() == ["", "over"]
    assert answer["strength"].tolist() == [0, 0]  # |3 − 2| / 2 − 0.5 = 0


@pytest.mark.parametrize(
    ("counts", "totals"),
    [
        pytest.param([0, 500], [10, 9990], id="a-few-pupils"),
        pytest.param([0, 500], [5000, 5000], id="many-pupils"),
        pytest.param([0, 0], [40, 60], id="nobody-anywhere"),
    ],
)
def test_council_tool_colours_every_zero_count_as_shipped(counts, totals):
    row = peers.council_tool(counts, totals).iloc[0]
    assert (row["direction"], row["flagged"], row["strength"], row["status"]) == ("under", True, np.inf, "")


def test_council_tool_where_all_identified_are_in_one_group():
    # E rounds to N = 3, so that the tool's table has an empty column
    answer = peers.council_tool([3, 0], [9000, 1])
    assert answer["status"].tolist() == [peers.ALL_IN_GROUP, ""]
    assert answer["flagged"].tolist() == [False, True]


def test_intervals_that_touch_by_hand():
    # equal groups touch half-way at 0.2: z = 0.1 × 10 / √(0.2 × 0.8) = 2.5
    row = only(peers.intervals_apart([30], [100], [10], [100]))
    assert row["strength"] == pytest.approx(2.5)
    assert row["flagged"]
    assert not only(peers.intervals_apart([30], [100], [10], [100], confidence=0.99))["flagged"]


def test_beyond_limits_by_hand():
    # 30 of 100 against 20%: z = 0.1 / √(0.2 × 0.8 / 100) = 2.5, over 1.96 and under 3.09
    strict, mild = (only(peers.beyond_limits([30], [100], [2], [10], level)) for level in (0.998, 0.95))
    assert strict["strength"] == mild["strength"] == pytest.approx(2.5)
    assert (strict["flagged"], mild["flagged"]) == (False, True)


@pytest.mark.parametrize(
    ("row", "flagged", "status"),
    [
        pytest.param((21, 100, 10, 100), True, "", id="2.1"),
        pytest.param((20, 100, 10, 100), False, "", id="exactly-2-does-not-exceed"),
        pytest.param((9_000_001, 10_000_000, 4_500_000, 10_000_000), True, "", id="a-hair-over-2-in-millions"),
        pytest.param((10, 100, 80, 100), False, "", id="far-under-is-not-seen"),
        pytest.param((9, 30, 10, 1000), False, peers.UNDER_CELL, id="cell-9"),
        pytest.param((10, 29, 10, 1000), False, peers.UNDER_N, id="n-29"),
        pytest.param((10, 30, 10, 1000), True, "", id="both-minimums-met"),
        pytest.param((20, 30, 9, 1000), False, peers.COMPARATOR_UNDER_CELL, id="comparator-cell-9"),
        pytest.param((20, 30, 10, 29), False, peers.COMPARATOR_UNDER_N, id="comparator-n-29"),
    ],
)
def test_idea(row, flagged, status):
    answer = only(peers.idea(*([value] for value in row)))
    assert (answer["flagged"], answer["status"]) == (flagged, status)
    assert answer["direction"] == ("over" if status == "" and row[0] * row[3] > row[2] * row[1] else "")
    expected = np.log(row[0] * row[3] / row[2] / row[1]) if status == "" else -np.inf
    assert answer["strength"] == pytest.approx(expected)


def test_idea_without_minimums_may_have_an_infinite_ratio():
    row = only(peers.idea([3], [10], [0], [100], minimum_cell=0, minimum_n=0))
    assert (row["direction"], row["flagged"], row["strength"]) == ("over", True, np.inf)


@pytest.mark.parametrize(
    ("counts", "progress", "flagged", "status"),
    [
        pytest.param([25, 25, 25], None, True, "", id="three-years-over"),
        pytest.param([20, 25, 25], None, False, "", id="the-oldest-exactly-2"),
        pytest.param([25, 25, 19], None, False, "", id="the-latest-under"),
        pytest.param([29, 26, 23], None, True, "", id="falling-but-progress-left-out"),
        pytest.param([29, 26, 23], 0.3, False, peers.PROGRESS, id="fell-by-0.3-twice"),
        pytest.param([29, 26, 23], 0.31, True, "", id="fell-by-too-little"),
        pytest.param([30, 25, 25], 0.3, True, "", id="fell-once"),
        pytest.param([25, 9, 25], None, False, peers.UNDER_CELL, id="one-year-under-the-cell"),
        pytest.param([25, None, 9], None, False, "missing", id="the-first-reason-is-given"),
        pytest.param([19, 16, 13], 0.3, False, "", id="progress-is-not-asked-under-the-threshold"),
    ],
)
def test_idea_three_years(counts, progress, flagged, status):
    row = only(peers.idea_three_years([counts], [[100] * 3], [[10] * 3], [[100] * 3], progress=progress))
    assert (row["flagged"], row["status"]) == (flagged, status)
    if status == "":
        assert row["strength"] == pytest.approx(np.log(min(counts) / 10))


def test_idea_three_years_keeps_the_index_of_its_table():
    table = pd.DataFrame([[25, 25, 25], [5, 25, 25]], index=["a", "b"])
    answer = peers.idea_three_years(table, table * 0 + 100, table * 0 + 10, table * 0 + 100)
    assert answer["flagged"].to_dict() == {"a": True, "b": False}


def test_four_fifths_by_hand():
    # overall 100 of 500 = 0.2; indices 1.25 and 0.80 exactly stay unflagged, 1.3 and 0.75 do not
    answer = peers.four_fifths([25, 16, 26, 15, 18], [100] * 5)
    assert answer["flagged"].tolist() == [False, False, True, True, False]
    assert answer["direction"].tolist() == ["over", "under", "over", "under", "under"]
    assert answer["strength"].tolist() == pytest.approx(np.abs(np.log([1.25, 0.8, 1.3, 0.75, 0.9])) / np.log(1.25))


def test_four_fifths_with_limits_of_its_own():
    answer = peers.four_fifths([30, 12, 18], [100] * 3, low=0.5, high=1.6)  # indices 1.5, 0.6, 0.9
    assert answer["flagged"].tolist() == [False, False, False]
    assert answer["strength"].tolist() == pytest.approx(
        [np.log(1.5) / np.log(1.6), np.log(0.6) / np.log(0.5), np.log(0.9) / np.log(0.5)]
    )


def test_the_highest_group_may_be_three_pupils():
    answer = peers.index_against_highest([2, 200, 170, 0], [3, 1000, 1000, 50])
    assert answer["direction"].tolist() == ["", "under", "under", "under"]
    assert answer["flagged"].tolist() == [False, True, True, True]
    assert answer["strength"].tolist() == pytest.approx([0, -np.log(0.3), -np.log(0.255), np.inf])


def test_exactly_eighty_percent_of_the_highest_is_not_under_it():
    assert peers.index_against_highest([30, 24, 23], [100] * 3)["flagged"].tolist() == [False, False, True]


def test_point_gap_by_hand():
    # overall 0.2; margin 1.96 × √(0.25/100) = 0.098 in both groups of 100, and 3 points in the large one
    answer = peers.point_gap([30, 110, 1860], [100, 1000, 8900])
    assert answer["strength"].tolist() == pytest.approx(
        [0.1 / 0.098, 0.09 / 0.0309903, abs(1860 / 8900 - 0.2) / 0.03], rel=1e-5
    )
    assert answer["flagged"].tolist() == [True, True, False]
    assert answer["direction"].tolist() == ["over", "under", "over"]


def test_a_gap_of_exactly_the_margin_counts():
    # 0.25 against 0.2 with a margin of 5 points: as in the source, the limit itself counts
    answer = peers.point_gap([2500, 1500], [10_000, 10_000], minimum_margin=0.05)
    assert answer["flagged"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("ratio", "p", "direction", "flagged", "strength", "status"),
    [
        pytest.param(1.33, 0.01, "over", True, 2, "", id="exactly-1.33"),
        pytest.param(0.75, 0.01, "under", True, 2, "", id="exactly-0.75"),
        pytest.param(1.32, 1e-9, "over", False, 0, "", id="not-beyond"),
        pytest.param(2, 0.05, "over", False, -np.log10(0.05), "", id="p-not-under"),
        pytest.param(0, 0.01, "under", True, 2, "", id="ratio-0"),
        pytest.param(np.inf, 0, "over", True, np.inf, "", id="infinite-and-certain"),
        pytest.param(1, 1, "", False, 0, "", id="no-difference"),
        pytest.param(np.nan, 0.01, "", False, -np.inf, "missing", id="no-ratio"),
        pytest.param(2, None, "", False, -np.inf, "missing", id="no-p"),
        pytest.param(-1, 0.01, "", False, -np.inf, "negative", id="negative-ratio"),
        pytest.param(2, 1.2, "", False, -np.inf, peers.NOT_A_P_VALUE, id="p-above-1"),
    ],
)
def test_adjusted_threshold(ratio, p, direction, flagged, strength, status):
    row = only(peers.adjusted_threshold([ratio], [p]))
    assert (row["direction"], row["flagged"], row["status"]) == (direction, flagged, status)
    assert row["strength"] == pytest.approx(strength)


# Independent implementations


def test_chi_square_agrees_with_scipy():
    answer = peers.chi_square(FRAME["x"], FRAME["n"], FRAME["x0"], FRAME["n0"])
    for row, got in zip(FRAME.itertuples(), answer.itertuples(), strict=True):
        table = [[row.x, row.n - row.x], [row.x0, row.n0 - row.x0]]
        statistic, p, *_ = stats.chi2_contingency(table, correction=False)
        assert got.strength**2 == pytest.approx(statistic, rel=1e-9, abs=1e-12)
        assert got.flagged == (p < 0.05)


def test_council_tool_agrees_with_a_group_by_group_reading():
    answer = peers.council_tool(FRAME["x"], FRAME["n"], FRAME["family"])
    sums = FRAME.groupby("family")[["x", "n"]].transform("sum")
    seen = set()
    for row, N, pupils, got in zip(FRAME.itertuples(), sums["x"], sums["n"], answer.itertuples(), strict=True):
        expected = round(row.n / pupils * N)
        p = 0.0 if row.x == 0 else stats.chi2_contingency([[row.x, N - row.x], [expected, N - expected]]).pvalue
        assert got.flagged == (round(p, 4) < 0.05)
        side = "over" if row.x > expected else "under" if row.x < expected or row.x == 0 else ""
        assert got.direction == side
        assert 2 * stats.norm.sf(got.strength) == pytest.approx(p, rel=1e-9)
        seen.add((side, bool(got.flagged), row.x == 0))
    assert len(seen) >= 5  # flagged and not, on both sides, and some zero counts


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.998])
def test_intervals_agree_with_the_intervals_themselves(confidence):
    group, others = proportion(FRAME["x"], FRAME["n"], confidence), proportion(FRAME["x0"], FRAME["n0"], confidence)
    apart = (group["lower"] > others["upper"]) | (group["upper"] < others["lower"])
    answer = peers.intervals_apart(FRAME["x"], FRAME["n"], FRAME["x0"], FRAME["n0"], confidence)
    assert answer["flagged"].tolist() == apart.tolist()
    beyond = (group["lower"] > others["estimate"]) | (group["upper"] < others["estimate"])
    answer = peers.beyond_limits(FRAME["x"], FRAME["n"], FRAME["x0"], FRAME["n0"], confidence)
    assert answer["flagged"].tolist() == beyond.tolist()
    assert apart.any()
    assert not beyond.all()


def test_intervals_apart_at_their_edges():
    edges = pd.DataFrame(
        {"x": [0, 0, 8, 8, 40, 1], "n": [8, 40, 8, 8, 40, 1], "x0": [30, 30, 30, 40, 0, 0], "n0": [40] * 6}
    )
    group, others = proportion(edges["x"], edges["n"]), proportion(edges["x0"], edges["n0"])
    apart = (group["lower"] > others["upper"]) | (group["upper"] < others["lower"])
    assert peers.intervals_apart(edges["x"], edges["n"], edges["x0"], edges["n0"])["flagged"].tolist() == apart.tolist()


def test_family_rules_agree_with_pandas():
    sums = FRAME.groupby("family")[["x", "n"]].transform("sum")
    rate, overall = FRAME["x"] / FRAME["n"], sums["x"] / sums["n"]
    index = rate / overall
    pair = FRAME["x"], FRAME["n"], FRAME["family"]
    assert peers.four_fifths(*pair)["flagged"].tolist() == ((index < 0.8) | (index > 1.25)).tolist()
    highest = rate.groupby(FRAME["family"]).transform("max")
    assert peers.index_against_highest(*pair)["flagged"].tolist() == (rate / highest < 0.8).tolist()
    margin = (1.96 * np.sqrt(0.25 / FRAME["n"])).clip(lower=0.03)
    assert peers.point_gap(*pair)["flagged"].tolist() == ((rate - overall).abs() >= margin).tolist()


# Edges

BAD = {
    "no pupils": (0, 0),
    "count above total": (11, 10),
    "negative": (-1, 10),
    "not a whole number": (2.5, 10),
    "missing": (None, 10),
}


@pytest.mark.parametrize("rule", FOUR)
@pytest.mark.parametrize(("status", "pair"), BAD.items(), ids=BAD)
def test_a_bad_row_says_why_and_the_next_is_answered(rule, status, pair):
    answer = FOUR[rule]([pair[0], 90], [pair[1], 100], [20, 20], [100, 100])
    assert answer.iloc[0].tolist() == ["", False, -np.inf, status]
    assert answer.iloc[1].tolist()[:2] == ["over", True]
    answer = FOUR[rule]([20, 90], [100, 100], [pair[0], 20], [pair[1], 100])
    assert answer.iloc[0].tolist() == ["", False, -np.inf, "comparator has nobody" if status == "no pupils" else status]
    assert answer.iloc[1]["flagged"]


@pytest.mark.parametrize("rule", IN_FAMILY)
@pytest.mark.parametrize(("status", "pair"), BAD.items(), ids=BAD)
def test_a_bad_row_is_in_nobodys_overall_rate(rule, status, pair):
    answer = IN_FAMILY[rule]([pair[0], 90, 20], [pair[1], 100, 100])
    assert answer.iloc[0].tolist() == ["", False, -np.inf, status]
    pd.testing.assert_frame_equal(answer.iloc[1:].reset_index(drop=True), IN_FAMILY[rule]([90, 20], [100, 100]))


@pytest.mark.parametrize("rule", FOUR)
def test_nobody_identified_on_either_side(rule):
    assert only(FOUR[rule]([0], [100], [0], [200])).tolist() == ["", False, -np.inf, "both risks are zero"]


def test_everybody_identified_on_both_sides():
    full = [40], [40], [50], [50]
    assert only(peers.chi_square(*full)).tolist() == ["", False, -np.inf, "both risks are one"]
    for rule in ("intervals_apart", "beyond_limits", "idea"):
        assert only(FOUR[rule](*full)).tolist() == ["", False, 0, ""]


def test_nobody_identified_in_a_family():
    for rule in ("four_fifths", "index_against_highest"):
        answer = IN_FAMILY[rule]([0, 0], [10, 20])
        assert answer["status"].tolist() == [peers.NOBODY_IDENTIFIED] * 2
        assert not answer["flagged"].any()
    assert peers.point_gap([0, 0], [10, 20])["strength"].tolist() == [0, 0]


def test_a_count_of_zero_is_answered():
    for rule in ("chi_square", "intervals_apart", "beyond_limits"):
        assert only(FOUR[rule]([0], [200], [100], [500])).tolist()[:2] == ["under", True]
    for rule in IN_FAMILY:
        assert IN_FAMILY[rule]([0, 400], [200, 500]).iloc[0].tolist()[:2] == ["under", True]


def test_a_benchmark_of_nobody_identified_is_left_by_one_pupil():
    assert only(peers.beyond_limits([1], [9000], [0], [100])).tolist() == ["over", True, np.inf, ""]


def test_a_family_of_one_group_differs_from_nothing():
    for rule in ("four_fifths", "index_against_highest", "point_gap"):
        assert only(IN_FAMILY[rule]([5], [50])).tolist() == ["", False, 0, ""]
    assert only(peers.council_tool([5], [50]))["status"] == peers.ALL_IN_GROUP


@pytest.mark.parametrize("rule", [*FOUR, *IN_FAMILY])
def test_no_rows_give_no_rows(rule):
    answer = said(rule, FRAME.iloc[:0])
    assert list(answer.columns) == ["direction", "flagged", "strength", "status"]
    assert len(answer) == 0


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: peers.chi_square([1, 2], [10], [1], [10]), id="lengths"),
        pytest.param(lambda: peers.chi_square(["a"], [10], [1], [10]), id="text"),
        pytest.param(lambda: peers.chi_square([1], [10], [1], [10], p=0), id="p"),
        pytest.param(lambda: peers.council_tool([1], [10], p=1), id="p-of-the-tool"),
        pytest.param(lambda: peers.council_tool([1, 2], [10, 10], family=["a"]), id="family-too-short"),
        pytest.param(lambda: peers.four_fifths([1, 2], [10, 10], family="area"), id="family-a-word"),
        pytest.param(lambda: peers.four_fifths([1], [10], low=1.1), id="low"),
        pytest.param(lambda: peers.four_fifths([1], [10], high=0.9), id="high"),
        pytest.param(lambda: peers.index_against_highest([1], [10], low=0), id="low-of-the-index"),
        pytest.param(lambda: peers.point_gap([1], [10], minimum_margin=3), id="margin-in-points"),
        pytest.param(lambda: peers.intervals_apart([1], [10], [1], [10], confidence=95), id="confidence"),
        pytest.param(lambda: peers.idea([1], [10], [1], [10], threshold=1), id="threshold"),
        pytest.param(lambda: peers.idea_three_years([[1, 2]], [[9, 9]], [[1, 2]], [[9, 9]]), id="two-years"),
        pytest.param(lambda: peers.idea_three_years([[1] * 3], [[9] * 3] * 2, [[1] * 3], [[9] * 3]), id="tables"),
        pytest.param(lambda: peers.idea_three_years(1, 9, 1, 9), id="not-a-table"),
        pytest.param(lambda: peers.idea_three_years(*[[[9] * 3]] * 4, progress=0), id="progress-of-nothing"),
        pytest.param(lambda: peers.adjusted_threshold([2], [0.1, 0.2]), id="adjusted-lengths"),
        pytest.param(lambda: peers.adjusted_threshold([2], [0.1], alpha=0), id="alpha"),
    ],
)
def test_a_mistake_of_the_caller_is_refused(call):
    with pytest.raises(MeasureError):
        call()


# Whole columns


@pytest.mark.parametrize("rule", [*FOUR, *IN_FAMILY])
def test_strength_and_flag_say_the_same(rule):
    answer = said(rule, FRAME)
    calculated = answer["status"] == ""
    assert (answer["flagged"] == (answer["strength"] > CUTS[rule])).all()
    assert np.isneginf(answer.loc[~calculated, "strength"]).all()
    assert (answer.loc[answer["flagged"], "direction"] != "").all()
    assert 0 < answer["flagged"].sum() < len(answer)


@pytest.mark.parametrize("rule", IN_FAMILY)
@pytest.mark.parametrize("key", [int, str], ids=["numbers", "words"])
def test_stacked_families_equal_one_by_one(rule, key):
    stacked = IN_FAMILY[rule](FRAME["x"], FRAME["n"], family=FRAME["family"].map(key))
    single = pd.concat([IN_FAMILY[rule](part["x"], part["n"]) for _, part in FRAME.groupby("family")])
    pd.testing.assert_frame_equal(stacked, single)


@pytest.mark.parametrize("rule", [*FOUR, *IN_FAMILY])
def test_row_order_changes_nothing(rule):
    mixed = FRAME.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(said(rule, mixed).sort_index(), said(rule, FRAME))


def test_rows_of_a_missing_family_are_one_family():
    answer = peers.four_fifths([30, 10, 5], [100, 100, 100], family=[None, None, "a"])
    assert answer["direction"].tolist() == ["over", "under", ""]


def test_three_years_of_the_same_counts_are_one_year():
    columns = [np.stack([FRAME[c]] * 3, axis=1) for c in ("x", "n", "x0", "n0")]
    pd.testing.assert_frame_equal(peers.idea_three_years(*columns), said("idea", FRAME))
    pd.testing.assert_frame_equal(peers.idea_three_years(*columns, progress=1e-6), said("idea", FRAME))


# Words


@pytest.mark.parametrize("rule", RULES)
def test_constants_are_the_defaults_of_the_functions(rule):
    signature = inspect.signature(getattr(peers, rule)).parameters
    defaults = {k: p.default for k, p in signature.items() if p.default is not p.empty and k != "family"}
    shared = {k: v for k, v in CONSTANTS[rule].items() if k in defaults}
    assert shared == defaults


def test_every_rule_has_its_words_filled_in():
    assert list(RULES) == [
        "chi_square",
        "council_tool",
        "intervals_apart",
        "beyond_limits",
        "idea",
        "idea_three_years",
        "four_fifths",
        "index_against_highest",
        "point_gap",
        "adjusted_threshold",
    ]
    for words in RULES.values():
        assert list(words) == ["name", "what", "source", "fault"]
        assert not any("{" in text or not text for text in words.values())
    assert "p-value is under 0.05" in RULES["chi_square"]["what"]
    assert RULES["beyond_limits"]["name"].startswith("99.8%")


# Verdicts

COLUMNS = {"group": "group", "count": "x", "total": "n", "comparator_count": "x0", "comparator_total": "n0"}


def test_verdicts_are_those_of_the_functions():
    frame = FRAME.sample(frac=1, random_state=5)
    answer = peers.verdicts(frame, **COLUMNS, family="family")
    assert list(answer.columns) == ["family", "group", "rule", "direction", "flagged", "status"]
    rules = [rule for rule in RULES if rule in FOUR or rule in IN_FAMILY]
    assert answer["rule"].tolist()[:8] == rules
    assert answer["group"].tolist()[::8] == frame["group"].tolist()
    for rule in rules:
        mine = answer[answer["rule"] == rule]
        for column in ("direction", "flagged", "status"):
            assert mine[column].tolist() == said(rule, frame)[column].tolist()


def test_verdicts_of_one_family_and_of_several_keys():
    one = FRAME[FRAME["family"] == 0]
    answer = peers.verdicts(one, **COLUMNS)
    assert list(answer.columns) == ["group", "rule", "direction", "flagged", "status"]
    assert len(answer) == 8 * 18
    keyed = peers.verdicts(FRAME.assign(year=2025), **COLUMNS, family=["year", "family"])
    pd.testing.assert_frame_equal(keyed[keyed["family"] == 0][answer.columns].reset_index(drop=True), answer)


def test_verdicts_name_a_column_that_is_not_there():
    with pytest.raises(MeasureError, match="famly"):
        peers.verdicts(FRAME, **COLUMNS, family="famly")
