"""A worker, a server or a Spark that is lost in the middle of a refresh: a message, nothing half done, and the next run
finishes. Whoever counts is held at a gate, so that every loss comes while it counts."""

import os
import signal

import pandas as pd
import pytest
from engine_runs import PASSWORD, Gate, ended, owner_of, place_in, until, warehouse
from kills import contents, family, still_there

from tests.postgres_server import running_or_skipped

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed as on Linux")
LOST = "The connection was lost while reading, so nothing was kept"


@pytest.fixture(scope="module")
def server():
    with running_or_skipped() as made:
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return place_in(tmp_path_factory.mktemp("lost"))


@pytest.fixture(scope="module")
def engine(server, place):
    return warehouse(server, place)


@pytest.fixture
def before(place, engine, server):
    """What is in the last good pack before anything goes wrong."""
    if not place.pack.exists():
        code, said = place.run(engine, **{PASSWORD: server.password})
        assert code == 0, said
    return contents(place.pack)


def killed_while_it_counts(process, gate, times):
    """Kill the worker that counts, and the one that takes its place; every process of the run, as it was."""
    everybody, killed = {}, set()

    def counting():
        found = family(process.pid)
        everybody.update({p.pid: p for p in found["power"]})
        owners = [owner_of(port, found["worker"]) for port in gate.waiting()]
        return next((o for o in owners if o is not None and o.pid not in killed), None)

    for _ in range(times):
        worker = until(counting, "a worker that counts")
        killed.add(worker.pid)
        worker.send_signal(signal.SIGKILL)
    return list(everybody.values())


@pytest.mark.parametrize("times", [1, 2])
def test_a_worker_that_is_killed_while_it_counts(place, engine, server, before, times):
    """Once: another one counts anew. Twice: the run stops."""
    gate = Gate(server)
    with gate.closed():
        process = place.start(engine, "--jobs", "1", **{PASSWORD: server.password})
        everybody = killed_while_it_counts(process, gate, times)
        gate.open()
        code, said = ended(process)
    assert still_there(everybody) == []
    until(lambda: gate.readers() == 0, "the server without readers")
    assert place.left() == ["2026", "hartlepool-synthetic", "logs"]
    if times == 1:
        assert code == 0, said
        assert place.counted() == len(pd.read_parquet(place.load))
    else:
        assert code == 3
        assert "Hartlepool (synthetic): A worker ended twice while it read the data." in said
        assert contents(place.pack) == before


def test_a_server_and_a_worker_that_are_lost_while_chapters_are_made(place, engine, server, before):
    """Every count has been asked for by then: the server is not needed, and another worker makes the chapter."""
    begun, hold = place.folder / "begun", place.folder / "hold"
    begun.unlink()
    hold.touch()
    process = place.start(engine, "--jobs", "1", **{PASSWORD: server.password})
    until(begun.exists, "a chapter that is being made")
    everybody = family(process.pid)
    server.stop()
    try:
        for worker in everybody["worker"]:
            worker.send_signal(signal.SIGKILL)
        hold.unlink()
        code, said = ended(process)
    finally:
        server.start()
    assert code == 0, said
    assert everybody["worker"] != []
    assert still_there(everybody["power"]) == []
    assert place.counted() == len(pd.read_parquet(place.load))
    assert place.left() == ["2026", "hartlepool-synthetic", "logs"]


def test_a_server_that_is_stopped_while_it_counts(place, engine, server, before):
    gate = Gate(server)
    with gate.closed():
        process = place.start(engine, **{PASSWORD: server.password})
        until(gate.waiting, "somebody who counts")
        everybody = family(process.pid)["power"]
        server.stop()
        try:
            code, said = ended(process)
            refused = place.run(engine, **{PASSWORD: server.password})
        finally:
            server.start()
    assert code == 2
    assert LOST in said
    assert still_there(everybody) == []
    assert (refused[0], "The server cannot be reached" in refused[1]) == (2, True)
    assert contents(place.pack) == before
    assert place.left() == ["2026", "hartlepool-synthetic", "logs"]
    assert "127.0.0.1" not in said + refused[1]
    code, said = place.run(engine, **{PASSWORD: server.password})
    assert code == 0, said
    assert place.counted() == len(pd.read_parquet(place.load))
