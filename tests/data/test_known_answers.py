"""Figures that are published, or follow from published counts, must come out of the readers and the measures."""

import pytest

from jsna.area import Area
from jsna.disproportionality import stratified
from jsna.evidence import ehc
from jsna.params import Params
from jsna.sources.folder import OfficialFolder

LUTON, ENGLAND = "E06000032", "E92000001"
TIMELY = ehc.TIMELINESS["without_exceptions"]


@pytest.fixture(scope="module")
def folder(official_data):
    return OfficialFolder(official_data)


@pytest.fixture(scope="module")
def area(official_data):
    return Area(Params(source="official", data=str(official_data)))


def total(table, measure, period, code=LUTON):
    return ehc.of_area(table, code, "Total", period)[measure].item()


def _in_time(folder, topic):
    table = folder.ehc("timeliness_20_week").frame
    return ehc.by_area_and_group(table, topic, "2024", "in_20_weeks", *ehc.TIMELINESS["with_exceptions"])


def test_luton_has_2723_plans_and_every_breakdown_adds_up_to_them(folder):
    table = folder.ehc("caseload").frame
    own = table[(table["area_code"] == LUTON) & (table["time_period"] == "202425")]
    assert set(own.groupby("breakdown_topic")["ehcplans"].sum()) == {2723}
    assert own["breakdown_topic"].nunique() == 6


def test_153_authorities_returned_in_2025_and_buckinghamshire_has_one_code(folder):
    table = folder.ehc("caseload").frame
    areas = table[table["geographic_level"] == "Local authority"]
    assert areas.loc[areas["time_period"] == "202425", "area_code"].nunique() == 153
    assert "E10000002" not in set(areas["area_code"])


def test_every_row_of_every_source_is_kept_or_reported(folder):
    for loaded in folder.read_all():
        assert loaded.summary.rows_read == len(loaded.frame) + loaded.summary.rows_refused
        assert len(loaded.frame) > 0


def test_twenty_weeks_with_exceptions_left_out(folder):
    rows = ehc.rate_by_area(folder.ehc("timeliness_20_week").frame, [LUTON, ENGLAND], "2024", *TIMELY)
    assert rows["percent"].round(1).tolist() == [27.1, 46.4]
    assert rows.loc[0, ["numerator", "denominator"]].tolist() == [96, 354]


def test_pakistani_and_white_british_in_time_in_luton(folder):
    from jsna.measures import risk_ratio

    rows = _in_time(folder, "Ethnicity").query("area_code == @LUTON").set_index("group")[["in_20_weeks", "total"]]
    assert rows.loc["APKN"].tolist() == [20, 89]
    assert rows.loc["WBRI"].tolist() == [35, 88]
    four = [[20], [89], [35], [88]]
    katz = risk_ratio(*four, method="katz").iloc[0]
    assert [round(katz[c], 2) for c in ("estimate", "lower", "upper")] == [0.57, 0.36, 0.90]


@pytest.mark.parametrize(
    ("group", "crude", "ratio", "lower", "upper", "areas"),
    [
        ("APKN", 1.21, 1.016, 0.982, 1.051, 124),
        ("BCRB", 1.29, 0.991, 0.939, 1.047, 110),
        ("BAFR", 1.27, 1.043, 1.013, 1.073, 149),
    ],
    ids=["Pakistani", "Black Caribbean", "Black African"],
)
def test_england_crude_and_within_areas(folder, group, crude, ratio, lower, upper, areas):
    rows = _in_time(folder, "Ethnicity")
    table = stratified(rows, group="group", reference="WBRI", count="in_20_weeks", total="total", by="area_code").table
    result = table[(table["group"] == group) & (table["comparator"] == "WBRI")].iloc[0]
    assert round(result["crude_risk_ratio"], 2) == crude
    assert [round(result[c], 3) for c in ("risk_ratio", "lower", "upper")] == [ratio, lower, upper]
    assert result["strata"] == areas


def test_refusals_and_what_each_neighbour_set_makes_of_them(area):
    from jsna.chapters.ehc_official import REFUSED, _beside, _medians

    shown, period = _beside(area, *REFUSED)
    row = shown.frame.set_index("area_code").loc[LUTON]
    assert (period, row["numerator"], row["denominator"]) == ("2024", 108, 578)
    assert {name: round(value, 1) for name, value in _medians(area, shown).items()} == {
        "May 2025": 18.0,
        "April 2021": 30.7,
    }


