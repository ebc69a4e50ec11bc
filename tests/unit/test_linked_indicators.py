"""The plan of the indicators from own records: one name for one number, whatever source it comes from, and attacked."""

import pandas as pd
import pytest
from local_records import CASES, SCHOOL, alone, pupils

from jsna.area import Area
from jsna.disclosure import Policy
from jsna.disclosure.cells import system_of
from jsna.disclosure.suppression import protect_jointly
from jsna.evidence.catalogue import catalogue
from jsna.evidence.local_values import values_of
from jsna.evidence.local_values.counts import counted, of_cases, of_pupils, tally, together
from jsna.evidence.local_values.specification import ways_of
from jsna.evidence.local_values.sums import with_rests
from jsna.linked import indicators
from jsna.linked import pupils as pupils_plan
from jsna.linked.indicators import placed
from jsna.linked.pattern import pattern_of_plan
from jsna.linked.plan import together as plans_together
from jsna.params import Params
from jsna.roll import FrameRoll
from tests.joint_attacker import assert_safe

WAYS = ways_of(catalogue().indicators.values())
GROUPED = {"no_sen": 80, "sen_support": 41, "ehc_plan": 19, "all_sen": 60, "all": 140}


def placed_of(*tallies):
    return placed(together(list(tallies)).counts.unseal("a test on invented counts"), WAYS)


def name(found, brings, key):
    rows = found.names[(found.names["brings"] == brings) & (found.names["key"] == key)]
    assert len(rows) == 1
    return rows["name"].iloc[0]


def listed(brings, numbers, period="2025/26", year=2026):
    """Counts of a list from ``{count: {group: number}}``."""
    parts = [
        counted(brings, "x.csv", period, year, {count: number}, group)
        for count, groups in numbers.items()
        for group, number in groups.items()
    ]
    return tally(parts)


def suspended(no_sen=3, sen_support=9, ehc_plan=6, outside=0):
    sen = sen_support + ehc_plan
    groups = {"no_sen": no_sen, "sen_support": sen_support, "ehc_plan": ehc_plan, "all_sen": sen}
    return groups | {"all": no_sen + sen + outside}


def test_pupils_bear_the_names_of_the_other_tables():
    found = placed_of(of_pupils(FrameRoll(SCHOOL)))
    assert name(found, "pupils", "pupils@all_sen") == "pupils|202526|sen=any_sen"
    assert name(found, "pupils", "pupils@all") == "pupils|202526"
    assert name(found, "pupils", "need_ASD@all_sen") == "pupils|202526|sen=need_ASD"
    assert name(found, "pupils", "not_english@all") == "pupils|202526|language_group=OTH"


def test_both_plans_of_pupils_make_one_system_without_contradiction():
    area = Area(Params(scale=0.05, seed=11))
    own = indicators.plan(area)
    both = plans_together([pupils_plan.plan(area), own])
    tables = [t for t in both.tables if t.source == "pupils"]
    system = system_of(tables, classifications=both.classifications())
    alone_ = sum(len(t.measures) for t in own.tables if t.source == "pupils")
    others = system_of(pupils_plan.plan(area).tables, classifications=both.classifications())
    assert 0 < system.shown.sum() - others.shown.sum() < alone_ / 2


def test_those_suspended_are_pupils_where_list_and_census_agree():
    events = {"suspensions": {g: 2 * n for g, n in suspended().items()}, "suspended": suspended(), "on_roll": GROUPED}
    found = placed_of(of_pupils(FrameRoll(SCHOOL)), listed("exclusions", events))
    assert name(found, "exclusions", "on_roll@all_sen") == name(found, "pupils", "pupils@all_sen")
    assert name(found, "exclusions", "on_roll@no_sen") == "pupils|202526|sen=no_sen"
    assert name(found, "exclusions", "suspended@ehc_plan") == "pupils|202526|record=suspended|sen=ehc_plan"
    assert name(found, "exclusions", "suspensions@ehc_plan") == name(found, "exclusions", "suspended@ehc_plan")


@pytest.mark.parametrize("numbers", [{"on_roll": GROUPED | {"all": 139}}, {"suspended": suspended(ehc_plan=20)}])
def test_a_list_that_the_census_contradicts_is_a_world_of_its_own(numbers):
    events = {"suspended": suspended(), "on_roll": GROUPED} | numbers
    found = placed_of(of_pupils(FrameRoll(SCHOOL)), listed("exclusions", events))
    assert name(found, "exclusions", "suspended@all").startswith("exclusions|2025/26|figure=")
    assert not pattern_of_plan(found.plan(), Policy()).problems


