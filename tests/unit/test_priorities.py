"""Proposals, points and how firm the order is: by the stated rules, from evidence alone, never from nothing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jsna.errors import CodeListError
from jsna.evidence.catalogue import Frame, Target
from jsna.evidence.cycles.edition import flags_of, no_flags
from jsna.evidence.priorities import facts_of, proposals, read_rules, rules_of, scored, sensitivity
from jsna.evidence.priorities.duty import characteristics, duty_table
from jsna.evidence.priorities.rules import FACTS, PARTS
from jsna.evidence.priorities.scores import combined, points

RULES = rules_of()
FRAME = Frame.model_validate(
    {
        "name": "A frame",
        "source": "A board",
        "lists": [
            {
                "key": "priorities",
                "title": "Priorities",
                "items": [
                    {"code": "P1", "name": "Early", "official": "Yes.", "indicators": ["IDN-01", "IDN-03"]},
                    {"code": "P3", "name": "Plans", "official": "Yes.", "indicators": ["EHC-05", "EHC-09"]},
                    {"code": "P9", "name": "Nothing", "official": "No.", "indicators": [], "lacks": ["All"]},
                ],
            }
        ],
        "targets": [{"indicator": "EHC-05", "kind": "all", "words": "All plans in time"}],
    }
)


def board(*rows: tuple[str, float, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["indicator", "value", "england_verdict"])
    return table.assign(group="all", rank=np.nan)


def facts(figures=(), flags=(), voice=()) -> pd.DataFrame:
    rows = flags_of(list(flags)) if flags else no_flags()
    return facts_of(FRAME, board(*figures), rows, list(voice), None)


def flag(group: str, status: str) -> dict:
    base = {"place_level": "Local authority", "place_code": "E06000032", "outcome": "any_sen"}
    return {
        **base,
        "characteristic": "ethnicity",
        "group": group,
        "status": status,
        "period": "202526",
        "adjusted_risk_ratio": "1.50",
    }


def test_what_was_not_there_is_missing_and_not_nothing():
    found = facts()
    assert found.loc["P3", ["promises", "share_worse", "flags", "share_disagree", "changes_tested"]].isna().all()
    assert found.loc["P9", "indicators"] == 0
    assert pd.isna(found.loc["P9", "share_with_figure"])
    assert set(FACTS) <= set(found.columns)


def test_facts_are_counted_from_figures_flags_and_answers():
    found = facts(
        figures=[("EHC-05", 27.1, "worse"), ("EHC-09", 80.0, "similar"), ("IDN-01", 13.0, "no verdict")],
        flags=[flag("A", "over-identified"), flag("B", "no evidence"), flag("C", "insufficient data")],
        voice=[{"indicator": "EHC-09", "value": 40.0, "n": 120}, {"indicator": "EHC-05", "value": None, "n": 3}],
    )
    plans, early = found.loc["P3"], found.loc["P1"]
    assert (plans["promises"], plans["promises_missed"], plans["compared"], plans["worse"]) == (1, 1, 2, 1)
    assert (plans["answers"], plans["share_disagree"], plans["answered"]) == (1, pytest.approx(0.6), 120)
    assert (early["comparisons"], early["flags"], early["compared"]) == (2, 1, 0)


def test_what_can_never_be_flagged_is_no_evidence_that_groups_are_equal():
    crude = flag("A", "watch") | {"adjusted_risk_ratio": "x"}
    early = facts(flags=[crude, crude | {"group": "B", "status": "no evidence"}]).loc["P1"]
    assert pd.isna(early["share_flagged"])
    assert early["watched"] == 1


@pytest.mark.parametrize(("limits", "missed"), [((1, 4), 0), ((7, 20), 1), ((3, 20), None), ((np.nan, np.nan), None)])
def test_a_place_is_judged_only_where_all_its_plausible_places_lie_on_one_side(limits, missed):
    frame = FRAME.model_copy(update={"targets": (Target(indicator="EHC-09", kind="rank", top=5, words="Top five"),)})
    figures = board(("EHC-09", 90.0, "better")).assign(rank=limits[0], rank_lower=limits[0], rank_upper=limits[1])
    found = facts_of(frame, figures, no_flags(), [], None).loc["P3", "promises_missed"]
    assert (None if pd.isna(found) else found) == missed


def test_a_promise_that_is_met_is_not_missed():
    assert facts(figures=[("EHC-05", 100.0, "better")]).loc["P3", "promises_missed"] == 0


@pytest.mark.parametrize(
    ("figures", "flags", "proposal"),
    [
        pytest.param([("EHC-05", 27.1, "worse")], [], "strengthen", id="a promise missed"),
        pytest.param([], [], "no proposal", id="no evidence"),
        pytest.param([("EHC-05", 100.0, "similar"), ("EHC-09", 90.0, "similar")], [], "keep", id="all is well"),
    ],
)
def test_the_first_rule_that_holds_makes_the_proposal(figures, flags, proposal):
    made = {p.code: p for p in proposals(facts(figures, flags), no_flags(), RULES)}
    assert made["P3"].proposal == proposal
    assert made["P3"].because


def test_a_priority_without_indicators_gets_no_score_and_no_proposal_made_of_nothing():
    told = facts(figures=[("EHC-05", 27.1, "worse")])
    assert pd.isna(scored(told, RULES).loc["P9", ["total", "place"]]).all()
    assert {p.code: p.proposal for p in proposals(told, no_flags(), RULES)}["P9"] in ("no proposal", "keep")


def test_retiring_needs_evidence_on_every_side():
    good = {
        "share_with_figure": 1.0,
        "promises_missed": 0,
        "compared": 4,
        "worse": 0,
        "better": 3,
        "worsened": 0,
        "flags": 0,
        "answers": 1,
        "share_disagree": 0.1,
    }
    row = pd.DataFrame([{f: np.nan for f in FACTS} | good | {"name": "Good"}], index=["P1"])
    assert proposals(row, no_flags(), RULES)[0].proposal == "retire"
    for fact in good:
        lacking = row.assign(**{fact: np.nan})
        assert proposals(lacking, no_flags(), RULES)[0].proposal != "retire", fact


def test_flags_without_a_priority_of_their_own_make_a_candidate():
    flags = flags_of([flag(g, "over-identified") for g in "ABC"])
    made = proposals(facts(flags=[flag(g, "over-identified") for g in "ABC"]), flags, RULES)
    assert [(p.code, p.proposal) for p in made if p.code.startswith("N")] == [("N1", "candidate new priority")]


def test_points_by_hand_and_parts_that_add_up_to_the_total():
    told = facts(
        figures=[("EHC-05", 27.1, "worse"), ("EHC-09", 80.0, "similar")],
        voice=[{"indicator": "EHC-09", "value": 70.0, "n": 50}],
    )
    row = scored(told, RULES).loc["P3"]
    assert (row["promises"], row["comparison"], row["voice"]) == (3, 3, 1)
    few = told.assign(answered=3, compared=1)
    assert scored(few, RULES).loc["P3", ["comparison", "voice", "total"]].isna().all()
    assert row["carried"] == 60
    assert row["total"] == pytest.approx(100 * (25 * 3 + 20 * 3 + 15 * 1) / (3 * 60))
    assert row[[f"{p}_adds" for p in PARTS]].sum() == pytest.approx(row["total"])


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.integers(0, 4))
def test_more_of_one_part_never_lowers_the_total(values, at):
    cuts = np.array([RULES.cuts[p] for p in PARTS])
    weight = np.array([RULES.weights[p] for p in PARTS])
    more = [1.0 if n == at else v for n, v in enumerate(values)]
    low, high = (combined(points(np.array(v)[None], cuts), weight, 40)[0][0] for v in (values, more))
    assert high >= low - 1e-9


def test_an_order_that_no_choice_can_change_stays_and_an_even_one_does_not():
    clear = pd.DataFrame(
        [
            {f: np.nan for f in FACTS}
            | {"promises": 40, "promises_missed": m, "compared": 40, "share_worse": m / 40, "name": f"p{m}"}
            for m in (40, 36, 2, 0)
        ],
        index=list("ABCD"),
    )
    found = sensitivity({"england": clear}, RULES.model_copy(update={"top": 2})).table
    assert found.loc[["A", "B"], "in_top"].min() > 0.99
    assert found.loc[["C", "D"], "in_top"].max() < 0.01
    even = clear.assign(promises_missed=20, share_worse=0.5)
    mixed = sensitivity({"england": even}, RULES.model_copy(update={"top": 2})).table["chance"]
    assert mixed.between(0.3, 0.95).all()


def test_the_draws_are_seeded_and_the_areas_compared_with_matter_alone_where_they_differ():
    told = facts(figures=[("EHC-05", 27.1, "worse"), ("EHC-09", 80.0, "worse"), ("IDN-01", 13.0, "worse")])
    other = told.assign(share_worse=[0.0, 1.0, np.nan])
    first, again = (sensitivity({"england": told, "set_0": other}, RULES).table for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_hidden_numbers_move_the_order_only_through_unequal_groups():
    told = facts(figures=[("EHC-05", 27.1, "worse"), ("EHC-09", 80.0, "worse")], flags=[flag("A", "no evidence")])
    shown = sensitivity({"england": told}, RULES).table["disclosure"]
    assert set(shown.unique()) <= {0.0, 1.0}


def rules_file(tmp_path, **changes):
    from importlib.resources import files

    content = yaml.safe_load(files("jsna.evidence.priorities").joinpath("rules.yml").read_text(encoding="utf-8"))
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(content | changes)), sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"weights": {"promises": 50}}, "add up to 50, and have to add up to 100", id="weights"),
        pytest.param({"weights": dict.fromkeys(PARTS, 20) | {"voise": 0}}, "voice", id="misspelt part"),
        pytest.param({"cuts": dict.fromkeys(PARTS, (0.5, 0.4, 0.9))}, "do not rise", id="cuts"),
        pytest.param({"comparator": "wales"}, "comparator", id="comparator"),
        pytest.param(
            {"proposals": [{"proposal": "keep", "when": {"flagz": {"at_least": 1}}, "because": "x"}]},
            "flags",
            id="fact",
        ),
        pytest.param(
            {"proposals": [{"proposal": "keep", "when": {"flags": {"at_least": 1}}, "because": "x"}]},
            "hold always",
            id="no last rule",
        ),
        pytest.param(
            {"proposals": [{"proposal": "keep", "when": {"flags": {}}, "because": "x"}]},
            "at_least or at_most",
            id="empty bound",
        ),
    ],
)
def test_rules_that_cannot_be_used_are_refused_in_words(tmp_path, changes, said):
    with pytest.raises(CodeListError, match=said):
        read_rules(rules_file(tmp_path, **changes))


def test_rules_of_ones_own_change_the_proposal(tmp_path):
    own = read_rules(rules_file(tmp_path, proposals=[{"proposal": "keep", "when": {}, "because": "We keep all."}]))
    assert {p.proposal for p in proposals(facts(), no_flags(), own)} == {"keep"}
    with pytest.raises(CodeListError, match="no such file of rules"):
        rules_of("not-there.yml")


def test_every_protected_characteristic_has_evidence_or_a_way_to_close_the_gap():
    told = duty_table(flags_of([flag("A", "over-identified"), flag("B", "insufficient data")]))
    assert len(characteristics()) == 10
    assert (told["gap"] != "").all()
    assert told.loc[told["evidence"] == "", "gap"].str.startswith("No comparison in this pack.").all()
    race = told[told["name"].str.startswith("Race")].iloc[0]
    assert (race["compared"], race["flagged"]) == (1, 1)


def test_a_priority_without_enough_evidence_has_no_place_in_any_draw():
    told = facts(figures=[("EHC-05", 27.1, "worse"), ("EHC-09", 80.0, "worse"), ("IDN-01", 13.0, "worse")])
    thin = told.assign(compared=[2, 2, np.nan], share_worse=[1.0, 1.0, np.nan], promises=[np.nan, 1, np.nan])
    found = sensitivity({"england": thin}, RULES).table
    assert found.loc["P1", ["in_top", "best_place"]].fillna(0).tolist() == [0, 0]
    assert found.loc["P3", "in_top"] == 1
