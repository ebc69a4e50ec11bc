"""What must hold of adjusted and pooled ratios whatever the counts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from jsna.disproportionality import adjusted, leave_one_school_out, pooled
from jsna.disproportionality.pooled import q_values
from jsna.errors import MeasureError

pytestmark = pytest.mark.filterwarnings("error")

NAMES = {"group": "group", "count": "x", "total": "n", "adjust": ["sex"], "cluster": "school", "known": "known"}
# A table that fails is small as it stands, and shrinking one takes minutes.
phases = (Phase.explicit, Phase.reuse, Phase.generate)
few = settings(max_examples=15, deadline=None, phases=phases)
many = settings(max_examples=60, deadline=None, phases=phases)
models = st.sampled_from(["poisson", "logistic"])


@st.composite
def tables(draw, identified: bool = False):
    """Up to 16 cells of four groups, five schools and two sexes; ``identified``: some of every kind, but not all."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("abcu"),
                st.integers(0, 4),
                st.sampled_from(["F", "M"]),
                st.integers(0, 40),
                st.floats(0, 1),
            ),
            min_size=1,
            max_size=16,
        )
    )
    frame = pd.DataFrame(
        [(g, s, sex, int(share * n), n) for g, s, sex, n, share in rows], columns=["group", "school", "sex", "x", "n"]
    )
    if identified:
        whole = [(g, s, sex, 3 + s, 20) for g in "abcu" for s in range(5) for sex in ("F", "M")]
        frame = pd.concat([frame, pd.DataFrame(whole, columns=frame.columns)], ignore_index=True)
    return frame.assign(known=frame["group"] != "u")


def _table(frame, **named):
    return adjusted(frame, **NAMES, **named).table


def _same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, two, rtol=1e-6, atol=1e-9, check_dtype=False)


A_MODEL_THAT_RUNS_AWAY = pd.DataFrame(
    [
        ("b", 0, "M", 15, 15),
        ("u", 2, "F", 0, 39),
        ("b", 1, "M", 0, 0),
        ("u", 2, "M", 0, 39),
        ("a", 2, "F", 10, 28),
        ("u", 2, "F", 2, 6),
    ],
    columns=["group", "school", "sex", "x", "n"],
).assign(known=lambda f: f["group"] != "u")


@many
@given(tables(), models, st.sampled_from(["auto", "cr1"]))
@example(A_MODEL_THAT_RUNS_AWAY, "poisson", "auto")
def test_whatever_the_counts_there_is_a_number_or_a_word(frame, model, errors):
    table = _table(frame, model=model, errors=errors)
    silent = table[table["status"] == ""]
    assert np.isfinite(silent[["risk_ratio", "lower", "upper"]].to_numpy(float)).all()
    assert (silent["lower"] < silent["upper"]).all()
    assert (silent["lower"] <= silent["risk_ratio"] * (1 + 1e-9)).all()
    assert (silent["risk_ratio"] <= silent["upper"] * (1 + 1e-9)).all()
    totals = frame.groupby("group")[["x", "n"]].sum()
    assert table.set_index("group")["numerator"].eq(totals["x"]).all()
    assert table.set_index("group")["denominator"].eq(totals["n"]).all()


