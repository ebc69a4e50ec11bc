"""The SEN2 return reads the same whichever form and year it comes in, and nothing that names a child is kept."""

import random
import zipfile
from functools import cache

import pandas as pd
import pytest
import sen2_files as files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.sources.identity import pseudonyms
from jsna.sources.schools import read_schools
from jsna.sources.sen2 import read_sen2

YEARS = (2023, 2024, 2025, 2026)
DAY = {y: pd.Timestamp(d) for y, d in files.CENSUS.items()}


def from_xml(folder, r, year, **more):
    return read_sen2(files.write_xml(folder, r, year), files.KEY, **more)


def bring(form, folder, r, year):
    """The return written in one form and read again."""
    write = {
        "blade": lambda: files.write_blades(folder / "blades", r, year),
        "template": lambda: files.write_template(folder, r, year),
        "presubmission": lambda: files.write_presubmission(folder, r, year),
        "modules": lambda: files.write_modules(folder / "modules", r, year),
    }[form]
    headless = form in ("presubmission", "modules")
    return read_sen2(write(), files.KEY, **(dict(year=year, la="821") if headless else {}))


def bare(frame):
    return frame.drop(columns=["row"])


@pytest.fixture(scope="module")
def as_xml(tmp_path_factory):
    """The return of a year from its XML, read once."""
    return cache(lambda year: from_xml(tmp_path_factory.mktemp("xml"), files.a_return(year), year))


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("form", ["blade", "template", "presubmission", "modules"])
def test_every_form_and_year_gives_the_tables_of_the_xml(tmp_path, as_xml, form, year):
    xml, other = as_xml(year), bring(form, tmp_path, files.a_return(year), year)
    assert (other.form, other.year, other.census_date, other.la) == (form, year, DAY[year], "821")
    for table in files.PARENT:
        want, got = bare(xml.frame(table)), bare(other.frame(table))
        if form in ("presubmission", "modules"):
            want, got = want.drop(columns="sen2_key", errors="ignore"), got.drop(columns="sen2_key", errors="ignore")
        if form == "modules":
            if table in ("plandetail", "placementdetail", "senneed"):
                assert got.empty
                continue
            absent = ["request_source", "plan_res", "res", "wbp", "review_meeting", "review_outcome"]
            absent += ["phase_transfer_due_date"]
            want, got = (f.drop(columns=absent, errors="ignore") for f in (want, got))
        pd.testing.assert_frame_equal(got, want)


def test_what_the_hand_made_return_holds(tmp_path):
    sen2 = from_xml(tmp_path, files.a_return(2025), 2025)
    person = sen2.frame("person")
    # Born 4 March 2012 and 31 August 2014: 12 and 10 on 31 August 2024; 1 September 2009: not yet 15.
    assert person["age"].tolist() == [12, 14, 4, 10, 14, 5]
    assert person["age_census"].tolist() == [12, 15, 4, 10, 15, 6]
    assert person["sex"].tolist() == ["M", "F", "M", "F", "M", "F"]
    assert person["ethnicity"].tolist() == ["WBRI", "APKN", "BAFR", "WROM", "ABAN", "REFU"]
    assert person["ethnicity_detailed"].iloc[2] == "BSOM"
    assert person["id_basis"].tolist() == ["upn", "uln", "table", "upn", "upn", "table"]
    requests = sen2.frame("requests")
    assert requests["request_outcome"].tolist() == ["Y", "Y", "N", "H", "H", "A", "W"]
    assert requests["person_key"].tolist() == [1, 2, 3, 4, 5, 6, 6]
    assert sen2.frame("senneed")["sen_type"].tolist() == ["ASD", "SLCN", "DS", "SEMH", "PD"]
    assert sen2.frame("activeplans")["transfer_la"].tolist() == ["", "", "", "873"]


def test_a_sound_return_has_no_error_and_no_warning(as_xml):
    for year in YEARS:
        findings = as_xml(year).findings
        assert findings[findings["severity"].isin(["error", "warning"])]["sentence"].tolist() == []


def test_the_pseudonym_is_that_of_the_census(tmp_path):
    person = from_xml(tmp_path, files.a_return(), 2025).frame("person")
    assert person["person_id"].iloc[0] == pseudonyms(pd.Series([files.UPN["1"]]), files.KEY).iloc[0]
    assert person["person_id"].is_unique


@pytest.mark.parametrize("form", ["xml", "blade", "template", "presubmission", "modules"])
def test_no_name_number_birth_date_or_postcode_is_in_what_is_returned(tmp_path, form):
    r = files.a_return()
    r["person"][0]["upn"] = "SECRET"
    r["person"][1]["personbirthdate"] = "secretday"
    sen2 = from_xml(tmp_path, r, 2025) if form == "xml" else bring(form, tmp_path, r, 2025)
    everything = [x.frame for x in sen2.tables.values()] + [x.quarantine for x in sen2.tables.values()]
    text = " ".join(f.to_csv() for f in [*everything, sen2.findings]) + " ".join(sen2.notes)
    text += " ".join(" ".join(x.summary.notes) for x in sen2.tables.values())
    known = [
        "Neverread",
        "Notkept",
        "XL1",
        "2012-03-04",
        "2014-08-31",
        files.UPN["4"],
        files.ULN,
        "SECRET",
        "secretday",
    ]
    assert [word for word in known if word.casefold() in text.casefold()] == []


