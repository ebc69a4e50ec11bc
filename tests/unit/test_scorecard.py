"""The Scorecard's rows and words: order and guards, changes and trends, promises, coverage, the register of gaps."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jsna.chapters import coverage as coverage_chapter
from jsna.chapters import scorecard
from jsna.chapters import scorecard_sentences as sentences
from jsna.chapters import scorecard_words as words
from jsna.disclosure import publish_official
from jsna.errors import DisclosureError
from jsna.evidence.catalogue import Item, Target, catalogue, frame_of
from jsna.evidence.comparators import Comparator
from jsna.evidence.coverage import awaiting, coverage, register, status, statuses
from jsna.evidence.scorecard import carried_over, latest_figures, pool_of, selection, settings, standing, unguarded
from jsna.exhibits.scorecard_table import scorecard_table, sparkline
from jsna.exhibits.tables import format_number
from jsna.notebook import open_area
from jsna.pack.page import index_page, one_page

LUTON = "E06000032"
ENGLAND = "E92000001"


def values(*rows, **common):
    """Rows of ``Values.frame``: indicator, period, year, value, numerator, denominator; the rest as given."""
    names = ["indicator", "period", "year", "value", "numerator", "denominator"]
    frame = pd.DataFrame(rows, columns=names)
    whole = {
        "group": "all",
        "area_code": LUTON,
        "area_level": "local_authority",
        "symbol": "",
        "provisional": False,
        "break_before": False,
        "source": "a release: a table",
        "origin": "official",
        "lower": np.nan,
        "upper": np.nan,
    }
    frame = frame.assign(**(whole | common))
    return frame.assign(way=np.where(frame["numerator"].notna(), "counts", "published"))


def chosen(*names):
    return pd.DataFrame({"section": "S", "indicator": names, "group": "all", "beneath": False, "frames": ""})


# which measures, and in which order


def test_a_measure_stands_once_and_its_guards_right_beneath():
    page = selection("scorecard", frame_of(LUTON))
    assert not page.duplicated(["indicator", "group"]).any()
    order = page["indicator"].tolist()
    for family in settings()["guarded"]:
        at = [order.index(n) for n in family["measures"]]
        guards = [order.index(n) for n in family["guards"]]
        assert max(at) < min(guards)
        assert guards == list(range(max(at) + 1, max(at) + 1 + len(guards)))
        assert page.iloc[guards]["beneath"].all()


def test_guards_are_balancing_measures_of_the_catalogue():
    known = catalogue()
    for family in settings()["guarded"]:
        balancing = {b for m in family["measures"] for b in known[m].balancing}
        assert set(family["guards"]) <= balancing


def test_rows_of_one_priority_lie_together_in_the_frames_order():
    page = selection("scorecard", frame_of(LUTON))
    sections = page["section"].drop_duplicates().tolist()
    assert [s.split(" ")[0] for s in sections if s[0] == "P"] == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert (page["section"] != page["section"].shift()).sum() == len(sections)


def test_every_scorecard_indicator_of_the_catalogue_is_on_the_page():
    wanted = {i.id for i in catalogue().indicators.values() if i.scorecard}
    assert wanted <= set(selection("scorecard", frame_of(LUTON))["indicator"])


def test_the_dashboard_holds_public_figures_alone():
    page = selection("dashboard", frame_of(LUTON))
    assert all("official" in catalogue()[n].available for n in page["indicator"])
    assert page["section"].iloc[0] == "Outcomes"


def test_fewer_plans_without_a_balancing_measure_are_not_to_be_read_alone():
    assert unguarded(["IDN-07", "EHC-02"]) == []
    assert unguarded(["IDN-07"]) == ["IDN-07"]


# figures: latest, change, trend


def test_a_change_that_chance_explains_is_called_so_and_a_larger_one_is_not():
    small = values(
        ["EHC-05", "2023", 2023, 100 * 100 / 312, 100, 312], ["EHC-05", "2024", 2024, 100 * 96 / 354, 96, 354]
    )
    large = values(["EHC-05", "2023", 2023, 100 * 2000 / 3000, 2000, 3000], ["EHC-05", "2024", 2024, 27.1, 96, 354])
    found = [latest_figures(rows, chosen("EHC-05")).iloc[0] for rows in (small, large)]
    assert [words.change_words(r) for r in found] == ["−4.9 points, within chance", "−39.5 points, more than chance"]


def test_a_change_across_a_break_is_not_shown():
    rows = values(["EHC-05", "2022", 2022, 27.5, 10, 40], ["EHC-05", "2023", 2023, 32.1, 100, 312])
    rows["break_before"] = [False, True]
    row = latest_figures(rows, chosen("EHC-05")).iloc[0]
    assert words.change_words(row) == "no year before"
    assert words.trend_words(row) == "too few years (1)"
    assert words.latest_words(row, revised=False, own=False) == "32.1% (2023) b"
    assert words.history_words(row) == "2022 27.5%; after a break, 2023 32.1%"


def test_published_percentages_get_no_test_of_a_change():
    rows = values(["ATT-01", "2023/24", 2024, 30.7, np.nan, np.nan], ["ATT-01", "2024/25", 2025, 19.9, np.nan, np.nan])
    assert words.change_words(latest_figures(rows, chosen("ATT-01")).iloc[0]) == "−10.8 points, untested"


def test_events_that_repeat_get_no_test_of_a_change():
    rows = values(["ATD-04", "2022/23", 2023, 5.8, 2300, 40000], ["ATD-04", "2023/24", 2024, 6.1, 2440, 40000])
    assert words.change_words(latest_figures(rows, chosen("ATD-04")).iloc[0]).endswith("untested")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ([10, 12, 14, 16, 18, 20], "rising (6 years)"),
        ([20, 12, 14, 13, 19, 15], "no clear trend (6 years)"),
        ([10, 12, 14, 16], "too few years (4)"),
    ],
)
def test_trends_of_figures_without_counts(figures, said):
    rows = values(*(["IDN-01", str(2020 + n), 2020 + n, v, np.nan, np.nan] for n, v in enumerate(figures)))
    assert words.trend_words(latest_figures(rows, chosen("IDN-01")).iloc[0]) == said


def test_a_year_that_is_not_available_is_no_figure_and_a_hidden_one_is():
    rows = values(["EHC-02", "2023", 2023, 18.0, 90, 500], ["EHC-02", "2024", 2024, np.nan, np.nan, np.nan])
    absent = latest_figures(rows.assign(symbol=["", "x"]), chosen("EHC-02")).iloc[0]
    hidden = latest_figures(rows.assign(symbol=["", "c"]), chosen("EHC-02")).iloc[0]
    assert words.latest_words(absent, revised=False, own=False) == "18.0% (2023)"
    assert words.latest_words(hidden, revised=False, own=False) == "c (2024)"


@pytest.mark.parametrize(
    ("official", "own", "stands"),
    [((2023, 2024), (2024, 2025), "local"), ((2023, 2024), (2023, 2024), "local"), ((2024, 2025), (2023,), "official")],
)
def test_of_two_origins_the_newer_series_stands_alone(official, own, stands):
    published = values(*(["EHC-02", str(y), y, 18.7, 108, 578] for y in official))
    ours = values(*(["EHC-02", str(y), y, 20.0, 120, 600] for y in own), origin="local")
    row = latest_figures(pd.concat([published, ours]), chosen("EHC-02")).iloc[0]
    years = own if stands == "local" else official
    assert row["origin"] == stands
    assert [period for period, *_ in row["history"]] == [str(y) for y in years]


def test_a_measure_without_a_figure_stays_and_is_empty():
    row = latest_figures(values(["EHC-02", "2024", 2024, 18.7, 108, 578]), chosen("EHC-02", "EHC-09")).iloc[1]
    assert pd.isna(row["period"])


# beside England


def test_an_area_without_official_files_is_compared_with_england_in_a_year_that_both_have():
    rows = values(["EHC-05", "2024", 2024, 20.0, 60, 300], ["EHC-05", "2025", 2025, 50.0, 150, 300], origin="local")
    shown = latest_figures(rows, chosen("EHC-05"))
    beside = standing(rows, pool_of(rows), shown, (), ranks=pd.Series([False]))
    row = next(shown.join(beside).itertuples())
    assert (row.compared_period, row.compared_value) == ("2024", 20.0)
    assert words.verdict_word(row, "england") == "worse (2024)"
    assert words.england_words(row) == "46.4% (2024) y"


def test_without_a_common_year_there_is_no_verdict():
    rows = values(["EHC-05", "2025", 2025, 50.0, 150, 300], origin="local")
    shown = latest_figures(rows, chosen("EHC-05"))
    row = next(shown.join(standing(rows, pool_of(rows), shown, (), ranks=pd.Series([False]))).itertuples())
    assert words.verdict_word(row, "england") == "another year"
    assert words.england_words(row) == "46.4% (2024) y"


def test_england_carried_over_has_one_figure_a_measure_with_its_source():
    table = carried_over()
    assert not table.duplicated(["indicator", "group"]).any()
    assert len(table) >= 30
    assert (table["source"].str.len() > 5).all()
    counted = table[table["denominator"].notna()]
    per = counted["indicator"].map(lambda n: catalogue()[n].per)
    assert np.allclose(per * counted["numerator"] / counted["denominator"], counted["value"])


def country(period, year, *, areas=0, value=40.0):
    """England's figure of a period, and those of some authorities."""
    england = values(["EHC-05", period, year, value, 400, 1000], area_code=ENGLAND, area_level="england")
    there = [values(["EHC-05", period, year, 30.0 + n, 30 + n, 100], area_code=f"E0600009{n}") for n in range(areas)]
    return pd.concat([england, *there], ignore_index=True)


