"""Outcomes of Luton and others: known answers, and gaps worked out again from the files with the csv module."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import statistics
import zipfile

import pandas as pd
import pytest

from jsna.area import Area
from jsna.chapters import outcomes, outcomes_sections, outcomes_together, outcomes_words
from jsna.evidence.outcomes import assumed_counts, gap_figures
from jsna.evidence.scorecard import latest_figures
from jsna.evidence.trends import trends
from jsna.params import Params

LUTON, ENGLAND, EAST = "E06000032", "E92000001", "E12000006"
N25 = {"871", "874", "331", "313", "312", "856", "307", "333", "852", "301"}
Z = statistics.NormalDist().inv_cdf(0.975)
# Indicator, year, and the measures of LAIT: without SEN, on SEN support, with a plan.
PUBLISHED = [
    ("ATT-05", "2025", ("NoID_SEN_NEW_KS2_RWM", "NEW_KS2_RWM_Sen_W/Osta", "NEW_KS2_RWM_Sen_Withsta")),
    (
        "ATT-06",
        "2025",
        ("SEN_NoID_AVG_Attain8_Score", "SEN_WoStat_AVG_Attain8_Score", "SEN_Stat_AVG_Attain8_Score"),
    ),
    ("ATT-09", "2024", ("Age19_NoNSEN_L2EM", "Age19_SENwoS_L2EM", "Age19_SEN-S_L2EM")),
    ("ATT-10", "2024", ("Age19_NoNSEN_L3", "Age19_SENwoS_L3", "Age19_SEN-S_L3")),
    (
        "PFA-01",
        "2023",
        ("SusEdOverall_NoSEN_incSpec", "SusEdOverall_SEN_NoStat_incSpec", "SusEdOverall_SEN_Stat_incSpec"),
    ),
]
RANKED = "16-17YroldSEN_ET"


@pytest.fixture(scope="module")
def area(official_data):
    return Area(Params(source="official", data=str(official_data)))


@pytest.fixture(scope="module")
def lait(official_data):
    """LAIT as it lies: measure, year and DfE number (England by name) to the text of the value, for the measures that
    are looked at."""
    raw = pd.read_parquet(next(official_data.rglob("bds_long_0.parquet")))
    raw = raw[raw["Short Desc"].isin([RANKED, *(m for _, _, measures in PUBLISHED for m in measures)])]
    number = raw["LA Number"].map(lambda n: "" if pd.isna(n) else str(n)[:3])
    names = raw["LA and Regions"].where(raw["LA and Regions"].isin(["England", "Luton"]), number)
    return dict(zip(zip(raw["Short Desc"], raw["Years"], names, strict=True), raw["Values"], strict=True)) | dict(
        zip(zip(raw["Short Desc"], raw["Years"], number, strict=True), raw["Values"], strict=True)
    )


def read(folder, name):
    path = next(folder.rglob(f"{name}.csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def wilson(x, n):
    centre, half = x + Z**2 / 2, Z * math.sqrt(x * (n - x) / n + Z**2 / 4)
    return (centre - half) / (n + Z**2), (centre + half) / (n + Z**2)


def newcombe(x, n, y, m):
    """The difference of two shares in points, by Newcombe's tenth method, in plain Python."""
    (low_1, high_1), (low_2, high_2), gap = wilson(x, n), wilson(y, m), x / n - y / m
    below = math.hypot(x / n - low_1, high_2 - y / m)
    above = math.hypot(high_1 - x / n, y / m - low_2)
    return 100 * gap, 100 * (gap - below), 100 * (gap + above)


COUNTED = {
    "ATT-03": (
        "prepared_ks1_phonics",
        "characteristic",
        ("t_phonics_y1_met_expected_standard", "t_phonics_y1_eligible_pupils"),
        {"No SEN": "no_sen", "SEN support": "sen_support", "EHC plan or Statement": "ehc_plan"},
        "202223",
    ),
    "ATT-05": (
        "prepared_ks2_attainment",
        "characteristic",
        ("t_rwm_met_expected_standard", "t_rwm_eligible_pupils"),
        {"No SEN": "no_sen", "SEN support": "sen_support", "EHC plan": "ehc_plan"},
        "202223",
    ),
    "ATT-01": (
        "prepared_eyfsp",
        "characteristic_type",
        ("gld_number", "children_number"),
        {"No identified SEN": "no_sen", "SEN support": "sen_support", "EHC plan": "ehc_plan"},
        "202122",
    ),
}


