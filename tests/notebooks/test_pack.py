"""A whole refresh of the embedded area: what is in the pack, what must not be, and that pages are sound."""

import csv
import json
import re
import shutil

import nbformat
import pandas as pd
import pytest

from jsna.area import Area
from jsna.cli import main
from jsna.evidence.cards import FIELDS
from jsna.pack.flags import COLUMNS
from jsna.params import Params

COUNT_COLUMNS = ("Identified", "Pupils", "Pupils for whom it is not known", "numerator", "denominator")


@pytest.fixture(scope="module")
def pack(tmp_path_factory, default_pack):
    own = tmp_path_factory.mktemp("packs") / "luton-synthetic" / "2026"
    shutil.copytree(default_pack, own)
    return own


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_pack_has_its_parts(pack, repository):
    chapters = sorted(p.stem for p in (repository / "notebooks").glob("*.ipynb"))
    assert sorted(p.stem for p in (pack / "chapters").glob("*.html")) == chapters
    assert sorted(p.stem for p in (pack / "notebooks").glob("*.ipynb")) == chapters
    pages = ("index.html", "cards.html", "families.html", "easy-read.html", "glossary.html", "accessibility.html")
    for name in (*pages, "flags.csv", "cards.json", "manifest.json", "evidence.xlsx", "summary.docx", "decisions.yml"):
        assert (pack / name).stat().st_size > 500


def test_no_small_count_of_pupils_is_anywhere_in_the_pack(pack):
    tables = [*(pack / "tables").glob("*.csv"), pack / "flags.csv"]
    small = [
        (table.name, column, row[column])
        for table in tables
        for row in rows(table)
        for column in COUNT_COLUMNS
        if row.get(column) in ("1", "2", "3", "4")
    ]
    assert small == []
    assert any(row["numerator"] == "c" for row in rows(pack / "flags.csv"))


def test_true_small_counts_are_the_ones_that_are_hidden(pack):
    area = Area(Params())
    pupils = area.pupils.frame
    latest = pupils[pupils["time_period"].astype(str) == area.periods[-1]]
    plans = latest[latest["sen_provision"] == "E"]["ethnicity"].value_counts()
    labels = {"CHNE": "Chinese", "WIRT": "Traveller of Irish heritage"}
    shown = {
        r["group"]: r["numerator"]
        for r in rows(pack / "flags.csv")
        if r["outcome"] == "ehc_plan" and r["characteristic"] == "ethnicity"
    }
    assert any(plans[code] < 5 for code in labels)
    for code, label in labels.items():
        if plans[code] < 5:
            assert shown[label] == "c"


def test_no_hidden_number_is_the_difference_of_two_that_are_shown(pack):
    flags = pd.DataFrame(rows(pack / "flags.csv"))
    flags["hidden"] = ~flags["numerator"].str.fullmatch(r"\d+")  # hidden, or rounded
    who = ["characteristic", "place_code", "period", "group"]
    provision = flags[flags["outcome"].isin(["any_sen", "sen_support", "ehc_plan"])]
    sums = provision.groupby(who)["hidden"].agg(["sum", "size"])
    assert (sums.loc[sums["size"] == 3, "sum"] != 1).all()
    needs = flags[(flags["outcome"] == "any_sen") | flags["outcome"].str.startswith("need_")]
    sums = needs.groupby(who)["hidden"].agg(["sum", "size"])
    assert (sums.loc[sums["size"] > 3, "sum"] != 1).all()
    groups = flags.groupby(["characteristic", "period", "outcome"])["hidden"].sum()
    assert (groups != 1).all()
    assert groups.sum() > 10


