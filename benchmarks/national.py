"""How long does a national run take, and how much memory, beside papermill running the Scorecard's chapter per area?

Run from a set-up environment: JSNA_DATA=FOLDER python benchmarks/national.py [--areas CODE ...] [--skip-peer]. Ours is
run twice: with nothing kept from before, and with the values that the first run kept. The peer is papermill executing
notebook 11-scorecard for three areas, one after the other, with the kept values; the figure for all areas is
EXTRAPOLATED from the three, and marked so. Exit 1 when a goal is missed: 600 seconds for all, 4 GiB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean

from refresh import ROOT, watched

GOAL_SECONDS, GOAL_GIB = 600, 4.0
PEER_AREAS = ("E06000032", "E10000016", "E08000016")
NOTEBOOK = ROOT / "notebooks" / "11-scorecard.ipynb"


def ours(data: str, out: Path, areas: list[str]) -> tuple[float, float, float]:
    """Seconds, peak memory (GiB) and size on disk (MB) of one national run."""
    command = [sys.executable, "-m", "jsna.cli", "national", data, "--out", str(out), "--jobs", "2"]
    seconds, peak = watched([*command, "--areas", *areas] if areas else command)
    return seconds, peak, sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6


def peer(folder: Path) -> float:
    """Seconds an area that papermill takes for the chapter, with the values kept from before."""
    command = [sys.executable, "-m", "papermill", str(NOTEBOOK)]
    taken = [
        watched([*command, str(folder / f"{code}.ipynb"), "-y", f"{{areas: [{code}], source: official}}"])[0]
        for code in PEER_AREAS
    ]
    return mean(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--areas", nargs="+", default=[])
    parser.add_argument("--skip-peer", action="store_true")
    arguments = parser.parse_args()
    data = os.environ.get("JSNA_DATA")
    if not data:
        print("Set JSNA_DATA to the folder of official files.", file=sys.stderr)
        return 2
    count = len(arguments.areas) or 153
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["JSNA_CACHE"] = str(folder / "cache")
        runs = {k: ours(data, folder / k, arguments.areas) for k in ("nothing kept", "values kept")}
        for kind, (seconds, peak, size) in runs.items():
            print(f"{kind}: {seconds:.1f} s for {count} areas, {seconds / count:.2f} s each")
            print(f"    peak memory {1024 * peak:.0f} MB, {size:.0f} MB written")
        if not arguments.skip_peer:
            per_area = peer(folder)
            whole = per_area * count
            ratio = runs["values kept"][0] / whole
            print(f"papermill, chapter 11: {per_area:.1f} s an area (mean of {len(PEER_AREAS)} measured)")
            print(f"EXTRAPOLATED to {count} areas: {whole:.0f} s; ours with values kept takes {ratio:.3f} of that")
    slow = max(seconds for seconds, _, _ in runs.values()) > GOAL_SECONDS
    large = max(peak for _, peak, _ in runs.values()) > GOAL_GIB
    return int(slow or large)


if __name__ == "__main__":
    sys.exit(main())
