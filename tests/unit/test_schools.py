"""What is left of a ratio without any one school, and within schools."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jsna.disproportionality import adjusted, leave_one_school_out
from jsna.disproportionality.patterns import lined_up
from jsna.disproportionality.regression import fit
from jsna.disproportionality.schools import cell_expected, within_schools
from jsna.errors import MeasureError

pytestmark = pytest.mark.filterwarnings("error")

NAMES = {"group": "group", "count": "x", "total": "n", "adjust": ["sex"], "cluster": "school"}


def _cells(schools: int = 25, seed: int = 1, special: float = 0.0) -> pd.DataFrame:
    """Cells of three known groups and an unknown one, unevenly spread; ``special``: c's extra risk in school 0."""
    random = np.random.default_rng(seed)
    rows = []
    for school in range(schools):
        share = random.dirichlet([2, 1, 0.4, 0.2])
        level = np.exp(random.normal(-2, 0.4))
        for group, part, ratio in zip("abcu", share, (1.0, 1.3, 0.8, 1.1), strict=True):
            for sex, factor in (("F", 0.8), ("M", 1.4)):
                n = int(random.poisson(90 * part))
                risk = min(level * ratio * factor * (1 + special * (group == "c" and school == 0)), 0.95)
                rows.append((group, school, sex, random.binomial(n, risk), n, group != "u"))
    return pd.DataFrame(rows, columns=["group", "school", "sex", "x", "n", "known"])


def _left_out(cells: pd.DataFrame, **named) -> pd.DataFrame:
    return leave_one_school_out(cells, **NAMES, known="known", **named).table


def _refitted(cells: pd.DataFrame) -> pd.DataFrame:
    """The same by fitting again without each school, one at a time."""
    rows = []
    for school, own in cells.groupby("school"):
        table = adjusted(cells[cells["school"] != school], **NAMES, known="known", errors="cr1").table
        held = own.groupby("group")["n"].sum()
        again = table[table["errors"] != "score"].set_index("group")["risk_ratio"]
        rows += [(g, school, held[g], again.get(g, np.nan)) for g in held.index[held > 0]]
    return pd.DataFrame(rows, columns=["group", "school", "pupils", "risk_ratio"])


@pytest.mark.parametrize(
    ("cells", "alike"),
    [
        pytest.param(_cells(), "most", id="many-schools"),
        pytest.param(_cells(40, 2), "most", id="more-schools"),
        pytest.param(_cells(6, 3), "few", id="few-schools"),
        pytest.param(_cells(20, 4, special=5.0), "most", id="one-school-that-differs"),
    ],
)
def test_without_each_school_the_ratio_is_that_of_a_fit_without_it(cells, alike):
    keys = ["group", "school"]
    ours = _left_out(cells).set_index(keys).sort_index()
    again = _refitted(cells).set_index(keys).sort_index()
    pd.testing.assert_series_equal(ours["pupils"], again["pupils"], check_dtype=False)
    whole = adjusted(cells, **NAMES, known="known").table.set_index("group")["risk_ratio"]
    log_ours, log_again = np.log(ours["risk_ratio"]), np.log(again["risk_ratio"])
    moves = (log_again - np.log(whole).reindex(log_again.index, level="group")).abs()
    np.testing.assert_allclose(log_ours, log_again, atol=1e-3)
    large = moves > 0.02
    assert large.sum() > (5 if alike == "most" else 15)
    np.testing.assert_allclose(log_ours[large], log_again[large], atol=1e-6)


def test_the_school_that_carries_a_difference_is_found():
    cells = _cells(40, 5, special=6.0)
    cells.loc[(cells["school"] == 0) & (cells["group"] == "c"), "n"] = 150
    cells.loc[(cells["school"] == 0) & (cells["group"] == "c"), "x"] = 100
    made = _left_out(cells, groups=["c"])
    assert (made["group"] == "c").all()
    whole = adjusted(cells, **NAMES, known="known").table.set_index("group").loc["c", "risk_ratio"]
    lone = made.set_index("school")["risk_ratio"]
    assert whole > 1.35
    assert lone[0] < 1.1
    assert (lone.drop(0) > 1.25).all()


