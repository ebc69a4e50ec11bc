"""Sums over what a model can tell apart are the sums over its rows, and a shorter way gives no other answer."""

import numpy as np
import pandas as pd
import pytest

from jsna.disproportionality.clustering import _LAID_OUT, _moments
from jsna.disproportionality.levels import alike, crossed, level_codes, products
from jsna.disproportionality.patterns import lined_up
from jsna.disproportionality.regression import fit

RANDOM = np.random.default_rng(7)
VARIABLE = np.array(["all", "sex", "year", "year", "rank"], dtype=object)
ROWS, CELLS, SCHOOLS = 12, 200, 5


def _design(linear: bool) -> np.ndarray:
    year = RANDOM.integers(0, 3, ROWS)
    rank = RANDOM.normal(size=ROWS) if linear else RANDOM.integers(0, 2, ROWS)
    return np.column_stack([np.ones(ROWS), RANDOM.integers(0, 2, ROWS), year == 1, year == 2, rank]).astype(float)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4], [0, 4, 2], [1, 2, 3], [0], [0, 1]])
def test_what_a_school_adds_is_the_sum_over_its_cells(linear, columns):
    matrix, variable = _design(linear)[:, columns], VARIABLE[columns]
    row, school, weight = RANDOM.integers(0, ROWS, CELLS), RANDOM.integers(0, SCHOOLS, CELLS), RANDOM.random(CELLS)
    made = crossed(level_codes(matrix, variable), row, school, SCHOOLS, weight)
    for s in range(SCHOOLS):
        own = matrix[row[school == s]]
        np.testing.assert_allclose(made[s], own.T @ (weight[school == s][:, None] * own), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_products_of_rows_are_those_of_the_design(linear):
    matrix, weight = _design(linear), RANDOM.random(ROWS)
    made = (products(matrix) @ weight).reshape(5, 5)
    np.testing.assert_allclose(made, matrix.T @ (weight[:, None] * matrix), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_rows_that_are_alike_become_one_and_no_others(linear):
    matrix = _design(linear)
    twice = np.concatenate([matrix, matrix[::-1]])
    at, distinct = alike(twice, VARIABLE)
    assert (distinct[at] == twice).all()
    assert len(distinct) == len(np.unique(twice, axis=0))


def test_degrees_of_freedom_are_the_same_whether_schools_by_schools_are_laid_out_or_not():
    schools, coefficients, contrasts = _LAID_OUT, 4, 3
    loaded = RANDOM.normal(size=(schools, coefficients, contrasts)) * 0.1
    diagonal = (loaded**2).sum(axis=1) + RANDOM.random((schools, contrasts))
    nobody = np.zeros((1, coefficients, contrasts)), np.zeros((1, contrasts))
    laid_out = _moments(diagonal, loaded)
    # A school of nobody adds nothing, and is one too many to lay out.
    summed = _moments(np.concatenate([diagonal, nobody[1]]), np.concatenate([loaded, nobody[0]]))
    for ours, theirs in zip(summed, laid_out, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.fixture(scope="module")
def cells():
    size = 600
    frame = pd.DataFrame(
        {
            "group": RANDOM.choice(list("abc"), size),
            "sex": RANDOM.choice(["F", "M"], size),
            "fifth": RANDOM.integers(1, 6, size).astype(str),
            "school": RANDOM.integers(0, 12, size),
            "n": RANDOM.integers(5, 30, size),
        }
    )
    return frame.assign(x=RANDOM.binomial(frame["n"], 0.2 + 0.1 * (frame["sex"] == "M")))


def test_a_model_that_leaves_a_variable_out_is_as_if_it_had_not_been_lined_up(cells):
    names = {"group": "group", "total": "n", "cluster": "school"}
    wide, narrow = (lined_up(cells, adjust=adjust, **names) for adjust in (["sex", "fifth"], ["sex"]))
    counted = cells["x"].to_numpy(float)
    ours, alone = fit(wide, counted, variables=["sex"]), fit(narrow, counted)
    assert len(ours.rows) > len(alone.rows)
    for name in ("beta", "bread", "independent_meat", "scores"):
        np.testing.assert_allclose(getattr(ours, name), getattr(alone, name), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("model", ["poisson", "logistic"])
def test_sums_known_already_and_a_start_change_nothing(cells, model):
    patterns = lined_up(cells, group="group", total="n", adjust=["sex", "fifth"], cluster="school")
    counted, mask = cells["x"].to_numpy(float), (cells["school"] != 3).to_numpy()
    whole = fit(patterns, counted, model=model)
    plain = fit(patterns, counted, model=model, cells=mask)
    quick = fit(patterns, counted, model=model, cells=mask, sums=patterns.sums(counted, mask), start=whole)
    left = whole.without(int(patterns.clusters.get_loc(3)))
    assert left is not None
    assert quick.iterations < plain.iterations
    for made in (quick, left):
        np.testing.assert_allclose(made.beta, plain.beta, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(made.scores, plain.scores, rtol=1e-8, atol=1e-8)
        assert (made.group_total == plain.group_total).all()
        assert (made.group_count == plain.group_count).all()
