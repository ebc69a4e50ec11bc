"""Values of indicators from small official files: by hand, with every symbol, code change, gap and disagreement."""

from __future__ import annotations

import math

import pytest

from jsna.errors import CodeListError
from jsna.evidence.catalogue import Counts, Official
from jsna.evidence.values import refuse_counts
from jsna.evidence.values.compute import compute
from jsna.sources.folder import OfficialFolder
from tests.values_samples import (
    BEDFORD,
    ENGLAND,
    FIGURES,
    LUTON,
    SLOUGH,
    area,
    catalogue_of,
    counts,
    england,
    in_time,
    indicator,
    lait,
    published,
    region,
    release,
)

FULL = [
    england(200, 190, 110, 100),
    area(LUTON, "821", "Luton", 100, 90, 30, 27),
    area(SLOUGH, "871", "Slough", 100, 100, 80, 73),
]


def values(folder, *indicators, confidence=0.95):
    return compute(OfficialFolder(folder), catalogue_of(*indicators), confidence)


def row(made, code, period="2024", of="EHC-05", group="all"):
    found = made.of(of, group, [code])
    return found[found["period"] == period].iloc[0]


def test_a_share_and_its_interval_by_hand(tmp_path):
    release(tmp_path, FULL)
    made = values(tmp_path, indicator(in_time()))
    luton = row(made, LUTON)
    z, n, p = 1.959964, 90, 0.3
    centre, half = (p + z**2 / (2 * n)), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert luton["value"] == pytest.approx(30.0)
    assert luton["lower"] == pytest.approx(100 * (centre - half) / (1 + z**2 / n))
    assert luton["upper"] == pytest.approx(100 * (centre + half) / (1 + z**2 / n))
    assert luton[["numerator", "denominator", "year", "symbol", "way", "origin"]].tolist() == [
        27, 90, 2024, "", "counts", "official",
    ]  # fmt: skip
    assert luton["file"] == "education-health-and-care-plans_2025.zip, timeliness_20_week.csv"
    assert math.isnan(luton["completeness"])


@pytest.mark.parametrize(
    ("figures", "symbol", "numerator"),
    [
        ((100, 90, 30, "x"), "x", None),
        ((100, 90, 30, "c"), "c", None),
        ((100, "c", 30, "x"), "c", None),
        ((100, "low", 30, 5), "low", 5),
        ((100, 90, 30, "z"), "z", None),
        ((100, 90, 30, ""), "x", None),
        ((9, 9, 3, 3), "u", 3),
        ((0, 0, 0, 0), "z", 0),
        ((100, 20, 30, 21), "u", 21),
    ],
)
def test_where_there_is_no_rate_a_symbol_says_why(tmp_path, figures, symbol, numerator):
    release(tmp_path, [england(200, 190, 110, 100), area(LUTON, "821", "Luton", *figures)])
    luton = row(values(tmp_path, indicator(in_time())), LUTON)
    assert luton["symbol"] == symbol
    assert luton[["value", "lower", "upper"]].isna().all()
    assert (luton["numerator"] == numerator) if numerator is not None else math.isnan(luton["numerator"])


def test_an_area_without_a_row_is_not_available_and_never_left_out(tmp_path):
    release(tmp_path, FULL)
    made = values(tmp_path, indicator(in_time()))
    assert row(made, BEDFORD)["symbol"] == "x"
    assert len(made.of("EHC-05")) == 163


def test_england_is_published_and_else_added_up_with_its_completeness(tmp_path):
    release(tmp_path, FULL)
    made = row(values(tmp_path, indicator(in_time())), ENGLAND)
    assert (made["numerator"], made["note"]) == (100, "")
    assert made["completeness"] == pytest.approx(2 / 153)
    release(tmp_path, FULL[1:])
    made = values(tmp_path, indicator(in_time()))
    assert row(made, ENGLAND)[["numerator", "denominator"]].tolist() == [100, 190]
    assert row(made, ENGLAND)["note"] == "Added up from 2 authorities."
    # Luton is the one of its region's 11 that has a figure.
    assert row(made, "E12000006")[["numerator", "completeness"]].tolist() == [27, pytest.approx(1 / 11)]
    assert row(made, "E12000001")["symbol"] == "x"


def test_london_in_two_parts_is_one_region(tmp_path):
    release(
        tmp_path,
        [
            *FULL,
            region("E13000001", "Inner London", 50, 40, 20, 10),
            region("E13000002", "Outer London", 60, 50, 30, 25),
        ],
    )
    made = values(tmp_path, indicator(in_time()))
    assert row(made, "E12000007")[["numerator", "denominator", "note"]].tolist() == [35, 90, ""]


@pytest.mark.parametrize(
    ("code", "number", "name", "today"),
    [
        ("E10000002", "825", "Buckinghamshire", "E06000060"),
        ("E08000038", "370", "Barnsley", "E08000016"),
        ("E08000039", "373", "Sheffield", "E08000019"),
        ("E06000065", "815", "North Yorkshire", "E10000023"),
    ],
)
def test_an_authority_that_changed_its_code_stands_under_todays(tmp_path, code, number, name, today):
    release(tmp_path, [england(200, 190, 110, 100), area(code, number, name, 100, 90, 30, 27)])
    made = values(tmp_path, indicator(in_time()))
    assert row(made, today)["value"] == pytest.approx(30)


