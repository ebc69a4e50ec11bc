"""A chapter that jupyter-scheduler runs: asked for by its REST interface, with a parameter, on a server on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest
from toy_chapters.make import OPENED, chapter

pytest.importorskip("jupyter_scheduler", reason="jupyter-scheduler is not installed: it is not part of the workbench")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the server is ended as on Linux")
LONGEST_SECONDS = 120


@pytest.fixture
def server(tmp_path):
    """Asks a server whose folder holds one chapter."""
    chapter(tmp_path / "work", "00-one", OPENED, "finding('one', f'{area.params.protection} {area.params.seed}')")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ip=127.0.0.1", "--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path / 'work'}"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_scheduler': True}"]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")}
    process = subprocess.Popen(
        ["timeout", str(LONGEST_SECONDS), *command],
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def ask(path, content=None):
        data = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": "token t", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    patience = time.monotonic() + 60
    while True:
        try:
            ask("api/status")
            break
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < patience, "the server did not start"
            time.sleep(0.3)
    yield ask
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=20)


def test_a_scheduled_chapter_runs_with_its_parameter(server, tmp_path):
    (environment, *_) = server("scheduler/runtime_environments")
    job = {
        "name": "one",
        "input_uri": "00-one.ipynb",
        "runtime_environment_name": environment["name"],
        "runtime_environment_parameters": {},
        "output_formats": ["ipynb"],
        "parameters": {"protection": "'round_5'", "seed": "2024"},
    }
    number = server("scheduler/jobs", job)["job_id"]
    patience = time.monotonic() + 60
    while (told := server(f"scheduler/jobs/{number}"))["status"] not in ("COMPLETED", "FAILED"):
        assert time.monotonic() < patience
        time.sleep(0.5)
    assert told["status"] == "COMPLETED", told.get("status_message")
    (made,) = [p for p in tmp_path.rglob("*.ipynb") if p.name != "00-one.ipynb"]
    shown = [o for c in nbformat.read(made, as_version=4).cells for o in c.get("outputs", ())]
    assert any("finding: round_5 2024" in o.get("data", {}).get("text/plain", "") for o in shown)
