"""Every table of the EHC plan release has one total an area and year, and its breakdowns stand apart from it."""

import pytest

from jsna.sources.ehc_release import _spec
from jsna.sources.folder import OfficialFolder

LUTON = "E06000032"
KEYS = ["time_period", "geographic_level", "area_code", "breakdown_topic", "breakdown"]
# Luton's figure in the latest period, read off the row of all in the published CSV.
LUTON_TOTAL = {
    "caseload": ("ehcplans", 2723),
    "requests": ("requests_received_in_year", 578),
    "timeliness_20_week": ("plans_issued_den", 377),
    "sen_needs_all_plans": ("ehc_plans", 2723),
    "newplans": ("new_ehc_plans", 363),
    "assessments": ("assess_issued", 406),
    "annual_reviews": ("review_expected", 2269),
    "sen_need_newplans": ("ehc_plans", 363),
    "personal_budgets": ("personal_budget", 8),
    "residential_settings": ("Res_3851", 4),
    "work_based_placements": ("open_supp_intern", 20),
    "ceased_plans": ("total_ceased", 238),
}


@pytest.fixture(scope="module")
def folder(official_data):
    return OfficialFolder(official_data)


def test_the_cases_cover_the_release():
    assert set(LUTON_TOTAL) == set(_spec()["tables"])


@pytest.mark.parametrize(
    ("table", "measure", "value"), [(t, *v) for t, v in LUTON_TOTAL.items()], ids=list(LUTON_TOTAL)
)
def test_one_total_an_area_and_a_row_a_group(folder, table, measure, value):
    frame = folder.ehc(table).frame
    assert frame[frame.duplicated(KEYS, keep=False)].empty
    own = frame[(frame["area_code"] == LUTON) & (frame["breakdown_topic"] == "Total")]
    assert own[own["time_period"] == own["time_period"].max()][measure].tolist() == [value]
