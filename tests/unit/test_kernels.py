"""Kernels that start warm: they do what plain ones do, tell one another nothing, and give way where they cannot be."""

import atexit
import json
import os
import signal
import sys
import time

import nbformat
import psutil
import pytest

from jsna.kernels import warm
from jsna.kernels.client import Manager
from jsna.kernels.launcher import SOCKET_VARIABLE
from jsna.kernels.warm import PLAIN, WARM, Kernels

pytestmark = pytest.mark.skipif(not warm.can_fork(), reason="this system cannot fork")
LEAVES = """import builtins, os, sys, random
import matplotlib, numpy as np, pandas as pd, jsna.codes
builtins.left = 1
os.environ["LEFT"] = "1"
sys.left = 1
jsna.codes.left = 1
pd.set_option("display.max_rows", 3)
matplotlib.rcParams["font.size"] = 99
os.chdir("/")
np.random.seed(1)
random.seed(1)"""
LOOKS = """import builtins, os, sys, random, json
import matplotlib, numpy as np, pandas as pd, jsna.codes
left = [hasattr(builtins, "left"), "LEFT" in os.environ, hasattr(sys, "left"), hasattr(jsna.codes, "left")]
left += [pd.get_option("display.max_rows") == 3, matplotlib.rcParams["font.size"] == 99, os.getcwd() == "/"]
print(json.dumps({"left": left, "numbers": [np.random.rand(), random.random()], "parent": os.getppid()}))"""


@pytest.fixture(scope="module")
def kernels():
    with Kernels() as running:
        assert running.name == WARM, running.why
        yield running


@pytest.fixture
def execute(kernels, monkeypatch):
    from nbclient import NotebookClient

    def run(*cells, name=kernels.name, **more):
        for key, value in (kernels.environment | more).items():
            monkeypatch.setenv(key, value)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        NotebookClient(notebook, kernel_name=name, timeout=60, shutdown_kernel="immediate").execute()
        return json.loads("".join(o.text for o in notebook.cells[-1].outputs if o.output_type == "stream"))

    return run


def test_a_kernel_comes_from_the_server_and_not_by_itself(execute, kernels):
    assert execute(LOOKS)["parent"] == kernels._server.pid


def test_what_the_first_cell_says_is_heard_as_soon_as_the_kernel_answers(kernels, monkeypatch):
    from nbclient import NotebookClient

    for key, value in kernels.environment.items():
        monkeypatch.setenv(key, value)
    for number in range(5):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"print({number}, flush=True); {number}")])
        NotebookClient(notebook, kernel_name=kernels.name, kernel_manager_class=Manager, timeout=60).execute()
        told, value = notebook.cells[0].outputs
        assert (told.text, value.data["text/plain"]) == (f"{number}\n", str(number))


def test_a_kernel_that_ends_before_it_answers_is_an_error_and_no_wait(tmp_path, monkeypatch):
    from nbclient import NotebookClient

    spec = tmp_path / "kernels" / "ends"
    spec.mkdir(parents=True)
    told = {"argv": [sys.executable, "-c", "raise SystemExit(1)"], "display_name": "ends", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    client = NotebookClient(notebook, kernel_name="ends", kernel_manager_class=Manager, startup_timeout=50)
    with pytest.raises(RuntimeError, match="ended before it answered"):
        client.execute()
    atexit.unregister(client._cleanup_kernel)  # it would look for a kernel that is no more


def test_a_server_that_still_imports_is_not_waited_for():
    with Kernels() as running:
        server = running._server
    assert server.returncode == -signal.SIGKILL, "it ends by itself only when it has imported everything"


def test_nothing_passes_from_one_notebook_to_the_next(execute):
    execute(LEAVES, LOOKS.replace("import builtins", "import builtins", 1))
    first, second = execute(LOOKS), execute(LOOKS)
    assert not any(first["left"] + second["left"])
    assert first["numbers"][0] != second["numbers"][0]
    assert first["numbers"][1] != second["numbers"][1]


def test_what_a_notebook_leaves_is_seen_by_itself(execute):
    assert all(execute(LEAVES, LOOKS)["left"])


def test_each_kernel_has_the_environment_of_its_own_start(execute):
    told = "import os, json; print(json.dumps(os.environ.get('JSNA_FRAMES')))"
    assert execute(told, JSNA_FRAMES="one") == "one"
    assert execute(told, JSNA_FRAMES="two") == "two"


def test_what_the_server_was_started_with_is_not_in_a_kernel_that_was_not(monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("LEFT", "1")
    with Kernels() as own:
        environment = own.environment
        monkeypatch.delenv("LEFT")
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; print('LEFT' in os.environ)")])
        NotebookClient(notebook, kernel_name=own.name, timeout=60, shutdown_kernel="immediate").execute()
    assert notebook.cells[0].outputs[0].text == "False\n"


def test_where_the_server_is_gone_a_plain_kernel_takes_its_place(execute, kernels, tmp_path):
    assert execute(LOOKS, **{SOCKET_VARIABLE: str(tmp_path / "none.sock")})["parent"] != kernels._server.pid


def test_a_kernel_ends_with_its_server_even_by_force():
    with Kernels() as own:
        assert own.name == WARM
        from jupyter_client.manager import KernelManager

        before = dict(os.environ)
        os.environ.update(own.environment)
        try:
            manager = KernelManager(kernel_name=WARM)
            manager.start_kernel()
            patience = time.monotonic() + 20
            server = psutil.Process(own._server.pid)
            while not (running := server.children(recursive=True)) and time.monotonic() < patience:
                time.sleep(0.05)
            assert running
            server.send_signal(signal.SIGKILL)
            assert psutil.wait_procs(running, timeout=10)[1] == []
        finally:
            manager.shutdown_kernel(now=True)
            for key in own.environment:
                os.environ.pop(key)
            os.environ.update(before)


def test_the_server_ends_with_whoever_started_it():
    running = Kernels()
    assert running.name == WARM
    server = psutil.Process(running._server.pid)
    with running:
        pass
    assert not server.is_running()


@pytest.mark.parametrize(
    ("change", "value", "why"),
    [
        ("can_fork", lambda: False, "this system cannot fork processes"),
        ("_works", lambda path: False, "the self-test failed"),
        ("START_SECONDS", 0.0, "the server did not start"),
    ],
)
def test_where_there_can_be_no_warm_kernels_plain_ones_are_used_and_it_is_said(monkeypatch, change, value, why):
    monkeypatch.setattr(warm, change, value)
    with Kernels() as running:
        assert running.name == PLAIN
        assert running.why == why
        assert running.environment == {}
        assert running._server is None
