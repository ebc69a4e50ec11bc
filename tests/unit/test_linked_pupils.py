"""The plan of a pack's counts of pupils, held against counts by another way, and attacked."""

import numpy as np
import pandas as pd
import pytest

from jsna.area import Area
from jsna.disclosure import PackPattern, Policy
from jsna.disclosure.cells import system_of
from jsna.disclosure.suppression import protect_jointly
from jsna.evidence.comparison import Dimension, compare
from jsna.linked import pupils
from jsna.linked.names import group_names
from jsna.linked.pattern import pattern_of_plan
from jsna.params import Params
from jsna.sealed import Sealed
from tests.joint_attacker import assert_safe


@pytest.fixture(scope="module")
def small():
    return Area(Params(scale=0.05, seed=11))


@pytest.fixture(scope="module")
def pattern(small):
    return pattern_of_plan(pupils.plan(small), small.params.policy())


def latest(area):
    frame = area.pupils.frame
    return frame[frame["time_period"].astype(str) == area.periods[-1]]


def test_each_count_of_the_plan_is_the_number_of_pupils_that_it_names(small):
    frame = latest(small)
    sen = frame["sen_provision"].astype(str)
    tables = {t.name: t.counts.unseal("to test") for t in pupils.plan(small).tables}
    by_sex = tables["pupils by sex"].set_index("sex")
    assert by_sex["pupils"].to_dict() == frame["sex"].astype(str).value_counts().to_dict()
    assert by_sex["ehc_plan"].sum() == (sen == "E").sum()
    fifth = ((frame["idaci_decile"].astype(int) + 1) // 2)[sen.isin(["K", "E"])]
    by_fifth = tables["pupils by idaci_quintile"].set_index("place")["any_sen"]
    assert by_fifth.rename(lambda p: int(p.removeprefix("fifth "))).to_dict() == {
        q: int((fifth == q).sum()) for q in sorted(((frame["idaci_decile"].astype(int) + 1) // 2).unique())
    }
    known = tables["pupils by ethnicity, known"].set_index("ethnicity")["pupils"]
    assert known["not known"] == frame["ethnicity"].astype(str).isin(["REFU", "NOBT"]).sum()


def test_no_small_count_of_the_pupils_plan_can_be_worked_out(small):
    plan = pupils.plan(small)
    some = [t for t in plan.tables if t.name.split(" by ")[-1].split(",")[0] in ("pupils", "sex", "ethnicity")]
    system = system_of(some, classifications=plan.classifications())
    found = protect_jointly(system, Policy(), strict=False)
    assert found.small.sum() > 50
    assert_safe(found)


def test_what_a_board_looks_at_first_is_hidden_last(small, pattern):
    first = [f"pupils|{period}{sen}" for period in small.periods for sen in ("|sen=any_sen", "|sen=ehc_plan")]
    assert not pattern.hides([*first, *(f"pupils|{period}" for period in small.periods)]).any()


def test_a_count_of_no_planned_characteristic_has_no_name_in_the_pattern(small, pattern):
    with pytest.raises(Exception, match="not protected together"):
        pattern.hides(group_names(pd.RangeIndex(1), small.periods[-1], "fsm_eligible", "1", "any_sen"))


OF_GROUP = Dimension("ethnicity", {"A": "A", "B": "B", "REFU": "Refused"}, ("REFU",))


def counted(hidden):
    rows = pd.DataFrame(
        {
            "time_period": "202526",
            "grouping": "ethnicity",
            "ethnicity": ["A", "B", "REFU"],
            "pupils": [100, 400, 60],
            "any_sen": [30, 40, 2],
        }
    )
    names = [
        f"pupils|202526{group}{sen}"
        for group in ("", *(f"|ethnicity={g}" for g in ("A", "B", "REFU", "known", "not known")))
        for sen in ("", "|sen=any_sen")
    ]
    gone = pd.Series([n.endswith(tuple(hidden)) for n in names], index=names)
    policy = Policy(pattern=PackPattern(gone, pd.Series(0, index=names)))
    sealed = Sealed(rows, counts=("pupils", "any_sen"))
    told = {"period": "202526", "policy": policy, "source": "example", "synthetic": True}
    return compare(sealed, OF_GROUP, ["any_sen"], **told).table


def test_where_all_of_known_group_are_hidden_the_few_unknown_stay_among_all_others():
    few = ["ethnicity=REFU|sen=any_sen", "ethnicity=known|sen=any_sen", "not known|sen=any_sen"]
    table = counted(few).text().set_index("group")
    # All others of A are everybody less A: 42 of 460; without those of unknown group it were 40 of 400.
    assert table.loc["A", "comparator_percent"] == pytest.approx(100 * 42 / 460)
    assert table.loc["A", "risk_ratio"] == pytest.approx(0.3 / (42 / 460))
    assert table.loc["REFU", ["numerator", "risk_ratio", "status"]].tolist() == ["c", "c", "not shown"]


def test_where_all_of_known_group_are_shown_they_are_the_comparator():
    table = counted(["ethnicity=REFU|sen=any_sen"]).text().set_index("group")
    assert table.loc["A", "comparator_percent"] == pytest.approx(100 * 40 / 400)


def test_where_neither_is_shown_nothing_is_said_beside_all_others():
    gone = ["ethnicity=REFU|sen=any_sen", "ethnicity=known|sen=any_sen", "202526|sen=any_sen"]
    table = counted(gone).text().set_index("group")
    assert table.loc["A", "risk_ratio"] == "c"
    assert table.loc["A", "percent"] == pytest.approx(30)
    assert np.isfinite(table.loc["A", "numerator"])
