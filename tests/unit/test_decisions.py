"""The board's decisions: read with every fault named, and never lost when a pack is made anew."""

from __future__ import annotations

import pytest

from jsna.errors import CodeListError
from jsna.evidence.cycles.decisions import Decision, Decisions, form, read_decisions

LUTON = "E06000032"
GOOD = f"""
area: {LUTON}
cycle: 2026
decided_on: 2026-11-19
decisions:
  - priority: P3
    decision: strengthen
    owner: Head of SEND
    actions: [{{what: More case officers, measure: EHC-05, by: 2027-07}}]
"""


def read(tmp_path, text: str) -> Decisions:
    path = tmp_path / "decisions.yml"
    path.write_text(text, encoding="utf-8")
    return read_decisions(path, area_code=LUTON, priorities=["P1", "P3"], known=["EHC-05", "EHC-02"])


def test_unquoted_dates_and_years_are_read_as_the_text_that_was_meant(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.cycle, found.decided_on, found.decisions[0].actions[0].by) == ("2026", "2026-11-19", "2027-07")


def test_all_faults_are_named_together(tmp_path):
    text = GOOD.replace("P3", "P33").replace("EHC-05", "EHC-55") + "  - {priority: P1}\n  - {priority: P1}\n"
    with pytest.raises(CodeListError) as told:
        read(tmp_path, text)
    said = str(told.value)
    for part in (
        "no such priority. Found: 'P33'",
        "Did you mean 'P3'?",
        "decided twice. Found: 'P1'",
        "no such indicator. Found: 'EHC-55'",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "holds no decisions", id="empty"),
        pytest.param("area: [", "cannot be read as YAML", id="no YAML"),
        pytest.param(GOOD.replace(LUTON, "E06000055"), "another area's", id="another area"),
        pytest.param(GOOD.replace("strengthen", "abolish"), "decision", id="unknown choice"),
        pytest.param(GOOD.replace("owner", "ownr"), "ownr", id="misspelt field"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path, text, said):
    with pytest.raises(CodeListError, match=said):
        read(tmp_path, text)


def test_what_people_wrote_is_carried_into_the_new_form_also_when_it_is_proposed_no_more(tmp_path):
    kept = read(tmp_path, GOOD + "  - {priority: P1, reasons: 'Because: it works'}\n")
    again = read(tmp_path, form([Decision(priority="P3", name="Plans", proposal="keep")], LUTON, "2026", kept))
    assert [(d.priority, d.proposal, d.decision, d.reasons) for d in again.decisions] == [
        ("P3", "keep", "strengthen", ""),
        ("P1", "", "", "Because: it works"),
    ]
    assert again.decided_on == "2026-11-19"


def test_the_blank_form_is_read_as_nothing_decided(tmp_path):
    found = read(tmp_path, form([Decision(priority="P3", proposal="keep")], LUTON, "2026"))
    assert found.decisions[0].proposal == "keep"
    assert found.made == ()
