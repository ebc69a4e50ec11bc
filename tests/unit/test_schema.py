"""The promise of the pupil table: kept by the synthetic area, checked on every table, and written down."""

import census_samples as cs
import pandas as pd
import pytest

from jsna.area import cache_folder
from jsna.errors import SourceError
from jsna.sources import pupil_table
from jsna.sources.pupils import read_pupils
from jsna.sources.schema import COLUMNS, check_pupils, dictionary, pupil_schema
from jsna.synthetic import load_pupils


@pytest.fixture(scope="module")
def synthetic() -> pd.DataFrame:
    return load_pupils(2023, 0.02, cache_folder()).frame


@pytest.fixture(scope="module")
def twelve(tmp_path_factory) -> pd.DataFrame:
    folder = cs.write_blades(tmp_path_factory.mktemp("census"), cs.collect_tables())
    return read_pupils([folder], cs.context()).loaded.frame


def test_the_schema_has_the_columns_of_the_table_in_their_order():
    assert [c.name for c in COLUMNS] == list(pupil_table.COLUMNS) == list(pupil_schema().columns)


def test_the_synthetic_area_keeps_the_promise(synthetic):
    check_pupils(synthetic)


def test_a_census_keeps_the_promise(twelve):
    check_pupils(twelve)


BREACHES = {
    "sex": ({"sex": "Q"}, "sex: .*a code of its list"),
    "ethnicity": ({"ethnicity": "BSOM"}, "ethnicity: .*a code of its list"),
    "need": ({"sen_provision": "N", "primary_need": "ASD"}, "no type of need without SEN provision"),
    "needs": ({"sen_provision": "K", "primary_need": "ASD", "secondary_need": "ASD"}, "two different types of need"),
    "age": ({"age": 40}, "age: .*from 0 to 26"),
    "age as text": ({"age": "9"}, "age: .*whole number"),
    "day": ({"census_date": pd.Timestamp("2025-10-02")}, "a day in January"),
    "ward": ({"ward_code": ""}, "ward_code"),
    "missing": ({"lsoa21": None}, "lsoa21"),
    "twice": ({"pupil_id": "0" * 24}, "one row a pupil a census"),
    "meals": ({"fsm_eligible": "yes"}, "fsm_eligible: .*true or false"),
    "more": ({"postcode": "XL1 1AA"}, "postcode"),
    "status": ({"enrolment_status": "S"}, "enrolment_status"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_named_as_the_readers_fault(twelve, name):
    change, words = BREACHES[name]
    with pytest.raises(SourceError, match=words) as caught:
        check_pupils(twelve.assign(**change))
    assert "fault of the reader, not of your file" in str(caught.value)


def test_all_breaches_are_named_together_and_no_cell_is_shown(twelve):
    with pytest.raises(SourceError) as caught:
        check_pupils(twelve.assign(sex="Surname0001", age=99, lsoa21="XL1 1AA"))
    assert {p.where for p in caught.value.problems} == {"sex", "age", "lsoa21"}
    assert "Surname0001" not in str(caught.value)
    assert "XL1" not in str(caught.value)


def test_a_missing_column_is_a_breach(twelve):
    with pytest.raises(SourceError, match="sen_provision"):
        check_pupils(twelve.drop(columns="sen_provision"))


def test_canonical_checks_what_it_gives(twelve, tmp_path, monkeypatch):
    """A reader that made a code of its own would be stopped."""
    from jsna.sources import pupil_fields

    monkeypatch.setattr(pupil_fields, "UNKNOWN_SEX", "QQ")
    rows = cs.flat_rows()
    rows[0]["Gender"] = ""
    with pytest.raises(SourceError, match="sex: The pupil table breaks its promise"):
        read_pupils([cs.write_flat(tmp_path / "2026_spring.csv", rows)], cs.context())


def test_every_column_is_described():
    for column in COLUMNS:
        assert column.says.endswith("."), column.name
        assert column.codes or column.pattern or column.span or column.extra or column.kind in ("date", "flag")


def test_the_committed_dictionary_is_current(repository):
    """Made by: python -m jsna.sources.schema > docs/data-dictionary.md"""
    assert (repository / "docs/data-dictionary.md").read_text(encoding="utf-8") == dictionary()
