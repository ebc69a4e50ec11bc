"""The audit reads the open data of a pack as the same counts that the rest of the pack tells, and attacks them too."""

from __future__ import annotations

import shutil
from pathlib import Path

import audit_pack as small
import pytest

from jsna.audit.audit import audit
from jsna.audit.pack import read_pack
from jsna.audit.reading import Reading, read
from jsna.audit.sheets import sheets

HEAD = (
    "time_period,breakdown_topic,breakdown,sen_provision,sen_primary_need,pupil_count,pupils_in_group,pupil_percent\n"
)
STAGES = "time_period,breakdown_topic,breakdown,ehc_stage,stage_count,stage_base,stage_percent\n"
INDICATORS = "time_period,measure_source,measure,population_group,value,lower_limit,upper_limit,numerator,denominator\n"
BRITISH = "English / Welsh / Scottish / Northern Irish / British"
WHITE = f"202526,Ethnicity minor,{BRITISH},All SEN provision,Total,200,1000,20.00\n"
CHINESE = "202526,Ethnicity minor,Chinese,All SEN provision,Total,12,40,30.00\n"
IRISH = "202526,Ethnicity minor,Irish,All SEN provision,Total,c,50,c\n"
ALL = "202526,Ethnicity minor,Irish,Total,Total,50,50,100.00\n"
EVERYBODY = "202526,Total,Total,All SEN provision,Total,275,1390,19.78\n"


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    return small.write(tmp_path_factory.mktemp("open") / "2026")


@pytest.fixture
def pack(clean, tmp_path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "2026"))


def with_file(pack: Path, text: str, name: str = "identification_of_send_by_characteristic") -> Path:
    (pack / "open-data").mkdir(exist_ok=True)
    (pack / f"open-data/{name}.csv").write_text(text, encoding="utf-8")
    (pack / f"open-data/{name}.meta.csv").write_text("col_name,col_type,label\n", encoding="utf-8")
    return small.sign(pack)


def facts(pack: Path):
    held, reading = read_pack(pack), Reading()
    read(held, sheets(held), reading)
    return reading.facts, {file for file, _, _ in reading.not_analysed}


def test_the_same_numbers_under_harmonised_names_are_the_same_counts(pack):
    before, _ = facts(pack)
    after, unread = facts(with_file(pack, HEAD + WHITE + IRISH + ALL + EVERYBODY))
    assert [c.label() for c in set(after.shown) - set(before.shown)] == ["pupils, 202526"]  # the base of the total
    assert set(after.hidden) == set(before.hidden)
    assert after.disagreeing == []
    assert not any(file.startswith("open-data") for file in unread)
    assert audit(pack).findings == ()


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (IRISH.replace(",c,50,c", ",3,50,6.00"), {"small count", "shown elsewhere"}),
        (IRISH.replace(",c,50,c", ",c,50,6.00"), {"exact"}),
        (CHINESE, {"shown elsewhere"}),
        (ALL.replace("50,50", "4,4"), {"small count"}),
    ],
)
def test_what_the_open_data_give_away_is_found(pack, rows, kinds):
    assert kinds <= {f.kind for f in audit(with_file(pack, HEAD + WHITE + rows)).findings}


def test_a_number_that_says_to_what_it_is_rounded_is_read_so(pack):
    """200 to the nearest 50 is 175 to 224: it agrees with the 200 elsewhere, and 300 does not."""
    head = HEAD.replace("\n", ",pupil_count_rounded_to\n")
    after, _ = facts(with_file(pack, head + WHITE.replace("\n", ",50\n")))
    (count,) = after.changed
    assert count.label() == "any_sen, 202526, ethnicity, white british"
    assert after.changed[count][0][:3] == (200.0, 175.0, 224.0)


def test_stages_and_indicators_are_the_counts_of_their_names(pack):
    before, _ = facts(pack)
    row = "2025,Sex,Female,Review decision within 4 weeks,c,90,c\n"
    with_file(pack, STAGES + row, "ehc_process_by_characteristic")
    figure = "202526,Records of the authority,IDN-03 Pupils with SEN (%),Total,19.8,17.7,22.0,275,1390\n"
    after, unread = facts(with_file(pack, INDICATORS + figure, "send_indicators_academic"))
    assert [c.label() for c in set(after.hidden) - set(before.hidden)] == ["review_in_4_weeks, 2025, sex, female"]
    shown = {c.label(): value for c, (value, _) in after.shown.items()}
    assert shown["any_sen, 202526"] == 275
    assert after.disagreeing == []
    assert not any(file.startswith("open-data") for file in unread)


def test_a_file_of_an_unknown_shape_is_named_as_not_analysed(pack):
    _, unread = facts(with_file(pack, "place,pupils\nhere,3\n", "more"))
    assert "open-data/more.csv" in unread
    assert "small count" in {f.kind for f in audit(pack).findings}
