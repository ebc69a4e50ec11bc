"""The same twelve pupils in every form that a census comes in give the same table, worked out by hand."""

import gzip
import re

import census_samples as cs
import pandas as pd
import pytest

from jsna.errors import SourceError
from jsna.sources.census_blade import kind_of
from jsna.sources.census_npd import stem
from jsna.sources.census_tables import (
    END_FIRST,
    END_NOT_READ,
    RANK_NOT_READ,
    SAME_RANK,
    START_NOT_READ,
    THIRD,
    eligible_on,
    needs_by_rank,
)
from jsna.sources.pupils import read_pupils, recognise


def read(*paths, **context):
    return read_pupils(paths, cs.context(**context))


def agrees(table, without=(), **period) -> None:
    """All twelve are read, the second registration is put aside, and the table is the one worked out by hand."""
    got, by_hand = table.loaded.frame, cs.expected(**period)
    pd.testing.assert_frame_equal(cs.as_text(got, without), cs.as_text(by_hand, without))
    assert (table.loaded.summary.rows_read, table.loaded.summary.rows_refused) == (12, 1)
    assert table.loaded.quarantine["rule"].tolist() == [
        "a second registration: the pupil is counted at the main school"
    ]


# COLLECT tables ------------------------------------------------------------------------------------------------------


def test_a_folder_of_collect_tables(tmp_path):
    agrees(read(cs.write_blades(tmp_path, cs.collect_tables())))


def test_a_zip_of_collect_tables(tmp_path):
    folder = cs.write_blades(tmp_path / "tables", cs.collect_tables())
    agrees(read(cs.zip_folder(folder, tmp_path / "census.zip")))


def test_any_one_table_stands_for_its_delivery_and_is_read_once(tmp_path):
    cs.write_blades(tmp_path, cs.collect_tables())
    agrees(read(*sorted(tmp_path.glob("*.csv"))))


def test_tables_are_told_by_their_headings_and_not_by_their_names(tmp_path):
    tables = cs.collect_tables()
    for number, kind in enumerate(tables):
        cs.put(tmp_path / f"{number}.CSV", cs.csv_text(tables[kind]))
    agrees(read(tmp_path))


def test_other_tables_of_the_return_are_passed_over(tmp_path):
    cs.write_blades(tmp_path, cs.collect_tables())
    keys = {"termlysessiondetailsonrolltableid": "1", "pupilonrolltableid": "1001", "NativeId": "8219060"}
    row = {**keys, "termlysessiondetailsonrollorderseqcolumn": "1", "sourceid": "1", "sessions": "3"}
    cs.put(tmp_path / "2026_spring_termlysessiondetailsonroll.csv", cs.csv_text([row]))
    agrees(read(tmp_path))


ERAS = {"2015": "201415", "2017": "201617", "2019": "201819", "2024": "202324", "2025": "202425", "2026": "202526"}


def test_several_deliveries_with_the_columns_of_their_years(tmp_path):
    """Gender before 2024/25, no URN before 2018/19; ids that start anew in each delivery, and schools that stay."""
    for year in ERAS:
        pupils = [cs.other(p, dob=f"{int(p.dob[:4]) - 2026 + int(year)}{p.dob[4:]}") for p in cs.PUPILS]
        pupils = [cs.other(p, dob=p.dob.replace("02-29", "02-28"), meals=()) for p in pupils]
        tables = cs.collect_tables(pupils, day=f"{year}-01-15")
        assert ("urn" in tables["schoolcensus"][0]) == (int(year) >= 2019)
        assert ("gender" in tables["pupilonroll"][0]) == (int(year) <= 2024)
        cs.write_blades(tmp_path / year, tables, f"{year}_spring_")
    frame = read(tmp_path, register=False).loaded.frame
    by_hand = cs.expected().assign(fsm_eligible="False")
    for year, period in ERAS.items():
        own = frame[frame["time_period"] == period]
        same = by_hand.assign(time_period=period, census_date=f"{year}-01-15")
        pd.testing.assert_frame_equal(cs.as_text(own), cs.as_text(same))


