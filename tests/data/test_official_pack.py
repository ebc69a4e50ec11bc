"""A whole refresh on the official files: every chapter is made, and says what the files say."""

from __future__ import annotations

import csv
import json

import pytest


@pytest.fixture
def pack(official_pack):
    return official_pack


def _rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_chapter_is_made_and_none_says_that_it_failed(pack, repository):
    chapters = sorted(p.stem for p in (repository / "notebooks").glob("*.ipynb"))
    assert sorted(p.stem for p in (pack / "chapters").glob("*.html")) == chapters
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is False


def test_every_need_of_those_with_a_plan_is_compared_between_ethnic_groups(pack):
    found = [f for f in _rows(pack / "flags.csv") if f["outcome"].startswith("plans_need_")]
    ethnic = [f for f in found if f["characteristic"] == "ethnicity"]
    assert len({f["outcome"] for f in ethnic}) == 12
    assert len(ethnic) == 12 * 19
    assert {f["status"] for f in found} <= {"watch", "insufficient data", "no evidence"}
    row = next(f for f in ethnic if (f["outcome"], f["group"]) == ("plans_need_SEMH", "White British"))
    assert (row["numerator"], row["denominator"], row["risk_ratio"], row["status"]) == ("138", "580", "3.47", "watch")


def test_an_areas_ratio_stands_beside_the_ratio_within_all_authorities(pack):
    table = _rows(pack / "tables" / "ethnicity-plans-need-semh-table.csv")
    row = next(r for r in table if r["Group"] == "White British")
    assert (row["Ratio to all others"], row["England, within authorities"]) == ("3.47", "1.85")
    assert float(row["Ratio, pooled"]) < 3.47


def test_the_rules_of_others_are_shown_beside_the_workbenchs_own(pack):
    table = _rows(pack / "tables" / "ethnicity-plans-need-semh-other-rules.csv")
    called = {r["Rule"]: r["Called over-identified"] for r in table}
    assert len(called) >= 8
    own = next(v for k, v in called.items() if k.startswith("This workbench"))
    assert own == "White British and White and Black Caribbean"


def test_timeliness_within_areas_of_england_is_shown(pack):
    table = _rows(pack / "tables" / "ehc-within-areas.csv")
    row = next(r for r in table if r["Group"] == "Pakistani")
    assert (row["Ratio"], row["All England together"]) == ("1.02", "1.21")


def test_children_of_low_income_families_are_in_the_pack_ward_by_ward(pack):
    table = {r["Ward"]: r for r in _rows(pack / "tables" / "wards-low-income-table.csv")}
    assert len(table) == 20
    assert list(table["Wigmore"].values())[-2:] == ["400", "21.9"]  # DWP, Table 4, year ending 2025
    assert "Wards are those of May 2023" not in (pack / "chapters" / "06-wards.html").read_text(encoding="utf-8")
