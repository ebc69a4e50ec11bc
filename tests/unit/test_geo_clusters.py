"""Moran's I and the scan statistic beside plain loops and a peer, planted clusters, chance, and every edge."""

from __future__ import annotations

import itertools
import math
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.clusters import (
    between_variation,
    local_moran,
    local_moran_of_rates,
    morans_i,
    morans_i_of_rates,
    scan,
    standardised_rates,
)
from geo.neighbours import from_pairs
from geo.smoothing import empirical_bayes
from geo.windows import chance_counts, circles, log_likelihood_ratio
from jsna.errors import MeasureError


def lattice(side, extra=()):
    codes = [f"{r}{c}" for r in range(side) for c in range(side)]
    links = [(f"{r}{c}", f"{r}{c + 1}") for r in range(side) for c in range(side - 1)]
    links += [(f"{r}{c}", f"{r + 1}{c}") for r in range(side - 1) for c in range(side)]
    return from_pairs([*codes, *extra], links)


def values(size, seed=0):
    return np.random.default_rng(seed).normal(size=size)


def plain_moran(y, near):
    """Moran's I by two loops, each area's neighbours weighing 1 together."""
    matrix, mean = near.matrix.toarray(), sum(y) / len(y)
    top = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            top += matrix[i, j] / matrix[i].sum() * (y[i] - mean) * (y[j] - mean)
    return top / sum((v - mean) ** 2 for v in y)


# Moran's I


def test_i_is_that_of_two_plain_loops():
    y = values(25)
    assert morans_i(y, lattice(5)).i == pytest.approx(plain_moran(y, lattice(5)))


def test_i_of_a_chessboard_is_minus_one_and_of_two_halves_is_high():
    board = [(r + c) % 2 for r, c in itertools.product(range(4), repeat=2)]
    halves = [int(r < 2) for r, c in itertools.product(range(4), repeat=2)]
    assert morans_i(board, lattice(4)).i == pytest.approx(-1)
    assert morans_i(halves, lattice(4)).i > 0.5


def test_mean_and_variance_are_those_of_all_orders_of_the_values():
    near, y = from_pairs("ABCDE", [("A", "B"), ("B", "C"), ("C", "D"), ("C", "E")]), [1.0, 2.0, 4.0, 8.0, 9.0]
    every = [plain_moran(order, near) for order in itertools.permutations(y)]
    found = morans_i(y, near)
    assert found.expected == pytest.approx(np.mean(every))
    assert found.sd == pytest.approx(np.std(every))
    assert found.z == pytest.approx((found.i - np.mean(every)) / np.std(every))


def test_both_p_values_agree_and_find_what_is_planted_only():
    near, y = lattice(8), values(64, 3)
    nothing = morans_i(y, near, permutations=4_999)
    assert nothing.p_permutation == pytest.approx(nothing.p_analytic, abs=0.04)
    planted = morans_i(y + 4 * (np.arange(64) < 24), near)
    assert planted.p_permutation == 0.002  # both tails: the least that 999 shuffles can give
    assert planted.p_analytic < 1e-4


