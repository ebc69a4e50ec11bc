"""The projection on numbers that can be checked by hand: flow, growth, ranges, parts, scenarios, bad input."""

import json

import numpy as np
import pandas as pd
import pytest

from jsna.chapters import sufficiency_words as words
from jsna.errors import MeasureError
from jsna.evidence.projection import backtest
from jsna.evidence.projection.flow import Rates, expected_new, flow, rates_of
from jsna.evidence.projection.history import History, band_of, january
from jsna.evidence.projection.learned import errors_like, learned
from jsna.evidence.projection.outlook import OBSERVED, TREND, outlook_of
from jsna.evidence.projection.parts import moved_share, placements_of, shifted_shares, whole_numbers
from jsna.evidence.projection.project import growth_of, project
from jsna.evidence.projection.pupils import ahead_by_year_group, growth_ahead, pupils_ahead, shared_out
from jsna.evidence.projection.ranges import Spread, spread_of
from jsna.evidence.projection.scenarios import checked, children_alone, placements_if, scenarios
from jsna.evidence.projection.specification import settings

STAY, UP = np.array([0.3, 0.8, 0.7, 0.7, 0.8]), np.array([0.0, 0.6, 0.2, 0.25, 0.2])
YEARS = range(2018, 2026)


def made_up(areas=40, seed=1, years=YEARS):
    """A country in which every authority follows the same rates exactly, with new plans of its own."""
    random = np.random.default_rng(seed)
    names = [str(800 + i) for i in range(areas)]
    now = random.integers(50, 900, (areas, 5)).astype("float64")
    fresh = random.integers(5, 90, (areas, 5)).astype("float64")
    rates, ages, new = Rates(STAY, UP), {}, {}
    for year in years:
        ages[year] = pd.DataFrame(now, index=names)
        new[year] = pd.DataFrame(fresh, index=names)
        now = rates.after_a_year(now, fresh)
    ages, new = pd.concat(ages, axis=1), pd.concat(new, axis=1).loc[:, list(years)[:-1]]
    return History(ages.T.groupby(level=0).sum().T, ages, new, pd.Series("E06000032", index=names))


def release(history, kinds=("mainstream_academy", "special_academy_free", "fe_total"), shares=(0.5, 0.3, 0.1)):
    """A caseload as the release has it, with some placements and none of the others."""
    columns = [c for v in settings()["placements"].values() for c in v["columns"]]
    rows = []
    for year in history.plans:
        for number, plans in history.plans[year].dropna().items():
            row = dict.fromkeys(columns, 0.0) | {k: s * plans for k, s in zip(kinds, shares, strict=True)}
            period = f"{year - 1}{year % 100:02d}"
            rows.append(row | {"time_period": period, "dfe_number": number, "ehcplans": plans})
    return pd.DataFrame(rows).assign(breakdown_topic="Total", geographic_level="Local authority")


def needs_table(history, number="800"):
    counts = dict.fromkeys(settings()["needs"], 0.0) | {"number_asd": 300.0, "number_semh": 100.0, "number_msi": 1.0}
    return pd.DataFrame(
        [counts | {"dfe_number": number, "breakdown_topic": "Total", "geographic_level": "Local authority"}]
    )


@pytest.fixture(scope="module")
def history():
    return made_up()


def test_rates_that_everybody_follows_are_found_again(history):
    found = rates_of(history.of_ages(2024), history.of_ages(2025), history.of_new(2024))
    assert found.stay == pytest.approx(STAY, abs=1e-6)
    assert found.up == pytest.approx(UP, abs=1e-6)


def test_rates_are_not_learned_from_a_handful_of_authorities(history):
    few = [table.iloc[:9] for table in (history.of_ages(2024), history.of_ages(2025), history.of_new(2024))]
    assert rates_of(*few) is None


def test_a_flow_with_known_rates_by_hand():
    plans, new = pd.DataFrame([[10.0, 100, 50, 20, 5]]), pd.DataFrame([[4.0, 10, 5, 2, 0]])
    ahead = flow(plans, new, Rates(STAY, UP), 2)
    assert ahead[1].iloc[0].tolist() == pytest.approx([7, 96, 60, 28.5, 8])
    assert ahead[2].iloc[0, 0] == pytest.approx(0.3 * 7 + 4)


