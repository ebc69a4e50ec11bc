"""Official files as they come when something went wrong: each fault is named, and no figure is lost or made up."""

from __future__ import annotations

import csv
import gzip
import zipfile

import openpyxl
import pandas as pd
import pytest

from geo.errors import PlaceError
from geo.files import read_place_file
from geo.postcodes import read_postcodes
from jsna.errors import SourceError
from jsna.sources import tables
from jsna.sources.ees import read_ees, read_meta
from jsna.sources.inspections import read_inspections
from jsna.sources.population import read_census_slice, read_nomis_table
from jsna.sources.recognise_official import read_official, recognise
from jsna.sources.tribunal import read_appeals

HEADER = (
    "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
    "new_la_code,la_name,sen_provision,pupil_count,pupil_percent"
)
ENGLAND = "202526,Academic year,National,E92000001,England,,,,,,Total,9000,100"
LUTON = (
    "202526,Academic year,Local authority,E92000001,England,E12000006,East of England,821,E06000032,Luton,Total,80,5"
)
PLAIN = "\n".join([HEADER, ENGLAND, LUTON])


def written(folder, content, name="file.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def luton(**changed):
    names = HEADER.split(",")
    cells = dict(zip(names, LUTON.split(","), strict=True)) | changed
    quoted = [f'"{c}"' if "," in c else c for c in cells.values()]
    return "\n".join([HEADER, ENGLAND, ",".join(quoted)])


# A file of the open data standard: what is wrong, and what is said of the row of Luton, which is refused.
REFUSED_ROWS = {
    "period not consecutive": (luton(time_period="202527"), "no period in four digits"),
    "period of two digits": (luton(time_period="25/26"), "no period in four digits"),
    "period blank": (luton(time_period=""), "no period in four digits"),
    "period a word": (luton(time_period="January"), "no period in four digits"),
    "level unknown": (luton(geographic_level="Borough"), "no geographic level"),
    "level blank": (luton(geographic_level=""), "no geographic level"),
    "total in the place's name": (luton(la_name="Total"), "a total in the place of a place"),
    "all in the place's name": (luton(la_name="All"), "a total in the place of a place"),
    "code cut": (luton(new_la_code="E6000032"), "not a code of this geographic level"),
    "code of a ward": (luton(new_la_code="E05014735"), "not a code of this geographic level"),
    "row twice": (f"{PLAIN}\n{LUTON}", "the same time, place and filters again"),
    "row twice, other figures": (f"{PLAIN}\n{LUTON.replace(',80,', ',81,')}", "the same time, place and filters again"),
    "a comma too many": (f"{PLAIN}\n{LUTON},9", "this row has another number"),
    "a comma too few": (f"{PLAIN}\n{LUTON.rpartition(',')[0]}", "this row has another number"),
}


@pytest.mark.parametrize(("text", "rule"), REFUSED_ROWS.values(), ids=REFUSED_ROWS)
def test_a_row_that_cannot_be_used_is_refused_and_named(tmp_path, text, rule):
    read = read_ees(written(tmp_path, text))
    assert read.summary.rows_refused == 1
    assert rule in read.quarantine["rule"].item()
    assert read.quarantine["row"].item() == len(text.split("\n"))
    assert read.frame["area_name"].iloc[0] == "England"


# A cell of an indicator: what stands in the file, the figure, the symbol, and whether it is listed.
CELLS = {
    "percent sign": ("12%", 12.0, "", False),
    "thousands": ("1,234", 1234.0, "", False),
    "below five": ("<5", None, "x", True),
    "star": ("*", None, "x", True),
    "bracketed c": ("[c]", None, "c", False),
    "blank": ("", None, "x", False),
    "legacy tilde": ("~", None, "low", False),
    "legacy colon": (":", None, "x", False),
    "kind word for low": ("k", None, "low", False),
    "unreliable": ("u", None, "u", False),
    "not applicable": ("z", None, "z", False),
    "null word": ("NULL", None, "x", True),
    "not a number word": ("NA", None, "x", True),
    "exponent": ("7.0000000000000007E-2", 0.07, "", False),
}


@pytest.mark.parametrize(("cell", "figure", "symbol", "is_listed"), CELLS.values(), ids=CELLS)
def test_a_cell_is_a_figure_or_a_symbol_and_never_a_nought_made_up(tmp_path, cell, figure, symbol, is_listed):
    read = read_ees(written(tmp_path, luton(pupil_count=cell)))
    own = read.frame.set_index("area_code").loc["E06000032"]
    assert read.summary.rows_refused == 0
    assert (None if pd.isna(own["pupil_count"]) else round(own["pupil_count"], 9)) == figure
    assert own.get("pupil_count_symbol", "") == symbol
    assert (read.quarantine["value"].tolist() == [cell]) is is_listed


# A file that is odd but whole: words of the note, and what is read.
ODD = {
    "slash in the year": (luton(time_period="2025/26"), "write the year as '2025/26'", 2),
    "long years": (luton(time_period="2025-2026"), "write the year as '2025-2026'", 2),
    "mixed identifiers": (luton(time_period="2025", time_identifier="Calendar year"), "mixes kinds of period", 2),
    "six digits a calendar year": (luton(time_identifier="Calendar year"), "identifier does not fit", 2),
    "former authority without a code": (luton(new_la_code="", la_name="Humberside"), "places without a code", 2),
    "place not available": (luton(new_la_code="x", la_name="Not available"), "places without a code", 2),
    "semicolons": (PLAIN.replace(",", ";"), "separated by semicolons", 2),
    "tabs": (PLAIN.replace(",", "\t"), "separated by tabs", 2),
    "pipes": (PLAIN.replace(",", "|"), "separated by pipes", 2),
    "Windows-1252": (luton(la_name="Luton – £").encode("cp1252"), "Windows-1252", 2),
    "lines above": (f"Extract of May\n\n{PLAIN}", "above the heading", 2),
    "two spellings of an item": (
        "\n".join(
            [PLAIN, LUTON.replace("Total", "Asian/Asian British"), ENGLAND.replace("Total", "Asian / Asian British")]
        ),
        "items in two spellings",
        4,
    ),
}


@pytest.mark.parametrize(("content", "words", "rows"), ODD.values(), ids=ODD)
def test_an_odd_file_is_read_and_what_is_odd_is_said(tmp_path, content, words, rows):
    read = read_ees(written(tmp_path, content))
    assert any(words in note for note in read.summary.notes), read.summary.notes
    assert len(read.frame) == rows
    assert read.frame["time_period"].isin(["202526", "2025"]).all()


@pytest.mark.parametrize("level", ["LA", "local Authority ", "LOCAL AUTHORITY"])
def test_other_words_for_a_level_are_understood(tmp_path, level):
    read = read_ees(written(tmp_path, luton(geographic_level=level)))
    assert read.frame["geographic_level"].tolist() == ["National", "Local authority"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (HEADER.encode(), "no rows"),
        (PLAIN.replace("time_identifier,", "time_identifyer,").encode(), "Did you mean 'time_identifyer'"),
        (b"a,b\n1,2\n", "'geographic_level'"),
        (b"text\x00\x01", "not text"),
        (b"PK\x03\x04rest", "zip archive"),
        (luton(geographic_level="Borough").replace(ENGLAND + "\n", "").encode(), "No row can be used"),
    ],
    ids=[
        "empty",
        "headings alone",
        "a heading misspelt",
        "another file",
        "zero bytes",
        "a zip named csv",
        "no row fits",
    ],
)
def test_a_file_that_cannot_be_read_is_named_without_a_traceback(tmp_path, content, words):
    with pytest.raises(SourceError, match=words):
        read_ees(written(tmp_path, content))


