"""Local extracts: sound lists are read whole, in any dress; nothing is lost; templates and the page fit the reader."""

import csv
import io
import re

import openpyxl
import pandas as pd
import pytest
from extract_samples import SOUND, renamed, sound, spoilt, text_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jsna.errors import SourceError
from jsna.sources.extracts import guide_page, kinds, opening, read_extract, row_guide, template, with_questions
from jsna.sources.extracts.rules import RULES, columns_of
from jsna.sources.extracts.specification import Spec, specs
from jsna.sources.identity import make_upn, pseudonyms

KEY = bytes(range(32))


def read(tmp_path, text, kind=None, key=None, name="list.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_extract(path, kind, key)


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_list_is_recognised_and_read_whole(tmp_path, kind):
    extract = read(tmp_path, SOUND[kind])
    assert extract.kind == kind
    assert len(extract.loaded.frame) == len(sound(kind)) - 1
    assert extract.findings.empty, extract.findings.to_string()
    assert extract.loaded.quarantine.empty


def test_every_kind_has_a_sound_list():
    assert set(kinds()) == set(SOUND)


def test_columns_have_their_types_and_names_of_the_workbench(tmp_path):
    frame = read(tmp_path, SOUND["ehc_cases"]).loaded.frame
    assert frame.index.tolist() == [2, 3, 4, 5, 6]
    assert frame["request_received_date"].dt.strftime("%d %B %Y").iloc[0] == "06 January 2025"
    assert frame["exception_applies"].tolist()[0] is False
    assert frame["exception_applies"].isna().sum() == 3
    assert frame["ethnicity"].tolist() == ["BAFR", "WBRI", "AIND", "", "WBRI"]
    assert frame["ward_code"].tolist()[:2] == ["E05999001", "E05999001"]
    absence = read(tmp_path, SOUND["absence"]).loaded.frame
    assert absence["sessions_possible"].dtype == "Int64"
    assert absence["academic_year"].tolist() == ["202526"] * 3


DRESSES = {
    "semicolons": lambda rows: text_of(rows, ";"),
    "tabs and a mark": lambda rows: "\ufeff" + text_of(rows, "\t"),
    "Windows-1252": lambda rows: text_of([[*r, "é"] for r in rows]).encode("cp1252"),
    "UTF-16": lambda rows: text_of(rows).encode("utf-16"),
    "lines above": lambda rows: "SEND extract\nDrawn on 10 January\n\n" + text_of(rows),
    "headings in capitals with blanks": lambda rows: text_of(
        [[h.replace("_", " ").upper() for h in rows[0]], *rows[1:]]
    ),
    "columns turned round": lambda rows: text_of([row[::-1] for row in rows]),
    "British dates": lambda rows: re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", text_of(rows)),
    "dates with a time": lambda rows: re.sub(r"(\d{4}-\d\d-\d\d)", r"\1 00:00:00", text_of(rows)),
    "blanks round cells": lambda rows: text_of([rows[0], *([f" {c}\xa0" for c in row] for row in rows[1:])]),
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES.keys())
@pytest.mark.parametrize("kind", ["ehc_cases", "exclusions", "absence"])
def test_the_dress_of_a_list_does_not_matter(tmp_path, kind, dress):
    plain = read(tmp_path, SOUND[kind]).loaded.frame
    dressed = read(tmp_path, dress(sound(kind))).loaded.frame
    pd.testing.assert_frame_equal(
        dressed.reset_index(drop=True)[list(plain)], plain.reset_index(drop=True), check_dtype=True
    )


@pytest.mark.parametrize("kind", SOUND)
def test_a_workbook_gives_what_the_csv_gives(tmp_path, kind):
    book = openpyxl.Workbook()
    for row in sound(kind):
        book.active.append([int(c) if c.isdigit() and not c.startswith("0") else c for c in row])
    book.create_sheet("Notes").append(["Made for the SEND board"])
    book.save(tmp_path / "list.xlsx")
    extract = read_extract(tmp_path / "list.xlsx")
    assert extract.kind == kind
    pd.testing.assert_frame_equal(extract.loaded.frame, read(tmp_path, SOUND[kind]).loaded.frame)


def test_other_spellings_of_headings_and_codes_are_understood(tmp_path):
    text = renamed("exclusions", sessions="half days", reason1="reason", start_date="Exclusion Start Date")
    frame = read(tmp_path, text.replace("SUSP", "FIXD")).loaded.frame
    assert frame["category"].tolist() == ["SUSP", "SUSP", "PERM"]
    assert frame["reason1"].tolist() == ["DB", "PP", "OW"]
    assert frame["sessions"].tolist()[:2] == [4, 6]


def test_columns_that_no_specification_names_are_never_read(tmp_path):
    rows = [[*row, extra] for row, extra in zip(sound("absence"), ["Surname", "Ex", "Am", "Ple"], strict=True)]
    extract = read(tmp_path, text_of(rows))
    assert "Surname" not in extract.loaded.frame
    assert extract.loaded.summary.notes == (
        "1 columns that are no part of absence were not read, 1 of them with names or addresses.",
    )


def test_no_other_column_comes_into_memory(tmp_path, monkeypatch):
    seen = []
    parse = opening.parse_delimited

    def watched(*args, **options):
        table = parse(*args, **options)
        seen.extend(table.frame.columns)
        return table

    monkeypatch.setattr(opening, "parse_delimited", watched)
    rows = [[*row, extra] for row, extra in zip(sound("absence"), ["Comments", "Ex", "Am", "Ple"], strict=True)]
    read(tmp_path, text_of(rows))
    assert seen == sound("absence")[0]


def test_pupil_numbers_become_the_pseudonyms_of_the_census(tmp_path):
    upns = [make_upn("999", "9060", "15", f"{i:03d}") for i in range(3)]
    rows = sound("absence")
    rows[0][0] = "UPN"
    for row, upn in zip(rows[1:], upns, strict=True):
        row[0] = upn.lower() + " "
    expected = pseudonyms(pd.Series(upns), KEY).tolist()
    assert read(tmp_path, text_of(rows), key=KEY).loaded.frame["person_id"].tolist() == expected
    rows[0][0] = "person_id"
    inside = read(tmp_path, text_of(rows), key=KEY)
    assert inside.loaded.frame["person_id"].tolist() == expected
    assert inside.findings["rule"].tolist() == ["upn in person_id"]


def test_a_pseudonym_goes_before_a_pupil_number(tmp_path):
    rows = [[*row, upn] for row, upn in zip(sound("absence"), ["UPN", *["A999906015000"] * 3], strict=True)]
    frame = read(tmp_path, text_of(rows)).loaded.frame
    assert frame["person_id"].tolist() == ["aa01", "aa02", "aa03"]
    assert "upn" not in frame


def test_the_form_of_counts_is_read_under_the_name_of_its_kind(tmp_path):
    assert read(tmp_path, SOUND["ld_health_checks_aggregate"], "ld_health_checks").kind == "ld_health_checks_aggregate"
    assert read(tmp_path, SOUND["absence"], "absence").kind == "absence"


def test_rules_that_cannot_be_judged_are_named(tmp_path):
    rows = [row[:9] for row in sound("annual_reviews")]
    extract = read(tmp_path, text_of([row[:8] for row in rows]))
    assert any("could not be judged" in n and "amendment without A" in n for n in extract.loaded.summary.notes)
    assert set(extract.findings["rule"]) == {"no extract_date", "no period_start", "no period_end"}


def test_an_answer_of_do_not_know_is_in_order(tmp_path):
    questions = read(tmp_path, SOUND["survey_questions"], name="q.csv")
    checked = with_questions(read(tmp_path, SOUND["survey_responses"]), questions)
    assert len(checked.loaded.frame) == 4
    assert checked.findings.empty


@pytest.mark.parametrize("kind", kinds())
def test_a_filled_in_template_is_recognised_as_its_kind(tmp_path, kind):
    headings = next(csv.reader(io.StringIO(template(kind))))
    assert len(set(headings)) == len(headings)
    values = dict(zip(*sound(kind)[:2], strict=True))
    extract = read(tmp_path, text_of([headings, [values.get(h, "") for h in headings]]))
    assert extract.kind == kind
    assert not (extract.findings["severity"] == "E").any()


def test_the_page_about_extracts_is_current(repository):
    page = (repository / "docs" / "extracts.md").read_text(encoding="utf-8")
    assert page == guide_page(), "run: python -m jsna.sources.extracts docs/extracts.md"


@pytest.mark.parametrize("kind", kinds())
def test_the_row_guide_names_every_column_and_rule(kind):
    spec, text = specs()[kind], row_guide(kind)
    assert all(f"`{c.title}`" in text for c in spec.all_columns.values())
    assert all(rule.says in text for rule in spec.rules)


def test_an_unknown_kind_has_no_template():
    with pytest.raises(SourceError, match="Did you mean 'absence'"):
        template("absense")


def test_every_rule_of_the_closed_set_is_used_and_every_one_used_exists():
    assert {rule.rule for spec in specs().values() for rule in spec.rules} == set(RULES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rule": "uniq"}, "no rule is called"),
        ({"with": {"columns": ["lost"]}}, "no such columns"),
        ({"with": {"column": "a"}}, "column"),
        ({"severity": "F"}, "severity"),
    ],
    ids=["unknown rule", "unknown column", "unknown argument", "unknown severity"],
)
def test_an_unsound_specification_is_refused(change, words):
    rule = {"name": "r", "rule": "unique", "severity": "E", "with": {"columns": ["a"]}, "says": "s", "mend": "m"}
    column = {"name": "a", "type": "text", "says": "s"}
    with pytest.raises((ValidationError, TypeError), match=words):
        Spec(
            kind="k",
            title="t",
            row_is="r",
            context=False,
            signature=("a",),
            columns={"a": column},
            rules=[rule | change],
        )


