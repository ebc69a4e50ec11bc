"""The one text of SQL run by Spark: in this computer (``local[2]``) or on a cluster that is there already."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from jsna.engines.parquet import parquet_files
from jsna.engines.sql import SqlEngine
from jsna.errors import Problem, SourceError

CONNECT_SECONDS = 8
INSTALL = "Install it (pip install -r requirements-spark.lock) and Java 17 or 21: docs/install.md."
START = "Is the address one of local[2], spark://host:port, yarn or sc://host, and is Java 17 or 21 installed?"
LOCAL = re.compile(r"local(\[(\d+|\*)\])?")
SERVER = re.compile(r"(?:spark|sc)://([^:/;]+)(?::(\d+))?")
# Names in quotation marks are names, as the standard has it; nothing is shown beside our own messages.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
STARTED_WITH = {
    "spark.app.name": "jsna workbench",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # All counts of the country come back at once; a Spark that has too little memory for that would wait for ever.
    "spark.driver.memory": "4g",
    "spark.driver.extraJavaOptions": "-XX:+ExitOnOutOfMemoryError",
}
OF_ONE_COMPUTER = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "16",
}


class SparkEngine(SqlEngine):
    """A table or view that a session of Spark can read."""

    kind = "spark"

    def __init__(self, session: Any, table: str, name: str) -> None:
        self.session = session
        with _explained(name):
            super().__init__(table, name, session.table(table).columns)

    def answer(self, statement: str) -> pa.Table:
        """What Spark says, as Arrow has it."""
        with _explained(self.name):
            return self.session.sql(statement).toArrow()


@contextmanager
def open_spark(master: str, table: str) -> Iterator[SparkEngine]:
    """A table of Spark's catalogue, or parquet files (a path) that every one of its workers can read.

    ``master``: ``local[2]``, ``spark://host:port``, ``yarn`` or ``sc://host`` (Spark Connect). A session that runs in
    this process already is used and left; one that is started here is stopped at the end. Raises ``SourceError`` where
    Spark or Java is not installed, the cluster cannot be reached, a worker is lost for good, or the table is not there.
    """
    try:
        from pyspark.sql import SparkSession  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise SourceError(Problem("Spark is not installed.", where="engine", mend=INSTALL)) from None
    _reach(master)
    own = SparkSession.getActiveSession() is None
    with _explained("engine"):
        with _unseen():
            started = _builder(SparkSession, master).getOrCreate()
        session = started.newSession()
        for key, value in SETTINGS.items():
            session.conf.set(key, value)
    try:
        name = table
        if Path(table).exists():
            paths, name = parquet_files(Path(table)), Path(table).name
            with _explained(name):
                session.read.parquet(*map(str, paths)).createOrReplaceTempView("pupils")
            table = "pupils"
        yield SparkEngine(session, table, name)
    finally:
        if own:
            with _unlogged(), contextlib.suppress(Exception):  # a Spark that has died cannot be stopped
                started.stop()


def _builder(spark: Any, master: str) -> Any:
    builder = spark.builder.remote(master) if master.startswith("sc://") else spark.builder.master(master)
    settings = STARTED_WITH | (OF_ONE_COMPUTER if LOCAL.fullmatch(master) else {})
    for key, value in ({} if master.startswith("sc://") else settings).items():
        builder = builder.config(key, value)
    return builder


def _reach(master: str) -> None:
    """Ask a named server for an answer at all: Spark itself would try for minutes."""
    server = SERVER.match(master)
    if server is None:
        return
    port = int(server[2] or (15002 if master.startswith("sc://") else 7077))
    try:
        socket.create_connection((server[1], port), CONNECT_SECONDS).close()
    except OSError:
        mend = "Is the address right, and are you on the network (VPN) that it is in?"
        raise SourceError(Problem("The cluster cannot be reached.", where="engine", mend=mend)) from None


@contextmanager
def _unseen() -> Iterator[None]:
    """Start a program whose own words are not shown: the lines that Java writes while it starts, and its log."""
    kept = [os.dup(n) for n in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for n in (1, 2):
            os.dup2(nowhere, n)
        yield
    finally:
        for n, own in zip((1, 2), kept, strict=True):
            os.dup2(own, n)
        for number in (*kept, nowhere):
            os.close(number)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Without what the bridge to Java writes into Python's log when Java has died: it logs tracebacks as the root."""
    root, bridge = logging.getLogger(), logging.getLogger("py4j")
    level = bridge.level
    root.addFilter(_is_not_the_bridge)
    bridge.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.removeFilter(_is_not_the_bridge)
        bridge.setLevel(level)


def _is_not_the_bridge(record: logging.LogRecord) -> bool:
    return Path(record.pathname).parent.name != "py4j"


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """What an error of Spark means for the user. Its own words may hold a cell of a row, and are never repeated."""
    from py4j.protocol import Py4JError  # pyright: ignore[reportMissingImports]
    from pyspark.errors import PySparkException  # pyright: ignore[reportMissingImports]

    try:
        with _unlogged(), warnings.catch_warnings():
            # That it does not know the newest pandas yet: no pandas of its own is used here.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except (PySparkException, Py4JError, ConnectionError, EOFError) as error:
        if _was_stopped(error):
            raise KeyboardInterrupt from None
        if isinstance(error, PySparkException):
            raise SourceError(_problem(error, where)) from None
        if type(error).__name__ == "Py4JJavaError":
            raise SourceError(_problem(error, where)) from None
        what = "Spark was lost while counting, so nothing was kept."
        raise SourceError(
            Problem(what, where=where, mend="Run it again; if it fails again, ask for its log.")
        ) from None


def _was_stopped(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: Spark, whose work it cancels, then fails with an error of its own."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _was_stopped(error.__context__))


def _problem(error: Any, where: str) -> Problem:
    condition = (error.getCondition() or "") if hasattr(error, "getCondition") else ""
    if condition == "JAVA_GATEWAY_EXITED":
        return Problem("Spark could not be started.", where=where, mend=START)
    if condition == "PACKAGE_NOT_INSTALLED":
        return Problem("A part of Spark is not installed.", where=where, mend="Run: pip install 'pyspark[connect]'.")
    if condition in ("TABLE_OR_VIEW_NOT_FOUND", "PATH_NOT_FOUND"):
        return Problem("The table is not there.", where=where, mend="Write its catalogue and schema before its name.")
    if re.search(r"executor|worker|task .*lost|cancelled because sparkcontext", str(error).casefold()):
        return Problem("A worker of the cluster was lost, so nothing was kept.", where=where, mend="Run it again.")
    shown = condition or type(error).__name__
    return Problem(f"Spark could not count the table ({shown}).", where=where, mend="Ask for its log of this time.")
