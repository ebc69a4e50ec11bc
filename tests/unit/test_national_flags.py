"""Flags of every authority: each as if it were alone, whoever cannot be made is named, and no small number is told."""

import numpy as np
import pandas as pd
import pytest

from jsna.counts import count_pupils, count_repeats, with_latest_school
from jsna.disclosure import Policy
from jsna.disproportionality import flags
from jsna.disproportionality.rule import NOT_SHOWN, OVER
from jsna.engines import count_area
from jsna.errors import MeasureError, SourceError
from jsna.evidence.comparison import dimension
from jsna.evidence.fairness import adjusters_of, asked, floors_of
from jsna.national_flags import FIGURES, NAMES, national_flags
from tests.national_samples import ASKED, CODES, NOBODY, ONE_SCHOOL, PLANTED, USUAL, three_authorities, write


@pytest.fixture(scope="module")
def pupils():
    return three_authorities()


@pytest.fixture(scope="module")
def folder(pupils, tmp_path_factory):
    made = tmp_path_factory.mktemp("national")
    for number, frame in enumerate(pupils.values()):
        write(made / f"part-{number}.parquet", frame)
    return made


@pytest.fixture(scope="module")
def found(folder):
    return national_flags("parquet", str(folder), areas=CODES, jobs=1, **ASKED)


@pytest.mark.parametrize("code", [PLANTED, USUAL])
@pytest.mark.parametrize("by", ASKED["dimensions"])
def test_an_authority_is_judged_as_its_own_pupils_alone_are(found, pupils, code, by):
    demographic, deprivation = adjusters_of(by)
    own = with_latest_school(pupils[code])
    own = own.assign(
        special=own["school_phase"].isin(["special", "alternative"]), idaci_quintile=(own["idaci_decile"] + 1) // 2
    )
    cells = count_pupils(own, ["latest_school", "special", by, *demographic, *deprivation])
    frame, columns = asked(cells, dimension(by), demographic=demographic, deprivation=deprivation)
    floors = floors_of(count_repeats(pupils[code]), ASKED["outcomes"], 3)
    expected = flags(frame, outcomes=ASKED["outcomes"], repetition=floors, **columns).table
    table = found.table[(found.table["la_code"] == code) & (found.table["dimension"] == by)].reset_index(drop=True)
    assert table[["outcome", "group"]].equals(expected[["outcome", "group"]])
    shown = (table["status"] != NOT_SHOWN).to_numpy()
    assert shown.any()
    assert table.loc[shown, ["status", "reasons"]].equals(expected.loc[shown, ["status", "reasons"]])
    for figure in FIGURES:
        np.testing.assert_allclose(table.loc[shown, figure], expected.loc[shown, figure], rtol=1e-9, atol=1e-12)


def test_a_planted_disproportion_is_flagged_where_it_was_planted_alone(found):
    rows = found.table[(found.table["group"] == "AIND") & (found.table["outcome"] == "any_sen")].set_index("la_code")
    assert rows.loc[PLANTED, "status"] == OVER
    assert rows.loc[PLANTED, "pooled_risk_ratio"] > 1.5
    assert rows.loc[USUAL, "status"] != OVER
    assert found.flagged >= 1


def test_who_cannot_be_made_is_named_with_the_reason_and_the_others_are_there(found):
    problems = dict(found.problems)
    assert list(problems) == [ONE_SCHOOL, NOBODY]
    assert "one school" in problems[ONE_SCHOOL]
    assert "no pupils of this authority" in problems[NOBODY]
    assert list(dict.fromkeys(found.table["la_code"])) == [PLANTED, USUAL]


def test_no_number_of_pupils_and_no_figure_of_few_is_told(found, pupils):
    assert list(found.table) == [*NAMES, *FIGURES, "status", "reasons"]
    own = pupils[USUAL][pupils[USUAL]["time_period"] == "202526"]
    held = own.groupby("ethnicity", observed=False)["sen_provision"].agg([lambda s: (s != "N").sum(), "size"])
    few = held.index[(held.iloc[:, 0] < Policy().threshold) | (held["size"] < Policy().minimum_denominator)]
    rows = found.table.query("la_code == @USUAL and dimension == 'ethnicity' and outcome == 'any_sen'")
    small = rows[rows["group"].isin(few)]
    assert len(small)
    assert small[list(FIGURES)].isna().all(axis=None)
    assert set(small["status"]) == {NOT_SHOWN}


def test_processes_side_by_side_give_the_same(found, folder):
    again = national_flags("parquet", str(folder), areas=CODES, jobs=2, **ASKED)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert again.problems == found.problems


def test_a_damaged_part_takes_its_own_authorities_alone(found, folder, pupils, tmp_path):
    for number, code in enumerate((PLANTED, USUAL)):
        write(tmp_path / f"part-{number}.parquet", pupils[code])
    broken = tmp_path / "part-0.parquet"
    content = bytearray(broken.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    broken.write_bytes(content)
    made = national_flags("parquet", str(tmp_path), areas=(PLANTED, USUAL), jobs=1, **ASKED)
    [(code, why)] = made.problems
    assert code == PLANTED
    assert "part-0.parquet" in why
    assert str(tmp_path) not in why
    expected = found.table[found.table["la_code"] == USUAL].reset_index(drop=True)
    pd.testing.assert_frame_equal(made.table, expected)


def test_a_part_of_which_nobody_knows_whose_pupils_it_held_stops_all(pupils, tmp_path):
    for number, code in enumerate((PLANTED, USUAL)):
        write(tmp_path / f"part-{number}.parquet", pupils[code])
    cut = tmp_path / "part-1.parquet"
    cut.write_bytes(cut.read_bytes()[:-100])
    with pytest.raises(SourceError, match=r"part-1\.parquet"):
        national_flags("parquet", str(tmp_path), areas=(PLANTED, USUAL), jobs=1, **ASKED)


def test_what_does_not_exist_is_named_all_at_once(folder):
    with pytest.raises(SourceError) as error:
        national_flags("parquet", str(folder), areas=["E99999999"], dimensions=["etnicity"], outcomes=["need_ASX"])
    assert len(error.value.problems) == 3
    assert "Did you mean 'ethnicity'?" in str(error.value)
    with pytest.raises(MeasureError, match="Not a number of processes"):
        national_flags("parquet", str(folder), jobs=0)
    with pytest.raises(SourceError, match="No authority could be made"):
        national_flags("parquet", str(folder), areas=[ONE_SCHOOL, NOBODY], jobs=1, **ASKED)


def test_a_fault_in_one_authority_is_named_by_its_kind_alone(found, folder, monkeypatch):
    def faulty(engine, code, *groupings):
        if code == PLANTED:
            raise KeyError("a row of a child")
        return count_area(engine, code, *groupings)

    monkeypatch.setattr("jsna.national_flags.count_area", faulty)
    made = national_flags("parquet", str(folder), areas=(PLANTED, USUAL), jobs=1, **ASKED)
    [(code, why)] = made.problems
    assert (code, "KeyError" in why, "child" in why) == (PLANTED, True, False)
    expected = found.table[found.table["la_code"] == USUAL].reset_index(drop=True)
    pd.testing.assert_frame_equal(made.table, expected)
