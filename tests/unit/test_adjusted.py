"""Adjusted ratios: against pupil-level fits of another library, brute-force matrices, and tables of nothing."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from jsna.disproportionality import adjusted
from jsna.errors import MeasureError

# A warning on the way to an answer is a defect: notebooks fail on stray output.
pytestmark = pytest.mark.filterwarnings("error")


def _pupils(size: int, schools: int, seed: int, base: float = 0.12) -> pd.DataFrame:
    """One row a pupil: groups unevenly spread over schools, schools that differ, and three adjusters."""
    random = np.random.default_rng(seed)
    group = random.choice(list("abcdu"), size, p=[0.4, 0.25, 0.18, 0.12, 0.05])
    liking = random.dirichlet(np.ones(schools) * 1.5, 5)
    school = np.array([random.choice(schools, p=liking["abcdu".index(g)]) for g in group])
    sex = random.choice(["F", "M"], size)
    quintile = random.integers(1, 6, size)
    effect = {"a": 0.0, "b": 0.4, "c": -0.3, "d": 0.7, "u": 0.2}
    risk = base * np.exp(
        np.vectorize(effect.get)(group) + 0.5 * (sex == "M") - 0.1 * quintile + random.normal(0, 0.3, schools)[school]
    )
    return pd.DataFrame(
        {
            "group": group,
            "school": school,
            "sex": sex,
            "quintile": quintile.astype(str),
            "x": random.binomial(1, np.minimum(risk, 0.9)),
            "n": 1,
            "known": group != "u",
        }
    )


def _cells(pupils: pd.DataFrame) -> pd.DataFrame:
    keys = ["group", "school", "sex", "quintile", "known"]
    return pupils.groupby(keys, as_index=False)[["x", "n"]].sum()


NAMES = {"group": "group", "count": "x", "total": "n", "adjust": ["sex", "quintile"], "cluster": "school"}
PUPILS = _pupils(1500, 45, 1)
CELLS = _cells(PUPILS)


FEW = _pupils(300, 12, 5, base=0.3)
TABLES = {"many": PUPILS, "few": FEW}


@cache
def _design(name: str) -> pd.DataFrame:
    dummies = pd.get_dummies(TABLES[name][["group", "sex", "quintile"]], drop_first=True).astype(float)
    return sm.add_constant(dummies)


@cache
def _library_fit(name: str, model: str, errors: str = "cluster"):
    pupils = TABLES[name]
    family = sm.families.Poisson() if model == "poisson" else sm.families.Binomial()
    glm = sm.GLM(pupils["x"], _design(name), family=family)
    how = {"groups": pupils["school"].to_numpy(), "use_correction": False} if errors == "cluster" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return glm.fit(cov_type=errors, cov_kwds=how, tol=1e-13, tol_criterion="params", maxiter=100)


def _clustered(made, name: str) -> np.ndarray:
    schools = TABLES[name]["school"].nunique()
    return made.cov_params().to_numpy() * schools / (schools - 1)


def _log_ratio(beta: np.ndarray, name: str, columns: list[str], model: str, group: str, against=None):
    """The contrast, written for coefficients that may be complex, so that its gradient is exact."""
    pupils = TABLES[name]
    known = pupils[pupils["known"]]
    size = known["group"].value_counts()
    effect = {g: beta[columns.index(f"group_{g}")] if f"group_{g}" in columns else 0.0 for g in "abcdu"}
    if model == "poisson":
        level = {g: np.exp(v) for g, v in effect.items()}
    else:
        plain = np.array([0.0 if c.startswith("group_") else 1.0 for c in columns])
        linear = (_design(name)[columns].to_numpy()[pupils["known"].to_numpy()] * plain) @ beta
        level = {g: (1 / (1 + np.exp(-linear - v))).mean() for g, v in effect.items()}
    if against is not None:
        return np.log(level[group]) - np.log(level[against])
    others = [h for h in size.index if h != group]
    return np.log(level[group]) - np.log(sum(size[h] * level[h] for h in others) / size[others].sum())


def _gradient(beta: np.ndarray, *rest) -> np.ndarray:
    """By complex steps: no difference is taken, so no digits are lost."""
    step = 1e-30
    return np.array([_log_ratio(beta + 1j * step * row, *rest).imag / step for row in np.eye(len(beta))])


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_coefficients_and_their_clustered_errors_are_those_of_the_pupil_level_fit(model):
    library = _library_fit("many", model)
    error = np.sqrt(np.diag(_clustered(library, "many")))
    ours = adjusted(CELLS, **NAMES, known="known", model=model).coefficients
    named = ["const", *(f"{v}_{k}" for v, k in zip(ours["variable"][1:], ours["level"][1:], strict=True))]
    assert sorted(named) == sorted(library.params.index)
    np.testing.assert_allclose(ours["estimate"], library.params[named], rtol=1e-10)
    at = [list(library.params.index).index(name) for name in named]
    np.testing.assert_allclose(ours["standard_error"], error[at], rtol=1e-10)


@pytest.mark.parametrize("against", [None, "c", "a"], ids=str)
@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_every_ratio_and_its_clustered_error_are_those_of_the_pupil_level_fit(model, against):
    library = _library_fit("many", model)
    columns, beta, variance = list(library.params.index), library.params.to_numpy(), _clustered(library, "many")
    answer = adjusted(CELLS, **NAMES, known="known", model=model, errors="cr1", reference=against).table
    answer = answer[answer["comparator"] == (against or "all others")].set_index("group")
    assert list(answer.index) == list("abcdu")
    for group in answer.index.drop(against, errors="ignore"):
        rest = ("many", columns, model, group, against)
        gradient = _gradient(beta, *rest)
        row = answer.loc[group]
        error = np.sqrt(gradient @ variance @ gradient)
        assert np.log(row["risk_ratio"]) == pytest.approx(_log_ratio(beta, *rest), rel=1e-10, abs=1e-12)
        assert row["log_standard_error"] == pytest.approx(error, rel=1e-10)
        assert row["lower"] == pytest.approx(row["risk_ratio"] * np.exp(-1.959963984540054 * error), rel=1e-9)
        assert row["upper"] == pytest.approx(row["risk_ratio"] * np.exp(1.959963984540054 * error), rel=1e-9)
        z = abs(np.log(row["risk_ratio"])) / error
        assert row["p_value"] == pytest.approx(2 * stats.norm.sf(z), rel=1e-8)
        assert (row["errors"], row["status"]) == ("cr1", "")
    if against is not None:
        assert answer.loc[against, ["risk_ratio", "lower", "upper"]].tolist() == [1, 1, 1]
        assert np.isnan(answer.loc[against, "p_value"])


def test_odds_ratios_are_those_of_the_pupil_level_fit():
    library = _library_fit("many", "logistic")
    variance = pd.DataFrame(_clustered(library, "many"), library.params.index, library.params.index)
    made = adjusted(CELLS, **NAMES, known="known", model="logistic", errors="cr1", reference="c")
    ours = made.odds_ratios.set_index("group")
    beta, v = library.params, variance
    log_odds = beta["group_b"] - beta["group_c"]
    error = np.sqrt(v.loc["group_b", "group_b"] + v.loc["group_c", "group_c"] - 2 * v.loc["group_b", "group_c"])
    assert ours.loc["b", "odds_ratio"] == pytest.approx(np.exp(log_odds), rel=1e-10)
    assert ours.loc["b", "upper"] == pytest.approx(np.exp(log_odds + 1.959963984540054 * error), rel=1e-9)
    assert (ours["reference"] == "c").all()
    assert adjusted(CELLS, **NAMES).odds_ratios.empty


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_the_design_effect_is_over_the_robust_variance_of_independent_pupils(model):
    library = _library_fit("many", model)
    single = _library_fit("many", model, "HC0").cov_params().to_numpy()
    columns, beta = list(library.params.index), library.params.to_numpy()
    answer = adjusted(CELLS, **NAMES, known="known", model=model, errors="cr1").table.set_index("group")
    for group in "abcdu":
        gradient = _gradient(beta, "many", columns, model, group)
        effect = (gradient @ _clustered(library, "many") @ gradient) / (gradient @ single @ gradient)
        assert answer.loc[group, "design_effect"] == pytest.approx(effect, rel=1e-8)


def test_expected_is_the_number_identified_at_the_comparators_adjusted_risk():
    """By hand: boys are identified twice as often in both groups; group a twice as often as b."""
    rows = pd.DataFrame(
        [("a", "M", "1", 40, 100), ("a", "F", "2", 40, 200), ("b", "M", "1", 60, 300), ("b", "F", "2", 10, 100)],
        columns=["group", "sex", "school", "x", "n"],
    )
    answer = adjusted(rows, group="group", count="x", total="n", adjust=["sex"], cluster="school").table
    assert answer["risk_ratio"].tolist() == pytest.approx([2.0, 0.5])
    assert answer["expected"].tolist() == pytest.approx([40.0, 140.0])


# Without schools pupils are independent: the error is then the one that a reader can work out by hand.
TWO = pd.DataFrame([("a", 30, 100), ("b", 40, 400)], columns=["group", "x", "n"])
BY_HAND = np.sqrt(1 / 30 - 1 / 100 + 1 / 40 - 1 / 400)


def test_without_schools_the_error_is_that_of_independent_pupils():
    pupils = pd.DataFrame(
        [(g, i < x, 1) for g, x, n in TWO.itertuples(index=False) for i in range(n)], columns=["group", "x", "n"]
    )
    answer = adjusted(pupils, group="group", count="x", total="n", adjust=[], cluster=None).table
    assert answer["risk_ratio"].tolist() == pytest.approx([3.0, 1 / 3])
    np.testing.assert_allclose(answer["log_standard_error"], BY_HAND, rtol=0.002)


def test_without_schools_pupils_may_be_added_up_to_rows():
    """Rows are counts: that four hundred pupils stand in one row does not make them one observation."""
    answer = adjusted(TWO, group="group", count="x", total="n", adjust=[], cluster=None).table
    np.testing.assert_allclose(answer["log_standard_error"], BY_HAND, rtol=0.002)


# --- few schools --------------------------------------------------------------------------------------------------


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors / np.sqrt(values)) @ vectors.T


def _brute_force_cr2(model: str, group: str, against=None) -> tuple[float, float]:
    """Variance and Satterthwaite degrees of freedom with matrices of pupils by pupils."""
    pupils, library = FEW, _library_fit("few", model)
    columns, beta = list(library.params.index), library.params.to_numpy()
    x = _design("few")[columns].to_numpy()
    mean = library.mu
    weight = mean if model == "poisson" else mean * (1 - mean)
    pearson = (pupils["x"].to_numpy() - mean) / np.sqrt(weight)
    root_x = np.sqrt(weight)[:, None] * x
    bread = np.linalg.inv(root_x.T @ root_x)
    hat = root_x @ bread @ root_x.T
    contrast = _gradient(beta, "few", columns, model, group, against)
    variance, arms = 0.0, []
    for school in pupils["school"].unique():
        at = np.flatnonzero(pupils["school"] == school)
        adjust = _inverse_root(np.eye(len(at)) - hat[np.ix_(at, at)])
        arm = np.zeros(len(pupils))
        arm[at] = adjust @ root_x[at] @ bread @ contrast
        variance += (arm @ pearson) ** 2
        arms.append(arm)
    arms = np.array(arms)
    products = arms @ (np.eye(len(pupils)) - hat) @ arms.T
    return variance, np.trace(products) ** 2 / np.sum(products**2)


@pytest.mark.parametrize("against", [None, "b"], ids=str)
@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_with_few_schools_errors_are_the_bias_reduced_ones_with_satterthwaites_degrees_of_freedom(model, against):
    answer = adjusted(_cells(FEW), **NAMES, known="known", model=model, reference=against).table
    answer = answer[answer["comparator"] == (against or "all others")].set_index("group")
    for group in answer.index.drop(against, errors="ignore"):
        variance, freedom = _brute_force_cr2(model, group, against)
        row = answer.loc[group]
        assert row["errors"] == "cr2"
        assert row["log_standard_error"] == pytest.approx(np.sqrt(variance), rel=1e-8)
        assert row["degrees_of_freedom"] == pytest.approx(freedom, rel=1e-8)
        reach = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
        assert row["upper"] == pytest.approx(row["risk_ratio"] * np.exp(reach), rel=1e-7)
        z = abs(np.log(row["risk_ratio"])) / np.sqrt(variance)
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(z, freedom), rel=1e-7)


def test_a_group_in_few_of_many_schools_has_the_bias_reduced_error_and_the_others_the_plain_one():
    cells = CELLS.copy()
    cells = cells[(cells["group"] != "d") | (cells["school"] < 9)]
    answer = adjusted(cells, **NAMES, known="known").table.set_index("group")
    assert answer.loc["d", "schools"] < 10
    assert answer["errors"].to_dict() == {g: "cr2" if g == "d" else "cr1" for g in "abcdu"}
    whole = adjusted(cells, **NAMES, known="known", errors="cr2").table.set_index("group")
    assert answer.loc["d", "upper"] == pytest.approx(whole.loc["d", "upper"])
    assert answer.loc["a", "upper"] != pytest.approx(whole.loc["a", "upper"], rel=1e-4)


def test_fewer_than_ten_schools_are_said_to_be_too_few():
    answer = adjusted(_cells(FEW[FEW["school"] < 9]), **NAMES)
    assert answer.schools == 9
    assert any("only 9 schools" in note for note in answer.notes)
    assert not any("schools" in note for note in adjusted(_cells(FEW), **NAMES).notes)


# --- where there is little or nothing -----------------------------------------------------------------------------


def _set(cells: pd.DataFrame, where, value: str = "nobody") -> pd.DataFrame:
    return cells.assign(x=cells["x"].where(~where, 0 if value == "nobody" else cells["n"]))


def _in_words(table: pd.DataFrame) -> None:
    """No number is missing without a status, and no interval has no width without one."""
    silent = table[(table["status"] == "") & (table["group"] != table["comparator"])]
    assert silent[["risk_ratio", "lower", "upper", "p_value"]].notna().all(axis=None)
    assert (silent["lower"] < silent["upper"] * (1 - 1e-9)).all()


@pytest.mark.parametrize("group", ["a", "c"], ids=["largest", "other"])
@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_a_group_with_nobody_identified_has_its_crude_ratio_and_the_others_are_fitted_without_it(model, group):
    cells = _set(CELLS, CELLS["group"] == group)
    answer = adjusted(cells, **NAMES, known="known", model=model, errors="cr1")
    row = answer.table.set_index("group").loc[group]
    assert (row["risk_ratio"], row["lower"]) == (0, 0)
    assert 0 < row["upper"] < 1
    assert (row["errors"], row["status"]) == ("score", "not estimable by regression: nobody identified")
    if group != "a":  # the largest has no coefficient to be named: the next one stands in its place
        assert any(f"group {group}" in note and "nobody" in note for note in answer.notes)
    _in_words(answer.table)
    without = adjusted(cells[cells["group"] != group], **NAMES, known="known", model=model, errors="cr1")
    there, here = without.coefficients, answer.coefficients
    at = there["variable"] != "group"
    merged = there[at].merge(here, on=["variable", "level"], suffixes=("", "_with"))
    assert len(merged) >= 6
    np.testing.assert_allclose(merged["estimate"], merged["estimate_with"], rtol=1e-9)
    # The pupils of that group are still among the others, at a risk of 0.
    ratios = answer.table.set_index("group")["risk_ratio"] / without.table.set_index("group")["risk_ratio"]
    size = cells[cells["known"]].groupby("group")["n"].sum()
    if model == "poisson":
        for other in {"b", "d"}:
            others = size.sum() - size[other]
            assert ratios[other] == pytest.approx(others / (others - size[group]), rel=1e-9)


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_a_group_with_everybody_identified(model):
    cells = _set(CELLS, CELLS["group"] == "d", "everybody")
    answer = adjusted(cells, **NAMES, known="known", model=model, errors="cr1")
    row = answer.table.set_index("group").loc["d"]
    _in_words(answer.table)
    if model == "poisson":  # 1 is no edge for a log link: there is a coefficient
        assert (row["status"], row["errors"]) == ("", "cr1")
    else:
        assert (row["status"], row["errors"]) == ("not estimable by regression: everybody identified", "score")
        assert 1 < row["lower"] < row["risk_ratio"] < row["upper"]


def test_a_group_with_everybody_identified_is_among_the_others_at_a_risk_of_1():
    """Standardised risks by hand: with no adjusters they are the plain ones."""
    rows = pd.DataFrame(
        [("a", s, 10 + s, 100) for s in range(12)]
        + [("b", s, 20 + s, 100) for s in range(12)]
        + [("d", s, 50, 50) for s in range(12)],
        columns=["group", "school", "x", "n"],
    )
    answer = adjusted(rows, group="group", count="x", total="n", adjust=[], cluster="school", model="logistic").table
    answer = answer.set_index("group")
    identified = rows.groupby("group")["x"].sum()
    assert answer.loc["b", "status"] == ""
    assert answer.loc["b", "risk_ratio"] == pytest.approx((identified["b"] / 1200) / ((identified["a"] + 600) / 1800))


@pytest.mark.parametrize("model", ["poisson", "logistic"])
@pytest.mark.parametrize("level", ["1", "3"], ids=["first", "other"])
def test_an_adjusters_level_with_nobody_identified_is_left_out_and_changes_no_ratio_by_itself(model, level):
    cells = _set(CELLS, CELLS["quintile"] == level)
    answer = adjusted(cells, **NAMES, known="known", model=model)
    assert (answer.table["status"] == "").all()
    _in_words(answer.table)
    if level == "3":
        assert any("quintile 3" in note and "nobody" in note for note in answer.notes)
    if model == "logistic":
        return
    # In the limit of the likelihood the level has a risk of 0: the fit is that of the other levels.
    rest = adjusted(cells[cells["quintile"] != level], **NAMES, known="known").coefficients.set_index("level")
    ours = answer.coefficients.set_index("level")
    np.testing.assert_allclose(ours.loc[["b", "c", "d"], "estimate"], rest.loc[["b", "c", "d"], "estimate"], rtol=1e-9)


def test_the_first_level_of_an_adjuster_with_nobody_identified_is_named_too():
    answer = adjusted(_set(CELLS, CELLS["quintile"] == "1"), **NAMES, known="known")
    assert any("quintile 1" in note and "nobody" in note for note in answer.notes)


def test_a_largest_group_with_nobody_identified_is_named_too():
    answer = adjusted(_set(CELLS, CELLS["group"] == "a"), **NAMES, known="known")
    assert any("group a" in note and "nobody" in note for note in answer.notes)


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_an_adjuster_that_another_determines_changes_nothing_and_is_named(model):
    cells = CELLS.assign(poor=np.where(CELLS["quintile"] < "3", "poor", "not poor"))
    twice = adjusted(cells, **{**NAMES, "adjust": ["sex", "quintile", "poor"]}, known="known", model=model)
    once = adjusted(CELLS, **NAMES, known="known", model=model)
    assert any("poor poor" in note and "determined" in note for note in twice.notes)
    assert not once.notes
    pd.testing.assert_frame_equal(twice.table, once.table, rtol=1e-8)


def test_a_group_that_an_adjuster_tells_apart_has_no_adjusted_ratio():
    """All of d, and nobody else, go to one kind of place: no figures can part the two."""
    cells = CELLS.assign(place=np.where(CELLS["group"] == "d", "special", "mainstream"))
    answer = adjusted(cells, **{**NAMES, "adjust": ["sex", "place"]}, known="known")
    row = answer.table.set_index("group").loc["d"]
    assert "cannot be told apart" in row["status"]


APART = pd.DataFrame(
    # Twelve schools: of 100 of a 10 are identified, of 100 of b 20, give or take 2; d has a place of its own.
    [
        (g, s, place, x + (2 if s % 2 else -2), 100)
        for s in range(12)
        for g, place, x in (("a", "mainstream", 10), ("b", "mainstream", 20), ("d", "special", 90))
    ],
    columns=["group", "school", "place", "x", "n"],
)
BY_PLACE = {"group": "group", "count": "x", "total": "n", "adjust": ["place"], "cluster": "school"}


def test_a_group_that_an_adjuster_tells_apart_stands_in_nobodys_comparator():
    """By hand: a and b have only one another, 0.1 against 0.2; with d counted at no risk it would be 1 and 4."""
    table = adjusted(APART, **BY_PLACE).table.set_index("group")
    assert table.loc["a", "risk_ratio"] == pytest.approx(0.5)
    assert table.loc["b", "risk_ratio"] == pytest.approx(2.0)
    assert (table.loc[["a", "b"], "status"] == "").all()
    # At b's risk 240 of the 1,200 of a would be identified, at a's risk 120 of the 1,200 of b.
    assert table.loc["a", "expected"] == pytest.approx(240)
    assert table.loc["b", "expected"] == pytest.approx(120)


@pytest.mark.parametrize("model", ["poisson", "logistic"])
@pytest.mark.parametrize("errors", ["cr1", "cr2"])
def test_groups_beside_one_that_cannot_be_told_apart_are_compared_as_if_it_were_not_there(model, errors):
    """Two groups that have only each other: one ratio is the other upside down, and so are their limits."""
    table = adjusted(APART, **BY_PLACE, model=model, errors=errors).table.set_index("group")
    a, b = table.loc["a"], table.loc["b"]
    assert a["risk_ratio"] * b["risk_ratio"] == pytest.approx(1)
    assert a["lower"] * b["upper"] == pytest.approx(1)
    assert a["p_value"] == pytest.approx(b["p_value"])
    if model == "poisson":
        alone = adjusted(APART[APART["group"] != "d"], **BY_PLACE, errors=errors).table.set_index("group")
        columns = ["risk_ratio", "lower", "upper", "expected", "p_value"]
        np.testing.assert_allclose(
            table.loc[["a", "b"], columns].astype(float), alone[columns].astype(float), rtol=1e-8
        )


def test_against_a_named_reference_a_group_that_cannot_be_told_apart_changes_nothing():
    table = adjusted(APART, **BY_PLACE, reference="a").table
    row = table[(table["group"] == "b") & (table["comparator"] == "a")].iloc[0]
    assert row["risk_ratio"] == pytest.approx(2.0)
    assert row["expected"] == pytest.approx(120)


@pytest.mark.parametrize(("group", "risk"), [("none", 0), ("all", 100)], ids=["nobody", "everybody"])
def test_a_group_of_nobody_or_of_everybody_still_stands_in_the_comparator(group, risk):
    """The model says what their risk is, 0 or 1: b is compared with a and these pupils together."""
    rows = pd.DataFrame([(group, s, "mainstream", risk, 100) for s in range(12)], columns=APART.columns)
    table = adjusted(pd.concat([APART, rows], ignore_index=True), **BY_PLACE).table.set_index("group")
    assert table.loc["b", "risk_ratio"] == pytest.approx(0.2 / ((0.1 + risk / 100) / 2))
    assert table.loc["b", "expected"] == pytest.approx(1200 * (0.1 + risk / 100) / 2)


def test_a_single_group_is_compared_with_nobody():
    answer = adjusted(CELLS[CELLS["group"] == "a"], **NAMES)
    row = answer.table.iloc[0]
    assert np.isnan(row["risk_ratio"])
    assert row["status"].startswith("not estimable by regression: nobody")
    assert row["numerator"] == CELLS.loc[CELLS["group"] == "a", "x"].sum()


def test_all_in_a_single_school_have_ratios_and_no_interval():
    answer = adjusted(CELLS.assign(school="one"), **NAMES, known="known")
    many = adjusted(CELLS, **NAMES, known="known")
    np.testing.assert_allclose(answer.table["risk_ratio"], many.table["risk_ratio"], rtol=1e-9)
    assert answer.table[["lower", "upper", "p_value"]].isna().all(axis=None)
    assert (answer.table["status"] == "no interval: all pupils are in one school").all()
    assert any("only 1 school" in note for note in answer.notes)


def test_a_group_in_a_single_school_has_no_interval_of_almost_no_width():
    """Its pupils' residuals add to 0 in its only school: the sandwich knows nothing of how that school differs."""
    random = np.random.default_rng(3)
    rows = [(g, s, random.binomial(100, 0.15), 100) for s in range(60) for g in "ab"] + [("c", 7, 10, 40)]
    frame = pd.DataFrame(rows, columns=["group", "school", "x", "n"])
    row = adjusted(frame, group="group", count="x", total="n", adjust=[], cluster="school").table.set_index("group")
    least = np.sqrt(1 / 10 - 1 / 40)  # the error of its 40 pupils, were they independent
    row = row.loc["c"]
    told = row["status"] != "" or row["errors"] == "score"
    assert told or np.log(row["upper"] / row["lower"]) > 2 * 1.96 * least


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_all_pupils_of_unknown_group(model):
    answer = adjusted(CELLS.assign(known=False), **NAMES, known="known", model=model).table
    assert answer["risk_ratio"].isna().all()
    assert answer["status"].str.contains("nobody").all()
    assert answer["denominator"].sum() == len(PUPILS)


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_only_pupils_of_unknown_group_are_identified(model):
    answer = adjusted(_set(CELLS, CELLS["known"]), **NAMES, known="known", model=model).table
    known = answer[answer["known"]]
    assert (known["status"] == "not estimable by regression: nobody identified").all()
    _in_words(answer)


