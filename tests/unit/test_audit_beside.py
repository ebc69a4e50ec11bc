"""What other figures tell of hidden counts: official ones, clusters of small areas, the same measure elsewhere."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import audit_pack as small
import pytest

from jsna.audit.audit import audit
from jsna.audit.facts import Count
from jsna.audit.findings import OFFICIAL, OUTSIDER
from jsna.audit.official import read_official
from jsna.errors import WorkbenchError

ANY, SUPPORT, PLAN = (f"tables/ethnicity-{o}-flags.csv" for o in ("any-sen", "sen-support", "ehc-plan"))
STAGE = "tables/ehc-pipeline-refused-of-decided-table.csv"
CHINESE = {"Group": "Chinese"}


@pytest.fixture
def pack(tmp_path) -> Path:
    return small.write(tmp_path / "2026")


def found(pack: Path, **options) -> set[str]:
    return {f.kind for f in audit(small.sign(pack), **options).findings}


def official_table(pack: Path, rows: list[list[object]]) -> None:
    """A table in the pack whose source is a publisher's."""
    text = small.table(["Group", "Identified", "Pupils"], rows)
    name = "sex-need-asd-table"
    (pack / f"tables/{name}.csv").write_text(text)
    shown = small.exhibit(name, text)
    shown["data"]["application/vnd.jsna.exhibit+json"]["source"] = "National pupil statistics, 2026"
    (pack / "notebooks/07-official.ipynb").write_text(json.dumps(small.notebook([shown])))


def local_needs(pack: Path) -> None:
    """A hidden number of boys with autism, alone in its row of two: without a total nobody can work it out."""
    rows = [["Female", 41, 700, "5.9"], ["Male", "c", 690, "c"]]
    text = small.table(["Group", "Identified", "Pupils", "Share (%)"], rows)
    (pack / "tables/sex-need-asd-flags.csv").write_text(text)


def published(folder: Path, rows: list[list[object]]) -> Path:
    folder.mkdir()
    text = small.table(["Measure", "Period", "Characteristic", "Group", "Number"], rows)
    (folder / "published.csv").write_text(text)
    return folder


def test_an_official_total_unlocks_a_hidden_count(pack, tmp_path):
    local_needs(pack)
    assert "exact" not in found(pack)
    folder = published(tmp_path / "official", [["need_asd", small.CENSUS, "", "", 44]])
    report = audit(pack, official=folder)
    assert {(f.kind, f.attacker) for f in report.findings} == {("exact", OFFICIAL)}


def test_official_figures_of_other_children_are_left_aside_and_named(pack, tmp_path):
    local_needs(pack)
    rows = [["need_asd", small.CENSUS, "", "", 44], ["any_sen", small.CENSUS, "sex", "Female", 121]]
    report = audit(small.sign(pack), official=published(tmp_path / "official", rows))
    assert report.findings == ()
    assert any("of other children" in why for _, why, _ in report.attack.not_analysed)


def test_official_figures_in_the_pack_itself_are_reckoned_with(pack):
    local_needs(pack)
    official_table(pack, [["Male", 3, 690]])
    kinds = {(f.kind, f.attacker) for f in audit(small.sign(pack)).findings}
    assert kinds == {("shown elsewhere", OUTSIDER)}


TIMELINESS = (
    "time_period,new_la_code,breakdown_topic,plans_issued_den,plans_issued_within_20_weeks\n"
    "2025,E06000032,All EHC plans issued,427,119\n"
    "2025,E06000032,Sex,210,60\n"
    "2025,E06000055,All EHC plans issued,300,x\n"
    "2024,E06000032,All EHC plans issued,400,x\n"
)


def test_a_published_table_is_read_for_the_area_alone(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "timeliness_20_week.csv.gz").write_bytes(gzip.compress(TIMELINESS.encode("utf-8-sig")))
    read = {count: value for count, (value, _) in read_official(tmp_path, "E06000032").items()}
    assert read == {
        Count("ehc_06", "2025"): 119,
        Count("all of ehc_06", "2025"): 427,
        Count("all of ehc_06", "2024"): 400,
    }


@pytest.mark.parametrize("content", [b"\xff\xfe\x00bad", b"\x1f\x8bno gzip"])
def test_an_official_file_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "requests.csv.gz").write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"requests\.csv\.gz"):
        read_official(tmp_path, "E06000032")


@pytest.mark.parametrize("name", ["nothing.csv", ""])
def test_a_folder_without_official_figures_is_refused(pack, tmp_path, name):
    if name:
        (tmp_path / "official").mkdir()
        (tmp_path / "official" / name).write_text("a,b\n")
    with pytest.raises(WorkbenchError, match="--official"):
        audit(pack, official=tmp_path / "official")


