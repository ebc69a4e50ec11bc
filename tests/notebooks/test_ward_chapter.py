"""The chapter on wards: what it says is what its numbers say, on the embedded area and on official files."""

from __future__ import annotations

import json
import re

import pytest

from jsna.area import Area
from jsna.chapters import fairness, small_areas, wards, wards_official
from jsna.exhibits.model import Exhibit, Exhibits
from jsna.params import Params

OUTCOMES = ("any_sen", "sen_support", "ehc_plan")


@pytest.fixture(scope="module")
def area():
    return Area(Params())


@pytest.fixture(scope="module")
def areas(area):
    return wards.study(area)


@pytest.fixture(scope="module")
def table(areas):
    return wards.expected_rates(areas)


@pytest.fixture(scope="module")
def everything(area, areas, table):
    shown = [e for o in OUTCOMES for e in wards.beside_expected(table, area, o).items]
    for part in (small_areas.lsoa_map, small_areas.clusters, small_areas.units, small_areas.deciles, wards.ward_sets):
        shown += part(areas, area).items
    return {e.id: e for e in shown}


def test_the_planted_ward_has_little_support_and_many_plans(table):
    rows = table.frame.set_index(["outcome", "label"])
    support = rows.loc["sen_support"]
    assert support["adjusted_ratio"].astype(float).idxmin() == "Northwell"
    assert support.loc["Northwell", "adjusted_upper"] < 0.9
    # Half as many plans again are planted, too few to be clear of what schools do: the ratio is the highest of all.
    assert rows.loc["ehc_plan", "adjusted_ratio"].astype(float).idxmax() == "Northwell"


def test_the_map_hatches_the_wards_whose_interval_holds_1(everything, table):
    shown = everything["wards-sen-support-expected-map"]
    part = table.frame[table.frame["outcome"] == "sen_support"]
    below, above = (part["adjusted_upper"] < 1).sum(), (part["adjusted_lower"] > 1).sum()
    assert f"{above} of {len(part)} areas lie clearly above the average, {below} clearly below" in shown.alt
    assert "Northwell" in shown.title


def test_wards_are_flagged_by_the_rule_of_the_workbench_and_the_planted_one_is_found(area):
    found = fairness.judged(area, "ward_code", needs=False)
    flagged = found.table.frame[found.table.frame["status"].isin(["over-identified", "under-identified"])]
    assert set(flagged["label"]) == {"Northwell"}
    assert ("sen_support", "under-identified") in set(zip(flagged["outcome"], flagged["status"], strict=True))
    assert found.comparisons == 60


def test_every_picture_has_words_a_table_and_says_that_it_is_synthetic(everything):
    pictures = [e for e in everything.values() if e.svg]
    assert len(pictures) >= 5
    for e in pictures:
        assert len(e.alt) > 60
        assert e.table_csv.count("\n") > 5
        assert e.synthetic


def test_small_areas_are_all_in_the_table_and_no_small_count_is(everything):
    rows = everything["lsoas-map"].table_csv.splitlines()
    head, counts = rows[0].split(","), [r.split(",") for r in rows[1:]]
    assert len(counts) == 125
    identified = [r[head.index("Identified")] for r in counts]
    assert all(n == "c" or int(n) >= 5 for n in identified)


def test_the_chapter_gives_no_reason_for_a_difference(everything):
    text = " ".join(e.title + " " + " ".join(e.notes) for e in everything.values()).casefold()
    for word in ("because of", "due to", "caused by", "leads to more", "drives", "impact of", "effect of"):
        assert word not in text


def test_the_same_chapter_is_the_same_bytes(area, table, everything):
    again = wards.beside_expected(table, area, "any_sen").items
    assert [e.svg for e in again] == [everything[e.id].svg for e in again]


def test_the_notebook_is_thin_and_its_cells_are_known_by_tag(repository):
    cells = json.loads((repository / "notebooks" / "06-wards.ipynb").read_text(encoding="utf-8"))["cells"]
    assert len({c["id"] for c in cells}) == len(cells)
    for cell in cells[3:]:
        assert {"needs-pupils", "needs-official"} & set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            assert source.count("\n") < 10
            assert not re.search(r"\b(def|for|while|if)\b|[*/+-]", source)


# --- official files


@pytest.fixture
def open_luton(official_data, monkeypatch):
    monkeypatch.setenv("JSNA_DATA", str(official_data))
    return lambda code="E06000032": Area(Params(areas=[code], source="official"))


def test_pupils_are_asked_for_where_there_are_none(open_luton):
    missing = wards.study(open_luton())
    assert isinstance(missing, Exhibit)
    assert missing.kind == "notice"
    assert wards.beside_expected(wards.expected_rates(missing), open_luton(), "any_sen") is missing


def test_approximate_shapes_are_compared_with_official_ones_once_and_for_luton_alone(open_luton):
    made = wards.approximate_shapes(open_luton())
    assert isinstance(made, Exhibits)
    # docs/places.md: a quarter of the area differs, Farley most (67%), outlines up to 1,421 m apart.
    assert "20 wards" in made.items[0].title
    assert "24.6%" in made.items[0].title
    assert "Farley most, by 67.1%" in made.items[0].notes[0]
    assert "1,421 m" in made.items[0].notes[0]
    assert wards.approximate_shapes(open_luton("E06000055")).kind == "notice"


def test_wards_that_are_not_in_the_boundary_file_are_not_drawn_as_if_they_were(open_luton):
    area = open_luton("E06000060")  # Buckinghamshire: every ward has another code in 2025 than in 2024
    table = wards_official.by_deprivation(area)
    shown = wards_official.deprivation_map(table, area)
    assert shown.kind == "notice"
    assert shown.title.startswith("49 of 49 wards")
    assert len(wards_official.deprivation_table(table, area).items[0].table_csv.splitlines()) == 50


def test_what_dwp_keeps_back_stays_back(open_luton):
    area = open_luton("E09000001")  # City of London: no share, and few numbers
    table = wards_official.low_income(area)
    assert set(table.text()["percent_2025"]) == {"x"}
    assert "low" in set(table.text()["children_2025"])
    assert "DWP gives it for 0 of 10 wards" in wards_official.low_income_finding(table, area).title
    assert wards_official.low_income_map(table, area).kind == "notice"


def test_the_first_map_marks_no_ward_that_the_flags_rest_against(area):
    found = fairness.judged(area, "ward_code", needs=False)
    part = found.of("sen_support").table.frame
    above, below = (part["pooled_lower"] > 1).sum(), (part["pooled_upper"] < 1).sum()
    shown = wards.rate_map(found, area, "sen_support")
    assert f"{above} of {len(part)} areas lie clearly above the average, {below} clearly below" in shown.alt
    assert set(part.loc[part["status"] == "under-identified", "label"]) <= set(
        part.loc[part["pooled_upper"] < 1, "label"]
    )


def test_cards_of_published_figures_do_not_say_that_numbers_are_hidden(open_luton, area):
    assert "as they were published" in open_luton().protection
    assert area.protection == area.policy.sentence()
