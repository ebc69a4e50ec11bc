"""Outcomes by SEN status: figures beside other places, changes, ranks under an assumption, and the sentences."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from jsna.area import Area
from jsna.chapters import outcomes, outcomes_care, outcomes_sections, outcomes_together
from jsna.chapters import outcomes_words as words
from jsna.evidence.catalogue import catalogue
from jsna.evidence.comparators import Comparator
from jsna.evidence.outcomes import (
    SEN,
    Place,
    assumed_counts,
    by_status,
    figures,
    gap_figures,
    last_change,
    places,
    plausible_ranks,
)
from jsna.evidence.values import ABSENT, Values
from jsna.params import Params
from tests.comparator_samples import ENGLAND, LUTON, rows, values
from tests.plain_words import CAUSAL

SLOUGH, SANDWELL, BARNET = "E06000039", "E08000028", "E09000003"
SET = (SLOUGH, SANDWELL, BARNET)
PLACES = (Place("Luton", (LUTON,)), Place("England", (ENGLAND,)), Place("Neighbours", SET, median=True))
DEFICIT = re.compile(
    r"\b(fail\w*|poor\w*|weak\w*|low.achiev\w*|under.?perform\w*|suffer\w*|lag\w*|deficit\w*|behind)\b", re.I
)


@pytest.fixture(autouse=True)
def no_folder_of_files(monkeypatch):
    monkeypatch.delenv("JSNA_DATA", raising=False)


def figure(group, share, period="2022/23", total=100, codes=(LUTON,), indicator="ATT-05", **other):
    """Rows of one figure: from counts of ``total``, or published where ``total`` is nothing."""
    level = "england" if codes == (ENGLAND,) else "local_authority"
    way = "counts" if total else "published"
    base = total or 1000
    return rows(
        indicator, share * base / 100, base, codes=codes, period=period, group=group, way=way, level=level, **other
    )


def made(*parts) -> Values:
    frame = values(*(parts or [figure("all", 50, indicator="ATT-08")])).frame
    return Values(frame, (), pd.DataFrame(columns=list(ABSENT)), pd.DataFrame())


def area_with(*parts) -> Area:
    area = Area(Params(source="official"))
    area.__dict__["values"] = made(*parts)
    return area


def everywhere(period="2022/23", total=1000, luton=(70, 20, 10), england=(72, 30, 10)):
    parts = []
    for group, own, whole in zip(SEN, luton, england, strict=True):
        parts.append(figure(group, own, period, total))
        parts.append(figure(group, whole, period, total and 100 * total, codes=(ENGLAND,)))
    return parts


def test_places_are_named_and_dated():
    found = places(
        "Luton",
        LUTON,
        (
            Comparator("england", "England", "england", (ENGLAND,)),
            Comparator("neighbours 2025", "statistical neighbours of May 2025", "neighbours", SET, "May 2025"),
            Comparator("Towns", "Towns (named for 2026)", "own", SET, "named for 2026"),
        ),
    )
    assert [p.name for p in found] == ["Luton", "England", "Neighbours’ median, May 2025", "Median, Towns"]
    assert [p.median for p in found] == [False, False, True, True]


def test_figures_of_a_set_are_the_median_of_those_that_have_one():
    shares = {SLOUGH: 10, SANDWELL: 40, BARNET: 60}
    parts = [figure("sen_support", share, codes=(code,)) for code, share in shares.items()]
    found = figures(made(figure("sen_support", 25), *parts), "ATT-05", SEN, PLACES)
    assert found[["place", "value", "areas"]].to_numpy().tolist() == [["Luton", 25.0, 1], ["Neighbours", 40.0, 3]]
    assert found["lower"].isna().tolist() == [False, True]


def test_official_figures_go_before_own_ones_which_stand_where_there_are_no_others():
    own = figure("sen_support", 40, origin="local")
    assert figures(made(own), "ATT-05", SEN, PLACES)["value"].tolist() == [40]
    both = made(own, figure("sen_support", 25))
    assert figures(both, "ATT-05", SEN, PLACES)["value"].tolist() == [25]


def test_hidden_figures_keep_their_symbol_and_years_without_any_are_seen():
    hidden = figure("ehc_plan", 4, "2021/22").assign(value=np.nan, lower=np.nan, upper=np.nan, symbol="c")
    found = figures(made(figure("ehc_plan", 8, "2018/19"), hidden), "ATT-05", SEN, PLACES[:1])
    wide = by_status(found)
    assert wide["period"].tolist() == ["2018/19", "2019/20", "2020/21", "2021/22"]
    assert wide["ehc_plan"].isna().tolist() == [False, True, True, True]
    assert wide["ehc_plan_symbol"].iloc[-1] == "c"
    shown = outcomes.publish(area_with(figure("ehc_plan", 8)), wide, found)
    assert shown.symbols["ehc_plan"].tolist() == ["", "x", "x", "c"]
    assert shown.symbols["no_sen"].tolist() == ["x"] * 4


def test_limits_are_left_out_where_no_row_has_any():
    wide = by_status(figures(made(figure("ehc_plan", 8, total=0)), "ATT-05", SEN, PLACES[:1]))
    assert not [c for c in wide if c.endswith(("_lower", "_upper"))]


def test_gaps_of_places_and_of_a_set():
    parts = everywhere()
    for code, none, support in ((SLOUGH, 80, 20), (SANDWELL, 70, 30), (BARNET, 75, 25)):
        parts += [figure("no_sen", none, codes=(code,)), figure("sen_support", support, codes=(code,))]
    found = gap_figures(made(*parts), "ATT-05", PLACES).set_index(["place", "group"])
    assert found.loc[("Luton", "sen_support"), "gap"] == pytest.approx(50)
    assert found.loc[("England", "ehc_plan"), "gap"] == pytest.approx(62)
    assert found.loc[("Neighbours", "sen_support"), ["gap", "areas"]].tolist() == [50, 3]


@pytest.mark.parametrize(
    ("first", "last", "counted"), [((20, 100), (40, 100), True), ((20, 0), (40, 100), False), ((20, 0), (40, 0), False)]
)
def test_a_change_has_limits_only_where_both_years_have_counts(first, last, counted):
    own = figures(
        made(figure("sen_support", first[0], "2021/22", first[1]), figure("sen_support", last[0], "2022/23", last[1])),
        "ATT-05",
        SEN,
        PLACES[:1],
    )
    change = last_change(own, "ATT-05")
    assert change.points == pytest.approx(20)
    assert change.counted is counted
    assert last_change(own.tail(1), "ATT-05") is None


def caseload(**plans):
    """The table of plans by age: for each area its total and the plans at 16 and 17, or a total alone."""
    made_up = []
    for code, (total, *ages) in plans.items():
        level = "National" if code == ENGLAND else "Local authority"
        made_up.append(("202324", level, code, "Total", "Total", total))
        made_up += [("202324", level, code, "Age", a, n) for a, n in zip(("16", "17"), ages, strict=False)]
    names = ["time_period", "geographic_level", "area_code", "breakdown_topic", "breakdown", "ehcplans"]
    return pd.DataFrame(made_up, columns=names)


def test_an_authority_without_ages_is_given_englands_share():
    table = caseload(**{ENGLAND: (1000, 60, 40), LUTON: (500, 30, 30), SLOUGH: (200,), BARNET: (300, 9)})
    found = assumed_counts(table, 2024, ("16", "17"))
    assert found.to_dict() == {LUTON: 60, SLOUGH: 20, BARNET: 30}


def test_plausible_ranks_under_an_assumption():
    shares = {LUTON: 94.2, SLOUGH: 94.0, SANDWELL: 80.0, BARNET: 99.9}
    parts = [figure("all", s, "2024", 0, codes=(c,), indicator="PFA-03") for c, s in shares.items()]
    area_values = made(*parts)
    many = plausible_ranks(area_values, "PFA-03", "all", LUTON, pd.Series(dict.fromkeys(shares, 1e6)))
    assert many[["rank", "rank_lower", "rank_upper", "of"]].tolist() == [2, 2, 2, 4]
    few = plausible_ranks(area_values, "PFA-03", "all", LUTON, pd.Series(dict.fromkeys(shares, 20.0)))
    assert few["rank_lower"] == 1
    assert few["rank_upper"] >= 3
    assert few.name == "2024"
    assert plausible_ranks(area_values, "PFA-03", "all", LUTON, pd.Series({SLOUGH: 20.0})) is None


def test_a_figure_of_fewer_than_five_children_is_not_singled_out():
    area = area_with(*everywhere(total=100, luton=(70, 20, 3)))
    shown = outcomes.statement(area, "ATT-05")
    said = " ".join([shown.title, *shown.notes])
    assert "fewer than 5 of the 100 with an EHC plan" in shown.title
    assert "3.0%" not in said
    assert "3 of 100" not in said


def test_a_small_number_and_what_it_is_out_of_read_as_one():
    said = "In 2024, fewer than 5 of 1,247 of the EHC plans of Luton that ended"
    assert words.of_how_many(said) == "In 2024, fewer than 5 of the 1,247 EHC plans of Luton that ended"
    assert words.of_how_many("20.1% of the EHC plans") == "20.1% of the EHC plans"


def test_without_counts_the_quarter_stands_and_no_single_rank():
    shares = {LUTON: 80, SLOUGH: 90, SANDWELL: 70, BARNET: 60}
    parts = [figure("all", s, "2024", 0, codes=(c,), indicator="PFA-03") for c, s in shares.items()]
    parts.append(figure("all", 75, "2024", 0, codes=(ENGLAND,), indicator="PFA-03"))
    said = " ".join(outcomes_together.statement(area_with(*parts), "PFA-03").notes)
    assert "in the second quarter of 4 authorities (the first has the highest figures)" in said
    assert "rank 2" not in said


def test_narrower_than_england_says_what_else_makes_a_gap_narrow():
    shown = outcomes.statement(area_with(*everywhere(luton=(60, 40, 10), england=(80, 30, 10))), "ATT-05")
    assert "narrower than England’s, as a gap also is where pupils with no identified SEN have less" in " ".join(
        shown.notes
    )


def test_whole_percentages_stay_whole_and_others_have_one_place():
    whole = area_with(*everywhere(total=0))
    assert "20% of pupils on SEN support and 10% of those with an EHC plan" in outcomes.statement(whole, "ATT-05").title
    parts = [p for p in everywhere(total=0) if p["group"].iloc[0] != "sen_support"]
    mixed = area_with(
        *parts, figure("sen_support", 20.4, total=0), figure("sen_support", 30, total=0, codes=(ENGLAND,))
    )
    assert "20.4% of pupils on SEN support and 10.0% of those" in outcomes.statement(mixed, "ATT-05").title


def test_published_percentages_are_never_tested():
    parts = everywhere("2023/24", 0) + everywhere("2024/25", 0, luton=(70, 45, 10))
    said = " ".join(outcomes.statement(area_with(*parts), "ATT-05").notes)
    assert "confidence interval" not in said
    assert "whether a change is more than chance cannot be told" in said
    assert "For scale" not in said


def test_the_scale_of_chance_names_the_assumption_and_its_year():
    parts = everywhere("2022/23", 400) + everywhere("2023/24", 0) + everywhere("2024/25", 0, luton=(70, 45, 10))
    said = " ".join(outcomes.statement(area_with(*parts), "ATT-05").notes)
    assert "For scale, assuming as many pupils each year as in the newest year with counts" in said
    assert "(400 in 2022/23)" in said


def test_a_break_between_two_years_is_said_and_nothing_is_tested():
    later = [p.assign(break_before=True) for p in everywhere("2022/23", 400, luton=(70, 60, 10))]
    said = " ".join(outcomes.statement(area_with(*everywhere("2021/22", 400), *later), "ATT-05").notes)
    assert "how it is measured changed" in said
    assert "a change between" not in said


def test_an_area_without_england_or_neighbours_still_has_its_sentence():
    area = area_with(figure("sen_support", 20), figure("no_sen", 70))
    shown = outcomes.statement(area, "ATT-05")
    assert shown.title.startswith("In 2022/23, 20.0% of pupils on SEN support in Luton met")
    assert "England" not in shown.title
    assert outcomes.chart(area, "ATT-05").kind == "chart"


def test_no_figure_is_a_notice_that_names_what_to_bring():
    area = area_with()
    for shown in (
        outcomes.statement(area, "ATT-05"),
        outcomes.chart(area, "ATT-05"),
        outcomes.gap_table(area, "ATT-05"),
        outcomes_together.statement(area, "ATD-04"),
        outcomes_together.over_time(area, "ATD-04"),
        outcomes_together.beside_others(area, "PFA-04"),
        outcomes_together.rank_finding(area, "PFA-03"),
        outcomes_together.rank_years(area, "PFA-03"),
    ):
        assert shown.kind == "notice"
        assert len(shown.extras["gap"]["mend"]) > 10


def test_sections_show_one_notice_where_nothing_is_at_hand():
    area = area_with()
    shown = [outcomes_sections.section(area, name).items for name in words.texts()["sections"]]
    assert [len(items) for items in shown] == [1] * len(shown)
    assert all(items[0].extras["gap"] for items in shown)


def test_a_section_shows_what_there_is_and_names_what_there_is_not():
    shown = outcomes_sections.section(area_with(*everywhere()), "learning").items
    kinds = [e.kind for e in shown]
    assert kinds.count("heading") == 1
    assert kinds.count("notice") == len(words.texts()["sections"]["learning"]["parts"]) - 1
    assert [e.id for e in shown if e.kind == "table"] == ["outcomes-att-05-gap-table"]


def test_every_name_in_the_words_is_in_the_catalogue_and_every_part_has_its_words():
    said, known = words.texts(), catalogue().indicators
    assert set(said["by_status"]) | set(said["together"]) <= set(known)
    for section in said["sections"].values():
        for part in section["parts"]:
            where = "by_status" if part["form"] == "by_status" else "together"
            assert part["indicator"] in said[where], part
            assert part["form"] in ("by_status", "together", "beside", "rank")


def test_words_are_respectful_and_name_no_cause():
    text = str(words.texts())
    assert not CAUSAL.findall(text)
    assert not DEFICIT.findall(text)


def test_the_register_lists_every_measure_of_health_and_care_once():
    area = area_with(*[figure(g, 20, indicator="SOC-01") for g in words.WITH_SEN])
    shown = outcomes_care.register(area)
    wanted = [i for i in catalogue().indicators if i.startswith(("HEA", "SOC"))]
    assert len(shown.table_csv.splitlines()) == 1 + len(wanted)
    assert len(shown.extras["gap"]) == len(wanted) - 1
    assert "SOC-01" not in str(shown.extras["gap"])


def test_own_records_show_hidden_figures_as_hidden():
    own = figure("sen_support", 40, indicator="ATD-02", origin="local")
    hidden = figure("ehc_plan", 40, indicator="ATD-02", origin="local")
    hidden[["value", "lower", "upper", "numerator", "denominator"]] = np.nan
    shown = outcomes_care.own_records(area_with(own, hidden.assign(symbol="c")))
    lines = shown.table_csv.splitlines()
    assert any("SEN support,2022/23,40,100,40.0" in line for line in lines)
    assert any("EHC plan,2022/23,c,c,c,c,c" in line for line in lines)


def test_events_are_never_called_a_share_of_pupils():
    area = area_with(figure("all", 6, "2023/24", 0, indicator="ATD-04"))
    shown = outcomes_together.statement(area, "ATD-04")
    assert shown.title.startswith("In 2023/24, there were 6.0 suspensions for every 100 pupils")
    assert "%" not in shown.title
    assert any("is not a share of pupils" in note for note in shown.notes)
