"""Whatever the seed and scale: a well-formed area, and the same one each time."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.synthetic import synthesise

seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([0.005, 0.02, 0.05])
few = settings(max_examples=12, deadline=None)


@few
@given(seeds, scales)
def test_the_same_arguments_give_the_same_area(seed, scale):
    first, again = synthesise(seed, scale), synthesise(seed, scale)
    pd.testing.assert_frame_equal(first.pupils, again.pupils)
    pd.testing.assert_frame_equal(first.ehc_cases, again.ehc_cases)
    pd.testing.assert_frame_equal(first.survey, again.survey)


@few
@given(seeds, scales)
def test_a_pupil_is_in_a_census_once_and_keeps_sex_ethnicity_and_language(seed, scale):
    pupils = synthesise(seed, scale).pupils
    assert not pupils.duplicated(["pupil_id", "time_period"]).any()
    fixed = pupils.groupby("pupil_id")[["sex", "ethnicity", "first_language"]].nunique()
    assert (fixed == 1).all(axis=None)


@few
@given(seeds, scales)
def test_need_goes_with_sen_and_is_never_named_twice(seed, scale):
    pupils = synthesise(seed, scale).pupils
    primary, secondary = pupils["primary_need"].astype(str), pupils["secondary_need"].astype(str)
    assert ((primary != "") == (pupils["sen_provision"] != "N")).all()
    assert not ((secondary != "") & (primary == "")).any()
    assert not ((primary == secondary) & (primary != "")).any()


@few
@given(seeds, scales)
def test_a_school_has_one_phase_and_a_neighbourhood_one_ward_and_rank(seed, scale):
    pupils = synthesise(seed, scale).pupils
    assert (pupils.groupby("school_urn", observed=True)["school_phase"].nunique() == 1).all()
    places = pupils.groupby("lsoa21", observed=True)[["ward_code", "idaci_rank", "idaci_decile"]].nunique()
    assert (places == 1).all(axis=None)


@few
@given(seeds, scales)
def test_dates_of_a_request_are_in_order_and_plans_follow_a_decision_to_assess(seed, scale):
    cases = synthesise(seed, scale).ehc_cases
    decided = cases["decision"] != "pending"
    assert (cases["date_decided"].notna() == decided).all()
    assert (cases.loc[decided, "date_decided"] > cases.loc[decided, "date_requested"]).all()
    issued = cases[cases["plan_issued"]]
    assert (issued["decision"] == "assess").all()
    assert (issued["date_issued"] > issued["date_decided"]).all()
    assert cases.loc[~cases["plan_issued"], ["date_issued", "weeks_to_issue"]].isna().all(axis=None)
