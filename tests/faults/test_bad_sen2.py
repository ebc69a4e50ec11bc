"""Every way in which a SEN2 return is known to go wrong ends in a finding or in one plain message."""

import shutil
import zipfile

import openpyxl
import pytest
import sen2_files as files

from jsna.errors import SourceError
from jsna.sources.sen2 import read_sen2


def put(table, key, **values):
    """Change cells of one row."""
    return lambda r: files.find(r, table, key).update(values)


def every(table, **values):
    def change(r):
        for row in r[table]:
            row.update(values)

    return change


def remove(table, *keys):
    def change(r):
        r[table] = [row for row in r[table] if row["id"] not in keys]

    return change


def add(table, like, **values):
    return lambda r: r[table].append({**files.find(r, table, like), "id": "9", **values})


def both(*changes):
    def change(r):
        for one in changes:
            one(r)

    return change


def many_requests(same_day):
    def change(r):
        for n in range(10, 30):
            day = "2024-01-01" if same_day else f"2024-03-{n:02d}"
            r["requests"].append(dict(id=str(n), parent="6", receiveddate=day, requestoutcome="Y"))
            r["requests"][-1] |= dict(requestoutcomedate="2024-04-15", requestsource="1")
            r["assessment"].append(dict(id=str(n), parent=str(n), assessmentoutcome="Y"))
            r["assessment"][-1] |= dict(assessmentoutcomedate="2024-07-01", week20="1")

    return change


