"""How long does the default refresh take beside the plain papermill command, one notebook after the other?

Run from a set-up environment: python benchmarks/refresh.py [--runs N]. Both sides run the same notebooks with the same
params file and a warm synthetic cache. Prints seconds, the ratio (goal: at most 0.5) and the peak memory of the refresh
(goal: under 4 GiB); exit 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).resolve().parents[1]
PARAMS = ROOT / "params" / "luton.yml"
GOAL_RATIO, GOAL_GIB = 0.5, 4.0


def watched(arguments: list[str]) -> tuple[float, float]:
    """Seconds of wall time and the peak memory (GiB, unique sizes of the process tree, sampled) of a command."""
    started = time.monotonic()
    process = subprocess.Popen(arguments, cwd=ROOT / "notebooks", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = [0.0]

    def sample() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], tree_size(process.pid))
            time.sleep(0.25)

    sampler = threading.Thread(target=sample)
    sampler.start()
    if process.wait() != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    sampler.join()
    return time.monotonic() - started, peak[0] / 2**30


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


def plain(folder: Path) -> float:
    started = time.monotonic()
    for notebook in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        watched([sys.executable, "-m", "papermill", str(notebook), str(folder / notebook.name), "-f", str(PARAMS)])
    return time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    command = [sys.executable, "-m", "jsna.cli", "refresh", str(PARAMS), "--jobs", "2", "--force", "--out"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        watched([*command, str(folder / "warm")])
        ours, sizes, theirs = [], [], []
        for run in range(runs):
            seconds, size = watched([*command, str(folder / f"run{run}")])
            ours.append(seconds)
            sizes.append(size)
            theirs.append(plain(folder))
    ratio = median(ours) / median(theirs)
    print(f"plain papermill, one by one: {median(theirs):6.1f} s (median of {runs})")
    print(f"jsna refresh, two workers:   {median(ours):6.1f} s (whole pack)")
    print(
        f"ratio: {ratio:.2f} (goal: at most {GOAL_RATIO}); peak memory {max(sizes):.2f} GiB (goal: under {GOAL_GIB:g})"
    )
    return int(ratio > GOAL_RATIO or max(sizes) >= GOAL_GIB)


if __name__ == "__main__":
    sys.exit(main())
