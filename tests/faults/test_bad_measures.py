"""Figures that no measure can be calculated from: a status or a message for each, and never a number made of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from jsna import measures
from jsna.disproportionality import (
    Adjusted,
    Flags,
    Gradient,
    Intersectional,
    LeftOut,
    Pooled,
    SpecificationCurve,
    Stratified,
    adjusted,
    crude,
    deprivation_gradient,
    flags,
    intersectional,
    leave_one_school_out,
    pooled,
    specification_curve,
    stratified,
    unknown_ethnicity,
)
from jsna.errors import MeasureError

# A warning on the way to an answer is a defect: notebooks fail on stray output.
pytestmark = pytest.mark.filterwarnings("error")

CENSUSES = (2024, 2025, 2026)


@cache
def _area() -> pd.DataFrame:
    """Cells of twelve schools, three censuses, three known groups and an unknown one."""
    random = np.random.default_rng(3)
    rows = []
    for census in CENSUSES:
        for school in range(12):
            for group, size in zip("abcu", (60, 30, 15, 8), strict=True):
                for sex, factor in (("F", 1.0), ("M", 1.6)):
                    for fifth in (1, 3, 5):
                        n = int(random.poisson(size / 6))
                        risk = 0.1 * factor * (1.5 if group == "b" else 1) * (1.3 if fifth == 1 else 1)
                        row = (census, f"s{school:02d}", group, sex, fifth, random.binomial(n, risk), n, group != "u")
                        rows.append(row)
    return pd.DataFrame(rows, columns=["census", "school", "group", "sex", "fifth", "x", "n", "known"])


def _summed(*keys: str) -> pd.DataFrame:
    return _area().groupby(list(keys), as_index=False)[["x", "n"]].sum()


COLUMNS = {"group": "group", "total": "n", "cluster": "school", "known": "known"}
LINES = {"period": "census", "demographic": ["sex"], "deprivation": ["fifth"]}
COARSER = {"a": "A", "b": "B", "c": "B"}

CELLS = {
    "adjusted": lambda f, **more: adjusted(f, **COLUMNS, count="x", adjust=["census", "sex", "fifth"], **more),
    "adjusted-logistic": lambda f, **more: adjusted(f, **COLUMNS, count="x", adjust=["sex"], model="logistic", **more),
    "flags": lambda f: flags(f, **COLUMNS, **LINES, outcomes=["x"]),
    "specification_curve": lambda f: specification_curve(f, **COLUMNS, **LINES, outcome="x", coarser=COARSER),
    "leave_one_school_out": lambda f: leave_one_school_out(f, **COLUMNS, count="x", adjust=["sex"]),
    "unknown_ethnicity": lambda f: unknown_ethnicity(f, group="group", count="x", total="n", known="known"),
    "deprivation_gradient": lambda f: deprivation_gradient(
        f, rank="fifth", count="x", total="n", cluster="school", adjust=["sex"]
    ),
    "intersectional": lambda f: intersectional(f, count="x", total="n", by=["group", "sex", "fifth"]),
}
SUMMED = {
    "crude": (
        lambda: _summed("census", "group", "known"),
        lambda f: crude(f, group="group", count="x", total="n", known="known", family=["census"]),
    ),
    "stratified": (
        lambda: _summed("group", "school"),
        lambda f: stratified(f, group="group", reference="a", count="x", total="n", by="school"),
    ),
}
ALL = {name: (_area, call) for name, call in CELLS.items()} | SUMMED
EVERY = pytest.mark.parametrize(("frame", "call"), ALL.values(), ids=ALL.keys())
OF_CELLS = pytest.mark.parametrize("call", CELLS.values(), ids=CELLS.keys())


def _tables(answer) -> list:
    """All that an answer holds, in parts that can be compared."""
    if isinstance(answer, pd.DataFrame):
        return [answer]
    assert isinstance(
        answer, Adjusted | Flags | Gradient | Intersectional | LeftOut | Pooled | SpecificationCurve | Stratified
    )
    return list(vars(answer).values())


def _same(one, other) -> None:
    for mine, theirs in zip(_tables(one), _tables(other), strict=True):
        if isinstance(mine, pd.DataFrame):
            left, right = (t.astype({c: object for c in t if t[c].dtype == "category"}) for t in (mine, theirs))
            pd.testing.assert_frame_equal(left, right, check_dtype=False, check_index_type=False, rtol=1e-9)
        else:
            np.testing.assert_equal(mine, theirs)


def _with(frame: pd.DataFrame, at: int, **values) -> pd.DataFrame:
    frame = frame.astype(dict.fromkeys(values, "float64"))
    for column, value in values.items():
        frame.loc[frame.index[at], column] = value
    return frame


# --- one row that is no count -------------------------------------------------------------------------------------

NO_COUNTS = {
    "above-total": ({"x": 1000}, "above total"),
    "negative": ({"x": -1}, "negative"),
    "negative-total": ({"n": -4}, "negative"),
    "fraction": ({"x": 0.5}, "not a whole number"),
    "fraction-total": ({"n": 1000.5}, "not a whole number"),
    "missing": ({"x": np.nan}, "missing"),
    "missing-total": ({"n": np.nan}, "missing"),
    "infinite": ({"x": np.inf}, "not a whole number"),
    "infinite-total": ({"n": np.inf}, "not a whole number"),
    "minus-infinite": ({"x": -np.inf}, "negative"),
    "both-infinite": ({"x": np.inf, "n": np.inf}, "not a whole number"),
}
EVERY_NO_COUNT = pytest.mark.parametrize(("values", "words"), NO_COUNTS.values(), ids=NO_COUNTS.keys())


REFUSED = [
    pytest.param(call, *case, id=f"{name}-{kind}") for name, call in CELLS.items() for kind, case in NO_COUNTS.items()
]


@pytest.mark.parametrize(("call", "values", "words"), REFUSED)
def test_a_row_that_is_no_count_is_refused_by_its_number_with_the_mend(call, values, words):
    with pytest.raises(MeasureError, match=words) as refused:
        call(_with(_area(), 3, **values))
    (problem,) = refused.value.problems
    assert problem.where.startswith(("row 3", "row 4 (group a"))
    assert problem.expected
    assert "orrect" in problem.mend


def test_all_wrong_rows_are_counted_in_one_message_of_bearable_length():
    with pytest.raises(MeasureError, match="more rows are wrong") as refused:
        CELLS["adjusted"](_area().assign(x=-1))
    assert len(refused.value.problems) == 20


@EVERY_NO_COUNT
def test_crude_leaves_out_the_row_alone_and_the_other_rows_say_so(values, words):
    frame, call = SUMMED["crude"][0](), SUMMED["crude"][1]
    table = call(_with(frame, 1, **values))
    assert len(table) == len(frame)
    row, beside, elsewhere = table.iloc[1], table.iloc[[0, 2, 3]], table.iloc[4:]
    assert row[["risk_ratio", "risk", "p_value"]].isna().all()
    assert row["status"] == "insufficient data"
    assert row["reasons"].startswith("not_calculated")
    assert beside["reasons"].str.contains("comparator_incomplete").all()
    _same(elsewhere, call(frame).iloc[4:])


@EVERY_NO_COUNT
def test_stratified_refuses_the_row_or_counts_its_stratum_as_left_out(values, words):
    frame, call = SUMMED["stratified"][0](), SUMMED["stratified"][1]
    at = int(frame.index[(frame["group"] == "b") & (frame["school"] == "s03")][0])
    wrong = _with(frame, at, **values)
    if words == "missing":
        answer, without = call(wrong), call(frame.drop(index=at))
        row = answer.table[answer.table["group"] == "b"].iloc[0]
        assert (row["strata"], row["strata_left_out"]) == (11, 1)
        _same(answer.table, without.table)
        assert "1 of 48 rows" in answer.notes[0]
        return
    with pytest.raises(MeasureError, match=words) as refused:
        call(wrong)
    assert "s03" in str(refused.value)


POOLED = {
    "negative": (-1, 5, 1, "negative"),
    "missing": (None, 5, 1, "missing"),
    "infinite": (np.inf, 5, 1, "count not finite"),
    "minus-infinite": (-np.inf, 5, 1, "negative"),
    "none-expected": (3, 0, 1, "no expected number"),
    "less-than-none-expected": (3, -2, 1, "no expected number"),
    "expected-missing": (3, None, 1, "no expected number"),
    "expected-infinite": (3, np.inf, 1, "no expected number"),
    "no-design-effect": (3, 5, None, "missing"),
    "design-effect-0": (3, 5, 0, "design effect"),
    "design-effect-infinite": (3, 5, np.inf, "design effect"),
}


@pytest.mark.parametrize(("x", "expected", "design", "words"), POOLED.values(), ids=POOLED.keys())
def test_pooled_says_why_a_row_has_no_answer_and_answers_the_others_as_without_it(x, expected, design, words):
    made = pooled([30, x, 12], [20, expected, 15], [2, design, 2]).table
    assert made.loc[1, "status"].startswith(words)
    assert made.loc[1].drop("status").isna().all()
    others = pooled([30, 12], [20, 15], [2, 2]).table
    pd.testing.assert_frame_equal(made.drop(index=1).reset_index(drop=True), others, rtol=1e-9)


def test_pooled_with_no_row_that_can_be_used_still_has_its_rows():
    made = pooled([None, -1], [3, 3])
    assert (made.table["status"] != "").all()
    assert sum(made.weights) == pytest.approx(1)
    assert len(pooled([], []).table) == 0


# --- text, nothing, and what is not there -------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["x", "n"])
@pytest.mark.parametrize("text", ["many", "c", "1,204"], ids=["word", "suppressed", "with-comma"])
@EVERY
def test_text_among_numbers_is_refused(frame, call, column, text):
    table = frame().astype({column: object})
    table.loc[table.index[table["group"] == "b"][0], column] = text
    with pytest.raises(MeasureError, match="not numeric"):
        call(table)


def test_pooled_refuses_text_and_columns_of_different_length():
    with pytest.raises(MeasureError, match="not numeric"):
        pooled(["many", 2], [1, 2])
    with pytest.raises(MeasureError, match="length"):
        pooled([1, 2], [1, 2, 3])


@EVERY
def test_counts_written_as_text_are_counts(frame, call):
    table = frame()
    _same(call(table.astype({"x": str}).astype({"x": object})), call(table))


EMPTY = {name: case for name, case in ALL.items() if name not in ("crude", "intersectional")}


@pytest.mark.parametrize(("frame", "call"), EMPTY.values(), ids=EMPTY.keys())
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "untyped"])
def test_an_empty_frame_is_a_sentence(frame, call, typed):
    table = frame()
    with pytest.raises(MeasureError):
        call(table.iloc[:0] if typed else pd.DataFrame(columns=table.columns))


def test_an_empty_frame_has_no_rows_in_crude_and_says_in_words_that_strata_are_lacking():
    assert len(SUMMED["crude"][1](SUMMED["crude"][0]().iloc[:0])) == 0
    answer = CELLS["intersectional"](_area().iloc[:0])
    assert len(answer.strata) == 0
    assert "fewer than two strata" in answer.status_null
    assert "fewer than two strata" in answer.status_main
    assert answer.status_pcv


NEEDED = {
    "adjusted": ["group", "x", "n", "census", "sex", "fifth", "school", "known"],
    "flags": ["group", "x", "n", "census", "sex", "fifth", "school", "known"],
    "specification_curve": ["group", "x", "n", "census", "sex", "fifth", "school", "known"],
    "leave_one_school_out": ["group", "x", "n", "sex", "school", "known"],
    "unknown_ethnicity": ["group", "x", "n", "known"],
    "deprivation_gradient": ["fifth", "x", "n", "school", "sex"],
    "intersectional": ["group", "sex", "fifth", "x", "n"],
    "crude": ["census", "group", "known", "x", "n"],
    "stratified": ["group", "school", "x", "n"],
}


@pytest.mark.parametrize("name", NEEDED)
def test_each_missing_column_is_named_and_all_of_them_together(name):
    frame, call = ALL[name][0](), ALL[name][1]
    for gone in ([c] for c in NEEDED[name]):
        with pytest.raises(MeasureError, match="no such column") as refused:
            call(frame.drop(columns=gone))
        assert [p.value for p in refused.value.problems] == gone
    with pytest.raises(MeasureError) as refused:
        call(frame.drop(columns=NEEDED[name]))
    assert {p.value for p in refused.value.problems} == set(NEEDED[name])


def test_a_misspelt_column_is_guessed_at():
    with pytest.raises(MeasureError, match="Did you mean 'schools'"):
        CELLS["adjusted"](_area().rename(columns={"school": "schools"}))


def test_strata_can_stand_beside_columns_that_are_named_by_a_number():
    with pytest.raises(MeasureError, match="no such column"):
        CELLS["intersectional"](_area().drop(columns="sex").rename(columns={"school": 7}))


# --- labels that come in another shape ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [lambda n: [0] * n, lambda n: np.arange(n) // 2, lambda n: [f"r{i}" for i in range(n)]],
    ids=["all-the-same", "in-pairs", "names"],
)
@EVERY
def test_the_index_of_the_frame_does_not_matter(frame, call, index):
    table = frame()
    _same(call(table.set_axis(index(len(table)))), call(table))


@pytest.mark.parametrize("column", ["sex", "fifth", "school", "census"])
@OF_CELLS
def test_levels_that_nobody_has_change_nothing(call, column):
    table = _area()
    levels = [*sorted(table[column].unique()), 9999 if column in ("fifth", "census") else "zz"]
    categories = table.assign(**{column: pd.Categorical(table[column], categories=levels)})
    _same(call(categories), call(table))


UNUSED = ["crude", "stratified", "unknown_ethnicity", "intersectional", "specification_curve", "leave_one_school_out"]


@pytest.mark.parametrize("name", UNUSED)
def test_groups_that_nobody_has_change_nothing(name):
    table, call = ALL[name][0](), ALL[name][1]
    levels = ["0none", "a", "b", "c", "u", "zz"]
    _same(call(table.assign(group=pd.Categorical(table["group"], categories=levels))), call(table))


@pytest.mark.parametrize("name", ["adjusted", "adjusted-logistic", "flags"])
def test_groups_that_nobody_has_stand_in_the_table_with_a_status_and_change_no_other_row(name):
    levels = ["0none", "a", "b", "c", "u", "zz"]
    table = _area()
    plain = CELLS[name](table).table.set_index("group")
    found = CELLS[name](table.assign(group=pd.Categorical(table["group"], categories=levels))).table.set_index("group")
    assert list(found.index) == levels
    nobody = found.loc[["0none", "zz"]]
    assert (nobody["denominator"] == 0).all()
    assert (nobody["status"] != "").all()
    pd.testing.assert_frame_equal(found.loc[plain.index], plain, check_dtype=False, check_index_type=False, rtol=1e-8)


# --- whole parts that are lacking ---------------------------------------------------------------------------------


def _emptied(where) -> pd.DataFrame:
    """The area with nobody in the rows of ``where``."""
    table = _area()
    return table.assign(x=table["x"].where(~where(table), 0), n=table["n"].where(~where(table), 0))


def _kept(where) -> pd.DataFrame:
    table = _area()
    return table[where(table)]


LITTLE = {
    "totals-of-zero": lambda: _emptied(lambda f: f["n"] >= 0),
    "comparator-with-nobody": lambda: _emptied(lambda f: f["group"] != "b"),
    "one-group-with-nobody": lambda: _emptied(lambda f: f["group"] == "b"),
    "single-group": lambda: _kept(lambda f: f["group"] == "b"),
    "single-school": lambda: _kept(lambda f: f["school"] == "s03"),
    "all-unknown": lambda: _area().assign(known=False),
    "only-unknown-rows": lambda: _kept(lambda f: f["group"] == "u"),
    "nobody-unknown": lambda: _kept(lambda f: f["group"] != "u"),
    "nobody-identified": lambda: _area().assign(x=0),
    "everybody-identified": lambda: _area().assign(x=_area()["n"]),
    "group-absent-from-the-first-census": lambda: _kept(lambda f: (f["group"] != "b") | (f["census"] != 2024)),
    "group-absent-from-the-latest-census": lambda: _kept(lambda f: (f["group"] != "b") | (f["census"] != 2026)),
    "school-absent-from-a-census": lambda: _kept(lambda f: (f["school"] != "s03") | (f["census"] != 2025)),
    "census-absent": lambda: _kept(lambda f: f["census"] != 2025),
    "one-census": lambda: _kept(lambda f: f["census"] == 2026),
    "some-censuses-not-recorded": lambda: _area().assign(
        census=_area()["census"].astype("Float64").where(np.arange(len(_area())) % 7 != 0)
    ),
    "some-schools-not-recorded": lambda: _area().assign(
        school=_area()["school"].where(np.arange(len(_area())) % 7 != 0)
    ),
}
EVERY_LITTLE = pytest.mark.parametrize("make", LITTLE.values(), ids=LITTLE.keys())


@EVERY_LITTLE
@pytest.mark.parametrize("name", ["adjusted", "adjusted-logistic"])
@pytest.mark.parametrize("errors", ["auto", "cr1"])
def test_adjusted_keeps_every_group_and_every_pupil_and_no_figure_is_missing_without_a_word(make, name, errors):
    frame = make()
    table = CELLS[name](frame, errors=errors).table
    assert set(table["group"]) == set(frame["group"])
    sums = frame.groupby("group")[["x", "n"]].sum().loc[table["group"]]
    np.testing.assert_array_equal(table[["numerator", "denominator"]], sums)
    answered = table[table["status"] == ""]
    assert answered[["risk_ratio", "lower", "upper", "p_value"]].notna().all(axis=None)
    assert (answered["lower"] < answered["upper"]).all()


@EVERY_LITTLE
def test_flags_keep_every_group_and_every_pupil_and_no_figure_is_missing_without_a_reason(make):
    frame = make()
    answer = CELLS["flags"](frame)
    table = answer.table
    assert set(table["group"]) == set(frame["group"])
    sums = frame.groupby("group")[["x", "n"]].sum().loc[table["group"]]
    np.testing.assert_array_equal(table[["events", "pupil_censuses"]], sums)
    assert (table["reasons"] != "").all()
    none = table[["pooled_risk_ratio", "pooled_lower", "pooled_upper"]].isna().any(axis=1)
    assert table.loc[none, "reasons"].str.contains("not_calculated|not_compared").all()
    assert (table.loc[none, "status"] == "insufficient data").all()
    assert (table.loc[~table["known"], "reasons"] == "not_compared").all()


@EVERY_LITTLE
def test_crude_keeps_every_row_and_no_ratio_is_missing_without_a_reason(make):
    frame = make().groupby(["census", "group", "known"], as_index=False, dropna=False)[["x", "n"]].sum()
    table = SUMMED["crude"][1](frame)
    assert len(table) == len(frame)
    np.testing.assert_array_equal(table[["numerator", "denominator"]], frame[["x", "n"]])
    none = table[["risk_ratio", "risk_ratio_lower", "risk_ratio_upper"]].isna().any(axis=1)
    assert table.loc[none, "reasons"].str.contains("not_calculated|not_compared").all()
    assert (table.loc[none, "status"] == "insufficient data").all()


@EVERY_LITTLE
def test_unknown_ethnicity_says_why_a_ratio_is_missing(make):
    frame = make()
    if not frame["known"].any():
        with pytest.raises(MeasureError, match="nobody to compare"):
            CELLS["unknown_ethnicity"](frame)
        return
    table = CELLS["unknown_ethnicity"](frame)
    known = frame[frame["known"]].groupby("group")[["x", "n"]].sum()
    assert list(table["group"]) == list(known.index)
    np.testing.assert_array_equal(table[["numerator", "denominator"]], known)
    told = table["status"] != ""
    assert table.loc[~told, ["risk_ratio", "lowest", "highest", "shared"]].notna().all(axis=None)


@EVERY_LITTLE
def test_intersectional_keeps_every_pupil_and_says_what_is_not_measured(make):
    frame = make()
    answer = CELLS["intersectional"](frame)
    strata = answer.strata
    assert (strata["numerator"].sum(), strata["denominator"].sum()) == (frame["x"].sum(), frame["n"].sum())
    told = strata["status"] != ""
    assert strata.loc[~told].drop(columns="status").notna().all(axis=None)
    for value, status in (
        (answer.variance_null, answer.status_null),
        (answer.variance_main, answer.status_main),
        (answer.pcv, answer.status_pcv),
    ):
        assert np.isfinite(value) or status


@EVERY_LITTLE
def test_the_gradient_counts_every_pupil_and_says_why_there_is_none(make):
    frame = make()
    answer = CELLS["deprivation_gradient"](frame)
    assert answer.pupils + answer.pupils_left_out == frame["n"].sum()
    figures = [answer.relative_index, answer.lower, answer.upper, answer.p_value]
    assert answer.status or np.isfinite(figures).all()


@EVERY_LITTLE
def test_leave_one_school_out_has_a_row_for_every_school_and_group_with_pupils(make):
    frame = make()
    answer = CELLS["leave_one_school_out"](frame)
    held = frame.assign(school=frame["school"].fillna("not recorded")).groupby(["group", "school"])["n"].sum()
    held = held[held > 0]
    if not len(answer.table):
        assert answer.notes == ("Nobody, or everybody, is identified.",)
        return
    found = answer.table.set_index(["group", "school"])["pupils"]
    pd.testing.assert_series_equal(found.sort_index(), held.sort_index(), check_names=False, check_dtype=False)
    assert answer.table["risk_ratio"].dropna().between(0, np.inf).all()


@EVERY_LITTLE
def test_every_specification_of_every_known_group_has_its_row(make):
    frame = make()
    table = CELLS["specification_curve"](frame).table
    known = frame.loc[frame["known"], "group"].unique()
    assert set(table["group"]) == set(known)
    assert not table.duplicated(["group", "adjustment", "censuses", "subset", "detail"]).any()
    assert table.groupby("group").size().nunique() <= 1


# --- censuses -----------------------------------------------------------------------------------------------------


def test_a_census_that_is_absent_is_not_invented():
    answer = CELLS["flags"](LITTLE["census-absent"]())
    assert answer.periods == ("2024", "2026")
    assert "risk_ratio_2025" not in answer.table


def test_a_group_absent_from_a_census_has_no_ratio_of_that_census_and_is_never_flagged():
    table = _area()
    more = table.assign(x=np.where(table["group"] == "b", np.minimum(table["n"], table["x"] * 3), table["x"]))
    whole = CELLS["flags"](more).table.set_index("group").loc["b"]
    assert whole["status"] == "over-identified"
    for census in (2024, 2026):
        part = more[(more["group"] != "b") | (more["census"] != census)]
        row = CELLS["flags"](part).table.set_index("group").loc["b"]
        assert np.isnan(row[f"risk_ratio_{census}"])
        assert row["status"] in ("watch", "insufficient data")


def test_a_census_that_is_not_recorded_is_a_family_of_its_own_in_crude():
    frame, call = SUMMED["crude"][0](), SUMMED["crude"][1]
    gone = frame.assign(census=frame["census"].astype("Int64").where(frame["census"] != 2025))
    _same(call(gone).drop(columns="census"), call(frame).drop(columns="census"))


# --- the measures -------------------------------------------------------------------------------------------------

X, N = [30, 12, 15, 44], [100, 80, 60, 200]
X_0, N_0 = [61, 79, 86, 47], [340, 360, 380, 240]
BY = ["p", "q", "r", "s"]
OWN = {
    "proportion": lambda x, n: measures.proportion(x, n),
    "rate": lambda x, n: measures.rate(x, n),
    "risk_ratio-score": lambda x, n: measures.risk_ratio(x, n, X_0, N_0),
    "risk_ratio-miettinen": lambda x, n: measures.risk_ratio(x, n, X_0, N_0, method="miettinen_nurminen"),
    "risk_ratio-katz": lambda x, n: measures.risk_ratio(x, n, X_0, N_0, method="katz"),
    "risk_difference": lambda x, n: measures.risk_difference(x, n, X_0, N_0),
    "odds_ratio-wald": lambda x, n: measures.odds_ratio(x, n, X_0, N_0),
    "odds_ratio-haldane": lambda x, n: measures.odds_ratio(x, n, X_0, N_0, method="haldane"),
    "odds_ratio-fisher": lambda x, n: measures.odds_ratio(x, n, X_0, N_0, method="fisher"),
    "alternate_risk_ratio": lambda x, n: measures.alternate_risk_ratio(x, n, X_0, N_0),
    "percentage_point_gap": lambda x, n: measures.percentage_point_gap(x, n, X_0, N_0),
    "proportionality_index": lambda x, n: measures.proportionality_index(x, n, X_0, N_0),
    "index_80": lambda x, n: measures.index_80(x, n),
    "equal_risks_p_value": lambda x, n: measures.equal_risks_p_value(x, n, X_0, N_0),
    "missing_group_bounds": lambda x, n: measures.missing_group_bounds(x, n, X_0, N_0, [3] * 4, [9] * 4),
    "directly_standardised_rate": lambda x, n: measures.directly_standardised_rate(x, n, [10] * 4, BY),
    "indirectly_standardised_ratio": lambda x, n: measures.indirectly_standardised_ratio(x, n, X_0, N_0, BY),
}
SECOND = {
    "risk_ratio": measures.risk_ratio,
    "risk_difference": measures.risk_difference,
    "odds_ratio": measures.odds_ratio,
    "alternate_risk_ratio": measures.alternate_risk_ratio,
    "percentage_point_gap": measures.percentage_point_gap,
    "proportionality_index": measures.proportionality_index,
    "equal_risks_p_value": measures.equal_risks_p_value,
    "indirectly_standardised_ratio": lambda *four: measures.indirectly_standardised_ratio(*four, BY),
}
WRONG = {
    "above-total": (150, 100, "count above total"),
    "negative": (-1, 100, "negative"),
    "negative-total": (3, -5, "negative"),
    "fraction": (0.5, 100, "not a whole number"),
    "fraction-total": (3, 20.5, "not a whole number"),
    "missing": (None, 100, "missing"),
    "missing-total": (3, np.nan, "missing"),
    "NA": (pd.NA, 100, "missing"),
    "infinite": (np.inf, 100, "not a whole number"),
    "infinite-total": (3, np.inf, "not a whole number"),
    "minus-infinite": (-np.inf, 100, "negative"),
    "total-of-0": (0, 0, "no pupils"),
}
EVERY_WRONG = pytest.mark.parametrize(("x", "n", "status"), WRONG.values(), ids=WRONG.keys())


def _changed(values: list, value) -> pd.Series:
    return pd.Series([values[0], value, *values[2:]], dtype=object)


@EVERY_WRONG
@pytest.mark.parametrize("name", [name for name in OWN if name != "rate"])
def test_a_row_that_is_no_count_has_a_status_and_the_others_are_answered(name, x, n, status):
    answer, good = OWN[name](_changed(X, x), _changed(N, n)), OWN[name](X, N)
    assert len(answer) == len(good)
    row = answer.iloc[1]
    # A group of nobody has, at the reference's risks, nothing expected.
    allowed = {status, "nothing expected"} if name.startswith("indirectly") and n == 0 else {status}
    assert row["status"] in allowed
    assert np.isnan(row["estimate"])
    pd.testing.assert_frame_equal(answer.drop(index=answer.index[1]), good.drop(index=good.index[1]))


@pytest.mark.parametrize(
    ("x", "exposure", "status"),
    [
        pytest.param(-1, 100, "negative", id="negative"),
        pytest.param(0.5, 100, "not a whole number", id="fraction"),
        pytest.param(None, 100, "missing", id="missing"),
        pytest.param(3, None, "missing", id="exposure-missing"),
        pytest.param(np.inf, 100, "not a whole number", id="infinite"),
        pytest.param(3, 0, "no exposure", id="exposure-0"),
        pytest.param(150, 100, "", id="more-events-than-pupils"),
        pytest.param(3, 20.5, "", id="exposure-a-fraction"),
    ],
)
def test_a_rate_says_which_events_and_exposures_cannot_be_used(x, exposure, status):
    answer, good = measures.rate(_changed(X, x), _changed(N, exposure)), measures.rate(X, N)
    assert answer.loc[1, "status"] == status
    assert answer.loc[1, ["estimate", "lower", "upper"]].isna().all() == (status != "")
    pd.testing.assert_frame_equal(answer.drop(index=1), good.drop(index=1))


@EVERY_WRONG
@pytest.mark.parametrize("name", SECOND)
def test_a_comparator_that_is_no_count_has_a_status_and_the_others_are_answered(name, x, n, status):
    good = SECOND[name](X, N, X_0, N_0)
    answer = SECOND[name](X, N, _changed(X_0, x), _changed(N_0, n))
    row = answer.iloc[1]
    assert row["status"] in (status, "comparator has nobody", "reference has nobody", "group above the whole")
    assert np.isnan(row["estimate"])
    pd.testing.assert_frame_equal(answer.drop(index=answer.index[1]), good.drop(index=good.index[1]))


@pytest.mark.parametrize("value", ["many", "c"])
@pytest.mark.parametrize("name", OWN)
def test_text_among_the_numbers_of_a_measure_is_refused(name, value):
    for columns in ((_changed(X, value), N), (X, _changed(N, value))):
        with pytest.raises(MeasureError, match="not numeric"):
            OWN[name](*columns)


@pytest.mark.parametrize("name", OWN)
def test_columns_of_different_length_are_refused(name):
    with pytest.raises(MeasureError, match="length"):
        OWN[name](X[:3], N)


@pytest.mark.parametrize("name", [n for n in OWN if "standardised" not in n])
def test_a_duplicated_index_is_kept_and_changes_nothing(name):
    x, n = pd.Series(X, index=[5, 5, 5, 5]), pd.Series(N, index=[5, 5, 5, 5])
    answer = OWN[name](x, n)
    assert answer.index.tolist() == [5, 5, 5, 5]
    pd.testing.assert_frame_equal(answer.reset_index(drop=True), OWN[name](X, N))


NOTHING = {
    "proportion": lambda: measures.proportion([], []),
    "rate": lambda: measures.rate([], []),
    "risk_ratio": lambda: measures.risk_ratio([], [], [], []),
    "risk_difference": lambda: measures.risk_difference([], [], [], []),
    "odds_ratio": lambda: measures.odds_ratio([], [], [], []),
    "odds_ratio-fisher": lambda: measures.odds_ratio([], [], [], [], method="fisher"),
    "alternate_risk_ratio": lambda: measures.alternate_risk_ratio([], [], [], []),
    "percentage_point_gap": lambda: measures.percentage_point_gap([], [], [], []),
    "proportionality_index": lambda: measures.proportionality_index([], [], [], []),
    "index_80": lambda: measures.index_80([], [], by=[]),
    "equal_risks_p_value": lambda: measures.equal_risks_p_value([], [], [], []),
    "missing_group_bounds": lambda: measures.missing_group_bounds([], [], [], [], [], []),
    "directly_standardised_rate": lambda: measures.directly_standardised_rate([], [], [], []),
    "indirectly_standardised_ratio": lambda: measures.indirectly_standardised_ratio([], [], [], [], []),
    "funnel_limits": lambda: measures.funnel_limits([], 0.2),
    "false_discovery": lambda: measures.false_discovery([]),
    "quantile": lambda: measures.quantile([], 5),
    "e_value": lambda: measures.e_value([], [], []),
    "slope_index": lambda: measures.slope_index([], [], [], by=[]),
}


@pytest.mark.parametrize("call", NOTHING.values(), ids=NOTHING.keys())
def test_columns_without_rows_have_an_answer_without_rows(call):
    assert len(call()) == 0


def test_a_slope_of_no_rows_at_all_says_that_there_are_no_pupils():
    assert measures.slope_index([], [], [])["status"].tolist() == ["no pupils"]


@pytest.mark.parametrize("risk", ["nobody", "everybody", "no-pupils"])
@pytest.mark.parametrize("name", [n for n in OWN if n != "risk_ratio-katz"])
def test_nobody_everybody_and_no_pupils_at_all_are_answered_without_a_silent_gap(name, risk):
    x = {"nobody": [0] * 4, "everybody": N, "no-pupils": [0] * 4}[risk]
    answer = OWN[name](x, [0] * 4 if risk == "no-pupils" else N)
    figures = [c for c in ("estimate", "lower", "upper") if c in answer]
    silent = answer["status"] == ""
    assert answer.loc[silent, figures].notna().all(axis=None)
    if risk == "no-pupils":
        assert not silent.any()


@EVERY_WRONG
def test_a_wrong_quantile_row_leaves_no_slope_and_says_why(x, n, status):
    row = measures.slope_index(_changed(X, x), _changed(N, n), [1, 2, 3, 4]).iloc[0]
    assert row["status"] == ("a quantile is empty" if status == "no pupils" else status)
    assert row[["estimate", "lower", "upper"]].isna().all()


@pytest.mark.parametrize(
    ("quantile", "status"),
    [
        pytest.param([1, 2, 3, None], "missing", id="missing"),
        pytest.param([0, 1, 2, 3], "not a quantile", id="zero"),
        pytest.param([1, 2, 3, 4.5], "not a quantile", id="fraction"),
        pytest.param([1, 2, 4, 4], "a quantile is empty", id="one-absent"),
        pytest.param([1, 1, 1, 1], "fewer than two quantiles", id="one-alone"),
    ],
)
def test_a_slope_over_what_are_no_quantiles_says_why(quantile, status):
    row = measures.slope_index(X, N, quantile).iloc[0]
    assert row["status"] == status
    assert np.isnan(row["estimate"])


@pytest.mark.parametrize(
    ("total", "status"),
    [
        (0, "no pupils"),
        (-5, "negative"),
        (20.5, "not a whole number"),
        (None, "missing"),
        (np.inf, "not a whole number"),
    ],
    ids=str,
)
def test_an_area_of_a_funnel_that_is_no_count_says_why(total, status):
    made = measures.funnel_limits(_changed(N, total), 0.2)
    assert made["status"].tolist() == ["", status, "", ""]
    assert np.isnan(made.loc[1, "lower_95"])


def test_overdispersion_leaves_out_areas_that_are_no_counts():
    whole = measures.overdispersion([30, 15, 44], [100, 60, 200], 0.2)
    for x, n, _ in WRONG.values():
        assert measures.overdispersion(_changed(X, x), _changed(N, n), 0.2) == pytest.approx(whole)


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_a_p_value_outside_0_to_1_is_refused(p):
    with pytest.raises(MeasureError, match="outside 0 to 1"):
        measures.false_discovery([0.01, p])


def test_missing_p_values_stay_missing_and_are_not_counted():
    np.testing.assert_allclose(measures.false_discovery([0.01, None, 0.04]), [0.02, np.nan, 0.04])


@pytest.mark.parametrize(
    ("three", "status"),
    [
        pytest.param((None, 1, 2), "missing", id="missing"),
        pytest.param((1.5, -1, 2), "negative", id="negative"),
        pytest.param((3, 1, 2), "estimate outside its limits", id="outside"),
    ],
)
def test_an_e_value_of_what_is_no_ratio_says_why(three, status):
    made = measures.e_value(*([2.0, v] for v in three))
    assert made["status"].tolist()[1] == status
    assert np.isnan(made.loc[1, "estimate"])


def test_scores_that_are_missing_have_no_quantile():
    made = measures.quantile([3, None, 1, 2, 5, 4], 5)
    assert made["status"].tolist() == ["", "missing", "", "", "", ""]
    assert made["estimate"].isna().tolist() == [False, True, False, False, False, False]


KEYS = pd.Categorical(["p", "p", "q", "q"], categories=["never", "p", "q", "nor"])


def test_keys_that_no_row_has_make_no_group():
    direct = measures.directly_standardised_rate(X, N, [10] * 4, KEYS)
    indirect = measures.indirectly_standardised_ratio(X, N, X_0, N_0, KEYS)
    assert list(direct.index) == list(indirect.index) == ["p", "q"]
    pd.testing.assert_frame_equal(measures.index_80(X, N, by=KEYS), measures.index_80(X, N, by=list(KEYS)))
    one, other = (
        measures.false_discovery([0.1, 0.2, 0.3, 0.4], by=KEYS),
        measures.false_discovery([0.1, 0.2, 0.3, 0.4], by=list(KEYS)),
    )
    pd.testing.assert_series_equal(one, other)


def test_rows_without_a_key_are_a_group_of_their_own():
    keys = ["p", None, "q", "q"]
    assert len(measures.directly_standardised_rate(X, N, [10] * 4, keys)) == 3
    assert measures.index_80(X, N, by=keys)["status"].tolist()[1] == "highest risk"
    np.testing.assert_allclose(measures.false_discovery([0.1, 0.2, 0.3, 0.4], by=keys), [0.1, 0.2, 0.4, 0.4])


# --- what was once answered wrongly, or without a word --------------------------------------------------------------


def _determined(by: str) -> pd.DataFrame:
    """The area with a group d, three times as often identified, whose pupils alone have a level of ``by``."""
    area = _area()
    extra = area[area["group"] == "b"].assign(group="d", **{by: 9 if by == "fifth" else "X"})
    return pd.concat([area, extra.assign(x=np.minimum(3 * extra["x"], extra["n"]))], ignore_index=True)


@pytest.mark.parametrize("by", ["sex", "fifth"])
def test_a_group_that_an_adjuster_determines_is_never_called_even(by):
    row = CELLS["flags"](_determined(by)).table.set_index("group").loc["d"]
    assert (row["status"], row["reasons"]) == ("insufficient data", "not_told_apart")
    assert row[["adjusted_risk_ratio", "pooled_risk_ratio", "pooled_lower"]].isna().all()
    assert row["crude_risk_ratio"] > 1.5


@pytest.mark.parametrize("name", ["adjusted", "flags", "unknown_ethnicity", "leave_one_school_out", "crude"])
@pytest.mark.parametrize(
    ("known", "words"),
    [
        pytest.param({True: "yes", False: "no"}, "neither true nor false", id="words"),
        pytest.param({True: True, False: None}, "not said for every row", id="gap"),
    ],
)
def test_whether_a_group_is_known_is_true_or_false(name, known, words):
    frame, call = ALL[name][0](), ALL[name][1]
    with pytest.raises(MeasureError, match=words):
        call(frame.assign(known=frame["known"].map(known).astype(object)))


def test_known_may_be_written_as_1_and_0():
    _same(CELLS["flags"](_area().assign(known=_area()["known"].astype(int))), CELLS["flags"](_area()))


def test_a_group_that_is_known_and_unknown_is_refused():
    area = _area()
    with pytest.raises(MeasureError, match="known in some rows"):
        CELLS["unknown_ethnicity"](area.assign(known=area["known"] & (area["sex"] == "F")))


def test_unknown_pupils_whose_group_is_a_gap_count_as_unknown():
    area = _area()
    gaps = area.assign(group=area["group"].where(area["known"]))
    _same(CELLS["unknown_ethnicity"](gaps), CELLS["unknown_ethnicity"](area))


@pytest.mark.parametrize("function", [specification_curve, leave_one_school_out])
def test_groups_that_are_not_there_are_named(function):
    more = LINES | {"outcome": "x"} if function is specification_curve else {"count": "x", "adjust": ["sex"]}
    with pytest.raises(MeasureError, match="no such group") as refused:
        function(_area(), **COLUMNS, **more, groups=["zz", "a", "yy"])
    assert [p.value for p in refused.value.problems] == ["zz", "yy"]


def test_censuses_that_nobody_names_or_that_are_named_in_two_ways_are_refused():
    area = _area()
    with pytest.raises(MeasureError, match="of which census"):
        CELLS["flags"](area.assign(census=None))
    mixed = area["census"].astype(object).where(area["sex"] == "F", area["census"].astype(str))
    with pytest.raises(MeasureError, match="in two ways") as refused:
        CELLS["flags"](area.assign(census=mixed))
    assert [p.value for p in refused.value.problems] == ["2024", "2025", "2026"]


def test_a_gap_among_the_censuses_does_not_rename_them():
    area = _area()
    gaps = area.assign(census=area["census"].where(np.arange(len(area)) % 7 != 0))
    assert CELLS["flags"](gaps).periods == ("2024", "2025", "2026")


def test_a_group_that_is_absent_from_a_census_is_told_so():
    area = _area().assign(n=lambda f: 8 * f["n"], x=lambda f: 8 * f["x"])
    more = area["group"] == "b"
    area = area.assign(x=area["x"].where(~more, np.minimum(2 * area["x"], area["n"])))
    row = CELLS["flags"](area[~more | (area["census"] != 2025)]).table.set_index("group").loc["b"]
    assert row["status"] == "watch"
    assert "absent_from_a_census" in row["reasons"].split("; ")
    assert "one_census_only" not in row["reasons"]


def test_odds_ratios_without_an_error_have_no_limits_and_say_why():
    one = CELLS["adjusted-logistic"](LITTLE["single-school"]())
    other = one.odds_ratios[one.odds_ratios["odds_ratio"] != 1]
    assert other[["lower", "upper"]].isna().all(axis=None)
    assert (other["status"] == "no interval: all pupils are in one school").all()
    area = _area()
    alone = CELLS["adjusted-logistic"](area[(area["group"] != "c") | (area["school"] == "s03")]).odds_ratios
    row = alone.set_index("group").loc["c"]
    assert np.isnan(row["lower"])
    assert row["status"] != ""


def test_specifications_without_a_ratio_say_so_and_their_group_stays_in_the_summary():
    area = _area()
    made = CELLS["specification_curve"](area.assign(x=area["x"].where(area["group"] != "c", 0)))
    rows = made.table[made.table["group"] == "c"]
    own = rows[rows["detail"] == "groups"]
    assert own["risk_ratio"].isna().all()
    assert (own["status"] == "not estimable by regression").all()
    assert list(made.summary["group"]) == ["a", "b", "c"]


def test_leaving_a_school_out_that_leaves_nothing_says_so():
    made = leave_one_school_out(LITTLE["single-school"](), **COLUMNS, count="x", adjust=["sex"]).table
    assert (made.loc[made["risk_ratio"].isna(), "status"] != "").all()


def test_a_gradient_passes_on_the_notes_of_its_model():
    area = _area()
    few = deprivation_gradient(
        area[area["school"].isin(["s01", "s02", "s03"])], rank="fifth", count="x", total="n", cluster="school"
    )
    assert any("only 3 schools" in note for note in few.notes)
    none = CELLS["deprivation_gradient"](area.assign(fifth=np.nan))
    assert none.status == "not measured: nobody has a rank"
    same = deprivation_gradient(
        area.assign(copy=area["fifth"]), rank="fifth", count="x", total="n", cluster="school", adjust=["copy"]
    )
    assert same.status == "not measured: the adjusters determine the rank"


@pytest.mark.parametrize("mask", [lambda f: f["x"], lambda f: pd.Series("yes", f.index), lambda f: f["n"] * np.nan])
def test_a_subset_is_a_mask_of_the_frames_own_rows(mask):
    area = _area()
    with pytest.raises(MeasureError, match="belongs"):
        flags(area, **COLUMNS, **LINES, outcomes=["x"], subsets={"some": mask(area)})


def test_a_subset_of_another_index_is_refused():
    area = _area()
    with pytest.raises(MeasureError, match="index"):
        flags(area, **COLUMNS, **LINES, outcomes=["x"], subsets={"some": (area["n"] > 3).set_axis(area.index[::-1])})


MISTAKES = {
    "confidence-text": lambda: measures.proportion([1], [2], confidence="high"),
    "confidence-none": lambda: measures.proportion([1], [2], confidence=None),
    "design-text": lambda: pooled([1], [2], design_effect="x"),
    "design-none": lambda: pooled([1], [2], design_effect=None),
    "threshold-text": lambda: unknown_ethnicity(_area(), group="group", count="x", total="n", known="known", high="x"),
    "multiplier-missing": lambda: measures.rate([1], [2], multiplier=np.nan),
    "multiplier-0": lambda: measures.rate([1], [2], multiplier=0),
    "p-value-infinite": lambda: measures.false_discovery([np.inf]),
}


@pytest.mark.parametrize("call", MISTAKES.values(), ids=MISTAKES.keys())
def test_an_argument_that_makes_no_sense_is_a_sentence(call):
    with pytest.raises(MeasureError) as refused:
        call()
    assert str(refused.value)


def test_text_among_numbers_is_named_with_its_column_row_and_mend():
    area = _area().astype({"x": object})
    area.loc[4, "x"] = "c"
    with pytest.raises(MeasureError, match=r"column x, row 4.*Found: 'c'.*missing values"):
        CELLS["adjusted"](area)


def test_katz_has_no_limits_where_nothing_varies_or_a_cell_is_empty():
    made = measures.risk_ratio([0, 5, 4], [10, 5, 9], [3, 8, 3], [10, 8, 10], method="katz")
    assert made["status"].tolist() == ["a cell is empty", "nothing varies", ""]
    assert made["lower"].isna().tolist() == [True, True, False]
