"""Every defect that the synthetic files can plant in a local extract is caught by a named check; sound ones are not."""

import pytest

from jsna.errors import SourceError
from jsna.sources.extracts import kinds, read_extract
from jsna.synthetic.files import write_files

CAUGHT = {
    ("ehc_cases", "closed_cases_missing"): "first ends come late",
    ("ehc_cases", "case_opened_again"): "same person again",
    ("ehc_cases", "request_date_of_panel"): "request date is the panel date",
    ("ehc_cases", "working_days_for_dates"): "a number of days stands where a date belongs",
    ("ehc_cases", "issued_means_draft"): "issued means draft",
    ("ehc_cases", "names_in_case_id"): "this looks like a name",
    ("ehc_cases", "dates_for_blanks"): "a filler (1900, 2099)",
    ("disputes", "dispute_without_decision"): "decision_letter_date: blank",
    ("exclusions", "lists_stacked"): "the heading row stands here again",
    ("exclusions", "totals_row"): "a row of totals",
    ("ld_health_checks", "rows_hidden"): "hidden rows",
}


def extract_of(folder, form, *defects):
    paths = write_files(folder, form, scale=0.1, defects=defects)
    return next(path for path in paths if path.stem == form)


@pytest.mark.parametrize(("form", "defect"), CAUGHT, ids=[defect for _, defect in CAUGHT])
def test_a_planted_defect_is_caught_by_name(tmp_path, form, defect):
    found = read_extract(extract_of(tmp_path, form, defect)).findings
    assert found["rule"].str.contains(CAUGHT[form, defect], regex=False).any(), found.to_string()


def test_planted_percentages_are_refused(tmp_path):
    with pytest.raises(SourceError, match="percentage without the sessions"):
        read_extract(extract_of(tmp_path, "absence", "absence_in_percent"))


@pytest.mark.parametrize(
    "form", [k for k in kinds() if not k.startswith(("survey_", "plan_audits")) and not k.endswith("aggregate")]
)
def test_a_sound_synthetic_extract_loses_no_row(tmp_path, form):
    extract = read_extract(extract_of(tmp_path, form))
    assert extract.kind == form
    assert extract.loaded.quarantine.empty
    assert set(extract.findings["rule"]) <= {"same person again"}
