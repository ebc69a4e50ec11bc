"""Set up the workbench and run it, with nothing but Python 3.11 or later.

    python3 workbench.py refresh params/luton.yml     make Luton's evidence pack
    python3 workbench.py test                         run the tests
    python3 workbench.py lab                          open JupyterLab on the notebooks

The first call makes a folder `.venv` beside this file and installs the locked packages into it; later calls only run.
`--wheelhouse DIR` installs from a folder of wheels, for computers without internet. Any other words go to `jsna`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
UV = BIN / ("uv.exe" if os.name == "nt" else "uv")
LOCKS = {"run": "requirements.lock", "test": "requirements-test.lock"}
UV_LOCK = "requirements-uv.lock"
OLDEST = (3, 11)
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")


class SetupError(Exception):
    """Something about this computer stops the set-up; the text says what, and what to do."""


def main(words: list[str]) -> int:
    """Set up what is missing, run the command, and return its exit code."""
    try:
        words, wheelhouse = take_option(words, "--wheelhouse")
        if not words or words[0] in ("-h", "--help"):
            print(__doc__)
            return 0
        if sys.version_info < OLDEST:
            found = ".".join(map(str, sys.version_info[:3]))
            raise SetupError(f"Python 3.11 or later is needed; this is {found}. Start it with a newer python3.")
        set_up("test" if words[0] == "test" else "run", wheelhouse)
        return run(command(words), folder=ROOT if words[0] == "test" else None)
    except SetupError as error:
        print(f"The workbench could not be set up. {error}", file=sys.stderr)
        return 2
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The workbench could not be set up: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 2


def take_option(words: list[str], name: str) -> tuple[list[str], str]:
    """The words without the option ``name``, and its value."""
    if name not in words:
        return words, ""
    at = words.index(name)
    if at + 1 == len(words):
        raise SetupError(f"{name} needs a folder after it.")
    folder = Path(words[at + 1])
    if not folder.is_dir():
        raise SetupError(f"{name}: there is no folder {folder}.")
    return words[:at] + words[at + 2 :], str(folder.resolve())


def command(words: list[str]) -> list[str]:
    """What to run inside the environment for the user's words."""
    if words[0] == "test":
        return [str(PYTHON), "-m", "pytest", *words[1:]]
    if words[0] == "lab":
        return [str(PYTHON), "-m", "jupyter", "lab", str(ROOT / "notebooks"), *words[1:]]
    return [str(PYTHON), "-m", "jsna.cli", *words]


def run(arguments: list[str], folder: Path | None = None) -> int:
    """Run with the environment's folder first on the path; on Ctrl-C the program inside says the last word."""
    environment = os.environ | {"PATH": str(BIN) + os.pathsep + os.environ.get("PATH", "")}
    environment.pop("PYTHONHOME", None)
    with subprocess.Popen(arguments, env=environment, cwd=folder) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def set_up(kind: str, wheelhouse: str) -> None:
    """Make the environment and install the locked packages, unless a stamp says that this was done."""
    stamps = {k: VENV / f".{k}-{fingerprint(k)}" for k in LOCKS}
    if PYTHON.is_file() and (stamps[kind].is_file() or (kind == "run" and stamps["test"].is_file())):
        return
    started = time.monotonic()
    print(f"Setting up in {VENV} (once; about half a minute with internet) ...", file=sys.stderr, flush=True)
    with only_one():
        make_venv()
        for old in (path for k in LOCKS for path in VENV.glob(f".{k}-*")):
            old.unlink()
        install(LOCKS[kind], wheelhouse)
        point_to_rooms()
        stamps[kind].write_text("", encoding="utf-8")
    print(f"Set up in {time.monotonic() - started:.0f} s.", file=sys.stderr, flush=True)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Refuse to set up twice at once: a folder beside the environment is the sign that somebody does."""
    sign = ROOT / ".venv.lock"
    try:
        sign.mkdir()
    except FileExistsError:
        raise SetupError(
            f"It is being set up already, or was stopped while it was. If nothing is running, delete {sign}."
        ) from None
    try:
        yield
    finally:
        sign.rmdir()


def point_to_rooms() -> None:
    """Let the environment find the packages in this folder; Python reads such a file in the system's own encoding."""
    place = "import sysconfig, locale; print(sysconfig.get_path('purelib')); print(locale.getpreferredencoding(False))"
    told = subprocess.run([str(PYTHON), "-c", place], capture_output=True, text=True, check=True).stdout.splitlines()
    encoding = "utf-8" if sys.version_info >= (3, 13) else told[1]
    (Path(told[0]) / "jsna_workbench.pth").write_text(f"{ROOT}\n", encoding=encoding)


def fingerprint(kind: str) -> str:
    """A short digest of what the environment depends on."""
    digest = hashlib.sha256(repr((sys.version_info[:2], str(ROOT))).encode())
    for name in (LOCKS[kind], UV_LOCK):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:16]


def make_venv() -> None:
    """A virtual environment of this Python; one of another version, or half made, is made again."""
    works = (
        PYTHON.is_file()
        and subprocess.run(
            [str(PYTHON), "-c", f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"],
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )
    if works:
        return
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        text = made.stdout + made.stderr
        if "ensurepip" in text:
            raise SetupError("Python's venv module is incomplete. On Debian or Ubuntu: apt install python3-venv.")
        raise SetupError(f"The folder {VENV} could not be made: {last_line(text)}")


def install(lock: str, wheelhouse: str) -> None:
    """Install the lock file with uv, or with pip when uv cannot be had; hashes are checked either way."""
    environment = {k: v for k, v in os.environ.items() if k not in UNWANTED}
    offline = ["--no-index", "--find-links", wheelhouse] if wheelhouse else []
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", *offline]
    with_uv = [
        str(UV),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(PYTHON),
        "--require-hashes",
        "--compile-bytecode",
        *offline,
        "-r",
        str(ROOT / lock),
    ]
    got_uv = subprocess.run([*pip, "-r", str(ROOT / UV_LOCK)], env=environment, capture_output=True, check=False)
    if got_uv.returncode == 0:
        done = subprocess.run(with_uv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        print(f"uv: {last_line(done.stderr)}", file=sys.stderr)
    print("uv could not be used; installing with pip, which takes longer ...", file=sys.stderr, flush=True)
    done = subprocess.run([*pip, "-r", str(ROOT / lock)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(
            f"The packages could not be installed: {last_line(done.stderr)}\n"
            "Without internet, bring a folder of wheels and add --wheelhouse FOLDER (see docs/install.md)."
        )


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason was given."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
