"""What Jupyter starts in the place of a kernel: asks the server for one, stands for it, and ends with it.

Run as ``python -S -E launcher.py CONNECTION_FILE ...``, with the server's socket in the environment. It imports the
standard library alone, so that it starts in an instant. Whatever goes wrong before there is a kernel, it becomes a
plain one: the notebook runs all the same, only slower.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys

SOCKET_VARIABLE = "JSNA_KERNELS"
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Stand for a kernel until it ends, and end as it does."""
    parent = os.getppid()
    try:
        connection, pid = ask(arguments)
    except (OSError, ValueError, KeyError):
        command = [sys.executable, "-m", "ipykernel_launcher", *arguments]
        os.execv(sys.executable, command)
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: pass_on(pid, received))
    code = wait(connection, pid, parent)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


def ask(arguments: list[str]) -> tuple[socket.socket, int]:
    """The connection that lives as long as the kernel, and the kernel's process."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(os.environ[SOCKET_VARIABLE])
    request = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    told = json.dumps(request).encode() + b"\n"
    sent = socket.send_fds(connection, [told], [1, 2])
    connection.sendall(told[sent:])
    answer = b""
    while not answer.endswith(b"\n"):
        part = connection.recv(64)
        if not part:
            raise OSError("the server has gone")
        answer += part
    return connection, int(answer)


def wait(connection: socket.socket, pid: int, parent: int) -> int:
    """The kernel's exit code. Where the server, or whoever wanted the kernel, has gone, the kernel goes too."""
    told = b""
    while True:
        ready, _, _ = select.select([connection], [], [], LOOK_SECONDS)
        if ready:
            part = connection.recv(64)
            told += part
            if told.endswith(b"\n"):
                return int(told)
            if not part:
                pass_on(pid, signal.SIGKILL)
                return 1
        elif os.getppid() != parent:
            pass_on(pid, signal.SIGKILL)
            return 1


def pass_on(pid: int, number: int) -> None:
    """Send the kernel a signal, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