def test_p_of_nothing_is_spread_evenly():
    p = [morans_i(values(36, s), lattice(6), seed=s).p_permutation for s in range(200)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.1
    assert 0.4 < np.mean(p) < 0.6


def test_islands_and_missing_values_take_no_part_and_are_named():
    near = lattice(4, extra=["island"])
    y = values(17)
    assert morans_i(y, near).left_out == ("island",)
    assert morans_i(y, near).i == pytest.approx(morans_i(y[:16], lattice(4)).i)
    y[5] = np.nan
    found = morans_i(y, near)
    assert (found.left_out, found.areas) == (("11", "island"), 15)
    keep = np.delete(np.arange(16), 5)
    without = lattice(4).subset(np.arange(16) != 5)
    assert found.i == pytest.approx(plain_moran(y[keep], without))


@pytest.mark.parametrize(
    ("y", "near", "status"),
    [
        ([5, 5, 5, 5], lattice(2), "nothing varies"),
        ([0.1 * 3, 0.3, 0.3, 0.3], lattice(2), "nothing varies"),
        ([1, 2, 3], from_pairs("ABC", [("A", "B"), ("B", "C")]), "too few areas"),
        ([1, 2, 3, 4], from_pairs("ABCD", []), "too few areas"),
        ([None] * 4, lattice(2), "too few areas"),
    ],
    ids=["equal", "equal but for rounding", "three", "islands", "missing"],
)
def test_where_i_means_nothing_it_is_missing_with_a_reason(y, near, status):
    found = morans_i(pd.Series(y, dtype="Float64"), near)
    assert found.status == status
    assert np.isnan(found.i)
    assert np.isnan(found.p_permutation)
    each = local_moran(pd.Series(y, dtype="Float64"), near)
    assert each["p"].isna().all()
    assert (each["status"] != "").all()


def test_the_same_seed_gives_the_same_answer_in_any_order_of_rows():
    y, near = values(25), lattice(5)
    assert morans_i(y, near) == morans_i(y, near)
    turned = from_pairs(near.codes[::-1], near.pairs().itertuples(index=False))
    assert morans_i(y[::-1], turned).p_permutation == morans_i(y, near).p_permutation
    assert morans_i(y, near, seed=1).p_permutation != morans_i(y, near, seed=2).p_permutation
    backward = local_moran(y[::-1], turned).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(backward, local_moran(y, near))


# Rates


def test_standardised_rates_are_those_of_the_formula():
    x, n = np.array([3, 10, 40, 9]), np.array([50, 80, 200, 120])
    mean, rate = x.sum() / n.sum(), x / n
    between = (n * (rate - mean) ** 2).sum() / n.sum() - mean / n.mean()
    assert between > 0
    found = standardised_rates(x, n)["z"]
    np.testing.assert_allclose(found, (rate - mean) / np.sqrt(between + mean / n), rtol=1e-12)


def test_without_differences_beyond_chance_only_chance_is_divided_by():
    x, n = np.array([10, 11, 9, 10]), np.array([100, 100, 100, 10_000_000])
    x[3] = 1_000_000
    found = standardised_rates(x, n)["z"]
    mean = x.sum() / n.sum()
    np.testing.assert_allclose(found, (x / n - mean) / np.sqrt(mean / n), rtol=1e-9)


def test_small_areas_do_not_decide_the_i_of_rates():
    """One tiny area among large ones, all at one risk: the raw rate's outlier is no outlier once standardised."""
    random = np.random.default_rng(1)
    n = random.integers(300, 600, 36)
    x = random.binomial(n, 0.1)
    x[14], n[14] = 2, 4
    assert abs(standardised_rates(x, n)["z"][14]) < 3 < (x / n)[14] / (x / n).std()


def test_areas_of_nobody_take_no_part_in_the_i_of_rates():
    near, random = lattice(4), np.random.default_rng(2)
    n = random.integers(20, 90, 16)
    n[3] = 0
    x = random.binomial(n, 0.3)
    found, each = morans_i_of_rates(x, n, near), local_moran_of_rates(x, n, near)
    assert (found.left_out, found.areas) == (("03",), 15)
    assert each["status"].tolist() == ["", "", "", "no data"] + [""] * 12
    assert each["p"].isna().tolist() == [i == 3 for i in range(16)]
    assert morans_i_of_rates([0] * 16, [9] * 16, near).status == "nothing varies"
    assert morans_i_of_rates([0] * 16, [0] * 16, near).status == "too few areas"


# Local Moran


def test_local_i_is_its_formula_and_its_mean_is_the_whole():
    near, y = lattice(5), values(25)
    each = local_moran(y, near)
    z = (y - y.mean()) / y.std()
    matrix = near.matrix.toarray()
    np.testing.assert_allclose(each["local_i"], z * (matrix @ z) / matrix.sum(axis=1), rtol=1e-9)
    assert each["local_i"].mean() == pytest.approx(morans_i(y, near).i)


def test_conditional_p_is_that_of_all_draws_of_neighbours():
    """A row of six: each inner area has two neighbours, drawn from five others in ten ways."""
    near, y = from_pairs("ABCDEF", list(itertools.pairwise("ABCDEF"))), np.array([5.0, 1.0, 2.5, 3.0, 8.0, 6.0])
    found = local_moran(y, near, permutations=19_999)["p"]
    for area in (1, 2, 3, 4):
        others = np.delete(y, area)
        every = np.array([sum(pair) for pair in itertools.combinations(others, 2)])
        seen = y[area - 1] + y[area + 1]
        exact = min(1, 2 * min((every >= seen - 1e-9).mean(), (every <= seen + 1e-9).mean()))
        assert found[area] == pytest.approx(exact, abs=0.02)


def test_a_planted_cluster_is_named_and_little_else():
    side, near = 10, lattice(10)
    y = values(100, 5)
    inside = [r * side + c for r in range(3) for c in range(3)]
    y[inside] += 4
    each = local_moran(y, near)
    assert (each["cluster"][[1, 10, 11, 12, 21]] == "high among high").all()
    assert (each["cluster"].drop(inside) == "high among high").sum() <= 4
    assert (each["q"] >= each["p"]).all()


def test_an_odd_one_out_is_low_among_high():
    near, y = lattice(7), values(49, 6) * 0.3
    y[[i for i in range(49) if i % 7 > 3]] += 3
    y[3 * 7 + 5] = -4
    assert local_moran(y, near)["quadrant"][3 * 7 + 5] == "low among high"


def test_false_discoveries_among_areas_alike_are_rare():
    near = lattice(7)
    named = [(local_moran(values(49, s), near, seed=s)["cluster"] != "not beyond chance").any() for s in range(60)]
    assert np.mean(named) <= 0.12


def test_an_island_is_missing_and_the_others_are_answered():
    each = local_moran(values(17), lattice(4, extra=["island"]))
    assert each["status"].tolist() == [""] * 16 + ["no neighbours"]
    assert each[["z", "p", "q"]].iloc[-1].isna().all()
    assert (each["cluster"].iloc[-1], each["quadrant"].iloc[-1]) == ("", "")


def test_an_area_at_the_mean_is_in_no_quadrant():
    each = local_moran([1, 2, 3, 2, 1, 3], from_pairs("ABCDEF", list(itertools.pairwise("ABCDEF"))))
    assert each["quadrant"][1] == ""


# Beside a peer


@pytest.fixture(scope="module")
def peer():
    warnings.simplefilter("ignore")
    return pytest.importorskip("esda"), pytest.importorskip("libpysal")


def peer_weights(libpysal, near):
    matrix = near.matrix
    links = {i: matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]].tolist() for i in range(len(near))}
    return libpysal.weights.W(links)