def test_new_plans_are_half_own_half_englands_and_a_gap_is_england_alone():
    plans = pd.DataFrame([[100.0] * 5, [300.0] * 5], index=["a", "b"])
    new = pd.DataFrame([[10.0] * 5, [np.nan] * 5], index=["a", "b"])
    found = expected_new(plans, [new], of_latest=0.5, towards_england=0.5)
    assert found.loc["a"].tolist() == pytest.approx([10.0] * 5)
    assert found.loc["b"].tolist() == pytest.approx([30.0] * 5)


def test_growth_is_four_fifths_englands():
    plans = pd.DataFrame(
        {2022: [100.0, 100.0], 2023: [100, 100], 2024: [100, 100], 2025: [100, 121.0]}, index=["a", "b"]
    )
    growth, known = growth_of(plans, years=3, own=0.2)
    england = np.log(221 / 200)
    assert growth["a"] == pytest.approx(0.8 * england)
    assert growth["b"] == pytest.approx(0.8 * england + 0.2 * np.log(1.21) / 3)
    assert known.all()


def test_ages_add_up_to_the_total(history):
    found = project(history)
    for ahead in found.total:
        assert found.ages[ahead].sum(axis=1).to_numpy() == pytest.approx(found.total[ahead].to_numpy())


def test_no_forecast_sees_what_came_later(history):
    plans, ages, new = history.plans.copy(), history.ages.copy(), history.new.copy()
    plans.loc[:, plans.columns > 2021] *= 9
    ages.loc[:, ages.columns.get_level_values(0) > 2021] *= 9
    new.loc[:, new.columns.get_level_values(0) >= 2021] *= 9
    changed = History(plans, ages, new, history.codes)
    said = [project(h.until(2021)).total for h in (history, changed)]
    pd.testing.assert_frame_equal(*said)
    peers = [backtest.peer_forecasts(h.until(2021).plans.iloc[:2]) for h in (history, changed)]
    for name in backtest.PEERS:
        pd.testing.assert_frame_equal(peers[0][name], peers[1][name])


def test_what_is_known_in_a_january_ends_there_and_with_the_new_plans_of_the_year_before(history):
    known = history.until(2021)
    assert known.plans.columns.max() == known.ages.columns.get_level_values(0).max() == 2021
    assert known.new.columns.get_level_values(0).max() == 2020


def test_errors_count_only_once_they_have_come_due():
    errors = pd.DataFrame({"origin": [2016, 2018, 2018, 2012], "ahead": [1, 1, 3, 2]})
    assert backtest.known_by(errors, 2019)["origin"].tolist() == [2016, 2018]


def test_a_country_without_history_has_growth_alone():
    short = made_up().until(2018)
    found = project(short)
    assert not found.own_growth.any()
    assert not found.own_ages.any()
    assert found.total[5].tolist() == pytest.approx(short.plans[2018].tolist())


@pytest.mark.parametrize(
    "plans", [pd.DataFrame(index=["a"]), pd.DataFrame({2025: [0.0]}), pd.DataFrame({2025: [np.nan]})]
)
def test_nothing_to_project_from_is_said(plans):
    nothing = pd.DataFrame(columns=pd.MultiIndex.from_arrays([[], []]))
    with pytest.raises(MeasureError, match="no plans to project from"):
        project(History(plans, nothing, nothing, pd.Series(dtype="object")))


def test_a_range_by_hand():
    low, high = Spread({0.8: 0.1}, 0.5, 0.0).limits(100, 100, 4, 0.8)
    assert (float(low), float(high)) == pytest.approx((100 * np.exp(-0.2), 100 * np.exp(0.2)))


