"""Counting in codes: a table laid out whole, summed from a larger one, or sorted, is one and the same table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.counts import COUNTS, coded, count_pupils
from jsna.counts.coded import Coded, tallies
from jsna.counts.question import Question
from jsna.errors import SourceError

PURPOSE = "to test"
GROUPINGS = (("sex", "ethnicity", "ward"), ("sex", "ethnicity"), ("ward",), ())
VALUES = {
    "time_period": ["202425", "202526"],
    "sex": ["F", "M"],
    "ethnicity": ["ABAN", "NOBT", "WBRI"],
    "ward": ["E1", "E2", "E3", "E4"],
    "sen_provision": ["E", "K", "N"],
    "primary_need": ["", "ASD", "SEMH"],
}


def columns_of(rows):
    codes = np.array(rows, "int32").reshape(-1, len(VALUES))
    return {c: Coded(codes[:, i], np.array(v, dtype=object)) for i, (c, v) in enumerate(VALUES.items())}


def as_frame(found, columns, question):
    """The tallies as the frame that they stand for."""
    parts = []
    for t in found:
        part = {"time_period": columns["time_period"].values[t.period], "grouping": t.label}
        part |= {c: columns[c].values[g] for c, g in t.groups.items()}
        counts = pd.DataFrame(t.counts, columns=list(COUNTS)).astype("int64")
        parts.append(pd.concat([pd.DataFrame(part, index=counts.index), counts], axis=1))
    order = ["time_period", "grouping", *question.columns]
    frame = pd.concat(parts, ignore_index=True)[[*order, *COUNTS]]
    return frame.sort_values(order, kind="stable", ignore_index=True)


rows = st.lists(st.tuples(*(st.integers(0, len(v) - 1) for v in VALUES.values())), min_size=1, max_size=50)


@settings(max_examples=20, deadline=None)
@given(rows, st.booleans())
def test_however_it_is_counted_it_is_what_the_statement_counts(found, laid_out):
    columns, question = columns_of(found), Question(GROUPINGS)
    frame = pd.DataFrame({c: x.values[x.codes] for c, x in columns.items()}, dtype="str")
    expected = count_pupils(frame, *GROUPINGS).unseal(PURPOSE)
    with pytest.MonkeyPatch.context() as patch:
        if not laid_out:
            patch.setattr(coded, "CELLS_ANYWAY", 0)
            patch.setattr(coded, "CELLS_A_PUPIL", 0)
        made = as_frame(tallies(columns, question), columns, question)
    pd.testing.assert_frame_equal(made.astype(expected.dtypes.to_dict()), expected)


@pytest.mark.parametrize("laid_out", [True, False], ids=["laid out", "sorted"])
def test_record_keys_are_summed_beside(laid_out, monkeypatch):
    """Two girls with keys 200 and 100, of whom the second has a plan: 300 is 44 beyond 256."""
    if not laid_out:
        monkeypatch.setattr(coded, "CELLS_ANYWAY", 0)
        monkeypatch.setattr(coded, "CELLS_A_PUPIL", 0)
    columns = columns_of([(0, 0, 0, 0, 2, 0), (0, 0, 0, 0, 0, 1)])
    (tally,) = tallies(columns, Question((("sex",),)), np.array([200, 100], "uint8"))
    assert tally.counts[0, :4].tolist() == [2, 1, 0, 1]
    assert tally.keys[0, :4].tolist() == [44, 100, 0, 100]


def test_codes_without_values_that_nobody_has():
    column = Coded(np.array([3, 1, 3]), np.array(list("abcd"), dtype=object)).compact()
    assert column.values.tolist() == ["b", "d"]
    assert column.codes.tolist() == [1, 0, 1]


def test_more_columns_than_a_number_can_hold():
    wide = {f"c{i}": Coded(np.zeros(2, "int32"), np.arange(3000)) for i in range(6)}
    with pytest.raises(SourceError, match="too many columns"):
        tallies(columns_of([(0, 0, 0, 0, 0, 0)] * 2) | wide, Question((tuple(wide),)))
