"""The synthetic area, written in every form that an analyst may hold, is read back the same from each of them.

The writers follow the formats' specification and not the readers, so that a fault of one shows against the other.
"""

import json
from functools import cache
from importlib.resources import files

import pandas as pd
import pytest
import yaml

from jsna.area import Area
from jsna.check.report import check_area
from jsna.cli import main
from jsna.local import extracts_of, pupils_of, sen2_of
from jsna.params import Params
from jsna.sources.sen2.timeliness import cases
from jsna.synthetic import synthesise
from jsna.synthetic.files import FORMS, write_files

SCALE = 0.05
CENSUS = [f for f in FORMS if f.startswith(("census", "npd"))]
SEN2 = [f for f in FORMS if f.startswith("sen2")]
EXTRACTS = [f for f in FORMS if f not in (*CENSUS, *SEN2, "annex_a", "postcodes", "schools")]
NOT_IN_FILES = ["pupil_id", "school_urn"]  # hashed, and another number, in the files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("forms")
    for form in FORMS:
        write_files(made / form, form, scale=SCALE)
    return made


@pytest.fixture(scope="module")
def source():
    return synthesise(2023, SCALE)


@pytest.fixture(scope="module")
def params(folder):
    def named(**keys):
        return Params(
            source="local",
            key_file=str(folder / "ehc_cases" / "training.key"),
            postcodes=str(next((folder / "postcodes").glob("*.csv"))),
            schools=str(next((folder / "schools").glob("*.csv"))),
            **keys,
        )

    return named


@pytest.fixture(scope="module")
def pupils_in(folder, params):
    """The pupils of a form of the census, each form read once."""
    return cache(lambda form: pupils_of(params(pupils=str(folder / form))))


@pytest.fixture(scope="module")
def cases_in(folder, params):
    """The cases of a form of SEN2, each form read once."""
    return cache(lambda form: cases(*sen2_of(params(sen2=str(folder / form)))).frame)


def plain(frame, school):
    """Rows as text in an order of their own, schools by the last four digits of their number."""
    own = [c for c in source_columns(frame) if c not in NOT_IN_FILES]
    text = frame[own].astype("str").assign(school=frame[school].astype("str").str[-4:])
    return text.sort_values(list(text.columns), ignore_index=True)


def source_columns(frame):
    return [c for c in frame.columns if c != "ethnicity_detailed"]


@pytest.mark.parametrize("form", CENSUS)
def test_a_census_is_read_back_equal(form, pupils_in, source):
    read = pupils_in(form)
    expected, got = plain(source.pupils, "school_urn"), plain(read.loaded.frame, "school_urn")
    pd.testing.assert_frame_equal(got[expected.columns], expected)
    assert read.loaded.summary.synthetic or form == "npd"
    assert read.loaded.summary.rows_refused == 0
    assert read.findings.empty


def test_pupils_are_the_same_persons_in_every_form_with_a_number(pupils_in):
    first, *others = (pupils_in(form).loaded.frame for form in CENSUS if form != "npd")
    for other in others:
        pd.testing.assert_frame_equal(other, first)


def test_sen2_tells_the_same_cases_in_every_form(cases_in):
    columns = ["date_requested", "decision", "date_decided", "plan_issued", "date_issued", "weeks_to_issue", "sex"]
    first, *others = (f[columns].astype("str").sort_values(columns, ignore_index=True) for f in map(cases_in, SEN2))
    assert len(first) > 50
    for other in others:
        pd.testing.assert_frame_equal(other, first)


def test_sen2_counts_the_plans_that_were_issued(cases_in, source):
    got = cases_in("sen2_xml")
    issued = source.ehc_cases[source.ehc_cases["date_issued"].dt.year.between(2023, 2025)]
    both = got[got["plan_issued"] & got["date_issued"].dt.year.between(2023, 2025)]
    requested = both["date_requested"].dt.year >= 2023
    assert int(requested.sum()) == len(issued)
    assert int((both.loc[requested, "weeks_to_issue"] <= 20).sum()) == int((issued["weeks_to_issue"] <= 20).sum())


def test_every_list_is_read_whole(folder, params):
    read = extracts_of(params(extracts=[str(folder / f) for f in EXTRACTS]))
    assert {e.kind for e in read} >= {"ehc_cases", "annual_reviews", "disputes", "absence", "survey_responses"}
    assert [e.kind for e in read if e.loaded.summary.rows_refused] == []
    assert all(len(e.loaded.frame) for e in read)


def test_persons_join_across_census_and_lists(folder, params, pupils_in):
    pupils = set(pupils_in("census_flat").loaded.frame["pupil_id"])
    lists = {e.kind: e.loaded.frame for e in extracts_of(params(extracts=str(folder / "absence")))}
    assert lists["absence"]["person_id"].isin(pupils).mean() > 0.9