def test_a_spread_holds_the_share_that_it_says():
    random = np.random.default_rng(3)
    n, ahead = random.integers(200, 5000, 4000), random.integers(1, 6, 4000)
    told = settings()["ranges"]
    scale = ahead ** told["exponent"] * np.sqrt(1 + told["size"] / n)
    errors = pd.DataFrame({"forecast": 100.0, "actual": 100 * np.exp(0.05 * scale * random.normal(size=4000)), "n": n})
    found = spread_of(errors.assign(ahead=ahead))
    assert found.one_year[0.8] == pytest.approx(0.05 * 1.2816, rel=0.06)
    assert found.one_year[0.95] == pytest.approx(0.05 * 1.96, rel=0.06)
    assert spread_of(errors.assign(ahead=ahead).head(19)) is None


def test_shares_move_by_half_of_what_englands_moved():
    rows = {("a", 2024): (50, 50), ("b", 2024): (50, 50), ("a", 2025): (60, 40), ("b", 2025): (60, 40)}
    parts = pd.DataFrame.from_dict(rows, orient="index", columns=["x", "y"]).astype("float64")
    parts.index = pd.MultiIndex.from_tuples(rows, names=["number", "year"])
    ahead = shifted_shares(parts, 2025)
    assert ahead.loc[("a", 1), "x"] == pytest.approx(0.65)
    assert ahead.loc[("a", 5), "x"] == pytest.approx(0.85)
    assert ahead.sum(axis=1).tolist() == pytest.approx([1.0] * 10)


