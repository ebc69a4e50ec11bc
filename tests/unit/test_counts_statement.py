"""One text of SQL: grouping sets as a plain count in pandas would have them, whatever columns are asked for."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.counts import COUNTS, NEEDS, count_pupils
from jsna.counts.question import Question
from jsna.counts.statement import counts_statement
from jsna.errors import SourceError

PURPOSE = "to test"
COLUMNS = ["sex", "ethnicity", "idaci_decile", "fsm_eligible"]
HAVE = [*COLUMNS, "la_code", "time_period", "sen_provision", "primary_need", "school_phase"]


def frames():
    """Small pupil tables, with every provision and need, some groups empty."""
    status = st.one_of(
        st.just(("N", "")), st.tuples(st.sampled_from("KE"), st.sampled_from(["", "ASD", "SEMH", "SLCN", NEEDS[-1]]))
    )
    pupil = st.tuples(
        st.sampled_from(["202425", "202526"]),
        st.sampled_from("FM"),
        st.sampled_from(["WBRI", "ABAN", "NOBT"]),
        st.integers(0, 3),
        st.booleans(),
        status,
    )
    return st.lists(pupil, min_size=1, max_size=60).map(
        lambda rows: pd.DataFrame(
            [(*r[:-1], *r[-1]) for r in rows], columns=["time_period", *COLUMNS, "sen_provision", "primary_need"]
        )
    )


def plain_counts(pupils, grouping):
    """The same, a group at a time, in plain pandas."""
    rows = []
    for key, part in pupils.groupby(["time_period", *grouping], sort=True):
        provision, need = part["sen_provision"], part["primary_need"]
        counts = [len(part), provision.isin(["K", "E"]).sum(), (provision == "K").sum(), (provision == "E").sum()]
        rows.append([*key, *counts, *((need == n).sum() for n in NEEDS)])
    return pd.DataFrame(rows, columns=["time_period", *grouping, *COUNTS])


@settings(max_examples=25, deadline=None)
@given(frames(), st.lists(st.lists(st.sampled_from(COLUMNS), unique=True, max_size=3), min_size=1, max_size=3))
def test_every_grouping_is_a_plain_count(pupils, groupings):
    sets = list({frozenset(g): g for g in groupings}.values())
    counted = count_pupils(pupils, *sets).unseal(PURPOSE)
    named = list(dict.fromkeys(c for g in sets for c in g))
    for grouping in sets:
        own = counted[counted["grouping"] == " × ".join(c for c in named if c in grouping)]
        expected = plain_counts(pupils, [c for c in named if c in grouping])
        found = own[expected.columns].astype(expected.dtypes.to_dict()).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected)
    assert len(counted) == sum(len(plain_counts(pupils, g)) for g in sets)


def test_a_statement_reads_only_what_it_needs():
    asked = Question((("sex",), ("special", "sex")), ("E06000032",), keep={"time_period": ["202526"]})
    text = counts_statement(asked, "pupils", HAVE)
    assert "ethnicity" not in text
    assert "\"la_code\" in ('E06000032')" in text
    assert "school_phase in ('special', 'alternative')" in text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question((("ethncity",),)), "lacks a column.*Did you mean 'ethnicity'"),
        (Question((("sex",),), cell_keys=True), "lacks a column.*'record_key'"),
        (Question((("latest_school",),)), "(?s)'pupil_id'.*'school_urn'"),
        (Question((("sex",),), ("E06000032' or '1'='1",)), "takes codes alone"),
        (Question((("sex",),), leave_out={"ethnicity": ['"; drop table pupils']}), "takes codes alone"),
    ],
)
def test_faults_of_a_question(question, words):
    with pytest.raises(SourceError, match=words):
        counts_statement(question, "pupils", HAVE)
