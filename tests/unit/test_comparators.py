"""Comparators, verdicts and places, on a made-up England whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from comparator_samples import EAST, ENGLAND, LUTON, OWN_SET, area, country, rows, values, with_row
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from jsna.codes import code_list
from jsna.errors import CodeListError, ParamsError, SourceError
from jsna.evidence.comparators import (
    REPEATS,
    WITHOUT_COUNTS,
    beside,
    comparators_of,
    release,
    sets_at_hand,
    verdicts_by_set,
    years_of_rank,
)
from jsna.evidence.funnels import funnel
from jsna.evidence.standing import standings
from jsna.params import check_params

APRIL_2021 = ["330", "871", "333", "380", "308", "335", "312", "831", "317", "874"]


@pytest.fixture(autouse=True)
def _without_files(monkeypatch):
    monkeypatch.delenv("JSNA_DATA", raising=False)


def one(table: pd.DataFrame, comparator: str) -> pd.Series:
    return table.set_index("comparator").loc[comparator]


def test_comparators_are_england_the_region_each_set_with_its_date_and_the_users_own():
    found = comparators_of(area())
    assert [c.key for c in found] == ["england", "region", "neighbours 2021", "Towns like ours"]
    assert [c.kind for c in found] == ["england", "region", "neighbours", "own"]
    assert found[1].codes == (EAST,)
    assert found[1].name == "East of England"
    numbers = code_list("local_authority")["dfe_number"]
    assert [numbers[c] for c in found[2].codes] == APRIL_2021
    assert found[2].dated == "April 2021"
    assert list(found[3].codes) == OWN_SET["Towns like ours"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("E10000006", "Cumbria ended in 2023. In its place: Cumberland 'E06000063'"),
        ("E08000038", "here it stands under 'E08000016'"),
        ("E06000132", "Did you mean"),
        ("Slough", "E06000039"),
    ],
)
def test_a_set_that_names_an_area_that_ended_or_is_unknown_is_refused_with_what_to_write_instead(code, said):
    with pytest.raises(ParamsError, match=said):
        check_params({"source": "official", "neighbours": {"Mine": [code, "E06000039", "E06000031"]}}, "params.yml")


def test_which_published_sets_there_are_is_said():
    assert "April 2021" in sets_at_hand(area())
    assert "The workbook of May 2025 is not among the files" in sets_at_hand(area())
    elsewhere = area(areas=["E06000055"], neighbours={})
    assert [c.key for c in comparators_of(elsewhere)] == ["england", "region"]
    assert "No published set of statistical neighbours is at hand for Bedford" in sets_at_hand(elsewhere)


def test_a_difference_from_england_is_from_all_others_there_with_newcombes_interval():
    table = beside(values(with_row(country("EHC-05", 200, 400), LUTON, 96, 354)), area(), "EHC-05")
    row = one(table, "england")
    whole = 153 * 200 - 96, 153 * 400 - 354
    lower, upper = confint_proportions_2indep(96, 354, *whole, compare="diff", method="newcomb")
    assert row["value"] == 50
    assert row["difference"] == pytest.approx(100 * (96 / 354 - whole[0] / whole[1]))
    assert [row["difference_lower"], row["difference_upper"]] == pytest.approx([100 * lower, 100 * upper])
    assert row[["verdict", "words", "position", "period"]].tolist() == ["worse", "worse", "below", "2024"]


@pytest.mark.parametrize(("indicator", "low", "high"), [("EHC-05", "worse", "better"), ("EHC-02", "lower", "higher")])
def test_the_words_follow_the_indicators_direction(indicator, low, high):
    for count, verdict in ((80, low), (200, "similar"), (320, high)):
        table = beside(values(with_row(country(indicator, 200, 400), LUTON, count, 400)), area(), indicator)
        assert set(table["verdict"]) == {verdict}
    assert set(table["kind"]) == {"england", "region", "neighbours", "own"}


def test_few_appeals_are_neither_better_nor_worse():
    frame = country("EHC-12", 60, 2000, events=True)
    at = frame["area_code"] == LUTON
    frame.loc[at, ["value", "numerator", "lower", "upper"]] = [0.5, 10, 0.24, 0.92]
    assert set(beside(values(frame), area(), "EHC-12")["verdict"]) == {"lower"}


def test_lower_is_better_where_the_catalogue_says_so():
    frame = with_row(country("EHC-07", 60, 400), LUTON, 10, 400)
    assert set(beside(values(frame), area(), "EHC-07")["verdict"]) == {"better"}


def test_no_difference_is_never_said_only_no_clear_difference():
    table = beside(values(country("EHC-05", 200, 400)), area(), "EHC-05")
    assert set(table["words"]) == {"no clear difference"}
    assert set(table["position"]) == {"level"}
    assert (table["p_value"] > 0.99).all()


def test_against_a_median_the_areas_own_interval_decides():
    """Of 354, 96 is 27.1% (Wilson: 22.8% to 32.0%): a median within that is no clear difference, one beyond it is."""
    for median, verdict in ((310, "similar"), (330, "worse"), (220, "better")):
        frame = with_row(country("EHC-05", 400, 1000), LUTON, 96, 354)
        frame.loc[frame["area_code"].isin(OWN_SET["Towns like ours"]), "value"] = median / 10
        row = one(beside(values(frame), area(), "EHC-05"), "Towns like ours")
        assert row["verdict"] == verdict
        assert (row["p_value"] < 0.05) == (verdict != "similar")


def test_a_set_with_too_few_figures_has_no_median_and_says_so():
    frame = country("EHC-05", 200, 400)
    frame.loc[frame["area_code"].isin(OWN_SET["Towns like ours"][:2]), "value"] = np.nan
    row = one(beside(values(frame), area(), "EHC-05"), "Towns like ours")
    assert math.isnan(row["value"])
    assert row[["verdict", "reason", "areas"]].tolist() == ["no verdict", "no figure for 2024", 2]


def test_figures_published_without_counts_have_a_position_and_a_rank_and_nothing_more():
    frame = country("PFA-03", 90, 100, way="published")
    frame.loc[frame["area_code"] == LUTON, "value"] = 94.2
    table = beside(values(frame), area(), "PFA-03")
    assert set(table["verdict"]) == {"no verdict"}
    assert set(table["reason"]) == {WITHOUT_COUNTS}
    assert set(table["position"]) == {"above"}
    assert one(table, "england")[["rank", "of"]].tolist() == [1, 153]
    assert table[["rank_lower", "rank_upper", "difference_lower", "p_value"]].isna().all(axis=None)


def test_counts_beside_a_published_england_have_no_verdict():
    frame = country("EHC-05", 200, 400)
    england = frame["area_code"] == ENGLAND
    frame.loc[england, ["way", "value"]] = ["published", 60.0]
    frame.loc[england, ["numerator", "denominator", "lower", "upper"]] = np.nan
    table = beside(values(frame), area(), "EHC-05")
    assert one(table, "england")["reason"] == WITHOUT_COUNTS
    assert one(table, "region")["verdict"] == "similar"


def test_one_authority_without_counts_could_stand_on_either_side_of_the_place():
    frame = with_row(country("EHC-05", 200, 400), LUTON, 380, 400)
    bedford = frame["area_code"] == "E06000055"
    frame.loc[bedford, ["numerator", "denominator"]] = np.nan
    frame.loc[bedford, "way"] = "published"
    row = one(beside(values(frame), area(), "EHC-05"), "england")
    assert row[["rank", "rank_lower", "rank_upper", "of"]].tolist() == [1, 1, 2, 153]
    assert row["rank_reason"] == "1 without counts could stand on either side"


def test_counts_of_areas_are_never_compared():
    with pytest.raises(CodeListError, match="Counts of areas of different sizes are not compared"):
        beside(values(country("POP-01", 2000, 4000)), area(), "POP-01")
    with pytest.raises(CodeListError, match="Counts of areas"):
        years_of_rank(values(country("POP-01", 2000, 4000)), area(), "POP-01")


def test_only_figures_of_the_areas_own_period_are_set_beside_it():
    old = country("EHC-05", 100, 400, period="2023")
    new = country("EHC-05", 300, 400, period="2024")
    new.loc[new["area_code"] == LUTON, "value"] = np.nan
    table = beside(values(old, new), area(), "EHC-05")
    assert set(table["period"]) == {"2023"}
    assert set(table["value"]) == {25}
    assert set(beside(values(old, new), area(), "EHC-05", period="2024")["reason"]) == {"no figure for the area"}


def test_what_is_left_of_a_whole_that_is_smaller_than_its_part_is_not_used():
    frame = with_row(country("EHC-05", 200, 400), LUTON, 96, 354)
    england = frame["area_code"] == ENGLAND
    frame.loc[england, ["value", "numerator", "denominator"]] = [50.0, 60, 120]
    row = one(beside(values(frame), area(), "EHC-05"), "england")
    lower, upper = confint_proportions_2indep(96, 354, 60, 120, compare="diff", method="newcomb")
    assert [row["difference_lower"], row["difference_upper"]] == pytest.approx([100 * lower, 100 * upper])


def test_a_region_without_a_row_is_said_and_not_dropped():
    frame = country("EHC-05", 200, 400)
    row = one(beside(values(frame[frame["area_code"] != EAST]), area(), "EHC-05"), "region")
    assert row[["verdict", "reason"]].tolist() == ["no verdict", "no figure for 2024"]
    assert row["of"] == 11


def test_an_indicator_without_any_value_has_a_row_a_comparator_that_says_so():
    table = beside(values(country("EHC-02", 1, 2)), area(), "EHC-05")
    assert table["reason"].tolist() == ["no figure for the area"] * 4
    with pytest.raises(SourceError, match="no figure to show"):
        release(table, area())


def test_events_that_children_repeat_are_judged_by_the_spread_among_authorities():
    random = np.random.default_rng(8)
    uneven = random.poisson(1000 * random.gamma(20, 1 / 20, 153))
    frame = country("ATD-04", uneven, 10_000, events=True)
    own = frame["area_code"] == LUTON
    for count, verdict in ((900, "similar"), (300, "better"), (1150, "similar"), (2000, "worse")):
        figures = [count / 100, count, 10_000]
        frame.loc[own, ["value", "numerator", "denominator"]] = figures
        row = one(beside(values(frame), area(), "ATD-04"), "england")
        assert row["verdict"] == verdict
        assert row["reason"] == REPEATS
        assert row["rank_reason"] == "a minimum: children can repeat"


def test_whether_the_verdict_changes_with_the_set_of_neighbours():
    frame = with_row(country("EHC-02", 120, 400), LUTON, 92, 490)
    by_set = verdicts_by_set(values(frame), area(), "EHC-02")
    assert (by_set.changes, by_set.judged) == (False, True)
    frame.loc[frame["area_code"].isin(OWN_SET["Towns like ours"]), "value"] = 18.0
    by_set = verdicts_by_set(values(frame), area(), "EHC-02")
    assert by_set.changes is True
    assert by_set.table["verdict"].tolist() == ["lower", "similar"]
    alone = verdicts_by_set(values(frame), area(neighbours={}), "EHC-02")
    assert alone.changes is None


def test_of_published_figures_the_side_is_compared_in_place_of_the_verdict():
    frame = country("PFA-03", 90, 100, way="published")
    frame.loc[frame["area_code"].isin(OWN_SET["Towns like ours"]), "value"] = 80.0
    frame.loc[frame["area_code"] == LUTON, "value"] = 85.0
    by_set = verdicts_by_set(values(frame), area(), "PFA-03")
    assert (by_set.changes, by_set.judged) == (True, False)
    assert by_set.table["position"].tolist() == ["below", "above"]


def verdicts_of_own_set(found, indicators):
    """Beside the area's own set: verdicts of each measure alone, those of a page that allows for all, and p-values."""
    alone = [beside(found, area(), i).set_index("comparator").loc["Towns like ours", "verdict"] for i in indicators]
    sets = tuple(c for c in comparators_of(area()) if c.is_set)
    own = found.frame[found.frame["area_code"] == LUTON].set_index("indicator").loc[indicators].reset_index()
    page = standings(found.frame, own, {LUTON: sets})
    name = f"set_{[c.key for c in sets].index('Towns like ours')}"
    return pd.Series(alone), page[f"{name}_verdict"], page[f"{name}_p"]


