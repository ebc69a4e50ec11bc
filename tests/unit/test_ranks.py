"""Ranks and their intervals against simple enumeration, simulation, other programs and the edges."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, multivariate_normal, rankdata

from jsna.errors import MeasureError
from jsna.measures import rank_interval, rank_interval_if, ranked, top_places
from jsna.measures.ranks import CANNOT_TELL, IN_TOP, NOT_IN_TOP

PLACES = ["rank", "rank_lower", "rank_upper", "of"]


def test_ranks_are_those_of_scipy_and_rank_1_is_the_best():
    random = np.random.default_rng(3)
    values = random.integers(0, 40, 153).astype(float)
    assert ranked(values, direction="lower")["rank"].tolist() == rankdata(values, method="min").tolist()
    assert ranked(values, direction="higher")["rank"].tolist() == rankdata(-values, method="min").tolist()
    assert ranked(values, direction="neutral").equals(ranked(values, direction="higher"))


def test_each_year_is_ranked_by_itself_and_the_missing_are_not_counted():
    made = ranked([1.0, 2.0, None, 5.0, 5.0], direction="higher", by=[2023, 2023, 2023, 2024, 2024])
    assert made["rank"].tolist()[:2] == [2, 1]
    assert math.isnan(made["rank"][2])
    assert made["of"].tolist() == [2, 2, 2, 2, 2]
    assert made["rank"].tolist()[3:] == [1, 1]


def test_two_areas_are_told_apart_exactly_when_their_difference_is_beyond_chance():
    """With one other area the critical value is the normal one: nothing is left of the allowance for many."""
    n = 200
    for x in range(60, 101):
        apart = abs(math.asin(math.sqrt((x + 0.375) / (n + 0.75))) - math.asin(math.sqrt((100.375) / (n + 0.75))))
        beyond = apart / (0.5 * math.sqrt(2 / (n + 0.5))) > 1.959963984540054
        made = rank_interval([x, 100], [n, n], direction="higher")
        assert (made["rank_lower"][0] == 2) == beyond
        assert (made["rank_upper"][1] == 1) == beyond


SIZES = np.array([100, 400, 900])
ERROR = 0.5 / np.sqrt(SIZES + 0.5)
APART = np.hypot(ERROR[0], ERROR[1:])  # the errors of the differences of the first from the other two
BOTH = multivariate_normal([0, 0], [[1, ERROR[0] ** 2 / APART.prod()], [ERROR[0] ** 2 / APART.prod(), 1]])


def _root(within, low: float = 1.5, high: float = 2.6) -> float:
    """Where a growing probability is 95%."""
    for _ in range(40):
        low, high = (low, (low + high) / 2) if within((low + high) / 2) > 0.95 else ((low + high) / 2, high)
    return (low + high) / 2


def _percent_at(errors_above: np.ndarray) -> list[float]:
    """Percentages of the two larger areas that stand so many errors of the difference above 50% of the smallest."""
    place = math.asin(math.sqrt(50.375 / 100.75)) + errors_above * APART
    return list(100 * (np.sin(place) ** 2 * (SIZES[1:] + 0.75) - 0.375) / SIZES[1:])


FIRST = _root(lambda c: BOTH.cdf([c, c]) - BOTH.cdf([-c, c]) - BOTH.cdf([c, -c]) + BOTH.cdf([-c, -c]))
STEPPED = _root(lambda c: BOTH.cdf([c, c]) - BOTH.cdf([c, -c]))


@pytest.mark.parametrize(
    ("errors_above", "best_place"),
    [
        ((0.995 * FIRST, 0.995 * FIRST), 1),
        ((1.005 * FIRST, 1.005 * FIRST), 3),
        ((6.0, 1.005 * STEPPED), 3),
        ((6.0, 0.995 * STEPPED), 2),
    ],
)
def test_the_allowance_for_many_is_that_of_the_joint_normal_distribution(errors_above, best_place):
    """Three areas, critical values by scipy's bivariate normal: all asked both ways, then one asked one way only."""
    assert STEPPED < 0.98 * FIRST
    made = rank_interval_if([50, *_percent_at(np.array(errors_above))], SIZES, direction="higher")
    assert made["rank_lower"][0] == best_place


def test_a_clear_order_of_large_areas_has_no_other_places():
    share = np.linspace(0.1, 0.9, 20)
    n = np.full(20, 100_000)
    made = rank_interval((share * n).round(), n, direction="lower")
    assert made["rank"].tolist() == list(range(1, 21))
    assert made["rank_lower"].equals(made["rank"])
    assert made["rank_upper"].equals(made["rank"])


