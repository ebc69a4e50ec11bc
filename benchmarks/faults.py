"""Is anything ever lost when a run is killed? Many kills, one after the other on one output, each at a drawn moment.

Run from a set-up environment: python benchmarks/faults.py [--kills 100] [--seed 1]. Kills by force, in turn: the
runner, a worker, a kernel, the server of kernels, and everything at once (power). After each: the pack in place is one
that an undisturbed run makes, no process runs on. After the last: the next run ends as an undisturbed one. Exit 1 when
anything was otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / part) for part in ("", "faults")]

from kills import KINDS, many_kills, place_in  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = place_in(Path(folder))
        place.learn()
        told = many_kills(place, arguments.kills, arguments.seed)
    by = Counter(t.kind for t in told)
    ended = Counter(t.kind for t in told if t.finished)
    print(f"{arguments.kills} kills, seed {arguments.seed}; an undisturbed run takes {place.seconds:.1f} s")
    for kind in KINDS:
        print(f"  {kind:8} {by[kind]:4} killed, {ended[kind]:4} of these runs made the pack all the same")
    faults = [fault for t in told for fault in t.faults]
    print(f"faults: {len(faults)}", *faults, sep="\n  ")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