@pytest.mark.parametrize(
    ("code", "number", "name", "period"),
    [
        ("E10000006", "909", "Cumbria", "2021"),
        ("E10000021", "928", "Northamptonshire", "2019"),
        ("E10000009", "835", "Dorset", "2018"),
    ],
)
def test_an_area_that_is_no_more_counts_in_sums_and_nowhere_else(tmp_path, code, number, name, period):
    release(tmp_path, [area(code, number, name, 100, 90, 30, 27, period=period)])
    made = values(tmp_path, indicator(in_time()))
    frame = made.of("EHC-05")
    assert row(made, ENGLAND, period)["numerator"] == 27
    assert frame[frame["area_level"] == "local_authority"]["symbol"].eq("x").all()
    assert not frame["area_name"].eq("Cumberland").any()  # it was not there yet
    assert f"{name} ({code})" in " ".join(made.sources[0].notes)


def test_a_renamed_column_is_named_with_the_nearest_and_the_rest_goes_on(tmp_path):
    renamed = (*FIGURES[:3], "plans_issued_20_weeks_excl")
    release(tmp_path, FULL, renamed)
    whole = {"numerator": counts(FIGURES[2]), "denominator": counts(FIGURES[0])}
    made = values(tmp_path, indicator(in_time()), indicator(whole, id="EHC-06"))
    assert made.absent["indicator"].tolist() == ["EHC-05"]
    told = made.absent.iloc[0]
    assert "'plans_issued_20_weeks_ex'" in told["reason"]
    assert "'plans_issued_20_weeks_excl'" in told["mend"]
    assert row(made, LUTON, of="EHC-06")["value"] == pytest.approx(30)


def test_what_is_not_there_is_told_with_its_title(tmp_path):
    release(tmp_path, FULL)
    other = indicator(published("SEN_EHC"), id="EHC-06")
    missing_table = indicator(
        {"numerator": counts("total_ceased", table="ceased_plans")}, id="EHC-07", kind="count", interval="none"
    )
    eyfsp = counts("gld_number", source="eyfsp", table="", where={})
    early = indicator({"numerator": eyfsp, "denominator": eyfsp}, id="ATT-01")
    made = values(tmp_path, indicator(in_time()), other, missing_table, early)
    told = made.absent.set_index("indicator")
    assert "Local authority interactive tool" in told.loc["EHC-06", "mend"]
    assert "ceased_plans" in told.loc["EHC-07", "reason"]
    assert "Early years foundation stage" in told.loc["ATT-01", "mend"]
    assert made.of("ATT-01").empty
    assert len(made.of("EHC-05"))


def test_an_empty_folder_gives_no_value_and_says_so(tmp_path):
    made = values(tmp_path, indicator(in_time()))
    assert made.frame.empty
    assert made.of("EHC-05").empty
    assert "Education, health and care plans" in made.absent["mend"].iloc[0]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"breakdown_topic": "Totl"}, "'Totl'"),
        ({"breakdown_topic": ["Total", "Sex"]}, "'Sex'"),
        ({}, "names up to 2 rows"),
        ({"topic": "Total"}, "'topic'"),
    ],
)
def test_rows_that_cannot_be_told_apart_are_never_added_up_by_accident(tmp_path, where, said):
    female = area(LUTON, "821", "Luton", 40, 30, 10, 9, topic="Sex").replace("Sex,Total", "Sex,Female")
    rows = [*FULL, female.replace("Sex,", "Age,") if "Sex" in str(where) else female]
    release(tmp_path, [r.replace("Age,", "Child or young persons age,") for r in rows])
    way = {"numerator": counts(FIGURES[3], where=where), "denominator": counts(FIGURES[1])}
    made = values(tmp_path, indicator(way))
    assert made.frame.empty
    assert said in made.absent["reason"].iloc[0]


def test_columns_are_added_up_and_taken_off(tmp_path):
    release(tmp_path, FULL)
    excepted = {"numerator": counts(FIGURES[0], less=[FIGURES[1]]), "denominator": counts(FIGURES[0])}
    made = row(values(tmp_path, indicator(excepted)), LUTON)
    assert made[["numerator", "value"]].tolist() == [10, 10]


def test_of_several_ways_the_first_with_a_figure_is_kept_and_what_is_hidden_stays_so(tmp_path):
    release(
        tmp_path,
        [
            *FULL,
            area(BEDFORD, "822", "Bedford", 9, 9, 3, 3),
            area("E06000031", "874", "Peterborough", 100, 90, 30, "x"),
        ],
    )
    names = [("Luton", 821), ("Bedford Borough", 822), ("Peterborough", 874), ("Slough", 871)]
    lait(tmp_path, [("EHC_20", y, name, "55.5", number) for name, number in names for y in ("2024", "2018")])
    made = values(tmp_path, indicator(in_time(), published("EHC_20")))
    assert row(made, LUTON)[["value", "way"]].tolist() == [pytest.approx(30), "counts"]
    assert row(made, "E06000031")[["value", "way"]].tolist() == [55.5, "published"]
    assert row(made, BEDFORD)["symbol"] == "u"
    assert row(made, LUTON, "2018")[["value", "way"]].tolist() == [55.5, "published"]
    assert row(made, LUTON, "2018")[["lower", "upper", "numerator"]].isna().all()