def test_all_missing_columns_are_named_together(tmp_path):
    with pytest.raises(SourceError) as caught:
        read_ees(written(tmp_path, PLAIN.replace("country_code,country_name", "code,name")))
    assert len(caught.value.problems) == 2


def test_a_gzip_cut_short(tmp_path):
    with pytest.raises(SourceError, match="cut short"):
        read_ees(written(tmp_path, gzip.compress(PLAIN.encode() * 50)[:-9], "file.csv.gz"))


def test_releases_say_what_they_hold(tmp_path):
    two = zipped(tmp_path / "two.zip", {"data/one.csv": PLAIN, "data/two.csv": PLAIN})
    with pytest.raises(SourceError, match="several data files"):
        read_ees(two)
    with pytest.raises(SourceError, match=r"Did you mean 'two\.csv'"):
        read_ees(two, "twos")
    assert len(read_ees(two, "two").frame) == 2
    with pytest.raises(SourceError, match="no data file"):
        read_ees(zipped(tmp_path / "none.zip", {"notes.txt": "hello"}))
    again = zipped(tmp_path / "twice.zip", {"a/one.csv": PLAIN, "b/one.csv": PLAIN})
    with pytest.raises(SourceError, match="holds this file twice"):
        read_ees(again, "one")
    with pytest.raises(SourceError, match="missing"):
        read_ees(tmp_path / "absent.zip", "one")


