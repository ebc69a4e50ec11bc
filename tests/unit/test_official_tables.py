"""Census tables, File 7, postcode directories and neighbours: known answers, and every row accounted for."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.files import read_place_file
from geo.indices import columns_of
from geo.kinds import NEVER_A_CODE, clean_codes
from geo.postcodes import normalise_postcodes, read_postcodes
from jsna.sources.population import leaves_of, read_census_slice, read_nomis_table
from jsna.sources.tables import neighbours_2021, read_neighbours_by_name

CALM = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(folder, text, name="file.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_heading_that_another_extends_is_no_leaf():
    assert leaves_of(["White", "White: Irish", "Other", "Other ethnic group", "Other ethnic group: Arab"]) == [
        "White: Irish",
        "Other",
        "Other ethnic group: Arab",
    ]


def test_idaci_of_a_ward_by_hand_from_scores_and_children(tmp_path):
    heads = ["LSOA code (2021)", "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
             "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"]  # fmt: skip
    idaci = "Income Deprivation Affecting Children Index (IDACI)"
    heads += [f"{idaci} Score (rate)", f"{idaci} Rank (where 1 is most deprived)"]
    heads += [f"{idaci} Decile (where 1 is most deprived 10% of LSO", "Dependent Children aged 0-15: mid 2022"]
    rows = ["E01033806,100,1,0.5,90,1,100", "E01033807,30000,9,0.1,30001,9,300"]
    frame = read_place_file(written(tmp_path, "\n".join([",".join(heads), *rows])), "iod_file7_2025").frame
    # (0.5 x 100 + 0.1 x 300) / 400 = 0.2, where the mean of the two scores is 0.3.
    assert (frame["IDACI_score"] * frame["children_0_15"]).sum() / frame["children_0_15"].sum() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("income score (rate)", "Income_score"),
        ("income deprivation affecting children index (idaci) score (rate)", "IDACI_score"),
        ("income deprivation affecting older people (idaopi) decile (where 1 is most", "IDAOPI_decile"),
        ("children and young people sub-domain decile (10% of lso", "children_and_young_people_decile"),
        ("barriers to housing and services rank (where 1 is most deprived)", "Housing_and_Services_rank"),
        ("dependent children aged 0-15: mid 2015 (excluding prisoners)", "children_0_15"),
        ("working age population 18-59/64: for use with employment deprivation domain (excluding prisoners)",
         "people_of_working_age"),
    ],
)  # fmt: skip
def test_headings_of_both_editions_lead_to_one_name(heading, column):
    assert columns_of([heading]) == {column: heading}


def test_neighbours_by_name_stand_in_the_files_order(tmp_path):
    text = 'Luton,"Bristol, City of"\nSlough,Leeds\n"Kingston Upon Hull, City of",Derby\n,\n'
    frame = read_neighbours_by_name(written(tmp_path, text)).frame
    own = frame[frame["area_code"] == "E06000032"]
    assert own[["rank", "neighbour_code"]].values.tolist() == [[1, "E06000039"], [2, "E06000010"]]
    assert list(frame.columns) == list(neighbours_2021().columns)


def test_the_set_carried_over_stays_as_it_is_whatever_is_done_to_it():
    before = neighbours_2021()
    changed = neighbours_2021()
    changed["rank"] = 0
    changed.loc[0, "neighbour_code"] = ""
    pd.testing.assert_frame_equal(neighbours_2021(), before)
    assert (before["rank"] > 0).all()


def test_numbers_and_percentages_of_one_extract_are_told_apart(tmp_path):
    text = ("ltla21_code,ltla21_name,ethnic_group,value\nE06000032,Luton,White: Irish (number),20\n"
            "E06000032,Luton,White and Black African  (percent),0.5\n")  # fmt: skip
    frame = read_census_slice(written(tmp_path, text)).frame
    assert frame[["category", "measure", "n"]].values.tolist() == [
        ["White: Irish", "number", 20],
        ["White and Black African", "percent", 0.5],
    ]


codes = st.sampled_from(["E01000001", "E01000002", "E01000003", "W01000001", "nowhere", ""])
counts = st.sampled_from(["0", "5", "1,000", "7.5", "x", ""])


@CALM
@given(rows=st.lists(st.tuples(codes, counts, counts), min_size=1, max_size=8))
def test_rows_of_a_bulk_table_are_kept_or_reported(tmp_path, rows):
    lines = ["date,geography,geography code,G: Total: All,G: A,G: A: one,G: A: two", "2021,s,E01000009,3,3,1,2"]
    for code, one, two in rows:
        total = sum(int(c.replace(",", "")) for c in (one, two) if c.replace(",", "").isdigit())
        lines.append(f'2021,x,{code},{total},{total},"{one}","{two}"')
    read = read_nomis_table(written(tmp_path, "\n".join(lines)))
    s = read.summary
    assert s.rows_read == len(rows) + 1 == s.rows_kept + s.rows_refused
    assert (read.quarantine["column"] == "geography code").sum() == s.rows_refused
    assert (read.frame[["A: one", "A: two"]].sum(axis="columns") == read.frame["total"]).all()
    assert read.frame["area_code"].is_unique


@CALM
@given(rows=st.lists(st.tuples(codes, st.sampled_from(["a", "b"]), counts), min_size=1, max_size=8))
def test_rows_of_an_extract_are_kept_or_reported(tmp_path, rows):
    lines = ["lsoa21_code,lsoa21_name,age_group,usual_residents", "E01000009,s,sure,1"]
    lines += [f'{code},x,{group},"{n}"' for code, group, n in rows]
    read = read_census_slice(written(tmp_path, "\n".join(lines)))
    s = read.summary
    assert s.rows_read == len(rows) + 1 == s.rows_kept + s.rows_refused
    assert (read.quarantine["column"] == "lsoa21_code").sum() == s.rows_refused
    assert not read.frame.duplicated(["area_code", "category"]).any()


places = st.sampled_from(["E06000032", "L99999999", "M99999999", "E99999999", " e06000031 ", ""])
postcodes = st.sampled_from(["XL1 1AA", "xl11aa", "XL1  1AB", "XL12 1AA", "XL1-1AC", "torn", ""])


@CALM
@given(rows=st.lists(st.tuples(postcodes, places, st.sampled_from(["", "201001"])), min_size=1, max_size=10))
def test_a_directory_is_cleaned_as_single_postcodes_and_codes_are(tmp_path, rows):
    lines = ["pcds,doterm,oslaua,osward,lsoa21", *(f"{p},{t},{c},{c},{c}" for p, c, t in rows)]
    read = read_postcodes(written(tmp_path, "\n".join(lines)))
    s = read.summary
    assert s.rows_read == len(rows) == s.rows_kept + s.rows_refused
    assert len(read.quarantine) == s.rows_refused
    # Two implementations: the directory's in pieces, and the one for columns of pupils.
    own, la = normalise_postcodes([p for p, *_ in rows]), clean_codes([c for _, c, _ in rows])
    clean = pd.DataFrame({"postcode": own, "la": la})
    clean["la"] = clean["la"].where(~clean["la"].str.fullmatch(NEVER_A_CODE.pattern), "")
    clean = clean[clean["postcode"] != ""].drop_duplicates("postcode")
    assert read.frame[["postcode", "la"]].values.tolist() == clean.values.tolist()


def test_one_authority_out_of_pieces_keeps_the_files_rows(tmp_path):
    rows = [f"XL{i} 1AA,,{'E06000032' if i % 2 else 'E06000031'}" for i in range(1, 8)] + ["torn,,E06000032"]
    read = read_postcodes(written(tmp_path, "\n".join(["pcds,doterm,oslaua", *rows])), la="E06000032")
    assert read.frame["postcode"].tolist() == ["XL1 1AA", "XL3 1AA", "XL5 1AA", "XL7 1AA"]
    assert read.quarantine["row"].tolist() == [9]
