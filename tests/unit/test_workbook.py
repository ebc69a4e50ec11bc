"""The workbook of a pack: what is in it, what its cells are, and that bad tables leave it whole."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from workbook_samples import EXHIBITS, FLAGS, area, exhibit

from jsna.pack.flags import COLUMNS
from jsna.pack.workbook import write_workbook
from jsna.pack.workbook.cells import headings, rows_of, typed
from jsna.pack.workbook.cells import settings as told
from jsna.pack.workbook.choose import chosen, sheet_names
from jsna.pack.workbook.guidance import faults


def _made(tmp_path, exhibits=EXHIBITS, flags=FLAGS, of=None, sources=()):
    path = write_workbook(tmp_path, of or area(), exhibits, flags, sources, {"02-identification": "Who is identified?"})
    return path, load_workbook(path)


def _column(book, sheet, heading):
    rows = list(book[sheet][next(iter(book[sheet].tables.values())).ref])
    at = [c.value for c in rows[0]].index(heading)
    return [row[at].value for row in rows[1:]]


def test_a_workbook_keeps_to_every_rule_of_the_guidance(tmp_path):
    path, book = _made(tmp_path)
    assert faults(path) == []
    front = ["Cover", "Contents", "Notes", "Findings", "Stand out"]
    assert book.sheetnames == [*front, "Scorecard", "Order of priorities", "SEN needs", "All comparisons"]


def test_numbers_are_numbers_and_letters_stay_letters(tmp_path):
    _, book = _made(tmp_path)
    assert _column(book, "SEN needs", "Pupils (number)") == [1204, "c"]
    assert _column(book, "Order of priorities", "Share (%)") == [93, 7]
    assert _column(book, "Scorecard", "Period") == ["2025", "2025"]
    assert book["SEN needs"]["A1"].value == "Title of identification-needs [note 7]"
    lines = [str(c.value) for c in book["SEN needs"]["A"]]
    assert "c = hidden to protect people (confidential)." in lines
    assert any("Synthetic data" in line for line in lines[:5])


def test_a_tables_own_note_numbers_become_the_workbooks(tmp_path):
    _, book = _made(tmp_path)
    assert _column(book, "Scorecard", "Measure") == ["Pupils on SEN support [note 5]", "Pupils with a plan [note 6]"]
    notes = {row[0].value: row[1].value for row in book["Notes"].iter_rows()}
    assert notes["note 5"] == "Source: Census."
    assert notes["note 7"] == "Each pupil once."
    assert notes["letter c"] == "hidden to protect people (confidential)"


def test_every_comparison_is_there_and_those_that_stand_out_apart(tmp_path):
    _, book = _made(tmp_path)
    assert _column(book, "All comparisons", "Group") == ["A", "B", "C"]
    assert _column(book, "Stand out", "Group") == ["A", "B"]
    assert _column(book, "All comparisons", "Counted (children or plans)") == [120, 120, "c"]
    assert set(told()["flags"]) == set(COLUMNS)


def test_two_runs_give_the_same_bytes_whatever_the_clock_says(tmp_path, monkeypatch):
    first = _made(tmp_path)[0].read_bytes()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert _made(tmp_path)[0].read_bytes() == first
    with zipfile.ZipFile(tmp_path / "evidence.xlsx") as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_marks_of_the_area_stand_on_the_cover(tmp_path):
    _, book = _made(tmp_path, of=area("Bristol, City of King's (restricted)", synthetic=False, restricted=True))
    cover = [c.value for c in book["Cover"]["A"]]
    assert cover[0] == "SEND evidence for Bristol, City of King's (restricted), 2026"
    assert any(str(line).startswith("Restricted.") for line in cover)
    assert not any("Synthetic" in line for line in cover)
    assert any("Disclosure: Numbers of pupils under 5" in line for line in cover)


@pytest.mark.parametrize(
    ("exhibits", "flags"),
    [
        pytest.param((), (), id="nothing at all"),
        pytest.param(EXHIBITS[:1], (), id="a chapter alone, no flags"),
        pytest.param((exhibit("gaps", "Group,Pupils\n"),), (), id="a table without rows"),
        pytest.param((exhibit("gaps", "Group,Pupils\nA,3\n"),), (), id="one row"),
        pytest.param((exhibit("gaps", "Group\nA\n"),), (), id="one column"),
        pytest.param(
            (exhibit("gaps", ',Pupils,pupils\n"a\nb",1,2,3\n?,,-\n'),), (), id="headings missing, twice, short"
        ),
        pytest.param((exhibit("gaps", "Group,Say\nA,=1+1\nB,[x](http://y) $$z$$\n"),), (), id="formula, link, mark"),
        pytest.param((exhibit("gaps", f"Group,Say\nA,{'long ' * 9000}\nB,\x07\n"),), (), id="too long, control"),
        pytest.param((exhibit("gaps", "Group,Share\nA,9%\nB,7\n"),), (), id="per cent and none"),
        pytest.param((exhibit("gaps", "Group,Pupils\nA,1\n", title="", source="", notes=[""]),), (), id="no title"),
    ],
)
def test_bad_input_gives_a_workbook_that_keeps_the_rules(tmp_path, exhibits, flags):
    path, _ = _made(tmp_path, exhibits, flags)
    broken = faults(path)
    assert [f for f in broken if "title" not in f] == []


def test_what_does_not_fit_in_a_cell_says_so_and_a_formula_stays_a_text(tmp_path):
    table = f"Group,Say\nA,=1+1\nB,{'long ' * 9000}\n"
    _, book = _made(tmp_path, (exhibit("gaps", table),), ())
    said = _column(book, "Without a figure", "Say")
    assert said[0] == "=1+1"
    assert said[1].endswith("(cut: the whole text is in the CSV file)")


def test_more_tables_than_the_workbook_holds_are_named_on_the_cover(tmp_path):
    many = [exhibit(f"population-{n:03d}", "Group,Pupils\nA,1\n") for n in range(75)]
    path, book = _made(tmp_path, many, FLAGS)
    assert faults(path) == []
    assert len(book.sheetnames) == 60 + 5
    cover = " ".join(str(c.value) for c in book["Cover"]["A"])
    assert "Title of population-060" in cover
    assert "Title of population-059" not in cover


def test_tables_for_one_need_stay_out_and_an_unknown_chapter_gives_its_first():
    unknown = [exhibit(f"new-{n}", "Group,Pupils\nA,1\n", chapter="13-new") for n in range(9)]
    assert [c.exhibit["id"] for c in chosen([*EXHIBITS, *unknown])] == [
        "scorecard",
        "order-firm-table",
        "identification-needs",
        *(f"new-{n}" for n in range(4)),
    ]


@given(st.lists(st.text(max_size=50), max_size=12))
def test_names_of_sheets_are_such_as_a_workbook_may_have(wishes):
    names = sheet_names(wishes, ["Notes"])
    assert len(names) == len(wishes)
    assert len({n.casefold() for n in [*names, "notes"]}) == len(names) + 1
    assert all(0 < len(n) <= 31 and not set("[]:*?/\\'") & set(n) for n in names)


@given(st.lists(st.sampled_from(["a", "A", "a (2)", "", "b"]), min_size=1, max_size=8))
def test_headings_differ_whatever_they_were(names):
    assert len({h.casefold() for h in headings(names)}) == len(names)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=8), st.integers(-9999, 99999), st.floats(-99, 99)), min_size=1, max_size=6))
def test_no_number_changes_and_no_cell_is_empty(rows):
    texts = [("Group", "Pupils", "Share (%)"), *((g.replace('"', "") or "g", str(n), f"{x:.1f}") for g, n, x in rows)]
    csv_text = "\n".join(",".join(f'"{c}"' for c in row) for row in texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = typed(rows_of(csv_text), lambda n: n)
    assert table.frame["Pupils (number)"].tolist() == [n for _, n, _ in rows]
    assert [f"{v:.1f}" for v in table.frame["Share (%)"]] == [row[2] for row in texts[1:]]
    assert not table.frame.isin(["", None]).any(axis=None)


CELLS = st.one_of(
    st.text(max_size=12), st.sampled_from(["c", "x", "12", "1.5", "93%", "-", "=A1", "[1]", "[a](b)", "$$n$$"])
)


# A table may hold a letter, a mark or a heading that nobody explained: these rules see it, the workbook cannot mend it.
LEFT_TO_THE_TABLE = ("notes are explained", "units in headings", "letters are explained")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5), st.text(max_size=40))
def test_whatever_a_table_holds_the_workbook_is_made_and_keeps_the_rules(tmp_path_factory, rows, title):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    made = [exhibit("gaps", stream.getvalue(), title=title, notes=[title], source=title)]
    path = write_workbook(tmp_path_factory.mktemp("any"), area(), made)
    broken = [f for f in faults(path) if not f.startswith(LEFT_TO_THE_TABLE)]
    assert broken == []


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed here")
def test_libreoffice_opens_it_whole(tmp_path):
    path, book = _made(tmp_path)
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", "ods", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    with zipfile.ZipFile(tmp_path / "evidence.ods") as archive:
        content = archive.read("content.xml").decode("utf-8")
    assert all(f'table:name="{name}"' in content for name in book.sheetnames)