def test_flags_hold_every_comparison_and_find_what_was_planted(pack):
    flags = rows(pack / "flags.csv")
    assert list(flags[0]) == list(COLUMNS)
    found = {(f["group"], f["outcome"]): f["status"] for f in flags if f["characteristic"] == "ethnicity"}
    assert found["Black Caribbean", "any_sen"] == "over-identified"
    assert found["Any other White background", "any_sen"] == "under-identified"
    assert found["Black Caribbean", "need_SEMH"] == "over-identified"
    assert found["Indian", "need_ASD"] == "under-identified"
    # a companion of smaller groups: its number is hidden, and what is said of it
    assert found["Indian", "need_SEMH"] in ("under-identified", "not shown")
    for planted_nowhere in ("White British", "Pakistani", "Bangladeshi", "Black African"):
        assert found[planted_nowhere, "any_sen"] == "no evidence"
    needs_and_outcomes = [o for _, o in found if o.startswith("need_") or o in ("any_sen", "sen_support", "ehc_plan")]
    assert len(needs_and_outcomes) == 20 * 17
    wards = {f["group"]: f["status"] for f in flags if (f["place_level"], f["outcome"]) == ("Ward", "sen_support")}
    assert [ward for ward, status in wards.items() if status == "under-identified"] == ["Northwell"]
    assert not [f for f in flags if f["characteristic"] == "year_group"]
    assert len({tuple(f.values()) for f in flags}) == len(flags)


def test_pages_say_that_the_data_are_synthetic_and_ask_nobody_for_anything(pack):
    for page in [pack / "index.html", *(pack / "chapters").glob("*.html")]:
        html = page.read_text(encoding="utf-8")
        assert "Synthetic data. No real child" in html
        assert html.count("<h1") == 1
        assert not re.search(r'(src|href)="(https?:)?//', html)
        assert "<script" not in html
        assert "No description has been provided" not in html
        assert not re.search(r'<img(?![^>]*alt="[^"]{20,})', html)