META = "col_name,col_type,label,indicator_grouping,indicator_unit,indicator_dp,filter_hint,filter_grouping_column\n"


@pytest.mark.parametrize(
    ("rows", "rule", "is_refused"),
    [
        ("sen_provision,Filter,,,,,,", "the label is blank", 0),
        ("sen_status,Filter,Status,,,,,", "no such column in the data", 1),
        ("pupil_count,Indicator,Pupils,,,0,,\npupil_count,Indicator,Again,,,0,,", "the same column again", 1),
        ("pupil_count,Measure,Pupils,,,0,,", "neither Filter nor Indicator", 1),
    ],
    ids=["label blank", "column absent", "column twice", "kind unknown"],
)
def test_faults_of_the_metadata_are_listed_beside_the_data(tmp_path, rows, rule, is_refused):
    written(tmp_path, META + rows, "file.meta.csv")
    read = read_ees(written(tmp_path, PLAIN))
    assert read.quarantine["rule"].tolist() == [rule]
    assert read.quarantine["file"].tolist() == ["file.meta.csv"]
    assert (read.summary.rows_read, read.summary.rows_refused) == (2, 0)
    if rule != "no such column in the data":
        assert read_meta(tmp_path / "file.meta.csv").summary.rows_refused == is_refused


def test_a_row_twice_under_two_groups_is_said(tmp_path):
    header = HEADER.replace("sen_provision", "sen_status,sen_provision")
    rows = [r.replace(",Total,", f",{g},Total,") for r in (ENGLAND, LUTON) for g in ("Total", "All pupils")]
    written(
        tmp_path,
        META + "sen_provision,Filter,Provision,,,,,sen_status\npupil_count,Indicator,Pupils,,,0,,\n"
        "pupil_percent,Indicator,Percentage,,%,1,,",
        "file.meta.csv",
    )
    read = read_ees(written(tmp_path, "\n".join([header, *rows])))
    assert len(read.frame) == 4
    assert any("2 rows repeat another under a second group" in n for n in read.summary.notes)


@pytest.mark.parametrize(
    ("guidance", "expected"),
    [
        ("‘x’ Not applicable\n\n‘z’ Not available\n", ["z", "x"]),
        ("z - Not applicable\nx - unavailable\n", ["x", "z"]),
        ("~ Suppressed\n", ["x", "z"]),
    ],
    ids=["swapped", "as the guide has it", "another symbol"],
)
def test_symbols_have_the_meaning_that_the_release_gives_them(tmp_path, guidance, expected):
    path = zipped(
        tmp_path / "release.zip",
        {"data/sen.csv": luton(pupil_count="x", pupil_percent="z"), "data-guidance/data-guidance.txt": guidance},
    )
    own = read_ees(path, "sen").frame.iloc[1]
    assert [own["pupil_count_symbol"], own["pupil_percent_symbol"]] == expected


def test_the_release_of_2022_23_swaps_x_and_z_also_without_its_guidance(tmp_path):
    header = HEADER.replace(
        "sen_provision,pupil_count,pupil_percent",
        "phase_type_grouping,type_of_establishment,hospital_school,ehc_plan,sen_support,total_pupils",
    )
    row = LUTON.replace("202526", "202223").replace("Total,80,5", "Total,Total,Total,x,z,80")
    read = read_ees(written(tmp_path, f"{header}\n{row}"))
    assert read.frame.loc[0, ["ehc_plan_symbol", "sen_support_symbol"]].tolist() == ["z", "x"]
    assert any("x is not applicable, z is not available" in n for n in read.summary.notes)
    later = read_ees(written(tmp_path, f"{header}\n{row.replace('202223', '202324')}"))
    assert later.frame.loc[0, ["ehc_plan_symbol", "sen_support_symbol"]].tolist() == ["x", "z"]


def test_ward_codes_older_than_district_codes_are_said(tmp_path):
    header = HEADER.replace("sen_provision", "lad_code,lad_name,ward_code,ward_name,sen_provision")
    row = LUTON.replace("Local authority", "Ward").replace(",Total,", ",E06000063,Cumberland,E05011095,Abbey,Total,")
    read = read_ees(written(tmp_path, f"{header}\n{row}"))
    assert read.frame["area_code"].tolist() == ["E05011095"]
    assert any("Ward codes reach 2018, district codes 2023: two vintages" in n for n in read.summary.notes)


