"""The register of schools: numbers in one spelling, kinds of school as the code list has them, nothing lost."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsna.codes import code_list
from jsna.errors import SourceError
from jsna.sources.schools import COLUMNS, normal_laestab, read_schools

GIAS = """URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),EstablishmentStatus (name),PhaseOfEducation (name),HeadFirstName,HeadLastName,TelephoneNum
900060,821,9060,Synthetic School 60,Community school,Open,Primary,Ann,Example,01
900061,821,9061,Caf\u00e9 School 61,Community special school,"Open, but proposed to close",Not applicable,Ann,Example,01
900062,821,9062,Synthetic School 62,Academy converter,Closed,Middle deemed secondary,Ann,Example,01
900063,821,9062,Synthetic School 63,Pupil referral unit,Open,Not applicable,Ann,Example,01
900064,821,,Synthetic College 64,Further education,Open,16 plus,Ann,Example,01
900065,821,0065,Synthetic School 65,Free schools,Proposed to open,All-through,Ann,Example,01
"""  # noqa: E501
SIMPLE = "urn,laestab,name,phase\n900060,821/9060,A,primary\n900061,8219061,B,Special school\n900062,,C,NS\n"


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "schools.csv"
    path.write_bytes(text.encode(encoding))
    return read_schools(path)


def test_the_published_register(tmp_path):
    loaded = read(tmp_path, GIAS, "cp1252")
    frame = loaded.frame.set_index("urn")
    assert tuple(loaded.frame) == COLUMNS
    assert frame["laestab"].to_dict() == {
        "900060": "8219060",
        "900061": "8219061",
        "900063": "8219062",
        "900064": "",
        "900062": "8219062",
        "900065": "8210065",
    }
    assert frame["phase"].to_dict() == {
        "900060": "primary",
        "900061": "special",
        "900063": "alternative",
        "900064": "",
        "900062": "secondary",
        "900065": "",
    }
    assert frame["open"].to_dict() == {
        "900060": True,
        "900061": True,
        "900063": True,
        "900064": True,
        "900062": False,
        "900065": False,
    }
    assert frame.loc["900061", "name"] == "Caf\u00e9 School 61"
    assert "2 schools have no code of phase here: Further education 1; Free schools 1." in loaded.summary.notes


def test_the_open_school_comes_before_the_closed_one_of_the_same_number(tmp_path):
    frame = read(tmp_path, GIAS).frame
    assert frame[frame["laestab"] == "8219062"]["urn"].tolist() == ["900063", "900062"]


def test_names_of_persons_are_never_read(tmp_path):
    loaded = read(tmp_path, GIAS)
    assert "Example" not in loaded.frame.to_csv() + loaded.quarantine.to_csv() + str(loaded.summary)


def test_a_simple_list(tmp_path):
    loaded = read(tmp_path, SIMPLE)
    assert loaded.frame["laestab"].tolist() == ["8219060", "8219061", ""]
    assert loaded.frame["phase"].tolist() == ["primary", "special", "nursery"]
    assert loaded.frame["open"].isna().all()
    assert "The list does not say which schools are open." in loaded.summary.notes


@pytest.mark.parametrize("code", code_list("school_phase").index)
def test_every_code_and_label_of_the_list_is_understood(tmp_path, code):
    label = code_list("school_phase").loc[code, "label"]
    for word in (code, label, label.upper()):
        assert read(tmp_path, f"urn,laestab,phase\n900060,8219060,{word}\n").frame["phase"].tolist() == [code]


@pytest.mark.parametrize(
    ("text", "column", "row", "kept"),
    [
        (SIMPLE.replace("900061", ""), "urn", 3, 2),
        (SIMPLE.replace("900061", "900060"), "urn", 3, 2),
        (SIMPLE.replace("900061", "9.0E+05"), "urn", 3, 2),
        (SIMPLE.replace("8219061", "82190612"), "laestab", 3, 3),
        (SIMPLE.replace("Special school", "Primery"), "phase", 3, 3),
        (GIAS.replace(",Closed,", ",Clsed,"), "status", 4, 6),
        (SIMPLE + "900063,8219063\n", "", 5, 3),
    ],
    ids=["no URN", "URN twice", "URN cut", "number too long", "unknown kind", "unknown status", "ragged"],
)
def test_what_cannot_be_read_is_listed(tmp_path, text, column, row, kept):
    loaded = read(tmp_path, text)
    assert loaded.quarantine[["column", "row"]].to_numpy().tolist() == [[column, row]]
    assert loaded.summary.rows_kept == kept
    assert loaded.summary.rows_read - loaded.summary.rows_refused == kept


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("urn,name\n900060,A\n", ["LAESTAB", "PhaseOfEducation"]),
        ("school_name,laestab,phase\nA,8219060,primary\n", ["URN"]),
        ("URN,LA (code),phase\n900060,821,primary\n", ["LAESTAB"]),
        ("a,b\n1,2\n", ["no column that is wanted"]),
    ],
)
def test_missing_columns_are_all_named(tmp_path, text, words):
    with pytest.raises(SourceError) as caught:
        read(tmp_path, text)
    assert all(word in str(caught.value) for word in words)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["900060", "900061", "", "x", "12.0"]),
            st.sampled_from(["821/9060", "8219061", "", "82"]),
            st.sampled_from(["primary", "All-through", "?", ""]),
        ).filter(any),
        min_size=1,
        max_size=8,
    )
)
def test_rows_in_are_rows_out_and_rows_reported(tmp_path, rows):
    loaded = read(tmp_path, "urn,laestab,phase\n" + "".join(",".join(row) + "\n" for row in rows))
    assert loaded.summary.rows_read == len(rows)
    assert loaded.frame["urn"].is_unique
    assert loaded.quarantine.loc[loaded.quarantine["column"] == "urn", "row"].nunique() == loaded.summary.rows_refused
    assert set(loaded.frame["phase"]) <= {"primary", ""}


def test_numbers_of_establishments_have_one_spelling():
    got, bad = normal_laestab(pd.Series(["821-9060", "821 9060", "8219060", "N/A", "821/906"]))
    assert got.tolist() == ["8219060", "8219060", "8219060", "", ""]
    assert bad.tolist() == [False, False, False, False, True]