def test_neighbours_of_luton_in_both_sets(folder):
    sets = folder.neighbours_of(LUTON).groupby("set")["neighbour_name"].agg(list)
    assert sets["May 2025"][:3] == ["Slough", "Peterborough", "Coventry"]
    assert sets["April 2021"][:3] == ["Birmingham", "Slough", "Sandwell"]
    assert sets.map(len).tolist() == [10, 10]


@pytest.mark.parametrize(
    ("measure", "period", "value"),
    [
        ("SEN_TotStat", "2025", 5.2),
        ("SEN_TotSENSuP", "2025", 13.7),
        ("EALPri", "2025", 53.0),
        ("SEN_TotStat", "2016", 2.5),
    ],
)
def test_lait_values_of_luton(folder, measure, period, value):
    frame = folder.lait().frame
    row = frame[(frame["measure"] == measure) & (frame["period"] == period) & (frame["area_code"] == LUTON)]
    assert row["value"].item() == value


def test_pupils_by_ethnic_group_add_up(folder):
    frame = folder.pupils().frame
    rows = frame[
        (frame["area_code"] == LUTON)
        & (frame["time_period"] == "202122")
        & (frame["phase_type_grouping"] == "Total")
        & (frame["language"] == "Total")
        & (frame["ethnicity"] != "Total")
    ]
    assert rows["headcount"].sum() == 40451
    assert len(rows) == 19


def test_luton_small_areas_by_decile(folder):
    own = folder.lsoa_ward().frame.query("district_code == @LUTON")
    deciles = own.merge(folder.idaci().frame, on="lsoa")["decile"].value_counts().reindex(range(1, 11), fill_value=0)
    assert deciles.tolist() == [31, 32, 20, 15, 10, 8, 5, 3, 1, 0]


def test_symbols_are_never_zero(folder):
    table = folder.ehc("requests").frame
    old = table[(table["area_code"] == LUTON) & (table["time_period"] == "2019")]
    assert old["requests_decided_to_assess"].isna().all()
    assert set(old["requests_decided_to_assess_symbol"]) == {"x"}
    assert old["requests_decided_not_to_assess"].tolist() == [0]


@pytest.mark.parametrize(
    ("measure", "period", "luton", "england"),
    [
        ("FSP_Gooddev_Without_SENSTATE", "2025", 19.9, 26.4),
        ("FSP_Gooddev_With_SENSTATE", "2025", 0.7, 4.0),
        ("SEN_Stat_AVG_Attain8_Score", "2025", 10.1, 14.8),
        ("NEW_KS2_RWM_Sen_W/Osta", "2025", 35, 29),
        ("SEN_AppealableDec", "2024", 1.0, 3.2),
        ("TotFixedEx", "2023/24", 6.1, 11.3),
    ],
)
def test_outcomes_of_luton_beside_england(folder, measure, period, luton, england):
    frame = folder.lait().frame
    rows = frame[(frame["measure"] == measure) & (frame["period"] == period)].set_index("area_code")["value"]
    assert [round(float(rows[code]), 1) for code in (LUTON, ENGLAND)] == [luton, england]


def test_girls_and_boys_in_time_in_luton(folder):
    from jsna.measures import risk_ratio

    rows = _in_time(folder, "Sex").query("area_code == @LUTON").set_index("group")[["in_20_weeks", "total"]]
    assert rows.loc["Female"].tolist() == [29, 128]
    assert rows.loc["Male"].tolist() == [82, 249]
    katz = risk_ratio([29], [128], [82], [249], method="katz").iloc[0]
    assert [round(katz[c], 2) for c in ("estimate", "lower", "upper")] == [0.69, 0.48, 0.99]


def test_refusals_of_pakistani_requests_within_areas(folder):
    table = folder.ehc("requests").frame
    rows = table[
        (table["geographic_level"] == "Local authority")
        & (table["breakdown_topic"] == "Ethnicity")
        & (table["time_period"] == "2024")
    ]
    table = stratified(
        rows,
        group="breakdown",
        reference="WBRI",
        count="requests_decided_not_to_assess",
        total="requests_received_in_year",
        by="area_code",
    ).table
    result = table[(table["group"] == "APKN") & (table["comparator"] == "WBRI")].iloc[0]
    assert [round(result[c], 2) for c in ("risk_ratio", "lower", "upper")] == [0.63, 0.59, 0.68]