@pytest.mark.parametrize("symbol", ["u", "c"])
def test_beside_a_figure_that_is_not_shown_stand_those_of_the_same_year_and_nothing_is_judged(symbol):
    own = values(["EHC-05", "2022", 2022, 0.0, 0, 9], ["EHC-05", "2023", 2023, 100.0, 9, 9])
    hidden = values(["EHC-05", "2024", 2024, np.nan, np.nan, np.nan], symbol=symbol)
    rows = pd.concat([own, hidden])
    pool = pool_of(
        pd.concat([country("2023", 2023, areas=9, value=10.0), country("2024", 2024, areas=9), rows], ignore_index=True)
    )
    shown = latest_figures(rows, chosen("EHC-05"))
    near = Comparator("neighbours 2025", "neighbours", "neighbours", tuple(f"E0600009{n}" for n in range(3)), "2025")
    row = next(shown.join(standing(rows, pool, shown, (near,), ranks=pd.Series([True]))).itertuples())
    assert words.latest_words(row, revised=False, own=False) == f"{symbol} (2024)"
    assert words.change_words(row) == "not shown"
    assert (words.england_words(row), words.median_words(row, 0)) == ("40.0%", "31.0%")
    assert words.verdict_word(row, "england") == words.verdict_word(row, "set_0") == "not shown"
    assert words.rank_words(row) == "x"
    assert pd.isna(row.change)
    assert pd.isna(row.england_difference)