def test_the_check_of_clean_files_is_clean(folder, params):
    report = check_area(Area(params(pupils=str(folder / "census_blade"))))
    assert report.unreadable == ()
    assert report.refused.empty
    assert report.exit_code in (0, 1)
    assert not (report.findings["severity"] == "error").any()


def test_a_refresh_from_files_shows_the_figures_of_the_synthetic_area(folder, params, tmp_path):
    """The whole way: params with paths, a kernel, a pack. Words differ (where it comes from), figures do not."""
    keys = params(pupils=str(folder / "census_flat"), sen2="", extracts=str(folder / "ehc_cases")).model_dump()
    written = {k: keys[k] for k in ("source", "pupils", "extracts", "schools", "postcodes", "key_file")}
    (tmp_path / "local.yml").write_text(json.dumps(written), encoding="utf-8")
    (tmp_path / "synthetic.yml").write_text(json.dumps({"scale": SCALE}), encoding="utf-8")
    tables = {}
    for name in ("local", "synthetic"):
        out = tmp_path / name
        assert main(["refresh", str(tmp_path / f"{name}.yml"), "--out", str(out), "--only", "02", "--only", "01"]) == 0
        pack = next(out.glob("luton-synthetic/*"))
        assert pack.parent.name == "luton-synthetic"
        tables[name] = {p.name: p.read_text(encoding="utf-8") for p in (pack / "tables").glob("*.csv")}
        everything = b"".join(p.read_bytes() for p in pack.rglob("*") if p.is_file())
        assert str(folder).encode() not in everything
    assert tables["local"] == tables["synthetic"]
    assert len(tables["local"]) > 5


def cut(folder, target):
    """The latest flat census as a spreadsheet leaves it: every pupil number without its end."""
    path = sorted((folder / "census_flat").glob("*.csv"))[-1]
    table = pd.read_csv(path, dtype="str", keep_default_na=False)
    table["UPN"] = table["UPN"].str[:-2]
    table.to_csv(target, index=False)
    return target


def test_a_census_alone_makes_a_pack_that_names_what_is_lacking(folder, params, tmp_path, capsys, monkeypatch):
    keys = params(pupils=str(folder / "census_flat")).model_dump()
    written = {k: keys[k] for k in ("source", "pupils", "schools", "postcodes", "key_file")}
    (tmp_path / "local.yml").write_text(json.dumps(written), encoding="utf-8")
    chosen = ["--only", "00", "--only", "07"]
    assert main(["refresh", str(tmp_path / "local.yml"), "--out", str(tmp_path / "packs"), *chosen]) == 0
    pack = next((tmp_path / "packs").glob("luton-synthetic/*"))
    assert "which was not brought" in (pack / "chapters" / "07-ehc-plans.html").read_text(encoding="utf-8")
    assert "Nothing was refused" in (pack / "chapters" / "00-data.html").read_text(encoding="utf-8")

    def read_again(*_):
        raise AssertionError("an unchanged run reads no pupils")

    monkeypatch.setattr("jsna.local.pupils_of", read_again)
    assert main(["refresh", str(tmp_path / "local.yml"), "--out", str(tmp_path / "packs"), *chosen]) == 0
    assert "kept as it is" in capsys.readouterr().err


def test_practice_files_stay_practice_files_when_a_spreadsheet_has_spoilt_them(folder, params, tmp_path):
    area = Area(params(pupils=str(cut(folder, tmp_path / "census_2026-01-15.csv"))))
    assert area.synthetic
    report = check_area(area)
    malformed = report.findings[report.findings["check"] == "upn malformed"]
    assert malformed["severity"].tolist() == ["error"]


def test_a_pack_made_over_errors_says_so(folder, params, tmp_path, capsys):
    keys = params(pupils=str(cut(folder, tmp_path / "census_2026-01-15.csv"))).model_dump()
    written = {k: keys[k] for k in ("source", "pupils", "schools", "postcodes", "key_file")}
    (tmp_path / "local.yml").write_text(json.dumps(written), encoding="utf-8")
    out = tmp_path / "packs"
    assert main(["refresh", str(tmp_path / "local.yml"), "--out", str(out), "--only", "00"]) == 0
    assert "the check finds errors" in capsys.readouterr().err
    assert "this pack is a draft" in next(out.glob("*/*/chapters/00-data.html")).read_text(encoding="utf-8")


def test_only_a_synthetic_pack_says_that_its_cases_are_synthetic():
    gaps = yaml.safe_load(files("jsna.pack").joinpath("gaps.yml").read_text(encoding="utf-8"))
    assert "synthetic" in " ".join(gaps["synthetic"])
    assert "synthetic" not in " ".join([*gaps["local"], *gaps["official"], *gaps["always"]])
