"""A refresh from an engine on a Dask cluster: workers count, or the first process does; who cannot is named before."""

import os
import shutil
import signal

import pandas as pd
import psutil
import pytest
from dask_processes import wait_for
from engine_runs import PASSWORD, Gate, ended, owner_of, place_in, until, warehouse
from kills import contents, still_there

from tests.postgres_server import running_or_skipped

pytest.importorskip("distributed", reason="dask's distributed is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are ended as on Linux")


@pytest.fixture
def place(tmp_path):
    return place_in(tmp_path)


@pytest.fixture
def server():
    with running_or_skipped() as made:
        yield made


@pytest.fixture
def told(server, monkeypatch):
    """Workers that are started from here know the password."""
    monkeypatch.setenv(PASSWORD, server.password)


def children(process):
    return psutil.Process(process.pid).children(recursive=True)


def test_workers_count_on_a_server_and_one_that_is_lost_is_made_up_for(scheduler, workers, place, server, told):
    engine, gate = warehouse(server, place), Gate(server)
    both = [workers(name) for name in ("one", "two")]
    wait_for(scheduler, 2)
    with gate.closed():
        process = place.start(engine, "--scheduler", scheduler)

        def counting():
            return next((w for w in both for port in gate.waiting() if owner_of(port, children(w))), None)

        lost = until(counting, "a worker that counts")
        everybody = children(lost)
        os.killpg(lost.pid, signal.SIGKILL)
        both.remove(lost)
        assert until(counting, "the other worker, counting") is both[0]
        gate.open()
        code, said = ended(process)
    assert code == 0, said
    assert place.counted() == len(pd.read_parquet(place.load))
    assert place.left() == ["2026", "hartlepool-synthetic", "logs"]
    assert still_there(everybody) == []


def test_a_worker_that_the_server_does_not_let_in_is_named_before_anything_runs(
    scheduler, workers, place, server, monkeypatch
):
    engine = warehouse(server, place)
    workers("shut")
    monkeypatch.setenv(PASSWORD, server.password)
    workers("open")
    wait_for(scheduler, 2)
    code, said = place.run(engine, "--scheduler", scheduler)
    assert code == 2
    assert f"worker shut, password_env: The environment variable is not set. Found: '{PASSWORD}'" in said
    assert "worker open" not in said
    assert not place.pack.exists()
    assert server.password not in said


def java_of(process):
    """The Java that a process has started, if any."""
    return next((p for p in children(process) if p.name() == "java"), None)


def shared_out(place):
    """What a Spark that counts writes between its steps."""
    return list((place.folder / "spark").rglob("shuffle_*"))


def test_a_spark_that_is_killed_while_it_counts_and_one_that_counts_for_a_cluster(scheduler, workers, place):
    pytest.importorskip("pyspark", reason="Spark is an optional engine: pip install -r requirements-spark.lock")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java 17 or 21")
    own = {
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "SPARK_LOCAL_DIRS": str(place.folder / "spark"),
    }
    code, said = place.run({"kind": "parquet", "address": str(place.load)})
    assert code == 0, said
    before = contents(place.pack)
    shutil.rmtree(place.out / "logs")
    engine = {"kind": "spark", "address": "local[2]", "table": str(place.load)}
    process = place.start(engine, **own)
    until(lambda: "chapters to make" in place.log(), "a run that asks ahead")
    seen = set(shared_out(place))
    until(lambda: set(shared_out(place)) - seen, "a Spark that counts")
    everybody, java = children(process), java_of(process)
    java.kill()
    code, said = ended(process)
    assert code == 2
    assert "Spark was lost while counting, so nothing was kept. Run it again" in said
    assert contents(place.pack) == before
    assert place.left() == ["2026", "hartlepool-synthetic", "logs"]
    assert still_there(everybody) == []
    worker = workers("one")
    wait_for(scheduler, 1)
    process = place.start(engine, "--scheduler", scheduler, **own)
    everybody, _ = until(lambda: java_of(process) and (children(process), True), "the Spark of the first process")
    code, said = ended(process)
    assert code == 0, said
    assert place.counted() == len(pd.read_parquet(place.load))
    assert java_of(worker) is None
    assert still_there(everybody) == []
