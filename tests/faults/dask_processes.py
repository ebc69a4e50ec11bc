"""A Dask scheduler and workers, as processes of their own on loopback, bounded in time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import psutil
from kills import ROOT

LONGEST_SECONDS = "240"


def started(*words, python_path=ROOT, cache=""):
    environment = os.environ | {"PYTHONPATH": str(python_path), "JSNA_CACHE": str(cache)}
    command = [sys.executable, "-m", "dask", *words]
    # timeout: whatever becomes of the test, the process ends itself
    return subprocess.Popen(
        ["timeout", LONGEST_SECONDS, *command],
        env=environment,
        cwd=python_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(processes):
    everybody = [c for p in processes for c in _family(p)]
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(everybody, timeout=15)
    for process in alive:
        process.kill()
    for process in processes:
        process.wait(timeout=10)


def _family(process):
    try:
        own = psutil.Process(process.pid)
        return [own, *own.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def scheduling():
    """A scheduler; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = started("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        end([process])


@contextmanager
def working(scheduler, folder):
    """A function that starts a worker by its name; all are ended with the block."""
    running = []

    def start(name, *words, **more):
        more.setdefault("cache", folder / "cache")
        local = str(folder / f"dask-{name}")
        given = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--name", name, "--local-directory", local)
        running.append(started("worker", scheduler, *given, *words, **more))
        return running[-1]

    try:
        yield start
    finally:
        end(running)


def wait_for(scheduler, number):
    from distributed import Client

    with Client(scheduler, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(number, timeout=60)
