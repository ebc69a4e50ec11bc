"""The plan of the EHC process from own lists: years and groups as one system, attacked, and what the page then says."""

import numpy as np
import pandas as pd
import pytest

from jsna.disclosure import Policy
from jsna.disclosure.cells import system_of
from jsna.disclosure.suppression import protect_jointly
from jsna.evidence.catalogue import catalogue
from jsna.evidence.local_values.counts import of_cases
from jsna.evidence.local_values.specification import ways_of
from jsna.evidence.pipeline import UNKNOWN
from jsna.evidence.pipeline.own import compared_own
from jsna.evidence.pipeline.own_counts import own_counts, plans_by_year
from jsna.files.result import Loaded, Summary
from jsna.files.result import together as no_rows
from jsna.linked.cases import case_group, plan_of_stages, stage_names
from jsna.linked.indicators import placed
from jsna.linked.pattern import pattern_of_plan
from jsna.linked.plan import together
from tests.joint_attacker import assert_safe

GROUPS = (("WBRI", 160), ("APKN", 110), ("BCRB", 24), ("AIND", 9), ("NOBT", 3))


def listed(groups=GROUPS, seed=1):
    """A list of cases of 2023 to 2025, some refused, some late, a few with an exception."""
    random = np.random.default_rng(seed)
    rows = []
    for group, number in groups:
        for _ in range(number):
            asked = pd.Timestamp("2023-01-05") + pd.Timedelta(days=int(random.integers(0, 1000)))
            refused, exception = random.random() < 0.2, bool(random.random() < 0.06)
            days = pd.Timedelta(days=int(random.integers(90, 420)))
            decided = asked + pd.Timedelta(days=int(random.integers(20, 60)))
            issued, decision = (pd.NaT, "refuse") if refused else (asked + days, "assess")
            who = ("FM"[int(random.integers(2))], group, int(random.integers(2, 19)))
            rows.append((asked, decision, decided, issued, exception, *who))
    names = ["date_requested", "decision", "date_decided", "date_issued", "exception", "sex", "ethnicity", "age"]
    frame = pd.DataFrame(rows, columns=names)
    frame["plan_issued"] = frame["date_issued"].notna()
    frame["weeks_to_issue"] = ((frame["date_issued"] - frame["date_requested"]).dt.days / 7).round(1)
    frame = frame.astype({"exception": "boolean", "age": "Int64"})
    return Loaded(frame, no_rows([]), Summary("made up", "made up", "2023 to 2025", len(frame), len(frame), 0))


@pytest.fixture(scope="module")
def cases():
    return listed()


@pytest.fixture(scope="module")
def plan(cases):
    """The stages, the years and the indicators of one list, as the pack has them."""
    told = of_cases(cases, [2023, 2024, 2025]).counts.unseal("a test on invented cases")
    indicators = placed(told, ways_of(catalogue().indicators.values())).plan()
    years = plans_by_year(cases).unseal("a test on invented cases")
    return together([indicators, plan_of_stages(own_counts(cases), years)])


@pytest.fixture(scope="module")
def pattern(plan):
    return pattern_of_plan(plan, Policy())


def true_counts(plan):
    """The number of every cell of a plan, by its figure, year and group."""
    found = {}
    for table in plan.tables:
        row = table.counts.unseal("a test on invented cases").iloc[0]
        for column, told in table.measures.items():
            key = (told["figure"], told.get("year", ""), told.get("case_group", ""))
            assert found.setdefault(key, row[column]) == row[column]
    return found


def test_years_and_stages_are_one_system_of_the_same_cases(cases, plan):
    counts = true_counts(plan)
    refused = (cases.frame["decision"] == "refuse") & (cases.frame["date_requested"].dt.year == 2024)
    assert counts["cases refused@all", "2024", ""] == refused.sum()
    of_years = [counts["cases decided@all", str(y), ""] for y in (2023, 2024, 2025)]
    assert sum(of_years) == counts["cases decided@all", "2023 to 2025", ""]
    system = system_of(plan.tables, classifications=plan.classifications())
    cells = system.cells.unseal("a test on invented cases")
    total = (cells["figure"] == "cases decided@all") & (cells["year"] == "2023 to 2025") & (cells["case_group"] == "")
    assert abs(system.relations[:, np.flatnonzero(total)]).sum() >= 4  # of years, groups, sexes, ages and what follows


def test_no_small_count_of_the_process_can_be_worked_out(plan):
    found = protect_jointly(system_of(plan.tables, classifications=plan.classifications()), Policy(), strict=False)
    assert found.small.sum() > 20
    assert_safe(found)