@pytest.mark.filterwarnings("ignore")
def test_a_peer_gives_the_same_i_variance_and_local_p(peer):
    esda, libpysal = peer
    near, y = lattice(8), values(64, 8)
    y[:20] += 1
    theirs, ours = esda.Moran(y, peer_weights(libpysal, near), permutations=0), morans_i(y, near)
    np.testing.assert_allclose([ours.i, ours.expected, ours.sd], [theirs.I, theirs.EI, theirs.seI_rand], rtol=1e-10)
    assert ours.p_analytic == pytest.approx(theirs.p_rand)
    local = esda.Moran_Local(y, peer_weights(libpysal, near), permutations=9_999, seed=1, n_jobs=1)
    each = local_moran(y, near)
    np.testing.assert_allclose(each["local_i"], local.Is * 64 / 63, rtol=1e-9)  # the peer divides by n - 1
    # The peer's p is of one tail, the tail chosen by the data: half of ours.
    np.testing.assert_allclose(each["p"] / 2, local.p_sim, atol=0.02)


@pytest.mark.filterwarnings("ignore")
def test_a_peer_gives_the_same_rates_where_they_vary_beyond_chance(peer):
    esda, libpysal = peer
    near, random = lattice(6), np.random.default_rng(3)
    n = random.integers(100, 400, 36)
    x = random.binomial(n, 0.1 * np.exp(0.5 * random.normal(size=36)))
    theirs = esda.Moran_Rate(x, n, peer_weights(libpysal, near), permutations=0).I
    assert morans_i_of_rates(x, n, near).i == pytest.approx(theirs)
    np.testing.assert_allclose(empirical_bayes(x, n)["smoothed"], esda.smoothing.Empirical_Bayes(x, n).r.ravel())
    # Where areas differ less than by chance the peer's global smoother turns them round about the mean; ours does not.
    assert empirical_bayes([9, 10, 11], [100] * 3)["smoothed"].tolist() == [0.1] * 3
    assert esda.smoothing.Empirical_Bayes(np.array([9, 10, 11]), np.array([100] * 3)).r[0, 0] > 0.1