@pytest.mark.parametrize("indicator", COUNTED)
@pytest.mark.parametrize("place", ["Luton", "England", "Kent", "Hartlepool"])
def test_gaps_from_counts_are_those_of_the_files(indicator, place, area, official_data):
    name, column, (numerator, denominator), groups, period = COUNTED[indicator]
    rows = [r for r in read(official_data, name) if r["time_period"] == period and r[column] in groups]
    of_place = "National" if place == "England" else "Local authority"
    own = [r for r in rows if r["geographic_level"] == of_place and place in ("England", r["la_name"])]
    counts = {groups[r[column]]: (r[numerator], r[denominator]) for r in own}
    if place == "England" and not counts:
        pytest.skip("the table has no row of England")
    frame = area.values.frame
    code = ENGLAND if place == "England" else frame.loc[frame["area_name"] == place, "area_code"].iloc[0]
    found = gap_figures(area.values, indicator, [_place(place, code)])
    found = found[found["year"] == int(f"20{period[4:]}")].set_index("group")
    for group in ("sen_support", "ehc_plan"):
        shown = group in counts and all(c.isdigit() for c in (*counts["no_sen"], *counts[group]))
        if not shown or int(counts[group][1]) < 10:  # hidden, or too few for a rate
            assert group not in found.index or math.isnan(found.loc[group, "lower"])
            continue
        wanted = newcombe(*map(int, counts["no_sen"]), *map(int, counts[group]))
        assert found.loc[group, ["gap", "lower", "upper"]].tolist() == pytest.approx(wanted, abs=1e-9)


def _place(name, code):
    from jsna.evidence.outcomes import Place

    return Place(name, (code,))


def test_the_gap_at_age_11_in_2022_23_by_hand(area):
    # 1,823 of 2,602 pupils without SEN and 103 of 495 on SEN support: 70.06 − 20.81.
    found = gap_figures(area.values, "ATT-05", outcomes.where(area)).set_index(["place", "group", "period"])
    row = found.loc[("Luton", "sen_support", "2022/23")]
    assert row["gap"] == pytest.approx(49.25, abs=0.01)
    assert row["lower"] < 45.2 < 53.0 < row["upper"] + 0.1


@pytest.mark.parametrize(("indicator", "year", "measures"), PUBLISHED)
def test_published_gaps_and_the_neighbours_median_are_those_of_lait(indicator, year, measures, area, lait):
    found = gap_figures(area.values, indicator, outcomes.where(area))
    found = found[found["year"] == int(year)].set_index(["place", "group"])
    assert found["lower"].isna().all()
    for group, measure in zip(("sen_support", "ehc_plan"), measures[1:], strict=True):
        for place in ("Luton", "England"):
            none, own = (float(lait[m, year, place]) for m in (measures[0], measure))
            assert found.loc[(place, group), "gap"] == pytest.approx(none - own, abs=1e-9)
        pairs = [(lait[measures[0], year, n], lait[measure, year, n]) for n in N25]
        near = [float(a) - float(b) for a, b in pairs if "-" not in (a, b)]
        row = found.loc[("Neighbours’ median, May 2025", group)]
        assert row["gap"] == pytest.approx(statistics.median(near), abs=1e-9)
        assert row["areas"] == len(near)


KNOWN = {
    "ATT-01": ("19.9% of children on SEN support", "0.7% of those with an EHC plan", "in England 26.4% and 4.0%."),
    "ATT-05": ("35% of pupils on SEN support", "10% of those with an EHC plan", "in England 29% and 9%."),
    "ATT-06": ("32.5 for pupils on SEN support", "10.1 for those with an EHC plan", "in England 33.8 and 14.8."),
    "ATD-01": ("pupils on SEN support missed 8.7%", "missed 11.2%", "in England 10.1% and 12.4%."),
    "SOC-01": ("21.2% were on SEN support", "27.1% had an EHC plan", "in England 21.9% and 31.4%."),
    "SOC-02": ("27.4% were on SEN support", "31.1% had an EHC plan", "in England 27.3% and 33.9%."),
}


@pytest.mark.parametrize("indicator", KNOWN)
def test_the_sentences_have_the_known_answers(indicator, area):
    said = outcomes.statement(area, indicator).title
    for part in KNOWN[indicator]:
        assert part in said


def test_the_fall_at_age_five_is_not_called_a_collapse(area):
    said = " ".join(outcomes.statement(area, "ATT-01").notes)
    assert "SEN support: 30.7% in 2023/24, 19.9% in 2024/25" in said
    assert "whether a change is more than chance cannot be told" in said
    assert "(360 in 2021/22)" in said
    assert "fewer than 5 of 83" in said
    assert "1 of 83" not in said


@pytest.mark.parametrize(
    ("indicator", "group", "said", "england"),
    [
        ("ATD-04", "all", "there were 6.1 suspensions for every 100 pupils", "England 11.3."),
        ("ATD-03", "all", "1.5% of pupils in Luton were severely absent", "England 2.4%."),
        ("ATD-02", "special_schools", "36.3% of pupils", "England 35.3%."),
        ("ATD-05", "all", "3.4% of pupils in Luton were suspended at least once", "England 4.0%."),
        ("ATD-06", "all", "there were 10.1 permanent exclusions for every 10,000 pupils", "England 12.9."),
        ("PFA-03", "all", "94.2% of young people aged 16 and 17 with SEN", "England 87.1%."),
    ],
)
def test_figures_of_all_pupils_have_the_known_answers(indicator, group, said, england, area):
    shown = outcomes_together.statement(area, indicator, group)
    assert said in shown.title
    assert shown.title.endswith(england)
    assert shown.notes[0].startswith("Published without numbers of children")


