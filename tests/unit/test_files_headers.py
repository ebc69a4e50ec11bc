"""Headings are compared without the accidents of spelling, and matched to canonical names without guessing."""

import pytest

from jsna.errors import SourceError
from jsna.files.headers import bare, match, need_columns, plain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Date of Birth\n(ccyy-mm-dd) ", "date of birth (ccyy-mm-dd)", True),
        ("Main education establishment – URN", "main education establishment - urn", True),
        ("\ufeffUPN", "upn", True),
        ("UP\u200bN", "UPN", True),
        ("NC\xa0year", "nc year", True),
        ("SEN\u00adprovision", "senprovision", True),
        ("Non\u2011maintained", "non-maintained", True),
        ("sex", "gender", False),
    ],
)
def test_plain_headings(one, other, same):
    assert (plain(one) == plain(other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SEN_Provision", "sen provision", True),
        ("children's", "childrens", True),
        ("% headcount", "headcount", False),
        ("headcount %", "headcount", False),
        ("% pupils", "percent pupils", True),
    ],
)
def test_bare_headings(one, other, same):
    assert (bare(one) == bare(other)) is same


def test_the_spelling_named_first_is_taken_and_the_others_are_told():
    found = match(["gender", "Sex", "x"], {"sex": ["sex", "gender"]})
    assert found.columns == {"sex": "Sex"}
    assert found.twice == {"sex": ["Sex", "gender"]}
    assert found.others == ["x"]


def test_all_missing_columns_are_named_together_with_the_nearest_found():
    with pytest.raises(SourceError) as caught:
        need_columns(["UPN ", "sen_provison"], ["sen_provision", "postcode"], "x.csv")
    assert len(caught.value.problems) == 2
    assert "Did you mean 'sen_provison'?" in str(caught.value)
    assert str(caught.value).count("x.csv") == 2