@pytest.mark.parametrize("value", ["nobody", "everybody"])
@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_nobody_or_everybody_identified_is_said(model, value):
    answer = adjusted(_set(CELLS, CELLS["n"] > 0, value), **NAMES, model=model, reference="b")
    assert answer.notes == (f"{value.title()} is identified.",)
    assert len(answer.table) == 10
    assert (answer.table["status"] != "").all()


def test_totals_of_zero_everywhere():
    answer = adjusted(CELLS.assign(x=0, n=0), **NAMES)
    assert (answer.table["status"] == "no pupils").all()
    assert answer.table["risk_ratio"].isna().all()


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_where_the_likelihood_has_no_maximum_it_is_said_and_no_coefficient_is_given(model):
    """Within every pairing of group and sex somebody is lacking: no level is empty, yet estimates run away."""
    rows = pd.DataFrame(
        [
            ("a", "F", "x", 1, 3, 11), ("a", "M", "y", 1, 8, 19), ("a", "M", "y", 2, 0, 27), ("a", "F", "y", 3, 0, 16),
            ("b", "F", "y", 3, 1, 4), ("c", "F", "x", 2, 21, 24), ("b", "F", "x", 2, 1, 11), ("c", "F", "y", 2, 18, 26),
        ],
        columns=["group", "sex", "school", "quintile", "x", "n"],
    )  # fmt: skip
    answer = adjusted(rows, **NAMES, model=model)
    _in_words(answer.table)
    if (answer.table["errors"] == "score").any():
        assert any("does not settle" in note for note in answer.notes)


