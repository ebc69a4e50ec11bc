"""The screener of open data: every rule passes a good file and stops a bad one, in the order of its stages."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.cli import main
from jsna.errors import SourceError
from jsna.pack.open_data.lookups import lists, rules_by_stage, time_identifiers
from jsna.pack.open_data.pair import Pair, read_table
from jsna.pack.open_data.places import Places, places_at_hand
from jsna.pack.open_data.rules import RULES
from jsna.pack.open_data.screener import pairs_in, screen_pair, screened

# A file as the standard's guide describes it, with invented numbers.
HEAD = """\
time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,\
old_la_code,new_la_code,la_name,ward_code,ward_name,sen_status,sen_provision,ethnicity_minor,pupil_count,pupil_percent
"""
WHEN, EAST = "202526,Academic year", "E92000001,England,E12000006,East of England"
REGIONAL = f"{WHEN},Regional,{EAST},,,,,,Total,Total,Total,1000,100\n"
LUTON = f"{WHEN},Local authority,{EAST},821,E06000032,Luton,,"
LOCAL = f"{LUTON},Total,Total,Total,400,100\n"
PLANS = f'{LUTON},Any special educational need,"Education, health and care plan",Total,20,5\n'
SUPPORT = f"{LUTON},Any special educational need,SEN support / SEN without an EHC plan,White and Asian,c,c\n"
LAST = f"{WHEN},Ward,{EAST},821,E06000032,Luton,E05014737,Biscot,Total,Total,Total,30,x\n"
DATA = HEAD + REGIONAL + LOCAL + PLANS + SUPPORT + LAST
META = """\
col_name,col_type,label,indicator_grouping,indicator_unit,indicator_dp,filter_hint,filter_grouping_column
sen_provision,Filter,SEN provision,,,,Filter by SEN provision,sen_status
ethnicity_minor,Filter,Ethnic group,,,,,
pupil_count,Indicator,Number of pupils,,,0,,
pupil_percent,Indicator,Percentage of pupils,,%,1,,
"""


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)


def long_table(rows: int) -> pd.DataFrame:
    """The good file's rows again and again, each with an ethnic group of its own."""
    again = table(DATA).iloc[[n % 5 for n in range(rows)]].reset_index(drop=True)
    return again.assign(ethnicity_minor=[str(n) for n in range(rows)])


def pair(data: str = DATA, meta: str = META, name: str = "send.csv", meta_name: str = "send.meta.csv", **more) -> Pair:
    return Pair(name, meta_name, more.get("table", table(data)), table(meta), more.get("places", Places()))


def data_with(old: str, new: str, how_often: int = -1) -> dict[str, str]:
    assert old in DATA
    return {"data": DATA.replace(old, new, how_often)}


def meta_with(old: str, new: str) -> dict[str, str]:
    assert old in META
    return {"meta": META.replace(old, new)}


def renamed(old: str, new: str) -> dict[str, str]:
    return {"data": DATA.replace(old, new), "meta": META.replace(old, new)}


def row(line: str, old: str, new: str) -> dict[str, str]:
    """The good file with one line changed."""
    assert old in line
    assert line in DATA
    return {"data": DATA.replace(line, line.replace(old, new))}


