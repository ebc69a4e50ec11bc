"""How long does the default refresh take beside the plain papermill command, one notebook after the other?

Run from a set-up environment: python benchmarks/refresh.py [--runs N] [--areas A]. All sides run the same notebooks
with the same params file and a warm synthetic cache. Of a refresh the time until the last chapter is made is compared,
and the whole pack told beside it. In the plain command each chapter works out for itself what is hidden in the pack,
and a refresh does that once: how much of the gain that is, is told too. Goals: at most 0.12 with warm kernels, 0.45
with plain ones, on two workers; a second worker at least 1.8 times as fast; time linear in areas (10%); memory under
4 GiB. Exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
PARAMS = ROOT / "params" / "luton.yml"
WARM, PLAIN, SECOND, LINEAR, GIB = 0.12, 0.45, 1.8, 0.10, 4.0
AREAS = (5, 10, 20, 40)
# Users' computers keep what Python has compiled; where a machine does not, every side would compile the workbench anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def watched(arguments: Sequence[str], folder: Path = ROOT) -> tuple[float, float, str]:
    """Seconds of wall time, the peak memory (GiB, unique sizes of the process tree, sampled), and what was said."""
    started = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = [0.0]

    def sample() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], tree_size(process.pid))
            time.sleep(0.5)

    sampler = threading.Thread(target=sample)
    sampler.start()
    said = process.communicate()[1]
    sampler.join()
    if process.returncode != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}\n{said}")
    return time.monotonic() - started, peak[0] / 2**30, said


def tree_size(pid: int) -> float:
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            try:
                total += process.memory_full_info().uss
            except psutil.Error:
                continue
    except psutil.Error:
        return total
    return total


def plain(folder: Path, *, prepared: Path | None = None) -> float:
    """Seconds of the papermill command on each notebook, one by one."""
    started = time.monotonic()
    for notebook in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        command = [sys.executable, "-m", "papermill", str(notebook), str(folder / notebook.name), "-f", str(PARAMS)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        if prepared is not None:
            environment |= {"JSNA_PREPARED": str(prepared), "JSNA_EVIDENCE": str(folder)}
        subprocess.run(command, cwd=ROOT / "notebooks", env=environment, check=True, capture_output=True)
    return time.monotonic() - started


def refresh(out: Path, *more: str, params: Path = PARAMS) -> tuple[float, float, float]:
    """Seconds of the whole refresh, until the last chapter was made, and the peak memory."""
    command = [sys.executable, "-m", "jsna.cli", "refresh", str(params), "--force", "--out", str(out), *more]
    whole, size, _ = watched(command)
    (log,) = (out / "logs").glob("*.log")
    lines = log.read_text(encoding="utf-8").splitlines()
    moments = [_seconds(line) for line in lines]
    last = max(m for m, line in zip(moments, lines, strict=True) if ": made (" in line)
    ended = max(m for m, line in zip(moments, lines, strict=True) if "pack in place" in line)
    return whole, whole - (ended - last), size


def _seconds(line: str) -> float:
    hours, minutes, seconds = map(int, re.match(r"(\d+):(\d+):(\d+) ", line).groups())  # type: ignore[union-attr]
    return hours * 3600 + minutes * 60 + seconds


def prepared_pattern(folder: Path) -> Path:
    """What a refresh puts aside for its chapters, put aside here for the plain command."""
    from jsna.params import read_params
    from jsna.refresh.plan import all_chapters
    from jsna.refresh.tasks import Prepare, prepare

    prepare(Prepare(read_params(PARAMS), all_chapters(), folder))
    return folder


def areas(folder: Path, numbers: Sequence[int]) -> tuple[dict[int, float], float]:
    """Seconds by number of packs (as many cycles of the synthetic area), and how much a second worker gains.

    The gain is that of the second number: of five packs an odd one is left over at each stage.
    """
    took = {}
    for number in numbers:
        took[number] = _many(folder / f"areas{number}", number, "2")
    some = numbers[min(1, len(numbers) - 1)]
    return took, _many(folder / "one", some, "1") / took[some]


def straight_line(took: Mapping[int, float]) -> tuple[float, float, float]:
    """Seconds an area and before the first one, by least squares, and how far off the times are, in parts of them."""
    numbers, seconds = np.array(list(took)), np.array(list(took.values()))
    if len(numbers) < 2:
        return float(seconds[0] / numbers[0]), 0.0, 0.0
    each, start = np.polyfit(numbers, seconds, 1)
    return float(each), float(start), float(abs((start + each * numbers) / seconds - 1).max())


def _many(folder: Path, number: int, jobs: str) -> float:
    """Seconds of the refresh of so many synthetic areas of one seed each; three chapters, for the sake of time."""
    folder.mkdir()
    files = []
    for seed in range(number):
        path = folder / f"{seed}.yml"
        cycle = f"2026-{seed:02d}"
        path.write_text(f'cycle: "{cycle}"\nseed: {seed + 1}\nscale: 0.25\nprotection: round_5\n', encoding="utf-8")
        files.append(str(path))
    only = [word for chapter in ("02", "04", "05") for word in ("--only", chapter)]
    command = [sys.executable, "-m", "jsna.cli", "refresh", *files, "--jobs", jobs, *only]
    watched([*command, "--out", str(folder / "first")])  # fills the cache of synthetic areas
    return watched([*command, "--force", "--out", str(folder / "packs")])[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--areas", type=int, default=40, help="the largest number of areas; 0: leave these out")
    arguments = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refresh(folder / "cache")
        rows: dict[str, list[float]] = {k: [] for k in ("warm", "plain kernels", "warm, whole", "command", "prepared")}
        sizes = []
        for run in range(arguments.runs):
            whole, chapters, size = refresh(folder / f"warm{run}", "--jobs", "2")
            rows["warm"].append(chapters)
            rows["warm, whole"].append(whole)
            sizes.append(size)
            rows["plain kernels"].append(refresh(folder / f"plain{run}", "--jobs", "2", "--kernels", "plain")[1])
            rows["command"].append(plain(folder))
        pattern = prepared_pattern(folder / "aside")
        rows["prepared"].append(plain(folder, prepared=pattern))
        peer = median(rows["command"])
        for label, goal in (("warm", WARM), ("plain kernels", PLAIN), ("warm, whole", 1.0), ("prepared", 1.0)):
            seconds = median(rows[label])
            print(f"{label:14} {seconds:6.1f} s  {seconds / peer:.3f} of {peer:.1f} s (goal {goal:g})", flush=True)
            missed += [label] if seconds / peer > goal else []
        print(f"warm beside the command with what is hidden prepared: {median(rows['warm']) / rows['prepared'][0]:.3f}")
        print(f"peak memory {max(sizes):.2f} GiB (goal under {GIB:g})", flush=True)
        missed += ["memory"] if max(sizes) >= GIB else []
        if arguments.areas:
            numbers = [n for n in AREAS if n <= arguments.areas]
            took, gain = areas(folder, numbers)
            print(*(f"{n} areas: {s:.1f} s" for n, s in took.items()), sep="; ")
            each, start, off = straight_line(took)
            print(f"a straight line: {start:.1f} s and {each:.2f} s an area; off by at most {off:.0%} (goal 10%)")
            print(f"a second worker: {gain:.2f} times as fast (goal {SECOND})")
            missed += (["linear"] if off > LINEAR else []) + (["second worker"] if gain < SECOND else [])
    print("missed:", ", ".join(missed) or "nothing")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
