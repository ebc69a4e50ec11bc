"""Each planted hole is found, and the clean pack has none."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import audit_pack as small
import pytest
from audit_pack import cell, into_page, new_file
from openpyxl import Workbook

from jsna.audit.audit import audit
from jsna.audit.findings import COUNTED, DIFFERENCING, RULE
from jsna.errors import WorkbenchError

ANY, SUPPORT, PLAN = (f"tables/ethnicity-{o}-flags.csv" for o in ("any-sen", "sen-support", "ehc-plan"))
STAGE = "tables/ehc-pipeline-refused-of-decided-table.csv"
IRISH, CHINESE = {"Group": "Irish"}, {"Group": "Chinese"}
UPN = "H801200001001"
CANARY = "Zebulon Quickmark"


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    return small.write(tmp_path_factory.mktemp("clean") / "2026")


@pytest.fixture
def pack(clean, tmp_path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "2026"))


def found(pack: Path, **options) -> set[str]:
    return {f.kind for f in audit(small.sign(pack), canaries=[CANARY], **options).findings}


def into_notebook(change):
    def plant(pack: Path) -> None:
        path = pack / "notebooks/03-ethnicity.ipynb"
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return plant


def png(text: bytes) -> bytes:
    """A picture without a point, with a packed text chunk."""
    body = b"Comment\0\0" + zlib.compress(text)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk


def zipped(name: str, text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return stream.getvalue()


def workbook(change) -> bytes:
    book = Workbook()
    book.worksheets[0].append(["Group", "Identified"])
    book.properties.creator = "openpyxl"
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def hidden_sheet(book: Workbook) -> None:
    book.create_sheet("cache").sheet_state = "veryHidden"


def hidden_column(book: Workbook) -> None:
    book.worksheets[0].column_dimensions["B"].hidden = True


def author(book: Workbook) -> None:
    book.properties.creator = "A. Analyst"


def pupil_inside(book: Workbook) -> None:
    book.worksheets[0].append([UPN, 1])


def error_output(content) -> None:
    content["cells"][0]["outputs"].append(
        {"output_type": "error", "ename": "KeyError", "evalue": "row", "traceback": ["Traceback"]}
    )


def printed(content) -> None:
    content["cells"][0]["outputs"].append({"output_type": "stream", "name": "stdout", "text": ["   Irish  ", "3\n"]})


def unsealed(content) -> None:
    content["cells"][0]["outputs"].append(
        {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": "[4 rows x 3 columns]"}}
    )


HOME = "/" + "home/analyst"  # put together here, so that no file of the project holds a path


def path_in_metadata(content) -> None:
    content["metadata"]["papermill"] = {"input_path": f"{HOME}/send/03-ethnicity.ipynb"}


def shown_in_its_table(content) -> None:
    exhibit = content["cells"][0]["outputs"][3]["data"]["application/vnd.jsna.exhibit+json"]
    assert exhibit["id"] == "ethnicity-any-sen-flags"
    exhibit["table_csv"] = exhibit["table_csv"].replace("Chinese,c,40", "Chinese,12,40")


LEAKS = {
    "a pupil number in a table": ("pupil number", cell(ANY, IRISH, "Status", UPN)),
    "a pupil number in a zipped workbook": ("pupil number", new_file("evidence.xlsx", workbook(pupil_inside))),
    "a pupil number in a zipped CSV": ("pupil number", new_file("tables.zip", zipped("rows.csv", f"upn\n{UPN}\n"))),
    "a pupil number in UTF-16": ("pupil number", new_file("tables/x.txt", UPN.encode("utf-16"))),
    "a column of pupil numbers": ("pupil number", cell(ANY, IRISH, "UPN", "x")),
    "a postcode in a page": ("postcode", into_page("LU1 2NB")),
    "a postcode in small letters": ("postcode", into_page("lu1 2nb")),
    "a date of birth in a card": (
        "date of birth",
        lambda p: small.edit(p, "cards.json", '"card"', '"born 14/03/2012"'),
    ),
    "a date of birth under its name": ("date of birth", into_page("date_of_birth: 2012-03-14")),
    "a mark in base64": ("canary", into_page("data:text/plain;base64," + base64.b64encode(CANARY.encode()).decode())),
    "a mark in a picture's text": ("canary", new_file("figures/map.png", png(CANARY.encode()))),
    "a mark written as a web address": ("canary", into_page("Zebulon%20Quickmark")),
    "a mark without its space": ("canary", into_page("ZebulonQuickmark")),
    "a mark in a file's name": ("canary", new_file("figures/Zebulon Quickmark.txt", b"x")),
    "a mark in a gzip file": ("canary", new_file("tables/rows.gz", gzip.compress(CANARY.encode()))),
    "the key": ("key material", into_page(f"hash_key = {'0123456789abcdef' * 4}")),
    "a private key": ("key material", into_page("-----BEGIN RSA PRIVATE KEY-----")),
    "a password": ("secret", into_page("password=swordfish77")),
    "a password in an address": ("secret", into_page("postgresql://reader:hunter22@db/census")),
    "a machine path in a comment": ("machine path", into_page(f"<!-- {HOME}/send/census.csv -->")),
    "a path of Windows": ("machine path", into_page(r"C:\Users\analyst\census.csv")),
    "a path in a notebook's metadata": ("machine path", into_notebook(path_in_metadata)),
    "metadata of papermill": ("notebook metadata", into_notebook(path_in_metadata)),
    "an exception's text": ("traceback", into_page("ValueError: count 3 for Irish")),
    "an error output": ("traceback", into_notebook(error_output)),
    "printed text": ("loose output", into_notebook(printed)),
    "a frame's own words": ("frame shown raw", into_notebook(unsealed)),
    "a frame's own words in a page": ("frame shown raw", into_page("Name: pupils, Length: 4, dtype: int64")),
    "a hidden sheet": ("hidden sheet", new_file("evidence.xlsx", workbook(hidden_sheet))),
    "a hidden column": ("hidden sheet", new_file("evidence.xlsx", workbook(hidden_column))),
    "the author of a workbook": ("document property", new_file("evidence.xlsx", workbook(author))),
    "a title of a picture": (
        "told in words",
        lambda p: (p / "figures/ethnicity-any-sen-flags.svg").write_text(small.svg("By group: Irish 6.0%")),
    ),
    "a comment in a picture": (
        "told in words",
        lambda p: small.edit(p, "figures/ethnicity-any-sen-flags.svg", "<!-- Irish -->", "<!-- Irish: 3 -->"),
    ),
    "a data attribute of a picture": (
        "told in words",
        lambda p: small.edit(p, "figures/ethnicity-any-sen-flags.svg", "<path ", '<path data-value="Irish=3" '),
    ),
}

TABLES = {
    "an unprotected margin": ("exact", cell(ANY, CHINESE, "Identified", 12)),
    "a rate to three decimals": ("exact", cell(ANY, IRISH, "Share (%)", "6.000")),
    "a rate of another table": (
        "exact",
        new_file("tables/ethnicity-any-sen-rates.csv", b"Group,Value (%),Lower limit,Upper limit\nIrish,6.0,c,c\n"),
    ),
    "limits of an interval": (
        "exact",
        new_file("tables/ethnicity-any-sen-rates.csv", b"Group,Value (%),Lower limit,Upper limit\nIrish,c,2.1,16.2\n"),
    ),
    "a gap beside a hidden count": ("exact", cell(ANY, IRISH, "Gap (percentage points)", "-14.3")),
    "a ratio beside a hidden count": (
        "narrow",
        cell("tables/ethnicity-any-sen-flags.csv", IRISH, "Ratio to all others", "0.30"),
    ),
    "a model's figure beside a hidden count": ("beside", cell(ANY, IRISH, "Ratio, pooled", "0.31")),
    "two tables of one count": (
        "shown elsewhere",
        cell("flags.csv", {"group": "Irish", "outcome": "any_sen"}, "numerator", 3),
    ),
    "a share in flags.csv": ("exact", cell("flags.csv", {"group": "Irish", "outcome": "any_sen"}, "risk", "0.0600")),
    "support and plan shown": (
        "exact",
        lambda p: [
            small.set_cell(p, SUPPORT, CHINESE, "Identified", 4),
            small.set_cell(p, PLAN, CHINESE, "Identified", 8),
        ],
    ),
    "a small count": ("small count", cell(ANY, IRISH, "Identified", 3)),
    "a zero": ("small count", cell(ANY, IRISH, "Identified", 0)),
    "all but a few": ("small complement", cell(ANY, {"Group": "Indian"}, "Identified", 298)),
    "a small count in a table of no known kind": (
        "small count",
        new_file("tables/transport.csv", b"School,Pupils\nHigh Lane,3\n"),
    ),
    "a rate of very few": (
        "small denominator",
        new_file(
            "tables/fsm-any-sen-table.csv", b"Group,Identified,Pupils,Share (%)\nYes,6,8,75.0\nNo,269,1382,19.5\n"
        ),
    ),
    "a sentence with a small count": ("small count", into_page("Irish: 6.0% (3 of 50)")),
    "a page that shows what the table hides": (
        "shown elsewhere",
        lambda p: small.edit(
            p,
            "chapters/03-ethnicity.html",
            "<td>Chinese</td><td>c</td><td>40</td>",
            "<td>Chinese</td><td>12</td><td>40</td>",
        ),
    ),
    "a notebook that shows what the table hides": ("shown elsewhere", into_notebook(shown_in_its_table)),
    "a small area inside a ward": ("exact", cell("tables/lsoas-map.csv", {"Small area": "B2"}, "Identified", 11)),
    "the whole of a ward of small areas": (
        "narrow",
        lambda p: small.edit(p, "tables/lsoas-map.csv", "B3,B,160,720,22.2", "B3,B,172,720,23.9"),
    ),
    "a rate of all others": ("exact", cell(STAGE, {"Group": "Irish"}, "All others (%)", "24.157")),
    "a rate of all others in another table": (
        "exact",
        new_file(
            "tables/ethnicity-any-sen-table.csv",
            b"Group,Identified,Pupils,Share (%),All others (%)\nIrish,c,50,c,20.299\n",
        ),
    ),
    "deciles inside a fifth": (
        "exact",
        new_file(
            "tables/idaci-decile-any-sen-table.csv",
            b"Group,Identified,Pupils\nDecile 1 (most deprived),177,850\nDecile 2,c,50\nDecile 3,95,490\n",
        ),
    ),
}


def test_the_clean_pack_has_no_finding(clean):
    report = audit(clean, canaries=[CANARY])
    assert report.findings == ()
    assert report.exit_code == 0
    assert report.attack.hidden == 10


@pytest.mark.parametrize("hole", LEAKS)
def test_a_planted_leak_is_found(pack, hole):
    kind, plant = LEAKS[hole]
    plant(pack)
    assert kind in found(pack)


@pytest.mark.parametrize("hole", TABLES)
def test_a_planted_hole_in_tables_is_found(pack, hole):
    kind, plant = TABLES[hole]
    plant(pack)
    assert kind in found(pack)


def test_the_pack_before_gives_a_hidden_count_away(pack, clean, tmp_path):
    before = Path(shutil.copytree(clean, tmp_path / "2025"))
    small.set_cell(before, ANY, CHINESE, "Identified", 12)
    small.set_cell(before, ANY, IRISH, "Identified", "c")
    assert found(pack) == set()
    report = audit(pack, previous=[small.sign(before)])
    assert {(f.kind, f.attacker) for f in report.findings} >= {
        ("exact", DIFFERENCING),
        ("shown elsewhere", DIFFERENCING),
    }


def test_the_third_pack_before_gives_a_hidden_count_away(pack, clean, tmp_path):
    """The two later ones are as safe as the pack; the audit goes back to the first."""
    befores = [Path(shutil.copytree(clean, tmp_path / name)) for name in ("2025", "2024", "2023")]
    small.set_cell(befores[2], ANY, CHINESE, "Identified", 12)
    small.sign(befores[2])
    assert found(pack, previous=befores[:2]) == set()
    report = audit(pack, previous=befores)
    assert {f.attacker for f in report.findings} == {DIFFERENCING}
    assert {"exact", "shown elsewhere"} <= {f.kind for f in report.findings}
    assert len(report.previous) == 3


def test_a_pack_before_of_another_area_is_refused(pack, clean, tmp_path):
    before = Path(shutil.copytree(clean, tmp_path / "2025"))
    small.edit(before, "manifest.json", "E06000032", "E06000055")
    with pytest.raises(WorkbenchError, match="another area"):
        audit(pack, previous=[before])


def test_two_packs_that_hide_different_companions_are_added_up(pack, clean, tmp_path):
    """Each pack is safe; the older hides the Indian pupils in place of the Chinese, so the two together tell all."""
    before = Path(shutil.copytree(clean, tmp_path / "2025"))
    for name in (ANY, SUPPORT, PLAN, "flags.csv"):
        (before / name).unlink()
    rows = [["White British", 200, 1000], ["Indian", "c", 300], ["Irish", "c", 50], ["Chinese", 12, 40]]
    (before / ANY).write_text(small.table(["Group", "Identified", "Pupils"], rows), encoding="utf-8")
    for path in [*(before / "notebooks").iterdir(), *(before / "chapters").iterdir()]:
        path.unlink()
    small.sign(before)
    alone = {f.kind for f in audit(before).findings}
    assert "exact" not in alone
    assert DIFFERENCING in {f.attacker for f in audit(pack, previous=[before]).findings}


def test_one_who_is_counted_learns_of_the_other_group(pack):
    """Two hidden areas of four children in all: whoever is in one knows that the other has three at most."""
    small.edit(pack, "tables/lsoas-map.csv", "B3,B,160,720,22.2", "B3,B,171,720,23.8")
    narrow = [f for f in audit(small.sign(pack)).findings if f.kind == "narrow"]
    assert {f.attacker for f in narrow} == {COUNTED}


def test_where_zeros_are_shown_a_hidden_count_is_none(pack):
    """A shown zero tells that hidden counts are 1 or more: 0 to 4 becomes 1 to 4, which the rule itself tells."""
    small.set_cell(pack, "tables/lsoas-map.csv", {"Small area": "A1"}, "Identified", 0)
    small.edit(pack, "tables/lsoas-map.csv", "A2,A,40", "A2,A,100")
    small.edit(pack, "tables/lsoas-map.csv", "B3,B,160,720,22.2", "B3,B,171,720,23.8")
    report = audit(small.sign(pack))
    assert {f.attacker for f in report.findings if f.kind == "narrow"} == {RULE}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda p: small.edit(p, "index.html", "small", "tiny"), "file changed"),
        (new_file("notes.txt", b"x"), "file added"),
        (lambda p: (p / "cards.json").unlink(), "file gone"),
    ],
)
def test_a_pack_edited_by_hand_is_noticed(pack, change, kind):
    change(pack)
    assert {f.kind for f in audit(pack).findings} == {kind}


def test_the_name_of_who_made_the_pack_is_found(pack, monkeypatch):
    from jsna.audit import leaks

    monkeypatch.setattr("getpass.getuser", lambda: "okonkwo")
    leaks._patterns.cache_clear()
    into_page("prepared by Okonkwo")(pack)
    kinds = found(pack)
    leaks._patterns.cache_clear()
    assert "user name" in kinds