def test_a_second_column_of_one_name(tmp_path):
    lines = PLAIN.split("\n")
    same = "\n".join(f"{line},{line.split(',')[11]}" for line in lines)
    read = read_ees(written(tmp_path, same))
    assert [c for c in read.frame if c.startswith("pupil_count")] == ["pupil_count"]
    other = "\n".join([f"{lines[0]},pupil_count", f"{lines[1]},1", f"{lines[2]},2"])
    read = read_ees(written(tmp_path, other))
    assert any("stands twice over different cells" in n for n in read.summary.notes)


# Bulk tables of the Census.
LEAVES = {
    "Asian, Asian British or Asian Welsh": ["Bangladeshi", "Chinese", "Indian", "Pakistani", "Other Asian"],
    "Black, Black British, Black Welsh, Caribbean or African": ["African", "Caribbean", "Other Black"],
    "Mixed or Multiple ethnic groups": ["White and Asian", "White and Black African", "White and Black Caribbean",
                                        "Other Mixed or Multiple ethnic groups"],
    "White": ["English, Welsh, Scottish, Northern Irish or British", "Gypsy or Irish Traveller", "Irish", "Roma",
              "Other White"],
    "Other ethnic group": ["Any other ethnic group", "Arab"],
}  # fmt: skip


def ts021(codes=("E01015693",), delimiter=",", drop=None, total=None, prefix="Ethnic group: "):
    heads, values = ["Total: All usual residents"], []
    for broad, leaves in LEAVES.items():
        heads += [broad, *(f"{broad}: {leaf}" for leaf in leaves)]
        values += [10 * len(leaves), *[10] * len(leaves)]
    values = [total or 190, *values]
    keep = [i for i, h in enumerate(heads) if not (drop and h.endswith(drop))]
    heads, values = [heads[i] for i in keep], [values[i] for i in keep]
    rows = [["date", "geography", "geography code", *(prefix + h for h in heads)]]
    rows += [["2021", f"Place {c}", c, *map(str, values)] for c in codes]
    return "\n".join(delimiter.join(f'"{c}"' if delimiter in c else c for c in row) for row in rows)


def test_groups_add_up_and_subtotals_are_left_out(tmp_path):
    read = read_nomis_table(written(tmp_path, ts021()))
    groups = read.frame.columns[4:]
    assert len(groups) == 19
    assert read.frame[groups].sum(axis="columns").tolist() == read.frame["total"].tolist() == [190]
    assert "5 subtotals were checked and left out." in read.summary.notes


CENSUS = {
    "Wales": (ts021(("E01015693", "W01000001")), "an area outside England", 1),
    "codes of nowhere": (ts021(("E01015693", "Luton 001A")), "not a code of an area", 1),
    "an area twice": (ts021(("E01015693", "E01015693")), "the same area again", 1),
    "a total that is another": (ts021() + "\n" + ts021(("E01015694",), total=191).split("\n")[1], "do not add up", 1),
    "a cell that is no number": (ts021(("E01015693", "E01015694")).replace(",10\n", ",ten\n"), "do not add up", 1),
}


@pytest.mark.parametrize(("text", "rule", "kept"), CENSUS.values(), ids=CENSUS)
def test_a_row_of_a_bulk_table_that_cannot_be_used(tmp_path, text, rule, kept):
    read = read_nomis_table(written(tmp_path, text))
    assert len(read.frame) == kept
    assert any(rule in r for r in read.quarantine["rule"])
    assert read.summary.rows_refused == 1


def in_two_lines(text):
    """The heading as a spreadsheet breaks it: the group after the colon in a row below."""
    head, *rest = text.split("\n")
    cells = next(csv.reader([head]))
    first = [c.partition(": ")[0] + ":" if ": " in c else c for c in cells]
    second = [c.partition(": ")[2] for c in cells]
    lines = [",".join(f'"{c}"' if "," in c else c for c in row) for row in (first, second)]
    return "\n".join([*lines, *rest])


