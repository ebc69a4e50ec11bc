"""The chapter on wards: what it says is what its numbers say, on the embedded area and on official files."""

from __future__ import annotations

import json
import re

import pytest

from jsna.area import Area
from jsna.chapters import fairness, official, small_areas, wards
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
    assert rows.loc[("sen_support", "Northwell"), "adjusted_side"] == "below"
    support = rows.loc["sen_support", "adjusted_side"]
    assert support[support != "unclear"].index.tolist() == ["Northwell"]
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


@pytest.mark.parametrize(("code", "number"), [("E06000032", 20), ("E06000055", 28), ("E06000039", 21)])
def test_deprivation_of_wards_is_drawn_for_any_authority(open_luton, code, number):
    area = open_luton(code)
    shown = wards.deprivation_map(official.wards_by_deprivation(area), area)
    assert shown.kind == "map"
    assert shown.table_csv.count("\n") == number + 1
    assert f"of {number} wards" in shown.title
    assert not any("Without a shape" in note for note in shown.notes)


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
