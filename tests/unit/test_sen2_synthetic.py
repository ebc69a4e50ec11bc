"""Reader and writer of the SEN2 return, made apart from the same specification, agree on the synthetic area."""

import pandas as pd
import pytest

from jsna.sources.schools import read_schools
from jsna.sources.sen2 import read_sen2
from jsna.synthetic.files import write_files

KEY = bytes(32)
SCALE = 0.02


def path_of(folder, year):
    return next(p for p in sorted(folder.iterdir()) if str(year) in p.name)


@pytest.fixture(scope="module")
def xml(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xml")
    write_files(folder, "sen2_xml", scale=SCALE)
    return folder


def in_any_order(frame):
    columns = [c for c in frame if c != "row" and not c.endswith("_key")]
    return frame[columns].astype(str).sort_values(columns, ignore_index=True)


@pytest.mark.parametrize("form", ["sen2_blade", "sen2_template", "sen2_presubmission"])
def test_each_form_gives_what_the_xml_gives(tmp_path, xml, form):
    write_files(tmp_path, form, scale=SCALE)
    for year in (2023, 2026):
        want = read_sen2(path_of(xml, year), KEY)
        got = read_sen2(path_of(tmp_path, year), KEY, year=year, la="821")
        # Persons without any number go by their id, which differs from form to form.
        for table in ("requests", "assessment", "namedplan", "activeplans", "placementdetail", "senneed"):
            a, b = (in_any_order(s.frame(table).drop(columns="person_id")) for s in (want, got))
            pd.testing.assert_frame_equal(b, a)


def test_a_clean_return_has_no_error_and_no_warning_beside_the_register_either(tmp_path, xml):
    register = write_files(tmp_path, "schools", scale=SCALE)[0]
    for year in (2023, 2024, 2025, 2026):
        findings = read_sen2(path_of(xml, year), KEY, schools=read_schools(register).frame).findings
        assert findings.loc[findings["severity"].isin(["error", "warning"]), "sentence"].tolist() == []
