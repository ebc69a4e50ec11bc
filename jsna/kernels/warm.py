"""Start the server of warm kernels, test it, and tell Jupyter of it; say so where there can be none."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jsna.kernels.launcher import SOCKET_VARIABLE
from jsna.kernels.server import TEST

WARM, PLAIN = "jsna-warm", "python3"
JUPYTER_VARIABLE = "JUPYTER_PATH"
START_SECONDS, TEST_SECONDS = 90.0, 30.0
LAUNCHER = Path(__file__).resolve().parent / "launcher.py"


class Kernels:
    """Warm kernels for as long as a run lasts: ``with Kernels() as kernels: kernels.name``.

    The server starts at once, and imports while other things are done; ``name`` waits for it, tests it, and is the
    name of a kernel for Jupyter: the warm one, or the plain one where there is none. ``why`` then says the reason, in a
    sentence. ``environment`` is what processes that start kernels need in theirs.
    """

    def __init__(self, *, warm: bool = True) -> None:
        self.why = "" if warm else "plain kernels were asked for"
        self._name = "" if warm else PLAIN
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        if warm and not can_fork():
            self._plain("this system cannot fork processes")
        elif warm:
            self._start()

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def name(self) -> str:
        if not self._name:
            self._wait()
        return self._name

    @property
    def environment(self) -> dict[str, str]:
        if self.name == PLAIN or self._folder is None:
            return {}
        found = os.environ.get(JUPYTER_VARIABLE)
        return {
            SOCKET_VARIABLE: str(self._folder / "kernels.sock"),
            JUPYTER_VARIABLE: os.pathsep.join([str(self._folder), *([found] if found else [])]),
        }

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="jsna-k-"))
        spec = self._folder / "kernels" / WARM
        spec.mkdir(parents=True)
        command = [sys.executable, "-S", "-E", str(LAUNCHER), "-f", "{connection_file}"]
        told = {"argv": command, "display_name": "Python 3", "language": "python", "interrupt_mode": "signal"}
        (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
        try:
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-m", "jsna.kernels.server", str(self._folder / "kernels.sock")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._plain(f"the server could not be started ({error.strerror})")

    def _wait(self) -> None:
        if self._server is None or self._server.stdout is None or self._folder is None:
            raise RuntimeError("the server of kernels was not started")
        ready, _, _ = select.select([self._server.stdout], [], [], START_SECONDS)
        if not ready or not self._server.stdout.readline().startswith(b"ready"):
            self._plain("the server did not start")
        elif not _works(str(self._folder / "kernels.sock")):
            self._plain("the self-test failed")
        else:
            self._name = WARM

    def _plain(self, why: str) -> None:
        self._stop()
        self.why, self._name = why, PLAIN

    def _stop(self) -> None:
        """Let the server end itself and all its kernels; by force where it does not."""
        if self._server is not None and self._server.stdin is not None and self._server.stdout is not None:
            if not self._name:
                self._server.kill()  # it still imports, has no kernels yet, and would not hear
            self._server.stdin.close()
            try:
                self._server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server.stdout.close()
            self._server = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def can_fork() -> bool:
    """Whether this system can fork processes and hand descriptors from one to another."""
    return hasattr(os, "fork") and hasattr(socket, "send_fds")


def _works(path: str) -> bool:
    """Whether a process forked from the server can do what chapters do, in time."""
    patience = time.monotonic() + TEST_SECONDS
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TEST_SECONDS)
        try:
            connection.connect(path)
            request = {"arguments": [TEST], "folder": tempfile.gettempdir(), "environment": dict(os.environ)}
            connection.sendall(json.dumps(request).encode() + b"\n")
            told = b""
            while told.count(b"\n") < 2 and time.monotonic() < patience:
                part = connection.recv(64)
                if not part:
                    return False
                told += part
        except OSError:
            return False
    return told.split(b"\n")[1:2] == [b"0"]