def test_logistic_with_only_groups_of_nobody_and_of_everybody_gives_crude_ratios():
    rows = pd.DataFrame([("a", 1, 0, 40), ("b", 2, 30, 30)], columns=["group", "school", "x", "n"])
    answer = adjusted(rows, group="group", count="x", total="n", adjust=[], cluster="school", model="logistic").table
    assert answer["status"].tolist() == [
        "not estimable by regression: nobody identified",
        "not estimable by regression: everybody identified",
    ]
    assert answer["lower"].notna().all()


def test_a_missing_category_is_a_category_and_is_said():
    cells = CELLS.assign(quintile=CELLS["quintile"].where(CELLS["quintile"] != "4"))
    gone = int(cells.loc[cells["quintile"].isna(), "n"].sum())
    answer = adjusted(cells, **NAMES, known="known")
    assert answer.notes == (f"quintile: {gone} pupils not recorded, kept as a category of their own.",)
    named = adjusted(CELLS, **NAMES, known="known")
    pd.testing.assert_frame_equal(answer.table, named.table, rtol=1e-8)


@pytest.mark.parametrize("also", [False, True], ids=["missing", "missing-and-so-named"])
def test_a_missing_group_is_a_group_and_is_counted(also):
    cells = CELLS.assign(group=CELLS["group"].where(CELLS["group"] != "u", "not recorded" if also else None))
    if also:
        cells["group"] = cells["group"].where(cells.index % 2 == 0, cells["group"].replace("not recorded", None))
    answer = adjusted(cells, **NAMES).table
    rows = answer[answer["group"] == "not recorded"]
    assert rows["denominator"].tolist() == [(PUPILS["group"] == "u").sum()]
    assert rows["status"].tolist() == [""]