D = pd.to_datetime
RULE_CASES = [
    ("filled", {"columns": ["a"], "where": [{"b": ["Y"]}]}, {"a": ["", "", "1"], "b": ["Y", "N", "Y"]}, [0]),
    ("filled_any", {"columns": ["a", "b"]}, {"a": ["", "1", ""], "b": ["", "", "2"]}, [0]),
    ("only_with", {"columns": ["a"], "where": [{"b": ["Y"]}]}, {"a": ["1", "1", ""], "b": ["Y", "N", "N"]}, [1]),
    (
        "order",
        {"columns": ["a", "b", "c"]},
        {
            "a": D(["2025-01-02"] * 4),
            "b": D(["2025-01-02", "2025-01-01", None, None]),
            "c": D(["2025-01-03", "2025-01-03", "2025-01-01", None]),
        },
        [1, 2],
    ),
    (
        "gap",
        {"first": "a", "then": "b", "months": 2, "or_first": "c", "or_months": 1},
        {
            "a": D(["2025-01-31"] * 4),
            "b": D(["2025-03-31", "2025-04-01", "2025-04-01", None]),
            "c": D([None, None, "2025-03-01", None]),
        },
        [1],
    ),
    ("equal", {"columns": ["a", "b"]}, {"a": D(["2025-01-01"] * 3), "b": D(["2025-01-01", "2025-01-02", None])}, [1]),
    (
        "due",
        {"column": "a", "after": ["b", "c"], "months": 12, "tolerance": 1},
        {
            "a": D(["2025-02-28", "2025-03-03", "2025-03-03", None]),
            "b": D([None, None, "2024-03-03", None]),
            "c": D(["2024-02-29", "2024-03-01", "2020-01-01", "2024-01-01"]),
        },
        [1],
    ),
    (
        "overdue",
        {"column": "a", "due": "b", "at": "c"},
        {
            "a": D([None, None, "2025-01-01"]),
            "b": D(["2025-01-01", "2025-02-01", "2025-01-01"]),
            "c": D(["2025-02-01"] * 3),
        },
        [0],
    ),
    (
        "on_day",
        {"column": "a", "day": "02-15", "where": [{"b": ["X"]}]},
        {"a": D(["2025-02-15", "2025-02-16", "2025-02-16", None]), "b": ["X", "X", "", "X"]},
        [1],
    ),
    (
        "in_year",
        {"column": "a", "year": "b", "begins": "04-01"},
        {"a": D(["2025-04-01", "2026-03-31", "2026-04-01", "2025-03-31", None]), "b": ["202526"] * 5},
        [2, 3],
    ),
    (
        "not_after_month",
        {"column": "a", "month": "b"},
        {"a": D(["2024-02-29", "2024-03-01", None]), "b": ["2024-02"] * 3},
        [1],
    ),
    (
        "between",
        {"column": "a", "low": 1, "high": 3},
        {"a": pd.array([0, 1, 3, 4, None], dtype="Int64")},
        [0, 3],
    ),
    (
        "sum_within",
        {"parts": ["a", "b"], "whole": "c"},
        {"a": pd.array([1, 2, 2, None], dtype="Int64"), "b": pd.array([1, 1, 2, 9], dtype="Int64"), "c": [3, 3, 3, 3]},
        [2],
    ),
    (
        "total_within",
        {"column": "n", "by": ["p"], "year_of": "d", "limit": 9, "where": [{"k": ["S"]}]},
        {
            "n": [5, 5, 5, 5],
            "p": ["a", "a", "a", "b"],
            "k": ["S"] * 4,
            "d": D(["2025-09-01", "2026-08-31", "2026-09-01", "2025-10-01"]),
        },
        [0, 1],
    ),
    (
        # Friday with two half-days ends on Friday; with three, on Monday.
        "no_overlap",
        {"by": "p", "start": "d", "sessions": "n", "where": [{"k": ["S"]}]},
        {
            "p": ["a", "a", "b", "b", "c"],
            "n": [2, 2, 3, 2, 2],
            "k": ["S"] * 5,
            "d": D(["2025-10-03", "2025-10-06", "2025-10-03", "2025-10-06", "2025-10-03"]),
        },
        [3],
    ),
    (
        "again",
        {"by": "p", "date": "d", "days": 182},
        {"p": ["a", "a", "a", "", ""], "d": D(["2025-01-01", "2025-07-02", "2026-01-01", "2025-01-01", "2025-01-01"])},
        [1],
    ),
    (
        "not_both",
        {"conditions": [{"a": "filled"}, {"b": ["1"]}]},
        {"a": ["x", "x", ""], "b": pd.array([True, False, True], dtype="boolean")},
        [0],
    ),
    ("one_value", {"columns": ["a"]}, {"a": ["x", "x", "y", ""]}, [2]),
    (
        "starts_late",
        {"columns": ["a", "b"], "first": "c", "days": 30, "least": 3},
        {"a": D([None, "2025-02-01", None]), "b": D([None, None, "2025-03-01"]), "c": D(["2025-01-01"] * 3)},
        [1, 2],
    ),
    (
        "share",
        {"where": [{"a": ["1"]}], "above": 0.4, "least": 2},
        {"a": ["1", "0", "1", "0"]},
        [0, 2],
    ),
    ("commonest", {"column": "a", "above": 0.4, "least": 2}, {"a": ["x", "x", "y", "z"]}, [0, 1]),
]


