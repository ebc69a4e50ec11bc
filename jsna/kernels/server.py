"""The process that has everything imported, and forks a kernel of itself for whoever asks.

Run as ``python -P -m jsna.kernels.server SOCKET``. It says ``ready`` on its output when it can be asked, and ends with
all its kernels when its input closes: whoever started it has gone then, however that came about.

Rules that keep a kernel from telling another anything. The server runs no chapter and opens no database; what it does
beside importing is reading the workbench's own lists and drawing one empty picture. polars is not used in it (a child
that uses it would hang). Random numbers are seeded anew in each child, for the global state would be the same in all.
What a child changes, it changes for itself alone: it ends with its notebook.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

HOLD_VARIABLE = "JSNA_WARM_HOLD"

LONGEST_REQUEST = 4_000_000
TEST = "self-test"


@dataclass
class Asked:
    """Somebody who is connected: what was received so far, the descriptors that came with it, and the kernel forked."""

    connection: socket.socket
    received: bytes = b""
    descriptors: list[int] = field(default_factory=list)
    pid: int = 0


def preload() -> None:
    """Import what chapters import, and let the slow first uses happen here once.

    With ``HOLD_VARIABLE`` "kernel" only what every kernel needs: less memory, and chapters import the rest themselves.
    """
    if os.environ.get(HOLD_VARIABLE) == "kernel":
        _hold((*KERNEL, "jsna.notebook"))
        return
    import jsna.chapters

    _hold((*KERNEL, "jsna.notebook", "jsna.area", *LAZY))
    for module in pkgutil.iter_modules(jsna.chapters.__path__, "jsna.chapters."):
        importlib.import_module(module.name)
    from jsna.evidence.catalogue import catalogue, frame_of

    # lists that come with the workbench, which nobody changes
    catalogue()
    frame_of("")
    _draw()
    gc.collect()
    gc.freeze()


def _hold(rooms: Iterable[str]) -> None:
    for room in rooms:
        with contextlib.suppress(ImportError):
            importlib.import_module(room)


KERNEL = ("ipykernel.kernelapp", "ipykernel.zmqshell")
# What the rooms import inside of functions, for the sake of commands that do not need it.
LAZY = (
    "duckdb",
    "geopandas",
    "highspy",
    "libpysal.graph",
    "matplotlib.backends.backend_svg",
    "pandera.pandas",
    "pyarrow.parquet",
    "scipy.optimize",
    "scipy.stats",
    "seaborn",
    "statsmodels.api",
    "jsna.evidence.local_values",
    "jsna.linked.pattern",
    "jsna.synthetic.lists",
    "jsna.synthetic.voice",
)


def _draw() -> None:
    """One empty picture: fonts are looked for once, and not by every kernel."""
    import io

    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("0")
    figure.savefig(io.BytesIO(), format="svg")


def serve(path: str) -> None:
    """Answer until the input closes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(64)
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    askers: dict[int, Asked] = {}
    own = [listener, woken, wake]
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                if not os.read(0, 64):
                    _end(askers)
                    return
            elif key.fileobj is listener:
                connection, _ = listener.accept()
                asked = Asked(connection)
                askers[connection.fileno()] = asked
                selector.register(connection, selectors.EVENT_READ, asked)
            elif key.fileobj is woken:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
            elif key.data is not None:
                _hear(key.data, askers, selector, own)
        _reap(askers, selector)


def _hear(asked: Asked, askers: dict[int, Asked], selector: Any, own: list[socket.socket]) -> None:
    """More of a request, or the end of whoever asked."""
    try:
        part, descriptors, _, _ = socket.recv_fds(asked.connection, 65536, 4)
    except OSError:
        part, descriptors = b"", []
    asked.descriptors += descriptors
    asked.received += part
    if not part or len(asked.received) > LONGEST_REQUEST:
        if asked.pid:
            _kill(asked.pid)
        _forget(asked, askers, selector)
    elif asked.received.endswith(b"\n") and not asked.pid:
        _fork(asked, askers, selector, own)


def _fork(asked: Asked, askers: dict[int, Asked], selector: Any, own: list[socket.socket]) -> None:
    request = json.loads(asked.received)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            selector.close()
            _become(request, asked.descriptors, [*own, *(a.connection for a in askers.values())])
            code = _run(request)
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    asked.pid = pid
    for descriptor in asked.descriptors:
        os.close(descriptor)
    asked.descriptors.clear()
    with contextlib.suppress(OSError):
        asked.connection.sendall(f"{pid}\n".encode())


def _become(request: dict[str, Any], descriptors: list[int], sockets: list[socket.socket]) -> None:
    """Make the child what a process of its own would be: session, outputs, folder, environment, random numbers."""
    os.setsid()
    _end_with_the_server()
    for end in sockets:
        end.close()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    for target, descriptor in zip((1, 2), descriptors or (nowhere, nowhere), strict=False):
        os.dup2(descriptor, target)
    for descriptor in (*descriptors, nowhere):
        if descriptor > 2:
            os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    reseed()


def reseed() -> None:
    """Give the process random numbers of its own."""
    import numpy as np

    random.seed()
    np.random.seed(int.from_bytes(os.urandom(4), "little"))


def _end_with_the_server() -> None:
    """On Linux, let the system end this process when the server is ended by force."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _run(request: dict[str, Any]) -> int:
    arguments = request["arguments"]
    if arguments == [TEST]:
        return self_test()
    from ipykernel.kernelapp import launch_new_instance

    sys.argv = ["ipykernel_launcher", *arguments]
    launch_new_instance(argv=arguments)
    return 0


def self_test() -> int:
    """Whether what chapters use works in a fork: databases, columns on disk, linear algebra, a picture."""
    import io

    import duckdb
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"group": ["a", "b", "a"] * 50, "n": range(150)})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        counted = connection.execute('select "group", sum(n) as n from frame group by all order by all').df()
    stored = io.BytesIO()
    frame.to_parquet(stored)
    whole = pd.read_parquet(stored)["n"].sum() == frame["n"].sum() == counted["n"].sum()
    solved = np.linalg.solve(np.eye(200) * 2, np.ones(200)).sum() == 100
    _draw()
    return 0 if whole and solved else 1


def _reap(askers: dict[int, Asked], selector: Any) -> None:
    """Tell whoever stands for a kernel that has ended how it ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for asked in [a for a in askers.values() if a.pid == pid]:
            with contextlib.suppress(OSError):
                asked.connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            asked.pid = 0
            _forget(asked, askers, selector)


def _forget(asked: Asked, askers: dict[int, Asked], selector: Any) -> None:
    for descriptor in asked.descriptors:
        os.close(descriptor)
    selector.unregister(asked.connection)
    askers.pop(asked.connection.fileno(), None)
    asked.connection.close()


def _kill(pid: int) -> None:
    """End a kernel and what it started."""
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            end(pid, signal.SIGKILL)


def _end(askers: dict[int, Asked]) -> None:
    for asked in askers.values():
        if asked.pid:
            _kill(asked.pid)


def main(arguments: list[str]) -> int:
    """Import, then answer at the socket named."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for allocator in ("JE_ARROW_MALLOC_CONF", "_RJEM_MALLOC_CONF"):
        os.environ.setdefault(allocator, "background_thread:false")
    # read when the kernel's module is imported: a kernel watches this process, and ends when it is gone
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    preload()
    serve(arguments[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