def test_each_number_that_is_shown_is_the_cell_that_it_is_named_after(cases, plan, pattern):
    counts, own = true_counts(plan), own_counts(cases)
    shown = compared_own(own, policy=Policy(pattern=pattern), source="made up", synthetic=True).table.frame
    told = 0
    for row in shown.itertuples():
        source, *keys = own.figures[row.outcome]
        for key, value in zip(keys, (row.numerator, row.denominator), strict=True):
            if pd.notna(value):
                place = (f"{source} {key}", own.periods[row.outcome], case_group(row.dimension, row.group))
                assert counts[place] == value
                told += 1
    assert told > 20


def test_where_those_of_known_group_are_hidden_all_others_are_everybody_else(cases, pattern):
    own = own_counts(cases)
    made = compared_own(own, policy=Policy(pattern=pattern), source="made up", synthetic=True)
    known = pattern.hidden["cases||case_group=ethnicity known|figure=cases decided@all|year=2023 to 2025"]
    assert known
    decided = int(cases.frame["decision"].isin(["assess", "refuse"]).sum())
    rows = made.table.frame.query("dimension == 'ethnicity' and outcome == 'six_weeks'")
    rows = rows[rows["denominator"].notna() & rows["comparator_denominator"].notna()]
    assert len(rows)
    assert (rows["denominator"] + rows["comparator_denominator"] == decided).all()


def test_a_hidden_row_says_nothing_in_any_column_or_word(cases, pattern):
    made = compared_own(own_counts(cases), policy=Policy(pattern=pattern), source="made up", synthetic=True)
    frame = made.table.frame
    gone = frame["known"] & (frame["numerator"].isna() | frame["denominator"].isna())
    assert gone.any()
    assert set(frame.loc[gone, "reasons"]) == {"hidden"}
    assert frame.loc[gone, ["risk_ratio", "age_risk_ratio", "pooled_risk_ratio", "p_value"]].isna().all(axis=None)
    reference = frame[(frame["group"] == "WBRI") & gone]
    for outcome in reference["outcome"]:
        assert frame.loc[frame["outcome"] == outcome, "risk_ratio_reference"].isna().all()


def test_of_how_many_the_group_is_known_is_not_said_where_the_pattern_hides_it(cases, pattern):
    own = own_counts(cases)
    overall = compared_own(own, policy=Policy(pattern=pattern), source="made up", synthetic=True).overall.text()
    assert overall["ethnicity_known"].tolist() == ["c"] * len(overall)
    assert set(overall["sex_known"]) == {"all but fewer than 5"}  # of everybody, in the whole list
    many = listed((*GROUPS[:-1], ("NOBT", 90)))
    plan = plan_of_stages(own_counts(many), plans_by_year(many).unseal("a test on invented cases"))
    shown = compared_own(
        own_counts(many), policy=Policy(pattern=pattern_of_plan(plan, Policy())), source="made up", synthetic=True
    )
    assert shown.overall.text().set_index("outcome").loc["six_weeks", "ethnicity_known"] == "77%"


def test_a_list_that_says_nothing_of_the_group_hides_no_total():
    blank = listed((("NOBT", 200),))
    own = own_counts(blank)
    plan = plan_of_stages(own, plans_by_year(blank).unseal("a test on invented cases"))
    pattern = pattern_of_plan(plan, Policy())
    made = compared_own(own, policy=Policy(pattern=pattern), source="made up", synthetic=True)
    unknown = pd.DataFrame({"outcome": ["six_weeks"], "dimension": "ethnicity", "group": UNKNOWN})
    assert "case_group" not in stage_names(unknown, own, count="count", total="total")["total"].iloc[0]
    assert made.overall.text().set_index("outcome").loc["six_weeks", "ethnicity_known"] == "not in the list"
    assert made.overall.text().set_index("outcome").loc["six_weeks", "denominator"] == 200


def test_a_policy_that_changes_counts_does_so_before_any_share(cases):
    made = compared_own(own_counts(cases), policy=Policy(method="round_5"), source="made up", synthetic=True)
    frame = made.table.frame
    assert (frame[["numerator", "denominator"]].stack() % 5 == 0).all()
    told = frame[frame["percent"].notna()]
    assert (told["percent"] - 100 * told["numerator"] / told["denominator"]).abs().max() < 1e-9
    keyed = compared_own(own_counts(cases), policy=Policy(method="cell_key"), source="made up", synthetic=True)
    # cases have no record keys: their counts are rounded to 5 there too
    pd.testing.assert_frame_equal(keyed.table.frame, frame)