@pytest.mark.parametrize(("rule", "given_", "columns", "broken"), RULE_CASES, ids=[case[0] for case in RULE_CASES])
def test_a_rule_finds_its_rows_and_no_others(rule, given_, columns, broken):
    frame = pd.DataFrame(columns)
    mask = RULES[rule](frame, **given_)
    assert frame.index[mask].tolist() == broken
    assert set(columns_of(given_)) <= set(frame)


def test_a_key_that_stands_twice_keeps_the_first_of_rows_alike_and_none_that_differ():
    frame = pd.DataFrame({"a": ["1", "1", "2", "2", "", ""], "b": ["x", "x", "x", "y", "p", "q"]})
    assert RULES["unique"](frame, ["a"]).tolist() == [False, True, True, True, False, False]


def test_a_sign_under_a_share_names_the_rows_that_lack_it():
    frame = pd.DataFrame({"a": ["0", "0", "0"]})
    assert RULES["share"](frame, where=[{"a": ["1"]}], below=0.5, least=3).all()
    assert not RULES["share"](frame, where=[{"a": ["1"]}], below=0.5, least=4).any()


CELLS = ["", "NULL", "2025-01-06", "1900-01-01", "97", "Y", "N", "A", "C1", "aa01", "Total", "Ann Example", "5", "-1"]
CELLS += ["9.5", "12%", "202526", "2026-01", "person_id", "sessions_possible", "FULL", "SUSP", "1", "0", "\xa0", "1e5"]


