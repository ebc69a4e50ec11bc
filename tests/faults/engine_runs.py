"""Refreshes of small chapters from an engine, as processes of their own, and a gate at which a server's counts wait."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import sqlalchemy as sa
import yaml
from kills import ROOT, RUN
from toy_chapters.make import OPENED, chapter

from jsna.synthetic.national import write_national
from tests.postgres_server import fill

AREA = "E06000001"
PASSWORD = "WAREHOUSE_OF_A_TEST"  # the name of a variable
LONGEST_SECONDS = 200
COUNTED = "finding('one', f'Counted {area.roll.summary.rows_read} rows.')"
# A chapter says that it has begun, and goes on when it may.
WAITING = """import pathlib, time
folder = pathlib.Path({!r})
(folder / 'begun').touch()
while (folder / 'hold').exists():
    time.sleep(0.05)"""
# Held are statements by ethnic group: those of the plan, which the first process asks, are let through.
HELD = """
create function held() returns boolean volatile language plpgsql as $$ begin
  if position('ethnicity' in current_query()) > 0 then
    perform pg_advisory_lock_shared(7);
    perform pg_advisory_unlock_shared(7);
  end if;
  return true;
end $$"""


@dataclass(frozen=True)
class Place:
    """A folder with a load of one authority, its packs, and two chapters: one says how many rows were counted."""

    folder: Path

    @property
    def load(self) -> Path:
        return self.folder / "load"

    @property
    def out(self) -> Path:
        return self.folder / "packs"

    @property
    def pack(self) -> Path:
        return self.out / "hartlepool-synthetic" / "2026"

    def start(self, engine: dict, *words: str, **environment: str) -> subprocess.Popen:
        path = self.folder / "p.yml"
        # rounding takes no time beside the counting that is looked at here
        values = {"areas": [AREA], "source": "local", "engine": engine, "protection": "round_5"}
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
        command = [sys.executable, str(RUN), str(self.folder / "chapters"), "refresh", str(path)]
        own = {k: v for k, v in os.environ.items() if k != "JSNA_DATA"}
        own |= {"PYTHONPATH": str(ROOT), "JSNA_CACHE": str(self.folder / "cache"), "JSNA_WARM_HOLD": "kernel"}
        return subprocess.Popen(
            [*command, "--out", str(self.out), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=own | environment,
        )

    def run(self, engine: dict, *words: str, **environment: str) -> tuple[int, str]:
        return ended(self.start(engine, *words, **environment))

    def log(self) -> str:
        """What the logs of the runs say so far."""
        return "".join(p.read_text(encoding="utf-8") for p in (self.out / "logs").glob("*"))

    def counted(self) -> int:
        """How many rows the pack says were counted."""
        page = (self.pack / "chapters" / "00-one.html").read_text(encoding="utf-8")
        return int(re.search(r"Counted (\d+) rows", page)[1])

    def left(self) -> list[str]:
        """What lies beside the packs, hidden or not."""
        return sorted(p.name for f in (self.out, self.pack.parent) for p in f.iterdir() if not p.name.endswith(".lock"))


def place_in(folder: Path) -> Place:
    chapters = folder / "chapters"
    chapter(chapters, "00-one", OPENED, COUNTED)
    chapter(chapters, "01-two", OPENED, WAITING.format(str(folder)), "finding('two', 'Second.')")
    write_national(folder / "load", pupils=400, areas=1, files=1, jobs=1)
    return Place(folder)


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Its exit code and what it said."""
    try:
        said, _ = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in said, said
    return process.returncode, said


def until(found, what: str):
    """What ``found()`` gives, once it gives something."""
    patience = time.monotonic() + 90
    while not (told := found()):
        assert time.monotonic() < patience, f"never seen: {what}"
        time.sleep(0.05)
    return told


def warehouse(server, place: Place) -> dict:
    """The pupils of the load on a server, in a view with a gate; how a params file names them."""
    fill(server, "kept", pd.read_parquet(place.load))
    with Gate(server).engine.begin() as connection:
        connection.exec_driver_sql(f"create role reader login password '{server.password}'")
        connection.exec_driver_sql(HELD)
        connection.exec_driver_sql("create view pupils as select * from kept where (select held())")
        connection.exec_driver_sql("grant select on pupils, kept to reader")
    return {"kind": "postgresql", "address": server.reader_url(), "table": "pupils", "password_env": PASSWORD}


class Gate:
    """The view ``pupils`` on a server: those who count by ethnic group are held until the gate is opened."""

    def __init__(self, server) -> None:
        self.engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))

    @contextmanager
    def closed(self):
        """Held while the block lasts, or until it calls ``open()``."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("select pg_advisory_lock(7)")
            self.open = lambda: connection.exec_driver_sql("select pg_advisory_unlock(7)")
            yield
        self.engine.dispose()

    def waiting(self) -> list[int]:
        """The ports from which those come who are held."""
        held = "select client_port from pg_stat_activity where wait_event = 'advisory' and client_port > 0"
        with self.engine.connect() as connection:
            return list(connection.exec_driver_sql(held).scalars())

    def readers(self) -> int:
        """How many are connected over the network."""
        with self.engine.connect() as connection:
            count = "select count(*) from pg_stat_activity where client_port > 0"
            return connection.exec_driver_sql(count).scalar_one()


def owner_of(port: int, among: list[psutil.Process]) -> psutil.Process | None:
    """Whose connection comes from ``port``."""
    for process in among:
        try:
            if any(c.laddr and c.laddr.port == port for c in process.net_connections("tcp")):
                return process
        except psutil.Error:
            continue
    return None