@pytest.mark.parametrize(("others", "said"), [(8, "x"), (9, " of 10")])
def test_a_rank_among_fewer_than_ten_areas_is_not_told(others, said):
    rows = values(["EHC-05", "2024", 2024, 20.0, 60, 300])
    pool = pool_of(pd.concat([country("2024", 2024, areas=others), rows], ignore_index=True))
    shown = latest_figures(rows, chosen("EHC-05"))
    row = next(shown.join(standing(rows, pool, shown, (), ranks=pd.Series([True]))).itertuples())
    assert words.rank_words(row).endswith(said)


def test_a_median_of_another_year_carries_its_period():
    row = _row(compared_period="January 2023", set_0_value=18.04, region_value=20.0)
    assert words.median_words(row, 0) == "18.0% (Jan 2023) y"
    assert words.region_words(row) == "20.0% (Jan 2023) y"
    assert words.median_words(_row(set_0_value=18.04), 0) == "18.0%"


@pytest.mark.parametrize(
    ("value", "said"),
    [(12.649999999999999, "12.7"), (2.55, "2.6"), (-0.35, "−0.4"), (12.6499, "12.6")],
)
def test_a_figure_halfway_is_rounded_away_from_nought_however_it_is_stored(value, said):
    assert format_number(value, "percent") == said