def test_several_deliveries_in_one_folder_are_told_by_their_names(tmp_path):
    cs.write_blades(tmp_path, cs.collect_tables(), "2026_spring_")
    cs.write_blades(tmp_path, cs.collect_tables(day="2025-01-16"), "2025_spring_")
    frame = read(tmp_path).loaded.frame
    assert frame["time_period"].value_counts().to_dict() == {"202425": 11, "202526": 11}


def test_needs_of_another_delivery_under_the_same_ids_are_noticed(tmp_path):
    tables = cs.collect_tables()
    tables["senneeds"] = [row | {"NativeId": "8219099"} for row in tables["senneeds"]]
    with pytest.raises(SourceError, match=r"senneeds.csv, row 2: 9 of 9 rows lead to pupils of another school"):
        read(cs.write_blades(tmp_path, tables))


def test_a_single_row_of_another_delivery_is_put_aside(tmp_path):
    tables = cs.collect_tables([cs.other(p, serial=100 * k + p.serial) for k in range(5) for p in cs.PUPILS[:10]])
    tables["senneeds"][1]["NativeId"] = "8219061"
    tables["senneeds"][3]["pupilonrolltableid"] = "99999"
    table = read(cs.write_blades(tmp_path, tables))
    assert table.loaded.summary.rows_kept == 50
    q = table.loaded.quarantine
    assert q["row"].tolist() == [3, 5]
    assert q["rule"].str.contains("another delivery|not in the table of pupils").all()


def test_the_school_of_the_header_stands_in_for_a_number_that_a_spreadsheet_has_shortened(tmp_path):
    tables = cs.collect_tables()
    tables["pupilonroll"] = [row | {"NativeId": "8.22E+06"} for row in tables["pupilonroll"]]
    agrees(read(cs.write_blades(tmp_path, tables)))


def test_a_table_that_has_only_its_headings_is_no_fault(tmp_path):
    folder = cs.write_blades(tmp_path, cs.collect_tables(cs.PUPILS[:1]))
    (folder / "2026_spring_senneeds.csv").write_text(
        "senneedstableid,NativeId,senneedsorderseqcolumn,sourceid,pupilonrolltableid,sentyperank,sentype\n"
    )
    assert read(folder).loaded.summary.rows_kept == 1


@pytest.mark.parametrize(
    ("kind", "check", "note"),
    [
        ("fsmperiod", "free meals empty", "table of free-meal periods is missing"),
        ("addresses", None, "table of addresses is missing"),
        ("school", "kind of school unknown", "table of schools is missing"),
    ],
)
def test_a_table_that_can_be_done_without_is_said_to_be_missing(tmp_path, kind, check, note):
    tables = cs.collect_tables()
    del tables[kind]
    table = read(cs.write_blades(tmp_path, tables), register=False)
    assert table.loaded.summary.rows_kept == 11
    assert any(note in n for n in table.loaded.summary.notes)
    assert check is None or check in set(table.findings["check"])


def test_of_two_addresses_the_first_by_its_order_column_is_used(tmp_path):
    tables = cs.collect_tables()
    first = tables["addresses"][0]
    tables["addresses"].insert(0, first | {"addressesorderseqcolumn": "2", "postcode": "XL1 1AB"})
    table = read(cs.write_blades(tmp_path, tables))
    agrees(table)
    assert any(n.startswith("1 further address was passed over") for n in table.loaded.summary.notes)


def test_gender_fills_sex_when_two_years_were_joined(tmp_path):
    tables = cs.collect_tables()
    for place, row in enumerate(tables["pupilonroll"]):
        row |= {"gender": row["sex"], "sex": "" if place % 2 else row["sex"]}
    table = read(cs.write_blades(tmp_path, tables))
    agrees(table)
    assert any("sex and gender are both there" in n for n in table.loaded.summary.notes)