# Scan


GRID = np.array([(c, r) for r in range(7) for c in range(7)], dtype=float)


def plain_scan(x, n, points, most, model, direction):
    """The likeliest circle by loops: its areas and log-likelihood ratio."""
    best, found = 0.0, frozenset()
    for centre in points:
        far = [math.dist(centre, p) for p in points]
        for radius in sorted(set(far)):
            inside = [i for i, d in enumerate(far) if d <= radius + 1e-9]
            c, m = sum(x[i] for i in inside), sum(n[i] for i in inside)
            if m > most * sum(n) * (1 + 1e-9):
                break
            o, k = sum(x) - c, sum(n) - m
            if (direction == "high" and c * k <= o * m) or (direction == "low" and c * k >= o * m):
                continue
            best, found = max((best, found), (plain_ratio(c, m, o, k, model), frozenset(inside)), key=lambda b: b[0])
    return best, found


def plain_ratio(c, m, o, k, model):
    def term(events, risk):
        return events * math.log(risk) if events else 0.0

    whole = (c + o) / (m + k)
    if model == "poisson":
        return term(c, c / (m * whole)) + term(o, o / (k * whole))
    return (
        term(c, c / m) + term(m - c, 1 - c / m) + term(o, o / k) + term(k - o, 1 - o / k)
        - term(c + o, whole) - term(m + k - c - o, 1 - whole)
    )  # fmt: skip


@pytest.mark.parametrize("model", ["binomial", "poisson"])
@pytest.mark.parametrize("direction", ["high", "low", "both"])
def test_the_likeliest_circle_is_that_of_plain_loops(model, direction):
    random = np.random.default_rng(4)
    points = random.uniform(0, 10, (22, 2))
    n = random.integers(20, 90, 22)
    x = random.binomial(n, 0.2)
    size = n * random.uniform(0.1, 0.3, 22) if model == "poisson" else n
    ratio, areas = plain_scan(x, size, points, 0.4, model, direction)
    found = scan(x, size, points, model=model, direction=direction, most=0.4, simulations=99).clusters.loc[1]
    assert found["llr"] == pytest.approx(ratio)
    assert frozenset(found["areas"]) == areas


def test_a_ratio_worked_out_by_hand():
    """10 of 50 inside, 10 of 150 outside, 20 of 200 in all."""
    hand = 10 * math.log(0.2) + 40 * math.log(0.8) + 10 * math.log(1 / 15) + 140 * math.log(14 / 15)
    hand -= 20 * math.log(0.1) + 180 * math.log(0.9)
    found = log_likelihood_ratio(np.array([[10.0]]), 20.0, np.array([[50.0]]), 200.0, "binomial", "high")
    assert found[0, 0] == pytest.approx(hand)
    low = log_likelihood_ratio(np.array([[10.0]]), 20.0, np.array([[50.0]]), 200.0, "binomial", "low")
    assert low[0, 0] == 0
    hand = 10 * math.log(10 / 5) + 10 * math.log(10 / 15)
    found = log_likelihood_ratio(np.array([[10.0]]), 20.0, np.array([[50.0]]), 200.0, "poisson", "high")
    assert found[0, 0] == pytest.approx(hand)


def test_circles_of_a_row_of_four():
    found = circles(np.array([(0.0, 0), (1, 0), (2, 0), (3, 0)]), np.ones(4), 0.5)
    sets = {frozenset(np.flatnonzero(row)) for row in found.members}
    # Around an inner area both its sides come in at once, and three are more than half.
    assert sets == {frozenset(s) for s in ([0], [1], [2], [3], [0, 1], [2, 3])}
    assert len(sets) == len(found.members)


def test_areas_at_one_point_come_in_together():
    found = circles(np.array([(0.0, 0), (0, 0), (5, 0), (9, 0)]), np.ones(4), 0.5)
    assert {frozenset(np.flatnonzero(row)) for row in found.members} == {
        frozenset(s) for s in ([0, 1], [2], [3], [2, 3])
    }


def planted(low=False):
    random = np.random.default_rng(9)
    n = random.integers(80, 160, 49)
    inside = np.hypot(*(GRID - [1, 1]).T) <= 1
    outside = np.hypot(*(GRID - [5, 5]).T) <= 1
    risk = 0.1 + 0.25 * inside - (0.09 * outside if low else 0)
    return random.binomial(n, risk), n, inside, outside


