"""How do time and memory of counting grow with areas and rows, beside pandas until it no longer fits?

    python benchmarks/scale.py --data FOLDER [--runs 3] [--limit 4]

Invented pupils by the generator of benchmarks/counts.py, the same 21 tables for every authority and census: the
national files asked for 1, 4, 16, 64 and 153 areas, and whole countries of 0.04 to 27 million rows. Each count in a
process of its own; the quickest of the runs. pandas groupby runs until it needs more than ``--limit`` GiB, half of what
an office laptop has. The slope on a log scale: 1 where twice the rows take twice as long. It is fitted where counting,
and not starting, takes the time (from a million rows). Exit 1 when the slope of time in rows is above 1.1.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from counts import alone  # noqa: E402
from national_pupils import GROUPINGS, national  # noqa: E402

from jsna.synthetic.national import PUPILS, authorities  # noqa: E402

AREAS = (1, 4, 16, 64, 153)
# Pupils a census, and authorities: three times as many rows.
COUNTRIES = ((13_000, 1), (40_000, 1), (130_000, 2), (400_000, 7), (1_300_000, 22), (4_000_000, 67), (PUPILS, 153))
FITTED_FROM, GOAL_SLOPE = 1_000_000, 1.1


def slope(x: list[float], y: list[float]) -> float:
    """The slope of y over x, both as logarithms.

    >>> round(slope([1, 10, 100], [2, 20, 200]), 3)
    1.0
    """
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def some_areas(folder: Path, areas: int) -> None:
    """Seconds and peak memory of counting the first ``areas`` out of the national files, in this process."""
    from jsna.engines import count_areas, open_engine

    started = time.perf_counter()
    with open_engine("parquet", str(folder)) as engine:
        counted = count_areas(engine, *GROUPINGS, areas=authorities()[:areas])
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    frame = counted.unseal("to count invented pupils")
    rows = int(frame.loc[frame["grouping"] == "sex", "pupils"].sum())
    print(json.dumps({"seconds": seconds, "gib": peak, "rows": rows}))


def areas_alone(folder: Path, areas: int) -> dict:
    command = [sys.executable, __file__, "--data", str(folder), "--areas", str(areas)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


def by_areas(folder: Path, runs: int) -> None:
    print("areas of the national files       rows   seconds    GiB")
    rows, seconds = [], []
    for areas in AREAS:
        tries = [areas_alone(folder, areas) for _ in range(runs)]
        rows.append(tries[0]["rows"])
        seconds.append(min(t["seconds"] for t in tries))
        print(f"{areas:>27} {rows[-1]:>11,} {seconds[-1]:>8.2f} {max(t['gib'] for t in tries):>7.2f}")
    large = [i for i, n in enumerate(rows) if n >= FITTED_FROM]
    print(f"slope of time in rows, from a million: {slope(*([v[i] for i in large] for v in (rows, seconds))):.2f}")


def by_rows(data: Path, runs: int, limit: float) -> bool:
    """Prints a row a country; whether the slope of ours is as it should be."""
    print("pupils a census, areas        rows      ours, s    GiB    pandas, s    GiB   times")
    rows, seconds, peaks, theirs = [], [], [], []
    fits = True
    for pupils, areas in COUNTRIES:
        folder = national(data, pupils, areas)
        ours = [alone("--way", "jsna", folder) for _ in range(runs)]
        rows.append(3 * pupils)
        seconds.append(min(t["seconds"] for t in ours))
        peaks.append(max(t["gib"] for t in ours))
        line = f"{pupils:>15,} {areas:>6} {rows[-1]:>11,} {seconds[-1]:>12.2f} {peaks[-1]:>6.2f}"
        if fits:
            peer = [alone("--way", "pandas groupby", folder) for _ in range(runs)]
            theirs.append(min(t["seconds"] for t in peer))
            peak = max(t["gib"] for t in peer)
            fits = peak <= limit
            line += f" {theirs[-1]:>12.2f} {peak:>6.2f} {theirs[-1] / seconds[-1]:>7.1f}"
            line += "" if fits else f"  (over {limit:g} GiB: the last)"
        print(line)
    large = [i for i, n in enumerate(rows) if n >= FITTED_FROM]
    found = slope([rows[i] for i in large], [seconds[i] for i in large])
    memory = slope([rows[i] for i in large], [peaks[i] for i in large])
    both = [i for i in large if i < len(theirs)]
    print(
        f"slope in rows, from a million: time {found:.2f} (goal: at most {GOAL_SLOPE}), memory {memory:.2f}; ", end=""
    )
    print(f"pandas: time {slope([rows[i] for i in both], [theirs[i] for i in both]):.2f}")
    return found <= GOAL_SLOPE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder for the files (0.4 GB)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=4.0, help="GiB that pandas may take")
    parser.add_argument("--areas", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.areas:
        some_areas(options.data, options.areas)
        return 0
    by_areas(national(options.data), options.runs)
    return int(not by_rows(options.data, options.runs, options.limit))


if __name__ == "__main__":
    sys.exit(main())