@pytest.mark.parametrize(
    "text",
    [
        ts021(delimiter="|"),
        ts021(delimiter="\t"),
        in_two_lines(ts021()),
        ts021().replace(
            '"Ethnic group: Asian, Asian British or Asian Welsh: ',
            '"Ethnic group: Asian,\nAsian British or Asian Welsh:\n',
        ),
        ts021().replace("\n2021", "; measures: Value\n2021").replace('Arab"', 'Arab; measures: Value"'),
    ],
    ids=["pipes", "tabs", "heading in two rows", "line breaks in headings", "older suffix"],
)
def test_a_bulk_table_in_another_dress_reads_alike(tmp_path, text):
    plain_read = read_nomis_table(written(tmp_path, ts021(), "plain.csv"))
    read = read_nomis_table(written(tmp_path, text))
    pd.testing.assert_frame_equal(read.frame, plain_read.frame)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ts021(drop="Roma"), "has 18 groups"),
        (ts021(("1946157057",)), "No code is one of an area"),
        (ts021(drop="All usual residents"), "no column of totals"),
        (ts021(("W01000001",)), "No row can be used"),
        (ts021().replace("geography code", "place"), "geography code"),
    ],
    ids=["a group missing", "codes as numbers", "no total", "Wales alone", "no codes"],
)
def test_a_bulk_table_that_cannot_be_read(tmp_path, text, words):
    with pytest.raises(SourceError, match=words):
        read_nomis_table(written(tmp_path, text))


def test_a_zip_of_all_geographies_wants_one_named(tmp_path):
    members = {f"census2021-ts021-{g}.csv": ts021() for g in ("lsoa", "ltla")}
    path = zipped(tmp_path / "census2021-ts021.zip", members)
    assert len(read_nomis_table(path, "lsoa").frame) == 1
    with pytest.raises(SourceError, match=r"say which geography.*lsoa, ltla"):
        read_nomis_table(path)
    with pytest.raises(SourceError, match="lacks this geography"):
        read_nomis_table(path, "ward")


def test_main_language_is_read_by_the_same_rules(tmp_path):
    prefix = "Main language (detailed): "
    heads = ["Total: All usual residents aged 3 years and over", "English (English or Welsh in Wales)",
             "South Asian language", "South Asian language: Urdu", "South Asian language: Bengali"]  # fmt: skip
    text = ",".join(["date", "geography", "geography code", *(prefix + h for h in heads)])
    read = read_nomis_table(written(tmp_path, f"{text}\n2021,Luton,E06000032,100,60,40,30,10"))
    assert read.frame.columns.tolist()[4:] == [heads[1], *heads[3:]]
    assert read.frame["geography"].tolist() == ["la"]
    assert "never subtract" in " ".join(read.summary.notes)


def test_extracts_of_the_census_that_are_faulty(tmp_path):
    text = "lsoa21_code,lsoa21_name,age_group,usual_residents\n"
    rows = "E01000001,A,Aged 15 years and under,5\nE01000001,A,Aged 15 years and under,6\nnowhere,B,Aged 16,1\n"
    read = read_census_slice(written(tmp_path, text + rows + "E01000002,C,Aged 15 years and under,-4\n"))
    assert read.quarantine["rule"].tolist() == ["the same key again", "not a code of a LSOA", "not a count"]
    assert read.frame["n"].isna().tolist() == [False, True]
    with pytest.raises(SourceError, match="not known"):
        read_census_slice(written(tmp_path, "a,b\n1,2\n"))
    ages = ",".join(["ltla21_code,ltla21_name,total_population", *map(str, range(90)), "90+"])
    read = read_census_slice(written(tmp_path, f"{ages}\nE06000032,Luton,91{',1' * 91}\nE06000031,P,99{',1' * 91}\n"))
    assert read.quarantine["rule"].tolist() == ["the ages do not add up to the total"]


# File 7 of the Indices of Deprivation.
INDEX_HEADS = [
    "Index of Multiple Deprivation (IMD)",
    "Income",
    "Crime",
    "Income Deprivation Affecting Children Index (IDACI)",
]
OFFICIAL = {"Score": " Score{rate}", "Rank": " Rank (where 1 is most deprived)",
            "Decile": " Decile (where 1 is most deprived 10% of LSOAs)"}  # fmt: skip


