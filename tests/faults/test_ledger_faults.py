"""Releases that must not be: each is answered with what is wrong, and nothing is written."""

import json
import shutil
from pathlib import Path

import audit_pack as small
import pytest

from jsna.cli import main
from jsna.disclosure import kept
from jsna.disclosure.ledger import Ledger, write


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A project with one pack that left, and one that did not yet."""
    project = tmp_path_factory.mktemp("released")
    packs = project / "packs/luton-synthetic"
    small.write(packs / "2026")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        assert main(["release", "packs/luton-synthetic/2026"]) == 0
    shutil.copytree(packs / "2026", packs / "2027")
    small.edit(packs / "2027", "index.html", "A small pack", "The next pack")
    small.sign(packs / "2027")
    return project


@pytest.fixture
def project(released, tmp_path, monkeypatch) -> Path:
    shutil.copytree(released, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


LEDGER, PACKS = Path("releases/E06000032-synthetic"), Path("packs/luton-synthetic")
FILE, NEXT, MARKER = LEDGER / "ledger.json", PACKS / "2027", PACKS / ".released-synthetic.json"


def state() -> dict[str, bytes]:
    return {p.as_posix(): p.read_bytes() for p in Path().rglob("*") if p.is_file() and p.name != ".lock"}


def copy_in_ledger() -> Path:
    (copied,) = LEDGER.glob("*.zip")
    return copied


def changed(path: Path, change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def in_ledger(**values):
    return lambda: changed(FILE, lambda c: c.update(values))


def in_entry(**values):
    return lambda: changed(FILE, lambda c: c["entries"][0].update(values))


def in_manifest(**values):
    return lambda: changed(NEXT / "manifest.json", lambda c: c.update(values))


def rolled_back():
    write(Ledger(LEDGER, "E06000032", "synthetic", key=json.loads(FILE.read_text(encoding="utf-8"))["key"]))


def copy_of_another_pack():
    kept.keep_copy(NEXT, copy_in_ledger())


def cut_short(path: Path):
    path.write_bytes(path.read_bytes()[:-200])


def folder_in_the_way():
    shutil.rmtree(LEDGER)
    MARKER.unlink()
    LEDGER.write_text("a file", encoding="utf-8")


FAULTS = {
    "a table edited by hand": (
        lambda: small.edit(NEXT, "flags.csv", "White British", "White british"),
        "flags.csv: The pack is not as it was made: file changed.",
    ),
    "a file added": (lambda: (NEXT / "notes.txt").write_text("x"), "notes.txt: The pack is not as it was made"),
    "a file gone": (lambda: (NEXT / "cards.json").unlink(), "cards.json: The pack is not as it was made: file gone"),
    "no manifest": (lambda: (NEXT / "manifest.json").unlink(), "This is not a pack"),
    "a manifest without outputs": (lambda: (NEXT / "manifest.json").write_text("{}"), "The manifest cannot be read"),
    "no pack at all": (lambda: shutil.rmtree(NEXT), "This is not a pack"),
    "no area": (in_manifest(area_code=""), "manifest.json, area_code: The manifest does not say"),
    "an unknown audience": (in_manifest(disclosure_policy={"audience": "all"}), "Expected: public, restricted"),
    "an unknown kind": (in_manifest(parameters={"source": "x"}), "Expected: synthetic, local, official"),
    "a ledger that is lost": (
        lambda: shutil.rmtree(LEDGER),
        "Packs of this area have left, and their ledger is not here",
    ),
    "a ledger file that is lost": (lambda: FILE.unlink(), "their ledger is not here"),
    "an older ledger put in its place": (rolled_back, "This is not the ledger that was written last"),
    "another ledger in its place": (lambda: write(Ledger(LEDGER, "E06000032", "synthetic")), "is not the ledger"),
    "a ledger of another area": (
        lambda: write(Ledger(LEDGER, "E06000055", "synthetic")),
        "ledger of another area or kind of data. Found: 'E06000055, synthetic'. Expected: E06000032, synthetic",
    ),
    "a ledger of other data": (lambda: write(Ledger(LEDGER, "E06000032", "local")), "Found: 'E06000032, local'"),
    "an entry changed": (in_entry(audience="restricted"), "changed by hand: from this entry on"),
    "a digest changed": (in_entry(digest="0" * 64), "Found: 'entry 1 of 1'"),
    "an entry taken out": (in_ledger(entries=[]), "packs that left are missing from it"),
    "an entry that is none": (in_ledger(entries=["x"]), "changed by hand"),
    "a later version": (in_ledger(version=2), "another version of the workbench. Found: 2. Expected: version 1"),
    "a ledger cut short": (lambda: cut_short(FILE), "The ledger cannot be read"),
    "a ledger that is no object": (lambda: FILE.write_text("[]"), "The ledger cannot be read"),
    "a marker that is spoilt": (lambda: MARKER.write_text("{"), "marker that says how far the ledger had come"),
    "a copy that is lost": (lambda: copy_in_ledger().unlink(), "The private copy of a pack that left is missing"),
    "a copy cut short": (lambda: cut_short(copy_in_ledger()), "cannot be read, so a new pack cannot be tested with it"),
    "a copy of another pack": (copy_of_another_pack, "The private copy of a pack that left was changed"),
    "a file where the ledger should be": (folder_in_the_way, "The ledger cannot be written here"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_refused_with_its_reason_and_nothing_is_written(project, capsys, name):
    spoil, words = FAULTS[name]
    spoil()
    before = state()
    assert main(["release", str(NEXT)]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert 1 <= len(said.err.strip().splitlines()) <= 10
    assert "Recorded" not in said.out
    assert state() == before


def test_without_a_fault_the_next_pack_leaves(project, capsys):
    assert main(["release", str(NEXT)]) == 0
    assert "Tested beside packs that left before: 1." in capsys.readouterr().out


@pytest.mark.parametrize("where", [PACKS / "2027", PACKS / "2026/releases"], ids=["the pack", "another pack"])
def test_a_ledger_never_lies_in_a_pack(project, capsys, where):
    MARKER.unlink()
    before = state()
    assert main(["release", str(NEXT), "--ledger", str(where)]) == 2
    assert "never lies in a pack" in capsys.readouterr().err
    assert state() == before


def test_a_ledger_named_elsewhere_is_not_taken_for_a_new_one(project, capsys):
    """Otherwise a wrong --ledger would forget all that left."""
    assert main(["release", str(NEXT), "--ledger", "elsewhere"]) == 2
    assert "name its folder with --ledger" in capsys.readouterr().err


def test_a_lost_copy_is_made_anew_from_the_pack_that_is_still_there(project, capsys):
    lost = copy_in_ledger()
    lost.unlink()
    assert main(["release", str(PACKS / "2026")]) == 0
    assert "was made anew" in capsys.readouterr().out
    assert lost.exists()
    assert main(["release", str(NEXT)]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--withdraw", "abcd"], "--why: A release is withdrawn with a reason"),
        (["--withdraw", "zzzz", "--why", "x"], "There is no such release in any ledger"),
        (["--withdraw", "", "--why", "x"], "No pack is named"),
        ([], "No pack is named"),
    ],
)
def test_words_that_ask_for_nothing_that_can_be_done(project, capsys, words, said):
    before = state()
    assert main(["release", *words]) == 2
    assert said in capsys.readouterr().err
    assert state() == before


def test_too_short_a_name_withdraws_nothing(project, capsys):
    start = copy_in_ledger().name[:2]
    assert main(["release", "--withdraw", start, "--why", "x"]) == 2
    assert "the first 4 characters or more" in capsys.readouterr().err


def test_withdrawn_twice_is_written_once(project, capsys):
    start = copy_in_ledger().name[:8]
    assert main(["release", "--withdraw", start, "--why", "first"]) == 0
    assert main(["release", "--withdraw", start, "--why", "second"]) == 0
    assert "was withdrawn before: first" in capsys.readouterr().out
    assert len(json.loads(FILE.read_text(encoding="utf-8"))["entries"]) == 2


def test_nothing_released_is_said_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["release", "--list"]) == 0
    assert "No release is recorded in releases" in capsys.readouterr().out