MONTHS = DATA.replace("202526,Academic year", "2025,January")
CENTURY = DATA.replace("202526", "199900")
# Of each rule: one change that breaks it, and one near it that does not.
CASES = {
    "filename_spaces": ({"name": "se nd.csv", "meta_name": "se nd.meta.csv"}, {"name": "s-e_nd.csv"}),
    "filename_characters": ({"meta_name": "send(1).meta.csv"}, {"name": "send-1_B.csv"}),
    "filename_stems": ({"meta_name": "send2.meta.csv"}, {"name": "a.csv", "meta_name": "a.meta.csv"}),
    "data_required": (data_with("country_name", "country"), {}),
    "meta_required": (meta_with(",filter_hint", ",hint"), {}),
    "meta_unknown_column": (
        meta_with("filter_grouping_column", "filter_group"),
        meta_with("filter_grouping_column", "filter_grouping_column,parent_filter,filter_default"),
    ),
    "column_twice": ({"table": table(DATA).rename(columns={"pupil_percent": "pupil_count"})}, {}),
    "meta_too_many_rows": (
        {"table": table(DATA)[[*lists()["data_columns"], "sen_provision", "pupil_count", "pupil_percent"]]},
        {
            "table": table(DATA)[
                [*lists()["data_columns"], "sen_provision", "ethnicity_minor", "pupil_count", "sen_status"]
            ]
        },
    ),
    "meta_not_in_data": (meta_with("pupil_count", "pupils"), {}),
    "data_not_in_meta": (
        {"meta": META.replace("pupil_percent,Indicator,Percentage of pupils,,%,1,,\n", "")},
        {},  # the grouping column sen_status is not described, and need not be
    ),
    "column_characters": (renamed("pupil_count", "pupil count"), renamed("pupil_count", "pupil-count")),
    "column_snake_case": (renamed("pupil_count", "pupilCount"), renamed("pupil_count", "pupils_2")),
    "column_start": (renamed("pupil_count", "2_pupils"), renamed("pupil_count", "p2_pupils")),
    "indicator_of_group": (
        renamed("pupil_count", "pupil_count_female"),
        renamed("ethnicity_minor", "white_british"),  # of a filter it does not tell
    ),
    "column_characteristic": (
        renamed("ethnicity_minor", "characteristic"),
        renamed("ethnicity_minor", "characteristic_2"),
    ),
    "meta_col_type": (meta_with("Filter,Ethnic", "filter,Ethnic"), {}),
    "meta_col_name_blank": (meta_with("ethnicity_minor,Filter", ",Filter"), {}),
    "meta_of_place_or_time": (meta_with("ethnicity_minor,Filter", "ward_name,Filter"), {}),
    "meta_col_name_twice": (meta_with("pupil_percent,", "pupil_count,"), {}),
    "meta_label_twice": (meta_with("Percentage of pupils", "Number of pupils"), meta_with("Percentage", "Number %")),
    "meta_label_blank": (meta_with("Percentage of pupils", " "), {}),
    "meta_filter_blank": (
        meta_with("Ethnic group,,,,", "Ethnic group,,,0,"),
        meta_with("pupils,,,0", "pupils,Pupils,,0"),
    ),
    "meta_indicator_blank": (meta_with("pupils,,,0,,", "pupils,,,0,Hint,"), {}),
    "meta_unit": (meta_with("pupils,,%", "pupils,,percent"), meta_with("pupils,,%", "pupils,,£m")),
    "meta_dp": (meta_with("%,1", "%,1.5"), meta_with("%,1", "%,0")),
    "meta_dp_blank": (meta_with("%,1", "%,"), {}),
    "meta_group_not_in_data": (meta_with("provision,sen_status", "provision,sen_state"), {}),
    "meta_group_described": ({"meta": META + "sen_status,Filter,SEN status,,,,,\n"}, {}),
    "time_identifier_unknown": (data_with("Academic year", "academic year"), {"data": MONTHS}),
    "time_identifier_mixed": (
        row(LAST, "Academic year", "Calendar year"),
        {"data": MONTHS.replace("2025,January,Ward", "2025,March,Ward")},
    ),
    "time_period_digits_only": (data_with("202526", "2025/26"), {}),
    "filter_single": (row(SUPPORT, "White and Asian", "Total"), {}),
    "level_unknown": (row(LAST, "Ward", "ward"), {}),
    "level_columns_missing": (
        {"table": table(DATA).drop(columns="ward_name")},
        {"table": table(DATA.replace(LAST, "")).drop(columns="ward_name")},
    ),
    "level_not_alone": (row(LAST, "Ward", "School"), {"table": table(DATA).assign(geographic_level="School")}),
    "time_period_length": (data_with("202526", "2025"), {"data": MONTHS}),
    "time_period_consecutive": (row(LAST, "202526", "202527"), {"data": CENTURY}),
    "filter_blank": (row(SUPPORT, "White and Asian", ""), {}),
    "filter_whitespace": (row(SUPPORT, "White and Asian", "White and Asian "), {}),
    "filter_group_levels": (
        {"table": table(DATA).assign(sen_status=["a", "b", "c", "d", "e"])},
        {"table": table(DATA).assign(sen_status=["a", "b", "c", "c", "c"])},  # as many as there are items
    ),
    "filter_too_many_items": (
        {"table": long_table(25001)},
        {"table": long_table(25000)},
    ),
    "total_in_places": (row(LAST, "Biscot", "All"), row(LAST, "Biscot", "Allerton")),
    "filter_no_total": (
        {"table": table(DATA).assign(ethnicity_minor=["Irish", "Irish", "Indian", "Chinese", "Irish"])},
        {
            "table": table(DATA).assign(ethnicity_minor=["Irish", "Irish", "Indian", "Chinese", "Irish"]),
            "meta": META.replace("grouping_column\n", "grouping_column,filter_default\n").replace(
                "Ethnic group,,,,,", "Ethnic group,,,,,,Irish"
            ),
        },
    ),
    "country_pair": (row(LAST, "E92000001", "E92000002"), row(LAST, "E92000001,England", "K02000001,United Kingdom")),
    "region_pair": (
        row(REGIONAL, "East of England", "London"),
        row(REGIONAL, "E12000006,East of England", "E13000001,Inner London"),
    ),
    "la_triple": (row(LOCAL, "Luton", "Bedford"), row(LOCAL, "821,E06000032,Luton", "836,E06000029,Poole")),
    "lad_pair": (
        {"table": table(DATA).assign(lad_code="E06000032", lad_name=["", "", "", "", "Bedford"])},
        {"table": table(DATA).assign(lad_code=["", "", "", "", "E06000032"], lad_name=["", "", "", "", "Luton"])},
    ),
    "ward_pair": (row(LAST, "Biscot", "Barnfield"), row(LAST, "E05014737,Biscot", "x,Not available")),
    "pair_unchecked": (
        row(LAST, "821,E06000032,Luton,E05014737,Biscot", "822,E06000055,Bedford,E05014502,Biddenham"),
        row(LAST, "Biscot", "Barnfield"),  # of an area whose wards are listed: looked up, and refused by ward_pair
    ),
    "place_blank": (row(LAST, "E05014737", ""), row(LOCAL, "E06000032", "")),
    "place_overfilled": (row(REGIONAL, "East of England,,,", "East of England,821,E06000032,Luton"), {}),
    "place_code_shared": (
        row(LAST, "E12000006,East of England", "E12000006,London"),
        {"table": table(DATA).assign(ward_code="x", ward_name=["", "", "", "Here", "There"])},
    ),
    "la_region_blank": (row(LOCAL, "E12000006,East of England", ","), {}),
    "la_without_regions": (
        row(REGIONAL, REGIONAL, ""),
        {"data": DATA.replace(LOCAL, "").replace("Local authority", "Ward")},
    ),
    "row_twice": ({"data": DATA + LAST.replace("30,x", "31,x")}, {"data": (DATA + LAST).replace(",Ward,", ",School,")}),
    "absent_word": (row(LAST, "30,x", "NA,x"), row(LAST, "30,x", "N/A,x")),
    "indicator_blank": (row(LAST, "30,x", ",x"), row(LAST, "30,x", "0,x")),
    "indicator_symbol_refused": (row(LAST, "30,x", "~,x"), row(LAST, "30,x", "low,x")),
    "indicator_symbol_old": (row(LAST, "30,x", "..,x"), row(LAST, "30,x", "z,x")),
    "indicator_no_number": (row(LAST, "30,x", "30,12%"), row(LAST, "30,x", "30,-12.5")),
    "harmonised_name": (renamed("ethnicity_minor", "ethnic_group"), renamed("ethnicity_minor", "ethnicity_major")),
    "ethnicity_item": (
        row(LAST, "Total,Total,Total", "Total,Total,White - Irish"),
        row(LAST, "Total,Total,Total", "Total,Total,Gypsy or Irish Traveller"),
    ),
    "api_location_code": (
        row(LAST, "821,E06000032,Luton,E05014737", "822,E06000055,Bedford," + "E" * 31),
        row(LAST, "E05014737", "E" * 30),
    ),
    "api_column_name": (renamed("pupil_count", "p" * 51), renamed("pupil_count", "p" * 50)),
    "api_label": (meta_with("Number of pupils", "p" * 101), meta_with("Number of pupils", "p" * 100)),
    "api_filter_item": (
        row(SUPPORT, "White and Asian", "p" * 121),
        row(SUPPORT, "White and Asian", "p" * 120),
    ),
}
TOLD = {told.id: told for stage in rules_by_stage().values() for told in stage}
NO_OFFENCE = Pair("send.csv", "send.meta.csv", table(DATA), table(META), Places())


