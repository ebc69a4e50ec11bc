"""Pupil numbers, their pseudonyms, the key, and what is never read or shown."""

import os
import stat

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsna.errors import SourceError
from jsna.sources.identity import (
    is_identifier,
    make_upn,
    masked,
    pseudonyms,
    read_key,
    shown,
    upn_problems,
    write_key,
)

# Published examples, and what the rule of the check letter says of each.
VECTORS = [
    *((upn, "") for upn in ("P207000016049", "B801200005001", "N823432118001", "A207000016050", "R308200016001")),
    *((upn, "") for upn in ("W936450019002", "C30820001600A", "R30820001600B", "H30820001600M", "C999000000001")),
    ("A801200005001", "wrong check letter"),
    ("Q207000016049", "wrong check letter"),
    ("p207000016049", "lower case"),
    ("P2070000160490", "malformed"),
    ("2070000160491", "malformed"),
    ("P207000016", "malformed"),
    ("I207000016049", "malformed"),
    ("P20700001604O", "malformed"),
    ("9.99E+12", "malformed"),
    ("", "missing"),
    ("NULL", "missing"),
    (make_upn("000", "1234", "16", "001"), "unknown LA"),
    (make_upn("820", "1234", "08", "001"), ""),
]


@pytest.mark.parametrize(("upn", "problem"), VECTORS, ids=[v[0] or "empty" for v in VECTORS])
def test_what_is_wrong_with_a_pupil_number(upn, problem):
    assert upn_problems(pd.Series([upn])).tolist() == [problem]


def test_problems_keep_the_order_and_the_index():
    upns = pd.Series([v[0] for v in VECTORS], index=range(10, 10 + len(VECTORS)))
    assert upn_problems(upns).to_dict() == {10 + i: v[1] for i, v in enumerate(VECTORS)}


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_a_made_number_has_the_right_letter_and_no_other_letter_fits(digits):
    made = make_upn(digits[:3], digits[3:7], digits[7:9], digits[9:])
    others = [letter + made[1:] for letter in "ABCDEFGHJKLMNPQRTUVWXYZ" if letter != made[0]]
    problems = upn_problems(pd.Series([made, *others])).tolist()
    assert problems[0] in ("", "unknown LA")
    assert set(problems[1:]) == {"wrong check letter"}


def test_a_pseudonym_is_the_same_for_the_same_child_and_key_and_for_nothing_else():
    upns = pd.Series(["A999000000001", " a999000000001", "A9990000 00001", "A999000000002", "", "N/A"])
    first, other = pseudonyms(upns, bytes(range(32))), pseudonyms(upns, bytes(range(1, 33)))
    assert first.nunique() == 3  # two children, and nobody
    assert first[0] == first[1] == first[2] != first[3]
    assert first[4] == first[5] == ""
    assert not set(first[:4]) & set(other[:4])
    assert first[:4].str.fullmatch("[0-9a-f]{24}").all()
    assert not any("999000" in p for p in first)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "luton.key"
    write_key(path)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(read_key(path)) == 32
    with pytest.raises(SourceError, match="already there") as caught:
        write_key(path)
    assert path.read_bytes() == first
    assert first.decode().strip() not in str(caught.value)


KEY = "00112233445566778899aabbccddeeff" * 2
BROKEN_KEYS = {
    "short": (KEY[:62], "not a key file"),
    "long": (KEY + "00", "not a key file"),
    "no hex": ("z" * 64, "not a key file"),
    "blank between": (KEY[:32] + " " + KEY[32:], "not a key file"),
    "two lines": (KEY + "\n" + KEY, "not a key file"),
    "empty": ("", "not a key file"),
    "all noughts": ("0" * 64, "not a key file"),
    "a word again and again": ("deadbeef" * 8, "not a key file"),
    "no text": (b"\xff\xfe" + KEY.encode("utf-16-le"), "cannot be read"),
}


@pytest.mark.parametrize("name", BROKEN_KEYS)
def test_a_file_that_is_no_key_is_refused_without_a_word_of_what_is_in_it(tmp_path, name):
    content, words = BROKEN_KEYS[name]
    path = tmp_path / "some.key"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    with pytest.raises(SourceError, match=words) as caught:
        read_key(path)
    text = str(caught.value)
    assert not any(text_part in text for text_part in (KEY[:8], "deadbeef", "zzzz", "0000"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.skipif(os.name == "nt", reason="file modes of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    path = tmp_path / "some.key"
    path.write_text(KEY)
    path.chmod(mode)
    with pytest.raises(SourceError, match="chmod 600") as caught:
        read_key(path)
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_there_or_a_folder_is_a_message(tmp_path):
    with pytest.raises(SourceError, match="jsna init"):
        read_key(tmp_path / "none.key")
    with pytest.raises(SourceError, match="cannot be read"):
        read_key(tmp_path)


PRIVATE = [
    "Surname",
    "FORENAME",
    "Middle names",
    "Preferred_Surname",
    "Address Line 1",
    "AddressLine5",
    "UPRN",
    "E-mail",
]


@pytest.mark.parametrize("heading", [*PRIVATE, "Telephone", "uniquepropertyreferencenumber", "Post Town", "Street"])
def test_columns_that_name_or_locate_a_person_are_never_read(heading):
    assert is_identifier(heading)


@pytest.mark.parametrize("heading", ["UPN", "DoB", "Postcode", "Estab", "Ethnicity", "NCyearActual", "SENprovision"])
def test_columns_that_are_needed_are_read(heading):
    assert not is_identifier(heading)


def test_a_masked_value_says_its_length_alone():
    assert masked(pd.Series(["19/03/2015", ""])).tolist() == ["(hidden, 10 characters)", ""]


PERSONAL = ["C999000000001", "2015-03-04", "04/03/2015", "42067", "XL1 1AA", "Surname0001", "Annabel", "20150304"]


@pytest.mark.parametrize("cell", PERSONAL)
def test_a_cell_that_could_be_a_person_is_not_shown_whatever_column_it_stands_in(cell):
    assert shown(pd.Series([cell]), {"WHITE - IRISH"}).tolist() == [f"(hidden, {len(cell)} characters)"]


@pytest.mark.parametrize("cell", ["XXXX", "K", "5.0", "01-Jan", "8.22E+06", "white - irish", ""])
def test_a_code_that_cannot_be_a_person_is_shown(cell):
    assert shown(pd.Series([cell]), {"WHITE - IRISH"}).tolist() == [cell]
