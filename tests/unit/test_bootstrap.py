"""The set-up: what it installs, when it does nothing, and what it says when it cannot."""

import subprocess
import sys

import pytest


@pytest.fixture
def bootstrap(repository, tmp_path, monkeypatch):
    """workbench.py with its folder in a temporary place and every program that it calls noted, not run."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("workbench_under_test", repository / "workbench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "a folder with spaces"
    root.mkdir()
    for name in (*module.LOCKS.values(), module.UV_LOCK):
        (root / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "VENV", root / ".venv")
    monkeypatch.setattr(module, "PYTHON", root / ".venv" / "python")
    monkeypatch.setattr(module, "UV", root / ".venv" / "uv")
    module.calls, module.fails = [], []

    def noted(arguments, **_):
        module.calls.append(arguments)
        if "venv" in arguments:
            (root / ".venv").mkdir(exist_ok=True)
            module.PYTHON.write_text("", encoding="utf-8")
        failed = any(all(word in arguments for word in words) for words in module.fails)
        return subprocess.CompletedProcess(
            arguments, int(failed), f"{root}\nutf-8\n", "no such wheel" if failed else ""
        )

    monkeypatch.setattr(module.subprocess, "run", noted)
    return module


def installs(module):
    return [
        a
        for a in module.calls
        if "install" in a and any(str(w).endswith(".lock") and "uv.lock" not in str(w) for w in a)
    ]


def test_the_second_call_installs_nothing(bootstrap):
    bootstrap.set_up("run", "")
    bootstrap.calls.clear()
    bootstrap.set_up("run", "")
    assert bootstrap.calls == []


def test_the_test_environment_serves_for_running_too(bootstrap):
    bootstrap.set_up("test", "")
    bootstrap.calls.clear()
    bootstrap.set_up("run", "")
    assert bootstrap.calls == []


def test_hashes_are_asked_for_and_bytecode_is_compiled(bootstrap):
    bootstrap.set_up("run", "")
    (call,) = installs(bootstrap)
    assert {"--require-hashes", "--compile-bytecode"} <= set(call)


def test_another_lock_file_installs_anew_and_the_first_again_after_it(bootstrap):
    lock = bootstrap.ROOT / "requirements.lock"
    for text in ("A", "B", "A"):
        lock.write_text(text, encoding="utf-8")
        bootstrap.set_up("run", "")
    assert len(installs(bootstrap)) == 3


def test_a_lost_interpreter_is_made_again(bootstrap):
    bootstrap.set_up("run", "")
    bootstrap.PYTHON.unlink()
    bootstrap.set_up("run", "")
    assert len(installs(bootstrap)) == 2


def test_pip_takes_over_where_uv_cannot_be_had(bootstrap):
    bootstrap.fails.append(["--require-hashes", str(bootstrap.ROOT / bootstrap.UV_LOCK)])
    bootstrap.set_up("run", "")
    (call,) = installs(bootstrap)
    assert call[1:4] == ["-m", "pip", "install"]


def test_a_wheelhouse_is_used_and_no_index(bootstrap, tmp_path):
    bootstrap.set_up("run", str(tmp_path))
    assert ["--no-index", "--find-links", str(tmp_path)] == [
        w for w in installs(bootstrap)[0] if w in ("--no-index", "--find-links", str(tmp_path))
    ]


def test_when_nothing_can_be_installed_it_says_so_and_leaves_no_stamp(bootstrap, capsys):
    bootstrap.fails.append(["install"])
    assert bootstrap.main(["refresh", "p.yml"]) == 2
    text = capsys.readouterr().err
    assert "--wheelhouse" in text
    assert len(text.splitlines()) <= 10
    assert not list(bootstrap.VENV.glob(".run-*"))


def test_a_second_set_up_at_the_same_time_is_refused(bootstrap, capsys):
    (bootstrap.ROOT / ".venv.lock").mkdir()
    assert bootstrap.main(["refresh", "p.yml"]) == 2
    assert "already" in capsys.readouterr().err


def test_a_missing_lock_file_is_a_message(bootstrap, capsys):
    (bootstrap.ROOT / "requirements.lock").unlink()
    assert bootstrap.main(["refresh", "p.yml"]) == 2
    assert "requirements.lock" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["test", "tests/unit"], ["-m", "pytest", "tests/unit"]),
        (["refresh", "p.yml", "--jobs", "1"], ["-m", "jsna.cli", "refresh", "p.yml", "--jobs", "1"]),
    ],
)
def test_words_go_to_the_right_program(bootstrap, words, expected):
    assert bootstrap.command(words)[1:] == expected


def test_the_exit_code_is_passed_on(bootstrap):
    assert bootstrap.run([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_an_installed_spark_is_neither_imported_nor_warned_of_by_those_who_do_not_ask_for_it(repository):
    told = "import jsna, pandera.pandas, sys; print(sys.modules['pyspark.pandas'])"
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", told],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("None", "")