# words


def test_a_duty_of_the_law_is_not_called_a_promise():
    frame = frame_of("E10000016")
    duty = frame.targets[0]
    rows = values(["EHC-05", "2024", 2024, 27.1, 96, 354])
    shown = latest_figures(rows, chosen("EHC-05"))
    row = next(shown.join(standing(rows, pool_of(rows), shown, (), ranks=pd.Series([False]))).itertuples())
    sentence, _ = sentences.promise_sentence(row, duty, catalogue()["EHC-05"], ())
    assert sentence.endswith("The legal duty (every plan within 20 weeks, unless an exception applies) is not met.")
    assert "(legal duty 100%: not met)" in words.measure_words(row, {"a release": "1"}, duty)
    assert words.promises_called(frame.targets) == "Legal duty"
    assert words.promises_called(frame_of(LUTON).targets) == "Promise"
    assert "promise" not in sentences.promise_without_figure(duty, catalogue()["EHC-05"], "Bring it.")
    assert frame.source in sentences.frame_sentence(frame, "legal duty")


@pytest.fixture(scope="module")
def invented():
    return open_area({"areas": [LUTON], "source": "synthetic"})


def test_the_finding_of_a_synthetic_area_says_so_first(invented):
    assert scorecard.scorecard_finding(invented).title.startswith("Synthetic data: of the ")


def test_the_key_of_a_page_lists_the_marks_that_stand_on_it_and_no_other(invented):
    for page in (scorecard.scorecard_exhibit(invented), scorecard.dashboard_exhibit(invented)):
        table, key = page.body.split('<p class="legend">')
        cells = re.sub(r"<svg.*?</svg>", "", table)
        cells = [c.strip() for c in re.findall(r"<td[^>]*>([^<]*)</td>", cells)]
        for symbol in ("x", "z", "c", "u"):
            there = any(c == symbol or c.startswith(f"{symbol} (") for c in cells)
            assert there == (f"{symbol} = " in key), symbol
        for mark in settings()["marks"]:
            assert any(mark in c.split(" ")[1:] for c in cells) == (f" {mark} = " in key), mark
        assert " of 1<" not in page.body


def test_a_list_whose_title_is_a_question_is_named_as_such():
    said = coverage_chapter.coverage_finding(_an_area("E10000016"))
    assert said.title.startswith("Of 9 items under “What the law asks of the area”, ")
    assert frame_of("E10000016").name in said.notes[-1]


def _an_area(code):
    rows = values(["EHC-05", "2024", 2024, 27.1, 96, 354], area_code=code)
    params = SimpleNamespace(frames=None)
    return SimpleNamespace(code=code, params=params, values=SimpleNamespace(frame=rows), brings=("official",))


def _row(**given):
    return SimpleNamespace(
        **({"indicator": "EHC-02", "group": "all", "period": "2024", "compared_period": "2024"} | given)
    )


SETS = tuple(
    Comparator(f"neighbours {year}", f"statistical neighbours of {when}", "neighbours", ("a",), when)
    for year, when in (("2025", "May 2025"), ("2021", "April 2021"))
)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("similar", "lower", "yes: similar by 2025, lower by 2021"),
        ("worse", "worse", "no: worse by both"),
        ("worse", "no verdict", "one set at hand: worse"),
        ("no verdict", "no verdict", "cannot be judged"),
    ],
)
def test_whether_the_verdict_depends_on_the_set(first, second, said):
    row = _row(value=18.7, set_0_verdict=first, set_1_verdict=second, set_0_value=18.0, set_1_value=30.7)
    assert words.by_set(row, SETS) == said