def test_a_share_that_is_hidden_for_its_whole_hides_no_count(pack):
    """In one table Indian children refused, 9, of a hidden whole; in the other their share."""
    without_copies(pack)
    small.set_cell(pack, STAGE, {"Group": "Indian"}, "Out of", "c")
    small.set_cell(pack, STAGE, {"Group": "Indian"}, "Share (%)", "c")
    rows = [["Request refused, of decided", "Indian", "c"]]
    (pack / "tables/ehc-pipeline-ethnicity.csv").write_text(small.table(["Stage", "Group", "Share (%)"], rows))
    assert "shown elsewhere" not in found(pack)
    small.set_cell(pack, STAGE, {"Group": "Indian"}, "Out of", 40)
    assert "shown elsewhere" in found(pack)


@pytest.mark.parametrize(("words", "kinds"), [("all but fewer than 5", set()), ("97%", set()), ("99%", {"narrow"})])
def test_of_how_many_the_group_is_known_narrows_those_of_whom_it_is_not(pack, words, kinds):
    """Of 190: fewer than 5 is 0 to 4; 97% cut off leaves 4 or 5; 99% leaves 0 or 1, and that is closer than 0 to 4."""
    without_copies(pack)
    rows = [["ethnic group", g, "c", "c", "c"] for g in ("White British", "Indian", "Not known")]
    (pack / STAGE).write_text(small.table(["By", "Group", "Number", "Out of", "Share (%)"], rows))
    head = ["Stage", "Period", "Number", "Out of", "Ethnic group known"]
    told = [["Request refused, of decided", "2023 to 2025", 45, 190, words]]
    (pack / "tables/ehc-pipeline-overall.csv").write_text(small.table(head, told))
    assert found(pack) == kinds


def without_copies(pack: Path) -> None:
    """Take away the notebook and the page, which show the tables once more."""
    for path in [*(pack / "notebooks").iterdir(), *(pack / "chapters").iterdir()]:
        path.unlink()


def cluster(pack: Path, expected: dict[str, str], together: str) -> None:
    """A cluster of two of the three small areas of ward B; what is expected tells which."""
    for name, number in expected.items():
        small.set_cell(pack, "tables/lsoas-map.csv", {"Small area": name}, "Expected", number)
    head = ["Cluster", "Wards (small areas inside, of all)", "Identified", "Expected"]
    (pack / "tables/clusters-table.csv").write_text(small.table(head, [[1, "B (2 of 3)", 171, together]]))


def test_a_clusters_count_tells_a_hidden_small_area(pack):
    """Only B2 and B3 have 164.3 expected in both, so B2 is 171 less the 160 of B3."""
    cluster(pack, {"A1": "55.0", "A2": "44.0", "B1": "12.3", "B2": "14.1", "B3": "150.2"}, "164.3")
    report = audit(small.sign(pack))
    exact = [f for f in report.findings if f.kind == "exact"]
    assert {f.where.partition(",")[0] for f in exact} == {"row 4 (B1)", "row 5 (B2)"}
    assert {f.secret for f in exact} == {"4", "11"}
    assert not [n for n in report.attack.not_analysed if "clusters" in n[0]]


def test_a_cluster_of_which_nobody_can_tell_the_areas_gives_nothing_away(pack):
    cluster(pack, {"A1": "55.0", "A2": "44.0", "B1": "13.0", "B2": "13.0", "B3": "150.2"}, "163.2")
    assert found(pack) == set()


def test_a_hidden_cluster_does_not_stop_the_audit(pack):
    cluster(pack, {"A1": "55.0", "A2": "44.0", "B1": "12.3", "B2": "14.1", "B3": "150.2"}, "164.3")
    small.edit(pack, "tables/clusters-table.csv", ",171,", ",c,")
    assert found(pack) == set()


def test_a_share_by_year_and_its_limits_are_one_count(pack):
    """119 of 427 plans in 2025 stand in the Scorecard; 2025's share alone, of a hidden count, tells it."""
    head = ["Indicator", "Group", "Period", "Numerator", "Denominator", "Source"]
    rows = [["EHC-06", "all", "2025", "c", 21, "Own cases"]]
    (pack / "tables/scorecard.csv").write_text(small.table(head, rows))
    (pack / "tables/ehc-timeliness-year.csv").write_text(
        "Group,Value (%),Lower limit,Upper limit\n2025,14.3,5.0,34.6\n"
    )
    exact = [f for f in audit(small.sign(pack)).findings if f.kind == "exact"]
    assert [f.secret for f in exact] == ["3"]
