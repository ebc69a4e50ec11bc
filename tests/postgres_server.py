"""A real PostgreSQL server of our own: made, started on this computer's loopback, and stopped again."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

SECONDS = 60


class NoServer(Exception):
    """Why no server can be started here."""


@dataclass(frozen=True)
class PostgresServer:
    """Where the server is. ``owner`` may do everything over the socket; ``reader`` comes over TCP with a password."""

    socket_folder: Path
    port: int
    password: str

    def owner_url(self, database: str = "postgres") -> str:
        return f"postgresql://owner@/{database}?host={self.socket_folder}&port={self.port}"

    def start(self) -> None:
        """Start it. Raises ``NoServer`` where it does not."""
        options = f"-p {self.port} -k {self.socket_folder} -c listen_addresses=127.0.0.1 -c fsync=off -c lc_messages=C"
        log = str(self.socket_folder / "log")
        started = self.run("pg_ctl", "-D", self._data, "-l", log, "-w", "-t", "40", "-o", options, "start")
        if started.returncode:
            raise NoServer(f"PostgreSQL did not start: {started.stdout[-300:]}")

    def stop(self) -> None:
        """Stop it at once, as a crash does: nobody who is connected is waited for."""
        self.run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-t", "20", "stop")

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess:
        """One of PostgreSQL's programs, as a user whom it accepts."""
        command = [*as_other()[0], str(programs() / program), *arguments]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, cwd=self.socket_folder, timeout=SECONDS, check=False, text=True, **quiet)

    @property
    def _data(self) -> str:
        return str(self.socket_folder / "data")

    def reader_url(self, database: str = "postgres", user: str = "reader") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


def fill(server: PostgresServer, table: str, frame: pd.DataFrame) -> None:
    """A table of pupils on the server, with the types that a warehouse would give them."""
    engine = sa.create_engine(server.owner_url().replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        frame.to_sql(table, connection, index=False, if_exists="replace", chunksize=2000)
    engine.dispose()


def programs() -> Path | None:
    """The folder with PostgreSQL's programs: that on the path, else the newest of Debian's."""
    found = shutil.which("pg_ctl")
    if found and (Path(found).resolve().parent / "initdb").exists():
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name.split(".")[0]))
    return kept[-1] if kept else None


def as_other() -> tuple[list[str], int | None]:
    """What to put before a command so that it does not run as root, whom PostgreSQL refuses, and that user's id."""
    if os.name == "nt":
        raise NoServer("the server for tests is started on Linux and macOS alone")
    if os.geteuid() != 0:
        return [], None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if shutil.which("runuser"):
            return ["runuser", "-u", name, "--"], user.pw_uid
    raise NoServer("PostgreSQL does not run as root, and there is no other user to run it as")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_or_skipped() -> Iterator[PostgresServer]:
    """As ``running``; where none can be started the test is skipped, with the reason."""
    import pytest

    try:
        with running() as server:
            yield server
    except NoServer as error:
        pytest.skip(str(error))


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server with an owner and an empty database. Raises ``NoServer`` where none can be started."""
    if programs() is None:
        raise NoServer("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    _, user = as_other()
    # Not pytest's own folder: that belongs to the user who runs the tests alone. Short, as a socket's path must be.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = PostgresServer(folder, free_port(), secrets.token_hex(8))
    try:
        (folder / "secret").write_text(server.password)
        if user is not None:
            os.chown(folder, user, -1)
            os.chown(folder / "secret", user, -1)
        auth = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'secret'}"]
        data = str(folder / "data")
        made = server.run("initdb", "-D", data, "-U", "owner", "-E", "UTF8", "--locale=C", "--no-sync", *auth)
        if made.returncode:
            raise NoServer(f"initdb failed: {made.stdout[-300:]}")
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
