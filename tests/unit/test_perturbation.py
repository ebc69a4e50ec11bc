"""Counts that are changed instead of hidden: by how much, always alike, and never so that one child can be told."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest
from cell_key_perturbation.create_perturbed_table import create_perturbed_table
from cell_key_perturbation.utils.generate_test_ptable import generate_ptable_10_5_rule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from jsna.counts import CELL_KEY, KEYS, NEEDS, OUTCOMES, count_pupils, record_keys
from jsna.disclosure.perturbation import (
    cell_keyed,
    largest_change,
    midpoint,
    perturbation_table,
    perturbed,
    rounded,
)
from jsna.errors import DisclosureError, SourceError
from jsna.sealed import Sealed
from jsna.synthetic import load_pupils

COUNTS = ("pupils", *OUTCOMES, *(f"need_{n}" for n in NEEDS))
PURPOSE = "to test"


@pytest.fixture(scope="module")
def pupils(tmp_path_factory):
    return load_pupils(2023, 0.05, tmp_path_factory.mktemp("pupils")).frame


@pytest.fixture(scope="module")
def table():
    return perturbation_table()


@pytest.mark.parametrize(
    ("counts", "base", "shown"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], 5, [0, 0, 0, 5, 5, 5, 5, 5, 10]),
        ([4, 5, 14, 15, 25], 10, [0, 10, 10, 20, 30]),
        ([1, 2, 3], 1, [1, 2, 3]),
        ([12_345_678], 5, [12_345_680]),
    ],
)
def test_the_half_is_rounded_upwards(counts, base, shown):
    assert rounded(counts, base).tolist() == shown


@pytest.mark.parametrize(
    ("zeros", "shown"),
    [("shown", [0, 3, 3, 3, 9, 9, 15, 603]), ("hidden", [3, 3, 3, 3, 9, 9, 15, 603])],
)
def test_a_band_of_six_is_shown_as_its_middle(zeros, shown):
    assert midpoint([0, 1, 3, 6, 7, 12, 13, 601], zeros=zeros).tolist() == shown


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
@settings(max_examples=100, deadline=None)
def test_a_part_is_never_shown_larger_than_its_whole_when_rounded(counts):
    true = pd.Series(sorted(counts))
    for shown, most in ((rounded(true), 2), (midpoint(true), 3)):
        assert shown.is_monotonic_increasing
        assert ((shown - true).abs() <= most).all()


@pytest.mark.parametrize("change", [rounded, midpoint, lambda c: cell_keyed(c, [1] * len(c))])
@pytest.mark.parametrize("wrong", [[-1], [2.5], ["many"], [float("inf")]], ids=["below 0", "half", "word", "endless"])
def test_what_is_no_count_is_refused(change, wrong):
    with pytest.raises(DisclosureError, match="not a count"):
        change([7, *wrong])


@pytest.mark.parametrize("change", [rounded, midpoint, lambda c: cell_keyed(c, [1, None])])
def test_a_missing_count_stays_missing(change):
    shown = change(pd.Series([20, None], name="pupils"))
    assert shown.isna().tolist() == [False, True]
    assert abs(shown[0] - 20) <= 5


def test_the_table_is_right_on_average_for_every_count_and_never_shows_one_to_four(table):
    by_count = table.groupby("pcv")["pvalue"]
    shown = table["pcv"] + table["pvalue"]
    assert (by_count.size() == KEYS).all()
    assert len(by_count) == 750
    assert (by_count.sum() == 0).all()
    assert table["pvalue"].abs().max() == largest_change() == 5
    assert not shown.isin([1, 2, 3, 4]).any()
    assert (shown >= 0).all()
    variance = (table["pvalue"] ** 2).groupby(table["pcv"]).mean()
    assert (variance[5:] < 3.1).all()
    assert (variance[:4] < 6.1).all()


def test_a_shown_count_never_says_which_small_count_it_is(table):
    small = table[table["pcv"] <= 4].assign(shown=lambda t: t["pcv"] + t["pvalue"])
    behind = small.groupby("shown")["pcv"].unique().map(sorted)
    assert behind[0] == [1, 2, 3, 4]
    assert behind[5] == [1, 2, 3, 4]


def test_record_keys_are_alike_likely_and_the_same_in_any_order_and_census():
    ids = pd.Series([f"{i:024x}" for i in range(51_200)])
    keys = record_keys(ids)
    assert chisquare(np.bincount(keys, minlength=KEYS)).pvalue > 0.001
    assert np.bincount(keys, minlength=KEYS).min() > 0
    again = record_keys(ids.sample(frac=1, random_state=1).astype("category"))
    assert (again.sort_index() == keys).all()


def test_cell_keys_are_the_sums_of_record_keys_and_change_nothing_else(pupils):
    groupings = [], ["ward_code"], ["ethnicity", "sex"]
    counted = count_pupils(pupils, *groupings, cell_keys=True)
    frame = counted.unseal(PURPOSE)
    plain = count_pupils(pupils, *groupings)
    assert counted.counts == plain.counts == COUNTS
    pd.testing.assert_frame_equal(frame[plain.unseal(PURPOSE).columns], plain.unseal(PURPOSE))
    key = record_keys(pupils["pupil_id"]).astype("int64")
    told = {
        "pupils": key,
        "ehc_plan": key[pupils["sen_provision"] == "E"],
        "need_ASD": key[pupils["primary_need"] == "ASD"],
    }
    for count, keys in told.items():
        by = [pupils["time_period"].astype(str), pupils["ward_code"].astype(str)]
        expected = keys.groupby([b.loc[keys.index] for b in by]).sum() % KEYS
        rows = frame[frame["grouping"] == "ward_code"]
        found = rows.set_index([rows["time_period"].astype(str), rows["ward_code"].astype(str)])[f"{CELL_KEY}{count}"]
        assert found.sub(expected, fill_value=0).eq(0).all(), count
    assert (frame.loc[frame["need_MSI"] == 0, f"{CELL_KEY}need_MSI"] == 0).all()


def test_pupils_without_ids_have_no_cell_keys(pupils):
    with pytest.raises(SourceError, match="pupil_id"):
        count_pupils(pupils.drop(columns="pupil_id"), ["sex"], cell_keys=True)


@pytest.fixture(scope="module")
def uneven(table):
    """A table whose every row differs, so that a wrong row or key shows."""
    random = np.random.default_rng(5)
    return table.assign(pvalue=random.integers(0, 50, len(table)))


@pytest.mark.parametrize("by", [["sex"], ["ward_code", "ethnicity"], ["time_period", "primary_need"]])
@pytest.mark.parametrize("which", ["own", "ten_five", "uneven"])
def test_the_package_of_ons_gives_the_same_numbers_from_the_same_pupils(pupils, table, uneven, by, which):
    ptable = {"own": table, "ten_five": generate_ptable_10_5_rule(), "uneven": uneven}[which]
    rows = pupils[by].astype(str).assign(record_key=record_keys(pupils["pupil_id"]).astype("int64"))
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = create_perturbed_table(rows, ptable, [], by, "record_key", threshold=0)
    grouped = rows.groupby(by)["record_key"].agg(["size", "sum"])
    ours = cell_keyed(grouped["size"], grouped["sum"] % KEYS, None if which == "own" else ptable)
    theirs = theirs[theirs["pre_sdc_count"] > 0].set_index(by)["count"].astype("int64")
    assert ours.sort_index().to_numpy().tolist() == theirs.sort_index().to_numpy().tolist()
    assert grouped["size"].max() > 750 or "sex" not in by


def test_the_same_children_are_the_same_number_in_every_table(pupils):
    def shown(rows, *groupings):
        return perturbed(count_pupils(rows, *groupings, cell_keys=True), "cell_key").unseal(PURPOSE)

    latest = pupils[pupils["time_period"].astype(str) == pupils["time_period"].astype(str).max()]
    whole = shown(latest, [])
    by_provision = shown(latest, ["sen_provision"], ["sex"])
    with_plan = by_provision[(by_provision["sen_provision"] == "E").to_numpy(bool, na_value=False)]
    assert with_plan["pupils"].tolist() == with_plan["ehc_plan"].tolist() == whole["ehc_plan"].tolist()
    girls = shown(latest[latest["sex"] == "F"].sample(frac=1, random_state=3), [])
    row = by_provision[(by_provision["sex"] == "F").to_numpy(bool, na_value=False)]
    assert girls[list(COUNTS)].to_numpy().tolist() == row[list(COUNTS)].to_numpy().tolist()


def test_a_child_more_or_less_cannot_be_told_from_the_difference_of_two_tables():
    random = np.random.default_rng(11)
    keys = random.integers(0, KEYS, 4_000)
    cell = int(random.integers(0, KEYS))
    shown = cell_keyed([40], [cell])[0]
    without = cell_keyed(np.full(len(keys), 39), (cell - keys) % KEYS)
    difference = shown - without
    assert (difference == 1).mean() < 0.35
    assert difference.min() < -1
    assert difference.max() > 3
    assert rounded([40])[0] - rounded([39])[0] == 0


@pytest.mark.parametrize("method", ["round_5", "midpoint_6", "cell_key"])
def test_a_frame_comes_back_sealed_with_changed_counts_and_without_keys(pupils, method):
    counted = count_pupils(pupils, ["ward_code", "ethnicity"], cell_keys=True)
    true = counted.unseal(PURPOSE)
    result = perturbed(counted, method)
    frame = result.unseal(PURPOSE)
    assert isinstance(result, Sealed)
    assert result.counts == COUNTS
    assert [c for c in frame if c.startswith(CELL_KEY)] == []
    assert (frame["ward_code"] == true["ward_code"]).all()
    assert (frame["pupils"] != true["pupils"]).mean() > 0.5
    assert not frame[list(COUNTS)].isin([1, 2, 4]).any(axis=None)
    assert (frame[list(COUNTS)] == 0).any(axis=None) == (method != "midpoint_6")


def test_a_count_is_not_shown_larger_than_the_one_it_lies_within(pupils):
    counted = count_pupils(pupils, ["school_urn", "ethnicity"], cell_keys=True)
    free = perturbed(counted, "cell_key").unseal(PURPOSE)
    held = perturbed(counted, "cell_key", within="pupils").unseal(PURPOSE)
    assert (free["any_sen"] > free["pupils"]).any()
    assert (held["any_sen"] <= held["pupils"]).all()
    assert (held["pupils"] == free["pupils"]).all()


@pytest.mark.parametrize(
    ("sealed", "method", "words"),
    [
        (Sealed(pd.DataFrame({"n": [5]}), ("n",)), "cell_key", "have none"),
        (Sealed(pd.DataFrame({"n": [5]}), ("n",)), "round5", "Did you mean 'round_5'"),
        (Sealed(pd.DataFrame({"n": [5], "r": [0.5]}), ("n",), {"r": ("n", "n")}), "round_5", "true ones"),
        (Sealed(pd.DataFrame({"n": [5], "r": [0.5]}), ("n",), derived=("r",)), "midpoint_6", "true ones"),
        (Sealed(pd.DataFrame({"n": [5], f"{CELL_KEY}n": [256]}), ("n",)), "cell_key", "A key of a cell is none"),
        (Sealed(pd.DataFrame({"n": [5], f"{CELL_KEY}n": [None]}), ("n",)), "cell_key", "A key of a cell is none"),
    ],
)
def test_what_would_leave_something_true_is_refused(sealed, method, words):
    with pytest.raises(DisclosureError, match=words):
        perturbed(sealed, method)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="pvalue"), "pvalue"),
        (lambda t: t.assign(ckey=t["ckey"] * 16), "ckey"),
        (lambda t: t.assign(pvalue=-5), "more than there is"),
        (lambda t: t.assign(pcv=t["pcv"] + 1), "pcv"),
    ],
    ids=["no changes", "keys to 4080", "below 0", "counts to 751"],
)
def test_a_table_in_another_form_is_refused(table, change, words):
    with pytest.raises(DisclosureError, match=words):
        cell_keyed([5], [0], change(table))