def test_a_missing_school_is_a_school_and_is_said():
    answer = adjusted(CELLS.assign(school=CELLS["school"].where(CELLS["school"] != 3)), **NAMES)
    assert answer.schools == 45
    assert any(note.startswith("school:") and "not recorded" in note for note in answer.notes)


BAD = {2: (9, 4), 5: (-1, 4), 7: (0.5, 4), 11: (None, 4), 13: (1, None), 17: (1, -4), 19: (0, 2.5)}


def test_all_rows_that_are_no_counts_are_named_in_one_message():
    cells = CELLS.head(30).astype({"x": "float64", "n": "float64"})
    for row, (x, n) in BAD.items():
        cells.loc[row, ["x", "n"]] = x, n
    with pytest.raises(MeasureError) as refused:
        adjusted(cells, **NAMES)
    assert len(refused.value.problems) == len(BAD)
    for row in BAD:
        assert f"row {row} (" in str(refused.value)
    for word in ("above total", "negative", "whole number", "missing", "9 of 4"):
        assert word in str(refused.value)


@pytest.mark.parametrize("gone", [["x"], ["n"], ["group"], ["sex", "school"], ["x", "group"], ["known"]], ids=str)
def test_all_columns_that_are_not_there_are_named_in_one_message(gone):
    with pytest.raises(MeasureError, match="no such column") as refused:
        adjusted(CELLS.drop(columns=gone), **NAMES, known="known")
    assert sorted(p.value for p in refused.value.problems) == sorted(gone)


