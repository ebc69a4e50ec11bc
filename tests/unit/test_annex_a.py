"""Annex A lists 1 and 2: read from a workbook or CSVs, with each rule of the sector's validator."""

import openpyxl
import pandas as pd
import pytest
import sen2_files as files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.sources.annex_a import read_annex_a

DAY = pd.Timestamp("2025-03-01")
LIST_1 = [
    "Unique ID", "UPN", "ULN", "Date of birth", "Gender", "Ethnicity", "Date initial EHC plan issued",
    "Date updated EHC plan issued", "Date EHC plan last reviewed", "SEN primary need",
    "Main education establishment – URN", "Main education establishment – phase",
    "Subsidiary education establishment – phase (dual registration)", "Elective home education", "Suspensions",
    "Permanent exclusions", "Absence", "Pupil Premium", "Known to children's social care?",
    "Which children's social care team?", "Does the child or young person have a disability?",
]  # fmt: skip
LIST_2 = [h for h in LIST_1 if not h.startswith("Date ") or h == "Date of birth"]
LIST_2.remove("Elective home education")
ROW = {
    "Unique ID": "A1", "UPN": files.UPN["1"], "ULN": "", "Date of birth": "04/03/2012", "Gender": "Male",
    "Ethnicity": "a) BSOM", "Date initial EHC plan issued": "01/02/2018", "Date updated EHC plan issued": "01/02/2020",
    "Date EHC plan last reviewed": "2024-10-01", "SEN primary need": "ASD",
    "Main education establishment – URN": "900060", "Main education establishment – phase": "Secondary",
    "Suspensions": "0", "Permanent exclusions": "0", "Absence": "12.5", "Pupil Premium": "Yes",
    "Elective home education": "No", "Known to children's social care?": "Y",
    "Which children's social care team?": "A team", "Does the child or young person have a disability?": "No",
}  # fmt: skip


def two(**values):
    """The row, and a sound second one."""
    return [{**ROW, **values}, {**ROW, "Unique ID": "B2", "UPN": files.UPN["4"]}]


def write(folder, rows, headings=LIST_1, name="list.csv"):
    path = folder / name
    path.write_text(files.csv_text(headings, [[row.get(h, "") for h in headings] for row in rows]), encoding="utf-8")
    return path


def findings(path):
    return read_annex_a(path, files.KEY, as_of=DAY).findings


def test_a_list_is_read_without_what_names_a_child(tmp_path):
    read = read_annex_a(write(tmp_path, [ROW]), files.KEY, as_of=DAY)
    row = read.list_1.frame.iloc[0]
    assert read.list_2 is None
    assert read.findings.empty
    # Born 4 March 2012: 12 on 31 August 2024 and still 12 on 1 March 2025.
    assert (row["age"], row["age_exact"], row["sex"], row["ethnicity"]) == (12, 12, "M", "BAFR")
    assert (row["absence"], bool(row["pupil_premium"]), bool(row["social_care_team"])) == (12.5, True, True)
    assert row["initial_plan_date"] == pd.Timestamp("2018-02-01")
    text = read.list_1.frame.to_csv()
    assert [w for w in (files.UPN["1"], "2012-03-04", "A team", "A1") if w in text] == []


