"""The EHC plan release of 2025, plans issued in 2024: within authorities, the national differences are nearly gone."""

from __future__ import annotations

import zipfile

import pandas as pd
import pytest

from jsna.disproportionality import stratified
from jsna.measures import proportion, risk_ratio

RELEASE = "ees/education-health-and-care-plans/education-health-and-care-plans_2025.zip"
COLUMNS = {
    "included": ("plans_issued_within_20_weeks", "plans_issued_den"),
    "excluded": ("plans_issued_20_weeks_ex", "plans_issued_den_ex"),
}
WHITE_BRITISH = "White - White British"


@pytest.fixture(scope="module")
def plans(official_data) -> pd.DataFrame:
    path = official_data / RELEASE
    if not path.is_file():
        pytest.skip(f"no {RELEASE} among the official files")
    with zipfile.ZipFile(path) as release, release.open("data/timeliness_20_week.csv") as stream:
        frame = pd.read_csv(stream, dtype="str")
    frame = frame[(frame["time_period"] == "2024") & (frame["breakdown_topic"] == "Ethnicity")]
    columns = [c for pair in COLUMNS.values() for c in pair]
    return frame.assign(**{c: pd.to_numeric(frame[c], errors="coerce") for c in columns})


CASES = [
    pytest.param("included", "Asian - Pakistani", 1.21, 1.016, 0.982, 1.051, 124, id="Pakistani"),
    pytest.param("included", "Black - Black Caribbean", 1.29, 0.991, 0.939, 1.047, 110, id="Black Caribbean"),
    pytest.param("included", "Black - Black African", 1.27, 1.043, 1.013, 1.073, 149, id="Black African"),
    pytest.param("excluded", "Asian - Pakistani", 1.23, 1.035, 1.001, 1.070, 122, id="Pakistani-excluded"),
    pytest.param("excluded", "Black - Black Caribbean", 1.32, 0.992, 0.940, 1.047, 105, id="Black Caribbean-excluded"),
    pytest.param("excluded", "Black - Black African", 1.29, 1.039, 1.010, 1.070, 146, id="Black African-excluded"),
]


@pytest.mark.parametrize(("exceptions", "group", "crude", "ratio", "lower", "upper", "areas"), CASES)
def test_within_authorities(plans, exceptions, group, crude, ratio, lower, upper, areas):
    count, total = COLUMNS[exceptions]
    rows = plans[plans["geographic_level"] == "Local authority"]
    table = stratified(
        rows, group="breakdown", reference=WHITE_BRITISH, count=count, total=total, by="new_la_code"
    ).table
    answer = table[(table["group"] == group) & (table["comparator"] == WHITE_BRITISH)].iloc[0]
    assert [round(answer[c], 3) for c in ("risk_ratio", "lower", "upper")] == [ratio, lower, upper]
    assert answer["strata"] == areas
    national = plans[plans["geographic_level"] == "National"].set_index("breakdown")
    of_group, of_reference = national.loc[group], national.loc[WHITE_BRITISH]
    plain = risk_ratio([of_group[count]], [of_group[total]], [of_reference[count]], [of_reference[total]])
    assert round(plain["estimate"].item(), 2) == crude


def test_luton_pakistani_beside_white_british(plans):
    luton = plans[plans["new_la_code"] == "E06000032"].set_index("breakdown")
    pakistani, british = luton.loc["Asian - Pakistani"], luton.loc[WHITE_BRITISH]
    count, total = COLUMNS["included"]
    figures = [pakistani[count], pakistani[total], british[count], british[total]]
    assert figures == [20, 89, 35, 88]
    row = risk_ratio(*([f] for f in figures), method="katz").iloc[0]
    assert [round(row[c], 2) for c in ("estimate", "lower", "upper")] == [0.57, 0.36, 0.90]
    assert (100 * proportion(figures[:1], figures[1:2])["estimate"]).round(1).tolist() == [22.5]