@pytest.mark.parametrize("alone", [True, False], ids=["alone-there", "with-others"])
def test_a_group_with_all_its_pupils_in_one_school_has_no_ratio_without_it(alone):
    """Where it is alone there no coefficient is moved by leaving the school out."""
    cells = _cells()
    cells = cells[(cells["group"] == "c") == (cells["school"] == 3)] if alone else cells
    cells = cells[(cells["group"] != "c") | (cells["school"] == 3)]
    made = _left_out(cells)
    only = made[made["group"] == "c"]
    assert only["school"].tolist() == [3]
    assert only["risk_ratio"].isna().all()
    assert made.loc[made["group"] != "c", "risk_ratio"].notna().all()


def test_where_only_one_school_identifies_anybody_nothing_is_left_without_it():
    cells = _cells()
    cells["x"] = cells["x"].where(cells["school"] == 3, 0)
    some = cells.groupby("group")["x"].sum()
    made = _left_out(cells, groups=some.index[some > 0]).set_index("school")
    assert made["group"].nunique() > 1
    assert made.loc[3, "risk_ratio"].isna().all()
    assert made.drop(3)["risk_ratio"].notna().all()


def test_a_group_that_an_adjuster_tells_apart_is_in_nobodys_comparator_without_any_school():
    """By hand: a and b have only each other, whichever school goes; with d at no risk it would be 1 and 4."""
    rows = [
        (g, s, place, x, 100)
        for s in range(5)
        for g, place, x in (("a", "mainstream", 10), ("b", "mainstream", 20), ("d", "special", 90))
    ]
    cells = pd.DataFrame(rows, columns=["group", "school", "place", "x", "n"])
    made = leave_one_school_out(cells, group="group", count="x", total="n", adjust=["place"], cluster="school").table
    ratios = made.set_index("group")["risk_ratio"]
    np.testing.assert_allclose(ratios["a"], 0.5)
    np.testing.assert_allclose(ratios["b"], 2.0)
    assert ratios["d"].isna().all()


def test_a_single_school():
    cells = _cells(1)
    made = _left_out(cells)
    assert len(made) == cells.loc[cells["n"] > 0, "group"].nunique()
    assert made["risk_ratio"].isna().all()


@pytest.mark.parametrize("value", ["nobody", "everybody"])
def test_nobody_or_everybody_identified_is_said(value):
    cells = _cells()
    made = leave_one_school_out(cells.assign(x=0 if value == "nobody" else cells["n"]), **NAMES)
    assert made.table.empty
    assert list(made.table.columns) == ["group", "school", "pupils", "risk_ratio", "status"]
    assert len(made.notes) == 1


def test_a_group_with_nobody_identified_is_missing_and_leaves_the_others_as_refitted():
    cells = _cells()
    cells["x"] = cells["x"].where(cells["group"] != "c", 0)
    made = _left_out(cells)
    assert made.loc[made["group"] == "c", "risk_ratio"].isna().all()
    again = _refitted(cells)
    both = made.merge(again, on=["group", "school"])
    both = both[both["group"] != "c"]
    np.testing.assert_allclose(np.log(both["risk_ratio_x"]), np.log(both["risk_ratio_y"]), atol=1e-3)


@pytest.mark.parametrize("gone", [["x"], ["group", "school"], ["x", "sex"]], ids=str)
def test_columns_that_are_not_there_are_named(gone):
    with pytest.raises(MeasureError, match="no such column") as refused:
        leave_one_school_out(_cells().drop(columns=gone), **NAMES)
    assert sorted(p.value for p in refused.value.problems) == sorted(gone)


# --- within schools -----------------------------------------------------------------------------------------------