def file_7(year="2021", la="2024", rows=(("E01033806", {}),), indices=INDEX_HEADS, measures=("Score", "Rank", "Decile"),
           population=True, cut=False):  # fmt: skip
    heads = [f"LSOA code ({year})", f"LSOA name ({year})", f"Local Authority District code ({la})",
             f"Local Authority District name ({la})"]  # fmt: skip
    values = {"Score": "0.25", "Rank": "5000", "Decile": "2"}
    cells = []
    for index in indices:
        for measure in measures:
            heads.append(index + OFFICIAL[measure].format(rate=" (rate)" if index.startswith("Income") else ""))
            cells.append(values[measure])
    if population:
        heads += ["Total population: mid 2022", "Dependent Children aged 0-15: mid 2022"]
        cells += ["1600", "400"]
    if cut:
        heads = [h.replace("10% of LSOAs)", "10% of LSO") for h in heads]
    lines = [heads]
    for code, changed in rows:
        row = [code, "Luton 001A", "E06000032", "Luton", *cells]
        lines.append([changed.get(h, c) for h, c in zip(heads, row, strict=True)])
    return lines


def as_csv(lines):
    return "\n".join(",".join(f'"{c}"' if "," in c else c for c in line) for line in lines)


IDACI = "Income Deprivation Affecting Children Index (IDACI)"
INDEX_CELLS = {
    "decile 11": ({f"{IDACI}{OFFICIAL['Decile']}": "11"}, "IDACI_decile"),
    "rank nought": ({f"{IDACI}{OFFICIAL['Rank']}": "0"}, "IDACI_rank"),
    "share above one": ({f"{IDACI} Score (rate)": "25.1"}, "IDACI_score"),
    "words for a score": ({f"{IDACI} Score (rate)": "low"}, "IDACI_score"),
    "children below nought": ({"Dependent Children aged 0-15: mid 2022": "-4"}, "children_0_15"),
}


@pytest.mark.parametrize(("changed", "column"), INDEX_CELLS.values(), ids=INDEX_CELLS)
def test_a_cell_of_the_indices_that_cannot_be_is_missing_and_listed(tmp_path, changed, column):
    text = as_csv(file_7(rows=(("E01033806", changed), ("E01033807", {}))))
    read = read_place_file(written(tmp_path, text), "iod_file7_2025")
    assert read.quarantine["column"].tolist() == [column]
    assert read.frame[column].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (file_7(indices=INDEX_HEADS[:1], measures=("Rank", "Decile"), population=False), "This is File 1"),
        (file_7(indices=INDEX_HEADS[:3], measures=("Rank", "Decile"), population=False), "This is File 2 or 5"),
        (file_7(indices=[INDEX_HEADS[0], IDACI], measures=("Rank", "Decile"), population=False), "This is File 3"),
        (file_7("2011", "2019"), "of the other edition"),
        (file_7(population=False), "Columns of File 7 are missing"),
        (file_7(rows=(("W01000001", {}),)), "no usable rows"),
        ([["a", "b"], ["1", "2"]], "No column of LSOA codes"),
    ],
    ids=["File 1", "File 2", "File 3", "other edition", "no populations", "Wales alone", "another file"],
)
def test_another_file_in_the_place_of_file_7_is_named(tmp_path, lines, words):
    with pytest.raises(PlaceError, match=words):
        read_place_file(written(tmp_path, as_csv(lines)), "iod_file7_2025")


def test_file_7_as_a_workbook_with_notes_first_with_cut_headings_and_repeats(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["See the report"])
    sheet = book.create_sheet("IoD")
    for line in file_7(rows=(("E01033806", {}), ("E01033806", {}), ("here", {})), cut=True):
        sheet.append([c.replace("(2021)", "(2021)\n") for c in line])
    book.save(tmp_path / "File_7_IoD2025_all.xlsx")
    read = read_place_file(tmp_path / "File_7_IoD2025_all.xlsx")
    assert read.frame[["lsoa21", "la24", "IDACI_score", "IDACI_decile", "children_0_15"]].values.tolist() == [
        ["E01033806", "E06000032", 0.25, 2, 400]
    ]
    assert read.quarantine["rule"].tolist() == ["the same LSOA again", "not a code of an English LSOA"]
    assert read.summary.rows_read == 3


# The smaller tables.
def test_a_neighbour_that_nobody_knows_is_refused(tmp_path):
    read = tables.read_neighbours_by_name(written(tmp_path, 'Luton,"Bristol, City of"\nSlough,Leeds\nAtlantis,Derby\n'))
    assert read.quarantine[["row", "value"]].values.tolist() == [[3, "Atlantis"]]
    assert (read.summary.rows_read, read.summary.rows_kept) == (4, 3)
    with pytest.raises(SourceError, match="No cell is the name of an authority"):
        tables.read_neighbours_by_name(written(tmp_path, "Atlantis,Utopia\nUtopia,Atlantis\n"))