@few
@given(tables(identified=True), models, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(frame, model, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    _same(_table(frame.iloc[order], model=model), _table(frame, model=model))


@few
@given(tables(identified=True), models, st.data())
def test_a_row_may_be_split_in_two(frame, model, data):
    at = data.draw(st.integers(0, len(frame) - 1))
    x, n = frame.loc[at, ["x", "n"]]
    some = data.draw(st.integers(0, x))
    of = data.draw(st.integers(some, n - (x - some)))
    first, second = frame.loc[[at]].assign(x=some, n=of), frame.loc[[at]].assign(x=x - some, n=n - of)
    split = pd.concat([frame.drop(index=at), first, second], ignore_index=True)
    _same(_table(split, model=model), _table(frame, model=model))


@few
@given(tables(identified=True), models)
def test_without_schools_a_row_may_be_split_too(frame, model):
    cells = frame.groupby(["group", "sex", "known"], as_index=False)[["x", "n"]].sum()
    named = NAMES | {"cluster": None, "model": model, "errors": "cr1"}
    one, two = (adjusted(f, **named).table for f in (cells, frame))
    _same(one.drop(columns="schools"), two.drop(columns="schools"))


@few
@given(tables(identified=True), models, st.lists(st.sampled_from("abcuz"), min_size=1, max_size=4))
def test_rows_of_0_of_0_and_groups_of_nobody_change_nothing(frame, model, groups):
    """Neither do a school and a level of an adjuster that hold nobody."""
    nobody = pd.DataFrame({"group": groups, "school": 99, "sex": "not said", "x": 0, "n": 0})
    padded = _table(pd.concat([frame, nobody.assign(known=nobody["group"] != "u")], ignore_index=True), model=model)
    empty = padded[padded["group"] == "z"]
    assert (empty["status"] == "no pupils").all()
    assert empty["risk_ratio"].isna().all()
    _same(padded[padded["group"] != "z"].reset_index(drop=True), _table(frame, model=model))


@few
@given(tables(identified=True), models)
def test_against_each_other_two_groups_have_inverse_ratios(frame, model):
    there, back = (
        _table(frame, model=model, reference=g).query("comparator == @g").set_index("group") for g in ("a", "b")
    )
    assert there.loc["b", "risk_ratio"] == pytest.approx(1 / back.loc["a", "risk_ratio"], rel=1e-8)
    # Missing both ways where schools do not differ at all.
    assert there.loc["b", "lower"] == pytest.approx(1 / back.loc["a", "upper"], rel=1e-6, nan_ok=True)


@few
@given(tables(identified=True))
def test_the_labels_of_groups_do_not_matter(frame):
    labels = {"a": "z", "b": "y", "c": "x", "u": "w"}
    renamed = _table(frame.assign(group=frame["group"].map(labels)))
    back = renamed.assign(group=renamed["group"].map({v: k for k, v in labels.items()}))
    _same(back.sort_values("group").reset_index(drop=True), _table(frame))


@few
@given(tables(identified=True))
def test_pupils_of_unknown_group_change_no_crude_ratio(frame):
    named = NAMES | {"adjust": [], "errors": "cr1"}
    with_unknown, without = (adjusted(f, **named).table for f in (frame, frame[frame["known"]]))
    known = with_unknown[with_unknown["known"]].reset_index(drop=True)
    np.testing.assert_allclose(known["risk_ratio"], without["risk_ratio"], rtol=1e-9)


@few
@given(tables())
def test_without_any_school_no_table_is_a_traceback(frame):
    made = leave_one_school_out(frame, **NAMES).table
    if len(made):
        held = frame.groupby(["group", "school"])["n"].sum()
        assert len(made) == (held > 0).sum()


@few
@given(
    tables(),
    st.sets(st.integers(0, 15), min_size=1),
    st.sampled_from([(-1, 5), (6, 5), (0.5, 5), (None, 5), (3, None)]),
)
def test_every_row_that_is_no_count_is_named(frame, rows, bad):
    rows = sorted(r for r in rows if r < len(frame))
    assume(rows)
    frame = frame.astype({"x": "float64", "n": "float64"})
    for row in rows:
        frame.loc[row, ["x", "n"]] = bad
    with pytest.raises(MeasureError) as refused:
        _table(frame)
    assert len(refused.value.problems) == len(rows)
    for row in rows:
        assert f"row {row} (" in str(refused.value)


# --- pooling ------------------------------------------------------------------------------------------------------

ratios = st.lists(st.tuples(st.integers(0, 5000), st.floats(0.05, 3000), st.floats(0.5, 10)), min_size=1, max_size=12)


@many
@given(ratios)
def test_a_pooled_ratio_lies_between_1_and_the_plain_one(rows):
    count, expected, design = map(np.array, zip(*rows, strict=True))
    table = pooled(count, expected, design).table
    raw, estimate = count / expected, table["estimate"].to_numpy()
    assert (np.minimum(raw, 1) - 1e-9 <= estimate).all()
    assert (estimate <= np.maximum(raw, 1) + 1e-9).all()
    assert (table["lower"] <= table["upper"]).all()
    assert table["false_sign_rate"].between(0, 0.5).all()
    assert ((table["probability_above"] >= 0) & (table["probability_above"] <= 1)).all()


@few
@given(ratios, st.randoms(use_true_random=False))
def test_pooling_does_not_depend_on_the_order_of_rows(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    plain = pooled(*map(np.array, zip(*rows, strict=True))).table.iloc[order].reset_index(drop=True)
    moved = pooled(*map(np.array, zip(*[rows[i] for i in order], strict=True))).table
    _same(moved, plain)


@few
@given(ratios)
def test_the_surer_of_two_groups_of_one_ratio_is_shrunk_less(rows):
    """The same ratio from four times the pupils."""
    count, expected, design = map(np.array, zip(*rows, strict=True))
    both = pooled(np.r_[20, 80, count], np.r_[12.0, 48.0, expected], np.r_[1, 1, design]).table
    assert 1 <= both["estimate"][0] <= both["estimate"][1] <= 20 / 12
    assert both["false_sign_rate"][1] <= both["false_sign_rate"][0]


rates = st.lists(st.one_of(st.none(), st.floats(0, 0.5), st.sampled_from([0.0, 0.05, 0.1])), min_size=1, max_size=15)


@many
@given(rates, st.randoms(use_true_random=False))
def test_q_values_do_not_depend_on_the_order_of_rows(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    moved = q_values([values[i] for i in order])
    np.testing.assert_allclose(moved, q_values(values)[order], atol=1e-12)


@many
@given(rates)
def test_q_values_never_turn_the_order_of_rates_round_and_are_never_above_them(values):
    s = pd.Series(values, dtype="float64")
    q = pd.Series(q_values(s))
    assert (q.isna() == s.isna()).all()
    assert (q[s.notna()] <= s[s.notna()] + 1e-12).all()
    assert (q[s.dropna().sort_values().index].diff().dropna() >= -1e-12).all()