def test_verdicts_that_allow_for_how_many_were_tested_are_those_of_statsmodels():
    own_counts = {
        "EHC-02": 200,
        "EHC-04": 201,
        "EHC-05": 203,
        "EHC-07": 205,
        "EHC-08": 179,
        "EHC-09": 178,
        "EHC-10": 140,
    }
    frames = [with_row(country(i, 200, 400), LUTON, x, 400) for i, x in own_counts.items()]
    found = values(*frames)
    plain, page, p = verdicts_of_own_set(found, list(own_counts))
    rejected = multipletests(p, method="fdr_bh")[0]
    assert (page != "similar").tolist() == list(rejected)
    assert ((plain != "similar").sum(), (page != "similar").sum()) == (3, 1)


@pytest.mark.parametrize(("origin", "taken_out"), [("official", 1), ("local", 0)])
def test_an_own_count_is_not_taken_out_of_an_england_that_does_not_hold_it(origin, taken_out):
    frame = with_row(country("EHC-05", 200, 400), LUTON, 140, 400)
    own = frame[frame["area_code"] == LUTON].assign(origin=origin)
    england = frame[frame["area_code"] == ENGLAND].iloc[0]
    x, n = (england[c] - taken_out * own[c].item() for c in ("numerator", "denominator"))
    made = standings(values(frame).frame, own, {LUTON: ()})
    assert made["england_difference"].item() == pytest.approx(100 * (140 / 400 - x / n))