def test_postcodes_go_to_the_callback_alone(tmp_path):
    seen = []

    def place(postcode):
        seen.extend(postcode)
        return postcode.map({"XL1 1AA": "E01000001"})

    path = files.write_xml(tmp_path, files.a_return(), 2025)
    sen2 = read_sen2(path, files.KEY, place=place)
    assert seen == [f"XL1 {n}AA" for n in range(1, 7)]
    assert sen2.frame("person")["lsoa21"].tolist() == ["E01000001", "", "", "", "", ""]


def test_residence_of_2023_stands_with_the_plan_and_goes_to_its_placements(tmp_path):
    sen2 = from_xml(tmp_path, files.a_return(2023), 2023)
    assert sen2.frame("activeplans")["res"].tolist() == ["A"] * 4
    assert sen2.frame("placementdetail")["res"].tolist() == ["A"] * 4


@pytest.mark.parametrize("seed", range(4))
def test_order_case_and_namespace_of_elements_do_not_matter(tmp_path, seed):
    r = files.a_return()
    plain = from_xml(tmp_path, r, 2025)
    rng = random.Random(seed)

    def shuffled(parts):
        # Records of one kind keep their order: it is what their numbers go by.
        leaves = [p for p in parts if p.count("<") == 2]
        rest = [p for p in parts if p.count("<") > 2]
        rng.shuffle(leaves)
        return rest + leaves if seed % 2 else leaves + rest

    odd = {"PostCode": "Postcode", "PlanWBP": "PLANWPB", "WBP": "WPB", "Res": "RES", "SENneed": "SenNeed"}
    path = files.write_xml(
        tmp_path, r, 2025, name="odd.xml", arrange=shuffled, spell=lambda n: odd.get(n, n),
        root='<a:Message xmlns:a="urn:y" xmlns="urn:z">',
    )  # fmt: skip
    path.write_text(path.read_text().replace("</Message>", "</a:Message>"))
    other = read_sen2(path, files.KEY)
    for table in files.PARENT:
        pd.testing.assert_frame_equal(other.frame(table), plain.frame(table))


def test_a_place_straight_inside_a_plan_and_wrappers_round_records_are_read(tmp_path):
    r = files.a_return()
    text = files.xml_text(r, 2025)
    flat = text.replace("<PlanDetail>", "").replace("</PlanDetail>", "")
    wrapped = flat.replace("<Requests>", "<Requests><Request>", 1).replace("</Requests>", "</Request></Requests>", 1)
    (tmp_path / "flat.xml").write_text(wrapped)
    plain, flat_read = from_xml(tmp_path, r, 2025), read_sen2(tmp_path / "flat.xml", files.KEY)
    for table in ("plandetail", "requests", "assessment"):
        pd.testing.assert_frame_equal(flat_read.frame(table), plain.frame(table))


def test_csvs_in_a_zip_in_a_list_and_under_any_name(tmp_path):
    r = files.a_return()
    folder = files.write_blades(tmp_path / "a", r, 2025)
    paths = sorted(folder.iterdir())
    for number, path in enumerate(paths):
        path.rename(folder / f"{number}.csv")
    paths = sorted(folder.iterdir())
    with zipfile.ZipFile(tmp_path / "blades.zip", "w") as archive:
        for path in paths:
            archive.write(path, f"delivery/{path.name}")
    whole = read_sen2(folder, files.KEY)
    for other in (read_sen2(tmp_path / "blades.zip", files.KEY), read_sen2(paths, files.KEY)):
        pd.testing.assert_frame_equal(other.frame("requests"), whole.frame("requests"))


def test_the_reader_says_what_it_took_the_file_for_and_why(tmp_path):
    notes = bring("blade", tmp_path, files.a_return(2026), 2026).notes
    assert notes[0].startswith("Taken for the nine CSV blades, because")
    assert "return of 2026, because its header says so" in notes[0]


def test_of_two_deliveries_the_one_named_is_read(tmp_path):
    first, second = files.a_return(), files.a_return()
    first["person"] = first["person"][:1]
    files.write_blades(tmp_path / "both" / "test", first, 2025, source="1")
    files.write_blades(tmp_path / "both" / "final", second, 2025, source="2")
    with pytest.raises(SourceError, match="2 deliveries"):
        read_sen2(tmp_path / "both", files.KEY)
    assert len(read_sen2(tmp_path / "both", files.KEY, delivery="test/1").frame("person")) == 1
    assert len(read_sen2(tmp_path / "both", files.KEY, delivery="final/2").frame("person")) == 6