@pytest.mark.parametrize("model", ["binomial", "poisson"])
def test_a_planted_cluster_is_found_where_it_is(model):
    x, n, inside, _ = planted()
    found = scan(x, n if model == "binomial" else n * 0.1, GRID, model=model)
    first = found.clusters.loc[1]
    assert (first["direction"], first["p"]) == ("high", 0.001)
    assert set(first["areas"]) == set(np.flatnonzero(inside))
    assert (found.areas["cluster"].to_numpy() == 1).tolist() == inside.tolist()
    assert first["count"] == x[inside].sum()
    assert first["ratio"] > 2
    expected = n[inside].sum() * x.sum() / n.sum()
    assert first["expected"] == pytest.approx(expected)


def test_a_second_cluster_shares_no_area_with_the_first():
    x, n, _, outside = planted(low=True)
    found = scan(x, n, GRID).clusters
    assert found["direction"].tolist()[:2] == ["high", "low"]
    assert set(found.loc[2, "areas"]) == set(np.flatnonzero(outside))
    named = [area for areas in found["areas"] for area in areas]
    assert len(named) == len(set(named))
    assert found["llr"].is_monotonic_decreasing
    only_low = scan(x, n, GRID, direction="low").clusters
    assert set(only_low["direction"]) == {"low"}
    assert set(only_low.loc[1, "areas"]) == set(np.flatnonzero(outside))


def first_p(x, n, **named):
    return scan(x, n, GRID, simulations=99, **named).clusters.loc[1, "p"]


def test_chance_alone_is_called_a_cluster_as_rarely_as_promised():
    called = []
    for seed in range(120):
        n = np.random.default_rng(seed).integers(50, 200, 49)
        x = np.random.default_rng(seed + 1_000).binomial(n, 0.1)
        called.append([first_p(x, n, seed=seed) <= 0.05, first_p(x, n * 0.1, model="poisson", seed=seed) <= 0.05])
    assert (np.mean(called, axis=0) <= 0.12).all()  # 0.05, and three and a half standard errors
    assert np.sum(called) > 0


def test_areas_that_differ_but_not_by_place_need_the_null_that_knows_it():
    plain, aware = [], []
    for seed in range(40):
        random = np.random.default_rng(seed)
        n = random.integers(100, 400, 49)
        x = random.binomial(n, np.minimum(0.1 * np.exp(0.35 * random.normal(size=49)), 1))
        plain.append(first_p(x, n, seed=seed) <= 0.05)
        aware.append(first_p(x, n, seed=seed, variation=between_variation(x, n)) <= 0.05)
    assert np.mean(plain) > 0.5
    assert np.mean(aware) <= 0.2


@pytest.mark.parametrize("model", ["binomial", "poisson"])
def test_counts_dealt_by_chance_keep_the_total_and_the_shares(model):
    n = np.array([50.0, 100.0, 350.0])
    dealt = chance_counts(60, n, model, 4_000, 1)
    assert (dealt.sum(axis=0) == 60).all()
    np.testing.assert_allclose(dealt.mean(axis=1), 60 * n / 500, rtol=0.03)
    varied = chance_counts(60, n, model, 4_000, 1, variation=0.4)
    risk, chance = 0.12, 0.88 if model == "binomial" else 1.0
    expected = n * risk * chance + (n * risk * 0.4) ** 2
    np.testing.assert_allclose(varied.mean(axis=1), 60 * n / 500, rtol=0.05)
    np.testing.assert_allclose(varied.var(axis=1), expected, rtol=0.12)
    if model == "binomial":
        assert (dealt <= n[:, None]).all()
        assert (varied <= n[:, None]).all()


def test_variation_between_areas_is_recovered():
    random = np.random.default_rng(2)
    n = random.integers(200, 500, 3_000)
    assert between_variation(random.binomial(n, 0.2), n) < 0.05
    own = random.beta(0.2 * 40, 0.8 * 40, 3_000)  # SD √(0.2 × 0.8 / 41), a share of 0.312 of the mean
    assert between_variation(random.binomial(n, own), n) == pytest.approx(np.sqrt(0.16 / 41) / 0.2, rel=0.05)
    assert np.isnan(between_variation([0, 0], [5, 5]))