@pytest.mark.parametrize("group", ["sen_support", "ehc_plan"])
def test_a_trend_is_that_of_the_scorecard(group, area):
    chosen = pd.DataFrame({"indicator": ["SOC-02", "ATT-05"], "group": group})
    frame = area.values.frame
    shown = latest_figures(frame[frame["area_code"] == LUTON], chosen).set_index("indicator")
    for indicator, row in shown.iterrows():
        found = trends(area.values, str(indicator), group, area).result
        assert found[["verdict", "points", "test"]].tolist() == row[["verdict", "points", "test"]].tolist()


def test_participation_ranks_15th_and_the_rank_cannot_tell_of_the_best_five(area, lait):
    shown = outcomes_together.rank_finding(area, "PFA-03")
    # Of single authorities alone: with England's row, as in the evidence, there are 152.
    values = [float(v) for (m, y, n), v in lait.items() if (m, y) == (RANKED, "2024") and _figure(n, v)]
    better = sum(v > float(lait[RANKED, "2024", "Luton"]) for v in values)
    assert f"ranked {better + 1} of {len(values)} authorities" in shown.title
    assert better == 14
    said = " ".join(shown.notes)
    assert "263 in Luton" in said
    assert "a rank cannot tell whether Luton is truly among the best 5" in said


def _figure(number, value):
    return number.isdigit() and 200 < int(number) < 970 and value != "-"  # from 970: England and the regions


def test_the_assumed_numbers_are_the_plans_at_16_and_17(area, official_data):
    archive = next(official_data.rglob("education-health-and-care-plans_2025.zip"))
    with zipfile.ZipFile(archive) as opened:
        name = next(n for n in opened.namelist() if n.endswith("caseload.csv"))
        rows = csv.DictReader(io.StringIO(opened.read(name).decode("utf-8-sig")))
        ages = [
            int(r["ehcplans"])
            for r in rows
            if r["new_la_code"] == LUTON
            and r["time_period"] == "202324"
            and r["breakdown_topic"] == "Child or young persons age"
            and r["breakdown"] in ("age 16", "age 17")
        ]
    found = assumed_counts(area.official.ehc("caseload").frame, 2024, ("16", "17"))
    assert found[LUTON] == sum(ages) == 263
    assert {"E09000012", "E06000031"} <= set(found.index)  # Hackney and Peterborough returned totals alone


def test_young_people_with_a_plan_by_hand(area):
    # January 2025: 62 + 4 + 2 of the plans at ages 16 to 25, 20 on a supported internship; 20 of 159 plans that ended.
    for indicator, counts in (("PFA-04", "68 of 552"), ("PFA-05", "20 of 552"), ("PFA-06", "20 of 159")):
        assert outcomes_together.statement(area, indicator).notes[0].startswith(f"{counts}; between")


def test_every_section_is_whole_and_no_name_stands_twice(area):
    shown = [e for name in outcomes_words.texts()["sections"] for e in outcomes_sections.section(area, name).items]
    names = [e.id for e in shown]
    assert len(set(names)) == len(names)
    charts = [e for e in shown if e.kind == "chart"]
    assert len(charts) > 20
    for chart in charts:
        assert len(chart.alt) > 60
        assert "nan" not in chart.alt.casefold().replace("finance", "")
        assert chart.source
        assert chart.table_csv.count("\n") > 1
        assert all(cell.strip('"') for line in csv.reader(io.StringIO(chart.table_csv)) for cell in line)
    assert [e for e in shown if e.kind == "notice"] == [shown[[e.kind for e in shown].index("notice")]]


def elsewhere(code, official_data, area):
    """Another area on the same files, read once."""
    other = Area(Params(source="official", data=str(official_data), areas=[code]))
    other.__dict__.update(values=area.values, official=area.official)
    return other


@pytest.mark.parametrize("code", ["E06000053", "E09000001", "E10000016"])
def test_every_statement_can_be_made_for_very_small_and_very_large_areas(code, official_data, area):
    other = elsewhere(code, official_data, area)
    said = outcomes_words.texts()
    made = [outcomes.statement(other, i) for i in said["by_status"]]
    made += [outcomes_together.statement(other, i) for i in said["together"]]
    made.append(outcomes_together.rank_finding(other, "PFA-03"))
    for shown in made:
        words = " ".join([shown.title, *shown.notes])
        assert not re.search(r"\bnan\b|\bNone\b|  |\{|\}", words), words
        assert shown.kind == "notice" or shown.title.endswith(".")


def test_the_charts_of_an_area_with_hardly_any_figures(official_data, area):
    other = elsewhere("E06000053", official_data, area)
    kinds = [e.kind for name in ("learning", "exclusion") for e in outcomes_sections.section(other, name).items]
    assert set(kinds) <= {"heading", "finding", "chart", "table", "notice"}
