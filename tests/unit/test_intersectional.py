"""Intersectional MAIHDA: against a dense grid, against planted truth, and at every edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite import hermgauss
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from scipy.stats import binom, norm

from jsna.disproportionality import intersectional
from jsna.disproportionality.intersectional import (
    ALIASED,
    ALL_OR_NONE,
    BOUNDARY,
    BOUNDARY_NULL,
    EVERYBODY,
    NOBODY,
    NOT_JOINED,
    ONE_STRATUM,
    SATURATED,
    SEPARATED,
    TOO_WIDE,
)
from jsna.disproportionality.mixed_logit import MixedFit, posterior
from jsna.errors import MeasureError
from jsna.measures import false_discovery

BY = ["ethnicity", "sex", "quintile"]


def _area(seed, *, ethnicities=6, sd=0.4, pupils=80.0, base=-1.7, spread=1.0):
    """An area with planted main effects and interaction."""
    random = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product(
        [[f"e{i:02d}" for i in range(ethnicities)], ["f", "m"], [1, 2, 3, 4, 5]], names=BY
    ).to_frame(index=False)
    effect = random.normal(0, 0.4, ethnicities)
    eta = base + effect[cells["ethnicity"].str[1:].astype(int)] + 0.5 * (cells["sex"] == "m")
    eta = eta - 0.15 * cells["quintile"]
    n = np.maximum(1, random.lognormal(np.log(pupils), spread, len(cells)).astype(int))
    risk = expit(eta + random.normal(0, sd, len(cells)))
    return cells.assign(x=random.binomial(n, risk), n=n)


def _fit(frame, by=BY, **named):
    return intersectional(frame, count="x", total="n", by=by, **named)


def _frame(rows, by=("a", "b")):
    return pd.DataFrame(rows, columns=[*by, "x", "n"])


def _dummies(frame, by):
    return np.column_stack([np.ones(len(frame)), *(pd.get_dummies(frame[c], drop_first=True) for c in by)]).astype(
        float
    )


class DenseGrid:
    """The same likelihood by another road: the trapezium rule on a fixed fine grid of logits, maximised by scipy."""

    def __init__(self, frame, design):
        self.grid = np.linspace(-14, 10, 4001)
        x, n = frame["x"].to_numpy()[:, None], frame["n"].to_numpy()[:, None]
        log_binomial = x * log_expit(self.grid) + (n - x) * log_expit(-self.grid)
        self.top = log_binomial.max(axis=1)
        self.binomial, self.design = np.exp(log_binomial - self.top[:, None]), design
        self.start = np.linalg.lstsq(design, logit((x[:, 0] + 0.5) / (n[:, 0] + 1)), rcond=None)[0]

    def posterior(self, theta):
        distance = (self.grid - (self.design @ theta[:-1])[:, None]) / np.exp(theta[-1])
        joint = self.binomial * np.exp(-(distance**2) / 2)
        return distance, joint, joint.sum(axis=1, keepdims=True)

    def minus_log_likelihood(self, theta):
        distance, joint, sums = self.posterior(theta)
        slope = (joint * distance).sum(axis=1) / sums[:, 0] / np.exp(theta[-1])
        bend = ((joint * distance**2).sum(axis=1) / sums[:, 0] - 1).sum()
        value = (np.log(sums[:, 0]) + self.top - theta[-1]).sum()
        return -value, -np.append(self.design.T @ slope, bend)

    def maximum(self):
        start = np.append(self.start, np.log(0.4))
        for _ in range(2):
            start = minimize(self.minus_log_likelihood, start, jac=True, method="BFGS", options={"gtol": 1e-7}).x
        return start


AREAS = {
    "tens-of-pupils": dict(seed=1, ethnicities=3, pupils=30, sd=1.0),
    "thousands-of-pupils": dict(seed=2, ethnicities=3, pupils=4000, spread=0.3),
    "rare": dict(seed=3, ethnicities=3, pupils=60, base=-4.0, sd=0.8),
    "from-2-to-20000": dict(seed=4, ethnicities=2, pupils=200, spread=2.5, sd=0.7),
    "very-different": dict(seed=5, ethnicities=2, pupils=300, sd=1.6),
}


@pytest.mark.parametrize("named", AREAS.values(), ids=AREAS.keys())
def test_both_models_are_at_the_maximum_that_a_dense_grid_finds(named):
    frame = _area(**named)
    answer = _fit(frame)
    null = DenseGrid(frame, np.ones((len(frame), 1))).maximum()
    assert answer.variance_null == pytest.approx(np.exp(2 * null[-1]), rel=1e-4)
    dense = DenseGrid(frame, _dummies(frame, BY))
    theta = dense.maximum()
    variance = np.exp(2 * theta[-1])
    assert answer.variance_main == pytest.approx(variance, rel=1e-4)
    assert answer.vpc_main == pytest.approx(variance / (variance + np.pi**2 / 3), rel=1e-4)
    assert answer.pcv == pytest.approx(1 - variance / np.exp(2 * null[-1]), abs=1e-4)
    _, joint, sums = dense.posterior(theta)
    posterior = joint / sums
    strata = answer.strata
    np.testing.assert_allclose(strata["predicted"], posterior @ expit(dense.grid), rtol=2e-4)
    np.testing.assert_allclose(strata["additive"], expit(dense.design @ theta[:-1]), rtol=2e-4)
    np.testing.assert_allclose(strata["interaction"], posterior @ dense.grid - dense.design @ theta[:-1], atol=2e-4)


def test_plain_quadrature_would_have_gone_wrong_where_strata_are_large():
    frame = _area(2, ethnicities=3, pupils=4000, spread=0.3)
    x, n = frame["x"].to_numpy()[:, None], frame["n"].to_numpy()[:, None]
    nodes, weights = hermgauss(60)

    def plain(theta):
        terms = binom.logpmf(x, n, expit(theta[0] + np.sqrt(2) * np.exp(theta[1]) * nodes))
        top = terms.max(axis=1)
        return -(top + np.log((weights * np.exp(terms - top[:, None])).sum(axis=1))).sum()

    wrong = np.exp(2 * minimize(plain, [-1.7, -0.5], method="Nelder-Mead").x[1])
    right = np.exp(2 * DenseGrid(frame, np.ones((len(frame), 1))).maximum()[-1])
    assert abs(wrong / right - 1) > 0.03
    assert _fit(frame).variance_null == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize(("x", "n"), [(0, 3), (3, 3), (0, 900), (270, 900), (40, 90)], ids=str)
def test_posterior_limits_are_the_quantiles_that_integration_gives(x, n):
    eta, sd = -1.0, 0.8
    fit = MixedFit(sd**2, np.array([eta]), np.array([0.0]), np.ones(1, bool), np.array([eta]), np.zeros((1, 1)))
    found = posterior(np.array([float(x)]), np.array([float(n)]), fit, np.ones(1, bool), 1.959963984540054)

    def density(u):
        return binom.pmf(x, n, expit(eta + u)) * norm.pdf(u, 0, sd) / binom.pmf(x, n, x / n)

    points = [found[f"interaction{e}"][0] for e in ("_lower", "", "_upper")]
    whole = quad(density, -7, 7, points=points, limit=400)[0]
    assert quad(density, -7, points[0], limit=400)[0] / whole == pytest.approx(0.025, abs=2e-4)
    assert quad(density, points[2], 7, limit=400)[0] / whole == pytest.approx(0.025, abs=2e-4)
    below = quad(density, -7, 0, points=[points[1]] if points[1] < 0 else None, limit=400)[0] / whole
    assert found["tail_area"][0] == pytest.approx(2 * min(below, 1 - below), abs=2e-4)


def test_uncertain_main_effects_widen_both_intervals_as_in_henderson_s_equations():
    """In a large stratum u is nearly normal: with weight w its mean moves by −σ²w/(1+σ²w) a step of η."""
    x, n, sd, uncertain, one = np.array([3000.0]), np.array([10000.0]), 0.3, 0.04, np.ones(1, bool)
    eta = logit(x / n)

    def widths(variance):
        fit = MixedFit(sd**2, eta, np.array([variance]), one, eta, np.zeros((1, 1)))
        found = posterior(x, n, fit, one, 1.959963984540054)
        risk = logit(found["predicted_upper"]) - logit(found["predicted_lower"])
        return np.append(risk, found["interaction_upper"] - found["interaction_lower"]) / (2 * 1.959963984540054)

    weight = n[0] * 0.3 * 0.7
    own, moves = 1 / (weight + 1 / sd**2), -(sd**2) * weight / (1 + sd**2 * weight)
    np.testing.assert_allclose(widths(0.0) ** 2, own, rtol=0.02)
    expected = [own + (1 + moves) ** 2 * uncertain, own + moves**2 * uncertain]
    np.testing.assert_allclose(widths(uncertain) ** 2, expected, rtol=0.02)


def test_planted_interaction_is_found_and_what_is_understated_is_as_large_as_is_said():
    """Maximum likelihood loses about one part in strata for each main effect; the mean over seeds shows just that."""
    variances = [_fit(_area(seed, ethnicities=12, sd=0.5, pupils=500)).variance_main for seed in range(12)]
    assert np.mean(variances) == pytest.approx(0.25 * (120 - 17) / 120, rel=0.1)


def test_where_nothing_is_planted_the_answer_is_the_boundary_in_words():
    answers = [_fit(_area(seed, ethnicities=12, sd=0.0, pupils=300)) for seed in range(12)]
    assert sum(a.status_main == BOUNDARY for a in answers) >= 10
    assert max(a.variance_main for a in answers) < 0.005
    assert sum(a.interactions_clear_allowed for a in answers) == 0


def test_intervals_hold_the_planted_risks_about_as_often_as_they_say():
    random, held = np.random.default_rng(4), []
    for seed in range(6):
        area = _area(seed, ethnicities=20, sd=0.0, pupils=300)
        additive = _fit(area).strata["additive"].to_numpy()
        area = _fit(area).strata[[*BY, "denominator"]]
        risk = expit(logit(additive) + random.normal(0, 0.5, len(area)))
        n = area["denominator"].astype(int)
        strata = _fit(area[BY].assign(x=random.binomial(n, risk), n=n)).strata
        held.append(((strata["predicted_lower"] <= risk) & (risk <= strata["predicted_upper"])).mean())
    assert 0.92 <= np.mean(held) <= 0.98


NO_INTERACTION = _frame(
    [
        (a, b, round(n * expit(-1.5 + i * 0.6 + j * 0.4)), n)
        for i, a in enumerate("pqrs")
        for j, (b, n) in enumerate([("f", 400), ("m", 500), ("u", 80)])
    ]
)


def test_a_variance_of_0_is_said_in_words_and_never_a_pcv_of_100_per_cent():
    answer = _fit(NO_INTERACTION, ["a", "b"])
    assert answer.variance_main == answer.vpc_main == 0
    assert np.isnan(answer.pcv)
    assert answer.status_pcv == answer.status_main == BOUNDARY == "at the boundary: no interaction found"
    assert f"Main effects: {BOUNDARY}." in answer.notes
    assert BOUNDARY in answer.interactions_statement
    strata = answer.strata
    assert (strata["status"] == BOUNDARY).all()
    assert (strata["interaction"] == 0).all()
    assert strata[["interaction_lower", "interaction_upper", "q_value"]].isna().all(axis=None)
    np.testing.assert_allclose(strata["predicted"], strata["additive"])
    assert (strata["predicted_lower"] < strata["predicted"]).all()
    assert (strata["predicted"] < strata["predicted_upper"]).all()


def test_at_the_boundary_it_is_plain_logistic_regression():
    """Its equations: in every category as many pupils are expected as are identified."""
    answer = _fit(NO_INTERACTION, ["a", "b"])
    strata = answer.strata.assign(expected=answer.strata["additive"] * answer.strata["denominator"])
    for c in ("a", "b"):
        sums = strata.groupby(c)[["expected", "numerator"]].sum()
        np.testing.assert_allclose(sums["expected"], sums["numerator"], rtol=1e-7)
    design = _dummies(NO_INTERACTION, ["a", "b"])
    weight = strata["denominator"] * strata["additive"] * (1 - strata["additive"])
    errors = np.sqrt(np.diag(np.linalg.inv((design.T * weight.to_numpy()) @ design)))
    found = answer.coefficients.query("column == 'a' and level != reference")
    assert found["reference"].eq("p").all()
    np.testing.assert_allclose(found["standard_error"], errors[1:4], rtol=1e-6)
    np.testing.assert_allclose(found["odds_ratio_upper"], np.exp(found["log_odds"] + 1.959964 * errors[1:4]), rtol=1e-6)


def test_equal_strata_have_no_variance_to_explain():
    answer = _fit(_frame([(a, b, 30, 100) for a in "pq" for b in "fmu"]), ["a", "b"])
    assert (answer.variance_null, answer.vpc_null, answer.status_null) == (0, 0, BOUNDARY_NULL)
    assert np.isnan(answer.pcv)
    assert answer.status_pcv == BOUNDARY_NULL


def test_main_effects_can_leave_more_variance_than_there_was_without_them():
    counts = zip([9, 50, 38, 29, 194, 5], [30, 100, 100, 60, 400, 30], strict=True)
    answer = _fit(
        _frame([(*cell, *xn) for cell, xn in zip(["pf", "pm", "qf", "qm", "rf", "rm"], counts, strict=True)]),
        ["a", "b"],
    )
    assert answer.pcv == pytest.approx(-0.0953, abs=1e-4)
    assert answer.pcv == pytest.approx(1 - answer.variance_main / answer.variance_null)
    assert answer.status_pcv == ""
    assert any("only 2 more strata than main effects" in note for note in answer.notes)


def test_the_reference_is_the_level_that_most_pupils_have_and_is_named():
    rows = _area(3)
    coefficients = _fit(rows).coefficients
    largest = rows.groupby("sex")["n"].sum().idxmax()
    own = coefficients[coefficients["column"] == "sex"]
    assert own["reference"].eq(largest).all()
    row = own[own["level"] == largest].iloc[0]
    assert (row["log_odds"], row["odds_ratio"], row["status"]) == (0, 1, "reference level")
    assert coefficients.iloc[0]["column"] == "intercept"


@pytest.mark.parametrize(("risk", "who"), [(0, "nobody"), (1, "everybody")], ids=["nobody", "everybody"])
@pytest.mark.parametrize("size", [30, 30_000], ids=["small", "the-largest"])
def test_a_category_of_all_or_none_is_left_out_by_name_and_the_rest_is_fitted_without_it(risk, who, size):
    area = _area(6)
    extra = area[area["ethnicity"] == "e00"].assign(ethnicity="zz", x=risk * size, n=size)
    answer, without = _fit(pd.concat([area, extra])), _fit(area)
    assert f"ethnicity zz: {who} is identified, so it has no finite main effect and is left out." in answer.notes
    assert any("10 of 70 strata with pupils are left out" in note for note in answer.notes)
    assert answer.variance_main == pytest.approx(without.variance_main, rel=1e-9)
    assert answer.variance_null_compared == pytest.approx(without.variance_null, rel=1e-9)
    assert answer.pcv == pytest.approx(without.pcv, rel=1e-9)
    assert answer.auc == pytest.approx(without.auc, rel=1e-9)
    own = answer.strata[answer.strata["ethnicity"] == "zz"]
    assert own[["additive", "interaction"]].isna().all(axis=None)
    instead = "; predicted from the null model" if answer.status_null != TOO_WIDE else ""
    assert own["status"].eq(SEPARATED + instead).all()
    assert own["predicted"].between(0, 1, inclusive="neither").all() == bool(instead)
    rest = answer.strata[answer.strata["ethnicity"] != "zz"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, without.strata, rtol=1e-7)
    coefficients = answer.coefficients[answer.coefficients["level"] != "zz"].reset_index(drop=True)
    pd.testing.assert_frame_equal(coefficients, without.coefficients, rtol=1e-6)
    assert answer.coefficients.set_index("level").loc["zz", "status"] == SEPARATED


def test_a_combination_that_would_run_to_infinity_is_left_out_too():
    """Mixed cells fix the sums of effects that cancel, so p-f can fall and q-m rise without end."""
    rows = [("p", "f", 0, 50), ("p", "m", 20, 50), ("q", "f", 30, 50), ("q", "m", 50, 50)]
    rows += [("r", "u", 10, 40), ("s", "u", 20, 40), ("r", "v", 20, 40), ("s", "v", 10, 40)]
    answer = _fit(_frame(rows), ["a", "b"])
    strata = answer.strata.set_index(["a", "b"])
    assert strata.loc[[("p", "f"), ("q", "m")], "status"].str.startswith(SEPARATED).all()
    assert not strata.loc[[("p", "m"), ("r", "u")], "status"].str.startswith(SEPARATED).any()
    assert answer.coefficients["log_odds"].abs().max() < 10
    assert (answer.coefficients["status"] == ALIASED).any()


def test_categories_that_say_the_same_are_named_and_change_no_prediction():
    area = _area(7)
    area["major"] = np.where(area["ethnicity"] < "e03", "one", "two")
    plain, nested = _fit(area), _fit(area, ["major", *BY])
    assert nested.variance_main == pytest.approx(plain.variance_main, rel=1e-8)
    assert (nested.coefficients["status"] == ALIASED).sum() == 1
    assert any("cannot be told apart" in note for note in nested.notes)
    pd.testing.assert_series_equal(nested.strata["predicted"], plain.strata["predicted"], rtol=1e-7)


def test_strata_without_pupils_are_predicted_from_main_effects_with_no_interaction():
    area = _area(8)
    empty = area.index[[3, 17]]
    answer = _fit(
        area.assign(x=area["x"].where(~area.index.isin(empty), 0), n=area["n"].where(~area.index.isin(empty), 0))
    )
    rows = answer.strata.iloc[empty]
    assert rows["status"].eq("no pupils").all()
    assert rows[["risk", "interaction", "q_value"]].isna().all(axis=None)
    assert (rows["predicted"] == rows["additive"]).all()
    half = (logit(rows["predicted_upper"]) - logit(rows["predicted_lower"])) / 2
    assert (half > 1.96 * np.sqrt(answer.variance_main)).all()
    assert answer.variance_main > 0.02
    assert any("Strata without pupils: 2." in note for note in answer.notes)


def test_a_category_without_pupils_has_no_effect_and_no_prediction():
    area = pd.concat([_area(8), pd.DataFrame({"ethnicity": ["zz"], "sex": ["f"], "quintile": [1], "x": [0], "n": [0]})])
    answer = _fit(area)
    row = answer.strata.set_index("ethnicity").loc["zz"]
    assert row["status"] == NOT_JOINED
    assert np.isnan(row["predicted"])
    assert answer.coefficients.set_index("level").loc["zz", "status"] == "no pupils"
    assert "ethnicity zz: no pupils, so no main effect." in answer.notes


NOT_MEASURED = {
    "no-rows": ([], ONE_STRATUM, ONE_STRATUM),
    "one-stratum": ([("p", "f", 3, 10)], ONE_STRATUM, ONE_STRATUM),
    "no-pupils": ([("p", "f", 0, 0), ("q", "f", 0, 0)], ONE_STRATUM, ONE_STRATUM),
    "nobody": ([(a, b, 0, 10) for a in "pq" for b in "fmu"], NOBODY, NOBODY),
    "everybody": ([(a, b, 10, 10) for a in "pq" for b in "fmu"], EVERYBODY, EVERYBODY),
    "one-stratum-nobody": ([("p", "f", 0, 10)], NOBODY, NOBODY),
    "saturated": ([("p", "f", 10, 100), ("q", "f", 60, 100)], "", SATURATED),
    "one-pupil-each": (
        [(a, b, x, 1) for a, b, x in [("p", "f", 0), ("p", "m", 1), ("q", "f", 1), ("q", "m", 0)]],
        ALL_OR_NONE,
        ALL_OR_NONE,
    ),
    "chequered": (
        [(a, b, 50 * (i != j), 50) for i, a in enumerate("pq") for j, b in enumerate("fm")],
        ALL_OR_NONE,
        ALL_OR_NONE,
    ),
    "all-but-one": (
        [(a, b, 9_000_000 * (i != j), 9_000_000) for i, a in enumerate("pqrs") for j, b in enumerate("fmuv")]
        + [("p", "w", 1, 9_000_000)],
        TOO_WIDE,
        None,
    ),
}


@pytest.mark.parametrize(("rows", "null", "main"), NOT_MEASURED.values(), ids=NOT_MEASURED.keys())
def test_what_cannot_be_measured_is_said_and_nothing_is_missing_without_a_word(rows, null, main):
    answer = _fit(_frame(rows), ["a", "b"])
    assert answer.status_null == null
    assert main is None or answer.status_main == main
    assert np.isnan(answer.variance_null) == answer.status_null.startswith("not measured")
    assert np.isnan(answer.variance_main) == answer.status_main.startswith("not measured")
    assert np.isnan(answer.pcv) == (answer.status_pcv != "")
    strata = answer.strata
    assert (strata["status"].ne("") | strata.notna().all(axis=1)).all()
    assert all(status in " ".join(answer.notes) for status in (answer.status_null, answer.status_main))


BAD = _frame([("p", "f", 3, 10), ("p", "m", -1, 10), ("q", "f", 2.5, 10), ("q", "m", 11, 10), (None, "m", None, 10)])


def test_every_bad_row_is_named_at_once_and_no_count_is_printed():
    with pytest.raises(MeasureError) as caught:
        _fit(BAD, ["a", "b"])
    said = [str(p) for p in caught.value.problems]
    assert [s.split(":")[0] for s in said] == [
        "row 2 (a p, b m)",
        "row 3 (a q, b f)",
        "row 4 (a q, b m)",
        *["row 5 (a nan, b m)"] * 2,
    ]
    words = ["negative", "not a whole number", "count above total", "gap", "missing"]
    assert all(word in s for word, s in zip(words, said, strict=True))
    assert "2.5" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "named", "message"),
    [
        pytest.param(NO_INTERACTION.drop(columns="n"), {}, "no such column", id="column"),
        pytest.param(NO_INTERACTION, {"by": ["a", "c"]}, "no such column", id="by"),
        pytest.param(NO_INTERACTION, {"by": []}, "at least one column", id="no-by"),
        pytest.param(NO_INTERACTION, {"by": ["a", "a"]}, "named once", id="by-twice"),
        pytest.param(NO_INTERACTION, {"by": ["a", "x"]}, "named once", id="by-is-the-count"),
        pytest.param(NO_INTERACTION.assign(x="many"), {}, "not numeric", id="text"),
        pytest.param(NO_INTERACTION.rename(columns={"a": "risk"}), {"by": ["risk", "b"]}, "Rename", id="taken"),
        pytest.param(NO_INTERACTION, {"confidence": 95}, "level of confidence", id="confidence"),
    ],
)
def test_a_mistake_of_the_caller_is_a_sentence(frame, named, message):
    with pytest.raises(MeasureError, match=message):
        _fit(frame, **{"by": ["a", "b"]} | named)


def test_clear_interactions_are_counted_with_and_without_the_allowance():
    answer = _fit(_area(9, ethnicities=12, pupils=600))
    strata = answer.strata
    outside = (strata["interaction_lower"] > 0) | (strata["interaction_upper"] < 0)
    assert answer.interactions_clear == outside.sum() > answer.interactions_clear_allowed > 0
    np.testing.assert_allclose(strata["q_value"], false_discovery(strata["tail_area"]))
    assert answer.interactions_clear_allowed == (strata["q_value"] <= 0.05).sum()
    assert (outside == (strata["tail_area"] < 0.05)).mean() > 0.99
    assert f"Of 120 strata, {answer.interactions_clear} have" in answer.interactions_statement
    assert answer.interactions_statement in answer.notes


def test_auc_is_the_share_of_pairs_of_pupils_in_the_right_order():
    answer = _fit(_area(10, sd=0.6))
    for column, auc in (("predicted", answer.auc), ("additive", answer.auc_additive)):
        p = answer.strata[column].to_numpy()
        x, rest = (
            answer.strata["numerator"].to_numpy(),
            (answer.strata["denominator"] - answer.strata["numerator"]).to_numpy(),
        )
        right = (p[:, None] > p) + 0.5 * (p[:, None] == p)
        assert auc == pytest.approx((x[:, None] * rest * right).sum() / (x.sum() * rest.sum()))
    assert answer.auc > answer.auc_additive > 0.5


def test_the_notes_say_what_vpc_is_not():
    notes = " ".join(_fit(_area(1)).notes)
    assert "does not measure the size of a disparity" in notes


def test_a_higher_level_of_confidence_is_a_wider_interval():
    area = _area(11)
    narrow, wide = (_fit(area, confidence=c).strata for c in (0.8, 0.99))
    for c in ("predicted", "interaction"):
        assert (wide[f"{c}_lower"] < narrow[f"{c}_lower"]).all()
        assert (wide[f"{c}_upper"] > narrow[f"{c}_upper"]).all()


def test_ordered_categories_and_mixed_labels_are_answered_in_their_order():
    area = _area(12)
    area["quintile"] = pd.Categorical(area["quintile"].map(str), ["5", "4", "3", "2", "1", "unused"], ordered=True)
    strata = _fit(area).strata
    assert strata["quintile"].head(5).tolist() == ["5", "4", "3", "2", "1"]
    mixed = _fit(area.assign(quintile=area["quintile"].astype(object).replace({"1": 1})))
    assert mixed.variance_main == pytest.approx(_fit(area).variance_main, rel=1e-9)