def test_executed_notebooks_hold_no_error_no_path_and_no_papermill_notes(pack, repository):
    for path in (pack / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert "papermill" not in json.dumps(notebook["metadata"])
        text = path.read_text(encoding="utf-8")
        assert str(repository) not in text
        assert not [o for c in notebook.cells for o in c.get("outputs", []) if o["output_type"] in ("error", "stream")]


def test_no_table_has_two_columns_of_one_name_an_empty_cell_or_a_figure_to_many_places(pack):
    for path in (pack / "tables").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            heading, *body = csv.reader(stream)
        assert len(set(heading)) == len(heading), path.name
        cells = [cell for row in body for cell in row]
        assert [c for c in cells if c in ("", "nan") or re.fullmatch(r"-?\d+\.\d{4,}", c)] == [], path.name


def test_the_manifest_says_which_indicators_have_no_figure_and_what_would_mend_it(pack):
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    absent = {row["indicator"]: row for row in manifest["absent_indicators"]}
    assert "plan_audits" in absent["EHC-16"]["mend"]
    assert "official files" in absent["ATT-01"]["mend"]
    shown = {row["Indicator"] for row in rows(pack / "tables" / "scorecard.csv") if row["Value"] not in ("c", "x", "z")}
    assert len(shown) > 5
    assert not shown & {name for name, row in absent.items() if not row["partly"]}


def test_the_manifest_lists_every_file_by_its_content(pack):
    import hashlib

    listed = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    there = {p.relative_to(pack).as_posix() for p in pack.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(listed) == there
    assert listed["flags.csv"] == hashlib.sha256((pack / "flags.csv").read_bytes()).hexdigest()


def test_the_attacker_found_nothing_and_the_manifest_says_so(pack):
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["audit"] == {"run": True, "beside": 0, "findings": 0, "kinds": {}}


def test_a_chapter_alone_keeps_the_others_and_the_same_bytes(pack, repository):
    before = {p.relative_to(pack): p.read_bytes() for p in pack.rglob("*") if p.is_file() and p.name != "manifest.json"}
    words = [
        "refresh",
        str(repository / "params/luton.yml"),
        "--out",
        str(pack.parents[1]),
        "--only",
        "04",
        "--jobs",
        "1",
    ]
    assert main(words) == 0
    after = {p.relative_to(pack): p.read_bytes() for p in pack.rglob("*") if p.is_file() and p.name != "manifest.json"}
    assert [str(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)] == []


def test_cards_say_what_they_lack(pack):
    cards = json.loads((pack / "cards.json").read_text(encoding="utf-8"))
    assert len(cards) >= 5
    for card in cards:
        assert card["headline"].endswith(".")
        assert "owner" in card["incomplete"]
        assert card["synthetic"]


def test_every_card_has_every_field_and_says_what_it_lacks(pack):
    cards = json.loads((pack / "cards.json").read_text(encoding="utf-8"))
    assert len(cards) > 60
    for card in cards:
        assert set(FIELDS) <= set(card), card["id"]
        assert card["complete"] == (not card["incomplete"])
        assert card["confidence"]["grade"] in ("high", "medium", "low", "unknown")
    assert any(isinstance(c["voice"], list) for c in cards)


def test_the_refresh_answers_for_the_last_cycle_and_finds_what_was_planted_to_change(pack):
    moved = rows(pack / "tables" / "flags-changed.csv")
    became = {(r["Compared"], r["What became of it"]) for r in moved}
    assert ("Any SEN: Any other White background (ethnic group)", "newly flagged") in became
    assert ("Any SEN: White and Black Caribbean (ethnic group)", "no longer flagged") in became
    assert ("Any SEN: Black Caribbean (ethnic group)", "still flagged") in became
    decided = rows(pack / "tables" / "last-decisions.csv")
    assert {r["Owner"] for r in decided} >= {"Head of SEND"}
    assert any("cannot be answered for" in r["What has come of it"] for r in decided)


def test_a_proposal_leads_to_its_source_row_in_one_step_and_to_its_card_in_another(pack):
    page = (pack / "chapters" / "12-priorities.html").read_text(encoding="utf-8")
    rows_named = re.findall(r'href="\.\./figures\.html#([^"]+)"', page)
    cards_named = re.findall(r'href="\.\./cards\.html#([^"]+)"', page)
    assert rows_named
    assert cards_named
    figures = (pack / "figures.html").read_text(encoding="utf-8")
    for name in rows_named:
        row = figures[figures.index(f'<tr id="{name}">') :]
        cells = re.findall(r"<td>(.*?)</td>", row[: row.index("</tr>")])
        assert all(cells[-2:]), name  # the source and its file
    cards = (pack / "cards.html").read_text(encoding="utf-8")
    card = cards[cards.index(f'id="{next(n for n in cards_named if n.endswith("-card"))}"') :]
    tables = re.findall(r'href="((?:tables/)?[^"/]+\.csv)"', card[: card.index("</article>")])
    assert tables
    assert all((pack / t).is_file() for t in tables)


def test_what_the_board_wrote_survives_a_new_refresh_and_a_spoilt_file_stops_it(pack, repository, capsys):
    path = pack / "decisions.yml"
    text = path.read_text(encoding="utf-8").replace("decision: ''", "decision: defer", 1)
    path.write_text(text.replace("owner: ''", "owner: Head of inclusion", 1), encoding="utf-8")
    again = ["refresh", str(repository / "params/luton.yml"), "--out", str(pack.parents[1]), "--only", "12-priorities"]
    assert main(again) == 0
    assert "Head of inclusion" in path.read_text(encoding="utf-8")
    assert any("Head of inclusion" in c["owner"] for c in json.loads((pack / "cards.json").read_text(encoding="utf-8")))
    before = (pack / "manifest.json").read_bytes()
    path.write_text(path.read_text(encoding="utf-8").replace("priority: P1", "priority: P11", 1), encoding="utf-8")
    assert main(again) == 2
    assert "no such priority" in capsys.readouterr().err
    assert (pack / "manifest.json").read_bytes() == before