# id: (change of the hand-made return of 2025, check number, table, rows concerned)
FINDINGS = {
    "no received date": (put("requests", "1", receiveddate=""), "1a", "requests", 1),
    "request of nobody": (put("requests", "3", parent="99"), "1a", "requests", 1),
    "request twice": (add("requests", "3"), "1b", "requests", 2),
    "id met again": (lambda r: r["requests"].append(dict(files.find(r, "requests", "3"))), "1c", "requests", 1),
    "request without an id": (put("requests", "3", id=""), "1e", "requests", 1),
    "person twice": (both(add("person", "1"), add("requests", "3", parent="9")), "1d", "person", 2),
    "no number, reason given": (put("person", "3", upnunknown="UN3"), "2a", "person", 2),
    "no number, no reason": (put("person", "3", upnunknown=""), "2b", "person", 1),
    "wrong check letter": (put("person", "1", upn="D999000000001"), "2c", "person", 1),
    "UN1 typed into UPN": (put("person", "3", upn="UN1", upnunknown=""), "2d", "person", 1),
    "UPN of 14 characters": (put("person", "1", upn=files.UPN["1"] + "1"), "2d", "person", 1),
    "ULN of 8 digits": (put("person", "2", uniquelearnernumber="99000000"), "25", "person", 1),
    "two open plans of one person": (put("person", "4", upn=files.UPN["1"]), "3a", "activeplans", 2),
    "placed from two requests": (put("person", "4", upn=files.UPN["1"]), "3b", "placementdetail", 2),
    "no birth date": (put("person", "1", personbirthdate=""), "4a", "person", 1),
    "birth date of two-digit year": (put("person", "1", personbirthdate="04/03/12"), "4a", "person", 1),
    "not yet born": (put("person", "1", personbirthdate="2025-01-01"), "4b", "person", 1),
    "too old": (put("person", "1", personbirthdate="1995-01-01"), "4b", "person", 1),
    "ethnicity not in the list": (put("person", "1", ethnicity="ZZZZ"), "4c", "person", 1),
    "sex not told": (put("person", "1", sex=""), "4d", "person", 1),
    "open plan without placement": (remove("placementdetail", "1"), "5b", "namedplan", 1),
    "moved in without placement": (remove("placementdetail", "4"), "5a", "namedplan", 1),
    "placed without named plan": (both(remove("namedplan", "4"), remove("plandetail", "3")), "5d", "activeplans", 1),
    "moved in without named plan": (both(remove("namedplan", "5"), remove("plandetail", "4")), "5c", "activeplans", 1),
    "no establishment": (put("placementdetail", "1", urn=""), "6a", "placementdetail", 1),
    "two establishments": (put("plandetail", "1", ukprn="10000001"), "6b", "plandetail", 1),
    "SEN setting not in the list": (put("placementdetail", "2", sensetting="XYZ"), "6c", "placementdetail", 1),
    "unit not told": (put("placementdetail", "1", senunitindicator=""), "7a", "placementdetail", 1),
    "second place only": (put("placementdetail", "1", placementrank="2"), "9a", "placementdetail", 1),
    "two first places": (add("placementdetail", "1"), "9b", "placementdetail", 1),
    "rank 3": (put("placementdetail", "1", placementrank="3"), "25", "placementdetail", 1),
    "no need": (remove("senneed", "4"), "10a", "activeplans", 1),
    "NSA": (put("senneed", "4", sentype="NSA"), "10b", "senneed", 1),
    "second need without first": (put("senneed", "4", sentyperank="2"), "10c", "senneed", 1),
    "need twice": (put("senneed", "2", sentype="ASD"), "10d", "senneed", 1),
    "two first needs": (put("senneed", "2", sentyperank="1"), "10e", "senneed", 1),
    "orphan assessment": (put("assessment", "2", parent="99"), "11a", "assessment", 1),
    "orphan need": (put("senneed", "2", parent="99"), "11a", "senneed", 1),
    "orphan placement": (put("placementdetail", "1", parent="99"), "11a", "placementdetail", 1),
    "orphan plan detail": (put("plandetail", "1", parent=""), "11a", "plandetail", 1),
    "person without request": (remove("requests", "3"), "11b", "person", 1),
    "assessment agreed and not there": (put("requests", "3", requestoutcome="Y"), "11c", "requests", 1),
    "issued without named plan": (both(remove("namedplan", "1"), remove("plandetail", "1")), "11d", "assessment", 1),
    "named plan without detail": (remove("plandetail", "1"), "11e", "namedplan", 1),
    "active plan without placement": (remove("placementdetail", "1"), "11f", "activeplans", 1),
    "two assessments of one request": (add("assessment", "1"), "11g", "assessment", 1),
    "decided before received": (put("requests", "3", requestoutcomedate="2024-05-04"), "12a", "requests", 1),
    "issued before decided": (put("assessment", "1", assessmentoutcomedate="2024-02-01"), "12b", "assessment", 1),
    "issued before received": (put("assessment", "1", assessmentoutcomedate="2024-01-09"), "12c", "assessment", 1),
    "issued on the day received": (put("assessment", "1", assessmentoutcomedate="2024-01-10"), "12d", "assessment", 1),
    "date below a historical outcome": (put("requests", "4", requestoutcomedate="2019-02-01"), "13a", "requests", 1),
    "assessment below a refusal": (put("requests", "1", requestoutcome="N"), "13b", "assessment", 1),
    "named plan below a withdrawal": (put("assessment", "1", assessmentoutcome="W"), "13b", "namedplan", 1),
    "historical plan of this year": (put("namedplan", "4", startdate="2024-05-01"), "13c", "namedplan", 1),
    "refusal without its day": (put("requests", "3", requestoutcomedate=""), "13d", "requests", 1),
    "review decided before it met": (put("activeplans", "4", lastreview="2024-09-30"), "14a", "activeplans", 1),
    "reviewed before the plan began": (put("activeplans", "4", lastreview="2019-05-01"), "14c", "activeplans", 1),
    "ceased without a reason": (put("namedplan", "4", ceasedate="2024-12-01"), "15a", "namedplan", 1),
    "reason without a day": (put("namedplan", "4", ceasereason="2"), "15b", "namedplan", 1),
    "25 and open after 31 August": (put("person", "4", personbirthdate="1999-08-31"), "16", "activeplans", 1),
    "one day for many requests": (many_requests(same_day=True), "17", "requests", 20),
    "too many exceptions": (many_requests(same_day=False), "18a", "assessment", 21),
    "week 20 always blank": (every("assessment", week20=""), "18b", "assessment", 2),
    "week 20 sometimes blank": (put("assessment", "1", week20=""), "18c", "assessment", 1),
    "received after the census": (put("requests", "6", receiveddate="2025-02-01"), "19", "requests", 1),
    "header of two years": (put("sen2", "1", referencedate="2024-01-18"), "23", "sen2", 1),
    "outcome not in the list": (put("requests", "1", requestoutcome="Yes"), "25", "requests", 1),
    "impossible day": (put("requests", "1", receiveddate="2024-02-30"), "25", "requests", 1),
}  # fmt: skip


