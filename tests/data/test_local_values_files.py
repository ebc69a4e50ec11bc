"""Values of a local area out of its files, against counts of the same files by the csv module alone."""

import csv
import gzip
from datetime import date

import pytest
from local_records import CASES, SCHOOL, alone

from jsna.area import Area
from jsna.evidence.local_values import local_values, values_of
from jsna.evidence.local_values.brought import brought
from jsna.evidence.local_values.counts import of_cases
from jsna.params import Params
from jsna.synthetic.files import write_files

SCALE = 0.1
LISTS = ("ehc_cases", "annual_reviews", "exclusions", "absence", "short_breaks", "survey")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("values")
    for form in ("census_flat", "sen2_xml", "postcodes", "schools", *LISTS):
        write_files(made / form, form, scale=SCALE)
    return made


@pytest.fixture(scope="module")
def areas(folder):
    named = {
        "pupils": str(folder / "census_flat"),
        "extracts": [str(folder / form) for form in LISTS],
        "key_file": str(folder / "ehc_cases" / "training.key"),
        "postcodes": str(next((folder / "postcodes").glob("*.csv"))),
        "schools": str(next((folder / "schools").glob("*.csv"))),
    }
    return {
        "lists": Area(Params(source="local", **named)),
        "returns": Area(Params(source="local", sen2=str(folder / "sen2_xml"), **named)),
    }


@pytest.fixture(scope="module")
def values(areas):
    return {name: local_values(area) for name, area in areas.items()}


def rows_of(folder, form, name="*"):
    path = next((folder / form).glob(f"{name}.csv"))
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def day(text):
    return date.fromisoformat(text)


def figures(values, indicator, period, group="all"):
    rows = values.of(indicator, group)
    row = rows[rows["period"] == period].iloc[0]
    return (row["numerator"], row["denominator"])


def test_pupils_of_the_flat_census(folder, values):
    rows = rows_of(folder, "census_flat", "*2026*")
    plans = sum(r["SENprovision"] == "E" for r in rows)
    support = sum(r["SENprovision"] == "K" for r in rows)
    found = values["lists"]
    assert figures(found, "IDN-01", "January 2026") == (support, len(rows))
    assert figures(found, "IDN-02", "January 2026") == (plans, len(rows))
    assert figures(found, "IDN-03", "January 2026") == (support + plans, len(rows))


def test_plans_in_20_weeks_of_the_case_list(folder, values):
    issued = [r for r in rows_of(folder, "ehc_cases", "ehc_cases") if r["plan_issued_date"].startswith("2024")]
    plain = [r for r in issued if r["exception_applies"] == "0"]
    soon = [r for r in plain if (day(r["plan_issued_date"]) - day(r["request_received_date"])).days <= 140]
    assert len(issued) > len(plain) > len(soon) > 4
    assert figures(values["lists"], "EHC-05", "2024") == (len(soon), len(plain))


def test_requests_of_the_case_list(folder, values):
    asked = [r for r in rows_of(folder, "ehc_cases", "ehc_cases") if r["request_received_date"].startswith("2024")]
    decided = [r for r in asked if r["request_outcome"] in ("Y", "N", "H")]
    days = [(day(r["request_outcome_date"]) - day(r["request_received_date"])).days for r in decided]
    assert 0 < len(asked) - len(decided) < 5
    assert figures(values["lists"], "EHC-03", "2024") == (sum(d <= 42 for d in days), len(decided))
    # So few are undecided that not both numbers can be shown.
    rows = values["lists"].of("EHC-02")
    assert rows.loc[rows["period"] == "2024", "symbol"].tolist() == ["c"]


def test_absence_and_exclusions_with_the_census_of_that_year(folder, values):
    absent = rows_of(folder, "absence", "absence")
    missed = [int(r["sessions_authorised"]) + int(r["sessions_unauthorised"]) for r in absent]
    possible = [int(r["sessions_possible"]) for r in absent]
    persistent = sum(10 * m >= p for m, p in zip(missed, possible, strict=True))
    suspended = sum(r["category"] == "SUSP" for r in rows_of(folder, "exclusions", "exclusions"))
    on_roll = len(rows_of(folder, "census_flat", "*2025*"))
    found = values["lists"]
    assert figures(found, "ATD-01", "2024/25") == (sum(missed), sum(possible))
    assert figures(found, "ATD-02", "2024/25") == (persistent, len(absent))
    assert figures(found, "ATD-04", "2024/25") == (suspended, on_roll)


def test_the_survey_by_its_questions(folder, values):
    answers = [r for r in rows_of(folder, "survey", "survey_responses") if r["question_id"] == "listened_to"]
    known = [r["response_code"] for r in answers if r["response_code"] != "9"]
    assert figures(values["lists"], "VOI-01", "October 2025") == (sum(c in "45" for c in known), len(known))


def requests_of(area):
    counts = brought(area).counts.unseal("a test on invented files")
    return counts[(counts["brings"] == "cases") & (counts["count"] == "requests")].set_index("period")["number"]


def test_returns_tell_what_the_list_tells(areas, values):
    """Both were drawn from the same cases: requests of a year are the same number in either."""
    lists, returns = values["lists"], values["returns"]
    asked = {name: requests_of(area) for name, area in areas.items()}
    for period in ("2024", "2025"):
        assert asked["lists"][period] == pytest.approx(asked["returns"][period], abs=1)
    assert returns.of("IDN-04", "need_asd")["period"].tolist()[-1] == "January 2026"
    assert lists.of("IDN-04", "need_asd").empty
    assert "Bring each period once." in returns.absent["mend"].tolist()


def test_every_figure_is_of_synthetic_records_and_says_so(values):
    for found in values.values():
        assert found.frame["source"].str.contains("synthetic").all()
        assert (found.frame["file"] != "").all()
        shown = found.frame[found.frame["symbol"] == ""]
        assert shown["value"].notna().all()
        assert (shown["numerator"] >= 5).all()
        assert (
            found.frame.loc[found.frame["symbol"] == "c", ["value", "numerator", "denominator"]].isna().all(axis=None)
        )


def test_requests_over_the_residents_of_the_official_file_name_both_dates(official_data):
    path = next(official_data.rglob("population20_ltla21.csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        luton = next(r for r in csv.DictReader(stream) if "E06000032" in r.values())
    residents = sum(int(float(luton[str(age)])) for age in range(26))
    area = alone(Params(source="local", data=str(official_data)))
    area.__dict__["pupils"] = SCHOOL
    found = values_of(of_cases(CASES, [2024]), area)
    row = found.of("EHC-01").iloc[0]
    assert (row["numerator"], row["denominator"]) == (117, residents)
    assert row["value"] == pytest.approx(10_000 * 117 / residents)
    assert row["note"] == "2024, over residents of mid-2020."