def test_lait_with_a_cell_that_is_no_figure(tmp_path):
    columns = ["Short Desc", "Data item", "Years", "LA and Regions", "Values", "LA Number", "Region"]
    rows = [["m", "M", "2016", "Luton", v, 821.0, "East"] for v in ("7.0000000000000007E-2", "-", "many")]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "lait.parquet")
    read = tables.read_lait(tmp_path / "lait.parquet")
    assert read.frame["value"].round(9).tolist()[0] == 0.07
    assert read.frame["symbol"].tolist() == ["", "x", "x"]
    assert read.quarantine["value"].tolist() == ["many"]
    pd.DataFrame(rows, columns=[*columns[:4], "Value", *columns[5:]]).to_parquet(tmp_path / "lait.parquet")
    with pytest.raises(SourceError, match="Did you mean 'Value'"):
        tables.read_lait(tmp_path / "lait.parquet")


def test_numbers_of_authorities_that_stand_twice(tmp_path):
    book = openpyxl.Workbook()
    for row in (["LA Number", "LA Name", "Region", "Type"], [821, "Luton", "East", "UA"], [821, "Luton", "East", "UA"],
                ["none", "Nowhere", "NA", "NA"]):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    read = tables.read_la_numbers(tmp_path / "list.xlsx")
    assert read.frame[["dfe_number", "area_code"]].values.tolist() == [["821", "E06000032"]]
    assert read.summary.rows_refused == len(read.quarantine) == 2


APPEALS = (
    "Appeals,,,,,,,\n,,,,,,,\nLocal Authority,LA code,2023,,,2024,,\n"
    ",,Appeals registered4,Total Appealable Decisions1,SEND Tribunal Appeal Rate2,Appeals registered4,"
    '"Total Appealable Decisions1,9",SEND Tribunal Appeal Rate2\nLONDON,,,,,,,\n{rows}\n'
    "Notes:,,,,,,,\n~ Suppressed,,,,,,,\n"
)


def test_marks_of_the_tribunals_table_have_its_own_meanings(tmp_path):
    rows = 'Luton5,821, - ,450,0.00%, ~ ,"1,071",~\nPoole5,,3,538,0.60%, .. , .. ,..\nAtlantis,999,1,1,1%,some,1,1%'
    read = read_appeals(written(tmp_path, APPEALS.format(rows=rows)))
    own = read.frame[read.frame["area_code"] == "E06000032"].set_index("year")
    assert own.loc["2023", ["appeals", "decisions", "rate"]].tolist() == [0, 450, 0]
    assert own.loc["2024", ["appeals_symbol", "decisions", "rate_symbol"]].tolist() == ["c", 1071, "c"]
    poole = read.frame[read.frame["area_code"] == "E06000029"].set_index("year")
    assert poole.loc["2024", "appeals_symbol"] == "x"
    assert set(read.quarantine["value"]) == {"Atlantis", "some"}
    assert (read.summary.rows_read, read.summary.rows_refused) == (6, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,b\n1,2\n", "two heading rows"), (APPEALS.format(rows=""), "no authorities")],
    ids=["another file", "no rows"],
)
def test_no_table_of_the_tribunal(tmp_path, text, words):
    with pytest.raises(SourceError, match=words):
        read_appeals(written(tmp_path, text))


