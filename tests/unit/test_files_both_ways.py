"""What the synthetic writers write, the readers read back equal: two hands that worked from one specification."""

from collections import Counter
from functools import cache

import pandas as pd
import pytest

from geo.places import embedded_lsoas
from geo.postcodes import read_postcodes
from jsna.sources.annex_a import read_annex_a
from jsna.sources.extracts.reader import read_extract
from jsna.sources.homes import Homes
from jsna.sources.pupil_table import Context
from jsna.sources.pupils import read_pupils
from jsna.sources.schools import read_schools
from jsna.sources.sen2.read import read_sen2
from jsna.synthetic import synthesise
from jsna.synthetic.files import FORMS, TRAINING_KEY, write_files
from jsna.synthetic.files.extracts import EXTRACTS

SEED, SCALE = 8, 0.04
CENSUSES = {"202324": "2024-01-18", "202425": "2025-01-16", "202526": "2026-01-15"}
PUPIL = (
    "census_date time_period la_code school_phase lsoa21 ward_code year_group age sex ethnicity first_language "
    "language_group fsm_eligible idaci_rank idaci_decile idaci_edition sen_provision primary_need secondary_need "
    "in_unit enrolment_status"
)
# What a carrier has no room for.
LACKING = {
    "sen2_presubmission": {"sen2"},
    "sen2_modules": {"sen2", "plandetail", "placementdetail", "activeplans", "senneed", "requests"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("ways")
    for form in FORMS:
        write_files(place / form, form, seed=SEED, scale=SCALE)
    return place


@pytest.fixture(scope="module")
def context(folder):
    names = {"idaci_2025_rank": "idaci_rank", "idaci_2025_decile": "idaci_decile"}
    lsoas = embedded_lsoas().rename(columns=names).assign(idaci_edition="2025")
    columns = ["lsoa21", "ward_code", "idaci_rank", "idaci_decile", "idaci_edition"]
    directory = read_postcodes(folder / "postcodes" / "nspl_synthetic.csv").frame
    schools = read_schools(folder / "schools" / "schools_synthetic.csv").frame
    return Context("E06000032", TRAINING_KEY, Homes(lsoas=lsoas[columns], directory=directory), schools)


def counted(frame, columns):
    return Counter(
        map(tuple, frame[columns].astype("object").where(frame[columns].notna(), "").astype("str").to_numpy())
    )


@pytest.mark.parametrize("period", CENSUSES)
@pytest.mark.parametrize("form", [f for f in FORMS if f.startswith(("census", "npd"))])
def test_a_census_is_read_back_as_the_pupils_it_was_written_from(folder, context, form, period):
    year = f"spr{period[4:]}" if form == "npd" else f"20{period[4:]}"
    paths = [p for p in sorted((folder / form).iterdir()) if year in p.name]
    table = read_pupils(paths, context, census_date=CENSUSES[period] if "flat" in form else "")
    pupils = synthesise(SEED, SCALE).pupils
    found = table.loaded.frame
    assert counted(found, PUPIL.split()) == counted(pupils[pupils["time_period"] == period], PUPIL.split())
    assert found["pupil_id"].nunique() == len(found)
    assert table.loaded.summary.rows_refused == 0


def sen2(folder, form, year):
    names = {
        "sen2_xml": f"sen2_{year}.xml",
        "sen2_template": f"sen2_{year}_template.xlsx",
        "sen2_presubmission": f"sen2_{year}_presubmission.xlsx",
    }
    return read_sen2(folder / form / names.get(form, str(year)), TRAINING_KEY, year=year, la="821")


@pytest.fixture(scope="module")
def xml(folder):
    """The return of a year as its XML has it, read once."""
    return cache(lambda year: sen2(folder, "sen2_xml", year))


@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026])
@pytest.mark.parametrize("form", [f for f in FORMS if f.startswith("sen2") and f != "sen2_xml"])
def test_every_carrier_of_a_return_is_read_back_as_its_xml(folder, xml, form, year):
    first, second = xml(year), sen2(folder, form, year)
    assert set(first.findings["number"]) <= {"2a"}
    for name, frame in second.frames.items():
        assert second.tables[name].summary.rows_refused == 0
        if name not in LACKING.get(form, ()):
            other = first.frames[name]
            kept = [c for c in other if c not in ("row", "date_time") and not c.endswith("_key")]
            assert counted(frame, kept) == counted(other, kept), name


@pytest.mark.parametrize("form", EXTRACTS)
def test_no_row_of_an_extract_is_refused_and_nothing_is_found(folder, form):
    for path in sorted((folder / form).glob("*.csv")):
        extract = read_extract(path)
        assert extract.loaded.summary.rows_refused == 0
        assert len(extract.findings) == 0, path.name


def test_persons_of_all_sources_join(folder, context, xml):
    paths = sorted((folder / "census_blade").iterdir())[-1:]
    pupils = set(read_pupils(paths, context).loaded.frame.query("sen_provision == 'E'")["pupil_id"])
    plans = sen2(folder, "sen2_blade", 2026).frames["activeplans"]
    assert pupils <= set(plans["person_id"])
    reviews = read_extract(folder / "annual_reviews" / "annual_reviews.csv").loaded.frame
    known = set(xml(2026).frames["person"]["person_id"])
    assert len(set(reviews["person_id"]) - known) <= 0.1 * len(reviews)


def test_the_inspection_lists_are_read_without_a_finding(folder):
    read = read_annex_a(folder / "annex_a" / "annex_a_send.xlsx", TRAINING_KEY, as_of=pd.Timestamp("2026-01-31"))
    assert len(read.findings) == 0
    assert len(read.list_1.frame) > 0
    assert len(read.list_2.frame) > 0