@pytest.mark.parametrize(("change", "number", "table", "count"), FINDINGS.values(), ids=FINDINGS)
def test_a_fault_is_found(tmp_path, change, number, table, count):
    r = files.a_return(2025)
    change(r)
    findings = read_sen2(files.write_blades(tmp_path / "b", r, 2025), files.KEY).findings
    hits = findings[(findings["number"] == number) & (findings["table"] == table)]
    assert hits["count"].tolist() == [count]


def test_every_check_of_a_row_is_in_the_table_above():
    """A check that no fault here triggers is one that nobody knows to work."""
    from jsna.sources.sen2.checks import checks_spec

    elsewhere = {"6d", "7b", "8a", "8b", "10f", "14b", "20a", "20b", "21", "22", "26"}
    assert set(checks_spec()["checks"]) == {number for _, number, _, _ in FINDINGS.values()} | elsewhere


def findings_of(folder, r, year):
    return read_sen2(files.write_xml(folder, r, year), files.KEY).findings


def test_gender_of_2023_in_a_later_return_is_read_and_told(tmp_path):
    r = files.a_return(2023)
    r["sen2"][0] |= dict(year="2025", referencedate="2025-01-16")
    text = files.xml_text(r, 2023)
    (tmp_path / "old.xml").write_text(text)
    sen2 = read_sen2(tmp_path / "old.xml", files.KEY)
    assert sen2.frame("person")["sex"].tolist() == ["M", "F", "M", "F", "M", "F"]
    told = sen2.findings[sen2.findings["number"] == "20a"]
    assert ("person", 6) in set(zip(told["table"], told["count"], strict=True))
    assert "gender_current" in " ".join(told["sentence"])


def test_residence_at_the_level_of_2023_in_a_later_return_is_read_and_told(tmp_path):
    r = files.a_return(2025)
    text = files.xml_text(r, 2025).replace("<Res>A</Res>", "").replace("<ActivePlans>", "<ActivePlans><Res>B</Res>")
    (tmp_path / "level.xml").write_text(text)
    sen2 = read_sen2(tmp_path / "level.xml", files.KEY)
    assert sen2.frame("placementdetail")["res"].tolist() == ["B"] * 4
    told = sen2.findings[sen2.findings["number"] == "20a"]
    assert told[["table", "count"]].to_numpy().tolist() == [["activeplans", 4]]


def test_a_code_of_a_later_year_is_kept_and_told(tmp_path):
    r = files.a_return(2024)
    files.find(r, "senneed", "3")["sentype"] = "DS"
    findings = findings_of(tmp_path, r, 2024)
    assert findings.loc[findings["number"] == "10f", "table"].tolist() == ["senneed"]


def test_sex_that_is_never_filled_is_told_as_a_missing_column(tmp_path):
    r = files.a_return(2025)
    every("person", sex="")(r)
    findings = findings_of(tmp_path, r, 2025)
    assert "sex is filled in none of 6 rows" in " ".join(findings["sentence"])


def test_review_days_changed_over_throughout_are_told_as_that(tmp_path):
    r = files.a_return(2025)
    for row in r["activeplans"]:
        row |= dict(reviewmeeting="2024-11-20", lastreview="2024-10-01", reviewoutcome="M")
    findings = findings_of(tmp_path, r, 2025)
    assert findings.loc[findings["number"].isin(["14a", "14b"]), ["number", "count"]].to_numpy().tolist() == [
        ["14b", 4]
    ]


