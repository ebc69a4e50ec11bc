"""Whatever stands in a census: no row is lost without a word, order does not matter, and nobody changes group."""

import tempfile
from pathlib import Path

import census_samples as cs
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsna.codes import all_versions
from jsna.errors import WorkbenchError
from jsna.sources.census_flat import raw_of
from jsna.sources.identity import pseudonyms
from jsna.sources.pupil_table import canonical
from jsna.sources.pupils import read_pupils

FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTEXT = cs.context()
NUMBERS = ["", " ", "NULL", "?", "0", "1", "-1", "9.99E+06", "45000", "01-Jan", "2026-01-15", "15/01/26", "31/02/2015"]
WORDS = [
    "SLCN",
    "K",
    "WBRI",
    "Other",
    "OTH",
    "OOTHER",
    "BOTH parents",
    "Any other",
    "White",
    "Ünknown",
    "=1+1",
    "#REF!",
]
PERSONS = ["Surname0001", "XL1 1AA", "x" * 300, "\u00a0", "😀", "true", "E", "N", "NOT", "A,B", "<b>", "C999000000001"]
JUNK = st.sampled_from(NUMBERS) | st.sampled_from(WORDS) | st.sampled_from(PERSONS)


def write(form: str, folder: Path, rows: dict[str, list[dict[str, str]]]) -> Path:
    """Rows by table, in one of the forms that are tables of text."""
    if form == "blade":
        return cs.write_blades(folder, rows)
    return cs.put(folder / ("npd.csv" if form == "npd" else "2026_spring.csv"), cs.csv_text(rows["pupils"]))


def tables(form: str) -> dict[str, list[dict[str, str]]]:
    return {"blade": cs.collect_tables, "npd": lambda: {"pupils": cs.npd_rows()}}.get(
        form, lambda: {"pupils": cs.flat_rows()}
    )()


def damage(rows: list[dict[str, str]], hits: list[tuple[int, int, str]], spare: tuple[str, ...] = ()) -> None:
    for place, column, junk in hits:
        row = rows[place % len(rows)]
        names = [name for name in row if name not in spare]
        row[names[column % len(names)]] = junk


def adds_up(table) -> None:
    """Rows read are rows kept and rows put aside, and each of these is listed."""
    summary, quarantine = table.loaded.summary, table.loaded.quarantine
    assert summary.rows_read == summary.rows_kept + summary.rows_refused
    assert len(table.loaded.frame) == summary.rows_kept
    assert quarantine[["file", "row"]].drop_duplicates().shape[0] >= summary.rows_refused
    assert (quarantine["rule"] != "").all()
    assert (quarantine["mend"] != "").all()


HITS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), JUNK), max_size=30)


@pytest.mark.parametrize("form", ["blade", "flat", "npd"])
@FEW
@given(hits=HITS)
def test_no_junk_is_a_traceback_or_a_silent_loss(form, hits):
    rows = tables(form)
    for number, name in enumerate(rows):
        damage(rows[name], hits[number :: len(rows)])
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = read_pupils([write(form, Path(folder), rows)], CONTEXT)
        except WorkbenchError as error:
            unnamed = [p for p in error.problems if not (p.what and p.where)]
            if unnamed:
                raise AssertionError(unnamed) from None
            return
    adds_up(table)


@FEW
@given(hits=HITS)
def test_no_junk_in_xml_is_a_traceback_or_a_silent_loss(hits):
    pupils = list(cs.PUPILS)
    fields = ("dob", "sex", "ethnicity", "language", "year", "status", "provision", "postcode", "unit", "upn")
    for place, field, junk in hits:
        changed = {fields[field % len(fields)]: junk.replace("<", "&lt;")}
        pupils[place % len(pupils)] = cs.other(pupils[place % len(pupils)], **changed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = read_pupils([cs.write_xml_authority(Path(folder) / "la.xml", pupils)], CONTEXT)
        except WorkbenchError:
            return
    assert table.loaded.summary.rows_read == 12
    adds_up(table)


@FEW
@given(hits=HITS)
def test_nobody_is_filed_under_a_group_that_the_file_does_not_give(hits):
    """By a few lines of its own: a code's main group, or a label's, or not obtained."""
    rows = cs.flat_rows()[:11]
    damage(rows, hits, spare=("UPN",))
    frame = pd.DataFrame(rows, index=range(2, 13))
    try:
        table = canonical([raw_of(frame, "f.csv", 11, empty(), "", "", (), cs.DAY)], CONTEXT)
    except WorkbenchError:
        return
    detailed = all_versions("ethnicity_detailed")
    main = dict(zip(detailed["code"], detailed["main"], strict=True))
    given = dict(zip(pseudonyms(frame["UPN"], cs.KEY), frame["Ethnicity"], strict=True))
    for pupil in table.loaded.frame.itertuples():
        code = given[pupil.pupil_id].strip().upper()
        assert pupil.ethnicity == main.get(code, "NOBT")
        assert pupil.ethnicity != "OOTH" or code == "OOTH"
    provision = dict(zip(pseudonyms(frame["UPN"], cs.KEY), frame["SENprovision"], strict=True))
    assert all(provision[p.pupil_id].strip().upper() == p.sen_provision for p in table.loaded.frame.itertuples())


def empty() -> pd.DataFrame:
    from jsna.files.result import together

    return together([])


@pytest.mark.parametrize("form", ["blade", "flat", "npd"])
@FEW
@given(random=st.randoms(use_true_random=False), hits=HITS)
def test_the_order_of_rows_and_columns_does_not_matter(form, random, hits):
    """Even of a damaged census, with children twice in it and children without a number."""
    rows = tables(form)
    damage(next(r for name, r in rows.items() if name.startswith("pupil")), hits)
    shuffled = {}
    for name, of in rows.items():
        columns = random.sample(list(of[0]), len(of[0]))
        shuffled[name] = [{c: row[c] for c in columns} for row in random.sample(of, len(of))]
    got = []
    for version in (rows, shuffled):
        with tempfile.TemporaryDirectory() as folder:
            try:
                got.append(read_pupils([write(form, Path(folder), version)], CONTEXT).loaded.frame)
            except WorkbenchError as error:
                got.append(len(error.problems))
    if isinstance(got[0], int):
        assert got[0] == got[1]
    else:
        pd.testing.assert_frame_equal(got[0], got[1], check_categorical=False)


@FEW
@given(random=st.randoms(use_true_random=False))
def test_the_order_of_pupils_in_xml_does_not_matter(random):
    pupils = random.sample(cs.PUPILS, len(cs.PUPILS))
    with tempfile.TemporaryDirectory() as folder:
        frame = read_pupils([cs.write_xml_authority(Path(folder) / "la.xml", pupils)], CONTEXT).loaded.frame
    pd.testing.assert_frame_equal(cs.as_text(frame), cs.as_text(cs.expected()))