def test_a_workbook_has_a_sheet_a_list_and_any_dash(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "List_1"
    for title, headings in (("List_1", LIST_1), ("List_2", LIST_2)):
        page = book["List_1"] if title == "List_1" else book.create_sheet(title)
        page.append(["Local authority lists"])
        page.append([h.replace("–", "-") for h in headings])
        page.append([ROW.get(h, "") for h in headings])
    book.save(tmp_path / "annex.xlsx")
    read = read_annex_a(tmp_path / "annex.xlsx", files.KEY, as_of=DAY)
    assert read.list_1.frame["main_urn"].tolist() == read.list_2.frame["main_urn"].tolist() == ["900060"]
    assert read.list_1.frame["row"].tolist() == [3]
    assert "initial_plan_date" not in read.list_2.frame


def test_both_lists_as_csvs_of_a_folder(tmp_path):
    write(tmp_path, [ROW], name="one.csv")
    write(tmp_path, [ROW], LIST_2, name="two.csv")
    read = read_annex_a(tmp_path, files.KEY, as_of=DAY)
    assert read.list_1.frame["person_id"].tolist() == read.list_2.frame["person_id"].tolist()


RULES = {
    "01a": dict([("Date of birth", "")]),
    "01b": dict(Gender=""),
    "01c": dict(Ethnicity=""),
    "01d": {"SEN primary need": ""},
    "02a": {"Date of birth": "28/02/2000"},
    "02b": {"Date of birth": "28/02/1999"},
    "03": {"Does the child or young person have a disability?": ""},
    "05a": {"Date of birth": "02/03/2025"},
    "05b": {"Date initial EHC plan issued": "02/03/2025", "Date updated EHC plan issued": "",
            "Date EHC plan last reviewed": ""},
    "05c": {"Date updated EHC plan issued": "02/03/2025"},
    "05d": {"Date EHC plan last reviewed": "02/03/2025"},
    "06a": {"Date initial EHC plan issued": "02/02/2020"},
    "06b": {"Date initial EHC plan issued": "02/10/2024", "Date updated EHC plan issued": ""},
    "07": dict(UPN=""),
    "08a": {"Main education establishment – URN": ""},
    "08b": {"Main education establishment – URN": "",
            "Subsidiary education establishment – phase (dual registration)": "Secondary"},
    "09": dict(UPN=files.UPN["4"]),
}  # fmt: skip


@pytest.mark.parametrize("number", RULES)
@pytest.mark.parametrize(("first", "headings"), [("1", LIST_1), ("2", LIST_2)], ids=["list 1", "list 2"])
def test_each_rule_finds_its_row_and_no_other_rule_does(tmp_path, first, headings, number):
    got = findings(write(tmp_path, two(**RULES[number]), headings))
    if first == "2" and number in ("05b", "05c", "05d", "06a", "06b"):
        assert got.empty
        return
    assert got["number"].tolist() == [first + number]
    assert got["rows"].iloc[0] == ("2, 3" if number == "09" else "2")


def test_ages_are_judged_by_the_day_of_the_list_and_not_by_today(tmp_path):
    path = write(tmp_path, two(**{"Date of birth": "01/03/2000"}))
    assert read_annex_a(path, files.KEY, as_of=pd.Timestamp("2025-02-28")).findings.empty
    assert findings(path)["number"].tolist() == ["102a"]


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"Date of birth": "31/02/2012"}, "birth"),
        ({"Gender": "Robot"}, "sex"),
        ({"Ethnicity": "QQQQ"}, "ethnicity"),
        ({"SEN primary need": "Autismo"}, "primary_need"),
        ({"Pupil Premium": "hmm"}, "pupil_premium"),
        ({"UPN": "not known"}, "upn"),
        ({"ULN": "12"}, "uln"),
        ({"Absence": "some"}, "absence"),
        ({"Main education establishment – URN": "The school"}, "main_urn"),
    ],
)
def test_a_cell_that_cannot_be_read_is_missing_and_listed(tmp_path, values, column):
    quarantine = read_annex_a(write(tmp_path, two(**values)), files.KEY, as_of=DAY).list_1.quarantine
    assert quarantine[["row", "column"]].to_numpy().tolist() == [[2, column]]
    if column in ("birth", "upn", "uln"):
        assert quarantine["value"].str.startswith("(hidden").all()


def test_what_is_no_list_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="no Annex A list"):
        read_annex_a(tmp_path / "x.csv", files.KEY, as_of=DAY)


def test_the_same_list_twice_is_refused(tmp_path):
    paths = [write(tmp_path, [ROW], name=n) for n in ("a.csv", "b.csv")]
    with pytest.raises(SourceError, match="twice"):
        read_annex_a(paths, files.KEY, as_of=DAY)


cells = st.sampled_from(["", "A1", "x", "31/02/2012", "04/03/2012", "Male", "ASD", "WBRI", "Yes", "900060", "-"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(cells, min_size=21, max_size=21), st.booleans()), min_size=1, max_size=6))
def test_no_row_is_lost_whatever_stands_in_it(tmp_path, rows):
    lines = [[*values, *(["more"] if longer else [])] for values, longer in rows]
    if not any(any(values) and not longer for values, longer in rows):
        return
    path = tmp_path / "list.csv"
    path.write_text(files.csv_text(LIST_1, lines), encoding="utf-8")
    loaded = read_annex_a(path, files.KEY, as_of=DAY).list_1
    whole = loaded.quarantine[loaded.quarantine["column"] == ""]
    filled = [n for n, line in enumerate(lines, 2) if any(line)]
    assert sorted([*loaded.frame["row"], *whole["row"]]) == filled
    assert loaded.summary.rows_read == len(filled)