def test_a_published_figure_takes_the_scale_of_its_indicator_and_drops_what_has_no_code(tmp_path):
    lait(
        tmp_path,
        [
            ("Excl", "2023/24", "Luton", "0.1", 821),
            ("Excl", "2023/24", "Cumbria", "0.3", 909),
            ("Excl", "2023/24", "London (Inner)", "0.3", 987),
            ("Excl", "2023/24", "England", "-", 970),
        ],
    )
    way = published("Excl", scale=100)
    made = values(tmp_path, indicator(way, period="academic_year", kind="event_rate", interval="byar", per=10000))
    assert row(made, LUTON, "2023/24")["value"] == pytest.approx(10)
    assert row(made, ENGLAND, "2023/24")["symbol"] == "x"
    assert made.of("EHC-05")["value"].count() == 1


def test_provisional_figures_are_marked_and_give_way_and_a_year_0_is_refused_and_told(tmp_path):
    lait(
        tmp_path,
        [
            ("KS", "2024 (prov)", "Luton", "1", 821),
            ("KS", "2024", "Luton", "2", 821),
            ("KS", "2025 (prov)", "Luton", "3", 821),
            ("KS", "2023 (Rev)", "Luton", "4", 821),
            ("KS", "0", "Luton", "5", 821),
        ],
    )
    made = values(tmp_path, indicator(published("KS"), period="academic_year"))
    luton = made.of("EHC-05", areas=[LUTON])
    assert luton["period"].tolist() == ["2022/23", "2023/24", "2024/25"]
    assert luton["value"].tolist() == [4, 2, 3]
    assert luton["provisional"].tolist() == [False, False, True]
    assert luton["note"].tolist() == ["Marked revised in the source.", "", "Marked provisional in the source."]
    assert made.absent["reason"].tolist() == ["Rows whose period cannot be read are left out: '0'."]


def test_the_first_period_after_a_break_is_marked(tmp_path):
    rows = [area(LUTON, "821", "Luton", 100, 90, 30, 27, period=str(y)) for y in (2021, 2022, 2024)]
    release(tmp_path, rows)
    breaks = [{"period": "2023", "why": "records of persons"}]
    made = values(tmp_path, indicator(in_time(), breaks=breaks)).of("EHC-05", areas=[LUTON])
    assert made["break_before"].tolist() == [False, False, True]


def test_a_rate_of_events_may_pass_its_denominator_and_has_poisson_limits(tmp_path):
    release(tmp_path, [area(LUTON, "821", "Luton", 10, 10, 5, 5)])
    made = row(values(tmp_path, indicator(in_time(), kind="event_rate", interval="byar")), LUTON)
    assert made[["lower", "value", "upper"]].tolist() == pytest.approx([16.2349, 50, 116.6833], abs=1e-3)


def test_counts_are_never_set_beside_each_other(tmp_path):
    release(tmp_path, FULL)
    count = indicator({"numerator": counts(FIGURES[0])}, kind="count", interval="none", unit="plans", id="EHC-06")
    made = values(tmp_path, indicator(in_time()), count)
    assert row(made, LUTON, of="EHC-06")["value"] == 100
    refuse_counts(indicator(in_time()))
    with pytest.raises(CodeListError, match="Counts of areas of different sizes"):
        refuse_counts(count)
    with pytest.raises(CodeListError, match="Counts of areas of different sizes"):
        made.comparable("POP-01")
    assert len(made.comparable("EHC-05", areas=[LUTON])) == 1


def test_a_rate_across_bases_is_refused_at_computation_too(tmp_path):
    release(tmp_path, FULL)
    here = Counts(source="ehc", table="timeliness_20_week", columns=(FIGURES[3],), basis="responsible_la")
    there = here.model_copy(update={"basis": "school_location"})
    crossed = indicator(in_time()).model_copy(
        update={"official": (Official.model_construct(group="all", numerator=here, denominator=there, published=None),)}
    )
    with pytest.raises(CodeListError, match="across two bases"):
        values(tmp_path, crossed)


def test_numerator_and_denominator_of_other_years_are_no_rate(tmp_path):
    release(tmp_path, FULL)
    lait(tmp_path, [("Plans", "2019", "Luton", "90", 821)])
    way = {
        "numerator": counts(FIGURES[3]),
        "denominator": {"source": "lait", "columns": ["value"], "where": {"measure": "Plans"}, "basis": "residence"},
    }
    made = values(tmp_path, indicator(way))
    assert made.frame.empty
    assert "no period in common" in made.absent["reason"].iloc[0]
    way["denominator"]["period"] = "2019"
    fixed = row(values(tmp_path, indicator(way)), LUTON)
    assert fixed["value"] == pytest.approx(30)
    assert "The denominator is of" in fixed["note"]
