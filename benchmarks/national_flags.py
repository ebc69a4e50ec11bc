"""How long do flags of every authority take, and what would the same by rows cost?

    python benchmarks/national_flags.py --data FOLDER [--outcomes 14] [--jobs 2] [--areas 153]

9.1 million invented pupils in three censuses and 153 authorities (27 million rows, made into FOLDER once, 0.2 GB), by
four dimensions and the first fourteen outcomes that the chapters name (``--outcomes 17``: all). Counting is part of the
time, starting processes too. Memory is the largest of all processes together.

Beside it one model of one outcome and one dimension in the authority of middling size by statsmodels, a row a pupil and
census, with school-clustered errors. A flag needs some fifteen models, and pooling and checks come on top; one model a
family, at that authority's time in proportion to pupils, is EXTRAPOLATED. Exit 1 when the run takes more than 300 s, or
an authority or an outcome is missing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from national_pupils import national  # noqa: E402
from refresh import tree_size  # noqa: E402

from jsna.synthetic.national import PUPILS, authorities, sizes  # noqa: E402

GOAL_SECONDS, OUTCOMES = 300, 14


def run_flags(folder: Path, areas: int, outcomes: int, jobs: int) -> None:
    """All flags in this process and its workers: prints seconds, processor seconds, peak memory and what was found."""
    import os

    from jsna.national_flags import ALL_OUTCOMES, national_flags

    most, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(2):
            most[0] = max(most[0], tree_size(os.getpid()) / 2**30)

    threading.Thread(target=watch, daemon=True).start()
    started = time.perf_counter()
    made = national_flags(
        "parquet", str(folder), areas=authorities()[:areas], outcomes=ALL_OUTCOMES[:outcomes], jobs=jobs
    )
    seconds = time.perf_counter() - started
    done.set()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {
        "seconds": seconds,
        "cpu": sum(u.ru_utime + u.ru_stime for u in used),
        "gib": most[0],
        "rows": len(made.table),
        "areas": made.table["la_code"].nunique(),
        "families": len(made.table[["la_code", "dimension", "outcome"]].drop_duplicates()),
        "outcomes": made.table["outcome"].nunique(),
        "flagged": made.flagged,
        "problems": made.problems,
    }
    print(json.dumps(found))


def run_peer(folder: Path, code: str) -> None:
    """One model of one authority by rows: prints seconds from reading to clustered errors."""
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq
    import statsmodels.api as sm

    started = time.perf_counter()
    columns = ["time_period", "school_urn", "ethnicity", "sex", "year_group", "idaci_decile", "sen_provision"]
    frame = pq.read_table(
        sorted(folder.glob("*.parquet")), columns=columns, filters=[("la_code", "==", code)]
    ).to_pandas()
    frame["fifth"] = (frame["idaci_decile"] + 1) // 2
    names = ["ethnicity", "time_period", "sex", "year_group", "fifth"]
    design = pd.get_dummies(frame[names].astype("category"), drop_first=True, dtype="float64")
    outcome = (frame["sen_provision"] != "N").to_numpy(float)
    model = sm.GLM(outcome, sm.add_constant(design), family=sm.families.Poisson())
    model.fit(cov_type="cluster", cov_kwds={"groups": np.asarray(pd.factorize(frame["school_urn"])[0])}, tol=1e-12)
    print(json.dumps({"seconds": time.perf_counter() - started, "rows": len(frame)}))


def alone(*arguments: str) -> dict:
    """In a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder for the files")
    parser.add_argument("--pupils", type=int, default=PUPILS)
    parser.add_argument("--areas", type=int, default=153, help="only the first so many")
    parser.add_argument("--outcomes", type=int, default=OUTCOMES, help="the first so many")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--flags", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peer", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = national(options.data, options.pupils)
    if options.flags:
        run_flags(folder, options.areas, options.outcomes, options.jobs)
        return 0
    if options.peer:
        run_peer(folder, options.peer)
        return 0
    told = ["--data", str(options.data), "--pupils", str(options.pupils)]
    counts = {"--areas": options.areas, "--outcomes": options.outcomes, "--jobs": options.jobs}
    made = alone(*told, "--flags", *(str(word) for pair in counts.items() for word in pair))
    print(
        f"{made['areas']} authorities, {made['families']:,} families of {made['outcomes']} outcomes, {made['rows']:,} "
        f"rows, {made['flagged']:,} flagged: {made['seconds']:.0f} s, {made['cpu']:.0f} processor seconds, "
        f"{made['gib']:.2f} GiB"
    )
    for code, why in made["problems"]:
        print(f"{code} was not made: {why}")
    by_size = sorted(zip(sizes(options.pupils, len(authorities())), authorities(), strict=True))
    peer = alone(*told, "--peer", by_size[len(by_size) // 2][1])
    pupils = sum(size for size, code in by_size if code in authorities()[: options.areas])
    models = made["families"] / made["areas"]
    whole = peer["seconds"] / (peer["rows"] / 3) * pupils * models
    print(
        f"statsmodels by rows, one model of {peer['rows']:,} rows: {peer['seconds']:.1f} s. One model a family, in all "
        f"authorities: {whole / 3600:.1f} processor hours (EXTRAPOLATED)"
    )
    missed = ["time"] * (made["seconds"] > GOAL_SECONDS) + ["authorities"] * bool(made["problems"])
    missed += ["outcomes"] * (made["outcomes"] < OUTCOMES)
    print(f"goals missed: {', '.join(missed) or 'none'} (goal: at most {GOAL_SECONDS} s)")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