def test_placements_add_up_to_all_plans_and_what_is_in_no_kind_is_other(history):
    found = placements_of(release(history))
    whole = history.plans.stack()
    assert found.sum(axis=1).to_numpy() == pytest.approx(whole.reindex(found.index).to_numpy())
    assert (found["other"] / found.sum(axis=1)).to_numpy() == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("shares", "told", "match"),
    [
        ({"a": 0.6, "b": 0.3}, {"to": "a", "taken_from": ["b"]}, "add up to 1"),
        ({"a": 1.2, "b": -0.2}, {"to": "a", "taken_from": ["b"]}, "0 or more"),
        ({"a": 0.6, "b": 0.4}, {"to": "c", "taken_from": ["b"]}, "no such part"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, told, match):
    with pytest.raises(MeasureError, match=match):
        moved_share(pd.Series(shares), points=5, **told)


def test_no_more_is_moved_than_there_is():
    assert moved_share(pd.Series({"a": 0.98, "b": 0.02}), to="a", taken_from=["b"], points=5).tolist() == [1.0, 0.0]
    assert moved_share(pd.Series({"a": 1.0, "b": 0.0}), to="a", taken_from=["b"], points=5).tolist() == [1.0, 0.0]


def test_whole_numbers_of_nothing_are_nothing():
    assert whole_numbers([0.0, 0.0], 0).tolist() == [0, 0]
    assert whole_numbers([0.5, 0.5, 0.0], 3).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"name": "What if?", "kind": "entri"}, "Did you mean 'entry'"),
        ({"name": "What if?", "kind": "entry", "years_bak": 2}, "years_back"),
        ({"name": "What if?", "kind": "entry", "years_back": 0}, "number of years"),
        ({"name": "The forecast", "kind": "population"}, "begins with"),
        ({"name": "What if?", "kind": "placement", "to": "mainstream", "from": ["specal"], "points": 5}, "special"),
        ({"name": "What if?", "kind": "placement", "to": "mainstream", "from": ["special"], "points": "5"}, "points"),
        ("population", "No such kind"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_in_words(told, match):
    with pytest.raises(MeasureError, match=match):
        checked({"mine": told})


def test_the_scenarios_that_come_with_the_workbench_are_sound():
    assert {told["kind"] for told in scenarios().values()} == {"entry", "population", "placement"}


def test_children_alone_change_nothing_where_every_age_has_as_many():
    now = pd.Series([10.0, 20, 30, 20, 5])
    assert children_alone(now, pd.Series(100.0, index=range(26)), 2020, 2025).tolist() == pytest.approx([85.0] * 5)


def test_a_placement_scenario_is_reached_in_equal_steps():
    shares = pd.DataFrame({"a": [0.5] * 5, "b": [0.5] * 5}, index=range(1, 6))
    found = placements_if(shares, {"to": "a", "from": ["b"], "points": 10})
    assert found["a"].tolist() == pytest.approx([0.52, 0.54, 0.56, 0.58, 0.6])


def test_an_outlook_adds_up_in_every_part_and_year(history):
    found = outlook_of(
        history, "800", caseload=release(history), needs=needs_table(history), residents=pd.Series(100.0, range(26))
    )
    whole = found.of("all").set_index("year")["value"]
    for kind in ("age", "placement", "need"):
        assert found.of(kind).groupby("year")["value"].sum().equals(whole)
    assert found.lacking == {}
    assert set(found.rows["scenario"]) == {OBSERVED, TREND, *scenarios()}
    trend = found.of("all")
    assert (trend["lower_95"] <= trend["lower_80"]).all()
    assert (trend["lower_80"] <= trend["value"]).all()
    assert (trend["value"] <= trend["upper_80"]).all()
    assert (trend["upper_80"] <= trend["upper_95"]).all()
    what_if = found.rows[found.rows["scenario"].isin(list(scenarios()))]
    assert what_if[["lower_80", "upper_80"]].isna().all(axis=None)


def test_no_range_is_given_around_very_few_plans(history):
    found = outlook_of(history, "800", caseload=release(history), needs=needs_table(history)).of("need")
    few = found[found["part"] == "Multi-sensory impairment"]
    assert few["lower_80"].isna().all()
    assert found.loc[found["part"] == "Autism", "lower_80"].notna().all()


def test_what_cannot_be_given_is_named_and_the_rest_stands(history):
    ages = history.ages.copy()
    ages.loc["801", (2025, 2)] = np.nan
    caseload = release(history)
    caseload.loc[caseload["dfe_number"] == "801", "fe_total"] = np.nan
    found = outlook_of(History(history.plans, ages, history.new, history.codes), "801", caseload=caseload)
    assert set(found.lacking) == {"age", "placement", "need", "new_plans_as_before", "children_alone"}
    assert len(found.of("all")) == 5
    assert "cohort flow has no part" in " ".join(words.notes_on(found, "Anywhere"))


def test_an_authority_created_last_year_has_englands_growth_and_says_so(history):
    plans = history.plans.copy()
    plans.loc["800", plans.columns < 2025] = np.nan
    found = outlook_of(History(plans, history.ages, history.new, history.codes), "800", caseload=release(history))
    assert not found.own_growth
    assert "one January" in " ".join(words.notes_on(found, "Anywhere"))


def test_a_missing_year_and_a_jump_are_pointed_out(history):
    plans = history.plans.copy()
    plans.loc["800", 2020] = np.nan
    plans.loc["800", 2025] = plans.loc["800", 2024] / 2
    found = outlook_of(History(plans, history.ages, history.new, history.codes), "800", caseload=release(history))
    told = " ".join(words.notes_on(found, "Anywhere"))
    assert "No number was published for January 2020" in told
    assert "more than a quarter within the year to January 2025" in told


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_zero_plans_or_none_are_said_in_words(history, value):
    plans = history.plans.copy()
    plans.loc["800", 2025] = value
    with pytest.raises(MeasureError, match="plans"):
        outlook_of(History(plans, history.ages, history.new, history.codes), "800", caseload=release(history))


def test_a_part_that_is_always_zero_stays_zero(history):
    found = outlook_of(history, "800", caseload=release(history)).of("placement")
    assert (found.loc[found["part"] == "Independent or non-maintained school", "value"] == 0).all()


def test_year_groups_follow_one_another():
    groups = list(settings()["year_groups"])
    now = pd.Series(range(100, 100 + len(groups)), index=groups, dtype="float64")
    ahead = ahead_by_year_group(now)
    ratio = learned()["ratios"]
    assert ahead.loc[1, "7"] == pytest.approx(now["6"] * ratio[11])
    assert ahead.loc[2, "8"] == pytest.approx(now["6"] * ratio[11] * ratio[12])
    assert ahead["R"].tolist() == [100.0] * 5


@pytest.mark.parametrize("value", [np.nan, -1.0])
def test_year_groups_without_a_number_are_refused(value):
    now = pd.Series(50.0, index=list(settings()["year_groups"]))
    now["3"] = value
    with pytest.raises(MeasureError, match="0 or more"):
        ahead_by_year_group(now)


def own_numbers(**changed):
    now = pd.Series(50.0, index=list(settings()["year_groups"]))
    return pd.Series({**now.to_dict(), **changed}), pd.Series({2024: 500.0, 2025: 600.0, 2026: 650.0})


def test_own_pupils_by_stage_add_up_and_those_outside_school_age_stay():
    found = pupils_ahead(*own_numbers(), 2026)
    rows = found.rows[found.rows["scenario"] == TREND]
    stages = rows[rows["kind"] == "stage"]
    assert stages.groupby("year")["value"].sum().tolist() == rows.loc[rows["kind"] == "all", "value"].tolist()
    others = stages.loc[stages["part"].str.startswith("Below"), "value"]
    assert others.tolist() == pytest.approx([50.0] * 5, abs=1)
    assert not found.whole


def test_a_hidden_year_group_leaves_the_whole_alone():
    found = pupils_ahead(*own_numbers(**{"3": np.nan}), 2026)
    assert found.hidden == ("3",)
    assert set(found.rows["kind"]) == {"all"}
    assert found.rows.iloc[0]["value"] == 650


def test_nothing_is_projected_from_a_hidden_whole():
    years, _ = own_numbers()
    for history in (pd.Series({2026: np.nan}), pd.Series({2026: 0.0}), pd.Series({2025: 9.0})):
        with pytest.raises(MeasureError, match="no number of pupils"):
            pupils_ahead(years, history, 2026)


def test_one_census_has_englands_growth_alone():
    assert growth_ahead(pd.Series({2026: 100.0}), 2026) == learned()["growth"]
    both = growth_ahead(pd.Series({2025: 100.0, 2026: 100.0}), 2026)
    assert both == pytest.approx(0.8 * learned()["growth"])


def test_kinds_of_school_add_up_and_a_hidden_one_is_with_the_others():
    found = pupils_ahead(*own_numbers(), 2026)
    rows = shared_out(found, pd.Series({"Primary": 300.0, "Secondary": np.nan, "Special": 200.0}))
    now = rows[rows["scenario"] == OBSERVED].set_index("part")["value"]
    assert now.to_dict() == {"Primary": 300.0, "Special": 200.0, "Any other school, or hidden": 150.0}
    every = found.rows[(found.rows["kind"] == "all") & (found.rows["scenario"] == TREND)]
    assert rows[rows["scenario"] == TREND].groupby("year")["value"].sum().tolist() == every["value"].tolist()


@pytest.mark.parametrize(
    ("age", "band"), [("under 3", 0), ("4", 0), ("age 5", 1), ("Aged 10", 1), ("25", 4), ("20 and over", 4)]
)
def test_ages_fall_into_their_bands(age, band):
    assert band_of(pd.Series([age])).tolist() == [band]


def test_school_years_and_calendar_years_are_told_apart():
    assert january(pd.Series(["202425", "2022"])).tolist() == [2025, 2022]


def test_the_class_of_an_authority_by_its_plans():
    assert errors_like(10)["from"] == 0
    assert errors_like(1200)["from"] == 1200
    assert errors_like(99999)["below"] is None


def test_rows_for_the_next_cycle_are_plain_json(history):
    from jsna.chapters.sufficiency_rows import for_next_cycle

    found = outlook_of(history, "800", caseload=release(history), needs=needs_table(history))
    kept = for_next_cycle(found.rows, measure="EHC plans", cycle="2026")
    assert "NaN" not in json.dumps(kept)
    keys = {"measure", "part", "period", "value", "lower_80", "upper_80", "scenario", "made_in_cycle"}
    assert all(set(row) == keys for row in kept)
    assert {row["scenario"] for row in kept} >= {"observed", "trend"}
