"""Releases: what is tested with what, what is written down, and what stays known of a pack that is gone."""

import json
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import audit_pack as small
import pytest

from jsna.cli import main
from jsna.disclosure import kept
from jsna.disclosure.ledger import Ledger, default_folder, digest_of, opened, read, record, write
from jsna.errors import OutputError
from jsna.release import leaving


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    return small.write(tmp_path_factory.mktemp("clean") / "2026")


@pytest.fixture
def project(clean, tmp_path, monkeypatch) -> Path:
    """A project's folder with one pack that the audit finds clean."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(clean, tmp_path / "packs/luton-synthetic/2026")
    return tmp_path


def pack(project: Path, name: str = "2026") -> Path:
    return project / "packs/luton-synthetic" / name


def another(project: Path, name: str, change=None, audience: str = "public") -> Path:
    """One more pack of the same area, made by hand from the first."""
    made = Path(shutil.copytree(pack(project), pack(project, name)))
    if change:
        change(made)
    small.edit(made, "index.html", "A small pack", f"A small pack, {name}")
    small.sign(made)
    set_in_manifest(made, disclosure={"audience": audience, "method": "suppress", "threshold": 5})
    return made


def only_one_group_shown(made: Path) -> None:
    """Of ethnic groups nothing but one row, in which stands a count that the first pack hides."""
    for outcome in ("sen-support", "ehc-plan"):
        (made / f"tables/ethnicity-{outcome}-flags.csv").unlink()
    row = ["Chinese", 12, 40, "30.0", "1.53", "10.4", "no evidence", "synthetic"]
    (made / "tables/ethnicity-any-sen-flags.csv").write_text(small.table(small.HEAD, [row]), encoding="utf-8")
    (made / "flags.csv").write_text("area_code\n", encoding="utf-8")
    (made / "cards.json").write_text("[]", encoding="utf-8")
    shutil.rmtree(made / "notebooks")
    shutil.rmtree(made / "chapters")


def set_in_manifest(made: Path, **values) -> None:
    path = made / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def release(path: Path, *words: str) -> int:
    return main(["release", str(path), *words])


def ledger_of(project: Path) -> Path:
    return project / "releases/E06000032-synthetic"


def entries(project: Path) -> list[dict]:
    return json.loads((ledger_of(project) / "ledger.json").read_text(encoding="utf-8"))["entries"]


def test_a_clean_pack_is_recorded_with_its_files_and_what_to_do_next(project, capsys):
    assert release(pack(project)) == 0
    said = capsys.readouterr().out
    assert "Recorded as" in said
    assert "Next:" in said
    (entry,) = entries(project)
    assert (entry["number"], entry["what"], entry["cycle"], entry["audience"]) == (1, "release", "2026", "public")
    manifest = json.loads((pack(project) / "manifest.json").read_text(encoding="utf-8"))
    assert (entry["policy"], entry["files"]) == (manifest["disclosure_policy"], manifest["outputs"])
    assert entry["audit"]["findings"] == 0
    assert entry["audit"]["beside"] == []
    with zipfile.ZipFile(ledger_of(project) / f"{entry['id']}.zip") as held:
        names = set(held.namelist())
    assert {"manifest.json", "flags.csv", "cards.json", "index.html", "tables/wards-any-sen-map.csv"} <= names
    assert not any(n.startswith(("notebooks", "figures", "chapters")) for n in names)


def test_the_same_pack_again_is_said_and_recorded_once_even_when_it_was_made_anew(project, capsys):
    release(pack(project))
    set_in_manifest(pack(project), made_at="2026-03-01T09:00:00+00:00")
    capsys.readouterr()
    assert release(pack(project)) == 0
    assert "was released on" in capsys.readouterr().out
    assert len(entries(project)) == 1


def test_a_pack_that_opens_what_an_earlier_one_hid_does_not_leave_though_that_one_is_gone(project, capsys):
    assert release(pack(project)) == 0
    later = another(project, "2026-b", only_one_group_shown)
    shutil.rmtree(pack(project))
    capsys.readouterr()
    assert release(later) == 1
    said = capsys.readouterr().out
    assert "Nothing was recorded" in said
    assert "the packs before" in said
    assert [e["cycle"] for e in entries(project)] == ["2026"]
    assert {p.name for p in ledger_of(project).iterdir()} == {
        ".lock",
        "ledger.json",
        f"{entries(project)[0]['id']}.zip",
    }


def test_the_later_pack_alone_would_have_left(project):
    assert release(another(project, "2026-b", only_one_group_shown)) == 0


@pytest.mark.parametrize(
    ("first", "second", "beside"),
    [
        ("public", "public", 1),
        ("public", "restricted", 1),
        ("restricted", "public", 0),
        ("restricted", "restricted", 1),
    ],
)
def test_a_pack_is_tested_with_what_its_readers_may_have(project, first, second, beside):
    assert release(another(project, "first", audience=first)) == 0
    assert release(another(project, "second", audience=second)) == 0
    assert len(entries(project)[1]["audit"]["beside"]) == beside


def test_the_list_shows_what_left_and_what_was_withdrawn(project, capsys):
    release(pack(project))
    short = entries(project)[0]["id"][:8]
    capsys.readouterr()
    assert main(["release", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "E06000032, synthetic: 1 released" in shown
    assert f"{short}  cycle 2026, public, released 2" in shown
    assert main(["release", "--withdraw", short, "--why", "a ward was named wrongly"]) == 0
    assert "What is out stays out" in capsys.readouterr().out
    main(["release", "--list"])
    assert "withdrawn: a ward was named wrongly" in capsys.readouterr().out
    assert [e["what"] for e in entries(project)] == ["release", "withdrawal"]


def test_a_withdrawn_pack_still_counts_and_is_not_released_again(project, capsys):
    release(pack(project))
    main(["release", "--withdraw", entries(project)[0]["id"][:8], "--why", "wrong"])
    assert release(another(project, "2026-b")) == 0
    assert entries(project)[2]["audit"]["beside"] == [entries(project)[0]["id"]]
    capsys.readouterr()
    assert release(pack(project)) == 1
    assert "withdrawn since: wrong" in capsys.readouterr().out
    assert len(entries(project)) == 3


def test_the_ledger_lies_beside_the_folder_of_packs_and_outlives_it(project):
    release(pack(project))
    assert default_folder(leaving(pack(project))) == ledger_of(project)
    shutil.rmtree(project / "packs")
    assert len(read(ledger_of(project)).releases) == 1


def test_each_entry_holds_the_digest_of_the_one_before():
    """By hand: digest of the entry without its own digest, keys sorted, no spaces."""
    ledger = Ledger(Path("nowhere"), "E06000032", "local", key="k").with_entry("release", id="a")
    ledger = ledger.with_entry("withdrawal", id="a", why="x")
    first, second = ledger.entries
    assert second["before"] == first["digest"]
    assert first["before"] == digest_of([1, "k", "E06000032", "local"])
    assert digest_of({"b": 1, "a": "é"}) == digest_of({"a": "é", "b": 1})
    # printf '{"a":1}' | sha256sum
    assert digest_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_two_releases_at_once_are_both_recorded(project):
    """Each holds the ledger while it works: without the lock both would write entry 1."""
    packs = [leaving(pack(project)), leaving(another(project, "2026-b"))]
    folder, at_work = default_folder(packs[0]), []

    def go(one):
        with opened(folder, one, patience=20) as ledger:
            at_work.append(one.id)
            assert len(at_work) == 1
            record(ledger, one, {})
            at_work.remove(one.id)

    threads = [threading.Thread(target=go, args=(p,)) for p in packs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {e["id"] for e in read(folder).releases} == {p.id for p in packs}


def test_a_lock_is_waited_for_only_so_long_and_goes_with_a_process_that_is_killed(tmp_path):
    code = (
        f"from jsna.disclosure.kept import locked\nfrom pathlib import Path\nwith locked(Path({str(tmp_path)!r}), 0):\n"
    )
    code += "    print('held', flush=True)\n    input()\n"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(OutputError, match="under way"), kept.locked(tmp_path, 0.2):
        pass
    holder.kill()
    holder.communicate()
    with kept.locked(tmp_path, 5):
        pass


def test_what_cannot_be_written_leaves_the_ledger_as_it_was(project, monkeypatch):
    ledger = Ledger(project, "E06000032", "synthetic")
    write(ledger)
    before = (project / "ledger.json").read_bytes()
    first = leaving(pack(project))
    replace, calls = kept.os.replace, []

    def fails_at_second(*paths):
        calls.append(paths)
        if len(calls) == 2:
            raise PermissionError(13, "Permission denied")
        replace(*paths)

    monkeypatch.setattr(kept.os, "replace", fails_at_second)
    with pytest.raises(OutputError, match=r"cannot be written here .*Nothing was recorded"):
        record(ledger, first, {})
    assert (project / "ledger.json").read_bytes() == before
    assert not [p for p in project.iterdir() if p.suffix in (".zip", ".part")]