def test_a_workbook_of_inspections_that_is_none(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        read_inspections(written(tmp_path, "no workbook", "inspections.ods"))


# Postcode directories.
NSPL = "pcd7,pcds,doterm,lad25cd,wd25cd,lsoa11cd,lsoa21cd\n"
HOME = "XL1 1AA,XL1 1AA,,E06000032,E05014735,E01015693,E01015693\n"


def test_a_directory_in_parts_in_a_zip_is_read_whole(tmp_path):
    parts = {
        "Documents/names.csv": "WD25CD,WD25NM\nE05014735,A\n",
        "Data/multi_csv/ONSPD_XL.csv": NSPL + HOME,
        "Data/multi_csv/ONSPD_XM.csv": NSPL + HOME.replace("XL1", "XM1") + HOME + "torn,torn,,,,,\n",
    }
    read = read_postcodes(zipped(tmp_path / "onspd.zip", parts))
    assert read.frame["postcode"].tolist() == ["XL1 1AA", "XM1 1AA"]
    assert read.quarantine[["file", "row", "rule"]].values.tolist() == [
        ["onspd.zip, ONSPD_XM.csv", 3, "the same postcode again"],
        ["onspd.zip, ONSPD_XM.csv", 4, "no postcode"],
    ]
    whole = zipped(tmp_path / "both.zip", {**parts, "Data/ONSPD_UK.csv": NSPL + HOME})
    assert read_postcodes(whole).summary.rows_read == 1
    (tmp_path / "unpacked").mkdir()
    written(tmp_path / "unpacked", NSPL + HOME, "ONSPD_UK.csv")
    assert len(read_postcodes(tmp_path / "unpacked").frame) == 1


def test_islands_have_no_codes_and_are_kept(tmp_path):
    rows = HOME + "".join(f"XL{i} 1AA,XL{i} 1AA,,{c},{c},{c},{c}\n" for i, c in ((2, "L99999999"), (3, "M99999999")))
    read = read_postcodes(written(tmp_path, NSPL + rows))
    assert read.frame["lsoa21"].tolist() == ["E01015693", "", ""]
    assert read.frame["la"].tolist() == ["E06000032", "", ""]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: zipped(f / "d.zip", {"notes.csv": "a,b\n1,2\n"}), "no postcode directory"),
        (lambda f: zipped(f / "d.zip", {"a.csv": NSPL + HOME, "b.csv": NSPL + HOME}), "several directories"),
        (lambda f: written(f, "a,b\n1,2\n"), "were not found"),
        (lambda f: written(f, gzip.compress((NSPL + HOME * 500).encode())[:-9], "d.csv.gz"), "cut short"),
        (lambda f: written(f, NSPL + HOME + "XL2 1AA,XL2 1AA\n"), "cannot be read as a directory"),
        (lambda f: f / "absent.csv", "missing"),
    ],
    ids=["none in the zip", "two in the zip", "another file", "cut", "a row too short", "absent"],
)
def test_a_directory_that_cannot_be_read(tmp_path, make, words):
    with pytest.raises(SourceError, match=words):
        read_postcodes(make(tmp_path))


def test_an_authority_cannot_be_picked_without_authorities(tmp_path):
    path = written(tmp_path, "pcds,lsoa21cd\nXL1 1AA,E01015693\n")
    assert len(read_postcodes(path).frame) == 1
    with pytest.raises(PlaceError, match="has no authorities"):
        read_postcodes(path, la="E06000032")


# What a file is.
@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("pupils.csv", PLAIN, "ees"),
        ("deprivation.csv", "lsoa11_code,ward17_code\nE01000001,E05009288\n", "place:lsoa11_ward17"),
        ("x.csv", ts021(), "nomis:ts021"),
        ("x.csv", in_two_lines(ts021()), "nomis:ts021"),
        ("x.csv", NSPL + HOME, "postcodes"),
        ("x.csv", as_csv(file_7()), "place:iod_file7_2025"),
        ("x.csv", as_csv(file_7("2011", "2019")), "place:iod_file7_2019"),
        ("x.csv", APPEALS.format(rows="Luton,821,1,1,1%,1,1,1%"), "tribunal"),
        ("x.csv", META + "a,Filter,A,,,,,\n", "ees_meta"),
    ],
)
def test_headings_decide_and_not_the_name(tmp_path, name, content, kind):
    found = recognise(written(tmp_path, content, name))
    assert found.kind == kind
    assert found.reason


def test_a_file_that_nobody_knows_names_the_nearest_and_what_differs(tmp_path):
    path = written(
        tmp_path, "lsoa21_code,lsoa21_nm,ward24_code,ward24_nm,ltla24_code,ltla24_name\nE01000001,a,b,c,d,e\n"
    )
    found = recognise(path)
    assert (found.kind, found.title) == ("", "LSOA (2021) to ward (2024) to local authority (2024) best fit")
    for words in ("lacks lsoa21_name, ward24_name", "lsoa21_nm, ward24_nm"):
        assert words in found.reason
    with pytest.raises(SourceError, match="Nearest: LSOA"):
        read_official(path)
    strange = recognise(written(tmp_path, "shoe,size\n1,2\n"))
    assert (strange.kind, strange.title) == ("", "")
    assert "shoe, size" in strange.reason


def test_file_1_of_2019_is_named_though_nothing_reads_it(tmp_path):
    lines = file_7("2011", "2019", indices=INDEX_HEADS[:1], measures=("Rank", "Decile"), population=False)
    found = recognise(written(tmp_path, as_csv(lines)))
    assert found.kind == ""
    assert "File 7 is wanted" in found.reason