ALL, TOP = (
    Target(indicator="EHC-05", kind="all", words="All"),
    Target(indicator="PFA-03", kind="rank", top=5, words="Top five"),
)


@pytest.mark.parametrize(
    ("target", "value", "ranks", "of", "kept"),
    [
        (ALL, 100.0, (1, 9), 151, "met"),
        (ALL, 99.9, (1, 9), 151, "not_met"),
        (ALL, np.nan, (1, 9), 151, "unknown"),
        (TOP, 94.2, (1, 5), 151, "met"),
        (TOP, 94.2, (1, 6), 151, "unsure"),
        (TOP, 94.2, (6, 30), 151, "not_met"),
        (TOP, 94.2, (np.nan, np.nan), 151, "unsure"),
        (TOP, 70.2, (1, 1), 1, "unsure"),
    ],
)
def test_a_promise_of_a_rank_is_judged_by_the_interval_of_the_rank(target, value, ranks, of, kept):
    assert words.promise_kept(_row(value=value, rank_lower=ranks[0], rank_upper=ranks[1], of=of), target) == kept


@pytest.mark.parametrize(
    ("rank", "lower", "upper", "said"),
    [
        (15, 3, 40, "3 to 40 of 152"),
        (15, np.nan, np.nan, "first quarter of 152"),
        (39, np.nan, np.nan, "second quarter of 152"),
        (152, np.nan, np.nan, "last quarter of 152"),
        (np.nan, np.nan, np.nan, "x"),
    ],
)
def test_a_position_is_never_one_rank_alone(rank, lower, upper, said):
    assert words.rank_words(_row(rank=rank, rank_lower=lower, rank_upper=upper, of=152)) == said


def test_a_unit_is_named_once():
    assert words.name_of(_row(indicator="IDN-07")) == "EHC plans for each thousand residents aged 0 to 25"
    assert words.name_of(_row(indicator="EHC-01")).endswith(", per 10,000 residents aged 0 to 25")


def test_confidence_counts_weaknesses():
    base = {"way": "counts", "lower": 10.0, "upper": 12.0, "points": 6, "provisional": False}
    grades = [base, base | {"points": 2}, base | {"points": 2, "way": "published"}]
    assert [sentences.confidence(_row(**g))["grade"] for g in grades] == ["high", "medium", "low"]


# the table and its pictures


def test_a_picture_is_cut_at_a_break_and_at_a_missing_figure():
    history = [("1", 1.0, False), ("2", 2.0, False), ("3", 3.0, True), ("4", np.nan, False), ("5", 5.0, False)]
    picture = sparkline(history, "a & b")
    assert picture.count("<polyline") == 1
    assert picture.count('class="break"') == 1
    assert 'aria-label="a &amp; b"' in picture


def test_a_flat_series_has_a_picture_and_one_figure_has_none():
    assert "polyline" in sparkline([("1", 2.0, False), ("2", 2.0, False)], "flat")
    assert sparkline([("1", 2.0, False), ("2", np.nan, False)], "one") == ""


def test_the_table_refuses_what_did_not_pass_the_gate_and_has_no_empty_cell():
    frame = pd.DataFrame({"section": ["A", "A", "B"], "name": ["<x>", "y", "z"], "cell": ["1", "", "3"]})
    columns = [
        {"name": "name", "label": "Measure", "kind": "text"},
        {"name": "cell", "label": "Value", "kind": "number"},
    ]
    given = {"id": "t", "title": "T", "columns": columns, "row_header": "name", "section": "section"}
    with pytest.raises(DisclosureError):
        scorecard_table(frame, **given)
    made = scorecard_table(publish_official(frame, source="s"), **given)
    assert made.body.count('class="section"') == 2
    assert "&lt;x&gt;" in made.body
    assert "></td>" not in made.body
    assert "z = not applicable." in made.body
    assert made.table_csv.splitlines()[2] == "A,y,z"


# what there is, and what is lacking