def broken(rule: str, files: Pair) -> list[str]:
    return [o.column for o in RULES[rule](files)]


def test_the_good_file_is_clean():
    assert screened(NO_OFFENCE).findings == ()


def test_every_rule_has_its_function_its_words_and_its_cases():
    assert set(RULES) == set(TOLD) == set(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_its_breach_and_lets_what_is_near_it_pass(rule):
    bad, near = CASES[rule]
    assert list(RULES[rule](pair(**bad)))
    assert list(RULES[rule](pair(**near))) == []


@pytest.mark.parametrize("rule", [name for name, told in TOLD.items() if told.level == "FAIL"])
def test_a_breach_that_fails_is_among_what_stops_the_screening(rule):
    """No earlier stage may hide it: what is broken is said, and nothing after that stage is looked at."""
    result = screened(pair(**CASES[rule][0]))
    assert result.stopped_at == TOLD[rule].stage
    assert rule in {f.rule for f in result.failed}
    order = list(rules_by_stage())
    assert all(order.index(f.stage) <= order.index(result.stopped_at) for f in result.findings)


@pytest.mark.parametrize("rule", [name for name, told in TOLD.items() if told.level == "WARN"])
def test_a_breach_that_warns_lets_the_file_pass(rule):
    result = screened(pair(**CASES[rule][0]))
    assert rule in {f.rule for f in result.warned}
    assert rule not in {f.rule for f in result.failed}


def test_a_finding_says_where_what_and_what_to_do():
    (finding,) = screened(pair(**data_with("202526", "2025/26"))).failed
    assert (finding.file, finding.column, finding.row, finding.rows, finding.value) == (
        "send.csv",
        "time_period",
        2,
        5,
        "2025/26",
    )
    assert "202526" in finding.mend
    assert "row 2 (5 rows)" in str(finding)


def test_a_stage_names_all_that_is_wrong_in_it():
    files = pair(data=DATA.replace("30,x", ",~").replace("1000,100", ":,100"))
    assert sorted((f.rule, f.column) for f in screened(files).failed) == [
        ("indicator_blank", "pupil_count"),
        ("indicator_symbol_refused", "pupil_count"),
        ("indicator_symbol_refused", "pupil_percent"),
    ]


@pytest.mark.parametrize("word", lists()["demographic_words"])
def test_no_indicator_may_name_a_group_of_people(word):
    assert broken("indicator_of_group", pair(**renamed("pupil_count", f"count_{word}_pupils"))) == [
        f"count_{word}_pupils"
    ]


@pytest.mark.parametrize("identifier", time_identifiers())
def test_every_identifier_of_the_standard_passes_with_its_digits_and_no_other(identifier):
    _, digits = time_identifiers()[identifier]
    good, bad = {6: ("202526", "2025"), 4: ("2025", "202526")}[digits]
    made = table(DATA).assign(time_identifier=f"{identifier}")
    assert broken("time_identifier_unknown", pair(table=made)) == []
    assert broken("time_period_length", pair(table=made.assign(time_period=good))) == []
    assert broken("time_period_length", pair(table=made.assign(time_period=bad))) == ["time_period"]


@settings(deadline=None, max_examples=60)
@given(st.integers(1900, 2098), st.integers(0, 99))
def test_only_the_year_after_follows(first, second):
    made = table(DATA).assign(time_period=f"{first}{second:02d}")
    assert (broken("time_period_consecutive", pair(table=made)) == []) == (str(first + 1)[2:] == f"{second:02d}")


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter(order):
    made = table(DATA + LAST.replace("Biscot", "Bisscot"))
    mixed = made.iloc[[*order, 5]].reset_index(drop=True)
    assert [f.rule for f in screened(pair(table=mixed)).failed] == [f.rule for f in screened(pair(table=made)).failed]


def test_wards_of_all_england_are_looked_up_where_official_files_are_at_hand(official_data):
    places = places_at_hand(official_data)
    assert places.whole
    good = row(LAST, "821,E06000032,Luton,E05014737,Biscot", "301,E09000002,Barking and Dagenham,E05000026,Abbey")
    assert broken("ward_pair", pair(**good, places=places)) == []
    assert broken("pair_unchecked", pair(**good, places=places)) == []
    assert broken("ward_pair", pair(data=good["data"].replace("Abbey", "Abby"), places=places)) == ["ward_code"]


def written(folder, name="send", data=DATA, meta=META):
    (folder / f"{name}.csv").write_text(data, encoding="utf-8")
    if meta:
        (folder / f"{name}.meta.csv").write_text(meta, encoding="utf-8")


def test_the_command_says_what_passes_and_what_does_not(tmp_path, capsys):
    written(tmp_path)
    assert main(["screen", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "send.csv: passes.\n"
    written(tmp_path, "again", data=DATA.replace("Luton", "Lutton"))
    assert main(["screen", str(tmp_path)]) == 1
    assert "FAIL la_triple: again.csv, column old_la_code, row 3 (4 rows)" in capsys.readouterr().out
    assert main(["screen", str(tmp_path / "send.meta.csv")]) == 0


def test_half_a_pair_fails_and_what_cannot_be_read_is_said(tmp_path, capsys):
    written(tmp_path, meta="")
    assert main(["screen", str(tmp_path)]) == 1
    assert "filename_stems" in capsys.readouterr().out
    written(tmp_path, data=DATA + "one,two\n")
    assert main(["screen", str(tmp_path)]) == 2
    assert "Row 7 has 2 cells, and the head has 17." in capsys.readouterr().err
    assert main(["screen", str(tmp_path / "nothing")]) == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        ("col_name\n£m\n".encode("cp1252"), "not UTF-8"),
        (b'a,b\n"1,2\n', "not a CSV"),
        (b"a,b\n1,2\n\n3,4\n", "Row 3 has 0 cells"),
        (b"a;b\n1,2\n", "Row 2 has 2 cells"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, content, what):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError, match=what):
        read_table(tmp_path / "a.csv")


def test_a_byte_order_mark_and_blank_lines_at_the_end_do_no_harm(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,NA\r\n\r\n")
    assert read_table(tmp_path / "a.csv").to_dict("records") == [{"a": "1", "b": "NA"}]


def test_a_pack_is_screened_by_its_open_data(tmp_path):
    (tmp_path / "open-data").mkdir()
    (tmp_path / "flags.csv").write_text("a\n", encoding="utf-8")
    written(tmp_path / "open-data")
    ((data, meta),) = pairs_in(tmp_path)
    assert (data.name, meta.name) == ("send.csv", "send.meta.csv")
    assert screen_pair(data, meta, Places()).findings == ()


def test_a_file_that_dfe_published_passes_but_for_a_name_that_was_harmonised_since(official_data):
    folder = official_data / "ees/school-pupils-and-their-characteristics"
    name = "spc_pupils_ethnicity_and_language_"
    if not (folder / f"{name}.csv.gz").exists():
        pytest.skip("the file of pupils by ethnic group and language is not at hand")
    meta = read_table(folder / f"{name}.meta.csv")
    data = pd.read_csv(folder / f"{name}.csv.gz", dtype="str", keep_default_na=False, encoding="utf-8-sig")
    result = screened(Pair(f"{name}.csv", f"{name}.meta.csv", data, meta, places_at_hand(official_data)))
    assert [(f.rule, f.column) for f in result.findings] == [("harmonised_name", "ethnicity")]