@pytest.mark.parametrize("kind", ["ehc_cases", "exclusions", "absence", "destinations", "short_breaks"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_in_are_rows_out_and_rows_reported(tmp_path, kind, data):
    rows = sound(kind)
    width = len(rows[0])
    count = data.draw(st.integers(1, 6))
    changes = data.draw(
        st.lists(st.tuples(st.integers(1, count), st.integers(0, width - 1), st.sampled_from(CELLS)), max_size=12)
    )
    body = [list(rows[1 + i % (len(rows) - 1)]) for i in range(count)]
    for row, column, cell in changes:
        body[row - 1][column] = cell
    loaded = read(tmp_path, text_of([rows[0], *body]), kind).loaded
    reported = set(loaded.quarantine["row"])
    kept = set(loaded.frame.index)
    blank = {i + 2 for i, row in enumerate(body) if not "".join(row).strip()}
    assert kept | reported == set(range(2, count + 2)) - blank
    assert loaded.summary.rows_read == count - len(blank)
    assert loaded.summary.rows_refused == len(reported - kept)
    assert not loaded.quarantine["value"].str.contains("Ann").any()


def test_the_order_of_rows_does_not_matter(tmp_path):
    rows = sound("ehc_cases")
    turned = [rows[0], *rows[:0:-1]]
    one = read(tmp_path, text_of(rows)).loaded.frame.set_index("case_id").sort_index()
    other = read(tmp_path, text_of(turned)).loaded.frame.set_index("case_id").sort_index()
    pd.testing.assert_frame_equal(one, other)


def test_a_cell_that_is_refused_keeps_its_row(tmp_path):
    loaded = read(tmp_path, spoilt("ehc_cases", request_source="9")).loaded
    assert loaded.summary.rows_refused == 0
    assert loaded.frame["request_source"].tolist()[0] == ""
    assert loaded.quarantine[["row", "column", "value"]].to_numpy().tolist() == [[2, "request_source", "9"]]