@pytest.mark.parametrize(
    ("cells", "named", "message"),
    [
        pytest.param(CELLS, {"reference": "A"}, "reference group", id="reference"),
        pytest.param(CELLS, {"model": "probit"}, "No such model", id="model"),
        pytest.param(CELLS.assign(x=0), {"model": "probit"}, "No such model", id="model-with-nobody"),
        pytest.param(CELLS, {"errors": "hc3"}, "No such errors", id="errors"),
        pytest.param(CELLS, {"confidence": 95}, "level of confidence", id="confidence"),
        pytest.param(CELLS.iloc[:0], {}, "no rows", id="no-rows"),
        pytest.param(CELLS.assign(x="many"), {}, "not numeric", id="text"),
        pytest.param(CELLS.assign(n="many"), {}, "not numeric", id="text-total"),
        pytest.param(CELLS.assign(known=None), {"known": "known"}, "known", id="known-with-gap"),
        pytest.param(CELLS.assign(known=CELLS["sex"] == "F"), {"known": "known"}, "known", id="known-of-two-minds"),
    ],
)
def test_a_mistake_of_the_caller_is_a_sentence(cells, named, message):
    with pytest.raises(MeasureError, match=message):
        adjusted(cells, **NAMES, **named)


def test_counts_of_millions_lose_nothing():
    rows = pd.DataFrame(
        [("a", s, 1_350_000 + 10 * s, 9_000_000) for s in range(12)]
        + [("b", s, 900_000 - 10 * s, 9_000_000) for s in range(12)],
        columns=["group", "school", "x", "n"],
    )
    answer = adjusted(rows, group="group", count="x", total="n", adjust=[], cluster="school").table.set_index("group")
    x = rows.groupby("group")["x"].sum()
    assert answer.loc["a", "risk_ratio"] == pytest.approx(x["a"] / x["b"], rel=1e-10)
    assert answer.loc["a", "status"] == ""