def test_the_interval_holds_the_true_places_in_95_of_100_draws_and_percentiles_of_draws_do_not():
    """Equal areas, each of which truly holds every place; the seed is fixed, and the full study is a benchmark."""
    random = np.random.default_rng(11)
    n = random.integers(100, 2000, 12)
    kept, naive = [], []
    for _ in range(200):
        x = random.binomial(n, 0.3)
        made = rank_interval(x, n, direction="higher")
        kept.append((made["rank_lower"] == 1) & (made["rank_upper"] == 12))
        drawn = random.beta(x + 0.5, n - x + 0.5, (400, 12))
        low, high = np.quantile((-drawn).argsort(axis=1).argsort(axis=1) + 1, [0.025, 0.975], axis=0)
        naive.append((low == 1) & (high == 12))
    assert 0.92 < np.mean(kept) < 0.98
    assert np.mean(naive) < 0.5


@pytest.mark.parametrize(
    ("x", "n", "status"),
    [
        (None, 10, "missing"),
        (3, None, "missing"),
        (0, 0, "no pupils"),
        (-1, 10, "negative"),
        (1.5, 10, "not a whole number"),
        (11, 10, "count above total"),
    ],
)
def test_an_area_without_a_usable_count_has_no_rank_and_the_others_are_ranked_as_if_it_were_not_there(x, n, status):
    there = rank_interval([90, 50, 10], [100, 100, 100], direction="higher")
    made = rank_interval([90, x, 50, 10], [100, n, 100, 100], direction="higher")
    assert made["status"].tolist() == ["", status, "", ""]
    assert made.loc[1, ["rank", "rank_lower", "rank_upper"]].isna().all()
    assert made.drop(index=1)[PLACES].to_numpy().tolist() == there[PLACES].to_numpy().tolist()


def test_nobody_at_all_and_one_area_alone():
    assert rank_interval([None], [None], direction="higher").loc[0, PLACES[:3]].isna().all()
    assert rank_interval([0, 1], [0, 0], direction="higher")["of"].tolist() == [0, 0]
    assert rank_interval([5], [10], direction="higher").loc[0, PLACES].tolist() == [1, 1, 1, 1]


def test_no_events_anywhere_leaves_every_place_open():
    made = rank_interval([0, 0, 0], [5, 500, 50_000], direction="lower")
    assert made["rank"].tolist() == [1, 1, 1]
    assert made["rank_lower"].tolist() == [1, 1, 1]
    assert made["rank_upper"].tolist() == [3, 3, 3]


def test_one_child_says_nothing():
    made = rank_interval([1, 300, 500, 700], [1, 1000, 1000, 1000], direction="higher")
    assert made.loc[0, PLACES].tolist() == [1, 1, 4, 4]


def test_events_may_exceed_the_children_and_are_ranked_as_rates():
    made = rank_interval([1200, 300, 20], [1000, 1000, 1000], direction="lower", kind="rate")
    assert made["rank"].tolist() == [3, 2, 1]
    assert made["status"].tolist() == ["", "", ""]
    assert rank_interval([1], [0], direction="lower", kind="rate")["status"].tolist() == ["no exposure"]


def test_only_the_wanted_areas_have_an_interval_and_it_is_the_same_one():
    random = np.random.default_rng(5)
    n = random.integers(20, 900, 60)
    x = random.binomial(n, random.uniform(0.1, 0.6, 60))
    every = rank_interval(x, n, direction="higher")
    one = rank_interval(x, n, direction="higher", wanted=np.arange(60) == 17)
    assert one.loc[17].equals(every.loc[17])
    assert one.drop(index=17)["rank_lower"].isna().all()
    assert one["rank"].equals(every["rank"])


def test_the_index_of_the_columns_is_kept():
    x = pd.Series([3, 4], index=["E06000032", "E06000055"])
    assert rank_interval(x, x + 10, direction="lower").index.tolist() == ["E06000032", "E06000055"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: rank_interval([1], [2], direction="up"),
        lambda: rank_interval([1], [2], direction="higher", level=95),
        lambda: rank_interval([1], [2], direction="higher", kind="mean"),
        lambda: rank_interval([1], [2], direction="higher", wanted=[True, False]),
        lambda: rank_interval([1, 2], [2], direction="higher"),
        lambda: rank_interval_if(["c"], 300, direction="higher"),
        lambda: top_places([1], [2], top=0, direction="higher"),
        lambda: top_places([1], [2], top=1.5, direction="higher"),
    ],
)
def test_what_cannot_be_meant_is_refused(call):
    with pytest.raises(MeasureError):
        call()


