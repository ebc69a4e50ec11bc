"""Packs by other rules: every count rounded or moved a little, some rounded, thresholds of their own."""

from __future__ import annotations

from pathlib import Path

import audit_pack as small
import pytest
from audit_pack import cell, into_page, new_file

from jsna.audit.audit import audit
from jsna.errors import WorkbenchError

ANY, SUPPORT, PLAN = (f"tables/ethnicity-{o}-flags.csv" for o in ("any-sen", "sen-support", "ehc-plan"))
STAGE = "tables/ehc-pipeline-refused-of-decided-table.csv"
IRISH, CHINESE = {"Group": "Irish"}, {"Group": "Chinese"}


@pytest.fixture
def pack(tmp_path) -> Path:
    return small.write(tmp_path / "2026")


def found(pack: Path, **options) -> set[str]:
    return {f.kind for f in audit(small.sign(pack), **options).findings}


def rounded(count: int) -> int:
    return 5 * ((count + 2) // 5)


def middle(count: int) -> int:
    return 6 * ((count + 5) // 6) - 3 if count else 0


def moved(count: int) -> int:
    """A little off, the same count always alike, and never 1 to 4."""
    near = count + (count * 7) % 5 - 2
    return 0 if near < 3 else max(5, near)


CHANGES = {"round_5": rounded, "midpoint_6": middle, "cell_key": moved}


def changed_pack(folder: Path, method: str) -> Path:
    return small.write_changed(folder, CHANGES[method], {"method": method, "zeros": "shown"})


WHITE = {"Group": "White British"}
CHANGED = {
    "a true count in a rounded pack": ("round_5", "unchanged count", cell(ANY, IRISH, "Identified", 3)),
    "a large true count in a rounded pack": ("round_5", "unchanged count", cell(ANY, CHINESE, "Identified", 12)),
    "a true count in a pack of middles": ("midpoint_6", "unchanged count", cell(PLAN, CHINESE, "Identified", 8)),
    "a true share in a rounded pack": ("round_5", "unchanged share", cell(ANY, IRISH, "Share (%)", "6.0")),
    "a true share in a cell-key pack": ("cell_key", "unchanged share", cell(ANY, IRISH, "Share (%)", "6.0")),
    "a small count in a cell-key pack": ("cell_key", "small count", cell(ANY, IRISH, "Identified", 3)),
    "a true share alone in a rounded pack": (
        "round_5",
        "unchanged share",
        new_file("tables/ethnicity-need-asd-rates.csv", b"Group,Value (%)\nIrish,6.0\n"),
    ),
    "a true limit in a rounded pack": (
        "round_5",
        "unchanged share",
        cell(ANY, IRISH, "Share, lower limit (%)", "2.1"),
    ),
    "two values of one count in a cell-key pack": (
        "cell_key",
        "unchanged count",
        lambda p: (p / "flags.csv").write_text(
            small.table(
                ["outcome", "characteristic", "group", "period", "numerator"],
                [["any_sen", "ethnicity", "Chinese", small.CENSUS, 12]],
            )
        ),
    ),
    "a sentence with a true count in a rounded pack": ("round_5", "small count", into_page("Irish: 6.0% (3 of 50)")),
}


@pytest.mark.parametrize("method", CHANGES)
def test_a_clean_pack_of_changed_counts_has_no_finding(tmp_path, method):
    report = audit(changed_pack(tmp_path / "2026", method))
    assert [f for f in report.findings if f.kind not in ("exact", "narrow")] == []
    assert report.attack.shown > 20


@pytest.mark.parametrize("hole", CHANGED)
def test_a_planted_hole_in_a_pack_of_changed_counts_is_found(tmp_path, hole):
    method, kind, plant = CHANGED[hole]
    folder = changed_pack(tmp_path / "2026", method)
    plant(folder)
    assert kind in found(folder)


def test_what_a_rounded_sum_tells_of_its_parts_is_worked_out_and_is_no_finding(tmp_path):
    """5 is 3 to 7 and 0 is 0 to 2: where 5 is the sum of 0 and 0, it is 3 or 4, and each of them 1 or 2."""
    folder = changed_pack(tmp_path / "2026", "round_5")
    for name, value in ((ANY, 5), (SUPPORT, 0), (PLAN, 0)):
        small.set_cell(folder, name, IRISH, "Identified", value)
        small.set_cell(folder, name, IRISH, "Share (%)", f"{2 * value:.1f}")
    report = audit(small.sign(folder))
    assert not [f for f in report.findings if f.kind in ("exact", "narrow")]
    told = {c.outcome: ends for c, ends in report.attack.intervals.items() if c.group == "irish"}
    assert told == {"any_sen": (3, 4), "sen_support": (1, 2), "ehc_plan": (1, 2)}


ROUNDS_SOME = {"method": "suppress", "counts_rounded": 1}


def some_rounded(pack: Path, share: str) -> Path:
    """White British pupils with SEN, 200, shown as 220 (nearest 20: 210 to 229) where the others are hidden."""
    for name in ("flags.csv", "notebooks/03-ethnicity.ipynb", "chapters/03-ethnicity.html"):
        (pack / name).unlink()
    rows = [["White British", "220 (nearest 20)", 1000, share], ["Indian", "c", 300, "c"]]
    rows += [["Irish", "c", 50, "c"], ["Chinese", "c", 40, "c"]]
    (pack / ANY).write_text(small.table(["Group", "Identified", "Pupils", "Share (%)"], rows))
    (pack / SUPPORT).unlink()
    (pack / PLAN).unlink()
    return small.sign(pack, ROUNDS_SOME)


def test_a_count_shown_rounded_stands_for_many(pack):
    report = audit(some_rounded(pack, "22.0"))
    assert report.findings == ()
    ends = {c.group: e for c, e in report.attack.intervals.items() if c.outcome == "any_sen" and c.group == "irish"}
    assert ends == {"irish": (0, 50)}


def test_a_true_share_beside_a_rounded_count_is_found(pack):
    assert "unchanged share" in {f.kind for f in audit(some_rounded(pack, "21.3")).findings}


def test_counts_of_cases_may_have_a_threshold_of_their_own(pack):
    """Of nine refusals all are shown where counts of cases under 5 are hidden, and too few where it is under 10."""
    assert "small count" not in found(pack)
    small.sign(pack, {"threshold": 5, "thresholds": {"pupils": 5, "cases": 10, "lists": 10}})
    assert {f.file for f in audit(pack).findings if f.kind == "small count"} == {STAGE}


def test_a_rule_that_the_audit_does_not_know_is_refused(pack):
    with pytest.raises(WorkbenchError, match="does not know"):
        audit(small.sign(pack, {"method": "noise"}))


def test_few_of_unknown_group_are_a_small_count(pack):
    text = "Characteristic,Pupils,Pupils for whom it is not known,Known (%)\nSex,1390,{n},99.8\n"
    (pack / "tables/data-completeness.csv").write_text(text.format(n=0))
    assert found(pack) == set()
    (pack / "tables/data-completeness.csv").write_text(text.format(n=3))
    assert "small count" in found(pack)