def test_how_far_an_item_is_covered():
    table = pd.DataFrame({"code": ["S1", "S1", "S5", "S7"], "at_hand": [True, False, True, False]})
    items = [
        Item(code="S1", name="heard", official="No. A survey.", indicators=("EHC-02", "VOI-01")),
        Item(code="S5", name="in time", official="Yes, directly.", indicators=("EHC-05",)),
        Item(code="S7", name="activities", official="No.", indicators=("VOI-04",)),
    ]
    assert [status(item, table) for item in items] == ["pointers", "whole", "none"]
    lacking = Item(code="S5", name="in time", official="Yes, directly.", indicators=("EHC-05",), lacks=("why late",))
    assert status(lacking, table) == "part"


def test_every_item_of_every_list_says_what_it_has_and_what_it_awaits():
    frame = frame_of(LUTON)
    rows = values(["EHC-05", "2024", 2024, 27.1, 96, 354])
    table = coverage(frame, rows, ("official",))
    assert set(table["code"]) == {item.code for entry in frame.lists for item in entry.items}
    assert ((table["bring"] != "") | table["at_hand"] | (table["indicator"] == "")).all()
    found = statuses(frame, table).set_index("code")["status"]
    assert found["S7"] == found["S8"] == "none"
    assert found["P3"] == "part"


def test_the_register_names_the_missing_file_and_what_is_only_partly_there():
    rows = values(["EHC-05", "2024", 2024, 27.1, 96, 354])
    absent = pd.DataFrame(
        [("EHC-05", "all", "A file is missing.", "Download it."), ("ATT-06", "all", "A column was renamed.", "Look.")],
        columns=["indicator", "group", "reason", "mend"],
    )
    gaps = register(catalogue(), rows, absent, ("official",)).set_index("indicator")
    assert (gaps.loc["EHC-05", "mend"], gaps.loc["EHC-05", "partly"]) == ("Download it.", True)
    assert (gaps.loc["ATT-06", "why"], gaps.loc["ATT-06", "partly"]) == ("A column was renamed.", False)
    assert len(gaps) == len(catalogue().indicators)
    assert gaps["mend"].str.endswith(".").all()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("value", {"value": 50.67183785812586, "symbol": ""}, "50.7"),
        ("value", {"value": np.nan, "symbol": "c"}, "c"),
        ("lower", {"lower": np.nan, "symbol": "c"}, "x"),
        ("numerator", {"numerator": 20251.0, "symbol": ""}, "20251"),
        ("value", {"indicator": "POP-01", "value": 77797.0, "symbol": ""}, "77797"),
        ("change", {"change": -0.0586, "symbol": ""}, "−0.1"),
    ],
)
def test_the_file_of_figures_rounds_as_the_page_does(name, given, said):
    assert words.plain_words(_row(**given), name) == said


def test_what_is_awaited_is_named_by_what_to_bring():
    none = pd.DataFrame(columns=["indicator", "group", "reason", "mend"])
    table = awaiting(chosen("VOI-01", "VOI-05"), none, ("official",)).set_index("indicator")
    assert table.loc["VOI-01", "bring"] == "a survey of families"
    assert not table.loc["VOI-05", "own"]


def test_the_index_says_what_is_lacking_or_which_chapter_would_say_it():
    page = {
        "area_name": "A",
        "cycle": "2026",
        "chapters": [],
        "findings": [],
        "sources": [],
        "comparisons": 0,
        "flagged": 0,
    }
    gap = {"indicator": "X", "name": "Births", "why": "No file.", "mend": "Bring it.", "partly": False}
    with_register = index_page(flags=[], absent=[gap], brings="official", **page)
    assert "Indicators of the catalogue without a figure here: 1." in with_register
    assert "Births. No file. Bring it." in with_register
    assert "worked out by the chapter on the Scorecard" in index_page(flags=[], absent=[], brings="local", **page)


def test_a_page_alone_says_that_it_is_synthetic():
    html = one_page("<p>body</p>", title="T", area_name="A (synthetic)", cycle="2026", synthetic=True)
    assert "Synthetic data. No real child" in html
    assert html.count("<h1") == 1
