"""Whatever ends a run, and whenever: the pack before stays whole, nothing runs on, and the next run ends as any other.

A longer form, with as many kills as one likes, is benchmarks/faults.py.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from kills import contents, kill, many_kills, place_in, still_there

from jsna.errors import OutputError
from jsna.pack import place as place_module
from jsna.pack.place import claimed, part_of, put_in_place, staging_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed as on Linux")
KILLS = 5


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = place_in(tmp_path_factory.mktemp("kills"))
    made.learn()
    return made


@pytest.fixture
def own(place, tmp_path):
    """The same chapters in a folder of their own, with the pack that an undisturbed run made of them."""
    copied = place_in(tmp_path)
    shutil.copytree(place.folder / "undisturbed-2023", tmp_path / "packs")
    return copied


def run(place, *words, seed=2023, out="packs"):
    process = place.start(seed, *words, out=out)
    said, _ = process.communicate(timeout=120)
    assert "Traceback" not in said
    return process.returncode, said


def test_nothing_is_lost_however_often_a_run_is_killed(place):
    faults = [fault for told in many_kills(place, KILLS, seed=20261129) for fault in told.faults]
    assert faults == []


def test_the_same_bytes_with_plain_kernels_and_any_number_of_workers(place):
    assert run(place, "--kernels", "plain", "--jobs", "4", out="same")[0] == 0
    assert contents(place.folder / "same" / "luton-synthetic" / "2026") == place.whole[2023]


def test_what_has_not_changed_is_kept_and_a_run_says_what_has(place, own):
    made_at = (own.pack / "manifest.json").read_bytes()
    assert "kept as it is, 3 chapters" in run(own)[1]
    assert (own.pack / "manifest.json").read_bytes() == made_at

    notebook = own.chapters / "01-two.ipynb"
    os.utime(notebook)
    assert "kept as it is" in run(own)[1]
    notebook.write_text(notebook.read_text().replace("Second.", "Changed."), encoding="utf-8")
    said = run(own)[1]
    assert "01-two: made" in said
    assert "): its notebook changed" in said
    assert "02-late: made" in said
    assert "): a chapter that it reads changed" in said
    assert "00-one: made" not in said

    (own.pack / "glossary.html").write_text("spoilt", encoding="utf-8")
    said = run(own)[1]
    assert "glossary.html changed or is gone" in said
    assert ": made (" not in said
    assert "kept as it is" in run(own)[1]

    assert run(own, "--force")[1].count("): --force") == 3
    assert run(own, seed=2024)[1].count("): the parameters") == 3
    assert contents(own.pack)["chapters/01-two.html"] != place.whole[2024]["chapters/01-two.html"]


def test_one_chapter_alone_does_not_pass_off_the_others_as_new(place, own):
    assert run(own, "--only", "00", seed=2024)[1].count(": made (") == 1
    said = run(own, seed=2024)[1]
    assert said.count(": made (") == 2
    assert contents(own.pack) == place.whole[2024]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("1 / 0", "unexpected fault of kind ZeroDivisionError"),
        ("import time; time.sleep(60)", "took longer than --timeout allows"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory runs out"),
    ],
    ids=["raises", "hangs", "dies"],
)
def test_a_chapter_that_fails_takes_nothing_with_it(tmp_path, cell, words):
    own = place_in(tmp_path, cell)
    code, said = run(own, "--timeout", "4")
    assert code == 3
    assert words in said
    assert (own.pack / "chapters" / "00-one.html").is_file()
    assert not (own.pack / "chapters" / "01-two.html").exists()
    assert words in (own.pack / "index.html").read_text(encoding="utf-8")
    assert json.loads((own.pack / "manifest.json").read_text())["chapters"]["00-one"] == "made"


def test_a_chapter_that_failed_is_tried_again_and_the_others_are_not(tmp_path):
    assert run(place_in(tmp_path, "1 / 0"))[0] == 3
    code, said = run(place_in(tmp_path))
    assert code == 0
    assert "01-two: made" in said
    assert "00-one: made" not in said


def test_two_runs_on_one_pack_do_not_meet(place, tmp_path):
    own = place_in(tmp_path, "import time; time.sleep(6)")
    first = own.start(2023)
    patience = time.monotonic() + 30
    while not (own.pack.parent / ".2026.part").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    code, said = run(own)
    assert code == 2
    assert "Another run is making this pack." in said
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert "kept as it is" in run(own)[1]


def test_an_output_that_is_read_only_is_refused_before_anything_runs(place):
    process = place.start(2023, out="/proc/packs")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--out" in said
    assert "Traceback" not in said


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_the_pack_before_stays(place, small_disk, tmp_path):
    own = place_in(tmp_path / "own")
    out = str(small_disk / "packs")
    for filled in range(40):
        (small_disk / f"filler{filled}").write_bytes(b"0" * 8192)
        if filled >= 28:
            break
    code, said = run(own, out=out)
    assert code == 2
    assert "no space left" in said
    assert not (small_disk / "packs" / "luton-synthetic" / "2026").exists()
    for filler in small_disk.glob("filler*"):
        filler.unlink()
    code, said = run(own, out=out)
    assert code == 0, said
    assert contents(small_disk / "packs" / "luton-synthetic" / "2026") == place.whole[2023]


def test_a_finished_chapter_of_a_stopped_run_is_not_made_again(tmp_path):
    import random

    own = place_in(tmp_path, "import time; time.sleep(8)")
    process = own.start(2023)
    keys = own.pack.parent / ".2026.part.keys"
    patience = time.monotonic() + 60
    while not list(keys.glob("00-one.json")) and time.monotonic() < patience:
        time.sleep(0.05)
    processes = kill(process, "power", 0, random.Random(1))
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert still_there(processes) == []
    code, said = run(own)
    assert code == 0
    assert "1 finished by a run that was stopped" in said
    assert "00-one: made" not in said


@pytest.mark.parametrize("kind", ["runner", "power"])
def test_nothing_runs_on_while_a_chapter_is_at_work(tmp_path, kind):
    import random

    own = place_in(tmp_path, "import time; time.sleep(50)")
    process = own.start(2023)
    key = own.pack.parent / ".2026.part.keys" / "00-one.json"
    patience = time.monotonic() + 60
    while not key.is_file() and time.monotonic() < patience:
        time.sleep(0.05)
    processes = kill(process, kind, 0, random.Random(1))
    process.communicate(timeout=60)
    assert len(processes) > 5, "the runner, its workers, the server, a kernel and what stands for it"
    assert still_there(processes) == []


@pytest.mark.parametrize("exchanges", [True, False], ids=["in one step", "in two"])
@pytest.mark.parametrize("before", [True, False], ids=["a pack before", "the first"])
def test_a_pack_takes_its_place(tmp_path, monkeypatch, exchanges, before):
    if not exchanges:
        monkeypatch.setattr(place_module, "_exchange", lambda *_: False)
    final = tmp_path / "2026"
    if before:
        final.mkdir()
        (final / "old").touch()
    with claimed(final):
        staging = staging_folder(final)
        (staging / "new").touch()
        put_in_place(staging, final)
    assert sorted(p.name for p in final.iterdir()) == ["new", "notebooks"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".2026.lock", "2026"]


def test_a_pack_that_was_between_two_names_is_found_again(tmp_path):
    final = tmp_path / "2026"
    (tmp_path / ".2026.previous").mkdir()
    (tmp_path / ".2026.previous" / "index.html").touch()
    part_of(final).mkdir()
    with claimed(final):
        assert (final / "index.html").is_file()


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(2, "no such input")])
def test_a_place_is_free_again_when_a_run_ends_and_an_error_of_the_run_stays_its_own(tmp_path, error):
    final = tmp_path / "2026"

    def second_run():
        with claimed(final):
            pass

    def first_run():
        with claimed(final):
            with pytest.raises(OutputError, match="Another run"):
                second_run()
            raise error

    with pytest.raises(type(error)):
        first_run()
    second_run()


def test_a_notebook_that_somebody_changed_does_not_pass_for_the_chapter(place, own):
    kept = own.pack / "notebooks" / "01-two.ipynb"
    kept.write_text(kept.read_text(encoding="utf-8").replace("Second.", "Forged."), encoding="utf-8")
    assert run(own, "--only", "00", "--force")[0] == 0
    assert "01-two: made" in run(own)[1]
    assert contents(own.pack) == place.whole[2023]


def test_a_chapter_with_a_fault_of_its_own_runs_once(tmp_path):
    own = place_in(tmp_path, f"open({str(tmp_path / 'runs')!r}, 'a').write('1'); raise RuntimeError('its own')")
    assert run(own)[0] == 3
    assert (tmp_path / "runs").read_text() == "1"