def test_what_is_not_tested_does_not_count_among_the_tested():
    published = country("PFA-03", 90, 100, way="published")
    found = values(with_row(country("EHC-05", 200, 400), LUTON, 179, 400), published)
    plain, page, p = verdicts_of_own_set(found, ["EHC-05", "PFA-03"])
    assert p.isna().tolist() == [False, True]
    assert plain.tolist() == page.tolist() == ["worse", "no verdict"]


def test_the_place_in_every_year_shows_how_little_one_rank_says():
    parts = [
        with_row(country("EHC-05", 200, 400, period=p), LUTON, x, 400)
        for p, x in (("2022", 300), ("2023", 100), ("2024", 200))
    ]
    made = years_of_rank(values(*parts), area(), "EHC-05")
    assert made[["period", "rank", "of"]].values.tolist() == [["2022", 1, 153], ["2023", 153, 153], ["2024", 1, 153]]


def test_an_areas_own_figure_stands_among_the_official_ones_where_there_is_no_official_one():
    frame = country("EHC-05", 200, 400)
    own = rows("EHC-05", [396], [400], codes=[LUTON], origin="local", source="The area's own cases")
    mixed = values(frame[frame["area_code"] != LUTON], own)
    row = one(beside(mixed, area(), "EHC-05"), "england")
    assert row[["rank", "of", "verdict"]].tolist() == [1, 153, "better"]
    assert row["source"] == "The area's own cases; A release"
    lower, upper = confint_proportions_2indep(396, 400, 153 * 200, 153 * 400, compare="diff", method="newcomb")
    assert [row["difference_lower"], row["difference_upper"]] == pytest.approx([100 * lower, 100 * upper])
    both = one(beside(values(frame, own), area(), "EHC-05"), "england")
    assert both[["own_value", "source"]].tolist() == [50, "A release"]