def test_those_whom_the_census_does_not_know_are_a_count_of_their_own():
    events = {"suspended": suspended(outside=2), "on_roll": GROUPED}
    found = placed_of(of_pupils(FrameRoll(SCHOOL)), listed("exclusions", events))
    told = found.cells[found.cells["record"].str.endswith("not on roll")]
    assert told["number"].tolist() == [2]
    hidden = pattern_of_plan(found.plan(), Policy()).hidden
    assert hidden["pupils|202526|record=suspended, not on roll"]
    assert hidden[[n for n in hidden.index if "record=suspended" in n]].sum() > 1


def test_plans_of_cases_and_assessments_give_one_another_away():
    """A hidden number of plans is not shown as that of assessments that ended in a plan."""
    few = {"to_issue": 3, "not_to_issue": 40, "concluded": 43}
    cases = {"plans": 3, "in_20_weeks": 3, "requests": 90, "decided": 80, "refused": 20, "decided_in_6_weeks": 50}
    made = [counted(b, "x.csv", "2024", 2024, n) for b, n in (("cases", cases), ("assessments", few))]
    found = placed_of(tally(made))
    both = found.cells[found.cells["figure"] == "plans in cases and assessments"]
    assert both["number"].tolist() == [3]
    hidden = pattern_of_plan(found.plan(), Policy()).hidden
    assert hidden[name(found, "cases", "plans@all")]
    assert hidden[name(found, "assessments", "to_issue@all")]


def test_sources_that_differ_by_a_few_are_no_contradiction():
    for issued in (70, 80):
        ended = {"to_issue": issued, "not_to_issue": 9, "concluded": issued + 9}
        made = tally([counted("assessments", "x.csv", "2024", 2024, ended)])
        found = values_of(together([of_cases(CASES, [2024]), made]), alone())
        assert found.of("EHC-04")["numerator"].tolist() == [issued]


def test_a_whole_that_is_less_than_its_part_is_no_sum():
    rows = pd.DataFrame({"period": "2024", "key": ["a@all", "b@all", "c@all"], "number": [10, 12, 4]})
    made, held = with_rests(rows, [("a@all", ("b@all",), False), ("b@all", ("c@all",), False)])
    assert held == [("b@all", ("c@all", "b without c@all"))]
    assert made.set_index("key")["number"]["b without c@all"] == 8


def test_nothing_left_of_a_whole_that_is_told_whole_is_a_fact_about_the_records():
    rows = pd.DataFrame({"period": "2024", "key": ["a@all", "b@all", "c@all"], "number": [10, 6, 4]})
    made, held = with_rests(rows, [("a@all", ("b@all", "c@all"), True), ("a@all", ("b@all",), False)])
    assert held == [("a@all", ("b@all", "c@all")), ("a@all", ("b@all", "a without b@all"))]
    assert len(made) == 4


def test_no_small_count_of_all_lists_can_be_worked_out():
    support = (("K", "SLCN", "OTH", "", 35), ("K", "NSA", "ENG", "SLCN", 3))
    roll = pupils(("N", "", "ENG", "", 80), *support, ("E", "ASD", "ENG", "", 12))
    plans = {"plans": {"all": 60}, "need_ASD": {"all": 30}, "need_HI": {"all": 2}, "educated_at_home": {"all": 4}}
    on_roll = {"no_sen": 80, "sen_support": 38, "ehc_plan": 12, "all_sen": 50, "all": 130}
    absent = {"enrolments": on_roll, "persistent": suspended(20, 8, 4), "severe": suspended(6, 3, 1)}
    found = placed_of(
        of_pupils(FrameRoll(roll)),
        of_cases(CASES, [2023, 2024, 2025]),
        listed("exclusions", {"suspended": suspended(7, 3, 9, 1), "on_roll": on_roll, "permanent": suspended(1, 2, 0)}),
        listed("absence", absent),
        listed("sen2", plans),
    )
    plan = found.plan()
    small = 0
    for source in sorted({t.source for t in plan.tables}):
        system = system_of([t for t in plan.tables if t.source == source], classifications=plan.classifications())
        pattern = protect_jointly(system, Policy(), strict=False)
        small += int(pattern.small.sum())
        assert_safe(pattern)
    assert small > 25


def test_a_policy_that_changes_counts_changes_those_of_indicators():
    area = alone(Params(protection="round_5"))
    found = values_of(of_pupils(FrameRoll(SCHOOL)), area).frame
    assert (found[["numerator", "denominator"]].stack() % 5 == 0).all()
