"""Every broken census of the corpus ends in words: which file, where in it, and what to do; and in no other way."""

import re

import census_samples as cs
import pandas as pd
import pytest
from corpus_census import CASES, PERSONAL, Case, contains

from jsna.errors import WorkbenchError
from jsna.sources.pupils import read_pupils


def test_the_corpus_is_large_and_each_case_is_another():
    names = [c.name for c in CASES]
    assert len(names) == len(set(names)) >= 80


def told(table) -> str:
    """All that a table says: what is pointed out, with its place, and what was put aside."""
    found = table.findings[["column", "sentence", "mend", "place"]].agg(" ".join, axis="columns")
    q = table.loaded.quarantine.astype("str")
    aside = (
        q["file"] + ", row " + q["row"] + ", " + q["column"] + " " + q["value"] + ": " + q["rule"] + ". " + q["mend"]
    )
    return re.sub(r"\brows (\d)", r"row \1", "\n".join([*found, *aside]))


def of(*outcomes: str):
    return pytest.mark.parametrize("case", [c for c in CASES if c.outcome in outcomes], ids=lambda c: c.name)


@of("error")
def test_what_cannot_be_read_is_said_in_one_message(case: Case, tmp_path):
    path = case.make(tmp_path)
    with pytest.raises(WorkbenchError) as caught:
        read_pupils([path], cs.context(), case.date)
    text = str(caught.value)
    assert contains(text, case.words) == []
    assert (case.names or path.name) in text
    assert all(p.mend or p.expected for p in caught.value.problems)
    assert [p for p in PERSONAL if p in text] == []
    assert caught.value.__cause__ is None


@of("found")
def test_what_is_wrong_is_pointed_out_and_every_row_is_kept_or_listed(case: Case, tmp_path):
    path = case.make(tmp_path)
    table = read_pupils([path], cs.context(), case.date)
    summary, text = table.loaded.summary, told(table)
    assert (summary.rows_kept, summary.rows_read - summary.rows_refused) == (case.kept, case.kept)
    assert len(table.loaded.quarantine[["file", "row"]].drop_duplicates()) >= summary.rows_refused
    assert contains(text, case.words) == []
    assert case.names in text + summary.file
    assert [p for p in PERSONAL if p in text + " ".join(summary.notes)] == []
    assert (table.loaded.quarantine["mend"] != "").all()


@of("clean")
def test_what_only_looks_wrong_is_read_as_it_is_meant(case: Case, tmp_path):
    table = read_pupils([case.make(tmp_path)], cs.context(), case.date)
    pd.testing.assert_frame_equal(cs.as_text(table.loaded.frame), cs.as_text(cs.expected()))
    assert set(table.findings["severity"]) <= {"look"}
    assert table.loaded.summary.rows_refused == 1