def test_released_rows_say_why_a_figure_is_not_there():
    shown = release(beside(values(country("PFA-03", 90, 100, way="published")), area(), "PFA-03"), area())
    assert set(shown.symbols["rank_lower"]) == {"z"}
    assert shown.source == "A release"
    assert "the area itself left out" in shown.notes[0]


def test_a_funnel_names_who_lies_outside_and_how_much_authorities_vary():
    random = np.random.default_rng(2)
    n = random.integers(200, 3000, 153)
    by_chance = values(country("EHC-05", random.binomial(n, 0.5), n))
    shown = funnel(by_chance, "EHC-05").frame
    assert len(shown) == 153
    assert shown["overdispersion"].iloc[0] < 1
    uneven = random.binomial(n, 1 / (1 + np.exp(random.normal(0, 0.5, 153))))
    frame = with_row(country("EHC-05", uneven, n), LUTON, 980, 1000)
    made = funnel(values(frame), "EHC-05")
    own = made.frame.set_index("area_code").loc[LUTON]
    assert own["where"] == "above the 99.8% limits"
    assert own["overdispersion"] > 10
    assert (made.frame["where"] == "inside").sum() > 130
    assert "differ so much" in made.notes[-1]


def test_a_funnel_of_events_has_no_upper_end():
    frame = country("ATD-04", 1500, 1000, events=True)
    shown = funnel(values(frame), "ATD-04").frame
    assert shown["average"].iloc[0] == 150
    assert (shown["upper_95"] > 150).all()


def test_there_is_no_funnel_without_counts_or_of_counts_alone():
    with pytest.raises(SourceError, match="no funnel"):
        funnel(values(country("PFA-03", 90, 100, way="published")), "PFA-03")
    with pytest.raises(SourceError, match="no funnel"):
        funnel(values(country("EHC-05", 1, 2)), "EHC-05", period="1999")
    with pytest.raises(CodeListError):
        funnel(values(country("POP-01", 1, 2)), "POP-01")