def test_an_assumed_denominator_is_named_and_the_larger_it_is_the_fewer_places_are_open():
    percent = [94.2, 92.0, 90.5, 88.0, 97.0, 85.0]
    widths = []
    for assumed in (100, 300, 3000):
        made = rank_interval_if(percent, assumed, direction="higher")
        assert made["assumed_denominator"].tolist() == [assumed] * 6
        widths.append((made["rank_upper"] - made["rank_lower"]).sum())
    assert widths[0] > widths[1] > widths[2]


def test_an_assumption_of_the_true_counts_gives_the_interval_of_the_counts():
    x, n = np.array([30, 45, 80, 12]), np.array([100, 90, 160, 60])
    assumed = rank_interval_if(100 * x / n, n, direction="lower")
    assert assumed[PLACES].equals(rank_interval(x, n, direction="lower")[PLACES])


def test_a_percentage_outside_0_to_100_or_an_assumption_of_nobody_has_no_rank():
    made = rank_interval_if([101, -1, None, 50, 60], [10, 10, 10, 0, 10], direction="higher")
    assert made["status"].tolist() == ["not between 0 and 1", "not between 0 and 1", "missing", "no exposure", ""]
    assert made["of"].tolist() == [1] * 5


def test_the_chances_of_the_first_places_add_up_to_the_number_of_places():
    random = np.random.default_rng(6)
    n = random.integers(30, 800, 50)
    x = random.binomial(n, random.uniform(0.6, 0.9, 50))
    for top in (1, 5, 49):
        assert top_places(x, n, top=top, direction="higher")["chance"].sum() == pytest.approx(top, abs=0.01)
    assert top_places(x, n, top=50, direction="higher")["chance"].tolist() == [1.0] * 50


def test_the_chance_of_a_place_is_that_of_draws_from_the_same_model():
    """Two areas of one size: the spread and the chance by hand, from the difference of two normal variables."""
    x, n = np.array([60, 45]), np.array([100, 100])
    place = np.arcsin(np.sqrt((x + 0.375) / (n + 0.75)))
    error = 0.5 / np.sqrt(100.5)
    between = place.var(ddof=1) - error**2
    kept = between / (between + error**2)
    apart = kept * (place[0] - place[1]) / (error * math.sqrt(2 * kept))
    expected = 0.5 * (1 + math.erf(apart / math.sqrt(2)))
    assert top_places(x, n, top=1, direction="higher")["chance"][0] == pytest.approx(expected, abs=1e-3)


def test_the_verdict_on_the_first_places_rests_on_the_interval():
    x, n = [990, 900, 895, 500, 100], [1000] * 5
    made = top_places(x, n, top=2, direction="higher")
    assert made["verdict"].tolist() == [IN_TOP, CANNOT_TELL, CANNOT_TELL, NOT_IN_TOP, NOT_IN_TOP]
    assert top_places([1, None], [2, 3], top=1, direction="higher")["verdict"].tolist() == [IN_TOP, ""]


def test_every_order_of_the_areas_gives_the_same_answer():
    x, n = np.array([3, 40, 41, 9]), np.array([30, 100, 100, 10])
    first = rank_interval(x, n, direction="higher").to_numpy().tolist()
    for order in itertools.permutations(range(4)):
        made = rank_interval(x[list(order)], n[list(order)], direction="higher").to_numpy().tolist()
        assert made == [first[k] for k in order]


def test_the_scale_makes_the_error_of_a_share_independent_of_it():
    """What the interval rests on: the standard deviation of the arcsine root, by the exact binomial distribution."""
    for n, share in ((50, 0.5), (50, 0.2), (400, 0.03), (400, 0.9)):
        k = np.arange(n + 1)
        place, weight = np.arcsin(np.sqrt((k + 0.375) / (n + 0.75))), binom.pmf(k, n, share)
        mean = (place * weight).sum()
        deviation = math.sqrt(((place - mean) ** 2 * weight).sum())
        assert deviation == pytest.approx(0.5 / math.sqrt(n + 0.5), rel=0.03)
