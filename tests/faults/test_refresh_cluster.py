"""A refresh on a Dask cluster: a scheduler and two workers, started as processes of their own on loopback."""

import os
import shutil
import signal
import socket
import time

import pytest
from dask_processes import wait_for
from kills import ROOT, contents, place_in

pytest.importorskip("distributed", reason="dask's distributed is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are ended as on Linux")


def run(place, *words, out="packs"):
    process = place.start(2023, *words, out=out)
    said, _ = process.communicate(timeout=180)
    assert "Traceback" not in said
    return process.returncode, said


def test_the_same_pack_from_a_cluster_and_from_this_computer(scheduler, workers, tmp_path):
    place = place_in(tmp_path, "import time; time.sleep(1)")
    assert run(place, out="here")[0] == 0
    first, _ = workers("one"), workers("two")
    wait_for(scheduler, 2)
    process = place.start(2023, "--scheduler", scheduler)
    keys = place.pack.parent / ".2026.part.keys"
    patience = time.monotonic() + 90
    while not list(keys.glob("*.json")) and time.monotonic() < patience:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)  # one of the two is lost: the other does its part
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said
    assert contents(place.pack) == contents(tmp_path / "here" / "luton-synthetic" / "2026")
    left = [p.name for p in (tmp_path / "packs").iterdir()]
    assert sorted(left) == ["logs", "luton-synthetic"], "what the run put aside is gone"


def test_workers_that_do_not_fit_are_refused_by_name(scheduler, workers, tmp_path):
    other = tmp_path / "other"
    for room in ("geo", "jsna"):
        shutil.copytree(ROOT / room, other / room, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "jsna" / "__init__.py").write_text('WORKBENCH_VERSION = "0.0.0"\n', encoding="utf-8")
    workers("old", python_path=other)
    workers("busy", "--nthreads", "3")
    wait_for(scheduler, 2)
    place = place_in(tmp_path)
    code, said = run(place, "--scheduler", scheduler)
    assert code == 2
    assert "worker old: The worker runs another version of the workbench." in said
    assert "worker busy: The worker does several tasks at a time." in said
    assert not place.pack.exists()


def test_a_scheduler_that_is_not_there_is_said(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    code, said = run(place_in(tmp_path), "--scheduler", address)
    assert code == 2
    assert "No Dask scheduler answers here" in said
    assert address in said


def test_a_scheduler_without_workers_is_said(scheduler, tmp_path):
    code, said = run(place_in(tmp_path), "--scheduler", scheduler)
    assert code == 2
    assert "The cluster has no workers." in said
