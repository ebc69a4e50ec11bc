"""The synthetic area: the same seed the same bytes, published margins met, planted truth there to be found."""

import numpy as np
import pandas as pd
import pytest

from jsna.codes import code_list
from jsna.synthetic import load_pupils, synthesise, write_pupils
from jsna.synthetic.pupils import calibration


@pytest.fixture(scope="module")
def area():
    return synthesise(seed=2023)


@pytest.fixture(scope="module")
def latest(area):
    return area.pupils[area.pupils["time_period"] == "202526"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    names = [tmp_path / f"{n}.parquet" for n in ("a", "b", "c")]
    for path, seed in zip(names, (7, 7, 8), strict=True):
        write_pupils(path, seed=seed, scale=0.1)
    first, again, other = (p.read_bytes() for p in names)
    assert first == again
    assert first != other


def test_the_size_is_that_of_a_borough(area, latest):
    assert area.pupils.groupby("time_period", observed=True).size().between(39_500, 40_500).all()
    assert latest["school_urn"].nunique() == 70
    assert not area.pupils.duplicated(["pupil_id", "time_period"]).any()


@pytest.mark.parametrize("census", calibration()["censuses"], ids=lambda c: c["time_period"])
def test_rates_meet_the_published_ones(area, census):
    rows = area.pupils[area.pupils["time_period"] == census["time_period"]]
    share = 100 * rows["sen_provision"].value_counts(normalize=True)
    assert share["K"] + share["E"] == pytest.approx(census["sen_support"] + census["ehc_plan"], abs=0.6)
    assert share["E"] == pytest.approx(census["ehc_plan"], abs=0.5)


def test_margins_meet_the_published_ones(latest):
    c = calibration()
    groups = pd.Series(c["ethnicity"]) / sum(c["ethnicity"].values())
    found = latest["ethnicity"].value_counts(normalize=True)
    assert (found - groups).abs().max() < 0.006
    assert (latest["language_group"] == "OTH").mean() == pytest.approx(0.507, abs=0.01)
    meals = latest.groupby("ethnicity", observed=True)["fsm_eligible"].mean() * 100
    assert meals["APKN"] == pytest.approx(c["free_school_meals"]["APKN"], abs=2)
    assert meals["WBRI"] == pytest.approx(c["free_school_meals"]["WBRI"], abs=2)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("ethnicity", "ethnicity"),
        ("year_group", "year_group"),
        ("sen_provision", "sen_provision"),
        ("school_phase", "school_phase"),
        ("language_group", "language_group"),
        ("sex", "sex"),
    ],
)
def test_every_code_is_in_its_code_list(area, column, name):
    assert set(area.pupils[column].astype(str)) <= set(code_list(name).index)


def test_pupils_age_stay_and_keep_their_status(area):
    pairs = area.pupils[area.pupils["time_period"] == "202425"].merge(
        area.pupils[area.pupils["time_period"] == "202526"], on="pupil_id", suffixes=("", "_next")
    )
    assert (pairs["age_next"] - pairs["age"]).eq(1).all()
    status = [pairs[c].ne("N").astype(float) for c in ("sen_provision", "sen_provision_next")]
    assert np.corrcoef(*status)[0, 1] == pytest.approx(0.88, abs=0.06)


def test_need_is_there_exactly_for_pupils_with_sen(area):
    assert ((area.pupils["primary_need"] != "") == (area.pupils["sen_provision"] != "N")).all()


def test_planted_disparities_can_be_found_over_seeds():
    risks = []
    for seed in range(5):
        pupils = synthesise(seed, scale=0.5).pupils
        sen = pupils["sen_provision"].ne("N").groupby(pupils["ethnicity"].astype(str)).mean()
        rest = sen.drop(["BCRB", "WOTH"]).mean()
        risks.append((sen["BCRB"] / rest, sen["WOTH"] / rest))
    over, under = np.mean(risks, axis=0)
    assert 1.3 < over < 1.7
    assert 0.5 < under < 0.72


def test_the_cache_gives_what_was_made(tmp_path):
    first, again = (load_pupils(3, 0.05, tmp_path) for _ in range(2))
    assert first.summary == again.summary
    assert first.summary.synthetic
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert len(list(tmp_path.iterdir())) == 1


def test_cases_meet_the_published_process(area):
    cases = area.ehc_cases
    assert (cases["decision"] == "refuse").mean() == pytest.approx(0.187, abs=0.03)
    issued = cases[cases["plan_issued"]]
    assert (issued["weeks_to_issue"] <= 20).mean() == pytest.approx(0.294, abs=0.04)
