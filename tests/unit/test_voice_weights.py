"""Weights by raking: worked out by hand, beside a log-linear model, and what is said where they cannot be made."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from jsna.errors import MeasureError
from jsna.evidence.voice.raking import design_effect, rake, trimmed
from jsna.evidence.voice.weighting import join_small, weigh


def cells(table):
    """Respondents from a table of numbers by (a, b)."""
    return pd.DataFrame(
        [{"a": f"a{i}", "b": f"b{j}"} for (i, j), n in np.ndenumerate(np.array(table)) for _ in range(n)]
    )


def test_a_table_of_two_by_two_by_hand():
    # 40 answers: 10 20 / 5 5, odds ratio 0.5. Wanted: rows of 20 and 20, columns of 30 and 10. The first cell x keeps
    # the odds ratio: x (x - 10) = 0.5 (20 - x)(30 - x), so 0.5x² + 15x - 300 = 0 and x = -15 + √825.
    groups = cells([[10, 20], [5, 5]])
    made = rake(groups, {"a": pd.Series({"a0": 1.0, "a1": 1.0}), "b": pd.Series({"b0": 3.0, "b1": 1.0})})
    assert made.converged
    weighted = made.weights.groupby([groups["a"], groups["b"]]).sum()
    x = -15 + np.sqrt(825)
    np.testing.assert_allclose(weighted.to_numpy(), [x, 20 - x, 30 - x, x - 10], rtol=1e-6)


def test_raking_is_a_log_linear_model_with_the_answers_as_offset():
    rng = np.random.default_rng(5)
    groups = pd.DataFrame(
        {
            c: rng.choice(list("xyz"), 300, p=p)
            for c, p in (("a", [0.6, 0.3, 0.1]), ("b", [0.2, 0.5, 0.3]), ("c", [0.4, 0.4, 0.2]))
        }
    )
    margins = {
        "a": pd.Series({"x": 0.3, "y": 0.3, "z": 0.4}),
        "b": pd.Series({"x": 0.5, "y": 0.25, "z": 0.25}),
        "c": pd.Series({"x": 0.2, "y": 0.2, "z": 0.6}),
    }
    made = rake(groups, margins)
    mine = made.weights.groupby([groups[c] for c in "abc"]).sum().reset_index(name="mine")
    seen = groups.value_counts(["a", "b", "c"]).reset_index(name="seen").merge(mine, on=["a", "b", "c"])
    # Whatever table has the margins wanted, the Poisson fit of main effects with the answers as offset has them too;
    # the cells that nobody answered in are no part of it, so the table is fitted on those that are there.
    every = seen.assign(start=300.0)
    for _ in range(3000):
        for column, target in margins.items():
            every["start"] *= every[column].map(target) * 300 / every.groupby(column)["start"].transform("sum")
    design = sm.add_constant(pd.get_dummies(every[["a", "b", "c"]], drop_first=True).astype(float))
    fit = sm.GLM(every["start"], design, family=sm.families.Poisson(), offset=np.log(every["seen"])).fit(tol=1e-12)
    np.testing.assert_allclose(fit.fittedvalues, every["mine"], rtol=1e-5)


def test_weights_of_a_survey_are_where_raking_begins():
    groups = pd.DataFrame({"a": list("xxyy")})
    made = rake(groups, {"a": pd.Series({"x": 0.5, "y": 0.5})}, base=pd.Series([1.0, 3.0, 2.0, 2.0]))
    assert made.weights.round(6).tolist() == [0.5, 1.5, 1.0, 1.0]


@pytest.mark.parametrize(
    "shares", [{"x": 1.0}, {"x": 0.5, "y": 0.3, "z": 0.2}, {"x": 1.0, "y": 0.0}], ids=["lacks", "nobody", "no share"]
)
def test_a_margin_and_answers_of_other_groups_are_refused(shares):
    with pytest.raises(MeasureError, match="not the same"):
        rake(pd.DataFrame({"a": ["x", "y"]}), {"a": pd.Series(shares)})


def test_margins_that_cannot_be_met_do_not_converge():
    groups = pd.DataFrame({"a": ["x"] * 10 + ["y"] * 10, "b": ["u"] * 10 + ["v"] * 10})
    made = rake(groups, {"a": pd.Series({"x": 0.5, "y": 0.5}), "b": pd.Series({"u": 0.9, "v": 0.1})}, rounds=50)
    assert not made.converged
    assert made.furthest == pytest.approx(0.4)


@pytest.mark.parametrize(("weights", "effect"), [([1, 1, 1], 1.0), ([1, 3], 1.25), ([0, 1], 2.0), ([5, 5], 1.0)])
def test_the_design_effect_by_hand(weights, effect):
    assert design_effect(pd.Series(weights, dtype="float64")) == pytest.approx(effect)


def test_no_answer_speaks_for_many_after_trimming():
    held = trimmed(pd.Series([0.01, 1.0, 1.0, 50.0]), 4.0, 0.25)
    assert held.mean() == pytest.approx(1)
    assert held.max() / held.min() == pytest.approx(50.0 / (0.25 * 13.0025))


def people(**counts):
    rows = [g for g, n in counts.items() for _ in range(n)]
    return pd.DataFrame({"ethnicity_major": ["" if g == "unknown" else g for g in rows], "weight": 1.0})


def population(**numbers):
    return pd.DataFrame(
        {"characteristic": "ethnicity_major", "group": list(numbers), "population": list(map(float, numbers.values()))}
    )


def shares_of(made, told):
    return (made.weights.groupby(told["ethnicity_major"]).sum() / made.weights.sum()).round(6).to_dict()


def test_the_answers_get_the_make_up_of_the_population():
    told = people(A=60, B=40)
    made = weigh(told, population(A=300, B=700))
    assert shares_of(made, told) == {"A": 0.3, "B": 0.7}
    assert made.used == ("ethnicity_major",)
    assert made.said == ()


def test_those_of_unknown_group_keep_their_share():
    told = people(A=60, B=30, unknown=10)
    assert shares_of(weigh(told, population(A=450, B=450)), told) == {"": 0.1, "A": 0.45, "B": 0.45}


def test_a_group_that_nobody_answered_is_put_together_and_named():
    told = people(A=60, B=40)
    made = weigh(told, population(A=300, B=400, C=300))
    assert shares_of(made, told) == {"A": 0.3, "B": 0.7}
    assert "C" in made.said[0]
    assert "cannot make up" in made.said[0]


def test_one_group_alone_has_no_weights():
    made = weigh(people(A=50, B=3), population(A=300, B=700))
    assert len(made.weights) == 0
    assert "too few groups" in made.said[0]


def test_a_characteristic_with_which_the_weights_do_not_settle_is_left_out_and_named():
    told = people(A=20, B=20).assign(age_band=["5-10"] * 20 + ["11-15"] * 20)
    both = pd.concat(
        [
            population(A=500, B=500),
            pd.DataFrame({"characteristic": "age_band", "group": ["5-10", "11-15"], "population": [900.0, 100.0]}),
        ]
    )
    made = weigh(told, both)
    assert made.used == ("ethnicity_major",)
    assert any("did not settle with age" in s for s in made.said)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"A": 30, "B": 30}, {"A": "A", "B": "B"}),
        ({"A": 30, "B": 9, "C": 30}, {"B": "B; A", "A": "B; A", "C": "C"}),
        ({"A": 30, "B": 10}, {"A": "A", "B": "B"}),
        ({"A": 30, "B": 6, "C": 6}, {"B": "B; C", "C": "B; C", "A": "A"}),
        ({"A": 30, "B": 9}, {}),
    ],
    ids=["enough", "one under ten", "just ten", "two make ten", "none left"],
)
def test_groups_of_fewer_than_ten_are_put_together(counts, expected):
    told = pd.Series([g for g, n in counts.items() for _ in range(n)])
    assert join_small(told, pd.Series(dict.fromkeys(counts, 100.0)), "ethnicity_major")[0] == expected
