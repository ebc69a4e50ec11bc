"""Cells from text to values: what is understood, what is refused, and that nothing is guessed."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsna.files.values import booleans, codes, dates, numbers, tidy, trim, whole_numbers

NOT_READ = object()


def one(function, cell, *args, **kwargs):
    """The value of one cell: NOT_READ where the function could not read it, None where it is missing."""
    typed, *rest = function(pd.Series([cell]), *args, **kwargs)
    if rest[-1].iloc[0]:
        assert pd.isna(typed.iloc[0]) or typed.iloc[0] == ""
        return NOT_READ
    return None if pd.isna(typed.iloc[0]) else typed.iloc[0]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-01-15", "2026-01-15"),
        ("2026-01-15T09:30:00", "2026-01-15"),
        ("2026-01-15 09:30", "2026-01-15"),
        ("2026-01-15T09:30:00.123Z", "2026-01-15"),
        ("2026-01-15T00:30:00+01:00", "2026-01-15"),
        ("2026-Jan-15 00:00:00", "2026-01-15"),
        ("2026-JAN-15", "2026-01-15"),
        ("15/01/2026", "2026-01-15"),
        ("5/1/2026", "2026-01-05"),
        ("15/01/2026 9:05", "2026-01-15"),
        ("15-01-2026", "2026-01-15"),
        ("15-Jan-2026", "2026-01-15"),
        ("15 January 2026", "2026-01-15"),
        ("1 Sept 2026", "2026-09-01"),
        ("20260115", "2026-01-15"),
        ("46037", "2026-01-15"),
        ("46037.75", "2026-01-15"),
        ("29/02/2024", "2024-02-29"),
        (" 2026-01-15\xa0", "2026-01-15"),
        ("", None),
        ("NULL", None),
        ("#N/A", None),
        ("15/01/26", NOT_READ),
        ("01/15/2026", NOT_READ),
        ("31/02/2026", NOT_READ),
        ("29/02/2023", NOT_READ),
        ("15 Marble 2026", NOT_READ),
        ("2026-01-15T99:99:99", NOT_READ),
        ("15012026", NOT_READ),
        ("1900-01-01", NOT_READ),
        ("2099-12-31", NOT_READ),
        ("9999-12-31", NOT_READ),
        ("1234567", NOT_READ),
        ("#REF!", NOT_READ),
        ("Jan 2026", NOT_READ),
    ],
)
def test_a_date_is_read_day_before_month_or_not_at_all(cell, day):
    got = one(dates, cell)
    assert got == (day if day in (None, NOT_READ) else pd.Timestamp(day))


def test_day_numbers_are_no_dates_where_the_column_cannot_have_them():
    assert one(dates, "46037", serials=False) is NOT_READ


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("7", 7),
        ("-3", -3),
        ("132.0", 132),
        ("1,047", 1047),
        ("1,047.0", 1047),
        ("12,345,678", 12345678),
        ("", None),
        ("N/A ", None),
        ("27,1", NOT_READ),
        ("1,0470", NOT_READ),
        (",5", NOT_READ),
        ("1.5", NOT_READ),
        ("1e5", NOT_READ),
        ("٣", NOT_READ),
        ("1_000", NOT_READ),
        ("9" * 16, NOT_READ),
        ("#DIV/0!", NOT_READ),
    ],
)
def test_whole_numbers(cell, number):
    assert one(whole_numbers, cell) == number


@pytest.mark.parametrize(
    ("cell", "number", "symbol"),
    [
        ("1,047", 1047.0, ""),
        ("27.1%", 27.1, ""),
        ("1.2E-05", 0.000012, ""),
        (".5", 0.5, ""),
        ("5.", 5.0, ""),
        ("-2.5", -2.5, ""),
        ("0", 0.0, ""),
        ("c", None, "c"),
        ("[low]", None, "low"),
        ("~", None, "low"),
        ("", None, "x"),
        (":", None, "x"),
        ("27,1", NOT_READ, "x"),
        ("inf", NOT_READ, "x"),
        ("Infinity", NOT_READ, "x"),
        ("nan", NOT_READ, "x"),
        ("0x10", NOT_READ, "x"),
        ("<5", NOT_READ, "x"),
        ("#REF!", NOT_READ, "x"),
    ],
)
def test_published_figures_and_their_symbols(cell, number, symbol):
    assert one(numbers, cell) == number
    assert numbers(pd.Series([cell]))[1].tolist() == [symbol]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("k ", "K"),
        ("N", "N"),
        ("no", "NO"),
        ("5.0", "5"),
        ("05", NOT_READ),
        ("n/a", ""),
        ("-", ""),
        ("SEMH", NOT_READ),
        ("#REF!", NOT_READ),
    ],
)
def test_codes_are_matched_and_none_is_taken_for_a_missing_mark(cell, code):
    assert one(codes, cell, {"K", "N", "NO", "5"}) == code


@pytest.mark.parametrize(
    ("cell", "said"),
    [("1", True), ("1.0", True), ("Y", True), ("no", False), ("0.0", False), ("", None), ("2", NOT_READ)],
)
def test_yes_and_no(cell, said):
    assert one(booleans, cell) is said or one(booleans, cell) == said


def test_an_error_of_a_spreadsheet_is_no_missing_value():
    assert tidy(pd.Series(["#REF!", "#VALUE!", "#DIV/0!", "#N/A"])).tolist() == ["#REF!", "#VALUE!", "#DIV/0!", ""]


@pytest.mark.parametrize("function", [dates, booleans, whole_numbers, numbers, lambda s: codes(s, {"K"})])
def test_a_column_keeps_its_length_and_its_rows(function):
    column = pd.Series(["1", None, "x", "1"], index=[7, 9, 9, 3])
    for part in function(column):
        assert part.index.tolist() == [7, 9, 9, 3]
    for part in function(column.iloc[:0]):
        assert len(part) == 0


@settings(deadline=None, max_examples=50)
@given(st.dates(min_value=dt.date(1900, 1, 2), max_value=dt.date(2099, 12, 30)))
def test_every_day_is_read_back_from_every_form(day):
    forms = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S"]
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
    text = [day.strftime(f) for f in forms]
    text += [
        f"{day.year}-{months[day.month - 1]}-{day.day:02d} 00:00:00",
        f"{day.day}-{months[day.month - 1]}-{day.year}",
    ]
    got, bad = dates(pd.Series(text))
    assert not bad.any()
    assert set(got.dt.date) == {day}


@settings(deadline=None, max_examples=50)
@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_every_whole_number_is_read_back_with_and_without_commas(number):
    got, bad = whole_numbers(pd.Series([str(number), f"{number:,}", f"{number}.0"]))
    assert got.tolist() == [number] * 3
    assert not bad.any()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_text_is_read_refused_or_missing_and_never_fails(cells):
    column = pd.Series(cells, dtype="str")
    typed, bad = dates(column)
    assert not (bad & typed.notna()).any()
    typed, symbol, bad = numbers(column)
    assert (typed.notna() == (symbol == "")).all()
    assert not (bad & typed.notna()).any()
    assert typed.dropna().abs().lt(float("inf")).all()
    typed, bad = whole_numbers(column)
    assert not (bad & typed.notna()).any()
    typed, bad = codes(column, {"K", "NA"})
    assert set(typed) <= {"", "K", "NA"}
    assert trim(column).str.strip().equals(trim(column))