@pytest.mark.parametrize(
    "table", ["assessment", "namedplan", "plandetail", "activeplans", "placementdetail", "senneed"]
)
def test_one_csv_of_the_nine_that_is_missing_is_said_once(tmp_path, table):
    folder = files.write_blades(tmp_path / "b", files.a_return(), 2025, leave_out=[table])
    findings = read_sen2(folder, files.KEY).findings
    assert findings.loc[findings["number"] == "21", "sentence"].str.contains(f" {table} ").tolist() == [True]
    assert not (findings["number"] == "11a").any()


def test_a_heading_that_nobody_knows_is_told(tmp_path):
    folder = files.write_blades(tmp_path / "b", files.a_return(), 2025)
    path = folder / "Blade-Export_01-02-2025_requests.csv"
    path.write_text(path.read_text("utf-8-sig").replace("requestoutcomedate", "outcomeday"), "utf-8-sig")
    findings = read_sen2(folder, files.KEY).findings
    assert "outcomeday" in findings.loc[findings["number"] == "22", "sentence"].iloc[0]
    assert "request_outcome_date is filled in none" in " ".join(findings["sentence"])


def test_a_renamed_heading_does_not_reject_the_sector_tools_file(tmp_path):
    folder = files.write_modules(tmp_path / "m", files.a_return(2024), 2024, rename={"Request Outcome": "Outcome?"})
    sen2 = read_sen2(folder, files.KEY, year=2024)
    assert len(sen2.frame("requests")) == 7
    assert "request_outcome is filled in none" in " ".join(sen2.findings["sentence"])


def test_a_return_newer_than_the_layouts_is_read_as_the_latest_and_told(tmp_path):
    r = files.a_return(2026)
    r["sen2"][0] |= dict(year="2027", referencedate="2027-01-21")
    assert "26" in findings_of(tmp_path, r, 2026)["number"].tolist()


# Files that cannot be read as one return: {id: (maker of a path, words of the message)}


def xml_file(text):
    def make(folder):
        (folder / "x.xml").write_text(text(files.xml_text(files.a_return(), 2025)))
        return folder / "x.xml"

    return make


def with_change(change, year=2025):
    def make(folder):
        r = files.a_return(year)
        change(r)
        return files.write_xml(folder, r, year)

    return make


def blades(**how):
    return lambda folder: files.write_blades(folder / "b", files.a_return(), 2025, **how)


def two_of_one_table(folder):
    path = files.write_blades(folder / "b", files.a_return(), 2025)
    shutil.copy(path / "Blade-Export_01-02-2025_person.csv", path / "copy.csv")
    return path


def blades_and_modules(folder):
    files.write_modules(folder / "b", files.a_return(), 2025)
    return files.write_blades(folder / "b", files.a_return(), 2025)


def workbook(sheet, rows):
    def make(folder):
        book = openpyxl.Workbook()
        book.active.title = sheet
        for row in rows:
            book.active.append(row)
        book.save(folder / "w.xlsx")
        return folder / "w.xlsx"

    return make


def formula_in_presubmission(folder):
    path = files.write_presubmission(folder, files.a_return(), 2025)
    book = openpyxl.load_workbook(path)
    book["Requests"]["C2"] = "=TODAY()"
    book.save(path)
    return path


def zip_of(names):
    def make(folder):
        with zipfile.ZipFile(folder / "z.zip", "w") as archive:
            for name in names:
                archive.writestr(name, "nothing")
        return folder / "z.zip"

    return make


def some_text(text):
    def make(folder):
        (folder / "t.csv").write_text(text)
        return folder / "t.csv"

    return make


def two_whole(folder):
    files.write_xml(folder, files.a_return(), 2025)
    files.write_template(folder, files.a_return(), 2025)
    return folder