def _within(cells: pd.DataFrame, adjust=(), known="known") -> pd.Series:
    patterns = lined_up(cells, group="group", total="n", adjust=adjust, cluster="school", known=known)
    fitted = fit(patterns, cells["x"].to_numpy(float))
    return pd.Series(within_schools(fitted, cell_expected(fitted)), patterns.groups)


def _table(rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", "school", "x", "n"])
    return frame.assign(known=frame["group"] != "u")


def test_within_schools_two_schools_by_hand():
    """Expected numbers are in proportion to pupils, so the ratio is Mantel and Haenszel's of the two tables."""
    cells = _table([("a", 1, 10, 50), ("b", 1, 5, 50), ("a", 2, 2, 10), ("b", 2, 20, 190)])
    above = 10 * 50 / 100 + 2 * 190 / 200
    below = 5 * 50 / 100 + 20 * 10 / 200
    answer = _within(cells)
    assert answer["a"] == pytest.approx(above / below)
    assert answer["b"] == pytest.approx(below / above)


def test_within_schools_of_three_groups_all_others_of_the_school_are_one():
    cells = _table([("a", 1, 6, 20), ("b", 1, 3, 30), ("c", 1, 5, 50), ("a", 2, 4, 40), ("c", 2, 9, 60)])
    above = 6 * 80 / 100 + 4 * 60 / 100
    below = 8 * 20 / 100 + 9 * 40 / 100
    assert _within(cells)["a"] == pytest.approx(above / below)


def test_differences_that_are_only_between_schools_are_1_within_them():
    """Risks of 8, 20 and 40% by school, whatever the group; most of a in the school that identifies most."""
    rows = [(g, s, int(n * r), n) for s, r, sizes in (
        (1, 0.08, (25, 400, 100)), (2, 0.2, (50, 200, 100)), (3, 0.4, (500, 50, 100)),
    ) for g, n in zip("abc", sizes, strict=True)]  # fmt: skip
    cells = _table(rows)
    crude = adjusted(cells, group="group", count="x", total="n", adjust=[], cluster="school").table
    assert crude.set_index("group").loc["a", "risk_ratio"] > 1.8
    np.testing.assert_allclose(_within(cells), 1.0, rtol=1e-12)


def test_differences_within_schools_are_found_though_schools_differ():
    rows = [(g, s, int(n * r * (1.5 if g == "a" else 1)), n) for s, r, sizes in (
        (1, 0.08, (50, 400)), (2, 0.2, (50, 200)), (3, 0.4, (500, 50)),
    ) for g, n in zip("ab", sizes, strict=True)]  # fmt: skip
    assert _within(_table(rows))["a"] == pytest.approx(1.5)


def test_boys_and_girls_are_compared_with_boys_and_girls():
    """Group a is all boys, who are identified three times as often: that is expected of them."""
    rows = [("a", s, "M", 30, 100) for s in (1, 2)]
    rows += [("b", s, sex, x, 100) for s in (1, 2) for sex, x in (("M", 30), ("F", 10))]
    cells = pd.DataFrame(rows, columns=["group", "school", "sex", "x", "n"]).assign(known=True)
    assert _within(cells)["a"] == pytest.approx(1.5)
    assert _within(cells, adjust=["sex"])["a"] == pytest.approx(1.0)


def test_pupils_of_unknown_group_are_nobodys_comparator_within_schools():
    cells = _table([("a", 1, 10, 50), ("b", 1, 5, 50), ("u", 1, 40, 50), ("a", 2, 2, 10), ("b", 2, 20, 190)])
    with_unknown, without = _within(cells), _within(cells[cells["known"]])
    np.testing.assert_allclose(with_unknown[["a", "b"]], without[["a", "b"]], rtol=1e-9)


def test_where_no_school_holds_both_there_is_no_ratio_within_schools():
    cells = _table([("a", 1, 10, 50), ("a", 3, 5, 20), ("b", 2, 5, 50), ("c", 2, 4, 50)])
    answer = _within(cells)
    assert np.isnan(answer["a"])
    assert answer["b"] == pytest.approx((5 * 50) / (4 * 50))
