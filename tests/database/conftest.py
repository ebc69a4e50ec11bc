"""A real PostgreSQL server and a real Spark for these tests alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from jsna.engines import open_engine
from jsna.synthetic.national import write_national
from tests.postgres_server import PostgresServer, running_or_skipped


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server with an owner and an empty database, or a skip that says why there is none."""
    with running_or_skipped() as server:
        yield server


@pytest.fixture(scope="session")
def spark(tmp_path_factory) -> Iterator[None]:
    """One Spark for all tests of this process, for it takes seconds to start; or a skip that says why there is none.

    Engines that are opened while it runs use it and leave it.
    """
    pytest.importorskip("pyspark", reason="Spark is an optional engine: pip install -r requirements-spark.lock")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java 17 or 21")
    with pytest.MonkeyPatch.context() as patch:
        # A Java that starts quickly and never becomes fast.
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        patch.setenv("SPARK_LOCAL_DIRS", str(tmp_path_factory.mktemp("spark")))
        load = tmp_path_factory.mktemp("first")
        write_national(load, pupils=200, areas=1, files=1, jobs=1)
        with open_engine("spark", "local[2]", str(load)):
            yield