def block_twice(folder):
    path = files.write_template(folder, files.a_return(), 2025)
    book = openpyxl.load_workbook(path)
    book.active.append(["Person Record"])
    book.save(path)
    return path


HEADER = "<Header><CollectionDetails><Year>2025</Year></CollectionDetails></Header>"
REFUSED = {
    "file cut short": (xml_file(lambda t: t[: len(t) // 2]), {}, "not whole XML"),
    "entities": (xml_file(lambda t: t.replace("<Message", '<!DOCTYPE m [<!ENTITY a "b">]><Message')), {}, "attacks"),
    "another collection's XML": (xml_file(lambda t: "<Message><Pupils><Pupil/></Pupils></Message>"), {}, "no persons"),
    "another collection in the header": (with_change(put("sen2", "1", collection="SPC")), {}, "another collection"),
    "two headers": (xml_file(lambda t: t.replace("<Persons>", HEADER + "<Persons>")), {}, "2 headers"),
    "return before 2023": (
        with_change(put("sen2", "1", year="2022", referencedate="2022-01-20")), {}, "since 2023 only",
    ),
    "another year than asked for": (with_change(lambda r: None), dict(year=2024), "another year"),
    "a neighbour's return": (with_change(put("sen2", "1", lea="822")), dict(la="821"), "another authority"),
    "all persons without requests": (with_change(lambda r: r["requests"].clear()), {}, "all others hang"),
    "no CSV of persons": (blades(leave_out=["person"]), {}, "all others hang"),
    "no CSV of requests": (blades(leave_out=["requests"]), {}, "all others hang"),
    "no CSV of the header, no year": (blades(leave_out=["sen2"]), {}, "of which year"),
    "test and live return": (
        lambda f: files.write_blades(f / "b", {**(r := files.a_return()), "sen2": r["sen2"] * 2}, 2025),
        {}, "has 2 rows",
    ),
    "test and live return, one of them named by a wrong id": (
        lambda f: files.write_blades(f / "b", {**(r := files.a_return()), "sen2": r["sen2"] * 2}, 2025),
        dict(delivery="5"), "has 2 rows",
    ),
    "one table in two files": (two_of_one_table, {}, "Several files hold the table person"),
    "blades and the tool's files": (blades_and_modules, {}, "lie together"),
    "the tool's files without requests": (
        lambda f: files.write_modules(f / "m", files.a_return(), 2025, leave_out=["m2"]),
        dict(year=2025), "is not there",
    ),
    "the tool's files, no year": (lambda f: files.write_modules(f / "m", files.a_return(), 2025), {}, "of which year"),
    "workbook of another kind": (workbook("Sheet1", [["a", "b"], ["1", "2"]]), {}, "neither the data-entry template"),
    "formula in the pre-submission workbook": (formula_in_presubmission, {}, "formulas"),
    "pre-submission workbook, no year": (
        lambda f: files.write_presubmission(f, files.a_return(), 2025), {}, "of which year",
    ),
    "block of the template twice": (block_twice, {}, "stands twice"),
    "zip without tables": (zip_of(["readme.md"]), {}, "no CSVs"),
    "zip that climbs out": (zip_of(["../person.csv"]), {}, "points out of it"),
    "text of another kind": (some_text("a,b\n1,2\n"), {}, "No CSV here has the headings"),
    "empty text": (some_text(""), {}, "No CSV here has the headings"),
    "no file": (lambda f: f / "none.xml", {}, "missing"),
    "empty folder": (lambda f: f, {}, "empty"),
    "two forms in one folder": (two_whole, {}, "several files that could each be"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "asked", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_one_return_is_refused_in_words(tmp_path, make, asked, words):
    path = make(tmp_path)
    with pytest.raises(SourceError, match=words) as raised:
        read_sen2(path, files.KEY, **asked)
    assert "Neverread" not in str(raised.value)
    assert all(p.where for p in raised.value.problems)