def test_a_reason_for_exclusion_is_no_type_of_need():
    headings = ["termlyexclusionsonrolltableid", "NativeId", "pupilonrolltableid", "category", "reason1"]
    assert kind_of(headings) == ""


# XML -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nested", [True, False], ids=["pupils in the school", "pupils beside the school"])
@pytest.mark.parametrize("ns", ["", "x:"], ids=["one namespace", "a prefix"])
def test_xml_of_an_authority(tmp_path, nested, ns):
    agrees(read(cs.write_xml_authority(tmp_path / "la.xml", nested=nested, ns=ns)))


def test_xml_of_each_school(tmp_path):
    table = read(cs.write_xml_schools(tmp_path))
    agrees(table)
    assert len(table.loaded.summary.file.split(", ")) == 3


def test_xml_that_is_gzipped_or_has_another_name(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    packed = tmp_path / "packed.xml.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    agrees(read(packed))
    agrees(read(path.rename(tmp_path / "la.txt")))


def test_xml_on_one_line_keeps_its_pupils_apart(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    path.write_text(path.read_text().replace("\n", ""))
    agrees(read(path))


def test_xml_with_identifiers_last_in_each_pupil(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    moved = re.sub(
        r"<PupilOnRoll>(<PupilIdentifiers>.*?</PupilIdentifiers>)(.*?)</PupilOnRoll>",
        r"<PupilOnRoll>\2\1</PupilOnRoll>",
        path.read_text(),
    )
    assert "<PupilOnRoll><PupilCharacteristics>" in moved
    path.write_text(moved)
    agrees(read(path))


def test_xml_whose_needs_have_no_element_of_their_own(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    path.write_text(path.read_text().replace("<SENneed>", "").replace("</SENneed>", ""))
    agrees(read(path))


def test_a_school_without_a_number_does_not_go_by_the_one_before_it(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    text = path.read_text().replace("<Estab>9061</Estab><URN>900061</URN><Phase>SS</Phase>", "")
    path.write_text(text)
    table = read(path)
    frame = table.loaded.frame
    assert frame["school_urn"].value_counts().to_dict() == {"900060": 5, "": 4, "900062": 2}
    assert table.findings.set_index("check").loc["school missing", "count"] == 4


def test_a_pupil_without_identifiers_is_still_a_pupil(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    path.write_text(re.sub(r"<PupilIdentifiers>.*?</PupilIdentifiers>", "", path.read_text(), count=1))
    table = read(path)
    assert table.loaded.summary.rows_read == 12
    assert table.findings.set_index("check").loc["upn missing", "count"] == 1


def test_leavers_are_counted_in_a_note_alone(tmp_path):
    path = cs.write_xml_authority(tmp_path / "la.xml")
    leaver = "<PupilNoLongerOnRoll><PupilIdentifiers><UPN>x</UPN></PupilIdentifiers></PupilNoLongerOnRoll>"
    left = f"<PupilsNoLongerOnRoll>{leaver * 2}</PupilsNoLongerOnRoll></Pupils>"
    path.write_text(path.read_text().replace("</Pupils>", left, 1))
    table = read(path)
    agrees(table)
    assert any("2 pupils no longer on roll are not counted" in n for n in table.loaded.summary.notes)


# Flat ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [0, 1, 2])
def test_flat_extracts_in_three_spellings(tmp_path, spelling):
    agrees(read(cs.write_flat(tmp_path / "2026_spring.csv", cs.flat_rows(spelling=spelling))))


WRITTEN = {
    "tabs": ("\t", "utf-8"),
    "semicolons": (";", "utf-8"),
    "pipes": ("|", "utf-8"),
    "cp1252": (",", "cp1252"),
    "utf-16": ("\t", "utf-16"),
    "with a mark": (",", "utf-8-sig"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_flat_extracts_however_they_are_written(tmp_path, name):
    delimiter, encoding = WRITTEN[name]
    rows = [{**row, "Surname": "Señor’"} for row in cs.flat_rows()]
    agrees(read(cs.write_flat(tmp_path / "census_2026-01-15.csv", rows, delimiter, encoding)))


def test_a_gzipped_flat_extract(tmp_path):
    path = tmp_path / "2026_spring.csv.gz"
    path.write_bytes(gzip.compress(cs.csv_text(cs.flat_rows()).encode()))
    agrees(read(path))


def test_a_workbook_with_a_title_and_a_sheet_of_notes(tmp_path):
    notes = [{"About": "Extract of the census", "By": "The data team"}]
    sheets = {"Read me": notes, "Pupils": cs.flat_rows()}
    table = read(cs.write_workbook(tmp_path / "2026_spring.xlsx", sheets, above=[["Spring census"], []]))
    agrees(table)
    assert any("Sheet “Pupils” was read" in n for n in table.loaded.summary.notes)


def test_the_day_is_that_of_the_rows_then_of_the_name_then_of_the_params(tmp_path):
    rows = cs.flat_rows()
    dated = [{**row, "Census date": "15/01/2026"} for row in rows]
    agrees(read_pupils([cs.write_flat(tmp_path / "2024_spring.csv", dated)], cs.context(), "2025-01-16"))
    agrees(read_pupils([cs.write_flat(tmp_path / "2026_spring.csv", rows)], cs.context(), "2025-01-16"))
    agrees(read_pupils([cs.write_flat(tmp_path / "pupils.csv", rows)], cs.context(), "2026-01-15"))


def test_names_and_addresses_are_never_read_and_other_columns_are_named(tmp_path):
    rows = [{**row, "Legal Surname (pupil)": "Surname0002", "Ward": "A ward", "CLA": "0"} for row in cs.flat_rows()]
    table = read(cs.write_flat(tmp_path / "2026_spring.csv", rows))
    agrees(table)
    assert any(n.startswith("Columns not used: ") and "Ward, CLA" in n for n in table.loaded.summary.notes)
    said = " ".join(table.loaded.summary.notes)
    assert "Surname0" not in said


def test_rows_of_totals_and_a_heading_row_in_the_midst_are_put_aside(tmp_path):
    rows = cs.flat_rows()
    total = dict.fromkeys(rows[0], "") | {"UPN": "Total", "SENNeed1": "6"}
    again = {heading: heading for heading in rows[0]}
    table = read(cs.write_flat(tmp_path / "2026_spring.csv", [*rows[:6], again, *rows[6:], total]))
    q = table.loaded.quarantine
    assert q["row"].tolist() == [8, 14, 15]
    assert table.loaded.summary.rows_read == 14
    assert table.loaded.summary.rows_kept == 11
    assert q["rule"].str.contains("heading row|second registration|row of totals").all()


def test_an_extract_with_lsoas_in_the_place_of_postcodes(tmp_path):
    rows = []
    for pupil, row in zip(cs.PUPILS, cs.flat_rows(), strict=True):
        row["LSOA"] = cs.POSTCODES.get(pupil.postcode, "")
        del row["Postcode"]
        rows.append(row)
    agrees(read(cs.write_flat(tmp_path / "2026_spring.csv", rows), directory=False))


# Research extracts ---------------------------------------------------------------------------------------------------


def test_a_research_extract_of_one_year(tmp_path):
    agrees(read(cs.put(tmp_path / "npd.csv", cs.csv_text(cs.npd_rows()))), without=["pupil_id"])


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_research_extract_in_any_case(tmp_path, case):
    rows = [{case(k): v for k, v in row.items()} for row in cs.npd_rows()]
    agrees(read(cs.put(tmp_path / "npd.csv", cs.csv_text(rows))), without=["pupil_id"])


def test_names_of_earlier_years(tmp_path):
    """Gender, EthnicGroup and FirstLanguage; an edition in the middle of a heading; a prefix of another census."""
    old = {"Sex": "Gender", "EthnicGroupMinor": "EthnicGroup", "Language": "FirstLanguage", "LSOA21": "LLSOA"}
    rows = cs.npd_rows(**old, IDACIScore_25="IDACIScore_15", SENprovision="SENstatus")
    rows = [{**row, "AP_SENProvision": "K", "IDACIRank_10": "1"} for row in rows]
    agrees(read(cs.put(tmp_path / "npd.csv", cs.csv_text(rows))), without=["pupil_id"])


def test_without_a_month_of_birth_the_column_of_ages_is_used(tmp_path):
    rows = [{k: v for k, v in row.items() if "OfBirth" not in k} for row in cs.npd_rows()]
    agrees(read(cs.put(tmp_path / "npd.csv", cs.csv_text(rows))), without=["pupil_id"])


def test_a_wide_extract_of_three_years_has_one_row_a_pupil(tmp_path):
    """The reference has no year; who is not in a census has nothing in its columns."""
    rows = []
    for place, pupil in enumerate(cs.PUPILS[:11]):
        row = {"PupilMatchingRefAnonymous": f"SYN{pupil.serial:015}"}
        for year in ("24", "25", "26"):
            own = cs.npd_rows([pupil], year)[0]
            del own[f"PupilMatchingRefAnonymous_SPR{year}"]
            absent = year == "24" and place < 3
            row |= {k: "" if absent else v for k, v in own.items()}
        row |= {"SENprovision_AUT25": "N", "SENprovision_SUM26": "N"}
        rows.append(row)
    table = read(cs.put(tmp_path / "npd.csv", cs.csv_text(rows)))
    frame = table.loaded.frame
    assert frame["time_period"].value_counts().to_dict() == {"202324": 8, "202425": 11, "202526": 11}
    assert frame["pupil_id"].nunique() == 11
    assert table.loaded.summary.rows_read == table.loaded.summary.rows_kept == 30
    latest = frame[frame["time_period"] == "202526"]
    pd.testing.assert_frame_equal(cs.as_text(latest, ["pupil_id"]), cs.as_text(cs.expected(), ["pupil_id"]))
    notes = " ".join(table.loaded.summary.notes)
    assert "Columns of AUT and SUM were passed over" in notes
    assert "3 times a pupil of the file is not in one of its censuses" in notes


HEADINGS = [
    ("EthnicGroupMinor_SPR22", ("EthnicGroupMinor", "SPR", "22")),
    ("senprovision_spr22", ("senprovision", "SPR", "22")),
    ("SENstatus_04", ("SENstatus", "", "04")),
    ("IDACIRank_25_SPR26", ("IDACIRank", "SPR", "26")),
    ("IDACIDecile_10_AUT12", ("IDACIDecile", "AUT", "12")),
    ("IDACIScore_15", ("IDACIScore", "", "")),
    ("LSOA11", ("LSOA11", "", "")),
    ("LSOA21_SPR26", ("LSOA21", "SPR", "26")),
    ("PupilMatchingRefAnonymous", ("PupilMatchingRefAnonymous", "", "")),
]


@pytest.mark.parametrize(("heading", "parts"), HEADINGS, ids=[h for h, _ in HEADINGS])
def test_a_heading_is_a_field_a_term_and_a_year(heading, parts):
    assert stem(heading) == parts


# All together --------------------------------------------------------------------------------------------------------


def test_a_folder_of_mixed_forms_is_read_whole(tmp_path):
    cs.write_blades(tmp_path / "2026", cs.collect_tables())
    cs.write_xml_schools(tmp_path / "2025", day="2025-01-16")
    cs.write_flat(tmp_path / "2024_spring.csv", cs.flat_rows())
    tables = cs.write_blades(tmp_path / "unpacked", cs.collect_tables(day="2023-01-19"))
    cs.zip_folder(tables, tmp_path / "2023.zip")
    for file in tables.iterdir():
        file.unlink()
    (tmp_path / "notes.docx").write_bytes(b"PK")
    (tmp_path / ".hidden.csv").write_text("x")
    frame = read(tmp_path).loaded.frame
    assert frame["time_period"].value_counts().to_dict() == {"202223": 11, "202324": 11, "202425": 11, "202526": 11}


def test_what_a_file_was_taken_for_and_why(tmp_path):
    forms = {
        "blade": cs.write_blades(tmp_path / "tables", cs.collect_tables()) / "2026_spring_pupilonroll.csv",
        "xml": cs.write_xml_authority(tmp_path / "la.xml"),
        "flat": cs.write_flat(tmp_path / "flat.csv", cs.flat_rows()),
        "npd": cs.put(tmp_path / "npd.csv", cs.csv_text(cs.npd_rows())),
        "": cs.put(tmp_path / "other.csv", "a,b\n1,2\n"),
    }
    assert {form: recognise(path).form for form, path in forms.items()} == {form: form for form in forms}
    assert all(recognise(path).reason for path in forms.values())


# Needs and periods ---------------------------------------------------------------------------------------------------


NEEDS = [
    ([("1", "ASD"), ("2", "MLD")], ("ASD", "MLD"), ["", ""]),
    ([("2", "MLD"), ("1", "ASD")], ("ASD", "MLD"), ["", ""]),
    ([("2.0", "MLD"), ("1.0", "ASD")], ("ASD", "MLD"), ["", ""]),
    ([("2", "MLD")], ("", "MLD"), [""]),
    ([("1", "ASD"), ("1", "MLD")], ("ASD", "MLD"), ["", SAME_RANK]),
    ([("2", "ASD"), ("2", "MLD")], ("ASD", "MLD"), ["", SAME_RANK]),
    ([("1", "ASD"), ("3", "MLD")], ("ASD", "MLD"), ["", RANK_NOT_READ]),
    ([("3", "MLD")], ("MLD", ""), [RANK_NOT_READ]),
    ([("", "MLD"), ("1", "ASD")], ("ASD", "MLD"), [RANK_NOT_READ, ""]),
    ([("1", "ASD"), ("2", "MLD"), ("3", "PD")], ("ASD", "MLD"), ["", "", THIRD]),
    ([("1", ""), ("2", "MLD")], ("", "MLD"), ["", ""]),
]


@pytest.mark.parametrize(("rows", "needs", "trouble"), NEEDS, ids=range(len(NEEDS)))
def test_needs_in_the_order_of_their_ranks(rows, needs, trouble):
    ranks, types = (pd.Series([r[i] for r in rows]) for i in (0, 1))
    wide, said = needs_by_rank(pd.Series("a", index=ranks.index), ranks, types)
    assert tuple(wide.loc["a"]) == needs
    assert said.tolist() == trouble


PERIODS = [
    ("2026-01-15", "", True, ""),
    ("2026-01-16", "", False, ""),
    ("2025-09-01", "2026-01-15", True, ""),
    ("2025-09-01", "2026-01-14", False, ""),
    ("2025-09-01", "NULL", True, ""),
    ("2025-Sep-01 00:00:00", "2026-Feb-28 00:00:00", True, ""),
    ("2026-03-01", "2025-01-01", False, END_FIRST),
    ("2025-09-01", "2026-02-30", False, END_NOT_READ),
    ("", "2026-03-01", False, START_NOT_READ),
    ("soon", "", False, START_NOT_READ),
]


@pytest.mark.parametrize(("start", "end", "inside", "trouble"), PERIODS)
def test_a_free_meal_period_holds_census_day_or_not(start, end, inside, trouble):
    day = pd.Series([pd.Timestamp(cs.DAY)], index=["a"])
    eligible, said = eligible_on(day, pd.Series(["a"]), pd.Series([start]), pd.Series([end]))
    assert (len(eligible) == 1, said.tolist()) == (inside, [trouble])