def test_two_deliveries_whose_ids_repeat_in_the_same_csvs_are_kept_apart_by_source(tmp_path):
    r = files.a_return()
    for table in r:
        r[table] = [{**row, "source": "10"} for row in r[table]] + [{**row, "source": "20"} for row in r[table]]
    r["person"] = [p for p in r["person"] if p["source"] == "10" or p["id"] in "12"]
    folder = files.write_blades(tmp_path / "mixed", r, 2025)
    sen2 = read_sen2(folder, files.KEY, delivery="10")
    assert (len(sen2.frame("person")), len(sen2.frame("requests"))) == (6, 7)
    assert not len(sen2.findings[sen2.findings["number"] == "1c"])


def test_two_headers_without_source_ids_are_told_apart_by_what_hangs_below_them(tmp_path):
    r = files.a_return()
    for table in list(r):
        again = [{**x, "id": "t" + x["id"], "parent": "t" + x.get("parent", "")} for x in r[table]]
        r[table] = [{**x, "source": ""} for x in r[table] + again]
    folder = files.write_blades(tmp_path / "two", r, 2025)
    with pytest.raises(SourceError, match="header table has 2 rows"):
        read_sen2(folder, files.KEY)
    sen2 = read_sen2(folder, files.KEY, delivery="t1")
    assert [len(sen2.frame(t)) for t in ("sen2", "person", "requests", "senneed")] == [1, 6, 7, 5]


def test_the_sector_tools_files_bring_places_and_needs_where_they_have_them(tmp_path):
    r = files.a_return(2024)
    folder = files.write_modules(tmp_path / "m", r, 2024)
    rows = [
        ["Person ID", "Request Records ID", "EHC Plan (Transfer)", "EHCP review decisions date", "URN", "SENtype",
         "SENtypeRank", "PlacementRank"],
        ["1", "1", "", "", "900060", "ASD", "1", "1"],
        ["1", "1", "", "", "900060", "SLCN", "2", "1"],
    ]  # fmt: skip
    (folder / "m5.csv").write_text(files.csv_text(rows[0], rows[1:]))
    sen2 = read_sen2(folder, files.KEY, year=2024)
    assert sen2.frame("activeplans")["request_key"].tolist() == [1]
    assert sen2.frame("placementdetail")["urn"].tolist() == ["900060"]
    assert sen2.frame("senneed")["sen_type"].tolist() == ["ASD", "SLCN"]
    # Without a URN it may be a provider whose UKPRN this form has lost: a question, and no error.
    (folder / "m5.csv").write_text(files.csv_text(rows[0], [[*rows[1][:4], "", *rows[1][5:]]]))
    findings = read_sen2(folder, files.KEY, year=2024).findings
    assert findings.loc[findings["number"].isin(["6a", "6d"]), "severity"].tolist() == ["query"]


def test_a_blade_of_headings_alone_is_a_table_without_rows(tmp_path):
    r = files.a_return()
    r["plandetail"] = []
    sen2 = bring("blade", tmp_path, r, 2025)
    assert sen2.frame("plandetail").empty
    assert sen2.findings["number"].tolist().count("11e") == 1


def test_the_register_of_schools_checks_urns(tmp_path):
    (tmp_path / "register.csv").write_text(
        "URN,LAESTAB,TypeOfEstablishment (name),TypeOfResourcedProvision (name)\n"
        "900060,821/9060,Community school,SEN unit\n900061,821/9061,Online provider,Resourced provision\n"
    )
    register = read_schools(tmp_path / "register.csv").frame
    path = files.write_xml(tmp_path, files.a_return(), 2025)
    findings = read_sen2(path, files.KEY, schools=register).findings.set_index(["number", "table"])
    # 900060 has resourced provision in the return and none in the register; 900062 is not in it at all.
    assert [findings.loc[(n, "placementdetail"), "count"] for n in ("7b", "8a", "8b")] == [1, 1, 1]
    assert "Online provider" in findings.loc[("8a", "placementdetail"), "sentence"]


cell = st.sampled_from(["", "1", "2", "3", "NULL", "Y", "x", "2024-02-30", "2024-03-01", "1.0"])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(cell, cell, cell, cell, st.booleans()), min_size=1, max_size=12))
def test_no_row_is_lost_whatever_stands_in_it(tmp_path, rows):
    """Rows read are rows kept and rows refused, each refused row and cell is listed, and each row keeps its number."""
    folder = tmp_path / "x"
    if not folder.exists():
        files.write_blades(folder, files.a_return(), 2025)
    text = "requeststableid,persontableid,receiveddate,requestoutcome\n"
    text += "".join(",".join(row[:4]) + (",extra" if row[4] else "") + "\n" for row in rows)
    if not any(any(row[:4]) and not row[4] for row in rows):
        return
    (folder / "Blade-Export_01-02-2025_requests.csv").write_text(text)
    loaded = read_sen2(folder, files.KEY).tables["requests"]
    filled = [row for row in rows if any(row[:4]) or row[4]]
    assert loaded.summary.rows_read == len(filled)
    whole = loaded.quarantine[loaded.quarantine["column"] == ""]
    assert len(loaded.frame) + len(whole) == len(filled)
    assert sorted([*loaded.frame["row"], *whole["row"]]) == [n for n, row in enumerate(rows, 2) if row in filled]