def test_the_order_of_rows_and_the_names_decide_nothing():
    x, n, _, _ = planted()
    names = [f"E{i:02d}" for i in range(49)]
    order = np.random.default_rng(0).permutation(49)
    ahead = scan(pd.Series(x, index=names), n, GRID)
    turned = scan(pd.Series(x, index=names).iloc[order], n[order], GRID[order])
    assert ahead.clusters["p"].tolist() == turned.clusters["p"].tolist()
    assert set(ahead.clusters.loc[1, "areas"]) == set(turned.clusters.loc[1, "areas"])
    pd.testing.assert_frame_equal(ahead.areas, turned.areas.loc[names])


def test_shapes_may_stand_for_points():
    x, n, _, _ = planted()
    shapes = gpd.GeoSeries([shapely.Point(p).buffer(0.4) for p in GRID], crs=27700)
    assert scan(x, n, shapes).clusters["p"].tolist() == scan(x, n, GRID).clusters["p"].tolist()


def test_areas_that_cannot_be_used_are_left_out_and_say_so():
    x, n, _, _ = planted()
    count, total = pd.Series(x, dtype="Float64"), pd.Series(n, dtype="Float64")
    count[0], total[48], count[48], count[47] = None, 0, 0, 999
    found = scan(count, total, GRID)
    assert found.areas["status"][[0, 47, 48]].tolist() == ["missing", "count above total", "no data"]
    assert found.areas["cluster"][[0, 47, 48]].tolist() == [0, 0, 0]
    keep = np.arange(1, 47)
    assert found.clusters.loc[1, "llr"] == pytest.approx(scan(x[keep], n[keep], GRID[keep]).clusters.loc[1, "llr"])


@pytest.mark.parametrize(
    ("x", "n", "status"),
    [
        ([0, 0, 0], [5, 5, 5], "no events in any area"),
        ([5, 5, 5], [5, 5, 5], "everybody counted in every area"),
        ([0, 0, 0], [0, 0, 0], "nobody in any area"),
        ([3, 0, 0], [5, 0, 0], "too few areas"),
    ],
)
def test_where_there_is_nothing_to_scan_no_cluster_is_named(x, n, status):
    found = scan(x, n, [(0, 0), (1, 0), (2, 0)])
    assert found.status == status
    assert found.clusters.empty
    assert found.areas["cluster"].tolist() == [0, 0, 0]


def test_one_place_that_holds_more_than_half_leaves_no_window():
    found = scan([5, 1], [60, 40], [(0, 0), (0, 0)])
    assert (found.status, found.windows) == ("one place holds more than half", 0)


def test_nobody_identified_outside_gives_an_infinite_ratio():
    found = scan([9, 0, 0, 0], [20] * 4, [(0, 0), (1, 0), (2, 0), (3, 0)]).clusters.loc[1]
    assert (found["ratio"], found["direction"]) == (np.inf, "high")


@pytest.mark.parametrize(
    "call",
    [
        lambda: scan([1, 2], [3], [(0, 0)]),
        lambda: scan([1, 2], [3, 4], [(0, 0)]),
        lambda: scan([1, 2], [3, 4], [(0, 0), (np.nan, 1)]),
        lambda: scan([1, 2], [3, 4], [(0, 0), (1, 1)], most=0.6),
        lambda: scan([1, 2], [3, 4], [(0, 0), (1, 1)], direction="up"),
        lambda: scan([1, 2], [3, 4], [(0, 0), (1, 1)], simulations=9),
        lambda: scan([1, 2], [3, 4], [(0, 0), (1, 1)], variation=-1),
        lambda: scan([1, 2], [3, 4], [(0, 0), (1, 1)], model="normal"),
        lambda: morans_i([1, 2, 3, 4], lattice(2), permutations=99),
        lambda: local_moran([1, 2, 3, 4], lattice(2), permutations=99),
        lambda: morans_i([1, 2, 3], lattice(2)),
        lambda: morans_i(pd.Series([1, 2, 3, 4], index=list("abcd")), lattice(2)),
    ],
)
def test_mistakes_of_the_caller_are_refused(call):
    with pytest.raises(MeasureError):
        call()
